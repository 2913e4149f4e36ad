//! The statements of a snapshot in an order that depends on nothing but the graph, read subject by subject, however many there are. Held
//! are a few numbers for each blank node and each statement about one: canonical names (RDFC-1.0) need all of these at once.

mod lines;
mod names;

use kgq_snapshot::{Ids, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::blank::renamed_term;
use kgq_syntax::rdf::rdf11::quad_bytes;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use kgq_syntax::sort::sorted_by_text;
use names::Names;
use std::collections::BTreeMap;

/// The statements of a snapshot, or of one of its graphs, sorted as their lines of N-Quads are.
pub struct Sorted<'s> {
    snapshot: &'s Snapshot,
    budget: &'s Budget,
    names: Names<'s>,
    /// The one graph whose statements these are, moved to the default graph.
    only: Option<TermId>,
}

/// Which statements are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// All graphs as one, the default graph.
    Merged,
    /// Those of one graph; `None` is the default graph.
    Graph(Option<TermId>),
}

impl<'s> Sorted<'s> {
    /// Finds the names of the blank nodes. Those that are too much alike to be named canonically keep the names that the order of the
    /// files gave them.
    ///
    /// # Errors
    /// The budget's.
    pub fn new(snapshot: &'s Snapshot, budget: &'s Budget) -> Result<Self> {
        let names = Names::of(snapshot, None, false, budget)?;
        Ok(Self { snapshot, budget, names, only: None })
    }

    /// The same of all graphs or of one, which is moved to the default graph (unbound for the default graph itself).
    ///
    /// # Errors
    /// Blank nodes that are too much alike to be named canonically; the budget's.
    pub fn canonical(snapshot: &'s Snapshot, only: Option<TermId>, budget: &'s Budget) -> Result<Self> {
        let names = Names::of(snapshot, only, true, budget)?;
        Ok(Self { snapshot, budget, names, only })
    }

    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// Whether any of the statements is in a named graph.
    pub fn has_named_graphs(&self) -> bool {
        self.only.is_none() && self.snapshot.quad_count() > 0
    }

    /// Whether any of the statements may have a triple term.
    pub fn has_triple_terms(&self) -> bool {
        !self.snapshot.kind_range(TermKind::Triple).is_empty()
    }

    /// All statements that these are.
    pub fn all(&self) -> Which {
        match self.only {
            None => Which::All,
            Some(graph) => Which::Graph(graph.is_bound().then_some(graph)),
        }
    }

    /// The graphs that have statements, by their names as they are written; the default graph's is empty.
    pub(super) fn graphs(&self) -> BTreeMap<String, (GraphName, Which)> {
        if self.only.is_some() {
            return BTreeMap::from([(String::new(), (GraphName::DefaultGraph, self.all()))]);
        }
        let mut graphs = BTreeMap::new();
        if self.snapshot.triple_count() > 0 {
            graphs.insert(String::new(), (GraphName::DefaultGraph, Which::Graph(None)));
        }
        for id in self.snapshot.named_graphs() {
            let name = self.graph_name(Which::All, *id);
            graphs.insert(name.to_string(), (name, Which::Graph(Some(*id))));
        }
        graphs
    }

    /// What is said of a subject, sorted; with the memory that it takes.
    pub(super) fn group(&self, which: Which, subject: TermId) -> Result<(Vec<Quad>, Reservation)> {
        let (group, held) = self.decoded(which, self.statements(which, subject))?;
        let mut group = sorted_by_text(group, Quad::to_string, self.budget)?;
        group.dedup();
        Ok((group, held))
    }

    /// Decodes statements; with the memory that they take.
    fn decoded(&self, which: Which, statements: impl Iterator<Item = Ids>) -> Result<(Vec<Quad>, Reservation)> {
        let (mut quads, mut held, steps) = (Vec::new(), Reservation::default(), Steps::new(self.budget));
        for ids in statements {
            steps.take()?;
            let Some(quad) = self.quad(which, ids) else { continue };
            held.grow(self.budget, quad_bytes(&quad))?;
            quads.push(quad);
        }
        Ok((quads, held))
    }

    /// Each statement; none is given before what it was read from is known to be sound.
    pub fn walk(&self, which: Which) -> Box<dyn Iterator<Item = Result<Quad>> + '_> {
        let (subjects, held) = match self.subjects(which) {
            Ok(subjects) => subjects,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let steps = Steps::new(self.budget);
        let sound = subjects.into_iter().map(move |subject| {
            let _held = &held;
            steps.take()?;
            let group = self.group(which, subject)?;
            self.snapshot.intact().map(|()| group)
        });
        Box::new(sound.flat_map(|group: Result<(Vec<Quad>, Reservation)>| {
            let ((quads, held), error) = match group {
                Ok(group) => (group, None),
                Err(error) => (Default::default(), Some(error)),
            };
            let quads = quads.into_iter().map(move |quad| {
                let _held = &held;
                Ok(quad)
            });
            quads.chain(error.map(Err))
        }))
    }

    /// What is said of a subject, as ids.
    pub(super) fn statements(&self, which: Which, subject: TermId) -> impl Iterator<Item = Ids> + use<'s> {
        let (triples, quads) = (self.snapshot.triples(Permutation::Spo), self.snapshot.quads(QuadPermutation::Spog));
        let by_graph = self.snapshot.quads(QuadPermutation::Gspo);
        let (in_triples, (quads, in_quads)) = match which {
            Which::All | Which::Merged => (triples.run(subject), (quads, quads.run(subject))),
            Which::Graph(None) => (triples.run(subject), (quads, 0..0)),
            Which::Graph(Some(graph)) => (0..0, (by_graph, by_graph.range(&[graph, subject]))),
        };
        triples.statements(in_triples).chain(quads.statements(in_quads))
    }

    /// Decodes a statement, with the names that its blank nodes have here.
    pub(super) fn quad(&self, which: Which, [subject, predicate, object, graph]: Ids) -> Option<Quad> {
        let Term::NamedNode(predicate) = self.snapshot.term(predicate) else { return None };
        Some(Quad::new(self.node(subject)?, predicate, self.term(object), self.graph_name(which, graph)))
    }

    /// A subject by its name here.
    pub(super) fn node(&self, id: TermId) -> Option<NamedOrBlankNode> {
        match self.snapshot.kind(id) {
            TermKind::BlankNode => Some(self.names.node(id).into()),
            TermKind::Iri => Some(named(self.snapshot, id).into()),
            TermKind::Literal | TermKind::Triple => None,
        }
    }

    pub(super) fn is_blank(&self, id: TermId) -> bool {
        self.snapshot.kind(id) == TermKind::BlankNode
    }

    /// The name of a blank node.
    pub(super) fn blank(&self, id: TermId) -> BlankNode {
        self.names.node(id)
    }

    fn term(&self, id: TermId) -> Term {
        match self.snapshot.kind(id) {
            TermKind::BlankNode => self.names.node(id).into(),
            TermKind::Iri | TermKind::Literal => self.snapshot.term(id),
            TermKind::Triple => renamed_term(&self.snapshot.term(id), &|node| self.names.renamed(node)),
        }
    }

    fn graph_name(&self, which: Which, graph: TermId) -> GraphName {
        if graph.is_unbound() || which == Which::Merged || self.only.is_some() {
            return GraphName::DefaultGraph;
        }
        match self.node(graph) {
            Some(NamedOrBlankNode::NamedNode(node)) => node.into(),
            Some(NamedOrBlankNode::BlankNode(node)) => node.into(),
            None => GraphName::DefaultGraph,
        }
    }

    /// What these statements are about, in the order of the texts: IRIs, then blank nodes.
    pub(super) fn subjects(&self, which: Which) -> Result<(Vec<TermId>, Reservation)> {
        let (triples, quads) = (self.snapshot.triples(Permutation::Spo), self.snapshot.quads(QuadPermutation::Spog));
        let mut subjects: Vec<TermId> = match which {
            Which::All | Which::Merged => triples.keys().chain(quads.keys()).map(|(id, _)| id).collect(),
            Which::Graph(None) => triples.keys().map(|(id, _)| id).collect(),
            Which::Graph(Some(graph)) => {
                let index = self.snapshot.quads(QuadPermutation::Gspo);
                let mut own: Vec<TermId> = index.statements(index.run(graph)).map(|[subject, ..]| subject).collect();
                own.dedup();
                own
            }
        };
        subjects.sort_unstable();
        subjects.dedup();
        let held = self.budget.reserve((2 * subjects.len() * size_of::<TermId>()) as u64)?;
        let (mut blank, iris): (Vec<TermId>, Vec<TermId>) = subjects.into_iter().partition(|id| self.is_blank(*id));
        blank.sort_unstable_by_key(|node| self.names.rank(*node));
        let mut sorted = as_texts_sort(self.snapshot, &iris);
        sorted.extend(blank);
        Ok((sorted, held))
    }
}

fn named(snapshot: &Snapshot, id: TermId) -> NamedNode {
    let mut text = Vec::new();
    snapshot.text(id, &mut text);
    NamedNode::new_unchecked(String::from_utf8_lossy(&text))
}

/// IRIs that are sorted by themselves, as their texts of N-Triples sort: those that begin with another stand on both sides of it, as what
/// follows is less than `>` or more.
fn as_texts_sort(snapshot: &Snapshot, ids: &[TermId]) -> Vec<TermId> {
    let mut sorted = Vec::with_capacity(ids.len());
    // Each begins with those below it, and what follows is less than `>`.
    let mut open: Vec<(TermId, Vec<u8>)> = Vec::new();
    for id in ids {
        let mut text = Vec::new();
        snapshot.text(*id, &mut text);
        let comes_before = |(_, other): &mut (TermId, Vec<u8>)| match text.strip_prefix(other.as_slice()) {
            Some(rest) => rest.first().is_some_and(|next| *next > b'>'),
            None => true,
        };
        while let Some((other, _)) = open.pop_if(comes_before) {
            sorted.push(other);
        }
        open.push((*id, text));
    }
    sorted.extend(open.into_iter().rev().map(|(id, _)| id));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::turtle;
    use crate::render::{GraphOptions, RdfVersion, Walked, write_quads, write_walked};
    use kgq_snapshot::store::{Dataset, Input, ReadOptions};
    use kgq_syntax::budget::Limits;
    use kgq_syntax::error::Kind;
    use kgq_syntax::rdf::canonical::{canonicalize, relabel};
    use kgq_syntax::rdf::{Prefixes, RdfFormat};

    const TEXT: &str = "PREFIX : <http://e/> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
        :a :p :a-b , :a0 , <http://e/a/b> , :aZ , 1 , \"x\"@en--ltr ; :q [ :r _:x ; :s ( 1 [ :p 3 ] ) ] ~ :r {| :from :s |} .
        :a-b :p 1 . :a0 :p 1 . <http://e/a/b> :p _:x . :aZ :p 1 . :aZ-1 :p 1 . :a.b :p 1 . :ab :p 1 . <http://e/a/b/c> :p 1 .
        _:x :p _:y . _:y :p _:x , :a . [] :p 2 .
        :two rdf:reifies <<( :a :p 1 )>> , <<( :a :p :a0 )>> . :deep rdf:reifies <<( :a :p <<( :b :q _:x )>> )>> .
        :says :that <<( :c :d 1 )>> , <<( :c :d _:y )>> .
        :g { :a :p :a0 , :other . :in :p [ :p [] ] ~ _:r {| :w 1 |} . } <http://e/a/b> { _:x :p 7 ; :q :a . :aZ :p 2 } _:g { :in :p :a }";

    fn snapshot(text: &str) -> (Dataset, Snapshot) {
        let file = Input::bytes("g.trig", text.into(), RdfFormat::TriG);
        let dataset = Dataset::read(&[file], ReadOptions::default()).unwrap();
        let snapshot = Snapshot::from_dataset(&dataset, &Budget::default()).unwrap();
        (dataset, snapshot)
    }

    #[test]
    fn statements_come_as_those_of_a_whole_dataset_are_sorted() {
        let budget = Budget::default();
        let (dataset, snapshot) = snapshot(TEXT);
        let sorted = Sorted::new(&snapshot, &budget).unwrap();
        let (expected, _) = relabel(dataset.quads(), &budget).unwrap();
        let walked = |which: &Which| sorted.walk(*which).collect::<Result<Vec<Quad>>>().unwrap();
        assert_eq!(walked(&Which::All), expected);
        let mut merged: Vec<Quad> =
            expected.iter().cloned().map(|quad| Quad { graph_name: GraphName::DefaultGraph, ..quad }).collect();
        merged.sort_by_cached_key(Quad::to_string);
        merged.dedup();
        assert_eq!(walked(&Which::Merged), merged);
    }

    #[test]
    fn turtle_and_trig_read_block_by_block_are_those_of_a_whole_dataset() {
        let (budget, prefixes) = (Budget::default(), Prefixes::from_iter([("e", "http://e/")]));
        let (_, snapshot) = snapshot(TEXT);
        let sorted = Sorted::new(&snapshot, &budget).unwrap();
        for (which, merged) in [(Which::All, false), (Which::Merged, true)] {
            let all: Vec<Quad> = sorted.walk(which).collect::<Result<_>>().unwrap();
            for prefixes in [&prefixes, &Prefixes::default()] {
                let mut written = Vec::new();
                turtle::write_sorted(&sorted, merged, prefixes, &budget, &mut written).unwrap();
                assert_eq!(String::from_utf8(written).unwrap(), turtle::write(&all, prefixes, &budget).unwrap());
            }
        }
    }

    #[test]
    fn what_rdf_11_lacks_is_mapped_alike_whether_statements_are_held_or_walked_over() {
        let (budget, prefixes) = (Budget::default(), Prefixes::from_iter([("e", "http://e/")]));
        let (_, snapshot) = snapshot(TEXT);
        let sorted = Sorted::new(&snapshot, &budget).unwrap();
        for (which, format) in [(Which::All, RdfFormat::JsonLd), (Which::Merged, RdfFormat::RdfXml)] {
            let all: Vec<Quad> = sorted.walk(which).collect::<Result<_>>().unwrap();
            let options = GraphOptions { version: RdfVersion::V11 };
            let (mut held, mut walked) = (Vec::new(), Vec::new());
            let count = write_quads(&all, format, &prefixes, options, &budget, &mut held).unwrap();
            let quads = Walked { walk: &|| sorted.walk(which), named: which == Which::All, triple_terms: true };
            let again = write_walked(&quads, format, &prefixes, options, &budget, &mut walked).unwrap();
            assert!(held == walked && count > 0);
            assert_eq!(count, again);
        }
    }

    #[test]
    fn no_statement_is_held_of_reifiers_without_blank_nodes() {
        let (_, snapshot) = snapshot("PREFIX : <http://e/> :a :p 1 ~ :r {| :from :s |} . :g { :a :p 1 , \"x\" ~ :r2 }");
        let budget = Budget::default();
        assert!(Sorted::new(&snapshot, &budget).unwrap().names.described.is_empty());
    }

    #[test]
    fn the_statements_of_one_subject_are_counted_and_reading_them_can_be_stopped() {
        let text: String = (0..5000).map(|n| format!("<http://e/hub> <http://e/p> {n} .\n")).collect();
        let (_, snapshot) = snapshot(&text);
        let stopped = Budget::default();
        stopped.cancel();
        let small = Budget::new(Limits { memory: Some(100_000), ..Limits::default() });
        for (budget, kind) in [(&small, Kind::Limit), (&stopped, Kind::Interrupted)] {
            let names = Names::of(&snapshot, None, false, &Budget::default()).unwrap();
            let sorted = Sorted { snapshot: &snapshot, budget, names, only: None };
            let walked: Result<Vec<Quad>> = sorted.walk(Which::All).collect();
            let lines = sorted.write_canonical(&mut std::io::sink());
            let blocks = turtle::write_sorted(&sorted, false, &Prefixes::default(), budget, &mut std::io::sink());
            for error in [walked.unwrap_err(), lines.unwrap_err(), blocks.unwrap_err()] {
                assert_eq!(error.kind(), kind);
            }
        }
        assert_eq!(small.held(), 0);
    }

    #[test]
    fn what_is_described_in_rdf_11_counts_as_long_as_it_is_held() {
        let (_, snapshot) = snapshot(TEXT);
        let budget = Budget::default();
        let sorted = Sorted::canonical(&snapshot, None, &budget).unwrap();
        let described: u64 = sorted.names.described.iter().map(quad_bytes).sum();
        assert!(described > 0 && budget.held() >= described);
        drop(sorted);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn canonical_lines_are_those_of_a_whole_dataset() {
        let budget = Budget::default();
        let (dataset, snapshot) = snapshot(TEXT);
        let mut written = Vec::new();
        let sorted = Sorted::canonical(&snapshot, None, &budget).unwrap();
        let mapped = sorted.write_canonical(&mut written).unwrap();
        let expected = canonicalize(dataset.quads(), &budget).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected.lines().collect::<String>());
        assert_eq!(mapped, expected.mapped);
    }

    #[test]
    fn of_one_graph_nodes_are_named_by_its_statements_alone() {
        let budget = Budget::default();
        let (dataset, snapshot) = snapshot(TEXT);
        let graph = NamedNode::new_unchecked("http://e/g");
        let own = dataset.quads().iter().filter(|quad| quad.graph_name == graph.clone().into());
        let moved: Vec<Quad> = own.cloned().map(|q| Quad { graph_name: GraphName::DefaultGraph, ..q }).collect();
        let sorted = Sorted::canonical(&snapshot, snapshot.id(graph.as_ref().into()), &budget).unwrap();
        let walked: Vec<Quad> = sorted.walk(sorted.all()).collect::<Result<_>>().unwrap();
        assert_eq!(walked, relabel(&moved, &budget).unwrap().0);
        let (mut lines, mut blocks) = (Vec::new(), Vec::new());
        sorted.write_canonical(&mut lines).unwrap();
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            canonicalize(&moved, &budget).unwrap().lines().collect::<String>()
        );
        turtle::write_sorted(&sorted, false, &Prefixes::default(), &budget, &mut blocks).unwrap();
        assert_eq!(String::from_utf8(blocks).unwrap(), turtle::write(&walked, &Prefixes::default(), &budget).unwrap());
    }

    /// A graph with chains, circles, lists that end and that do not, reifiers, and nodes that several graphs share.
    fn random(numbers: &mut fastrand::Rng) -> String {
        let mut text = String::from("PREFIX : <http://e/> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\n");
        let nodes = 2 + numbers.usize(..12);
        for _ in 0..numbers.usize(1..30) {
            let subject = match numbers.usize(..4) {
                0 => format!(":i{}", numbers.usize(..4)),
                _ => format!("_:n{}", numbers.usize(..nodes)),
            };
            let object = match numbers.usize(..8) {
                0 => ":i1".to_owned(),
                1 => "rdf:nil".to_owned(),
                2 => "'x'@en--rtl".to_owned(),
                _ => format!("_:n{}", numbers.usize(..nodes)),
            };
            let statement = match numbers.usize(..12) {
                0..3 => format!("{subject} rdf:first 1 ; rdf:rest {object}"),
                3 => format!("{subject} :p {object} ~ _:r{}", numbers.usize(..3)),
                4 => format!("{subject} :q <<( :i1 :p {object} )>>"),
                _ => format!("{subject} :p {object}"),
            };
            match numbers.usize(..6) {
                0 => text.push_str(&format!(":g{} {{ {statement} }}\n", numbers.usize(..2))),
                _ => text.push_str(&format!("{statement} .\n")),
            }
        }
        // A long chain and a long list, to the depth at which blocks of their own begin.
        let long = numbers.usize(..14);
        for at in 0..long {
            text.push_str(&format!(
                ":i2 :to _:c0 . _:c{at} :p _:c{} . _:l{at} rdf:first _:f{at} ; rdf:rest _:l{} . ",
                at + 1,
                at + 1
            ));
        }
        text
    }

    #[test]
    fn whatever_blank_nodes_there_are_all_is_written_as_of_a_whole_dataset() {
        let (budget, prefixes) = (Budget::default(), Prefixes::from_iter([("e", "http://e/")]));
        let (mut numbers, mut compared) = (fastrand::Rng::with_seed(3), 0);
        for _ in 0..400 {
            let text = random(&mut numbers);
            let (dataset, snapshot) = snapshot(&text);
            let Ok(expected) = canonicalize(dataset.quads(), &budget) else { continue };
            compared += 1;
            let sorted = Sorted::canonical(&snapshot, None, &budget).unwrap();
            let mut lines = Vec::new();
            sorted.write_canonical(&mut lines).unwrap();
            assert_eq!(String::from_utf8(lines).unwrap(), expected.lines().collect::<String>(), "{text}");
            for (which, merged) in [(Which::All, false), (Which::Merged, true)] {
                let all: Vec<Quad> = sorted.walk(which).collect::<Result<_>>().unwrap();
                let mut written = Vec::new();
                turtle::write_sorted(&sorted, merged, &prefixes, &budget, &mut written).unwrap();
                let expected = turtle::write(&all, &prefixes, &budget).unwrap();
                assert_eq!(String::from_utf8(written).unwrap(), expected, "{text}");
            }
        }
        assert!(compared > 390, "{compared}");
    }
}
