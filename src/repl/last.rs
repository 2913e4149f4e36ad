//! The dot-commands that continue from the last query: its answer again, its columns, its plan, its text in an editor.

use super::dot::at_most_one;
use super::explore::no_row;
use super::running::Kept;
use super::{Shell, pager, show};
use crate::commands::{
    AnswerArgs, CiteArgs, Citing, Explain, WhyShown, expected_columns, explanation, why_explanation,
    why_not_explanation, write_cited_answer,
};
use kgq_engine::query::{Binding, BoundTo};
use kgq_engine::{Answer, Solutions, Triples};
use kgq_graph::request::why::AnswerPart;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Term, Variable};
use kgq_syntax::text::{count, did_you_mean};
use std::io::Write;
use std::process::Command;
use std::time::Instant;

/// `.last`: shows the last answer again, with its texts whole.
pub fn last(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    at_most_one(words)?;
    let Some(last) = shell.last.take() else { return Err(Error::input("there is no answer yet")) };
    let result = show::whole(shell, &last);
    shell.last = Some(last);
    result
}

/// `.values`: takes the values of a column of the last answer for a variable of the next query.
pub fn values(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let (column, name) = match words {
        [column] => (column, None),
        [column, word, name] if word.eq_ignore_ascii_case("as") => (column, Some(name)),
        _ => return Err(Error::usage("`.values` takes a column, by number or name, and maybe `as NAME`")),
    };
    let Some(Kept::Table { variables, rows }) = shell.last.as_ref().map(|last| &last.answer) else {
        return Err(Error::input("there is no answer yet that has columns"));
    };
    let bare = column.trim_start_matches(['?', '$']);
    let at = match column.parse::<usize>() {
        Ok(number) => number.checked_sub(1).filter(|at| *at < variables.len()),
        Err(_) => variables.iter().position(|v| v.as_str() == bare),
    };
    let Some(at) = at else {
        return Err(Error::input(format!("the last answer has no column {column}"))
            .hint_if(did_you_mean(bare, variables.iter().map(Variable::as_str))));
    };
    let mut terms: Vec<Term> = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    for term in rows.iter().filter_map(|row| row[at].as_ref()) {
        if seen.insert(term) {
            terms.push(term.clone());
        }
    }
    if terms.iter().any(|t| matches!(t, Term::BlankNode(_))) {
        return Err(Error::input("the column has blank nodes, which no other query can name"));
    }
    let name = name.map_or(variables[at].as_str(), |n| n.trim_start_matches(['?', '$']));
    let variable = Variable::new(name).map_err(|_| Error::usage(format!("`{name}` is no name for a variable")))?;
    let how_many = count(terms.len() as u64, "value", "values");
    shell.output.note(&format!("the next query that has ?{name} is limited to {how_many}"));
    shell.values = Some(Binding { variable, value: BoundTo::AnyOf(terms) });
    Ok(())
}

/// Whether `.cite` is about the last answer or one of its rows, rather than about a term.
pub fn cites_the_answer(words: &[String]) -> bool {
    matches!(words, []) || matches!(words, [word] if word.bytes().all(|b| b.is_ascii_digit()))
}

/// `.cite` without arguments, or with the number of a row.
pub fn cite(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let last =
        shell.last.as_ref().ok_or_else(|| Error::input("there is no answer yet whose sources could be shown"))?;
    let (first, answer) = match &last.answer {
        Kept::Table { variables, rows } => {
            let (first, rows) = chosen(rows, words)?;
            (first, Answer::Solutions(Solutions::new(variables.clone(), rows.into_iter().map(Ok))))
        }
        Kept::Graph(triples) => {
            let (first, triples) = chosen(triples, words)?;
            (first, Answer::Graph(Triples(Box::new(triples.into_iter().map(Ok)))))
        }
        Kept::Boolean(value) => (1, Answer::Boolean(*value)),
    };
    let (cite, how) = (CiteArgs::default(), AnswerArgs::default());
    let citing = Citing { cite: &cite, answer: &how, first, started: Instant::now() };
    write_cited_answer(answer, &last.query, citing, &shell.graph, shell.output).map(|_| ())
}

/// The rows to cite, and the number of the first: all rows, or the one with the given number.
fn chosen<T: Clone>(all: &[T], words: &[String]) -> Result<(usize, Vec<T>)> {
    let Some(word) = words.first() else { return Ok((1, all.to_vec())) };
    let number = word.parse::<usize>().unwrap_or(0);
    let at = number.checked_sub(1).filter(|at| *at < all.len()).ok_or_else(|| no_row(number, all.len()))?;
    Ok((number, vec![all[at].clone()]))
}

/// `.why`: explains the first row, or the row with the given number.
pub fn why(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let number = match at_most_one(words)? {
        None => 1,
        Some(word) => word.parse::<usize>().map_err(|_| Error::usage("`.why` takes the number of a row"))?,
    };
    let last = shell.last.as_ref().ok_or_else(|| Error::input("there is no answer yet that could be explained"))?;
    let at = |rows: usize| number.checked_sub(1).filter(|at| *at < rows).ok_or_else(|| no_row(number, rows));
    let part = match &last.answer {
        Kept::Table { variables, rows } => {
            AnswerPart::Row { variables: variables.clone(), row: rows[at(rows.len())?].clone() }
        }
        Kept::Graph(triples) => AnswerPart::Triple(triples[at(triples.len())?].clone()),
        Kept::Boolean(true) => AnswerPart::True,
        Kept::Boolean(false) => return Err(Error::input("the answer is false, and no statement is behind that")),
    };
    let text = why_explanation(&shell.graph, &last.query, part, None, &WhyShown::default(), shell.output.colour)?;
    pager::page(&text, shell.output)
}

/// `.why-not`: explains why the last answer has no row with these column values, or none at all.
pub fn why_not(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let last = shell.last.as_ref().ok_or_else(|| Error::input("there is no answer yet that could be explained"))?;
    let expected = expected_columns(&shell.graph, words)?;
    let source = Source::new("<query>", &last.text);
    let shown = WhyShown::default();
    let text = why_not_explanation(&shell.graph, source, &last.query, expected, &shown, shell.output.colour)?;
    pager::page(&text, shell.output)
}

/// `.explain`: shows the plan of the last query, or with `analyze` also runs it.
pub fn explain(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let how = match at_most_one(words)? {
        None => Explain::Plan,
        Some("analyze") => Explain::Analyze,
        Some(word) => {
            return Err(Error::usage(format!("`{word}` is no way to explain")).hint("`.explain` or `.explain analyze`"));
        }
    };
    let Some(last) = &shell.last else { return Err(Error::input("there is no query yet that could be explained")) };
    let text = explanation(how, &last.text, &last.query, &shell.graph)?;
    pager::page(&text, shell.output)
}

impl Shell<'_> {
    /// Opens a text in `$VISUAL` or `$EDITOR`; the result appears at the next prompt.
    pub(super) fn edit(&mut self, text: &str) -> Result<()> {
        let editor =
            ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|e| !e.trim().is_empty()));
        let editor = editor.unwrap_or_else(|| "vi".into());
        let mut file = tempfile::Builder::new()
            .prefix("kgq-")
            .suffix(".rq")
            .tempfile()
            .map_err(|e| Error::io("a file to edit", &e))?;
        file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(|e| Error::io("a file to edit", &e))?;
        // The command line is the user's own, with its words and quotes; the file is passed as an argument, not within the text.
        let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file.path()).status();
        let status = status.map_err(|e| Error::io(&editor, &e))?;
        if !status.success() {
            return Err(Error::input(format!("{editor} ended with {status}; the text stays as it was")));
        }
        let edited = std::fs::read_to_string(file.path()).map_err(|e| Error::io("the edited file", &e))?;
        self.buffer = Some(edited.trim_end().to_owned());
        Ok(())
    }
}
