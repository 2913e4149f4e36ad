//! The rows of an answer, evaluated as they are requested.

use super::apart::apart;
use super::value::Terms;
use kgq_engine::{Answer, Row};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Term, Triple};
use pyo3::prelude::*;
use pyo3::types::{PyNone, PyTuple};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most rows fetched at once, and how long a fetch waits for more than one.
const MOST: usize = 4_096;
const PATIENCE: Duration = Duration::from_millis(50);

/// One item of an answer.
enum Item {
    Row(Row),
    Triple(Triple),
}

type Items = Box<dyn Iterator<Item = Result<Item>> + Send>;

/// An iterator over rows, or triples.
#[pyclass(frozen, module = "kgq._kgq")]
pub struct Rows {
    /// The thread that fetches holds this lock.
    source: Arc<Mutex<Items>>,
    /// Rows fetched but not returned yet.
    ready: Mutex<VecDeque<Item>>,
    budget: Budget,
    terms: Terms,
    /// The Python callable that makes a row from a tuple of values.
    row: Py<PyAny>,
}

impl Rows {
    pub fn new(answer: Answer, budget: Budget, terms: Terms, row: Py<PyAny>) -> Self {
        let items: Items = match answer {
            Answer::Solutions(solutions) => Box::new(solutions.rows.map(|row| row.map(Item::Row))),
            Answer::Graph(triples) => Box::new(triples.0.map(|triple| triple.map(Item::Triple))),
            Answer::Boolean(value) => {
                let truth = Term::from(kgq_syntax::rdf::Literal::from(value));
                Box::new(std::iter::once(Ok(Item::Row(vec![Some(truth)]))))
            }
        };
        Self { source: Arc::new(Mutex::new(items)), ready: Mutex::default(), budget, terms, row }
    }

    fn next_item(&self, py: Python<'_>) -> PyResult<Option<Item>> {
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(item) = ready().pop_front() {
            return Ok(Some(item));
        }
        let source = Arc::clone(&self.source);
        let fetched = apart(py, &self.budget, move || fetch(&source))?;
        ready().extend(fetched);
        Ok(ready().pop_front())
    }
}

/// The next rows; none after the last.
fn fetch(source: &Mutex<Items>) -> Result<Vec<Item>> {
    let mut source = source.lock().map_err(|_| Error::bug("an answer failed before"))?;
    let started = Instant::now();
    let mut fetched = Vec::new();
    while fetched.len() < MOST && (fetched.is_empty() || started.elapsed() < PATIENCE) {
        match source.next() {
            Some(Ok(item)) => fetched.push(item),
            // An error is reported only once; the rows found before it are no complete answer and are dropped.
            Some(Err(error)) => return Err(error),
            None => break,
        }
    }
    Ok(fetched)
}

#[pymethods]
impl Rows {
    fn __iter__(own: PyRef<'_, Self>) -> PyRef<'_, Self> {
        own
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(item) = self.next_item(py)? else { return Ok(None) };
        let row = match item {
            Item::Triple(triple) => return self.terms.triple(py, &triple).map(Some),
            Item::Row(row) => row,
        };
        let value = |term: &Option<Term>| match term {
            Some(term) => self.terms.value(py, term),
            None => Ok(PyNone::get(py).to_owned().into_any().unbind()),
        };
        let values = row.iter().map(value).collect::<PyResult<Vec<_>>>()?;
        self.row.call1(py, (PyTuple::new(py, values)?,)).map(Some)
    }
}
