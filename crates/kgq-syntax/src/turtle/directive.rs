//! `@prefix`, `PREFIX` and similar directives.

use super::parse::Parser;
use super::tree::*;
use crate::fault::{Fault, Walked};
use crate::text::nearest;
use crate::{Span, TokenKind};

impl Parser<'_> {
    pub(super) fn directive(&mut self) -> Walked<Option<Directive>> {
        let Some(token) = self.peek() else { return Ok(None) };
        let word = token.text(self.text);
        let (at_sign, name) = match (token.kind, word.strip_prefix('@')) {
            (TokenKind::Keyword, Some(name)) => (true, name.to_ascii_lowercase()),
            (TokenKind::Keyword, None) => (false, word.to_ascii_lowercase()),
            (TokenKind::LangTag, Some(name)) => {
                let near = nearest(name, ["prefix", "base", "version"], 1);
                let fault = self.fault(format!("unknown directive `{word}`"));
                // A word in upper case after `@` is probably SPARQL's keyword with a superfluous sign.
                return Err(match near.first() {
                    Some(near) => fault.hint(format!("did you mean `@{near}`?")),
                    None => {
                        fault.hint("a directive is `@prefix` or `@base`; a language tag directly follows its string")
                    }
                });
            }
            (TokenKind::Word, None)
                if self.tokens.get(self.at + 1).is_some_and(|t| t.text(self.text).ends_with(':')) =>
            {
                let near = nearest(word, ["PREFIX"], 1);
                return match near.first() {
                    Some(_) => Err(self.fault(format!("unknown keyword `{word}`")).hint("did you mean `PREFIX`?")),
                    None => Ok(None),
                };
            }
            _ => return Ok(None),
        };
        if !matches!(name.as_str(), "prefix" | "base" | "version") {
            return Ok(None);
        }
        self.at += 1;
        let kind = match name.as_str() {
            "prefix" => self.prefix(word)?,
            "base" => {
                let iri = self.directive_iri(&format!("after `{word}`"))?;
                self.has_base = true;
                DirectiveKind::Base { iri }
            }
            _ => {
                if !matches!(self.kind(), Some(TokenKind::String(q)) if q.closed && !q.long) {
                    return Err(self.unexpected(&format!("a text such as `\"1.2\"` after `{word}`")));
                }
                self.at += 1;
                DirectiveKind::Version { text: self.tokens[self.at - 1].span() }
            }
        };
        if at_sign && !self.eat(".") {
            return Err(
                Fault::new(self.end(), format!("`.` is missing after `{word} …`")).hint("end the directive with `.`")
            );
        }
        if !at_sign && self.is(".") {
            return Err(self
                .fault(format!("`{word}` cannot end with `.`"))
                .hint(format!("remove it, or write `@{name}`")));
        }
        Ok(Some(Directive { kind, span: token.start..self.end().end }))
    }

    fn prefix(&mut self, word: &str) -> Walked<DirectiveKind> {
        let Some(token) = self.peek() else { return Err(self.unexpected("a prefix such as `ex:`")) };
        match token.prefixed_name(self.text) {
            Some((prefix, "")) => self.declared.push(prefix),
            Some((prefix, local)) => {
                return Err(self
                    .fault(format!("a declared prefix ends with its colon, found `{prefix}:{local}`"))
                    .hint(format!("write `{word} {prefix}: <…>`")));
            }
            None if matches!(token.kind, TokenKind::Word | TokenKind::Keyword) => {
                let name = token.text(self.text);
                return Err(Fault::new(
                    token.end..token.end,
                    format!("the colon after the prefix `{name}` is missing"),
                )
                .hint(format!("write `{word} {name}: <…>`")));
            }
            None => return Err(self.unexpected(&format!("a prefix such as `ex:` after `{word}`"))),
        }
        self.at += 1;
        let iri = self.directive_iri("of the prefix")?;
        Ok(DirectiveKind::Prefix { prefix: token.span(), iri })
    }

    fn directive_iri(&mut self, of: &str) -> Walked<Span> {
        match self.kind() {
            Some(TokenKind::Iri) => {
                let span = self.span();
                self.iri()?;
                Ok(span)
            }
            Some(TokenKind::PrefixedName | TokenKind::Word | TokenKind::String(_)) => {
                Err(self.fault(format!("the IRI {of} stands between `<` and `>`")).hint("write `<http://…>`"))
            }
            _ => Err(self.unexpected(&format!("the IRI {of}, as `<http://…>`"))),
        }
    }
}
