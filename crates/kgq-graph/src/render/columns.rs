//! Solutions in the formats of columns, which kgq-tables writes where the feature `tables` is built.

use super::{Format, Written};
use kgq_engine::Solutions;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use std::io::Write;

/// How columns are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnOptions<'a> {
    /// Every column of Arrow and Parquet says of its terms what they are, whatever they have in common.
    pub terms: bool,
    /// Arrow is written as a stream, for a reader that takes rows as they come.
    pub stream: bool,
    /// What rows that are held, in memory and in temporary files, may take; `None` is without limit.
    pub budget: Option<&'a Budget>,
}

/// The error of a build that lacks what the format needs.
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
