//! Reads a column of an index in blocks: the way for operators to get the ids of sorted runs, however they are stored.

use super::packed::Column;
use super::{MergedOrder, TermId};
use std::ops::Range;

/// The number of ids in a block. Blocks begin at multiples of this, counted from the column's first row.
pub const BLOCK_IDS: usize = 128;

/// The ids of some rows in one column; one block of them is held in the reader's own buffer. Rows are read forwards or
/// sought.
///
/// Creating a reader does not allocate.
pub struct Blocks<'a> {
    column: BlockSource<'a>,
    rows: Range<usize>,
    /// The row of the first id in the buffer, and the number of ids there.
    start: usize,
    len: usize,
    ids: [TermId; BLOCK_IDS],
}

/// Where the ids are.
#[derive(Clone, Copy)]
enum BlockSource<'a> {
    Column(&'a Column),
    /// At a depth of rows that are merged when they are asked for.
    Merging(&'a MergedOrder, usize),
}

impl<'a> BlockSource<'a> {
    /// The column that has a row, and the number of its own first row.
    #[inline]
    fn of_row(self, row: usize) -> (&'a Column, usize) {
        match self {
            Self::Column(column) => (column, 0),
            Self::Merging(merged, depth) => {
                let (index, first) = merged.place(row);
                (index.column(depth, row - first).0, first)
            }
        }
    }
}

impl<'a> Blocks<'a> {
    pub(super) fn new(column: &'a Column, rows: Range<usize>) -> Self {
        let end = rows.end.min(column.len());
        let rows = rows.start.min(end)..end;
        Self::over(BlockSource::Column(column), rows)
    }

    /// Rows that were merged. There may be others between them, which are not read.
    pub(super) fn merging(merged: &'a MergedOrder, depth: usize, rows: Range<usize>) -> Self {
        Self::over(BlockSource::Merging(merged, depth), rows)
    }

    fn over(column: BlockSource<'a>, rows: Range<usize>) -> Self {
        Self { column, rows, start: 0, len: 0, ids: [TermId::new(0); BLOCK_IDS] }
    }

    /// The ids from this row to the end of its block or of the rows; empty at the end of the rows.
    #[inline]
    pub fn from(&mut self, row: usize) -> &[TermId] {
        let at = self.hold(row);
        &self.ids[at..self.len]
    }

    /// The id of a row; `None` at the end of the rows.
    #[inline]
    pub fn id(&mut self, row: usize) -> Option<TermId> {
        self.from(row).first().copied()
    }

    /// Puts the ids of these rows, all of which there are, behind those in `out`.
    #[inline]
    pub fn read(&mut self, rows: Range<usize>, out: &mut Vec<TermId>) {
        let mut at = rows.start;
        while at < rows.end {
            let ids = self.from(at);
            let ids = &ids[..ids.len().min(rows.end - at)];
            if ids.is_empty() {
                return;
            }
            out.extend_from_slice(ids);
            at += ids.len();
        }
    }

    /// The first row from `row` on whose id is at least `target`; the end of the rows if there is none. The ids must be sorted from there
    /// on. Fast when it is near, as in a merge join.
    #[inline]
    pub fn seek(&mut self, row: usize, target: TermId) -> usize {
        if row >= self.rows.end {
            return self.rows.end;
        }
        if let Some(found) = self.within(row, target) {
            return found;
        }
        // Beyond this block, the target may be at any distance.
        let (column, first) = self.column.of_row(row);
        first + column.gallop(self.start + self.len - first..self.rows.end - first, target.get())
    }

    /// The rows from `row` on whose id is `target`; where they would be, if there are none. The ids must be sorted from there on. Fast when
    /// they are near and few.
    #[inline]
    pub fn equal(&mut self, row: usize, target: TermId) -> Range<usize> {
        let start = self.seek(row, target);
        let ids = self.from(start);
        let equal = ids.iter().take_while(|id| **id == target).count();
        let is_whole = equal < ids.len() || ids.is_empty();
        // An id that is stored is less than the largest number.
        let end = if is_whole {
            start + equal
        } else {
            self.seek(start + equal, TermId::new(target.get().saturating_add(1)))
        };
        start..end
    }

    /// Like `seek`, if the result lies in the block of `row`; else `None`.
    #[inline]
    fn within(&mut self, row: usize, target: TermId) -> Option<usize> {
        let ids = self.from(row);
        // Gallop, as the target is probably near: the distance doubles.
        let (mut low, mut step) = (0, 1);
        while low + step <= ids.len() && ids[low + step - 1] < target {
            low += step;
            step *= 2;
        }
        let high = ids.len().min(low + step - 1);
        low += ids[low..high].partition_point(|id| *id < target);
        (low < ids.len()).then_some(row + low)
    }

    /// Loads the block of a row, and returns the row's position in the buffer.
    #[inline]
    fn hold(&mut self, row: usize) -> usize {
        let at = row.wrapping_sub(self.start);
        if at < self.len {
            return at;
        }
        let (column, first) = self.column.of_row(row);
        let own = row - first;
        let end = self.rows.end.saturating_sub(first).min(column.len()).min((own / BLOCK_IDS + 1) * BLOCK_IDS);
        (self.start, self.len) = (row, end.saturating_sub(own));
        column.fill(own, &mut self.ids[..self.len]);
        0
    }
}

/// Yields one id after the other.
impl Iterator for Blocks<'_> {
    type Item = TermId;

    #[inline]
    fn next(&mut self) -> Option<TermId> {
        let id = self.id(self.rows.start)?;
        self.rows.start += 1;
        Some(id)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rows.len(), Some(self.rows.len()))
    }
}

impl ExactSizeIterator for Blocks<'_> {}

#[cfg(test)]
mod tests {
    use crate::tests::iri;
    use crate::{Permutation, Snapshot, TermId};
    use kgq_syntax::rdf::{GraphName, Quad};

    #[test]
    fn blocks_give_the_ids_of_their_rows_and_find_what_an_index_finds() {
        let quads = (0..700).map(|n| Quad::new(iri(&format!("s{n:03}")), iri("p"), iri("o"), GraphName::DefaultGraph));
        let more =
            (0..90).map(|n| Quad::new(iri(&format!("s{:03}", n * 3)), iri("p"), iri("q"), GraphName::DefaultGraph));
        let snapshot = Snapshot::from_quads(quads.chain(more)).unwrap();
        let index = snapshot.triples(Permutation::Pso);
        let all: Vec<TermId> = index.blocks(1, 0..index.len()).collect();
        assert_eq!(all.len(), 790);
        for rows in [0..790, 5..6, 100..300, 127..129, 600..790, 300..300, 700..9000] {
            let expected = &all[rows.start..rows.end.min(790)];
            assert_eq!(index.blocks(1, rows.clone()).collect::<Vec<_>>(), expected, "{rows:?}");
            let mut read = Vec::new();
            index.read(1, rows.clone(), &mut read);
            assert_eq!(read, expected, "{rows:?}");
            for target in (0..snapshot.term_count() + 2).map(TermId::new) {
                let mut blocks = index.blocks(1, rows.clone());
                for from in [rows.start, rows.start + rows.len() / 2] {
                    let from = from.min(rows.end.min(790));
                    let sought = from + all[from..rows.end.min(790)].partition_point(|id| *id < target);
                    assert_eq!(blocks.seek(from, target), sought, "{rows:?} {target:?}");
                    assert_eq!(blocks.id(sought), all[..rows.end.min(790)].get(sought).copied());
                    let equal = all[sought..rows.end.min(790)].iter().take_while(|id| **id == target).count();
                    assert_eq!(blocks.equal(from, target), sought..sought + equal, "{rows:?} {target:?}");
                }
            }
        }
    }
}
