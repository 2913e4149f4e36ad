//! The statements during an update: those of a snapshot, and what has changed since.

use indexmap::IndexSet;
use kgq_snapshot::{Ids, Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, Term};
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::cell::OnceCell;

/// The changes that an update makes. No statement that existed is added, and none that did not exist is removed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub added: Vec<Quad>,
    /// In their original order.
    pub removed: Vec<Quad>,
}

/// The target of CLEAR and DROP.
pub enum Graphs {
    One(GraphName),
    Named,
    All,
}

impl Graphs {
    fn contains(&self, graph: &GraphName) -> bool {
        match self {
            Self::One(one) => one == graph,
            Self::Named => *graph != GraphName::DefaultGraph,
            Self::All => true,
        }
    }
}

/// A changing set of statements, with its image.
pub struct State<'a> {
    base: &'a Snapshot,
    /// The statements of `base` that are removed.
    removed: FxHashSet<Ids>,
    added: IndexSet<Quad, FxBuildHasher>,
    /// The existing named graphs, including empty ones; made when first needed.
    graphs: OnceCell<FxHashSet<GraphName>>,
    /// The image of the current state, unless it is that of `base`.
    image: Option<Snapshot>,
    /// Whether anything has changed since the image, or `base`, was made.
    changed: bool,
    /// What the changes take.
    held: Reservation,
}

/// Estimated bytes of memory per removed statement, and per added one.
const REMOVED_BYTES: usize = 40;
const ADDED_BYTES: usize = 400;
/// Statements between two counts.
const BETWEEN_COUNTS: usize = 4096;

impl<'a> State<'a> {
    pub fn new(base: &'a Snapshot) -> Self {
        Self {
            base,
            removed: FxHashSet::default(),
            added: IndexSet::default(),
            graphs: OnceCell::new(),
            image: None,
            changed: false,
            held: Reservation::default(),
        }
    }

    /// Counts what the changes take.
    ///
    /// # Errors
    /// The budget's.
    pub fn count(&mut self, budget: &Budget) -> Result<()> {
        self.held.resize(budget, (self.removed.len() * REMOVED_BYTES + self.added.len() * ADDED_BYTES) as u64)
    }

    pub fn insert(&mut self, quad: Quad) {
        self.exist(&quad.graph_name);
        self.changed |= match self.base.ids(quad.as_ref()) {
            Some(ids) => self.removed.remove(&ids),
            None => self.added.insert(quad),
        };
    }

    pub fn remove(&mut self, quad: &Quad) {
        // The set of graphs must be made before the first graph becomes empty.
        self.graphs();
        self.changed |= match self.base.ids(quad.as_ref()) {
            Some(ids) => self.removed.insert(ids),
            None => self.added.swap_remove(quad),
        };
    }

    /// Returns the statements of one graph, those of the snapshot in the order of its files.
    ///
    /// # Errors
    /// The budget's.
    pub fn of_graph(&self, graph: &GraphName, steps: &Steps) -> Result<Vec<Quad>> {
        let id = match graph {
            GraphName::DefaultGraph => Some(TermId::UNBOUND),
            GraphName::NamedNode(node) => self.base.id(node.as_ref().into()),
            GraphName::BlankNode(node) => self.base.id(node.as_ref().into()),
        };
        let mut left = Vec::new();
        for ids in id.into_iter().flat_map(|id| of_graph(self.base, id)) {
            steps.take()?;
            if !self.removed.contains(&ids) {
                left.push(ids);
            }
        }
        self.base.sort_by_origin(&mut left);
        let mut quads = Vec::with_capacity(left.len());
        for ids in left {
            steps.take()?;
            quads.extend(self.base.statement(ids));
        }
        quads.extend(self.added.iter().filter(|quad| quad.graph_name == *graph).cloned());
        Ok(quads)
    }

    /// The statements of the snapshot that are left.
    fn left(&self) -> impl Iterator<Item = Ids> {
        self.base.find_ids([None; 3]).filter(|ids| !self.removed.contains(ids))
    }

    /// Removes all statements of the graphs; with `drop`, the graphs too.
    ///
    /// # Errors
    /// The budget's.
    pub fn clear(&mut self, graphs: &Graphs, drop: bool, steps: &Steps) -> Result<()> {
        self.graphs();
        let base = self.base;
        let is_cleared = |id: &TermId| graph_name(base, *id).is_some_and(|name| graphs.contains(&name));
        let named = base.named_graphs().iter().copied().filter(is_cleared);
        let default = graphs.contains(&GraphName::DefaultGraph).then_some(TermId::UNBOUND);
        for ids in named.chain(default).flat_map(|graph| of_graph(base, graph)) {
            steps.take()?;
            self.changed |= self.removed.insert(ids);
            if self.removed.len().is_multiple_of(BETWEEN_COUNTS) {
                self.count(steps.budget())?;
            }
        }
        let before = self.added.len();
        self.added.retain(|quad| !graphs.contains(&quad.graph_name));
        self.changed |= self.added.len() < before;
        if let (true, Some(known)) = (drop, self.graphs.get_mut()) {
            known.retain(|graph| !graphs.contains(graph));
        }
        Ok(())
    }

    fn graphs(&self) -> &FxHashSet<GraphName> {
        let of_base = || self.base.named_graphs().iter().filter_map(|id| graph_name(self.base, *id));
        let named = |quad: &&Quad| quad.graph_name != GraphName::DefaultGraph;
        let added = || self.added.iter().filter(named).map(|quad| quad.graph_name.clone());
        self.graphs.get_or_init(|| of_base().chain(added()).collect())
    }

    pub fn exists(&self, graph: &GraphName) -> bool {
        *graph == GraphName::DefaultGraph || self.graphs().contains(graph)
    }

    /// Makes the graph exist from now on, even if it is empty.
    pub fn exist(&mut self, graph: &GraphName) {
        if !self.exists(graph)
            && let Some(known) = self.graphs.get_mut()
        {
            known.insert(graph.clone());
        }
    }

    /// Makes an empty graph; returns false if one of that name exists.
    pub fn create(&mut self, graph: &NamedNode) -> bool {
        let graph = GraphName::NamedNode(graph.clone());
        let new = !self.exists(&graph);
        self.exist(&graph);
        new
    }

    /// Returns the image of the current state.
    ///
    /// # Errors
    /// More statements than a snapshot can number; the budget's.
    pub fn snapshot(&mut self, budget: &Budget) -> Result<&Snapshot> {
        if self.changed {
            let left = self.left().filter_map(|ids| self.base.statement(ids));
            self.image = Some(Snapshot::from_quads_within(left.chain(self.added.iter().cloned()), budget)?);
            self.changed = false;
        }
        Ok(self.image.as_ref().unwrap_or(self.base))
    }

    pub fn into_change(self) -> Change {
        let mut removed: Vec<Ids> = self.removed.into_iter().collect();
        removed.sort_unstable_by_key(|[subject, predicate, object, graph]| {
            (graph.is_bound(), *subject, *predicate, *object, *graph)
        });
        self.base.sort_by_origin(&mut removed);
        Change {
            removed: removed.into_iter().filter_map(|ids| self.base.statement(ids)).collect(),
            added: self.added.into_iter().collect(),
        }
    }
}

/// A snapshot's statements of one graph: unbound for the default graph.
fn of_graph(snapshot: &Snapshot, graph: TermId) -> impl Iterator<Item = Ids> + use<'_> {
    let (index, rows) = match graph.is_bound() {
        false => {
            let triples = snapshot.triples(Permutation::Spo);
            (triples, 0..triples.len())
        }
        true => {
            let quads = snapshot.quads(QuadPermutation::Gspo);
            (quads, quads.run(graph))
        }
    };
    index.statements(rows)
}

fn graph_name(snapshot: &Snapshot, graph: TermId) -> Option<GraphName> {
    match snapshot.term(graph) {
        Term::NamedNode(node) => Some(node.into()),
        Term::BlankNode(node) => Some(node.into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}
