//! Casts: the constructor functions of XML Schema's datatypes (SPARQL 1.1 §17.5; XPath Functions and Operators 3.1
//! §19), including those of dates and durations. `None` is a value that cannot be cast.

use super::pattern::{Reason, shown};
use super::value::{Moment, Number, Span, Text, Value};
use super::wide;
use kgq_snapshot::{parse_double, parse_float};
use kgq_syntax::rdf::NamedNodeRef;
use oxrdf::vocab::xsd;
use oxsdatatypes::{Boolean, Date, DateTime, Decimal, Time};
use std::borrow::Cow;
use std::str::FromStr;

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// A datatype that values can be cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    String,
    Boolean,
    Integer,
    Decimal,
    Float,
    Double,
    DateTime,
    Date,
    Time,
    Duration,
    YearMonthDuration,
    DayTimeDuration,
    Year,
    YearMonth,
    Month,
    MonthDay,
    Day,
}

impl Target {
    /// Returns the datatype with the given IRI, if values can be cast to it.
    pub fn of(datatype: NamedNodeRef<'_>) -> Option<Self> {
        Some(match datatype {
            xsd::STRING => Self::String,
            xsd::BOOLEAN => Self::Boolean,
            xsd::INTEGER => Self::Integer,
            xsd::DECIMAL => Self::Decimal,
            xsd::FLOAT => Self::Float,
            xsd::DOUBLE => Self::Double,
            xsd::DATE_TIME => Self::DateTime,
            xsd::DATE => Self::Date,
            xsd::TIME => Self::Time,
            xsd::DURATION => Self::Duration,
            xsd::YEAR_MONTH_DURATION => Self::YearMonthDuration,
            xsd::DAY_TIME_DURATION => Self::DayTimeDuration,
            xsd::G_YEAR => Self::Year,
            xsd::G_YEAR_MONTH => Self::YearMonth,
            xsd::G_MONTH => Self::Month,
            xsd::G_MONTH_DAY => Self::MonthDay,
            xsd::G_DAY => Self::Day,
            _ => return None,
        })
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Float | Self::Double)
    }

    pub fn datatype(self) -> NamedNodeRef<'static> {
        match self {
            Self::String => xsd::STRING,
            Self::Boolean => xsd::BOOLEAN,
            Self::Integer => xsd::INTEGER,
            Self::Decimal => xsd::DECIMAL,
            Self::Float => xsd::FLOAT,
            Self::Double => xsd::DOUBLE,
            Self::DateTime => xsd::DATE_TIME,
            Self::Date => xsd::DATE,
            Self::Time => xsd::TIME,
            Self::Duration => xsd::DURATION,
            Self::YearMonthDuration => xsd::YEAR_MONTH_DURATION,
            Self::DayTimeDuration => xsd::DAY_TIME_DURATION,
            Self::Year => xsd::G_YEAR,
            Self::YearMonth => xsd::G_YEAR_MONTH,
            Self::Month => xsd::G_MONTH,
            Self::MonthDay => xsd::G_MONTH_DAY,
            Self::Day => xsd::G_DAY,
        }
    }
}

/// Returns the reason why a value cannot be cast to the datatype; `None` if no value of its type can be, which queries rely on.
pub fn failure(value: &Value, datatype: &str) -> Option<Reason> {
    let text = match value {
        Value::Text(Text { value, language: None }) => Cow::Borrowed(value.as_str()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        // An ill-typed literal, or one that is too large.
        Value::Opaque(literal) if Target::of(literal.datatype()).is_some() => Cow::Borrowed(literal.value()),
        _ => return None,
    };
    let name = datatype.strip_prefix(XSD).unwrap_or(datatype);
    Some(format!("{} is no xsd:{name}", shown(&text)).into())
}

/// Casts the text of a number's term without reading it, if the number determines the text. Zero does not: its text may
/// have a sign.
pub fn of_own_text(value: &Value, target: Target) -> Option<Value> {
    let Value::Number(number) = value else { return None };
    let has_sign = match number {
        Number::Integer(n) => i64::from(*n) == 0,
        Number::Decimal(n) => *n == Decimal::from(0),
        Number::Float(_) | Number::Double(_) | Number::Wide(_) => false,
    };
    if !has_sign && is_told(number, target) { cast(value.clone(), target) } else { None }
}

/// Whether a number determines what its text is cast to, apart from the sign of zero.
pub fn is_told(number: &Number, target: Target) -> bool {
    match (number, target) {
        (Number::Integer(_), Target::Integer | Target::Decimal | Target::Double)
        | (Number::Decimal(_), Target::Decimal | Target::Double)
        | (Number::Double(_), Target::Double)
        | (Number::Float(_), Target::Float) => true,
        // Larger numbers would be rounded twice.
        (Number::Integer(n), Target::Float) => (1..1 << 24).contains(&i64::from(*n).unsigned_abs()),
        _ => false,
    }
}

/// Casts a value.
pub fn cast(value: Value, target: Target) -> Option<Value> {
    // An opaque literal, such as one that is too large, can only be cast to a string, even if it has the target's type.
    match target {
        Target::String => string(value),
        Target::Boolean => Some(Value::Boolean(boolean(&value)?)),
        Target::Integer | Target::Decimal | Target::Float | Target::Double => {
            Some(Value::Number(number(&value, target)?))
        }
        Target::DateTime
        | Target::Date
        | Target::Time
        | Target::Year
        | Target::YearMonth
        | Target::Month
        | Target::MonthDay
        | Target::Day => Some(Value::Moment(moment(&value, target)?)),
        Target::Duration | Target::YearMonthDuration | Target::DayTimeDuration => {
            Some(Value::Span(span(&value, target)?))
        }
    }
}

fn string(value: Value) -> Option<Value> {
    Some(Value::string(match value {
        Value::Iri(iri) => iri.into_string(),
        Value::Text(text) => text.value,
        Value::Boolean(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Moment(moment) => moment.to_string(),
        Value::Span(span) => span.to_string(),
        Value::Opaque(literal) => literal.destruct().0,
        Value::Blank(_) | Value::Triple(_) => return None,
    }))
}

/// Returns the text of a plain string without surrounding white space, which no other type's lexical form contains (XML
/// Schema's `whiteSpace` facet).
fn collapsed(value: &Value) -> Option<&str> {
    match value {
        Value::Text(Text { value, language: None }) => Some(value.trim_matches([' ', '\t', '\n', '\r'])),
        _ => None,
    }
}

fn read<T: FromStr>(value: &Value) -> Option<T> {
    collapsed(value)?.parse().ok()
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        Value::Number(number) => Some(number.is_true()),
        _ => read::<Boolean>(value).map(bool::from),
    }
}

fn number(value: &Value, target: Target) -> Option<Number> {
    let flag = match value {
        Value::Boolean(value) => Some(Boolean::from(*value)),
        _ => None,
    };
    Some(match target {
        Target::Integer => match (value, flag) {
            (_, Some(flag)) => Number::Integer(flag.into()),
            (Value::Number(number), _) => integer_of(number)?,
            _ => wide::parse(collapsed(value)?, true)?,
        },
        Target::Decimal => match (value, flag) {
            (_, Some(flag)) => Number::Decimal(flag.into()),
            (Value::Number(number), _) => decimal_of(number)?,
            _ => wide::parse(collapsed(value)?, false)?,
        },
        Target::Float => Number::Float(match value {
            Value::Number(n) => super::compare::float(n),
            _ => flag.map(Into::into).or_else(|| collapsed(value).and_then(parse_float))?,
        }),
        _ => Number::Double(match value {
            Value::Number(n) => super::compare::double(n),
            _ => flag.map(Into::into).or_else(|| collapsed(value).and_then(parse_double))?,
        }),
    })
}

/// Returns the number without its fraction.
fn integer_of(number: &Number) -> Option<Number> {
    match number {
        Number::Integer(_) => Some(number.clone()),
        Number::Decimal(n) => match (*n).try_into() {
            Ok(narrow) => Some(Number::Integer(narrow)),
            Err(_) => wide::Wide { value: wide::of_decimal(*n), is_integer: false }.truncated(),
        },
        Number::Wide(n) => n.truncated(),
        Number::Float(n) => wide::integer_of(f32::from(*n).into()),
        Number::Double(n) => wide::integer_of(f64::from(*n)),
    }
}

fn decimal_of(number: &Number) -> Option<Number> {
    match number {
        Number::Integer(n) => Some(Number::Decimal((*n).into())),
        Number::Decimal(_) => Some(number.clone()),
        Number::Wide(n) => wide::number(n.value.clone(), false),
        Number::Float(n) => decimal_of_double((*n).try_into().ok(), f32::from(*n).into()),
        Number::Double(n) => decimal_of_double((*n).try_into().ok(), f64::from(*n)),
    }
}

/// Returns the decimal for a double: the narrow one, unless the double is too large for it, or so small that digits
/// would be lost.
fn decimal_of_double(narrow: Option<Decimal>, double: f64) -> Option<Number> {
    match narrow {
        Some(narrow) if double == 0.0 || double.abs() >= 1e-3 => Some(Number::Decimal(narrow)),
        _ => wide::decimal_of(double),
    }
}

fn moment(value: &Value, target: Target) -> Option<Moment> {
    let Value::Moment(moment) = value else {
        return Some(match target {
            Target::DateTime => Moment::DateTime(read(value)?),
            Target::Date => Moment::Date(read(value)?),
            Target::Time => Moment::Time(read(value)?),
            Target::Year => Moment::Year(read(value)?),
            Target::YearMonth => Moment::YearMonth(read(value)?),
            Target::Month => Moment::Month(read(value)?),
            Target::MonthDay => Moment::MonthDay(read(value)?),
            _ => Moment::Day(read(value)?),
        });
    };
    Some(match (target, *moment) {
        (Target::DateTime, Moment::DateTime(_))
        | (Target::Date, Moment::Date(_))
        | (Target::Time, Moment::Time(_))
        | (Target::Year, Moment::Year(_))
        | (Target::YearMonth, Moment::YearMonth(_))
        | (Target::Month, Moment::Month(_))
        | (Target::MonthDay, Moment::MonthDay(_))
        | (Target::Day, Moment::Day(_)) => *moment,
        (Target::DateTime, Moment::Date(m)) => Moment::DateTime(DateTime::try_from(m).ok()?),
        (Target::Date, Moment::DateTime(m)) => Moment::Date(Date::try_from(m).ok()?),
        (Target::Time, Moment::DateTime(m)) => Moment::Time(Time::from(m)),
        (Target::Year, Moment::YearMonth(m)) => Moment::Year(m.try_into().ok()?),
        (Target::Year, Moment::Date(m)) => Moment::Year(m.try_into().ok()?),
        (Target::Year, Moment::DateTime(m)) => Moment::Year(m.try_into().ok()?),
        (Target::YearMonth, Moment::Date(m)) => Moment::YearMonth(m.into()),
        (Target::YearMonth, Moment::DateTime(m)) => Moment::YearMonth(m.try_into().ok()?),
        (Target::Month, Moment::YearMonth(m)) => Moment::Month(m.into()),
        (Target::Month, Moment::MonthDay(m)) => Moment::Month(m.into()),
        (Target::Month, Moment::Date(m)) => Moment::Month(m.into()),
        (Target::Month, Moment::DateTime(m)) => Moment::Month(m.into()),
        (Target::MonthDay, Moment::Date(m)) => Moment::MonthDay(m.into()),
        (Target::MonthDay, Moment::DateTime(m)) => Moment::MonthDay(m.into()),
        (Target::Day, Moment::MonthDay(m)) => Moment::Day(m.into()),
        (Target::Day, Moment::Date(m)) => Moment::Day(m.into()),
        (Target::Day, Moment::DateTime(m)) => Moment::Day(m.into()),
        _ => return None,
    })
}

fn span(value: &Value, target: Target) -> Option<Span> {
    Some(match (target, value) {
        (Target::Duration, Value::Span(span)) => Span::Any(span.into_duration()),
        (Target::Duration, _) => Span::Any(read(value)?),
        (Target::YearMonthDuration, Value::Span(Span::Any(span))) => Span::Months((*span).try_into().ok()?),
        (Target::YearMonthDuration, Value::Span(Span::Months(span))) => Span::Months(*span),
        (Target::YearMonthDuration, _) => Span::Months(read(value)?),
        (_, Value::Span(Span::Any(span))) => Span::Seconds((*span).try_into().ok()?),
        (_, Value::Span(Span::Seconds(span))) => Span::Seconds(*span),
        _ => Span::Seconds(read(value)?),
    })
}
