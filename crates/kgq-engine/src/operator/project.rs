//! Hands on some columns, in the order asked for; a variable that nothing binds is a column of unbound.

use super::parallel::Part;
use super::{Context, Node, Operator, names};
use crate::batch::Batch;
use crate::plan::Var;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

pub struct Project<'s> {
    input: Node<'s>,
    vars: Vec<Var>,
    columns: Vec<Option<usize>>,
}

impl<'s> Project<'s> {
    pub fn new(input: Node<'s>, vars: Vec<Var>) -> Self {
        let columns = vars.iter().map(|var| input.column(*var)).collect();
        Self { input, vars, columns }
    }

    /// The input with exactly these columns.
    pub fn to(input: Node<'s>, vars: Vec<Var>) -> Node<'s> {
        if input.vars == vars {
            return input;
        }
        let (certain, sorted, weighted, rows) =
            (input.certain.clone(), input.sorted.clone(), input.weighted, input.estimate);
        Node::new(Self::new(input, vars.clone()), vars).like(certain, sorted, weighted).estimated(rows)
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

    fn describe(&self, cx: &Context<'s>) -> String {
        format!("project {}", names(&self.vars, cx))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }

    fn part(&self, part: Part) -> Option<Box<dyn Operator<'s> + 's>> {
        let input = self.input.part(part)?;
        Some(Box::new(Self { input, vars: self.vars.clone(), columns: self.columns.clone() }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
