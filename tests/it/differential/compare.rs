//! Compares the solutions of two executors, as far as the standard determines them.

use super::query::Select;
use kgq_engine::Row;
use oxrdf::vocab::xsd;
use oxrdf::{Literal, Term, Variable};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The solutions of a query, or why there are none.
pub struct Solutions {
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
}

/// Describes what is wrong with `found`. `unlimited` are the oracle's solutions of the same query without LIMIT and OFFSET.
pub fn difference(query: &Select, unlimited: &Solutions, found: &Solutions) -> Option<String> {
    if found.variables != unlimited.variables {
        return Some(format!("variables {:?}, not {:?}", found.variables, unlimited.variables));
    }
    let mut left = multiset(&unlimited.rows);
    let reduced = query.modifier == "REDUCED";
    for row in &found.rows {
        let row = shown(row);
        match left.get_mut(&row) {
            Some(count) if *count > 0 || reduced => *count = count.saturating_sub(1),
            _ => return Some(format!("a solution too many: {row}")),
        }
    }
    let offset = query.offset.unwrap_or(0);
    let expected = unlimited.rows.len().saturating_sub(offset).min(query.limit.unwrap_or(usize::MAX));
    if reduced {
        // Duplicates may be left out, but no solution.
        let missing = left.iter().find(|(row, _)| !found.rows.iter().any(|found| shown(found) == **row));
        if let (Some((row, _)), None, None) = (missing, query.limit, query.offset) {
            return Some(format!("no solution {row}"));
        }
    } else if found.rows.len() != expected {
        let missing = left.iter().find(|(_, count)| **count > 0).map(|(row, _)| row.clone());
        return Some(format!("{} solutions, not {expected}; one missing: {missing:?}", found.rows.len()));
    }
    wrong_order(query, found).or_else(|| wrong_slice(query, unlimited, found))
}

/// Checks LIMIT and OFFSET where they leave no choice: where all columns are sort keys and all values have a fixed order.
fn wrong_slice(query: &Select, unlimited: &Solutions, found: &Solutions) -> Option<String> {
    let keys = keys(query, found);
    if (query.limit, query.offset) == (None, None) || query.modifier == "REDUCED" || keys.len() < found.variables.len()
    {
        return None;
    }
    let order = |a: &Row, b: &Row| -> Option<Ordering> {
        for (column, descending) in &keys {
            match fixed_order(a[*column].as_ref(), b[*column].as_ref())? {
                Ordering::Equal => {}
                order => return Some(if *descending { order.reverse() } else { order }),
            }
        }
        Some(Ordering::Equal)
    };
    let mut sorted: Vec<&Row> = Vec::new();
    for row in &unlimited.rows {
        let mut at = sorted.len();
        for (place, other) in sorted.iter().enumerate() {
            if order(row, other)? == Ordering::Less {
                at = at.min(place);
            }
        }
        sorted.insert(at, row);
    }
    let expected = sorted.into_iter().skip(query.offset.unwrap_or(0));
    let wrong = expected.zip(&found.rows).find(|(a, b)| order(a, b).is_some_and(|order| order != Ordering::Equal));
    wrong.map(|(expected, found)| format!("{} is where {} belongs", shown(found), shown(expected)))
}

/// The columns that are sorted by, and whether descending.
fn keys(query: &Select, found: &Solutions) -> Vec<(usize, bool)> {
    let column = |name: &String| found.variables.iter().position(|v| v.as_str() == name);
    query.order.iter().filter_map(|(name, descending)| Some((column(name)?, *descending))).collect()
}

fn multiset(rows: &[Row]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(shown(row)).or_insert(0) += 1;
    }
    counts
}

pub fn shown(row: &Row) -> String {
    let terms: Vec<String> =
        row.iter().map(|term| term.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)).collect();
    terms.join(" | ")
}

fn wrong_order(query: &Select, found: &Solutions) -> Option<String> {
    let keys = keys(query, found);
    for (at, later) in found.rows.iter().enumerate() {
        for earlier in &found.rows[..at] {
            for (column, descending) in &keys {
                let order = match fixed_order(later[*column].as_ref(), earlier[*column].as_ref()) {
                    Some(order) if *descending => order.reverse(),
                    Some(order) => order,
                    // The standard leaves their order open, so the further keys do not matter.
                    None => break,
                };
                match order {
                    Ordering::Less => return Some(format!("{} comes after {}", shown(later), shown(earlier))),
                    Ordering::Greater => break,
                    Ordering::Equal => {}
                }
            }
        }
    }
    None
}

/// The order of two terms, if SPARQL 1.1 §15.1 defines it.
pub fn fixed_order(a: Option<&Term>, b: Option<&Term>) -> Option<Ordering> {
    let class = |term: Option<&Term>| match term {
        None => Some(0),
        Some(Term::BlankNode(_)) => Some(1),
        Some(Term::NamedNode(_)) => Some(2),
        Some(Term::Literal(_)) => Some(3),
        Some(Term::Triple(_)) => None,
    };
    let by_class = class(a)?.cmp(&class(b)?);
    if by_class != Ordering::Equal {
        return Some(by_class);
    }
    match (a, b) {
        (None, None) => Some(Ordering::Equal),
        (Some(Term::NamedNode(a)), Some(Term::NamedNode(b))) => Some(a.as_str().cmp(b.as_str())),
        (Some(Term::Literal(a)), Some(Term::Literal(b))) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ if a.datatype() == xsd::STRING && b.datatype() == xsd::STRING => Some(a.value().cmp(b.value())),
            _ => (a == b).then_some(Ordering::Equal),
        },
        (a, b) => (a == b).then_some(Ordering::Equal),
    }
}

pub fn number(literal: &Literal) -> Option<f64> {
    if [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::BYTE].contains(&literal.datatype()) {
        literal.value().parse().ok()
    } else {
        None
    }
}
