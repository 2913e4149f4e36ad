//! Intersections of sorted lists of ids: by merging, by galloping through the longer one, or by testing a bitmap.

use kgq_snapshot::{Blocks, TermId};

/// If a list is more than this many times as long as the other, the intersection gallops through it.
pub const LEAP: usize = 24;

/// Calls `see` with ids of the lists, and whether both contain the id. All shared ids are among them, in order.
#[inline(always)]
pub fn each(a: &[TermId], b: &[TermId], mut see: impl FnMut(TermId, bool)) {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() * LEAP < long.len() {
        let mut rest = long;
        for id in short {
            rest = &rest[leap(rest, *id)..];
            match rest.first() {
                None => return,
                Some(found) => see(*id, found == id),
            }
        }
        return;
    }
    let (mut i, mut j) = (0, 0);
    while i < short.len() && j < long.len() {
        let (x, y) = (short[i], long[j]);
        see(x, x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
}

/// Does the same, but seeks in the long list from a row on instead of reading it.
#[inline(always)]
pub fn each_sought(short: &[TermId], mut long: Blocks<'_>, mut row: usize, mut see: impl FnMut(TermId, bool)) {
    for id in short {
        row = long.seek(row, *id);
        match long.id(row) {
            None => return,
            Some(found) => see(*id, found == *id),
        }
    }
}

/// Returns the position of the first id that is not below `target`, in time logarithmic in that position.
fn leap(ids: &[TermId], target: TermId) -> usize {
    let (mut low, mut step) = (0, 1);
    while low + step < ids.len() && ids[low + step - 1] < target {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(ids.len());
    low + ids[low..high].partition_point(|id| *id < target)
}

/// A bitmap of stored ids, for a list that is intersected with many others.
#[derive(Default)]
pub struct Bits {
    words: Vec<u64>,
    members: Vec<TermId>,
}

impl Bits {
    /// Returns the bytes of the bitmap for this many terms, without its list of members.
    pub fn bytes(terms: u32) -> u64 {
        u64::from(terms).div_ceil(64) * 8
    }

    /// Replaces the content by these ids, which must be below `terms`.
    pub fn set(&mut self, ids: &[TermId], terms: u32) {
        self.clear();
        self.words.resize((terms as usize).div_ceil(64), 0);
        for id in ids {
            if let Some(word) = self.words.get_mut(id.index() / 64) {
                *word |= 1 << (id.index() % 64);
            }
        }
        self.members.extend_from_slice(ids);
    }

    fn clear(&mut self) {
        for id in self.members.drain(..) {
            if let Some(word) = self.words.get_mut(id.index() / 64) {
                *word = 0;
            }
        }
    }

    #[inline]
    pub fn contains(&self, id: TermId) -> bool {
        self.words.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: impl IntoIterator<Item = u32>) -> Vec<TermId> {
        ids.into_iter().map(TermId::new).collect()
    }

    #[test]
    fn merging_leaping_and_bits_find_the_same() {
        let long = ids((0..5000).filter(|n| n % 3 != 0));
        for step in [1, 2, 7, 90, 600, 4999] {
            let short = ids((0..5200).step_by(step));
            let expected: Vec<TermId> = short.iter().copied().filter(|id| long.contains(id)).collect();
            let shared = |a: &[TermId], b: &[TermId]| {
                let mut found = Vec::new();
                each(a, b, |id, is_shared| found.extend(is_shared.then_some(id)));
                found
            };
            assert_eq!(shared(&short, &long), expected, "every {step}th");
            assert_eq!(shared(&long, &short), expected, "every {step}th");
            let mut bits = Bits::default();
            bits.set(&ids([5, 5199]), 5200);
            bits.set(&long, 5200);
            assert_eq!(short.iter().copied().filter(|id| bits.contains(*id)).collect::<Vec<_>>(), expected);
        }
    }
}
