//! `kgq export` to a folder, which is written whole or not at all: a table of each class, or the whole graph as two tables.

use super::Args;
use crate::commands::output::Output;
use kgq_graph::export::{parquet, tables};
use kgq_graph::graph::Graph;
use kgq_graph::render::{self, ColumnOptions, Format, RenderOptions};
use kgq_site::{Folder, Maker};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Quad;
use kgq_syntax::text::count;
use std::path::Path;

/// The format of the tables of classes.
pub fn format_of_tables(args: &Args) -> Result<Format> {
    match args.answer.format {
        None => Ok(Format::Csv),
        Some(format @ (Format::Csv | Format::Arrow | Format::Parquet | Format::Excel)) => Ok(format),
        Some(format) => Err(Error::usage(format!("tables are not written as {}", format.name()))
            .hint("the formats of tables are csv, parquet, arrow, xlsx")),
    }
}

/// Writes a table of each class.
pub fn write_tables(
    quads: &[Quad],
    folder: &Path,
    args: &Args,
    graph: &Graph,
    budget: &Budget,
    output: &mut Output,
) -> Result<()> {
    let format = format_of_tables(args)?;
    let prefixes = graph.prefixes()?;
    let target = open(folder, graph)?;
    let mut number = 0;
    for table in tables::tables(quads, prefixes) {
        budget.check()?;
        let name = format!("{}.{}", table.name, format.ending());
        target.announce(std::slice::from_ref(&name))?;
        target.stream(&name, |out| match format {
            Format::Csv => table.write_csv(out),
            format => {
                let options = RenderOptions {
                    format,
                    prefixes,
                    width: None,
                    colour: false,
                    graph: args.answer.graph_options(),
                    table: render::TableOptions::default(),
                    cells: render::CellOptions::default(),
                    columns: ColumnOptions { terms: args.answer.terms, stream: false, budget: Some(budget) },
                };
                let solutions = kgq_engine::Answer::Solutions(table.into_solutions());
                render::write(solutions, options, out).map(drop)
            }
        })?;
        number += 1;
    }
    finish(target, args)?;
    output.note(&format!("{} in {}", count(number, "table", "tables"), folder.display()));
    Ok(())
}

/// Writes the whole graph: its terms, and its statements.
pub fn write_parquet(
    snapshot: &Snapshot,
    folder: &Path,
    args: &Args,
    graph: &Graph,
    budget: &Budget,
    output: &mut Output,
) -> Result<()> {
    let target = open(folder, graph)?;
    target.announce(&[parquet::TERMS, parquet::TRIPLES].map(str::to_owned))?;
    let terms = target.stream(parquet::TERMS, |out| parquet::write(parquet::TERMS, snapshot, budget, out))?;
    let triples = target.stream(parquet::TRIPLES, |out| parquet::write(parquet::TRIPLES, snapshot, budget, out))?;
    finish(target, args)?;
    let (terms, triples) = (count(terms, "term", "terms"), count(triples, "statement", "statements"));
    output.note(&format!("{terms} and {triples} in {}", folder.display()));
    Ok(())
}

fn open(folder: &Path, graph: &Graph) -> Result<Folder> {
    graph.refuse_own_file(&folder.join(parquet::TERMS))?;
    Folder::open(folder, Maker::Export, crate::commands::unfinished())
}

fn finish(target: Folder, args: &Args) -> Result<()> {
    if args.checksum {
        let name = "SHA256SUMS".to_owned();
        target.announce(std::slice::from_ref(&name))?;
        target.write(&name, target.sums().as_bytes())?;
    }
    target.finish().map(drop)
}
