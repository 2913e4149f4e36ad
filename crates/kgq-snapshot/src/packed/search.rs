//! Finding a number in a sorted part of a column: its frame by the directory alone, then its place in the frame.

use super::{Column, FRAME, Frame, mask};
use std::hint::select_unpredictable;
use std::ops::Range;

/// Frames whose part of the directory is searched at once: a larger one of a mapped file is not checked as a whole.
const AT_ONCE: usize = 1 << 12;
/// Among more frames than this the place of a number is guessed.
const WORTH_GUESSING: usize = 8;
/// So many equal numbers are looked at one by one: most runs are short.
const SHORT_RUN: usize = 4;

impl Frame<'_> {
    /// The first of these positions, whose numbers are sorted, with a number of at least `target`.
    #[inline]
    pub(super) fn lower_bound(&self, positions: Range<usize>, target: u32) -> usize {
        let (mut low, mut rest) = (positions.start, positions.len());
        if target <= self.least || rest == 0 {
            return low;
        }
        let difference = target - self.least;
        if difference > mask(self.width) {
            return positions.end;
        }
        // Which half it is in is not to be foreseen, so nothing branches on that.
        while rest > 1 {
            let half = rest / 2;
            low = select_unpredictable(self.difference(low + half - 1) < difference, low + half, low);
            rest -= half;
        }
        low + usize::from(self.difference(low) < difference)
    }

    /// The same, for a position that is expected near the first.
    #[inline]
    fn gallop(&self, positions: Range<usize>, target: u32) -> usize {
        let (mut low, mut step) = (positions.start, 1);
        while low + step <= positions.end && self.get(low + step - 1) < target {
            low += step;
            step *= 2;
        }
        self.lower_bound(low..positions.end.min(low + step - 1), target)
    }

    /// How many of these positions, whose numbers are sorted and the first of which has `target`, or none, have it.
    #[inline]
    pub(super) fn run(&self, positions: Range<usize>, target: u32) -> usize {
        let near = positions.end.min(positions.start + SHORT_RUN);
        let mut at = positions.start;
        while at < near && self.get(at) == target {
            at += 1;
        }
        if at == near && at < positions.end {
            // An id that is stored is less than the largest number.
            at = self.lower_bound(at..positions.end, target.saturating_add(1));
        }
        at - positions.start
    }
}

impl Column {
    /// The first position in the sorted range whose number is at least `target`; the range's end if there is none.
    pub(in super::super) fn lower_bound(&self, range: Range<usize>, target: u32) -> usize {
        self.search(range, target, Self::around, |frame, positions, target| frame.lower_bound(positions, target))
    }

    /// The same, for a position that is expected near the range's start: in time logarithmic in the distance.
    #[inline]
    pub(in super::super) fn gallop(&self, range: Range<usize>, target: u32) -> usize {
        let from_first = |column: &Self, frames: Range<usize>, target: u32| {
            let first = frames.start;
            column.outwards(frames, first, target)
        };
        self.search(range, target, from_first, |frame, positions, target| frame.gallop(positions, target))
    }

    /// The positions in the sorted range whose number is `target`; where it would be, if there are none.
    pub(in super::super) fn equal(&self, range: Range<usize>, target: u32) -> Range<usize> {
        let start = self.lower_bound(range.clone(), target);
        let end = range.end.min(self.len);
        if start >= end {
            return start..start;
        }
        let first = start / FRAME * FRAME;
        let own = end.min(first + FRAME);
        let near = start + self.frame(start / FRAME).run(start - first..own - first, target);
        if near == own && own < end { start..self.gallop(own..end, target.saturating_add(1)) } else { start..near }
    }

    /// `narrow` gives two frames with the last that begins with a number below `target` between them, the second excluded; `within` finds
    /// the place in one frame.
    #[inline(always)]
    fn search(
        &self,
        range: Range<usize>,
        target: u32,
        narrow: impl Fn(&Self, Range<usize>, u32) -> Range<usize>,
        within: impl Fn(&Frame<'_>, Range<usize>, u32) -> usize,
    ) -> usize {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        if start == end || target > self.most {
            return end;
        }
        let (first, last) = (start / FRAME, (end - 1) / FRAME);
        let frame = if first == last { first } else { self.among(narrow(self, first..last, target), last, target) };
        let rows = start.max(frame * FRAME)..end.min((frame + 1) * FRAME);
        let found = within(&self.frame(frame), rows.start - frame * FRAME..rows.end - frame * FRAME, target);
        frame * FRAME + found
    }

    /// Of frames of which the first counts as one that begins with a number below `target`, and the end as one that does not, the last
    /// that does. `last` is the last of all: it may hold lesser numbers behind the range, so that its least does not tell what it begins with.
    #[inline]
    fn among(&self, frames: Range<usize>, last: usize, target: u32) -> usize {
        let (mut low, mut high) = (frames.start, frames.end);
        while high - low > AT_ONCE {
            let middle = low + (high - low) / 2;
            if self.least(middle) < target { low = middle } else { high = middle }
        }
        if high - low > 1 {
            let entries = self.directory.slice((low + 1) * 2..high * 2).as_chunks::<2>().0;
            let before = entries.partition_point(|[least, _]| *least < target);
            (low, high) = (low + before, low + before + 1);
        }
        if high == last && self.frame(last).get(0) < target { last } else { low }
    }

    /// Goes from a frame among the first and the last, in growing steps, to where frames no longer begin with a number below `target`, or
    /// no longer with another.
    #[inline]
    fn outwards(&self, frames: Range<usize>, from: usize, target: u32) -> Range<usize> {
        let (first, last) = (frames.start, frames.end);
        let mut step = 1;
        if from == first || self.least(from) < target {
            let mut low = from;
            while low + step < last && self.least(low + step) < target {
                low += step;
                step *= 2;
            }
            return low..(low + step).min(last);
        }
        let mut high = from;
        while high - first > step && self.least(high - step) >= target {
            high -= step;
            step *= 2;
        }
        high.saturating_sub(step).max(first)..high
    }

    /// The same from where the frame would be if the numbers between the first frame and the last grew evenly.
    fn around(&self, frames: Range<usize>, target: u32) -> Range<usize> {
        if frames.len() < WORTH_GUESSING {
            return frames;
        }
        // Only of those between it is known what they begin with.
        let (first, last) = (frames.start + 1, frames.end - 1);
        let (least, most) = (self.least(first), self.least(last));
        if target <= least {
            return frames.start..first;
        }
        if target > most {
            return last..frames.end;
        }
        let part = u64::from(target - least) * (last - first) as u64 / u64::from(most - least).max(1);
        let guess = first + (part as usize).min(last - first);
        self.outwards(frames, guess, target)
    }
}
