//! The rows of an answer, found as they are asked for.

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

/// How many rows are fetched at once at most, and how long is waited for more than one.
const MOST: usize = 4_096;
const PATIENCE: Duration = Duration::from_millis(50);

/// What an answer gives one by one.
enum Item {
    Row(Row),
    Triple(Triple),
}

type Items = Box<dyn Iterator<Item = Result<Item>> + Send>;

/// An iterator over rows, or triples.
#[pyclass(frozen, module = "kgq._kgq")]
pub struct Rows {
    /// Whoever fetches holds this lock.
    source: Arc<Mutex<Items>>,
    /// Fetched and not given yet.
    ready: Mutex<VecDeque<Item>>,
    budget: Budget,
    terms: Terms,
    /// What makes a row of a tuple of values.
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

/// Some rows; none behind the last.
fn fetch(source: &Mutex<Items>) -> Result<Vec<Item>> {
    let mut source = source.lock().map_err(|_| Error::bug("an answer failed before"))?;
    let started = Instant::now();
    let mut fetched = Vec::new();
    while fetched.len() < MOST && (fetched.is_empty() || started.elapsed() < PATIENCE) {
        match source.next() {
            Some(Ok(item)) => fetched.push(item),
            // An error comes once, and what was found before it is no whole answer.
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
