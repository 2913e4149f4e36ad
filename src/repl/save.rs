//! `.save`: turns the last query into a canned query, and its answer into the expected answer.

use super::dot::at_most_one;
use super::running::Kept;
use super::{Last, Shell};
use crate::commands::{Replaced, lock_within, replace};
use kgq_engine::query::order_columns;
use kgq_graph::answers::{self, Outcome};
use kgq_graph::project::Project;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::sparql::prologue;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another process that reads or writes the files of the project is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn save(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some(name) = at_most_one(words)? else { return Err(Error::usage("`.save` needs a name for the query")) };
    let name = name.strip_suffix(".rq").unwrap_or(name);
    let fine = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    if !name.split('/').all(fine) {
        return Err(Error::usage(format!("`{name}` is no name for a query"))
            .hint("names are made of letters, digits, `-` and `_`; `/` stands between folders"));
    }
    let Some(last) = &shell.last else { return Err(Error::input("there is no query yet that could be saved")) };
    if let Some(binding) = &last.limited {
        return Err(Error::input("the last query was limited by `.values`, which its text does not say")
            .hint(format!("write `VALUES ?{} {{ … }}` into it, run that, and save it", binding.variable.as_str())));
    }
    if last.text.lines().any(|line| line.starts_with("#+")) {
        return Err(
            Error::input("the last query is a canned one already").hint("`.edit` and run it to make another of it")
        );
    }
    let project = shell.graph.require_project()?;
    let catalog = shell.graph.catalog()?;
    let taken =
        catalog.queries.iter().any(|q| q.name == name) || catalog.broken.iter().any(|(broken, _)| broken == name);
    let file = project.query_path(name)?;
    if taken || file.exists() {
        return Err(
            Error::input(format!("there is a query `{name}` already")).hint("choose another name, or edit its file")
        );
    }
    let outcome = outcome(last);
    let ending = answers::ending(&outcome);
    let expected = expected_path(project, name, ending)?;
    let prefixes = shell.graph.prefixes()?;
    let known = |prefix: &str| prefixes.get(prefix);
    let text = format!("{}{}{}\n", header(name, &last.answer), prologue(&last.text, known), last.text.trim());
    let answer = answers::write(ending, &[], &outcome, prefixes)?;
    let new = |path: &PathBuf, text: String| Replaced { path: path.clone(), before: None, after: text.into_bytes() };
    replace(Some(&lock_within(&project.root, PATIENCE)?), vec![new(&file, text), new(&expected, answer)])?;
    let shown = |path: &Path| project.display_path(path);
    let note = format!("saved as {} with its answer in {}: give it a title", shown(&file), shown(&expected));
    shell.output.note(&note);
    let reloaded = shell.live.reload().map(Some);
    shell.reloaded(reloaded)
}

/// The file of the expected answer. Refuses one that exists, or that would be loaded as data.
fn expected_path(project: &Project, name: &str, ending: &str) -> Result<PathBuf> {
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

fn outcome(last: &Last) -> Outcome {
    match &last.answer {
        Kept::Boolean(value) => Outcome::Boolean(*value),
        Kept::Graph(triples) => Outcome::Graph(triples.to_vec()),
        Kept::Table { variables, rows } => {
            Outcome::Table { columns: variables.clone(), rows: rows.to_vec(), ordered_by: order_columns(&last.query) }
        }
    }
}

/// The header of a new canned query: a title made from its name, to be replaced, and its columns.
fn header(name: &str, answer: &Kept) -> String {
    let title = name.rsplit('/').next().unwrap_or(name).replace(['-', '_'], " ");
    let mut chars = title.chars();
    let title: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
    let mut text = format!("#+ title: {title}\n");
    if let Kept::Table { variables, .. } = answer
        && !variables.is_empty()
    {
        text.push_str("#+ columns:\n");
        for variable in variables {
            text.push_str(&format!("#+   {}: \"\"\n", variable.as_str()));
        }
    }
    text
}
