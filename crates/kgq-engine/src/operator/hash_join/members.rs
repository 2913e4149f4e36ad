//! The right side of a semi- or anti-join on one column, where nothing but the ids in it matters: a bit for each term.

use super::{By, JoinKind, Layout};
use crate::batch::Batch;
use crate::operator::Context;
use crate::operator::spill::is_of_memory;
use crate::operator::table::Table;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;

/// With more terms than this for each row, a table of the rows is made faster, and takes less memory.
const MOST_TERMS_A_ROW: usize = 64;

pub struct Members {
    /// The column of the right side whose ids are in the set.
    column: usize,
    bits: Vec<u64>,
    _held: Reservation,
}

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

    /// The set of the ids in a table's column; `None` if memory has no room for it, or some of the terms are not stored.
    ///
    /// # Errors
    /// The budget's limits, but for memory.
    pub fn of_table(table: &Table, column: usize, cx: &Context<'_>) -> Result<Option<Self>> {
        let words = (cx.snapshot().term_count() as usize).div_ceil(64);
        let held = match cx.budget().reserve((words * 8) as u64) {
            Err(error) if is_of_memory(&error) => return Ok(None),
            held => held?,
        };
        let mut members = Self { column, bits: vec![0; words], _held: held };
        Ok(members.add_ids(&table.columns[column], cx).then_some(members))
    }

    /// Adds the ids of a batch's rows; false if some of the terms are not stored, and then none of them.
    pub fn add(&mut self, batch: &Batch, cx: &Context<'_>) -> bool {
        self.add_ids(batch.column(self.column), cx)
    }

    fn add_ids(&mut self, ids: &[TermId], cx: &Context<'_>) -> bool {
        if !ids.iter().all(|id| cx.terms().is_stored(*id)) {
            return false;
        }
        for id in ids {
            if let Some(word) = self.bits.get_mut(id.index() / 64) {
                *word |= 1 << (id.index() % 64);
            }
        }
        true
    }

    #[inline]
    pub fn has(&self, id: TermId) -> bool {
        self.bits.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// Appends a row for each id to a table of the right side's width, with nothing in the other columns.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn put_into(&self, table: &mut Table, cx: &Context<'_>) -> Result<()> {
        let ids = (0..self.bits.len() as u32 * 64).map(TermId::new).filter(|id| self.has(*id));
        let ids: Vec<TermId> = ids.collect();
        for part in ids.chunks(Batch::ROWS) {
            let column = |at| if at == self.column { part.to_vec() } else { vec![TermId::UNBOUND; part.len()] };
            let columns = (0..table.columns.len()).map(column).collect();
            table.append(&Batch::new(columns, part.len()), cx)?;
        }
        Ok(())
    }
}
