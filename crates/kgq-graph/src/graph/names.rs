//! Things by the names that people give them.

use super::Graph;
use crate::catalog::ParameterContext;
use kgq_snapshot::{Permutation, Snapshot};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Term};
use kgq_syntax::text::{Nearest, did_you_mean};
use std::collections::BTreeSet;

impl Graph {
    /// Returns the terms that parameter values are checked against.
    pub fn known(&self) -> Result<KnownTerms<'_>> {
        Ok(KnownTerms { snapshot: self.snapshot()?, prefixes: self.prefixes()?, budget: self.loading_budget() })
    }

    /// The thing that the user means by a CURIE, an IRI or a label in any language.
    pub fn resolve(&self, word: &str) -> Result<NamedNode> {
        let known = self.known()?;
        let node = crate::catalog::parse_term(word, &known);
        self.intact()?;
        let node = node?;
        if known.contains(&node) {
            return Ok(node);
        }
        let snapshot = known.snapshot;
        let index = snapshot.triples(Permutation::Spo);
        let subjects = index.keys().filter_map(|(subject, _)| match snapshot.term(subject) {
            Term::NamedNode(node) => Some(node),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        });
        let error = says_nothing_of(&node, subjects, known.prefixes);
        snapshot.intact()?;
        Err(error)
    }
}

/// The error that a graph says nothing about a thing, with the most similar of those that it says something about.
pub fn says_nothing_of(thing: &NamedNode, subjects: impl Iterator<Item = NamedNode>, prefixes: &Prefixes) -> Error {
    let shown = prefixes.display(thing.as_str());
    let mut near = Nearest::new(&shown, 3);
    subjects.for_each(|subject| near.add(&prefixes.display(subject.as_str())));
    let near = near.into_names();
    Error::new(Kind::Input, format!("the graph says nothing of {shown}"))
        .hint_if(did_you_mean(&shown, near.iter().map(String::as_str)))
}

/// The dataset's terms, for reading what a user typed.
pub struct KnownTerms<'a> {
    snapshot: &'a Snapshot,
    prefixes: &'a Prefixes,
    budget: Budget,
}

impl ParameterContext for KnownTerms<'_> {
    fn prefixes(&self) -> &Prefixes {
        self.prefixes
    }

    fn snapshot(&self) -> &Snapshot {
        self.snapshot
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn contains(&self, term: &NamedNode) -> bool {
        let Some(id) = self.snapshot.id(term.as_ref().into()) else { return false };
        let places = [[Some(id), None, None], [None, Some(id), None], [None, None, Some(id)]];
        places.into_iter().any(|place| {
            !self.snapshot.matching_triples(place).1.is_empty() || !self.snapshot.matching_quads(place).1.is_empty()
        })
    }

    fn members(&self, class: &NamedNode) -> Vec<NamedNode> {
        let subjects = |property: NamedNodeRef<'_>, object: &NamedNode| -> Vec<NamedNode> {
            let found = self.snapshot.find(None, Some(property.into()), Some(object.as_ref().into()));
            found
                .filter_map(|quad| match quad.subject {
                    NamedOrBlankNode::NamedNode(node) => Some(node),
                    NamedOrBlankNode::BlankNode(_) => None,
                })
                .collect()
        };
        let (mut classes, mut members) = (BTreeSet::from([class.as_str().to_owned()]), BTreeSet::new());
        let mut open = vec![class.clone()];
        while let Some(class) = open.pop() {
            members.extend(subjects(rdf::TYPE, &class).into_iter().map(NamedNode::into_string));
            for below in subjects(rdfs::SUB_CLASS_OF, &class) {
                if classes.insert(below.as_str().to_owned()) {
                    open.push(below);
                }
            }
        }
        members.into_iter().map(NamedNode::new_unchecked).collect()
    }
}
