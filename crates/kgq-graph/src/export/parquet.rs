//! The whole graph as two Parquet files, which kgq-tables writes if the feature `tables` is enabled.

use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use std::io::Write;

/// The files of the terms by id, and of the statements as the ids of their terms.
pub const TERMS: &str = "terms.parquet";
pub const TRIPLES: &str = "triples.parquet";

/// Writes one of the two files; returns the number of rows.
///
/// # Errors
/// Those of the budget and of the writer; damage to the snapshot; a build without the feature.
#[cfg(feature = "tables")]
pub fn write(file: &str, snapshot: &Snapshot, budget: &Budget, out: &mut dyn Write) -> Result<u64> {
    match file {
        TERMS => kgq_tables::snapshot::write_terms(snapshot, budget, out),
        _ => kgq_tables::snapshot::write_triples(snapshot, budget, out),
    }
}

/// Fails, because this build lacks the feature.
///
/// # Errors
/// Always.
#[cfg(not(feature = "tables"))]
pub fn write(_: &str, _: &Snapshot, _: &Budget, _: &mut dyn Write) -> Result<u64> {
    Err(crate::render::lacking(crate::render::Format::Parquet)
        .unwrap_or_else(|| kgq_syntax::error::Error::bug("Parquet is lacking, and is not")))
}
