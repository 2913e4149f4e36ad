//! Which terms XML can hold, and how they are written so that reading gives them back unchanged.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::TermRef;
use kgq_syntax::rdf::xml::is_xml_char;
use kgq_syntax::text::visible;
use std::io::{self, Write};

/// Returns an error that names the term if `format`, an XML format, cannot hold it.
pub fn check(term: TermRef<'_>, format: &str) -> Result<()> {
    let text = match term {
        TermRef::NamedNode(node) => node.as_str(),
        TermRef::BlankNode(node) => node.as_str(),
        TermRef::Literal(literal) => literal.value(),
        TermRef::Triple(triple) => {
            check(triple.subject.as_ref().into(), format)?;
            check(triple.predicate.as_ref().into(), format)?;
            return check(triple.object.as_ref(), format);
        }
    };
    match text.chars().find(|c| !is_xml_char(*c)) {
        None => Ok(()),
        Some(c) => {
            let shown: String = term.to_string().chars().take(100).collect();
            Err(Error::usage(format!(
                "{format} cannot hold the character U+{:04X} of {}",
                u32::from(c),
                visible(&shown)
            ))
            .hint("choose a format that is no XML"))
        }
    }
}

/// Appends text, escaped so that an XML reader gives back exactly this text.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

/// Appends an attribute's value in quotes.
pub fn quote(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Passes XML on with its carriage returns as references: a literal one would be read as a line feed.
pub struct CarriageReturns<W>(pub W);

impl<W: Write> Write for CarriageReturns<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (number, part) in bytes.split(|byte| *byte == b'\r').enumerate() {
            if number > 0 {
                self.0.write_all(b"&#xD;")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
