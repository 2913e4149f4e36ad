//! The sort keys of ORDER BY, and the collected rows with their computed keys.

use super::radix::{MANY, first_of, sorted};
use super::{KeyOf, KeyPlan};
use crate::batch::Batch;
use crate::expression::{Compiled, compile};
use crate::operator::Context;
use crate::operator::merge::Keys;
use crate::operator::table::Table;
use crate::order::{Families, Key, TermOrder, ranks_of_keys};
use crate::plan::Var;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::cmp::Reverse;

pub struct SortKey {
    pub by: By,
    pub descending: bool,
}

pub enum By {
    Column(usize),
    Computed(Compiled),
}

impl SortKey {
    pub fn open(plan: &KeyPlan, vars: &[Var], cx: &Context<'_>) -> Result<Self> {
        let by = match &plan.of {
            KeyOf::Column(column) => By::Column(*column),
            KeyOf::Computed(scalar) => By::Computed(compile(&scalar.expression, vars, &cx.expressions)?),
        };
        Ok(Self { by, descending: plan.descending })
    }
}

/// Computes a key for each row. `counted` is true when the rows are seen for the first time: failures are counted only once.
pub fn computed(compiled: &Compiled, batch: &Batch, counted: bool, cx: &Context<'_>) -> Result<Vec<Key>> {
    let data = compiled.data(batch, counted, &cx.expressions)?;
    Ok(data.into_iter().map(|datum| Key::of_datum(datum, cx.terms())).collect())
}

/// All keys; for those that are columns, also the families of the terms met in them.
pub struct SortKeys {
    pub keys: Vec<SortKey>,
    families: Vec<Families>,
    /// For each key, its bytes in all measured rows.
    measured: Vec<u64>,
    rows_measured: u64,
}

/// One key of a row, by which the merge compares rows. All rows have the same variant at the same position.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    Rank(u32),
    Up(Key),
    Down(Reverse<Key>),
}

/// Bytes that sorting takes for a row, in addition to those for each key.
const ROW_BYTES: usize = 16;
/// Bytes that sorting takes for a key of a row.
const RANK_BYTES: usize = 12;
/// The same for a column whose terms must be decoded.
const DECODED_BYTES: usize = 160;
/// The most rows of a run whose keys are measured.
const MEASURED_ROWS: usize = 64;

impl SortKeys {
    pub fn new(keys: Vec<SortKey>) -> Self {
        let (families, measured) = (vec![Families::default(); keys.len()], vec![0; keys.len()]);
        Self { keys, families, measured, rows_measured: 0 }
    }

    /// Returns the bytes that sorting takes for a row.
    fn bytes_a_row(&self) -> usize {
        let of = |families: &Families| if families.are_mixed() { DECODED_BYTES } else { RANK_BYTES };
        ROW_BYTES + self.families.iter().map(of).sum::<usize>()
    }

    /// Returns the positions of the rows in order, or of the first of them.
    pub fn positions(&mut self, collected: &Collected, most: Option<usize>, cx: &Context<'_>) -> Result<Vec<u32>> {
        let rows = collected.rows();
        let most = most.unwrap_or(rows).min(rows);
        let mut comparison = TermOrder::new(cx.terms());
        let mut ranks = Vec::new();
        for (at, key) in self.keys.iter().enumerate() {
            let mut column = match &key.by {
                By::Column(column) => comparison.ranks(&collected.table.columns[*column], &mut self.families[at])?,
                By::Computed(_) => ranks_of_keys(&collected.computed[at], cx.budget())?,
            };
            if key.descending {
                column.iter_mut().for_each(|rank| *rank = !*rank);
            }
            ranks.push(column);
        }
        drop(comparison);
        // For the ranks, and twice for the pairs of rank and position: a pass reads one copy and writes the other.
        let bytes = (rows * (ranks.len() * 4 + ROW_BYTES)) as u64;
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

    /// Measures the keys of a sample of the rows, which are about to be written.
    pub fn measure(&mut self, rows: &Collected, cx: &Context<'_>) {
        let step = rows.rows().div_ceil(MEASURED_ROWS).max(1);
        for row in (0..rows.rows()).step_by(step) {
            self.rows_measured += 1;
            for (at, key) in self.keys.iter().enumerate() {
                self.measured[at] += match &key.by {
                    By::Column(column) => Key::of(rows.table.columns[*column][row], cx.terms()).bytes(),
                    By::Computed(_) => rows.computed[at][row].bytes(),
                };
            }
        }
    }
}

impl Keys for SortKeys {
    type Key = Vec<RowKey>;

    /// Computes the keys by which the rows of a block are compared.
    fn of(&mut self, block: &Batch, cx: &Context<'_>) -> Result<Vec<Vec<RowKey>>> {
        let mut parts: Vec<Vec<RowKey>> = (0..block.rows()).map(|_| Vec::with_capacity(self.keys.len())).collect();
        let comparison = TermOrder::new(cx.terms());
        for (key, families) in self.keys.iter().zip(&mut self.families) {
            let ranks = match &key.by {
                By::Column(column) => comparison.stored_ranks(block.column(*column), families)?,
                By::Computed(_) => None,
            };
            if let Some(ranks) = ranks {
                let rank = |rank: u32| RowKey::Rank(if key.descending { !rank } else { rank });
                parts.iter_mut().zip(ranks).for_each(|(parts, of)| parts.push(rank(of)));
                continue;
            }
            let keys: Vec<Key> = match &key.by {
                By::Column(column) => block.column(*column).iter().map(|id| Key::of(*id, cx.terms())).collect(),
                By::Computed(compiled) => computed(compiled, block, false, cx)?,
            };
            let part = |of| if key.descending { RowKey::Down(Reverse(of)) } else { RowKey::Up(of) };
            parts.iter_mut().zip(keys).for_each(|(parts, of)| parts.push(part(of)));
        }
        Ok(parts)
    }

    fn bytes(parts: &Vec<RowKey>) -> usize {
        let own = |part: &RowKey| match part {
            RowKey::Rank(_) => 0,
            RowKey::Up(key) | RowKey::Down(Reverse(key)) => key.bytes() as usize,
        };
        size_of::<Vec<RowKey>>() + size_of_val(parts.as_slice()) + parts.iter().map(own).sum::<usize>()
    }

    fn mean_bytes(&self) -> usize {
        let keys = self.keys.iter().zip(&self.families).zip(&self.measured);
        let measured = |((key, families), bytes): ((&SortKey, &Families), &u64)| match key.by {
            // These are compared by the snapshot's ranks, which the key itself holds.
            By::Column(_) if !families.are_mixed() => 0,
            By::Column(_) | By::Computed(_) => bytes / self.rows_measured.max(1),
        };
        size_of::<Vec<RowKey>>() + self.keys.len() * size_of::<RowKey>() + keys.map(measured).sum::<u64>() as usize
    }
}

/// Returns the bytes of keys in a growing list.
fn bytes_of<'k>(keys: impl Iterator<Item = &'k Key>) -> u64 {
    keys.map(|key| key.bytes() + size_of::<Key>() as u64).sum()
}

/// Rows, and the keys that were computed for them.
#[derive(Default)]
pub struct Collected {
    pub table: Table,
    /// For each key, its values by row; empty if the key is a column.
    pub computed: Vec<Vec<Key>>,
    held: Reservation,
    /// Reserved for sorting.
    sorting: Reservation,
}

impl Collected {
    pub fn new(width: usize, keys: &[SortKey]) -> Self {
        Self { table: Table::new(width), computed: keys.iter().map(|_| Vec::new()).collect(), ..Self::default() }
    }

    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// Returns the bytes held for the rows and their keys, and for sorting.
    pub fn bytes(&self) -> u64 {
        self.table.bytes() + self.held.bytes() + self.sorting.bytes()
    }

    pub fn width(&self) -> usize {
        self.table.columns.len()
    }

    pub fn select(&self, positions: &[u32]) -> Batch {
        self.table.select(positions)
    }

    /// Adds all rows, or none if it fails.
    pub fn add(&mut self, batch: &Batch, keys: &SortKeys, cx: &Context<'_>) -> Result<()> {
        let mut more = Vec::new();
        for key in &keys.keys {
            more.push(match &key.by {
                By::Computed(compiled) => computed(compiled, batch, true, cx)?,
                By::Column(_) => Vec::new(),
            });
        }
        self.held.grow(cx.budget(), bytes_of(more.iter().flatten()))?;
        self.sorting.grow(cx.budget(), (batch.rows() * keys.bytes_a_row()) as u64)?;
        self.table.append(batch, cx)?;
        self.computed.iter_mut().zip(more).for_each(|(known, more)| known.extend(more));
        Ok(())
    }

    /// Keeps the rows at these positions, in that order.
    pub fn keep(&mut self, positions: &[u32], keys: &SortKeys, cx: &Context<'_>) -> Result<()> {
        let kept = self.table.select(positions);
        let computed = self.computed.iter_mut().map(|keys| {
            let mut old: Vec<Option<Key>> = std::mem::take(keys).into_iter().map(Some).collect();
            positions.iter().filter_map(|at| old.get_mut(*at as usize)?.take()).collect()
        });
        let computed: Vec<Vec<Key>> = computed.collect();
        self.clear();
        self.computed = computed;
        self.held.grow(cx.budget(), bytes_of(self.computed.iter().flatten()))?;
        self.sorting.grow(cx.budget(), (kept.rows() * keys.bytes_a_row()) as u64)?;
        self.table.append(&kept, cx)
    }

    /// Splits off the rows from `at` on. Their reservation stays here.
    pub fn split_off(&mut self, at: usize) -> Self {
        let computed = self.computed.iter_mut().map(|keys| keys.split_off(at.min(keys.len()))).collect();
        Self { table: self.table.split_off(at), computed, ..Self::default() }
    }

    /// Releases what is reserved for sorting, so that sorting can reserve it.
    pub fn release(&mut self) {
        self.sorting = Reservation::default();
    }

    pub fn clear(&mut self) {
        let width = self.width();
        let keys = self.computed.len();
        *self = Self { table: Table::new(width), ..Self::default() };
        self.computed.resize_with(keys, Vec::new);
    }
}
