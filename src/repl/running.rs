//! A query on a thread of its own, so that the prompt can come back whatever the query does.
//!
//! An interrupt asks the query to stop. One that does not hear is left to itself: its thread owns a share of the snapshot, and
//! whatever it still answers is dropped.

use super::interrupt::Interrupts;
use crate::engine::{self, Answer, EvaluationOptions, Row, Solutions, Triples};
use crate::error::{Error, Kind, Result};
use crate::query::Query;
use crate::rdf::{Triple, Variable};
use crate::snapshot::Snapshot;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Deep queries recurse deeply; memory is taken only as it is used.
const STACK: usize = 256 << 20;
/// How long a query may take to stop once it was asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// A whole answer, kept for `.last` and its like.
#[derive(Clone, Debug)]
pub enum Kept {
    Table { variables: Vec<Variable>, rows: Vec<Row> },
    Boolean(bool),
    Graph(Vec<Triple>),
}

impl Kept {
    fn of(answer: Answer<'_>) -> Result<Self> {
        Ok(match answer {
            Answer::Boolean(value) => Self::Boolean(value),
            Answer::Solutions(solutions) => {
                Self::Table { variables: solutions.variables, rows: solutions.rows.collect::<Result<_>>()? }
            }
            Answer::Graph(triples) => Self::Graph(triples.0.collect::<Result<_>>()?),
        })
    }

    /// The answer once more, as it came.
    pub fn answer(&self) -> Answer<'_> {
        match self {
            Self::Table { variables, rows } => Answer::Solutions(Solutions {
                variables: variables.clone(),
                rows: Box::new(rows.iter().map(|row| Ok(row.clone()))),
            }),
            Self::Boolean(value) => Answer::Boolean(*value),
            Self::Graph(triples) => Answer::Graph(Triples(Box::new(triples.iter().map(|t| Ok(t.clone()))))),
        }
    }
}

/// Answers a query, or says that it was interrupted. `waiting` is called now and then with the time so far.
pub fn run(
    snapshot: Arc<Snapshot>,
    query: Query,
    options: EvaluationOptions,
    interrupts: &Interrupts,
    mut waiting: impl FnMut(Duration),
) -> Result<Kept> {
    let cancelled = Arc::clone(&options.cancelled);
    let (sender, receiver) = channel();
    let started = Instant::now();
    std::thread::Builder::new()
        .name("query".into())
        .stack_size(STACK)
        .spawn(move || {
            let answer = engine::evaluate(&snapshot, &query, &options).and_then(Kept::of);
            // Nobody listens any more to a query that was left.
            let _ = sender.send(answer);
        })
        .map_err(|e| Error::io("a thread for the query", &e))?;
    let mut asked: Option<Instant> = None;
    loop {
        match receiver.recv_timeout(Duration::from_millis(25)) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::bug("the query's thread ended without an answer; the session goes on"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        waiting(started.elapsed());
        let count = interrupts.count();
        if count > 0 && asked.is_none() {
            cancelled.store(true, Ordering::Relaxed);
            asked = Some(Instant::now());
        }
        if asked.is_some_and(|since| count > 1 || since.elapsed() > PATIENCE) {
            return Err(Error::new(Kind::Interrupted, "the query was interrupted; what it was doing ends by itself"));
        }
    }
}
