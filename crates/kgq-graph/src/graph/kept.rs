//! Values that a graph makes when they are first needed, and keeps.

use kgq_syntax::budget::{Budget, Exceeded};
use kgq_syntax::error::{Error, Result};
use std::sync::{Arc, Mutex, OnceLock};

/// Returns the content of the cell, made by `make` if it is empty. If two threads make it at once, both get the value
/// that was stored first.
pub(super) fn kept<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// A value that is large: one thread makes it while others wait, and clones share it.
pub struct Kept<T>(Arc<Shared<T>>);

struct Shared<T> {
    value: OnceLock<T>,
    /// Locked by the thread that makes the value.
    failed: Mutex<Option<Failed>>,
}

/// Why there was no room for a value.
struct Failed {
    error: Error,
    /// The bytes held by others then.
    held: u64,
}

impl<T> Kept<T> {
    /// Returns the value, made by `make` if there is none; who waits for another thread to make it looks at `waits`. If there was
    /// no room in `all` for it, there is none until `all` holds less.
    pub(super) fn get(&self, all: &Budget, waits: &Budget, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let Shared { value, failed } = &*self.0;
        if let Some(known) = value.get() {
            return Ok(known);
        }
        let mut failed = waits.lock(failed)?;
        if value.get().is_none()
            && let Some(Failed { error, .. }) = failed.as_ref().filter(|failed| all.held() >= failed.held)
        {
            return Err(error.clone());
        }
        let made = kept(value, make);
        let error = made.as_ref().err().filter(|error| matches!(error.limit_passed(), Some(Exceeded::Memory(_))));
        *failed = error.map(|error| Failed { error: error.clone(), held: all.held() });
        made
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Arc::new(Shared { value: OnceLock::new(), failed: Mutex::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::budget::Limits;
    use kgq_syntax::error::Kind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_kept_value_is_made_once_by_however_many_threads_and_again_after_a_failure() {
        let (kept, made, all) = (Kept::default(), AtomicUsize::new(0), Budget::default());
        assert!(kept.get(&all, &all, || Err(Error::limit("no room"))).is_err());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let (clone, made, all) = (kept.clone(), &made, &all);
                let make = || Ok(made.fetch_add(1, Ordering::Relaxed));
                scope.spawn(move || assert_eq!(clone.get(all, all, make).unwrap(), &0));
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn a_value_without_room_is_not_made_anew_until_there_is_more() {
        let all = Budget::new(Limits { memory: Some(100), ..Limits::default() });
        let (kept, tried) = (Kept::default(), AtomicUsize::new(0));
        let make = || {
            tried.fetch_add(1, Ordering::Relaxed);
            all.reserve(80)
        };
        let other = all.reserve(30).unwrap();
        let errors = [0; 2].map(|_| kept.get(&all, &all, make).unwrap_err().message().to_owned());
        assert_eq!((errors[0] == errors[1], tried.load(Ordering::Relaxed)), (true, 1));
        drop(other);
        assert_eq!((kept.get(&all, &all, make).unwrap().bytes(), tried.load(Ordering::Relaxed)), (80, 2));
    }

    #[test]
    fn who_waits_can_be_stopped_while_another_thread_makes_the_value() {
        let (kept, all, waits) = (Kept::default(), Budget::default(), Budget::default());
        let made = kept.get(&all, &all, || {
            let waiter = std::thread::scope(|scope| {
                let waiter = scope.spawn(|| kept.get(&all, &waits, || Ok(2)).copied());
                waits.cancel();
                waiter.join().unwrap()
            });
            assert_eq!(waiter.unwrap_err().kind(), Kind::Interrupted);
            Ok(1)
        });
        assert_eq!(made.unwrap(), &1);
    }
}
