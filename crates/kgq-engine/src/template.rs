//! Templates of statements: those of CONSTRUCT, and of the INSERT and DELETE clauses of an update.

use kgq_syntax::rdf::{BlankNode, NamedOrBlankNode, Term, Triple, Variable};
use rustc_hash::FxHashMap;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// A position in a template.
#[derive(Clone)]
pub enum TemplateTerm {
    Term(Term),
    /// The value of a variable, given by its column.
    Column(usize),
    /// A new blank node for each solution.
    Blank(usize),
    Triple(Box<[TemplateTerm; 3]>),
}

/// Numbers the variables and blank nodes of templates that are filled together.
#[derive(Default)]
pub struct Slots {
    variables: Vec<Variable>,
    columns: FxHashMap<Variable, usize>,
    blanks: FxHashMap<BlankNode, usize>,
}

impl Slots {
    /// Returns the variables in the order of their columns.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    pub fn blank_nodes(&self) -> usize {
        self.blanks.len()
    }

    pub fn triple(&mut self, triple: &TriplePattern) -> [TemplateTerm; 3] {
        [self.part(&triple.subject), self.predicate(&triple.predicate), self.part(&triple.object)]
    }

    pub fn predicate(&mut self, predicate: &NamedNodePattern) -> TemplateTerm {
        match predicate {
            NamedNodePattern::NamedNode(node) => TemplateTerm::Term(node.clone().into()),
            NamedNodePattern::Variable(variable) => self.column(variable),
        }
    }

    pub fn column(&mut self, variable: &Variable) -> TemplateTerm {
        TemplateTerm::Column(*self.columns.entry(variable.clone()).or_insert_with(|| {
            self.variables.push(variable.clone());
            self.variables.len() - 1
        }))
    }

    pub fn part(&mut self, term: &TermPattern) -> TemplateTerm {
        match term {
            TermPattern::NamedNode(node) => TemplateTerm::Term(node.clone().into()),
            TermPattern::Literal(literal) => TemplateTerm::Term(literal.clone().into()),
            TermPattern::Variable(variable) => self.column(variable),
            TermPattern::BlankNode(node) => {
                let count = self.blanks.len();
                TemplateTerm::Blank(*self.blanks.entry(node.clone()).or_insert(count))
            }
            TermPattern::Triple(triple) => TemplateTerm::Triple(Box::new(self.triple(triple))),
        }
    }
}

impl TemplateTerm {
    /// Returns the term at this position for a row; `None` if a variable is unbound.
    pub fn term(&self, row: &[Option<Term>], blanks: &mut [Option<BlankNode>]) -> Option<Term> {
        match self {
            Self::Term(term) => Some(term.clone()),
            Self::Column(column) => row[*column].clone(),
            Self::Blank(number) => Some(blanks[*number].get_or_insert_default().clone().into()),
            Self::Triple(parts) => Some(Term::Triple(Box::new(instance(parts, row, blanks)?))),
        }
    }
}

/// Returns the triple that a template makes from a row; `None` if it has an unbound or misplaced term.
pub fn instance(parts: &[TemplateTerm; 3], row: &[Option<Term>], blanks: &mut [Option<BlankNode>]) -> Option<Triple> {
    let [subject, predicate, object] = parts.each_ref().map(|part| part.term(row, blanks));
    let predicate = match predicate? {
        Term::NamedNode(node) => node,
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => return None,
    };
    Some(Triple { subject: node(subject?)?, predicate, object: object? })
}

/// Returns the term as a subject or as the name of a graph, if it can be one.
pub fn node(term: Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.into()),
        Term::BlankNode(node) => Some(node.into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

/// Whether the template makes a new triple for each solution.
pub fn has_blank(parts: &[TemplateTerm; 3]) -> bool {
    parts.iter().any(|part| match part {
        TemplateTerm::Blank(_) => true,
        TemplateTerm::Triple(parts) => has_blank(parts),
        TemplateTerm::Term(_) | TemplateTerm::Column(_) => false,
    })
}
