//! Writes answers as bytes: one source file for each format, and one list of all formats (`format`).

mod cells;
mod cited;
mod format;
mod graph;
mod rdfxml;
mod term;
mod wkt;
mod xml;

pub use cells::CellOptions;
pub(crate) use cited::markdown_references;
pub use cited::{Cited, reference, write as write_cited};
pub use format::{ColumnOptions, Format, PAGE_POLICY, has_geometry, lacking, term_json};
pub use graph::{GraphOptions, RdfVersion, Walk, Walked, write_quads, write_walked};
pub use term::cell;

use kgq_engine::{Answer, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Prefixes, Term, Variable};
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
        Answer::Boolean(value) => format::write_boolean(value, options, out),
        Answer::Solutions(solutions) => format::write_solutions(solutions, options, out),
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
                format::write_solutions(Solutions::new(variables, rows), options, out)
            }
        },
    }
}

pub(crate) fn output_error(error: &std::io::Error) -> Error {
    Error::io("the output", error)
}
