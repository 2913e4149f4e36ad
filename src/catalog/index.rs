//! An index of terms for whoever types: by name in any language, classes and properties with their counts.
//!
//! It holds ids and folded names; what is shown of a term is read from the snapshot.

use super::labels::{local_name, rank};
use crate::rdf::vocabulary::{rdf, rdfs};
use crate::rdf::{NamedNodeRef, Term};
use crate::snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// What a term is in the graph, as far as the index tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Class,
    Property,
    Thing,
}

/// Terms by name, classes and properties by frequency.
#[derive(Debug, Default)]
pub struct TermIndex {
    /// Folded names, a line each.
    names: String,
    /// Where each name starts, and whose it is.
    owners: Vec<(u32, TermId)>,
    /// Where words start in `names`, in the order of what stands there.
    words: Vec<u32>,
    classes: Vec<(TermId, u64)>,
    properties: Vec<(TermId, u64)>,
    of_class: FxHashMap<TermId, Vec<(TermId, u64)>>,
    roles: FxHashMap<TermId, Role>,
}

/// How many places a search looks at: enough to be thorough, few enough to be done while a key is pressed.
const MOST_CANDIDATES: usize = 40_000;
/// How much of a name orders words: further equal names are told apart when they are read.
const KEY: usize = 32;

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

    /// Classes with the number of their members, the largest first; declared ones without members last.
    pub fn classes(&self) -> &[(TermId, u64)] {
        &self.classes
    }

    /// Properties with the number of their statements, the most used first; declared ones without any last.
    pub fn properties(&self) -> &[(TermId, u64)] {
        &self.properties
    }

    /// The properties of a class's members, with how many of them have it, the most frequent first.
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
                for (_, rows) in index.keys() {
                    types.clear();
                    predicates.clear();
                    let (ps, os) = (index.column(1, rows.clone()), index.column(2, rows.clone()));
                    for (p, o) in ps.iter().zip(os) {
                        if *p == rdf_type && types.last() != Some(o) {
                            types.push(*o);
                        }
                        if predicates.last() != Some(p) {
                            predicates.push(*p);
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
        let naming: Vec<TermId> = self
            .properties
            .iter()
            .filter(|(p, _)| {
                snapshot.text(*p, &mut text) && std::str::from_utf8(&text).is_ok_and(|t| rank(t).is_some())
            })
            .map(|(p, _)| *p)
            .collect();
        for predicate in naming {
            for (thing, label) in pairs(snapshot, predicate) {
                if snapshot.kind(thing) == TermKind::Iri && snapshot.kind(label) == TermKind::Literal {
                    snapshot.text(label, &mut text);
                    self.add(&String::from_utf8_lossy(&text), thing);
                    named.insert(thing);
                }
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
                let iri = String::from_utf8_lossy(&text).into_owned();
                self.add(local_name(&iri), term);
            }
        }
        let bytes = self.names.as_bytes();
        let key = |at: &u32| &bytes[*at as usize..bytes.len().min(*at as usize + KEY)];
        self.words.sort_unstable_by(|a, b| key(a).cmp(key(b)).then(a.cmp(b)));
    }

    fn add(&mut self, name: &str, owner: TermId) {
        // Positions are kept in 32 bits; names beyond them are not found, which is all that is lost.
        let Ok(start) = u32::try_from(self.names.len()) else { return };
        if u32::try_from(self.names.len() + name.len() * 3).is_err() {
            return;
        }
        self.owners.push((start, owner));
        let mut before = ' ';
        for c in name.chars() {
            let begins = is_ideograph(c)
                || c.is_alphanumeric() && (!before.is_alphanumeric() || is_ideograph(before))
                || c.is_uppercase() && before.is_lowercase();
            if begins {
                self.words.push(self.names.len() as u32);
            }
            self.names.extend(if c == '\n' { ' ' } else { c }.to_lowercase());
            before = c;
        }
        self.names.push('\n');
    }

    /// The terms whose name has all these words or their beginnings, in any order; of Chinese, the characters in this order.
    /// The best first, at most `most`.
    pub fn search(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Vec<TermId> {
        let typed = typed.to_lowercase();
        let words: Vec<&str> = typed.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        // Of each word the rarest beginning: of Chinese any character may be the one.
        let ranges = words.iter().flat_map(|word| {
            let ideographs: Vec<&str> =
                word.split_inclusive(|_| true).filter(|c| c.chars().all(is_ideograph)).collect();
            let keys = if ideographs.is_empty() { vec![*word] } else { ideographs };
            keys.into_iter().map(|key| self.starting_with(key)).collect::<Vec<_>>()
        });
        let Some(rarest) = ranges.min_by_key(|range| range.len()) else { return Vec::new() };
        let mut found: FxHashMap<TermId, (u8, usize)> = FxHashMap::default();
        for at in &self.words[rarest.start..rarest.end.min(rarest.start + MOST_CANDIDATES)] {
            let (name, owner) = self.name_at(*at);
            let Some(score) = score(name, &words, &typed) else { continue };
            let better = found.get(&owner).is_none_or(|old| score < *old);
            if better && wanted(owner) {
                found.insert(owner, score);
            }
        }
        let mut found: Vec<((u8, usize), TermId)> = found.into_iter().map(|(id, score)| (score, id)).collect();
        found.sort_unstable();
        found.into_iter().take(most).map(|(_, id)| id).collect()
    }

    /// The places whose word begins so.
    fn starting_with(&self, prefix: &str) -> std::ops::Range<usize> {
        let bytes = self.names.as_bytes();
        let prefix = &prefix.as_bytes()[..prefix.len().min(KEY)];
        let head = |at: u32| &bytes[at as usize..bytes.len().min(at as usize + prefix.len())];
        let start = self.words.partition_point(|at| head(*at) < prefix);
        let len = self.words[start..].partition_point(|at| head(*at) == prefix);
        start..start + len
    }

    /// The whole name around a place, and whose it is.
    fn name_at(&self, at: u32) -> (&str, TermId) {
        let owner = self.owners.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        let (start, id) = self.owners[owner];
        let end = self.owners.get(owner + 1).map_or(self.names.len(), |(start, _)| *start as usize);
        (self.names[start as usize..end].trim_end_matches('\n'), id)
    }
}

/// How well a name fits, less being better; `None` if a word is not in it.
fn score(name: &str, words: &[&str], typed: &str) -> Option<(u8, usize)> {
    let mut class = 0;
    for word in words {
        if starts_a_word(name, word) {
            continue;
        }
        if !word.chars().all(is_ideograph) || !in_order(name, word) {
            return None;
        }
        class = 3;
    }
    let class = if name == typed.trim() {
        0
    } else if class == 0 && name.starts_with(typed.trim()) {
        1
    } else {
        class.max(2)
    };
    Some((class, name.chars().count()))
}

fn starts_a_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let before = name[..at].chars().next_back();
        // Case is folded here, so that a word inside camelCase counts wherever it is found behind a letter: close enough.
        before.is_none_or(|c| !c.is_alphanumeric() || is_ideograph(c))
            || word.chars().next().is_some_and(is_ideograph)
            || word.len() > 2 && !name.contains(' ')
    })
}

fn in_order(name: &str, characters: &str) -> bool {
    let mut rest = name.chars();
    characters.chars().all(|c| rest.any(|n| n == c))
}

/// A character of a script that is written without spaces: a word may begin at each.
pub fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

fn by_frequency(list: &mut [(TermId, u64)]) {
    list.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
}

/// Subject and object of every statement with the property, whatever its graph.
fn pairs(snapshot: &Snapshot, predicate: TermId) -> impl Iterator<Item = (TermId, TermId)> + '_ {
    [snapshot.triples(Permutation::Pso), snapshot.quads(QuadPermutation::Psog)].into_iter().flat_map(move |index| {
        let rows = index.run(predicate);
        index.column(1, rows.clone()).iter().copied().zip(index.column(2, rows).iter().copied())
    })
}

/// The subjects of every statement with this property and object.
fn objects_backward(snapshot: &Snapshot, predicate: TermId, object: TermId) -> Vec<TermId> {
    [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)]
        .into_iter()
        .flat_map(|index| index.column(2, index.range(&[predicate, object])).iter().copied())
        .collect()
}

/// The classes of a term.
pub fn classes_of(snapshot: &Snapshot, term: TermId) -> Vec<TermId> {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return Vec::new() };
    [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)]
        .into_iter()
        .flat_map(|index| index.column(2, index.range(&[term, rdf_type])).iter().copied())
        .collect()
}

/// The labels of a term, the best first, English before other languages within a property.
pub fn labels_of(snapshot: &Snapshot, term: TermId) -> Vec<String> {
    let mut labels: Vec<(u8, bool, String)> = Vec::new();
    for index in [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)] {
        let rows = index.run(term);
        for (p, o) in index.column(1, rows.clone()).iter().zip(index.column(2, rows)) {
            let Term::NamedNode(predicate) = snapshot.term(*p) else { continue };
            let Some(rank) = rank(predicate.as_str()) else { continue };
            if let Term::Literal(label) = snapshot.term(*o) {
                labels.push((rank, label.language() != Some("en"), label.value().to_owned()));
            }
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
    use crate::rdf::{Literal, NamedNode, Quad};

    fn snapshot() -> Snapshot {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e/{name}"));
        let label = |thing: &str, label: Literal| {
            Quad::new(node(thing), rdfs::LABEL.into_owned(), label, crate::rdf::GraphName::DefaultGraph)
        };
        let fact = |s: &str, p: NamedNode, o: NamedNode| Quad::new(node(s), p, o, crate::rdf::GraphName::DefaultGraph);
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

    fn found(typed: &str) -> Vec<String> {
        let snapshot = snapshot();
        let index = TermIndex::build(&snapshot);
        index.search(typed, 9, |_| true).into_iter().map(|id| snapshot.term(id).to_string()).collect()
    }

    #[test]
    fn a_term_is_found_by_beginnings_of_words_in_any_order() {
        assert_eq!(found("industry min"), ["<http://e/miit>"]);
        assert_eq!(found("ministry of"), ["<http://e/mof>", "<http://e/miit>"]);
        assert_eq!(found("dustry"), [""; 0]);
    }

    #[test]
    fn a_term_is_found_by_chinese_characters_in_their_order() {
        assert_eq!(found("工业"), ["<http://e/miit>"]);
        assert_eq!(found("工信"), ["<http://e/miit>"]);
        assert_eq!(found("信工"), [""; 0]);
    }

    #[test]
    fn a_property_without_a_label_is_found_by_its_local_name() {
        assert_eq!(found("sector"), ["<http://e/leadsSector>"]);
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
