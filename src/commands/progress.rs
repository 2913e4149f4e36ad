//! Shows the progress of a long command: one line on standard error, only if that is a terminal, and not for a quick command.

use super::output::Output;
use super::terminal::Stream;
use kgq_syntax::text::{thousands, visible};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a command runs before its progress is shown, and the interval between updates.
const PATIENCE: Duration = Duration::from_millis(300);

/// Shows the latest message until it is dropped.
pub struct Progress {
    shown: Option<(Arc<Shared>, JoinHandle<()>)>,
    started: Instant,
}

#[derive(Default)]
struct Shared {
    words: Mutex<String>,
    done: AtomicBool,
}

impl Progress {
    pub fn start(output: &Output) -> Self {
        Self::when(output.err_is_terminal && !output.quiet, Stream::stderr)
    }

    /// Like `start`, for a command that writes its result to standard output: if that is a terminal, nothing is shown, as the two
    /// would mix.
    pub fn beside_result(output: &Output) -> Self {
        Self::when(output.err_is_terminal && !output.quiet && output.terminal.is_none(), Stream::stderr)
    }

    fn when(show: bool, place: impl FnOnce() -> Stream) -> Self {
        let started = Instant::now();
        let shared = Arc::new(Shared::default());
        let thread = show.then(|| {
            let (shared, mut place) = (Arc::clone(&shared), place());
            thread::Builder::new().name("progress".into()).spawn(move || shared.show(&mut place)).ok()
        });
        Self { shown: thread.flatten().map(|thread| (shared, thread)), started }
    }

    /// Sets the next message; it is only built if it can be shown.
    pub fn say(&self, words: impl FnOnce() -> String) {
        if let Some((shared, _)) = &self.shown {
            *shared.words.lock().unwrap_or_else(PoisonError::into_inner) = words();
        }
    }

    /// Shows how many quads of a file were read, as the store reports it.
    pub fn read(&self, name: &str, quads: u64) {
        let rate = quads as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        self.say(|| format!("{}: {} at {}/s", visible(name), thousands(quads), thousands(rate as u64)));
    }

    /// Wraps a writer to show how many bytes it wrote.
    pub fn counting<'w>(&'w self, inner: &'w mut dyn Write) -> Counting<'w> {
        Counting { progress: self, inner, bytes: 0, said: 0 }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((shared, thread)) = self.shown.take() {
            shared.done.store(true, Ordering::Release);
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn show(&self, place: &mut Stream) {
        let mut last = String::new();
        loop {
            thread::park_timeout(PATIENCE);
            if self.done.load(Ordering::Acquire) {
                break;
            }
            let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if words != last {
                place.status(&words);
                last = words;
            }
        }
        if !last.is_empty() {
            place.status("");
        }
    }
}

/// See [`Progress::counting`].
pub struct Counting<'w> {
    progress: &'w Progress,
    inner: &'w mut dyn Write,
    bytes: u64,
    said: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        if self.bytes - self.said >= 1 << 20 {
            self.said = self.bytes;
            self.progress.say(|| format!("{} MB written", thousands(self.bytes >> 20)));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::terminal::Door;
    use super::*;

    /// The buffer that a test writes its line to.
    #[derive(Clone, Default)]
    struct Place(Arc<Mutex<Vec<u8>>>);

    impl Write for Place {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_words_are_shown_after_a_while_and_taken_away_in_the_end() {
        let place = Place::default();
        let progress = Progress::when(true, || Stream::Terminal(Door::new(Box::new(place.clone()), true)));
        let mut sink = io::sink();
        let mut counting = progress.counting(&mut sink);
        counting.write_all(&vec![0; 5 << 20]).unwrap();
        while place.0.lock().unwrap().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        drop(progress);
        let shown = String::from_utf8(place.0.lock().unwrap().clone()).unwrap();
        assert_eq!(shown, "\r\x1b[K5 MB written\r\x1b[K");
    }

    #[test]
    fn where_there_is_no_terminal_no_words_are_made() {
        let progress = Progress::when(false, || Stream::Bytes(Box::new(io::sink())));
        progress.say(|| panic!("nobody reads this"));
    }
}
