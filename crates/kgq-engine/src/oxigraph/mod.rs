//! Oxigraph's evaluator over a snapshot: complete, the oracle in tests, and what answers where it is asked to by name.
//!
//! Known to differ from the standard: spareval rebuilds a triple term in a pattern from its parts' values, so one that holds a
//! literal in a form other than the canonical (`01`) is taken for its canonical form.

mod apart;
#[cfg(test)]
mod tests;
mod view;

use super::expression::extension;
use super::query::products::as_loops;
use super::{Answer, Row, Services};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Limits, Work};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{NamedNode, Triple, Variable};
use oxiri::Iri;
use sparesults::QuerySolution;
use spareval::{
    DefaultServiceHandler, QueryDatasetSpecification, QueryEvaluationError, QueryEvaluator, QueryResults,
    QuerySolutionIter,
};
use spargebra::Query;
use spargebra::algebra::GraphPattern;
use std::sync::Arc;
use view::DatasetView;

/// What the default graph of a query without FROM is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DefaultGraph {
    /// The dataset's default graph, and nothing else.
    #[default]
    Stored,
    /// All graphs, merged: a triple that several have is there once.
    Union,
}

/// An answer on its way, which cannot leave its thread.
enum Local<'a> {
    Solutions(Vec<Variable>, Box<dyn Iterator<Item = Result<Row>> + 'a>),
    Boolean(bool),
    Graph(Box<dyn Iterator<Item = Result<Triple>> + 'a>),
}

/// Evaluates a query, whose SERVICE clauses someone answers; without anyone they are refused.
///
/// The budget's deadline and cancellation stop it where it reads the dataset next; whoever waits for rows hears of them at once. Its
/// memory is not counted, as Oxigraph does not say what it holds.
///
/// # Errors
/// What Oxigraph refuses (an unknown function), the budget's limits, damage to the snapshot: here or from the rows. Those of the
/// services unless the query says SILENT.
pub fn evaluate(
    snapshot: &Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    budget: &Budget,
    services: Option<&Arc<dyn Services>>,
) -> Result<Answer> {
    snapshot.intact()?;
    budget.check()?;
    // Cancelled when nobody wants the rows any more.
    let budget = budget.child(Work::Query, Limits::default());
    let (snapshot, mut query, services) = (snapshot.clone(), query.clone(), services.cloned());
    apart::apart(budget.clone(), move |send| {
        let (Query::Select { pattern, .. }
        | Query::Ask { pattern, .. }
        | Query::Construct { pattern, .. }
        | Query::Describe { pattern, .. }) = &mut query;
        as_loops(pattern);
        let mut evaluator = QueryEvaluator::new();
        if let Some(services) = services {
            evaluator = evaluator.with_default_service_handler(Ask(services));
        }
        for (name, extension) in extension::all() {
            evaluator = evaluator.with_custom_function(name, move |arguments| extension.call(arguments));
        }
        let mut prepared = evaluator.prepare(&query);
        *prepared.dataset_mut() = QueryDatasetSpecification::new();
        let dataset = DatasetView::new(&snapshot, &query, default_graph, budget.clone());
        send(match prepared.execute(dataset).map_err(|e| in_our_words(e, &budget))? {
            QueryResults::Boolean(value) => {
                snapshot.intact()?;
                Local::Boolean(value)
            }
            QueryResults::Solutions(solutions) => {
                let variables = solutions.variables().to_vec();
                let rows = Running { snapshot: &snapshot, results: Some(solutions), budget };
                Local::Solutions(variables, Box::new(rows.map(|solution| Ok(solution?.values().to_vec()))))
            }
            QueryResults::Graph(triples) => {
                Local::Graph(Box::new(Running { snapshot: &snapshot, results: Some(triples), budget }))
            }
        });
        Ok(())
    })
}

/// Hands a SERVICE clause on as a SELECT query.
struct Ask(Arc<dyn Services>);

impl DefaultServiceHandler for Ask {
    type Error = QueryEvaluationError;

    fn handle(
        &self,
        service: &NamedNode,
        pattern: &GraphPattern,
        base_iri: Option<&Iri<String>>,
    ) -> Result<QuerySolutionIter<'static>, QueryEvaluationError> {
        let query = Query::Select { dataset: None, pattern: pattern.clone(), base_iri: base_iri.cloned() };
        let (variables, rows) =
            self.0.select(service, &query).map_err(|error| QueryEvaluationError::Service(Box::new(error)))?;
        let variables: Arc<[Variable]> = variables.into();
        let names = Arc::clone(&variables);
        let rows = rows.into_iter().map(move |row| Ok(QuerySolution::from((Arc::clone(&names), row))));
        Ok(QuerySolutionIter::new(variables, rows))
    }
}

/// Results on their way.
struct Running<'a, I> {
    snapshot: &'a Snapshot,
    /// `None` once an error ended them.
    results: Option<I>,
    budget: Budget,
}

impl<T, I: Iterator<Item = Result<T, QueryEvaluationError>>> Iterator for Running<'_, I> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let results = self.results.as_mut()?;
        let result = results.next()?.map_err(|e| in_our_words(e, &self.budget));
        let result = result.and_then(|value| self.snapshot.intact().map(|()| value));
        if result.is_err() {
            self.results = None;
        }
        Some(result)
    }
}

/// An evaluation error in our words. What was asked after a limit was passed may fail in any way, so the budget is asked first.
pub fn in_our_words(error: QueryEvaluationError, budget: &Budget) -> Error {
    if let Err(limit) = budget.check() {
        return limit;
    }
    match error {
        QueryEvaluationError::Dataset(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::bug(error.to_string()),
        },
        QueryEvaluationError::Service(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::policy(format!("SERVICE is not allowed: {error}")),
        },
        QueryEvaluationError::UnboundService
        | QueryEvaluationError::InvalidServiceName(_)
        | QueryEvaluationError::UnsupportedService(_) => {
            Error::policy(format!("SERVICE is not allowed: {error}")).hint("load the data into the project instead")
        }
        QueryEvaluationError::Cancelled => Error::new(Kind::Interrupted, "the query was interrupted"),
        error => Error::input(error.to_string()),
    }
}
