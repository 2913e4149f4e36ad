//! The tool `query`: any SPARQL query.

use super::answer::{Question, answer};
use super::arguments::{self as given, check};
use super::call::Call;
use super::mend::mended;
use super::tools::{Outcome, Wrong, rows_schema};
use kgq_engine::{self as engine, Answer, Failures};
use kgq_syntax::error::{Error, Kind, Result, Source};
use rmcp::model::Tool;
use serde_json::{Value, json};

const NAME: &str = "the query";

pub fn tool() -> Tool {
    super::tools::tool(
        "query",
        "Ask by SPARQL",
        "Answers a SPARQL 1.2 query (SELECT, ASK, CONSTRUCT, DESCRIBE; no updates, no SERVICE). The graph's prefixes need no \
         declaration. Each row has values with labels, and `cites`: the numbers of the citations that it rests on. An empty answer \
         says why. A mistake says where it is, and gives a `mended` text if one change mends it. Ask `schema` for classes and \
         properties first.",
        &json!({
            "query": {"type": "string"},
            "rows": {"type": "integer", "minimum": 1, "description": "How many rows at most"},
            "after": {"type": "string", "description": "The `more.after` of an answer to the same query: gives the next rows"},
            "cite": {"type": "boolean", "description": "false leaves citations out"},
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &["query"],
        &rows_schema(),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["query", "rows", "after", "cite", "lang"])?;
    let text = given::required(call.arguments, "query")?;
    let source = Source::new(NAME, text);
    let query = call.graph.parse(source).map_err(|error| wrong(call, text, error))?;
    let question = Question {
        source,
        query: &query,
        after: given::text(call.arguments, "after")?,
        cite: given::truth(call.arguments, "cite")?.unwrap_or(true),
    };
    let within = call.with_rows(given::number(call.arguments, "rows")?);
    let mut answered = answer(&within, &question).map_err(|error| wrong(call, text, error))?;
    if !answered.reasons.is_empty()
        && let Some(mended) = mended(text, &answered.reasons, call.graph.prefixes()?, &|text| gives(call, text))
    {
        answered.told.insert("mended".into(), mended.into());
    }
    Ok(Value::Object(answered.told))
}

/// Adds a corrected query to the error if one change makes the text parse.
fn wrong(call: &Call<'_>, text: &str, error: Error) -> Wrong {
    let mended = (error.kind() == Kind::Input).then(|| {
        let works = |text: &str| call.graph.parse(Source::new(NAME, text)).is_ok();
        mended(text, std::slice::from_ref(&error), call.graph.prefixes().ok()?, &works)
    });
    Wrong { error, mended: mended.flatten() }
}

/// Whether the answer to a query is not empty.
fn gives(call: &Call<'_>, text: &str) -> bool {
    if call.is_late() {
        return false;
    }
    let first = || -> Result<bool> {
        let query = call.graph.parse(Source::new(NAME, text))?;
        Ok(match engine::evaluate(call.graph.snapshot()?, &query, &call.evaluation(&Failures::default()))? {
            Answer::Boolean(truth) => truth,
            Answer::Solutions(mut solutions) => solutions.rows.next().transpose()?.is_some(),
            Answer::Graph(mut triples) => triples.0.next().transpose()?.is_some(),
        })
    };
    first().unwrap_or(false)
}
