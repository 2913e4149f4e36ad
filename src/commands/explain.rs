//! `--explain`: how a query is answered, instead of its answer.

use super::output::Output;
use kgq_engine as engine;
use kgq_engine::query::Query;
use kgq_graph::session::Session;
use kgq_syntax::error::Result;
use kgq_syntax::text::visible;

/// Whether the plan is shown instead of the answer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ExplainArgs {
    /// Show the algebra and the plan instead of the answer; `--explain=analyze` runs it and counts rows and time
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub explain: Option<Explain>,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Explain {
    /// What would be done.
    Plan,
    /// What was done: rows and time at each step.
    Analyze,
}

/// How a query is answered, as text.
pub fn explanation(how: Explain, query: &Query, session: &Session) -> Result<String> {
    let algebra = kgq_engine::query::indented(&query.to_sse(), session.prefixes()?);
    let options = session.evaluation_options();
    let plan = engine::explain(session.snapshot()?, query, &options, how == Explain::Analyze)?;
    let text = format!("Algebra\n{}\nPlan\n{plan}", algebra.trim_end());
    Ok(text.lines().map(|line| visible(line).into_owned() + "\n").collect())
}

impl ExplainArgs {
    /// Shows the plan, if that is wanted; whether it was.
    pub fn show(&self, query: &Query, session: &Session, output: &mut Output) -> Result<bool> {
        let Some(how) = self.explain else { return Ok(false) };
        let text = explanation(how, query, session)?;
        output.line(text.trim_end()).map(|()| true)
    }
}
