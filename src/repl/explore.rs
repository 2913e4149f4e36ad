//! The dot-commands that show the content of the graph: things, classes, properties, prefixes.

use super::dot::{at_most_one, verb};
use super::running::Kept;
use super::{Shell, pager};
use crate::commands;
use kgq_graph::catalog::{Role, labels_of};
use kgq_graph::render::cell;
use kgq_snapshot::TermId;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedNode, Term};
use kgq_syntax::text::{did_you_mean, thousands, visible, width};

/// `.describe`: describes a thing, or a row or cell of the last answer.
pub fn describe(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::usage("`.describe` needs a term, or the number of a row such as 3 or 3.2"));
    }
    if words.iter().any(|word| word.starts_with('-')) {
        return verb(shell, "describe", words);
    }
    let word = words.join(" ");
    if let Some((row, column)) = place(&word) {
        return describe_place(shell, row, column);
    }
    let node = shell.graph.resolve(&word)?;
    show(shell, &node)
}

fn show(shell: &mut Shell<'_>, node: &NamedNode) -> Result<()> {
    let text = commands::page(node, &shell.graph, shell.output.colour, false)?;
    pager::page(&text, shell.output)
}

/// Parses `3`, `3.2` or `3.region`: a row, counted from 1, and optionally the number or name of a column.
fn place(word: &str) -> Option<(usize, Option<&str>)> {
    let (row, column) = match word.split_once('.') {
        Some((row, column)) => (row, Some(column)),
        None => (word, None),
    };
    let row = row.bytes().all(|b| b.is_ascii_digit()).then(|| row.parse().ok()).flatten()?;
    Some((row, column.filter(|column| !column.is_empty())))
}

/// The index of a column among these names.
fn column_at(column: &str, names: &[String]) -> Result<usize> {
    let bare = column.trim_start_matches(['?', '$']);
    if let Some(at) = names.iter().position(|name| name == bare) {
        return Ok(at);
    }
    if let Some(at) =
        column.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < names.len())
    {
        return Ok(at);
    }
    Err(Error::input(format!("the last answer has no column {column}; it has {}: {}", names.len(), names.join(", ")))
        .hint_if(did_you_mean(bare, names.iter().map(String::as_str))))
}

fn describe_place(shell: &mut Shell<'_>, row: usize, column: Option<&str>) -> Result<()> {
    let last =
        shell.last.as_ref().ok_or_else(|| Error::input("there is no answer yet whose row could be described"))?;
    let (names, cells): (Vec<String>, Vec<Option<Term>>) = match &last.answer {
        Kept::Table { variables, rows } => {
            let cells = row.checked_sub(1).and_then(|r| rows.get(r)).ok_or_else(|| no_row(row, rows.len()))?;
            (variables.iter().map(|v| v.as_str().to_owned()).collect(), cells.clone())
        }
        Kept::Graph(triples) => {
            let triple = row.checked_sub(1).and_then(|r| triples.get(r)).ok_or_else(|| no_row(row, triples.len()))?;
            let triple = triple.clone();
            let cells = vec![triple.subject.into(), Term::from(triple.predicate), triple.object];
            (["subject", "predicate", "object"].map(str::to_owned).to_vec(), cells.into_iter().map(Some).collect())
        }
        Kept::Boolean(_) => return Err(Error::input("the last answer is true or false, and has no rows")),
    };
    let prefixes = shell.graph.prefixes()?;
    let Some(column) = column else {
        let things = cells.iter().filter_map(|cell| match cell {
            Some(Term::NamedNode(node)) => Some(node),
            _ => None,
        });
        let labels = shell.graph.labels_of(things)?;
        let widest = names.iter().map(|n| width(n)).max().unwrap_or(0);
        let mut text = String::new();
        for (number, (name, term)) in names.iter().zip(&cells).enumerate() {
            let value = term.as_ref().map_or_else(|| "(unbound)".into(), |t| cell(t, prefixes));
            let label = match term {
                Some(Term::NamedNode(node)) => labels.get(node, "en").map(|l| format!("  {}", visible(l))),
                _ => None,
            };
            let pad = " ".repeat(widest - width(name));
            text.push_str(&format!("{row}.{}  {name}{pad}  {value}{}\n", number + 1, label.unwrap_or_default()));
        }
        return pager::page(&text, shell.output);
    };
    match &cells[column_at(column, &names)?] {
        Some(Term::NamedNode(node)) => {
            let node = node.clone();
            show(shell, &node)
        }
        Some(Term::Literal(literal)) => {
            let kind = match (literal.language(), literal.datatype()) {
                (Some(language), _) => format!("text in the language {}", cased(language)),
                (None, datatype) => format!("a {}", prefixes.display(datatype.as_str())),
            };
            let text = format!("{}\n\n{kind}\n", visible(literal.value()));
            pager::page(&text, shell.output)
        }
        Some(term) => {
            let text = format!("{}\n", cell(term, prefixes));
            pager::page(&text, shell.output)
        }
        None => shell.output.line("(unbound)"),
    }
}

pub fn no_row(row: usize, rows: usize) -> Error {
    Error::input(format!(
        "the last answer has no row {row}; it has {}",
        kgq_syntax::text::count(rows as u64, "row", "rows")
    ))
}

/// `.classes`: lists the classes, or those whose name or label contains the given words.
pub fn classes(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let state = shell.shared.get();
    let rows = state.index_when_ready()?.classes().to_vec();
    table(shell, rows, &words.join(" "))
}

/// `.properties`: lists all properties, or those of the members of a class.
pub fn properties(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let state = shell.shared.get();
    let index = state.index_when_ready()?;
    if words.is_empty() {
        return table(shell, index.properties().to_vec(), "");
    }
    let word = words.join(" ");
    let class = shell.graph.resolve(&word)?;
    let id = state.snapshot.id(class.as_ref().into());
    let rows = id.map(|id| index.properties_of(id).to_vec()).unwrap_or_default();
    if rows.is_empty() {
        let shown = state.prefixes.display(class.as_str());
        let is_class = id.is_some_and(|id| index.role(id) == Role::Class);
        return Err(Error::input(if is_class {
            format!("{shown} has no members")
        } else {
            format!("{shown} is no class")
        })
        .hint("`.classes` lists the classes"));
    }
    table(shell, rows, "")
}

fn at_index(shell: &Shell<'_>, id: TermId) -> (String, String) {
    let state = shell.shared.get();
    let name = match state.snapshot.term(id) {
        Term::NamedNode(node) => state.prefixes.display(node.as_str()),
        term => cell(&term, &state.prefixes),
    };
    (visible(&name).into_owned(), visible(&labels_of(&state.snapshot, id).join(" · ")).into_owned())
}

fn table(shell: &mut Shell<'_>, rows: Vec<(TermId, u64)>, filter: &str) -> Result<()> {
    let filter = filter.to_lowercase();
    let rows: Vec<(String, String, u64)> = rows
        .into_iter()
        .map(|(id, n)| {
            let (name, label) = at_index(shell, id);
            (name, label, n)
        })
        .filter(|(name, label, _)| format!("{name} {label}").to_lowercase().contains(&filter))
        .collect();
    if rows.is_empty() {
        shell.output.note("there is none");
        return Ok(());
    }
    let numbers = rows.iter().map(|(_, _, n)| thousands(*n).len()).max().unwrap_or(0);
    let names = rows.iter().map(|(name, _, _)| width(name)).max().unwrap_or(0);
    let mut text = String::new();
    for (name, label, n) in rows {
        let pad = " ".repeat(names - width(&name));
        let line = format!("{:>numbers$}  {name}{pad}  {label}", thousands(n));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    pager::page(&text, shell.output)
}

/// `.prefix`: declares a prefix, or lists them.
pub fn prefix(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    if let [name, iri] = words {
        let name = name.trim_end_matches(':');
        let iri = iri.trim_start_matches('<').trim_end_matches('>');
        NamedNode::new(iri).map_err(|e| Error::input(format!("`{iri}` is no IRI: {e}")))?;
        shell.graph = shell.live.replace(shell.graph.with_prefix(name, iri));
        let state = super::ProjectState::of(&shell.graph)?;
        shell.shared.set(state);
        return Ok(());
    }
    let wanted = at_most_one(words)?.unwrap_or_default().trim_end_matches(':').to_owned();
    let prefixes = shell.graph.prefixes()?;
    let found: Vec<(&str, &str)> = prefixes.iter().filter(|(p, _)| p.starts_with(&wanted)).collect();
    let widest = found.iter().map(|(p, _)| width(p)).max().unwrap_or(0);
    let text: String =
        found.iter().map(|(p, iri)| format!("{}{p}:  {}\n", " ".repeat(widest - width(p)), visible(iri))).collect();
    if text.is_empty() {
        shell.output.note(&format!("no prefix starts with `{wanted}`"));
        return Ok(());
    }
    pager::page(&text, shell.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_number_or_a_name_and_a_near_name_is_hinted_at() {
        let names = ["region", "2"].map(str::to_owned);
        assert_eq!(column_at("1", &names).unwrap(), 0);
        assert_eq!(column_at("?region", &names).unwrap(), 0);
        assert_eq!(column_at("2", &names).unwrap(), 1);
        let near = column_at("regoin", &names).unwrap_err().to_string();
        assert!(near.contains("it has 2: region, 2") && near.contains("did you mean `region`?"), "{near}");
    }

    #[test]
    fn a_place_is_a_row_or_a_row_and_a_column() {
        assert_eq!(place("3"), Some((3, None)));
        assert_eq!(place("3.2"), Some((3, Some("2"))));
        assert_eq!(place("3.region"), Some((3, Some("region"))));
        assert_eq!(place("ou:x"), None);
        assert_eq!(place("x.3"), None);
    }
}
