//! Entities of XML 1.0 (§4): the declared ones, and the text of references to them, within the bounds.

use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::xml::is_xml_char;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// The deepest nesting of entities in an attribute's value.
const DEEPEST: usize = 64;

#[derive(Clone)]
pub(super) enum Entity {
    Internal(Arc<str>),
    /// In another file.
    External,
}

/// The name of an attribute, and the value that it has if an element does not give one.
type DefaultValue = (Box<str>, Box<str>);

/// The entities of a document, and how much text they have expanded to so far.
pub(super) struct Entities {
    bounds: Bounds,
    general: FxHashMap<Box<str>, Entity>,
    parameters: FxHashMap<Box<str>, Entity>,
    defaults: FxHashMap<Box<str>, Vec<DefaultValue>>,
    expanded: usize,
}

impl Entities {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            general: FxHashMap::default(),
            parameters: FxHashMap::default(),
            defaults: FxHashMap::default(),
            expanded: 0,
        }
    }

    /// Declares an entity; the first declaration of a name wins.
    pub(super) fn declare(&mut self, name: &str, parameter: bool, entity: Entity) -> Result<()> {
        if let Entity::Internal(text) = &entity {
            self.count(text.len())?;
        }
        let table = if parameter { &mut self.parameters } else { &mut self.general };
        table.entry(name.into()).or_insert(entity);
        Ok(())
    }

    pub(super) fn default_attribute(&mut self, element: &str, attribute: &str, value: &str) {
        let attributes = self.defaults.entry(element.into()).or_default();
        if !attributes.iter().any(|(name, _)| **name == *attribute) {
            attributes.push((attribute.into(), value.into()));
        }
    }

    /// The attributes that an element has by default, with their values as written.
    pub(super) fn defaults(&self, element: &str) -> &[DefaultValue] {
        self.defaults.get(element).map_or(&[], Vec::as_slice)
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.expanded = self.expanded.saturating_add(bytes);
        if self.expanded > self.bounds.max_entities { Err(self.bounds.entities_too_large()) } else { Ok(()) }
    }

    /// The declarations that a parameter entity stands for; `None` if they are in another file.
    pub(super) fn parameter(&mut self, name: &str) -> Result<Option<Arc<str>>> {
        match self.parameters.get(name).cloned() {
            Some(Entity::Internal(text)) => {
                self.count(text.len())?;
                Ok(Some(text))
            }
            Some(Entity::External) => Ok(None),
            None => Err(Error::input(format!("the parameter entity `%{name};` is not declared"))),
        }
    }

    /// The text that an entity stands for; it may contain further references.
    pub(super) fn general(&mut self, name: &str) -> Result<Arc<str>> {
        match self.general.get(name).cloned() {
            Some(Entity::Internal(text)) => {
                self.count(text.len())?;
                Ok(text)
            }
            Some(Entity::External) => {
                Err(Error::input(format!("the entity `&{name};` stands in another file, and no other file is read")))
            }
            None => Err(Error::input(format!("the entity `&{name};` is not declared"))
                .hint("write `&amp;` for the character `&`")),
        }
    }

    /// An attribute's value (§3.3.3): references expanded, each literal white space character replaced by a space.
    pub(super) fn attribute<'t>(&mut self, written: &'t str) -> Result<Cow<'t, str>> {
        if !written.contains(['&', '<', '\t', '\n', '\r']) {
            return Ok(Cow::Borrowed(written));
        }
        let mut out = String::with_capacity(written.len());
        self.expand(&line_ends(written), &mut out, 0)?;
        Ok(Cow::Owned(out))
    }

    fn expand(&mut self, text: &str, out: &mut String, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::input(format!("entities nest more than {DEEPEST} levels deep, or hold themselves")));
        }
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '\t', '\n', '\r']) {
            out.push_str(&rest[..at]);
            let special = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            match special {
                b'<' => return Err(Error::input("an attribute's value holds `<`").hint("write it `&lt;`")),
                b'&' => {
                    let (name, after) = rest.split_once(';').ok_or_else(not_closed)?;
                    rest = after;
                    if let Some(number) = name.strip_prefix('#') {
                        out.push(character(number)?);
                    } else if let Some(c) = predefined(name) {
                        out.push(c);
                    } else {
                        let text = self.general(name)?;
                        self.expand(&text, out, depth + 1)?;
                    }
                }
                _ => out.push(' '),
            }
        }
        out.push_str(rest);
        Ok(())
    }
}

pub(super) fn not_closed() -> Error {
    Error::input("`&` does not start a reference").hint("write `&amp;` for the character `&`")
}

/// The entities that need no declaration.
pub(super) fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// The character of a reference, given the text after its `#`.
pub(super) fn character(number: &str) -> Result<char> {
    let code = match number.strip_prefix('x') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16),
        None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse(),
        _ => u32::from_str_radix("", 16),
    };
    let found = code.ok().and_then(char::from_u32).filter(|c| is_xml_char(*c));
    found.ok_or_else(|| Error::input(format!("`&#{number};` is no character that XML can hold")))
}

/// The text with each line end replaced by one line feed (§2.11).
pub(super) fn line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}
