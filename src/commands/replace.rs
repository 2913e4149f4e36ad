//! Replaces files of a project that are no edit of its graph: formatted ones, expected answers, a baseline, a saved query. All of
//! them or none, under the project's lock, and none if one of them is not any more what it was when it was read.

use super::output::{Output, write_file};
use kgq_snapshot::store::together::{self, Replacement, Writing};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::visible;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A file that gets new content.
pub struct Replaced {
    pub path: PathBuf,
    /// Its content when it was read; `None` if there was no file.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
}

impl Replaced {
    /// A file as it is now, with what it is to hold. The caller holds the lock.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn now(path: PathBuf, after: Vec<u8>) -> Result<Self> {
        Ok(Self { before: content(&path)?, path, after })
    }
}

/// Keeps everyone else away from a folder. Waits for those who read or write there.
///
/// # Errors
/// A folder that cannot be locked; an earlier edit that cannot be finished.
pub fn lock(root: &Path, output: &mut Output) -> Result<Writing> {
    let waiting = std::cell::RefCell::new(None);
    let (writing, finished) = together::write(root, &|who| *waiting.borrow_mut() = Some(who.to_owned()))?;
    if let Some(who) = waiting.into_inner() {
        output.note(&format!("waited for {} to finish with the project", visible(&who)));
    }
    super::tell_finished(&finished, output);
    Ok(writing)
}

/// Locks a folder as [`lock`] does, for a caller that must not wait for long.
///
/// # Errors
/// As [`lock`]; that others still read or write there when this time is over.
pub fn lock_within(root: &Path, patience: Duration) -> Result<Writing> {
    let end = Instant::now() + patience;
    loop {
        if let Some((writing, _)) = together::write_at_once(root)? {
            return Ok(writing);
        }
        if Instant::now() >= end {
            return Err(Error::new(
                Kind::Io,
                "another process reads or writes the files of the project: nothing is written",
            )
            .hint("try again when it is done"));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Replaces the files: those of the locked project as one, each other one (a file that was named, or that a trusted project names)
/// by itself. If one of them has changed since it was read, none is written.
///
/// # Errors
/// A file that has changed since it was read, or cannot be written.
pub fn replace(project: Option<&Writing>, files: Vec<Replaced>) -> Result<()> {
    files.iter().try_for_each(unchanged)?;
    // One file is whole by itself, and needs no journal.
    if let [file] = files.as_slice() {
        return alone(file);
    }
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for file in files {
        match project.and_then(|writing| name_below(writing.root(), &file.path)) {
            Some(name) => own.push(Replacement { name, before: file.before, after: Some(file.after) }),
            None => others.push(file),
        }
    }
    if let Some(writing) = project.filter(|_| !own.is_empty()) {
        writing.replace(&own, super::unfinished())?;
    }
    others.iter().try_for_each(alone)
}

fn unchanged(file: &Replaced) -> Result<()> {
    if content(&file.path)? == file.before {
        return Ok(());
    }
    let name = file.path.display();
    Err(Error::new(Kind::Io, format!("{name} was changed while it was worked on: it is not written"))
        .hint("run the command again"))
}

fn alone(file: &Replaced) -> Result<()> {
    let name = file.path.to_string_lossy();
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder.display(), &e))?;
    }
    write_file(&file.path, |out| out.write_all(&file.after).map_err(|e| Error::io(&name, &e)))
}

fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path.display(), &error)),
    }
}

/// The name of a file in the folder, relative to it. `None` if the file lies outside, also by a link, or is hidden: files that
/// are written as one are named in a journal, which may name no other.
fn name_below(root: &Path, path: &Path) -> Option<String> {
    let (full_root, full) = (std::path::absolute(root).ok()?, std::path::absolute(path).ok()?);
    let name = full.strip_prefix(&full_root).ok()?;
    let is_plain = |part: Component<'_>| match part {
        Component::Normal(part) => !part.to_string_lossy().starts_with('.'),
        _ => false,
    };
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let is_inside = full.ancestors().find_map(real)?.starts_with(real(root)?);
    (is_inside && name.components().all(is_plain)).then(|| name.to_str().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_replaced_all_or_none_and_only_if_nobody_changed_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (writing, _) = together::write(folder.path(), &|_| ()).unwrap();
        let both = || {
            vec![
                Replaced { path: path("a"), before: Some(b"1".to_vec()), after: b"2".to_vec() },
                Replaced { path: path("new/b"), before: None, after: b"2".to_vec() },
            ]
        };
        fs::write(path("a"), "changed").unwrap();
        assert!(replace(Some(&writing), both()).is_err());
        assert!(replace(None, both()).is_err());
        assert_eq!((fs::read(path("a")).unwrap(), path("new/b").exists()), (b"changed".to_vec(), false));

        fs::write(path("a"), "1").unwrap();
        replace(Some(&writing), both()).unwrap();
        assert_eq!((fs::read(path("a")).unwrap(), fs::read(path("new/b")).unwrap()), (b"2".to_vec(), b"2".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_outside_of_the_folder_or_behind_a_link_is_replaced_by_itself() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("a"), "1").unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("link")).unwrap();
        assert_eq!(name_below(folder.path(), &folder.path().join("link/a")), None);
        assert_eq!(name_below(folder.path(), &folder.path().join(".hidden/a")), None);
        assert_eq!(name_below(folder.path(), &other.path().join("a")), None);
        assert_eq!(name_below(folder.path(), &folder.path().join("x/y")), Some("x/y".to_owned()));
        let (writing, _) = together::write(folder.path(), &|_| ()).unwrap();
        let file = Replaced::now(folder.path().join("link/a"), b"2".to_vec()).unwrap();
        replace(Some(&writing), vec![file]).unwrap();
        assert_eq!(fs::read(other.path().join("a")).unwrap(), b"2");
    }
}
