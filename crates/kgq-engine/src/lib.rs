//! Answers SPARQL 1.1 over a snapshot.
//!
//! - [`query`]: text → [`query::Query`]; parameters bound in the algebra; what a query names.
//! - `plan`, `operator`, `expression`: our own executor, which works on columns of ids.
//! - [`path`]: property paths, walked in any graph.
//! - `oxigraph`: Oxigraph's evaluator over the same snapshot, as a second opinion.
//! - [`update`]: SPARQL Update over a snapshot; each WHERE is a query.
//! - [`why`]: a witness of a row: statements because of which an answer has the row.
//!
//! It opens no file and knows no project, no command line and no terminal.
//!
//! ```
//! use kgq_engine::query::{ParseContext, parse_query};
//! use kgq_engine::{Answer, EvaluationOptions, evaluate};
//! use kgq_snapshot::Snapshot;
//! use kgq_snapshot::store::{Dataset, Input, ReadOptions};
//! use kgq_syntax::bounds::Bounds;
//! use kgq_syntax::error::Source;
//! use kgq_syntax::rdf::{Prefixes, RdfFormat};
//!
//! let text = "@prefix e: <http://example.org/> . e:ada e:knows e:bob , e:cid .";
//! let file = Input::bytes("people.ttl", text.into(), RdfFormat::Turtle);
//! let data = Dataset::read(&[file], ReadOptions::default())?;
//! let snapshot = Snapshot::from_quads(data.quads().iter().cloned())?;
//!
//! let prefixes = Prefixes::default();
//! let context = ParseContext { prefixes: &prefixes, base: Some("http://example.org/"), bounds: Bounds::default() };
//! let query = parse_query(Source::new("q.rq", "SELECT ?whom { <ada> <knows> ?whom }"), context)?;
//! let Answer::Solutions(solutions) = evaluate(&snapshot, &query, &EvaluationOptions::default())? else {
//!     unreachable!("a SELECT has solutions")
//! };
//! assert_eq!(solutions.rows.collect::<Result<Vec<_>, _>>()?.len(), 2);
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

mod aggregate;
mod answer;
mod batch;
mod column_texts;
mod construct;
mod depth;
mod executor;
mod explain;
mod expression;
mod failures;
mod operator;
mod order;
mod oxigraph;
pub mod path;
mod plan;
mod plans;
pub mod query;
mod result;
mod rows;
mod template;
mod terms;
mod threads;
pub mod update;
pub mod why;

pub use answer::{Answer, Row, Solutions, Triples};
pub use column_texts::ColumnTexts;
pub use expression::{extension, value::Value};
pub use failures::Failures;
pub use kgq_syntax::budget::{Budget, Limits};
pub use order::key as sort_key;
pub use oxigraph::{DefaultGraph, in_our_words};
pub use plans::Plans;
pub use rows::{IdRows, SolutionRows};
pub use terms::Terms;

use crate::query::Query;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Variable};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The evaluator of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Executor {
    /// Our own. A feature that it lacks is an error that names the feature.
    #[default]
    Kgq,
    /// Oxigraph's evaluator. It works a row at a time and reads the standard in its own way.
    Oxigraph,
}

/// How a query is answered.
#[derive(Clone, Debug, Default)]
pub struct EvaluationOptions {
    pub executor: Executor,
    pub default_graph: DefaultGraph,
    /// What one query may use. Its clock starts when the query is asked.
    pub limits: Limits,
    /// What all queries with these options may use together; if it is cancelled, they stop.
    pub budget: Budget,
    /// Answers SERVICE clauses; `None` if nobody does.
    pub services: Option<Arc<dyn Services>>,
    /// Plans that our executor has made before, and where it keeps new ones.
    pub plans: Option<Arc<Plans>>,
    /// Where our executor counts the expressions that fail.
    pub failures: Failures,
    /// The folder for temporary files of rows that do not fit into memory; `None` is the system's. The files have no names.
    pub temporary: Option<PathBuf>,
}

impl EvaluationOptions {
    /// Returns the budget of a query that is asked now.
    pub fn budget_of_query(&self) -> Budget {
        self.budget.child(Work::Query, self.limits)
    }

    /// Returns what our executor may use, within that budget.
    fn run<'a>(&'a self, budget: &'a Budget) -> executor::Run<'a> {
        let (services, temporary) = (self.services.as_ref(), self.temporary.as_deref());
        executor::Run { budget, services, failures: &self.failures, temporary }
    }
}

/// A query for an endpoint.
pub use spargebra::Query as ServiceQuery;

/// Answers SERVICE clauses (SPARQL 1.1 Federated Query).
pub trait Services: std::fmt::Debug + Send + Sync {
    /// Returns the solutions of a SELECT query at an endpoint: the variables, and a row for each solution.
    fn select(&self, endpoint: &NamedNode, query: &ServiceQuery) -> Result<(Vec<Variable>, Vec<Row>)>;
}

/// Answers a query over the snapshot. Nothing read from a damaged file is returned, nor anything concluded from it, not
/// even an empty answer or an error.
pub fn evaluate(snapshot: &Snapshot, query: &Query, options: &EvaluationOptions) -> Result<Answer> {
    let budget = options.budget_of_query();
    let (graph, algebra) = (options.default_graph, &query.algebra);
    let answered = match options.executor {
        Executor::Kgq => {
            let run = options.run(&budget);
            match &options.plans {
                Some(plans) => executor::evaluate_again(snapshot, algebra, graph, run, plans),
                None => executor::evaluate(snapshot, algebra, graph, run),
            }
        }
        Executor::Oxigraph => oxigraph::evaluate(snapshot, algebra, graph, &budget, options.services.as_ref()),
    };
    snapshot.intact()?;
    let answer = sound(snapshot, answered?);
    Ok(match options.limits.rows {
        Some(most) => at_most(answer, most),
        None => answer,
    })
}

/// Makes the answer end in an error if the data that it reads turn out to be damaged. The executors check before each
/// batch; this checks before the end and before an error, which damage may have caused.
fn sound(snapshot: &Snapshot, answer: Answer) -> Answer {
    match answer {
        Answer::Boolean(value) => Answer::Boolean(value),
        Answer::Solutions(Solutions { variables, rows }) => {
            Answer::Solutions(Solutions { variables, rows: rows.sound(snapshot) })
        }
        Answer::Graph(triples) => Answer::Graph(Triples(Box::new(asked(snapshot.clone(), triples.0)))),
    }
}

fn asked<T>(
    snapshot: Snapshot,
    mut items: impl Iterator<Item = Result<T>> + Send,
) -> impl Iterator<Item = Result<T>> + Send {
    let mut over = false;
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = items.next();
        if let Some(Ok(_)) = next {
            return next;
        }
        over = true;
        snapshot.intact().err().map(Err).or(next)
    })
}

/// How a query is answered, as an indented tree; with `run`, it is answered, and the tree has what was counted. A query that was planned before is
/// not planned again: the tree is that of its plan.
pub fn explain(snapshot: &Snapshot, query: &Query, options: &EvaluationOptions, run: bool) -> Result<String> {
    let explained = explanation(snapshot, query, options, run);
    snapshot.intact()?;
    explained
}

fn explanation(snapshot: &Snapshot, query: &Query, options: &EvaluationOptions, run: bool) -> Result<String> {
    let started = Instant::now();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    if options.executor == Executor::Kgq {
        let budget = &options.budget_of_query();
        let how = options.run(budget);
        let (algebra, graph) = (&query.algebra, options.default_graph);
        let prepared = match &options.plans {
            Some(plans) => executor::prepare_again(snapshot, algebra, graph, how, plans)?,
            None => executor::prepare(snapshot, algebra, graph, how)?,
        };
        if !run {
            return prepared.explain(how);
        }
        let planned = started.elapsed();
        let tree = prepared.analyze(how)?;
        let ran = started.elapsed() - planned;
        return Ok(format!("{tree}planned in {:.3} ms, ran in {:.3} ms\n", ms(planned), ms(ran)));
    }
    if !run {
        return Ok("Oxigraph's evaluator, which shows no plan\n".into());
    }
    let rows = match evaluate(snapshot, query, options)? {
        Answer::Boolean(_) => 1,
        Answer::Solutions(solutions) => solutions.rows.map(|row| row.map(|_| 1)).sum::<Result<u64>>()?,
        Answer::Graph(triples) => triples.0.map(|triple| triple.map(|_| 1)).sum::<Result<u64>>()?,
    };
    Ok(format!("Oxigraph's evaluator, which shows no plan  [got {rows}, {:.3} ms]\n", ms(started.elapsed())))
}

/// Makes the answer end in an error if it has more rows than allowed: a cut answer must not look whole.
fn at_most(answer: Answer, most: u64) -> Answer {
    match answer {
        Answer::Boolean(value) => Answer::Boolean(value),
        Answer::Solutions(Solutions { variables, rows }) => {
            Answer::Solutions(Solutions { variables, rows: rows.at_most(most) })
        }
        Answer::Graph(triples) => Answer::Graph(Triples(Box::new(cut(triples.0, most)))),
    }
}

fn cut<T>(items: impl Iterator<Item = Result<T>> + Send, most: u64) -> impl Iterator<Item = Result<T>> + Send {
    (0u64..).zip(items).map(move |(number, item)| if number < most { item } else { Err(rows::too_many(most)) })
}

#[cfg(test)]
mod class_tests;
#[cfg(test)]
mod prepared_tests;
#[cfg(test)]
mod tests;
