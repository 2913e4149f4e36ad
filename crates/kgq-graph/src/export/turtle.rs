//! Readable Turtle and TriG for quads that do not come from a file of their own: a block for each subject, sorted
//! facts, annotations with the statements that they are about, blank nodes and lists inline where they are used. The
//! same quads give the same text in whatever order they come.

mod graph;
mod nodes;
mod streamed;

pub use streamed::write_sorted;

use graph::{Graph, shortened};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::blank::each_node_between;
use kgq_syntax::rdf::iri::escaped;
use kgq_syntax::rdf::{BlankNode, GraphName, Prefixes, Quad};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Writes the quads as TriG, which is Turtle if all are in the default graph.
///
/// # Errors
/// Those of the budget.
pub fn write<'a>(quads: impl IntoIterator<Item = &'a Quad>, prefixes: &Prefixes, budget: &Budget) -> Result<String> {
    let steps = Steps::new(budget);
    let mut graphs: BTreeMap<String, Vec<&Quad>> = BTreeMap::new();
    for quad in quads {
        steps.take()?;
        let name = match &quad.graph_name {
            GraphName::DefaultGraph => String::new(),
            name => name.to_string(),
        };
        graphs.entry(name).or_default().push(quad);
    }
    let shared = shared_blank_nodes(&graphs, &steps)?;
    let (mut body, mut held) = (Vec::new(), Reservation::default());
    let mut document = Document { prefixes, shared: &shared, steps: &steps, used: BTreeSet::new() };
    for quads in graphs.values() {
        let Some(first) = quads.first() else { continue };
        document.graph(&first.graph_name, quads, &mut |text| {
            body.extend_from_slice(text.as_bytes());
            held.resize(budget, body.capacity() as u64)
        })?;
    }
    let mut out = document.head();
    let body = String::from_utf8_lossy(&body);
    out.push_str(if out.is_empty() { body.trim_start_matches('\n') } else { &body });
    Ok(out)
}

/// A text being written.
struct Document<'d> {
    prefixes: &'d Prefixes,
    shared: &'d FxHashSet<BlankNode>,
    steps: &'d Steps,
    used: BTreeSet<(String, String)>,
}

impl Document<'_> {
    /// Writes a graph that is held.
    fn graph(&mut self, name: &GraphName, quads: &[&Quad], put: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let mut graph = Graph::of(quads, self.prefixes, self.shared, self.steps)?;
        let mut frame = self.begin(name, put)?;
        let (order, mut block) = (graph.order()?, String::new());
        for is_first in [true, false] {
            for subject in &order {
                graph.pass(is_first, subject, &mut block)?;
                frame.put(&mut block, put)?;
            }
        }
        self.used.append(&mut graph.used);
        frame.end(put)
    }

    /// Begins a graph: a named one stands between braces.
    fn begin(&mut self, name: &GraphName, put: &mut dyn FnMut(&str) -> Result<()>) -> Result<Frame> {
        let name = match name {
            GraphName::DefaultGraph => return Ok(Frame { is_default: true, is_first: true }),
            GraphName::NamedNode(node) => {
                let (text, used) = shortened(node.as_str(), self.prefixes);
                self.used.extend(used);
                text
            }
            name => name.to_string(),
        };
        put(&format!("\n{name} {{\n"))?;
        Ok(Frame { is_default: false, is_first: true })
    }

    /// The prefixes in use.
    fn head(&self) -> String {
        let mut out = String::new();
        let widest = self.used.iter().map(|(prefix, _)| prefix.len()).max().unwrap_or(0);
        for (prefix, namespace) in &self.used {
            let _ = writeln!(out, "PREFIX {prefix}:{} <{}>", " ".repeat(widest - prefix.len()), escaped(namespace));
        }
        out
    }
}

/// Where a graph's blocks stand.
struct Frame {
    is_default: bool,
    is_first: bool,
}

impl Frame {
    /// Puts a block, and empties it.
    fn put(&mut self, block: &mut String, put: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        match self.is_default {
            true => put(block)?,
            false => put(&indented(if self.is_first { block.trim_start_matches('\n') } else { block }))?,
        }
        self.is_first &= block.is_empty();
        block.clear();
        Ok(())
    }

    fn end(self, put: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        if self.is_default { Ok(()) } else { put("}\n") }
    }
}

/// The lines of a block within a named graph.
fn indented(block: &str) -> String {
    block.lines().map(|line| format!("{}{line}\n", if line.is_empty() { "" } else { "    " })).collect()
}

/// Blank nodes that more than one graph names, which must not be written inside another node.
fn shared_blank_nodes(graphs: &BTreeMap<String, Vec<&Quad>>, steps: &Steps) -> Result<FxHashSet<BlankNode>> {
    let mut seen: FxHashMap<BlankNode, &str> = FxHashMap::default();
    let mut shared = FxHashSet::default();
    for (name, quads) in graphs {
        for quad in quads {
            steps.take()?;
            let mut note = |node: &BlankNode| {
                if *seen.entry(node.clone()).or_insert(name) != name {
                    shared.insert(node.clone());
                }
            };
            each_node_between(&quad.subject, &quad.object, &mut note);
            if let GraphName::BlankNode(node) = &quad.graph_name {
                shared.insert(node.clone());
            }
        }
    }
    Ok(shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::dataset::CanonicalizationAlgorithm;

    fn read(text: &str) -> Vec<Quad> {
        oxttl::TriGParser::new().for_slice(text).map(|quad| quad.unwrap_or_else(|e| panic!("{e}\n{text}"))).collect()
    }

    /// Writes what it reads, and checks that reading the result gives the same.
    fn check(text: &str) -> String {
        let quads = read(text);
        let prefixes = Prefixes::from_iter([("e", "http://e/"), ("rdfs", "http://www.w3.org/2000/01/rdf-schema#")]);
        let written = write(&quads, &prefixes, &Budget::default()).unwrap();
        let canonical = |quads: Vec<Quad>| {
            let mut dataset: oxrdf::Dataset = quads.into_iter().collect();
            dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
            dataset
        };
        assert!(canonical(quads) == canonical(read(&written)), "{written}");
        written
    }

    #[test]
    fn facts_are_sorted_and_annotations_stand_at_their_statement() {
        let written = check(
            "PREFIX e: <http://e/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
             e:b e:q 1 ~ e:st {| e:from e:cite |} ; e:p e:a , \"x\"@en ; rdfs:label \"B\" ; a e:C . e:a e:p true .",
        );
        assert_eq!(
            written,
            "PREFIX e:    <http://e/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

e:a
    e:p true ;
    .

e:b
    a e:C ;
    rdfs:label \"B\" ;
    e:p \"x\"@en ;
    e:p e:a ;
    e:q 1 ~ e:st {| e:from e:cite |} ;
    .
"
        );
    }

    #[test]
    fn blank_nodes_lists_cycles_and_triple_terms_are_read_back_as_they_were() {
        for text in [
            "PREFIX e: <http://e/> e:a e:p [ e:q [ e:r 1 ] ], ( 1 ( 2 ) [] ) .",
            "PREFIX e: <http://e/> _:a e:p _:b . _:b e:p _:a .",
            "PREFIX e: <http://e/> _:a e:p _:a . _:x e:q _:y . _:z e:q _:y .",
            "PREFIX e: <http://e/> e:r e:reifies <<( e:a e:p <<( _:x e:q \"v\" )>> )>> . _:x e:p 1 .",
            "PREFIX e: <http://e/> e:a e:p e:b ~ _:r {| e:q 1 |} ~ e:r2 . _:r e:s e:t .",
            "PREFIX e: <http://e/> e:a e:p e:b {| e:q e:c {| e:s 1 |} |} .",
            "PREFIX e: <http://e/> << e:not e:said 1 >> e:by e:x .",
            "PREFIX e: <http://e/> e:g { e:a e:p [ e:q _:x ] } e:h { _:x e:p 1 } _:g { e:a e:p 2 }",
            "PREFIX e: <http://e/> e:a e:p 01, 1.0, 1e0, \"1.\"^^<http://www.w3.org/2001/XMLSchema#decimal>, false, \"a\\nb\\\"\\u202E\" .",
        ] {
            check(text);
        }
    }
}
