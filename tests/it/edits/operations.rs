//! Random sequences of update operations through files, generated as in `updates`: with WHERE, with graphs copied and moved, with
//! blank nodes. Afterwards the files hold what SPARQL 1.1 Update defines over sets of statements, and the same as Oxigraph's
//! store if all literals are canonical.

use super::{graph, number};
use crate::isomorphic::isomorphic;
use crate::updates::{self, Case};
use kgq_edit::{Settings, Writer, edit, update};
use kgq_graph::format;
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Kind, Result, Source};
use kgq_syntax::rdf::blank::nodes_of;
use kgq_syntax::rdf::{BlankNode, GraphName, Prefixes, Quad, RdfFormat};
use kgq_syntax::turtle::tree::Dialect;
use std::collections::HashMap;
use std::path::Path;

/// The layouts: one TriG file; one N-Quads file; a Turtle file per graph beside an empty TriG file.
const LAYOUTS: [&[&str]; 3] = [&["all.trig"], &["all.nq"], &["default.ttl", "g.ttl", "h.ttl", "new.trig"]];

fn prefixes() -> Prefixes {
    [("", "http://e/")].into_iter().collect()
}

fn write(folder: &Path, name: &str, quads: &[Quad]) {
    let format = RdfFormat::from_path(name).unwrap();
    let mut text = Vec::new();
    write_quads(quads, format, &prefixes(), GraphOptions::default(), &Budget::default(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    std::fs::write(folder.join(name), formatted(name, &text)).unwrap();
}

/// The formatted text; N-Quads stay as they are.
fn formatted(name: &str, text: &str) -> String {
    let dialect = match name.rsplit('.').next() {
        Some("ttl") => Dialect::Turtle,
        Some("trig") => Dialect::TriG,
        _ => return text.to_owned(),
    };
    format::turtle(Source::new(name, text), dialect, &Bounds::default(), &Budget::default()).unwrap()
}

fn lay_out(folder: &Path, names: &[&str], quads: &[Quad]) {
    let edited = if names.len() == 1 { names[0] } else { "default.ttl" };
    let mut manifest = format!(
        "name = \"r\"\ndata = [\"*.ttl\", \"*.trig\", \"*.nq\"]\n[edit]\nfile = \"{edited}\"\n[prefixes]\n\"\" = \"http://e/\"\n"
    );
    if names.len() > 1 {
        manifest.push_str("[graphs]\n\"g.ttl\" = \"http://e/g\"\n\"h.ttl\" = \"http://e/h\"\n");
    }
    std::fs::write(folder.join("kgq.toml"), manifest).unwrap();
    for name in names {
        let own: Vec<Quad> = match *name {
            "all.trig" | "all.nq" => quads.to_vec(),
            name => {
                let graph = match name {
                    "default.ttl" => Some(String::new()),
                    "new.trig" => None,
                    name => Some(format!("<http://e/{}>", name.trim_end_matches(".ttl"))),
                };
                let is_own = |quad: &&Quad| match &quad.graph_name {
                    GraphName::DefaultGraph => graph.as_deref() == Some(""),
                    name => graph.as_deref() == Some(name.to_string().as_str()),
                };
                let own = quads.iter().filter(is_own);
                own.map(|quad| Quad { graph_name: GraphName::DefaultGraph, ..quad.clone() }).collect()
            }
        };
        write(folder, name, &own);
    }
}

/// Whether a blank node stands in several graphs.
fn shares_nodes(quads: &[Quad]) -> bool {
    let mut in_graphs = quads.iter().flat_map(|quad| nodes_of(quad).into_iter().map(|node| (node, &quad.graph_name)));
    let mut seen: HashMap<BlankNode, &GraphName> = HashMap::new();
    in_graphs.any(|(node, graph)| *seen.entry(node).or_insert(graph) != graph)
}

fn says(folder: &Path) -> Vec<Quad> {
    graph(folder).snapshot().unwrap().iter().collect()
}

fn apply(folder: &Path, text: &str) -> Result<()> {
    let writer = Writer::open(&graph(folder), &|_| ())?;
    let change = update(&writer.graph, &writer.files, Source::new("u.ru", text))?;
    let edit = edit(&writer.graph, &writer.files, &change, &Settings::default())?;
    writer.write(&edit)
}

/// Runs one case; returns whether the files could take the update.
fn one(seed: u64) -> bool {
    let case = Case::of(seed);
    // Blank nodes shared by graphs cannot be spread over several files.
    let layout = if shares_nodes(&case.quads) { seed % 2 } else { seed % 3 };
    let names = LAYOUTS[usize::try_from(layout).unwrap()];
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    lay_out(folder, names, &case.quads);
    let before = says(folder);
    let shown = || {
        let texts = names.iter().map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
        format!("{}\n{}", case.told, texts.collect::<Vec<_>>().join("\n---\n"))
    };
    match apply(folder, &case.text) {
        Ok(()) => {}
        // A blank node belongs to one file: an update that would move it to another is refused.
        Err(error) if names.len() > 1 && error.kind() == Kind::Input && error.message().contains("blank node") => {
            isomorphic(&says(folder), &before).unwrap_or_else(|why| panic!("{why}\n{}", shown()));
            return false;
        }
        Err(error) => panic!("{error}\n{}", shown()),
    }
    let now = says(folder);
    isomorphic(&now, &case.expected).unwrap_or_else(|why| panic!("{why}\n{}", shown()));
    if case.is_told_by_oxigraph {
        let oxigraphs = updates::oxigraphs(&before, &case.text);
        isomorphic(&now, &oxigraphs).unwrap_or_else(|why| panic!("Oxigraph: {why}\n{}", shown()));
    }
    for name in names {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text, formatted(name, &text), "{name} is not formatted: {}", shown());
    }
    true
}

#[test]
fn random_operations_through_files_change_what_the_standard_says() {
    let (first, count) = (number("KGQ_EDITS_SEED", 1), number("KGQ_EDITS", 60));
    let done = (first..first + count).filter(|seed| one(*seed)).count() as u64;
    assert!(done * 3 > count * 2, "files took {done} of {count}");
}
