//! The order of prefixes, subjects, predicates and objects.

use super::model::{Block, Fact, ObjectKey};
use std::cmp::Ordering;

/// Predicates that come before all others: types, then names, then what a node is about.
const FIRST: &[&str] = &[
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "http://www.w3.org/2000/01/rdf-schema#subClassOf",
    "http://www.w3.org/2000/01/rdf-schema#subPropertyOf",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2004/02/skos/core#altLabel",
    "http://purl.org/dc/terms/title",
    "http://www.w3.org/ns/shacl#path",
    "http://www.w3.org/ns/shacl#name",
    "http://www.w3.org/2000/01/rdf-schema#comment",
    "http://www.w3.org/2004/02/skos/core#definition",
];

/// Returns the rank of a predicate among those that come first; all others share the last rank.
pub fn rank(iri: &str) -> usize {
    FIRST.iter().position(|first| *first == iri).unwrap_or(FIRST.len())
}

pub(super) fn facts(a: &Fact, b: &Fact) -> Ordering {
    a.rank.cmp(&b.rank).then_with(|| natural(&a.verb, &b.verb)).then_with(|| objects(&a.key, &b.key))
}

fn objects(a: &ObjectKey, b: &ObjectKey) -> Ordering {
    let class = |key: &ObjectKey| match key {
        ObjectKey::Name(_) => 0,
        ObjectKey::Literal(..) => 1,
        ObjectKey::Label(_) => 2,
        ObjectKey::Nested => 3,
    };
    match (a, b) {
        (ObjectKey::Name(a), ObjectKey::Name(b)) | (ObjectKey::Label(a), ObjectKey::Label(b)) => natural(a, b),
        (ObjectKey::Literal(kind, text), ObjectKey::Literal(other_kind, other)) => {
            kind.cmp(other_kind).then_with(|| natural(text, other))
        }
        _ => class(a).cmp(&class(b)),
    }
}

/// Ontologies first, then IRIs and labels, then nodes without either in the order in which they are written.
pub(super) fn blocks(a: &Block, b: &Block) -> Ordering {
    let class = |block: &Block| (!block.ontology, !block.named);
    class(a).cmp(&class(b)).then_with(|| match (a.named, a.head.first(), b.head.first()) {
        (true, Some(a), Some(b)) => natural(&a.text, &b.text),
        _ => Ordering::Equal,
    })
}

/// Compares by characters, but runs of digits by their number: `s2` before `s10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(rest_a), digits(rest_b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, number_b) =
                (rest_a[..digits_a].trim_start_matches('0'), rest_b[..digits_b].trim_start_matches('0'));
            let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if order != Ordering::Equal {
                return order;
            }
            (rest_a, rest_b) = (&rest_a[digits_a..], &rest_b[digits_b..]);
            continue;
        }
        let (next_a, next_b) = (rest_a.chars().next(), rest_b.chars().next());
        match (next_a, next_b) {
            (Some(x), Some(y)) if x == y => (rest_a, rest_b) = (&rest_a[x.len_utf8()..], &rest_b[y.len_utf8()..]),
            // Equal except for leading zeros: plain comparison decides, so that the order is total.
            (None, None) => return a.cmp(b),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
