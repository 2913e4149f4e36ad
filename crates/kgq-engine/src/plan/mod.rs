//! The logical plan, which says what a query asks for as patterns over numbered variables; and the modules that make a physical one of it.
//!
//! `translate` makes the logical plan from spargebra's algebra, a [`Pattern`] of terms, and `simplify` rewrites it. `bind` puts the
//! snapshot's ids in the place of the terms. Of that, `planner` and `order` make a `physical` plan, by what `statistics` say and
//! `estimate` makes of it. `tree` says what a pattern is made of, `scope` which variables it binds.

pub mod bind;
mod equality;
pub mod estimate;
pub mod expression;
pub mod order;
pub mod physical;
pub mod planner;
pub mod scope;
pub mod simplify;
pub mod statistics;
pub mod substitute;
pub mod translate;
mod tree;
pub mod variables;

pub use variables::{Var, VarSet, Variables};

use kgq_snapshot::TermId;
use kgq_syntax::rdf::{NamedNode, Variable};
use spargebra::algebra::AggregateExpression;
use std::sync::Arc;

/// A position of a triple pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<T = TermId> {
    Var(Var),
    Term(T),
}

impl<T> Slot<T> {
    pub fn var(&self) -> Option<Var> {
        match self {
            Self::Var(var) => Some(*var),
            Self::Term(_) => None,
        }
    }
}

/// Which graph a triple pattern looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graph<T = TermId> {
    /// The dataset's default graph, and nothing else.
    Default,
    Named(T),
    /// Every named graph in turn, bound to the variable.
    Each(Var),
    /// The merge of several graphs, without duplicates (SPARQL 1.1 §13.2.1); `None` is the default graph.
    Merge(Arc<[Option<T>]>),
    /// The merge of all graphs.
    Union,
}

impl<T> Graph<T> {
    /// The variable that holds its name.
    pub fn var(&self) -> Option<Var> {
        match self {
            Self::Each(var) => Some(*var),
            Self::Default | Self::Named(_) | Self::Merge(_) | Self::Union => None,
        }
    }
}

/// A triple pattern in a graph.
#[derive(Clone, Debug)]
pub struct TripleAtom<T = TermId> {
    /// Subject, predicate, object.
    pub slots: [Slot<T>; 3],
    pub graph: Graph<T>,
}

impl TripleAtom {
    /// Subject, predicate, object and, where the graph is a variable or a constant name, the graph.
    pub fn positions(&self) -> ([Slot; 4], usize) {
        let [s, p, o] = self.slots;
        match self.graph {
            Graph::Default | Graph::Merge(_) | Graph::Union => ([s, p, o, o], 3),
            Graph::Named(graph) => ([s, p, o, Slot::Term(graph)], 4),
            Graph::Each(graph) => ([s, p, o, Slot::Var(graph)], 4),
        }
    }
}

impl<T> TripleAtom<T> {
    pub fn variables(&self) -> impl Iterator<Item = Var> {
        self.slots.iter().filter_map(Slot::var).chain(self.graph.var())
    }
}

/// How often a closure repeats its path (SPARQL 1.1 §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    ZeroOrOne,
    ZeroOrMore,
    OneOrMore,
}

/// A property path inside a closure, where only the pairs count and not how often they are found.
#[derive(Clone, Debug)]
pub enum Path<T = TermId> {
    Predicate(T),
    Reverse(Box<Path<T>>),
    Sequence(Vec<Path<T>>),
    Alternative(Vec<Path<T>>),
    Closure(Repeat, Box<Path<T>>),
    /// A negated property set: any predicate but these.
    Not(Vec<T>),
}

/// `subject path+ object` and its relatives. Other paths are patterns: a sequence is a join, an alternative a union.
#[derive(Clone, Debug)]
pub struct ClosureAtom<T = TermId> {
    pub subject: Slot<T>,
    pub repeat: Repeat,
    pub path: Arc<Path<T>>,
    pub object: Slot<T>,
    pub graph: Graph<T>,
}

/// `triple` is the triple term of the three slots (RDF 1.2). It must be bound before: it is taken apart, never looked for.
#[derive(Clone, Debug)]
pub struct TripleTermAtom<T = TermId> {
    pub triple: Var,
    pub slots: [Slot<T>; 3],
}

/// An expression with the variables it reads.
#[derive(Clone, Debug)]
pub struct Scalar<T = TermId> {
    /// Its variables have their unique names; each EXISTS is a variable of `exists`.
    pub expression: spargebra::algebra::Expression,
    /// The variables that the expression reads, without those of `exists`.
    pub variables: VarSet,
    /// Patterns whose existence the expression asks for, with the variable that holds the answer.
    pub exists: Vec<(Var, Pattern<T>)>,
}

/// A SERVICE clause whose endpoint is named (SPARQL 1.1 Federated Query §2).
#[derive(Clone, Debug)]
pub struct ServiceCall {
    pub endpoint: NamedNode,
    /// The clause as a SELECT of all its variables.
    pub query: spargebra::Query,
    /// The variables in scope outside, by their names in the query.
    pub vars: Vec<(Variable, Var)>,
    /// Whether a failure counts as one solution that binds nothing.
    pub silent: bool,
}

/// What a solution must satisfy.
#[derive(Clone, Debug)]
pub enum Condition<T = TermId> {
    Scalar(Scalar<T>),
    /// FILTER EXISTS and, where negated, FILTER NOT EXISTS.
    Exists {
        pattern: Pattern<T>,
        negated: bool,
    },
    /// The variable is none of these terms: a negated property set.
    NotAmong(Var, Vec<T>),
    /// Both variables hold the same term, or either is unbound.
    Same(Var, Var),
}

#[derive(Clone, Debug)]
pub struct Aggregate {
    pub result: Var,
    /// The aggregate with its variables renamed. Its argument, unless it is a plain variable, has been bound before.
    pub expression: AggregateExpression,
    /// The argument's variable, where there is one.
    pub argument: Option<Var>,
    /// The variables in scope, for COUNT(DISTINCT *).
    pub all: Vec<Var>,
}

#[derive(Clone, Debug)]
pub struct OrderKey {
    pub var: Var,
    pub descending: bool,
}

/// A variable whose value is given when a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    pub var: Var,
    /// The position of its value among those given.
    pub position: usize,
    /// Whether its value is never unbound.
    pub bound: bool,
}

/// A graph pattern (SPARQL 1.1 §18.2): of terms, as it stands in a query, or of the ids that a snapshot has for them.
#[derive(Clone, Debug)]
pub enum Pattern<T = TermId> {
    /// No solution.
    Empty,
    /// One solution, which binds nothing.
    Unit,
    Triple(TripleAtom<T>),
    Closure(ClosureAtom<T>),
    TripleTerm(TripleTermAtom<T>),
    Values {
        vars: Vec<Var>,
        /// `None` is UNDEF.
        rows: Arc<[Vec<Option<T>>]>,
    },
    /// One solution of values that are known when the plan runs.
    Given(Vec<Given>),
    Service(Arc<ServiceCall>),
    Join(Vec<Pattern<T>>),
    Union(Vec<Pattern<T>>),
    LeftJoin {
        left: Box<Pattern<T>>,
        right: Box<Pattern<T>>,
        conditions: Vec<Condition<T>>,
    },
    Minus {
        left: Box<Pattern<T>>,
        right: Box<Pattern<T>>,
    },
    Filter {
        inner: Box<Pattern<T>>,
        conditions: Vec<Condition<T>>,
    },
    Extend {
        inner: Box<Pattern<T>>,
        var: Var,
        scalar: Scalar<T>,
    },
    Group {
        inner: Box<Pattern<T>>,
        keys: Vec<Var>,
        aggregates: Vec<Aggregate>,
    },
    /// Only these variables are seen outside.
    Project {
        inner: Box<Pattern<T>>,
        vars: Vec<Var>,
    },
    /// Also stands for REDUCED.
    Distinct {
        inner: Box<Pattern<T>>,
    },
    Order {
        inner: Box<Pattern<T>>,
        keys: Vec<OrderKey>,
    },
    Slice {
        inner: Box<Pattern<T>>,
        start: u64,
        length: Option<u64>,
    },
}
