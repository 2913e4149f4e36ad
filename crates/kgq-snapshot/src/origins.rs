//! Where the statements of a snapshot stand in the files from which it was built.
//!
//! Each statement has one number: its place in a sequence that runs through all files in their order. So the number tells
//! both the file and the position in it. A place is a line in line-based formats, and the number of the statement in others.

use super::file::{Reader, Writer};
use super::storage::{Limit, Words};
use super::{Ids, Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use oxrdf::{GraphNameRef, Quad};

/// The place where a statement first stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file's number among the files from which the snapshot was built.
    pub file: usize,
    /// The statement's position in the file: lower positions come first.
    pub position: u32,
    /// The line number, in formats where each line is a statement.
    pub line: Option<usize>,
}

/// The order in which all statements first stand in the files.
#[derive(Debug)]
pub struct FileOrder {
    /// For the triples, then for the quads: place and row in one number. `None` where the places are not known.
    rows: Option<[Vec<u64>; 2]>,
    _held: Reservation,
}

/// The places of all statements.
#[derive(Debug)]
pub(super) struct Origins {
    /// The number of each file's first place, then the total number of places.
    pub(super) starts: Words,
    /// For each file, whether its places are lines.
    pub(super) are_lines: Words,
    /// For the triples in SPO order, and for the quads in SPOG order.
    pub(super) triples: Words,
    pub(super) quads: Words,
}

impl Origins {
    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        let all = [&self.starts, &self.are_lines, &self.triples, &self.quads];
        all.into_iter().try_for_each(|words| writer.words(words))
    }

    pub(super) fn read(reader: &mut Reader, triples: usize, quads: usize) -> Result<Self> {
        let (starts, are_lines) = (reader.words()?, reader.words()?);
        if starts.len() != are_lines.len() + 1 {
            return Err(reader.damaged());
        }
        Ok(Self { starts, are_lines, triples: reader.words_of(triples)?, quads: reader.words_of(quads)? })
    }

    pub(super) fn limits(&self) -> impl Iterator<Item = Limit> {
        let end = u64::from(self.starts.get(self.starts.len().saturating_sub(1)));
        let of = [(&self.starts, end + 1, true), (&self.are_lines, 2, false)];
        let of = of.into_iter().chain([(&self.triples, end, false), (&self.quads, end, false)]);
        of.filter_map(|(words, below, sorted)| words.limit(below, sorted))
    }

    /// The same files, for a snapshot with other statements.
    pub(super) fn files(&self) -> [Vec<u32>; 2] {
        [&self.starts, &self.are_lines].map(|words| words.slice(0..words.len()).to_vec())
    }

    /// Turns a place's number into its file and position.
    fn origin(&self, place: u32) -> Origin {
        let after = self.starts.lower_bound(0..self.starts.len(), place.saturating_add(1));
        let file = after.saturating_sub(1).min(self.are_lines.len().saturating_sub(1));
        let position = place.saturating_sub(self.starts.get(file));
        Origin { file, position, line: (self.are_lines.get(file) == 1).then_some(position as usize) }
    }
}

impl Snapshot {
    /// Whether the snapshot knows where its statements stand; one that was saved to be used without its files does not.
    pub fn has_origins(&self) -> bool {
        self.0.origins.is_some()
    }

    /// Where a statement first stands; `None` where the snapshot does not know, or has no such statement.
    pub fn origin(&self, statement: Ids) -> Option<Origin> {
        let place = self.place(statement)?;
        Some(self.0.origins.as_ref()?.origin(place))
    }

    /// Returns the order of all statements in the files; where that is not known, the order of their ids.
    ///
    /// # Errors
    /// The budget's: the order holds 8 bytes per statement.
    pub fn file_order(&self, budget: &Budget) -> Result<FileOrder> {
        let Some(origins) = &self.0.origins else { return Ok(FileOrder { rows: None, _held: Reservation::default() }) };
        let held = budget.reserve(self.len() as u64 * size_of::<u64>() as u64)?;
        let sorted = |places: &Words| -> Result<Vec<u64>> {
            let mut rows = Vec::with_capacity(places.len());
            while rows.len() < places.len() {
                budget.check()?;
                let piece = places.slice(rows.len()..rows.len() + (1 << 16));
                rows.extend((rows.len() as u64..).zip(piece).map(|(row, place)| u64::from(*place) << 32 | row));
            }
            sort_by(&mut rows, Piece::Small, Ord::cmp, budget)?;
            Ok(rows)
        };
        Ok(FileOrder { rows: Some([sorted(&origins.triples)?, sorted(&origins.quads)?]), _held: held })
    }

    /// All statements in the given order.
    pub fn in_file_order<'a>(&'a self, order: &'a FileOrder) -> Box<dyn Iterator<Item = Ids> + 'a> {
        let Some([triples, quads]) = &order.rows else { return Box::new(self.find_ids([None; 3])) };
        let (mut triples, mut quads) = (triples.iter().peekable(), quads.iter().peekable());
        Box::new(std::iter::from_fn(move || {
            let is_triple = match (triples.peek(), quads.peek()) {
                (Some(triple), Some(quad)) => **triple >> 32 <= **quad >> 32,
                (triple, _) => triple.is_some(),
            };
            let next = if is_triple { triples.next()? } else { quads.next()? };
            let row = *next as u32 as usize;
            match is_triple {
                true => self.triples(Permutation::Spo).statements(row..row + 1).next(),
                false => self.quads(QuadPermutation::Spog).statements(row..row + 1).next(),
            }
        }))
    }

    /// Sorts statements by their places in the files, where these are known.
    pub fn sort_by_origin(&self, statements: &mut [Ids]) {
        if self.has_origins() {
            statements.sort_by_cached_key(|statement| self.place(*statement));
        }
    }

    /// The place of a statement; if there is no such statement, the first place of one with the same subject.
    pub(super) fn place_of(&self, quad: &Quad) -> u32 {
        if !self.has_origins() {
            return 0;
        }
        let graph = match quad.graph_name.as_ref() {
            GraphNameRef::DefaultGraph => Some(TermId::UNBOUND),
            GraphNameRef::NamedNode(node) => self.id(node.into()),
            GraphNameRef::BlankNode(node) => self.id(node.into()),
        };
        let subject = self.id(quad.subject.as_ref().into());
        let ids = [subject, self.id(quad.predicate.as_ref().into()), self.id(quad.object.as_ref()), graph];
        let exact = || match ids {
            [Some(subject), Some(predicate), Some(object), Some(graph)] => {
                self.place([subject, predicate, object, graph])
            }
            _ => None,
        };
        let of_subject = || self.find_ids([Some(subject?), None, None]).filter_map(|ids| self.place(ids)).min();
        exact().or_else(of_subject).unwrap_or_default()
    }

    fn place(&self, [subject, predicate, object, graph]: Ids) -> Option<u32> {
        let origins = self.0.origins.as_ref()?;
        let (rows, places) = match graph.is_bound() {
            false => (self.triples(Permutation::Spo).range(&[subject, predicate, object]), &origins.triples),
            true => (self.quads(QuadPermutation::Spog).range(&[subject, predicate, object, graph]), &origins.quads),
        };
        rows.into_iter().next().map(|row| places.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dataset, Input, ReadOptions};
    use crate::{BuildOptions, ContentKey};
    use kgq_syntax::budget::Budget;
    use kgq_syntax::rdf::RdfFormat;

    /// Files with statements of every kind; some statements stand in several files.
    fn files() -> Vec<Input> {
        let mut lines = String::from("# a comment\n\n");
        for i in 0..3000u32 {
            let n = i.wrapping_mul(2_654_435_761) % 700;
            lines += &format!("<http://e/s{n}> <http://e/p{}> \"{}\"", i % 5, n % 90);
            lines += if i % 3 == 0 { " <http://e/g> .\n" } else { " .\n" };
        }
        let turtle = "@prefix : <http://e/> . :s1 :p0 _:b , [ :p1 1 ] , \"7\" . _:b :p2 <s300> . :late :p0 :s1 .";
        let trig = "@prefix : <http://e/> . :late :p0 :s1 . :g { :s1 :p0 \"7\" , \"8\" . } :z :p1 :s1 .";
        let input = |name: &str, text: &str, format| {
            Input::bytes(name, text.as_bytes().to_vec(), format).with_base(Some("http://e/".into()))
        };
        vec![
            input("a.ttl", turtle, RdfFormat::Turtle),
            input("b.nq", &lines, RdfFormat::NQuads),
            input("none.nt", "", RdfFormat::NTriples),
            input("c.trig", trig, RdfFormat::TriG),
            input("d.nq", &lines.replace("s1", "t1"), RdfFormat::NQuads),
        ]
    }

    /// All statements with their origins, sorted by these.
    fn in_order(snapshot: &Snapshot) -> Vec<(Origin, String)> {
        let all = snapshot.find_in_order([None; 3]);
        let order = snapshot.file_order(&Budget::default()).unwrap();
        assert!(snapshot.in_file_order(&order).eq(all.iter().copied()));
        let told = |ids| (snapshot.origin(ids).unwrap(), snapshot.statement(ids).unwrap().to_string());
        all.into_iter().map(told).collect()
    }

    #[test]
    fn each_statement_is_known_by_where_it_first_stands() {
        let inputs = files();
        let parsed = Dataset::read(&inputs, ReadOptions::default()).unwrap();
        let expected: Vec<(usize, String)> =
            parsed.quads_with_origin().map(|(quad, file)| (file, quad.to_string())).collect();
        let text = |input: &Input| match &input.content {
            crate::store::Content::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            crate::store::Content::File(_) => unreachable!(),
        };
        let texts: Vec<String> = inputs.iter().map(text).collect();
        let folder = tempfile::tempdir().unwrap();
        // In memory, and in pieces on disk, whatever their size.
        for memory in [None, Some(1), Some(100_000)] {
            let options = BuildOptions { memory, origins: true, ..BuildOptions::default() };
            let (built, summary) = Snapshot::load(&inputs, &options).unwrap();
            let path = folder.path().join("s.kgq");
            built.save(&path, ContentKey::default()).unwrap();
            for snapshot in [built, Snapshot::open(&path).unwrap()] {
                let found = in_order(&snapshot);
                let told: Vec<_> = found.iter().map(|(origin, quad)| (origin.file, quad.clone())).collect();
                assert!(told == expected, "{memory:?}");
                for (origin, quad) in &found {
                    let is_of_lines = inputs[origin.file].format == RdfFormat::NQuads;
                    assert_eq!(origin.line.is_some(), is_of_lines, "{quad}");
                    if let Some(line) = origin.line {
                        assert_eq!(texts[origin.file].lines().nth(line - 1), Some(format!("{quad} .").as_str()));
                    }
                }
                assert_eq!(found.len() as u64, summary.triples + summary.quads);
            }
        }
        let small = Snapshot::from_dataset(&parsed, &Budget::default()).unwrap();
        let told: Vec<_> = in_order(&small).into_iter().map(|(origin, quad)| (origin.file, quad)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn described_statements_stand_where_they_are_described() {
        let text = "@prefix : <http://e/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
            :first :p 1 . :r a rdf:Statement ; rdf:subject :s ; rdf:predicate :p ; rdf:object :o . :last :p 1 .";
        let inputs = [
            Input::bytes("a.ttl", b"<http://e/a> <http://e/p> 2 .".to_vec(), RdfFormat::Turtle),
            Input::bytes("b.ttl", text.into(), RdfFormat::Turtle),
        ];
        let options = BuildOptions { unreify: true, origins: true, ..BuildOptions::default() };
        let (snapshot, _) = Snapshot::load(&inputs, &options).unwrap();
        let found = in_order(&snapshot);
        let files: Vec<usize> = found.iter().map(|(origin, _)| origin.file).collect();
        assert_eq!(files, [0, 1, 1, 1], "{found:?}");
        assert!(found[2].1.contains("reifies"), "{found:?}");
    }

    #[test]
    fn a_string_over_some_lines_leaves_the_lines_behind_it_their_numbers() {
        let long = "1\n".repeat(100);
        let text = format!(
            "<http://e/a> <http://e/p> \"one\ntwo\nthree\" .\n<http://e/b> <http://e/p> \"2\" .\n<http://e/c> <http://e/p> \"{long}\" .\n<http://e/d> <http://e/p> \"4\" .\n"
        );
        let inputs = [Input::bytes("a.nt", text.into_bytes(), RdfFormat::NTriples)];
        let options = BuildOptions { lenient: true, origins: true, ..BuildOptions::default() };
        let (snapshot, _) = Snapshot::load(&inputs, &options).unwrap();
        let lines: Vec<_> = in_order(&snapshot).iter().map(|(origin, _)| origin.line).collect();
        // After a statement over very many lines, all statements get the line where that one begins.
        assert_eq!(lines, [Some(1), Some(4), Some(5), Some(5)]);
    }

    #[test]
    fn a_snapshot_that_is_built_to_be_used_alone_knows_no_files() {
        let (snapshot, _) = Snapshot::load(&files(), &BuildOptions::default()).unwrap();
        assert!(!snapshot.has_origins());
        let ids = snapshot.find_ids([None; 3]).next().unwrap();
        assert_eq!(snapshot.origin(ids), None);
    }
}
