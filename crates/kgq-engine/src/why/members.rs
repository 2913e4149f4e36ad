//! Groups whose members can be listed one by one. In their patterns, each solution shows all the statements that it was
//! made from, so a group has the same members over every part of the data that contains these statements.
//!
//! Such a pattern may contain OPTIONAL if no condition and no join outside it reads what it may leave unbound. Each
//! solution over less data then has a counterpart with the same values over all data.

use super::open::{Opener, asked_for, certain, is_monotone};
use crate::query;
use kgq_syntax::rdf::Variable;
use rustc_hash::FxHashSet;
use spargebra::algebra::{Expression, GraphPattern, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// Whether the pattern is of this kind: no sub-SELECT, no DISTINCT, no MINUS, no path that can be walked in two ways, no EXISTS.
pub fn shows_every_way(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Values { .. } => true,
        GraphPattern::Path { path, .. } => is_walked_once(path),
        GraphPattern::Union { left, right } => shows_every_way(left) && shows_every_way(right),
        GraphPattern::Join { left, right } => {
            let apart =
                |one: &GraphPattern, other: &GraphPattern| is_monotone(one) || loose(one).is_disjoint(&in_scope(other));
            shows_every_way(left) && shows_every_way(right) && apart(left, right) && apart(right, left)
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            let asks_nothing = expression.as_ref().is_none_or(|own| asked_for(own).is_empty());
            // Over fewer statements, a monotone part has no new solution that would be compatible with the left side.
            let is_safe = is_monotone(right) || {
                let loose = loose(right);
                loose.is_disjoint(&in_scope(left)) && expression.as_ref().is_none_or(|own| !reads(own, &loose))
            };
            asks_nothing && is_safe && shows_every_way(left) && shows_every_way(right)
        }
        GraphPattern::Filter { expr, inner } => {
            let is_safe = asked_for(expr).is_empty() && (is_monotone(inner) || !reads(expr, &loose(inner)));
            is_safe && shows_every_way(inner)
        }
        GraphPattern::Extend { inner, expression, .. } => asked_for(expression).is_empty() && shows_every_way(inner),
        GraphPattern::Graph { inner, .. } => shows_every_way(inner),
        _ => false,
    }
}

/// Whether nothing outside each OPTIONAL reads what it may leave unbound (a well-designed pattern). A row over less
/// data is then also a row over all data. Otherwise a statement that an OPTIONAL finds can remove a row.
pub fn options_stay_apart(pattern: &GraphPattern) -> bool {
    let unread = |inner: &GraphPattern, expression: &Expression| {
        let asked = asked_for(expression).into_iter().all(options_stay_apart);
        asked && (is_monotone(inner) || !reads(expression, &loose(inner)))
    };
    let apart = |one: &GraphPattern, other: &GraphPattern| is_monotone(one) || loose(one).is_disjoint(&in_scope(other));
    match pattern {
        GraphPattern::Join { left, right } => {
            apart(left, right) && apart(right, left) && options_stay_apart(left) && options_stay_apart(right)
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            let unread = expression.as_ref().is_none_or(|own| unread(left, own) && unread(right, own));
            let apart = apart(left, right) && apart(right, left);
            unread && apart && options_stay_apart(left) && options_stay_apart(right)
        }
        GraphPattern::Union { left, right } => options_stay_apart(left) && options_stay_apart(right),
        GraphPattern::Filter { expr: expression, inner } | GraphPattern::Extend { expression, inner, .. } => {
            unread(inner, expression) && options_stay_apart(inner)
        }
        GraphPattern::Graph { name, inner } => {
            let is_read = matches!(name, NamedNodePattern::Variable(name) if loose(inner).contains(name));
            (is_monotone(inner) || !is_read) && options_stay_apart(inner)
        }
        GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::OrderBy { inner, .. } => options_stay_apart(inner),
        // The right side of MINUS must stay absent. The patterns after it have no OPTIONAL, or are counted or taken
        // whole: nothing in them is left out.
        GraphPattern::Minus { left, .. } => options_stay_apart(left),
        GraphPattern::Bgp { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Service { .. } => true,
    }
}

/// Returns a pattern that has a solution whenever this one has: without what OPTIONAL and BIND add, as they never
/// remove a solution.
pub fn without_options(pattern: &GraphPattern) -> GraphPattern {
    match pattern {
        GraphPattern::LeftJoin { left: inner, .. } | GraphPattern::Extend { inner, .. } => without_options(inner),
        GraphPattern::Filter { expr, inner } if !reads(expr, &loose(inner)) && asked_for(expr).is_empty() => {
            GraphPattern::Filter { expr: expr.clone(), inner: Box::new(without_options(inner)) }
        }
        other => other.clone(),
    }
}

fn in_scope(pattern: &GraphPattern) -> FxHashSet<Variable> {
    let mut variables = FxHashSet::default();
    pattern.on_in_scope_variable(|variable| {
        variables.insert(variable.clone());
    });
    variables
}

/// Returns the variables that a solution may leave unbound.
pub fn loose(pattern: &GraphPattern) -> FxHashSet<Variable> {
    let mut variables = in_scope(pattern);
    for variable in certain(pattern) {
        variables.remove(&variable);
    }
    variables
}

fn reads(expression: &Expression, variables: &FxHashSet<Variable>) -> bool {
    let mut reads = false;
    query::variables_of_expression(expression, &mut |variable| reads |= variables.contains(variable));
    reads
}

/// Whether a path counts a pair of nodes once however it is walked, or can be walked in only one way (SPARQL 1.1 §18.4).
fn is_walked_once(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::NamedNode(_)
        | PropertyPathExpression::ZeroOrMore(_)
        | PropertyPathExpression::OneOrMore(_)
        | PropertyPathExpression::ZeroOrOne(_) => true,
        PropertyPathExpression::Reverse(inner) => is_walked_once(inner),
        PropertyPathExpression::Sequence(..)
        | PropertyPathExpression::Alternative(..)
        | PropertyPathExpression::NegatedPropertySet(_) => false,
    }
}

/// Returns the pattern with sequences and alternatives of paths written as joins and unions (SPARQL 1.1 §18.2.2.4),
/// which show each way. The variables in between are fresh.
pub fn without_short_paths(pattern: &GraphPattern, opener: &mut Opener) -> GraphPattern {
    let mut boxed = |inner: &GraphPattern| Box::new(without_short_paths(inner, opener));
    match pattern {
        GraphPattern::Path { subject, path, object } => walked(subject, path, object, opener),
        GraphPattern::Join { left, right } => GraphPattern::Join { left: boxed(left), right: boxed(right) },
        GraphPattern::Union { left, right } => GraphPattern::Union { left: boxed(left), right: boxed(right) },
        GraphPattern::LeftJoin { left, right, expression } => {
            GraphPattern::LeftJoin { left: boxed(left), right: boxed(right), expression: expression.clone() }
        }
        GraphPattern::Filter { expr, inner } => GraphPattern::Filter { expr: expr.clone(), inner: boxed(inner) },
        GraphPattern::Extend { inner, variable, expression } => {
            let (variable, expression) = (variable.clone(), expression.clone());
            GraphPattern::Extend { inner: boxed(inner), variable, expression }
        }
        GraphPattern::Graph { name, inner } => GraphPattern::Graph { name: name.clone(), inner: boxed(inner) },
        other => other.clone(),
    }
}

fn walked(
    subject: &TermPattern,
    path: &PropertyPathExpression,
    object: &TermPattern,
    opener: &mut Opener,
) -> GraphPattern {
    match path {
        PropertyPathExpression::NamedNode(property) => {
            let predicate = NamedNodePattern::from(property.clone());
            let triple = TriplePattern { subject: subject.clone(), predicate, object: object.clone() };
            GraphPattern::Bgp { patterns: vec![triple] }
        }
        PropertyPathExpression::Reverse(inner) => walked(object, inner, subject, opener),
        PropertyPathExpression::Sequence(first, second) => {
            let between = TermPattern::from(opener.fresh("between"));
            let left = Box::new(walked(subject, first, &between, opener));
            GraphPattern::Join { left, right: Box::new(walked(&between, second, object, opener)) }
        }
        PropertyPathExpression::Alternative(one, other) => {
            let left = Box::new(walked(subject, one, object, opener));
            GraphPattern::Union { left, right: Box::new(walked(subject, other, object, opener)) }
        }
        path => GraphPattern::Path { subject: subject.clone(), path: path.clone(), object: object.clone() },
    }
}
