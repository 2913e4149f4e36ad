//! Files that a user names by hand: one by one, by a folder, or by a glob that no shell has expanded.

use super::files::{is_hidden, slashes};
use super::globs::Glob;
use super::untold::not_walked;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::{count, thousands};
use std::path::Path;
use walkdir::WalkDir;

/// What the names given by a user refer to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NamedFiles {
    pub files: Vec<String>,
    /// A line for each name with files that were found in folders but not taken, and for each pipe that the command
    /// waits for.
    pub remarks: Vec<String>,
}

/// Finds the files that these names refer to, ordered by name: for a folder, those below it whose name says an RDF
/// format; for a glob, those that it matches. Any other name is kept as it is, and so is the name of an existing file
/// that looks like a glob.
pub fn named_files(names: &[String]) -> Result<NamedFiles> {
    let mut named = NamedFiles::default();
    for name in names {
        let path = Path::new(name);
        if path.is_dir() {
            let found = below(name, &|_| true, false)?;
            if found.taken.is_empty() {
                let error = Error::input(format!("the folder `{name}` holds no file of RDF"));
                return Err(error.hint(format!("known formats are {}", RdfFormat::list(false))));
            }
            named.take(name, found);
        } else if name.contains(['*', '?', '[', '{']) && !path.exists() {
            named.take(name, matching(name)?);
        } else {
            if is_named_pipe(path) {
                named.remarks.push(format!("reading the pipe `{name}` until its writer closes it"));
            }
            named.files.push(name.clone());
        }
    }
    Ok(named)
}

/// Whether this is a named pipe, which may never get a writer; a shell's `<(…)` has one.
#[cfg(unix)]
fn is_named_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    !path.starts_with("/dev") && !path.starts_with("/proc") && path.metadata().is_ok_and(|m| m.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_named_pipe(_: &Path) -> bool {
    false
}

impl NamedFiles {
    fn take(&mut self, name: &str, found: Below) {
        self.files.extend(found.taken);
        let parts: Vec<String> = [
            (&found.without_format, "file whose name says no format of RDF", "files whose names say no format of RDF"),
            (&found.no_files, "pipe or device", "pipes or devices"),
        ]
        .into_iter()
        .filter(|(passed, ..)| !passed.is_empty())
        .map(|(passed, one, several)| format!("{} ({})", count(passed.len() as u64, one, several), a_few(passed)))
        .collect();
        if !parts.is_empty() {
            self.remarks.push(format!("passed over in `{name}`: {}", parts.join("; ")));
        }
    }
}

/// The first names of a list.
fn a_few(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more as u64)),
    }
}

fn matching(name: &str) -> Result<Below> {
    let glob = Glob::by_hand(name)?;
    let start = glob.start();
    let there = start.is_empty() || Path::new(&start).exists();
    let found = if there { below(&start, &|file| glob.matches(file), glob.names_ending())? } else { Below::default() };
    if found.taken.is_empty() {
        return Err(Error::new(Kind::Io, format!("there is no file `{name}`, and as a glob it finds none")));
    }
    Ok(found)
}

/// What was found below a folder, each list ordered by name.
#[derive(Default)]
struct Below {
    taken: Vec<String>,
    without_format: Vec<String>,
    /// Pipes, sockets and devices: reading one that nobody writes to would wait forever.
    no_files: Vec<String>,
}

/// The wanted files below a folder, or below the current one if its name is empty. Hidden files are passed over; so are
/// those whose names say no RDF format, unless any ending is taken.
fn below(folder: &str, wanted: &dyn Fn(&str) -> bool, any_ending: bool) -> Result<Below> {
    let root = if folder.is_empty() { "." } else { folder };
    let walk = WalkDir::new(root).follow_links(true).into_iter();
    let visible = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(&entry.file_name().to_string_lossy()));
    let mut found = Below::default();
    for entry in visible {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let name = slashes(entry.path());
                if !wanted(&name) {
                    continue;
                }
                let takes = any_ending || RdfFormat::from_path(&name).is_some();
                let list = match (entry.file_type().is_file(), takes) {
                    (true, true) => &mut found.taken,
                    (true, false) => &mut found.without_format,
                    (false, _) => &mut found.no_files,
                };
                list.push(name);
            }
            // A broken link, or a link to a folder that contains it, adds no file.
            Err(e) if e.loop_ancestor().is_some() || e.path().is_some_and(Path::is_symlink) => {}
            Err(e) => return Err(not_walked(&e)),
        }
    }
    for list in [&mut found.taken, &mut found.without_format, &mut found.no_files] {
        list.sort();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_globs_are_the_files_in_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("deep/.hidden")).unwrap();
        for name in ["b.ttl", "a.nt.gz", "deep/c.ttl", "deep/.hidden/d.ttl", "notes.txt", "[x].ttl"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let root = folder.path().to_str().unwrap();
        let files = |name: &str| {
            let name = format!("{root}/{name}");
            let found = named_files(&[name]).map_err(|e| e.message().replace(root, ""));
            found.map(|all| all.files.iter().map(|f| f.replace(root, "")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(files("").unwrap(), "/[x].ttl /a.nt.gz /b.ttl /deep/c.ttl");
        assert_eq!(files("**/*").unwrap(), "/[x].ttl /a.nt.gz /b.ttl /deep/c.ttl");
        assert_eq!(files("*.ttl").unwrap(), "/[x].ttl /b.ttl");
        assert_eq!(files("[x].ttl").unwrap(), "/[x].ttl");
        assert_eq!(files("none.ttl").unwrap(), "/none.ttl");
        assert_eq!(files("none/*.ttl").unwrap_err(), "there is no file `/none/*.ttl`, and as a glob it finds none");
        assert_eq!(files("deep/.hidden/d.ttl").unwrap(), "/deep/.hidden/d.ttl");
        let remarks = named_files(&[root.to_owned()]).unwrap().remarks;
        let [only] = &remarks[..] else { panic!("{remarks:?}") };
        assert!(only.starts_with("passed over in "), "{only}");
        assert!(only.contains(": 1 file whose name says no format of RDF ("), "{only}");
        assert!(only.ends_with("/notes.txt)"), "{only}");
    }
}
