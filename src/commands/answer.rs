//! What all commands with an answer share: format, destination, and the line with count and time.

use super::output::{Output, refuse_unknown_compression, write_to};
use super::progress::Progress;
use super::terminal::Content;
use crate::cli::complete;
use clap_complete::ArgValueCandidates;
use kgq_engine::Answer;
use kgq_graph::graph::Graph;
use kgq_graph::render::{
    self, CellOptions, ColumnOptions, Format, GraphOptions, RdfVersion, RenderOptions, TableOptions, Walked, Written,
    lacking,
};
use kgq_graph::request::export::Exported;
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Prefixes, Quad, RdfFormat};
use kgq_syntax::text::count;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// How an answer is written.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AnswerArgs {
    /// The format: table, csv, tsv, json, xml, markdown, ndjson, html, geojson, arrow, parquet, xlsx; turtle, trig, ntriples, nquads, rdfxml, jsonld
    ///
    /// Without it, the ending of the --output file says it; else a table on a terminal, TSV elsewhere, and Turtle for
    /// graphs.
    #[arg(long, short = 'F', value_parser = parse_format, value_name = "FORMAT", add = ArgValueCandidates::new(complete::formats))]
    pub format: Option<Format>,
    /// Write to this file instead; it is replaced when the answer is whole
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Begin CSV with the mark by which Excel knows UTF-8; texts that it would run are quoted as with --inert
    #[arg(long)]
    pub bom: bool,
    /// Put a `'` before texts of CSV that a spreadsheet would run: those that begin with = + - @ or a control character
    #[arg(long)]
    pub inert: bool,
    /// Write the values of ndjson as plain JSON: numbers, true, false and strings
    #[arg(long)]
    pub plain: bool,
    /// Say of each term in columns of arrow and parquet what it is: a struct of value, kind, datatype and language
    ///
    /// Without it, a column of one datatype has the type of its values, and one of IRIs or of one language is text.
    #[arg(long)]
    pub terms: bool,
    /// The version of RDF to write graphs in: 1.2, or 1.1 with reifiers as rdf:Statement
    #[arg(long, value_parser = parse_version, value_name = "VERSION", default_value = "1.2")]
    pub rdf: RdfVersion,
}

pub fn parse_format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| {
        let near = kgq_syntax::text::did_you_mean(text, Format::ALL.iter().map(|f| f.name()));
        format!("the formats are {}{}", Format::list(), near.map(|n| format!("; {n}")).unwrap_or_default())
    })
}

fn parse_version(text: &str) -> Result<RdfVersion, String> {
    match text {
        "1.2" => Ok(RdfVersion::V12),
        "1.1" => Ok(RdfVersion::V11),
        _ => Err("the versions are 1.1 and 1.2".into()),
    }
}

impl AnswerArgs {
    /// The format given by name or by the file's ending; `None` if neither says one.
    pub fn chosen_format(&self) -> Result<Option<Format>> {
        if self.format.is_some() {
            return Ok(self.format);
        }
        let Some(path) = &self.output else { return Ok(None) };
        // A device or pipe has no ending that could name a format.
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            return Ok(None);
        }
        let name = path.to_string_lossy();
        refuse_unknown_compression(&name)?;
        Format::from_path(&name).map(Some).ok_or_else(|| {
            Error::usage(format!("{name}: the file name shows no format"))
                .hint(format!("say it with `--format`: {}", Format::list()))
        })
    }

    /// Checks the arguments on destination and format before any work is done.
    pub fn check(&self, graph: &Graph) -> Result<()> {
        if let Some(path) = &self.output {
            graph.refuse_own_file(path)?;
        }
        self.check_cells()
    }

    /// The options for writing an answer to the destination in the arguments.
    pub fn options<'a>(&self, answer: &Answer, prefixes: &'a Prefixes, output: &Output) -> Result<RenderOptions<'a>> {
        let to_terminal = self.output.is_none() && output.terminal.is_some();
        let format = match self.chosen_format()? {
            Some(format) => format,
            None if matches!(answer, Answer::Graph(_)) => Format::Rdf(RdfFormat::Turtle),
            None if to_terminal => Format::Table,
            None => Format::Tsv,
        };
        if to_terminal {
            refuse_binary(format)?;
        }
        Ok(RenderOptions {
            format,
            prefixes,
            width: output.terminal.filter(|_| self.output.is_none()),
            colour: output.colour && self.output.is_none(),
            graph: self.graph_options(),
            table: TableOptions::default(),
            cells: self.cells(),
            columns: self.columns(),
        })
    }

    pub fn columns<'a>(&self) -> ColumnOptions<'a> {
        let device = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| !m.is_file());
        ColumnOptions { terms: self.terms, stream: self.output.as_ref().is_none_or(device), budget: None }
    }

    fn cells(&self) -> CellOptions {
        CellOptions { byte_order_mark: self.bom, inert: self.inert || self.bom, plain: self.plain }
    }

    /// Refuses options of one format together with another format.
    fn check_cells(&self) -> Result<()> {
        let format = self.chosen_format()?;
        let csv = (self.bom || self.inert) && format != Some(Format::Csv);
        let lines = self.plain && format != Some(Format::Ndjson);
        if self.terms && !matches!(format, Some(Format::Arrow | Format::Parquet)) {
            return Err(Error::usage("`--terms` is for columns").hint("add `--format arrow` or `--format parquet`"));
        }
        if let Some(error) = format.and_then(lacking) {
            return Err(error);
        }
        match (csv, lines) {
            (false, false) => Ok(()),
            (true, _) => Err(Error::usage("`--bom` and `--inert` are for CSV").hint("add `--format csv`")),
            (_, true) => Err(Error::usage("`--plain` is for JSON lines").hint("add `--format ndjson`")),
        }
    }

    pub fn graph_options(&self) -> GraphOptions {
        GraphOptions { version: self.rdf }
    }
}

/// Refuses to write a binary format to a terminal.
pub fn refuse_binary(format: Format) -> Result<()> {
    if !format.is_binary() {
        return Ok(());
    }
    Err(Error::usage(format!("{} is no text, so a terminal cannot show it", format.name()))
        .hint("name a file with `--output`"))
}

/// Writes an answer to the destination in the arguments; on a terminal, adds its size and time.
pub fn write_answer(
    answer: Answer,
    args: &AnswerArgs,
    graph: &Graph,
    output: &mut Output,
    started: Instant,
) -> Result<Written> {
    let is_graph = matches!(answer, Answer::Graph(_));
    let to_terminal = args.output.is_none() && output.terminal.is_some();
    let mut options = args.options(&answer, graph.prefixes()?, output)?;
    let budget = graph.budget_of(Work::Query);
    options.columns.budget = Some(&budget);
    if let Some(path) = &args.output {
        graph.refuse_own_file(path)?;
    }
    let written = write_to(args.output.as_deref(), Content::of(options.format), output, |out| {
        // With a limit on rows, nothing is written before it is known to hold; a file is replaced only when it is complete.
        if args.output.is_some() || graph.options().limits.rows.is_none() {
            return render::write(answer, options, out);
        }
        let mut held = Vec::new();
        let written = render::write(answer, options, &mut held)?;
        out.write_all(&held).map_err(|e| Error::io("the output", &e))?;
        Ok(written)
    })?;
    note_mapped(written.mapped, output);
    note_unlinked(written.unlinked, output);
    if to_terminal || (args.output.is_some() && output.err_is_terminal) {
        let what = match (written.truth, is_graph) {
            (Some(_), _) => "answered".to_owned(),
            (None, true) => count(written.rows, "triple", "triples"),
            (None, false) => count(written.rows, "row", "rows"),
        };
        output.note(&format!("{what} in {}", seconds(started.elapsed())));
    }
    Ok(written)
}

/// Writes quads to the destination in the arguments; without a format, in Turtle, or in TriG if some are in a named graph.
pub fn write_graph(
    quads: &[Quad],
    args: &AnswerArgs,
    graph: &Graph,
    progress: &Progress,
    output: &mut Output,
) -> Result<()> {
    let named = quads.iter().any(|q| q.graph_name != GraphName::DefaultGraph);
    write_dataset(named, args, graph, progress, output, |format, options, budget, out| {
        render::write_quads(quads, format, graph.prefixes()?, options, budget, out)
    })
}

/// Like [`write_graph`], for statements that are read from the snapshot as they are written.
pub fn write_exported(
    statements: &Exported<'_>,
    args: &AnswerArgs,
    graph: &Graph,
    progress: &Progress,
    output: &mut Output,
) -> Result<()> {
    let (named, triple_terms) = (statements.has_named_graphs(), statements.has_triple_terms());
    write_walked(&Walked { walk: &|| statements.walk(), named, triple_terms }, args, graph, progress, output)
}

/// Writes statements that are walked over.
pub fn write_walked(
    quads: &Walked<'_>,
    args: &AnswerArgs,
    graph: &Graph,
    progress: &Progress,
    output: &mut Output,
) -> Result<()> {
    write_dataset(quads.named, args, graph, progress, output, |format, options, budget, out| {
        render::write_walked(quads, format, graph.prefixes()?, options, budget, out)
    })
}

fn write_dataset(
    named: bool,
    args: &AnswerArgs,
    graph: &Graph,
    progress: &Progress,
    output: &mut Output,
    write: impl FnOnce(RdfFormat, GraphOptions, &Budget, &mut dyn Write) -> Result<u64>,
) -> Result<()> {
    let format = match args.chosen_format()? {
        Some(Format::Rdf(format)) => format,
        Some(format) => {
            return Err(Error::usage(format!("{} is a format of tables, not of graphs", format.name()))
                .hint(format!("formats of graphs: {}", RdfFormat::list(true))));
        }
        None if named => RdfFormat::TriG,
        None => RdfFormat::Turtle,
    };
    if let Some(path) = &args.output {
        graph.refuse_own_file(path)?;
    }
    let budget = graph.budget_of(Work::Export);
    let mapped = write_to(args.output.as_deref(), Content::of(Format::Rdf(format)), output, |out| {
        write(format, args.graph_options(), &budget, &mut progress.counting(out))
    })?;
    note_mapped(mapped, output);
    Ok(())
}

/// Notes how many terms the format could not represent unchanged.
fn note_mapped(mapped: u64, output: &mut Output) {
    if mapped > 0 {
        output.note(&format!(
            "{} mapped to RDF 1.1: written as rdf:Statement, as rdf:TripleTerm, or with an i18n datatype",
            count(mapped, "term", "terms")
        ));
    }
}

/// Notes how many addresses a sheet holds as texts.
pub fn note_unlinked(unlinked: u64, output: &mut Output) {
    if unlinked > 0 {
        output.note(&format!(
            "{} as text: Excel holds 65,530 links in a sheet, each of at most 2,080 characters",
            count(unlinked, "address written", "addresses written")
        ));
    }
}

/// Formats a duration for people.
pub fn seconds(duration: std::time::Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.2} s", ms / 1000.0)
    }
}
