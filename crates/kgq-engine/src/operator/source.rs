//! Where a triple pattern finds its rows: an index of the snapshot, or the merge of several graphs, which is merged as far as it is read. Operators
//! read both in blocks, into buffers of their own, and seek in them; none holds a slice of what is stored.

use super::Context;
use crate::plan::Graph;
use kgq_snapshot::{Component, Graphs, Index, MergedOrder, Permutation, QuadPermutation, TermId};
use kgq_syntax::error::Result;
use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sorted statements for look-ups.
#[derive(Clone)]
pub enum Source<'s> {
    Index(Index<'s>),
    /// Several graphs as one.
    Merged(Arc<MergedOrder>),
}

impl<'s> Source<'s> {
    /// Opens the statements of a graph in an order of components.
    ///
    /// The order must have four components if the graph is a variable or a name, and three otherwise.
    ///
    /// # Errors
    /// More triples than a merge of graphs can have.
    pub fn open(cx: &Context<'s>, graph: &Graph, order: IndexOrder) -> Result<Self> {
        let snapshot = cx.snapshot();
        Ok(match (graph, order) {
            (Graph::Default, IndexOrder::Triples(permutation)) => Self::Index(snapshot.triples(permutation)),
            (Graph::Named(_) | Graph::Each(_), IndexOrder::Quads(permutation)) => {
                Self::Index(snapshot.quads(permutation))
            }
            (Graph::Union, IndexOrder::Triples(permutation)) => Self::Merged(cx.merged.of(cx, None, permutation)?),
            (Graph::Merge(graphs), IndexOrder::Triples(permutation)) => {
                Self::Merged(cx.merged.of(cx, Some(graphs), permutation)?)
            }
            (Graph::Default | Graph::Union | Graph::Merge(_), IndexOrder::Quads(_))
            | (Graph::Named(_) | Graph::Each(_), IndexOrder::Triples(_)) => {
                unreachable!("an order has a graph exactly where the pattern has one")
            }
        })
    }

    pub fn index(&self) -> Index<'_> {
        match self {
            Self::Index(index) => *index,
            Self::Merged(merged) => merged.index(),
        }
    }

    /// About how many rows begin with these ids, without merging anything for that: exact where nothing is merged.
    pub fn estimate(&self, prefix: &[TermId]) -> u64 {
        match self {
            Self::Index(index) => index.range(prefix).len() as u64,
            Self::Merged(merged) => merged.estimate(prefix),
        }
    }
}

/// Merges of graphs that one query asked for, each in one order. What is merged is counted in its budget; of what the snapshot keeps whole, what
/// was merged for this query.
#[derive(Default)]
pub struct MergedGraphs {
    opened: Mutex<Vec<(Graphs, Permutation, Arc<MergedOrder>)>>,
    is_any: AtomicBool,
}

impl MergedGraphs {
    /// An order of the merge of these graphs; of all for `None`.
    fn of(
        &self,
        cx: &Context<'_>,
        graphs: Option<&Arc<[Option<TermId>]>>,
        permutation: Permutation,
    ) -> Result<Arc<MergedOrder>> {
        // Sorted, as the snapshot keeps merges by their graphs.
        let graphs: Graphs = graphs.map(|graphs| {
            let mut graphs = graphs.to_vec();
            graphs.sort_unstable();
            graphs.into()
        });
        let mut opened = self.opened();
        if let Some((.., order)) = opened.iter().find(|(of, by, _)| *by == permutation && *of == graphs) {
            return Ok(Arc::clone(order));
        }
        let merged = cx.snapshot().merged(&graphs)?;
        let order = Arc::new(MergedOrder::new(cx.snapshot(), &merged, permutation, cx.budget()));
        opened.push((graphs, permutation, Arc::clone(&order)));
        self.is_any.store(true, Ordering::Release);
        Ok(order)
    }

    /// Asks whether all that was read of merges was merged: reading them is infallible.
    ///
    /// # Errors
    /// The budget's limits.
    #[inline]
    pub fn whole(&self) -> Result<()> {
        match self.is_any.load(Ordering::Acquire) {
            false => Ok(()),
            true => self.opened().iter().try_for_each(|(.., order)| order.failure()),
        }
    }

    fn opened(&self) -> MutexGuard<'_, Vec<(Graphs, Permutation, Arc<MergedOrder>)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order of triples or of quads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexOrder {
    Triples(Permutation),
    Quads(QuadPermutation),
}

impl IndexOrder {
    /// Returns the letters of its components, such as `SPO`.
    pub fn letters(self) -> String {
        self.components().map(|component| ["S", "P", "O", "G"][component.position()]).collect()
    }

    pub fn components(self) -> impl Iterator<Item = Component> {
        let (order, width) = match self {
            Self::Triples(permutation) => {
                let [first, second, third] = permutation.order();
                ([first, second, third, Component::Graph], 3)
            }
            Self::Quads(permutation) => (permutation.order(), 4),
        };
        order.into_iter().take(width)
    }

    /// The rank of the first component that is unknown before the look-up.
    pub const FREE: u8 = 2;

    /// Returns the best of the stored orders: first, as many known components in front as possible; then, the
    /// components with the smallest `rank`.
    pub fn best(width: usize, rank: impl Fn(usize) -> u8) -> Self {
        let triples = Permutation::ALL.into_iter().map(Self::Triples).filter(|_| width == 3);
        let quads = QuadPermutation::ALL.into_iter().map(Self::Quads).filter(|_| width == 4);
        let ranks: [u8; 4] = std::array::from_fn(|position| if position < width { rank(position) } else { u8::MAX });
        let by_rank = |order: &Self| {
            let mut of_order = [u8::MAX; 4];
            of_order.iter_mut().zip(order.components()).for_each(|(own, component)| *own = ranks[component.position()]);
            (Reverse(of_order.iter().take_while(|rank| **rank < Self::FREE).count()), of_order)
        };
        triples.chain(quads).min_by_key(by_rank).expect("a statement has three components or four")
    }
}

/// Reads the ids of some rows at a depth, including depth 0, which is not stored as a column.
pub fn read(index: Index<'_>, depth: usize, rows: Range<usize>, out: &mut Vec<TermId>) {
    if depth > 0 {
        index.read(depth, rows, out);
        return;
    }
    if rows.is_empty() {
        return;
    }
    // One id for each row, even if a file changes meanwhile and its runs disagree: all columns of a batch must have the
    // same length.
    let whole = out.len() + rows.len();
    let mut last = index.key_at(rows.start);
    for (key, run) in index.keys_in(last.get()..u32::MAX) {
        if run.start >= rows.end || out.len() == whole {
            break;
        }
        let count = run.end.min(rows.end).saturating_sub(run.start.max(rows.start));
        out.resize((out.len() + count).min(whole), key);
        last = key;
    }
    out.resize(whole, last);
}
