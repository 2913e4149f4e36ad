//! Formats Turtle and TriG in a uniform way, so that a change to one fact changes one line.
//!
//! Used prefixes come first, sorted. Each subject is a block with one fact per line: `a` first, then names, then the
//! rest by name. The dot is on a line of its own, so that no fact's line depends on its neighbours. Subjects are sorted
//! within a section. A comment between blank lines begins a section; any other comment stays with the element that it
//! belongs to. Reifiers and annotations stay as written. A text that changes the meaning of a prefix or of its base
//! midway is formatted in parts. The result is compared with the original as a graph, and nothing is returned if they
//! differ.

mod comments;
mod layout;
mod model;
mod order;
mod parts;
mod print;

pub use layout::{is_plain_local, quoted, quoted_on_one_line};
pub use order::{natural, rank};

use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::diagnose::{self, Known};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::guard::{Guard, passed};
use kgq_syntax::rdf::Quad;
use kgq_syntax::rdf::isomorphism::are_isomorphic;
use kgq_syntax::turtle::{self, tree::Dialect};

/// Any base will do: relative IRIs are written unchanged, and the base is used only for comparison.
const BASE: &str = "http://base.invalid/";

/// Formats Turtle or TriG. Formatting the result again does not change it.
///
/// # Errors
/// A syntax error, or a result that would not be the same graph; the budget's.
pub fn turtle(source: Source<'_>, dialect: Dialect, bounds: &Bounds, budget: &Budget) -> Result<String> {
    let mut guard = Guard::new(source.text.as_bytes(), source.name, *bounds);
    if let Err(error) = std::io::copy(&mut guard, &mut std::io::sink()) {
        return Err(passed(&error).unwrap_or_else(|| Error::io(source.name, &error)));
    }
    let before = read(source, dialect)?;
    let document = turtle::parse(source, dialect, Known { prefixes: &[], base: true })?;
    let formatted = parts::format(source.text, &document);
    if formatted == source.text {
        return Ok(formatted);
    }
    let after = read(Source::new(source.name, &formatted), dialect).map_err(|error| {
        Error::bug(format!("the formatted text of {} would not parse: {}", source.name, error.message()))
    })?;
    if !are_isomorphic(&before, &after, budget)? {
        return Err(Error::bug(format!("formatting {} would change its graph, so it is left as it is", source.name)));
    }
    Ok(formatted)
}

fn read(source: Source<'_>, dialect: Dialect) -> Result<Vec<Quad>> {
    let base = "the base is a valid IRI";
    let quads: Result<Vec<Quad>, _> = match dialect {
        Dialect::Turtle => oxttl::TurtleParser::new()
            .with_base_iri(BASE)
            .expect(base)
            .for_slice(source.text)
            .map(|triple| triple.map(|t| t.in_graph(oxrdf::GraphName::DefaultGraph)))
            .collect(),
        Dialect::TriG => oxttl::TriGParser::new().with_base_iri(BASE).expect(base).for_slice(source.text).collect(),
        Dialect::NQuads => return Err(Error::usage(format!("{} is neither Turtle nor TriG", source.name))),
    };
    quads.map_err(|error| {
        let place = error.location();
        let place = place.start.offset as usize..place.end.offset as usize;
        diagnose::turtle(source, dialect, error.message(), place, Known { prefixes: &[], base: true })
    })
}

#[cfg(test)]
mod tests;
