//! Which variables a pattern binds: in every solution, so that they are never null (`certain`), or in some
//! (`possible`); and which must not be bound from outside (`exposed`).

use super::pattern::{Bindings, Properties};
use super::{Pattern, VarSet};

/// Returns the variables that every solution binds.
pub fn certain<T>(pattern: &Pattern<T>) -> VarSet {
    let bindings = pattern.properties().bindings;
    let inside = match bindings {
        Bindings::All | Bindings::Listed | Bindings::Own => all(pattern, certain),
        Bindings::OneOf => {
            let mut sets = pattern.children().map(certain);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |set, other| set.intersection(&other))
        }
        Bindings::Optional | Bindings::First => pattern.children().next().map(certain).unwrap_or_default(),
    };
    let own = pattern.binds_always(&inside);
    match bindings {
        Bindings::Listed | Bindings::Own => own,
        Bindings::All | Bindings::OneOf | Bindings::Optional | Bindings::First => inside.union(&own),
    }
}

/// The union of what `of` returns for the parts of a pattern.
fn all<T>(pattern: &Pattern<T>, of: impl Fn(&Pattern<T>) -> VarSet) -> VarSet {
    union(pattern.children(), of)
}

fn union<'p, T: 'p>(patterns: impl Iterator<Item = &'p Pattern<T>>, of: impl Fn(&Pattern<T>) -> VarSet) -> VarSet {
    patterns.fold(VarSet::default(), |mut set, pattern| {
        set.extend(&of(pattern));
        set
    })
}

/// Returns the variables that some solution may bind.
pub fn possible<T>(pattern: &Pattern<T>) -> VarSet {
    let mut set = VarSet::default();
    add_possible(pattern, &mut set);
    set
}

/// Adds these variables to a set. A planner asks at each level of patterns that may nest deep, and building a set each
/// time would be most of its work.
fn add_possible<T>(pattern: &Pattern<T>, set: &mut VarSet) {
    if let Pattern::Triple(atom) = pattern {
        return atom.variables().for_each(|var| set.insert(var));
    }
    let own = pattern.own_variables().into_iter();
    match pattern.properties().bindings {
        Bindings::Listed => return set.extend(&own.collect::<VarSet>().intersection(&all(pattern, possible))),
        Bindings::Own => (),
        Bindings::First => pattern.children().take(1).for_each(|child| add_possible(child, set)),
        Bindings::All | Bindings::OneOf | Bindings::Optional => {
            pattern.children().for_each(|child| add_possible(child, set));
        }
    }
    own.for_each(|var| set.insert(var));
}

/// Returns all variables in the pattern and its expressions, including those of EXISTS.
pub fn mentioned<T>(pattern: &Pattern<T>) -> VarSet {
    let mut set = all(pattern, mentioned);
    pattern.own_variables().into_iter().for_each(|var| set.insert(var));
    pattern.conditions().iter().for_each(|condition| set.extend(&condition.variables()));
    pattern.scalar().into_iter().for_each(|scalar| set.extend(&scalar.mentioned()));
    set
}

/// Returns the variables that must not be bound from outside before the pattern is evaluated, because joining their
/// bindings afterwards could give other solutions. SPARQL evaluates from the inside out: for instance, a filter in a
/// nested group does not see the bindings outside it.
pub fn exposed<T>(pattern: &Pattern<T>) -> VarSet {
    let Properties { bindings, counts_rows, .. } = pattern.properties();
    if counts_rows {
        return mentioned(pattern);
    }
    let own = || pattern.own_variables().into_iter().collect::<VarSet>();
    let first = || pattern.children().take(1);
    let others = || pattern.children().skip(1);
    let mut set = match bindings {
        Bindings::All | Bindings::OneOf => all(pattern, exposed),
        Bindings::Optional => all(pattern, exposed).union(&union(others(), possible).without(&union(first(), certain))),
        Bindings::First => union(first(), exposed).union(&union(others(), mentioned).without(&union(first(), certain))),
        Bindings::Listed => {
            // A variable that is certain inside may be bound from outside; one that is only possible must not.
            let (own, unsure) = (own(), all(pattern, possible).without(&all(pattern, certain)));
            all(pattern, exposed).union(&unsure).intersection(&own)
        }
        Bindings::Own => {
            // Only a key that every row binds makes the same groups whether it is bound before or joined afterwards.
            let unsure = possible(pattern).without(&all(pattern, certain));
            all(pattern, exposed).union(&unsure).union(&all(pattern, mentioned).without(&own()))
        }
    };
    if pattern.conditions().is_empty() && pattern.scalar().is_none() {
        return set;
    }
    let visible = all(pattern, certain);
    pattern.conditions().iter().for_each(|condition| set.extend(&condition.variables().without(&visible)));
    if let Some(scalar) = pattern.scalar() {
        // What it computes must not be there before.
        set.extend(&scalar.mentioned().without(&visible).union(&own()));
    }
    set
}
