//! Stopping Oxigraph's evaluator, which looks at its cancellation token only when it reads quads.

use super::error;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use spareval::{CancellationToken, QueryEvaluationError};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs Oxigraph's evaluator on a dataset that is no snapshot, within the budget's limits. The terms of that dataset call
/// [`stop_if_asked`] where they are copied.
///
/// # Errors
/// The evaluator's, and the budget's.
pub fn bounded<T>(
    budget: &Budget,
    evaluate: impl FnOnce(CancellationToken) -> Result<T, QueryEvaluationError>,
) -> Result<T> {
    let token = CancellationToken::new();
    let watch = Watch::start(budget, &token, Arc::default());
    let run = Run { budget: budget.clone(), stop: Arc::clone(&watch.stop) };
    run.step(|| evaluate(token))?.map_err(|e| error(e, budget))
}

/// Runs the evaluator so that it can be stopped where it does not look at its cancellation token.
///
/// A cross product in memory never asks whether it should go on, but copies a term for each row. So a copy unwinds the stack when
/// the query has to stop, and this is where the unwinding ends.
pub(super) struct Run {
    pub(super) budget: Budget,
    pub(super) stop: Arc<AtomicBool>,
}

thread_local! {
    /// Set while an evaluator runs on this thread: whether it has to stop.
    static STOP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// What the stack is unwound with.
struct Stopped;

impl Run {
    pub(super) fn step<T>(&self, evaluate: impl FnOnce() -> T) -> Result<T> {
        let outer = STOP.replace(Some(Arc::clone(&self.stop)));
        // The evaluator's state is dropped, not used again, when this fails.
        let result = catch_unwind(AssertUnwindSafe(evaluate));
        STOP.set(outer);
        result.map_err(|payload| {
            if payload.is::<Stopped>() {
                error(QueryEvaluationError::Cancelled, &self.budget)
            } else {
                Error::bug("Oxigraph's evaluator failed on this query")
            }
        })
    }
}

/// Where the evaluator that runs on this thread has to stop, unwinds to the one who started it.
pub fn stop_if_asked() {
    STOP.with_borrow(|stop| {
        if stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            // Without a message: this is no failure.
            resume_unwind(Box::new(Stopped));
        }
    });
}

/// Cancels a query that does not look at its budget, such as a cross product, when the budget says stop.
pub(super) struct Watch {
    done: Arc<AtomicBool>,
    pub(super) stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// How often the budget is asked.
    const INTERVAL: Duration = Duration::from_millis(20);

    /// Whoever does not want the answer any more sets `stop` too.
    pub(super) fn start(budget: &Budget, token: &CancellationToken, stop: Arc<AtomicBool>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (budget, token, over, halt) = (budget.clone(), token.clone(), Arc::clone(&done), Arc::clone(&stop));
        let watch = move || {
            while !over.load(Ordering::Relaxed) {
                if halt.load(Ordering::Relaxed) || budget.check().is_err() {
                    token.cancel();
                    halt.store(true, Ordering::Relaxed);
                    return;
                }
                std::thread::park_timeout(Self::INTERVAL);
            }
        };
        // Without the thread a limit is noticed only when the dataset is read.
        let thread = std::thread::Builder::new().name("query watch".into()).spawn(watch).ok();
        Self { done, stop, thread }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}
