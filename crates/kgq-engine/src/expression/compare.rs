//! Equality and order of values as SPARQL's `=` and `<` see them (SPARQL 1.1 §17.3), with their type errors.
//!
//! `None` is a type error. As in Oxigraph, values of types that the standard does not list (dates, durations, strings
//! of one language, triple terms) compare too; it allows such extensions. Unlike in Oxigraph, a value without an order
//! is not `<=` itself.

use super::value::{Moment, Number, Span, Text, Value};
use super::wide;
use kgq_syntax::rdf::Triple;
use oxsdatatypes::{Decimal, Double, Float};
use std::cmp::Ordering;

/// `a = b`.
pub fn equals(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Iri(a), Value::Iri(b)) => Some(a == b),
        (Value::Blank(a), Value::Blank(b)) => Some(a == b),
        (Value::Triple(a), Value::Triple(b)) => triples_equal(a, b),
        (Value::Text(a), Value::Text(b)) => Some(a == b),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(numbers(a, b) == Some(Ordering::Equal)),
        (Value::Moment(a), Value::Moment(b)) => moments_equal(*a, *b),
        (Value::Span(a), Value::Span(b)) => Some(spans_equal(*a, *b)),
        (Value::Opaque(a), Value::Opaque(b)) => (a == b).then_some(true),
        // Nothing is known about an opaque literal's value, except that it is not a string with a language.
        (Value::Opaque(_), Value::Text(Text { language: None, .. }))
        | (Value::Text(Text { language: None, .. }), Value::Opaque(_))
        | (Value::Opaque(_), Value::Boolean(_) | Value::Number(_) | Value::Moment(_) | Value::Span(_))
        | (Value::Boolean(_) | Value::Number(_) | Value::Moment(_) | Value::Span(_), Value::Opaque(_)) => None,
        (
            Value::Iri(_)
            | Value::Blank(_)
            | Value::Triple(_)
            | Value::Text(_)
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Moment(_)
            | Value::Span(_)
            | Value::Opaque(_),
            _,
        ) => Some(false),
    }
}

fn triples_equal(a: &Triple, b: &Triple) -> Option<bool> {
    if a.subject != b.subject || a.predicate != b.predicate {
        return Some(false);
    }
    equals(&Value::of(a.object.clone()), &Value::of(b.object.clone()))
}

/// `None` for two moments, one with a zone and one without, that are less than 14 hours apart: they may or may not be the same.
fn moments_equal(a: Moment, b: Moment) -> Option<bool> {
    let is_same_type = std::mem::discriminant(&a) == std::mem::discriminant(&b);
    if is_same_type { order_moments(a, b).map(Ordering::is_eq) } else { Some(false) }
}

fn spans_equal(a: Span, b: Span) -> bool {
    a.into_duration() == b.into_duration()
}

/// Compares two values for `<`, `<=`, `>` and `>=`. `Ok(None)` is for NaN, which is neither less nor greater.
pub fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, TypeError> {
    let found = match (a, b) {
        (Value::Number(a), Value::Number(b)) => return Ok(numbers(a, b)),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) if a.language == b.language => Some(a.value.cmp(&b.value)),
        (Value::Moment(a), Value::Moment(b)) => order_moments(*a, *b),
        (Value::Span(a), Value::Span(b)) => order_spans(*a, *b),
        (Value::Triple(a), Value::Triple(b)) => {
            if a.subject != b.subject || a.predicate != b.predicate {
                return Err(TypeError);
            }
            return order(&Value::of(a.object.clone()), &Value::of(b.object.clone()));
        }
        (
            Value::Iri(_)
            | Value::Blank(_)
            | Value::Triple(_)
            | Value::Text(_)
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Moment(_)
            | Value::Span(_)
            | Value::Opaque(_),
            _,
        ) => None,
    };
    found.map(Some).ok_or(TypeError)
}

/// The operands have no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeError;

/// Numbers compare in the wider of their types; NaN compares with nothing.
pub fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(b)),
        (Number::Integer(_) | Number::Decimal(_), Number::Integer(_) | Number::Decimal(_)) => {
            Some(decimal(a)?.cmp(&decimal(b)?))
        }
        (Number::Double(_), _) | (_, Number::Double(_)) => double(a).partial_cmp(&double(b)),
        (Number::Float(_), _) | (_, Number::Float(_)) => float(a).partial_cmp(&float(b)),
        (Number::Wide(_), _) | (_, Number::Wide(_)) => wide::compare(a, b),
    }
}

fn decimal(number: &Number) -> Option<Decimal> {
    match number {
        Number::Integer(n) => Some((*n).into()),
        Number::Decimal(n) => Some(*n),
        Number::Float(_) | Number::Double(_) | Number::Wide(_) => None,
    }
}

/// Converts by way of the double: a number that equals a double must get that double's float, because floats are the join keys.
pub fn float(number: &Number) -> Float {
    match number {
        Number::Float(n) => *n,
        Number::Integer(_) | Number::Decimal(_) | Number::Double(_) | Number::Wide(_) => double(number).into(),
    }
}

pub fn double(number: &Number) -> Double {
    match number {
        Number::Integer(n) => (*n).into(),
        Number::Decimal(n) => wide::double_of_decimal(*n).into(),
        Number::Float(n) => (*n).into(),
        Number::Double(n) => *n,
        Number::Wide(n) => n.to_double(),
    }
}

pub(crate) fn order_moments(a: Moment, b: Moment) -> Option<Ordering> {
    match (a, b) {
        (Moment::DateTime(a), Moment::DateTime(b)) => a.partial_cmp(&b),
        (Moment::Date(a), Moment::Date(b)) => a.partial_cmp(&b),
        (Moment::Time(a), Moment::Time(b)) => a.partial_cmp(&b),
        (Moment::Year(a), Moment::Year(b)) => a.partial_cmp(&b),
        (Moment::YearMonth(a), Moment::YearMonth(b)) => a.partial_cmp(&b),
        (Moment::Month(a), Moment::Month(b)) => a.partial_cmp(&b),
        (Moment::MonthDay(a), Moment::MonthDay(b)) => a.partial_cmp(&b),
        (Moment::Day(a), Moment::Day(b)) => a.partial_cmp(&b),
        (
            Moment::DateTime(_)
            | Moment::Date(_)
            | Moment::Time(_)
            | Moment::Year(_)
            | Moment::YearMonth(_)
            | Moment::Month(_)
            | Moment::MonthDay(_)
            | Moment::Day(_),
            _,
        ) => None,
    }
}

pub(crate) fn order_spans(a: Span, b: Span) -> Option<Ordering> {
    match (a, b) {
        (Span::Months(a), Span::Months(b)) => Some(a.cmp(&b)),
        (Span::Seconds(a), Span::Seconds(b)) => Some(a.cmp(&b)),
        (Span::Any(_) | Span::Months(_) | Span::Seconds(_), _) => a.into_duration().partial_cmp(&b.into_duration()),
    }
}
