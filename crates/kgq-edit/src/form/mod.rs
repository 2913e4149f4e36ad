//! A thing as a form: its fields with their present values, and what a filled form changes in the statements.
//!
//! Fields come from the SHACL shapes of the thing's classes; without shapes, from the properties of other members of its classes.
//! A corrected value keeps its reifier, which then reifies the new statement, so that the facts about it stay. A reifier of
//! several statements stays as it is for the others. A value without a name has rows of its own within the form. A form can also
//! create a citation beside a value, and a new thing of a class.

mod change;
mod citing;
mod fields;
mod naming;
mod nodes;
mod statements;
#[cfg(test)]
mod tests;

pub use change::{Row, Wrong, change, uncited};
pub use fields::{Field, FieldValue, NestedValue, fields, fields_of_new};
pub use nodes::{inside, is_key};

use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Prefixes, Term};
use statements::Statements;

/// The rows of a form as it is first shown: the present values, and an empty row where one more value is allowed; for texts with
/// a language, one for each of these languages that is missing. The rows within a value without a name follow its own.
pub fn rows(fields: &[Field], languages: &[String], prefixes: &Prefixes) -> Vec<Row> {
    let mut rows = Vec::new();
    add_rows(&mut rows, "", fields, languages, prefixes);
    rows
}

fn add_rows(rows: &mut Vec<Row>, within: &str, fields: &[Field], languages: &[String], prefixes: &Prefixes) {
    for field in fields {
        let property = field.property.as_str();
        let empty = || Row { within: within.to_owned(), property: property.to_owned(), ..Row::default() };
        let mut known: Vec<&str> = Vec::new();
        for fact in &field.facts {
            let sources: Vec<String> = fact.sources.iter().map(|source| short(source, prefixes)).collect();
            let sources = sources.join(" ");
            if let Some(NestedValue { key, fields, .. }) = &fact.node {
                rows.push(Row { old: key.clone(), value: nodes::KEPT.to_owned(), sources, ..empty() });
                add_rows(rows, &inside(within, property, key), fields, languages, prefixes);
            } else if let Some((value, language)) = shown(&fact.object, prefixes) {
                known.push(language);
                let (old, language) = (fact.object.to_string(), language.to_owned());
                rows.push(Row { old, value, language, sources, ..empty() });
            }
        }
        let has_unnamed = field.facts.iter().any(|fact| fact.node.is_some());
        if !field.nested.is_empty() {
            if field.takes_more() {
                rows.push(empty());
                add_rows(rows, &inside(within, property, ""), &field.nested, languages, prefixes);
            }
        } else if field.has_languages() {
            let missing = languages.iter().filter(|tag| !known.contains(&tag.as_str()));
            rows.extend(missing.map(|tag| Row { language: tag.clone(), ..empty() }));
        } else if field.takes_more() && !has_unnamed {
            rows.push(empty());
        }
    }
}

/// The name that a new thing gets if none is given: made from its label, spelled like other members of its class. `None` if no
/// label allows one.
///
/// # Errors
/// Those of the graph's files.
pub fn proposed(graph: &Graph, class: &NamedNode, rows: &[Row]) -> Result<Option<NamedNode>> {
    let is_label = |row: &&Row| row.within.is_empty() && naming::names(&row.property) && !row.value.trim().is_empty();
    let english = rows.iter().filter(is_label).find(|row| row.language.starts_with("en"));
    let Some(label) = english.or_else(|| rows.iter().find(is_label)) else { return Ok(None) };
    let members = naming::some_members(&Statements::of(graph.snapshot()?), class);
    graph.intact()?;
    naming::proposed(graph, &members, label.value.trim())
}

/// A value as a row shows it: its text and its language. `None` for a blank node.
fn shown<'t>(value: &'t Term, prefixes: &Prefixes) -> Option<(String, &'t str)> {
    match value {
        Term::NamedNode(node) => Some((short(node, prefixes), "")),
        Term::Literal(literal) => Some((literal.value().to_owned(), literal.language().unwrap_or_default())),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

fn short(node: &NamedNode, prefixes: &Prefixes) -> String {
    prefixes.shorten(node.as_str()).unwrap_or_else(|| node.as_str().to_owned())
}
