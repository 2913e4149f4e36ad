//! Puts values into the pattern of an EXISTS (SPARQL 1.1 §18.6, substitute). Each part of it is joined with them, so
//! that filters deep inside see them too.

use super::pattern::join;
use super::{Condition, Given, Pattern, VarSet, scope};

/// Returns the pattern with the given variables bound, wherever they are in scope, to the values that are given when it runs.
pub fn substitute(pattern: Pattern, given: &[Given]) -> Pattern {
    match pattern {
        Pattern::Empty => Pattern::Empty,
        leaf if leaf.children().next().is_none() => join([values(given), leaf]),
        Pattern::Join(operands) => {
            // Nested operands get the values themselves; patterns that are looked up share one row of values.
            let leaf = |p: &Pattern| {
                matches!(p, Pattern::Triple(_) | Pattern::Closure(_) | Pattern::TripleTerm(_) | Pattern::Values { .. })
            };
            let operands = operands.into_iter().map(|p| if leaf(&p) { p } else { substitute(p, given) });
            join(std::iter::once(values(given)).chain(operands))
        }
        Pattern::Filter { inner, conditions } => {
            let inner = Box::new(read_by(*inner, &read(&conditions), given));
            Pattern::Filter { inner, conditions }
        }
        Pattern::LeftJoin { left, right, conditions } => {
            let right = substitute(*right, given);
            let read = read(&conditions).without(&scope::possible(&right));
            let left = Box::new(read_by(*left, &read, given));
            Pattern::LeftJoin { left, right: Box::new(right), conditions }
        }
        // The right side removes only solutions that share a variable with it; if values were put in, every solution
        // would share one.
        Pattern::Minus { left, right } => Pattern::Minus { left: Box::new(substitute(*left, given)), right },
        Pattern::Extend { inner, var, scalar } => {
            let (own, others): (Vec<Given>, Vec<Given>) = given.iter().partition(|given| given.var == var);
            let inner = Box::new(read_by(*inner, &scalar.mentioned(), &others));
            let extended = Pattern::Extend { inner, var, scalar };
            if own.is_empty() { extended } else { join([values(&own), extended]) }
        }
        Pattern::Project { inner, vars } => {
            // A variable that is not projected is a different one, even if it has the same name.
            let seen: Vec<Given> = given.iter().filter(|given| vars.contains(&given.var)).copied().collect();
            Pattern::Project { inner: Box::new(substitute(*inner, &seen)), vars }
        }
        pattern => pattern.map_children(|child| substitute(child, given)),
    }
}

fn read(conditions: &[Condition]) -> VarSet {
    conditions.iter().fold(VarSet::default(), |set, condition| set.union(&condition.variables()))
}

/// The same for a pattern whose rows an expression reads: that sees values too of variables that the pattern does not have, as a
/// sub-SELECT does not have those that it does not project.
fn read_by(pattern: Pattern, read: &VarSet, given: &[Given]) -> Pattern {
    let pattern = substitute(pattern, given);
    let possible = scope::possible(&pattern);
    let unseen = |given: &&Given| read.contains(given.var) && !possible.contains(given.var);
    let unseen: Vec<Given> = given.iter().filter(unseen).copied().collect();
    if unseen.is_empty() { pattern } else { join([values(&unseen), pattern]) }
}

fn values(given: &[Given]) -> Pattern {
    if given.is_empty() { Pattern::Unit } else { Pattern::Given(given.to_vec()) }
}
