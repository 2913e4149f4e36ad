//! The only way to write files: beside their place under a temporary name, synced, and renamed when complete, so that a
//! failure leaves an existing file unchanged. Leftovers of killed processes beside the file are removed.

use kgq_syntax::error::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The end of a temporary file's name. Its writer holds a lock on it, so an unlocked one is known to be abandoned.
const TEMPORARY: &str = ".building";

/// Files and folders being written, to be removed if the process ends early. A clone shares the same list.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Arc<Mutex<Vec<PathBuf>>>);

impl Unfinished {
    fn paths(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a folder is half-written, so that it is removed with its content.
    pub fn note(&self, folder: &Path) {
        self.paths().push(folder.to_owned());
    }

    /// Records that a path is complete, so that it is not removed. Does not return once the process is being ended.
    pub fn forget(&self, path: &Path) {
        self.paths().retain(|p| p != path);
    }

    /// Removes everything half-written; called before another thread ends the process.
    pub fn remove(&self) {
        // The holder of the lock may be unable to continue; normally it holds the lock only for an instant.
        for _ in 0..100 {
            if let Ok(mut paths) = self.0.try_lock() {
                for path in paths.drain(..) {
                    if fs::remove_file(&path).is_err() {
                        let _ = fs::remove_dir_all(&path);
                    }
                }
                // The program ends now: keeping the lock makes anyone who wants to create a file wait until then.
                std::mem::forget(paths);
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// A file that appears under its name only when complete. If dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    /// `None` after the renaming.
    temporary: Option<PathBuf>,
    /// As the user wrote it, for messages.
    path: PathBuf,
    target: PathBuf,
    permissions: Option<Permissions>,
    unfinished: Unfinished,
}

/// Files that are written beside their places before any of them takes its own. What killed writers left in a folder is looked
/// for once for all of them.
#[derive(Debug)]
pub struct Staging<'u> {
    unfinished: &'u Unfinished,
    swept: BTreeSet<PathBuf>,
}

impl<'u> Staging<'u> {
    pub fn new(unfinished: &'u Unfinished) -> Self {
        Self { unfinished, swept: BTreeSet::new() }
    }

    /// As [`WholeFile::create`].
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(&mut self, path: &Path) -> Result<WholeFile> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let permissions = fs::metadata(&target).ok().filter(fs::Metadata::is_file).map(|m| m.permissions());
        self.start(path, target, permissions)
    }

    fn start(&mut self, path: &Path, target: PathBuf, permissions: Option<Permissions>) -> Result<WholeFile> {
        if let Some(folder) = folder_of(&target)
            && self.swept.insert(folder.to_owned())
        {
            remove_abandoned(folder);
        }
        WholeFile::start(path, target, permissions, self.unfinished)
    }
}

impl WholeFile {
    /// Starts a file that will be at `path`, with the permissions of the existing file, or those of a new one. If `path` is
    /// a symbolic link, its target is replaced, not the link.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(path: &Path, unfinished: &Unfinished) -> Result<Self> {
        Staging::new(unfinished).create(path)
    }

    /// Starts a file that only its user can read. A symbolic link in its place is replaced.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn private(path: &Path, unfinished: &Unfinished) -> Result<Self> {
        Staging::new(unfinished).start(path, path.to_owned(), private())
    }

    fn start(path: &Path, target: PathBuf, permissions: Option<Permissions>, unfinished: &Unfinished) -> Result<Self> {
        let failed = |error| Error::io(path.display(), &error);
        let mut attempt = 0;
        loop {
            let temporary = temporary_name(&target, attempt);
            attempt += 1;
            // Created and listed under one lock: a signal in between would leave the file behind.
            let mut paths = unfinished.paths();
            let file = match open_new(&temporary, permissions.as_ref()) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 1000 => continue,
                opened => opened.map_err(failed)?,
            };
            paths.push(temporary.clone());
            drop(paths);
            // Whoever finds the file unlocked may remove it, as left by a killed writer. Without locks, files are kept.
            let lost = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if lost || !temporary.exists() {
                unfinished.forget(&temporary);
                continue;
            }
            let (path, unfinished) = (path.to_owned(), unfinished.clone());
            return Ok(Self { file, temporary: Some(temporary), path, target, permissions, unfinished });
        }
    }

    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the file to its place, replacing any file there, so that it survives a crash of the machine.
    ///
    /// # Errors
    /// When it cannot be synced or renamed: then nothing is left of it. When its folder cannot be synced: then the file is
    /// in its place, but may not survive a crash.
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
        // The new name must be synced too.
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
pub(crate) fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with('.') && name.ends_with(TEMPORARY);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // The lock is held until the file is gone, so that no writer takes it over in between.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Syncs a folder, so that its names survive a crash. Where folders cannot be opened, this does nothing.
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

/// Even while the file is written, only those may read it who may read it afterwards.
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

    #[test]
    fn what_dead_writers_left_in_a_folder_is_removed_once_for_files_that_are_staged_together() {
        let folder = tempfile::tempdir().unwrap();
        let left = || fs::write(folder.path().join(".other.1-0.building"), "half").unwrap();
        let unfinished = Unfinished::default();
        let mut staging = Staging::new(&unfinished);
        let staged = ["a", "b"].map(|name| {
            left();
            staging.create(&folder.path().join(name)).unwrap()
        });
        assert_eq!(names(folder.path()).len(), 3, "the second looked for it again");
        drop(staged);
        drop(WholeFile::create(&folder.path().join("c"), &unfinished).unwrap());
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
