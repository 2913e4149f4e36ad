//! Sorting that can be stopped: a merge sort that asks between pieces whether to go on.

use kgq_syntax::error::Result;
use std::cmp::Ordering;

/// Items that are sorted or merged between two questions.
const PIECE: usize = 1 << 13;

/// The positions of the items in their order, where they are equal as they come. `go_on` is asked after every few thousand.
///
/// # Errors
/// What `go_on` says.
pub fn positions<T>(
    items: &[T],
    mut compare: impl FnMut(&T, &T) -> Ordering,
    mut go_on: impl FnMut() -> Result<()>,
) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    for piece in order.chunks_mut(PIECE) {
        go_on()?;
        piece.sort_by(|a, b| compare(&items[*a as usize], &items[*b as usize]));
    }
    let mut merged = Vec::with_capacity(order.len());
    let mut sorted = PIECE;
    while sorted < order.len() {
        merged.clear();
        for pair in order.chunks(sorted * 2) {
            let (mut left, mut right) = pair.split_at(sorted.min(pair.len()));
            while let (Some((a, a_rest)), Some((b, b_rest))) = (left.split_first(), right.split_first()) {
                if merged.len().is_multiple_of(PIECE) {
                    go_on()?;
                }
                if compare(&items[*a as usize], &items[*b as usize]).is_le() {
                    merged.push(*a);
                    left = a_rest;
                } else {
                    merged.push(*b);
                    right = b_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut order, &mut merged);
        sorted *= 2;
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Error;
    use std::cell::Cell;

    fn numbers(count: usize) -> Vec<u32> {
        let mut seed = 1u32;
        (0..count)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 20
            })
            .collect()
    }

    #[test]
    fn items_are_sorted_and_equal_ones_stay_as_they_come() {
        for count in [0, 1, PIECE - 1, PIECE, PIECE + 1, PIECE * 5 + 7] {
            let items = numbers(count);
            let mut expected: Vec<u32> = (0..count as u32).collect();
            expected.sort_by_key(|at| items[*at as usize]);
            assert_eq!(positions(&items, u32::cmp, || Ok(())).unwrap(), expected);
        }
    }

    #[test]
    fn the_question_is_asked_often_and_stops_the_sort() {
        let items = numbers(PIECE * 20);
        let (since, longest, asked) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let compare = |a: &u32, b: &u32| {
            since.set(since.get() + 1);
            longest.set(longest.get().max(since.get()));
            a.cmp(b)
        };
        let stopped = positions(&items, compare, || {
            since.set(0);
            asked.set(asked.get() + 1);
            if asked.get() == 60 { Err(Error::input("stop")) } else { Ok(()) }
        });
        assert!(stopped.is_err());
        assert!(asked.get() == 60 && longest.get() < PIECE * 20, "{} between two questions", longest.get());
    }
}
