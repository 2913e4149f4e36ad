//! The lowest layer of `kgq`: reads text and knows nothing about graphs.
//!
//! - [`text`]: what may be sent to a terminal, widths, similar names.
//! - [`error`]: the only error type, with a place, a caret and hints.
//! - [`budget`]: the limits of work (time, memory, rows), and the way to stop it.
//! - [`rdf`]: terms, prefixes, formats, vocabularies.
//! - [`sparql`], [`turtle`]: lossless tokens with spans, and what can be read off them alone: prefixes, parameters,
//!   highlighting, the places of statements.
//! - [`diagnose`]: explains in words why a text does not parse.
//! - [`bounds`], [`guard`], [`watch`]: limits on texts, checked before a parser sees them.
//!
//! Nothing here decides whether a text is valid: spargebra, oxttl and the other parsers do.
//!
//! ```
//! use kgq_syntax::error::{Error, Source};
//! use kgq_syntax::sparql::tokenize;
//!
//! let text = "ASK { ?person foaf:name 'Ada' }";
//! let tokens = tokenize(text);
//! // The tokens follow each other without a gap and together are the text.
//! assert_eq!(tokens.iter().map(|token| token.end - token.start).sum::<usize>(), text.len());
//!
//! let error = Error::input("unknown prefix `foaf`").at(Source::new("q.rq", text).place(14..18));
//! assert!(error.render(false).starts_with("q.rq:1:15: unknown prefix `foaf`"));
//! ```

pub mod bounds;
pub mod budget;
pub mod cursor;
pub mod diagnose;
pub mod directive;
pub mod embedded;
pub mod error;
mod fault;
pub mod guard;
pub mod highlight;
mod lexical;
pub mod near;
mod patterns;
pub mod rdf;
pub mod rewrite;
mod scan;
pub mod sort;
pub mod sparql;
pub mod strict;
pub mod text;
pub mod turtle;
pub mod watch;
pub mod words;
pub mod xpath_regex;

use std::ops::Range;

/// A range of bytes of a text.
pub type Span = Range<usize>;

/// A piece of a text. The tokens of a text follow each other without gaps and together make up the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn span(&self) -> Span {
        self.start..self.end
    }

    /// The token's own text. `source` must be the text that was tokenized.
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether this is the given punctuation or operator.
    pub fn is(&self, source: &str, punctuation: &str) -> bool {
        self.kind == TokenKind::Punctuation && self.text(source) == punctuation
    }

    /// Whether this is the given keyword, in upper or lower case.
    pub fn is_keyword(&self, source: &str, keyword: &str) -> bool {
        self.kind == TokenKind::Keyword && self.text(source).eq_ignore_ascii_case(keyword)
    }

    /// Whether a parser ignores it.
    pub fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Whitespace | TokenKind::Comment)
    }

    /// Prefix and local part of a prefixed name, as written (escapes kept).
    pub(crate) fn prefixed_name<'a>(&self, source: &'a str) -> Option<(&'a str, &'a str)> {
        match self.kind {
            TokenKind::PrefixedName => self.text(source).split_once(':'),
            _ => None,
        }
    }

    /// A variable's name without its `?` or `$`.
    pub fn variable<'a>(&self, source: &'a str) -> Option<&'a str> {
        match self.kind {
            TokenKind::Variable => self.text(source).get(1..),
            _ => None,
        }
    }
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    Whitespace,
    /// `# …` to the end of the line, without the line break.
    Comment,
    /// A word of the language, including function names; in Turtle also `@prefix` and the like.
    Keyword,
    /// A bare word that the language does not know.
    Word,
    /// `?name` or `$name`.
    Variable,
    /// `prefix:local`, either part possibly empty.
    PrefixedName,
    /// `<…>`, well formed.
    Iri,
    /// Clearly meant as `<…>`, but with a forbidden character (a space, a brace, …) or without its end.
    BadIri,
    /// `_:label`.
    BlankNode,
    String(Quotes),
    Integer,
    Decimal,
    Double,
    /// `@en`, `@en-GB`, `@ar--rtl`.
    LangTag,
    Punctuation,
    /// A character that cannot begin any token.
    Unknown,
}

/// How a string is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quotes {
    /// `"` or `'`.
    pub mark: char,
    /// Three marks on each side.
    pub long: bool,
    /// Whether the closing marks are there. An open short string ends with its line, an open long one with the text.
    pub closed: bool,
}

/// The tokens without whitespace and comments.
pub fn significant(tokens: &[Token]) -> Vec<Token> {
    tokens.iter().filter(|t| !t.is_trivia()).copied().collect()
}
