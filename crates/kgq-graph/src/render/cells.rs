//! Cells for programs that are not triple stores: as text that a spreadsheet does not run, or as plain JSON values.

use kgq_engine::{Row, Solutions};
use kgq_syntax::rdf::{Literal, Term};
use oxrdf::vocab::xsd;
use serde_json::{Number, Value};

/// How the cells of CSV and of JSON lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellOptions {
    /// CSV begins with the byte order mark by which Excel recognises UTF-8.
    pub byte_order_mark: bool,
    /// CSV text that a spreadsheet would run is preceded by `'`.
    pub inert: bool,
    /// Values in JSON lines are numbers, truth values and strings instead of objects that describe terms.
    pub plain: bool,
}

/// Returns the solutions with `'` before each text that a spreadsheet would run.
pub fn inert(solutions: Solutions) -> Solutions {
    let Solutions { variables, rows } = solutions;
    let quote = |row: Row| row.into_iter().map(|term| term.map(inert_term)).collect();
    Solutions::new(variables, rows.map(move |row| row.map(quote)))
}

fn inert_term(term: Term) -> Term {
    match term {
        Term::Literal(literal) if !is_number(&literal) && runs(literal.value()) => {
            Literal::new_simple_literal(format!("'{}", literal.value())).into()
        }
        term => term,
    }
}

/// Whether a spreadsheet takes a cell for a formula, possibly after skipping its first character.
fn runs(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Whether it is a number by both datatype and text: a text that is not a number can have a numeric datatype.
fn is_number(literal: &Literal) -> bool {
    let datatype = literal.datatype();
    let numeric = [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT];
    (numeric.contains(&datatype) || is_derived_integer(datatype.as_str()))
        && literal.value().chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
        && literal.value().parse::<f64>().is_ok()
}

fn is_derived_integer(datatype: &str) -> bool {
    let Some(name) = datatype.strip_prefix("http://www.w3.org/2001/XMLSchema#") else { return false };
    matches!(
        name,
        "long"
            | "int"
            | "short"
            | "byte"
            | "nonNegativeInteger"
            | "positiveInteger"
            | "nonPositiveInteger"
            | "negativeInteger"
            | "unsignedLong"
            | "unsignedInt"
            | "unsignedShort"
            | "unsignedByte"
    )
}

/// A double keeps this many decimal digits.
const EXACT: usize = 15;

/// Returns a term for a program that knows no RDF. A number that JSON readers would change stays a string.
pub fn plain(term: &Term) -> Value {
    match term {
        Term::NamedNode(node) => node.as_str().into(),
        Term::BlankNode(node) => node.to_string().into(),
        Term::Triple(triple) => triple.to_string().into(),
        Term::Literal(literal) if literal.datatype() == xsd::BOOLEAN => match literal.value() {
            "true" | "1" => true.into(),
            "false" | "0" => false.into(),
            other => other.into(),
        },
        Term::Literal(literal) if is_number(literal) => number(literal).unwrap_or_else(|| literal.value().into()),
        Term::Literal(literal) => literal.value().into(),
    }
}

fn number(literal: &Literal) -> Option<Value> {
    let text = literal.value();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let double = [xsd::DOUBLE, xsd::FLOAT].contains(&literal.datatype());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let value: f64 = text.parse().ok()?;
    (double || digits <= EXACT).then(|| Number::from_f64(value).map(Value::Number)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, datatype: &str) -> Term {
        let datatype = oxrdf::NamedNode::new(format!("http://www.w3.org/2001/XMLSchema#{datatype}")).unwrap();
        Literal::new_typed_literal(text, datatype).into()
    }

    #[test]
    fn texts_that_a_spreadsheet_would_run_are_quoted_and_numbers_are_not() {
        for text in ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1", "＝1"] {
            let quoted = inert_term(Literal::new_simple_literal(text).into());
            assert_eq!(quoted, Literal::new_simple_literal(format!("'{text}")).into());
        }
        for kept in [typed("-5", "integer"), typed("+1.5e3", "double"), typed("-1", "int"), typed("a=1", "string")] {
            assert_eq!(inert_term(kept.clone()), kept);
        }
        assert_ne!(inert_term(typed("-1+cmd", "integer")), typed("-1+cmd", "integer"));
    }

    #[test]
    fn plain_values_are_those_of_json_where_it_holds_them_exactly() {
        let shown = |term: Term| plain(&term).to_string();
        assert_eq!(shown(typed("007", "integer")), "7");
        assert_eq!(shown(typed("-1.50", "decimal")), "-1.5");
        assert_eq!(shown(typed("true", "boolean")), "true");
        assert_eq!(shown(typed("123456789012345678901234567890", "integer")), "\"123456789012345678901234567890\"");
        assert_eq!(shown(typed("INF", "double")), "\"INF\"");
        assert_eq!(shown(typed("2026-11-28", "date")), "\"2026-11-28\"");
    }
}
