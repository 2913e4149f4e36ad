//! The manifest of a folder: the files that kgq made there, the SHA-256 of each, and the command that made them.

use super::{digits, is_below};
use kgq_syntax::error::{Error, Kind, Result};
use rustc_hash::FxHashSet;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The name of the manifest.
pub const MANIFEST: &str = ".kgq-site.json";

/// The command that owns a folder; the other command does not overwrite it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    Publish,
    Export,
}

impl Maker {
    const ALL: [Self; 2] = [Self::Publish, Self::Export];

    pub fn command(self) -> &'static str {
        match self {
            Self::Publish => "kgq publish",
            Self::Export => "kgq export",
        }
    }
}

/// Writes the manifest of these files, SHA-256 by path.
pub fn write(files: &BTreeMap<String, [u8; 32]>, maker: Maker, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n  \"made-by\": {},\n  \"files\": {{", Value::from(maker.command()))?;
    for (number, (path, hash)) in files.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(out, "{comma}\n    {}: \"{}\"", Value::from(path.as_str()), digits(hash))?;
    }
    let end = if files.is_empty() { "" } else { "\n  " };
    writeln!(out, "{end}}}\n}}")
}

/// The files listed in the manifest of a folder; `None` if it has none.
pub fn read(folder: &Path) -> Result<Option<FxHashSet<String>>> {
    Ok(read_all(folder)?.map(|(_, files)| files))
}

fn read_all(folder: &Path) -> Result<Option<(Maker, FxHashSet<String>)>> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path.display(), &e)),
    };
    let manifest: Option<Value> = serde_json::from_slice(&text).ok();
    let maker = |manifest: &Value| {
        let command = manifest.get("made-by").and_then(Value::as_str)?;
        Maker::ALL.into_iter().find(|maker| maker.command() == command)
    };
    let ours = manifest.as_ref().and_then(|manifest| Some((maker(manifest)?, manifest.get("files")?.as_object()?)));
    let (maker, files) = ours.ok_or_else(|| {
        refuse(folder, &format!("has a {MANIFEST} that cannot be read"))
            .hint("remove the folder if nothing in it is yours, or name another one")
    })?;
    if files.keys().any(|path| !is_below(path)) {
        return Err(refuse(folder, &format!("has a {MANIFEST} with paths that lead out of it")));
    }
    Ok(Some((maker, files.keys().cloned().collect())))
}

/// The files in a folder that this command made. A folder with files but without a manifest is refused as foreign.
pub fn owned(folder: &Path, maker: Maker) -> Result<FxHashSet<String>> {
    let other = |folder: &Path| {
        refuse(folder, &format!("was not made by `{}`", maker.command()))
            .hint("name an empty folder, or one that does not exist yet")
    };
    match read_all(folder)? {
        Some((by, files)) if by == maker => return Ok(files),
        Some(_) => return Err(other(folder)),
        None => {}
    }
    let mut entries = fs::read_dir(folder).map_err(|e| Error::io(folder.display(), &e))?;
    match entries.next() {
        None => Ok(FxHashSet::default()),
        Some(_) => Err(other(folder)),
    }
}

fn refuse(folder: &Path, why: &str) -> Error {
    Error::new(Kind::Policy, format!("{} {why}, so nothing in it is touched", folder.display()))
}
