//! Replaces files that are no edit of the graph: formatted ones, expected answers, a baseline, a saved query. All of them or none,
//! under the project's lock, and none if one of them is not any more what it was when it was read.

use kgq_snapshot::store::together::{self, Replacement, Writing};
use kgq_snapshot::store::{Staging, Unfinished, WholeFile};
use kgq_syntax::budget::{Budget, Exceeded};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::visible;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that gets new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// As the user would write it.
    pub name: String,
    pub path: PathBuf,
    /// Its content when it was read; `None` if there was no file.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
}

/// Locks a folder as [`together::write`] does, for a caller that must not wait for long.
///
/// # Errors
/// A folder that cannot be locked; an earlier edit that cannot be finished; that others still read or write there when the budget
/// is used up.
pub fn lock_within(root: &Path, budget: &Budget) -> Result<Writing> {
    match together::write_within(root, budget) {
        Ok((writing, _)) => Ok(writing),
        Err(error) if matches!(error.limit_passed(), Some(Exceeded::Time(_))) => {
            Err(Error::new(Kind::Io, "another process reads or writes the files of the project: nothing is written")
                .hint("try again when it is done"))
        }
        Err(error) => Err(error),
    }
}

/// Replaces the files, those of the locked project by its journal. If one of them has changed since it was read, or cannot be
/// written beside its place, none is replaced. Only a crash, or a failure to rename, can part files outside of the project (ones
/// that were named, or that a trusted project names).
///
/// # Errors
/// A file that has changed since it was read, or cannot be written.
pub fn replace(project: Option<&Writing>, files: Vec<Replaced>, unfinished: &Unfinished) -> Result<()> {
    files.iter().try_for_each(unchanged)?;
    let (mut own, mut others) = (Vec::new(), Vec::new());
    // One file is whole by itself, and needs no journal.
    let is_one = files.len() == 1;
    for file in files {
        match project.filter(|_| !is_one).and_then(|writing| together::name_of(writing.root(), &file.path)) {
            Some(name) => own.push(Replacement { name, before: file.before, after: Some(file.after) }),
            None => others.push(file),
        }
    }
    let mut staging = Staging::new(unfinished);
    let staged: Vec<WholeFile> = others.iter().map(|file| stage(file, &mut staging)).collect::<Result<_>>()?;
    others.iter().try_for_each(unchanged)?;
    if let Some(writing) = project.filter(|_| !own.is_empty()) {
        writing.replace(&own, unfinished)?;
    }
    staged.into_iter().try_for_each(WholeFile::finish)
}

fn unchanged(file: &Replaced) -> Result<()> {
    if together::content(&file.path, &file.name)? == file.before {
        return Ok(());
    }
    let name = visible(&file.name);
    Err(Error::new(Kind::Io, format!("{name} was changed while it was worked on: it is not written"))
        .hint("run the command again"))
}

/// Writes the new content beside the file.
fn stage(file: &Replaced, staging: &mut Staging<'_>) -> Result<WholeFile> {
    if file.path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::usage(format!("{} is no file that could be replaced", visible(&file.name))));
    }
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder.display(), &e))?;
    }
    let mut whole = staging.create(&file.path)?;
    whole.file().write_all(&file.after).map_err(|e| Error::io(&file.name, &e))?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn replaced(path: PathBuf, before: Option<&str>, after: &str) -> Replaced {
        let name = path.display().to_string();
        Replaced { name, path, before: before.map(|text| text.as_bytes().to_vec()), after: after.as_bytes().to_vec() }
    }

    #[test]
    fn files_are_replaced_all_or_none_and_only_if_nobody_changed_them() {
        let (folder, unfinished) = (tempfile::tempdir().unwrap(), Unfinished::default());
        let path = |name: &str| folder.path().join(name);
        let (writing, _) = together::write(folder.path(), &|_| ()).unwrap();
        let both = || vec![replaced(path("a"), Some("1"), "2"), replaced(path("new/b"), None, "2")];
        fs::write(path("a"), "changed").unwrap();
        assert!(replace(Some(&writing), both(), &unfinished).is_err());
        assert!(replace(None, both(), &unfinished).is_err());
        assert_eq!((fs::read(path("a")).unwrap(), path("new/b").exists()), (b"changed".to_vec(), false));

        fs::write(path("a"), "1").unwrap();
        replace(Some(&writing), both(), &unfinished).unwrap();
        assert_eq!((fs::read(path("a")).unwrap(), fs::read(path("new/b")).unwrap()), (b"2".to_vec(), b"2".to_vec()));
    }

    #[test]
    fn without_a_project_too_no_file_is_replaced_where_one_cannot_be_written() {
        let (folder, unfinished) = (tempfile::tempdir().unwrap(), Unfinished::default());
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "1").unwrap();
        // The file beside a name as long as the system takes would have a longer one.
        let long = "b".repeat(250);
        let files = |second: &str| vec![replaced(path("a"), Some("1"), "2"), replaced(path(second), None, "2")];
        assert!(replace(None, files(&long), &unfinished).is_err());
        assert_eq!(fs::read(path("a")).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "what was written beside its place is left");

        replace(None, files("b"), &unfinished).unwrap();
        assert_eq!((fs::read(path("a")).unwrap(), fs::read(path("b")).unwrap()), (b"2".to_vec(), b"2".to_vec()));
    }

    #[test]
    fn who_waits_for_a_project_waits_no_longer_than_the_budget_allows() {
        use kgq_syntax::budget::Limits;
        use std::time::Duration;
        let folder = tempfile::tempdir().unwrap();
        let (writing, _) = together::write(folder.path(), &|_| ()).unwrap();
        let over = Budget::new(Limits { time: Some(Duration::ZERO), ..Limits::default() });
        let error = lock_within(folder.path(), &over).unwrap_err();
        assert_eq!((error.kind(), error.message().contains("another process")), (Kind::Io, true));
        let cancelled = Budget::default();
        cancelled.cancel();
        assert_eq!(lock_within(folder.path(), &cancelled).unwrap_err().kind(), Kind::Interrupted);
        drop(writing);
        lock_within(folder.path(), &over).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_outside_of_the_folder_or_behind_a_link_is_replaced_by_itself() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("a"), "1").unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("link")).unwrap();
        assert_eq!(together::name_of(folder.path(), &folder.path().join("link/a")), None);
        assert_eq!(together::name_of(folder.path(), &folder.path().join(".hidden/a")), None);
        assert_eq!(together::name_of(folder.path(), &other.path().join("a")), None);
        assert_eq!(together::name_of(folder.path(), &folder.path().join("x/y")), Some("x/y".to_owned()));
        let (writing, _) = together::write(folder.path(), &|_| ()).unwrap();
        let file = replaced(folder.path().join("link/a"), Some("1"), "2");
        replace(Some(&writing), vec![file], &Unfinished::default()).unwrap();
        assert_eq!(fs::read(other.path().join("a")).unwrap(), b"2");
    }
}
