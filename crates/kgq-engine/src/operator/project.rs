//! Passes on some columns, in the requested order; a variable that nothing binds becomes a column of unbound.

use super::parallel::Share;
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Basis, Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    input: PhysicalPlan,
    vars: Vec<Var>,
    columns: Vec<Option<usize>>,
}

struct Project<'s> {
    input: Node<'s>,
    columns: Vec<Option<usize>>,
}

impl Plan {
    /// Returns the input with exactly these columns.
    pub fn to(input: PhysicalPlan, vars: Vec<Var>) -> PhysicalPlan {
        if input.vars == vars {
            return input;
        }
        let (certain, sorted, weighted, rows) =
            (input.certain.clone(), input.sorted.clone(), input.weighted, input.rows);
        let columns = vars.iter().map(|var| input.column(*var)).collect();
        PhysicalPlan::new(Self { input, vars: vars.clone(), columns }, vars)
            .like(certain, sorted, weighted)
            .expecting(rows, Basis::Input)
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
        format!("project {}", labels.names(&self.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Project { input: opening.node(&self.input)?, columns: self.columns.clone() }))
    }

    fn divides(&self) -> bool {
        self.input.operation.divides()
    }
}

impl<'s> Operator<'s> for Project<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        if self.columns.contains(&None) {
            batch.push(vec![TermId::UNBOUND; batch.rows()]);
        }
        let missing = batch.width() - 1;
        let columns: Vec<_> = self.columns.iter().map(|column| column.unwrap_or(missing)).collect();
        Ok(Some(batch.project(&columns)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        let input = self.input.part(part)?;
        Some(Box::new(Self { input, columns: self.columns.clone() }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
