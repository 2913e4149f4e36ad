//! `kgq load`.

use super::answer::seconds;
use super::output::Output;
use super::progress::Progress;
use kgq_graph::session::Session;
use kgq_snapshot::store::{Dataset, Input, ReadOptions, load_into_store};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, thousands, visible};
use std::path::Path;
use std::time::Instant;

/// Load files (or the project's) into Oxigraph, and count what they hold by file and graph
///
/// Every broken file is reported; if there is one, nothing is loaded.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDF files; without any, those of the project or of -d
    pub files: Vec<String>,
}

pub fn run(args: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    let inputs = if args.files.is_empty() {
        session.inputs()?
    } else {
        let mut inputs = Vec::new();
        let mut errors = Vec::new();
        for name in &args.files {
            match Input::file(name, Path::new(name), session.options.input_format) {
                Ok(input) => {
                    inputs.push(input.with_base(session.options.base.clone()).with_contexts(session.contexts()?))
                }
                Err(error) => errors.push(error),
            }
        }
        if let Some(error) = Error::all(errors) {
            return Err(error);
        }
        inputs
    };
    let started = Instant::now();
    let progress = Progress::start(output);
    let tell = |name: &str, quads: u64| progress.read(name, quads);
    let options =
        ReadOptions { lenient: session.options.lenient, bounds: session.options.bounds, progress: Some(&tell) };
    let dataset = Dataset::read(&inputs, options)?;
    let store = load_into_store(&dataset)?;
    drop(progress);
    let stored = store.len().map_err(|e| Error::bug(format!("the store cannot count: {e}")))?;
    for file in &dataset.files {
        for (graph, quads) in &file.graphs {
            let graph = graph.as_ref().map_or(String::new(), |graph| format!("  in {}", visible(graph)));
            output.line(&format!("{:>12}  {}{graph}", thousands(*quads), visible(&file.name)))?;
        }
        if file.graphs.is_empty() {
            output.line(&format!("{:>12}  {}", 0, visible(&file.name)))?;
        }
    }
    let elapsed = started.elapsed();
    let rate = stored as f64 / elapsed.as_secs_f64().max(0.000_001);
    output.line(&format!(
        "{:>12}  distinct in {}",
        thousands(stored as u64),
        count(inputs.len() as u64, "file", "files")
    ))?;
    output.note(&format!("loaded in {}, {} statements/s", seconds(elapsed), thousands(rate as u64)));
    Ok(0)
}
