//! `kgq bundle`.

use super::advice::{AdviceArgs, Adviser};
use super::asked::{Asked, AskedArgs};
use super::cite::SourceArgs;
use super::output::{Output, probe_file};
use super::revision;
use super::signature::sign;
use super::watchdog::Watchdog;
use kgq_engine::query::Form;
use kgq_graph::graph::Graph;
use kgq_graph::render::Written;
use kgq_graph::request::bundle::{Bundle, CitationStyle, Question, make, timestamp};
use kgq_snapshot::store::WholeFile;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::text::{count, visible};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Write an answer to one file with what proves it: the statements of each row, their sources, the state of the graph
///
/// The file is an RO-Crate 1.2 in a ZIP archive. `kgq verify` checks it without the graph, and tells whether a graph at hand still gives
/// the answer. Without a signature it shows that nothing was changed by accident, not who made it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq bundle ministries --output ministries.zip
  kgq bundle tasks-of-sector sector=telecoms --output telecoms.zip --citation bibtex
  kgq bundle 'SELECT ?city { ?city a ou:Region }' --output cities.zip --sign ~/.ssh/id_ed25519

The time is that of SOURCE_DATE_EPOCH, if that is set: then the same files give the same bytes.")]
pub struct Args {
    #[command(flatten)]
    pub asked: AskedArgs,
    /// Write it to this file, which is replaced when the bundle is whole
    #[arg(long, short, value_name = "FILE.zip")]
    pub output: PathBuf,
    /// Sign it with this SSH key, by ssh-keygen, in the namespace `kgq`
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Print how to cite the answer, to paste
    #[arg(long, value_enum, value_name = "STYLE")]
    pub citation: Option<Style>,
    #[command(flatten)]
    pub sources: SourceArgs,
}

/// In which form a citation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    Text,
    Bibtex,
    CslJson,
}

impl Style {
    pub fn of(self, bundle: &Bundle) -> Result<String> {
        bundle.citation(match self {
            Self::Text => CitationStyle::Text,
            Self::Bibtex => CitationStyle::Bibtex,
            Self::CslJson => CitationStyle::CslJson,
        })
    }
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    graph.refuse_own_file(&args.output)?;
    if args.output.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("zip")) {
        return Err(Error::usage(format!(
            "{}: a bundle is a ZIP archive, and the name does not end in .zip",
            args.output.display()
        ))
        .hint(format!("write `--output {}`", args.output.with_extension("zip").display())));
    }
    probe_file(&args.output)?;
    let started = Instant::now();
    let asked = args.asked.read(graph)?;
    let question = match &asked {
        Asked::Canned(canned, values) => Question::canned(canned, values, graph)?,
        Asked::Written { text, .. } => Question::written(text.clone()),
    };
    let _watchdog = Watchdog::of_query(graph)?;
    let mut bundle = make(graph, &question, now()?, revision::state(graph), &args.sources.source)?;
    if let Some(key) = &args.sign {
        bundle.sign(sign(key, &bundle.checksums()?)?);
    }
    write(&args.output, &bundle.archive()?)?;
    if let Some(style) = args.citation {
        print_citation(&style.of(&bundle)?, output)?;
    }
    let (rows, statements) = (bundle.rows() as u64, bundle.statements() as u64);
    output.note(&format!(
        "{}: {} resting on {}{}",
        args.output.display(),
        count(rows, "row", "rows"),
        count(statements, "statement", "statements"),
        if bundle.signature().is_some() { ", signed" } else { "" }
    ));
    if rows == 0 {
        explain(&asked, started, graph, output)?;
    }
    Ok(0)
}

/// Says why an answer is empty.
fn explain(asked: &Asked<'_>, started: Instant, graph: &Graph, output: &mut Output) -> Result<()> {
    let (query, source) = match asked {
        Asked::Canned(canned, values) => (graph.parse_canned(canned, values)?, canned.source()),
        Asked::Written { name, text } => (graph.parse(Source::new(name, text))?, Source::new(name, text)),
    };
    let written = Written { truth: (query.form() == Form::Ask).then_some(false), ..Written::default() };
    let advice = AdviceArgs::default();
    Adviser::new(&advice, source, &query).after(written, started.elapsed(), graph, output)
}

/// Prints a citation to be pasted; control characters in the graph's texts are made visible.
pub fn print_citation(citation: &str, output: &mut Output) -> Result<()> {
    citation.lines().try_for_each(|line| output.line(&visible(line)))
}

/// The current time, or the time in `SOURCE_DATE_EPOCH`, for reproducible output.
fn now() -> Result<String> {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            text.parse().map_err(|_| Error::usage(format!("SOURCE_DATE_EPOCH: `{text}` is no number of seconds")))?
        }
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
    };
    Ok(timestamp(seconds))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut whole = WholeFile::create(path, super::unfinished())?;
    whole.file().write_all(bytes).map_err(|error| Error::io(path.display(), &error))?;
    whole.finish()
}
