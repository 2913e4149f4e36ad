//! Takes triple terms apart (RDF 1.2): keeps the rows whose triple term has the required components, and binds the others.

use super::access::LookupKey;
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

/// What a component must satisfy, or binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentTest {
    Equals(LookupKey),
    /// Equals the value of the nullable column, or fills it if it is unbound.
    Fills(usize),
    /// Equals an earlier component.
    Repeats(usize),
    Binds,
}

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub column: usize,
    pub parts: [ComponentTest; 3],
    /// The columns that are passed on, numbered by those of the input and then those of the parts that bind.
    pub kept: Vec<usize>,
}

struct TripleTerm<'s> {
    input: Node<'s>,
    column: usize,
    parts: [ComponentTest; 3],
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
        format!("components of {}", labels.name(self.input.vars[self.column]))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let (input, kept) = (opening.node(&self.input)?, self.kept.clone());
        Ok(Box::new(TripleTerm { input, column: self.column, parts: self.parts, kept }))
    }
}

impl<'s> Operator<'s> for TripleTerm<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(cx)? else { return Ok(None) };
        let mut positions = Vec::new();
        let mut found: [Vec<TermId>; 3] = [const { Vec::new() }; 3];
        for row in 0..batch.rows() {
            let Some(components) = cx.terms().triple_components(batch.get(self.column, row))? else { continue };
            let fits = self.parts.iter().zip(components).all(|(part, id)| match part {
                ComponentTest::Equals(key) => key.of(&batch, row) == id,
                ComponentTest::Fills(column) => [id, TermId::UNBOUND].contains(&batch.get(*column, row)),
                ComponentTest::Repeats(earlier) => components[*earlier] == id,
                ComponentTest::Binds => true,
            });
            if fits {
                positions.push(row as u32);
                found.iter_mut().zip(components).for_each(|(column, id)| column.push(id));
            }
        }
        let batch = batch.select(&positions);
        let weights = batch.weights().map(<[u64]>::to_vec);
        let mut columns = batch.into_columns();
        for (part, ids) in self.parts.iter().zip(found) {
            match part {
                ComponentTest::Equals(_) | ComponentTest::Repeats(_) => {}
                ComponentTest::Fills(column) => columns[*column] = ids,
                ComponentTest::Binds => columns.push(ids),
            }
        }
        Ok(Some(Batch::new(columns, positions.len()).with_weights(weights).project(&self.kept)))
    }
}
