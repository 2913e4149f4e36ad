//! One order of a merge of graphs, for one query. It merges what is asked for, and no more: the triples that begin with some ids are
//! a piece, which is kept. Who asks for much gets more at once, so that no query reads much more than twice the order: when the pieces below a prefix
//! have cost half of what all triples with the prefix cost, these are merged; in the end the whole order, which the snapshot keeps.

use super::super::packed::{Column, Packer};
use super::super::storage::Words;
use super::super::{Index, Permutation, Snapshot, TermId};
use super::pieces::{MergedPiece, MergedPieces};
use super::walk::MergeWay;
use super::{Merged, MergedRun, Offsets};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// An order of the triples of several graphs, each once, merged as far as it is read.
///
/// Its index is infallible, as that of a saved snapshot: what fails in a merge gives no rows, and [`MergedOrder::failure`] tells it from then on.
/// Rows of pieces have numbers of their own, behind those that the whole order can have; so what was given out stays right.
#[derive(Debug)]
pub struct MergedOrder {
    snapshot: Snapshot,
    merged: Arc<Merged>,
    permutation: Permutation,
    budget: Budget,
    pieces: MergedPieces,
    state: RwLock<MergeState>,
    /// What a merge that failed leaves: nothing.
    nothing: MergedRun,
    has_failed: AtomicBool,
    failure: Mutex<Option<Error>>,
    /// Rows of stored runs that were read.
    read: AtomicU64,
}

/// Ids that triples begin with, and unbound ones behind them.
type LeadingIds = [TermId; 3];

#[derive(Debug, Default)]
struct MergeState {
    /// The number of the piece of a prefix.
    pieces: FxHashMap<LeadingIds, usize>,
    /// What the pieces one id below a prefix cost so far, and what all that begins with the prefix costs.
    spent: FxHashMap<LeadingIds, (u64, u64)>,
    held: Reservation,
}

/// What a piece costs besides its rows, in rows, and what it takes besides its columns, in bytes.
const PIECE: u64 = 16;
const PIECE_BYTES: u64 = 256;
/// Rows that are packed at once.
const CHUNK: usize = 1 << 14;
/// So few statements are counted, where others are estimated.
const FEW: u64 = 1 << 10;

fn prefix_of(ids: &[TermId]) -> LeadingIds {
    let mut prefix = [TermId::UNBOUND; 3];
    prefix.iter_mut().zip(ids).for_each(|(to, id)| *to = *id);
    prefix
}

impl MergedOrder {
    pub fn new(snapshot: &Snapshot, merged: &Arc<Merged>, permutation: Permutation, budget: &Budget) -> Self {
        Self {
            snapshot: snapshot.clone(),
            merged: Arc::clone(merged),
            permutation,
            budget: budget.clone(),
            pieces: MergedPieces::default(),
            state: RwLock::default(),
            nothing: MergedRun { columns: vec![Column::default(), Column::default()], ..MergedRun::default() },
            has_failed: AtomicBool::new(false),
            failure: Mutex::default(),
            read: AtomicU64::new(0),
        }
    }

    /// Its rows, as those of a stored order.
    #[inline]
    pub fn index(&self) -> Index<'_> {
        match self.kept() {
            Some(whole) if self.pieces.count() == 0 => whole.index(self.permutation),
            _ => Index::merging(self.permutation.components(), self),
        }
    }

    /// About how many triples begin with these ids: exact where there are few statements to be read.
    pub fn estimate(&self, ids: &[TermId]) -> u64 {
        let way = self.way(ids);
        if way.cost > FEW {
            return way.expected.max(1);
        }
        let rows = self.merged.walk(way, self.permutation, ids, &self.read, &self.budget);
        rows.map_or(0, |rows| rows.count() as u64)
    }

    /// What failed in a merge, after which its rows are not all.
    ///
    /// # Errors
    /// The budget's limits.
    #[inline]
    pub fn failure(&self) -> Result<()> {
        match self.has_failed.load(Ordering::Acquire) {
            false => Ok(()),
            true => self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err),
        }
    }

    /// How many rows of stored orders were read so far, by which tests tell what a merge costs.
    #[cfg(test)]
    pub fn rows_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn note<T>(&self, made: Result<T>) -> Option<T> {
        let error = match made {
            Ok(made) => return Some(made),
            Err(error) => error,
        };
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
        None
    }

    fn kept(&self) -> Option<&MergedRun> {
        self.kept_in().get()
    }

    fn kept_in(&self) -> &OnceLock<MergedRun> {
        &self.merged.orders[self.permutation as usize].whole
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Index<'_> {
        let run = match self.kept() {
            Some(whole) => whole,
            None => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                self.note(self.make_whole(&mut state)).unwrap_or(&self.nothing)
            }
        };
        run.index(self.permutation)
    }

    /// The index that has a row, and the number that its first row has here. An index of a piece has no table of its first column.
    pub(crate) fn place(&self, row: usize) -> (Index<'_>, usize) {
        if row >= self.first_of_pieces()
            && let Some(piece) = self.pieces.of_row(row)
        {
            let index = Index::new(self.permutation.components(), &self.nothing.offsets, &piece.columns, piece.len);
            return (index, piece.start);
        }
        (self.kept().unwrap_or(&self.nothing).index(self.permutation), 0)
    }

    /// The first id of a row of a piece.
    pub(crate) fn key_of_piece(&self, row: usize) -> Option<TermId> {
        let piece = self.pieces.of_row(row).filter(|_| row >= self.first_of_pieces())?;
        Some(piece.key)
    }

    fn first_of_pieces(&self) -> usize {
        self.merged.most(&self.snapshot)
    }

    /// Whether the rows with a prefix were merged already.
    pub(crate) fn has(&self, ids: &[TermId]) -> bool {
        self.kept().is_some() || self.known(&self.state.read().unwrap_or_else(PoisonError::into_inner), ids).is_some()
    }

    /// The rows that begin with some ids.
    pub(crate) fn range(&self, ids: &[TermId]) -> Range<usize> {
        if let Some(whole) = self.kept() {
            return whole.index(self.permutation).range(ids);
        }
        if ids.is_empty() {
            return 0..self.whole().len();
        }
        if let Some(rows) = self.known(&self.state.read().unwrap_or_else(PoisonError::into_inner), ids) {
            return rows;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.note(self.merge(&mut state, ids)).unwrap_or(0..0)
    }

    /// The first triples behind one, or of all, as many as are wanted and not many more than that are read; fewer only at the end. `None` where
    /// the whole order is read as fast.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn first_behind(&self, after: Option<[TermId; 3]>, wanted: usize) -> Result<Option<Vec<[TermId; 3]>>> {
        if self.kept().is_some() {
            return Ok(None);
        }
        let way = self.way(&[]);
        self.merged.first_behind(way, self.permutation, after, wanted, &self.read, &self.budget)
    }

    /// The rows that begin with some ids, where they were merged already.
    fn known(&self, state: &MergeState, ids: &[TermId]) -> Option<Range<usize>> {
        if let Some(whole) = self.kept() {
            return Some(whole.index(self.permutation).range(ids));
        }
        let depth = (1..=ids.len()).find(|depth| state.pieces.contains_key(&prefix_of(&ids[..*depth])))?;
        let piece = self.pieces.get(*state.pieces.get(&prefix_of(&ids[..depth]))?)?;
        let rows = piece.start..piece.start + piece.len;
        Some(ids[depth..].iter().zip(depth..).fold(rows, |rows, (id, depth)| match rows.is_empty() {
            true => rows,
            false => self.index_of_parts().narrow(depth, rows, *id),
        }))
    }

    fn index_of_parts(&self) -> Index<'_> {
        Index::merging(self.permutation.components(), self)
    }

    /// Merges the triples that begin with some ids, or more of them, and gives their rows.
    fn merge(&self, state: &mut MergeState, ids: &[TermId]) -> Result<Range<usize>> {
        if let Some(rows) = self.known(state, ids) {
            return Ok(rows);
        }
        let Some((_, above)) = ids.split_last() else {
            return Ok(0..self.make_whole(state)?.len);
        };
        let way = self.way(ids);
        // A look-up that finds nothing costs too: where most do, it is cheaper to merge all of the prefix.
        let cost = way.cost + PIECE;
        let (own, all) = state.spent.entry(prefix_of(above)).or_insert_with(|| (0, self.way(above).cost));
        *own += cost;
        let (own, all) = (*own, *all);
        if all == 0 {
            return Ok(0..0);
        } else if own * 2 > all {
            self.merge(state, above)?;
        } else if above.is_empty() {
            let spent = &self.merged.orders[self.permutation as usize].spent;
            // This query may have no room for what others made worth while: then as much is to be spent again before the next try.
            if spent.fetch_add(cost, Ordering::Relaxed) > all && self.make_whole(state).is_err() {
                spent.store(0, Ordering::Relaxed);
            }
        }
        match self.known(state, ids) {
            Some(rows) => Ok(rows),
            None if way.cost == 0 => Ok(0..0),
            None => self.make_piece(state, ids, way),
        }
    }

    fn way(&self, ids: &[TermId]) -> MergeWay<'_> {
        self.merged.way(&self.snapshot, self.permutation, ids)
    }

    fn make_piece(&self, state: &mut MergeState, ids: &[TermId], way: MergeWay<'_>) -> Result<Range<usize>> {
        let last = self.pieces.count().checked_sub(1).and_then(|last| self.pieces.get(last));
        let start = last.map_or(self.first_of_pieces(), |piece| piece.start + piece.len);
        let (_, run) = self.merge_rows(state, ids, way, PIECE_BYTES)?;
        if u32::try_from(start + run.len).is_err() {
            // So many rows cannot be numbered. All of them can.
            self.make_whole(state)?;
            return self.known(state, ids).ok_or_else(|| Error::bug("a merge of graphs has no rows"));
        }
        let rows = start..start + run.len;
        let key = ids.first().copied().unwrap_or(TermId::UNBOUND);
        let number = self.pieces.push(MergedPiece { start, len: run.len, key, columns: run.columns });
        state.pieces.insert(prefix_of(ids), number);
        Ok(rows)
    }

    fn make_whole(&self, state: &mut MergeState) -> Result<&MergedRun> {
        if let Some(whole) = self.kept() {
            return Ok(whole);
        }
        let (runs, mut run) = self.merge_rows(state, &[], self.way(&[]), 0)?;
        run.offsets = Offsets::build(runs.iter().copied());
        state.held.grow(&self.budget, run.offsets.bytes())?;
        Ok(self.kept_in().get_or_init(|| run))
    }

    /// Merges the triples that begin with some ids; what they take is held. With them the ids of their first column, and how often each comes.
    fn merge_rows(
        &self,
        state: &mut MergeState,
        ids: &[TermId],
        way: MergeWay<'_>,
        more: u64,
    ) -> Result<(Vec<(u32, u32)>, MergedRun)> {
        self.budget.check()?;
        let mut held = self.budget.reserve(more)?;
        let mut rows = self.merged.walk(way, self.permutation, ids, &self.read, &self.budget)?;
        let (mut runs, mut len) = (Vec::<(u32, u32)>::new(), 0);
        let mut packers: [Packer; 2] = Default::default();
        let mut chunk: [Vec<u32>; 2] = Default::default();
        loop {
            chunk.iter_mut().for_each(Vec::clear);
            for [first, second, third] in rows.by_ref().take(CHUNK) {
                match runs.last_mut() {
                    Some((last, count)) if *last == first => *count += 1,
                    _ => runs.push((first, 1)),
                }
                chunk[0].push(second);
                chunk[1].push(third);
            }
            if chunk[0].is_empty() {
                break;
            }
            len += chunk[0].len();
            packers.iter_mut().zip(&chunk).for_each(|(packer, ids)| packer.push(ids));
            let words = packers.iter().map(Packer::waiting).sum::<usize>();
            let bytes = words * 4 + runs.capacity() * size_of::<(u32, u32)>();
            held.resize(&self.budget, more + bytes as u64)?;
        }
        drop(rows);
        // The walk ends early where the budget is used up.
        self.budget.check()?;
        let columns = packers.map(|mut packer| {
            packer.end();
            let bits = packer.take_bits();
            packer.finish(Words::new(bits))
        });
        let run = MergedRun { columns: columns.into(), len, ..MergedRun::default() };
        drop(held);
        state.held.grow(&self.budget, more + run.bytes())?;
        Ok((runs, run))
    }
}
