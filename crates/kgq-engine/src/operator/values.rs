//! VALUES: rows that the query itself lists.

use super::{Context, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

#[derive(Debug)]
pub struct Plan {
    pub columns: Arc<[Vec<TermId>]>,
    /// The number of rows, which may have no column.
    pub rows: usize,
}

struct Values {
    columns: Arc<[Vec<TermId>]>,
    rows: usize,
    at: usize,
    pace: Pace,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn bytes_of_rows(&self) -> usize {
        self.rows * self.columns.len() * size_of::<TermId>()
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        format!("{} rows of values", self.rows)
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Values { columns: Arc::clone(&self.columns), rows: self.rows, at: 0, pace: Pace::default() }))
    }
}

impl<'s> Operator<'s> for Values {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        let part = self.at..self.rows.min(self.at + self.pace.step());
        if part.is_empty() {
            return Ok(None);
        }
        self.at = part.end;
        let columns = self.columns.iter().map(|column| column[part.clone()].to_vec()).collect();
        Ok(Some(Batch::new(columns, part.len())))
    }
}
