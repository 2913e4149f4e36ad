//! An index of terms for searching while typing: names in any language, classes and properties with their counts.
//!
//! It holds ids and folded names; everything shown about a term is read from the snapshot.

use super::labels::{LITERAL_FORM, NAMING, NAMING_BY_THINGS, local_name};
use super::names::{NameIndex, NameMatches, Names};
use kgq_snapshot::{Bound, Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{NamedNodeRef, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// The role of a term in the graph, as far as the index knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Class,
    Property,
    Thing,
}

/// Terms by name, classes and properties by frequency.
#[derive(Debug, Default)]
pub struct TermIndex {
    names: NameIndex,
    classes: Vec<(TermId, u64)>,
    properties: Vec<(TermId, u64)>,
    of_class: FxHashMap<TermId, Vec<(TermId, u64)>>,
    roles: FxHashMap<TermId, Role>,
    held: Reservation,
}

/// Terms that are found by their IRIs only.
struct Unnamed {
    terms: Vec<TermId>,
    _held: Reservation,
}

/// The numbers of members of classes, of statements of properties, and of both together.
#[derive(Default)]
struct Counts {
    classes: FxHashMap<TermId, u64>,
    properties: FxHashMap<TermId, u64>,
    of_class: FxHashMap<(TermId, TermId), u64>,
    held: Reservation,
}

const CLASS_TYPES: &[&str] = &["http://www.w3.org/2000/01/rdf-schema#Class", "http://www.w3.org/2002/07/owl#Class"];
const PROPERTY_TYPES: &[&str] = &[
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property",
    "http://www.w3.org/2002/07/owl#ObjectProperty",
    "http://www.w3.org/2002/07/owl#DatatypeProperty",
    "http://www.w3.org/2002/07/owl#AnnotationProperty",
];

impl TermIndex {
    /// Indexes the terms of a snapshot. What the index holds stays reserved as long as there is the index.
    ///
    /// # Errors
    /// The budget's.
    pub fn build(snapshot: &Snapshot, budget: &Budget) -> Result<Self> {
        let (mut index, steps) = (Self::default(), Steps::new(budget));
        index.take(Counts::of(snapshot, &steps)?);
        index.held.resize(budget, index.bytes() as u64)?;
        index.names = index.name(snapshot, &steps)?;
        index.held.resize(budget, index.bytes() as u64)?;
        Ok(index)
    }

    fn bytes(&self) -> usize {
        let lists =
            self.of_class.values().map(Vec::capacity).sum::<usize>() + self.classes.len() + self.properties.len();
        self.names.bytes() + lists * size_of::<(TermId, u64)>() + self.roles.capacity() * size_of::<(TermId, Role)>()
    }

    /// Returns the classes with their numbers of members, largest first; declared classes without members come last.
    pub fn classes(&self) -> &[(TermId, u64)] {
        &self.classes
    }

    /// Returns the properties with their numbers of statements, most used first; declared properties without statements
    /// come last.
    pub fn properties(&self) -> &[(TermId, u64)] {
        &self.properties
    }

    /// Returns the properties of a class's members, with the number of members that have each, most frequent first.
    pub fn properties_of(&self, class: TermId) -> &[(TermId, u64)] {
        self.of_class.get(&class).map_or(&[], Vec::as_slice)
    }

    pub fn role(&self, term: TermId) -> Role {
        self.roles.get(&term).copied().unwrap_or(Role::Thing)
    }

    fn take(&mut self, counts: Counts) {
        let Counts { mut classes, mut properties, of_class, .. } = counts;
        for ((class, predicate), n) in of_class {
            self.of_class.entry(class).or_default().push((predicate, n));
        }
        self.of_class.values_mut().for_each(|list| by_frequency(list));
        self.roles.extend(properties.keys().map(|p| (*p, Role::Property)));
        self.roles.extend(classes.keys().map(|c| (*c, Role::Class)));
        self.classes = classes.drain().collect();
        self.properties = properties.drain().collect();
        by_frequency(&mut self.classes);
        by_frequency(&mut self.properties);
    }

    fn name(&self, snapshot: &Snapshot, steps: &Steps) -> Result<NameIndex> {
        let (budget, mut held) = (steps.budget(), Reservation::default());
        let mut text = Vec::new();
        let mut named: FxHashSet<TermId> = FxHashSet::default();
        let mut names = Names::default();
        let schema = |term: TermId| self.roles.contains_key(&term);
        let forms = Forms::of(snapshot, steps)?;
        let direct = naming(snapshot).flat_map(|(predicate, _)| pairs(snapshot, predicate));
        let by_things = naming_by_things(snapshot).flat_map(|(predicate, _)| pairs(snapshot, predicate));
        let by_forms = by_things.flat_map(|(thing, label)| forms.of_label(label).map(move |form| (thing, form)));
        for (thing, label) in direct.chain(by_forms) {
            steps.take()?;
            if snapshot.kind(thing) == TermKind::Iri && snapshot.kind(label) == TermKind::Literal {
                snapshot.text(label, &mut text);
                names.add(&String::from_utf8_lossy(&text), thing, schema(thing));
                named.insert(thing);
                held.resize(budget, (names.bytes() + named.capacity() * 2 * size_of::<TermId>()) as u64)?;
            }
        }
        let unnamed = self.unnamed(snapshot, &named, steps)?;
        drop(named);
        for term in unnamed.terms {
            steps.take()?;
            if snapshot.kind(term) == TermKind::Iri && snapshot.text(term, &mut text) {
                let iri = String::from_utf8_lossy(&text);
                names.add(local_name(&iri), term, schema(term));
                held.resize(budget, names.bytes() as u64)?;
            }
        }
        names.index(budget)
    }

    /// The classes, the properties, and the subjects that have no name.
    fn unnamed(&self, snapshot: &Snapshot, named: &FxHashSet<TermId>, steps: &Steps) -> Result<Unnamed> {
        let mut terms: Vec<TermId> = self.classes.iter().chain(&self.properties).map(|(id, _)| *id).collect();
        let mut held = Reservation::default();
        for index in [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)] {
            for (subject, _) in index.keys().filter(|(subject, _)| !named.contains(subject)) {
                steps.take()?;
                terms.push(subject);
                held.resize(steps.budget(), (terms.capacity() * size_of::<TermId>()) as u64)?;
            }
        }
        terms.sort_unstable();
        terms.dedup();
        Ok(Unnamed { terms, _held: held })
    }

    /// Returns the terms whose name matches what was typed so far, the best first.
    pub fn search(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> NameMatches {
        self.names.search(typed, most, wanted)
    }

    /// Returns the terms whose name has the same letters and digits as what was typed.
    pub(crate) fn same_letters(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Vec<TermId> {
        self.names.same_letters(typed, most, wanted)
    }

    /// Returns the terms with a similar name, the most similar first.
    pub fn near(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Vec<TermId> {
        self.names.near(typed, most, wanted)
    }
}

impl Counts {
    fn of(snapshot: &Snapshot, steps: &Steps) -> Result<Self> {
        let mut counts = Self::default();
        for statistics in [snapshot.statistics(), snapshot.quad_statistics()] {
            for p in &statistics.predicates {
                *counts.properties.entry(p.predicate).or_default() += p.rows;
            }
        }
        if let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) {
            let triples = snapshot.triples(Permutation::Spo);
            let quads = snapshot.quads(QuadPermutation::Spog);
            counts.members(&triples, rdf_type, steps)?;
            counts.members(&quads, rdf_type, steps)?;
            counts.declared(snapshot, rdf_type, steps)?;
        }
        if let Some(sub_class) = snapshot.id(rdfs::SUB_CLASS_OF.into()) {
            for class in pairs(snapshot, sub_class).flat_map(<[TermId; 2]>::from) {
                steps.take()?;
                counts.classes.entry(class).or_default();
            }
        }
        let is_iri = |id: &TermId| snapshot.kind(*id) == TermKind::Iri;
        counts.classes.retain(|class, _| is_iri(class));
        counts.properties.retain(|property, _| is_iri(property));
        Ok(counts)
    }

    /// Counts the members of classes, and the properties that these have. The order of the index is by subject, property, object.
    fn members(&mut self, index: &Index<'_>, rdf_type: TermId, steps: &Steps) -> Result<()> {
        let (mut types, mut predicates) = (Vec::new(), Vec::new());
        let [mut ps, mut os] = [1, 2].map(|depth| index.blocks(depth, 0..index.len()));
        for (_, rows) in index.keys() {
            types.clear();
            predicates.clear();
            for (p, o) in ps.by_ref().zip(os.by_ref()).take(rows.len()) {
                steps.take()?;
                if p == rdf_type && types.last() != Some(&o) {
                    types.push(o);
                }
                if predicates.last() != Some(&p) {
                    predicates.push(p);
                }
            }
            for class in &types {
                *self.classes.entry(*class).or_default() += 1;
                for predicate in &predicates {
                    *self.of_class.entry((*class, *predicate)).or_default() += 1;
                }
            }
            self.held.resize(steps.budget(), self.bytes() as u64)?;
        }
        Ok(())
    }

    /// Adds the classes and properties that are declared, whether or not they are used.
    fn declared(&mut self, snapshot: &Snapshot, rdf_type: TermId, steps: &Steps) -> Result<()> {
        for (iris, declared) in [(CLASS_TYPES, &mut self.classes), (PROPERTY_TYPES, &mut self.properties)] {
            let kinds = iris.iter().filter_map(|iri| snapshot.id(NamedNodeRef::new_unchecked(iri).into()));
            for member in kinds.flat_map(|kind| objects_backward(snapshot, rdf_type, kind)) {
                steps.take()?;
                declared.entry(member).or_default();
            }
        }
        self.held.resize(steps.budget(), self.bytes() as u64)
    }

    fn bytes(&self) -> usize {
        let terms = self.classes.capacity() + self.properties.capacity();
        terms * size_of::<(TermId, u64)>() + self.of_class.capacity() * size_of::<((TermId, TermId), u64)>()
    }
}

/// The texts of the labels that are things; empty if nothing is named by one.
#[derive(Default)]
struct Forms {
    of: FxHashMap<TermId, Vec<TermId>>,
    held: Reservation,
}

impl Forms {
    /// About what a label takes with its text.
    const BYTES: u64 = 64;

    fn of(snapshot: &Snapshot, steps: &Steps) -> Result<Self> {
        let mut forms = Self::default();
        let predicate = naming_by_things(snapshot).next().and_then(|_| snapshot.id(LITERAL_FORM.into()));
        for (label, form) in predicate.into_iter().flat_map(|predicate| pairs(snapshot, predicate)) {
            steps.take()?;
            forms.held.grow(steps.budget(), Self::BYTES)?;
            forms.of.entry(label).or_default().push(form);
        }
        Ok(forms)
    }

    fn of_label(&self, label: TermId) -> impl Iterator<Item = TermId> + '_ {
        self.of.get(&label).into_iter().flatten().copied()
    }
}

fn by_frequency(list: &mut [(TermId, u64)]) {
    list.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
}

/// The matching statements of all graphs: those of the default graph, then those of the named graphs.
fn everywhere(snapshot: &Snapshot, pattern: Bound) -> impl Iterator<Item = (Index<'_>, Range<usize>)> {
    [snapshot.matching_triples(pattern), snapshot.matching_quads(pattern)].into_iter()
}

/// Subject and object of every statement with this property, in any graph.
pub(super) fn pairs(snapshot: &Snapshot, predicate: TermId) -> impl Iterator<Item = (TermId, TermId)> + '_ {
    everywhere(snapshot, [None, Some(predicate), None])
        .flat_map(|(index, rows)| index.blocks(1, rows.clone()).zip(index.blocks(2, rows)))
}

/// Object and subject of every statement with this property, in any graph; in each, equal objects are next to each other.
pub(super) fn pairs_by_object(snapshot: &Snapshot, predicate: TermId) -> impl Iterator<Item = (TermId, TermId)> + '_ {
    let indexes = [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)];
    indexes.into_iter().flat_map(move |index| {
        let rows = index.range(&[predicate]);
        index.blocks(1, rows.clone()).zip(index.blocks(2, rows))
    })
}

/// The subjects of all statements with this property and object.
pub(super) fn objects_backward(
    snapshot: &Snapshot,
    predicate: TermId,
    object: TermId,
) -> impl Iterator<Item = TermId> + '_ {
    let found = everywhere(snapshot, [None, Some(predicate), Some(object)]);
    found.flat_map(|(index, rows)| index.blocks(2, rows))
}

/// The classes of a term.
pub fn classes_of(snapshot: &Snapshot, term: TermId) -> Vec<TermId> {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return Vec::new() };
    let found = everywhere(snapshot, [Some(term), Some(rdf_type), None]);
    found.flat_map(|(index, rows)| index.blocks(2, rows)).collect()
}

/// The properties of the graph that give things names, with their ranks.
pub(super) fn naming(snapshot: &Snapshot) -> impl Iterator<Item = (TermId, u8)> + '_ {
    NAMING.iter().filter_map(|(iri, rank)| Some((snapshot.id((*iri).into())?, *rank)))
}

/// The properties that name a thing by a label that is itself a thing, with their ranks.
pub(super) fn naming_by_things(snapshot: &Snapshot) -> impl Iterator<Item = (TermId, u8)> + '_ {
    NAMING_BY_THINGS.iter().filter_map(|(iri, rank)| Some((snapshot.id((*iri).into())?, *rank)))
}

/// The objects of a term's statements with this property.
pub(super) fn values(snapshot: &Snapshot, term: TermId, predicate: TermId) -> Vec<TermId> {
    let found = everywhere(snapshot, [Some(term), Some(predicate), None]);
    found.flat_map(|(index, rows)| index.blocks(2, rows)).collect()
}

/// Returns the labels of a term, the best first, and English before other languages within a property.
pub fn labels_of(snapshot: &Snapshot, term: TermId) -> Vec<String> {
    let mut found: Vec<(u8, TermId)> = Vec::new();
    for (predicate, rank) in naming(snapshot) {
        found.extend(values(snapshot, term, predicate).into_iter().map(|label| (rank, label)));
    }
    if let Some(form) = snapshot.id(LITERAL_FORM.into()) {
        for (predicate, rank) in naming_by_things(snapshot) {
            let labels = values(snapshot, term, predicate).into_iter();
            found.extend(labels.flat_map(|label| values(snapshot, label, form)).map(|label| (rank, label)));
        }
    }
    let mut labels: Vec<(u8, bool, String)> = Vec::new();
    for (rank, label) in found {
        if let Term::Literal(label) = snapshot.term(label) {
            labels.push((rank, label.language() != Some("en"), label.value().to_owned()));
        }
    }
    labels.sort();
    let mut names: Vec<String> = Vec::new();
    for (_, _, label) in labels {
        if !names.contains(&label) {
            names.push(label);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{Literal, NamedNode, Quad};

    fn snapshot() -> Snapshot {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e/{name}"));
        let label = |thing: &str, label: Literal| {
            Quad::new(node(thing), rdfs::LABEL.into_owned(), label, kgq_syntax::rdf::GraphName::DefaultGraph)
        };
        let fact =
            |s: &str, p: NamedNode, o: NamedNode| Quad::new(node(s), p, o, kgq_syntax::rdf::GraphName::DefaultGraph);
        let english = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "en");
        Snapshot::from_quads([
            label("miit", english("Ministry of Industry and Information Technology")),
            label("miit", Literal::new_language_tagged_literal_unchecked("工业和信息化部", "zh")),
            label("mof", english("Ministry of Finance")),
            fact("miit", rdf::TYPE.into_owned(), node("Ministry")),
            fact("mof", rdf::TYPE.into_owned(), node("Ministry")),
            fact("miit", node("leadsSector"), node("telecoms")),
        ])
        .unwrap()
    }

    #[test]
    fn terms_are_found_by_labels_in_any_language_and_without_one_by_their_local_name() {
        let snapshot = snapshot();
        let index = TermIndex::build(&snapshot, &Budget::default()).unwrap();
        let found = |typed: &str| -> Vec<String> {
            index.search(typed, 9, |_| true).terms.into_iter().map(|id| snapshot.term(id).to_string()).collect()
        };
        assert_eq!(found("industry min"), ["<http://e/miit>"]);
        assert_eq!(found("工信"), ["<http://e/miit>"]);
        assert_eq!(found("sector"), ["<http://e/leadsSector>"]);
    }

    #[test]
    fn labels_of_skosxl_name_terms_too() {
        let named = |name: &str| NamedNode::new_unchecked(format!("http://www.w3.org/2008/05/skos-xl#{name}"));
        let thing = NamedNode::new_unchecked("http://e/x1");
        let label = kgq_syntax::rdf::BlankNode::default();
        let graph = kgq_syntax::rdf::GraphName::DefaultGraph;
        let form = Literal::new_language_tagged_literal_unchecked("Ministry of Commerce", "en");
        let snapshot = Snapshot::from_quads([
            Quad::new(thing.clone(), named("prefLabel"), label.clone(), graph.clone()),
            Quad::new(label, named("literalForm"), form, graph),
        ])
        .unwrap();
        let term = snapshot.id((&thing).into()).unwrap();
        let index = TermIndex::build(&snapshot, &Budget::default()).unwrap();
        assert_eq!(index.search("commer", 9, |_| true).terms, [term]);
        assert_eq!(labels_of(&snapshot, term), ["Ministry of Commerce"]);
    }

    #[test]
    fn classes_count_their_members_and_know_their_properties() {
        let snapshot = snapshot();
        let index = TermIndex::build(&snapshot, &Budget::default()).unwrap();
        let (class, members) = index.classes()[0];
        assert_eq!((snapshot.term(class).to_string(), members), ("<http://e/Ministry>".into(), 2));
        let properties: Vec<_> =
            index.properties_of(class).iter().map(|(p, n)| (snapshot.term(*p).to_string(), *n)).collect();
        assert!(properties.contains(&("<http://e/leadsSector>".into(), 1)), "{properties:?}");
        assert_eq!(properties.iter().filter(|(_, n)| *n == 2).count(), 2);
    }

    #[test]
    fn an_index_counts_what_it_holds_and_is_not_made_beyond_a_limit() {
        use kgq_syntax::budget::{Exceeded, Limits, Work};
        let node = |n: usize| NamedNode::new_unchecked(format!("http://e/{n}"));
        let label = |n: usize| Literal::from(format!("the name of number {n}"));
        let graph = kgq_syntax::rdf::GraphName::DefaultGraph;
        let named = |n| Quad::new(node(n), rdfs::LABEL.into_owned(), label(n), graph.clone());
        let snapshot = Snapshot::from_quads((0..5_000).map(named)).unwrap();
        let budget = |memory| Budget::new(Limits { memory: Some(memory), ..Limits::default() });
        let enough = budget(16 << 20);
        let index = TermIndex::build(&snapshot, &enough).unwrap();
        // The names alone have 24 letters.
        assert!(enough.held() > 5_000 * 24 && enough.peak() > enough.held(), "{} {}", enough.held(), enough.peak());
        drop(index);
        assert_eq!(enough.held(), 0);
        let small = budget(100_000);
        let error = TermIndex::build(&snapshot, &small).unwrap_err();
        assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Query)));
        assert!(small.held() == 0 && small.peak() <= 100_000);
        enough.cancel();
        assert!(TermIndex::build(&snapshot, &enough).is_err());
    }
}
