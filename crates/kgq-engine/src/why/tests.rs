//! Witnesses of single rows, in the short forms of their statements.

use super::*;
use crate::{Answer, evaluate};
use oxrdfio::{RdfFormat, RdfParser};
use spargebra::SparqlParser;

fn snapshot(data: &str) -> Snapshot {
    let prefixed = format!("@prefix : <http://e/> .\n{data}");
    Snapshot::from_quads(RdfParser::from_format(RdfFormat::TriG).for_slice(&prefixed).map(Result::unwrap)).unwrap()
}

fn parsed(query: &str) -> Query {
    Query { algebra: SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap() }
}

fn short(text: &str) -> String {
    text.replace("http://e/", "")
        .replace("\"^^<http://www.w3.org/2001/XMLSchema#integer>", "")
        .replace(['<', '>', '"'], "")
}

fn statements(quads: &[Quad]) -> Vec<String> {
    quads.iter().map(|quad| short(&quad.to_string())).collect()
}

/// Returns the witness of the first row, of the first triple, or of a true answer.
fn first(data: &str, query: &str) -> Why {
    let (snapshot, query, options) = (snapshot(data), parsed(query), EvaluationOptions::default());
    match evaluate(&snapshot, &query, &options).unwrap() {
        Answer::Boolean(true) => why(&snapshot, &query, Item::True, &options),
        Answer::Boolean(false) => panic!("the answer is false"),
        Answer::Solutions(mut solutions) => {
            let row = solutions.rows.next().unwrap().unwrap();
            why(&snapshot, &query, Item::Row(&solutions.variables, &row), &options)
        }
        Answer::Graph(mut triples) => {
            let triple = triples.0.next().unwrap().unwrap();
            why(&snapshot, &query, Item::Triple(&triple), &options)
        }
    }
    .unwrap()
    .unwrap()
}

fn check(data: &str, query: &str, expected: &[&str]) {
    assert_eq!(statements(&first(data, query).statements), expected, "{query}");
}

const PEOPLE: &str =
    ":ada :knows :bob , :cid . :bob :knows :cid ; :age 41 . :cid :age 30 ; :knows :dan . :ada :name 'Ada' .";

#[test]
fn a_join_rests_on_the_statements_that_it_matched() {
    check(
        PEOPLE,
        "SELECT ?b { :ada :knows ?a . ?a :knows ?b . ?b :age ?n }",
        &["ada knows bob", "bob knows cid", "cid age 30"],
    );
}

#[test]
fn a_statement_that_is_not_needed_is_left_out() {
    let witness = first(PEOPLE, "SELECT ?a { ?a :knows ?b . ?a ?p ?o } ORDER BY ?a");
    assert_eq!((witness.statements.len(), witness.is_irredundant), (1, true));
}

#[test]
fn an_optional_that_matched_is_held_up_and_one_that_did_not_is_absent() {
    check(PEOPLE, "SELECT * { :bob :age ?n OPTIONAL { :bob :knows ?x } }", &["bob age 41", "bob knows cid"]);
    let witness = first(PEOPLE, "SELECT * { :ada :name ?n OPTIONAL { :ada :age ?x } }");
    assert_eq!(statements(&witness.statements), ["ada name Ada"]);
    assert!(!witness.is_irredundant);
    assert!(
        matches!(&witness.grounds[1], Ground::Absent { pattern } if short(pattern).contains("ada age ?x")),
        "{witness:?}"
    );
}

#[test]
fn what_makes_an_exception_of_an_absence_is_part_of_the_witness() {
    // Nobody older than Bob knows somebody who is not known by Ada: without one of the statements there would be somebody.
    let query = "SELECT ?a { ?a :name ?n FILTER NOT EXISTS { ?a :knows ?x FILTER NOT EXISTS { ?x :age ?y } } }";
    let witness = first(PEOPLE, query);
    let found = statements(&witness.statements);
    for needed in ["ada name Ada", "bob age 41", "cid age 30"] {
        assert!(found.contains(&needed.to_owned()), "{found:?}");
    }
}

#[test]
fn a_count_rests_on_all_members_and_a_maximum_on_the_one_that_decides() {
    check(PEOPLE, "SELECT (COUNT(?b) AS ?n) { :ada :knows ?b }", &["ada knows bob", "ada knows cid"]);
    check(PEOPLE, "SELECT (MAX(?n) AS ?m) { ?p :age ?n }", &["bob age 41"]);
    check(
        PEOPLE,
        "SELECT ?p (MIN(?n) AS ?m) { ?p :knows ?x . ?x :age ?n } GROUP BY ?p HAVING (MIN(?n) < 40) ORDER BY ?p",
        &["ada knows cid", "cid age 30"],
    );
    check(PEOPLE, "SELECT (COUNT(*) AS ?n) { :dan :knows ?b }", &[]);
}

#[test]
fn a_path_rests_on_the_steps_of_a_shortest_way() {
    check(PEOPLE, "SELECT * { :ada :knows+ :dan }", &["ada knows cid", "cid knows dan"]);
    check(PEOPLE, "ASK { :bob (^:knows/:knows)+ :bob }", &["ada knows bob"]);
    check(PEOPLE, "SELECT ?x { ?x :knows* ?x } ORDER BY ?x LIMIT 1", &["ada knows bob"]);
    check(PEOPLE, "ASK { :nobody :knows* :nobody }", &[]);
}

#[test]
fn a_sub_select_with_a_limit_rests_on_all_that_it_reads() {
    let witness = first(PEOPLE, "SELECT * { ?x :age ?n { SELECT ?x { ?x :age ?m } ORDER BY DESC(?m) LIMIT 1 } }");
    assert_eq!(statements(&witness.statements), ["bob age 41", "cid age 30"]);
    assert!(matches!(witness.grounds.last(), Some(Ground::Whole { statements: 2, .. })), "{witness:?}");
}

#[test]
fn what_an_optional_found_is_kept_where_something_outside_reads_it() {
    // Without `:a :q :c`, the row would come about without a match, and disappear with the other match.
    let data = ":a :p 1 ; :q :c , :d . :c :r 2 .";
    let query = "SELECT ?v ?t { ?v :p ?n OPTIONAL { ?v :q ?s } ?s :r ?t }";
    let witness = first(data, query);
    assert_eq!(statements(&witness.statements), ["a p 1", "a q c", "c r 2"]);
    assert!(!witness.is_irredundant);
    let apart = "SELECT ?v { ?v :p ?n OPTIONAL { ?v :q ?s OPTIONAL { ?s :r ?t } } }";
    assert!(first(data, apart).is_irredundant);
}

#[test]
fn a_graph_that_only_has_to_be_there_is_there_in_the_witness() {
    let data = ":g { :a :p :b } :h { :x :y :z }";
    check(data, "SELECT * { GRAPH :h { GRAPH :g { ?s :p ?o } } }", &["a p b g", "x y z h"]);
}

#[test]
fn what_a_sub_select_hides_is_no_variable_of_the_outside() {
    let query = "SELECT * { ?x :knows ?y { SELECT ?x { ?x :name ?y } } }";
    assert_eq!(statements(&first(PEOPLE, query).statements).len(), 2);
}

#[test]
fn graphs_blank_nodes_and_triple_terms_are_told() {
    let data = ":g { _:b :p 1 } :h { :a :q _:c . _:c :r 2 } <<( :s :p :o )>> :said :who .";
    let data = data.replace(
        "<<( :s :p :o )>> :said :who .",
        "{ _:r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :s :p :o )>> }",
    );
    let only = |query: &str| {
        let witness = first(&data, query);
        assert!(witness.is_irredundant, "{query}");
        witness.statements.len()
    };
    assert_eq!(only("SELECT * { GRAPH ?g { ?b :p ?n } }"), 1);
    assert_eq!(only("SELECT * { GRAPH :h { :a :q [ :r ?n ] } }"), 2);
    assert_eq!(only("SELECT * { GRAPH ?g { } } ORDER BY ?g"), 1);
    assert_eq!(only("SELECT * { ?r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :s ?p ?o )>> }"), 1);
}

#[test]
fn constructed_and_described_triples_are_explained() {
    check(
        PEOPLE,
        "CONSTRUCT { ?a :older ?n } { ?a :name ?x ; :knows ?b . ?b :age ?n } ORDER BY ?n",
        &["ada name Ada", "ada knows cid", "cid age 30"],
    );
    check(":a :p _:b . _:b :q 1 .", "DESCRIBE :a", &["a p _:b"]);
}

#[test]
fn a_row_that_is_not_there_has_no_witness_and_what_is_computed_anew_is_passed_over() {
    let (snapshot, options) = (snapshot(PEOPLE), EvaluationOptions::default());
    let query = parsed("SELECT ?x (RAND() AS ?r) { ?x :name ?n }");
    let Answer::Solutions(mut solutions) = evaluate(&snapshot, &query, &options).unwrap() else { panic!() };
    let mut row = solutions.rows.next().unwrap().unwrap();
    assert!(why(&snapshot, &query, Item::Row(&solutions.variables, &row), &options).unwrap().is_some());
    row[0] = None;
    assert!(why(&snapshot, &query, Item::Row(&solutions.variables, &row), &options).unwrap().is_none());
}

#[test]
fn rows_that_show_blank_nodes_through_expressions_are_explained() {
    for query in [
        "SELECT (?x AS ?n) { :a :p ?x }",
        "SELECT * { :a :p ?x . ?x (:q|:p)* ?y } ORDER BY ?y",
        "SELECT ?g ?x { :a :p ?x }",
    ] {
        assert!(first(":a :p _:b . _:b :q 1 .", query).is_irredundant, "{query}");
    }
}

#[test]
fn an_undefined_value_is_no_term_that_removes_the_row() {
    let query = "SELECT * { ?a :name ?n MINUS { VALUES (?n) { (UNDEF) } } }";
    assert_eq!(statements(&first(PEOPLE, query).statements), ["ada name Ada"]);
}

#[test]
fn each_way_to_a_row_has_a_witness_of_its_own() {
    let (snapshot, options) = (snapshot(PEOPLE), EvaluationOptions::default());
    let all = |query: &str, most| {
        let query = parsed(query);
        let Answer::Solutions(mut solutions) = evaluate(&snapshot, &query, &options).unwrap() else { panic!() };
        let row = solutions.rows.next().unwrap().unwrap();
        let found = witnesses(&snapshot, &query, Item::Row(&solutions.variables, &row), &options, most).unwrap();
        found.iter().map(|why| statements(&why.statements)).collect::<Vec<_>>()
    };
    let query = "SELECT DISTINCT ?b { ?a :knows ?b . ?b :age 30 }";
    let mut found = all(query, 9);
    found.iter_mut().for_each(|statements| statements.sort());
    found.sort();
    assert_eq!(found, [["ada knows cid", "cid age 30"], ["bob knows cid", "cid age 30"]]);
    assert_eq!(all(query, 1).len(), 1);
    // Solutions that are based on the same statements are one way.
    assert_eq!(all("SELECT DISTINCT ?a { ?a :name ?n . { } UNION { } }", 9).len(), 1);
    assert_eq!(all("SELECT (COUNT(*) AS ?n) { ?a :knows ?b }", 9).len(), 1);
}

#[test]
fn members_of_a_group_with_an_optional_are_told_one_by_one() {
    let query = "SELECT ?a (COUNT(?n) AS ?c) { ?a :knows ?b OPTIONAL { ?b :age ?n } } GROUP BY ?a ORDER BY ?a";
    let witness = first(PEOPLE, query);
    let mut found = statements(&witness.statements);
    found.sort();
    assert_eq!(found, ["ada knows bob", "ada knows cid", "bob age 41", "cid age 30"]);
    assert!(matches!(witness.grounds.first(), Some(Ground::Members(members)) if members.len() == 2), "{witness:?}");
    // What puts a solution into another group keeps it out of this one.
    let query = "SELECT ?n (COUNT(*) AS ?c) { ?b :knows ?x OPTIONAL { ?b :age ?n } } GROUP BY ?n ORDER BY ?n";
    let unbound = first(PEOPLE, query);
    assert!(statements(&unbound.statements).contains(&"bob age 41".to_owned()), "{unbound:?}");
    // A condition on what OPTIONAL found drops solutions that would exist without it.
    let query = "SELECT (COUNT(*) AS ?c) { ?b :knows ?x OPTIONAL { ?b :age ?n } FILTER(!BOUND(?n)) }";
    assert!(matches!(first(PEOPLE, query).grounds.last(), Some(Ground::Whole { .. })));
    // Each way along a path of several steps counts.
    let query = "SELECT (COUNT(*) AS ?c) { :ada :knows/:knows ?x }";
    assert!(matches!(first(PEOPLE, query).grounds.last(), Some(Ground::Members(members)) if members.len() == 2));
}
