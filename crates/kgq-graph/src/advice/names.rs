//! The names that a misspelt one is compared with, and the one that was probably meant.

use super::AdviceRequest;
use crate::catalog::local_name;
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::near::NearNames;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};
use kgq_syntax::text::nearest;
use rustc_hash::FxHashMap;

/// The most names of one kind that a misspelt one is compared with.
const MOST_COMPARED: usize = 5_000;
/// The cost of indexing a name for similarity search, in units of looking at one name.
const INDEXING: usize = 10;
/// The most names suggested for one.
const SHOWN: usize = 3;

/// The kind of names that a misspelt one is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Among {
    Properties,
    Classes,
    Graphs,
    Things,
}

/// The names in use, read when first needed.
pub struct UsedNames<'a> {
    asked: &'a AdviceRequest<'a>,
    /// By kind, and for things also by namespace.
    known: FxHashMap<(Among, String), Known>,
}

/// Names of one kind.
struct Known {
    /// By local name, folded to ignore common confusions.
    same: FxHashMap<String, Vec<NamedNode>>,
    /// The local names in each namespace, with an index for similarity search.
    near: FxHashMap<String, (Vec<String>, NearNames<'static>)>,
}

impl<'a> UsedNames<'a> {
    pub fn new(asked: &'a AdviceRequest<'a>) -> Self {
        Self { asked, known: FxHashMap::default() }
    }

    /// Returns the names that were probably meant, the best first: those that are the same after folding, else similar
    /// ones in the same namespace.
    pub fn meant(&mut self, iri: &NamedNode, among: Among) -> Vec<NamedNode> {
        let (namespace, local) = split(iri.as_str());
        let own = if among == Among::Things { namespace } else { "" };
        let key = (among, own.to_owned());
        if !self.known.contains_key(&key) {
            let ids = self.list(among, namespace);
            let known = self.asked.budget.compare(|| self.read(&ids));
            self.known.insert(key.clone(), known);
        }
        let Some(known) = self.known.get(&key) else { return Vec::new() };
        let mut same: Vec<NamedNode> = known.same.get(&fold(local)).cloned().unwrap_or_default();
        same.retain(|other| other != iri);
        if !same.is_empty() || local.is_empty() {
            // Names in the same namespace are preferred.
            same.sort_by(|a, b| {
                let far = |other: &NamedNode| !other.as_str().starts_with(namespace);
                (far(a), a.as_str()).cmp(&(far(b), b.as_str()))
            });
            same.truncate(SHOWN);
            return same;
        }
        let Some((names, index)) = known.near.get(namespace) else { return Vec::new() };
        let mut near = index.nearest(local, SHOWN);
        if near.is_empty() && self.asked.budget.spend(names.len()) {
            // The index finds only misspellings; among few names, a word with the same stem may have been meant.
            near = nearest(local, names.iter().map(String::as_str), SHOWN);
        }
        near.into_iter().filter_map(|local| NamedNode::new(format!("{namespace}{local}")).ok()).collect()
    }

    fn list(&self, among: Among, namespace: &str) -> Vec<TermId> {
        let snapshot = self.asked.snapshot;
        match among {
            Among::Properties => properties(snapshot),
            Among::Classes => classes(snapshot),
            Among::Graphs => snapshot.named_graphs().iter().copied().take(MOST_COMPARED).collect(),
            Among::Things => self.of_namespace(namespace),
        }
    }

    fn read(&self, ids: &[TermId]) -> Known {
        let mut same: FxHashMap<String, Vec<NamedNode>> = FxHashMap::default();
        let mut locals: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for id in ids {
            if !self.asked.budget.spend(INDEXING) {
                break;
            }
            let Term::NamedNode(iri) = self.asked.snapshot.term(*id) else { continue };
            let (namespace, local) = split(iri.as_str());
            locals.entry(namespace.to_owned()).or_default().push(local.to_owned());
            let alike = same.entry(fold(local)).or_default();
            if !alike.contains(&iri) {
                alike.push(iri);
            }
        }
        let near = locals
            .into_iter()
            .map(|(namespace, locals)| (namespace, (locals.clone(), NearNames::new(locals))))
            .collect();
        Known { same, near }
    }

    /// The terms in the same namespace.
    fn of_namespace(&self, namespace: &str) -> Vec<TermId> {
        let snapshot = self.asked.snapshot;
        let all = snapshot.kind_range(TermKind::Iri);
        let mut text = Vec::new();
        let (mut low, mut high) = (all.start, all.end);
        while low < high {
            let middle = low + (high - low) / 2;
            snapshot.text(TermId::new(middle), &mut text);
            if text.as_slice() < namespace.as_bytes() { low = middle + 1 } else { high = middle }
        }
        let inside = |id: &TermId| snapshot.text(*id, &mut text) && text.starts_with(namespace.as_bytes());
        (low..all.end).map(TermId::new).take_while(inside).take(MOST_COMPARED).collect()
    }

    /// Returns things of any namespace whose local names equal these after folding, read in one pass; keyed by the
    /// folded name.
    pub fn called_alike(&self, wanted: &[&NamedNode]) -> FxHashMap<String, Vec<NamedNode>> {
        let snapshot = self.asked.snapshot;
        let mut found: FxHashMap<String, Vec<NamedNode>> =
            wanted.iter().map(|iri| (fold(local_name(iri.as_str())), Vec::new())).collect();
        found.remove("");
        let mut text = Vec::new();
        let all = snapshot.kind_range(TermKind::Iri).map(TermId::new);
        self.asked.budget.compare(|| {
            if found.is_empty() {
                return;
            }
            for id in all.take_while(|_| self.asked.budget.spend(1)) {
                let Some(text) = snapshot.text(id, &mut text).then(|| std::str::from_utf8(&text).ok()).flatten() else {
                    continue;
                };
                if let Some(alike) = found.get_mut(&fold(local_name(text)))
                    && alike.len() < SHOWN
                    && let Ok(iri) = NamedNode::new(text)
                    && !wanted.contains(&&iri)
                {
                    alike.push(iri);
                }
            }
        });
        found
    }
}

fn split(iri: &str) -> (&str, &str) {
    iri.split_at(iri.len() - local_name(iri).len())
}

/// Folds a name: case, `-` and `_`, and a plural's `s` are ignored.
pub fn fold(name: &str) -> String {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    folded.strip_suffix('s').map_or(folded.clone(), str::to_owned)
}

fn properties(snapshot: &Snapshot) -> Vec<TermId> {
    let of = [snapshot.statistics(), snapshot.quad_statistics()];
    of.iter().flat_map(|s| s.predicates.iter().map(|p| p.predicate)).take(MOST_COMPARED).collect()
}

fn classes(snapshot: &Snapshot) -> Vec<TermId> {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return Vec::new() };
    let mut found = Vec::new();
    for index in [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)] {
        let mut rows = index.run(rdf_type);
        // Seeks from each class to the next, however many members it has.
        while !rows.is_empty() && found.len() < MOST_COMPARED {
            let class = index.id(1, rows.start);
            found.push(class);
            rows.start = index.seek(1, rows.clone(), TermId::new(class.get().saturating_add(1)));
        }
    }
    found
}
