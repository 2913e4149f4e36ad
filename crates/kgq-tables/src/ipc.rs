//! Writes batches in Arrow's own format: as a file with an index at its end, or as a stream for a reader that consumes it as it
//! comes.

use super::{Batches, arrow_error};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use kgq_syntax::error::Result;
use std::io::Write;

/// Writes a file; returns the number of rows.
///
/// # Errors
/// Those of the batches and of the writer.
pub fn write_file(batches: Batches, out: &mut dyn Write) -> Result<u64> {
    let mut writer = FileWriter::try_new(out, &batches.schema()).map_err(arrow_error)?;
    let rows = each(batches, |batch| writer.write(batch))?;
    writer.finish().map_err(arrow_error)?;
    Ok(rows)
}

/// Writes a stream; returns the number of rows.
///
/// # Errors
/// Those of the batches and of the writer.
pub fn write_stream(batches: Batches, out: &mut dyn Write) -> Result<u64> {
    let mut writer = StreamWriter::try_new(out, &batches.schema()).map_err(arrow_error)?;
    let rows = each(batches, |batch| writer.write(batch))?;
    writer.finish().map_err(arrow_error)?;
    Ok(rows)
}

fn each(
    batches: Batches,
    mut write: impl FnMut(&arrow_array::RecordBatch) -> Result<(), arrow_schema::ArrowError>,
) -> Result<u64> {
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        write(&batch).map_err(arrow_error)?;
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
