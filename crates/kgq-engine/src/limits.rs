//! What one running query may use: time, memory, and the patience of whoever asked. Operators ask here once a batch.
//!
//! Memory is what operators say that they hold, not what the allocator gives.

use crate::Limits;
use kgq_syntax::error::{Error, Kind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The limits of one running query, and what it has used. All its threads share one.
#[derive(Debug, Default)]
pub struct Guard {
    deadline: Option<(Instant, Duration)>,
    memory: Option<u64>,
    held: AtomicU64,
    peak: AtomicU64,
    cancelled: Arc<AtomicBool>,
}

impl Guard {
    /// The clock starts now. Setting `cancelled` stops the query at its next check.
    pub fn new(limits: &Limits, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            // A time too long for the clock is no limit.
            deadline: limits.time.and_then(|time| Some((Instant::now().checked_add(time)?, time))),
            memory: limits.memory,
            held: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            cancelled,
        }
    }

    /// An error if the query was cancelled, or its time is up.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "the query was interrupted"));
        }
        match self.deadline {
            Some((deadline, time)) if Instant::now() >= deadline => Err(took_longer(time)),
            _ => Ok(()),
        }
    }

    /// Counts bytes that an operator is about to hold; an error if that is more than the query may.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        self.peak.fetch_max(held, Ordering::Relaxed);
        match self.memory {
            Some(most) if held > most => {
                self.release(bytes);
                Err(needs_more_memory(most))
            }
            _ => Ok(()),
        }
    }

    /// Bytes that were reserved are no longer held.
    pub fn release(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The most bytes that were held at once.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

/// The error of a query whose time is up.
pub fn took_longer(time: Duration) -> Error {
    Error::limit(format!("the query took longer than {} s", time.as_secs_f64()))
        .hint("`--timeout` (`timeout` in kgq.toml) sets how long it may take")
}

/// The error of files that are read for longer than this.
pub fn reading_took_longer(time: Duration) -> Error {
    Error::limit(format!("reading the data took longer than {} s", time.as_secs_f64()))
        .hint("`--timeout` sets how long it may take")
}

/// The error of a query, or of reading its data, that needs more bytes than this.
pub fn needs_more_memory(most: u64) -> Error {
    Error::limit(format!("the query needs more memory than {} MiB", most.div_ceil(1 << 20)))
        .hint("`--max-memory` (`max-memory` in kgq.toml) sets how much a query, or reading its data, may take")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_beyond_the_limit_is_refused_and_not_counted() {
        let guard = Guard::new(&Limits { memory: Some(100), ..Limits::default() }, Arc::default());
        guard.reserve(60).unwrap();
        let error = guard.reserve(60).unwrap_err();
        assert_eq!(error.kind(), Kind::Limit);
        assert!(error.to_string().contains("--max-memory"), "{error}");
        guard.release(60);
        guard.reserve(100).unwrap();
        assert_eq!(guard.peak(), 120);
    }

    #[test]
    fn a_query_stops_when_its_time_is_up_or_it_is_cancelled() {
        let cancelled = Arc::new(AtomicBool::new(false));
        let guard = Guard::new(&Limits::default(), Arc::clone(&cancelled));
        guard.check().unwrap();
        cancelled.store(true, Ordering::Relaxed);
        assert_eq!(guard.check().unwrap_err().kind(), Kind::Interrupted);

        let guard = Guard::new(&Limits { time: Some(Duration::ZERO), ..Limits::default() }, Arc::default());
        assert_eq!(guard.check().unwrap_err().kind(), Kind::Limit);
        let guard = Guard::new(&Limits { time: Some(Duration::MAX), ..Limits::default() }, Arc::default());
        guard.check().unwrap();
    }
}
