//! BIND: adds a column with the value of an expression, unbound where its evaluation fails.

use super::parallel::Share;
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::expression::{Compiled, compile};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{Scalar, Var};
use kgq_syntax::error::Result;
use std::sync::Arc;

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub var: Var,
    pub scalar: Scalar,
    /// The columns that are passed on: some of the input's, and the new one, which is the last column here.
    pub kept: Vec<usize>,
}

struct Extend<'s> {
    input: Node<'s>,
    compiled: Arc<Compiled>,
    kept: Vec<usize>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        format!("bind {} := {}", labels.name(self.var), labels.expression(&self.scalar.expression))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let cx = opening.cx;
        let compiled = compile(&self.scalar.expression, &self.input.vars, &cx.expressions)?;
        let (input, kept) = (opening.node(&self.input)?, self.kept.clone());
        Ok(Box::new(Extend { input, compiled: Arc::new(compiled), kept }))
    }

    fn divides(&self) -> bool {
        !self.scalar.is_volatile() && self.input.operation.divides()
    }
}

impl<'s> Operator<'s> for Extend<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        let rows = batch.rows();
        // A BIND after a BIND extends the same solution: BNODE("x") is one node in both.
        let first = batch.first_solution(|| cx.expressions.number_solutions(rows));
        let column = self.compiled.evaluate_numbered(&batch, first, &cx.expressions)?;
        batch.push(column);
        Ok(Some(batch.project(&self.kept)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        if !self.compiled.is_deterministic() {
            return None;
        }
        let (compiled, kept) = (Arc::clone(&self.compiled), self.kept.clone());
        Some(Box::new(Self { input: self.input.part(part)?, compiled, kept }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
