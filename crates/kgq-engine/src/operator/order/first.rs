//! The bound of ORDER BY with LIMIT: rows that come after the last of the rows kept so far are dropped before they are collected.

use super::keys::{By, Collected, SortKey, computed};
use crate::batch::{Batch, gather};
use crate::operator::Context;
use crate::order::{Key, TermOrder};
use kgq_snapshot::{Family, TermClass, TermId};
use kgq_syntax::error::Result;
use std::cmp::Ordering;
use std::ops::Range;

/// The last of the kept rows, key by key; empty until there are enough rows.
pub struct Bound {
    last: Vec<Last>,
    /// One for each key.
    stretches: Vec<Stretches>,
}

/// The value of a key in the last row.
#[derive(PartialEq, Eq)]
enum Last {
    Id(TermId),
    Key(Key),
}

/// Ranges of ids that ascend with the key, which is a column or STR() of one. What is known about them holds for rows
/// that equal the last row in all earlier keys.
struct Stretches {
    column: Option<usize>,
    all: Vec<Stretch>,
}

/// A range of ids that ascend with the key, and the part of it that is known to come after the last row.
struct Stretch {
    ids: Range<u32>,
    behind: Range<u32>,
}

/// If there are more ranges than this, none is used, and the keys of all rows are compared.
const MOST_STRETCHES: usize = 256;

impl Bound {
    pub fn new(keys: &[SortKey], cx: &Context<'_>) -> Self {
        let has_text = |family: Family| !matches!(family, Family::BlankNode | Family::Triple);
        let mut classes = cx.snapshot().classes();
        classes.retain(|class| class.uniform && has_text(class.family));
        if classes.len() > MOST_STRETCHES {
            classes.clear();
        }
        let stretches = |key: &SortKey| {
            let (column, sorts_by_text) = match &key.by {
                By::Column(column) => (Some(*column), false),
                By::Computed(compiled) => (compiled.as_str_of_column(), true),
            };
            // The ids of durations, times and years are in the order of their texts, but sorting is by value.
            let ascends = |class: &&TermClass| sorts_by_text || class.family != Family::Other;
            let all = classes.iter().filter(ascends).map(|class| Stretch { ids: class.ids.clone(), behind: 0..0 });
            Stretches { column, all: if column.is_some() { all.collect() } else { Vec::new() } }
        };
        Self { last: Vec::new(), stretches: keys.iter().map(stretches).collect() }
    }

    /// Stores the last of the kept rows, which are in order.
    pub fn set(&mut self, kept: &Collected, keys: &[SortKey]) {
        let Some(at) = kept.rows().checked_sub(1) else { return };
        let last = keys.iter().enumerate().map(|(number, key)| match &key.by {
            By::Column(column) => Last::Id(kept.table.columns[*column][at]),
            By::Computed(_) => Last::Key(kept.computed[number][at].clone()),
        });
        let last: Vec<Last> = last.collect();
        let same = self.last.iter().zip(&last).take_while(|(old, new)| old == new).count();
        for stretches in self.stretches.iter_mut().skip(same + 1) {
            stretches.all.iter_mut().for_each(|stretch| stretch.behind = 0..0);
        }
        self.last = last;
    }

    /// Returns the rows that may be among the first.
    pub fn admit(&mut self, batch: Batch, keys: &[SortKey], cx: &Context<'_>) -> Result<Batch> {
        if self.last.is_empty() {
            return Ok(batch);
        }
        let mut comparison = TermOrder::new(cx.terms());
        // Rows before the last kept row, and rows that equal it in the keys so far.
        let (mut before, mut equal): (Vec<u32>, Vec<u32>) = (Vec::new(), (0..batch.rows() as u32).collect());
        for ((key, last), stretches) in keys.iter().zip(&self.last).zip(&mut self.stretches) {
            if let Some(column) = stretches.column {
                equal.retain(|row| !stretches.has_behind(batch.get(column, *row as usize)));
            }
            if equal.is_empty() {
                break;
            }
            let orderings: Vec<Ordering> = match (&key.by, last) {
                (By::Column(column), Last::Id(last)) => {
                    let ids = gather(batch.column(*column), &equal);
                    ids.into_iter().map(|id| comparison.compare(id, *last)).collect::<Result<_>>()?
                }
                (By::Computed(compiled), Last::Key(last)) => {
                    let keys = computed(compiled, &batch.select(&equal), false, cx)?;
                    keys.iter().map(|key| key.cmp(last)).collect()
                }
                (By::Column(_), Last::Key(_)) | (By::Computed(_), Last::Id(_)) => vec![Ordering::Equal; equal.len()],
            };
            let mut still_equal = Vec::new();
            for (row, ordering) in equal.into_iter().zip(orderings) {
                match if key.descending { ordering.reverse() } else { ordering } {
                    Ordering::Less => before.push(row),
                    Ordering::Equal => still_equal.push(row),
                    Ordering::Greater => {
                        if let Some(column) = stretches.column {
                            stretches.found_behind(batch.get(column, row as usize), key.descending);
                        }
                    }
                }
            }
            equal = still_equal;
        }
        // A row that equals the last one in all keys comes after it.
        before.sort_unstable();
        Ok(if before.len() == batch.rows() { batch } else { batch.select(&before) })
    }
}

impl Stretches {
    fn of(&self, id: TermId) -> Option<usize> {
        let at = self.all.partition_point(|stretch| stretch.ids.end <= id.get());
        self.all.get(at).filter(|stretch| stretch.ids.contains(&id.get())).map(|_| at)
    }

    fn has_behind(&self, id: TermId) -> bool {
        self.of(id).is_some_and(|at| self.all[at].behind.contains(&id.get()))
    }

    /// If a term comes after the last row, so do all terms after it. That stays true, because the last row only moves
    /// towards the first.
    fn found_behind(&mut self, id: TermId, descending: bool) {
        let Some(at) = self.of(id) else { return };
        let Stretch { ids, behind } = &mut self.all[at];
        *behind = match (descending, behind.start == behind.end) {
            (false, true) => id.get()..ids.end,
            (false, false) => behind.start.min(id.get())..ids.end,
            (true, true) => ids.start..id.get() + 1,
            (true, false) => ids.start..behind.end.max(id.get() + 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_term_behind_the_last_row_is_behind_too() {
        let of = |ids: Range<u32>| Stretch { ids, behind: 0..0 };
        for (descending, behind, before) in [(false, [14, 19], [10, 13]), (true, [10, 14], [15, 19])] {
            let mut stretches = Stretches { column: Some(0), all: vec![of(2..10), of(10..20)] };
            stretches.found_behind(TermId::new(14), descending);
            let is_behind = |id: u32| stretches.has_behind(TermId::new(id));
            assert!(behind.into_iter().all(is_behind) && !before.into_iter().any(is_behind));
            // Texts of another language, and ids outside all ranges, have another order.
            assert!(!is_behind(9) && !is_behind(1) && !is_behind(20));
        }
    }
}
