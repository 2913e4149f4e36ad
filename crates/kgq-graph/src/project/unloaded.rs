//! The RDF files of a project's folder that its lists do not take, although nothing says that this is meant.

use super::files::ProjectFile;
use super::untold::{Walked, says_rdf, walk};
use super::{MANIFEST, Project};
use kgq_syntax::error::Error;
use kgq_syntax::rdf::{Compression, RdfFormat};
use kgq_syntax::text::count;
use rustc_hash::FxHashSet;
use std::fs;

/// A file by which imported ontologies are found.
const CATALOGUE: &str = "catalog-v001.xml";
/// The most names that a remark lists.
const LISTED: usize = 5;

impl Project {
    /// Returns a remark on the files of the folder that say by their names that they are RDF, and that are not among those
    /// loaded. A file is left out on purpose if a glob with `!` leaves out its folder or its kind, if kgq.toml names it
    /// elsewhere, or a catalogue beside it does, or if a file of the same name in another format is loaded. A file that `!` names by itself is told: it
    /// may have been broken only once.
    pub fn remark_on_unloaded(&self, loaded: &[ProjectFile]) -> Option<Error> {
        let files = self.unloaded(loaded);
        let (first, rest) = files.split_at(files.len().min(LISTED));
        let names: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let many = count(files.len() as u64, "file of RDF in the folder is", "files of RDF in the folder are");
        let remark = Error::input(format!("{many} not loaded: {}{more}", names.join(", ")));
        let hint =
            format!("add them to `data` or `ontology` in {MANIFEST}; `!FOLDER/**` there leaves out a folder for good");
        (!files.is_empty()).then(|| remark.hint(hint))
    }

    fn unloaded(&self, loaded: &[ProjectFile]) -> Vec<String> {
        if self.is_of_another_time {
            return Vec::new();
        }
        let names: FxHashSet<&str> = loaded.iter().map(|file| file.name.as_str()).collect();
        let stems: FxHashSet<&str> = loaded.iter().map(|file| stem(&file.name)).collect();
        let (mut found, mut catalogues) = (Vec::new(), Vec::new());
        let mut visit = |Walked { entry, name, passed_over }: Walked<'_>| {
            if let Some(folder) = name.strip_suffix(CATALOGUE) {
                catalogues.push((folder.to_owned(), fs::read_to_string(entry.path()).unwrap_or_default()));
            }
            let is_rdf = passed_over.is_none() && entry.file_type().is_file() && RdfFormat::from_path(&name).is_some();
            if is_rdf && says_rdf(&name) && !names.contains(name.as_str()) && !self.is_passed(&name, &stems) {
                found.push(name);
            }
        };
        // A folder that cannot be walked to its end has too many files for a remark.
        if walk(&self.root, "", &mut visit).is_err() {
            found.clear();
        }
        let is_named = |name: &str, (folder, text): &(String, String)| {
            let ends = ['"', '\''];
            let is_whole = |name: &str| {
                let begins = |start: char| ends.iter().any(|end| text.contains(&format!("{start}{name}{end}")));
                begins('/') || ends.into_iter().any(begins)
            };
            name.strip_prefix(folder.as_str()).is_some_and(is_whole)
        };
        found.retain(|name| !catalogues.iter().any(|catalogue| is_named(name, catalogue)));
        found
    }

    fn is_passed(&self, name: &str, stems: &FxHashSet<&str>) -> bool {
        let quoted = |start: &str| ['"', '\''].iter().any(|q| self.text.contains(&format!("{q}{start}{name}{q}")));
        let globs = &self.globs;
        let is_query = globs.queries.take.iter().any(|glob| glob.takes(name));
        let by_glob = || [&globs.ontology, &globs.data, &globs.queries].iter().any(|list| list.leaves_out(name));
        is_query || stems.contains(stem(name)) || quoted("") || (!quoted("!") && by_glob())
    }
}

/// A file's name without its ending and without the ending of a compression.
pub(crate) fn stem(name: &str) -> &str {
    let name = Compression::strip(name).0;
    match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => stem,
        _ => name,
    }
}
