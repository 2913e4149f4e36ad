//! Several graphs of a snapshot as one, without duplicates: the RDF merge that FROM and a union default graph ask for.

use super::{Index, Permutation, QuadPermutation, Snapshot, Sorted, TermId};
use kgq_syntax::error::Result;

/// The triples of several graphs, each once, in every order.
#[derive(Debug)]
pub struct Merged(Sorted<6>);

impl Merged {
    #[inline]
    pub fn triples(&self, permutation: Permutation) -> Index<'_> {
        self.0.triples_index(permutation)
    }
}

impl Snapshot {
    /// The merge of these graphs; `None` stands for the default graph.
    ///
    /// # Errors
    /// A limit, if there are more triples than 32 bits can number.
    pub fn merge(&self, graphs: impl IntoIterator<Item = Option<TermId>>) -> Result<Merged> {
        let mut rows = Vec::new();
        for graph in graphs {
            match graph {
                None => {
                    let index = self.triples(Permutation::Spo);
                    for (subject, run) in index.keys() {
                        let (predicates, objects) = (index.column(1, run.clone()), index.column(2, run));
                        rows.extend(predicates.iter().zip(objects).map(|(p, o)| [subject.get(), p.get(), o.get()]));
                    }
                }
                Some(graph) => {
                    let index = self.quads(QuadPermutation::Gspo);
                    let run = index.run(graph);
                    let columns = [1, 2, 3].map(|depth| index.column(depth, run.clone()));
                    rows.extend((0..run.len()).map(|row| columns.map(|column| column[row].get())));
                }
            }
        }
        Ok(Merged(Self::sort_triples(rows)?))
    }
}
