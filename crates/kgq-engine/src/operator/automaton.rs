//! A property path as a finite automaton over the edges of a graph, and the walk of both at once: every node is visited
//! once per state, however many paths lead to it.

use super::Context;
use super::source::{Order, Source};
use crate::plan::{Graph, Path, Repeat};
use kgq_snapshot::{Permutation, QuadPermutation, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;

#[derive(Clone, Debug)]
enum Edge {
    /// From subject to object, or back.
    Predicate {
        predicate: TermId,
        back: bool,
    },
    Not {
        predicates: Vec<TermId>,
        back: bool,
    },
    Nothing,
}

/// States are numbered; 0 is the start, 1 the end.
pub struct Automaton {
    edges: Vec<Vec<(Edge, usize)>>,
}

impl Automaton {
    pub const END: usize = 1;

    /// The automaton of a path with a repetition; `back` walks it from object to subject.
    pub fn new(repeat: Repeat, path: &Path, back: bool) -> Self {
        let mut automaton = Self { edges: vec![Vec::new(), Vec::new()] };
        automaton.closure(repeat, path, back, 0, Self::END);
        automaton
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
                self.edges[from].push((Edge::Predicate { predicate: *predicate, back }, to));
            }
            Path::Not(predicates) => self.edges[from].push((Edge::Not { predicates: predicates.clone(), back }, to)),
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

/// The edges of one graph, to be followed either way.
pub struct Edges<'s> {
    forward: Source<'s>,
    back: Source<'s>,
    graph: Option<TermId>,
}

impl<'s> Edges<'s> {
    pub fn open(cx: &Context<'s>, graph: &Graph) -> Result<Self> {
        let orders = match graph {
            Graph::Named(_) | Graph::Each(_) => {
                [Order::Quads(QuadPermutation::Spog), Order::Quads(QuadPermutation::Opsg)]
            }
            Graph::Default | Graph::Merge(_) | Graph::Union => {
                [Order::Triples(Permutation::Spo), Order::Triples(Permutation::Ops)]
            }
        };
        let [forward, back] = orders;
        let (forward, back) = (Source::open(cx, graph, forward)?, Source::open(cx, graph, back)?);
        let graph = match graph {
            Graph::Named(graph) => Some(*graph),
            Graph::Default | Graph::Each(_) | Graph::Merge(_) | Graph::Union => None,
        };
        Ok(Self { forward, back, graph })
    }

    /// All subjects and objects, in order.
    pub fn nodes(&self, cx: &Context<'_>) -> Result<Vec<TermId>> {
        // Each of the two comes in order.
        let mut rows = 0;
        let mut keys = [&self.forward, &self.back].map(|source| {
            let index = source.index();
            let here = move |run| self.graph.is_none_or(|graph| index.column(3, run).contains(&graph));
            index.keys().map(move |(key, run)| (key, run.len(), here(run))).peekable()
        });
        let mut nodes = Vec::new();
        loop {
            let next = keys.each_mut().map(|keys| keys.peek().map(|(key, ..)| *key));
            let Some(least) = next.into_iter().flatten().min() else { return Ok(nodes) };
            let mut is_node = false;
            for keys in &mut keys {
                if let Some((_, length, here)) = keys.next_if(|(key, ..)| *key == least) {
                    is_node |= here;
                    rows += length;
                }
            }
            if is_node {
                nodes.push(least);
            }
            if rows > ROWS_BETWEEN_CHECKS {
                rows = 0;
                cx.budget().check()?;
            }
        }
    }

    /// Whether the term is a subject or an object.
    pub fn has_node(&self, node: TermId) -> bool {
        [&self.forward, &self.back].into_iter().any(|source| {
            let index = source.index();
            let run = index.run(node);
            !run.is_empty() && self.graph.is_none_or(|graph| index.column(3, run).contains(&graph))
        })
    }

    fn follow(&self, edge: &Edge, node: TermId, out: &mut Vec<TermId>) {
        let index = |back: bool| if back { self.back.index() } else { self.forward.index() };
        let (index, rows) = match edge {
            Edge::Predicate { predicate, back } => (index(*back), index(*back).range(&[node, *predicate])),
            Edge::Not { back, .. } => (index(*back), index(*back).run(node)),
            Edge::Nothing => {
                out.push(node);
                return;
            }
        };
        if rows.is_empty() {
            return;
        }
        let ends = index.column(2, rows.clone());
        let graphs = self.graph.map(|graph| (graph, index.column(3, rows.clone())));
        let in_graph = |at: usize| graphs.is_none_or(|(graph, column)| column[at] == graph);
        match edge {
            Edge::Not { predicates, .. } => {
                let labels = index.column(1, rows);
                for (at, end) in ends.iter().enumerate() {
                    if in_graph(at) && !predicates.contains(&labels[at]) {
                        out.push(*end);
                    }
                }
            }
            Edge::Predicate { .. } | Edge::Nothing => {
                out.extend(ends.iter().enumerate().filter(|(at, _)| in_graph(*at)).map(|(_, end)| *end));
            }
        }
    }
}

/// Rows between two looks at the clock.
const ROWS_BETWEEN_CHECKS: usize = 1 << 16;

/// The nodes that the automaton reaches from a node, each once, in the order in which they are found.
///
/// With `target` it stops when that node is reached.
pub fn reach(
    automaton: &Automaton,
    edges: &Edges<'_>,
    start: TermId,
    target: Option<TermId>,
    cx: &Context<'_>,
) -> Result<Vec<TermId>> {
    let mut visited: Vec<Visited> = automaton.edges.iter().map(|_| Visited::default()).collect();
    let mut found = Vec::new();
    let mut todo = vec![(0, start)];
    visited[0].insert(start, cx)?;
    let (mut next, mut held) = (Vec::new(), Reservation::default());
    let mut steps = 0u32;
    let mut at = 0;
    while at < todo.len() {
        let (state, node) = todo[at];
        at += 1;
        // The queue's front is not needed any more: drop it now and then.
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
            edges.follow(edge, node, &mut next);
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
