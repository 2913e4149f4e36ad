//! A graph opened from Python: a project, files, or a snapshot, as it was when it was read.

use super::answer::{Answer, Asked};
use super::apart::apart;
use super::binding::{Given, apply};
use super::failure::exception;
use super::told;
use kgq_edit::guard::Verdict;
use kgq_edit::{Settings, Writer};
use kgq_engine::EvaluationOptions;
use kgq_graph::catalog::Values;
use kgq_graph::check::{Finding, ReportFormat, Severity};
use kgq_graph::graph::{self, Live};
use kgq_graph::request::advise::{Advised, mistakes};
use kgq_syntax::budget::{Budget, Limits, Work};
use kgq_syntax::error::{Error, Kind, Result, Source};
use pyo3::prelude::*;
use serde_json::Value;
use std::ffi::OsString;
use std::sync::Arc;

/// The name in messages of a query text given in Python.
const NAME: &str = "<query>";

#[pyclass(frozen, module = "kgq._kgq")]
pub struct Graph {
    live: Arc<Live>,
}

/// A query with the warnings about its text, as exceptions that are not raised.
type Asking<'py> = (Answer, Vec<Bound<'py, PyAny>>);

impl Graph {
    pub fn open(py: Python<'_>, options: Vec<OsString>) -> PyResult<Self> {
        let graph = py.detach(|| kgq::open(options)).map_err(|error| super::failure::raised(py, &error))?;
        let budget = graph.options().budget.clone();
        let load = move || {
            graph.load()?;
            Ok(Live::new(graph))
        };
        Ok(Self { live: Arc::new(apart(py, &budget, load)?) })
    }

    /// The graph with a budget of its own, for work that can be cancelled.
    fn for_work(&self) -> (graph::Graph, Budget) {
        let graph = self.live.graph();
        let budget = graph.options().budget.child(Work::Query, Limits::default());
        (graph.with_budget(budget.clone()), budget)
    }

    /// Runs work on the current graph and returns the resulting text.
    fn told(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&graph::Graph) -> Result<String> + Send + 'static,
    ) -> PyResult<String> {
        let graph = self.live.graph();
        // The data read now are kept for later queries, so this is not cancelled.
        apart(py, &Budget::default(), move || {
            let told = work(&graph);
            graph.intact()?;
            told
        })
    }
}

/// The query with warnings about its text. An interrupt ends the search for warnings.
fn asking<'py>(
    py: Python<'py>,
    graph: &graph::Graph,
    work: impl FnOnce() -> Result<Asked> + Send + 'static,
) -> PyResult<Asking<'py>> {
    let own = graph.options().budget.child(Work::Query, Limits::default());
    let budget = own.clone();
    let (asked, found) = apart(py, &budget, move || {
        let asked = work()?;
        let options = EvaluationOptions { budget: own, ..asked.graph.evaluation_options() };
        let budget = options.budget_of_query();
        let advised = Advised { source: asked.source(), query: &asked.query, options: &options, budget: &budget };
        let found: Vec<Error> = mistakes(&asked.graph, advised)?.into_iter().map(|found| found.error).collect();
        Ok((asked, found))
    })?;
    let found = exceptions(py, &found)?;
    Ok((Answer { asked: Arc::new(asked) }, found))
}

fn exceptions<'py>(py: Python<'py>, errors: &[Error]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    errors.iter().map(|error| exception(py, error)).collect()
}

#[pymethods]
impl Graph {
    /// Parses a query and binds values to some of its variables.
    fn query<'py>(&self, py: Python<'py>, text: String, given: Vec<Given>) -> PyResult<Asking<'py>> {
        let graph = self.live.graph();
        asking(py, &Arc::clone(&graph), move || {
            let mut query = graph.parse(Source::new(NAME, &text))?;
            apply(&mut query, &given)?;
            Ok(Asked { query, name: NAME.into(), text, graph })
        })
    }

    /// Takes a canned query, with texts for its parameters.
    fn run<'py>(&self, py: Python<'py>, name: String, values: Vec<(String, String)>) -> PyResult<Asking<'py>> {
        let graph = self.live.graph();
        asking(py, &Arc::clone(&graph), move || {
            let canned = graph.catalog()?.get(&name)?;
            let query = graph.parse_canned(canned, &Values::from_pairs(values))?;
            let (name, text) = (canned.file.clone(), canned.text.clone());
            Ok(Asked { query, name, text, graph })
        })
    }

    /// The canned queries, as JSON.
    fn queries(&self, py: Python<'_>) -> PyResult<String> {
        self.told(py, |graph| {
            let language = graph.language();
            let all = graph.catalog_if_any()?.map(|catalog| catalog.queries.as_slice()).unwrap_or_default();
            let asked = all.iter().filter(|query| !query.is_check());
            Ok(asked.map(|query| told::canned(query, &language)).collect::<Value>().to_string())
        })
    }

    /// Resolves a CURIE, an IRI or a label to an IRI.
    fn resolve(&self, py: Python<'_>, word: String) -> PyResult<String> {
        self.told(py, move |graph| graph.resolve(&word).map(|node| node.as_str().to_owned()))
    }

    fn describe(&self, py: Python<'_>, word: String) -> PyResult<String> {
        self.told(py, move |graph| told::description(graph, &word))
    }

    fn cite(&self, py: Python<'_>, terms: Vec<String>) -> PyResult<String> {
        self.told(py, move |graph| told::cite(graph, &terms))
    }

    /// The findings of the checks in the files as they are now, as JSON.
    fn check(&self, py: Python<'_>) -> PyResult<String> {
        let (graph, budget) = self.for_work();
        apart(py, &budget, move || {
            let mut told = Vec::new();
            // A graph keeps the list of files that it found; others may have come since.
            let now = graph::Graph::open(graph.options().clone())?;
            now.check()?.write(ReportFormat::Json, &mut told).map_err(|error| Error::io("the report", &error))?;
            String::from_utf8(told).map_err(|_| Error::bug("a report that is no UTF-8"))
        })
    }

    /// What an update changes, as JSON, with warnings as exceptions that are not raised. With `write`, the project's files are
    /// changed and read again.
    fn update<'py>(
        &self,
        py: Python<'py>,
        text: String,
        write: bool,
        check: bool,
    ) -> PyResult<(String, Vec<Bound<'py, PyAny>>)> {
        let (graph, budget) = self.for_work();
        let live = Arc::clone(&self.live);
        let (told, warnings) = apart(py, &budget, move || {
            if !write {
                let change = graph.update(Source::new("<update>", &text))?;
                return Ok((told::change(&graph, &change.removed, &change.added, &[])?, Vec::new()));
            }
            let edited = edit(&graph, &text, check)?;
            live.reload()?;
            Ok(edited)
        })?;
        Ok((told, exceptions(py, &warnings)?))
    }

    /// Reads the files again if they have changed; returns whether they have.
    fn reload(&self, py: Python<'_>) -> PyResult<bool> {
        let live = Arc::clone(&self.live);
        apart(py, &Budget::default(), move || {
            let reloaded = live.refresh()?;
            if let Some(error) = live.broken() {
                return Err(error);
            }
            Ok(reloaded.is_some())
        })
    }

    /// The number of statements.
    fn statements(&self, py: Python<'_>) -> PyResult<usize> {
        let graph = self.live.graph();
        apart(py, &Budget::default(), move || graph.statement_count())
    }

    /// The prefixes that queries need not declare, with their namespaces.
    fn prefixes(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let graph = self.live.graph();
        apart(py, &Budget::default(), move || {
            let prefixes = graph.prefixes()?;
            Ok(prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), namespace.to_owned())).collect())
        })
    }

    /// The project's name, or where the statements come from.
    #[getter]
    fn name(&self) -> String {
        let graph = self.live.graph();
        match (graph.project(), graph.options().files.as_slice()) {
            (Some(project), _) => project.manifest.name.clone(),
            (None, [file]) => file.clone(),
            (None, _) => graph.origin().unwrap_or_default(),
        }
    }
}

/// Changes the project's files as the update says; returns the changes as JSON, and warnings.
fn edit(graph: &graph::Graph, text: &str, check: bool) -> Result<(String, Vec<Error>)> {
    let writer = Writer::open(graph, &|_| ())?;
    let change = kgq_edit::update(&writer.graph, &writer.files, Source::new("<update>", text))?;
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &change, &Settings::of_update(text, false))?;
    if check {
        let verdict = Verdict::of(&writer.graph, &edit)?;
        if !verdict.is_clean() {
            return Err(refused(&verdict));
        }
    }
    let told = told::change(&writer.graph, &change.removed, &change.added, &edit.changes)?;
    writer.write(&edit)?;
    Ok((told, edit.warnings))
}

/// The error for an edit that would make something worse, with each finding at its place.
fn refused(verdict: &Verdict) -> Error {
    let error = Error::new(Kind::Check, "the update would add findings or fail expected answers: nothing is written");
    let finding = |finding: &Finding| {
        let error = Error::new(Kind::Check, format!("{} [{}]", finding.text(), finding.code)).at(finding.place.clone());
        let error = finding.hints.iter().fold(error, |error, hint| error.hint(hint));
        if finding.severity == Severity::Error { error } else { error.as_warning() }
    };
    let failed =
        |(name, why): &(String, String)| Error::new(Kind::Check, format!("the answer {name} would fail: {why}"));
    let findings = verdict.report.findings.iter().map(finding);
    let others = findings.chain(verdict.failed.iter().map(failed));
    Error::all(std::iter::once(error.clone()).chain(others)).unwrap_or(error)
}
