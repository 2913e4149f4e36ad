//! Rewrites that keep the solutions and make them cheaper to find: conditions are pushed down to where their variables
//! are bound, OPTIONAL with `!BOUND` becomes NOT EXISTS and with a null-rejecting condition a join, and two variables that must hold the same term become one.

use super::pattern::{filter, join, union};
use super::statistics::Statistics;
use super::{Condition, Expression, Graph, Pattern, Scalar, Slot, TripleAtom, Var, VarSet, null_rejecting, scope};
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::Term;
use std::sync::Arc;

type Logical = Pattern<Term>;
type LogicalCondition = Condition<Term>;

/// What rewriting needs to know besides the pattern.
pub struct Knowledge<'a> {
    pub statistics: &'a dyn Statistics,
    /// If the query has to stop, patterns stay as they are.
    pub budget: &'a Budget,
    /// The variables that a row around the pattern of an EXISTS may bind: its conditions see them.
    pub outer: VarSet,
}

impl Knowledge<'_> {
    /// What is known inside an EXISTS that is tested for rows of these patterns.
    fn inside(&self, rows: &[&Logical]) -> Self {
        let outer = rows.iter().fold(self.outer.clone(), |outer, pattern| outer.union(&scope::possible(pattern)));
        Self { outer, ..*self }
    }
}

/// Rewrites a pattern.
pub fn simplify(pattern: Logical, data: &Knowledge<'_>) -> Logical {
    if data.budget.check().is_err() {
        return pattern;
    }
    match pattern.map_children(|child| simplify(child, data)) {
        Pattern::Join(operands) => hoisted(operands),
        Pattern::Union(branches) => union(branches.into_iter().filter(|p| !matches!(p, Pattern::Empty)).collect()),
        Pattern::LeftJoin { left, right, conditions } => {
            let conditions = simplify_all(conditions, &[&left, &right], data);
            optional(*left, *right, conditions, data)
        }
        Pattern::Minus { left, .. } if matches!(*left, Pattern::Empty) => Pattern::Empty,
        Pattern::Filter { inner, conditions } => {
            let conditions = simplify_all(conditions, &[&inner], data)
                .into_iter()
                .map(|condition| match condition {
                    Condition::Exists { pattern, negated } => {
                        Condition::Exists { pattern: correlated(pattern, &inner, data), negated }
                    }
                    other => other,
                })
                .collect();
            filtered(*inner, conditions, data)
        }
        Pattern::Extend { inner, var, scalar } => {
            let scalar = simplify_scalar(scalar, &[&inner], data);
            Pattern::Extend { inner, var, scalar }
        }
        pattern => pattern,
    }
}

/// Rewrites the EXISTS of conditions, which are tested for rows of the patterns.
fn simplify_all(conditions: Vec<LogicalCondition>, rows: &[&Logical], data: &Knowledge<'_>) -> Vec<LogicalCondition> {
    conditions
        .into_iter()
        .map(|condition| match condition {
            Condition::Scalar(scalar) => Condition::Scalar(simplify_scalar(scalar, rows, data)),
            Condition::Exists { pattern, negated } => {
                Condition::Exists { pattern: simplify(pattern, &data.inside(rows)), negated }
            }
            other @ (Condition::NotAmong(..) | Condition::Same(..)) => other,
        })
        .collect()
}

fn simplify_scalar(mut scalar: Scalar<Term>, rows: &[&Logical], data: &Knowledge<'_>) -> Scalar<Term> {
    for (_, pattern) in &mut scalar.exists {
        *pattern = simplify(std::mem::replace(pattern, Pattern::Empty), &data.inside(rows));
    }
    scalar
}

/// Joins the operands and lifts their conditions to the join where that keeps the meaning: the planner tests them as
/// early as it can.
pub(super) fn hoisted(operands: Vec<Logical>) -> Logical {
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

/// Whether the condition reads only `certain` variables, and means the same wherever they are bound.
fn is_local(condition: &LogicalCondition, certain: &VarSet) -> bool {
    match condition {
        Condition::Scalar(scalar) => {
            scalar.exists.is_empty() && scalar.variables.is_subset(certain) && !scalar.is_volatile()
        }
        Condition::NotAmong(var, _) => certain.contains(*var),
        Condition::Same(a, b) => certain.contains(*a) && certain.contains(*b),
        Condition::Exists { .. } => false,
    }
}

/// Puts the pattern under the conditions, each pushed down as far as possible, and leaves out what they make needless: OPTIONALs, and
/// then BOUND of a variable that every solution binds.
fn filtered(inner: Logical, mut conditions: Vec<LogicalCondition>, data: &Knowledge<'_>) -> Logical {
    let required = null_rejecting::rejected(&conditions).without(&data.outer);
    let inner = null_rejecting::inner_joins(inner, &required);
    if conditions.iter().any(|condition| asked_bound(condition).is_some()) {
        let certain = scope::certain(&inner);
        conditions.retain(|condition| asked_bound(condition).is_none_or(|var| !certain.contains(var)));
    }
    pushed_down(inner, conditions, data)
}

/// Returns the variable if the condition is that it is bound.
fn asked_bound(condition: &LogicalCondition) -> Option<Var> {
    match condition {
        Condition::Scalar(scalar) => scalar.bound(),
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => None,
    }
}

/// Puts the pattern under the conditions, each pushed down as far as possible.
fn pushed_down(inner: Logical, conditions: Vec<LogicalCondition>, data: &Knowledge<'_>) -> Logical {
    if conditions.is_empty() {
        return inner;
    }
    match inner {
        Pattern::Filter { inner, conditions: mut own } => {
            own.extend(conditions);
            pushed_down(*inner, own, data)
        }
        Pattern::LeftJoin { left, right, conditions: own } => {
            let free = scope::possible(&right).without(&scope::certain(&left));
            let (down, here): (Vec<_>, Vec<_>) =
                conditions.into_iter().partition(|c| !c.is_volatile() && !c.variables().intersects(&free));
            let left = pushed_down(*left, down, data);
            not_bound(left, *right, own, here, data)
        }
        Pattern::Union(branches)
            if conditions.iter().all(|c| match c {
                Condition::Scalar(scalar) => scalar.exists.is_empty() && !scalar.is_volatile(),
                Condition::NotAmong(..) | Condition::Same(..) => true,
                Condition::Exists { .. } => false,
            }) =>
        {
            union(branches.into_iter().map(|branch| filtered(branch, conditions.clone(), data)).collect())
        }
        Pattern::Minus { left, right } if conditions.iter().all(|c| !c.is_volatile()) => {
            Pattern::Minus { left: Box::new(pushed_down(*left, conditions, data)), right }
        }
        Pattern::Extend { inner, var, scalar } if !scalar.is_volatile() => {
            let (down, here): (Vec<_>, Vec<_>) =
                conditions.into_iter().partition(|c| !c.is_volatile() && !c.variables().contains(var));
            let inner = Box::new(pushed_down(*inner, down, data));
            filter(Pattern::Extend { inner, var, scalar }, here)
        }
        inner if passed_on(&inner).is_some() => {
            let (down, here) = below(&inner, conditions, data);
            filter(inner.map_children(|rows| pushed_down(rows, down.clone(), data)), here)
        }
        Pattern::Join(mut operands) => {
            let mut left = conditions;
            for operand in &mut operands {
                let (down, here) = below(operand, left, data);
                left = here;
                if !down.is_empty() {
                    *operand = pushed_down(std::mem::replace(operand, Pattern::Empty), down, data);
                }
            }
            let (inner, conditions) = listed(Pattern::Join(operands), left, data);
            equated(inner, conditions, data)
        }
        inner @ Pattern::Triple(_) => {
            let (inner, conditions) = listed(inner, conditions, data);
            equated(inner, conditions, data)
        }
        inner => filter(inner, conditions),
    }
}

/// The variables of which a part of a sub-SELECT passes on what its rows have, or its groups: all rows of a group agree in its keys.
fn passed_on(pattern: &Logical) -> Option<VarSet> {
    match pattern {
        Pattern::Project { vars, .. } | Pattern::Group { keys: vars, .. } => Some(vars.iter().copied().collect()),
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } => Some(scope::possible(inner)),
        _ => None,
    }
}

/// Parts the conditions into those that a part of a sub-SELECT can test on its rows, and the others.
fn below(
    pattern: &Logical,
    conditions: Vec<LogicalCondition>,
    data: &Knowledge<'_>,
) -> (Vec<LogicalCondition>, Vec<LogicalCondition>) {
    let Some(passed) = passed_on(pattern) else { return (Vec::new(), conditions) };
    // In a join, other operands may bind what this one does not.
    let own = passed.intersection(&scope::certain(pattern)).without(&data.outer);
    conditions.into_iter().partition(|condition| !condition.variables().is_empty() && is_local(condition, &own))
}

/// A list of fewer terms is tested as ranges of ids.
const LONG_LIST: usize = 1000;

/// Joins the pattern with the terms of a condition that a variable which it always binds is in a long list of IRIs: these equal only themselves.
fn listed(inner: Logical, conditions: Vec<LogicalCondition>, data: &Knowledge<'_>) -> (Logical, Vec<LogicalCondition>) {
    let certain = scope::certain(&inner).without(&data.outer);
    let mut operands = vec![inner];
    let mut others = Vec::new();
    for condition in conditions {
        let var = listed_variable(&condition).filter(|var| certain.contains(*var));
        match (var, condition) {
            (Some(var), Condition::Scalar(Scalar { expression: Expression::In(_, list), .. })) => {
                operands.push(Pattern::Values { vars: vec![var], rows: rows_of(list), distinct: true });
            }
            (_, condition) => others.push(condition),
        }
    }
    (join(operands), others)
}

/// The variable of a condition that it is in a long list of IRIs.
fn listed_variable(condition: &LogicalCondition) -> Option<Var> {
    let Condition::Scalar(Scalar { expression: Expression::In(operand, list), .. }) = condition else { return None };
    let are_iris = || list.iter().all(|node| matches!(node, Expression::Constant(Term::NamedNode(_))));
    match **operand {
        Expression::Variable(var) if list.len() >= LONG_LIST && are_iris() => Some(var),
        _ => None,
    }
}

/// The constants of a list as rows.
fn rows_of(list: Vec<Expression>) -> Arc<[Vec<Option<Term>>]> {
    let row = |node| if let Expression::Constant(term) = node { Some(vec![Some(term)]) } else { None };
    list.into_iter().filter_map(row).collect()
}

/// Turns `OPTIONAL { R } FILTER(!BOUND(?v))` into NOT EXISTS, where R always binds ?v and nothing else does: the filter
/// keeps the rows without a match of R.
fn not_bound(
    left: Logical,
    right: Logical,
    own: Vec<LogicalCondition>,
    mut conditions: Vec<LogicalCondition>,
    data: &Knowledge<'_>,
) -> Logical {
    let visible = scope::possible(&left);
    let bound = scope::certain(&right).without(&visible).without(&data.outer);
    let asks = |condition: &LogicalCondition| match condition {
        Condition::Scalar(scalar) => scalar.unbound().is_some_and(|var| bound.contains(var)),
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => false,
    };
    let shared_is_certain = scope::possible(&right).intersection(&visible).is_subset(&scope::certain(&left));
    if shared_is_certain
        && !scope::exposed(&right).intersects(&visible)
        && let Some(at) = conditions.iter().position(asks)
    {
        conditions.remove(at);
        let pattern = filtered(right, own, &data.inside(&[&left]));
        let missing = Condition::Exists { pattern: correlated(pattern, &left, data), negated: true };
        return pushed_down(filter(left, vec![missing]), conditions, data);
    }
    filter(optional(left, right, own, data), conditions)
}

/// Makes a LeftJoin, and pushes into the right side the conditions that it can test by itself.
fn optional(left: Logical, right: Logical, conditions: Vec<LogicalCondition>, data: &Knowledge<'_>) -> Logical {
    if matches!(left, Pattern::Empty) {
        return Pattern::Empty;
    }
    let (outside, inside) = (scope::possible(&left), scope::certain(&right));
    let right_only = |condition: &LogicalCondition| {
        let vars = condition.variables();
        !condition.is_volatile() && vars.intersection(&outside).is_subset(&inside)
    };
    let (down, here): (Vec<_>, Vec<_>) = conditions.into_iter().partition(right_only);
    let right = filtered(right, down, data);
    let (right, here) = equated_across(right, here, &left, data);
    if matches!(right, Pattern::Empty) {
        return left;
    }
    Pattern::LeftJoin { left: Box::new(left), right: Box::new(right), conditions: here }
}

/// Rewrites the pattern of an EXISTS: conditions that equate an outer variable with an inner one become look-ups.
fn correlated(pattern: Logical, left: &Logical, data: &Knowledge<'_>) -> Logical {
    match pattern {
        Pattern::Filter { inner, conditions } => {
            let (inner, conditions) = equated_across(*inner, conditions, left, data);
            filter(inner, conditions)
        }
        pattern => pattern,
    }
}

/// Makes two variables one in a join of triple patterns under `?a = ?b`, if `=` can only mean `sameTerm`.
fn equated(inner: Logical, conditions: Vec<LogicalCondition>, data: &Knowledge<'_>) -> Logical {
    let certain = scope::certain(&inner);
    let (inner, conditions) =
        equate(inner, conditions, data, |_| false, |a, b| certain.contains(a) && certain.contains(b));
    filter(inner, conditions)
}

/// Does the same as `equated` when one of the variables is bound outside the pattern.
fn equated_across(
    inner: Logical,
    conditions: Vec<LogicalCondition>,
    left: &Logical,
    data: &Knowledge<'_>,
) -> (Logical, Vec<LogicalCondition>) {
    let (possible, outer) = (scope::possible(&inner), scope::certain(left));
    equate(
        inner,
        conditions,
        data,
        |var| is_itself_only(left, var, data),
        |a, b| outer.contains(a) && !possible.contains(a) && possible.contains(b) && !outer.contains(b),
    )
}

/// Replaces `b` by `a` if a condition equates them, `fits` allows it, and the terms of one of them equal only
/// themselves: `=` then means `sameTerm`.
fn equate(
    mut inner: Logical,
    conditions: Vec<LogicalCondition>,
    data: &Knowledge<'_>,
    itself_only: impl Fn(Var) -> bool,
    fits: impl Fn(Var, Var) -> bool,
) -> (Logical, Vec<LogicalCondition>) {
    let mut rest = Vec::new();
    for condition in conditions {
        let pair = match &condition {
            Condition::Scalar(scalar) => scalar.equality(),
            Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => None,
        };
        let pair = pair.and_then(|(a, b)| {
            [(a, b), (b, a)]
                .into_iter()
                .find(|(a, b)| a != b && fits(*a, *b) && (itself_only(*a) || is_itself_only(&inner, *b, data)))
        });
        match (pair, renamed(&inner, pair)) {
            (Some((a, b)), Some(joined)) => {
                let scalar = Scalar::new(Expression::Variable(a), Vec::new());
                inner = Pattern::Extend { inner: Box::new(joined), var: b, scalar };
            }
            _ => rest.push(condition),
        }
    }
    (inner, rest)
}

/// Whether the terms that the variable is bound to equal only themselves: IRIs, blank nodes, plain strings.
fn is_itself_only(pattern: &Logical, var: Var, data: &Knowledge<'_>) -> bool {
    match pattern {
        Pattern::Triple(TripleAtom { slots: [s, p, o], graph }) => {
            *s == Slot::Var(var)
                || *p == Slot::Var(var)
                || *o == Slot::Var(var) && has_simple_objects(p, graph, data.statistics)
        }
        Pattern::Join(operands) => operands.iter().any(|p| is_itself_only(p, var, data)),
        Pattern::Extend { inner, .. } | Pattern::Filter { inner, .. } => is_itself_only(inner, var, data),
        Pattern::LeftJoin { left, .. } | Pattern::Minus { left, .. } => is_itself_only(left, var, data),
        _ => false,
    }
}

fn has_simple_objects(predicate: &Slot<Term>, graph: &Graph<Term>, statistics: &dyn Statistics) -> bool {
    match (predicate, graph) {
        (Slot::Term(predicate), Graph::Default) => statistics.objects_are_simple(predicate),
        _ => false,
    }
}

/// Replaces `b` by `a` in the pattern, if it consists of triple patterns, joins and BINDs that do not read `b`.
fn renamed(pattern: &Logical, pair: Option<(Var, Var)>) -> Option<Logical> {
    let (a, b) = pair?;
    match pattern {
        Pattern::Triple(atom) => {
            let slots = atom.slots.clone().map(|slot| if slot == Slot::Var(b) { Slot::Var(a) } else { slot });
            let in_graph = matches!(atom.graph, super::Graph::Each(graph) if graph == b);
            (!in_graph).then(|| Pattern::Triple(TripleAtom { slots, graph: atom.graph.clone() }))
        }
        Pattern::Join(operands) => {
            let operands: Option<Vec<Logical>> = operands.iter().map(|p| renamed(p, pair)).collect();
            Some(Pattern::Join(operands?))
        }
        Pattern::Extend { inner, var, scalar } if *var != a && *var != b && !scalar.variables.contains(b) => {
            Some(Pattern::Extend { inner: Box::new(renamed(inner, pair)?), var: *var, scalar: scalar.clone() })
        }
        _ => None,
    }
}
