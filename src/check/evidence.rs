//! Citations as a project writes them: a statement's reifier is derived from a citation, a citation names a source document
//! and a place in it (RDF 1.2 reifiers, PROV-O, Web Annotation).
//!
//! It reads what the graph says; whether a place holds in the text of its source is `text.rs`'s question.

use crate::error::{Error, Result};
use crate::project::{CitationSettings, MANIFEST, Project};
use crate::rdf::vocabulary::rdf;
use crate::rdf::{Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};

/// The properties in which citations are written: PROV-O's and Web Annotation's, and for an anchor, a hash and a length, which
/// have no property that everybody uses, those that `[citations]` of kgq.toml names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitationTerms {
    /// From a reifier to a citation, or to the reifier of a statement that it follows from.
    pub derived_from: NamedNode,
    /// From a citation to its source document.
    pub source: NamedNode,
    /// From a citation to the place in it.
    pub selector: NamedNode,
    /// Code points from 0.
    pub start: NamedNode,
    /// Code points from 0, exclusive.
    pub end: NamedNode,
    /// A few words that stand exactly once in the span, at the citation or at its selector; `oa:exact` where nothing is said.
    pub anchor: NamedNode,
    /// The SHA-256 of a span or of a document's text, in hexadecimal.
    pub hash: Option<NamedNode>,
    /// The number of code points of a document's text.
    pub length: Option<NamedNode>,
}

impl CitationTerms {
    pub fn of(project: &Project, prefixes: &Prefixes) -> Result<Self> {
        let CitationSettings { anchor, hash, length, .. } = &project.manifest.citations;
        let setting = |name: &Option<String>| name.as_deref().map(|name| expand(name, prefixes)).transpose();
        let oa = |name| NamedNode::new_unchecked(format!("http://www.w3.org/ns/oa#{name}"));
        Ok(Self {
            derived_from: NamedNode::new_unchecked("http://www.w3.org/ns/prov#wasDerivedFrom"),
            source: oa("hasSource"),
            selector: oa("hasSelector"),
            start: oa("start"),
            end: oa("end"),
            anchor: setting(anchor)?.unwrap_or_else(|| oa("exact")),
            hash: setting(hash)?,
            length: setting(length)?,
        })
    }
}

/// The IRI that a setting of `kgq.toml` names, as CURIE or in full.
pub fn expand(name: &str, prefixes: &Prefixes) -> Result<NamedNode> {
    let full = || NamedNode::new(name).ok().filter(|_| name.contains("://"));
    prefixes
        .expand(name)
        .or_else(full)
        .ok_or_else(|| Error::input(format!("{MANIFEST}: `{name}` is neither an IRI nor a CURIE with a known prefix")))
}

/// A place in a source document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub node: NamedOrBlankNode,
    pub sources: Vec<Term>,
    pub selectors: Vec<Selector>,
    pub anchors: Vec<Literal>,
}

/// A span of a source's text. A bound that is not an integer from 0 is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    pub node: Term,
    pub start: Option<usize>,
    pub end: Option<usize>,
    pub sha256: Option<String>,
    pub anchors: Vec<Literal>,
}

/// What a statement is derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    Citation(NamedOrBlankNode),
    /// The reifier of another statement.
    Statement(NamedOrBlankNode),
    /// Something that is neither: it names no source.
    Other(Term),
}

/// All citations of a dataset, and the statements that have them.
#[derive(Clone, Debug)]
pub struct Citations {
    pub terms: CitationTerms,
    /// By statement, its reifiers, in the order of the data.
    reifiers: FxHashMap<Triple, Vec<NamedOrBlankNode>>,
    statements: FxHashMap<NamedOrBlankNode, Vec<Triple>>,
    grounds: FxHashMap<NamedOrBlankNode, Vec<Ground>>,
    citations: FxHashMap<NamedOrBlankNode, Citation>,
    order: Vec<NamedOrBlankNode>,
    documents: Vec<Term>,
    selectors: FxHashSet<Term>,
}

impl Citations {
    pub fn read<'q>(quads: impl IntoIterator<Item = &'q Quad> + Clone, terms: CitationTerms) -> Self {
        let mut found = Self {
            terms,
            reifiers: FxHashMap::default(),
            statements: FxHashMap::default(),
            grounds: FxHashMap::default(),
            citations: FxHashMap::default(),
            order: Vec::new(),
            documents: Vec::new(),
            selectors: FxHashSet::default(),
        };
        for quad in quads.clone() {
            match &quad.object {
                Term::Triple(statement) if quad.predicate.as_ref() == rdf::REIFIES => {
                    push_once(found.reifiers.entry((**statement).clone()).or_default(), quad.subject.clone());
                    push_once(found.statements.entry(quad.subject.clone()).or_default(), (**statement).clone());
                }
                document if quad.predicate == found.terms.source => found.cite(&quad.subject, document),
                _ => {}
            }
        }
        for quad in quads.clone() {
            if quad.predicate == found.terms.derived_from && found.statements.contains_key(&quad.subject) {
                let ground = found.ground(&quad.object);
                push_once(found.grounds.entry(quad.subject.clone()).or_default(), ground);
            }
        }
        found.read_places(quads);
        found
    }

    fn cite(&mut self, node: &NamedOrBlankNode, document: &Term) {
        if !self.citations.contains_key(node) {
            self.order.push(node.clone());
        }
        let empty = || Citation { node: node.clone(), sources: Vec::new(), selectors: Vec::new(), anchors: Vec::new() };
        push_once(&mut self.citations.entry(node.clone()).or_insert_with(empty).sources, document.clone());
        push_once(&mut self.documents, document.clone());
    }

    fn ground(&self, object: &Term) -> Ground {
        match as_node(object) {
            Some(node) if self.citations.contains_key(&node) => Ground::Citation(node),
            Some(node) if self.statements.contains_key(&node) => Ground::Statement(node),
            _ => Ground::Other(object.clone()),
        }
    }

    fn read_places<'q>(&mut self, quads: impl IntoIterator<Item = &'q Quad> + Clone) {
        let mut selectors: FxHashMap<Term, Selector> = FxHashMap::default();
        for quad in quads.clone() {
            if quad.predicate == self.terms.selector && self.citations.contains_key(&quad.subject) {
                let selector =
                    Selector { node: quad.object.clone(), start: None, end: None, sha256: None, anchors: Vec::new() };
                selectors.entry(quad.object.clone()).or_insert(selector);
            }
        }
        for quad in quads.clone() {
            let Term::Literal(literal) = &quad.object else { continue };
            if let Some(selector) = selectors.get_mut(&Term::from(quad.subject.clone())) {
                let number = || literal.value().parse().ok();
                if quad.predicate == self.terms.start {
                    selector.start = number();
                } else if quad.predicate == self.terms.end {
                    selector.end = number();
                } else if Some(&quad.predicate) == self.terms.hash.as_ref() {
                    selector.sha256 = Some(literal.value().to_ascii_lowercase());
                } else if quad.predicate == self.terms.anchor {
                    push_once(&mut selector.anchors, literal.clone());
                }
            }
            if quad.predicate == self.terms.anchor
                && let Some(citation) = self.citations.get_mut(&quad.subject)
            {
                push_once(&mut citation.anchors, literal.clone());
            }
        }
        for quad in quads {
            if quad.predicate == self.terms.selector
                && let (Some(citation), Some(selector)) =
                    (self.citations.get_mut(&quad.subject), selectors.get(&quad.object))
            {
                push_once(&mut citation.selectors, selector.clone());
            }
        }
        self.selectors = selectors.into_keys().collect();
    }

    /// The citations, in the order of the data.
    pub fn iter(&self) -> impl Iterator<Item = &Citation> {
        self.order.iter().filter_map(|node| self.citations.get(node))
    }

    /// The source documents that citations name, in the order of the data.
    pub fn documents(&self) -> &[Term] {
        &self.documents
    }

    /// Whether the node is part of how the project cites: a reifier, a citation, a place in a source, a source document.
    pub fn is_apparatus(&self, node: &NamedOrBlankNode) -> bool {
        let term = Term::from(node.clone());
        self.statements.contains_key(node)
            || self.citations.contains_key(node)
            || self.selectors.contains(&term)
            || self.documents.contains(&term)
    }

    pub fn reifiers(&self, statement: &Triple) -> &[NamedOrBlankNode] {
        self.reifiers.get(statement).map_or(&[], Vec::as_slice)
    }

    /// What the reifier says its statement is derived from.
    pub fn grounds(&self, reifier: &NamedOrBlankNode) -> &[Ground] {
        self.grounds.get(reifier).map_or(&[], Vec::as_slice)
    }

    /// The citations that a statement rests on, by itself or through the statements it follows from, each once.
    pub fn of(&self, statement: &Triple) -> Vec<&Citation> {
        let mut queue: Vec<&NamedOrBlankNode> = self.reifiers(statement).iter().collect();
        let mut seen: FxHashSet<&NamedOrBlankNode> = queue.iter().copied().collect();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(reifier) = queue.get(at).copied() {
            at += 1;
            for ground in self.grounds(reifier) {
                match ground {
                    Ground::Citation(node) if seen.insert(node) => found.extend(self.citations.get(node)),
                    Ground::Statement(node) if seen.insert(node) => queue.push(node),
                    Ground::Citation(_) | Ground::Statement(_) | Ground::Other(_) => {}
                }
            }
        }
        found
    }
}

fn as_node(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn push_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
