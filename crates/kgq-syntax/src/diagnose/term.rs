//! Walks terms: variables, IRIs, literals, lists, nested nodes, triple terms, and rows of values.

use super::walk::Walk;
use crate::TokenKind;
use crate::fault::{Fault, Walked};

impl<'a> Walk<'a> {
    /// The fault of a bare word where a term should be.
    pub fn bare_word_as_term(&self) -> Fault {
        if let Some(fault) = self.lexical_fault() {
            return fault;
        }
        let word = self.here();
        let fault = self.fault_here(format!("the bare word `{word}` is no term"));
        if word.eq_ignore_ascii_case("null") {
            return fault.hint("SPARQL has no NULL: test with `BOUND(?x)`");
        }
        // A name like `http` before `://` is an IRI without its angle brackets.
        fault.hint(format!("a variable is `?{word}`, a name `prefix:{word}`, a text `\"{word}\"`"))
    }

    pub fn begins_term(&self) -> bool {
        match self.kind() {
            Some(
                TokenKind::Variable
                | TokenKind::PrefixedName
                | TokenKind::Iri
                | TokenKind::BadIri
                | TokenKind::BlankNode
                | TokenKind::String(_)
                | TokenKind::Integer
                | TokenKind::Decimal
                | TokenKind::Double,
            ) => true,
            Some(TokenKind::Punctuation) => self.is_any(&["[", "(", "<<", "<<("]),
            Some(TokenKind::Keyword) => self.kw("TRUE") || self.kw("FALSE"),
            _ => false,
        }
    }

    /// A list, a nested blank node, a reified triple or a term.
    pub fn node_or_term(&mut self, what: &str, paths: bool) -> Walked {
        match self.here() {
            "[" | "(" => self.node(paths).map(|_| ()),
            "<<" => self.reified(),
            _ => self.term(what),
        }
    }

    /// Reads `[ … ]` or `( … )`; returns whether it is a statement by itself.
    pub fn node(&mut self, paths: bool) -> Walked<bool> {
        let list = self.is("(");
        self.open(if list { "(" } else { "[" }, "")?;
        let mut any = false;
        if list {
            while !self.is(")") && self.peek().is_some() && !self.is_any(&["}", "]", "."]) {
                self.node_or_term("a member of the list", paths)?;
                any = true;
                if self.is(",") {
                    return Err(self
                        .fault_here("a comma cannot stand between the members of a list")
                        .hint("separate them by spaces"));
                }
            }
        } else if !self.is("]") {
            self.predicates("after `[`", paths)?;
            any = true;
        }
        self.close()?;
        Ok(any)
    }

    /// `<< s p o ~ r >>`
    pub fn reified(&mut self) -> Walked {
        self.open("<<", "")?;
        self.node_or_term("a subject", false)?;
        self.verb("after `<<`", false)?;
        self.node_or_term("an object", false)?;
        if self.eat("~") && !self.is(">>") {
            self.term("a reifier")?;
        }
        self.close()
    }

    /// `<<( s p o )>>`
    pub fn triple_term(&mut self) -> Walked {
        self.open("<<(", "")?;
        self.term("a subject")?;
        self.verb("in the triple term", false)?;
        self.term("an object")?;
        self.close()
    }

    /// A variable, IRI, literal or blank node.
    pub fn term(&mut self, what: &str) -> Walked {
        match self.kind() {
            Some(TokenKind::Variable) => {
                self.advance();
                Ok(())
            }
            Some(TokenKind::BlankNode) => {
                let entry = (self.here(), self.span_here(), self.scopes.pattern_number);
                self.scopes.labels.push(entry);
                self.advance();
                Ok(())
            }
            Some(TokenKind::Iri | TokenKind::PrefixedName) => self.iri(what),
            Some(TokenKind::Word) => Err(self.bare_word_as_term()),
            Some(TokenKind::Keyword) if self.kw("TRUE") || self.kw("FALSE") => {
                self.advance();
                Ok(())
            }
            _ if self.is("<<(") => self.triple_term(),
            _ if self.is("[") && self.is_at(1, "]") => {
                self.at += 2;
                Ok(())
            }
            _ => self.literal(what),
        }
    }

    /// A string with its tag or datatype, or a number.
    pub fn literal(&mut self, what: &str) -> Walked {
        if self.is_any(&["+", "-"])
            && self
                .peek_at(1)
                .is_some_and(|t| matches!(t.kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Double))
        {
            self.advance();
        }
        match self.kind() {
            Some(TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) => {
                self.advance();
                Ok(())
            }
            Some(TokenKind::String(_)) => {
                if let Some(fault) = self.lexical_fault() {
                    return Err(fault);
                }
                self.advance();
                if self.kind() == Some(TokenKind::LangTag) {
                    return self.language_tag();
                }
                if self.is("^")
                    && self.peek_at(1).is_some_and(|t| matches!(t.kind, TokenKind::Iri | TokenKind::PrefixedName))
                {
                    return Err(self.fault_here("a datatype follows `^^`, two carets").hint("write `\"…\"^^xsd:date`"));
                }
                if self.eat("^^") {
                    self.iri("a datatype")?;
                }
                Ok(())
            }
            Some(TokenKind::Keyword) if self.here() == "a" => {
                Err(self.fault_here("`a` stands only for a predicate").hint("write `rdf:type` for the term itself"))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn language_tag(&mut self) -> Walked {
        let tag = &self.here()[1..];
        let (language, direction) = tag.split_once("--").unwrap_or((tag, "ltr"));
        if !matches!(direction, "ltr" | "rtl") {
            return Err(self.fault_here(format!("a base direction is `--ltr` or `--rtl`, found `--{direction}`")));
        }
        if language.split('-').any(|subtag| subtag.len() > 8) {
            return Err(self
                .fault_here(format!("`@{language}` is not a language tag"))
                .hint("write a tag of BCP 47, such as `@en` or `@zh-Hans`"));
        }
        self.advance();
        Ok(())
    }

    /// Reads a variable, which is required here.
    pub fn named(&mut self, place: &str) -> Walked<&'a str> {
        let Some(name) = self.peek().and_then(|t| t.variable(self.text)) else {
            if self.kind() == Some(TokenKind::Word) {
                let word = self.here();
                return Err(self
                    .fault_here(format!("expected a variable {place}, found the bare word `{word}`"))
                    .hint(format!("write `?{word}`")));
            }
            return Err(self.unexpected(&format!("a variable {place}")));
        };
        self.advance();
        Ok(name)
    }

    /// Reads what follows `VALUES`.
    pub fn values(&mut self) -> Walked {
        let mut names: Vec<&str> = Vec::new();
        let several = self.is("(");
        if several {
            self.open("(", "")?;
            while let Some(name) = self.peek().and_then(|t| t.variable(self.text)) {
                if names.contains(&name) {
                    return Err(self.fault_here(format!("`?{name}` stands twice in VALUES")));
                }
                names.push(name);
                self.advance();
                if self.is(",") {
                    return Err(self
                        .fault_here("a comma cannot stand between the variables of VALUES")
                        .hint("separate them by spaces"));
                }
            }
            self.close()?;
        } else {
            names.push(self.named("after `VALUES`")?);
            if self.kind() == Some(TokenKind::Variable) {
                return Err(self
                    .fault_here("several variables of VALUES stand in parentheses")
                    .hint("write `VALUES (?a ?b) { (1 2) }`"));
            }
        }
        self.open("{", "before the values")?;
        while !self.is("}") && self.peek().is_some() {
            if !several {
                self.data_value()?;
                continue;
            }
            let start = self.span_here();
            if !self.is("(") && self.begins_term() {
                return Err(self.fault_here("a row of VALUES stands in parentheses").hint("write `{ (1 2) (3 4) }`"));
            }
            self.open("(", "before a row of values")?;
            let mut count = 0;
            while !self.is(")") && self.peek().is_some() {
                self.data_value()?;
                count += 1;
            }
            self.close()?;
            if count != names.len() {
                return Err(Fault::new(
                    start.start..self.end().end,
                    format!("this row has {count} of {} values", names.len()),
                )
                .hint("write `UNDEF` for a value that is left open"));
            }
        }
        self.close()
    }

    fn data_value(&mut self) -> Walked {
        if self.eat_kw("UNDEF") {
            return Ok(());
        }
        if self.is(",") {
            return Err(self.fault_here("a comma cannot stand between values").hint("separate them by spaces"));
        }
        if matches!(self.kind(), Some(TokenKind::Variable | TokenKind::BlankNode)) || self.is("[") {
            return Err(self.fault_here("VALUES holds only IRIs, literals and `UNDEF`"));
        }
        self.term("a value")
    }
}
