//! Handles equalities of expressions between parts of a pattern that share no variable. Each side becomes a variable that is
//! bound in its part. The parts can then be joined by hash, as if the query equated two variables, and need no cross product.

use super::pattern::{filter, join};
use super::{Expression, Var, VarSet, Variables, scope};
use kgq_syntax::rdf::Term;

type Pattern = super::Pattern<Term>;
type Condition = super::Condition<Term>;
type Scalar = super::Scalar<Term>;

/// Rewrites the pattern and its conditions so that such equalities are between variables.
pub fn equated(inner: Pattern, conditions: Vec<Condition>, variables: &mut Variables) -> Pattern {
    let (inner, conditions) = across_parts(inner, conditions, variables);
    let (mut inner, mut rest) = (inner, Vec::new());
    for condition in conditions {
        let condition = match condition {
            Condition::Exists { pattern: Pattern::Filter { inner: own, conditions }, negated } => {
                let (bound, conditions) = outward(&inner, &own, conditions, variables);
                inner = bound.into_iter().fold(inner, extended);
                Condition::Exists { pattern: filter(*own, conditions), negated }
            }
            other => other,
        };
        rest.push(condition);
    }
    filter(inner, rest)
}

/// Does the same for the two sides of an OPTIONAL and its conditions.
pub fn equated_sides(
    left: Pattern,
    right: Pattern,
    conditions: Vec<Condition>,
    variables: &mut Variables,
) -> (Pattern, Pattern, Vec<Condition>) {
    let vars = [scope::possible(&left), scope::possible(&right)];
    if vars[0].intersects(&vars[1]) {
        return (left, right, conditions);
    }
    let mut sides = [left, right];
    let mut rest = Vec::new();
    for condition in conditions {
        rest.push(match between(&condition, &vars, variables) {
            Some((equal, bound)) => {
                for (side, bound) in sides.iter_mut().zip(bound) {
                    let inner = std::mem::replace(side, Pattern::Unit);
                    *side = bound.into_iter().fold(inner, extended);
                }
                equal
            }
            None => condition,
        });
    }
    let [left, right] = sides;
    (left, right, rest)
}

/// A variable that is bound to an expression.
type Bound = (Var, Scalar);

fn extended(inner: Pattern, (var, scalar): Bound) -> Pattern {
    Pattern::Extend { inner: Box::new(inner), var, scalar }
}

/// Binds the sides of equalities between parts of a join to variables.
fn across_parts(inner: Pattern, conditions: Vec<Condition>, variables: &mut Variables) -> (Pattern, Vec<Condition>) {
    let Pattern::Join(operands) = inner else { return (inner, conditions) };
    let mut parts = parts(&operands);
    let mut rest = Vec::new();
    for condition in conditions {
        let places = sides(&condition).and_then(|sides| {
            let [a, b] = sides.map(|read| parts.iter().position(|part| read.is_subset(&part.vars)));
            Some([a?, b?]).filter(|[a, b]| a != b)
        });
        let found = places.and_then(|places| {
            let vars = places.map(|place| parts[place].vars.clone());
            Some((between(&condition, &vars, variables)?, places))
        });
        match found {
            Some(((equal, bound), places)) => {
                for (place, bound) in places.into_iter().zip(bound) {
                    parts[place].bound.extend(bound);
                }
                rest.push(equal);
            }
            None => rest.push(condition),
        }
    }
    if parts.iter().all(|part| part.bound.is_empty()) {
        return (Pattern::Join(operands), rest);
    }
    let mut own: Vec<Option<Pattern>> = operands.into_iter().map(Some).collect();
    let mut joined = Vec::new();
    for part in parts {
        let members = part.operands.iter().filter_map(|at| own[*at].take());
        let mut pattern = join(members);
        if !part.bound.is_empty() {
            // Conditions on this part alone are tested before its expressions are computed.
            let certain = scope::certain(&pattern);
            let (here, later) = rest.into_iter().partition(|condition| is_within(condition, &certain));
            rest = later;
            pattern = part.bound.into_iter().fold(filter(pattern, here), extended);
        }
        joined.push(pattern);
    }
    (join(joined), rest)
}

/// For the equalities of an EXISTS: binds those sides outside it that read outer variables only.
fn outward(
    outer: &Pattern,
    inner: &Pattern,
    conditions: Vec<Condition>,
    variables: &mut Variables,
) -> (Vec<Bound>, Vec<Condition>) {
    let inside = scope::possible(inner);
    let outside = scope::certain(outer).without(&inside);
    let (mut all, mut rest) = (Vec::new(), Vec::new());
    for condition in conditions {
        match between(&condition, &[outside.clone(), inside.clone()], variables) {
            // An expression over inner variables stays: the inner pattern is often looked up row by row, not evaluated
            // as a whole.
            Some((equal, [bound, own])) if own.is_none() => {
                all.extend(bound);
                rest.push(equal);
            }
            _ => rest.push(condition),
        }
    }
    (all, rest)
}

/// If the condition equates an expression over one set of variables with one over another, returns the equality of two variables
/// and what each is bound to on its side. Returns `None` for other conditions, and if both sides are variables already.
fn between(
    condition: &Condition,
    vars: &[VarSet; 2],
    variables: &mut Variables,
) -> Option<(Condition, [Option<Bound>; 2])> {
    let read = sides(condition)?;
    let Condition::Scalar(Scalar { expression: Expression::Equal(pair), .. }) = condition else { return None };
    let [a, b] = &**pair;
    let (first, second) = if read[0].is_subset(&vars[0]) && read[1].is_subset(&vars[1]) {
        (a, b)
    } else if read[1].is_subset(&vars[0]) && read[0].is_subset(&vars[1]) {
        (b, a)
    } else {
        return None;
    };
    if matches!((first, second), (Expression::Variable(_), Expression::Variable(_))) {
        return None;
    }
    let mut side = |expression: &Expression| match expression {
        Expression::Variable(var) => (*var, None),
        expression => {
            let var = variables.fresh("#equal");
            (var, Some((var, Scalar::new(expression.clone(), Vec::new()))))
        }
    };
    let ((left, first), (right, second)) = (side(first), side(second));
    let equal = Expression::Equal(Box::new([left, right].map(Expression::Variable)));
    Some((Condition::Scalar(Scalar::new(equal, Vec::new())), [first, second]))
}

/// Returns the variables that each side of an equality reads; `None` if it is no equality or a side reads nothing.
fn sides(condition: &Condition) -> Option<[VarSet; 2]> {
    let Condition::Scalar(scalar) = condition else { return None };
    let Expression::Equal(pair) = &scalar.expression else { return None };
    let read = pair.each_ref().map(Expression::variables);
    let plain = scalar.exists.is_empty() && !scalar.is_volatile();
    (plain && read.iter().all(|read| !read.is_empty())).then_some(read)
}

/// Whether the condition reads only these variables, and means the same wherever they are bound.
fn is_within(condition: &Condition, certain: &VarSet) -> bool {
    match condition {
        Condition::Scalar(scalar) => {
            scalar.exists.is_empty()
                && !scalar.is_volatile()
                && !scalar.variables.is_empty()
                && scalar.variables.is_subset(certain)
        }
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => false,
    }
}

/// Operands of a join that are connected by shared variables.
struct Part {
    vars: VarSet,
    operands: Vec<usize>,
    /// The variables that are bound to expressions in this part.
    bound: Vec<Bound>,
}

fn parts(operands: &[Pattern]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, operand) in operands.iter().enumerate() {
        let mut part = Part { vars: scope::possible(operand), operands: vec![at], bound: Vec::new() };
        let (near, apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(|other| other.vars.intersects(&part.vars));
        parts = apart;
        for other in near {
            part.vars.extend(&other.vars);
            part.operands.extend(other.operands);
        }
        part.operands.sort_unstable();
        parts.push(part);
    }
    parts
}
