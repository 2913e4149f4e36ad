//! Explanations of empty answers and warnings before a query runs: the cases of `tests/cases/empty-answers.txt`, and no findings
//! for the shipped queries.

use kgq_engine::{Budget, Limits};
use kgq_graph::advice::{AdviceRequest, Allowance, codes};
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::RdfFormat;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

const DATA: &str = r#"
@prefix : <http://e/> .
@prefix other: <http://o/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:miit a :Ministry ; rdfs:label "Ministry of Industry"@en , "工信部"@zh ; :leads :telecoms ; :staff 1500 ; :code "MIIT" .
:mof a :Ministry ; rdfs:label "Ministry of Finance"@en , "财政部"@zh ; :leads :banking ; :staff 1200 ; :code "MOF" ;
  :founded "1949-10-01"^^xsd:date ; :motto "For the people"@en-GB .
:banking a :Sector ; :partOf :services .
:telecoms a :Sector ; :partOf :services .
:services a :Sector .
:graph { :press :said "hello" }
"#;

fn session() -> Graph {
    session_of(DATA)
}

fn session_of(data: &str) -> Graph {
    let options = OpenOptions {
        files: vec!["-".into()],
        stdin: Some(data.into()),
        input_format: Some(RdfFormat::TriG),
        ..OpenOptions::default()
    };
    Graph::open(options).unwrap()
}

/// The advice on a query: codes, and all messages as they are printed.
fn diagnose(
    session: &Graph,
    text: &str,
    why: impl Fn(&AdviceRequest<'_>) -> Vec<kgq_graph::advice::Diagnostic>,
) -> (Vec<&'static str>, String) {
    diagnose_within(&Budget::default(), session, text, why)
}

fn diagnose_within(
    budget: &Budget,
    session: &Graph,
    text: &str,
    why: impl Fn(&AdviceRequest<'_>) -> Vec<kgq_graph::advice::Diagnostic>,
) -> (Vec<&'static str>, String) {
    let source = Source::new("<query>", text);
    let query = session.parse(source).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let options = session.evaluation_options();
    let asked = AdviceRequest {
        source,
        query: &query,
        snapshot: session.snapshot().unwrap(),
        prefixes: session.prefixes().unwrap(),
        options: &options,
        budget: &Allowance::new(budget),
    };
    let found = why(&asked);
    let shown = found.iter().map(|f| f.error.render(false)).collect();
    (found.iter().map(|f| f.code).collect(), shown)
}

/// A function that gives advice about a query.
type Why = fn(&AdviceRequest<'_>) -> Vec<kgq_graph::advice::Diagnostic>;

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
fn values_of_other_types_are_looked_at_within_what_advice_may_take() {
    let graph = session_of("<http://e/a> <http://e/n> 1 , \"two\" .");
    let text = "SELECT ?s { ?s <http://e/n> ?n FILTER(?n < 5) }";
    assert_eq!(diagnose(&graph, text, |asked| asked.incomparable()).0, ["incomparable"]);
    let over = Budget::default();
    over.cancel();
    assert_eq!(diagnose_within(&over, &graph, text, |asked| asked.incomparable()).0, [""; 0]);
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
    assert!(cases().len() >= 50);
}

#[test]
fn ordinary_queries_are_not_warned_of() {
    let session = session();
    let queries: Vec<&str> = include_str!("../cases/ordinary-queries.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .collect();
    let mut wrong = String::new();
    for text in &queries {
        let both: [Why; 2] = [|asked| asked.mistakes(), |asked| asked.unknown_terms()];
        for why in both {
            let (codes, shown) = diagnose(&session, text, why);
            if !codes.is_empty() {
                wrong.push_str(&format!("{text}\n{shown}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(queries.len() >= 60);
}

#[test]
fn ten_findings_are_told_and_the_rest_counted() {
    let session = session();
    let names = |n: usize| (0..n).map(|i| format!("<urn:n{i}>")).collect::<Vec<_>>();
    for text in [
        format!("SELECT * {{ ?x ?p ?o FILTER(?x IN ({})) }}", names(400).join(",")),
        format!("SELECT * {{ VALUES ?x {{ {} }} ?x ?p ?o }}", names(400).join(" ")),
        format!(
            "SELECT * {} {{ GRAPH ?g {{ ?s ?p ?o }} }}",
            names(400).join(" FROM NAMED ").replacen('<', "FROM NAMED <", 1)
        ),
    ] {
        let both: [Why; 2] = [|asked| asked.why_empty(), |asked| asked.unknown_terms()];
        for why in both {
            let (codes, shown) = diagnose(&session, &text, why);
            assert_eq!(codes.len(), 10, "{}", &text[..80]);
            assert!(shown.contains("and 390 more"), "{shown}");
        }
    }
}

/// The work spent on comparing names is bounded for every query.
#[test]
fn advice_ends_when_its_time_is_up_or_nobody_wants_it() {
    let session = session();
    let text = "SELECT * { ?m a :Ministry ; :partOf ?x }";
    let source = Source::new("<query>", text);
    let query = session.parse(source).unwrap();
    let options = session.evaluation_options();
    let late = Budget::new(Limits { time: Some(Duration::ZERO), ..Limits::default() });
    let unwanted = Budget::default();
    unwanted.cancel();
    for budget in [late, unwanted] {
        let asked = AdviceRequest {
            source,
            query: &query,
            snapshot: session.snapshot().unwrap(),
            prefixes: session.prefixes().unwrap(),
            options: &options,
            budget: &Allowance::new(&budget),
        };
        assert!(asked.why_empty().is_empty());
    }
    assert_eq!(diagnose(&session, text, |asked| asked.why_empty()).0, ["not-of-class"]);
}

#[test]
fn a_word_of_two_characters_is_not_offered_for_another() {
    let data = "@prefix : <http://e/> . :a :部门 :厦门 . :b :区 :厦门市 .";
    let session = session_of(data);
    let (codes, shown) =
        diagnose(&session, "PREFIX : <http://e/> SELECT * { ?a :部门 :部门 . ?a :厦门 ?x }", |asked| {
            asked.unknown_terms()
        });
    assert_eq!(codes, ["unknown-property"], "{shown}");
    assert!(!shown.contains("did you mean"), "{shown}");
}

#[test]
fn carets_stand_at_the_pattern_and_at_the_expression_meant() {
    let prologue = "PREFIX e: <http://e/>\nPREFIX leads: <http://e/leads>\nSELECT ?m\n";
    for (pattern, place) in [
        ("{ ?m <http://e/leads> e:mof }", ":4:3:"),
        ("{ ?m e:staff ?n FILTER(?n > 1) FILTER(?n > 9000) }", ":4:32:"),
        ("{ ?m e:leadss e:mof }", ":4:6:"),
        ("{ ?m a e:Ministry ; e:code 'it\\'s' }", ":4:21:"),
    ] {
        let (codes, shown) = diagnose(&session(), &format!("{prologue}{pattern}"), |asked| asked.why_empty());
        assert!(shown.contains(place), "{codes:?} {shown}");
    }
    // The FILTER of the branch does not see ?p, which BIND may use.
    let text =
        "SELECT ?s {\n?a :leads ?p .\n{ ?p :partOf ?q } UNION { ?q a :Sector FILTER(?p = ?q) }\nBIND(STR(?p) AS ?s) }";
    let (codes, shown) = diagnose(&session(), text, |asked| asked.mistakes());
    assert_eq!(codes, ["out-of-scope"], "{shown}");
    assert!(shown.contains(":3:47:"), "{shown}");
}

#[test]
fn an_answer_without_data_says_that_there_are_none() {
    let options = OpenOptions {
        files: vec!["-".into()],
        stdin: Some(Vec::new()),
        input_format: Some(RdfFormat::Turtle),
        ..OpenOptions::default()
    };
    let session = Graph::open(options).unwrap();
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
    let session = Graph::open(OpenOptions { folder: root, ..OpenOptions::default() }).unwrap();
    let mut said = String::new();
    for canned in &session.catalog().unwrap().queries {
        let (codes, shown) = diagnose(&session, &canned.text, |asked| asked.mistakes());
        if !codes.is_empty() {
            said.push_str(&format!("{}: {codes:?}\n{shown}", canned.name));
        }
    }
    assert!(said.is_empty(), "{said}");
}
