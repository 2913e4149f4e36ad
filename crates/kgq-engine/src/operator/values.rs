//! VALUES: rows that the query itself lists.

use super::{Context, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

#[derive(Debug)]
pub struct Plan {
    pub rows: Arc<[Vec<TermId>]>,
    /// The number of columns.
    pub width: usize,
}

struct Values {
    rows: Arc<[Vec<TermId>]>,
    width: usize,
    at: usize,
    pace: Pace,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn bytes_of_rows(&self) -> usize {
        self.rows.len() * (size_of::<Vec<TermId>>() + self.width * size_of::<TermId>())
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        format!("{} rows of values", self.rows.len())
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Values { rows: Arc::clone(&self.rows), width: self.width, at: 0, pace: Pace::default() }))
    }
}

impl<'s> Operator<'s> for Values {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        let part = &self.rows[self.at..self.rows.len().min(self.at + self.pace.step())];
        if part.is_empty() {
            return Ok(None);
        }
        self.at += part.len();
        let columns = (0..self.width).map(|column| part.iter().map(|row| row[column]).collect()).collect();
        Ok(Some(Batch::new(columns, part.len())))
    }
}
