//! The symmetric hash join. Both sides are read in turn, and each new row probes what was read of the other side, so
//! that the first pairs come before either side has been read whole. It serves ASK, and LIMIT without ORDER BY.

use super::filter::{RowCondition, Test};
use super::hash_join::{By, HASHED_ROW, Layout, Pair, value_key};
use super::table::{HashIndex, Table, hash};
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::sync::Arc;

/// An inner join. The layout has no loose columns.
#[derive(Debug)]
pub struct Plan {
    pub left: PhysicalPlan,
    pub right: PhysicalPlan,
    pub layout: Arc<Layout>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.left, &self.right]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.left, &mut self.right]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        self.layout.describe("hash join from both sides", &self.left, labels)
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let tests = RowCondition::tests(&self.layout.conditions, &self.layout.vars, opening.cx)?;
        let (left, right) = (opening.node(&self.left)?, opening.node(&self.right)?);
        Ok(Box::new(SymmetricJoin::new(left, right, Arc::clone(&self.layout), tests)))
    }

    fn cost_a_row(&self) -> f64 {
        HASHED_ROW
    }
}

struct SymmetricJoin<'s> {
    sides: [Side<'s>; 2],
    layout: Arc<Layout>,
    tests: Arc<[Test]>,
    /// The side whose new rows probe the other.
    side: usize,
    /// The new rows that have not probed yet.
    fresh: std::ops::Range<usize>,
    /// The next candidate for the first of them; the outer `None` means that it has not been looked up yet.
    candidate: Option<Option<usize>>,
    pace: Pace,
}

struct Side<'s> {
    input: Node<'s>,
    table: Table,
    /// For each pair of the layout, the keys; empty if they are the column itself.
    keys: Vec<Vec<TermId>>,
    index: HashIndex,
    /// Reserved for the keys.
    held: Reservation,
    done: bool,
}

impl<'s> Side<'s> {
    fn new(input: Node<'s>, keys: usize) -> Self {
        let (table, index) = (Table::new(input.width), HashIndex::empty());
        Self { input, table, keys: vec![Vec::new(); keys], index, held: Reservation::default(), done: false }
    }

    /// Forgets the rows that were read.
    fn clear(&mut self) {
        self.table = Table::new(self.input.width);
        self.keys.iter_mut().for_each(|keys| *keys = Vec::new());
        self.held = Reservation::default();
        self.index = HashIndex::empty();
        self.done = false;
    }

    /// Reads a batch, if there is one, and indexes its rows.
    fn read(&mut self, pairs: &[(Pair, By)], column: fn(&Pair) -> usize, cx: &Context<'s>) -> Result<()> {
        let Some(batch) = self.input.next(cx)? else {
            self.done = true;
            return Ok(());
        };
        let (start, end) = (self.table.rows, self.table.rows + batch.rows());
        self.table.append(&batch, cx)?;
        for ((pair, by), keys) in pairs.iter().zip(&mut self.keys) {
            if *by == By::Value {
                self.held.grow(cx.budget(), ((end - start) * 4) as u64)?;
                keys.extend(self.table.columns[column(pair)][start..end].iter().map(|id| value_key(*id, cx)));
            }
        }
        let columns = key_columns(&self.table, &self.keys, pairs, column);
        let hash_of = |row: usize| hash(columns.iter().map(|column| column[row]));
        for row in start..end {
            self.index.push(hash_of(row), cx, hash_of)?;
        }
        Ok(())
    }
}

/// The columns by which rows are compared.
fn key_columns<'t>(
    table: &'t Table,
    keys: &'t [Vec<TermId>],
    pairs: &[(Pair, By)],
    column: fn(&Pair) -> usize,
) -> Vec<&'t [TermId]> {
    let of = |((pair, by), keys): (&(Pair, By), &'t Vec<TermId>)| match by {
        By::Term => table.columns[column(pair)].as_slice(),
        By::Value => keys.as_slice(),
    };
    pairs.iter().zip(keys).map(of).collect()
}

const COLUMN_OF: [fn(&Pair) -> usize; 2] = [|pair| pair.left, |pair| pair.right];

impl<'s> SymmetricJoin<'s> {
    fn new(left: Node<'s>, right: Node<'s>, layout: Arc<Layout>, tests: Arc<[Test]>) -> Self {
        let keys = layout.keys.len();
        Self {
            sides: [Side::new(left, keys), Side::new(right, keys)],
            layout,
            tests,
            side: 1,
            fresh: 0..0,
            candidate: None,
            pace: Pace::default(),
        }
    }

    /// Reads more of one of the sides; returns false if there can be no more pairs.
    fn read(&mut self, cx: &Context<'s>) -> Result<bool> {
        let next = 1 - self.side;
        self.side = if self.sides[next].done { self.side } else { next };
        let other = &self.sides[1 - self.side];
        if self.sides[self.side].done || other.done && other.table.rows == 0 {
            // The left side may be refilled from outside. The right never is: it was read whole, or there was no left
            // row to join.
            self.sides[0].clear();
            return Ok(false);
        }
        let start = self.sides[self.side].table.rows;
        self.sides[self.side].read(&self.layout.keys, COLUMN_OF[self.side], cx)?;
        self.fresh = start..self.sides[self.side].table.rows;
        self.candidate = None;
        Ok(true)
    }

    /// Finds pairs with the new rows until there are `capacity` or all new rows have probed. Returns their positions on
    /// the left and on the right.
    fn pairs(&mut self, capacity: usize, cx: &Context<'s>) -> Result<[Vec<u32>; 2]> {
        let mut found = [Vec::new(), Vec::new()];
        let [own, other] = [self.side, 1 - self.side].map(|side| {
            let Side { table, keys, .. } = &self.sides[side];
            key_columns(table, keys, &self.layout.keys, COLUMN_OF[side])
        });
        let index = &self.sides[1 - self.side].index;
        let mut steps = 0u32;
        while !self.fresh.is_empty() && found[0].len() < capacity {
            let row = self.fresh.start;
            let mut candidate = match self.candidate.take() {
                Some(candidate) => candidate,
                None => index.first(hash(own.iter().map(|column| column[row]))),
            };
            while let Some(at) = candidate {
                if found[0].len() == capacity {
                    break;
                }
                steps += 1;
                if steps.is_multiple_of(65_536) {
                    cx.budget().check()?;
                }
                candidate = index.after(at);
                if own.iter().zip(&other).all(|(own, other)| own[row] == other[at]) {
                    found[self.side].push(row as u32);
                    found[1 - self.side].push(at as u32);
                }
            }
            if candidate.is_some() {
                self.candidate = Some(candidate);
                break;
            }
            self.fresh.start += 1;
        }
        Ok(found)
    }
}

impl<'s> Operator<'s> for SymmetricJoin<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.fresh.is_empty() {
            return Ok(if self.read(cx)? { Some(Batch::default()) } else { None });
        }
        let capacity = self.pace.step();
        let [lefts, rights] = self.pairs(capacity, cx)?;
        let [left, right] = [&self.sides[0].table, &self.sides[1].table];
        let mut columns: Vec<Vec<TermId>> = left.columns.iter().map(|column| gather(column, &lefts)).collect();
        columns.extend(self.layout.added.iter().map(|column| gather(&right.columns[*column], &rights)));
        let weights = (left.weights.is_some() || right.weights.is_some()).then(|| {
            let product = |(l, r): (&u32, &u32)| left.weight(*l as usize).saturating_mul(right.weight(*r as usize));
            lefts.iter().zip(&rights).map(product).collect()
        });
        let mut batch = Batch::new(columns, lefts.len()).with_weights(weights);
        for test in &*self.tests {
            let passed = test.pass(&batch, cx)?;
            if passed.len() < batch.rows() {
                batch = batch.select(&passed);
            }
        }
        Ok(Some(batch.project(&self.layout.kept)))
    }
}
