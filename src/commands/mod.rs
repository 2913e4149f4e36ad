//! The commands, one file each: its arguments (whose doc comment is the help text) and its action.

mod advice;
mod answer;
mod ask;
mod asked;
mod build;
mod bundle;
mod cache;
mod check;
mod cite;
mod completions;
mod describe;
mod descriptors;
mod diff;
mod editing;
mod explain;
mod export;
mod fmt;
mod hints;
mod info;
mod init;
mod load;
mod man;
#[cfg(feature = "mcp")]
mod mcp;
mod merge;
mod move_to;
mod new;
mod output;
mod progress;
mod publish;
mod queries;
mod query;
mod remove;
mod rename;
mod repl;
mod revision;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod signature;
mod terminal;
mod test;
pub mod trust;
mod update;
mod validate;
mod verify;
mod watchdog;
mod why;
mod why_not;

pub use advice::{AdviceArgs, Adviser};
pub use answer::{AnswerArgs, note_unlinked, seconds, write_answer};
pub use build::progress;
pub use cite::{CiteArgs, Citing, write_cited_answer};
pub use describe::page;
pub use editing::tell_finished;
pub use explain::{Explain, explanation};
pub use output::{Output, append_file, probe_file};
pub use query::read_text;
pub use repl::Args as ReplArgs;
pub use revision::{Revision, state as revision_state};
pub use run::{help as canned_help, one_line};
pub use terminal::{Content, Stream, as_shown};
pub use watchdog::{Allocator, Base, MemoryWatch, Watchdog, give_back, keep_freed, unfinished};
pub use why::{Shown as WhyShown, explanation as why_explanation};
pub use why_not::{columns as expected_columns, explanation as why_not_explanation};

use clap::Subcommand;
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use std::path::PathBuf;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Query(query::Args),
    Run(run::Args),
    Queries(queries::Args),
    Describe(describe::Args),
    Cite(cite::Args),
    Why(why::Args),
    WhyNot(why_not::Args),
    Diff(diff::Args),
    Bundle(bundle::Args),
    Verify(verify::Args),
    Info(info::Args),
    Check(check::Args),
    Validate(validate::Args),
    Test(test::Args),
    Load(load::Args),
    Build(build::Args),
    Cache(cache::Args),
    Trust(trust::Args),
    Export(export::Args),
    Publish(publish::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    #[cfg(feature = "mcp")]
    Mcp(mcp::Args),
    Update(update::Args),
    Rename(rename::Args),
    Merge(merge::Args),
    #[command(name = "move")]
    MoveTo(move_to::Args),
    Remove(remove::Args),
    Fmt(fmt::Args),
    New(new::Args),
    Init(init::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
    Repl(repl::Args),
}

impl Command {
    /// Whether the command locks the project's files against writers from its start to its end. The others read briefly, again
    /// and again, or write themselves.
    pub fn reads_to_its_end(&self) -> bool {
        match self {
            Self::Repl(_) => false,
            Self::Update(args) => !args.write || args.dry_run,
            Self::Rename(args) => args.refactor.dry_run,
            Self::Merge(args) => args.refactor.dry_run,
            Self::MoveTo(args) => args.refactor.dry_run,
            Self::Remove(args) => args.refactor.dry_run,
            Self::Fmt(args) => args.check,
            Self::Test(args) => !args.accept,
            Self::Check(args) => !args.update_baseline,
            Self::Init(args) => args.dry_run,
            #[cfg(feature = "serve")]
            Self::Serve(_) => false,
            #[cfg(feature = "mcp")]
            Self::Mcp(_) => false,
            _ => true,
        }
    }

    /// Whether the command, without named files, also reads a folder that is no project.
    pub fn reads_any_folder(&self) -> bool {
        match self {
            #[cfg(feature = "serve")]
            Self::Serve(_) => true,
            #[cfg(feature = "mcp")]
            Self::Mcp(_) => true,
            Self::Load(args) => args.files.is_empty(),
            Self::Build(args) => args.files.is_empty(),
            Self::Validate(args) => args.files.is_empty(),
            Self::Publish(_) | Self::Repl(_) => true,
            Self::Run(_) | Self::Queries(_) => false,
            _ => self.only_asks(),
        }
    }

    /// Sets the path of this program, for a command that tells others to start it.
    pub fn set_program(&mut self, program: PathBuf) {
        #[cfg(feature = "mcp")]
        if let Self::Mcp(args) = self {
            args.program = program;
        }
        #[cfg(not(feature = "mcp"))]
        let _ = program;
    }

    /// Whether the command only queries the graph, so that it also works on another revision.
    pub fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::Query(_)
                | Self::Run(_)
                | Self::Queries(_)
                | Self::Describe(_)
                | Self::Cite(_)
                | Self::Why(_)
                | Self::WhyNot(_)
                | Self::Bundle(_)
                | Self::Info(_)
                | Self::Check(_)
                | Self::Export(_)
        )
    }
}

/// Runs a command other than `repl`, which has a front end of its own. Returns the exit code.
pub fn run(command: &Command, graph: &Graph, output: &mut Output) -> Result<u8> {
    let result = dispatch(command, graph, output);
    // If the snapshot turned out to be damaged, neither a result nor an error of the command counts.
    graph.intact()?;
    result
}

fn dispatch(command: &Command, graph: &Graph, output: &mut Output) -> Result<u8> {
    match command {
        Command::Query(args) => query::run(args, graph, output),
        Command::Run(args) => run::run(args, graph, output),
        Command::Queries(args) => queries::run(args, graph, output),
        Command::Describe(args) => describe::run(args, graph, output),
        Command::Cite(args) => cite::run(args, graph, output),
        Command::Why(args) => why::run(args, graph, output),
        Command::WhyNot(args) => why_not::run(args, graph, output),
        Command::Diff(args) => diff::run(args, graph, output),
        Command::Bundle(args) => bundle::run(args, graph, output),
        Command::Verify(args) => verify::run(args, graph, output),
        Command::Info(args) => info::run(args, graph, output),
        Command::Check(args) => check::run(args, graph, output),
        Command::Validate(args) => validate::run(args, graph, output),
        Command::Test(args) => test::run(args, graph, output),
        Command::Load(args) => load::run(args, graph, output),
        Command::Build(args) => build::run(args, graph, output),
        Command::Cache(args) => cache::run(args, graph, output),
        Command::Export(args) => export::run(args, graph, output),
        Command::Publish(args) => publish::run(args, graph, output),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args, graph, output),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::run(args, graph, output),
        Command::Update(args) => update::run(args, graph, output),
        Command::Rename(args) => rename::run(args, graph, output),
        Command::Merge(args) => merge::run(args, graph, output),
        Command::MoveTo(args) => move_to::run(args, graph, output),
        Command::Remove(args) => remove::run(args, graph, output),
        Command::Fmt(args) => fmt::run(args, graph, output),
        Command::New(args) => new::run(args, graph, output),
        Command::Init(args) => init::run(args, graph, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Man(args) => man::run(args, output),
        Command::Repl(_) | Command::Trust(_) => Err(Error::bug("the command line runs this itself")),
    }
}

/// How a command uses the project's files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loading {
    /// It loads them and enforces limits itself.
    Limited,
    /// It loads them, and mostly reads.
    Reading,
    /// It does not load them, or has findings of its own about kgq.toml.
    Apart,
}

impl Command {
    fn loading(&self) -> Loading {
        match self {
            Self::Query(_)
            | Self::Run(_)
            | Self::Validate(_)
            | Self::Export(_)
            | Self::Publish(_)
            | Self::Update(_)
            | Self::Why(_)
            | Self::WhyNot(_)
            | Self::Diff(_)
            | Self::Bundle(_)
            | Self::Verify(_)
            | Self::Repl(_) => Loading::Limited,
            #[cfg(feature = "serve")]
            Self::Serve(_) => Loading::Limited,
            #[cfg(feature = "mcp")]
            Self::Mcp(_) => Loading::Limited,
            Self::Queries(_)
            | Self::Describe(_)
            | Self::Cite(_)
            | Self::Info(_)
            | Self::Test(_)
            | Self::Load(_)
            | Self::Rename(_)
            | Self::Merge(_)
            | Self::MoveTo(_)
            | Self::Remove(_) => Loading::Reading,
            Self::Check(_)
            | Self::Build(_)
            | Self::Cache(_)
            | Self::Trust(_)
            | Self::Fmt(_)
            | Self::New(_)
            | Self::Init(_)
            | Self::Completions(_)
            | Self::Man(_) => Loading::Apart,
        }
    }
}

/// Returns a watchdog for commands that do not enforce limits themselves.
pub fn watch(command: &Command, graph: &Graph) -> Option<Watchdog> {
    (command.loading() != Loading::Limited).then(|| Watchdog::of_loading(graph.options()))
}

/// Prints remarks on kgq.toml before a command that loads the project's files.
pub fn warn_of_manifest(command: &Command, graph: &Graph, output: &mut Output) -> Result<()> {
    if command.loading() == Loading::Apart {
        return Ok(());
    }
    let advice = match command {
        Command::Query(query::Args { ask, .. }) | Command::Run(run::Args { ask, .. }) => Some(&ask.advice),
        _ => None,
    };
    let is_error = advice.is_some_and(|advice| advice.level.is_some());
    if !is_error && (output.quiet || advice.is_some_and(|advice| advice.no_warnings)) {
        return Ok(());
    }
    // A file that cannot be read is reported by the command, if it needs it.
    let remarks = graph.remarks().unwrap_or_default().into_iter().map(Error::as_warning);
    if is_error {
        return Error::all(remarks).map_or(Ok(()), Err);
    }
    remarks.for_each(|remark| output.warn(&remark));
    Ok(())
}

/// Whether the command handles signals itself in order to stop.
pub fn heeds_signals(command: Option<&Command>) -> bool {
    #[cfg(feature = "serve")]
    if let Some(Command::Serve(_)) = command {
        return true;
    }
    #[cfg(not(feature = "serve"))]
    let _ = command;
    false
}

/// The help text of one command, as `--help` prints it.
fn help_of(name: &str) -> String {
    let mut command = crate::cli::with_own_options(crate::cli::command());
    command.build();
    match command.find_subcommand_mut(name) {
        Some(command) => command.render_long_help().to_string(),
        None => String::new(),
    }
}
