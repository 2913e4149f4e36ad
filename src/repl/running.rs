//! Runs a query on its own thread, so that the prompt can return whatever the query does.
//!
//! A query is asked to stop by an interrupt, or when it exceeds a limit on time or memory without noticing. A query that does not
//! react is abandoned: its thread keeps its share of the snapshot, and its answer is dropped. While the thread lives, the
//! watchdog ends the program before the machine runs out of memory.

use super::interrupt::Interrupts;
use crate::commands::{Base, MemoryWatch, Watchdog, give_back};
use kgq_engine::query::Query;
use kgq_engine::{self as engine, Answer, Budget, EvaluationOptions, Limits, Row, Solutions, Triples};
use kgq_graph::render::Written;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Reservation, Work, took_longer};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::{Triple, Variable, size};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Deep queries recurse deeply. The system commits stack memory only as it is used.
const STACK: usize = 256 << 20;
/// The interval for checking interrupts and limits.
const LOOK: Duration = Duration::from_millis(25);
/// How long a query may take to stop after it was asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a query waits for the memory of an abandoned one, which would otherwise be counted as its own.
const GIVING_BACK: Duration = Duration::from_secs(10);

/// How long after its deadline a query may still end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// A complete answer, kept for `.last` and similar commands.
#[derive(Clone, Debug)]
pub enum Kept {
    Table { variables: Vec<Variable>, rows: Arc<Vec<Row>> },
    Boolean(bool),
    Graph(Arc<Vec<Triple>>),
}

/// Receives the result of a query.
type Reply<'r> = &'r dyn Fn(Result<Kept>);

impl Kept {
    /// Passes the answer to `reply`. An error is reported before the rows kept so far are freed, which may take a second.
    fn tell(answer: Answer, budget: &Budget, reply: Reply<'_>) {
        match answer {
            Answer::Boolean(value) => reply(Ok(Self::Boolean(value))),
            Answer::Solutions(Solutions { variables, mut rows }) => {
                let mut kept = Keeping::new(budget);
                match rows.try_for_each(|row| {
                    row.and_then(|row| {
                        kept.push(row, |row| ROW_BYTES + row.iter().flatten().map(size::of_term).sum::<u64>())
                    })
                }) {
                    Ok(()) => reply(Ok(Self::Table { variables, rows: Arc::new(kept.items) })),
                    Err(error) => reply(Err(error)),
                }
            }
            Answer::Graph(mut triples) => {
                let mut kept = Keeping::new(budget);
                match triples.0.try_for_each(|triple| triple.and_then(|triple| kept.push(triple, size::of_triple))) {
                    Ok(()) => reply(Ok(Self::Graph(Arc::new(kept.items)))),
                    Err(error) => reply(Err(error)),
                }
            }
        }
    }

    /// The counts to report when the whole answer is written.
    pub fn written(&self) -> Written {
        let (rows, truth) = match self {
            Self::Table { rows, .. } => (rows.len(), None),
            Self::Graph(triples) => (triples.len(), None),
            Self::Boolean(value) => (0, Some(*value)),
        };
        Written { rows: rows as u64, truth, ..Written::default() }
    }

    /// The answer again, as it was.
    pub fn answer(&self) -> Answer {
        /// The items, each cloned when it is needed.
        fn each<T: Clone + Send + Sync + 'static>(kept: &Arc<Vec<T>>) -> Box<dyn Iterator<Item = Result<T>> + Send> {
            let kept = Arc::clone(kept);
            let mut at = 0..kept.len();
            Box::new(std::iter::from_fn(move || at.next().map(|at| Ok(kept[at].clone()))))
        }
        match self {
            Self::Table { variables, rows } => Answer::Solutions(Solutions::new(variables.clone(), each(rows))),
            Self::Boolean(value) => Answer::Boolean(*value),
            Self::Graph(triples) => Answer::Graph(Triples(each(triples))),
        }
    }
}

/// The part of an answer that has arrived.
struct Keeping<'b, T> {
    items: Vec<T>,
    budget: &'b Budget,
    held: Reservation,
    /// Bytes not yet reserved.
    bytes: u64,
}

/// The size of a row besides its terms.
const ROW_BYTES: u64 = 24;
/// How many bytes may be added between two memory checks.
const BYTES_BETWEEN_CHECKS: u64 = 1 << 18;

impl<'b, T> Keeping<'b, T> {
    fn new(budget: &'b Budget) -> Self {
        Self { items: Vec::new(), budget, held: Reservation::default(), bytes: 0 }
    }

    fn push(&mut self, item: T, text: impl Fn(&T) -> u64) -> Result<()> {
        self.bytes += text(&item);
        self.items.push(item);
        if self.bytes > BYTES_BETWEEN_CHECKS {
            self.held.grow(self.budget, std::mem::take(&mut self.bytes))?;
        }
        Ok(())
    }
}

/// Runs a query, or says why it was stopped. `waiting` is called repeatedly with the elapsed time.
pub fn run(
    snapshot: Snapshot,
    query: Query,
    options: EvaluationOptions,
    base: &mut Base,
    interrupts: &Interrupts,
    waiting: impl FnMut(Duration),
) -> Result<Kept> {
    // The kept rows count against the memory limit of the query.
    let budget = options.budget.child(Work::Query, Limits { time: None, rows: None, ..options.limits });
    let options = EvaluationOptions { budget: budget.clone(), ..options };
    let asked = Asked { budget: budget.clone(), limits: options.limits, patience: PATIENCE };
    let work = move |reply: Reply<'_>| match engine::evaluate(&snapshot, &query, &options) {
        Ok(answer) => Kept::tell(answer, &budget, reply),
        Err(error) => reply(Err(error)),
    };
    asked.attend(work, base, interrupts, waiting)
}

/// A running query.
struct Asked {
    /// Cancelled to make the query stop.
    budget: Budget,
    limits: Limits,
    patience: Duration,
}

impl Asked {
    /// Runs the work on its own thread and waits for its result. Asks it to stop on an interrupt or an exceeded limit, and
    /// abandons it on a second interrupt or when patience ends.
    fn attend(
        self,
        work: impl FnOnce(Reply<'_>) + Send + 'static,
        base: &mut Base,
        interrupts: &Interrupts,
        mut waiting: impl FnMut(Duration),
    ) -> Result<Kept> {
        let held = base.now();
        let memory = MemoryWatch::start(&self.limits, held);
        let asked = Instant::now();
        while base.is_shared() && memory.is_some_and(|m| m.is_taken()) && asked.elapsed() < GIVING_BACK {
            if interrupts.count() > 0 {
                return Err(Error::new(Kind::Interrupted, "the query was interrupted"));
            }
            std::thread::sleep(LOOK);
        }
        let watchdog = Watchdog::of_session(&self.limits, held);
        let running = base.share();
        let (sender, receiver) = channel();
        let started = Instant::now();
        std::thread::Builder::new()
            .name("query".into())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody listens to an abandoned query any more.
                work(&|answer| drop(sender.send(answer)));
                give_back();
                drop((watchdog, running));
            })
            .map_err(|e| Error::io("a thread for the query", &e))?;
        let mut stopped: Option<(Instant, Error)> = None;
        loop {
            match receiver.recv_timeout(LOOK) {
                // Its own error says less than the reason for stopping it.
                Ok(Err(error)) if error.kind() == Kind::Interrupted => {
                    return Err(stopped.map_or(error, |(_, why)| why));
                }
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::bug("the query's thread ended without an answer; the session goes on"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let elapsed = started.elapsed();
            waiting(elapsed);
            let interrupts = interrupts.count();
            if stopped.is_none() {
                // Leave queries that check the time themselves a moment to do so.
                let late =
                    self.limits.time.filter(|time| elapsed > *time + GRACE).map(|time| took_longer(Work::Query, time));
                let interrupted = || Error::new(Kind::Interrupted, "the query was interrupted");
                let why = (interrupts > 0).then(interrupted).or_else(|| memory.and_then(|m| m.passed())).or(late);
                stopped = why.map(|why| (Instant::now(), why));
                if stopped.is_some() {
                    self.budget.cancel();
                }
            }
            if let Some((since, why)) = &stopped
                && (interrupts > 1 || since.elapsed() > self.patience)
            {
                return Err(why.clone().hint("what it was doing ends by itself"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::interrupt::deliver;
    use super::*;

    #[test]
    fn a_second_interrupt_leaves_at_once_a_query_that_does_not_hear() {
        let interrupts = Interrupts::take();
        interrupts.clear();
        let (go_on, deaf) = channel::<()>();
        let budget = Budget::default();
        let asked = Asked { budget: budget.clone(), limits: Limits::default(), patience: Duration::from_secs(86_400) };
        let work = move |reply: Reply<'_>| {
            let _ = deaf.recv();
            reply(Ok(Kept::Boolean(true)));
        };
        let mut looks = 0;
        let left = asked.attend(work, &mut Base::default(), &interrupts, |_| {
            looks += 1;
            // Wait until the first interrupt was seen before delivering the second.
            if looks == 1 || budget.is_cancelled() {
                deliver();
            }
        });
        assert_eq!(left.unwrap_err().kind(), Kind::Interrupted);
        assert!(looks >= 2);
        drop(go_on);
    }
}
