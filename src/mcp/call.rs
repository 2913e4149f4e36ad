//! What a tool has at hand while it works: the graph, the arguments, the budget.

use super::arguments::{self, Arguments};
use super::budget::AnswerSize;
use kgq_engine::{EvaluationOptions, Failures};
use kgq_graph::graph::Graph;
use kgq_graph::project::McpSettings;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::NamedNode;
use std::time::{Duration, Instant};

#[derive(Clone)]
pub struct Call<'a> {
    pub graph: &'a Graph,
    /// Why the files as they are now cannot be read, if they cannot.
    pub broken: Option<&'a Error>,
    pub arguments: &'a Arguments,
    pub budget: AnswerSize,
    /// In which things are called by their names.
    pub language: String,
    /// What all queries of this call use together; cancelling it stops them.
    pub work: Budget,
    started: Instant,
}

/// What the project says of this face; nothing, if there is no project.
pub fn settings(graph: &Graph) -> McpSettings {
    graph.project().map(|project| project.manifest.mcp.clone()).unwrap_or_default()
}

impl<'a> Call<'a> {
    /// # Errors
    /// Settings that are wrong; a language that is no text.
    pub fn new(graph: &'a Graph, broken: Option<&'a Error>, arguments: &'a Arguments, work: Budget) -> Result<Self> {
        let settings = settings(graph);
        let budget = AnswerSize::of(&settings)?;
        let language = arguments::text(arguments, "lang")?.map(str::to_owned);
        let language = language.or(settings.language).unwrap_or_else(|| graph.language());
        Ok(Self { graph, broken, arguments, budget, language, work, started: Instant::now() })
    }

    /// The same call with so many rows, if a number is asked for.
    #[must_use]
    pub fn with_rows(&self, rows: Option<usize>) -> Self {
        Self { budget: self.budget.with_rows(rows), ..self.clone() }
    }

    pub fn spent(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn is_late(&self) -> bool {
        self.spent() >= self.budget.time
    }

    /// How queries of this call are evaluated: within what is left of its time.
    pub fn evaluation(&self, failures: &Failures) -> EvaluationOptions {
        let mut options = self.graph.evaluation_options();
        let left = self.budget.time.saturating_sub(self.spent());
        options.limits.time = Some(options.limits.time.map_or(left, |time| time.min(left)));
        options.budget = self.work.clone();
        options.failures = failures.clone();
        options
    }

    /// The thing that is meant by a CURIE, an IRI (also in angle brackets), or a label.
    ///
    /// # Errors
    /// That nothing is called so, with near names.
    pub fn thing(&self, name: &str) -> Result<NamedNode> {
        let bare = name.trim();
        let bare = bare.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(bare);
        self.graph.resolve(bare)
    }
}
