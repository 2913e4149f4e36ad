//! Counts that the statistics answer, without reading any data.

use super::{Context, Opening, Operator};
use crate::batch::Batch;
use crate::expression::value::Value;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

/// Its columns are the key, if there is one, and the counts.
#[derive(Debug)]
pub struct Plan {
    /// The key of each row.
    pub key: Option<Arc<[TermId]>>,
    pub rows: usize,
    /// Each has a number for each row.
    pub counts: Arc<[Vec<u64>]>,
}

struct Known {
    key: Option<Arc<[TermId]>>,
    rows: usize,
    counts: Arc<[Vec<u64>]>,
    at: usize,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn bytes_of_rows(&self) -> usize {
        self.rows * (size_of::<TermId>() + self.counts.len() * size_of::<u64>())
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        match (&self.key, self.counts.first().map(Vec::as_slice)) {
            (None, Some([count])) => format!("{count}, as the statistics have counted"),
            _ => format!("{} groups, as the statistics have counted", self.rows),
        }
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Known { key: self.key.clone(), rows: self.rows, counts: Arc::clone(&self.counts), at: 0 }))
    }
}

impl<'s> Operator<'s> for Known {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let part = self.at..self.rows.min(self.at + Batch::ROWS);
        if part.is_empty() {
            return Ok(None);
        }
        cx.budget().check()?;
        self.at = part.end;
        let id = |count: &u64| match i64::try_from(*count) {
            Ok(count) => cx.terms().id_of_value(Value::integer(count)),
            Err(_) => Ok(TermId::UNBOUND),
        };
        let ids = |counts: &Vec<u64>| counts[part.clone()].iter().map(id).collect::<Result<Vec<_>>>();
        let key = self.key.iter().map(|key| Ok(key[part.clone()].to_vec()));
        let columns = key.chain(self.counts.iter().map(ids)).collect::<Result<_>>()?;
        Ok(Some(Batch::new(columns, part.len())))
    }
}
