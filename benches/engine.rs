//! Times queries in process: each one warm, the median of several runs, its whole answer read.
//!
//! `cargo bench --bench engine -- --data FILE --queries DIR [--executor kgq|oxigraph] [--runs N] [--timeout SECONDS]`
//! prints a line a query, separated by tabs: name, milliseconds, rows, a hash of the answer that does not depend on order,
//! blank nodes or how numbers are written. `benches/compare.py` sets it beside other engines.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use kgq::engine::{self, Answer, EvaluationOptions, Executor, Limits};
use kgq::error::{Result, Source};
use kgq::query::{ParseContext, Query, parse_query};
use kgq::rdf::{Prefixes, Term};
use kgq::snapshot::Snapshot;
use kgq::store::{Input, ReadOptions, read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

struct Options {
    data: PathBuf,
    queries: PathBuf,
    executor: Executor,
    runs: usize,
    timeout: Duration,
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let (mut data, mut queries) = (None, None);
    let (mut executor, mut runs, mut timeout) = (Executor::Kgq, 3, Duration::from_secs(30));
    while let Some(name) = arguments.next() {
        match name.as_str() {
            // What `cargo bench` itself passes.
            "--bench" => {}
            "--data" => data = Some(PathBuf::from(arguments.next()?)),
            "--queries" => queries = Some(PathBuf::from(arguments.next()?)),
            "--executor" => {
                executor = if arguments.next()? == "oxigraph" { Executor::Oxigraph } else { Executor::Kgq };
            }
            "--runs" => runs = arguments.next()?.parse().ok()?,
            "--timeout" => timeout = Duration::from_secs_f64(arguments.next()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(Options { data: data?, queries: queries?, executor, runs, timeout })
}

fn main() -> Result<()> {
    let Some(options) = options() else {
        eprintln!(
            "usage: cargo bench --bench engine -- --data FILE --queries DIR [--executor kgq|oxigraph] [--runs N] [--timeout SECONDS]"
        );
        return Ok(());
    };
    let started = Instant::now();
    let input = Input::file(&options.data.to_string_lossy(), &options.data, None)?;
    let parsed = read(&input, 0, ReadOptions { lenient: true, ..ReadOptions::default() })?;
    let snapshot = Snapshot::from_quads(parsed.quads)?;
    eprintln!("{} triples loaded in {:.1} s", snapshot.triple_count(), started.elapsed().as_secs_f64());
    for file in query_files(&options.queries) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match time_query(&snapshot, &file, &options) {
            Ok((ms, rows, hash)) => println!("{name}\t{ms:.3}\t{rows}\t{hash:016x}"),
            Err(error) => println!("{name}\tfailed\t{}\t-", error.message()),
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

/// The median time in milliseconds, the rows, and the hash of the answer.
fn time_query(snapshot: &Snapshot, file: &Path, options: &Options) -> Result<(f64, u64, u64)> {
    let name = file.to_string_lossy();
    let text = std::fs::read_to_string(file).map_err(|e| kgq::error::Error::io(&name, &e))?;
    let context = ParseContext { prefixes: &Prefixes::new(), base: None, bounds: Default::default() };
    let query = parse_query(Source::new(&name, &text), context)?;
    let (rows, hash) = answer(snapshot, &query, options, true)?;
    let mut times = Vec::new();
    for _ in 0..options.runs.max(1) {
        let started = Instant::now();
        answer(snapshot, &query, options, false)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], rows, hash))
}

/// Reads the whole answer; its hash only where asked, as hashing is no part of answering.
fn answer(snapshot: &Snapshot, query: &Query, options: &Options, hashed: bool) -> Result<(u64, u64)> {
    let limits = Limits { time: Some(options.timeout), ..Limits::default() };
    let evaluation = EvaluationOptions { executor: options.executor, limits, ..EvaluationOptions::default() };
    let (mut rows, mut hash) = (0, 0u64);
    let mut add = |cells: Vec<String>| hash = hash.wrapping_add(fnv(cells.join("\t").as_bytes()));
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
                if hashed {
                    add(order.iter().map(|at| row[*at].as_ref().map_or(String::new(), canonical)).collect());
                }
            }
        }
        Answer::Graph(triples) => {
            for triple in triples.0 {
                let triple = triple?;
                rows += 1;
                if hashed {
                    let terms = [triple.subject.into(), triple.predicate.into(), triple.object];
                    add(terms.iter().map(canonical).collect());
                }
            }
        }
    }
    Ok((rows, hash))
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

/// FNV-1a, which `compare.py` computes too.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
