//! One JSON object per row (ndjson), from variable names to values, as SPARQL JSON objects or plain; unbound variables
//! are left out.

use crate::render::{cells, output_error};
use kgq_engine::Solutions;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedOrBlankNode, Term};
use serde_json::{Map, Value, json};
use std::io::Write;

pub fn write_lines(solutions: Solutions, plain: bool, out: &mut dyn Write) -> Result<u64> {
    let value = if plain { cells::plain } else { value };
    let mut count = 0;
    for row in solutions.rows {
        let row = row?;
        let object: Map<String, Value> = solutions
            .variables
            .iter()
            .zip(&row)
            .filter_map(|(variable, term)| Some((variable.as_str().to_owned(), value(term.as_ref()?))))
            .collect();
        writeln!(out, "{}", Value::Object(object)).map_err(|e| output_error(&e))?;
        count += 1;
    }
    Ok(count)
}

/// Returns a term in the form of SPARQL 1.2 Query Results JSON.
pub fn value(term: &Term) -> Value {
    match term {
        Term::NamedNode(node) => json!({"type": "uri", "value": node.as_str()}),
        Term::BlankNode(node) => json!({"type": "bnode", "value": node.as_str()}),
        Term::Literal(literal) => {
            let mut object = Map::new();
            object.insert("type".into(), "literal".into());
            object.insert("value".into(), literal.value().into());
            if let Some(language) = literal.language() {
                object.insert("xml:lang".into(), cased(language).into());
                if let Some(direction) = literal.direction() {
                    object.insert("its:dir".into(), direction.to_string().into());
                }
            } else if literal.datatype() != oxrdf::vocab::xsd::STRING {
                object.insert("datatype".into(), literal.datatype().as_str().into());
            }
            Value::Object(object)
        }
        Term::Triple(triple) => {
            let subject = match &triple.subject {
                NamedOrBlankNode::NamedNode(node) => Term::from(node.clone()),
                NamedOrBlankNode::BlankNode(node) => Term::from(node.clone()),
            };
            json!({"type": "triple", "value": {
                "subject": value(&subject),
                "predicate": value(&triple.predicate.clone().into()),
                "object": value(&triple.object),
            }})
        }
    }
}
