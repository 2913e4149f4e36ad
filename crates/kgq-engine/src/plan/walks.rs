//! How far paths lead: a few walks through the index of the default graph, each to a limited number of nodes.

use super::{Path, Repeat};
use kgq_snapshot::{Permutation, Snapshot, TermId};
use rustc_hash::FxHashSet;
use std::ops::Range;

/// So many walks tell how far a path leads, each to at most so many nodes.
const WALKS: usize = 4;
const MOST_WALKED: usize = 128;
/// More often than this, a walk does not look up what follows a node.
const MOST_LOOKED: usize = 512;

/// At most so many of the rows, at equal distances.
pub fn spread(rows: &Range<usize>, most: usize) -> impl Iterator<Item = usize> {
    let (start, length) = (rows.start, rows.len());
    let count = length.min(most);
    (0..count).map(move |at| start + (2 * at + 1) * length / (2 * count))
}

/// Returns how many nodes walks along the path, repeated, reach: from the given node or, on average, from a node where the path begins; from object
/// to subject with `back`. `None` if the path has steps over any predicate, or begins nowhere.
pub fn reach(snapshot: &Snapshot, path: &Path, back: bool, from: Option<TermId>) -> Option<f64> {
    // A walk that does not end soon reaches a large part of all nodes.
    let many = nodes_at_end(snapshot, path, back)? / 2.0;
    let walk = |node| match (Walk { snapshot, left: MOST_LOOKED }).repeated(path, back, node) {
        Ok(reached) => Some(reached.len() as f64),
        Err(Stop::Far) => Some(many),
        Err(Stop::Unknown) => None,
    };
    if let Some(node) = from {
        return walk(node);
    }
    let mut begins = Vec::new();
    first_steps(path, back, &mut begins);
    let (mut weights, mut sum) = (0.0, 0.0);
    for begin in spread(&(0..begins.len()), WALKS) {
        let (predicate, back) = begins[begin];
        let index = snapshot.triples(direction(back));
        for row in spread(&index.run(predicate), WALKS.div_ceil(begins.len())) {
            let node = index.id(1, row);
            // A node with many statements is met more often.
            let weight = 1.0 / index.range(&[predicate, node]).len().max(1) as f64;
            weights += weight;
            sum += weight * walk(node)?;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

fn direction(back: bool) -> Permutation {
    if back { Permutation::Pos } else { Permutation::Pso }
}

/// How many nodes there are at most where the path ends.
fn nodes_at_end(snapshot: &Snapshot, path: &Path, back: bool) -> Option<f64> {
    match path {
        Path::Predicate(predicate) => {
            let of = snapshot.statistics().predicate(*predicate);
            Some(if back { of.distinct_subjects } else { of.distinct_objects } as f64)
        }
        Path::Reverse(path) => nodes_at_end(snapshot, path, !back),
        Path::Sequence(paths) => nodes_at_end(snapshot, if back { paths.first() } else { paths.last() }?, back),
        Path::Alternative(paths) => paths.iter().map(|path| nodes_at_end(snapshot, path, back)).sum(),
        Path::Closure(_, path) => nodes_at_end(snapshot, path, back),
        Path::Not(_) => None,
    }
}

/// Adds the predicates with which a match of the path may begin, and whether they are followed back.
fn first_steps(path: &Path, back: bool, found: &mut Vec<(TermId, bool)>) {
    match path {
        Path::Predicate(predicate) => found.push((*predicate, back)),
        Path::Reverse(path) => first_steps(path, !back, found),
        Path::Sequence(paths) => {
            if let Some(path) = if back { paths.last() } else { paths.first() } {
                first_steps(path, back, found);
            }
        }
        Path::Alternative(paths) => paths.iter().for_each(|path| first_steps(path, back, found)),
        Path::Closure(_, path) => first_steps(path, back, found),
        Path::Not(_) => {}
    }
}

/// A walk along a path.
struct Walk<'s> {
    snapshot: &'s Snapshot,
    /// How often it may still look up what follows a node.
    left: usize,
}

/// Why a walk ends early.
enum Stop {
    /// It reaches more than it may.
    Far,
    /// It has steps over any predicate.
    Unknown,
}

impl Walk<'_> {
    /// The nodes that repetitions of the path lead to.
    fn repeated(&mut self, path: &Path, back: bool, start: TermId) -> Result<FxHashSet<TermId>, Stop> {
        let mut seen = FxHashSet::default();
        let (mut open, mut next) = (vec![start], Vec::new());
        while let Some(node) = open.pop() {
            next.clear();
            self.step(path, back, node, &mut next)?;
            open.extend(next.iter().filter(|node| seen.insert(**node)));
            if seen.len() > MOST_WALKED {
                return Err(Stop::Far);
            }
        }
        Ok(seen)
    }

    /// Adds the nodes at the end of the path's matches that begin at a node; of very many, some.
    fn step(&mut self, path: &Path, back: bool, from: TermId, found: &mut Vec<TermId>) -> Result<(), Stop> {
        match path {
            Path::Predicate(predicate) => {
                self.left = self.left.checked_sub(1).ok_or(Stop::Far)?;
                let index = self.snapshot.triples(direction(back));
                let rows = index.range(&[*predicate, from]);
                index.read(2, rows.start..rows.end.min(rows.start + MOST_WALKED + 1), found);
            }
            Path::Reverse(path) => self.step(path, !back, from, found)?,
            Path::Alternative(paths) => paths.iter().try_for_each(|path| self.step(path, back, from, found))?,
            Path::Sequence(paths) => {
                let mut nodes = FxHashSet::from_iter([from]);
                let mut next = Vec::new();
                for at in 0..paths.len() {
                    let path = &paths[if back { paths.len() - 1 - at } else { at }];
                    nodes.drain().try_for_each(|node| self.step(path, back, node, &mut next))?;
                    nodes.extend(next.drain(..));
                }
                found.extend(nodes);
            }
            Path::Closure(Repeat::ZeroOrOne, path) => {
                found.push(from);
                self.step(path, back, from, found)?;
            }
            Path::Closure(repeat, path) => {
                if *repeat == Repeat::ZeroOrMore {
                    found.push(from);
                }
                found.extend(self.repeated(path, back, from)?);
            }
            Path::Not(_) => return Err(Stop::Unknown),
        }
        Ok(())
    }
}
