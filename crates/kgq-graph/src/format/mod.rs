//! Turtle and TriG written the same way every time, so that a change of one fact is a change of one line.
//!
//! Prefixes in use stand first, sorted. Each subject is a block with one fact a line, `a` first, then names, then the rest by
//! name; the dot has a line of its own, so that no fact's line depends on its neighbours. Subjects are sorted within a section; a
//! comment between blank lines begins a section, any other comment stays with what it stands at. Reifiers and annotations stay as
//! written. A text that gives a prefix or its base another meaning half-way is formatted in parts. The result is compared with the original as a graph, and nothing is given back if they differ.

mod comments;
mod layout;
mod model;
mod order;
mod parts;
mod print;

pub use layout::{is_plain_local, quoted, quoted_on_one_line};
pub use order::{natural, rank};

use kgq_syntax::bounds::Bounds;
use kgq_syntax::diagnose::{self, Known};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::guard::{Guard, passed};
use kgq_syntax::turtle::{self, tree::Dialect};
use oxrdf::Dataset;
use oxrdf::dataset::CanonicalizationAlgorithm;

/// Any base does: relative IRIs are written as they are, and only compared.
const BASE: &str = "http://base.invalid/";

/// Formats Turtle or TriG. Formatting the result gives the result.
///
/// # Errors
/// A mistake in the text, or a result that would not be the same graph.
pub fn turtle(source: Source<'_>, dialect: Dialect, bounds: &Bounds) -> Result<String> {
    let mut guard = Guard::new(source.text.as_bytes(), source.name, *bounds);
    if let Err(error) = std::io::copy(&mut guard, &mut std::io::sink()) {
        return Err(passed(&error).unwrap_or_else(|| Error::io(source.name, &error)));
    }
    let before = read(source, dialect)?;
    let document = turtle::parse(source, dialect, Known { prefixes: &[], base: true })?;
    let formatted = parts::format(source.text, &document);
    let after = read(Source::new(source.name, &formatted), dialect).map_err(|error| {
        Error::bug(format!("the formatted text of {} would not parse: {}", source.name, error.message()))
    })?;
    if !same_graph(before, after) {
        return Err(Error::bug(format!("formatting {} would change its graph, so it is left as it is", source.name)));
    }
    Ok(formatted)
}

fn read(source: Source<'_>, dialect: Dialect) -> Result<Dataset> {
    let base = "the base is a valid IRI";
    let quads: Result<Dataset, _> = match dialect {
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

fn same_graph(mut before: Dataset, mut after: Dataset) -> bool {
    if before.len() != after.len() {
        return false;
    }
    if before == after {
        return true;
    }
    before.canonicalize(CanonicalizationAlgorithm::Unstable);
    after.canonicalize(CanonicalizationAlgorithm::Unstable);
    before == after
}

#[cfg(test)]
mod tests;
