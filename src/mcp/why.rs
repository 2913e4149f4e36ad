//! The tool `why`: the statements behind a row, each with its place and sources.

use super::arguments::{self as given, check};
use super::budget::fitting;
use super::call::Call;
use super::canned;
use super::cells::Names;
use super::citations::Citations;
use super::tools::Outcome;
use kgq_engine::Failures;
use kgq_engine::query::Query;
use kgq_graph::audit::{Audit, Texts};
use kgq_graph::request::why::{AnswerPart, Explained, Stated, explain_within, part_within};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{NamedNode, Term};
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

pub fn tool() -> Tool {
    super::tools::tool(
        "why",
        "Why an answer has a row",
        "What makes one row of an answer: the statements that the query found for it, where each is written, and the sentences that it \
         is cited from. Takes a query, or the `name` and `parameters` of a canned one.",
        &json!({
            "query": {"type": "string"},
            "name": {"type": "string", "description": "A canned query instead"},
            "parameters": {"type": "object"},
            "row": {"type": "integer", "minimum": 1, "description": "Which row of the whole answer, from 1; the first without it"},
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &[],
        &json!({
            "row": {"type": "object"},
            "statements": {"type": "array", "items": {"type": "object"}},
            "citations": {"type": "array", "items": {"type": "object"}},
            "minimal": {"type": "boolean", "description": "Whether no statement can be left out"},
        }),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["query", "name", "parameters", "row", "lang"])?;
    let (_, query) = asked(call)?;
    let row = given::number(call.arguments, "row")?.unwrap_or(1);
    let options = call.evaluation(&Failures::default());
    let part = part_within(call.graph, &query, row, &options)?;
    let citations = Citations::of(call.graph)?;
    let audit = call.graph.audit()?;
    let none = Texts::default();
    let texts = citations.as_ref().map_or(&none, Citations::texts);
    let explained = explain_within(call.graph, &query, part, &audit, texts, &options)?;
    Ok(told(call, &explained, &audit, citations)?)
}

/// The query that the arguments name or contain, with its text.
///
/// # Errors
/// There is none or there are two; its text or the values of its parameters are invalid.
pub fn asked(call: &Call<'_>) -> Result<(String, Query)> {
    match (given::text(call.arguments, "query")?, given::text(call.arguments, "name")?) {
        (Some(text), None) => Ok((text.to_owned(), call.graph.parse(Source::new("the query", text))?)),
        (None, Some(name)) => {
            let none = Map::new();
            let parameters = match call.arguments.get("parameters") {
                None | Some(Value::Null) => &none,
                Some(Value::Object(parameters)) => parameters,
                Some(_) => return Err(Error::input("`parameters` is an object: each parameter with its value")),
            };
            let canned = call.graph.catalog()?.get(name)?;
            Ok((canned.source().text.to_owned(), canned::bound(call, canned, parameters)?))
        }
        _ => Err(Error::input("which answer is meant? Give a `query`, or the `name` of a canned one")),
    }
}

/// The terms of a row or a triple.
fn cells(part: &AnswerPart, names: &Names<'_>) -> Value {
    match part {
        AnswerPart::True => json!({ "truth": true }),
        AnswerPart::Row { variables, row } => {
            let bound = variables.iter().zip(row);
            let cell = |(variable, term): (&kgq_syntax::rdf::Variable, &Option<Term>)| {
                Some((variable.as_str().to_owned(), names.cell(term.as_ref()?)))
            };
            Value::Object(bound.filter_map(cell).collect())
        }
        AnswerPart::Triple(triple) => names.cell(&Term::Triple(Box::new(triple.clone()))),
    }
}

fn told(
    call: &Call<'_>,
    explained: &Explained,
    audit: &Audit<'_>,
    mut citations: Option<Citations<'_>>,
) -> Result<Value> {
    let mut terms: Vec<Term> = match &explained.part {
        AnswerPart::True => Vec::new(),
        AnswerPart::Row { row, .. } => row.iter().flatten().cloned().collect(),
        AnswerPart::Triple(triple) => vec![Term::Triple(Box::new(triple.clone()))],
    };
    terms.extend(explained.statements.iter().map(|stated| Term::Triple(Box::new(stated.quad.clone().into()))));
    let names = Names::of(call.graph, &terms, &call.language)?;
    let statements = explained.statements.iter().map(|stated| statement(stated, &names, audit, &mut citations));
    // Half of the budget is for citations.
    let (statements, left) = fitting(statements.collect(), call.budget.tokens / 2);
    let mut told = json!({
        "row": cells(&explained.part, &names), "statements": statements, "minimal": explained.is_irredundant,
    });
    let all = citations.map(|citations| citations.all()).unwrap_or_default();
    let (named, unsaid) = fitting(all, call.budget.tokens / 2);
    if !named.is_empty() {
        told["citations"] = named.into();
    }
    if left + unsaid > 0 {
        told["left_out"] = json!({ "statements": left, "citations": unsaid });
    }
    Ok(told)
}

/// A statement with its place, and the numbers of its citations.
pub fn statement(
    stated: &Stated,
    names: &Names<'_>,
    audit: &Audit<'_>,
    citations: &mut Option<Citations<'_>>,
) -> Value {
    let mut told = names.cell(&Term::Triple(Box::new(stated.quad.clone().into())));
    if let Some(place) = &stated.place {
        told["at"] = format!("{}:{}", crate::server::file_name(&place.file), place.line).into();
    }
    let cited: Vec<NamedNode> = stated.statements.iter().flat_map(|statement| audit.all_citations(statement)).collect();
    let numbers = citations.as_mut().map(|citations| citations.numbers(&cited)).unwrap_or_default();
    if !numbers.is_empty() {
        told["cites"] = numbers.into();
    }
    for (name, holds) in [("inferred", stated.is_inferred), ("uncited", stated.is_uncited)] {
        if holds {
            told[name] = true.into();
        }
    }
    told
}
