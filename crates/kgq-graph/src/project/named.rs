//! Files that a user names by hand: one by one, by a folder, or by a glob that no shell expanded.

use super::files::{is_hidden, slashes};
use super::globs::Glob;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::RdfFormat;
use std::path::Path;
use walkdir::WalkDir;

/// The files that these names mean: of a folder, those below it whose name says a format of RDF; of a glob, those that it matches; in
/// the order of their names. Any other name stays as it is, and so does the name of a file that looks like a glob.
pub fn named_files(names: &[String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for name in names {
        let path = Path::new(name);
        if path.is_dir() {
            let found = below(name, &|file| RdfFormat::from_path(file).is_some())?;
            if found.is_empty() {
                return Err(Error::input(format!("the folder `{name}` holds no file of RDF"))
                    .hint(format!("known formats are {}", RdfFormat::list(false))));
            }
            files.extend(found);
        } else if name.contains(['*', '?', '[', '{']) && !path.exists() {
            files.extend(matching(name)?);
        } else {
            files.push(name.clone());
        }
    }
    Ok(files)
}

fn matching(name: &str) -> Result<Vec<String>> {
    let glob = Glob::by_hand(name)?;
    let start = glob.start();
    let may = |file: &str| glob.matches(file) && (glob.names_ending() || RdfFormat::from_path(file).is_some());
    let found = if start.is_empty() || Path::new(&start).exists() { below(&start, &may)? } else { Vec::new() };
    if found.is_empty() {
        return Err(Error::new(Kind::Io, format!("there is no file `{name}`, and as a glob it finds none")));
    }
    Ok(found)
}

/// The files below a folder, the current one if it has no name. Hidden ones are passed over.
fn below(folder: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>> {
    let root = if folder.is_empty() { "." } else { folder };
    let walk = WalkDir::new(root).follow_links(true).into_iter();
    let visible = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(&entry.file_name().to_string_lossy()));
    let mut found = Vec::new();
    for entry in visible {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let name = slashes(entry.path());
                if wanted(&name) {
                    found.push(name);
                }
            }
            Ok(_) => {}
            // A link to a folder that it lies in, or to nothing, adds no file.
            Err(e) if e.loop_ancestor().is_some() || e.path().is_some_and(Path::is_symlink) => {}
            Err(e) => return Err(Error::new(Kind::Io, e.to_string())),
        }
    }
    found.sort();
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
            found.map(|all| all.iter().map(|f| f.replace(root, "")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(files("").unwrap(), "/[x].ttl /a.nt.gz /b.ttl /deep/c.ttl");
        assert_eq!(files("**/*").unwrap(), "/[x].ttl /a.nt.gz /b.ttl /deep/c.ttl");
        assert_eq!(files("*.ttl").unwrap(), "/[x].ttl /b.ttl");
        assert_eq!(files("[x].ttl").unwrap(), "/[x].ttl");
        assert_eq!(files("none.ttl").unwrap(), "/none.ttl");
        assert_eq!(files("none/*.ttl").unwrap_err(), "there is no file `/none/*.ttl`, and as a glob it finds none");
        assert_eq!(files("deep/.hidden/d.ttl").unwrap(), "/deep/.hidden/d.ttl");
    }
}
