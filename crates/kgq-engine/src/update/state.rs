//! The statements during an update: the original ones, and what has changed.

use indexmap::IndexSet;
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::Dataset;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::cell::OnceCell;

/// The changes that an update makes. No statement that existed is added, and none that did not exist is removed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub added: Vec<Quad>,
    /// In their original order.
    pub removed: Vec<Quad>,
}

impl Change {
    /// Returns the changed dataset: the remaining statements in their order, followed by the added ones.
    pub fn apply(&self, dataset: &Dataset) -> Dataset {
        let removed: FxHashSet<&Quad> = self.removed.iter().collect();
        let kept = dataset.quads().iter().filter(|quad| !removed.contains(quad));
        let mut changed = Dataset::from_quads(kept.chain(&self.added).cloned());
        changed.prefixes = dataset.prefixes.clone();
        changed
    }
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
    base: &'a [Quad],
    /// The index of each statement in `base`; made when first needed.
    places: OnceCell<FxHashMap<&'a Quad, usize>>,
    /// Whether each statement of `base` is removed, by its index; empty while nothing is.
    removed: Vec<bool>,
    added: IndexSet<Quad, FxBuildHasher>,
    /// The existing named graphs, including empty ones; made when first needed.
    graphs: OnceCell<FxHashSet<GraphName>>,
    /// The image of the current state, unless it is that of `base`.
    image: Option<Snapshot>,
    /// Whether anything has changed since the image, or `base`, was made.
    changed: bool,
}

impl<'a> State<'a> {
    pub fn new(base: &'a [Quad]) -> Self {
        Self {
            base,
            places: OnceCell::new(),
            removed: Vec::new(),
            added: IndexSet::default(),
            graphs: OnceCell::new(),
            image: None,
            changed: false,
        }
    }

    fn place(&self, quad: &Quad) -> Option<usize> {
        let number = || self.base.iter().enumerate().map(|(place, quad)| (quad, place)).collect();
        self.places.get_or_init(number).get(quad).copied()
    }

    fn is_removed(&self, place: usize) -> bool {
        self.removed.get(place).copied().unwrap_or(false)
    }

    fn mark(&mut self, place: usize, removed: bool) {
        if self.is_removed(place) != removed {
            self.removed.resize(self.base.len(), false);
            self.removed[place] = removed;
            self.changed = true;
        }
    }

    pub fn insert(&mut self, quad: Quad) {
        self.exist(&quad.graph_name);
        match self.place(&quad) {
            Some(place) => self.mark(place, false),
            None => self.changed |= self.added.insert(quad),
        }
    }

    pub fn remove(&mut self, quad: &Quad) {
        // The set of graphs must be made before the first graph becomes empty.
        self.graphs();
        match self.place(quad) {
            Some(place) => self.mark(place, true),
            None => self.changed |= self.added.swap_remove(quad),
        }
    }

    /// Returns the statements of one graph.
    pub fn of_graph<'s>(&'s self, graph: &'s GraphName) -> impl Iterator<Item = &'s Quad> + 's {
        self.quads().filter(move |quad| quad.graph_name == *graph)
    }

    fn quads(&self) -> impl Iterator<Item = &Quad> {
        let left = self.base.iter().enumerate().filter(|(place, _)| !self.is_removed(*place));
        left.map(|(_, quad)| quad).chain(&self.added)
    }

    /// Removes all statements of the graphs; with `drop`, the graphs too.
    pub fn clear(&mut self, graphs: &Graphs, drop: bool) {
        self.graphs();
        for place in 0..self.base.len() {
            if graphs.contains(&self.base[place].graph_name) {
                self.mark(place, true);
            }
        }
        let before = self.added.len();
        self.added.retain(|quad| !graphs.contains(&quad.graph_name));
        self.changed |= self.added.len() < before;
        if let (true, Some(known)) = (drop, self.graphs.get_mut()) {
            known.retain(|graph| !graphs.contains(graph));
        }
    }

    fn graphs(&self) -> &FxHashSet<GraphName> {
        let named = |quad: &&Quad| quad.graph_name != GraphName::DefaultGraph;
        self.graphs.get_or_init(|| self.quads().filter(named).map(|quad| quad.graph_name.clone()).collect())
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

    /// Returns the image of the current state; `base` returns that of the initial state.
    pub fn snapshot(&mut self, base: &dyn Fn() -> Result<&'a Snapshot>) -> Result<&Snapshot> {
        if self.changed {
            self.image = Some(Snapshot::from_quads(self.quads().cloned())?);
            self.changed = false;
        }
        match &self.image {
            Some(image) => Ok(image),
            None => base(),
        }
    }

    pub fn into_change(self) -> Change {
        let removed = (0..self.base.len()).filter(|place| self.is_removed(*place));
        Change {
            removed: removed.map(|place| self.base[place].clone()).collect(),
            added: self.added.into_iter().collect(),
        }
    }
}
