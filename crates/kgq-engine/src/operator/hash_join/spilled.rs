//! The hash join with a right side that does not fit into memory (a Grace hash join). Both sides are divided by the
//! hash of their keys, and the parts are joined one after the other. A part that is still too large is divided again.

use super::{By, HashJoin, Pair, value_key};
use crate::batch::Batch;
use crate::operator::partitions::{PARTS, Partitions, Parts};
use crate::operator::sorter::{Sorted, Sorter};
use crate::operator::table::{Table, hash};
use crate::operator::{Context, Node, Operator};
use kgq_syntax::error::Result;
use std::sync::Arc;

/// The sides are divided at most this often. What is still too large then mostly consists of rows with one key, which
/// no division separates.
const MOST_LEVELS: u32 = 6;

/// The parts of the right side, and the state of the join.
pub struct Spilled<'s> {
    right: Parts,
    stage: Stage<'s>,
}

enum Stage<'s> {
    /// The left side has not been read yet.
    Start,
    Joining(Joining<'s>),
    /// The joined rows are returned in the order of the left side.
    Giving(Sorted),
}

struct Joining<'s> {
    left: Parts,
    /// The next part to be joined.
    part: usize,
    join: Option<Box<HashJoin<'s>>>,
}

impl<'s> HashJoin<'s> {
    /// Whether the sides can be divided by their keys.
    pub(super) fn divides_keys(&self) -> bool {
        !self.layout.keys.is_empty() && self.level < MOST_LEVELS
    }

    /// Returns the hashes of the keys on one of the sides.
    fn hashes(&self, batch: &Batch, side: impl Fn(&Pair) -> usize, cx: &Context<'s>) -> Vec<u64> {
        let key = |row: usize, pair: &Pair, by: By| match (batch.get(side(pair), row), by) {
            (id, By::Term) => id,
            (id, By::Value) => value_key(id, cx),
        };
        let of = |row: usize| hash(self.layout.keys.iter().map(|(pair, by)| key(row, pair, *by)));
        (0..batch.rows()).map(of).collect()
    }

    /// Divides the right side: the collected table, the batch after it, and all remaining batches.
    pub(super) fn spill_right(&mut self, table: Table, next: Option<Batch>, cx: &Context<'s>) -> Result<()> {
        let mut parts = Partitions::new(self.right.width, self.level, cx)?;
        let rows: Vec<u32> = (0..table.rows as u32).collect();
        for piece in rows.chunks(Batch::ROWS) {
            let batch = table.select(piece);
            parts.add(&batch, &self.hashes(&batch, |pair| pair.right, cx), cx)?;
        }
        drop(table);
        let mut next = next;
        while let Some(batch) = next {
            parts.add(&batch, &self.hashes(&batch, |pair| pair.right, cx), cx)?;
            next = self.right.next(cx)?;
        }
        self.spilled = Some(Box::new(Spilled { right: parts.finish(cx)?, stage: Stage::Start }));
        Ok(())
    }

    /// Divides the rows that the left side has now; `None` if there are none.
    fn divided_left(&mut self, cx: &Context<'s>) -> Result<Option<Parts>> {
        let Some(mut batch) = self.left.next(cx)? else { return Ok(None) };
        let mut parts = Partitions::new(self.left.width, self.level, cx)?;
        loop {
            parts.add(&batch, &self.hashes(&batch, |pair| pair.left, cx), cx)?;
            match self.left.next(cx)? {
                Some(next) => batch = next,
                None => return parts.finish(cx).map(Some),
            }
        }
    }

    /// Makes the join of one part of both sides.
    fn of_part(&self, left: &Parts, right: &Parts, part: usize) -> Self {
        let node = |parts: &Parts| Node::unplanned(parts.rows(part), parts.width());
        let (layout, tests) = (Arc::clone(&self.layout), Arc::clone(&self.tests));
        Self { level: self.level + 1, ..Self::new(node(left), node(right), self.kind, layout, tests) }
    }

    /// Returns the next rows of the parts; `None` when all are joined.
    fn next_joined(&self, right: &Parts, joining: &mut Joining<'s>, cx: &Context<'s>) -> Result<Option<Batch>> {
        loop {
            cx.budget().check()?;
            if let Some(join) = &mut joining.join
                && let Some(batch) = join.next(cx)?
            {
                return Ok(Some(batch));
            }
            joining.join = None;
            // Without rows on the left, no kind of join returns any.
            while joining.part < PARTS && joining.left.is_empty(joining.part) {
                joining.part += 1;
            }
            if joining.part == PARTS {
                return Ok(None);
            }
            joining.join = Some(Box::new(self.of_part(&joining.left, right, joining.part)));
            joining.part += 1;
        }
    }

    pub(super) fn next_of_parts(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut spilled) = self.spilled.take() else { return Ok(None) };
        let next = self.next_spilled(&mut spilled, cx);
        self.spilled = Some(spilled);
        next
    }

    fn next_spilled(&mut self, Spilled { right, stage }: &mut Spilled<'s>, cx: &Context<'s>) -> Result<Option<Batch>> {
        if matches!(stage, Stage::Start) {
            let Some(left) = self.divided_left(cx)? else { return Ok(None) };
            let mut joining = Joining { left, part: 0, join: None };
            *stage = if self.sorted.is_empty() {
                Stage::Joining(joining)
            } else {
                let mut sorter = Sorter::new(self.layout.kept.len(), self.sorted.clone(), cx)?;
                while let Some(batch) = self.next_joined(right, &mut joining, cx)? {
                    if !batch.is_empty() {
                        sorter.add(&batch, cx)?;
                    }
                }
                Stage::Giving(sorter.finish(cx)?)
            };
        }
        let next = match stage {
            Stage::Start => None,
            Stage::Joining(joining) => self.next_joined(right, joining, cx)?,
            Stage::Giving(sorted) => sorted.next(Batch::ROWS, cx)?,
        };
        if next.is_none() {
            // The left side may be fed again.
            *stage = Stage::Start;
        }
        Ok(next)
    }
}
