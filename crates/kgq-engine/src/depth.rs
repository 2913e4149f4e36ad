//! How deeply a query nests. A chain of a thousand UNIONs, OPTIONALs or `||` is a tree a thousand levels deep, and
//! walking it recursively needs a stack to match.

use crate::query::operands::operands;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

enum Part<'a> {
    Pattern(&'a GraphPattern),
    Expression(&'a Expression),
}

/// Returns the depth of the tree of patterns and expressions. It walks the tree without recursion.
pub fn depth(pattern: &GraphPattern) -> usize {
    let mut deepest = 0;
    let mut stack = vec![(Part::Pattern(pattern), 1)];
    while let Some((part, depth)) = stack.pop() {
        deepest = deepest.max(depth);
        let mut push = |part| stack.push((part, depth + 1));
        match part {
            Part::Pattern(pattern) => pattern_parts(pattern, &mut push),
            Part::Expression(expression) => expression_parts(expression, &mut push),
        }
    }
    deepest
}

fn pattern_parts<'a>(pattern: &'a GraphPattern, push: &mut impl FnMut(Part<'a>)) {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => (),
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            push(Part::Pattern(left));
            push(Part::Pattern(right));
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            push(Part::Pattern(left));
            push(Part::Pattern(right));
            expression.iter().for_each(|e| push(Part::Expression(e)));
        }
        GraphPattern::Filter { expr, inner } => {
            push(Part::Pattern(inner));
            push(Part::Expression(expr));
        }
        GraphPattern::Extend { inner, expression, .. } => {
            push(Part::Pattern(inner));
            push(Part::Expression(expression));
        }
        GraphPattern::OrderBy { inner, expression } => {
            push(Part::Pattern(inner));
            for OrderExpression::Asc(key) | OrderExpression::Desc(key) in expression {
                push(Part::Expression(key));
            }
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            push(Part::Pattern(inner));
            for (_, aggregate) in aggregates {
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    push(Part::Expression(expr));
                }
            }
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Service { inner, .. } => push(Part::Pattern(inner)),
    }
}

fn expression_parts<'a>(expression: &'a Expression, push: &mut impl FnMut(Part<'a>)) {
    if let Expression::Exists(pattern) = expression {
        push(Part::Pattern(pattern));
    }
    operands(expression).for_each(|e| push(Part::Expression(e)));
}
