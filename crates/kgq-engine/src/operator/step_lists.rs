//! What single steps lead to, in memory: a walk that asks about many nodes reads all statements of a predicate once, in order, instead of looking up
//! each node.

use super::Context;
use super::adjacency::Numbers;
use super::edges::{Edges, ROWS_BETWEEN_CHECKS};
use super::spill::is_of_memory;
use crate::path::Step;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::cell::RefCell;

/// What is known of the steps over each predicate, and whether backwards.
///
/// A path has few predicates, so they are searched one by one.
#[derive(Default)]
pub struct StepLists(RefCell<Vec<((TermId, bool), StepState)>>);

enum StepState {
    /// Its nodes are looked up; so many were so far.
    LookedUp(usize),
    Listed(StepList),
    /// It cannot be listed.
    Unlisted,
}

/// What a step leads to from each node.
struct StepList {
    nodes: Numbers,
    /// The start of each node's ends, and one more offset for the end.
    starts: Vec<u32>,
    ends: Vec<TermId>,
    _held: Reservation,
}

/// Looking up a node costs as much as listing so many statements.
const LOOK_UP: usize = 32;

impl StepLists {
    /// Appends the nodes that the step leads to from this node.
    ///
    /// # Errors
    /// The budget's limits, but for memory: what has no room is looked up.
    pub fn follow(
        &self,
        edges: &Edges<'_>,
        step: &Step,
        node: TermId,
        out: &mut Vec<TermId>,
        cx: &Context<'_>,
    ) -> Result<()> {
        let Step::Predicate { predicate, back } = step else {
            edges.follow(step, node, out);
            return Ok(());
        };
        let mut steps = self.0.borrow_mut();
        let at = steps.iter().position(|(of, _)| *of == (*predicate, *back)).unwrap_or_else(|| {
            steps.push(((*predicate, *back), StepState::LookedUp(0)));
            steps.len() - 1
        });
        let state = &mut steps[at].1;
        if let StepState::LookedUp(nodes) = state {
            *nodes += 1;
            let words = cx.snapshot().term_count() as usize / 64;
            // What the predicate has is asked for late, and not merged to be counted.
            let work = *nodes * LOOK_UP;
            if work > words && work as u64 > edges.estimate_of(*predicate) + words as u64 {
                *state = StepList::new(edges, *predicate, *back, cx)?.map_or(StepState::Unlisted, StepState::Listed);
            }
        }
        match state {
            StepState::Listed(list) => out.extend_from_slice(list.ends_of(node)),
            StepState::LookedUp(_) | StepState::Unlisted => edges.follow(step, node, out),
        }
        Ok(())
    }

    /// How many steps are listed.
    #[cfg(test)]
    pub fn listed(&self) -> usize {
        self.0.borrow().iter().filter(|(_, state)| matches!(state, StepState::Listed(_))).count()
    }
}

impl StepList {
    fn new(edges: &Edges<'_>, predicate: TermId, back: bool, cx: &Context<'_>) -> Result<Option<Self>> {
        let Some((index, rows, [from, to])) = edges.by_start(predicate, back) else { return Ok(None) };
        let terms = cx.snapshot().term_count() as usize;
        let bytes = Numbers::bytes(terms) + (rows.len() * size_of::<[TermId; 2]>()) as u64;
        // The walk itself needs room too.
        if cx.budget().room().is_some_and(|room| bytes > room / 4) {
            return Ok(None);
        }
        let held = match cx.budget().reserve(bytes) {
            Err(error) if is_of_memory(&error) => return Ok(None),
            held => held?,
        };
        let (mut nodes, mut starts, mut last) = (Numbers::new(terms), Vec::new(), None);
        let (mut blocks, mut row, mut checked) = (index.blocks(from, rows.clone()), rows.start, rows.start);
        while row < rows.end {
            let ids = blocks.from(row);
            for (at, node) in ids.iter().enumerate() {
                if last.replace(*node) != Some(*node) {
                    nodes.set(*node);
                    starts.push((row - rows.start + at) as u32);
                }
            }
            row += ids.len().max(1);
            if row - checked >= ROWS_BETWEEN_CHECKS {
                checked = row;
                cx.budget().check()?;
            }
        }
        starts.push(rows.len() as u32);
        nodes.count();
        let mut ends = Vec::with_capacity(rows.len());
        index.read(to, rows, &mut ends);
        Ok(Some(Self { nodes, starts, ends, _held: held }))
    }

    /// In a damaged file nodes may come in any order, so offsets may be anything.
    fn ends_of(&self, node: TermId) -> &[TermId] {
        let ends = self.nodes.find(node).and_then(|number| {
            let [start, end] = *self.starts.get(number as usize..)?.first_chunk()?;
            self.ends.get(start as usize..end as usize)
        });
        ends.unwrap_or_default()
    }
}
