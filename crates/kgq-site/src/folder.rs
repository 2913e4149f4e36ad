//! The folder that a site is written to: only what changed is written, what is gone is removed, and nothing is touched that kgq did
//! not make. A manifest in the folder tells what is its own.

use kgq_syntax::error::{Error, Kind, Result};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file that lists what kgq made in a folder.
pub const MANIFEST: &str = ".kgq-site.json";

/// What became of the files of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub written: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// Bytes of all files, changed or not.
    pub bytes: u64,
}

/// A folder being written.
pub struct Folder {
    root: PathBuf,
    /// The files that the last run made.
    before: FxHashSet<String>,
    /// Folders below the root that are known to be true folders.
    known: Mutex<FxHashSet<PathBuf>>,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    /// SHA-256 by path.
    now: BTreeMap<String, String>,
    changes: Changes,
}

impl Folder {
    /// Takes a folder that is empty, or not there yet, or made by kgq.
    pub fn open(root: &Path) -> Result<Self> {
        let before = match fs::symlink_metadata(root) {
            Err(e) if e.kind() == ErrorKind::NotFound => FxHashSet::default(),
            Err(e) => return Err(Error::io(root.display(), &e)),
            Ok(_) if !root.is_dir() => {
                return Err(Error::new(Kind::Io, format!("{} is not a folder", root.display())));
            }
            Ok(_) => owned(root)?,
        };
        fs::create_dir_all(root).map_err(|e| Error::io(root.display(), &e))?;
        let root = fs::canonicalize(root).map_err(|e| Error::io(root.display(), &e))?;
        let known = Mutex::new(FxHashSet::from_iter([root.clone()]));
        Ok(Self { root, before, known, files: Mutex::default() })
    }

    /// Says which files are to be made, before the first is written, so that a run that is broken off leaves none that is nobody's.
    /// One that is there and is not ours is told before anything is written.
    pub fn announce(&self, paths: &[String]) -> Result<()> {
        for path in paths.iter().filter(|path| !self.before.contains(*path)) {
            let target = self.root.join(path);
            if fs::symlink_metadata(&target).is_ok() {
                return Err(foreign(&target));
            }
        }
        let mut all: BTreeMap<String, String> = self.before.iter().map(|path| (path.clone(), String::new())).collect();
        all.extend(paths.iter().map(|path| (path.clone(), String::new())));
        self.write_manifest(&all)
    }

    /// Writes a file, unless it is there with these bytes.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.place(path)?;
        let unchanged = match fs::symlink_metadata(&target) {
            Ok(found) if !found.is_file() => {
                return Err(Error::new(Kind::Io, format!("{} is there and is no file", target.display())));
            }
            Ok(found) => {
                if !self.before.contains(path) {
                    return Err(foreign(&target));
                }
                found.len() == bytes.len() as u64 && fs::read(&target).is_ok_and(|there| there == bytes)
            }
            Err(_) => false,
        };
        if !unchanged {
            fs::write(&target, bytes).map_err(|e| Error::io(target.display(), &e))?;
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.now.insert(path.to_owned(), hex(bytes)).is_some() {
            return Err(Error::bug(format!("the site has two files {path}")));
        }
        files.changes.bytes += bytes.len() as u64;
        *(if unchanged { &mut files.changes.unchanged } else { &mut files.changes.written }) += 1;
        Ok(())
    }

    /// Removes what earlier runs made and this one did not, and lists what there is now.
    pub fn finish(self) -> Result<Changes> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = files.changes;
        let mut gone: Vec<&String> = self.before.iter().filter(|path| !files.now.contains_key(*path)).collect();
        gone.sort_unstable();
        for path in gone {
            let target = self.root.join(path);
            match fs::symlink_metadata(&target) {
                Ok(found) if found.is_file() && self.place(path).is_ok() => {
                    fs::remove_file(&target).map_err(|e| Error::io(target.display(), &e))?;
                    changes.removed += 1;
                }
                _ => {}
            }
            // A folder that is empty now was made for what is gone; one that is not refuses.
            let mut folder = target.parent();
            while let Some(parent) = folder.filter(|f| **f != *self.root && f.starts_with(&self.root)) {
                if fs::remove_dir(parent).is_err() {
                    break;
                }
                folder = parent.parent();
            }
        }
        self.write_manifest(&files.now)?;
        Ok(changes)
    }

    /// The place of a path below the root, with its folders made; never through a symbolic link.
    fn place(&self, path: &str) -> Result<PathBuf> {
        if !is_below(path) {
            return Err(Error::bug(format!("{path} would be written outside of the site's folder")));
        }
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(folder) {
            return Ok(target);
        }
        let below = folder.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let mut folder = self.root.clone();
        for part in below.components() {
            folder.push(part);
            if known.contains(&folder) {
                continue;
            }
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(foreign(&folder)),
                Err(_) => fs::create_dir(&folder).map_err(|e| Error::io(folder.display(), &e))?,
            }
            known.insert(folder.clone());
        }
        Ok(target)
    }

    fn write_manifest(&self, files: &BTreeMap<String, String>) -> Result<()> {
        let files: Map<String, Value> = files.iter().map(|(path, hash)| (path.clone(), json!(hash))).collect();
        let mut text = serde_json::to_string_pretty(&json!({"made-by": "kgq publish", "files": files}))
            .map_err(|e| Error::bug(format!("the manifest cannot be written: {e}")))?;
        text.push('\n');
        let path = self.root.join(MANIFEST);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        fs::write(&path, text).map_err(|e| Error::io(path.display(), &e))
    }
}

/// The files that a folder's manifest lists. A folder that has things in it and no manifest is not ours.
fn owned(root: &Path) -> Result<FxHashSet<String>> {
    let path = root.join(MANIFEST);
    let refuse = |why: &str| {
        Error::new(Kind::Policy, format!("{} {why}, so nothing in it is touched", root.display()))
            .hint("name an empty folder, or one that does not exist yet")
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let mut entries = fs::read_dir(root).map_err(|e| Error::io(root.display(), &e))?;
            return match entries.next() {
                None => Ok(FxHashSet::default()),
                Some(_) => Err(refuse("was not made by `kgq publish`")),
            };
        }
        Err(e) => return Err(Error::io(path.display(), &e)),
    };
    let manifest: Option<Value> = serde_json::from_slice(&text).ok();
    let ours = manifest.as_ref().filter(|m| m.get("made-by").and_then(Value::as_str) == Some("kgq publish"));
    let files = ours.and_then(|m| m.get("files")?.as_object());
    let files = files.ok_or_else(|| refuse(&format!("has a {MANIFEST} that cannot be read")))?;
    if files.keys().any(|path| !is_below(path)) {
        return Err(refuse(&format!("has a {MANIFEST} with paths that lead out of it")));
    }
    Ok(files.keys().cloned().collect())
}

/// That these paths can stand beside each other, also where case does not count: none twice, and none a folder of another. It is asked
/// before anything is written.
pub fn check(paths: &[String]) -> Result<()> {
    let mut files: FxHashSet<String> = FxHashSet::default();
    for path in paths {
        if !is_below(path) {
            return Err(Error::bug(format!("{path} would be written outside of the site's folder")));
        }
        if !files.insert(path.to_lowercase()) {
            return Err(Error::bug(format!("the site has two files {path}")));
        }
    }
    for path in &files {
        let mut folder = path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if files.contains(parent) {
                return Err(Error::bug(format!("the site has a file {parent} and one below it, {path}")));
            }
            folder = parent;
        }
    }
    Ok(())
}

fn is_below(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn foreign(path: &Path) -> Error {
    Error::new(Kind::Policy, format!("{} was not made by `kgq publish`, and is left as it is", path.display()))
        .hint("move it away, or publish to another folder")
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(root: &Path, files: &[(&str, &str)]) -> Result<Changes> {
        let folder = Folder::open(root)?;
        folder.announce(&files.iter().map(|(path, _)| (*path).to_owned()).collect::<Vec<_>>())?;
        for (path, text) in files {
            folder.write(path, text.as_bytes())?;
        }
        folder.finish()
    }

    #[test]
    fn a_second_run_writes_what_changed_and_removes_what_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("site");
        publish(&root, &[("a.html", "1"), ("deep/b.html", "2"), ("c.html", "3")]).unwrap();
        let changes = publish(&root, &[("a.html", "1"), ("c.html", "4")]).unwrap();
        assert_eq!((changes.written, changes.unchanged, changes.removed), (1, 1, 1));
        assert!(!root.join("deep").exists());
    }

    #[test]
    fn what_kgq_did_not_make_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("precious"), "x").unwrap();
        assert_eq!(publish(dir.path(), &[("a", "1")]).unwrap_err().kind(), Kind::Policy);
        let root = dir.path().join("site");
        publish(&root, &[("a", "1")]).unwrap();
        fs::write(root.join("b"), "mine").unwrap();
        assert_eq!(publish(&root, &[("a", "1"), ("b", "2")]).unwrap_err().kind(), Kind::Policy);
        assert_eq!(fs::read(root.join("b")).unwrap(), b"mine");
    }

    #[test]
    fn paths_that_cannot_stand_beside_each_other_are_refused_before_anything_is_written() {
        let check = |paths: &[&str]| check(&paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()).is_ok();
        assert!(check(&["a", "b/a", "b/c"]));
        assert!(!check(&["data.html", "Data.html"]));
        assert!(!check(&["a", "A/b/c"]));
        assert!(!check(&["../a"]));
    }

    #[test]
    fn a_manifest_cannot_lead_out_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("site");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("victim"), "x").unwrap();
        fs::write(root.join(MANIFEST), r#"{"made-by": "kgq publish", "files": {"../victim": ""}}"#).unwrap();
        assert_eq!(publish(&root, &[("a", "1")]).unwrap_err().kind(), Kind::Policy);
        assert!(dir.path().join("victim").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_inside_the_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (root, other) = (dir.path().join("site"), dir.path().join("other"));
        fs::create_dir(&other).unwrap();
        publish(&root, &[("a", "1")]).unwrap();
        std::os::unix::fs::symlink(&other, root.join("deep")).unwrap();
        assert_eq!(publish(&root, &[("a", "1"), ("deep/b", "2")]).unwrap_err().kind(), Kind::Policy);
        assert!(fs::read_dir(&other).unwrap().next().is_none());
    }
}
