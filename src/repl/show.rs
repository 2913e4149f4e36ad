//! Shows answers: as a numbered table that fits the screen, through the pager when long, or into a file.

use super::pager::{Left, Paged};
use super::running::Kept;
use super::{Last, Shell, sink};
use crate::commands::{Content, seconds};
use kgq_graph::render::{self, CellOptions, ColumnOptions, Format, GraphOptions, RenderOptions, TableOptions, Written};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::count;
use std::io::Write;

/// How answers are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShowSettings {
    /// The format chosen with `.format`; by default a table, or Turtle for graphs.
    pub format: Option<Format>,
    pub vertical: bool,
}

/// The maximum width of a text in a table, in cells; `.last` shows all of it.
const LONGEST: usize = 240;

/// Shows a new answer.
pub fn answer(shell: &mut Shell<'_>, last: &Last) -> Result<Written> {
    match sink::write(shell, last)? {
        Some(written) => Ok(written),
        None => write(shell, last, Some(LONGEST)),
    }
}

/// Shows an answer without cutting its texts.
pub fn whole(shell: &mut Shell<'_>, last: &Last) -> Result<()> {
    write(shell, last, None).map(|_| ())
}

fn write(shell: &mut Shell<'_>, last: &Last, longest: Option<usize>) -> Result<Written> {
    let to_terminal = shell.output.terminal.is_some();
    let format = match (&last.answer, shell.view.format) {
        // A format for tables does not apply to graphs, nor the reverse.
        (Kept::Graph(_), None) => Format::Rdf(RdfFormat::Turtle),
        (Kept::Table { .. } | Kept::Boolean(_), Some(Format::Rdf(_)) | None) if to_terminal => Format::Table,
        (Kept::Table { .. } | Kept::Boolean(_), Some(Format::Rdf(_)) | None) => Format::Tsv,
        (_, Some(format)) => format,
    };
    if format.is_binary() {
        return Err(Error::usage(format!("{} is no text, so it is not shown", format.name()))
            .hint("name a file for answers: `.output FILE`"));
    }
    let options = RenderOptions {
        format,
        prefixes: shell.graph.prefixes()?,
        width: shell.output.terminal,
        colour: shell.output.colour,
        graph: GraphOptions::default(),
        cells: CellOptions::default(),
        columns: ColumnOptions::default(),
        table: TableOptions { numbered: true, longest, vertical: shell.view.vertical },
    };
    let interrupts = &shell.interrupts;
    let interrupted = || interrupts.count() > 0;
    let mut screen = Marked { out: Paged::new(shell.output, Content::of(format), &interrupted), has_cut: false };
    let written = render::write(last.answer.answer(), options, &mut screen);
    let has_cut = screen.has_cut;
    let written = match (screen.out.finish()?, written) {
        (Some(Left::ByInterrupt), _) => {
            return Err(Error::new(Kind::Interrupted, "the answer was interrupted while it was shown"));
        }
        (Some(Left::ByReader), _) => last.answer.written(),
        (None, written) => written?,
    };
    if to_terminal || shell.output.err_is_terminal {
        let what = match &last.answer {
            Kept::Boolean(_) => "answered".to_owned(),
            Kept::Graph(_) => count(written.rows, "triple", "triples"),
            Kept::Table { .. } => count(written.rows, "row", "rows"),
        };
        let time = if shell.timing { format!(" in {}", seconds(last.took)) } else { String::new() };
        let cut = if longest.is_some() && has_cut { "; .last shows cut texts whole" } else { "" };
        shell.output.note(&format!("{what}{time}{cut}"));
    }
    Ok(written)
}

/// Passes output on, and notes whether a cell was cut.
struct Marked<W> {
    out: W,
    has_cut: bool,
}

impl<W: Write> Write for Marked<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mark = "…".as_bytes();
        self.has_cut = self.has_cut || bytes.windows(mark.len()).any(|piece| piece == mark);
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
