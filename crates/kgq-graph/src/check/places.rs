//! Where in a file each of its statements is written.

use kgq_syntax::Span;
use kgq_syntax::diagnose::Known;
use kgq_syntax::error::{Place, Source};
use kgq_syntax::rdf::{NamedOrBlankNode, Quad, RdfFormat, Term, Triple};
use kgq_syntax::turtle::{self, tree::Dialect, triples::Located};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// The places of one file's statements.
pub struct Places {
    file: String,
    text: String,
    /// The byte offset at which each line starts.
    lines: Vec<usize>,
    statements: FxHashMap<Triple, Written>,
    subjects: FxHashMap<NamedOrBlankNode, Span>,
}

#[derive(Clone)]
struct Written {
    predicate: Span,
    object: Span,
}

impl Places {
    /// The places in a text that was parsed to these quads, against this base. In formats without a tree (RDF/XML, JSON-LD)
    /// only the first line that names a thing is known.
    pub fn new(file: &str, text: String, format: Option<RdfFormat>, base: Option<&str>, quads: &[Quad]) -> Self {
        let mut places = Self {
            file: file.to_owned(),
            text: String::new(),
            lines: Vec::new(),
            statements: FxHashMap::default(),
            subjects: FxHashMap::default(),
        };
        let dialect = match format {
            Some(RdfFormat::Turtle | RdfFormat::NTriples) => Some(Dialect::Turtle),
            Some(RdfFormat::TriG) => Some(Dialect::TriG),
            Some(RdfFormat::NQuads) => Some(Dialect::NQuads),
            _ => None,
        };
        let source = Source::new(file, &text);
        let known = Known { base: base.is_some(), ..Known::default() };
        if let Some(document) = dialect.and_then(|dialect| turtle::parse(source, dialect, known).ok()) {
            places.match_up(quads, turtle::triples::triples(&text, &document, base));
        }
        places.lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        places.text = text;
        places
    }

    /// The parser that loads files names blank nodes otherwise than the tree does. So statements are paired by their other
    /// terms, and where those are the same, in the order of the text.
    fn match_up(&mut self, quads: &[Quad], located: impl Iterator<Item = Located>) {
        let mut written: FxHashMap<Triple, VecDeque<Located>> = FxHashMap::default();
        for located in located {
            let quad = &located.quad;
            let key = without_blank_nodes(&quad.subject, &quad.predicate, &quad.object);
            written.entry(key).or_default().push_back(located);
        }
        for quad in quads {
            let key = without_blank_nodes(&quad.subject, &quad.predicate, &quad.object);
            let Some(Located { subject, predicate, object, .. }) = written.get_mut(&key).and_then(VecDeque::pop_front)
            else {
                continue;
            };
            let statement = Triple::new(quad.subject.clone(), quad.predicate.clone(), quad.object.clone());
            self.statements.entry(statement).or_insert(Written { predicate, object });
            let first = self.subjects.entry(quad.subject.clone()).or_insert_with(|| subject.clone());
            if subject.start < first.start {
                *first = subject;
            }
        }
    }

    /// Where a statement is written: on the line of its object, from its predicate if that is on the same line.
    pub fn statement(&self, statement: &Triple) -> Option<Place> {
        let Written { predicate, object } = self.statements.get(statement)?;
        let together = predicate.start <= object.start && !self.text[predicate.start..object.start].contains('\n');
        let start = if together { predicate.start } else { object.start };
        Some(self.place(start..object.end))
    }

    /// Where a node is first written as a subject; in a format without a tree, where its name first stands.
    pub fn subject(&self, node: &NamedOrBlankNode) -> Option<Place> {
        if let Some(span) = self.subjects.get(node) {
            return Some(self.place(span.clone()));
        }
        let NamedOrBlankNode::NamedNode(iri) = node else { return None };
        let local = iri.as_str().rsplit(['#', '/']).next().filter(|local| !local.is_empty());
        [Some(iri.as_str()), local].into_iter().flatten().find_map(|name| {
            let at = self.text.find(name)?;
            Some(self.place(at..at + name.len()))
        })
    }

    fn place(&self, span: Span) -> Place {
        // Counting lines from the top for each finding would be slow in a large file.
        let line = self.lines.partition_point(|start| *start <= span.start);
        let start = line.checked_sub(1).map_or(0, |index| self.lines[index]);
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let place = Source::new(&self.file, &self.text[start..end]).place(span.start - start..span.end - start);
        Place { line, ..place }
    }
}

fn without_blank_nodes(subject: &NamedOrBlankNode, predicate: &kgq_syntax::rdf::NamedNode, object: &Term) -> Triple {
    let any = || kgq_syntax::rdf::BlankNode::new_unchecked("any");
    let subject = match subject {
        NamedOrBlankNode::BlankNode(_) => any().into(),
        NamedOrBlankNode::NamedNode(_) => subject.clone(),
    };
    let object = match object {
        Term::BlankNode(_) => any().into(),
        Term::Triple(triple) => without_blank_nodes(&triple.subject, &triple.predicate, &triple.object).into(),
        Term::NamedNode(_) | Term::Literal(_) => object.clone(),
    };
    Triple::new(subject, predicate.clone(), object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{BlankNode, NamedNode};

    fn places(text: &str) -> (Vec<Quad>, Places) {
        let quads: Vec<Quad> = oxttl::TriGParser::new().for_slice(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        let places = Places::new("f.trig", text.to_owned(), Some(RdfFormat::TriG), None, &quads);
        (quads, places)
    }

    fn lines(text: &str) -> Vec<(String, usize, usize)> {
        let (quads, places) = places(text);
        let mut found = Vec::new();
        for quad in quads {
            let place = places.statement(&Triple::new(quad.subject, quad.predicate.clone(), quad.object)).unwrap();
            found.push((quad.predicate.as_str().to_owned(), place.line, place.column));
        }
        found.sort();
        found
    }

    #[test]
    fn a_statement_stands_on_the_line_of_its_object() {
        let text = "<urn:s>\n  <urn:p> 1 ;\n  <urn:q> 2,\n     3 .";
        let expected = [("urn:p", 2, 3), ("urn:q", 3, 3), ("urn:q", 4, 6)];
        assert_eq!(lines(text), expected.map(|(p, l, c)| (p.to_owned(), l, c)));
    }

    #[test]
    fn a_reifier_and_its_annotation_stand_where_they_are_written() {
        let text = "<urn:s> <urn:p> 1 ~ <urn:r>\n  {| <urn:from> <urn:c> |} .";
        let (_, places) = places(text);
        let reifier = NamedNode::new_unchecked("urn:r");
        let from =
            Triple::new(reifier.clone(), NamedNode::new_unchecked("urn:from"), NamedNode::new_unchecked("urn:c"));
        assert_eq!(places.statement(&from).unwrap().line, 2);
        assert_eq!(places.subject(&reifier.into()).unwrap().line, 1);
    }

    #[test]
    fn statements_of_anonymous_nodes_are_told_apart_by_their_order() {
        let text = "<urn:s> <urn:p>\n [ <urn:q> 1 ],\n [ <urn:q> 1 ] .\n";
        let found: Vec<usize> =
            lines(text).into_iter().filter(|(p, ..)| p == "urn:q").map(|(_, line, _)| line).collect();
        assert_eq!(found, [2, 3]);
    }

    #[test]
    fn a_node_that_is_nowhere_has_no_place() {
        assert!(places("<urn:s> <urn:p> 1 .").1.subject(&BlankNode::default().into()).is_none());
    }
}
