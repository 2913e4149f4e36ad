//! The values that expressions compute with: RDF terms, whose literals are decoded into the values that they denote.
//!
//! A value does not keep how its literal was written (`01` and `1` are one integer, of whatever derived datatype). Code
//! that needs the lexical form or the exact datatype asks the term instead.

use super::arithmetic;
use super::pattern::shown;
use super::wide::{self, Wide};
use crate::plan::expression::Operation;
use kgq_snapshot::{parse_double, parse_float, parse_integer};
use kgq_syntax::rdf::digits::Digits;
use kgq_syntax::rdf::literal::{integer_bounds, is_integer_within};
use kgq_syntax::rdf::{BaseDirection, BlankNode, Literal, LiteralRef, NamedNode, Term, Triple};
use oxrdf::vocab::xsd;
use oxsdatatypes::{
    Boolean, Date, DateTime, DayTimeDuration, Decimal, Double, Duration, Float, GDay, GMonth, GMonthDay, GYear,
    GYearMonth, Integer, Time, YearMonthDuration,
};
use std::fmt;
use std::sync::Arc;

/// A value (SPARQL 1.1 §17.1; XPath and XQuery Functions and Operators 3.1).
#[derive(Clone, Debug)]
pub enum Value {
    Iri(NamedNode),
    Blank(BlankNode),
    Triple(Box<Triple>),
    Text(Text),
    Boolean(bool),
    Number(Number),
    Moment(Moment),
    Span(Span),
    /// A literal of an unknown datatype, or whose lexical form its datatype does not allow, or with more digits than
    /// can be computed with.
    Opaque(Literal),
}

/// A string, with its language and base direction if it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub language: Option<Language>,
}

/// A language tag, and the base direction of RDF 1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    pub tag: String,
    pub direction: Option<BaseDirection>,
}

#[derive(Clone, Debug)]
pub enum Number {
    Integer(Integer),
    Decimal(Decimal),
    Float(Float),
    Double(Double),
    /// An integer or decimal that the types above cannot hold, and no other number.
    Wide(Arc<Wide>),
}

/// A point in time, or a part of a date.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    DateTime(DateTime),
    Date(Date),
    Time(Time),
    Year(GYear),
    YearMonth(GYearMonth),
    Month(GMonth),
    MonthDay(GMonthDay),
    Day(GDay),
}

/// A length of time.
#[derive(Clone, Copy, Debug)]
pub enum Span {
    Any(Duration),
    Months(YearMonthDuration),
    Seconds(DayTimeDuration),
}

impl Value {
    /// Returns the value that a term denotes.
    pub fn of(term: Term) -> Self {
        match term {
            Term::NamedNode(iri) => Self::Iri(iri),
            Term::BlankNode(node) => Self::Blank(node),
            Term::Literal(literal) => Self::of_literal(literal),
            Term::Triple(triple) => Self::Triple(triple),
        }
    }

    pub(crate) fn of_literal(literal: Literal) -> Self {
        if literal.language().is_none() && literal.datatype() != xsd::STRING {
            return Self::parse(literal.as_ref()).unwrap_or(Self::Opaque(literal));
        }
        let (value, _, tag, direction) = literal.destruct();
        Self::Text(Text { value, language: tag.map(|tag| Language { tag, direction }) })
    }

    /// Parses a literal that is not a string; `None` if it is opaque.
    fn parse(literal: LiteralRef<'_>) -> Option<Self> {
        let text = literal.value();
        let datatype = literal.datatype();
        Some(match datatype {
            xsd::BOOLEAN => Self::Boolean(text.parse::<Boolean>().ok()?.into()),
            xsd::DECIMAL => match text.parse() {
                Ok(narrow) => Number::Decimal(narrow).into(),
                Err(_) => wide::parse(text, false)?.into(),
            },
            xsd::FLOAT => Number::Float(parse_float(text)?).into(),
            xsd::DOUBLE => Number::Double(parse_double(text)?).into(),
            xsd::DATE_TIME => Moment::DateTime(text.parse().ok()?).into(),
            xsd::DATE_TIME_STAMP => {
                let moment: DateTime = text.parse().ok()?;
                moment.timezone_offset()?;
                Moment::DateTime(moment).into()
            }
            xsd::DATE => Moment::Date(text.parse().ok()?).into(),
            xsd::TIME => Moment::Time(text.parse().ok()?).into(),
            xsd::G_YEAR => Moment::Year(text.parse().ok()?).into(),
            xsd::G_YEAR_MONTH => Moment::YearMonth(text.parse().ok()?).into(),
            xsd::G_MONTH => Moment::Month(text.parse().ok()?).into(),
            xsd::G_MONTH_DAY => Moment::MonthDay(text.parse().ok()?).into(),
            xsd::G_DAY => Moment::Day(text.parse().ok()?).into(),
            xsd::DURATION => Span::Any(text.parse().ok()?).into(),
            xsd::YEAR_MONTH_DURATION => Span::Months(text.parse().ok()?).into(),
            xsd::DAY_TIME_DURATION => Span::Seconds(text.parse().ok()?).into(),
            _ => match parse_integer(text, datatype.as_str()) {
                Some(narrow) => Number::Integer(narrow).into(),
                None if is_integer_within(text, integer_bounds(datatype.as_str())?) => wide::parse(text, true)?.into(),
                None => return None,
            },
        })
    }

    /// Returns the term for the value, in the form of computed values.
    pub fn into_term(self) -> Term {
        let typed = |value: String, datatype| Term::from(Literal::new_typed_literal(value, datatype));
        match self {
            Self::Iri(iri) => iri.into(),
            Self::Blank(node) => node.into(),
            Self::Triple(triple) => Term::Triple(triple),
            Self::Text(text) => text.into_literal().into(),
            Self::Boolean(value) => Literal::from(value).into(),
            Self::Number(number) => typed(number.to_string(), number.datatype()),
            Self::Moment(moment) => typed(moment.to_string(), moment.datatype()),
            Self::Span(span) => typed(span.to_string(), span.datatype()),
            Self::Opaque(literal) => literal.into(),
        }
    }

    pub fn string(value: impl Into<String>) -> Self {
        Self::Text(Text { value: value.into(), language: None })
    }

    pub fn integer(value: i64) -> Self {
        Self::Number(Number::Integer(value.into()))
    }

    /// Returns the sum of two values, as `+` makes it; `None` is a type error.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        arithmetic::apply(Operation::Add, self, other)
    }

    /// Returns the effective boolean value (SPARQL 1.2 §17.2.2: unlike in 1.1, that of an ill-typed literal is an error); `None` is a type
    /// error.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Number(number) => Some(number.is_true()),
            Self::Text(Text { value, language: None }) => Some(!value.is_empty()),
            Self::Opaque(literal) => opaque_truth(literal),
            Self::Iri(_) | Self::Blank(_) | Self::Triple(_) | Self::Text(_) | Self::Moment(_) | Self::Span(_) => None,
        }
    }

    /// Describes the value for the reason of a failure: a literal by its text, others by their kind.
    pub fn described(&self) -> String {
        match self {
            Self::Iri(iri) => shown(&format!("<{}>", iri.as_str())),
            Self::Blank(_) => "a blank node".into(),
            Self::Triple(_) => "a triple".into(),
            Self::Text(text) => shown(&text.value),
            Self::Boolean(value) => shown(&value.to_string()),
            Self::Number(number) => shown(&number.to_string()),
            Self::Moment(_) => "a date or a time".into(),
            Self::Span(_) => "a duration".into(),
            Self::Opaque(literal) => shown(literal.value()),
        }
    }

    /// Returns the approximate bytes held on the heap.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Iri(iri) => iri.as_str().len(),
            Self::Blank(node) => node.as_str().len(),
            Self::Text(text) => text.value.len(),
            Self::Opaque(literal) => literal.value().len(),
            Self::Triple(triple) => term_bytes(&triple.object) + triple.predicate.as_str().len() + 64,
            Self::Number(Number::Wide(wide)) => wide.bytes(),
            Self::Boolean(_) | Self::Number(_) | Self::Moment(_) | Self::Span(_) => 0,
        }
    }
}

/// Returns the approximate bytes that a term holds on the heap.
fn term_bytes(term: &Term) -> usize {
    match term {
        Term::NamedNode(iri) => iri.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
        Term::Triple(triple) => term_bytes(&triple.object) + triple.predicate.as_str().len() + 64,
    }
}

/// The truth value of a literal whose value is not decoded: `None` if it is ill-typed; if it only has too many digits,
/// it is not zero.
fn opaque_truth(literal: &Literal) -> Option<bool> {
    let (text, datatype) = (literal.value(), literal.datatype());
    let is_number = match integer_bounds(datatype.as_str()) {
        Some(bounds) => is_integer_within(text, bounds),
        None => datatype == xsd::DECIMAL && Digits::of_decimal(text).is_some(),
    };
    is_number.then_some(true)
}

impl Text {
    pub(crate) fn into_literal(self) -> Literal {
        match self.language {
            None => Literal::new_simple_literal(self.value),
            Some(Language { tag, direction: None }) => Literal::new_language_tagged_literal_unchecked(self.value, tag),
            Some(Language { tag, direction: Some(direction) }) => {
                Literal::new_directional_language_tagged_literal_unchecked(self.value, tag, direction)
            }
        }
    }
}

impl Number {
    pub fn is_true(&self) -> bool {
        match self {
            Self::Integer(n) => Boolean::from(*n),
            Self::Decimal(n) => Boolean::from(*n),
            Self::Float(n) => Boolean::from(*n),
            Self::Double(n) => Boolean::from(*n),
            // Zero is always narrow.
            Self::Wide(_) => Boolean::from(true),
        }
        .into()
    }

    pub(crate) fn is_nan(&self) -> bool {
        match self {
            Self::Integer(_) | Self::Decimal(_) | Self::Wide(_) => false,
            Self::Float(n) => n.is_nan(),
            Self::Double(n) => n.is_nan(),
        }
    }

    fn datatype(&self) -> oxrdf::NamedNodeRef<'static> {
        match self {
            Self::Integer(_) => xsd::INTEGER,
            Self::Decimal(_) => xsd::DECIMAL,
            Self::Wide(wide) => {
                if wide.is_integer {
                    xsd::INTEGER
                } else {
                    xsd::DECIMAL
                }
            }
            Self::Float(_) => xsd::FLOAT,
            Self::Double(_) => xsd::DOUBLE,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => n.fmt(f),
            Self::Decimal(n) => n.fmt(f),
            Self::Wide(n) => n.fmt(f),
            Self::Float(n) => n.fmt(f),
            Self::Double(n) => n.fmt(f),
        }
    }
}

impl Moment {
    fn datatype(self) -> oxrdf::NamedNodeRef<'static> {
        match self {
            Self::DateTime(_) => xsd::DATE_TIME,
            Self::Date(_) => xsd::DATE,
            Self::Time(_) => xsd::TIME,
            Self::Year(_) => xsd::G_YEAR,
            Self::YearMonth(_) => xsd::G_YEAR_MONTH,
            Self::Month(_) => xsd::G_MONTH,
            Self::MonthDay(_) => xsd::G_MONTH_DAY,
            Self::Day(_) => xsd::G_DAY,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DateTime(m) => m.fmt(f),
            Self::Date(m) => m.fmt(f),
            Self::Time(m) => m.fmt(f),
            Self::Year(m) => m.fmt(f),
            Self::YearMonth(m) => m.fmt(f),
            Self::Month(m) => m.fmt(f),
            Self::MonthDay(m) => m.fmt(f),
            Self::Day(m) => m.fmt(f),
        }
    }
}

impl Span {
    fn datatype(self) -> oxrdf::NamedNodeRef<'static> {
        match self {
            Self::Any(_) => xsd::DURATION,
            Self::Months(_) => xsd::YEAR_MONTH_DURATION,
            Self::Seconds(_) => xsd::DAY_TIME_DURATION,
        }
    }

    pub(crate) fn into_duration(self) -> Duration {
        match self {
            Self::Any(span) => span,
            Self::Months(span) => span.into(),
            Self::Seconds(span) => span.into(),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(s) => s.fmt(f),
            Self::Months(s) => s.fmt(f),
            Self::Seconds(s) => s.fmt(f),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Moment> for Value {
    fn from(moment: Moment) -> Self {
        Self::Moment(moment)
    }
}

impl From<Span> for Value {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}
