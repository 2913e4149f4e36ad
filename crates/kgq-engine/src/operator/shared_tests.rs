//! Parts of a plan that are made once: the answers are those of plans that share nothing, and what may differ each time is not shared.

use crate::Failures;
use crate::executor::{Run, prepare};
use crate::oxigraph::DefaultGraph;
use crate::tests::{agree, snapshot};
use kgq_syntax::budget::{Budget, Limits};
use spargebra::SparqlParser;

/// Nodes with a value each, of which some are linked with others.
fn data(nodes: u32) -> String {
    let node = |n: u32| {
        format!(
            ":n{n} :value {} ; :next :n{}, :n{} ; :kind :k{} . ",
            n * 7 % 101,
            n * 3 % nodes,
            (n + 1) % nodes,
            n % 9
        )
    };
    (0..nodes).map(node).collect()
}

/// The plan of a run, with what was counted in it.
fn analyzed(data: &str, query: &str, budget: &Budget) -> String {
    let snapshot = snapshot(data);
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let run = Run { budget, services: None, failures: &Failures::default(), temporary: None };
    prepare(&snapshot, &query, DefaultGraph::Stored, run).unwrap().analyze(run).unwrap()
}

const AVERAGE: &str = "{ SELECT (AVG(?w) AS ?average) { ?a :next ?b . ?b :next ?c . ?c :value ?w } }";

#[test]
fn a_part_that_stands_in_two_branches_is_made_once() {
    let query = format!(
        "SELECT ?x {{ {{ ?x :value ?v . {AVERAGE} FILTER(?v > ?average) }} UNION {{ ?x :kind :k1 ; :value ?v . {AVERAGE} FILTER(?v < ?average) }} }}"
    );
    let plan = analyzed(&data(1500), &query, &Budget::default());
    assert!(plan.contains("part 1, made once for 2 places"), "{plan}");
    assert!(plan.contains("the rows of part 1"), "{plan}");
    assert_eq!(plan.matches("group by").count(), 1, "{plan}");
    agree(&data(1500), &query);
}

#[test]
fn a_sub_select_with_variables_of_its_own_is_the_same_as_the_pattern_outside() {
    let join = "?a :next ?b . ?b :next ?c . ?c :kind :k1";
    for query in [
        format!("SELECT * {{ {{ SELECT ?a ?c {{ {join} }} }} MINUS {{ SELECT ?a ?c {{ {join} . ?a :kind :k2 }} }} }}"),
        format!(
            "SELECT * {{ {{ SELECT DISTINCT ?c {{ {join} }} }} OPTIONAL {{ {{ SELECT DISTINCT ?c {{ {join} }} }} ?d :kind ?c }} }}"
        ),
        format!(
            "SELECT (COUNT(*) AS ?n) {{ {{ SELECT DISTINCT (?a AS ?x) {{ {join} }} }} UNION {{ SELECT DISTINCT (?a AS ?y) {{ {join} }} }} }}"
        ),
        format!(
            "SELECT ?x {{ {{ ?x :value 3 }} UNION {{ ?x :value 4 }} FILTER EXISTS {{ SELECT ?x {{ ?x :kind ?c . {join} }} }} }}"
        ),
        format!(
            "SELECT ?c {{ {{ SELECT DISTINCT ?c {{ {join} }} }} UNION {{ SELECT DISTINCT ?c {{ {join} }} }} }} LIMIT 1000000"
        ),
    ] {
        agree(&data(300), &query);
    }
    let renamed = format!(
        "SELECT (COUNT(*) AS ?n) {{ {{ SELECT DISTINCT (?a AS ?x) {{ {join} }} }} UNION {{ SELECT DISTINCT (?a AS ?y) {{ {join} }} }} }}"
    );
    let plan = analyzed(&data(3000), &renamed, &Budget::default());
    assert!(plan.contains("made once for 2 places"), "{plan}");
}

#[test]
fn what_may_differ_each_time_is_not_made_once() {
    let part = "{ SELECT (MAX(?r) AS ?m) { ?a :next ?b . ?b :next ?c BIND(RAND() AS ?r) } }";
    let query = format!("SELECT ?m {{ {part} UNION {part} }}");
    let plan = analyzed(&data(1500), &query, &Budget::default());
    assert_eq!(plan.matches("group by").count(), 2, "{plan}");
}

#[test]
fn rows_beyond_the_memory_are_kept_in_a_file() {
    let part = "{ SELECT DISTINCT ?a ?c { ?a :next ?b . ?b :next ?c } }";
    let query = format!("SELECT (COUNT(*) AS ?n) {{ {part} UNION {part} }}");
    let plan = analyzed(&data(1500), &query, &Budget::default());
    assert!(plan.contains("made once for 2 places"), "{plan}");
    agree(&data(1500), &query);
    let limits = Limits { memory: Some(150_000), ..Limits::default() };
    let small = analyzed(&data(1500), &query, &Budget::new(limits));
    let counted = |plan: &str| {
        plan.lines()
            .find(|line| line.contains("union"))
            .and_then(|line| line.split("got ").nth(1)?.split(' ').next().map(str::to_owned))
    };
    assert_eq!(counted(&small), counted(&plan), "{small}");
}

/// An EXISTS whose group is the same for each binding, and whose inner filter reads the row.
fn correlated(kind: &str) -> String {
    format!(
        "SELECT ?x {{ ?x :value ?v FILTER {kind} {{ ?x :next ?y {{ SELECT ?y (MAX(?w) AS ?m) {{ ?y :next ?z . ?z :value ?w }} GROUP BY ?y }} {{ ?y :value ?u FILTER(?u > ?v) }} }} }}"
    )
}

#[test]
fn what_does_not_depend_on_the_row_of_an_exists_is_made_once() {
    let others = [
        "SELECT ?x { ?x :value ?v FILTER EXISTS { { SELECT ?y { ?y :next ?z . ?z :kind :k1 } } { ?x :next ?y FILTER(?v > 50) } } }",
        "SELECT ?x { ?x :value ?v FILTER EXISTS { ?x :next ?y MINUS { ?y :kind ?k . ?z :kind ?k ; :value 7 } FILTER EXISTS { ?y :value ?u FILTER(?u < ?v) } } }",
        "SELECT ?x (EXISTS { ?x :next ?y { SELECT ?y (COUNT(*) AS ?n) { ?y :next ?z } GROUP BY ?y } { ?y :value ?u FILTER(?u > ?v) } } AS ?e) { ?x :value ?v }",
        "SELECT ?x { ?x :value ?v FILTER EXISTS { ?x :next ?y OPTIONAL { { SELECT ?y (MIN(?w) AS ?m) { ?y :next/:value ?w } GROUP BY ?y } FILTER(?m > ?v) } FILTER(BOUND(?m)) } }",
    ];
    for query in [correlated("EXISTS"), correlated("NOT EXISTS")].iter().map(String::as_str).chain(others) {
        agree(&data(120), query);
    }
    let plan = analyzed(&data(1500), &correlated("EXISTS"), &Budget::default());
    let group = plan.lines().find(|line| line.contains("group by")).unwrap_or_else(|| panic!("{plan}"));
    assert!(plan.contains("made once"), "{plan}");
    assert!(group.contains("got 1500 "), "{plan}");
}

#[test]
fn what_does_not_fit_into_the_memory_is_made_for_each_binding() {
    let limits = Limits { memory: Some(150_000), ..Limits::default() };
    let counted = |budget: &Budget| {
        let plan = analyzed(&data(400), &correlated("EXISTS"), budget);
        assert!(plan.contains("made once"), "{plan}");
        plan.lines()
            .find(|line| line.contains("exists"))
            .and_then(|line| line.split("got ").nth(1)?.split(' ').next().map(str::to_owned))
    };
    assert_eq!(counted(&Budget::new(limits)), counted(&Budget::default()));
}
