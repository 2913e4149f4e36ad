//! An explanation as JSON-LD in the PROV-O vocabulary: the row was derived from the statements, each from its
//! citations.

use super::{AnswerPart, Derived, Explained, Stated};
use crate::audit::{CitedText, Reference};
use kgq_engine::why::Ground;
use kgq_syntax::rdf::{Quad, Term};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

/// Returns the JSON document.
pub fn document(explained: &Explained) -> Value {
    let numbers = explained.statements.iter().enumerate().map(|(number, stated)| (&stated.quad, number)).collect();
    let mut row = Map::new();
    row.insert("@id".into(), "_:row".into());
    row.insert("@type".into(), "prov:Entity".into());
    match &explained.part {
        AnswerPart::True => drop(row.insert("value".into(), true.into())),
        AnswerPart::Triple(triple) => drop(row.insert("value".into(), triple.to_string().into())),
        AnswerPart::Row { variables, row: values } => {
            let cells = variables.iter().zip(values);
            let cells = cells.map(|(v, value)| (v.as_str().to_owned(), value.as_ref().map(Term::to_string).into()));
            row.insert("value".into(), Value::Object(cells.collect()));
        }
    }
    let derived: Vec<Value> = (0..explained.statements.len()).map(|n| json!({ "@id": statement_id(n) })).collect();
    row.insert("prov:wasDerivedFrom".into(), derived.into());
    let mut graph = vec![Value::Object(row)];
    graph.extend(explained.statements.iter().enumerate().map(|(number, stated)| statement(number, stated)));
    graph.extend(explained.references.iter().enumerate().map(|(number, source)| reference(number, source)));
    json!({
        "@context": {
            "prov": "http://www.w3.org/ns/prov#",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "value": { "@id": "rdf:value", "@type": "@json" },
            "statement": null, "file": null, "line": null, "column": null, "reifiers": null, "inferred": null, "uncited": null,
            "document": null, "title": null, "sentences": null, "start": null, "end": null, "anchor": null, "words": null,
            "grounds": null, "irredundant": null, "derivation": null,
        },
        "@graph": graph,
        "irredundant": explained.is_irredundant,
        "grounds": grounds(&explained.grounds, &numbers),
    })
}

fn statement_id(number: usize) -> String {
    format!("_:statement{}", number + 1)
}

fn citation_id(number: usize, source: &Reference) -> String {
    match source.citation.iri.as_str() {
        "" => format!("_:citation{}", number + 1),
        iri => iri.to_owned(),
    }
}

fn statement(number: usize, stated: &Stated) -> Value {
    let sources: Vec<Value> =
        stated.citations.iter().map(|n| json!({ "@id": format!("_:citation{}", n + 1) })).collect();
    json!({
        "@id": statement_id(number),
        "@type": "prov:Entity",
        "statement": stated.quad.to_string(),
        "file": stated.place.as_ref().map(|place| &place.file),
        "line": stated.place.as_ref().map(|place| place.line),
        "column": stated.place.as_ref().map(|place| place.column),
        "reifiers": stated.statements.iter().map(|s| s.reifier.to_string()).collect::<Vec<_>>(),
        "inferred": stated.is_inferred,
        "uncited": stated.is_uncited,
        "derivation": stated.derivation.iter().map(derived).collect::<Vec<_>>(),
        "prov:hadPrimarySource": sources,
    })
}

fn derived(derived: &Derived) -> Value {
    json!({
        "depth": derived.depth,
        "statement": derived.triple.to_string(),
        "by": derived.by.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>(),
        "file": derived.place.as_ref().map(|place| &place.file),
        "line": derived.place.as_ref().map(|place| place.line),
    })
}

fn reference(number: usize, source: &Reference) -> Value {
    let words = match &source.place {
        CitedText::Verified(text) => Some(format!("{}{}{}", text.before, text.anchor, text.after)),
        CitedText::NotAtHand | CitedText::Differs(_) => None,
    };
    json!({
        "@id": format!("_:citation{}", number + 1),
        "@type": "prov:Entity",
        "prov:specializationOf": { "@id": citation_id(number, source) },
        "document": source.document.as_ref().map(|document| document.iri.as_str()),
        "title": source.document.as_ref().and_then(|document| document.title.as_deref()),
        "sentences": source.citation.sentences,
        "start": source.citation.span.map(|span| span.start),
        "end": source.citation.span.map(|span| span.end),
        "anchor": source.citation.anchor,
        "words": words,
    })
}

fn grounds(all: &[Ground], numbers: &FxHashMap<&Quad, usize>) -> Value {
    let id = |quad: &Quad| numbers.get(quad).map(|number| statement_id(*number));
    let ground = |ground: &Ground| match ground {
        Ground::Statement(quad) => json!({ "statement": id(quad) }),
        Ground::Path { from, to, steps } => json!({
            "from": from.to_string(), "to": to.to_string(), "steps": steps.iter().map(id).collect::<Vec<_>>(),
        }),
        Ground::Members(members) => {
            json!({ "members": members.iter().map(|member| grounds(member, numbers)).collect::<Vec<_>>() })
        }
        Ground::Absent { pattern } => json!({ "absent": pattern }),
        Ground::Whole { pattern, statements } => json!({ "pattern": pattern, "statements": statements }),
    };
    all.iter().map(ground).collect()
}
