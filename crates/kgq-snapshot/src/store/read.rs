//! Reads inputs: every quad of every document, and its prefixes; or an error with its place.

use super::blank::Relabel;
use super::characters;
use super::input::{Content, Input};
use super::json;
use super::jsonld::read_json_ld;
use super::rdfxml::{Settings, read_rdf_xml};
use super::sniff::{SNIFFED, mistaken};
use super::star::read_star;
use super::version::WithoutVersion;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::diagnose::{self, Known};
use kgq_syntax::error::{Error, Kind, Place, Result, Source};
use kgq_syntax::guard::{self, Guard};
use kgq_syntax::rdf::{GraphName, Prefixes, Quad, RdfFormat, size};
use kgq_syntax::turtle::tree::Dialect;
use kgq_syntax::watch::{Json, Watched};
use oxjsonld::JsonLdSyntaxError;
use oxrdfio::{RdfParseError, RdfParser, RdfSyntaxError};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The content of a document.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub quads: Vec<Quad>,
    pub prefixes: Prefixes,
}

/// How to read documents.
#[derive(Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// Accept IRIs and language tags that are not well-formed: large dumps contain such ones.
    pub lenient: bool,
    /// Limits on nesting and on the length of tokens, enforced before the parser sees them.
    pub bounds: Bounds,
    /// The limits for reading, and the way to stop it.
    pub budget: Option<&'a Budget>,
    /// Called from time to time with the name of a document and the number of its quads so far.
    pub progress: Option<&'a Progress<'a>>,
}

/// Receives the name of a document and the number of quads read from it.
pub type Progress<'a> = dyn Fn(&str, u64) + Sync + 'a;

/// Quads between two calls of `progress`.
const PROGRESS_EVERY: u64 = 50_000;
/// Quads between two checks of the budget, which is also checked whenever more text is read.
const QUADS_BETWEEN_CHECKS: usize = 1 << 12;

/// Reads one document. Its blank nodes are relabelled by `number`, the document's position among those read together.
pub fn read(input: &Input, number: usize, options: ReadOptions<'_>) -> Result<Parsed> {
    Ok(read_reserving(input, number, options)?.0)
}

/// A document, and the memory reserved for its statements.
type Reserved = (Parsed, Reservation);

/// Like [`read`], with the memory reserved for the statements.
fn read_reserving(input: &Input, number: usize, options: ReadOptions<'_>) -> Result<Reserved> {
    let (mut quads, mut relabel) = (Vec::new(), Relabel::of_file(number));
    let (mut held, mut bytes) = (Reservation::default(), 0);
    let prefixes = read_each(input, input.open(options.bounds)?, options, &mut |mut quad| {
        relabel.quad(&mut quad);
        bytes += size::of_quad(&quad);
        quads.push(quad);
        match options.budget.filter(|_| quads.len().is_multiple_of(QUADS_BETWEEN_CHECKS)) {
            Some(budget) => held.grow(budget, std::mem::take(&mut bytes)),
            None => Ok(()),
        }
    })?;
    Ok((Parsed { quads, prefixes }, held))
}

/// Calls `keep` with each quad of a document and returns the document's prefixes. Blank nodes have the labels that the
/// document or its parser gives them. `text` is the opened input.
pub fn read_each(
    input: &Input,
    text: impl Read,
    options: ReadOptions<'_>,
    keep: &mut dyn FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let read = if input.holds_lines_of_json() {
        json::read_lines(
            input,
            text,
            &mut |line, bytes, keep| {
                let document = Input::bytes(&input.name, bytes, RdfFormat::JsonLd);
                let document = Input {
                    base: input.base.clone(),
                    graph: input.graph.clone(),
                    contexts: input.contexts.clone(),
                    ..document
                };
                let text = document.open(options.bounds)?;
                read_document(&document, text, options, keep).map_err(|error| json::in_line(error, line))
            },
            keep,
        )
    } else {
        read_document(input, text, options, keep)
    };
    read.map_err(|error| {
        if error.kind() != Kind::Input {
            return error;
        }
        let mut start = Vec::new();
        let again = read_again(input, options.bounds).and_then(|text| text.take(SNIFFED).read_to_end(&mut start).ok());
        let error = if again.is_some() { mistaken(error, &start, input.format) } else { error };
        if is_about_encoding(error.message()) { not_utf8(&error) } else { error }
    })
}

/// Whether a parser's message says that it stopped at an IRI or a language tag that is not well-formed. Then it reads on
/// if it is lenient, whatever our own message says about the place.
fn is_about_form(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    ["is not a valid iri", "is no iri", "invalid iri", "subtag", "language tag"].iter().any(|part| lower.contains(part))
}

/// What `--lenient` changes, as a hint.
pub(super) const LENIENCY: &str =
    "`--lenient`, or `lenient = true` below `[load]` in kgq.toml, reads IRIs and language tags as they are";

/// The hint on `--lenient` where it helps.
fn leniency(message: &str, options: ReadOptions<'_>) -> Option<&'static str> {
    (!options.lenient && is_about_form(message)).then_some(LENIENCY)
}

/// Whether a parser's message says that the bytes are no UTF-8.
fn is_about_encoding(message: &str) -> bool {
    message.starts_with("Invalid UTF-8") || message == "this is not UTF-8"
}

/// The error for bytes that are no UTF-8, at the same place.
fn not_utf8(error: &Error) -> Error {
    let told = Error::input("this is not UTF-8, the only encoding that is read")
        .hint("if it is Latin-1, as older texts often are, convert it with `iconv -f ISO-8859-1 -t UTF-8`");
    match error.place() {
        Some(place) => told.at(place.clone()),
        None => told,
    }
}

fn read_document(
    input: &Input,
    text: impl Read,
    options: ReadOptions<'_>,
    keep: &mut dyn FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let bounds = options.bounds;
    let watched: Box<dyn Read + '_> = match input.format {
        // The RDF/XML reader enforces the bounds itself.
        RdfFormat::RdfXml => Box::new(text),
        RdfFormat::JsonLd => Box::new(Watched::new(text, &input.name, Json::new(bounds))),
        _ => Box::new(Guard::new(text, &input.name, bounds)),
    };
    let failed = RefCell::new(None);
    let at = Cell::new((1, 1));
    let reader = BufReader::with_capacity(
        1 << 16,
        Remembers { inner: watched, input, budget: options.budget, failed: &failed, at: &at },
    );
    let mut read = 0u64;
    let mut keep = |quad: Quad| -> Result<()> {
        keep(quad)?;
        read += 1;
        if let Some(budget) = options.budget
            && read.is_multiple_of(QUADS_BETWEEN_CHECKS as u64)
        {
            budget.check()?;
        }
        if let Some(progress) = options.progress
            && read.is_multiple_of(PROGRESS_EVERY)
        {
            progress(&input.name, read);
        }
        Ok(())
    };
    let prefixes = match oxrdfio_format(input.format) {
        None if input.format == RdfFormat::JsonLd => {
            let failed = |error: JsonLdSyntaxError| syntax_error(input, &error.into(), options);
            read_json_ld(input, reader, options.lenient, &failed, &mut keep)
        }
        None if input.format == RdfFormat::RdfXml => read_xml(input, reader, options, &mut keep),
        Some(format @ (oxrdfio::RdfFormat::NTriples | oxrdfio::RdfFormat::NQuads)) => {
            read_standard(input, WithoutVersion::new(reader), format, options, &mut keep)
        }
        Some(format) => read_standard(input, reader, format, options, &mut keep),
        None => read_star(&input.name, reader, input.format, input.base.as_deref(), |mut quad| {
            if let (GraphName::DefaultGraph, Some(graph)) = (&quad.graph_name, &input.graph) {
                quad.graph_name = graph.clone().into();
            }
            keep(quad)
        }),
    };
    let prefixes = prefixes.map_err(|error| match failed.take() {
        Some(error) => error,
        None if error.message().contains("buffer maximal size") => {
            let (line, column) = at.get();
            Error::input("this string, IRI or name is longer than 16 MiB")
                .at(Place::new(&input.name, line, column))
                .hint("a closing quote or `>` may be missing before; or raise the limit with `--max-token` or `max-token` in kgq.toml")
        }
        None => error,
    })?;
    if let Some(progress) = options.progress {
        progress(&input.name, read);
    }
    Ok(prefixes)
}

/// Records why a reader failed, as our own error: some parsers turn every failure into a syntax error.
struct Remembers<'a, R> {
    inner: R,
    input: &'a Input,
    budget: Option<&'a Budget>,
    failed: &'a RefCell<Option<Error>>,
    /// The line, and the column in bytes, after the text read so far.
    at: &'a Cell<(usize, usize)>,
}

impl<R: Read> Read for Remembers<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let stopped = self.budget.map_or(Ok(()), Budget::check).map_err(std::io::Error::other);
        let read = stopped.and_then(|()| self.inner.read(buffer)).inspect_err(|error| {
            if error.kind() != std::io::ErrorKind::Interrupted {
                let ours = guard::passed(error).unwrap_or_else(|| self.input.unreadable(error));
                self.failed.borrow_mut().get_or_insert(ours);
            }
        })?;
        let (line, column) = self.at.get();
        let bytes = &buffer[..read];
        self.at.set(match memchr::memrchr(b'\n', bytes) {
            Some(last) => (line + memchr::memchr_iter(b'\n', bytes).count(), read - last),
            None => (line, column + read),
        });
        Ok(read)
    }
}

/// Reads all documents, in parallel where it pays. Either every document is read, or the error names every broken one, in
/// their order.
pub fn read_all(inputs: &[Input], options: ReadOptions<'_>) -> Result<Vec<Parsed>> {
    let size: u64 = inputs.iter().map(Input::stored_size).sum();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(inputs.len());
    // Starting a thread costs as much as parsing about ten kilobytes.
    let results: Vec<Result<Reserved>> = if threads < 2 || size < 1 << 17 {
        inputs.iter().enumerate().map(|(number, input)| read_reserving(input, number, options)).collect()
    } else {
        let next = AtomicUsize::new(0);
        let slots: Vec<Mutex<Option<Result<Reserved>>>> = inputs.iter().map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(input), Some(slot)) = (inputs.get(number), slots.get(number)) else { break };
                        *slot.lock().unwrap_or_else(PoisonError::into_inner) =
                            Some(read_reserving(input, number, options));
                    }
                });
            }
        });
        let taken = slots.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
        taken.map(|result| result.unwrap_or_else(|| Err(Error::bug("a document was not read")))).collect()
    };
    let mut parsed = Vec::with_capacity(results.len());
    let mut errors = Vec::new();
    for result in results {
        match result {
            Ok((document, _)) => parsed.push(document),
            Err(error) => errors.push(error),
        }
    }
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(parsed),
    }
}

/// The format in oxrdfio's terms; `None` for formats that it does not read, or does not read correctly.
fn oxrdfio_format(format: RdfFormat) -> Option<oxrdfio::RdfFormat> {
    Some(match format {
        RdfFormat::Turtle => oxrdfio::RdfFormat::Turtle,
        RdfFormat::TriG => oxrdfio::RdfFormat::TriG,
        RdfFormat::NTriples => oxrdfio::RdfFormat::NTriples,
        RdfFormat::NQuads => oxrdfio::RdfFormat::NQuads,
        RdfFormat::N3 => oxrdfio::RdfFormat::N3,
        RdfFormat::RdfXml | RdfFormat::JsonLd | RdfFormat::TurtleStar | RdfFormat::TriGStar => return None,
    })
}

fn read_standard(
    input: &Input,
    reader: impl Read,
    format: oxrdfio::RdfFormat,
    options: ReadOptions<'_>,
    keep: &mut impl FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let mut parser = RdfParser::from_format(format);
    if options.lenient {
        parser = parser.lenient();
    }
    if let Some(base) = &input.base {
        parser = parser
            .with_base_iri(base.as_str())
            .map_err(|e| Error::input(format!("{}: the base is no IRI: {e}", input.name)))?;
    }
    if let Some(graph) = &input.graph {
        parser = parser.with_default_graph(graph.clone());
    }
    // A parser that reads from a stream has a buffer of fixed size, which no longer token fits.
    if options.bounds.max_token > LONGEST_STREAMED {
        let (text, _held) = whole(reader, input, options.budget)?;
        let mut quads = parser.for_slice(&text);
        keep_each(quads.by_ref().map(|quad| quad.map_err(RdfParseError::from)), input, options, keep)?;
        return Ok(quads.prefixes().collect());
    }
    let mut quads = parser.for_reader(reader);
    keep_each(quads.by_ref(), input, options, keep)?;
    Ok(quads.prefixes().collect())
}

/// The longest token, in bytes, that oxttl reads from a stream.
const LONGEST_STREAMED: usize = 16 << 20;
/// The bytes that are read at once, and for which memory is reserved before.
const READ_AT_ONCE: u64 = 1 << 20;

/// Reads a whole text, and returns it with the memory reserved for it.
fn whole(mut reader: impl Read, input: &Input, budget: Option<&Budget>) -> Result<(Vec<u8>, Reservation)> {
    let (mut text, mut held) = (Vec::new(), Reservation::default());
    loop {
        if let Some(budget) = budget {
            held.grow(budget, READ_AT_ONCE)?;
        }
        let more = reader.by_ref().take(READ_AT_ONCE).read_to_end(&mut text).map_err(|e| input.unreadable(&e))?;
        if (more as u64) < READ_AT_ONCE {
            return Ok((text, held));
        }
    }
}

/// Keeps each quad of a parser. The first error ends the reading: a parser that continued after it would load half a file.
fn keep_each(
    quads: impl Iterator<Item = Result<Quad, RdfParseError>>,
    input: &Input,
    options: ReadOptions<'_>,
    keep: &mut impl FnMut(Quad) -> Result<()>,
) -> Result<()> {
    let named = matches!(input.format, RdfFormat::Turtle | RdfFormat::TriG | RdfFormat::N3) && !options.lenient;
    for quad in quads {
        match quad {
            Ok(quad) => {
                if named && let Some(iri) = characters::misfit(&quad) {
                    let text = small_text(input, options.bounds);
                    let error = characters::refusal(&input.name, &iri, text.as_deref());
                    let hint = leniency(error.message(), options);
                    return Err(error.hint_if(hint));
                }
                keep(quad)?;
            }
            Err(RdfParseError::Io(error)) => return Err(input.unreadable(&error)),
            Err(RdfParseError::Syntax(error)) => {
                return Err(syntax_error(input, &error, options));
            }
        }
    }
    Ok(())
}

fn read_xml(
    input: &Input,
    reader: impl BufRead,
    options: ReadOptions<'_>,
    keep: &mut impl FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let settings =
        Settings { name: &input.name, base: input.base.as_deref(), lenient: options.lenient, bounds: options.bounds };
    let graph: GraphName = input.graph.clone().map_or(GraphName::DefaultGraph, GraphName::from);
    let read = read_rdf_xml(reader, settings, &mut |triple, _| keep(triple.in_graph(graph.clone())));
    let hinted = |error: Error| {
        let hint = leniency(error.message(), options);
        error.hint_if(hint)
    };
    read.map_err(hinted).map_err(|error| match error.place() {
        Some(place) if place.excerpt.is_none() => {
            let (line, column) = (place.line - 1, place.column - 1);
            let shown = read_again(input, options.bounds).and_then(|text| excerpt(text, &input.name, line, column, 1));
            match shown {
                Some(place) => error.at(place),
                None => error,
            }
        }
        _ => error,
    })
}

fn syntax_error(input: &Input, error: &RdfSyntaxError, options: ReadOptions<'_>) -> Error {
    let message = error.to_string();
    let again = |line, column, width| excerpt(read_again(input, options.bounds)?, &input.name, line, column, width);
    let message = message
        .strip_prefix("Parser error at line ")
        .and_then(|rest| rest.split_once(": "))
        .map_or(message.as_str(), |(_, message)| message);
    let hint = leniency(message, options);
    let Some(location) = error.location() else {
        return Error::input(message).at(Place::new(&input.name, 1, 1)).hint_if(hint);
    };
    let to_usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX - 1);
    // In lenient mode the parser accepts malformed terms, but the diagnosis would report them as mistakes.
    if let Some(dialect) = dialect(input.format).filter(|_| !options.lenient)
        && let Some(text) = small_text(input, options.bounds)
    {
        let known = Known { prefixes: &[], base: input.base.is_some() };
        let place = to_usize(location.start.offset)..to_usize(location.end.offset);
        return diagnose::turtle(Source::new(&input.name, &text), dialect, message, place, known).hint_if(hint);
    }
    let out = Error::input(message).hint_if(hint);
    let (line, column) = (to_usize(location.start.line), to_usize(location.start.column));
    let width =
        if location.end.line == location.start.line { to_usize(location.end.column).saturating_sub(column) } else { 1 };
    match again(line, column, width) {
        Some(place) => out.at(place),
        None => out.at(Place::new(&input.name, line + 1, column + 1)),
    }
}

/// The largest document, in bytes, that is read again as a whole to explain what is wrong with it.
const LARGEST_DIAGNOSED: u64 = 64 << 20;

/// Opens the input from its start again, to show what is wrong; a pipe cannot be read twice.
fn read_again(input: &Input, bounds: Bounds) -> Option<impl Read> {
    match &input.content {
        Content::File(path) if !path.is_file() => None,
        Content::File(_) | Content::Bytes(_) => input.open(bounds).ok(),
    }
}

fn small_text(input: &Input, bounds: Bounds) -> Option<String> {
    let mut text = String::new();
    let read = read_again(input, bounds)?.take(LARGEST_DIAGNOSED + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= LARGEST_DIAGNOSED).then_some(text)
}

fn dialect(format: RdfFormat) -> Option<Dialect> {
    match format {
        RdfFormat::Turtle | RdfFormat::NTriples => Some(Dialect::Turtle),
        RdfFormat::TriG => Some(Dialect::TriG),
        RdfFormat::NQuads => Some(Dialect::NQuads),
        RdfFormat::N3 | RdfFormat::RdfXml | RdfFormat::JsonLd | RdfFormat::TurtleStar | RdfFormat::TriGStar => None,
    }
}

/// The longest part of a line, in bytes, that is read again to show it.
const LONGEST_LINE: u64 = 1 << 20;

/// Reads the text up to a line, in order to show that line. Line and column count from 0 here.
fn excerpt(reader: impl Read, name: &str, line: usize, column: usize, width: usize) -> Option<Place> {
    let mut reader = BufReader::new(reader);
    for _ in 0..line {
        reader.skip_until(b'\n').ok()?;
    }
    let mut bytes = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let offset = |column: usize| text.char_indices().nth(column).map_or(text.len(), |(at, _)| at);
    let mut place = Source::new(name, &text).place(offset(column)..offset(column.saturating_add(width)));
    place.line = line + 1;
    Some(place)
}
