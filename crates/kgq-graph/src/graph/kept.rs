//! Values that a graph makes when they are first needed, and keeps.

use kgq_syntax::error::Result;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Returns the content of the cell, made by `make` if it is empty. If two threads make it at once, both get the value
/// that was stored first.
pub(super) fn kept<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// A value that is large: one thread makes it while others wait, and clones of the graph share it.
pub(super) struct Shared<T>(Arc<(OnceLock<T>, Mutex<()>)>);

impl<T> Shared<T> {
    /// Returns the value, made by `make` if there is none. A failure is not kept.
    pub fn get(&self, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let (cell, making) = &*self.0;
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let _making = making.lock().unwrap_or_else(PoisonError::into_inner);
        kept(cell, make)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_shared_value_is_made_once_by_however_many_threads_and_again_after_a_failure() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        assert!(shared.get(|| Err(Error::limit("too large"))).is_err());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let clone = shared.clone();
                let made = &made;
                scope.spawn(move || assert_eq!(clone.get(|| Ok(made.fetch_add(1, Ordering::Relaxed))).unwrap(), &0));
            }
        });
        assert_eq!(made.into_inner(), 1);
    }
}
