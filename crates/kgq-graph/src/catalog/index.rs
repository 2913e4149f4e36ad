//! An index of terms for searching while typing: names in any language, classes and properties with their counts.
//!
//! It holds ids and folded names; everything shown about a term is read from the snapshot.

use super::labels::{LITERAL_FORM, NAMING, NAMING_BY_THINGS, local_name};
use super::names::{Found, NameIndex, Names};
use kgq_snapshot::{Bound, Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
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
}

const CLASS_TYPES: &[&str] = &["http://www.w3.org/2000/01/rdf-schema#Class", "http://www.w3.org/2002/07/owl#Class"];
const PROPERTY_TYPES: &[&str] = &[
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property",
    "http://www.w3.org/2002/07/owl#ObjectProperty",
    "http://www.w3.org/2002/07/owl#DatatypeProperty",
    "http://www.w3.org/2002/07/owl#AnnotationProperty",
];

impl TermIndex {
    pub fn build(snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        index.count(snapshot);
        index.name(snapshot);
        index
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

    fn count(&mut self, snapshot: &Snapshot) {
        let id = |iri: NamedNodeRef<'_>| snapshot.id(iri.into());
        let mut properties: FxHashMap<TermId, u64> = FxHashMap::default();
        for statistics in [snapshot.statistics(), snapshot.quad_statistics()] {
            for p in &statistics.predicates {
                *properties.entry(p.predicate).or_default() += p.rows;
            }
        }
        let mut classes: FxHashMap<TermId, u64> = FxHashMap::default();
        let mut of_class: FxHashMap<(TermId, TermId), u64> = FxHashMap::default();
        if let Some(rdf_type) = id(rdf::TYPE) {
            let (mut types, mut predicates) = (Vec::new(), Vec::new());
            for (index, orders) in [(snapshot.triples(Permutation::Spo), 3), (snapshot.quads(QuadPermutation::Spog), 4)]
            {
                debug_assert_eq!(index.width(), orders);
                let [mut ps, mut os] = [1, 2].map(|depth| index.blocks(depth, 0..index.len()));
                for (_, rows) in index.keys() {
                    types.clear();
                    predicates.clear();
                    for (p, o) in ps.by_ref().zip(os.by_ref()).take(rows.len()) {
                        if p == rdf_type && types.last() != Some(&o) {
                            types.push(o);
                        }
                        if predicates.last() != Some(&p) {
                            predicates.push(p);
                        }
                    }
                    for class in &types {
                        *classes.entry(*class).or_default() += 1;
                        for predicate in &predicates {
                            *of_class.entry((*class, *predicate)).or_default() += 1;
                        }
                    }
                }
            }
            for (iris, declared) in [(CLASS_TYPES, &mut classes), (PROPERTY_TYPES, &mut properties)] {
                for iri in iris {
                    let Some(kind) = id(NamedNodeRef::new_unchecked(iri)) else { continue };
                    for member in objects_backward(snapshot, rdf_type, kind) {
                        declared.entry(member).or_default();
                    }
                }
            }
        }
        if let Some(sub_class) = id(rdfs::SUB_CLASS_OF) {
            for (s, o) in pairs(snapshot, sub_class) {
                classes.entry(s).or_default();
                classes.entry(o).or_default();
            }
        }
        let iri = |id: &TermId| snapshot.kind(*id) == TermKind::Iri;
        classes.retain(|class, _| iri(class));
        for ((class, predicate), n) in of_class {
            self.of_class.entry(class).or_default().push((predicate, n));
        }
        self.of_class.values_mut().for_each(|list| by_frequency(list));
        properties.retain(|p, _| iri(p));
        self.roles.extend(properties.keys().map(|p| (*p, Role::Property)));
        self.roles.extend(classes.keys().map(|c| (*c, Role::Class)));
        self.classes = classes.into_iter().collect();
        self.properties = properties.into_iter().collect();
        by_frequency(&mut self.classes);
        by_frequency(&mut self.properties);
    }

    fn name(&mut self, snapshot: &Snapshot) {
        let mut text = Vec::new();
        let mut named: FxHashSet<TermId> = FxHashSet::default();
        let mut names = Names::default();
        let schema = |term: TermId| self.roles.contains_key(&term);
        let forms = forms(snapshot);
        let direct = naming(snapshot).flat_map(|(predicate, _)| pairs(snapshot, predicate));
        let by_things = naming_by_things(snapshot).flat_map(|(predicate, _)| pairs(snapshot, predicate));
        let by_forms = by_things
            .flat_map(|(thing, label)| forms.get(&label).into_iter().flatten().map(move |form| (thing, *form)));
        for (thing, label) in direct.chain(by_forms) {
            if snapshot.kind(thing) == TermKind::Iri && snapshot.kind(label) == TermKind::Literal {
                snapshot.text(label, &mut text);
                names.add(&String::from_utf8_lossy(&text), thing, schema(thing));
                named.insert(thing);
            }
        }
        let terms = self.classes.iter().chain(&self.properties).map(|(id, _)| *id);
        let mut bare: Vec<TermId> = terms.collect();
        for index in [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)] {
            bare.extend(index.keys().map(|(s, _)| s).filter(|s| !named.contains(s)));
        }
        bare.sort_unstable();
        bare.dedup();
        for term in bare.into_iter().filter(|t| snapshot.kind(*t) == TermKind::Iri) {
            if snapshot.text(term, &mut text) {
                let iri = String::from_utf8_lossy(&text);
                names.add(local_name(&iri), term, schema(term));
            }
        }
        self.names = names.index();
    }

    /// Returns the terms whose name matches what was typed so far, the best first.
    pub fn search(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Found {
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

fn by_frequency(list: &mut [(TermId, u64)]) {
    list.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
}

/// The matching statements of all graphs: those of the default graph, then those of the named graphs.
fn everywhere(snapshot: &Snapshot, pattern: Bound) -> impl Iterator<Item = (Index<'_>, Range<usize>)> {
    [snapshot.matching_triples(pattern), snapshot.matching_quads(pattern)].into_iter()
}

/// Subject and object of every statement with this property, in any graph.
fn pairs(snapshot: &Snapshot, predicate: TermId) -> impl Iterator<Item = (TermId, TermId)> + '_ {
    everywhere(snapshot, [None, Some(predicate), None])
        .flat_map(|(index, rows)| index.blocks(1, rows.clone()).zip(index.blocks(2, rows)))
}

/// The subjects of all statements with this property and object.
fn objects_backward(snapshot: &Snapshot, predicate: TermId, object: TermId) -> Vec<TermId> {
    let found = everywhere(snapshot, [None, Some(predicate), Some(object)]);
    found.flat_map(|(index, rows)| index.blocks(2, rows)).collect()
}

/// The classes of a term.
pub fn classes_of(snapshot: &Snapshot, term: TermId) -> Vec<TermId> {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return Vec::new() };
    let found = everywhere(snapshot, [Some(term), Some(rdf_type), None]);
    found.flat_map(|(index, rows)| index.blocks(2, rows)).collect()
}

/// The properties of the graph that give things names, with their ranks.
fn naming(snapshot: &Snapshot) -> impl Iterator<Item = (TermId, u8)> + '_ {
    NAMING.iter().filter_map(|(iri, rank)| Some((snapshot.id((*iri).into())?, *rank)))
}

/// The properties that name a thing by a label that is itself a thing, with their ranks.
fn naming_by_things(snapshot: &Snapshot) -> impl Iterator<Item = (TermId, u8)> + '_ {
    NAMING_BY_THINGS.iter().filter_map(|(iri, rank)| Some((snapshot.id((*iri).into())?, *rank)))
}

/// The texts of the labels that are things; empty if nothing is named by one.
fn forms(snapshot: &Snapshot) -> FxHashMap<TermId, Vec<TermId>> {
    let mut forms: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    if naming_by_things(snapshot).next().is_some()
        && let Some(predicate) = snapshot.id(LITERAL_FORM.into())
    {
        pairs(snapshot, predicate).for_each(|(label, form)| forms.entry(label).or_default().push(form));
    }
    forms
}

/// The objects of a term's statements with this property.
fn values(snapshot: &Snapshot, term: TermId, predicate: TermId) -> Vec<TermId> {
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
        let index = TermIndex::build(&snapshot);
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
        assert_eq!(TermIndex::build(&snapshot).search("commer", 9, |_| true).terms, [term]);
        assert_eq!(labels_of(&snapshot, term), ["Ministry of Commerce"]);
    }

    #[test]
    fn classes_count_their_members_and_know_their_properties() {
        let snapshot = snapshot();
        let index = TermIndex::build(&snapshot);
        let (class, members) = index.classes()[0];
        assert_eq!((snapshot.term(class).to_string(), members), ("<http://e/Ministry>".into(), 2));
        let properties: Vec<_> =
            index.properties_of(class).iter().map(|(p, n)| (snapshot.term(*p).to_string(), *n)).collect();
        assert!(properties.contains(&("<http://e/leadsSector>".into(), 1)), "{properties:?}");
        assert_eq!(properties.iter().filter(|(_, n)| *n == 2).count(), 2);
    }
}
