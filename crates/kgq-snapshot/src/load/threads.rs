//! Threads for the parts of a step, where they pay: with few rows, starting them takes longer than the work.

use kgq_syntax::error::{Error, Result};

/// Fewer rows than this are counted, sorted, packed or merged before threads for that have started.
const WORTH_THREADS: usize = 1 << 14;

/// Makes something of each part: each on a thread of its own if that pays for this many rows, else one after the other. What is
/// made is in the order of the parts.
///
/// # Errors
/// That of the first part that failed, in their order. `work` names what was done if a thread panicked.
pub(super) fn each<P: Send, M: Send>(
    parts: impl IntoIterator<Item = P>,
    rows: usize,
    work: &str,
    make: impl Fn(P) -> Result<M> + Sync,
) -> Result<Vec<M>> {
    if rows < WORTH_THREADS {
        return parts.into_iter().map(make).collect();
    }
    std::thread::scope(|scope| {
        let make = &make;
        let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || make(part))).collect();
        let failed = |_| Err(Error::bug(format!("{work} failed")));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
    })
}

/// Does both, the first on a thread of its own if that pays for this many rows. `work` names the first if it panicked.
pub(super) fn both<A: Send, B>(
    rows: usize,
    work: &str,
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> B,
) -> (Result<A>, B) {
    if rows < WORTH_THREADS {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|_| Err(Error::bug(format!("{work} failed")))), other)
    })
}
