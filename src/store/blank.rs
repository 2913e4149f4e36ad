//! Blank node labels: scoped to their file, and the same in every run.

use crate::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// Gives blank nodes new labels in order of appearance, so that equal labels of two files stay two nodes, and
/// anonymous nodes get no label at random.
pub struct Relabel {
    prefix: String,
    labels: FxHashMap<BlankNode, BlankNode>,
    given: usize,
}

impl Relabel {
    /// For the file with this number among those loaded together.
    pub fn of_file(number: usize) -> Self {
        let prefix = if number == 0 { "b".to_owned() } else { format!("f{number}b") };
        Self { prefix, labels: FxHashMap::default(), given: 0 }
    }

    /// For nodes that an update made; those in `known` keep their labels.
    pub fn of_update(known: impl IntoIterator<Item = BlankNode>) -> Self {
        let labels = known.into_iter().map(|node| (node.clone(), node)).collect();
        Self { prefix: "u".to_owned(), labels, given: 0 }
    }

    pub fn quad(&mut self, quad: &mut Quad) {
        self.subject(&mut quad.subject);
        self.term(&mut quad.object);
        if let GraphName::BlankNode(node) = &mut quad.graph_name {
            *node = self.label(node);
        }
    }

    fn label(&mut self, node: &BlankNode) -> BlankNode {
        if let Some(label) = self.labels.get(node) {
            return label.clone();
        }
        let label = BlankNode::new_unchecked(format!("{}{}", self.prefix, self.given));
        self.given += 1;
        self.labels.insert(node.clone(), label.clone());
        label
    }

    fn subject(&mut self, subject: &mut NamedOrBlankNode) {
        if let NamedOrBlankNode::BlankNode(node) = subject {
            *node = self.label(node);
        }
    }

    fn term(&mut self, term: &mut Term) {
        match term {
            Term::BlankNode(node) => *node = self.label(node),
            Term::Triple(triple) => self.triple(triple),
            Term::NamedNode(_) | Term::Literal(_) => {}
        }
    }

    fn triple(&mut self, triple: &mut Triple) {
        self.subject(&mut triple.subject);
        self.term(&mut triple.object);
    }
}

/// The blank nodes of a quad, those inside triple terms included.
pub fn nodes_of(quad: &Quad) -> Vec<BlankNode> {
    let mut nodes = Vec::new();
    let mut subject = &quad.subject;
    let mut object = &quad.object;
    loop {
        if let NamedOrBlankNode::BlankNode(node) = subject {
            nodes.push(node.clone());
        }
        match object {
            Term::BlankNode(node) => nodes.push(node.clone()),
            Term::Triple(triple) => {
                (subject, object) = (&triple.subject, &triple.object);
                continue;
            }
            Term::NamedNode(_) | Term::Literal(_) => {}
        }
        break;
    }
    if let GraphName::BlankNode(node) = &quad.graph_name {
        nodes.push(node.clone());
    }
    nodes
}
