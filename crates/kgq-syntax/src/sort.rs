//! Sorting that can be stopped: a merge sort that checks the budget between pieces.

use crate::budget::{Budget, Reservation};
use crate::error::Result;
use std::cmp::Ordering;

/// The number of items sorted or merged between two checks of the budget: smaller where comparisons take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// For comparisons of numbers.
    Large,
    /// For comparisons that read texts.
    Small,
}

impl Piece {
    fn items(self) -> usize {
        match self {
            Self::Large => 1 << 19,
            Self::Small => 1 << 13,
        }
    }
}

/// Sorts stably: equal items keep their order.
///
/// # Errors
/// The budget's; the items are then in an unspecified order.
pub fn sort_by<T: Copy>(
    items: &mut Vec<T>,
    piece: Piece,
    compare: impl FnMut(&T, &T) -> Ordering,
    budget: &Budget,
) -> Result<()> {
    let mut spare = Vec::new();
    let in_spare = sort_slice(items, &mut spare, piece.items(), compare, budget)?;
    if in_spare {
        *items = spare;
    }
    Ok(())
}

/// Like [`sort_by`], for a slice.
///
/// # Errors
/// The budget's; the items are then in an unspecified order.
pub fn sort_part_by<T: Copy>(
    items: &mut [T],
    piece: Piece,
    compare: impl FnMut(&T, &T) -> Ordering,
    budget: &Budget,
) -> Result<()> {
    let mut spare = Vec::new();
    let in_spare = sort_slice(items, &mut spare, piece.items(), compare, budget)?;
    if in_spare {
        items.copy_from_slice(&spare);
    }
    Ok(())
}

/// Sorts by texts that are made once per item; items with equal texts keep their order and are all kept.
///
/// # Errors
/// The budget's.
pub fn sorted_by_text<T>(
    items: impl IntoIterator<Item = T>,
    text: impl Fn(&T) -> String,
    budget: &Budget,
) -> Result<Vec<T>> {
    let mut held = Reservation::default();
    let (mut keys, mut keyed) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for item in items {
        let key = text(&item);
        bytes += key.capacity() + size_of::<String>() + size_of::<Option<T>>();
        keys.push(key);
        keyed.push(Some(item));
        if keys.len() % Piece::Small.items() == 0 {
            budget.check()?;
            held.resize(budget, bytes as u64)?;
        }
    }
    held.resize(budget, bytes as u64)?;
    let order = order_of(&keys, budget)?;
    Ok(order.into_iter().filter_map(|at| keyed[at].take()).collect())
}

/// Sorts texts. What the texts themselves take is not counted.
///
/// # Errors
/// The budget's.
pub fn sorted_texts(mut texts: Vec<String>, budget: &Budget) -> Result<Vec<String>> {
    let _held = budget.reserve((texts.len() * size_of::<String>()) as u64)?;
    let order = order_of(&texts, budget)?;
    Ok(order.into_iter().map(|at| std::mem::take(&mut texts[at])).collect())
}

/// The positions of the texts, in sorted order.
fn order_of(texts: &[String], budget: &Budget) -> Result<Vec<usize>> {
    let _held = budget.reserve(size_of_val(texts) as u64 / 3)?;
    let mut order: Vec<usize> = (0..texts.len()).collect();
    sort_by(&mut order, Piece::Small, |a, b| texts[*a].cmp(&texts[*b]), budget)?;
    Ok(order)
}

/// Sorts into one of the two buffers; returns true if the result is in the second.
fn sort_slice<T: Copy>(
    items: &mut [T],
    spare: &mut Vec<T>,
    piece: usize,
    mut compare: impl FnMut(&T, &T) -> Ordering,
    budget: &Budget,
) -> Result<bool> {
    if items.len() <= piece {
        items.sort_by(compare);
        return Ok(false);
    }
    for part in items.chunks_mut(piece) {
        budget.check()?;
        part.sort_by(&mut compare);
    }
    let _held = budget.reserve(size_of_val(items) as u64)?;
    *spare = items.to_vec();
    let (mut from, mut to): (&mut [T], &mut [T]) = (items, spare);
    let (mut sorted, mut in_spare) = (piece, false);
    while sorted < from.len() {
        for (pair, out) in from.chunks(sorted * 2).zip(to.chunks_mut(sorted * 2)) {
            merge(pair, sorted, out, piece, &mut compare, budget)?;
        }
        std::mem::swap(&mut from, &mut to);
        in_spare = !in_spare;
        sorted *= 2;
    }
    Ok(in_spare)
}

/// Merges two sorted lists that follow each other; the first has `half` items.
fn merge<T: Copy>(
    pair: &[T],
    half: usize,
    out: &mut [T],
    piece: usize,
    compare: &mut impl FnMut(&T, &T) -> Ordering,
    budget: &Budget,
) -> Result<()> {
    let (mut left, mut right) = pair.split_at(half.min(pair.len()));
    let mut at = 0;
    while let (Some((a, a_rest)), Some((b, b_rest))) = (left.split_first(), right.split_first()) {
        if at % piece == 0 {
            budget.check()?;
        }
        if compare(a, b).is_le() {
            out[at] = *a;
            left = a_rest;
        } else {
            out[at] = *b;
            right = b_rest;
        }
        at += 1;
    }
    out[at..at + left.len()].copy_from_slice(left);
    at += left.len();
    out[at..].copy_from_slice(right);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Clock, Limits, Work};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering as Atomic};
    use std::time::Duration;

    fn numbers(count: usize) -> Vec<u32> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..count).map(|_| random.u32(..4096)).collect()
    }

    #[test]
    fn items_are_sorted_by_texts_that_are_made_once() {
        let items: Vec<(u32, usize)> = numbers(20_000).into_iter().zip(0..).collect();
        let mut expected = items.clone();
        expected.sort_by_key(|(number, _)| number.to_string());
        let budget = Budget::default();
        let sorted = sorted_by_text(items.clone(), |(number, _)| number.to_string(), &budget).unwrap();
        assert_eq!(sorted, expected);
        let texts: Vec<String> = items.iter().map(|(number, _)| number.to_string()).collect();
        let mut expected = texts.clone();
        expected.sort();
        assert_eq!(sorted_texts(texts, &budget).unwrap(), expected);
        assert!(budget.held() == 0 && budget.peak() > 100_000, "{}", budget.peak());
    }

    #[test]
    fn items_are_sorted_and_equal_ones_stay_as_they_come() {
        let piece = Piece::Small.items();
        for count in [0, 1, piece - 1, piece, piece + 1, piece * 2, piece * 5 + 7] {
            let items: Vec<(u32, usize)> = numbers(count).into_iter().zip(0..).collect();
            let mut expected = items.clone();
            expected.sort();
            let (mut all, mut part) = (items.clone(), items);
            sort_by(&mut all, Piece::Small, |a, b| a.0.cmp(&b.0), &Budget::default()).unwrap();
            sort_part_by(&mut part, Piece::Small, |a, b| a.0.cmp(&b.0), &Budget::default()).unwrap();
            assert!(all == expected && part == expected);
        }
    }

    /// Each look at the clock lets one second pass.
    #[derive(Debug, Default)]
    struct Seconds(AtomicU64);

    impl Clock for Seconds {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.fetch_add(1, Atomic::Relaxed))
        }
    }

    #[test]
    fn the_budget_is_asked_often_and_stops_the_sort() {
        let piece = Piece::Small.items();
        for stop in [1, 20, 60] {
            let clock = Arc::new(Seconds::default());
            let limits = Limits { time: Some(Duration::from_secs(stop)), ..Limits::default() };
            let budget = Budget::of(Work::Query, limits, Arc::clone(&clock) as Arc<dyn Clock>);
            let (mut since, mut longest, mut looks) = (0, 0, 0);
            let compare = |a: &u32, b: &u32| {
                let now = clock.0.load(Atomic::Relaxed);
                since = if now == looks { since + 1 } else { 0 };
                looks = now;
                longest = longest.max(since);
                a.cmp(b)
            };
            assert!(sort_by(&mut numbers(piece * 20), Piece::Small, compare, &budget).is_err());
            assert!(longest < piece * 20, "{longest} comparisons between two looks");
            assert_eq!(budget.held(), 0);
        }
    }
}
