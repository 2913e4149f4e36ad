//! `kgq move`.

use super::editing::{RefactorArgs, iri};
use super::output::Output;
use kgq_edit::refactor;
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::NamedNode;

/// Move a thing's blocks to another file of the project, with their comments
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq move person:ada data/mathematicians.ttl --dry-run")]
pub struct Args {
    /// The thing: a CURIE or an IRI
    #[arg(value_name = "THING")]
    pub thing: String,
    /// The file, relative to the project's folder; it is made if it is not there
    #[arg(value_name = "FILE")]
    pub file: String,
    #[command(flatten)]
    pub refactor: RefactorArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let mut writer = args.refactor.open(graph, output)?;
    let thing = NamedNode::new_unchecked(iri(&writer.graph, &args.thing)?);
    let target = writer.files.add_new(&writer.graph, &args.file)?;
    let edit = refactor::move_to(&writer.graph, &writer.files, &thing, target)?;
    args.refactor.carry_out(&writer, &edit, output)
}
