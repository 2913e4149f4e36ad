//! Which statements are exported.

use crate::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, NamedNode, Quad};
use kgq_syntax::text::did_you_mean;

/// The quads of one graph, moved to the default graph.
///
/// The name is an IRI, a CURIE, or `default`.
///
/// # Errors
/// Those of loading; that there is no such graph, with near names.
pub fn one_graph(graph: &Graph, name: &str) -> Result<Vec<Quad>> {
    let all = graph.dataset()?.quads();
    let wanted = if name == "default" {
        GraphName::DefaultGraph
    } else {
        let prefixes = graph.prefixes()?;
        let iri = name.trim_start_matches('<').trim_end_matches('>');
        let node = prefixes.expand(name).unwrap_or_else(|| NamedNode::new_unchecked(iri));
        GraphName::NamedNode(node)
    };
    let quads: Vec<Quad> = all
        .iter()
        .filter(|q| q.graph_name == wanted)
        .map(|q| Quad::new(q.subject.clone(), q.predicate.clone(), q.object.clone(), GraphName::DefaultGraph))
        .collect();
    if quads.is_empty() && name != "default" {
        let mut names: Vec<String> = all
            .iter()
            .filter_map(|q| match &q.graph_name {
                GraphName::NamedNode(node) => Some(node.as_str().to_owned()),
                GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
            })
            .collect();
        names.sort();
        names.dedup();
        let near = did_you_mean(name, names.iter().map(String::as_str));
        let hint = near.unwrap_or_else(|| match names.as_slice() {
            [] => "the dataset has no named graphs".into(),
            names => format!("its named graphs: {}", names.join(", ")),
        });
        return Err(Error::input(format!("there is no graph `{name}`")).hint(hint));
    }
    Ok(quads)
}
