//! Folds all rows with the same id in their single column into one row with the sum of their multiplicities, in the
//! order of the ids. A factorised count does this before it multiplies.

use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::collections::BTreeMap;

/// Bytes of a computed term's id.
const OTHER_BYTES: u64 = 24;

#[derive(Debug)]
pub struct Plan {
    /// It has one column.
    pub input: PhysicalPlan,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        format!("count equal {}", labels.names(&self.input.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Fold::new(opening.node(&self.input)?)))
    }
}

struct Fold<'s> {
    input: Node<'s>,
    /// The multiplicity of each stored term; those of computed terms are in `others`.
    weights: Vec<u64>,
    others: BTreeMap<TermId, u64>,
    held: Reservation,
    /// The next id to pass on; `None` while rows are collected.
    at: Option<usize>,
    pace: Pace,
}

impl<'s> Fold<'s> {
    fn new(input: Node<'s>) -> Self {
        Self {
            input,
            weights: Vec::new(),
            others: BTreeMap::new(),
            held: Reservation::default(),
            at: None,
            pace: Pace::default(),
        }
    }

    /// Adds up all rows that the input has now; returns false if it has none.
    fn collect(&mut self, cx: &Context<'s>) -> Result<bool> {
        let mut any = false;
        while let Some(batch) = self.input.next(cx)? {
            any = true;
            if self.weights.is_empty() {
                let terms = cx.snapshot().term_count() as usize;
                self.held.grow(cx.budget(), terms as u64 * 8)?;
                self.weights = vec![0; terms];
            }
            let before = self.others.len();
            for (row, id) in batch.column(0).iter().enumerate() {
                let weight = match self.weights.get_mut(id.index()) {
                    Some(weight) => weight,
                    None => self.others.entry(*id).or_default(),
                };
                *weight = weight.saturating_add(batch.weight(row));
            }
            self.held.grow(cx.budget(), (self.others.len() - before) as u64 * OTHER_BYTES)?;
        }
        Ok(any)
    }
}

impl<'s> Operator<'s> for Fold<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let mut at = match self.at.take() {
            Some(at) => at,
            None if self.collect(cx)? => 0,
            None => return Ok(None),
        };
        let capacity = self.pace.step();
        let (mut ids, mut weights) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        while at < self.weights.len() && ids.len() < capacity {
            if self.weights[at] != 0 {
                ids.push(TermId::new(at as u32));
                weights.push(std::mem::take(&mut self.weights[at]));
            }
            at += 1;
        }
        if at < self.weights.len() {
            self.at = Some(at);
        } else {
            for (id, weight) in std::mem::take(&mut self.others) {
                ids.push(id);
                weights.push(weight);
            }
        }
        let rows = ids.len();
        Ok(Some(Batch::new(vec![ids], rows).with_weights(Some(weights))))
    }
}
