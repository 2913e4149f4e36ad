//! Rows kept in memory, and an index of them by the hash of some columns.

use super::Context;
use crate::batch::{Batch, room_for};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;

/// Rows between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 16;

/// Rows of one width, by column.
#[derive(Default)]
pub struct Table {
    pub columns: Vec<Vec<TermId>>,
    pub weights: Option<Vec<u64>>,
    pub rows: usize,
    /// The number of rows that there is room for.
    room: usize,
    /// Reserved for that room.
    held: Reservation,
}

impl Table {
    pub fn new(width: usize) -> Self {
        Self { columns: vec![Vec::new(); width], ..Self::default() }
    }

    /// Makes room for this many more rows.
    pub fn make_room(&mut self, more: usize, cx: &Context<'_>) -> Result<()> {
        self.resize(more, self.weights.is_some(), cx)
    }

    fn resize(&mut self, more: usize, weighted: bool, cx: &Context<'_>) -> Result<()> {
        let needed = self.rows + more;
        let room = if needed > self.room { room_for(self.rows, needed) } else { self.room };
        if room > self.room || weighted && self.weights.is_none() {
            let row = self.columns.len() * size_of::<TermId>() + if weighted { size_of::<u64>() } else { 0 };
            self.held.resize(cx.budget(), (room * row) as u64)?;
            self.room = room;
            self.columns.iter_mut().for_each(|column| column.reserve_exact(room - column.len()));
            if weighted {
                let weights = self.weights.get_or_insert_default();
                weights.reserve_exact(room - weights.len());
                weights.resize(self.rows, 1);
            }
        }
        Ok(())
    }

    pub fn append(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<()> {
        let weighted = self.weights.is_some() || batch.weights().is_some();
        self.resize(batch.rows(), weighted, cx)?;
        if let Some(weights) = &mut self.weights {
            match batch.weights() {
                Some(more) => weights.extend_from_slice(more),
                None => weights.resize(self.rows + batch.rows(), 1),
            }
        }
        self.rows += batch.rows();
        for (column, more) in self.columns.iter_mut().zip(batch.columns()) {
            column.extend_from_slice(more);
        }
        Ok(())
    }

    /// Splits off the rows from `at` on. Their reservation stays here.
    pub fn split_off(&mut self, at: usize) -> Self {
        let columns = self.columns.iter_mut().map(|column| column.split_off(at)).collect();
        let weights = self.weights.as_mut().map(|weights| weights.split_off(at));
        let rows = self.rows - at;
        self.rows = at;
        Self { columns, weights, rows, room: rows, held: Reservation::default() }
    }

    /// Returns its columns, which are no longer reserved.
    pub fn into_columns(self) -> Vec<Vec<TermId>> {
        self.columns
    }

    /// Returns the bytes held for the rows.
    pub fn bytes(&self) -> u64 {
        self.held.bytes()
    }

    pub fn weight(&self, row: usize) -> u64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }

    /// Returns the rows at these positions.
    pub fn select(&self, positions: &[u32]) -> Batch {
        let gathered = self.columns.iter().map(|column| crate::batch::gather(column, positions)).collect();
        let weights = self.weights.as_ref().map(|w| positions.iter().map(|at| w[*at as usize]).collect());
        Batch::new(gathered, positions.len()).with_weights(weights)
    }
}

/// Finds the positions of rows by the hash of their key. Different keys may share a chain, so keys must be compared.
#[derive(Default)]
pub struct HashIndex {
    /// The first row of each chain, as its position plus one.
    heads: Vec<u32>,
    /// For each row, the next row in its chain, as its position plus one.
    next: Vec<u32>,
    shift: u32,
    held: Reservation,
}

impl HashIndex {
    /// Builds an index of the keys, which are given as columns.
    pub fn build(keys: &[&[TermId]], rows: usize, cx: &Context<'_>) -> Result<Self> {
        let mut index = Self::with_capacity(rows, cx)?;
        // From the back, so that a chain lists rows in their order.
        for row in (0..rows).rev() {
            if row.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                cx.budget().check()?;
            }
            let hash = hash(keys.iter().map(|column| column[row]));
            let slot = index.slot(hash);
            index.next[row] = index.heads[slot];
            index.heads[slot] = row as u32 + 1;
        }
        Ok(index)
    }

    fn with_capacity(rows: usize, cx: &Context<'_>) -> Result<Self> {
        let slots = (rows * 2).max(16).next_power_of_two();
        let held = cx.budget().reserve(((slots + rows) * 4) as u64)?;
        Ok(Self { heads: vec![0; slots], next: vec![0; rows], shift: 64 - slots.trailing_zeros(), held })
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    /// Returns the first row with this hash for which the condition, which compares its key, holds.
    #[inline]
    pub fn find(&self, hash: u64, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut at = self.first(hash);
        while let Some(row) = at {
            if is(row) {
                break;
            }
            at = self.after(row);
        }
        at
    }

    /// Returns the first row that may have a key with this hash.
    #[inline]
    pub fn first(&self, hash: u64) -> Option<usize> {
        (self.heads[self.slot(hash)] as usize).checked_sub(1)
    }

    /// Returns the next row in the chain.
    #[inline]
    pub fn after(&self, row: usize) -> Option<usize> {
        (self.next[row] as usize).checked_sub(1)
    }

    /// Returns the bytes of the new index if this many more rows make it grow; 0 if they do not.
    pub fn growing(&self, more: usize) -> usize {
        if (self.next.len() + more) * 2 >= self.heads.len() { (self.heads.len() * 4).max(64) * 6 } else { 0 }
    }

    /// Adds the next row. Its position is the number of rows added before.
    pub fn push(&mut self, hash: u64, cx: &Context<'_>, rehash: impl Fn(usize) -> u64) -> Result<()> {
        if self.next.len() * 2 >= self.heads.len() {
            let slots = (self.heads.len() * 4).max(64);
            // Includes `next` for as many rows as fit before the index grows again.
            self.held.resize(cx.budget(), (slots * 6) as u64)?;
            self.heads = vec![0; slots];
            self.shift = 64 - slots.trailing_zeros();
            for row in 0..self.next.len() {
                if row.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                    cx.budget().check()?;
                }
                let slot = self.slot(rehash(row));
                self.next[row] = self.heads[slot];
                self.heads[slot] = row as u32 + 1;
            }
        }
        let row = self.next.len();
        let slot = self.slot(hash);
        self.next.push(self.heads[slot]);
        self.heads[slot] = row as u32 + 1;
        Ok(())
    }

    /// Returns an empty index, to be filled by `push`.
    pub fn empty() -> Self {
        Self { heads: vec![0; 16], next: Vec::new(), shift: 60, held: Reservation::default() }
    }
}

/// Hashes a key. The upper bits are mixed best.
#[inline]
pub fn hash(key: impl Iterator<Item = TermId>) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = 0u64;
    for id in key {
        hash = (hash.rotate_left(29) ^ u64::from(id.get()).wrapping_add(1)).wrapping_mul(FACTOR);
    }
    hash
}
