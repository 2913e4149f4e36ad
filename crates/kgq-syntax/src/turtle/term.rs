//! Terms of one or a few tokens: IRIs, names, labels, literals.

use super::parse::Parser;
use super::tree::*;
use crate::TokenKind;
use crate::diagnose::{prefix_hint, unknown_prefix};
use crate::fault::{Fault, Walked};

/// The position of a term, which decides which terms are allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TermPosition {
    Subject,
    Object,
    /// A predicate, a graph, a reifier, a datatype.
    Name,
}

impl Parser<'_> {
    /// Reads one term, of one or a few tokens.
    pub(super) fn term(&mut self, what: &str, place: TermPosition) -> Walked<TermNode> {
        let span = self.span();
        match self.kind() {
            Some(TokenKind::Iri) => self.iri()?,
            Some(TokenKind::PrefixedName) => self.prefixed_name()?,
            Some(TokenKind::BlankNode) => self.at += 1,
            Some(TokenKind::Keyword) if self.here() == "a" => {
                return Err(self.fault("`a` stands only for a predicate").hint("write `rdf:type` for the term itself"));
            }
            Some(TokenKind::Word) => return Err(self.bare_word()),
            _ if self.is("[") && self.is_at(1, "]") => {
                self.at += 2;
                return Ok(TermNode { form: TermForm::Anonymous(Vec::new()), span: span.start..self.end().end });
            }
            Some(TokenKind::String(q)) if q.closed && place == TermPosition::Subject => {
                return Err(self.fault("a literal cannot be a subject").hint("a subject is an IRI or a blank node"));
            }
            Some(TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) if place == TermPosition::Subject => {
                return Err(self.fault("a number cannot be a subject").hint("a subject is an IRI or a blank node"));
            }
            Some(TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) if place == TermPosition::Object => {
                self.number()?
            }
            Some(TokenKind::Keyword) if matches!(self.here(), "true" | "false") && place == TermPosition::Object => {
                self.at += 1
            }
            Some(TokenKind::String(_)) if place == TermPosition::Object => return self.literal(),
            _ => return Err(self.unexpected(what)),
        }
        Ok(TermNode { form: TermForm::Plain, span })
    }

    pub(super) fn iri(&mut self) -> Walked {
        let text = self.here();
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        let relative = !inner.contains('\\') && oxiri::IriRef::parse(inner).is_ok_and(|iri| iri.scheme().is_none());
        if relative && !self.has_base {
            return Err(self
                .fault(format!("{text} is a relative IRI, and there is no base to resolve it against"))
                .hint("write the whole IRI, or add `@base <http://…/> .` before"));
        }
        if !inner.contains('\\')
            && let Err(error) = oxiri::IriRef::parse(inner)
        {
            return Err(self.fault(format!("{text} is not a valid IRI: {}", error.to_string().to_lowercase())));
        }
        self.at += 1;
        Ok(())
    }

    fn prefixed_name(&mut self) -> Walked {
        let Some((token, (prefix, _))) = self.peek().and_then(|t| t.prefixed_name(self.text).map(|n| (t, n))) else {
            return Ok(());
        };
        let known = self.declared.contains(&prefix) || self.known.prefixes.iter().any(|(p, _)| *p == prefix);
        if !known {
            let hint =
                prefix_hint(prefix, self.known.prefixes, &self.declared, |p, iri| format!("@prefix {p}: <{iri}> ."));
            return Err(Fault::new(token.start..token.start + prefix.len(), unknown_prefix(prefix)).hint(hint));
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Walked {
        let (first, next) = (self.here(), self.tokens.get(self.at + 1).copied());
        // Without quotes, `2024-05-01` would be read as three numbers.
        if let Some(next) = next.filter(|n| n.start == self.span().end && n.kind == TokenKind::Integer)
            && first.len() == 4
        {
            let rest =
                self.text[next.start..].split(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | ':' | 'T')).next();
            let date = format!("{first}{}", rest.unwrap_or_default());
            return Err(self.fault("a date is a string with a datatype").hint(format!("write `\"{date}\"^^xsd:date`")));
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self) -> Walked<TermNode> {
        if let Some(fault) = self.lexical() {
            return Err(fault);
        }
        let text = self.span();
        self.at += 1;
        let mut tag = None;
        let mut datatype = None;
        if self.kind() == Some(TokenKind::LangTag) {
            let written = &self.here()[1..];
            let (language, direction) = written.split_once("--").unwrap_or((written, "ltr"));
            if !matches!(direction, "ltr" | "rtl") {
                return Err(self.fault(format!("a base direction is `--ltr` or `--rtl`, found `--{direction}`")));
            }
            if language.split('-').any(|subtag| subtag.len() > 8) {
                return Err(self
                    .fault(format!("`@{language}` is not a language tag"))
                    .hint("write a tag of BCP 47, such as `@en`"));
            }
            tag = Some(self.span());
            self.at += 1;
        } else if self.eat("^^") {
            datatype = Some(Box::new(self.term("a datatype", TermPosition::Name)?));
        } else if self.is("^") {
            return Err(self.fault("a datatype follows `^^`, two carets").hint("write `\"…\"^^xsd:date`"));
        }
        Ok(TermNode { form: TermForm::Literal { text: text.clone(), tag, datatype }, span: text.start..self.end().end })
    }

    pub(super) fn bare_word(&self) -> Fault {
        if let Some(fault) = self.lexical() {
            return fault;
        }
        let word = self.here();
        let fault = self.fault(format!("the bare word `{word}` is no term"));
        match word.to_ascii_lowercase().as_str() {
            "true" | "false" => fault.hint("write `true` or `false` in lower case"),
            "null" | "none" => fault.hint("leave out the triple whose value is not known"),
            _ => fault.hint(format!("a name is `prefix:{word}`, a text `\"{word}\"`")),
        }
    }
}
