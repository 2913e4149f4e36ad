//! Keeps the rows for which every condition holds.

use super::parallel::Part;
use super::{Context, Node, Operator};
use crate::batch::Batch;
use crate::expression::Compiled;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

/// A condition that needs nothing but the row.
pub enum Test {
    Expression {
        compiled: Compiled,
        text: String,
    },
    /// The column's term is none of these.
    NotAmong(usize, Vec<TermId>),
    /// The two columns hold the same term, or one of them none.
    Same(usize, usize),
}

pub struct Filter<'s> {
    input: Node<'s>,
    tests: Arc<[Test]>,
    /// The columns handed on.
    kept: Vec<usize>,
}

impl<'s> Filter<'s> {
    pub fn new(input: Node<'s>, tests: Vec<Test>, kept: Vec<usize>) -> Self {
        Self { input, tests: tests.into(), kept }
    }
}

impl Test {
    /// The positions of the rows that pass, in order.
    pub fn pass(&self, batch: &Batch, cx: &Context<'_>) -> Result<Vec<u32>> {
        let rows = 0..batch.rows() as u32;
        match self {
            Self::Expression { compiled, .. } => compiled.filter(batch, &cx.expressions),
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

    pub fn describe(&self) -> String {
        match self {
            Self::Expression { text, .. } => text.clone(),
            Self::NotAmong(_, terms) => format!("none of {} predicates", terms.len()),
            Self::Same(..) => "same graph".into(),
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

    fn describe(&self, _: &Context<'s>) -> String {
        format!("filter {}", self.tests.iter().map(Test::describe).collect::<Vec<_>>().join(" && "))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }

    fn part(&self, part: Part) -> Option<Box<dyn Operator<'s> + 's>> {
        let input = self.input.part(part)?;
        Some(Box::new(Self { input, tests: Arc::clone(&self.tests), kept: self.kept.clone() }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
