//! Numbers that compare as plain integers: exact numbers with each other, and floats and doubles with each other.

use super::TermOrder;
use crate::expression::compare;
use crate::expression::numbers::{ONE, units};
use crate::expression::value::Number;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};

/// The key by which a number compares with others of its kind; numbers of different kinds need a [`super::Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plain {
    /// Units of 10⁻¹⁸.
    Exact(i128),
    /// A double, as an integer with the same order.
    Double(i64),
}

impl Plain {
    pub fn of_integer(integer: i64) -> Self {
        Self::Exact(i128::from(integer) * ONE)
    }

    /// `None` for NaN and for numbers with too many digits.
    pub fn of(number: &Number) -> Option<Self> {
        match number {
            Number::Integer(n) => Some(Self::of_integer((*n).into())),
            Number::Decimal(n) => Some(Self::Exact(units(*n))),
            Number::Float(_) | Number::Double(_) if !number.is_nan() => Some(Self::Double(nearest(number))),
            Number::Float(_) | Number::Double(_) | Number::Wide(_) => None,
        }
    }

    /// Whether all of them can be compared with each other.
    pub fn are_alike<'p>(mut all: impl Iterator<Item = &'p Self>) -> bool {
        let Some(first) = all.next() else { return true };
        all.all(|other| std::mem::discriminant(first) == std::mem::discriminant(other))
    }
}

/// Returns the nearest double as an integer with the same order; positive and negative zero are equal.
pub fn nearest(number: &Number) -> i64 {
    let double = f64::from(compare::double(number));
    let bits = double.abs().to_bits() as i64;
    if double < 0.0 { -bits } else { bits }
}

impl TermOrder<'_, '_> {
    /// Returns the key of an id's number, if it is such a number.
    pub(super) fn plain(&self, id: TermId) -> Option<Plain> {
        let number = match self.terms.is_stored(id) {
            true => {
                let family = self.terms.snapshot().value_rank(id).0;
                let is_number = matches!(family, Family::Number | Family::Float | Family::Double);
                if is_number { self.terms.number(id)? } else { return None }
            }
            false => self.terms.computed_number(id)?,
        };
        Plain::of(&number)
    }

    /// Returns the ranks of ids that are all unbound or such numbers of one kind.
    pub(super) fn ranks_of_plain(&self, ids: &[TermId]) -> Result<Option<Vec<u32>>> {
        let first = ids.iter().find(|id| **id != TermId::UNBOUND);
        if first.is_none_or(|id| self.plain(*id).is_none()) {
            return Ok(None);
        }
        let budget = self.terms.budget();
        let _held = budget.reserve((ids.len() * 2 * size_of::<(Option<Plain>, u32)>()) as u64)?;
        let mut rows = Vec::with_capacity(ids.len());
        for (row, id) in (0..).zip(ids) {
            if row % 1024 == 0 {
                budget.check()?;
            }
            let plain = match *id {
                TermId::UNBOUND => None,
                id => match self.plain(id) {
                    None => return Ok(None),
                    plain => plain,
                },
            };
            rows.push((plain, row));
        }
        if !Plain::are_alike(rows.iter().filter_map(|(plain, _)| plain.as_ref())) {
            return Ok(None);
        }
        sort_by(&mut rows, Piece::Large, |a: &(Option<Plain>, u32), b| a.0.cmp(&b.0), budget)?;
        let mut ranks = vec![0; ids.len()];
        let (mut rank, mut before) = (0, None);
        for (plain, row) in rows {
            rank += u32::from(before.replace(plain).is_some_and(|before| before != plain));
            ranks[row as usize] = rank;
        }
        Ok(Some(ranks))
    }
}
