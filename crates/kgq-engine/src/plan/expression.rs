//! Expressions of a query as plans hold them: variables renamed by scope, each EXISTS a variable of its own.

use super::translate::{Translator, left_spine};
use super::{Condition, Scalar, Var, VarSet};
use crate::query::operands::{operands, operands_mut};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Variable};
use spargebra::algebra::{Expression, Function};

impl Translator<'_> {
    /// The conjuncts of a FILTER, which `&&` joins.
    pub(super) fn conditions(&mut self, expression: &Expression) -> Result<Vec<Condition<Term>>> {
        let mut conditions = Vec::new();
        for operand in left_spine(expression, |e| match e {
            Expression::And(left, right) => Some((left, right)),
            _ => None,
        }) {
            match operand {
                Expression::And(..) => conditions.extend(self.conditions(operand)?),
                Expression::Exists(pattern) => {
                    conditions.push(Condition::Exists { pattern: self.pattern(pattern)?, negated: false });
                }
                Expression::Not(inner) => match inner.as_ref() {
                    Expression::Exists(pattern) => {
                        conditions.push(Condition::Exists { pattern: self.pattern(pattern)?, negated: true });
                    }
                    _ => conditions.push(Condition::Scalar(self.scalar(operand)?)),
                },
                _ => conditions.push(Condition::Scalar(self.scalar(operand)?)),
            }
        }
        Ok(conditions)
    }

    pub(super) fn scalar(&mut self, expression: &Expression) -> Result<Scalar<Term>> {
        let mut scalar = Scalar { expression: expression.clone(), variables: VarSet::default(), exists: Vec::new() };
        let mut expression = std::mem::replace(&mut scalar.expression, Expression::Coalesce(Vec::new()));
        self.rename(&mut expression, &mut scalar)?;
        scalar.expression = expression;
        Ok(scalar)
    }

    fn rename(&mut self, expression: &mut Expression, scalar: &mut Scalar<Term>) -> Result<()> {
        // A chain of `||` or `&&` nests to the left and can be thousands long: it is followed without recursion.
        let mut rest = expression;
        loop {
            match rest {
                Expression::Or(left, right) | Expression::And(left, right) => {
                    self.rename(right, scalar)?;
                    rest = left;
                }
                _ => return self.rename_operand(rest, scalar),
            }
        }
    }

    fn rename_operand(&mut self, expression: &mut Expression, scalar: &mut Scalar<Term>) -> Result<()> {
        match expression {
            Expression::Variable(variable) | Expression::Bound(variable) => {
                let var = self.var(variable);
                scalar.variables.insert(var);
                *variable = self.variables.name(var).clone();
                Ok(())
            }
            Expression::Exists(pattern) => {
                let pattern = self.pattern(pattern)?;
                let var = self.variables.fresh("#exists");
                scalar.exists.push((var, pattern));
                *expression = Expression::Variable(Variable::clone(self.variables.name(var)));
                Ok(())
            }
            _ => operands_mut(expression).try_for_each(|operand| self.rename(operand, scalar)),
        }
    }
}

impl<T> Scalar<T> {
    /// The two variables, where the expression is nothing but their equality, by `=` or sameTerm.
    pub fn equality(&self, names: impl Fn(&Variable) -> Option<Var>) -> Option<(Var, Var)> {
        match &self.expression {
            Expression::Equal(left, right) | Expression::SameTerm(left, right) => match (left.as_ref(), right.as_ref())
            {
                (Expression::Variable(left), Expression::Variable(right)) => Some((names(left)?, names(right)?)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The lesser and the greater variable, where the expression is nothing but a comparison of two, by `<`, `<=`, `>` or `>=`.
    pub fn less(&self, names: impl Fn(&Variable) -> Option<Var>) -> Option<(Var, Var)> {
        let (low, high) = match &self.expression {
            Expression::Less(low, high) | Expression::LessOrEqual(low, high) => (low, high),
            Expression::Greater(high, low) | Expression::GreaterOrEqual(high, low) => (low, high),
            _ => return None,
        };
        match (low.as_ref(), high.as_ref()) {
            (Expression::Variable(low), Expression::Variable(high)) => Some((names(low)?, names(high)?)),
            _ => None,
        }
    }

    /// The variable, where the expression is nothing but `!BOUND` of it.
    pub fn unbound(&self, names: impl Fn(&Variable) -> Option<Var>) -> Option<Var> {
        match &self.expression {
            Expression::Not(inner) => match inner.as_ref() {
                Expression::Bound(variable) => names(variable),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether two evaluations on the same row may differ.
    pub fn is_volatile(&self) -> bool {
        let draws = |function: &Function| {
            matches!(function, Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode)
        };
        calls(&self.expression, &draws)
    }

    /// Whether it asks for the time of the query.
    pub fn reads_clock(&self) -> bool {
        calls(&self.expression, &|function| matches!(function, Function::Now))
    }
}

/// Whether the expression calls such a function.
fn calls(expression: &Expression, such: &dyn Fn(&Function) -> bool) -> bool {
    // A long chain of `||` or `&&` nests to the left: see `rename`.
    let mut rest = expression;
    while let Expression::Or(left, right) | Expression::And(left, right) = rest {
        if calls(right, such) {
            return true;
        }
        rest = left;
    }
    matches!(rest, Expression::FunctionCall(function, _) if such(function)) || operands(rest).any(|e| calls(e, such))
}

impl<T> Condition<T> {
    /// The variables that the condition reads, those of its patterns included.
    pub fn variables(&self) -> VarSet {
        match self {
            Self::Scalar(scalar) => scalar_variables(scalar),
            Self::Exists { pattern, .. } => super::scope::mentioned(pattern),
            Self::NotAmong(var, _) => [*var].into_iter().collect(),
            Self::Same(left, right) => [*left, *right].into_iter().collect(),
        }
    }

    pub fn is_volatile(&self) -> bool {
        match self {
            Self::Scalar(scalar) => scalar.is_volatile(),
            Self::Exists { .. } | Self::NotAmong(..) | Self::Same(..) => false,
        }
    }
}

/// The variables that an expression reads, those of its EXISTS patterns included.
pub fn scalar_variables<T>(scalar: &Scalar<T>) -> VarSet {
    let mut variables = scalar.variables.clone();
    for (_, pattern) in &scalar.exists {
        variables.extend(&super::scope::mentioned(pattern));
    }
    variables
}
