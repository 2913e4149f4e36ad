//! What is said of a query beside its answer: before it runs what usually is a mistake, after it why there is nothing, or which
//! terms the graph does not know.
//!
//! How it is told, and what the query's own expressions failed at (`advice::failed`), is the front end's.

use crate::advice::{AdviceRequest, Allowance, Finding};
use crate::graph::Graph;
use kgq_engine::query::Query;
use kgq_engine::{Budget, EvaluationOptions};
use kgq_syntax::error::{Result, Source};

/// A query of which advice is wanted.
#[derive(Clone, Copy)]
pub struct Advised<'a> {
    pub source: Source<'a>,
    pub query: &'a Query,
    /// How the query is answered: advice asks more of the data in the same way.
    pub options: &'a EvaluationOptions,
    /// What the query has left: it and its advice together take no more than a query may.
    pub budget: &'a Budget,
}

/// What the answer turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// No row, or no triple.
    Empty,
    /// Some rows or triples.
    Full,
    /// Of ASK.
    Truth(bool),
}

impl Turned {
    /// Of an answer with so many rows or triples, or of ASK.
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
    pub warnings: Vec<Finding>,
    /// Why there is nothing.
    pub reasons: Vec<Finding>,
}

/// What usually is a mistake.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn mistakes(graph: &Graph, advised: Advised<'_>) -> Result<Vec<Finding>> {
    ask(graph, advised, |asked| asked.mistakes())
}

/// What is to be said of an answer. What the graph says that its sources do not state explains an empty one before all else.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn remarks(graph: &Graph, advised: Advised<'_>, turned: Turned) -> Result<Remarks> {
    if turned == Turned::Truth(true) {
        return Ok(Remarks::default());
    }
    ask(graph, advised, |asked| {
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
            Turned::Full | Turned::Truth(_) => Remarks { warnings: asked.unknown_terms(), ..Remarks::default() },
        }
    })
}

/// Nothing comes of a snapshot that is damaged.
fn ask<T>(graph: &Graph, advised: Advised<'_>, question: impl FnOnce(&AdviceRequest<'_>) -> T) -> Result<T> {
    let Advised { source, query, options, budget } = advised;
    let allowance = Allowance::new(budget);
    let (snapshot, prefixes) = (graph.snapshot()?, graph.prefixes()?);
    let found = question(&AdviceRequest { source, query, snapshot, prefixes, options, budget: &allowance });
    graph.intact()?;
    Ok(found)
}
