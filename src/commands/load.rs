//! `kgq load`.

use super::answer::seconds;
use super::build::named_inputs;
use super::output::Output;
use super::progress::Progress;
use kgq_graph::graph::Graph;
use kgq_snapshot::store::{Dataset, Input, load_into_store};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, thousands, visible};
use rustc_hash::FxHashSet;
use std::time::Instant;

/// Say whether files (or the project's) load, how fast, and what each holds by graph; nothing is kept
///
/// It reads them all and puts them into an Oxigraph store in memory, as a server of Oxigraph would: whether that takes these
/// files, and at what speed. Every broken file is reported. No other command needs it: `kgq query -d FILE` reads by itself, and
/// `kgq build` makes what opens at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDF files, folders or globs; without any, those of the project or of -d
    pub files: Vec<String>,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let inputs = if args.files.is_empty() { graph.inputs()? } else { named_inputs(&args.files, graph, output)? };
    let started = Instant::now();
    let progress = Progress::start(output);
    let tell = |name: &str, quads: u64| progress.read(name, quads);
    let budget = graph.loading_budget();
    let dataset = Dataset::read(&inputs, graph.read_options(&budget, Some(&tell)))?;
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
    let without: FxHashSet<&str> =
        dataset.files.iter().filter(|file| file.graphs.is_empty()).map(|file| file.name.as_str()).collect();
    let empty: Vec<Input> = inputs.iter().filter(|input| without.contains(input.name.as_str())).cloned().collect();
    for key in graph.undefined_keys(&empty) {
        key.write_text(output.err_colour, &mut output.err).map_err(|e| Error::io("the standard error", &e))?;
    }
    let rate = stored as f64 / elapsed.as_secs_f64().max(0.000_001);
    output.line(&format!(
        "{:>12}  distinct in {}",
        thousands(stored as u64),
        count(inputs.len() as u64, "file", "files")
    ))?;
    output.note(&format!("loaded in {}, {} statements/s", seconds(elapsed), thousands(rate as u64)));
    Ok(0)
}
