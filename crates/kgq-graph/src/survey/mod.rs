//! Examines a folder of RDF that has no kgq.toml yet: counts what its files hold, and drafts a kgq.toml that says what
//! was chosen and why. It is a first draft for people to change, so that it prefers mistakes that they can see in it.

mod choose;
mod copies;
mod globs;
mod look;
mod write;

pub use copies::in_several_formats;

use crate::project::{Walked, says_rdf, walk};
use kgq_snapshot::store::ReadOptions;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::RdfFormat;
use look::{Holds, Looked};
use rustc_hash::FxHashMap;
use std::path::Path;

/// A drafted kgq.toml, with some counts of what it was made from.
#[derive(Clone, Debug)]
pub struct Draft {
    pub text: String,
    /// The numbers of files of the ontology, of data, and of queries.
    pub ontology: usize,
    pub data: usize,
    pub queries: usize,
    /// The number of files that may have been RDF by their names and are none.
    pub left_out: usize,
    /// Why the files of RDF that are left out cannot be read.
    pub broken: Vec<Error>,
    /// The number of files left out because another one has the same content in another format.
    pub copies: usize,
}

/// The content of a folder, by file name.
#[derive(Debug, Default)]
struct Names {
    /// Relative to the folder, with `/`.
    rdf: Vec<String>,
    queries: Vec<String>,
    /// Folders that were not searched although they hold RDF or queries.
    passed_over: Vec<String>,
    catalogues: Vec<String>,
}

/// Examines a folder and drafts its kgq.toml.
///
/// # Errors
/// A folder that cannot be read, holds no RDF, or has more files than a project can have.
pub fn draft(folder: &Path, options: ReadOptions<'_>) -> Result<Draft> {
    let names = names(folder)?;
    let mut files: Vec<Looked> = look::at_all(folder, &names.rdf, options);
    copies::mark(folder, &mut files, options);
    follow_folders(&mut files);
    if !files.iter().any(|file| matches!(file.holds, Holds::Ontology | Holds::Data)) {
        return Err(without_rdf(folder, &files));
    }
    let count = |wanted: fn(&Holds) -> bool| files.iter().filter(|file| wanted(&file.holds)).count();
    Ok(Draft {
        ontology: count(|holds| matches!(holds, Holds::Ontology)),
        data: count(|holds| matches!(holds, Holds::Data)),
        queries: names.queries.len(),
        left_out: count(|holds| matches!(holds, Holds::Nothing(_))),
        broken: files.iter().filter_map(|file| file.holds.error().cloned()).collect(),
        copies: count(|holds| matches!(holds, Holds::Copy(_))),
        text: write::manifest(folder, &names, &files),
    })
}

/// The error for a folder without RDF: those of the files that should be RDF, or else why one of the others is none.
fn without_rdf(folder: &Path, files: &[Looked]) -> Error {
    let error = Error::input(format!("{}: no file here holds RDF that can be read", folder.display()));
    let hint = "`kgq new DIR` makes a small project to begin with";
    match Error::all(files.iter().filter_map(|file| file.holds.error().cloned())) {
        Some(broken) => Error::all([error, broken]).unwrap_or_else(|| Error::input(hint)),
        None => {
            let other = files.iter().find_map(|file| Some(format!("{}: {}", file.name, file.holds.reason()?)));
            error.hint_if(other).hint(hint)
        }
    }
}

/// Treats a few files that differ in kind from the others in their folder like those others: a folder usually has one
/// purpose.
fn follow_folders(files: &mut [Looked]) {
    const FEW: usize = 5;
    let folder = |name: &str| name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut counts: FxHashMap<String, (usize, usize)> = FxHashMap::default();
    for file in &*files {
        let (ontology, data) = counts.entry(folder(&file.name)).or_default();
        match file.holds {
            Holds::Ontology => *ontology += 1,
            Holds::Data => *data += 1,
            Holds::Copy(_) | Holds::Nothing(_) | Holds::Broken(_) => {}
        }
    }
    for file in files {
        let Some((ontology, data)) = counts.get(&folder(&file.name)) else { continue };
        match file.holds {
            Holds::Ontology if ontology * FEW <= *data => file.holds = Holds::Data,
            Holds::Data if data * FEW <= *ontology => file.holds = Holds::Ontology,
            Holds::Ontology | Holds::Data | Holds::Copy(_) | Holds::Nothing(_) | Holds::Broken(_) => {}
        }
    }
}

/// Finds the files of a folder. Folders that are passed over are looked into if there is no RDF elsewhere.
fn names(folder: &Path) -> Result<Names> {
    let (mut names, mut passed_rdf, mut passed_queries) = (Names::default(), Vec::new(), Vec::new());
    walk(
        folder,
        "choose the folder that holds the RDF: `kgq init DIR`",
        &mut |Walked { entry, name, passed_over }| {
            let is_query = name.ends_with(".rq") || name.ends_with(".sparql");
            let is_rdf = RdfFormat::from_path(&name).is_some();
            if !entry.file_type().is_file() || !is_query && !is_rdf {
                return;
            }
            match passed_over {
                Some(passed) if says_rdf(&name) => {
                    if !names.passed_over.contains(&passed) {
                        names.passed_over.push(passed);
                    }
                    if is_query { &mut passed_queries } else { &mut passed_rdf }.push(name);
                }
                Some(_) => {}
                None if entry.file_name() == crate::check::CATALOGUE => names.catalogues.push(name),
                None if is_query => names.queries.push(name),
                None => names.rdf.push(name),
            }
        },
    )?;
    if !passed_rdf.is_empty() && !names.rdf.iter().any(|name| says_rdf(name)) {
        names.rdf.extend(passed_rdf);
        names.queries.extend(passed_queries);
        names.passed_over.clear();
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
