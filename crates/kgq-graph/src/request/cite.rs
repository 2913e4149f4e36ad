//! Statements with the sources that they are cited from.

use crate::audit::{Audit, Statement};
use crate::graph::Graph;
use kgq_snapshot::{Ids, Snapshot, TermId};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term, Triple};
use rustc_hash::FxHashSet;

/// The statements that are asked for.
pub enum Wanted {
    About(NamedNode),
    Triple(Option<NamedNode>, Option<NamedNode>, Option<Object>),
}

pub enum Object {
    Node(NamedNode),
    /// A literal with this text, whatever its datatype or language.
    Text(String),
}

impl Wanted {
    /// Reads one term, or a subject, a predicate and an object; `_` stands for any.
    ///
    /// # Errors
    /// A term that the graph does not know.
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

    /// Finds the statements in file order; a statement in several graphs is found once for each.
    fn find(&self, snapshot: &Snapshot) -> Vec<Ids> {
        let id = |node: &NamedNode| snapshot.id(node.as_ref().into());
        // A named term that the graph does not have is in no statement.
        let part = |node: &Option<NamedNode>| match node {
            None => Some(None),
            Some(node) => id(node).map(Some),
        };
        let mut found: Vec<Ids> = match self {
            Self::About(node) => {
                let patterns = id(node).into_iter().flat_map(|id| [[Some(id), None, None], [None, None, Some(id)]]);
                patterns.flat_map(|pattern| snapshot.find_ids(pattern)).collect()
            }
            Self::Triple(subject, predicate, object) => {
                let (Some(subject), Some(predicate)) = (part(subject), part(predicate)) else { return Vec::new() };
                match object {
                    Some(Object::Node(node)) => match id(node) {
                        Some(object) => snapshot.find_ids([subject, predicate, Some(object)]).collect(),
                        None => Vec::new(),
                    },
                    Some(Object::Text(text)) => {
                        let is_text =
                            |id: TermId| matches!(snapshot.term(id), Term::Literal(own) if own.value() == text);
                        let all = snapshot.find_ids([subject, predicate, None]);
                        all.filter(|[_, _, object, _]| is_text(*object)).collect()
                    }
                    None => snapshot.find_ids([subject, predicate, None]).collect(),
                }
            }
        };
        found.sort_unstable();
        found.dedup();
        snapshot.sort_by_origin(&mut found);
        found
    }
}

/// A statement, and how it is cited.
pub struct Cited {
    pub triple: Triple,
    pub state: CitationState,
}

/// How a statement is cited.
pub enum CitationState {
    /// By these of its reifiers.
    By(Vec<Statement>),
    /// It needs a citation and has none.
    Missing,
    /// It needs none.
    Exempt,
}

/// Returns the distinct statements that are asked for, in file order.
///
/// # Errors
/// Those of loading; no such statement.
pub fn cited(graph: &Graph, audit: &Audit<'_>, wanted: &Wanted) -> Result<Vec<Cited>> {
    let needed = graph.triples_to_cite(audit)?;
    let snapshot = graph.snapshot()?;
    let reifies = snapshot.id(rdf::REIFIES.into());
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for ids @ [subject, predicate, object, _] in wanted.find(snapshot) {
        if Some(predicate) == reifies || !seen.insert([subject, predicate, object]) {
            continue;
        }
        let Some(triple) = snapshot.statement(ids).map(Triple::from) else { continue };
        let statements = audit.statements(&triple);
        let state = match (statements.is_empty(), needed.contains(&triple)) {
            (false, _) => CitationState::By(statements),
            (true, true) => CitationState::Missing,
            (true, false) => CitationState::Exempt,
        };
        found.push(Cited { triple, state });
    }
    snapshot.intact()?;
    if found.is_empty() { Err(Error::input("the graph has no such statement")) } else { Ok(found) }
}
