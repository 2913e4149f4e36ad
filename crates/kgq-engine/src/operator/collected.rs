//! Rows that were computed before anybody asked for them: on a thread whose stack is large enough for a plan that nests deep.

use super::{Context, Node, Operator};
use crate::batch::Batch;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::collections::VecDeque;

struct Collected {
    batches: VecDeque<Batch>,
    held: Reservation,
}

/// Runs an operator to its end and drops it. Returns a node that has all of its rows.
///
/// # Errors
/// Those of the operator; the budget's limits.
pub fn collect<'s>(mut node: Node<'s>, cx: &Context<'s>) -> Result<Node<'s>> {
    let mut collected = Collected { batches: VecDeque::new(), held: Reservation::default() };
    while let Some(batch) = node.next(cx)? {
        collected.held.grow(cx.budget(), batch.bytes())?;
        collected.batches.push_back(batch);
    }
    Ok(Node::unplanned(collected, node.width))
}

impl<'s> Operator<'s> for Collected {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        let batch = self.batches.pop_front();
        self.held.shrink(batch.as_ref().map_or(0, Batch::bytes));
        Ok(batch)
    }
}
