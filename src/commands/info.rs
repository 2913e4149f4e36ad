//! `kgq info`.

use super::output::Output;
use super::queries::ListFormat;
use kgq_graph::graph::Graph;
use kgq_graph::request::overview::{Counts, HASHED, Overview, overview};
use kgq_syntax::error::Result;
use kgq_syntax::text::{count, thousands, visible, width};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Show the project at a glance: files, graphs, classes and properties with counts, prefixes, canned queries
///
/// A statement counts once, however often the files have it. Of graphs, classes, properties and prefixes the first are shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show all, not the largest only
    #[arg(long)]
    pub all: bool,
    /// How it is shown; json has all
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    format: ListFormat,
}

/// The number of table rows that are shown.
const SHOWN: usize = 20;
const MOST_PREFIXES: usize = 60;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let overview = overview(graph)?;
    match args.format {
        ListFormat::Text => write_text(overview, args.all, output)?,
        ListFormat::Json => output.line(&format!("{:#}", to_json(&overview)))?,
    }
    if let Some(project) = graph.project() {
        let unloaded = project.remark_on_unloaded(&project.files()?);
        unloaded.into_iter().for_each(|remark| output.warn(&remark.as_warning()));
        for (_, error) in &graph.catalog()?.broken {
            output.warn(error);
        }
    }
    Ok(0)
}

fn write_text(overview: Overview, all: bool, output: &mut Output) -> Result<()> {
    let (bold, reset) = if output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    if let Some(title) = &overview.title {
        output.line(&format!("{bold}{}{reset}", visible(title)))?;
    }
    let statements = count(overview.statements as u64, "statement", "statements");
    output.line(&format!("{statements} in {}", overview.origin))?;
    output.line(&match &overview.hash {
        Some(Ok(hash)) => format!("canonical hash (RDFC-1.0) sha256:{hash}"),
        Some(Err(error)) => format!("no canonical hash: {}", error.message()),
        None => format!(
            "no canonical hash of more than {} statements: `kgq export --canonical` makes one",
            thousands(HASHED as u64)
        ),
    })?;
    let most = if all { usize::MAX } else { SHOWN };
    for (title, counts) in
        [("Graphs", overview.graphs), ("Classes", overview.classes), ("Properties", overview.properties)]
    {
        table(title, counts, most, (bold, reset), output)?;
    }
    output.line(&format!("\n{bold}Prefixes{reset}"))?;
    let widest = overview.prefixes.iter().map(|(prefix, _)| width(prefix)).max().unwrap_or(0);
    // A project declares its own prefixes; hundreds of them only come from files.
    let most_prefixes = if all { usize::MAX } else { MOST_PREFIXES };
    for (prefix, namespace) in overview.prefixes.iter().take(most_prefixes) {
        output.line(&format!("  {}{prefix}:  {}", " ".repeat(widest - width(prefix)), visible(namespace)))?;
        for contested in overview.contested.iter().filter(|contested| contested.prefix == *prefix) {
            let (file, other) = (visible(&contested.file), visible(&contested.other));
            let blank = " ".repeat(widest + 5);
            output.line(&format!("{blank}as in {file}; in {} it is {other}", visible(&contested.other_file)))?;
        }
    }
    more(overview.prefixes.len(), most_prefixes, output)?;
    if let Some((asked, checks)) = overview.queries {
        let (asked, checks) = (count(asked, "canned query", "canned queries"), count(checks, "check", "checks"));
        output.line(&format!("\n{asked}, {checks}: `kgq queries` lists them"))?;
    }
    Ok(())
}

fn to_json(overview: &Overview) -> Value {
    let hash = overview.hash.as_ref().and_then(|hash| Some(format!("sha256:{}", hash.as_ref().ok()?)));
    json!({
        "title": overview.title,
        "source": overview.origin,
        "statements": overview.statements,
        "canonical-hash": hash,
        "graphs": overview.graphs,
        "classes": overview.classes,
        "properties": overview.properties,
        "prefixes": overview.prefixes.iter().cloned().collect::<BTreeMap<_, _>>(),
        "queries": overview.queries.map(|(asked, _)| asked),
        "checks": overview.queries.map(|(_, checks)| checks),
    })
}

/// Prints names with their counts, the largest first.
fn table(title: &str, counts: Counts, most: usize, (bold, reset): (&str, &str), output: &mut Output) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{bold}{title}{reset}"))?;
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let widest = rows.iter().map(|(_, n)| thousands(*n).len()).max().unwrap_or(0);
    for (name, n) in rows.iter().take(most) {
        output.line(&format!("  {:>widest$}  {}", thousands(*n), visible(name)))?;
    }
    more(rows.len(), most, output)
}

/// Prints how many there are beyond those shown.
fn more(all: usize, shown: usize, output: &mut Output) -> Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        rest => output.line(&format!("  … and {} more: `kgq info --all` shows them", thousands(rest as u64))),
    }
}
