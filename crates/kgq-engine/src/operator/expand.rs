//! Repeats each row by its multiplicity (its weight), for operators and answers that need one row for each solution.

use super::parallel::Share;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::physical::{Basis, Labels, Operation, PhysicalPlan};
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
}

struct Expand<'s> {
    input: Node<'s>,
    pace: Pace,
    batch: Batch,
    row: usize,
    /// How often the current row was passed on.
    done: u64,
}

impl Plan {
    /// Repeats the rows of the input if they may stand for several solutions; otherwise returns the input itself.
    pub fn where_weighted(input: PhysicalPlan) -> PhysicalPlan {
        if !input.weighted {
            return input;
        }
        let (vars, certain, sorted, rows) =
            (input.vars.clone(), input.certain.clone(), input.sorted.clone(), input.rows);
        PhysicalPlan::new(Self { input }, vars).like(certain, sorted, false).expecting(rows, Basis::Input)
    }
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "repeat by weight".into()
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Expand::new(opening.node(&self.input)?)))
    }

    fn divides(&self) -> bool {
        self.input.operation.divides()
    }
}

impl<'s> Expand<'s> {
    fn new(input: Node<'s>) -> Self {
        Self { input, pace: Pace::default(), batch: Batch::default(), row: 0, done: 0 }
    }
}

impl<'s> Operator<'s> for Expand<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.row >= self.batch.rows() {
            match self.input.next(cx)? {
                None => return Ok(None),
                Some(batch) if batch.weights().is_none() => return Ok(Some(batch)),
                Some(batch) => self.batch = batch,
            }
            self.row = 0;
            self.done = 0;
        }
        let capacity = self.pace.step();
        let mut positions: Vec<u32> = Vec::with_capacity(capacity);
        while positions.len() < capacity && self.row < self.batch.rows() {
            let left = self.batch.weight(self.row) - self.done;
            let part = left.min((capacity - positions.len()) as u64);
            positions.resize(positions.len() + part as usize, self.row as u32);
            self.done += part;
            if part == left {
                self.row += 1;
                self.done = 0;
            }
        }
        Ok(Some(self.batch.select(&positions).with_weights(None)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        Some(Box::new(Self::new(self.input.part(part)?)))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
