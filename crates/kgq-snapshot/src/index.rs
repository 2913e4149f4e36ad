//! Statements sorted in one order, as columns of ids.

use super::blocks::{BLOCK_IDS, Blocks};
use super::file::{Reader, Writer};
use super::lookups::Lookups;
use super::merged::MergedOrder;
use super::packed::{Column, NearReader};
use super::storage::{Limit, Words};
use super::{Component, TermId};
use kgq_syntax::error::Result;
use std::ops::Range;

/// The statements of a dataset in one order: columns of ids, sorted by the first, then the second, and so on.
///
/// The storage is hidden: ids are read one by one ([`Index::id`]), into the caller's buffer ([`Index::read`]), or block by
/// block ([`Index::blocks`]). Nobody holds a slice of the file.
///
/// Rows are numbered from 0. The first column is not stored; a table gives the run of rows of each id in it.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a> {
    order: &'static [Component],
    rows: HeldRows<'a>,
}

/// Where the rows are.
#[derive(Clone, Copy, Debug)]
pub(super) enum HeldRows<'a> {
    Stored(StoredRows<'a>),
    /// They are merged when they are asked for.
    Merging(&'a MergedOrder),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct StoredRows<'a> {
    pub offsets: &'a Offsets,
    pub columns: &'a [Column],
    pub len: usize,
}

impl<'a> Index<'a> {
    pub(super) fn new(order: &'static [Component], offsets: &'a Offsets, columns: &'a [Column], len: usize) -> Self {
        Self { order, rows: HeldRows::Stored(StoredRows { offsets, columns, len }) }
    }

    /// The index of an order that is merged as far as it is read.
    pub(super) fn merging(order: &'static [Component], merged: &'a MergedOrder) -> Self {
        Self { order, rows: HeldRows::Merging(merged) }
    }

    /// All rows: an order that is merged is made whole.
    #[inline]
    fn all(&self) -> StoredRows<'a> {
        match self.rows {
            HeldRows::Stored(stored) => stored,
            HeldRows::Merging(merged) => merged.whole().all(),
        }
    }

    /// What holds a row, and the number of its own first row.
    #[inline]
    fn of_row(&self, row: usize) -> (StoredRows<'a>, usize) {
        match self.rows {
            HeldRows::Stored(stored) => (stored, 0),
            HeldRows::Merging(merged) => {
                let (index, first) = merged.place(row);
                (index.all(), first)
            }
        }
    }

    /// The number of rows. An order that is merged is made whole for that.
    #[inline]
    pub fn len(&self) -> usize {
        self.all().len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of components of a row: 3 for triples, 4 for quads.
    #[inline]
    pub fn width(&self) -> usize {
        self.order.len()
    }

    /// The components in the order in which the rows are sorted.
    #[inline]
    pub fn order(&self) -> &'static [Component] {
        self.order
    }

    /// The rows whose leading components equal the prefix: all rows for an empty prefix, at most one row for a complete one.
    ///
    /// Takes constant time for the first component, and time logarithmic in the length of the run for the others, where they are stored.
    pub fn range(&self, prefix: &[TermId]) -> Range<usize> {
        if let HeldRows::Merging(merged) = self.rows {
            return merged.range(prefix);
        }
        let Some((first, rest)) = prefix.split_first() else { return 0..self.len() };
        let mut rows = self.run(*first);
        for (depth, target) in rest.iter().enumerate() {
            if rows.is_empty() {
                break;
            }
            rows = self.narrow(depth + 1, rows, *target);
        }
        rows
    }

    /// The rows with this id in the first column.
    #[inline]
    pub fn run(&self, key: TermId) -> Range<usize> {
        match self.rows {
            HeldRows::Stored(stored) => stored.offsets.run(key.get(), stored.len),
            HeldRows::Merging(merged) => merged.range(&[key]),
        }
    }

    /// Looks up many prefixes.
    #[inline]
    pub fn lookups(&self) -> Lookups<'a> {
        Lookups::new(*self, self.rows)
    }

    /// Whether the rows whose leading components equal the prefix are at hand: they are not where they would have to be merged first, so that it
    /// is better to ask for fewer.
    #[inline]
    pub fn has(&self, prefix: &[TermId]) -> bool {
        match self.rows {
            HeldRows::Stored(_) => true,
            HeldRows::Merging(merged) => merged.has(prefix),
        }
    }

    /// Puts the rows with each of these ids in the first column behind those in `out`, as start and end. Ids near each other that ascend are
    /// found faster than one by one.
    pub fn runs(&self, keys: &[TermId], out: &mut Vec<(u32, u32)>) {
        match self.rows {
            HeldRows::Stored(stored) => stored.offsets.runs(keys, stored.len, out),
            HeldRows::Merging(merged) => out.extend(keys.iter().map(|key| {
                let rows = merged.range(&[*key]);
                (rows.start as u32, rows.end as u32)
            })),
        }
    }

    /// Of rows that agree on all columns before `depth`, which is at least 1, those with `target` in that column.
    pub fn narrow(&self, depth: usize, rows: Range<usize>, target: TermId) -> Range<usize> {
        let (stored, first) = self.of_row(rows.start);
        let found = stored.columns[depth - 1].equal(own(&rows, first), target.get());
        first + found.start..first + found.end
    }

    /// The id of a row in the column at `depth`, which is at least 1.
    ///
    /// Ask only for rows that are needed: in a saved snapshot this read is where they are checked for damage.
    #[inline]
    pub fn id(&self, depth: usize, row: usize) -> TermId {
        let (stored, first) = self.of_row(row);
        TermId::new(stored.columns[depth - 1].get(row - first))
    }

    /// Appends the ids of the rows in the column at `depth`, which is at least 1, to `out`; rows beyond the end are left
    /// out.
    pub fn read(&self, depth: usize, rows: Range<usize>, out: &mut Vec<TermId>) {
        let (stored, first) = self.of_row(rows.start);
        let rows = own(&rows, first);
        let end = rows.end.min(stored.len);
        let (start, from) = (rows.start.min(end), out.len());
        out.resize(from + end - start, TermId::new(0));
        stored.columns[depth - 1].fill(start, &mut out[from..]);
    }

    /// The ids of the rows in the column at `depth`, which is at least 1, to be read in blocks or one by one.
    #[inline]
    pub fn blocks(&self, depth: usize, rows: Range<usize>) -> Blocks<'a> {
        match self.rows {
            HeldRows::Stored(stored) => Blocks::new(&stored.columns[depth - 1], rows),
            HeldRows::Merging(merged) => Blocks::merging(merged, depth, rows),
        }
    }

    /// A column after the first that has a row, and the number of its own first row.
    pub(super) fn column(&self, depth: usize, row: usize) -> (&'a Column, usize) {
        let (stored, first) = self.of_row(row);
        (&stored.columns[depth - 1], first)
    }

    /// The id in the first column of a row, in time logarithmic in the number of ids. For many rows, [`Index::keys`] is
    /// faster.
    pub fn key_at(&self, row: usize) -> TermId {
        let of_piece = match self.rows {
            HeldRows::Stored(_) => None,
            HeldRows::Merging(merged) => merged.key_of_piece(row),
        };
        of_piece.unwrap_or_else(|| TermId::new(self.all().offsets.key_at(row)))
    }

    /// The distinct ids of the first column in order, each with its rows. Reads only the table of runs.
    pub fn keys(&self) -> impl Iterator<Item = (TermId, Range<usize>)> + use<'a> {
        self.keys_in(0..u32::MAX)
    }

    /// The distinct ids of the first column within a range of ids, in order, each with its rows.
    pub fn keys_in(&self, ids: Range<u32>) -> impl Iterator<Item = (TermId, Range<usize>)> + use<'a> {
        let StoredRows { offsets, len, .. } = self.all();
        let slots = offsets.slots(ids);
        let mut starts = Blocks::new(&offsets.starts, slots.start..slots.end + 1);
        let mut start = move |slot| starts.id(slot).map_or(0, |start| start.index().min(len));
        let mut next = start(slots.start);
        slots.filter_map(move |slot| {
            let run = next..start(slot + 1);
            next = run.end;
            if run.start > run.end {
                offsets.starts.found_damaged();
            }
            (!run.is_empty()).then(|| (TermId::new(offsets.key(slot)), run))
        })
    }

    /// The first of these rows whose id at `depth` is at least `target`; the range's end if there is none. The rows must
    /// agree on all columns before `depth`. Fast when the result is near the start, as in a leapfrog join.
    #[inline]
    pub fn seek(&self, depth: usize, rows: Range<usize>, target: TermId) -> usize {
        if depth == 0 {
            let StoredRows { offsets, len, .. } = self.all();
            return offsets.lower_bound(target.get(), len).clamp(rows.start, rows.end);
        }
        let (stored, first) = self.of_row(rows.start);
        first + stored.columns[depth - 1].gallop(own(&rows, first), target.get())
    }
}

/// Rows as what holds them numbers them.
#[inline]
fn own(rows: &Range<usize>, first: usize) -> Range<usize> {
    rows.start.saturating_sub(first)..rows.end.saturating_sub(first)
}

/// Where the run of each id in a first column starts.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// The id of the first slot, if there are no `keys`: then slots stand for consecutive ids.
    first: u32,
    /// The id of each slot, in order.
    keys: Option<Words>,
    /// The first row of each slot, and the number of rows.
    starts: Column,
}

impl Offsets {
    /// Builds the table from the runs of a sorted first column.
    pub(super) fn build(runs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let (mut distinct, mut first, mut last) = (0usize, 0, 0);
        for (key, _) in runs.clone() {
            if distinct == 0 {
                first = key;
            }
            last = key;
            distinct += 1;
        }
        let span = if distinct == 0 { 0 } else { (last - first) as usize + 1 };
        let mut starts = Vec::new();
        let mut row = 0;
        // A slot for every id costs 4 bytes per id; listed ids cost 8 bytes each, and a search per look-up.
        if span > distinct.saturating_mul(4) {
            let mut keys = Vec::with_capacity(distinct);
            for (key, length) in runs {
                keys.push(key);
                starts.push(row);
                row += length;
            }
            starts.push(row);
            return Self { first: 0, keys: Some(Words::new(keys)), starts: Column::pack(&starts) };
        }
        starts.reserve(span + 1);
        for (key, length) in runs {
            starts.resize((key - first) as usize + 1, row);
            row += length;
        }
        starts.push(row);
        Self { first, keys: None, starts: Column::pack(&starts) }
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.numbers(&[self.first, u32::from(self.keys.is_some()), self.starts.len() as u32])?;
        match &self.keys {
            Some(keys) => writer.words(keys)?,
            None => writer.numbers(&[])?,
        }
        self.starts.write(writer)
    }

    /// Reads the table for `rows` rows, in a file with `terms` terms.
    pub(super) fn read(reader: &mut Reader, rows: usize, terms: u64) -> Result<Self> {
        let [first, sparse, slots] = reader.numbers_of()?;
        let keys = reader.words()?;
        let starts = Column::read(reader, slots as usize, rows as u64 + 1)?;
        let keys = (sparse == 1).then_some(keys);
        if keys.as_ref().is_some_and(|keys| keys.len() + 1 != starts.len()) {
            return Err(reader.damaged());
        }
        let slots = starts.len().saturating_sub(1) as u64;
        if keys.is_none() && slots > 0 && u64::from(first) + slots > terms {
            return Err(reader.damaged());
        }
        Ok(Self { first, keys, starts })
    }

    /// The values that the table may hold in a file with `terms` terms.
    pub(super) fn limit(&self, terms: u64) -> Option<Limit> {
        self.keys.as_ref().and_then(|keys| keys.limit(terms, true))
    }

    /// The bytes that the table takes.
    pub(super) fn bytes(&self) -> u64 {
        self.keys.as_ref().map_or(0, Words::len) as u64 * 4 + self.starts.bytes()
    }

    fn slot_count(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// A slot's id.
    #[inline]
    fn key(&self, slot: usize) -> u32 {
        match &self.keys {
            Some(keys) => keys.get(slot),
            None => self.first.saturating_add(slot as u32),
        }
    }

    #[inline]
    fn run(&self, key: u32, len: usize) -> Range<usize> {
        match self.slot(key) {
            Some(slot) => self.checked(self.starts.pair(slot), len),
            None => 0..0,
        }
    }

    /// The same, where the keys before were near.
    #[inline]
    pub(super) fn run_near(&self, key: u32, len: usize, starts: &mut NearReader<'_>) -> Range<usize> {
        match self.slot(key) {
            Some(slot) => self.checked(starts.pair(slot), len),
            None => 0..0,
        }
    }

    /// A reader of where runs start, for [`Offsets::run_near`].
    pub(super) fn starts(&self) -> NearReader<'_> {
        NearReader::new(&self.starts)
    }

    /// The slot of an id.
    #[inline]
    fn slot(&self, key: u32) -> Option<usize> {
        let slot = match &self.keys {
            None => key.wrapping_sub(self.first) as usize,
            Some(keys) => {
                let slot = keys.lower_bound(0..keys.len(), key);
                if keys.get(slot) != key {
                    return None;
                }
                slot
            }
        };
        (key >= self.first && slot < self.slot_count()).then_some(slot)
    }

    /// A run, of which a damaged file may say anything.
    #[inline]
    fn checked(&self, [start, end]: [u32; 2], len: usize) -> Range<usize> {
        let [start, end] = [start as usize, end as usize];
        if start > end {
            self.starts.found_damaged();
        }
        let end = end.min(len);
        start.min(end)..end
    }

    /// The runs of many ids; of neighbours the frame in which their slots are is unpacked once.
    fn runs(&self, keys: &[TermId], len: usize, out: &mut Vec<(u32, u32)>) {
        out.reserve(keys.len());
        let mut push = |run: Range<usize>| out.push((run.start as u32, run.end as u32));
        if self.keys.is_some() {
            keys.iter().for_each(|key| push(self.run(key.get(), len)));
            return;
        }
        let slots = self.slot_count();
        let slot =
            |key: TermId| key.get().checked_sub(self.first).map(|slot| slot as usize).filter(|slot| *slot < slots);
        let mut starts = Blocks::new(&self.starts, 0..self.starts.len());
        let mut held = None;
        for (at, key) in keys.iter().enumerate() {
            let Some(own) = slot(*key) else {
                push(0..0);
                continue;
            };
            let frame = own / BLOCK_IDS;
            let next = keys.get(at + 1).and_then(|key| slot(*key)).map(|slot| slot / BLOCK_IDS);
            if held != Some(frame) && next != Some(frame) {
                push(self.run(key.get(), len));
                continue;
            }
            held = Some(frame);
            let (start, end) = match starts.from(frame * BLOCK_IDS).get(own % BLOCK_IDS..) {
                Some([start, end, ..]) => (start.get(), end.get()),
                _ => (self.starts.get(own), self.starts.get(own + 1)),
            };
            push(self.checked([start, end], len));
        }
    }

    /// The slots of a range of ids.
    fn slots(&self, ids: Range<u32>) -> Range<usize> {
        match &self.keys {
            Some(keys) => keys.lower_bound(0..keys.len(), ids.start)..keys.lower_bound(0..keys.len(), ids.end),
            None => {
                let slot = |id: u32| (id.saturating_sub(self.first) as usize).min(self.slot_count());
                slot(ids.start)..slot(ids.end)
            }
        }
    }

    /// The first row whose id is at least `key`.
    fn lower_bound(&self, key: u32, len: usize) -> usize {
        let slot = self.slots(key..key).start;
        (self.starts.get(slot) as usize).min(len)
    }

    fn key_at(&self, row: usize) -> u32 {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let after = self.starts.lower_bound(0..self.starts.len(), row.saturating_add(1));
        self.key(after.saturating_sub(1))
    }
}
