//! The tools, in one fixed order, and the way of a call to its tool and back.

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

/// What a tool gives.
pub type Outcome = Result<Value, Wrong>;

/// Why it gives nothing, and a text that would, if one is known.
pub struct Wrong {
    pub error: Error,
    pub mended: Option<String>,
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self { error, mended: None }
    }
}

/// All tools, those of the project's canned queries behind those that every graph has.
///
/// # Errors
/// Those of the project.
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

/// A tool that reads.
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

/// What all tools give that give rows.
pub fn rows_schema() -> Value {
    json!({
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
        "citations": {"type": "array", "items": {"type": "object"}},
        "reasons": {"type": "array", "items": {"type": "object"}},
        "more": {"type": "object"},
    })
}

/// Calls a tool, and tells what that took; `None` if there is none of this name.
///
/// # Errors
/// Those of the project, by which nothing can be called.
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
    // What a damaged snapshot led to is no answer.
    let outcome = graph.intact().map_err(Wrong::from).and(outcome);
    let rows = outcome.as_ref().ok().and_then(|value| value["rows"].as_array()).map_or(0, Vec::len);
    let result = result(graph, outcome);
    let tokens = result.structured_content.as_ref().map_or(0, tokens);
    Ok(Some((result, Spent { tokens, rows, time: call.spent() })))
}

/// Why nothing was asked.
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

/// What an answer holds, for who reads it as structured content.
fn in_short(value: &Value) -> String {
    let members = value.as_object().into_iter().flatten();
    let told = members.map(|(name, member)| match member {
        Value::Array(list) => format!("{name}: {}", list.len()),
        Value::Object(_) => name.clone(),
        simple => format!("{name}: {simple}"),
    });
    told.collect::<Vec<_>>().join("; ")
}
