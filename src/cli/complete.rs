//! What a shell completes beside commands and options: names of canned queries, formats, engines, and the terms of a project that is
//! small enough to be read while somebody waits. What cannot be read is not offered: a shell has no place for its error.

use clap_complete::CompletionCandidate;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::render::Format;
use kgq_syntax::error::Result;
use kgq_syntax::text::visible;
use std::ffi::OsStr;

/// The largest project whose terms are completed, in bytes of its files.
const MOST_READ: u64 = 8 << 20;
/// How many terms are offered.
const MOST_OFFERED: usize = 100;

fn here() -> Result<Graph> {
    Graph::open(OpenOptions { folder: ".".into(), whole_folder: true, ..OpenOptions::default() })
}

fn candidate(value: &str, about: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help((!about.is_empty()).then(|| visible(about).into_owned().into()))
}

/// The project's canned queries, with their titles.
pub fn queries() -> Vec<CompletionCandidate> {
    let found = || -> Result<Vec<CompletionCandidate>> {
        let graph = here()?;
        let queries = graph.catalog()?.queries.iter();
        Ok(queries.map(|query| candidate(&query.name, query.title("en"))).collect())
    };
    found().unwrap_or_default()
}

/// The formats of answers.
pub fn formats() -> Vec<CompletionCandidate> {
    Format::ALL.iter().map(|format| candidate(format.name(), "")).collect()
}

/// What evaluates a query.
pub fn engines() -> Vec<CompletionCandidate> {
    ["kgq", "oxigraph"].map(|name| candidate(name, "")).into()
}

/// Things of the project whose CURIE begins so, with a label.
pub fn terms(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let found = || -> Result<Vec<CompletionCandidate>> {
        let graph = here()?;
        if graph.inputs()?.iter().map(|input| input.stored_size()).sum::<u64>() > MOST_READ {
            return Ok(Vec::new());
        }
        let (prefixes, labels) = (graph.prefixes()?, graph.labels()?);
        let mut names: Vec<(String, &str)> = labels
            .iter()
            .filter_map(|(label, thing)| Some((prefixes.shorten(thing.as_str())?, label)))
            .filter(|(name, _)| name.starts_with(typed.as_ref()))
            .collect();
        names.sort_unstable();
        names.dedup_by(|a, b| a.0 == b.0);
        Ok(names.iter().take(MOST_OFFERED).map(|(name, label)| candidate(name, label)).collect())
    };
    found().unwrap_or_default()
}
