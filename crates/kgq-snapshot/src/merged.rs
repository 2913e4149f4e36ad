//! Several graphs of a snapshot merged into one, without duplicates: the RDF merge for FROM and for a union default graph. Nothing is
//! merged before it is read (see `order`).

mod order;
mod pieces;
#[cfg(test)]
mod tests;
mod walk;

pub use order::MergedOrder;

use super::index::Offsets;
use super::load::too_many_statements;
use super::packed::Column;
use super::{Index, Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::error::Result;
use rustc_hash::FxHashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The graphs to merge, where `None` in the list is the default graph; `None` instead of a list means all graphs.
pub type Graphs = Option<Arc<[Option<TermId>]>>;

/// Which graphs are merged, what they have together, and the orders that were asked for so much that they are kept whole.
#[derive(Debug)]
pub struct Merged {
    /// Whether the default graph is among them.
    default: bool,
    named: MergedNames,
    /// Statements of the named graphs, where those of several graphs count several times.
    quads: usize,
    orders: [KeptOrder; Permutation::ALL.len()],
}

/// The named graphs of a merge.
#[derive(Debug)]
enum MergedNames {
    All,
    These { graphs: Box<[TermId]>, set: FxHashSet<TermId> },
}

/// What is kept of an order.
#[derive(Debug, Default)]
struct KeptOrder {
    whole: OnceLock<MergedRun>,
    /// Rows that were read for parts of it, by all queries.
    spent: AtomicU64,
}

/// Triples that were merged, in one order.
#[derive(Debug, Default)]
struct MergedRun {
    offsets: Offsets,
    columns: Vec<Column>,
    len: usize,
}

/// The merges that a snapshot keeps, the most recently used last.
#[derive(Debug, Default)]
pub(super) struct Merges(Mutex<Vec<(Graphs, Arc<Merged>)>>);

/// How many merges a snapshot keeps.
const MOST_KEPT: usize = 4;

impl Snapshot {
    /// The merge of these graphs, which are sorted; of all for `None`. The last few are kept.
    ///
    /// # Errors
    /// A limit, if there are more triples than 32 bits can number.
    pub fn merged(&self, graphs: &Graphs) -> Result<Arc<Merged>> {
        let mut kept = self.0.merges.0.lock().unwrap_or_else(PoisonError::into_inner);
        let merged = match kept.iter().position(|(of, _)| of == graphs) {
            Some(at) => kept.remove(at).1,
            None => Arc::new(Merged::new(self, graphs)?),
        };
        kept.push((graphs.clone(), Arc::clone(&merged)));
        let most = kept.len().saturating_sub(MOST_KEPT);
        kept.drain(..most);
        Ok(merged)
    }
}

impl Merged {
    fn new(snapshot: &Snapshot, graphs: &Graphs) -> Result<Self> {
        let (default, mut graphs): (bool, Vec<TermId>) = match graphs {
            None => (true, snapshot.named_graphs().into()),
            Some(graphs) => (graphs.contains(&None), graphs.iter().copied().flatten().collect()),
        };
        graphs.dedup();
        let index = snapshot.quads(QuadPermutation::Gspo);
        let quads = graphs.iter().map(|graph| index.run(*graph).len()).sum();
        let named = match quads == index.len() {
            true => MergedNames::All,
            false => MergedNames::These { set: graphs.iter().copied().collect(), graphs: graphs.into() },
        };
        let merged = Self { default, named, quads, orders: Default::default() };
        match u32::try_from(merged.most(snapshot)) {
            Ok(_) => Ok(merged),
            Err(_) => Err(too_many_statements()),
        }
    }

    /// How many triples it can have at most: fewer, where graphs share some.
    fn most(&self, snapshot: &Snapshot) -> usize {
        self.quads + if self.default { snapshot.triple_count() } else { 0 }
    }
}

impl MergedRun {
    fn index(&self, permutation: Permutation) -> Index<'_> {
        Index::new(permutation.components(), &self.offsets, &self.columns, self.len)
    }

    /// Bytes that it takes.
    fn bytes(&self) -> u64 {
        self.offsets.bytes() + self.columns.iter().map(Column::bytes).sum::<u64>()
    }
}
