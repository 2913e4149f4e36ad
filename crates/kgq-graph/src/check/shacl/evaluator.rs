//! Evaluates queries of a shapes graph on a dataset, with the functions that the shapes graph declares.

use super::dataset::ValidationData;
use super::function::Functions;
use super::view::{Reading, ShapesDataset, resolved};
use kgq_engine::extension::Extension;
use kgq_engine::in_our_words;
use kgq_engine::query::prebind::{self, Prebound};
use kgq_engine::{Budget, Limits};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, Term, Triple, Variable};
use spareval::{CancellationToken, QueryEvaluationError, QueryEvaluator, QueryResults};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The deepest nesting of function calls: each call takes stack.
const MAX_CALLS: usize = 32;

/// The values of one solution, by variable name.
pub(super) type Solution = BTreeMap<String, Term>;

/// Evaluates queries on a dataset.
pub(super) struct Evaluator {
    shared: Arc<Shared>,
    /// The budget of the whole validation.
    budget: Budget,
    /// The limits of each single query.
    limits: Limits,
}

/// The state shared by a query and the functions that it calls.
struct Shared {
    view: ShapesDataset,
    functions: Arc<Functions>,
    /// The number of functions now running, one called by another.
    calls: AtomicUsize,
    /// Cancels the running query.
    token: Mutex<CancellationToken>,
    /// The budget of the running query and of the functions that it calls.
    budget: Mutex<Budget>,
    /// Why a function stopped the query. A function can return only a term or nothing, but no error.
    failure: Mutex<Option<Error>>,
}

impl Evaluator {
    pub fn new(dataset: &ValidationData, functions: &Arc<Functions>, limits: Limits) -> Self {
        let shared = Arc::new(Shared {
            view: dataset.view(),
            functions: Arc::clone(functions),
            calls: AtomicUsize::new(0),
            token: Mutex::default(),
            budget: Mutex::default(),
            failure: Mutex::default(),
        });
        Self { shared, budget: dataset.budget().clone(), limits }
    }

    /// Returns the triples of a CONSTRUCT, using terms of the dataset where it has them.
    pub fn construct(&self, query: &Prebound, values: &BTreeMap<&str, Term>) -> Result<Vec<Triple>> {
        let triples = self.run(query, values, None, |results| match results {
            QueryResults::Graph(triples) => triples.collect(),
            QueryResults::Solutions(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
        })?;
        Ok(triples.into_iter().filter_map(resolved).collect())
    }

    /// Returns the solutions of a SELECT; for an ASK that is true, one solution without values.
    pub fn ask(
        &self,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
    ) -> Result<Vec<Solution>> {
        self.run(query, values, path, |results| match results {
            QueryResults::Solutions(solutions) => {
                let named = |(v, t): (&Variable, &Term)| (v.as_str().to_owned(), t.clone());
                solutions.map(|s| Ok(s?.iter().map(named).collect())).collect()
            }
            QueryResults::Boolean(true) => Ok(vec![Solution::new()]),
            QueryResults::Boolean(false) | QueryResults::Graph(_) => Ok(Vec::new()),
        })
    }

    /// Returns the terms in the single column of a SELECT, or the answer of an ASK.
    pub fn terms(&self, query: &Prebound, values: &BTreeMap<&str, Term>) -> Result<Vec<Term>> {
        self.run(query, values, None, |results| match results {
            QueryResults::Solutions(solutions) => {
                let term = |solution: Result<spareval::QuerySolution, _>| match solution {
                    Ok(solution) => solution.get(0).cloned().map(Ok),
                    Err(error) => Some(Err(error)),
                };
                solutions.filter_map(term).collect()
            }
            QueryResults::Boolean(value) => Ok(vec![Literal::from(value).into()]),
            QueryResults::Graph(_) => Ok(Vec::new()),
        })
    }

    fn run<T>(
        &self,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
        read: impl FnOnce(QueryResults<'_>) -> Result<T, QueryEvaluationError>,
    ) -> Result<T> {
        let shared = &self.shared;
        let budget = self.budget.child(Work::Query, self.limits);
        *shared.token.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
        *shared.budget.lock().unwrap_or_else(PoisonError::into_inner) = budget.clone();
        shared.calls.store(0, Ordering::Relaxed);
        let result = shared.execute(query, values, path, read).map_err(|error| in_our_words(error, &budget));
        match shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(failure) => Err(failure),
            None => result,
        }
    }
}

/// Returns an evaluator that knows the functions which the query calls, and no others: for each run it copies all that
/// it knows.
fn evaluator(shared: &Arc<Shared>, query: &Prebound) -> QueryEvaluator {
    let evaluator =
        QueryEvaluator::new().with_custom_function(prebind::blank_node_function(), prebind::call_blank_node_function);
    query.calls().iter().fold(evaluator, |evaluator, name| {
        if shared.functions.has(name) {
            let (shared, function) = (Arc::clone(shared), name.clone());
            return evaluator.with_custom_function(name.clone(), move |arguments| shared.call(&function, arguments));
        }
        match Extension::of(name.as_str()) {
            Some(extension) => evaluator.with_custom_function(name.clone(), move |arguments| extension.call(arguments)),
            None => evaluator,
        }
    })
}

impl Shared {
    fn execute<T>(
        self: &Arc<Self>,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
        read: impl FnOnce(QueryResults<'_>) -> Result<T, QueryEvaluationError>,
    ) -> Result<T, QueryEvaluationError> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let evaluator = evaluator(self, query).with_cancellation_token(token);
        let budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner).clone();
        read(evaluator.prepare(&query.bind(values, path)).execute(Reading { view: &self.view, budget })?)
    }

    /// Evaluates a function; `None` is an error in the calling expression.
    fn call(self: &Arc<Self>, name: &NamedNode, arguments: &[Term]) -> Option<Term> {
        let (query, values) = self.functions.bound(name, arguments)?;
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        if calls >= MAX_CALLS {
            let message = format!("{name} calls functions more than {MAX_CALLS} deep");
            self.stop(
                Error::limit(message).hint("a function that calls itself needs an end that its arguments come to"),
            );
            return None;
        }
        let result = self.execute(query, &values, None, |results| match results {
            QueryResults::Solutions(mut solutions) => {
                solutions.next().transpose().map(|solution| solution.and_then(|s| s.get(0).cloned()))
            }
            QueryResults::Boolean(value) => Ok(Some(Literal::from(value).into())),
            QueryResults::Graph(_) => Ok(None),
        });
        self.calls.fetch_sub(1, Ordering::Relaxed);
        match result {
            Ok(value) => value,
            // The calling query is cancelled too.
            Err(QueryEvaluationError::Cancelled) => None,
            Err(QueryEvaluationError::Dataset(why)) => {
                let budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner).clone();
                self.stop(in_our_words(QueryEvaluationError::Dataset(why), &budget));
                None
            }
            Err(error) => {
                self.stop(Error::input(format!("{name} failed: {error}")));
                None
            }
        }
    }

    fn stop(&self, why: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.token.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }
}
