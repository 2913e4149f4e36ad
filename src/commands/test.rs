//! `kgq test`.

use super::output::Output;
use super::replace::{self, Replaced};
use kgq_graph::answers::{Coverage, FOLDER, Tested, coverage, first_case};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, visible};
use std::collections::BTreeSet;
use std::path::Path;

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
    let project = graph.require_project()?;
    let (catalog, prefixes) = (graph.catalog()?, graph.prefixes()?);
    let filter = args.filter.as_deref();
    let mut answer = |query: &_, values: &_| graph.outcome(query, values);
    let (tested, cases) =
        kgq_graph::answers::run(project, catalog, prefixes, filter, &mut answer, &graph.loading_budget())?;
    let (mut failed, mut accepted) = (0, Vec::new());
    for case in &tested {
        let Some(failure) = &case.failure else { continue };
        match (&case.accepted, args.accept) {
            (Some((path, text)), true) => {
                let file = Replaced::now(path.clone(), text.clone().into_bytes())?;
                accepted.push((case.file.clone(), file));
            }
            _ => {
                failed += 1;
                tell(case, failure, output)?;
            }
        }
    }
    let passed = tested.len() - tested.iter().filter(|case| case.failure.is_some()).count();
    let mut coverage =
        coverage(catalog, &cases, graph.parse_context()?, graph.snapshot()?, project.manifest.base.as_deref());
    graph.intact()?;
    if args.accept {
        let wanted = |name: &&String| filter.is_none_or(|filter| name.contains(filter));
        let mut written = BTreeSet::new();
        for name in coverage.queries.iter().filter(wanted) {
            let query = catalog.get(name)?;
            // A query with a required parameter cannot be answered without it: a person must write its case.
            if query.header.params.values().any(|param| param.required) {
                continue;
            }
            match first_case(project, query, prefixes, &mut answer) {
                Ok((path, text)) => {
                    accepted.push((project.display_path(&path), Replaced::now(path, text.into_bytes())?));
                    written.insert(name.clone());
                }
                Err(error) => {
                    failed += 1;
                    let failure: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
                    let file = query.file.clone();
                    tell(&Tested { name: name.clone(), file, failure: None, accepted: None }, &failure, output)?;
                }
            }
        }
        coverage.queries.retain(|name| !written.contains(name));
    }
    accept(accepted, &project.root, output)?;
    if filter.is_none() {
        list_uncovered(&coverage, graph, output)?;
    }
    output.line(&format!("{} passed, {failed} failed", count(passed as u64, "answer", "answers")))?;
    Ok(u8::from(failed > 0))
}

fn tell(case: &Tested, failure: &[String], output: &mut Output) -> Result<()> {
    let (red, reset) = if output.colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut lines = failure.iter();
    let first = lines.next().map_or("", String::as_str);
    output.line(&format!("{red}failed{reset} {}: {}", visible(&case.name), visible(first)))?;
    for line in lines {
        output.line(&format!("  {}", visible(line)))?;
    }
    output.line(&format!("  in {}", visible(&case.file)))
}

/// Writes the accepted answers, all or none.
fn accept(accepted: Vec<(String, Replaced)>, root: &Path, output: &mut Output) -> Result<()> {
    if accepted.is_empty() {
        return Ok(());
    }
    let lock = replace::lock(root, output)?;
    let (names, files): (Vec<String>, Vec<Replaced>) = accepted.into_iter().unzip();
    replace::replace(Some(&lock), files)?;
    names.iter().try_for_each(|name| output.line(&format!("accepted {}", visible(name))))
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
