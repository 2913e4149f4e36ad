//! LIMIT and OFFSET. They count rows, so the input must have one row for each solution.

use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    /// Each of its rows stands for one solution.
    pub input: PhysicalPlan,
    pub offset: u64,
    pub limit: Option<u64>,
}

struct Slice<'s> {
    input: Node<'s>,
    /// How many rows remain to be skipped (`skip`) and passed on (`take`).
    skip: u64,
    take: Option<u64>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        match (self.limit, self.offset) {
            (Some(limit), 0) => format!("limit {limit}"),
            (Some(limit), offset) => format!("limit {limit} after {offset}"),
            (None, offset) => format!("all after {offset}"),
        }
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Slice { input: opening.node(&self.input)?, skip: self.offset, take: self.limit }))
    }
}

impl<'s> Operator<'s> for Slice<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.take == Some(0) {
            return Ok(None);
        }
        let Some(batch) = self.input.next(cx)? else { return Ok(None) };
        let rows = batch.rows() as u64;
        let start = self.skip.min(rows);
        let end = self.take.map_or(rows, |take| start.saturating_add(take).min(rows));
        self.skip -= start;
        if let Some(take) = &mut self.take {
            *take -= end - start;
        }
        if start == 0 && end == rows {
            return Ok(Some(batch));
        }
        Ok(Some(batch.select(&(start as u32..end as u32).collect::<Vec<_>>())))
    }
}
