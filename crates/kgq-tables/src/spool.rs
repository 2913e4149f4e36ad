//! Queues batches in order: in memory up to a bound, beyond it in an anonymous temporary file.

use super::arrow_error;
use super::temporary::{TemporaryFile, told};
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use std::io::{BufReader, BufWriter, Seek, Write};

const WHAT: &str = "a temporary file for the rows of the answer";

/// Batches written to a temporary file, which is deleted with this value.
pub struct Spool(StreamWriter<BufWriter<TemporaryFile>>);

/// The batches of a spool.
pub type Spooled = Box<StreamReader<BufReader<TemporaryFile>>>;

impl Spool {
    pub fn create(schema: &SchemaRef, budget: &Budget) -> Result<Self> {
        let file = BufWriter::new(TemporaryFile::create(WHAT, budget)?);
        Ok(Self(StreamWriter::try_new(file, schema).map_err(temporary)?))
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(temporary)
    }

    pub fn read(self) -> Result<Spooled> {
        let failed = |error| told(error, WHAT);
        let mut buffered = self.0.into_inner().map_err(temporary)?;
        buffered.flush().map_err(failed)?;
        let mut file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        StreamReader::try_new(BufReader::new(file), None).map(Box::new).map_err(temporary)
    }
}

pub fn temporary(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => told(error, WHAT),
        error => arrow_error(error),
    }
}

/// A queue of batches that is being filled.
pub struct Pile {
    schema: SchemaRef,
    /// The most bytes held in memory.
    most: u64,
    budget: Budget,
    bytes: u64,
    held: Vec<(RecordBatch, Reservation)>,
    spool: Option<Spool>,
}

impl Pile {
    pub fn new(schema: SchemaRef, most: u64, budget: &Budget) -> Self {
        Self { schema, most, budget: budget.clone(), bytes: 0, held: Vec::new(), spool: None }
    }

    /// # Errors
    /// The budget's, a temporary file that cannot be written.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = batch.get_array_memory_size() as u64;
        self.bytes += bytes;
        let reserved = self.budget.reserve(bytes)?;
        self.held.push((batch, reserved));
        if self.spool.is_none() && self.bytes <= self.most {
            return Ok(());
        }
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(Spool::create(&self.schema, &self.budget)?),
        };
        self.held.drain(..).try_for_each(|(batch, _reserved)| spool.write(&batch))
    }

    /// Returns the batches in the order in which they were pushed.
    ///
    /// # Errors
    /// A temporary file that cannot be read.
    pub fn batches(self) -> Result<Piled> {
        Ok(match self.spool {
            None => Piled::Held(self.held.into_iter()),
            Some(spool) => Piled::Spooled(spool.read()?),
        })
    }
}

pub enum Piled {
    Held(std::vec::IntoIter<(RecordBatch, Reservation)>),
    Spooled(Spooled),
}

impl Iterator for Piled {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Held(batches) => batches.next().map(|(batch, _reserved)| Ok(batch)),
            Self::Spooled(reader) => reader.next().map(|batch| batch.map_err(temporary)),
        }
    }
}
