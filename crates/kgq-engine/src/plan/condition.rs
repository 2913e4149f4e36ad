//! The conditions of a plan, and its expressions together with the variables that they read.

use super::expression::OrderTest;
use super::{Constants, Expression, Pattern, Var, VarSet, scope};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

/// An expression with the variables it reads.
#[derive(Clone, Debug)]
pub struct Scalar<T = TermId> {
    /// In the expression, a variable of `exists` stands for each EXISTS.
    pub expression: Expression,
    /// The variables that the expression reads, without those of `exists`.
    pub variables: VarSet,
    /// The patterns of its EXISTS, each with the variable that holds the answer.
    pub exists: Vec<(Var, Pattern<T>)>,
}

/// What a solution must satisfy.
#[derive(Clone, Debug)]
pub enum Condition<T = TermId> {
    Scalar(Scalar<T>),
    /// FILTER EXISTS and, where negated, FILTER NOT EXISTS.
    Exists {
        pattern: Pattern<T>,
        negated: bool,
    },
    /// The variable is none of these terms: a negated property set.
    NotAmong(Var, Vec<T>),
    /// Both variables hold the same term, or either is unbound.
    Same(Var, Var),
}

impl<T> Scalar<T> {
    pub fn new(expression: Expression, exists: Vec<(Var, Pattern<T>)>) -> Self {
        let mut variables = expression.variables();
        exists.iter().for_each(|(var, _)| variables.remove(*var));
        Self { expression, variables, exists }
    }

    /// Returns all variables that it reads, including those of its EXISTS patterns.
    pub fn mentioned(&self) -> VarSet {
        let mut variables = self.variables.clone();
        self.exists.iter().for_each(|(_, pattern)| variables.extend(&scope::mentioned(pattern)));
        variables
    }

    /// Returns the two variables if the whole expression is their equality, by `=` or sameTerm.
    pub fn equality(&self) -> Option<(Var, Var)> {
        match &self.expression {
            Expression::Equal(sides) | Expression::SameTerm(sides) => variables(sides),
            _ => None,
        }
    }

    /// The two variables, where the expression is nothing but that they differ, and whether they need to differ as values only (`!=`), which
    /// NaN does from itself.
    pub fn difference(&self) -> Option<((Var, Var), bool)> {
        let Expression::Not(inner) = &self.expression else { return None };
        match &**inner {
            Expression::Equal(sides) => Some((variables(sides)?, true)),
            Expression::SameTerm(sides) => Some((variables(sides)?, false)),
            _ => None,
        }
    }

    /// The lesser and the greater variable, where the expression is nothing but a comparison of two, by `<`, `<=`, `>` or `>=`.
    pub fn less(&self) -> Option<(Var, Var)> {
        let Expression::Order(test, sides) = &self.expression else { return None };
        let (first, second) = variables(sides)?;
        match test {
            OrderTest::Less | OrderTest::LessOrEqual => Some((first, second)),
            OrderTest::Greater | OrderTest::GreaterOrEqual => Some((second, first)),
        }
    }

    /// Returns the variable if the whole expression is `BOUND` of it.
    pub fn bound(&self) -> Option<Var> {
        bound(&self.expression)
    }

    /// Returns the variable if the whole expression is `!BOUND` of it.
    pub fn unbound(&self) -> Option<Var> {
        match &self.expression {
            Expression::Not(inner) => bound(inner),
            _ => None,
        }
    }

    /// Whether it has a value for each solution that binds the variables `certain`.
    pub fn binds_always(&self, certain: &VarSet) -> bool {
        match &self.expression {
            Expression::Constant(_) => true,
            Expression::Variable(_) => self.exists.is_empty() && self.variables.is_subset(certain),
            _ => false,
        }
    }

    /// Whether two evaluations on the same row may differ.
    pub fn is_volatile(&self) -> bool {
        self.expression.is_volatile()
    }

    /// Whether it calls NOW().
    pub fn reads_clock(&self) -> bool {
        self.expression.reads_clock()
    }

    pub(super) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Scalar<U>> {
        let exists = self.exists.iter().map(|(var, pattern)| Ok((*var, pattern.map_terms(map)?)));
        Ok(Scalar {
            expression: self.expression.clone(),
            variables: self.variables.clone(),
            exists: exists.collect::<Result<_>>()?,
        })
    }
}

fn bound(expression: &Expression) -> Option<Var> {
    match expression {
        Expression::Bound(var) => Some(*var),
        _ => None,
    }
}

/// Returns the two operands if both are variables.
fn variables(operands: &[Expression; 2]) -> Option<(Var, Var)> {
    match operands {
        [Expression::Variable(left), Expression::Variable(right)] => Some((*left, *right)),
        _ => None,
    }
}

impl<T> Condition<T> {
    /// Returns the variables that the condition reads, including those of its patterns.
    pub fn variables(&self) -> VarSet {
        match self {
            Self::Scalar(scalar) => scalar.mentioned(),
            Self::Exists { pattern, .. } => scope::mentioned(pattern),
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

    pub(super) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Condition<U>> {
        Ok(match self {
            Self::Scalar(scalar) => Condition::Scalar(scalar.map_terms(map)?),
            Self::Exists { pattern, negated } => {
                Condition::Exists { pattern: pattern.map_terms(map)?, negated: *negated }
            }
            Self::NotAmong(var, terms) => {
                Condition::NotAmong(*var, terms.iter().map(|term| map.map(term)).collect::<Result<_>>()?)
            }
            Self::Same(a, b) => Condition::Same(*a, *b),
        })
    }
}
