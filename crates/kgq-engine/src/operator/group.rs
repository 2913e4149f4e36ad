//! GROUP BY: assigns rows to groups by their key and aggregates each group. When memory cannot hold more groups, rows of
//! new groups spill: they are sorted by key in a file, and aggregated after the groups in memory have been passed on.

use super::sorter::{Sorted, Sorter, numbered};
use super::spill::{is_full, is_of_memory};
use super::table::{HashIndex, Table, hash};
use super::{Context, Node, Opening, Operator};
use crate::aggregate::{Accumulator, Values};
use crate::batch::{Batch, gather};
use crate::expression::{Compiled, Evaluated, compile};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{Aggregation, Scalar, Var};
use crate::threads::{cores, side_by_side};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// An aggregate and the columns that it reads.
#[derive(Debug)]
pub struct Aggregate {
    pub aggregation: Aggregation,
    pub argument: Option<Argument>,
    /// The columns in scope, for COUNT(DISTINCT *).
    pub all: Vec<usize>,
}

#[derive(Debug)]
pub enum Argument {
    Column(usize),
    /// A variable that nothing binds.
    Unbound,
    /// An expression whose values get no ids. It is not volatile.
    Computed(Scalar),
}

enum Reading {
    Column(usize),
    Unbound,
    Computed(Compiled),
}

/// Its columns are the keys, followed by the aggregates' results.
#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub keys: Vec<usize>,
    /// Whether there is one group even without rows, because there is no GROUP BY.
    pub single: bool,
    pub aggregates: Vec<Aggregate>,
    pub results: Vec<Var>,
    /// Which groups are wanted, if not all.
    pub first: Option<First>,
    /// Whether there are so many rows that what is computed of them is computed in parallel.
    pub divides: bool,
}

/// Selects the first groups in the order of an aggregate, and those equal to the last of them. The others are dropped
/// before they get terms.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// The index of the aggregate.
    pub of: usize,
    pub descending: bool,
    pub most: usize,
}

/// An open aggregate.
struct Reader {
    aggregation: Aggregation,
    argument: Option<Reading>,
    all: Vec<usize>,
}

struct Group<'s> {
    input: Node<'s>,
    keys: Vec<usize>,
    readers: Vec<Reader>,
    first: Option<First>,
    divides: bool,
    /// The next rows, which have been computed together.
    computed: VecDeque<(Batch, Computed)>,
    stage: Stage,
}

/// The values of computed arguments for the rows of a batch, by aggregate; nothing for what is still to be computed.
type Computed = Vec<Option<Evaluated>>;

enum Stage {
    Collecting {
        single: bool,
    },
    /// Finished groups, cut into batches, with their reservation; then the remaining rows, sorted by key.
    Giving {
        ready: std::vec::IntoIter<Batch>,
        _held: Reservation,
        rest: Option<Box<Rest>>,
    },
}

/// Rows sorted by their keys.
struct Rest {
    sorted: Sorted,
    /// Rows that were read already and begin with another group.
    next: Option<Batch>,
}

/// Groups, and their aggregates so far.
struct Adding {
    groups: Groups,
    accumulators: Vec<Accumulator>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let keys: Vec<_> = self.keys.iter().map(|column| self.input.vars[*column]).collect();
        let divided = if self.divides { ", computed side by side" } else { "" };
        let all = format!("group by {} → {}{divided}", labels.names(&keys), labels.names(&self.results));
        let Some(First { of, descending, most }) = self.first else { return all };
        let order = if descending { "largest" } else { "least" };
        format!("{all}, {most} with the {order} {}", labels.name(self.results[of]))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let cx = opening.cx;
        let reading = |argument: &Argument| {
            Ok(match argument {
                Argument::Column(column) => Reading::Column(*column),
                Argument::Unbound => Reading::Unbound,
                Argument::Computed(scalar) => {
                    Reading::Computed(compile(&scalar.expression, &self.input.vars, &cx.expressions)?)
                }
            })
        };
        let reader = |aggregate: &Aggregate| {
            Ok(Reader {
                aggregation: aggregate.aggregation.clone(),
                argument: aggregate.argument.as_ref().map(reading).transpose()?,
                all: aggregate.all.clone(),
            })
        };
        Ok(Box::new(Group {
            input: opening.node(&self.input)?,
            keys: self.keys.clone(),
            readers: self.aggregates.iter().map(reader).collect::<Result<_>>()?,
            first: self.first,
            divides: self.divides,
            computed: VecDeque::new(),
            stage: Stage::Collecting { single: self.single },
        }))
    }
}

impl Adding {
    fn new(keys: usize, readers: &[Reader]) -> Self {
        let accumulators = readers.iter().map(|reader| Accumulator::new(&reader.aggregation)).collect();
        Self { groups: Groups::new(keys), accumulators }
    }

    /// Whether memory has no room for this many more groups.
    fn is_full(&self, more: usize, cx: &Context<'_>) -> bool {
        let growing = more * self.accumulators.len() * AGGREGATE_BYTES + self.groups.growing(more);
        self.groups.count >= FEW && is_full(growing as u64, cx)
    }

    /// Adds rows to their groups; `slots` holds the group of each row.
    fn add(
        &mut self,
        batch: &Batch,
        mut computed: Computed,
        slots: &[u32],
        readers: &[Reader],
        cx: &Context<'_>,
    ) -> Result<()> {
        let unbound = vec![TermId::UNBOUND; batch.rows()];
        for (number, (accumulator, reader)) in self.accumulators.iter_mut().zip(readers).enumerate() {
            let values;
            let argument = match &reader.argument {
                None => None,
                Some(Reading::Column(column)) => Some(Values::Ids(batch.column(*column))),
                Some(Reading::Unbound) => Some(Values::Ids(&unbound)),
                Some(Reading::Computed(compiled)) => {
                    values = match computed.get_mut(number).and_then(Option::take) {
                        Some(values) => values,
                        None => compiled.values(batch, &cx.expressions)?,
                    };
                    Some(match &values {
                        Evaluated::Numbers(numbers) => Values::Numbers(numbers),
                        Evaluated::Data(data) => Values::Data(data),
                    })
                }
            };
            let rows: Vec<&[TermId]> = reader.all.iter().map(|column| batch.column(*column)).collect();
            accumulator.add(slots, self.groups.count, argument, &rows, batch.weights(), &cx.expressions)?;
        }
        Ok(())
    }

    /// Returns the wanted groups as batches, with the reservation for them.
    fn finish(mut self, first: Option<First>, cx: &Context<'_>) -> Result<(Vec<Batch>, Reservation)> {
        // Of the groups, only the keys are still needed; they are reserved together with the results.
        let Groups { mut count, keys, find, held } = self.groups;
        drop((find, held));
        let mut columns = keys.into_columns();
        let kept = match first {
            // Returning all groups is correct too: dropping some only saves their terms.
            Some(First { of, descending, most }) => {
                match self.accumulators[of].first(count, most, descending, &cx.expressions) {
                    Err(error) if is_of_memory(&error) => None,
                    kept => kept?,
                }
            }
            None => None,
        };
        if let Some(kept) = kept {
            columns.iter_mut().for_each(|column| *column = gather(column, &kept));
            for accumulator in &mut self.accumulators {
                accumulator.keep(count, &kept, &cx.expressions)?;
            }
            count = kept.len();
        }
        let held = cx.budget().reserve((count * (columns.len() + self.accumulators.len()) * 4) as u64)?;
        for accumulator in self.accumulators {
            columns.push(accumulator.finish(count, &cx.expressions)?);
        }
        let mut batches = Vec::new();
        for start in (0..count).step_by(Batch::ROWS) {
            let end = count.min(start + Batch::ROWS);
            batches.push(Batch::new(columns.iter().map(|column| column[start..end].to_vec()).collect(), end - start));
        }
        Ok((batches, held))
    }
}

/// With fewer groups than this, nothing spills.
const FEW: usize = 1024;
/// About how many sorted rows are read at once, and how many of their groups are aggregated at once.
const AT_ONCE: usize = 1024;
/// Approximate bytes that an aggregate takes for a group.
const AGGREGATE_BYTES: usize = 160;

/// How many batches a thread computes at once.
const BATCHES_OF_A_THREAD: usize = 4;
/// With less memory left, nothing is computed ahead.
const ROOM_TO_COMPUTE: u64 = 1 << 26;

impl<'s> Group<'s> {
    /// The next rows, with the computed arguments if many rows are computed in parallel and all of them are `wanted`.
    fn next_rows(&mut self, wanted: bool, cx: &Context<'s>) -> Result<Option<(Batch, Computed)>> {
        if let Some(next) = self.computed.pop_front() {
            return Ok(Some(next));
        }
        let has_room = cx.budget().room().is_none_or(|room| room >= ROOM_TO_COMPUTE);
        if !(self.divides && wanted && has_room && cores() > 1) {
            return Ok(self.input.next(cx)?.map(|batch| (batch, Vec::new())));
        }
        let mut batches = Vec::new();
        while batches.len() < cores() * BATCHES_OF_A_THREAD
            && let Some(batch) = self.input.next(cx)?
        {
            batches.push(batch);
        }
        let readers = &self.readers;
        let compute = |reader: &Reader, batch: &Batch| match &reader.argument {
            Some(Reading::Computed(compiled)) => compiled.values(batch, &cx.expressions).map(Some),
            Some(Reading::Column(_) | Reading::Unbound) | None => Ok(None),
        };
        let work = |part: &[Batch]| {
            let of = |batch: &Batch| readers.iter().map(|reader| compute(reader, batch)).collect::<Result<Computed>>();
            part.iter().map(of).collect::<Result<Vec<Computed>>>()
        };
        let parts = batches.chunks(batches.len().div_ceil(cores()).max(1));
        let computed: Vec<Vec<Computed>> = side_by_side(parts, work).into_iter().collect::<Result<_>>()?;
        self.computed = batches.into_iter().zip(computed.into_iter().flatten()).collect();
        Ok(self.computed.pop_front())
    }

    fn run(&mut self, single: bool, cx: &Context<'s>) -> Result<Stage> {
        let mut adding = Adding::new(self.keys.len(), &self.readers);
        let mut any = single;
        let mut slots = Vec::new();
        let mut others: Option<Sorter> = None;
        let mut number = 0;
        while let Some((batch, computed)) = self.next_rows(others.is_none(), cx)? {
            any = true;
            if others.is_none() && adding.is_full(batch.rows(), cx) {
                let width = self.input.width;
                others =
                    Some(Sorter::new(width + 2, self.keys.iter().copied().chain([width, width + 1]).collect(), cx)?);
            }
            let Some(others) = &mut others else {
                let added = adding
                    .groups
                    .slots(&batch, &self.keys, &mut slots, cx)
                    .and_then(|()| adding.add(&batch, computed, &slots, &self.readers, cx));
                added.map_err(|error| cx.temporary.explain(error))?;
                continue;
            };
            adding.groups.known_slots(&batch, &self.keys, &mut slots);
            let (known, unknown): (Vec<u32>, Vec<u32>) =
                (0..batch.rows() as u32).partition(|row| slots[*row as usize] != UNKNOWN);
            slots.retain(|slot| *slot != UNKNOWN);
            adding.add(&batch.select(&known), Vec::new(), &slots, &self.readers, cx)?;
            let batch = numbered(batch.select(&unknown), number);
            number += batch.rows() as u64;
            others.add(&batch, cx)?;
        }
        let (ready, held) = if any { adding.finish(self.first, cx)? } else { Default::default() };
        let rest = match others {
            Some(others) => Some(Box::new(Rest { sorted: others.finish(cx)?, next: None })),
            None => None,
        };
        Ok(Stage::Giving { ready: ready.into_iter(), _held: held, rest })
    }
}

impl Rest {
    fn next_rows(&mut self, cx: &Context<'_>) -> Result<Option<Batch>> {
        match self.next.take() {
            Some(next) => Ok(Some(next)),
            None => self.sorted.next(AT_ONCE, cx),
        }
    }

    /// Aggregates the next groups.
    fn groups(
        &mut self,
        keys: &[usize],
        readers: &[Reader],
        first: Option<First>,
        cx: &Context<'_>,
    ) -> Result<Option<(Vec<Batch>, Reservation)>> {
        let mut adding = Adding::new(keys.len(), readers);
        let mut slots = Vec::new();
        while let Some(batch) = self.next_rows(cx)? {
            // Once there are many groups, only the rows of the last group are added.
            let end =
                if adding.groups.count < AT_ONCE { batch.rows() } else { adding.groups.end_of_last(&batch, keys) };
            let rows: Vec<u32> = (0..batch.rows() as u32).collect();
            let (own, others) = rows.split_at(end);
            if !own.is_empty() {
                let own = batch.select(own);
                adding.groups.slots(&own, keys, &mut slots, cx)?;
                adding.add(&own, Vec::new(), &slots, readers, cx)?;
            }
            if !others.is_empty() {
                self.next = Some(batch.select(others));
                break;
            }
        }
        if adding.groups.count == 0 { Ok(None) } else { adding.finish(first, cx).map(Some) }
    }
}

/// The groups met so far, numbered by their distinct keys.
struct Groups {
    count: usize,
    keys: Table,
    find: Find,
    held: Reservation,
}

enum Find {
    /// There are no keys, so there is one group.
    One,
    /// By the id of the single key.
    Hash(FxHashMap<TermId, u32>),
    /// For each stored term, its group plus one, or 0 for none; and the groups of computed terms.
    Table(Vec<u32>, FxHashMap<TermId, u32>),
    Many(HashIndex),
}

/// With more groups than this, a table by id is worth its memory, if it takes at most half of what is left.
const MANY_GROUPS: usize = 2048;
/// Bytes of an id and its group in a map, of which an eighth is empty when it is full.
const GROUP_BYTES: usize = 11;
/// Stands for a group that is not known.
const UNKNOWN: u32 = u32::MAX;

impl Groups {
    fn new(width: usize) -> Self {
        let find = match width {
            0 => Find::One,
            1 => Find::Hash(FxHashMap::default()),
            _ => Find::Many(HashIndex::empty()),
        };
        Self { count: usize::from(width == 0), keys: Table::new(width), find, held: Reservation::default() }
    }

    /// Finds or makes the group of each row.
    fn slots(&mut self, batch: &Batch, keys: &[usize], slots: &mut Vec<u32>, cx: &Context<'_>) -> Result<()> {
        slots.clear();
        self.keys.make_room(batch.rows(), cx)?;
        if let Find::Hash(known) = &mut self.find
            && self.count > MANY_GROUPS
            && let terms = cx.snapshot().term_count() as usize
            && cx.budget().room().is_none_or(|room| (terms * 4) as u64 <= room / 2)
        {
            // The map stays reserved until the table is filled.
            self.held.grow(cx.budget(), (terms * 4) as u64)?;
            let mut table = vec![0; terms];
            let mut others = FxHashMap::default();
            for (id, slot) in known.drain() {
                match table.get_mut(id.index()) {
                    Some(entry) => *entry = slot + 1,
                    None => {
                        others.insert(id, slot);
                    }
                }
            }
            self.find = Find::Table(table, others);
        }
        let known_keys = &mut self.keys.columns;
        match &mut self.find {
            Find::One => slots.resize(batch.rows(), 0),
            Find::Hash(known) => {
                let (mut last, mut slot) = (None, 0);
                for id in batch.column(keys[0]) {
                    if last != Some(*id) {
                        slot = *known.entry(*id).or_insert_with(|| {
                            known_keys[0].push(*id);
                            self.count += 1;
                            (self.count - 1) as u32
                        });
                        last = Some(*id);
                    }
                    slots.push(slot);
                }
            }
            Find::Table(table, others) => {
                let column = &mut known_keys[0];
                let count = &mut self.count;
                let mut add = |id: TermId| {
                    column.push(id);
                    *count += 1;
                    (*count - 1) as u32
                };
                for id in batch.column(keys[0]) {
                    slots.push(match table.get_mut(id.index()) {
                        Some(entry) => {
                            if *entry == 0 {
                                *entry = add(*id) + 1;
                            }
                            *entry - 1
                        }
                        None => *others.entry(*id).or_insert_with(|| add(*id)),
                    });
                }
            }
            Find::Many(index) => {
                for row in 0..batch.rows() {
                    let key = hash(keys.iter().map(|column| batch.get(*column, row)));
                    slots.push(match index.find(key, |slot| is_same(known_keys, slot, batch, keys, row)) {
                        Some(slot) => slot as u32,
                        None => {
                            index.push(key, cx, |slot| hash(known_keys.iter().map(|column| column[slot])))?;
                            for (known, column) in known_keys.iter_mut().zip(keys) {
                                known.push(batch.get(*column, row));
                            }
                            self.count += 1;
                            (self.count - 1) as u32
                        }
                    });
                }
            }
        }
        self.keys.rows = known_keys.first().map_or(0, Vec::len);
        let bytes = match &self.find {
            Find::Hash(known) => known.capacity() * GROUP_BYTES,
            Find::Table(table, others) => size_of_val(table.as_slice()) + others.capacity() * GROUP_BYTES,
            Find::One | Find::Many(_) => 0,
        };
        self.held.resize(cx.budget(), bytes as u64)
    }

    /// Returns the bytes that this many more groups may take.
    fn growing(&self, more: usize) -> usize {
        let index = if let Find::Many(index) = &self.find { index.growing(more) } else { 0 };
        (more + self.count / 8) * self.keys.columns.len() * 4 + more * GROUP_BYTES + index
    }

    /// Finds the group of each row; `UNKNOWN` if there is none.
    fn known_slots(&self, batch: &Batch, keys: &[usize], slots: &mut Vec<u32>) {
        slots.clear();
        let of = |row: usize| match &self.find {
            Find::One => Some(0),
            Find::Hash(known) => known.get(&batch.get(keys[0], row)).copied(),
            Find::Table(table, others) => {
                let id = batch.get(keys[0], row);
                match table.get(id.index()) {
                    Some(entry) => entry.checked_sub(1),
                    None => others.get(&id).copied(),
                }
            }
            Find::Many(index) => {
                let same = |slot: usize| is_same(&self.keys.columns, slot, batch, keys, row);
                let key = hash(keys.iter().map(|column| batch.get(*column, row)));
                index.find(key, same).map(|slot| slot as u32)
            }
        };
        slots.extend((0..batch.rows()).map(|row| of(row).unwrap_or(UNKNOWN)));
    }

    /// Returns how many rows, which are sorted by their keys, belong to the last group.
    fn end_of_last(&self, batch: &Batch, keys: &[usize]) -> usize {
        let is_last = |row: &usize| {
            self.keys.columns.iter().zip(keys).all(|(known, column)| known.last() == Some(&batch.get(*column, *row)))
        };
        (0..batch.rows()).take_while(is_last).count()
    }
}

/// Whether a known group has the key of a row.
fn is_same(known: &[Vec<TermId>], slot: usize, batch: &Batch, keys: &[usize], row: usize) -> bool {
    known.iter().zip(keys).all(|(known, column)| known[slot] == batch.get(*column, row))
}

impl<'s> Operator<'s> for Group<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if let Stage::Collecting { single } = self.stage {
            self.stage = self.run(single, cx)?;
        }
        let Stage::Giving { ready, rest, .. } = &mut self.stage else { return Ok(None) };
        if let Some(batch) = ready.next() {
            return Ok(Some(batch));
        }
        let Some(mut rest) = rest.take() else { return Ok(None) };
        let Some((batches, held)) = rest.groups(&self.keys, &self.readers, self.first, cx)? else { return Ok(None) };
        self.stage = Stage::Giving { ready: batches.into_iter(), _held: held, rest: Some(rest) };
        self.next(cx)
    }
}
