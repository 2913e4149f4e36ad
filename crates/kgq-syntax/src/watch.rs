//! Watches RDF/XML and JSON-LD while they are read, as `guard` does Turtle: nesting, the length of a token, and what XML
//! entities expand to. It does not judge the text.

use super::bounds::Bounds;
use crate::error::{Error, Place, Result};
use rustc_hash::FxHashMap;
use std::io::{self, Read};

/// What looks at each byte before a parser does.
pub trait Watch {
    fn step(&mut self, byte: u8) -> Result<()>;

    /// The document ends here.
    fn end(&self) -> Result<()> {
        Ok(())
    }
}

/// A reader that lets everything through until its watch fails; `guard::passed` finds that error again.
pub struct Watched<R, W> {
    inner: R,
    watch: W,
    name: String,
    line: usize,
    column: usize,
}

impl<R: Read, W: Watch> Watched<R, W> {
    /// `name` is the file's, for the error.
    pub fn new(inner: R, name: impl Into<String>, watch: W) -> Self {
        Self { inner, watch, name: name.into(), line: 1, column: 0 }
    }
}

impl<R: Read, W: Watch> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            let place = Place::new(self.name.clone(), self.line, self.column.max(1));
            self.watch.end().map_err(|e| io::Error::other(e.at(place)))?;
        }
        for byte in &buffer[..read] {
            // The column counts code points.
            self.column += usize::from(byte & 0xC0 != 0x80);
            let place = || Place::new(self.name.clone(), self.line, self.column.max(1));
            self.watch.step(*byte).map_err(|e| io::Error::other(e.at(place())))?;
            if *byte == b'\n' {
                (self.line, self.column) = (self.line + 1, 0);
            }
        }
        Ok(read)
    }
}

/// Watches JSON.
pub struct Json {
    bounds: Bounds,
    depth: usize,
    token: usize,
    state: JsonState,
}

enum JsonState {
    Plain,
    Text,
    Escape,
}

impl Json {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, depth: 0, token: 0, state: JsonState::Plain }
    }
}

impl Watch for Json {
    fn step(&mut self, byte: u8) -> Result<()> {
        self.token += 1;
        self.state = match (&self.state, byte) {
            (JsonState::Escape, _) => JsonState::Text,
            (JsonState::Text, b'\\') => JsonState::Escape,
            (JsonState::Text, b'"') => JsonState::Plain,
            (JsonState::Text, _) => JsonState::Text,
            (JsonState::Plain, b'"') => {
                self.token = 1;
                JsonState::Text
            }
            (JsonState::Plain, _) => {
                match byte {
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if b" \t\r\n{}[],:".contains(&byte) {
                    self.token = 0;
                }
                JsonState::Plain
            }
        };
        if self.depth > self.bounds.depth() {
            return Err(self.bounds.too_deep());
        }
        if self.token > self.bounds.max_token {
            return Err(self.bounds.token_too_long());
        }
        Ok(())
    }
}

/// Watches XML.
///
/// It knows of the document type what oxrdfxml does: internal entities, each expanded where it is declared.
pub struct Xml {
    bounds: Bounds,
    depth: usize,
    token: usize,
    state: XmlState,
    /// What was read of a construct whose text matters: the start of a markup, the document type, an entity's name.
    text: Vec<u8>,
    entities: FxHashMap<Vec<u8>, usize>,
    expanded: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum XmlState {
    Text,
    /// After `<`, until it is known what it opens.
    Markup,
    /// In a start tag; whether the last byte was `/`.
    Tag(bool),
    /// In an attribute's value, closed by this.
    Value(u8),
    EndTag,
    /// In what this ends: a comment, a CDATA section, a processing instruction.
    Until(&'static [u8]),
    /// In the document type, with this many `<` open.
    DocType(usize),
}

impl Xml {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            depth: 0,
            token: 0,
            state: XmlState::Text,
            text: Vec::new(),
            entities: FxHashMap::default(),
            expanded: 0,
        }
    }

    /// In text or in an attribute's value: follows references to entities.
    fn reference(&mut self, byte: u8) -> Result<()> {
        match byte {
            b'&' => self.text = vec![b'&'],
            b';' if self.text.first() == Some(&b'&') => {
                self.expanded += self.entities.get(&self.text[1..]).copied().unwrap_or(0);
                self.text.clear();
                self.check_expansion()?;
            }
            b'<' | b'"' | b'\'' | b' ' | b'\n' => self.text.clear(),
            _ if !self.text.is_empty() => self.text.push(byte),
            _ => {}
        }
        Ok(())
    }

    fn check_expansion(&self) -> Result<()> {
        if self.expanded > self.bounds.max_entities {
            return Err(self.bounds.entities_too_large());
        }
        Ok(())
    }

    /// Takes the entities that a document type declares, as oxrdfxml finds them.
    fn declare(&mut self) -> Result<()> {
        let text = std::mem::take(&mut self.text);
        for declaration in text.split(|b| *b == b'<') {
            let Some(rest) = declaration.strip_prefix(b"!ENTITY") else { continue };
            let rest = rest.trim_ascii_start();
            let Some(end) = rest.iter().position(u8::is_ascii_whitespace) else { continue };
            let (name, rest) = rest.split_at(end);
            let mut quoted = rest.splitn(3, |b| *b == b'"');
            let (Some(_), Some(value)) = (quoted.next(), quoted.next()) else { continue };
            let mut size = value.len();
            for reference in value.split(|b| *b == b'&').skip(1) {
                let Some(end) = reference.iter().position(|b| *b == b';') else { continue };
                size = size.saturating_add(self.entities.get(&reference[..end]).copied().unwrap_or(0));
            }
            self.entities.insert(name.to_vec(), size);
            self.expanded = self.expanded.saturating_add(size);
            self.check_expansion()?;
        }
        Ok(())
    }

    fn markup(&mut self, byte: u8) -> XmlState {
        self.text.push(byte);
        match self.text.as_slice() {
            b"/" => XmlState::EndTag,
            b"?" => XmlState::Until(b"?>"),
            b"!--" => XmlState::Until(b"-->"),
            b"![CDATA[" => XmlState::Until(b"]]>"),
            b"!DOCTYPE" => XmlState::DocType(1),
            text if [&b"!--"[..], b"![CDATA[", b"!DOCTYPE"].iter().any(|start| start.starts_with(text)) => {
                XmlState::Markup
            }
            _ if byte == b'>' => self.opened(false),
            _ => XmlState::Tag(false),
        }
    }

    fn opened(&mut self, empty: bool) -> XmlState {
        self.text.clear();
        self.depth += usize::from(!empty);
        XmlState::Text
    }
}

impl Watch for Xml {
    fn step(&mut self, byte: u8) -> Result<()> {
        self.token = if matches!(byte, b'<' | b'>') { 0 } else { self.token + 1 };
        if self.token > self.bounds.max_token {
            return Err(self.bounds.token_too_long());
        }
        let next = match self.state {
            XmlState::Text if byte == b'<' => {
                self.text.clear();
                XmlState::Markup
            }
            XmlState::Text => {
                self.reference(byte)?;
                XmlState::Text
            }
            XmlState::Markup => self.markup(byte),
            XmlState::Tag(empty) => match byte {
                b'>' => self.opened(empty),
                b'"' | b'\'' => {
                    self.text.clear();
                    XmlState::Value(byte)
                }
                _ => XmlState::Tag(byte == b'/'),
            },
            XmlState::Value(mark) if byte == mark => XmlState::Tag(false),
            XmlState::Value(_) => {
                self.reference(byte)?;
                self.state
            }
            XmlState::EndTag if byte == b'>' => {
                self.depth = self.depth.saturating_sub(1);
                self.text.clear();
                XmlState::Text
            }
            XmlState::EndTag => XmlState::EndTag,
            XmlState::Until(end) => {
                self.text.push(byte);
                if self.text.len() > end.len() {
                    self.text.remove(0);
                }
                if self.text == end {
                    self.text.clear();
                    XmlState::Text
                } else {
                    self.state
                }
            }
            XmlState::DocType(open) => {
                self.text.push(byte);
                if self.text.len() > self.bounds.max_token {
                    return Err(self.bounds.token_too_long());
                }
                match (byte, open) {
                    (b'<', _) => XmlState::DocType(open + 1),
                    (b'>', 1) => {
                        self.declare()?;
                        XmlState::Text
                    }
                    (b'>', _) => XmlState::DocType(open - 1),
                    _ => self.state,
                }
            }
        };
        if let (XmlState::Until(_), XmlState::Markup) = (next, self.state) {
            self.text.clear();
        }
        self.state = next;
        if self.depth > self.bounds.depth() {
            return Err(self.bounds.too_deep());
        }
        Ok(())
    }

    /// oxrdfxml takes a document that ends anywhere for a whole one.
    fn end(&self) -> Result<()> {
        if self.depth > 0 || self.state != XmlState::Text {
            return Err(Error::input("the document ends before its elements are closed"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::passed;

    const BOUNDS: Bounds = Bounds {
        max_depth: 8,
        max_token: 200,
        max_entities: 100,
        max_query_size: 0,
        max_operators: 0,
        max_decompressed: 0,
        max_ratio: 0,
    };

    fn read(text: &str, watch: impl Watch) -> Result<u64> {
        let mut watched = Watched::new(text.as_bytes(), "d", watch);
        io::copy(&mut watched, &mut io::sink()).map_err(|e| passed(&e).expect("no other failure"))
    }

    fn xml(text: &str) -> Result<u64> {
        read(text, Xml::new(BOUNDS))
    }

    fn json(text: &str) -> Result<u64> {
        read(text, Json::new(BOUNDS))
    }

    #[test]
    fn nesting_holds_at_the_limit_and_fails_one_beyond() {
        let tags = |n: usize| format!("{}x<b/><c d='/'></c>{}", "<a b=\"<a>>\">".repeat(n), "</a>".repeat(n));
        assert!(xml(&tags(7)).is_ok(), "{:?}", xml(&tags(7)));
        assert!(xml(&tags(8)).is_err());
        assert!(xml(&"<a>x</a>".repeat(50)).is_ok());
        let arrays = |n: usize| format!("{}\"[[[[\\\"[[[[\"{}", "[".repeat(n), "]".repeat(n));
        assert!(json(&arrays(8)).is_ok());
        assert!(json(&arrays(9)).unwrap_err().to_string().contains("--max-depth"));
        assert!(json(&"{\"a\": {}} ".repeat(50)).is_ok());
    }

    #[test]
    fn markup_in_comments_and_sections_does_not_nest() {
        for (open, close) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?p ", "?>")] {
            assert!(xml(&format!("<a>{open}{}{close}</a>", "<b>".repeat(9))).is_ok(), "{open}");
            assert!(xml(&format!("<a>{open}x{close}{}</a>", "<b>".repeat(9))).is_err(), "{open}");
        }
    }

    #[test]
    fn entities_are_counted_where_they_are_declared_and_where_they_are_used() {
        let declare = |text: &str| format!("<!DOCTYPE r [<!ENTITY a \"0123456789\">{text}]><r/>");
        assert!(xml(&declare("<!ENTITY b \"&a;&a;&a;\">")).is_ok());
        let error = xml(&declare("<!ENTITY b \"&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">")).unwrap_err();
        assert!(error.to_string().contains("--max-entities"), "{error}");
        assert!(xml(&format!("{}{}", declare(""), "&a; &amp; ".repeat(9))).is_ok());
        assert!(xml(&format!("{}{}", declare(""), "&a; ".repeat(10))).is_err());
        assert!(xml(&format!("{}<b c='{}'/>", declare(""), "&a;".repeat(10))).is_err());
    }

    #[test]
    fn a_document_that_ends_within_an_element_is_refused() {
        for text in ["<a>", "<a><b/>", "<a", "<a b='", "<!-- ", "<a></a><b>"] {
            assert!(xml(text).is_err(), "{text}");
        }
        for text in ["", "<a/>", "<?xml?><a></a>\n"] {
            assert!(xml(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_long_token_fails_at_its_place() {
        let error = json(&format!("[\n \"{}\"]", "é".repeat(150))).unwrap_err();
        assert_eq!(error.place().map(|p| (p.line, p.column)), Some((2, 102)));
        assert!(xml(&format!("<a>{}</a>", "x".repeat(201))).is_err());
        assert!(xml(&format!("<a>{}</a>", "x".repeat(200))).is_ok());
    }
}
