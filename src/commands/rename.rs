//! `kgq rename`.

use super::editing::{RefactorArgs, iri};
use super::output::Output;
use kgq_edit::refactor::{Renaming, keep_old, rename};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};

/// Give a term, or all terms of a namespace, another IRI in every file of the project
///
/// Ontology, data, shapes, queries, expected answers and kgq.toml change together, with what comments and headers name by CURIE or IRI.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq rename voc:Persn voc:Person --dry-run
  kgq rename voc:isIn voc:partOf --keep              the old one stays, as deprecated
  kgq rename http://localhost/ https://data.example.org/")]
pub struct Args {
    /// The old name: a CURIE, an IRI, or a namespace (`voc:`, or an IRI that ends in `/` or `#`)
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The new name
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Leave the old IRI with owl:deprecated and dcterms:isReplacedBy
    #[arg(long)]
    pub keep: bool,
    #[command(flatten)]
    pub refactor: RefactorArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let writer = args.refactor.open(graph, output)?;
    let (old, new) = (iri(&writer.graph, &args.old)?, iri(&writer.graph, &args.new)?);
    let ends = |iri: &str| iri.ends_with(['/', '#']);
    let is_namespace = ends(&old) || args.old.ends_with(':');
    if args.keep && is_namespace {
        return Err(Error::usage("`--keep` is for one term, not for a namespace"));
    }
    let renaming = Renaming { old, new, is_namespace };
    let mut edit = rename(&writer.graph, &writer.files, &renaming, false, &args.refactor.settings())?;
    if args.keep {
        edit = keep_old(&writer.graph, edit, &renaming, &args.refactor.settings())?;
    }
    args.refactor.carry_out(&writer, &edit, output)
}
