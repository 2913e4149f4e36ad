//! Reads a column here and there: what is near the last place that was read costs little, as its frame is at hand.

use super::{Column, FRAME, Frame, TermId};
use std::ops::Range;

/// More ids than this are unpacked together.
const FEW: usize = 16;

pub(in super::super) struct NearReader<'a> {
    column: &'a Column,
    /// The frame that was read last.
    number: usize,
    frame: Frame<'a>,
}

impl<'a> NearReader<'a> {
    #[inline]
    pub fn new(column: &'a Column) -> Self {
        Self { column, number: usize::MAX, frame: Frame { least: 0, width: 0, vectors: &[] } }
    }

    /// The frame of all positions in a range; `None` if they are in several, or there are none.
    #[inline]
    fn frame_of(&mut self, range: &Range<usize>) -> Option<&Frame<'a>> {
        let number = range.start / FRAME;
        if range.is_empty() || range.end > self.column.len || (range.end - 1) / FRAME != number {
            return None;
        }
        if self.number != number {
            self.number = number;
            self.frame = self.column.frame(number);
        }
        Some(&self.frame)
    }

    /// The number at `at`, and the next.
    #[inline]
    pub fn pair(&mut self, at: usize) -> [u32; 2] {
        let column = self.column;
        match self.frame_of(&(at..at + 2)) {
            Some(frame) => [0, 1].map(|next| column.limited(frame.get(at % FRAME + next))),
            None => column.pair(at),
        }
    }

    /// The positions in the sorted range whose number is `target`; where it would be, if there are none.
    #[inline]
    pub fn equal(&mut self, range: Range<usize>, target: u32) -> Range<usize> {
        let column = self.column;
        let Some(frame) = self.frame_of(&range).filter(|_| target <= column.most) else {
            return column.equal(range, target);
        };
        let first = range.start / FRAME * FRAME;
        let (start, end) = (range.start - first, range.end - first);
        let start = frame.lower_bound(start..end, target);
        first + start..first + start + frame.run(start..end, target)
    }

    /// Appends the ids of these rows, all of which there must be.
    #[inline]
    pub fn read(&mut self, rows: Range<usize>, out: &mut Vec<TermId>) {
        let column = self.column;
        match self.frame_of(&rows).filter(|_| rows.len() <= FEW) {
            Some(frame) => out.extend(rows.map(|at| TermId::new(column.limited(frame.get(at % FRAME))))),
            None => {
                let from = out.len();
                out.resize(from + rows.len(), TermId::new(0));
                column.fill(rows.start, &mut out[from..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_here_and_there_is_what_the_column_has() {
        let mut random = fastrand::Rng::with_seed(15);
        let mut numbers: Vec<u32> = (0..2000).map(|_| random.u32(..900)).collect();
        numbers[300..700].sort_unstable();
        let column = Column::pack(&numbers);
        let mut near = NearReader::new(&column);
        for _ in 0..4000 {
            let at = random.usize(..=2000);
            assert_eq!(near.pair(at), column.pair(at));
            let rows = at..random.usize(at..=2000.min(at + 40));
            let mut read = vec![TermId::new(7)];
            near.read(rows.clone(), &mut read);
            assert!(read[1..].iter().map(|id| id.get()).eq(numbers[rows].iter().copied()));
            let start = random.usize(300..=700);
            let sorted = start..random.usize(start..=700.min(start + 200));
            for target in [random.u32(..901), numbers[start], u32::MAX] {
                assert_eq!(
                    near.equal(sorted.clone(), target),
                    column.equal(sorted.clone(), target),
                    "{sorted:?} {target}"
                );
            }
        }
    }
}
