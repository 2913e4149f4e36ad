//! Queries that are planned once and run again, and the counts of their runs.

use super::executor::{Prepared, Run, prepare};
use super::oxigraph::DefaultGraph;
use super::{Answer, Budget, Failures};
use kgq_snapshot::Snapshot;
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad};
use spargebra::SparqlParser;

/// Subjects with one of two names each.
fn people(count: usize) -> Snapshot {
    let node = |local: String| NamedNode::new_unchecked(format!("http://e/{local}"));
    let quads = (0..count).map(|i| {
        let name = Literal::new_simple_literal(if i % 2 == 0 { "even" } else { "odd" });
        Quad::new(node(format!("s{i}")), node("name".into()), name, GraphName::DefaultGraph)
    });
    Snapshot::from_quads(quads).unwrap()
}

fn planned(snapshot: &Snapshot, query: &str, run: Run<'_>) -> Prepared {
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    prepare(snapshot, &query, DefaultGraph::Stored, run).unwrap()
}

fn rows(answer: Answer) -> Vec<String> {
    let Answer::Solutions(solutions) = answer else { panic!("a SELECT has solutions") };
    solutions.rows.map(|row| format!("{:?}", row.unwrap())).collect()
}

#[test]
fn a_plan_gives_the_same_rows_whenever_it_is_run() {
    let (snapshot, budget, failures) = (people(10), Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    for (query, count) in [
        ("SELECT ?x ?n { ?x :name ?n } ORDER BY ?n ?x LIMIT 4", 4),
        // Terms that the data lack have the same ids in each run.
        (
            "SELECT * { VALUES ?x { :s1 :nobody \"none\" } OPTIONAL { ?x :name ?n } BIND(CONCAT(STR(?x), \"!\") AS ?t) }",
            3,
        ),
        ("SELECT ?x { ?x :name ?n FILTER EXISTS { SELECT ?x { ?x :name ?m } LIMIT 1 } }", 10),
        (
            "SELECT ?x ?n { ?x :name ?n FILTER(?n != \"nothing\" && NOW() > \"2000-01-01T00:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime>) }",
            10,
        ),
    ] {
        let prepared = planned(&snapshot, query, run);
        let first = rows(prepared.evaluate(run).unwrap());
        assert_eq!(first.len(), count, "{query}");
        assert_eq!(first, rows(prepared.evaluate(run).unwrap()), "{query}");
    }
}

#[test]
fn a_plan_that_is_run_again_has_the_limits_of_that_run() {
    let (snapshot, budget, failures) = (people(10), Budget::default(), Failures::default());
    let prepared = planned(
        &snapshot,
        "SELECT * { ?x :name ?n }",
        Run { budget: &budget, services: None, failures: &failures, temporary: None },
    );
    let stopped = Budget::default();
    stopped.cancel();
    let run = Run { budget: &stopped, services: None, failures: &failures, temporary: None };
    let failed = match prepared.evaluate(run) {
        Ok(Answer::Solutions(solutions)) => solutions.rows.into_iter().any(|row| row.is_err()),
        Ok(_) => false,
        Err(_) => true,
    };
    assert!(failed, "a cancelled budget stops the run");
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    assert_eq!(rows(prepared.evaluate(run).unwrap()).len(), 10);
}

#[test]
fn rows_are_counted_in_all_threads() {
    let (snapshot, budget, failures) = (people(30_000), Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    let text = planned(&snapshot, "SELECT ?x ?n { ?x :name ?n }", run).analyze(run).unwrap();
    let of = |what: &str| text.lines().find(|line| line.trim_start().starts_with(what)).unwrap_or_default().to_owned();
    assert!(of("parts side by side").contains("got 30000 in"), "{text}");
    assert!(of("scan").contains("got 30000 in"), "{text}");
}

#[test]
fn the_worst_estimate_is_named_with_what_it_came_from() {
    let (snapshot, budget, failures) = (people(100), Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    let query = "SELECT ?x { ?x :name ?n FILTER(STRLEN(?n) > 0) FILTER(STRLEN(?n) < 9) } ORDER BY ?x";
    let text = planned(&snapshot, query, run).analyze(run).unwrap();
    let worst = text.lines().last().unwrap_or_default();
    assert!(worst.starts_with("worst estimate: 9 times off at `filter "), "{text}");
    let from = "expected 11, got 100; from no statistics: a condition is taken to keep a third of its rows";
    assert!(worst.ends_with(from), "{text}");
}
