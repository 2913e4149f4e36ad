//! Solutions in columnar formats, which kgq-tables writes if the feature `tables` is enabled.

use crate::render::{Format, Written};
use kgq_engine::Solutions;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use std::io::Write;

/// How columnar formats are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnOptions<'a> {
    /// Every column of Arrow and Parquet describes each of its terms in full, whatever they have in common.
    pub terms: bool,
    /// Arrow is written as a stream, for a reader that processes rows as they arrive.
    pub stream: bool,
    /// The limit for rows held in memory and in temporary files; `None` is no limit.
    pub budget: Option<&'a Budget>,
}

/// Returns the error for a build that cannot write this format.
pub fn lacking(format: Format) -> Option<Error> {
    (format.is_binary() && cfg!(not(feature = "tables"))).then(|| {
        Error::usage(format!("this build of kgq does not write {}", format.name()))
            .hint("the packages of kgq do, and so does a build with the feature `tables`")
    })
}

#[cfg(feature = "tables")]
pub fn write(solutions: Solutions, format: Format, options: ColumnOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    use kgq_tables::{Batches, Gather, excel, ipc, parquet};
    let unlimited = Budget::default();
    let budget = options.budget.unwrap_or(&unlimited);
    let batches = |solutions| Batches::of(solutions, &Gather { terms: options.terms, ..Gather::default() }, budget);
    let of_rows = |rows| Written { rows, ..Written::default() };
    match format {
        Format::Arrow if options.stream => ipc::write_stream(batches(solutions)?, out).map(of_rows),
        Format::Arrow => ipc::write_file(batches(solutions)?, out).map(of_rows),
        Format::Parquet => parquet::write(batches(solutions)?, out).map(of_rows),
        Format::Excel => {
            let written = excel::write(solutions, budget, out)?;
            Ok(Written { unlinked: written.unlinked, ..of_rows(written.rows) })
        }
        format => Err(Error::bug(format!("{} is no format of columns", format.name()))),
    }
}

#[cfg(not(feature = "tables"))]
pub fn write(_: Solutions, format: Format, _: ColumnOptions<'_>, _: &mut dyn Write) -> Result<Written> {
    Err(lacking(format).unwrap_or_else(|| Error::bug(format!("{} is no format of columns", format.name()))))
}
