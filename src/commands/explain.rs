//! `--explain`: shows how a query is answered instead of its answer.

use super::output::Output;
use kgq_engine::query::Query;
use kgq_graph::graph::Graph;
use kgq_graph::request::explain::{ExplainedQuery, algebra, explain};
use kgq_syntax::error::{Result, Source};
use kgq_syntax::text::visible;

/// Whether the plan is shown instead of the answer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ExplainArgs {
    /// Show the algebra and the plan instead of the answer; `--explain=analyze` runs it and counts rows and time
    ///
    /// `--explain=parse` shows the algebra alone: no data are read unless a prefix is theirs, and SERVICE and functions of
    /// other engines are allowed.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub explain: Option<Explain>,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Explain {
    /// How the text is understood.
    Parse,
    /// What would be done.
    Plan,
    /// What was done: rows and time at each step.
    Analyze,
}

/// Returns the algebra and the plan of a query as text. `text` is the query's own.
pub fn explanation(how: Explain, text: &str, query: &Query, graph: &Graph) -> Result<String> {
    let ExplainedQuery { algebra, plan } = explain(graph, text, query, how == Explain::Analyze)?;
    Ok(safe(&format!("Algebra\n{}\nPlan\n{plan}", algebra.trim_end())))
}

fn safe(text: &str) -> String {
    text.lines().map(|line| visible(line).into_owned() + "\n").collect()
}

impl ExplainArgs {
    /// Shows the algebra of a text that is only parsed, if requested; returns whether it was.
    ///
    /// # Errors
    /// Those of the text.
    pub fn show_parsed(&self, source: Source<'_>, graph: &Graph, output: &mut Output) -> Result<bool> {
        if self.explain != Some(Explain::Parse) {
            return Ok(false);
        }
        output.line(safe(&algebra(graph, source)?).trim_end()).map(|()| true)
    }

    /// Shows the plan, if requested; returns whether it was.
    pub fn show(&self, text: &str, query: &Query, graph: &Graph, output: &mut Output) -> Result<bool> {
        let Some(how) = self.explain else { return Ok(false) };
        let text = explanation(how, text, query, graph)?;
        output.line(text.trim_end()).map(|()| true)
    }
}
