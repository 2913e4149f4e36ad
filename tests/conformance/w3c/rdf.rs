//! The suites of RDF's syntaxes: what must parse, what must be refused, what a document means, and canonical lines.

use super::manifest::{Suites, Test, iri};
use crate::isomorphic::isomorphic;
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::{Prefixes, RdfFormat};

pub fn run(suites: &Suites, test: &Test) -> Result<(), String> {
    let document = iri(&test.action);
    let read = suites.read(&document, &document);
    if test.kind.contains("Negative") {
        return match read {
            Ok(_) => Err("is read, but must be refused".into()),
            Err(error) if error.kind() == Kind::Input && error.place().is_some() => Ok(()),
            Err(error) => Err(format!("is refused, but not as bad input at a place: {error}")),
        };
    }
    let quads = read.map_err(|e| format!("is refused: {e}"))?.quads;
    if test.kind.ends_with("PositiveSyntax") {
        return Ok(());
    }
    let expected = iri(test.result.as_ref().unwrap());
    if test.kind.ends_with("C14N") {
        let format = RdfFormat::from_path(&document).unwrap();
        let mut out = Vec::new();
        write_quads(&quads, format, &Prefixes::default(), GraphOptions::default(), &Budget::default(), &mut out)
            .unwrap();
        let got = String::from_utf8(out).unwrap();
        // Labels of blank nodes are not kept; each of these documents has only one.
        let expected = String::from_utf8(suites.text(&expected)).unwrap().replace("_:o1", "_:b0");
        return if got == expected { Ok(()) } else { Err(format!("is written\n{got}not\n{expected}")) };
    }
    assert!(test.kind.ends_with("Eval"), "{}: {} is no kind of test that is known", test.key, test.kind);
    let expected = suites.read(&expected, &expected).map_err(|e| format!("the result is refused: {e}"))?.quads;
    isomorphic(&quads, &expected)
}
