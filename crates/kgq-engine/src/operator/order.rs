//! ORDER BY: collects all rows and sorts them; with a limit it keeps only as many as are asked for.

use super::table::Table;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::order::Order as Comparison;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    /// Columns, with whether they sort descending.
    pub keys: Vec<(usize, bool)>,
    pub limit: Option<u64>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(column, descending)| {
                let name = labels.name(self.input.vars[*column]);
                if *descending { format!("DESC({name})") } else { name }
            })
            .collect();
        match self.limit {
            Some(limit) => format!("order by {}, first {limit}", keys.join(" ")),
            None => format!("order by {}", keys.join(" ")),
        }
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Order::new(opening.node(&self.input)?, self.keys.clone(), self.limit)))
    }
}

struct Order<'s> {
    input: Node<'s>,
    keys: Vec<(usize, bool)>,
    limit: Option<u64>,
    sorted: Option<(Table, Vec<u32>)>,
    at: usize,
    pace: Pace,
}

impl<'s> Order<'s> {
    fn new(input: Node<'s>, keys: Vec<(usize, bool)>, limit: Option<u64>) -> Self {
        Self { input, keys, limit, sorted: None, at: 0, pace: Pace::default() }
    }

    fn run(&mut self, cx: &Context<'s>) -> Result<(Table, Vec<u32>)> {
        let mut table = Table::new(self.input.width);
        let most = self.limit.and_then(|limit| usize::try_from(limit).ok());
        while let Some(batch) = self.input.next(cx)? {
            table.append(batch, cx)?;
            if let Some(most) = most
                && table.rows >= most.saturating_mul(4).max(1 << 16)
            {
                let first = self.positions(&table, Some(most), cx)?;
                let kept = table.select(&first);
                table = Table::new(self.input.width);
                table.append(kept, cx)?;
            }
        }
        let positions = self.positions(&table, most, cx)?;
        Ok((table, positions))
    }

    /// The rows in order, or the first of them.
    fn positions(&self, table: &Table, most: Option<usize>, cx: &Context<'s>) -> Result<Vec<u32>> {
        let rows = table.rows;
        let most = most.unwrap_or(rows).min(rows);
        let mut comparison = Comparison::new(cx.terms());
        let mut ranks = Vec::new();
        for (column, descending) in &self.keys {
            let mut column = comparison.ranks(&table.columns[*column])?;
            if *descending {
                column.iter_mut().for_each(|rank| *rank = !*rank);
            }
            ranks.push(column);
        }
        drop(comparison);
        // The ranks, and pairs of rank and position twice: in order, and about to be.
        let bytes = (rows * (ranks.len() * 4 + 16)) as u64;
        let _held = cx.budget().reserve(bytes)?;
        let positions = if rows < MANY || most < rows / 8 {
            first_of(&ranks, rows, most)
        } else {
            let mut positions = sorted(&ranks, rows, cx.budget())?;
            positions.truncate(most);
            positions
        };
        cx.budget().check()?;
        Ok(positions)
    }
}

/// The positions of the first rows by their ranks, in order; where ranks are equal as in the input.
fn first_of(ranks: &[Vec<u32>], rows: usize, most: usize) -> Vec<u32> {
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
const MANY: usize = 2048;
/// Bits of a rank that one pass looks at.
const DIGIT: u32 = 11;
/// Rows between two looks at the clock.
const ROWS_BETWEEN_CHECKS: usize = 1 << 20;

/// The positions of all rows in the order of their ranks, where these are equal as in the input: a radix sort, least significant digit of the
/// least significant key first, which can be stopped at any row.
fn sorted(ranks: &[Vec<u32>], rows: usize, budget: &Budget) -> Result<Vec<u32>> {
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

impl<'s> Operator<'s> for Order<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let (table, positions) = match self.sorted.take() {
            Some(sorted) => sorted,
            None => self.run(cx)?,
        };
        let end = positions.len().min(self.at + self.pace.step());
        let batch = (self.at < end).then(|| table.select(&positions[self.at..end]));
        self.at = end;
        self.sorted = Some((table, positions));
        Ok(batch)
    }
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
