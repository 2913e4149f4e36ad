//! Oxigraph's evaluator over a snapshot. It is complete, serves as the oracle in tests, and answers queries for which
//! it is requested by name.
//!
//! A known difference from the standard: spareval rebuilds a triple term in a pattern from the values of its parts, so
//! a literal that is not in canonical form (`01`) is read as its canonical form.

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

/// The default graph of a query without FROM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DefaultGraph {
    /// The dataset's default graph, and nothing else.
    #[default]
    Stored,
    /// The merge of all graphs: a triple that several contain occurs once.
    Union,
}

/// An answer in progress, which cannot leave its thread.
enum Local<'a> {
    Solutions(Vec<Variable>, Box<dyn Iterator<Item = Result<Row>> + 'a>),
    Boolean(bool),
    Graph(Box<dyn Iterator<Item = Result<Triple>> + 'a>),
}

/// Evaluates a query. `services` answers its SERVICE clauses; if it is `None`, they are refused.
///
/// The budget's deadline and cancellation stop the evaluator when it next reads the dataset; a reader that waits for
/// rows is told at once. Its memory is not counted, because Oxigraph does not report what it holds.
///
/// # Errors
/// What Oxigraph refuses (an unknown function); the budget's limits and damage to the snapshot, here or from the rows;
/// errors of the services, unless the query says SILENT.
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

/// Passes a SERVICE clause on as a SELECT query.
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

/// Results in progress.
struct Running<'a, I> {
    snapshot: &'a Snapshot,
    /// `None` after an error.
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

/// Translates an evaluation error. After a limit was exceeded, evaluation may fail in any way, so the budget is checked first.
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
