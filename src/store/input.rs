//! Something to read RDF from: a file, or bytes at hand; with its format, base and graph.

use crate::error::{Error, Kind, Result};
use crate::rdf::{Compression, NamedNode, RdfFormat};
use crate::text::did_you_mean;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Where the bytes of an input come from.
#[derive(Clone, Debug)]
pub enum Content {
    File(PathBuf),
    /// Bytes read already, such as those of standard input.
    Bytes(Vec<u8>),
}

/// An RDF document to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name for messages: the path as the user gave it, or `<stdin>`.
    pub name: String,
    pub content: Content,
    pub format: RdfFormat,
    pub compression: Compression,
    /// What relative IRIs are resolved against.
    pub base: Option<String>,
    /// The graph that triples outside any named graph go to; `None` is the default graph.
    pub graph: Option<NamedNode>,
}

impl Input {
    /// A file whose format is given, or told by the ending of its name. Relative IRIs are resolved against the file's
    /// own `file:` IRI, unless a base is set.
    pub fn file(name: &str, path: &Path, format: Option<RdfFormat>) -> Result<Self> {
        let Some(format) = format.or_else(|| RdfFormat::from_path(name)) else {
            return Err(unknown_format(name, path));
        };
        Ok(Self {
            name: name.to_owned(),
            content: Content::File(path.to_owned()),
            format,
            compression: Compression::strip(name).1,
            base: file_iri(path),
            graph: None,
        })
    }

    /// A document in memory, compressed if it looks so.
    pub fn bytes(name: &str, bytes: Vec<u8>, format: RdfFormat) -> Self {
        let compression = match bytes.as_slice() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => Compression::None,
        };
        Self { name: name.to_owned(), content: Content::Bytes(bytes), format, compression, base: None, graph: None }
    }

    /// Resolves relative IRIs against this instead, if there is one.
    #[must_use]
    pub fn with_base(mut self, base: Option<String>) -> Self {
        if base.is_some() {
            self.base = base;
        }
        self
    }

    #[must_use]
    pub fn with_graph(mut self, graph: Option<NamedNode>) -> Self {
        self.graph = graph;
        self
    }

    /// The size as stored, before decompression, in bytes.
    pub fn stored_size(&self) -> u64 {
        match &self.content {
            Content::File(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// The decompressed bytes.
    pub fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        let raw: Box<dyn Read + Send + '_> = match &self.content {
            Content::File(path) => Box::new(open_file(&self.name, path)?),
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        };
        Ok(match self.compression {
            Compression::None => raw,
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(raw)),
            Compression::Zstd => Box::new(zstd::Decoder::new(raw).map_err(|e| Error::io(&self.name, &e))?),
        })
    }
}

/// Opens a file for reading; a missing one is an error that names a near file of the same folder.
pub fn open_file(name: &str, path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => missing_file(name, path),
        _ => Error::io(name, &e),
    })?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(is_folder(name));
    }
    Ok(file)
}

fn is_folder(name: &str) -> Error {
    Error::new(Kind::Io, format!("{name} is a folder, not a file"))
        .hint(format!("name its files, for example `{}/*.ttl`", name.trim_end_matches('/')))
}

fn missing_file(name: &str, path: &Path) -> Error {
    let folder = path.parent().map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f });
    let siblings: Vec<String> = folder
        .and_then(|folder| folder.read_dir().ok())
        .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Error::new(Kind::Io, format!("{name}: there is no such file"))
        .hint_if(did_you_mean(&wanted, siblings.iter().map(String::as_str)))
}

fn unknown_format(name: &str, path: &Path) -> Error {
    if path.is_dir() {
        return is_folder(name);
    }
    if !path.exists() {
        return missing_file(name, path);
    }
    Error::usage(format!("{name}: the end of the name says no RDF format"))
        .hint(format!("say it with `--input-format`: {}", RdfFormat::list(false)))
}

fn file_iri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut iri = String::from("file://");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => iri.push(char::from(byte)),
            byte => iri.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(iri)
}
