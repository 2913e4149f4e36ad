//! A property path as a nondeterministic finite automaton over the edges of a graph, and the walk through both at once: every node is
//! visited once per state, however many paths lead to it.

use super::Context;
use super::edges::{Edges, ROWS_BETWEEN_CHECKS, Step};
use crate::plan::{Path, Repeat};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;

#[derive(Clone, Debug)]
enum Edge {
    Step(Step),
    /// An ε-transition: the state changes, the node stays.
    Nothing,
}

/// States are numbered; 0 is the start, 1 the end.
pub struct Automaton {
    edges: Vec<Vec<(Edge, usize)>>,
}

impl Automaton {
    pub const END: usize = 1;

    /// The automaton of a repeated path; `back` walks it from object to subject.
    pub fn new(repeat: Repeat, path: &Path, back: bool) -> Self {
        let mut automaton = Self { edges: vec![Vec::new(), Vec::new()] };
        automaton.closure(repeat, path, back, 0, Self::END);
        automaton
    }

    /// The steps with which a walk can begin.
    pub fn first_steps(&self) -> Vec<&Step> {
        let (mut steps, mut seen, mut open) = (Vec::new(), vec![false; self.edges.len()], vec![0]);
        seen[0] = true;
        while let Some(state) = open.pop() {
            for (edge, to) in &self.edges[state] {
                match edge {
                    Edge::Step(step) => steps.push(step),
                    Edge::Nothing if !seen[*to] => {
                        seen[*to] = true;
                        open.push(*to);
                    }
                    Edge::Nothing => {}
                }
            }
        }
        steps
    }

    fn state(&mut self) -> usize {
        self.edges.push(Vec::new());
        self.edges.len() - 1
    }

    fn closure(&mut self, repeat: Repeat, path: &Path, back: bool, from: usize, to: usize) {
        let (enter, leave) = (self.state(), self.state());
        self.edges[from].push((Edge::Nothing, enter));
        self.edges[leave].push((Edge::Nothing, to));
        self.path(path, back, enter, leave);
        match repeat {
            Repeat::ZeroOrOne => self.edges[enter].push((Edge::Nothing, leave)),
            Repeat::ZeroOrMore => {
                self.edges[enter].push((Edge::Nothing, leave));
                self.edges[leave].push((Edge::Nothing, enter));
            }
            Repeat::OneOrMore => self.edges[leave].push((Edge::Nothing, enter)),
        }
    }

    fn path(&mut self, path: &Path, back: bool, from: usize, to: usize) {
        match path {
            Path::Predicate(predicate) => {
                self.edges[from].push((Edge::Step(Step::Predicate { predicate: *predicate, back }), to));
            }
            Path::Not(predicates) => {
                self.edges[from].push((Edge::Step(Step::Not { predicates: predicates.clone(), back }), to));
            }
            Path::Reverse(path) => self.path(path, !back, from, to),
            Path::Alternative(paths) => paths.iter().for_each(|path| self.path(path, back, from, to)),
            Path::Sequence(paths) => {
                let mut at = from;
                for i in 0..paths.len() {
                    let next = if i + 1 == paths.len() { to } else { self.state() };
                    self.path(&paths[if back { paths.len() - 1 - i } else { i }], back, at, next);
                    at = next;
                }
            }
            Path::Closure(repeat, path) => self.closure(*repeat, path, back, from, to),
        }
    }
}

/// The nodes that the automaton reaches from any of some nodes, each once, in the order in which they are found.
///
/// With `target` it stops when that node is reached.
pub fn reach(
    automaton: &Automaton,
    edges: &Edges<'_>,
    starts: &[TermId],
    target: Option<TermId>,
    cx: &Context<'_>,
) -> Result<Vec<TermId>> {
    let mut visited: Vec<Visited> = automaton.edges.iter().map(|_| Visited::default()).collect();
    let mut found = Vec::new();
    let mut todo = Vec::with_capacity(starts.len());
    for start in starts {
        if visited[0].insert(*start, cx)? {
            todo.push((0, *start));
        }
    }
    let (mut next, mut held) = (Vec::new(), Reservation::default());
    let mut steps = 0u32;
    let mut at = 0;
    while at < todo.len() {
        let (state, node) = todo[at];
        at += 1;
        // What was visited is not needed in the queue any more.
        if at == 65_536 {
            todo.drain(..at);
            at = 0;
        }
        if state == Automaton::END {
            found.push(node);
            if target == Some(node) {
                break;
            }
        }
        for (edge, to) in &automaton.edges[state] {
            next.clear();
            match edge {
                Edge::Step(step) => edges.follow(step, node, &mut next),
                Edge::Nothing => next.push(node),
            }
            steps = steps.wrapping_add(next.len() as u32 + 1);
            if steps > 16_384 {
                steps = 0;
                cx.budget().check()?;
            }
            for ends in next.chunks(ROWS_BETWEEN_CHECKS) {
                for end in ends {
                    if visited[*to].insert(*end, cx)? {
                        todo.push((*to, *end));
                    }
                }
                if next.len() > ROWS_BETWEEN_CHECKS {
                    cx.budget().check()?;
                }
            }
            held.resize(cx.budget(), ((todo.capacity() * 2 + found.capacity() + next.capacity()) * 4) as u64)?;
        }
    }
    Ok(found)
}

/// Nodes that were met: a hash set while there are few, then a bit for every term.
#[derive(Default)]
struct Visited {
    few: FxHashSet<TermId>,
    bits: Vec<u64>,
    held: Reservation,
}

impl Visited {
    fn insert(&mut self, id: TermId, cx: &Context<'_>) -> Result<bool> {
        let word = id.index() / 64;
        if !self.bits.is_empty() && word < self.bits.len() {
            let bit = 1 << (id.index() % 64);
            let fresh = self.bits[word] & bit == 0;
            self.bits[word] |= bit;
            return Ok(fresh);
        }
        if self.bits.is_empty() && self.few.len() >= 1024 {
            let words = (cx.snapshot().term_count() as usize).div_ceil(64);
            if self.few.len() * 4 > words {
                self.held.grow(cx.budget(), words as u64 * 8)?;
                self.bits = vec![0; words];
                let few = std::mem::take(&mut self.few);
                for id in few {
                    self.insert(id, cx)?;
                }
                return self.insert(id, cx);
            }
        }
        let before = self.few.capacity();
        let fresh = self.few.insert(id);
        self.held.grow(cx.budget(), (self.few.capacity() - before) as u64 * 5)?;
        Ok(fresh)
    }
}
