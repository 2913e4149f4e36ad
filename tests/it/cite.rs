//! The statements behind a row, and their sources: each kind of pattern on minimal data.

use kgq_engine::Answer;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::error::Source;
use std::fs;

const DATA: &str = r#"
PREFIX : <http://e/>
PREFIX oa: <http://www.w3.org/ns/oa#>
PREFIX prov: <http://www.w3.org/ns/prov#>
:c1 oa:hasSource :doc . :c2 oa:hasSource :doc . :c3 oa:hasSource :doc . :c4 oa:hasSource :doc .
:a :p :b ~ :s1 {| prov:wasDerivedFrom :c1 |} .
:b :p :c ~ :s2 {| prov:wasDerivedFrom :c2 |} .
:a :q 1 ~ :s3 {| prov:wasDerivedFrom :c3 |} .
:b :q 2 ~ :s4 {| prov:wasDerivedFrom :s3, :c4 |} .
:c :q 3 .
"#;

/// For each row: its values, the citations behind it, and how many of its statements are uncited.
fn check(query: &str, expected: &[(&str, &str, usize)]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("d.ttl");
    fs::write(&file, DATA).unwrap();
    let options = OpenOptions {
        folder: dir.path().to_owned(),
        files: vec![file.to_str().unwrap().to_owned()],
        ..OpenOptions::default()
    };
    let session = Graph::open(options).unwrap();
    let text = format!("PREFIX : <http://e/> {query}");
    let query = session.parse(Source::new("q", &text)).unwrap();
    let Answer::Solutions(solutions) = session.evaluate(&query).unwrap() else { panic!("not a table") };
    let variables = solutions.variables.clone();
    let rows: Vec<_> = solutions.rows.collect::<Result<_, _>>().unwrap();
    let audit = session.audit().unwrap();
    let sources = session.row_sources(&audit, &query, &variables, &rows).unwrap();
    let local = |text: String| text.replace("http://e/", "").replace(['<', '>'], "");
    let found: Vec<(String, String, usize)> = rows
        .iter()
        .zip(&sources)
        .map(|(row, sources)| {
            let cells = row.iter().map(|t| {
                t.as_ref().map_or("-".to_owned(), |t| match t {
                    oxrdf::Term::Literal(literal) => literal.value().to_owned(),
                    other => local(other.to_string()),
                })
            });
            let mut citations: Vec<String> = sources.citations.iter().map(|c| local(c.to_string())).collect();
            citations.sort();
            (cells.collect::<Vec<_>>().join(" "), citations.join(" "), sources.uncited.len())
        })
        .collect();
    let found: Vec<(&str, &str, usize)> = found.iter().map(|(a, b, n)| (a.as_str(), b.as_str(), *n)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_row_rests_on_the_triples_its_patterns_matched() {
    check("SELECT ?x ?y { ?x :p ?y } ORDER BY ?x", &[("a b", "c1", 0), ("b c", "c2", 0)]);
}

#[test]
fn an_inference_brings_the_citations_of_its_grounds() {
    check("SELECT ?n { :b :q ?n }", &[("2", "c3 c4", 0)]);
}

#[test]
fn a_statement_without_a_citation_is_counted() {
    check("SELECT ?n { :c :q ?n }", &[("3", "", 1)]);
}

#[test]
fn optional_counts_only_where_it_matched() {
    check("SELECT ?x ?z { ?x :p ?y OPTIONAL { ?y :p ?z } } ORDER BY ?x", &[("a c", "c1 c2", 0), ("b -", "c2", 0)]);
}

#[test]
fn union_counts_the_branch_that_matched() {
    check(
        "SELECT ?x ?k { { ?x :p :b BIND('p' AS ?k) } UNION { ?x :q 1 BIND('q' AS ?k) } } ORDER BY ?k",
        &[("a p", "c1", 0), ("a q", "c3", 0)],
    );
}

#[test]
fn a_path_brings_every_triple_along_it() {
    check("SELECT ?x { :a :p+ ?x } ORDER BY ?x", &[("b", "c1", 0), ("c", "c1 c2", 0)]);
    check("SELECT ?x { ?x ^:p/:q ?n FILTER(?n = 1) }", &[("b", "c1 c3", 0)]);
}

#[test]
fn an_aggregate_rests_on_the_members_of_its_group() {
    check("SELECT (COUNT(?x) AS ?n) { ?x :p ?y }", &[("2", "c1 c2", 0)]);
    check(
        "SELECT ?y (SUM(?n) AS ?m) { ?x :p ?y ; :q ?n } GROUP BY ?y ORDER BY ?y",
        &[("b 1", "c1 c3", 0), ("c 2", "c2 c3 c4", 0)],
    );
}

#[test]
fn what_a_sub_select_hides_joins_nothing_by_accident() {
    check(
        "SELECT ?x ?y { ?x :p ?y { SELECT ?x { ?x :q ?y } } } ORDER BY ?x",
        &[("a b", "c1 c3", 0), ("b c", "c2 c3 c4", 0)],
    );
}

#[test]
fn what_exists_found_is_a_ground_of_the_row() {
    check("SELECT ?x { ?x :q ?n FILTER EXISTS { ?x :p :b } }", &[("a", "c1 c3", 0)]);
}

#[test]
fn a_blank_node_of_the_query_matches_like_a_variable() {
    check("SELECT ?x { ?x :p [ :q 2 ] }", &[("a", "c1 c3 c4", 0)]);
}
