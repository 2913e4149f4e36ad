//! Chooses base IRI, prefixes and languages from the counts of all files.

use super::look::Looked;
use crate::check::namespace;
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::rdf::vocabulary::WELL_KNOWN;
use kgq_syntax::words::WELL_KNOWN_PREFIXES;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The IRI that most subjects begin with, the number of these, and the number of all subjects.
pub struct Base {
    pub iri: String,
    pub subjects: u64,
    pub of: u64,
}

/// Namespaces with less than one in this many subjects do not widen the base.
const SHARE: u64 = 20;
/// A base with less than one in this many subjects is none: most of the files is about other things.
const LEAST: u64 = 10;

/// Whether a namespace is that of a well-known vocabulary, which a project describes or extends and does not own.
fn is_foreign(namespace: &str) -> bool {
    WELL_KNOWN.iter().chain(WELL_KNOWN_PREFIXES).any(|(_, iri)| *iri == namespace)
}

/// Returns the base: the longest common beginning of the larger namespaces on the host of the most frequent one,
/// shortened until at least half of the subjects on that host begin with it. Well-known vocabularies are left out.
pub fn base(files: &[&Looked]) -> Option<Base> {
    let mut subjects: FxHashMap<&str, u64> = FxHashMap::default();
    for (namespace, n) in files.iter().flat_map(|file| &file.counts.subjects) {
        *subjects.entry(namespace).or_default() += n;
    }
    let of = subjects.values().sum();
    // Only web IRIs count: relative IRIs are resolved against the folder itself.
    let own = |iri: &str| iri.starts_with("http") && !is_foreign(iri);
    let web: Vec<(&str, u64)> = subjects.into_iter().filter(|(iri, _)| own(iri)).collect();
    let (most, _) = *web.iter().max_by_key(|(iri, n)| (*n, std::cmp::Reverse(*iri)))?;
    let host = host(most)?;
    let mut iri = most.to_owned();
    for (other, n) in &web {
        if other.starts_with(host) && n * SHARE >= of {
            iri = common(&iri, other, host.len());
        }
    }
    let all_there = begin_so(&web, host);
    while begin_so(&web, &iri) * 2 < all_there && iri.len() > host.len() {
        let end = iri[..iri.len() - 1].rfind('/').map_or(host.len(), |at| at + 1).max(host.len());
        iri.truncate(end);
    }
    NamedNode::new(&iri).ok()?;
    let subjects = begin_so(&web, &iri);
    (subjects * LEAST >= of).then_some(Base { iri, subjects, of })
}

/// The number of subjects in those of these namespaces that begin with an IRI.
fn begin_so(namespaces: &[(&str, u64)], iri: &str) -> u64 {
    namespaces.iter().filter(|(namespace, _)| namespace.starts_with(iri)).map(|(_, n)| n).sum()
}

/// Returns `https://host/` for an IRI that continues after it.
fn host(iri: &str) -> Option<&str> {
    let start = iri.find("://")? + 3;
    let end = iri[start..].find('/')? + start + 1;
    Some(&iri[..end])
}

/// The common beginning of both, up to a slash.
fn common(left: &str, right: &str, least: usize) -> String {
    if right.starts_with(left) {
        return left.to_owned();
    }
    let same = left
        .char_indices()
        .zip(right.chars())
        .find(|((_, a), b)| a != b)
        .map_or(left.len().min(right.len()), |((at, _), _)| at);
    let end = left[..same].rfind('/').map_or(least, |at| at + 1).max(least);
    left[..end].to_owned()
}

/// A prefix, its namespace here, and other namespaces that files give it.
pub struct Prefix {
    pub name: String,
    pub namespace: String,
    pub others: Vec<String>,
}

/// The most prefixes that are written.
const MOST: usize = 40;

/// Returns the prefixes that the files declare or that are well known, and whose namespaces are used, ordered by name.
pub fn prefixes(files: &[&Looked]) -> Vec<Prefix> {
    let mut used: FxHashMap<&str, u64> = FxHashMap::default();
    for (namespace, n) in files.iter().flat_map(|file| &file.counts.terms) {
        *used.entry(namespace).or_default() += n;
    }
    let use_of = |iri: &str| used.get(iri).copied().unwrap_or_default();
    let mut declared: BTreeMap<&str, FxHashMap<&str, u64>> = BTreeMap::new();
    for file in files {
        for (name, iri) in file.counts.prefixes.iter() {
            declared.entry(name).or_default().insert(iri, use_of(iri));
        }
    }
    let mut chosen: Vec<(u64, Prefix)> = Vec::new();
    for (name, namespaces) in declared {
        // As the default namespace of one file, a vocabulary of others has no prefix for the whole project.
        let fits = |iri: &str| !(name.is_empty() && is_foreign(iri));
        let mut all: Vec<(&str, u64)> = namespaces.into_iter().filter(|(iri, n)| *n > 0 && fits(iri)).collect();
        all.sort_by_key(|(iri, n)| (std::cmp::Reverse(*n), *iri));
        let Some(((iri, n), others)) = all.split_first() else { continue };
        // A namespace on this machine's disk is no name.
        if iri.starts_with("file:") || NamedNode::new(*iri).is_err() {
            continue;
        }
        let others = others.iter().map(|(iri, _)| (*iri).to_owned()).collect();
        chosen.push((*n, Prefix { name: name.to_owned(), namespace: (*iri).to_owned(), others }));
    }
    for (name, iri) in WELL_KNOWN {
        let known = chosen.iter().any(|(_, prefix)| prefix.name == *name || prefix.namespace == *iri);
        if !known && use_of(iri) > 0 {
            chosen.push((use_of(iri), Prefix { name: (*name).into(), namespace: (*iri).into(), others: Vec::new() }));
        }
    }
    chosen.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    chosen.truncate(MOST);
    chosen.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    chosen.into_iter().map(|(_, prefix)| prefix).collect()
}

/// Returns the languages of labels with the number of things that have one, most frequent first; and the number of
/// things with any label.
pub fn languages(files: &[&Looked]) -> (Vec<(String, u64)>, u64) {
    let mut counts: FxHashMap<&str, u64> = FxHashMap::default();
    for (language, n) in files.iter().flat_map(|file| &file.counts.languages) {
        *counts.entry(language).or_default() += n;
    }
    let mut languages: Vec<(String, u64)> = counts.into_iter().map(|(language, n)| (language.to_owned(), n)).collect();
    languages.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    (languages, files.iter().map(|file| file.counts.labelled).sum())
}

/// Returns the ontologies that several files define, each with these files.
pub fn repeated<'a>(files: &[&'a Looked]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut by_iri: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        for ontology in &file.counts.ontologies {
            let named = by_iri.entry(ontology.as_str()).or_default();
            if !named.contains(&file.name.as_str()) {
                named.push(&file.name);
            }
        }
    }
    by_iri.into_iter().filter(|(_, files)| files.len() > 1).collect()
}

/// Returns imports that none of these files defines.
pub fn imports_elsewhere<'a>(files: &[&'a Looked]) -> Vec<&'a str> {
    let here: Vec<&str> = files.iter().flat_map(|file| &file.counts.ontologies).map(NamedNode::as_str).collect();
    let mut imports: Vec<&str> = files.iter().flat_map(|file| &file.counts.imports).map(String::as_str).collect();
    imports.sort_unstable();
    imports.dedup();
    imports.retain(|iri| !here.contains(iri) && !here.iter().any(|own| namespace(own) == *iri));
    imports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_what_namespaces_have_in_common_up_to_a_slash() {
        assert_eq!(common("http://e/ont#", "http://e/id/", 9), "http://e/");
        assert_eq!(common("http://e/a/b/", "http://e/a/c/", 9), "http://e/a/");
        assert_eq!(common("http://e/a/", "http://e/a/c/", 9), "http://e/a/");
        assert_eq!(host("http://e/a/b#"), Some("http://e/"));
        assert_eq!(host("http://e#"), None);
    }
}
