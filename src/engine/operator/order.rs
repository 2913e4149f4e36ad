//! ORDER BY: collects all rows and sorts them; with a limit it keeps only as many as are asked for.

use super::table::Table;
use super::{Context, Node, Operator, Pace, names};
use crate::engine::batch::Batch;
use crate::engine::order::Order as Comparison;
use crate::error::Result;

pub struct Order<'s> {
    input: Node<'s>,
    /// Columns, with whether they sort descending.
    keys: Vec<(usize, bool)>,
    limit: Option<u64>,
    sorted: Option<(Table, Vec<u32>)>,
    at: usize,
    pace: Pace,
}

impl<'s> Order<'s> {
    pub fn new(input: Node<'s>, keys: Vec<(usize, bool)>, limit: Option<u64>) -> Self {
        Self { input, keys, limit, sorted: None, at: 0, pace: Pace::default() }
    }

    fn run(&mut self, cx: &Context<'s>) -> Result<(Table, Vec<u32>)> {
        let mut table = Table::new(self.input.vars.len());
        let most = self.limit.and_then(|limit| usize::try_from(limit).ok());
        while let Some(batch) = self.input.next(cx)? {
            table.append(batch, cx)?;
            if let Some(most) = most
                && table.rows >= most.saturating_mul(4).max(1 << 16)
            {
                let first = self.positions(&table, Some(most), cx)?;
                let kept = table.select(&first);
                table.release(cx);
                table = Table::new(self.input.vars.len());
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
        cx.guard().check()?;
        let Some(first) = ranks.first() else { return Ok((0..most as u32).collect()) };
        // The position makes the order that of the input where keys are equal.
        let mut order: Vec<u64> =
            first.iter().enumerate().map(|(at, rank)| u64::from(*rank) << 32 | at as u64).collect();
        let rest = &ranks[1..];
        let compare = |a: &u64, b: &u64| {
            (a >> 32).cmp(&(b >> 32)).then_with(|| {
                let (a, b) = (*a as u32 as usize, *b as u32 as usize);
                rest.iter().map(|rank| rank[a].cmp(&rank[b])).find(|o| o.is_ne()).unwrap_or_else(|| a.cmp(&b))
            })
        };
        if most < rows && most > 0 {
            if rest.is_empty() {
                order.select_nth_unstable(most - 1);
            } else {
                order.select_nth_unstable_by(most - 1, compare);
            }
        }
        order.truncate(most);
        if rest.is_empty() {
            order.sort_unstable();
        } else {
            order.sort_unstable_by(compare);
        }
        cx.guard().check()?;
        Ok(order.into_iter().map(|key| key as u32).collect())
    }
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

    fn describe(&self, cx: &Context<'s>) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(column, descending)| {
                let name = names(&[self.input.vars[*column]], cx);
                if *descending { format!("DESC({name})") } else { name }
            })
            .collect();
        match self.limit {
            Some(limit) => format!("order by {}, first {limit}", keys.join(" ")),
            None => format!("order by {}", keys.join(" ")),
        }
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }
}
