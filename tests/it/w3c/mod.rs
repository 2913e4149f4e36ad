//! The W3C suites of SPARQL and RDF, run through the program's own path: reading, parsing, evaluation, updates, output.
//!
//! They are looked for in `KGQ_W3C`, else in `../shared/w3c`. What is known to fail is listed in `known.tsv` with its
//! reason; a failure that is not listed, or one listed that passes, fails the test.

mod compare;
pub use compare::isomorphic;
mod manifest;
mod rdf;
mod sparql;

use kgq_engine::Executor;
use manifest::{Suites, Test};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Suites by their name in the table, and their manifests below the root.
const SUITES: &[(&str, &[&str])] = &[
    ("SPARQL 1.0 syntax", &["sparql/sparql10/manifest-syntax.ttl"]),
    ("SPARQL 1.0 query", &["sparql/sparql10/manifest-evaluation.ttl"]),
    ("SPARQL 1.1 query", &["sparql/sparql11/manifest-sparql11-query.ttl"]),
    ("SPARQL 1.1 update", &["sparql/sparql11/manifest-sparql11-update.ttl"]),
    ("SPARQL 1.1 federated", &["sparql/sparql11/manifest-sparql11-fed.ttl"]),
    ("SPARQL 1.1 CSV, TSV, JSON", &["sparql/sparql11/manifest-sparql11-results.ttl"]),
    ("SPARQL 1.2", &["sparql/sparql12/manifest.ttl"]),
    ("RDF 1.1 N-Triples", &["rdf/rdf11/rdf-n-triples/manifest.ttl"]),
    ("RDF 1.1 N-Quads", &["rdf/rdf11/rdf-n-quads/manifest.ttl"]),
    ("RDF 1.1 Turtle", &["rdf/rdf11/rdf-turtle/manifest.ttl"]),
    ("RDF 1.1 TriG", &["rdf/rdf11/rdf-trig/manifest.ttl"]),
    ("RDF 1.1 RDF/XML", &["rdf/rdf11/rdf-xml/manifest.ttl"]),
    ("RDF 1.2 N-Triples", &["rdf/rdf12/rdf-n-triples/manifest.ttl"]),
    ("RDF 1.2 N-Quads", &["rdf/rdf12/rdf-n-quads/manifest.ttl"]),
    ("RDF 1.2 Turtle", &["rdf/rdf12/rdf-turtle/manifest.ttl"]),
    ("RDF 1.2 TriG", &["rdf/rdf12/rdf-trig/manifest.ttl"]),
    ("RDF 1.2 RDF/XML", &["rdf/rdf12/rdf-xml/manifest.ttl"]),
];

/// Deep recursion in a parser needs what the program's own thread has.
const STACK: usize = 64 << 20;

pub fn root() -> PathBuf {
    let root = std::env::var_os("KGQ_W3C").map_or_else(|| "../shared/w3c".into(), PathBuf::from);
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(root)
}

#[test]
fn the_w3c_suites_pass_but_for_what_is_known() {
    let root = root();
    if !root.exists() {
        say(&format!("skipped: the W3C suites are not in {}; set KGQ_W3C\n", root.display()));
        return;
    }
    let suites = Suites::at(&root);
    let mut tests: Vec<(usize, Test)> = Vec::new();
    for (number, (_, manifests)) in SUITES.iter().enumerate() {
        for name in *manifests {
            tests.extend(suites.tests(name).into_iter().map(|test| (number, test)));
        }
    }
    let known = known();
    let mut table = String::new();
    let mut unexpected = String::new();
    let mut reasons = String::new();
    let mut met = BTreeMap::new();
    for executor in [Executor::Kgq, Executor::Oxigraph] {
        let name = name(executor);
        // What does not evaluate queries is run once.
        let outcomes = run(&suites, &tests, executor);
        writeln!(table, "{:<28}{:>8}{:>8}{:>8}", format!("suite ({name})"), "passed", "failed", "known").unwrap();
        for (number, (suite, _)) in SUITES.iter().enumerate() {
            let of_suite: Vec<_> = outcomes.iter().filter(|(test, _)| tests[**test].0 == number).collect();
            if of_suite.is_empty() {
                continue;
            }
            let (mut passed, mut failed, mut listed) = (0, 0, 0);
            for (test, outcome) in of_suite {
                let test = &tests[*test].1;
                let reason = known.get(&(executor, test.key.as_str()));
                if reason.is_some() {
                    met.insert((executor, test.key.as_str()), ());
                }
                // Writing to a `String` cannot fail.
                let _ = match (outcome, reason) {
                    (Ok(()), None) => {
                        passed += 1;
                        Ok(())
                    }
                    (Err(_), Some(reason)) => {
                        listed += 1;
                        writeln!(reasons, "known: {name}: {}: {reason}", test.key)
                    }
                    (Err(why), None) => {
                        failed += 1;
                        writeln!(unexpected, "{name}: {}: {why}", test.key)
                    }
                    (Ok(()), Some(_)) => {
                        failed += 1;
                        writeln!(unexpected, "{name}: {} passes, but is listed as failing", test.key)
                    }
                };
            }
            let _ = writeln!(table, "{suite:<28}{passed:>8}{failed:>8}{listed:>8}");
            assert!(passed > 2, "the suite {suite} has hardly any tests: is it complete?\n{unexpected}");
        }
    }
    for (executor, key) in known.keys().filter(|key| !met.contains_key(*key)) {
        let _ = writeln!(unexpected, "known.tsv lists {key} for {}, but there is no such test", name(*executor));
    }
    table.push_str(
        "not run: entailment regimes, protocol, graph store, service description (no inference, no server)\n",
    );
    say(&format!("\n{table}{reasons}"));
    assert!(unexpected.is_empty(), "\n{unexpected}");
}

/// Past the capture of test output: the table is shown whenever the tests run.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn name(executor: Executor) -> &'static str {
    match executor {
        Executor::Kgq => "kgq",
        Executor::Oxigraph => "oxigraph",
    }
}

/// Runs the tests on all processors; outcomes in the tests' order, with the tests' numbers.
fn run(suites: &Suites, tests: &[(usize, Test)], executor: Executor) -> BTreeMap<usize, Result<(), String>> {
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<BTreeMap<usize, Result<(), String>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let work = || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, test)) = tests.get(number) else { break };
                    if executor != Executor::default() && !sparql::evaluates(test) {
                        continue;
                    }
                    let outcome = std::panic::catch_unwind(|| run_one(suites, test, executor));
                    let outcome = outcome.unwrap_or_else(|_| Err("panicked".into()));
                    outcomes.lock().unwrap().insert(number, outcome);
                }
            };
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    outcomes.into_inner().unwrap()
}

fn run_one(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    if test.kind.starts_with("Test") { rdf::run(suites, test) } else { sparql::run(suites, test, executor) }
}

/// The tests that are known to fail, by executor, with the reason.
fn known() -> BTreeMap<(Executor, &'static str), &'static str> {
    let lines = include_str!("known.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut known = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [executors, key, reason] = fields.as_slice() else { panic!("`{line}` has not three fields") };
        for executor in [Executor::Kgq, Executor::Oxigraph] {
            if [name(executor), "both"].contains(executors) {
                known.insert((executor, *key), *reason);
            }
        }
    }
    known
}
