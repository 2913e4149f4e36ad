//! The templates of DELETE and INSERT clauses, and the statements that solutions make from them.

use crate::template::{Slots, TemplateTerm, instance, node};
use indexmap::IndexSet;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term, Triple, Variable};
use rustc_hash::FxBuildHasher;
use spargebra::term::{
    GraphNamePattern, GroundQuadPattern, GroundTermPattern, GroundTriplePattern, QuadPattern, TermPattern,
    TriplePattern,
};

type Statements = IndexSet<Quad, FxBuildHasher>;

/// The templates of one operation, and the statements found so far.
pub struct Templates {
    delete: Vec<Template>,
    insert: Vec<Template>,
    variables: Vec<Variable>,
    blank_nodes: usize,
    deleted: Statements,
    inserted: Statements,
}

struct Template {
    triple: [TemplateTerm; 3],
    /// `None` for the default graph.
    graph: Option<TemplateTerm>,
}

impl Templates {
    pub fn new(delete: &[GroundQuadPattern], insert: &[QuadPattern]) -> Self {
        let mut slots = Slots::default();
        let delete = delete
            .iter()
            .map(|quad| {
                let triple = TriplePattern {
                    subject: open(&quad.subject),
                    predicate: quad.predicate.clone(),
                    object: open(&quad.object),
                };
                Template { triple: slots.triple(&triple), graph: graph(&quad.graph_name, &mut slots) }
            })
            .collect();
        let insert = insert
            .iter()
            .map(|quad| {
                let QuadPattern { subject, predicate, object, graph_name } = quad;
                let triple = [slots.part(subject), slots.predicate(predicate), slots.part(object)];
                Template { triple, graph: graph(graph_name, &mut slots) }
            })
            .collect();
        let (variables, blank_nodes) = (slots.variables().to_vec(), slots.blank_nodes());
        Self { delete, insert, variables, blank_nodes, deleted: Statements::default(), inserted: Statements::default() }
    }

    /// Returns the variables whose values a row must hold, in this order.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Adds the statements that one solution makes.
    pub fn fill(&mut self, row: &[Option<Term>]) {
        let mut blanks = vec![None; self.blank_nodes];
        self.deleted.extend(self.delete.iter().filter_map(|template| template.statement(row, &mut blanks)));
        self.inserted.extend(self.insert.iter().filter_map(|template| template.statement(row, &mut blanks)));
    }

    /// Returns the statements to be deleted, and those to be inserted afterwards.
    pub fn into_statements(self) -> (Statements, Statements) {
        (self.deleted, self.inserted)
    }
}

impl Template {
    /// `None` if a term is unbound or not allowed in its position.
    fn statement(&self, row: &[Option<Term>], blanks: &mut [Option<BlankNode>]) -> Option<Quad> {
        let graph_name = match &self.graph {
            None => GraphName::DefaultGraph,
            Some(part) => match node(part.term(row, blanks)?)? {
                NamedOrBlankNode::NamedNode(node) => node.into(),
                NamedOrBlankNode::BlankNode(node) => node.into(),
            },
        };
        let Triple { subject, predicate, object } = instance(&self.triple, row, blanks)?;
        Some(Quad { subject, predicate, object, graph_name })
    }
}

fn graph(name: &GraphNamePattern, slots: &mut Slots) -> Option<TemplateTerm> {
    match name {
        GraphNamePattern::DefaultGraph => None,
        GraphNamePattern::NamedNode(node) => Some(TemplateTerm::Term(node.clone().into())),
        GraphNamePattern::Variable(variable) => Some(slots.column(variable)),
    }
}

/// Converts a pattern without blank nodes to the type that may contain them.
fn open(term: &GroundTermPattern) -> TermPattern {
    match term {
        GroundTermPattern::NamedNode(node) => node.clone().into(),
        GroundTermPattern::Literal(literal) => literal.clone().into(),
        GroundTermPattern::Variable(variable) => variable.clone().into(),
        GroundTermPattern::Triple(triple) => {
            let GroundTriplePattern { subject, predicate, object } = triple.as_ref();
            let (subject, object) = (open(subject), open(object));
            TermPattern::Triple(Box::new(TriplePattern { subject, predicate: predicate.clone(), object }))
        }
    }
}
