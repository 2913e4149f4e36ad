//! `--explain`: how a query is answered, instead of its answer.

use super::output::Output;
use kgq_engine as engine;
use kgq_engine::query::{self, Query};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::sparql;
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

/// How a query is answered, as text. `text` is the query's own.
pub fn explanation(how: Explain, text: &str, query: &Query, graph: &Graph) -> Result<String> {
    let prefixes = with_declared(graph.prefixes()?, text);
    let algebra = query::indented(&query.to_sse(), &prefixes);
    let options = graph.evaluation_options();
    let plan = engine::explain(graph.snapshot()?, query, &options, how == Explain::Analyze)?;
    let plan = query::with_curies(&plan, &prefixes);
    Ok(safe(&format!("Algebra\n{}\nPlan\n{plan}", algebra.trim_end())))
}

/// The prefixes with those that a query declares, which win.
fn with_declared(known: &Prefixes, text: &str) -> Prefixes {
    let mut prefixes = known.clone();
    for declaration in sparql::prefixes_declared(text, &sparql::tokenize(text)) {
        prefixes.insert(declaration.prefix, declaration.iri);
    }
    prefixes
}

fn safe(text: &str) -> String {
    text.lines().map(|line| visible(line).into_owned() + "\n").collect()
}

impl ExplainArgs {
    /// Shows the algebra of a text that is only parsed, if that is wanted; whether it was.
    ///
    /// # Errors
    /// Those of the text.
    pub fn show_parsed(&self, source: Source<'_>, graph: &Graph, output: &mut Output) -> Result<bool> {
        if self.explain != Some(Explain::Parse) {
            return Ok(false);
        }
        let (query, prefixes) = graph.parse_only(source)?;
        let algebra = query::indented(&query.to_sse(), &with_declared(&prefixes, source.text));
        output.line(safe(&algebra).trim_end()).map(|()| true)
    }

    /// Shows the plan, if that is wanted; whether it was.
    pub fn show(&self, text: &str, query: &Query, graph: &Graph, output: &mut Output) -> Result<bool> {
        let Some(how) = self.explain else { return Ok(false) };
        let text = explanation(how, text, query, graph)?;
        output.line(text.trim_end()).map(|()| true)
    }
}
