//! Reloads the graph when the files change, without disturbing requests: these finish with the graph that they have.

use super::Shared;
use super::events::News;
use super::problem::{Problem, file_name};
use kgq_syntax::error::Error;
use kgq_syntax::text::count;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often the files are checked. Network file systems report no change events, so polling is the one way that always works.
const INTERVAL: Duration = Duration::from_millis(500);
/// Polling takes at most one part in this many of the time, unless that would make it too rare.
const SHARE: u32 = 50;
/// The longest interval between two checks: on an overloaded machine one check can seem to take minutes.
const RAREST: Duration = Duration::from_secs(10);

/// Polls the files until all senders are gone. A message makes it reload at once, changed or not.
pub fn follow(server: &Shared, asked: &Receiver<()>) {
    let mut last = server.live.look();
    let mut is_broken = false;
    let mut interval = INTERVAL;
    loop {
        let read = match asked.recv_timeout(interval) {
            Ok(()) => {
                server.read_certificate();
                server.reload().map(Some)
            }
            Err(RecvTimeoutError::Timeout) => {
                let started = Instant::now();
                let look = server.live.look();
                interval = pause(started.elapsed());
                // Files that differ from one check to the next are still being written.
                let is_settled = look == last;
                last = look;
                if is_settled { server.refresh() } else { continue }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match read {
            Ok(None) => {}
            Ok(Some(files)) => {
                server.log.say(&format!(
                    "the graph was replaced: {}",
                    count(files as u64, "file has", "files have") + " changed"
                ));
                if std::mem::take(&mut is_broken) {
                    let _ = server.news.send(News::Mended);
                }
            }
            Err(error) => {
                is_broken = true;
                server.metrics.failed_reloads.fetch_add(1, Ordering::Relaxed);
                server.log.say(&format!(
                    "the changed files cannot be read; the graph stays what it was\n{}",
                    error.render(false)
                ));
                let _ = server.news.send(News::Broken(told(&error)));
            }
        }
    }
}

/// How long to wait after a check that took this long.
fn pause(look: Duration) -> Duration {
    look.saturating_mul(SHARE).clamp(INTERVAL, RAREST)
}

/// What clients are told about files that cannot be read.
pub fn told(error: &Error) -> String {
    let problem = Problem::from(error.clone()).into_value();
    let detail = problem["detail"].as_str().unwrap_or_default();
    match error.place() {
        Some(place) => format!("{}:{}:{}: {detail}", file_name(&place.file), place.line, place.column),
        None => detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_is_seldom_where_it_takes_long_and_never_forgotten() {
        let after = |ms| pause(Duration::from_millis(ms)).as_millis();
        assert_eq!((after(0), after(20), after(100)), (500, 1_000, 5_000));
        assert_eq!((after(20_000), pause(Duration::MAX)), (10_000, RAREST));
    }
}
