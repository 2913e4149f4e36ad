//! A table of each class: a row for each member, a column for each property, for those who work in spreadsheets.

use super::names::safe_part;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Prefixes, Quad, Term};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What parts several values in one cell.
const BETWEEN: &str = " | ";

/// A table as CSV (RFC 4180).
pub struct Table {
    /// The name of its file.
    pub name: String,
    pub class: NamedNode,
    pub rows: u64,
    pub csv: Vec<u8>,
}

/// A table for each class that has members with IRIs, in the order of the classes. The first column is the member's IRI; a property's
/// column is headed by its CURIE, with the language where its values have one. Things are given by IRI, several values parted by ` | `.
/// Reifiers, and nodes without names, have no row.
pub fn tables(quads: &[Quad], prefixes: &Prefixes) -> Result<Vec<Table>> {
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
    let mut tables = Vec::new();
    for (class, members) in members {
        let short = prefixes.shorten(class).unwrap_or_else(|| class.to_owned());
        let (stem, _) = safe_part(&short.replace([':', '/'], "-"), true);
        let mut name = format!("{stem}.csv");
        let mut number = 2;
        while !taken.insert(name.to_lowercase()) {
            name = format!("{stem}-{number}.csv");
            number += 1;
        }
        let rows = members.len() as u64;
        let csv = table(&members, &facts, prefixes)?;
        tables.push(Table { name, class: NamedNode::new_unchecked(class), rows, csv });
    }
    Ok(tables)
}

fn table(members: &BTreeSet<&str>, facts: &FxHashMap<&str, Vec<&Quad>>, prefixes: &Prefixes) -> Result<Vec<u8>> {
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
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let failed = |e: csv::Error| Error::bug(format!("a table cannot be written: {e}"));
    writer.write_record(std::iter::once("iri").chain(columns.iter().map(String::as_str))).map_err(failed)?;
    for member in members {
        let mut cells: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for quad in facts.get(member).into_iter().flatten() {
            let value = match &quad.object {
                Term::NamedNode(node) => node.as_str(),
                Term::Literal(literal) => literal.value(),
                Term::BlankNode(_) | Term::Triple(_) => continue,
            };
            if let Some(heading) = heading(quad) {
                cells.entry(heading).or_default().insert(value);
            }
        }
        let cell = |column: &String| {
            cells
                .get(column)
                .map_or_else(String::new, |values| values.iter().copied().collect::<Vec<_>>().join(BETWEEN))
        };
        writer.write_record(std::iter::once((*member).to_owned()).chain(columns.iter().map(cell))).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Error::bug(format!("a table cannot be written: {}", e.error())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_a_table_with_a_column_for_each_property_and_language() {
        let text = "PREFIX e: <http://e/> e:b a e:C ; e:name \"B, b\", \"Bé\"@fr ; e:knows e:a, e:c . e:a a e:C, e:D ; e:n 1 . e:x e:n 2 .";
        let quads: Vec<Quad> = oxttl::TriGParser::new().for_slice(text).collect::<Result<_, _>>().unwrap();
        let tables = tables(&quads, &Prefixes::from_iter([("e", "http://e/")])).unwrap();
        assert_eq!(
            tables.iter().map(|t| (t.name.as_str(), t.rows)).collect::<Vec<_>>(),
            [("e-C.csv", 2), ("e-D.csv", 1)]
        );
        let kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
        assert_eq!(
            String::from_utf8_lossy(&tables[0].csv),
            format!(
                "iri,e:knows,e:n,e:name,e:name@fr,{kind}\r\n\
                 http://e/a,,1,,,http://e/C | http://e/D\r\n\
                 http://e/b,http://e/a | http://e/c,,\"B, b\",Bé,http://e/C\r\n"
            )
        );
    }
}
