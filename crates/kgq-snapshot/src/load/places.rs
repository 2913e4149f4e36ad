//! The places of statements during sorting: places within files become numbers that run across all files in their order.

use super::run::{RowsToRead, Run, RunPlaces, RunStatements};
use crate::storage::Words;
use kgq_syntax::error::Result;

/// Reads the places of a run's triples or quads in order.
pub(super) struct Places {
    rows: RowsToRead<1>,
    /// The first row of each stretch, and the number of its file's first place; in reverse order.
    stretches: Vec<(usize, u32)>,
    row: usize,
    first: u32,
}

impl Places {
    fn new(rows: RunStatements<1>, stretches: impl DoubleEndedIterator<Item = (usize, u32)>) -> Result<Self> {
        Ok(Self { rows: rows.read()?, stretches: stretches.rev().collect(), row: 0, first: 0 })
    }

    /// The next row's place.
    #[inline]
    pub(super) fn next(&mut self) -> Result<u32> {
        while self.stretches.last().is_some_and(|(row, _)| *row <= self.row) {
            self.first = self.stretches.pop().map_or(0, |(_, first)| first);
        }
        self.row += 1;
        let [place] = self.rows.next()?.unwrap_or_default();
        Ok(self.first.saturating_add(place))
    }
}

/// The places of the triples, and of the quads, of all runs.
pub(super) type OfRuns = (Vec<Places>, Vec<Places>);

/// Takes the places from the runs of `files` files, together with the number of each file's first place and of the end.
/// `None` if places were not kept, or there are too many to number.
pub(super) fn take(runs: &mut [Run], files: usize) -> Result<Option<(Words, OfRuns)>> {
    // A thread that had nothing to read kept no places.
    let nothing = || RunPlaces {
        triples: RunStatements::Memory(Vec::new()),
        quads: RunStatements::Memory(Vec::new()),
        stretches: Vec::new(),
    };
    let taken: Option<Vec<RunPlaces>> = runs
        .iter_mut()
        .map(|run| run.places.take().or_else(|| (run.triples.len() + run.quads.len() == 0).then(nothing)))
        .collect();
    let Some(taken) = taken else { return Ok(None) };
    let mut ends = vec![0u32; files];
    for stretch in taken.iter().flat_map(|places| &places.stretches) {
        if let Some(end) = ends.get_mut(stretch.file as usize) {
            *end = stretch.end.max(*end);
        }
    }
    let Some(starts) = starts(&ends) else { return Ok(None) };
    let (mut triples, mut quads) = (Vec::new(), Vec::new());
    for places in taken {
        let first = |file: u32| starts.get(file as usize).copied().unwrap_or_default();
        let stretches = &places.stretches;
        triples.push(Places::new(places.triples, stretches.iter().map(|s| (s.triple, first(s.file))))?);
        quads.push(Places::new(places.quads, stretches.iter().map(|s| (s.quad, first(s.file))))?);
    }
    Ok(Some((Words::new(starts), (triples, quads))))
}

/// Takes the places of a run's triples and quads unchanged.
pub(super) fn as_they_are(runs: &mut [Run]) -> Result<[Vec<u32>; 2]> {
    let mut all = [Vec::new(), Vec::new()];
    for places in runs.iter_mut().filter_map(|run| run.places.take()) {
        for (rows, all) in [places.triples, places.quads].into_iter().zip(&mut all) {
            rows.each(|[place]| {
                all.push(place);
                Ok(())
            })?;
        }
    }
    Ok(all)
}

/// Running sums: for each length, the total of those before it.
fn starts(lengths: &[u32]) -> Option<Vec<u32>> {
    let mut starts = vec![0u32];
    for length in lengths {
        starts.push(starts.last()?.checked_add(*length)?);
    }
    Some(starts)
}
