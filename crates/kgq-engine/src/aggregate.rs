//! Aggregates (SPARQL 1.1 §18.5.1): values are added a column at a time, each to the group of its row.
//!
//! An unbound value is an error: COUNT and SAMPLE pass over it, the others have no value for its group then. COUNT(DISTINCT …)
//! and its like tell terms apart, not values.

use super::expression::Context;
use super::expression::arithmetic::{self, Operation};
use super::expression::value::{Number, Value};
use super::expression::wide;
use super::order::Order;
use super::terms::Terms;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Term;
use oxsdatatypes::{Decimal, Double, Float};
use rustc_hash::FxHashSet;
use spargebra::algebra::{AggregateExpression, AggregateFunction};
use std::cmp::Ordering;

/// Bytes that one concatenation may have.
const LARGEST_CONCATENATION: usize = 1 << 28;
/// Texts that are joined between two looks at the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

/// One aggregate of all groups.
#[derive(Debug)]
pub struct Accumulator {
    function: Function,
    /// What was added to which group, where only distinct terms count.
    seen: Option<Seen>,
    seen_rows: Option<FxHashSet<(u32, Box<[TermId]>)>>,
    reserved: u64,
}

/// Which terms were added to which groups.
#[derive(Debug, Default)]
struct Seen {
    /// A bit for each stored term, while there is but one group.
    bits: Vec<u64>,
    /// Group and id in one number.
    others: FxHashSet<u64>,
}

impl Seen {
    /// Whether the term is new to its group.
    fn insert(&mut self, group: u32, id: TermId) -> bool {
        match self.bits.get_mut(id.index() / 64) {
            Some(bits) if group == 0 => {
                let bit = 1 << (id.index() % 64);
                let is_new = *bits & bit == 0;
                *bits |= bit;
                is_new
            }
            _ => self.others.insert(u64::from(group) << 32 | u64::from(id.get())),
        }
    }

    /// Goes over to bits once there are enough terms in the only group, and gives the bytes that this took.
    fn widen(&mut self, groups: usize, terms: &Terms<'_>) -> usize {
        let words = terms.snapshot().term_count().div_ceil(64) as usize;
        if groups > 1 || !self.bits.is_empty() || self.others.len() * 4 < words {
            return 0;
        }
        self.bits = vec![0; words];
        let known = std::mem::take(&mut self.others);
        for key in known {
            self.insert((key >> 32) as u32, TermId::new(key as u32));
        }
        words * 8
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
    /// A function that nobody has defined.
    Unknown,
}

/// The sum of a group's numbers, by type, and how many there were.
#[derive(Clone, Debug, Default)]
struct Total {
    count: u64,
    failed: bool,
    integers: i128,
    decimals: Option<Decimal>,
    floats: Option<Float>,
    doubles: Option<Double>,
    /// The sum of what the exact sums above do not hold.
    wide: Option<Number>,
}

#[derive(Clone, Debug, Default)]
struct Concatenation {
    text: String,
    /// Whether there is a text to put a separator after.
    begun: bool,
}

impl Accumulator {
    pub fn new(aggregate: &AggregateExpression) -> Self {
        let (function, distinct) = match aggregate {
            AggregateExpression::CountSolutions { distinct } => (Function::CountRows(Vec::new()), *distinct),
            AggregateExpression::FunctionCall { name, distinct, .. } => {
                let function = match name {
                    AggregateFunction::Count => Function::Count(Vec::new()),
                    AggregateFunction::Sum => Function::Sum(Vec::new()),
                    AggregateFunction::Avg => Function::Average(Vec::new()),
                    AggregateFunction::Min => Function::Best(Ordering::Less, Vec::new()),
                    AggregateFunction::Max => Function::Best(Ordering::Greater, Vec::new()),
                    AggregateFunction::Sample => Function::Sample(Vec::new()),
                    AggregateFunction::GroupConcat { separator } => Function::Concatenate {
                        separator: separator.clone().unwrap_or_else(|| " ".to_owned()),
                        groups: Vec::new(),
                    },
                    AggregateFunction::Custom(_) => Function::Unknown,
                };
                (function, *distinct)
            }
        };
        let of_rows = matches!(function, Function::CountRows(_));
        // These are the same with and without duplicates.
        let indifferent = matches!(function, Function::Best(..) | Function::Sample(_) | Function::Unknown);
        Self {
            function,
            seen: (distinct && !of_rows && !indifferent).then(Seen::default),
            seen_rows: (distinct && of_rows).then(FxHashSet::default),
            reserved: 0,
        }
    }

    /// Whether it looks at whole rows, not at one column: COUNT(DISTINCT *).
    pub fn needs_rows(&self) -> bool {
        self.seen_rows.is_some()
    }

    /// Adds a batch: for each row its group (below `group_count`), the values of the argument (none for COUNT(*)), all
    /// variables in sight (for COUNT(DISTINCT *) only), and how many solutions it stands for (one, if absent).
    ///
    /// # Errors
    /// A limit of the query.
    pub fn add(
        &mut self,
        groups: &[u32],
        group_count: usize,
        argument: Option<&[TermId]>,
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
            return reserve(&mut self.reserved, bytes as u64, context);
        }
        if let Function::CountRows(counts) = &mut self.function {
            for (row, group) in groups.iter().enumerate() {
                let count = &mut counts[*group as usize];
                *count = count.saturating_add(weight(row));
            }
            return Ok(());
        }
        let Some(argument) = argument else { return Ok(()) };
        let Some(seen) = &mut self.seen else {
            return self.add_values(groups.iter().copied().zip(argument.iter().copied()).enumerate(), weight, context);
        };
        let before = seen.others.len();
        let widened = seen.widen(group_count, &context.terms);
        let fresh: Vec<(usize, (u32, TermId))> = groups
            .iter()
            .copied()
            .zip(argument.iter().copied())
            .enumerate()
            .filter(|(_, (group, id))| *id == TermId::UNBOUND || seen.insert(*group, *id))
            .collect();
        let bytes = widened + seen.others.len().saturating_sub(before) * 16;
        reserve(&mut self.reserved, bytes as u64, context)?;
        self.add_values(fresh.into_iter(), |_| 1, context)
    }

    fn add_values(
        &mut self,
        values: impl Iterator<Item = (usize, (u32, TermId))>,
        weight: impl Fn(usize) -> u64,
        context: &Context<'_>,
    ) -> Result<()> {
        let terms = &context.terms;
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
                        (false, TermId::UNBOUND) => total.failed = true,
                        (false, id) => match terms.number(id) {
                            Some(number) => total.add(&number, weight(row)),
                            None => total.failed = true,
                        },
                    }
                }
            }
            Function::Best(wanted, best) => {
                let mut order = Order::new(terms);
                for (_, (group, id)) in values {
                    let best = &mut best[group as usize];
                    *best = match (*best, id) {
                        (None, _) | (_, TermId::UNBOUND) => None,
                        (Some(TermId::UNBOUND), id) => Some(id),
                        (Some(known), id) if known == id => Some(known),
                        (Some(known), id) => {
                            let better = compare(&mut order, terms, id, known)? == *wanted;
                            Some(if better { id } else { known })
                        }
                    };
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
                        terms.guard().check()?;
                    }
                    let Some(concatenation) = &mut groups[group as usize] else { continue };
                    let Some(text) = text_of(id, terms) else {
                        groups[group as usize] = None;
                        continue;
                    };
                    let before = concatenation.text.len();
                    concatenation.add(&text, separator, weight(row), context)?;
                    let grown = (concatenation.text.len() - before) as u64;
                    reserve(&mut self.reserved, grown, context)?;
                }
            }
            Function::CountRows(_) | Function::Unknown => {}
        }
        Ok(())
    }

    fn resize(&mut self, groups: usize, context: &Context<'_>) -> Result<()> {
        let (len, size) = match &self.function {
            Function::CountRows(counts) | Function::Count(counts) => (counts.len(), 8),
            Function::Sum(totals) | Function::Average(totals) => (totals.len(), size_of::<Total>()),
            Function::Best(_, best) => (best.len(), 8),
            Function::Sample(samples) => (samples.len(), 4),
            Function::Concatenate { groups, .. } => (groups.len(), size_of::<Concatenation>()),
            Function::Unknown => return Ok(()),
        };
        if groups <= len {
            return Ok(());
        }
        reserve(&mut self.reserved, ((groups - len) * size) as u64, context)?;
        match &mut self.function {
            Function::CountRows(counts) | Function::Count(counts) => counts.resize(groups, 0),
            Function::Sum(totals) | Function::Average(totals) => totals.resize(groups, Total::default()),
            Function::Best(_, best) => best.resize(groups, Some(TermId::UNBOUND)),
            Function::Sample(samples) => samples.resize(groups, TermId::UNBOUND),
            Function::Concatenate { groups: all, .. } => all.resize(groups, Some(Concatenation::default())),
            Function::Unknown => {}
        }
        Ok(())
    }

    /// The value of each group; unbound where it is an error. Groups to which nothing was added are counted too.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn finish(mut self, group_count: usize, context: &Context<'_>) -> Result<Vec<TermId>> {
        self.resize(group_count, context)?;
        let reserved = self.reserved;
        let id = |value: Option<Value>| {
            context.terms.guard().check()?;
            match value {
                Some(value) => context.terms.id_of_value(value),
                None => Ok(TermId::UNBOUND),
            }
        };
        let count = |count| i64::try_from(count).ok().map(Value::integer);
        let ids = match self.function {
            Function::CountRows(counts) | Function::Count(counts) => {
                counts.into_iter().map(|n| id(count(n))).collect::<Result<_>>()?
            }
            Function::Sum(totals) => {
                totals.into_iter().map(|total| id(total.sum().map(Value::Number))).collect::<Result<_>>()?
            }
            Function::Average(totals) => {
                totals.into_iter().map(|total| id(total.average().map(Value::Number))).collect::<Result<_>>()?
            }
            Function::Best(_, best) => best.into_iter().map(|best| best.unwrap_or(TermId::UNBOUND)).collect(),
            Function::Sample(samples) => samples,
            Function::Concatenate { groups, .. } => {
                let text = |concatenation: Concatenation| Value::string(concatenation.text);
                groups.into_iter().map(|group| id(group.map(text))).collect::<Result<_>>()?
            }
            Function::Unknown => vec![TermId::UNBOUND; group_count],
        };
        context.terms.guard().release(reserved);
        Ok(ids)
    }
}

fn reserve(reserved: &mut u64, bytes: u64, context: &Context<'_>) -> Result<()> {
    if bytes > 0 {
        context.terms.guard().reserve(bytes)?;
        *reserved += bytes;
    }
    Ok(())
}

/// Ids of one family, as most groups have, are compared without the rest of the order's work.
fn compare(order: &mut Order<'_, '_>, terms: &Terms<'_>, a: TermId, b: TermId) -> Result<Ordering> {
    if terms.is_stored(a) && terms.is_stored(b) {
        let ((a_family, a_rank), (b_family, b_rank)) = (terms.snapshot().value_rank(a), terms.snapshot().value_rank(b));
        if a_family == b_family && !matches!(a_family, Family::Other | Family::Triple) {
            return Ok(a_rank.cmp(&b_rank));
        }
    }
    order.compare(a, b)
}

impl Total {
    fn add(&mut self, number: &Number, weight: u64) {
        self.count = self.count.saturating_add(weight);
        match number {
            Number::Integer(n) => {
                let sum = i128::from(i64::from(*n))
                    .checked_mul(i128::from(weight))
                    .and_then(|n| self.integers.checked_add(n));
                match sum {
                    Some(sum) => self.integers = sum,
                    None => self.add_wide(number, weight),
                }
            }
            Number::Decimal(n) => {
                let product = if weight == 1 { Some(*n) } else { times(*n, weight) };
                match product.and_then(|product| self.decimals.unwrap_or_default().checked_add(product)) {
                    Some(sum) => self.decimals = Some(sum),
                    None => self.add_wide(number, weight),
                }
            }
            Number::Float(n) => {
                let n = if weight == 1 { *n } else { *n * Float::from(weight as f32) };
                self.floats = Some(self.floats.unwrap_or_default() + n);
            }
            Number::Double(n) => {
                let n = if weight == 1 { *n } else { *n * Double::from(weight as f64) };
                self.doubles = Some(self.doubles.unwrap_or_default() + n);
            }
            Number::Wide(_) => self.add_wide(number, weight),
        }
    }

    /// Adds what the narrow sums do not hold.
    #[cold]
    fn add_wide(&mut self, number: &Number, weight: u64) {
        let weight = wide::of_integer(weight.into());
        let product = arithmetic::numbers(Operation::Multiply, number, &weight);
        let sum = match (product, &self.wide) {
            (Some(product), Some(sum)) => arithmetic::numbers(Operation::Add, sum, &product),
            (product, _) => product,
        };
        self.failed |= sum.is_none();
        self.wide = sum;
    }

    /// The sum, in the widest type that was added; zero of none.
    fn sum(self) -> Option<Number> {
        if self.failed {
            return None;
        }
        let rest = [
            self.decimals.map(Number::Decimal),
            self.wide,
            self.floats.map(Number::Float),
            self.doubles.map(Number::Double),
        ];
        let mut sum = wide::of_integer(self.integers);
        for part in rest.into_iter().flatten() {
            sum = arithmetic::numbers(Operation::Add, &sum, &part)?;
        }
        Some(sum)
    }

    fn average(self) -> Option<Number> {
        let count = self.count;
        let sum = self.sum()?;
        if count == 0 {
            return Some(Number::Integer(0.into()));
        }
        arithmetic::numbers(Operation::Divide, &sum, &wide::of_integer(count.into()))
    }
}

fn times(number: Decimal, weight: u64) -> Option<Decimal> {
    number.checked_mul(Decimal::from(weight))
}

/// What a concatenation takes of a term: its text, as STR gives it. By the letter (SPARQL 1.1 §18.5.1.7) all but strings are errors,
/// but nobody who concatenates numbers or IRIs wants nothing; Apache Jena gives their text too.
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
    fn add(&mut self, text: &str, separator: &str, weight: u64, context: &Context<'_>) -> Result<()> {
        let length = (separator.len() + text.len()) as u64;
        if length.saturating_mul(weight).saturating_add(self.text.len() as u64) > LARGEST_CONCATENATION as u64 {
            return Err(Error::limit(format!(
                "GROUP_CONCAT makes a string that is larger than {} MiB",
                LARGEST_CONCATENATION >> 20
            )));
        }
        for n in 0..weight {
            if n % 4096 == 4095 {
                context.terms.guard().check()?;
            }
            if std::mem::replace(&mut self.begun, true) {
                self.text.push_str(separator);
            }
            self.text.push_str(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Guard;
    use kgq_snapshot::Snapshot;
    use kgq_syntax::rdf::{Literal, NamedNode, Term};
    use spargebra::algebra::Expression;
    use std::sync::Arc;

    fn term(text: &str) -> Option<Term> {
        let names = regex::Regex::new(r"xsd:(\w+)").unwrap();
        let text = names.replace_all(text, "<http://www.w3.org/2001/XMLSchema#$1>");
        match &*text {
            "-" => None,
            text if text.starts_with(|c: char| c.is_ascii_digit()) => {
                let datatype = if text.contains('.') { oxrdf::vocab::xsd::DECIMAL } else { oxrdf::vocab::xsd::INTEGER };
                Some(Literal::new_typed_literal(text, datatype).into())
            }
            text => Some(text.parse().unwrap()),
        }
    }

    /// Aggregates values, separated by `|`, in one group; and with each value twice, as one row of weight two.
    fn aggregate(function: AggregateFunction, distinct: bool, values: &str, weight: u64) -> Option<String> {
        let snapshot = Snapshot::from_quads([]).unwrap();
        let context = Context::new(&snapshot, None, Arc::new(Guard::default()));
        let ids: Vec<TermId> = values
            .split('|')
            .filter(|value| !value.is_empty())
            .map(|value| term(value).map_or(TermId::UNBOUND, |term| context.terms.id(term).unwrap()))
            .collect();
        let expr = Expression::NamedNode(NamedNode::new_unchecked("http://example.com/"));
        let mut accumulator = Accumulator::new(&AggregateExpression::FunctionCall { name: function, expr, distinct });
        let weights = vec![weight; ids.len()];
        for at in 0..ids.len() {
            let (ids, weights) = (&ids[at..=at], &weights[at..=at]);
            accumulator.add(&[1], 2, Some(ids), &[], Some(weights), &context).unwrap();
        }
        let found = accumulator.finish(2, &context).unwrap();
        (found[1] != TermId::UNBOUND).then(|| context.terms.term(found[1]).to_string())
    }

    #[track_caller]
    fn check(function: AggregateFunction, values: &str, expected: &str) {
        let found = aggregate(function, false, values, 1);
        assert_eq!(found, term(expected).map(|term| term.to_string()), "{values}");
    }

    #[test]
    fn sums_have_the_widest_type_and_fail_on_what_is_no_number() {
        check(AggregateFunction::Sum, "", "0");
        check(AggregateFunction::Sum, "1|2", "3");
        check(AggregateFunction::Sum, "1|2.5", "3.5");
        check(AggregateFunction::Sum, "1|\"2\"^^xsd:float|\"0.5\"^^xsd:double", "\"3.5\"^^xsd:double");
        check(AggregateFunction::Sum, "1|\"a\"", "-");
        check(AggregateFunction::Sum, "1|-", "-");
        check(AggregateFunction::Sum, "9223372036854775807|1", "9223372036854775808");
        check(AggregateFunction::Sum, "9223372036854775807|1|\"-1\"^^xsd:integer", "9223372036854775807");
    }

    #[test]
    fn averages_of_integers_are_decimals_and_of_nothing_zero() {
        check(AggregateFunction::Avg, "", "0");
        check(AggregateFunction::Avg, "1|2", "1.5");
        check(AggregateFunction::Avg, "\"1\"^^xsd:double|2", "\"1.5\"^^xsd:double");
        check(AggregateFunction::Avg, "1|-", "-");
    }

    #[test]
    fn counts_pass_over_errors() {
        check(AggregateFunction::Count, "1|-|1", "2");
        check(AggregateFunction::Sample, "-|1", "1");
        assert_eq!(aggregate(AggregateFunction::Count, true, "1|-|1", 1), term("1").map(|t| t.to_string()));
    }

    #[test]
    fn distinct_terms_of_one_value_count_apart() {
        let sum = aggregate(AggregateFunction::Sum, true, "1|1|\"01\"^^xsd:integer", 1);
        assert_eq!(sum, term("2").map(|t| t.to_string()));
    }

    #[test]
    fn the_best_value_keeps_its_lexical_form() {
        check(AggregateFunction::Min, "2|\"01\"^^xsd:integer|1.5", "\"01\"^^xsd:integer");
        check(AggregateFunction::Max, "2|10|\"9\"^^xsd:double", "10");
        check(AggregateFunction::Max, "2|-", "-");
        check(AggregateFunction::Min, "", "-");
        check(AggregateFunction::Max, "1|\"a\"|<http://example.com/>", "\"a\"");
    }

    #[test]
    fn concatenations_have_no_language() {
        let function = || AggregateFunction::GroupConcat { separator: Some(",".to_owned()) };
        check(function(), "", "\"\"");
        check(function(), "\"a\"@en|\"b\"@en", "\"a,b\"");
        check(function(), "\"a\"@en", "\"a\"");
        check(function(), "\"a\"@en|\"b\"", "\"a,b\"");
        check(function(), "\"a\"|1|\"01\"^^xsd:integer|<http://example.com/>", "\"a,1,01,http://example.com/\"");
        check(function(), "\"a\"|-", "-");
        check(AggregateFunction::GroupConcat { separator: None }, "\"a\"|\"b\"", "\"a b\"");
    }

    #[test]
    fn a_row_of_weight_two_is_two_solutions() {
        let two = |function| aggregate(function, false, "1|2.5", 2);
        let text = |expected: &str| term(expected).map(|t| t.to_string());
        assert_eq!(two(AggregateFunction::Sum), text("\"7\"^^xsd:decimal"));
        assert_eq!(two(AggregateFunction::Avg), text("1.75"));
        assert_eq!(two(AggregateFunction::Count), text("4"));
        let function = AggregateFunction::GroupConcat { separator: None };
        assert_eq!(aggregate(function, false, "\"a\"", 3), text("\"a a a\""));
    }

    #[test]
    fn distinct_terms_are_counted_apart_from_those_of_other_groups() {
        let iri = |n: u32| NamedNode::new_unchecked(format!("http://example.com/{n}"));
        let snapshot = Snapshot::from_quads(
            (0..300)
                .map(|n| kgq_syntax::rdf::Quad::new(iri(n), iri(0), iri(n), kgq_syntax::rdf::GraphName::DefaultGraph)),
        )
        .unwrap();
        let context = Context::new(&snapshot, None, Arc::default());
        let expr = Expression::NamedNode(iri(0));
        let count = AggregateExpression::FunctionCall { name: AggregateFunction::Count, expr, distinct: true };
        let mut accumulator = Accumulator::new(&count);
        let stored: Vec<TermId> = (0..300).map(TermId::new).collect();
        for _ in 0..3 {
            accumulator.add(&[0; 300], 1, Some(&stored), &[], None, &context).unwrap();
        }
        accumulator.add(&[1; 3], 2, Some(&[stored[0], stored[0], stored[1]]), &[], None, &context).unwrap();
        accumulator.add(&[0; 3], 2, Some(&[stored[0], stored[9], stored[1]]), &[], None, &context).unwrap();
        let counts = accumulator.finish(2, &context).unwrap();
        let shown = |id| context.terms.number(id).map(|n| n.to_string());
        assert_eq!(shown(counts[0]).as_deref(), Some("300"));
        assert_eq!(shown(counts[1]).as_deref(), Some("2"));
    }

    #[test]
    fn distinct_rows_are_counted_by_all_their_variables() {
        let snapshot = Snapshot::from_quads([]).unwrap();
        let context = Context::new(&snapshot, None, Arc::default());
        let mut accumulator = Accumulator::new(&AggregateExpression::CountSolutions { distinct: true });
        let [a, b, c] = [1, 2, 3].map(TermId::new);
        assert!(accumulator.needs_rows());
        let columns: [&[TermId]; 2] = [&[a, a, a, b], &[b, b, c, b]];
        accumulator.add(&[0, 0, 0, 1], 2, None, &columns, None, &context).unwrap();
        let counts = accumulator.finish(2, &context).unwrap();
        assert_eq!(context.terms.number(counts[0]).map(|n| n.to_string()).as_deref(), Some("2"));
        assert_eq!(context.terms.number(counts[1]).map(|n| n.to_string()).as_deref(), Some("1"));
    }

    #[test]
    fn a_concatenation_hears_within_a_batch_that_it_is_cancelled() {
        let snapshot = Snapshot::from_quads([]).unwrap();
        let cancelled = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let guard = Guard::new(&crate::Limits::default(), Arc::clone(&cancelled));
        let context = Context::new(&snapshot, None, Arc::new(guard));
        let id = context.terms.id(Literal::new_simple_literal("a").into()).unwrap();
        let name = AggregateFunction::GroupConcat { separator: None };
        let expr = Expression::NamedNode(NamedNode::new_unchecked("http://example.com/"));
        let mut accumulator = Accumulator::new(&AggregateExpression::FunctionCall { name, expr, distinct: false });
        accumulator.add(&[0; 1000], 1, Some(&[id; 1000]), &[], None, &context).unwrap();
        cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(accumulator.add(&[0; 1000], 1, Some(&[id; 1000]), &[], None, &context).is_err());
    }
}
