//! Operators whose rows do not fit into memory: the rows that they give without a limit, within it.

use super::Opening;
use crate::Failures;
use crate::executor::{Run, plan, prepare};
use crate::oxigraph::DefaultGraph;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::{Budget, Limits};
use kgq_syntax::error::{Kind, Result};
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad};
use spargebra::SparqlParser;

const MEMORY: u64 = 1 << 20;

fn node(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://e/{local}"))
}

/// Numbers, texts of two languages and other literals, of many subjects in no order.
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

/// A query's rows, and the most memory that was held. What the query computed is told by its term, all else by its id.
fn run(snapshot: &Snapshot, query: &str, limits: Limits) -> (Result<Vec<String>>, u64) {
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let budget = Budget::new(limits);
    let how = Run { budget: &budget, services: None, failures: &Failures::default() };
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
    let how = Run { budget: &Budget::default(), services: None, failures: &Failures::default() };
    prepare(snapshot, &query, DefaultGraph::Stored, how).unwrap().explain(how).unwrap()
}

/// Whether the rows need more memory than there is, and are the same with it.
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
    // In which order equal rows come, parts that run side by side decide.
    same_within_the_limit(&snapshot, "SELECT ?s ?o { ?s :p ?o } ORDER BY (STRLEN(STR(?o)) * 0)", MEMORY, false);
}

#[test]
fn distinct_rows_are_told_apart_in_a_file() {
    let snapshot = things(60_000);
    let twice = "{ { ?s ?p ?o } UNION { ?s ?p ?o FILTER(isIRI(?s)) } }";
    same_within_the_limit(&snapshot, &format!("SELECT DISTINCT ?s ?p ?o {twice}"), MEMORY, false);
    // They keep the order that they come in.
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
}

#[test]
fn hash_joins_divide_what_is_too_large() {
    let snapshot = things(70_000);
    let counted = "{ SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o != 5) } GROUP BY ?s }";
    for query in [
        format!("SELECT ?s ?o ?n {{ ?s :p ?o {counted} }}"),
        format!("SELECT ?s ?o ?n {{ ?s :p ?o OPTIONAL {counted} }}"),
        format!("SELECT ?s ?o {{ ?s :p ?o MINUS {counted} }}"),
        format!("SELECT ?s ?o {{ ?s :p ?o FILTER NOT EXISTS {counted} }}"),
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
    let how = Run { budget: &budget, services: None, failures: &Failures::default() };
    let (cx, planned) = plan(&snapshot, &query, DefaultGraph::Stored, how).unwrap();
    let mut operator = Opening::new(&cx).node(&planned.plan).unwrap();
    assert!(operator.next(&cx).unwrap().is_some());
    budget.cancel();
    assert_eq!(operator.next(&cx).unwrap_err().kind(), Kind::Interrupted);
    drop(operator);
    assert_eq!(budget.held(), 0);
}
