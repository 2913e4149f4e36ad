//! Answers to bytes: one file a format, one list of all.

mod cells;
mod cited;
mod graph;
mod json;
mod markdown;
mod rdfxml;
mod table;
mod term;
mod w3c;
mod xml;

pub use cells::CellOptions;
pub use cited::{Cited, markdown_references, reference, write as write_cited};
pub use graph::{GraphOptions, RdfVersion, write_quads};
pub use json::value as term_json;
pub use term::cell;

use kgq_engine::{Answer, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Compression, Prefixes, RdfFormat, Term, Variable};
use std::io::Write;

/// A format of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    Csv,
    Tsv,
    Json,
    Xml,
    Markdown,
    Ndjson,
    Rdf(RdfFormat),
}

impl Format {
    /// The formats of tables, then those of graphs that are written.
    pub const ALL: &'static [Self] = &[
        Self::Table,
        Self::Csv,
        Self::Tsv,
        Self::Json,
        Self::Xml,
        Self::Markdown,
        Self::Ndjson,
        Self::Rdf(RdfFormat::Turtle),
        Self::Rdf(RdfFormat::TriG),
        Self::Rdf(RdfFormat::NTriples),
        Self::Rdf(RdfFormat::NQuads),
        Self::Rdf(RdfFormat::RdfXml),
        Self::Rdf(RdfFormat::JsonLd),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Markdown => "markdown",
            Self::Ndjson => "ndjson",
            Self::Rdf(format) => format.name(),
        }
    }

    /// The ending of a file's name that means this format.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            // `.json` is SPARQL JSON for a table; a graph's is `.jsonld`.
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Markdown => "md",
            Self::Ndjson => "ndjson",
            Self::Rdf(format) => format.endings()[0],
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Json => "application/sparql-results+json",
            Self::Xml => "application/sparql-results+xml",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Rdf(format) => format.media_type(),
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Self::ALL
            .iter()
            .copied()
            .find(|f| f.name() == lower)
            .or_else(|| Self::ALL.iter().copied().find(|f| f.ending() == lower))
            .or_else(|| RdfFormat::from_name(name).filter(|f| f.is_written()).map(Self::Rdf))
    }

    /// The format that the ending of a file's name says, below a `.gz` or `.zst`.
    pub fn from_path(path: &str) -> Option<Self> {
        let (path, _) = Compression::strip(path);
        let (_, ending) = path.rsplit(['/', '\\']).next()?.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        Self::ALL
            .iter()
            .copied()
            .find(|f| f.ending() == ending)
            .or_else(|| RdfFormat::from_path(path).filter(|f| f.is_written()).map(Self::Rdf))
    }

    /// The names of all formats, for messages.
    pub fn list() -> String {
        Self::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")
    }
}

/// How answers are written.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions<'a> {
    pub format: Format,
    pub prefixes: &'a Prefixes,
    /// The terminal's width in cells; `None` where there is none, and lines may be as long as they are.
    pub width: Option<usize>,
    pub colour: bool,
    pub graph: GraphOptions,
    pub table: TableOptions,
    pub cells: CellOptions,
}

/// How a table for reading is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions {
    /// Rows carry their number, so that they can be spoken of.
    pub numbered: bool,
    /// Longer texts are cut to so many cells, with a mark.
    pub longest: Option<usize>,
    /// One value a line, however wide the terminal.
    pub vertical: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of a table, triples of a graph; of a truth value, none.
    pub rows: u64,
    pub truth: Option<bool>,
    /// What could not be written as it was and was mapped to RDF 1.1.
    pub mapped: u64,
}

/// Writes an answer.
pub fn write(answer: Answer, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    match answer {
        Answer::Boolean(value) => write_boolean(value, options, out),
        Answer::Solutions(solutions) => write_solutions(solutions, options, out),
        Answer::Graph(triples) => match options.format {
            Format::Rdf(format) => {
                let (rows, mapped) = graph::write_triples(triples.0, format, options.prefixes, options.graph, out)?;
                Ok(Written { rows, truth: None, mapped })
            }
            // A graph as a table of its triples.
            _ => {
                let rows = triples
                    .0
                    .map(|t| t.map(|t| vec![Some(t.subject.into()), Some(Term::from(t.predicate)), Some(t.object)]));
                let variables = ["subject", "predicate", "object"].map(Variable::new_unchecked).to_vec();
                write_solutions(Solutions { variables, rows: Box::new(rows) }, options, out)
            }
        },
    }
}

/// That a text is UTF-8, for programs that would not take it for that.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

fn write_solutions(solutions: Solutions, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    let rows = match options.format {
        Format::Table => table::write(solutions, options, out)?,
        Format::Markdown => markdown::write(solutions, options.prefixes, out)?,
        Format::Ndjson => json::write_lines(solutions, options.cells.plain, out)?,
        Format::Csv => {
            if options.cells.byte_order_mark {
                out.write_all(BYTE_ORDER_MARK).map_err(|e| output_error(&e))?;
            }
            let solutions = if options.cells.inert { cells::inert(solutions) } else { solutions };
            w3c::write(solutions, options.format, out)?
        }
        Format::Tsv | Format::Json | Format::Xml => w3c::write(solutions, options.format, out)?,
        Format::Rdf(format) => {
            return Err(Error::usage(format!(
                "the answer is a table, which {} cannot hold; a CONSTRUCT or DESCRIBE query answers with a graph",
                format.name()
            ))
            .hint("formats for tables: table, csv, tsv, json, xml, markdown, ndjson"));
        }
    };
    Ok(Written { rows, truth: None, mapped: 0 })
}

fn write_boolean(value: bool, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    match options.format {
        Format::Json | Format::Xml => w3c::write_boolean(value, options.format, out)?,
        Format::Ndjson => writeln!(out, "{{\"boolean\":{value}}}").map_err(|e| output_error(&e))?,
        Format::Table | Format::Csv | Format::Tsv | Format::Markdown => {
            writeln!(out, "{value}").map_err(|e| output_error(&e))?;
        }
        Format::Rdf(format) => {
            return Err(Error::usage(format!("the answer is true or false, which {} cannot hold", format.name()))
                .hint("formats for ASK: table, csv, tsv, json, xml, markdown, ndjson"));
        }
    }
    Ok(Written { rows: 0, truth: Some(value), mapped: 0 })
}

pub(crate) fn output_error(error: &std::io::Error) -> Error {
    Error::io("the output", error)
}
