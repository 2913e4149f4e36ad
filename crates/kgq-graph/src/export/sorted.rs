//! The statements of a snapshot in an order that depends on nothing but the graph, read subject by subject, however many there are. Held
//! are those alone that tell blank nodes apart: the canonical names (RDFC-1.0) of these need all of them at once.

use kgq_snapshot::{Ids, Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::canonical::relabel_among;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::ops::Range;

/// The statements of a snapshot, sorted as their lines of N-Quads are.
pub struct Sorted<'s> {
    snapshot: &'s Snapshot,
    budget: &'s Budget,
    /// Those in which a blank node is, or a triple term that RDF 1.1 has no reifier for; with canonical names.
    held: Vec<Quad>,
    /// The places among them of each graph's.
    by_graph: FxHashMap<GraphName, Vec<usize>>,
    reifies: Option<TermId>,
    /// What names several triples.
    names_several: FxHashSet<TermId>,
    _held: Reservation,
}

/// Which statements are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// All graphs as one, the default graph.
    Merged,
    /// Those of one graph; of a named one, with its id.
    Graph(GraphName, Option<TermId>),
}

impl<'s> Sorted<'s> {
    /// Finds what has to be held. Blank nodes that are too much alike to be named canonically keep the names that the order of the files
    /// gave them.
    ///
    /// # Errors
    /// The budget's.
    pub fn new(snapshot: &'s Snapshot, budget: &'s Budget) -> Result<Self> {
        let reifies = snapshot.id(rdf::REIFIES.into());
        let names_several = reifies.map(|reifies| naming_several(snapshot, reifies)).unwrap_or_default();
        let (held, _held) = (Vec::new(), Reservation::default());
        let by_graph = FxHashMap::default();
        let mut sorted = Self { snapshot, budget, held, by_graph, reifies, names_several, _held };
        let (quads, _while_named) = sorted.to_hold()?;
        let others = snapshot.len().saturating_sub(quads.len());
        (sorted.held, sorted._held) = match relabel_among(&quads, others, budget) {
            Ok(relabelled) => relabelled,
            Err(error) if error.limit_passed().is_some() => return Err(error),
            Err(_) => {
                let mut quads = quads;
                quads.sort_by_cached_key(Quad::to_string);
                (quads, _while_named)
            }
        };
        sorted._held.grow(budget, (sorted.held.len() * size_of::<usize>()) as u64)?;
        for (at, quad) in sorted.held.iter().enumerate() {
            sorted.by_graph.entry(quad.graph_name.clone()).or_default().push(at);
        }
        Ok(sorted)
    }

    /// The statements to be held, in the order of the files.
    fn to_hold(&self) -> Result<(Vec<Quad>, Reservation)> {
        /// About what one takes.
        const BYTES: u64 = size_of::<Quad>() as u64 + 300;
        let (snapshot, steps) = (self.snapshot, Steps::new(self.budget));
        let (mut found, mut finding): (Vec<Ids>, _) = (Vec::new(), Reservation::default());
        let mut find = |index: Index<'_>, ids: Range<u32>| -> Result<()> {
            for (_, rows) in index.keys_in(ids) {
                steps.take()?;
                finding.grow(self.budget, (rows.len() * size_of::<Ids>()) as u64)?;
                found.extend(index.statements(rows));
            }
            Ok(())
        };
        for kind in [TermKind::BlankNode, TermKind::Triple] {
            let ids = snapshot.kind_range(kind);
            for order in [Permutation::Spo, Permutation::Osp] {
                find(snapshot.triples(order), ids.clone())?;
            }
            for order in [QuadPermutation::Spog, QuadPermutation::Ospg, QuadPermutation::Gspo] {
                find(snapshot.quads(order), ids.clone())?;
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|statement| self.is_held(*statement));
        snapshot.sort_by_origin(&mut found);
        let (mut quads, mut held) = (Vec::with_capacity(found.len()), Reservation::default());
        for statement in found {
            steps.take()?;
            held.grow(self.budget, BYTES)?;
            quads.extend(snapshot.statement(statement));
        }
        Ok((quads, held))
    }

    fn is_held(&self, [subject, predicate, object, graph]: Ids) -> bool {
        let is_blank = |id: TermId| self.snapshot.kind(id) == TermKind::BlankNode;
        if is_blank(subject) || is_blank(object) || graph.is_bound() && is_blank(graph) {
            return true;
        }
        // The reifier of one triple stands for it in RDF 1.1: no node is made up.
        let is_name = Some(predicate) == self.reifies && !self.names_several.contains(&subject);
        let is_whole = |parts: [TermId; 3]| {
            parts.iter().all(|part| !matches!(self.snapshot.kind(*part), TermKind::BlankNode | TermKind::Triple))
        };
        self.snapshot.triple_components(object).is_some_and(|parts| !(is_name && is_whole(parts)))
    }

    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// The statements that are held.
    pub(super) fn held(&self) -> &[Quad] {
        &self.held
    }

    /// The graphs that have statements, by their names as they are written; the default graph's is empty.
    pub(super) fn graphs(&self) -> BTreeMap<String, Which> {
        let mut graphs = BTreeMap::new();
        let mut add = |graph: GraphName, id: Option<TermId>| {
            let name = if graph.is_default_graph() { String::new() } else { graph.to_string() };
            graphs.insert(name, Which::Graph(graph, id));
        };
        if self.snapshot.triple_count() > 0 {
            add(GraphName::DefaultGraph, None);
        }
        for id in self.snapshot.named_graphs() {
            if let Term::NamedNode(node) = self.snapshot.term(*id) {
                add(node.into(), Some(*id));
            }
        }
        self.held
            .iter()
            .filter(|quad| quad.graph_name.is_blank_node())
            .for_each(|quad| add(quad.graph_name.clone(), None));
        graphs
    }

    /// The IRIs about which statements cannot be written one subject after the other: what is written of blank nodes and of reifiers
    /// stands where these are used. What is said of blank nodes is of them too.
    pub(super) fn tangled(&self) -> FxHashSet<TermId> {
        let snapshot = self.snapshot;
        let mut tangled: FxHashSet<TermId> = FxHashSet::default();
        for kind in [TermKind::BlankNode, TermKind::Triple] {
            let ids = snapshot.kind_range(kind);
            let (triples, quads) = (snapshot.triples(Permutation::Osp), snapshot.quads(QuadPermutation::Ospg));
            for (index, keys) in [(triples, triples.keys_in(ids.clone())), (quads, quads.keys_in(ids.clone()))] {
                tangled.extend(keys.flat_map(|(_, rows)| index.statements(rows)).map(|[subject, ..]| subject));
            }
        }
        let triples = snapshot.kind_range(TermKind::Triple).map(TermId::new);
        tangled.extend(triples.filter_map(|triple| Some(snapshot.triple_components(triple)?[0])));
        tangled
    }

    /// The statements subject by subject; with `tangled` only those about these and about blank nodes, or only the others.
    pub(super) fn groups<'a>(
        &'a self,
        which: &'a Which,
        tangled: Option<(&'a FxHashSet<TermId>, bool)>,
    ) -> impl Iterator<Item = Result<Vec<Quad>>> + use<'a, 's> {
        let steps = Steps::new(self.budget);
        let mut held = Held { quads: self.held_of(which), at: 0 };
        let mut subjects = self.subjects(which).into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Err(error) = steps.take() {
                    return Some(Err(error));
                }
                let mut group = match subjects.next() {
                    Some(subject) => {
                        let node = named(self.snapshot, subject);
                        let text = node.to_string();
                        while held.next_iri().is_some_and(|next| next.to_string() < text) {
                            held.take();
                        }
                        let own = if held.next_iri() == Some(&node) { held.take() } else { &[] };
                        if tangled.is_some_and(|(tangled, wanted)| tangled.contains(&subject) != wanted) {
                            continue;
                        }
                        let mut group = self.plain(which, subject);
                        group.extend(own.iter().copied().cloned());
                        group
                    }
                    None => {
                        while held.next_iri().is_some() {
                            held.take();
                        }
                        if held.is_over() || tangled.is_some_and(|(_, wanted)| !wanted) {
                            return None;
                        }
                        held.take().iter().copied().cloned().collect()
                    }
                };
                if group.is_empty() {
                    continue;
                }
                if *which == Which::Merged {
                    group.iter_mut().for_each(|quad| quad.graph_name = GraphName::DefaultGraph);
                }
                group.sort_by_cached_key(Quad::to_string);
                group.dedup();
                return Some(Ok(group));
            }
        })
    }

    /// The statements of these that are held, in their order.
    fn held_of(&self, which: &Which) -> Vec<&Quad> {
        match which {
            Which::All | Which::Merged => self.held.iter().collect(),
            Which::Graph(graph, _) => {
                self.by_graph.get(graph).into_iter().flatten().map(|at| &self.held[*at]).collect()
            }
        }
    }

    /// Each statement.
    pub fn walk<'a>(&'a self, which: &'a Which) -> Box<dyn Iterator<Item = Result<Quad>> + 'a> {
        Box::new(self.groups(which, None).flat_map(|group| match group {
            Ok(quads) => quads.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }))
    }

    /// What is said of an IRI and not held.
    fn plain(&self, which: &Which, subject: TermId) -> Vec<Quad> {
        let (triples, quads) = (self.snapshot.triples(Permutation::Spo), self.snapshot.quads(QuadPermutation::Spog));
        let (in_triples, in_quads) = match which {
            Which::All | Which::Merged => (triples.run(subject), (quads, quads.run(subject))),
            // What is said in a graph without a name is held.
            Which::Graph(GraphName::BlankNode(_), _) => (0..0, (quads, 0..0)),
            Which::Graph(_, None) => (triples.run(subject), (quads, 0..0)),
            Which::Graph(_, Some(graph)) => {
                let quads = self.snapshot.quads(QuadPermutation::Gspo);
                (0..0, (quads, quads.range(&[*graph, subject])))
            }
        };
        let (quads, in_quads) = in_quads;
        let all = triples.statements(in_triples).chain(quads.statements(in_quads));
        let plain = all.filter(|statement| !self.is_held(*statement));
        plain.filter_map(|statement| self.snapshot.statement(statement)).collect()
    }

    /// The IRIs of which these statements are, in the order of their texts.
    fn subjects(&self, which: &Which) -> Vec<TermId> {
        let (triples, quads) = (self.snapshot.triples(Permutation::Spo), self.snapshot.quads(QuadPermutation::Spog));
        let iris = self.snapshot.kind_range(TermKind::Iri);
        let of_triples = || triples.keys_in(iris.clone()).map(|(id, _)| id);
        let mut subjects: Vec<TermId> = match which {
            Which::All | Which::Merged => of_triples().chain(quads.keys_in(iris.clone()).map(|(id, _)| id)).collect(),
            Which::Graph(GraphName::BlankNode(_), _) => {
                let own = self.held_of(which).into_iter().filter(|quad| quad.subject.is_named_node());
                own.filter_map(|quad| self.snapshot.id(quad.subject.as_ref().into())).collect()
            }
            Which::Graph(_, None) => of_triples().collect(),
            Which::Graph(_, Some(graph)) => {
                let index = self.snapshot.quads(QuadPermutation::Gspo);
                let all = index.statements(index.run(*graph)).map(|[subject, ..]| subject);
                all.filter(|subject| iris.contains(&subject.get())).collect()
            }
        };
        subjects.sort_unstable();
        subjects.dedup();
        as_texts_sort(self.snapshot, &subjects)
    }
}

/// Statements that are held, read subject by subject.
struct Held<'a> {
    quads: Vec<&'a Quad>,
    at: usize,
}

impl<'a> Held<'a> {
    fn is_over(&self) -> bool {
        self.at == self.quads.len()
    }

    /// The next subject, if it is an IRI.
    fn next_iri(&self) -> Option<&'a NamedOrBlankNode> {
        let quad: &'a Quad = self.quads.get(self.at)?;
        Some(&quad.subject).filter(|subject| subject.is_named_node())
    }

    /// The statements about the next subject.
    fn take(&mut self) -> &[&'a Quad] {
        let rest = &self.quads[self.at..];
        let len = rest.chunk_by(|a, b| a.subject == b.subject).next().map_or(0, <[_]>::len);
        self.at += len;
        &rest[..len]
    }
}

fn named(snapshot: &Snapshot, id: TermId) -> NamedOrBlankNode {
    let mut text = Vec::new();
    snapshot.text(id, &mut text);
    NamedNode::new_unchecked(String::from_utf8_lossy(&text)).into()
}

/// What names several triples.
fn naming_several(snapshot: &Snapshot, reifies: TermId) -> FxHashSet<TermId> {
    let (mut once, mut again) = (FxHashSet::default(), FxHashSet::default());
    for [reifier, ..] in snapshot.find_ids([None, Some(reifies), None]) {
        if !once.insert(reifier) {
            again.insert(reifier);
        }
    }
    again
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
    use crate::render::{GraphOptions, RdfVersion, write_quads, write_walked};
    use kgq_snapshot::store::{Dataset, Input, ReadOptions};
    use kgq_syntax::rdf::canonical::relabel;
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
        let walked = |which: &Which| sorted.walk(which).collect::<Result<Vec<Quad>>>().unwrap();
        assert!(sorted.held.len() < expected.len());
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
            let all: Vec<Quad> = sorted.walk(&which).collect::<Result<_>>().unwrap();
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
            let all: Vec<Quad> = sorted.walk(&which).collect::<Result<_>>().unwrap();
            let options = GraphOptions { version: RdfVersion::V11 };
            let (mut held, mut walked) = (Vec::new(), Vec::new());
            let count = write_quads(&all, format, &prefixes, options, &budget, &mut held).unwrap();
            let again =
                write_walked(&|| sorted.walk(&which), format, &prefixes, options, &budget, &mut walked).unwrap();
            assert!(held == walked && count > 0);
            assert_eq!(count, again);
        }
    }

    #[test]
    fn nothing_is_held_of_statements_without_blank_nodes_and_with_a_reifier_each() {
        let (_, snapshot) = snapshot("PREFIX : <http://e/> :a :p 1 ~ :r {| :from :s |} . :g { :a :p 1 , \"x\" ~ :r2 }");
        let budget = Budget::default();
        assert_eq!(Sorted::new(&snapshot, &budget).unwrap().held.len(), 0);
    }
}
