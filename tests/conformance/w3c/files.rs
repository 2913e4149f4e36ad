//! The suites of SPARQL Update, run through files: the data of a case are a project's files, and after the update these must hold
//! what the case expects. Each case runs with three layouts of the data. Empty graphs are not compared: files have none.
//!
//! `files.tsv` lists the cases that files refuse, with the reason; such a case must be refused with that message and leave the
//! files as they were.

use super::manifest::{MF, Suites, Test, UT, iri};
use super::on_a_deep_stack;
use super::sparql::dataset;
use crate::isomorphic::isomorphic;
use kgq_edit::{Settings, Writer, edit, update};
use kgq_graph::format;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_snapshot::store::Dataset;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Source};
use kgq_syntax::rdf::{GraphName, Prefixes, Quad, RdfFormat};
use kgq_syntax::turtle::tree::Dialect;
use libtest_mimic::Trial;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The number of update cases in SPARQL 1.1 and 1.2.
const CASES: usize = 97;

/// The layout of a dataset in files.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// All graphs in one TriG file.
    TriG,
    /// All graphs in one file of N-Quads.
    NQuads,
    /// Each graph in a Turtle file of its own, and an empty TriG file for new graphs.
    Apart,
}

const LAYOUTS: [(Layout, &str); 3] = [(Layout::TriG, "trig"), (Layout::NQuads, "nq"), (Layout::Apart, "apart")];

/// A trial for each case and layout.
pub fn trials(suites: &Arc<Suites>, tests: &[Arc<Test>]) -> Vec<Trial> {
    let mut seen = BTreeSet::new();
    let is_update = |test: &&Arc<Test>| test.kind == "UpdateEvaluationTest";
    let tests: Vec<&Arc<Test>> = tests.iter().filter(is_update).filter(|test| seen.insert(&test.key)).collect();
    let refused = refused();
    let count = tests.len();
    let mut trials = vec![Trial::test("the suites of SPARQL Update are whole", move || {
        if count == CASES { Ok(()) } else { Err(format!("they have {count} cases").into()) }
    })];
    let unknown: Vec<String> =
        refused.keys().filter(|(_, key)| !seen.contains(key)).map(|(_, key)| key.clone()).collect();
    trials.push(Trial::test("files.tsv lists only cases that there are", move || {
        if unknown.is_empty() { Ok(()) } else { Err(unknown.join("\n").into()) }
    }));
    for test in tests {
        for (layout, name) in LAYOUTS {
            let reason = refused.get(&(name, test.key.clone())).copied();
            let told = reason.map(|reason| format!(", refused: {reason}")).unwrap_or_default();
            let (suites, test) = (Arc::clone(suites), Arc::clone(test));
            let title = format!("{} (files, {name}{told})", test.key);
            let run = move || Ok(on_a_deep_stack(move || case(&suites, &test, layout, reason.is_some()))?);
            trials.push(Trial::test(title, run).with_kind("SPARQL update through files"));
        }
    }
    trials
}

/// The cases that files refuse, by layout, with the reason.
fn refused() -> BTreeMap<(&'static str, String), &'static str> {
    let lines = include_str!("files.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut refused = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [layout, key, reason] = fields.as_slice() else { panic!("`{line}` has not three fields") };
        for (_, name) in LAYOUTS {
            if [name, "all"].contains(layout) {
                refused.insert((name, (*key).to_owned()), *reason);
            }
        }
    }
    refused
}

fn case(suites: &Suites, test: &Test, layout: Layout, is_refused: bool) -> Result<(), String> {
    let name = iri(&test.graph.object(&test.action, UT, "request").unwrap());
    let text = String::from_utf8(suites.text(&name)).unwrap();
    let before = dataset(suites, &test.graph, &test.action, UT, &[])?;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    lay_out(before.quads(), layout, &name, folder);
    isomorphic(&says(folder)?, before.quads()).map_err(|why| format!("the data are laid out wrongly: {why}"))?;
    match change(folder, &name, &text) {
        Ok(()) if is_refused => return Err("is done, but is listed as refused".into()),
        Err(error) if is_refused && error.kind() != Kind::Bug => {
            return isomorphic(&says(folder)?, before.quads());
        }
        Err(error) => return Err(error.render(false)),
        Ok(()) => {}
    }
    let expected = match test.graph.object(&test.action, MF, "result").or_else(|| test.result.clone()) {
        Some(result) => dataset(suites, &test.graph, &result, UT, &[])?,
        None => Dataset::default(),
    };
    isomorphic(&says(folder)?, expected.quads())?;
    formatted(folder)
}

/// Changes the files as `kgq update --write` does.
fn change(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let writer = Writer::open(&graph(folder)?, &|_| ())?;
    let change = update(&writer.graph, &writer.files, Source::new(name, text))?;
    let edit = edit(&writer.graph, &writer.files, &change, &Settings::of_update(text, false))?;
    writer.write(&edit)
}

fn graph(folder: &Path) -> Result<Graph, Error> {
    Graph::open(OpenOptions { folder: folder.into(), ..Default::default() })
}

/// The statements of the files.
fn says(folder: &Path) -> Result<Vec<Quad>, String> {
    let graph = graph(folder).map_err(|error| error.render(false))?;
    Ok(graph.snapshot().map_err(|error| error.render(false))?.iter().collect())
}

fn lay_out(quads: &[Quad], layout: Layout, base: &str, folder: &Path) {
    let mut manifest = format!("name = \"case\"\nbase = \"{base}\"\ndata = [\"*.ttl\", \"*.trig\", \"*.nq\"]\n");
    match layout {
        Layout::TriG => {
            write(folder, "all.trig", RdfFormat::TriG, quads);
            manifest.push_str("[edit]\nfile = \"all.trig\"\n");
        }
        Layout::NQuads => {
            write(folder, "all.nq", RdfFormat::NQuads, quads);
            manifest.push_str("[edit]\nfile = \"all.nq\"\n");
        }
        Layout::Apart => {
            write(folder, "new.trig", RdfFormat::TriG, &[]);
            manifest.push_str("[edit]\nfile = \"default.ttl\"\n[graphs]\n");
            let mut graphs: BTreeMap<String, Vec<Quad>> = BTreeMap::from([(String::new(), Vec::new())]);
            for quad in quads {
                let name = match &quad.graph_name {
                    GraphName::NamedNode(name) => name.as_str().to_owned(),
                    GraphName::BlankNode(_) | GraphName::DefaultGraph => String::new(),
                };
                let own = Quad { graph_name: GraphName::DefaultGraph, ..quad.clone() };
                graphs.entry(name).or_default().push(own);
            }
            for (number, (name, quads)) in graphs.iter().enumerate() {
                let file = if name.is_empty() { "default.ttl".to_owned() } else { format!("graph{number}.ttl") };
                write(folder, &file, RdfFormat::Turtle, quads);
                if !name.is_empty() {
                    let _ = writeln!(manifest, "\"{file}\" = \"{name}\"");
                }
            }
        }
    }
    std::fs::write(folder.join("kgq.toml"), manifest).unwrap();
}

/// Writes a file, formatted.
fn write(folder: &Path, name: &str, format: RdfFormat, quads: &[Quad]) {
    let mut text = Vec::new();
    write_quads(quads, format, &Prefixes::new(), GraphOptions::default(), &Budget::default(), &mut text).unwrap();
    if let Some(dialect) = dialect(name) {
        let source = String::from_utf8(text).unwrap();
        text = format::turtle(Source::new(name, &source), dialect, &Bounds::default(), &Budget::default())
            .unwrap()
            .into_bytes();
    }
    std::fs::write(folder.join(name), text).unwrap();
}

fn dialect(name: &str) -> Option<Dialect> {
    match name.rsplit('.').next() {
        Some("ttl") => Some(Dialect::Turtle),
        Some("trig") => Some(Dialect::TriG),
        _ => None,
    }
}

/// Checks that each file is formatted.
fn formatted(folder: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(dialect) = dialect(&name) else { continue };
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let wanted = format::turtle(Source::new(&name, &text), dialect, &Bounds::default(), &Budget::default());
        if wanted.map_err(|error| error.render(false))? != text {
            return Err(format!("{name} is not formatted:\n{text}"));
        }
    }
    Ok(())
}
