//! `kgq init`.

use super::editing::lock;
use super::output::Output;
use super::terminal::Content;
use kgq_graph::graph::Graph;
use kgq_graph::project::MANIFEST;
use kgq_graph::request::replace::{Replaced, replace};
use kgq_graph::survey::draft;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, visible};
use std::path::PathBuf;

/// Make a project of a folder that has RDF files already: look at them, and write the kgq.toml that fits
///
/// It tells ontologies from data and queries by what they hold, guesses the base IRI, takes over prefixes, leaves out what is no
/// RDF or cannot be read, and says in comments what it chose and why. `kgq new` makes a project in a new folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq init                  look at this folder, write kgq.toml
  kgq init --dry-run        print what it would write")]
pub struct Args {
    /// The folder; without it, the one of -C
    // Not `folder`: an argument of that name is the global `-C`.
    #[arg(value_name = "DIR")]
    pub place: Option<PathBuf>,
    /// Print the kgq.toml and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let folder = args.place.as_ref().unwrap_or(&graph.options().folder);
    let shown = visible(&folder.display().to_string()).into_owned();
    if !folder.is_dir() {
        return Err(Error::input(format!("{shown}: there is no such folder")).hint("`kgq new DIR` makes one"));
    }
    let file = folder.join(MANIFEST);
    if file.exists() && !args.dry_run {
        return Err(Error::input(format!("{shown} is a project already: it has a {MANIFEST}"))
            .hint("`--dry-run` prints what would be written now"));
    }
    let budget = graph.loading_budget();
    let options = graph.read_options(&budget, None);
    let draft = draft(folder, options)?;
    if args.dry_run {
        return output.out.write_as(Content::Plain, |out| {
            out.write_all(draft.text.as_bytes()).map_err(|e| Error::io("the output", &e)).map(|()| 0)
        });
    }
    let lock = lock(folder, output)?;
    let name = file.display().to_string();
    let new = Replaced { name: name.clone(), path: file, before: None, after: draft.text.into_bytes() };
    replace(Some(&lock), vec![new], &graph.options().unfinished)?;
    drop(lock);
    let files = |n: usize, of: &str| (n > 0).then(|| format!("{} of {of}", count(n as u64, "file", "files")));
    let kinds = [(draft.ontology, "ontology"), (draft.data, "data"), (draft.queries, "queries")];
    let kinds: Vec<String> = kinds.into_iter().filter_map(|(n, of)| files(n, of)).collect();
    output.line(&format!("made {}: {}", visible(&name), kinds.join(", ")))?;
    for error in &draft.broken {
        output.warn(&error.clone().as_warning().prefixed("cannot be read, and is left out: "));
    }
    if !draft.broken.is_empty() {
        output.line(&format!(
            "left out {}; `kgq check` and `kgq info` name them until {MANIFEST} takes them",
            count(draft.broken.len() as u64, "file that cannot be read", "files that cannot be read")
        ))?;
    }
    if draft.left_out > 0 {
        output.line(&format!(
            "left out {}; comments in {MANIFEST} say why",
            count(draft.left_out as u64, "file that is no RDF", "files that are no RDF")
        ))?;
    }
    if draft.copies > 0 {
        let files = count(draft.copies as u64, "file that says", "files that say");
        output.line(&format!(
            "left out {files} the same as another one in another format; comments in {MANIFEST} name them"
        ))?;
    }
    let at = if shown == "." { String::new() } else { format!(" -C {shown}") };
    output.line(&format!("try: kgq{at} info, kgq{at} check, kgq{at}"))?;
    Ok(0)
}
