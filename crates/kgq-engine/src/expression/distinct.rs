//! Evaluates an expression of one variable once per distinct term, and remembers the results between batches.

use super::call::Function;
use super::column::{Column, Datum, Selection};
use super::evaluate::Evaluation;
use super::node::ExpressionNode;
use crate::batch::Batch;
use crate::terms::Truth;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::sync::{Mutex, TryLockError};

/// An expression over column 0 of its own batch, and its results for terms met before.
#[derive(Debug)]
pub struct PerDistinct {
    column: usize,
    inner: Box<ExpressionNode>,
    truths: Mutex<Memory<Truth>>,
    data: Mutex<Memory<Option<Datum>>>,
}

#[derive(Debug)]
struct Memory<T> {
    known: FxHashMap<TermId, T>,
    asked: u64,
    found: u64,
    bytes: usize,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { known: FxHashMap::default(), asked: 0, found: 0, bytes: 0 }
    }
}

/// The most terms that are remembered, and the most bytes of text.
const MOST_TERMS: usize = 1 << 17;
const MOST_BYTES: usize = 1 << 22;
/// How many look-ups to make before judging whether they help.
const TRIAL: u64 = 1 << 12;

impl<T> Memory<T> {
    /// Looking terms up does not pay if they hardly ever repeat.
    fn helps(&self) -> bool {
        self.asked < TRIAL || self.found * 8 >= self.asked
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.known.len() < MOST_TERMS && self.bytes + bytes <= MOST_BYTES
    }
}

impl PerDistinct {
    pub fn new(column: usize, inner: ExpressionNode) -> Self {
        Self { column, inner: Box::new(inner), truths: Mutex::default(), data: Mutex::default() }
    }

    pub fn is_boolean(&self) -> bool {
        self.inner.is_boolean()
    }

    pub fn as_str_of_column(&self) -> Option<usize> {
        self.inner.as_str_of_column().map(|_| self.column)
    }

    pub fn reads_text(&self) -> bool {
        self.inner.reads_text()
    }

    pub fn truths(&self, evaluation: &Evaluation<'_>, rows: &Selection<'_>) -> Result<Vec<Truth>> {
        let truths = |batch: &Batch| evaluation.truths(&self.inner, &Selection::all(batch, 0));
        self.evaluate(&self.truths, (evaluation, rows), truths, |_| 0)
    }

    pub fn column(&self, evaluation: &Evaluation<'_>, rows: &Selection<'_>) -> Result<Column<'static>> {
        // Casting a number is faster than looking it up.
        if let ExpressionNode::Call(function @ (Function::Cast(_) | Function::CastOfStr(_)), arguments) = &*self.inner
            && let [ExpressionNode::Variable(_)] = arguments.as_slice()
            && let Some(numbers) = evaluation.numbers(function, &Column::Ids(rows.column(self.column)))?
        {
            return Ok(Column::Numbers(numbers));
        }
        if self.data.try_lock().is_ok_and(|memory| !memory.helps()) {
            let ids = rows.column(self.column).into_owned();
            let batch = Batch::new(vec![ids], rows.len());
            return Ok(evaluation.column(&self.inner, &Selection::all(&batch, 0))?.detached());
        }
        let data = |batch: &Batch| evaluation.data(&self.inner, &Selection::all(batch, 0));
        let bytes = |datum: &Option<Datum>| datum.as_ref().map_or(0, Datum::bytes);
        Ok(Column::Data(self.evaluate(&self.data, (evaluation, rows), data, bytes)?))
    }

    fn evaluate<T: Clone>(
        &self,
        memory: &Mutex<Memory<T>>,
        (evaluation, rows): (&Evaluation<'_>, &Selection<'_>),
        evaluate: impl Fn(&Batch) -> Result<Vec<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Result<Vec<T>> {
        let ids = rows.column(self.column);
        let all = || evaluate(&Batch::new(vec![ids.to_vec()], ids.len()));
        let mut memory = match memory.try_lock() {
            Ok(memory) => memory,
            // At worst, a thread that panicked has left a memory that lacks terms.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread holds the memory: it is faster to do the work twice than to wait.
            Err(TryLockError::WouldBlock) => return all(),
        };
        if !memory.helps() {
            return all();
        }
        let mut missing: Vec<TermId> = ids.iter().copied().filter(|id| !memory.known.contains_key(id)).collect();
        // Neighbours in the dictionary are decoded together.
        missing.sort_unstable();
        missing.dedup();
        memory.asked += ids.len() as u64;
        memory.found += (ids.len() - missing.len()) as u64;
        let fresh =
            if missing.is_empty() { Vec::new() } else { evaluate(&Batch::new(vec![missing.clone()], missing.len()))? };
        let mut out = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            let value = match memory.known.get(id) {
                Some(known) => known,
                None => &fresh[missing.partition_point(|other| other < id)],
            };
            evaluation.grow(bytes(value))?;
            out.push(value.clone());
        }
        for (id, value) in missing.into_iter().zip(fresh) {
            let bytes = bytes(&value);
            if memory.has_room(bytes) {
                memory.bytes += bytes;
                memory.known.insert(id, value);
            }
        }
        Ok(out)
    }
}
