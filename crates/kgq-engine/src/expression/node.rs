//! A compiled expression: its tree, and what the compiler and the planner ask about it.

use super::by_class::ByClass;
use super::call::Function;
use super::distinct::PerDistinct;
use super::range::Ranges;
use super::text_test::TextTest;
use super::value::Value;
use crate::plan::expression::{Operation, OrderTest};
use kgq_snapshot::TermId;

/// A compiled expression.
#[derive(Debug)]
pub enum ExpressionNode {
    Constant(Constant),
    /// An error in every row; also an unbound variable.
    Error,
    Variable(usize),
    Bound(usize),
    Or(Vec<ExpressionNode>),
    And(Vec<ExpressionNode>),
    Not(Box<ExpressionNode>),
    Equal(Box<(ExpressionNode, ExpressionNode)>),
    Order(OrderTest, Box<(ExpressionNode, ExpressionNode)>),
    /// A comparison with a constant.
    InRanges(Box<Ranges>, Box<ExpressionNode>),
    SameTerm(Box<(ExpressionNode, ExpressionNode)>),
    In(Box<ExpressionNode>, Vec<ExpressionNode>),
    Arithmetic(Operation, Box<(ExpressionNode, ExpressionNode)>),
    Plus(Box<ExpressionNode>),
    Minus(Box<ExpressionNode>),
    If(Box<(ExpressionNode, ExpressionNode, ExpressionNode)>),
    Coalesce(Vec<ExpressionNode>),
    Test(Test, Box<ExpressionNode>),
    /// Searches the text of a column for a constant.
    TextTest(Box<TextTest>, usize),
    Call(Function, Vec<ExpressionNode>),
    Generate(Generator, Option<Box<ExpressionNode>>),
    PerDistinct(Box<PerDistinct>),
    /// A condition on the kind, datatype or language of a column's terms.
    ByClass(Box<ByClass>, usize),
}

/// A constant term of the expression.
#[derive(Clone, Debug)]
pub struct Constant {
    pub id: TermId,
    pub value: Value,
}

/// A test of a term's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    IsIri,
    IsBlank,
    IsLiteral,
    IsNumeric,
    IsTriple,
    HasLang,
    HasLangDir,
}

/// A function that returns something new for every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    Rand,
    Uuid,
    StrUuid,
    /// Without an argument, a new node for each row; with one, a node for each name and solution.
    BlankNode,
}

impl ExpressionNode {
    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Constant(_)
            | Self::Error
            | Self::Variable(_)
            | Self::Bound(_)
            | Self::TextTest(_, _)
            | Self::ByClass(_, _)
            | Self::PerDistinct(_) => Vec::new(),
            Self::Or(parts) | Self::And(parts) | Self::Coalesce(parts) | Self::Call(_, parts) => parts.iter().collect(),
            Self::Not(a) | Self::Plus(a) | Self::Minus(a) | Self::Test(_, a) | Self::InRanges(_, a) => vec![a],
            Self::Equal(sides) | Self::Order(_, sides) | Self::SameTerm(sides) | Self::Arithmetic(_, sides) => {
                vec![&sides.0, &sides.1]
            }
            Self::In(a, list) => std::iter::once(&**a).chain(list).collect(),
            Self::If(parts) => vec![&parts.0, &parts.1, &parts.2],
            Self::Generate(_, argument) => argument.as_deref().into_iter().collect(),
        }
    }

    pub fn children_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Constant(_)
            | Self::Error
            | Self::Variable(_)
            | Self::Bound(_)
            | Self::TextTest(_, _)
            | Self::ByClass(_, _)
            | Self::PerDistinct(_) => Vec::new(),
            Self::Or(parts) | Self::And(parts) | Self::Coalesce(parts) | Self::Call(_, parts) => {
                parts.iter_mut().collect()
            }
            Self::Not(a) | Self::Plus(a) | Self::Minus(a) | Self::Test(_, a) | Self::InRanges(_, a) => vec![a],
            Self::Equal(sides) | Self::Order(_, sides) | Self::SameTerm(sides) | Self::Arithmetic(_, sides) => {
                vec![&mut sides.0, &mut sides.1]
            }
            Self::In(a, list) => std::iter::once(&mut **a).chain(list).collect(),
            Self::If(parts) => vec![&mut parts.0, &mut parts.1, &mut parts.2],
            Self::Generate(_, argument) => argument.as_deref_mut().into_iter().collect(),
        }
    }

    /// Whether equal rows get equal values.
    pub fn is_deterministic(&self) -> bool {
        !matches!(self, Self::Generate(_, _)) && self.children().into_iter().all(Self::is_deterministic)
    }

    /// Whether the value is the same in all rows. The node's parts have been folded already.
    pub fn is_constant(&self) -> bool {
        let of_row = matches!(
            self,
            Self::Variable(_)
                | Self::Bound(_)
                | Self::TextTest(_, _)
                | Self::ByClass(_, _)
                | Self::Generate(_, _)
                | Self::PerDistinct(_)
        );
        !of_row && self.children().into_iter().all(|child| matches!(child, Self::Constant(_) | Self::Error))
    }

    /// Whether its value is always a boolean or an error.
    pub fn is_boolean(&self) -> bool {
        match self {
            Self::Bound(_)
            | Self::Or(_)
            | Self::And(_)
            | Self::Not(_)
            | Self::Equal(_)
            | Self::Order(_, _)
            | Self::InRanges(_, _)
            | Self::SameTerm(_)
            | Self::In(_, _)
            | Self::Test(_, _)
            | Self::TextTest(_, _)
            | Self::ByClass(_, _) => true,
            Self::Call(function, _) => function.is_boolean(),
            Self::PerDistinct(distinct) => distinct.is_boolean(),
            Self::Constant(_)
            | Self::Error
            | Self::Variable(_)
            | Self::Arithmetic(_, _)
            | Self::Plus(_)
            | Self::Minus(_)
            | Self::If(_)
            | Self::Coalesce(_)
            | Self::Generate(_, _) => false,
        }
    }

    /// Returns the column if the expression reads exactly one.
    pub fn only_column(&self) -> Option<usize> {
        fn visit(node: &ExpressionNode, columns: &mut Vec<usize>) {
            if let ExpressionNode::Variable(column)
            | ExpressionNode::Bound(column)
            | ExpressionNode::TextTest(_, column)
            | ExpressionNode::ByClass(_, column) = node
            {
                columns.push(*column);
            }
            node.children().into_iter().for_each(|child| visit(child, columns));
        }
        let mut columns = Vec::new();
        visit(self, &mut columns);
        columns.dedup();
        if let [column] = columns[..] { Some(column) } else { None }
    }

    /// Returns the column if the expression is STR() of one.
    pub fn as_str_of_column(&self) -> Option<usize> {
        match self {
            Self::Call(Function::Str, arguments) => match arguments.as_slice() {
                [Self::Variable(column)] => Some(*column),
                _ => None,
            },
            Self::PerDistinct(distinct) => distinct.as_str_of_column(),
            _ => None,
        }
    }

    pub fn move_columns(&mut self) {
        if let Self::Variable(column) | Self::Bound(column) | Self::TextTest(_, column) | Self::ByClass(_, column) =
            self
        {
            *column = 0;
        }
        self.children_mut().into_iter().for_each(Self::move_columns);
    }

    /// Whether `holds` is true for the node or any part of it.
    pub fn any(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self) || self.children().into_iter().any(|child| child.any(holds))
    }

    /// Whether it reads only the kinds, datatypes and languages of variables' terms.
    pub fn reads_class_only(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Error => true,
            Self::Variable(_)
            | Self::Bound(_)
            | Self::TextTest(_, _)
            | Self::ByClass(_, _)
            | Self::PerDistinct(_)
            | Self::Generate(_, _) => false,
            Self::Call(Function::Lang | Function::LangDir | Function::Datatype, arguments) => {
                matches!(arguments.as_slice(), [Self::Variable(_)])
            }
            Self::Test(_, operand) => matches!(**operand, Self::Variable(_)) || operand.reads_class_only(),
            _ => self.children().into_iter().all(Self::reads_class_only),
        }
    }

    /// Whether evaluating it for a row costs more than looking up an earlier result.
    pub fn is_costly(&self) -> bool {
        let is_costly = match self {
            Self::Call(function, _) => !function.is_cheap(),
            Self::TextTest(test, _) => !test.is_cheap(),
            _ => false,
        };
        is_costly || self.children().into_iter().any(Self::is_costly)
    }

    /// Whether it reads texts of terms.
    pub fn reads_text(&self) -> bool {
        self.any(&|node| match node {
            Self::PerDistinct(distinct) => distinct.reads_text(),
            Self::TextTest(test, _) => !test.is_cheap(),
            Self::Call(function, _) => function.reads_text(),
            _ => false,
        })
    }

    /// Whether it may build a new string for each row.
    pub fn builds_much(&self) -> bool {
        matches!(self, Self::Call(Function::Replace(_) | Function::Digest(_), _))
            || self.children().into_iter().any(Self::builds_much)
    }
}
