//! The folder in which the next site is built, below the one that it will replace. Its writer holds a lock on it, so a
//! folder without a lock is known to be abandoned.

use super::replace;
use kgq_snapshot::store::Unfinished;
use kgq_syntax::error::{Error, Kind, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The name of this folder below the folder of the site.
pub const STAGED: &str = ".kgq-site.building";

/// The staging folder. Dropping it removes the folder, unless its files are being moved: the next run finishes that.
pub struct Staged {
    path: PathBuf,
    unfinished: Unfinished,
    /// `None` if folders cannot be opened on this system.
    _lock: Option<File>,
}

impl Staged {
    /// Takes the folder, empty. The remains of a killed run are completed or removed.
    pub fn take(root: &Path, unfinished: &Unfinished) -> Result<Self> {
        let path = root.join(STAGED);
        let failed = |e| Error::io(path.display(), &e);
        for _ in 0..100 {
            match fs::create_dir(&path) {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(failed(e)),
                _ => {}
            }
            let Some(lock) = lock(&path, root)? else { continue };
            replace::finish_moving(root, &path)?;
            clear(&path).map_err(failed)?;
            unfinished.note(&path);
            return Ok(Self { path, unfinished: unfinished.clone(), _lock: lock });
        }
        Err(busy(root))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the folder from now on even if the process is ended: the next run must see the step that follows.
    pub fn keep(&self) {
        self.unfinished.forget(&self.path);
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !replace::is_moving(&self.path) {
            let _ = fs::remove_dir_all(&self.path);
        }
        self.keep();
    }
}

/// Locks a folder for its writer. Returns `None` if it was exchanged meanwhile, and `Some(None)` if folders cannot be locked.
#[allow(clippy::option_option)]
pub fn lock(path: &Path, root: &Path) -> Result<Option<Option<File>>> {
    let Ok(file) = File::open(path) else { return Ok(if path.exists() { Some(None) } else { None }) };
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(busy(root));
    }
    Ok(if is_at(&file, path) { Some(Some(file)) } else { None })
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(held), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Removes the content of a folder.
fn clear(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

fn busy(root: &Path) -> Error {
    Error::new(Kind::Policy, format!("another run of kgq is writing to {}", root.display()))
        .hint("wait until it has ended")
}
