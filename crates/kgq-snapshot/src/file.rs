//! A snapshot as one file of named sections: written in one pass, then mapped for reading.
//!
//! ```text
//! header    one page: magic, version, byte order, lengths, content key, checksum of the directory, checksum of the page
//! body      the sections, one after the other; a section is arrays of words and of bytes, each aligned to 8 bytes
//! checksums one CRC-32 for each 64 KiB of the body
//! directory JSON: of each section its name, version, arrays, and the checksum of its blocks' checksums
//! ```
//! The reader skips sections whose names it does not ask for, so new sections do not make old files invalid. Numbers in the
//! header and words are in the byte order of the machine that wrote them; a machine with another byte order refuses the
//! file.

use super::map::{self, Map};
use super::storage::{BLOCK, Bytes, Checked, Limit, Words, damaged};
use super::{ContentKey, Snapshot};
use crate::store::{Unfinished, WholeFile};
use kgq_syntax::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(super) const MAGIC: [u8; 8] = *b"kgq\x89snap";
/// Increases with every change of the header or the directory; the content of each section has a version of its own.
pub(super) const VERSION: u32 = 4;
const BYTE_ORDER: u32 = 0x0102_0304;
const HEADER: usize = 4096;
/// Words of the header in use: magic 2, version, byte order, body's end 2, file's length 2, content key 8, the directory's
/// bytes and checksum.
const FIXED: usize = 18;
/// Files smaller than this are checked completely when they are opened.
const CHECKED_AT_ONCE: usize = 8 << 20;
/// Bytes written at once.
const BUFFER: usize = 1 << 20;
/// The hint for a file that cannot be used.
const AGAIN: &str = "build it again from its sources";

/// A section's name, and the version of what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) version: u32,
}

/// A section as the directory lists it.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Entry {
    name: String,
    version: u32,
    /// CRC-32 of the checksums of the section's blocks.
    checksum: u32,
    /// Where each array starts, in bytes from the file's start, and its length.
    arrays: Vec<[u64; 2]>,
}

impl Entry {
    /// The blocks that the section lies in, if it lies in the body.
    fn blocks(&self, body: &Range<usize>) -> Option<Range<usize>> {
        let (Some(first), Some(last)) = (self.arrays.first(), self.arrays.last()) else { return Some(0..0) };
        let start = usize::try_from(first[0]).ok()?.checked_sub(body.start)?;
        let end = usize::try_from(last[0].checked_add(last[1])?).ok().filter(|end| *end <= body.end)?;
        Some(start / BLOCK..end.checked_sub(body.start)?.div_ceil(BLOCK))
    }
}

/// The checksum of these blocks' checksums.
fn checksum_of(sums: &[u32], blocks: Range<usize>) -> Option<u32> {
    Some(crc32fast::hash(map::bytes(sums.get(blocks)?)))
}

/// Writes the sections of a snapshot to a file beside its final place; it is moved there only when everything is written.
pub(super) struct Writer {
    whole: WholeFile,
    /// In bytes from the file's start.
    written: u64,
    buffer: Vec<u8>,
    sum: crc32fast::Hasher,
    /// Bytes in the current block.
    filled: usize,
    sums: Vec<u32>,
    directory: Vec<Entry>,
}

impl Writer {
    /// Starts a file.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(super) fn new(mut whole: WholeFile) -> Result<Self> {
        let zeros = whole.file().write_all(&[0; HEADER]);
        zeros.map_err(|e| Error::io(whole.path().display(), &e))?;
        Ok(Self {
            whole,
            written: HEADER as u64,
            buffer: Vec::with_capacity(BUFFER),
            sum: crc32fast::Hasher::new(),
            filled: 0,
            sums: Vec::new(),
            directory: Vec::new(),
        })
    }

    /// Starts the next section; the arrays that follow belong to it.
    pub(super) fn section(&mut self, section: Section) {
        let Section { name, version } = section;
        self.directory.push(Entry { name: name.to_owned(), version, checksum: 0, arrays: Vec::new() });
    }

    /// Starts the section's next array.
    fn array(&mut self) -> Result<()> {
        let padding = (8 - self.written % 8) % 8;
        self.put(&[0; 8][..padding as usize])?;
        let written = self.written;
        self.entry().arrays.push([written, 0]);
        Ok(())
    }

    fn entry(&mut self) -> &mut Entry {
        self.directory.last_mut().expect("a section was started")
    }

    /// Appends to the current array.
    fn push_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes)?;
        let array = self.entry().arrays.last_mut().expect("an array was started");
        array[1] += bytes.len() as u64;
        Ok(())
    }

    /// Appends to the current array.
    fn push_words(&mut self, words: &[u32]) -> Result<()> {
        self.push_bytes(map::bytes(words))
    }

    /// Writes an array of words.
    pub(super) fn words(&mut self, words: &Words) -> Result<()> {
        self.array()?;
        let mut at = 0;
        // In pieces, so that copying a mapped file never needs more memory than one piece.
        while at < words.len() {
            let piece = words.slice(at..at + BUFFER);
            at += piece.len();
            self.push_words(piece)?;
        }
        Ok(())
    }

    /// Writes an array of a few numbers.
    pub(super) fn numbers(&mut self, numbers: &[u32]) -> Result<()> {
        self.array()?;
        self.push_words(numbers)
    }

    /// Writes an array of bytes.
    pub(super) fn bytes(&mut self, bytes: &Bytes) -> Result<()> {
        self.array()?;
        let mut at = 0;
        while at < bytes.len() {
            let piece = bytes.slice(at..at + BUFFER);
            if piece.is_empty() {
                return Err(Error::bug("a damaged snapshot was to be saved"));
            }
            at += piece.len();
            self.push_bytes(piece)?;
        }
        Ok(())
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.sum.update(now);
            self.filled += now.len();
            if self.filled == BLOCK {
                self.end_block();
            }
            self.buffer.extend_from_slice(now);
            bytes = rest;
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) {
        let sum = std::mem::take(&mut self.sum);
        self.sums.push(sum.finalize());
        self.filled = 0;
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.whole.file().write_all(&self.buffer);
        written.map_err(|e| Error::io(self.whole.path().display(), &e))?;
        self.buffer.clear();
        Ok(())
    }

    /// Completes the file and moves it to its place, replacing any file there.
    pub(super) fn finish(mut self, key: ContentKey) -> Result<()> {
        if self.filled > 0 {
            self.end_block();
        }
        let body_end = self.written;
        let sums = std::mem::take(&mut self.sums);
        for entry in &mut self.directory {
            let blocks = entry.blocks(&(HEADER..body_end as usize));
            entry.checksum =
                blocks.and_then(|blocks| checksum_of(&sums, blocks)).expect("all that was written is in the body");
        }
        let directory = serde_json::to_vec(&self.directory).map_err(|e| Error::bug(e.to_string()))?;
        self.buffer.extend_from_slice(map::bytes(&sums));
        self.buffer.extend_from_slice(&directory);
        let length = body_end + sums.len() as u64 * 4 + directory.len() as u64;
        self.flush()?;

        let mut header = Vec::with_capacity(HEADER / 4);
        header.extend_from_slice(map::words(&Aligned(MAGIC).0));
        header.extend([VERSION, BYTE_ORDER]);
        header.extend([body_end, length].iter().flat_map(|n| [*n as u32, (n >> 32) as u32]));
        header.extend(key.words());
        header.extend([directory.len() as u32, crc32fast::hash(&directory)]);
        debug_assert_eq!(header.len(), FIXED);
        header.resize(HEADER / 4 - 1, 0);
        header.push(crc32fast::hash(map::bytes(&header)));
        let file = self.whole.file();
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(map::bytes(&header)));
        written.map_err(|e| Error::io(self.whole.path().display(), &e))?;
        self.whole.finish()
    }
}

/// Bytes aligned like words.
#[repr(align(8))]
struct Aligned([u8; 8]);

/// Gives access to the sections of a mapped file by name, and to the arrays of each in the order in which they were written.
pub(super) struct Reader {
    file: Arc<Checked>,
    directory: Vec<Entry>,
    /// The remaining arrays of the current section.
    arrays: std::vec::IntoIter<[u64; 2]>,
    name: String,
    /// Where the sections may lie, in bytes from the file's start.
    body: Range<usize>,
    /// Whether the file is small enough to be checked completely when it is opened.
    at_once: bool,
    key: ContentKey,
}

impl Reader {
    /// Opens a file, and checks it completely if it has fewer bytes than `checked_at_once`.
    ///
    /// # Errors
    /// When the file cannot be read, is not a snapshot, has another version, is cut off or found damaged.
    pub(super) fn open(path: &Path, checked_at_once: usize) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path.display(), &e))?;
        Self::of(file, path, checked_at_once)
    }

    fn of(file: File, path: &Path, checked_at_once: usize) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |e: std::io::Error| Error::io(&name, &e);
        let length = file.metadata().map_err(failed)?.len();
        let refused = |what: &str| Err(Error::new(Kind::Io, format!("{name}: {what}")).hint(AGAIN));
        if length < HEADER as u64 {
            return refused("this is not a snapshot, or one that was cut off");
        }
        let map = Map::new(&file).map_err(failed)?;
        let header = map::words(&map.bytes()[..HEADER]);
        let wide = |at: usize| u64::from(header[at]) | u64::from(header[at + 1]) << 32;
        if map.bytes()[..8] != MAGIC {
            return refused("this is not a snapshot");
        }
        let sound = crc32fast::hash(&map.bytes()[..HEADER - 4]) == header[HEADER / 4 - 1];
        if header[3] == BYTE_ORDER.swap_bytes() {
            return refused("the snapshot was built on a machine with another byte order");
        }
        if sound && header[2] != VERSION {
            return refused(&format!("the snapshot has format version {}, this program reads {VERSION}", header[2]));
        }
        if !sound || header[3] != BYTE_ORDER {
            return Err(damaged(&name));
        }
        let (body_end, expected) = (wide(4), wide(6));
        if length != expected {
            return refused(&format!(
                "the snapshot was cut off or added to: it has {length} bytes, and was written with {expected}"
            ));
        }
        let (Ok(body_end), Ok(length)) = (usize::try_from(body_end), usize::try_from(length)) else {
            return refused("the snapshot is too large for this machine");
        };
        let directory = length.checked_sub(header[FIXED - 2] as usize).filter(|start| *start >= body_end);
        let Some(directory) = directory else { return Err(damaged(&name)) };
        let (sums, text) = (&map.bytes()[body_end..directory], &map.bytes()[directory..length]);
        let blocks = body_end.saturating_sub(HEADER).div_ceil(BLOCK);
        if crc32fast::hash(text) != header[FIXED - 1] || sums.len() != blocks * 4 {
            return Err(damaged(&name));
        }
        let directory: Vec<Entry> = serde_json::from_slice(text).map_err(|_| damaged(&name))?;
        let sums: Vec<u32> = sums.as_chunks::<4>().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect();
        let key = ContentKey::from_words(&header[8..16]);
        let body = HEADER..body_end;
        let sound = |entry: &Entry| entry.blocks(&body).and_then(|b| checksum_of(&sums, b)) == Some(entry.checksum);
        if !directory.iter().all(sound) {
            return Err(damaged(&name));
        }
        let file = Arc::new(Checked::new(map, file, name.clone(), body.clone(), sums));
        let at_once = length < checked_at_once;
        if at_once {
            file.verify()?;
        }
        Ok(Self { file, directory, arrays: Vec::new().into_iter(), name, body, at_once, key })
    }

    /// Ends the reading: from now on, these limits are also checked.
    pub(super) fn limit(&self, limits: Vec<Limit>) -> Result<()> {
        self.file.limit(limits);
        if self.at_once { self.file.verify() } else { Ok(()) }
    }

    pub(super) fn file(&self) -> Arc<Checked> {
        Arc::clone(&self.file)
    }

    pub(super) fn key(&self) -> ContentKey {
        self.key
    }

    /// The error for sections that contradict each other.
    pub(super) fn damaged(&self) -> Error {
        damaged(&self.name)
    }

    /// Whether the file has a section with this name.
    pub(super) fn has(&self, section: Section) -> bool {
        self.directory.iter().any(|entry| entry.name == section.name)
    }

    /// Goes to a section; the arrays read next belong to it.
    ///
    /// # Errors
    /// When the file has no section of that name, or one of another version.
    pub(super) fn section(&mut self, section: Section) -> Result<()> {
        let Section { name, version } = section;
        let found = self.directory.iter_mut().find(|entry| entry.name == name).ok_or_else(|| damaged(&self.name))?;
        if found.version != version {
            let (other, file) = (found.version, &self.name);
            let what = format!("{file}: its section `{name}` has version {other}, this program reads {version}");
            return Err(Error::new(Kind::Io, what).hint(AGAIN));
        }
        self.arrays = std::mem::take(&mut found.arrays).into_iter();
        Ok(())
    }

    fn array(&mut self) -> Result<(usize, usize)> {
        let place = |[start, len]: [u64; 2]| {
            let (start, len) = (usize::try_from(start).ok()?, usize::try_from(len).ok()?);
            let inside = start >= self.body.start && start.checked_add(len)? <= self.body.end;
            (inside && start % 8 == 0).then_some((start, len))
        };
        self.arrays.next().and_then(place).ok_or_else(|| damaged(&self.name))
    }

    pub(super) fn words(&mut self) -> Result<Words> {
        let (start, len) = self.array()?;
        Ok(Words::Mapped { file: Arc::clone(&self.file), start, len: len / 4 })
    }

    /// Reads an array of exactly `count` words.
    pub(super) fn words_of(&mut self, count: usize) -> Result<Words> {
        let words = self.words()?;
        if words.len() == count { Ok(words) } else { Err(self.damaged()) }
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes> {
        let (start, len) = self.array()?;
        Ok(Bytes::Mapped { file: Arc::clone(&self.file), start, len })
    }

    /// Reads an array of a few numbers at once.
    pub(super) fn numbers(&mut self) -> Result<Vec<u32>> {
        let words = self.words()?;
        let numbers = words.slice(0..words.len()).to_vec();
        self.file.intact()?;
        Ok(numbers)
    }

    pub(super) fn numbers_of<const N: usize>(&mut self) -> Result<[u32; N]> {
        self.numbers()?.try_into().map_err(|_| self.damaged())
    }
}

impl Snapshot {
    /// Saves the snapshot as one file, which appears under its name only when it is complete and then replaces any earlier
    /// file.
    ///
    /// `key` identifies what the snapshot was built from; [`Snapshot::content_key`] returns it.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing is left behind.
    pub fn save(&self, path: &Path, key: ContentKey) -> Result<()> {
        let mut writer = Writer::new(WholeFile::create(path, &Unfinished::default())?)?;
        let written = self.write(&mut writer);
        self.intact()?;
        written?;
        writer.finish(key)
    }

    /// Maps a saved snapshot, in time that does not depend on its size. A snapshot under 8 MiB is checked completely at
    /// once; the blocks of a larger one are checked when they are first read (see [`Snapshot::intact`]).
    ///
    /// # Errors
    /// When the file cannot be read, is not a snapshot, has another version, is cut off or damaged.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(&mut Reader::open(path, CHECKED_AT_ONCE)?)
    }

    /// Maps a saved snapshot from an open file; `path` is only used in messages.
    ///
    /// # Errors
    /// As for [`Snapshot::open`].
    pub fn of_file(file: File, path: &Path) -> Result<Self> {
        Self::read(&mut Reader::of(file, path, CHECKED_AT_ONCE)?)
    }
}
