//! `kgq why`.

use super::asked::AskedArgs;
use super::cite::SourceArgs;
use super::output::Output;
use super::watchdog::Watchdog;
use crate::git;
use kgq_engine::query::Query;
use kgq_graph::graph::Graph;
use kgq_graph::request::why::{self, AnswerPart, Stated, Style};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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
    #[command(flatten)]
    pub asked: AskedArgs,
    /// The number of the row, or of a CONSTRUCT's triple, from 1
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub row: usize,
    /// Show so many ways to the row, and how many there are, counted up to 1,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub ways: Option<u16>,
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
    let query = args.asked.query(graph)?;
    let _watchdog = Watchdog::of_query(graph)?;
    let part = why::part(graph, &query, args.row)?;
    let ways = args.ways.map(usize::from);
    let text = explanation(graph, &query, part, ways, &args.shown, output.colour)?;
    output.page(&text).map(|()| 0)
}

/// The explanation of a row, in the form that the arguments request.
pub fn explanation(
    graph: &Graph,
    query: &Query,
    part: AnswerPart,
    ways: Option<usize>,
    shown: &Shown,
    colour: bool,
) -> Result<String> {
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &shown.sources.source)?;
    let things = shown_things(&part);
    let (explained, all) = match ways {
        Some(ways) => why::explain_ways(graph, query, &part, ways, &audit, &texts)?,
        None => (vec![why::explain(graph, query, part, &audit, &texts)?], 1),
    };
    if shown.format == WhyFormat::Json {
        let documents: Vec<_> = explained.iter().map(why::document).collect();
        return Ok(match (ways, documents.as_slice()) {
            (None, [document]) => format!("{document:#}"),
            _ => format!("{:#}", serde_json::json!({ "ways": all, "shown": documents })),
        });
    }
    let labels = graph.labels_of(&things)?;
    let style = Style {
        prefixes: graph.prefixes()?,
        labels: &labels,
        language: &graph.language(),
        markdown: shown.format == WhyFormat::Markdown,
        colour: colour && shown.format == WhyFormat::Text,
        authors: &FxHashMap::default(),
    };
    let mut told = String::new();
    for (number, explained) in explained.iter().enumerate() {
        let authors = if shown.blame { authors(graph, &explained.statements) } else { FxHashMap::default() };
        if ways.is_some() {
            told.push_str(&why::way_heading(number + 1, all, style));
        }
        told.push_str(&why::text(explained, Style { authors: &authors, ..style }));
    }
    Ok(told)
}

fn shown_things(part: &AnswerPart) -> Vec<NamedNode> {
    let AnswerPart::Row { row, .. } = part else { return Vec::new() };
    let things = row.iter().flatten().filter_map(|term| match term {
        Term::NamedNode(node) => Some(node.clone()),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    things.collect()
}

/// The last author of each statement's line according to git, which is called once per file.
pub fn authors(graph: &Graph, statements: &[Stated]) -> FxHashMap<usize, String> {
    let folder = graph.project().map_or(Path::new("."), |project| project.root.as_path());
    let mut lines: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for place in statements.iter().filter_map(|stated| stated.place.as_ref()) {
        lines.entry(&place.file).or_default().insert(place.line);
    }
    let known: BTreeMap<&str, FxHashMap<usize, String>> =
        lines.into_iter().map(|(file, lines)| (file, blame(folder, file, &lines))).collect();
    let author = |(number, stated): (usize, &Stated)| {
        let place = stated.place.as_ref()?;
        Some((number, known.get(place.file.as_str())?.get(&place.line)?.clone()))
    };
    statements.iter().enumerate().filter_map(author).collect()
}

/// The last author of these lines of a file, by line number; empty if git does not know.
fn blame(folder: &Path, file: &str, lines: &BTreeSet<usize>) -> FxHashMap<usize, String> {
    let told = git::blame(folder, Path::new(file), lines.iter().copied()).unwrap_or_default();
    let mut found = FxHashMap::default();
    let (mut commit, mut number, mut author, mut summary) = ("", 0, "", "");
    for line in told.lines() {
        if line.starts_with('\t') {
            // The line's own text ends its record.
            found.insert(number, format!("({commit} {author}: {summary})"));
        } else if let Some(name) = line.strip_prefix("author ") {
            author = name;
        } else if let Some(text) = line.strip_prefix("summary ") {
            summary = text;
        } else if let [hash, _, now, ..] = line.split(' ').collect::<Vec<_>>().as_slice()
            && hash.len() >= 40
            && let Ok(now) = now.parse()
        {
            (commit, number) = (hash.get(..8).unwrap_or_default(), now);
        }
    }
    found
}
