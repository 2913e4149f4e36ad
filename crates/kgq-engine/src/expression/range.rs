//! Comparisons with a constant. The results for the ids of every family are computed once, so that a row costs only a
//! search among a few bounds.

use super::Context;
use super::column::Column;
use super::compare;
use super::numbers::{self, Numbers};
use super::stretches::Stretches;
use super::value::Value;
use crate::plan::expression::OrderTest;
use crate::terms::Truth;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::rdf::Term;
use std::cmp::Ordering;
use std::ops::Range;

/// `?x = constant`, `?x < constant` and the like, or several of them joined by `||`, for every stored id.
#[derive(Debug)]
pub struct Ranges {
    tests: Vec<Test>,
    stretches: Stretches,
}

/// A comparison with a constant.
#[derive(Debug)]
struct Test {
    comparison: Comparison,
    constant: Value,
    id: TermId,
}

/// A comparison whose right side is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Order(OrderTest),
}

impl Comparison {
    /// Whether it is true of a value that stands so to the constant.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Order(test) => test.truth(Ok(Some(order))) == Truth::True,
        }
    }
}

/// The families of literals whose ids ascend with their values, in the order of their ids.
const ORDERED: [Family; 9] = [
    Family::Boolean,
    Family::Number,
    Family::Float,
    Family::Double,
    Family::ZonedDateTime,
    Family::LocalDateTime,
    Family::ZonedDate,
    Family::LocalDate,
    Family::String,
];

/// Ranges of ids under construction.
struct Layout<'t> {
    test: &'t Test,
    stretches: Stretches,
}

impl Ranges {
    pub fn new(comparison: Comparison, id: TermId, constant: Value, context: &Context<'_>) -> Self {
        let snapshot = context.terms.snapshot();
        let test = Test { comparison, constant, id };
        let mut layout = Layout { test: &test, stretches: Stretches::default() };
        for family in [Family::BlankNode, Family::Iri] {
            layout.push_terms(snapshot.family_range(family));
        }
        let own = match test.constant.clone().into_term() {
            Term::Literal(literal) => snapshot.equal_range(literal.as_ref()),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        };
        for family in ORDERED {
            let equal = own.clone().filter(|(own, _)| *own == family).map(|(_, equal)| equal);
            layout.push_family(family, equal, context);
        }
        // After the strings come language-tagged strings, other literals and triple terms.
        let rest = snapshot.family_range(Family::Other);
        layout.push_terms(snapshot.family_range(Family::String).end..rest.start);
        layout.stretches.push(rest.end, test.truth_of_other());
        layout.stretches.push(snapshot.term_count(), test.truth_of_triples());
        let stretches = layout.stretches;
        Self { tests: vec![test], stretches }
    }

    /// Combines tests by `||`; `None` if there are none.
    pub fn any(mut all: Vec<Self>) -> Option<Self> {
        // Neighbours are merged in rounds, so that a long list costs little more than a short one.
        while all.len() > 1 {
            let mut merged = Vec::with_capacity(all.len().div_ceil(2));
            let mut ranges = all.into_iter();
            while let Some(first) = ranges.next() {
                merged.push(match ranges.next() {
                    Some(second) => first.or(second),
                    None => first,
                });
            }
            all = merged;
        }
        all.pop()
    }

    fn or(mut self, other: Self) -> Self {
        let stretches = self.stretches.or(&other.stretches);
        self.tests.extend(other.tests);
        Self { tests: self.tests, stretches }
    }

    /// Returns the result of the comparison for an id.
    #[inline]
    pub fn truth(&self, id: TermId, context: &Context<'_>) -> Truth {
        if id == TermId::UNBOUND {
            return Truth::Error;
        }
        self.stretches.truth(id).unwrap_or_else(|| self.decide(&context.terms.value(id)))
    }

    pub fn truth_of_value(&self, column: &Column<'_>, row: usize, context: &Context<'_>) -> Truth {
        column.value(row, context).map_or(Truth::Error, |value| self.decide(&value))
    }

    pub fn truths_of_numbers(&self, numbers: &Numbers) -> Vec<Truth> {
        if let [Test { comparison, constant: Value::Number(constant), .. }] = self.tests.as_slice()
            && let Some(orders) = numbers::orders_to(numbers, constant)
        {
            let truth = |order: Option<Ordering>| match comparison {
                Comparison::Equal => (order == Some(Ordering::Equal)).into(),
                Comparison::Order(test) => test.truth(Ok(order)),
            };
            return orders.into_iter().map(truth).collect();
        }
        (0..numbers.rows()).map(|row| self.decide(&Value::Number(numbers::number(numbers, row)))).collect()
    }

    fn decide(&self, value: &Value) -> Truth {
        let mut truth = Truth::False;
        for test in &self.tests {
            truth = truth.or(test.decide(value));
            if truth == Truth::True {
                break;
            }
        }
        truth
    }

    /// Returns ascending ranges of stored ids outside which the comparison is not true, and whether it is true in all of them.
    pub fn candidates(&self) -> (Vec<Range<u32>>, bool) {
        self.stretches.candidates()
    }
}

impl Test {
    fn decide(&self, value: &Value) -> Truth {
        match self.comparison {
            Comparison::Equal => compare::equals(value, &self.constant).into(),
            Comparison::Order(test) => test.truth(compare::order(value, &self.constant)),
        }
    }

    fn truth_of_other(&self) -> Option<Truth> {
        match (self.comparison, &self.constant) {
            (Comparison::Equal, Value::Iri(_) | Value::Blank(_)) => Some(Truth::False),
            (Comparison::Order(_), Value::Iri(_) | Value::Blank(_)) => Some(Truth::Error),
            _ => None,
        }
    }

    fn truth_of_triples(&self) -> Option<Truth> {
        match (self.comparison, &self.constant) {
            (_, Value::Triple(_)) => None,
            (Comparison::Equal, _) => Some(Truth::False),
            (Comparison::Order(_), _) => Some(Truth::Error),
        }
    }
}

impl Layout<'_> {
    fn push(&mut self, end: u32, truth: Option<Truth>) {
        self.stretches.push(end, truth);
    }

    /// Terms that equal only themselves: blank nodes, IRIs, language-tagged strings.
    fn push_terms(&mut self, range: Range<u32>) {
        let others = match (self.test.comparison, &self.test.constant) {
            (Comparison::Equal, _) => Some(Truth::False),
            // Strings of one language are ordered.
            (Comparison::Order(_), Value::Text(text)) if text.language.is_some() => None,
            (Comparison::Order(_), _) => Some(Truth::Error),
        };
        let own = self.test.id.get();
        if self.test.comparison == Comparison::Equal && range.contains(&own) {
            self.push(own, others);
            self.push(own + 1, Some(Truth::True));
        }
        self.push(range.end, others);
    }

    /// `equal` are the ids of the constant's value, if it is of this family.
    fn push_family(&mut self, family: Family, equal: Option<Range<u32>>, context: &Context<'_>) {
        let range = context.terms.snapshot().family_range(family);
        if range.is_empty() {
            return;
        }
        let constant = &self.test.constant;
        let order = |id: u32| compare::order(&context.terms.value(TermId::new(id)), constant);
        let bounds = match equal {
            Some(equal) => Some(Bounds { less_end: equal.start, greater_start: equal.end, equal }),
            None => Bounds::find(&range, family, constant, order),
        };
        let Some(bounds) = bounds else {
            // All values of the family compare alike with the constant, so one of them decides.
            let truth = self.test.decide(&context.terms.value(TermId::new(range.start)));
            self.push(range.end, Some(truth));
            return;
        };
        let comparison = self.test.comparison;
        let of = |order: Option<Ordering>| match (comparison, order) {
            (_, None) => Truth::Error,
            (Comparison::Equal, Some(order)) => order.is_eq().into(),
            (Comparison::Order(test), Some(order)) => test.truth(Ok(Some(order))),
        };
        let (less, equal, greater, unclear) =
            (of(Some(Ordering::Less)), of(Some(Ordering::Equal)), of(Some(Ordering::Greater)), of(None));
        self.push(bounds.less_end, Some(less));
        self.push(bounds.equal.start, Some(unclear));
        self.push(bounds.equal.end, Some(equal));
        self.push(bounds.greater_start, Some(unclear));
        self.push(range.end, Some(greater));
    }
}

/// In ascending values: the end of those less than a constant, the range of those equal to it, and the start of those greater.
struct Bounds {
    less_end: u32,
    equal: Range<u32>,
    greater_start: u32,
}

impl Bounds {
    /// `None` if the family and the constant have no order.
    fn find(
        range: &Range<u32>,
        family: Family,
        constant: &Value,
        order: impl Fn(u32) -> Result<Option<Ordering>, compare::TypeError>,
    ) -> Option<Self> {
        let comparable = match constant {
            Value::Number(number) => {
                !number.is_nan() && matches!(family, Family::Number | Family::Float | Family::Double)
            }
            Value::Moment(super::value::Moment::DateTime(_)) => {
                matches!(family, Family::ZonedDateTime | Family::LocalDateTime)
            }
            Value::Moment(super::value::Moment::Date(_)) => matches!(family, Family::ZonedDate | Family::LocalDate),
            _ => false,
        };
        if !comparable {
            return None;
        }
        let less_end = partition(range.clone(), |id| order(id) == Ok(Some(Ordering::Less)));
        let greater_start = partition(less_end..range.end, |id| order(id) != Ok(Some(Ordering::Greater)));
        // A time with a zone and one without, only hours apart, have no order and may or may not be equal.
        let equal_end = partition(less_end..greater_start, |id| order(id) == Ok(Some(Ordering::Equal)));
        Some(Self { less_end, equal: less_end..equal_end, greater_start })
    }
}

/// Returns the first id of the range for which `holds` is false; it is true for all ids before.
fn partition(range: Range<u32>, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
