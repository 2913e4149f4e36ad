//! Property paths with `*`, `+` and `?`: a breadth-first search from whichever end is bound.

use super::access::LookupKey;
use super::search::{Rings, Search, Starts};
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::plan::{Graph, Path, Repeat, Var};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use std::sync::Arc;

/// An end of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Key(LookupKey),
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
    /// The input's columns that are passed on.
    pub kept: Vec<usize>,
    /// Whether subject, object and graph become new columns: those that are free and wanted.
    pub added: [bool; 3],
    /// Whether the number of ends becomes the row's multiplicity, if nobody reads the ends.
    pub weighs: bool,
    /// Which nodes need to be told of that reach nothing but themselves, where both ends are free.
    pub rings: Rings,
    /// `Some` if only the ends are wanted, each once: then one search starts from all rows, backwards from the objects if `true`.
    pub gathered: Option<bool>,
    pub vars: Vec<Var>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
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
            (End::Free, End::Free) => "from every node that the first step leads from",
        };
        let from = match spec.gathered {
            Some(false) => "from all subjects at once",
            Some(true) => "from all objects at once",
            None => from,
        };
        format!("path ({repeat}) {from} → {}", labels.names(&spec.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Closure::new(opening.node(&self.input)?, Arc::clone(&self.spec))))
    }

    /// Each row starts a search.
    fn cost_a_row(&self) -> f64 {
        10.0
    }
}

struct Closure<'s> {
    input: Node<'s>,
    plan: Arc<Spec>,
    search: Search<'s>,
    pace: Pace,
    batch: Batch,
    row: usize,
    /// What remains to be done for the row: graphs, start nodes if both ends are free, and ends that were found.
    todo: Todo,
}

#[derive(Default)]
struct Todo {
    open: bool,
    graphs: Vec<Option<TermId>>,
    starts: Starts,
    graph: Option<TermId>,
    start: Option<TermId>,
    ends: Arc<[TermId]>,
    /// Whether each end is also the start of its path.
    rings: bool,
    at: usize,
}

const SEARCHES_BETWEEN_CHECKS: usize = 256;

impl<'s> Closure<'s> {
    fn new(input: Node<'s>, plan: Arc<Spec>) -> Self {
        let graph = match &plan.within {
            Within::One(graph) => graph.clone(),
            Within::Column(_) | Within::Each => Graph::Default,
        };
        Self {
            input,
            search: Search::new(plan.repeat, &plan.path, graph),
            plan,
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            todo: Todo::default(),
        }
    }

    fn open_row(&mut self, cx: &Context<'s>) {
        self.todo = Todo { open: true, ..Todo::default() };
        self.todo.graphs = match &self.plan.within {
            Within::One(_) => vec![None],
            Within::Column(column) => vec![Some(self.batch.get(*column, self.row))],
            Within::Each => cx.named_graphs.iter().rev().map(|graph| Some(*graph)).collect(),
        };
    }

    /// Whether a search may start only at a node of the graph. A path of length zero leads from any term that the query
    /// names to itself, but from a variable's value only if that is a node (SPARQL 1.1 §18.4, ZeroOrOnePath and
    /// ZeroOrMorePath). Other paths find nothing from a term that is not a node.
    fn starts_at_nodes(&self) -> bool {
        let is_term = |end: End| matches!(end, End::Key(LookupKey::Term(_)));
        self.search.is_nullable() && !is_term(self.plan.subject) && !is_term(self.plan.object)
    }

    /// Finds the next ends for the current row; returns false when there are no more.
    fn advance(&mut self, cx: &Context<'s>) -> Result<bool> {
        let key = |end: End| match end {
            End::Key(key) => Some(key.of(&self.batch, self.row)),
            End::Free => None,
        };
        let (subject, object) = (key(self.plan.subject), key(self.plan.object));
        let mut searches = 0usize;
        loop {
            if self.todo.at < self.todo.ends.len() {
                return Ok(true);
            }
            self.todo.at = 0;
            self.todo.rings = false;
            searches += 1;
            if searches.is_multiple_of(SEARCHES_BETWEEN_CHECKS) {
                cx.budget().check()?;
            }
            let graph = self.todo.graph;
            if let Some(start) = self.todo.starts.walking.pop() {
                self.todo.start = Some(start);
                self.todo.ends = if !self.plan.same {
                    self.search.ends(graph, start, false, false, cx)?
                } else if self.search.leads(graph, start, start, cx)? {
                    [start].into()
                } else {
                    [].into()
                };
                continue;
            }
            if !self.todo.starts.alone.is_empty() {
                self.todo.ends = std::mem::take(&mut self.todo.starts.alone).into();
                self.todo.rings = true;
                continue;
            }
            let Some(graph) = self.todo.graphs.pop() else { return Ok(false) };
            self.todo.graph = graph;
            self.todo.start = None;
            self.todo.ends = [].into();
            if let Some(start) = subject.or(object)
                && self.starts_at_nodes()
                && !self.search.has_node(graph, start, cx)?
            {
                continue;
            }
            self.todo.ends = match (subject, object) {
                (Some(subject), Some(object)) if self.search.leads(graph, subject, object, cx)? => [object].into(),
                (Some(_), Some(_)) => [].into(),
                (Some(subject), None) => self.search.ends(graph, subject, false, true, cx)?,
                (None, Some(object)) => self.search.ends(graph, object, true, true, cx)?,
                (None, None) => {
                    self.todo.starts = self.search.starts(graph, false, self.plan.rings, cx)?;
                    self.todo.starts.walking.reverse();
                    [].into()
                }
            };
        }
    }

    /// Whether the rows show the ends that were found; if not, one row stands for all of them.
    fn tells_apart(&self) -> bool {
        let [subject, object, _] = self.plan.added;
        match (self.plan.subject, self.plan.object) {
            (End::Free, End::Key(_)) => subject,
            (End::Key(_), _) => object,
            (End::Free, End::Free) => object || subject && (self.todo.rings || self.plan.same),
        }
    }

    /// Collects the ends of paths from all rows of the input, each once.
    fn gather_ends(&mut self, back: bool, cx: &Context<'s>) -> Result<()> {
        let (from, graph) = (if back { self.plan.object } else { self.plan.subject }, None);
        let (mut starts, mut held) = (Vec::new(), Reservation::default());
        while let Some(batch) = self.input.next(cx)? {
            self.todo.open = true;
            if let End::Key(key) = from {
                held.grow(cx.budget(), batch.rows() as u64 * 8)?;
                starts.extend((0..batch.rows()).map(|row| key.of(&batch, row)));
            }
        }
        if !self.todo.open {
            return Ok(());
        }
        self.todo.ends = if from == End::Free {
            self.search.ends_of_any(graph, back, cx)?.into()
        } else {
            sort_by(&mut starts, Piece::Large, TermId::cmp, cx.budget())?;
            starts.dedup();
            if self.starts_at_nodes() {
                let mut nodes = Vec::with_capacity(starts.len());
                for start in starts {
                    if self.search.has_node(graph, start, cx)? {
                        nodes.push(start);
                    }
                }
                starts = nodes;
            }
            self.search.ends_of_all(graph, &starts, back, cx)?.into()
        };
        self.todo.at = 0;
        Ok(())
    }

    fn next_gathered(&mut self, back: bool, cx: &Context<'s>) -> Result<Option<Batch>> {
        if !self.todo.open {
            self.gather_ends(back, cx)?;
        }
        let todo = &mut self.todo;
        let part = (todo.ends.len() - todo.at).min(self.pace.step());
        if part == 0 {
            *todo = Todo::default();
            return Ok(None);
        }
        let ends = todo.ends[todo.at..todo.at + part].to_vec();
        todo.at += part;
        Ok(Some(Batch::new(vec![ends], part)))
    }
}

impl<'s> Operator<'s> for Closure<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if let Some(back) = self.plan.gathered {
            return self.next_gathered(back, cx);
        }
        if self.row >= self.batch.rows() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
        }
        let capacity = self.pace.step();
        let mut positions = Vec::with_capacity(capacity);
        let mut columns = [Vec::new(), Vec::new(), Vec::new()];
        let mut weights = Vec::new();
        while positions.len() < capacity && self.row < self.batch.rows() {
            if !self.todo.open {
                self.open_row(cx);
            }
            if !self.advance(cx)? {
                self.todo.open = false;
                self.row += 1;
                continue;
            }
            let apart = self.tells_apart();
            let todo = &mut self.todo;
            let left = todo.ends.len() - todo.at;
            let part = if apart { left.min(capacity - positions.len()) } else { 1 };
            let ends = &todo.ends[todo.at..todo.at + part];
            todo.at += if apart { part } else { left };
            positions.resize(positions.len() + part, self.row as u32);
            let length = positions.len();
            weights.resize(length, if apart { 1 } else { left as u64 });
            match (self.plan.subject, self.plan.object) {
                (End::Free, End::Key(_)) => columns[0].extend_from_slice(ends),
                (End::Key(_), _) => columns[1].extend_from_slice(ends),
                (End::Free, End::Free) => {
                    if todo.rings {
                        columns[0].extend_from_slice(ends);
                    } else {
                        columns[0].resize(length, todo.start.unwrap_or(TermId::UNBOUND));
                    }
                    columns[1].extend_from_slice(ends);
                }
            }
            columns[2].resize(length, todo.graph.unwrap_or(TermId::UNBOUND));
        }
        let mut batch: Vec<Vec<TermId>> =
            self.plan.kept.iter().map(|kept| gather(self.batch.column(*kept), &positions)).collect();
        batch.extend(columns.into_iter().zip(self.plan.added).filter(|(_, added)| *added).map(|(column, _)| column));
        let weights = match (self.batch.weights(), self.plan.weighs) {
            (None, false) => None,
            (None, true) => Some(weights),
            (Some(before), weighs) => {
                let own = |row: usize| if weighs { weights[row] } else { 1 };
                let times = |(row, at): (usize, &u32)| before[*at as usize].saturating_mul(own(row));
                Some(positions.iter().enumerate().map(times).collect())
            }
        };
        Ok(Some(Batch::new(batch, positions.len()).with_weights(weights)))
    }
}
