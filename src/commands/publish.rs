//! `kgq publish`.

mod history;

use super::output::Output;
use super::progress::Progress;
use super::watchdog::Watchdog;
use kgq_graph::export::rebase::Rebase;
use kgq_graph::graph::Graph;
use kgq_site::{self as site, Published, Request, Stage};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Prefixes};
use kgq_syntax::text::{count, thousands};
use std::path::{Path, PathBuf};

/// Make a site of the graph: a page for every thing, the answers of the canned queries, search, dumps, metadata
///
/// Whatever has an IRI below the project's `base` gets a page, with the same as Turtle, JSON-LD and N-Triples beside it; what is named
/// there and not described has a page that says so and where it is named, and a named graph one with its statements. The pages need no
/// server; `hosting/` in the folder has recipes for those there are. A second run writes only what changed, and the new site takes the
/// place of the old one when it is whole. What follows from the graph by the rules that kgq.toml names below `[infer]` (those of RDFS
/// without it) has dumps of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq publish --output site
  kgq publish --output site --base-url https://data.example.org/ --assets site-assets
  kgq publish --output site --rebase https://opening-up.example/=https://w3id.org/opening-up/

The page in which queries run in the browser needs assets: `npm ci` in the folder site/ of kgq's source makes them, and
`--assets site/dist` puts them in.")]
pub struct Args {
    /// The folder: one that is empty, new, or made by `kgq publish`
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// Where the pages will stand, if not at the IRIs themselves
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    pub base_url: Option<String>,
    /// Rewrite IRIs that begin with OLD to begin with NEW
    #[arg(long, value_name = "OLD=NEW", value_parser = parse_rebase)]
    pub rebase: Option<Rebase>,
    /// The built assets of the query page
    #[arg(long, value_name = "DIR")]
    pub assets: Option<PathBuf>,
    /// A SPARQL endpoint that serves the same graph, for the descriptions
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    pub endpoint: Option<String>,
    /// The language of titles [default: the first of `languages` in kgq.toml, or en]
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// Refuse a graph that names below its base what it does not describe, a file or a query that cannot be read, a query without an
    /// answer; without it they get a page that says so or are left out, and are counted
    #[arg(long)]
    pub strict: bool,
}

fn parse_url(text: &str) -> Result<String, String> {
    let web = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    match NamedNode::new(text) {
        Ok(_) if web => Ok(text.to_owned()),
        _ => Err("must be an http or https address".into()),
    }
}

fn parse_rebase(text: &str) -> Result<Rebase, String> {
    Rebase::parse(text).map_err(|e| e.message().to_owned())
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let assets = args.assets.as_deref().map(read_assets).transpose()?.unwrap_or_default();
    let _watchdog = Watchdog::start(&graph.options().asked_limits);
    let progress = Progress::start(output);
    let request = Request {
        output: &args.output,
        language: args.language.as_deref(),
        strict: args.strict,
        rebase: args.rebase.as_ref(),
        base_url: args.base_url.as_deref(),
        endpoint: args.endpoint.as_deref(),
        assets,
        line_times: &history::line_times,
        unfinished: super::unfinished(),
    };
    let published = site::publish(graph, request, &|stage| show(&progress, stage))?;
    drop(progress);
    say(&published, args, output);
    Ok(0)
}

fn show(progress: &Progress, stage: Stage<'_>) {
    match stage {
        Stage::Reading { file, quads } => progress.read(file, quads),
        Stage::History => progress.say(|| "asking git for the last changes".into()),
        Stage::Answering { query, number, of } => progress.say(|| format!("answering {query} ({number} of {of})")),
        Stage::Conclusions => progress.say(|| "drawing conclusions".into()),
        Stage::Dumps => progress.say(|| "writing the dumps".into()),
        Stage::Files { done, of } => progress.say(|| format!("{} of {} files", thousands(done), thousands(of))),
    }
}

/// The number of names that a message lists.
const NAMED: usize = 5;

/// The number of nodes that are named but not described, with the first few.
fn undescribed(nodes: &[NamedNode], prefixes: &Prefixes) -> String {
    let first: Vec<String> = nodes.iter().take(NAMED).map(|node| prefixes.display(node.as_str())).collect();
    let more = nodes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {} more", thousands(more as u64)) } else { String::new() };
    let (are, have, them) = match nodes.len() {
        1 => ("is", "has a page that says so", "it"),
        _ => ("are", "have pages that say so", "them"),
    };
    format!(
        "{} {are} named and not described, and {have}: {}{more}; `--strict` refuses {them}",
        count(nodes.len() as u64, "thing", "things"),
        first.join(", "),
    )
}

fn say(published: &Published, args: &Args, output: &mut Output) {
    let Published { report, left_out, prefixes } = published;
    let changes = report.changes;
    output.note(&format!(
        "{} of {} and {} in {}: {} written, {} unchanged, {} removed",
        count(report.pages, "page", "pages"),
        count(report.things, "thing", "things"),
        count(report.queries, "query", "queries"),
        args.output.display(),
        count(changes.written, "file", "files"),
        thousands(changes.unchanged),
        thousands(changes.removed),
    ));
    if args.assets.is_none() {
        output.note("without the page of queries, which needs `--assets`; see `kgq publish --help`");
    }
    for (errors, what) in [
        (&left_out.files, ("file could not be read and is left out", "files could not be read and are left out")),
        (&left_out.queries, ("query could not be read and is left out", "queries could not be read and are left out")),
        (&left_out.answers, ("query stands without an answer", "queries stand without an answer")),
    ] {
        if !errors.is_empty() {
            errors.iter().for_each(|error| output.warn(error));
            output.note(&format!("{}; `--strict` refuses that", count(errors.len() as u64, what.0, what.1)));
        }
    }
    if !report.undescribed.is_empty() {
        output.note(&undescribed(&report.undescribed, prefixes));
    }
}

/// Reads the built files of the query page from the folder, or from `dist` in it.
fn read_assets(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let built = folder.join("dist");
    let folder = if built.is_dir() { built } else { folder.to_owned() };
    let entries = std::fs::read_dir(&folder).map_err(|e| Error::io(folder.display(), &e))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(folder.display(), &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && !name.starts_with('.');
        if plain && entry.path().is_file() {
            files.push((name, std::fs::read(entry.path()).map_err(|e| Error::io(entry.path().display(), &e))?));
        }
    }
    files.sort();
    if !files.iter().any(|(name, _)| name == "ask.js") {
        return Err(Error::input(format!("{} has no ask.js, so it holds no built assets", folder.display()))
            .hint("`npm ci` in the folder site/ of kgq's source builds them into site/dist"));
    }
    Ok(files)
}
