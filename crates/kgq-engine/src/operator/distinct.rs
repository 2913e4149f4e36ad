//! DISTINCT: each row once, in the order of its first appearance.

use super::table::{HashIndex, hash};
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "distinct".into()
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Distinct::new(opening.node(&self.input)?)))
    }
}

struct Distinct<'s> {
    input: Node<'s>,
    seen: Seen,
}

/// The rows that were there before.
enum Seen {
    /// Rows without columns are all the same.
    Nothing {
        any: bool,
    },
    One(IdSet),
    Two(FxHashSet<u64>, Reservation),
    Many {
        columns: Vec<Vec<TermId>>,
        index: HashIndex,
        held: Reservation,
    },
}

/// What an id of a computed term takes in a set.
const COMPUTED_BYTES: u64 = 8;

/// A set of ids: a bit for each stored term, computed ones apart.
#[derive(Default)]
pub struct IdSet {
    bits: Vec<u64>,
    others: FxHashSet<TermId>,
    held: Reservation,
}

impl IdSet {
    /// Whether the id was not there before.
    #[inline]
    pub fn insert(&mut self, id: TermId, cx: &Context<'_>) -> Result<bool> {
        let word = id.index() / 64;
        if word >= self.bits.len() {
            if !cx.terms().is_stored(id) {
                return self.insert_computed(id, cx);
            }
            let words = (cx.snapshot().term_count() as usize).div_ceil(64);
            self.held.grow(cx.budget(), (words * 8) as u64)?;
            self.bits = vec![0; words];
        }
        let bit = 1 << (id.index() % 64);
        if !cx.terms().is_stored(id) {
            return self.insert_computed(id, cx);
        }
        let fresh = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        Ok(fresh)
    }

    fn insert_computed(&mut self, id: TermId, cx: &Context<'_>) -> Result<bool> {
        let fresh = self.others.insert(id);
        self.held.grow(cx.budget(), if fresh { COMPUTED_BYTES } else { 0 })?;
        Ok(fresh)
    }
}

impl<'s> Distinct<'s> {
    fn new(input: Node<'s>) -> Self {
        let seen = match input.width {
            0 => Seen::Nothing { any: false },
            1 => Seen::One(IdSet::default()),
            2 => Seen::Two(FxHashSet::default(), Reservation::default()),
            width => {
                Seen::Many { columns: vec![Vec::new(); width], index: HashIndex::empty(), held: Reservation::default() }
            }
        };
        Self { input, seen }
    }
}

impl Seen {
    /// The positions of the rows that were not there before.
    fn fresh(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<Vec<u32>> {
        let mut positions = Vec::new();
        match self {
            Self::Nothing { any } => {
                if !std::mem::replace(any, true) {
                    positions.push(0);
                }
            }
            Self::One(set) => {
                let mut last = None;
                for (row, id) in batch.column(0).iter().enumerate() {
                    if last != Some(*id) && set.insert(*id, cx)? {
                        positions.push(row as u32);
                    }
                    last = Some(*id);
                }
            }
            Self::Two(set, held) => {
                let before = set.capacity();
                for (row, (a, b)) in batch.column(0).iter().zip(batch.column(1)).enumerate() {
                    if set.insert(u64::from(a.get()) << 32 | u64::from(b.get())) {
                        positions.push(row as u32);
                    }
                }
                held.grow(cx.budget(), ((set.capacity() - before) * 9) as u64)?;
            }
            Self::Many { columns, index, held } => {
                for row in 0..batch.rows() {
                    let key = hash(batch.columns().iter().map(|column| column[row]));
                    let mut at = index.first(key);
                    while let Some(before) = at {
                        if columns.iter().zip(batch.columns()).all(|(old, new)| old[before] == new[row]) {
                            break;
                        }
                        at = index.after(before);
                    }
                    if at.is_none() {
                        positions.push(row as u32);
                        index.push(key, cx, |row| hash(columns.iter().map(|column| column[row])))?;
                        for (old, new) in columns.iter_mut().zip(batch.columns()) {
                            old.push(new[row]);
                        }
                    }
                }
                held.grow(cx.budget(), (positions.len() * columns.len() * 4) as u64)?;
            }
        }
        Ok(positions)
    }
}

impl<'s> Operator<'s> for Distinct<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if let Seen::Nothing { any: true } = self.seen {
            return Ok(None);
        }
        let Some(batch) = self.input.next(cx)? else { return Ok(None) };
        let positions = self.seen.fresh(&batch, cx)?;
        let batch = batch.with_weights(None);
        Ok(Some(if positions.len() == batch.rows() { batch } else { batch.select(&positions) }))
    }
}
