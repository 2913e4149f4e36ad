//! The triples of one graph, looked up by pattern: statements of a snapshot, and those held beside it.
//!
//! Matches come in node order, so that a report is the same however the statements are stored.

use super::dictionary::{NodeId, Numbers};
use kgq_snapshot::{Bound, Ids};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use rustc_hash::FxHashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A triple pattern: the known nodes of a triple.
pub(super) type Pattern = [Option<NodeId>; 3];

/// The triples of a graph.
pub struct Triples {
    stated: Option<Stated>,
    /// Triples that rules added; for a shapes graph that is separate from the data, all its triples.
    held: Held,
    /// Long results that queries asked for, the most recent last: a query asks for the same ones with each focus node.
    kept: Mutex<Vec<(Pattern, Arc<Matches>)>>,
}

/// The triples that match a pattern.
#[derive(Default)]
pub(super) struct Matches {
    pub triples: Vec<[NodeId; 3]>,
    _held: Reservation,
}

/// The most triples in all kept results together, and the fewest in one worth keeping.
const MOST_KEPT: usize = 1 << 20;
const LEAST_KEPT: usize = 1 << 10;

/// The statements of a snapshot, except for some.
#[derive(Clone)]
pub(super) struct Stated {
    pub numbers: Arc<Numbers>,
    /// Those that are only in the other graph.
    pub without: Arc<FxHashSet<[NodeId; 3]>>,
}

impl Stated {
    /// Returns the matches in no particular order; a triple in several named graphs is returned once for each.
    fn matching(&self, pattern: Pattern) -> impl Iterator<Item = [NodeId; 3]> + use<'_> {
        self.bound(pattern)
            .into_iter()
            .flat_map(|bound| self.numbers.snapshot.find_ids(bound))
            .filter_map(|ids| self.own(ids))
    }

    fn own(&self, ids: Ids) -> Option<[NodeId; 3]> {
        let triple = self.numbers.nodes(ids)?;
        (self.without.is_empty() || !self.without.contains(&triple)).then_some(triple)
    }

    /// Translates the pattern to ids; `None` if a node is not a term of the snapshot.
    fn bound(&self, pattern: Pattern) -> Option<Bound> {
        let mut bound = Bound::default();
        for (bound, node) in bound.iter_mut().zip(pattern) {
            if let Some(node) = node {
                *bound = Some(self.numbers.id(node)?);
            }
        }
        Some(bound)
    }

    fn has(&self, triple: [NodeId; 3]) -> bool {
        !self.without.contains(&triple)
            && self.bound(triple.map(Some)).is_some_and(|bound| self.numbers.snapshot.has(bound))
    }
}

impl Triples {
    pub(super) fn new(stated: Option<Stated>, held: Vec<[NodeId; 3]>, budget: &Budget) -> Result<Self> {
        Ok(Self { stated, held: Held::new(held, budget)?, kept: Mutex::default() })
    }

    /// Returns a copy with further triples, which it must not have yet.
    pub(super) fn with(&self, others: impl Iterator<Item = [NodeId; 3]>, budget: &Budget) -> Result<Self> {
        Self::new(self.stated.clone(), self.held.spo.iter().copied().chain(others).collect(), budget)
    }

    /// Returns the number of triples held beside the snapshot.
    pub(super) fn held(&self) -> usize {
        self.held.spo.len()
    }

    fn found(&self, pattern: Pattern) -> impl Iterator<Item = [NodeId; 3]> {
        self.stated.iter().flat_map(move |stated| stated.matching(pattern)).chain(self.held.matching(pattern))
    }

    /// The distinct nodes in one position of the matching triples.
    fn ends(&self, pattern: Pattern, place: usize) -> Vec<NodeId> {
        let mut ends: Vec<NodeId> = self.found(pattern).map(|triple| triple[place]).collect();
        if ends.len() > 1 {
            ends.sort_unstable();
            ends.dedup();
        }
        ends
    }

    pub fn objects(&self, subject: NodeId, predicate: NodeId) -> Vec<NodeId> {
        self.ends([Some(subject), Some(predicate), None], 2)
    }

    pub fn subjects(&self, predicate: NodeId, object: NodeId) -> Vec<NodeId> {
        self.ends([None, Some(predicate), Some(object)], 0)
    }

    pub fn contains(&self, triple: [NodeId; 3]) -> bool {
        self.held.contains(triple) || self.stated.as_ref().is_some_and(|stated| stated.has(triple))
    }

    /// Returns the subjects and objects of a predicate's triples, in no particular order.
    pub fn pairs(&self, predicate: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.found([None, Some(predicate), None]).map(|[s, _, o]| (s, o))
    }

    /// The predicates and objects of a subject.
    pub fn properties(&self, subject: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + use<> {
        let mut found: Vec<[NodeId; 3]> = self.found([Some(subject), None, None]).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|[_, p, o]| (p, o))
    }

    /// Returns the matches as subject, predicate, object, within the budget of a query; their memory is charged to the
    /// `whole` validation.
    ///
    /// # Errors
    /// Those of both budgets.
    pub(super) fn matching(&self, pattern: Pattern, budget: &Budget, whole: &Budget) -> Result<Arc<Matches>> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut kept = kept();
            if let Some(at) = kept.iter().position(|(of, _)| *of == pattern) {
                kept[at..].rotate_left(1);
                return Ok(kept.last().map_or_else(Arc::default, |(_, rows)| Arc::clone(rows)));
            }
        }
        let rows = Arc::new(self.read(pattern, budget, whole)?);
        if rows.triples.len() >= LEAST_KEPT {
            let mut kept = kept();
            kept.push((pattern, Arc::clone(&rows)));
            let mut all: usize = kept.iter().map(|(_, rows)| rows.triples.len()).sum();
            while all > MOST_KEPT && kept.len() > 1 {
                all -= kept.remove(0).1.triples.len();
            }
        }
        Ok(rows)
    }

    fn read(&self, pattern: Pattern, budget: &Budget, whole: &Budget) -> Result<Matches> {
        const READ_AT_ONCE: usize = 1 << 12;
        let (mut triples, mut held) = (Vec::new(), Reservation::default());
        for triple in self.found(pattern) {
            if triples.len() % READ_AT_ONCE == READ_AT_ONCE - 1 {
                held.grow(whole, (READ_AT_ONCE * size_of::<[NodeId; 3]>()) as u64)?;
                budget.check()?;
            }
            triples.push(triple);
        }
        match pattern {
            _ if triples.len() < 2 => {}
            // The order in which the triples of one predicate are stored.
            [None, Some(_), None] => {
                sort_by(&mut triples, Piece::Large, |[s, _, o], [t, _, u]| (o, s).cmp(&(u, t)), budget)?;
            }
            _ => sort_by(&mut triples, Piece::Large, Ord::cmp, budget)?,
        }
        triples.dedup();
        Ok(Matches { triples, _held: held })
    }
}

/// Triples in memory, sorted by subject, by predicate and by object.
struct Held {
    spo: Vec<[NodeId; 3]>,
    pos: Vec<[NodeId; 3]>,
    osp: Vec<[NodeId; 3]>,
    _held: Reservation,
}

impl Held {
    fn new(mut spo: Vec<[NodeId; 3]>, budget: &Budget) -> Result<Self> {
        let held = budget.reserve((3 * spo.len() * size_of::<[NodeId; 3]>()) as u64)?;
        let sort = |triples: &mut Vec<[NodeId; 3]>| sort_by(triples, Piece::Large, Ord::cmp, budget);
        sort(&mut spo)?;
        spo.dedup();
        let mut pos: Vec<_> = spo.iter().map(|[s, p, o]| [*p, *o, *s]).collect();
        sort(&mut pos)?;
        let mut osp: Vec<_> = spo.iter().map(|[s, p, o]| [*o, *s, *p]).collect();
        sort(&mut osp)?;
        Ok(Self { spo, pos, osp, _held: held })
    }

    fn contains(&self, triple: [NodeId; 3]) -> bool {
        self.spo.binary_search(&triple).is_ok()
    }

    /// Returns the matches, as subject, predicate, object.
    fn matching(&self, pattern: Pattern) -> impl Iterator<Item = [NodeId; 3]> + use<'_> {
        let (rows, turned) = match pattern {
            [Some(s), Some(p), Some(o)] => (starting_with(&self.spo, &[s, p, o]), 0),
            [Some(s), Some(p), None] => (starting_with(&self.spo, &[s, p]), 0),
            [Some(s), None, None] => (starting_with(&self.spo, &[s]), 0),
            [None, None, None] => (&self.spo[..], 0),
            [None, Some(p), Some(o)] => (starting_with(&self.pos, &[p, o]), 1),
            [None, Some(p), None] => (starting_with(&self.pos, &[p]), 1),
            [None, None, Some(o)] => (starting_with(&self.osp, &[o]), 2),
            [Some(s), None, Some(o)] => (starting_with(&self.osp, &[o, s]), 2),
        };
        rows.iter().map(move |row| {
            let mut triple = *row;
            triple.rotate_right(turned);
            triple
        })
    }
}

fn starting_with<'t>(sorted: &'t [[NodeId; 3]], prefix: &[NodeId]) -> &'t [[NodeId; 3]] {
    let start = sorted.partition_point(|row| row[..prefix.len()] < *prefix);
    let length = sorted[start..].partition_point(|row| row[..prefix.len()] == *prefix);
    &sorted[start..start + length]
}
