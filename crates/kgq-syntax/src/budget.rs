//! The limits of one piece of work: time, memory, and cancellation by whoever asked for it. Everything that may take long
//! gets a [`Budget`], checks it now and then, and reserves in it the memory that it holds.
//!
//! A budget stops nothing by itself and prints nothing: work that exceeds a limit gets an error that names the limit. Memory
//! is what the work reports, not what the allocator provides, so it means the same on every system.

use crate::bounds::size;
use crate::error::{Error, Kind, Result};
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// The possible limits. `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub time: Option<Duration>,
    /// Bytes held at once.
    pub memory: Option<u64>,
    /// Rows or triples of one answer.
    pub rows: Option<u64>,
}

/// The pause between two looks at what is waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The kind of work that is limited, for messages and for those who extend them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    #[default]
    Query,
    /// Reading files, and building the data to be queried.
    Loading,
    /// What is made of the data once and kept beside them: labels, the search index, the index of a server's pages.
    Keeping,
    /// All queries of a server together.
    Serving,
    /// The queries of one of its clients.
    Client,
    /// Conclusions, canonical names and sorted texts of a whole graph.
    Export,
    /// Validating data against shapes.
    Validation,
    /// A change to the project's files.
    Edit,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "the query",
            Self::Loading => "reading the data",
            Self::Keeping => "indexing names and pages",
            Self::Serving => "the server's work in progress",
            Self::Client => "the work in progress for one client",
            Self::Export => "the export",
            Self::Validation => "the validation",
            Self::Edit => "the edit",
        })
    }
}

/// The limit that was exceeded; part of an error of kind [`Kind::Limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    Time(Work),
    Memory(Work),
    Rows,
}

/// Returns the time since some fixed moment. Tests have a clock of their own.
pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> Duration;
}

/// The system's clock, which never goes back.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The limits of one piece of work, and its use so far. Clones are the same budget; threads may share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    work: Work,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// When the time is over, on the clock.
    deadline: Option<Duration>,
    held: AtomicU64,
    peak: AtomicU64,
    /// Bytes in temporary files.
    written: AtomicU64,
    cancelled: AtomicBool,
    parent: Option<Budget>,
    /// A budget that stops this work too, though the work counts nothing in it.
    stopper: Option<Budget>,
    /// Bytes set aside for this part: only what exceeds them counts towards the whole.
    own: u64,
}

impl Default for Budget {
    /// A budget without limits; it can still be cancelled.
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Budget {
    /// The budget of a query. Its clock starts now.
    pub fn new(limits: Limits) -> Self {
        Self::of(Work::Query, limits, Arc::new(SystemClock::default()))
    }

    /// The budget of some work, measured by the given clock.
    pub fn of(work: Work, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self::within([None, None], work, limits, clock, 0)
    }

    /// A budget for a part of this work. Its use counts towards this budget too, and cancelling this one cancels it.
    #[must_use]
    pub fn child(&self, work: Work, limits: Limits) -> Self {
        self.child_with(work, limits, 0)
    }

    /// A budget for a part, with `own` bytes set aside: they are available to it whatever other parts hold. The caller must
    /// leave them out of the limit of the whole.
    #[must_use]
    pub fn child_with(&self, work: Work, limits: Limits, own: u64) -> Self {
        Self::within([Some(self.clone()), None], work, limits, Arc::clone(&self.0.clock), own)
    }

    /// A budget for a part that also stops when `other` stops: the part counts towards this work, and is done for that.
    #[must_use]
    pub fn child_stopped_by(&self, work: Work, other: &Self) -> Self {
        let (whole, clock) = (Some(self.clone()), Arc::clone(&self.0.clock));
        Self::within([whole, Some(other.clone())], work, Limits::default(), clock, 0)
    }

    fn within(
        [parent, stopper]: [Option<Self>; 2],
        work: Work,
        limits: Limits,
        clock: Arc<dyn Clock>,
        own: u64,
    ) -> Self {
        // A time beyond the clock's range is no limit.
        let deadline = limits.time.and_then(|time| clock.now().checked_add(time));
        let (held, peak, written) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let cancelled = AtomicBool::new(false);
        Self(Arc::new(Shared { work, limits, clock, deadline, held, peak, written, cancelled, parent, stopper, own }))
    }

    /// This budget and its ancestors.
    fn chain(&self) -> impl Iterator<Item = &Shared> {
        std::iter::successors(Some(&*self.0), |shared| shared.parent.as_ref().map(|parent| &*parent.0))
    }

    /// Fails if the work was cancelled, or its time is up.
    ///
    /// # Errors
    /// An interrupt, or a limit on time.
    #[inline]
    pub fn check(&self) -> Result<()> {
        let mut now = None;
        for shared in self.chain() {
            if shared.cancelled.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, format!("{} was interrupted", shared.work)));
            }
            if let (Some(deadline), Some(time)) = (shared.deadline, shared.limits.time)
                && *now.get_or_insert_with(|| shared.clock.now()) >= deadline
            {
                return Err(took_longer(shared.work, time));
            }
            if let Some(stopper) = &shared.stopper {
                stopper.check()?;
            }
        }
        Ok(())
    }

    /// Looks for something again and again, until it is there.
    ///
    /// # Errors
    /// Those of `look`; as [`Budget::check`], while it is not there.
    pub fn wait_for<T>(&self, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            self.check()?;
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Locks a mutex, waiting no longer than this budget allows. What a thread that panicked left in it is taken as it is.
    ///
    /// # Errors
    /// As [`Budget::check`], while another thread holds the lock.
    pub fn lock<'m, T>(&self, mutex: &'m Mutex<T>) -> Result<MutexGuard<'m, T>> {
        self.wait_for(|| match mutex.try_lock() {
            Ok(locked) => Ok(Some(locked)),
            Err(TryLockError::Poisoned(left)) => Ok(Some(left.into_inner())),
            Err(TryLockError::WouldBlock) => Ok(None),
        })
    }

    /// Stops the work at its next check. The work of which it is a part goes on.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        let stopped = |shared: &Shared| shared.stopper.as_ref().is_some_and(Self::is_cancelled);
        self.chain().any(|shared| shared.cancelled.load(Ordering::Relaxed) || stopped(shared))
    }

    /// Reserves bytes until the reservation is dropped.
    ///
    /// # Errors
    /// A limit on memory.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation> {
        let mut reservation = Reservation::default();
        reservation.grow(self, bytes)?;
        Ok(reservation)
    }

    fn take(&self, bytes: u64) -> Result<()> {
        let (mut more, mut passed) = (bytes, None);
        for shared in self.chain() {
            let before = shared.held.fetch_add(more, Ordering::Relaxed);
            let held = before.saturating_add(more);
            match shared.limits.memory {
                Some(most) if held > most => passed = passed.or(Some((shared.work, most))),
                _ if passed.is_none() => drop(shared.peak.fetch_max(held, Ordering::Relaxed)),
                _ => {}
            }
            more = shared.beyond(held) - shared.beyond(before);
        }
        match passed {
            None => Ok(()),
            Some((work, most)) => {
                self.give_back(bytes);
                Err(needs_more_memory(work, most))
            }
        }
    }

    /// Subtracts bytes from this budget, and from its ancestors what they counted for it.
    fn give_back(&self, bytes: u64) {
        let mut less = bytes;
        for shared in self.chain() {
            let before = shared.held.fetch_sub(less, Ordering::Relaxed);
            less = shared.beyond(before) - shared.beyond(before.saturating_sub(less));
        }
    }

    /// Counts bytes written to a temporary file; files may be several times as large as the memory limit.
    fn write(&self, bytes: u64) -> Result<()> {
        let mut passed = None;
        for shared in self.chain() {
            let written = shared.written.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
            if let Some(most) = shared.limits.memory.filter(|most| written > most_in_files(*most)) {
                passed = passed.or(Some((shared.work, most)));
            }
        }
        let Some((work, most)) = passed else { return Ok(()) };
        self.take_from_files(bytes);
        let [memory, files] = [most, most_in_files(most)].map(memory);
        let needs = format!("{work} needs more memory than {memory}, and more than {files} in temporary files");
        Err(Error::exceeded(Exceeded::Memory(work), needs))
    }

    fn take_from_files(&self, bytes: u64) {
        for shared in self.chain() {
            shared.written.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// The time on the budget's clock.
    pub fn now(&self) -> Duration {
        self.0.clock.now()
    }

    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// The time left: the least of this budget's and its ancestors'.
    pub fn time_left(&self) -> Option<Duration> {
        let now = self.0.clock.now();
        self.chain().filter_map(|shared| shared.deadline).min().map(|deadline| deadline.saturating_sub(now))
    }

    /// Whether less than a quarter of the memory is left, here or in an ancestor: work that can go on with less should do
    /// so.
    pub fn is_scarce(&self) -> bool {
        self.rooms().any(|(most, room)| room < most / 4)
    }

    /// The error for work that needs more memory than is left; `None` if there is no limit.
    pub fn out_of_memory(&self) -> Option<Error> {
        let limits = self.chain().filter_map(|shared| Some((shared.room()?, shared)));
        let (_, shared) = limits.min_by_key(|(room, _)| *room)?;
        Some(needs_more_memory(shared.work, shared.limits.memory?))
    }

    /// Bytes that can still be held; `None` without a limit.
    pub fn room(&self) -> Option<u64> {
        self.rooms().map(|(_, room)| room).min()
    }

    /// The limits on memory, of this budget and its ancestors, each with the amount left.
    fn rooms(&self) -> impl Iterator<Item = (u64, u64)> {
        self.chain().filter_map(|shared| Some((shared.limits.memory?, shared.room()?)))
    }

    /// Bytes that are held now.
    pub fn held(&self) -> u64 {
        self.0.held.load(Ordering::Relaxed)
    }

    /// The most bytes held at once.
    pub fn peak(&self) -> u64 {
        self.0.peak.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// The amount left of the limit on memory.
    fn room(&self) -> Option<u64> {
        Some(self.limits.memory?.saturating_sub(self.held.load(Ordering::Relaxed)))
    }

    /// The part of the held bytes that counts towards the whole.
    fn beyond(&self, held: u64) -> u64 {
        held.saturating_sub(self.own)
    }
}

/// Checks a budget once every so many steps, where a step costs less than a look at the clock.
#[derive(Debug)]
pub struct Steps {
    budget: Budget,
    taken: Cell<u32>,
}

impl Steps {
    const BETWEEN_LOOKS: u32 = 1 << 10;

    pub fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), taken: Cell::new(0) }
    }

    /// Counts a step, and checks the budget if it is time.
    ///
    /// # Errors
    /// The budget's.
    #[inline]
    pub fn take(&self) -> Result<()> {
        let taken = self.taken.get().wrapping_add(1);
        self.taken.set(taken);
        if taken.is_multiple_of(Self::BETWEEN_LOOKS) { self.budget.check() } else { Ok(()) }
    }

    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// Bytes that something holds. They are released when it is dropped.
#[must_use]
#[derive(Debug, Default)]
pub struct Reservation {
    /// `None` before anything was reserved.
    budget: Option<Budget>,
    bytes: u64,
}

impl Reservation {
    /// Holds more bytes. A reservation stays with the first budget it was made in.
    ///
    /// # Errors
    /// A limit on memory; then nothing changes.
    pub fn grow(&mut self, budget: &Budget, bytes: u64) -> Result<()> {
        if bytes > 0 {
            self.budget.get_or_insert_with(|| budget.clone()).take(bytes)?;
            self.bytes += bytes;
        }
        Ok(())
    }

    /// Holds fewer bytes.
    pub fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        if let Some(budget) = self.budget.as_ref().filter(|_| bytes > 0) {
            budget.give_back(bytes);
        }
    }

    /// Holds exactly this many bytes.
    ///
    /// # Errors
    /// A limit on memory; then nothing changes.
    pub fn resize(&mut self, budget: &Budget, bytes: u64) -> Result<()> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.grow(budget, more),
            None => {
                self.shrink(self.bytes - bytes);
                Ok(())
            }
        }
    }

    /// Takes over what another reservation in the same budget holds.
    pub fn join(&mut self, mut other: Self) {
        let bytes = std::mem::take(&mut other.bytes);
        let budget = other.budget.take();
        let is_same = |own: &Budget| budget.as_ref().is_none_or(|other| Arc::ptr_eq(&own.0, &other.0));
        debug_assert!(self.budget.as_ref().is_none_or(is_same), "a reservation in another budget");
        self.bytes += bytes;
        self.budget = self.budget.take().or(budget);
    }

    /// The bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

/// Temporary files may take this many times the bytes allowed in memory …
const FILES_TO_MEMORY: u64 = 8;
/// … but no more than this: a query that never ends must not fill the disk of a machine with much memory.
const MOST_IN_FILES: u64 = 16 << 30;

fn most_in_files(memory: u64) -> u64 {
    memory.saturating_mul(FILES_TO_MEMORY).min(MOST_IN_FILES)
}

/// Bytes in temporary files. They are released when this is dropped.
#[derive(Debug)]
pub struct FileSpace {
    budget: Budget,
    bytes: u64,
}

impl FileSpace {
    /// Starts with no bytes.
    pub fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Counts bytes that are about to be written.
    ///
    /// # Errors
    /// A limit on memory, which also limits temporary files; then nothing is added.
    pub fn grow(&mut self, bytes: u64) -> Result<()> {
        self.budget.write(bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for FileSpace {
    fn drop(&mut self) {
        self.budget.take_from_files(self.bytes);
    }
}

/// The error for work that took longer than `time`.
pub fn took_longer(work: Work, time: Duration) -> Error {
    Error::exceeded(Exceeded::Time(work), format!("{work} took longer than {} s", time.as_secs_f64()))
}

/// The error for work that needs more than `most` bytes.
pub fn needs_more_memory(work: Work, most: u64) -> Error {
    Error::exceeded(Exceeded::Memory(work), format!("{work} needs more memory than {}", memory(most)))
}

/// A limit on memory as messages say it: in MiB, but for one below, which would be said to be larger than it is.
fn memory(bytes: u64) -> String {
    if bytes < 1 << 20 { size(bytes as usize) } else { format!("{} MiB", bytes.div_ceil(1 << 20)) }
}

#[cfg(test)]
mod tests;
