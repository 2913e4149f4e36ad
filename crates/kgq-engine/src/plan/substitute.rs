//! Puts values into the pattern of an EXISTS (SPARQL 1.1 §18.6, substitute). Each part of it is joined with them, so
//! that filters deep inside see them too.

use super::pattern::join;
use super::{Given, Pattern};

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
        // The right side removes only solutions that share a variable with it; if values were put in, every solution
        // would share one.
        Pattern::Minus { left, right } => Pattern::Minus { left: Box::new(substitute(*left, given)), right },
        Pattern::Extend { inner, var, scalar } => {
            let (own, others): (Vec<Given>, Vec<Given>) = given.iter().partition(|given| given.var == var);
            let extended = Pattern::Extend { inner: Box::new(substitute(*inner, &others)), var, scalar };
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

fn values(given: &[Given]) -> Pattern {
    if given.is_empty() { Pattern::Unit } else { Pattern::Given(given.to_vec()) }
}
