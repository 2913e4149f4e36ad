//! The one way in which files are written: beside their place under a temporary name, synced, and renamed when whole, so that a
//! failure leaves an existing one as it was. What killed processes left beside it is removed.

use kgq_syntax::error::{Error, Result};
use std::ffi::OsString;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The end of a temporary file's name. Its writer holds a lock on it, so that one without is known to be abandoned.
const TEMPORARY: &str = ".building";

/// Files and folders being written, for whoever may end the process early: they are removed then. A clone is the same list.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Arc<Mutex<Vec<PathBuf>>>);

impl Unfinished {
    fn paths(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a folder is half-written, to be removed with all that is in it.
    pub fn note(&self, folder: &Path) {
        self.paths().push(folder.to_owned());
    }

    /// Says that a path is no longer to be removed. Where the process is being ended, it does not return.
    pub fn forget(&self, path: &Path) {
        self.paths().retain(|p| p != path);
    }

    /// Removes what is half-written; called before the process is ended from another thread.
    pub fn remove(&self) {
        // Whoever holds the lock may be the one that cannot go on; it holds it for an instant only.
        for _ in 0..100 {
            if let Ok(mut paths) = self.0.try_lock() {
                for path in paths.drain(..) {
                    if fs::remove_file(&path).is_err() {
                        let _ = fs::remove_dir_all(&path);
                    }
                }
                // The program ends now: whoever would make another file waits until it has.
                std::mem::forget(paths);
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// A file that appears under its name only when it is whole. Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    /// `None` once renamed.
    temporary: Option<PathBuf>,
    /// As the user wrote it, for messages.
    path: PathBuf,
    target: PathBuf,
    permissions: Option<Permissions>,
    unfinished: Unfinished,
}

impl WholeFile {
    /// Starts a file that will be at `path`, with the permissions of the one that is there, or those that new files have. What
    /// a symbolic link points at is replaced, not the link.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(path: &Path, unfinished: &Unfinished) -> Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let permissions = fs::metadata(&target).ok().filter(fs::Metadata::is_file).map(|m| m.permissions());
        Self::start(path, target, permissions, unfinished)
    }

    /// Starts a file for its user's eyes alone. A symbolic link in its place is replaced.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn private(path: &Path, unfinished: &Unfinished) -> Result<Self> {
        Self::start(path, path.to_owned(), private(), unfinished)
    }

    fn start(path: &Path, target: PathBuf, permissions: Option<Permissions>, unfinished: &Unfinished) -> Result<Self> {
        let failed = |error| Error::io(path.display(), &error);
        if let Some(folder) = folder_of(&target) {
            remove_abandoned(folder);
        }
        let mut attempt = 0;
        loop {
            let temporary = temporary_name(&target, attempt);
            attempt += 1;
            // Made and listed under one lock: a signal between the two would leave it behind.
            let mut paths = unfinished.paths();
            let file = match open_new(&temporary, permissions.as_ref()) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 1000 => continue,
                opened => opened.map_err(failed)?,
            };
            paths.push(temporary.clone());
            drop(paths);
            // Whoever finds the file unlocked may remove it: its writer was killed. Systems without locks keep it.
            let lost = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if lost || !temporary.exists() {
                unfinished.forget(&temporary);
                continue;
            }
            let (path, unfinished) = (path.to_owned(), unfinished.clone());
            return Ok(Self { file, temporary: Some(temporary), path, target, permissions, unfinished });
        }
    }

    /// What is written to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file in its place, over what was there, so that it survives a crash of the machine.
    ///
    /// # Errors
    /// When it cannot be synced or renamed: nothing is left of it then; when its folder cannot be synced: it is in its place, and may
    /// not survive a crash.
    pub fn finish(mut self) -> Result<()> {
        let failed = |error| Error::io(self.path.display(), &error);
        if let Some(permissions) = self.permissions.clone() {
            self.file.set_permissions(permissions).map_err(failed)?;
        }
        self.file.sync_all().map_err(failed)?;
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.target).map_err(failed)?;
            self.unfinished.forget(temporary);
        }
        self.temporary = None;
        // The new name too.
        folder_of(&self.target).map_or(Ok(()), sync_folder).map_err(failed)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
            self.unfinished.forget(temporary);
        }
    }
}

/// Removes what killed writers left behind in this folder.
pub fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with('.') && name.ends_with(TEMPORARY);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Kept until the file is gone, so that no writer takes it up in between.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Names hold after a crash once their folder is synced. Where folders cannot be opened, the system does as far as it does.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    let Ok(file) = File::open(folder) else { return Ok(()) };
    match file.sync_all() {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(error),
        _ => Ok(()),
    }
}

fn folder_of(path: &Path) -> Option<&Path> {
    let folder = path.parent()?;
    Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

fn temporary_name(path: &Path, attempt: usize) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{attempt}{TEMPORARY}", std::process::id()));
    path.with_file_name(name)
}

/// While it is written, nobody may read it who may not read it afterwards.
fn open_new(path: &Path, permissions: Option<&Permissions>) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    if let Some(permissions) = permissions {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(permissions.mode() & 0o777);
    }
    #[cfg(not(unix))]
    let _ = permissions;
    options.open(path)
}

#[cfg(unix)]
fn private() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private() -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_whole_and_leaves_nothing_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nt");
        fs::write(&path, "old").unwrap();
        let mut given_up = WholeFile::create(&path, &Unfinished::default()).unwrap();
        given_up.file().write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut whole = WholeFile::create(&path, &Unfinished::default()).unwrap();
        whole.file().write_all(b"new").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        whole.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.nt"]);
    }

    #[test]
    fn what_a_dead_writer_left_is_removed_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".other.1-0.building"), "half").unwrap();
        let first = WholeFile::create(&folder.path().join("a"), &Unfinished::default()).unwrap();
        let second = WholeFile::create(&folder.path().join("a"), &Unfinished::default()).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop((first, second));
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_private_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (kept, private) = (folder.path().join("kept"), folder.path().join("private"));
        fs::write(&kept, "").unwrap();
        fs::set_permissions(&kept, Permissions::from_mode(0o640)).unwrap();
        WholeFile::create(&kept, &Unfinished::default()).unwrap().finish().unwrap();
        assert_eq!(mode(&kept), 0o640);
        std::os::unix::fs::symlink(&kept, &private).unwrap();
        WholeFile::private(&private, &Unfinished::default()).unwrap().finish().unwrap();
        assert_eq!(mode(&private), 0o600);
        assert!(!fs::symlink_metadata(&private).unwrap().is_symlink());
    }
}
