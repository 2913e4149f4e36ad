//! How many subjects have several predicates at once: the characteristic sets, by predicate.

use super::TermId;
use super::statistics::Statistics;
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};

/// The subjects that have all of some predicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Star {
    pub subjects: u64,
    /// How many statements with one of the predicates they have.
    pub rows: u64,
}

/// The characteristic sets that each predicate is in.
#[derive(Debug, Default)]
pub(super) struct Stars {
    sets: FxHashMap<TermId, Sets>,
    /// What was counted, by a predicate and the others, sorted: planners ask the same again and again.
    counted: Mutex<FxHashMap<Vec<TermId>, Option<Star>>>,
}

/// So many counts are kept.
const MOST_COUNTED: usize = 1 << 12;

#[derive(Debug, Default)]
struct Sets {
    /// The numbers of the sets in order, and how many statements with the predicate the subjects of each have.
    listed: Vec<(u32, u64)>,
    /// One bit for each set.
    bits: Vec<u64>,
}

impl Stars {
    pub(super) fn new(statistics: &Statistics) -> Self {
        let mut sets: FxHashMap<TermId, Sets> = FxHashMap::default();
        let words = statistics.characteristic_sets.len().div_ceil(64);
        for (number, set) in statistics.characteristic_sets.iter().enumerate() {
            for (predicate, rows) in set.predicates.iter().zip(&set.rows) {
                let of = sets.entry(*predicate).or_default();
                of.listed.push((number as u32, *rows));
                of.bits.resize(words, 0);
                of.bits[number / 64] |= 1 << (number % 64);
            }
        }
        Self { sets, counted: Mutex::default() }
    }

    /// Counts the subjects with a predicate and all of the others.
    pub(super) fn count(&self, statistics: &Statistics, predicate: TermId, others: &[TermId]) -> Option<Star> {
        let mut asked = Vec::with_capacity(others.len() + 1);
        asked.push(predicate);
        asked.extend_from_slice(others);
        asked[1..].sort_unstable();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(star) = counted.get(&asked) {
            return *star;
        }
        let star = self.count_sets(statistics, &asked);
        if counted.len() < MOST_COUNTED {
            counted.insert(asked, star);
        }
        star
    }

    /// Counts the subjects that have all of these predicates, with their statements of the first.
    fn count_sets(&self, statistics: &Statistics, predicates: &[TermId]) -> Option<Star> {
        let mut star = Star { subjects: 0, rows: 0 };
        let sets: Option<Vec<&Sets>> = predicates.iter().map(|predicate| self.sets.get(predicate)).collect();
        if let Some([first, others @ ..]) = sets.as_deref() {
            let mut common = first.bits.clone();
            for other in others {
                common.iter_mut().zip(&other.bits).for_each(|(word, others)| *word &= others);
            }
            for (number, rows) in &first.listed {
                let number = *number as usize;
                if common[number / 64] & 1 << (number % 64) != 0 {
                    star.subjects += statistics.characteristic_sets[number].subjects;
                    star.rows += rows;
                }
            }
        }
        // Subjects whose set is too rare to be kept may have them.
        (star.subjects > 0 || statistics.other_subjects == 0).then_some(star)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::CharacteristicSet;

    #[test]
    fn subjects_of_several_predicates_are_those_of_the_sets_that_have_them_all() {
        let id = TermId::new;
        let set = |predicates: &[u32], subjects: u64| CharacteristicSet {
            predicates: predicates.iter().map(|p| id(*p)).collect(),
            subjects,
            rows: predicates.iter().map(|p| subjects * u64::from(*p)).collect(),
        };
        // More sets than the bits of a word.
        let mut sets = vec![set(&[1, 2, 3], 10), set(&[1, 3], 5), set(&[2], 4)];
        sets.extend((0..100).map(|_| set(&[2, 7], 1)));
        let mut statistics = Statistics { characteristic_sets: sets, ..Statistics::default() };
        let stars = Stars::new(&statistics);
        for _ in 0..2 {
            let count = |predicate: u32, others: &[u32]| {
                let others: Vec<TermId> = others.iter().map(|other| id(*other)).collect();
                stars.count(&statistics, id(predicate), &others).map(|star| (star.subjects, star.rows))
            };
            assert_eq!(count(3, &[]), Some((15, 45)));
            assert_eq!(count(3, &[1]), Some((15, 45)));
            assert_eq!(count(1, &[3, 2]), Some((10, 10)));
            assert_eq!(count(2, &[1, 3]), Some((10, 20)));
            assert_eq!(count(7, &[2]), Some((100, 700)));
            assert_eq!(count(7, &[1]), Some((0, 0)));
            assert_eq!(count(9, &[1]), Some((0, 0)));
        }
        statistics.other_subjects = 1;
        assert_eq!(Stars::new(&statistics).count(&statistics, id(7), &[id(1)]), None);
    }
}
