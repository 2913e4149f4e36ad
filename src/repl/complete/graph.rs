//! What completion reads from the snapshot. Each read is bounded, however large the graph.

use crate::repl::shared::ProjectState;
use kgq_snapshot::{Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::sparql::{prefixes_declared, tokenize};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::ops::Range;

/// The maximum number of distinct ids of a column that are counted.
const MOST_DIFFERENT: usize = 2_000;

/// The id of a term as written in a query.
pub fn resolve(state: &ProjectState, text: &str, written: &str) -> Option<TermId> {
    let node = if let Some(iri) = written.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        NamedNode::new(iri).ok()?
    } else if written == "a" {
        rdf::TYPE.into_owned()
    } else {
        let (prefix, local) = written.split_once(':')?;
        let tokens = tokenize(text);
        match prefixes_declared(text, &tokens).iter().find(|d| d.prefix == prefix) {
            Some(declared) => NamedNode::new(format!("{}{local}", declared.iri)).ok()?,
            None => state.prefixes.expand(written)?,
        }
    };
    state.snapshot.id(node.as_ref().into())
}

pub fn is_type(state: &ProjectState, text: &str, written: &str) -> bool {
    written == "a" || resolve(state, text, written).is_some_and(|id| state.snapshot.id(rdf::TYPE.into()) == Some(id))
}

/// The values of a property, the most frequent first; if there are very many, those of an even sample.
pub fn values(snapshot: &Snapshot, property: TermId) -> Vec<(TermId, u64)> {
    let indexes = [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)];
    let runs = indexes.into_iter().flat_map(|index| different(index, 1, index.run(property)));
    by_frequency(runs.filter(|(o, _)| snapshot.kind(*o) != TermKind::BlankNode))
}

/// Whether a value occurs with a property.
pub fn takes(snapshot: &Snapshot, property: TermId, value: TermId) -> bool {
    [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)]
        .iter()
        .any(|index| !index.range(&[property, value]).is_empty())
}

/// The properties of a subject, the most frequent first.
pub fn properties_of(snapshot: &Snapshot, subject: TermId) -> Vec<(TermId, u64)> {
    let indexes = [snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog)];
    by_frequency(indexes.into_iter().flat_map(|index| different(index, 1, index.run(subject))))
}

/// The distinct ids at `depth` in rows with a common prefix, each with its number of rows.
fn different(index: Index<'_>, depth: usize, rows: Range<usize>) -> Vec<(TermId, u64)> {
    let mut found = Vec::new();
    let mut rest = rows.clone();
    while !rest.is_empty() && found.len() < MOST_DIFFERENT {
        let id = index.id(depth, rest.start);
        // Seek to the next distinct id, however often this one occurs.
        let end = match id.get().checked_add(1) {
            Some(next) => index.seek(depth, rest.clone(), TermId::new(next)),
            None => rest.end,
        };
        found.push((id, (end - rest.start) as u64));
        rest.start = end;
    }
    if rest.is_empty() {
        return found;
    }
    let step = rows.len() / MOST_DIFFERENT;
    let mut sample: Vec<TermId> = rows.clone().step_by(step).map(|row| index.id(depth, row)).collect();
    sample.dedup();
    sample.into_iter().map(|id| (id, index.narrow(depth, rows.clone(), id).len() as u64)).collect()
}

pub fn by_frequency(counts: impl Iterator<Item = (TermId, u64)>) -> Vec<(TermId, u64)> {
    let mut sums: FxHashMap<TermId, u64> = FxHashMap::default();
    for (term, n) in counts {
        *sums.entry(term).or_default() += n;
    }
    let mut sums: Vec<(TermId, u64)> = sums.into_iter().collect();
    sums.sort_unstable_by_key(|(id, n)| (Reverse(*n), *id));
    sums
}

/// The range of the graph's IRIs that begin with `start`; IRIs are stored in order.
pub fn iris_starting(snapshot: &Snapshot, start: &str) -> Range<u32> {
    let all = snapshot.kind_range(TermKind::Iri);
    let mut text = Vec::new();
    let mut first_not = |range: Range<u32>, before: &dyn Fn(&[u8]) -> bool| {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if snapshot.text(TermId::new(middle), &mut text) && before(&text) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let first = first_not(all.clone(), &|text| text < start.as_bytes());
    let end = first_not(first..all.end, &|text| text.starts_with(start.as_bytes()));
    first..end
}
