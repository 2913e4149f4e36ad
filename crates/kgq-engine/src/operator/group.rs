//! GROUP BY: collects rows by their key and aggregates each group.

use super::table::{HashIndex, hash};
use super::{Context, Node, Opening, Operator};
use crate::aggregate::Accumulator;
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use spargebra::algebra::AggregateExpression;

/// An aggregate with the columns that it reads.
#[derive(Debug)]
pub struct Aggregate {
    pub expression: AggregateExpression,
    pub argument: Option<Argument>,
    /// The columns in sight, for COUNT(DISTINCT *).
    pub all: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    Column(usize),
    /// A variable that nothing binds.
    Unbound,
}

/// Its columns are the keys, then the aggregates' results.
#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub keys: Vec<usize>,
    /// Without GROUP BY there is one group, also of no rows.
    pub single: bool,
    pub aggregates: Vec<Aggregate>,
    pub results: Vec<Var>,
}

/// An aggregate that adds up.
struct Adding {
    accumulator: Accumulator,
    argument: Option<Argument>,
    all: Vec<usize>,
}

struct Group<'s> {
    input: Node<'s>,
    keys: Vec<usize>,
    single: bool,
    aggregates: Vec<Adding>,
    /// The finished groups, cut into batches.
    output: Option<std::vec::IntoIter<Batch>>,
    /// What they hold.
    held: Reservation,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let keys: Vec<_> = self.keys.iter().map(|column| self.input.vars[*column]).collect();
        format!("group by {} → {}", labels.names(&keys), labels.names(&self.results))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let adding = |aggregate: &Aggregate| Adding {
            accumulator: Accumulator::new(&aggregate.expression),
            argument: aggregate.argument,
            all: aggregate.all.clone(),
        };
        Ok(Box::new(Group {
            input: opening.node(&self.input)?,
            keys: self.keys.clone(),
            single: self.single,
            aggregates: self.aggregates.iter().map(adding).collect(),
            output: None,
            held: Reservation::default(),
        }))
    }
}

impl<'s> Group<'s> {
    fn run(&mut self, cx: &Context<'s>) -> Result<Vec<Batch>> {
        let mut groups = Groups::new(self.keys.len());
        let mut any = self.single;
        let mut unbound = Vec::new();
        let mut slots = Vec::new();
        while let Some(batch) = self.input.next(cx)? {
            any = true;
            groups.slots(&batch, &self.keys, &mut slots, cx)?;
            unbound.resize(batch.rows(), TermId::UNBOUND);
            for aggregate in &mut self.aggregates {
                let argument = aggregate.argument.map(|argument| match argument {
                    Argument::Column(column) => batch.column(column),
                    Argument::Unbound => unbound.as_slice(),
                });
                let rows: Vec<&[TermId]> = aggregate.all.iter().map(|column| batch.column(*column)).collect();
                aggregate.accumulator.add(&slots, groups.count, argument, &rows, batch.weights(), &cx.expressions)?;
            }
        }
        if !any {
            return Ok(Vec::new());
        }
        let count = groups.count;
        let mut columns = groups.keys;
        self.held.grow(cx.budget(), (count * (columns.len() + self.aggregates.len()) * 4) as u64)?;
        for aggregate in self.aggregates.drain(..) {
            columns.push(aggregate.accumulator.finish(count, &cx.expressions)?);
        }
        let mut batches = Vec::new();
        for start in (0..count).step_by(Batch::ROWS) {
            let end = count.min(start + Batch::ROWS);
            batches.push(Batch::new(columns.iter().map(|column| column[start..end].to_vec()).collect(), end - start));
        }
        Ok(batches)
    }
}

/// The groups met so far: a number for each different key.
struct Groups {
    count: usize,
    keys: Vec<Vec<TermId>>,
    find: Find,
    held: Reservation,
}

enum Find {
    /// Without keys there is one group.
    One,
    /// By the id of the one key.
    Hash(FxHashMap<TermId, u32>),
    /// For each stored term its group plus one; computed ones apart.
    Table(Vec<u32>, FxHashMap<TermId, u32>),
    Many(HashIndex),
}

/// With more groups than this a table by id is worth its memory.
const MANY_GROUPS: usize = 2048;

impl Groups {
    fn new(width: usize) -> Self {
        let find = match width {
            0 => Find::One,
            1 => Find::Hash(FxHashMap::default()),
            _ => Find::Many(HashIndex::empty()),
        };
        Self { count: usize::from(width == 0), keys: vec![Vec::new(); width], find, held: Reservation::default() }
    }

    /// The group of each row.
    fn slots(&mut self, batch: &Batch, keys: &[usize], slots: &mut Vec<u32>, cx: &Context<'_>) -> Result<()> {
        slots.clear();
        let before = self.count;
        if let Find::Hash(known) = &mut self.find
            && self.count > MANY_GROUPS
        {
            let terms = cx.snapshot().term_count() as usize;
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
        match &mut self.find {
            Find::One => slots.resize(batch.rows(), 0),
            Find::Hash(known) => {
                let (mut last, mut slot) = (None, 0);
                for id in batch.column(keys[0]) {
                    if last != Some(*id) {
                        slot = *known.entry(*id).or_insert_with(|| {
                            self.keys[0].push(*id);
                            self.count += 1;
                            (self.count - 1) as u32
                        });
                        last = Some(*id);
                    }
                    slots.push(slot);
                }
            }
            Find::Table(table, others) => {
                let column = &mut self.keys[0];
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
                    let mut at = index.first(key);
                    while let Some(slot) = at {
                        if self.keys.iter().zip(keys).all(|(known, column)| known[slot] == batch.get(*column, row)) {
                            break;
                        }
                        at = index.after(slot);
                    }
                    slots.push(match at {
                        Some(slot) => slot as u32,
                        None => {
                            let known = &self.keys;
                            index.push(key, cx, |slot| hash(known.iter().map(|column| column[slot])))?;
                            for (known, column) in self.keys.iter_mut().zip(keys) {
                                known.push(batch.get(*column, row));
                            }
                            self.count += 1;
                            (self.count - 1) as u32
                        }
                    });
                }
            }
        }
        self.held.grow(cx.budget(), ((self.count - before) * (self.keys.len() * 4 + 8)) as u64)
    }
}

impl<'s> Operator<'s> for Group<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.output.is_none() {
            self.output = Some(self.run(cx)?.into_iter());
        }
        Ok(self.output.as_mut().and_then(Iterator::next))
    }
}
