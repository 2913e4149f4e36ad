//! Snapshots of large projects and files, kept in a folder of the user's, so that unchanged documents open at once.
//!
//! Each entry has two files: the snapshot, and a record of its documents. Their names contain the format's version, so that
//! two installed versions of the program each keep their own. The caller chooses the folder.

use super::{BuildOptions, ContentKey, Snapshot, content_key_of, digest_of_file};
use crate::store::{Content, Input, WholeFile, remove_abandoned};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::hexadecimal;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A folder with snapshots.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A snapshot in the cache.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    pub snapshot: PathBuf,
    /// The documents from which it was built.
    pub sources: Vec<PathBuf>,
    /// The snapshot's size in bytes.
    pub size: u64,
    /// Whether this program can read it; if not, another version made it.
    pub is_readable: bool,
}

/// What is recorded about the documents of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The snapshot's content key in hexadecimal.
    key: String,
    /// When the documents were looked at, in nanoseconds since 1970.
    taken: u64,
    sources: Vec<SourceRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SourceRecord {
    path: PathBuf,
    stamp: Stamp,
    /// SHA-256, in hexadecimal.
    digest: String,
}

/// The properties of a file that normally change when it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    /// In nanoseconds since 1970.
    modified: u64,
    inode: u64,
}

/// A file written this shortly before it was looked at may change again without a new modification time.
const UNSURE: Duration = Duration::from_secs(2);

/// Snapshots of other versions are removed if they were not used for this long: those versions may no longer be installed.
const OUTDATED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Cache {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The snapshot of these documents: the kept one if it is still valid, else a new one, which is then kept. If a new one
    /// cannot be kept, that is not an error: it is built in memory.
    ///
    /// # Errors
    /// Those of building it.
    pub fn snapshot(&self, inputs: &[Input], options: &BuildOptions<'_>) -> Result<Snapshot> {
        self.snapshot_with_news(inputs, options).map(|(snapshot, _)| snapshot)
    }

    /// Like [`Cache::snapshot`]; also returns whether the snapshot was just made and kept.
    ///
    /// # Errors
    /// Those of building it.
    pub fn snapshot_with_news(&self, inputs: &[Input], options: &BuildOptions<'_>) -> Result<(Snapshot, bool)> {
        let in_memory = || Snapshot::load(inputs, options).map(|(snapshot, _)| (snapshot, false));
        let Some(sources) = stamps(inputs).filter(|_| self.distrust().is_none()) else { return in_memory() };
        let (snapshot_path, record_path) = self.paths(inputs, options);
        if let Some(record) = read_record(&record_path)
            && let Some(snapshot) = still_theirs(&record, &sources, inputs, options, &snapshot_path, &record_path)
        {
            // The most recently used entries stay longest; where the use cannot be recorded, the most recently made ones do.
            let _ = fs::File::options().write(true).open(&record_path).and_then(|f| f.set_modified(SystemTime::now()));
            return Ok((snapshot, false));
        }
        let taken = now();
        if make_folder(&self.folder).is_err() {
            return in_memory();
        }
        let whole = WholeFile::private(&snapshot_path, &options.unfinished);
        let built = whole.and_then(|whole| Snapshot::build_to(inputs, options, whole));
        let summary = match built {
            Ok(summary) => summary,
            // Trouble with the folder, such as a full disk, is not the documents' fault.
            Err(error) if error.kind() == kgq_syntax::error::Kind::Io => return in_memory(),
            Err(error) => return Err(error),
        };
        let digests = summary.digests.iter().map(|digest| hexadecimal(digest));
        let sources = sources.into_iter().zip(digests);
        let sources = sources.map(|((path, stamp), digest)| SourceRecord { path, stamp, digest }).collect();
        write_record(&record_path, &Record { key: summary.key.to_string(), taken, sources });
        self.prune(&snapshot_path, LARGEST);
        Ok((open(&snapshot_path)?, true))
    }

    /// Why the folder's content cannot be trusted, in words that follow the folder's name; `None` if it can, or if there is
    /// no folder.
    pub fn distrust(&self) -> Option<&'static str> {
        let metadata = fs::symlink_metadata(&self.folder).ok()?;
        if metadata.is_symlink() {
            return Some("is a symbolic link");
        }
        if !metadata.is_dir() {
            return Some("is no folder");
        }
        own::distrust(&metadata)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the snapshots of documents that no longer exist, and those of other versions that nobody used for a month;
    /// then the least recently used ones, until at most `most` bytes are kept.
    ///
    /// The snapshot `stays` is kept whatever its size. Nothing is reported: what cannot be removed is tried again next time.
    fn prune(&self, stays: &Path, most: u64) {
        let Ok(entries) = self.entries() else { return };
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        let used = |entry: &CacheEntry| {
            let record = fs::metadata(entry.snapshot.with_extension(RECORD));
            record.and_then(|m| m.modified()).unwrap_or(UNIX_EPOCH)
        };
        let mut removable: Vec<(bool, SystemTime, CacheEntry)> = entries
            .into_iter()
            .filter(|entry| entry.snapshot != stays)
            .map(|entry| {
                let last = used(&entry);
                let idle = SystemTime::now().duration_since(last).unwrap_or_default();
                let is_there = entry.sources.iter().all(|source| source.exists());
                (is_there && (entry.is_readable || idle < OUTDATED), last, entry)
            })
            .collect();
        removable.sort_by_key(|(current, used, _)| (*current, *used));
        for (current, _, entry) in removable {
            if (!current || total > most) && fs::remove_file(&entry.snapshot).is_ok() {
                let _ = fs::remove_file(entry.snapshot.with_extension(RECORD));
                total -= entry.size;
            }
        }
    }

    /// The kept snapshots, in the order of their file names.
    ///
    /// # Errors
    /// When the folder cannot be read. If there is no folder, nothing is kept.
    pub fn entries(&self) -> Result<Vec<CacheEntry>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(self.folder.display(), &error)),
        };
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .filter(is_file)
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e == SNAPSHOT))
            .collect();
        paths.sort();
        let entry = |snapshot: PathBuf| {
            let record = read_record(&snapshot.with_extension(RECORD));
            let sources = record.map(|r| r.sources.into_iter().map(|s| s.path).collect()).unwrap_or_default();
            let size = fs::metadata(&snapshot).map_or(0, |m| m.len());
            let is_readable =
                snapshot.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(&version_of_format()));
            CacheEntry { snapshot, sources, size, is_readable }
        };
        Ok(paths.into_iter().map(entry).collect())
    }

    /// Removes everything that is kept, and what killed processes left behind; returns what was kept.
    ///
    /// # Errors
    /// When a file cannot be removed, or the folder is not the user's own.
    pub fn clear(&self) -> Result<Vec<CacheEntry>> {
        if let Some(reason) = self.distrust() {
            return Err(Error::policy(format!("{} {reason}: nothing there is removed", self.folder.display())));
        }
        let entries = self.entries()?;
        for entry in &entries {
            fs::remove_file(&entry.snapshot).map_err(|e| Error::io(entry.snapshot.display(), &e))?;
            // A record without its snapshot is harmless.
            let _ = fs::remove_file(entry.snapshot.with_extension(RECORD));
        }
        remove_abandoned(&self.folder);
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            // If this is the record that another process is just writing, that process builds again the next time.
            if file.file_name().to_string_lossy().starts_with(UNFINISHED_RECORD) {
                let _ = fs::remove_file(file.path());
            }
        }
        Ok(entries)
    }

    /// The paths of the snapshot and the record of these documents. They depend on the documents' paths and on how they are
    /// read, not on their content.
    fn paths(&self, inputs: &[Input], options: &BuildOptions<'_>) -> (PathBuf, PathBuf) {
        let names: Vec<[u8; 32]> = inputs
            .iter()
            .map(|input| {
                let path = match &input.content {
                    Content::File(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
                    Content::Bytes(_) => PathBuf::new(),
                };
                *ContentKey::of([path.as_os_str().as_encoded_bytes()]).bytes()
            })
            .collect();
        let name = content_key_of(inputs, &names, options).to_string();
        let snapshot = self.folder.join(format!("{}{}.{SNAPSHOT}", &name[..32], version_of_format()));
        let record = snapshot.with_extension(RECORD);
        (snapshot, record)
    }
}

impl CacheEntry {
    /// Checks every byte of the snapshot.
    ///
    /// # Errors
    /// The damage, or that the snapshot has another version.
    pub fn verify(&self) -> Result<()> {
        open(&self.snapshot)?.verify()
    }
}

/// What the names of snapshots end with, before the extension.
fn version_of_format() -> String {
    format!(".v{}", super::format_version())
}

/// The bytes that all snapshots together may take before the least recently used ones are removed.
const LARGEST: u64 = 16 << 30;
const SNAPSHOT: &str = "kgq";
const RECORD: &str = "json";
const UNFINISHED_RECORD: &str = ".record-";

/// The kept snapshot, if its documents are unchanged, or were touched but have the same content.
fn still_theirs(
    record: &Record,
    sources: &[(PathBuf, Stamp)],
    inputs: &[Input],
    options: &BuildOptions<'_>,
    snapshot_path: &Path,
    record_path: &Path,
) -> Option<Snapshot> {
    let snapshot = open(snapshot_path).ok()?;
    let lacks_origins = options.origins && !snapshot.has_origins();
    if snapshot.content_key().to_string() != record.key || record.sources.len() != sources.len() || lacks_origins {
        return None;
    }
    let sure = |stamp: &Stamp| u128::from(stamp.modified) + UNSURE.as_nanos() < u128::from(record.taken);
    let unchanged = record
        .sources
        .iter()
        .zip(sources)
        .all(|(kept, (path, stamp))| kept.path == *path && kept.stamp == *stamp && sure(stamp));
    if unchanged {
        return Some(snapshot);
    }
    let taken = now();
    let digests: Vec<[u8; 32]> = sources.iter().map(|(path, _)| digest_of_file(path)).collect::<Result<_>>().ok()?;
    if content_key_of(inputs, &digests, options) != snapshot.content_key() {
        return None;
    }
    let sources = sources.iter().zip(&digests).map(|((path, stamp), digest)| SourceRecord {
        path: path.clone(),
        stamp: *stamp,
        digest: hexadecimal(digest),
    });
    write_record(record_path, &Record { key: record.key.clone(), taken, sources: sources.collect() });
    Some(snapshot)
}

/// The documents' paths and stamps; `None` if one of them is not a file.
fn stamps(inputs: &[Input]) -> Option<Vec<(PathBuf, Stamp)>> {
    inputs
        .iter()
        .map(|input| match &input.content {
            Content::File(path) => Some((std::path::absolute(path).ok()?, stamp(path)?)),
            Content::Bytes(_) => None,
        })
        .collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    let modified = nanoseconds(metadata.modified().ok()?);
    Some(Stamp { size: metadata.len(), modified, inode: inode(&metadata) })
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}

fn read_record(path: &Path) -> Option<Record> {
    let mut bytes = Vec::new();
    own::open(path).ok()?.read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes a record; if that fails, the only cost is a new build next time.
fn write_record(path: &Path, record: &Record) {
    let Ok(text) = serde_json::to_vec(record) else { return };
    let Some(folder) = path.parent() else { return };
    let named = tempfile::Builder::new().prefix(UNFINISHED_RECORD).tempfile_in(folder);
    let Ok(mut file) = named else { return };
    if std::io::Write::write_all(&mut file, &text).is_ok() {
        let _ = file.persist(path);
    }
}

/// Creates the folder for its user alone: a snapshot reveals what its documents say.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    own::close_to_others(folder)
}

fn is_file(entry: &fs::DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_file())
}

fn open(path: &Path) -> Result<Snapshot> {
    let file = own::open(path).map_err(|e| Error::io(path.display(), &e))?;
    Snapshot::of_file(file, path)
}

/// Checks that files and folders were written by nobody but the user.
#[cfg(unix)]
mod own {
    use std::fs::{self, File, Metadata, Permissions};
    use std::io::{Error, ErrorKind, Result};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    pub fn distrust(metadata: &Metadata) -> Option<&'static str> {
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Some("belongs to another user");
        }
        (metadata.mode() & 0o022 != 0).then_some("can be written to by others")
    }

    /// Opens a file that belongs to the user and is not a symbolic link.
    pub fn open(path: &Path) -> Result<File> {
        let no_links = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
        let file = File::options().read(true).custom_flags(no_links.cast_signed()).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || distrust(&metadata).is_some() {
            return Err(Error::new(ErrorKind::PermissionDenied, "this is no file of the user's own"));
        }
        if metadata.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }

    pub fn close_to_others(folder: &Path) -> Result<()> {
        if fs::metadata(folder)?.mode() & 0o077 == 0 {
            return Ok(());
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700))
    }
}

#[cfg(not(unix))]
mod own {
    use std::fs::{File, Metadata};
    use std::io::Result;
    use std::path::Path;

    pub fn distrust(_: &Metadata) -> Option<&'static str> {
        None
    }

    pub fn open(path: &Path) -> Result<File> {
        File::open(path)
    }

    pub fn close_to_others(_: &Path) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Setting {
        _folder: tempfile::TempDir,
        cache: Cache,
        document: PathBuf,
    }

    fn setting() -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache/kgq"));
        let document = folder.path().join("d.nt");
        fs::write(&document, "<http://e/s> <http://e/p> <http://e/o> .").unwrap();
        Setting { _folder: folder, cache, document }
    }

    impl Setting {
        fn triples(&self) -> usize {
            let input = Input::file("d.nt", &self.document, None).unwrap();
            self.cache.snapshot(&[input], &BuildOptions::default()).unwrap().triple_count()
        }

        fn entry(&self) -> CacheEntry {
            let entries = self.cache.entries().unwrap();
            assert_eq!(entries.len(), 1);
            entries[0].clone()
        }

        /// Sets the document's modification time back.
        fn age(&self) {
            let file = fs::File::options().write(true).open(&self.document).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        }
    }

    #[test]
    fn one_that_does_not_know_where_statements_stand_is_made_anew_for_who_asks() {
        let setting = setting();
        let knows = |origins| {
            let inputs = [Input::file("d.nt", &setting.document, None).unwrap()];
            let options = BuildOptions { origins, ..BuildOptions::default() };
            let (snapshot, is_new) = setting.cache.snapshot_with_news(&inputs, &options).unwrap();
            (snapshot.has_origins(), is_new)
        };
        let asked = [false, false, true, true, false].map(knows);
        assert_eq!(asked, [(false, true), (false, false), (true, true), (true, false), (true, false)]);
    }

    #[test]
    fn what_is_gone_or_was_not_used_for_longest_makes_room() {
        let setting = setting();
        let folder = setting.document.parent().unwrap().to_owned();
        let snapshot = |name: &str| {
            let document = folder.join(name);
            if !document.exists() {
                fs::write(&document, format!("<http://e/s> <http://e/p> <http://e/{name}> .")).unwrap();
            }
            let input = Input::file(name, &document, None).unwrap();
            setting.cache.snapshot(&[input], &BuildOptions::default()).unwrap()
        };
        let kept = || -> Vec<String> {
            let sources = setting.cache.entries().unwrap().into_iter().flat_map(|entry| entry.sources);
            let mut names: Vec<_> =
                sources.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        for name in ["a.nt", "b.nt", "c.nt", "a.nt"] {
            snapshot(name);
        }
        assert_eq!(kept(), ["a.nt", "b.nt", "c.nt"]);
        let entries = setting.cache.entries().unwrap();
        let of = |name: &str| entries.iter().find(|e| e.sources[0].ends_with(name)).unwrap();
        // Of the two, the one that was asked for again stays.
        setting.cache.prune(&of("c.nt").snapshot, of("c.nt").size + of("a.nt").size);
        assert_eq!(kept(), ["a.nt", "c.nt"]);
        setting.cache.prune(&of("c.nt").snapshot, 0);
        assert_eq!(kept(), ["c.nt"]);
        fs::remove_file(folder.join("c.nt")).unwrap();
        snapshot("a.nt");
        assert_eq!(kept(), ["a.nt"]);
    }

    #[test]
    fn what_another_version_made_is_left_to_it_for_a_month() {
        let setting = setting();
        setting.triples();
        let own = setting.entry().snapshot;
        let other = setting.cache.folder.join("0123.v3.kgq");
        fs::copy(&own, &other).unwrap();
        fs::copy(own.with_extension(RECORD), other.with_extension(RECORD)).unwrap();
        let readable = || -> Vec<bool> { setting.cache.entries().unwrap().iter().map(|e| e.is_readable).collect() };
        setting.cache.prune(&own, LARGEST);
        assert_eq!(readable().len(), 2);
        assert_eq!(readable().iter().filter(|r| **r).count(), 1);
        let record = fs::File::options().write(true).open(other.with_extension(RECORD)).unwrap();
        record.set_modified(SystemTime::now() - OUTDATED - Duration::from_secs(60)).unwrap();
        setting.cache.prune(&own, LARGEST);
        assert_eq!(readable(), [true]);
        assert!(own.exists() && !other.exists());
    }

    #[test]
    fn an_unchanged_document_is_not_read_again() {
        let setting = setting();
        setting.age();
        assert!(setting.cache.entries().unwrap().is_empty());
        assert_eq!(setting.triples(), 1);
        let first = inode(&fs::metadata(setting.entry().snapshot).unwrap());
        // Same stamp, other content: a change that cannot be detected.
        let modified = fs::metadata(&setting.document).unwrap().modified().unwrap();
        let text = fs::read_to_string(&setting.document).unwrap();
        fs::write(&setting.document, text.replace("/o>", "/q>")).unwrap();
        fs::File::options().write(true).open(&setting.document).unwrap().set_modified(modified).unwrap();
        assert_eq!(setting.triples(), 1);
        assert_eq!(inode(&fs::metadata(setting.entry().snapshot).unwrap()), first);
        assert_eq!(setting.entry().sources, std::slice::from_ref(&setting.document));
    }

    #[test]
    fn a_changed_document_makes_a_new_snapshot_and_a_touched_one_does_not() {
        let setting = setting();
        assert_eq!(setting.triples(), 1);
        let first = inode(&fs::metadata(setting.entry().snapshot).unwrap());
        setting.age();
        assert_eq!(setting.triples(), 1);
        assert_eq!(inode(&fs::metadata(setting.entry().snapshot).unwrap()), first);
        // Just written, with the same size: the modification time may not show the change.
        fs::write(&setting.document, "<http://e/s> <http://e/p> <http://e/q> .").unwrap();
        assert_eq!(setting.triples(), 1);
        fs::write(&setting.document, "<http://e/s> <http://e/p> 1 , 2 .").unwrap();
        let input = Input::file("d.nt", &setting.document, None).unwrap();
        assert!(setting.cache.snapshot(&[input], &BuildOptions::default()).is_err());
        fs::write(
            &setting.document,
            "<http://e/s> <http://e/p> \"1\" , \"2\" .".replace(',', ".\n<http://e/s> <http://e/p>"),
        )
        .unwrap();
        assert_eq!(setting.triples(), 2);
    }

    #[test]
    fn a_damaged_snapshot_is_built_again() {
        let setting = setting();
        setting.age();
        setting.triples();
        let path = setting.entry().snapshot;
        let mut bytes = fs::read(&path).unwrap();
        bytes[4200] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(setting.entry().verify().is_err());
        assert_eq!(setting.triples(), 1);
        setting.entry().verify().unwrap();
        fs::write(path.with_extension(RECORD), "nonsense").unwrap();
        assert_eq!(setting.triples(), 1);
        assert_eq!(setting.cache.clear().unwrap().len(), 1);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn a_cache_that_cannot_be_written_to_costs_only_time() {
        let mut setting = setting();
        setting.cache = Cache::new(setting.document.join("below-a-file"));
        assert_eq!(setting.triples(), 1);
    }
}
