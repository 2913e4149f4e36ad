//! Writes a site, or another set of files, into a folder, completely or not at all. The new version is built below the old
//! one, with hard links to unchanged files, and replaces it when complete. Files that kgq did not make are not touched; a
//! manifest in the folder lists its own.

mod manifest;
mod paths;
mod replace;
mod staged;

use kgq_snapshot::store::{Unfinished, WholeFile};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::hexadecimal;
use manifest::MANIFEST;
pub use manifest::Maker;
pub use paths::Paths;
use rustc_hash::FxHashSet;
use sha2::{Digest, Sha256};
use staged::{STAGED, Staged};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Counts of what happened to the files of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub written: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// The size of all files, changed or not.
    pub bytes: u64,
}

/// A folder being written. If it is dropped before the end, the folder keeps its former content.
pub struct Folder {
    root: PathBuf,
    maker: Maker,
    /// Whether this run created the folder.
    new: bool,
    /// The files that the last run made.
    before: Paths,
    staged: Option<Staged>,
    /// The files that were announced.
    planned: OnceLock<Arc<Paths>>,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    /// SHA-256 of the announced files that are made, by their places.
    planned: Vec<Option<[u8; 32]>>,
    /// SHA-256 of those that were made before any were announced, by path.
    others: BTreeMap<String, [u8; 32]>,
    /// Folders that are made.
    folders: FxHashSet<PathBuf>,
    changes: Changes,
}

/// Completes what a killed run began in a folder, and refuses a folder that kgq did not make.
///
/// # Errors
/// The folder contains files that kgq did not make, or another run is writing to it.
pub fn resume(root: &Path, maker: Maker) -> Result<()> {
    match fs::symlink_metadata(root) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(root.display(), &e)),
        Ok(_) if !root.is_dir() => return Err(Error::new(Kind::Io, format!("{} is not a folder", root.display()))),
        Ok(_) => {}
    }
    let real = fs::canonicalize(root).map_err(|e| Error::io(root.display(), &e))?;
    replace::dispose_abandoned(&real)?;
    if real.join(STAGED).exists() {
        Staged::take(&real, &Unfinished::default())?;
    }
    manifest::owned(root, maker).map(drop)
}

impl Folder {
    /// Opens a folder that is empty, new, or made by kgq.
    pub fn open(root: &Path, maker: Maker, unfinished: &Unfinished) -> Result<Self> {
        resume(root, maker)?;
        let new = !root.exists();
        fs::create_dir_all(root).map_err(|e| Error::io(root.display(), &e))?;
        let root = fs::canonicalize(root).map_err(|e| Error::io(root.display(), &e))?;
        let before = manifest::owned(&root, maker)?;
        let staged = Some(Staged::take(&root, unfinished)?);
        Ok(Self { root, maker, new, before, staged, planned: OnceLock::new(), files: Mutex::default() })
    }

    /// Announces all files to be made, so that a foreign file in the way is reported before anything is written.
    pub fn plan(&self, paths: &Arc<Paths>) -> Result<()> {
        self.planned.get_or_init(|| Arc::clone(paths));
        // In a new folder nothing is in the way.
        if self.new { Ok(()) } else { paths.iter().try_for_each(|path| self.announce(&path)) }
    }

    /// Announces one file.
    pub fn announce(&self, path: &str) -> Result<()> {
        let mut folder = self.root.clone();
        let parts: Vec<Component<'_>> = Path::new(path).components().collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            folder.push(part);
            let ours = |found: fs::Metadata| found.is_dir() || found.is_file() && self.is_ours(&folder);
            if fs::symlink_metadata(&folder).is_ok_and(|found| !ours(found)) {
                return Err(foreign(&folder));
            }
        }
        let target = self.root.join(path);
        let stays = |found: fs::Metadata| match found.is_dir() {
            true => !self.has_only_ours(&target),
            false => !self.before.has(path) || !found.is_file(),
        };
        if fs::symlink_metadata(&target).is_ok_and(stays) { Err(foreign(&target)) } else { Ok(()) }
    }

    /// Whether a folder holds only files of kgq, so that a file may replace it.
    fn has_only_ours(&self, folder: &Path) -> bool {
        let Ok(entries) = fs::read_dir(folder) else { return false };
        entries.flatten().all(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => self.has_only_ours(&entry.path()),
            Ok(_) => self.is_ours(&entry.path()),
            Err(_) => false,
        })
    }

    fn is_ours(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
        below.is_some_and(|below| self.before.has(below))
    }

    /// Writes a file, or links to the existing one if it has the same bytes.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.place(path)?;
        let failed = |e| Error::io(target.display(), &e);
        let (old, there) = (self.root.join(path), self.there(path));
        let same = |found: &fs::Metadata| {
            found.len() == bytes.len() as u64 && fs::read(&old).is_ok_and(|there| there == bytes)
        };
        let unchanged = there.as_ref().is_some_and(same);
        // If the file system has no hard links, write a copy.
        if !unchanged || fs::hard_link(&old, &target).is_err() {
            let mut file = File::create_new(&target).map_err(failed)?;
            file.write_all(bytes).map_err(failed)?;
            if let Some(there) = there {
                file.set_permissions(there.permissions()).map_err(failed)?;
            }
        }
        self.made(path, Sha256::digest(bytes).into(), bytes.len() as u64, unchanged)
    }

    /// Writes a file piece by piece, without comparing it to the existing one.
    pub fn stream<T>(&self, path: &str, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let target = self.place(path)?;
        let mut out = Hashed::create(&target)?;
        let result = write(&mut out)?;
        let (bytes, hash) = out.finish(&target)?;
        self.made(path, hash, bytes, false)?;
        Ok(result)
    }

    /// Writes a file piece by piece; the one that is there stays if it has the same bytes. Tells how many, and their SHA-256. Where it
    /// cannot be written whole, there is none.
    pub(crate) fn stream_or_keep(
        &self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<(u64, String)> {
        let target = self.place(path)?;
        let failed = |e| Error::io(target.display(), &e);
        let mut out = Hashed::create(&target)?;
        if let Err(error) = write(&mut out) {
            drop(out);
            fs::remove_file(&target).map_err(failed)?;
            return Err(error);
        }
        let (bytes, hash) = out.finish(&target)?;
        let there = self.there(path);
        let old = self.root.join(path);
        let unchanged = there.as_ref().is_some_and(|found| found.len() == bytes) && have_same_bytes(&old, &target);
        if unchanged {
            // Where there are no links, what was just written does.
            let link = target.with_added_extension("kept");
            if fs::hard_link(&old, &link).is_ok() {
                fs::rename(&link, &target).map_err(failed)?;
            }
        } else if let Some(there) = there {
            fs::set_permissions(&target, there.permissions()).map_err(failed)?;
        }
        self.made(path, hash, bytes, unchanged)?;
        Ok((bytes, hexadecimal(&hash)))
    }

    /// Reads a file that was written.
    pub fn read(&self, path: &str) -> Result<File> {
        let target = self.place(path)?;
        File::open(&target).map_err(|e| Error::io(target.display(), &e))
    }

    /// The file of the last run at a path.
    fn there(&self, path: &str) -> Option<fs::Metadata> {
        let found = fs::symlink_metadata(self.root.join(path)).ok()?;
        (found.is_file() && self.before.has(path) && true_folders(&self.root, path)).then_some(found)
    }

    /// Notes a file that was made.
    fn made(&self, path: &str, hash: [u8; 32], bytes: u64, unchanged: bool) -> Result<()> {
        let planned = self.planned.get();
        let place = planned.and_then(|planned| planned.position(path));
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.planned.is_empty() {
            files.planned = vec![None; planned.map_or(0, |planned| planned.len())];
        }
        let former = match place.and_then(|place| files.planned.get_mut(place)) {
            Some(made) => made.replace(hash),
            None => files.others.insert(path.to_owned(), hash),
        };
        if former.is_some() {
            return Err(Error::bug(format!("the folder has two files {path}")));
        }
        files.changes.bytes += bytes;
        *(if unchanged { &mut files.changes.unchanged } else { &mut files.changes.written }) += 1;
        Ok(())
    }

    /// The hashes of the files written so far, in the format of `sha256sum -c`.
    pub fn sums(&self) -> String {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.now(self.planned.get()).map(|(path, hash)| format!("{}  {path}\n", hexadecimal(&hash))).collect()
    }

    /// Replaces the old site by the new one, unless they are equal.
    pub fn finish(self) -> Result<Changes> {
        self.finish_by(replace::replace)
    }

    fn finish_by(mut self, replace: impl Fn(&Path, &Staged, &Paths) -> Result<()>) -> Result<Changes> {
        let Some(staged) = self.staged.take() else { return Err(Error::bug("a site is finished twice")) };
        let files = std::mem::take(self.files.get_mut().unwrap_or_else(PoisonError::into_inner));
        let mut changes = files.changes;
        let planned = self.planned.get();
        let gone = |path: &String| !files.has(planned, path) && self.root.join(path).is_file();
        changes.removed = self.before.iter().filter(gone).count() as u64;
        let list = |out: &mut dyn Write| manifest::write(files.now(planned), self.maker, out);
        let same_list = hash_of(|out| list(out)).ok() == hash_of_file(&self.root.join(MANIFEST)).ok();
        if !same_list || changes.written > 0 {
            let path = staged.path().join(MANIFEST);
            let mut file = WholeFile::create(&path, &Unfinished::default())?;
            let mut out = BufWriter::new(file.file());
            list(&mut out).and_then(|()| out.flush()).map_err(|e| Error::io(path.display(), &e))?;
            drop(out);
            file.finish()?;
            replace::sync_all(staged.path()).map_err(|e| Error::io(staged.path().display(), &e))?;
            replace(&self.root, &staged, &self.before)?;
        }
        self.new = false;
        Ok(changes)
    }

    /// The location of a path in the new site; creates its folders.
    fn place(&self, path: &str) -> Result<PathBuf> {
        let staged = self.staged.as_ref().filter(|_| is_below(path));
        let staged =
            staged.ok_or_else(|| Error::bug(format!("{path} would be written outside of the site's folder")))?;
        let target = staged.path().join(path);
        if let Some(folder) = target.parent() {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            if !files.folders.contains(folder) {
                fs::create_dir_all(folder).map_err(|e| Error::io(folder.display(), &e))?;
                files.folders.insert(folder.to_owned());
            }
        }
        Ok(target)
    }
}

impl Files {
    /// The files that were made, by path, with their SHA-256.
    fn now<'f>(&'f self, planned: Option<&'f Arc<Paths>>) -> impl Iterator<Item = (String, [u8; 32])> + 'f {
        let paths = planned.into_iter().flat_map(|planned| planned.iter());
        let mut planned = paths.zip(&self.planned).filter_map(|(path, hash)| Some((path, (*hash)?))).peekable();
        let mut others = self.others.iter().map(|(path, hash)| (path.clone(), *hash)).peekable();
        std::iter::from_fn(move || match (planned.peek(), others.peek()) {
            (Some((path, _)), Some((other, _))) if other < path => others.next(),
            (Some(_), _) => planned.next(),
            (None, _) => others.next(),
        })
    }

    fn has(&self, planned: Option<&Arc<Paths>>, path: &str) -> bool {
        let place = planned.and_then(|planned| planned.position(path));
        self.others.contains_key(path)
            || place.is_some_and(|place| self.planned.get(place).is_some_and(Option::is_some))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.staged = None;
        if self.new {
            let _ = fs::remove_dir(&self.root);
        }
    }
}

/// Whether two files that are equally long are the same; not where one cannot be read.
fn have_same_bytes(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (File::open(one), File::open(other)) else { return false };
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (Ok(left), Ok(right)) = (one.fill_buf(), other.fill_buf()) else { return false };
        let common = left.len().min(right.len());
        if common == 0 || left[..common] != right[..common] {
            return left.is_empty() && right.is_empty();
        }
        one.consume(common);
        other.consume(common);
    }
}

/// Whether the folders on the way to a path are true ones, or not there; a symbolic link is neither.
fn true_folders(root: &Path, path: &str) -> bool {
    let mut folders: Vec<&Path> = Path::new(path).ancestors().skip(1).filter(|f| !f.as_os_str().is_empty()).collect();
    folders.reverse();
    folders.into_iter().all(|folder| fs::symlink_metadata(root.join(folder)).map_or(true, |found| found.is_dir()))
}

/// Checks before writing that the paths can exist side by side, also on a file system that ignores case: no two differ in case alone, and
/// none is a folder of another.
pub fn check(paths: &Paths) -> Result<()> {
    // Half of a SHA-256 stands for a path: millions of paths would take much room.
    let hash = |path: &str| -> [u8; 16] {
        let whole: [u8; 32] = Sha256::digest(path.to_lowercase().as_bytes()).into();
        std::array::from_fn(|byte| whole[byte])
    };
    let mut files: FxHashSet<[u8; 16]> = FxHashSet::default();
    for path in paths.iter() {
        if !is_below(&path) {
            return Err(Error::bug(format!("{path} would be written outside of the site's folder")));
        }
        if !files.insert(hash(&path)) {
            return Err(Error::bug(format!("the site has two files {path}")));
        }
    }
    let mut before = String::new();
    for path in paths.iter() {
        // Neighbours mostly are in the same folder.
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if own == before {
            continue;
        }
        let mut folder = path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if files.contains(&hash(parent)) {
                return Err(Error::bug(format!("the site has a file {parent} and one below it, {path}")));
            }
            folder = parent;
        }
        before = own.to_owned();
    }
    Ok(())
}

fn is_below(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn foreign(path: &Path) -> Error {
    Error::new(Kind::Policy, format!("{} was not made by kgq, and is left as it is", path.display()))
        .hint("move it away, or name another folder")
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The SHA-256 of what is written.
fn hash_of(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<[u8; 32]> {
    let mut hashed = Hashed { file: io::sink(), hash: Sha256::new(), bytes: 0 };
    write(&mut hashed)?;
    Ok(hashed.hash.finalize().into())
}

fn hash_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    hash_of(|out| io::copy(&mut file, out).map(drop))
}

/// A file with the hash of what is written to it.
struct Hashed<W> {
    file: W,
    hash: Sha256,
    bytes: u64,
}

impl Hashed<BufWriter<File>> {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).map_err(|e| Error::io(path.display(), &e))?;
        Ok(Self { file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 })
    }

    /// How many bytes were written, and their hash.
    fn finish(mut self, path: &Path) -> Result<(u64, [u8; 32])> {
        self.flush().map_err(|e| Error::io(path.display(), &e))?;
        Ok((self.bytes, self.hash.finalize().into()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
