//! `kgq why`.

use super::cite::SourceArgs;
use super::output::Output;
use super::query::read_text;
use super::watchdog::Watchdog;
use crate::cli::complete;
use clap_complete::ArgValueCandidates;
use kgq_engine::query::Query;
use kgq_graph::catalog::Values;
use kgq_graph::graph::Graph;
use kgq_graph::request::why::{self, Explained, Part, Style};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{NamedNode, Term};
use rustc_hash::FxHashMap;
use std::path::Path;
use std::process::Command;

/// Show why an answer has a row: the statements that make it so, where each is written, and what it is cited from
///
/// The statements are a witness: over any part of the data that has them all, the query gives the row (its outermost ORDER BY, LIMIT and
/// OFFSET left out). Where the query counts nothing and nothing must be absent, none of them can be left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq why ministries --row 3
  kgq why tasks-of-sector sector=telecoms --row 1 --format markdown
  kgq why 'SELECT ?city { ?city a ou:Region }' --row 2 --blame")]
pub struct Args {
    /// A canned query's name, or a query's text
    #[arg(value_name = "QUERY", required_unless_present = "file", add = ArgValueCandidates::new(complete::queries))]
    pub query: Option<String>,
    /// Values for parameters of a canned query
    #[arg(value_name = "NAME=VALUE")]
    pub values: Vec<String>,
    /// Read the query from this file; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["query", "values"])]
    pub file: Option<String>,
    /// The number of the row, or of a CONSTRUCT's triple, from 1
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub row: usize,
    #[command(flatten)]
    pub shown: Shown,
}

/// How an explanation is shown.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Shown {
    /// How it is shown
    #[arg(long, short = 'F', value_enum, default_value_t, value_name = "FORMAT")]
    pub format: WhyFormat,
    /// Name the commit that wrote each statement's line last
    #[arg(long)]
    pub blame: bool,
    #[command(flatten)]
    pub sources: SourceArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum WhyFormat {
    /// For people
    #[default]
    Text,
    Markdown,
    /// JSON-LD in the words of PROV-O
    Json,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let query = asked(args, graph)?;
    let _watchdog = Watchdog::of_query(graph)?;
    let part = why::part(graph, &query, args.row)?;
    let text = explanation(graph, &query, part, &args.shown, output.colour)?;
    output.page(&text).map(|()| 0)
}

/// The query that the arguments name.
fn asked(args: &Args, graph: &Graph) -> Result<Query> {
    if let Some(name) = &args.query
        && graph.project().is_some()
        && !name.contains(['{', '?'])
    {
        let canned = graph.catalog()?.get(name)?;
        return graph.parse_canned(canned, &Values::parse(&args.values)?);
    }
    if !args.values.is_empty() {
        return Err(Error::usage("only canned queries have parameters"));
    }
    let (name, text) = read_text(args.query.as_deref(), args.file.as_deref(), "query")?;
    graph.parse(Source::new(&name, &text))
}

/// An explanation as the arguments want it.
pub fn explanation(graph: &Graph, query: &Query, part: Part, shown: &Shown, colour: bool) -> Result<String> {
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &shown.sources.source)?;
    let explained = why::explain(graph, query, part, &audit, &texts)?;
    if shown.format == WhyFormat::Json {
        return Ok(format!("{:#}", why::document(&explained)));
    }
    let labels = graph.labels_of(&shown_things(&explained.part))?;
    let authors = if shown.blame { authors(graph, &explained) } else { FxHashMap::default() };
    let style = Style {
        prefixes: graph.prefixes()?,
        labels: &labels,
        language: &graph.language(),
        markdown: shown.format == WhyFormat::Markdown,
        colour: colour && shown.format == WhyFormat::Text,
        authors: &authors,
    };
    Ok(why::text(&explained, style))
}

fn shown_things(part: &Part) -> Vec<NamedNode> {
    let Part::Row { row, .. } = part else { return Vec::new() };
    let things = row.iter().flatten().filter_map(|term| match term {
        Term::NamedNode(node) => Some(node.clone()),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    things.collect()
}

/// Who wrote each statement's line last, as git knows it.
fn authors(graph: &Graph, explained: &Explained) -> FxHashMap<usize, String> {
    let folder = graph.project().map_or(Path::new("."), |project| project.root.as_path());
    let mut found = FxHashMap::default();
    for (number, stated) in explained.statements.iter().enumerate() {
        let Some(place) = &stated.place else { continue };
        let lines = format!("{0},{0}", place.line);
        let git = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["blame", "--porcelain", "-L", &lines, "--"])
            .arg(&place.file)
            .output();
        let Some(told) = git.ok().filter(|git| git.status.success()) else { continue };
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let of = |key: &str| told.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        let commit = told.get(..8).unwrap_or_default();
        let (author, summary) = (of("author ").unwrap_or_default(), of("summary ").unwrap_or_default());
        found.insert(number, format!("({commit} {author}: {summary})"));
    }
    found
}
