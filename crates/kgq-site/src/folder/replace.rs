//! Replaces the old site by the new one: the two folders are exchanged in one step. If that is impossible (a mount point, a
//! parent folder without write permission, the current directory of the process), the files are moved one by one, each
//! atomically. A mark is set first, so that the next run can finish what a killed one began.

use super::manifest::{self, MANIFEST};
use super::staged::{Staged, lock};
use super::{Paths, foreign, true_folders};
use kgq_syntax::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The mark in the folder of the new site, set before its files are moved.
const MOVING: &str = ".kgq-site.moving";

/// Replaces the old site, which has the files `before`, by the new one, which is complete and synced.
pub fn replace(root: &Path, staged: &Staged, before: &Paths) -> Result<()> {
    staged.keep();
    match exchange(root, staged.path()).map_err(|e| Error::io(root.display(), &e))? {
        Some(old) => dispose(&old, root, before),
        None => move_files(root, staged.path()),
    }
}

/// Moves the files of the new site into the folder of the old one.
pub fn move_files(root: &Path, staged: &Path) -> Result<()> {
    let mark = staged.join(MOVING);
    File::create(&mark).and_then(|file| file.sync_all()).map_err(|e| Error::io(mark.display(), &e))?;
    sync_folder(staged);
    finish_moving(root, staged)
}

/// Whether moving the files of the new site has begun.
pub fn is_moving(staged: &Path) -> bool {
    staged.join(MOVING).exists()
}

/// Moves the remaining files, if moving has begun.
pub fn finish_moving(root: &Path, staged: &Path) -> Result<()> {
    if is_moving(staged) {
        if let Some(now) = manifest::read(staged)? {
            move_rest(root, staged, &now)?;
        }
        let mark = staged.join(MOVING);
        fs::remove_file(&mark).map_err(|e| Error::io(mark.display(), &e))?;
    }
    Ok(())
}

fn move_rest(root: &Path, staged: &Path, now: &Paths) -> Result<()> {
    let before = manifest::read(root)?.unwrap_or_default();
    for path in before.iter().filter(|path| !now.has(path)) {
        remove(root, &path)?;
    }
    for path in now.iter() {
        let (from, to) = (staged.join(&path), root.join(&path));
        if fs::symlink_metadata(&from).is_err() {
            continue;
        }
        if !true_folders(root, &path) {
            return Err(foreign(&to));
        }
        let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::rename(&from, &to));
        made.map_err(|e| Error::io(to.display(), &e))?;
    }
    let manifest = root.join(MANIFEST);
    // Sync the moved files before the manifest that lists them.
    sync_all(root)
        .and_then(|()| fs::rename(staged.join(MANIFEST), &manifest))
        .map_err(|e| Error::io(manifest.display(), &e))?;
    sync_folder(root);
    Ok(())
}

/// Exchanges the two folders and returns where the old one is now; `None` if the exchange is impossible.
fn exchange(root: &Path, staged: &Path) -> io::Result<Option<PathBuf>> {
    let Some(beside) = beside(root) else { return Ok(None) };
    // A process started in the folder would be left in the old one. Other processes there are unknown to us.
    let stands_in_it = std::env::current_dir().is_ok_and(|here| here.starts_with(root));
    if stands_in_it || !like(root, staged)? || fs::rename(staged, &beside).is_err() {
        return Ok(None);
    }
    if swap(&beside, root).is_err() {
        fs::rename(&beside, staged)?;
        return Ok(None);
    }
    root.parent().into_iter().for_each(sync_folder);
    Ok(Some(beside))
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn swap(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn swap(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Gives the new folder the permissions of the old one, and returns whether both have the same owner and group.
#[cfg(unix)]
fn like(root: &Path, staged: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let old = fs::metadata(root)?;
    fs::set_permissions(staged, old.permissions())?;
    let new = fs::metadata(staged)?;
    Ok((new.uid(), new.gid()) == (old.uid(), old.gid()))
}

#[cfg(not(unix))]
fn like(root: &Path, staged: &Path) -> io::Result<bool> {
    fs::set_permissions(staged, fs::metadata(root)?.permissions())?;
    Ok(true)
}

/// The location of an old site between its exchange and its removal.
fn beside(root: &Path) -> Option<PathBuf> {
    let name = root.file_name()?.to_str()?;
    Some(root.with_file_name(format!(".{name}.building")))
}

/// Removes an old site that a killed run left beside the new one.
pub fn dispose_abandoned(root: &Path) -> Result<()> {
    let Some(old) = beside(root).filter(|old| fs::symlink_metadata(old).is_ok_and(|found| found.is_dir())) else {
        return Ok(());
    };
    // Only a folder of this user with a manifest is an old site; anything else is kept.
    let Some(_lock) = lock(&old, root)? else { return Ok(()) };
    let Some(files) = manifest::read(&old).ok().flatten().filter(|_| same_owner(&old, root)) else {
        let _ = fs::remove_dir(&old);
        return Ok(());
    };
    dispose(&old, root, &files)
}

#[cfg(unix)]
fn same_owner(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| fs::metadata(path).map(|found| found.uid()).ok();
    owner(one) == owner(other)
}

#[cfg(not(unix))]
fn same_owner(_: &Path, _: &Path) -> bool {
    true
}

/// Removes an old site with these files; anything else in it moves to the new site.
fn dispose(old: &Path, root: &Path, files: &Paths) -> Result<()> {
    for path in files.iter() {
        remove(old, &path)?;
    }
    carry(old, root)?;
    let manifest = old.join(MANIFEST);
    let gone = |result: io::Result<()>| match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(old.display(), &e)),
        _ => Ok(()),
    };
    gone(fs::remove_file(&manifest))?;
    gone(fs::remove_dir(old))
}

/// Moves the content of a folder, except its manifest, back to where it was before the exchange.
fn carry(from: &Path, to: &Path) -> Result<()> {
    let failed = |e| Error::io(from.display(), &e);
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (own, new) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == MANIFEST {
            continue;
        }
        let there = fs::symlink_metadata(&new).ok();
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        match there {
            Some(there) if is_folder && there.is_dir() => {
                carry(&own, &new)?;
                fs::remove_dir(&own).map_err(failed)?;
            }
            Some(_) => return Err(foreign(&own)),
            None => fs::rename(&own, &new).map_err(failed)?,
        }
    }
    Ok(())
}

/// Removes a file below a folder, and the folders that become empty, which were made for it. Follows no symbolic link.
fn remove(root: &Path, path: &str) -> Result<()> {
    let target = root.join(path);
    if true_folders(root, path) && fs::symlink_metadata(&target).is_ok_and(|found| found.is_file()) {
        fs::remove_file(&target).map_err(|e| Error::io(target.display(), &e))?;
        let mut folder = target.parent();
        while let Some(parent) = folder.filter(|f| *f != root && fs::remove_dir(f).is_ok()) {
            folder = parent.parent();
        }
    }
    Ok(())
}

/// Waits until everything written in a folder is on disk.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn sync_all(folder: &Path) -> io::Result<()> {
    // One call for the whole file system: syncing files one by one takes minutes for a large site.
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_all(&entry.path())?;
        } else if kind.is_file() {
            File::options().write(true).open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder);
    Ok(())
}

/// Syncs the entries of a folder, as far as the system allows: not every system can open folders.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
