//! The files of expected answers, and the query that each belongs to.

use super::FOLDER;
use super::expected::Expected;
use crate::catalog::{Catalog, Values};
use crate::project::Project;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::did_you_mean;
use std::path::PathBuf;

/// One file of expected answers.
#[derive(Clone, Debug)]
pub struct Case {
    /// The query's name, followed by a dot and the case's name: `tasks-of-sector.finance`.
    pub name: String,
    pub query: String,
    /// As the user would write it.
    pub file: String,
    pub path: PathBuf,
    /// The file's content, which `expected` was read from.
    pub text: String,
    pub expected: Expected,
}

impl Case {
    pub fn values(&self) -> Values {
        Values::from_pairs(self.expected.params.iter().cloned())
    }
}

/// Returns the cases of a project, ordered by name; those that cannot be read are errors.
pub fn cases(project: &Project, catalog: &Catalog) -> Result<Vec<(String, Result<Case>)>> {
    let folder = project.root.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::new(kgq_syntax::error::Kind::Io, e.to_string()))?;
        let file = project.display_path(entry.path());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !entry.file_type().is_file() || hidden {
            continue;
        }
        let below = file.strip_prefix(FOLDER).unwrap_or(&file).trim_start_matches('/').to_owned();
        let Some((name, ending)) = below.rsplit_once('.') else { continue };
        let case = read(project, catalog, (name, ending), &file, entry.into_path());
        found.push((name.to_owned(), case));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn read(project: &Project, catalog: &Catalog, (name, ending): (&str, &str), file: &str, path: PathBuf) -> Result<Case> {
    let query = query_of(catalog, name).ok_or_else(|| {
        let known = catalog.queries.iter().map(|q| q.name.as_str());
        Error::input(format!("{file} is of no canned query"))
            .hint_if(did_you_mean(name.split('.').next().unwrap_or(name), known))
    })?;
    let bytes = project.bytes(&path).map_err(|e| Error::io(file, &e))?;
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::input(format!("{file} is not UTF-8 (byte {})", e.utf8_error().valid_up_to())))?;
    let expected = Expected::read(file, ending, &text)?;
    Ok(Case { name: name.to_owned(), query, file: file.to_owned(), path, text, expected })
}

/// The query with the file's name, or the one with the longest name that precedes a dot in it.
fn query_of(catalog: &Catalog, name: &str) -> Option<String> {
    let is_case = |query: &str| name.strip_prefix(query).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let names = catalog.queries.iter().map(|q| &q.name).chain(catalog.broken.iter().map(|(name, _)| name));
    names.filter(|query| is_case(query)).max_by_key(|query| query.len()).cloned()
}
