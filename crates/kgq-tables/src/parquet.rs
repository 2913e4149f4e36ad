//! Writes batches as Parquet: in row groups of bounded size, compressed with Snappy, which every reader supports.

use super::{Batches, arrow_error};
use ::parquet::arrow::ArrowWriter;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kgq_syntax::error::{Error, Result};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The most rows and bytes of a row group. A group is held in memory until it is complete.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 64 << 20;

/// Writes an answer as Parquet; returns the number of rows.
///
/// # Errors
/// An answer without columns, which Parquet cannot represent; those of the batches and of the writer.
pub fn write(batches: Batches, out: &mut dyn Write) -> Result<u64> {
    if batches.schema().fields().is_empty() {
        return Err(Error::usage("the answer has no columns, and Parquet needs one").hint("select a variable"));
    }
    let mut file = ParquetFile::begin(batches.schema(), properties(), out)?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        file.write(&batch)?;
        rows += batch.num_rows() as u64;
    }
    file.finish()?;
    Ok(rows)
}

/// The common properties of all files.
pub fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(::parquet::basic::Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
}

/// A Parquet file that is being written.
pub struct ParquetFile<'a> {
    writer: ArrowWriter<Ready>,
    ready: Ready,
    out: &'a mut dyn Write,
}

impl<'a> ParquetFile<'a> {
    pub fn begin(schema: SchemaRef, properties: WriterPropertiesBuilder, out: &'a mut dyn Write) -> Result<Self> {
        let ready = Ready::default();
        let writer = ArrowWriter::try_new(ready.clone(), schema, Some(properties.build())).map_err(parquet_error)?;
        Ok(Self { writer, ready, out })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(parquet_error)?;
        self.ready.pass(self.out)
    }

    pub fn finish(self) -> Result<()> {
        self.writer.close().map_err(parquet_error)?;
        self.ready.pass(self.out)
    }
}

/// A buffer of bytes to be written out. The Parquet writer requires a `Send` sink, which an output need not be.
#[derive(Clone, Default)]
struct Ready(Arc<Mutex<Vec<u8>>>);

impl Ready {
    fn pass(&self, out: &mut dyn Write) -> Result<()> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        out.write_all(&bytes).map_err(|error| Error::io("the output", &error))
    }
}

impl Write for Ready {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn parquet_error(error: ParquetError) -> Error {
    match error {
        ParquetError::ArrowError(error) => arrow_error(arrow_schema::ArrowError::ParquetError(error)),
        error => Error::bug(format!("Parquet could not be written: {error}")),
    }
}
