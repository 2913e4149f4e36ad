//! Writes an answer in the form of a file that expects it.

use super::Outcome;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::{cased, text};
use kgq_syntax::rdf::{Literal, Prefixes, Term, Triple, Variable};
use oxttl::TurtleSerializer;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The endings of [`ending`].
pub(crate) const ENDINGS: [&str; 3] = ["csv", "json", "ttl"];

/// Returns the ending for the file that an answer is written to, if it does not exist yet.
pub fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Table { .. } => "csv",
        Outcome::Boolean(_) => "json",
        Outcome::Graph(_) => "ttl",
    }
}

/// Returns the text of a file of expected answers, with its parameters. Rows and triples without a fixed order are
/// sorted, so that a change to one of them changes one line.
pub fn write(ending: &str, params: &[(String, String)], outcome: &Outcome, prefixes: &Prefixes) -> Result<String> {
    let mut out = String::new();
    if ending != "json" {
        for (name, value) in params {
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "# param {name}={value}");
        }
    }
    match (ending, outcome) {
        ("csv", Outcome::Table { columns, rows, ordered_by }) => {
            out.push_str(&csv(columns, rows, ordered_by.is_empty())?);
        }
        ("json", Outcome::Table { columns, rows, ordered_by }) => {
            let mut bindings: Vec<Value> = rows.iter().map(|row| binding(columns, row)).collect();
            if ordered_by.is_empty() {
                bindings.sort_by_key(Value::to_string);
            }
            let vars: Vec<&str> = columns.iter().map(Variable::as_str).collect();
            out.push_str(&json_text(params, json!({"head": {"vars": vars}, "results": {"bindings": bindings}})));
        }
        ("json", Outcome::Boolean(value)) => {
            out.push_str(&json_text(params, json!({"head": {}, "boolean": value})));
        }
        ("ttl", Outcome::Graph(triples)) => out.push_str(&turtle(triples, prefixes)?),
        (ending, _) => {
            return Err(Error::input(format!("an answer of this form cannot be written to .{ending}")));
        }
    }
    Ok(out)
}

fn csv(columns: &[Variable], rows: &[Vec<Option<Term>>], sort: bool) -> Result<String> {
    let failed = |e: csv::Error| Error::bug(format!("a table in memory could not be written: {e}"));
    let mut records: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            row.iter().map(|term| term.as_ref().map(|term| text(term).into_owned()).unwrap_or_default()).collect()
        })
        .collect();
    if sort {
        records.sort();
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(Variable::as_str)).map_err(failed)?;
    for record in records {
        writer.write_record(record).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::bug(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| Error::bug(e.to_string()))
}

fn binding(columns: &[Variable], row: &[Option<Term>]) -> Value {
    let cells = columns.iter().zip(row).filter_map(|(v, t)| Some((v.as_str().to_owned(), json_term(t.as_ref()?))));
    Value::Object(cells.collect())
}

fn json_term(term: &Term) -> Value {
    match term {
        Term::NamedNode(iri) => json!({"type": "uri", "value": iri.as_str()}),
        Term::BlankNode(node) => json!({"type": "bnode", "value": node.as_str()}),
        Term::Literal(literal) => json_literal(literal),
        Term::Triple(triple) => json!({"type": "triple", "value": {
            "subject": json_term(&triple.subject.clone().into()),
            "predicate": json_term(&triple.predicate.clone().into()),
            "object": json_term(&triple.object),
        }}),
    }
}

fn json_literal(literal: &Literal) -> Value {
    let mut value = json!({"type": "literal", "value": literal.value()});
    match literal.language() {
        Some(language) => value["xml:lang"] = cased(language).into(),
        None if literal.datatype() != oxrdf::vocab::xsd::STRING => {
            value["datatype"] = literal.datatype().as_str().into()
        }
        None => {}
    }
    if let Some(direction) = literal.direction() {
        value["its:dir"] = direction.to_string().into();
    }
    value
}

fn json_text(params: &[(String, String)], answer: Value) -> String {
    let mut object = Map::new();
    if !params.is_empty() {
        let mut given: Map<String, Value> = Map::new();
        for (name, value) in params {
            match given.get_mut(name) {
                None => {
                    given.insert(name.clone(), value.as_str().into());
                }
                Some(Value::Array(values)) => values.push(value.as_str().into()),
                Some(first) => *first = Value::Array(vec![first.clone(), value.as_str().into()]),
            }
        }
        object.insert("params".into(), Value::Object(given));
    }
    if let Value::Object(answer) = answer {
        object.extend(answer);
    }
    // A JSON value can always be written.
    serde_json::to_string_pretty(&object).unwrap_or_default() + "\n"
}

fn turtle(triples: &[Triple], prefixes: &Prefixes) -> Result<String> {
    let failed = |e: std::io::Error| Error::bug(format!("a graph in memory could not be written: {e}"));
    let mut serializer = TurtleSerializer::new();
    let used: Vec<String> = triples.iter().map(Triple::to_string).collect();
    for (prefix, namespace) in prefixes.iter() {
        if used.iter().any(|triple| triple.contains(&format!("<{namespace}"))) {
            serializer = serializer.with_prefix(prefix, namespace).map_err(|e| Error::input(e.to_string()))?;
        }
    }
    let mut sorted: Vec<&Triple> = triples.iter().collect();
    sorted.sort_by_key(|triple| triple.to_string());
    let mut writer = serializer.for_writer(Vec::new());
    for triple in sorted {
        writer.serialize_triple(triple).map_err(failed)?;
    }
    String::from_utf8(writer.finish().map_err(failed)?).map_err(|e| Error::bug(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::{Expected, compare};
    use super::*;
    use kgq_syntax::budget::Budget;
    use kgq_syntax::rdf::NamedNode;

    #[test]
    fn what_is_written_is_what_is_then_expected() {
        let columns = vec![Variable::new_unchecked("a"), Variable::new_unchecked("b")];
        let text: Term = Literal::new_language_tagged_literal_unchecked("a \"b\",\n", "en").into();
        let rows = vec![
            vec![Some(text), None],
            vec![Some(Literal::from(1).into()), Some(NamedNode::new_unchecked("urn:x").into())],
        ];
        let triple =
            Triple::new(NamedNode::new_unchecked("urn:s"), NamedNode::new_unchecked("urn:p"), Literal::from(2));
        let params = vec![("p".to_owned(), "x".to_owned()), ("p".to_owned(), "y".to_owned())];
        for outcome in [
            Outcome::Table { columns, rows, ordered_by: Vec::new() },
            Outcome::Boolean(false),
            Outcome::Graph(vec![triple]),
        ] {
            let ending = ending(&outcome);
            let written = write(ending, &params, &outcome, &Prefixes::new()).unwrap();
            let expected = Expected::read("f", ending, &written).unwrap();
            assert_eq!(expected.params, params);
            assert_eq!(
                compare(&expected, &outcome, &|t| t.to_string(), &Budget::default()).unwrap(),
                None,
                "{written}"
            );
        }
    }
}
