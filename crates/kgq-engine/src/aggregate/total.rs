//! The sum of numbers, of whatever types.

use crate::expression::arithmetic;
use crate::expression::value::Number;
use crate::expression::wide;
use crate::plan::expression::Operation;
use oxsdatatypes::{Decimal, Double, Float};

/// The sum of a group's numbers, by type, and how many there were.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    count: u64,
    pub failed: bool,
    integers: i128,
    decimals: Option<Decimal>,
    floats: Option<Float>,
    doubles: Option<Double>,
    /// The sum of what the exact sums above do not hold.
    wide: Option<Number>,
}

impl Total {
    pub fn add(&mut self, number: &Number, weight: u64) {
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
    pub fn sum(self) -> Option<Number> {
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

    pub fn average(self) -> Option<Number> {
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
