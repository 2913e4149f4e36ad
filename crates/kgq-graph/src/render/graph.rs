//! Writes graphs and datasets in RDF formats: with only the prefixes in use, and with RDF 1.2 mapped if a format cannot
//! hold it.

use super::{output_error, rdfxml};
use kgq_syntax::budget::{Budget, Steps};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::written;
use kgq_syntax::rdf::rdf11;
use kgq_syntax::rdf::{GraphName, NamedOrBlankNode, Prefixes, Quad, QuadRef, RdfFormat, Term, Triple};
use oxrdfio::RdfSerializer;
use rustc_hash::FxHashSet;
use std::borrow::{Borrow, Cow};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Deref;

/// The version of RDF that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RdfVersion {
    /// RDF 1.2 if the format can hold it.
    #[default]
    V12,
    /// RDF 1.1: reifiers as `rdf:Statement`, base direction as the i18n datatype.
    V11,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphOptions {
    pub version: RdfVersion,
}

/// Writes quads within a budget. If the format has no named graphs, quads in a named graph are an error. Returns the
/// number of terms mapped to RDF 1.1.
pub fn write_quads(
    quads: &[Quad],
    format: RdfFormat,
    prefixes: &Prefixes,
    options: GraphOptions,
    budget: &Budget,
    out: &mut dyn Write,
) -> Result<u64> {
    check_graphs(quads.iter().map(Ok), format)?;
    let steps = Steps::new(budget);
    let is_mapped = options.version == RdfVersion::V11 || !format.holds_rdf_12();
    let mapped = if is_mapped { Some(rdf11::downgrade(quads, budget)?.0) } else { None };
    let each = || -> Box<dyn Iterator<Item = &Quad>> {
        match &mapped {
            Some(mapped) => Box::new(mapped.quads.iter().map(Deref::deref)),
            None => Box::new(quads.iter()),
        }
    };
    if format == RdfFormat::RdfXml {
        rdfxml::write(&|| Box::new(each().cloned().map(Ok)), prefixes, budget, out)?;
    } else {
        let used = used_prefixes(each().map(Ok), prefixes, &steps)?;
        serialize(each().map(|quad| steps.take().map(|()| Cow::Borrowed(quad))), format, used, out)?;
    }
    Ok(mapped.map_or(0, |mapped| mapped.count))
}

/// Iterates over the same quads each time it is called.
pub type Walk<'q> = dyn Fn() -> Box<dyn Iterator<Item = Result<Quad>> + 'q> + 'q;

/// Quads that are not held: they are walked over.
pub struct Walked<'q> {
    pub walk: &'q Walk<'q>,
    /// Whether any of them may be in a named graph.
    pub named: bool,
    /// Whether any of them may have a triple term.
    pub triple_terms: bool,
}

/// The same for quads that are not held: once, once more where the format declares prefixes, and once more where names have to be found
/// for what RDF 1.1 lacks. What is mapped to RDF 1.1 is held.
///
/// # Errors
/// As [`write_quads`].
pub fn write_walked(
    quads: &Walked<'_>,
    format: RdfFormat,
    prefixes: &Prefixes,
    options: GraphOptions,
    budget: &Budget,
    out: &mut dyn Write,
) -> Result<u64> {
    let Walked { walk, named, triple_terms } = *quads;
    if named && !format.holds_named_graphs() {
        check_graphs(walk(), format)?;
    }
    let (steps, mapped) = (Steps::new(budget), Cell::new(0));
    let is_mapped = options.version == RdfVersion::V11 || !format.holds_rdf_12();
    let taken = if is_mapped && triple_terms { rdf11::contested_labels(walk())? } else { FxHashSet::default() };
    let each = || -> Box<dyn Iterator<Item = Result<Quad>> + '_> {
        match is_mapped {
            true => Box::new(rdf11::downgraded(walk(), taken.clone(), &mapped, budget)),
            false => walk(),
        }
    };
    if format == RdfFormat::RdfXml {
        rdfxml::write(&each, prefixes, budget, out)?;
        return Ok(mapped.get());
    }
    let used = match format {
        RdfFormat::NTriples | RdfFormat::NQuads => Vec::new(),
        _ => used_prefixes(each(), prefixes, &steps)?,
    };
    serialize(each().map(|quad| steps.take().and(quad).map(Cow::Owned)), format, used, out)?;
    Ok(mapped.get())
}

/// Checks that a format without named graphs is given none.
fn check_graphs<Q: Borrow<Quad>>(quads: impl Iterator<Item = Result<Q>>, format: RdfFormat) -> Result<()> {
    if format.holds_named_graphs() {
        return Ok(());
    }
    for quad in quads {
        let graph = &quad?;
        let graph = &graph.borrow().graph_name;
        if *graph != GraphName::DefaultGraph {
            return Err(Error::usage(format!("{} cannot hold the named graph {graph}", format.name()))
                .hint("choose one graph with `--graph IRI`, or a format that holds all: trig, nquads, jsonld"));
        }
    }
    Ok(())
}

/// Whether all quads are needed before the first is written: mapping numbers terms over the whole, and RDF/XML declares
/// its namespaces at the start.
fn is_whole(format: RdfFormat, options: GraphOptions) -> bool {
    options.version == RdfVersion::V11 || !format.holds_rdf_12() || output_format(format).is_none()
}

/// The most triples that are searched for the prefixes in use before writing begins. If there are more, all prefixes
/// are declared.
const AHEAD: usize = 10_000;

/// Writes the triples of an answer; a long one is written as it arrives if the format allows it. Returns the number of
/// triples, and the number of terms mapped to RDF 1.1.
pub fn write_triples(
    triples: impl Iterator<Item = Result<Triple>>,
    format: RdfFormat,
    prefixes: &Prefixes,
    options: GraphOptions,
    out: &mut dyn Write,
) -> Result<(u64, u64)> {
    let ahead = match format {
        _ if is_whole(format, options) => usize::MAX,
        RdfFormat::NTriples | RdfFormat::NQuads => 0,
        _ => AHEAD,
    };
    let mut quads = triples.map(|triple| triple.map(|triple| triple.in_graph(GraphName::DefaultGraph)));
    let first: Vec<Quad> = quads.by_ref().take(ahead).collect::<Result<_>>()?;
    if first.len() < ahead {
        let mapped = write_quads(&first, format, prefixes, options, &Budget::default(), out)?;
        return Ok((first.len() as u64, mapped));
    }
    let all = first.into_iter().map(Ok).chain(quads).map(|quad| quad.map(Cow::Owned));
    Ok((serialize(all, format, prefixes.iter().collect(), out)?, 0))
}

/// Writes quads one by one, and returns their number.
fn serialize<'q>(
    quads: impl Iterator<Item = Result<Cow<'q, Quad>>>,
    format: RdfFormat,
    prefixes: Vec<(&str, &str)>,
    out: &mut dyn Write,
) -> Result<u64> {
    let Some(output) = output_format(format) else {
        return Err(Error::usage(format!("{} is read, not written", format.name()))
            .hint(format!("formats that are written: {}", RdfFormat::list(true))));
    };
    let mut serializer = RdfSerializer::from_format(output);
    for (prefix, namespace) in prefixes {
        serializer = serializer
            .with_prefix(prefix, namespace)
            .map_err(|e| Error::input(format!("prefix `{prefix}` does not stand for an IRI: {e}")))?;
    }
    let mut writer = serializer.for_writer(&mut *out);
    // The canonical form of the line formats has language tags in lower case (RDF 1.2 N-Triples, §4).
    let keeps_tags = matches!(format, RdfFormat::NTriples | RdfFormat::NQuads);
    let mut count = 0;
    for quad in quads {
        let quad = quad?;
        let object = if keeps_tags { Cow::Borrowed(&quad.object) } else { written(&quad.object) };
        let quad = QuadRef { object: object.as_ref().as_ref(), ..quad.as_ref().as_ref() };
        writer.serialize_quad(quad).map_err(|e| output_error(&e))?;
        count += 1;
    }
    writer.finish().map_err(|e| output_error(&e))?;
    if format == RdfFormat::JsonLd {
        writeln!(out).map_err(|e| output_error(&e))?;
    }
    Ok(count)
}

fn output_format(format: RdfFormat) -> Option<oxrdfio::RdfFormat> {
    Some(match format {
        RdfFormat::Turtle => oxrdfio::RdfFormat::Turtle,
        RdfFormat::TriG => oxrdfio::RdfFormat::TriG,
        RdfFormat::NTriples => oxrdfio::RdfFormat::NTriples,
        RdfFormat::NQuads => oxrdfio::RdfFormat::NQuads,
        RdfFormat::JsonLd => oxrdfio::RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
        RdfFormat::RdfXml | RdfFormat::N3 | RdfFormat::TurtleStar | RdfFormat::TriGStar => return None,
    })
}

/// The prefixes that shorten some IRI of the quads.
fn used_prefixes<'a, Q: Borrow<Quad>>(
    quads: impl Iterator<Item = Result<Q>>,
    prefixes: &'a Prefixes,
    steps: &Steps,
) -> Result<Vec<(&'a str, &'a str)>> {
    let mut used = UsedPrefixes::of(prefixes);
    for quad in quads {
        steps.take()?;
        used.see(quad?.borrow());
    }
    Ok(used.in_use())
}

/// The prefixes that shorten some IRI of the quads seen so far.
pub(super) struct UsedPrefixes<'a> {
    prefixes: &'a Prefixes,
    seen: BTreeSet<&'a str>,
}

impl<'a> UsedPrefixes<'a> {
    pub(super) fn of(prefixes: &'a Prefixes) -> Self {
        Self { prefixes, seen: BTreeSet::new() }
    }

    /// Returns them with their namespaces.
    pub(super) fn in_use(&self) -> Vec<(&'a str, &'a str)> {
        self.prefixes.iter().filter(|(prefix, _)| self.seen.contains(prefix)).collect()
    }

    pub(super) fn see(&mut self, quad: &Quad) {
        if let NamedOrBlankNode::NamedNode(node) = &quad.subject {
            self.iri(node.as_str());
        }
        // `rdf:type` is written as `a`.
        if quad.predicate.as_ref() != oxrdf::vocab::rdf::TYPE {
            self.iri(quad.predicate.as_str());
        }
        self.term(&quad.object);
        if let GraphName::NamedNode(node) = &quad.graph_name {
            self.iri(node.as_str());
        }
    }

    fn iri(&mut self, iri: &str) {
        let fitting = self.prefixes.iter().filter(|(_, namespace)| !namespace.is_empty() && iri.starts_with(namespace));
        let best = fitting.max_by_key(|(_, namespace)| namespace.len());
        self.seen.extend(best.map(|(prefix, _)| prefix));
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::NamedNode(node) => self.iri(node.as_str()),
            Term::BlankNode(_) => {}
            Term::Literal(literal) => {
                if literal.language().is_none() && literal.datatype() != oxrdf::vocab::xsd::STRING {
                    self.iri(literal.datatype().as_str());
                }
            }
            Term::Triple(triple) => {
                if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
                    self.iri(node.as_str());
                }
                self.iri(triple.predicate.as_str());
                self.term(&triple.object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{Literal, NamedNode};

    fn numbered(number: usize) -> Result<Triple> {
        let iri = |text: String| NamedNode::new_unchecked(text);
        Ok(Triple::new(iri(format!("http://e/{number}")), iri("http://e/p".into()), Literal::from(number as u64)))
    }

    fn prefixes() -> Prefixes {
        let mut prefixes = Prefixes::default();
        prefixes.insert_if_absent("e", "http://e/");
        prefixes.insert_if_absent("unused", "http://unused/");
        prefixes
    }

    fn written(many: usize, format: RdfFormat) -> String {
        let (mut out, options) = (Vec::new(), GraphOptions::default());
        let (rows, mapped) = write_triples((0..many).map(numbered), format, &prefixes(), options, &mut out).unwrap();
        assert_eq!((rows, mapped), (many as u64, 0));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_short_graph_declares_the_prefixes_in_use_and_a_long_one_all() {
        let short = written(3, RdfFormat::Turtle);
        assert!(short.contains("@prefix e:") && !short.contains("unused"), "{short}");
        for many in [AHEAD, AHEAD + 3] {
            let long = written(many, RdfFormat::Turtle);
            assert!(long.contains("@prefix unused:") && long.contains("\ne:9999 e:p 9999"), "{}", &long[..300]);
        }
    }

    #[test]
    fn lines_are_written_as_triples_come() {
        struct Lines(usize);
        impl Write for &mut Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.iter().filter(|byte| **byte == b'\n').count();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut lines = Lines(0);
        let broken = (0..50_000).map(numbered).chain([Err(Error::input("broken"))]);
        let error = write_triples(broken, RdfFormat::NTriples, &prefixes(), GraphOptions::default(), &mut &mut lines);
        assert_eq!((error.unwrap_err().message(), lines.0 > 40_000), ("broken", true));
    }
}
