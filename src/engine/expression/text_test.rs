//! CONTAINS, STRSTARTS, STRENDS and REGEX of a variable, or of its STR(), with a constant: read from the dictionary into one
//! buffer, without making a term or a string for every row.

use super::Context;
use super::pattern::Pattern;
use super::value::Text;
use crate::engine::terms::Truth;
use crate::error::Result;
use crate::rdf::Term;
use crate::snapshot::{Family, TermId, TermKind};
use std::sync::Arc;

#[derive(Debug)]
pub struct TextTest {
    pub test: Looking,
    /// Whether it looks at STR() of the term, not at a string.
    pub of_str: bool,
}

/// What is looked for. Strings to look for have no language, so they go with any text (SPARQL 1.1 §17.4.3.1.2).
#[derive(Debug)]
pub enum Looking {
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Matches(Arc<Pattern>),
}

/// Rows between two looks at the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

impl TextTest {
    pub fn truths(&self, ids: &[TermId], context: &Context<'_>) -> Result<Vec<Truth>> {
        let mut buffer = Vec::new();
        let mut truths = Vec::with_capacity(ids.len());
        for (row, id) in ids.iter().enumerate() {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                context.terms.guard().check()?;
            }
            truths.push(self.truth(*id, context, &mut buffer));
        }
        Ok(truths)
    }

    fn truth(&self, id: TermId, context: &Context<'_>, buffer: &mut Vec<u8>) -> Truth {
        let terms = &context.terms;
        if id == TermId::UNBOUND {
            return Truth::Error;
        }
        if !terms.is_stored(id) {
            return self.truth_of_computed(id, context).into();
        }
        let snapshot = terms.snapshot();
        let has_text = if self.of_str {
            matches!(snapshot.kind(id), TermKind::Iri | TermKind::Literal)
        } else {
            matches!(snapshot.value_rank(id).0, Family::String | Family::Language(_))
        };
        if !has_text || !snapshot.text(id, buffer) {
            return Truth::Error;
        }
        match std::str::from_utf8(buffer) {
            Ok(text) => self.holds(text).into(),
            Err(_) => Truth::Error,
        }
    }

    fn truth_of_computed(&self, id: TermId, context: &Context<'_>) -> Option<bool> {
        let term = context.terms.term(id);
        match term {
            Term::NamedNode(iri) if self.of_str => Some(self.holds(iri.as_str())),
            Term::Literal(literal) if self.of_str => Some(self.holds(literal.value())),
            _ if self.of_str => None,
            term => match super::value::Value::of(term) {
                super::value::Value::Text(Text { value, .. }) => Some(self.holds(&value)),
                _ => None,
            },
        }
    }

    fn holds(&self, text: &str) -> bool {
        match &self.test {
            Looking::Contains(part) => text.contains(part),
            Looking::StartsWith(part) => text.starts_with(part),
            Looking::EndsWith(part) => text.ends_with(part),
            Looking::Matches(pattern) => pattern.is_match(text),
        }
    }
}
