//! LIMIT and OFFSET.

use super::{Context, Node, Operator};
use crate::batch::Batch;
use kgq_syntax::error::Result;

pub struct Slice<'s> {
    input: Node<'s>,
    offset: u64,
    limit: Option<u64>,
    /// What is still to be passed over, and to be taken.
    skip: u64,
    take: Option<u64>,
}

impl<'s> Slice<'s> {
    /// The input's rows must stand for one solution each.
    pub fn new(input: Node<'s>, offset: u64, limit: Option<u64>) -> Self {
        Self { input, offset, limit, skip: offset, take: limit }
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

    fn describe(&self, _: &Context<'s>) -> String {
        match (self.limit, self.offset) {
            (Some(limit), 0) => format!("limit {limit}"),
            (Some(limit), offset) => format!("limit {limit} after {offset}"),
            (None, offset) => format!("all after {offset}"),
        }
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }
}
