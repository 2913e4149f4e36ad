//! The name of a thing on a page: its label, or words made from its description, so that readers never see a bare IRI.

use super::model::Model;
use super::vocabulary::*;
use kgq_graph::catalog::{local_name, words_of};
use kgq_snapshot::TermId;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};

/// The maximum depth when a statement about a statement is put into words.
const DEEPEST: u8 = 2;

/// The maximum number of characters of a literal in such words.
const LONGEST: usize = 60;

impl<'a> Model<'a> {
    /// The label of a thing in the language of the site, or the next best words.
    pub fn label(&self, node: &NamedNode) -> String {
        self.label_to(node, 0)
    }

    fn label_to(&self, node: &NamedNode, depth: u8) -> String {
        if let Some(label) = self.source.labels.get(node, self.language)
            && !label.trim().is_empty()
        {
            return label.to_owned();
        }
        if depth < DEEPEST {
            if let Some(triple) = self.reified_by(node) {
                return self.statement_label(&triple, depth);
            }
            if let Some(words) = self.citation_label(node, depth).or_else(|| self.span_label(node)) {
                return words;
            }
        }
        let iri = node.as_str();
        // Properties and classes without a label still have to read well in sentences.
        let spoken = self.uses.contains_key(iri) || self.members.contains_key(iri) || self.is_vocabulary(iri);
        if (spoken || self.is_property(node))
            && let Some(words) = words_of(iri)
        {
            return if self.is_vocabulary(iri) { self.vocabulary(words) } else { words };
        }
        if let Some(short) = self.source.prefixes.shorten(iri) {
            return short;
        }
        if let Some(tail) = iri.strip_prefix(self.source.base).filter(|tail| !tail.is_empty() && tail.len() < iri.len())
        {
            return tail.to_owned();
        }
        let bare = iri.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches(['/', '#']);
        match (bare.split_once('/'), local_name(bare)) {
            (Some((host, rest)), local) if rest.contains('/') => format!("{host}/…/{local}"),
            _ => bare.to_owned(),
        }
    }

    /// Whether an IRI belongs to a vocabulary for describing vocabularies: RDF, RDF Schema, OWL, SKOS, SHACL.
    fn is_vocabulary(&self, iri: &str) -> bool {
        let others = !self.source.base.starts_with("http://www.w3.org/");
        others && [RDF, RDFS, OWL, SKOS, SH].iter().any(|namespace| iri.starts_with(namespace))
    }

    /// The triple that a node names, if it names one.
    pub fn reified_by(&self, node: &NamedNode) -> Option<Triple> {
        self.values(node, self.known.reifies).into_iter().find_map(|value| match value {
            Term::Triple(triple) => Some(*triple),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) => None,
        })
    }

    fn statement_label(&self, triple: &Triple, depth: u8) -> String {
        let subject = match &triple.subject {
            NamedOrBlankNode::NamedNode(node) => self.label_to(node, depth + 1),
            NamedOrBlankNode::BlankNode(_) => self.say("something").to_owned(),
        };
        let predicate = self.label_to(&triple.predicate, depth + 1);
        let object = match &triple.object {
            Term::NamedNode(node) => self.label_to(node, depth + 1),
            Term::Literal(literal) => format!("“{}”", shorten(literal.value(), LONGEST)),
            Term::BlankNode(_) => self.say("something").to_owned(),
            Term::Triple(inner) if depth < DEEPEST => self.statement_label(inner, depth + 1),
            Term::Triple(_) => self.say("a statement").to_owned(),
        };
        format!("{subject} — {predicate} — {object}")
    }

    fn citation_label(&self, node: &NamedNode, depth: u8) -> Option<String> {
        if self.values(node, self.known.has_source).is_empty() {
            return None;
        }
        let citation = self.source.audit.citation(node);
        let mut words = self.label_to(citation.document.as_ref()?, depth + 1);
        match citation.sentences.as_slice() {
            [] => {}
            [one] => words.push_str(&format!(", {}", self.fill("sentence {}", one))),
            several => words.push_str(&format!(", {}", self.fill("sentences {}", several.join(", ")))),
        }
        if let Some(anchor) = &citation.anchor {
            words.push_str(&format!(": “{}”", shorten(anchor, LONGEST)));
        } else if let (Some(span), true) = (citation.span, citation.sentences.is_empty()) {
            let place = self.fill("characters {}", format_args!("{}–{}", span.start, span.end));
            words.push_str(&format!(", {place}"));
        }
        Some(words)
    }

    fn span_label(&self, node: &NamedNode) -> Option<String> {
        let number = |property: Option<TermId>| {
            self.values(node, property).into_iter().next().and_then(|value| match value {
                Term::Literal(literal) => Some(literal.destruct().0),
                Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
            })
        };
        let (start, end) = (number(self.known.start)?, number(self.known.end)?);
        Some(self.fill("characters {}", format_args!("{start}–{end}")))
    }

    /// The names of a thing for the heading of its page: its label, and its names in other languages.
    pub fn titles(&self, node: &NamedNode) -> Titles<'a> {
        let all = self.source.labels.all(node);
        let shown = self.source.labels.get(node, self.language);
        let best = all.iter().find(|l| Some(l.value()) == shown && !l.value().trim().is_empty()).copied();
        let mut others: Vec<&Literal> = Vec::new();
        for label in all {
            let known = best.into_iter().chain(others.iter().copied());
            let again = known.clone().any(|t| t.value() == label.value() || t.language() == label.language());
            if best.is_some() && !again && !label.value().trim().is_empty() {
                others.push(label);
            }
        }
        others.sort_by_key(|label| label.language());
        Titles { best, others }
    }

    /// The CURIE of an IRI, or the IRI in angle brackets.
    pub fn curie(&self, iri: &str) -> String {
        self.source.prefixes.display(iri)
    }
}

/// The names of a thing: in one language, and in others.
pub struct Titles<'a> {
    pub best: Option<&'a Literal>,
    /// One name for each other language, sorted by tag.
    pub others: Vec<&'a Literal>,
}

/// Cuts a text after this many characters.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}
