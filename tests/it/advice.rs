//! Why an answer is empty, and what is said before a query runs: by the cases of `tests/cases/empty-answers.txt`, and of the
//! shipped queries nothing.

use kgq_graph::advice::{Asked, codes};
use kgq_graph::session::{Session, SessionOptions};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::RdfFormat;
use std::collections::BTreeSet;
use std::path::PathBuf;

const DATA: &str = r#"
@prefix : <http://e/> .
@prefix other: <http://o/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:miit a :Ministry ; rdfs:label "Ministry of Industry"@en , "工信部"@zh ; :leads :telecoms ; :staff 1500 ; :code "MIIT" .
:mof a :Ministry ; rdfs:label "Ministry of Finance"@en , "财政部"@zh ; :leads :banking ; :staff 1200 ; :code "MOF" .
:banking a :Sector ; :partOf :services .
:telecoms a :Sector ; :partOf :services .
:services a :Sector .
:graph { :press :said "hello" }
"#;

fn session() -> Session {
    let options = SessionOptions {
        files: vec!["-".into()],
        stdin: Some(DATA.into()),
        input_format: Some(RdfFormat::TriG),
        ..SessionOptions::default()
    };
    Session::open(options).unwrap()
}

/// What is found in a query: codes, and all messages as they are printed.
fn diagnose(
    session: &Session,
    text: &str,
    why: impl Fn(&Asked<'_>) -> Vec<kgq_graph::advice::Finding>,
) -> (Vec<&'static str>, String) {
    let source = Source::new("<query>", text);
    let query = session.parse(source).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let options = session.evaluation_options();
    let asked = Asked {
        source,
        query: &query,
        snapshot: session.snapshot().unwrap(),
        prefixes: session.prefixes().unwrap(),
        options: &options,
    };
    let found = why(&asked);
    let shown = found.iter().map(|f| f.error.render(false)).collect();
    (found.iter().map(|f| f.code).collect(), shown)
}

fn cases() -> Vec<(String, String, String)> {
    let text = include_str!("../cases/empty-answers.txt");
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
    lines
        .chunks(2)
        .map(|pair| {
            let (code, words) = pair[1].split_once(" ~ ").expect("a case has a code and words");
            (pair[0].to_owned(), code.to_owned(), words.to_owned())
        })
        .collect()
}

#[test]
fn every_empty_answer_says_why() {
    let session = session();
    let known: BTreeSet<&str> = codes().iter().map(|(code, _)| *code).collect();
    let mut wrong = Vec::new();
    for (text, code, words) in cases() {
        assert!(known.contains(code.as_str()), "{code} is no code");
        let (codes, shown) = diagnose(&session, &text, |asked| asked.why_empty());
        if codes.first() != Some(&code.as_str()) || !shown.contains(&words) || !shown.contains("^") {
            wrong.push(format!("{text}\n  wanted {code} ~ {words}\n  got {codes:?}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases().len() >= 25);
}

#[test]
fn an_answer_without_data_says_that_there_are_none() {
    let options = SessionOptions {
        files: vec!["-".into()],
        stdin: Some(Vec::new()),
        input_format: Some(RdfFormat::Turtle),
        ..SessionOptions::default()
    };
    let session = Session::open(options).unwrap();
    assert_eq!(diagnose(&session, "SELECT * { ?s ?p ?o }", |asked| asked.why_empty()).0, ["empty-dataset"]);
}

#[test]
fn a_query_that_has_rows_names_its_unknown_terms() {
    let text = "SELECT * { ?m a :Ministry OPTIONAL { ?m :led ?x } }";
    let (codes, shown) = diagnose(&session(), text, |asked| asked.unknown_terms());
    assert_eq!(codes, ["unknown-property"], "{shown}");
    let right = "SELECT * { ?m a :Ministry OPTIONAL { ?m :leads ?x } FILTER(datatype(?x) != xsd:string) }";
    assert_eq!(diagnose(&session(), right, |asked| asked.unknown_terms()).0, [""; 0]);
}

#[test]
fn a_misspelt_variable_is_pointed_at() {
    let (codes, shown) =
        diagnose(&session(), "SELECT ?label { ?m rdfs:label ?label FILTER(lang(?lable) = 'en') }", |asked| {
            asked.mistakes()
        });
    assert_eq!(codes, ["out-of-scope"], "{shown}");
    assert!(shown.contains("did you mean `?label`?"), "{shown}");
}

#[test]
fn a_name_of_select_in_having_is_told_what_to_write_instead() {
    let text = "SELECT ?m (COUNT(DISTINCT ?l) AS ?n) { ?m rdfs:label ?l } GROUP BY ?m HAVING(?n > 50) ORDER BY ?n";
    let (codes, shown) = diagnose(&session(), text, |asked| asked.mistakes());
    assert_eq!(codes, ["having-alias"], "{shown}");
    assert!(shown.contains("HAVING does not see ?n"), "{shown}");
    assert!(shown.contains("write `COUNT(DISTINCT ?l)` in place of ?n"), "{shown}");
    assert!(shown.contains(&format!(":{}:", text.find("?n > 50").unwrap() + 1)), "{shown}");
}

#[test]
fn not_equal_is_warned_of_only_where_a_subject_can_have_several_values() {
    let several = "SELECT ?m { ?m rdfs:label ?l FILTER(?l != '财政部'@zh) }";
    assert_eq!(diagnose(&session(), several, |asked| asked.mistakes()).0, ["not-equal"]);
    let single = "SELECT ?m { ?m :code ?l FILTER(?l != 'MOF') }";
    assert_eq!(diagnose(&session(), single, |asked| asked.mistakes()).0, [""; 0]);
}

#[test]
fn the_shipped_queries_have_no_usual_mistakes() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let session = Session::open(SessionOptions { folder: root, ..SessionOptions::default() }).unwrap();
    let mut said = String::new();
    for canned in &session.catalog().unwrap().queries {
        let (codes, shown) = diagnose(&session, &canned.text, |asked| asked.mistakes());
        if !codes.is_empty() {
            said.push_str(&format!("{}: {codes:?}\n{shown}", canned.name));
        }
    }
    assert!(said.is_empty(), "{said}");
}
