//! A shortest way from one node to another along a path: the walk of `reach`, layer by layer, with what each node was reached from.

use super::{Automaton, Edge, GraphNode, Neighbours, Step};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;

/// A step of a way.
#[derive(Clone, Copy, Debug)]
pub struct WayStep<'a, N> {
    pub from: N,
    pub step: &'a Step<N>,
    pub to: N,
}

/// A node that was reached in a state.
struct Reached<'a, N> {
    state: usize,
    node: N,
    /// What it was reached from, by which step; by none where the state alone changed.
    before: Option<(usize, Option<&'a Step<N>>)>,
}

/// Steps that lead nowhere new between two looks at the budget.
const STEPS_BETWEEN_CHECKS: usize = 1 << 10;

/// The steps of a shortest way; of several the one that is found first. `None` if there is none, or if more than `most` nodes would be visited,
/// each once for each state.
///
/// # Errors
/// Those of the graph, and the budget's.
pub fn way<'a, N: GraphNode>(
    automaton: &'a Automaton<N>,
    graph: &impl Neighbours<N>,
    [from, to]: [N; 2],
    most: usize,
) -> Result<Option<Vec<WayStep<'a, N>>>> {
    let mut visited = FxHashSet::from_iter([(0, from)]);
    let mut reached = vec![Reached { state: 0, node: from, before: None }];
    let (mut next, mut held) = (Vec::new(), Reservation::default());
    let (mut layer, mut visits) = (0, 0);
    while layer < reached.len() {
        // What no step leads to is as near as what it was reached from, so it belongs to the layer.
        let mut at = layer;
        while at < reached.len() {
            let Reached { state, node, .. } = reached[at];
            if state == Automaton::<N>::END && node == to {
                return Ok(Some(steps_to(&reached, at)));
            }
            for (edge, end) in &automaton.edges[state] {
                if matches!(edge, Edge::Nothing) && visited.insert((*end, node)) {
                    reached.push(Reached { state: *end, node, before: Some((at, None)) });
                }
            }
            at += 1;
        }
        for before in layer..at {
            let Reached { state, node, .. } = reached[before];
            if automaton.edges[state].iter().any(|(edge, _)| matches!(edge, Edge::Step(_))) {
                if visits == most {
                    return Ok(None);
                }
                visits += 1;
            }
            for (edge, end) in &automaton.edges[state] {
                let Edge::Step(step) = edge else { continue };
                next.clear();
                graph.follow(step, node, &mut next)?;
                for node in &next {
                    if visited.insert((*end, *node)) {
                        reached.push(Reached { state: *end, node: *node, before: Some((before, Some(step))) });
                    }
                }
            }
            if (before - layer).is_multiple_of(STEPS_BETWEEN_CHECKS) {
                graph.budget().check()?;
                let each = size_of::<Reached<'_, N>>() + size_of::<(usize, N)>();
                held.resize(graph.budget(), (visited.capacity() * each + next.capacity() * size_of::<N>()) as u64)?;
            }
        }
        layer = at;
    }
    Ok(None)
}

/// The steps from the start to what was reached.
fn steps_to<'a, N: GraphNode>(reached: &[Reached<'a, N>], end: usize) -> Vec<WayStep<'a, N>> {
    let (mut steps, mut at) = (Vec::new(), end);
    while let Some((before, step)) = reached[at].before {
        if let Some(step) = step {
            steps.push(WayStep { from: reached[before].node, step, to: reached[at].node });
        }
        at = before;
    }
    steps.reverse();
    steps
}
