//! Where some statements of a Turtle file are written, found in one pass that holds only what is sought.

use super::{TREE_TO_TEXT, TextLines, dialect_of, outline, shown};
use kgq_snapshot::store::Input;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{Quad, Triple};
use kgq_syntax::turtle::pieces::{Piece, Pieces, Start};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};

/// Bytes of a piece: large enough that reading is quick.
const PIECE: usize = 1 << 16;
/// Estimated bytes of memory per place, with its statement.
const PLACE_BYTES: u64 = 640;

/// Places by statement, and the room that they take.
pub type Held = (FxHashMap<Triple, Place>, Reservation);

/// Returns where these statements, in file order, are written in a document whose text is given; `None` in a format without
/// a parse tree. What follows a mistake in the text is not found.
///
/// # Errors
/// Those of reading, and of the budget.
pub fn places_in_turtle(input: &Input, text: impl Read, quads: &[Quad], budget: &Budget) -> Result<Option<Held>> {
    let Some(dialect) = dialect_of(input.format) else { return Ok(None) };
    let held = budget.reserve(quads.len() as u64 * PLACE_BYTES)?;
    let mut sought: FxHashMap<Triple, Sought> = FxHashMap::default();
    for quad in quads {
        sought.entry(outline(quad)).or_default().missing += 1;
    }
    let mut pieces = Pieces::new(text, dialect, Start::of_text(input.base.as_deref()), PIECE);
    let mut of_piece = Reservation::default();
    let mut hold = |bytes: usize| of_piece.resize(budget, bytes as u64 * TREE_TO_TEXT).map_err(io::Error::other);
    loop {
        budget.check()?;
        match pieces.read(&mut hold) {
            Ok(Some(piece)) => find(&mut sought, piece, &input.name),
            Err(error) if error.kind() != ErrorKind::InvalidData => {
                return Err(error.downcast::<Error>().unwrap_or_else(|error| Error::io(&input.name, &error)));
            }
            Ok(None) | Err(_) => break,
        }
    }
    let mut places = FxHashMap::default();
    for quad in quads {
        if let Some(place) = sought.get_mut(&outline(quad)).and_then(|sought| sought.found.pop_front()) {
            places.entry(Triple::from(quad.clone())).or_insert(place);
        }
    }
    Ok(Some((places, held)))
}

/// Statements that differ at most in the names of their blank nodes: only file order tells which is which.
#[derive(Default)]
struct Sought {
    missing: usize,
    found: VecDeque<Place>,
}

fn find(sought: &mut FxHashMap<Triple, Sought>, piece: Piece<'_>, file: &str) {
    let mut lines = None;
    for located in piece.triples {
        let Some(sought) = sought.get_mut(&outline(&located.quad)).filter(|sought| sought.missing > 0) else {
            continue;
        };
        let lines = lines.get_or_insert_with(|| TextLines::of(piece.text, piece.start.line));
        sought.missing -= 1;
        sought.found.push_back(lines.place(file, piece.text, shown(piece.text, &located.predicate, &located.object)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Places;
    use super::super::sample::{input, read, text};
    use super::*;
    use kgq_syntax::rdf::RdfFormat;

    #[test]
    fn places_found_piece_by_piece_are_those_of_the_whole_tree() {
        for format in [RdfFormat::Turtle, RdfFormat::TriG] {
            let (text, input) = (text(format), input(format));
            assert!(text.len() > 4 * PIECE);
            let quads = read(&input);
            let sought: Vec<Quad> = quads.iter().skip(1).step_by(3).cloned().collect();
            let found = places_in_turtle(&input, text.as_bytes(), &quads, &Budget::default()).unwrap();
            let whole = Places::new(&input.name, text.clone(), Some(&input), &quads);
            let (all, _held) = found.unwrap();
            for quad in &quads {
                let triple = Triple::from(quad.clone());
                assert_eq!(all.get(&triple).cloned(), whole.statement(&triple), "{quad}");
            }
            let (some, held) = places_in_turtle(&input, text.as_bytes(), &sought, &Budget::default()).unwrap().unwrap();
            assert_eq!(held.bytes(), sought.len() as u64 * PLACE_BYTES);
            assert!(some.len() < all.len() && sought.iter().all(|quad| some.contains_key(&Triple::from(quad.clone()))));
        }
    }
}
