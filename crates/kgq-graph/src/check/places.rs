//! Where each statement of a file is written.

mod json;
mod lines;
mod numbered;
mod parts;
#[cfg(test)]
mod sample;
mod sought;

pub use numbered::NumberedPlaces;
pub use sought::places_in_turtle;

use kgq_snapshot::store::{Input, Position, RdfXmlSettings, StatementPositions, read_rdf_xml};
use kgq_syntax::Span;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::diagnose::Known;
use kgq_syntax::embedded::Embedded;
use kgq_syntax::error::{Place, Source};
use kgq_syntax::rdf::blank::renamed;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, RdfFormat, Triple};
use kgq_syntax::turtle::{self, pieces::Piece, tree::Dialect, triples::Located};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The parse tree of a text takes about this many times the bytes of the text.
pub const TREE_TO_TEXT: u64 = 16;

/// The places of the statements in one file, or in a part of one.
pub struct Places {
    file: String,
    text: Arc<str>,
    lines: TextLines,
    statements: FxHashMap<Triple, Written>,
    subjects: FxHashMap<NamedOrBlankNode, Span>,
}

/// Where the lines of a text start: counting them from the start for each place would be slow in a large text.
struct TextLines {
    /// The line of the file on which the text starts, from 1.
    first: usize,
    /// The byte offset at which each line starts.
    starts: Vec<usize>,
}

#[derive(Clone)]
struct Written {
    predicate: Span,
    object: Span,
}

impl Places {
    /// Finds the places in a file's text, which was read as this input and gave these quads. In formats without a parse
    /// tree (N3), and for what the tree does not cover, only the first line that mentions a thing is known.
    pub fn new(file: &str, text: String, input: Option<&Input>, quads: &[Quad]) -> Self {
        let format = input.map(|input| input.format);
        let base = input.and_then(|input| input.base.as_deref());
        let mut places = Self::nothing_in(file);
        let source = Source::new(file, &text);
        let known = Known { base: base.is_some(), ..Known::default() };
        let dialect = format.and_then(dialect_of);
        if let Some(document) = dialect.and_then(|dialect| turtle::parse(source, dialect, known).ok()) {
            places.match_up(quads, turtle::triples::triples(&text, &document, base));
        }
        places.lines = TextLines::of(&text, 1);
        places.text = text.into();
        if format == Some(RdfFormat::RdfXml) {
            let located = places.in_rdf_xml(base);
            places.match_up(quads, located.into_iter());
        }
        if let Some(input) = input.filter(|input| input.format == RdfFormat::JsonLd && !quads.is_empty()) {
            json::match_up(&mut places, input, quads);
        }
        places
    }

    /// The places in a piece of a file, which was read as these quads.
    fn of_piece(file: &str, piece: Piece<'_>, quads: &[Quad]) -> Self {
        let mut places = Self::nothing_in(file);
        places.match_up(quads, piece.triples.into_iter());
        places.lines = TextLines::of(piece.text, piece.start.line);
        places.text = piece.text.into();
        places
    }

    fn nothing_in(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: Arc::default(),
            lines: TextLines::of("", 1),
            statements: FxHashMap::default(),
            subjects: FxHashMap::default(),
        }
    }

    /// The statements of RDF/XML. Their objects have no places of their own, because most are the text of the element.
    fn in_rdf_xml(&self, base: Option<&str>) -> Vec<Located> {
        // This text was already read, within the bounds and as strictly as asked for.
        let settings = RdfXmlSettings { name: &self.file, base, lenient: true, bounds: Bounds::default() };
        let mut read = Vec::new();
        // The places found before a syntax error are right.
        let _ = read_rdf_xml(self.text.as_bytes(), settings, &mut |triple, places| {
            read.push((triple, places));
            Ok(())
        });
        let names = self.names_at(read.iter().flat_map(|(_, places)| [places.subject, places.predicate]).collect());
        let name = |position| names.get(&position).cloned().unwrap_or(0..0);
        let located = |(triple, places): (Triple, StatementPositions)| Located {
            quad: triple.in_graph(GraphName::DefaultGraph),
            subject: name(places.subject),
            predicate: name(places.predicate),
            object: name(places.predicate),
        };
        read.into_iter().map(located).collect()
    }

    /// Returns the spans of the elements (with their `<`) and attributes that begin at these positions, up to the end
    /// of their names. It walks over the text only once, because a file may be a single line.
    fn names_at(&self, positions: BTreeSet<Position>) -> BTreeMap<Position, Span> {
        let mut names = BTreeMap::new();
        let (mut at, mut byte) = (Position { line: 1, column: 1 }, 0);
        for position in positions {
            if position.line > at.line {
                byte = self.lines.starts.get(position.line - 1).copied().unwrap_or(self.text.len());
                at = Position { line: position.line, column: 1 };
            }
            let rest = &self.text[byte..];
            byte += rest.char_indices().nth(position.column - at.column).map_or(rest.len(), |(offset, _)| offset);
            at = position;
            let rest = &self.text[byte..];
            let length = rest.find(|c: char| c.is_whitespace() || "=/>".contains(c)).unwrap_or(rest.len());
            names.insert(position, byte..byte + length);
        }
        names
    }

    /// Pairs the quads with the located statements. The parser that loads files names blank nodes differently from the
    /// tree, so statements are paired by their other terms and, where those are equal, in text order.
    fn match_up(&mut self, quads: &[Quad], located: impl Iterator<Item = Located>) {
        let mut written: FxHashMap<Triple, VecDeque<Located>> =
            quads.iter().map(|quad| (outline(quad), VecDeque::new())).collect();
        for located in located {
            if let Some(places) = written.get_mut(&outline(&located.quad)) {
                places.push_back(located);
            }
        }
        for quad in quads {
            let Some(Located { subject, predicate, object, .. }) =
                written.get_mut(&outline(quad)).and_then(VecDeque::pop_front)
            else {
                continue;
            };
            self.keep(quad, subject, Written { predicate, object });
        }
    }

    /// Records where a statement is written, unless that is known already, and where its subject is first written.
    fn keep(&mut self, quad: &Quad, subject: Span, written: Written) {
        let statement = Triple::new(quad.subject.clone(), quad.predicate.clone(), quad.object.clone());
        self.statements.entry(statement).or_insert(written);
        let first = self.subjects.entry(quad.subject.clone()).or_insert_with(|| subject.clone());
        if subject.start < first.start {
            *first = subject;
        }
    }

    /// Returns where a statement is written: on the line of its object, starting at its predicate if that is on the
    /// same line.
    pub fn statement(&self, statement: &Triple) -> Option<Place> {
        let Written { predicate, object } = self.statements.get(statement)?;
        Some(self.place(shown(&self.text, predicate, object)))
    }

    /// Returns the string that is the statement's object, in a format with a parse tree.
    pub fn string(&self, statement: &Triple) -> Option<(String, Embedded)> {
        let Written { object, .. } = self.statements.get(statement)?;
        let (text, embedded) = Embedded::in_turtle(&self.text, object.clone())?;
        Some((text, embedded.from_line(self.lines.first)))
    }

    /// Returns where a node is first written as a subject; in a format without a parse tree, where its name first
    /// appears.
    pub fn subject(&self, node: &NamedOrBlankNode) -> Option<Place> {
        self.written_subject(node).or_else(|| self.mention(node))
    }

    fn written_subject(&self, node: &NamedOrBlankNode) -> Option<Place> {
        Some(self.place(self.subjects.get(node)?.clone()))
    }

    /// Where the text first has the name of a node.
    fn mention(&self, node: &NamedOrBlankNode) -> Option<Place> {
        let NamedOrBlankNode::NamedNode(iri) = node else { return None };
        let local = iri.as_str().rsplit(['#', '/']).next().filter(|local| !local.is_empty());
        [Some(iri.as_str()), local].into_iter().flatten().find_map(|name| {
            let at = self.text.find(name)?;
            Some(self.place(at..at + name.len()))
        })
    }

    fn place(&self, span: Span) -> Place {
        self.lines.place(&self.file, &self.text, span)
    }
}

impl TextLines {
    fn of(text: &str, first: usize) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        Self { first, starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect() }
    }

    /// The place of a part of the text of which these are the lines.
    fn place(&self, file: &str, text: &str, span: Span) -> Place {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = line.checked_sub(1).map_or(0, |index| self.starts[index]);
        let end = self.starts.get(line).copied().unwrap_or(text.len());
        let place = Source::new(file, &text[start..end]).place(span.start - start..span.end - start);
        place.from_line(line).from_line(self.first)
    }
}

/// The dialect whose trees give the places in a format.
fn dialect_of(format: RdfFormat) -> Option<Dialect> {
    match format {
        RdfFormat::Turtle | RdfFormat::NTriples => Some(Dialect::Turtle),
        RdfFormat::TriG => Some(Dialect::TriG),
        RdfFormat::NQuads => Some(Dialect::NQuads),
        _ => None,
    }
}

/// The span that shows a statement: its object, and its predicate if that is on the same line.
fn shown(text: &str, predicate: &Span, object: &Span) -> Span {
    let together = predicate.start <= object.start && !text[predicate.start..object.start].contains('\n');
    if together { predicate.start..object.end } else { object.clone() }
}

/// A statement without the names of its blank nodes: only file order distinguishes two that are then equal.
pub fn outline(quad: &Quad) -> Triple {
    renamed(quad, &|_| BlankNode::new_unchecked("any")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::NamedNode;

    fn places(text: &str) -> (Vec<Quad>, Places) {
        let quads: Vec<Quad> = oxttl::TriGParser::new().for_slice(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        let input = Input::bytes("f.trig", Vec::new(), RdfFormat::TriG);
        let places = Places::new("f.trig", text.to_owned(), Some(&input), &quads);
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
    fn statements_of_rdf_xml_stand_at_their_elements() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'\r\n xmlns:e='http://e/'>\n\
                    <!-- http://e/s --><rdf:Description rdf:about='http://e/s'>\n  <e:é><e:C/></e:é>\n\
                    <e:p>1</e:p><e:p>\n2</e:p></rdf:Description></rdf:RDF>";
        let settings = RdfXmlSettings { name: "f", base: None, lenient: false, bounds: Bounds::default() };
        let mut quads: Vec<Quad> = Vec::new();
        let read = read_rdf_xml(text.as_bytes(), settings, &mut |triple, _| {
            quads.push(triple.in_graph(GraphName::DefaultGraph));
            Ok(())
        });
        assert!(read.is_ok());
        let input = Input::bytes("f.rdf", Vec::new(), RdfFormat::RdfXml);
        let places = Places::new("f.rdf", text.to_owned(), Some(&input), &quads);
        let mut found: Vec<(usize, usize)> = quads
            .iter()
            .map(|q| Triple::new(q.subject.clone(), q.predicate.clone(), q.object.clone()))
            .map(|statement| places.statement(&statement).map(|place| (place.line, place.column)).unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, [(4, 3), (4, 8), (5, 1), (5, 13)]);
        let subject = NamedNode::new_unchecked("http://e/s").into();
        assert_eq!(places.subject(&subject).map(|place| (place.line, place.column)), Some((3, 37)));
    }

    #[test]
    fn a_node_that_is_nowhere_has_no_place() {
        assert!(places("<urn:s> <urn:p> 1 .").1.subject(&BlankNode::default().into()).is_none());
    }
}
