//! A property path as a nondeterministic finite automaton over the edges of a graph, and the walk through both at once: every node is
//! visited once per state, however many paths lead to it. Queries, shapes and reasons walk paths so, each over edges of its own.

mod way;

pub use way::{WayStep, way};

pub use crate::plan::{Path, Repeat};
use kgq_snapshot::TermId;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;
use std::hash::Hash;

/// A node of a graph, identified by a number.
pub trait GraphNode: Copy + Eq + Hash {
    fn index(self) -> usize;
}

impl GraphNode for TermId {
    fn index(self) -> usize {
        TermId::index(self)
    }
}

/// A graph that a path is walked in.
pub trait Neighbours<N> {
    /// Appends the nodes that a step leads to from a node.
    ///
    /// # Errors
    /// Those of reading the graph.
    fn follow(&self, step: &Step<N>, node: N, next: &mut Vec<N>) -> Result<()>;

    /// Returns the approximate number of node numbers.
    fn numbers(&self) -> usize;

    /// Returns the budget of the walk.
    fn budget(&self) -> &Budget;
}

/// A step from a node to its neighbours: from subject to object, or back.
#[derive(Clone, Debug)]
pub enum Step<N = TermId> {
    Predicate {
        predicate: N,
        back: bool,
    },
    /// A negated property set: any predicate but these.
    Not {
        predicates: Vec<N>,
        back: bool,
    },
}

#[derive(Clone, Debug)]
enum Edge<N> {
    Step(Step<N>),
    /// An ε-transition: the state changes, the node stays.
    Nothing,
}

/// States are numbered; 0 is the start, 1 the end.
#[derive(Clone, Debug)]
pub struct Automaton<N = TermId> {
    edges: Vec<Vec<(Edge<N>, usize)>>,
}

/// Neighbours that are visited between two checks of the budget.
const NEIGHBOURS_BETWEEN_CHECKS: usize = 1 << 16;

impl<N: GraphNode> Automaton<N> {
    const END: usize = 1;

    /// Makes the automaton of a path, from subject to object. It finds nodes reached without a step before those after a step.
    pub fn new(path: &Path<N>) -> Self {
        let mut automaton = Self { edges: vec![Vec::new(), Vec::new()] };
        automaton.path(path, false, 0, Self::END);
        for edges in &mut automaton.edges {
            edges.sort_by_key(|(edge, _)| matches!(edge, Edge::Step(_)));
        }
        automaton
    }

    /// Makes the automaton of a repeated path; with `back`, it walks from object to subject.
    pub(crate) fn repeated(repeat: Repeat, path: &Path<N>, back: bool) -> Self {
        let mut automaton = Self { edges: vec![Vec::new(), Vec::new()] };
        automaton.closure(repeat, path, back, 0, Self::END);
        automaton
    }

    /// Returns the steps with which a walk can begin.
    pub(crate) fn first_steps(&self) -> Vec<&Step<N>> {
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

    fn closure(&mut self, repeat: Repeat, path: &Path<N>, back: bool, from: usize, to: usize) {
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

    fn path(&mut self, path: &Path<N>, back: bool, from: usize, to: usize) {
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

/// Returns the nodes that the automaton reaches from any of the start nodes, each once, in the order in which they are found.
///
/// With `target`, the walk stops when that node is reached.
///
/// # Errors
/// Those of the graph, and the budget's.
pub fn reach<N: GraphNode>(
    automaton: &Automaton<N>,
    graph: &impl Neighbours<N>,
    starts: &[N],
    target: Option<N>,
) -> Result<Vec<N>> {
    let budget = graph.budget();
    let mut visited: Vec<Visited<N>> = automaton.edges.iter().map(|_| Visited::new()).collect();
    let mut found = Vec::new();
    let mut todo = Vec::with_capacity(starts.len());
    for start in starts {
        if visited[0].insert(*start, graph)? {
            todo.push((0, *start));
        }
    }
    let (mut next, mut held) = (Vec::new(), Reservation::default());
    let mut steps = 0u32;
    let mut at = 0;
    while at < todo.len() {
        let (state, node) = todo[at];
        at += 1;
        // Visited entries are no longer needed in the queue.
        if at == 65_536 {
            todo.drain(..at);
            at = 0;
        }
        if state == Automaton::<N>::END {
            found.push(node);
            if target == Some(node) {
                break;
            }
        }
        for (edge, to) in &automaton.edges[state] {
            next.clear();
            match edge {
                Edge::Step(step) => graph.follow(step, node, &mut next)?,
                Edge::Nothing => next.push(node),
            }
            steps = steps.wrapping_add(next.len() as u32 + 1);
            if steps > 16_384 {
                steps = 0;
                budget.check()?;
            }
            for ends in next.chunks(NEIGHBOURS_BETWEEN_CHECKS) {
                for end in ends {
                    if visited[*to].insert(*end, graph)? {
                        todo.push((*to, *end));
                    }
                }
                if next.len() > NEIGHBOURS_BETWEEN_CHECKS {
                    budget.check()?;
                }
            }
            held.resize(budget, ((todo.capacity() * 2 + found.capacity() + next.capacity()) * 4) as u64)?;
        }
    }
    Ok(found)
}

/// Visited nodes: a hash set while there are few, then a bit for each term.
struct Visited<N> {
    few: FxHashSet<N>,
    bits: Vec<u64>,
    held: Reservation,
}

impl<N: GraphNode> Visited<N> {
    fn new() -> Self {
        Self { few: FxHashSet::default(), bits: Vec::new(), held: Reservation::default() }
    }

    #[inline(always)]
    fn insert(&mut self, id: N, graph: &impl Neighbours<N>) -> Result<bool> {
        let bit = 1 << (id.index() % 64);
        match self.bits.get_mut(id.index() / 64) {
            Some(word) => {
                let fresh = *word & bit == 0;
                *word |= bit;
                Ok(fresh)
            }
            None => self.insert_without_bit(id, graph),
        }
    }

    /// The same for a node that has no bit, or none yet.
    fn insert_without_bit(&mut self, id: N, graph: &impl Neighbours<N>) -> Result<bool> {
        if self.bits.is_empty() && self.few.len() >= 1024 {
            let words = graph.numbers().div_ceil(64);
            if self.few.len() * 4 > words {
                self.held.grow(graph.budget(), words as u64 * 8)?;
                self.bits = vec![0; words];
                let few = std::mem::take(&mut self.few);
                for id in few {
                    self.insert(id, graph)?;
                }
                return self.insert(id, graph);
            }
        }
        let before = self.few.capacity();
        let fresh = self.few.insert(id);
        self.held.grow(graph.budget(), (self.few.capacity() - before) as u64 * 5)?;
        Ok(fresh)
    }
}
