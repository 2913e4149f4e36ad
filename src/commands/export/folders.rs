//! `kgq export` to a folder, written whole or not at all: one table per class, or the whole graph as two tables.

use super::Args;
use crate::commands::note_unlinked;
use crate::commands::output::Output;
use kgq_graph::export::{parquet, tables};
use kgq_graph::graph::Graph;
use kgq_graph::render::{self, ColumnOptions, Format, RenderOptions};
use kgq_site::{Folder, Maker};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::count;
use std::path::Path;

/// The format of the class tables.
pub fn format_of_tables(args: &Args) -> Result<Format> {
    match args.answer.format {
        None => Ok(Format::Csv),
        Some(format @ (Format::Csv | Format::Arrow | Format::Parquet | Format::Excel)) => Ok(format),
        Some(format) => Err(Error::usage(format!("tables are not written as {}", format.name()))
            .hint("the formats of tables are csv, parquet, arrow, xlsx")),
    }
}

/// The folder to write to, with the arguments.
pub struct Target<'a> {
    pub folder: &'a Path,
    pub args: &'a Args,
    pub graph: &'a Graph,
    pub budget: &'a Budget,
}

impl Target<'_> {
    /// Writes one table per class, from one graph of the snapshot or from all.
    pub fn tables(&self, snapshot: &Snapshot, only: Option<TermId>, output: &mut Output) -> Result<()> {
        let Target { folder, args, graph, budget } = *self;
        let format = format_of_tables(args)?;
        let prefixes = graph.prefixes()?;
        let target = self.open()?;
        let (mut number, mut unlinked) = (0, 0);
        for table in tables::tables(snapshot, only, prefixes, budget)? {
            let table = table?;
            let name = format!("{}.{}", table.name, format.ending());
            target.announce(&name)?;
            target.stream(&name, |out| match format {
                Format::Csv => table.write_csv(budget, out),
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
                    render::write(solutions, options, out).map(|written| unlinked += written.unlinked)
                }
            })?;
            number += 1;
        }
        self.finish(target)?;
        note_unlinked(unlinked, output);
        output.note(&format!("{} in {}", count(number, "table", "tables"), folder.display()));
        Ok(())
    }

    /// Writes the whole graph as two tables, of its terms and of its statements.
    pub fn parquet(&self, snapshot: &Snapshot, output: &mut Output) -> Result<()> {
        let Target { folder, budget, .. } = *self;
        let target = self.open()?;
        [parquet::TERMS, parquet::TRIPLES].into_iter().try_for_each(|name| target.announce(name))?;
        let terms = target.stream(parquet::TERMS, |out| parquet::write(parquet::TERMS, snapshot, budget, out))?;
        let triples = target.stream(parquet::TRIPLES, |out| parquet::write(parquet::TRIPLES, snapshot, budget, out))?;
        self.finish(target)?;
        let (terms, triples) = (count(terms, "term", "terms"), count(triples, "statement", "statements"));
        output.note(&format!("{terms} and {triples} in {}", folder.display()));
        Ok(())
    }

    fn open(&self) -> Result<Folder> {
        self.graph.refuse_own_file(&self.folder.join(parquet::TERMS))?;
        Folder::open(self.folder, Maker::Export, crate::commands::unfinished())
    }

    fn finish(&self, target: Folder) -> Result<()> {
        if self.args.checksum {
            let name = "SHA256SUMS".to_owned();
            target.announce(&name)?;
            target.write(&name, target.sums().as_bytes())?;
        }
        target.finish().map(drop)
    }
}
