//! Makes the expressions of a plan from spargebra's. Names become variables of their scope, chains of `||` and `&&`
//! become flat, and each EXISTS becomes a variable of its own.

use super::expression::{Operation, OrderTest};
use super::function::Function;
use super::translate::{Translator, left_spine};
use super::{Condition, Expression, Scalar, Var};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Variable};
use spargebra::algebra::{Expression as Parsed, GraphPattern};

/// What a variable of the plan stands for.
pub enum Named<'q> {
    Variable(&'q Variable),
    Exists(&'q GraphPattern),
}

/// Translates the expression, with the variables that `var` returns.
///
/// # Errors
/// Those of `var`.
pub fn lowered(expression: &Parsed, var: &mut dyn FnMut(Named<'_>) -> Result<Var>) -> Result<Expression> {
    let mut pair = |a: &Parsed, b: &Parsed| Ok(Box::new([lowered(a, var)?, lowered(b, var)?]));
    Ok(match expression {
        Parsed::NamedNode(iri) => Expression::Constant(Term::NamedNode(iri.clone())),
        Parsed::Literal(literal) => Expression::Constant(Term::Literal(literal.clone())),
        Parsed::Variable(variable) => Expression::Variable(var(Named::Variable(variable))?),
        Parsed::Bound(variable) => Expression::Bound(var(Named::Variable(variable))?),
        Parsed::Exists(pattern) => Expression::Variable(var(Named::Exists(pattern))?),
        Parsed::Or(..) => {
            let parts = left_spine(expression, |e| match e {
                Parsed::Or(left, right) => Some((left, right)),
                _ => None,
            });
            Expression::Or(all(parts, var)?)
        }
        Parsed::And(..) => {
            let parts = left_spine(expression, |e| match e {
                Parsed::And(left, right) => Some((left, right)),
                _ => None,
            });
            Expression::And(all(parts, var)?)
        }
        Parsed::Equal(a, b) => Expression::Equal(pair(a, b)?),
        Parsed::SameTerm(a, b) => Expression::SameTerm(pair(a, b)?),
        Parsed::Less(a, b) => Expression::Order(OrderTest::Less, pair(a, b)?),
        Parsed::LessOrEqual(a, b) => Expression::Order(OrderTest::LessOrEqual, pair(a, b)?),
        Parsed::Greater(a, b) => Expression::Order(OrderTest::Greater, pair(a, b)?),
        Parsed::GreaterOrEqual(a, b) => Expression::Order(OrderTest::GreaterOrEqual, pair(a, b)?),
        Parsed::Add(a, b) => Expression::Arithmetic(Operation::Add, pair(a, b)?),
        Parsed::Subtract(a, b) => Expression::Arithmetic(Operation::Subtract, pair(a, b)?),
        Parsed::Multiply(a, b) => Expression::Arithmetic(Operation::Multiply, pair(a, b)?),
        Parsed::Divide(a, b) => Expression::Arithmetic(Operation::Divide, pair(a, b)?),
        Parsed::Not(operand) => Expression::Not(Box::new(lowered(operand, var)?)),
        Parsed::UnaryPlus(operand) => Expression::Plus(Box::new(lowered(operand, var)?)),
        Parsed::UnaryMinus(operand) => Expression::Minus(Box::new(lowered(operand, var)?)),
        Parsed::In(operand, list) => Expression::In(Box::new(lowered(operand, var)?), all(list, var)?),
        Parsed::If(a, b, c) => Expression::If(Box::new([lowered(a, var)?, lowered(b, var)?, lowered(c, var)?])),
        Parsed::Coalesce(list) => Expression::Coalesce(all(list, var)?),
        Parsed::FunctionCall(function, arguments) => Expression::Call(Function::from(function), all(arguments, var)?),
    })
}

fn all<'e>(
    expressions: impl IntoIterator<Item = &'e Parsed>,
    var: &mut dyn FnMut(Named<'_>) -> Result<Var>,
) -> Result<Vec<Expression>> {
    expressions.into_iter().map(|expression| lowered(expression, var)).collect()
}

impl Translator<'_> {
    /// Returns the conjuncts of a FILTER, which `&&` connects.
    pub(super) fn conditions(&mut self, expression: &Parsed) -> Result<Vec<Condition<Term>>> {
        let mut conditions = Vec::new();
        for operand in left_spine(expression, |e| match e {
            Parsed::And(left, right) => Some((left, right)),
            _ => None,
        }) {
            match operand {
                Parsed::And(..) => conditions.extend(self.conditions(operand)?),
                Parsed::Exists(pattern) => {
                    conditions.push(Condition::Exists { pattern: self.pattern(pattern)?, negated: false });
                }
                Parsed::Not(inner) => match inner.as_ref() {
                    Parsed::Exists(pattern) => {
                        conditions.push(Condition::Exists { pattern: self.pattern(pattern)?, negated: true });
                    }
                    _ => conditions.push(Condition::Scalar(self.scalar(operand)?)),
                },
                _ => conditions.push(Condition::Scalar(self.scalar(operand)?)),
            }
        }
        Ok(conditions)
    }

    pub(super) fn scalar(&mut self, expression: &Parsed) -> Result<Scalar<Term>> {
        let mut exists = Vec::new();
        let expression = lowered(expression, &mut |named| {
            Ok(match named {
                Named::Variable(variable) => self.var(variable),
                Named::Exists(pattern) => {
                    let pattern = self.pattern(pattern)?;
                    let var = self.variables.fresh("#exists");
                    exists.push((var, pattern));
                    var
                }
            })
        })?;
        Ok(Scalar::new(expression, exists))
    }
}
