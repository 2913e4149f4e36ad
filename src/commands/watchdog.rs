//! Ends the program if a query exceeds its limits and does not notice: in parsing, planning, a sort, a join, an update, or one
//! large allocation. Code that checks its limits ends with an error before; the watchdog waits for nothing.

use super::hints::with_hints;
use super::terminal::Stream;
use kgq_engine::Limits;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_snapshot::store::Unfinished;
use kgq_syntax::budget::{Work, needs_more_memory, took_longer};
use kgq_syntax::error::{Error, Kind, Result};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The interval at which time and memory are checked.
const INTERVAL: Duration = Duration::from_millis(5);
/// How long after its deadline a query may still end by itself.
const GRACE: Duration = Duration::from_millis(50);
/// Allocations of this size are checked before they are made: a single one can exceed the limit between two checks.
const LARGE: usize = 16 << 20;

/// How much a session's query may take beyond one and a half times its limit before the program ends: a small limit is soon
/// passed between two checks.
const SPARE: u64 = 256 << 20;

/// The most bytes that the program may hold while a query runs; no limit otherwise.
static CEILING: AtomicU64 = AtomicU64::new(u64::MAX);
/// Incomplete files, which are removed if the program is ended early.
static UNFINISHED: LazyLock<Unfinished> = LazyLock::new(Unfinished::default);
/// The limit behind the ceiling, for the message.
static LIMIT: AtomicU64 = AtomicU64::new(0);
/// Whether the limited work is the loading of files, for the message.
static IS_LOADING: AtomicBool = AtomicBool::new(false);

/// The list of incomplete files.
pub fn unfinished() -> &'static Unfinished {
    &UNFINISHED
}

/// Watches limits from its start until it is dropped.
pub struct Watchdog {
    done: Arc<AtomicBool>,
    thread: Option<Thread>,
    ceiling: u64,
}

/// The memory that a session holds besides its queries: a memory limit counts from there.
#[derive(Debug, Default)]
pub struct Base {
    held: Option<u64>,
    /// Each running query holds a clone, even one that was abandoned.
    running: Arc<()>,
}

impl Base {
    /// Returns what is held now, after freed memory was returned to the system. While an abandoned query still runs, its memory
    /// is not the session's, so the earlier value stays.
    pub fn now(&mut self) -> Option<u64> {
        if !self.is_shared() || self.held.is_none() {
            give_back();
            self.held = held();
        }
        self.held
    }

    /// Whether a query still runs: an abandoned one, or one that is freeing its memory.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.running) > 1
    }

    /// Returns a token for a query to hold while it runs.
    pub fn share(&self) -> Arc<()> {
        Arc::clone(&self.running)
    }
}

/// Blocks of less than this are taken from what the allocator keeps; of each thread it keeps as much when it is free, and no more: not even
/// [`give_back`] takes that from it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 8 << 20;

/// Lets the allocator keep what was freed for the next query from the start on, and not only once it met large blocks: to take the same
/// pages from the system anew takes as long as a short query.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the allocator's function is the C library's")]
    // SAFETY: it only sets numbers of the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}

/// Returns freed memory to the system: the allocator would keep it, and it would count as held.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the allocator's function is the C library's")]
    // SAFETY: it has no preconditions; it takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Tells when a session's query exceeds its memory limit, so that it can be stopped while the session goes on.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWatch {
    ceiling: u64,
    limit: u64,
}

impl MemoryWatch {
    /// Counts from `base`. `None` without a limit, or if the system does not report memory.
    pub fn start(limits: &Limits, base: Option<u64>) -> Option<Self> {
        let limit = limits.memory?;
        Some(Self { ceiling: base?.saturating_add(limit), limit })
    }

    /// Whether the query already holds an eighth of its limit.
    pub fn is_taken(&self) -> bool {
        held().is_some_and(|held| held > self.ceiling - self.limit / 8 * 7)
    }

    /// The error, if the limit is exceeded.
    pub fn passed(&self) -> Option<Error> {
        held().filter(|held| *held > self.ceiling).map(|_| needs_more_memory(Work::Query, self.limit))
    }
}

impl Watchdog {
    /// Watches a query of the session from now on. Its data are loaded first, which is watched too.
    pub fn of_query(graph: &Graph) -> Result<Self> {
        let loading = Self::of_loading(graph.options());
        graph.snapshot()?;
        drop(loading);
        Ok(Self::start(&graph.options().limits))
    }

    /// Watches the loading of files: with the time limit of the command line only, as large files may take longer than a query
    /// should, and with the memory limit of queries.
    pub fn of_loading(options: &OpenOptions) -> Self {
        let OpenOptions { asked_limits, limits, .. } = options;
        Self::of(&Limits { time: asked_limits.time, memory: limits.memory, ..Limits::default() }, Work::Loading)
    }

    /// Starts the clock now; memory held already does not count.
    pub fn start(limits: &Limits) -> Self {
        Self::of(limits, Work::Query)
    }

    fn of(limits: &Limits, work: Work) -> Self {
        // A time that the clock cannot represent is no limit.
        let deadline = limits.time.and_then(|time| Some((Instant::now().checked_add(time + GRACE)?, time)));
        let ceiling = limits.memory.and_then(|limit| Some((held()?.saturating_add(limit), limit)));
        Self::watch(deadline, ceiling, work)
    }

    /// Watches a query of a session, which is asked to stop when it exceeds its memory limit. The program ends only if the query
    /// takes half as much again before it stops, as the machine's memory would run out otherwise.
    pub fn of_session(limits: &Limits, base: Option<u64>) -> Self {
        let ceiling = |limit: u64| {
            let most = limit.saturating_add(limit / 2).saturating_add(SPARE);
            Some((base?.saturating_add(most), limit))
        };
        Self::watch(None, limits.memory.and_then(ceiling), Work::Query)
    }

    fn watch(deadline: Option<(Instant, Duration)>, ceiling: Option<(u64, u64)>, work: Work) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if deadline.is_none() && ceiling.is_none() {
            return Self { done, thread: None, ceiling: u64::MAX };
        }
        if let Some((ceiling, limit)) = ceiling {
            LIMIT.store(limit, Ordering::Relaxed);
            IS_LOADING.store(work == Work::Loading, Ordering::Relaxed);
            CEILING.store(ceiling, Ordering::Relaxed);
        }
        let over = Arc::clone(&done);
        let watch = move || {
            while !over.load(Ordering::Relaxed) {
                if let Some((deadline, time)) = deadline
                    && Instant::now() >= deadline
                {
                    end(&took_longer(work, time));
                }
                if let Some((ceiling, limit)) = ceiling
                    && held().is_some_and(|held| held > ceiling)
                {
                    end(&needs_more_memory(work, limit));
                }
                thread::park_timeout(INTERVAL);
            }
        };
        let started = thread::Builder::new().name("watchdog".into()).spawn(watch);
        let ceiling = ceiling.map_or(u64::MAX, |(ceiling, _)| ceiling);
        Self { done, thread: started.ok().map(|handle| handle.thread().clone()), ceiling }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // In a session, a later query may have set its own ceiling.
        let _ = CEILING.compare_exchange(self.ceiling, u64::MAX, Ordering::Relaxed, Ordering::Relaxed);
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

/// Ends the program with this error, wherever its other threads are.
fn end(error: &Error) -> ! {
    unfinished().remove();
    // If the message cannot be written, the exit code still tells.
    let _ = Stream::stderr().write_all(with_hints(error.clone()).render(false).as_bytes());
    std::process::exit(i32::from(error.kind().exit_code()))
}

/// Bytes of memory that the program holds for itself: resident, and not backed by a file. `None` if the system does not report
/// them.
fn held() -> Option<u64> {
    let mut text = [0u8; 128];
    // Read without allocating, as the allocator calls this.
    let read = std::io::Read::read(&mut std::fs::File::open("/proc/self/statm").ok()?, &mut text).ok()?;
    let mut fields = text.get(..read)?.split(u8::is_ascii_whitespace).skip(1).map(|field| {
        field.iter().try_fold(0u64, |n, digit| digit.is_ascii_digit().then(|| n * 10 + u64::from(digit - b'0')))
    });
    let (resident, shared) = (fields.next()??, fields.next()??);
    Some(resident.saturating_sub(shared) * PAGE)
}

/// The page size in `statm`. It holds on all target systems except some 64-bit ARM ones, where it errs on the safe side.
const PAGE: u64 = 4096;

/// The system's allocator, except that the program ends cleanly when memory runs out.
pub struct Allocator;

impl Allocator {
    fn before(size: usize) {
        if size >= LARGE {
            let ceiling = CEILING.load(Ordering::Relaxed);
            if ceiling != u64::MAX && held().is_some_and(|held| held.saturating_add(size as u64) > ceiling) {
                exhausted(true);
            }
        }
    }

    fn after(pointer: *mut u8) -> *mut u8 {
        if pointer.is_null() {
            exhausted(false);
        }
        pointer
    }
}

/// Ends the program from within an allocation: because of the limit, or because the system has no memory left.
#[cold]
fn exhausted(by_limit: bool) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if ENDING.swap(true, Ordering::SeqCst) {
        // Another thread is ending the program; or this one is, and then there is no memory left to end it cleanly.
        thread::sleep(Duration::from_secs(1));
        std::process::abort();
    }
    if by_limit {
        let work = if IS_LOADING.load(Ordering::Relaxed) { Work::Loading } else { Work::Query };
        end(&needs_more_memory(work, LIMIT.load(Ordering::Relaxed)));
    }
    unfinished().remove();
    // Nothing here allocates.
    let _ = std::io::stderr().write_all(b"error: the machine has not enough memory for this\n");
    std::process::exit(i32::from(Kind::Limit.exit_code()))
}

// SAFETY: every call is handed to the system's allocator with the arguments as they came.
#[allow(unsafe_code, reason = "an allocator implements an unsafe trait")]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::before(layout.size());
        // SAFETY: the caller keeps the contract of this very method.
        Self::after(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::before(layout.size());
        // SAFETY: as above.
        Self::after(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::before(new_size.saturating_sub(layout.size()));
        // SAFETY: as above.
        Self::after(unsafe { System.realloc(pointer, layout, new_size) })
    }
}
