//! Compares two tables up to the order of rows and the names of blank nodes.

use kgq_syntax::rdf::{BlankNode, Literal, NamedOrBlankNode, Term, Triple, Variable};
use oxsdatatypes::{DateTime, Decimal, Double, Float, Integer};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Solutions as a table.
#[derive(Clone, Debug)]
pub struct Rows {
    pub variables: Vec<Variable>,
    pub rows: Vec<Vec<Option<Term>>>,
    pub ordered: bool,
}

/// Compares two tables. `lax`: rows may be repeated less often than expected, but none may be missing.
pub fn same_rows(got: &Rows, expected: &Rows, lax: bool) -> Result<(), String> {
    let mut variables = expected.variables.clone();
    variables.sort();
    let mut got_variables = got.variables.clone();
    got_variables.sort();
    if variables != got_variables {
        return Err(format!("has the variables {got_variables:?}, not {variables:?}"));
    }
    let table = |of: &Rows| -> Vec<Vec<Option<Term>>> {
        let position = |variable| of.variables.iter().position(|v| v == variable).unwrap();
        let positions: Vec<usize> = variables.iter().map(position).collect();
        of.rows.iter().map(|row| positions.iter().map(|i| row[*i].as_ref().map(by_value)).collect()).collect()
    };
    let (mut left, mut right) = (table(got), table(expected));
    if lax {
        for rows in [&mut left, &mut right] {
            rows.sort_by_key(|row| format!("{row:?}"));
            rows.dedup();
        }
    }
    let same = left.len() == right.len()
        && if expected.ordered {
            let mut names = Names::default();
            left.iter().zip(&right).all(|(l, r)| names.row(l, r))
        } else {
            matched(&left, &right)
        };
    if same {
        return Ok(());
    }
    let show = |rows: &[Vec<Option<Term>>]| {
        let line = |row: &Vec<Option<Term>>| {
            row.iter().map(|t| t.as_ref().map_or("-".into(), ToString::to_string)).collect::<Vec<_>>().join(" ")
        };
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        lines.sort();
        lines.join("\n  ")
    };
    Err(format!("has the rows\n  {}\nnot\n  {}", show(&left), show(&right)))
}

/// Whether the rows can be paired so that blank nodes map one to one.
fn matched(left: &[Vec<Option<Term>>], right: &[Vec<Option<Term>>]) -> bool {
    let mut open: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, row) in right.iter().enumerate() {
        open.entry(masked(row)).or_default().push(number);
    }
    let mut used = vec![false; right.len()];
    pair(left, right, &open, &mut used, &Names::default())
}

fn pair(
    left: &[Vec<Option<Term>>],
    right: &[Vec<Option<Term>>],
    open: &BTreeMap<String, Vec<usize>>,
    used: &mut [bool],
    names: &Names,
) -> bool {
    let Some((first, rest)) = left.split_first() else { return true };
    for number in open.get(&masked(first)).into_iter().flatten() {
        let mut names = names.clone();
        if used[*number] || !names.row(first, &right[*number]) {
            continue;
        }
        used[*number] = true;
        if pair(rest, right, open, used, &names) {
            return true;
        }
        used[*number] = false;
    }
    false
}

fn masked(row: &[Option<Term>]) -> String {
    let mut names = Names::default();
    row.iter().map(|cell| cell.as_ref().map_or("-".into(), |term| names.mask(term)) + " ").collect()
}

/// A mapping between the blank nodes of both sides.
#[derive(Clone, Default)]
struct Names {
    to: BTreeMap<String, String>,
    from: BTreeMap<String, String>,
}

impl Names {
    fn row(&mut self, left: &[Option<Term>], right: &[Option<Term>]) -> bool {
        left.iter().zip(right).all(|(l, r)| match (l, r) {
            (None, None) => true,
            (Some(l), Some(r)) => self.term(l, r),
            _ => false,
        })
    }

    fn term(&mut self, left: &Term, right: &Term) -> bool {
        match (left, right) {
            (Term::BlankNode(l), Term::BlankNode(r)) => self.nodes(l, r),
            (Term::Triple(l), Term::Triple(r)) => {
                let subjects = match (&l.subject, &r.subject) {
                    (NamedOrBlankNode::BlankNode(l), NamedOrBlankNode::BlankNode(r)) => self.nodes(l, r),
                    (l, r) => l == r,
                };
                subjects && l.predicate == r.predicate && self.term(&l.object, &r.object)
            }
            (l, r) => l == r,
        }
    }

    fn nodes(&mut self, left: &BlankNode, right: &BlankNode) -> bool {
        let (left, right) = (left.to_string(), right.to_string());
        self.to.entry(left.clone()).or_insert_with(|| right.clone()) == &right
            && self.from.entry(right).or_insert_with(|| left.clone()) == &left
    }

    fn mask(&mut self, term: &Term) -> String {
        match term {
            Term::BlankNode(_) => "_:".into(),
            Term::Triple(t) => {
                let subject = match &t.subject {
                    NamedOrBlankNode::BlankNode(_) => "_:".into(),
                    NamedOrBlankNode::NamedNode(n) => n.to_string(),
                };
                format!("<<({subject} {} {})>>", t.predicate, self.mask(&t.object))
            }
            Term::NamedNode(_) | Term::Literal(_) => term.to_string(),
        }
    }
}

/// The term with the canonical form of its value: the suites expect values, not lexical forms (`2.0` is `2.00`).
fn by_value(term: &Term) -> Term {
    match term {
        Term::Literal(literal) => literal_by_value(literal).into(),
        Term::Triple(t) => Triple::new(t.subject.clone(), t.predicate.clone(), by_value(&t.object)).into(),
        Term::NamedNode(_) | Term::BlankNode(_) => term.clone(),
    }
}

fn literal_by_value(literal: &Literal) -> Literal {
    fn canonical<T: FromStr + ToString>(literal: &Literal) -> Option<String> {
        literal.value().parse::<T>().ok().map(|value| value.to_string())
    }
    let datatype = literal.datatype();
    let form = match datatype.as_str().strip_prefix("http://www.w3.org/2001/XMLSchema#") {
        Some("integer") => canonical::<Integer>(literal),
        Some("decimal") => canonical::<Decimal>(literal),
        Some("float") => canonical::<Float>(literal),
        Some("double") => canonical::<Double>(literal),
        Some("dateTime") => canonical::<DateTime>(literal),
        _ => None,
    };
    form.map_or_else(|| literal.clone(), |form| Literal::new_typed_literal(form, datatype))
}
