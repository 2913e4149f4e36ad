//! A source of RDF: a file, or bytes in memory; with its format, base and graph.

use super::jsonld::Contexts;
use super::packed::Packed;
use super::sniff::{SNIFFED, Seems, sniff};
use crate::file::MAGIC;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::guard::passed;
use kgq_syntax::rdf::{Compression, NamedNode, RdfFormat, iri};
use kgq_syntax::text::did_you_mean;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the bytes of an input come from.
#[derive(Clone, Debug)]
pub enum Content {
    File(PathBuf),
    /// Bytes that were already read, such as those of standard input.
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
    /// The base against which relative IRIs are resolved.
    pub base: Option<String>,
    /// The graph for triples outside any named graph; `None` means the default graph.
    pub graph: Option<NamedNode>,
    /// Documents to use instead of JSON-LD's remote contexts.
    pub contexts: Contexts,
}

impl Input {
    /// A file whose format is given, or follows from the ending of its name. Relative IRIs are resolved against the file's
    /// own `file:` IRI, unless a base is set.
    pub fn file(name: &str, path: &Path, format: Option<RdfFormat>) -> Result<Self> {
        let Some(mut told) = format.or_else(|| RdfFormat::from_path(name)) else {
            return Err(unknown_format(name, path));
        };
        let compression = Compression::strip(name).1;
        // Ontologies in any syntax are named `.owl`, so look at the content.
        if format.is_none()
            && told == RdfFormat::RdfXml
            && compression == Compression::None
            && name.to_ascii_lowercase().ends_with(".owl")
            && let Some(Seems::Rdf(seems)) = start_of(path).and_then(|start| sniff(&start))
        {
            told = seems;
        }
        let format = told;
        Ok(Self {
            name: name.to_owned(),
            content: Content::File(path.to_owned()),
            format,
            compression,
            base: iri::of_file(path),
            graph: None,
            contexts: Contexts::default(),
        })
    }

    /// A document in memory; compression is recognised by its first bytes.
    pub fn bytes(name: &str, bytes: Vec<u8>, format: RdfFormat) -> Self {
        let compression = match bytes.as_slice() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => Compression::None,
        };
        Self {
            name: name.to_owned(),
            content: Content::Bytes(bytes),
            format,
            compression,
            base: None,
            graph: None,
            contexts: Contexts::default(),
        }
    }

    /// A document in memory whose format is guessed from its content.
    pub fn sniffed(name: &str, bytes: Vec<u8>, bounds: Bounds) -> Result<Self> {
        let mut input = Self::bytes(name, bytes, RdfFormat::Turtle);
        let mut start = Vec::new();
        let read = input.open(bounds)?.take(SNIFFED).read_to_end(&mut start);
        read.map_err(|e| passed(&e).unwrap_or_else(|| input.unreadable(&e)))?;
        match sniff(&start) {
            Some(Seems::Rdf(format)) => {
                input.format = format;
                Ok(input)
            }
            seems => {
                let what = seems
                    .map_or("does not show its format".to_owned(), |seems| format!("seems to be {}", seems.name()));
                Err(Error::usage(format!("{name} {what}"))
                    .hint(format!("say it with `--input-format`: {}", RdfFormat::list(false))))
            }
        }
    }

    /// Whether each line is a JSON-LD document.
    pub fn holds_lines_of_json(&self) -> bool {
        let (name, _) = Compression::strip(&self.name);
        let name = name.to_ascii_lowercase();
        self.format == RdfFormat::JsonLd
            && matches!(self.content, Content::File(_))
            && (name.ends_with(".jsonl") || name.ends_with(".ndjson"))
    }

    /// Uses this base for relative IRIs, if there is one.
    #[must_use]
    pub fn with_base(mut self, base: Option<String>) -> Self {
        if let Some(base) = base {
            self.base = Some(iri::without_dots(&base));
        }
        self
    }

    #[must_use]
    pub fn with_graph(mut self, graph: Option<NamedNode>) -> Self {
        self.graph = graph;
        self
    }

    #[must_use]
    pub fn with_contexts(mut self, contexts: Contexts) -> Self {
        self.contexts = contexts;
        self
    }

    /// The size as stored, before decompression, in bytes.
    pub fn stored_size(&self) -> u64 {
        match &self.content {
            Content::File(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Whether the decompressed text has at least this many bytes. Reads no more than that.
    pub fn has_text_of(&self, bytes: u64) -> bool {
        if self.compression == Compression::None || self.stored_size() >= bytes {
            return self.stored_size() >= bytes;
        }
        let regular = match &self.content {
            Content::File(path) => path.is_file(),
            Content::Bytes(_) => true,
        };
        // A file that cannot be read is reported when it is loaded.
        let read = |text: Box<dyn Read + Send + '_>| std::io::copy(&mut text.take(bytes), &mut std::io::sink());
        regular && self.open(Bounds::default()).is_ok_and(|text| read(text).is_ok_and(|read| read >= bytes))
    }

    /// The decompressed text, without a byte order mark. Reading fails once the text becomes larger than the bounds allow.
    pub fn open(&self, bounds: Bounds) -> Result<Box<dyn Read + Send + '_>> {
        self.text_of(self.stored()?, bounds)
    }

    /// The bytes as stored.
    pub fn stored(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(match &self.content {
            Content::File(path) => Box::new(open_file(&self.name, path)?),
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        })
    }

    /// Like [`Input::open`], for stored bytes that are read through `raw`.
    pub fn text_of<'a>(&'a self, raw: impl Read + Send + 'a, bounds: Bounds) -> Result<Box<dyn Read + Send + 'a>> {
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, stored: Arc::clone(&stored) };
        let decompressed: Box<dyn Read + Send + 'a> = match self.compression {
            Compression::None => return self.text(counted),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
            Compression::Zstd => Box::new(zstd::Decoder::new(counted).map_err(|e| Error::io(&self.name, &e))?),
        };
        self.text(Decompressed { inner: decompressed, name: self.name.clone(), bounds, stored, size: 0 })
    }

    /// Checks the first bytes: skips a UTF-8 byte order mark, and refuses UTF-16, UTF-32 and what is packed by name.
    fn text<'a>(&self, mut reader: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
        let mut start = Vec::new();
        let read = (&mut reader).take(4).read_to_end(&mut start);
        read.map_err(|e| passed(&e).unwrap_or_else(|| self.unreadable(&e)))?;
        if let Some(packed) = Packed::of(&start) {
            return Err(match self.compression {
                Compression::None => packed.refusal(&self.name),
                Compression::Gzip | Compression::Zstd => packed.refusal_inside(&self.name),
            });
        }
        if let Some(encoding) = other_encoding(&start) {
            return Err(not_utf8(&self.name, encoding));
        }
        start.drain(..mark_length(&start));
        Ok(Box::new(Cursor::new(start).chain(reader)))
    }

    /// Turns a reader's failure into an error: damaged compression is bad input, everything else a system error.
    pub fn unreadable(&self, error: &std::io::Error) -> Error {
        use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match (self.compression, error.kind()) {
            (Compression::Gzip, InvalidData | InvalidInput | Other | UnexpectedEof) => {
                Error::input(format!("{} is no whole gzip file: {error}", self.name))
            }
            (Compression::Zstd, InvalidData | InvalidInput | Other | UnexpectedEof) => {
                Error::input(format!("{} is no whole zstd file: {error}", self.name))
            }
            (Compression::None | Compression::Gzip | Compression::Zstd, _) => Error::io(&self.name, error),
        }
    }
}

/// The length of the UTF-8 byte order mark with which a text of these first bytes begins: 0 without one.
pub fn mark_length(start: &[u8]) -> usize {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if start.starts_with(MARK) { MARK.len() } else { 0 }
}

/// The encoding that the first bytes of a text show, if it is not UTF-8. RDF and SPARQL start with ASCII, so a zero among
/// the first bytes is half of a wider character.
pub fn other_encoding(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xFF, 0xFE, 0, 0] | [0, 0, 0xFE, 0xFF] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
        [a, 0, b, 0] | [0, a, 0, b] if *a != 0 && *b != 0 => Some("UTF-16"),
        _ => None,
    }
}

/// The error for a text in another encoding.
pub fn not_utf8(name: &str, encoding: &str) -> Error {
    Error::input(format!("{name} is in {encoding}; only UTF-8 is read"))
        .hint(format!("convert it with `iconv -f {encoding} -t UTF-8`"))
}

/// Counts the bytes of a compressed file as they are read.
struct Counted<R> {
    inner: R,
    stored: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.stored.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops a decompression that becomes too large.
struct Decompressed<R> {
    inner: R,
    name: String,
    bounds: Bounds,
    stored: Arc<AtomicU64>,
    size: u64,
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.size += read as u64;
        let stored = self.stored.load(Ordering::Relaxed);
        self.bounds.check_decompressed(&self.name, stored, self.size).map_err(std::io::Error::other)?;
        Ok(read)
    }
}

/// Opens a file for reading. If it is missing, the error names a similar file in the same folder.
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
    if let Some((scheme, rest)) = name.split_once("://") {
        let error = Error::new(Kind::Io, format!("{name} is an address, not a file"));
        return if scheme == "file" {
            error.hint(format!("name the file by its path: `{rest}`"))
        } else {
            error.hint("kgq makes no network request: fetch the file yourself, and name it")
        };
    }
    let folder = path.parent().map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f });
    let siblings: Vec<String> = folder
        .and_then(|folder| folder.read_dir().ok())
        .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Error::new(Kind::Io, format!("{name}: there is no such file"))
        .hint_if(did_you_mean(&wanted, siblings.iter().map(String::as_str)))
}

/// Whether the path exists and is a pipe, a terminal or the like, whose bytes can be read only once.
pub fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The first bytes of a file; `None` for a pipe, whose bytes can be read only once.
fn start_of(path: &Path) -> Option<Vec<u8>> {
    let mut start = Vec::new();
    let file = path.is_file().then(|| File::open(path).ok()).flatten()?;
    file.take(SNIFFED).read_to_end(&mut start).ok()?;
    Some(start)
}

fn unknown_format(name: &str, path: &Path) -> Error {
    if path.is_dir() {
        return is_folder(name);
    }
    if !path.exists() {
        return missing_file(name, path);
    }
    let start = start_of(path).unwrap_or_default();
    if start.starts_with(&MAGIC) {
        return Error::usage(format!("{name}: this is a snapshot, which is opened and not read"))
            .hint(format!("say `--snapshot {name}`"));
    }
    if let Some(packed) = Packed::of(&start) {
        return packed.refusal(name);
    }
    Error::usage(format!("{name}: the file name shows no RDF format"))
        .hint(format!("say it with `--input-format`: {}", RdfFormat::list(false)))
}
