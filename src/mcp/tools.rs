//! The tools, in one fixed order; passes a call to its tool and the result back.

use super::arguments::Arguments;
use super::budget::tokens;
use super::call::{Call, settings};
use super::cells::visible;
use super::session::Spent;
use super::{about, canned, describe, failure, find, query, schema, why, why_not};
use kgq_graph::graph::Graph;
use kgq_graph::project::McpText;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::sync::Arc;

/// The result of a tool.
pub type Outcome = Result<Value, Wrong>;

/// Why a tool has no result, and a corrected query, if one is known.
pub struct Wrong {
    pub error: Error,
    pub mended: Option<String>,
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self { error, mended: None }
    }
}

/// All tools: first those that every graph has, then the canned queries of the project.
///
/// # Errors
/// The project cannot be read.
pub fn list(graph: &Graph) -> Result<Vec<Tool>> {
    let mut tools = vec![
        about::tool(),
        schema::tool(),
        find::tool(),
        describe::tool(),
        query::tool(),
        why::tool(),
        why_not::tool(),
    ];
    tools.extend(canned::tools(graph)?);
    Ok(tools)
}

/// Defines a read-only tool.
pub fn tool(
    name: impl Into<String>,
    title: &str,
    description: impl Into<String>,
    properties: &Value,
    required: &[&str],
    given: &Value,
) -> Tool {
    let input = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    let output = json!({ "type": "object", "properties": given });
    Tool::new(name.into(), description.into(), object(input))
        .with_title(title)
        .with_raw_output_schema(Arc::new(object(output)))
        .with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// The output schema shared by all tools that return rows.
pub fn rows_schema() -> Value {
    json!({
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
        "citations": {"type": "array", "items": {"type": "object"}},
        "reasons": {"type": "array", "items": {"type": "object"}},
        "more": {"type": "object"},
    })
}

/// Calls a tool, and returns what it used; `None` if no tool has this name.
///
/// # Errors
/// The project cannot be read, so nothing can be called.
pub fn call(
    graph: &Graph,
    broken: Option<&Error>,
    name: &str,
    arguments: &Arguments,
    work: Budget,
) -> Result<Option<(CallToolResult, Spent)>> {
    let call = match Call::new(graph, broken, arguments, work) {
        Ok(call) => call,
        Err(error) => return Ok(Some((refused(graph, error), Spent::default()))),
    };
    let outcome = match name {
        "about" => about::call(&call),
        "schema" => schema::call(&call),
        "find" => find::call(&call),
        "describe" => describe::call(&call),
        "query" => query::call(&call),
        "why" => why::call(&call),
        "why_not" => why_not::call(&call),
        name => match canned::call(&call, name) {
            Some(outcome) => outcome,
            None => return Ok(None),
        },
    };
    // An answer from a damaged snapshot is discarded.
    let outcome = graph.intact().map_err(Wrong::from).and(outcome);
    let rows = outcome.as_ref().ok().and_then(|value| value["rows"].as_array()).map_or(0, Vec::len);
    let result = result(graph, outcome);
    let tokens = result.structured_content.as_ref().map_or(0, tokens);
    Ok(Some((result, Spent { tokens, rows, time: call.spent() })))
}

/// The result of a call that was refused before it ran.
pub fn refused(graph: &Graph, error: Error) -> CallToolResult {
    result(graph, Err(error.into()))
}

fn result(graph: &Graph, outcome: Outcome) -> CallToolResult {
    let (value, is_error) = match outcome {
        Ok(value) => (value, false),
        Err(wrong) => (failure::told(&wrong.error, wrong.mended), true),
    };
    let value = visible(value);
    let short = settings(graph).text == McpText::Short && !is_error;
    let mut result = if is_error { CallToolResult::structured_error(value) } else { CallToolResult::structured(value) };
    if short {
        let words = result.structured_content.as_ref().map(in_short).unwrap_or_default();
        result.content = vec![ContentBlock::text(words)];
    }
    result
}

/// A summary of an answer, for clients that read the structured content.
fn in_short(value: &Value) -> String {
    let members = value.as_object().into_iter().flatten();
    let told = members.map(|(name, member)| match member {
        Value::Array(list) => format!("{name}: {}", list.len()),
        Value::Object(_) => name.clone(),
        simple => format!("{name}: {simple}"),
    });
    told.collect::<Vec<_>>().join("; ")
}
