//! Where the statements of a large file are written: found by their numbers, so that neither the file nor its tree is held.

use super::lines::LinePlaces;
use super::parts::{PartPlaces, Read};
use super::{Embedded, Places};
use kgq_snapshot::store::Input;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Place;
use kgq_syntax::rdf::Triple;

/// The places in one large file. Statements are numbered from 0, in file order, as they were read.
pub enum NumberedPlaces {
    Lines(LinePlaces),
    Parts(PartPlaces),
}

impl NumberedPlaces {
    /// Looks over a document with this many statements; `None` if it is small, or in a format without a parse tree.
    pub fn of(input: &Input, statements: usize, bounds: Bounds) -> Option<Self> {
        let parts = || PartPlaces::of(input, statements, bounds).map(Self::Parts);
        LinePlaces::of(input).map(Self::Lines).or_else(parts)
    }

    /// Returns where the statement with this number is written; `None` if another one stands there. `read` gives the
    /// statements with some numbers, as they were read.
    pub fn statement(&self, number: usize, statement: &Triple, read: &Read<'_>) -> Option<Place> {
        match self {
            Self::Lines(lines) => lines.statement(number, statement),
            Self::Parts(parts) => parts.find(number, read, |places| places.statement(statement)),
        }
    }

    /// Returns where the subject of that statement is first written, near it.
    pub fn subject(&self, number: usize, statement: &Triple, read: &Read<'_>) -> Option<Place> {
        match self {
            Self::Lines(lines) => lines.subject(number, statement),
            Self::Parts(parts) => parts.find(number, read, |places| places.written_subject(&statement.subject)),
        }
    }

    /// Returns the string that is that statement's object.
    pub fn string(&self, number: usize, statement: &Triple, read: &Read<'_>) -> Option<(String, Embedded)> {
        let string = |places: &Places| places.string(statement);
        match self {
            Self::Lines(lines) => lines.find(number, statement, string),
            Self::Parts(parts) => parts.find(number, read, string),
        }
    }
}
