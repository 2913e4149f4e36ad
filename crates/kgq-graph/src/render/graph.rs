//! Graphs and datasets in RDF formats: only the prefixes in use, and RDF 1.2 mapped where a format cannot hold it.

use super::{output_error, rdfxml};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::written;
use kgq_syntax::rdf::rdf11;
use kgq_syntax::rdf::{GraphName, NamedOrBlankNode, Prefixes, Quad, QuadRef, RdfFormat, Term};
use oxrdfio::RdfSerializer;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;

/// Which version of RDF is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RdfVersion {
    /// RDF 1.2 where the format can hold it.
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

/// Writes quads. In a format without named graphs, quads of a named graph are an error. Returns how many terms were
/// mapped to RDF 1.1.
pub fn write_quads(
    quads: &[Quad],
    format: RdfFormat,
    prefixes: &Prefixes,
    options: GraphOptions,
    out: &mut dyn Write,
) -> Result<u64> {
    if !format.holds_named_graphs()
        && let Some(quad) = quads.iter().find(|q| q.graph_name != GraphName::DefaultGraph)
    {
        return Err(Error::usage(format!("{} cannot hold the named graph {}", format.name(), quad.graph_name))
            .hint("choose one graph with `--graph IRI`, or a format that holds all: trig, nquads, jsonld"));
    }
    let mapped;
    let (quads, count) = if options.version == RdfVersion::V11 || !format.holds_rdf_12() {
        mapped = rdf11::downgrade(quads);
        (mapped.quads.as_slice(), mapped.count)
    } else {
        (quads, 0)
    };
    if format == RdfFormat::RdfXml {
        rdfxml::write(quads, &used_prefixes(quads, prefixes), out)?;
        return Ok(count);
    }
    let Some(output) = output_format(format) else {
        return Err(Error::usage(format!("{} is read, not written", format.name()))
            .hint(format!("formats that are written: {}", RdfFormat::list(true))));
    };
    let mut serializer = RdfSerializer::from_format(output);
    for (prefix, namespace) in used_prefixes(quads, prefixes) {
        serializer = serializer
            .with_prefix(prefix, namespace)
            .map_err(|e| Error::input(format!("prefix `{prefix}` does not stand for an IRI: {e}")))?;
    }
    let mut writer = serializer.for_writer(&mut *out);
    // The canonical form of the line formats has tags in lower case (RDF 1.2 N-Triples, §4).
    let keeps_tags = matches!(format, RdfFormat::NTriples | RdfFormat::NQuads);
    for quad in quads {
        let object = if keeps_tags { Cow::Borrowed(&quad.object) } else { written(&quad.object) };
        let quad = QuadRef { object: object.as_ref().as_ref(), ..quad.as_ref() };
        writer.serialize_quad(quad).map_err(|e| output_error(&e))?;
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
fn used_prefixes<'a>(quads: &[Quad], prefixes: &'a Prefixes) -> Vec<(&'a str, &'a str)> {
    fn visit<'a>(iri: &str, prefixes: &'a Prefixes, seen: &mut BTreeSet<&'a str>) {
        let best = prefixes
            .iter()
            .filter(|(_, namespace)| !namespace.is_empty() && iri.starts_with(namespace))
            .max_by_key(|(_, namespace)| namespace.len());
        seen.extend(best.map(|(prefix, _)| prefix));
    }
    fn visit_term<'a>(term: &Term, prefixes: &'a Prefixes, seen: &mut BTreeSet<&'a str>) {
        match term {
            Term::NamedNode(node) => visit(node.as_str(), prefixes, seen),
            Term::BlankNode(_) => {}
            Term::Literal(literal) => {
                if literal.language().is_none() && literal.datatype() != oxrdf::vocab::xsd::STRING {
                    visit(literal.datatype().as_str(), prefixes, seen);
                }
            }
            Term::Triple(triple) => {
                if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
                    visit(node.as_str(), prefixes, seen);
                }
                visit(triple.predicate.as_str(), prefixes, seen);
                visit_term(&triple.object, prefixes, seen);
            }
        }
    }
    let mut seen = BTreeSet::new();
    for quad in quads {
        if let NamedOrBlankNode::NamedNode(node) = &quad.subject {
            visit(node.as_str(), prefixes, &mut seen);
        }
        // `rdf:type` is written `a`.
        if quad.predicate.as_ref() != oxrdf::vocab::rdf::TYPE {
            visit(quad.predicate.as_str(), prefixes, &mut seen);
        }
        visit_term(&quad.object, prefixes, &mut seen);
        if let GraphName::NamedNode(node) = &quad.graph_name {
            visit(node.as_str(), prefixes, &mut seen);
        }
    }
    prefixes.iter().filter(|(prefix, _)| seen.contains(prefix)).collect()
}
