//! The data that the editor reads while the user types: prefixes, terms, canned queries. A reload replaces it as a whole.

use crate::commands::one_line;
use kgq_graph::catalog::TermIndex;
use kgq_graph::graph::Graph;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Prefixes;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The index, or an empty one and why there is no other: then no name is completed.
type Built = (TermIndex, Option<Error>);

/// A snapshot of the project's state.
pub struct ProjectState {
    pub prefixes: Prefixes,
    pub snapshot: Snapshot,
    /// Built on a thread, because a large graph takes longer than a prompt may.
    index: Arc<OnceLock<Built>>,
    /// Set when the user was told that there is no index.
    told: OnceLock<()>,
    /// Canned queries: name, title, parameters.
    pub queries: Vec<(String, String, Vec<String>)>,
}

impl ProjectState {
    pub fn of(graph: &Graph) -> Result<Self> {
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
        let (filled, over, budget) = (Arc::clone(&index), snapshot.clone(), graph.keeping_budget());
        let builder = std::thread::Builder::new().name("completion index".into());
        let spawned = builder.spawn(move || {
            filled.get_or_init(|| built(&over, &budget));
        });
        if spawned.is_err() {
            // Without a thread, the prompt has to wait.
            index.get_or_init(|| built(&snapshot, &graph.keeping_budget()));
        }
        Ok(Self { prefixes, snapshot, index, told: OnceLock::new(), queries })
    }

    /// The term index, once it is built; `None` also if the snapshot was found damaged.
    pub fn index(&self) -> Option<&TermIndex> {
        self.snapshot.intact().ok().and_then(|()| self.index.get()).map(|(index, _)| index)
    }

    /// The same state before its index is built.
    #[cfg(test)]
    pub fn before_index(self) -> Self {
        Self { index: Arc::default(), told: OnceLock::new(), ..self }
    }

    #[cfg(test)]
    pub fn fill_index(&self, budget: &Budget) {
        self.index.get_or_init(|| built(&self.snapshot, budget));
    }

    /// Waits for the term index.
    ///
    /// # Errors
    /// Why there is none.
    pub fn index_when_ready(&self) -> Result<&TermIndex> {
        match self.index.wait() {
            (_, Some(error)) => Err(error.clone()),
            (index, None) => Ok(index),
        }
    }

    /// Why there is no term index, the first time that this is asked after it is known.
    pub fn failure_to_tell(&self) -> Option<&Error> {
        let error = self.index.get()?.1.as_ref()?;
        self.told.set(()).ok().map(|()| error)
    }
}

fn built(snapshot: &Snapshot, budget: &Budget) -> Built {
    match TermIndex::build(snapshot, budget) {
        Ok(index) => (index, None),
        Err(error) => (TermIndex::default(), Some(error)),
    }
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
