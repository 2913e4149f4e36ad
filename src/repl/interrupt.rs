//! Ctrl-C: while the session is open it stops the running query, never the program.
//!
//! In the editor Ctrl-C is an ordinary key; a signal arrives only while a query, a pager or an external editor runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Takes over interrupts until it is dropped.
pub struct Interrupts(());

impl Interrupts {
    pub fn take() -> Self {
        TAKEN.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Forgets earlier interrupts before something new starts.
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

/// Delivers an interrupt. Returns `false` if no session has taken them over and the program should end.
pub fn deliver() -> bool {
    COUNT.fetch_add(1, Ordering::SeqCst);
    TAKEN.load(Ordering::SeqCst)
}
