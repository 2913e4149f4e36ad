//! Sorts rows by the ids of some columns in a file, as sorted runs that are merged (an external sort). It serves rows
//! that do not fit into memory: those of DISTINCT, GROUP BY and divided hash joins.

use super::Context;
use super::merge::{Keys, Merge};
use super::spill::{Run, Spill, is_of_memory, is_time_to_write};
use super::table::Table;
use crate::batch::Batch;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_part_by};

pub struct Sorter {
    /// The columns by which rows are sorted, most significant first.
    columns: Vec<usize>,
    table: Table,
    /// Reserved for sorting.
    sorting: Reservation,
    spill: Spill,
    runs: Vec<Run>,
}

const POSITION_BYTES: usize = size_of::<u32>();
/// Bytes that sorting takes for a row: its position twice.
const ROW_BYTES: usize = POSITION_BYTES * 2;
/// With fewer rows than this, scarce memory does not cause a run to be written.
const FEW: usize = 1024;
/// Smaller batches are not halved to fit into memory, and runs are not halved below this many rows.
const LEAST_RUN: usize = 64;

impl Sorter {
    /// # Errors
    /// Those of [`Spill::new`].
    pub fn new(width: usize, columns: Vec<usize>, cx: &Context<'_>) -> Result<Self> {
        let (table, spill) = (Table::new(width), Spill::new(width, cx)?);
        Ok(Self { columns, table, sorting: Reservation::default(), spill, runs: Vec::new() })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// A limit of the query; an error of the system.
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

    /// Writes the collected rows as a sorted run.
    fn write(&mut self, cx: &Context<'_>) -> Result<()> {
        let table = std::mem::replace(&mut self.table, Table::new(self.spill.width()));
        let mut positions: Vec<u32> = (0..table.rows as u32).collect();
        // One half stays reserved for the positions; sorting reserves the other half itself.
        self.sorting.shrink((table.rows * POSITION_BYTES) as u64);
        self.write_rows(&table, &mut positions, cx)?;
        self.sorting = Reservation::default();
        Ok(())
    }

    /// Writes rows as a sorted run, or as several if memory does not suffice to sort them at once.
    fn write_rows(&mut self, table: &Table, positions: &mut [u32], cx: &Context<'_>) -> Result<()> {
        let keys: Vec<&[TermId]> = self.columns.iter().map(|column| table.columns[*column].as_slice()).collect();
        let compare = |a: &u32, b: &u32| {
            let (a, b) = (*a as usize, *b as usize);
            keys.iter().map(|key| key[a].cmp(&key[b])).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
        };
        match sort_part_by(positions, Piece::Small, compare, cx.budget()) {
            Err(error) if is_of_memory(&error) && positions.len() >= LEAST_RUN * 2 => {
                // The first run gets the rows that came first, so that rows with equal keys stay in the order of the input.
                positions.sort_unstable();
                let (first, second) = positions.split_at_mut(positions.len() / 2);
                self.write_rows(table, first, cx)?;
                return self.write_rows(table, second, cx);
            }
            sorted => sorted?,
        }
        let mut pieces = positions.chunks(Batch::ROWS);
        self.runs.push(self.spill.write(|_| Ok(pieces.next().map(|piece| table.select(piece))), cx)?);
        Ok(())
    }

    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn finish(mut self, cx: &Context<'_>) -> Result<Sorted> {
        if self.table.rows > 0 {
            self.write(cx)?;
        }
        drop(self.table);
        Ok(Sorted(Merge::new(self.spill, self.runs, Columns(self.columns), cx)?))
    }
}

/// Rows in order.
pub struct Sorted(Merge<Columns>);

/// Compares rows by the ids in these columns.
struct Columns(Vec<usize>);

impl Sorted {
    /// Returns the next rows, at most this many.
    ///
    /// # Errors
    /// A limit of the query; an error of the system.
    pub fn next(&mut self, most: usize, cx: &Context<'_>) -> Result<Option<Batch>> {
        cx.budget().check()?;
        self.0.next(most, cx)
    }
}

impl Keys for Columns {
    type Key = Vec<TermId>;

    fn of(&mut self, block: &Batch, _: &Context<'_>) -> Result<Vec<Vec<TermId>>> {
        let key = |row: usize| self.0.iter().map(|column| block.get(*column, row)).collect();
        Ok((0..block.rows()).map(key).collect())
    }

    fn bytes(key: &Vec<TermId>) -> usize {
        size_of::<Vec<TermId>>() + size_of_val(key.as_slice())
    }

    fn mean_bytes(&self) -> usize {
        size_of::<Vec<TermId>>() + self.0.len() * size_of::<TermId>()
    }
}

/// Adds two columns that number the rows from `first` on, so that sorting by them restores the order.
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
