//! Keys by value: terms that are equal in a FILTER have the same key, whatever their lexical forms and types.

use crate::expression::value::{Moment, Value};
use crate::operator::Context;
use crate::order::hash_of_unranked;
use kgq_snapshot::{Family, TermId};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;

/// Returns the keys by value of a column.
pub fn value_keys(column: &[TermId], cx: &Context<'_>) -> Result<Vec<TermId>> {
    let mut keys = Vec::with_capacity(column.len());
    for part in column.chunks(4096) {
        cx.budget().check()?;
        keys.extend(part.iter().map(|id| value_key(*id, cx)));
    }
    Ok(keys)
}

/// Returns a key that all terms with an equal value share.
pub fn value_key(id: TermId, cx: &Context<'_>) -> TermId {
    if id.is_unbound() {
        return id;
    }
    if let Some(number) = cx.terms().number(id) {
        // A number of any type is compared with a float as a float. This is the coarsest comparison, so its key fits all of them.
        let float = f32::from(crate::expression::compare::float(&number));
        return TermId::new(if float == 0.0 { 0 } else { float.to_bits() });
    }
    if !cx.terms().is_stored(id) {
        // A computed string can equal a stored one only if it is the same term, and then it has the stored id.
        return match cx.terms().value(id) {
            Value::Moment(Moment::DateTime(_) | Moment::Date(_)) | Value::Boolean(_) => match cx.terms().term(id) {
                // The rank at which its value belongs. A stored term with an equal value has this rank, but so may another.
                Term::Literal(literal) => {
                    cx.snapshot().equal_range(literal.as_ref()).map_or(id, |(_, range)| TermId::new(range.start))
                }
                _ => id,
            },
            value => unranked_key(id, value),
        };
    }
    match cx.snapshot().value_rank(id) {
        (Family::Other, _) => unranked_key(id, cx.terms().value(id)),
        (Family::Triple, _) => id,
        (_, rank) => TermId::new(rank),
    }
}

/// Returns the key of a value without a rank.
fn unranked_key(id: TermId, value: Value) -> TermId {
    // Without its highest bit, a hash is never the unbound id.
    hash_of_unranked(value).map_or(id, |hash| TermId::new(hash >> 1))
}
