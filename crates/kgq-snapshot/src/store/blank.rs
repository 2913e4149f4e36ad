//! Blank node labels: scoped to their file, and the same in every run.

use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// Gives blank nodes new labels in order of appearance, so that equal labels in two files stay two nodes, and anonymous
/// nodes get no random labels.
pub struct Relabel<'k> {
    /// Without a prefix, labels are unique.
    prefix: Option<String>,
    labels: FxHashMap<BlankNode, BlankNode>,
    /// Whether a node keeps its label.
    is_kept: Box<dyn Fn(&BlankNode) -> bool + 'k>,
    given: usize,
}

impl<'k> Relabel<'k> {
    fn new(prefix: Option<String>, is_kept: impl Fn(&BlankNode) -> bool + 'k) -> Self {
        Self { prefix, labels: FxHashMap::default(), is_kept: Box::new(is_kept), given: 0 }
    }

    /// Relabels the file with this number among those loaded together.
    pub fn of_file(number: usize) -> Self {
        let prefix = if number == 0 { "b".to_owned() } else { format!("f{number}b") };
        Self::new(Some(prefix), |_| false)
    }

    /// Gives unique labels to the nodes of a text that is added to a dataset.
    pub fn fresh() -> Self {
        Self::new(None, |_| false)
    }

    /// Relabels nodes that an update created; those that are known keep their labels.
    pub fn of_update(is_known: impl Fn(&BlankNode) -> bool + 'k) -> Self {
        Self::new(Some("u".to_owned()), is_known)
    }

    pub fn quad(&mut self, quad: &mut Quad) {
        self.subject(&mut quad.subject);
        self.term(&mut quad.object);
        if let GraphName::BlankNode(node) = &mut quad.graph_name {
            *node = self.label(node);
        }
    }

    fn label(&mut self, node: &BlankNode) -> BlankNode {
        if (self.is_kept)(node) {
            return node.clone();
        }
        if let Some(label) = self.labels.get(node) {
            return label.clone();
        }
        let label = loop {
            let label = match &self.prefix {
                Some(prefix) => BlankNode::new_unchecked(format!("{prefix}{}", self.given)),
                None => BlankNode::default(),
            };
            self.given += 1;
            // A node that keeps its label may already have this one.
            if !(self.is_kept)(&label) {
                break label;
            }
        };
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
