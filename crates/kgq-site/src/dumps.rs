//! The whole graph in every format, in an order that depends on nothing but the graph, as it is and compressed.

use super::folder::hex;
use super::model::Model;
use flate2::{Compression, GzBuilder};
use kgq_graph::export::turtle;
use kgq_graph::project::Entailment;
use kgq_graph::render::{GraphOptions, RdfVersion, write_quads};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Quad, RdfFormat, canonical};
use std::io::Write;

/// A file that holds the graph.
pub struct Dump {
    pub path: String,
    pub format: RdfFormat,
    pub compressed: bool,
    pub inferred: bool,
    /// What it holds, in words.
    pub holds: &'static str,
    pub bytes: u64,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
}

const FORMATS: [RdfFormat; 5] =
    [RdfFormat::Turtle, RdfFormat::TriG, RdfFormat::NQuads, RdfFormat::JsonLd, RdfFormat::RdfXml];

/// The dumps with their bytes, and the file of their checksums. A format that cannot hold the graph is left out.
pub fn dumps(model: &Model<'_>) -> Result<Vec<(Dump, Vec<u8>)>> {
    let source = model.source;
    let mut dumps = Vec::new();
    for (quads, inferred) in [(source.quads, false), (source.inferred, true)] {
        if inferred && quads.is_empty() {
            continue;
        }
        // Blank nodes that are too much alike to be named canonically keep the names that the order of the files gave them.
        let sorted = canonical::relabel(quads).unwrap_or_else(|_| {
            let mut sorted = quads.to_vec();
            sorted.sort_by_cached_key(Quad::to_string);
            sorted
        });
        let mut merged: Vec<Quad> =
            sorted.iter().cloned().map(|q| Quad { graph_name: GraphName::DefaultGraph, ..q }).collect();
        merged.sort_by_cached_key(Quad::to_string);
        merged.dedup();
        let several = sorted.iter().any(|q| q.graph_name != GraphName::DefaultGraph);
        for format in FORMATS {
            let quads = if format.holds_named_graphs() { &sorted } else { &merged };
            let Some(bytes) = bytes(model, quads, format)? else { continue };
            let holds = match (inferred, several, format.holds_named_graphs()) {
                (true, _, _) => follows(source.entailment),
                (false, true, true) => "everything, graph by graph",
                (false, true, false) => "everything, all graphs as one",
                (false, false, _) => "everything",
            };
            let suffix = if inferred { "-inferred" } else { "" };
            let path = format!("dump/{}{suffix}.{}", file_name(source.name), format.endings()[0]);
            let dump = |path: String, compressed: bool, bytes: &[u8]| Dump {
                path,
                format,
                compressed,
                inferred,
                holds,
                bytes: bytes.len() as u64,
                hash: hex(bytes),
            };
            let zipped = compress(&bytes)?;
            let zipped_dump = dump(format!("{path}.gz"), true, &zipped);
            dumps.push((dump(path, false, &bytes), bytes));
            dumps.push((zipped_dump, zipped));
        }
    }
    Ok(dumps)
}

/// What the inferred graph is, in words.
pub fn follows(entailment: Entailment) -> &'static str {
    match entailment {
        Entailment::None => "nothing: no rules are applied",
        Entailment::Rdfs => "what follows by the rules of RDFS and is not stated",
        Entailment::RdfsPlus => "what follows by the rules of RDFS and some of OWL 2 RL, and is not stated",
    }
}

/// The name of the dump that the query page loads.
pub fn main_dump(model: &Model<'_>) -> String {
    format!("dump/{}.nq", file_name(model.source.name))
}

/// Lines for `sha256sum -c`.
pub fn checksums<'d>(dumps: impl Iterator<Item = &'d Dump>) -> String {
    dumps.map(|dump| format!("{}  {}\n", dump.hash, dump.path.trim_start_matches("dump/"))).collect()
}

fn file_name(name: &str) -> String {
    kgq_graph::export::names::safe_part(name, true).0
}

fn bytes(model: &Model<'_>, quads: &[Quad], format: RdfFormat) -> Result<Option<Vec<u8>>> {
    if matches!(format, RdfFormat::Turtle | RdfFormat::TriG) {
        return Ok(Some(turtle::write(quads, model.source.prefixes).into_bytes()));
    }
    let mut out = Vec::new();
    // Most tools that still want RDF/XML know no RDF 1.2.
    let version = if format == RdfFormat::RdfXml { RdfVersion::V11 } else { RdfVersion::V12 };
    match write_quads(quads, format, model.source.prefixes, GraphOptions { version }, &mut out) {
        Ok(_) => Ok(Some(out)),
        // RDF/XML has no way to write a property whose IRI ends in no XML name.
        Err(_) if format == RdfFormat::RdfXml => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gzip without a time or a name, so that the same bytes give the same file.
fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| Error::io("a compressed dump", &e))
}
