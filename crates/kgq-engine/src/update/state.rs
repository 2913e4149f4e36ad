//! The statements in the course of an update: those that were there, and what has changed of them.

use indexmap::IndexSet;
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::Dataset;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::cell::OnceCell;

/// What an update changes: nothing that was there is added, nothing that was not is removed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub added: Vec<Quad>,
    /// In the order in which they stood.
    pub removed: Vec<Quad>,
}

impl Change {
    /// The changed dataset: what is left, in its order, then what is added.
    pub fn apply(&self, dataset: &Dataset) -> Dataset {
        let removed: FxHashSet<&Quad> = self.removed.iter().collect();
        let kept = dataset.quads().iter().filter(|quad| !removed.contains(quad));
        let mut changed = Dataset::from_quads(kept.chain(&self.added).cloned());
        changed.prefixes = dataset.prefixes.clone();
        changed
    }
}

/// What CLEAR and DROP aim at.
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

/// A set of statements that changes, with its image.
pub struct State<'a> {
    base: &'a [Quad],
    /// Where in `base` a statement stands; made when first asked for.
    places: OnceCell<FxHashMap<&'a Quad, usize>>,
    /// By place in `base`; empty while nothing is removed.
    removed: Vec<bool>,
    added: IndexSet<Quad, FxBuildHasher>,
    /// The named graphs that are there, empty ones included; made when first asked for.
    graphs: OnceCell<FxHashSet<GraphName>>,
    /// The image of the present state, unless it is that of `base`.
    image: Option<Snapshot>,
    /// Whether there was a change since the image, or `base`.
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
        // What knows of empty graphs is made before the first of them is emptied.
        self.graphs();
        match self.place(quad) {
            Some(place) => self.mark(place, true),
            None => self.changed |= self.added.swap_remove(quad),
        }
    }

    /// The statements of one graph.
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

    /// From now on the graph is there, if only as an empty one.
    pub fn exist(&mut self, graph: &GraphName) {
        if !self.exists(graph)
            && let Some(known) = self.graphs.get_mut()
        {
            known.insert(graph.clone());
        }
    }

    /// Makes an empty graph; false if there is one of that name.
    pub fn create(&mut self, graph: &NamedNode) -> bool {
        let graph = GraphName::NamedNode(graph.clone());
        let new = !self.exists(&graph);
        self.exist(&graph);
        new
    }

    /// The image of the present state; `base` gives that of the first.
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
