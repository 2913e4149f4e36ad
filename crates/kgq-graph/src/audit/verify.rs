//! Checks whether a citation holds in the text of its source.
//!
//! Spans count code points from 0 (Web Annotation Data Model §4.2.5). The text is used as it is, without normalisation.

use super::sources::{Citation, Document};
use super::text::{sha256, span_of};
use std::fmt;

/// Why a citation, or what the graph states about a document, does not hold in the document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The selector has no start or no end.
    NoSpan,
    /// The span is empty or extends beyond the text.
    Span { start: usize, end: usize, length: usize },
    /// The span's text has a different SHA-256.
    Hash { stated: String, found: String },
    /// The anchor does not occur exactly once in the span; `elsewhere` is its first place in the text.
    Anchor { anchor: String, times: usize, elsewhere: Option<usize> },
    /// The document's text has a different SHA-256.
    DocumentHash { stated: String, found: String },
    /// The document's text has a different number of code points.
    DocumentLength { stated: usize, found: usize },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpan => f.write_str("the span has no start or no end"),
            Self::Span { start, end, length } => {
                write!(f, "the span {start}–{end} does not lie in the text, which has {length} code points")
            }
            Self::Hash { stated, found } => {
                write!(f, "the span's text has the SHA-256 {}…, not {}…", abridged(found), abridged(stated))
            }
            Self::Anchor { anchor, times: 0, elsewhere: Some(at) } => {
                write!(f, "the anchor “{anchor}” does not stand in the span; it stands at {at}")
            }
            Self::Anchor { anchor, times: 0, elsewhere: None } => {
                write!(f, "the anchor “{anchor}” stands nowhere in the text")
            }
            Self::Anchor { anchor, times, .. } => {
                write!(f, "the anchor “{anchor}” stands {times} times in the span; it must stand there once")
            }
            Self::DocumentHash { stated, found } => {
                write!(f, "the text has the SHA-256 {}…, not {}…", abridged(found), abridged(stated))
            }
            Self::DocumentLength { stated, found } => write!(f, "the text has {found} code points, not {stated}"),
        }
    }
}

fn abridged(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Checks a citation against its source's text: the span lies in the text and has the stated hash, and the anchor
/// occurs exactly once in it (in the whole text if there is no selector). Returns an empty list if it holds.
pub fn verify(citation: &Citation, text: &str) -> Vec<Failure> {
    let mut failures = Vec::new();
    let cited = match (citation.span, &citation.selector) {
        (None, None) => text,
        (None, Some(_)) => return vec![Failure::NoSpan],
        (Some(span), _) => match span_of(text, span) {
            Some(bytes) => &text[bytes],
            None => return vec![Failure::Span { start: span.start, end: span.end, length: text.chars().count() }],
        },
    };
    if let Some(stated) = citation.hash.as_ref().filter(|_| citation.span.is_some()) {
        let found = sha256(cited.as_bytes());
        if !found.eq_ignore_ascii_case(stated) {
            failures.push(Failure::Hash { stated: stated.clone(), found });
        }
    }
    if let Some(anchor) = &citation.anchor {
        let times = occurrences(cited, anchor);
        if times != 1 {
            let elsewhere = text.find(anchor.as_str()).map(|at| text[..at].chars().count());
            failures.push(Failure::Anchor { anchor: anchor.clone(), times, elsewhere });
        }
    }
    failures
}

/// Counts occurrences, including overlapping ones: `aa` occurs twice in `aaa`. An empty part does not occur.
fn occurrences(text: &str, part: &str) -> usize {
    if part.is_empty() {
        return 0;
    }
    text.char_indices().filter(|(at, _)| text[*at..].starts_with(part)).count()
}

/// Checks what the graph states about a document's text.
pub(crate) fn verify_document(document: &Document, text: &str) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(stated) = &document.hash {
        let found = sha256(text.as_bytes());
        if !found.eq_ignore_ascii_case(stated) {
            failures.push(Failure::DocumentHash { stated: stated.clone(), found });
        }
    }
    if let Some(stated) = document.length {
        let found = text.chars().count();
        if found != stated {
            failures.push(Failure::DocumentLength { stated, found });
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;
    use kgq_syntax::rdf::NamedNode;

    fn citation(start: usize, end: usize, hash: Option<String>, anchor: &str) -> Citation {
        let node = NamedNode::new_unchecked("urn:c");
        Citation {
            iri: node.clone(),
            document: None,
            selector: Some(node.into()),
            span: Some(Span { start, end }),
            anchor: Some(anchor.to_owned()),
            hash,
            sentences: Vec::new(),
        }
    }

    #[test]
    fn spans_of_a_chinese_text_count_code_points_and_not_bytes() {
        let text = "国务院批复。商务部表示，试点任务共155项。";
        let hash = sha256("商务部表示，试点任务共155项。".as_bytes());
        assert_eq!(verify(&citation(6, 22, Some(hash), "155项"), text), []);
        let in_bytes = verify(&citation(18, 60, None, "155项"), text);
        assert_eq!(in_bytes, [Failure::Span { start: 18, end: 60, length: 22 }]);
    }

    #[test]
    fn a_moved_span_fails_by_its_hash_and_a_repeated_anchor_by_its_count() {
        let text = "x one two two";
        let moved = citation(2, 12, Some(sha256(b"one two two")), "two");
        let failures = verify(&moved, text);
        assert!(matches!(failures[..], [Failure::Hash { .. }]), "{failures:?}");
        let whole = verify(&citation(2, 13, None, "two"), text);
        assert!(matches!(whole[..], [Failure::Anchor { times: 2, .. }]), "{whole:?}");
    }

    #[test]
    fn an_anchor_in_another_sentence_is_said_where_it_stands() {
        let failure = verify(&citation(0, 3, None, "上海"), "海南。上海。").remove(0);
        assert_eq!(failure.to_string(), "the anchor “上海” does not stand in the span; it stands at 3");
    }
}
