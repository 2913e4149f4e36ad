//! The texts of source documents, and whether citations hold in them.
//!
//! Spans count code points, as the Web Annotation model does (§4.2.5); a text in Chinese has a third as many as bytes.

use super::evidence::{Citation, Selector};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::rdf::Term;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The text of a source document. Only UTF-8 is read, and nothing is normalised: offsets and hashes are those of the text as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    /// The byte offset of every 64th code point, so that a span far into a long text is found at once.
    marks: Vec<usize>,
    code_points: usize,
}

const MARK_EVERY: usize = 64;

impl SourceText {
    pub fn new(text: String) -> Self {
        let marks = text.char_indices().step_by(MARK_EVERY).map(|(at, _)| at).collect();
        let code_points = text.chars().count();
        Self { text, marks, code_points }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many code points the text has.
    pub fn code_points(&self) -> usize {
        self.code_points
    }

    /// The code points from `start` up to, not including, `end`; `None` if they do not lie in the text in this order.
    pub fn span(&self, start: usize, end: usize) -> Option<&str> {
        self.text.get(self.byte(start)?..self.byte(end)?)
    }

    fn byte(&self, code_point: usize) -> Option<usize> {
        if code_point == self.code_points {
            return Some(self.text.len());
        }
        let mark = *self.marks.get(code_point / MARK_EVERY)?;
        self.text[mark..].char_indices().nth(code_point % MARK_EVERY).map(|(at, _)| mark + at)
    }

    /// The SHA-256 of the text, in hexadecimal.
    pub fn sha256(&self) -> String {
        sha256(&self.text)
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The texts of a project's sources, by the IRI of the document.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    texts: BTreeMap<String, Result<Option<SourceText>>>,
}

impl Texts {
    /// Reads the files of `[sources]`. One that is not there is no error: its citations stay unchecked.
    pub fn read(project: &Project) -> Self {
        let read = |name: &str| {
            let bytes = match std::fs::read(project.root.join(name)) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(Error::io(name, &e)),
            };
            match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(SourceText::new(text))),
                Err(e) => {
                    let at = e.utf8_error().valid_up_to();
                    Err(Error::input(format!("{name}: the text of a source must be UTF-8, and byte {at} is not")))
                }
            }
        };
        let sources = &project.manifest.sources;
        Self { texts: sources.iter().map(|(document, name)| (document.clone(), read(name))).collect() }
    }

    /// The text of a document; `None` if it is not at hand.
    pub fn get(&self, document: &Term) -> Option<&SourceText> {
        let Term::NamedNode(iri) = document else { return None };
        self.texts.get(iri.as_str())?.as_ref().ok()?.as_ref()
    }

    /// The files that are there, but cannot be read as text.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.texts.values().filter_map(|text| text.as_ref().err())
    }
}

/// Why a citation does not hold in the text of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The span has no start or end, or lies outside the text.
    Span { selector: Term, start: Option<usize>, end: Option<usize>, length: usize },
    /// The span's text has another hash.
    Hash { selector: Term, stated: String, found: String },
    /// The anchor stands there not exactly once.
    Anchor { anchor: String, times: usize, elsewhere: Option<usize> },
    /// The document's text has another hash.
    DocumentHash { stated: String, found: String },
    /// The document's text has another number of code points.
    DocumentLength { stated: String, found: usize },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span { start: Some(start), end: Some(end), length, .. } => {
                write!(f, "the span {start}–{end} does not lie in the text, which has {length} code points")
            }
            Self::Span { .. } => f.write_str("the span has no start or no end"),
            Self::Hash { stated, found, .. } => {
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
                write!(f, "the text of the document has the SHA-256 {}…, not {}…", abridged(found), abridged(stated))
            }
            Self::DocumentLength { stated, found } => {
                write!(f, "the text of the document has {found} code points, not {stated}")
            }
        }
    }
}

fn abridged(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Checks a citation against the text of its source: every span lies in the text and has the stated hash, and every anchor
/// stands exactly once in the span (in the whole text, if there is no span). Empty if it holds.
pub fn verify(citation: &Citation, text: &SourceText) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut spans: Vec<&str> = Vec::new();
    for selector in &citation.selectors {
        let span =
            selector.start.zip(selector.end).and_then(|(start, end)| text.span(start, end)).filter(|s| !s.is_empty());
        let Some(span) = span else {
            let Selector { node, start, end, .. } = selector;
            failures.push(Failure::Span {
                selector: node.clone(),
                start: *start,
                end: *end,
                length: text.code_points(),
            });
            continue;
        };
        if let Some(stated) = &selector.sha256 {
            let found = sha256(span);
            if found != *stated {
                failures.push(Failure::Hash { selector: selector.node.clone(), stated: stated.clone(), found });
            }
        }
        for anchor in &selector.anchors {
            failures.extend(verify_anchor(anchor.value(), &[span], text));
        }
        spans.push(span);
    }
    if citation.selectors.is_empty() {
        spans.push(text.as_str());
    }
    if !spans.is_empty() {
        for anchor in &citation.anchors {
            failures.extend(verify_anchor(anchor.value(), &spans, text));
        }
    }
    failures
}

fn verify_anchor(anchor: &str, spans: &[&str], text: &SourceText) -> Option<Failure> {
    let times = if anchor.is_empty() { 0 } else { spans.iter().map(|span| occurrences(span, anchor)).sum() };
    if times == 1 {
        return None;
    }
    let elsewhere = text.as_str().find(anchor).map(|at| text.as_str()[..at].chars().count());
    Some(Failure::Anchor { anchor: anchor.to_owned(), times, elsewhere })
}

/// Occurrences, overlapping ones too: `aa` stands twice in `aaa`.
fn occurrences(text: &str, part: &str) -> usize {
    text.char_indices().filter(|(at, _)| text[*at..].starts_with(part)).count()
}

/// Checks what the graph states of a document's text.
pub fn verify_document(sha256: Option<&str>, length: Option<&str>, text: &SourceText) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(stated) = sha256 {
        let found = text.sha256();
        if !found.eq_ignore_ascii_case(stated) {
            failures.push(Failure::DocumentHash { stated: stated.to_owned(), found });
        }
    }
    if let Some(stated) = length
        && stated.parse() != Ok(text.code_points())
    {
        failures.push(Failure::DocumentLength { stated: stated.to_owned(), found: text.code_points() });
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdf::{BlankNode, Literal};

    fn citation(start: usize, end: usize, hash: Option<String>, anchor: &str) -> Citation {
        let selector = Selector {
            node: BlankNode::default().into(),
            start: Some(start),
            end: Some(end),
            sha256: hash,
            anchors: Vec::new(),
        };
        Citation {
            node: BlankNode::default().into(),
            sources: Vec::new(),
            selectors: vec![selector],
            anchors: vec![Literal::new_simple_literal(anchor)],
        }
    }

    #[test]
    fn spans_of_a_chinese_text_count_code_points_and_not_bytes() {
        let text = SourceText::new("国务院批复。商务部表示，试点任务共155项。".into());
        assert_eq!(text.span(6, 12), Some("商务部表示，"));
        let good = citation(6, 22, Some(sha256("商务部表示，试点任务共155项。")), "155项");
        assert_eq!(verify(&good, &text), []);
        let in_bytes = citation(18, 51, None, "155项");
        assert!(matches!(verify(&in_bytes, &text)[..], [Failure::Span { length: 22, .. }]));
    }

    #[test]
    fn a_moved_span_fails_by_its_hash_and_a_repeated_anchor_by_its_count() {
        let text = SourceText::new(format!("{}one two two", "x".repeat(200)));
        let moved = citation(201, 211, Some(sha256("one two two")), "two");
        let failures = verify(&moved, &text);
        assert!(matches!(failures[0], Failure::Hash { .. }));
        assert!(matches!(failures[1], Failure::Anchor { times: 2, .. }));
        assert_eq!(failures.len(), 2);
    }

    #[test]
    fn an_anchor_in_another_sentence_is_said_where_it_stands() {
        let text = SourceText::new("海南。上海。".into());
        let failure = verify(&citation(0, 3, None, "上海"), &text).remove(0);
        assert_eq!(failure.to_string(), "the anchor “上海” does not stand in the span; it stands at 3");
    }
}
