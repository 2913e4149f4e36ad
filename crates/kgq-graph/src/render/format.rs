//! The formats of answers: one list, which `--format`, the server's content negotiation, its descriptions and the
//! pages' downloads all use. A new format is a file below this one, a line of the list, and what writes it.

mod columns;
mod csv;
mod geojson;
mod html;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod table;
mod w3c;

pub use columns::{ColumnOptions, lacking};
pub use geojson::has_geometry;
pub use html::POLICY as PAGE_POLICY;
pub use json::value as term_json;

use super::{RenderOptions, Written, cells, output_error};
use kgq_engine::Solutions;
use kgq_engine::query::Form;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Compression, Literal, RdfFormat, Variable};
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
    Html,
    GeoJson,
    Arrow,
    Parquet,
    Excel,
    Rdf(RdfFormat),
}

impl Format {
    /// The formats of tables, followed by those of graphs that can be written.
    pub const ALL: &'static [Self] = &[
        Self::Table,
        Self::Csv,
        Self::Tsv,
        Self::Json,
        Self::Xml,
        Self::Markdown,
        Self::Ndjson,
        Self::Html,
        Self::GeoJson,
        Self::Arrow,
        Self::Parquet,
        Self::Excel,
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
            Self::Html => "html",
            Self::GeoJson => "geojson",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
            Self::Excel => "xlsx",
            Self::Rdf(format) => format.name(),
        }
    }

    /// Returns the file name ending of this format.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            // `.json` is SPARQL JSON for a table; a graph's ending is `.jsonld`.
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Markdown => "md",
            Self::Ndjson => "ndjson",
            Self::Html => "html",
            Self::GeoJson => "geojson",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
            Self::Excel => "xlsx",
            Self::Rdf(format) => format.endings()[0],
        }
    }

    /// Returns the media types that request it, without parameters; the first is its own name.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Table => &["text/plain"],
            Self::Csv => &["text/csv"],
            Self::Tsv => &["text/tab-separated-values"],
            Self::Json => &["application/sparql-results+json", "application/json"],
            Self::Xml => &["application/sparql-results+xml", "application/xml", "text/xml"],
            Self::Markdown => &["text/markdown"],
            Self::Ndjson => &["application/x-ndjson", "application/jsonl"],
            Self::Html => &["text/html"],
            Self::GeoJson => &["application/geo+json"],
            Self::Arrow => &["application/vnd.apache.arrow.file", Self::ARROW_STREAM],
            Self::Parquet => &["application/vnd.apache.parquet"],
            Self::Excel => &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
            Self::Rdf(RdfFormat::Turtle) => &["text/turtle", "application/x-turtle"],
            Self::Rdf(RdfFormat::TriG) => &["application/trig"],
            Self::Rdf(RdfFormat::NTriples) => &["application/n-triples"],
            Self::Rdf(RdfFormat::NQuads) => &["application/n-quads"],
            Self::Rdf(RdfFormat::RdfXml) => &["application/rdf+xml", "application/xml", "text/xml"],
            Self::Rdf(RdfFormat::JsonLd) => &["application/ld+json", "application/json"],
            Self::Rdf(RdfFormat::N3 | RdfFormat::TurtleStar | RdfFormat::TriGStar) => &[],
        }
    }

    /// Arrow for a reader that processes rows as they arrive.
    pub const ARROW_STREAM: &'static str = "application/vnd.apache.arrow.stream";

    /// Returns the formats that this build writes and that can hold an answer to this query form: a graph can be a
    /// table of its triples too, but for JSON and XML it has formats of its own.
    pub fn of(form: Form) -> impl Iterator<Item = Self> {
        let holds = move |format: Self| match (form, format) {
            (Form::Select, Self::Rdf(_)) | (Form::Ask, Self::Rdf(_) | Self::GeoJson) => false,
            (Form::Select | Form::Ask, _) => true,
            (Form::Construct | Form::Describe, format) => !matches!(format, Self::Json | Self::Xml | Self::GeoJson),
        };
        Self::ALL.iter().copied().filter(move |format| holds(*format) && lacking(*format).is_none())
    }

    /// Whether it is binary, so that a terminal cannot show it.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet | Self::Excel)
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

    /// Returns the format for the ending of a file name, ignoring a final `.gz` or `.zst`.
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

    /// Returns the names of the table formats, for messages.
    pub(crate) fn list_of_tables() -> String {
        let tables = Self::ALL.iter().filter(|format| !matches!(format, Self::Rdf(_)));
        tables.map(|format| format.name()).collect::<Vec<_>>().join(", ")
    }

    /// The names of all formats, for messages.
    pub fn list() -> String {
        Self::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")
    }
}

/// Marks a text as UTF-8, for programs that would not assume it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Writes solutions in the wanted format.
pub(super) fn write_solutions(
    solutions: Solutions,
    options: RenderOptions<'_>,
    out: &mut dyn Write,
) -> Result<Written> {
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

/// Writes the answer of an ASK.
pub(super) fn write_boolean(value: bool, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_answer_of_any_form_has_formats_of_different_names_and_types() {
        for form in [Form::Select, Form::Ask, Form::Construct, Form::Describe] {
            let formats: Vec<Format> = Format::of(form).collect();
            let types: Vec<&str> = formats.iter().flat_map(|format| format.media_types()).copied().collect();
            assert!(formats.iter().all(|format| !format.media_types().is_empty()), "{form:?}");
            assert_eq!(types.iter().collect::<HashSet<_>>().len(), types.len(), "{form:?}");
            let names: HashSet<&str> = formats.iter().map(|format| format.name()).collect();
            assert_eq!(names.len(), formats.len(), "{form:?}");
            assert_eq!(formats.contains(&Format::Parquet), cfg!(feature = "tables"), "{form:?}");
        }
    }
}
