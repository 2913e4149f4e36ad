//! Advice that commands give about a query besides its answer, on standard error.

use super::output::Output;
use kgq_engine::query::Query;
use kgq_engine::{Failures, Limits};
use kgq_graph::advice::{Diagnostic, failed};
use kgq_graph::graph::Graph;
use kgq_graph::render::Written;
use kgq_graph::request::advise::{Advised, Remarks, Turned, mistakes, remarks};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Kind, Result, Source};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The stack of the advice thread: deep queries recurse deeply, and memory is taken only as it is used.
const STACK: usize = 256 << 20;
/// The interval at which a session looks for an interrupt.
const LOOK: Duration = Duration::from_millis(10);

/// What becomes of warnings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AdviceArgs {
    /// Say nothing of what usually is a mistake, nor why an answer is empty
    #[arg(long, conflicts_with = "level")]
    pub no_warnings: bool,
    /// `-W error` makes warnings errors, and an empty answer that can be explained one too
    #[arg(short = 'W', value_name = "error", value_parser = ["error"])]
    pub level: Option<String>,
}

/// The form in which a diagnostic is printed.
#[derive(Clone, Copy)]
enum Said {
    Warning,
    /// A reason for an empty answer, printed after these words.
    Reason(&'static str),
}

/// Gives advice about one query.
pub struct Adviser<'a> {
    args: &'a AdviceArgs,
    source: Source<'a>,
    query: &'a Query,
    /// Returns whether an interrupt came that does not end the program.
    interrupted: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Adviser<'a> {
    pub fn new(args: &'a AdviceArgs, source: Source<'a>, query: &'a Query) -> Self {
        Self { args, source, query, interrupted: None }
    }

    /// Makes the adviser stop at an interrupt.
    #[must_use]
    pub fn heeding(self, interrupted: &'a dyn Fn() -> bool) -> Self {
        Self { interrupted: Some(interrupted), ..self }
    }

    fn speaks(&self, output: &Output) -> bool {
        !self.args.no_warnings && (self.args.level.is_some() || !output.quiet)
    }

    fn tell(&self, diagnostics: Vec<Diagnostic>, said: Said, output: &mut Output) -> Result<()> {
        let errors = diagnostics.into_iter().map(|diagnostic| match said {
            Said::Warning => diagnostic.error.as_warning(),
            Said::Reason(of) => diagnostic.error.prefixed(of),
        });
        if self.args.level.is_some() {
            return Error::all(errors).map_or(Ok(()), Err);
        }
        errors.for_each(|error| output.warn(&error));
        Ok(())
    }

    /// Warns of likely mistakes before the query runs.
    pub fn before(&self, graph: &Graph, output: &mut Output) -> Result<()> {
        if !self.speaks(output) {
            return Ok(());
        }
        let found = self.in_time(graph, Duration::ZERO, |advised| mistakes(graph, advised))?;
        self.tell(found, Said::Warning, output)
    }

    /// Warns of expressions that failed while the answer was read.
    pub fn on_failures(&self, failures: &Failures, output: &mut Output) -> Result<()> {
        match failed(failures) {
            Some(diagnostic) if self.speaks(output) => self.tell(vec![diagnostic], Said::Warning, output),
            _ => Ok(()),
        }
    }

    /// Explains why an answer is empty, or warns of unknown terms if it is not. `spent` is the time that the answer took: both
    /// together stay within the query's time limit.
    pub fn after(&self, written: Written, spent: Duration, graph: &Graph, output: &mut Output) -> Result<()> {
        if !self.speaks(output) {
            return Ok(());
        }
        let turned = Turned::of(written.rows, written.truth);
        let Remarks { warnings, reasons } = self.in_time(graph, spent, |advised| remarks(graph, advised, turned))?;
        self.tell(warnings, Said::Warning, output)?;
        let of = if written.truth.is_some() { "no: " } else { "no rows: " };
        self.tell(reasons, Said::Reason(of), output)
    }

    /// Notes which other namespaces the query's prefixes may mean.
    pub fn on_prefixes(&self, graph: &Graph, output: &mut Output) -> Result<()> {
        if !self.speaks(output) {
            return Ok(());
        }
        let remarks = graph.remarks_on_prefixes(self.source)?.into_iter().map(Error::as_warning);
        if self.args.level.is_some() {
            return Error::all(remarks).map_or(Ok(()), Err);
        }
        remarks.for_each(|remark| output.warn(&remark));
        Ok(())
    }

    /// Runs a search for advice, which stops when the query's remaining time is up.
    fn in_time<T: Send>(
        &self,
        graph: &Graph,
        spent: Duration,
        question: impl FnOnce(Advised<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let options = graph.evaluation_options();
        let left = options.limits.time.map(|time| time.saturating_sub(spent));
        let cancelled = options.budget.clone();
        let (source, query) = (self.source, self.query);
        let work = move || {
            let budget = options.budget.child(Work::Query, Limits { time: left, ..Limits::default() });
            question(Advised { source, query, options: &options, budget: &budget })
        };
        let Some(interrupted) = self.interrupted else { return work() };
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("advice".into())
                .stack_size(STACK)
                // The receiver always exists: this scope ends with the thread.
                .spawn_scoped(scope, move || drop(sender.send(work())))
                .map_err(|e| Error::io("a thread for advice", &e))?;
            loop {
                match receiver.recv_timeout(LOOK) {
                    Ok(_) if cancelled.is_cancelled() => {
                        return Err(Error::new(Kind::Interrupted, "the query was interrupted"));
                    }
                    Ok(found) => return found,
                    Err(RecvTimeoutError::Timeout) if interrupted() => cancelled.cancel(),
                    Err(RecvTimeoutError::Timeout) => (),
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Error::bug("the thread for advice ended without any; the session goes on"));
                    }
                }
            }
        })
    }
}
