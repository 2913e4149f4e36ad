//! A table of each class for users of spreadsheets: a row for each member, a column for each property.

use super::names::safe_part;
use kgq_engine::Solutions;
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Quad, Term, Variable};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

/// Separates several values in one cell.
const BETWEEN: &str = " | ";

/// The members of a class with their properties, which are read from the snapshot as they are written.
pub struct Table {
    /// Its file name without an ending.
    pub name: String,
    pub class: NamedNode,
    facts: TableFacts,
    /// In the order of their IRIs.
    members: Vec<TermId>,
    /// After the member's IRI.
    columns: Vec<ClassColumn>,
}

/// A property of a class, with the language where its values have one.
struct ClassColumn {
    heading: String,
    /// Whether no member has several values.
    is_single: bool,
}

/// The statements that tables are made of.
#[derive(Clone)]
struct TableFacts {
    snapshot: Snapshot,
    /// The graph that they stand in, if it is one: unbound for the default graph.
    only: Option<TermId>,
    prefixes: Arc<Prefixes>,
}

/// The values of a thing by heading, each once, in the order of their texts.
type TableCells = BTreeMap<String, BTreeMap<String, Term>>;

/// Returns a table for each class that has members with IRIs, ordered by class. The first column is the member's IRI.
/// The heading of a property's column is its CURIE, with the language if its values have one. Things are written as
/// IRIs. Reifiers and blank nodes get no row. Only the members' ids are held.
///
/// # Errors
/// The budget's, damage to the snapshot.
pub fn tables(
    snapshot: &Snapshot,
    only: Option<TermId>,
    prefixes: &Prefixes,
    budget: &Budget,
) -> Result<impl Iterator<Item = Result<Table>>> {
    let facts = TableFacts { snapshot: snapshot.clone(), only, prefixes: Arc::new(prefixes.clone()) };
    let mut held = budget.reserve(0)?;
    let mut members: BTreeMap<TermId, BTreeSet<TermId>> = BTreeMap::new();
    if let Some(kind) = snapshot.id(rdf::TYPE.into()) {
        for (number, [member, _, class, _]) in facts.matching([None, Some(kind), None]).enumerate() {
            if number.is_multiple_of(MEMBERS_COUNTED_AT_ONCE) {
                held.grow(budget, (MEMBERS_COUNTED_AT_ONCE * size_of::<[TermId; 3]>()) as u64)?;
                budget.check()?;
            }
            if [member, class].iter().all(|id| snapshot.kind(*id) == TermKind::Iri) {
                members.entry(class).or_default().insert(member);
            }
        }
    }
    snapshot.intact()?;
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let budget = budget.clone();
    Ok(members.into_iter().map(move |(class, members)| {
        // Held as long as tables are made.
        let _ = &held;
        let Term::NamedNode(class) = facts.snapshot.term(class) else { return Err(Error::bug("a class has no IRI")) };
        let short = facts.prefixes.shorten(class.as_str()).unwrap_or_else(|| class.as_str().to_owned());
        let (stem, _) = safe_part(&short.replace([':', '/'], "-"), true);
        let mut name = stem.clone();
        let mut number = 2;
        while !taken.insert(name.to_lowercase()) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        let members: Vec<TermId> = members.into_iter().collect();
        let columns = facts.columns(&members, &budget)?;
        Ok(Table { name, class, facts: facts.clone(), members, columns })
    }))
}

/// Members whose ids are counted at once.
const MEMBERS_COUNTED_AT_ONCE: usize = 1 << 12;

impl TableFacts {
    fn matching(&self, pattern: kgq_snapshot::Bound) -> impl Iterator<Item = kgq_snapshot::Ids> {
        let only = self.only;
        self.snapshot.find_ids(pattern).filter(move |[.., graph]| only.is_none_or(|only| only == *graph))
    }

    /// What is said of a thing.
    ///
    /// # Errors
    /// Damage to the snapshot.
    fn cells(&self, member: TermId) -> Result<TableCells> {
        let mut cells = TableCells::new();
        for ids in self.matching([Some(member), None, None]) {
            let Some(quad) = self.snapshot.statement(ids) else { continue };
            if let (Some(heading), Some(text)) = (self.heading(&quad), text(&quad.object)) {
                cells.entry(heading).or_default().insert(text.to_owned(), quad.object);
            }
        }
        self.snapshot.intact()?;
        Ok(cells)
    }

    fn heading(&self, quad: &Quad) -> Option<String> {
        let property = quad.predicate.as_str();
        let property = || self.prefixes.shorten(property).unwrap_or_else(|| property.to_owned());
        match &quad.object {
            Term::Literal(literal) => Some(match literal.language() {
                Some(language) => format!("{}@{}", property(), cased(language)),
                None => property(),
            }),
            Term::NamedNode(_) => Some(property()),
            Term::BlankNode(_) | Term::Triple(_) => None,
        }
    }

    fn columns(&self, members: &[TermId], budget: &Budget) -> Result<Vec<ClassColumn>> {
        let mut columns: BTreeMap<String, bool> = BTreeMap::new();
        for member in members {
            budget.check()?;
            for (heading, values) in self.cells(*member)? {
                *columns.entry(heading).or_insert(true) &= values.len() == 1;
            }
        }
        Ok(columns.into_iter().map(|(heading, is_single)| ClassColumn { heading, is_single }).collect())
    }
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
    /// `iri`, then the properties.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        std::iter::once("iri").chain(self.columns.iter().map(|column| column.heading.as_str()))
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member's IRI, then the values of each property, sorted.
    ///
    /// # Errors
    /// Damage to the snapshot.
    fn row(&self, member: TermId) -> Result<Vec<Vec<Term>>> {
        let mut cells = self.facts.cells(member)?;
        let values = |column: &ClassColumn| cells.remove(&column.heading).into_iter().flatten().map(|(_, term)| term);
        let rest: Vec<Vec<Term>> = self.columns.iter().map(values).map(Iterator::collect).collect();
        Ok(std::iter::once(vec![self.facts.snapshot.term(member)]).chain(rest).collect())
    }

    /// Writes the table as CSV (RFC 4180), with several values in a cell separated by ` | `.
    ///
    /// # Errors
    /// Those of writing, the budget's, damage to the snapshot.
    pub fn write_csv(&self, budget: &Budget, out: &mut dyn Write) -> Result<()> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        let failed = |e: csv::Error| match e.into_kind() {
            csv::ErrorKind::Io(error) => Error::io("a table", &error),
            kind => Error::bug(format!("a table cannot be written: {kind:?}")),
        };
        writer.write_record(self.headings()).map_err(failed)?;
        for member in &self.members {
            budget.check()?;
            writer.write_record(self.row(*member)?.iter().map(|values| joined(values))).map_err(failed)?;
        }
        writer.flush().map_err(|e| Error::io("a table", &e))
    }

    /// Returns the table as solutions. If a cell has several values, its column becomes texts, in which they are
    /// separated by ` | `.
    pub fn into_solutions(self) -> Solutions {
        let variables = self.headings().map(Variable::new_unchecked).collect();
        let members = self.members.clone();
        let single: Vec<bool> =
            std::iter::once(true).chain(self.columns.iter().map(|column| column.is_single)).collect();
        let cell = move |(mut values, is_single): (Vec<Term>, &bool)| match values.len() {
            0 => None,
            _ if *is_single => values.pop(),
            _ => Some(Literal::new_simple_literal(joined(&values)).into()),
        };
        let row = move |member| Ok(self.row(member)?.into_iter().zip(&single).map(&cell).collect());
        Solutions::new(variables, members.into_iter().map(row))
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
        let (snapshot, budget) = (Snapshot::from_quads(quads).unwrap(), Budget::default());
        let tables: Vec<Table> = tables(&snapshot, None, &prefixes, &budget).unwrap().map(Result::unwrap).collect();
        assert_eq!(tables.iter().map(|t| (t.name.as_str(), t.len())).collect::<Vec<_>>(), [("e-C", 2), ("e-D", 1)]);
        let kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
        let mut csv = Vec::new();
        tables[0].write_csv(&budget, &mut csv).unwrap();
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
