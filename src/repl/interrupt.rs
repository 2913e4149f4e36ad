//! Ctrl-C: while the session is open it stops the running query and never the program.
//!
//! In the editor a key is only a key; a signal arrives while a query, a pager or an editor runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Takes interrupts over until the value is dropped.
pub struct Interrupts(());

impl Interrupts {
    pub fn take() -> Self {
        TAKEN.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Forgets the interrupts so far: what starts now has not been interrupted.
    pub fn clear(&self) {
        COUNT.store(0, Ordering::SeqCst);
    }

    /// How many interrupts arrived since the last `clear`.
    pub fn count(&self) -> usize {
        COUNT.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::SeqCst);
    }
}

/// Delivers an interrupt. `false` if no session has taken them over, and the program should end.
pub fn deliver() -> bool {
    COUNT.fetch_add(1, Ordering::SeqCst);
    TAKEN.load(Ordering::SeqCst)
}
