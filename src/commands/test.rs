//! `kgq test`.

use super::editing::lock;
use super::output::Output;
use kgq_graph::answers::{Coverage, FOLDER};
use kgq_graph::graph::Graph;
use kgq_graph::request::replace::{Replaced, replace};
use kgq_graph::request::test::{FailedCase, Request, test};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, visible};

/// Run the canned queries against the answers expected of them, in tests/answers
///
/// Rows are compared in any order, except where ORDER BY fixes it; blank nodes by what is said of them; numbers by value. The first
/// line of a failure names the row and the cell. Lists the queries without a test, and the terms that nothing touches.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write what the queries answer now as what is expected; refused where CI is set
    #[arg(long)]
    pub accept: bool,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if args.accept && std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false") {
        return Err(Error::policy("--accept is refused where CI is set: an expected answer is for a person to accept"));
    }
    let tested = test(graph, Request { filter: args.filter.as_deref(), accept: args.accept })?;
    tested.failures.iter().try_for_each(|failure| tell(failure, output))?;
    accept(tested.accepted, graph, output)?;
    if args.filter.is_none() {
        list_uncovered(&tested.coverage, graph, output)?;
    }
    let (passed, failed) = (count(tested.passed as u64, "answer", "answers"), tested.failures.len());
    output.line(&format!("{passed} passed, {failed} failed"))?;
    Ok(u8::from(failed > 0))
}

fn tell(failure: &FailedCase, output: &mut Output) -> Result<()> {
    let (red, reset) = if output.colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut lines = failure.lines.iter();
    let first = lines.next().map_or("", String::as_str);
    output.line(&format!("{red}failed{reset} {}: {}", visible(&failure.name), visible(first)))?;
    for line in lines {
        output.line(&format!("  {}", visible(line)))?;
    }
    output.line(&format!("  in {}", visible(&failure.file)))
}

/// Writes the accepted answers, all or none.
fn accept(accepted: Vec<Replaced>, graph: &Graph, output: &mut Output) -> Result<()> {
    if accepted.is_empty() {
        return Ok(());
    }
    let lock = lock(&graph.require_project()?.root, output)?;
    let names: Vec<String> = accepted.iter().map(|file| visible(&file.name).into_owned()).collect();
    replace(Some(&lock), accepted, &graph.options().unfinished)?;
    drop(lock);
    names.iter().try_for_each(|name| output.line(&format!("accepted {name}")))
}

fn list_uncovered(coverage: &Coverage, graph: &Graph, output: &mut Output) -> Result<()> {
    for name in &coverage.queries {
        output.line(&format!("no answer is expected of {} in {FOLDER}", visible(name)))?;
    }
    let prefixes = graph.prefixes()?;
    for term in &coverage.terms {
        output.line(&format!("no query or answer touches {}", visible(&prefixes.display(term.as_str()))))?;
    }
    Ok(())
}
