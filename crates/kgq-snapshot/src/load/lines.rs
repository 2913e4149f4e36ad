//! Reads N-Triples and N-Quads line by line, without building a term for each statement.
//!
//! Handles plain lines only. Any other line (escapes by number, triple terms, characters beyond ASCII in labels, errors)
//! goes to oxttl, which decides what is allowed. An IRI or a language tag is validated when it is first met.

use crate::interner::Interner;
use crate::store::announcement;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::guard::{self, Guard};
use memchr::{memchr, memchr_iter, memchr2};
use oxrdf::{GraphNameRef, Literal};
use oxttl::{NQuadsParser, NTriplesParser, TurtleParseError};

/// How to read a line-based file.
pub(super) struct Lines<'a> {
    /// The document's name, for errors.
    pub(super) name: &'a str,
    pub(super) with_graphs: bool,
    pub(super) lenient: bool,
    pub(super) bounds: Bounds,
    /// The graph for statements that name none, as a number of the interner.
    pub(super) graph: Option<u32>,
}

/// How a line was handled.
enum Line {
    Taken,
    /// To be read by oxttl.
    Unusual,
}

/// The subject and type of earlier lines: many consecutive lines share them.
#[derive(Clone, Copy, Default)]
struct Last<'b> {
    subject: &'b [u8],
    number: u32,
    suffix: Option<&'b [u8]>,
    literal_type: u32,
}

/// Lines between two checks of the budget.
const LINES_BETWEEN_CHECKS: u64 = 1 << 12;
/// The most further lines that a statement may take before everything left is read as a whole.
const MOST_LINES: usize = 64;

impl Lines<'_> {
    /// Adds the statements of some whole lines; `first_line` is the number of the first one, from 1.
    pub(super) fn read(&self, text: &[u8], first_line: u64, interner: &mut Interner, budget: &Budget) -> Result<()> {
        let is_text = std::str::from_utf8(text).is_ok();
        let has_returns = memchr(b'\r', text).is_some();
        let (mut start, mut last) = (0, Last::default());
        let ends = memchr_iter(b'\n', text).chain((!text.ends_with(b"\n")).then_some(text.len()));
        let mut lines = (first_line..).zip(ends);
        while let Some((line_number, end)) = lines.next() {
            if line_number.is_multiple_of(LINES_BETWEEN_CHECKS) {
                budget.check()?;
            }
            interner.place = u32::try_from(line_number).unwrap_or(u32::MAX);
            let mut line = &text[start..end];
            let rest = &text[start..];
            let length = end - start;
            start = end + 1;
            // Left to oxttl, which refuses tokens that are too long.
            let mut usual = line.len() <= self.bounds.max_token;
            usual &= is_text || std::str::from_utf8(line).is_ok();
            if has_returns {
                line = line.strip_suffix(b"\r").unwrap_or(line);
                usual &= memchr(b'\r', line).is_none();
            }
            if usual && matches!(self.line(line, &mut last, interner)?, Line::Taken) {
                continue;
            }
            if self.lenient && self.judge(&rest[..length], line_number, interner).is_err() {
                let Some(more) = self.judge_over_lines(rest, line_number, interner)? else { return Ok(()) };
                start = lines.nth(more - 1).map_or(text.len(), |(_, end)| end + 1);
            }
            if !self.lenient {
                self.judge(&rest[..length], line_number, interner)?;
            }
        }
        Ok(())
    }

    fn line<'b>(&self, line: &'b [u8], last: &mut Last<'b>, interner: &mut Interner) -> Result<Line> {
        let mut cursor = Cursor { rest: line };
        cursor.skip_space();
        if let Some(length) = announcement(cursor.rest) {
            cursor.take(length);
            cursor.skip_space();
        }
        if matches!(cursor.rest.first(), None | Some(b'#')) {
            return Ok(Line::Taken);
        }
        // Nothing is added before the whole line is known to be plain: else terms without a statement would stay.
        let Some(subject) = cursor.node() else { return Ok(Line::Unusual) };
        cursor.skip_space();
        let Some(predicate @ PlainNode::Iri(_)) = cursor.node() else { return Ok(Line::Unusual) };
        cursor.skip_space();
        let Some(object) = cursor.object() else { return Ok(Line::Unusual) };
        cursor.skip_space();
        let graph = if self.with_graphs && matches!(cursor.rest.first(), Some(b'<' | b'_')) {
            let Some(graph) = cursor.node() else { return Ok(Line::Unusual) };
            cursor.skip_space();
            Some(graph)
        } else {
            None
        };
        if cursor.next() != Some(b'.') {
            return Ok(Line::Unusual);
        }
        cursor.skip_space();
        if !matches!(cursor.rest.first(), None | Some(b'#')) {
            return Ok(Line::Unusual);
        }
        let subject_key = subject.key();
        let subject = if last.subject == subject_key {
            Found::Known(last.number)
        } else {
            let Some(found) = find(&subject, interner) else { return Ok(Line::Unusual) };
            found
        };
        let Some(predicate) = find(&predicate, interner) else { return Ok(Line::Unusual) };
        let object = match object {
            Object::Node(node) => {
                let Some(found) = find(&node, interner) else { return Ok(Line::Unusual) };
                FoundObject::Node(found)
            }
            Object::Literal { lexical, escaped, suffix } => {
                let literal_type = if last.suffix == Some(suffix.text()) {
                    last.literal_type
                } else {
                    let key = suffix.key();
                    if interner.types.find(&key).is_none() && !suffix.is_valid() {
                        return Ok(Line::Unusual);
                    }
                    *last = Last { suffix: Some(suffix.text()), literal_type: interner.types.intern(&key)?, ..*last };
                    last.literal_type
                };
                FoundObject::Literal { lexical, escaped, literal_type }
            }
        };
        let graph = match graph {
            Some(graph) => {
                let Some(found) = find(&graph, interner) else { return Ok(Line::Unusual) };
                Some(found)
            }
            None => None,
        };

        let subject = subject.add(interner)?;
        *last = Last { subject: subject_key, number: subject, ..*last };
        let predicate = predicate.add(interner)?;
        let object = match object {
            FoundObject::Node(node) => node.add(interner)?,
            FoundObject::Literal { lexical, escaped: false, literal_type } => {
                interner.lexical_form(literal_type, lexical)?
            }
            FoundObject::Literal { lexical, escaped: true, literal_type } => {
                interner.lexical_form(literal_type, &unescape(lexical))?
            }
        };
        let graph = match graph {
            Some(graph) => Some(graph.add(interner)?),
            None => self.graph,
        };
        interner.statement([subject, predicate, object], graph);
        Ok(Line::Taken)
    }

    /// Lets oxttl read a statement that continues on the next lines, as a string may where everything is allowed. Returns
    /// how many more lines it took; `None` if everything left was read.
    fn judge_over_lines(&self, text: &[u8], first_line: u64, interner: &mut Interner) -> Result<Option<usize>> {
        for (more, end) in memchr_iter(b'\n', text).enumerate().skip(1).take(MOST_LINES) {
            if self.judge(&text[..end], first_line, interner).is_ok() {
                return Ok(Some(more));
            }
        }
        self.judge(text, first_line, interner).map(|()| None)
    }

    /// Lets oxttl read some lines.
    fn judge(&self, text: &[u8], first_line: u64, interner: &mut Interner) -> Result<()> {
        let failed = |error: TurtleParseError| match error {
            TurtleParseError::Syntax(error) => {
                let at = error.location().start;
                let place = Place::new(self.name, (first_line + at.line) as usize, at.column as usize + 1);
                Error::input(error.message()).at(place)
            }
            TurtleParseError::Io(error) => {
                let error = guard::passed(&error).unwrap_or_else(|| Error::io(self.name, &error));
                match error.place() {
                    Some(place) => {
                        let place = Place::new(self.name, first_line as usize + place.line - 1, place.column);
                        error.at(place)
                    }
                    None => error,
                }
            }
        };
        let text = Guard::new(text, self.name, self.bounds);
        if self.with_graphs {
            let parser = if self.lenient { NQuadsParser::new().lenient() } else { NQuadsParser::new() };
            // Parse all statements before adding any, so that a line can be parsed twice.
            let quads: Vec<_> = parser.for_reader(text).collect::<Result<_, _>>().map_err(failed)?;
            for quad in quads {
                interner.quad_in(quad.as_ref(), self.graph)?;
            }
        } else {
            let parser = if self.lenient { NTriplesParser::new().lenient() } else { NTriplesParser::new() };
            let triples: Vec<_> = parser.for_reader(text).collect::<Result<_, _>>().map_err(failed)?;
            for triple in triples {
                interner.quad_in(triple.as_ref().in_graph(GraphNameRef::DefaultGraph), self.graph)?;
            }
        }
        Ok(())
    }
}

/// A subject, predicate or graph name.
enum PlainNode<'b> {
    /// With the leading `<`, which makes it the interner's key.
    Iri(&'b [u8]),
    /// With the leading `_:`.
    Blank(&'b [u8]),
}

impl<'b> PlainNode<'b> {
    fn key(&self) -> &'b [u8] {
        match self {
            Self::Iri(key) | Self::Blank(key) => key,
        }
    }
}

/// A plain node that was looked up but not yet added.
enum Found<'b> {
    Known(u32),
    NewIri(&'b [u8]),
    /// The label.
    Blank(&'b [u8]),
}

/// Looks a node up; `None` if the standard does not allow it. Known IRIs were checked when they were added.
#[inline]
fn find<'b>(node: &PlainNode<'b>, interner: &Interner) -> Option<Found<'b>> {
    match node {
        PlainNode::Blank(key) => Some(Found::Blank(&key[2..])),
        PlainNode::Iri(key) => match interner.terms.find(key) {
            Some(number) => Some(Found::Known(number)),
            None => is_iri(&key[1..]).then_some(Found::NewIri(key)),
        },
    }
}

fn is_iri(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| oxiri::Iri::parse(text).is_ok())
}

impl Found<'_> {
    #[inline]
    fn add(self, interner: &mut Interner) -> Result<u32> {
        match self {
            Self::Known(number) => Ok(number),
            Self::NewIri(key) => interner.terms.intern(key),
            Self::Blank(label) => interner.blank_label(label),
        }
    }
}

enum FoundObject<'b> {
    Node(Found<'b>),
    Literal { lexical: &'b [u8], escaped: bool, literal_type: u32 },
}

enum Object<'b> {
    Node(PlainNode<'b>),
    Literal {
        /// The text between the quotes.
        lexical: &'b [u8],
        escaped: bool,
        suffix: Suffix<'b>,
    },
}

enum Suffix<'b> {
    None,
    /// The datatype's IRI with the leading `<`.
    Datatype(&'b [u8]),
    /// The tag after the `@`.
    Language(&'b [u8]),
}

const STRING: &[u8] = b"^http://www.w3.org/2001/XMLSchema#string";

impl<'b> Suffix<'b> {
    /// Identifies the suffix: a datatype starts with `<`, a tag does not.
    fn text(&self) -> &'b [u8] {
        match self {
            Self::None => b"",
            Self::Datatype(key) => key,
            Self::Language(tag) => tag,
        }
    }

    /// The stored form of the type.
    fn key(&self) -> Vec<u8> {
        match self {
            Self::None => STRING.to_vec(),
            Self::Datatype(key) => [b"^", &key[1..]].concat(),
            Self::Language(tag) => [b"@", *tag].concat().to_ascii_lowercase(),
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::None => true,
            // Leave datatypes such as rdf:langString, which must not be written, to oxttl.
            Self::Datatype(key) => is_iri(&key[1..]) && !key.ends_with(b"angString"),
            Self::Language(tag) => {
                std::str::from_utf8(tag).is_ok_and(|tag| Literal::new_language_tagged_literal("", tag).is_ok())
            }
        }
    }
}

/// The character of an escape by letter.
fn escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b't' => b'\t',
        b'b' => 8,
        b'n' => b'\n',
        b'r' => b'\r',
        b'f' => 12,
        b'"' | b'\'' | b'\\' => letter,
        _ => return None,
    })
}

/// Replaces the escapes; all must be escapes by letter.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next().and_then(|letter| escape(*letter))),
            _ => out.push(*byte),
        }
    }
    out
}

struct Cursor<'b> {
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    #[inline]
    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Reads an IRI or a blank node, if it is plain.
    #[inline]
    fn node(&mut self) -> Option<PlainNode<'b>> {
        match self.rest.first()? {
            b'<' => {
                let end = memchr2(b'>', b'\\', self.rest)?;
                let key = self.take(end);
                (self.next() == Some(b'>')).then_some(PlainNode::Iri(key))
            }
            b'_' if self.rest.get(1) == Some(&b':') => {
                let label = &self.rest[2..];
                let length =
                    label.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.')).count();
                let plain = length > 0
                    && (label[0].is_ascii_alphanumeric() || label[0] == b'_')
                    && label[length - 1] != b'.'
                    && label.get(length).is_none_or(u8::is_ascii);
                plain.then(|| PlainNode::Blank(self.take(length + 2)))
            }
            _ => None,
        }
    }

    #[inline]
    fn object(&mut self) -> Option<Object<'b>> {
        if self.rest.first()? != &b'"' {
            return self.node().map(Object::Node);
        }
        self.rest = &self.rest[1..];
        let (mut end, mut escaped) = (0, false);
        loop {
            end += memchr2(b'"', b'\\', &self.rest[end..])?;
            if self.rest[end] == b'"' {
                break;
            }
            escape(*self.rest.get(end + 1)?)?;
            escaped = true;
            end += 2;
        }
        let lexical = self.take(end);
        self.rest = &self.rest[1..];
        let suffix = match self.rest {
            [b'^', b'^', rest @ ..] => {
                self.rest = rest;
                let PlainNode::Iri(key) = self.node()? else { return None };
                Suffix::Datatype(key)
            }
            [b'@', rest @ ..] => {
                let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'-').count();
                self.rest = rest;
                let tag = self.take(length);
                // Two hyphens start a base direction.
                if tag.is_empty() || tag.windows(2).any(|pair| pair == b"--") {
                    return None;
                }
                Suffix::Language(tag)
            }
            _ => Suffix::None,
        };
        Some(Object::Literal { lexical, escaped, suffix })
    }
}
