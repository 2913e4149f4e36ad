//! The only unsafe code of the snapshot: views of memory as another type of the same layout.
#![allow(unsafe_code)]

use super::TermId;

/// Words as ids.
#[inline]
pub(super) fn ids(words: &[u32]) -> &[TermId] {
    // SAFETY: `TermId` is `repr(transparent)` over `u32`, so both slices have the same layout, and every bit pattern is
    // a valid `TermId`. The lifetime is carried over from the argument.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<TermId>(), words.len()) }
}
