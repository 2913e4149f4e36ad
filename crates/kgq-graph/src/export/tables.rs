//! A table of each class for users of spreadsheets: a row for each member, a column for each property.

use super::names::safe_part;
use kgq_engine::Solutions;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Variable};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Separates several values in one cell.
const BETWEEN: &str = " | ";

/// The members of a class with their properties.
pub struct Table {
    /// Its file name without an ending.
    pub name: String,
    pub class: NamedNode,
    /// `iri`, then the properties.
    pub headings: Vec<String>,
    /// A member's IRI, then the values of each property, sorted.
    rows: Vec<Vec<Vec<Term>>>,
}

/// Returns a table for each class that has members with IRIs, ordered by class. The first column is the member's IRI.
/// The heading of a property's column is its CURIE, with the language if its values have one. Things are written as
/// IRIs. Reifiers and blank nodes get no row.
pub fn tables<'a>(quads: &'a [Quad], prefixes: &'a Prefixes) -> impl Iterator<Item = Table> + 'a {
    let mut facts: FxHashMap<&str, Vec<&Quad>> = FxHashMap::default();
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for quad in quads {
        let NamedOrBlankNode::NamedNode(subject) = &quad.subject else { continue };
        facts.entry(subject.as_str()).or_default().push(quad);
        if let (true, Term::NamedNode(class)) = (quad.predicate.as_ref() == rdf::TYPE, &quad.object) {
            members.entry(class.as_str()).or_default().insert(subject.as_str());
        }
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    members.into_iter().map(move |(class, members)| {
        let short = prefixes.shorten(class).unwrap_or_else(|| class.to_owned());
        let (stem, _) = safe_part(&short.replace([':', '/'], "-"), true);
        let mut name = stem.clone();
        let mut number = 2;
        while !taken.insert(name.to_lowercase()) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        let (headings, rows) = table(&members, &facts, prefixes);
        Table { name, class: NamedNode::new_unchecked(class), headings, rows }
    })
}

type Rows = Vec<Vec<Vec<Term>>>;

fn table(members: &BTreeSet<&str>, facts: &FxHashMap<&str, Vec<&Quad>>, prefixes: &Prefixes) -> (Vec<String>, Rows) {
    let heading = |quad: &Quad| {
        let property = prefixes.shorten(quad.predicate.as_str()).unwrap_or_else(|| quad.predicate.as_str().to_owned());
        match &quad.object {
            Term::Literal(literal) => match literal.language() {
                Some(language) => Some(format!("{property}@{}", cased(language))),
                None => Some(property),
            },
            Term::NamedNode(_) => Some(property),
            Term::BlankNode(_) | Term::Triple(_) => None,
        }
    };
    let mut columns: BTreeSet<String> = BTreeSet::new();
    for member in members {
        columns.extend(facts.get(member).into_iter().flatten().filter_map(|quad| heading(quad)));
    }
    let row = |member: &&str| {
        let mut cells: BTreeMap<String, BTreeMap<&str, &Term>> = BTreeMap::new();
        for quad in facts.get(member).into_iter().flatten() {
            if let (Some(heading), Some(text)) = (heading(quad), text(&quad.object)) {
                cells.entry(heading).or_default().insert(text, &quad.object);
            }
        }
        let values =
            |column: &String| cells.get(column).into_iter().flat_map(BTreeMap::values).map(|term| (*term).clone());
        let iri = vec![NamedNode::new_unchecked(*member).into()];
        std::iter::once(iri).chain(columns.iter().map(|column| values(column).collect())).collect()
    };
    let rows = members.iter().map(row).collect();
    (std::iter::once("iri".to_owned()).chain(columns).collect(), rows)
}

/// The text of a term in a cell; `None` for a blank node or triple term.
fn text(term: &Term) -> Option<&str> {
    match term {
        Term::NamedNode(node) => Some(node.as_str()),
        Term::Literal(literal) => Some(literal.value()),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

fn joined(values: &[Term]) -> String {
    values.iter().filter_map(text).collect::<Vec<_>>().join(BETWEEN)
}

impl Table {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the table as CSV (RFC 4180), with several values in a cell separated by ` | `.
    pub fn write_csv(&self, out: &mut dyn Write) -> Result<()> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        let failed = |e: csv::Error| match e.into_kind() {
            csv::ErrorKind::Io(error) => Error::io("a table", &error),
            kind => Error::bug(format!("a table cannot be written: {kind:?}")),
        };
        writer.write_record(&self.headings).map_err(failed)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|values| joined(values))).map_err(failed)?;
        }
        writer.flush().map_err(|e| Error::io("a table", &e))
    }

    /// Returns the table as solutions. If a cell has several values, its column becomes texts, in which they are
    /// separated by ` | `.
    pub fn into_solutions(self) -> Solutions {
        let single = |column: usize| self.rows.iter().all(|row| row[column].len() <= 1);
        let single: Vec<bool> = (0..self.headings.len()).map(single).collect();
        let variables = self.headings.into_iter().map(Variable::new_unchecked).collect();
        let cell = move |(column, mut values): (usize, Vec<Term>)| match values.len() {
            0 => None,
            _ if single[column] => values.pop(),
            _ => Some(Literal::new_simple_literal(joined(&values)).into()),
        };
        let row = move |row: Vec<Vec<Term>>| Ok(row.into_iter().enumerate().map(&cell).collect());
        Solutions::new(variables, self.rows.into_iter().map(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_a_table_with_a_column_for_each_property_and_language() {
        let text = "PREFIX e: <http://e/> e:b a e:C ; e:name \"B, b\", \"Bé\"@fr ; e:knows e:a, e:c . e:a a e:C, e:D ; e:n 1 . e:x e:n 2 .";
        let quads: Vec<Quad> = oxttl::TriGParser::new().for_slice(text).collect::<Result<_, _>>().unwrap();
        let prefixes = Prefixes::from_iter([("e", "http://e/")]);
        let tables: Vec<Table> = tables(&quads, &prefixes).collect();
        assert_eq!(tables.iter().map(|t| (t.name.as_str(), t.len())).collect::<Vec<_>>(), [("e-C", 2), ("e-D", 1)]);
        let kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
        let mut csv = Vec::new();
        tables[0].write_csv(&mut csv).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&csv),
            format!(
                "iri,e:knows,e:n,e:name,e:name@fr,{kind}\r\n\
                 http://e/a,,1,,,http://e/C | http://e/D\r\n\
                 http://e/b,http://e/a | http://e/c,,\"B, b\",Bé,http://e/C\r\n"
            )
        );
        let rows: Vec<_> = tables.into_iter().next().unwrap().into_solutions().rows.map(Result::unwrap).collect();
        assert_eq!(rows[0][2], Some(Literal::from(1).into()), "a column of single values has the terms");
        assert_eq!(rows[1][1], Some(Literal::new_simple_literal("http://e/a | http://e/c").into()));
    }
}
