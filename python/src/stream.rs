//! An answer as Arrow's C stream, which data tools read without a copy.

use super::answer::Asked;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use kgq_engine::{Answer, EvaluationOptions, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Term;
use kgq_tables::{Batches, Gather};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// The most bytes of columns held in memory until a tool takes them; most tools then hold all of them.
const HELD: u64 = 256 << 20;

/// The answer's rows as columns; triples become rows of three terms. With `terms`, every column holds structs.
pub fn batches(asked: &Asked, answer: Answer, terms: bool, options: &EvaluationOptions) -> Result<Batches> {
    let solutions = match answer {
        Answer::Solutions(solutions) => solutions,
        Answer::Graph(triples) => {
            let rows = triples.0.map(|triple| {
                let triple = triple?;
                Ok(vec![Some(Term::from(triple.subject)), Some(triple.predicate.into()), Some(triple.object)])
            });
            Solutions::new(asked.query.columns(), rows)
        }
        Answer::Boolean(_) => return Err(Error::usage("an ASK has no rows; `bool(answer)` is what it says")),
    };
    // Tools that read the stream cannot be interrupted, and raise errors of their own kind.
    Batches::of(solutions, &Gather { terms, whole: true, held: HELD }, &options.budget_of_query())
}

/// Wraps the batches in the capsule that the protocol of Arrow's C stream requires.
pub fn capsule(py: Python<'_>, batches: Batches) -> PyResult<Bound<'_, PyCapsule>> {
    let stream = FFI_ArrowArrayStream::new(Box::new(Reader(batches)));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

struct Reader(Batches);

impl Iterator for Reader {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}
