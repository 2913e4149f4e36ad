//! A parsed query with its bindings, which can be answered any number of times: its graph never changes.

use super::apart::apart;
use super::failure::exception;
use super::rows::Rows;
use super::told;
use super::value::Terms;
use kgq_engine::query::Query;
use kgq_engine::{self as engine, EvaluationOptions};
use kgq_graph::graph::Graph;
use kgq_graph::request::advise::{Advised, Turned, remarks};
use kgq_syntax::budget::{Budget, Limits, Work};
use kgq_syntax::error::{Result, Source};
use pyo3::prelude::*;
use std::sync::Arc;

/// A query over a graph.
#[pyclass(frozen, module = "kgq._kgq")]
pub struct Answer {
    pub asked: Arc<Asked>,
}

/// The query and the graph that it is asked of.
pub struct Asked {
    pub graph: Arc<Graph>,
    pub query: Query,
    pub name: String,
    pub text: String,
}

impl Asked {
    pub fn source(&self) -> Source<'_> {
        Source::new(&self.name, &self.text)
    }

    /// The options of one evaluation, with a budget of its own that can be cancelled.
    pub fn options(&self) -> EvaluationOptions {
        options(&self.graph)
    }
}

/// The options of one evaluation over the graph, with a budget of its own.
pub fn options(graph: &Graph) -> EvaluationOptions {
    let options = graph.evaluation_options();
    EvaluationOptions { budget: options.budget.child(Work::Query, Limits::default()), ..options }
}

impl Answer {
    fn with<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Asked, &EvaluationOptions) -> Result<T> + Send + 'static,
    ) -> PyResult<(T, Budget)> {
        let (asked, options) = (Arc::clone(&self.asked), self.asked.options());
        let budget = options.budget.clone();
        Ok((apart(py, &budget, move || work(&asked, &options))?, budget))
    }
}

fn evaluate(asked: &Asked, options: &EvaluationOptions) -> Result<engine::Answer> {
    engine::evaluate(asked.graph.snapshot()?, &asked.query, options)
}

#[pymethods]
impl Answer {
    /// The query form: `SELECT`, `ASK`, `CONSTRUCT` or `DESCRIBE`.
    #[getter]
    fn form(&self) -> &'static str {
        self.asked.query.form().keyword()
    }

    #[getter]
    fn text(&self) -> &str {
        &self.asked.text
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.asked.query.columns().iter().map(|variable| variable.as_str().to_owned()).collect()
    }

    /// Evaluates the query; rows come as they are found. `row` makes a row from a tuple.
    fn rows(&self, py: Python<'_>, row: Py<PyAny>, exact: bool) -> PyResult<Rows> {
        let (answer, budget) = self.with(py, evaluate)?;
        Ok(Rows::new(answer, budget, Terms::new(py, exact)?, row))
    }

    /// The answer of an ASK; for other forms, whether there is any row.
    fn truth(&self, py: Python<'_>) -> PyResult<bool> {
        let found = |asked: &Asked, options: &EvaluationOptions| {
            Ok(match evaluate(asked, options)? {
                engine::Answer::Boolean(value) => value,
                engine::Answer::Solutions(mut solutions) => solutions.rows.next().transpose()?.is_some(),
                engine::Answer::Graph(mut triples) => triples.0.next().transpose()?.is_some(),
            })
        };
        Ok(self.with(py, found)?.0)
    }

    /// The reasons for an empty answer, as exceptions that are not raised.
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let ask = |asked: &Asked, options: &EvaluationOptions| {
            let turned = match evaluate(asked, options)? {
                engine::Answer::Boolean(value) => Turned::Truth(value),
                engine::Answer::Solutions(mut solutions) => {
                    Turned::of(u64::from(solutions.rows.next().transpose()?.is_some()), None)
                }
                engine::Answer::Graph(mut triples) => {
                    Turned::of(u64::from(triples.0.next().transpose()?.is_some()), None)
                }
            };
            let budget = options.budget_of_query();
            let advised = Advised { source: asked.source(), query: &asked.query, options, budget: &budget };
            let found = remarks(&asked.graph, advised, turned)?;
            Ok(found.reasons.into_iter().chain(found.warnings).map(|finding| finding.error).collect::<Vec<_>>())
        };
        self.with(py, ask)?.0.iter().map(|error| exception(py, error)).collect()
    }

    /// The first rows with labels and citations, as JSON.
    fn shown(&self, py: Python<'_>, most: usize) -> PyResult<String> {
        let table = move |asked: &Asked, options: &EvaluationOptions| {
            told::table(asked, evaluate(asked, options)?, most, options)
        };
        Ok(self.with(py, table)?.0)
    }

    /// Why the row of this number is in the answer, as JSON.
    fn why(&self, py: Python<'_>, row: usize) -> PyResult<String> {
        Ok(self.with(py, move |asked, options| told::why(asked, row, options))?.0)
    }

    /// The rows as Arrow's C stream: typed columns where a column has one datatype, or with `terms` only structs.
    #[cfg(feature = "tables")]
    fn stream<'py>(&self, py: Python<'py>, terms: bool) -> PyResult<Bound<'py, pyo3::types::PyCapsule>> {
        use super::stream::{batches, capsule};
        let made =
            move |asked: &Asked, options: &EvaluationOptions| batches(asked, evaluate(asked, options)?, terms, options);
        capsule(py, self.with(py, made)?.0)
    }

    /// The plan as a tree; with `run`, with the counts of an actual run.
    fn plan(&self, py: Python<'_>, run: bool) -> PyResult<String> {
        let plan = move |asked: &Asked, options: &EvaluationOptions| {
            engine::explain(asked.graph.snapshot()?, &asked.query, options, run)
        };
        Ok(self.with(py, plan)?.0)
    }
}
