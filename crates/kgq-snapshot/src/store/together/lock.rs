//! Locks a folder for many readers or one writer. The system releases the lock when its holder ends, in whatever way.

use super::FOLDER;
use kgq_syntax::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Keeps writers away while held.
#[derive(Debug)]
pub struct Reading(Option<File>);

/// Keeps everyone else away while held.
#[derive(Debug)]
pub struct Writing {
    root: PathBuf,
    _file: File,
}

impl Reading {
    pub(super) fn of(root: &Path) -> Result<Self> {
        // If nothing can be locked, nobody can write either.
        let Ok(file) = open(root) else { return Ok(Self(None)) };
        match file.lock_shared() {
            Ok(()) => Ok(Self(Some(file))),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Self(None)),
            Err(error) => Err(Error::io(root.display(), &error)),
        }
    }

    /// Whether a lock is held: not every system has locks.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl Writing {
    pub(super) fn of(root: &Path, waits: &dyn Fn(&str)) -> Result<Self> {
        let failed = |error: std::io::Error| Error::io(root.display(), &error);
        let file = open(root).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits(&holder(root));
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self::by(root, file))
    }

    /// Takes the lock without waiting; `None` while somebody else reads or writes.
    pub(super) fn at_once(root: &Path) -> Result<Option<Self>> {
        let failed = |error: std::io::Error| Error::io(root.display(), &error);
        let file = open(root).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self::by(root, file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn by(root: &Path, file: File) -> Self {
        let writing = Self { root: root.to_owned(), _file: file };
        // Tells those who wait who is writing. A failure to do so does not matter.
        if root.join(FOLDER).is_dir() {
            let _ = fs::write(root.join(FOLDER).join("writer"), format!("process {}", std::process::id()));
        }
        writing
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.root.join(FOLDER).join("writer"));
    }
}

/// Who is writing, as far as known.
fn holder(root: &Path) -> String {
    let told = fs::read_to_string(root.join(FOLDER).join("writer")).ok();
    told.filter(|told| told.len() < 100).unwrap_or_else(|| "another process".to_owned())
}

/// The lock is on the folder itself, which no edit replaces.
#[cfg(unix)]
fn open(root: &Path) -> std::io::Result<File> {
    File::open(root)
}

#[cfg(not(unix))]
fn open(root: &Path) -> std::io::Result<File> {
    fs::create_dir_all(root.join(FOLDER))?;
    File::options().create(true).append(true).read(true).open(root.join(FOLDER).join("lock"))
}
