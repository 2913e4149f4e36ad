//! Turtle, TriG, N-Triples, N-Quads and N3 in tokens.

use super::Token;
use super::scan::{self, Language};

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

/// The tokens of a text, valid or not, without a gap.
pub fn tokenize(text: &str) -> Vec<Token> {
    scan::tokenize(text, &LANGUAGE)
}
