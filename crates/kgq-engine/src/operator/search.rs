//! Searches along a path with `*`, `+` or `?`, from one node or many, in one graph or several, for the rows of a closure.

use super::Context;
use super::adjacency::{Adjacency, Marks, single_steps};
use super::edges::{Edges, union};
use super::step_lists::StepLists;
use crate::path::{Automaton, Neighbours, Step, reach};
use crate::plan::statistics::EVERY_ID;
use crate::plan::{Graph, Path, Repeat};
use fixedbitset::FixedBitSet;
use kgq_snapshot::{Family, Snapshot, TermClass, TermId};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use oxrdf::vocab::xsd;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// A direction: whether the path is walked from object to subject.
type Back = bool;

pub struct Search<'s> {
    repeat: Repeat,
    /// The graph, if all paths run in one.
    graph: Graph,
    /// Forwards and backwards.
    automata: [Automaton; 2],
    /// The steps of a path that is a single step, or a choice of single steps.
    steps: [Option<Vec<(TermId, Back)>>; 2],
    graphs: FxHashMap<Option<TermId>, Walked<'s>>,
    /// The nodes reached from a node in a graph.
    reached: FxHashMap<(Option<TermId>, TermId, Back), Arc<[TermId]>>,
    /// What a strongly connected component reaches by one step or more, if its nodes are on a cycle.
    of_components: FxHashMap<(Option<TermId>, u32, Back), Reached>,
    /// How many ids are remembered, and whether some could not be.
    remembered: usize,
    is_full: bool,
    held: Reservation,
    marks: Marks,
}

/// What a component reaches.
struct Reached {
    ends: Arc<[TermId]>,
    /// The same as numbers of nodes, if they are not few among all.
    members: Option<FixedBitSet>,
}

/// A graph, and what was derived from it.
struct Walked<'s> {
    edges: Edges<'s>,
    steps: StepLists,
    /// Adjacency lists, forwards and backwards, once they pay.
    lists: [Option<Adjacency>; 2],
    /// The cost of the searches in the index so far, forwards and backwards, in statements listed. `None` if no lists
    /// can be made, or once making them was tried.
    work: [Option<usize>; 2],
}

/// The edges of a graph, for one walk of a query.
struct Walk<'a, 's>(&'a Walked<'s>, &'a Context<'s>);

impl Neighbours<TermId> for Walk<'_, '_> {
    fn follow(&self, step: &Step, node: TermId, next: &mut Vec<TermId>) -> Result<()> {
        self.0.steps.follow(&self.0.edges, step, node, next, self.1)
    }

    fn numbers(&self) -> usize {
        self.1.snapshot().term_count() as usize
    }

    fn budget(&self) -> &Budget {
        self.1.budget()
    }
}

/// The start nodes of paths whose two ends are free.
#[derive(Default)]
pub struct Starts {
    /// Nodes that a first step leads from.
    pub walking: Vec<TermId>,
    /// Nodes that only reach themselves, by a path of length zero.
    pub alone: Vec<TermId>,
}

/// Of which nodes paths from a node to itself are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rings {
    Any,
    /// Of those that may differ from themselves: NaN, and triple terms with it.
    Unequal,
    None,
}

impl Rings {
    /// The ids that such nodes have, in order.
    fn ids(self, snapshot: &Snapshot) -> Vec<Range<u32>> {
        match self {
            Self::Any => vec![EVERY_ID],
            Self::Unequal => {
                let classes = snapshot.classes().into_iter();
                classes.filter(|class| may_differ_from_itself(class, snapshot)).map(|class| class.ids).collect()
            }
            Self::None => Vec::new(),
        }
    }
}

/// Whether the class may have NaN, which has no family of its own, or a triple term with it.
fn may_differ_from_itself(class: &TermClass, snapshot: &Snapshot) -> bool {
    let is_floating = || {
        let datatype = snapshot.datatype(TermId::new(class.ids.start));
        datatype.is_some_and(|datatype| datatype == xsd::FLOAT || datatype == xsd::DOUBLE)
    };
    class.family == Family::Triple || class.family == Family::Other && is_floating()
}

/// With this many ids no more searches are remembered.
const MOST_REMEMBERED: usize = 1 << 22;
/// Bytes of a remembered search in addition to its ids.
const REMEMBERED_BYTES: u64 = 64;
/// Once this many graphs are open, everything derived from them is dropped.
const MOST_GRAPHS: usize = 256;
/// The cost of a node that is searched in the index; putting a statement into the lists costs 1.
const WORK_A_NODE: usize = 4;

impl<'s> Search<'s> {
    pub fn new(repeat: Repeat, path: &Path, graph: Graph) -> Self {
        let repeat = if repeat == Repeat::OneOrMore && path.is_nullable() { Repeat::ZeroOrMore } else { repeat };
        // The paths of length zero of `*` are added to the result afterwards, so that automata find the same as
        // adjacency lists: ends of one step or more.
        let walked = if repeat == Repeat::ZeroOrOne { repeat } else { Repeat::OneOrMore };
        let steps = |back| {
            let mut steps = Vec::new();
            (repeat != Repeat::ZeroOrOne && single_steps(path, back, &mut steps).is_some()).then_some(steps)
        };
        Self {
            repeat,
            graph,
            automata: [false, true].map(|back| Automaton::repeated(walked, path, back)),
            steps: [false, true].map(steps),
            graphs: FxHashMap::default(),
            reached: FxHashMap::default(),
            of_components: FxHashMap::default(),
            remembered: 0,
            is_full: false,
            held: Reservation::default(),
            marks: Marks::default(),
        }
    }

    /// Whether a path of length zero counts.
    pub fn is_nullable(&self) -> bool {
        self.repeat != Repeat::OneOrMore
    }

    fn open(&mut self, graph: Option<TermId>, cx: &Context<'s>) -> Result<()> {
        if self.graphs.contains_key(&graph) {
            return Ok(());
        }
        if self.graphs.len() >= MOST_GRAPHS {
            self.graphs.clear();
        }
        let edges = match graph {
            None => Edges::open(cx, &self.graph)?,
            Some(graph) => Edges::open(cx, &Graph::Named(graph))?,
        };
        let work = [0, 1].map(|back: usize| self.steps[back].is_some().then_some(0));
        self.graphs.insert(graph, Walked { edges, steps: StepLists::default(), lists: [None, None], work });
        Ok(())
    }

    fn walked(&self, graph: Option<TermId>) -> Result<&Walked<'s>> {
        self.graphs.get(&graph).ok_or_else(|| kgq_syntax::error::Error::bug("a graph is walked before it is opened"))
    }

    /// Counts a search over this many nodes, and makes adjacency lists if they would have paid for the searches so far.
    fn list(&mut self, graph: Option<TermId>, back: Back, nodes: usize, cx: &Context<'_>) -> Result<()> {
        let way = usize::from(back);
        let Some(walked) = self.graphs.get_mut(&graph) else { return Ok(()) };
        let (Some(work), Some(steps), None) = (&mut walked.work[way], &self.steps[way], &walked.lists[way]) else {
            return Ok(());
        };
        *work += nodes * WORK_A_NODE;
        let statements: usize = steps.iter().map(|(predicate, _)| walked.edges.statements_of(*predicate)).sum();
        let words = cx.snapshot().term_count() as usize / 64;
        if *work > statements + words {
            walked.lists[way] = Adjacency::new(steps, &walked.edges, cx)?;
            walked.work[way] = None;
        }
        Ok(())
    }

    pub fn has_node(&mut self, graph: Option<TermId>, node: TermId, cx: &Context<'s>) -> Result<bool> {
        self.open(graph, cx)?;
        Ok(self.walked(graph)?.edges.has_node(node))
    }

    /// The nodes at which paths with two free ends start, in order.
    pub fn starts(&mut self, graph: Option<TermId>, back: Back, rings: Rings, cx: &Context<'s>) -> Result<Starts> {
        self.open(graph, cx)?;
        let edges = &self.walked(graph)?.edges;
        let mut walking: Vec<TermId> = Vec::new();
        for step in self.automata[usize::from(back)].first_steps() {
            let more = edges.starts(step, cx)?;
            walking = if walking.is_empty() { more } else { union(&walking, &more) };
        }
        let alone = match self.repeat {
            Repeat::OneOrMore => Vec::new(),
            Repeat::ZeroOrOne | Repeat::ZeroOrMore => {
                let mut rest = walking.iter().peekable();
                let mut nodes = edges.nodes(&rings.ids(cx.snapshot()), cx)?;
                nodes.retain(|node| {
                    while rest.next_if(|other| *other < node).is_some() {}
                    rest.peek() != Some(&node)
                });
                nodes
            }
        };
        self.list(graph, back, walking.len(), cx)?;
        Ok(Starts { walking, alone })
    }

    /// Returns all nodes that paths lead to from a node, each once. They are remembered if the same may be asked `again`.
    pub fn ends(
        &mut self,
        graph: Option<TermId>,
        start: TermId,
        back: Back,
        again: bool,
        cx: &Context<'s>,
    ) -> Result<Arc<[TermId]>> {
        if let Some(ends) = self.reached.get(&(graph, start, back)) {
            return Ok(Arc::clone(ends));
        }
        self.open(graph, cx)?;
        let ends = self.search(graph, start, back, cx)?;
        let ends = match self.repeat {
            Repeat::ZeroOrMore if !ends.contains(&start) => {
                std::iter::once(start).chain(ends.iter().copied()).collect()
            }
            Repeat::ZeroOrOne | Repeat::ZeroOrMore | Repeat::OneOrMore => ends,
        };
        if again && self.remembers(ends.len(), cx)? {
            self.reached.insert((graph, start, back), Arc::clone(&ends));
        }
        Ok(ends)
    }

    /// Returns the nodes that the automaton reaches from a node.
    fn search(&mut self, graph: Option<TermId>, start: TermId, back: Back, cx: &Context<'s>) -> Result<Arc<[TermId]>> {
        let way = usize::from(back);
        let walked = self.walked(graph)?;
        let Some(lists) = &walked.lists[way] else {
            let ends = reach(&self.automata[way], &Walk(walked, cx), &[start], None)?;
            self.list(graph, back, ends.len() + 1, cx)?;
            return Ok(ends.into());
        };
        let Some(node) = lists.number(start) else { return Ok([].into()) };
        let component = lists.is_cyclic(node).then(|| (graph, lists.component(node), back));
        let known = match component {
            Some(key) => self.of_components.get(&key).map(|reached| Arc::clone(&reached.ends)),
            None => self.through_component(graph, node, back, cx)?,
        };
        if let Some(known) = known {
            return Ok(known);
        }
        // Taken out, so that the marks can change while the lists are borrowed.
        let mut marks = std::mem::take(&mut self.marks);
        let ends = self.walked(graph)?.lists[way].as_ref().map(|lists| lists.reach(&[node], None, &mut marks, cx));
        self.marks = marks;
        let ends: Arc<[TermId]> = ends.transpose()?.unwrap_or_default().into();
        if let Some(key) = component
            && self.remembers(ends.len(), cx)?
        {
            let members = self.members(graph, back, &ends, cx)?;
            self.of_components.insert(key, Reached { ends: Arc::clone(&ends), members });
        }
        Ok(ends)
    }

    /// Returns what a node reaches that is on no cycle, if it leads to a cycle whose component reaches all of its neighbours: then
    /// it reaches the same.
    fn through_component(
        &mut self,
        graph: Option<TermId>,
        node: u32,
        back: Back,
        cx: &Context<'s>,
    ) -> Result<Option<Arc<[TermId]>>> {
        let way = usize::from(back);
        let Some(lists) = &self.walked(graph)?.lists[way] else { return Ok(None) };
        let Some(entry) = lists.neighbours(node).iter().copied().find(|next| lists.is_cyclic(*next)) else {
            return Ok(None);
        };
        let (component, id) = (lists.component(entry), lists.id(entry));
        if !self.of_components.contains_key(&(graph, component, back)) {
            // What is not remembered would be searched for each such node.
            if self.is_full {
                return Ok(None);
            }
            self.search(graph, id, back, cx)?;
        }
        let Some(reached) = self.of_components.get(&(graph, component, back)) else { return Ok(None) };
        let Some(lists) = &self.walked(graph)?.lists[way] else { return Ok(None) };
        let is_reached = |next: &u32| match &reached.members {
            Some(members) => members.contains(*next as usize),
            None => lists.component(*next) == component,
        };
        Ok(lists.neighbours(node).iter().all(is_reached).then(|| Arc::clone(&reached.ends)))
    }

    /// The numbers of nodes, unless a bit for each node would take more memory than their ids.
    fn members(
        &mut self,
        graph: Option<TermId>,
        back: Back,
        ids: &[TermId],
        cx: &Context<'_>,
    ) -> Result<Option<FixedBitSet>> {
        let Some(lists) = &self.graphs.get(&graph).and_then(|walked| walked.lists[usize::from(back)].as_ref()) else {
            return Ok(None);
        };
        if lists.len() > ids.len() * 32 {
            return Ok(None);
        }
        self.held.grow(cx.budget(), lists.len() as u64 / 8)?;
        let mut members = FixedBitSet::with_capacity(lists.len());
        members.extend(ids.iter().filter_map(|id| lists.number(*id)).map(|number| number as usize));
        Ok(Some(members))
    }

    /// Whether this many ids can be remembered; if so, reserves memory for them.
    fn remembers(&mut self, ids: usize, cx: &Context<'_>) -> Result<bool> {
        if self.remembered + ids >= MOST_REMEMBERED {
            self.is_full = true;
            return Ok(false);
        }
        self.held.grow(cx.budget(), ids as u64 * 4 + REMEMBERED_BYTES)?;
        self.remembered += ids + 1;
        Ok(true)
    }

    /// Returns all nodes that paths lead to from any node, each once.
    pub fn ends_of_any(&mut self, graph: Option<TermId>, back: Back, cx: &Context<'s>) -> Result<Vec<TermId>> {
        self.open(graph, cx)?;
        if self.repeat != Repeat::OneOrMore {
            return self.walked(graph)?.edges.nodes(&[EVERY_ID], cx);
        }
        // Each end of such a path is also an end of its last step alone.
        if self.steps[usize::from(back)].is_some() {
            return Ok(self.starts(graph, !back, Rings::None, cx)?.walking);
        }
        let starts = self.starts(graph, back, Rings::None, cx)?.walking;
        self.ends_of_all(graph, &starts, back, cx)
    }

    /// Returns all nodes that paths lead to from any of these nodes of the graph, each once.
    pub fn ends_of_all(
        &mut self,
        graph: Option<TermId>,
        starts: &[TermId],
        back: Back,
        cx: &Context<'s>,
    ) -> Result<Vec<TermId>> {
        self.open(graph, cx)?;
        self.list(graph, back, starts.len(), cx)?;
        let way = usize::from(back);
        let mut marks = std::mem::take(&mut self.marks);
        let walked = self.walked(graph)?;
        let ends = match &walked.lists[way] {
            Some(lists) => {
                let numbers: Vec<u32> = starts.iter().filter_map(|start| lists.number(*start)).collect();
                lists.reach(&numbers, None, &mut marks, cx)
            }
            None => reach(&self.automata[way], &Walk(walked, cx), starts, None),
        };
        self.marks = marks;
        let mut ends = ends?;
        if self.repeat == Repeat::ZeroOrMore {
            ends.extend(starts);
            sort_by(&mut ends, Piece::Large, TermId::cmp, cx.budget())?;
            ends.dedup();
        }
        Ok(ends)
    }

    /// Whether a path leads from one node to another.
    pub fn leads(&mut self, graph: Option<TermId>, from: TermId, to: TermId, cx: &Context<'s>) -> Result<bool> {
        if self.repeat != Repeat::OneOrMore && from == to {
            return Ok(true);
        }
        self.open(graph, cx)?;
        let mut marks = std::mem::take(&mut self.marks);
        let walked = self.walked(graph)?;
        let ends = match &walked.lists[0] {
            Some(lists) => match (lists.number(from), lists.number(to)) {
                (Some(from), Some(to)) if from == to => {
                    let cyclic = lists.is_cyclic(from);
                    self.marks = marks;
                    return Ok(cyclic);
                }
                (Some(from), Some(to)) => lists.reach(&[from], Some(to), &mut marks, cx),
                _ => Ok(Vec::new()),
            },
            None => reach(&self.automata[0], &Walk(walked, cx), &[from], Some(to)),
        };
        self.marks = marks;
        let ends = ends?;
        self.list(graph, false, ends.len() + 1, cx)?;
        Ok(ends.last() == Some(&to))
    }
}
