//! CONTAINS, STRSTARTS, STRENDS and REGEX of a variable, or of its STR(), with a constant: read from the dictionary without
//! making a term or a string for every row. The length of strings is found in the same way.

use super::Context;
use super::pattern::Pattern;
use super::value::Text;
use crate::terms::Truth;
use kgq_snapshot::{Decoder, Family, Snapshot, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

#[derive(Debug)]
pub struct TextTest {
    test: Looking,
    /// Whether it looks at STR() of the term, not at a string.
    of_str: bool,
    /// Rows tested so far.
    rows: AtomicUsize,
    /// The IRIs and the plain strings that start with what is looked for, once that is worth finding out.
    starting: OnceLock<[Range<u32>; 2]>,
}

/// What is looked for. Strings to look for have no language, so they go with any text (SPARQL 1.1 §17.4.3.1.2).
#[derive(Debug)]
pub enum Looking {
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Matches(Arc<Pattern>),
}

impl Looking {
    /// Looks for what a regular expression matches.
    pub fn matching(pattern: Arc<Pattern>) -> Self {
        match pattern.as_literal() {
            Some((true, text, false)) => Self::StartsWith(text.to_owned()),
            Some((false, text, true)) => Self::EndsWith(text.to_owned()),
            Some((false, text, false)) => Self::Contains(text.to_owned()),
            Some((true, _, true)) | None => Self::Matches(pattern),
        }
    }
}

/// Rows between two looks at the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

/// Rows after which the dictionary, where IRIs and strings are sorted, is searched for those that start alike.
const ROWS_BEFORE_SEARCH: usize = 512;

impl TextTest {
    pub fn new(test: Looking, of_str: bool) -> Self {
        Self { test, of_str, rows: AtomicUsize::new(0), starting: OnceLock::new() }
    }

    /// Whether the terms need not be read.
    pub fn is_cheap(&self) -> bool {
        matches!(self.test, Looking::StartsWith(_))
    }

    pub fn truths(&self, ids: &[TermId], context: &Context<'_>) -> Result<Vec<Truth>> {
        if let Looking::StartsWith(start) = &self.test
            && self.starting.get().is_none()
            && self.rows.fetch_add(ids.len(), Ordering::Relaxed) + ids.len() > ROWS_BEFORE_SEARCH
        {
            let snapshot = context.terms.snapshot();
            self.starting.get_or_init(|| [Family::Iri, Family::String].map(|family| starting(start, family, snapshot)));
        }
        // Terms mostly come in the order of their ids, in which near ones are decoded from each other.
        let mut decoder = context.terms.snapshot().decoder();
        let mut truths: Vec<Truth> = Vec::with_capacity(ids.len());
        for (row, id) in ids.iter().enumerate() {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                context.terms.budget().check()?;
            }
            let truth = match truths.last() {
                Some(last) if ids[row - 1] == *id => *last,
                _ => self.truth(*id, context, &mut decoder),
            };
            truths.push(truth);
        }
        Ok(truths)
    }

    fn truth(&self, id: TermId, context: &Context<'_>, decoder: &mut Decoder<'_>) -> Truth {
        let terms = &context.terms;
        if id == TermId::UNBOUND {
            return Truth::Error;
        }
        if !terms.is_stored(id) {
            return self.truth_of_computed(id, context).into();
        }
        let snapshot = terms.snapshot();
        if let Some([iris, strings]) = self.starting.get() {
            match snapshot.value_rank(id).0 {
                Family::Iri if self.of_str => return iris.contains(&id.get()).into(),
                Family::String => return strings.contains(&id.get()).into(),
                _ => {}
            }
        }
        let has_text = if self.of_str {
            matches!(snapshot.kind(id), TermKind::Iri | TermKind::Literal)
        } else {
            matches!(snapshot.value_rank(id).0, Family::String | Family::Language(_))
        };
        let text = if has_text { decoder.text(id) } else { None };
        match text.map(std::str::from_utf8) {
            Some(Ok(text)) => self.holds(text).into(),
            Some(Err(_)) | None => Truth::Error,
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

/// STRLEN of strings that the snapshot has; `None` in the place of other terms.
pub fn lengths(ids: &[TermId], context: &Context<'_>) -> Result<Vec<Option<i64>>> {
    let snapshot = context.terms.snapshot();
    let mut decoder = snapshot.decoder();
    let mut lengths = Vec::with_capacity(ids.len());
    for (row, id) in ids.iter().enumerate() {
        if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
            context.terms.budget().check()?;
        }
        let is_text = *id != TermId::UNBOUND
            && context.terms.is_stored(*id)
            && matches!(snapshot.value_rank(*id).0, Family::String | Family::Language(_));
        let text = if is_text { decoder.text(*id) } else { None };
        // All bytes of a character but the first start with the bits 10.
        lengths.push(text.map(|text| text.iter().map(|byte| i64::from(byte & 0xC0 != 0x80)).sum()));
    }
    Ok(lengths)
}

/// The ids of the terms of a family, sorted by their text, whose text starts with `start`.
fn starting(start: &str, family: Family, snapshot: &Snapshot) -> Range<u32> {
    let all = snapshot.family_range(family);
    let mut buffer = Vec::new();
    let mut first = |from: Range<u32>, holds: &dyn Fn(&[u8]) -> bool| {
        let (mut low, mut high) = (from.start, from.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if snapshot.text(TermId::new(middle), &mut buffer) && holds(&buffer) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let begin = first(all.clone(), &|text| text < start.as_bytes());
    begin..first(begin..all.end, &|text| text.starts_with(start.as_bytes()))
}
