//! What the planner knows about a dataset before any row is read.

use super::stars::{Star, Stars};
use super::storage::Words;
use super::{Index, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Exact counts over a set of statements: the default graph's triples, or the named graphs' quads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Rows: triples, or quads.
    pub rows: u64,
    pub distinct_subjects: u64,
    pub distinct_predicates: u64,
    pub distinct_objects: u64,
    /// Sorted by predicate.
    pub predicates: Vec<PredicateStatistics>,
    /// The sets of predicates that subjects have, the most frequent first.
    pub characteristic_sets: Vec<CharacteristicSet>,
    /// Subjects whose characteristic set was too rare to keep.
    pub other_subjects: u64,
}

/// Counts over the statements with one predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredicateStatistics {
    pub predicate: TermId,
    pub rows: u64,
    pub distinct_subjects: u64,
    pub distinct_objects: u64,
}

/// Subjects that have exactly the same predicates (Neumann and Moerkotte, ICDE 2011).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharacteristicSet {
    /// Sorted.
    pub predicates: Vec<TermId>,
    pub subjects: u64,
    /// For each predicate, how many statements these subjects have with it.
    pub rows: Vec<u64>,
}

/// The most characteristic sets kept: more would cost more to read than they improve the estimates.
const MOST_SETS: usize = 4096;

impl Statistics {
    /// The counts for one predicate; zeros if the dataset does not have it.
    pub fn predicate(&self, predicate: TermId) -> PredicateStatistics {
        match self.predicates.binary_search_by_key(&predicate, |p| p.predicate) {
            Ok(at) => self.predicates[at],
            Err(_) => PredicateStatistics { predicate, rows: 0, distinct_subjects: 0, distinct_objects: 0 },
        }
    }

    pub(super) fn to_words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        let mut wide = |n: u64| words.extend([n as u32, (n >> 32) as u32]);
        wide(self.rows);
        wide(self.distinct_subjects);
        wide(self.distinct_predicates);
        wide(self.distinct_objects);
        wide(self.other_subjects);
        wide(self.predicates.len() as u64);
        wide(self.characteristic_sets.len() as u64);
        for p in &self.predicates {
            wide(u64::from(p.predicate.get()));
            wide(p.rows);
            wide(p.distinct_subjects);
            wide(p.distinct_objects);
        }
        for set in &self.characteristic_sets {
            wide(set.predicates.len() as u64);
            wide(set.subjects);
            for (predicate, rows) in set.predicates.iter().zip(&set.rows) {
                wide(u64::from(predicate.get()));
                wide(*rows);
            }
        }
        words
    }

    /// Reads the words of [`Statistics::to_words`]; `None` if they are malformed.
    pub(super) fn from_words(words: &[u32]) -> Option<Self> {
        let mut words = words.as_chunks::<2>().0.iter();
        let mut wide = || words.next().map(|[low, high]| u64::from(*low) | u64::from(*high) << 32);
        let mut statistics = Self {
            rows: wide()?,
            distinct_subjects: wide()?,
            distinct_predicates: wide()?,
            distinct_objects: wide()?,
            other_subjects: wide()?,
            ..Self::default()
        };
        let (predicates, sets) = (wide()?, wide()?);
        for _ in 0..predicates {
            statistics.predicates.push(PredicateStatistics {
                predicate: TermId::new(wide()? as u32),
                rows: wide()?,
                distinct_subjects: wide()?,
                distinct_objects: wide()?,
            });
        }
        for _ in 0..sets {
            let width = wide()?;
            let mut set = CharacteristicSet { predicates: Vec::new(), subjects: wide()?, rows: Vec::new() };
            for _ in 0..width {
                set.predicates.push(TermId::new(wide()? as u32));
                set.rows.push(wide()?);
            }
            statistics.characteristic_sets.push(set);
        }
        Some(statistics)
    }

    /// Counts from the orders by subject and predicate, predicate and subject, predicate and object, and object.
    pub(super) fn count(
        spo: Index<'_>,
        pso: Index<'_>,
        pos: Index<'_>,
        osp: Index<'_>,
        budget: &Budget,
    ) -> Result<Self> {
        let predicates: Vec<PredicateStatistics> = pso
            .keys()
            .map(|(predicate, run)| {
                Ok(PredicateStatistics {
                    predicate,
                    rows: run.len() as u64,
                    distinct_subjects: distinct(pso, run.clone(), budget)?,
                    distinct_objects: distinct(pos, run, budget)?,
                })
            })
            .collect::<Result<_>>()?;
        let (characteristic_sets, other_subjects) = characteristic_sets(spo, budget)?;
        Ok(Self {
            rows: spo.len() as u64,
            distinct_subjects: spo.keys().count() as u64,
            distinct_predicates: predicates.len() as u64,
            distinct_objects: osp.keys().count() as u64,
            predicates,
            characteristic_sets,
            other_subjects,
        })
    }
}

/// Statistics that are decoded on first use.
#[derive(Debug, Default)]
pub(super) struct StoredStatistics {
    words: Words,
    decoded: OnceLock<Statistics>,
    stars: OnceLock<Stars>,
}

impl StoredStatistics {
    pub(super) fn get(&self) -> &Statistics {
        self.decoded.get_or_init(|| {
            // Damaged statistics read as zeros: the estimates are then useless, but the snapshot reports the damage.
            Statistics::from_words(self.words.slice(0..self.words.len())).unwrap_or_default()
        })
    }

    pub(super) fn new(words: Words) -> Self {
        Self { words, ..Self::default() }
    }

    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    pub(super) fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star> {
        let statistics = self.get();
        self.stars.get_or_init(|| Stars::new(statistics)).count(statistics, predicate, others)
    }
}

/// The number of statements counted between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 20;

/// The number of distinct ids in these rows of a column, which are sorted.
fn distinct(index: Index<'_>, rows: Range<usize>, budget: &Budget) -> Result<u64> {
    let (mut changes, mut last, mut at) = (0, None, rows.start);
    let mut sorted = index.blocks(1, rows);
    loop {
        if at.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            budget.check()?;
        }
        let part = sorted.from(at);
        let Some(first) = part.first() else { return Ok(changes) };
        changes += u64::from(last != Some(*first));
        changes += part.windows(2).map(|pair| u64::from(pair[0] != pair[1])).sum::<u64>();
        last = part.last().copied();
        at += part.len();
    }
}

fn characteristic_sets(spo: Index<'_>, budget: &Budget) -> Result<(Vec<CharacteristicSet>, u64)> {
    let mut sets: FxHashMap<Vec<TermId>, (u64, Vec<u64>)> = FxHashMap::default();
    let (mut predicates, mut rows) = (Vec::new(), Vec::new());
    let (mut looked, mut column) = (0, spo.blocks(1, 0..spo.len()));
    for (_, run) in spo.keys() {
        looked += run.len();
        if looked >= ROWS_BETWEEN_CHECKS {
            looked = 0;
            budget.check()?;
        }
        predicates.clear();
        rows.clear();
        for predicate in column.by_ref().take(run.len()) {
            if predicates.last() != Some(&predicate) {
                predicates.push(predicate);
                rows.push(0);
            }
            if let Some(count) = rows.last_mut() {
                *count += 1;
            }
        }
        if !sets.contains_key(&predicates) {
            sets.insert(predicates.clone(), (0, vec![0; predicates.len()]));
        }
        if let Some((subjects, totals)) = sets.get_mut(&predicates) {
            *subjects += 1;
            totals.iter_mut().zip(&rows).for_each(|(total, n)| *total += n);
        }
    }
    let mut sets: Vec<CharacteristicSet> = sets
        .into_iter()
        .map(|(predicates, (subjects, rows))| CharacteristicSet { predicates, subjects, rows })
        .collect();
    sets.sort_unstable_by(|a, b| b.subjects.cmp(&a.subjects).then_with(|| a.predicates.cmp(&b.predicates)));
    let other = sets.iter().skip(MOST_SETS).map(|set| set.subjects).sum();
    sets.truncate(MOST_SETS);
    Ok((sets, other))
}
