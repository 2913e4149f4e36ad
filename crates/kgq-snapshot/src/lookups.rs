//! Looks up many prefixes in an index, one after the other, and reads their rows: what neighbours have in common is found once.

use super::TermId;
use super::index::{HeldRows, Index, Offsets, StoredRows};
use super::packed::NearReader;
use std::ops::Range;

/// Finds and reads rows of one index.
pub struct Lookups<'a> {
    index: Index<'a>,
    /// `None` where rows are merged when they are asked for.
    stored: Option<NearRows<'a>>,
}

struct NearRows<'a> {
    offsets: &'a Offsets,
    len: usize,
    starts: NearReader<'a>,
    columns: [Option<NearReader<'a>>; 3],
}

impl<'a> Lookups<'a> {
    pub(super) fn new(index: Index<'a>, rows: HeldRows<'a>) -> Self {
        let stored = match rows {
            HeldRows::Stored(StoredRows { offsets, columns, len }) => Some(NearRows {
                offsets,
                len,
                starts: offsets.starts(),
                columns: [0, 1, 2].map(|at| columns.get(at).map(NearReader::new)),
            }),
            HeldRows::Merging(_) => None,
        };
        Self { index, stored }
    }

    /// The rows whose leading components equal the prefix, as of [`Index::range`].
    #[inline]
    pub fn range(&mut self, prefix: &[TermId]) -> Range<usize> {
        let (Some(stored), Some((first, rest))) = (&mut self.stored, prefix.split_first()) else {
            return self.index.range(prefix);
        };
        let mut rows = stored.offsets.run_near(first.get(), stored.len, &mut stored.starts);
        for (column, target) in stored.columns.iter_mut().zip(rest) {
            match column {
                Some(column) if !rows.is_empty() => rows = column.equal(rows, target.get()),
                _ => break,
            }
        }
        rows
    }

    /// Appends the ids of the rows in the column at `depth`, which is at least 1, to `out`, as [`Index::read`] does.
    #[inline]
    pub fn read(&mut self, depth: usize, rows: Range<usize>, out: &mut Vec<TermId>) {
        let column = self.stored.as_mut().filter(|stored| rows.end <= stored.len);
        match column.and_then(|stored| stored.columns.get_mut(depth - 1)) {
            Some(Some(column)) => column.read(rows, out),
            _ => self.index.read(depth, rows, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::iri;
    use crate::{Permutation, Snapshot, TermId};
    use kgq_syntax::rdf::{GraphName, Quad};

    #[test]
    fn look_ups_one_after_the_other_find_and_read_what_an_index_does() {
        let mut random = fastrand::Rng::with_seed(16);
        let quads: Vec<Quad> = (0..3000)
            .map(|_| {
                let node = |n: u32| iri(&format!("n{n:03}"));
                let predicate = iri(&format!("p{}", random.u32(..5)));
                Quad::new(node(random.u32(..300)), predicate, node(random.u32(..300)), GraphName::DefaultGraph)
            })
            .collect();
        let snapshot = Snapshot::from_quads(quads).unwrap();
        for permutation in Permutation::ALL {
            let index = snapshot.triples(permutation);
            let mut lookups = index.lookups();
            for step in 0..1000_u32 {
                let near = TermId::new(step / 3 % (snapshot.term_count() + 1));
                let other = TermId::new(random.u32(..snapshot.term_count()));
                for prefix in [&[near][..], &[near, other], &[near, other, near], &[other]] {
                    let rows = index.range(prefix);
                    let found = lookups.range(prefix);
                    assert_eq!(found.len(), rows.len(), "{prefix:?}");
                    if !rows.is_empty() {
                        assert_eq!(found, rows, "{prefix:?}");
                        let (mut read, mut expected) = (Vec::new(), Vec::new());
                        lookups.read(2, rows.clone(), &mut read);
                        index.read(2, rows, &mut expected);
                        assert_eq!(read, expected);
                    }
                }
            }
        }
    }
}
