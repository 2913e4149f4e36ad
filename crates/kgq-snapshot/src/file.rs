//! A snapshot as one file: written in one pass, mapped to be read.
//!
//! ```text
//! header    one page: magic, version, byte order, lengths, content key, the sections' places, checksum of the page
//! body      the sections, each aligned to 8 bytes, in the order in which reader and writer name them
//! checksums one CRC-32 for each 64 KiB of the body; their own is in the header
//! ```
//! Numbers are in the byte order of the machine that wrote them; another refuses the file.

use super::map::{self, Map};
use super::storage::{BLOCK, Bytes, Checked, Limit, Words, damaged};
use super::{ContentKey, Snapshot};
use crate::store::{Unfinished, WholeFile};
use kgq_syntax::error::{Error, Kind, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"kgq\x89snap";
/// Grows with every change of what sections there are or what they hold.
const VERSION: u32 = 3;
const BYTE_ORDER: u32 = 0x0102_0304;
const HEADER: usize = 4096;
/// Words of the header before the sections' places: magic 2, version, byte order, body's end 2, file's length 2,
/// content key 8, checksum of the checksums, number of sections.
const FIXED: usize = 18;
const MOST_SECTIONS: usize = (HEADER / 4 - FIXED - 1) / 4;
/// A smaller file is checked wholly when it is opened.
const CHECKED_AT_ONCE: usize = 16 << 20;
/// Bytes written at once.
const BUFFER: usize = 1 << 20;

/// Writes the sections of a snapshot to a file beside its final place, where it appears only when all is written.
pub(super) struct Writer {
    whole: WholeFile,
    /// In bytes from the file's start.
    written: u64,
    buffer: Vec<u8>,
    sum: crc32fast::Hasher,
    /// Bytes of the current block.
    filled: usize,
    sums: Vec<u32>,
    sections: Vec<[u64; 2]>,
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
            sections: Vec::new(),
        })
    }

    /// Starts the next section.
    pub(super) fn section(&mut self) -> Result<()> {
        let padding = (8 - self.written % 8) % 8;
        self.put(&[0; 8][..padding as usize])?;
        self.sections.push([self.written, 0]);
        Ok(())
    }

    /// Adds to the section.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes)?;
        let section = self.sections.last_mut().expect("a section was started");
        section[1] += bytes.len() as u64;
        Ok(())
    }

    /// Adds to the section.
    pub(super) fn push_words(&mut self, words: &[u32]) -> Result<()> {
        self.push_bytes(map::bytes(words))
    }

    /// A section of words.
    pub(super) fn words(&mut self, words: &Words) -> Result<()> {
        self.section()?;
        let mut at = 0;
        // In pieces, so that copying a mapped file needs no more memory than one.
        while at < words.len() {
            let piece = words.slice(at..at + BUFFER);
            at += piece.len();
            self.push_words(piece)?;
        }
        Ok(())
    }

    /// A section of a few numbers.
    pub(super) fn numbers(&mut self, numbers: &[u32]) -> Result<()> {
        self.section()?;
        self.push_words(numbers)
    }

    /// A section of bytes.
    pub(super) fn bytes(&mut self, bytes: &Bytes) -> Result<()> {
        self.section()?;
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

    /// Completes the file and puts it in its place, over what was there.
    pub(super) fn finish(mut self, key: ContentKey) -> Result<()> {
        if self.filled > 0 {
            self.end_block();
        }
        let body_end = self.written;
        let sums = std::mem::take(&mut self.sums);
        self.buffer.extend_from_slice(map::bytes(&sums));
        let length = body_end + sums.len() as u64 * 4;
        self.flush()?;
        assert!(self.sections.len() <= MOST_SECTIONS, "the number of sections is fixed");

        let mut header = Vec::with_capacity(HEADER / 4);
        header.extend_from_slice(map::words(&Aligned(MAGIC).0));
        header.extend([VERSION, BYTE_ORDER]);
        header.extend([body_end, length].iter().flat_map(|n| [*n as u32, (n >> 32) as u32]));
        header.extend(key.words());
        header.extend([crc32fast::hash(map::bytes(&sums)), self.sections.len() as u32]);
        header.extend(self.sections.iter().flatten().flat_map(|n| [*n as u32, (n >> 32) as u32]));
        header.resize(HEADER / 4 - 1, 0);
        header.push(crc32fast::hash(map::bytes(&header)));
        let file = self.whole.file();
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(map::bytes(&header)));
        written.map_err(|e| Error::io(self.whole.path().display(), &e))?;
        self.whole.finish()
    }
}

/// Bytes at the alignment of words.
#[repr(align(8))]
struct Aligned([u8; 8]);

/// Hands out the sections of a mapped file in the order in which they were written.
pub(super) struct Reader {
    file: Arc<Checked>,
    sections: std::vec::IntoIter<[u64; 2]>,
    name: String,
    /// Where the sections may lie, in bytes from the file's start.
    body: Range<usize>,
    /// Whether the file is small enough to be checked wholly when it is opened.
    at_once: bool,
    key: ContentKey,
}

impl Reader {
    /// Opens a file, and checks it wholly if it has fewer bytes than `checked_at_once`.
    ///
    /// # Errors
    /// When the file cannot be read, is no snapshot, is of another version, is cut, or is found damaged.
    pub(super) fn open(path: &Path, checked_at_once: usize) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path.display(), &e))?;
        Self::of(file, path, checked_at_once)
    }

    fn of(file: File, path: &Path, checked_at_once: usize) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |e: std::io::Error| Error::io(&name, &e);
        let length = file.metadata().map_err(failed)?.len();
        let again = "build it again from its sources";
        let refused = |what: &str| Err(Error::new(Kind::Io, format!("{name}: {what}")).hint(again));
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
        let sums = map.bytes().get(body_end..length).unwrap_or_default();
        let count = header[FIXED - 1] as usize;
        let blocks = body_end.saturating_sub(HEADER).div_ceil(BLOCK);
        if crc32fast::hash(sums) != header[FIXED - 2] || sums.len() != blocks * 4 || count > MOST_SECTIONS {
            return Err(damaged(&name));
        }
        let sections: Vec<[u64; 2]> = (0..count).map(|i| [wide(FIXED + i * 4), wide(FIXED + i * 4 + 2)]).collect();
        let sums = sums.as_chunks::<4>().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect();
        let key = ContentKey::from_words(&header[8..16]);
        let body = HEADER..body_end;
        let file = Arc::new(Checked::new(map, file, name.clone(), body.clone(), sums));
        let at_once = length < checked_at_once;
        if at_once {
            file.verify()?;
        }
        Ok(Self { file, sections: sections.into_iter(), name, body, at_once, key })
    }

    /// Ends the reading: from now on what is read also keeps these limits.
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

    /// What to say when sections contradict each other.
    pub(super) fn damaged(&self) -> Error {
        damaged(&self.name)
    }

    fn section(&mut self) -> Result<(usize, usize)> {
        let place = |[start, len]: [u64; 2]| {
            let (start, len) = (usize::try_from(start).ok()?, usize::try_from(len).ok()?);
            let inside = start >= self.body.start && start.checked_add(len)? <= self.body.end;
            (inside && start % 8 == 0).then_some((start, len))
        };
        self.sections.next().and_then(place).ok_or_else(|| damaged(&self.name))
    }

    pub(super) fn words(&mut self) -> Result<Words> {
        let (start, len) = self.section()?;
        Ok(Words::Mapped { file: Arc::clone(&self.file), start, len: len / 4 })
    }

    /// A section of words whose number is known.
    pub(super) fn words_of(&mut self, count: usize) -> Result<Words> {
        let words = self.words()?;
        if words.len() == count { Ok(words) } else { Err(self.damaged()) }
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes> {
        let (start, len) = self.section()?;
        Ok(Bytes::Mapped { file: Arc::clone(&self.file), start, len })
    }

    /// A section of a few numbers, read at once.
    pub(super) fn numbers(&mut self) -> Result<Vec<u32>> {
        let words = self.words()?;
        let numbers = words.slice(0..words.len()).to_vec();
        self.file.intact()?;
        Ok(numbers)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u32; N]> {
        self.numbers()?.try_into().map_err(|_| self.damaged())
    }
}

impl Snapshot {
    /// Saves the snapshot as one file, which appears under its name only when it is whole, in the place of what was there.
    ///
    /// `key` says what the snapshot was made of; [`Snapshot::content_key`] gives it back.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is left behind then.
    pub fn save(&self, path: &Path, key: ContentKey) -> Result<()> {
        let mut writer = Writer::new(WholeFile::create(path, &Unfinished::default())?)?;
        let written = self.write(&mut writer);
        self.intact()?;
        written?;
        writer.finish(key)
    }

    /// Maps a saved snapshot: in time that does not depend on its size, but for one under 16 MiB, which is checked wholly. The
    /// blocks of a larger one are checked when they are first read (see [`Snapshot::intact`]).
    ///
    /// # Errors
    /// When the file cannot be read, is no snapshot, is of another version, cut off or damaged.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(&mut Reader::open(path, CHECKED_AT_ONCE)?)
    }

    /// Maps a saved snapshot that was opened as a file; `path` is for messages.
    ///
    /// # Errors
    /// As for [`Snapshot::open`].
    pub fn of_file(file: File, path: &Path) -> Result<Self> {
        Self::read(&mut Reader::of(file, path, CHECKED_AT_ONCE)?)
    }
}
