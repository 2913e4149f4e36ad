//! Aggregates (SPARQL 1.1 §18.5.1). Values are added a column at a time, each to the group of its row.
//!
//! An unbound value is an error. COUNT and SAMPLE skip it; the other aggregates then have no value for its group.
//! COUNT(DISTINCT …) and the like distinguish terms, not values.

mod best;
mod first;
mod total;

use super::batch::room_for;
use super::expression::numbers::Numbers;
use super::expression::value::Value;
use super::expression::{Context, Datum};
use super::order::TermOrder;
use super::plan::Aggregation;
use super::plan::aggregate::AggregateFunction;
use super::terms::Terms;
use fixedbitset::FixedBitSet;
use kgq_snapshot::TermId;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Term;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;
use total::Total;

/// The most bytes of one concatenation.
const LARGEST_CONCATENATION: usize = 1 << 28;
/// Texts that are joined between two checks of the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

/// One aggregate for all groups.
#[derive(Debug)]
pub struct Accumulator {
    function: Function,
    /// What was added to which group, if only distinct terms count.
    seen: Option<Seen>,
    seen_rows: Option<FxHashSet<(u32, Box<[TermId]>)>>,
    held: Reservation,
}

/// The group of all rows, if it is one.
fn only_group(groups: &[u32]) -> Option<u32> {
    let first = groups.first()?;
    groups.iter().all(|group| group == first).then_some(*first)
}

/// Which terms were added to which groups.
#[derive(Debug, Default)]
struct Seen {
    /// A bit for each stored term, for groups that have many; empty for the others.
    bits: Vec<FixedBitSet>,
    /// Group and id in one number: what has no bit.
    others: FxHashSet<u64>,
    /// How many terms of each group are there.
    listed: Vec<u32>,
    /// From how many on bits take less memory than they do, and the groups that have as many and no bits yet.
    many: u32,
    ripe: Vec<u32>,
}

impl Seen {
    /// Adds the term to its group; returns whether it is new there.
    fn insert(&mut self, group: u32, id: TermId) -> bool {
        if let Some(bits) = self.bits.get_mut(group as usize)
            && id.index() < bits.len()
        {
            return !bits.put(id.index());
        }
        let is_new = self.others.insert(u64::from(group) << 32 | u64::from(id.get()));
        if is_new {
            let listed = &mut self.listed[group as usize];
            *listed += 1;
            if *listed == self.many {
                self.ripe.push(group);
            }
        }
        is_new
    }

    /// Makes room for so many groups, and gives bits to those with many terms; returns the bytes that this takes.
    fn widen(&mut self, groups: usize, terms: &Terms<'_>) -> usize {
        let length = terms.snapshot().term_count() as usize;
        self.many = (length / 64).max(1) as u32;
        let listing = (groups - self.listed.len()) * size_of::<u32>();
        self.listed.resize(groups, 0);
        let Some(last) = self.ripe.iter().max() else { return listing };
        // All terms are looked through for that, so it is done when it takes half of them away.
        let leaving: usize = self.ripe.iter().map(|group| self.listed[*group as usize] as usize).sum();
        let known = self.bits.len().max(*last as usize + 1);
        let bytes = self.ripe.len() * length.div_ceil(8) + (known - self.bits.len()) * size_of::<FixedBitSet>();
        if leaving * 2 < self.others.len() || terms.budget().room().is_some_and(|room| bytes as u64 > room / 2) {
            return listing;
        }
        self.bits.resize_with(known, FixedBitSet::new);
        for group in self.ripe.drain(..) {
            self.bits[group as usize] = FixedBitSet::with_capacity(length);
        }
        let bits = &mut self.bits;
        self.others.retain(|key| {
            let (group, id) = ((key >> 32) as usize, *key as u32 as usize);
            match bits.get_mut(group) {
                Some(bits) if id < bits.len() => {
                    bits.insert(id);
                    false
                }
                _ => true,
            }
        });
        listing + bytes
    }
}

#[derive(Debug)]
enum Function {
    CountRows(Vec<u64>),
    Count(Vec<u64>),
    Sum(Vec<Total>),
    Average(Vec<Total>),
    /// The best value of each group: unbound before the first one, `None` after an error.
    Best(Ordering, Vec<Option<TermId>>),
    Sample(Vec<TermId>),
    Concatenate {
        separator: String,
        groups: Vec<Option<Concatenation>>,
    },
}

#[derive(Clone, Debug, Default)]
struct Concatenation {
    text: String,
    /// Whether there is a text before, so that a separator must follow.
    begun: bool,
}

/// The value of an aggregate's argument for each row; unbound ids and `None` are errors.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    Ids(&'a [TermId]),
    /// For aggregates that take only data.
    Data(&'a [Option<Datum>]),
    /// The same.
    Numbers(&'a Numbers),
}

impl Accumulator {
    pub fn new(aggregation: &Aggregation) -> Self {
        let distinct = aggregation.distinct;
        let function = match &aggregation.function {
            AggregateFunction::CountRows => Function::CountRows(Vec::new()),
            AggregateFunction::Count => Function::Count(Vec::new()),
            AggregateFunction::Sum => Function::Sum(Vec::new()),
            AggregateFunction::Average => Function::Average(Vec::new()),
            AggregateFunction::Min => Function::Best(Ordering::Less, Vec::new()),
            AggregateFunction::Max => Function::Best(Ordering::Greater, Vec::new()),
            AggregateFunction::Sample => Function::Sample(Vec::new()),
            AggregateFunction::Concatenate { separator } => {
                Function::Concatenate { separator: separator.clone(), groups: Vec::new() }
            }
        };
        let of_rows = matches!(function, Function::CountRows(_));
        // Duplicates make no difference to these.
        let indifferent = matches!(function, Function::Best(..) | Function::Sample(_));
        Self {
            function,
            seen: (distinct && !of_rows && !indifferent).then(Seen::default),
            seen_rows: (distinct && of_rows).then(FxHashSet::default),
            held: Reservation::default(),
        }
    }

    /// Adds a batch. Each row has its group (below `group_count`), the values of the argument (none for COUNT(*)), all
    /// variables in scope (only for COUNT(DISTINCT *)), and the number of solutions that it stands for (one, if absent).
    ///
    /// # Errors
    /// A limit of the query.
    pub fn add(
        &mut self,
        groups: &[u32],
        group_count: usize,
        argument: Option<Values<'_>>,
        rows: &[&[TermId]],
        weights: Option<&[u64]>,
        context: &Context<'_>,
    ) -> Result<()> {
        self.resize(group_count, context)?;
        let weight = |row: usize| weights.map_or(1, |weights| weights[row]);
        if let Some(seen) = &mut self.seen_rows {
            let Function::CountRows(counts) = &mut self.function else { return Ok(()) };
            let before = seen.len();
            for (row, group) in groups.iter().enumerate() {
                let ids = rows.iter().map(|column| column[row]).collect();
                if seen.insert((*group, ids)) {
                    counts[*group as usize] += 1;
                }
            }
            let bytes = (seen.len() - before) * (48 + 4 * rows.len());
            return self.held.grow(context.terms.budget(), bytes as u64);
        }
        if let Function::CountRows(counts) = &mut self.function {
            if let (Some(group), None) = (only_group(groups), weights) {
                counts[group as usize] += groups.len() as u64;
                return Ok(());
            }
            for (row, group) in groups.iter().enumerate() {
                let count = &mut counts[*group as usize];
                *count = count.saturating_add(weight(row));
            }
            return Ok(());
        }
        let argument = match argument {
            None => return Ok(()),
            Some(Values::Ids(ids)) => ids,
            Some(Values::Data(data)) => return self.add_data(groups, data, weight, context),
            Some(Values::Numbers(numbers)) => {
                self.add_numbers(groups, numbers, weights);
                return Ok(());
            }
        };
        if self.seen.is_none()
            && argument.len() > 1
            && matches!(self.function, Function::Sum(_) | Function::Average(_))
            && let Some(numbers) = context.terms.numbers(argument)
        {
            self.add_numbers(groups, &numbers, weights);
            return Ok(());
        }
        if let Function::Best(wanted, best) = &mut self.function
            && best::add_column(best, groups, argument, *wanted, &context.terms)?
        {
            return Ok(());
        }
        let Some(seen) = &mut self.seen else {
            return self.add_values(groups.iter().copied().zip(argument.iter().copied()).enumerate(), weight, context);
        };
        let widened = seen.widen(group_count, &context.terms);
        let before = seen.others.len();
        if let Function::Count(counts) = &mut self.function {
            let mut last = (0, TermId::UNBOUND);
            for (group, id) in groups.iter().copied().zip(argument.iter().copied()) {
                // Statements of a subject stand together.
                if last == (group, id) {
                    continue;
                }
                last = (group, id);
                if id != TermId::UNBOUND && seen.insert(group, id) {
                    counts[group as usize] += 1;
                }
            }
            let bytes = widened + (seen.others.len() - before) * 16;
            return self.held.grow(context.terms.budget(), bytes as u64);
        }
        let fresh: Vec<(usize, (u32, TermId))> = groups
            .iter()
            .copied()
            .zip(argument.iter().copied())
            .enumerate()
            .filter(|(_, (group, id))| *id == TermId::UNBOUND || seen.insert(*group, *id))
            .collect();
        let bytes = widened + (seen.others.len() - before) * 16;
        self.held.grow(context.terms.budget(), bytes as u64)?;
        self.add_values(fresh.into_iter(), |_| 1, context)
    }

    /// Adds values; only for aggregates that [`Aggregation::takes_data`] allows.
    fn add_data(
        &mut self,
        groups: &[u32],
        data: &[Option<Datum>],
        weight: impl Fn(usize) -> u64,
        context: &Context<'_>,
    ) -> Result<()> {
        let (terms, name) = (&context.terms, self.function.name());
        for (row, (group, datum)) in groups.iter().zip(data).enumerate() {
            let group = *group as usize;
            match &mut self.function {
                Function::Count(counts) if datum.is_some() => {
                    counts[group] = counts[group].saturating_add(weight(row));
                }
                Function::Sum(totals) | Function::Average(totals) => {
                    let total = &mut totals[group];
                    match datum {
                        _ if total.failed => {}
                        Some(Datum::Value(Value::Number(number))) => total.add(number, weight(row)),
                        Some(Datum::Term(id)) => match terms.number(*id) {
                            Some(number) => total.add(&number, weight(row)),
                            None => total.fail(name, Some(&Value::of(terms.term(*id))), context),
                        },
                        Some(Datum::Value(value)) => total.fail(name, Some(value), context),
                        None => total.fail(name, None, context),
                    }
                }
                Function::Count(_)
                | Function::CountRows(_)
                | Function::Best(..)
                | Function::Sample(_)
                | Function::Concatenate { .. } => {}
            }
        }
        Ok(())
    }

    /// Adds numbers; only for aggregates that [`Aggregation::takes_data`] allows.
    fn add_numbers(&mut self, groups: &[u32], numbers: &Numbers, weights: Option<&[u64]>) {
        match &mut self.function {
            Function::Count(counts) => {
                for (row, group) in groups.iter().enumerate() {
                    let count = &mut counts[*group as usize];
                    *count = count.saturating_add(weights.map_or(1, |weights| weights[row]));
                }
            }
            Function::Sum(totals) | Function::Average(totals) => {
                total::add_column(totals, groups, numbers, weights);
            }
            Function::CountRows(_) | Function::Best(..) | Function::Sample(_) | Function::Concatenate { .. } => {}
        }
    }

    fn add_values(
        &mut self,
        values: impl Iterator<Item = (usize, (u32, TermId))>,
        weight: impl Fn(usize) -> u64,
        context: &Context<'_>,
    ) -> Result<()> {
        let (terms, name) = (&context.terms, self.function.name());
        match &mut self.function {
            Function::Count(counts) => {
                for (row, (group, id)) in values {
                    if id != TermId::UNBOUND {
                        let count = &mut counts[group as usize];
                        *count = count.saturating_add(weight(row));
                    }
                }
            }
            Function::Sum(totals) | Function::Average(totals) => {
                for (row, (group, id)) in values {
                    let total = &mut totals[group as usize];
                    match (total.failed, id) {
                        (true, _) => {}
                        (false, TermId::UNBOUND) => total.fail(name, None, context),
                        (false, id) => match terms.number(id) {
                            Some(number) => total.add(&number, weight(row)),
                            None => total.fail(name, Some(&Value::of(terms.term(id))), context),
                        },
                    }
                }
            }
            Function::Best(wanted, best) => {
                let mut order = TermOrder::new(terms);
                for (_, (group, id)) in values {
                    best::add(&mut best[group as usize], id, *wanted, &mut order, terms)?;
                }
            }
            Function::Sample(samples) => {
                for (_, (group, id)) in values {
                    let sample = &mut samples[group as usize];
                    if *sample == TermId::UNBOUND {
                        *sample = id;
                    }
                }
            }
            Function::Concatenate { separator, groups } => {
                for (row, (group, id)) in values {
                    if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                        terms.budget().check()?;
                    }
                    let Some(concatenation) = &mut groups[group as usize] else { continue };
                    let Some(text) = text_of(id, terms) else {
                        if id != TermId::UNBOUND {
                            count_failure(name, Some(&Value::of(terms.term(id))), context);
                        }
                        self.held.shrink(concatenation.text.capacity() as u64);
                        groups[group as usize] = None;
                        continue;
                    };
                    concatenation.add(&text, separator, weight(row), &mut self.held, terms.budget())?;
                }
            }
            Function::CountRows(_) => {}
        }
        Ok(())
    }

    fn resize(&mut self, groups: usize, context: &Context<'_>) -> Result<()> {
        let mut room = Room { groups, held: &mut self.held, budget: context.terms.budget() };
        match &mut self.function {
            Function::CountRows(counts) | Function::Count(counts) => room.make(counts, 0),
            Function::Sum(totals) | Function::Average(totals) => room.make(totals, Total::default()),
            Function::Best(_, best) => room.make(best, Some(TermId::UNBOUND)),
            Function::Sample(samples) => room.make(samples, TermId::UNBOUND),
            Function::Concatenate { groups: all, .. } => room.make(all, Some(Concatenation::default())),
        }
    }

    /// Returns the value of each group; unbound if it is an error. Groups to which nothing was added are included.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn finish(mut self, group_count: usize, context: &Context<'_>) -> Result<Vec<TermId>> {
        self.resize(group_count, context)?;
        let id = |value: Option<Value>| {
            context.terms.budget().check()?;
            match value {
                Some(value) => context.terms.id_of_value(value),
                None => Ok(TermId::UNBOUND),
            }
        };
        Ok(match self.function {
            Function::CountRows(counts) | Function::Count(counts) => {
                // Most groups have few rows, so the ids of small counts are remembered.
                let mut known = [TermId::UNBOUND; 256];
                let of = |count: u64| match known.get_mut(usize::try_from(count).unwrap_or(usize::MAX)) {
                    Some(known) if *known != TermId::UNBOUND => Ok(*known),
                    known => {
                        let id = id(i64::try_from(count).ok().map(Value::integer))?;
                        if let Some(known) = known {
                            *known = id;
                        }
                        Ok(id)
                    }
                };
                counts.into_iter().map(of).collect::<Result<_>>()?
            }
            Function::Sum(totals) => {
                let sum = |total: Total| id(total.told(total.sum(), context).map(Value::Number));
                totals.into_iter().map(sum).collect::<Result<_>>()?
            }
            Function::Average(totals) => {
                let average = |total: Total| id(total.told(total.average(), context).map(Value::Number));
                totals.into_iter().map(average).collect::<Result<_>>()?
            }
            Function::Best(_, best) => best.into_iter().map(|best| best.unwrap_or(TermId::UNBOUND)).collect(),
            Function::Sample(samples) => samples,
            Function::Concatenate { groups, .. } => {
                let text = |concatenation: Concatenation| Value::string(concatenation.text);
                groups.into_iter().map(|group| id(group.map(text))).collect::<Result<_>>()?
            }
        })
    }
}

impl Function {
    fn name(&self) -> &'static str {
        match self {
            Self::CountRows(_) | Self::Count(_) => "COUNT",
            Self::Sum(_) => "SUM",
            Self::Average(_) => "AVG",
            Self::Best(Ordering::Less, _) => "MIN",
            Self::Best(..) => "MAX",
            Self::Sample(_) => "SAMPLE",
            Self::Concatenate { .. } => "GROUP_CONCAT",
        }
    }
}

/// Counts that an aggregate has no value for a group, because of this value in it; `None` is an unbound value.
#[cold]
fn count_failure(name: &str, value: Option<&Value>, context: &Context<'_>) {
    let value = value.map_or_else(|| "an unbound value".to_owned(), Value::described);
    // The reason why an argument failed comes before this in the order of texts, so that it is the one that is told.
    context.failures.count(&format!("with {value} in its group, {name} has no value").into());
}

/// Makes room for this many groups, and counts it.
struct Room<'r> {
    groups: usize,
    held: &'r mut Reservation,
    budget: &'r Budget,
}

impl Room<'_> {
    fn make<T: Clone>(&mut self, all: &mut Vec<T>, empty: T) -> Result<()> {
        if self.groups > all.capacity() {
            let room = room_for(all.len(), self.groups);
            self.held.grow(self.budget, ((room - all.capacity()) * size_of::<T>()) as u64)?;
            all.reserve_exact(room - all.len());
        }
        if self.groups > all.len() {
            all.resize(self.groups, empty);
        }
        Ok(())
    }
}

/// Returns the text that a concatenation takes from a term, which is that of STR. By the letter (SPARQL 1.1 §18.5.1.7), all terms
/// but strings are errors, but nobody who concatenates numbers or IRIs wants an empty result; Apache Jena takes their text too.
fn text_of(id: TermId, terms: &Terms<'_>) -> Option<String> {
    if id == TermId::UNBOUND {
        return None;
    }
    if let Some(text) = terms.text(id) {
        return Some(text.value);
    }
    match terms.term(id) {
        Term::NamedNode(iri) => Some(iri.into_string()),
        Term::Literal(literal) => Some(literal.destruct().0),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

impl Concatenation {
    fn add(&mut self, text: &str, separator: &str, weight: u64, held: &mut Reservation, budget: &Budget) -> Result<()> {
        let length = (separator.len() + text.len()) as u64;
        let all = length.saturating_mul(weight).saturating_add(self.text.len() as u64);
        if all > LARGEST_CONCATENATION as u64 {
            return Err(Error::limit(format!(
                "GROUP_CONCAT makes a string that is larger than {} MiB",
                LARGEST_CONCATENATION >> 20
            )));
        }
        self.make_room(all as usize, held, budget)?;
        for n in 0..weight {
            if n % 4096 == 4095 {
                budget.check()?;
            }
            if std::mem::replace(&mut self.begun, true) {
                self.text.push_str(separator);
            }
            self.text.push_str(text);
        }
        Ok(())
    }

    /// Makes room for a text of this length. The budget is asked before the room is taken.
    fn make_room(&mut self, length: usize, held: &mut Reservation, budget: &Budget) -> Result<()> {
        let room = self.text.capacity();
        if length > room {
            let wanted = length.max(room * 2);
            held.grow(budget, (wanted - room) as u64)?;
            self.text.reserve_exact(wanted - self.text.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
