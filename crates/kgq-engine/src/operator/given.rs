//! The leaf of a plan that is opened for given values: one row of them. A correlated EXISTS uses it to put each binding
//! into its pattern.

use super::{Context, Opening, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::{Error, Result};

#[derive(Debug)]
pub struct Plan {
    pub vars: Vec<Var>,
    /// For each variable, the index of its value among the given values.
    pub positions: Vec<usize>,
}

struct Given(Option<Vec<TermId>>);

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn is_given(&self) -> bool {
        true
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        format!("given {}", labels.names(&self.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let value = |at: &usize| opening.given.get(*at).copied();
        let row: Option<Vec<TermId>> = self.positions.iter().map(value).collect();
        match row {
            Some(row) => Ok(Box::new(Given(Some(row)))),
            None => Err(Error::bug("a plan is opened without the values that it asks for")),
        }
    }
}

impl<'s> Operator<'s> for Given {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        Ok(self.0.take().map(|row| Batch::new(row.into_iter().map(|id| vec![id]).collect(), 1)))
    }
}
