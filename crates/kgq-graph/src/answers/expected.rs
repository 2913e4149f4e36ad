//! Expected answers in the form of their files.
//!
//! CSV holds only texts (SPARQL 1.1 Query Results CSV), so an IRI and a string with the same characters are equal
//! there. JSON holds terms.

use kgq_syntax::error::{Error, Place, Result, Source};
use kgq_syntax::rdf::{NamedNode, Term, Triple};
use serde_json::Value;
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

/// What a file expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The values of the query's parameters, as a user would type them.
    pub params: Vec<(String, String)>,
    pub answer: ExpectedAnswer,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedAnswer {
    Table { columns: Vec<String>, rows: Vec<Vec<Cell>> },
    Boolean(bool),
    Graph(Vec<Triple>),
}

/// A cell of an expected table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Unbound,
    /// From CSV.
    Text(String),
    Term(Term),
}

impl Expected {
    pub fn read(file: &str, ending: &str, text: &str) -> Result<Self> {
        match ending {
            "csv" => read_csv(file, text),
            "json" => read_json(file, text),
            "ttl" => read_turtle(file, text),
            other => Err(Error::input(format!("{file}: expected answers are .csv, .json or .ttl, not .{other}"))),
        }
    }
}

/// Reads the lines `# param name=value` at the top of a file, and counts the lines that they and other comments take.
fn header(text: &str) -> (Vec<(String, String)>, usize) {
    let mut params = Vec::new();
    let mut lines = 0;
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        lines += 1;
        let param = line.trim_start_matches('#').trim().strip_prefix("param ");
        if let Some((name, value)) = param.and_then(|param| param.split_once('=')) {
            params.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    (params, lines)
}

fn read_csv(file: &str, text: &str) -> Result<Expected> {
    let (params, lines) = header(text);
    let body: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let wrong = |e: csv::Error| {
        let line = e.position().map_or(1, |p| usize::try_from(p.line()).unwrap_or(1));
        Error::input(e.to_string()).at(Place::new(file, line + lines, 1))
    };
    // Unlike a reader with headers, this one does not skip a row whose only cell is empty.
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(&text.as_bytes()[body..]);
    let columns: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let cell = |text: &str| if text.is_empty() { Cell::Unbound } else { Cell::Text(text.to_owned()) };
        rows.push(record.iter().map(cell).collect());
    }
    Ok(Expected { params, answer: ExpectedAnswer::Table { columns, rows } })
}

fn read_json(file: &str, text: &str) -> Result<Expected> {
    let mut value: Value = serde_json::from_str(text)
        .map_err(|e| Error::input(e.to_string()).at(Place::new(file, e.line(), e.column())))?;
    let mut params = Vec::new();
    if let Some(Value::Object(given)) = value.as_object_mut().and_then(|object| object.remove("params")) {
        for (name, value) in given {
            let values = if let Value::Array(values) = value { values } else { vec![value] };
            for value in values {
                params.push((name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
            }
        }
    }
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("{file}: {e}"));
    let bytes = value.to_string();
    let parser = QueryResultsParser::from_format(QueryResultsFormat::Json);
    let answer = match parser.for_slice(bytes.as_bytes()).map_err(|e| wrong(&e))? {
        SliceQueryResultsParserOutput::Boolean(value) => ExpectedAnswer::Boolean(value),
        SliceQueryResultsParserOutput::Solutions(solutions) => {
            let columns = solutions.variables().iter().map(|v| v.as_str().to_owned()).collect();
            let mut rows = Vec::new();
            for solution in solutions {
                let solution = solution.map_err(|e| wrong(&e))?;
                let cell = |term: &Option<Term>| term.clone().map_or(Cell::Unbound, Cell::Term);
                rows.push(solution.values().iter().map(cell).collect());
            }
            ExpectedAnswer::Table { columns, rows }
        }
    };
    Ok(Expected { params, answer })
}

fn read_turtle(file: &str, text: &str) -> Result<Expected> {
    let (params, _) = header(text);
    let mut triples = Vec::new();
    for triple in oxttl::TurtleParser::new().for_slice(text.as_bytes()) {
        triples.push(triple.map_err(|e| {
            let start = e.location().start;
            let at = usize::try_from(start.offset).unwrap_or(0);
            Error::input(e.message()).at(Source::new(file, text).place(at..at + 1))
        })?);
    }
    Ok(Expected { params, answer: ExpectedAnswer::Graph(triples) })
}

impl ExpectedAnswer {
    /// Returns the IRIs in the answer.
    pub fn iris(&self) -> Vec<NamedNode> {
        fn of(term: &Term, found: &mut Vec<NamedNode>) {
            match term {
                Term::NamedNode(iri) => found.push(iri.clone()),
                Term::Triple(triple) => {
                    of(&triple.subject.clone().into(), found);
                    found.push(triple.predicate.clone());
                    of(&triple.object, found);
                }
                Term::BlankNode(_) | Term::Literal(_) => {}
            }
        }
        let mut found = Vec::new();
        match self {
            Self::Boolean(_) => {}
            Self::Table { rows, .. } => {
                for cell in rows.iter().flatten() {
                    match cell {
                        Cell::Term(term) => of(term, &mut found),
                        Cell::Text(text) => found.extend(NamedNode::new(text.as_str())),
                        Cell::Unbound => {}
                    }
                }
            }
            Self::Graph(triples) => {
                for triple in triples {
                    of(&Term::from(triple.clone()), &mut found);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_in_comments_or_in_json_under_params() {
        let csv = Expected::read("f", "csv", "# param a=x=y\n# a remark\n# param b=1\nc,d\n1,\n").unwrap();
        assert_eq!(csv.params, [("a".into(), "x=y".into()), ("b".into(), "1".into())]);
        let row = vec![Cell::Text("1".into()), Cell::Unbound];
        assert_eq!(csv.answer, ExpectedAnswer::Table { columns: vec!["c".into(), "d".into()], rows: vec![row] });
        let json = r#"{"params": {"a": ["x", "y"], "n": 3}, "head": {}, "boolean": true}"#;
        let json = Expected::read("f", "json", json).unwrap();
        assert_eq!(json.params, [("a".into(), "x".into()), ("a".into(), "y".into()), ("n".into(), "3".into())]);
        assert_eq!(json.answer, ExpectedAnswer::Boolean(true));
    }

    #[test]
    fn a_broken_file_is_an_error_at_its_line() {
        let error = Expected::read("f.csv", "csv", "# param a=1\nc,d\n1,2,3\n").unwrap_err();
        assert_eq!(error.place().map(|p| p.line), Some(3));
        let error = Expected::read("f.ttl", "ttl", "# x\n<urn:a> <urn:b> .\n").unwrap_err();
        assert_eq!(error.place().map(|p| p.line), Some(2));
    }
}
