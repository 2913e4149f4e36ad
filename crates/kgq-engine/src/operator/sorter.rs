//! Sorts rows by the ids of some columns, in a file as far as there is no memory for them: what DISTINCT and GROUP BY do with rows for
//! which there is no room.

use super::Context;
use super::merge::Merge;
use super::spill::{Run, Spill, is_of_memory, is_time_to_write};
use super::table::Table;
use crate::batch::Batch;
use kgq_snapshot::{Piece, TermId, sort_by};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;

pub struct Sorter {
    /// The columns by which rows are sorted, the first first.
    columns: Vec<usize>,
    table: Table,
    /// What sorting will take.
    sorting: Reservation,
    spill: Spill,
    runs: Vec<Run>,
}

/// What sorting takes for a row: its position twice.
const ROW_BYTES: usize = 8;
/// Fewer rows than this are not written before there are more.
const FEW: usize = 1024;
/// Runs are not made smaller than this.
const LEAST_RUN: usize = 64;

impl Sorter {
    /// # Errors
    /// The system's.
    pub fn new(width: usize, columns: Vec<usize>, cx: &Context<'_>) -> Result<Self> {
        let (table, spill) = (Table::new(width), Spill::new(width, cx)?);
        Ok(Self { columns, table, sorting: Reservation::default(), spill, runs: Vec::new() })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// A limit of the query; the system's.
    pub fn add(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<()> {
        if self.table.rows >= FEW && is_time_to_write(self.table.bytes() + self.sorting.bytes(), cx) {
            self.write(cx)?;
        }
        match self.collect(batch, cx) {
            Err(error) if is_of_memory(&error) && self.table.rows > 0 => {
                self.write(cx)?;
                self.add(batch, cx)
            }
            Err(error) if is_of_memory(&error) && batch.rows() > LEAST_RUN => {
                self.sorting = Reservation::default();
                let rows: Vec<u32> = (0..batch.rows() as u32).collect();
                let (first, second) = rows.split_at(rows.len() / 2);
                self.add(&batch.select(first), cx)?;
                self.add(&batch.select(second), cx)
            }
            collected => collected,
        }
    }

    fn collect(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<()> {
        self.sorting.grow(cx.budget(), (batch.rows() * ROW_BYTES) as u64)?;
        self.table.append(batch, cx)
    }

    /// Writes what was collected as a sorted run.
    fn write(&mut self, cx: &Context<'_>) -> Result<()> {
        let table = std::mem::replace(&mut self.table, Table::new(self.spill.width()));
        let keys: Vec<&[TermId]> = self.columns.iter().map(|column| table.columns[*column].as_slice()).collect();
        let mut positions: Vec<u32> = (0..table.rows as u32).collect();
        let compare = |a: &u32, b: &u32| {
            let (a, b) = (*a as usize, *b as usize);
            keys.iter().map(|key| key[a].cmp(&key[b])).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
        };
        sort_by(&mut positions, Piece::Small, compare, cx.budget())?;
        let mut pieces = positions.chunks(Batch::ROWS);
        self.runs.push(self.spill.write(|_| Ok(pieces.next().map(|piece| table.select(piece))), cx)?);
        self.sorting = Reservation::default();
        Ok(())
    }

    /// # Errors
    /// A limit of the query; the system's.
    pub fn finish(mut self, cx: &Context<'_>) -> Result<Sorted> {
        if self.table.rows > 0 {
            self.write(cx)?;
        }
        drop(self.table);
        let columns = self.columns;
        let merge = Merge::new(self.spill, self.runs, &mut |block: &Batch| Ok(keys(block, &columns)), cx)?;
        Ok(Sorted { merge, columns })
    }
}

/// Rows in order.
pub struct Sorted {
    merge: Merge<Vec<TermId>>,
    columns: Vec<usize>,
}

impl Sorted {
    /// The next rows, so many at most.
    ///
    /// # Errors
    /// A limit of the query; the system's.
    pub fn next(&mut self, most: usize, cx: &Context<'_>) -> Result<Option<Batch>> {
        cx.budget().check()?;
        self.merge.next(most, &mut |block: &Batch| Ok(keys(block, &self.columns)))
    }
}

fn keys(block: &Batch, columns: &[usize]) -> Vec<Vec<TermId>> {
    (0..block.rows()).map(|row| columns.iter().map(|column| block.get(*column, row)).collect()).collect()
}

/// Adds two columns that number rows on from `first`, so that they can be put in their order again.
pub fn numbered(mut batch: Batch, first: u64) -> Batch {
    let numbers = || first..first + batch.rows() as u64;
    let (high, low) = (
        numbers().map(|number| TermId::new((number >> 32) as u32)).collect(),
        numbers().map(|number| TermId::new(number as u32)).collect(),
    );
    batch.push(high);
    batch.push(low);
    batch
}
