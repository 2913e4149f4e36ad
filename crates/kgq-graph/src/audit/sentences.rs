//! The sentences of a source document, as the graph numbers and delimits them. No text is split here.

use super::sources::{Audit, Span};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode};
use rustc_hash::{FxHashMap, FxHashSet};

/// A sentence of a source document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub number: String,
    /// Its span, if a selector covers only this sentence.
    pub span: Option<Span>,
    /// The number of statements that cite it directly.
    pub statements: usize,
    /// Why no statement rests on it, according to the graph.
    pub states_nothing: Option<String>,
}

/// Returns the sentences of a document, ordered by number.
pub fn sentences(audit: &Audit<'_>, document: &NamedNode) -> Vec<Sentence> {
    let mut found: FxHashMap<String, Sentence> = FxHashMap::default();
    let resting = statements_by_selector(audit, document);
    let mut reifiers: FxHashMap<String, FxHashSet<&NamedOrBlankNode>> = FxHashMap::default();
    for selector in audit.selectors(document) {
        let (span, numbers) = audit.sentences_of(&selector);
        let alone = numbers.len() == 1;
        for number in numbers {
            reifiers.entry(number.clone()).or_default().extend(resting.get(&selector).into_iter().flatten());
            let sentence = found.entry(number.clone()).or_insert_with(|| Sentence {
                number,
                span: None,
                statements: 0,
                states_nothing: None,
            });
            if alone {
                sentence.span = sentence.span.or(span);
                sentence.states_nothing = sentence.states_nothing.take().or_else(|| audit.states_nothing(&selector));
            }
        }
    }
    let mut sentences: Vec<Sentence> = found.into_values().collect();
    for sentence in &mut sentences {
        sentence.statements = reifiers.get(&sentence.number).map_or(0, FxHashSet::len);
    }
    // Ordered by numeric value, with those that are not numbers last.
    sentences.sort_by_cached_key(|s| (s.number.parse::<u64>().unwrap_or(u64::MAX), s.number.clone()));
    sentences
}

/// The reifiers of the statements that cite each selector of a document.
fn statements_by_selector(
    audit: &Audit<'_>,
    document: &NamedNode,
) -> FxHashMap<NamedOrBlankNode, Vec<NamedOrBlankNode>> {
    let mut of_citation: FxHashMap<NamedNode, Vec<NamedOrBlankNode>> = FxHashMap::default();
    for (reifier, _) in audit.reified_triples() {
        for citation in audit.statement(&reifier).into_iter().flat_map(|statement| statement.citations) {
            of_citation.entry(citation).or_default().push(reifier.clone());
        }
    }
    let mut found: FxHashMap<NamedOrBlankNode, Vec<NamedOrBlankNode>> = FxHashMap::default();
    for (citation, reifiers) in of_citation {
        for place in audit.places(&citation) {
            if let (Some(selector), true) = (place.selector, place.document.as_ref() == Some(document)) {
                found.entry(selector).or_default().extend(reifiers.iter().cloned());
            }
        }
    }
    found
}
