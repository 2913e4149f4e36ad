//! Looks up the rows of the left in the right side, and makes the rows of the result.

use super::built::Built;
use super::keys::value_key;
use super::{By, HashJoin, JoinKind};
use crate::batch::{Batch, gather};
use crate::operator::Context;
use crate::operator::table::hash;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

impl<'s> HashJoin<'s> {
    /// Returns the next rows of the left with their partners.
    pub(super) fn next_with(&mut self, built: &Built, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.done {
            if built.is_empty() && matches!(self.kind, JoinKind::Inner | JoinKind::Semi) {
                return Ok(None);
            }
            let Some(batch) = self.left.next(cx)? else { return Ok(None) };
            if let (Some(members), [(pair, _)]) = (&built.members, self.layout.keys.as_slice()) {
                self.matched = batch.column(pair.left).iter().map(|id| members.has(*id)).collect();
                self.batch = batch;
                return Ok(Some(self.rest()));
            }
            self.matched = vec![false; batch.rows()];
            self.batch = batch;
            self.row = 0;
            self.candidate = None;
            self.unbound = 0;
            self.done = false;
        }
        let capacity = self.pace.step();
        let (mut lefts, mut rights) = self.pairs(built, capacity, cx)?;
        if lefts.is_empty() && self.row >= self.batch.rows() {
            self.done = true;
            return Ok(Some(self.rest()));
        }
        let mut joined = None;
        if !self.tests.is_empty() || matches!(self.kind, JoinKind::Inner | JoinKind::Left) {
            let mut batch = self.joined(built, &lefts, &rights);
            for test in &*self.tests {
                let passed = test.pass(&batch, cx)?;
                if passed.len() < batch.rows() {
                    batch = batch.select(&passed);
                    lefts = passed.iter().map(|at| lefts[*at as usize]).collect();
                    rights = passed.iter().map(|at| rights[*at as usize]).collect();
                }
            }
            joined = Some(batch);
        }
        for row in &lefts {
            self.matched[*row as usize] = true;
        }
        Ok(Some(match (self.kind, joined) {
            (JoinKind::Inner | JoinKind::Left, Some(batch)) => batch.project(&self.layout.kept),
            _ => Batch::default(),
        }))
    }

    /// Collects pairs until there are `capacity` or the batch is done.
    fn pairs(&mut self, built: &Built, capacity: usize, cx: &Context<'s>) -> Result<(Vec<u32>, Vec<u32>)> {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        let once = matches!(self.kind, JoinKind::Semi | JoinKind::Anti | JoinKind::Minus);
        let first_only = once && self.tests.is_empty();
        let mut steps = 0u32;
        let mut key = Vec::with_capacity(self.layout.keys.len());
        while self.row < self.batch.rows() && lefts.len() < capacity {
            let row = self.row;
            if once && self.matched[row] {
                self.candidate = None;
                self.unbound = 0;
                self.row += 1;
                continue;
            }
            key.clear();
            for (pair, by) in &self.layout.keys {
                let id = self.batch.get(pair.left, row);
                key.push(match by {
                    By::Term => id,
                    By::Value => value_key(id, cx),
                });
            }
            let exact = key.len();
            let strict = built.strict.as_ref().filter(|_| self.binds_strict(row));
            let ways = if strict.is_some() { 1 << self.layout.strict().len() } else { 1 };
            let index = strict.unwrap_or(&built.index);
            let mut left_over = None;
            while self.unbound < ways {
                key.truncate(exact);
                if strict.is_some() {
                    key.extend(self.strict_key(row));
                }
                let mut candidate = match self.candidate.take() {
                    Some(candidate) => candidate,
                    None => index.first(hash(key.iter().copied())),
                };
                while let Some(at) = candidate {
                    if lefts.len() == capacity {
                        break;
                    }
                    steps += 1;
                    if steps.is_multiple_of(65_536) {
                        cx.budget().check()?;
                    }
                    candidate = index.after(at);
                    if built.agrees(&self.layout, &key, at) && self.compatible(built, row, at) {
                        lefts.push(row as u32);
                        rights.push(at as u32);
                        if first_only {
                            candidate = None;
                            self.unbound = ways;
                        }
                    }
                }
                if candidate.is_some() {
                    left_over = Some(candidate);
                    break;
                }
                self.unbound += 1;
            }
            if left_over.is_some() {
                self.candidate = left_over;
                break;
            }
            self.unbound = 0;
            self.candidate = None;
            self.row += 1;
        }
        Ok((lefts, rights))
    }

    /// Whether the row binds all columns of the strict index.
    fn binds_strict(&self, row: usize) -> bool {
        self.layout.strict().iter().all(|pair| self.batch.get(pair.left, row).is_bound())
    }

    /// Returns the values sought in those columns: the row's terms, or unbound.
    fn strict_key(&self, row: usize) -> impl Iterator<Item = TermId> {
        self.layout.strict().iter().enumerate().map(move |(at, pair)| {
            if self.unbound >> at & 1 == 1 { TermId::UNBOUND } else { self.batch.get(pair.left, row) }
        })
    }

    #[inline]
    fn compatible(&self, built: &Built, row: usize, at: usize) -> bool {
        let mut shared = !self.layout.keys.is_empty();
        for pair in &self.layout.loose {
            let (left, right) = (self.batch.get(pair.left, row), built.table.columns[pair.right][at]);
            if left.is_unbound() || right.is_unbound() {
                continue;
            }
            if left != right {
                return false;
            }
            shared = true;
        }
        shared || self.kind != JoinKind::Minus
    }

    /// Makes rows from the pairs: the left's columns, filled in from the right where unbound, and the added ones.
    fn joined(&self, built: &Built, lefts: &[u32], rights: &[u32]) -> Batch {
        let mut columns: Vec<Vec<TermId>> = self.batch.columns().iter().map(|c| gather(c, lefts)).collect();
        for pair in &self.layout.loose {
            let right = &built.table.columns[pair.right];
            for (id, at) in columns[pair.left].iter_mut().zip(rights) {
                if id.is_unbound() {
                    *id = right[*at as usize];
                }
            }
        }
        columns.extend(self.layout.added.iter().map(|column| gather(&built.table.columns[*column], rights)));
        let weights = (self.batch.weights().is_some() || built.table.weights.is_some()).then(|| {
            let product = |(left, right): (&u32, &u32)| {
                self.batch.weight(*left as usize).saturating_mul(built.table.weight(*right as usize))
            };
            lefts.iter().zip(rights).map(product).collect()
        });
        Batch::new(columns, lefts.len()).with_weights(weights)
    }

    /// Returns the rows of the batch that this kind of join adds once all pairs of the batch are known.
    fn rest(&self) -> Batch {
        let wanted = |matched: bool| match self.kind {
            JoinKind::Inner => false,
            JoinKind::Semi => matched,
            JoinKind::Left | JoinKind::Anti | JoinKind::Minus => !matched,
        };
        let positions: Vec<u32> =
            (0..self.batch.rows() as u32).filter(|row| wanted(self.matched[*row as usize])).collect();
        let mut rest = self.batch.select(&positions);
        for _ in &self.layout.added {
            rest.push(vec![TermId::UNBOUND; positions.len()]);
        }
        rest.project(&self.layout.kept)
    }
}
