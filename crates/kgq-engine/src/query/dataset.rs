//! What FROM and FROM NAMED leave of a dataset for a query's conditions (SPARQL 1.1 §13.2).

use super::atoms::{Atoms, PatternTerm};
use kgq_syntax::rdf::{NamedNode, Term};

/// What the dataset of a query lacks for one of its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The default graph: FROM NAMED stands without FROM.
    Default,
    /// All named graphs: FROM stands without FROM NAMED.
    Named,
    /// This graph, which no FROM NAMED names.
    Graph(NamedNode),
}

impl Atoms {
    /// Returns what FROM and FROM NAMED leave out, although this condition is matched in it.
    pub fn left_out(&self, atom: usize) -> Option<LeftOut> {
        let dataset = self.dataset.as_ref()?;
        let named = dataset.named.as_ref()?;
        match &self.atoms.get(atom)?.graph {
            None => (dataset.default.is_empty() && !named.is_empty()).then_some(LeftOut::Default),
            Some(_) if named.is_empty() => Some(LeftOut::Named),
            Some(PatternTerm::Term(Term::NamedNode(graph))) if !named.contains(graph) => {
                Some(LeftOut::Graph(graph.clone()))
            }
            Some(_) => None,
        }
    }

    /// Adds to FROM or FROM NAMED what was left out: the graphs that the other names, or the one asked for.
    #[must_use]
    pub fn with_left_out(&self, left_out: &LeftOut) -> Self {
        let mut changed = self.clone();
        if let Some(dataset) = &mut changed.dataset {
            let named = dataset.named.get_or_insert_default();
            match left_out {
                LeftOut::Default => dataset.default.extend(named.iter().cloned()),
                LeftOut::Named => named.extend(dataset.default.iter().cloned()),
                LeftOut::Graph(graph) => named.push(graph.clone()),
            }
        }
        changed
    }
}
