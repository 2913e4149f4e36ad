//! `kgq update`.

use super::answer::{AnswerArgs, write_graph};
use super::output::Output;
use super::progress::Progress;
use super::query::read_text;
use super::watchdog::Watchdog;
use kgq_engine::update::Change;
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{GraphName, Quad};
use kgq_syntax::text::{count, visible};

/// Run a SPARQL Update on the loaded graph and write the changed graph to a file
///
/// The files of a project are the truth and are never changed by an update: it is either shown (--dry-run) or written
/// as a whole graph to a file of its own (--output).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq update 'DELETE WHERE { ?s skos:altLabel ?o }' --dry-run")]
pub struct Args {
    /// The update's text
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Option<String>,
    /// Read the update from this file; `-` is standard input
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<String>,
    /// Show what would be added (+) and removed (-), and write nothing
    #[arg(long, conflicts_with = "output")]
    pub dry_run: bool,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if !args.dry_run && args.answer.output.is_none() {
        return Err(Error::policy(
            "an update would change nothing: the files are the truth, and kgq does not edit them",
        )
        .hint("`--dry-run` shows what it would add and remove; `--output FILE` writes the changed graph"));
    }
    args.answer.check(graph)?;
    let (name, text) = read_text(args.text.as_deref(), args.file.as_deref(), "update")?;
    let loading = Watchdog::of_loading(graph.options());
    let statements = graph.dataset()?.len();
    drop(loading);
    let _watchdog = Watchdog::start(&graph.options().limits);
    let change = graph.update(Source::new(&name, &text))?;
    if args.dry_run {
        show(&change, graph, output)?;
    } else {
        let changed = change.apply(graph.dataset()?);
        write_graph(changed.quads(), &args.answer, graph, &Progress::beside_result(output), output)?;
    }
    output.note(&format!(
        "{} added, {} removed, {} in all",
        change.added.len(),
        change.removed.len(),
        count((statements + change.added.len() - change.removed.len()) as u64, "statement", "statements")
    ));
    Ok(0)
}

fn show(change: &Change, graph: &Graph, output: &mut Output) -> Result<()> {
    let prefixes = graph.prefixes()?;
    let show = |quad: &Quad| {
        let cell = |term: &oxrdf::Term| kgq_graph::render::cell(term, prefixes);
        let graph = match &quad.graph_name {
            GraphName::DefaultGraph => String::new(),
            graph => format!("  in {}", visible(&graph.to_string())),
        };
        let subject = cell(&quad.subject.clone().into());
        let predicate = cell(&quad.predicate.clone().into());
        format!("{subject}  {predicate}  {}{graph}", cell(&quad.object))
    };
    for quad in &change.removed {
        output.line(&format!("- {}", show(quad)))?;
    }
    for quad in &change.added {
        output.line(&format!("+ {}", show(quad)))?;
    }
    Ok(())
}
