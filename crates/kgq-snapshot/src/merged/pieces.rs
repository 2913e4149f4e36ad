//! Parts of a merged order, in the order in which they were made. They stay where they are, so that whoever reads one needs no lock.

use super::super::TermId;
use super::super::packed::Column;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The triples that begin with some ids.
#[derive(Debug)]
pub(super) struct MergedPiece {
    /// The row of the first.
    pub start: usize,
    pub len: usize,
    /// The first id of all of them.
    pub key: TermId,
    /// The columns after the first.
    pub columns: Vec<Column>,
}

/// MergedPieces, of which none goes. One thread at a time may add one.
#[derive(Debug, Default)]
pub(super) struct MergedPieces {
    /// Each has room for twice as many as the one before.
    rooms: [OnceLock<Box<[OnceLock<MergedPiece>]>>; 32],
    count: AtomicUsize,
}

impl MergedPieces {
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Adds a piece whose rows are behind those of all others, and gives its number.
    pub fn push(&self, piece: MergedPiece) -> usize {
        let number = self.count();
        let (room, at) = place(number);
        if let Some(places) = self.rooms.get(room) {
            let places = places.get_or_init(|| (0..1usize << room).map(|_| OnceLock::new()).collect());
            if let Some(place) = places.get(at) {
                place.get_or_init(|| piece);
                self.count.store(number + 1, Ordering::Release);
            }
        }
        number
    }

    pub fn get(&self, number: usize) -> Option<&MergedPiece> {
        let (room, at) = place(number);
        self.rooms.get(room)?.get()?.get(at)?.get()
    }

    /// The piece with a row.
    pub fn of_row(&self, row: usize) -> Option<&MergedPiece> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|piece| piece.start <= row) { low = middle + 1 } else { high = middle }
        }
        self.get(low.checked_sub(1)?)
    }
}

/// In which room a piece is, and where in it.
fn place(number: usize) -> (usize, usize) {
    let room = (number + 1).ilog2();
    (room as usize, number + 1 - (1 << room))
}
