//! The folder in which the next site is made, below the one that it will replace. Whoever writes it holds a lock on it, so that one
//! without is known to be abandoned.

use super::replace;
use kgq_snapshot::store::Unfinished;
use kgq_syntax::error::{Error, Kind, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Its name below the site's folder.
pub const STAGED: &str = ".kgq-site.building";

/// It is removed when this is dropped, unless its files are being moved: the next run finishes that.
pub struct Staged {
    path: PathBuf,
    unfinished: Unfinished,
    /// `None` where folders cannot be opened.
    _lock: Option<File>,
}

impl Staged {
    /// Takes the folder, empty; what a killed run left in it is finished or removed.
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

    /// From here on it is not removed when the process is ended: a step follows that the next run must see.
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

/// Locks a folder for its writer; `None` if it was exchanged meanwhile, and a lock that holds nothing where folders cannot be locked.
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

/// Removes all that is in a folder.
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
