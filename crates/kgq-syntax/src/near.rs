//! Names that are similar to another: an index that finds the intended name for a mistyped one without looking at all names.
//!
//! Two names that differ in one letter become equal if each loses one (or two) letters. So each name is indexed by what
//! remains after removing any one or two letters, and a mistyped name is looked up by its own remains.

use rustc_hash::{FxHashSet, FxHasher};
use std::borrow::Cow;
use std::hash::Hasher;

/// In larger sets, only one letter may be wrong: else the index would grow with the square of the letters.
const MANY: usize = 5_000;
/// Longer names are not looked up.
const LONGEST: usize = 80;
/// Once one mistyped name has this many candidates, no more are collected.
const MOST_CANDIDATES: usize = 200;

/// An index of names.
pub struct NearNames<'n> {
    names: Vec<Cow<'n, str>>,
    /// Pairs of the hash of a name's remains and the name's number; sorted.
    remains: Vec<(u64, u32)>,
    most_wrong: usize,
}

impl<'n> NearNames<'n> {
    pub fn new(names: impl IntoIterator<Item = impl Into<Cow<'n, str>>>) -> Self {
        let names = names.into_iter().map(Into::into);
        let mut names: Vec<Cow<'n, str>> = names.filter(|name: &Cow<'n, str>| name.len() <= LONGEST).collect();
        names.sort_unstable();
        names.dedup();
        let most_wrong = if names.len() > MANY { 1 } else { 2 };
        let mut remains = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            remains.extend(remains_of(name, most_wrong).into_iter().map(|hash| (hash, number)));
        }
        remains.sort_unstable();
        Self { names, remains, most_wrong }
    }

    /// The names that may have been meant, nearest first: one letter off, or two in a long name. Short names are left out,
    /// since they are close to each other without being misspelt, and so are names that differ only in their numbers.
    pub fn nearest(&self, name: &str, most: usize) -> Vec<&str> {
        let letters = name.chars().filter(|c| c.is_alphabetic()).count();
        let allowed = match letters {
            0..=2 => return Vec::new(),
            3..=8 => 1,
            _ => 2,
        };
        if name.len() > LONGEST {
            return Vec::new();
        }
        let folded = name.to_lowercase();
        let mut candidates: FxHashSet<u32> = FxHashSet::default();
        for hash in remains_of(name, allowed.min(self.most_wrong)) {
            let from = self.remains.partition_point(|(h, _)| *h < hash);
            candidates.extend(self.remains[from..].iter().take_while(|(h, _)| *h == hash).map(|(_, n)| *n));
            if candidates.len() > MOST_CANDIDATES {
                break;
            }
        }
        let mut found: Vec<(usize, &str)> = candidates
            .into_iter()
            .map(|number| &*self.names[number as usize])
            .filter(|other| *other != name && !differ_in_numbers(other, name))
            .map(|other| (strsim::damerau_levenshtein(&folded, &other.to_lowercase()), other))
            .filter(|(distance, _)| *distance <= allowed)
            .collect();
        found.sort_unstable();
        found.into_iter().take(most).map(|(_, name)| name).collect()
    }
}

/// Whether two names differ only in their digits: digits count things and are not misspellings.
fn differ_in_numbers(a: &str, b: &str) -> bool {
    let letters = |name: &str| name.chars().filter(|c| !c.is_numeric()).collect::<String>();
    letters(a) == letters(b)
}

/// The hashes of the lower-cased name without any `most` letters or fewer.
fn remains_of(name: &str, most: usize) -> Vec<u64> {
    let letters: Vec<char> = name.to_lowercase().chars().collect();
    let hash = |without: [usize; 2]| {
        let mut hasher = FxHasher::default();
        for (at, letter) in letters.iter().enumerate() {
            if !without.contains(&at) {
                hasher.write_u32(u32::from(*letter));
            }
        }
        hasher.finish()
    };
    const NONE: usize = usize::MAX;
    let mut found = vec![hash([NONE, NONE])];
    for first in 0..letters.len() {
        found.push(hash([first, NONE]));
        if most > 1 {
            found.extend((first + 1..letters.len()).map(|second| hash([first, second])));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_wrong_is_found_and_two_in_a_long_name() {
        let index = NearNames::new(["Region", "Organization", "label", "subClassOf", "Date", "precedes"]);
        for (name, expected) in [
            ("Regoin", vec!["Region"]),
            ("Regio", vec!["Region"]),
            ("Reggion", vec!["Region"]),
            ("organisation", vec!["Organization"]),
            ("Orgnaiztion", vec!["Organization"]),
            ("subclassof", vec!["subClassOf"]),
            ("Data", vec!["Date"]),
            ("Regnoi", vec![]),
            ("precise", vec![]),
        ] {
            assert_eq!(index.nearest(name, 2), expected, "{name}");
        }
    }

    #[test]
    fn numbers_and_very_short_names_are_not_misspelt() {
        let index = NearNames::new(["GO_0000012", "Term12", "ab", "部门"]);
        for name in ["GO_0000013", "Term13", "ac", "厦门"] {
            assert!(index.nearest(name, 2).is_empty(), "{name}");
        }
    }

    #[test]
    fn the_index_grows_with_the_names_and_not_with_their_square() {
        let names = |n: usize| (0..n).map(|i| format!("ComponentNumber{i:05}")).collect::<Vec<_>>();
        let size = |n: usize| NearNames::new(names(n)).remains.len();
        assert!(size(2000) < size(1000) * 3);
        // Very large sets of names are indexed with one letter removed only.
        assert!(size(8000) < size(1000) * 4);
    }
}
