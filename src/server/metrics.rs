//! Counters since the start, in the text format of Prometheus.

use super::Shared;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the duration histogram, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

/// A histogram of how long answers took.
#[derive(Clone, Debug, Default)]
struct Times {
    within: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    times: Mutex<BTreeMap<&'static str, Times>>,
    rows: AtomicU64,
    bytes: AtomicU64,
    pub reloads: AtomicU64,
    pub failed_reloads: AtomicU64,
}

impl Metrics {
    /// Counts a finished request.
    pub fn count(&self, route: &'static str, status: u16, elapsed: Duration, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((route, status)).or_default() += 1;
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(route).or_default();
        let seconds = elapsed.as_secs_f64();
        times.count += 1;
        times.seconds += seconds;
        for (count, bound) in times.within.iter_mut().zip(BOUNDS) {
            *count += u64::from(seconds <= bound);
        }
    }

    /// Renders all metrics as text.
    pub fn text(&self, server: &Shared) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        };
        head(
            &mut out,
            "kgq_requests_total",
            "counter",
            "Requests that are over, by route and status; 0 where the client left before.",
        );
        for ((route, status), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(out, "kgq_requests_total{{route=\"/{route}\",status=\"{status}\"}} {count}");
        }
        head(&mut out, "kgq_request_seconds", "histogram", "Time from the request to the last byte of its answer.");
        for (route, times) in &*self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            for (bound, count) in BOUNDS.iter().zip(times.within) {
                let _ = writeln!(out, "kgq_request_seconds_bucket{{route=\"/{route}\",le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(out, "kgq_request_seconds_bucket{{route=\"/{route}\",le=\"+Inf\"}} {}", times.count);
            let _ = writeln!(out, "kgq_request_seconds_sum{{route=\"/{route}\"}} {}", times.seconds);
            let _ = writeln!(out, "kgq_request_seconds_count{{route=\"/{route}\"}} {}", times.count);
        }
        let (running, open, waiting) = server.admission.counts();
        let numbers = [
            (
                "kgq_rows_total",
                "counter",
                "Rows and triples of answers that came to their end.",
                self.rows.load(Ordering::Relaxed),
            ),
            ("kgq_bytes_total", "counter", "Bytes of bodies.", self.bytes.load(Ordering::Relaxed)),
            (
                "kgq_reloads_total",
                "counter",
                "Times that the graph was replaced.",
                self.reloads.load(Ordering::Relaxed),
            ),
            (
                "kgq_failed_reloads_total",
                "counter",
                "Times that changed files could not be read.",
                self.failed_reloads.load(Ordering::Relaxed),
            ),
            (
                "kgq_files_broken",
                "gauge",
                "Whether the files as they are now cannot be read.",
                server.live.broken().is_some().into(),
            ),
            ("kgq_queries_running", "gauge", "Queries that run.", running as u64),
            ("kgq_answers_open", "gauge", "Answers that were begun and are not at their end.", open as u64),
            ("kgq_requests_waiting", "gauge", "Requests that wait for a place.", waiting as u64),
            (
                "kgq_memory_held_bytes",
                "gauge",
                "What queries hold beyond what is set aside for each.",
                server.memory.held(),
            ),
        ];
        for (name, kind, help, number) in numbers {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {number}");
        }
        out
    }
}
