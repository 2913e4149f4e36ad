//! The data that the editor reads while the user types: prefixes, terms, canned queries. A reload replaces it as a whole.

use crate::commands::one_line;
use kgq_graph::catalog::TermIndex;
use kgq_graph::graph::Graph;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::Prefixes;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// A snapshot of the project's state.
pub struct ProjectState {
    pub prefixes: Prefixes,
    pub snapshot: Snapshot,
    /// Built on a thread, because a large graph takes longer than a prompt may.
    index: Arc<OnceLock<TermIndex>>,
    /// Canned queries: name, title, parameters.
    pub queries: Vec<(String, String, Vec<String>)>,
}

impl ProjectState {
    pub fn of(graph: &Graph) -> kgq_syntax::error::Result<Self> {
        let snapshot = graph.snapshot()?.clone();
        let prefixes = graph.prefixes()?.clone();
        let queries = match graph.project() {
            Some(_) => graph
                .catalog()?
                .queries
                .iter()
                .filter(|q| !q.is_check())
                .map(|q| (q.name.clone(), one_line(q.title("en")), q.header.params.keys().cloned().collect()))
                .collect(),
            None => Vec::new(),
        };
        let index = Arc::new(OnceLock::new());
        let (filled, over, budget) = (Arc::clone(&index), snapshot.clone(), graph.loading_budget());
        let builder = std::thread::Builder::new().name("completion index".into());
        let built = builder.spawn(move || {
            filled.get_or_init(|| index_within(&over, &budget));
        });
        if built.is_err() {
            // Without a thread, the prompt has to wait.
            index.get_or_init(|| index_within(&snapshot, &graph.loading_budget()));
        }
        Ok(Self { prefixes, snapshot, index, queries })
    }

    /// The term index, once it is built; `None` also if the snapshot was found damaged.
    pub fn index(&self) -> Option<&TermIndex> {
        self.snapshot.intact().ok().and_then(|()| self.index.get())
    }

    /// The same state before its index is built.
    #[cfg(test)]
    pub fn before_index(self) -> Self {
        Self { index: Arc::default(), ..self }
    }

    #[cfg(test)]
    pub fn fill_index(&self) {
        self.index.get_or_init(|| index_within(&self.snapshot, &Budget::default()));
    }

    /// Waits for the term index.
    pub fn index_when_ready(&self) -> &TermIndex {
        self.index.wait()
    }
}

/// The index, or an empty one where a limit allows none: then no name is completed.
fn index_within(snapshot: &Snapshot, budget: &Budget) -> TermIndex {
    TermIndex::build(snapshot, budget).unwrap_or_default()
}

/// The current state.
#[derive(Clone)]
pub struct Shared(Arc<RwLock<Arc<ProjectState>>>);

impl Shared {
    pub fn new(state: ProjectState) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(state))))
    }

    pub fn get(&self) -> Arc<ProjectState> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, state: ProjectState) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}
