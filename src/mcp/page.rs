//! Handles for the next rows: how many rows were returned, and of which query and graph. A handle of another query, or of
//! the graph before its files changed, is refused, because rows would be missing or repeated.

use kgq_engine::query::{Query, is_repeatable};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::hexadecimal;
use sha2::{Digest, Sha256};

/// Identifies the rows of a query; `None` if each run may give others.
fn rows_of(graph: &Graph, query: &Query) -> Result<Option<String>> {
    if !is_repeatable(&query.algebra) {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    hash.update(graph.fingerprint()?.to_string());
    hash.update(query.to_sse());
    Ok(Some(hexadecimal(&hash.finalize()[..6])))
}

pub fn handle(graph: &Graph, query: &Query, given: usize) -> Result<Option<String>> {
    Ok(rows_of(graph, query)?.map(|name| format!("{given}-{name}")))
}

/// How many rows were returned before.
///
/// # Errors
/// The handle belongs to something else.
pub fn offset(graph: &Graph, query: &Query, handle: Option<&str>) -> Result<usize> {
    let Some(handle) = handle else { return Ok(0) };
    let wrong = || {
        Error::input("`after` is no handle of this query's rows: the query or the graph has changed")
            .hint("ask without `after`, from the first row")
    };
    let (given, name) = handle.split_once('-').ok_or_else(wrong)?;
    if rows_of(graph, query)?.as_deref() != Some(name) {
        return Err(wrong());
    }
    given.parse().map_err(|_| wrong())
}
