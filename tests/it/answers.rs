//! `kgq test` on small projects: wrong answers of each kind are detected, and reported by row and cell.

use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

const DATA: &str = "@prefix : <http://e/> .\n:a a :Thing ; :n 1 . :b a :Thing ; :n 2.50 . [] :knows [ :knows :a ] .\n";
const QUERIES: [(&str, &str); 4] = [
    ("queries/numbers.rq", "SELECT ?thing ?n { ?thing <http://e/n> ?n } ORDER BY ?n"),
    (
        "queries/has.rq",
        "#+ params:\n#+   thing: {type: iri, default: \"http://e/a\"}\nASK { $thing a <http://e/Thing> }",
    ),
    ("queries/known.rq", "CONSTRUCT { ?x <http://e/k> ?y } { ?x <http://e/knows> ?y }"),
    ("queries/untested.rq", "ASK { ?x <http://e/n> 1 }"),
];
const RIGHT: [(&str, &str); 4] = [
    ("tests/answers/numbers.csv", "thing,n\nhttp://e/a,1\nhttp://e/b,2.5\n"),
    ("tests/answers/has.json", r#"{"head": {}, "boolean": true}"#),
    ("tests/answers/has.other.json", r#"{"params": {"thing": "http://e/c"}, "head": {}, "boolean": false}"#),
    ("tests/answers/known.ttl", "_:1 <http://e/k> _:2 . _:2 <http://e/k> <http://e/a> ."),
];

fn project(answers: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ontology = "<http://e/Thing> a <http://www.w3.org/2000/01/rdf-schema#Class> . <http://e/old> a <http://www.w3.org/1999/02/22-rdf-syntax-ns#Property> .";
    let fixed = [("kgq.toml", "name = \"x\""), ("ontology/o.ttl", ontology), ("data/d.ttl", DATA)];
    for (name, text) in fixed.iter().chain(&QUERIES).chain(answers) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn kgq(dir: &TempDir, arguments: &[&str], ci: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
    command.arg("-C").arg(dir.path()).args(arguments).env_remove("CI");
    if ci {
        command.env("CI", "true");
    }
    command.output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn right_answers_pass_and_what_has_none_is_listed() {
    let output = kgq(&project(&RIGHT), &["test"], false);
    assert_eq!(
        lines(&output),
        [
            "no answer is expected of untested in tests/answers",
            "no query or answer touches :old",
            "4 answers passed, 0 failed"
        ]
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_wrong_table_truth_value_and_graph_are_caught_by_row_and_cell() {
    let wrong = [
        ("tests/answers/numbers.csv", "thing,n\nhttp://e/a,1\nhttp://e/b,2.6\n"),
        ("tests/answers/has.json", r#"{"head": {}, "boolean": false}"#),
        ("tests/answers/known.ttl", "_:1 <http://e/k> _:2 . _:2 <http://e/k> <http://e/b> ."),
    ];
    let output = kgq(&project(&wrong), &["test"], false);
    let first: Vec<String> = lines(&output).into_iter().filter(|line| line.starts_with("failed")).collect();
    assert_eq!(first[0], "failed has: expected false, found true");
    assert!(first[1].starts_with("failed known: ") && first[1].contains(":k: expected :b, found :a"), "{}", first[1]);
    assert_eq!(
        first[2],
        "failed numbers: row 2, column n: expected \"2.6\", found \"2.50\"^^<http://www.w3.org/2001/XMLSchema#decimal>"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn rows_in_another_order_than_order_by_gives_are_wrong() {
    let turned = [("tests/answers/numbers.csv", "thing,n\nhttp://e/b,2.5\nhttp://e/a,1\n")];
    let output = kgq(&project(&turned), &["test", "--filter", "numb"], false);
    assert!(lines(&output)[0].starts_with("failed numbers: row 1, column n: expected \"2.5\""), "{:?}", lines(&output));
}

#[test]
fn accepted_answers_pass_from_then_on_and_ci_accepts_nothing() {
    let wrong = [
        ("tests/answers/numbers.csv", "# a remark\nthing,n\n"),
        ("tests/answers/has.other.json", r#"{"params": {"thing": "http://e/c"}, "head": {}, "boolean": true}"#),
    ];
    let dir = project(&wrong);
    let refused = kgq(&dir, &["test", "--accept"], true);
    assert_eq!(refused.status.code(), Some(6));
    assert_eq!(kgq(&dir, &["test"], false).status.code(), Some(1));
    let accepted = kgq(&dir, &["test", "--accept"], false);
    assert_eq!(accepted.status.code(), Some(0), "{:?}", lines(&accepted));
    let text = fs::read_to_string(dir.path().join("tests/answers/numbers.csv")).unwrap();
    assert_eq!(text, "# a remark\nthing,n\nhttp://e/a,1\nhttp://e/b,2.50\n");
    let after = kgq(&dir, &["test"], false);
    assert_eq!(lines(&after).last().unwrap(), "4 answers passed, 0 failed");
}

#[test]
fn a_query_that_stops_with_an_error_is_told_where_its_answer_should_be_accepted() {
    let dir = project(&[("queries/many.rq", "SELECT * { VALUES ?x { 1 2 3 4 5 } }")]);
    let output = kgq(&dir, &["test", "--accept", "--max-rows", "4"], false);
    assert_eq!(output.status.code(), Some(1), "{:?}", lines(&output));
    assert!(
        lines(&output).iter().any(|l| l.starts_with("failed many") && l.contains("more than 4 rows")),
        "{:?}",
        lines(&output)
    );
    assert!(!dir.path().join("tests/answers/many.csv").exists());
}

#[test]
fn a_case_of_no_query_and_a_broken_case_fail() {
    let wrong = [("tests/answers/nubmers.csv", "thing,n\n"), ("tests/answers/has.json", "{")];
    let output = kgq(&project(&wrong), &["test"], false);
    let first: Vec<String> = lines(&output).into_iter().filter(|line| line.starts_with("failed")).collect();
    assert!(first[0].starts_with("failed has: tests/answers/has.json:1:"), "{}", first[0]);
    assert!(first[1].contains("nubmers.csv is of no canned query"), "{}", first[1]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_canned_query_of_the_shipped_project_answers_as_expected() {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(env!("CARGO_BIN_EXE_kgq")).args(["-C", root, "test"]).output().unwrap();
    let lines = lines(&output);
    let wrong: Vec<&String> = lines.iter().filter(|l| l.starts_with("failed") || l.starts_with("no answer")).collect();
    assert_eq!(wrong, Vec::<&String>::new());
    assert_eq!(output.status.code(), Some(0));
}
