//! The part of the dataset in which a pattern is matched: the default graph of the query, or one named graph.

use crate::oxigraph::DefaultGraph;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, Term};
use spargebra::algebra::QueryDataset;

/// The graphs in which a pattern is matched.
#[derive(Clone, Debug)]
pub enum Graphs {
    /// The stored default graph.
    Default,
    /// The merge of these graphs.
    Merged(Vec<GraphName>),
    /// The merge of all graphs.
    All,
}

impl Graphs {
    /// Returns the default graph of a query.
    pub fn of_query(dataset: Option<&QueryDataset>, default: DefaultGraph) -> Self {
        match (dataset, default) {
            (Some(dataset), _) => Self::Merged(dataset.default.iter().cloned().map(GraphName::from).collect()),
            (None, DefaultGraph::Stored) => Self::Default,
            (None, DefaultGraph::Union) => Self::All,
        }
    }

    /// Returns the graph with this name.
    pub fn named(name: &Term) -> Self {
        Self::Merged(match name {
            Term::NamedNode(node) => vec![node.clone().into()],
            Term::BlankNode(node) => vec![node.clone().into()],
            Term::Literal(_) | Term::Triple(_) => Vec::new(),
        })
    }

    /// Their names in a snapshot, the default graph as an unbound one; `None` for all.
    pub fn ids(&self, snapshot: &Snapshot) -> Option<Vec<TermId>> {
        let id = |name: &GraphName| match name {
            GraphName::DefaultGraph => Some(TermId::UNBOUND),
            GraphName::NamedNode(node) => snapshot.id(node.as_ref().into()),
            GraphName::BlankNode(node) => snapshot.id(node.as_ref().into()),
        };
        match self {
            Self::Default => Some(vec![TermId::UNBOUND]),
            Self::Merged(names) => Some(names.iter().filter_map(id).collect()),
            Self::All => None,
        }
    }

    pub fn hold(&self, graph: &GraphName) -> bool {
        match self {
            Self::Default => *graph == GraphName::DefaultGraph,
            Self::Merged(names) => names.contains(graph),
            Self::All => true,
        }
    }
}

/// The statements of some graphs.
pub struct Data<'s> {
    pub snapshot: &'s Snapshot,
    pub graphs: Graphs,
}

impl Data<'_> {
    /// Returns the statements that match; a statement that several graphs contain occurs once for each.
    ///
    /// # Errors
    /// Damage to the snapshot.
    pub fn matching(
        &self,
        subject: Option<&Term>,
        predicate: Option<&NamedNode>,
        object: Option<&Term>,
    ) -> Result<Vec<Quad>> {
        let found = self.snapshot.find(
            subject.map(Term::as_ref),
            predicate.map(|node| node.as_ref().into()),
            object.map(Term::as_ref),
        );
        let found: Vec<Quad> = found.filter(|quad| self.graphs.hold(&quad.graph_name)).collect();
        self.snapshot.intact()?;
        Ok(found)
    }

    /// Returns any one statement.
    ///
    /// # Errors
    /// Damage to the snapshot.
    pub fn any(&self) -> Result<Option<Quad>> {
        let found = self.snapshot.find(None, None, None).find(|quad| self.graphs.hold(&quad.graph_name));
        self.snapshot.intact()?;
        Ok(found)
    }

    /// Returns one statement with the node as subject or object.
    ///
    /// # Errors
    /// Damage to the snapshot.
    pub fn naming(&self, node: &Term) -> Result<Option<Quad>> {
        let held = |quad: &Quad| self.graphs.hold(&quad.graph_name);
        let mut as_subject = self.snapshot.find(Some(node.as_ref()), None, None);
        let mut as_object = self.snapshot.find(None, None, Some(node.as_ref()));
        let found = as_subject.find(held).or_else(|| as_object.find(held));
        self.snapshot.intact()?;
        Ok(found)
    }
}
