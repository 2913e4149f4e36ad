//! What an update looks for in the graph, as queries: for whoever explains why it changed nothing.

use super::ground;
use crate::query::{OperationForm, Query, Update};
use kgq_syntax::Span;
use kgq_syntax::rdf::{GraphName, Quad};
use spargebra::GraphUpdateOperation;
use spargebra::algebra::{GraphPattern, QueryDataset};
use spargebra::term::{NamedNodePattern, TriplePattern};

/// What one operation looks for.
#[derive(Debug)]
pub struct LookedFor {
    /// The operation's place in the text.
    pub span: Span,
    /// A statement of DELETE DATA; `None` for a WHERE.
    pub statement: Option<Quad>,
    pub query: Query,
}

/// Returns the patterns of WHERE and the statements of DELETE DATA, in the order of the text.
pub fn looked_for(update: &Update) -> Vec<LookedFor> {
    let mut found = Vec::new();
    for operation in &update.operations {
        match &operation.form {
            OperationForm::Plain(GraphUpdateOperation::DeleteInsert { using, pattern, .. }) => {
                let query = query(GraphPattern::clone(pattern), using.clone());
                found.push(LookedFor { span: operation.span.clone(), statement: None, query });
            }
            OperationForm::Plain(GraphUpdateOperation::DeleteData { data }) => {
                for quad in data {
                    let (span, statement) = (operation.span.clone(), ground(quad));
                    found.push(LookedFor { span, query: of_statement(&statement), statement: Some(statement) });
                }
            }
            OperationForm::Plain(
                GraphUpdateOperation::InsertData { .. }
                | GraphUpdateOperation::Load { .. }
                | GraphUpdateOperation::Clear { .. }
                | GraphUpdateOperation::Create { .. }
                | GraphUpdateOperation::Drop { .. },
            )
            | OperationForm::Transfer(_) => {}
        }
    }
    found
}

fn query(pattern: GraphPattern, dataset: Option<QueryDataset>) -> Query {
    let mut variables = Vec::new();
    pattern.on_in_scope_variable(|variable| {
        if !variables.contains(variable) {
            variables.push(variable.clone());
        }
    });
    let pattern = GraphPattern::Project { inner: Box::new(pattern), variables };
    Query { algebra: spargebra::Query::Select { dataset, pattern, base_iri: None } }
}

fn of_statement(quad: &Quad) -> Query {
    let triple = TriplePattern {
        subject: quad.subject.clone().into(),
        predicate: NamedNodePattern::NamedNode(quad.predicate.clone()),
        object: quad.object.clone().into(),
    };
    let inner = GraphPattern::Bgp { patterns: vec![triple] };
    let pattern = match &quad.graph_name {
        GraphName::NamedNode(name) => {
            GraphPattern::Graph { name: NamedNodePattern::NamedNode(name.clone()), inner: Box::new(inner) }
        }
        GraphName::BlankNode(_) | GraphName::DefaultGraph => inner,
    };
    query(pattern, None)
}
