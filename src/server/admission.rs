//! Limits how many queries run at once, how many answers are open, and how many requests wait for how long.
//!
//! An answer whose reader is slow keeps its thread, but lends its running place to another query until the reader goes on.

use super::clients::Client;
use super::problem::Problem;
use super::shares::{Clients, Presence, Refusal};
use kgq_syntax::budget::Budget;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Limits on concurrent work.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Queries running at once.
    pub running: usize,
    /// Answers begun and not yet finished: each holds a thread.
    pub open: usize,
    /// Requests waiting for a place.
    pub queue: usize,
    /// How long a request may wait for a place.
    pub wait: Duration,
}

pub struct Admission {
    capacity: Capacity,
    running: Arc<Semaphore>,
    open: Arc<Semaphore>,
    waiting: AtomicUsize,
    clients: Clients,
}

impl Admission {
    pub fn new(capacity: Capacity, clients: Clients) -> Self {
        let (running, open) = (Arc::new(Semaphore::new(capacity.running)), Arc::new(Semaphore::new(capacity.open)));
        Self { capacity, running, open, waiting: AtomicUsize::new(0), clients }
    }

    /// Waits for a place. If too many requests wait already, or this one waited too long, the client is asked to retry later.
    pub async fn enter(&self, client: &Client) -> Result<Admitted, Problem> {
        let presence = self.clients.enter(client).map_err(|refusal| match refusal {
            Refusal::Requests(most) => Problem::crowded(most),
            Refusal::Time { most, wait } => Problem::worked_enough(most, wait),
        })?;
        let all = Arc::clone(&self.running);
        let place = |open, running| {
            let (running, since) = (Some(running), Instant::now());
            Admitted { _open: open, running, all, presence, since }
        };
        if let Ok(open) = Arc::clone(&self.open).try_acquire_owned()
            && let Ok(running) = Arc::clone(&self.running).try_acquire_owned()
        {
            return Ok(place(open, running));
        }
        let again = || Problem::busy(self.capacity.wait.as_secs().clamp(1, 10));
        let _queued = Queued::join(&self.waiting, self.capacity.queue).ok_or_else(again)?;
        let both = async {
            let open = Arc::clone(&self.open).acquire_owned().await.ok()?;
            let running = Arc::clone(&self.running).acquire_owned().await.ok()?;
            Some(place(open, running))
        };
        timeout(self.capacity.wait, both).await.ok().flatten().ok_or_else(again)
    }

    /// Returns how many queries run, how many answers are open, and how many requests wait.
    pub fn counts(&self) -> (usize, usize, usize) {
        let Capacity { running, open, .. } = self.capacity;
        let taken = |all: usize, semaphore: &Semaphore| all.saturating_sub(semaphore.available_permits());
        (taken(running, &self.running), taken(open, &self.open), self.waiting.load(Ordering::Relaxed))
    }
}

/// One waiting request, counted until it is dropped.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= most {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place among the running requests, held until it is dropped.
pub struct Admitted {
    _open: OwnedSemaphorePermit,
    /// `None` while it is lent to others.
    running: Option<OwnedSemaphorePermit>,
    all: Arc<Semaphore>,
    presence: Presence,
    /// The start of the current uninterrupted stretch of work.
    since: Instant,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.presence.worked(self.since.elapsed());
    }
}

impl Admitted {
    /// The memory shared by all queries of this client, if it is limited.
    pub fn memory_of_client(&self) -> Option<&Budget> {
        self.presence.memory()
    }

    /// Lends the running place to others while this thread waits for something, then takes one again.
    pub fn lend<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        self.presence.worked(self.since.elapsed());
        self.running = None;
        let value = wait();
        // The semaphore is never closed.
        self.running = Handle::current().block_on(Arc::clone(&self.all).acquire_owned()).ok();
        self.since = Instant::now();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::shares::Shares;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
    }

    fn one_at_a_time(queue: usize, wait: Duration) -> Admission {
        Admission::new(
            Capacity { running: 1, open: 3, queue, wait },
            Clients::new(Shares::default(), Budget::default()),
        )
    }

    #[test]
    fn a_request_is_refused_only_when_the_queue_is_full() {
        runtime().block_on(async {
            let admission = Arc::new(one_at_a_time(1, Duration::from_secs(3600)));
            let first = admission.enter(&Client::Unknown).await.unwrap();
            let second = tokio::spawn({
                let admission = Arc::clone(&admission);
                async move { admission.enter(&Client::Unknown).await.map(drop) }
            });
            while admission.counts().2 == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(admission.enter(&Client::Unknown).await.err().unwrap().status().as_u16(), 429);
            drop(first);
            second.await.unwrap().unwrap();
            assert_eq!(admission.counts(), (0, 0, 0));
        });
    }

    #[test]
    fn who_waits_too_long_is_asked_to_come_again() {
        runtime().block_on(async {
            let admission = one_at_a_time(9, Duration::from_millis(1));
            let _first = admission.enter(&Client::Unknown).await.unwrap();
            assert_eq!(admission.enter(&Client::Unknown).await.err().unwrap().status().as_u16(), 429);
            assert_eq!(admission.counts(), (1, 1, 0));
        });
    }

    #[test]
    fn a_lent_place_is_used_by_another() {
        let runtime = runtime();
        let admission = Arc::new(one_at_a_time(0, Duration::ZERO));
        let mut first = runtime.block_on(admission.enter(&Client::Unknown)).unwrap();
        let _inside = runtime.enter();
        first.lend(|| drop(runtime.handle().block_on(admission.enter(&Client::Unknown)).unwrap()));
        assert_eq!(admission.counts(), (1, 1, 0));
    }
}
