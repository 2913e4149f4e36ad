//! Turtle and TriG of a snapshot of any size: blocks are read and written one by one, each with the blank nodes that stand in it. Held is
//! what hangs together with triple terms, because annotations stand where their statements are.

use super::graph::{DEEPEST, Graph, RDF_FIRST, RDF_REST};
use super::nodes::Nodes;
use super::{Document, Frame};
use crate::export::sorted::{Sorted, Which};
use crate::render::output_error;
use kgq_snapshot::TermId;
use kgq_syntax::budget::{Budget, FileSpace, Reservation, Steps};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNodeRef, Prefixes, Quad};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

/// Writes what [`super::write`] writes of all these statements. The text waits in a temporary file, as the prefixes in use stand before
/// it.
///
/// # Errors
/// The budget's; damage to the snapshot; a temporary file or an output that cannot be written.
pub fn write_sorted(
    sorted: &Sorted<'_>,
    merged: bool,
    prefixes: &Prefixes,
    budget: &Budget,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = |e: &io::Error| Error::io("a temporary file", e);
    let mut file = BufWriter::new(tempfile::tempfile().map_err(|e| failed(&e))?);
    let mut space = FileSpace::new(budget);
    let steps = Steps::new(budget);
    let graphs = match merged {
        true => BTreeMap::from([(String::new(), (GraphName::DefaultGraph, Which::Merged))]),
        false => sorted.graphs(),
    };
    let mut nodes = Nodes::of(sorted, if merged { Which::Merged } else { sorted.all() }, budget)?;
    let shared = nodes.shared(sorted);
    let mut document = Document { prefixes, shared: &shared, steps: &steps, used: BTreeSet::new() };
    for (name, which) in graphs.values() {
        let mut put = |text: &str| {
            space.grow(text.len() as u64)?;
            file.write_all(text.as_bytes()).map_err(|e| failed(&e))
        };
        document.streamed(name, *which, sorted, &mut nodes, &mut put)?;
    }
    sorted.snapshot().intact()?;
    let head = document.head();
    let mut file = file.into_inner().map_err(|e| failed(e.error()))?;
    file.rewind().map_err(|e| failed(&e))?;
    let mut body = BufReader::new(file);
    if head.is_empty() {
        while body.fill_buf().map_err(|e| failed(&e))?.first() == Some(&b'\n') {
            body.consume(1);
        }
    }
    out.write_all(head.as_bytes()).and_then(|()| io::copy(&mut body, out)).map_err(|e| output_error(&e))?;
    Ok(())
}

impl Document<'_> {
    /// Writes a graph: what hangs together with triple terms, and other subjects one by one, sorted as their lines are.
    fn streamed(
        &mut self,
        name: &GraphName,
        which: Which,
        sorted: &Sorted<'_>,
        nodes: &mut Nodes,
        put: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let (subjects, _listed) = sorted.subjects(which)?;
        let (mut quads, mut held): (Vec<Quad>, Reservation) = Default::default();
        for subject in subjects.iter().filter(|subject| nodes.is_tangled(**subject)) {
            let (group, own) = sorted.group(which, *subject)?;
            held.join(own);
            quads.extend(group);
        }
        let quads: Vec<&Quad> = quads.iter().collect();
        let mut tangled = Graph::of(&quads, self.prefixes, self.shared, self.steps)?;
        let (order, mut block) = (tangled.order()?, String::new());
        let mut frame: Frame = self.begin(name, put)?;
        for is_first in [true, false] {
            let mut waiting = order.iter().copied().peekable();
            for subject in subjects.iter().copied() {
                self.steps.take()?;
                if nodes.is_tangled(subject) {
                    continue;
                }
                // A blank node that is used once stands where it is used, unless no block leads to it.
                let is_nested = sorted.is_blank(subject) && nodes.is_nested(subject);
                let Some(node) = sorted.node(subject).filter(|_| is_nested != is_first) else { continue };
                if waiting.peek().is_some() {
                    let text = node.to_string();
                    while let Some(before) = waiting.next_if(|next| next.to_string() < text) {
                        tangled.pass(is_first, before, &mut block)?;
                        frame.put(&mut block, put)?;
                    }
                }
                if !(is_nested && nodes.is_done(subject)) {
                    self.block(which, subject, sorted, nodes, &mut block)?;
                    frame.put(&mut block, put)?;
                }
            }
            for subject in waiting {
                tangled.pass(is_first, subject, &mut block)?;
                frame.put(&mut block, put)?;
            }
        }
        self.used.append(&mut tangled.used);
        frame.end(put)
    }

    /// Writes the block of a subject, with the blank nodes that stand in it.
    fn block(
        &mut self,
        which: Which,
        root: TermId,
        sorted: &Sorted<'_>,
        nodes: &mut Nodes,
        out: &mut String,
    ) -> Result<()> {
        let block = Block::of(which, root, sorted, nodes, self.steps)?;
        let quads: Vec<&Quad> = block.quads.iter().collect();
        let Some(first) = quads.first() else { return Ok(()) };
        let mut alone = Graph::of(&quads, self.prefixes, &block.named, self.steps)?;
        alone.block(&first.subject, out)?;
        for id in block.nodes {
            if let Some(node) = sorted.node(id) {
                nodes.note(id, alone.is_done(&node), alone.starts_no_list(&node));
            }
        }
        self.used.append(&mut alone.used);
        Ok(())
    }
}

/// The statements of one block.
struct Block {
    /// Those about its subject come first.
    quads: Vec<Quad>,
    /// The blank nodes that they are about.
    nodes: Vec<TermId>,
    /// Blank nodes that are called by their names here.
    named: FxHashSet<BlankNode>,
    _held: Reservation,
}

impl Block {
    fn of(which: Which, root: TermId, sorted: &Sorted<'_>, nodes: &Nodes, steps: &Steps) -> Result<Self> {
        let snapshot = sorted.snapshot();
        let [first, rest] = [RDF_FIRST, RDF_REST].map(|cell| snapshot.id(NamedNodeRef::new_unchecked(cell).into()));
        let mut block =
            Self { quads: Vec::new(), nodes: Vec::new(), named: FxHashSet::default(), _held: Reservation::default() };
        if sorted.is_blank(root) && nodes.is_named(root) {
            block.named.insert(sorted.blank(root));
        }
        let mut open = vec![(root, 0)];
        while let Some((subject, depth)) = open.pop() {
            steps.take()?;
            let (group, own) = sorted.group(which, subject)?;
            block._held.join(own);
            block.quads.extend(group);
            if sorted.is_blank(subject) {
                block.nodes.push(subject);
            }
            let mut facts: Vec<[TermId; 2]> = sorted.statements(which, subject).map(|[_, p, o, _]| [p, o]).collect();
            facts.sort_unstable();
            facts.dedup();
            let is_cell = match facts.as_slice() {
                [[a, _], [b, _]] => a != b && [a, b].iter().all(|part| [first, rest].contains(&Some(**part))),
                _ => false,
            };
            // A list in parentheses is no deeper at its end than at its start.
            let goes_on = is_cell && subject != root && !nodes.starts_no_list(subject);
            for [predicate, object] in facts.into_iter().filter(|[_, object]| sorted.is_blank(*object)) {
                let depth = if goes_on && Some(predicate) == rest { depth } else { depth + 1 };
                if !nodes.is_nested(object) || nodes.is_done(object) || object == root {
                    block.named.insert(sorted.blank(object));
                } else if sorted.statements(which, object).next().is_some() {
                    if depth < DEEPEST {
                        open.push((object, depth));
                    } else {
                        block.named.insert(sorted.blank(object));
                    }
                }
            }
        }
        Ok(block)
    }
}
