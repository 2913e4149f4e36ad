//! What is said about a query beside its answer: likely mistakes before it runs; after it, why the answer is empty, or
//! which terms the graph does not know.
//!
//! Presenting the advice, and reporting which of the query's own expressions failed (`advice::failed`), is left to the
//! front end.

use crate::advice::{AdviceRequest, Allowance, Diagnostic, EMPTY_DATASET};
use crate::graph::Graph;
use kgq_engine::query::Query;
use kgq_engine::{Budget, EvaluationOptions};
use kgq_syntax::error::{Place, Result, Source};

/// A query that advice is wanted about.
#[derive(Clone, Copy)]
pub struct Advised<'a> {
    pub source: Source<'a>,
    pub query: &'a Query,
    /// The options that the query is evaluated with: advice asks further questions of the data under the same options.
    pub options: &'a EvaluationOptions,
    /// The budget that the query has left: it and its advice together take no more than one query may.
    pub budget: &'a Budget,
}

/// The outcome of a query, as far as advice depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// No row, or no triple.
    Empty,
    /// Some rows or triples.
    Full,
    /// The answer to an ASK.
    Truth(bool),
}

impl Turned {
    /// The outcome of an answer with this many rows or triples, or of an ASK with this truth value.
    pub fn of(rows: u64, truth: Option<bool>) -> Self {
        match (truth, rows) {
            (Some(truth), _) => Self::Truth(truth),
            (None, 0) => Self::Empty,
            (None, _) => Self::Full,
        }
    }
}

/// What is said after an answer.
#[derive(Debug, Default)]
pub struct Remarks {
    pub warnings: Vec<Diagnostic>,
    /// Why the answer is empty.
    pub reasons: Vec<Diagnostic>,
}

/// Returns the likely mistakes in a query, before it runs.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn mistakes(graph: &Graph, advised: Advised<'_>) -> Result<Vec<Diagnostic>> {
    ask(graph, advised, |asked| asked.mistakes())
}

/// Returns the remarks on an answer. If the answer is empty, what the graph says that its sources do not state comes
/// first.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn remarks(graph: &Graph, advised: Advised<'_>, turned: Turned) -> Result<Remarks> {
    if turned == Turned::Truth(true) {
        return Ok(Remarks::default());
    }
    let mut remarks = ask(graph, advised, |asked| {
        let silences = graph.project().map(|project| &project.manifest.silences);
        let not_stated = match silences {
            Some(silences) if turned != Turned::Full => asked.not_stated(silences),
            Some(_) | None => Vec::new(),
        };
        if !not_stated.is_empty() {
            return Remarks { reasons: not_stated, ..Remarks::default() };
        }
        match turned {
            Turned::Empty => Remarks { reasons: asked.why_empty(), ..Remarks::default() },
            Turned::Full => {
                let warnings = asked.unknown_terms().into_iter().chain(asked.incomparable()).collect();
                Remarks { warnings, ..Remarks::default() }
            }
            Turned::Truth(_) => Remarks { warnings: asked.unknown_terms(), ..Remarks::default() },
        }
    })?;
    if let [reason] = remarks.reasons.as_mut_slice()
        && reason.code == EMPTY_DATASET
        && graph.options().snapshot.is_none()
        && let Some(key) = graph.undefined_keys(&graph.inputs()?).first()
    {
        let Place { file, line, column, .. } = &key.place;
        reason.error = reason.error.clone().hint(format!("{file}:{line}:{column}: {}", key.message));
    }
    Ok(remarks)
}

/// Puts a question to the advice, and fails if the snapshot turned out to be damaged.
fn ask<T>(graph: &Graph, advised: Advised<'_>, question: impl FnOnce(&AdviceRequest<'_>) -> T) -> Result<T> {
    let Advised { source, query, options, budget } = advised;
    let allowance = Allowance::new(budget);
    let (snapshot, prefixes) = (graph.snapshot()?, graph.query_prefixes()?);
    let found = question(&AdviceRequest { source, query, snapshot, prefixes, options, budget: &allowance });
    graph.intact()?;
    Ok(found)
}
