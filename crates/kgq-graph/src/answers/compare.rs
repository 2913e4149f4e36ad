//! Compares an answer with the expected one: rows as multisets, in order where ORDER BY fixes it, blank nodes by
//! isomorphism, numbers by value.

use super::Outcome;
use super::expected::{Cell, Expected, ExpectedAnswer};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::blank::renamed_term;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::language::text;
use kgq_syntax::rdf::literal::numeric_key;
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, Quad, Term, Triple, Variable};
use oxrdf::Dataset;
use oxrdf::dataset::CanonicalizationAlgorithm;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// How an answer differs from the expected one; the first line names the row and the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub lines: Vec<String>,
}

impl Difference {
    fn new(first: impl Into<String>) -> Self {
        Self { lines: vec![first.into()] }
    }
}

/// The most rows or triples of each side that are listed after the first line.
const LISTED: usize = 5;

/// Returns the difference, or `None` if the answer is as expected. `name` formats a term for the reader.
///
/// # Errors
/// Blank nodes that are too much alike to be told apart; the budget's.
pub fn compare(
    expected: &Expected,
    outcome: &Outcome,
    name: &dyn Fn(&Term) -> String,
    budget: &Budget,
) -> Result<Option<Difference>> {
    Ok(match (&expected.answer, outcome) {
        (ExpectedAnswer::Boolean(e), Outcome::Boolean(f)) => {
            (e != f).then(|| Difference::new(format!("expected {e}, found {f}")))
        }
        (ExpectedAnswer::Graph(e), Outcome::Graph(f)) => compare_graphs(e, f, name, budget)?,
        (ExpectedAnswer::Table { columns: e, rows }, Outcome::Table { columns, rows: found, ordered_by }) => {
            let names: Vec<&str> = columns.iter().map(Variable::as_str).collect();
            let wanted: Vec<&str> = e.iter().map(String::as_str).collect();
            if names != wanted {
                return Ok(Some(Difference::new(format!(
                    "columns: expected {}, found {}",
                    wanted.join(", "),
                    names.join(", ")
                ))));
            }
            let order = ordered_by.iter().filter_map(|v| names.iter().position(|n| *n == v.as_str())).collect();
            Table { columns: &wanted, order, name }.compare(rows, found, budget)?
        }
        (expected, found) => {
            let (expected, found) = (form_expected(expected), form_found(found));
            Some(Difference::new(format!("expected {expected}, found {found}")))
        }
    })
}

fn form_expected(answer: &ExpectedAnswer) -> &'static str {
    match answer {
        ExpectedAnswer::Table { .. } => "a table",
        ExpectedAnswer::Boolean(_) => "true or false",
        ExpectedAnswer::Graph(_) => "a graph",
    }
}

fn form_found(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Table { .. } => "a table",
        Outcome::Boolean(_) => "true or false",
        Outcome::Graph(_) => "a graph",
    }
}

struct Table<'a> {
    columns: &'a [&'a str],
    /// The columns that fix the order, by precedence.
    order: Vec<usize>,
    name: &'a dyn Fn(&Term) -> String,
}

/// The comparison key of a cell: cells with the same meaning have the same key.
type Key = Option<String>;

impl Table<'_> {
    fn compare(
        &self,
        expected: &[Vec<Cell>],
        found: &[Vec<Option<Term>>],
        budget: &Budget,
    ) -> Result<Option<Difference>> {
        let actual: Vec<Vec<Cell>> = found
            .iter()
            .map(|row| row.iter().map(|term| term.clone().map_or(Cell::Unbound, Cell::Term)).collect())
            .collect();
        let columns = As::of_columns(expected, &actual, self.columns.len());
        let (wanted_keys, actual_keys) = (keys(expected, &columns, budget)?, keys(&actual, &columns, budget)?);
        let (missing, extra) = multiset_difference(&wanted_keys, &actual_keys);
        if missing.is_empty() && extra.is_empty() {
            return Ok(self.compare_order(expected, &wanted_keys, &actual, &actual_keys));
        }
        let mut difference = Difference::new(match (missing.first(), extra.is_empty()) {
            (Some(m), false) => {
                let same = |x: &usize| wanted_keys[*m].iter().zip(&actual_keys[*x]).filter(|(a, b)| a == b).count();
                // Among equally similar rows, takes the first: `max_by_key` alone would take the last.
                let x = extra.iter().copied().rev().max_by_key(same).unwrap_or_default();
                let at = (0..self.columns.len()).find(|c| wanted_keys[*m][*c] != actual_keys[x][*c]).unwrap_or(0);
                format!(
                    "row {}, column {}: expected {}, found {}",
                    m + 1,
                    self.columns.get(at).unwrap_or(&""),
                    self.cell(&expected[*m][at]),
                    self.cell(&actual[x][at])
                )
            }
            (Some(m), true) => format!("row {} is missing: {}", m + 1, self.row(&expected[*m])),
            (None, _) => {
                let x = extra.first().copied().unwrap_or_default();
                format!("row {} was not expected: {}", x + 1, self.row(&actual[x]))
            }
        });
        let rows = |n: usize| format!("{n} {}", if n == 1 { "row" } else { "rows" });
        difference.lines.push(format!("expected {}, found {}", rows(expected.len()), rows(found.len())));
        difference.lines.extend(listed("- ", missing.iter().map(|m| self.row(&expected[*m]))));
        difference.lines.extend(listed("+ ", extra.iter().map(|x| self.row(&actual[*x]))));
        Ok(Some(difference))
    }

    fn compare_order(
        &self,
        wanted: &[Vec<Cell>],
        wanted_keys: &[Vec<Key>],
        actual: &[Vec<Cell>],
        actual_keys: &[Vec<Key>],
    ) -> Option<Difference> {
        let (row, column) = (0..wanted.len()).find_map(|row| {
            let differs = |column: &&usize| wanted_keys[row][**column] != actual_keys[row][**column];
            self.order.iter().find(differs).map(|column| (row, *column))
        })?;
        let mut difference = Difference::new(format!(
            "row {}, column {}: expected {}, found {}",
            row + 1,
            self.columns[column],
            self.cell(&wanted[row][column]),
            self.cell(&actual[row][column])
        ));
        difference.lines.push("the rows are as expected, but not in the order that ORDER BY gives".into());
        Some(difference)
    }

    fn cell(&self, cell: &Cell) -> String {
        match cell {
            Cell::Unbound => "no value".into(),
            Cell::Text(text) => NamedNode::new(text.as_str())
                .ok()
                .filter(|_| text.contains("://"))
                .map_or_else(|| format!("\"{text}\""), |iri| (self.name)(&iri.into())),
            Cell::Term(term) => (self.name)(term),
        }
    }

    fn row(&self, row: &[Cell]) -> String {
        row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(", ")
    }
}

fn listed(mark: &str, rows: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = rows.len().saturating_sub(LISTED);
    let mut lines: Vec<String> = rows.take(LISTED).map(|row| format!("{mark}{row}")).collect();
    if more > 0 {
        lines.push(format!("{mark}… and {more} more"));
    }
    lines
}

/// Returns the indices of the rows of each side that have no partner on the other.
fn multiset_difference<K: Eq + std::hash::Hash>(wanted: &[K], actual: &[K]) -> (Vec<usize>, Vec<usize>) {
    let mut open: FxHashMap<&K, Vec<usize>> = FxHashMap::default();
    for (i, row) in actual.iter().enumerate().rev() {
        open.entry(row).or_default().push(i);
    }
    let missing = (0..wanted.len()).filter(|i| open.get_mut(&wanted[*i]).and_then(Vec::pop).is_none()).collect();
    let mut extra: Vec<usize> = open.into_values().flatten().collect();
    extra.sort_unstable();
    (missing, extra)
}

/// How the cells of a column are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Terms,
    /// Cells from CSV, which does not say what kind of term a cell is.
    Texts,
    /// Cells from CSV in a column where the answer has numbers.
    Numbers,
}

impl As {
    fn of_columns(expected: &[Vec<Cell>], found: &[Vec<Cell>], columns: usize) -> Vec<Self> {
        if !expected.iter().flatten().any(|cell| matches!(cell, Cell::Text(_))) {
            return vec![Self::Terms; columns];
        }
        let is_number = |cell: &Cell| matches!(cell, Cell::Term(Term::Literal(l)) if numeric_key(l).is_some());
        let numbers = |column: usize| found.iter().any(|row| row.get(column).is_some_and(is_number));
        (0..columns).map(|column| if numbers(column) { Self::Numbers } else { Self::Texts }).collect()
    }

    fn key(self, cell: &Cell) -> Key {
        match (self, cell) {
            (_, Cell::Unbound) => None,
            (Self::Numbers, Cell::Text(text)) => Some(number(text)),
            (_, Cell::Text(text)) => Some(text.clone()),
            (Self::Terms, Cell::Term(Term::Literal(literal))) => {
                Some(numeric_key(literal).unwrap_or_else(|| literal.to_string()))
            }
            (Self::Terms, Cell::Term(term)) => Some(term.to_string()),
            // CSV writes an empty string and an unbound cell alike.
            (_, Cell::Term(Term::Literal(literal))) if literal.value().is_empty() => None,
            (Self::Numbers, Cell::Term(Term::Literal(literal))) => Some(number(literal.value())),
            (Self::Texts, Cell::Term(Term::Literal(literal))) => Some(literal.value().to_owned()),
            (_, Cell::Term(Term::NamedNode(iri))) => Some(iri.as_str().to_owned()),
            (_, Cell::Term(term)) => Some(text(term).into_owned()),
        }
    }
}

/// Normalises a number's text by its value; other texts are unchanged.
fn number(text: &str) -> String {
    let of = |datatype| numeric_key(&Literal::new_typed_literal(text, datatype));
    of(oxrdf::vocab::xsd::DECIMAL).or_else(|| of(oxrdf::vocab::xsd::DOUBLE)).unwrap_or_else(|| text.to_owned())
}

fn blank_label(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => text.strip_prefix("_:"),
        Cell::Term(Term::BlankNode(node)) => Some(node.as_str()),
        Cell::Term(_) | Cell::Unbound => None,
    }
}

/// The keys of all cells. Blank nodes first get canonical names from the whole table: a node in two rows is the same
/// node.
fn keys(rows: &[Vec<Cell>], columns: &[As], budget: &Budget) -> Result<Vec<Vec<Key>>> {
    let names = canonical_names(rows, columns, budget)?;
    let key = |(cell, column): (&Cell, &As)| match blank_label(cell) {
        Some(label) => Some(format!("_:{}", names.get(label).map_or(label, String::as_str))),
        None => column.key(cell),
    };
    Ok(rows.iter().map(|row| row.iter().zip(columns).map(key).collect()).collect())
}

/// Names for the blank nodes of a table that depend only on the table's content (RDF Dataset Canonicalization).
fn canonical_names(rows: &[Vec<Cell>], columns: &[As], budget: &Budget) -> Result<BTreeMap<String, String>> {
    let mut quads = Vec::new();
    let mut labels: Vec<&str> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if !row.iter().any(|cell| blank_label(cell).is_some()) {
            continue;
        }
        let node = BlankNode::new_unchecked(format!("row{i}"));
        for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
            let object: Term = match (blank_label(cell), column.key(cell)) {
                (Some(label), _) => {
                    labels.push(label);
                    BlankNode::new_unchecked(format!("cell{label}")).into()
                }
                (None, Some(key)) => Literal::new_simple_literal(key).into(),
                (None, None) => continue,
            };
            let predicate = NamedNode::new_unchecked(format!("urn:column:{at}"));
            quads.push(Quad::new(node.clone(), predicate, object, GraphName::DefaultGraph));
        }
    }
    let names = names_by_content(&quads, budget)?;
    let name =
        |label: &str| names.get(&BlankNode::new_unchecked(format!("cell{label}"))).map(|name| name.as_str().to_owned());
    Ok(labels.into_iter().filter_map(|label| Some((label.to_owned(), name(label)?))).collect())
}

/// Names for blank nodes that depend on what is said of each: unlike the numbers of RDFC-1.0, they are the same for a node of which both
/// answers say the same, whatever else differs.
fn names_by_content(quads: &[Quad], budget: &Budget) -> Result<FxHashMap<BlankNode, BlankNode>> {
    // This refuses what would take forever.
    canonicalize(quads, budget)?;
    let dataset: Dataset = quads.iter().cloned().collect();
    let names = dataset.canonicalize_blank_nodes(CanonicalizationAlgorithm::Unstable);
    Ok(names.into_iter().map(|(node, name)| (node.into_owned(), name)).collect())
}

fn compare_graphs(
    expected: &[Triple],
    found: &[Triple],
    name: &dyn Fn(&Term) -> String,
    budget: &Budget,
) -> Result<Option<Difference>> {
    let (wanted, actual) = (canonical(expected, budget)?, canonical(found, budget)?);
    let missing: Vec<&Triple> = wanted.iter().filter(|(key, _)| !actual.contains_key(*key)).map(|(_, t)| t).collect();
    let extra: Vec<&Triple> = actual.iter().filter(|(key, _)| !wanted.contains_key(*key)).map(|(_, t)| t).collect();
    let shown = |triple: &Triple| {
        let Triple { subject, predicate, object } = triple.clone();
        format!("{} {} {}", name(&subject.into()), name(&predicate.into()), name(&object))
    };
    let first = match (missing.first(), extra.first()) {
        (None, None) => return Ok(None),
        (Some(m), _) => match extra.iter().find(|x| same_place(x, m)) {
            Some(x) => {
                let of = format!("{} {}", name(&m.subject.clone().into()), name(&m.predicate.clone().into()));
                format!("{of}: expected {}, found {}", name(&m.object), name(&x.object))
            }
            None => format!("the triple is missing: {}", shown(m)),
        },
        (None, Some(x)) => format!("the triple was not expected: {}", shown(x)),
    };
    let mut difference = Difference::new(first);
    difference.lines.push(format!("expected {} triples, found {}", wanted.len(), actual.len()));
    difference.lines.extend(listed("- ", missing.iter().map(|t| shown(t))));
    difference.lines.extend(listed("+ ", extra.iter().map(|t| shown(t))));
    Ok(Some(difference))
}

/// Whether two triples differ only in their objects, as far as blank nodes allow to tell.
fn same_place(a: &Triple, b: &Triple) -> bool {
    a.predicate == b.predicate && (a.subject == b.subject || a.subject.is_blank_node() && b.subject.is_blank_node())
}

/// Returns the triples by a key in which blank nodes have canonical names and numbers are normalised by value.
fn canonical(triples: &[Triple], budget: &Budget) -> Result<BTreeMap<String, Triple>> {
    let quad = |triple: &Triple| {
        Quad::new(triple.subject.clone(), triple.predicate.clone(), by_value(&triple.object), GraphName::DefaultGraph)
    };
    let names = names_by_content(&triples.iter().map(quad).collect::<Vec<_>>(), budget)?;
    let name = |node: &BlankNode| names.get(node).unwrap_or(node).clone();
    let rename = |term: &Term| renamed_term(term, &name);
    let keyed = triples
        .iter()
        .map(|triple| {
            let subject = rename(&triple.subject.clone().into());
            let object = rename(&by_value(&triple.object));
            (format!("{subject} {} {object}", triple.predicate), triple.clone())
        })
        .collect();
    Ok(keyed)
}

fn by_value(term: &Term) -> Term {
    match term {
        Term::Literal(literal) => numeric_key(literal).map_or_else(
            || term.clone(),
            |key| Literal::new_typed_literal(key, NamedNode::new_unchecked("urn:kgq:number")).into(),
        ),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => term.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_line(ending: &str, expected: &str, outcome: &Outcome) -> Option<String> {
        let expected = Expected::read("f", ending, expected).unwrap();
        compare(&expected, outcome, &|term| term.to_string(), &Budget::default())
            .unwrap()
            .map(|difference| difference.lines[0].clone())
    }

    fn table(columns: &[&str], ordered_by: &[&str], rows: &[&[Option<Term>]]) -> Outcome {
        let variables = |names: &[&str]| names.iter().map(|n| Variable::new_unchecked(*n)).collect();
        Outcome::Table {
            columns: variables(columns),
            rows: rows.iter().map(|row| row.to_vec()).collect(),
            ordered_by: variables(ordered_by),
        }
    }

    fn typed(text: &str, datatype: &str) -> Option<Term> {
        let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
        Some(Literal::new_typed_literal(text, datatype).into())
    }

    fn blank(label: &str) -> Option<Term> {
        Some(BlankNode::new_unchecked(label).into())
    }

    #[test]
    fn the_first_line_names_the_row_and_the_cell_that_differ() {
        let found =
            table(&["a", "b"], &[], &[&[typed("1", "integer"), typed("x", "string")], &[typed("2", "integer"), None]]);
        assert_eq!(first_line("csv", "a,b\n2,\n1,x\n", &found), None);
        let line = first_line("csv", "a,b\n1,y\n2,\n", &found).unwrap();
        assert_eq!(line, "row 1, column b: expected \"y\", found \"x\"");
        assert_eq!(first_line("csv", "a,b\n1,x\n2,\n2,\n", &found).unwrap(), "row 3 is missing: \"2\", no value");
    }

    #[test]
    fn numbers_are_compared_by_value_and_strings_of_digits_are_not() {
        let found = table(&["n", "s"], &[], &[&[typed("1.0", "decimal"), typed("01", "string")]]);
        assert_eq!(first_line("csv", "n,s\n1,01\n", &found), None);
        assert!(first_line("csv", "n,s\n1,1\n", &found).is_some());
        let json = r#"{"head": {"vars": ["n"]}, "results": {"bindings": [{"n": {"type": "literal", "value": "1", "datatype": "http://www.w3.org/2001/XMLSchema#integer"}}]}}"#;
        assert_eq!(first_line("json", json, &table(&["n"], &[], &[&[typed("1e0", "double")]])), None);
    }

    #[test]
    fn order_counts_where_order_by_fixes_it_and_nowhere_else() {
        let rows: [&[Option<Term>]; 2] =
            [&[typed("1", "integer"), typed("x", "string")], &[typed("1", "integer"), typed("y", "string")]];
        let ties_turned = "a,b\n1,y\n1,x\n";
        assert_eq!(first_line("csv", ties_turned, &table(&["a", "b"], &["a"], &rows)), None);
        let line = first_line("csv", ties_turned, &table(&["a", "b"], &["a", "b"], &rows)).unwrap();
        assert_eq!(line, "row 1, column b: expected \"y\", found \"x\"");
    }

    #[test]
    fn blank_nodes_are_compared_by_what_is_said_of_them() {
        let found = table(&["a", "b"], &[], &[&[blank("p"), blank("q")], &[blank("q"), blank("q")]]);
        assert_eq!(first_line("csv", "a,b\n_:2,_:1\n_:1,_:1\n", &found), None);
        assert!(first_line("csv", "a,b\n_:2,_:1\n_:2,_:2\n", &found).is_some());
        assert!(first_line("csv", "a,b\n_:1,_:2\n_:3,_:3\n", &found).is_some());
    }

    #[test]
    fn a_graph_is_compared_by_isomorphism_and_the_first_line_names_the_triple() {
        let triple = |s: Option<Term>, o: Option<Term>| match s {
            Some(Term::BlankNode(s)) => Triple::new(s, NamedNode::new_unchecked("urn:p"), o.unwrap()),
            _ => unreachable!("only blank nodes here"),
        };
        let found = Outcome::Graph(vec![triple(blank("x"), blank("y")), triple(blank("y"), typed("1.0", "decimal"))]);
        assert_eq!(first_line("ttl", "_:a <urn:p> _:b . _:b <urn:p> 1 .", &found), None);
        let line = first_line("ttl", "_:a <urn:p> _:b . _:b <urn:p> 2 .", &found).unwrap();
        assert!(line.contains("<urn:p>"), "{line}");
    }

    #[test]
    fn another_form_of_answer_is_a_difference() {
        assert_eq!(first_line("csv", "a\n", &Outcome::Boolean(true)).unwrap(), "expected a table, found true or false");
    }
}
