//! The results of a condition for all stored ids, as ranges of ids: a row costs only a search among a few bounds.

use crate::terms::Truth;
use kgq_snapshot::TermId;
use std::ops::Range;

/// The end of each range of ids, ascending, and the condition's result in it; `None` if the values decide.
#[derive(Clone, Debug, Default)]
pub struct Stretches(Vec<(u32, Option<Truth>)>);

impl Stretches {
    /// Adds a range up to `end`, unless it is empty.
    pub fn push(&mut self, end: u32, truth: Option<Truth>) {
        let start = self.0.last().map_or(0, |(end, _)| *end);
        if end <= start {
            return;
        }
        match self.0.last_mut() {
            Some((last, same)) if *same == truth => *last = end,
            _ => self.0.push((end, truth)),
        }
    }

    /// Returns the condition's result for an id, if it is known without the value; it never is for an id that is not stored.
    #[inline]
    pub fn truth(&self, id: TermId) -> Option<Truth> {
        let at = self.0.partition_point(|(end, _)| *end <= id.get());
        self.0.get(at)?.1
    }

    /// Returns the result of `||` of two conditions.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut stretches = Self(Vec::with_capacity(self.0.len() + other.0.len()));
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((left_end, a)), Some((right_end, b))) = (left.peek(), right.peek()) {
            let truth = match (a, b) {
                (Some(Truth::True), _) | (_, Some(Truth::True)) => Some(Truth::True),
                (Some(a), Some(b)) => Some(a.or(*b)),
                (None, _) | (_, None) => None,
            };
            let end = *left_end.min(right_end);
            stretches.push(end, truth);
            left.next_if(|(left_end, _)| *left_end == end);
            right.next_if(|(right_end, _)| *right_end == end);
        }
        stretches
    }

    /// Returns ascending ranges of stored ids outside which the condition is not true, and whether it is true in all of them.
    pub fn candidates(&self) -> (Vec<Range<u32>>, bool) {
        let mut start = 0;
        let mut found: Vec<Range<u32>> = Vec::new();
        let mut sure = true;
        for (end, truth) in &self.0 {
            if matches!(truth, Some(Truth::True) | None) {
                sure &= truth.is_some();
                match found.last_mut() {
                    Some(last) if last.end == start => last.end = *end,
                    _ => found.push(start..*end),
                }
            }
            start = *end;
        }
        (found, sure)
    }
}
