//! Answers a query for a model: rows with labels and the sources of each, within the budget, and what was left out.

use super::budget::tokens;
use super::call::Call;
use super::cells::Names;
use super::citations::Citations;
use super::page;
use super::reasons::reasons;
use kgq_engine::query::Query;
use kgq_engine::{self as engine, Answer, Failures, Row};
use kgq_graph::request::advise::Turned;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Term, Triple, Variable};
use serde_json::{Map, Value, json};

/// A query to answer.
pub struct Question<'a> {
    pub source: Source<'a>,
    pub query: &'a Query,
    /// The handle after which to continue: that of the rows returned before.
    pub after: Option<&'a str>,
    pub cite: bool,
}

/// The answer, and as errors the reasons why it is empty.
pub struct Answered {
    pub told: Map<String, Value>,
    pub reasons: Vec<Error>,
}

/// The rows to return, and whether there are more.
struct Rows {
    variables: Vec<Variable>,
    rows: Vec<Row>,
    more: bool,
    /// The triples of a CONSTRUCT or DESCRIBE query, one per row.
    triples: Option<Vec<Triple>>,
}

pub fn answer(call: &Call<'_>, question: &Question<'_>) -> Result<Answered> {
    let given = page::offset(call.graph, question.query, question.after)?;
    let failures = Failures::default();
    let options = call.evaluation(&failures);
    let mut told = Map::new();
    let turned = match engine::evaluate(call.graph.snapshot()?, question.query, &options)? {
        Answer::Boolean(truth) => {
            told.insert("truth".into(), truth.into());
            Turned::Truth(truth)
        }
        Answer::Solutions(solutions) => {
            let (rows, more) = some(solutions.rows, given, call.budget.rows)?;
            let rows = Rows { variables: solutions.variables, rows, more, triples: None };
            table(call, question, given, &rows, &mut told)?;
            Turned::of((rows.rows.len() + given) as u64, None)
        }
        Answer::Graph(triples) => {
            let (triples, more) = some(triples.0, given, call.budget.rows)?;
            let rows = as_rows(triples, more);
            table(call, question, given, &rows, &mut told)?;
            Turned::of((rows.rows.len() + given) as u64, None)
        }
    };
    let found = reasons(call, question.source, question.query, turned, &failures)?;
    for (name, members) in [("reasons", found.reasons), ("warnings", found.warnings)] {
        if !members.is_empty() {
            told.insert(name.into(), members.into());
        }
    }
    Ok(Answered { told, reasons: found.errors })
}

/// Skips the members already returned, takes at most `most` more, and says whether others follow.
fn some<T>(all: impl Iterator<Item = Result<T>>, given: usize, most: usize) -> Result<(Vec<T>, bool)> {
    let mut kept = Vec::new();
    for (at, member) in all.enumerate() {
        let member = member?;
        if at < given {
            continue;
        }
        if kept.len() == most {
            return Ok((kept, true));
        }
        kept.push(member);
    }
    Ok((kept, false))
}

fn as_rows(triples: Vec<Triple>, more: bool) -> Rows {
    let variables = ["subject", "predicate", "object"].map(Variable::new_unchecked).to_vec();
    let row = |triple: &Triple| {
        let Triple { subject, predicate, object } = triple.clone();
        vec![Some(Term::from(subject)), Some(predicate.into()), Some(object)]
    };
    Rows { variables, rows: triples.iter().map(row).collect(), more, triples: Some(triples) }
}

/// Adds as many rows to the answer as fit.
fn table(
    call: &Call<'_>,
    question: &Question<'_>,
    given: usize,
    found: &Rows,
    told: &mut Map<String, Value>,
) -> Result<()> {
    let names = Names::of(call.graph, found.rows.iter().flatten().flatten(), &call.language)?;
    let mut citations = if question.cite { Citations::of(call.graph)? } else { None };
    let (mut rows, mut spent, mut uncited_from) = (Vec::new(), 0, None);
    let mut is_cut = false;
    for (at, row) in found.rows.iter().enumerate() {
        let mut member = Map::new();
        member.insert("values".into(), values(&found.variables, row, &names));
        let known = citations.as_ref().map_or(0, Citations::len);
        if let Some(citations) = &mut citations {
            if call.is_late() {
                uncited_from = uncited_from.or(Some(at + 1));
            } else {
                cite(call, question, found, at, citations, &mut member)?;
            }
        }
        let member = Value::Object(member);
        let new = citations.as_ref().map_or(0, |own| (known + 1..=own.len()).map(|n| tokens(&own.told(n))).sum());
        let cost = tokens(&member) + new;
        if spent + cost > call.budget.tokens && !rows.is_empty() {
            if let Some(citations) = &mut citations {
                citations.truncate(known);
            }
            is_cut = true;
            break;
        }
        spent += cost;
        rows.push(member);
    }
    told.insert("columns".into(), found.variables.iter().map(Variable::as_str).collect());
    let shown = rows.len();
    told.insert("rows".into(), rows.into());
    if let Some(citations) = citations.filter(|citations| citations.len() > 0) {
        told.insert("citations".into(), citations.all().into());
    }
    if let Some(row) = uncited_from {
        told.insert(
            "uncited".into(),
            format!("time ran out before row {row}: it and the rows after it may rest on citations that are not named")
                .into(),
        );
    }
    if is_cut || found.more {
        let why = if is_cut { "more would be too long" } else { "more were not asked for" };
        let mut more = json!({ "why": format!("rows {} to {} are given: {why}", given + 1, given + shown) });
        match page::handle(call.graph, question.query, given + shown)? {
            Some(handle) => more["after"] = handle.into(),
            None => {
                more["why"] =
                    format!("{}; the query gives other rows each time", more["why"].as_str().unwrap_or_default()).into()
            }
        }
        told.insert("more".into(), more);
    }
    Ok(())
}

fn values(variables: &[Variable], row: &Row, names: &Names<'_>) -> Value {
    let bound = variables.iter().zip(row);
    let member =
        |(variable, term): (&Variable, &Option<Term>)| Some((variable.as_str().to_owned(), names.cell(term.as_ref()?)));
    Value::Object(bound.filter_map(member).collect())
}

/// Adds its sources to a row.
fn cite(
    call: &Call<'_>,
    question: &Question<'_>,
    found: &Rows,
    at: usize,
    citations: &mut Citations<'_>,
    member: &mut Map<String, Value>,
) -> Result<()> {
    if let Some(triples) = &found.triples {
        let numbers = citations.of_triple(&triples[at]);
        if !numbers.is_empty() {
            member.insert("cites".into(), numbers.into());
        }
        return Ok(());
    }
    let row = std::slice::from_ref(&found.rows[at]);
    let sources = call.graph.row_sources(citations.audit(), question.query, &found.variables, row)?;
    for source in sources {
        let numbers = citations.numbers(&source.citations);
        if !numbers.is_empty() {
            member.insert("cites".into(), numbers.into());
        }
        if !source.uncited.is_empty() {
            member.insert("uncited".into(), source.uncited.len().into());
        }
        if source.inferred {
            member.insert("inferred".into(), true.into());
        }
    }
    Ok(())
}
