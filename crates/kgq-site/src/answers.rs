//! Prepares the canned queries of a graph for a site: their texts, the terms they use, their parameters, and their answers, each
//! computed when a page first needs it.

use super::answer::MOST_ROWS;
use super::query::{NoAnswer, PublishedAnswer, PublishedParam, PublishedQuery};
use super::standalone;
use kgq_engine::query::{Query, needs_network, used_terms};
use kgq_engine::{Answer, EvaluationOptions, Row};
use kgq_graph::audit::{self, Audit};
use kgq_graph::catalog::{CannedQuery, ParamKind, Values};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Triple};
use std::sync::{Arc, OnceLock};

/// A value that is computed on first use, and kept.
pub struct Later<'a, T> {
    kept: OnceLock<T>,
    make: Box<dyn Fn() -> T + Send + Sync + 'a>,
}

impl<'a, T> Later<'a, T> {
    pub fn new(make: impl Fn() -> T + Send + Sync + 'a) -> Self {
        Self { kept: OnceLock::new(), make: Box::new(make) }
    }

    pub fn get(&self) -> &T {
        self.kept.get_or_init(|| (self.make)())
    }

    /// The computed value, mutable; `None` if it was not computed yet.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.kept.get_mut()
    }
}

/// Prepares a canned query for a site. A required parameter takes the value of its example.
///
/// # Errors
/// The text or the header of the query has an error.
pub fn published<'a>(graph: &'a Graph, audit: &Arc<Audit<'a>>, canned: &'a CannedQuery) -> Result<PublishedQuery<'a>> {
    let known = graph.known()?;
    let prefixes = graph.prefixes()?;
    let mut given = Vec::new();
    let mut params = Vec::new();
    let mut missing = None;
    for (name, param) in &canned.header.params {
        let example = param.example.as_ref().map(|e| e.texts());
        let default = param.default.as_ref().map(|d| d.texts());
        let values = match (&default, example) {
            (Some(default), _) => default.clone(),
            (None, Some(example)) if param.required => {
                given.extend(example.iter().map(|value| (name.clone(), value.clone())));
                example
            }
            (None, _) => {
                if param.required {
                    missing = Some(NoAnswer::Needs(name.clone()));
                }
                Vec::new()
            }
        };
        params.push(PublishedParam {
            name: name.clone(),
            kind: canned.kind(name, param, &known)?,
            description: param.description.clone(),
            required: param.required,
            list: param.list,
            values,
        });
    }
    let (query, _) = graph.parse_only(canned.source())?;
    if needs_network(&query.algebra) {
        missing = Some(NoAnswer::Elsewhere);
    }
    let mut names: Vec<NamedNode> = used_terms(&query.algebra).into_iter().map(|term| term.iri).collect();
    names.dedup();
    let text = standalone::declare(&canned.text, prefixes);
    let form = query.form();
    if let Some(why) = missing {
        let bound = text.clone();
        let answer = Later::new(move || PublishedAnswer::None(why.clone()));
        return Ok(PublishedQuery { canned, text, bound, form, names, params, answer });
    }
    let values = Values::from_pairs(given);
    let bound = standalone::bind(&text, &canned.bindings(&values, &known)?);
    // Check now that the query can run; it is answered later.
    graph.parse_canned(canned, &values)?;
    let audit = Arc::clone(audit);
    let answer = Later::new(move || {
        let options = graph.evaluation_options();
        let answered =
            graph.parse_canned(canned, &values).and_then(|query| answer(graph, &audit, &query, &options, None));
        answered.unwrap_or_else(|error| {
            PublishedAnswer::None(NoAnswer::Failed(error.hint(format!("it is the query `{}`", canned.name))))
        })
    });
    Ok(PublishedQuery { canned, text, bound, form, names, params, answer })
}

/// Answers a query: the rows that a page shows, with their sources. All rows, or the first `most`.
///
/// # Errors
/// The query fails, or exceeds a limit.
pub fn answer(
    graph: &Graph,
    audit: &Audit<'_>,
    query: &Query,
    options: &EvaluationOptions,
    most: Option<usize>,
) -> Result<PublishedAnswer> {
    let most = most.unwrap_or(usize::MAX);
    Ok(match kgq_engine::evaluate(graph.snapshot()?, query, options)? {
        Answer::Boolean(value) => PublishedAnswer::Truth(value),
        Answer::Graph(triples) => {
            let mut triples: Vec<Triple> = triples.0.take(most).collect::<Result<_>>()?;
            triples.sort_by_cached_key(Triple::to_string);
            triples.dedup();
            PublishedAnswer::Graph(triples)
        }
        Answer::Solutions(solutions) => {
            let variables = solutions.variables;
            let mut rows: Vec<Row> = solutions.rows.take(most.saturating_add(1)).collect::<Result<_>>()?;
            let more = rows.len() > most;
            rows.truncate(most);
            let traced = rows.get(..rows.len().min(MOST_ROWS)).unwrap_or_default();
            let sources = if audit.has_citations() {
                let rule = Some(graph.triples_to_cite(audit)?);
                audit::row_sources(audit, graph.snapshot()?, query, &variables, traced, options, rule)?
            } else {
                Vec::new()
            };
            PublishedAnswer::Table { variables, rows, sources, more }
        }
    })
}

/// The kind of a parameter's values in words; if they are the members of a class, also the class.
pub fn kind_in_words(kind: &ParamKind) -> (&'static str, Option<&NamedNode>) {
    match kind {
        ParamKind::MemberOf(class) => ("a member of a class", Some(class)),
        ParamKind::Iri => ("a thing", None),
        ParamKind::String | ParamKind::Language(_) => ("a text", None),
        ParamKind::LangString => ("a text with its language", None),
        ParamKind::Datatype(_) => ("a value of its datatype", None),
        ParamKind::Integer => ("a whole number", None),
        ParamKind::Number | ParamKind::Decimal => ("a number", None),
        ParamKind::Date => ("a date", None),
        ParamKind::Boolean => ("true or false", None),
    }
}
