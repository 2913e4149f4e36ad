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
    /// The local names in each namespace (by its [`core`]), with an index for similarity search.
    near: FxHashMap<String, (Vec<String>, NearNames<'static>)>,
}

impl Known {
    /// The name with this local name that is nearest to another one.
    fn called(&self, local: &str, to: &NamedNode) -> Option<NamedNode> {
        let alike = self.same.get(&fold(local)).into_iter().flatten();
        let called = alike.filter(|other| split(other.as_str()).1 == local);
        called.min_by_key(|other| (distance(other, to), other.as_str())).cloned()
    }
}

/// How far a name of the same or a similar local name is from another one: the same in a namespace written otherwise,
/// similar in the same namespace, similar in that namespace written otherwise, or elsewhere.
fn distance(name: &NamedNode, from: &NamedNode) -> u8 {
    let ((namespace, local), (other, meant)) = (split(name.as_str()), split(from.as_str()));
    match (namespace == other, core(namespace) == core(other)) {
        (false, true) if local == meant => 0,
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
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
            same.sort_by(|a, b| (distance(a, iri), a.as_str()).cmp(&(distance(b, iri), b.as_str())));
            same.truncate(SHOWN);
            return same;
        }
        let Some((names, index)) = known.near.get(core(namespace)) else { return Vec::new() };
        let mut near = index.nearest(local, SHOWN);
        if near.is_empty() && self.asked.budget.spend(names.len()) {
            // The index finds only misspellings; among few names, a word with the same stem may have been meant.
            near = nearest(local, names.iter().map(String::as_str), SHOWN);
        }
        near.into_iter().filter_map(|near| known.called(near, iri)).collect()
    }

    fn list(&self, among: Among, namespace: &str) -> Vec<TermId> {
        let snapshot = self.asked.snapshot;
        match among {
            Among::Properties => properties(snapshot),
            Among::Classes => classes(snapshot),
            Among::Graphs => snapshot.named_graphs().iter().copied().take(MOST_COMPARED).collect(),
            Among::Things => {
                let mut found: Vec<TermId> = written_otherwise(namespace).flat_map(|n| self.of_namespace(&n)).collect();
                found.truncate(MOST_COMPARED);
                found
            }
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
            locals.entry(core(namespace).to_owned()).or_default().push(local.to_owned());
            let alike = same.entry(fold(local)).or_default();
            if !alike.contains(&iri) {
                alike.push(iri);
            }
        }
        let near = locals
            .into_iter()
            .map(|(namespace, mut locals)| {
                locals.sort_unstable();
                locals.dedup();
                (namespace, (locals.clone(), NearNames::new(locals)))
            })
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

/// A namespace without what is most often confused: the scheme, `www.` and the last separator.
fn core(namespace: &str) -> &str {
    let rest = namespace.strip_prefix("https://").or_else(|| namespace.strip_prefix("http://")).unwrap_or(namespace);
    rest.strip_prefix("www.").unwrap_or(rest).trim_end_matches(['#', '/'])
}

/// A namespace in each form that is confused with it, itself first.
fn written_otherwise(namespace: &str) -> impl Iterator<Item = String> {
    let rest = core(namespace);
    let is_web = namespace.starts_with("http://") || namespace.starts_with("https://");
    let starts: &[&str] = if is_web { &["http://", "https://", "http://www.", "https://www."] } else { &[""] };
    let ends = if namespace.ends_with(['#', '/']) { ["#", "/"].as_slice() } else { &[""] };
    let all = starts.iter().flat_map(move |start| ends.iter().map(move |end| format!("{start}{rest}{end}")));
    std::iter::once(namespace.to_owned()).chain(all.filter(|other| *other != namespace).collect::<Vec<_>>())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_written_otherwise_is_nearest() {
        let node = |iri: &str| NamedNode::new(iri).unwrap();
        let asked = node("https://www.w3.org/ns/dcat#Dataset");
        for (name, far) in [
            ("http://www.w3.org/ns/dcat#Dataset", 0),
            ("http://www.w3.org/ns/dcat/Dataset", 0),
            ("https://w3.org/ns/dcat#Dataset", 0),
            ("https://www.w3.org/ns/dcat#DataSet", 1),
            ("http://www.w3.org/ns/dcat#DataSet", 2),
            ("https://schema.org/Dataset", 3),
        ] {
            assert_eq!(distance(&node(name), &asked), far, "{name}");
        }
    }

    #[test]
    fn a_namespace_has_other_forms() {
        let forms: Vec<String> = written_otherwise("https://w3.org/ns/dcat/").collect();
        assert_eq!(forms[0], "https://w3.org/ns/dcat/");
        assert_eq!(forms.len(), 8);
        assert!(forms.contains(&"http://www.w3.org/ns/dcat#".to_owned()), "{forms:?}");
        assert_eq!(written_otherwise("urn:x:").collect::<Vec<_>>(), ["urn:x:"]);
    }
}
