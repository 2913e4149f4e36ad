//! Parses text to a tree. Stops at the first mistake, and explains it in words.
//!
//! This follows the grammar, but does not decide validity: oxttl checks IRIs and language tags.

use super::term::TermPosition;
use super::tree::*;
use crate::diagnose::Known;
use crate::fault::{Fault, Walked};
use crate::sparql::closing;
use crate::{Span, Token, TokenKind, lexical, significant};

/// The deepest nesting that is safe on a small stack; the bounds do not allow more unless they are raised.
const MAX_DEPTH: usize = 160;

pub(crate) fn parse(text: &str, dialect: Dialect, known: Known<'_>) -> Walked<Document> {
    let all = super::tokenize(text);
    let mut parser = Parser::new(text, &all, dialect, known);
    match parser.document() {
        Ok(items) => Ok(Document { tokens: all, items }),
        Err(fault) => Err(parser.hidden(&fault).unwrap_or(fault)),
    }
}

/// What a text consists of, if the statements of a TriG block count one by one.
pub(super) enum Step {
    Directive(Directive),
    /// The name, or `GRAPH`, and the opening brace of a block without statements.
    Open(GraphBlock),
    Statement(Statement),
    /// The end of the closing brace.
    Close(usize),
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) dialect: Dialect,
    pub(super) known: Known<'a>,
    pub(super) declared: Vec<&'a str>,
    pub(super) has_base: bool,
    pub(super) open: Vec<(&'static str, Span)>,
    pub(super) in_graph: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, tokens: &[Token], dialect: Dialect, known: Known<'a>) -> Self {
        Self {
            text,
            tokens: significant(tokens),
            at: 0,
            dialect,
            known,
            declared: Vec::new(),
            has_base: known.base,
            open: Vec::new(),
            in_graph: false,
        }
    }

    /// Goes on within a TriG block that began in an earlier text.
    pub(super) fn in_open_graph(mut self) -> Self {
        self.in_graph = true;
        self.open.push(("{", 0..0));
        self
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn kind(&self) -> Option<TokenKind> {
        self.peek().map(|t| t.kind)
    }

    pub(super) fn here(&self) -> &'a str {
        self.peek().map_or("", |t| t.text(self.text))
    }

    pub(super) fn span(&self) -> Span {
        self.peek().map_or_else(|| self.end(), |t| t.span())
    }

    fn previous(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// The position just after the last token read.
    pub(super) fn end(&self) -> Span {
        self.previous().map_or(0..0, |t| t.end..t.end)
    }

    pub(super) fn is(&self, mark: &str) -> bool {
        self.peek().is_some_and(|t| t.is(self.text, mark))
    }

    fn is_any(&self, marks: &[&str]) -> bool {
        self.kind() == Some(TokenKind::Punctuation) && marks.contains(&self.here())
    }

    pub(super) fn is_at(&self, ahead: usize, mark: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|t| t.is(self.text, mark))
    }

    pub(super) fn eat(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.span(), message)
    }

    fn open(&mut self, mark: &'static str) -> Walked {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault(format!("this nests more than {MAX_DEPTH} levels deep")));
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

    pub(super) fn lexical(&self) -> Option<Fault> {
        let token = self.peek()?;
        lexical::fault(self.text, token, self.previous())
    }

    /// The mistake of full-width punctuation shortly before, where it hides inside names.
    fn hidden(&self, fault: &Fault) -> Option<Fault> {
        let read = self.tokens.iter().take_while(|t| t.start <= fault.span.end).count();
        self.tokens[read.saturating_sub(6)..read].iter().find_map(|t| lexical::full_width(self.text, *t))
    }

    pub(super) fn unexpected(&self, expected: &str) -> Fault {
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
            TokenKind::Variable => self.fault(format!("a variable cannot stand in data: `{shown}`")),
            TokenKind::Punctuation if matches!(shown.as_str(), "=" | "=>" | "<=" | "!") => self
                .fault(format!("`{shown}` is N3, not Turtle"))
                .hint("name the file `.n3`, or read it with `--input-format n3`"),
            TokenKind::Punctuation if shown == "{" && self.dialect == Dialect::Turtle => self
                .fault("a graph in braces is TriG, not Turtle")
                .hint("name the file `.trig`, or read it with `--input-format trig`"),
            TokenKind::String(_) => self.fault(format!("expected {expected}, found the text {shown}")),
            _ => self.fault(format!("expected {expected}, found `{shown}`")),
        }
    }

    fn document(&mut self) -> Walked<Vec<Item>> {
        let (mut items, mut block) = (Vec::new(), None);
        while let Some(step) = self.step()? {
            match (step, &mut block) {
                (Step::Directive(directive), _) => items.push(Item::Directive(directive)),
                (Step::Statement(statement), None) => items.push(Item::Statement(statement)),
                (Step::Statement(statement), Some(GraphBlock { statements, .. })) => statements.push(statement),
                (Step::Open(opened), _) => block = Some(opened),
                (Step::Close(end), _) => {
                    let closed = block.take().map(|open| GraphBlock { span: open.span.start..end, ..open });
                    items.extend(closed.map(Item::Graph));
                }
            }
        }
        Ok(items)
    }

    /// Reads the next part; `None` at the end of the text.
    pub(super) fn step(&mut self) -> Walked<Option<Step>> {
        if self.in_graph {
            return self.step_in_graph().map(Some);
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        if let Some(directive) = self.directive()? {
            return Ok(Some(Step::Directive(directive)));
        }
        if self.dialect == Dialect::TriG
            && let Some(block) = self.graph()?
        {
            return Ok(Some(Step::Open(block)));
        }
        if self.is("}") {
            return Err(self.fault("this `}` closes nothing").hint("remove it, or add a `{` before"));
        }
        let statement = self.statement()?;
        if !self.eat(".") {
            return Err(self.after_statement());
        }
        let span = statement.span.start..self.end().end;
        Ok(Some(Step::Statement(Statement { span, ..statement })))
    }

    /// Reads a statement of a TriG block, or its closing brace.
    fn step_in_graph(&mut self) -> Walked<Step> {
        if self.is("}") || self.peek().is_none() {
            self.close()?;
            self.in_graph = false;
            return Ok(Step::Close(self.end().end));
        }
        let mut statement = self.statement()?;
        if self.eat(".") {
            statement.span.end = self.end().end;
        } else if !self.is("}") && self.peek().is_some() {
            return Err(self.after_statement());
        }
        Ok(Step::Statement(statement))
    }

    /// Reads the beginning of a TriG block, if one begins here.
    fn graph(&mut self) -> Walked<Option<GraphBlock>> {
        let start = self.span().start;
        let keyword = self.peek().is_some_and(|t| t.is_keyword(self.text, "GRAPH"));
        let anonymous = self.is("[") && self.is_at(1, "]") && self.is_at(2, "{");
        let named = matches!(self.kind(), Some(TokenKind::Iri | TokenKind::PrefixedName | TokenKind::BlankNode))
            && self.is_at(1, "{");
        if !keyword && !anonymous && !named && !self.is("{") {
            return Ok(None);
        }
        self.at += usize::from(keyword);
        let name =
            if self.is("{") && !keyword { None } else { Some(self.term("the name of a graph", TermPosition::Name)?) };
        if !self.is("{") {
            return Err(self.unexpected("`{` after the name of the graph"));
        }
        let open = self.span();
        self.open("{")?;
        self.in_graph = true;
        let span = start..open.end;
        Ok(Some(GraphBlock { name, open, statements: Vec::new(), span }))
    }

    fn statement(&mut self) -> Walked<Statement> {
        let start = self.span().start;
        let subject = match self.here() {
            "[" | "(" | "<<" => self.node("a subject")?,
            _ => self.term("a subject", TermPosition::Subject)?,
        };
        let alone = match &subject.form {
            TermForm::Anonymous(predicates) => !predicates.is_empty(),
            TermForm::Reified { .. } => true,
            _ => false,
        };
        let predicates = if alone && (self.is(".") || (self.in_graph && self.is("}"))) {
            Vec::new()
        } else {
            let written = self.written(&subject.span);
            self.predicates(&format!("after the subject {written}"))?
        };
        let quad =
            self.dialect == Dialect::NQuads && matches!(self.kind(), Some(TokenKind::Iri | TokenKind::BlankNode));
        let graph = if quad { Some(self.term("the name of a graph", TermPosition::Name)?) } else { None };
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

    fn verb(&mut self, place: &str) -> Walked<TermNode> {
        let refuse =
            |what: &str| Err(self.fault(format!("{what} cannot be a predicate")).hint("a predicate is an IRI"));
        match self.kind() {
            Some(TokenKind::Keyword) if self.here() == "a" => {
                self.at += 1;
                Ok(TermNode { form: TermForm::Plain, span: self.tokens[self.at - 1].span() })
            }
            Some(TokenKind::Iri | TokenKind::PrefixedName) => self.term("a predicate", TermPosition::Name),
            Some(TokenKind::BlankNode) => refuse("a blank node"),
            Some(TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) => refuse("a number"),
            Some(TokenKind::String(q)) if q.closed => refuse("a literal"),
            Some(TokenKind::Word) if self.here() == "A" => {
                Err(self.fault("`A` is not a predicate").hint("write `a` in lower case"))
            }
            Some(TokenKind::Word) => Err(self.bare_word()),
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
                let named = matches!(
                    self.kind(),
                    Some(TokenKind::Iri | TokenKind::PrefixedName | TokenKind::BlankNode | TokenKind::BadIri)
                );
                let anonymous = self.is("[") && self.is_at(1, "]");
                let name = if named || anonymous { Some(self.term("a reifier", TermPosition::Name)?) } else { None };
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

    fn node(&mut self, what: &str) -> Walked<TermNode> {
        let start = self.span().start;
        let form = match self.here() {
            _ if self.kind() != Some(TokenKind::Punctuation) => return self.term(what, TermPosition::Object),
            "[" => {
                self.open("[")?;
                let predicates = if self.is("]") { Vec::new() } else { self.predicates("after `[`")? };
                self.close()?;
                TermForm::Anonymous(predicates)
            }
            "(" => {
                self.open("(")?;
                let mut members = Vec::new();
                while !self.is_any(&[")", "]", "}", ".", ";"]) && self.peek().is_some() {
                    if self.is(",") {
                        return Err(self
                            .fault("a comma cannot stand between the members of a list")
                            .hint("separate them by spaces"));
                    }
                    let node = self.node("a member of the list")?;
                    members.push(Object { span: node.span.clone(), node, annotations: Vec::new() });
                }
                self.close()?;
                TermForm::Collection(members)
            }
            "<<" => {
                self.open("<<")?;
                let triple = self.triple()?;
                let reifier = if self.eat("~") {
                    Some(if self.is(">>") { None } else { Some(Box::new(self.term("a reifier", TermPosition::Name)?)) })
                } else {
                    None
                };
                self.close()?;
                TermForm::Reified { triple, reifier }
            }
            "<<(" => {
                self.open("<<(")?;
                let triple = self.triple()?;
                self.close()?;
                TermForm::TripleTerm(triple)
            }
            _ => return Err(self.unexpected(what)),
        };
        Ok(TermNode { form, span: start..self.end().end })
    }

    fn triple(&mut self) -> Walked<Box<[TermNode; 3]>> {
        let subject = self.node("a subject")?;
        let verb = self.verb("after the subject of a triple")?;
        Ok(Box::new([subject, verb, self.node("an object")?]))
    }

    /// The fault of a token after the last object that is not a dot.
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
        if self.kind() == Some(TokenKind::Keyword) && self.here() != "a" && !matches!(self.here(), "true" | "false") {
            return missing.hint(format!("end the statement with `.` before `{}`", self.here()));
        }
        if self.kind() == Some(TokenKind::Punctuation) && !self.is_any(&["[", "(", "<<", "<<("]) {
            return self.unexpected("`.`, `;` or `,`");
        }
        let here: String = self.here().chars().take(40).collect();
        let is_term = |t: &&Token| !matches!(t.kind, TokenKind::Punctuation) && !t.text(self.text).starts_with("@p");
        let terms = self.tokens[self.at..].iter().take(3).take_while(is_term).count();
        let separators = self.tokens[..self.at].iter().rev().take(3).filter(|t| t.kind == TokenKind::Punctuation);
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
