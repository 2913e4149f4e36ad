//! The path of a shape, and the nodes that it reaches in the data, found by the engine's path search over the nodes of
//! a validation.

use super::dataset::ValidationData;
use super::dictionary::NodeId;
use kgq_engine::path::{self, Repeat};
use kgq_engine::path::{Automaton, GraphNode, Neighbours, Step, reach};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::path::Path;

/// A path as written, and compiled for searching.
pub(crate) struct ValuePath {
    pub written: Path<NodeId>,
    automaton: Automaton<NodeId>,
}

impl ValuePath {
    pub fn new(written: Path<NodeId>) -> Self {
        let automaton = Automaton::new(&walked(&written));
        Self { written, automaton }
    }

    /// Returns the distinct nodes that it reaches from `start` in the data (SHACL §2.3.1, "value nodes").
    pub fn reached(&self, dataset: &ValidationData, start: NodeId) -> Result<Vec<NodeId>> {
        match &self.written {
            // A single step needs no search.
            Path::Predicate(predicate) => Ok(dataset.data.objects(start, *predicate)),
            _ => reach(&self.automaton, dataset, &[start], None),
        }
    }
}

/// Translates the path to the engine's form.
fn walked(path: &Path<NodeId>) -> path::Path<NodeId> {
    let all = |paths: &[Path<NodeId>]| paths.iter().map(walked).collect();
    let repeated = |repeat, path: &Path<NodeId>| path::Path::Closure(repeat, Box::new(walked(path)));
    match path {
        Path::Predicate(predicate) => path::Path::Predicate(*predicate),
        Path::Inverse(inner) => path::Path::Reverse(Box::new(walked(inner))),
        Path::Sequence(steps) => path::Path::Sequence(all(steps)),
        Path::Alternative(branches) => path::Path::Alternative(all(branches)),
        Path::ZeroOrOne(inner) => repeated(Repeat::ZeroOrOne, inner),
        Path::ZeroOrMore(inner) => repeated(Repeat::ZeroOrMore, inner),
        Path::OneOrMore(inner) => repeated(Repeat::OneOrMore, inner),
    }
}

impl GraphNode for NodeId {
    fn index(self) -> usize {
        self.number()
    }
}

impl Neighbours<NodeId> for ValidationData {
    fn follow(&self, step: &Step<NodeId>, node: NodeId, next: &mut Vec<NodeId>) -> Result<()> {
        match step {
            Step::Predicate { predicate, back: false } => next.extend(self.data.objects(node, *predicate)),
            Step::Predicate { predicate, back: true } => next.extend(self.data.subjects(*predicate, node)),
            Step::Not { .. } => return Err(Error::bug("a path of a shape has no negated set")),
        }
        Ok(())
    }

    fn numbers(&self) -> usize {
        self.terms()
    }

    fn budget(&self) -> &Budget {
        Self::budget(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::one_graph;
    use super::*;
    use kgq_syntax::rdf::{NamedNode, Triple};

    fn iri(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://a/{name}"))
    }

    fn dataset(edges: &[(&str, &str, &str)]) -> ValidationData {
        let triples = edges.iter().map(|(s, p, o)| Triple::new(iri(s), iri(p), iri(o)));
        one_graph(triples)
    }

    fn reached(dataset: &ValidationData, path: Path<&str>, start: &str) -> Vec<String> {
        let path = path.map(&mut |p| dataset.iri(iri(p).as_ref()).unwrap());
        let start = dataset.iri(iri(start).as_ref()).unwrap();
        let name = |n: NodeId| dataset.as_iri(n).unwrap().as_str().trim_start_matches("http://a/").to_owned();
        ValuePath::new(path).reached(dataset, start).unwrap().into_iter().map(name).collect()
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
    fn a_repetition_costs_what_it_reaches_once_however_many_begin_it() {
        let names: Vec<String> = (0..400).map(|n| format!("n{n}")).collect();
        let mut edges: Vec<(&str, &str, &str)> = names.windows(2).map(|n| (&*n[0], "p", &*n[1])).collect();
        edges.extend(names.iter().map(|name| ("all", "p", &**name)));
        let d = dataset(&edges);
        let found = reached(&d, Path::OneOrMore(predicate("p")), "all");
        assert_eq!(found, names);
    }
}
