//! The arrays of a snapshot: in memory, or in a mapped file, where they are checked as they are read.

use super::TermId;
use super::map::{self, Map};
use kgq_syntax::error::{Error, Kind, Result};
use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// The number of bytes that share a checksum.
pub(super) const BLOCK: usize = 64 << 10;

/// The values that a section's words may have, whatever the checksum says: only ids and rows that exist.
#[derive(Debug)]
pub(super) struct Limit {
    /// In bytes from the file's start.
    pub(super) section: Range<usize>,
    /// All words are less than this.
    pub(super) below: u64,
    pub(super) sorted: bool,
}

/// Shows whether a file was written to: its length, and when it was modified.
type Stamp = (u64, Option<SystemTime>);

fn stamp(file: &File) -> Option<Stamp> {
    let metadata = file.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// A mapped file whose blocks are checked when they are first touched.
#[derive(Debug)]
pub(super) struct Checked {
    map: Map,
    /// The file, and its stamp when it was mapped; `None` for a file that nobody else can write to.
    file: Option<(File, Stamp)>,
    /// The file's name, for messages.
    name: String,
    /// Where the blocks start and end.
    body: Range<usize>,
    /// A checksum for each block.
    sums: Vec<u32>,
    /// One bit per block, set once the block was checked.
    sound: Vec<AtomicU64>,
    /// Set once the sections are known.
    limits: OnceLock<Vec<Limit>>,
    damage: OnceLock<Error>,
}

impl Checked {
    pub(super) fn new(map: Map, file: File, name: String, body: Range<usize>, sums: Vec<u32>) -> Self {
        let sound = (0..sums.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let file = stamp(&file).map(|stamp| (file, stamp));
        Self { map, file, name, body, sums, sound, limits: OnceLock::new(), damage: OnceLock::new() }
    }

    /// Wraps a temporary file of this process, which nobody else can have damaged.
    pub(super) fn unchecked(map: Map) -> Self {
        let body = 0..map.bytes().len();
        let sound = (0..body.len().div_ceil(BLOCK * 64)).map(|_| AtomicU64::new(u64::MAX)).collect();
        let (limits, damage) = (OnceLock::new(), OnceLock::new());
        Self { map, file: None, name: String::new(), body, sums: Vec::new(), sound, limits, damage }
    }

    /// Sets the limits of the sections. Blocks that were checked before are checked again, now with the limits.
    pub(super) fn limit(&self, limits: Vec<Limit>) {
        if self.limits.set(limits).is_ok() {
            self.sound.iter().for_each(|blocks| blocks.store(0, Ordering::Relaxed));
        }
    }

    /// Checks that everything read so far is sound, and that the file was not changed since it was mapped.
    pub(super) fn intact(&self) -> Result<()> {
        if self.damage.get().is_none()
            && let Some((file, mapped)) = &self.file
            && stamp(file).as_ref() != Some(mapped)
        {
            self.damage.get_or_init(|| changed(&self.name));
        }
        match self.damage.get() {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// Notes that a block holds impossible values, whatever its checksum.
    #[cold]
    fn found_damaged(&self) {
        self.damage.get_or_init(|| damaged(&self.name));
    }

    /// Checks every block.
    pub(super) fn verify(&self) -> Result<()> {
        (0..self.sums.len()).all(|block| self.check(block));
        self.intact()
    }

    /// The bytes of a range of the file, if they are sound.
    #[inline]
    fn bytes(&self, range: Range<usize>) -> Option<&[u8]> {
        if range.is_empty() {
            return Some(&[]);
        }
        let first = range.start.checked_sub(self.body.start)? / BLOCK;
        let end = (range.end - 1).checked_sub(self.body.start)? / BLOCK + 1;
        for block in first..end {
            let word = self.sound.get(block / 64)?;
            if word.load(Ordering::Relaxed) & 1 << (block % 64) == 0 && !self.check(block) {
                return None;
            }
        }
        self.map.bytes().get(range)
    }

    /// The words of a range behind a place in the file, if they are in one block that was checked before.
    #[inline]
    fn checked_words(&self, start: usize, range: &Range<usize>) -> Option<&[u32]> {
        let (start, end) = (start + range.start * 4, start + range.end * 4);
        let block = start.wrapping_sub(self.body.start) / BLOCK;
        if end.wrapping_sub(self.body.start).wrapping_sub(1) / BLOCK != block {
            return None;
        }
        if self.sound.get(block / 64)?.load(Ordering::Relaxed) & 1 << (block % 64) == 0 {
            return None;
        }
        self.map.bytes().get(start..end).map(map::words).filter(|words| words.len() == range.len())
    }

    /// The words of a range behind a place in the file; zeros where any of them is damaged.
    #[cold]
    fn words(&self, start: usize, range: Range<usize>) -> &[u32] {
        let bytes = self.bytes(start + range.start * 4..start + range.end * 4);
        match bytes.map(map::words) {
            Some(words) if words.len() == range.len() => words,
            _ => zeros(range.len()),
        }
    }

    #[cold]
    fn check(&self, block: usize) -> bool {
        let start = self.body.start + block * BLOCK;
        let bytes = self.map.bytes().get(start..(start + BLOCK).min(self.body.end)).unwrap_or_default();
        let sound = self.sums.get(block) == Some(&crc32fast::hash(bytes)) && self.keeps_limits(start, bytes);
        if sound {
            self.sound[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
        } else {
            self.found_damaged();
        }
        sound
    }

    /// Whether a block's words are within the limits of their sections.
    fn keeps_limits(&self, start: usize, block: &[u8]) -> bool {
        let own = |limit: &Limit| {
            let from = limit.section.start.max(start) - start;
            let to = limit.section.end.min(start + block.len()).saturating_sub(start);
            map::words(block.get(from..to).unwrap_or_default())
        };
        self.limits.get().into_iter().flatten().all(|limit| {
            let words = own(limit);
            u64::from(words.iter().copied().fold(0, u32::max)) < limit.below.max(u64::from(words.is_empty()))
                && (!limit.sorted || words.is_sorted())
        })
    }
}

/// The error for a file whose content is not what was written.
pub(super) fn damaged(name: &str) -> Error {
    Error::new(Kind::Io, format!("{name}: the snapshot is damaged")).hint("build it again from its sources")
}

fn changed(name: &str) -> Error {
    Error::new(Kind::Io, format!("{name}: the snapshot was changed while it was read"))
        .hint("ask again; `kgq build` replaces a snapshot in one step, without disturbing anyone who reads the old one")
}

/// An array of 32-bit words: ids, offsets, or records of several words.
#[derive(Debug)]
pub(super) enum Words {
    Owned(Vec<u32>),
    Mapped {
        file: Arc<Checked>,
        /// In bytes from the file's start.
        start: usize,
        len: usize,
    },
}

impl Default for Words {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

/// Read in place of damaged words; zeros are valid ids.
static ZEROS: [u32; BLOCK] = [0; BLOCK];

impl Words {
    /// The limit for the words of a mapped section; `None` for words in memory.
    pub(super) fn limit(&self, below: u64, sorted: bool) -> Option<Limit> {
        match self {
            Self::Owned(_) => None,
            Self::Mapped { start, len, .. } => Some(Limit { section: *start..start + len * 4, below, sorted }),
        }
    }

    pub(super) fn new(words: Vec<u32>) -> Self {
        Self::Owned(words)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Owned(words) => words.len(),
            Self::Mapped { len, .. } => *len,
        }
    }

    /// The word at `at`; 0 outside, or where it is damaged.
    #[inline]
    pub(super) fn get(&self, at: usize) -> u32 {
        match self {
            Self::Owned(words) => words.get(at).copied().unwrap_or(0),
            Self::Mapped { .. } => self.slice(at..at + 1).first().copied().unwrap_or(0),
        }
    }

    /// Notes that the words hold impossible values.
    #[cold]
    pub(super) fn found_damaged(&self) {
        if let Self::Mapped { file, .. } = self {
            file.found_damaged();
        }
    }

    /// The `at`-th 64-bit number, stored as two words.
    #[inline]
    pub(super) fn pair(&self, at: usize) -> u64 {
        u64::from(self.get(at * 2)) | u64::from(self.get(at * 2 + 1)) << 32
    }

    /// The words of a range, cut at the end of the array; zeros where any of them is damaged.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u32] {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        match self {
            Self::Owned(words) => &words[range],
            Self::Mapped { file, start, .. } => match file.checked_words(*start, &range) {
                Some(words) => words,
                // Apart, so that reading what is sound becomes part of the caller's code.
                None => file.words(*start, range),
            },
        }
    }

    /// The words of a range as ids, cut at the end of the array.
    #[inline]
    pub(super) fn ids(&self, range: Range<usize>) -> &[TermId] {
        map::ids(self.slice(range))
    }

    /// The first position in the sorted range whose word is at least `target`, by binary search.
    pub(super) fn lower_bound(&self, mut range: Range<usize>, target: u32) -> usize {
        range.end = range.end.min(self.len());
        if let Self::Mapped { .. } = self {
            // Halve the range by single words first: taking a slice checks all its blocks.
            while range.len() > BLOCK / 4 {
                let middle = range.start + range.len() / 2;
                if self.get(middle) < target { range.start = middle + 1 } else { range.end = middle }
            }
        }
        let words = self.slice(range.clone());
        range.start.min(range.end) + words.partition_point(|w| *w < target)
    }
}

/// A slice of `len` zeros. Damage ends a query, so little is leaked beyond the static zeros.
#[cold]
fn zeros(len: usize) -> &'static [u32] {
    ZEROS.get(..len).unwrap_or_else(|| Box::leak(vec![0; len].into_boxed_slice()))
}

/// An array of bytes.
#[derive(Debug)]
pub(super) enum Bytes {
    Owned(Vec<u8>),
    Mapped { file: Arc<Checked>, start: usize, len: usize },
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl Bytes {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Owned(bytes) => bytes.len(),
            Self::Mapped { len, .. } => *len,
        }
    }

    /// The bytes of a range, cut at the end of the array; empty if any of them is damaged.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        match self {
            Self::Owned(bytes) => &bytes[range],
            Self::Mapped { file, start, .. } => file.bytes(start + range.start..start + range.end).unwrap_or_default(),
        }
    }
}
