//! The right side of a semi- or anti-join on one column, where nothing but the ids in it matters: a bit for each term.

use super::{By, JoinKind, Layout};
use crate::batch::Batch;
use crate::operator::Context;
use crate::operator::spill::is_of_memory;
use crate::operator::table::Table;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;

/// With more terms than this for each row, a table of the rows is made faster, and takes less memory.
const MOST_TERMS_A_ROW: usize = 64;

pub struct Members {
    /// The column of the right side whose ids are in the set.
    column: usize,
    bits: Vec<u64>,
    /// Terms that the query made, for which there are no bits.
    made: FxHashSet<TermId>,
    held: Reservation,
}

/// Roughly the bytes of an id in a hash set.
const BYTES_OF_MADE: u64 = 16;

impl Layout {
    /// The only column of the right side that matters to a join of this kind; `None` if there are more.
    pub(super) fn only_column(&self, kind: JoinKind) -> Option<usize> {
        match (kind, self.keys.as_slice()) {
            (JoinKind::Semi | JoinKind::Anti | JoinKind::Minus, [(pair, By::Term)])
                if self.loose.is_empty() && self.conditions.is_empty() =>
            {
                Some(pair.right)
            }
            _ => None,
        }
    }
}

impl Members {
    /// Whether a set is smaller than the table's index.
    pub fn is_worth(table: &Table, cx: &Context<'_>) -> bool {
        table.rows.saturating_mul(MOST_TERMS_A_ROW) >= cx.snapshot().term_count() as usize
    }

    /// The set of the ids in a table's column; `None` if memory has no room for it.
    ///
    /// # Errors
    /// The budget's limits, but for memory.
    pub fn of_table(table: &Table, column: usize, cx: &Context<'_>) -> Result<Option<Self>> {
        let words = (cx.snapshot().term_count() as usize).div_ceil(64);
        let held = match cx.budget().reserve((words * 8) as u64) {
            Err(error) if is_of_memory(&error) => return Ok(None),
            held => held?,
        };
        let mut members = Self { column, bits: vec![0; words], made: FxHashSet::default(), held };
        match members.add_ids(&table.columns[column], cx) {
            Err(error) if is_of_memory(&error) => Ok(None),
            added => added.map(|()| Some(members)),
        }
    }

    /// Adds the ids of a batch's rows.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn add(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<()> {
        self.add_ids(batch.column(self.column), cx)
    }

    fn add_ids(&mut self, ids: &[TermId], cx: &Context<'_>) -> Result<()> {
        let before = self.made.len();
        for id in ids {
            if !cx.terms().is_stored(*id) {
                self.made.insert(*id);
            } else if let Some(word) = self.bits.get_mut(id.index() / 64) {
                *word |= 1 << (id.index() % 64);
            }
        }
        match (self.made.len() - before) as u64 {
            0 => Ok(()),
            more => self.held.grow(cx.budget(), more * BYTES_OF_MADE),
        }
    }

    #[inline]
    pub fn has(&self, id: TermId) -> bool {
        self.bits.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
            || (!self.made.is_empty() && self.made.contains(&id))
    }
}
