//! Removes a thing from the project: the statements about it, those nested in them, and those about these statements.

use super::Renaming;
use super::rename;
use crate::edit::Settings;
use crate::files::Files;
use kgq_engine::update::Change;
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::blank::nodes_of;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};

/// The statements that go with a thing, and the places that still name it.
pub struct Removal {
    pub change: Change,
    /// Statements that stay although they name the thing.
    pub references: Vec<Quad>,
    /// Files other than data that name it.
    pub files: Vec<String>,
}

/// Computes what is removed with a thing.
///
/// # Errors
/// Those of the files.
pub fn removal(graph: &Graph, files: &Files, thing: &NamedNode) -> Result<Removal> {
    let quads: Vec<&Quad> = files.distinct().collect();
    let mut gone: FxHashSet<&Quad> =
        quads.iter().copied().filter(|quad| quad.subject == NamedOrBlankNode::from(thing.clone())).collect();
    loop {
        let before = gone.len();
        with_nested(&quads, &mut gone);
        with_reifiers(&quads, &mut gone);
        if gone.len() == before {
            break;
        }
    }
    let removed: Vec<Quad> = quads.iter().copied().filter(|quad| gone.contains(quad)).cloned().collect();
    let references = quads.iter().copied().filter(|quad| !gone.contains(quad) && names(quad, thing)).cloned().collect();
    // A file that a renaming would change names the thing.
    let renaming =
        Renaming { old: thing.as_str().to_owned(), new: format!("{}-", thing.as_str()), is_namespace: false };
    let named = rename(graph, files, &renaming, true, &Settings { rewrite: true, ..Settings::default() });
    let loaded = |name: &String| files.all.iter().any(|file| file.name == *name);
    let named =
        named.map(|edit| edit.changes.into_iter().map(|change| change.name).filter(|name| !loaded(name)).collect());
    Ok(Removal { change: Change { added: Vec::new(), removed }, references, files: named.unwrap_or_default() })
}

/// Adds the statements about blank nodes that only removed statements name.
fn with_nested<'q>(quads: &[&'q Quad], gone: &mut FxHashSet<&'q Quad>) {
    let mut named: FxHashMap<BlankNode, bool> = FxHashMap::default();
    for quad in quads {
        let subject = match &quad.subject {
            NamedOrBlankNode::BlankNode(node) => Some(node),
            NamedOrBlankNode::NamedNode(_) => None,
        };
        for node in nodes_of(quad).into_iter().filter(|node| Some(node) != subject) {
            *named.entry(node).or_insert(true) &= gone.contains(quad);
        }
    }
    let goes =
        |quad: &&Quad| matches!(&quad.subject, NamedOrBlankNode::BlankNode(node) if named.get(node) == Some(&true));
    gone.extend(quads.iter().copied().filter(goes));
}

/// Adds the statements about reifiers of removed statements, unless a reifier also reifies another statement.
fn with_reifiers<'q>(quads: &[&'q Quad], gone: &mut FxHashSet<&'q Quad>) {
    let triples: FxHashSet<(Triple, &GraphName)> = gone
        .iter()
        .map(|quad| (Triple::new(quad.subject.clone(), quad.predicate.clone(), quad.object.clone()), &quad.graph_name))
        .collect();
    let mut reifiers: FxHashMap<&NamedOrBlankNode, bool> = FxHashMap::default();
    for quad in quads.iter().copied().filter(|quad| quad.predicate.as_ref() == rdf::REIFIES) {
        let goes = match &quad.object {
            Term::Triple(triple) => triples.contains(&(triple.as_ref().clone(), &quad.graph_name)),
            _ => false,
        };
        *reifiers.entry(&quad.subject).or_insert(true) &= goes;
    }
    gone.extend(quads.iter().copied().filter(|quad| reifiers.get(&quad.subject) == Some(&true)));
}

fn names(quad: &Quad, thing: &NamedNode) -> bool {
    fn in_term(term: &Term, thing: &NamedNode) -> bool {
        match term {
            Term::NamedNode(node) => node == thing,
            Term::Triple(triple) => {
                triple.subject == NamedOrBlankNode::from(thing.clone())
                    || triple.predicate == *thing
                    || in_term(&triple.object, thing)
            }
            Term::BlankNode(_) | Term::Literal(_) => false,
        }
    }
    quad.predicate == *thing || quad.graph_name == GraphName::NamedNode(thing.clone()) || in_term(&quad.object, thing)
}
