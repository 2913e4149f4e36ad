//! Writes several files of a folder as one: readers see all of the new files or none, even after a crash.
//!
//! A writer has the folder to itself. It writes the new files beside the old ones, then a journal with all of their bytes,
//! then renames. Once the journal has its name, the edit is decided. Whoever finds a journal completes the edit. Everything
//! is synced before any step that depends on it.

mod journal;
mod lock;
#[cfg(test)]
mod tests;

use super::{Staging, Unfinished, WholeFile, whole_file};
use journal::Journal;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::hexadecimal;
pub use lock::{Reading, Writing};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

/// The subfolder for unfinished work.
pub const FOLDER: &str = ".kgq";
const JOURNAL: &str = "journal";

/// One file to be replaced, created or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Relative to the folder.
    pub name: String,
    /// The content before the edit; `None` if the file does not exist.
    pub before: Option<Vec<u8>>,
    /// The content after the edit; `None` if the file is removed.
    pub after: Option<Vec<u8>>,
}

/// A step that may fail; tests make each of them fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Write,
    Sync,
    Rename,
    Remove,
}

/// Called before each step. An error from it counts as the system's.
pub type Steps<'a> = dyn Fn(Step, &Path) -> io::Result<()> + 'a;

/// The names of the files in an edit that was decided earlier and is completed now.
pub type Finished = Vec<String>;

/// Waits until nobody writes in the folder, and keeps writers away as long as the result is held. Completes a decided edit.
///
/// # Errors
/// When a decided edit cannot be completed.
pub fn read(root: &Path) -> Result<(Reading, Finished)> {
    let mut finished = Finished::new();
    loop {
        let reading = Reading::of(root)?;
        if !journal_of(root).exists() {
            return Ok((reading, finished));
        }
        drop(reading);
        let writing = Writing::of(root, &|_| ())?;
        finished.extend(finish(root, &|_, _| Ok(()))?);
        drop(writing);
    }
}

/// Waits until nobody else reads or writes in the folder. If somebody does, `waits` is told who.
///
/// # Errors
/// As [`read`].
pub fn write(root: &Path, waits: &dyn Fn(&str)) -> Result<(Writing, Finished)> {
    let writing = Writing::of(root, waits)?;
    let finished = finish(root, &|_, _| Ok(()))?;
    Ok((writing, finished))
}

/// Like [`write()`], but waits no longer than the budget allows.
///
/// # Errors
/// As [`read`]; that of the budget, while somebody else reads or writes in the folder.
pub fn write_within(root: &Path, budget: &Budget) -> Result<(Writing, Finished)> {
    let writing = budget.wait_for(|| Writing::at_once(root))?;
    let finished = finish(root, &|_, _| Ok(()))?;
    Ok((writing, finished))
}

impl Writing {
    /// Writes all of the files, or none.
    ///
    /// # Errors
    /// When a file has changed since it was read; when one cannot be written. If the edit is already decided, the message
    /// says so: the next start then completes it.
    pub fn replace(&self, files: &[Replacement], unfinished: &Unfinished) -> Result<()> {
        self.replace_by(files, unfinished, &|_, _| Ok(()))
    }

    /// Like [`Writing::replace`]; calls `steps` before each step.
    ///
    /// # Errors
    /// As [`Writing::replace`].
    fn replace_by(&self, files: &[Replacement], unfinished: &Unfinished, steps: &Steps<'_>) -> Result<()> {
        let root = self.root();
        for file in files {
            may_write(root, &file.name)?;
        }
        let mut staging = Staging::new(unfinished);
        let staged: Vec<Option<WholeFile>> =
            files.iter().map(|file| stage(root, file, &mut staging, steps)).collect::<Result<_>>()?;
        for file in files {
            if content(&root.join(&file.name), &file.name)? != file.before {
                return Err(Error::new(
                    Kind::Io,
                    format!("{} was changed while it was edited: nothing is written", file.name),
                )
                .hint("run the command again"));
            }
        }
        let decided = |error: Error| match journal_of(root).exists() {
            true => error.hint("the edit is decided: kgq finishes it at its next start, once it can write there"),
            false => error,
        };
        decide(root, files, unfinished, steps).map_err(decided)?;
        apply(root, files, staged, steps).map_err(decided)?;
        forget(root, steps).map_err(|error| match journal_of(root).exists() {
            true => decided(error),
            false => {
                error.hint("the files are changed, but the record that the edit is finished may not survive a crash")
            }
        })
    }
}

fn journal_of(root: &Path) -> PathBuf {
    root.join(FOLDER).join(JOURNAL)
}

/// Refuses hidden files, and names that lead out of the folder by `..` or by a link: a journal may come with somebody else's
/// folder.
fn may_write(root: &Path, name: &str) -> Result<()> {
    if is_own(root, Path::new(name)) {
        return Ok(());
    }
    Err(Error::policy(format!("{name} lies outside of the project's folder, or is hidden: it is not edited")))
}

fn is_own(root: &Path, name: &Path) -> bool {
    let plain = name.components().all(|part| match part {
        Component::Normal(part) => !part.to_string_lossy().starts_with('.'),
        _ => false,
    });
    let real = |path: &Path| fs::canonicalize(path).ok();
    let there = root.join(name).ancestors().find_map(real);
    plain && there.zip(real(root)).is_some_and(|(there, root)| there.starts_with(root))
}

/// The name by which [`Writing::replace`] takes a file: relative to the folder. `None` for a file that it refuses: one that is
/// hidden, or lies outside, also by a link.
pub fn name_of(root: &Path, path: &Path) -> Option<String> {
    let [full_root, full] = [root, path].map(|path| std::path::absolute(path).ok());
    let (full_root, full) = (full_root?, full?);
    let name = full.strip_prefix(full_root).ok().filter(|name| is_own(root, name))?;
    name.to_str().map(str::to_owned)
}

/// The content of a file, which errors name so; `None` if there is none.
///
/// # Errors
/// A file that cannot be read.
pub fn content(path: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(name, &error)),
    }
}

fn stage(root: &Path, file: &Replacement, staging: &mut Staging<'_>, steps: &Steps<'_>) -> Result<Option<WholeFile>> {
    let Some(after) = &file.after else { return Ok(None) };
    let path = root.join(&file.name);
    if let Some(folder) = path.parent() {
        make_folder(root, folder, steps).map_err(|error| Error::io(&file.name, &error))?;
    }
    let mut whole = staging.create(&path)?;
    fill(&mut whole, after, steps).map_err(|error| Error::io(&file.name, &error))?;
    Ok(Some(whole))
}

/// Creates a folder inside the locked one, with its parents, so that their names survive a crash.
fn make_folder(root: &Path, folder: &Path, steps: &Steps<'_>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    steps(Step::Write, folder)?;
    fs::create_dir_all(folder)?;
    folder
        .ancestors()
        .skip(1)
        .take_while(|above| above.starts_with(root))
        .try_for_each(|above| sync_folder(above, steps))
}

fn fill(whole: &mut WholeFile, bytes: &[u8], steps: &Steps<'_>) -> io::Result<()> {
    steps(Step::Write, whole.path())?;
    whole.file().write_all(bytes)?;
    steps(Step::Sync, whole.path())?;
    whole.file().sync_all()
}

/// Puts the journal in its place: from then on the edit is decided.
fn decide(root: &Path, files: &[Replacement], unfinished: &Unfinished, steps: &Steps<'_>) -> Result<()> {
    let folder = root.join(FOLDER);
    let name = format!("{FOLDER}/{JOURNAL}");
    let failed = |error: io::Error| Error::io(&name, &error);
    if !folder.is_dir() {
        steps(Step::Write, &folder).map_err(failed)?;
        fs::create_dir(&folder).map_err(failed)?;
        sync_folder(root, steps).map_err(failed)?;
    }
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        steps(Step::Write, &ignore).map_err(failed)?;
        fs::write(&ignore, "*\n").map_err(failed)?;
    }
    let mut whole = WholeFile::create(&folder.join(JOURNAL), unfinished)?;
    fill(&mut whole, &Journal::of(files).bytes(), steps).map_err(failed)?;
    steps(Step::Rename, &folder.join(JOURNAL)).map_err(failed)?;
    whole.finish()?;
    // The journal has its name, so from now on every caller must be told that the edit is decided.
    sync_folder(&folder, steps).map_err(failed)
}

fn apply(root: &Path, files: &[Replacement], staged: Vec<Option<WholeFile>>, steps: &Steps<'_>) -> Result<()> {
    for (file, staged) in files.iter().zip(staged) {
        let path = root.join(&file.name);
        let failed = |error: io::Error| Error::io(&file.name, &error);
        match staged {
            Some(whole) => {
                steps(Step::Rename, &path).map_err(failed)?;
                whole.finish()?;
            }
            None => {
                steps(Step::Remove, &path).map_err(failed)?;
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
            }
        }
        if let Some(folder) = path.parent() {
            sync_folder(folder, steps).map_err(failed)?;
        }
    }
    Ok(())
}

fn forget(root: &Path, steps: &Steps<'_>) -> Result<()> {
    let failed = |error: io::Error| Error::io(format!("{FOLDER}/{JOURNAL}"), &error);
    steps(Step::Remove, &journal_of(root)).map_err(failed)?;
    fs::remove_file(journal_of(root)).map_err(failed)?;
    sync_folder(&root.join(FOLDER), steps).map_err(failed)
}

fn sync_folder(folder: &Path, steps: &Steps<'_>) -> io::Result<()> {
    steps(Step::Sync, folder)?;
    whole_file::sync_folder(folder)
}

/// Completes the edit in the journal, if there is one. The caller must hold the folder.
fn finish(root: &Path, steps: &Steps<'_>) -> Result<Finished> {
    let name = format!("{FOLDER}/{JOURNAL}");
    let Some(bytes) = content(&journal_of(root), &name)? else { return Ok(Finished::new()) };
    let unfinished = |error: Error| {
        error.hint("an earlier edit is decided but not finished: kgq must finish it before it can read the files")
    };
    let journal = Journal::read(&bytes).ok_or_else(|| {
        Error::new(Kind::Io, format!("{name} is damaged"))
            .hint("it is what an edit would still write: look at the files, then remove it")
    })?;
    let mut left = Vec::new();
    for entry in journal.entries {
        may_write(root, &entry.name).map_err(unfinished)?;
        let now = content(&root.join(&entry.name), &entry.name)?;
        if now == entry.after {
            continue;
        }
        if now.as_deref().map(hash) != entry.before {
            return Err(Error::new(Kind::Io, format!("{} was changed after an edit of it was decided", entry.name))
                .hint(format!(
                    "to keep it as it is, remove {name}; to let the edit finish, put back what it was before"
                )));
        }
        left.push(Replacement { name: entry.name, before: now, after: entry.after });
    }
    let known = Unfinished::default();
    let mut staging = Staging::new(&known);
    let staged: Vec<_> =
        left.iter().map(|file| stage(root, file, &mut staging, steps)).collect::<Result<_>>().map_err(unfinished)?;
    apply(root, &left, staged, steps).and_then(|()| forget(root, steps)).map_err(unfinished)?;
    Ok(left.into_iter().map(|file| file.name).collect())
}

fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}
