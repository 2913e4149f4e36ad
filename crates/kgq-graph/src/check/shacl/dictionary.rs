//! The terms of a dataset as numbers.

use elsa::FrozenVec;
use kgq_syntax::rdf::{Term, Triple};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::Arc;

/// A term of the dataset, as a number in its dictionary. Numbers follow the order in which terms were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// The terms of statements, and after them those that were computed since the last statement was added.
#[derive(Default)]
pub(super) struct Dictionary {
    known: Arc<Terms>,
    computed: FrozenVec<Arc<Term>>,
    computed_nodes: RefCell<FxHashMap<Arc<Term>, NodeId>>,
}

/// The terms of statements.
#[derive(Clone, Default)]
pub(super) struct Terms {
    terms: Vec<Arc<Term>>,
    nodes: FxHashMap<Arc<Term>, NodeId>,
}

impl Terms {
    pub fn term(&self, node: NodeId) -> Option<&Arc<Term>> {
        self.terms.get(node.0 as usize)
    }

    /// The term of a node that is known to be of a statement.
    pub fn at(&self, node: NodeId) -> &Term {
        &self.terms[node.0 as usize]
    }

    pub fn node(&self, term: &Term) -> Option<NodeId> {
        self.nodes.get(term).copied()
    }

    fn insert(&mut self, term: Arc<Term>) -> NodeId {
        let node = numbered(self.terms.len());
        self.terms.push(Arc::clone(&term));
        self.nodes.insert(term, node);
        node
    }
}

fn numbered(number: usize) -> NodeId {
    NodeId(u32::try_from(number).expect("a dataset in memory has fewer than 2³² terms"))
}

impl Dictionary {
    pub fn known(&self) -> &Arc<Terms> {
        &self.known
    }

    pub fn term(&self, node: NodeId) -> &Term {
        match self.known.term(node) {
            Some(term) => term,
            None => &self.computed[node.0 as usize - self.known.terms.len()],
        }
    }

    pub fn insert(&mut self, term: Term) -> NodeId {
        self.settle();
        match self.known.node(&term) {
            Some(node) => node,
            None => Arc::make_mut(&mut self.known).insert(Arc::new(term)),
        }
    }

    /// Takes computed terms for terms of statements: what is added now gets the numbers after theirs.
    fn settle(&mut self) {
        if self.computed.is_empty() {
            return;
        }
        let known = Arc::make_mut(&mut self.known);
        for term in std::mem::take(&mut self.computed).into_vec() {
            known.insert(term);
        }
        self.computed_nodes.take();
    }

    pub fn any_node(&self, term: &Term) -> NodeId {
        if let Some(node) = self.known.node(term).or_else(|| self.computed_nodes.borrow().get(term).copied()) {
            return node;
        }
        let node = numbered(self.known.terms.len() + self.computed.len());
        let term = Arc::new(term.clone());
        self.computed.push(Arc::clone(&term));
        self.computed_nodes.borrow_mut().insert(term, node);
        node
    }

    pub fn triple(&mut self, triple: Triple) -> [NodeId; 3] {
        [self.insert(triple.subject.into()), self.insert(triple.predicate.into()), self.insert(triple.object)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::Literal;

    #[test]
    fn a_computed_term_keeps_its_number_when_statements_follow() {
        let term = |text: &str| Term::from(Literal::new_simple_literal(text));
        let mut dictionary = Dictionary::default();
        let a = dictionary.insert(term("a"));
        let b = dictionary.any_node(&term("b"));
        assert_eq!(dictionary.any_node(&term("a")), a);
        assert_eq!(dictionary.any_node(&term("b")), b);
        assert_eq!(dictionary.known().node(&term("b")), None);
        let c = dictionary.insert(term("c"));
        assert_eq!(dictionary.insert(term("b")), b);
        assert_eq!([a, b, c].map(|node| dictionary.term(node).clone()), ["a", "b", "c"].map(term));
    }
}
