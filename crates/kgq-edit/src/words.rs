//! Writes terms in Turtle, with the prefixes that a file has and those that it needs in addition.

use kgq_graph::format::{is_plain_local, quoted, quoted_on_one_line};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Prefixes, Term};
use kgq_syntax::{Token, TokenKind, turtle};
use oxrdf::BaseDirection;
use oxrdf::vocab::xsd;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Writes terms for one file.
pub struct Words<'a> {
    /// The prefixes that are usable where something is added.
    pub own: Prefixes,
    /// Prefixes of the project that the file may adopt.
    pub more: &'a Prefixes,
    /// Whether this prefix may be declared for this namespace in the file.
    pub may_declare: &'a dyn Fn(&str, &str) -> bool,
    /// The prefixes adopted so far.
    pub needed: BTreeMap<String, String>,
    /// The labels of blank nodes that have one.
    pub labels: FxHashMap<BlankNode, String>,
    /// Whether a string may span several lines.
    pub has_long_strings: bool,
}

impl Words<'_> {
    pub fn verb(&mut self, predicate: &NamedNode) -> String {
        if predicate.as_ref() == rdf::TYPE { "a".to_owned() } else { self.iri(predicate.as_str()) }
    }

    pub fn iri(&mut self, iri: &str) -> String {
        let needed = self.needed.iter().map(|(prefix, namespace)| (prefix.as_str(), namespace.as_str()));
        if let Some((prefix, namespace)) = best(self.own.iter().chain(needed), iri) {
            return format!("{prefix}:{}", &iri[namespace.len()..]);
        }
        let may = |(prefix, namespace): &(&str, &str)| {
            self.own.get(prefix).is_none() && (self.may_declare)(prefix, namespace)
        };
        let Some((prefix, namespace)) = best(self.more.iter().filter(may), iri) else {
            return format!("<{}>", kgq_syntax::rdf::iri::escaped(iri));
        };
        let written = format!("{prefix}:{}", &iri[namespace.len()..]);
        self.needed.insert(prefix.to_owned(), namespace.to_owned());
        written
    }

    pub fn subject(&mut self, subject: &NamedOrBlankNode) -> String {
        match subject {
            NamedOrBlankNode::NamedNode(node) => self.iri(node.as_str()),
            NamedOrBlankNode::BlankNode(node) => self.label(node),
        }
    }

    /// The label of a blank node; `[]` for one that nothing else names.
    pub fn label(&self, node: &BlankNode) -> String {
        self.labels.get(node).map_or_else(|| "[]".to_owned(), |label| format!("_:{label}"))
    }

    /// Writes a term without nesting; a blank node is written by its label.
    pub fn term(&mut self, term: &Term) -> String {
        match term {
            Term::NamedNode(node) if node.as_str() == RDF_NIL => "()".to_owned(),
            Term::NamedNode(node) => self.iri(node.as_str()),
            Term::BlankNode(node) => self.label(node),
            Term::Literal(literal) => self.literal(literal),
            Term::Triple(triple) => format!(
                "<<( {} {} {} )>>",
                self.subject(&triple.subject),
                self.verb(&triple.predicate),
                self.inner(&triple.object)
            ),
        }
    }

    /// Writes an object inside a triple term, where no list may stand.
    fn inner(&mut self, term: &Term) -> String {
        match term {
            Term::NamedNode(node) => self.iri(node.as_str()),
            Term::BlankNode(_) | Term::Triple(_) => self.term(term),
            // The parser accepts no multi-line string here.
            Term::Literal(literal) => {
                let before = std::mem::replace(&mut self.has_long_strings, false);
                let text = self.literal(literal);
                self.has_long_strings = before;
                text
            }
        }
    }

    fn literal(&mut self, literal: &Literal) -> String {
        let (value, datatype) = (literal.value(), literal.datatype());
        if is_shorthand(value, datatype.as_str()) {
            return value.to_owned();
        }
        let text = if self.has_long_strings { quoted(value) } else { quoted_on_one_line(value) };
        match (literal.language(), literal.direction()) {
            (Some(tag), None) => format!("{text}@{}", cased(tag)),
            (Some(tag), Some(BaseDirection::Ltr)) => format!("{text}@{}--ltr", cased(tag)),
            (Some(tag), Some(BaseDirection::Rtl)) => format!("{text}@{}--rtl", cased(tag)),
            (None, _) if datatype == xsd::STRING => text,
            (None, _) => format!("{text}^^{}", self.iri(datatype.as_str())),
        }
    }
}

/// The namespace of SHACL, whose queries are written as strings.
pub const SHACL: &str = "http://www.w3.org/ns/shacl#";
pub const RDF_NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";

/// The longest namespace that leaves a local name without escapes; the formatter chooses the same.
pub fn best<'p>(prefixes: impl Iterator<Item = (&'p str, &'p str)>, iri: &str) -> Option<(&'p str, &'p str)> {
    let fits = prefixes
        .filter(|(_, namespace)| namespace.contains(':') && iri.strip_prefix(*namespace).is_some_and(is_plain_local));
    fits.max_by_key(|(_, namespace)| namespace.len())
}

/// Whether a literal is written without quotes.
fn is_shorthand(value: &str, datatype: &str) -> bool {
    let datatype = datatype.strip_prefix("http://www.w3.org/2001/XMLSchema#").unwrap_or_default();
    if datatype == "boolean" {
        return matches!(value, "true" | "false");
    }
    let kind = match datatype {
        "integer" => TokenKind::Integer,
        "decimal" => TokenKind::Decimal,
        "double" => TokenKind::Double,
        _ => return false,
    };
    matches!(turtle::tokenize(value).as_slice(), [token] if token.kind == kind)
}

/// The prefix and the local part of a prefixed name, as written; `None` for other tokens.
pub fn prefixed_name<'t>(text: &'t str, token: &Token) -> Option<(&'t str, &'t str)> {
    if token.kind == TokenKind::PrefixedName { token.text(text).split_once(':') } else { None }
}
