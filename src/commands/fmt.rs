//! `kgq fmt`.

use super::output::{Output, write_to};
use super::replace::{self, Replaced};
use super::terminal::Content;
use kgq_graph::format;
use kgq_graph::graph::Graph;
use kgq_graph::project::named_files;
use kgq_snapshot::store::{Input, is_pipe, open_file};
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::rdf::{Compression, RdfFormat};
use kgq_syntax::text::{count, visible};
use kgq_syntax::turtle::tree::Dialect;
use rustc_hash::FxHashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

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
    let files = files(args, graph)?;
    let (mut errors, mut changed, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (name, path, dialect) in &files {
        match one(name, path, *dialect, graph) {
            Ok(Some(replaced)) => {
                names.push(name);
                changed.extend((!args.check).then_some(replaced));
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    if let Err(error) = write(graph, changed, output) {
        errors.push(error);
        names.clear();
    }
    for name in &names {
        output.line(&visible(name))?;
    }
    let what = if args.check { "would change" } else { "changed" };
    output.note(&format!("{} of {} {what}", names.len(), count(files.len() as u64, "file", "files")));
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(if args.check && !names.is_empty() { Kind::Check.exit_code() } else { 0 }),
    }
}

/// The files to format: the named ones, or those of the project that can be formatted.
fn files(args: &Args, graph: &Graph) -> Result<Vec<(String, PathBuf, Dialect)>> {
    if args.files.is_empty() {
        let files = graph.require_project()?.files()?.into_iter();
        return Ok(files.filter_map(|f| dialect(&f.name, None).map(|d| (f.name, f.path, d))).collect());
    }
    let mut files = Vec::new();
    for named in &args.files {
        let path = Path::new(named);
        if is_pipe(path) {
            return Err(Error::usage(format!("{} is no file that can be written back", visible(named)))
                .hint("`kgq fmt -` formats the standard input to the standard output"));
        }
        for name in named_files(std::slice::from_ref(named))?.files {
            match dialect(&name, graph.options().input_format) {
                Some(dialect) => files.push((name.clone(), PathBuf::from(name), dialect)),
                // In a folder or a glob, files other than Turtle and TriG are skipped.
                None if name != *named => {}
                None => {
                    if !path.exists() {
                        open_file(named, path)?;
                    }
                    return Err(Error::usage(format!("{} is neither Turtle nor TriG", visible(&name)))
                        .hint("`kgq fmt` writes `.ttl` and `.trig` files that are not compressed"));
                }
            }
        }
    }
    // A file that two names mean is formatted once.
    let mut seen = FxHashSet::default();
    files.retain(|(_, path, _)| seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(files)
}

fn dialect(name: &str, format: Option<RdfFormat>) -> Option<Dialect> {
    if Compression::strip(name).1 != Compression::None {
        return None;
    }
    match format.or_else(|| RdfFormat::from_path(name))? {
        RdfFormat::Turtle => Some(Dialect::Turtle),
        RdfFormat::TriG => Some(Dialect::TriG),
        _ => None,
    }
}

/// Formats one file; `None` if it stays as it is.
fn one(name: &str, path: &Path, dialect: Dialect, graph: &Graph) -> Result<Option<Replaced>> {
    let (mut stored, mut bytes) = (Vec::new(), Vec::new());
    let input = Input::file(name, path, Some(RdfFormat::Turtle))?;
    let reading = |e| Error::io(name, &e);
    input.stored()?.read_to_end(&mut stored).map_err(reading)?;
    // Without a byte order mark, which is no part of the text.
    input.text_of(stored.as_slice(), graph.options().bounds)?.read_to_end(&mut bytes).map_err(reading)?;
    let text = text(name, bytes)?;
    let formatted =
        format::turtle(Source::new(name, &text), dialect, &graph.options().bounds, &graph.options().budget)?;
    let is_changed = formatted != text;
    let replaced = Replaced { path: path.to_owned(), before: Some(stored), after: formatted.into_bytes() };
    Ok(is_changed.then_some(replaced))
}

fn write(graph: &Graph, files: Vec<Replaced>, output: &mut Output) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let lock = graph.project().map(|project| replace::lock(&project.root, output)).transpose()?;
    replace::replace(lock.as_ref(), files)
}

fn standard_input(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    if args.files.len() > 1 {
        return Err(Error::usage("standard input is formatted alone: `kgq fmt -`"));
    }
    let dialect = match graph.options().input_format {
        Some(RdfFormat::TriG) => Dialect::TriG,
        _ => Dialect::Turtle,
    };
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| Error::io("standard input", &e))?;
    let text = text("<stdin>", bytes)?;
    let formatted =
        format::turtle(Source::new("<stdin>", &text), dialect, &graph.options().bounds, &graph.options().budget)?;
    if args.check {
        return Ok(if formatted == text { 0 } else { Kind::Check.exit_code() });
    }
    write_to(None, Content::Rdf, output, |w| {
        w.write_all(formatted.as_bytes()).map_err(|e| Error::io("the output", &e))
    })?;
    Ok(0)
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..valid]).into_owned();
        Error::input("this is not UTF-8").at(Source::new(name, &before).place(valid..valid))
    })
}
