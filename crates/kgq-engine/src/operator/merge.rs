//! Merges sorted runs of rows that were written to a file. Only a few are merged at once, to keep the memory small.

use super::Context;
use super::spill::{Run, Spill};
use crate::batch::Batch;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// The most runs that are merged at once.
const MOST_RUNS: usize = 32;
/// The keys that rows are sorted by.
pub trait Keys {
    type Key: Ord;

    /// Computes the keys of a block's rows.
    ///
    /// # Errors
    /// A limit of the query.
    fn of(&mut self, block: &Batch, cx: &Context<'_>) -> Result<Vec<Self::Key>>;

    /// Returns the bytes of a key.
    fn bytes(key: &Self::Key) -> usize;

    /// Returns the approximate mean bytes of a row's key.
    fn mean_bytes(&self) -> usize;
}

/// For each run that has rows left, the key of its next row.
type Next<K> = BinaryHeap<Reverse<(K, usize)>>;

/// The rows of several runs in order. Rows with equal keys come run by run.
pub struct Merge<K: Keys> {
    keys: K,
    spill: Spill,
    heads: Vec<Head<K::Key>>,
    next: Next<K::Key>,
    /// The memory held for the heads.
    held: Reservation,
}

/// The current block of a run.
struct Head<K> {
    run: Run,
    block: Batch,
    row: usize,
    keys: std::vec::IntoIter<K>,
    /// Bytes that are reserved for this head.
    bytes: u64,
}

impl<K: Keys> Merge<K> {
    /// Merges runs of this file, each of which is sorted by its keys.
    ///
    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn new(spill: Spill, mut runs: Vec<Run>, keys: K, cx: &Context<'_>) -> Result<Self> {
        let mut merge = Self { keys, spill, heads: Vec::new(), next: BinaryHeap::new(), held: Reservation::default() };
        // At once, as many runs as half of the remaining memory has room for.
        let bytes = merge.block_bytes();
        let most = cx.budget().room().map_or(MOST_RUNS, |room| (room / 2 / bytes).clamp(2, MOST_RUNS as u64) as usize);
        while runs.len() > most {
            let rest = runs.split_off(most);
            merge.begin(runs, cx)?;
            let Self { keys, spill, heads, next, held } = &mut merge;
            let run = spill.write(|spill| rows(spill, (heads, next), keys, held, Batch::ROWS, cx), cx)?;
            // The merged run takes the place of its sources, so that rows with equal keys stay in the order of the input.
            runs = std::iter::once(run).chain(rest).collect();
        }
        merge.begin(runs, cx)?;
        Ok(merge)
    }

    /// Returns the approximate bytes of a run's block.
    fn block_bytes(&self) -> u64 {
        (self.spill.block() * (self.spill.width() * size_of::<TermId>() + self.keys.mean_bytes())) as u64
    }

    fn begin(&mut self, runs: Vec<Run>, cx: &Context<'_>) -> Result<()> {
        self.heads.clear();
        self.next.clear();
        let bytes = self.block_bytes();
        self.held.resize(cx.budget(), bytes * runs.len() as u64)?;
        for run in runs {
            let mut head = Head { run, block: Batch::default(), row: 0, keys: Vec::new().into_iter(), bytes };
            match head.advance(&mut self.spill, &mut self.keys, &mut self.held, cx)? {
                Some(key) => {
                    self.next.push(Reverse((key, self.heads.len())));
                    self.heads.push(head);
                }
                None => self.held.shrink(bytes),
            }
        }
        Ok(())
    }

    /// Returns the next rows, at most this many.
    ///
    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn next(&mut self, most: usize, cx: &Context<'_>) -> Result<Option<Batch>> {
        rows(&mut self.spill, (&mut self.heads, &mut self.next), &mut self.keys, &mut self.held, most, cx)
    }
}

fn rows<K: Keys>(
    spill: &mut Spill,
    (heads, next): (&mut [Head<K::Key>], &mut Next<K::Key>),
    keys: &mut K,
    held: &mut Reservation,
    most: usize,
    cx: &Context<'_>,
) -> Result<Option<Batch>> {
    let width = heads.first().map_or(0, |head| head.block.width());
    let mut columns: Vec<Vec<TermId>> = vec![Vec::with_capacity(most.min(Batch::ROWS)); width];
    let mut weights: Option<Vec<u64>> = None;
    let mut rows = 0;
    while rows < most
        && let Some(mut least) = next.peek_mut()
    {
        let head = &mut heads[least.0.1];
        for (column, from) in columns.iter_mut().zip(head.block.columns()) {
            column.push(from[head.row]);
        }
        let weight = head.block.weight(head.row);
        if weights.is_some() || weight != 1 {
            weights.get_or_insert_with(|| vec![1; rows]).push(weight);
        }
        rows += 1;
        head.row += 1;
        match head.advance(spill, keys, held, cx)? {
            Some(key) => least.0.0 = key,
            None => drop(PeekMut::pop(least)),
        }
    }
    Ok((rows > 0).then(|| Batch::new(columns, rows).with_weights(weights)))
}

impl<K> Head<K> {
    /// Takes the key of the current row, and reads the next block when this one is used up.
    fn advance<S: Keys<Key = K>>(
        &mut self,
        spill: &mut Spill,
        keys: &mut S,
        held: &mut Reservation,
        cx: &Context<'_>,
    ) -> Result<Option<K>> {
        while self.row == self.block.rows() {
            let Some(block) = spill.read(&mut self.run)? else { return Ok(None) };
            let of = keys.of(&block, cx)?;
            let bytes = block.bytes() + of.iter().map(|key| S::bytes(key) as u64).sum::<u64>();
            // Keys larger than the average are reserved at their own size.
            held.grow(cx.budget(), bytes.saturating_sub(self.bytes))?;
            self.bytes = self.bytes.max(bytes);
            (self.block, self.row, self.keys) = (block, 0, of.into_iter());
        }
        Ok(self.keys.next())
    }
}
