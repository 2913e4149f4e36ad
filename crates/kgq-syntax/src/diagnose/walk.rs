//! The basis of the walk: the current token, the open brackets, and the message that something else was expected.

use super::Known;
use super::scope::Scopes;
use crate::fault::{Fault, Walked};
use crate::lexical;
use crate::sparql::{self, closing};
use crate::text::{did_you_mean, nearest};
use crate::{Span, Token, TokenKind, significant, words};

/// The deepest nesting that is safe on a small stack; the bounds do not allow more unless they are raised.
const MAX_WALK_DEPTH: usize = 160;

pub(super) struct Walk<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub at: usize,
    pub known: Known<'a>,
    pub declared: Vec<&'a str>,
    pub has_base: bool,
    /// The open brackets, with their places.
    pub open: Vec<(&'static str, Span)>,
    pub scopes: Scopes<'a>,
}

impl<'a> Walk<'a> {
    pub fn new(text: &'a str, known: Known<'a>) -> Self {
        let tokens = significant(&sparql::tokenize(text));
        let has_base = known.base;
        Self { text, tokens, at: 0, known, declared: Vec::new(), has_base, open: Vec::new(), scopes: Scopes::default() }
    }

    pub fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub fn peek_at(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub fn previous(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    pub fn kind(&self) -> Option<TokenKind> {
        self.peek().map(|t| t.kind)
    }

    pub fn words(&self, token: Token) -> &'a str {
        token.text(self.text)
    }

    /// The current token's text; empty at the end.
    pub fn here(&self) -> &'a str {
        self.peek().map_or("", |t| t.text(self.text))
    }

    pub fn is(&self, punctuation: &str) -> bool {
        self.peek().is_some_and(|t| t.is(self.text, punctuation))
    }

    pub fn is_any(&self, punctuation: &[&str]) -> bool {
        self.kind() == Some(TokenKind::Punctuation) && punctuation.contains(&self.here())
    }

    pub fn kw(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|t| t.is_keyword(self.text, keyword))
    }

    pub fn kw_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| self.kw(k))
    }

    pub fn kw_at(&self, ahead: usize, keyword: &str) -> bool {
        self.peek_at(ahead).is_some_and(|t| t.is_keyword(self.text, keyword))
    }

    pub fn is_at(&self, ahead: usize, punctuation: &str) -> bool {
        self.peek_at(ahead).is_some_and(|t| t.is(self.text, punctuation))
    }

    pub fn advance(&mut self) {
        self.at += 1;
    }

    pub fn eat_kw(&mut self, keyword: &str) -> bool {
        let found = self.kw(keyword);
        self.at += usize::from(found);
        found
    }

    pub fn eat(&mut self, punctuation: &str) -> bool {
        let found = self.is(punctuation);
        self.at += usize::from(found);
        found
    }

    /// Reads a keyword that is required here; if it is misspelt, the fault names it.
    pub fn expect_kw(&mut self, keyword: &'static str) -> Walked {
        if self.eat_kw(keyword) {
            return Ok(());
        }
        let after = self.previous().map_or(String::new(), |t| format!(" after {}", self.name(t)));
        Err(self.misspelt(&[keyword]).unwrap_or_else(|| self.unexpected(&format!("`{keyword}`{after}"))))
    }

    /// Reads an opening bracket that is required here. `purpose` says what for.
    pub fn open(&mut self, mark: &'static str, purpose: &str) -> Walked {
        if !self.is(mark) {
            return Err(self.unexpected(&format!("`{mark}` {purpose}")));
        }
        if self.open.len() >= MAX_WALK_DEPTH {
            return Err(Fault::given_up(self.span_here()));
        }
        self.open.push((mark, self.span_here()));
        self.advance();
        Ok(())
    }

    /// Reads the bracket that closes the last one opened.
    pub fn close(&mut self) -> Walked {
        let Some((mark, span)) = self.open.last().cloned() else { return Ok(()) };
        let closer = closing(mark).unwrap_or("");
        if self.is(closer) {
            self.open.pop();
            self.advance();
            return Ok(());
        }
        let opened = self.line(span.start);
        if self.is_any(&["}", ")", "]", ">>", ")>>", "|}"]) {
            let here = self.here();
            return Err(Fault::new(
                self.span_here(),
                format!("`{closer}` is missing before `{here}`, to close the `{mark}` of line {opened}"),
            ));
        }
        Err(self.unexpected(&format!("`{closer}`")))
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    pub fn span_here(&self) -> Span {
        self.peek().map_or_else(|| self.end(), |t| t.span())
    }

    /// The position just after the last token read: where something is missing.
    pub fn end(&self) -> Span {
        self.previous().map_or(0..0, |t| t.end..t.end)
    }

    pub fn fault_here(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.span_here(), message)
    }

    /// "expected … , found …", unless the token itself is a mistake that says more.
    pub fn unexpected(&self, expected: &str) -> Fault {
        if let Some(fault) = self.lexical_fault() {
            return fault;
        }
        let Some(token) = self.peek() else {
            return match self.open.last() {
                Some((mark, span)) => Fault::new(span.clone(), format!("this `{mark}` is never closed"))
                    .hint(format!("add `{}`", closing(mark).unwrap_or_default())),
                None if self.tokens.is_empty() => Fault::new(0..0, "there is no query here"),
                None => Fault::new(self.end(), format!("the query ends here, but {expected} must follow")),
            };
        };
        Fault::new(token.span(), format!("expected {expected}, found {}", self.name(token)))
    }

    /// A token's name in messages.
    pub fn name(&self, token: Token) -> String {
        let text: String = self.words(token).chars().take(40).collect();
        match token.kind {
            TokenKind::String(_) => format!("the text {text}"),
            TokenKind::Keyword => format!("`{}`", text.to_uppercase()),
            _ => format!("`{text}`"),
        }
    }

    /// The mistake in the current token, if it is one in any position.
    pub fn lexical_fault(&self) -> Option<Fault> {
        let token = self.peek()?;
        lexical::fault(self.text, token, self.previous()).or_else(|| self.foreign_comment())
    }

    /// The fault of a comment sign from another language.
    fn foreign_comment(&self) -> Option<Fault> {
        let (first, second) = (self.peek()?, self.peek_at(1)?);
        let mark = self.text.get(first.start..second.end)?;
        matches!(mark, "//" | "--" | "/*").then(|| {
            Fault::new(first.start..second.end, format!("`{mark}` does not start a comment"))
                .hint("a comment begins with `#`")
        })
    }

    /// The fault of the current word, if it is a near miss of one of these keywords.
    pub fn misspelt(&self, keywords: &[&'static str]) -> Option<Fault> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::Word | TokenKind::Keyword) {
            return None;
        }
        let word = self.words(token);
        let near = nearest(&word.to_uppercase(), keywords.iter().copied(), 1);
        let near = near.first()?;
        Some(Fault::new(token.span(), format!("unknown keyword `{word}`")).hint(format!("did you mean `{near}`?")))
    }

    /// Reads an IRI or prefixed name that is required here.
    pub fn iri(&mut self, what: &str) -> Walked {
        match self.kind() {
            Some(TokenKind::Iri) => {
                self.check_iri()?;
                self.advance();
                Ok(())
            }
            Some(TokenKind::PrefixedName) => {
                self.check_prefix()?;
                self.advance();
                Ok(())
            }
            Some(TokenKind::Word) => {
                let word = self.here();
                Err(self
                    .fault_here(format!("expected {what}, found the bare word `{word}`"))
                    .hint(format!("write an IRI `<…>` or a prefixed name such as `ex:{word}`")))
            }
            _ => Err(self.unexpected(&format!("{what}, as `<…>` or `prefix:name`"))),
        }
    }

    fn check_iri(&self) -> Walked {
        let Some(token) = self.peek() else { return Ok(()) };
        let text = self.words(token);
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        if inner.contains('\\') {
            return Ok(());
        }
        match oxiri::IriRef::parse(inner) {
            Ok(iri) if iri.scheme().is_none() && !self.has_base => Err(Fault::new(
                token.span(),
                format!("{text} is a relative IRI, and there is no base to resolve it against"),
            )
            .hint("write the whole IRI, or add `BASE <http://…/>` before")),
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Fault::new(token.span(), format!("{text} is not a valid IRI: {}", lower(&error.to_string()))))
            }
        }
    }

    fn check_prefix(&self) -> Walked {
        let Some(token) = self.peek() else { return Ok(()) };
        let Some((prefix, _)) = token.prefixed_name(self.text) else { return Ok(()) };
        if self.declared.contains(&prefix) || self.known.prefixes.iter().any(|(p, _)| *p == prefix) {
            return Ok(());
        }
        Err(Fault::new(token.start..token.start + prefix.len(), unknown_prefix(prefix)).hint(prefix_hint(
            prefix,
            self.known.prefixes,
            &self.declared,
            |p, iri| format!("PREFIX {p}: <{iri}>"),
        )))
    }

    /// Prefers a mistake that the walk cannot see, because it hides inside a name: full-width punctuation shortly before.
    pub fn earlier(&self, fault: Option<Fault>) -> Option<Fault> {
        const NEAR: usize = 6;
        let until = fault.as_ref().map_or(self.text.len(), |f| f.span.end);
        let read = self.tokens.iter().take_while(|t| t.start <= until).count();
        let from = if fault.is_some() { read.saturating_sub(NEAR) } else { 0 };
        self.tokens[from..read].iter().find_map(|t| lexical::full_width(self.text, *t)).or(fault)
    }
}

pub(crate) fn unknown_prefix(prefix: &str) -> String {
    if prefix.is_empty() { "the empty prefix `:` is not declared".into() } else { format!("unknown prefix `{prefix}`") }
}

/// The similar prefix, and the declaration to add if its IRI is known.
pub(crate) fn prefix_hint(
    prefix: &str,
    known: &[(&str, &str)],
    declared: &[&str],
    declaration: impl Fn(&str, &str) -> String,
) -> String {
    if let Some((_, iri)) = words::WELL_KNOWN_PREFIXES.iter().find(|(p, _)| *p == prefix) {
        return format!("add `{}`", declaration(prefix, iri));
    }
    if let Some((_, engine)) = words::FOREIGN_PREFIXES.iter().find(|(p, _)| *p == prefix) {
        return format!("{engine} declares `{prefix}:` by itself, for functions that kgq does not have");
    }
    let usable = declared.iter().copied().chain(known.iter().map(|(p, _)| *p));
    if let Some(near) = did_you_mean(prefix, usable) {
        return near;
    }
    let well_known = words::WELL_KNOWN_PREFIXES.iter().map(|(p, _)| *p);
    if let Some(near) = nearest(prefix, well_known, 1).first()
        && let Some((p, iri)) = words::WELL_KNOWN_PREFIXES.iter().find(|(p, _)| p == near)
    {
        return format!("did you mean `{p}`? add `{}`", declaration(p, iri));
    }
    format!("declare it: `{}`", declaration(prefix, "…"))
}

pub(super) fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}
