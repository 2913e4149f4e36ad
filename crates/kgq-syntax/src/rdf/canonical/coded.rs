//! Quads of RDF 1.1 as numbers, each quad once: what names are searched for in.

use crate::budget::{Reservation, Steps};
use crate::error::Result;
use crate::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term};
use oxrdf::TermRef;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write as _;

/// Subject, predicate, object and graph. A blank node is its number; any other term has the bit [`OTHER`].
pub type CodedQuad = [u32; 4];

/// The bit of terms that are no blank nodes.
pub const OTHER: u32 = 1 << 31;

/// What the default graph is called.
pub const DEFAULT_GRAPH: u32 = u32::MAX;

/// Quads as numbers, and the texts of these.
pub struct Coded<'a> {
    /// Each quad once.
    pub quads: &'a [CodedQuad],
    /// Blank nodes have lower numbers.
    pub nodes: u32,
    /// Writes a term that is no blank node as N-Quads does.
    pub write: &'a dyn Fn(u32, &mut String),
}

/// A blank node's position in a quad.
#[derive(Clone, Copy)]
pub(super) enum Position {
    Subject,
    Object,
    Graph,
}

/// The blank nodes of a quad, with their positions.
pub(super) fn blank_nodes(quad: &CodedQuad) -> impl Iterator<Item = (u32, Position)> + use<> {
    let [subject, _, object, graph] = *quad;
    let all = [(subject, Position::Subject), (object, Position::Object), (graph, Position::Graph)];
    all.into_iter().filter(|(code, _)| code & OTHER == 0)
}

/// Writes a quad as a line of N-Quads, with its blank nodes named so.
pub(super) fn line(
    [subject, predicate, object, graph]: &CodedQuad,
    name: impl Fn(u32, &mut String),
    write: impl Fn(u32, &mut String),
    out: &mut String,
) {
    let put = |code: u32, out: &mut String| match code & OTHER {
        0 => {
            out.push_str("_:");
            name(code, out);
        }
        _ => write(code, out),
    };
    put(*subject, out);
    out.push(' ');
    put(*predicate, out);
    out.push(' ');
    put(*object, out);
    if *graph != DEFAULT_GRAPH {
        out.push(' ');
        put(*graph, out);
    }
    out.push_str(" .\n");
}

/// The numbers of quads that are held as terms.
pub(super) struct Table<'q> {
    quads: Vec<CodedQuad>,
    nodes: FxHashMap<&'q BlankNode, u32>,
    terms: Vec<TermRef<'q>>,
    _held: Reservation,
}

impl<'q> Table<'q> {
    /// About what a quad takes here: its numbers, twice while repetitions are looked for, and its share of the terms.
    const BYTES_OF_A_QUAD: u64 = 120;

    /// Numbers the terms in the order in which they come.
    pub(super) fn of(quads: impl ExactSizeIterator<Item = &'q Quad>, steps: &Steps) -> Result<Self> {
        let _held = steps.budget().reserve(quads.len() as u64 * Self::BYTES_OF_A_QUAD)?;
        let (mut nodes, mut terms) = (FxHashMap::default(), Vec::new());
        let mut numbers: FxHashMap<TermRef<'q>, u32> = FxHashMap::default();
        let mut node = |node: &'q BlankNode| {
            let next = nodes.len() as u32;
            *nodes.entry(node).or_insert(next)
        };
        let mut other = |term: TermRef<'q>| {
            *numbers.entry(term).or_insert_with(|| {
                terms.push(term);
                OTHER | (terms.len() - 1) as u32
            })
        };
        let mut seen: FxHashSet<CodedQuad> = FxHashSet::default();
        let mut coded = Vec::with_capacity(quads.len());
        for quad in quads {
            steps.take()?;
            let subject = match &quad.subject {
                NamedOrBlankNode::NamedNode(name) => other(name.as_ref().into()),
                NamedOrBlankNode::BlankNode(blank) => node(blank),
            };
            let object = match &quad.object {
                Term::BlankNode(blank) => node(blank),
                term => other(term.as_ref()),
            };
            let graph = match &quad.graph_name {
                GraphName::DefaultGraph => DEFAULT_GRAPH,
                GraphName::NamedNode(name) => other(name.as_ref().into()),
                GraphName::BlankNode(blank) => node(blank),
            };
            let quad = [subject, other(quad.predicate.as_ref().into()), object, graph];
            if seen.insert(quad) {
                coded.push(quad);
            }
        }
        Ok(Self { quads: coded, nodes, terms, _held })
    }

    pub(super) fn quads(&self) -> &[CodedQuad] {
        &self.quads
    }

    /// The number of blank nodes.
    pub(super) fn nodes(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// The number of a blank node.
    pub(super) fn node(&self, node: &BlankNode) -> Option<u32> {
        self.nodes.get(node).copied()
    }

    pub(super) fn write(&self, code: u32, out: &mut String) {
        if let Some(term) = self.terms.get((code & !OTHER) as usize) {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "{term}");
        }
    }
}
