//! Files of Turtle and TriG written one way: those of the project, or named ones.

use super::replace::Replaced;
use crate::format;
use crate::graph::Graph;
use crate::project::named_files;
use kgq_snapshot::store::{Input, is_pipe, open_file};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Compression, RdfFormat};
use kgq_syntax::text::visible;
use kgq_syntax::turtle::tree::Dialect;
use rustc_hash::FxHashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files after formatting. None of them is written yet.
pub struct Formatted {
    /// The number of files that were read.
    pub files: usize,
    /// Why others cannot be formatted, one error a file.
    pub errors: Vec<Error>,
}

/// One text after formatting.
pub struct FormattedText {
    pub text: String,
    pub is_changed: bool,
}

struct File {
    name: String,
    path: PathBuf,
    dialect: Dialect,
}

/// Formats files, folders of files, or globs; without names, the files of the project. `changes` is given each file whose text
/// changes, in the order in which they are found.
///
/// # Errors
/// A name that is no file of Turtle or TriG. The mistakes of a file are in the result.
pub fn format(graph: &Graph, names: &[String], changes: &mut dyn FnMut(Replaced)) -> Result<Formatted> {
    let files = if names.is_empty() { of_project(graph)? } else { named(graph, names)? };
    let mut errors = Vec::new();
    for file in &files {
        match one(graph, file) {
            Ok(replaced) => replaced.into_iter().for_each(&mut *changes),
            Err(error) => errors.push(error),
        }
    }
    Ok(Formatted { files: files.len(), errors })
}

/// Formats a text; it is Turtle, unless the graph's files are read as TriG.
///
/// # Errors
/// A text that is not UTF-8 or has a mistake.
pub fn format_text(graph: &Graph, name: &str, bytes: Vec<u8>) -> Result<FormattedText> {
    let before = utf8(name, bytes)?;
    let dialect = match graph.options().input_format {
        Some(RdfFormat::TriG) => Dialect::TriG,
        _ => Dialect::Turtle,
    };
    let text = formatted(graph, name, &before, dialect)?;
    Ok(FormattedText { is_changed: text != before, text })
}

fn of_project(graph: &Graph) -> Result<Vec<File>> {
    let files = graph.require_project()?.files()?.into_iter();
    Ok(files.filter_map(|f| dialect(&f.name, None).map(|d| File { name: f.name, path: f.path, dialect: d })).collect())
}

fn named(graph: &Graph, names: &[String]) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for named in names {
        if is_pipe(Path::new(named)) {
            return Err(Error::usage(format!("{} is no file that can be written back", visible(named)))
                .hint("`kgq fmt -` formats the standard input to the standard output"));
        }
        for name in named_files(std::slice::from_ref(named))?.files {
            match dialect(&name, graph.options().input_format) {
                Some(dialect) => files.push(File { path: PathBuf::from(&name), name, dialect }),
                // In a folder or a glob, files other than Turtle and TriG are skipped.
                None if name != *named => {}
                None => return Err(not_formatted(&name)),
            }
        }
    }
    // A file that two names mean is formatted once.
    let mut seen = FxHashSet::default();
    files.retain(|file| seen.insert(std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone())));
    Ok(files)
}

/// Why a file that was named is not formatted: it does not exist, or is in another format.
fn not_formatted(name: &str) -> Error {
    let path = Path::new(name);
    if !path.exists()
        && let Err(error) = open_file(name, path)
    {
        return error;
    }
    Error::usage(format!("{} is neither Turtle nor TriG", visible(name)))
        .hint("`kgq fmt` writes `.ttl` and `.trig` files that are not compressed")
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
fn one(graph: &Graph, file: &File) -> Result<Option<Replaced>> {
    let name = file.name.as_str();
    let (mut stored, mut bytes) = (Vec::new(), Vec::new());
    let input = Input::file(name, &file.path, Some(RdfFormat::Turtle))?;
    let reading = |e| Error::io(name, &e);
    input.stored()?.read_to_end(&mut stored).map_err(reading)?;
    // Without a byte order mark, which is no part of the text.
    input.text_of(stored.as_slice(), graph.options().bounds)?.read_to_end(&mut bytes).map_err(reading)?;
    let before = utf8(name, bytes)?;
    let after = formatted(graph, name, &before, file.dialect)?;
    let is_changed = after != before;
    let (name, path) = (file.name.clone(), file.path.clone());
    let replaced = Replaced { name, path, before: Some(stored), after: after.into_bytes() };
    Ok(is_changed.then_some(replaced))
}

fn formatted(graph: &Graph, name: &str, text: &str, dialect: Dialect) -> Result<String> {
    format::turtle(Source::new(name, text), dialect, &graph.options().bounds, &graph.options().budget)
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..valid]).into_owned();
        Error::input("this is not UTF-8").at(Source::new(name, &before).place(valid..valid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::OpenOptions;

    #[test]
    fn files_are_given_as_they_would_be_written_and_mistakes_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("kgq.toml", "name = \"t\"\ndata = [\"*\", \"!kgq.toml\"]\n");
        write("a.ttl", "@prefix e: <http://e/> . e:a e:p 1 .");
        write("b.ttl", "@prefix e: <http://e/> .\n\ne:a\n    e:p 1 ;\n.\n");
        write("c.ttl", "e:a e:p 1 .");
        write("d.nt", "<http://e/a> <http://e/p> \"1\" .");
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        let mut all = Vec::new();
        let found = format(&graph, &[], &mut |file| all.push(file)).unwrap();
        let [changed] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((found.files, found.errors.len(), changed.name.as_str()), (3, 1, "a.ttl"));
        assert_eq!(changed.before.as_deref(), Some("@prefix e: <http://e/> . e:a e:p 1 .".as_bytes()));
        assert_eq!(changed.after, b"@prefix e: <http://e/> .\n\ne:a\n    e:p 1 ;\n.\n");
        let names = [folder.path().join("d.nt").display().to_string()];
        assert!(
            format(&graph, &names, &mut drop).is_err_and(|error| error.message().contains("neither Turtle nor TriG"))
        );
    }
}
