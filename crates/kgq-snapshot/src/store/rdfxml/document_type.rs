//! The document type (XML 1.0 §2.8): entities and default attributes declared in the document itself. Other files are not
//! read.

use super::entities::{Entities, Entity, character};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::xml::{is_name, is_xml_char};

/// The deepest nesting of parameter entities.
const DEEPEST: usize = 16;

/// Reads the declarations of a document type: the text between `<!DOCTYPE` and its `>`.
pub(super) fn declare(text: &str, entities: &mut Entities) -> Result<()> {
    let mut cursor = Cursor { rest: text };
    cursor.space();
    cursor.name()?;
    cursor.space();
    if !cursor.rest.is_empty() && !cursor.rest.starts_with('[') {
        cursor.external()?;
        cursor.space();
    }
    if cursor.take("[") {
        let end = cursor.rest.rfind(']').ok_or_else(|| Error::input("the document type has no `]`"))?;
        if !cursor.rest[end + 1..].trim().is_empty() {
            return Err(unexpected(&cursor.rest[end + 1..]));
        }
        return subset(&cursor.rest[..end], entities, 0);
    }
    if cursor.rest.is_empty() { Ok(()) } else { Err(unexpected(cursor.rest)) }
}

/// Reads declarations, including those in parameter entities.
fn subset(text: &str, entities: &mut Entities, depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::input(format!("parameter entities nest more than {DEEPEST} levels deep")));
    }
    let mut cursor = Cursor { rest: text };
    loop {
        cursor.space();
        if cursor.rest.is_empty() {
            return Ok(());
        } else if cursor.take("<!--") {
            cursor.until("-->")?;
        } else if cursor.take("<?") {
            cursor.until("?>")?;
        } else if cursor.take("%") {
            let name = cursor.name()?;
            cursor.expect(";")?;
            if let Some(text) = entities.parameter(name)? {
                subset(&text, entities, depth + 1)?;
            }
        } else if cursor.take("<!ENTITY") {
            entity(&mut cursor, entities)?;
        } else if cursor.take("<!ATTLIST") {
            attributes(&mut cursor, entities)?;
        } else if cursor.take("<!ELEMENT") || cursor.take("<!NOTATION") {
            while !cursor.take(">") {
                match cursor.rest.chars().next() {
                    Some('"' | '\'') => drop(cursor.quoted()?),
                    Some(c) => cursor.rest = &cursor.rest[c.len_utf8()..],
                    None => return Err(cut()),
                }
            }
        } else {
            return Err(unexpected(cursor.rest));
        }
    }
}

fn entity(cursor: &mut Cursor<'_>, entities: &mut Entities) -> Result<()> {
    cursor.some_space()?;
    let parameter = cursor.take("%");
    if parameter {
        cursor.some_space()?;
    }
    let name = cursor.name()?;
    cursor.some_space()?;
    let entity = if cursor.rest.starts_with(['"', '\'']) {
        Entity::Internal(value(cursor.quoted()?)?.into())
    } else {
        cursor.external()?;
        cursor.space();
        if cursor.take("NDATA") {
            cursor.some_space()?;
            cursor.name()?;
        }
        Entity::External
    };
    cursor.space();
    cursor.expect(">")?;
    entities.declare(name, parameter, entity)
}

/// The replacement text of an entity (§4.5): character references are expanded here, others where the entity is used.
fn value(literal: &str) -> Result<String> {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = rest.find(['&', '%', '\r']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(next) = rest.strip_prefix('\r') {
            out.push('\n');
            rest = next.strip_prefix('\n').unwrap_or(next);
            continue;
        }
        let Some((name, next)) = rest[1..].split_once(';').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::input(format!("`{}` in an entity's value does not start a reference", &rest[..1])));
        };
        if rest.starts_with('%') {
            return Err(Error::input(format!("`%{name};` cannot stand within a declaration of the document itself")));
        }
        match name.strip_prefix('#') {
            Some(number) => out.push(character(number)?),
            None => out.push_str(&rest[..name.len() + 2]),
        }
        rest = next;
    }
    out.push_str(rest);
    if out.chars().all(is_xml_char) {
        Ok(out)
    } else {
        Err(Error::input("an entity's value holds a control character"))
    }
}

/// `<!ATTLIST element (name type default)*>`: a parser that does not validate needs only the defaults.
fn attributes(cursor: &mut Cursor<'_>, entities: &mut Entities) -> Result<()> {
    cursor.some_space()?;
    let element = cursor.name()?;
    loop {
        cursor.space();
        if cursor.take(">") {
            return Ok(());
        }
        let attribute = cursor.name()?;
        cursor.some_space()?;
        if cursor.take("NOTATION") {
            cursor.some_space()?;
        }
        if cursor.take("(") {
            cursor.until(")")?;
        } else {
            cursor.name()?;
        }
        cursor.some_space()?;
        if cursor.take("#REQUIRED") || cursor.take("#IMPLIED") {
            continue;
        }
        if cursor.take("#FIXED") {
            cursor.some_space()?;
        }
        let value = cursor.quoted()?;
        entities.default_attribute(element, attribute, value);
    }
}

fn unexpected(rest: &str) -> Error {
    let shown: String = rest.trim_start().chars().take(20).collect();
    Error::input(format!("the document type cannot go on with `{shown}`"))
}

fn cut() -> Error {
    Error::input("the document type ends within a declaration")
}

struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        if self.take(token) { Ok(()) } else { Err(unexpected(self.rest)) }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn some_space(&mut self) -> Result<()> {
        let before = self.rest.len();
        self.space();
        if self.rest.len() < before { Ok(()) } else { Err(unexpected(self.rest)) }
    }

    fn until(&mut self, end: &str) -> Result<&'t str> {
        let (before, rest) = self.rest.split_once(end).ok_or_else(cut)?;
        self.rest = rest;
        Ok(before)
    }

    fn name(&mut self) -> Result<&'t str> {
        let ends = |c: char| c.is_ascii_whitespace() || "<>[]()\"'%;&|#,?*+".contains(c);
        let (name, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        if !is_name(name) {
            return Err(unexpected(self.rest));
        }
        self.rest = rest;
        Ok(name)
    }

    fn quoted(&mut self) -> Result<&'t str> {
        match self.rest.chars().next() {
            Some('"') => {
                self.rest = &self.rest[1..];
                self.until("\"")
            }
            Some('\'') => {
                self.rest = &self.rest[1..];
                self.until("'")
            }
            _ => Err(unexpected(self.rest)),
        }
    }

    /// `SYSTEM "…"` or `PUBLIC "…" "…"`.
    fn external(&mut self) -> Result<()> {
        if self.take("PUBLIC") {
            self.some_space()?;
            self.quoted()?;
        } else {
            self.expect("SYSTEM")?;
        }
        self.some_space()?;
        self.quoted().map(drop)
    }
}
