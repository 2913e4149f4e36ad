//! XML 1.0 as events: entities expanded, line ends and attribute values normalised, names with their namespaces; each event
//! with its position.
//!
//! quick-xml finds where markup begins and ends; whatever it does not check is checked here.

use super::document_type;
use super::entities::{Entities, character, line_ends, not_closed, predefined};
use super::names::{Namespaces, QName};
use super::position::{Counted, Position};
use crate::store::not_utf8;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Place, Result};
use kgq_syntax::guard::passed;
use kgq_syntax::rdf::xml::is_xml_char;
use quick_xml::Reader;
use quick_xml::errors::IllFormedError;
use quick_xml::events::{self, BytesDecl, BytesStart};
use rustc_hash::FxHashSet;
use std::io::{Cursor, Read};
use std::rc::Rc;
use std::sync::Arc;

pub(super) enum Event {
    Start(Element),
    End,
    /// A piece of text; more of it may follow.
    Text(String),
    Comment(String),
    /// A processing instruction: target and data together.
    Instruction(String),
    Eof,
}

/// A start tag.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: QName,
    pub(super) namespace: Option<Rc<str>>,
    /// Without the attributes that declare namespaces.
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: QName,
    pub(super) namespace: Option<Rc<str>>,
    pub(super) value: String,
    pub(super) at: Position,
}

/// A document being read.
pub(super) struct Xml<'a> {
    name: &'a str,
    bounds: Bounds,
    /// The document, and the entities inside which reading currently is.
    open: Vec<Open<'a>>,
    entities: Entities,
    names: Namespaces,
    buffer: Vec<u8>,
    depth: usize,
    /// Whether the last opened element is empty: its end comes next.
    empty: bool,
    position: Position,
    seen: Seen,
}

/// The part of the document reached so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Prolog,
    DocType,
    Root,
}

struct Open<'a> {
    reader: Reader<Counted<'a>>,
    /// The entity's name; `None` for the document.
    entity: Option<String>,
    /// The number of elements open where it begins.
    depth: usize,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: Box<dyn Read + 'a>, name: &'a str, bounds: Bounds) -> Self {
        Self {
            name,
            bounds,
            open: vec![Open { reader: reader(text, bounds), entity: None, depth: 0 }],
            entities: Entities::new(bounds),
            names: Namespaces::default(),
            buffer: Vec::new(),
            depth: 0,
            empty: false,
            position: Position::START,
            seen: Seen::Nothing,
        }
    }

    /// The position of the last event; inside an entity, the position of the reference in the document.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The number of open elements.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The namespaces in force at the last event.
    pub(super) fn names(&self) -> &Namespaces {
        &self.names
    }

    /// Adds the current place to an error that has none.
    pub(super) fn placed(&self, error: Error) -> Error {
        if error.place().is_some() || error.kind() != Kind::Input { error } else { error.at(self.place(self.position)) }
    }

    fn place(&self, at: Position) -> Place {
        Place::new(self.name, at.line, at.column)
    }

    pub(super) fn next(&mut self) -> Result<Event> {
        if std::mem::take(&mut self.empty) {
            return Ok(self.end());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let event = loop {
            buffer.clear();
            match self.step(&mut buffer) {
                Ok(Some(event)) => break event,
                Ok(None) => {}
                Err(error) => return Err(self.placed(error)),
            }
        };
        self.buffer = buffer;
        Ok(event)
    }

    /// The next event; `None` if the part just read yields no event.
    fn step(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Event>> {
        let in_document = self.open.len() == 1;
        let Some(open) = self.open.last_mut() else { return Ok(Some(Event::Eof)) };
        let begin = open.reader.get_mut().begin();
        if in_document {
            self.position = begin;
        }
        let event = open.reader.read_event_into(buffer).map_err(|error| failure(&error))?;
        let first = self.seen == Seen::Nothing;
        if first {
            self.seen = Seen::Prolog;
        }
        Ok(match event {
            events::Event::Start(tag) => Some(Event::Start(self.start(&tag, begin)?)),
            events::Event::Empty(tag) => {
                self.empty = true;
                Some(Event::Start(self.start(&tag, begin)?))
            }
            events::Event::End(_) => Some(self.end()),
            events::Event::Text(text) => self.text(&text, true)?,
            events::Event::CData(text) if self.depth == 0 => {
                return Err(outside(&text));
            }
            events::Event::CData(text) => self.text(&text, false)?,
            events::Event::Comment(text) => Some(Event::Comment(line_ends(checked(&text)?).into_owned())),
            events::Event::PI(text) => Some(Event::Instruction(line_ends(checked(&text)?).into_owned())),
            events::Event::Decl(declaration) => {
                if !first || !in_document {
                    return Err(Error::input("the XML declaration must be the first of a document"));
                }
                self.declaration(&declaration)?;
                None
            }
            events::Event::DocType(text) => {
                if self.seen >= Seen::DocType || !in_document {
                    return Err(Error::input("the document type must stand before the first element, once"));
                }
                self.seen = Seen::DocType;
                document_type::declare(&text, &mut self.entities)?;
                None
            }
            events::Event::GeneralRef(name) => self.reference(&name)?,
            events::Event::Eof => self.end_of_text()?,
        })
    }

    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<()> {
        let Some(encoding) = declaration.encoding() else { return Ok(()) };
        let encoding = encoding.map_err(|e| Error::input(format!("the XML declaration is broken: {e}")))?;
        if ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
            return Ok(());
        }
        Err(not_utf8(self.name, &encoding))
    }

    fn text(&mut self, text: &str, parsed: bool) -> Result<Option<Event>> {
        let text = checked(text)?;
        if self.open.len() == 1 {
            // The error is about the text after the white space.
            let blank = text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.position = self.position.after(&text.as_bytes()[..blank]);
        }
        if parsed && text.contains("]]>") {
            return Err(Error::input("`]]>` does not end a CDATA section here").hint("write it `]]&gt;`"));
        }
        if self.depth == 0 {
            let blank = text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            return if blank { Ok(None) } else { Err(outside(text)) };
        }
        Ok((!text.is_empty()).then(|| Event::Text(line_ends(text).into_owned())))
    }

    fn reference(&mut self, name: &str) -> Result<Option<Event>> {
        if self.depth == 0 {
            return Err(outside(&format!("&{name};")));
        }
        if let Some(number) = name.strip_prefix('#') {
            return Ok(Some(Event::Text(character(number)?.into())));
        }
        if let Some(c) = predefined(name) {
            return Ok(Some(Event::Text(c.into())));
        }
        if self.open.iter().any(|open| open.entity.as_deref() == Some(name)) {
            return Err(Error::input(format!("the entity `&{name};` holds itself")));
        }
        let text = self.entities.general(name)?;
        // Most entities are plain text.
        if !text.contains(['&', '<']) {
            return self.text(&text, true);
        }
        if self.open.len() > self.bounds.depth() {
            return Err(self.bounds.too_deep());
        }
        let reader = reader(Box::new(Cursor::new(Bytes(text))), self.bounds);
        self.open.push(Open { reader, entity: Some(name.to_owned()), depth: self.depth });
        Ok(None)
    }

    /// Handles the end of the document or of an entity.
    fn end_of_text(&mut self) -> Result<Option<Event>> {
        let Some(open) = self.open.pop() else { return Ok(Some(Event::Eof)) };
        if self.depth > open.depth {
            let what = open.entity.map_or("the document".to_owned(), |name| format!("the entity `&{name};`"));
            return Err(Error::input(format!("{what} ends before its elements are closed")));
        }
        if !self.open.is_empty() {
            return Ok(None);
        }
        if self.seen != Seen::Root {
            return Err(Error::input("the document has no element"));
        }
        Ok(Some(Event::Eof))
    }

    fn end(&mut self) -> Event {
        self.depth -= 1;
        // The namespaces of an element are still needed by those who handle its end.
        Event::End
    }

    /// Ends the scope of the last element, once its end was handled.
    pub(super) fn close(&mut self) {
        self.names.close();
    }

    fn start(&mut self, tag: &BytesStart<'_>, begin: Position) -> Result<Element> {
        if self.depth == 0 && self.seen == Seen::Root {
            return Err(Error::input("a second element stands outside the first"));
        }
        self.seen = Seen::Root;
        self.depth += 1;
        if self.depth > self.bounds.depth() {
            return Err(self.bounds.too_deep());
        }
        let name = QName::parse(tag.name().0)?;
        let mut written = self.attributes(tag, begin)?;
        for (default, value) in self.entities.defaults(name.as_str()).to_vec() {
            if !written.iter().any(|attribute| attribute.name.as_str() == &*default) {
                let value = self.entities.attribute(&value)?.into_owned();
                written.push(Attribute { name: QName::parse(&default)?, namespace: None, value, at: self.position });
            }
        }
        let (declarations, mut attributes): (Vec<_>, Vec<_>) = written.into_iter().partition(declares);
        let declared = declarations.iter().map(|attribute| {
            let prefix = if attribute.name.prefix().is_empty() { "" } else { attribute.name.local() };
            (prefix, Rc::from(attribute.value.as_str()))
        });
        self.names.open(declared.collect())?;
        for attribute in &mut attributes {
            // An attribute without a prefix is in no namespace, whatever the default namespace.
            if !attribute.name.prefix().is_empty() {
                attribute.namespace = Some(self.namespace(&attribute.name)?);
            }
        }
        distinct(&attributes)?;
        let namespace = if name.prefix().is_empty() { self.names.get("") } else { Some(self.namespace(&name)?) };
        Ok(Element { name, namespace, attributes })
    }

    fn namespace(&self, name: &QName) -> Result<Rc<str>> {
        self.names.get(name.prefix()).ok_or_else(|| {
            Error::input(format!("the prefix `{}` is not declared", name.prefix()))
                .hint(format!("declare it with `xmlns:{}=\"…\"`", name.prefix()))
        })
    }

    fn attributes(&mut self, tag: &BytesStart<'_>, begin: Position) -> Result<Vec<Attribute>> {
        let text: &str = tag;
        let (mut at, mut passed) = (begin, 0);
        let in_document = self.open.len() == 1;
        let mut attributes = Vec::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| Error::input(format!("the attributes are broken: {e}")))?;
            let offset = attribute.key.0.as_ptr() as usize - text.as_ptr() as usize;
            if !text.as_bytes().get(offset.wrapping_sub(1)).is_some_and(u8::is_ascii_whitespace) {
                return Err(Error::input("attributes must be separated by white space"));
            }
            // The text of the tag begins after its `<`.
            at = at.after(&text.as_bytes()[passed..offset]);
            passed = offset;
            let at = if in_document {
                Position { column: at.column + usize::from(at.line == begin.line), ..at }
            } else {
                self.position
            };
            let value = checked(&attribute.value)
                .and_then(|value| self.entities.attribute(value))
                .map_err(|e| e.at(Place::new(self.name, at.line, at.column)))?;
            let name = QName::parse(attribute.key.0).map_err(|e| e.at(self.place(at)))?;
            attributes.push(Attribute { name, namespace: None, value: value.into_owned(), at });
        }
        Ok(attributes)
    }
}

impl PartialOrd for Seen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

struct Bytes(Arc<str>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn reader(text: Box<dyn Read + '_>, bounds: Bounds) -> Reader<Counted<'_>> {
    let mut reader = Reader::from_reader(Counted::new(text, bounds));
    reader.config_mut().check_comments = true;
    reader
}

fn declares(attribute: &Attribute) -> bool {
    attribute.name.as_str() == "xmlns" || attribute.name.prefix() == "xmlns"
}

/// Refuses two attributes with the same namespace and local name.
fn distinct(attributes: &[Attribute]) -> Result<()> {
    let mut seen = FxHashSet::default();
    let key = |attribute: &Attribute| (attribute.namespace.clone(), attribute.name.local().to_owned());
    let twice = if attributes.len() < 8 {
        let same = |a: &Attribute, b: &Attribute| a.namespace == b.namespace && a.name.local() == b.name.local();
        (1..attributes.len()).find(|at| attributes[..*at].iter().any(|earlier| same(earlier, &attributes[*at])))
    } else {
        (0..attributes.len()).find(|at| !seen.insert(key(&attributes[*at])))
    };
    match twice {
        Some(at) => Err(Error::input(format!("the attribute `{}` is there twice", attributes[at].name.as_str()))),
        None => Ok(()),
    }
}

fn checked(text: &str) -> Result<&str> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        Some(c) => Err(Error::input(format!("XML cannot hold the character U+{:04X}", u32::from(c)))),
        None => Ok(text),
    }
}

fn outside(text: &str) -> Error {
    let shown: String = text.trim().chars().take(20).collect();
    Error::input(format!("text stands outside the document's element: `{shown}`"))
}

/// Turns quick-xml's error into ours.
fn failure(error: &quick_xml::Error) -> Error {
    use quick_xml::Error as Xml;
    match error {
        Xml::Io(error) => passed(error).unwrap_or_else(|| Error::io("the document", error)),
        Xml::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            Error::input(format!("`</{found}>` stands where `</{expected}>` must"))
        }
        Xml::IllFormed(IllFormedError::UnmatchedEndTag(found)) => Error::input(format!("`</{found}>` ends no element")),
        Xml::IllFormed(IllFormedError::UnclosedReference) => not_closed(),
        Xml::IllFormed(IllFormedError::DoubleHyphenInComment) => Error::input("a comment holds `--`"),
        Xml::Encoding(_) => Error::input("this is not UTF-8"),
        Xml::Syntax(error) => Error::input(format!("the markup is not closed: {error}")),
        error => Error::input(error.to_string()),
    }
}
