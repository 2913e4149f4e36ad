//! Values of many literals at once: a column of ids decoded as numbers of one type, or as days.

use super::super::TermId;
use super::super::value::{Class, Stored, WITH_VALUES};
use super::{Dictionary, InlineValue, partition_point};

/// Numbers of one type, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Integers(Vec<i64>),
    /// In units of 10⁻¹⁸.
    Decimals(Vec<i128>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Numbers {
    pub fn rows(&self) -> usize {
        match self {
            Self::Integers(all) => all.len(),
            Self::Decimals(all) => all.len(),
            Self::Floats(all) => all.len(),
            Self::Doubles(all) => all.len(),
        }
    }
}

impl Dictionary {
    /// The terms as numbers, if all have one numeric type and none is too wide.
    pub(in super::super) fn numbers(&self, ids: &[TermId]) -> Option<Numbers> {
        match self.value(*ids.first()?) {
            InlineValue::Integer(_) => {
                self.read_values(ids, |c| c == Class::Integer, Stored::integer).map(Numbers::Integers)
            }
            InlineValue::Decimal(_) => {
                self.read_values(ids, |c| c == Class::Decimal, Stored::decimal).map(Numbers::Decimals)
            }
            InlineValue::Float(_) => {
                self.read_values(ids, |c| c == Class::Float, |of| Some(of.float())).map(Numbers::Floats)
            }
            InlineValue::Double(_) => {
                self.read_values(ids, |c| c == Class::Double, |of| Some(of.double())).map(Numbers::Doubles)
            }
            _ => None,
        }
    }

    /// The days of the terms, if all are dates or date-times.
    pub(in super::super) fn days(&self, ids: &[TermId]) -> Option<Vec<i64>> {
        self.read_values(ids, |class| matches!(class, Class::DateTime | Class::Date), Stored::day)
    }

    /// Whether some literal may have this number as its value; true for numbers that have no entry in the table.
    pub(in super::super) fn has_number(&self, number: InlineValue) -> bool {
        let Some((family, stored)) = Stored::of_number(number) else { return true };
        let all = self.literals.families[family]..self.literals.families[family + 1];
        let key = |literal: u32| self.record(literal).0.sort_key(family);
        let wanted = stored.sort_key(family);
        let at = partition_point(all.clone(), |literal| key(literal) < wanted);
        at < all.end && key(at) == wanted
    }

    /// The values of literals that have a record, if all their types are wanted.
    fn read_values<T>(
        &self,
        ids: &[TermId],
        is_wanted: impl Fn(Class) -> bool,
        value: impl Fn(Stored) -> Option<T>,
    ) -> Option<Vec<T>> {
        let (start, end) = (self.literal_start(), self.literals.families[WITH_VALUES]);
        let mut known_type = None;
        let mut values = Vec::with_capacity(ids.len());
        for id in ids {
            let literal = id.get().checked_sub(start).filter(|literal| *literal < end)?;
            let (stored, literal_type) = self.record(literal);
            if known_type != Some(literal_type) {
                if !is_wanted(self.literals.types.get(literal_type as usize)?.class()) {
                    return None;
                }
                known_type = Some(literal_type);
            }
            values.push(value(stored)?);
        }
        Some(values)
    }
}
