//! Each usual mistake, and what is not a mistake.

use super::*;
use kgq_syntax::budget::{Clock, Limits, Work};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn codes(text: &str) -> Vec<&'static str> {
    let algebra = spargebra::SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(text).unwrap();
    lint(&Query { algebra }, &Budget::default()).iter().map(|lint| lint.code).collect()
}

#[test]
fn each_usual_mistake_has_its_code() {
    for (text, expected) in [
        ("SELECT * { ?a :p ?b . ?c :q ?d }", "cross-product"),
        ("SELECT ?x ?nmae { ?x :p ?name }", "never-bound"),
        ("SELECT * { ?x :p ?n OPTIONAL { ?x :q ?m { ?m :r ?o FILTER(?n > 1) } } }", "out-of-scope"),
        ("SELECT ?x (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY ?x HAVING(?n > 1)", "having-alias"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?y :q ?z } ?z :r ?w }", "optional-first"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?x :q ?z } OPTIONAL { ?x :r ?z } }", "optional-shadows"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?x :q ?z } OPTIONAL { ?x :r ?z } } ORDER BY ?y", "optional-shadows"),
        ("SELECT ?x { ?x :p ?t FILTER(?t != :a) }", "not-equal"),
        ("SELECT ?x { ?x :p ?t FILTER(LANG(?t) = 'en-GB') }", "language-case"),
        ("SELECT ?x { ?x :p ?t FILTER(LANG(?t) NOT IN ('en', 'zh-Hant')) }", "language-case"),
        ("SELECT * { ?x :p+ ?y }", "unbounded-path"),
        ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?z) }", "used-once"),
        ("SELECT ?x { ?x :p ?name } ORDER BY ?nmae", "never-bound"),
        ("SELECT ?x { ?x :p ?name } ORDER BY DESC(LCASE(?nmae))", "never-bound"),
        ("SELECT (COUNT(*) AS ?n) { ?x :p ?name } GROUP BY ?nmae", "never-bound"),
        ("SELECT (COUNT(?nmae) AS ?n) { ?x :p ?name }", "never-bound"),
        ("SELECT ?x { ?x :p ?name FILTER(?nmae > 1) }", "out-of-scope"),
        ("SELECT ?x { ?x :p ?y } GROUP BY ?x HAVING(COUNT(?yy) > 1)", "never-bound"),
        ("CONSTRUCT { ?x a :C ; :n ?nmae } { ?x :p ?name }", "never-bound"),
    ] {
        assert_eq!(codes(text), [expected], "{text}");
        assert!(CODES.iter().any(|(code, _)| *code == expected), "{expected}");
    }
}

#[test]
fn what_is_right_has_none() {
    for text in [
        "SELECT * { ?a :p ?b . ?b :q ?d }",
        "SELECT ?x { ?x :p ?y }",
        "SELECT ?x (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY ?x ORDER BY DESC(?n) STR(?x)",
        "SELECT (STR(?y) AS ?n) { ?x :p ?y } ORDER BY ?n",
        "SELECT ?l (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY (LCASE(?y) AS ?l)",
        "SELECT * { ?a :p ?b . ?c :q ?d FILTER(?b = ?d) }",
        "SELECT * { ?a :p [ :q ?c ] . VALUES ?z { 1 } }",
        "SELECT (COUNT(*) AS ?n) ?x { ?x :p ?y } GROUP BY ?x HAVING(COUNT(*) > 1)",
        "SELECT * { ?x :p ?y FILTER NOT EXISTS { ?x :q ?z FILTER(?z > ?y) } }",
        "SELECT * { ?x a :C ; :p+ ?y }",
        "SELECT * { { ?x :p ?y } UNION { ?x :q ?z } ?x a :C }",
        "SELECT * { ?x :p/:q ?y }",
        "SELECT * { GRAPH ?g { ?a :p ?b . ?c :q ?b } BIND(?b AS ?z) }",
        "SELECT * { ?x :p+ ?x } ORDER BY ?x",
        "SELECT * { ?a :p ?b . ?c :q ?d . ?b :r ?c . ?d :s ?e }",
        "SELECT * { VALUES ?v { 1 2 } ?a :p ?b . ?b :t/:u ?v . ?b :q/:r ?d FILTER(?d > 1) }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?x :l ?l } }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?x :l ?l } } ORDER BY ?y",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?w :knows ?x ; :l ?l } }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :l ?l FILTER(LANG(?l) = 'en') } OPTIONAL { ?y :l ?l } }",
    ] {
        assert_eq!(codes(text), [""; 0], "{text}");
    }
}

/// Counts how often the time is looked at, which each part of a query does once.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Clock for Counting {
    fn now(&self) -> Duration {
        self.0.fetch_add(1, Ordering::Relaxed);
        Duration::ZERO
    }
}

#[test]
fn each_part_of_many_optionals_is_looked_at_once() {
    let looks = |many: usize| {
        let optionals: String = (0..many).map(|n| format!("OPTIONAL {{ ?s :p{n} ?o{n} }} ")).collect();
        let text = format!("SELECT * {{ {optionals} }}");
        let algebra = spargebra::SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(&text).unwrap();
        let clock = Arc::new(Counting::default());
        let limits = Limits { time: Some(Duration::from_secs(1)), ..Limits::default() };
        let budget = Budget::of(Work::Query, limits, clock.clone());
        assert_eq!(lint(&Query { algebra }, &budget), []);
        clock.0.load(Ordering::Relaxed)
    };
    let (some, twice) = (looks(100), looks(200));
    assert!(some > 100 && twice < some * 3, "{some} {twice}");
}

#[test]
fn a_budget_that_is_used_up_ends_the_search() {
    let text = "SELECT * { ?a <http://e/p> ?b . ?c <http://e/q> ?d }";
    let algebra = spargebra::SparqlParser::new().parse_query(text).unwrap();
    let budget = Budget::default();
    budget.cancel();
    assert_eq!(lint(&Query { algebra }, &budget), []);
}
