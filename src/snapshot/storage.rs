//! The arrays that a snapshot is made of, wherever they live.

use super::TermId;
use super::cast;
use std::ops::Range;

/// An array of 32-bit words: ids, offsets, or records of several words.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<u32>);

impl Words {
    pub(super) fn new(words: Vec<u32>) -> Self {
        Self(words)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The word at `at`; 0 outside.
    #[inline]
    pub(super) fn get(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// A 64-bit number of two words, counted in such pairs.
    #[inline]
    pub(super) fn pair(&self, at: usize) -> u64 {
        u64::from(self.get(at * 2)) | u64::from(self.get(at * 2 + 1)) << 32
    }

    /// The words of a range, cut to what there is.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u32] {
        let end = range.end.min(self.0.len());
        &self.0[range.start.min(end)..end]
    }

    /// The words of a range as ids, cut to what there is.
    #[inline]
    pub(super) fn ids(&self, range: Range<usize>) -> &[TermId] {
        cast::ids(self.slice(range))
    }

    /// The first position in the sorted range whose word is at least `target`, by halving.
    pub(super) fn lower_bound(&self, range: Range<usize>, target: u32) -> usize {
        let words = self.slice(range.clone());
        range.start + words.partition_point(|w| *w < target)
    }

    /// The same, for a position that is expected near the range's start: in time logarithmic in the distance.
    pub(super) fn gallop(&self, range: Range<usize>, target: u32) -> usize {
        let words = self.slice(range.clone());
        let mut step = 1;
        let mut low = 0;
        while low + step < words.len() && words[low + step - 1] < target {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(words.len());
        range.start + low + words[low..high].partition_point(|w| *w < target)
    }
}

/// An array of bytes.
#[derive(Debug, Default)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes of a range, cut to what there is.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        let end = range.end.min(self.0.len());
        &self.0[range.start.min(end)..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn galloping_finds_what_halving_finds() {
        let words = Words::new(vec![1, 1, 2, 5, 5, 5, 9, 12, 12, 40]);
        for start in 0..=words.len() {
            for end in start..=words.len() {
                for target in 0..42 {
                    assert_eq!(words.gallop(start..end, target), words.lower_bound(start..end, target));
                }
            }
        }
    }
}
