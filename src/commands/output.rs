//! Where commands write: the two streams with what is known of the terminal, and files that are whole or not there.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{folded, visible};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The streams of the program.
pub struct Output {
    pub out: Box<dyn Write>,
    pub err: Box<dyn Write>,
    /// The width in cells of the terminal that `out` is; `None` where it is none.
    pub terminal: Option<usize>,
    pub colour: bool,
    pub err_is_terminal: bool,
    pub err_colour: bool,
    /// Leave out counts, times and notes.
    pub quiet: bool,
}

impl Output {
    /// A line to the standard output.
    pub fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}").map_err(|e| Error::io("the output", &e))
    }

    /// A page of text; on a terminal, its lines are broken between words.
    pub fn page(&mut self, text: &str) -> Result<()> {
        match self.terminal {
            Some(width) => self.line(folded(text, width).trim_end()),
            None => self.line(text.trim_end()),
        }
    }

    /// A remark on the standard error, unless remarks are unwanted. That it cannot be written is no failure.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let (dim, reset) = if self.err_colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            let _ = writeln!(self.err, "{dim}{}{reset}", visible(text));
        }
    }

    /// A warning: an error that does not stop the command.
    pub fn warn(&mut self, error: &Error) {
        let _ = self.err.write_all(error.render(self.err_colour).as_bytes());
    }
}

/// Files being written under a temporary name, for whoever ends the process early.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what is half-written; called before the process is ended from another thread.
pub fn remove_temporary_files() {
    kgq_snapshot::remove_unfinished();
    // Whoever holds the lock may be the one that cannot go on; it holds it for an instant only.
    for _ in 0..100 {
        if let Ok(mut paths) = TEMPORARY.try_lock() {
            for path in paths.drain(..) {
                let _ = fs::remove_file(path);
            }
            // The program ends now: whoever would make another file waits until it has.
            std::mem::forget(paths);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Writes to the file, or to the standard output if there is none. A file is written beside its place and renamed when
/// whole, so that a failure leaves an existing one as it was. A device or pipe is written directly.
pub fn write_to<T>(
    path: Option<&Path>,
    output: &mut Output,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let Some(path) = path else {
        let mut buffered = BufWriter::with_capacity(1 << 16, &mut output.out);
        let result = write(&mut buffered)?;
        buffered.flush().map_err(|e| Error::io("the output", &e))?;
        return Ok(result);
    };
    let name = &path.display();
    // What a symbolic link points at is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|m| !m.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(&target).map_err(|e| Error::io(name, &e))?;
        let mut buffered = BufWriter::with_capacity(1 << 16, file);
        let result = write(&mut buffered)?;
        buffered.flush().map_err(|e| Error::io(name, &e))?;
        return Ok(result);
    }
    let folder = target.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made and listed under one lock: a signal between the two would leave it behind.
    let mut paths = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    let temporary =
        tempfile::Builder::new().prefix(".kgq-").suffix(".tmp").tempfile_in(folder).map_err(|e| Error::io(name, &e))?;
    let registered = temporary.path().to_owned();
    paths.push(registered.clone());
    drop(paths);
    let result = (|| {
        let mut buffered = BufWriter::with_capacity(1 << 16, temporary);
        let result = write(&mut buffered)?;
        let temporary = buffered.into_inner().map_err(|e| Error::io(name, &e.into_error()))?;
        let file = temporary.as_file();
        file.sync_all().map_err(|e| Error::io(name, &e))?;
        let permissions = fs::metadata(&target).map(|m| m.permissions()).ok();
        if let Some(permissions) = permissions.or_else(usual_permissions) {
            file.set_permissions(permissions).map_err(|e| Error::io(name, &e))?;
        }
        temporary.persist(&target).map_err(|e| Error::io(name, &e.error))?;
        Ok(result)
    })();
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).retain(|p| *p != registered);
    result
}

/// What a new file's permissions usually are; a temporary file's are for its owner alone.
#[cfg(unix)]
fn usual_permissions() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<fs::Permissions> {
    None
}
