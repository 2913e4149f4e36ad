//! The sum of numbers of any types.

use super::count_failure;
use crate::expression::Context;
use crate::expression::arithmetic::{self, TOO_MANY_DIGITS};
use crate::expression::numbers::{Numbers, decimal, units};
use crate::expression::value::{Number, Value};
use crate::expression::wide;
use crate::plan::expression::Operation;

/// The sum of a group's numbers, by type, and their count.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    count: u64,
    pub failed: bool,
    /// Whether the failure was counted.
    told: bool,
    integers: i128,
    /// In units of 10⁻¹⁸.
    decimals: Option<i128>,
    floats: Option<f32>,
    doubles: Option<f64>,
    /// The sum of the numbers that the exact sums above cannot hold.
    wide: Option<Number>,
}

impl Total {
    /// Notes that the group has no sum because of a value of it, and counts that once.
    #[cold]
    pub fn fail(&mut self, name: &str, value: Option<&Value>, context: &Context<'_>) {
        (self.failed, self.told) = (true, true);
        count_failure(name, value, context);
    }

    /// Returns what was computed of this total; counts it if it has no value and nobody was told.
    pub fn told(&self, computed: Option<Number>, context: &Context<'_>) -> Option<Number> {
        if computed.is_none() && !self.told {
            context.failures.count(&TOO_MANY_DIGITS.into());
        }
        computed
    }

    pub fn add(&mut self, number: &Number, weight: u64) {
        match number {
            Number::Integer(n) => self.add_integer((*n).into(), weight),
            Number::Decimal(n) => self.add_decimal(units(*n), weight),
            Number::Float(n) => self.add_float((*n).into(), weight),
            Number::Double(n) => self.add_double((*n).into(), weight),
            Number::Wide(_) => {
                self.count = self.count.saturating_add(weight);
                self.add_wide(number, weight);
            }
        }
    }

    fn add_integer(&mut self, n: i64, weight: u64) {
        self.count = self.count.saturating_add(weight);
        let sum = i128::from(n).checked_mul(i128::from(weight)).and_then(|n| self.integers.checked_add(n));
        match sum {
            Some(sum) => self.integers = sum,
            None => self.add_wide(&Number::Integer(n.into()), weight),
        }
    }

    fn add_decimal(&mut self, n: i128, weight: u64) {
        self.count = self.count.saturating_add(weight);
        let product = if weight == 1 { Some(n) } else { n.checked_mul(weight.into()) };
        match product.and_then(|product| self.decimals.unwrap_or_default().checked_add(product)) {
            Some(sum) => self.decimals = Some(sum),
            None => self.add_wide(&Number::Decimal(decimal(n)), weight),
        }
    }

    fn add_float(&mut self, n: f32, weight: u64) {
        self.count = self.count.saturating_add(weight);
        let n = if weight == 1 { n } else { n * weight as f32 };
        self.floats = Some(self.floats.unwrap_or_default() + n);
    }

    fn add_double(&mut self, n: f64, weight: u64) {
        self.count = self.count.saturating_add(weight);
        let n = if weight == 1 { n } else { n * weight as f64 };
        self.doubles = Some(self.doubles.unwrap_or_default() + n);
    }

    /// Adds numbers of one type, each once. Doubles are added in their order, because the order affects the sum.
    fn add_all(&mut self, numbers: &Numbers) {
        match numbers {
            Numbers::Integers(all) => match self.integers.checked_add(all.iter().map(|n| i128::from(*n)).sum()) {
                Some(sum) => (self.integers, self.count) = (sum, self.count.saturating_add(all.len() as u64)),
                None => all.iter().for_each(|n| self.add_integer(*n, 1)),
            },
            Numbers::Decimals(all) => {
                let (mut sum, mut is_wide) = (self.decimals.unwrap_or_default(), false);
                for n in all {
                    let (next, overflows) = sum.overflowing_add(*n);
                    (sum, is_wide) = (next, is_wide | overflows);
                }
                match is_wide {
                    false => (self.decimals, self.count) = (Some(sum), self.count.saturating_add(all.len() as u64)),
                    true => all.iter().for_each(|n| self.add_decimal(*n, 1)),
                }
            }
            Numbers::Floats(all) => all.iter().for_each(|n| self.add_float(*n, 1)),
            Numbers::Doubles(all) => all.iter().for_each(|n| self.add_double(*n, 1)),
        }
    }

    /// Adds a number that the narrow sums cannot hold.
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

    /// Returns the sum, in the widest type that was added; zero if nothing was added.
    pub fn sum(&self) -> Option<Number> {
        if self.failed {
            return None;
        }
        let rest = [
            self.decimals.map(|n| Number::Decimal(decimal(n))),
            self.wide.clone(),
            self.floats.map(|n| Number::Float(n.into())),
            self.doubles.map(|n| Number::Double(n.into())),
        ];
        let mut sum = wide::of_integer(self.integers);
        for part in rest.into_iter().flatten() {
            sum = arithmetic::numbers(Operation::Add, &sum, &part)?;
        }
        Some(sum)
    }

    pub fn average(&self) -> Option<Number> {
        let sum = self.sum()?;
        if self.count == 0 {
            return Some(Number::Integer(0.into()));
        }
        arithmetic::numbers(Operation::Divide, &sum, &wide::of_integer(self.count.into()))
    }
}

/// Adds numbers of one type to the totals of their groups.
pub(super) fn add_column(totals: &mut [Total], groups: &[u32], numbers: &Numbers, weights: Option<&[u64]>) {
    if let ([total], None) = (&mut *totals, weights) {
        return total.add_all(numbers);
    }
    let weight = |row: usize| weights.map_or(1, |weights| weights[row]);
    let rows = || groups.iter().enumerate().map(|(row, group)| (*group as usize, weight(row)));
    match numbers {
        Numbers::Integers(all) => rows().zip(all).for_each(|((at, weight), n)| totals[at].add_integer(*n, weight)),
        Numbers::Decimals(all) => rows().zip(all).for_each(|((at, weight), n)| totals[at].add_decimal(*n, weight)),
        Numbers::Floats(all) => rows().zip(all).for_each(|((at, weight), n)| totals[at].add_float(*n, weight)),
        Numbers::Doubles(all) => rows().zip(all).for_each(|((at, weight), n)| totals[at].add_double(*n, weight)),
    }
}
