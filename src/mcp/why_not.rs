//! The tool `why_not`: the condition that excludes a row from an answer, what would satisfy it, and what is declared unstated.

use super::arguments::check;
use super::budget::fitting;
use super::call::Call;
use super::cells::Names;
use super::citations::Citations;
use super::tools::Outcome;
use super::why::{asked, statement};
use kgq_engine::Failures;
use kgq_graph::audit::{Audit, Texts};
use kgq_graph::request::why_not::{Request, WhyNot, document, expectation, why_not_within};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::Term;
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

pub fn tool() -> Tool {
    super::tools::tool(
        "why_not",
        "Why an answer has no such row",
        "Why an answer lacks a row that was expected, or is empty: the condition that removes it, the statement that is wanted with near \
         ones, and what the graph says its sources do not state. Takes a query, or the `name` and `parameters` of a canned one.",
        &json!({
            "query": {"type": "string"},
            "name": {"type": "string", "description": "A canned query instead"},
            "parameters": {"type": "object"},
            "expect": {
                "type": "object",
                "description": "Columns of the missing row with their values (CURIE, IRI, label or text; an empty text is no value); \
                                none where the answer is empty or false",
            },
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &[],
        &json!({
            "reason": {"type": "object"},
            "statements": {"type": "array", "items": {"type": "object"}},
            "not_stated": {"type": "array", "items": {"type": "string"}},
            "citations": {"type": "array", "items": {"type": "object"}},
        }),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["query", "name", "parameters", "expect", "lang"])?;
    let (text, query) = asked(call)?;
    let none = Map::new();
    let columns = match call.arguments.get("expect") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(columns)) => columns,
        Some(_) => return Err(Error::input("`expect` is an object: each column with its value").into()),
    };
    let expected = columns.iter().map(|(column, value)| match value {
        Value::String(value) => expectation(call.graph, column, value),
        Value::Null => expectation(call.graph, column, ""),
        value => expectation(call.graph, column, &value.to_string()),
    });
    let expected = expected.collect::<Result<_>>()?;
    let options = call.evaluation(&Failures::default());
    let request = Request { source: Source::new("the query", &text), query: &query, expected };
    let citations = Citations::of(call.graph)?;
    let audit = call.graph.audit()?;
    let none = Texts::default();
    let texts = citations.as_ref().map_or(&none, Citations::texts);
    let found = why_not_within(call.graph, request, &audit, texts, &options)?;
    Ok(told(call, &found, &audit, citations)?)
}

fn told(call: &Call<'_>, found: &WhyNot, audit: &Audit<'_>, mut citations: Option<Citations<'_>>) -> Result<Value> {
    let terms: Vec<Term> =
        found.statements.iter().map(|stated| Term::Triple(Box::new(stated.quad.clone().into()))).collect();
    let names = Names::of(call.graph, &terms, &call.language)?;
    let statements = found.statements.iter().map(|stated| statement(stated, &names, audit, &mut citations));
    // Half of the budget is for statements and unstated things, the other half for citations.
    let (statements, left) = fitting(statements.collect(), call.budget.tokens / 4);
    let silences = found.silences.iter().map(|silence| silence.error.message().into()).collect();
    let (silences, unsaid) = fitting(silences, call.budget.tokens / 4);
    let mut told = json!({ "reason": document(found)["reason"], "statements": statements });
    if !silences.is_empty() {
        told["not_stated"] = silences.into();
    }
    let all = citations.map(|citations| citations.all()).unwrap_or_default();
    let (named, uncited) = fitting(all, call.budget.tokens / 2);
    if !named.is_empty() {
        told["citations"] = named.into();
    }
    if left + unsaid + uncited > 0 {
        told["left_out"] = json!({ "statements": left, "not_stated": unsaid, "citations": uncited });
    }
    Ok(told)
}
