//! Ends the program where a query passes its limits and does not notice: in parsing, planning, a sort, a join, an update, one
//! large allocation. What notices by itself ends with an error before; here nothing is waited for.

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

/// How often time and memory are looked at.
const INTERVAL: Duration = Duration::from_millis(5);
/// How long after its deadline a query may still end by itself.
const GRACE: Duration = Duration::from_millis(50);
/// Allocations of this size are checked before they are made: one of them can pass the limit between two looks.
const LARGE: usize = 16 << 20;

/// What a session's query may take beyond half its limit before it is ended: a small limit is passed between two looks.
const SPARE: u64 = 256 << 20;

/// Bytes that the program may hold while a query runs; no limit otherwise.
static CEILING: AtomicU64 = AtomicU64::new(u64::MAX);
/// What is half-written, and removed where the program is ended early.
static UNFINISHED: LazyLock<Unfinished> = LazyLock::new(Unfinished::default);
/// The limit that the ceiling comes from, for the message.
static LIMIT: AtomicU64 = AtomicU64::new(0);
/// Whether what is limited is the reading of files, for the message.
static IS_LOADING: AtomicBool = AtomicBool::new(false);

/// The list of what is half-written.
pub fn unfinished() -> &'static Unfinished {
    &UNFINISHED
}

/// Watches from its start until it is dropped.
pub struct Watchdog {
    done: Arc<AtomicBool>,
    thread: Option<Thread>,
    ceiling: u64,
}

/// What a session holds beside its queries: what a limit on memory is counted from.
#[derive(Debug, Default)]
pub struct Base {
    held: Option<u64>,
    /// One share is held by each query that runs, also by one that was left to itself.
    running: Arc<()>,
}

impl Base {
    /// What is held now, given back what was freed. While a query that was left still runs, what it holds is not the session's: what
    /// was held before it counts on.
    pub fn now(&mut self) -> Option<u64> {
        if !self.is_shared() || self.held.is_none() {
            give_back();
            self.held = held();
        }
        self.held
    }

    /// Whether a query still runs: it was left, or is giving back what it held.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.running) > 1
    }

    /// To be kept by a query while it runs.
    pub fn share(&self) -> Arc<()> {
        Arc::clone(&self.running)
    }
}

/// Gives the system back what was freed: the allocator keeps it otherwise, and it would count as held.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it has no preconditions; it takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Tells when a session's query holds more memory than it may, so that it can be stopped and the session goes on.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWatch {
    ceiling: u64,
    limit: u64,
}

impl MemoryWatch {
    /// Counts from the base. `None` without a limit, or where the system does not tell.
    pub fn start(limits: &Limits, base: Option<u64>) -> Option<Self> {
        let limit = limits.memory?;
        Some(Self { ceiling: base?.saturating_add(limit), limit })
    }

    /// Whether an eighth of the limit is held already.
    pub fn is_taken(&self) -> bool {
        held().is_some_and(|held| held > self.ceiling - self.limit / 8 * 7)
    }

    /// The error, once more is held.
    pub fn passed(&self) -> Option<Error> {
        held().filter(|held| *held > self.ceiling).map(|_| needs_more_memory(Work::Query, self.limit))
    }
}

impl Watchdog {
    /// Watches a query of the session from now on; its data are loaded before, and that is watched too.
    pub fn of_query(graph: &Graph) -> Result<Self> {
        let loading = Self::of_loading(graph.options());
        graph.snapshot()?;
        drop(loading);
        Ok(Self::start(&graph.options().limits))
    }

    /// Watches files being read: for the time that the command line names, as large ones may take longer than a query should; and for
    /// the memory that a query may have.
    pub fn of_loading(options: &OpenOptions) -> Self {
        let OpenOptions { asked_limits, limits, .. } = options;
        Self::of(&Limits { time: asked_limits.time, memory: limits.memory, ..Limits::default() }, Work::Loading)
    }

    /// The clock starts now; memory that is held now does not count.
    pub fn start(limits: &Limits) -> Self {
        Self::of(limits, Work::Query)
    }

    fn of(limits: &Limits, work: Work) -> Self {
        // A time too long for the clock is no limit.
        let deadline = limits.time.and_then(|time| Some((Instant::now().checked_add(time + GRACE)?, time)));
        let ceiling = limits.memory.and_then(|limit| Some((held()?.saturating_add(limit), limit)));
        Self::watch(deadline, ceiling, work)
    }

    /// Watches a query of a session, which is asked to stop when it passes its limit on memory: only one that takes half as
    /// much again before it stops ends the program, as the machine would otherwise.
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
        // In a session, a later query may have set its own.
        let _ = CEILING.compare_exchange(self.ceiling, u64::MAX, Ordering::Relaxed, Ordering::Relaxed);
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

/// Ends the program with this error. Whoever else is running stays where it is.
fn end(error: &Error) -> ! {
    unfinished().remove();
    // The exit code says it too, if nobody can be told.
    let _ = Stream::stderr().write_all(with_hints(error.clone()).render(false).as_bytes());
    std::process::exit(i32::from(error.kind().exit_code()))
}

/// Bytes of memory that the program holds for itself: resident, and not of a file. `None` where the system does not tell.
fn held() -> Option<u64> {
    let mut text = [0u8; 128];
    // Read without allocating: an allocation asks this.
    let read = std::io::Read::read(&mut std::fs::File::open("/proc/self/statm").ok()?, &mut text).ok()?;
    let mut fields = text.get(..read)?.split(u8::is_ascii_whitespace).skip(1).map(|field| {
        field.iter().try_fold(0u64, |n, digit| digit.is_ascii_digit().then(|| n * 10 + u64::from(digit - b'0')))
    });
    let (resident, shared) = (fields.next()??, fields.next()??);
    Some(resident.saturating_sub(shared) * PAGE)
}

/// The size of a page in `statm`, on all systems that this is built for but some of 64-bit ARM, where it errs to the safe side.
const PAGE: u64 = 4096;

/// The system's allocator, except that the program ends cleanly where memory does.
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

/// Ends the program from within an allocation: by the limit, or because the system has no more.
#[cold]
fn exhausted(by_limit: bool) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if ENDING.swap(true, Ordering::SeqCst) {
        // Another thread is at it; or this one, and then there is nothing left to end with.
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
