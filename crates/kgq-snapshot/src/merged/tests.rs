use super::*;
use crate::tests::iri;
use kgq_syntax::budget::{Budget, Exceeded, Limits};
use kgq_syntax::rdf::{GraphName, Quad};
use std::collections::BTreeSet;

fn quad(s: u32, p: u32, o: u32, graph: Option<u32>) -> Quad {
    let name = graph.map_or(GraphName::DefaultGraph, |graph| iri(&format!("g{graph:05}")).into());
    Quad::new(iri(&format!("n{s:05}")), iri(&format!("p{p}")), iri(&format!("n{o:05}")), name)
}

fn id(snapshot: &Snapshot, name: &str) -> TermId {
    snapshot.id(iri(name).as_ref().into()).unwrap()
}

/// The ids of graphs of these numbers, which are sorted.
fn graphs(snapshot: &Snapshot, numbers: impl IntoIterator<Item = u32>, default: bool) -> Graphs {
    let named = numbers.into_iter().map(|number| Some(id(snapshot, &format!("g{number:05}"))));
    Some(default.then_some(None).into_iter().chain(named).collect())
}

fn order(snapshot: &Snapshot, graphs: &Graphs, permutation: Permutation, budget: &Budget) -> MergedOrder {
    MergedOrder::new(snapshot, &snapshot.merged(graphs).unwrap(), permutation, budget)
}

/// The triples of a merge as an order has them, found without one.
fn expected(snapshot: &Snapshot, graphs: &Graphs, permutation: Permutation) -> Vec<[TermId; 3]> {
    let among = |graph: Option<TermId>| graphs.as_ref().is_none_or(|graphs| graphs.contains(&graph));
    let all = snapshot.find_ids([None; 3]).filter(|[.., graph]| among(graph.is_bound().then_some(*graph)));
    let sorted: BTreeSet<[TermId; 3]> =
        all.map(|ids| permutation.order().map(|component| ids[component.position()])).collect();
    sorted.into_iter().collect()
}

fn rows(index: Index<'_>, prefix: &[TermId]) -> Vec<[TermId; 3]> {
    let rows = index.range(prefix);
    let [second, third] = [1, 2].map(|depth| {
        let mut ids = Vec::new();
        index.read(depth, rows.clone(), &mut ids);
        assert_eq!(index.blocks(depth, rows.clone()).collect::<Vec<_>>(), ids);
        assert!(rows.clone().zip(&ids).all(|(row, read)| index.id(depth, row) == *read));
        ids
    });
    rows.zip(second.into_iter().zip(third)).map(|(row, (b, c))| [index.key_at(row), b, c]).collect()
}

#[test]
fn whatever_is_asked_of_a_merge_in_whatever_order_is_what_a_walk_finds() {
    let mut random = fastrand::Rng::with_seed(31);
    for round in 0..30 {
        let named = 1 + random.u32(0..40);
        let many = random.u32(20..800);
        let quads: Vec<Quad> = (0..many)
            .map(|_| {
                let graph = random.u32(0..=named);
                quad(random.u32(0..30), random.u32(0..4), random.u32(0..30), graph.checked_sub(1))
            })
            .chain((0..named).map(|graph| quad(0, 0, 0, Some(graph))))
            .collect();
        let snapshot = Snapshot::from_quads(quads).unwrap();
        let some: Vec<u32> = (0..named).filter(|_| random.bool()).collect();
        let choices =
            [None, graphs(&snapshot, [], true), graphs(&snapshot, [0], false), graphs(&snapshot, some, random.bool())];
        for graphs in choices {
            for permutation in Permutation::ALL {
                let all = expected(&snapshot, &graphs, permutation);
                let order = order(&snapshot, &graphs, permutation, &Budget::default());
                for step in 0..60 {
                    let ids = |random: &mut fastrand::Rng| TermId::new(random.u32(0..snapshot.term_count()));
                    let mut prefix = match all.get(random.usize(0..all.len() * 5 / 4 + 1)) {
                        Some(row) => row.to_vec(),
                        None => vec![ids(&mut random), ids(&mut random), ids(&mut random)],
                    };
                    prefix.truncate(if step < 55 { random.usize(1..=3) } else { random.usize(0..=3) });
                    let wanted: Vec<_> = all.iter().copied().filter(|row| row.starts_with(&prefix)).collect();
                    let index = order.index();
                    assert_eq!(rows(index, &prefix), wanted, "{round} {permutation:?} {prefix:?}");
                    let depth = prefix.len();
                    let target = ids(&mut random);
                    if (1..3).contains(&depth) {
                        let found = index.range(&prefix);
                        let before = wanted.partition_point(|row| row[depth] < target);
                        assert_eq!(index.seek(depth, found.clone(), target) - found.start, before);
                        assert_eq!(index.blocks(depth, found.clone()).seek(found.start, target) - found.start, before);
                        let equal = wanted.iter().filter(|row| row[depth] == target).count();
                        assert_eq!(index.narrow(depth, found, target).len(), equal);
                    }
                }
                if round % 2 == 0 {
                    let wanted = random.usize(1..=40);
                    let mut after = None;
                    let mut given = Vec::new();
                    while let Some(more) = order.first_behind(after, wanted).unwrap() {
                        given.extend_from_slice(&more);
                        after = more.last().copied();
                        assert_eq!(given[..], all[..given.len()]);
                        if more.len() < wanted {
                            assert_eq!(given.len(), all.len());
                            break;
                        }
                    }
                }
                assert_eq!(rows(order.index(), &[]), all);
                assert_eq!(order.index().keys().map(|(_, run)| run.len()).sum::<usize>(), all.len());
                assert!(order.failure().is_ok());
            }
        }
    }
}

/// 60 graphs, all of whose 600 statements stand in one graph more.
fn many() -> Snapshot {
    let all = (0..60).flat_map(|g| (0..600u32).map(move |n| (g, n)));
    let quads = all.flat_map(|(g, n)| {
        let (s, p, o) = (n * 50 + g, n % 10, 40_000 + n % 100);
        [Some(g), Some((g + 1) % 60)].map(|graph| quad(s, p, o, graph))
    });
    Snapshot::from_quads(quads).unwrap()
}

#[test]
fn few_things_asked_of_a_merge_read_few_rows() {
    let snapshot = many();
    let half = graphs(&snapshot, 0..30, false);
    let spo = order(&snapshot, &half, Permutation::Spo, &Budget::default());
    assert_eq!(spo.index().run(id(&snapshot, "n00105")).len(), 1);
    assert!(spo.rows_read() < 10, "{}", spo.rows_read());
    // A predicate that the query names, and one of its subjects.
    let pso = order(&snapshot, &half, Permutation::Pso, &Budget::default());
    assert_eq!(pso.index().range(&[id(&snapshot, "p2"), id(&snapshot, "n00105")]).len(), 1);
    assert!(pso.rows_read() < 10, "{}", pso.rows_read());
    assert_eq!(pso.index().run(id(&snapshot, "p2")).len(), 31 * 60);
    assert!(pso.rows_read() < 2 * 60 * 60 + 10, "{}", pso.rows_read());
}

#[test]
fn much_that_is_asked_of_a_merge_reads_not_much_more_than_all_of_it() {
    let snapshot = many();
    let half = graphs(&snapshot, 0..30, false);
    let spo = order(&snapshot, &half, Permutation::Spo, &Budget::default());
    for n in 0..30_000 {
        if let Some(subject) = snapshot.id(iri(&format!("n{n:05}")).as_ref().into()) {
            spo.index().run(subject);
        }
    }
    assert!(spo.rows_read() <= snapshot.quad_count() as u64 * 3 / 2, "{}", spo.rows_read());
    // Who asks next finds it.
    let next = order(&snapshot, &half, Permutation::Spo, &Budget::default());
    assert_eq!(next.index().len(), 31 * 600);
    assert_eq!(next.rows_read(), 0);
}

#[test]
fn what_queries_ask_one_by_one_makes_the_whole_in_the_end() {
    let snapshot = many();
    let mut read = 0;
    for _ in 0..3 {
        for p in 0..10 {
            let pso = order(&snapshot, &None, Permutation::Pso, &Budget::default());
            pso.index().run(id(&snapshot, &format!("p{p}")));
            read += pso.rows_read();
        }
    }
    assert!(read <= snapshot.quad_count() as u64 * 5 / 2, "{read}");
}

#[test]
fn two_small_graphs_among_many_cost_what_they_have() {
    let snapshot = many();
    let two = graphs(&snapshot, [3, 40], false);
    for permutation in Permutation::ALL {
        let order = order(&snapshot, &two, permutation, &Budget::default());
        assert_eq!(order.index().len(), 4 * 600);
        assert_eq!(order.rows_read(), 4 * 600);
    }
    let pos = order(&snapshot, &two, Permutation::Pos, &Budget::default());
    // What is kept is not merged again. Few rows are counted.
    assert_eq!(pos.index().run(id(&snapshot, "p2")).len(), 4 * 60);
    assert_eq!(pos.rows_read(), 0);
    assert_eq!(pos.estimate(&[id(&snapshot, "p2")]), 4 * 60);
    assert_eq!(pos.rows_read(), 4 * 60);
    // Many are estimated.
    let half = order(&snapshot, &graphs(&snapshot, 0..30, false), Permutation::Pos, &Budget::default());
    assert_eq!(half.estimate(&[id(&snapshot, "p2")]), 60 * 60);
    assert_eq!(half.rows_read(), 0);
}

#[test]
fn the_first_triples_of_a_merge_cost_few_rows() {
    let snapshot = many();
    for graphs in [graphs(&snapshot, 0..30, false), graphs(&snapshot, [3, 40], true), None] {
        let spo = order(&snapshot, &graphs, Permutation::Spo, &Budget::default());
        let first = spo.first_behind(None, 20).unwrap().unwrap();
        let more = spo.first_behind(first.last().copied(), 20).unwrap().unwrap();
        assert!(spo.rows_read() < 400, "{}", spo.rows_read());
        assert_eq!([first, more].concat(), rows(spo.index(), &[])[..40]);
        // What is kept whole is read.
        assert_eq!(spo.first_behind(None, 20).unwrap(), None);
    }
}

#[test]
fn a_merge_that_passes_a_limit_gives_nothing_and_tells() {
    let snapshot = many();
    let limited = Budget::new(Limits { memory: Some(2000), ..Limits::default() });
    let spo = order(&snapshot, &None, Permutation::Spo, &limited);
    assert_eq!(spo.index().len(), 0);
    let error = spo.failure().unwrap_err();
    assert!(matches!(error.limit_passed(), Some(Exceeded::Memory(_))), "{error:?}");
    let cancelled = Budget::default();
    let spo = order(&snapshot, &None, Permutation::Spo, &cancelled);
    cancelled.cancel();
    assert!(spo.index().range(&[id(&snapshot, "n00105")]).is_empty());
    assert!(spo.failure().is_err());
    assert_eq!(order(&snapshot, &None, Permutation::Spo, &Budget::default()).index().len(), 60 * 600);
}

#[test]
fn what_a_query_merged_is_held_until_it_ends() {
    let snapshot = many();
    let budget = Budget::default();
    let spo = order(&snapshot, &None, Permutation::Spo, &budget);
    spo.index().run(id(&snapshot, "n00105"));
    let piece = budget.held();
    assert!(piece > 0);
    let whole = spo.index().len();
    assert!(budget.held() > piece + whole as u64);
    drop(spo);
    assert_eq!(budget.held(), 0);
}
