//! The graph that a question is asked of: with canonical names for its blank nodes, and the hash of its canonical form.

use crate::export::sorted::Sorted;
use crate::graph::Graph;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::text::hexadecimal;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

pub(super) struct CanonicalGraph {
    pub snapshot: Snapshot,
    /// The number of lines of its canonical N-Quads.
    pub lines: usize,
    /// SHA-256 of these.
    pub sha256: String,
    /// What the snapshot takes.
    pub held: Reservation,
}

/// Estimated bytes of a statement in the snapshot, with its share of the terms.
const STATEMENT_BYTES: u64 = 32;

impl CanonicalGraph {
    /// # Errors
    /// Those of loading; blank nodes that are too much alike to be named; the budget's.
    pub fn of(graph: &Graph, budget: &Budget) -> Result<Self> {
        let stored = graph.snapshot()?;
        let sorted = Sorted::canonical(stored, None, budget)?;
        let mut hashed = Hashed::default();
        sorted.write_canonical(&mut hashed)?;
        let mut stopped = Ok(());
        let quads = sorted.walk(sorted.all()).map_while(|quad| quad.map_err(|error| stopped = Err(error)).ok());
        let snapshot = Snapshot::from_walk_in_order(quads, stored.len(), budget)?;
        stopped?;
        let held = budget.reserve(snapshot.len() as u64 * STATEMENT_BYTES)?;
        Ok(Self { snapshot, lines: hashed.lines, sha256: hexadecimal(&hashed.hash.finalize()), held })
    }
}

/// Hashes lines as they are written.
#[derive(Default)]
struct Hashed {
    hash: Sha256,
    lines: usize,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.lines += memchr::memchr_iter(b'\n', bytes).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::OpenOptions;
    use kgq_syntax::rdf::RdfFormat;

    #[test]
    fn a_canonical_graph_counts_as_long_as_it_is_held() {
        let text: String = (0..100).map(|n| format!("<http://e/{n}> <http://e/p> _:b .\n")).collect();
        let graph = Graph::open(OpenOptions {
            files: vec!["-".into()],
            stdin: Some(text.into_bytes()),
            input_format: Some(RdfFormat::NTriples),
            ..OpenOptions::default()
        });
        let budget = Budget::default();
        let canonical = CanonicalGraph::of(&graph.unwrap(), &budget).unwrap();
        assert_eq!((canonical.lines, budget.held()), (100, 100 * STATEMENT_BYTES));
        drop(canonical);
        assert_eq!(budget.held(), 0);
    }
}
