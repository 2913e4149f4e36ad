//! Numbers the terms of a dataset in the order in which they were read: first those of a snapshot's statements, then
//! others.

use elsa::FrozenVec;
use kgq_snapshot::{Ids, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Triple};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A term of the dataset, as its number in the dictionary. Numbers follow the order in which the terms were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    pub(super) fn number(self) -> usize {
        self.0 as usize
    }
}

/// The terms of a snapshot's statements.
pub(super) struct Numbers {
    pub snapshot: Snapshot,
    /// The number of each id; `NONE` for a term that no statement has as subject, predicate or object.
    numbers: Vec<u32>,
    ids: Vec<TermId>,
    _held: Reservation,
}

const NONE: u32 = u32::MAX;

impl Numbers {
    pub fn new(snapshot: &Snapshot, steps: &Steps) -> Result<Self> {
        let terms = snapshot.term_count() as usize;
        let held = steps.budget().reserve((terms * (size_of::<u32>() + size_of::<TermId>())) as u64)?;
        let (numbers, ids) = (vec![NONE; terms], Vec::with_capacity(terms));
        Ok(Self { snapshot: snapshot.clone(), numbers, ids, _held: held })
    }

    /// Numbers those terms of a statement that have no number yet.
    pub fn count(&mut self, [subject, predicate, object, _]: Ids) {
        for id in [subject, predicate, object] {
            if let Some(number) = self.numbers.get_mut(id.index()).filter(|number| **number == NONE) {
                *number = self.ids.len() as u32;
                self.ids.push(id);
            }
        }
    }

    /// Returns the number of numbered terms.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the snapshot's id of a node.
    pub fn id(&self, node: NodeId) -> Option<TermId> {
        self.ids.get(node.number()).copied()
    }

    /// Returns the nodes of a statement; `None` if a damaged file has an id that does not exist.
    pub fn nodes(&self, [subject, predicate, object, _]: Ids) -> Option<[NodeId; 3]> {
        Some([self.of_id(subject)?, self.of_id(predicate)?, self.of_id(object)?])
    }

    fn of_id(&self, id: TermId) -> Option<NodeId> {
        self.numbers.get(id.index()).filter(|number| **number != NONE).map(|number| NodeId(*number))
    }
}

/// The terms of statements, followed by those computed since the last statement was added.
pub(super) struct Dictionary {
    known: Arc<GraphTerms>,
    computed: FrozenVec<Arc<Term>>,
    computed_nodes: RefCell<FxHashMap<Arc<Term>, NodeId>>,
}

/// The terms of statements: those of the snapshot, and those of added statements.
#[derive(Clone)]
pub(super) struct GraphTerms {
    numbers: Arc<Numbers>,
    read: Arc<Mutex<Read>>,
    added: Vec<Arc<Term>>,
    added_nodes: FxHashMap<Arc<Term>, NodeId>,
}

/// Recent lookups in the snapshot's dictionary: a query of a shape looks up the same terms for each focus node.
#[derive(Default)]
struct Read {
    nodes: FxHashMap<Term, Option<NodeId>>,
    terms: FxHashMap<NodeId, Term>,
}

/// The most lookups kept in each direction, and the longest text kept.
const MOST_READ: usize = 1 << 12;
const LONGEST_READ: usize = 1 << 8;

fn is_short(term: &Term) -> bool {
    match term {
        Term::NamedNode(node) => node.as_str().len() <= LONGEST_READ,
        Term::BlankNode(_) => true,
        Term::Literal(literal) => literal.value().len() <= LONGEST_READ,
        Term::Triple(_) => false,
    }
}

/// Keeps a lookup; if too many are kept already, drops all of them first.
fn keep<K: Hash + Eq, V>(kept: &mut FxHashMap<K, V>, key: K, value: V) {
    if kept.len() >= MOST_READ {
        kept.clear();
    }
    kept.insert(key, value);
}

impl GraphTerms {
    pub fn term(&self, node: NodeId) -> Option<Term> {
        match self.numbers.id(node) {
            Some(id) => {
                let mut read = self.read();
                if let Some(term) = read.terms.get(&node) {
                    return Some(term.clone());
                }
                let term = self.numbers.snapshot.term(id);
                if is_short(&term) {
                    keep(&mut read.terms, node, term.clone());
                }
                Some(term)
            }
            None => self.added.get(node.number() - self.numbers.len()).map(|term| (**term).clone()),
        }
    }

    pub fn node(&self, term: &Term) -> Option<NodeId> {
        let mut read = self.read();
        let stated = read.nodes.get(term).copied().unwrap_or_else(|| {
            let node = self.numbers.snapshot.id(term.as_ref()).and_then(|id| self.numbers.of_id(id));
            if is_short(term) {
                keep(&mut read.nodes, term.clone(), node);
            }
            node
        });
        stated.or_else(|| self.added_nodes.get(term).copied())
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.numbers.len() + self.added.len()
    }

    fn insert(&mut self, term: Arc<Term>) -> NodeId {
        let node = numbered(self.len());
        self.added.push(Arc::clone(&term));
        self.added_nodes.insert(term, node);
        node
    }
}

fn numbered(number: usize) -> NodeId {
    NodeId(u32::try_from(number).expect("a dataset in memory has fewer than 2³² terms"))
}

impl Dictionary {
    pub fn new(numbers: Numbers) -> Self {
        let known = GraphTerms {
            numbers: Arc::new(numbers),
            read: Arc::default(),
            added: Vec::new(),
            added_nodes: FxHashMap::default(),
        };
        Self { known: Arc::new(known), computed: FrozenVec::new(), computed_nodes: RefCell::default() }
    }

    pub fn known(&self) -> &Arc<GraphTerms> {
        &self.known
    }

    pub fn numbers(&self) -> &Arc<Numbers> {
        &self.known.numbers
    }

    pub fn term(&self, node: NodeId) -> Term {
        self.known.term(node).unwrap_or_else(|| self.computed[node.number() - self.known.len()].clone())
    }

    /// Whether a node is an IRI. This is cheaper than reading its term.
    pub fn is_iri(&self, node: NodeId) -> bool {
        match self.known.numbers.id(node) {
            Some(id) => self.known.numbers.snapshot.kind(id) == TermKind::Iri,
            None => matches!(self.term(node), Term::NamedNode(_)),
        }
    }

    /// Returns the number of numbered terms.
    pub fn len(&self) -> usize {
        self.known.len() + self.computed.len()
    }

    pub fn insert(&mut self, term: Term) -> NodeId {
        self.settle();
        match self.known.node(&term) {
            Some(node) => node,
            None => Arc::make_mut(&mut self.known).insert(Arc::new(term)),
        }
    }

    /// Moves computed terms to the terms of statements: terms added from now on get higher numbers.
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
        let node = numbered(self.len());
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
    use kgq_syntax::budget::Budget;
    use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad};

    #[test]
    fn a_computed_term_keeps_its_number_when_statements_follow() {
        let term = |text: &str| Term::from(Literal::new_simple_literal(text));
        let node = NamedNode::new_unchecked("http://e/n");
        let quad = Quad::new(node.clone(), node, term("a"), GraphName::DefaultGraph);
        let snapshot = Snapshot::from_quads([quad]).unwrap();
        let mut numbers = Numbers::new(&snapshot, &Steps::new(&Budget::default())).unwrap();
        snapshot.find_ids([None; 3]).for_each(|ids| numbers.count(ids));
        let mut dictionary = Dictionary::new(numbers);
        let a = dictionary.insert(term("a"));
        let b = dictionary.any_node(&term("b"));
        assert_eq!([a, b], [NodeId(1), NodeId(2)]);
        assert_eq!(dictionary.any_node(&term("a")), a);
        assert_eq!(dictionary.any_node(&term("b")), b);
        assert_eq!(dictionary.known().node(&term("b")), None);
        let c = dictionary.insert(term("c"));
        assert_eq!(dictionary.insert(term("b")), b);
        assert_eq!([a, b, c].map(|node| dictionary.term(node)), ["a", "b", "c"].map(term));
    }
}
