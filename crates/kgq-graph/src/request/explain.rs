//! How a query is understood, and how it is evaluated.

use crate::graph::Graph;
use kgq_engine as engine;
use kgq_engine::query::{self, Query};
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::sparql;

/// The algebra and the plan of a query, as texts of several lines with CURIEs.
pub struct ExplainedQuery {
    pub algebra: String,
    pub plan: String,
}

/// Returns the algebra and the plan of a query, whose text is given too. With `analyze` the query is run, and the plan
/// shows what was counted.
///
/// # Errors
/// What the engine does not support; exceeded limits.
pub fn explain(graph: &Graph, text: &str, query: &Query, analyze: bool) -> Result<ExplainedQuery> {
    let prefixes = with_declared(graph.prefixes()?, text);
    let algebra = query::indented(&query.to_sse(), &prefixes);
    let plan = engine::explain(graph.snapshot()?, query, &graph.evaluation_options(), analyze)?;
    Ok(ExplainedQuery { algebra, plan: query::with_curies(&plan, &prefixes) })
}

/// Returns the algebra of a text that is only parsed: it may use what would need the network or another engine.
///
/// # Errors
/// Those of the text.
pub fn algebra(graph: &Graph, source: Source<'_>) -> Result<String> {
    let (query, prefixes) = graph.parse_only(source)?;
    Ok(query::indented(&query.to_sse(), &with_declared(&prefixes, source.text)))
}

/// Adds the prefixes that a query declares, which take precedence.
fn with_declared(known: &Prefixes, text: &str) -> Prefixes {
    let mut prefixes = known.clone();
    for declaration in sparql::prefixes_declared(text, &sparql::tokenize(text)) {
        prefixes.insert(declaration.prefix, declaration.iri);
    }
    prefixes
}
