//! `kgq mcp`.

use super::output::Output;
use super::watchdog::Watchdog;
use crate::mcp::{self, CLIENTS, CallBudget, Current, Face};
use kgq_graph::graph::{Graph, Live};
use kgq_syntax::budget::{Limits, Work};
use kgq_syntax::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Let a language model ask the graph, by the Model Context Protocol on the standard streams
///
/// A client starts it by itself: `--print-config` prints what its settings need. The model finds things by name, reads what the graph
/// says of them, asks by SPARQL and by the project's canned queries, and is told the citation of each row. It reads the graph alone: no
/// other file, no network. `[mcp]` in kgq.toml says which canned queries are tools, how much an answer may be, and what the model is
/// told first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq mcp --print-config claude-desktop
  kgq mcp -d people.ttl")]
pub struct Args {
    /// Print the settings by which this client starts it for this graph: claude-desktop, claude-code, cursor, vscode, codex
    #[arg(long, value_name = "CLIENT", value_parser = clap::builder::PossibleValuesParser::new(CLIENTS), hide_possible_values = true)]
    pub print_config: Option<String>,
    /// How the program was started.
    #[arg(skip)]
    pub program: PathBuf,
}

/// The number of calls that run at once.
const PLACES: usize = 4;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if let Some(client) = &args.print_config {
        return print_config(client, &args.program, graph, output);
    }
    let watchdog = Watchdog::of_loading(graph.options());
    graph.load()?;
    drop(watchdog);
    let live = Live::new(graph.clone());
    let current: Current = Arc::new(move || {
        // Broken files leave the graph as it was; the model is told.
        let _ = live.refresh();
        (live.graph(), live.broken())
    });
    let budget = graph.options().budget.clone();
    let part: CallBudget = Arc::new(move |_| budget.child(Work::Query, Limits::default()));
    mcp::serve(Face::new(current, PLACES, part))?;
    Ok(0)
}

fn print_config(client: &str, program: &Path, graph: &Graph, output: &mut Output) -> Result<u8> {
    // The process's executable may be an interpreter that runs the program. A name without a folder only says that it was found
    // on the path.
    let program = if program.components().count() > 1 && program.is_file() {
        std::path::absolute(program)
    } else {
        std::env::current_exe()
    };
    let program = program.map_err(|error| Error::io("this program", &error))?;
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).map_err(|error| Error::io(path.display(), &error))?;
        Ok(path.display().to_string())
    };
    let mut arguments = vec!["mcp".to_owned()];
    let options = graph.options();
    match graph.project() {
        Some(project) => arguments.extend(["-C".to_owned(), absolute(&project.root)?]),
        None if options.whole_folder => arguments.extend(["-C".to_owned(), absolute(&options.folder)?]),
        None => {
            for file in &options.files {
                arguments.extend(["-d".to_owned(), absolute(file.as_ref())?]);
            }
            if let Some(snapshot) = &options.snapshot {
                arguments.extend(["--snapshot".to_owned(), absolute(snapshot)?]);
            }
        }
    }
    let settings = mcp::print_config(client, &program.display().to_string(), &arguments);
    let settings = settings.ok_or_else(|| Error::usage(format!("the clients are {}", CLIENTS.join(", "))))?;
    output.page(&settings.text)?;
    output.note(&format!("add this to {}", settings.file));
    Ok(0)
}
