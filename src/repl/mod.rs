//! The session at a terminal, or a script on standard input.
//!
//! This file has the loop; `editor` reads input, `dot` has the dot-commands, `show` displays answers.

mod complete;
mod dot;
mod editor;
mod explore;
mod history;
pub mod interrupt;
mod last;
mod pager;
mod reload;
mod running;
mod save;
mod script;
mod shared;
mod show;
mod sink;

use crate::commands::{AdviceArgs, Adviser, Base, Output, ReplArgs, Watchdog, seconds};
use editor::{Mode, ProjectPrompt};
use interrupt::Interrupts;
use kgq_engine::query::{Binding, Query, bind};
use kgq_graph::graph::{Graph, Live};
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::text::{count, typeable, visible};
use reedline::{EditCommand, Reedline, Signal};
use running::Kept;
use script::ScriptItem;
use shared::{ProjectState, Shared};
use std::io::{IsTerminal, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many files the banner names.
const NAMED: usize = 3;

/// An answer with the query that it answers.
struct Last {
    text: String,
    query: Query,
    /// The values with which `.values` restricted it.
    limited: Option<Binding>,
    answer: Kept,
    took: Duration,
}

/// The state of the session between two prompts.
struct Shell<'a> {
    live: Live,
    /// The current graph.
    graph: Arc<Graph>,
    output: &'a mut Output,
    interrupts: Interrupts,
    shared: Shared,
    last: Option<Last>,
    /// The memory in use before a query, which is not counted for it.
    base: Base,
    /// The text of the last query, whether or not it could be answered.
    text: Option<String>,
    /// How warnings are handled.
    advice: AdviceArgs,
    /// Values for a variable of the next query that contains it.
    values: Option<Binding>,
    view: show::ShowSettings,
    sink: sink::Sink,
    timing: bool,
    mode: Mode,
    /// The initial text of the next prompt.
    buffer: Option<String>,
    over: bool,
}

/// Reads queries and dot-commands until the end of input. Returns the exit code.
pub fn run(args: &ReplArgs, graph: Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    let loading = Watchdog::of_loading(graph.options());
    let state = ProjectState::of(&graph)?;
    drop(loading);
    let live = Live::new(graph);
    let mut shell = Shell {
        graph: live.graph(),
        live,
        output,
        interrupts: Interrupts::take(),
        shared: Shared::new(state),
        last: None,
        base: Base::default(),
        text: None,
        advice: args.advice.clone(),
        values: None,
        view: show::ShowSettings::default(),
        sink: sink::Sink::default(),
        timing: true,
        mode: Mode::default(),
        buffer: None,
        over: false,
    };
    if std::io::stdin().is_terminal() && shell.output.terminal.is_some() {
        shell.at_terminal(started)
    } else {
        shell.script(args.keep_going)
    }
}

impl Shell<'_> {
    fn at_terminal(&mut self, started: Instant) -> Result<u8> {
        self.banner(started)?;
        let mut editor = self.editor();
        while !self.over {
            self.output.terminal =
                terminal_size::terminal_size().map(|(w, _)| usize::from(w.0)).or(self.output.terminal);
            if let Some(text) = self.buffer.take() {
                editor
                    .run_edit_commands(&[EditCommand::Clear, EditCommand::InsertString(typeable(&text).into_owned())]);
            }
            self.tell_that_no_name_is_completed();
            let prompt = ProjectPrompt { name: self.name(), colour: self.output.colour };
            let signal = editor.read_line(&prompt).map_err(|e| Error::io("the terminal", &std::io::Error::other(e)))?;
            if editor.take_history_save_error().is_some() {
                self.output.note("this entry could not be written to the history");
            }
            match signal {
                Signal::Success(text) => {
                    let before = Instant::now();
                    let mode = self.mode;
                    let code = self.entry(&text);
                    let took = before.elapsed();
                    if editor.has_last_command_context() {
                        // Failing to store the status is no reason to stop.
                        let _ = editor.update_last_command_context(&|mut item| {
                            item.duration = Some(took);
                            item.exit_status = Some(i64::from(code));
                            item
                        });
                    }
                    if self.mode != mode {
                        editor = editor.with_edit_mode(editor::edit_mode(self.mode));
                    }
                }
                Signal::HostCommand(_) => {
                    let text = editor.current_buffer_contents().to_owned();
                    self.report(|shell| shell.edit(&text));
                }
                Signal::CtrlD => self.over = true,
                Signal::CtrlC | Signal::ExternalBreak(_) => {}
                // Signals that a later version of reedline may add are ignored.
                #[allow(unreachable_patterns)]
                _ => {}
            }
        }
        Ok(0)
    }

    /// Says so once where the index of names could not be made.
    fn tell_that_no_name_is_completed(&mut self) {
        if let Some(error) = self.shared.get().failure_to_tell() {
            self.output.note(&format!("no name is completed: {}", error.message()));
        }
    }

    fn editor(&mut self) -> Reedline {
        let history = match history::open(&self.graph) {
            Ok(history) => history,
            Err(error) => {
                self.output.warn(&error);
                None
            }
        };
        editor::build(&self.shared, history, self.mode, self.output.colour)
    }

    fn name(&self) -> String {
        self.graph.project().map_or_else(|| "kgq".into(), |p| visible(&p.manifest.name).into_owned())
    }

    /// Says what is loaded, and suggests what to ask.
    fn banner(&mut self, started: Instant) -> Result<()> {
        let statements = self.graph.statement_count()?;
        let title = self.graph.project().map(|p| p.manifest.title.clone().unwrap_or_else(|| p.manifest.name.clone()));
        let title = title.unwrap_or_else(|| match self.graph.options().files.as_slice() {
            [] => "snapshot".into(),
            files if files.len() <= NAMED => files.join(", "),
            files => format!("{} and {} more", files[..NAMED].join(", "), files.len() - NAMED),
        });
        let loaded = format!(
            "{}: {} in {}, ready in {}",
            visible(&title),
            count(statements as u64, "statement", "statements"),
            self.graph.origin()?,
            seconds(started.elapsed()),
        );
        let state = self.shared.get();
        let ready: Vec<&str> =
            state.queries.iter().filter(|(_, _, params)| params.is_empty()).map(|(name, _, _)| name.as_str()).collect();
        // Neighbours in the alphabet are often about the same thing, so pick names that are apart.
        let apart = [1, 3, 5].map(|sixth| ready.get(ready.len() * sixth / 6).map(|name| format!(".run {name}")));
        let mut questions: Vec<String> = apart.into_iter().flatten().collect();
        questions.dedup();
        let try_out = if questions.is_empty() {
            "Try: .classes   SELECT * { ?s ?p ?o } LIMIT 10   .describe TERM".to_owned()
        } else {
            format!("Try: {}", questions.join("   "))
        };
        let (bold, reset) = if self.output.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        self.output.line(&format!("{bold}{loaded}{reset}"))?;
        self.output.line(&try_out)?;
        self.output.line("Tab completes; Ctrl-C stops a query, Ctrl-D leaves; .help lists the commands")
    }

    /// Runs an entry; returns its exit code.
    fn entry(&mut self, text: &str) -> u8 {
        self.reload_if_changed();
        let mut code = 0;
        for (_, part) in script::parts(text) {
            let failed = match part {
                ScriptItem::Query(text) | ScriptItem::Unfinished(text) if dot::meant_by(&text).is_some() => {
                    self.report(|shell| dot::run(shell, dot::meant_by(&text).unwrap_or_default()))
                }
                ScriptItem::Query(text) => self.report(|shell| shell.query("<query>", &text)),
                ScriptItem::Command(command) => self.report(|shell| dot::run(shell, &command)),
                // After a command in the middle of a query, the user can continue the query.
                ScriptItem::Unfinished(open) if ends_in_command(text) => {
                    self.buffer = Some(format!("{open}\n"));
                    0
                }
                ScriptItem::Unfinished(text) => self.report(|shell| shell.query("<query>", &text)),
            };
            if code == 0 {
                code = failed;
            }
        }
        code
    }

    fn script(&mut self, keep_going: bool) -> Result<u8> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| Error::io("standard input", &e))?;
        self.interrupts.clear();
        self.play("<stdin>", &text, keep_going)
    }

    /// Runs a script; returns the exit code of its first failure.
    fn play(&mut self, name: &str, text: &str, keep_going: bool) -> Result<u8> {
        let mut code = 0;
        for (line, part) in script::parts(text) {
            if self.over {
                break;
            }
            // Leading empty lines make the positions in errors those of the script.
            let at = |text: String| format!("{}{text}", "\n".repeat(line - 1));
            let result = match part {
                ScriptItem::Query(text) | ScriptItem::Unfinished(text) => self.query(name, &at(text)),
                ScriptItem::Command(command) => dot::run(self, &command).map_err(|error| match error.place() {
                    Some(_) => error,
                    None => error.at(Source::new(name, text).place(line_start(text, line))),
                }),
            };
            match result {
                Ok(()) => {}
                Err(error) if keep_going && error.kind() != Kind::ClosedPipe => {
                    self.output.warn(&error);
                    if code == 0 {
                        code = error.kind().exit_code();
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(code)
    }

    /// Runs an action and reports its failure; returns the exit code.
    fn report(&mut self, act: impl FnOnce(&mut Self) -> Result<()>) -> u8 {
        self.interrupts.clear();
        match act(self) {
            Ok(()) => 0,
            Err(error) => {
                if error.kind() == Kind::Interrupted {
                    self.output.note(error.message());
                } else if error.kind() != Kind::ClosedPipe {
                    self.output.warn(&error);
                }
                error.kind().exit_code()
            }
        }
    }

    /// Runs a query and shows the answer.
    fn query(&mut self, name: &str, text: &str) -> Result<()> {
        let text = editor::without_terminator(text);
        self.text = Some(text.trim_start_matches('\n').to_owned());
        let source = Source::new(name, text);
        let query = self.graph.parse(source)?;
        self.answer(source, &query.clone(), query)
    }

    /// Runs a query; `written` is the query as written, before values are bound to its parameters.
    fn answer(&mut self, source: Source<'_>, written: &Query, mut query: Query) -> Result<()> {
        let interrupts = &self.interrupts;
        let interrupted = || interrupts.count() > 0;
        Adviser::new(&self.advice, source, written).heeding(&interrupted).before(&self.graph, self.output)?;
        let names = kgq_engine::query::variables(&query.algebra);
        let limited = self.values.take_if(|binding| names.contains(&binding.variable));
        bind(&mut query, limited.as_slice());
        let started = Instant::now();
        let snapshot = self.graph.snapshot()?.clone();
        let options = self.graph.evaluation_options();
        let failures = options.failures.clone();
        let at_terminal = self.output.err_is_terminal && self.output.terminal.is_some();
        let err = &mut self.output.err;
        let mut shown = false;
        let waiting = |time: Duration| {
            if at_terminal && time > Duration::from_secs(1) {
                shown = true;
                err.status(&format!("{} s, Ctrl-C stops it", time.as_secs()));
            }
        };
        let answer = running::run(snapshot, query.clone(), options, &mut self.base, &self.interrupts, waiting);
        if shown {
            self.output.err.status("");
        }
        let text = source.text.trim_start_matches('\n').to_owned();
        let last = Last { text, query, limited, answer: answer?, took: started.elapsed() };
        let result = show::answer(self, &last).and_then(|written| {
            let interrupts = &self.interrupts;
            let interrupted = || interrupts.count() > 0;
            let adviser = Adviser::new(&self.advice, source, &last.query).heeding(&interrupted);
            adviser.on_failures(&failures, self.output)?;
            adviser.after(written, last.took, &self.graph, self.output)
        });
        self.last = Some(last);
        if self.live.broken().is_some() {
            let old = "warning: this answers from the files as they were: they have changed and cannot be loaded (`.reload` says why)";
            let _ = writeln!(self.output.err, "{old}");
        }
        result
    }

    fn reload_if_changed(&mut self) {
        self.report(|shell| {
            let refreshed = shell.live.refresh();
            shell.reloaded(refreshed)
        });
    }
}

/// Whether the last line of an entry is a dot-command.
fn ends_in_command(text: &str) -> bool {
    text.lines().next_back().is_some_and(|line| kgq_syntax::sparql::dot_command(line).is_some())
}

/// The span of a line in a text.
fn line_start(text: &str, line: usize) -> std::ops::Range<usize> {
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let end = start + text[start..].lines().next().map_or(0, str::len);
    start..end
}
