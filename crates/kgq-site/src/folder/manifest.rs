//! The manifest of a folder: the files that kgq made there, the SHA-256 of each, and the command that made them.

use super::{Paths, is_below};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::text::hexadecimal;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Write};
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

/// Writes the manifest of these files, sorted by path, with their SHA-256.
pub fn write(files: impl Iterator<Item = (String, [u8; 32])>, maker: Maker, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n  \"made-by\": {},\n  \"files\": {{", Value::from(maker.command()))?;
    let (mut comma, mut end) = ("", "");
    for (path, hash) in files {
        write!(out, "{comma}\n    {}: \"{}\"", Value::from(path), hexadecimal(&hash))?;
        (comma, end) = (",", "\n  ");
    }
    writeln!(out, "{end}}}\n}}")
}

/// The files listed in the manifest of a folder; `None` if it has none.
pub fn read(folder: &Path) -> Result<Option<Paths>> {
    Ok(read_all(folder)?.map(|(_, files)| files))
}

/// A manifest as it is read: of the files only the paths are kept.
#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "made-by")]
    made_by: String,
    files: Keys,
}

/// The keys of an object of JSON.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = entries.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        from.deserialize_map(Object)
    }
}

fn read_all(folder: &Path) -> Result<Option<(Maker, Paths)>> {
    let path = folder.join(MANIFEST);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path.display(), &e)),
    };
    let manifest: Option<Manifest> = match serde_json::from_reader(BufReader::new(file)) {
        Ok(manifest) => Some(manifest),
        Err(e) if e.is_io() => return Err(Error::io(path.display(), &e.into())),
        Err(_) => None,
    };
    let maker = |command: &str| Maker::ALL.into_iter().find(|maker| maker.command() == command);
    let ours = manifest.and_then(|manifest| Some((maker(&manifest.made_by)?, manifest.files.0)));
    let (maker, mut files) = ours.ok_or_else(|| {
        refuse(folder, &format!("has a {MANIFEST} that cannot be read"))
            .hint("remove the folder if nothing in it is yours, or name another one")
    })?;
    if files.iter().any(|path| !is_below(path)) {
        return Err(refuse(folder, &format!("has a {MANIFEST} with paths that lead out of it")));
    }
    files.sort_unstable();
    files.dedup();
    Ok(Some((maker, Paths::of(files)?)))
}

/// The files in a folder that this command made. A folder with files but without a manifest is refused as foreign.
pub fn owned(folder: &Path, maker: Maker) -> Result<Paths> {
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
        None => Ok(Paths::default()),
        Some(_) => Err(other(folder)),
    }
}

fn refuse(folder: &Path, why: &str) -> Error {
    Error::new(Kind::Policy, format!("{} {why}, so nothing in it is touched", folder.display()))
}
