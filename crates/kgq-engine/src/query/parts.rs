//! The direct parts of a graph pattern, to be changed: the one list of them for walks that treat most patterns alike.

use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// What a pattern is made of.
pub enum Part<'p> {
    Pattern(&'p mut GraphPattern),
    Expression(&'p mut Expression),
}

/// Calls `f` with each direct part of a pattern, patterns first.
pub fn for_each_part(pattern: &mut GraphPattern, f: &mut dyn FnMut(Part<'_>)) {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => {}
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            f(Part::Pattern(left));
            f(Part::Pattern(right));
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            f(Part::Pattern(left));
            f(Part::Pattern(right));
            expression.iter_mut().for_each(|e| f(Part::Expression(e)));
        }
        GraphPattern::Filter { expr, inner } => {
            f(Part::Pattern(inner));
            f(Part::Expression(expr));
        }
        GraphPattern::Extend { inner, expression, .. } => {
            f(Part::Pattern(inner));
            f(Part::Expression(expression));
        }
        GraphPattern::OrderBy { inner, expression } => {
            f(Part::Pattern(inner));
            for OrderExpression::Asc(e) | OrderExpression::Desc(e) in expression {
                f(Part::Expression(e));
            }
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            f(Part::Pattern(inner));
            for (_, aggregate) in aggregates {
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    f(Part::Expression(expr));
                }
            }
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Service { inner, .. } => f(Part::Pattern(inner)),
    }
}
