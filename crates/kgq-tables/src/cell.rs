//! Converts an id to an Arrow value: from the snapshot's inline value, or from the term's text if it has none.

use super::values::{self, Values};
use kgq_engine::Terms;
use kgq_snapshot::{InlineValue, Snapshot, TermId};
use kgq_syntax::rdf::Term;
use oxsdatatypes::{Date, DateTime};
use std::str::FromStr;

/// The terms that ids stand for, and the epochs from which dates and times are counted.
pub struct Cells<'a> {
    terms: &'a Terms<'a>,
    snapshot: &'a Snapshot,
    epochs: Option<Epochs>,
}

struct Epochs {
    day: Date,
    zoned: DateTime,
    local: DateTime,
}

impl<'a> Cells<'a> {
    pub fn new(terms: &'a Terms<'a>) -> Self {
        let epochs = || {
            let (day, zoned) = ("1970-01-01".parse().ok()?, "1970-01-01T00:00:00Z".parse().ok()?);
            Some(Epochs { day, zoned, local: "1970-01-01T00:00:00".parse().ok()? })
        };
        Self { terms, snapshot: terms.snapshot(), epochs: epochs() }
    }

    fn inline(&self, id: TermId) -> Option<InlineValue> {
        self.terms.is_stored(id).then(|| self.snapshot.value(id))
    }

    /// Reads a value from the text of a literal.
    fn text<T>(&self, id: TermId, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        if self.terms.is_stored(id) {
            let mut text = Vec::new();
            self.snapshot.text(id, &mut text);
            return read(std::str::from_utf8(&text).ok()?);
        }
        match &self.terms.term(id) {
            Term::Literal(literal) => read(literal.value()),
            _ => None,
        }
    }
}

impl Values<TermId> for Cells<'_> {
    fn boolean(&self, id: TermId) -> Option<bool> {
        match self.inline(id) {
            Some(InlineValue::Boolean(value)) => Some(value),
            _ => self.text(id, values::boolean),
        }
    }

    fn whole<T: TryFrom<i64> + FromStr>(&self, id: TermId) -> Option<T> {
        match self.inline(id) {
            Some(InlineValue::Integer(value)) => T::try_from(i64::from(value)).ok(),
            _ => self.text(id, values::whole),
        }
    }

    fn float(&self, id: TermId) -> Option<f32> {
        match self.inline(id) {
            Some(InlineValue::Float(value)) => Some(value.into()),
            _ => self.text(id, values::float),
        }
    }

    fn double(&self, id: TermId) -> Option<f64> {
        match self.inline(id) {
            Some(InlineValue::Double(value)) => Some(value.into()),
            _ => self.text(id, values::double),
        }
    }

    fn digits(&self, id: TermId) -> Option<(usize, usize)> {
        match self.inline(id) {
            Some(InlineValue::Decimal(value)) => Some(values::digits_of(value)),
            _ => self.text(id, values::digits),
        }
    }

    fn decimal(&self, id: TermId, scale: usize) -> Option<i128> {
        match self.inline(id) {
            Some(InlineValue::Decimal(value)) => values::scaled(value, scale),
            _ => self.text(id, |text| values::decimal(text, scale)),
        }
    }

    fn date(&self, id: TermId) -> Option<i32> {
        match (self.inline(id), &self.epochs) {
            (Some(InlineValue::Date(value)), Some(epochs)) => values::days(value, epochs.day),
            _ => self.text(id, values::date),
        }
    }

    fn date_time(&self, id: TermId) -> Option<(bool, i64)> {
        match (self.inline(id), &self.epochs) {
            (Some(InlineValue::DateTime(value)), Some(epochs)) => {
                let zoned = value.timezone_offset().is_some();
                let epoch = if zoned { epochs.zoned } else { epochs.local };
                Some((zoned, values::microseconds(value.checked_sub(epoch)?)?))
            }
            _ => self.text(id, values::date_time),
        }
    }

    fn time(&self, id: TermId) -> Option<i64> {
        self.text(id, values::time)
    }
}
