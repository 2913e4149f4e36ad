//! Explains parse errors in words: what was expected, where the mistake is, and one suggestion.
//!
//! A parser reports where it gave up. Here the tokens are walked along the grammar once more, and the first place that
//! deviates from it is reported. The walk decides nothing: it only runs on texts that the parser refused.

mod expression;
mod pattern;
mod query;
mod scope;
mod term;
mod update;
mod walk;

use super::Span;
use super::fault::Fault;
use super::turtle::parse;
use super::turtle::tree::Dialect;
use crate::error::{Error, Source};
use walk::Walk;
pub(super) use walk::{prefix_hint, unknown_prefix};

/// The context in which the text was written.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// The prefixes, with their IRIs, that may be used undeclared.
    pub prefixes: &'a [(&'a str, &'a str)],
    /// Whether relative IRIs can be resolved without a `BASE` in the text.
    pub base: bool,
}

/// Explains why a query was refused. `refusal` is the parser's own message, used only if the walk finds no mistake.
pub fn query(source: Source<'_>, refusal: &str, known: Known<'_>) -> Error {
    let mut walk = Walk::new(source.text, known);
    let fault = walk.query_unit().err().or_else(|| walk.scope_fault());
    finish(source, refusal, walk.earlier(fault))
}

/// Explains why an update was refused.
pub fn update(source: Source<'_>, refusal: &str, known: Known<'_>) -> Error {
    let mut walk = Walk::new(source.text, known);
    let fault = walk.update_unit().err().or_else(|| walk.scope_fault());
    finish(source, refusal, walk.earlier(fault))
}

/// Explains why Turtle, TriG, N-Triples or N-Quads was refused. `refusal` and `place` are the parser's own message and its
/// span in bytes, used only if the walk finds no mistake.
pub fn turtle(source: Source<'_>, dialect: Dialect, refusal: &str, place: Span, known: Known<'_>) -> Error {
    match parse::parse(source.text, dialect, known) {
        Err(fault) => fault.into_error(source),
        Ok(_) => Error::input(walk::lower(refusal.trim_end_matches('.'))).at(source.place(place)),
    }
}

fn finish(source: Source<'_>, refusal: &str, fault: Option<Fault>) -> Error {
    if let Some(fault) = fault.filter(|fault| !fault.is_given_up()) {
        return fault.into_error(source);
    }
    let at = position(source.text, refusal).unwrap_or(source.text.len());
    // Keep the parser's own sentences, but not its lists of grammar tokens.
    let message = match sentence(refusal) {
        Some(sentence) => format!("this is not valid: {sentence}"),
        None => "this is not valid SPARQL from here on".into(),
    };
    Error::input(message).at(source.place(at..at))
}

/// The byte that `error at LINE:COLUMN` points to.
fn position(text: &str, refusal: &str) -> Option<usize> {
    let (line, rest) = refusal.strip_prefix("error at ")?.split_once(':')?;
    let column: usize = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let line: usize = line.parse().ok()?;
    let start = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
    let inside = text.get(start..)?.char_indices().nth(column.checked_sub(1)?).map_or(text.len() - start, |(i, _)| i);
    Some(start + inside)
}

/// From a list of expectations, the one that is a sentence, such as "Repeated variables are not allowed in VALUES clauses".
fn sentence(refusal: &str) -> Option<&str> {
    let (_, expected) = refusal.split_once("expected ")?;
    expected
        .trim_start_matches("one of ")
        .split(", ")
        .map(|item| item.trim_end_matches('.'))
        .find(|item| item.split(' ').count() > 3 && !item.starts_with(['"', '[']))
}
