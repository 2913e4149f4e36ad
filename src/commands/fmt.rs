//! `kgq fmt`.

use super::descriptors::raise_limit;
use super::editing::lock;
use super::output::{Output, write_to};
use super::terminal::Content;
use kgq_graph::graph::Graph;
use kgq_graph::request::format::{Formatted, format, format_text};
use kgq_graph::request::replace::{Replaced, replace};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::{count, visible};
use std::io::Read;

/// Write Turtle and TriG the same way every time, so that a change of one fact is a change of one line
///
/// Prefixes in use come first, sorted. Each subject is a block of facts, one a line, types and names first; a comment between
/// blank lines begins a section, within which subjects are sorted; every other comment stays with what it stands at.
/// The formatted text is read again before it is written: a file whose graph would change is left as it is, as is
/// one with a mistake, which is reported.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Turtle or TriG files, folders or globs of them, `-` for standard input to standard output; without any, those of the project
    pub files: Vec<String>,

    /// Write nothing: name the files that would change, and exit with 1 if there are any
    #[arg(long)]
    pub check: bool,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if args.files.iter().any(|name| name == "-") {
        return standard_input(args, graph, output);
    }
    let (mut names, mut changed) = (Vec::new(), Vec::new());
    let Formatted { files, mut errors } = format(graph, &args.files, &mut |file| {
        names.push(visible(&file.name).into_owned());
        if !args.check {
            changed.push(file);
        }
    })?;
    if !args.check
        && let Err(error) = write(graph, changed, output)
    {
        errors.push(error);
        names.clear();
    }
    names.iter().try_for_each(|name| output.line(name))?;
    let what = if args.check { "would change" } else { "changed" };
    output.note(&format!("{} of {} {what}", names.len(), count(files as u64, "file", "files")));
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(if args.check && !names.is_empty() { Kind::Check.exit_code() } else { 0 }),
    }
}

fn write(graph: &Graph, files: Vec<Replaced>, output: &mut Output) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    // All files stay open until each of them is written beside its place.
    raise_limit();
    let lock = graph.project().map(|project| lock(&project.root, output)).transpose()?;
    replace(lock.as_ref(), files, &graph.options().unfinished)
}

fn standard_input(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if args.files.len() > 1 {
        return Err(Error::usage("standard input is formatted alone: `kgq fmt -`"));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| Error::io("standard input", &e))?;
    let formatted = format_text(graph, "<stdin>", bytes)?;
    if args.check {
        return Ok(if formatted.is_changed { Kind::Check.exit_code() } else { 0 });
    }
    write_to(None, Content::Rdf, output, |w| {
        w.write_all(formatted.text.as_bytes()).map_err(|e| Error::io("the output", &e))
    })?;
    Ok(0)
}
