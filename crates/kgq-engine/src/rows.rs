//! The rows of a SELECT: one by one as terms, or, from our executor, as columns of ids. A writer of many rows reads
//! values and texts from the ids without making a term for each.

use super::answer::{Held, Row, Stream};
use super::result::TermColumns;
use super::terms::Terms;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Exceeded;
use kgq_syntax::error::{Error, Result};

/// An iterator over rows.
pub struct SolutionRows(Found);

enum Found {
    Terms(Box<dyn Iterator<Item = Result<Row>> + Send>),
    Ids(IdRows),
}

impl SolutionRows {
    pub fn new(rows: impl Iterator<Item = Result<Row>> + Send + 'static) -> Self {
        Self(Found::Terms(Box::new(rows)))
    }

    pub(crate) fn of_ids(held: Held) -> Self {
        Self(Found::Ids(IdRows { held, columns: Vec::new(), left: 0, most: None, given: 0, is_over: false }))
    }

    /// Returns the rows as columns of ids.
    ///
    /// # Errors
    /// The rows themselves, if they are not our executor's, or if one was already taken as terms: others were computed with it.
    pub fn into_ids(self) -> std::result::Result<IdRows, Self> {
        match self.0 {
            Found::Ids(rows) if rows.given == 0 => Ok(rows),
            found => Err(Self(found)),
        }
    }

    /// Makes the rows end in an error if the data that they read turn out to be damaged.
    pub(crate) fn sound(self, snapshot: &Snapshot) -> Self {
        match self.0 {
            Found::Terms(rows) => Self::new(super::asked(snapshot.clone(), rows)),
            // They check by themselves.
            Found::Ids(_) => self,
        }
    }

    /// Makes the rows end in an error if there are more than `most`: a cut answer must not look whole.
    pub(crate) fn at_most(self, most: u64) -> Self {
        match self.0 {
            Found::Terms(rows) => Self::new(super::cut(rows, most)),
            Found::Ids(rows) => Self(Found::Ids(IdRows { most: Some(most), ..rows })),
        }
    }
}

impl Iterator for SolutionRows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Found::Terms(rows) => rows.next(),
            Found::Ids(rows) => rows.next_row(),
        }
    }
}

/// The rows of our executor, with the meaning of their ids. As with terms, nothing read from a damaged file is returned.
pub struct IdRows {
    held: Held,
    /// The terms of a batch, of which so many rows were not taken yet.
    columns: TermColumns,
    left: usize,
    /// How many rows are allowed, and how many were returned.
    most: Option<u64>,
    given: u64,
    is_over: bool,
}

impl IdRows {
    fn next_row(&mut self) -> Option<Result<Row>> {
        if self.is_over {
            return None;
        }
        while self.left == 0 {
            let found = self.held.with_dependent_mut(|_, stream| match stream {
                Stream::Solutions(_, rows) => rows.next_terms(),
                Stream::Boolean(_) | Stream::Graph(_) => Ok(None),
            });
            match self.ended(found) {
                Ok(Some((columns, rows))) => (self.columns, self.left) = (columns, rows),
                ended => return ended.map(|_| None).transpose(),
            }
        }
        self.left -= 1;
        match self.count(1) {
            Ok(()) => Some(Ok(self.columns.iter_mut().map(|column| column.next().flatten()).collect())),
            Err(error) => self.ended(Err(error)).transpose(),
        }
    }

    /// Passes the next rows to `take`, as columns, with their number; an unbound variable is [`TermId::UNBOUND`].
    /// Returns false after the last row.
    ///
    /// # Errors
    /// Those of the rows: the budget's limits, damage to the snapshot.
    pub fn next_columns(&mut self, mut take: impl FnMut(&[Vec<TermId>], usize)) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let found = self.held.with_dependent_mut(|_, stream| match stream {
            Stream::Solutions(_, rows) => {
                let Some(batch) = rows.next_batch()? else { return Ok(None) };
                rows.context().snapshot().intact()?;
                take(batch.columns(), batch.rows());
                Ok(Some(batch.rows()))
            }
            Stream::Boolean(_) | Stream::Graph(_) => Ok(None),
        });
        let found = found.and_then(|rows| rows.map_or(Ok(None), |rows| self.count(rows as u64).map(Some)));
        Ok(self.ended(found)?.is_some())
    }

    /// Reads the terms and values of ids in the rows.
    ///
    /// # Errors
    /// Those of `read`; damage to the snapshot.
    pub fn with_terms<T>(&self, read: impl FnOnce(&Terms<'_>) -> Result<T>) -> Result<T> {
        let told = self.held.with_dependent(|_, stream| match stream {
            Stream::Solutions(_, rows) => read(rows.context().terms()),
            Stream::Boolean(_) | Stream::Graph(_) => Err(Error::bug("an answer without rows has terms of rows")),
        });
        self.held.borrow_owner().intact()?;
        told
    }

    fn count(&mut self, rows: u64) -> Result<()> {
        self.given += rows;
        match self.most {
            Some(most) if self.given > most => Err(too_many(most)),
            _ => Ok(()),
        }
    }

    /// Returns `found`. Before the end or an error, which damage may have caused, it reports the damage.
    fn ended<T>(&mut self, found: Result<Option<T>>) -> Result<Option<T>> {
        if !matches!(found, Ok(Some(_))) {
            self.is_over = true;
            self.held.borrow_owner().intact()?;
        }
        found
    }
}

pub(crate) fn too_many(most: u64) -> Error {
    Error::exceeded(Exceeded::Rows, format!("the answer has more than {most} rows"))
}
