//! How a query is understood, and how it is answered.

use crate::graph::Graph;
use kgq_engine as engine;
use kgq_engine::query::{self, Query};
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::sparql;

/// How a query is answered, as texts of several lines with CURIEs.
pub struct Explanation {
    pub algebra: String,
    pub plan: String,
}

/// The algebra and the plan of a query whose text is given; with `analyze` it is run, and the plan has what was counted.
///
/// # Errors
/// What the engine does not do; the limits.
pub fn explain(graph: &Graph, text: &str, query: &Query, analyze: bool) -> Result<Explanation> {
    let prefixes = with_declared(graph.prefixes()?, text);
    let algebra = query::indented(&query.to_sse(), &prefixes);
    let plan = engine::explain(graph.snapshot()?, query, &graph.evaluation_options(), analyze)?;
    Ok(Explanation { algebra, plan: query::with_curies(&plan, &prefixes) })
}

/// The algebra of a text that is only parsed: what would need the network or another engine may stand in it.
///
/// # Errors
/// Those of the text.
pub fn algebra(graph: &Graph, source: Source<'_>) -> Result<String> {
    let (query, prefixes) = graph.parse_only(source)?;
    Ok(query::indented(&query.to_sse(), &with_declared(&prefixes, source.text)))
}

/// The prefixes with those that a query declares, which win.
fn with_declared(known: &Prefixes, text: &str) -> Prefixes {
    let mut prefixes = known.clone();
    for declaration in sparql::prefixes_declared(text, &sparql::tokenize(text)) {
        prefixes.insert(declaration.prefix, declaration.iri);
    }
    prefixes
}
