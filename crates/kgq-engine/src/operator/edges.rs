//! The edges of one graph, followed in either direction, and the nodes that they lead from.

use super::Context;
use super::source::{IndexOrder, Source};
use crate::path::Step;
use crate::plan::Graph;
use kgq_snapshot::{Blocks, Index, Permutation, QuadPermutation, TermId};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::sort::{Piece, sort_by};
use std::ops::Range;

/// The edges of one graph.
///
/// The edges of a named graph are read from the permutations that begin with the graph, so that no other graph's
/// statements are touched. Two questions have no such permutation and use `objects`: where an object occurs, and what
/// leads to it by any predicate.
pub struct Edges<'s> {
    /// By subject and predicate.
    forward: Source<'s>,
    /// By predicate and object.
    back: Source<'s>,
    /// By object.
    objects: Source<'s>,
    /// By predicate and subject, and by predicate and object; for a named graph, both are by predicate and object.
    predicates: [Source<'s>; 2],
    graph: Option<TermId>,
}

/// Rows between two checks of the budget.
pub const ROWS_BETWEEN_CHECKS: usize = 1 << 16;

impl<'s> Edges<'s> {
    pub fn open(cx: &Context<'s>, graph: &Graph) -> Result<Self> {
        let triples = |permutation| Source::open(cx, graph, IndexOrder::Triples(permutation));
        let quads = |permutation| Source::open(cx, graph, IndexOrder::Quads(permutation));
        Ok(match graph {
            Graph::Named(name) => Self {
                forward: quads(QuadPermutation::Gspo)?,
                back: quads(QuadPermutation::Gpos)?,
                objects: quads(QuadPermutation::Ospg)?,
                predicates: [quads(QuadPermutation::Gpos)?, quads(QuadPermutation::Gpos)?],
                graph: Some(*name),
            },
            Graph::Each(_) => return Err(Error::bug("a path is walked in one graph at a time")),
            Graph::Default | Graph::Merge(_) | Graph::Union => Self {
                forward: triples(Permutation::Spo)?,
                back: triples(Permutation::Pos)?,
                objects: triples(Permutation::Osp)?,
                predicates: [triples(Permutation::Pso)?, triples(Permutation::Pos)?],
                graph: None,
            },
        })
    }

    /// All subjects and objects with ids in these ranges, which are in order; so are the nodes.
    pub fn nodes(&self, ids: &[Range<u32>], cx: &Context<'_>) -> Result<Vec<TermId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let of = |back| {
            if self.graph.is_none() {
                let keys = ids.iter().flat_map(|ids| self.any(back).keys_in(ids.clone()));
                return Ok(keys.map(|(key, _)| key).collect());
            }
            let mut nodes = self.starts(&Step::Not { predicates: Vec::new(), back }, cx)?;
            nodes.retain(|node| ids.iter().any(|ids| ids.contains(&node.get())));
            Ok::<_, Error>(nodes)
        };
        Ok(union(&of(false)?, &of(true)?))
    }

    /// The statements by their ends: by subject, or by object.
    fn any(&self, back: bool) -> Index<'_> {
        if back { self.objects.index() } else { self.forward.index() }
    }

    /// Whether the term is a subject or an object.
    pub fn has_node(&self, node: TermId) -> bool {
        let Some(graph) = self.graph else {
            return !self.forward.index().run(node).is_empty() || !self.objects.index().run(node).is_empty();
        };
        if !self.forward.index().range(&[graph, node]).is_empty() {
            return true;
        }
        // The shorter list is read: the objects of the graph, or the graphs of the object.
        let (own, around) = (self.back.index(), self.objects.index());
        let (of_graph, of_object) = (own.run(graph), around.run(node));
        if of_graph.len() < of_object.len() {
            own.blocks(2, of_graph).any(|object| object == node)
        } else {
            around.blocks(3, of_object).any(|other| other == graph)
        }
    }

    /// Returns the nodes that a step leads from, in order. For a negated property set, these are all subjects, or all
    /// objects; some may lead nowhere.
    pub fn starts(&self, step: &Step, cx: &Context<'_>) -> Result<Vec<TermId>> {
        cx.budget().check()?;
        let mut nodes = Vec::new();
        match (step, self.graph) {
            (Step::Predicate { predicate, back }, None) => {
                let index = self.predicates[usize::from(*back)].index();
                distinct(index.blocks(1, index.run(*predicate)), &mut nodes, cx)?;
            }
            (Step::Predicate { predicate, back }, Some(graph)) => {
                let index = self.predicates[0].index();
                let depth = if *back { 2 } else { 3 };
                distinct(index.blocks(depth, index.range(&[graph, *predicate])), &mut nodes, cx)?;
            }
            (Step::Not { back, .. }, None) => {
                nodes.extend(self.any(*back).keys().map(|(key, _)| key));
            }
            (Step::Not { back, .. }, Some(graph)) => {
                let index = self.forward.index();
                let depth = if *back { 3 } else { 1 };
                distinct(index.blocks(depth, index.run(graph)), &mut nodes, cx)?;
            }
        }
        sort(&mut nodes, cx)?;
        Ok(nodes)
    }

    /// Returns the number of statements with a predicate.
    pub fn statements_of(&self, predicate: TermId) -> usize {
        let prefix: Vec<TermId> = self.graph.into_iter().chain([predicate]).collect();
        self.predicates[0].index().range(&prefix).len()
    }

    /// Estimates the number of statements with a predicate, without merging any.
    pub fn estimate_of(&self, predicate: TermId) -> u64 {
        let prefix: Vec<TermId> = self.graph.into_iter().chain([predicate]).collect();
        self.predicates[0].estimate(&prefix)
    }

    /// Returns the start and end nodes of a predicate's edges.
    pub fn pairs(&self, predicate: TermId, back: bool) -> (Blocks<'_>, Blocks<'_>) {
        let index = self.predicates[0].index();
        let (subjects, objects) = match self.graph {
            None => {
                let rows = index.run(predicate);
                (index.blocks(1, rows.clone()), index.blocks(2, rows))
            }
            Some(graph) => {
                let rows = index.range(&[graph, predicate]);
                (index.blocks(3, rows.clone()), index.blocks(2, rows))
            }
        };
        if back { (objects, subjects) } else { (subjects, objects) }
    }

    /// The edges of a predicate, sorted by where they start, with the depths of their starts and ends; `None` where they are not stored so.
    pub fn by_start(&self, predicate: TermId, back: bool) -> Option<(Index<'_>, Range<usize>, [usize; 2])> {
        let index = self.predicates[usize::from(back)].index();
        match self.graph {
            None => Some((index, index.run(predicate), [1, 2])),
            Some(graph) => back.then(|| (index, index.range(&[graph, predicate]), [2, 3])),
        }
    }

    /// Appends the nodes that the step leads to from this node.
    pub fn follow(&self, step: &Step, node: TermId, out: &mut Vec<TermId>) {
        match (step, self.graph) {
            (Step::Predicate { predicate, back }, None) => {
                let (index, prefix) = match back {
                    true => (self.back.index(), [*predicate, node]),
                    false => (self.forward.index(), [node, *predicate]),
                };
                index.read(2, index.range(&prefix), out);
            }
            (Step::Predicate { predicate, back: false }, Some(graph)) => {
                let index = self.forward.index();
                index.read(3, index.range(&[graph, node, *predicate]), out);
            }
            (Step::Predicate { predicate, back: true }, Some(graph)) => {
                let index = self.back.index();
                index.read(3, index.range(&[graph, *predicate, node]), out);
            }
            (Step::Not { predicates, back }, graph) => {
                // The depths of the predicate and of the end node.
                let (index, rows, [label, end]) = match (back, graph) {
                    (false, None) => (self.forward.index(), self.forward.index().run(node), [1, 2]),
                    (false, Some(graph)) => (self.forward.index(), self.forward.index().range(&[graph, node]), [2, 3]),
                    (true, _) => (self.objects.index(), self.objects.index().run(node), [2, 1]),
                };
                let [labels, ends] = [label, end].map(|depth| index.blocks(depth, rows.clone()));
                let among = graph.filter(|_| *back);
                for (row, (label, end)) in rows.zip(labels.zip(ends)) {
                    let here = among.is_none_or(|graph| index.id(3, row) == graph);
                    if here && !predicates.contains(&label) {
                        out.push(end);
                    }
                }
            }
        }
    }
}

/// Appends the ids; of a run of equal ids, only the first.
fn distinct(ids: Blocks<'_>, out: &mut Vec<TermId>, cx: &Context<'_>) -> Result<()> {
    for (number, id) in ids.enumerate() {
        if number.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            cx.budget().check()?;
        }
        if out.last() != Some(&id) {
            out.push(id);
        }
    }
    Ok(())
}

/// Sorts the ids and removes duplicates.
fn sort(ids: &mut Vec<TermId>, cx: &Context<'_>) -> Result<()> {
    if !ids.is_sorted() {
        sort_by(ids, Piece::Large, TermId::cmp, cx.budget())?;
    }
    ids.dedup();
    Ok(())
}

/// Merges two sorted lists of ids into one without duplicates.
pub fn union(left: &[TermId], right: &[TermId]) -> Vec<TermId> {
    let mut all = Vec::with_capacity(left.len().max(right.len()));
    let (mut at, mut other) = (0, 0);
    while let (Some(a), Some(b)) = (left.get(at), right.get(other)) {
        all.push(*a.min(b));
        at += usize::from(a <= b);
        other += usize::from(b <= a);
    }
    all.extend_from_slice(&left[at..]);
    all.extend_from_slice(&right[other..]);
    all
}
