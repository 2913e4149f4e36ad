//! VALUES: rows that stand in the query.

use super::{Context, Node, Operator, Pace};
use crate::batch::Batch;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

pub struct Values {
    rows: Arc<[Vec<TermId>]>,
    /// Positions in a row of the columns that are handed on.
    columns: Vec<usize>,
    at: usize,
    pace: Pace,
}

impl Values {
    pub fn new(rows: Arc<[Vec<TermId>]>, columns: Vec<usize>) -> Self {
        Self { rows, columns, at: 0, pace: Pace::default() }
    }
}

impl<'s> Operator<'s> for Values {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        let part = &self.rows[self.at..self.rows.len().min(self.at + self.pace.step())];
        if part.is_empty() {
            return Ok(None);
        }
        self.at += part.len();
        let columns = self.columns.iter().map(|column| part.iter().map(|row| row[*column]).collect()).collect();
        Ok(Some(Batch::new(columns, part.len())))
    }

    fn describe(&self, _: &Context<'s>) -> String {
        format!("{} rows of values", self.rows.len())
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        Vec::new()
    }
}
