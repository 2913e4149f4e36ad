//! Keeps the rows for which every condition holds.

use super::parallel::Share;
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::expression::{Compiled, compile};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{Scalar, Var};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

/// A condition that needs nothing but the row.
#[derive(Clone, Debug)]
pub enum RowCondition {
    Expression(Scalar),
    /// The column's term is none of these.
    NotAmong(usize, Vec<TermId>),
    /// The two columns hold the same term, or one of them is unbound.
    Same(usize, usize),
}

/// A condition that is ready to be tested.
pub enum Test {
    Expression(Compiled),
    NotAmong(usize, Vec<TermId>),
    Same(usize, usize),
}

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub conditions: Vec<RowCondition>,
    /// The columns that are passed on.
    pub kept: Vec<usize>,
}

struct Filter<'s> {
    input: Node<'s>,
    tests: Arc<[Test]>,
    kept: Vec<usize>,
}

impl RowCondition {
    pub fn describe(&self, labels: &Labels<'_>) -> String {
        match self {
            Self::Expression(scalar) => labels.expression(&scalar.expression),
            Self::NotAmong(_, terms) => format!("none of {} predicates", terms.len()),
            Self::Same(..) => "same graph".into(),
        }
    }

    /// Prepares the conditions to be tested on rows with these columns.
    ///
    /// # Errors
    /// A limit that a constant part of an expression exceeds.
    pub fn tests(conditions: &[Self], vars: &[Var], cx: &Context<'_>) -> Result<Arc<[Test]>> {
        let test = |condition: &Self| {
            Ok(match condition {
                Self::Expression(scalar) => Test::Expression(compile(&scalar.expression, vars, &cx.expressions)?),
                Self::NotAmong(column, terms) => Test::NotAmong(*column, terms.clone()),
                Self::Same(left, right) => Test::Same(*left, *right),
            })
        };
        conditions.iter().map(test).collect()
    }
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let conditions = self.conditions.iter().map(|condition| condition.describe(labels));
        format!("filter {}", conditions.collect::<Vec<_>>().join(" && "))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let tests = RowCondition::tests(&self.conditions, &self.input.vars, opening.cx)?;
        Ok(Box::new(Filter { input: opening.node(&self.input)?, tests, kept: self.kept.clone() }))
    }

    fn divides(&self) -> bool {
        self.input.operation.divides()
    }
}

impl Test {
    /// Returns the positions of the rows that pass, in order.
    pub fn pass(&self, batch: &Batch, cx: &Context<'_>) -> Result<Vec<u32>> {
        let rows = 0..batch.rows() as u32;
        match self {
            Self::Expression(compiled) => compiled.filter(batch, &cx.expressions),
            Self::NotAmong(column, terms) => {
                let column = batch.column(*column);
                Ok(rows.filter(|row| !terms.contains(&column[*row as usize])).collect())
            }
            Self::Same(left, right) => {
                let (left, right) = (batch.column(*left), batch.column(*right));
                let same = |row: usize| left[row] == right[row] || left[row].is_unbound() || right[row].is_unbound();
                Ok(rows.filter(|row| same(*row as usize)).collect())
            }
        }
    }
}

impl<'s> Operator<'s> for Filter<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        for test in &*self.tests {
            let passed = test.pass(&batch, cx)?;
            if passed.len() < batch.rows() {
                batch = batch.select(&passed);
            }
            if batch.is_empty() {
                break;
            }
        }
        Ok(Some(batch.project(&self.kept)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        let input = self.input.part(part)?;
        Some(Box::new(Self { input, tests: Arc::clone(&self.tests), kept: self.kept.clone() }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
