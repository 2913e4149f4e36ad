//! Operators whose rows do not fit into memory: with a limit they return the same rows as without.

use super::merge::{Keys, Merge};
use super::sorter::Sorter;
use super::spill::Spill;
use super::table::Table;
use super::{Context, Opening};
use crate::Failures;
use crate::batch::Batch;
use crate::executor::{Run, plan, prepare};
use crate::oxigraph::DefaultGraph;
use crate::tests::context;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::{Budget, Limits};
use kgq_syntax::error::{Kind, Result};
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad};
use spargebra::SparqlParser;
use std::path::Path;

const MEMORY: u64 = 1 << 20;

fn node(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://e/{local}"))
}

/// Numbers, texts in two languages and other literals, of many subjects in no order.
fn things(count: u32) -> Snapshot {
    let quads = (0..count).map(|n| {
        let mixed = n.wrapping_mul(2_654_435_761) % count;
        let object = match mixed % 4 {
            0 => Literal::from(i64::from(mixed / 3)),
            1 => Literal::from(f64::from(mixed)),
            2 => Literal::new_language_tagged_literal_unchecked(format!("t{mixed}"), "en"),
            _ => Literal::new_simple_literal(format!("t{}", mixed / 2)),
        };
        Quad::new(node(&format!("s{n}")), node("p"), object, GraphName::DefaultGraph)
    });
    Snapshot::from_quads(quads).unwrap()
}

/// Returns a query's rows, and the most memory that was held. Computed terms are shown as terms, stored ones as ids.
fn run(snapshot: &Snapshot, query: &str, limits: Limits) -> (Result<Vec<String>>, u64) {
    run_in(snapshot, query, limits, None)
}

/// Does the same with temporary files in a folder.
fn run_in(snapshot: &Snapshot, query: &str, limits: Limits, temporary: Option<&Path>) -> (Result<Vec<String>>, u64) {
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let budget = Budget::new(limits);
    let how = Run { budget: &budget, services: None, failures: &Failures::default(), temporary };
    let (cx, planned) = plan(snapshot, &query, DefaultGraph::Stored, how).unwrap();
    let mut operator = Opening::new(&cx).node(&planned.plan).unwrap();
    let rows = (|| {
        let mut rows = Vec::new();
        while let Some(batch) = operator.next(&cx)? {
            for row in 0..batch.rows() {
                let name = |id: TermId| match id {
                    TermId::UNBOUND => "-".to_owned(),
                    id if cx.terms().is_stored(id) => id.get().to_string(),
                    id => cx.terms().term(id).to_string(),
                };
                let names: Vec<String> = batch.columns().iter().map(|column| name(column[row])).collect();
                rows.extend(std::iter::repeat_n(names.join(" "), batch.weight(row) as usize));
            }
        }
        Ok(rows)
    })();
    (rows, budget.peak())
}

fn explained(snapshot: &Snapshot, query: &str) -> String {
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let how = Run { budget: &Budget::default(), services: None, failures: &Failures::default(), temporary: None };
    prepare(snapshot, &query, DefaultGraph::Stored, how).unwrap().explain(how).unwrap()
}

/// Checks that a query needs more memory than the limit, and returns the same rows within it.
fn same_within_the_limit(snapshot: &Snapshot, query: &str, memory: u64, ordered: bool) {
    let (expected, needed) = run(snapshot, query, Limits::default());
    let (found, held) = run(snapshot, query, Limits { memory: Some(memory), ..Limits::default() });
    assert!(needed > memory, "{query} needs {needed} bytes, which are too few to test anything");
    assert!(held <= memory, "{query} held {held} bytes");
    let (mut expected, mut found) = (expected.unwrap(), found.unwrap_or_else(|error| panic!("{query}: {error:?}")));
    if !ordered {
        expected.sort();
        found.sort();
    }
    assert_eq!(expected.len(), found.len(), "{query}");
    assert!(expected == found, "{query}");
}

#[test]
fn sorting_goes_on_in_a_file() {
    let snapshot = things(50_000);
    for query in [
        "SELECT ?s ?o { ?s :p ?o } ORDER BY ?o ?s",
        "SELECT ?s ?o { ?s :p ?o } ORDER BY DESC(?s)",
        "SELECT ?s ?o { ?s :p ?o } ORDER BY DESC(?s) LIMIT 40000",
        "SELECT ?s ?o { ?s :p ?o } ORDER BY DESC(STR(?o)) STRLEN(STR(?s)) ?s",
    ] {
        same_within_the_limit(&snapshot, query, MEMORY, true);
    }
    // Equal rows come in the order in which they were found.
    same_within_the_limit(&snapshot, "SELECT ?s ?o { ?s :p ?o } ORDER BY (STRLEN(STR(?o)) * 0)", MEMORY, true);
}

#[test]
fn distinct_rows_are_told_apart_in_a_file() {
    let snapshot = things(60_000);
    let twice = "{ { ?s ?p ?o } UNION { ?s ?p ?o FILTER(isIRI(?s)) } }";
    same_within_the_limit(&snapshot, &format!("SELECT DISTINCT ?s ?p ?o {twice}"), MEMORY, false);
    // Rows keep the order in which they come.
    let ordered = format!("SELECT DISTINCT ?s ?p ?o {twice} ORDER BY STRLEN(STR(?o)) DESC(?s)");
    same_within_the_limit(&snapshot, &ordered, MEMORY, true);
    same_within_the_limit(&things(120_000), "SELECT DISTINCT ?s ?o { ?s ?p ?o } ORDER BY DESC(?s)", MEMORY, true);
}

#[test]
fn groups_are_aggregated_in_a_file() {
    let snapshot = things(50_000);
    for query in [
        "SELECT ?s (COUNT(*) AS ?n) (SUM(STRLEN(STR(?o))) AS ?k) { { ?s :p ?o } UNION { ?s :p ?o } } GROUP BY ?s",
        "SELECT ?s ?o (COUNT(*) AS ?n) { { ?s :p ?o } UNION { ?s :p ?o } } GROUP BY ?s ?o",
        "SELECT ?o (COUNT(DISTINCT ?s) AS ?n) (MIN(?s) AS ?m) (SAMPLE(?o) AS ?k) { ?s :p ?o } GROUP BY ?o",
        "SELECT (COUNT(*) AS ?n) { SELECT ?s ?o { ?s :p ?o } GROUP BY ?s ?o HAVING(COUNT(*) < 2) }",
    ] {
        same_within_the_limit(&snapshot, query, MEMORY, false);
    }
    // The groups fit, but the search for the first of them does not: then all are sorted.
    let query = "SELECT ?s (COUNT(*) AS ?n) { ?s :p ?o } GROUP BY ?s ORDER BY DESC(?n) ?s LIMIT 3";
    same_within_the_limit(&things(200_000), query, 8 << 20, true);
}

#[test]
fn hash_joins_divide_what_is_too_large() {
    let snapshot = things(70_000);
    let counted = "{ SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o != 5) } GROUP BY ?s }";
    let pairs = "{ SELECT ?s ?o (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o != 5) } GROUP BY ?s ?o }";
    for query in [
        format!("SELECT ?s ?o ?n {{ ?s :p ?o {counted} }}"),
        format!("SELECT ?s ?o ?n {{ ?s :p ?o OPTIONAL {counted} }}"),
        format!("SELECT ?s ?o {{ ?s :p ?o MINUS {pairs} }}"),
        format!("SELECT ?s ?o {{ ?s :p ?o FILTER NOT EXISTS {pairs} }}"),
        "SELECT ?a ?b { { ?a :p ?x } { ?b :p ?y } FILTER(?x = ?y) }".into(),
    ] {
        let plan = explained(&snapshot, &query);
        assert!(["hash join", "minus on", "hash anti-join"].iter().any(|join| plan.contains(join)), "{plan}");
        same_within_the_limit(&snapshot, &query, MEMORY, false);
    }
}

#[test]
fn work_in_a_file_is_interrupted_and_its_file_has_no_name() {
    let snapshot = things(50_000);
    let query = SparqlParser::new().parse_query("SELECT * { ?s <http://e/p> ?o } ORDER BY DESC(?s)").unwrap();
    let budget = Budget::new(Limits { memory: Some(MEMORY), ..Limits::default() });
    let how = Run { budget: &budget, services: None, failures: &Failures::default(), temporary: None };
    let (cx, planned) = plan(&snapshot, &query, DefaultGraph::Stored, how).unwrap();
    let mut operator = Opening::new(&cx).node(&planned.plan).unwrap();
    assert!(operator.next(&cx).unwrap().is_some());
    budget.cancel();
    assert_eq!(operator.next(&cx).unwrap_err().kind(), Kind::Interrupted);
    drop(operator);
    assert_eq!(budget.held(), 0);
}

/// The context of an empty query.
#[test]
fn the_last_run_is_sorted_in_the_memory_that_was_reserved_for_it() {
    let (snapshot, rows) = (things(1), 30_000u32);
    let budget = Budget::new(Limits { memory: Some(MEMORY), ..Limits::default() });
    let cx = context(&snapshot, &budget);
    for leaves_nothing in [false, true] {
        let mut sorter = Sorter::new(1, vec![0], &cx).unwrap();
        for start in (0..rows).step_by(Batch::ROWS) {
            let ids: Vec<TermId> = (start..rows.min(start + 4096)).map(|n| TermId::new(n * 7919 % rows)).collect();
            let count = ids.len();
            sorter.add(&Batch::new(vec![ids], count), &cx).unwrap();
        }
        // Others take all of the rest, or all but a little.
        let left = if leaves_nothing { 0 } else { 64 << 10 };
        let others = budget.reserve(budget.room().unwrap() - left).unwrap();
        let finished = sorter.finish(&cx);
        drop(others);
        let mut sorted = finished.unwrap();
        let mut found = Vec::new();
        while let Some(batch) = sorted.next(1000, &cx).unwrap() {
            found.extend(batch.column(0).iter().map(|id| id.get()));
        }
        assert!(found == (0..rows).collect::<Vec<_>>());
    }
}

#[test]
fn a_table_reserves_what_its_columns_take() {
    let snapshot = things(1);
    for batches in [1, 4, 30, 100] {
        let budget = Budget::default();
        let cx = context(&snapshot, &budget);
        let mut table = Table::new(3);
        for number in 0..batches {
            let batch = Batch::new(vec![vec![TermId::new(number); 1500]; 3], 1500);
            let weights = (number > 2).then(|| vec![2; 1500]);
            table.append(&batch.with_weights(weights), &cx).unwrap();
        }
        let columns: usize = table.columns.iter().map(|column| column.capacity() * 4).sum();
        let taken = (columns + table.weights.as_ref().map_or(0, |weights| weights.capacity() * 8)) as u64;
        assert_eq!((table.bytes(), budget.held()), (taken, taken), "{batches}");
        let needed = table.rows as u64 * if table.weights.is_some() { 20 } else { 12 };
        assert!(taken <= needed + needed / 8 || batches < 4, "{taken} bytes for {needed}");
    }
}

#[test]
fn rows_of_parts_come_in_the_same_order_however_much_memory_is_left() {
    let snapshot = things(120_000);
    for query in [
        "SELECT ?s ?o { ?s :p ?o FILTER(STRLEN(STR(?s)) > 9) }",
        "SELECT DISTINCT ?o { ?s :p ?o FILTER(STRLEN(STR(?s)) > 9) }",
    ] {
        assert!(explained(&snapshot, query).contains("side by side"), "{}", explained(&snapshot, query));
        let (expected, _) = run(&snapshot, query, Limits::default());
        let expected = expected.unwrap();
        for memory in [MEMORY / 2, MEMORY, 4 * MEMORY, 16 * MEMORY] {
            let (found, _) = run(&snapshot, query, Limits { memory: Some(memory), ..Limits::default() });
            assert!(found.unwrap() == expected, "{query} within {memory} bytes");
        }
    }
}

/// Keys that claim to be large, so that hardly any rows fit into a block.
struct Large;

impl Keys for Large {
    type Key = TermId;

    fn of(&mut self, block: &Batch, cx: &Context<'_>) -> Result<Vec<TermId>> {
        assert!(cx.budget().held() >= block.rows() as u64 * 10_000, "it was not reserved");
        Ok(block.column(0).to_vec())
    }

    fn bytes(_: &TermId) -> usize {
        20_000
    }

    fn mean_bytes(&self) -> usize {
        10_000
    }
}

#[test]
fn a_merge_reserves_memory_for_keys_before_it_makes_them() {
    let snapshot = things(1);
    let budget = Budget::new(Limits { memory: Some(4 * MEMORY), ..Limits::default() });
    let cx = context(&snapshot, &budget);
    let mut spill = Spill::new(1, &cx).unwrap();
    spill.make_blocks_for(Large.mean_bytes());
    let block = spill.block() as u64;
    assert!(block < 10);
    let mut runs = Vec::new();
    for run in 0..40u32 {
        let mut batch = Some(Batch::new(vec![(0..100).map(|n| TermId::new(n * 40 + run)).collect()], 100));
        runs.push(spill.write(|_| Ok(batch.take()), &cx).unwrap());
    }
    let mut merge = Merge::new(spill, runs, Large, &cx).unwrap();
    // Some of the runs fit at once, and their keys are larger than the average.
    assert!(budget.held() >= 2 * block * 20_000 && budget.peak() <= 4 * MEMORY, "{}", budget.held());
    let mut found = Vec::new();
    while let Some(batch) = merge.next(1000, &cx).unwrap() {
        found.extend(batch.column(0).iter().map(|id| id.get()));
    }
    assert!(found == (0..4000).collect::<Vec<_>>());
}

#[test]
fn large_keys_are_sorted_and_merged_within_the_limit() {
    let quads = (0..2000u32).map(|n| {
        let text = format!("{}{}", n.wrapping_mul(2_654_435_761), "long ".repeat(400));
        let literal = Literal::new_language_tagged_literal_unchecked(text, ["en", "de"][n as usize % 2]);
        Quad::new(node(&format!("s{n}")), node("p"), literal, GraphName::DefaultGraph)
    });
    let snapshot = Snapshot::from_quads(quads).unwrap();
    for query in [
        "SELECT ?s { ?s :p ?o } ORDER BY ?o",
        "SELECT ?s { ?s :p ?o } ORDER BY DESC(STR(?o))",
        "SELECT ?s { ?s :p ?o } ORDER BY CONCAT(?o, \"x\") LIMIT 1900",
    ] {
        same_within_the_limit(&snapshot, query, 2 * MEMORY, true);
    }
}

#[test]
fn where_no_file_can_be_made_what_fits_is_answered_and_what_does_not_says_why() {
    let snapshot = things(50_000);
    let folder = Path::new("/nowhere/at/all");
    let joined = "SELECT ?s ?o { ?s :p ?o { SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o != 5) } GROUP BY ?s } }";
    for query in [
        "SELECT ?s ?o { ?s :p ?o } ORDER BY DESC(?s)",
        "SELECT DISTINCT ?s ?o { ?s ?p ?o }",
        "SELECT DISTINCT ?s ?p ?o { ?s ?p ?o }",
        "SELECT ?s ?o (COUNT(*) AS ?n) { { ?s :p ?o } UNION { ?s :p ?o } } GROUP BY ?s ?o",
        joined,
    ] {
        let (expected, needed) = run(&snapshot, query, Limits::default());
        // With slightly more than is needed, less than a quarter is left at the end.
        let limits = Limits { memory: Some(needed + needed / 50), ..Limits::default() };
        let (found, _) = run_in(&snapshot, query, limits, Some(folder));
        let (mut expected, mut found) = (expected.unwrap(), found.unwrap_or_else(|error| panic!("{query}: {error:?}")));
        expected.sort();
        found.sort();
        assert!(expected == found, "{query}");
        let (refused, _) =
            run_in(&snapshot, query, Limits { memory: Some(MEMORY / 4), ..Limits::default() }, Some(folder));
        let error = refused.expect_err(query);
        let why = "the query needs more memory than 256 KiB, and a temporary file for the rest cannot be made in \
                   /nowhere/at/all: ";
        assert!(error.message().starts_with(why) && error.limit_passed().is_some(), "{query}: {}", error.message());
    }
}

#[test]
fn the_first_rows_of_merged_graphs_take_no_memory_for_all_of_them() {
    let quads = (0..60_000).map(|n| {
        let (graph, subject) = (node(["g", "h"][n % 2]), node(&format!("s{}", n / 3)));
        Quad::new(subject, node(&format!("p{}", n % 3)), Literal::from(n as i64), graph)
    });
    let snapshot = Snapshot::from_quads(quads).unwrap();
    let all = "SELECT ?s ?p ?o FROM :g FROM :h { ?s ?p ?o }";
    let little = Limits { memory: Some(100_000), ..Limits::default() };
    assert!(run(&snapshot, all, little).0.is_err());
    let (first, held) = run(&snapshot, &format!("{all} LIMIT 200"), little);
    let (rows, _) = run(&snapshot, all, Limits::default());
    assert_eq!(rows.as_ref().unwrap().len(), 60_000);
    assert_eq!(first.unwrap(), rows.unwrap()[..200]);
    assert!(held < 100_000);
}
