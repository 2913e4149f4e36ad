//! The sources of rows and statements: each citation once, with a number by which rows refer to it.

use super::cells::shortened;
use kgq_graph::audit::{Audit, CitedText, Reference, Texts};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Triple};
use serde_json::{Map, Value};

/// The citations collected so far.
pub struct Citations<'a> {
    audit: Audit<'a>,
    texts: Texts,
    named: Vec<NamedNode>,
}

impl<'a> Citations<'a> {
    /// Starts a collection; `None` if the graph has no citations.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn of(graph: &'a Graph) -> Result<Option<Self>> {
        let audit = graph.audit()?;
        if !audit.has_citations() {
            return Ok(None);
        }
        let texts = graph.source_texts(&audit, &[])?;
        Ok(Some(Self { audit, texts, named: Vec::new() }))
    }

    pub fn audit(&self) -> &Audit<'a> {
        &self.audit
    }

    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Drops the citations after the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.named.truncate(len);
    }

    /// The numbers of these citations, counted from 1.
    pub fn numbers(&mut self, citations: &[NamedNode]) -> Vec<usize> {
        citations.iter().map(|citation| self.number(citation)).collect()
    }

    fn number(&mut self, citation: &NamedNode) -> usize {
        if let Some(at) = self.named.iter().position(|named| named == citation) {
            return at + 1;
        }
        self.named.push(citation.clone());
        self.named.len()
    }

    /// The numbers of the sources of a triple; those of an inference's premises are included.
    pub fn of_triple(&mut self, triple: &Triple) -> Vec<usize> {
        let statements = self.audit.statements(triple);
        let mut all: Vec<NamedNode> = Vec::new();
        for citation in statements.iter().flat_map(|statement| self.audit.all_citations(statement)) {
            if !all.contains(&citation) {
                all.push(citation);
            }
        }
        self.numbers(&all)
    }

    /// The citation with this number, as JSON.
    pub fn told(&self, number: usize) -> Value {
        let Some(iri) = number.checked_sub(1).and_then(|at| self.named.get(at)) else { return Value::Null };
        let reference = Reference::new(iri, &self.audit, &self.texts);
        let mut told = Map::new();
        told.insert("n".into(), number.into());
        told.insert("document".into(), shortened(&reference.document_line()).into());
        told.insert("place".into(), shortened(&reference.place_line()).into());
        let text = match &reference.place {
            CitedText::Verified(marked) => Some(format!("{}{}{}", marked.before, marked.anchor, marked.after)),
            CitedText::Differs(_) => {
                told.insert("warning".into(), "the text at hand is not what was cited".into());
                None
            }
            CitedText::NotAtHand => None,
        };
        if let Some(text) = text {
            told.insert("text".into(), shortened(text.trim()).into());
        }
        Value::Object(told)
    }

    pub fn all(&self) -> Vec<Value> {
        (1..=self.named.len()).map(|number| self.told(number)).collect()
    }
}
