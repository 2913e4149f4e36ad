//! A dataset as queries see it: the data as default graph, the shapes as the only named graph. It is read-only.

use super::dictionary::{GraphTerms, NodeId};
use super::triples::Triples;
use kgq_engine::Budget;
use kgq_engine::query::prebind::blank_node_of;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Term, Triple};
use spareval::{InternalQuad, QueryableDataset};
use std::sync::Arc;

pub(super) struct ShapesDataset {
    pub terms: Arc<GraphTerms>,
    pub data: Arc<Triples>,
    pub shapes: Arc<Triples>,
    pub shapes_graph: NodeId,
    /// The budget of the whole validation.
    pub budget: Budget,
}

/// The dataset while one query reads it, within that query's budget.
pub(super) struct Reading<'a> {
    pub view: &'a ShapesDataset,
    pub budget: Budget,
}

/// A term during query evaluation: one of the dataset, or one that the query made.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum QueryTerm {
    Known(NodeId),
    New(Arc<Term>),
}

impl QueryTerm {
    fn known(&self) -> Option<NodeId> {
        match self {
            Self::Known(node) => Some(*node),
            Self::New(_) => None,
        }
    }
}

impl<'a> QueryableDataset<'a> for Reading<'a> {
    type InternalTerm = QueryTerm;
    type Error = Error;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&QueryTerm>,
        predicate: Option<&QueryTerm>,
        object: Option<&QueryTerm>,
        graph_name: Option<Option<&QueryTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<QueryTerm>>> + use<'a> {
        let view: &'a ShapesDataset = self.view;
        // A term that the dataset lacks matches nothing.
        let positions = [subject, predicate, object].map(|position| position.map(QueryTerm::known));
        let graph = match graph_name {
            Some(None) => Some((&view.data, None)),
            Some(Some(name)) if name.known() != Some(view.shapes_graph) => None,
            Some(Some(_)) | None => Some((&view.shapes, Some(QueryTerm::Known(view.shapes_graph)))),
        };
        let rows = match (graph, positions) {
            (Some((graph, name)), [s, p, o]) if ![s, p, o].contains(&Some(None)) => {
                Some((graph, [s.flatten(), p.flatten(), o.flatten()], name))
            }
            _ => None,
        };
        // This is where the evaluator learns that it has to stop. After an error it may continue to read, and then
        // finds nothing.
        let read = self.budget.check().and_then(|()| {
            let read =
                rows.map(|(graph, pattern, name)| Ok((graph.matching(pattern, &self.budget, &view.budget)?, name)));
            read.transpose()
        });
        let (rows, stopped) = match read {
            Ok(rows) => (rows, None),
            Err(error) => (None, Some(error)),
        };
        let found = rows.into_iter().flat_map(|(rows, name)| {
            (0..rows.triples.len()).map(move |row| {
                let [s, p, o] = rows.triples[row];
                Ok(InternalQuad {
                    subject: QueryTerm::Known(s),
                    predicate: QueryTerm::Known(p),
                    object: QueryTerm::Known(o),
                    graph_name: name.clone(),
                })
            })
        });
        stopped.map(Err).into_iter().chain(found)
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<QueryTerm>> + use<'a> {
        std::iter::once(Ok(QueryTerm::Known(self.view.shapes_graph)))
    }

    fn contains_internal_graph_name(&self, graph_name: &QueryTerm) -> Result<bool> {
        Ok(graph_name.known() == Some(self.view.shapes_graph))
    }

    fn internalize_term(&self, term: Term) -> Result<QueryTerm> {
        let term = resolve_blank_nodes(term);
        Ok(self.view.terms.node(&term).map_or_else(|| QueryTerm::New(Arc::new(term)), QueryTerm::Known))
    }

    fn externalize_term(&self, term: QueryTerm) -> Result<Term> {
        Ok(match term {
            QueryTerm::Known(node) => self.view.terms.term(node).ok_or_else(|| Error::bug("a node without a term"))?,
            QueryTerm::New(term) => Arc::unwrap_or_clone(term),
        })
    }
}

/// Returns a triple that a bound query made, with the blank nodes of the dataset; `None` if it is not valid RDF.
pub(super) fn resolved(triple: Triple) -> Option<Triple> {
    let subject = match resolve_blank_nodes(triple.subject.into()) {
        Term::NamedNode(iri) => iri.into(),
        Term::BlankNode(node) => node.into(),
        Term::Literal(_) | Term::Triple(_) => return None,
    };
    let Term::NamedNode(predicate) = resolve_blank_nodes(triple.predicate.into()) else { return None };
    Some(Triple { subject, predicate, object: resolve_blank_nodes(triple.object) })
}

/// Replaces the IRIs that stand for blank nodes in a bound query by those blank nodes.
fn resolve_blank_nodes(term: Term) -> Term {
    match term {
        Term::NamedNode(iri) => blank_node_of(&iri).map_or_else(|| iri.into(), Term::from),
        Term::Triple(triple) => {
            let Triple { subject, predicate, object } = *triple;
            let subject = match resolve_blank_nodes(subject.into()) {
                Term::NamedNode(iri) => iri.into(),
                Term::BlankNode(node) => node.into(),
                Term::Literal(_) | Term::Triple(_) => unreachable!("a subject resolves to an IRI or a blank node"),
            };
            Triple { subject, predicate, object: resolve_blank_nodes(object) }.into()
        }
        term @ (Term::BlankNode(_) | Term::Literal(_)) => term,
    }
}
