//! The command line: parses it into a command and runs it; turns errors into messages and exit codes.

pub mod complete;
mod help;
mod open;

pub use help::with_own_options;
pub use open::open;

use crate::commands::{self, Command, Output, ReplArgs, Revision, Stream, trust};
use crate::repl;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use clap_complete::{ArgValueCandidates, CompleteEnv};
use kgq_engine::Executor;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::project::{Project, folder_files, named_files, parse_duration, parse_size, too_deep};
use kgq_graph::survey::in_several_formats;
use kgq_snapshot::store::together;
use kgq_syntax::bounds::DEEPEST;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::{count, visible};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Answers SPARQL over a folder of RDF files, and can say where every answer comes from
#[derive(Debug, Parser)]
#[command(name = "kgq", version, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: Global,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a check failed, a bundle does not hold, or ASK answered false with --exit-status
  2    the command line is wrong
  3    bad input: a query, data, header, parameter, or a name that does not exist
  4    a file or the store cannot be read or written
  5    a limit on time, memory or rows was reached
  6    refused by policy, such as a network request
  70   a mistake in kgq itself
  130  interrupted (143: asked to stop, 129: the terminal was closed)

In a project's folder, `kgq` alone opens the session.";

#[derive(Debug, clap::Args)]
struct Global {
    /// Look for the project from this folder
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        default_value = ".",
        global = true,
        hide_default_value = true
    )]
    folder: PathBuf,
    /// Load this file instead of a project's, all RDF files of this folder, or those of a glob; may be repeated; `-` is standard input
    #[arg(short = 'd', long = "data", value_name = "FILE", global = true)]
    data: Vec<String>,
    /// Answer from this snapshot, which `kgq build` made
    #[arg(long, value_name = "SNAPSHOT", global = true, conflicts_with_all = ["data", "unreify"])]
    snapshot: Option<PathBuf>,
    /// The format of input files whose name does not say it
    #[arg(long, value_name = "FORMAT", value_parser = parse_input_format, global = true)]
    input_format: Option<RdfFormat>,
    /// Ask the project as it was at this revision, which git takes for one: a commit, a branch, a tag
    #[arg(long, value_name = "REVISION", global = true, conflicts_with_all = ["data", "snapshot", "trust"])]
    at: Option<String>,
    /// Resolve relative IRIs against this
    #[arg(long, value_name = "IRI", global = true)]
    base: Option<String>,
    /// Accept IRIs and language tags that are not well-formed; `lenient = true` below `[load]` in kgq.toml does so for a project
    #[arg(long, global = true)]
    lenient: bool,
    /// Read the remote JSON-LD context of this address from a file; may be repeated; kgq.toml has `[contexts]` for it
    #[arg(long, value_name = "IRI=FILE", value_parser = parse_context, global = true)]
    context: Vec<(String, String)>,
    /// Read rdf:Statement descriptions as reifiers of RDF 1.2
    #[arg(long, global = true)]
    unreify: bool,
    /// What evaluates queries: kgq, or oxigraph (slower; for comparison)
    #[arg(long, value_name = "ENGINE", value_parser = parse_executor, add = ArgValueCandidates::new(complete::engines), default_value = "kgq", global = true, hide_default_value = true)]
    engine: Executor,
    /// From now on, let the project in this folder name files outside of it (`kgq trust` takes it back)
    #[arg(long, global = true, conflicts_with_all = ["data", "snapshot"])]
    trust: bool,
    #[command(flatten)]
    limits: LimitArgs,
    /// Leave out counts, times and remarks
    #[arg(long, short, global = true)]
    quiet: bool,
}

/// What a query may use and an input may be; kgq.toml sets the same below `[limits]`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits (in kgq.toml the same names, below [limits])")]
struct LimitArgs {
    /// Stop a query after this long, and reading its data if this is given, such as 30s, 500ms, none [default: 30s; none in the session]
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, global = true)]
    timeout: Option<Bound<Duration>>,
    /// Stop a query, or reading its data, that needs more memory, such as 2GiB, none; sorts, groups and joins go on in temporary files of up to
    /// eight times as much, 16 GiB at most [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, global = true)]
    max_memory: Option<Bound<u64>>,
    /// Stop a query with more rows than this [default: none]
    #[arg(long, value_name = "ROWS", global = true)]
    max_rows: Option<u64>,
    /// Refuse queries and data that nest deeper [default: 128]
    #[arg(long, value_name = "LEVELS", value_parser = parse_depth, global = true, hide_short_help = true)]
    max_depth: Option<usize>,
    /// Refuse a longer string, IRI or name; above 16MiB, a file of Turtle, TriG or N3 is read into memory as a whole [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, global = true, hide_short_help = true)]
    max_token: Option<Bound<u64>>,
    /// Refuse a longer query [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, global = true, hide_short_help = true)]
    max_query_size: Option<Bound<u64>>,
    /// Refuse a query of more operators and triple patterns [default: 2000]
    #[arg(long, value_name = "NUMBER", global = true, hide_short_help = true)]
    max_operators: Option<usize>,
    /// Refuse a compressed file that becomes larger [default: 10GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, global = true, hide_short_help = true)]
    max_decompressed: Option<Bound<u64>>,
    /// Refuse a compressed file that becomes more than this many times its size [default: 1000]
    #[arg(long, value_name = "NUMBER", global = true, hide_short_help = true)]
    max_ratio: Option<u64>,
    /// Refuse RDF/XML whose entities expand to more [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, global = true, hide_short_help = true)]
    max_entities: Option<Bound<u64>>,
}

/// A limit as given: a value, or explicitly none.
#[derive(Clone, Copy, Debug)]
struct Bound<T>(Option<T>);

fn parse_input_format(text: &str) -> Result<RdfFormat, String> {
    RdfFormat::from_name(text).ok_or_else(|| format!("the formats are {}", RdfFormat::list(false)))
}

fn parse_context(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((address, file)) if address.contains(':') && !file.is_empty() => Ok((address.to_owned(), file.to_owned())),
        _ => Err("write the context's address, `=`, and the file".into()),
    }
}

fn parse_executor(text: &str) -> Result<Executor, String> {
    match text {
        "kgq" => Ok(Executor::Kgq),
        "oxigraph" => Ok(Executor::Oxigraph),
        _ => Err("the engines are kgq and oxigraph".into()),
    }
}

fn parse_timeout(text: &str) -> Result<Bound<Duration>, String> {
    parse_duration(text).map(Bound)
}

fn parse_memory(text: &str) -> Result<Bound<u64>, String> {
    parse_size(text).map(Bound)
}

fn parse_depth(text: &str) -> Result<usize, String> {
    let depth = text.parse().map_err(|_| format!("`{text}` is no number of levels"))?;
    if depth > DEEPEST { Err(too_deep(depth)) } else { Ok(depth) }
}

/// The complete command line, for help and shell completion.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The names of the commands that a session can run, too.
pub fn verbs() -> Vec<String> {
    let other = ["repl", "new", "init", "completions", "man", "help", "load", "query", "serve", "mcp", "trust"];
    command().get_subcommands().map(|c| c.get_name().to_owned()).filter(|n| !other.contains(&n.as_str())).collect()
}

/// Parses a command typed in a session. The inner error is the text of requested help.
pub fn parse_verb(name: &str, words: &[String]) -> Result<std::result::Result<Command, String>> {
    let typed = ["kgq", name].into_iter().map(str::to_owned).chain(words.iter().cloned());
    let parsed =
        with_own_options(command()).try_get_matches_from(typed).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(Cli { command: Some(command), .. }) => Ok(Ok(command)),
        Ok(Cli { command: None, .. }) => Err(Error::bug("a command without a name was parsed")),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Err(error.render().to_string()))
        }
        Err(error) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Error::usage(first).hint(format!("`.{name} --help` says what it takes")))
        }
    }
}

/// Answers a shell that asks for completions; returns the exit code, or `None` if none asks.
pub fn complete(arguments: &[OsString]) -> Option<u8> {
    let folder = std::env::current_dir().ok();
    match CompleteEnv::with_factory(command).try_complete(arguments, folder.as_deref()) {
        Ok(true) => Some(0),
        Ok(false) => None,
        Err(error) => Some(usage(&error)),
    }
}

/// Runs the program; returns its exit code.
pub fn main(arguments: Vec<OsString>) -> u8 {
    let program = arguments.first().map(PathBuf::from).unwrap_or_default();
    let (command, arguments) = help::shaped(command(), arguments);
    let matches = match command.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Some(command) = &mut cli.command {
        command.set_program(program);
    }
    let mut output = streams(cli.global.quiet);
    // Create the list now: when memory has run out, nothing can be created.
    let _ = commands::unfinished();
    if !commands::heeds_signals(cli.command.as_ref()) {
        stop_on_signals();
    }
    let result = run(cli, &mut output);
    let result = result.and_then(|code| {
        output.out.flush().map_err(|e| Error::io("the output", &e))?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            if error.kind() != Kind::ClosedPipe {
                output.warn(&error);
            }
            error.kind().exit_code()
        }
    }
}

fn usage(error: &clap::Error) -> u8 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let mut stream = if asked { Stream::stdout() } else { Stream::stderr() };
    let text = error.render();
    let text = if stream.is_styled() { text.ansi().to_string() } else { text.to_string() };
    // Writing help into a closed pipe is no failure.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    if asked { 0 } else { Kind::Usage.exit_code() }
}

fn run(cli: Cli, output: &mut Output) -> Result<u8> {
    let at_terminal = std::io::stdin().is_terminal() && output.terminal.is_some();
    let command = match cli.command {
        Some(command) => command,
        None if at_terminal && opens_something(&cli.global)? => Command::Repl(ReplArgs::default()),
        None => return first_screen(output),
    };
    if let Command::Trust(args) = &command {
        return trust::run(args, &cli.global.folder, open::config_folder().as_deref(), output);
    }
    let interactive = matches!(command, Command::Repl(_));
    let named = named_files(&cli.global.data)?;
    if !matches!(command, Command::Completions(_)) {
        named.remarks.iter().for_each(|remark| output.note(remark));
    }
    let mut options = open::options_of(&cli.global, named.files)?;
    options.whole_folder = cli.global.data.is_empty() && command.reads_any_folder();
    let _reading = keep_writers_away(&command, &options, output)?;
    let mut graph = open::with_settings(&cli.global, options, interactive)?;
    if let OpenOptions { whole_folder: true, files, left_out, .. } = graph.options()
        && !files.is_empty()
    {
        let several = in_several_formats(files).map(|(one, other, names)| {
            let names = count(names as u64, "name stands", "names stand");
            format!(
                "{names} in several formats, as {} and {}: if they say the same, things without a name are there several times; `kgq init` \
                 leaves out what says the same",
                visible(one),
                visible(other)
            )
        });
        let files = count(files.len() as u64, "file", "files");
        let passed: Vec<_> = left_out.iter().map(|folder| visible(folder)).collect();
        let passed = match passed.first() {
            None => String::new(),
            Some(first) => format!(", but not {}, which `-d {first}` reads", passed.join(", ")),
        };
        output.note(&format!(
            "there is no kgq.toml: reading {files} of RDF in this folder{passed}; `kgq init` makes it a project"
        ));
        several.iter().for_each(|remark| output.note(remark));
    }
    // The files of the revision exist as long as this value.
    let revision = cli.global.at.as_deref().map(|at| at_revision(&command, &graph, at, output)).transpose()?;
    if let Some(revision) = &revision {
        graph = revision.graph.clone();
    }
    commands::warn_of_manifest(&command, &graph, output)?;
    let _watchdog = commands::watch(&command, &graph);
    let opened = graph.clone();
    let result = match command {
        Command::Repl(args) => repl::run(&args, graph, output),
        command => commands::run(&command, &graph, output),
    };
    result.map_err(|error| match is_of_whole_folder(&error, &opened) {
        true => error.hint("`kgq init` writes a kgq.toml that leaves out what cannot be read; `-d` names what to read"),
        false => error,
    })
}

/// Whether an error is in a file that nobody named: one of a folder without a project.
fn is_of_whole_folder(error: &Error, graph: &Graph) -> bool {
    let OpenOptions { whole_folder, files, .. } = graph.options();
    *whole_folder && error.place().is_some_and(|place| files.contains(&place.file))
}

/// Finishes an interrupted edit of the project's files, and keeps other writers away while the command reads.
fn keep_writers_away(
    command: &Command,
    options: &OpenOptions,
    output: &mut Output,
) -> Result<Option<together::Reading>> {
    let is_project = options.files.is_empty() && options.snapshot.is_none();
    let Some(root) = is_project.then(|| Project::find_root(&options.folder)).transpose()?.flatten() else {
        return Ok(None);
    };
    let (reading, finished) = together::read(&root)?;
    commands::tell_finished(&finished, output);
    Ok(command.reads_to_its_end().then_some(reading))
}

/// Opens the project at a revision, for a command that only reads.
fn at_revision(command: &Command, graph: &Graph, at: &str, output: &mut Output) -> Result<Revision> {
    if !command.only_asks() {
        return Err(Error::usage("`--at` is for commands that only ask the graph")
            .hint("query, run, queries, describe, cite, why, why-not, bundle, info, check, export"));
    }
    Revision::open(graph, at, output)
}

/// Whether there is something to load: a project, a file, a snapshot, or a folder with RDF files.
fn opens_something(global: &Global) -> Result<bool> {
    let named = !global.data.is_empty() || global.snapshot.is_some();
    Ok(named
        || Project::find(&global.folder)?.is_some()
        || folder_files(&global.folder).is_ok_and(|found| !found.files.is_empty()))
}

/// Prints what a new user sees first.
fn first_screen(output: &mut Output) -> Result<u8> {
    output.line(FIRST_SCREEN)?;
    Ok(Kind::Usage.exit_code())
}

const FIRST_SCREEN: &str = "\
kgq answers SPARQL over a folder of RDF files, and can say where every answer comes from.

  kgq query 'SELECT * { ?s ?p ?o } LIMIT 10'    in a folder with files of RDF
  kgq -d FILE         open a session over a file, a folder or a glob
  kgq init            make a folder of RDF files a project, with checks, tests and canned queries
  kgq new DIR         make a small project to begin with

At a terminal, `kgq` alone opens a session over the folder. `kgq --help` lists all commands.";

fn streams(quiet: bool) -> Output {
    let (out, err) = (Stream::stdout(), Stream::stderr());
    let terminal = out.is_terminal().then(|| terminal_size::terminal_size().map_or(80, |(w, _)| usize::from(w.0)));
    Output {
        colour: out.is_styled(),
        err_colour: err.is_styled(),
        err_is_terminal: err.is_terminal(),
        out,
        err,
        terminal,
        quiet,
    }
}

/// Ends the process on SIGINT, SIGTERM and SIGHUP without leaving temporary files. The session takes over SIGINT.
fn stop_on_signals() {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut wanted = vec![SIGINT, SIGTERM];
        // Under `nohup` the program continues when the terminal is closed.
        if !is_ignored(SIGHUP) {
            wanted.push(SIGHUP);
        }
        let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if signal == SIGINT && repl::interrupt::deliver() {
                    continue;
                }
                commands::unfinished().remove();
                let code = match signal {
                    SIGHUP => HUNG_UP,
                    SIGTERM => Kind::Terminated.exit_code(),
                    _ => Kind::Interrupted.exit_code(),
                };
                std::process::exit(i32::from(code));
            }
        });
    }
}

/// The exit code after the terminal was closed.
#[cfg(unix)]
const HUNG_UP: u8 = 129;

/// Whether the parent process had this signal ignored; assumed if the system does not tell.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal - 1) & 1 == 1)
}
