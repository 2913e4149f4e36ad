//! The statements of a graph, indexed for forms: by subject, and by the triple that they reify.

use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// Statements by their subject and, for `rdf:reifies`, by the reified triple; no lookup scans the others.
pub struct Statements<'g> {
    pub all: &'g [Quad],
    about: FxHashMap<&'g NamedOrBlankNode, Vec<&'g Quad>>,
    reifying: FxHashMap<&'g Term, Vec<&'g Quad>>,
}

impl<'g> Statements<'g> {
    pub fn of(all: &'g [Quad]) -> Self {
        let mut about: FxHashMap<&NamedOrBlankNode, Vec<&Quad>> = FxHashMap::default();
        let mut reifying: FxHashMap<&Term, Vec<&Quad>> = FxHashMap::default();
        for quad in all {
            about.entry(&quad.subject).or_default().push(quad);
            if quad.predicate.as_ref() == rdf::REIFIES {
                reifying.entry(&quad.object).or_default().push(quad);
            }
        }
        Self { all, about, reifying }
    }

    /// The statements about a node.
    pub fn about(&self, node: &NamedOrBlankNode) -> &[&'g Quad] {
        self.about.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// The `rdf:reifies` statements for the triple of this statement.
    pub fn reifying(&self, statement: &Quad) -> &[&'g Quad] {
        let triple = Term::from(Triple::from(statement.clone()));
        self.reifying.get(&triple).map(Vec::as_slice).unwrap_or_default()
    }

    /// The statements that derive a node from a named thing, each with that thing.
    pub fn derivations<'s>(
        &'s self,
        node: &NamedOrBlankNode,
    ) -> impl Iterator<Item = (&'g Quad, &'g NamedNode)> + use<'s, 'g> {
        self.about(node).iter().filter_map(|quad| match &quad.object {
            Term::NamedNode(source) if quad.predicate.as_ref() == prov::WAS_DERIVED_FROM => Some((*quad, source)),
            _ => None,
        })
    }
}
