//! The first triples of several graphs as one, given before these are merged: a LIMIT needs no more, and others get rows early.

use super::source::Source;
use crate::batch::Batch;
use kgq_snapshot::{MergedOrder, TermId};
use kgq_syntax::error::Result;
use std::sync::Arc;

/// Who reads more rows than this reads the merge.
const MOST_ROWS: usize = 1 << 14;

/// Reads the first triples of a merge, in its order.
pub struct FirstMerged {
    merged: Arc<MergedOrder>,
    /// The last triple that was given, in the components of the order.
    last: Option<[TermId; 3]>,
    given: usize,
}

/// What comes next of the first triples.
pub enum NextMerged {
    Rows(Batch),
    /// The others are the rows of the merge from this number on.
    RowsFrom(usize),
    /// There were no others.
    Nothing,
}

impl FirstMerged {
    /// For a scan of all triples of the source, if that is a merge.
    pub fn of(source: &Source<'_>) -> Option<Self> {
        match source {
            Source::Index(_) => None,
            Source::Merged(merged) => Some(Self { merged: Arc::clone(merged), last: None, given: 0 }),
        }
    }

    /// Up to so many more rows, with the components at these depths as columns.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn next(&mut self, most: usize, depths: &[usize]) -> Result<NextMerged> {
        let wanted = most.min(MOST_ROWS.saturating_sub(self.given));
        if wanted == 0 {
            return Ok(NextMerged::RowsFrom(self.given));
        }
        let Some(rows) = self.merged.first_behind(self.last, wanted)? else {
            return Ok(NextMerged::RowsFrom(self.given));
        };
        let Some(last) = rows.last() else { return Ok(NextMerged::Nothing) };
        self.last = Some(*last);
        self.given += rows.len();
        let columns = depths.iter().map(|depth| rows.iter().map(|row| row[*depth]).collect()).collect();
        Ok(NextMerged::Rows(Batch::new(columns, rows.len())))
    }
}
