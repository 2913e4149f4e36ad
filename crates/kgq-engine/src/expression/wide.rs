//! Exact numbers that the narrow types cannot hold: integers beyond 64 bits, decimals beyond 128 bits or 18 fractional digits.

use super::arithmetic::Rounding;
use super::numbers::units;
use super::value::Number;
use crate::plan::expression::Operation;
use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};
use kgq_syntax::rdf::digits::{Digits, MOST_DIGITS};
use oxsdatatypes::{Decimal, Double, Integer};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// An exact number of any size up to [`MOST_DIGITS`], and whether it is an `xsd:integer` or an `xsd:decimal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wide {
    pub value: BigDecimal,
    pub is_integer: bool,
}

/// The most fractional digits of a quotient, as for narrow decimals.
const FRACTION_DIGITS: i64 = 18;
/// The digits of a small quotient, counted from its first one.
const QUOTIENT_DIGITS: i64 = 34;
/// 10⁻⁹ in units of 10⁻¹⁸, the last of `FRACTION_DIGITS` digits.
pub const SMALL: u128 = 10_u128.pow(9);

/// Returns an exact value as a number of the narrowest type; `None` if it has too many digits.
pub fn number(value: BigDecimal, is_integer: bool) -> Option<Number> {
    let value = if ends_in_zero(&value) { value.normalized() } else { value };
    if is_integer {
        if let Some(narrow) = value.to_i64() {
            return Some(Number::Integer(narrow.into()));
        }
    } else if value.fractional_digit_count() <= FRACTION_DIGITS {
        let (bits, _) = value.with_scale(FRACTION_DIGITS).into_bigint_and_exponent();
        if let Some(bits) = bits.to_i128() {
            return Some(Number::Decimal(Decimal::from_be_bytes(bits.to_be_bytes())));
        }
    }
    let (scale, digits) = (value.fractional_digit_count(), value.digits() as i64);
    let longest = digits.max(scale).max(digits - scale);
    (longest <= MOST_DIGITS as i64).then(|| Number::Wide(Arc::new(Wide { value, is_integer })))
}

/// Whether fewer digits say the same: only then is it worth to convert them to base 10, which takes most of a sum's time.
fn ends_in_zero(value: &BigDecimal) -> bool {
    let (digits, _) = value.as_bigint_and_scale();
    (digits.magnitude() % 10u32).is_zero()
}

/// Reads the lexical form of an `xsd:integer` or `xsd:decimal`.
pub fn parse(text: &str, is_integer: bool) -> Option<Number> {
    let digits = if is_integer { Digits::of_integer(text)? } else { Digits::of_decimal(text)? };
    let (whole, fraction) = digits.are_few().then(|| digits.parts())?;
    let magnitude = BigInt::parse_bytes(format!("0{whole}{fraction}").as_bytes(), 10)?;
    let value = if digits.is_negative() { -magnitude } else { magnitude };
    number(BigDecimal::new(value, fraction.len() as i64), is_integer)
}

/// Returns the exact value of a number, and whether it is an integer; `None` for floats and doubles.
pub fn exact(number: &Number) -> Option<(BigDecimal, bool)> {
    match number {
        Number::Integer(n) => Some((i64::from(*n).into(), true)),
        Number::Decimal(n) => Some((of_decimal(*n), false)),
        Number::Wide(wide) => Some((wide.value.clone(), wide.is_integer)),
        Number::Float(_) | Number::Double(_) => None,
    }
}

pub(crate) fn of_decimal(decimal: Decimal) -> BigDecimal {
    BigDecimal::new(units(decimal).into(), FRACTION_DIGITS)
}

/// `a operation b` of exact numbers; `None` for a division by zero and for a result with too many digits.
pub fn compute(operation: Operation, a: &Number, b: &Number) -> Option<Number> {
    let ((a, a_whole), (b, b_whole)) = (exact(a)?, exact(b)?);
    let whole = a_whole && b_whole;
    match operation {
        Operation::Add => number(a + b, whole),
        Operation::Subtract => number(a - b, whole),
        Operation::Multiply => number(a * b, whole),
        Operation::Divide => number(quotient(&a, &b)?, false),
    }
}

/// The quotient, cut after 18 fractional digits. Below 10⁻⁹ less than half of these digits would be left, so it is cut
/// after 34 digits from its first one on. `None` for a division by zero.
fn quotient(a: &BigDecimal, b: &BigDecimal) -> Option<BigDecimal> {
    if b.is_zero() {
        return None;
    }
    let with_scale = |scale: i64| {
        let ((a, a_scale), (b, b_scale)) = (a.as_bigint_and_exponent(), b.as_bigint_and_exponent());
        let shift = scale + b_scale - a_scale;
        let ten = |power: i64| BigInt::from(10).pow(u32::try_from(power).unwrap_or(0));
        let (a, b) = if shift >= 0 { (a * ten(shift), b) } else { (a, b * ten(-shift)) };
        (&a / &b, (a % b).is_zero())
    };
    let (digits, is_exact) = with_scale(FRACTION_DIGITS);
    if is_exact || digits.magnitude() >= &SMALL.into() {
        return Some(BigDecimal::new(digits, FRACTION_DIGITS));
    }
    // The number of digits before the point; negative if zeros follow the point.
    let magnitude = |n: &BigDecimal| n.digits() as i64 - n.fractional_digit_count();
    let scale = QUOTIENT_DIGITS + magnitude(b) - magnitude(a);
    Some(BigDecimal::new(with_scale(scale).0, scale))
}

/// Compares two exact numbers; `None` if one is not exact.
pub fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    Some(match (a, b) {
        (Number::Wide(a), Number::Wide(b)) => a.value.cmp(&b.value),
        (Number::Wide(a), b) => a.value.cmp(&exact(b)?.0),
        (a, Number::Wide(b)) => exact(a)?.0.cmp(&b.value),
        (a, b) => exact(a)?.0.cmp(&exact(b)?.0),
    })
}

impl Wide {
    pub fn negated(&self) -> Option<Number> {
        number(-self.value.clone(), self.is_integer)
    }

    pub fn rounded(&self, rounding: Rounding) -> Option<Number> {
        let value = match rounding {
            Rounding::Absolute => self.value.abs(),
            Rounding::Ceiling => self.value.with_scale_round(0, RoundingMode::Ceiling),
            Rounding::Floor => self.value.with_scale_round(0, RoundingMode::Floor),
            // Halves are rounded upwards, for negative numbers too.
            Rounding::Nearest => {
                let half = BigDecimal::new(5.into(), 1);
                (&self.value + half).with_scale_round(0, RoundingMode::Floor)
            }
        };
        number(value, self.is_integer)
    }

    /// Returns the number without its fraction.
    pub(crate) fn truncated(&self) -> Option<Number> {
        number(self.value.with_scale_round(0, RoundingMode::Down), true)
    }

    pub(crate) fn to_double(&self) -> Double {
        nearest_double(&self.value).into()
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.value.sign() == Sign::Minus
    }

    /// Returns the approximate bytes of the number.
    pub fn bytes(&self) -> usize {
        self.value.digits() as usize / 2 + 48
    }
}

/// Converts by way of the text: the standard library rounds this conversion correctly.
pub(crate) fn nearest_double(value: &BigDecimal) -> f64 {
    value.to_plain_string().parse().unwrap_or(f64::NAN)
}

/// Returns the integer part of a double; `None` for NaN and infinity.
pub(crate) fn integer_of(double: f64) -> Option<Number> {
    number(BigDecimal::try_from(double.trunc()).ok()?, true)
}

/// Returns the exact decimal of a double that is an integer, and else the decimal that the double is written as; `None`
/// for NaN and infinity.
pub(crate) fn decimal_of(double: f64) -> Option<Number> {
    if double.fract() == 0.0 {
        return number(BigDecimal::try_from(double).ok()?, false);
    }
    parse(&double.to_string(), false)
}

/// Returns the double nearest to a decimal. (The conversion of `oxsdatatypes` rounds twice and thus does not keep the order.)
pub(crate) fn double_of_decimal(decimal: Decimal) -> f64 {
    let (digits, places) = shortest(decimal);
    if places == 0 || digits.unsigned_abs() < 1 << 53 {
        // Both operands are exact doubles, so only the division rounds.
        return digits as f64 / 10_f64.powi(places);
    }
    decimal.to_string().parse().unwrap_or(f64::NAN)
}

/// Returns the digits of a decimal, and how many of them are after the point.
fn shortest(decimal: Decimal) -> (i128, i32) {
    let (mut digits, mut places) = (units(decimal), FRACTION_DIGITS as i32);
    // Most decimals have few digits: half of the zeros are cut at once, and the rest is divided as a 64-bit number.
    if digits % 10_i128.pow(9) == 0 {
        digits /= 10_i128.pow(9);
        places -= 9;
    }
    if let Ok(mut narrow) = i64::try_from(digits) {
        while places > 0 && narrow % 10 == 0 {
            narrow /= 10;
            places -= 1;
        }
        return (narrow.into(), places);
    }
    while places > 0 && digits % 10 == 0 {
        digits /= 10;
        places -= 1;
    }
    (digits, places)
}

/// Converts a 128-bit integer, the type of sums, to a number.
pub(crate) fn of_integer(value: i128) -> Number {
    match i64::try_from(value) {
        Ok(value) => Number::Integer(Integer::from(value)),
        Err(_) => Number::Wide(Arc::new(Wide { value: BigDecimal::from(value).normalized(), is_integer: true })),
    }
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value.to_plain_string())
    }
}
