//! Answers and statements as a bundle stores them: lines of N-Triples terms, which lose nothing, and CSV for people.

use kgq_engine::Row;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Quad, Term, Triple, Variable};
use oxttl::{NQuadsParser, NTriplesParser};

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    Table { columns: Vec<Variable>, rows: Vec<Row> },
    Boolean(bool),
    Graph(Vec<Triple>),
}

/// The names of the files that can hold an answer.
pub const TABLE: &str = "answer.tsv";
pub const BOOLEAN: &str = "answer.txt";
pub const GRAPH: &str = "answer.nt";

impl Stored {
    /// Returns the number of rows or triples to explain.
    pub fn parts(&self) -> usize {
        match self {
            Self::Table { rows, .. } => rows.len(),
            Self::Boolean(value) => usize::from(*value),
            Self::Graph(triples) => triples.len(),
        }
    }

    pub fn file(&self) -> &'static str {
        match self {
            Self::Table { .. } => TABLE,
            Self::Boolean(_) => BOOLEAN,
            Self::Graph(_) => GRAPH,
        }
    }

    /// Returns the canonical text; for a table, its columns and then one line for each row.
    pub fn text(&self) -> String {
        match self {
            Self::Boolean(value) => format!("{value}\n"),
            Self::Graph(triples) => triples.iter().map(|triple| format!("{triple} .\n")).collect(),
            Self::Table { columns, rows } => {
                let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
                let line = |row: &Row| row_line(row) + "\n";
                std::iter::once(names.join("\t") + "\n").chain(rows.iter().map(line)).collect()
            }
        }
    }

    /// Returns a table in the SPARQL 1.1 Query Results CSV Format, which drops the kind of each term; `None` if this is
    /// not a table.
    pub fn csv(&self) -> Result<Option<Vec<u8>>> {
        let Self::Table { columns, rows } = self else { return Ok(None) };
        let failed = |error: csv::Error| Error::bug(format!("a table in memory could not be written: {error}"));
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        // The writer skips a record without fields.
        if columns.is_empty() {
            return Ok(Some("\r\n".repeat(rows.len() + 1).into_bytes()));
        }
        writer.write_record(columns.iter().map(Variable::as_str)).map_err(failed)?;
        for row in rows {
            writer.write_record(row.iter().map(|term| term.as_ref().map(plain).unwrap_or_default())).map_err(failed)?;
        }
        writer.into_inner().map(Some).map_err(|error| Error::bug(error.to_string()))
    }

    /// # Errors
    /// A text that is not an answer of this file's kind.
    pub fn read(file: &str, text: &str) -> Result<Self> {
        let wrong = |line: usize, what: &str| Error::input(format!("{file}: line {line} is {what}"));
        match (file, text) {
            (BOOLEAN, "true\n") => Ok(Self::Boolean(true)),
            (BOOLEAN, "false\n") => Ok(Self::Boolean(false)),
            (GRAPH, text) => {
                let quads = quads(file, text)?.into_iter();
                Ok(Self::Graph(quads.map(|quad| Triple::new(quad.subject, quad.predicate, quad.object)).collect()))
            }
            (TABLE, text) => {
                let mut lines = text.split_terminator('\n');
                let head = lines.next().unwrap_or_default();
                let column = |name: &str| name.strip_prefix('?').and_then(|name| Variable::new(name).ok());
                let names = head.split('\t').filter(|name| !name.is_empty());
                let columns: Vec<Variable> =
                    names.map(|name| column(name).ok_or_else(|| wrong(1, "no row of names"))).collect::<Result<_>>()?;
                let mut rows = Vec::new();
                for (at, line) in lines.enumerate() {
                    let row = row(line).ok_or_else(|| wrong(at + 2, "no row of terms"))?;
                    let row: Row = if columns.is_empty() { Row::default() } else { row };
                    if row.len() != columns.len() {
                        return Err(wrong(at + 2, "longer or shorter than the row of names"));
                    }
                    rows.push(row);
                }
                Ok(Self::Table { columns, rows })
            }
            _ => Err(wrong(1, "no answer")),
        }
    }
}

/// A row as a line: its terms separated by tabs, an empty field for an unbound one.
pub fn row_line(row: &[Option<Term>]) -> String {
    let cells = row.iter().map(|term| term.as_ref().map(Term::to_string).unwrap_or_default());
    cells.collect::<Vec<_>>().join("\t")
}

fn row(line: &str) -> Option<Row> {
    line.split('\t').map(|cell| if cell.is_empty() { Some(None) } else { term(cell).map(Some) }).collect()
}

/// Parses a term in N-Triples.
pub fn term(text: &str) -> Option<Term> {
    // Parsed as an object, because any term can be one.
    let line = format!("<urn:s> <urn:p> {text} .");
    let mut parser = NTriplesParser::new().lenient().for_slice(line.as_bytes());
    let triple = parser.next()?.ok()?;
    parser.next().is_none().then_some(triple.object)
}

/// Statements as sorted lines of N-Quads, each once.
pub fn lines(quads: &[Quad]) -> String {
    let mut lines: Vec<String> = quads.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.concat()
}

/// # Errors
/// A text that is not N-Quads.
pub fn quads(file: &str, text: &str) -> Result<Vec<Quad>> {
    let parser = NQuadsParser::new().lenient().for_slice(text.as_bytes());
    parser.map(|quad| quad.map_err(|error| Error::input(format!("{file}: {error}")))).collect()
}

fn plain(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(node) => node.to_string(),
        Term::Literal(literal) => literal.value().to_owned(),
        Term::Triple(triple) => format!("<<( {triple} )>>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let columns = ["a", "b"].map(|name| Variable::new(name).unwrap()).to_vec();
        let texts = [
            "<http://e/x>",
            "\"tab\\t, line\\n and \\\"quote\\\"\"@en--ltr",
            "_:c14n0",
            "<<( <urn:s> <urn:p> \"o\" )>>",
            "\"01\"^^<http://e/t>",
        ];
        let rows: Vec<Row> =
            texts.iter().map(|text| vec![Some(term(text).unwrap()), None].into_iter().collect()).collect();
        for stored in [
            Stored::Table { columns, rows },
            Stored::Table { columns: Vec::new(), rows: vec![Row::default(); 2] },
            Stored::Boolean(false),
            Stored::Graph(vec![Triple::new(
                kgq_syntax::rdf::BlankNode::new("b").unwrap(),
                kgq_syntax::rdf::NamedNode::new("urn:p").unwrap(),
                term("\"1\"").unwrap(),
            )]),
        ] {
            assert_eq!(Stored::read(stored.file(), &stored.text()).unwrap(), stored);
        }
    }
}
