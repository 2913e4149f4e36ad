//! Writes answers as bytes: one source file for each format, and one list of all formats.

mod cells;
mod cited;
mod columns;
mod csv;
mod format;
mod geojson;
mod graph;
mod html;
mod json;
mod markdown;
mod rdfxml;
mod table;
mod term;
mod w3c;
mod wkt;
mod xml;

pub use cells::CellOptions;
pub use cited::{Cited, markdown_references, reference, write as write_cited};
pub use columns::{ColumnOptions, lacking};
pub use format::Format;
pub use geojson::has_geometry;
pub use graph::{GraphOptions, RdfVersion, Walk, Walked, write_quads, write_walked};
pub use html::POLICY as PAGE_POLICY;
pub use json::value as term_json;
pub use term::cell;

use kgq_engine::{Answer, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Prefixes, Term, Variable};
use std::io::Write;

/// How answers are written.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions<'a> {
    pub format: Format,
    pub prefixes: &'a Prefixes,
    /// The terminal's width in cells; `None` without a terminal: lines can then have any length.
    pub width: Option<usize>,
    pub colour: bool,
    pub graph: GraphOptions,
    pub table: TableOptions,
    pub cells: CellOptions,
    pub columns: ColumnOptions<'a>,
}

/// The layout of a table for reading.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions {
    /// Rows show their numbers, so that they can be referred to.
    pub numbered: bool,
    /// Longer texts are cut to this many cells, with a mark.
    pub longest: Option<usize>,
    /// One value per line, however wide the terminal is.
    pub vertical: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The number of rows or triples; 0 for a truth value.
    pub rows: u64,
    pub truth: Option<bool>,
    /// The number of terms that could not be written as they are and were mapped to RDF 1.1.
    pub mapped: u64,
    /// The number of addresses that a sheet could not hold as links and that were written as text.
    pub unlinked: u64,
}

/// Writes an answer.
pub fn write(answer: Answer, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    match answer {
        Answer::Boolean(value) => write_boolean(value, options, out),
        Answer::Solutions(solutions) => write_solutions(solutions, options, out),
        Answer::Graph(triples) => match options.format {
            Format::Rdf(format) => {
                let (rows, mapped) = graph::write_triples(triples.0, format, options.prefixes, options.graph, out)?;
                Ok(Written { rows, mapped, ..Written::default() })
            }
            // A graph is written as a table of its triples.
            Format::GeoJson => Err(Error::usage("the answer is a graph, and GeoJSON needs a table with a geometry")
                .hint("ask with SELECT")),
            _ => {
                let rows = triples
                    .0
                    .map(|t| t.map(|t| vec![Some(t.subject.into()), Some(Term::from(t.predicate)), Some(t.object)]));
                let variables = ["subject", "predicate", "object"].map(Variable::new_unchecked).to_vec();
                write_solutions(Solutions::new(variables, rows), options, out)
            }
        },
    }
}

/// Marks a text as UTF-8, for programs that would not assume it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

fn write_solutions(solutions: Solutions, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    let rows = match options.format {
        Format::Table => table::write(solutions, options, out)?,
        Format::Markdown => markdown::write(solutions, options.prefixes, out)?,
        Format::Ndjson => json::write_lines(solutions, options.cells.plain, out)?,
        Format::Html => html::write(solutions, options.prefixes, out)?,
        Format::GeoJson => geojson::write(solutions, out)?,
        Format::Arrow | Format::Parquet | Format::Excel => {
            return columns::write(solutions, options.format, options.columns, out);
        }
        Format::Csv => {
            if options.cells.byte_order_mark {
                out.write_all(BYTE_ORDER_MARK).map_err(|e| output_error(&e))?;
            }
            let solutions = if options.cells.inert { cells::inert(solutions) } else { solutions };
            csv::write(solutions, out)?
        }
        Format::Tsv | Format::Json | Format::Xml => w3c::write(solutions, options.format, out)?,
        Format::Rdf(format) => {
            return Err(Error::usage(format!(
                "the answer is a table, which {} cannot hold; a CONSTRUCT or DESCRIBE query answers with a graph",
                format.name()
            ))
            .hint(format!("formats for tables: {}", Format::list_of_tables())));
        }
    };
    Ok(Written { rows, ..Written::default() })
}

fn write_boolean(value: bool, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    match options.format {
        Format::Json | Format::Xml => w3c::write_boolean(value, options.format, out)?,
        Format::Ndjson => writeln!(out, "{{\"boolean\":{value}}}").map_err(|e| output_error(&e))?,
        Format::Table | Format::Csv | Format::Tsv | Format::Markdown => {
            writeln!(out, "{value}").map_err(|e| output_error(&e))?;
        }
        Format::Html => html::write_boolean(value, out)?,
        // A single column with a single value.
        Format::Arrow | Format::Parquet | Format::Excel => {
            let row = Ok(vec![Some(Literal::from(value).into())]);
            let variables = vec![Variable::new_unchecked("boolean")];
            let solutions = Solutions::new(variables, std::iter::once(row));
            columns::write(solutions, options.format, options.columns, out)?;
        }
        Format::GeoJson | Format::Rdf(_) => {
            return Err(Error::usage(format!(
                "the answer is true or false, which {} cannot hold",
                options.format.name()
            ))
            .hint("formats for ASK: table, csv, tsv, json, xml, markdown, ndjson, html, arrow, parquet, xlsx"));
        }
    }
    Ok(Written { truth: Some(value), ..Written::default() })
}

pub(crate) fn output_error(error: &std::io::Error) -> Error {
    Error::io("the output", error)
}
