//! Runs work outside the interpreter: on a thread with a deep stack, while other threads may use Python, and until the user
//! interrupts.

use super::failure::raised;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The interval at which interrupts are looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the work and returns its result. An interrupt (Ctrl-C) cancels the budget and is raised at once; work that does not react
/// runs on unheeded, and its result is dropped.
pub fn apart<T: Send + 'static>(
    py: Python<'_>,
    budget: &Budget,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = channel();
    std::thread::Builder::new()
        .name("kgq".into())
        .stack_size(kgq::STACK)
        // After an interrupt nobody receives the result.
        .spawn(move || drop(sender.send(work())))
        .map_err(|error| raised(py, &Error::io("a thread", &error)))?;
    loop {
        let told;
        (told, receiver) = py.detach(move || (receiver.recv_timeout(LOOK), receiver));
        match told {
            Ok(done) => return done.map_err(|error| raised(py, &error)),
            Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| budget.cancel())?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(raised(py, &Error::bug("the work ended without a result")));
            }
        }
    }
}
