//! The terms that a query computes, and how they are identified. Numbers are identified by their bits, so that the text
//! of a number is made only if it is read.

use crate::expression::numbers::units;
use crate::expression::value::{Number, Value};
use kgq_snapshot::TermId;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Term};
use oxrdf::vocab::xsd;
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// Bytes of a remembered number.
pub const NUMBER_BYTES: u64 = 48;
/// Approximate bytes of a number's text.
pub const NUMBER_TEXT: u64 = 24;
/// Bytes of an entry in addition to its text.
pub const ENTRY_BYTES: u64 = (size_of::<ComputedTerm>() + size_of::<Term>() + 48) as u64;

/// Terms that the snapshot lacks, by id and by term.
#[derive(Debug, Default)]
pub struct Vocabulary {
    pub entries: Vec<ComputedTerm>,
    /// All terms except numbers in their computed form.
    pub ids: FxHashMap<Arc<Term>, TermId>,
    /// Numbers in their computed form, including stored ones, so that they can be found without their texts.
    pub numbers: FxHashMap<NumberKey, TermId>,
    pub held: Reservation,
}

#[derive(Debug)]
pub struct ComputedTerm {
    /// The term of a number is made when it is needed.
    pub term: OnceLock<Arc<Term>>,
    /// The value of the term, if it is kept in addition to the text.
    pub value: Option<Value>,
}

impl ComputedTerm {
    pub fn term(&self) -> &Arc<Term> {
        self.term.get_or_init(|| Arc::new(self.value.clone().map_or_else(placeholder, Value::into_term)))
    }
}

/// The term of an id that was never assigned.
pub fn placeholder() -> Term {
    Literal::new_simple_literal("").into()
}

/// A number's type and bits; two keys are equal exactly if the numbers are the same term.
pub type NumberKey = (u8, u64, u64);

impl Vocabulary {
    pub fn push(&mut self, entry: ComputedTerm, stored: u32, bytes: u64, budget: &Budget) -> Result<TermId> {
        let id = u32::try_from(self.entries.len())
            .ok()
            .and_then(|n| stored.checked_add(n))
            .map(TermId::new)
            .filter(|id| *id != TermId::UNBOUND)
            .ok_or_else(|| Error::limit("the query computes more different terms than 32 bits can number"))?;
        self.held.grow(budget, bytes)?;
        self.entries.push(entry);
        Ok(id)
    }
}

/// Returns the number that a term denotes, if it is written in the computed form.
pub fn as_computed(term: &Term) -> Option<(NumberKey, Number)> {
    let Term::Literal(literal) = term else { return None };
    if !matches!(literal.datatype(), xsd::INTEGER | xsd::DECIMAL | xsd::FLOAT | xsd::DOUBLE) {
        return None;
    }
    let Value::Number(number) = Value::of_literal(literal.clone()) else { return None };
    let key = number_key(&number)?;
    (Value::Number(number.clone()).into_term() == *term).then_some((key, number))
}

/// `None` for a number with more bits, and for NaN, which has several bit patterns.
pub fn number_key(number: &Number) -> Option<NumberKey> {
    let (kind, bits) = match number {
        number if number.is_nan() => return None,
        Number::Wide(_) => return None,
        Number::Integer(n) => (0, i128::from(i64::from(*n))),
        Number::Decimal(n) => (1, units(*n)),
        Number::Float(n) => (2, i128::from(u32::from_be_bytes(n.to_be_bytes()))),
        Number::Double(n) => (3, i128::from(u64::from_be_bytes(n.to_be_bytes()))),
    };
    Some((kind, (bits >> 64) as u64, bits as u64))
}
