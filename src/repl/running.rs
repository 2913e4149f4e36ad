//! A query on a thread of its own, so that the prompt can come back whatever the query does.
//!
//! An interrupt asks the query to stop, and so does a limit on time or memory that it passes without noticing. One that does not
//! hear is left to itself: its thread owns a share of the snapshot, and whatever it still answers is dropped. While the thread
//! lives, the watchdog ends the program before the machine runs out of memory.

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

/// Deep queries recurse deeply; memory is taken only as it is used.
const STACK: usize = 256 << 20;
/// How often interrupts and limits are looked at.
const LOOK: Duration = Duration::from_millis(25);
/// How long a query may take to stop once it was asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a query waits for one that was left and still holds memory, which would be counted as its own.
const GIVING_BACK: Duration = Duration::from_secs(10);

/// How long after its deadline a query may still end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// A whole answer, kept for `.last` and its like.
#[derive(Clone, Debug)]
pub enum Kept {
    Table { variables: Vec<Variable>, rows: Arc<Vec<Row>> },
    Boolean(bool),
    Graph(Arc<Vec<Triple>>),
}

/// Where a query says what came of it.
type Reply<'r> = &'r dyn Fn(Result<Kept>);

impl Kept {
    /// Gives the answer to `reply`. An error is told before what was kept so far is given back, which may take a second.
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

    /// What is written where all of the answer is.
    pub fn written(&self) -> Written {
        let (rows, truth) = match self {
            Self::Table { rows, .. } => (rows.len(), None),
            Self::Graph(triples) => (triples.len(), None),
            Self::Boolean(value) => (0, Some(*value)),
        };
        Written { rows: rows as u64, truth, ..Written::default() }
    }

    /// The answer once more, as it came.
    pub fn answer(&self) -> Answer {
        /// The things, each copied when it is asked for.
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

/// What is kept of an answer while it comes.
struct Keeping<'b, T> {
    items: Vec<T>,
    budget: &'b Budget,
    held: Reservation,
    /// Bytes that are not yet reserved.
    bytes: u64,
}

/// What a row takes beside its terms.
const ROW_BYTES: u64 = 24;
/// Bytes that are kept between two looks at the memory.
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

/// Answers a query, or says why it was stopped. `waiting` is called now and then with the time so far.
pub fn run(
    snapshot: Snapshot,
    query: Query,
    options: EvaluationOptions,
    base: &mut Base,
    interrupts: &Interrupts,
    waiting: impl FnMut(Duration),
) -> Result<Kept> {
    // What is kept of the answer counts with what the query holds.
    let budget = options.budget.child(Work::Query, Limits { time: None, rows: None, ..options.limits });
    let options = EvaluationOptions { budget: budget.clone(), ..options };
    let asked = Asked { budget: budget.clone(), limits: options.limits, patience: PATIENCE };
    let work = move |reply: Reply<'_>| match engine::evaluate(&snapshot, &query, &options) {
        Ok(answer) => Kept::tell(answer, &budget, reply),
        Err(error) => reply(Err(error)),
    };
    asked.attend(work, base, interrupts, waiting)
}

/// A query that runs.
struct Asked {
    /// Cancelled to ask it to stop.
    budget: Budget,
    limits: Limits,
    patience: Duration,
}

impl Asked {
    /// Waits for what the work gives on a thread of its own; asks it to stop at an interrupt or a limit that is passed, and
    /// leaves it at a second interrupt or when patience ends.
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
                // Nobody listens any more to a query that was left.
                work(&|answer| drop(sender.send(answer)));
                give_back();
                drop((watchdog, running));
            })
            .map_err(|e| Error::io("a thread for the query", &e))?;
        let mut stopped: Option<(Instant, Error)> = None;
        loop {
            match receiver.recv_timeout(LOOK) {
                // What it says of being stopped is less than why it was.
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
                // What notices the time by itself does so first.
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
            // The first interrupt is seen before the second comes.
            if looks == 1 || budget.is_cancelled() {
                deliver();
            }
        });
        assert_eq!(left.unwrap_err().kind(), Kind::Interrupted);
        assert!(looks >= 2);
        drop(go_on);
    }
}
