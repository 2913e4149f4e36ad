//! The data graph and the shapes graph of a validation, over one term dictionary: statements of a snapshot, and those
//! that rules add.

pub use super::dictionary::NodeId;
use super::dictionary::{Dictionary, Numbers};
use super::triples::{Stated, Triples};
use super::view::ShapesDataset;
use kgq_snapshot::{Ids, Snapshot};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, Quad, Term, Triple};
use oxrdf::vocab::{rdf, rdfs};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The IRI under which SPARQL constraints see the shapes graph.
pub const SHAPES_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:kgq:shapes");

pub struct ValidationData {
    /// The budget of the whole validation.
    steps: Steps,
    dictionary: Dictionary,
    pub data: Arc<Triples>,
    pub shapes: Arc<Triples>,
    pub(super) shapes_graph: NodeId,
    rdf_type: NodeId,
    sub_class_of: NodeId,
    /// The memory of the statements held beside the snapshot.
    held: Reservation,
}

/// Estimated bytes of a triple that is not in a snapshot.
const BYTES_OF_A_TRIPLE: u64 = size_of::<Quad>() as u64 + 100;
/// Memory is accounted for once per this many triples.
const COUNTED_AT_ONCE: usize = 1 << 10;

impl ValidationData {
    /// Takes statements of a snapshot as data and others as shapes, both in the order in which they were read.
    ///
    /// # Errors
    /// Those of the budget, which is that of the whole validation and pays for everything that reads the data.
    pub fn of_snapshot(
        snapshot: &Snapshot,
        data: impl Iterator<Item = Ids> + Clone,
        shapes: impl Iterator<Item = Ids> + Clone,
        budget: &Budget,
    ) -> Result<Self> {
        /// The bytes of a triple in a set.
        const BYTES: u64 = 2 * size_of::<[NodeId; 3]>() as u64;
        let steps = Steps::new(budget);
        let numbers = numbered(snapshot, data.clone().chain(shapes.clone()), &steps)?;
        let (mut own, mut held) = (Vec::new(), Reservation::default());
        for statement in shapes {
            steps.take()?;
            own.extend(numbers.nodes(statement));
        }
        held.resize(budget, own.len() as u64 * BYTES)?;
        // Statements that are only among the shapes do not belong to the data.
        let mut without: FxHashSet<[NodeId; 3]> = own.iter().copied().collect();
        for statement in data {
            steps.take()?;
            if without.is_empty() {
                break;
            }
            if let Some(triple) = numbers.nodes(statement) {
                without.remove(&triple);
            }
        }
        let dictionary = Dictionary::new(numbers);
        let stated = Stated { numbers: Arc::clone(dictionary.numbers()), without: Arc::new(without) };
        let data = Arc::new(Triples::new(Some(stated), Vec::new(), budget)?);
        let shapes = Arc::new(Triples::new(None, own, budget)?);
        Ok(Self::with(dictionary, data, shapes, steps, held))
    }

    /// Takes statements of a snapshot, in the order in which they were read, as one graph with both the data and the
    /// shapes.
    ///
    /// # Errors
    /// Those of the budget.
    pub fn of_one_snapshot(
        snapshot: &Snapshot,
        statements: impl Iterator<Item = Ids>,
        budget: &Budget,
    ) -> Result<Self> {
        let steps = Steps::new(budget);
        let dictionary = Dictionary::new(numbered(snapshot, statements, &steps)?);
        let stated = Stated { numbers: Arc::clone(dictionary.numbers()), without: Arc::default() };
        let graph = Arc::new(Triples::new(Some(stated), Vec::new(), budget)?);
        Ok(Self::with(dictionary, Arc::clone(&graph), graph, steps, Reservation::default()))
    }

    /// Adds triples to the data; the shapes do not change. Returns the number of new triples.
    pub(super) fn add(&mut self, triples: impl IntoIterator<Item = Triple>) -> Result<usize> {
        let before = self.data.held();
        let mut new = Vec::new();
        let mut bytes = 0;
        for triple in triples {
            self.steps.take()?;
            bytes += BYTES_OF_A_TRIPLE;
            if let Term::Literal(literal) = &triple.object {
                bytes += literal.value().len() as u64;
            }
            if bytes >= COUNTED_AT_ONCE as u64 * BYTES_OF_A_TRIPLE {
                self.held.grow(self.steps.budget(), std::mem::take(&mut bytes))?;
            }
            new.push(self.dictionary.triple(triple));
        }
        self.held.grow(self.steps.budget(), bytes)?;
        new.retain(|triple| !self.data.contains(*triple));
        if !new.is_empty() {
            self.data = Arc::new(self.data.with(new.into_iter(), self.steps.budget())?);
        }
        Ok(self.data.held() - before)
    }

    /// The budget of the whole validation.
    pub(super) fn budget(&self) -> &Budget {
        self.steps.budget()
    }

    /// Returns the number of terms with a number.
    pub(super) fn terms(&self) -> usize {
        self.dictionary.len()
    }

    pub(super) fn contains(&self, triple: &Triple) -> bool {
        let node = |term: Term| self.node(&term);
        match (node(triple.subject.clone().into()), node(triple.predicate.clone().into()), node(triple.object.clone()))
        {
            (Some(s), Some(p), Some(o)) => self.data.contains([s, p, o]),
            _ => false,
        }
    }

    fn with(
        mut dictionary: Dictionary,
        data: Arc<Triples>,
        shapes: Arc<Triples>,
        steps: Steps,
        held: Reservation,
    ) -> Self {
        let rdf_type = dictionary.insert(rdf::TYPE.into_owned().into());
        let sub_class_of = dictionary.insert(rdfs::SUB_CLASS_OF.into_owned().into());
        let shapes_graph = dictionary.insert(SHAPES_GRAPH.into_owned().into());
        Self { steps, dictionary, data, shapes, shapes_graph, rdf_type, sub_class_of, held }
    }

    pub fn term(&self, node: NodeId) -> Term {
        self.dictionary.term(node)
    }

    /// Returns the node of a term, if a statement holds it.
    pub fn node(&self, term: &Term) -> Option<NodeId> {
        self.dictionary.known().node(term)
    }

    /// Returns the node of any term, such as the result of a function.
    pub(super) fn any_node(&self, term: &Term) -> NodeId {
        self.dictionary.any_node(term)
    }

    /// Returns a view of the present dataset for queries.
    pub(super) fn view(&self) -> ShapesDataset {
        ShapesDataset {
            terms: Arc::clone(self.dictionary.known()),
            data: Arc::clone(&self.data),
            shapes: Arc::clone(&self.shapes),
            shapes_graph: self.shapes_graph,
            budget: self.budget().clone(),
        }
    }

    pub(super) fn iri(&self, iri: NamedNodeRef<'_>) -> Option<NodeId> {
        self.node(&iri.into_owned().into())
    }

    /// The IRI of a node; `None` for blank nodes, literals and triple terms.
    pub(crate) fn as_iri(&self, node: NodeId) -> Option<NamedNode> {
        match self.term(node) {
            Term::NamedNode(iri) => Some(iri),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        }
    }

    pub(super) fn is_iri(&self, node: NodeId) -> bool {
        self.dictionary.is_iri(node)
    }

    /// Returns the class and all its subclasses in the given graph.
    pub(super) fn subclasses(&self, graph: &Triples, class: NodeId) -> Result<Vec<NodeId>> {
        self.closure(class, |node, found| {
            found.extend(graph.subjects(self.sub_class_of, node));
            Ok(())
        })
    }

    /// Returns the distinct instances of a class and its subclasses (SHACL §1.1, "SHACL instance").
    pub(super) fn instances(&self, graph: &Triples, class: NodeId) -> Result<Vec<NodeId>> {
        let mut seen = FxHashSet::default();
        let classes = self.subclasses(graph, class)?;
        let instances = classes.into_iter().flat_map(|class| graph.subjects(self.rdf_type, class));
        Ok(instances.filter(|node| seen.insert(*node)).collect())
    }

    pub(super) fn is_instance(&self, graph: &Triples, node: NodeId, class: NodeId) -> bool {
        let mut classes = graph.objects(node, self.rdf_type);
        let mut seen: FxHashSet<NodeId> = classes.iter().copied().collect();
        while let Some(next) = classes.pop() {
            if next == class {
                return true;
            }
            classes.extend(graph.objects(next, self.sub_class_of).into_iter().filter(|c| seen.insert(*c)));
        }
        false
    }

    /// All nodes reached from `start` by repeating a step: distinct, and `start` first.
    fn closure(&self, start: NodeId, step: impl Fn(NodeId, &mut Vec<NodeId>) -> Result<()>) -> Result<Vec<NodeId>> {
        let mut found = vec![start];
        let mut seen = FxHashSet::from_iter([start]);
        let mut next = Vec::new();
        let mut at = 0;
        while let Some(node) = found.get(at) {
            self.steps.take()?;
            step(*node, &mut next)?;
            found.extend(next.drain(..).filter(|node| seen.insert(*node)));
            at += 1;
        }
        Ok(found)
    }
}

/// Numbers the terms of a snapshot's statements in the order in which they come.
fn numbered(snapshot: &Snapshot, statements: impl Iterator<Item = Ids>, steps: &Steps) -> Result<Numbers> {
    let mut numbers = Numbers::new(snapshot, steps)?;
    for statement in statements {
        steps.take()?;
        numbers.count(statement);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::super::tests::one_graph;
    use super::*;
    use kgq_syntax::rdf::Literal;

    fn iri(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://a/{name}"))
    }

    #[test]
    fn instances_are_those_of_subclasses_too() {
        let typed = |s: &str, class: &str| Triple::new(iri(s), rdf::TYPE, iri(class));
        let sub = Triple::new(iri("B"), rdfs::SUB_CLASS_OF, iri("A"));
        let d = one_graph([typed("x", "B"), typed("y", "A"), sub, Triple::new(iri("z"), iri("p"), Literal::from(1))]);
        let class = d.iri(iri("A").as_ref()).unwrap();
        assert_eq!(d.instances(&d.data, class).unwrap().len(), 2);
        assert!(d.is_instance(&d.data, d.iri(iri("x").as_ref()).unwrap(), class));
        assert!(!d.is_instance(&d.data, d.iri(iri("z").as_ref()).unwrap(), class));
    }
}
