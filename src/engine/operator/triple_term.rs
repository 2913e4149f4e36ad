//! Takes triple terms apart (RDF 1.2): keeps the rows whose triple term has the components asked for, and binds the others.

use super::access::Key;
use super::{Context, Node, Operator};
use crate::engine::batch::Batch;
use crate::error::Result;
use crate::snapshot::TermId;

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Equals(Key),
    /// The same as an earlier component.
    Repeats(usize),
    Binds,
}

pub struct TripleTerm<'s> {
    input: Node<'s>,
    column: usize,
    parts: [Part; 3],
    /// Columns of the input followed by those of the parts that bind.
    kept: Vec<usize>,
}

impl<'s> TripleTerm<'s> {
    pub fn new(input: Node<'s>, column: usize, parts: [Part; 3], kept: Vec<usize>) -> Self {
        Self { input, column, parts, kept }
    }
}

impl<'s> Operator<'s> for TripleTerm<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(cx)? else { return Ok(None) };
        let mut positions = Vec::new();
        let mut bound: Vec<Vec<TermId>> = vec![Vec::new(); self.parts.iter().filter(|p| **p == Part::Binds).count()];
        for row in 0..batch.rows() {
            let Some(components) = cx.terms().triple_components(batch.get(self.column, row))? else { continue };
            let fits = self.parts.iter().zip(components).all(|(part, id)| match part {
                Part::Equals(key) => key.of(&batch, row) == id,
                Part::Repeats(earlier) => components[*earlier] == id,
                Part::Binds => true,
            });
            if fits {
                positions.push(row as u32);
                let binds = self.parts.iter().zip(components).filter(|(part, _)| **part == Part::Binds);
                bound.iter_mut().zip(binds).for_each(|(column, (_, id))| column.push(id));
            }
        }
        let mut batch = batch.select(&positions);
        bound.into_iter().for_each(|column| batch.push(column));
        Ok(Some(batch.project(&self.kept)))
    }

    fn describe(&self, cx: &Context<'s>) -> String {
        format!("components of {}", cx.variables.name(self.input.vars[self.column]))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }
}
