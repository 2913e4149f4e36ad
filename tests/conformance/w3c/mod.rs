//! The suites of SPARQL and RDF, run through the same code as the program: reading, parsing, evaluation, updates, output.
//!
//! `known.tsv` lists the known failures with their reasons. The suites of entailment regimes are not run, as queries do no
//! inference. Updates run twice: on a dataset, and through the files of a project.

mod compare;
mod files;
#[cfg(feature = "serve")]
mod graph_store;
mod manifest;
#[cfg(feature = "serve")]
pub mod protocol;
mod rdf;
mod sparql;

use crate::{judge, title};
use kgq_engine::Executor;
use libtest_mimic::Trial;
use manifest::{Suites, Test};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The suites: their names in the table, and their manifests below the root.
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

/// The stack of a case: as in the program's own thread, parsers may recurse deeply.
const STACK: usize = 64 << 20;

/// The least number of cases in a suite; with fewer, the suite is incomplete.
const FEWEST: usize = 3;

/// A trial for each case, on both executors if it evaluates a query, and for each suite one that checks its number of cases.
pub fn trials(root: &Path) -> Vec<Trial> {
    let suites = Arc::new(Suites::at(root));
    let known = known();
    let mut trials = Vec::new();
    let mut met = BTreeSet::new();
    let mut all = Vec::new();
    for (suite, manifests) in SUITES {
        let tests: Vec<Test> = manifests.iter().flat_map(|name| suites.tests(name)).collect();
        let count = tests.len();
        trials.push(Trial::test(format!("{suite} is whole"), move || {
            if count < FEWEST { Err(format!("it has {count} cases").into()) } else { Ok(()) }
        }));
        let tests: Vec<Arc<Test>> = tests.into_iter().map(Arc::new).collect();
        all.extend(tests.iter().map(Arc::clone));
        for test in tests {
            let executors = if sparql::evaluates(&test) { EXECUTORS } else { &EXECUTORS[..1] };
            for executor in executors {
                let key = (*executor, test.key.clone());
                let reason = known.get(&key).copied();
                met.insert(key);
                let (suites, test) = (Arc::clone(&suites), Arc::clone(&test));
                let name = title(format!("{} ({})", test.key, name(*executor)), reason);
                let run = move || judge(on_a_deep_stack(move || run_one(&suites, &test, *executor)), reason);
                trials.push(Trial::test(name, run).with_kind(*suite));
            }
        }
    }
    trials.extend(files::trials(&suites, &all));
    let missing: Vec<String> = known.keys().filter(|key| !met.contains(*key)).map(|(_, key)| key.clone()).collect();
    trials.push(Trial::test("known.tsv lists only cases that there are", move || {
        if missing.is_empty() { Ok(()) } else { Err(missing.join("\n").into()) }
    }));
    trials
}

/// The outcome of a case on a thread of its own; a panic is a failure.
fn on_a_deep_stack(run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap();
    thread.join().unwrap_or_else(|_| Err("panicked".into()))
}

const EXECUTORS: &[Executor] = &[Executor::Kgq, Executor::Oxigraph];

fn name(executor: Executor) -> &'static str {
    match executor {
        Executor::Kgq => "kgq",
        Executor::Oxigraph => "oxigraph",
    }
}

fn run_one(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    if test.kind.starts_with("Test") { rdf::run(suites, test) } else { sparql::run(suites, test, executor) }
}

/// The cases that are known to fail, by executor, with the reason.
fn known() -> BTreeMap<(Executor, String), &'static str> {
    let lines = include_str!("known.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut known = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [executors, key, reason] = fields.as_slice() else { panic!("`{line}` has not three fields") };
        for executor in EXECUTORS {
            if [name(*executor), "both"].contains(executors) {
                known.insert((*executor, (*key).to_owned()), *reason);
            }
        }
    }
    known
}
