//! What no expected answer covers: canned queries without one, and terms of the ontology that no query or answer uses.

use super::case::Case;
use crate::catalog::Catalog;
use kgq_engine::query::{ParseContext, parse_query, used_terms};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::rdf::{NamedNode, Term};
use oxrdf::vocab::rdf;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What is not covered, ordered by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Canned queries, except the project's checks: these should return no rows, and `kgq check` runs them.
    pub queries: Vec<String>,
    pub terms: Vec<NamedNode>,
}

/// Determines what is not covered. `ontology` holds the statements of the project's own ontology; the classes and
/// properties that it declares below `base` count, or all if there is no base.
pub fn coverage(
    catalog: &Catalog,
    cases: &[Case],
    context: ParseContext<'_>,
    ontology: &Snapshot,
    base: Option<&str>,
) -> Coverage {
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.query.as_str()).collect();
    let mut touched: BTreeSet<NamedNode> = BTreeSet::new();
    let mut queries = Vec::new();
    for query in &catalog.queries {
        if !query.is_check() && !tested.contains(query.name.as_str()) {
            queries.push(query.name.clone());
        }
        let kinds = query.header.params.values().filter_map(|param| param.kind.as_deref());
        touched.extend(kinds.filter_map(|kind| context.prefixes.expand(kind)));
        if let Ok(parsed) = parse_query(query.source(), context) {
            touched.extend(used_terms(&parsed.algebra).into_iter().map(|term| term.iri));
        }
    }
    for case in cases {
        touched.extend(case.expected.answer.iris());
        touched.extend(case.expected.params.iter().filter_map(|(_, value)| context.prefixes.expand(value)));
    }
    let own = |term: &NamedNode| base.is_none_or(|base| term.as_str().starts_with(base));
    let terms = declared(ontology).into_iter().filter(|term| own(term) && !touched.contains(term)).collect();
    Coverage { queries, terms }
}

/// The classes and properties that a graph declares.
fn declared(ontology: &Snapshot) -> BTreeSet<NamedNode> {
    let Some(is_a) = ontology.id(rdf::TYPE.into()) else { return BTreeSet::new() };
    let mut kinds: FxHashMap<TermId, bool> = FxHashMap::default();
    let typed = ontology.find_ids([None, Some(is_a), None]);
    let declared =
        typed.filter(|[_, _, kind, _]| *kinds.entry(*kind).or_insert_with(|| declares(&ontology.term(*kind))));
    let term = |[subject, ..]: kgq_snapshot::Ids| match ontology.term(subject) {
        Term::NamedNode(term) => Some(term),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    };
    declared.filter_map(term).collect()
}

/// Whether what is of this type is a class or a property.
fn declares(kind: &Term) -> bool {
    let Term::NamedNode(kind) = kind else { return false };
    let local = kind.as_str().rsplit(['#', '/']).next().unwrap_or_default();
    local == "Class" || local.ends_with("Property")
}
