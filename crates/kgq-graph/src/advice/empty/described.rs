//! Why DESCRIBE of terms that the query names, without conditions, finds nothing.

use super::super::place::QueryText;
use super::super::{AdviceRequest, Diagnostic, terms};
use kgq_engine::query::{Position, used_terms};
use kgq_syntax::rdf::{GraphName, NamedNode};
use std::collections::BTreeSet;

/// The most statements about a term that are looked at for their graphs.
const MOST_LOOKED_AT: usize = 1_000;
const MOST_GRAPHS: usize = 3;

/// Returns what is wrong with the terms that a DESCRIBE names: the graph does not have them, describes them only in named
/// graphs, or only refers to them.
pub(super) fn described(asked: &AdviceRequest<'_>, text: &QueryText<'_>) -> Vec<Diagnostic> {
    let unknown = terms::told(asked, text);
    if !unknown.is_empty() {
        return unknown;
    }
    let named = used_terms(&asked.query.algebra).into_iter().filter(|used| used.position == Position::Value);
    let diagnostics = named.take(super::super::MOST_DIAGNOSTICS).map(|used| {
        let graphs = graphs_about(asked, &used.iri);
        let (shown, at) = (asked.curie(&used.iri), text.iri(&used.iri, false));
        let diagnostic = match graphs.first() {
            Some(first) => {
                let names: Vec<&str> = graphs.iter().take(MOST_GRAPHS).map(String::as_str).collect();
                let message = format!("{shown} is described in a named graph only: {}", names.join(", "));
                Diagnostic::new("in-named-graph", message)
                    .hint_if(Some(format!("write `DESCRIBE {shown} FROM {first}`")))
            }
            None => Diagnostic::new("no-match", format!("nothing is said about {shown}, which other things refer to"))
                .hint_if(Some(format!("write `SELECT * {{ ?s ?p {shown} }}` for what refers to it"))),
        };
        diagnostic.at(text, at)
    });
    diagnostics.collect()
}

/// The named graphs that have statements about a term.
fn graphs_about(asked: &AdviceRequest<'_>, iri: &NamedNode) -> Vec<String> {
    let Some(id) = asked.snapshot.id(iri.as_ref().into()) else { return Vec::new() };
    let about = asked.snapshot.find_ids([Some(id), None, None]).take(MOST_LOOKED_AT);
    let graphs: BTreeSet<String> = about
        .filter_map(|ids| match asked.snapshot.statement(ids)?.graph_name {
            GraphName::NamedNode(graph) => Some(asked.curie(&graph)),
            GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
        })
        .collect();
    graphs.into_iter().collect()
}
