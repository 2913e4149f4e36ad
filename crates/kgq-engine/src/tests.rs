//! Both executors over small datasets, compared as multisets.

use super::executor::{self, Run};
use super::oxigraph::{self, DefaultGraph};
use super::{Answer, Row, Services};
use crate::Failures;
use crate::operator::Context;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Exceeded, Limits, Work};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{NamedNode, Variable};
use oxrdfio::{RdfFormat, RdfParser};
use spargebra::{Query, SparqlParser};
use std::sync::Arc;

fn run<'a>(budget: &'a Budget, failures: &'a Failures) -> Run<'a> {
    Run { budget, services: None, failures, temporary: None }
}

/// The context of an empty query.
pub fn context<'s>(snapshot: &'s Snapshot, budget: &Budget) -> Context<'s> {
    executor::plan(snapshot, &parsed("ASK {}"), DefaultGraph::Stored, run(budget, &Failures::default())).unwrap().0
}

pub fn snapshot(data: &str) -> Snapshot {
    let prefixed = format!("@prefix : <http://e/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n{data}");
    Snapshot::from_quads(RdfParser::from_format(RdfFormat::TriG).for_slice(&prefixed).map(Result::unwrap)).unwrap()
}

/// The rows as text, sorted.
fn rows(answer: Answer) -> Vec<String> {
    let mut rows = rows_in_order(answer);
    rows.sort();
    rows
}

/// The rows as text.
fn rows_in_order(answer: Answer) -> Vec<String> {
    match answer {
        Answer::Boolean(value) => vec![value.to_string()],
        Answer::Solutions(solutions) => solutions
            .rows
            .map(|row| {
                let cells = row.unwrap().into_iter().map(|term| term.map_or_else(|| "-".into(), |t| t.to_string()));
                cells.collect::<Vec<_>>().join(" ")
            })
            .collect(),
        Answer::Graph(triples) => triples.0.map(|triple| triple.unwrap().to_string()).collect(),
    }
}

/// Checks that both executors return the same rows in the same order.
pub fn agree_in_order(data: &str, query: &str) {
    let snapshot = snapshot(data);
    let parsed = parsed(query);
    let (budget, graph) = (Budget::default(), DefaultGraph::Stored);
    let oracle = oxigraph::evaluate(&snapshot, &parsed, graph, &budget, None).unwrap();
    let mine = executor::evaluate(&snapshot, &parsed, graph, run(&budget, &Failures::default())).unwrap();
    assert_eq!(rows_in_order(mine), rows_in_order(oracle), "{query}");
}

pub fn parsed(query: &str) -> Query {
    SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap()
}

/// The rows of our executor over a snapshot, sorted.
pub fn ours_over(snapshot: &Snapshot, query: &Query, default_graph: DefaultGraph) -> Vec<String> {
    let budget = Budget::default();
    rows(executor::evaluate(snapshot, query, default_graph, run(&budget, &Failures::default())).unwrap())
}

pub fn ours(data: &str, query: &str, default_graph: DefaultGraph) -> Vec<String> {
    ours_over(&snapshot(data), &parsed(query), default_graph)
}

fn agree_in(data: &str, query: &str, default_graph: DefaultGraph) {
    let snapshot = snapshot(data);
    let parsed = parsed(query);
    let budget = Budget::default();
    let oracle = rows(oxigraph::evaluate(&snapshot, &parsed, default_graph, &budget, None).unwrap());
    let mine = ours_over(&snapshot, &parsed, default_graph);
    let failures = Failures::default();
    let run = run(&budget, &failures);
    let plan = executor::prepare(&snapshot, &parsed, default_graph, run).unwrap().explain(run).unwrap();
    assert_eq!(mine, oracle, "{query}\n{plan}");
}

pub fn agree(data: &str, query: &str) {
    agree_in(data, query, DefaultGraph::Stored);
}

const PEOPLE: &str = r#"
    :a :knows :b, :c ; :name "A", "Aa" ; :age 30 . :b :knows :c, :d ; :name "B" ; :age 41.0 .
    :c :knows :a, :c ; :age 30.0 . :d :name "D"@en ; :mail "d@e" . :e a :Loner ; :name "B" ; :age "x" .
    :a a :Person . :b a :Person . :c a :Person . :d a :Robot . _:x :knows _:y . _:y :name "Y" .
    :g1 { :a :likes :b . :b :likes :c . :a :knows :z . }
    :g2 { :a :likes :b . :c :likes :d ; :age 30 . :g1 :about :a . }
"#;

#[test]
fn joins_of_triple_patterns_agree() {
    for query in [
        "SELECT * { ?s ?p ?o }",
        "SELECT ?p { ?s ?p ?o }",
        "SELECT DISTINCT ?p { ?s ?p ?o }",
        "SELECT ?s { ?s :knows ?o }",
        "SELECT * { ?s :knows ?s }",
        "SELECT * { ?s ?p ?s }",
        "SELECT * { ?s ?s ?o }",
        "SELECT * { ?a :knows ?b . ?b :knows ?c }",
        "SELECT ?a { ?a :knows ?b . ?b :knows ?c }",
        "SELECT * { ?a :knows ?b . ?b :knows ?c . ?c :knows ?a }",
        "SELECT * { ?a :knows ?b . ?a :knows ?c . ?b :knows ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :knows ?b . ?a :knows ?c . ?b :knows ?c }",
        "SELECT * { ?a :name ?n . ?b :name ?n }",
        "SELECT * { ?a a :Person . ?a :name ?n . ?a :age ?g }",
        "SELECT ?n { ?a a :Person . ?a :name ?n . ?a :knows ?g }",
        "SELECT * { :a ?p ?o . ?o ?q ?r }",
        "SELECT * { :nobody ?p ?o }",
        "SELECT * { ?a :nothing ?b . ?b ?c ?d }",
        "SELECT * { ?a a :Robot . ?b a :Loner }",
        "SELECT * { ?a :age ?x . ?b :age ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :name ?x . ?b :name ?y FILTER(?x = ?y && ?a != ?b) }",
        "SELECT DISTINCT ?a { ?a :age ?x . ?b :age ?y FILTER(?x = ?y) }",
        "ASK { ?a :knows ?b . ?b :knows ?a }",
        "SELECT * { ?a :knows ?b . ?b :knows ?a }",
        "SELECT * { ?a :knows ?b OPTIONAL { ?b :knows ?a . ?a :name ?n } }",
        "SELECT * { ?a :knows ?b FILTER NOT EXISTS { ?b :knows ?a } }",
        "SELECT * { ?a :knows ?b . ?a ?p ?b . ?b :knows ?a }",
        "SELECT * { GRAPH ?g { ?a :likes ?b } GRAPH ?h { ?a :likes ?b } }",
        "SELECT * { GRAPH :g1 { ?a :likes ?b } GRAPH :g2 { ?a :likes ?b } }",
        "ASK { ?a :knows :e }",
        "SELECT * { [] :knows ?x . ?x :knows [] }",
        "SELECT * {}",
        "SELECT * { { ?a :knows ?b } { ?b :name ?n } }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn optional_union_and_minus_agree() {
    for query in [
        "SELECT * { ?a :knows ?b OPTIONAL { ?b :name ?n } }",
        "SELECT ?a { ?a :knows ?b OPTIONAL { ?b :name ?n } }",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b OPTIONAL { ?b :name ?n } }",
        "SELECT * { ?a :knows ?b OPTIONAL { ?b :name ?n . ?b :age ?g } }",
        "SELECT * { ?a :knows ?b OPTIONAL { ?b :name ?n FILTER(?n != \"B\") } }",
        "SELECT * { ?a :age ?x OPTIONAL { ?b :age ?y FILTER(?x < ?y) } }",
        "SELECT * { ?a :age ?x OPTIONAL { ?b :age ?y FILTER(?a = ?b && ?x >= ?y) } }",
        "SELECT * { ?a :age ?x OPTIONAL { ?b :knows ?a OPTIONAL { ?b :name ?n } } OPTIONAL { ?a :mail ?n } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } OPTIONAL { ?a :name ?m } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } { ?b :mail ?m } }",
        "SELECT * { OPTIONAL { ?a :mail ?m } OPTIONAL { ?a :knows ?m } }",
        "SELECT * { ?a :knows ?b OPTIONAL { { ?c :name ?n FILTER(?b = ?c) } } }",
        "SELECT * { ?a :knows ?b OPTIONAL { ?b :knows ?c FILTER(!BOUND(?z)) } FILTER(!BOUND(?c)) }",
        "SELECT * { ?a a ?t OPTIONAL { ?b :knows ?a . ?b :age ?x } FILTER(!BOUND(?b)) }",
        "SELECT * { ?a :age ?g OPTIONAL { ?b :knows ?c FILTER(?b = ?a && ?c != ?a) } FILTER(!BOUND(?c)) }",
        "SELECT * { ?a :age ?g OPTIONAL { ?b :knows ?a OPTIONAL { ?c :knows ?b } FILTER(!BOUND(?c)) } FILTER(!BOUND(?b)) }",
        "SELECT * { { ?a :knows ?b } UNION { ?a :name ?n } }",
        "SELECT * { ?a a :Person { ?a :knows ?b } UNION { ?a :name ?n } UNION { ?c :mail ?m } }",
        "SELECT * { { ?a :knows ?b } UNION { ?a :name ?b } FILTER(isLiteral(?b)) }",
        "SELECT * { { ?a :knows ?b } UNION { ?c :name ?b } OPTIONAL { ?a :age ?g } }",
        "SELECT * { { ?a :knows ?b } UNION { ?c :name ?b } . ?a :age ?g }",
        "SELECT * { ?a ?p ?o MINUS { ?a a :Person } }",
        "SELECT * { ?a ?p ?o MINUS { ?x :nothing ?y } }",
        "SELECT * { ?a ?p ?o MINUS { ?x ?y ?z } }",
        "SELECT * { ?a :knows ?b MINUS { ?b :knows ?c . ?c :name ?n } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } MINUS { ?b :mail ?m } }",
        "SELECT * { ?a a ?t MINUS { ?a a :Person OPTIONAL { ?a :age ?t } } }",
        "SELECT * { ?a a ?t MINUS { ?a :age ?g FILTER(?t = :Person) } }",
        "SELECT * { OPTIONAL { ?x :no ?y } ?a a ?t }",
        "SELECT * { {} UNION { :a :knows :b . ?x :name ?u } ?v :knows ?u . ?w :knows ?u . :a :knows ?v, ?w }",
        "SELECT * { ?a :knows ?b OPTIONAL { :a :name ?n FILTER NOT EXISTS { ?b :knows ?c } :b :knows ?c } }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn exists_agrees() {
    for query in [
        "SELECT * { ?a a ?t FILTER EXISTS { ?a :knows ?b } }",
        "SELECT * { ?a a ?t FILTER NOT EXISTS { ?a :knows ?b } }",
        "SELECT * { ?a a ?t FILTER EXISTS { ?a :knows ?b . ?b :name ?n } }",
        "SELECT * { ?a a ?t FILTER NOT EXISTS { ?a :knows ?b . ?b :name ?n } }",
        "SELECT * { ?a :age ?x FILTER NOT EXISTS { ?b :age ?y FILTER(?y > ?x) } }",
        "SELECT * { ?a :age ?x FILTER EXISTS { ?b :age ?y . FILTER(?a != ?b && ?y = ?x) } }",
        "SELECT * { ?a :age ?x FILTER EXISTS { ?b :knows ?c { ?b :age ?y FILTER(?y = ?x) } } }",
        "SELECT * { ?a a ?t FILTER(EXISTS { ?a :mail ?m } || ?t = :Loner) }",
        "SELECT * { ?a a ?t BIND(EXISTS { ?a :knows ?c . ?c :knows ?d } AS ?e) }",
        "SELECT * { ?a a ?t FILTER EXISTS { SELECT ?a { ?a :knows ?b } } }",
        "SELECT * { ?a a ?t FILTER EXISTS { SELECT ?b { ?a :knows ?b } } }",
        "SELECT * { ?a a ?t FILTER EXISTS { { ?a :mail ?m } UNION { ?t :mail ?m } UNION { ?a :age 30 } } }",
        "SELECT * { ?a a ?t FILTER NOT EXISTS { ?a :knows ?b OPTIONAL { ?b :name ?n } FILTER(!BOUND(?n)) } }",
        "SELECT * { ?a a ?t FILTER EXISTS { ?a :knows ?b FILTER NOT EXISTS { ?b :name ?n } } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } FILTER EXISTS { ?b :mail ?m } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } FILTER NOT EXISTS { ?b :mail ?m FILTER(?b = ?a) } }",
        "SELECT * { ?a a ?t FILTER EXISTS { FILTER(?t = :Person) } }",
        "SELECT * { ?a a ?t FILTER EXISTS { ?x :mail ?y MINUS { ?a :mail ?y } } }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :knows ?b FILTER EXISTS { ?b :name ?n FILTER(?a != ?b) } } }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn values_bind_and_subselects_agree() {
    for query in [
        "SELECT * { VALUES ?a { :a :b :nobody } ?a :name ?n }",
        "SELECT * { ?a :name ?n VALUES (?a ?n) { (:a UNDEF) (UNDEF \"B\") (:d \"A\") } }",
        "SELECT * { VALUES (?a ?b) { (:a :b) (:a UNDEF) (UNDEF UNDEF) } ?a :knows ?b }",
        "SELECT * { ?a a ?t OPTIONAL { ?a :mail ?m } VALUES ?m { \"d@e\" } }",
        "SELECT * { ?a :age ?g BIND(?g + 1 AS ?h) FILTER(?h > 31) }",
        "SELECT * { ?a :age ?g BIND(?g + 1 AS ?h) ?b :age ?h }",
        "SELECT * { BIND(:a AS ?a) ?a :knows ?b }",
        "SELECT * { ?a :knows ?b { BIND(?a AS ?c) } }",
        "SELECT ?a ?c { ?a :name ?n { SELECT ?a (COUNT(?b) AS ?c) { ?a :knows ?b } GROUP BY ?a } }",
        "SELECT * { ?a a :Person { SELECT ?b { ?a :knows ?b } } }",
        "SELECT * { ?a a :Person { SELECT DISTINCT ?a { ?a :knows ?b } } }",
        "SELECT * { { SELECT ?a { ?a :age ?g } ORDER BY DESC(?g) ?a LIMIT 2 } ?a ?p ?o }",
        "SELECT DISTINCT ?t { ?a a ?t }",
        "SELECT REDUCED ?t { ?a a ?t }",
        "SELECT ?x ?t { ?a a ?t }",
        "SELECT * { ?a a ?t } LIMIT 0",
        "SELECT * { ?a a ?t } OFFSET 100",
        "SELECT (1 AS ?one) (?one + 1 AS ?two) {}",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn aggregates_agree() {
    for query in [
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
        "SELECT (COUNT(*) AS ?n) { ?s :nothing ?o }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
        "SELECT (COUNT(DISTINCT *) AS ?n) { ?s :knows ?o . ?o ?p ?q }",
        "SELECT (COUNT(*) AS ?n) { { SELECT DISTINCT ?s ?q { ?s :knows ?o . ?o ?p ?q } } }",
        "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
        "SELECT ?p (COUNT(?o) AS ?n) (COUNT(DISTINCT ?o) AS ?d) { ?s ?p ?o } GROUP BY ?p HAVING(COUNT(*) > 2)",
        "SELECT ?t (COUNT(?n) AS ?c) { ?a a ?t OPTIONAL { ?a :name ?n } } GROUP BY ?t",
        "SELECT ?t (MIN(?n) AS ?x) (MAX(?n) AS ?y) { ?a a ?t ; :name ?n } GROUP BY ?t",
        "SELECT ?t (SUM(?g) AS ?x) (AVG(?g) AS ?y) { ?a a ?t ; :age ?g } GROUP BY ?t",
        "SELECT (SUM(?g) AS ?x) { ?a a :Person ; :age ?g ; :knows ?k }",
        "SELECT (SUM(DISTINCT ?g) AS ?x) { ?a a :Person ; :age ?g ; :knows ?k }",
        "SELECT ?n (COUNT(*) AS ?x) { ?a :age ?g OPTIONAL { ?a :name ?n } } GROUP BY ?n",
        "SELECT ?x (COUNT(*) AS ?n) { ?a :age ?g } GROUP BY ?x",
        "SELECT ?x (COUNT(*) AS ?n) { ?a :nothing ?g } GROUP BY ?x",
        "SELECT ?t { ?a a ?t } GROUP BY ?t",
        "SELECT (AVG(?missing) AS ?n) { ?s ?p ?o }",
        "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n) LIMIT 1",
        "SELECT (GROUP_CONCAT(?n) AS ?x) { ?a a :Loner ; :name ?n }",
        "SELECT (COUNT(*) AS ?n) { ?d :knows ?a . ?d :knows ?b }",
        "SELECT (COUNT(*) AS ?n) { { ?d :knows ?a } UNION { ?d :name ?a } }",
        "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?b ?q ?c . ?c ?r ?d }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn named_graphs_agree() {
    for query in [
        "SELECT * { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * { GRAPH :g1 { ?s ?p ?o } }",
        "SELECT * { GRAPH :g3 { ?s ?p ?o } }",
        "SELECT * { GRAPH ?g {} }",
        "SELECT * { GRAPH :g1 {} }",
        "SELECT * { GRAPH :g3 {} }",
        "SELECT * { GRAPH ?g { ?s :likes ?o } . ?s :knows ?o }",
        "SELECT * { GRAPH ?g { ?s :likes ?o . ?s :knows ?x } }",
        "SELECT * { GRAPH ?g { ?s :likes ?o OPTIONAL { ?s :knows ?x } } }",
        "SELECT * { GRAPH ?g { ?s :likes ?o MINUS { ?s :knows ?x } } }",
        "SELECT * { GRAPH ?g { ?g :about ?o } }",
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
        "SELECT * { GRAPH ?g { ?s :likes+ ?o } }",
        "SELECT * { GRAPH ?g { :a :likes+ ?o } }",
        "SELECT * { GRAPH :g1 { :a :likes+ ?o } }",
        "SELECT * FROM :g1 { ?s ?p ?o }",
        "SELECT * FROM :g1 FROM :g2 { ?s ?p ?o }",
        "SELECT * FROM :g1 FROM :g2 { ?s :likes ?o . ?o :likes ?x }",
        "SELECT * FROM NAMED :g1 { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * FROM NAMED :g1 { ?s ?p ?o }",
        "SELECT * FROM :g1 FROM NAMED :g2 { ?s ?p ?o GRAPH ?g { ?s ?q ?r } }",
        "SELECT * FROM :g1 { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * { GRAPH ?g { ?a :likes ?b } GRAPH ?h { ?a :likes ?b } }",
        "SELECT * { GRAPH ?g { ?a :likes ?b } FILTER EXISTS { GRAPH ?g { ?b :likes ?c } } }",
    ] {
        agree(PEOPLE, query);
    }
    agree_in(PEOPLE, "SELECT * { ?s ?p ?o }", DefaultGraph::Union);
    agree_in(PEOPLE, "SELECT * { ?s :likes ?o . ?s :knows ?x }", DefaultGraph::Union);
}

#[test]
fn paths_agree() {
    for query in [
        "SELECT * { :a :knows+ ?x }",
        "SELECT * { ?x :knows+ :d }",
        "SELECT * { ?x :knows+ ?y }",
        "SELECT * { ?x :knows* ?y }",
        "SELECT * { ?x :knows? ?y }",
        "SELECT * { ?x :knows+ ?x }",
        "SELECT * { :a :knows* ?x }",
        "SELECT * { :a (:knows/:knows)+ ?x }",
        "SELECT * { :a (^:knows/:knows)+ ?x }",
        "SELECT * { :a (:knows|:name)* ?x }",
        "SELECT * { ?x (:knows/^:knows)? ?y }",
        "SELECT * { ?x !(:knows|:name) ?y }",
        "SELECT * { ?x !(:knows|^:name) ?y }",
        "SELECT * { :a :knows/:knows/:name ?x }",
        "SELECT * { :a ^:knows ?x }",
        "SELECT * { ?x a :Person . ?x :knows+ ?y . ?y :name ?n }",
        "SELECT * { ?x a :Person . ?y a :Robot . ?x :knows+ ?y }",
        "SELECT (COUNT(*) AS ?n) { ?x :knows+ ?y }",
        "ASK { :a :knows+ :d }",
        "SELECT * { ?a :age ?g OPTIONAL { ?a :knows+ ?b . ?b :mail ?m } }",
        "SELECT * { :a ((:knows+)/(:name?))* ?x }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn a_path_of_no_length_leads_from_a_term_that_no_graph_has_to_itself() {
    assert_eq!(ours(PEOPLE, "SELECT * { :nobody :knows* ?x }", DefaultGraph::Stored), ["<http://e/nobody>"]);
}

#[test]
fn an_alternative_that_holds_twice_counts_twice() {
    assert_eq!(ours(PEOPLE, "SELECT ?x { :a :knows|:knows ?x }", DefaultGraph::Stored).len(), 4);
}

#[test]
fn an_aggregate_in_a_graph_is_of_that_graph() {
    let rows = ours(PEOPLE, "SELECT * { GRAPH ?g { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } } }", DefaultGraph::Stored);
    let integer = "^^<http://www.w3.org/2001/XMLSchema#integer>";
    assert_eq!(rows, [format!("<http://e/g1> \"3\"{integer}"), format!("<http://e/g2> \"4\"{integer}")]);
}

#[test]
fn count_leaves_out_errors() {
    let rows = ours(PEOPLE, "SELECT (COUNT(?g + 1) AS ?x) { ?a :age ?g }", DefaultGraph::Stored);
    assert_eq!(rows, ["\"3\"^^<http://www.w3.org/2001/XMLSchema#integer>"]);
}

#[test]
fn filters_agree() {
    for query in [
        "SELECT * { ?a :age ?g FILTER(?g > 30) }",
        "SELECT * { ?a :age ?g FILTER(?g = 30) }",
        "SELECT * { ?a :age ?g FILTER(?g IN (30, 41)) }",
        "SELECT * { ?a ?p ?o FILTER(?p = :name) }",
        "SELECT * { ?a ?p ?o FILTER(?p IN (:name, :age)) }",
        "SELECT * { ?a ?p ?o FILTER(?o = \"B\") }",
        "SELECT * { ?a ?p ?o FILTER(?p != :knows && isIRI(?o)) }",
        "SELECT * { ?a :knows ?b FILTER(?a = ?b) }",
        "SELECT * { ?a :knows ?b . ?b :knows ?c FILTER(?a = ?c) }",
        "SELECT * { ?a :knows ?b . ?b :name ?n FILTER(?a = ?c) }",
        "SELECT * { ?a :name ?n FILTER(REGEX(?n, \"^a\", \"i\")) }",
        "SELECT * { ?a :name ?n { ?b :age ?g FILTER(?n = \"A\") } }",
        "SELECT * { FILTER(false) }",
        "SELECT * { FILTER(true) }",
        "SELECT * { ?a :name ?n FILTER(1 = 2) }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn construct_and_describe_agree() {
    for query in [
        "CONSTRUCT { ?b :known ?a } { ?a :knows ?b }",
        "CONSTRUCT { ?n :known ?a } { ?a :name ?n }",
        "CONSTRUCT WHERE { ?a :knows ?b }",
        "DESCRIBE :a",
        "DESCRIBE ?a { ?a a :Person }",
    ] {
        agree(PEOPLE, query);
    }
}

#[test]
fn order_and_slices_keep_the_order() {
    let snapshot = snapshot(PEOPLE);
    let budget = Budget::default();
    let text = "SELECT ?a ?g { ?a :age ?g FILTER(isNumeric(?g)) } ORDER BY DESC(?g) ?a LIMIT 2 OFFSET 1";
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(text).unwrap();
    let Answer::Solutions(solutions) =
        executor::evaluate(&snapshot, &query, DefaultGraph::Stored, run(&budget, &Failures::default())).unwrap()
    else {
        panic!("a SELECT gives solutions")
    };
    let rows: Vec<String> = solutions.rows.map(|row| row.unwrap()[0].clone().unwrap().to_string()).collect();
    assert_eq!(rows, ["<http://e/a>", "<http://e/c>"]);
}

#[test]
fn long_chains_of_operators_do_not_exhaust_the_stack() {
    let chain = |part: &str, glue: &str, count: usize| vec![part; count].join(glue);
    let long = 2000;
    for (query, expected) in [
        (format!("SELECT * {{ {} }}", chain("{ ?a :mail ?m }", " UNION ", long)), long),
        (format!("SELECT * {{ ?a :mail ?m {} }}", chain("OPTIONAL { ?a :name ?n }", " ", 500)), 1),
        (format!("SELECT * {{ ?a :mail ?m FILTER({}) }}", chain("?m = 1", " || ", long)), 0),
        (format!("SELECT * {{ ?a :mail ?m FILTER({}) }}", chain("BOUND(?m)", " && ", long)), 1),
        (format!("SELECT * {{ ?a :mail ?m {} }}", chain("MINUS { ?a :knows ?n }", " ", 500)), 1),
        (format!("SELECT (COUNT(*) AS ?n) {{ {} }}", chain("{ ?a :mail ?m }", " ", 500)), 1),
        (format!("SELECT ({} AS ?n) {{}}", chain("1", " + ", long)), 1),
    ] {
        let short: String = query.chars().take(60).collect();
        assert_eq!(ours(PEOPLE, &query, DefaultGraph::Stored).len(), expected, "{short}");
    }
}

#[test]
fn the_rows_of_a_query_that_nests_deep_are_counted_until_they_are_taken() {
    let data: String = (0..500).map(|n| format!(":s{n} :p {n} . ")).collect();
    let snapshot = snapshot(&data);
    let optionals: String = (0..100).map(|n| format!("OPTIONAL {{ ?s :p ?o{n} }} ")).collect();
    let query = parsed(&format!("SELECT * {{ ?s :p ?o {optionals} }}"));
    let rows_within = |budget: &Budget| {
        executor::evaluate(&snapshot, &query, DefaultGraph::Stored, run(budget, &Failures::default()))
    };
    let budget = Budget::default();
    let answer = rows_within(&budget).unwrap();
    assert!(budget.held() > 500 * 100 * 4, "{} bytes are counted", budget.held());
    assert_eq!(rows(answer).len(), 500);
    assert_eq!(budget.held(), 0);
    let scarce = Budget::new(Limits { memory: Some(100_000), ..Limits::default() });
    let refusal = rows_within(&scarce).err().and_then(|error| error.limit_passed());
    assert_eq!(refusal, Some(Exceeded::Memory(Work::Query)));
}

#[test]
fn a_join_of_many_patterns_is_planned_without_trying_all_orders() {
    let patterns: String = (0..300).map(|i| format!("?v{i} :knows ?v{} . ", i + 1)).collect();
    let star: String = (0..300).map(|i| format!(":b :knows ?w{i} . ")).collect();
    let data = ":a :knows :b . :b :knows :a .";
    assert_eq!(ours(data, &format!("ASK {{ {patterns} }}"), DefaultGraph::Stored), ["true"]);
    assert_eq!(ours(data, &format!("SELECT * {{ {patterns} }}"), DefaultGraph::Stored).len(), 2);
    assert_eq!(ours(data, &format!("SELECT * {{ {star} }}"), DefaultGraph::Stored).len(), 1);
}

/// Documents of two types with years and skewed creators, who have names; and who knows whom.
fn library() -> String {
    let mut data = String::new();
    let mut numbers = fastrand::Rng::with_seed(1);
    let mut random = |below: u64| numbers.u64(..below);
    for document in 0..200 {
        let year = 1990 + random(20);
        data.push_str(&format!(":d{document} a :T{} ; :issued {year} ; :title \"t{}\" .\n", random(2), random(90)));
        for _ in 0..1 + random(2) {
            let most = 1 + random(40);
            let skewed = random(most);
            data.push_str(&format!(":d{document} :creator :p{skewed} .\n"));
        }
    }
    for person in 0..40 {
        data.push_str(&format!(":p{person} a :Person ; :name \"n{}\" .\n", person / 2));
        for _ in 0..6 {
            let most = 1 + random(40);
            data.push_str(&format!(":p{person} :knows :p{} .\n", random(most)));
        }
    }
    data
}

#[test]
fn plans_for_many_rows_agree() {
    let data = library();
    for query in [
        "SELECT DISTINCT ?p ?n { ?a a :T0 . ?a :creator ?p . ?b a :T1 . ?b :creator ?p . ?p :name ?n }",
        "SELECT (COUNT(*) AS ?c) { ?a a :T0 . ?a :creator ?p . ?b a :T1 . ?b :creator ?p . ?p :name ?n }",
        "SELECT ?n (COUNT(*) AS ?c) { ?a a :T0 ; :creator ?p . ?b a :T1 ; :creator ?p . ?p :name ?n } GROUP BY ?n",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b . ?b :knows ?c . ?c :knows ?a }",
        "SELECT * { ?a :knows ?b . ?b :knows ?c . ?c :knows ?a }",
        "SELECT DISTINCT ?a { ?a :knows ?b . ?b :knows ?c . ?c :knows ?a }",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b . ?b :knows ?c . ?c :knows ?d . ?d :knows ?a . ?a :knows ?c }",
        "SELECT ?y ?d { ?d :issued ?y ; :creator ?p FILTER EXISTS { ?e a :T1 ; :issued ?z ; :creator ?p FILTER(?z > ?y) } }",
        "SELECT (COUNT(*) AS ?c) { ?d :creator ?p OPTIONAL { ?p :knows ?q . ?q :name \"n3\" } }",
        "SELECT ?d ?q { ?d :creator ?p OPTIONAL { ?p :knows ?q . ?q :name \"n3\" } }",
        "SELECT ?d { ?d :creator ?p MINUS { ?d a :T0 . ?p :knows ?q } }",
        "SELECT (COUNT(*) AS ?c) { ?d :issued ?y FILTER(?y > 1995 && ?y <= 2001) }",
        "SELECT (COUNT(*) AS ?c) { ?d :issued ?y ; :creator ?p FILTER(?y IN (1991, 1992, 2050)) }",
        "SELECT ?y (COUNT(DISTINCT ?p) AS ?c) { ?d :issued ?y ; :creator ?p } GROUP BY ?y",
        "SELECT (COUNT(*) AS ?c) { SELECT DISTINCT ?p ?y { ?d :creator ?p ; :issued ?y } }",
        "SELECT (COUNT(*) AS ?c) { ?d :title ?t . ?e :title ?t . ?d :creator ?p . ?e :creator ?p }",
        "SELECT (COUNT(*) AS ?c) { :p1 (^:creator/:creator)+ ?x }",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b . ?b :knows ?c . ?c :knows ?d . ?d :knows ?a }",
        "SELECT DISTINCT ?a ?c { ?a :knows ?b . ?b :knows ?c . ?c :knows ?d . ?d :knows ?a }",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b, ?c, ?d . ?b :knows ?c, ?d . ?c :knows ?d }",
        "SELECT * { ?a :knows ?b, ?c, ?d . ?b :knows ?c, ?d . ?c :knows ?d }",
        "SELECT (COUNT(*) AS ?c) { ?a :knows ?b, ?c . ?b :knows ?c, ?d . ?c :knows ?d }",
        "SELECT (COUNT(*) AS ?c) { ?d :creator ?a . ?a :name ?n }",
        "SELECT (COUNT(*) AS ?c) { ?d :creator ?a ; :creator ?b ; :issued ?y ; a ?t }",
        "SELECT (COUNT(*) AS ?c) { ?d :creator ?a OPTIONAL { ?a :knows ?b } }",
        "SELECT ?a (COUNT(*) AS ?c) { ?a :name ?n OPTIONAL { ?d :creator ?a } OPTIONAL { ?a :knows ?b } } GROUP BY ?a",
        "SELECT DISTINCT ?a { ?d :creator ?a . ?a :knows ?b ; :name ?n }",
        "SELECT ?d { ?d :creator ?a . ?a :knows ?b ; :name ?n . ?d a :T0 }",
        "SELECT (COUNT(*) AS ?c) { ?d :creator ?a . ?a :knows :p1 }",
        "SELECT ?d { ?d :issued ?y FILTER NOT EXISTS { ?e :issued ?z FILTER(?z < ?y) } }",
        "SELECT ?d ?p { ?d :issued ?y ; :creator ?p FILTER NOT EXISTS { ?e :issued ?z ; :creator ?p FILTER(?z < ?y) } }",
        "SELECT ?d ?p { ?d :issued ?y ; :creator ?p FILTER NOT EXISTS { ?e :issued ?z ; :creator ?p FILTER(?y <= ?z && ?e != ?d) } }",
        "SELECT ?d ?p { ?d :issued ?y ; :creator ?p OPTIONAL { ?e :issued ?z ; :creator ?q FILTER(?q = ?p && ?z > ?y) } FILTER(!BOUND(?q)) }",
        "SELECT ?p { ?p :name ?n FILTER EXISTS { ?d :creator ?p ; :issued ?y . ?e :issued ?y ; :creator ?q } }",
        "ASK { ?a a :T0 ; :creator ?p . ?b a :T1 ; :creator ?q . ?p :name ?n . ?q :name ?m FILTER(?n = ?m) }",
        "ASK { ?a a :T0 ; :creator ?p . ?q :name ?m FILTER(?p = ?m) }",
        "ASK { ?a a :T0 . ?p :name ?n . ?b a :T1 }",
        "SELECT (COUNT(*) AS ?c) { SELECT * { ?a a :T0 . ?p :name ?n } LIMIT 300 }",
        "SELECT (COUNT(*) AS ?c) { SELECT * { ?a a :T0 ; :creator ?p . ?b a :T1 ; :creator ?q . ?p :name ?n . ?q :name ?m FILTER(?n = ?m) } LIMIT 5000 }",
        "SELECT (COUNT(*) AS ?c) { SELECT ?n { ?p :name ?n . ?d :title ?t OPTIONAL { ?d :creator ?p } } OFFSET 10 LIMIT 9000 }",
        "SELECT (SUM(STRLEN(?t)) AS ?c) { ?d :title ?t }",
    ] {
        agree(&data, query);
    }
}

#[test]
fn a_construct_hears_within_a_batch_that_it_is_cancelled() {
    let data: String = (0..3000).map(|n| format!("<http://e/{n}> <http://e/p> {n} . ")).collect();
    let snapshot = snapshot(&data);
    let text = "CONSTRUCT { ?s <http://e/q> ?o } { ?s <http://e/p> ?o }";
    let query = SparqlParser::new().parse_query(text).unwrap();
    let budget = Budget::default();
    let Answer::Graph(mut triples) =
        executor::evaluate(&snapshot, &query, DefaultGraph::Stored, run(&budget, &Failures::default())).unwrap()
    else {
        panic!("it answers with a graph")
    };
    triples.0.next().unwrap().unwrap();
    budget.cancel();
    let more = triples.0.take_while(Result::is_ok).count();
    assert!(more < 100, "{more} more triples");
}

#[test]
fn a_service_is_refused_where_nobody_answers_it_and_one_with_a_variable_endpoint_is_named() {
    #[derive(Debug)]
    struct Nobody;
    impl Services for Nobody {
        fn select(&self, _: &NamedNode, _: &spargebra::Query) -> Result<(Vec<Variable>, Vec<Row>)> {
            Err(Error::io("the endpoint", &std::io::Error::other("is not there")))
        }
    }
    let snapshot = snapshot(PEOPLE);
    let budget = Budget::default();
    let nobody: Arc<dyn Services> = Arc::new(Nobody);
    let asked = |text: &str, services: Option<&Arc<dyn Services>>| {
        let query = SparqlParser::new().parse_query(text).unwrap();
        executor::evaluate(
            &snapshot,
            &query,
            DefaultGraph::Stored,
            Run { services, ..run(&budget, &Failures::default()) },
        )
        .map(rows)
    };
    let named = "SELECT * { SERVICE <http://e/sparql> { ?s ?p ?o } }";
    assert_eq!(asked(named, None).unwrap_err().kind(), Kind::Policy);
    let variable = asked("SELECT * { SERVICE ?where { ?s ?p ?o } }", Some(&nobody)).unwrap_err();
    assert!(variable.to_string().contains("SERVICE ?where"), "{variable}");
    // With SILENT, a failure becomes one solution that binds nothing.
    assert_eq!(asked(&named.replace("SERVICE", "SERVICE SILENT"), Some(&nobody)).unwrap(), ["- - -"]);
}

#[test]
fn a_sub_select_is_evaluated_in_each_of_thousands_of_graphs() {
    let data: String = (0..4200).map(|n| format!("<http://e/g{n}> {{ <http://e/s> <http://e/p> {n} }} ")).collect();
    let query = "SELECT (COUNT(*) AS ?c) { GRAPH ?g { SELECT (MAX(?o) AS ?m) { ?s <http://e/p> ?o } } }";
    let counted = ours(&data, query, DefaultGraph::Stored);
    assert_eq!(counted, ["\"4200\"^^<http://www.w3.org/2001/XMLSchema#integer>"]);
}

/// Whatever order the planner chooses, and whether solutions that agree count or not: what gives another value each time gives one for each
/// solution of the group that it stands in.
#[test]
fn volatile_functions_give_one_value_for_each_solution_of_their_group() {
    let data = "PREFIX : <http://e/> :a :p 1, 2, 3 ; :q 9 ; :t :T . :b :p 4, 5 ; :q 8 ; :t :T .";
    for (query, expected) in [
        ("SELECT (COUNT(DISTINCT ?u) AS ?n) { ?s :p ?o BIND(UUID() AS ?u) }", 5),
        ("SELECT (COUNT(DISTINCT STRUUID()) AS ?n) { ?s :p ?o }", 5),
        ("SELECT (COUNT(DISTINCT RAND()) AS ?n) { ?s :p ?o }", 5),
        ("SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s (UUID() AS ?u) { ?s :p ?o } }", 5),
        ("SELECT (COUNT(DISTINCT ?u) AS ?n) { { SELECT DISTINCT ?s { ?s :p ?z } } BIND(UUID() AS ?u) ?s :p ?o }", 2),
        ("SELECT (COUNT(DISTINCT ?u) AS ?n) { ?s :q ?z BIND(BNODE() AS ?u) ?s :p ?o }", 2),
        ("SELECT (COUNT(DISTINCT ?r) AS ?n) { ?x :q ?y { SELECT ?x (RAND() AS ?r) { ?x :t :T } } ?x :p ?o }", 2),
        ("SELECT (COUNT(DISTINCT ?u) AS ?n) { ?x :p ?o OPTIONAL { ?x :t ?t BIND(UUID() AS ?u) } }", 2),
        ("SELECT (COUNT(DISTINCT ?u) AS ?n) { ?x :p ?o { ?x :t :T BIND(UUID() AS ?u) } UNION { ?x :q ?y } }", 2),
    ] {
        let query = format!("PREFIX : <http://e/> {query}");
        let expected = format!("\"{expected}\"^^<http://www.w3.org/2001/XMLSchema#integer>");
        assert_eq!(ours(data, &query, DefaultGraph::Stored), [expected], "{query}");
    }
}
