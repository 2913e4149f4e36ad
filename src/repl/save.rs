//! `.save`: turns the last query into a canned query, and its answer into the expected answer.

use super::dot::at_most_one;
use super::running::Kept;
use super::{Last, Shell};
use kgq_engine::query::order_columns;
use kgq_graph::answers::Outcome;
use kgq_graph::request::replace::{lock_within, replace};
use kgq_graph::request::save::{Request, Saved};
use kgq_syntax::budget::{Limits, Work};
use kgq_syntax::error::{Error, Result};
use std::time::Duration;

/// How long another process that reads or writes the files of the project is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn save(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some(name) = at_most_one(words)? else { return Err(Error::usage("`.save` needs a name for the query")) };
    let Some(last) = &shell.last else { return Err(Error::input("there is no query yet that could be saved")) };
    if let Some(binding) = &last.limited {
        return Err(Error::input("the last query was limited by `.values`, which its text does not say")
            .hint(format!("write `VALUES ?{} {{ … }}` into it, run that, and save it", binding.variable.as_str())));
    }
    let request = Request { name, text: &last.text, outcome: &outcome(last) };
    let Saved { query, answer } = kgq_graph::request::save::save(&shell.graph, &request)?;
    let note = format!("saved as {} with its answer in {}: give it a title", query.name, answer.name);
    let patience = Limits { time: Some(PATIENCE), ..Limits::default() };
    let budget = shell.graph.options().budget.child(Work::Edit, patience);
    let lock = lock_within(&shell.graph.require_project()?.root, &budget)?;
    replace(Some(&lock), vec![query, answer], &shell.graph.options().unfinished)?;
    drop(lock);
    shell.output.note(&note);
    let reloaded = shell.live.reload().map(Some);
    shell.reloaded(reloaded)
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
