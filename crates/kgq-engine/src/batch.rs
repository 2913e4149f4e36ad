//! A few thousand solutions as columns of ids. Operators pass them to each other, and expressions work on them.
//!
//! The plan, not the batch, knows which variable a column holds.

use kgq_snapshot::TermId;

/// Rows of bindings, by column. Every column has `rows` entries; an unbound variable is `TermId::UNBOUND`.
///
/// A row may stand for several equal solutions; `weights` then holds their number (never 0). Counting joins multiply
/// weights where others would repeat rows. An aggregate must therefore add a value `weight` times; filters and
/// expressions can ignore weights.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    columns: Vec<Vec<TermId>>,
    weights: Option<Vec<u64>>,
    rows: usize,
    /// The number of the solution in the first row, once expressions have asked for one.
    first_solution: Option<u64>,
}

impl Batch {
    /// The most rows that an operator puts into a batch, once a query has shown that it wants many.
    pub const ROWS: usize = 4096;

    pub fn new(columns: Vec<Vec<TermId>>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|c| c.len() == rows));
        Self { columns, weights: None, rows, first_solution: None }
    }

    /// The one solution that binds nothing, over `width` variables.
    pub fn unit(width: usize) -> Self {
        Self::new(vec![vec![TermId::UNBOUND]; width], 1)
    }

    #[must_use]
    pub(crate) fn with_weights(mut self, weights: Option<Vec<u64>>) -> Self {
        debug_assert!(weights.as_ref().is_none_or(|w| w.len() == self.rows));
        self.weights = weights;
        self
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn width(&self) -> usize {
        self.columns.len()
    }

    pub fn column(&self, at: usize) -> &[TermId] {
        &self.columns[at]
    }

    pub fn columns(&self) -> &[Vec<TermId>] {
        &self.columns
    }

    pub(crate) fn into_columns(self) -> Vec<Vec<TermId>> {
        self.columns
    }

    pub fn get(&self, column: usize, row: usize) -> TermId {
        self.columns[column][row]
    }

    pub fn weights(&self) -> Option<&[u64]> {
        self.weights.as_deref()
    }

    /// Returns how many solutions the row stands for.
    pub fn weight(&self, row: usize) -> u64 {
        self.weights.as_ref().map_or(1, |w| w[row])
    }

    /// Adds a column on the right.
    pub fn push(&mut self, column: Vec<TermId>) {
        debug_assert_eq!(column.len(), self.rows);
        self.columns.push(column);
    }

    /// Returns the rows at the given positions, in that order (a position may be repeated).
    #[must_use]
    pub fn select(&self, positions: &[u32]) -> Self {
        Self {
            columns: self.columns.iter().map(|c| gather(c, positions)).collect(),
            weights: self.weights.as_ref().map(|w| positions.iter().map(|at| w[*at as usize]).collect()),
            rows: positions.len(),
            first_solution: None,
        }
    }

    /// Returns the number of the solution in the first row; the following rows have the following numbers. If there is
    /// none yet, `number` makes it. A batch that is only extended keeps it.
    pub(crate) fn first_solution(&mut self, number: impl FnOnce() -> u64) -> u64 {
        *self.first_solution.get_or_insert_with(number)
    }

    /// Returns the columns at the given positions, in that order.
    #[must_use]
    pub fn project(mut self, columns: &[usize]) -> Self {
        if columns.iter().copied().eq(0..self.columns.len()) {
            return self;
        }
        let mut last_use = vec![0; self.columns.len()];
        for (at, column) in columns.iter().enumerate() {
            last_use[*column] = at;
        }
        let columns = columns
            .iter()
            .enumerate()
            .map(
                |(at, c)| {
                    if last_use[*c] == at { std::mem::take(&mut self.columns[*c]) } else { self.columns[*c].clone() }
                },
            )
            .collect();
        Self { columns, weights: self.weights, rows: self.rows, first_solution: self.first_solution }
    }

    /// Returns the bytes that the batch holds.
    pub fn bytes(&self) -> u64 {
        let ids: usize = self.columns.iter().map(|c| c.capacity() * size_of::<TermId>()).sum();
        (ids + self.weights.as_ref().map_or(0, |w| w.capacity() * 8)) as u64
    }
}

/// A list with at least this many rows grows by an eighth.
const LARGE: usize = 1 << 12;

/// Returns the capacity for a list of `rows` rows that needs `needed`: a large list does not take twice its size.
pub(crate) fn room_for(rows: usize, needed: usize) -> usize {
    if rows < LARGE { needed.max(rows * 2) } else { needed.max(rows + rows / 8) }
}

/// Returns the column's entries at the given positions.
pub(crate) fn gather(column: &[TermId], positions: &[u32]) -> Vec<TermId> {
    positions.iter().map(|at| column[*at as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u32]) -> Vec<TermId> {
        ids.iter().copied().map(TermId::new).collect()
    }

    #[test]
    fn a_column_can_be_projected_twice() {
        let batch = Batch::new(vec![ids(&[1, 2]), ids(&[3, 4])], 2).project(&[1, 0, 1]);
        assert_eq!(batch.columns(), [ids(&[3, 4]), ids(&[1, 2]), ids(&[3, 4])]);
    }

    #[test]
    fn selected_rows_keep_their_weights() {
        let batch = Batch::new(vec![ids(&[1, 2])], 2).with_weights(Some(vec![5, 7])).select(&[1, 1]);
        assert_eq!((batch.weights(), batch.get(0, 0)), (Some([7, 7].as_slice()), TermId::new(2)));
    }
}
