//! `kgq build`.

use super::answer::seconds;
use super::output::{Output, files_of};
use super::terminal::Stream;
use kgq_graph::graph::{Graph, News, Watcher};
use kgq_graph::request::build::{Built, build, refuse_path};
use kgq_snapshot::store::Input;
use kgq_snapshot::{Phase, Progress};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{thousands, visible};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Build a snapshot of files (or the project's): one file that opens at once and answers queries, however large
///
/// With --max-memory, what does not fit is sorted in temporary files beside the snapshot. An existing snapshot is replaced when
/// the new one is whole.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq build dump.nt.zst --output dump.kgq
  kgq query --snapshot dump.kgq 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }'")]
pub struct Args {
    /// RDF files; without any, those of the project or of -d
    pub files: Vec<String>,
    /// Where the snapshot goes
    #[arg(long, short, value_name = "SNAPSHOT")]
    pub output: PathBuf,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let inputs = if args.files.is_empty() { graph.inputs()? } else { named_inputs(&args.files, graph, output)? };
    refuse_path(graph, &inputs, &args.output)?;
    let started = Instant::now();
    let bar = ProgressLine::new(output.err_is_terminal && !output.quiet);
    let progress = |progress: Progress| bar.show(&progress);
    let built = build(graph, &inputs, &args.output, &progress);
    bar.clear();
    let Built { summary, size } = built?;
    let elapsed = started.elapsed();
    let statements = summary.triples + summary.quads;
    output.line(&format!("{:>12}  triples in the default graph", thousands(summary.triples)))?;
    output.line(&format!("{:>12}  statements in named graphs", thousands(summary.quads)))?;
    output.line(&format!("{:>12}  terms", thousands(summary.terms)))?;
    output.line(&format!(
        "{:>12}  bytes, {} a statement",
        thousands(size),
        thousands(size.checked_div(statements).unwrap_or(0))
    ))?;
    let rate = summary.statements as f64 / elapsed.as_secs_f64().max(0.000_001);
    output.note(&format!("built in {}, {} statements/s", seconds(elapsed), thousands(rate as u64)));
    Ok(0)
}

/// The files as inputs, or one error that names every unusable file.
pub fn named_inputs(files: &[String], graph: &Graph, output: &mut Output) -> Result<Vec<Input>> {
    let (mut inputs, mut errors) = (Vec::new(), Vec::new());
    for name in &files_of(files, output)? {
        match Input::file(name, Path::new(name), graph.options().input_format) {
            Ok(input) => inputs.push(input.with_base(graph.options().base.clone()).with_contexts(graph.contexts()?)),
            Err(error) => errors.push(error),
        }
    }
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(inputs),
    }
}

/// A line on a terminal that shows the progress of a build.
pub struct ProgressLine {
    show: bool,
    started: Instant,
    last: Mutex<Instant>,
}

/// How long a build runs before its progress is shown, and the interval between updates.
const PATIENCE: Duration = Duration::from_millis(300);

/// Shows the progress of a snapshot that a query makes necessary, on a terminal, and notes about the cache.
pub fn progress(terminal: bool, quiet: bool) -> Option<Watcher> {
    let line = ProgressLine::new(terminal);
    let watcher = Watcher(Arc::new(move |news| match news {
        News::Progress(progress) => line.show(&progress),
        News::Over => line.clear(),
        News::Kept if terminal => say("kept as a snapshot, which opens at once the next time (`kgq cache list`)"),
        News::Kept => {}
        News::CacheDistrusted(folder, reason) => {
            say(&format!("the cache is not used: {} {reason}", visible(&folder.display().to_string())));
        }
    }));
    (!quiet).then_some(watcher)
}

fn say(text: &str) {
    // A failure to write the line is ignored.
    let _ = writeln!(Stream::stderr(), "{text}");
}

impl ProgressLine {
    pub fn new(show: bool) -> Self {
        let started = Instant::now();
        Self { show, started, last: Mutex::new(started) }
    }

    pub fn show(&self, progress: &Progress) {
        let Ok(mut last) = self.last.try_lock() else { return };
        if !self.show || last.elapsed() < PATIENCE {
            return;
        }
        *last = Instant::now();
        let rate = progress.statements as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let what = match progress.phase {
            Phase::Reading => {
                let percent = (progress.bytes_read * 100).checked_div(progress.bytes_total).unwrap_or(100);
                format!(
                    "reading {percent} %: {} statements, {}/s",
                    thousands(progress.statements),
                    thousands(rate as u64)
                )
            }
            Phase::MergingTerms => "merging terms".to_owned(),
            Phase::SortingStatements => format!("sorting {} statements", thousands(progress.statements)),
            Phase::Writing => "writing".to_owned(),
        };
        Stream::stderr().status(&what);
    }

    pub fn clear(&self) {
        if self.show {
            Stream::stderr().status("");
        }
    }
}
