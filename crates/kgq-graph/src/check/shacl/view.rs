//! A dataset as queries see it: the data as the default graph, the shapes as the one named graph. Nothing is added to it.

use super::dataset::{NodeId, TripleIndex};
use super::dictionary::Terms;
use kgq_engine::oxigraph::stop_if_asked;
use kgq_engine::query::prebind::blank_node_of;
use kgq_syntax::rdf::{Term, Triple};
use spareval::{InternalQuad, QueryableDataset};
use std::convert::Infallible;
use std::sync::Arc;

pub(super) struct View {
    pub terms: Arc<Terms>,
    pub data: Arc<TripleIndex>,
    pub shapes: Arc<TripleIndex>,
    pub shapes_graph: NodeId,
}

/// A term while a query is evaluated: one of the dataset, or one that the query made.
#[derive(PartialEq, Eq, Hash)]
pub enum QueryTerm {
    Known(NodeId),
    New(Arc<Term>),
}

impl Clone for QueryTerm {
    fn clone(&self) -> Self {
        stop_if_asked();
        match self {
            Self::Known(node) => Self::Known(*node),
            Self::New(term) => Self::New(Arc::clone(term)),
        }
    }
}

impl QueryTerm {
    fn known(&self) -> Option<NodeId> {
        match self {
            Self::Known(node) => Some(*node),
            Self::New(_) => None,
        }
    }
}

impl<'a> QueryableDataset<'a> for &'a View {
    type InternalTerm = QueryTerm;
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&QueryTerm>,
        predicate: Option<&QueryTerm>,
        object: Option<&QueryTerm>,
        graph_name: Option<Option<&QueryTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<QueryTerm>, Infallible>> + use<'a> {
        let view: &'a View = self;
        // A term that the dataset does not have matches nothing.
        let positions = [subject, predicate, object].map(|position| position.map(QueryTerm::known));
        let graph = match graph_name {
            Some(None) => Some((&view.data, None)),
            Some(Some(name)) if name.known() != Some(view.shapes_graph) => None,
            Some(Some(_)) | None => Some((&view.shapes, Some(QueryTerm::Known(view.shapes_graph)))),
        };
        let rows = match (graph, positions) {
            (Some((graph, name)), [s, p, o]) if ![s, p, o].contains(&Some(None)) => {
                Some((graph.matching(s.flatten(), p.flatten(), o.flatten()), name))
            }
            _ => None,
        };
        rows.into_iter().flat_map(|(rows, name)| {
            rows.map(move |[s, p, o]| {
                Ok(InternalQuad {
                    subject: QueryTerm::Known(s),
                    predicate: QueryTerm::Known(p),
                    object: QueryTerm::Known(o),
                    graph_name: name.clone(),
                })
            })
        })
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<QueryTerm, Infallible>> + use<'a> {
        std::iter::once(Ok(QueryTerm::Known(self.shapes_graph)))
    }

    fn contains_internal_graph_name(&self, graph_name: &QueryTerm) -> Result<bool, Infallible> {
        Ok(graph_name.known() == Some(self.shapes_graph))
    }

    fn internalize_term(&self, term: Term) -> Result<QueryTerm, Infallible> {
        let term = resolve_blank_nodes(term);
        Ok(self.terms.node(&term).map_or_else(|| QueryTerm::New(Arc::new(term)), QueryTerm::Known))
    }

    fn externalize_term(&self, term: QueryTerm) -> Result<Term, Infallible> {
        Ok(match term {
            QueryTerm::Known(node) => self.terms.at(node).clone(),
            QueryTerm::New(term) => Arc::unwrap_or_clone(term),
        })
    }
}

/// A triple that a bound query made, with the blank nodes of the dataset; `None` where it is no RDF.
pub(super) fn resolved(triple: Triple) -> Option<Triple> {
    let subject = match resolve_blank_nodes(triple.subject.into()) {
        Term::NamedNode(iri) => iri.into(),
        Term::BlankNode(node) => node.into(),
        Term::Literal(_) | Term::Triple(_) => return None,
    };
    let Term::NamedNode(predicate) = resolve_blank_nodes(triple.predicate.into()) else { return None };
    Some(Triple { subject, predicate, object: resolve_blank_nodes(triple.object) })
}

/// The term with the IRIs that stand for blank nodes in a bound query replaced by those blank nodes.
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
