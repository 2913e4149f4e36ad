//! Spills rows in parts, by the hash of their key. A hash join does this with sides that do not fit into memory. Rows
//! with the same key are in the same part.

use super::spill::{Run, Spill, is_of_memory};
use super::table::Table;
use super::{Context, Operator};
use crate::batch::Batch;
use kgq_syntax::error::Result;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of parts.
pub const PARTS: usize = 16;
/// A part is written when it has this many rows.
const AT_ONCE: usize = 512;

/// Parts that are being written.
pub struct Partitions {
    spill: Spill,
    width: usize,
    collected: Vec<Table>,
    runs: Vec<Vec<Run>>,
    /// How often the rows have been divided already: each time, other bits of the hash decide.
    level: u32,
}

/// Parts that can be read any number of times.
pub struct Parts {
    spill: Arc<Mutex<Spill>>,
    width: usize,
    runs: Vec<Vec<Run>>,
}

impl Partitions {
    /// # Errors
    /// Those of [`Spill::new`].
    pub fn new(width: usize, level: u32, cx: &Context<'_>) -> Result<Self> {
        let collected = (0..PARTS).map(|_| Table::new(width)).collect();
        let runs = (0..PARTS).map(|_| Vec::new()).collect();
        Ok(Self { spill: Spill::new(width, cx)?, width, collected, runs, level })
    }

    /// Adds rows with the hashes of their keys.
    ///
    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn add(&mut self, batch: &Batch, hashes: &[u64], cx: &Context<'_>) -> Result<()> {
        const FACTOR: u64 = 0xD6E8_FEB8_6659_FD93;
        let mut positions: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
        for (row, hash) in (0..).zip(hashes) {
            // The hash is mixed again: a hash index uses its upper bits, which would otherwise be similar in all rows of a part.
            let part = hash.wrapping_mul(FACTOR).rotate_left(4 * (self.level + 1)) as usize % PARTS;
            positions[part].push(row);
        }
        for (part, positions) in positions.iter().enumerate() {
            let rows = batch.select(positions);
            match self.collected[part].append(&rows, cx) {
                Err(error) if is_of_memory(&error) => {
                    self.write_all(cx)?;
                    self.collected[part].append(&rows, cx)?;
                }
                appended => appended?,
            }
            if self.collected[part].rows >= AT_ONCE {
                self.write(part, cx)?;
            }
        }
        Ok(())
    }

    fn write_all(&mut self, cx: &Context<'_>) -> Result<()> {
        for part in 0..PARTS {
            if self.collected[part].rows > 0 {
                self.write(part, cx)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, part: usize, cx: &Context<'_>) -> Result<()> {
        let table = std::mem::replace(&mut self.collected[part], Table::new(self.width));
        let rows: Vec<u32> = (0..table.rows as u32).collect();
        let mut pieces = rows.chunks(Batch::ROWS);
        let run = self.spill.write(|_| Ok(pieces.next().map(|piece| table.select(piece))), cx)?;
        self.runs[part].push(run);
        Ok(())
    }

    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn finish(mut self, cx: &Context<'_>) -> Result<Parts> {
        self.write_all(cx)?;
        Ok(Parts { spill: Arc::new(Mutex::new(self.spill)), width: self.width, runs: self.runs })
    }
}

impl Parts {
    pub fn is_empty(&self, part: usize) -> bool {
        self.runs[part].is_empty()
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns a reader for the rows of a part.
    pub fn rows(&self, part: usize) -> PartitionReader {
        PartitionReader { spill: Arc::clone(&self.spill), runs: self.runs[part].iter().cloned().collect() }
    }
}

/// Reads the rows of a part.
pub struct PartitionReader {
    spill: Arc<Mutex<Spill>>,
    runs: VecDeque<Run>,
}

impl<'s> Operator<'s> for PartitionReader {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        let mut spill = self.spill.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(run) = self.runs.front_mut() {
            if let Some(block) = spill.read(run)? {
                return Ok(Some(block));
            }
            self.runs.pop_front();
        }
        Ok(None)
    }
}
