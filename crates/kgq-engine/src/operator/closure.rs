//! Property paths with `*`, `+` and `?`: a breadth-first search from whichever end is bound.

use super::access::Key;
use super::automaton::{Automaton, Edges, reach};
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{Graph, Path, Repeat, Var};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// An end of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Key(Key),
    Free,
}

/// The graph that the path runs in.
#[derive(Clone, Debug)]
pub enum Within {
    One(Graph),
    /// The graph that the column names.
    Column(usize),
    /// Each named graph, which becomes a new column.
    Each,
}

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub spec: Arc<Spec>,
}

/// What the path runs from and to, and what it adds to the rows.
#[derive(Debug)]
pub struct Spec {
    pub subject: End,
    pub object: End,
    /// Whether both ends are the same free variable.
    pub same: bool,
    pub within: Within,
    pub repeat: Repeat,
    pub path: Arc<Path>,
    /// The input's columns that are handed on.
    pub kept: Vec<usize>,
    /// New columns: subject, object, graph, where free and asked for.
    pub added: [bool; 3],
    pub vars: Vec<Var>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let spec = &self.spec;
        let repeat = match spec.repeat {
            Repeat::ZeroOrOne => "?",
            Repeat::ZeroOrMore => "*",
            Repeat::OneOrMore => "+",
        };
        let from = match (spec.subject, spec.object) {
            (End::Key(_), _) => "from the subject",
            (End::Free, End::Key(_)) => "from the object",
            (End::Free, End::Free) => "from every node",
        };
        format!("path ({repeat}) {from} → {}", labels.names(&spec.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Closure::new(opening.node(&self.input)?, Arc::clone(&self.spec))))
    }

    /// A search.
    fn cost_a_row(&self) -> f64 {
        10.0
    }
}

struct Closure<'s> {
    input: Node<'s>,
    plan: Arc<Spec>,
    forward: Automaton,
    back: Automaton,
    graphs: FxHashMap<Option<TermId>, Arc<Edges<'s>>>,
    /// What was reached from a node, forward or back, in a graph.
    reached: FxHashMap<(Option<TermId>, TermId, bool), Arc<[TermId]>>,
    /// Searches so far, some of which are too short to look at the clock.
    searches: usize,
    /// How many ids `reached` holds.
    remembered: usize,
    held: Reservation,
    pace: Pace,
    batch: Batch,
    row: usize,
    /// What is left to do for the row: graphs, start nodes when both ends are free, and ends found.
    todo: Todo,
}

#[derive(Default)]
struct Todo {
    open: bool,
    graphs: Vec<Option<TermId>>,
    starts: Vec<TermId>,
    graph: Option<TermId>,
    start: Option<TermId>,
    ends: Arc<[TermId]>,
    at: usize,
}

/// Beyond so many ids no more searches are remembered.
const MOST_REMEMBERED: usize = 1 << 22;

const SEARCHES_BETWEEN_CHECKS: usize = 256;

/// What a remembered search takes beside its ids.
const REMEMBERED_BYTES: u64 = 64;

impl<'s> Closure<'s> {
    fn new(input: Node<'s>, plan: Arc<Spec>) -> Self {
        let forward = Automaton::new(plan.repeat, &plan.path, false);
        let back = Automaton::new(plan.repeat, &plan.path, true);
        Self {
            input,
            plan,
            forward,
            back,
            graphs: FxHashMap::default(),
            reached: FxHashMap::default(),
            searches: 0,
            remembered: 0,
            held: Reservation::default(),
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            todo: Todo::default(),
        }
    }

    fn edges(&mut self, graph: Option<TermId>, cx: &Context<'s>) -> Result<Arc<Edges<'s>>> {
        if let Some(edges) = self.graphs.get(&graph) {
            return Ok(Arc::clone(edges));
        }
        let edges = Arc::new(match (graph, &self.plan.within) {
            (None, Within::One(graph)) => Edges::open(cx, graph)?,
            (Some(graph), _) => Edges::open(cx, &Graph::Named(graph))?,
            (None, Within::Column(_) | Within::Each) => Edges::open(cx, &Graph::Default)?,
        });
        self.graphs.insert(graph, Arc::clone(&edges));
        Ok(edges)
    }

    fn reach(
        &mut self,
        graph: Option<TermId>,
        start: TermId,
        back: bool,
        target: Option<TermId>,
        cx: &Context<'s>,
    ) -> Result<Arc<[TermId]>> {
        if let Some(ends) = self.reached.get(&(graph, start, back)) {
            return Ok(Arc::clone(ends));
        }
        let edges = self.edges(graph, cx)?;
        let automaton = if back { &self.back } else { &self.forward };
        let ends: Arc<[TermId]> = reach(automaton, &edges, start, target, cx)?.into();
        // A search that stopped at its target is not whole.
        if target.is_none() && self.remembered + ends.len() < MOST_REMEMBERED {
            self.held.grow(cx.budget(), ends.len() as u64 * 4 + REMEMBERED_BYTES)?;
            self.remembered += ends.len() + 1;
            self.reached.insert((graph, start, back), Arc::clone(&ends));
        }
        Ok(ends)
    }

    fn open_row(&mut self, cx: &Context<'s>) {
        self.todo = Todo { open: true, ..Todo::default() };
        self.todo.graphs = match &self.plan.within {
            Within::One(_) => vec![None],
            Within::Column(column) => vec![Some(self.batch.get(*column, self.row))],
            Within::Each => cx.named_graphs.iter().rev().map(|graph| Some(*graph)).collect(),
        };
    }

    /// Whether a variable's value has to be in the graph: a path of length zero leads from any term that the query names to
    /// itself, but else only from a node (SPARQL 1.1 §18.5, ZeroLengthPath). Other paths find nothing from elsewhere.
    fn starts_at_nodes(&self) -> bool {
        let is_term = |end: End| matches!(end, End::Key(Key::Term(_)));
        !is_term(self.plan.subject) && !is_term(self.plan.object)
    }

    /// Finds more ends for the current row; false when there are no more.
    fn advance(&mut self, cx: &Context<'s>) -> Result<bool> {
        loop {
            if self.todo.at < self.todo.ends.len() {
                return Ok(true);
            }
            let key = |end: End| match end {
                End::Key(key) => Some(key.of(&self.batch, self.row)),
                End::Free => None,
            };
            let (subject, object) = (key(self.plan.subject), key(self.plan.object));
            if let Some(start) = self.todo.starts.pop() {
                self.searches += 1;
                if self.searches.is_multiple_of(SEARCHES_BETWEEN_CHECKS) {
                    cx.budget().check()?;
                }
                let target = self.plan.same.then_some(start);
                let mut ends = self.reach(self.todo.graph, start, false, target, cx)?;
                if self.plan.same {
                    ends = if ends.contains(&start) { [start].into() } else { [].into() };
                }
                self.todo.start = Some(start);
                self.todo.ends = ends;
                self.todo.at = 0;
                continue;
            }
            let Some(graph) = self.todo.graphs.pop() else { return Ok(false) };
            self.todo.graph = graph;
            self.todo.at = 0;
            self.todo.start = None;
            self.todo.ends = [].into();
            if let Some(start) = subject.or(object)
                && self.starts_at_nodes()
                && !self.edges(graph, cx)?.has_node(start)
            {
                continue;
            }
            self.todo.ends = match (subject, object) {
                (Some(subject), Some(object)) => {
                    let ends = self.reach(graph, subject, false, Some(object), cx)?;
                    if ends.contains(&object) { [object].into() } else { [].into() }
                }
                (Some(subject), None) => self.reach(graph, subject, false, None, cx)?,
                (None, Some(object)) => self.reach(graph, object, true, None, cx)?,
                (None, None) => {
                    let mut nodes = self.edges(graph, cx)?.nodes(cx)?;
                    nodes.reverse();
                    self.todo.starts = nodes;
                    [].into()
                }
            };
        }
    }
}

impl<'s> Operator<'s> for Closure<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.row >= self.batch.rows() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
        }
        let capacity = self.pace.step();
        let mut positions = Vec::with_capacity(capacity);
        let mut columns = [Vec::new(), Vec::new(), Vec::new()];
        while positions.len() < capacity && self.row < self.batch.rows() {
            if !self.todo.open {
                self.open_row(cx);
            }
            if !self.advance(cx)? {
                self.todo.open = false;
                self.row += 1;
                continue;
            }
            let todo = &mut self.todo;
            let part = (todo.ends.len() - todo.at).min(capacity - positions.len());
            let ends = &todo.ends[todo.at..todo.at + part];
            todo.at += part;
            positions.resize(positions.len() + part, self.row as u32);
            let length = positions.len();
            match (self.plan.subject, self.plan.object) {
                (End::Free, End::Key(_)) => columns[0].extend_from_slice(ends),
                (End::Key(_), _) => columns[1].extend_from_slice(ends),
                (End::Free, End::Free) => {
                    columns[0].resize(length, todo.start.unwrap_or(TermId::UNBOUND));
                    columns[1].extend_from_slice(ends);
                }
            }
            columns[2].resize(length, todo.graph.unwrap_or(TermId::UNBOUND));
        }
        let mut batch: Vec<Vec<TermId>> =
            self.plan.kept.iter().map(|kept| gather(self.batch.column(*kept), &positions)).collect();
        batch.extend(columns.into_iter().zip(self.plan.added).filter(|(_, added)| *added).map(|(column, _)| column));
        let weights = self.batch.weights().map(|w| positions.iter().map(|at| w[*at as usize]).collect());
        Ok(Some(Batch::new(batch, positions.len()).with_weights(weights)))
    }
}
