//! Canned queries as tools: one tool each, with typed parameters, unless there are too many; then `queries` lists them and
//! `run` runs one.

use super::answer::{Question, answer};
use super::arguments::{self as given, Arguments, check};
use super::budget::fitting;
use super::call::{Call, settings};
use super::tools::{Outcome, rows_schema, tool};
use kgq_engine::query::Query;
use kgq_graph::catalog::{CannedQuery, Catalog, Param, ParamKind, ParameterContext, Values};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

/// With more tools than this, models overlook some.
const MOST: usize = 40;
/// The longest tool name that clients accept.
const LONGEST: usize = 64;

/// Arguments that control the answer and are not parameters of the query.
const ROWS: &str = "rows";
const AFTER: &str = "after";

/// The queries offered to a model: not the checks, and none for another endpoint.
fn offered(catalog: &Catalog) -> impl Iterator<Item = &CannedQuery> {
    catalog.queries.iter().filter(|query| !query.is_check() && query.endpoint().is_none())
}

/// The queries that become tools of their own, and whether others are left for `run`.
fn chosen(graph: &Graph) -> Result<(Vec<&CannedQuery>, bool)> {
    let Some(catalog) = graph.catalog_if_any()? else { return Ok((Vec::new(), false)) };
    let all: Vec<&CannedQuery> = offered(catalog).collect();
    let chosen = match settings(graph).tools {
        None if all.len() > MOST => Vec::new(),
        None => all.clone(),
        Some(names) => {
            let named = |name: &String| {
                let found = all.iter().find(|query| query.name == *name).copied();
                found.ok_or_else(|| {
                    Error::input(format!(
                        "`tools` below `[mcp]` in kgq.toml names `{name}`, and there is no such canned query"
                    ))
                })
            };
            let named: Vec<&CannedQuery> = names.iter().map(named).collect::<Result<_>>()?;
            named.into_iter().take(MOST).collect()
        }
    };
    let are_left = chosen.len() < all.len();
    Ok((chosen, are_left))
}

/// The tools for the canned queries of a graph.
///
/// # Errors
/// A query named in the settings does not exist.
pub fn tools(graph: &Graph) -> Result<Vec<Tool>> {
    let (chosen, are_left) = chosen(graph)?;
    let language = settings(graph).language.unwrap_or_else(|| graph.language());
    let known = graph.known()?;
    let mut tools: Vec<Tool> = Vec::new();
    if are_left {
        tools.extend([queries_tool(), run_tool()]);
    }
    for query in chosen {
        let one = tool(
            tool_name(&query.name),
            query.title(&language),
            description(query, &language),
            &parameters(query, &known, &language)?,
            &required(query),
            &json!({ "rows": {"type": "array"} }),
        );
        // If two query names become the same tool name, the first gets the tool; `run` reaches both.
        if !tools.iter().any(|other| other.name == one.name) {
            tools.push(one);
        }
    }
    Ok(tools)
}

fn queries_tool() -> Tool {
    tool(
        "queries",
        "Canned queries",
        "The project's canned queries, with their parameters: questions that were asked before, with answers that are tested. `run` \
         runs one.",
        &json!({
            "text": {"type": "string", "description": "Only those that have this in their name, tags or texts"},
            "lang": {"type": "string"},
        }),
        &[],
        &json!({ "queries": {"type": "array", "items": {"type": "object"}} }),
    )
}

fn run_tool() -> Tool {
    tool(
        "run",
        "Run a canned query",
        "Answers a canned query of `queries`. Values of parameters are texts: things by id, IRI or label.",
        &json!({
            "name": {"type": "string"},
            "parameters": {"type": "object"},
            "rows": {"type": "integer", "minimum": 1},
            "after": {"type": "string", "description": "The `more.after` of the answer before"},
            "lang": {"type": "string"},
        }),
        &["name"],
        &rows_schema(),
    )
}

fn tool_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    format!("q_{}", name.chars().map(plain).collect::<String>()).chars().take(LONGEST).collect()
}

/// A description of the query in the project's own words.
fn description(query: &CannedQuery, language: &str) -> String {
    let text = query.header.question.as_ref().or(query.header.description.as_ref());
    text.map_or_else(|| query.title(language), |text| text.in_language(language)).to_owned()
}

fn required(query: &CannedQuery) -> Vec<&str> {
    let needed = |(_, param): &(&String, &Param)| param.required && param.default.is_none();
    query.header.params.iter().filter(needed).map(|(name, _)| name.as_str()).collect()
}

fn parameters(query: &CannedQuery, known: &dyn ParameterContext, language: &str) -> Result<Value> {
    let mut parameters = Map::new();
    for (name, param) in &query.header.params {
        let kind = query.kind(name, param, known)?;
        parameters.insert(name.clone(), parameter(param, &kind, known, language));
    }
    let has = |name: &str| query.header.params.contains_key(name);
    if !has(AFTER) {
        parameters.insert(AFTER.into(), json!({"type": "string"}));
    }
    Ok(Value::Object(parameters))
}

fn parameter(param: &Param, kind: &ParamKind, known: &dyn ParameterContext, language: &str) -> Value {
    let (mut schema, what) = match kind {
        ParamKind::Integer => (json!({"type": "integer"}), String::new()),
        ParamKind::Number | ParamKind::Decimal => (json!({"type": "number"}), String::new()),
        ParamKind::Boolean => (json!({"type": "boolean"}), String::new()),
        ParamKind::Date => (json!({"type": "string", "format": "date"}), String::new()),
        ParamKind::MemberOf(class) => {
            (json!({"type": "string"}), format!("A {}, by id or label", known.prefixes().display(class.as_str())))
        }
        ParamKind::Iri => (json!({"type": "string"}), "A thing, by id or label".to_owned()),
        ParamKind::LangString => (json!({"type": "string"}), "A text with its language, as in 贸易@zh".to_owned()),
        ParamKind::Language(tag) => (json!({"type": "string"}), format!("A text in {tag}")),
        ParamKind::Datatype(datatype) => {
            (json!({"type": "string"}), format!("A {}", known.prefixes().display(datatype.as_str())))
        }
        ParamKind::String => (json!({"type": "string"}), String::new()),
    };
    if !param.values.is_empty() {
        schema["enum"] = param.values.clone().into();
    }
    let said = param.description.as_ref().map_or("", |text| text.in_language(language));
    let description = [said, &what].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(". ");
    let mut schema = if param.list { json!({"type": "array", "items": schema}) } else { schema };
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    if let Some(default) = &param.default {
        let texts = default.texts();
        let shown = if param.list { json!(texts) } else { json!(texts.join(",")) };
        // Write the default in the type of its parameter.
        let typed = texts.first().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let is_text = schema["type"] == "string" || param.list;
        schema["default"] = if is_text { shown } else { typed.unwrap_or(shown) };
    }
    schema
}

/// Calls a tool of this file; `None` if none has this name.
pub fn call(call: &Call<'_>, name: &str) -> Option<Outcome> {
    match name {
        "queries" => return Some(queries(call)),
        "run" => return Some(run(call)),
        _ => {}
    }
    if !name.starts_with("q_") {
        return None;
    }
    let (chosen, _) = match chosen(call.graph) {
        Ok(chosen) => chosen,
        Err(error) => return Some(Err(error.into())),
    };
    let query = chosen.into_iter().find(|query| tool_name(&query.name) == name)?;
    Some(asked(call, query, call.arguments))
}

fn queries(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["text", "lang"])?;
    let Some(catalog) = call.graph.catalog_if_any()? else { return Ok(json!({ "queries": [] })) };
    let wanted = given::text(call.arguments, "text")?.unwrap_or_default().to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let held = |query: &&CannedQuery| words.iter().all(|word| query.holds(word));
    let told = offered(catalog).filter(held).map(|query| listed(query, &call.language)).collect();
    let (told, left) = fitting(told, call.budget.tokens);
    let mut told = json!({ "queries": told });
    if left > 0 {
        told["left_out"] = json!({ "queries": left, "note": "`text` tells those that have a word" });
    }
    Ok(told)
}

fn listed(query: &CannedQuery, language: &str) -> Value {
    let mut told = json!({ "name": query.name, "title": query.title(language) });
    let parameters = query.header.params.iter().map(|(name, param)| {
        let mut told = json!({ "type": param.kind });
        if param.required && param.default.is_none() {
            told["required"] = true.into();
        }
        if let Some(example) = param.example.as_ref().or(param.default.as_ref()) {
            told["example"] = example.texts().join(",").into();
        }
        (name.clone(), told)
    });
    let parameters: Map<String, Value> = parameters.collect();
    if !parameters.is_empty() {
        told["parameters"] = parameters.into();
    }
    told
}

fn run(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["name", "parameters", ROWS, AFTER, "lang"])?;
    let catalog = call.graph.catalog()?;
    let query = catalog.get(given::required(call.arguments, "name")?)?;
    let mut arguments = match call.arguments.get("parameters") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(parameters)) => parameters.clone(),
        Some(_) => return Err(Error::input("`parameters` is an object: each parameter with its value").into()),
    };
    for name in [ROWS, AFTER] {
        if let (Some(value), false) = (call.arguments.get(name), query.header.params.contains_key(name)) {
            arguments.insert(name.into(), value.clone());
        }
    }
    asked(call, query, &arguments)
}

/// Whether an argument controls the answer and is not a parameter of the query.
fn is_of_answer(canned: &CannedQuery, name: &str) -> bool {
    [ROWS, AFTER, "lang"].contains(&name) && !canned.header.params.contains_key(name)
}

/// Binds the parameters of a canned query.
pub fn bound(call: &Call<'_>, canned: &CannedQuery, arguments: &Arguments) -> Result<Query> {
    let mut pairs = Vec::new();
    for (name, value) in arguments.iter().filter(|(name, _)| !is_of_answer(canned, name)) {
        texts(name, value, &mut pairs)?;
    }
    call.graph.parse_canned(canned, &Values::from_pairs(pairs))
}

/// Answers a canned query.
fn asked(call: &Call<'_>, canned: &CannedQuery, arguments: &Arguments) -> Outcome {
    let of_answer = |name: &str| is_of_answer(canned, name);
    let rows = if of_answer(ROWS) { given::number(arguments, ROWS)? } else { None };
    let after = if of_answer(AFTER) { given::text(arguments, AFTER)? } else { None };
    let query = bound(call, canned, arguments)?;
    let within = call.with_rows(rows);
    let question = Question { source: canned.source(), query: &query, after, cite: true };
    Ok(Value::Object(answer(&within, &question)?.told))
}

/// Adds the value of a parameter as text; a list adds one pair for each member.
fn texts(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) -> Result<()> {
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        Value::Number(_) | Value::Bool(_) => pairs.push((name.to_owned(), value.to_string())),
        Value::Array(members) => {
            for member in members {
                texts(name, &listable(member), pairs)?;
            }
        }
        Value::Object(_) => {
            return Err(Error::input(format!("parameter `{name}` is a text, a number, or a list of these")));
        }
    }
    Ok(())
}

/// Quotes a list member if it contains a comma or a quote.
fn listable(member: &Value) -> Value {
    match member {
        Value::String(text) if text.contains([',', '"']) => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tools_are_what_clients_take() {
        assert_eq!(tool_name("sub/who-is.it 文"), "q_sub_who-is_it__");
        assert_eq!(tool_name(&"x".repeat(99)).len(), LONGEST);
    }

    #[test]
    fn values_become_the_texts_that_parameters_are_read_from() {
        let mut pairs = Vec::new();
        for (name, value) in [("n", json!(3)), ("l", json!(["a", "b,c"])), ("t", json!(true)), ("z", Value::Null)] {
            texts(name, &value, &mut pairs).unwrap();
        }
        let shown: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["n=3", "l=a", "l=\"b,c\"", "t=true"]);
        assert!(texts("o", &json!({}), &mut pairs).is_err());
    }
}
