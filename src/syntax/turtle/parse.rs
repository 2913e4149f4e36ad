//! Text to tree. The first mistake ends it, told in words.
//!
//! It takes what the grammar allows and is not the judge of validity: IRIs and language tags are oxttl's to check.

use super::tree::*;
use crate::syntax::diagnose::{Known, prefix_hint, unknown_prefix};
use crate::syntax::fault::{Fault, Walked};
use crate::syntax::sparql::closing;
use crate::syntax::{Kind, Span, Token, lexical, significant};
use crate::text::nearest;

/// Deeper than the bounds allow by default, so that they speak first.
const MAX_DEPTH: usize = 256;

pub(crate) fn parse(text: &str, dialect: Dialect, known: Known<'_>) -> Walked<Document> {
    let all = super::tokenize(text);
    let tokens = significant(&all);
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        dialect,
        known,
        declared: Vec::new(),
        has_base: known.base,
        open: Vec::new(),
        in_graph: false,
    };
    match parser.document() {
        Ok(items) => Ok(Document { tokens: all, items }),
        Err(fault) => Err(parser.hidden(&fault).unwrap_or(fault)),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    dialect: Dialect,
    known: Known<'a>,
    declared: Vec<&'a str>,
    has_base: bool,
    open: Vec<(&'static str, Span)>,
    in_graph: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn kind(&self) -> Option<Kind> {
        self.peek().map(|t| t.kind)
    }

    fn here(&self) -> &'a str {
        self.peek().map_or("", |t| t.text(self.text))
    }

    fn span(&self) -> Span {
        self.peek().map_or_else(|| self.end(), |t| t.span())
    }

    fn previous(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// The place just after what was read last.
    fn end(&self) -> Span {
        self.previous().map_or(0..0, |t| t.end..t.end)
    }

    fn is(&self, mark: &str) -> bool {
        self.peek().is_some_and(|t| t.is(self.text, mark))
    }

    fn is_any(&self, marks: &[&str]) -> bool {
        self.kind() == Some(Kind::Punctuation) && marks.contains(&self.here())
    }

    fn is_at(&self, ahead: usize, mark: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|t| t.is(self.text, mark))
    }

    fn eat(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.span(), message)
    }

    fn open(&mut self, mark: &'static str) -> Walked {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault("this nests too deep"));
        }
        self.open.push((mark, self.span()));
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) -> Walked {
        let Some((mark, span)) = self.open.last().cloned() else { return Ok(()) };
        let closer = closing(mark).unwrap_or_default();
        if self.eat(closer) {
            self.open.pop();
            return Ok(());
        }
        if self.is_any(&["}", ")", "]", ">>", ")>>", "|}", ".", ";"]) {
            let line = self.text[..span.start].matches('\n').count() + 1;
            let here = self.here();
            return Err(
                self.fault(format!("`{closer}` is missing before `{here}`, to close the `{mark}` of line {line}"))
            );
        }
        Err(self.unexpected(&format!("`{closer}`")))
    }

    fn lexical(&self) -> Option<Fault> {
        let token = self.peek()?;
        lexical::fault(self.text, token, self.previous())
    }

    /// Full-width punctuation shortly before, which hides inside names.
    fn hidden(&self, fault: &Fault) -> Option<Fault> {
        let read = self.tokens.iter().take_while(|t| t.start <= fault.span.end).count();
        self.tokens[read.saturating_sub(6)..read].iter().find_map(|t| lexical::full_width(self.text, *t))
    }

    fn unexpected(&self, expected: &str) -> Fault {
        if let Some(fault) = self.lexical() {
            return fault;
        }
        let Some(token) = self.peek() else {
            return match self.open.last() {
                Some((mark, span)) => Fault::new(span.clone(), format!("this `{mark}` is never closed"))
                    .hint(format!("add `{}`", closing(mark).unwrap_or_default())),
                None => Fault::new(self.end(), format!("the file ends here, but {expected} must follow")),
            };
        };
        let shown: String = token.text(self.text).chars().take(40).collect();
        match token.kind {
            Kind::Variable => self.fault(format!("a variable cannot stand in data: `{shown}`")),
            Kind::Punctuation if matches!(shown.as_str(), "=" | "=>" | "<=" | "!") => self
                .fault(format!("`{shown}` is N3, not Turtle"))
                .hint("name the file `.n3`, or read it with `--input-format n3`"),
            Kind::Punctuation if shown == "{" && self.dialect == Dialect::Turtle => self
                .fault("a graph in braces is TriG, not Turtle")
                .hint("name the file `.trig`, or read it with `--input-format trig`"),
            Kind::String(_) => self.fault(format!("expected {expected}, found the text {shown}")),
            _ => self.fault(format!("expected {expected}, found `{shown}`")),
        }
    }

    fn document(&mut self) -> Walked<Vec<Item>> {
        let mut items = Vec::new();
        while self.peek().is_some() {
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn item(&mut self) -> Walked<Item> {
        if let Some(directive) = self.directive()? {
            return Ok(Item::Directive(directive));
        }
        if self.dialect == Dialect::TriG
            && let Some(graph) = self.graph()?
        {
            return Ok(Item::Graph(graph));
        }
        if self.is("}") {
            return Err(self.fault("this `}` closes nothing").hint("remove it, or add a `{` before"));
        }
        let statement = self.statement()?;
        if !self.eat(".") {
            return Err(self.after_statement());
        }
        let span = statement.span.start..self.end().end;
        Ok(Item::Statement(Statement { span, ..statement }))
    }

    fn directive(&mut self) -> Walked<Option<Directive>> {
        let Some(token) = self.peek() else { return Ok(None) };
        let word = token.text(self.text);
        let (at_sign, name) = match (token.kind, word.strip_prefix('@')) {
            (Kind::Keyword, Some(name)) => (true, name.to_ascii_lowercase()),
            (Kind::Keyword, None) => (false, word.to_ascii_lowercase()),
            (Kind::LangTag, Some(name)) => {
                let near = nearest(name, ["prefix", "base", "version"], 1);
                let fault = self.fault(format!("unknown directive `{word}`"));
                // A tag in upper case is the keyword of SPARQL with a sign too many.
                return Err(match near.first() {
                    Some(near) => fault.hint(format!("did you mean `@{near}`?")),
                    None => {
                        fault.hint("a directive is `@prefix` or `@base`; a language tag directly follows its string")
                    }
                });
            }
            (Kind::Word, None) if self.tokens.get(self.at + 1).is_some_and(|t| t.text(self.text).ends_with(':')) => {
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
                if !matches!(self.kind(), Some(Kind::String(q)) if q.closed && !q.long) {
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
            return Err(self.fault(format!("no `.` ends `{word}`")).hint(format!("remove it, or write `@{name}`")));
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
            None if matches!(token.kind, Kind::Word | Kind::Keyword) => {
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
            Some(Kind::Iri) => {
                let span = self.span();
                self.iri()?;
                Ok(span)
            }
            Some(Kind::PrefixedName | Kind::Word | Kind::String(_)) => {
                Err(self.fault(format!("the IRI {of} stands between `<` and `>`")).hint("write `<http://…>`"))
            }
            _ => Err(self.unexpected(&format!("the IRI {of}, as `<http://…>`"))),
        }
    }

    /// A block of TriG, if one begins here.
    fn graph(&mut self) -> Walked<Option<GraphBlock>> {
        let start = self.span().start;
        let keyword = self.peek().is_some_and(|t| t.is_keyword(self.text, "GRAPH"));
        let anonymous = self.is("[") && self.is_at(1, "]") && self.is_at(2, "{");
        let named = matches!(self.kind(), Some(Kind::Iri | Kind::PrefixedName | Kind::BlankNode)) && self.is_at(1, "{");
        if !keyword && !anonymous && !named && !self.is("{") {
            return Ok(None);
        }
        self.at += usize::from(keyword);
        let name = if self.is("{") && !keyword { None } else { Some(self.term("the name of a graph", Place::Name)?) };
        if !self.is("{") {
            return Err(self.unexpected("`{` after the name of the graph"));
        }
        let open = self.span();
        self.open("{")?;
        self.in_graph = true;
        let mut statements = Vec::new();
        while !self.is("}") && self.peek().is_some() {
            let mut statement = self.statement()?;
            if self.eat(".") {
                statement.span.end = self.end().end;
            } else if !self.is("}") && self.peek().is_some() {
                return Err(self.after_statement());
            }
            statements.push(statement);
        }
        self.close()?;
        self.in_graph = false;
        Ok(Some(GraphBlock { name, open, statements, span: start..self.end().end }))
    }

    fn statement(&mut self) -> Walked<Statement> {
        let start = self.span().start;
        let subject = match self.here() {
            "[" | "(" | "<<" => self.node("a subject")?,
            _ => self.term("a subject", Place::Subject)?,
        };
        let alone = match &subject.form {
            Form::Anonymous(predicates) => !predicates.is_empty(),
            Form::Reified { .. } => true,
            _ => false,
        };
        let predicates = if alone && (self.is(".") || (self.in_graph && self.is("}"))) {
            Vec::new()
        } else {
            let written = self.written(&subject.span);
            self.predicates(&format!("after the subject {written}"))?
        };
        let quad = self.dialect == Dialect::NQuads && matches!(self.kind(), Some(Kind::Iri | Kind::BlankNode));
        let graph = if quad { Some(self.term("the name of a graph", Place::Name)?) } else { None };
        Ok(Statement { subject, predicates, graph, span: start..self.end().end })
    }

    fn written(&self, span: &Span) -> String {
        let text = &self.text[span.clone()];
        if text.chars().count() > 40 || text.contains('\n') { String::new() } else { format!("`{text}`") }
    }

    fn predicates(&mut self, place: &str) -> Walked<Vec<Predicate>> {
        let mut predicates = Vec::new();
        loop {
            let verb = self.verb(place)?;
            let objects = self.objects(&self.written(&verb.span))?;
            predicates.push(Predicate { verb, objects });
            if !self.is(";") {
                return Ok(predicates);
            }
            while self.eat(";") {}
            if self.is_any(&[".", "]", "|}", "}"]) || self.peek().is_none() {
                return Ok(predicates);
            }
            if self.is(",") {
                return Err(self
                    .fault("`,` follows `;`")
                    .hint("`;` begins another predicate, `,` another object: keep one"));
            }
        }
    }

    fn verb(&mut self, place: &str) -> Walked<Node> {
        let refuse =
            |what: &str| Err(self.fault(format!("{what} cannot be a predicate")).hint("a predicate is an IRI"));
        match self.kind() {
            Some(Kind::Keyword) if self.here() == "a" => {
                self.at += 1;
                Ok(Node { form: Form::Plain, span: self.tokens[self.at - 1].span() })
            }
            Some(Kind::Iri | Kind::PrefixedName) => self.term("a predicate", Place::Name),
            Some(Kind::BlankNode) => refuse("a blank node"),
            Some(Kind::Integer | Kind::Decimal | Kind::Double) => refuse("a number"),
            Some(Kind::String(q)) if q.closed => refuse("a literal"),
            Some(Kind::Word) if self.here() == "A" => {
                Err(self.fault("`A` is not a predicate").hint("write `a` in lower case"))
            }
            Some(Kind::Word) => Err(self.bare_word()),
            _ if self.is_any(&[".", ";", ",", "]", "}", "|}"]) => {
                Err(Fault::new(self.end(), format!("the predicate and the object are missing {place}")))
            }
            _ => Err(self.unexpected(&format!("a predicate {place}"))),
        }
    }

    fn objects(&mut self, predicate: &str) -> Walked<Vec<Object>> {
        let mut objects = Vec::new();
        loop {
            if self.is_any(&[".", ";", ",", "]", "}", "|}"]) {
                return Err(self.missing_object(predicate));
            }
            objects.push(self.object()?);
            if !self.eat(",") {
                return Ok(objects);
            }
        }
    }

    fn missing_object(&self, predicate: &str) -> Fault {
        let fault = Fault::new(self.end(), format!("the object is missing after the predicate {predicate}"));
        // `ex:p ex:b ; ex:c .`
        let after_semicolon =
            self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).is_some_and(|t| t.is(self.text, ";"));
        if after_semicolon {
            fault.hint("to add an object of the predicate before it, write `,` instead of `;`")
        } else {
            fault
        }
    }

    fn object(&mut self) -> Walked<Object> {
        let node = self.node("an object")?;
        let start = node.span.start;
        let mut annotations = Vec::new();
        loop {
            let from = self.span().start;
            if self.eat("~") {
                let named =
                    matches!(self.kind(), Some(Kind::Iri | Kind::PrefixedName | Kind::BlankNode | Kind::BadIri));
                let anonymous = self.is("[") && self.is_at(1, "]");
                let name = if named || anonymous { Some(self.term("a reifier", Place::Name)?) } else { None };
                annotations.push(Annotation::Reifier { name, span: from..self.end().end });
            } else if self.is("{|") {
                self.open("{|")?;
                let predicates = self.predicates("after `{|`")?;
                self.close()?;
                annotations.push(Annotation::Block { predicates, span: from..self.end().end });
            } else {
                break;
            }
        }
        Ok(Object { node, annotations, span: start..self.end().end })
    }

    fn node(&mut self, what: &str) -> Walked<Node> {
        let start = self.span().start;
        let form = match self.here() {
            _ if self.kind() != Some(Kind::Punctuation) => return self.term(what, Place::Object),
            "[" => {
                self.open("[")?;
                let predicates = if self.is("]") { Vec::new() } else { self.predicates("after `[`")? };
                self.close()?;
                Form::Anonymous(predicates)
            }
            "(" => {
                self.open("(")?;
                let mut members = Vec::new();
                while !self.is_any(&[")", "]", "}", ".", ";"]) && self.peek().is_some() {
                    if self.is(",") {
                        return Err(self
                            .fault("no comma stands between the members of a list")
                            .hint("separate them by spaces"));
                    }
                    let node = self.node("a member of the list")?;
                    members.push(Object { span: node.span.clone(), node, annotations: Vec::new() });
                }
                self.close()?;
                Form::Collection(members)
            }
            "<<" => {
                self.open("<<")?;
                let triple = self.triple()?;
                let reifier = if self.eat("~") {
                    Some(if self.is(">>") { None } else { Some(Box::new(self.term("a reifier", Place::Name)?)) })
                } else {
                    None
                };
                self.close()?;
                Form::Reified { triple, reifier }
            }
            "<<(" => {
                self.open("<<(")?;
                let triple = self.triple()?;
                self.close()?;
                Form::TripleTerm(triple)
            }
            _ => return Err(self.unexpected(what)),
        };
        Ok(Node { form, span: start..self.end().end })
    }

    fn triple(&mut self) -> Walked<Box<[Node; 3]>> {
        let subject = self.node("a subject")?;
        let verb = self.verb("after the subject of a triple")?;
        Ok(Box::new([subject, verb, self.node("an object")?]))
    }

    /// One term of one or a few tokens.
    fn term(&mut self, what: &str, place: Place) -> Walked<Node> {
        let span = self.span();
        match self.kind() {
            Some(Kind::Iri) => self.iri()?,
            Some(Kind::PrefixedName) => self.prefixed_name()?,
            Some(Kind::BlankNode) => self.at += 1,
            Some(Kind::Keyword) if self.here() == "a" => {
                return Err(self.fault("`a` stands only for a predicate").hint("write `rdf:type` for the term itself"));
            }
            Some(Kind::Word) => return Err(self.bare_word()),
            _ if self.is("[") && self.is_at(1, "]") => {
                self.at += 2;
                return Ok(Node { form: Form::Anonymous(Vec::new()), span: span.start..self.end().end });
            }
            Some(Kind::String(q)) if q.closed && place == Place::Subject => {
                return Err(self.fault("a literal cannot be a subject").hint("a subject is an IRI or a blank node"));
            }
            Some(Kind::Integer | Kind::Decimal | Kind::Double) if place == Place::Subject => {
                return Err(self.fault("a number cannot be a subject").hint("a subject is an IRI or a blank node"));
            }
            Some(Kind::Integer | Kind::Decimal | Kind::Double) if place == Place::Object => self.number()?,
            Some(Kind::Keyword) if matches!(self.here(), "true" | "false") && place == Place::Object => self.at += 1,
            Some(Kind::String(_)) if place == Place::Object => return self.literal(),
            _ => return Err(self.unexpected(what)),
        }
        Ok(Node { form: Form::Plain, span })
    }

    fn iri(&mut self) -> Walked {
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
        // `2024-05-01` is read as three numbers.
        if let Some(next) = next.filter(|n| n.start == self.span().end && n.kind == Kind::Integer)
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

    fn literal(&mut self) -> Walked<Node> {
        if let Some(fault) = self.lexical() {
            return Err(fault);
        }
        let text = self.span();
        self.at += 1;
        let mut tag = None;
        let mut datatype = None;
        if self.kind() == Some(Kind::LangTag) {
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
            datatype = Some(Box::new(self.term("a datatype", Place::Name)?));
        } else if self.is("^") {
            return Err(self.fault("a datatype follows `^^`, two carets").hint("write `\"…\"^^xsd:date`"));
        }
        Ok(Node { form: Form::Literal { text: text.clone(), tag, datatype }, span: text.start..self.end().end })
    }

    fn bare_word(&self) -> Fault {
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

    /// After the last object something follows that is no dot.
    fn after_statement(&self) -> Fault {
        if let Some(fault) = self.lexical() {
            return fault;
        }
        let Some(previous) = self.previous() else { return self.unexpected("a statement") };
        let before = previous.text(self.text);
        let missing =
            Fault::new(self.end(), format!("`.` is missing after `{}`", before.chars().take(40).collect::<String>()));
        if self.peek().is_none() {
            return match self.open.last() {
                Some(_) => self.unexpected(""),
                None => missing.hint("end the last statement with `.`"),
            };
        }
        if self.kind() == Some(Kind::Keyword) && self.here() != "a" && !matches!(self.here(), "true" | "false") {
            return missing.hint(format!("end the statement with `.` before `{}`", self.here()));
        }
        if self.kind() == Some(Kind::Punctuation) && !self.is_any(&["[", "(", "<<", "<<("]) {
            return self.unexpected("`.`, `;` or `,`");
        }
        let here: String = self.here().chars().take(40).collect();
        let is_term = |t: &&Token| !matches!(t.kind, Kind::Punctuation) && !t.text(self.text).starts_with("@p");
        let terms = self.tokens[self.at..].iter().take(3).take_while(is_term).count();
        let separators = self.tokens[..self.at].iter().rev().take(3).filter(|t| t.kind == Kind::Punctuation);
        let separator = separators.map(|t| t.text(self.text)).find(|m| matches!(*m, ";" | "," | "." | "{"));
        match (terms, separator) {
            (1, Some(",")) => self
                .fault(format!("`{here}` is one term too many after `,`"))
                .hint("`,` adds an object of the same predicate; to add a predicate write `;`"),
            (1, Some(";")) => self
                .fault(format!("`{here}` is one term too many after `;`"))
                .hint("`;` keeps the subject; to begin with a new one write `.`"),
            (1, _) if !self.is_any(&["[", "("]) => self
                .fault(format!("expected `.`, `;` or `,` before `{here}`"))
                .hint(format!("two objects are separated by a comma: `{before} , {here}`")),
            (2, _) => Fault::new(self.end(), format!("`;` or `.` is missing after `{before}`")).hint(format!(
                "write `;` before `{here}` to say more about the same subject, or `.` to begin a new one"
            )),
            _ => missing.hint(format!("end the statement with `.` before `{here}`")),
        }
    }
}

/// Where a term stands, and so which terms may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Subject,
    Object,
    /// A predicate, a graph, a reifier, a datatype.
    Name,
}
