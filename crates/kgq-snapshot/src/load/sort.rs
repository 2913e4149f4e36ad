//! Sorts statements in all orders by stable counting: from rows sorted in one order, the next order takes one pass.

use super::places::Places;
use super::run::RunStatements;
use super::spool::{Spool, Spooled, take_array};
use super::threads;
use crate::blocks::Blocks;
use crate::index::Offsets;
use crate::map::{self, Map};
use crate::packed::{Column, Packer};
use crate::storage::{Checked, Words};
use crate::{Component, Sorted, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::sort::{Piece, sort_by, sort_part_by};
use std::path::Path;
use std::sync::Arc;

/// How each order is derived from another, as pairs `(order, from)`, in stages; each stage needs only earlier ones.
///
/// An order can be derived from any order that differs only in that one component was moved to the front.
pub(super) struct Plan<const WIDTH: usize, const ORDERS: usize> {
    pub(super) orders: [[Component; WIDTH]; ORDERS],
    pub(super) stages: &'static [&'static [(usize, usize)]],
}

/// Statements between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 20;

/// Where the statements start for each id in one component.
struct Starts {
    first: u32,
    /// One entry for each id from the first to the last, then the number of statements.
    starts: Vec<u32>,
}

impl Starts {
    fn count<T>(rows: &[T], id: impl Fn(&T) -> u32, budget: &Budget) -> Result<Self> {
        let (mut first, mut last) = (u32::MAX, 0);
        for part in rows.chunks(ROWS_BETWEEN_CHECKS) {
            budget.check()?;
            for row in part {
                (first, last) = (first.min(id(row)), last.max(id(row)));
            }
        }
        if rows.is_empty() {
            return Ok(Self { first: 0, starts: vec![0] });
        }
        let mut starts = vec![0u32; (last - first) as usize + 2];
        for part in rows.chunks(ROWS_BETWEEN_CHECKS) {
            budget.check()?;
            part.iter().for_each(|row| starts[(id(row) - first) as usize + 1] += 1);
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Ok(Self { first, starts })
    }

    /// The ids that have statements, each with its number of statements.
    fn runs(&self) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let runs = self.starts.windows(2).zip(self.first..).map(|(pair, id)| (id, pair[1] - pair[0]));
        runs.filter(|(_, length)| *length > 0)
    }
}

/// Sorts statements in each order and drops duplicates. If there are places, the least place of each statement is kept, in
/// the first order.
pub(super) fn in_memory<const WIDTH: usize, const ORDERS: usize>(
    rows: Vec<[u32; WIDTH]>,
    places: Option<Vec<u32>>,
    plan: &Plan<WIDTH, ORDERS>,
    budget: &Budget,
) -> Result<(Sorted<ORDERS>, Option<Words>)> {
    let has_places = places.is_some();
    let (first_starts, mut first_columns) = base(rows, places, budget)?;
    let places = if has_places { first_columns.pop().map(Words::new) } else { None };
    let len = first_columns[0].len();
    let count = |column: &Vec<u32>| Starts::count(column, |id| *id, budget);
    let mut starts = vec![first_starts];
    starts.extend(threads::each(&first_columns, len, "counting statements", count)?);
    let starts: [Starts; WIDTH] = starts.try_into().unwrap_or_else(|_| unreachable!("there is one for each component"));
    let mut columns: [Vec<Vec<u32>>; ORDERS] = [const { Vec::new() }; ORDERS];
    columns[0] = first_columns;
    for stage in plan.stages {
        budget.check()?;
        let resort = |(order, from): &(usize, usize)| {
            let first = &starts[plan.orders[*from][0].position()];
            let key = &starts[plan.orders[*order][0].position()];
            let moved = plan.orders[*from].iter().position(|c| *c == plan.orders[*order][0]);
            let moved = moved.expect("both orders have the same components");
            move_to_front::<WIDTH>(first, &columns[*from], moved, key, budget)
        };
        let sorted = threads::each(*stage, len, "sorting statements", resort)?;
        for ((order, _), sorted) in stage.iter().zip(sorted) {
            columns[*order] = sorted;
        }
    }
    let mut offsets: [Offsets; 4] = Default::default();
    for (component, starts) in starts.iter().enumerate() {
        offsets[component] = Offsets::build(starts.runs());
    }
    Ok((Sorted { len, offsets, columns: pack(columns, len, budget)? }, places))
}

/// Packs the columns of each order, all of which have this many rows.
fn pack<const ORDERS: usize>(
    columns: [Vec<Vec<u32>>; ORDERS],
    rows: usize,
    budget: &Budget,
) -> Result<[Vec<Column>; ORDERS]> {
    let pack = |column: Vec<u32>| {
        let mut packer = Packer::default();
        for part in column.chunks(ROWS_BETWEEN_CHECKS) {
            budget.check()?;
            packer.push(part);
        }
        packer.end();
        let bits = packer.take_bits();
        Ok(packer.finish(Words::new(bits)))
    };
    let pack_order = |order: Vec<Vec<u32>>| order.into_iter().map(pack).collect::<Result<Vec<Column>>>();
    let packed = threads::each(columns, rows, "packing statements", pack_order)?;
    Ok(packed.try_into().unwrap_or_else(|_| unreachable!("there is one for each order")))
}

/// Sorts by subject, predicate, object and graph. The first component becomes starts, the others become columns; the places,
/// if any, are the last column.
fn base<const WIDTH: usize>(
    rows: Vec<[u32; WIDTH]>,
    places: Option<Vec<u32>>,
    budget: &Budget,
) -> Result<(Starts, Vec<Vec<u32>>)> {
    let subjects = Starts::count(&rows, |row| row[0], budget)?;
    // Pack the other components into one number, which sorts fast.
    let is_long = WIDTH > 3 || places.is_some();
    let mut rest = vec![0u128; if is_long { rows.len() } else { 0 }];
    let mut short = vec![0u64; if is_long { 0 } else { rows.len() }];
    let mut next = subjects.starts.clone();
    for (number, row) in rows.iter().enumerate() {
        if number.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            budget.check()?;
        }
        let at = &mut next[(row[0] - subjects.first) as usize];
        if is_long {
            let place = places.as_ref().and_then(|places| places.get(number));
            rest[*at as usize] = row[1..].iter().chain(place).fold(0, |sum, id| sum << 32 | u128::from(*id));
        } else {
            short[*at as usize] = row[1..].iter().fold(0, |sum, id| sum << 32 | u64::from(*id));
        }
        *at += 1;
    }
    let width = WIDTH - 1 + usize::from(places.is_some());
    let drop_places = if places.is_some() { 32 } else { 0 };
    drop((rows, next, places));
    if is_long {
        let word = |packed: u128, number: usize| (packed >> (32 * number)) as u32;
        split(subjects, rest, width, word, |packed| packed >> drop_places, budget)
    } else {
        split(subjects, short, width, |packed, number| (packed >> (32 * number)) as u32, |packed| packed, budget)
    }
}

/// Sorts each subject's statements, drops duplicates, and splits the rest into columns.
fn split<T: Ord + Copy + Send>(
    subjects: Starts,
    mut packed: Vec<T>,
    width: usize,
    word: impl Fn(T, usize) -> u32,
    statement: impl Fn(T) -> T,
    budget: &Budget,
) -> Result<(Starts, Vec<Vec<u32>>)> {
    let rows = packed.len();
    let half = subjects.starts.partition_point(|start| (*start as usize) < rows / 2);
    let half = half.min(subjects.starts.len() - 1);
    let (left, right) = packed.split_at_mut(subjects.starts[half] as usize);
    let sort = |packed: &mut [T], starts: &[u32]| {
        let offset = starts.first().copied().unwrap_or(0);
        let mut sorted = 0;
        for pair in starts.windows(2) {
            let rows = &mut packed[(pair[0] - offset) as usize..(pair[1] - offset) as usize];
            sorted += rows.len();
            if sorted < ROWS_BETWEEN_CHECKS {
                rows.sort_unstable();
            } else {
                sorted = 0;
                budget.check()?;
                sort_part_by(rows, Piece::Large, T::cmp, budget)?;
            }
        }
        Ok(())
    };
    let halves = [(left, &subjects.starts[..=half]), (right, &subjects.starts[half..])];
    threads::each(halves, rows, "sorting statements", |(part, starts)| sort(part, starts))?;
    let mut columns: Vec<Vec<u32>> = (0..width).map(|_| Vec::with_capacity(packed.len())).collect();
    let mut starts = Vec::with_capacity(subjects.starts.len());
    let mut looked = 0;
    for pair in subjects.starts.windows(2) {
        starts.push(columns[0].len() as u32);
        let mut last = None;
        looked += pair[1] - pair[0];
        if looked as usize >= ROWS_BETWEEN_CHECKS {
            looked = 0;
            budget.check()?;
        }
        for value in &packed[pair[0] as usize..pair[1] as usize] {
            if last != Some(statement(*value)) {
                for (depth, column) in columns.iter_mut().enumerate() {
                    column.push(word(*value, width - 1 - depth));
                }
                last = Some(statement(*value));
            }
        }
    }
    starts.push(columns[0].len() as u32);
    Ok((Starts { first: subjects.first, starts }, columns))
}

/// Turns rows in one order into rows sorted by one of their components first, then as before.
fn move_to_front<const WIDTH: usize>(
    first: &Starts,
    columns: &[Vec<u32>],
    moved: usize,
    key: &Starts,
    budget: &Budget,
) -> Result<Vec<Vec<u32>>> {
    let len = columns[0].len();
    let mut next = key.starts.clone();
    let mut out: Vec<Vec<u32>> = (1..WIDTH).map(|_| vec![0; len]).collect();
    let [out_0, out_1, more @ ..] = out.as_mut_slice() else { unreachable!("a statement has three components") };
    let mut looked = 0;
    for (slot, pair) in first.starts.windows(2).enumerate() {
        let id = first.first + slot as u32;
        looked += pair[1] - pair[0];
        if looked as usize >= ROWS_BETWEEN_CHECKS {
            looked = 0;
            budget.check()?;
        }
        for row in pair[0] as usize..pair[1] as usize {
            let mut rest = [0; WIDTH];
            rest[0] = id;
            for (depth, column) in columns.iter().enumerate() {
                rest[depth + 1] = column[row];
            }
            let at = &mut next[(rest[moved] - key.first) as usize];
            let place = *at as usize;
            *at += 1;
            // The components other than the moved one, in their order.
            let other = |n: usize| rest[if n < moved { n } else { n + 1 }];
            out_0[place] = other(0);
            out_1[place] = other(1);
            if let [out_2] = more {
                out_2[place] = other(2);
            }
        }
    }
    Ok(out)
}

/// Sorts more statements than fit in memory: sorted pieces of `piece` rows go to files, which are then merged.
///
/// `WIDER` is `WIDTH` plus one, for statements with their places.
pub(super) fn on_disk<const WIDTH: usize, const WIDER: usize, const ORDERS: usize>(
    rows: Vec<RunStatements<WIDTH>>,
    places: Option<Vec<Places>>,
    maps: &[Vec<u32>],
    plan: &Plan<WIDTH, ORDERS>,
    (piece, folder): (usize, &Path),
    budget: &Budget,
) -> Result<(Sorted<ORDERS>, Option<Words>)> {
    // The first order is built from the runs, the others from the first, which has no more duplicates.
    let (merged, places) = match places {
        None => {
            let mut pieces = Pieces::<WIDTH>::new(piece, WIDTH, folder);
            for (rows, map) in rows.into_iter().zip(maps) {
                rows.each(|row| pieces.push(row.map(|term| map[term as usize]), budget))?;
            }
            (pieces.merge(folder, budget)?, None)
        }
        Some(places) => {
            let mut pieces = Pieces::<WIDER>::new(piece, WIDTH, folder);
            for ((rows, map), mut places) in rows.into_iter().zip(maps).zip(places) {
                rows.each(|row| {
                    let mut placed = [places.next()?; WIDER];
                    placed.iter_mut().zip(row).for_each(|(id, term)| *id = map[term as usize]);
                    pieces.push(placed, budget)
                })?;
            }
            let mut merged = pieces.merge(folder, budget)?;
            let places = merged.places.take();
            (merged, places)
        }
    };
    let Merged { runs: subjects, columns: first_columns, len, .. } = merged;
    let mut offsets: [Offsets; 4] = Default::default();
    let mut columns: [Vec<Column>; ORDERS] = [const { Vec::new() }; ORDERS];
    columns[0] = first_columns;
    for order in 1..ORDERS {
        let mut others: Vec<Blocks<'_>> = columns[0].iter().map(|column| Blocks::new(column, 0..len)).collect();
        let mut pieces = Pieces::<WIDTH>::new(piece, WIDTH, folder);
        for (subject, length) in &subjects {
            for _ in 0..*length {
                let mut statement = [*subject; WIDTH];
                for (id, column) in statement[1..].iter_mut().zip(&mut others) {
                    *id = column.next().map_or(0, TermId::get);
                }
                pieces.push(plan.orders[order].map(|component| statement[component.position()]), budget)?;
            }
        }
        let Merged { runs, columns: sorted, .. } = pieces.merge(folder, budget)?;
        columns[order] = sorted;
        let component = plan.orders[order][0].position();
        if component > 0 {
            offsets[component] = Offsets::build(runs.iter().copied());
        }
    }
    offsets[0] = Offsets::build(subjects.iter().copied());
    Ok((Sorted { len, offsets, columns }, places))
}

/// All distinct rows in one order.
struct Merged {
    /// The ids of the first column, each with its number of rows.
    runs: Vec<(u32, u32)>,
    /// The other columns.
    columns: Vec<Column>,
    /// Where the statements stand, if the rows include places.
    places: Option<Words>,
    len: usize,
}

/// Sorted pieces of the rows in one order.
struct Pieces<'a, const WIDTH: usize> {
    piece: usize,
    /// Rows that agree in this many leading ids are the same statement; the first of them is kept.
    key: usize,
    rows: Vec<[u32; WIDTH]>,
    sorted: Vec<(usize, Spool)>,
    folder: &'a Path,
}

impl<'a, const WIDTH: usize> Pieces<'a, WIDTH> {
    fn new(piece: usize, key: usize, folder: &'a Path) -> Self {
        Self { piece, key, rows: Vec::new(), sorted: Vec::new(), folder }
    }

    fn push(&mut self, row: [u32; WIDTH], budget: &Budget) -> Result<()> {
        if self.rows.len() == self.piece {
            budget.check()?;
            self.spill(budget)?;
        }
        self.rows.push(row);
        Ok(())
    }

    fn spill(&mut self, budget: &Budget) -> Result<()> {
        sort_by(&mut self.rows, Piece::Large, Ord::cmp, budget)?;
        let key = self.key;
        self.rows.dedup_by(|a, b| a[..key] == b[..key]);
        let mut spool = Spool::new(Some(self.folder))?;
        for (at, row) in self.rows.iter().enumerate() {
            if at.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                budget.check()?;
            }
            row.iter().try_for_each(|id| spool.put(&id.to_ne_bytes()))?;
        }
        self.sorted.push((self.rows.len(), spool));
        self.rows.clear();
        Ok(())
    }

    fn merge(mut self, folder: &Path, budget: &Budget) -> Result<Merged> {
        self.spill(budget)?;
        self.rows = Vec::new();
        let mut heads = std::collections::BinaryHeap::new();
        let mut sources: Vec<(usize, Spooled)> = Vec::new();
        for (len, spool) in self.sorted.drain(..) {
            sources.push((len, spool.read()?));
        }
        let next = |(left, from): &mut (usize, Spooled)| -> Result<Option<[u32; WIDTH]>> {
            if *left == 0 {
                return Ok(None);
            }
            *left -= 1;
            let mut row = [0; WIDTH];
            for id in &mut row {
                *id = u32::from_ne_bytes(take_array(from)?);
            }
            Ok(Some(row))
        };
        for (number, source) in sources.iter_mut().enumerate() {
            if let Some(row) = next(source)? {
                heads.push(std::cmp::Reverse((row, number)));
            }
        }
        let mut columns: Vec<Packing> = (1..self.key).map(|_| Packing::new(folder)).collect::<Result<_>>()?;
        let mut places = if WIDTH > self.key { Some(Spool::new(Some(folder))?) } else { None };
        let (mut runs, mut last, mut len) = (Vec::<(u32, u32)>::new(), None::<[u32; WIDTH]>, 0usize);
        while let Some(std::cmp::Reverse((row, number))) = heads.pop() {
            if let Some(row) = next(&mut sources[number])? {
                heads.push(std::cmp::Reverse((row, number)));
            }
            if last.is_some_and(|last| last[..self.key] == row[..self.key]) {
                continue;
            }
            last = Some(row);
            if len.is_multiple_of(1 << 16) {
                budget.check()?;
            }
            len += 1;
            match runs.last_mut() {
                Some((key, length)) if *key == row[0] => *length += 1,
                _ => runs.push((row[0], 1)),
            }
            columns.iter_mut().zip(&row[1..]).try_for_each(|(column, id)| column.push(*id))?;
            if let Some(places) = &mut places {
                places.put(&row[self.key].to_ne_bytes())?;
            }
        }
        let columns = columns.into_iter().map(Packing::finish).collect::<Result<_>>()?;
        let places = places.map(|places| mapped(places, len)).transpose()?;
        Ok(Merged { runs, columns, places, len })
    }
}

/// A column being packed into a file.
struct Packing {
    packer: Packer,
    bits: Spool,
    written: usize,
}

impl Packing {
    /// Words written at once.
    const WORDS: usize = 1 << 16;

    fn new(folder: &Path) -> Result<Self> {
        Ok(Self { packer: Packer::default(), bits: Spool::new(Some(folder))?, written: 0 })
    }

    #[inline]
    fn push(&mut self, id: u32) -> Result<()> {
        self.packer.push(&[id]);
        if self.packer.waiting() >= Self::WORDS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let words = self.packer.take_bits();
        self.written += words.len();
        self.bits.put(map::bytes(&words))
    }

    fn finish(mut self) -> Result<Column> {
        self.packer.end();
        self.write()?;
        Ok(self.packer.finish(mapped(self.bits, self.written)?))
    }
}

/// Maps the words written to a file.
fn mapped(column: Spool, len: usize) -> Result<Words> {
    if len == 0 {
        return Ok(Words::default());
    }
    let file = column.into_file()?;
    let map = Map::new(&file).map_err(|e| Error::io("the build's temporary files", &e))?;
    Ok(Words::Mapped { file: Arc::new(Checked::unchecked(map)), start: 0, len })
}
