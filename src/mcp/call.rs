//! The context of a tool call: the graph, the arguments, the budget.

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
    /// Why the current files cannot be read, if they cannot.
    pub broken: Option<&'a Error>,
    pub arguments: &'a Arguments,
    pub budget: AnswerSize,
    /// The language of labels.
    pub language: String,
    /// The budget shared by all queries of this call; cancelling it stops them.
    pub work: Budget,
    started: Instant,
}

/// The `[mcp]` settings of the project; the defaults if there is no project.
pub fn settings(graph: &Graph) -> McpSettings {
    graph.project().map(|project| project.manifest.mcp.clone()).unwrap_or_default()
}

impl<'a> Call<'a> {
    /// # Errors
    /// The settings are invalid, or the language is not a text.
    pub fn new(graph: &'a Graph, broken: Option<&'a Error>, arguments: &'a Arguments, work: Budget) -> Result<Self> {
        let settings = settings(graph);
        let budget = AnswerSize::of(&settings)?;
        let language = arguments::text(arguments, "lang")?.map(str::to_owned);
        let language = language.or(settings.language).unwrap_or_else(|| graph.language());
        Ok(Self { graph, broken, arguments, budget, language, work, started: Instant::now() })
    }

    /// The same call with this many rows, if a number is given.
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

    /// The evaluation options for queries of this call: they have to finish in its remaining time.
    pub fn evaluation(&self, failures: &Failures) -> EvaluationOptions {
        let mut options = self.graph.evaluation_options();
        let left = self.budget.time.saturating_sub(self.spent());
        options.limits.time = Some(options.limits.time.map_or(left, |time| time.min(left)));
        options.budget = self.work.clone();
        options.failures = failures.clone();
        options
    }

    /// Resolves a CURIE, an IRI (also in angle brackets) or a label to a thing.
    ///
    /// # Errors
    /// Nothing has this name; the hints have similar ones.
    pub fn thing(&self, name: &str) -> Result<NamedNode> {
        let bare = name.trim();
        let bare = bare.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(bare);
        self.graph.resolve(bare)
    }
}
