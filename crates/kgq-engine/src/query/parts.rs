//! The direct parts of a graph pattern, to be changed. Walks that treat most patterns alike use this list.

use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// A part of a pattern.
pub enum Child<'p> {
    Pattern(&'p mut GraphPattern),
    Expression(&'p mut Expression),
}

/// Calls `f` with each direct part of a pattern, patterns first.
pub fn for_each_part(pattern: &mut GraphPattern, f: &mut dyn FnMut(Child<'_>)) {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => {}
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            f(Child::Pattern(left));
            f(Child::Pattern(right));
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            f(Child::Pattern(left));
            f(Child::Pattern(right));
            expression.iter_mut().for_each(|e| f(Child::Expression(e)));
        }
        GraphPattern::Filter { expr, inner } => {
            f(Child::Pattern(inner));
            f(Child::Expression(expr));
        }
        GraphPattern::Extend { inner, expression, .. } => {
            f(Child::Pattern(inner));
            f(Child::Expression(expression));
        }
        GraphPattern::OrderBy { inner, expression } => {
            f(Child::Pattern(inner));
            for OrderExpression::Asc(e) | OrderExpression::Desc(e) in expression {
                f(Child::Expression(e));
            }
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            f(Child::Pattern(inner));
            for (_, aggregate) in aggregates {
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    f(Child::Expression(expr));
                }
            }
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Service { inner, .. } => f(Child::Pattern(inner)),
    }
}
