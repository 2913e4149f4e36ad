//! From quads to a snapshot in memory.

use super::index::Offsets;
use super::interner::Interner;
use super::storage::Words;
use super::{
    Component, ContentKey, Permutation, QuadPermutation, Snapshot, Sorted, Statistics, StoredStatistics, dictionary,
};
use crate::error::{Error, Result};
use oxrdf::{GraphNameRef, Quad};

/// Stands for the default graph in a quad of numbers.
const DEFAULT_GRAPH: u32 = u32::MAX;

pub(super) fn from_quads(quads: impl IntoIterator<Item = Quad>) -> Result<Snapshot> {
    let mut interner = Interner::default();
    let (mut triples, mut named) = (Vec::new(), Vec::new());
    for quad in quads {
        let quad = quad.as_ref();
        let triple = [interner.subject(quad.subject)?, interner.iri(quad.predicate)?, interner.term(quad.object)?];
        let graph = match quad.graph_name {
            GraphNameRef::DefaultGraph => DEFAULT_GRAPH,
            GraphNameRef::NamedNode(node) => interner.subject(node.into())?,
            GraphNameRef::BlankNode(node) => interner.subject(node.into())?,
        };
        if graph == DEFAULT_GRAPH {
            triples.push(triple);
        } else {
            named.push([triple[0], triple[1], triple[2], graph]);
        }
    }
    let (dictionary, ids) = dictionary::sort(&interner)?;
    drop(interner);
    for triple in &mut triples {
        *triple = triple.map(|number| ids[number as usize]);
    }
    for quad in &mut named {
        *quad = quad.map(|number| ids[number as usize]);
    }
    drop(ids);
    let triples = sort::<3, 6>(triples, Permutation::ALL.map(Permutation::order))?;
    let quads = sort::<4, 8>(named, QuadPermutation::ALL.map(QuadPermutation::order))?;
    let mut snapshot = Snapshot {
        dictionary,
        triples,
        quads,
        named_graphs: Words::default(),
        statistics: StoredStatistics::default(),
        quad_statistics: StoredStatistics::default(),
        file: None,
        key: ContentKey::default(),
    };
    let named_graphs = snapshot.quads(QuadPermutation::Gspo).keys().map(|(graph, _)| graph.get()).collect();
    snapshot.named_graphs = Words::new(named_graphs);
    let statistics = Statistics::count(
        snapshot.triples(Permutation::Spo),
        snapshot.triples(Permutation::Pso),
        snapshot.triples(Permutation::Pos),
        snapshot.triples(Permutation::Osp),
    );
    snapshot.statistics = StoredStatistics::new(Words::new(statistics.to_words()));
    let statistics = Statistics::count(
        snapshot.quads(QuadPermutation::Spog),
        snapshot.quads(QuadPermutation::Psog),
        snapshot.quads(QuadPermutation::Posg),
        snapshot.quads(QuadPermutation::Ospg),
    );
    snapshot.quad_statistics = StoredStatistics::new(Words::new(statistics.to_words()));
    Ok(snapshot)
}

/// Sorts statements in each of the orders, dropping duplicates.
pub(super) fn sort<const WIDTH: usize, const ORDERS: usize>(
    mut rows: Vec<[u32; WIDTH]>,
    orders: [[Component; WIDTH]; ORDERS],
) -> Result<Sorted<ORDERS>> {
    rows.sort_unstable();
    rows.dedup();
    if u32::try_from(rows.len()).is_err() {
        return Err(Error::limit("the dataset has more than 4,294,967,295 statements, which a snapshot cannot number"));
    }
    let len = rows.len();
    let mut offsets: [Option<Offsets>; 4] = Default::default();
    let columns = orders.map(|order| {
        let mut sorted: Vec<[u32; WIDTH]> = rows.iter().map(|row| order.map(|c| row[c.position()])).collect();
        sorted.sort_unstable();
        offsets[order[0].position()].get_or_insert_with(|| {
            Offsets::build(sorted.chunk_by(|a, b| a[0] == b[0]).map(|run| (run[0][0], run.len() as u32)))
        });
        (1..WIDTH).map(|depth| Words::new(sorted.iter().map(|row| row[depth]).collect())).collect()
    });
    Ok(Sorted { len, offsets: offsets.map(Option::unwrap_or_default), columns })
}
