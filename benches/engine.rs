//! Times queries in process: each one warm, the median of several runs, its whole answer read, every term made.
//!
//! `cargo bench --bench engine -- --data FILE | --snapshot FILE [--queries DIR] [--executor kgq|oxigraph] [--timeout SECONDS]
//! [--max-memory BYTES]` prints a line a query, separated by tabs: name, milliseconds, rows, a digest of the answer that does not
//! depend on order, blank nodes or how numbers are written. Without `--queries` it is told queries' files on standard input and
//! answers in lines of JSON, as `benches/peers.py` does: so `benches/compare.py` sets it beside other engines.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Executor, Limits};
use kgq_snapshot::store::Input;
use kgq_snapshot::{BuildOptions, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Prefixes, Term};
use md5::{Digest, Md5};
use serde_json::json;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A query is repeated while this is not spent, at least `RUNS` times, so that short ones are not judged by one hiccup.
const REPEATED: Duration = Duration::from_millis(100);
const RUNS: usize = 3;
const MOST_RUNS: usize = 30;
/// One that takes this long is not run again: its first time stands.
const LONG: Duration = Duration::from_secs(8);

#[derive(Default)]
struct Options {
    data: Option<PathBuf>,
    snapshot: Option<PathBuf>,
    queries: Option<PathBuf>,
    executor: Executor,
    limits: Limits,
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options { executor: Executor::Kgq, ..Options::default() };
    while let Some(name) = arguments.next() {
        match name.as_str() {
            // What `cargo bench` itself passes.
            "--bench" => {}
            "--data" => options.data = Some(PathBuf::from(arguments.next()?)),
            "--snapshot" => options.snapshot = Some(PathBuf::from(arguments.next()?)),
            "--queries" => options.queries = Some(PathBuf::from(arguments.next()?)),
            "--executor" => {
                options.executor = if arguments.next()? == "oxigraph" { Executor::Oxigraph } else { Executor::Kgq };
            }
            "--timeout" => options.limits.time = Some(Duration::from_secs_f64(arguments.next()?.parse().ok()?)),
            "--max-memory" => options.limits.memory = Some(arguments.next()?.parse().ok()?),
            _ => return None,
        }
    }
    (options.data.is_some() != options.snapshot.is_some()).then_some(options)
}

fn main() -> Result<()> {
    let Some(options) = options() else {
        eprintln!(
            "usage: cargo bench --bench engine -- --data FILE | --snapshot FILE [--queries DIR] [--executor kgq|oxigraph] \
             [--timeout SECONDS] [--max-memory BYTES]"
        );
        return Ok(());
    };
    let started = Instant::now();
    let snapshot = snapshot(&options)?;
    let ready = started.elapsed().as_secs_f64();
    let Some(folder) = &options.queries else { return serve(&snapshot, &options, ready) };
    eprintln!("{} triples loaded in {ready:.1} s", snapshot.triple_count());
    for file in query_files(folder) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match time_query(&snapshot, &file, &options, |_| {}) {
            Ok(Timed { ms, rows, digest, .. }) => println!("{name}\t{ms:.3}\t{rows}\t{digest:016x}"),
            Err(error) => println!("{name}\tfailed\t{}\t-", error.message()),
        }
    }
    Ok(())
}

fn snapshot(options: &Options) -> Result<Snapshot> {
    match (&options.data, &options.snapshot) {
        (Some(data), _) => {
            let input = Input::file(&data.to_string_lossy(), data, None)?;
            Ok(Snapshot::load(&[input], &BuildOptions { lenient: true, ..BuildOptions::default() })?.0)
        }
        (None, Some(path)) => Snapshot::open(path),
        (None, None) => Err(Error::bug("one of them is given")),
    }
}

fn serve(snapshot: &Snapshot, options: &Options, ready: f64) -> Result<()> {
    let say = |line: serde_json::Value| {
        println!("{line}");
        let _ = std::io::stdout().flush();
    };
    say(json!({ "ready": ready }));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match time_query(snapshot, Path::new(line.trim()), options, |ms| say(json!({ "first": ms }))) {
            Ok(Timed { ms, cpu, rows, digest }) => {
                say(json!({ "ms": ms, "cpu": cpu, "rows": rows, "digest": format!("{digest:016x}") }));
            }
            Err(error) => say(json!({ "failed": error.message() })),
        }
    }
    Ok(())
}

fn query_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "rq" || e == "sparql")).collect();
    files.sort();
    files
}

/// What a query took, and its answer.
struct Timed {
    /// The median time in milliseconds.
    ms: f64,
    /// The median of the processor's milliseconds, in all threads.
    cpu: f64,
    rows: u64,
    digest: u64,
}

/// `first` is told the time of the first run.
fn time_query(snapshot: &Snapshot, file: &Path, options: &Options, first: impl Fn(f64)) -> Result<Timed> {
    let name = file.to_string_lossy();
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(&name, &e))?;
    // A hundred thousand values are a text of several megabytes.
    let bounds = Bounds { max_query_size: 16 << 20, ..Bounds::default() };
    let context = ParseContext { prefixes: &Prefixes::new(), base: None, bounds };
    let timed = |digested| {
        let (started, worked) = (Instant::now(), processor_time());
        // Peers are given the text too.
        let query = parse_query(Source::new(&name, &text), context)?;
        let found = answer(snapshot, &query, options, digested)?;
        Ok::<_, Error>(((started.elapsed(), processor_time().saturating_sub(worked)), found))
    };
    let (spent @ (elapsed, _), _) = timed(false)?;
    first(elapsed.as_secs_f64() * 1000.0);
    let (_, (rows, digest)) = timed(true)?;
    let mut runs = vec![spent];
    if elapsed < LONG {
        runs.clear();
        while runs.len() < RUNS
            || runs.len() < MOST_RUNS && runs.iter().map(|(elapsed, _)| *elapsed).sum::<Duration>() < REPEATED
        {
            runs.push(timed(false)?.0);
        }
    }
    let (elapsed, worked): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    Ok(Timed { ms: median(elapsed), cpu: median(worked), rows, digest })
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// What this process has had of the processor.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Reads the whole answer; its digest only where asked, as that is no part of answering.
fn answer(snapshot: &Snapshot, query: &Query, options: &Options, digested: bool) -> Result<(u64, u64)> {
    let evaluation =
        EvaluationOptions { executor: options.executor, limits: options.limits, ..EvaluationOptions::default() };
    let (mut rows, mut digest) = (0, 0u64);
    let mut add = |cells: Vec<String>| digest = digest.wrapping_add(start_of_md5(&cells.join("\t")));
    match engine::evaluate(snapshot, query, &evaluation)? {
        Answer::Boolean(value) => {
            rows = 1;
            add(vec![value.to_string()]);
        }
        Answer::Solutions(solutions) => {
            let mut order: Vec<usize> = (0..solutions.variables.len()).collect();
            order.sort_by_key(|at| solutions.variables[*at].as_str().to_owned());
            for row in solutions.rows {
                let row = row?;
                rows += 1;
                if digested {
                    add(order.iter().map(|at| row[*at].as_ref().map_or(String::new(), canonical)).collect());
                }
            }
        }
        Answer::Graph(triples) => {
            for triple in triples.0 {
                let triple = triple?;
                rows += 1;
                if digested {
                    let terms = [triple.subject.into(), triple.predicate.into(), triple.object];
                    add(terms.iter().map(canonical).collect());
                }
            }
        }
    }
    Ok((rows, digest))
}

/// A term as every engine must mean it: numbers by value to nine digits, blank nodes alike.
fn canonical(term: &Term) -> String {
    match term {
        Term::BlankNode(_) => "_".into(),
        Term::Literal(literal) => {
            let numeric = ["integer", "decimal", "double", "float", "int", "long"]
                .iter()
                .any(|n| literal.datatype().as_str() == format!("http://www.w3.org/2001/XMLSchema#{n}"));
            match literal.value().parse::<f64>() {
                Ok(number) if numeric => format!("{number:.8e}"),
                _ => match literal.language() {
                    Some(language) => format!("\"{}\"@{}", literal.value(), language.to_lowercase()),
                    None => format!("\"{}\"", literal.value()),
                },
            }
        }
        other => other.to_string(),
    }
}

/// What `peers.py` computes too.
fn start_of_md5(text: &str) -> u64 {
    let digest = Md5::digest(text.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| digest[at]))
}
