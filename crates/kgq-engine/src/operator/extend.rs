//! BIND: adds a column with the value of an expression, unbound where it has none.

use super::parallel::Part;
use super::{Context, Node, Operator};
use crate::batch::Batch;
use crate::expression::Compiled;
use kgq_syntax::error::Result;
use std::sync::Arc;

pub struct Extend<'s> {
    input: Node<'s>,
    compiled: Arc<Compiled>,
    text: String,
    kept: Vec<usize>,
}

impl<'s> Extend<'s> {
    /// `kept` are columns of the input with the new one, which stands last.
    pub fn new(input: Node<'s>, compiled: Compiled, text: String, kept: Vec<usize>) -> Self {
        Self { input, compiled: Arc::new(compiled), text, kept }
    }
}

impl<'s> Operator<'s> for Extend<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        let rows = batch.rows();
        // Two BINDs in a row extend the same solutions: BNODE("x") is one node in both.
        let first = batch.first_solution(|| cx.expressions.number_solutions(rows));
        let column = self.compiled.evaluate_numbered(&batch, first, &cx.expressions)?;
        batch.push(column);
        Ok(Some(batch.project(&self.kept)))
    }

    fn describe(&self, _: &Context<'s>) -> String {
        format!("bind {}", self.text)
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }

    fn part(&self, part: Part) -> Option<Box<dyn Operator<'s> + 's>> {
        if !self.compiled.is_deterministic() {
            return None;
        }
        let (compiled, text) = (Arc::clone(&self.compiled), self.text.clone());
        Some(Box::new(Self { input: self.input.part(part)?, compiled, text, kept: self.kept.clone() }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
