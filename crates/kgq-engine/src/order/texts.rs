//! The order of stored strings in several languages. The ids of one language are already in the order of their texts,
//! so the texts are read one after the other, and sorting them merges sorted runs.

use super::TermOrder;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};

/// Bytes that ranking takes for a row in addition to its text: its id and position twice, its rank, and twice the key
/// that its text is compared by.
const ROW_BYTES: usize = 2 * 8 + 4 + 2 * size_of::<Text>() + 8;
/// Bytes of text that are reserved at once.
const STEP: usize = 1 << 16;

/// The position of a text among all, and its first bytes.
#[derive(Clone, Copy)]
struct Text {
    first: u64,
    at: u32,
}

impl TermOrder<'_, '_> {
    /// Returns the ranks of ids that are all unbound or stored strings.
    pub(super) fn ranks_of_texts(&self, ids: &[TermId]) -> Result<Option<Vec<u32>>> {
        let snapshot = self.terms.snapshot();
        let is_text = |id: &TermId| {
            *id == TermId::UNBOUND
                || (self.terms.is_stored(*id)
                    && matches!(snapshot.value_rank(*id).0, Family::String | Family::Language(_)))
        };
        if !ids.iter().all(is_text) {
            return Ok(None);
        }
        let budget = self.terms.budget();
        let _held = budget.reserve((ids.len() * ROW_BYTES) as u64)?;
        let mut rows: Vec<u64> = (0..).zip(ids).map(|(row, id)| u64::from(id.get()) << 32 | row).collect();
        sort_by(&mut rows, Piece::Large, u64::cmp, budget)?;
        let id_of = |row: &u64| TermId::new((row >> 32) as u32);
        rows.truncate(rows.partition_point(|row| id_of(row) != TermId::UNBOUND));
        // The distinct texts, concatenated.
        let (mut all, mut ends, mut order): (Vec<u8>, Vec<usize>, Vec<Text>) = Default::default();
        let mut held = Reservation::default();
        let mut decoder = snapshot.decoder();
        let mut last = None;
        for row in &rows {
            let id = id_of(row);
            if last.replace(id) == Some(id) {
                continue;
            }
            let text = decoder.text(id).unwrap_or_default();
            if all.len() + text.len() > all.capacity() {
                let more = (all.capacity() / 2).max(STEP).max(text.len());
                held.grow(budget, more as u64)?;
                budget.check()?;
                all.reserve_exact(more);
            }
            all.extend_from_slice(text);
            ends.push(all.len());
            let mut first = [0; 8];
            let length = text.len().min(8);
            first[..length].copy_from_slice(&text[..length]);
            order.push(Text { first: u64::from_be_bytes(first), at: order.len() as u32 });
        }
        let text = |at: u32| &all[(at as usize).checked_sub(1).map_or(0, |before| ends[before])..ends[at as usize]];
        // For one text in several languages, the ids are in the order of the languages.
        let compare = |a: &Text, b: &Text| {
            a.first.cmp(&b.first).then_with(|| text(a.at).cmp(text(b.at))).then_with(|| a.at.cmp(&b.at))
        };
        sort_by(&mut order, Piece::Small, compare, budget)?;
        let mut rank_of = vec![0u32; order.len()];
        for (rank, text) in (1..).zip(&order) {
            rank_of[text.at as usize] = rank;
        }
        let mut ranks = vec![0; ids.len()];
        let (mut at, mut last) = (0, None);
        for row in &rows {
            let id = id_of(row);
            at += usize::from(last.replace(id).is_some_and(|last| last != id));
            ranks[*row as u32 as usize] = rank_of[at];
        }
        Ok(Some(ranks))
    }
}
