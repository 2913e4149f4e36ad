//! Rewrites that keep the solutions and make them cheaper to find: conditions move to where their variables are bound,
//! OPTIONAL with `!BOUND` becomes NOT EXISTS, and an equality of nodes becomes one variable.

use super::translate::{filter, join, union};
use super::{Condition, Pattern, Scalar, Slot, TripleAtom, Var, VarSet, Variables, scope};
use spargebra::algebra::Expression;

/// Rewrites a pattern.
pub fn simplify(pattern: Pattern, names: &Variables) -> Pattern {
    let boxed = |pattern: Box<Pattern>| Box::new(simplify(*pattern, names));
    match pattern {
        Pattern::Empty
        | Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Values { .. } => pattern,
        Pattern::Join(operands) => hoisted(operands.into_iter().map(|p| simplify(p, names)).collect()),
        Pattern::Union(branches) => {
            let branches = branches.into_iter().map(|p| simplify(p, names));
            union(branches.filter(|p| !matches!(p, Pattern::Empty)).collect())
        }
        Pattern::LeftJoin { left, right, conditions } => {
            optional(simplify(*left, names), simplify(*right, names), simplify_all(conditions, names), names)
        }
        Pattern::Minus { left, right } => match simplify(*left, names) {
            Pattern::Empty => Pattern::Empty,
            left => Pattern::Minus { left: Box::new(left), right: boxed(right) },
        },
        Pattern::Filter { inner, conditions } => {
            filtered(simplify(*inner, names), simplify_all(conditions, names), names)
        }
        Pattern::Extend { inner, var, scalar } => {
            Pattern::Extend { inner: boxed(inner), var, scalar: simplify_scalar(scalar, names) }
        }
        Pattern::Group { inner, keys, aggregates } => Pattern::Group { inner: boxed(inner), keys, aggregates },
        Pattern::Project { inner, vars } => Pattern::Project { inner: boxed(inner), vars },
        Pattern::Distinct { inner } => Pattern::Distinct { inner: boxed(inner) },
        Pattern::Order { inner, keys } => Pattern::Order { inner: boxed(inner), keys },
        Pattern::Slice { inner, start, length } => Pattern::Slice { inner: boxed(inner), start, length },
    }
}

fn simplify_all(conditions: Vec<Condition>, names: &Variables) -> Vec<Condition> {
    conditions
        .into_iter()
        .map(|condition| match condition {
            Condition::Scalar(scalar) => Condition::Scalar(simplify_scalar(scalar, names)),
            Condition::Exists { pattern, negated } => Condition::Exists { pattern: simplify(pattern, names), negated },
            other @ (Condition::NotAmong(..) | Condition::Same(..)) => other,
        })
        .collect()
}

fn simplify_scalar(mut scalar: Scalar, names: &Variables) -> Scalar {
    for (_, pattern) in &mut scalar.exists {
        *pattern = simplify(std::mem::replace(pattern, Pattern::Empty), names);
    }
    scalar
}

/// A join whose operands' conditions are tested with those of the join, where they see the same either way.
fn hoisted(operands: Vec<Pattern>) -> Pattern {
    let mut conditions = Vec::new();
    let mut inner = Vec::new();
    for operand in operands {
        match operand {
            Pattern::Filter { inner: own, conditions: tests }
                if tests.iter().all(|c| is_local(c, &scope::certain(&own))) =>
            {
                conditions.extend(tests);
                inner.push(*own);
            }
            operand => inner.push(operand),
        }
    }
    filter(join(inner), conditions)
}

/// Whether the condition reads only variables that are bound there, and means the same wherever they are.
fn is_local(condition: &Condition, certain: &VarSet) -> bool {
    match condition {
        Condition::Scalar(scalar) => {
            scalar.exists.is_empty() && scalar.variables.is_subset(certain) && !scalar.is_volatile()
        }
        Condition::NotAmong(var, _) => certain.contains(*var),
        Condition::Same(a, b) => certain.contains(*a) && certain.contains(*b),
        Condition::Exists { .. } => false,
    }
}

/// The pattern under the conditions, each as deep as it may stand.
fn filtered(inner: Pattern, conditions: Vec<Condition>, names: &Variables) -> Pattern {
    if conditions.is_empty() {
        return inner;
    }
    match inner {
        Pattern::Filter { inner, conditions: mut own } => {
            own.extend(conditions);
            filtered(*inner, own, names)
        }
        Pattern::LeftJoin { left, right, conditions: own } => {
            let free = scope::possible(&right).without(&scope::certain(&left));
            let (down, here): (Vec<_>, Vec<_>) =
                conditions.into_iter().partition(|c| !c.is_volatile() && !c.variables().intersects(&free));
            let left = filtered(*left, down, names);
            not_bound(left, *right, own, here, names)
        }
        Pattern::Union(branches)
            if conditions.iter().all(|c| match c {
                Condition::Scalar(scalar) => scalar.exists.is_empty() && !scalar.is_volatile(),
                Condition::NotAmong(..) | Condition::Same(..) => true,
                Condition::Exists { .. } => false,
            }) =>
        {
            union(branches.into_iter().map(|branch| filtered(branch, conditions.clone(), names)).collect())
        }
        Pattern::Minus { left, right } if conditions.iter().all(|c| !c.is_volatile()) => {
            Pattern::Minus { left: Box::new(filtered(*left, conditions, names)), right }
        }
        Pattern::Extend { inner, var, scalar } if !scalar.is_volatile() => {
            let (down, here): (Vec<_>, Vec<_>) =
                conditions.into_iter().partition(|c| !c.is_volatile() && !c.variables().contains(var));
            let inner = Box::new(filtered(*inner, down, names));
            filter(Pattern::Extend { inner, var, scalar }, here)
        }
        inner @ (Pattern::Triple(_) | Pattern::Join(_)) => equated(inner, conditions, names),
        inner => filter(inner, conditions),
    }
}

/// `OPTIONAL { R } FILTER(!BOUND(?v))`, where R always binds ?v and nothing else does, keeps the rows without R.
fn not_bound(
    left: Pattern,
    right: Pattern,
    own: Vec<Condition>,
    mut conditions: Vec<Condition>,
    names: &Variables,
) -> Pattern {
    let visible = scope::possible(&left);
    let bound = scope::certain(&right).without(&visible);
    let asks = |condition: &Condition| match condition {
        Condition::Scalar(scalar) => {
            scalar.unbound(|name| names.get(name.as_str())).is_some_and(|var| bound.contains(var))
        }
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => false,
    };
    let shared_is_certain = scope::possible(&right).intersection(&visible).is_subset(&scope::certain(&left));
    if shared_is_certain
        && !scope::exposed(&right).intersects(&visible)
        && let Some(at) = conditions.iter().position(asks)
    {
        conditions.remove(at);
        let pattern = filtered(right, own, names);
        let missing = Condition::Exists { pattern: correlated(pattern, &scope::certain(&left), names), negated: true };
        return filtered(filter(left, vec![missing]), conditions, names);
    }
    filter(optional(left, right, own, names), conditions)
}

/// A LeftJoin whose conditions stand where they belong.
fn optional(left: Pattern, right: Pattern, conditions: Vec<Condition>, names: &Variables) -> Pattern {
    if matches!(left, Pattern::Empty) {
        return Pattern::Empty;
    }
    let (outside, inside) = (scope::possible(&left), scope::certain(&right));
    let right_only = |condition: &Condition| {
        let vars = condition.variables();
        !condition.is_volatile() && vars.intersection(&outside).is_subset(&inside)
    };
    let (down, here): (Vec<_>, Vec<_>) = conditions.into_iter().partition(right_only);
    let right = filtered(right, down, names);
    let (right, here) = equated_across(right, here, &scope::certain(&left), names);
    if matches!(right, Pattern::Empty) {
        return left;
    }
    Pattern::LeftJoin { left: Box::new(left), right: Box::new(right), conditions: here }
}

/// The pattern of an EXISTS: conditions that equate an outer variable with an inner one become look-ups.
fn correlated(pattern: Pattern, outer: &VarSet, names: &Variables) -> Pattern {
    match pattern {
        Pattern::Filter { inner, conditions } => {
            let (inner, conditions) = equated_across(*inner, conditions, outer, names);
            filter(inner, conditions)
        }
        pattern => pattern,
    }
}

/// In a join of triple patterns under `?a = ?b`, where both stand for nodes, the two variables are one.
fn equated(inner: Pattern, conditions: Vec<Condition>, names: &Variables) -> Pattern {
    let certain = scope::certain(&inner);
    let (inner, conditions) = equate(inner, conditions, names, |a, b| certain.contains(a) && certain.contains(b));
    filter(inner, conditions)
}

/// As `equated`, where one of the variables is bound outside of the pattern.
fn equated_across(
    inner: Pattern,
    conditions: Vec<Condition>,
    outer: &VarSet,
    names: &Variables,
) -> (Pattern, Vec<Condition>) {
    let possible = scope::possible(&inner);
    equate(inner, conditions, names, |a, b| {
        outer.contains(a) && !possible.contains(a) && possible.contains(b) && !outer.contains(b)
    })
}

/// Puts `a` for `b` where a condition equates them, they are such that `fits`, and `b` is a node: then `=` is `sameTerm`.
fn equate(
    mut inner: Pattern,
    conditions: Vec<Condition>,
    names: &Variables,
    fits: impl Fn(Var, Var) -> bool,
) -> (Pattern, Vec<Condition>) {
    let mut rest = Vec::new();
    for condition in conditions {
        let pair = match &condition {
            Condition::Scalar(scalar) => scalar.equality(|name| names.get(name.as_str())),
            Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => None,
        };
        let pair = pair.and_then(|(a, b)| {
            [(a, b), (b, a)].into_iter().find(|(a, b)| a != b && fits(*a, *b) && is_node(&inner, *b))
        });
        match (pair, renamed(&inner, pair)) {
            (Some((a, b)), Some(joined)) => {
                let scalar = Scalar {
                    expression: Expression::Variable(names.name(a).clone()),
                    variables: [a].into_iter().collect(),
                    exists: Vec::new(),
                };
                inner = Pattern::Extend { inner: Box::new(joined), var: b, scalar };
            }
            _ => rest.push(condition),
        }
    }
    (inner, rest)
}

/// Whether the variable can only be an IRI or a blank node.
fn is_node(pattern: &Pattern, var: Var) -> bool {
    match pattern {
        Pattern::Triple(TripleAtom { slots: [s, p, _], .. }) => *s == Slot::Var(var) || *p == Slot::Var(var),
        Pattern::Join(operands) => operands.iter().any(|p| is_node(p, var)),
        Pattern::Extend { inner, .. } => is_node(inner, var),
        _ => false,
    }
}

/// The pattern with `a` in the place of `b`, if it is a join of triple patterns.
fn renamed(pattern: &Pattern, pair: Option<(Var, Var)>) -> Option<Pattern> {
    let (a, b) = pair?;
    match pattern {
        Pattern::Triple(atom) => {
            let slots = atom.slots.map(|slot| if slot == Slot::Var(b) { Slot::Var(a) } else { slot });
            let in_graph = matches!(atom.graph, super::Graph::Each(graph) if graph == b);
            (!in_graph).then(|| Pattern::Triple(TripleAtom { slots, graph: atom.graph.clone() }))
        }
        Pattern::Join(operands) => {
            let operands: Option<Vec<Pattern>> = operands.iter().map(|p| renamed(p, pair)).collect();
            Some(Pattern::Join(operands?))
        }
        Pattern::Extend { inner, var, scalar } if *var != a && *var != b && !scalar.variables.contains(b) => {
            Some(Pattern::Extend { inner: Box::new(renamed(inner, pair)?), var: *var, scalar: scalar.clone() })
        }
        _ => None,
    }
}
