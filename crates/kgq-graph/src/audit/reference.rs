//! A citation for readers: the document, the place in it, and the sentence itself if its text is available.

use super::sources::{Audit, Citation, Document};
use super::text::{Marked, mark};
use super::verify::{Failure, verify};
use kgq_syntax::rdf::NamedNode;
use std::collections::BTreeMap;

/// The available texts of source documents, by the document's IRI.
#[derive(Clone, Debug, Default)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    pub fn insert(&mut self, document: &NamedNode, text: String) {
        self.0.insert(document.as_str().to_owned(), text);
    }

    pub fn get(&self, document: &NamedNode) -> Option<&str> {
        self.0.get(document.as_str()).map(String::as_str)
    }
}

/// A citation with its document.
#[derive(Clone, Debug)]
pub struct Reference {
    pub citation: Citation,
    pub document: Option<Document>,
    pub place: CitedText,
}

/// What is known about the cited text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CitedText {
    /// The document is cited as a whole, or its text is not available.
    NotAtHand,
    /// The text, with the anchor marked; its hash shows that it is what was cited.
    Verified(Marked),
    /// The text is available but is not what was cited, for this reason.
    Differs(Failure),
}

impl Reference {
    pub fn new(iri: &NamedNode, audit: &Audit<'_>, texts: &Texts) -> Self {
        let citation = audit.citation(iri);
        let document = citation.document.as_ref().map(|iri| audit.document(iri));
        let text = citation.document.as_ref().and_then(|iri| texts.get(iri));
        let place = text.map_or(CitedText::NotAtHand, |text| place(&citation, text));
        Self { citation, document, place }
    }

    /// Title, publisher and date of the document, as far as the graph has them.
    pub fn document_line(&self) -> String {
        let Some(document) = &self.document else { return "no source document".into() };
        let title = document.title.clone().unwrap_or_else(|| format!("<{}>", document.iri.as_str()));
        let rest = [&document.publisher, &document.date].into_iter().flatten().cloned();
        std::iter::once(title).chain(rest).collect::<Vec<_>>().join(" · ")
    }

    /// Sentence, span and anchor, as far as the graph has them.
    pub fn place_line(&self) -> String {
        let mut parts = Vec::new();
        match self.citation.sentences.as_slice() {
            [] => {}
            [one] => parts.push(format!("sentence {one}")),
            several => parts.push(format!("sentences {}", several.join(", "))),
        }
        if let Some(span) = self.citation.span {
            parts.push(format!("characters {}–{}", span.start, span.end));
        }
        let mut line = parts.join(", ");
        if let Some(anchor) = &self.citation.anchor {
            line.push_str(&format!(": “{anchor}”"));
        }
        if line.is_empty() { "the document as a whole; its text is not at hand".into() } else { line }
    }
}

/// Looks up the cited text and verifies it.
fn place(citation: &Citation, text: &str) -> CitedText {
    if let Some(failure) = verify(citation, text).into_iter().next() {
        return CitedText::Differs(failure);
    }
    let marked = citation.span.and_then(|span| mark(text, span, citation.anchor.as_deref()));
    marked.map_or(CitedText::NotAtHand, CitedText::Verified)
}
