//! Which variables a pattern binds: always, perhaps, and where it matters that they are not bound from outside.

use super::expression::scalar_variables;
use super::{Condition, Pattern, Slot, VarSet};

/// The variables that every solution binds.
pub fn certain(pattern: &Pattern) -> VarSet {
    match pattern {
        Pattern::Empty | Pattern::Unit => VarSet::default(),
        Pattern::Triple(atom) => atom.variables().collect(),
        Pattern::Closure(_) | Pattern::TripleTerm(_) => possible(pattern),
        Pattern::Service(_) => VarSet::default(),
        Pattern::Values { vars, rows } => vars
            .iter()
            .enumerate()
            .filter(|(column, _)| rows.iter().all(|row| row[*column] != kgq_snapshot::TermId::UNBOUND))
            .map(|(_, var)| *var)
            .collect(),
        Pattern::Given(given) => given.iter().filter(|given| given.bound).map(|given| given.var).collect(),
        Pattern::Join(operands) => operands.iter().fold(VarSet::default(), |set, p| set.union(&certain(p))),
        Pattern::Union(branches) => {
            let mut sets = branches.iter().map(certain);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |set, other| set.intersection(&other))
        }
        Pattern::LeftJoin { left, .. } | Pattern::Minus { left, .. } => certain(left),
        // A filter that holds cannot have read an unbound variable in most expressions; only the sure case is used.
        Pattern::Filter { inner, .. } => certain(inner),
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
                if is_count(&aggregate.expression) {
                    set.insert(aggregate.result);
                }
            }
            set
        }
        Pattern::Project { inner, vars } => vars.iter().copied().collect::<VarSet>().intersection(&certain(inner)),
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } | Pattern::Slice { inner, .. } => certain(inner),
    }
}

fn is_count(aggregate: &spargebra::algebra::AggregateExpression) -> bool {
    use spargebra::algebra::{AggregateExpression, AggregateFunction};
    match aggregate {
        AggregateExpression::CountSolutions { .. } => true,
        AggregateExpression::FunctionCall { name, .. } => matches!(name, AggregateFunction::Count),
    }
}

/// Whether the expression has a value on every row.
pub fn binds_always(scalar: &super::Scalar, certain: &VarSet) -> bool {
    use spargebra::algebra::Expression;
    match &scalar.expression {
        Expression::NamedNode(_) | Expression::Literal(_) => true,
        Expression::Variable(_) => scalar.exists.is_empty() && scalar.variables.is_subset(certain),
        _ => false,
    }
}

/// The variables that some solution may bind.
pub fn possible(pattern: &Pattern) -> VarSet {
    match pattern {
        Pattern::Empty | Pattern::Unit => VarSet::default(),
        Pattern::Triple(atom) => atom.variables().collect(),
        Pattern::Closure(atom) => {
            let mut set: VarSet = [atom.subject, atom.object].into_iter().filter_map(Slot::var).collect();
            if let super::Graph::Each(graph) = atom.graph {
                set.insert(graph);
            }
            set
        }
        Pattern::TripleTerm(atom) => {
            let mut set: VarSet = atom.slots.into_iter().filter_map(Slot::var).collect();
            set.insert(atom.triple);
            set
        }
        Pattern::Values { vars, .. } => vars.iter().copied().collect(),
        Pattern::Given(given) => given.iter().map(|given| given.var).collect(),
        Pattern::Service(call) => call.vars.iter().map(|(_, var)| *var).collect(),
        Pattern::Join(operands) | Pattern::Union(operands) => {
            operands.iter().fold(VarSet::default(), |set, p| set.union(&possible(p)))
        }
        Pattern::LeftJoin { left, right, .. } => possible(left).union(&possible(right)),
        Pattern::Minus { left, .. } => possible(left),
        Pattern::Filter { inner, .. } => possible(inner),
        Pattern::Extend { inner, var, .. } => {
            let mut set = possible(inner);
            set.insert(*var);
            set
        }
        Pattern::Group { keys, aggregates, .. } => {
            keys.iter().copied().chain(aggregates.iter().map(|a| a.result)).collect()
        }
        Pattern::Project { vars, inner } => vars.iter().copied().collect::<VarSet>().intersection(&possible(inner)),
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } | Pattern::Slice { inner, .. } => possible(inner),
    }
}

/// All variables in the pattern and its expressions.
pub fn mentioned(pattern: &Pattern) -> VarSet {
    let of_conditions = |conditions: &[Condition]| {
        conditions.iter().fold(VarSet::default(), |set, condition| set.union(&condition.variables()))
    };
    match pattern {
        Pattern::Empty
        | Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Service(_)
        | Pattern::Given(_)
        | Pattern::Values { .. } => possible(pattern),
        Pattern::Join(operands) | Pattern::Union(operands) => {
            operands.iter().fold(VarSet::default(), |set, p| set.union(&mentioned(p)))
        }
        Pattern::LeftJoin { left, right, conditions } => {
            mentioned(left).union(&mentioned(right)).union(&of_conditions(conditions))
        }
        Pattern::Minus { left, right } => mentioned(left).union(&mentioned(right)),
        Pattern::Filter { inner, conditions } => mentioned(inner).union(&of_conditions(conditions)),
        Pattern::Extend { inner, var, scalar } => {
            let mut set = mentioned(inner).union(&scalar_variables(scalar));
            set.insert(*var);
            set
        }
        Pattern::Group { inner, keys, aggregates } => {
            let mut set = mentioned(inner);
            for var in keys.iter().copied().chain(aggregates.iter().map(|a| a.result)) {
                set.insert(var);
            }
            set
        }
        Pattern::Project { inner, vars } => mentioned(inner).union(&vars.iter().copied().collect()),
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } | Pattern::Slice { inner, .. } => mentioned(inner),
    }
}

/// The variables that must not be bound from outside before the pattern is evaluated: joining their bindings afterwards
/// could give other solutions. SPARQL evaluates from the inside out, so a filter in a nested group, for instance, does not see
/// the bindings outside it.
pub fn exposed(pattern: &Pattern) -> VarSet {
    match pattern {
        Pattern::Empty
        | Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Service(_)
        | Pattern::Given(_)
        | Pattern::Values { .. } => VarSet::default(),
        Pattern::Join(operands) | Pattern::Union(operands) => {
            operands.iter().fold(VarSet::default(), |set, p| set.union(&exposed(p)))
        }
        Pattern::LeftJoin { left, right, conditions } => {
            let inside = certain(left);
            let mut set = exposed(left).union(&exposed(right)).union(&possible(right).without(&inside));
            let visible = inside.union(&certain(right));
            for condition in conditions {
                set.extend(&condition.variables().without(&visible));
            }
            set.without(&VarSet::default())
        }
        Pattern::Minus { left, right } => exposed(left).union(&mentioned(right).without(&certain(left))),
        Pattern::Filter { inner, conditions } => {
            let inside = certain(inner);
            let mut set = exposed(inner);
            for condition in conditions {
                set.extend(&condition.variables().without(&inside));
            }
            set
        }
        Pattern::Extend { inner, var, scalar } => {
            let mut set = exposed(inner).union(&scalar_variables(scalar).without(&certain(inner)));
            set.insert(*var);
            set
        }
        Pattern::Group { inner, keys, .. } => {
            // Only a key that every row binds splits the rows the same way before as after.
            let keys: VarSet = keys.iter().copied().collect();
            exposed(inner)
                .union(&possible(pattern).without(&keys.intersection(&certain(inner))))
                .union(&mentioned(inner).without(&keys))
        }
        Pattern::Project { inner, vars } => {
            let vars: VarSet = vars.iter().copied().collect();
            // A projected variable that is certain inside may be bound; one that is not may be.
            exposed(inner).intersection(&vars).union(&vars.without(&certain(inner)).intersection(&possible(inner)))
        }
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } => exposed(inner),
        Pattern::Slice { inner, .. } => mentioned(inner),
    }
}
