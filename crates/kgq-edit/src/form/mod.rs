//! A thing as a form: which fields it has, with what stands in them now, and what a filled form changes of the statements.
//!
//! Fields come from the SHACL shapes of the thing's classes; where there are none, from what other members of its classes have. A value
//! that is corrected keeps its reifier, which then is of the new statement: what else is said there, stays said. A reifier of several statements
//! stays as it is for the others.

mod change;
mod fields;
mod statements;
#[cfg(test)]
mod tests;

pub use change::{Row, Wrong, change, uncited};
pub use fields::{Fact, Field, fields};

use kgq_syntax::rdf::{NamedNode, Prefixes, Term};

/// The rows of a form that nobody has filled yet: what stands there, and an empty row where one more value may stand; of texts with a
/// language, one for each of these languages that has none.
pub fn rows(fields: &[Field], languages: &[String], prefixes: &Prefixes) -> Vec<Row> {
    let mut rows = Vec::new();
    for field in fields {
        let property = field.property.as_str();
        let mut known: Vec<&str> = Vec::new();
        for fact in &field.facts {
            // What has no name is said in the files alone.
            let Some((value, language)) = shown(&fact.object, prefixes) else { continue };
            known.push(language);
            let sources: Vec<String> = fact.sources.iter().map(|source| short(source, prefixes)).collect();
            rows.push(Row {
                property: property.to_owned(),
                old: fact.object.to_string(),
                value,
                language: language.to_owned(),
                sources: sources.join(" "),
            });
        }
        let empty =
            |language: &str| Row { property: property.to_owned(), language: language.to_owned(), ..Row::default() };
        if field.has_languages() {
            rows.extend(languages.iter().filter(|tag| !known.contains(&tag.as_str())).map(|tag| empty(tag)));
        } else if field.takes_more() {
            rows.push(empty(""));
        }
    }
    rows
}

/// What a value is in a row of a form: its text and its language. `None` of what has no name.
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
