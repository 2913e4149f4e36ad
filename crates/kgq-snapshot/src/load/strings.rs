//! Sorts many strings that share long prefixes, as IRIs do.

use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_part_by};

/// A string to be sorted, identified by its number.
#[derive(Clone, Copy)]
struct Item {
    /// The next eight bytes, most significant first, then their count (9 if more follow).
    key: u128,
    number: u32,
}

/// Sorts numbers by the strings that they stand for.
///
/// Eight bytes of each string are fetched at a time and compared as an integer; only strings that agree on them are compared
/// further ("caching multikey quicksort").
///
/// # Errors
/// The budget's; the numbers are then in an unspecified order.
pub(super) fn sort<'a>(numbers: &mut [u32], text: impl Fn(u32) -> &'a [u8], budget: &Budget) -> Result<()> {
    let mut items: Vec<Item> = numbers.iter().map(|number| Item { key: 0, number: *number }).collect();
    let mut groups = vec![(0..items.len(), 0)];
    let mut looked = 0;
    while let Some((range, mut depth)) = groups.pop() {
        looked += range.len();
        if looked > BETWEEN_CHECKS {
            looked = 0;
            budget.check()?;
        }
        let group = &mut items[range.clone()];
        if group.len() < 24 {
            group.sort_unstable_by(|a, b| text(a.number)[depth..].cmp(&text(b.number)[depth..]));
            continue;
        }
        let shared = loop {
            let mut shared = true;
            let first = key(text(group[0].number), depth);
            for part in group.chunks_mut(BETWEEN_CHECKS) {
                for item in part.iter_mut() {
                    item.key = key(text(item.number), depth);
                    shared &= item.key == first;
                }
                if part.len() == BETWEEN_CHECKS {
                    budget.check()?;
                }
            }
            // If the whole group agrees on these bytes, no sorting is needed at this depth.
            if !shared || first & 0xff < 9 {
                break shared;
            }
            depth += 8;
        };
        if shared {
            continue;
        }
        if group.len() > BETWEEN_CHECKS {
            sort_part_by(group, Piece::Large, |a, b| a.key.cmp(&b.key), budget)?;
        } else {
            group.sort_unstable_by_key(|item| item.key);
        }
        let mut start = range.start;
        for equal in group.chunk_by(|a, b| a.key == b.key) {
            if equal.len() > 1 && equal[0].key & 0xff == 9 {
                groups.push((start..start + equal.len(), depth + 8));
            }
            start += equal.len();
        }
    }
    numbers.iter_mut().zip(&items).for_each(|(number, item)| *number = item.number);
    Ok(())
}

/// Strings compared between two checks of the budget.
const BETWEEN_CHECKS: usize = 1 << 17;

#[inline]
fn key(text: &[u8], depth: usize) -> u128 {
    let rest = &text[depth..];
    let (bytes, count) = match rest.first_chunk::<8>() {
        Some(bytes) => (*bytes, if rest.len() > 8 { 9 } else { 8 }),
        None => {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            (bytes, rest.len())
        }
    };
    u128::from(u64::from_be_bytes(bytes)) << 8 | count as u128
}

#[cfg(test)]
mod tests {
    use kgq_syntax::budget::Budget;

    #[test]
    fn strings_sort_by_their_bytes() {
        let mut strings: Vec<Vec<u8>> = Vec::new();
        let mut random = fastrand::Rng::with_seed(7);
        for i in 0..3000 {
            let tail: Vec<u8> = (0..random.usize(..16)).map(|_| random.u8(..4)).collect();
            let head: &[u8] = [b"http://example.com/".as_slice(), b"http://example.com/long/path#", b""][i % 3];
            strings.push([head, &tail].concat());
        }
        let mut numbers: Vec<u32> = (0..strings.len() as u32).collect();
        super::sort(&mut numbers, |n| &strings[n as usize], &Budget::default()).unwrap();
        let sorted: Vec<&[u8]> = numbers.iter().map(|n| strings[*n as usize].as_slice()).collect();
        let mut expected: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
        expected.sort();
        assert_eq!(sorted, expected);
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..strings.len() as u32));
    }
}
