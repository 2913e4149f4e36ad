//! Sorts the positions of rows by ranks: all of them, or the first.

use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;

/// Returns the positions of the first rows by their ranks, in order. Rows with equal ranks stay in the order of the input.
pub fn first_of(ranks: &[Vec<u32>], rows: usize, most: usize) -> Vec<u32> {
    let Some((first, rest)) = ranks.split_first() else { return (0..most as u32).collect() };
    let mut order: Vec<u64> = first.iter().enumerate().map(|(at, rank)| u64::from(*rank) << 32 | at as u64).collect();
    let compare = |a: &u64, b: &u64| {
        (a >> 32).cmp(&(b >> 32)).then_with(|| {
            let (a, b) = (*a as u32 as usize, *b as u32 as usize);
            rest.iter().map(|rank| rank[a].cmp(&rank[b])).find(|o| o.is_ne()).unwrap_or_else(|| a.cmp(&b))
        })
    };
    if most < rows && most > 0 {
        order.select_nth_unstable_by(most - 1, compare);
    }
    order.truncate(most);
    order.sort_unstable_by(compare);
    order.into_iter().map(|key| key as u32).collect()
}

/// Fewer rows than this are sorted by comparing them.
pub const MANY: usize = 2048;
/// Bits of a rank that one pass sorts by.
const DIGIT: u32 = 11;
/// Rows between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 20;

/// Returns the positions of all rows in the order of their ranks; rows with equal ranks stay in the order of the input. It
/// is a radix sort, from the least significant digit of the least significant key, and can check the budget between passes.
pub fn sorted(ranks: &[Vec<u32>], rows: usize, budget: &Budget) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    for ranks in ranks.iter().rev() {
        let mut pairs: Vec<u64> =
            order.iter().map(|at| u64::from(ranks[*at as usize]) << 32 | u64::from(*at)).collect();
        let mut next = vec![0u64; rows];
        for shift in (32..64).step_by(DIGIT as usize) {
            let digit = |pair: u64| (pair >> shift) as usize & ((1 << DIGIT) - 1);
            let mut starts = [0usize; 1 << DIGIT];
            pairs.iter().for_each(|pair| starts[digit(*pair)] += 1);
            budget.check()?;
            if pairs.first().is_some_and(|pair| starts[digit(*pair)] == rows) {
                continue;
            }
            let mut start = 0;
            for count in &mut starts {
                start += std::mem::replace(count, start);
            }
            for chunk in pairs.chunks(ROWS_BETWEEN_CHECKS) {
                budget.check()?;
                for pair in chunk {
                    let place = &mut starts[digit(*pair)];
                    next[*place] = *pair;
                    *place += 1;
                }
            }
            std::mem::swap(&mut pairs, &mut next);
        }
        order.iter_mut().zip(&pairs).for_each(|(at, pair)| *at = *pair as u32);
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_all_and_choosing_the_first_give_the_same_order() {
        let mut seed = 1u32;
        let mut random = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        let ranks: Vec<Vec<u32>> =
            vec![(0..3000).map(|_| !random(40)).collect(), (0..3000).map(|_| random(1 << 23) << 8).collect()];
        for keys in 0..=2 {
            let all = sorted(&ranks[..keys], 3000, &Budget::default()).unwrap();
            let mut expected: Vec<u32> = (0..3000).collect();
            expected.sort_by_key(|at| ranks[..keys].iter().map(|rank| rank[*at as usize]).collect::<Vec<_>>());
            assert_eq!(all, expected);
            for most in [0, 1, 17, 3000] {
                assert_eq!(first_of(&ranks[..keys], 3000, most), all[..most]);
            }
        }
    }
}
