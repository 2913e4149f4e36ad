//! Where the statements of a large line-based file are written, without holding its text: a statement's line is found
//! by its number.

use super::{Places, TextLines};
use kgq_snapshot::store::{Content, Input};
use kgq_syntax::error::Place;
use kgq_syntax::rdf::{Compression, GraphName, RdfFormat, Triple};
use memchr::memchr;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

/// Below this many bytes, building the file's parse tree is just as quick.
const SMALL: u64 = 4 << 20;
/// The line of every statement whose number is a multiple of this is remembered.
const STEP: usize = 1 << 10;

/// A file in which each line is a statement, a comment or empty.
pub struct LinePlaces {
    input: Input,
    path: PathBuf,
    /// The line (from 1) of each [`STEP`]th statement, and the byte offset where the line starts.
    known: Vec<(usize, u64)>,
}

impl LinePlaces {
    /// Scans the lines of a document; `None` if it is small, not line-based, or compressed.
    pub fn of(input: &Input) -> Option<Self> {
        let Content::File(path) = &input.content else { return None };
        let is_of_lines = matches!(input.format, RdfFormat::NTriples | RdfFormat::NQuads);
        if !is_of_lines || input.compression != Compression::None || input.stored_size() < SMALL {
            return None;
        }
        let mut places = Self { input: input.clone(), path: path.clone(), known: vec![(1, 0)] };
        let mut reader = BufReader::with_capacity(1 << 16, File::open(path).ok()?);
        let (mut line, mut number, mut start, mut statements) = (Vec::new(), 1, 0u64, 0usize);
        places.known.clear();
        while reader.read_until(b'\n', &mut line).ok()? > 0 {
            if is_statement(&line) {
                if statements.is_multiple_of(STEP) {
                    places.known.push((number, start));
                }
                statements += 1;
            }
            (number, start) = (number + 1, start + line.len() as u64);
            line.clear();
        }
        Some(places)
    }

    /// Returns where the statement with this number is written; `None` if its line holds a different statement.
    pub fn statement(&self, number: usize, statement: &Triple) -> Option<Place> {
        self.find(number, statement, |places| places.statement(statement))
    }

    /// Where the subject of that statement is written.
    pub fn subject(&self, number: usize, statement: &Triple) -> Option<Place> {
        self.find(number, statement, |places| {
            places.statement(statement)?;
            places.subject(&statement.subject)
        })
    }

    /// Looks among the places of the statement's line.
    pub fn find<T>(&self, number: usize, statement: &Triple, look: impl FnOnce(&Places) -> Option<T>) -> Option<T> {
        self.line_of(number, statement).and_then(|places| look(&places))
    }

    fn line_of(&self, number: usize, statement: &Triple) -> Option<Places> {
        let (mut line, start) = *self.known.get(number / STEP)?;
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut reader = BufReader::with_capacity(1 << 14, file);
        let (mut text, mut left) = (Vec::new(), number % STEP);
        while reader.read_until(b'\n', &mut text).ok()? > 0 {
            if is_statement(&text) {
                if left == 0 {
                    let text = String::from_utf8(text).ok()?;
                    let quad = statement.clone().in_graph(GraphName::DefaultGraph);
                    let places = Places::new(&self.input.name, text, Some(&self.input), &[quad]);
                    return Some(Places { lines: TextLines { first: line, ..places.lines }, ..places });
                }
                left -= 1;
            }
            line += 1;
            text.clear();
        }
        None
    }
}

/// Whether a line holds a statement: it begins with a node, unlike a comment or a version announcement, and has a dot.
fn is_statement(line: &[u8]) -> bool {
    let start = line.iter().position(|byte| !byte.is_ascii_whitespace());
    let rest = start.map_or(&[][..], |start| &line[start..]);
    matches!(rest.first(), Some(b'<' | b'_')) && memchr(b'.', rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term};
    use std::fmt::Write as _;

    #[test]
    fn a_statement_of_a_large_file_is_found_by_its_number() {
        let mut text = String::from("VERSION \"1.2\"\n# a comment\n\n");
        let count = 70_000;
        for i in 0..count {
            let subject = if i % 7 == 0 { format!("_:b{i}") } else { format!("<http://e/{i}>") };
            writeln!(text, " {subject} <http://e/p> \"the number {i} of many statements\" .").unwrap();
            text.push_str(if i % 1000 == 0 { "\n# another\n" } else { "" });
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.nt");
        std::fs::write(&path, &text).unwrap();
        let places = LinePlaces::of(&Input::file("d.nt", &path, None).unwrap()).unwrap();
        for i in [0, 1, 1022, 1023, 1024, 5000, count - 1] {
            let subject = match i % 7 {
                // The parser that loads files names blank nodes differently.
                0 => NamedOrBlankNode::from(BlankNode::new_unchecked("b0")),
                _ => NamedNode::new_unchecked(format!("http://e/{i}")).into(),
            };
            let object = Term::from(Literal::from(format!("the number {i} of many statements")));
            let statement = Triple::new(subject, NamedNode::new_unchecked("http://e/p"), object);
            let line = text.lines().position(|line| line.contains(&format!("number {i} "))).unwrap() + 1;
            let (place, subject) = (places.statement(i, &statement), places.subject(i, &statement));
            assert_eq!(subject.map(|place| (place.line, place.column)), Some((line, 2)));
            assert_eq!(place.map(|place| place.line), Some(line));
            assert_eq!(places.statement(i + 1, &statement), None);
        }
        std::fs::write(&path, "<http://e/s> <http://e/p> 'small' .").unwrap();
        assert!(LinePlaces::of(&Input::file("d.nt", &path, None).unwrap()).is_none());
    }
}
