//! A query and its answer kept in the project: as a canned query, and as the answer expected of it.

use super::replace::Replaced;
use crate::answers::{self, Outcome};
use crate::graph::Graph;
use crate::project::Project;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::sparql::prologue;
use std::path::PathBuf;

/// What is kept, and under which name.
pub struct Request<'a> {
    /// The name of the canned query, also with its ending.
    pub name: &'a str,
    /// The text of the query, without a header.
    pub text: &'a str,
    pub outcome: &'a Outcome,
}

/// The two new files. Neither is written yet.
pub struct Saved {
    pub query: Replaced,
    pub answer: Replaced,
}

/// Makes a canned query and its expected answer.
///
/// # Errors
/// A text that has a header; a name that is none, is taken, or that the project would not find or would load as data.
pub fn save(graph: &Graph, request: &Request<'_>) -> Result<Saved> {
    let name = request.name.strip_suffix(".rq").unwrap_or(request.name);
    refuse_odd_name(name)?;
    if request.text.lines().any(|line| line.starts_with("#+")) {
        return Err(
            Error::input("the last query is a canned one already").hint("`.edit` and run it to make another of it")
        );
    }
    let query = query_path(graph, name)?;
    let (project, prefixes) = (graph.require_project()?, graph.prefixes()?);
    let ending = answers::ending(request.outcome);
    let answer = answer_path(project, name, ending)?;
    let prologue = prologue(request.text, |prefix: &str| prefixes.get(prefix));
    let text = format!("{}{prologue}{}\n", header(name, request.outcome), request.text.trim());
    let expected = answers::write(ending, &[], request.outcome, prefixes)?;
    let new = |path: PathBuf, text: String| Replaced {
        name: project.display_path(&path),
        path,
        before: None,
        after: text.into_bytes(),
    };
    Ok(Saved { query: new(query, text), answer: new(answer, expected) })
}

fn refuse_odd_name(name: &str) -> Result<()> {
    let fine = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    if name.split('/').all(fine) {
        return Ok(());
    }
    Err(Error::usage(format!("`{name}` is no name for a query"))
        .hint("names are made of letters, digits, `-` and `_`; `/` stands between folders"))
}

/// The file of the query. Refuses a name that is taken.
fn query_path(graph: &Graph, name: &str) -> Result<PathBuf> {
    let (project, catalog) = (graph.require_project()?, graph.catalog()?);
    let taken =
        catalog.queries.iter().any(|q| q.name == name) || catalog.broken.iter().any(|(broken, _)| broken == name);
    let file = project.query_path(name)?;
    if taken || file.exists() {
        return Err(
            Error::input(format!("there is a query `{name}` already")).hint("choose another name, or edit its file")
        );
    }
    Ok(file)
}

/// The file of the expected answer. Refuses one that exists, or that would be loaded as data.
fn answer_path(project: &Project, name: &str, ending: &str) -> Result<PathBuf> {
    let expected = format!("{}/{name}.{ending}", answers::FOLDER);
    if project.loads(&expected)? {
        return Err(Error::input(format!("{expected}, its answer, would be loaded as data"))
            .hint("narrow the globs of `data` and `ontology` in kgq.toml"));
    }
    let path = project.root.join(&expected);
    if path.exists() {
        return Err(Error::input(format!("there is an answer {expected} already")).hint("choose another name"));
    }
    Ok(path)
}

/// The header of a new canned query: a title made from its name, to be replaced, and its columns.
fn header(name: &str, outcome: &Outcome) -> String {
    let title = name.rsplit('/').next().unwrap_or(name).replace(['-', '_'], " ");
    let mut chars = title.chars();
    let title: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
    let mut text = format!("#+ title: {title}\n");
    if let Outcome::Table { columns, .. } = outcome
        && !columns.is_empty()
    {
        text.push_str("#+ columns:\n");
        for column in columns {
            text.push_str(&format!("#+   {}: \"\"\n", column.as_str()));
        }
    }
    text
}
