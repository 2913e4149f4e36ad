//! The suite of SHACL 1.0, Core and SPARQL: validation reports must be isomorphic to the expected ones.

use crate::{judge, title};
use kgq_engine::{Budget, Limits};
use kgq_graph::check::shacl::{Shapes, Texts, ValidationData, validate};
use kgq_snapshot::{Ids, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::rdf::{GraphName, NamedNodeRef, NamedOrBlankNode, Term};
use libtest_mimic::Trial;
use oxrdf::dataset::CanonicalizationAlgorithm;
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedOrBlankNodeRef, TermRef};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Tests that are expected to fail, by name, each with the reason. One that passes after all must leave the list.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const SHT: &str = "http://www.w3.org/ns/shacl-test#";
const SH: &str = "http://www.w3.org/ns/shacl#";

/// A trial for each case, and for each suite one that checks its number of cases.
pub fn trials(root: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for suite in ["core", "sparql"] {
        let manifest = root.join("shacl").join(suite).join("manifest.ttl");
        let files = Arc::new(Mutex::new(Files::default()));
        let tests = manifest.canonicalize().map(|path| files.lock().unwrap().tests(&path)).unwrap_or_default();
        let count = tests.len();
        trials.push(Trial::test(format!("SHACL {suite} is whole"), move || {
            if count < 11 { Err(format!("it has {count} cases").into()) } else { Ok(()) }
        }));
        trials.extend(tests.into_iter().map(|test| {
            let reason = KNOWN_FAILURES.iter().find(|(name, _)| *name == test.name).map(|(_, reason)| *reason);
            let name = title(format!("shacl/{suite}/{}", test.name), reason);
            let files = Arc::clone(&files);
            // A case that panicked reports that itself; the others go on with the files parsed so far.
            let run = move || judge(test.run(&mut files.lock().unwrap_or_else(PoisonError::into_inner)), reason);
            Trial::test(name, run).with_kind("SHACL")
        }));
    }
    trials
}

/// Files, each parsed only once, so that its blank nodes are the same in the manifest, the data and the shapes.
#[derive(Default)]
struct Files(BTreeMap<PathBuf, Graph>);

struct Test {
    file: PathBuf,
    name: String,
    data: PathBuf,
    shapes: PathBuf,
    result: Term,
}

impl Files {
    fn graph(&mut self, path: &Path) -> &Graph {
        self.0.entry(path.to_owned()).or_insert_with(|| {
            let text = std::fs::read(path).unwrap();
            let parser = oxttl::TurtleParser::new().with_base_iri(format!("file://{}", path.display())).unwrap();
            parser.for_slice(&text).map(|t| t.unwrap_or_else(|e| panic!("{}: {e}", path.display()))).collect()
        })
    }

    fn tests(&mut self, manifest: &Path) -> Vec<Test> {
        let graph = self.graph(manifest).clone();
        let mut tests = Vec::new();
        for triple in graph.triples_for_predicate(iri(MF, "entries").as_ref()) {
            for entry in list(&graph, triple.object) {
                let entry = node(entry.as_ref());
                let action = object(&graph, entry.as_ref(), iri(MF, "action")).unwrap();
                let file = |role| path_of(&object(&graph, node(action.as_ref()).as_ref(), iri(SHT, role)).unwrap());
                tests.push(Test {
                    file: manifest.to_owned(),
                    name: entry.to_string().rsplit('/').next().unwrap().trim_end_matches('>').to_owned(),
                    data: file("dataGraph"),
                    shapes: file("shapesGraph"),
                    result: object(&graph, entry.as_ref(), iri(MF, "result")).unwrap(),
                });
            }
        }
        for triple in graph.triples_for_predicate(iri(MF, "include").as_ref()) {
            tests.extend(self.tests(&path_of(&triple.object.into_owned())));
        }
        tests
    }
}

/// The graphs of two files, which stand apart in one snapshot.
fn validation_data(files: &mut Files, data: &Path, shapes: &Path) -> kgq_syntax::error::Result<ValidationData> {
    let mut quads = Vec::new();
    for (file, name) in [(data, GraphName::DefaultGraph), (shapes, iri(SHT, "shapes").into())] {
        quads.extend(files.graph(file).iter().map(|triple| triple.into_owned().in_graph(name.clone())));
    }
    let budget = Budget::default();
    let snapshot = Snapshot::from_quads_in_order(&quads, &budget)?;
    let order = snapshot.file_order(&budget)?;
    let (data, shapes): (Vec<Ids>, Vec<Ids>) =
        snapshot.in_file_order(&order).partition(|[.., graph]| graph.is_unbound());
    ValidationData::of_snapshot(&snapshot, data.into_iter(), shapes.into_iter(), &budget)
}

impl Test {
    fn run(&self, files: &mut Files) -> Result<(), String> {
        let dataset = validation_data(files, &self.data, &self.shapes).unwrap();
        let shapes = Shapes::parse(&dataset, Texts { bounds: Bounds::default(), written: &|_| None });
        let report = match &shapes.ill_formed[..] {
            [] => validate(&dataset, &shapes, Limits::default(), &|term| term.to_string())
                .map_err(|e| e.error.to_string()),
            [first, ..] => Err(format!("ill-formed shapes graph: {}: {}", first.node, first.message)),
        };
        let manifest = files.graph(&self.file);
        if self.result == iri(SHT, "Failure").into() {
            return report.map_or(Ok(()), |_| Err("expected a failure".into()));
        }
        let expected = reduced(manifest, node(self.result.as_ref()));
        let actual: Graph = report?.to_triples().into_iter().collect();
        let root = actual.subject_for_predicate_object(rdf::TYPE, iri(SH, "ValidationReport").as_ref()).unwrap();
        let mut actual = reduced(&actual, root.into_owned());
        // Messages are compared only if the test gives them.
        let message = iri(SH, "resultMessage");
        if expected.triples_for_predicate(message.as_ref()).next().is_none() {
            actual = actual.iter().filter(|t| t.predicate != message.as_ref()).collect();
        }
        if canonical(&expected) == canonical(&actual) {
            return Ok(());
        }
        Err(format!("expected\n{}\nfound\n{}", sorted(&expected), sorted(&actual)))
    }
}

/// The part of a report that tests compare.
fn reduced(graph: &Graph, report: NamedOrBlankNode) -> Graph {
    const KEPT: [&str; 10] = [
        "conforms",
        "result",
        "focusNode",
        "resultPath",
        "resultSeverity",
        "sourceConstraint",
        "sourceConstraintComponent",
        "sourceShape",
        "value",
        "resultMessage",
    ];
    let mut kept = Graph::new();
    let mut queue = vec![(report, false)];
    while let Some((subject, in_path)) = queue.pop() {
        for triple in graph.triples_for_subject(&subject) {
            let name = triple.predicate.as_str().strip_prefix(SH).unwrap_or_default();
            if !(in_path || KEPT.contains(&name) || triple.predicate == rdf::TYPE) || !kept.insert(triple) {
                continue;
            }
            let path = in_path || name == "resultPath";
            if (path && triple.object.is_blank_node()) || name == "result" {
                queue.push((node(triple.object), path));
            }
        }
    }
    kept
}

fn canonical(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    graph.canonicalize(CanonicalizationAlgorithm::Unstable);
    graph
}

fn sorted(graph: &Graph) -> String {
    let mut lines: Vec<String> = graph.iter().map(|t| format!("  {t}")).collect();
    lines.sort();
    lines.join("\n")
}

fn iri(namespace: &str, name: &str) -> kgq_syntax::rdf::NamedNode {
    kgq_syntax::rdf::NamedNode::new_unchecked(format!("{namespace}{name}"))
}

fn node(term: TermRef<'_>) -> NamedOrBlankNode {
    match term {
        TermRef::NamedNode(n) => n.into_owned().into(),
        TermRef::BlankNode(n) => n.into_owned().into(),
        other => panic!("{other} is not a node"),
    }
}

fn object(graph: &Graph, subject: NamedOrBlankNodeRef<'_>, predicate: kgq_syntax::rdf::NamedNode) -> Option<Term> {
    graph.object_for_subject_predicate(subject, predicate.as_ref()).map(TermRef::into_owned)
}

fn list(graph: &Graph, head: TermRef<'_>) -> Vec<Term> {
    let mut members = Vec::new();
    let mut at = head.into_owned();
    let follow =
        |at: &Term, predicate: NamedNodeRef<'_>| object(graph, node(at.as_ref()).as_ref(), predicate.into_owned());
    while let Some(first) = follow(&at, rdf::FIRST) {
        members.push(first);
        at = follow(&at, rdf::REST).unwrap();
    }
    members
}

fn path_of(file: &Term) -> PathBuf {
    let Term::NamedNode(iri) = file else { panic!("{file} is not a file") };
    iri.as_str().trim_start_matches("file://").into()
}
