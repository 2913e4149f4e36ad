//! Expressions of a logical plan (SPARQL 1.1 §17): over numbered variables, with terms as constants. `lower` makes them of spargebra's.
//!
//! EXISTS is a variable here that holds `true` or `false`: its pattern stands beside the expression, in its `Scalar`.

use super::function::Function;
use super::{Var, VarSet};
use kgq_syntax::rdf::Term;

#[derive(Clone, Debug)]
pub enum Expression {
    Constant(Term),
    Variable(Var),
    Bound(Var),
    /// Flat: a chain can be thousands long.
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Equal(Box<[Self; 2]>),
    SameTerm(Box<[Self; 2]>),
    Order(OrderTest, Box<[Self; 2]>),
    /// The first is equal to one of the others.
    In(Box<Self>, Vec<Self>),
    Arithmetic(Operation, Box<[Self; 2]>),
    Plus(Box<Self>),
    Minus(Box<Self>),
    If(Box<[Self; 3]>),
    Coalesce(Vec<Self>),
    Call(Function, Vec<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderTest {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl OrderTest {
    /// The test with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Expression {
    /// Its operands, in the order of writing.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let (first, list): (Option<&Self>, &[Self]) = match self {
            Self::Constant(_) | Self::Variable(_) | Self::Bound(_) => (None, &[]),
            Self::Not(operand) | Self::Plus(operand) | Self::Minus(operand) => (Some(operand), &[]),
            Self::Equal(pair) | Self::SameTerm(pair) | Self::Order(_, pair) | Self::Arithmetic(_, pair) => {
                (None, pair.as_slice())
            }
            Self::If(parts) => (None, parts.as_slice()),
            Self::In(operand, list) => (Some(operand), list),
            Self::Or(list) | Self::And(list) | Self::Coalesce(list) | Self::Call(_, list) => (None, list),
        };
        first.into_iter().chain(list)
    }

    /// It and all that it is made of. Without recursion, as it may nest deep.
    fn nodes(&self) -> impl Iterator<Item = &Self> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let node = open.pop()?;
            open.extend(node.children());
            Some(node)
        })
    }

    /// The variables that it reads.
    pub fn variables(&self) -> VarSet {
        let read = |node: &Self| match node {
            Self::Variable(var) | Self::Bound(var) => Some(*var),
            _ => None,
        };
        self.nodes().filter_map(read).collect()
    }

    /// Whether two evaluations on the same row may differ.
    pub fn is_volatile(&self) -> bool {
        self.calls(|function| matches!(function, Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode))
    }

    /// Whether it asks for the time of the query.
    pub fn reads_clock(&self) -> bool {
        self.calls(|function| matches!(function, Function::Now))
    }

    fn calls(&self, such: impl Fn(&Function) -> bool) -> bool {
        self.nodes().any(|node| matches!(node, Self::Call(function, _) if such(function)))
    }
}
