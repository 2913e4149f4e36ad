//! The triples of a merge that begin with some ids, read from the sorted runs of a snapshot: in order, each once.
//!
//! The named graphs' statements come from the order with the graph last, where a triple's graphs stand together and those that are not
//! merged are passed over. Where the merged graphs have few of them, they come graph by graph from the orders that begin with the graph, and
//! are sorted.

use super::super::blocks::Blocks;
use super::super::{Index, Permutation, QuadPermutation, Snapshot, TermId};
use super::{Merged, MergedNames};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use rustc_hash::FxHashSet;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// A triple in the order's components.
pub(super) type OrderedTriple = [u32; 3];

/// A look-up in a graph costs as much as so many rows.
const LOOK_UP: u64 = 8;
/// Sorting a row costs as much as reading so many.
const TO_SORT: u64 = 4;
/// IndexRows between two looks at the budget.
const ROWS_BETWEEN_CHECKS: u64 = 1 << 16;

/// Where the triples with a prefix are read, and what that costs.
pub(super) struct MergeWay<'a> {
    default: Option<IndexRows<'a>>,
    named: NamedRuns<'a>,
    /// In rows that are read.
    pub cost: u64,
    /// How many triples are there, about: rows before duplicates are dropped, and a share of those where others' are among them.
    pub expected: u64,
}

/// IndexRows of an index.
type IndexRows<'a> = (Index<'a>, Range<usize>);

enum NamedRuns<'a> {
    /// IndexRows of the order with the graph last.
    Last(Index<'a>, Range<usize>),
    /// IndexRows of orders with the graph first.
    First(Vec<IndexRows<'a>>),
}

impl Merged {
    /// How the triples that begin with a prefix are best read.
    pub(super) fn way<'a>(&self, snapshot: &'a Snapshot, permutation: Permutation, prefix: &[TermId]) -> MergeWay<'a> {
        let rows = |index: Index<'a>| (index, index.range(prefix));
        let default = self.default.then(|| rows(snapshot.triples(permutation))).filter(|(_, rows)| !rows.is_empty());
        let of_default = default.as_ref().map_or(0, |(_, rows)| rows.len() as u64);
        let (index, last) = rows(snapshot.quads(permutation.with_graph_last()));
        let all = last.len() as u64;
        let (named, cost, expected) = match &self.named {
            _ if self.quads == 0 => (NamedRuns::First(Vec::new()), 0, 0),
            MergedNames::These { graphs, .. } if all > LOOK_UP * graphs.len() as u64 => {
                let sparse = match prefix {
                    // Known without a look-up.
                    [] if self.quads as u64 * TO_SORT > all => None,
                    _ => by_graph(snapshot, permutation, prefix, graphs),
                };
                match sparse {
                    Some((runs, rows)) if rows * TO_SORT + LOOK_UP * (graphs.len() as u64) < all => {
                        (NamedRuns::First(runs), rows * TO_SORT + LOOK_UP * graphs.len() as u64, rows)
                    }
                    Some((_, rows)) => (NamedRuns::Last(index, last), all, rows),
                    None => (NamedRuns::Last(index, last), all, self.share_of(all, snapshot)),
                }
            }
            MergedNames::These { .. } => (NamedRuns::Last(index, last), all, self.share_of(all, snapshot)),
            MergedNames::All => (NamedRuns::Last(index, last), all, all),
        };
        MergeWay { default, named, cost: cost + of_default, expected: expected + of_default }
    }

    /// What of so many statements of all named graphs are those of the merged ones, if all graphs are alike.
    fn share_of(&self, statements: u64, snapshot: &Snapshot) -> u64 {
        (statements as f64 * self.quads as f64 / (snapshot.quad_count().max(1) as f64)).ceil() as u64
    }

    /// The triples of a way. The walk ends early where the budget is used up, which the caller asks then.
    ///
    /// # Errors
    /// The budget's.
    pub(super) fn walk<'a>(
        &'a self,
        way: MergeWay<'a>,
        permutation: Permutation,
        prefix: &[TermId],
        read: &'a AtomicU64,
        budget: &'a Budget,
    ) -> Result<impl Iterator<Item = OrderedTriple> + use<'a>> {
        let first = prefix.first().copied();
        let default = way.default.map(|(index, rows)| RunWalk::new(index, first, rows, None, read, budget));
        let named = match way.named {
            NamedRuns::Last(index, rows) => {
                let these = match &self.named {
                    MergedNames::All => None,
                    MergedNames::These { set, .. } => Some(set),
                };
                MergeSide::Walk(Box::new(RunWalk::new(index, first, rows, these, read, budget)))
            }
            NamedRuns::First(runs) => {
                let (rows, held) = sorted(runs, permutation, read, budget)?;
                MergeSide::Sorted { rows: rows.into_iter(), _held: held }
            }
        };
        let default = default.map_or_else(
            || MergeSide::Sorted { rows: Vec::new().into_iter(), _held: Reservation::default() },
            |walk| MergeSide::Walk(Box::new(walk)),
        );
        Ok(TwoSides { left: default.peekable(), right: named.peekable() })
    }
}

impl Merged {
    /// The first triples of a way over everything that are behind one, or of all: as many as are wanted, if there are as many. `None` where all of
    /// them would have to be read for that.
    ///
    /// # Errors
    /// The budget's.
    pub(super) fn first_behind(
        &self,
        way: MergeWay<'_>,
        permutation: Permutation,
        after: Option<[TermId; 3]>,
        wanted: usize,
        read: &AtomicU64,
        budget: &Budget,
    ) -> Result<Option<Vec<[TermId; 3]>>> {
        let MergeWay { default, named, cost, expected } = way;
        let named = match named {
            NamedRuns::Last(index, rows) => {
                let start = behind(index, 0, rows.clone(), after);
                NamedRuns::Last(index, start..rows.end)
            }
            // In each graph the triples stand in this order.
            NamedRuns::First(runs) if permutation == Permutation::Spo => {
                let first = |(index, rows): &mut IndexRows<'_>| {
                    rows.start = behind(*index, 1, rows.clone(), after);
                    rows.end = rows.end.min(rows.start + wanted);
                };
                let mut runs = runs;
                runs.iter_mut().for_each(first);
                NamedRuns::First(runs)
            }
            NamedRuns::First(runs) if runs.is_empty() => NamedRuns::First(runs),
            NamedRuns::First(_) => return Ok(None),
        };
        let default = default.map(|(index, rows)| (index, behind(index, 0, rows.clone(), after)..rows.end));
        let way = MergeWay { default, named, cost, expected };
        let rows = self.walk(way, permutation, &[], read, budget)?;
        let rows = rows.take(wanted).map(|row| row.map(TermId::new)).collect();
        // The walk ends early where the budget is used up.
        budget.check()?;
        Ok(Some(rows))
    }
}

/// The first of these rows whose components from `depth` on are behind those of a triple. The rows agree on what is before `depth`.
fn behind(index: Index<'_>, depth: usize, rows: Range<usize>, after: Option<[TermId; 3]>) -> usize {
    let Some(after) = after else { return rows.start };
    let next = |id: TermId| TermId::new(id.get().saturating_add(1));
    let mut rows = rows;
    for (id, depth) in after.into_iter().zip(depth..) {
        let start = index.seek(depth, rows.clone(), id);
        let end = index.seek(depth, start..rows.end, next(id));
        if start == end {
            return start;
        }
        rows = start..end;
    }
    rows.end
}

/// The rows of each graph that begin with a prefix, where an order with the graph first has them together.
fn by_graph<'a>(
    snapshot: &'a Snapshot,
    permutation: Permutation,
    prefix: &[TermId],
    graphs: &[TermId],
) -> Option<(Vec<IndexRows<'a>>, u64)> {
    let mut known = [None; 3];
    for (component, id) in permutation.order().iter().zip(prefix) {
        known[component.position()] = Some(*id);
    }
    let (order, rest) = match known {
        [s, p, o] if s.is_some() || p.is_none() && o.is_none() => (QuadPermutation::Gspo, [s, p, o]),
        [s, p, o] if p.is_some() => (QuadPermutation::Gpos, [p, o, s]),
        _ => return None,
    };
    let known = rest.iter().flatten().count();
    if rest[..known].iter().any(Option::is_none) {
        return None;
    }
    let index = snapshot.quads(order);
    let mut rows = 0;
    let runs = graphs.iter().map(|graph| {
        let prefix: Vec<TermId> = std::iter::once(*graph).chain(rest.iter().flatten().copied()).collect();
        (index, index.range(&prefix))
    });
    let runs: Vec<_> = runs.filter(|(_, rows)| !rows.is_empty()).inspect(|(_, run)| rows += run.len() as u64).collect();
    Some((runs, rows))
}

/// The rows of runs with the graph first, sorted in another order, with the reservation of their memory.
fn sorted(
    runs: Vec<IndexRows<'_>>,
    permutation: Permutation,
    read: &AtomicU64,
    budget: &Budget,
) -> Result<(Vec<OrderedTriple>, Reservation)> {
    let len: usize = runs.iter().map(|(_, rows)| rows.len()).sum();
    // A second copy is made where they are sorted.
    let mut held = budget.reserve(2 * (len * size_of::<OrderedTriple>()) as u64)?;
    let mut all = Vec::with_capacity(len);
    for (index, rows) in runs {
        budget.check()?;
        read.fetch_add(rows.len() as u64, Ordering::Relaxed);
        let column = |component| {
            let depth = index.order().iter().position(|other| *other == component).unwrap_or(0);
            index.blocks(depth, rows.clone())
        };
        let [first, second, third] = permutation.order().map(column);
        all.extend(first.zip(second.zip(third)).map(|(a, (b, c))| [a, b, c].map(TermId::get)));
    }
    sort_by(&mut all, Piece::Large, OrderedTriple::cmp, budget)?;
    all.dedup();
    held.resize(budget, (all.capacity() * size_of::<OrderedTriple>()) as u64)?;
    Ok((all, held))
}

/// The triples of one index: those of some graphs where there is a fourth column, each once.
struct RunWalk<'a> {
    keys: Box<dyn Iterator<Item = (TermId, Range<usize>)> + 'a>,
    key: u32,
    /// IndexRows of the key that are left.
    left: usize,
    columns: [Blocks<'a>; 2],
    graphs: Option<(Blocks<'a>, &'a FxHashSet<TermId>)>,
    last: Option<OrderedTriple>,
    read: &'a AtomicU64,
    /// IndexRows that are not yet counted in `read`.
    uncounted: u64,
    budget: &'a Budget,
}

impl<'a> RunWalk<'a> {
    fn new(
        index: Index<'a>,
        first: Option<TermId>,
        rows: Range<usize>,
        graphs: Option<&'a FxHashSet<TermId>>,
        read: &'a AtomicU64,
        budget: &'a Budget,
    ) -> Self {
        Self {
            keys: match first {
                Some(first) => Box::new(std::iter::once((first, rows.clone()))),
                None if rows.is_empty() => Box::new(std::iter::empty()),
                None => {
                    let (from, start) = (index.key_at(rows.start).get(), rows.start);
                    let behind = move |(key, run): (TermId, Range<usize>)| (key, run.start.max(start)..run.end);
                    Box::new(index.keys_in(from..u32::MAX).map(behind))
                }
            },
            key: 0,
            left: 0,
            columns: [1, 2].map(|depth| index.blocks(depth, rows.clone())),
            graphs: graphs.map(|graphs| (index.blocks(3, rows.clone()), graphs)),
            last: None,
            read,
            uncounted: 0,
            budget,
        }
    }
}

impl Iterator for RunWalk<'_> {
    type Item = OrderedTriple;

    fn next(&mut self) -> Option<OrderedTriple> {
        loop {
            while self.left == 0 {
                let (key, run) = self.keys.next()?;
                (self.key, self.left) = (key.get(), run.len());
            }
            self.left -= 1;
            self.uncounted += 1;
            if self.uncounted == ROWS_BETWEEN_CHECKS {
                self.read.fetch_add(std::mem::take(&mut self.uncounted), Ordering::Relaxed);
                self.budget.check().ok()?;
            }
            let [second, third] = &mut self.columns;
            let row = [self.key, second.next()?.get(), third.next()?.get()];
            if let Some((column, graphs)) = &mut self.graphs
                && !graphs.contains(&column.next()?)
            {
                continue;
            }
            if self.last.replace(row) != Some(row) {
                return Some(row);
            }
        }
    }
}

impl Drop for RunWalk<'_> {
    fn drop(&mut self) {
        self.read.fetch_add(self.uncounted, Ordering::Relaxed);
    }
}

enum MergeSide<'a> {
    Walk(Box<RunWalk<'a>>),
    /// Rows in memory, with what they take of the budget.
    Sorted {
        rows: std::vec::IntoIter<OrderedTriple>,
        _held: Reservation,
    },
}

impl Iterator for MergeSide<'_> {
    type Item = OrderedTriple;

    #[inline]
    fn next(&mut self) -> Option<OrderedTriple> {
        match self {
            Self::Walk(walk) => walk.next(),
            Self::Sorted { rows, .. } => rows.next(),
        }
    }
}

/// The triples of both sides, each once.
struct TwoSides<'a> {
    left: Peekable<MergeSide<'a>>,
    right: Peekable<MergeSide<'a>>,
}

impl Iterator for TwoSides<'_> {
    type Item = OrderedTriple;

    fn next(&mut self) -> Option<OrderedTriple> {
        let Some(right) = self.right.peek() else { return self.left.next() };
        match self.left.next_if(|left| left <= right) {
            Some(left) => {
                self.right.next_if_eq(&left);
                Some(left)
            }
            None => self.right.next(),
        }
    }
}
