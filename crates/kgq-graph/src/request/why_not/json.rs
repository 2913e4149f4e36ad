//! The reason for a missing row, as JSON.

use super::{Reason, WhyNot};
use crate::advice::{Lack, Removal};
use kgq_engine::Row;
use kgq_engine::query::atoms::PatternTerm;
use kgq_syntax::rdf::{Quad, Term, Variable};
use serde_json::{Value, json};

/// Returns the JSON document.
pub fn document(found: &WhyNot) -> Value {
    let expected: Vec<Value> = found
        .expected
        .iter()
        .map(|e| json!({ "column": e.variable.as_str(), "thing": e.node.as_ref().map(|n| n.as_str()), "text": e.text }))
        .collect();
    let statements = found.statements.iter().map(|stated| {
        json!({
            "statement": stated.quad.to_string(),
            "file": stated.place.as_ref().map(|place| &place.file),
            "line": stated.place.as_ref().map(|place| place.line),
            "citations": stated.citations.iter().filter_map(|n| found.references.get(*n)).map(|r| r.citation.iri.as_str()).collect::<Vec<_>>(),
        })
    });
    json!({
        "expected": expected,
        "reason": reason(&found.reason),
        "not-stated": found.silences.iter().map(|s| s.error.message()).collect::<Vec<_>>(),
        "statements": statements.collect::<Vec<_>>(),
    })
}

fn reason(reason: &Reason) -> Value {
    match reason {
        Reason::True => json!({ "kind": "true" }),
        Reason::There(row) => json!({ "kind": "there", "row": row }),
        Reason::Cut { number, rows } => json!({ "kind": "cut", "row": number, "rows": rows }),
        Reason::Rejected { columns, row } => json!({ "kind": "having", "values": values(columns, row) }),
        Reason::Other { columns, rows } => {
            json!({ "kind": "other-values", "rows": rows.iter().map(|row| values(columns, row)).collect::<Vec<_>>() })
        }
        Reason::Unknown => json!({ "kind": "unknown" }),
        Reason::Removed(removal) => removed(removal),
    }
}

fn removed(removal: &Removal) -> Value {
    let mut value = json!({
        "kind": "removed",
        "condition": removal.condition,
        "file": removal.place.as_ref().map(|place| &place.file),
        "line": removal.place.as_ref().map(|place| place.line),
        "column": removal.place.as_ref().map(|place| place.column),
    });
    match &removal.lack {
        Lack::Statement { wanted, near } => {
            let node = |node: &PatternTerm| match node {
                PatternTerm::Term(term) => term.to_string(),
                PatternTerm::Variable(variable) => variable.to_string(),
                PatternTerm::Other => "[]".to_owned(),
            };
            let parts = [&wanted.subject, &wanted.predicate, &wanted.object];
            value["wanted"] = json!(parts.map(node));
            value["near"] = quads(near);
        }
        Lack::Values(values) => {
            let cells =
                values.iter().map(|(v, term)| (v.as_str().to_owned(), term.as_ref().map(Term::to_string).into()));
            value["values"] = Value::Object(cells.collect());
        }
        Lack::Absence(statements) => value["must-be-absent"] = quads(statements),
        Lack::Match => {}
    }
    value
}

fn quads(quads: &[Quad]) -> Value {
    json!(quads.iter().map(Quad::to_string).collect::<Vec<_>>())
}

fn values(columns: &[Variable], row: &Row) -> Value {
    let cells = columns.iter().zip(row);
    Value::Object(cells.map(|(v, term)| (v.as_str().to_owned(), term.as_ref().map(Term::to_string).into())).collect())
}
