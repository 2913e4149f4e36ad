//! Expressions of a logical plan (SPARQL 1.1 §17), over numbered variables and with terms as constants. `lower` makes
//! them from spargebra's.
//!
//! An EXISTS is represented by a variable that holds `true` or `false`; its pattern is kept beside the expression, in
//! its `Scalar`.

use super::function::Function;
use super::{Var, VarSet};
use kgq_syntax::rdf::Term;

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Constant(Term),
    Variable(Var),
    Bound(Var),
    /// Flat, because a chain can have thousands of operands.
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Equal(Box<[Self; 2]>),
    SameTerm(Box<[Self; 2]>),
    Order(OrderTest, Box<[Self; 2]>),
    /// The first operand equals one of the others.
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
    /// Returns the test for exchanged sides.
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
    /// Returns its operands in the order in which they are written.
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

    /// Iterates over the expression and everything in it. It does not recurse, because expressions may nest deep.
    fn nodes(&self) -> impl Iterator<Item = &Self> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let node = open.pop()?;
            open.extend(node.children());
            Some(node)
        })
    }

    /// Returns the variables that it reads.
    pub fn variables(&self) -> VarSet {
        let read = |node: &Self| match node {
            Self::Variable(var) | Self::Bound(var) => Some(*var),
            _ => None,
        };
        self.nodes().filter_map(read).collect()
    }

    /// Whether it consists of more parts than this.
    pub fn has_more_parts(&self, than: usize) -> bool {
        self.nodes().nth(than).is_some()
    }

    /// Whether two evaluations on the same row may differ.
    pub fn is_volatile(&self) -> bool {
        self.calls(|function| matches!(function, Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode))
    }

    /// Whether it calls NOW().
    pub fn reads_clock(&self) -> bool {
        self.calls(|function| matches!(function, Function::Now))
    }

    fn calls(&self, such: impl Fn(&Function) -> bool) -> bool {
        self.nodes().any(|node| matches!(node, Self::Call(function, _) if such(function)))
    }
}
