//! Labels: the names of things in every language.

use kgq_snapshot::{Ids, Snapshot, TermId};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term};
use rustc_hash::FxHashMap;
use std::borrow::Borrow;

/// The labels of a dataset's things.
#[derive(Debug, Default)]
pub struct Labels {
    by_thing: FxHashMap<NamedNode, Vec<Label>>,
    held: Reservation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    rank: u8,
    literal: Literal,
}

/// About what a label takes in the map beside its texts, in bytes.
const ENTRY: u64 = 120;

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
fn label_that_is_a_thing(quad: &Quad) -> Option<NamedOrBlankNode> {
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

    /// The labels of these things. Of what the snapshot says of them, it reads only what names them.
    ///
    /// # Errors
    /// The budget's.
    pub fn of_things<'t>(
        things: impl IntoIterator<Item = &'t NamedNode>,
        snapshot: &Snapshot,
        budget: &Budget,
    ) -> Result<Self> {
        let properties: Vec<TermId> = naming().filter_map(|property| snapshot.id(property.into())).collect();
        let of = |thing: TermId| {
            let found =
                properties.iter().flat_map(move |property| snapshot.find_ids([Some(thing), Some(*property), None]));
            found.filter_map(|ids| Some((ids, snapshot.statement(ids)?)))
        };
        let mut ids: Vec<TermId> = things.into_iter().filter_map(|thing| snapshot.id(thing.into())).collect();
        let labels = ids.iter().flat_map(|thing| of(*thing)).filter(|(_, quad)| label_that_is_a_thing(quad).is_some());
        let labels: Vec<TermId> = labels.map(|([_, _, label, _], _)| label).collect();
        ids.extend(labels);
        Self::of(ids.into_iter().flat_map(of).map(|(_, quad)| quad), budget)
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
            let texts = literal.value().len() + thing.as_str().len();
            self.held.grow(budget, texts as u64 + ENTRY)?;
            of_thing.push(label);
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
        assert!(enough.held() > 1_000 * "http://e/7number 7".len() as u64);
        drop(labels);
        assert_eq!(enough.held(), 0);
        let error = read(&small).unwrap_err();
        assert_eq!((error.limit_passed(), small.held()), (Some(Exceeded::Memory(Work::Query)), 0));
        enough.cancel();
        assert!(Labels::of((0..10_000).map(named), &enough).is_err());
    }
}
