//! Arithmetic on numbers, dates and durations (SPARQL 1.1 §17.3; SEP-0002 for dates and durations). `None` is a type
//! error, an overflow of dates or durations, a number with too many digits or a division of integers or decimals by zero.

use super::compare::{double, float};
use super::numbers::{ONE, decimal, units};
use super::pattern::Reason;
use super::value::{Moment, Number, Span, Value};
use super::wide;
use crate::plan::expression::Operation;
use oxsdatatypes::{Decimal, Double, Float, Integer};

pub const TOO_MANY_DIGITS: &str = "a number has too many digits";
/// Also used for a duration whose months and days have different signs, which no type can hold.
pub const OUT_OF_RANGE: &str = "a date or a duration is out of range";

/// `a operation b`.
pub fn apply(operation: Operation, a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(operation, a, b).map(Value::Number),
        (Value::Span(a), Value::Span(b)) => spans(operation, *a, *b).map(Value::Span),
        (Value::Moment(a), Value::Moment(b)) => match operation {
            Operation::Subtract => difference(*a, *b).map(Value::Span),
            Operation::Add | Operation::Multiply | Operation::Divide => None,
        },
        (Value::Moment(a), Value::Span(b)) => shift(operation, *a, *b).map(Value::Moment),
        (Value::Span(a), Value::Moment(b)) if operation == Operation::Add => {
            shift(operation, *b, *a).map(Value::Moment)
        }
        _ => None,
    }
}

/// Returns the reason why [`apply`] has no result for two values.
pub fn failure(operation: Operation, a: &Value, b: &Value) -> Reason {
    match (a, b) {
        (Value::Number(_), Value::Number(divisor)) => {
            let by_zero = operation == Operation::Divide && f64::from(double(divisor)) == 0.0;
            if by_zero { "division by zero" } else { TOO_MANY_DIGITS }.into()
        }
        (Value::Span(_), Value::Span(_)) if matches!(operation, Operation::Add | Operation::Subtract) => {
            OUT_OF_RANGE.into()
        }
        (Value::Moment(a), Value::Moment(b)) if operation == Operation::Subtract && have_difference(*a, *b) => {
            OUT_OF_RANGE.into()
        }
        (Value::Moment(at), Value::Span(by)) if operation != Operation::Multiply && operation != Operation::Divide => {
            if moves(*at, *by) {
                OUT_OF_RANGE.into()
            } else {
                of_types(operation, a, b)
            }
        }
        (Value::Span(by), Value::Moment(at)) if operation == Operation::Add && moves(*at, *by) => OUT_OF_RANGE.into(),
        _ => of_types(operation, a, b),
    }
}

/// The reason that an operation is not defined for the types of two values.
fn of_types(operation: Operation, a: &Value, b: &Value) -> Reason {
    let sign = match operation {
        Operation::Add => '+',
        Operation::Subtract => '-',
        Operation::Multiply => '*',
        Operation::Divide => '/',
    };
    match (a, b) {
        (Value::Number(_), other) | (other, Value::Number(_)) => {
            format!("`{sign}` has a number and {}", other.described()).into()
        }
        _ => format!("`{sign}` has {} and {}", a.described(), b.described()).into(),
    }
}

/// Returns the reason why `-a` or `+a` has no result for a value.
pub fn sign_failure(a: &Value) -> Reason {
    match a {
        Value::Number(_) => TOO_MANY_DIGITS.into(),
        Value::Span(_) => OUT_OF_RANGE.into(),
        other => format!("a sign is before {}", other.described()).into(),
    }
}

fn have_difference(a: Moment, b: Moment) -> bool {
    matches!(
        (a, b),
        (Moment::DateTime(_), Moment::DateTime(_))
            | (Moment::Date(_), Moment::Date(_))
            | (Moment::Time(_), Moment::Time(_))
    )
}

/// Whether durations of this type can be added to moments of this type.
fn moves(at: Moment, by: Span) -> bool {
    match at {
        Moment::DateTime(_) | Moment::Date(_) => true,
        Moment::Time(_) => !matches!(by, Span::Months(_)),
        Moment::Year(_) | Moment::YearMonth(_) | Moment::Month(_) | Moment::MonthDay(_) | Moment::Day(_) => false,
    }
}

/// Two numbers of one type: the wider of the operands' types.
enum Pair {
    Integer(Integer, Integer),
    Decimal(Decimal, Decimal),
    Float(Float, Float),
    Double(Double, Double),
    /// Two exact numbers, at least one of which is wide.
    Wide,
}

fn promote(a: &Number, b: &Number) -> Pair {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => Pair::Integer(*a, *b),
        (Number::Integer(a), Number::Decimal(b)) => Pair::Decimal((*a).into(), *b),
        (Number::Decimal(a), Number::Integer(b)) => Pair::Decimal(*a, (*b).into()),
        (Number::Decimal(a), Number::Decimal(b)) => Pair::Decimal(*a, *b),
        (Number::Double(_), _) | (_, Number::Double(_)) => Pair::Double(double(a), double(b)),
        (Number::Float(_), _) | (_, Number::Float(_)) => Pair::Float(float(a), float(b)),
        (Number::Wide(_), _) | (_, Number::Wide(_)) => Pair::Wide,
    }
}

/// `a operation b` of two numbers, in the wider of their types; exact unless that is a float or double.
pub fn numbers(operation: Operation, a: &Number, b: &Number) -> Option<Number> {
    let narrow = match promote(a, b) {
        Pair::Integer(a, b) => match operation {
            Operation::Add => a.checked_add(b).map(Number::Integer),
            Operation::Subtract => a.checked_sub(b).map(Number::Integer),
            Operation::Multiply => a.checked_mul(b).map(Number::Integer),
            Operation::Divide => divide(a.into(), b.into()).map(Number::Decimal),
        },
        Pair::Decimal(a, b) => match operation {
            Operation::Add => a.checked_add(b),
            Operation::Subtract => a.checked_sub(b),
            // It refuses results with more than 18 fractional digits.
            Operation::Multiply => a.checked_mul(b),
            Operation::Divide => divide(a, b),
        }
        .map(Number::Decimal),
        Pair::Wide => None,
        Pair::Float(a, b) => Some(Number::Float(match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide => a / b,
        })),
        Pair::Double(a, b) => Some(Number::Double(match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide => a / b,
        })),
    };
    narrow.or_else(|| wide::compute(operation, a, b))
}

/// The quotient of two decimals, cut after 18 fractional digits. `None` if the divisor is zero, or if the quotient is
/// too large or so small that too few digits would be left.
pub(super) fn divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    if units(b) % ONE == 0 {
        return divided(units(a), units(b) / ONE).map(decimal);
    }
    let quotient = a.checked_div(b)?;
    let is_small = units(quotient).unsigned_abs() < wide::SMALL && units(a) != 0;
    if is_small && quotient.checked_mul(b) != Some(a) { None } else { Some(quotient) }
}

/// The same by an integer, in units of 10⁻¹⁸.
pub(super) fn divided(units: i128, by: i128) -> Option<i128> {
    let quotient = units.checked_div(by)?;
    let is_cut = quotient.unsigned_abs() < wide::SMALL && quotient * by != units;
    if is_cut { None } else { Some(quotient) }
}

fn spans(operation: Operation, a: Span, b: Span) -> Option<Span> {
    let add = match operation {
        Operation::Add => true,
        Operation::Subtract => false,
        Operation::Multiply | Operation::Divide => return None,
    };
    Some(match (a, b) {
        (Span::Months(a), Span::Months(b)) => Span::Months(if add { a.checked_add(b)? } else { a.checked_sub(b)? }),
        (Span::Seconds(a), Span::Seconds(b)) => Span::Seconds(if add { a.checked_add(b)? } else { a.checked_sub(b)? }),
        (Span::Any(_) | Span::Months(_) | Span::Seconds(_), _) => {
            let (a, b) = (a.into_duration(), b.into_duration());
            Span::Any(if add { a.checked_add(b)? } else { a.checked_sub(b)? })
        }
    })
}

fn difference(a: Moment, b: Moment) -> Option<Span> {
    Some(Span::Seconds(match (a, b) {
        (Moment::DateTime(a), Moment::DateTime(b)) => a.checked_sub(b)?,
        (Moment::Date(a), Moment::Date(b)) => a.checked_sub(b)?,
        (Moment::Time(a), Moment::Time(b)) => a.checked_sub(b)?,
        _ => return None,
    }))
}

fn shift(operation: Operation, at: Moment, by: Span) -> Option<Moment> {
    Some(match (operation, at, by) {
        (Operation::Add, Moment::DateTime(at), Span::Any(by)) => Moment::DateTime(at.checked_add_duration(by)?),
        (Operation::Add, Moment::DateTime(at), Span::Months(by)) => {
            Moment::DateTime(at.checked_add_year_month_duration(by)?)
        }
        (Operation::Add, Moment::DateTime(at), Span::Seconds(by)) => {
            Moment::DateTime(at.checked_add_day_time_duration(by)?)
        }
        (Operation::Add, Moment::Date(at), Span::Any(by)) => Moment::Date(at.checked_add_duration(by)?),
        (Operation::Add, Moment::Date(at), Span::Months(by)) => Moment::Date(at.checked_add_year_month_duration(by)?),
        (Operation::Add, Moment::Date(at), Span::Seconds(by)) => Moment::Date(at.checked_add_day_time_duration(by)?),
        (Operation::Add, Moment::Time(at), Span::Any(by)) => Moment::Time(at.checked_add_duration(by)?),
        (Operation::Add, Moment::Time(at), Span::Seconds(by)) => Moment::Time(at.checked_add_day_time_duration(by)?),
        (Operation::Subtract, Moment::DateTime(at), Span::Any(by)) => Moment::DateTime(at.checked_sub_duration(by)?),
        (Operation::Subtract, Moment::DateTime(at), Span::Months(by)) => {
            Moment::DateTime(at.checked_sub_year_month_duration(by)?)
        }
        (Operation::Subtract, Moment::DateTime(at), Span::Seconds(by)) => {
            Moment::DateTime(at.checked_sub_day_time_duration(by)?)
        }
        (Operation::Subtract, Moment::Date(at), Span::Any(by)) => Moment::Date(at.checked_sub_duration(by)?),
        (Operation::Subtract, Moment::Date(at), Span::Months(by)) => {
            Moment::Date(at.checked_sub_year_month_duration(by)?)
        }
        (Operation::Subtract, Moment::Date(at), Span::Seconds(by)) => {
            Moment::Date(at.checked_sub_day_time_duration(by)?)
        }
        (Operation::Subtract, Moment::Time(at), Span::Any(by)) => Moment::Time(at.checked_sub_duration(by)?),
        (Operation::Subtract, Moment::Time(at), Span::Seconds(by)) => {
            Moment::Time(at.checked_sub_day_time_duration(by)?)
        }
        _ => return None,
    })
}

/// Whether `+a` is the value itself: it is a number or a duration.
pub fn has_sign(a: &Value) -> bool {
    matches!(a, Value::Number(_) | Value::Span(_))
}

/// `-a`.
pub fn minus(a: &Value) -> Option<Value> {
    Some(match a {
        Value::Number(n) => Value::Number(match n {
            Number::Integer(_) | Number::Decimal(_) => numbers(Operation::Subtract, &Number::Integer(0.into()), n)?,
            Number::Float(n) => Number::Float(-*n),
            Number::Double(n) => Number::Double(-*n),
            Number::Wide(n) => n.negated()?,
        }),
        Value::Span(span) => Value::Span(match *span {
            Span::Any(s) => Span::Any(s.checked_neg()?),
            Span::Months(s) => Span::Months(s.checked_neg()?),
            Span::Seconds(s) => Span::Seconds(s.checked_neg()?),
        }),
        _ => return None,
    })
}

/// What ABS, CEIL, FLOOR and ROUND do to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Absolute,
    Ceiling,
    Floor,
    /// To the nearest integer, halves upwards.
    Nearest,
}

pub fn round(rounding: Rounding, number: &Number) -> Option<Number> {
    // Results just beyond the narrow types, such as the absolute value of the least integer, are computed as wide numbers.
    let wide = |number: &Number| {
        let (value, is_integer) = wide::exact(number)?;
        wide::Wide { value, is_integer }.rounded(rounding)
    };
    match number {
        Number::Integer(n) => match rounding {
            Rounding::Absolute => n.checked_abs().map(Number::Integer).or_else(|| wide(number)),
            Rounding::Ceiling | Rounding::Floor | Rounding::Nearest => Some(number.clone()),
        },
        Number::Decimal(n) => match rounding {
            Rounding::Absolute => n.checked_abs(),
            Rounding::Ceiling => n.checked_ceil(),
            Rounding::Floor => n.checked_floor(),
            Rounding::Nearest => n.checked_round(),
        }
        .map(Number::Decimal)
        .or_else(|| wide(number)),
        Number::Float(n) => Some(Number::Float(match rounding {
            Rounding::Absolute => n.abs(),
            Rounding::Ceiling => n.ceil(),
            Rounding::Floor => n.floor(),
            Rounding::Nearest => n.round(),
        })),
        Number::Double(n) => Some(Number::Double(match rounding {
            Rounding::Absolute => n.abs(),
            Rounding::Ceiling => n.ceil(),
            Rounding::Floor => n.floor(),
            Rounding::Nearest => n.round(),
        })),
        Number::Wide(n) => n.rounded(rounding),
    }
}
