//! Where the statements of a large Turtle file are written. Where each part of the file starts is known; the part that holds
//! a statement is parsed again when its place is asked for.

use super::{Places, dialect_of};
use crate::check::subject::text_of;
use kgq_snapshot::store::{Content, Input, mark_length};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::rdf::{Compression, Quad};
use kgq_syntax::turtle::pieces::{Pieces, Start};
use kgq_syntax::turtle::tree::Dialect;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

/// Below this many bytes of text, the tree of the whole file costs little.
const SMALL: u64 = 1 << 18;
/// Bytes of a part: a few hundred statements.
const PART: usize = 1 << 14;
/// The parts that are held: a shape and its data, say, are asked for in turn.
const RECENT: usize = 8;
/// The most prefixes that the starts of all parts together may hold.
const MAX_PREFIXES: usize = 1 << 18;

/// Gives the statements of the file with these numbers.
pub type Read<'a> = dyn Fn(Range<usize>) -> Vec<Quad> + 'a;

/// The parts of a file.
pub struct PartPlaces {
    name: String,
    stored: Stored,
    dialect: Dialect,
    /// The number of each part's first statement.
    parts: Vec<(usize, Start)>,
    statements: usize,
    /// The parts that were asked for last, the latest first.
    recent: RefCell<VecDeque<(usize, Places)>>,
}

/// What the parts are read from.
enum Stored {
    /// A file, and the offset at which its text starts.
    File(PathBuf, u64),
    Text(String),
}

impl PartPlaces {
    /// Finds the parts of a document with this many statements; `None` if it is small, in a format without a parse tree, if it
    /// cannot be read, has a mistake or too many prefixes, or if its tree does not give as many statements.
    pub fn of(input: &Input, statements: usize, bounds: Bounds) -> Option<Self> {
        let dialect = dialect_of(input.format)?;
        if !input.has_text_of(SMALL) {
            return None;
        }
        let stored = Stored::of(input, bounds)?;
        let parts = parts(stored.open(0).ok()?, dialect, input.base.as_deref(), statements)?;
        Some(Self { name: input.name.clone(), stored, dialect, parts, statements, recent: RefCell::default() })
    }

    /// Looks among the places of the part that holds the statement with this number.
    pub fn find<T>(&self, number: usize, read: &Read<'_>, look: impl FnOnce(&Places) -> Option<T>) -> Option<T> {
        let part = self.parts.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let mut recent = self.recent.borrow_mut();
        let at = recent.iter().position(|(held, _)| *held == part);
        let places = match at.and_then(|at| recent.remove(at)) {
            Some((_, places)) => places,
            None => self.places(part, read).ok()?,
        };
        let found = look(&places);
        recent.push_front((part, places));
        recent.truncate(RECENT);
        found
    }

    fn places(&self, part: usize, read: &Read<'_>) -> io::Result<Places> {
        let (first, start) = &self.parts[part];
        let end = self.parts.get(part + 1).map_or(self.statements, |(next, _)| *next);
        let mut pieces = Pieces::new(self.stored.open(start.offset)?, self.dialect, start.clone(), PART);
        let piece = pieces.read(&mut |_| Ok(()))?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Places::of_piece(&self.name, piece, &read(*first..end)))
    }
}

impl Stored {
    /// What can be read from any offset: the file itself, or the text of one that is compressed or in memory.
    fn of(input: &Input, bounds: Bounds) -> Option<Self> {
        let Content::File(path) = &input.content else { return text_of(input, bounds).map(Self::Text) };
        if input.compression != Compression::None {
            return text_of(input, bounds).map(Self::Text);
        }
        let mut start = [0; 3];
        io::Read::read_exact(&mut File::open(path).ok()?, &mut start).ok()?;
        Some(Self::File(path.clone(), mark_length(&start) as u64))
    }

    fn open(&self, offset: u64) -> io::Result<Box<dyn io::Read + '_>> {
        Ok(match self {
            Self::Text(text) => Box::new(Cursor::new(text.as_bytes().get(offset as usize..).unwrap_or_default())),
            Self::File(path, mark) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(mark + offset))?;
                Box::new(file)
            }
        })
    }
}

/// The parts of a text, each with the number of its first statement.
fn parts(text: impl io::Read, dialect: Dialect, base: Option<&str>, statements: usize) -> Option<Vec<(usize, Start)>> {
    let mut pieces = Pieces::new(text, dialect, Start::of_text(base), PART);
    let (mut parts, mut number, mut prefixes): (Vec<(usize, Start)>, _, _) = (Vec::new(), 0, 0);
    while let Some(piece) = pieces.read(&mut |_| Ok(())).ok()? {
        prefixes += parts.last().map_or(0, |(_, before)| piece.start.own_prefixes(before));
        if prefixes > MAX_PREFIXES {
            return None;
        }
        parts.push((number, piece.start));
        number += piece.triples.len();
    }
    (number == statements).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{input, read, text};
    use super::*;
    use kgq_syntax::rdf::{RdfFormat, Triple};
    use std::cell::Cell;

    #[test]
    fn places_found_part_by_part_are_those_of_the_whole_tree() {
        let folder = tempfile::tempdir().unwrap();
        for (format, name) in [(RdfFormat::Turtle, "d.ttl"), (RdfFormat::TriG, "d.trig")] {
            let (text, path) = (text(format), folder.path().join(name));
            std::fs::write(&path, format!("\u{feff}{text}")).unwrap();
            let file = Input::file(name, &path, None).unwrap();
            let quads = read(&file);
            let whole = Places::new(name, text.clone(), Some(&file), &quads);
            let in_memory = Input { base: file.base.clone(), ..Input::bytes(name, text.into_bytes(), format) };
            for input in [file, in_memory] {
                let parts = PartPlaces::of(&input, quads.len(), Bounds::default()).unwrap();
                assert!(parts.parts.len() > 10);
                let reads = |numbers: Range<usize>| quads[numbers].to_vec();
                for (number, quad) in quads.iter().enumerate().rev() {
                    let triple = Triple::from(quad.clone());
                    let place = parts.find(number, &reads, |places| places.statement(&triple));
                    assert_eq!(place, whole.statement(&triple), "{quad}");
                    assert!(place.is_some(), "{quad}");
                    let subject = parts.find(number, &reads, |places| places.written_subject(&triple.subject));
                    assert!(subject.is_some(), "{quad}");
                }
                assert!(PartPlaces::of(&input, quads.len() + 1, Bounds::default()).is_none());
            }
        }
    }

    #[test]
    fn parts_that_are_asked_for_in_turn_are_parsed_once() {
        let input = input(RdfFormat::Turtle);
        let (quads, reads) = (read(&input), Cell::new(0));
        let parts = PartPlaces::of(&input, quads.len(), Bounds::default()).unwrap();
        let ask = |number: usize| {
            let counted = |numbers: Range<usize>| {
                reads.set(reads.get() + 1);
                quads[numbers].to_vec()
            };
            assert!(parts.find(number, &counted, |_| Some(())).is_some());
            reads.get()
        };
        let first: Vec<usize> = parts.parts.iter().map(|(first, _)| *first).collect();
        for _ in 0..3 {
            for number in &first[..RECENT] {
                ask(*number);
            }
        }
        assert_eq!(reads.get(), RECENT);
        // The one that was asked for longest ago makes room.
        assert_eq!(ask(first[RECENT]), RECENT + 1);
        assert_eq!(ask(first[1]), RECENT + 1);
        assert_eq!(ask(first[0]), RECENT + 2);
    }
}
