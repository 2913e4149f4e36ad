//! Oxigraph's evaluator over a snapshot: graphs, lexical forms, made terms and limits.

use super::*;
use crate::Limits;
use kgq_syntax::budget::Clock;
use kgq_syntax::error::Kind;
use oxrdfio::{RdfFormat, RdfParser};
use spargebra::SparqlParser;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn snapshot(trig: &str) -> Snapshot {
    let prefixed = format!("PREFIX : <http://e/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> {trig}");
    let quads = RdfParser::from_format(RdfFormat::TriG).for_slice(prefixed.as_bytes());
    Snapshot::from_quads(quads.map(Result::unwrap)).unwrap()
}

/// Returns the solutions as sorted lines of terms, or `true` or `false`, or sorted triples.
fn answer(snapshot: &Snapshot, query: &str, default_graph: DefaultGraph) -> Vec<String> {
    let query = SparqlParser::new()
        .with_prefix("", "http://e/")
        .unwrap()
        .with_prefix("xsd", "http://www.w3.org/2001/XMLSchema#")
        .unwrap()
        .parse_query(query)
        .unwrap();
    let budget = Budget::default();
    let mut lines: Vec<String> = match evaluate(snapshot, &query, default_graph, &budget, None).unwrap() {
        Answer::Boolean(value) => vec![value.to_string()],
        Answer::Graph(triples) => triples.0.map(|triple| triple.unwrap().to_string()).collect(),
        Answer::Solutions(solutions) => solutions
            .rows
            .map(|row| {
                let row = row.unwrap();
                let cells = row.iter().map(|cell| cell.as_ref().map_or("-".into(), ToString::to_string));
                cells.collect::<Vec<String>>().join(" ").replace("http://e/", ":")
            })
            .collect(),
    };
    lines.sort();
    lines
}

fn check(trig: &str, query: &str, expected: &[&str]) {
    assert_eq!(answer(&snapshot(trig), query, DefaultGraph::Stored), expected, "{query}");
}

#[test]
fn lexical_forms_are_kept() {
    check(
        r#":s :p 01, 1, "1"^^xsd:decimal ."#,
        "SELECT ?o { ?s ?p ?o FILTER(?o = 1) }",
        &[
            "\"01\"^^<http://www.w3.org/2001/XMLSchema#integer>",
            "\"1\"^^<http://www.w3.org/2001/XMLSchema#decimal>",
            "\"1\"^^<http://www.w3.org/2001/XMLSchema#integer>",
        ],
    );
    check(":s :p 01, 1 .", "SELECT ?s { ?s :p 01 }", &["<:s>"]);
    check(":s :p 1 .", "SELECT ?s { ?s :p 01 }", &[]);
}

#[test]
fn every_pattern_of_bound_places_is_matched() {
    let data = ":a :p :b, :c . :b :p :c . :b :q :a . :g { :a :p :b . :c :q :b } :h { :a :p :b }";
    let snapshot = snapshot(data);
    for mask in 0..8 {
        let place = |bit: u32, bound: &str, free: &str| if mask & bit == 0 { free.into() } else { String::from(bound) };
        let pattern = format!("{} {} {}", place(1, ":a", "?s"), place(2, ":p", "?p"), place(4, ":b", "?o"));
        for graph in ["", "GRAPH :g", "GRAPH ?g"] {
            let selective = format!("SELECT (COUNT(*) AS ?n) {{ {graph} {{ {pattern} }} }}");
            let mut broad = String::from("?s ?p ?o ");
            if mask & 1 != 0 {
                broad.push_str("FILTER(?s = :a) ");
            }
            if mask & 2 != 0 {
                broad.push_str("FILTER(?p = :p) ");
            }
            if mask & 4 != 0 {
                broad.push_str("FILTER(?o = :b) ");
            }
            let broad = format!("SELECT (COUNT(*) AS ?n) {{ {graph} {{ {broad} }} }}");
            for default_graph in [DefaultGraph::Stored, DefaultGraph::Union] {
                let (a, b) = (answer(&snapshot, &selective, default_graph), answer(&snapshot, &broad, default_graph));
                assert_eq!(a, b, "{selective}");
            }
        }
    }
}

#[test]
fn the_default_graph_is_strictly_the_default_graph() {
    let data = ":a :p 1 . :g { :b :p 1 . :a :p 1 } _:h { :c :p 1 }";
    check(data, "SELECT ?s { ?s :p 1 }", &["<:a>"]);
    check(data, "SELECT ?s { GRAPH :g { ?s :p 1 } }", &["<:a>", "<:b>"]);
    check(data, "SELECT ?s { GRAPH ?g { ?s :p 1 } }", &["<:a>", "<:b>", "<:c>"]);
    check(data, "SELECT ?s { GRAPH :absent { ?s :p 1 } }", &[]);
    check(data, "ASK { GRAPH :g {} }", &["true"]);
    check(data, "ASK { GRAPH :absent {} }", &["false"]);
}

#[test]
fn the_union_of_all_graphs_has_a_triple_once() {
    let data = snapshot(":a :p 1 . :g { :b :p 1 . :a :p 1 } :h { :b :p 1 }");
    assert_eq!(answer(&data, "SELECT ?s { ?s :p 1 }", DefaultGraph::Union), ["<:a>", "<:b>"]);
}

#[test]
fn from_merges_graphs_and_hides_the_others() {
    let data = ":a :p 1 . :g { :b :p 1 } :h { :b :p 1 . :c :p 1 } :i { :d :p 1 }";
    check(data, "SELECT ?s FROM :g FROM :h { ?s :p 1 }", &["<:b>", "<:c>"]);
    check(data, "SELECT ?s FROM :g { ?s :p 1 }", &["<:b>"]);
    check(data, "SELECT ?s FROM :absent { ?s :p 1 }", &[]);
    check(data, "SELECT ?s FROM :g { GRAPH ?g { ?s :p 1 } }", &[]);
    check(data, "SELECT ?s FROM NAMED :g { ?s :p 1 }", &[]);
    check(data, "SELECT ?g ?s FROM NAMED :g FROM NAMED :i { GRAPH ?g { ?s :p 1 } }", &["<:g> <:b>", "<:i> <:d>"]);
    check(data, "SELECT ?s FROM NAMED :g { GRAPH :h { ?s :p 1 } }", &[]);
}

#[test]
fn triple_terms_are_matched_and_taken_apart() {
    let data = ":r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :a :p 1 )>> .";
    check(data, "SELECT ?r { ?r ?p <<( :a :p 1 )>> }", &["<:r>"]);
    check(data, "SELECT ?r { ?r ?p <<( :a :p 2 )>> }", &[]);
    check(data, "SELECT ?s { ?r ?p ?t BIND(SUBJECT(?t) AS ?s) }", &["<:a>"]);
}

#[test]
fn a_computed_term_joins_with_a_stored_one() {
    check(":a :p 3 . :b :q 2 .", "SELECT ?s { :b :q ?n BIND(?n + 1 AS ?m) ?s :p ?m }", &["<:a>"]);
    check(":b :q 2 .", "SELECT (?n + 5 AS ?m) { :b :q ?n }", &["\"7\"^^<http://www.w3.org/2001/XMLSchema#integer>"]);
}

/// A clock that advances by a second each time it is read.
#[derive(Debug, Default)]
struct Looks(AtomicU64);

impl Clock for Looks {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn a_cross_product_stops_when_its_time_is_up() {
    let data = snapshot(&(0..200).map(|i| format!(":s{i} :p {i} . ")).collect::<String>());
    let query = "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?t ?h . ?i ?u ?j }";
    let query = SparqlParser::new().parse_query(query).unwrap();
    let limits = Limits { time: Some(Duration::from_secs(100)), ..Limits::default() };
    let clock = Arc::new(Looks::default());
    let budget = Budget::of(Work::Query, limits, Arc::clone(&clock) as Arc<dyn Clock>);
    let result = evaluate(&data, &query, DefaultGraph::Stored, &budget, None);
    let error = match result {
        Ok(Answer::Solutions(mut solutions)) => solutions.rows.next().unwrap().unwrap_err(),
        Ok(_) => panic!("a SELECT has solutions"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), Kind::Limit);
    let looks = clock.0.load(Ordering::Relaxed);
    assert!(looks >= 100, "{looks} looks at the clock, of which the hundredth is too late");
}

#[test]
fn service_is_refused() {
    let query = SparqlParser::new().parse_query("SELECT * { SERVICE <http://e/> { ?s ?p ?o } }").unwrap();
    let budget = Budget::default();
    let data = snapshot("");
    let error = match evaluate(&data, &query, DefaultGraph::Stored, &budget, None) {
        Ok(Answer::Solutions(mut solutions)) => solutions.rows.next().unwrap().unwrap_err(),
        Ok(_) => panic!("a SELECT has solutions"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), Kind::Policy);
}
