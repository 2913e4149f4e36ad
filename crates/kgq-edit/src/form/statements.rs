//! The statements of a graph, by what forms ask of them: what is said of a node, and what reifies a triple.

use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// Statements by their subject, and those that reify a triple by it: each is found without a look at the others.
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

    /// What is said of a node.
    pub fn about(&self, node: &NamedOrBlankNode) -> &[&'g Quad] {
        self.about.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// The statements by which nodes reify the triple of this one.
    pub fn reifying(&self, statement: &Quad) -> &[&'g Quad] {
        let triple = Term::from(Triple::from(statement.clone()));
        self.reifying.get(&triple).map(Vec::as_slice).unwrap_or_default()
    }

    /// The statements that derive a node from a thing that has a name, with that thing.
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
