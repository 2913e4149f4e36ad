//! Several graphs of a snapshot merged into one, without duplicates: the RDF merge for FROM and for a union default graph.

use super::load::TO_SORT_A_TRIPLE;
use super::{Index, Permutation, QuadPermutation, Snapshot, Sorted, TermId};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The triples of several graphs, each once, sorted in every order.
#[derive(Debug)]
pub struct Merged(Sorted<4>);

/// The graphs to merge, where `None` in the list is the default graph; `None` instead of a list means all graphs.
pub type Graphs = Option<Arc<[Option<TermId>]>>;

/// The merges that a snapshot keeps, the most recently used last.
#[derive(Debug, Default)]
pub(super) struct Merges(Mutex<Vec<(Graphs, Arc<Merged>)>>);

/// How many merges a snapshot keeps.
const MOST_KEPT: usize = 4;

impl Merges {
    fn kept(&self) -> MutexGuard<'_, Vec<(Graphs, Arc<Merged>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Merged {
    #[inline]
    pub fn triples(&self, permutation: Permutation) -> Index<'_> {
        self.0.triples_index(permutation)
    }

    /// The bytes that the merge holds.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

/// The number of triples copied between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 18;

impl Snapshot {
    /// The merge of these graphs: made on first use, and kept with the most recent few.
    ///
    /// # Errors
    /// Those of [`Snapshot::merge`].
    pub fn merged(&self, graphs: &Graphs, budget: &Budget) -> Result<Arc<Merged>> {
        {
            let mut kept = self.0.merges.kept();
            if let Some(at) = kept.iter().position(|(of, _)| of == graphs) {
                let found = kept.remove(at);
                let merged = Arc::clone(&found.1);
                kept.push(found);
                return Ok(merged);
            }
        }
        // Made without holding the lock, so that nobody waits where waiting cannot be cancelled. If two threads make the
        // same merge, one is dropped.
        let merged = Arc::new(match graphs {
            Some(graphs) => self.merge(graphs.iter().copied(), budget)?,
            None => self.merge(std::iter::once(None).chain(self.named_graphs().iter().copied().map(Some)), budget)?,
        });
        let mut kept = self.0.merges.kept();
        kept.retain(|(of, _)| of != graphs);
        kept.push((graphs.clone(), Arc::clone(&merged)));
        let most = kept.len().saturating_sub(MOST_KEPT);
        kept.drain(..most);
        Ok(merged)
    }

    /// The merge of these graphs; `None` stands for the default graph.
    ///
    /// # Errors
    /// A limit, if there are more triples than 32 bits can count; the budget's.
    pub fn merge(&self, graphs: impl IntoIterator<Item = Option<TermId>>, budget: &Budget) -> Result<Merged> {
        let (mut rows, mut held) = (Vec::new(), Reservation::default());
        let mut looked = 0;
        let mut look = |new: usize| -> Result<()> {
            looked += new + 1;
            if looked < ROWS_BETWEEN_CHECKS {
                return Ok(());
            }
            held.grow(budget, std::mem::take(&mut looked) as u64 * TO_SORT_A_TRIPLE)?;
            budget.check()
        };
        for graph in graphs {
            match graph {
                None => {
                    let index = self.triples(Permutation::Spo);
                    let [mut predicates, mut objects] = [1, 2].map(|depth| index.blocks(depth, 0..index.len()));
                    for (subject, run) in index.keys() {
                        look(run.len())?;
                        let others = predicates.by_ref().zip(objects.by_ref()).take(run.len());
                        rows.extend(others.map(|(p, o)| [subject.get(), p.get(), o.get()]));
                    }
                }
                Some(graph) => {
                    let index = self.quads(QuadPermutation::Gspo);
                    let run = index.run(graph);
                    look(0)?;
                    let [subjects, mut predicates, mut objects] =
                        [1, 2, 3].map(|depth| index.blocks(depth, run.clone()));
                    for (number, subject) in subjects.enumerate() {
                        if number.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                            look(ROWS_BETWEEN_CHECKS.min(run.len() - number))?;
                        }
                        let (Some(predicate), Some(object)) = (predicates.next(), objects.next()) else { break };
                        rows.push([subject, predicate, object].map(TermId::get));
                    }
                }
            }
        }
        Ok(Merged(Self::sort_triples(rows, budget)?))
    }
}
