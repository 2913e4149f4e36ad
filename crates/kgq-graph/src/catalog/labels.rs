//! Labels: the names of things in every language, and the things that a label can mean.

use kgq_snapshot::{Ids, Snapshot};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, Term};
use kgq_syntax::text::nearest;
use rustc_hash::FxHashMap;
use std::borrow::Borrow;

/// The labels of a dataset's things.
#[derive(Debug, Default)]
pub struct Labels {
    by_thing: FxHashMap<NamedNode, Vec<Label>>,
    /// Folded label to the things that have it, in order of first appearance.
    by_text: FxHashMap<String, Vec<NamedNode>>,
    held: Reservation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    rank: u8,
    literal: Literal,
}

/// About what a label takes in both maps beside its texts, in bytes.
const ENTRY: u64 = 240;

/// The number of names suggested for a word that names nothing.
const NEAR: usize = 3;

/// What a word typed by the user refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    One(NamedNode),
    /// Several things have this label.
    Several(Vec<NamedNode>),
    /// Nothing has this label; these are similar or contain the word, as the user would type them.
    Unknown(Vec<String>),
}

/// The properties that name a thing, with their ranks, the best first. kgq uses this order wherever it names a thing;
/// within a property, [`Labels::get`] chooses by language.
pub(crate) const NAMING: &[(NamedNodeRef<'static>, u8)] = &[
    (skos::PREF_LABEL, 0),
    (rdfs::LABEL, 1),
    (NamedNodeRef::new_unchecked("https://schema.org/name"), 2),
    (NamedNodeRef::new_unchecked("http://schema.org/name"), 2),
    (NamedNodeRef::new_unchecked("http://xmlns.com/foaf/0.1/name"), 3),
    (NamedNodeRef::new_unchecked("http://purl.org/dc/terms/title"), 4),
    (NamedNodeRef::new_unchecked("http://purl.org/dc/elements/1.1/title"), 4),
    (skos::ALT_LABEL, 5),
];

/// SKOS-XL's properties, which name a thing by a label that is itself a thing. Each has the rank of the SKOS property
/// that follows from it.
pub(super) const NAMING_BY_THINGS: &[(NamedNodeRef<'static>, u8)] = &[
    (NamedNodeRef::new_unchecked("http://www.w3.org/2008/05/skos-xl#prefLabel"), 0),
    (NamedNodeRef::new_unchecked("http://www.w3.org/2008/05/skos-xl#altLabel"), 5),
];

/// The property with the text of a label that is a thing.
pub(super) const LITERAL_FORM: NamedNodeRef<'static> =
    NamedNodeRef::new_unchecked("http://www.w3.org/2008/05/skos-xl#literalForm");

/// Returns the properties of the statements that [`Labels::of`] reads.
pub fn naming() -> impl Iterator<Item = NamedNodeRef<'static>> {
    NAMING.iter().chain(NAMING_BY_THINGS).map(|(property, _)| *property).chain([LITERAL_FORM])
}

/// Returns the label that a statement gives its subject, if that label is itself a thing.
pub(crate) fn label_that_is_a_thing(quad: &Quad) -> Option<NamedOrBlankNode> {
    rank_by_thing(quad.predicate.as_str())?;
    match &quad.object {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn rank_by_thing(predicate: &str) -> Option<u8> {
    NAMING_BY_THINGS.iter().find(|(property, _)| property.as_str() == predicate).map(|(_, rank)| *rank)
}

/// Returns the rank of a property's values as names, 0 being best; `None` if it is not a naming property.
pub fn rank(predicate: &str) -> Option<u8> {
    NAMING.iter().find(|(property, _)| property.as_str() == predicate).map(|(_, rank)| *rank)
}

/// What the user means by an IRI in brackets, or by an absolute IRI or a CURIE of the dataset: no label is needed to know it. `None` for
/// any other word.
pub fn named_by_iri(word: &str, prefixes: &Prefixes, exists: impl Fn(&NamedNode) -> bool) -> Option<Named> {
    let word = word.trim();
    if let Some(iri) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        return Some(NamedNode::new(iri).map_or(Named::Unknown(Vec::new()), Named::One));
    }
    let node = prefixes.expand(word).filter(&exists).or_else(|| NamedNode::new(word).ok().filter(&exists));
    node.map(Named::One)
}

impl Labels {
    /// The labels of a snapshot's things; of those that are as good as each other, the one that stands first in the files is first.
    ///
    /// # Errors
    /// The budget's.
    pub fn in_order(snapshot: &Snapshot, budget: &Budget) -> Result<Self> {
        let properties = naming().filter_map(|property| snapshot.id(property.into()));
        let mut statements: Vec<Ids> =
            properties.flat_map(|property| snapshot.find_ids([None, Some(property), None])).collect();
        snapshot.sort_by_origin(&mut statements);
        Self::of(statements.into_iter().filter_map(|statement| snapshot.statement(statement)), budget)
    }

    /// The labels that are among these statements. What they hold stays reserved as long as there are the labels.
    ///
    /// # Errors
    /// The budget's.
    pub fn of<Q: Borrow<Quad>>(quads: impl IntoIterator<Item = Q>, budget: &Budget) -> Result<Self> {
        let (mut labels, steps) = (Self::default(), Steps::new(budget));
        let mut by_things: Vec<(NamedNode, u8, NamedOrBlankNode)> = Vec::new();
        let mut forms: FxHashMap<NamedOrBlankNode, Vec<Literal>> = FxHashMap::default();
        for quad in quads {
            steps.take()?;
            let quad = quad.borrow();
            if let (LITERAL_FORM, Term::Literal(form)) = (quad.predicate.as_ref(), &quad.object) {
                forms.entry(quad.subject.clone()).or_default().push(form.clone());
            }
            let NamedOrBlankNode::NamedNode(thing) = &quad.subject else { continue };
            if let (Some(rank), Term::Literal(literal)) = (rank(quad.predicate.as_str()), &quad.object) {
                labels.add(thing, rank, literal, budget)?;
            }
            if let (Some(rank), Some(label)) = (rank_by_thing(quad.predicate.as_str()), label_that_is_a_thing(quad)) {
                by_things.push((thing.clone(), rank, label));
            }
        }
        for (thing, rank, label) in by_things {
            for form in forms.get(&label).into_iter().flatten() {
                labels.add(&thing, rank, form, budget)?;
            }
        }
        Ok(labels)
    }

    fn add(&mut self, thing: &NamedNode, rank: u8, literal: &Literal, budget: &Budget) -> Result<()> {
        let of_thing = self.by_thing.entry(thing.clone()).or_default();
        let label = Label { rank, literal: literal.clone() };
        if !of_thing.contains(&label) {
            // The label's text is held as it is and folded, the thing's IRI on both sides.
            let texts = 2 * (literal.value().len() + thing.as_str().len());
            self.held.grow(budget, texts as u64 + ENTRY)?;
            of_thing.push(label);
        }
        let things = self.by_text.entry(fold(literal.value())).or_default();
        if !things.contains(thing) {
            things.push(thing.clone());
        }
        Ok(())
    }

    /// Returns the thing's best label: in the language if there is one, else without a language, else in English, else
    /// any.
    pub fn get(&self, thing: &NamedNode, language: &str) -> Option<&str> {
        let wanted = |literal: &Literal| match literal.language() {
            Some(tag) if tag.eq_ignore_ascii_case(language) => 0,
            Some(tag) if primary(tag) == primary(language) => 1,
            None => 2,
            Some(tag) if primary(tag) == "en" => 3,
            Some(_) => 4,
        };
        let labels = self.by_thing.get(thing)?;
        labels.iter().min_by_key(|l| (wanted(&l.literal), l.rank)).map(|l| l.literal.value())
    }

    /// Returns all labels of a thing, those of the best property first.
    pub fn all(&self, thing: &NamedNode) -> Vec<&Literal> {
        let mut labels: Vec<&Label> = self.by_thing.get(thing).into_iter().flatten().collect();
        labels.sort_by_key(|l| l.rank);
        labels.into_iter().map(|l| &l.literal).collect()
    }

    /// Iterates over all labels with the things that have them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NamedNode)> {
        self.by_thing.iter().flat_map(|(thing, labels)| labels.iter().map(move |l| (l.literal.value(), thing)))
    }

    /// Finds what the user means by an IRI in brackets, an absolute IRI, a CURIE, a label in any language, or the local
    /// name of a thing. `exists` says whether the dataset holds a term.
    pub fn resolve(&self, word: &str, prefixes: &Prefixes, exists: impl Fn(&NamedNode) -> bool) -> Named {
        if let Some(named) = named_by_iri(word, prefixes, exists) {
            return named;
        }
        let word = word.trim();
        if let Some(things) = self.by_text.get(&fold(word)) {
            return match things.as_slice() {
                [one] => Named::One(one.clone()),
                several => {
                    let mut several = several.to_vec();
                    several.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
                    Named::Several(several)
                }
            };
        }
        let mut local: Vec<NamedNode> =
            self.by_thing.keys().filter(|thing| local_name(thing.as_str()) == word).cloned().collect();
        local.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        match local.as_slice() {
            [] => Named::Unknown(self.near(word, prefixes)),
            [one] => Named::One(one.clone()),
            _ => Named::Several(local),
        }
    }

    fn near(&self, word: &str, prefixes: &Prefixes) -> Vec<String> {
        // Identifiers are written with other marks than their IRIs have: `RO:0002202` for `obo:RO_0002202`.
        let letters = letters(word);
        let is_it = |thing: &&NamedNode| !letters.is_empty() && self::letters(local_name(thing.as_str())) == letters;
        let mut same: Vec<String> =
            self.by_thing.keys().filter(is_it).map(|thing| prefixes.display(thing.as_str())).collect();
        if !same.is_empty() {
            same.sort_unstable();
            same.truncate(NEAR);
            return same;
        }
        let mut known: Vec<String> =
            self.by_thing.keys().filter_map(|thing| prefixes.shorten(thing.as_str())).collect();
        known.extend(self.by_thing.values().flatten().map(|l| l.literal.value().to_owned()));
        known.sort_unstable();
        known.dedup();
        let near = nearest(word, known.iter().map(String::as_str), NEAR);
        if !near.is_empty() {
            return near.into_iter().map(str::to_owned).collect();
        }
        // A user who knows only a part of a name has misspelt nothing.
        let part = fold(word);
        known.retain(|name| !part.is_empty() && fold(name).contains(&part));
        known.sort_by_key(|name| name.chars().count());
        known.truncate(NEAR);
        known
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A name without its marks and case.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn primary(tag: &str) -> String {
    tag.split('-').next().unwrap_or(tag).to_ascii_lowercase()
}

/// The part of an IRI after its last `#` or `/`.
pub fn local_name(iri: &str) -> &str {
    iri.rsplit(['#', '/']).next().unwrap_or(iri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::budget::{Exceeded, Limits, Work};
    use kgq_syntax::rdf::GraphName;

    #[test]
    fn labels_count_what_they_hold_and_are_not_read_beyond_a_limit() {
        let named = |n: usize| {
            let (thing, label) = (NamedNode::new_unchecked(format!("http://e/{n}")), format!("number {n}"));
            Quad::new(thing, rdfs::LABEL.into_owned(), Literal::from(label), GraphName::DefaultGraph)
        };
        let read = |budget: &Budget| Labels::of((0..1_000).map(named), budget);
        let budget = |memory| Budget::new(Limits { memory: Some(memory), ..Limits::default() });
        let (enough, small) = (budget(1 << 20), budget(100_000));
        let labels = read(&enough).unwrap();
        assert_eq!(labels.get(&NamedNode::new_unchecked("http://e/7"), "en"), Some("number 7"));
        assert!(enough.held() > 1_000 * 2 * "http://e/7number 7".len() as u64);
        drop(labels);
        assert_eq!(enough.held(), 0);
        let error = read(&small).unwrap_err();
        assert_eq!((error.limit_passed(), small.held()), (Some(Exceeded::Memory(Work::Query)), 0));
        enough.cancel();
        assert!(Labels::of((0..10_000).map(named), &enough).is_err());
    }
}
