//! `kgq publish`.

mod history;

use super::output::Output;
use super::progress::Progress;
use super::watchdog::Watchdog;
use kgq_graph::audit::{Audit, RowSources};
use kgq_graph::catalog::{Labels, ParamKind};
use kgq_graph::export::rebase::Rebase;
use kgq_graph::graph::Graph;
use kgq_graph::request::history::last_changes;
use kgq_site::{self as site, NoAnswer, PublishedAnswer, PublishedQuery, Report, Source, standalone};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Prefixes, Quad};
use kgq_syntax::text::{count, thousands};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    let base = graph.base().map(str::to_owned).ok_or_else(|| {
        Error::usage("it is not known which IRIs are the graph's own, to have pages")
            .hint("set `base` in kgq.toml, or say `--base IRI`")
    })?;
    // Before the work, which may take long.
    site::resume(&args.output)?;
    let settings = graph.project().map(|p| p.manifest.clone());
    let language = args.language.clone().unwrap_or_else(|| graph.language());
    let assets = args.assets.as_deref().map(read_assets).transpose()?.unwrap_or_default();
    let _watchdog = Watchdog::start(&graph.options().asked_limits);
    let progress = Progress::start(output);
    let mut left_out = LeftOut::default();
    let whole;
    let graph = if args.strict {
        graph
    } else {
        (whole, left_out.files) = graph.leaving_out_broken(Some(&|name, quads| progress.read(name, quads)))?;
        &whole
    };
    graph.read(Some(&|name, quads| progress.read(name, quads)))?;
    progress.say(|| "asking git for the last changes".into());
    let mut changed = match graph.project() {
        Some(project) => last_changes(project, &base, &|file| history::line_times(&project.root, file)),
        None => FxHashMap::default(),
    };
    let audit = Arc::new(graph.audit()?);
    let mut queries = Vec::new();
    if graph.project().is_some() {
        let catalog = graph.catalog()?;
        left_out.queries = catalog.broken.iter().map(|(_, error)| error.clone()).collect();
        for (number, canned) in catalog.queries.iter().enumerate() {
            progress.say(|| format!("answering {} ({} of {})", canned.name, number + 1, catalog.queries.len()));
            match site::published(graph, &audit, canned) {
                Ok(query) => {
                    if let PublishedAnswer::None(NoAnswer::Failed(why)) = query.answer.get() {
                        left_out.answers.push(why.clone());
                    }
                    queries.push(query);
                }
                Err(error) => left_out.queries.push(error),
            }
        }
        if let Some(error) =
            Error::all(left_out.queries.iter().chain(&left_out.answers).cloned()).filter(|_| args.strict)
        {
            return Err(error);
        }
    }
    let mut prefixes = graph.prefixes()?.clone();
    let mut base = base;
    let rebased: Vec<Quad>;
    let mut quads = graph.dataset()?.quads();
    progress.say(|| "drawing conclusions".into());
    let mut inferred = graph.infer(graph.entailment(), &graph.budget_of(Work::Export))?.quads;
    if let Some(rebase) = &args.rebase {
        rebased = quads.iter().map(|quad| rebase.quad(quad)).collect();
        quads = &rebased;
        inferred = inferred.iter().map(|quad| rebase.quad(quad)).collect();
        prefixes = rebase.prefixes(&prefixes);
        base = rebase.iri(&base);
        changed = changed.into_iter().map(|(iri, day)| (rebase.iri(&iri), day)).collect();
        for query in &mut queries {
            rebase_query(query, rebase);
        }
    }
    let labels = Labels::of(quads);
    let citations = settings.as_ref().map(|m| m.citations.clone()).unwrap_or_default();
    let name = settings.as_ref().map_or("graph", |m| m.name.as_str());
    let source = Source {
        name,
        title: settings.as_ref().and_then(|m| m.title.as_deref()).unwrap_or(name),
        base: &base,
        quads,
        inferred: &inferred,
        entailment: graph.entailment(),
        prefixes: &prefixes,
        labels: &labels,
        audit: Arc::new(Audit::new(quads, &citations, &prefixes)),
        queries,
        changed,
        base_url: args.base_url.as_deref(),
        endpoint: args.endpoint.as_deref(),
        assets,
        served: false,
    };
    progress.say(|| "writing the dumps".into());
    let files = |done: u64, all: u64| progress.say(|| format!("{} of {} files", thousands(done), thousands(all)));
    let unfinished = super::unfinished();
    let report = site::publish(source, &language, args.strict, &args.output, unfinished, &files)?;
    drop(progress);
    say(&report, &left_out, args, output);
    if !report.undescribed.is_empty() {
        output.note(&undescribed(&report.undescribed, &prefixes));
    }
    Ok(0)
}

/// What could not be published, with the reasons.
#[derive(Default)]
struct LeftOut {
    files: Vec<Error>,
    queries: Vec<Error>,
    /// Of queries that stand on the site without an answer.
    answers: Vec<Error>,
}

/// How many names stand for all in a message.
const NAMED: usize = 5;

/// The count of what is named and not described, with the first few.
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

fn say(report: &Report, left_out: &LeftOut, args: &Args, output: &mut Output) {
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
}

fn rebase_query(query: &mut PublishedQuery<'_>, rebase: &Rebase) {
    query.text = standalone::rebase(&query.text, &rebase.old, &rebase.new);
    query.bound = standalone::rebase(&query.bound, &rebase.old, &rebase.new);
    query.names.iter_mut().for_each(|node| *node = rebase.node(node));
    for param in &mut query.params {
        if let ParamKind::MemberOf(class) = &mut param.kind {
            *class = rebase.node(class);
        }
    }
    let Some(answer) = query.answer.get_mut() else { return };
    match answer {
        PublishedAnswer::Table { rows, sources, .. } => {
            for term in rows.iter_mut().flatten().flatten() {
                *term = rebase.term(term);
            }
            sources.iter_mut().for_each(|source| rebase_sources(source, rebase));
        }
        PublishedAnswer::Graph(triples) => triples.iter_mut().for_each(|triple| *triple = rebase.triple(triple)),
        PublishedAnswer::Truth(_) | PublishedAnswer::None(_) => {}
    }
}

fn rebase_sources(sources: &mut RowSources, rebase: &Rebase) {
    sources.triples.iter_mut().chain(&mut sources.uncited).for_each(|triple| *triple = rebase.triple(triple));
    sources.citations.iter_mut().for_each(|node| *node = rebase.node(node));
    for statement in &mut sources.statements {
        statement.reifier = rebase.subject(&statement.reifier);
        statement.triple = rebase.triple(&statement.triple);
        statement.citations.iter_mut().for_each(|node| *node = rebase.node(node));
        statement.grounds.iter_mut().for_each(|ground| *ground = rebase.subject(ground));
    }
}

/// The built files of the query page: those of the folder, or of `dist` in it.
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
