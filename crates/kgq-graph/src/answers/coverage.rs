//! What no expected answer covers: canned queries without one, and terms of the ontology that no query or answer uses.

use super::case::Case;
use crate::catalog::Catalog;
use kgq_engine::query::{ParseContext, parse_query, used_terms};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term};
use oxrdf::vocab::rdf;
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
pub fn coverage<'q>(
    catalog: &Catalog,
    cases: &[Case],
    context: ParseContext<'_>,
    ontology: impl IntoIterator<Item = &'q Quad>,
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
    let declared: BTreeSet<&NamedNode> = ontology.into_iter().filter_map(declared_term).collect();
    let own = |term: &&&NamedNode| base.is_none_or(|base| term.as_str().starts_with(base));
    let terms =
        declared.iter().filter(own).filter(|term| !touched.contains(**term)).map(|term| (*term).clone()).collect();
    Coverage { queries, terms }
}

/// The class or property that a statement declares.
fn declared_term(quad: &Quad) -> Option<&NamedNode> {
    let (NamedOrBlankNode::NamedNode(term), Term::NamedNode(kind)) = (&quad.subject, &quad.object) else { return None };
    let local = kind.as_str().rsplit(['#', '/']).next().unwrap_or_default();
    (quad.predicate == rdf::TYPE && (local == "Class" || local.ends_with("Property"))).then_some(term)
}
