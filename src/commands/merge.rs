//! `kgq merge`.

use super::editing::{RefactorArgs, iri};
use super::output::Output;
use kgq_edit::refactor::{Renaming, rename};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::NamedNode;

/// Make one thing of two: whatever is said of OLD, or names it, is said of NEW
///
/// Both must be there. Where both stand in one section of a formatted file, their blocks become one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq merge person:a-lovelace person:ada --dry-run")]
pub struct Args {
    /// The thing that goes: a CURIE or an IRI
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The thing that stays
    #[arg(value_name = "NEW")]
    pub new: String,
    #[command(flatten)]
    pub refactor: RefactorArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let writer = args.refactor.open(graph, output)?;
    let (old, new) = (iri(&writer.graph, &args.old)?, iri(&writer.graph, &args.new)?);
    if old == new {
        return Err(Error::usage("both names stand for one thing"));
    }
    for iri in [&old, &new] {
        if !writer.files.subjects().any(|subject| subject.as_str() == iri) {
            let error = writer.files.says_nothing_of(&writer.graph, &NamedNode::new_unchecked(iri))?;
            return Err(error.hint("`kgq rename` gives one thing another name"));
        }
    }
    let renaming = Renaming { old, new, is_namespace: false };
    let edit = rename(&writer.graph, &writer.files, &renaming, true, &args.refactor.settings())?;
    args.refactor.carry_out(&writer, &edit, output)
}
