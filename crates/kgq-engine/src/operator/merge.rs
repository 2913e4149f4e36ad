//! Merges sorted runs of rows that were written to a file: a few at once, so that what is held of them stays small.

use super::Context;
use super::spill::{BLOCK, Run, Spill};
use crate::batch::Batch;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Runs that are merged at once.
const MOST_RUNS: usize = 32;
/// What the key of a row may take, about.
const KEY_BYTES: usize = 128;

/// What the rows of a block are sorted by.
pub trait Keys<K> {
    /// # Errors
    /// A limit of the query.
    fn of(&mut self, block: &Batch) -> Result<Vec<K>>;
}

impl<K, F: FnMut(&Batch) -> Result<Vec<K>>> Keys<K> for F {
    fn of(&mut self, block: &Batch) -> Result<Vec<K>> {
        self(block)
    }
}

/// The rows of several runs in order. Rows with equal keys come run by run.
pub struct Merge<K> {
    spill: Spill,
    heads: Vec<Head<K>>,
    /// The key of the next row of each run that has one.
    next: BinaryHeap<Reverse<(K, usize)>>,
    _held: Reservation,
}

struct Head<K> {
    run: Run,
    block: Batch,
    row: usize,
    keys: std::vec::IntoIter<K>,
}

impl<K: Ord> Merge<K> {
    /// Merges runs of this file, of which each is sorted by its keys.
    ///
    /// # Errors
    /// A limit of the query; the system's.
    pub fn new(mut spill: Spill, mut runs: Vec<Run>, keys: &mut impl Keys<K>, cx: &Context<'_>) -> Result<Self> {
        // Half of the memory that is left is enough for so many.
        let bytes = (BLOCK * (spill.width() * 4 + KEY_BYTES)) as u64;
        let most = cx.budget().room().map_or(MOST_RUNS, |room| (room / 2 / bytes).clamp(2, MOST_RUNS as u64) as usize);
        while runs.len() > most {
            let rest = runs.split_off(most);
            let mut merge = Self::of(spill, runs, keys, cx)?;
            let (heads, next) = (&mut merge.heads, &mut merge.next);
            let run = merge.spill.write(|spill| rows(spill, heads, next, Batch::ROWS, keys), cx)?;
            spill = merge.spill;
            // It stands where the runs stood that it is made of, so that the order of the runs is that of the input.
            runs = std::iter::once(run).chain(rest).collect();
        }
        Self::of(spill, runs, keys, cx)
    }

    fn of(mut spill: Spill, runs: Vec<Run>, keys: &mut impl Keys<K>, cx: &Context<'_>) -> Result<Self> {
        let (mut heads, mut next) = (Vec::new(), BinaryHeap::new());
        let bytes = BLOCK * (spill.width() * 4 + KEY_BYTES);
        for run in runs {
            let mut head = Head { run, block: Batch::default(), row: 0, keys: Vec::new().into_iter() };
            if let Some(key) = head.advance(&mut spill, keys)? {
                next.push(Reverse((key, heads.len())));
                heads.push(head);
            }
        }
        let held = cx.budget().reserve((heads.len() * bytes) as u64)?;
        Ok(Self { spill, heads, next, _held: held })
    }

    /// The next rows, so many at most.
    ///
    /// # Errors
    /// A limit of the query; the system's.
    pub fn next(&mut self, most: usize, keys: &mut impl Keys<K>) -> Result<Option<Batch>> {
        rows(&mut self.spill, &mut self.heads, &mut self.next, most, keys)
    }
}

fn rows<K: Ord>(
    spill: &mut Spill,
    heads: &mut [Head<K>],
    next: &mut BinaryHeap<Reverse<(K, usize)>>,
    most: usize,
    keys: &mut impl Keys<K>,
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
        match head.advance(spill, keys)? {
            Some(key) => least.0.0 = key,
            None => drop(PeekMut::pop(least)),
        }
    }
    Ok((rows > 0).then(|| Batch::new(columns, rows).with_weights(weights)))
}

impl<K> Head<K> {
    /// The key of the row at which it stands; the next block is read where this one is over.
    fn advance(&mut self, spill: &mut Spill, keys: &mut impl Keys<K>) -> Result<Option<K>> {
        while self.row == self.block.rows() {
            let Some(block) = spill.read(&mut self.run)? else { return Ok(None) };
            self.keys = keys.of(&block)?.into_iter();
            (self.block, self.row) = (block, 0);
        }
        Ok(self.keys.next())
    }
}
