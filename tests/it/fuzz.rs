//! Random inputs of other tools: grlc headers, executables in Turtle, queries full of unknown terms. Each is read, or refused
//! with a message, and stays within its limits. `KGQ_HEADERS`, `KGQ_EXECUTABLES` and `KGQ_ADVICE` set how many.

use super::dice::Dice;
use super::program;
use kgq_engine::{Budget, Limits};
use kgq_graph::advice::{AdviceRequest, Allowance};
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::budget::{Clock, Work};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::RdfFormat;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A clock that stands still and counts how often it is read.
#[derive(Debug, Default)]
struct Standing(AtomicUsize);

impl Clock for Standing {
    fn now(&self) -> Duration {
        self.0.fetch_add(1, Ordering::Relaxed);
        Duration::ZERO
    }
}

const KEYS: [&str; 15] = [
    "summary",
    "endpoint",
    "mime",
    "method",
    "tags",
    "defaults",
    "enumerate",
    "pagination",
    "transform",
    "parameters",
    "optional",
    "endpoint_in_url",
    "title",
    "description",
    "type",
];

/// Values that resemble YAML.
const VALUES: [&str; 30] = [
    "x",
    "\"y",
    "[a, b",
    "{a: b",
    "- a\n#+  - b: [1]",
    "- p: <http://ex.org/a>",
    "a: b: c",
    "*x",
    "&a b",
    "!!int \"x\"",
    "null",
    "~",
    "1e999",
    "\t",
    "|\n#+   long\n#+   text",
    ">",
    "{",
    "[]",
    "\"\\u0000\"",
    "\u{202e}",
    "éééééééééé",
    "- p: {name: 1}",
    "%",
    "@x",
    "- - - -",
    "? a",
    "{? a}",
    "<<: *b",
    "\"\\x\"",
    "\u{85}z",
];

const VARIABLES: [&str; 18] = [
    "?_p",
    "?__p",
    "?_p_iri",
    "?_p_integer",
    "?_p_en",
    "?_p_xsd_date",
    "?_p_unknown",
    "?_",
    "?__",
    "?___",
    "?_p_",
    "?__p_literal",
    "?_p_iri_iri",
    "?_1",
    "?_p_ex_C",
    "?_é_iri",
    "?_p_number",
    "?_p_@en",
];

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn one<'a>(random: &mut Dice, of: &[&'a str]) -> &'a str {
    of[random.below(of.len())]
}

/// A query with a grlc header.
fn with_header(random: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..random.below(8) {
        let value = one(random, &VALUES);
        match random.below(5) {
            0 => writeln!(text, "#+{value}").unwrap(),
            _ => writeln!(text, "#+ {}: {value}", one(random, &KEYS)).unwrap(),
        }
    }
    let predicate = [":p", "?q", one(random, &VARIABLES)][random.below(3)];
    let (object, filtered) = (one(random, &VARIABLES), one(random, &VARIABLES));
    let end = [String::new(), format!("FILTER({filtered} > 1)"), "{".to_owned()];
    let end = &end[random.below(3)];
    text + &format!("PREFIX : <http://ex.org/> SELECT * {{ ?s {predicate} {object} . {end} }}")
}

const QUERIES: [&str; 11] = [
    "SELECT * { ?s ?p ?o }",
    "ASK { ?s :p ?o }",
    "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
    "SELECT * {",
    "",
    "\\u0000",
    "SELECT $this { $this :p ?x }",
    "DESCRIBE ?x { ?x :p ?y }",
    "INSERT DATA { :a :b :c }",
    "SELECT\\n *\\n {\\n ?s foo:bar ?o }",
    "\\U0001F600 {",
];

const CLASSES: [&str; 5] = [
    "sh:SPARQLExecutable",
    "sh:SPARQLSelectExecutable, sh:SPARQLExecutable",
    "sh:SPARQLAskExecutable",
    "sh:SPARQLConstructExecutable",
    "sh:SPARQLUpdateExecutable",
];

const PROPERTIES: [&str; 10] = [
    "sh:select",
    "sh:ask",
    "sh:construct",
    "sh:prefixes",
    "rdfs:comment",
    "rdfs:label",
    "schema:keywords",
    "sh:update",
    "schema:target",
    "sh:order",
];

const PREFIXES: [&str; 6] = [
    "<http://ex.org/o>",
    "[ sh:declare [ sh:prefix \"\" ; sh:namespace \"http://ex.org/\"^^xsd:anyURI ] ]",
    "[ sh:declare [ sh:prefix \"x y\" ; sh:namespace \"a b\" ] ]",
    "\"z\"",
    "[]",
    "[ sh:declare 1 ]",
];

/// A file of executables.
fn executables(random: &mut Dice) -> String {
    let mut text = String::from(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix schema: <https://schema.org/> . @prefix : <http://ex.org/> .\n",
    );
    for i in 0..1 + random.below(3) {
        let subjects = [format!(":q{i}"), "[]".into(), format!("<http://ex.org/a/b#%20{i}>"), format!("<urn:x:é{i}>")];
        write!(text, "{} a {}", subjects[random.below(4)], one(random, &CLASSES)).unwrap();
        for _ in 0..random.below(5) {
            let property = one(random, &PROPERTIES);
            let query = one(random, &QUERIES);
            let values = [
                format!("\"{query}\""),
                format!("\"\"\"{query}\"\"\""),
                format!("'{query}'"),
                format!("\"{query}\"@en"),
                "1".into(),
                "<http://ex.org/x>".into(),
                "(\"a\" \"b\")".into(),
            ];
            let value = if property == "sh:prefixes" { one(random, &PREFIXES) } else { &values[random.below(7)] };
            write!(text, " ; {property} {value}").unwrap();
        }
        text.push_str(" .\n");
    }
    text
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kgq.toml", "name = \"f\"\nbase = \"http://ex.org/\"\n");
    for below in ["data", "queries"] {
        std::fs::create_dir(folder.path().join(below)).unwrap();
    }
    write("data/a.ttl", "@prefix : <http://ex.org/> . :a a :C ; :p \"x\"@en, 1 .\n");
    folder
}

/// Runs commands in the project: each ends with a documented exit code, and reports what is wrong if it fails.
fn try_all(folder: &Path, text: &str, commands: &[&[&str]]) {
    for command in commands {
        let ran = program::run(folder, command);
        let told = format!("{command:?} of\n{text}\n{ran:?}");
        assert!(matches!(ran.code, 0 | 1 | 3), "{told}");
        assert!(!ran.stderr.contains("panicked"), "{told}");
        assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty(), "not a word: {told}");
    }
}

#[test]
fn any_header_of_grlc_is_read_or_refused_in_words() {
    let folder = project();
    for seed in 0..number("KGQ_HEADERS", 12) {
        let text = with_header(&mut Dice::of_state(seed));
        std::fs::write(folder.path().join("queries/q.rq"), &text).unwrap();
        try_all(folder.path(), &text, &[&["queries"], &["check"], &["run", "q", "-F", "json"]]);
    }
}

#[test]
fn any_file_of_executables_is_read_or_refused_in_words() {
    let folder = project();
    for seed in 0..number("KGQ_EXECUTABLES", 12) {
        let text = executables(&mut Dice::of_state(seed));
        std::fs::write(folder.path().join("queries/q.ttl"), &text).unwrap();
        try_all(folder.path(), &text, &[&["queries"], &["check"]]);
    }
}

/// A query with up to thousands of terms that do not occur in the data.
fn of_unknown_terms(random: &mut Dice) -> String {
    let count = 1 << random.below(13);
    let kind = random.below(3);
    let term = |i: usize| match kind {
        0 => format!("<http://e/thnig{i}>"),
        1 => format!("\"thnig {i}\"@en"),
        _ => format!("<urn:{i}:{}>", "x".repeat(i % 200)),
    };
    let all = |between: &str| (0..count).map(term).collect::<Vec<_>>().join(between);
    match random.below(6) {
        0 => format!("SELECT * {{ ?s ?p ?o FILTER (?o IN ({})) }}", all(", ")),
        1 => format!("SELECT * {{ VALUES ?o {{ {} }} ?s ?p ?o }}", all(" ")),
        2 => format!("SELECT * {{ ?s ?p {} }}", all(", ")),
        3 => format!("SELECT * {{ ?s ?p ?o FILTER (?o = {}) }}", all(" || ?o = ")),
        4 => format!("SELECT * {{ {{ ?s ?p {} }} }}", all(" } UNION { ?s ?p ")),
        _ => {
            let graphs: String = (0..count).map(|i| format!("FROM NAMED <http://e/grpah{i}> ")).collect();
            format!("SELECT * {graphs} {{ GRAPH ?g {{ ?s ?p ?o }} }}")
        }
    }
}

#[test]
fn advice_on_any_number_of_unknown_terms_is_short_and_bounded() {
    // The same stack as the program's threads: two thousand operators nest in one another.
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(advise_on_many).unwrap();
    thread.join().unwrap();
}

fn advise_on_many() {
    /// The most findings for one query, and the most steps of its advice.
    const MOST: (usize, usize) = (10, 2_000_000);
    let mut data = String::new();
    for i in 0..2_000 {
        writeln!(data, "<http://e/thing{i}> <http://e/label> \"thing {i}\"@en <http://e/graph{}> .", i % 50).unwrap();
    }
    let options = OpenOptions {
        files: vec!["-".into()],
        stdin: Some(data.into()),
        input_format: Some(RdfFormat::NQuads),
        ..OpenOptions::default()
    };
    let graph = Graph::open(options).unwrap();
    for seed in 0..number("KGQ_ADVICE", 12) {
        let text = of_unknown_terms(&mut Dice::of_state(seed));
        let shown = &text[..text.len().min(200)];
        let source = Source::new("<query>", &text);
        let query = match graph.parse(source) {
            Ok(query) => query,
            // More operators than a query may have.
            Err(error) if error.message().ends_with("operators and triple patterns") => continue,
            Err(error) => panic!("seed {seed}, {shown}: {error}"),
        };
        let clock = Arc::new(Standing::default());
        let budget = Budget::of(Work::Query, Limits::default(), Arc::clone(&clock) as Arc<dyn Clock>);
        let evaluation = graph.evaluation_options();
        let asked = AdviceRequest {
            source,
            query: &query,
            snapshot: graph.snapshot().unwrap(),
            prefixes: graph.prefixes().unwrap(),
            options: &evaluation,
            budget: &Allowance::new(&budget),
        };
        for findings in [asked.mistakes(), asked.unknown_terms(), asked.why_empty()] {
            assert!(findings.len() <= MOST.0, "seed {seed}, {shown}: {} findings", findings.len());
        }
        let looks = clock.0.load(Ordering::Relaxed);
        assert!(looks <= MOST.1, "seed {seed}, {shown}: {looks} looks at the clock");
    }
}
