//! Columns of numbers of one type: arithmetic, rounding, casts and comparisons on all rows at once.
//!
//! If any row has no result of the same type (an error, or a number that is too wide), the functions return `None`. The
//! rows are then evaluated one by one, which finds the reasons of errors; the results are the same, only slower.

use super::Context;
use super::arithmetic::{self, Rounding};
use super::cast::{Target, is_told};
use super::column::Column;
use super::value::{Number, Value};
use super::wide::double_of_decimal;
use crate::plan::expression::Operation;
use kgq_snapshot::InlineValue;
pub use kgq_snapshot::Numbers;
use oxsdatatypes::Decimal;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Units of a decimal in the number one.
pub const ONE: i128 = 10_i128.pow(18);

/// Returns the number of a row.
pub fn number(numbers: &Numbers, row: usize) -> Number {
    match numbers {
        Numbers::Integers(all) => Number::Integer(all[row].into()),
        Numbers::Decimals(all) => Number::Decimal(decimal(all[row])),
        Numbers::Floats(all) => Number::Float(all[row].into()),
        Numbers::Doubles(all) => Number::Double(all[row].into()),
    }
}

/// Collects numbers that are all of one narrow type; `None` if they are not.
pub fn of_one_type(mut numbers: impl ExactSizeIterator<Item = Option<Number>>) -> Option<Numbers> {
    let rows = numbers.len();
    let mut all = match numbers.next()?? {
        Number::Integer(n) => Numbers::Integers(vec![n.into()]),
        Number::Decimal(n) => Numbers::Decimals(vec![units(n)]),
        Number::Float(n) => Numbers::Floats(vec![n.into()]),
        Number::Double(n) => Numbers::Doubles(vec![n.into()]),
        Number::Wide(_) => return None,
    };
    match &mut all {
        Numbers::Integers(all) => all.reserve_exact(rows - 1),
        Numbers::Decimals(all) => all.reserve_exact(rows - 1),
        Numbers::Floats(all) => all.reserve_exact(rows - 1),
        Numbers::Doubles(all) => all.reserve_exact(rows - 1),
    }
    for number in numbers {
        match (&mut all, number?) {
            (Numbers::Integers(all), Number::Integer(n)) => all.push(n.into()),
            (Numbers::Decimals(all), Number::Decimal(n)) => all.push(units(n)),
            (Numbers::Floats(all), Number::Float(n)) => all.push(n.into()),
            (Numbers::Doubles(all), Number::Double(n)) => all.push(n.into()),
            _ => return None,
        }
    }
    Some(all)
}

/// Returns the numbers of a column of several rows, if all are of one narrow type.
pub fn of_column(column: &Column<'_>, context: &Context<'_>) -> Option<Numbers> {
    match column {
        Column::Ids(ids) if ids.len() > 1 => context.terms.numbers(ids),
        Column::Numbers(numbers) => Some(numbers.clone()),
        _ => None,
    }
}

pub fn units(decimal: Decimal) -> i128 {
    i128::from_be_bytes(decimal.to_be_bytes())
}

pub fn decimal(units: i128) -> Decimal {
    Decimal::from_be_bytes(units.to_be_bytes())
}

pub fn inline(number: &Number) -> Option<InlineValue> {
    Some(match number {
        Number::Integer(n) => InlineValue::Integer(*n),
        Number::Decimal(n) => InlineValue::Decimal(*n),
        Number::Float(n) => InlineValue::Float(*n),
        Number::Double(n) => InlineValue::Double(*n),
        Number::Wide(_) => return None,
    })
}

/// One side of an operation: one number for all rows, or one for each.
enum Side<'a, T: Clone> {
    Same(T),
    Each(Cow<'a, [T]>),
}

enum Operand<'a> {
    Integers(Side<'a, i64>),
    Decimals(Side<'a, i128>),
    Floats(Side<'a, f32>),
    Doubles(Side<'a, f64>),
}

impl<'a> Operand<'a> {
    fn of(column: &'a Column<'_>, context: &Context<'_>) -> Option<Self> {
        match column {
            Column::Ids(ids) if ids.len() > 1 => Some(match context.terms.numbers(ids)? {
                Numbers::Integers(all) => Self::Integers(Side::Each(all.into())),
                Numbers::Decimals(all) => Self::Decimals(Side::Each(all.into())),
                Numbers::Floats(all) => Self::Floats(Side::Each(all.into())),
                Numbers::Doubles(all) => Self::Doubles(Side::Each(all.into())),
            }),
            Column::Numbers(numbers) => Some(Self::each(numbers)),
            Column::Same(_, Value::Number(number), _) => Self::same(number),
            _ => None,
        }
    }

    fn each(numbers: &'a Numbers) -> Self {
        match numbers {
            Numbers::Integers(all) => Self::Integers(Side::Each(all.into())),
            Numbers::Decimals(all) => Self::Decimals(Side::Each(all.into())),
            Numbers::Floats(all) => Self::Floats(Side::Each(all.into())),
            Numbers::Doubles(all) => Self::Doubles(Side::Each(all.into())),
        }
    }

    fn same(number: &Number) -> Option<Self> {
        Some(match number {
            Number::Integer(n) => Self::Integers(Side::Same((*n).into())),
            Number::Decimal(n) => Self::Decimals(Side::Same(units(*n))),
            Number::Float(n) => Self::Floats(Side::Same((*n).into())),
            Number::Double(n) => Self::Doubles(Side::Same((*n).into())),
            Number::Wide(_) => return None,
        })
    }

    fn doubles(self) -> Side<'a, f64> {
        match self {
            Self::Integers(side) => side.map(|n| n as f64),
            Self::Decimals(side) => side.map(|n| double_of_decimal(decimal(n))),
            Self::Floats(side) => side.map(f64::from),
            Self::Doubles(side) => side,
        }
    }

    /// Converts by way of the double, as [`super::compare::float`] does.
    fn floats(self) -> Side<'a, f32> {
        match self {
            Self::Floats(side) => side,
            other => other.doubles().map(|n| n as f32),
        }
    }
}

impl<'a, T: Copy> Side<'a, T> {
    fn map<U: Copy>(self, of: impl Fn(T) -> U) -> Side<'a, U> {
        match self {
            Self::Same(one) => Side::Same(of(one)),
            Self::Each(all) => Side::Each(all.iter().map(|one| of(*one)).collect()),
        }
    }

    /// Applies `of` to each pair; `None` if a pair has no result, or if both sides are the same for all rows.
    fn with<U: Copy, V>(&self, other: &Side<'_, U>, of: impl Fn(T, U) -> Option<V>) -> Option<Vec<V>> {
        match (self, other) {
            (Self::Same(_), Side::Same(_)) => None,
            (Self::Same(a), Side::Each(all)) => each(all, |b| of(*a, b)),
            (Self::Each(all), Side::Same(b)) => each(all, |a| of(a, *b)),
            (Self::Each(a), Side::Each(b)) => {
                let mut out = Vec::with_capacity(a.len());
                for (a, b) in a.iter().zip(b.iter()) {
                    out.push(of(*a, *b)?);
                }
                Some(out)
            }
        }
    }
}

fn each<T: Copy, U>(all: &[T], of: impl Fn(T) -> Option<U>) -> Option<Vec<U>> {
    let mut out = Vec::with_capacity(all.len());
    for one in all {
        out.push(of(*one)?);
    }
    Some(out)
}

fn in_decimals(integer: i64) -> i128 {
    i128::from(integer) * ONE
}

/// `a operation b` of two columns, at least one of which has numbers that differ by row.
pub fn arithmetic(operation: Operation, a: &Column<'_>, b: &Column<'_>, context: &Context<'_>) -> Option<Numbers> {
    use Operand::{Decimals, Doubles, Floats, Integers};
    Some(match (Operand::of(a, context)?, Operand::of(b, context)?) {
        (Integers(a), Integers(b)) => match operation {
            Operation::Add => Numbers::Integers(a.with(&b, i64::checked_add)?),
            Operation::Subtract => Numbers::Integers(a.with(&b, i64::checked_sub)?),
            Operation::Multiply => Numbers::Integers(a.with(&b, i64::checked_mul)?),
            Operation::Divide => Numbers::Decimals(a.with(&b, |a, b| arithmetic::divided(in_decimals(a), b.into()))?),
        },
        (a @ Doubles(_), b) | (a, b @ Doubles(_)) => {
            let of = double_operation(operation);
            Numbers::Doubles(a.doubles().with(&b.doubles(), |a, b| Some(of(a, b)))?)
        }
        (a @ Floats(_), b) | (a, b @ Floats(_)) => {
            let (a, b) = (a.floats(), b.floats());
            Numbers::Floats(match operation {
                Operation::Add => a.with(&b, |a, b| Some(a + b))?,
                Operation::Subtract => a.with(&b, |a, b| Some(a - b))?,
                Operation::Multiply => a.with(&b, |a, b| Some(a * b))?,
                Operation::Divide => a.with(&b, |a, b| Some(a / b))?,
            })
        }
        (Decimals(a), Integers(b)) if operation == Operation::Multiply => {
            Numbers::Decimals(a.with(&b, |a, b| a.checked_mul(b.into()))?)
        }
        (Integers(a), Decimals(b)) if operation == Operation::Multiply => {
            Numbers::Decimals(a.with(&b, |a, b| b.checked_mul(a.into()))?)
        }
        (Decimals(a), Integers(b)) if operation == Operation::Divide => {
            Numbers::Decimals(a.with(&b, |a, b| arithmetic::divided(a, b.into()))?)
        }
        (Integers(a), Decimals(b)) => decimals(operation, &a.map(in_decimals), &b)?,
        (Decimals(a), Integers(b)) => decimals(operation, &a, &b.map(in_decimals))?,
        (Decimals(a), Decimals(b)) => decimals(operation, &a, &b)?,
    })
}

fn double_operation(operation: Operation) -> fn(f64, f64) -> f64 {
    match operation {
        Operation::Add => |a, b| a + b,
        Operation::Subtract => |a, b| a - b,
        Operation::Multiply => |a, b| a * b,
        Operation::Divide => |a, b| a / b,
    }
}

fn decimals(operation: Operation, a: &Side<'_, i128>, b: &Side<'_, i128>) -> Option<Numbers> {
    let through =
        |of: fn(Decimal, Decimal) -> Option<Decimal>| move |a: i128, b: i128| of(decimal(a), decimal(b)).map(units);
    Some(Numbers::Decimals(match operation {
        Operation::Add => a.with(b, i128::checked_add)?,
        Operation::Subtract => a.with(b, i128::checked_sub)?,
        Operation::Multiply => a.with(b, through(|a, b| a.checked_mul(b)))?,
        Operation::Divide => a.with(b, through(arithmetic::divide))?,
    }))
}

/// `-a`.
pub fn minus(numbers: &Numbers) -> Option<Numbers> {
    Some(match numbers {
        Numbers::Integers(all) => Numbers::Integers(each(all, i64::checked_neg)?),
        Numbers::Decimals(all) => Numbers::Decimals(each(all, i128::checked_neg)?),
        Numbers::Floats(all) => Numbers::Floats(all.iter().map(|n| -n).collect()),
        Numbers::Doubles(all) => Numbers::Doubles(all.iter().map(|n| -n).collect()),
    })
}

/// ABS, CEIL, FLOOR and ROUND.
pub fn round(rounding: Rounding, numbers: Numbers) -> Option<Numbers> {
    Some(match numbers {
        Numbers::Integers(all) if rounding == Rounding::Absolute => Numbers::Integers(each(&all, i64::checked_abs)?),
        Numbers::Integers(all) => Numbers::Integers(all),
        Numbers::Decimals(all) => Numbers::Decimals(match rounding {
            Rounding::Absolute => each(&all, i128::checked_abs)?,
            Rounding::Floor => each(&all, |n| kgq_snapshot::floor(n).checked_mul(ONE))?,
            Rounding::Ceiling => each(&all, |n| (-kgq_snapshot::floor(n.checked_neg()?)).checked_mul(ONE))?,
            Rounding::Nearest => each(&all, |n| decimal(n).checked_round().map(units))?,
        }),
        // Row by row, because they treat zeros in different ways.
        other @ (Numbers::Floats(_) | Numbers::Doubles(_)) => {
            let rounded = |row| arithmetic::round(rounding, &number(&other, row));
            return of_one_type((0..other.rows()).map(rounded));
        }
    })
}

/// A cast to a number type; `None` for other types.
pub fn cast(target: Target, numbers: &Numbers) -> Option<Numbers> {
    let operand = Operand::each(numbers);
    let all = |side: Side<'_, f64>| if let Side::Each(all) = side { Some(all.into_owned()) } else { None };
    match (target, numbers) {
        (Target::Integer, Numbers::Integers(_))
        | (Target::Decimal, Numbers::Decimals(_))
        | (Target::Float, Numbers::Floats(_))
        | (Target::Double, Numbers::Doubles(_)) => Some(numbers.clone()),
        (Target::Decimal, Numbers::Integers(all)) => {
            Some(Numbers::Decimals(all.iter().map(|n| in_decimals(*n)).collect()))
        }
        (Target::Double, _) => all(operand.doubles()).map(Numbers::Doubles),
        (Target::Float, _) => match operand.floats() {
            Side::Each(all) => Some(Numbers::Floats(all.into_owned())),
            Side::Same(_) => None,
        },
        (Target::Integer | Target::Decimal, _) => {
            let of = |row| match super::cast::cast(Value::Number(number(numbers, row)), target) {
                Some(Value::Number(number)) => Some(number),
                _ => None,
            };
            of_one_type((0..numbers.rows()).map(of))
        }
        _ => None,
    }
}

/// Casts the terms' texts without reading them, as the numbers determine them. Zeros are the exception: their texts may
/// have signs, which only doubles keep, so `zero` reads them row by row.
pub fn cast_of_text(target: Target, numbers: &Numbers, zero: impl Fn(usize) -> Option<f64>) -> Option<Numbers> {
    if !(0..numbers.rows()).all(|row| is_told(&number(numbers, row), target)) {
        return None;
    }
    let mut cast = cast(target, numbers)?;
    if let (Numbers::Doubles(doubles), Numbers::Integers(_) | Numbers::Decimals(_)) = (&mut cast, numbers) {
        for (row, double) in doubles.iter_mut().enumerate().filter(|(_, double)| **double == 0.0) {
            *double = zero(row)?;
        }
    }
    Some(cast)
}

/// Compares each pair of numbers; the inner `None` is for NaN.
pub fn orders(a: &Column<'_>, b: &Column<'_>, context: &Context<'_>) -> Option<Vec<Option<Ordering>>> {
    compared(Operand::of(a, context)?, Operand::of(b, context)?)
}

/// Compares each number with a constant.
pub fn orders_to(numbers: &Numbers, constant: &Number) -> Option<Vec<Option<Ordering>>> {
    compared(Operand::each(numbers), Operand::same(constant)?)
}

fn compared(a: Operand<'_>, b: Operand<'_>) -> Option<Vec<Option<Ordering>>> {
    use Operand::{Decimals, Doubles, Floats, Integers};
    match (a, b) {
        (Integers(a), Integers(b)) => a.with(&b, |a, b| Some(Some(a.cmp(&b)))),
        (a @ Doubles(_), b) | (a, b @ Doubles(_)) => a.doubles().with(&b.doubles(), |a, b| Some(a.partial_cmp(&b))),
        (a @ Floats(_), b) | (a, b @ Floats(_)) => a.floats().with(&b.floats(), |a, b| Some(a.partial_cmp(&b))),
        (Integers(a), Decimals(b)) => a.map(in_decimals).with(&b, |a, b| Some(Some(a.cmp(&b)))),
        (Decimals(a), Integers(b)) => a.with(&b.map(in_decimals), |a, b| Some(Some(a.cmp(&b)))),
        (Decimals(a), Decimals(b)) => a.with(&b, |a, b| Some(Some(a.cmp(&b)))),
    }
}
