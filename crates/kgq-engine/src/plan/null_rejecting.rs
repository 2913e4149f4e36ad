//! Makes an inner join of an OPTIONAL where a condition rejects its unmatched rows: a condition is null-rejecting if it cannot hold
//! while one of its variables is unbound, as `BOUND(?v)` or `?v > 5`. The planner may then start from either side.

use super::pattern::filter;
use super::simplify::hoisted;
use super::{Condition, Expression, Pattern, Var, VarSet, scope};
use kgq_syntax::rdf::Term;

type Logical = Pattern<Term>;

/// Returns the variables without which one of the conditions does not hold.
pub fn rejected<T>(conditions: &[Condition<T>]) -> VarSet {
    conditions.iter().fold(VarSet::default(), |set, condition| match condition {
        Condition::Scalar(scalar) => set.union(&Required::by(&scalar.expression).to_hold),
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => set,
    })
}

/// Rewrites a pattern of which only those solutions matter that bind all of `required`. No variable of `required` is bound outside.
pub fn inner_joins(pattern: Logical, required: &VarSet) -> Logical {
    if required.is_empty() {
        return pattern;
    }
    match pattern {
        Pattern::LeftJoin { left, right, conditions } => {
            let bound = scope::certain(&right).intersection(required);
            let matched = !bound.is_empty() && !bound.is_subset(&scope::possible(&left));
            let of_left = required.without(&scope::possible(&right));
            if !matched {
                return Pattern::LeftJoin { left: Box::new(inner_joins(*left, &of_left)), right, conditions };
            }
            let of_right = required.without(&scope::possible(&left));
            filter(hoisted(vec![inner_joins(*left, &of_left), inner_joins(*right, &of_right)]), conditions)
        }
        Pattern::Join(operands) => {
            let own = required.intersection(&bound_once(&operands));
            hoisted(operands.into_iter().map(|operand| inner_joins(operand, &own)).collect())
        }
        Pattern::Filter { inner, conditions } => filter(inner_joins(*inner, required), conditions),
        Pattern::Minus { left, right } => Pattern::Minus { left: Box::new(inner_joins(*left, required)), right },
        Pattern::Extend { inner, var, scalar } if !required.contains(var) => {
            Pattern::Extend { inner: Box::new(inner_joins(*inner, required)), var, scalar }
        }
        pattern => pattern,
    }
}

/// Returns the variables that only one of the operands may bind.
fn bound_once(operands: &[Logical]) -> VarSet {
    let (mut once, mut often) = (VarSet::default(), VarSet::default());
    for possible in operands.iter().map(scope::possible) {
        often.extend(&once.intersection(&possible));
        once.extend(&possible);
    }
    once.without(&often)
}

/// The variables that an expression cannot do without.
struct Required {
    /// Those without which it is not true.
    to_hold: VarSet,
    /// Those without which it is not false.
    to_fail: VarSet,
}

impl Required {
    /// The same variables in both cases: without them, it is an error.
    fn always(vars: VarSet) -> Self {
        Self { to_hold: vars.clone(), to_fail: vars }
    }

    fn by(expression: &Expression) -> Self {
        let operands = |operands: &[Expression]| operands.iter().map(Self::by).collect::<Vec<_>>();
        match expression {
            Expression::Bound(var) => Self { to_hold: one(*var), to_fail: VarSet::default() },
            Expression::Not(operand) => Self::by(operand).negated(),
            Expression::And(list) => Self::conjunction(operands(list)),
            Expression::Or(list) => {
                Self::conjunction(operands(list).into_iter().map(Self::negated).collect()).negated()
            }
            _ => Self::always(for_value(expression)),
        }
    }

    fn negated(self) -> Self {
        Self { to_hold: self.to_fail, to_fail: self.to_hold }
    }

    /// All operands must hold, and one that is false makes up for errors of the others (SPARQL 1.1 §17.2).
    fn conjunction(operands: Vec<Self>) -> Self {
        let (to_hold, to_fail): (Vec<_>, Vec<_>) = operands.into_iter().map(|own| (own.to_hold, own.to_fail)).unzip();
        Self { to_hold: union(to_hold), to_fail: intersection(to_fail) }
    }
}

/// Returns the variables without which the expression is an error, whatever it is evaluated for.
fn for_value(expression: &Expression) -> VarSet {
    let all = |operands: &[Expression]| operands.iter().map(for_value).collect::<Vec<_>>();
    match expression {
        Expression::Constant(_) => VarSet::default(),
        Expression::Variable(var) => one(*var),
        Expression::Bound(_) | Expression::Not(_) | Expression::And(_) | Expression::Or(_) => {
            let Required { to_hold, to_fail } = Required::by(expression);
            to_hold.intersection(&to_fail)
        }
        // Nothing equals one of no operands.
        Expression::In(_, list) if list.is_empty() => VarSet::default(),
        Expression::In(operand, _) => for_value(operand),
        Expression::If(parts) => {
            let [test, yes, no] = &**parts;
            for_value(test).union(&for_value(yes).intersection(&for_value(no)))
        }
        Expression::Coalesce(list) => intersection(all(list)),
        // No function takes an error for an argument.
        Expression::Call(_, list) => union(all(list)),
        Expression::Equal(pair)
        | Expression::SameTerm(pair)
        | Expression::Order(_, pair)
        | Expression::Arithmetic(_, pair) => union(all(pair.as_slice())),
        Expression::Plus(operand) | Expression::Minus(operand) => for_value(operand),
    }
}

fn one(var: Var) -> VarSet {
    std::iter::once(var).collect()
}

fn union(sets: Vec<VarSet>) -> VarSet {
    sets.iter().fold(VarSet::default(), |all, set| all.union(set))
}

fn intersection(sets: Vec<VarSet>) -> VarSet {
    sets.into_iter().reduce(|common, set| common.intersection(&set)).unwrap_or_default()
}
