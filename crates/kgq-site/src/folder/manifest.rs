//! The file in a site's folder that lists what kgq made there, with the SHA-256 of each.

use super::is_below;
use kgq_syntax::error::{Error, Kind, Result};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The file that lists what kgq made in a folder.
pub const MANIFEST: &str = ".kgq-site.json";

const MADE_BY: &str = "kgq publish";

/// The text of a manifest of these files, SHA-256 by path.
pub fn text(files: &BTreeMap<String, String>) -> Result<String> {
    let files: Map<String, Value> = files.iter().map(|(path, hash)| (path.clone(), json!(hash))).collect();
    let text = serde_json::to_string_pretty(&json!({"made-by": MADE_BY, "files": files}))
        .map_err(|e| Error::bug(format!("the manifest cannot be written: {e}")))?;
    Ok(text + "\n")
}

/// The files that a folder's manifest lists; `None` without one.
pub fn read(folder: &Path) -> Result<Option<FxHashSet<String>>> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path.display(), &e)),
    };
    let manifest: Option<Value> = serde_json::from_slice(&text).ok();
    let ours = manifest.as_ref().filter(|m| m.get("made-by").and_then(Value::as_str) == Some(MADE_BY));
    let files = ours.and_then(|m| m.get("files")?.as_object());
    let files = files.ok_or_else(|| {
        refuse(folder, &format!("has a {MANIFEST} that cannot be read"))
            .hint("remove the folder if nothing in it is yours, or publish to another one")
    })?;
    if files.keys().any(|path| !is_below(path)) {
        return Err(refuse(folder, &format!("has a {MANIFEST} with paths that lead out of it")));
    }
    Ok(Some(files.keys().cloned().collect()))
}

/// The files of ours in a folder. One that has things in it and no manifest is not ours.
pub fn owned(folder: &Path) -> Result<FxHashSet<String>> {
    if let Some(files) = read(folder)? {
        return Ok(files);
    }
    let mut entries = fs::read_dir(folder).map_err(|e| Error::io(folder.display(), &e))?;
    match entries.next() {
        None => Ok(FxHashSet::default()),
        Some(_) => Err(refuse(folder, "was not made by `kgq publish`")
            .hint("name an empty folder, or one that does not exist yet")),
    }
}

fn refuse(folder: &Path, why: &str) -> Error {
    Error::new(Kind::Policy, format!("{} {why}, so nothing in it is touched", folder.display()))
}
