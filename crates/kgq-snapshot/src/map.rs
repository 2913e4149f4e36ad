//! The only unsafe code of the snapshot: it views a file as memory, and memory as another type of the same layout.
#![allow(unsafe_code, reason = "a mapped file is viewed without copying it")]

use super::TermId;
use std::fs::File;
use std::io;

/// A file's bytes, mapped for reading.
#[derive(Debug)]
pub(super) struct Map(memmap2::Mmap);

impl Map {
    pub(super) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the bytes of a map must not change while they are borrowed. Snapshots are written under another name
        // and renamed into place, never changed, so only a foreign program could do that; such bytes would differ from their
        // checksum, or, where they were checked before, be read as other ids. They are never taken for anything but plain
        // integers and unchecked text. (Cutting the file short raises SIGBUS, as for every mapped file.)
        Ok(Self(unsafe { memmap2::Mmap::map(file)? }))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Words as ids.
#[inline]
pub(super) fn ids(words: &[u32]) -> &[TermId] {
    // SAFETY: `TermId` is `repr(transparent)` over `u32`, so both slices have the same layout, and every bit pattern is
    // a valid `TermId`. The lifetime is carried over from the argument.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<TermId>(), words.len()) }
}

/// Views bytes as words in this machine's byte order; empty if the bytes are not aligned. Trailing bytes that do not fill a
/// word are left out.
#[inline]
pub(super) fn words(bytes: &[u8]) -> &[u32] {
    // SAFETY: every bit pattern is a valid `u32`; `align_to` gives only the aligned part.
    let (before, words, _) = unsafe { bytes.align_to::<u32>() };
    if before.is_empty() { words } else { &[] }
}

/// Words as bytes in this machine's byte order.
#[inline]
pub(super) fn bytes(words: &[u32]) -> &[u8] {
    // SAFETY: a `u32` is four bytes without padding, and bytes need no alignment. The lifetime is carried over.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) }
}
