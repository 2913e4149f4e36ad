//! RDF/XML (RDF 1.2 XML Syntax): quick-xml finds the markup, `xml` reads it by the rules of XML 1.0 and XML namespaces,
//! `grammar` turns it into statements. The text is read once, in pieces: memory does not grow with the file.
//!
//! Written here rather than taken from a library, because every statement needs its place, and because the expansion of
//! entities must be bounded.

mod attributes;
mod canonical;
mod document_type;
mod entities;
mod grammar;
mod names;
mod position;
#[cfg(test)]
mod tests;
mod xml;

use grammar::Grammar;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::iri::without_dots;
use kgq_syntax::rdf::{Prefixes, Triple};
use oxiri::Iri;
use std::io::Read;
use std::rc::Rc;
use xml::{Event, Xml};

pub use position::Position;

/// The positions of a statement's parts: of the element or attribute that gives its subject, and of the one that gives its
/// predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementPositions {
    pub subject: Position,
    pub predicate: Position,
}

/// How to read a document.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The document's name, for errors.
    pub name: &'a str,
    pub base: Option<&'a str>,
    /// Accept IRIs and language tags that are not well-formed.
    pub lenient: bool,
    pub bounds: Bounds,
}

/// Calls `keep` with each statement of a document and its positions, in the order in which the elements end. Returns the
/// prefixes that the document's first element declares.
///
/// # Errors
/// The first place where the document is not XML or not RDF/XML; a limit; a failure of `keep`.
pub fn read_rdf_xml<'a>(
    text: impl Read + 'a,
    settings: Settings<'a>,
    keep: &mut dyn FnMut(Triple, StatementPositions) -> Result<()>,
) -> Result<Prefixes> {
    let base = settings.base.map(|base| Iri::parse(without_dots(base))).transpose();
    let base = base.map_err(|e| Error::input(format!("{}: the base is no IRI: {e}", settings.name)))?;
    let mut xml = Xml::new(Box::new(text), settings.name, settings.bounds);
    let mut grammar = Grammar::new(base.map(Rc::new), settings.lenient, keep);
    let placed = |error: Error| match error.place() {
        // The grammar knows positions, but not the file's name.
        Some(place) if place.file.is_empty() => {
            let (line, column) = (place.line, place.column);
            error.at(Place::new(settings.name, line, column))
        }
        _ => error,
    };
    loop {
        let event = xml.next().map_err(placed)?;
        let (first, end) = (matches!(event, Event::Start(_)) && xml.depth() == 1, matches!(event, Event::End));
        if matches!(event, Event::Eof) {
            return Ok(grammar.prefixes);
        }
        if first {
            grammar.prefixes = xml.names().prefixes();
        }
        let at = xml.position();
        grammar.event(event, at, xml.names()).map_err(|error| placed(xml.placed(error)))?;
        if end {
            xml.close();
        }
    }
}
