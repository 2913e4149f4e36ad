//! Turtle-star and TriG-star of the W3C community group (2021), read by rio_turtle. Each distinct quoted triple of a file
//! becomes one blank node that reifies it, because in these formats equal quoted triples are the same term.

use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{
    BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, RdfFormat, Term, Triple,
};
use rio_api::model as rio;
use rio_api::parser::{ParseError, QuadsParser, TriplesParser};
use rio_turtle::{TriGParser, TurtleError, TurtleParser};
use rustc_hash::FxHashMap;
use std::io::BufRead;

/// Reads a document in one of the community group's formats, calls `each` with every quad, and returns the prefixes.
pub fn read_star(
    name: &str,
    reader: impl BufRead,
    format: RdfFormat,
    base: Option<&str>,
    mut each: impl FnMut(Quad) -> Result<()>,
) -> Result<Prefixes> {
    let base = base
        .map(|iri| oxiri::Iri::parse(iri.to_owned()))
        .transpose()
        .map_err(|e| Error::input(format!("{name}: the base is no IRI: {e}")))?;
    let mut star = Star { reifiers: FxHashMap::default() };
    if format == RdfFormat::TriGStar {
        let mut parser = TriGParser::new(reader, base);
        parser
            .parse_all(&mut |q| {
                let graph = match q.graph_name {
                    None => GraphName::DefaultGraph,
                    Some(rio::GraphName::NamedNode(n)) => NamedNode::new_unchecked(n.iri).into(),
                    Some(rio::GraphName::BlankNode(b)) => BlankNode::new_unchecked(b.id).into(),
                };
                let triple = rio::Triple { subject: q.subject, predicate: q.predicate, object: q.object };
                star.statement(&triple, &graph, &mut each).map_err(Stop::Ours)
            })
            .map_err(|e| e.into_error(name))?;
        Ok(parser.prefixes().iter().map(|(p, n)| (p.as_str(), n.as_str())).collect())
    } else {
        let mut parser = TurtleParser::new(reader, base);
        parser
            .parse_all(&mut |t| star.statement(&t, &GraphName::DefaultGraph, &mut each).map_err(Stop::Ours))
            .map_err(|e| e.into_error(name))?;
        Ok(parser.prefixes().iter().map(|(p, n)| (p.as_str(), n.as_str())).collect())
    }
}

enum Stop {
    Syntax(TurtleError),
    Ours(Error),
}

impl From<TurtleError> for Stop {
    fn from(error: TurtleError) -> Self {
        Self::Syntax(error)
    }
}

impl Stop {
    fn into_error(self, name: &str) -> Error {
        match self {
            Self::Ours(error) => error,
            Self::Syntax(error) => {
                let message = error.to_string();
                let out = Error::input(message.split(" on line ").next().unwrap_or(&message));
                // rio_turtle counts lines and columns from 1.
                let one_based = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
                match error.textual_position() {
                    Some(at) => out.at(Place::new(name, one_based(at.line_number()), one_based(at.byte_number()))),
                    None => out,
                }
            }
        }
    }
}

struct Star {
    /// The reifier of each quoted triple, and the graphs that already state what it reifies.
    reifiers: FxHashMap<Triple, (BlankNode, Vec<GraphName>)>,
}

impl Star {
    fn statement(
        &mut self,
        triple: &rio::Triple<'_>,
        graph: &GraphName,
        each: &mut impl FnMut(Quad) -> Result<()>,
    ) -> Result<()> {
        let triple = self.triple(triple, graph, each)?;
        each(triple.in_graph(graph.clone()))
    }

    fn triple(
        &mut self,
        triple: &rio::Triple<'_>,
        graph: &GraphName,
        each: &mut impl FnMut(Quad) -> Result<()>,
    ) -> Result<Triple> {
        let subject: NamedOrBlankNode = match triple.subject {
            rio::Subject::NamedNode(n) => NamedNode::new_unchecked(n.iri).into(),
            rio::Subject::BlankNode(b) => BlankNode::new_unchecked(b.id).into(),
            rio::Subject::Triple(t) => self.reifier(t, graph, each)?.into(),
        };
        let object: Term = match triple.object {
            rio::Term::NamedNode(n) => NamedNode::new_unchecked(n.iri).into(),
            rio::Term::BlankNode(b) => BlankNode::new_unchecked(b.id).into(),
            rio::Term::Literal(l) => literal(l).into(),
            rio::Term::Triple(t) => self.reifier(t, graph, each)?.into(),
        };
        Ok(Triple { subject, predicate: NamedNode::new_unchecked(triple.predicate.iri), object })
    }

    fn reifier(
        &mut self,
        quoted: &rio::Triple<'_>,
        graph: &GraphName,
        each: &mut impl FnMut(Quad) -> Result<()>,
    ) -> Result<BlankNode> {
        let triple = self.triple(quoted, graph, each)?;
        // The file's own labels are kept, so a new one must differ from all of them; 128 random bits do.
        let (node, graphs) = self.reifiers.entry(triple.clone()).or_default();
        let node = node.clone();
        if !graphs.contains(graph) {
            graphs.push(graph.clone());
            each(Quad::new(node.clone(), rdf::REIFIES, triple, graph.clone()))?;
        }
        Ok(node)
    }
}

fn literal(literal: rio::Literal<'_>) -> Literal {
    match literal {
        rio::Literal::Simple { value } => Literal::new_simple_literal(value),
        rio::Literal::LanguageTaggedString { value, language } => {
            Literal::new_language_tagged_literal_unchecked(value, language.to_ascii_lowercase())
        }
        rio::Literal::Typed { value, datatype } => {
            Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype.iri))
        }
    }
}
