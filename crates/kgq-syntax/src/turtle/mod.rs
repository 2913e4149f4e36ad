//! Turtle, TriG, N-Triples, N-Quads and N3: tokens, the syntax tree of a text, and its triples with their places.

mod directive;
pub(super) mod parse;
pub mod pieces;
mod term;
pub mod tree;
pub mod triples;

use super::Token;
use super::diagnose::Known;
use super::scan::{self, Language};
use crate::error::{Result, Source};
use tree::{Dialect, Document};

const LANGUAGE: Language = Language {
    is_keyword,
    punctuation: &[
        "<<(", ")>>", "<<", ">>", "{|", "|}", "^^", "=>", "<=", "{", "}", "(", ")", "[", "]", ".", ";", ",", "~", "=",
        "!", "^",
    ],
    signed_numbers: true,
    compares: false,
    directives: &["prefix", "base", "version", "forAll", "forSome", "keywords"],
};

fn is_keyword(word: &str) -> bool {
    matches!(word, "a" | "true" | "false")
        || ["PREFIX", "BASE", "VERSION", "GRAPH"].iter().any(|k| k.eq_ignore_ascii_case(word))
}

/// The tokens of a text, valid or not, without gaps.
pub fn tokenize(text: &str) -> Vec<Token> {
    scan::tokenize(text, &LANGUAGE)
}

/// The syntax tree of a text.
///
/// # Errors
/// The first mistake, with its place.
pub fn parse(source: Source<'_>, dialect: Dialect, known: Known<'_>) -> Result<Document> {
    parse::parse(source.text, dialect, known).map_err(|fault| fault.into_error(source))
}
