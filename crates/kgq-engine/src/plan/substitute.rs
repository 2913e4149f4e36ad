//! Values put into a pattern: each of its parts is joined with them, so that filters deep inside see them too.

use super::translate::join;
use super::{Given, Pattern};

/// The pattern in which the variables have the values that are given when it runs, wherever they are in sight.
pub fn substitute(pattern: &Pattern, given: &[Given]) -> Pattern {
    let inside = |pattern: &Pattern| Box::new(substitute(pattern, given));
    match pattern {
        Pattern::Empty => Pattern::Empty,
        Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Values { .. }
        | Pattern::Given(_)
        | Pattern::Service(_) => join([values(given), pattern.clone()]),
        Pattern::Join(operands) => {
            // Nested operands get the values themselves; patterns that are looked up share one row of them.
            let leaf = |p: &Pattern| {
                matches!(p, Pattern::Triple(_) | Pattern::Closure(_) | Pattern::TripleTerm(_) | Pattern::Values { .. })
            };
            join(
                std::iter::once(values(given))
                    .chain(operands.iter().map(|p| if leaf(p) { p.clone() } else { substitute(p, given) })),
            )
        }
        Pattern::Union(branches) => Pattern::Union(branches.iter().map(|p| substitute(p, given)).collect()),
        Pattern::LeftJoin { left, right, conditions } => {
            Pattern::LeftJoin { left: inside(left), right: inside(right), conditions: conditions.clone() }
        }
        // The right side removes only what shares a variable with it; values put in would be shared by everything.
        Pattern::Minus { left, right } => Pattern::Minus { left: inside(left), right: right.clone() },
        Pattern::Filter { inner, conditions } => {
            Pattern::Filter { inner: inside(inner), conditions: conditions.clone() }
        }
        Pattern::Extend { inner, var, scalar } => {
            let others: Vec<_> = given.iter().filter(|given| given.var != *var).copied().collect();
            let inner = Box::new(substitute(inner, &others));
            let extended = Pattern::Extend { inner, var: *var, scalar: scalar.clone() };
            match given.iter().find(|given| given.var == *var) {
                Some(own) => join([values(&[*own]), extended]),
                None => extended,
            }
        }
        Pattern::Group { inner, keys, aggregates } => {
            Pattern::Group { inner: inside(inner), keys: keys.clone(), aggregates: aggregates.clone() }
        }
        Pattern::Project { inner, vars } => {
            // Variables that are not projected are others, though they may have the same name.
            let seen: Vec<_> = given.iter().filter(|given| vars.contains(&given.var)).copied().collect();
            Pattern::Project { inner: Box::new(substitute(inner, &seen)), vars: vars.clone() }
        }
        Pattern::Distinct { inner } => Pattern::Distinct { inner: inside(inner) },
        Pattern::Order { inner, keys } => Pattern::Order { inner: inside(inner), keys: keys.clone() },
        Pattern::Slice { inner, start, length } => {
            Pattern::Slice { inner: inside(inner), start: *start, length: *length }
        }
    }
}

fn values(given: &[Given]) -> Pattern {
    if given.is_empty() { Pattern::Unit } else { Pattern::Given(given.to_vec()) }
}
