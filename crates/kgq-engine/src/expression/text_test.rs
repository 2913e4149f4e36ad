//! CONTAINS, STRSTARTS, STRENDS and REGEX of a variable, or of its STR(), with a constant, and comparisons of its STR() with one: read from
//! the dictionary without making a term or a string for every row. The length of strings is found in the same way.

use super::column::Datum;
use super::evaluate::Evaluation;
use super::numbers::Numbers;
use super::pattern::Pattern;
use super::range::Comparison;
use super::stretches::Stretches;
use super::value::{Text, Value};
use super::{Context, ROWS_BEFORE_SEARCH};
use crate::terms::Truth;
use kgq_snapshot::{Decoder, Family, Snapshot, TermId, TermKind, TextPattern, TextSearch, TextSearcher};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use memchr::memmem::Finder;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::atomic::{self, AtomicUsize};
use std::sync::{Arc, OnceLock};

#[derive(Debug)]
pub struct TextTest {
    test: Looking,
    /// Whether it tests STR() of the term, not a string.
    of_str: bool,
    /// Rows tested so far.
    rows: AtomicUsize,
    /// The ranges of terms that start with the text, computed once that pays.
    starting: OnceLock<Option<Stretches>>,
    /// What looking for the text in codes takes, prepared once that pays.
    in_codes: OnceLock<Option<TextSearch>>,
}

/// What is searched for. The text has no language, so it is compatible with any text (SPARQL 1.1 §17.4.3.1.2).
#[derive(Debug)]
pub enum Looking {
    Contains(Box<Finder<'static>>),
    StartsWith(String),
    EndsWith(String),
    Matches(Arc<Pattern>),
    /// A text that is equal to it, less or greater.
    Compared(Comparison, String),
}

impl Looking {
    pub fn containing(part: &str) -> Self {
        Self::Contains(Box::new(Finder::new(part).into_owned()))
    }

    /// Searches for matches of a regular expression.
    pub fn matching(pattern: Arc<Pattern>) -> Self {
        match pattern.as_literal() {
            Some((true, text, false)) => Self::StartsWith(text.to_owned()),
            Some((false, text, true)) => Self::EndsWith(text.to_owned()),
            Some((false, text, false)) => Self::containing(text),
            Some((true, _, true)) | None => Self::Matches(pattern),
        }
    }
}

/// The texts of stored terms.
struct TextsOfTerms<'s> {
    decoder: Decoder<'s>,
    /// Tells most of those that have not what is looked for, without decoding them.
    searcher: Option<TextSearcher<'s>>,
}

/// Rows between two checks of the clock.
const ROWS_BETWEEN_CHECKS: usize = 256;

/// With more languages and datatypes than this, no ranges are computed.
const MOST_CLASSES: usize = 256;

impl TextTest {
    pub fn new(test: Looking, of_str: bool) -> Self {
        Self { test, of_str, rows: AtomicUsize::new(0), starting: OnceLock::new(), in_codes: OnceLock::new() }
    }

    /// Whether the terms' texts need not be read.
    pub fn is_cheap(&self) -> bool {
        matches!(self.test, Looking::StartsWith(_) | Looking::Compared(..))
    }

    /// Where terms have what is looked for, if the order of texts tells it: IRIs, and literals of one language or datatype, are sorted by
    /// their text.
    pub fn stretches(&self, context: &Context<'_>) -> Option<&Stretches> {
        if !self.is_cheap() {
            return None;
        }
        let snapshot = context.terms.snapshot();
        let lay_out = || {
            let classes = snapshot.classes();
            if classes.len() > MOST_CLASSES {
                return None;
            }
            let mut stretches = Stretches::default();
            for class in classes {
                let has_text = match class.family {
                    Family::BlankNode | Family::Triple => false,
                    Family::String | Family::Language(_) => true,
                    _ => self.of_str,
                };
                if has_text && class.uniform {
                    for (end, holds) in self.parts(class.ids.clone(), snapshot) {
                        stretches.push(end, Some(holds.into()));
                    }
                } else {
                    // Numbers are sorted by their values, not by their texts.
                    stretches.push(class.ids.end, (!has_text).then_some(Truth::Error));
                }
            }
            Some(stretches)
        };
        self.starting.get_or_init(lay_out).as_ref()
    }

    /// Up to which of these ids, whose terms are sorted by their text, it holds and holds not.
    fn parts(&self, ids: Range<u32>, snapshot: &Snapshot) -> Vec<(u32, bool)> {
        match &self.test {
            Looking::StartsWith(start) => {
                let found = matching(start, |text| text.starts_with(start.as_bytes()), ids.clone(), snapshot);
                vec![(found.start, false), (found.end, true), (ids.end, false)]
            }
            Looking::Compared(comparison, constant) => {
                let equal = matching(constant, |text| text == constant.as_bytes(), ids.clone(), snapshot);
                let ends = [(equal.start, Ordering::Less), (equal.end, Ordering::Equal), (ids.end, Ordering::Greater)];
                ends.map(|(end, order)| (end, comparison.holds(order))).to_vec()
            }
            Looking::Contains(_) | Looking::EndsWith(_) | Looking::Matches(_) => Vec::new(),
        }
    }

    /// How the text is looked for in codes, if it can be.
    fn in_codes(&self, snapshot: &Snapshot) -> Option<&TextSearch> {
        let prepare = || {
            let pattern = match &self.test {
                Looking::Contains(part) => TextPattern::exact(part.needle()),
                Looking::Matches(pattern) => pattern.as_text_in_any_case().and_then(TextPattern::in_any_case),
                Looking::StartsWith(_) | Looking::EndsWith(_) | Looking::Compared(..) => None,
            };
            snapshot.text_search(&pattern?)
        };
        self.in_codes.get_or_init(prepare).as_ref()
    }

    pub fn truths(&self, ids: &[TermId], context: &Context<'_>) -> Result<Vec<Truth>> {
        let snapshot = context.terms.snapshot();
        let seen = self.rows.fetch_add(ids.len(), atomic::Ordering::Relaxed) + ids.len();
        let (stretches, in_codes) = match seen > ROWS_BEFORE_SEARCH {
            true => (self.stretches(context), self.in_codes(snapshot)),
            false => (None, None),
        };
        // Terms mostly come in the order of their ids, and a text is decoded from those near it.
        let mut texts = TextsOfTerms {
            decoder: snapshot.decoder(),
            searcher: in_codes.map(|search| snapshot.text_searcher(search)),
        };
        let mut truths: Vec<Truth> = Vec::with_capacity(ids.len());
        for (row, id) in ids.iter().enumerate() {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                context.terms.budget().check()?;
            }
            let truth = match truths.last() {
                Some(last) if ids[row - 1] == *id => *last,
                _ => match stretches.and_then(|stretches| stretches.truth(*id)) {
                    Some(truth) => truth,
                    None => self.truth(*id, context, &mut texts),
                },
            };
            truths.push(truth);
        }
        Ok(truths)
    }

    fn truth(&self, id: TermId, context: &Context<'_>, texts: &mut TextsOfTerms<'_>) -> Truth {
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
            snapshot.is_string(id)
        };
        if !has_text {
            return Truth::Error;
        }
        match texts.searcher.as_mut().and_then(|searcher| searcher.finds(id)) {
            Some(false) => Truth::False,
            Some(true) if matches!(self.test, Looking::Contains(_)) => Truth::True,
            _ => texts.decoder.text(id).and_then(|text| self.holds(text)).into(),
        }
    }

    fn truth_of_computed(&self, id: TermId, context: &Context<'_>) -> Option<bool> {
        let term = context.terms.term(id);
        match term {
            Term::NamedNode(iri) if self.of_str => self.holds(iri.as_str().as_bytes()),
            Term::Literal(literal) if self.of_str => self.holds(literal.value().as_bytes()),
            _ if self.of_str => None,
            term => match Value::of(term) {
                Value::Text(Text { value, .. }) => self.holds(value.as_bytes()),
                _ => None,
            },
        }
    }

    /// Whether the test holds for a text. It is UTF-8, so a match in its bytes is a match in its characters.
    fn holds(&self, text: &[u8]) -> Option<bool> {
        Some(match &self.test {
            Looking::Contains(part) => part.find(text).is_some(),
            Looking::StartsWith(part) => text.starts_with(part.as_bytes()),
            Looking::EndsWith(part) => text.ends_with(part.as_bytes()),
            Looking::Compared(comparison, constant) => comparison.holds(text.cmp(constant.as_bytes())),
            Looking::Matches(pattern) => pattern.is_match(std::str::from_utf8(text).ok()?),
        })
    }
}

/// Returns the terms of a column as arguments of a string function. Stored strings are read one after the other, each
/// decoded from those near it.
pub fn strings(ids: &[TermId], evaluation: &Evaluation<'_>) -> Result<Vec<Option<Datum>>> {
    let context = evaluation.context;
    let snapshot = context.terms.snapshot();
    let mut decoder = snapshot.decoder();
    let mut data: Vec<Option<Datum>> = Vec::with_capacity(ids.len());
    for (row, id) in ids.iter().enumerate() {
        if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
            context.terms.budget().check()?;
        }
        let datum = match data.last() {
            Some(last) if ids[row - 1] == *id => last.clone(),
            _ if *id == TermId::UNBOUND => None,
            _ if !context.terms.is_stored(*id) => Some(Datum::Term(*id)),
            _ => match snapshot.value_rank(*id).0 {
                Family::String => decoder.text(*id).map(text_datum),
                Family::Language(_) => decoder.term(*id).map(|term| Datum::Value(Value::of(term))),
                _ => Some(Datum::Term(*id)),
            },
        };
        data.push(evaluation.counted(datum)?);
    }
    Ok(data)
}

fn text_datum(text: &[u8]) -> Datum {
    Datum::Value(Value::string(String::from_utf8_lossy(text).into_owned()))
}

/// STRLEN of a column of strings, or of the texts of its terms (`of_str`); `None` if a term is not stored or has no text.
///
/// # Errors
/// A limit of the query.
pub fn lengths(ids: &[TermId], of_str: bool, evaluation: &Evaluation<'_>) -> Result<Option<Numbers>> {
    let context = evaluation.context;
    let snapshot = context.terms.snapshot();
    let mut decoder = snapshot.decoder();
    let mut lengths: Vec<i64> = Vec::with_capacity(ids.len());
    for (row, id) in ids.iter().enumerate() {
        if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
            context.terms.budget().check()?;
        }
        if row > 0 && ids[row - 1] == *id {
            lengths.push(lengths[row - 1]);
            continue;
        }
        if *id == TermId::UNBOUND || !context.terms.is_stored(*id) {
            return Ok(None);
        }
        let is_text = match of_str {
            true => matches!(snapshot.kind(*id), TermKind::Iri | TermKind::Literal),
            false => snapshot.is_string(*id),
        };
        let Some(text) = decoder.text(*id).filter(|_| is_text) else { return Ok(None) };
        lengths.push(characters(text));
    }
    Ok(Some(Numbers::Integers(lengths)))
}

/// Counts the characters of a text: of a character's bytes, all but the first begin with the bits 10.
fn characters(text: &[u8]) -> i64 {
    // Counts in single bytes, so that the processor handles many at once; 255 of them cannot overflow.
    let of = |part: &[u8]| part.iter().map(|byte| u8::from(byte & 0xC0 != 0x80)).fold(0u8, u8::wrapping_add);
    text.chunks(255).map(|part| i64::from(of(part))).sum()
}

/// Of these ids, whose terms are sorted by their text, those from the first on whose text is not less than `least`, as long as `fits`.
fn matching(least: &str, fits: impl Fn(&[u8]) -> bool, all: Range<u32>, snapshot: &Snapshot) -> Range<u32> {
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
    let begin = first(all.clone(), &|text| text < least.as_bytes());
    begin..first(begin..all.end, &fits)
}
