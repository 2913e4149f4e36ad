//! What happens at the nodes of a plan while it runs, summed over all threads, for `--explain=analyze`.

use crate::batch::Batch;
use crate::plan::physical::PhysicalPlan;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The counters of one node. All threads add to them.
#[derive(Debug, Default)]
pub struct Measure {
    rows: AtomicU64,
    batches: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
}

/// The counts of one node so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub rows: u64,
    pub batches: u64,
    pub bytes: u64,
    /// Time spent in the node and its inputs, summed over all threads.
    pub time: Duration,
}

impl Measure {
    pub fn add(&self, batch: Option<&Batch>, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        if let Some(batch) = batch {
            self.rows.fetch_add(batch.rows() as u64, Ordering::Relaxed);
            self.batches.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(batch.bytes(), Ordering::Relaxed);
        }
    }

    fn counted(&self) -> Counted {
        Counted {
            rows: self.rows.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

/// The measures of a plan's nodes, by the nodes' addresses: a plan does not move while it runs. A node that is opened
/// several times has one measure.
#[derive(Debug, Default)]
pub struct Measures(Mutex<FxHashMap<usize, Arc<Measure>>>);

impl Measures {
    pub fn of(&self, plan: &PhysicalPlan) -> Arc<Measure> {
        let mut measures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(measures.entry(place(plan)).or_default())
    }

    /// Returns the counts of a node; zeros if it was never opened.
    pub fn counted(&self, plan: &PhysicalPlan) -> Counted {
        let measures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        measures.get(&place(plan)).map(|measure| measure.counted()).unwrap_or_default()
    }
}

fn place(plan: &PhysicalPlan) -> usize {
    std::ptr::from_ref(plan).addr()
}
