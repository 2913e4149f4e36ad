//! Messages of parse errors: tables of real mistakes, each with its message. `KGQ_ACCEPT=1` rewrites the messages.

use kgq_syntax::diagnose::{self, Known};
use kgq_syntax::error::{Error, Source};
use kgq_syntax::turtle::{self, tree::Dialect, triples};

const PREFIXES: &[(&str, &str)] = &[
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// A case: `==== name`, the text, `----`, the error as it is shown.
struct Case {
    name: String,
    text: String,
    shown: String,
}

fn cases(table: &str) -> Vec<Case> {
    table
        .split("==== ")
        .skip(1)
        .map(|block| {
            let (name, rest) = block.split_once('\n').expect("a case has a text");
            let (text, shown) = rest.split_once("\n----\n").expect("a case has a line of dashes");
            Case { name: name.into(), text: text.into(), shown: shown.trim_end().into() }
        })
        .collect()
}

fn check(file: &str, least: usize, diagnose: impl Fn(&Case) -> Error) {
    let path = format!("{}/tests/cases/{file}", env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(&path).expect("the table is part of the repository");
    let cases = cases(&table);
    assert!(cases.len() >= least, "{file} has only {} cases", cases.len());
    let shown: Vec<String> = cases.iter().map(|case| diagnose(case).to_string()).collect();
    if std::env::var_os("KGQ_ACCEPT").is_some() {
        let blocks: Vec<String> =
            cases.iter().zip(&shown).map(|(c, s)| format!("==== {}\n{}\n----\n{s}\n", c.name, c.text)).collect();
        std::fs::write(&path, blocks.join("\n")).expect("the table can be written");
        return;
    }
    let wrong: Vec<String> = cases
        .iter()
        .zip(&shown)
        .filter(|(case, shown)| case.shown != **shown)
        .map(|(case, shown)| format!("{}\nexpected\n{}\nfound\n{shown}\n", case.name, case.shown))
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn parser() -> spargebra::SparqlParser {
    PREFIXES.iter().fold(spargebra::SparqlParser::new(), |parser, (prefix, iri)| {
        parser.with_prefix(*prefix, *iri).expect("the prefixes of this test are valid")
    })
}

#[test]
fn mistakes_in_queries_and_updates_are_told_in_words() {
    let known = Known { prefixes: PREFIXES, base: false };
    check("sparql-errors.txt", 50, |case| {
        let source = Source::new("q", &case.text);
        if case.name.starts_with("update:") {
            let refusal = parser().parse_update(&case.text).expect_err(&case.name).to_string();
            diagnose::update(source, &refusal, known)
        } else {
            let refusal = parser().parse_query(&case.text).expect_err(&case.name).to_string();
            diagnose::query(source, &refusal, known)
        }
    });
}

#[test]
fn the_walk_finds_no_fault_in_texts_that_the_parser_takes() {
    let files = crate::needs::w3c_files(&["rq", "ru"]);
    let known = Known { prefixes: &[], base: true };
    let base = "http://example.org/";
    let mut wrong = Vec::new();
    for path in files {
        // By the grammar `?x<?a&&?b>?y` contains an IRI; spargebra accepts it although the suite lists it as bad.
        if path.ends_with("syn-bad-26.rq") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let parser = || spargebra::SparqlParser::new().with_base_iri(base).expect("a valid base");
        let source = Source::new("q", &text);
        let error = if parser().parse_query(&text).is_ok() {
            diagnose::query(source, "", known)
        } else if parser().parse_update(&text).is_ok() {
            diagnose::update(source, "", known)
        } else {
            continue;
        };
        if error.message() != "this is not valid SPARQL from here on" {
            wrong.push(format!("{}\n{error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mistakes_in_turtle_and_trig_are_told_in_words() {
    check("turtle-errors.txt", 20, |case| {
        let source = Source::new("d.ttl", &case.text);
        let (refusal, dialect) = if case.name.starts_with("trig:") {
            (oxttl::TriGParser::new().for_slice(&case.text).find_map(Result::err), Dialect::TriG)
        } else {
            (oxttl::TurtleParser::new().for_slice(&case.text).find_map(Result::err), Dialect::Turtle)
        };
        let refusal = refusal.unwrap_or_else(|| panic!("{} is accepted", case.name));
        let place = refusal.location().start.offset as usize..refusal.location().end.offset as usize;
        diagnose::turtle(source, dialect, refusal.message(), place, Known::default())
    });
}

#[test]
fn triples_are_read_as_the_parser_reads_them() {
    let files = crate::needs::w3c_files(&["ttl", "trig", "nt", "nq"]);
    let base = "http://example.org/base/file";
    let mut wrong = Vec::new();
    let mut compared = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if text.len() > 100_000 {
            continue;
        }
        let quads = match path.extension().and_then(|e| e.to_str()) {
            Some("nq") => oxttl::NQuadsParser::new().for_slice(&text).collect::<Result<Vec<_>, _>>(),
            Some("trig") => {
                oxttl::TriGParser::new().with_base_iri(base).expect("a valid base").for_slice(&text).collect()
            }
            _ => oxttl::TurtleParser::new()
                .with_base_iri(base)
                .expect("a valid base")
                .for_slice(&text)
                .map(|triple| triple.map(|t| t.in_graph(oxrdf::GraphName::DefaultGraph)))
                .collect(),
        };
        let Ok(quads) = quads else { continue };
        let dialect = match path.extension().and_then(|e| e.to_str()) {
            Some("nq") => Dialect::NQuads,
            Some("trig") => Dialect::TriG,
            _ => Dialect::Turtle,
        };
        let known = Known { prefixes: &[], base: true };
        compared += 1;
        match turtle::parse(Source::new("f", &text), dialect, known) {
            Err(error) => wrong.push(format!("{}\n{error}", path.display())),
            Ok(document) => {
                let mut ours: oxrdf::Dataset =
                    triples::triples(&text, &document, Some(base)).map(|located| located.quad).collect();
                let mut theirs: oxrdf::Dataset = quads.into_iter().collect();
                ours.canonicalize(oxrdf::dataset::CanonicalizationAlgorithm::Unstable);
                theirs.canonicalize(oxrdf::dataset::CanonicalizationAlgorithm::Unstable);
                if ours != theirs {
                    wrong.push(format!("{}\nours\n{ours}\ntheirs\n{theirs}", path.display()));
                }
            }
        }
    }
    assert!(compared > 500, "only {compared} files were compared");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
