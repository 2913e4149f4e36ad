//! `kgq why-not`.

use super::asked::{Asked, AskedArgs};
use super::output::Output;
use super::watchdog::Watchdog;
use super::why::{Shown, WhyFormat};
use kgq_engine::query::Query;
use kgq_engine::query::expected::Expectation;
use kgq_graph::catalog::{CannedQuery, Values};
use kgq_graph::graph::Graph;
use kgq_graph::request::why::Style;
use kgq_graph::request::why_not::{Request, document, expectation, text, why_not};
use kgq_syntax::error::{Error, Result, Source};
use rustc_hash::FxHashMap;

/// Show why an answer has no such row: the condition that removes it, and the statement that would have let it pass
///
/// NAME=VALUE is a value of a parameter where the query has one of that name, else what the missing row has in that column: a CURIE, an
/// IRI, a label or a text; nothing behind the `=` is no value. Where the answer is empty, or an ASK is false, nothing need be named. Where
/// the project has statements on what its sources do not say, they are told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq why-not ministries ministry=Education
  kgq why-not tasks-of-sector sector=telecoms --expect task=task:cloud
  kgq why-not 'ASK { region:hainan ou:approvedIn ?when }'")]
pub struct Args {
    #[command(flatten)]
    pub asked: AskedArgs,
    /// What the missing row has in this column, even where a parameter has the same name; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub expect: Vec<String>,
    #[command(flatten)]
    pub shown: Shown,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let _watchdog = Watchdog::of_query(graph)?;
    let mut expected = columns(graph, &args.expect)?;
    let AskedArgs { query, values, file } = &args.asked;
    // A name that is no parameter is a column.
    let alone = AskedArgs { query: query.clone(), values: Vec::new(), file: file.clone() };
    let told = match alone.read(graph)? {
        Asked::Canned(canned, _) => {
            let (parameters, others) = divided(canned, values)?;
            expected.extend(columns(graph, &others)?);
            let query = graph.parse_canned(canned, &Values::parse(&parameters)?)?;
            explanation(graph, canned.source(), &query, expected, &args.shown, output.colour)?
        }
        Asked::Written { name, text } => {
            expected.extend(columns(graph, values)?);
            let source = Source::new(&name, &text);
            explanation(graph, source, &graph.parse(source)?, expected, &args.shown, output.colour)?
        }
    };
    output.page(&told).map(|()| 0)
}

/// Separates the values of parameters from those of columns.
fn divided(canned: &CannedQuery, values: &[String]) -> Result<(Vec<String>, Vec<String>)> {
    let is_parameter = |value: &&String| {
        let name = value.split_once('=').map_or(value.as_str(), |(name, _)| name);
        canned.header.params.contains_key(name.trim_start_matches(['$', '?']))
    };
    let (parameters, others): (Vec<_>, Vec<_>) = values.iter().partition(is_parameter);
    Ok((parameters.into_iter().cloned().collect(), others.into_iter().cloned().collect()))
}

/// Parses the expected values of columns, each written NAME=VALUE.
///
/// # Errors
/// A word in another form.
pub fn columns(graph: &Graph, words: &[String]) -> Result<Vec<Expectation>> {
    let read = |word: &String| {
        let parts = word.split_once('=');
        let (name, value) =
            parts.ok_or_else(|| Error::usage(format!("`{word}` names no column: write it NAME=VALUE")))?;
        expectation(graph, name, value)
    };
    words.iter().map(read).collect()
}

/// The reason, in the form that the arguments request.
///
/// # Errors
/// Those of evaluation.
pub fn explanation(
    graph: &Graph,
    source: Source<'_>,
    query: &Query,
    expected: Vec<Expectation>,
    shown: &Shown,
    colour: bool,
) -> Result<String> {
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &shown.sources.source)?;
    let found = why_not(graph, Request { source, query, expected }, &audit, &texts)?;
    if shown.format == WhyFormat::Json {
        return Ok(format!("{:#}", document(&found)));
    }
    let labels = graph.labels_of(&[])?;
    let authors = if shown.blame { super::why::authors(graph, &found.statements) } else { FxHashMap::default() };
    let style = Style {
        prefixes: graph.prefixes()?,
        labels: &labels,
        language: &graph.language(),
        markdown: shown.format == WhyFormat::Markdown,
        colour: colour && shown.format == WhyFormat::Text,
        authors: &authors,
    };
    Ok(text(&found, style))
}
