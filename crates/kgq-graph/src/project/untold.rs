//! The files of a folder for which nobody said what to read: to propose a kgq.toml for it, or to read them as they are.

use super::MANIFEST;
use super::files::{is_hidden, slashes};
use kgq_snapshot::store::{Input, SNIFFED, Seems, sniff};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Compression, RdfFormat};
use kgq_syntax::text::thousands;
use std::io::Read;
use std::path::Path;
use walkdir::{DirEntry, WalkDir};

/// Folders that are not searched: their files are made by programs, or wrong on purpose.
const PASSED_OVER: &[&str] = &["node_modules", "target", "__pycache__", "venv", "test", "tests"];
/// A folder with more files than this is not a project; a home folder should not be walked to its end.
const MOST_FILES: usize = 50_000;

/// What a walk reports about a file.
pub struct Walked<'w> {
    pub entry: &'w DirEntry,
    /// Its name relative to the folder, with `/`.
    pub name: String,
    /// The folder that is passed over, if the file lies in one.
    pub passed_over: Option<String>,
}

/// Walks through a folder, ordered by name. Hidden files are left out, and so are folders that are projects of their
/// own.
///
/// # Errors
/// A folder that cannot be read; a folder with too many files, with `hint`.
pub fn walk(folder: &Path, hint: &str, visit: &mut dyn FnMut(Walked<'_>)) -> Result<()> {
    let below = |entry: &DirEntry| entry.depth() > 0;
    let hidden = |entry: &DirEntry| below(entry) && is_hidden(&entry.file_name().to_string_lossy());
    let own = |entry: &DirEntry| below(entry) && entry.path().join(MANIFEST).is_file();
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    for (number, entry) in walk.filter_entry(|entry| !hidden(entry) && !own(entry)).enumerate() {
        let entry = entry.map_err(|error| not_walked(&error))?;
        if number > MOST_FILES {
            let most = thousands(MOST_FILES as u64);
            return Err(Error::input(format!("{} holds more than {most} files", folder.display())).hint(hint));
        }
        let Ok(path) = entry.path().strip_prefix(folder) else { continue };
        let name = slashes(path);
        let passed_over = passed_over(&name);
        visit(Walked { entry: &entry, name, passed_over });
    }
    Ok(())
}

/// The error for a folder that could not be walked, worded like other file errors.
pub(super) fn not_walked(error: &walkdir::Error) -> Error {
    let place = error.path().map(|path| path.display().to_string()).unwrap_or_default();
    match error.io_error() {
        Some(cause) => Error::io(place, cause),
        None => Error::new(kgq_syntax::error::Kind::Io, error.to_string()),
    }
}

/// The passed-over folder that a file lies in, if any.
fn passed_over(name: &str) -> Option<String> {
    let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
    let found = folders.find(|folder| PASSED_OVER.contains(&folder.rsplit('/').next().unwrap_or(folder)));
    found.map(str::to_owned)
}

/// What to read in a folder for which nobody said what to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderFiles {
    /// RDF files, with names relative to where the program runs. Files called `.xml`, `.json` and the like may be
    /// anything; they are included only if they begin as RDF does.
    pub files: Vec<String>,
    /// Folders that were not searched although they hold files that may be RDF.
    pub passed_over: Vec<String>,
}

/// Looks for the RDF files in a folder. Folders that are passed over are searched if there is no RDF elsewhere.
///
/// # Errors
/// A folder that cannot be read, or that has very many files.
pub fn folder_files(folder: &Path) -> Result<FolderFiles> {
    let (mut found, mut elsewhere) = (FolderFiles::default(), Vec::new());
    walk(
        folder,
        "name what to read with `-d`: a file, a folder or a glob",
        &mut |Walked { entry, name, passed_over }| {
            let name = slashes(&folder.join(name));
            // A link counts as the file that it points to.
            if RdfFormat::from_path(&name).is_none() || !entry.path().is_file() {
                return;
            }
            match passed_over {
                Some(passed) if says_rdf(&name) => {
                    if !found.passed_over.contains(&passed) {
                        found.passed_over.push(passed);
                    }
                    elsewhere.push(name);
                }
                Some(_) => {}
                None if says_rdf(&name) || begins_as_rdf(&name) => found.files.push(name),
                None => {}
            }
        },
    )?;
    if found.files.is_empty() {
        found = FolderFiles { files: elsewhere, passed_over: Vec::new() };
    }
    Ok(found)
}

/// Whether a file's name alone says that it is RDF: many files called `.json` or `.xml` are not.
pub fn says_rdf(name: &str) -> bool {
    let ending = Compression::strip(name).0.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    !matches!(ending.as_str(), "json" | "jsonl" | "ndjson" | "xml")
}

/// Whether a file begins as RDF/XML or JSON-LD does, or as OWL in XML, for which reading says what to do. A file that
/// cannot be opened counts too: reading it says why.
fn begins_as_rdf(name: &str) -> bool {
    const KEYWORDS: [&str; 4] = ["\"@context\"", "\"@id\"", "\"@graph\"", "\"@type\""];
    let mut start = Vec::new();
    let read = Input::file(name, Path::new(name), RdfFormat::from_path(name)).and_then(|input| {
        let text = input.open(Bounds::default())?;
        text.take(SNIFFED).read_to_end(&mut start).map_err(|error| Error::io(name, &error))
    });
    let has = |word: &str| start.windows(word.len()).any(|part| part == word.as_bytes());
    read.is_err()
        || match sniff(&start) {
            Some(Seems::Rdf(RdfFormat::JsonLd)) => KEYWORDS.into_iter().any(has),
            Some(Seems::Rdf(_) | Seems::OwlXml) => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_without_what_is_hidden_no_rdf_made_by_programs_or_another_project() {
        let folder = tempfile::tempdir().unwrap();
        let rdf_xml = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/>";
        for (name, text) in [
            ("b/a.ttl", ""),
            ("A.TTL", ""),
            ("thing.json", "{\"@id\": \"http://e/a\"}"),
            ("PACKAGE.JSON", "{\"name\": \"no RDF\"}"),
            ("lines.ndjson", "{\"level\": \"info\"}"),
            ("thing.xml", rdf_xml),
            ("pom.xml", "<?xml version=\"1.0\"?><project/>"),
            (".hidden/a.ttl", ""),
            ("test/wrong.ttl", "wrong"),
            ("node_modules/x/package.json", "{}"),
            ("other/kgq.toml", ""),
            ("other/a.ttl", ""),
            ("notes.txt", ""),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = folder_files(folder.path()).unwrap();
        let root = format!("{}/", slashes(folder.path()));
        let files: Vec<&str> = found.files.iter().map(|name| name.strip_prefix(&root).unwrap()).collect();
        assert_eq!(files, ["A.TTL", "b/a.ttl", "thing.json", "thing.xml"]);
        assert_eq!(found.passed_over, ["test"]);
    }
}
