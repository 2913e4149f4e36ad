//! Operations on whole graphs: what changes in the files when a graph is replaced, extended, removed or patched, as the SPARQL
//! 1.1 Graph Store HTTP Protocol defines it.

use crate::files::{File, Files, has_nodes};
use kgq_engine::update::{Change, name_new_nodes};
use kgq_graph::graph::{Graph, UpdateContext};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::Relabel;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::isomorphism::are_isomorphic;
use kgq_syntax::rdf::{GraphName, Quad};
use rustc_hash::FxHashSet;

/// Whether the graph exists: the default graph always, a named graph if it has a statement.
pub fn exists(files: &Files, graph: &GraphName) -> bool {
    *graph == GraphName::DefaultGraph || files.all.iter().any(|file| file.quads().any(|q| q.graph_name == *graph))
}

/// Replaces the statements of a graph. If old and new differ only in the labels of blank nodes, the old ones stay.
///
/// # Errors
/// Blank nodes that are too much alike to be compared; the budget's.
pub fn replace(graph: &Graph, files: &Files, name: &GraphName, statements: Vec<Quad>) -> Result<Change> {
    let (old_nodes, old): (Vec<Quad>, Vec<Quad>) = of_graph(files, name).partition(has_nodes);
    let (new_nodes, new): (Vec<Quad>, Vec<Quad>) = placed(name, statements).partition(has_nodes);
    let mut change = Change::default();
    let (was, is) = (set(&old), set(&new));
    change.removed = old.iter().filter(|quad| !is.contains(quad)).cloned().collect();
    change.added = unique(new.iter().filter(|quad| !was.contains(quad)).cloned());
    if !are_isomorphic(&old_nodes, &new_nodes, &graph.loading_budget())? {
        change.removed.extend(old_nodes);
        change.added.extend(fresh(new_nodes));
    }
    named(graph, files, change)
}

/// Adds statements to a graph; their blank nodes are new ones.
///
/// # Errors
/// The budget's.
pub fn extend(graph: &Graph, files: &Files, name: &GraphName, statements: Vec<Quad>) -> Result<Change> {
    let snapshot = files.snapshot(graph)?;
    let (nodes, new): (Vec<Quad>, Vec<Quad>) = placed(name, statements).partition(has_nodes);
    let mut added = unique(new.into_iter().filter(|quad| snapshot.ids(quad.as_ref()).is_none()));
    added.extend(fresh(nodes));
    named(graph, files, Change { added, ..Change::default() })
}

/// Removes all statements of a graph.
pub fn remove(files: &Files, graph: &GraphName) -> Change {
    Change { removed: of_graph(files, graph).collect(), ..Change::default() }
}

/// Runs an update that sees only this graph, as its default graph; `None` if it would write to another graph.
///
/// # Errors
/// Those of the update.
pub fn patch(
    graph: &Graph,
    files: &Files,
    name: &GraphName,
    source: Source<'_>,
    context: &UpdateContext,
) -> Result<Option<Change>> {
    let own = of_graph(files, name).map(|quad| Quad { graph_name: GraphName::DefaultGraph, ..quad });
    let most = files.snapshot(graph)?.len();
    let own = Snapshot::from_walk_in_order(own, most, &graph.loading_budget())?;
    let mut change = graph.update_of(&own, source, context)?;
    if change.added.iter().any(|quad| quad.graph_name != GraphName::DefaultGraph) {
        return Ok(None);
    }
    for quad in change.added.iter_mut().chain(&mut change.removed) {
        quad.graph_name = name.clone();
    }
    named(graph, files, change).map(Some)
}

/// Returns the statements of a text that describes a single graph.
///
/// # Errors
/// A statement in a named graph.
pub fn of_one_graph(statements: Vec<Quad>) -> Result<Vec<Quad>> {
    match statements.iter().find(|quad| quad.graph_name != GraphName::DefaultGraph) {
        None => Ok(statements),
        Some(quad) => Err(Error::input(format!("the text names the graph {}, and is of one graph", quad.graph_name))
            .hint("the graph is named by the request; send its statements as Turtle, N-Triples, RDF/XML or JSON-LD")),
    }
}

fn of_graph<'a>(files: &'a Files, graph: &'a GraphName) -> impl Iterator<Item = Quad> + 'a {
    let mut seen: FxHashSet<&Quad> = FxHashSet::default();
    let all = files.all.iter().flat_map(File::quads);
    all.filter(move |quad| quad.graph_name == *graph && seen.insert(*quad)).cloned()
}

fn placed<'a>(graph: &'a GraphName, statements: Vec<Quad>) -> impl Iterator<Item = Quad> + 'a {
    statements.into_iter().map(|quad| Quad { graph_name: graph.clone(), ..quad })
}

fn set(quads: &[Quad]) -> FxHashSet<Quad> {
    quads.iter().cloned().collect()
}

fn unique(quads: impl Iterator<Item = Quad>) -> Vec<Quad> {
    let mut seen = FxHashSet::default();
    quads.filter(|quad| seen.insert(quad.clone())).collect()
}

/// Gives the statements blank nodes that occur nowhere else.
fn fresh(quads: Vec<Quad>) -> Vec<Quad> {
    let mut fresh = Relabel::fresh();
    let new = |mut quad: Quad| {
        fresh.quad(&mut quad);
        quad
    };
    unique(quads.into_iter().map(new))
}

/// Names new blank nodes deterministically: the same change gives the same text.
fn named(graph: &Graph, files: &Files, mut change: Change) -> Result<Change> {
    name_new_nodes(files.snapshot(graph)?, &mut change.added);
    Ok(change)
}
