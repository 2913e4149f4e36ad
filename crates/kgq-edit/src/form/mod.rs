//! A thing as a form: which fields it has, with what stands in them now, and what a filled form changes of the statements.
//!
//! Fields come from the SHACL shapes of the thing's classes; where there are none, from what other members of its classes have. A value
//! that is corrected keeps its reifier, which then is of the new statement: what else is said there, stays said.

mod change;
mod fields;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use kgq_graph::graph::{Graph, OpenOptions};
    use std::fs;

    const DATA: &str = r#"@prefix e: <http://e/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
e:Shape a sh:NodeShape ; sh:targetClass e:Thing ;
    sh:property [ sh:path e:size ; sh:datatype xsd:integer ] , [ sh:path e:born ; sh:datatype xsd:date ] .
e:a a e:Thing ;
    e:name "A "@en , "b"@ar--rtl , "C"@zh-Hant ;
    e:size "5"^^xsd:int ;
    e:born "1990-05-01Z"^^xsd:date ;
    e:empty "" ~ e:st {| e:from e:b |} , "  " ;
    e:lines "one\r\ntwo\rthree\n" ;
    e:knows e:b .
e:b e:name "b" .
"#;

    #[test]
    fn a_form_that_comes_back_as_it_was_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
        fs::write(folder.path().join("a.ttl"), DATA).unwrap();
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..OpenOptions::default() }).unwrap();
        let files = Files::read(&graph).unwrap();
        let thing = NamedNode::new_unchecked("http://e/a");
        let fields = fields(&graph, &thing).unwrap();
        let mut rows = rows(&fields, &["en".into()], graph.prefixes().unwrap());
        assert!(rows.len() > 9, "{rows:?}");
        // As a browser sends lines, and as tags are written in the form.
        for row in &mut rows {
            row.value = row.value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            row.language = row.language.to_ascii_uppercase();
        }
        let change = change(&graph, &files, &thing, &fields, &rows).unwrap().unwrap();
        assert!(change.added.is_empty() && change.removed.is_empty(), "{change:?}");
    }
}
