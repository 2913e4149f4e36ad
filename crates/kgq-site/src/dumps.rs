//! The whole graph in every format, plain and compressed, in an order that depends only on the graph.

use super::folder::Folder;
use super::model::Model;
use flate2::{Compression, GzBuilder};
use kgq_graph::export::sorted::{Sorted, Which};
use kgq_graph::export::turtle;
use kgq_graph::project::Entailment;
use kgq_graph::render::{GraphOptions, RdfVersion, Walked, write_walked};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::RdfFormat;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

/// A file with the whole graph.
pub struct Dump {
    pub path: String,
    pub format: RdfFormat,
    pub compressed: bool,
    pub inferred: bool,
    /// A description of its content.
    pub holds: &'static str,
    /// What was written into a folder; a server makes it when it is asked for.
    pub made: Option<Made>,
}

/// How many bytes a dump has, and their SHA-256 in hexadecimal digits.
pub struct Made {
    pub bytes: u64,
    pub hash: String,
}

/// The maximum number of statements that a server puts into one file; larger graphs need queries or `kgq export`.
const MOST_SERVED: usize = 1_000_000;

const FORMATS: [RdfFormat; 5] =
    [RdfFormat::Turtle, RdfFormat::TriG, RdfFormat::NQuads, RdfFormat::JsonLd, RdfFormat::RdfXml];

/// The dumps that a server can make.
pub fn served(model: &Model<'_>) -> Vec<Dump> {
    let source = &model.source;
    let formats = FORMATS.into_iter().filter(|format| *format != RdfFormat::RdfXml);
    let small = source.snapshot.len() <= MOST_SERVED;
    let dump = |format: RdfFormat| {
        let path = format!("dump/{}.{}", file_name(source.name), format.endings()[0]);
        let holds = held(source.snapshot.quad_count() > 0, format);
        Dump { path, format, compressed: false, inferred: false, holds, made: None }
    };
    formats.filter(|_| small).map(dump).collect()
}

/// Writes the dumps into a folder, statement by statement. A format that cannot hold the graph is left out.
pub fn make(model: &Model<'_>, folder: &Folder) -> Result<Vec<Dump>> {
    let source = &model.source;
    let mut dumps = Vec::new();
    for (snapshot, inferred) in [(Some(source.snapshot), false), (source.inferred, true)] {
        let Some(snapshot) = snapshot.filter(|snapshot| !inferred || !snapshot.is_empty()) else { continue };
        let sorted = Sorted::new(snapshot, model.budget)?;
        for format in FORMATS {
            let holds = match inferred {
                true => follows(source.entailment),
                false => held(snapshot.quad_count() > 0, format),
            };
            let suffix = if inferred { "-inferred" } else { "" };
            let path = format!("dump/{}{suffix}.{}", file_name(source.name), format.endings()[0]);
            let (bytes, hash) = match folder.stream_or_keep(&path, |out| write(model, &sorted, format, out)) {
                Ok(made) => made,
                // RDF/XML has no way to write a property whose IRI ends in no XML name.
                Err(error) if format == RdfFormat::RdfXml && error.kind() == Kind::Usage => continue,
                Err(error) => return Err(error),
            };
            let zipped_path = format!("{path}.gz");
            let plain = folder.read(&path)?;
            let (zipped_bytes, zipped_hash) =
                folder.stream_or_keep(&zipped_path, |out| compress(plain, out, model.budget))?;
            let dump = |path, compressed, made| Dump { path, format, compressed, inferred, holds, made: Some(made) };
            dumps.push(dump(path, false, Made { bytes, hash }));
            dumps.push(dump(zipped_path, true, Made { bytes: zipped_bytes, hash: zipped_hash }));
        }
    }
    Ok(dumps)
}

/// The bytes of the dump at a path, if a server makes one there.
pub fn file(model: &Model<'_>, path: &str) -> Result<Option<Vec<u8>>> {
    let Some(dump) = model.dumps().iter().find(|dump| dump.path == path && dump.made.is_none()) else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    write(model, &Sorted::new(model.source.snapshot, model.budget)?, dump.format, &mut bytes)?;
    Ok(Some(bytes))
}

/// Describes the content of a dump of the stated graph.
fn held(several: bool, format: RdfFormat) -> &'static str {
    match (several, format.holds_named_graphs()) {
        (true, true) => "everything, graph by graph",
        (true, false) => "everything, all graphs as one",
        (false, _) => "everything",
    }
}

/// Describes the inferred graph.
pub fn follows(entailment: Entailment) -> &'static str {
    match entailment {
        Entailment::None => "nothing: no rules are applied",
        Entailment::Rdfs => "what follows by the rules of RDFS and is not stated",
        Entailment::RdfsPlus => "what follows by the rules of RDFS and some of OWL 2 RL, and is not stated",
    }
}

/// The dump that the query page loads.
pub fn main_dump(model: &Model<'_>) -> String {
    format!("dump/{}.nq", file_name(model.source.name))
}

/// Lines for `sha256sum -c`.
pub fn checksums(dumps: &[Dump]) -> String {
    let made = dumps.iter().filter_map(|dump| Some((dump, dump.made.as_ref()?)));
    made.map(|(dump, made)| format!("{}  {}\n", made.hash, dump.path.trim_start_matches("dump/"))).collect()
}

fn file_name(name: &str) -> String {
    kgq_graph::export::names::safe_part(name, true).0
}

fn write(model: &Model<'_>, sorted: &Sorted<'_>, format: RdfFormat, out: &mut dyn Write) -> Result<()> {
    let (prefixes, budget) = (model.source.prefixes, model.budget);
    let merged = !format.holds_named_graphs();
    if matches!(format, RdfFormat::Turtle | RdfFormat::TriG) {
        return turtle::write_sorted(sorted, merged, prefixes, budget, out);
    }
    // Most tools that still want RDF/XML know no RDF 1.2.
    let version = if format == RdfFormat::RdfXml { RdfVersion::V11 } else { RdfVersion::V12 };
    let which = if merged { Which::Merged } else { Which::All };
    let walk = || sorted.walk(which);
    let quads = Walked { walk: &walk, named: !merged, triple_terms: sorted.has_triple_terms() };
    write_walked(&quads, format, prefixes, GraphOptions { version }, budget, out).map(drop)
}

/// Gzip without a time or a name, so that the same bytes give the same file.
fn compress(plain: File, out: &mut dyn Write, budget: &Budget) -> Result<()> {
    let failed = |e: io::Error| Error::io("a compressed dump", &e);
    let mut encoder = GzBuilder::new().mtime(0).write(out, Compression::best());
    let mut plain = BufReader::with_capacity(1 << 20, plain);
    loop {
        budget.check()?;
        let piece = plain.fill_buf().map_err(failed)?;
        if piece.is_empty() {
            return encoder.finish().map(drop).map_err(failed);
        }
        encoder.write_all(piece).map_err(failed)?;
        let length = piece.len();
        plain.consume(length);
    }
}
