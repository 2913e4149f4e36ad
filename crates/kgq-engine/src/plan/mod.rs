//! What a query asks for, in the engine's own words: patterns over numbered variables and term ids.
//!
//! `translate` makes it from spargebra's algebra, `simplify` rewrites it, `scope` says which variables it binds,
//! `estimate` how many solutions it has, from `statistics`, and `planner` and `order` make a `physical` plan of it.

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
pub mod variables;

pub use variables::{Var, VarSet, Variables};

use kgq_snapshot::TermId;
use kgq_syntax::rdf::{NamedNode, Variable};
use spargebra::algebra::AggregateExpression;
use std::sync::Arc;

/// A position of a triple pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Var(Var),
    Term(TermId),
}

impl Slot {
    pub fn var(self) -> Option<Var> {
        match self {
            Self::Var(var) => Some(var),
            Self::Term(_) => None,
        }
    }
}

/// Which graph a triple pattern looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graph {
    /// The dataset's default graph, and nothing else.
    Default,
    Named(TermId),
    /// Every named graph in turn, bound to the variable.
    Each(Var),
    /// The merge of several graphs, without duplicates (SPARQL 1.1 §13.2.1); `None` is the default graph.
    Merge(Arc<[Option<TermId>]>),
    /// The merge of all graphs.
    Union,
}

/// A triple pattern in a graph.
#[derive(Clone, Debug)]
pub struct TripleAtom {
    /// Subject, predicate, object.
    pub slots: [Slot; 3],
    pub graph: Graph,
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

    pub fn variables(&self) -> impl Iterator<Item = Var> {
        let (slots, width) = self.positions();
        slots.into_iter().take(width).filter_map(Slot::var)
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
pub enum Path {
    Predicate(TermId),
    Reverse(Box<Path>),
    Sequence(Vec<Path>),
    Alternative(Vec<Path>),
    Closure(Repeat, Box<Path>),
    /// Any predicate but these.
    Not(Vec<TermId>),
}

/// `subject path+ object` and its relatives. Other paths are patterns: a sequence is a join, an alternative a union.
#[derive(Clone, Debug)]
pub struct ClosureAtom {
    pub subject: Slot,
    pub repeat: Repeat,
    pub path: Arc<Path>,
    pub object: Slot,
    pub graph: Graph,
}

/// `triple` is the triple term of the three slots (RDF 1.2). Only a bound triple term is taken apart.
#[derive(Clone, Debug)]
pub struct TripleTermAtom {
    pub triple: Var,
    pub slots: [Slot; 3],
}

/// An expression with the variables it reads.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Its variables have their unique names; each EXISTS is a variable of `exists`.
    pub expression: spargebra::algebra::Expression,
    /// The variables that the expression reads, without those of `exists`.
    pub variables: VarSet,
    /// Patterns whose existence the expression asks for, with the variable that holds the answer.
    pub exists: Vec<(Var, Pattern)>,
}

/// A SERVICE clause whose endpoint is named (SPARQL 1.1 Federated Query §2).
#[derive(Clone, Debug)]
pub struct ServiceCall {
    pub endpoint: NamedNode,
    /// The clause as a SELECT of all its variables.
    pub query: spargebra::Query,
    /// The variables in sight outside, by their names in the query.
    pub vars: Vec<(Variable, Var)>,
    /// Whether a failure counts as one solution that binds nothing.
    pub silent: bool,
}

/// What a solution must satisfy.
#[derive(Clone, Debug)]
pub enum Condition {
    Scalar(Scalar),
    /// FILTER EXISTS and, where negated, FILTER NOT EXISTS.
    Exists {
        pattern: Pattern,
        negated: bool,
    },
    /// The variable is none of these terms: a negated property set.
    NotAmong(Var, Vec<TermId>),
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
    /// The variables in sight, for COUNT(DISTINCT *).
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
    /// Which of the values is its.
    pub position: usize,
    /// Whether it always has one.
    pub bound: bool,
}

/// A graph pattern (SPARQL 1.1 §18.2).
#[derive(Clone, Debug)]
pub enum Pattern {
    /// No solution.
    Empty,
    /// One solution, which binds nothing.
    Unit,
    Triple(TripleAtom),
    Closure(ClosureAtom),
    TripleTerm(TripleTermAtom),
    Values {
        vars: Vec<Var>,
        rows: Arc<[Vec<TermId>]>,
    },
    /// One solution of values that are known when the plan runs.
    Given(Vec<Given>),
    Service(Arc<ServiceCall>),
    Join(Vec<Pattern>),
    Union(Vec<Pattern>),
    LeftJoin {
        left: Box<Pattern>,
        right: Box<Pattern>,
        conditions: Vec<Condition>,
    },
    Minus {
        left: Box<Pattern>,
        right: Box<Pattern>,
    },
    Filter {
        inner: Box<Pattern>,
        conditions: Vec<Condition>,
    },
    Extend {
        inner: Box<Pattern>,
        var: Var,
        scalar: Scalar,
    },
    Group {
        inner: Box<Pattern>,
        keys: Vec<Var>,
        aggregates: Vec<Aggregate>,
    },
    /// Only these variables are seen outside.
    Project {
        inner: Box<Pattern>,
        vars: Vec<Var>,
    },
    /// Also stands for REDUCED.
    Distinct {
        inner: Box<Pattern>,
    },
    Order {
        inner: Box<Pattern>,
        keys: Vec<OrderKey>,
    },
    Slice {
        inner: Box<Pattern>,
        start: u64,
        length: Option<u64>,
    },
}
