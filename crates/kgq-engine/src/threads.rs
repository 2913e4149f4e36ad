//! Work that is divided among threads.

use kgq_syntax::error::{Error, Result};
use std::sync::OnceLock;

/// More cores than this are left to others.
const MOST_PARTS: usize = 8;

/// Returns how many parts of a query's work can run in parallel.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(MOST_PARTS)))
}

/// Does the work on each of the items, the first in this thread and the others in threads of their own. The results are in the order of the items.
pub fn side_by_side<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Vec<Result<R>> {
    let (mut items, work) = (items.into_iter(), &work);
    std::thread::scope(|scope| {
        let first = items.next();
        let others: Vec<_> =
            items.map(|item| std::thread::Builder::new().spawn_scoped(scope, move || work(item))).collect();
        let first = first.map(work);
        let others = others.into_iter().map(|thread| {
            let thread = thread.map_err(|error| Error::io("a thread for a part of a query", &error))?;
            thread.join().unwrap_or_else(|_| Err(Error::bug("a part of the query's evaluation failed")))
        });
        first.into_iter().chain(others).collect()
    })
}
