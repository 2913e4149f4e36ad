//! Statements with the sources that they come from.

use crate::audit::{Audit, Statement};
use crate::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use rustc_hash::FxHashSet;

/// Which statements are asked for.
pub enum Wanted {
    About(NamedNode),
    Triple(Option<NamedNode>, Option<NamedNode>, Option<Object>),
}

pub enum Object {
    Node(NamedNode),
    /// A literal of this text, whatever its datatype or language.
    Text(String),
}

impl Wanted {
    /// Reads one term, or a subject, a predicate and an object; `_` is any.
    ///
    /// # Errors
    /// What the graph does not know.
    pub fn read(terms: &[String], graph: &Graph) -> Result<Self> {
        let node = |word: &str| if word == "_" { Ok(None) } else { graph.resolve(word).map(Some) };
        match terms {
            [term] if term != "_" => Ok(Self::About(graph.resolve(term)?)),
            [subject, predicate, object] => {
                let object = match object.as_str() {
                    "_" => None,
                    word => Some(match graph.resolve(word) {
                        Ok(node) => Object::Node(node),
                        Err(_) => Object::Text(word.trim_matches('"').to_owned()),
                    }),
                };
                Ok(Self::Triple(node(subject)?, node(predicate)?, object))
            }
            _ => Err(Error::usage("name one term, or a subject, a predicate and an object (`_` for any)")),
        }
    }

    fn matches(&self, triple: &Triple) -> bool {
        match self {
            Self::About(node) => {
                triple.subject == NamedOrBlankNode::from(node.clone()) || triple.object == Term::from(node.clone())
            }
            Self::Triple(subject, predicate, object) => {
                subject.as_ref().is_none_or(|s| triple.subject == NamedOrBlankNode::from(s.clone()))
                    && predicate.as_ref().is_none_or(|p| triple.predicate == *p)
                    && object.as_ref().is_none_or(|o| match (o, &triple.object) {
                        (Object::Node(node), Term::NamedNode(own)) => node == own,
                        (Object::Text(text), Term::Literal(own)) => own.value() == text,
                        _ => false,
                    })
            }
        }
    }
}

/// A statement, and how it is cited.
pub struct Cited {
    pub triple: Triple,
    pub state: State,
}

/// How a statement is cited.
pub enum State {
    /// By these of its reifiers.
    By(Vec<Statement>),
    /// It needs a citation and has none.
    Missing,
    /// It needs none.
    Exempt,
}

/// The statements that are wanted, each once, in the order of the files.
///
/// # Errors
/// Those of loading; that there is no such statement.
pub fn cited(graph: &Graph, audit: &Audit<'_>, wanted: &Wanted) -> Result<Vec<Cited>> {
    let needed = graph.triples_to_cite(audit)?;
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for quad in graph.dataset()?.quads() {
        let triple = Triple::from(quad.clone());
        if !wanted.matches(&triple) || triple.predicate.as_ref() == rdf::REIFIES || !seen.insert(triple.clone()) {
            continue;
        }
        let statements = audit.statements(&triple);
        let state = match (statements.is_empty(), needed.contains(&triple)) {
            (false, _) => State::By(statements),
            (true, true) => State::Missing,
            (true, false) => State::Exempt,
        };
        found.push(Cited { triple, state });
    }
    if found.is_empty() { Err(Error::input("the graph has no such statement")) } else { Ok(found) }
}
