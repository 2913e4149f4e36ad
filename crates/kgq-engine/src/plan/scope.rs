//! Which variables a pattern binds: in every solution, so that they are never null (`certain`), or in some
//! (`possible`); and which must not be bound from outside (`exposed`).

use super::aggregate::AggregateFunction;
use super::{Condition, Expression, Pattern, Scalar, VarSet};

/// Returns the variables that every solution binds.
pub fn certain<T>(pattern: &Pattern<T>) -> VarSet {
    match pattern {
        Pattern::Service(_) => VarSet::default(),
        Pattern::Given(given) => given.iter().filter(|given| given.bound).map(|given| given.var).collect(),
        Pattern::Values { vars, rows } => {
            let columns = vars.iter().enumerate();
            columns.filter(|(column, _)| rows.iter().all(|row| row[*column].is_some())).map(|(_, var)| *var).collect()
        }
        Pattern::Union(branches) => {
            let mut sets = branches.iter().map(certain);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |set, other| set.intersection(&other))
        }
        Pattern::LeftJoin { left, .. } | Pattern::Minus { left, .. } => certain(left),
        Pattern::Extend { inner, var, scalar } => {
            let mut set = certain(inner);
            if binds_always(scalar, &set) {
                set.insert(*var);
            }
            set
        }
        Pattern::Group { inner, keys, aggregates } => {
            let inner = certain(inner);
            let mut set: VarSet = keys.iter().copied().filter(|key| inner.contains(*key)).collect();
            for aggregate in aggregates {
                if matches!(aggregate.aggregation.function, AggregateFunction::CountRows | AggregateFunction::Count) {
                    set.insert(aggregate.result);
                }
            }
            set
        }
        Pattern::Project { inner, vars } => vars.iter().copied().collect::<VarSet>().intersection(&certain(inner)),
        // A filter makes no variable certain. Most conditions fail on an unbound variable, but not all: BOUND or
        // COALESCE may hold.
        pattern => all(pattern, certain).union(&pattern.own_variables().into_iter().collect()),
    }
}

/// The union of what `of` returns for the parts of a pattern.
fn all<T>(pattern: &Pattern<T>, of: impl Fn(&Pattern<T>) -> VarSet) -> VarSet {
    pattern.children().fold(VarSet::default(), |mut set, child| {
        set.extend(&of(child));
        set
    })
}

/// Whether the expression has a value on every row for sure.
pub fn binds_always<T>(scalar: &Scalar<T>, certain: &VarSet) -> bool {
    match &scalar.expression {
        Expression::Constant(_) => true,
        Expression::Variable(_) => scalar.exists.is_empty() && scalar.variables.is_subset(certain),
        _ => false,
    }
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
    let own = || pattern.own_variables().into_iter();
    match pattern {
        Pattern::Triple(atom) => atom.variables().for_each(|var| set.insert(var)),
        Pattern::Minus { left, .. } => add_possible(left, set),
        Pattern::Group { .. } => own().for_each(|var| set.insert(var)),
        Pattern::Project { inner, .. } => set.extend(&own().collect::<VarSet>().intersection(&possible(inner))),
        pattern => {
            pattern.children().for_each(|child| add_possible(child, set));
            own().for_each(|var| set.insert(var));
        }
    }
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
    let unseen = |conditions: &[Condition<T>], visible: &VarSet| {
        conditions.iter().fold(VarSet::default(), |set, c| set.union(&c.variables().without(visible)))
    };
    match pattern {
        Pattern::LeftJoin { left, right, conditions } => {
            let inside = certain(left);
            let set = exposed(left).union(&exposed(right)).union(&possible(right).without(&inside));
            set.union(&unseen(conditions, &inside.union(&certain(right))))
        }
        Pattern::Minus { left, right } => exposed(left).union(&mentioned(right).without(&certain(left))),
        Pattern::Filter { inner, conditions } => exposed(inner).union(&unseen(conditions, &certain(inner))),
        Pattern::Extend { inner, var, scalar } => {
            let mut set = exposed(inner).union(&scalar.mentioned().without(&certain(inner)));
            set.insert(*var);
            set
        }
        Pattern::Group { inner, keys, .. } => {
            // Only a key that every row binds makes the same groups whether it is bound before or joined afterwards.
            let keys: VarSet = keys.iter().copied().collect();
            exposed(inner)
                .union(&possible(pattern).without(&keys.intersection(&certain(inner))))
                .union(&mentioned(inner).without(&keys))
        }
        Pattern::Project { inner, vars } => {
            let vars: VarSet = vars.iter().copied().collect();
            // A projected variable that is certain inside may be bound from outside; one that is only possible must not.
            exposed(inner).intersection(&vars).union(&vars.without(&certain(inner)).intersection(&possible(inner)))
        }
        Pattern::Slice { inner, .. } => mentioned(inner),
        pattern => all(pattern, exposed),
    }
}
