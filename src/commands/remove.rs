//! `kgq remove`.

use super::editing::{RefactorArgs, iri};
use super::output::Output;
use kgq_edit::refactor::removal;
use kgq_graph::graph::Graph;
use kgq_graph::render::cell;
use kgq_syntax::error::{Kind, Result};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::{count, visible};

/// Remove a thing: what is said of it, with the annotations of these statements
///
/// Where something else names the thing, it is said, and nothing is removed unless by --force; what names it stays then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kgq remove person:nobody --dry-run")]
pub struct Args {
    /// The thing: a CURIE or an IRI
    #[arg(value_name = "THING")]
    pub thing: String,
    /// Remove it although something names it
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub refactor: RefactorArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let writer = args.refactor.open(graph, output)?;
    let thing = NamedNode::new_unchecked(iri(&writer.graph, &args.thing)?);
    let removal = removal(&writer.graph, &writer.files, &thing)?;
    if removal.change.removed.is_empty() {
        return Err(writer.files.says_nothing_of(&writer.graph, &thing)?);
    }
    let prefixes = writer.graph.prefixes()?;
    for quad in &removal.references {
        let cell = |term: &oxrdf::Term| cell(term, prefixes);
        let (subject, predicate) = (cell(&quad.subject.clone().into()), cell(&quad.predicate.clone().into()));
        output.line(&format!("named by {subject}  {predicate}  {}", cell(&quad.object)))?;
    }
    for file in &removal.files {
        output.line(&format!("named in {}", visible(file)))?;
    }
    let names = (removal.references.len() + removal.files.len()) as u64;
    if names > 0 && !args.force {
        output.note(&format!(
            "refused: {} it; `--force` removes it all the same",
            count(names, "place names", "places name")
        ));
        return Ok(Kind::Check.exit_code());
    }
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &removal.change, &args.refactor.settings())?;
    args.refactor.carry_out(&writer, &edit, output)
}
