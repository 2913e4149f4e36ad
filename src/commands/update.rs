//! `kgq update`.

use super::answer::{AnswerArgs, write_exported};
use super::editing::{self, EditArgs};
use super::output::Output;
use super::progress::Progress;
use super::query::read_text;
use super::watchdog::Watchdog;
use kgq_edit::Settings;
use kgq_engine::update::Change;
use kgq_graph::graph::{Graph, UpdateContext};
use kgq_graph::request::export::Exported;
use kgq_graph::request::unchanged::why_unchanged;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{GraphName, Quad};
use kgq_syntax::text::{count, visible};

/// Run a SPARQL Update on the loaded graph, and write what changes to the project's own files, or to another file
///
/// With --write the project's files change as a careful person would have changed them: a removed statement leaves its line, a new
/// one goes where its subject stands, else where members of its class stand, else to the file that kgq.toml names
/// below `[edit]`, as in `file = "data/new.ttl"`.
///
/// Comments stay, formatted files stay formatted, and all files change or none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq update 'DELETE WHERE { ?s skos:altLabel ?o }' --dry-run              the statements
  kgq update -f correction.ru --write --dry-run                            the difference of the files
  kgq update -f correction.ru --write --check --commit -m 'Correct a name'")]
pub struct Args {
    /// The update's text
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Option<String>,
    /// Read the update from this file; `-` is standard input
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<String>,
    /// Show what would be added (+) and removed (-), or with --write the difference of the files, and write nothing
    #[arg(long, conflicts_with = "output")]
    pub dry_run: bool,
    /// Change the project's files
    #[arg(long, conflicts_with = "output")]
    pub write: bool,
    #[command(flatten, next_help_heading = "With --write")]
    pub edit: EditArgs,
    #[command(flatten)]
    pub answer: AnswerArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if args.write {
        return write(args, graph, output);
    }
    if args.edit.check || args.edit.commit || args.edit.rewrite {
        return Err(
            Error::usage("`--check`, `--commit` and `--rewrite` are for changes of the files").hint("add `--write`")
        );
    }
    if !args.dry_run && args.answer.output.is_none() {
        return Err(Error::policy("say where the changes should go").hint(
            "`--write` changes the project's files, `--dry-run` shows what is added and removed, `--output FILE` writes the changed graph",
        ));
    }
    args.answer.check(graph)?;
    let (name, text) = read_text(args.text.as_deref(), args.file.as_deref(), "update")?;
    let loading = Watchdog::of_loading(graph.options());
    let statements = graph.snapshot()?.len();
    drop(loading);
    let _watchdog = Watchdog::start(&graph.options().limits);
    let change = graph.update(Source::new(&name, &text))?;
    if args.dry_run {
        show(&change, graph, output)?;
    } else {
        let changed = Exported::changed(graph, &change, &graph.budget_of(Work::Export))?;
        write_exported(&changed, &args.answer, graph, &Progress::beside_result(output), output)?;
    }
    note(&change, statements, output);
    explain(graph, Source::new(&name, &text), &change, output)?;
    Ok(0)
}

/// Changes the project's files.
fn write(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let (name, text) = read_text(args.text.as_deref(), args.file.as_deref(), "update")?;
    let loading = Watchdog::of_loading(graph.options());
    let writer = editing::open(graph, args.dry_run, output)?;
    drop(loading);
    let _watchdog = Watchdog::start(&graph.options().limits);
    let change = kgq_edit::update(&writer.graph, &writer.files, Source::new(&name, &text))?;
    let settings = Settings::of_update(&text, args.edit.rewrite);
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &change, &settings)?;
    let statements = writer.files.snapshot(&writer.graph)?.len();
    let code = args.edit.carry_out(&writer, &edit, args.dry_run, output)?;
    // Others may write while the update is explained, by the statements before it.
    writer.graph.snapshot()?;
    let before = writer.graph.clone();
    drop(writer);
    if code == 0 {
        note(&change, statements, output);
        explain(&before, Source::new(&name, &text), &change, output)?;
    }
    Ok(code)
}

/// Says why nothing was changed, or what was to be deleted and is not there.
fn explain(graph: &Graph, source: Source<'_>, change: &Change, output: &mut Output) -> Result<()> {
    if output.quiet {
        return Ok(());
    }
    for finding in why_unchanged(graph, source, &UpdateContext::default(), change)? {
        output.warn(&finding.error.as_warning());
    }
    Ok(())
}

fn note(change: &Change, statements: usize, output: &mut Output) {
    output.note(&format!(
        "{} added, {} removed, {} in all",
        change.added.len(),
        change.removed.len(),
        count((statements + change.added.len() - change.removed.len()) as u64, "statement", "statements")
    ));
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
