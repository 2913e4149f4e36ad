//! Spilled rows. They are written to an unnamed temporary file, so that nothing remains however the program ends, and
//! read back in blocks. This file also decides whether to spill.

use super::Context;
use crate::batch::Batch;
use kgq_snapshot::TermId;
use kgq_syntax::budget::{Exceeded, FileSpace};
use kgq_syntax::error::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The most rows of a block, which is read at once.
const BLOCK: usize = 256;
/// The fewest rows of a block.
const LEAST_BLOCK: usize = 8;
/// Approximate limit for the bytes of a block's sort keys.
const BLOCK_BYTES: usize = 1 << 16;
/// Bytes that are written at once.
const PIECE: usize = 1 << 18;
/// Bytes of a block's header: its number of rows, and whether they carry multiplicities.
const HEADER: usize = 8;

/// Where the files of a query are made.
#[derive(Debug)]
pub struct Temporary {
    folder: PathBuf,
    /// The reason why no file can be made there, once that was tried.
    failure: OnceLock<Option<String>>,
}

impl Temporary {
    /// `None` stands for the system's temporary folder.
    pub fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map_or_else(std::env::temp_dir, Path::to_owned), failure: OnceLock::new() }
    }

    fn file(&self) -> Result<File> {
        tempfile::tempfile_in(&self.folder).map_err(|e| Error::io(self.folder.display(), &e))
    }

    /// Returns the reason why no file can be made, if that is so.
    fn failure(&self) -> Option<&str> {
        self.failure.get_or_init(|| self.file().err().map(|error| error.message().to_owned())).as_deref()
    }

    /// If no file can be made, adds to an error about memory the reason why rows could not spill.
    pub fn explain(&self, error: Error) -> Error {
        let Some(limit) = error.limit_passed().filter(|_| is_of_memory(&error)) else { return error };
        match self.failure() {
            Some(why) => {
                let text = format!("{}, and a temporary file for the rest cannot be made in {why}", error.message());
                Error::exceeded(limit, text)
            }
            None => error,
        }
    }
}

/// One temporary file of an operator, for any number of runs.
pub struct Spill {
    file: File,
    width: usize,
    /// Rows of a block.
    block: usize,
    end: u64,
    space: FileSpace,
}

/// A sequence of written rows: the part of it that is still to be read.
#[derive(Clone, Debug)]
pub struct Run {
    at: u64,
    end: u64,
}

impl Spill {
    /// Makes a file for rows with this many columns.
    ///
    /// # Errors
    /// If no file can be made: the memory limit with the reason, or the system's error if memory has no limit.
    pub fn new(width: usize, cx: &Context<'_>) -> Result<Self> {
        let file = cx.temporary.file().map_err(|error| match cx.budget().out_of_memory() {
            Some(out_of_memory) => cx.temporary.explain(out_of_memory),
            None => error,
        })?;
        Ok(Self { file, width, block: BLOCK, end: 0, space: FileSpace::new(cx.budget()) })
    }

    /// Sets the size of the blocks written from now on: small if a row's sort key takes many bytes.
    pub fn make_blocks_for(&mut self, key_bytes: usize) {
        self.block = (BLOCK_BYTES / key_bytes.max(1)).clamp(LEAST_BLOCK, BLOCK);
    }

    /// Returns the number of rows of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Returns the number of columns of its rows.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes rows as one run. `batches` may read other runs from the same file.
    ///
    /// # Errors
    /// The budget's limits; an error of the system, such as a full disk.
    pub fn write(
        &mut self,
        mut batches: impl FnMut(&mut Self) -> Result<Option<Batch>>,
        cx: &Context<'_>,
    ) -> Result<Run> {
        let mut bytes = Vec::with_capacity(PIECE + (1 << 16));
        let at = self.end;
        while let Some(batch) = batches(self)? {
            cx.budget().check()?;
            for start in (0..batch.rows()).step_by(self.block) {
                put(&batch, start..batch.rows().min(start + self.block), &mut bytes);
                if bytes.len() >= PIECE {
                    self.append(&bytes)?;
                    bytes.clear();
                }
            }
        }
        self.append(&bytes)?;
        Ok(Run { at, end: self.end })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.space.grow(bytes.len() as u64)?;
        // The file may have been read in between, which moves the position.
        self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(bytes)).map_err(failed)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Reads the next block of a run.
    ///
    /// # Errors
    /// An error of the system.
    pub fn read(&mut self, run: &mut Run) -> Result<Option<Batch>> {
        if run.at == run.end {
            return Ok(None);
        }
        let mut header = [0; HEADER];
        self.file.seek(SeekFrom::Start(run.at)).and_then(|_| self.file.read_exact(&mut header)).map_err(failed)?;
        let [rows, weighted] = [&header[..4], &header[4..]].map(number);
        let (rows, weighted) = (rows as usize, weighted == 1);
        let length = rows * (self.width * 4 + if weighted { 8 } else { 0 });
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).map_err(failed)?;
        run.at += (HEADER + length) as u64;
        let (columns, weights) = bytes.split_at(rows * self.width * 4);
        let column = |at: usize| columns[at * rows * 4..][..rows * 4].chunks_exact(4).map(|id| TermId::new(number(id)));
        let columns = (0..self.width).map(|at| column(at).collect()).collect();
        let weight = |bytes: &[u8]| u64::from(number(&bytes[..4])) | u64::from(number(&bytes[4..])) << 32;
        let weights = weighted.then(|| weights.chunks_exact(8).map(weight).collect());
        Ok(Some(Batch::new(columns, rows).with_weights(weights)))
    }
}

/// Whether memory is scarce and a file for rows can be made.
pub fn is_scarce(cx: &Context<'_>) -> bool {
    cx.budget().is_scarce() && cx.temporary.failure().is_none()
}

/// Whether spilling is better than holding this many more bytes: memory is scarce, or they would use more than half of the rest.
pub fn is_full(growing: u64, cx: &Context<'_>) -> bool {
    let has_no_room = cx.budget().room().is_some_and(|room| growing > room / 2);
    (has_no_room || cx.budget().is_scarce()) && cx.temporary.failure().is_none()
}

/// Whether rows with this many bytes should be written: memory is scarce, and they take at least as much as is left.
/// Without the second test, an operator would write its rows a few at a time while others hold most of the memory.
pub fn is_time_to_write(own: u64, cx: &Context<'_>) -> bool {
    is_scarce(cx) && cx.budget().room().is_some_and(|room| own >= room)
}

/// Whether an error says that memory is exhausted.
pub fn is_of_memory(error: &Error) -> bool {
    matches!(error.limit_passed(), Some(Exceeded::Memory(_)))
}

fn put(batch: &Batch, rows: std::ops::Range<usize>, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&u32::from(batch.weights().is_some()).to_le_bytes());
    for column in batch.columns() {
        column[rows.clone()].iter().for_each(|id| bytes.extend_from_slice(&id.get().to_le_bytes()));
    }
    if let Some(weights) = batch.weights() {
        weights[rows].iter().for_each(|weight| bytes.extend_from_slice(&weight.to_le_bytes()));
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn failed(error: std::io::Error) -> Error {
    Error::io("the query's temporary file", &error)
}
