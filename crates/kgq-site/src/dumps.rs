//! The whole graph in every format, in an order that depends on nothing but the graph, as it is and compressed.

use super::folder::hex;
use super::model::Model;
use flate2::{Compression, GzBuilder};
use kgq_graph::export::turtle;
use kgq_graph::project::Entailment;
use kgq_graph::render::{GraphOptions, RdfVersion, write_quads};
use kgq_syntax::budget::Budget;
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
    /// What stands in a folder; a server makes it when it is asked for.
    pub made: Option<Made>,
}

/// The bytes of a dump, and their SHA-256 in hexadecimal digits.
pub struct Made {
    pub bytes: Vec<u8>,
    pub hash: String,
}

/// How many statements a server puts into one file at once; for more there are queries, and `kgq export`.
const MOST_SERVED: usize = 1_000_000;

const FORMATS: [RdfFormat; 5] =
    [RdfFormat::Turtle, RdfFormat::TriG, RdfFormat::NQuads, RdfFormat::JsonLd, RdfFormat::RdfXml];

/// The dumps: of a folder with their bytes, of a server those that can be made. A format that cannot hold the graph is left out.
pub fn dumps(model: &Model<'_>) -> Result<Vec<Dump>> {
    let source = &model.source;
    let mut dumps = Vec::new();
    if source.served {
        let formats = FORMATS.into_iter().filter(|format| *format != RdfFormat::RdfXml);
        let small = source.quads.len() <= MOST_SERVED;
        return Ok(formats.filter(|_| small).map(|format| served(model, format)).collect());
    }
    for (quads, inferred) in [(source.quads, false), (source.inferred, true)] {
        if inferred && quads.is_empty() {
            continue;
        }
        let sorted = sorted(quads, model.budget)?;
        let merged = merged(&sorted);
        let several = has_named_graphs(&sorted);
        for format in FORMATS {
            let quads = if format.holds_named_graphs() { &sorted } else { &merged };
            let Some(bytes) = bytes(model, quads, format)? else { continue };
            let holds = if inferred { follows(source.entailment) } else { held(several, format) };
            let suffix = if inferred { "-inferred" } else { "" };
            let path = format!("dump/{}{suffix}.{}", file_name(source.name), format.endings()[0]);
            let dump = |path: String, compressed: bool, bytes: Vec<u8>| {
                let made = Some(Made { hash: hex(&bytes), bytes });
                Dump { path, format, compressed, inferred, holds, made }
            };
            let zipped = compress(&bytes)?;
            let zipped_path = format!("{path}.gz");
            dumps.push(dump(path, false, bytes));
            dumps.push(dump(zipped_path, true, zipped));
        }
    }
    Ok(dumps)
}

fn served(model: &Model<'_>, format: RdfFormat) -> Dump {
    let path = format!("dump/{}.{}", file_name(model.source.name), format.endings()[0]);
    let holds = held(has_named_graphs(model.source.quads), format);
    Dump { path, format, compressed: false, inferred: false, holds, made: None }
}

/// The bytes of the dump at a path, if one stands there.
pub fn file(model: &Model<'_>, path: &str) -> Result<Option<Vec<u8>>> {
    let dumps = model.dumps()?;
    let Some(dump) = dumps.iter().find(|dump| dump.path == path) else { return Ok(None) };
    if let Some(made) = &dump.made {
        return Ok(Some(made.bytes.clone()));
    }
    let sorted = sorted(model.source.quads, model.budget)?;
    let quads = if dump.format.holds_named_graphs() { sorted } else { merged(&sorted) };
    bytes(model, &quads, dump.format)
}

/// The statements in an order that depends on nothing but the graph. Blank nodes that are too much alike to be named canonically keep
/// the names that the order of the files gave them.
fn sorted(quads: &[Quad], budget: &Budget) -> Result<Vec<Quad>> {
    match canonical::relabel(quads, budget) {
        Ok((quads, _)) => Ok(quads),
        Err(error) if error.limit_passed().is_some() => Err(error),
        Err(_) => {
            let mut sorted = quads.to_vec();
            sorted.sort_by_cached_key(Quad::to_string);
            Ok(sorted)
        }
    }
}

/// The statements of all graphs as one.
fn merged(sorted: &[Quad]) -> Vec<Quad> {
    let mut merged: Vec<Quad> =
        sorted.iter().cloned().map(|q| Quad { graph_name: GraphName::DefaultGraph, ..q }).collect();
    merged.sort_by_cached_key(Quad::to_string);
    merged.dedup();
    merged
}

fn has_named_graphs(quads: &[Quad]) -> bool {
    quads.iter().any(|q| q.graph_name != GraphName::DefaultGraph)
}

/// What a dump of what is stated holds, in words.
fn held(several: bool, format: RdfFormat) -> &'static str {
    match (several, format.holds_named_graphs()) {
        (true, true) => "everything, graph by graph",
        (true, false) => "everything, all graphs as one",
        (false, _) => "everything",
    }
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
pub fn checksums(dumps: &[&Dump]) -> String {
    let made = dumps.iter().filter_map(|dump| Some((dump, dump.made.as_ref()?)));
    made.map(|(dump, made)| format!("{}  {}\n", made.hash, dump.path.trim_start_matches("dump/"))).collect()
}

fn file_name(name: &str) -> String {
    kgq_graph::export::names::safe_part(name, true).0
}

fn bytes(model: &Model<'_>, quads: &[Quad], format: RdfFormat) -> Result<Option<Vec<u8>>> {
    if matches!(format, RdfFormat::Turtle | RdfFormat::TriG) {
        return Ok(Some(turtle::write(quads, model.source.prefixes, model.budget)?.into_bytes()));
    }
    let mut out = Vec::new();
    // Most tools that still want RDF/XML know no RDF 1.2.
    let version = if format == RdfFormat::RdfXml { RdfVersion::V11 } else { RdfVersion::V12 };
    match write_quads(quads, format, model.source.prefixes, GraphOptions { version }, model.budget, &mut out) {
        Ok(_) => Ok(Some(out)),
        // RDF/XML has no way to write a property whose IRI ends in no XML name.
        Err(error) if format == RdfFormat::RdfXml && error.limit_passed().is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gzip without a time or a name, so that the same bytes give the same file.
fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| Error::io("a compressed dump", &e))
}
