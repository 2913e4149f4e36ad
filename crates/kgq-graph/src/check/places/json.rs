//! The statements of JSON-LD at their keys. The text says less about them than was read, so a statement is found by all
//! of its terms, or else as the next one with its subject and predicate.

use super::{Places, Written};
use kgq_snapshot::store::{Input, JsonNode, JsonObject, JsonStatement, json_ld_statements};
use kgq_syntax::rdf::{NamedOrBlankNode, Quad, Term};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

pub(super) fn match_up(places: &mut Places, input: &Input, quads: &[Quad]) {
    let base = input.base.as_deref();
    let written = json_ld_statements(&places.text, input.holds_lines_of_json(), base, &input.contexts);
    let sought: Vec<(JsonNode, JsonObject)> = quads.iter().map(|quad| (subject_of(quad), object_of(quad))).collect();
    let mut free = vec![true; written.len()];
    let mut by_terms: FxHashMap<(&JsonNode, &str, Option<&JsonObject>), VecDeque<usize>> = FxHashMap::default();
    for (number, JsonStatement { subject, predicate, object, .. }) in written.iter().enumerate() {
        for object in [Some(object), None] {
            by_terms.entry((subject, predicate, object)).or_default().push_back(number);
        }
    }
    let mut found: Vec<Option<usize>> = vec![None; quads.len()];
    for exact in [true, false] {
        for ((quad, (subject, object)), found) in quads.iter().zip(&sought).zip(&mut found) {
            if found.is_some() {
                continue;
            }
            let key = (subject, quad.predicate.as_str(), exact.then_some(object));
            let Some(candidates) = by_terms.get_mut(&key) else { continue };
            while let Some(next) = candidates.pop_front() {
                if std::mem::take(&mut free[next]) {
                    *found = Some(next);
                    break;
                }
            }
        }
    }
    for (quad, found) in quads.iter().zip(found) {
        let Some(JsonStatement { subject_at, key_at, object_at, .. }) = found.map(|number| written[number].clone())
        else {
            continue;
        };
        places.keep(quad, subject_at, Written { predicate: key_at, object: object_at });
    }
}

fn subject_of(quad: &Quad) -> JsonNode {
    match &quad.subject {
        NamedOrBlankNode::NamedNode(iri) => Some(iri.as_str().to_owned()),
        NamedOrBlankNode::BlankNode(_) => None,
    }
}

fn object_of(quad: &Quad) -> JsonObject {
    match &quad.object {
        Term::NamedNode(iri) => JsonObject::Node(Some(iri.as_str().to_owned())),
        Term::Literal(literal) => JsonObject::Literal(literal.value().to_owned()),
        Term::BlankNode(_) | Term::Triple(_) => JsonObject::Node(None),
    }
}
