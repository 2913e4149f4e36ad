//! The sources of a bundle: each citation with its document, its place, and its words if they are short enough to
//! quote.

use super::facts::{Properties, pretty};
use crate::audit::{Audit, CitedText, Reference, Texts, sha256};
use crate::project::CitationSettings;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Prefixes, Quad, Triple};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest sentence that is quoted, and the most text quoted from one document, in characters. Longer ones are
/// named by place and hash only.
const LONGEST_QUOTE: usize = 600;
const MOST_OF_A_DOCUMENT: usize = 6_000;
/// If the length of a document is known, at most one in this many of its characters is quoted.
const SHARE: usize = 4;

/// The words of citations, by their IRIs.
pub type Quotes = BTreeMap<String, String>;

/// The citation settings for an audit of the bundle's statements: the graph's own properties.
pub fn settings(properties: &Properties) -> CitationSettings {
    CitationSettings {
        anchor: properties.anchor.clone(),
        hash: properties.hash.clone(),
        sentence: properties.sentence.clone(),
        length: properties.length.clone(),
        ..CitationSettings::default()
    }
}

/// Returns the properties that the graph uses for citations, as IRIs.
pub fn properties(audit: &Audit<'_>) -> Properties {
    let text = |node: Option<&NamedNode>| node.map(|node| node.as_str().to_owned());
    Properties {
        anchor: text(audit.anchor_property()),
        hash: text(audit.hash_property()),
        sentence: text(audit.sentence_property()),
        length: text(audit.length_property()),
    }
}

/// Returns the distinct citations that the statements rest on, ordered by IRI.
pub fn citations<'q>(audit: &Audit<'_>, statements: impl Iterator<Item = &'q Quad>) -> Vec<NamedNode> {
    let of = |quad: &Quad| audit.behind(&Triple::from(quad.clone()));
    let named = statements.flat_map(of).flat_map(|statement| audit.all_citations(&statement));
    let sorted: BTreeMap<String, NamedNode> = named.map(|node| (node.as_str().to_owned(), node)).collect();
    sorted.into_values().collect()
}

/// Returns the words of those citations that may be quoted and whose text is available.
pub fn quotes(audit: &Audit<'_>, citations: &[NamedNode], texts: &Texts) -> Quotes {
    let mut quotes = Quotes::new();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for citation in citations {
        let reference = Reference::new(citation, audit, texts);
        let (CitedText::Verified(text), Some(document)) = (&reference.place, &reference.document) else { continue };
        let words = format!("{}{}{}", text.before, text.anchor, text.after);
        let length = words.chars().count();
        let all = texts.get(&document.iri).map_or(0, |text| text.chars().count());
        let used = used.entry(document.iri.as_str().to_owned()).or_default();
        if length <= LONGEST_QUOTE && *used + length <= MOST_OF_A_DOCUMENT.min(all / SHARE) {
            *used += length;
            quotes.insert(citation.as_str().to_owned(), words);
        }
    }
    quotes
}

/// The text of `sources.json`.
pub fn text(audit: &Audit<'_>, citations: &[NamedNode], quotes: &Quotes) -> Result<String> {
    let source = |citation: &NamedNode| {
        let Reference { citation, document, .. } = Reference::new(citation, audit, &Texts::default());
        json!({
            "citation": citation.iri.as_str(),
            "document": document.as_ref().map(|document| document.iri.as_str()),
            "title": document.as_ref().and_then(|document| document.title.as_deref()),
            "publisher": document.as_ref().and_then(|document| document.publisher.as_deref()),
            "date": document.as_ref().and_then(|document| document.date.as_deref()),
            "document-sha256": document.as_ref().and_then(|document| document.hash.as_deref()),
            "sentences": citation.sentences,
            "start": citation.span.map(|span| span.start),
            "end": citation.span.map(|span| span.end),
            "anchor": citation.anchor,
            "sha256": citation.hash,
            "words": quotes.get(citation.iri.as_str()),
        })
    };
    pretty(&Value::Array(citations.iter().map(source).collect()))
}

/// Reads the quoted words from `sources.json`.
///
/// # Errors
/// A text that is not a list of sources.
pub fn read(text: &str) -> Result<Quotes> {
    let wrong = |what: &dyn std::fmt::Display| Error::input(format!("sources.json: {what}"));
    let sources: Vec<Value> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let quote = |source: &Value| Some((source["citation"].as_str()?.to_owned(), source["words"].as_str()?.to_owned()));
    Ok(sources.iter().filter_map(quote).collect())
}

/// Returns what is wrong with the quoted words: their hash differs from the one that the graph states, or they lack the
/// anchor.
pub fn faults(audit: &Audit<'_>, quotes: &Quotes) -> Vec<String> {
    let mut faults = Vec::new();
    for (iri, words) in quotes {
        let citation = audit.citation(&NamedNode::new_unchecked(iri));
        if citation.hash.as_ref().is_some_and(|stated| !sha256(words.as_bytes()).eq_ignore_ascii_case(stated)) {
            faults.push(format!("the words quoted of <{iri}> have another SHA-256 than the graph states"));
        }
        if citation.anchor.as_ref().is_some_and(|anchor| !words.contains(anchor.as_str())) {
            faults.push(format!("the words quoted of <{iri}> do not hold its anchor"));
        }
        if citation.span.is_some_and(|span| span.end.saturating_sub(span.start) != words.chars().count()) {
            faults.push(format!("the words quoted of <{iri}> are longer or shorter than its span"));
        }
    }
    faults
}

/// An audit of a bundle's own statements.
pub fn audit<'s>(statements: &'s Snapshot, properties: &Properties) -> Audit<'s> {
    Audit::new(statements, &settings(properties), &Prefixes::default())
}
