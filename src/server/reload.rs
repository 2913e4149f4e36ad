//! Reads the files again when they have changed, beside all requests: these go on with the graph that they have.

use super::Shared;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often the files are looked at. Files of other machines tell no changes, so that looking is the one way that always works.
const INTERVAL: Duration = Duration::from_millis(500);
/// Looking takes at most one part of so many of the time.
const SHARE: u32 = 50;

/// Looks at the files until nobody can ask for it any more. Who sends reads them at once, changed or not.
pub fn follow(server: &Shared, asked: &Receiver<()>) {
    let mut last = server.live.look();
    let mut interval = INTERVAL;
    loop {
        let read = match asked.recv_timeout(interval) {
            Ok(()) => server.live.reload().map(Some),
            Err(RecvTimeoutError::Timeout) => {
                let started = Instant::now();
                let look = server.live.look();
                interval = INTERVAL.max(started.elapsed() * SHARE);
                // Files that are different at each look are being written.
                let is_settled = look == last;
                last = look;
                if is_settled { server.live.refresh() } else { continue }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let replaced = read.and_then(|read| match read {
            Some(reloaded) => server.replace(reloaded.after).map(|()| Some(reloaded.files)),
            None => Ok(None),
        });
        match replaced {
            Ok(None) => {}
            Ok(Some(files)) => {
                server.metrics.reloads.fetch_add(1, Ordering::Relaxed);
                server.log.say(&format!("the graph was replaced: {files} files changed"));
            }
            Err(error) => {
                server.metrics.failed_reloads.fetch_add(1, Ordering::Relaxed);
                server.log.say(&format!(
                    "the changed files cannot be read; the graph stays what it was\n{}",
                    error.render(false)
                ));
            }
        }
    }
}
