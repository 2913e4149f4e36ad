//! Queries that are planned once and run again, and the counts of their runs.

use super::executor::{Prepared, Run, prepare};
use super::oxigraph::DefaultGraph;
use super::{Answer, Budget, Failures};
use kgq_snapshot::Snapshot;
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad, Term};
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

/// 10,000 nodes in a row, each with its number and one of two names, and a tree of as many with branches of ten.
fn row_and_tree() -> Snapshot {
    let node = |local: String| NamedNode::new_unchecked(format!("http://e/{local}"));
    let quad = |s: String, p: &str, o: Term| Quad::new(node(s), node(p.into()), o, GraphName::DefaultGraph);
    let row = (0..10_000).flat_map(|i| {
        let name = Literal::new_simple_literal(if i % 5 == 0 { "long" } else { "" });
        let next = node(format!("s{}", i + 1)).into();
        [("number", Literal::from(i).into()), ("name", name.into()), ("next", next)]
            .map(|(p, o)| quad(format!("s{i}"), p, o))
    });
    let tree = (1..10_000).map(|i| quad(format!("t{i}"), "in", node(format!("t{}", i / 10)).into()));
    Snapshot::from_quads(row.chain(tree)).unwrap()
}

#[test]
fn conditions_and_paths_are_estimated_from_the_data() {
    let (snapshot, budget, failures) = (row_and_tree(), Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    let checks = [
        // Counted in the index: as many as there are.
        ("SELECT ?x { ?x :number ?n FILTER(?n < 70) }", "filter", "expected 70 got 70"),
        // Tried on 64 matches.
        ("SELECT ?x { ?x :name ?n FILTER(STRLEN(?n) > 1) }", "filter", "expected 2031 got 2000"),
        // No match of the sample passes.
        ("SELECT ?x { ?x :number ?n FILTER(?n * 2 = 2 * 3) }", "filter", "expected 78 got 1"),
        ("SELECT ?x { ?x :number ?n FILTER(STRLEN(?n) > 1) }", "filter", "expected 78 got 0"),
        ("SELECT ?y { :t9876 :in+ ?y }", "path", "expected 4.0 got 4"),
        ("SELECT ?y { :s1 :next+ ?y }", "path", "expected 5000 got 9999"),
        ("SELECT ?y { :t9876 (:in/:in)+ ?y }", "path", "expected 2.0 got 2"),
        ("SELECT ?y { :t9876 (:in|^:next)+ ?y }", "path", "expected 4.0 got 4"),
        ("SELECT ?y { :t9876 (:in/:in?)+ ?y }", "path", "expected 4.0 got 4"),
        ("SELECT ?y { ?y (^:in/^:in)+ :t9876 }", "path", "expected 2.0 got 2"),
        // Matches of two patterns, as if they had nothing to do with each other.
        ("SELECT ?x { ?x :number ?n . ?x :next/:number ?m FILTER(?n < ?m) }", "filter", "expected 4688 got 9999"),
        // The groups of a key, and of two.
        ("SELECT ?n (COUNT(*) AS ?k) { ?x :name ?n ; :next ?y } GROUP BY ?n", "group by", "expected 2.0 got 2"),
        (
            "SELECT ?n ?y (COUNT(*) AS ?k) { ?x :name ?n ; :next ?y } GROUP BY ?n ?y",
            "group by",
            "expected 10000 got 10000",
        ),
    ];
    for (query, operator, expected) in checks {
        let text = planned(&snapshot, query, run).analyze(run).unwrap();
        let line = text.lines().find(|line| line.trim_start().starts_with(operator)).unwrap_or_default();
        let number = |what: &str| line.split(what).nth(1)?.split([',', ' ']).next().map(str::to_owned);
        let numbers = number("[expected ").zip(number("got "));
        let numbers = numbers.map(|(expected, got)| format!("expected {expected} got {got}"));
        assert_eq!(numbers.as_deref(), Some(expected), "{query}\n{text}");
    }
}

#[test]
fn a_long_list_of_iris_keeps_each_row_once_and_none_that_is_unbound() {
    let (snapshot, budget, failures) = (row_and_tree(), Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    // So many are looked up in several threads.
    let list = (0..5000).map(|i| format!(":s{i}, ")).collect::<String>();
    let checks = [
        (format!("?x :number ?n FILTER(?x IN ({list} :s0, :s1, :nobody))"), 5000),
        (format!("?x :number ?n FILTER(?n IN ({list} :s0))"), 0),
        (format!("?x :number ?n OPTIONAL {{ ?x :in ?y }} FILTER(?y IN ({list} :t0))"), 0),
        (
            format!("?t :in ?x OPTIONAL {{ ?t :number ?n }} FILTER(?x IN ({list} :t1, :t2) || !BOUND(?n) && ?x = :t3)"),
            30,
        ),
    ];
    for (pattern, count) in checks {
        let found = rows(planned(&snapshot, &format!("SELECT * {{ {pattern} }}"), run).evaluate(run).unwrap());
        assert_eq!(found.len(), count, "{}", pattern.split('(').next().unwrap_or_default());
    }
}
