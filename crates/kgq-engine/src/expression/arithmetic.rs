//! Arithmetic on numbers, dates and durations (SPARQL 1.1 §17.3; SEP-0002 for dates and durations). `None` is a type
//! error, an overflow or a division of integers or decimals by zero.

use super::compare::{double, float};
use super::value::{Moment, Number, Span, Value};
use oxsdatatypes::{Decimal, Double, Float, Integer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `a operation b`.
pub fn apply(operation: Operation, a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(operation, *a, *b).map(Value::Number),
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

/// Two numbers of one type: the wider of the operands' types.
enum Pair {
    Integer(Integer, Integer),
    Decimal(Decimal, Decimal),
    Float(Float, Float),
    Double(Double, Double),
}

fn promote(a: Number, b: Number) -> Pair {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => Pair::Integer(a, b),
        (Number::Integer(a), Number::Decimal(b)) => Pair::Decimal(a.into(), b),
        (Number::Decimal(a), Number::Integer(b)) => Pair::Decimal(a, b.into()),
        (Number::Decimal(a), Number::Decimal(b)) => Pair::Decimal(a, b),
        (Number::Double(_), _) | (_, Number::Double(_)) => Pair::Double(double(a), double(b)),
        (Number::Float(_), _) | (_, Number::Float(_)) => Pair::Float(float(a), float(b)),
    }
}

pub fn numbers(operation: Operation, a: Number, b: Number) -> Option<Number> {
    Some(match promote(a, b) {
        Pair::Integer(a, b) => match operation {
            Operation::Add => Number::Integer(a.checked_add(b)?),
            Operation::Subtract => Number::Integer(a.checked_sub(b)?),
            Operation::Multiply => Number::Integer(a.checked_mul(b)?),
            Operation::Divide => Number::Decimal(divide(a.into(), b.into())?),
        },
        Pair::Decimal(a, b) => Number::Decimal(match operation {
            Operation::Add => a.checked_add(b)?,
            Operation::Subtract => a.checked_sub(b)?,
            Operation::Multiply => multiply(a, b)?,
            Operation::Divide => divide(a, b)?,
        }),
        Pair::Float(a, b) => Number::Float(match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide => a / b,
        }),
        Pair::Double(a, b) => Number::Double(match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide => a / b,
        }),
    })
}

/// The product of two decimals, cut after 18 fractional digits (`Decimal::checked_mul` refuses what it must cut).
fn multiply(a: Decimal, b: Decimal) -> Option<Decimal> {
    a.checked_mul(b).or_else(|| {
        let (a, b) = (bits(a), bits(b));
        let (a_whole, a_rest, b_whole, b_rest) = (a / ONE, a % ONE, b / ONE, b % ONE);
        let whole = a_whole.checked_mul(b_whole)?.checked_mul(ONE)?;
        let crossed = a_whole.checked_mul(b_rest)?.checked_add(a_rest.checked_mul(b_whole)?)?;
        Some(of_bits(whole.checked_add(crossed)?.checked_add(a_rest * b_rest / ONE)?))
    })
}

/// The quotient of two decimals, cut after 18 fractional digits; `None` where the divisor is zero, or the quotient too large.
/// (`Decimal::checked_div` refuses some small ones.)
pub fn divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    a.checked_div(b).or_else(|| {
        let (dividend, mut divisor) = (bits(a), bits(b));
        if divisor == 0 {
            return None;
        }
        let mut quotient = dividend.checked_div(divisor)?;
        let mut rest = dividend.checked_rem(divisor)?;
        for _ in 0..FRACTION_DIGITS {
            // A rest that is too large for another digit has 37 digits: the last is beyond what a decimal keeps.
            if rest.checked_mul(10).is_none() {
                rest /= 10;
                divisor /= 10;
            }
            quotient = quotient.checked_mul(10)?.checked_add(rest * 10 / divisor)?;
            rest = rest * 10 % divisor;
        }
        Some(of_bits(quotient))
    })
}

const FRACTION_DIGITS: u32 = 18;
const ONE: i128 = 10_i128.pow(FRACTION_DIGITS);

fn bits(number: Decimal) -> i128 {
    i128::from_be_bytes(number.to_be_bytes())
}

fn of_bits(bits: i128) -> Decimal {
    Decimal::from_be_bytes(bits.to_be_bytes())
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

/// `+a`: the value itself, if it is a number or a duration.
pub fn plus(a: Value) -> Option<Value> {
    matches!(a, Value::Number(_) | Value::Span(_)).then_some(a)
}

/// `-a`.
pub fn minus(a: &Value) -> Option<Value> {
    Some(match a {
        Value::Number(n) => Value::Number(match *n {
            Number::Integer(n) => Number::Integer(n.checked_neg()?),
            Number::Decimal(n) => Number::Decimal(n.checked_neg()?),
            Number::Float(n) => Number::Float(-n),
            Number::Double(n) => Number::Double(-n),
        }),
        Value::Span(span) => Value::Span(match *span {
            Span::Any(s) => Span::Any(s.checked_neg()?),
            Span::Months(s) => Span::Months(s.checked_neg()?),
            Span::Seconds(s) => Span::Seconds(s.checked_neg()?),
        }),
        _ => return None,
    })
}

/// How ABS, CEIL, FLOOR and ROUND make one number of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Absolute,
    Ceiling,
    Floor,
    /// To the nearest integer, halves upwards.
    Nearest,
}

pub fn round(rounding: Rounding, number: Number) -> Option<Number> {
    Some(match (rounding, number) {
        (Rounding::Absolute, Number::Integer(n)) => Number::Integer(n.checked_abs()?),
        (_, Number::Integer(n)) => Number::Integer(n),
        (Rounding::Absolute, Number::Decimal(n)) => Number::Decimal(n.checked_abs()?),
        (Rounding::Ceiling, Number::Decimal(n)) => Number::Decimal(n.checked_ceil()?),
        (Rounding::Floor, Number::Decimal(n)) => Number::Decimal(n.checked_floor()?),
        (Rounding::Nearest, Number::Decimal(n)) => Number::Decimal(n.checked_round()?),
        (Rounding::Absolute, Number::Float(n)) => Number::Float(n.abs()),
        (Rounding::Ceiling, Number::Float(n)) => Number::Float(n.ceil()),
        (Rounding::Floor, Number::Float(n)) => Number::Float(n.floor()),
        (Rounding::Nearest, Number::Float(n)) => Number::Float(n.round()),
        (Rounding::Absolute, Number::Double(n)) => Number::Double(n.abs()),
        (Rounding::Ceiling, Number::Double(n)) => Number::Double(n.ceil()),
        (Rounding::Floor, Number::Double(n)) => Number::Double(n.floor()),
        (Rounding::Nearest, Number::Double(n)) => Number::Double(n.round()),
    })
}
