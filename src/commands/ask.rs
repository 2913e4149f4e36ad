//! What `kgq query` and `kgq run` share: the arguments on how a query is answered, and the answering itself.

use super::advice::{AdviceArgs, Adviser};
use super::answer::{AnswerArgs, write_answer};
use super::cite::{CiteArgs, Citing, write_cited_answer};
use super::explain::ExplainArgs;
use super::output::Output;
use super::watchdog::Watchdog;
use kgq_engine::Failures;
use kgq_engine::query::Query;
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Result, Source};
use std::time::Instant;

/// How a query is answered, and what is said beside the answer.
#[derive(Clone, Debug, clap::Args)]
pub struct AskArgs {
    #[command(flatten)]
    pub answer: AnswerArgs,
    #[command(flatten)]
    pub cite: CiteArgs,
    #[command(flatten)]
    pub advice: AdviceArgs,
    #[command(flatten)]
    pub explain: ExplainArgs,
    /// End with exit code 1 when ASK answers false
    #[arg(long)]
    pub exit_status: bool,
}

/// A query to be answered.
pub struct Asking<'a> {
    pub source: Source<'a>,
    /// As written, before parameters are bound; advice about the text is based on this.
    pub written: &'a Query,
    /// With the values of its parameters bound.
    pub query: &'a Query,
    /// When the work on it began.
    pub started: Instant,
    pub watchdog: Watchdog,
}

impl AskArgs {
    /// Answers a query, and returns the exit code.
    pub fn answer(&self, asking: Asking<'_>, graph: &Graph, output: &mut Output) -> Result<u8> {
        let Asking { source, written, query, started, watchdog } = asking;
        for (prefix, namespace) in graph.assumed_prefixes(source.text)? {
            output.note(&format!("`{prefix}:` is taken for <{namespace}>: no file declares it"));
        }
        if self.explain.show(source.text, query, graph, output)? {
            return Ok(0);
        }
        self.answer.check(graph)?;
        let adviser = Adviser::new(&self.advice, source, written);
        adviser.on_prefixes(graph, output)?;
        adviser.before(graph, output)?;
        let failures = Failures::default();
        let answer = graph.evaluate_counting(query, &failures)?;
        let result = if self.cite.cite {
            let citing = Citing { cite: &self.cite, answer: &self.answer, first: 1, started };
            write_cited_answer(answer, query, citing, graph, output)?
        } else {
            write_answer(answer, &self.answer, graph, output, started)?
        };
        drop(watchdog);
        adviser.on_failures(&failures, output)?;
        Adviser::new(&self.advice, source, query).after(result, started.elapsed(), graph, output)?;
        Ok(u8::from(self.exit_status && result.truth == Some(false)))
    }
}
