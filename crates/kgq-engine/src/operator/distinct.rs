//! DISTINCT: each row once, in the order of first appearance. When memory cannot hold more rows, rows that are not
//! known yet spill: they are sorted in a file and returned after the end of the input, in the same order.

use super::sorter::{Sorted, Sorter, numbered};
use super::spill::is_full;
use super::table::{HashIndex, Table, hash};
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

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
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
    stage: Stage,
}

enum Stage {
    /// New rows are remembered and passed on.
    Knowing,
    /// No more rows can be remembered. Rows that are not known go to the sorter with a number; this field holds the next number.
    Sorting(Box<Sorter>, u64),
    /// The sorted rows are returned, each once, in the order of their numbers.
    Giving(Box<Sorted>),
}

/// The rows that were passed on.
enum Seen {
    /// All rows without columns are equal.
    Nothing {
        any: bool,
    },
    One(IdSet),
    Two(FxHashSet<u64>, Reservation),
    Many(Table, HashIndex),
}

/// Bytes of a pair of ids in a set, of which an eighth is empty when it is full.
const SET_BYTES: usize = 11;

fn pair(a: TermId, b: TermId) -> u64 {
    u64::from(a.get()) << 32 | u64::from(b.get())
}

/// Bytes of a computed term's id in a set.
const COMPUTED_BYTES: u64 = 8;

/// A set of ids, with a bit for each stored term; computed ids are kept apart.
#[derive(Default)]
pub struct IdSet {
    bits: Vec<u64>,
    others: FxHashSet<TermId>,
    held: Reservation,
}

impl IdSet {
    /// Inserts the id; returns whether it is new.
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
            width => Seen::Many(Table::new(width), HashIndex::empty()),
        };
        Self { input, seen, stage: Stage::Knowing }
    }

    /// Removes duplicates from the spilled rows, and sorts them back into the order of first appearance.
    fn in_order(sorter: Sorter, width: usize, cx: &Context<'s>) -> Result<Sorted> {
        let mut sorted = sorter.finish(cx)?;
        let mut by_number = Sorter::new(width + 2, vec![width, width + 1], cx)?;
        let mut last: Vec<TermId> = Vec::new();
        while let Some(batch) = sorted.next(Batch::ROWS, cx)? {
            let mut first = Vec::new();
            for row in 0..batch.rows() {
                if !batch.columns()[..width].iter().map(|column| column[row]).eq(last.iter().copied()) {
                    last = batch.columns()[..width].iter().map(|column| column[row]).collect();
                    first.push(row as u32);
                }
            }
            by_number.add(&batch.select(&first), cx)?;
        }
        by_number.finish(cx)
    }
}

/// Whether a known row equals a row of the batch.
fn is_same(rows: &Table, before: usize, batch: &Batch, row: usize) -> bool {
    rows.columns.iter().zip(batch.columns()).all(|(old, new)| old[before] == new[row])
}

/// With fewer known rows than this, nothing spills.
const FEW: usize = 1024;

impl Seen {
    /// Whether memory has no room for this many more rows.
    fn is_full(&self, more: usize, cx: &Context<'_>) -> bool {
        let (known, growing) = match self {
            Self::Nothing { .. } | Self::One(_) => return false,
            // While a set grows, both the old and the new one are held.
            Self::Two(set, _) if set.len() + more > set.capacity() => (set.len(), set.capacity() * 2 * SET_BYTES),
            Self::Two(set, _) => (set.len(), 0),
            Self::Many(rows, index) => {
                (rows.rows, (more + rows.rows / 8) * rows.columns.len() * 4 + index.growing(more))
            }
        };
        known >= FEW && is_full(growing as u64, cx)
    }

    /// Returns the positions of the rows that are not known.
    fn unknown(&self, batch: &Batch) -> Vec<u32> {
        let is_known = |row: usize| match self {
            Self::Nothing { .. } | Self::One(_) => false,
            Self::Two(set, _) => set.contains(&pair(batch.get(0, row), batch.get(1, row))),
            Self::Many(rows, index) => {
                let same = |before: usize| is_same(rows, before, batch, row);
                index.find(hash(batch.columns().iter().map(|column| column[row])), same).is_some()
            }
        };
        (0..batch.rows()).filter(|row| !is_known(*row)).map(|row| row as u32).collect()
    }

    /// Returns the positions of the new rows, and remembers these rows.
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
                    if set.insert(pair(*a, *b)) {
                        positions.push(row as u32);
                    }
                }
                held.grow(cx.budget(), ((set.capacity() - before) * SET_BYTES) as u64)?;
            }
            Self::Many(rows, index) => {
                rows.make_room(batch.rows(), cx)?;
                for row in 0..batch.rows() {
                    let key = hash(batch.columns().iter().map(|column| column[row]));
                    if index.find(key, |before| is_same(rows, before, batch, row)).is_none() {
                        positions.push(row as u32);
                        index.push(key, cx, |row| hash(rows.columns.iter().map(|column| column[row])))?;
                        for (old, new) in rows.columns.iter_mut().zip(batch.columns()) {
                            old.push(new[row]);
                        }
                        rows.rows += 1;
                    }
                }
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
        let width = self.input.width;
        while !matches!(self.stage, Stage::Giving(_)) {
            let Some(batch) = self.input.next(cx)? else {
                let Stage::Sorting(sorter, _) = std::mem::replace(&mut self.stage, Stage::Knowing) else {
                    return Ok(None);
                };
                // The known rows are freed, because no more rows are compared with them.
                self.seen = Seen::Nothing { any: false };
                self.stage = Stage::Giving(Box::new(Self::in_order(*sorter, width, cx)?));
                break;
            };
            if matches!(self.stage, Stage::Knowing) && self.seen.is_full(batch.rows(), cx) {
                let sorter = Sorter::new(width + 2, (0..width + 2).collect(), cx)?;
                self.stage = Stage::Sorting(Box::new(sorter), 0);
            }
            let batch = batch.with_weights(None);
            match &mut self.stage {
                Stage::Sorting(sorter, number) => {
                    let batch = numbered(batch.select(&self.seen.unknown(&batch)), *number);
                    *number += batch.rows() as u64;
                    sorter.add(&batch, cx)?;
                }
                Stage::Knowing | Stage::Giving(_) => {
                    let positions = self.seen.fresh(&batch, cx).map_err(|error| cx.temporary.explain(error))?;
                    return Ok(Some(if positions.len() == batch.rows() { batch } else { batch.select(&positions) }));
                }
            }
        }
        let Stage::Giving(sorted) = &mut self.stage else { return Ok(None) };
        let columns: Vec<usize> = (0..width).collect();
        Ok(sorted.next(Batch::ROWS, cx)?.map(|batch| batch.project(&columns)))
    }
}
