//! The two graphs of a validation, data and shapes, over one dictionary of terms, each sorted three ways.

use super::dictionary::Dictionary;
pub use super::dictionary::NodeId;
use super::view::View;
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, Term, Triple};
use kgq_syntax::sort::{Piece, sort_by};
use oxrdf::vocab::{rdf, rdfs};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The name under which constraints in SPARQL see the shapes.
pub const SHAPES_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:kgq:shapes");

pub struct ValidationData {
    /// The budget of the whole validation.
    steps: Steps,
    held: Reservation,
    dictionary: Dictionary,
    pub data: Arc<TripleIndex>,
    pub shapes: Arc<TripleIndex>,
    pub(super) shapes_graph: NodeId,
    rdf_type: NodeId,
    sub_class_of: NodeId,
}

impl ValidationData {
    /// # Errors
    /// The budget's, as of all that reads the data here. It is the budget of the whole validation.
    pub fn new(
        data: impl IntoIterator<Item = Triple>,
        shapes: impl IntoIterator<Item = Triple>,
        budget: &Budget,
    ) -> Result<Self> {
        let (mut dictionary, steps, mut held) = (Dictionary::default(), Steps::new(budget), Reservation::default());
        let data = numbered(data, &mut dictionary, &steps, &mut held)?;
        let shapes = numbered(shapes, &mut dictionary, &steps, &mut held)?;
        let (data, shapes) = (Arc::new(TripleIndex::new(data, budget)?), Arc::new(TripleIndex::new(shapes, budget)?));
        Ok(Self::with(dictionary, data, shapes, steps, held))
    }

    /// One graph that holds both the data and the shapes.
    ///
    /// # Errors
    /// The budget's.
    pub fn of_one_graph(triples: impl IntoIterator<Item = Triple>, budget: &Budget) -> Result<Self> {
        let (mut dictionary, steps, mut held) = (Dictionary::default(), Steps::new(budget), Reservation::default());
        let triples = numbered(triples, &mut dictionary, &steps, &mut held)?;
        let graph = Arc::new(TripleIndex::new(triples, budget)?);
        Ok(Self::with(dictionary, Arc::clone(&graph), graph, steps, held))
    }

    /// Adds triples to the data; the shapes stay as they are. Returns how many of them are new.
    pub(super) fn add(&mut self, triples: impl IntoIterator<Item = Triple>) -> Result<usize> {
        let before = self.data.len();
        let mut all = self.data.spo.clone();
        let new = numbered(triples, &mut self.dictionary, &self.steps, &mut self.held)?;
        all.extend(new.into_iter().filter(|triple| !self.data.contains(*triple)));
        if all.len() > before {
            self.data = Arc::new(TripleIndex::new(all, self.steps.budget())?);
        }
        Ok(self.data.len() - before)
    }

    /// The budget of the whole validation.
    pub(super) fn budget(&self) -> &Budget {
        self.steps.budget()
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
        data: Arc<TripleIndex>,
        shapes: Arc<TripleIndex>,
        steps: Steps,
        held: Reservation,
    ) -> Self {
        let rdf_type = dictionary.insert(rdf::TYPE.into_owned().into());
        let sub_class_of = dictionary.insert(rdfs::SUB_CLASS_OF.into_owned().into());
        let shapes_graph = dictionary.insert(SHAPES_GRAPH.into_owned().into());
        Self { steps, held, dictionary, data, shapes, shapes_graph, rdf_type, sub_class_of }
    }

    pub fn term(&self, node: NodeId) -> &Term {
        self.dictionary.term(node)
    }

    /// The node of a term that a statement holds.
    pub fn node(&self, term: &Term) -> Option<NodeId> {
        self.dictionary.known().node(term)
    }

    /// The node of any term, such as a function gives.
    pub(super) fn any_node(&self, term: &Term) -> NodeId {
        self.dictionary.any_node(term)
    }

    /// The dataset as it is now, as queries see it.
    pub(super) fn view(&self) -> View {
        View {
            terms: Arc::clone(self.dictionary.known()),
            data: Arc::clone(&self.data),
            shapes: Arc::clone(&self.shapes),
            shapes_graph: self.shapes_graph,
        }
    }

    pub(super) fn iri(&self, iri: NamedNodeRef<'_>) -> Option<NodeId> {
        self.node(&iri.into_owned().into())
    }

    /// The IRI of a node; `None` for blank nodes, literals and triple terms.
    pub fn as_iri(&self, node: NodeId) -> Option<&NamedNode> {
        match self.term(node) {
            Term::NamedNode(iri) => Some(iri),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        }
    }

    /// The class and all its subclasses, as the given graph says.
    pub(super) fn subclasses(&self, graph: &TripleIndex, class: NodeId) -> Result<Vec<NodeId>> {
        self.closure(class, |node, found| {
            found.extend(graph.subjects(self.sub_class_of, node));
            Ok(())
        })
    }

    /// The instances of a class and of its subclasses (SHACL §1.1, "SHACL instance"), each once.
    pub(super) fn instances(&self, graph: &TripleIndex, class: NodeId) -> Result<Vec<NodeId>> {
        let mut seen = FxHashSet::default();
        let classes = self.subclasses(graph, class)?;
        let instances = classes.into_iter().flat_map(|class| graph.subjects(self.rdf_type, class));
        Ok(instances.filter(|node| seen.insert(*node)).collect())
    }

    pub(super) fn is_instance(&self, graph: &TripleIndex, node: NodeId, class: NodeId) -> bool {
        let mut classes: Vec<NodeId> = graph.objects(node, self.rdf_type).collect();
        let mut seen: FxHashSet<NodeId> = classes.iter().copied().collect();
        while let Some(next) = classes.pop() {
            if next == class {
                return true;
            }
            classes.extend(graph.objects(next, self.sub_class_of).filter(|c| seen.insert(*c)));
        }
        false
    }

    /// The nodes that a path reaches from `start` in the data, each once (SHACL §2.3.1, "value nodes").
    pub(super) fn reached(&self, path: &Path<NodeId>, start: NodeId) -> Result<Vec<NodeId>> {
        let mut found = Vec::new();
        self.walk(path, start, false, &mut found)?;
        let mut seen = FxHashSet::default();
        found.retain(|node| seen.insert(*node));
        Ok(found)
    }

    fn walk(&self, path: &Path<NodeId>, from: NodeId, inverse: bool, found: &mut Vec<NodeId>) -> Result<()> {
        self.steps.take()?;
        match path {
            Path::Predicate(p) if inverse => found.extend(self.data.subjects(*p, from)),
            Path::Predicate(p) => found.extend(self.data.objects(from, *p)),
            Path::Inverse(inner) => self.walk(inner, from, !inverse, found)?,
            Path::Sequence(steps) => {
                let mut here = vec![from];
                let mut step = |path: &Path<NodeId>| -> Result<()> {
                    let mut next = Vec::new();
                    for node in here.drain(..) {
                        self.walk(path, node, inverse, &mut next)?;
                    }
                    // Two ways to one node are one: else a path of n steps could need 2ⁿ of them.
                    let mut seen = FxHashSet::default();
                    next.retain(|node| seen.insert(*node));
                    here = next;
                    Ok(())
                };
                if inverse {
                    steps.iter().rev().try_for_each(&mut step)?;
                } else {
                    steps.iter().try_for_each(&mut step)?;
                }
                found.append(&mut here);
            }
            Path::Alternative(branches) => {
                branches.iter().try_for_each(|branch| self.walk(branch, from, inverse, found))?;
            }
            Path::ZeroOrOne(inner) => {
                found.push(from);
                self.walk(inner, from, inverse, found)?;
            }
            Path::ZeroOrMore(inner) => {
                found.extend(self.closure(from, |node, next| self.walk(inner, node, inverse, next))?);
            }
            Path::OneOrMore(inner) => {
                let mut first = Vec::new();
                self.walk(inner, from, inverse, &mut first)?;
                for node in first {
                    found.extend(self.closure(node, |node, next| self.walk(inner, node, inverse, next))?);
                }
            }
        }
        Ok(())
    }

    /// All that is reached from `start` by repeating a step, `start` first, each once.
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

/// The triples by the numbers of their terms.
fn numbered(
    triples: impl IntoIterator<Item = Triple>,
    dictionary: &mut Dictionary,
    steps: &Steps,
    held: &mut Reservation,
) -> Result<Vec<[NodeId; 3]>> {
    /// Its three orders, and its share in the dictionary.
    const BYTES_OF_A_TRIPLE: u64 = 3 * size_of::<[NodeId; 3]>() as u64 + 100;
    const COUNTED_AT_ONCE: usize = 1 << 10;
    let mut all = Vec::new();
    for triple in triples {
        steps.take()?;
        if all.len() % COUNTED_AT_ONCE == 0 {
            held.grow(steps.budget(), COUNTED_AT_ONCE as u64 * BYTES_OF_A_TRIPLE)?;
        }
        all.push(dictionary.triple(triple));
    }
    Ok(all)
}

/// Triples, sorted by subject, by predicate and by object.
pub struct TripleIndex {
    spo: Vec<[NodeId; 3]>,
    pos: Vec<[NodeId; 3]>,
    osp: Vec<[NodeId; 3]>,
}

impl TripleIndex {
    fn new(mut spo: Vec<[NodeId; 3]>, budget: &Budget) -> Result<Self> {
        let sort = |triples: &mut Vec<[NodeId; 3]>| sort_by(triples, Piece::Large, Ord::cmp, budget);
        sort(&mut spo)?;
        spo.dedup();
        let mut pos: Vec<_> = spo.iter().map(|[s, p, o]| [*p, *o, *s]).collect();
        sort(&mut pos)?;
        let mut osp: Vec<_> = spo.iter().map(|[s, p, o]| [*o, *s, *p]).collect();
        sort(&mut osp)?;
        Ok(Self { spo, pos, osp })
    }

    pub fn len(&self) -> usize {
        self.spo.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spo.is_empty()
    }

    pub fn objects(&self, subject: NodeId, predicate: NodeId) -> impl Iterator<Item = NodeId> {
        starting_with(&self.spo, [subject, predicate]).iter().map(|[_, _, o]| *o)
    }

    pub fn subjects(&self, predicate: NodeId, object: NodeId) -> impl Iterator<Item = NodeId> {
        starting_with(&self.pos, [predicate, object]).iter().map(|[_, _, s]| *s)
    }

    pub fn contains(&self, triple: [NodeId; 3]) -> bool {
        self.spo.binary_search(&triple).is_ok()
    }

    /// The subjects and objects of a predicate's triples.
    pub fn pairs(&self, predicate: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        starting_with(&self.pos, [predicate]).iter().map(|[_, o, s]| (*s, *o))
    }

    /// The predicates and objects of a subject.
    pub fn properties(&self, subject: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        starting_with(&self.spo, [subject]).iter().map(|[_, p, o]| (*p, *o))
    }

    /// The triples that match, as subject, predicate, object.
    pub(super) fn matching(
        &self,
        s: Option<NodeId>,
        p: Option<NodeId>,
        o: Option<NodeId>,
    ) -> Box<dyn Iterator<Item = [NodeId; 3]> + '_> {
        match (s, p, o) {
            (Some(s), Some(p), Some(o)) => Box::new(self.contains([s, p, o]).then_some([s, p, o]).into_iter()),
            (Some(s), Some(p), None) => Box::new(starting_with(&self.spo, [s, p]).iter().copied()),
            (Some(s), None, None) => Box::new(starting_with(&self.spo, [s]).iter().copied()),
            (None, None, None) => Box::new(self.spo.iter().copied()),
            (None, Some(p), Some(o)) => Box::new(starting_with(&self.pos, [p, o]).iter().map(|[p, o, s]| [*s, *p, *o])),
            (None, Some(p), None) => Box::new(starting_with(&self.pos, [p]).iter().map(|[p, o, s]| [*s, *p, *o])),
            (None, None, Some(o)) => Box::new(starting_with(&self.osp, [o]).iter().map(|[o, s, p]| [*s, *p, *o])),
            (Some(s), None, Some(o)) => Box::new(starting_with(&self.osp, [o, s]).iter().map(|[o, s, p]| [*s, *p, *o])),
        }
    }
}

fn starting_with<const N: usize>(sorted: &[[NodeId; 3]], prefix: [NodeId; N]) -> &[[NodeId; 3]] {
    let start = sorted.partition_point(|row| row[..N] < prefix[..]);
    let length = sorted[start..].partition_point(|row| row[..N] == prefix[..]);
    &sorted[start..start + length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::Literal;

    fn iri(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://a/{name}"))
    }

    fn dataset(edges: &[(&str, &str, &str)]) -> ValidationData {
        ValidationData::new(edges.iter().map(|(s, p, o)| Triple::new(iri(s), iri(p), iri(o))), [], &Budget::default())
            .unwrap()
    }

    fn reached(dataset: &ValidationData, path: Path<&str>, start: &str) -> Vec<String> {
        let path = path.map(&mut |p| dataset.iri(iri(p).as_ref()).unwrap());
        let start = dataset.iri(iri(start).as_ref()).unwrap();
        let name = |n: NodeId| dataset.as_iri(n).unwrap().as_str().trim_start_matches("http://a/").to_owned();
        dataset.reached(&path, start).unwrap().into_iter().map(name).collect()
    }

    fn predicate(name: &str) -> Box<Path<&str>> {
        Box::new(Path::Predicate(name))
    }

    #[test]
    fn a_closure_ends_on_a_cycle() {
        let d = dataset(&[("a", "p", "b"), ("b", "p", "c"), ("c", "p", "a")]);
        assert_eq!(reached(&d, Path::ZeroOrMore(predicate("p")), "a"), ["a", "b", "c"]);
        assert_eq!(reached(&d, Path::OneOrMore(predicate("p")), "a"), ["b", "c", "a"]);
    }

    #[test]
    fn the_inverse_of_a_sequence_is_walked_from_its_end() {
        let d = dataset(&[("a", "p", "b"), ("b", "q", "c")]);
        let sequence = Path::Sequence(vec![*predicate("p"), *predicate("q")]);
        assert_eq!(reached(&d, Path::Inverse(Box::new(sequence)), "c"), ["a"]);
    }

    #[test]
    fn instances_are_those_of_subclasses_too() {
        let typed = |s: &str, class: &str| Triple::new(iri(s), rdf::TYPE, iri(class));
        let sub = Triple::new(iri("B"), rdfs::SUB_CLASS_OF, iri("A"));
        let d = ValidationData::new(
            [typed("x", "B"), typed("y", "A"), sub, Triple::new(iri("z"), iri("p"), Literal::from(1))],
            [],
            &Budget::default(),
        )
        .unwrap();
        let class = d.iri(iri("A").as_ref()).unwrap();
        assert_eq!(d.instances(&d.data, class).unwrap().len(), 2);
        assert!(d.is_instance(&d.data, d.iri(iri("x").as_ref()).unwrap(), class));
        assert!(!d.is_instance(&d.data, d.iri(iri("z").as_ref()).unwrap(), class));
    }
}
