//! The triples of a text, each with the places of its subject, predicate and object, so that the line of a statement in a
//! file can be found. The parser that loads files gives no places; any text that it accepts is read in the same way here.

use super::tree::*;
use crate::Span;
use crate::rdf::{BaseDirection, BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use oxiri::Iri;
use oxrdf::vocab::{rdf, xsd};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A triple or quad with the places where its parts are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Blank nodes without a label are named after the byte offset where they begin.
    pub quad: Quad,
    pub subject: Span,
    pub predicate: Span,
    /// Without the annotations.
    pub object: Span,
}

/// The triples of a document in text order, one item after the other.
pub struct Triples<'a> {
    items: std::slice::Iter<'a, Item>,
    walk: Walk<'a>,
}

/// Reads a document that was parsed from exactly this text. Without a base, relative IRIs stay relative.
pub fn triples<'a>(text: &'a str, document: &'a Document, base: Option<&str>) -> Triples<'a> {
    Triples { items: document.items.iter(), walk: Walk::new(text, Scope::new(base).into(), None) }
}

impl Iterator for Triples<'_> {
    type Item = Located;

    fn next(&mut self) -> Option<Located> {
        while self.walk.found.is_empty() {
            match self.items.next()? {
                Item::Directive(directive) => self.walk.directive(directive),
                Item::Statement(statement) => self.walk.statement(statement),
                Item::Graph(block) => {
                    self.walk.open(block);
                    block.statements.iter().for_each(|statement| self.walk.statement(statement));
                    self.walk.close();
                }
            }
        }
        self.walk.found.pop_front()
    }
}

/// The directives in force at a point of a text.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    base: Option<Iri<String>>,
    /// The namespaces of the declared prefixes.
    pub(super) prefixes: BTreeMap<String, String>,
}

impl Scope {
    pub(super) fn new(base: Option<&str>) -> Self {
        let base = base.and_then(|base| Iri::parse(base.to_owned()).ok());
        Self { base, prefixes: BTreeMap::new() }
    }

    pub(super) fn has_base(&self) -> bool {
        self.base.is_some()
    }

    fn iri(&self, written: &str) -> String {
        let inner = written.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(written);
        let inner = unescape(inner);
        match &self.base {
            Some(base) => base.resolve(&inner).map_or(inner, Iri::into_inner),
            None => inner,
        }
    }
}

/// A walk over the parts of a text, which gathers its triples.
pub(super) struct Walk<'a> {
    text: &'a str,
    /// Copied only when a directive changes it, as pieces of a text share it.
    pub(super) scope: Arc<Scope>,
    /// The graph of a TriG block, while it is open.
    pub(super) block: Option<GraphName>,
    pub(super) found: VecDeque<Located>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, scope: Arc<Scope>, block: Option<GraphName>) -> Self {
        Self { text, scope, block, found: VecDeque::new() }
    }

    fn slice(&self, span: &Span) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    pub(super) fn directive(&mut self, directive: &Directive) {
        match &directive.kind {
            DirectiveKind::Prefix { prefix, iri } => {
                let (prefix, iri) = (self.slice(prefix).trim_end_matches(':'), self.scope.iri(self.slice(iri)));
                if self.scope.prefixes.get(prefix) != Some(&iri) {
                    Arc::make_mut(&mut self.scope).prefixes.insert(prefix.to_owned(), iri);
                }
            }
            DirectiveKind::Base { iri } => {
                let base = Iri::parse(self.scope.iri(self.slice(iri))).ok();
                if base.is_some() && base != self.scope.base {
                    Arc::make_mut(&mut self.scope).base = base;
                }
            }
            DirectiveKind::Version { .. } => {}
        }
    }

    pub(super) fn open(&mut self, block: &GraphBlock) {
        let name = block.name.as_ref().map_or(GraphName::DefaultGraph, |name| self.graph_name(name));
        self.block = Some(name);
    }

    pub(super) fn close(&mut self) {
        self.block = None;
    }

    pub(super) fn statement(&mut self, statement: &Statement) {
        if let Some(graph) = &statement.graph {
            self.block = Some(self.graph_name(graph));
        }
        let subject = self.node(&statement.subject);
        self.predicates(&subject, &statement.subject.span, &statement.predicates);
        if statement.graph.is_some() {
            self.block = None;
        }
    }

    fn graph_name(&mut self, name: &TermNode) -> GraphName {
        match self.node(name) {
            Term::NamedNode(iri) => iri.into(),
            Term::BlankNode(node) => node.into(),
            Term::Literal(_) | Term::Triple(_) => GraphName::DefaultGraph,
        }
    }

    fn predicates(&mut self, subject: &Term, place: &Span, predicates: &[Predicate]) {
        for predicate in predicates {
            let verb = self.verb(&predicate.verb);
            for object in &predicate.objects {
                let term = self.node(&object.node);
                self.push(subject, place.clone(), &verb, predicate.verb.span.clone(), &term, object.node.span.clone());
                self.annotations(subject, &verb, &term, object);
            }
        }
    }

    fn annotations(&mut self, subject: &Term, verb: &NamedNode, term: &Term, object: &Object) {
        // A block belongs to the reifier just before it; without one, it creates its own.
        let mut current: Option<(Term, Span)> = None;
        for annotation in &object.annotations {
            match annotation {
                Annotation::Reifier { name, span } => {
                    let reifier = match name {
                        Some(name) => self.node(name),
                        None => anonymous(span),
                    };
                    self.reify(&reifier, span.clone(), subject, verb, term);
                    current = Some((reifier, span.clone()));
                }
                Annotation::Block { predicates, span } => {
                    let (reifier, place) = current.take().unwrap_or_else(|| {
                        let reifier = anonymous(span);
                        self.reify(&reifier, span.clone(), subject, verb, term);
                        (reifier, span.clone())
                    });
                    self.predicates(&reifier, &place, predicates);
                }
            }
        }
    }

    fn reify(&mut self, reifier: &Term, place: Span, subject: &Term, verb: &NamedNode, object: &Term) {
        if let Some(triple) = triple(subject, verb, object) {
            self.push(reifier, place.clone(), &rdf::REIFIES.into_owned(), place.clone(), &triple, place);
        }
    }

    fn push(&mut self, subject: &Term, at: Span, verb: &NamedNode, verb_at: Span, object: &Term, object_at: Span) {
        let Some(subject) = as_subject(subject) else { return };
        let quad = Quad::new(subject, verb.clone(), object.clone(), self.block.clone().unwrap_or_default());
        self.found.push_back(Located { quad, subject: at, predicate: verb_at, object: object_at });
    }

    fn verb(&mut self, node: &TermNode) -> NamedNode {
        match self.node(node) {
            Term::NamedNode(iri) => iri,
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => rdf::TYPE.into_owned(),
        }
    }

    fn node(&mut self, node: &TermNode) -> Term {
        match &node.form {
            TermForm::Plain => self.plain(self.slice(&node.span)),
            TermForm::Literal { text, tag, datatype } => self.literal(text, tag.as_ref(), datatype.as_deref()),
            TermForm::Anonymous(predicates) => {
                let term = anonymous(&node.span);
                self.predicates(&term, &node.span, predicates);
                term
            }
            TermForm::Collection(members) => self.collection(members),
            TermForm::Reified { triple: parts, reifier } => {
                let [subject, verb, object] = parts.as_ref();
                let (subject, verb, object) = (self.node(subject), self.verb(verb), self.node(object));
                let reifier = match reifier {
                    Some(Some(name)) => self.node(name),
                    Some(None) | None => anonymous(&node.span),
                };
                self.reify(&reifier, node.span.clone(), &subject, &verb, &object);
                reifier
            }
            TermForm::TripleTerm(parts) => {
                let [subject, verb, object] = parts.as_ref();
                let (subject, verb, object) = (self.node(subject), self.verb(verb), self.node(object));
                triple(&subject, &verb, &object).unwrap_or_else(|| anonymous(&node.span))
            }
        }
    }

    fn collection(&mut self, members: &[Object]) -> Term {
        let cell = |member: &Object| Term::from(BlankNode::new_unchecked(format!("list{}", member.span.start)));
        for (i, member) in members.iter().enumerate() {
            let here = cell(member);
            let place = member.span.clone();
            let term = self.node(&member.node);
            self.push(&here, place.clone(), &rdf::FIRST.into_owned(), place.clone(), &term, place.clone());
            let rest = members.get(i + 1).map_or_else(|| rdf::NIL.into_owned().into(), cell);
            self.push(&here, place.clone(), &rdf::REST.into_owned(), place.clone(), &rest, place);
        }
        members.first().map_or_else(|| rdf::NIL.into_owned().into(), cell)
    }

    fn plain(&self, text: &'a str) -> Term {
        if text.starts_with('<') {
            return NamedNode::new_unchecked(self.scope.iri(text)).into();
        }
        if let Some(label) = text.strip_prefix("_:") {
            return BlankNode::new_unchecked(label).into();
        }
        match text {
            "a" => return rdf::TYPE.into_owned().into(),
            "true" | "false" => return Literal::new_typed_literal(text, xsd::BOOLEAN).into(),
            _ => {}
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
            let datatype = match text {
                t if t.contains(['e', 'E']) => xsd::DOUBLE,
                t if t.contains('.') => xsd::DECIMAL,
                _ => xsd::INTEGER,
            };
            return Literal::new_typed_literal(text, datatype).into();
        }
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        let mut iri = self.scope.prefixes.get(prefix).cloned().unwrap_or_default();
        // A backslash in a local name only keeps the next character from being read as punctuation.
        iri.extend(local.chars().filter(|c| *c != '\\'));
        NamedNode::new_unchecked(iri).into()
    }

    fn literal(&mut self, text: &Span, tag: Option<&Span>, datatype: Option<&TermNode>) -> Term {
        let written = self.slice(text);
        let mark = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
        let value = unescape(written.get(mark..written.len() - mark).unwrap_or_default());
        if let Some(datatype) = datatype {
            return Literal::new_typed_literal(value, self.verb(datatype)).into();
        }
        let Some(tag) = tag else { return Literal::new_simple_literal(value).into() };
        let tag = self.slice(tag).trim_start_matches('@');
        match tag.split_once("--") {
            None => Literal::new_language_tagged_literal_unchecked(value, tag.to_ascii_lowercase()).into(),
            Some((language, direction)) => {
                let direction = if direction == "rtl" { BaseDirection::Rtl } else { BaseDirection::Ltr };
                let language = language.to_ascii_lowercase();
                Literal::new_directional_language_tagged_literal_unchecked(value, language, direction).into()
            }
        }
    }
}

fn anonymous(span: &Span) -> Term {
    BlankNode::new_unchecked(format!("at{}", span.start)).into()
}

fn as_subject(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(iri) => Some(iri.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn triple(subject: &Term, verb: &NamedNode, object: &Term) -> Option<Term> {
    Some(Triple::new(as_subject(subject)?, verb.clone(), object.clone()).into())
}

/// Replaces the escapes of a string or an IRI. Invalid escapes stay as written.
pub fn unescape(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = match rest.as_bytes().get(1) {
            Some(b't') => ('\t', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'"') => ('"', 2),
            Some(b'\'') => ('\'', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'u') => code(rest, 4),
            Some(b'U') => code(rest, 8),
            _ => ('\\', 1),
        };
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

fn code(rest: &str, digits: usize) -> (char, usize) {
    let hex = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    hex.and_then(char::from_u32).map_or(('\\', 1), |c| (c, 2 + digits))
}
