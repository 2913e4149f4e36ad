//! RDF/XML: one description for each run of statements with the same subject. What it cannot hold is refused before the
//! first byte.

use super::graph::{UsedPrefixes, Walk};
use super::output_error;
use super::xml::{check, escape, quote};
use kgq_syntax::budget::{Budget, Steps};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::xml::{is_nc_name, split_name};
use kgq_syntax::rdf::{BaseDirection, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use oxrdf::vocab::{rdf, xsd};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::io::Write;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const ITS: &str = "http://www.w3.org/2005/11/its";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Names in the RDF/XML namespace that cannot be properties (§5.1).
const NO_PROPERTIES: &[&str] = &[
    "RDF",
    "Description",
    "ID",
    "about",
    "aboutEach",
    "aboutEachPrefix",
    "bagID",
    "datatype",
    "li",
    "nodeID",
    "parseType",
    "resource",
];

/// Writes the triples of quads, without their graphs, with those of the prefixes that shorten an IRI. The quads are walked over twice.
pub fn write(walk: &Walk<'_>, prefixes: &Prefixes, budget: &Budget, out: &mut dyn Write) -> Result<()> {
    let steps = Steps::new(budget);
    let names = Names::of(walk(), prefixes, &steps)?;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF");
    for (namespace, prefix) in &names.prefixes {
        if *namespace == XML {
            continue;
        }
        text.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        text.push_str(prefix);
        text.push('=');
        quote(namespace, &mut text);
    }
    text.push_str(">\n");
    let mut quads = walk().peekable();
    while let Some(quad) = quads.next() {
        steps.take()?;
        let mut same_subject = vec![quad?];
        while let Some(quad) = quads.next_if(|next| next.as_ref().is_ok_and(|q| q.subject == same_subject[0].subject)) {
            same_subject.push(quad?);
        }
        names.description(&same_subject, &mut text);
        out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
        text.clear();
    }
    text.push_str("</rdf:RDF>\n");
    out.write_all(text.as_bytes()).map_err(|e| output_error(&e))
}

/// What needs a prefix, in the order in which it comes: predicates, and `None` for a direction of text.
#[derive(Default)]
struct Needed {
    in_order: Vec<Option<NamedNode>>,
    seen: FxHashSet<NamedNode>,
    directed: bool,
}

impl Needed {
    fn predicate(&mut self, predicate: &NamedNode) {
        if !self.seen.contains(predicate) {
            self.seen.insert(predicate.clone());
            self.in_order.push(Some(predicate.clone()));
        }
    }

    fn of(&mut self, object: &Term) -> Result<()> {
        match object {
            Term::Triple(triple) => {
                check(triple.subject.as_ref().into(), "RDF/XML")?;
                self.predicate(&triple.predicate);
                self.of(&triple.object)
            }
            Term::Literal(literal) => {
                if literal.direction().is_some() && !std::mem::replace(&mut self.directed, true) {
                    self.in_order.push(None);
                }
                check(object.as_ref(), "RDF/XML")
            }
            _ => check(object.as_ref(), "RDF/XML"),
        }
    }
}

/// The prefixes of a document by namespace.
struct Names {
    prefixes: BTreeMap<String, String>,
}

impl Names {
    /// The names that the statements need, or an error that says what RDF/XML cannot hold.
    fn of(mut quads: impl Iterator<Item = Result<Quad>>, prefixes: &Prefixes, steps: &Steps) -> Result<Self> {
        let (mut used, mut needed) = (UsedPrefixes::of(prefixes), Needed::default());
        let seen = quads.try_for_each(|quad| {
            steps.take()?;
            let quad = quad?;
            used.see(&quad);
            check(quad.subject.as_ref().into(), "RDF/XML")?;
            needed.predicate(&quad.predicate);
            needed.of(&quad.object)
        });
        let mut names = Self { prefixes: BTreeMap::new() };
        names.prefixes.insert(RDF.to_owned(), "rdf".to_owned());
        names.prefixes.insert(XML.to_owned(), "xml".to_owned());
        for (prefix, namespace) in used.in_use() {
            let free =
                !matches!(prefix, "rdf" | "its") && !prefix.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("xml"));
            if free && (prefix.is_empty() || is_nc_name(prefix)) && ![XMLNS, ITS].contains(&namespace) {
                names.prefixes.entry(namespace.to_owned()).or_insert_with(|| prefix.to_owned());
            }
        }
        for need in needed.in_order {
            match need {
                Some(predicate) => names.need(&predicate)?,
                None => {
                    names.prefixes.entry(ITS.to_owned()).or_insert_with(|| "its".to_owned());
                }
            }
        }
        // What stands before it was to be refused first.
        seen.map(|()| names)
    }

    /// Gives a prefix to the namespace of a predicate.
    fn need(&mut self, predicate: &NamedNode) -> Result<()> {
        if self.split(predicate.as_str()).is_some() {
            return Ok(());
        }
        let refused = |why: &str| {
            Err(Error::usage(format!("RDF/XML cannot hold the predicate {predicate}: {why}"))
                .hint("choose another format: turtle, trig, ntriples, nquads, jsonld"))
        };
        check(predicate.as_ref().into(), "RDF/XML")?;
        match split_name(predicate.as_str()) {
            None => refused("it must end in a name of XML, which begins with a letter"),
            Some((RDF, _)) => refused("this name is one of RDF/XML's own"),
            Some((XMLNS, _)) => refused("XML keeps this namespace to itself"),
            Some((namespace, _)) => {
                let taken = |prefix: &str| self.prefixes.values().any(|p| p == prefix);
                let mut number = self.prefixes.len();
                while taken(&format!("ns{number}")) {
                    number += 1;
                }
                self.prefixes.insert(namespace.to_owned(), format!("ns{number}"));
                Ok(())
            }
        }
    }

    /// Splits an IRI into prefix and local name: the declared namespace that leaves the shortest local name.
    fn split<'i>(&self, iri: &'i str) -> Option<(&str, &'i str)> {
        let (longest, name) = split_name(iri)?;
        // A namespace can end inside the local name, as `…/a` does in `…/ab`.
        let ends = name.char_indices().map(|(at, _)| longest.len() + at);
        let found = ends.rev().find_map(|end| {
            let (namespace, local) = iri.split_at(end);
            let prefix = self.prefixes.get(namespace).filter(|_| is_nc_name(local))?;
            Some((prefix.as_str(), local, namespace))
        });
        let (prefix, local, namespace) = found?;
        (namespace != RDF || !NO_PROPERTIES.contains(&local)).then_some((prefix, local))
    }

    fn name(&self, iri: &str) -> Option<String> {
        let (prefix, local) = self.split(iri)?;
        Some(if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") })
    }

    fn description(&self, quads: &[Quad], out: &mut String) {
        let Some(first) = quads.first() else { return };
        // If the first statement is an `rdf:type` whose class has a name, the class becomes the element.
        let class = match &first.object {
            Term::NamedNode(class) if first.predicate.as_ref() == rdf::TYPE => self.name(class.as_str()),
            _ => None,
        };
        let rest = if class.is_some() { &quads[1..] } else { quads };
        let tag = class.unwrap_or_else(|| "rdf:Description".to_owned());
        out.extend(["\t<", &tag]);
        subject(&first.subject, out);
        if rest.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push_str(">\n");
        for quad in rest {
            self.property(&quad.predicate, &quad.object, 2, out);
        }
        out.extend(["\t</", &tag, ">\n"]);
    }

    fn property(&self, predicate: &NamedNode, object: &Term, depth: usize, out: &mut String) {
        let indent = "\t".repeat(depth);
        let tag = self.name(predicate.as_str()).unwrap_or_default();
        out.extend([&indent, "<", &tag]);
        match object {
            Term::NamedNode(node) => {
                out.push_str(" rdf:resource=");
                quote(node.as_str(), out);
                out.push_str("/>\n");
            }
            Term::BlankNode(node) => {
                out.push_str(" rdf:nodeID=");
                quote(&node_id(node.as_str()), out);
                out.push_str("/>\n");
            }
            Term::Literal(literal) => {
                literal_attributes(literal, out);
                out.push('>');
                escape(literal.value(), out);
                out.extend(["</", &tag, ">\n"]);
            }
            Term::Triple(triple) => {
                out.push_str(" rdf:version=\"1.2\" rdf:parseType=\"Triple\">\n");
                self.triple(triple, depth + 1, out);
                out.extend([&indent, "</", &tag, ">\n"]);
            }
        }
    }

    fn triple(&self, triple: &Triple, depth: usize, out: &mut String) {
        let indent = "\t".repeat(depth);
        out.extend([&indent, "<rdf:Description"]);
        subject(&triple.subject, out);
        out.push_str(">\n");
        self.property(&triple.predicate, &triple.object, depth + 1, out);
        out.extend([&indent, "</rdf:Description>\n"]);
    }
}

fn subject(subject: &NamedOrBlankNode, out: &mut String) {
    match subject {
        NamedOrBlankNode::NamedNode(node) => {
            out.push_str(" rdf:about=");
            quote(node.as_str(), out);
        }
        NamedOrBlankNode::BlankNode(node) => {
            out.push_str(" rdf:nodeID=");
            quote(&node_id(node.as_str()), out);
        }
    }
}

/// Makes an XML name of a label: one that is no such name, or begins with `id.` already, gets `id.` before it, so that
/// labels stay distinct.
fn node_id(label: &str) -> String {
    if is_nc_name(label) && !label.starts_with("id.") { label.to_owned() } else { format!("id.{label}") }
}

fn literal_attributes(literal: &Literal, out: &mut String) {
    if let Some(language) = literal.language() {
        out.push_str(" xml:lang=");
        quote(&cased(language), out);
    } else if literal.datatype() != xsd::STRING {
        out.push_str(" rdf:datatype=");
        quote(literal.datatype().as_str(), out);
    }
    if let Some(direction) = literal.direction() {
        out.push_str(" rdf:version=\"1.2-basic\" its:version=\"2.0\" its:dir=");
        quote(if direction == BaseDirection::Ltr { "ltr" } else { "rtl" }, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::store::{RdfXmlSettings, read_rdf_xml};
    use kgq_syntax::bounds::Bounds;

    fn quads(turtle: &str) -> Vec<Quad> {
        oxttl::TurtleParser::new()
            .for_slice(turtle)
            .map(|triple| triple.unwrap().in_graph(oxrdf::GraphName::DefaultGraph))
            .collect()
    }

    fn written(quads: &[Quad], prefixes: &[(&str, &str)]) -> Result<String> {
        let mut out = Vec::new();
        let prefixes = Prefixes::from_iter(prefixes.iter().copied());
        write(&|| Box::new(quads.iter().cloned().map(Ok)), &prefixes, &Budget::default(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let quads = quads(
            "<http://e/s> a <http://e/1>, <http://e/2T> ; <http://e/p> ' \\r\\n\\r \\t<&]]>\"', 'x'@en--rtl, 'y'@de ;\n\
             <urn:a:b> '', <http://e/?a=1&b='2'>, _:x ; <http://f/q> <<( _:x <http://g#r> <<( <a:b> <a:c> 1 )>> )>> .\n\
             _:x <http://e/p> <http://e/s> . <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> a <http://e/T> .",
        );
        for prefixes in [&[][..], &[("", "http://e/"), ("xml", "http://f/"), ("its", "http://g#"), ("e", "http://e/")]]
        {
            let text = written(&quads, prefixes).unwrap();
            let settings = RdfXmlSettings { name: "d", base: None, lenient: false, bounds: Bounds::default() };
            let mut read = Vec::new();
            read_rdf_xml(text.as_bytes(), settings, &mut |triple, _| {
                read.push(triple);
                Ok(())
            })
            .unwrap_or_else(|e| panic!("{e}: {text}"));
            let mut wanted: Vec<_> = quads.iter().map(|quad| Triple::from(quad.clone()).to_string()).collect();
            let mut read: Vec<_> = read.iter().map(ToString::to_string).collect();
            wanted.sort();
            read.sort();
            assert_eq!(read, wanted.iter().map(|line| relabelled(line, &text)).collect::<Vec<_>>(), "{text}");
        }
    }

    /// Replaces the blank node's label in the line by the written one.
    fn relabelled(line: &str, text: &str) -> String {
        let label = text.split("rdf:nodeID=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        line.split(' ')
            .map(|word| if word.starts_with("_:") { format!("_:{label}") } else { word.to_owned() })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn what_xml_cannot_hold_is_refused_by_name_before_anything_is_written() {
        for (turtle, named) in [
            ("<http://e/s> <http://e/p> 1 . <http://e/s> <http://e/123> 1 .", "<http://e/123>"),
            ("<http://e/s> <http://e/p> 'a\\u0001b' .", "U+0001"),
            ("<http://e/s> <http://e/p> 'a\\uFFFEb' .", "U+FFFE"),
            ("<http://e/s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#about> 1 .", "RDF/XML's own"),
            ("<http://e/s> <http://www.w3.org/2000/xmlns/a> 1 .", "to itself"),
            ("<http://e/s> <http://e/p> <<( <a:b> <http://e/1> 1 )>> .", "<http://e/1>"),
        ] {
            let mut out = Vec::new();
            let walk = || -> Box<dyn Iterator<Item = Result<Quad>>> { Box::new(quads(turtle).into_iter().map(Ok)) };
            let error = write(&walk, &Prefixes::default(), &Budget::default(), &mut out).unwrap_err().to_string();
            assert!(error.contains(named) && out.is_empty(), "{error}");
        }
    }
}
