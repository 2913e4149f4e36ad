//! Prints expressions of a plan for people, as SPARQL writes them.

use super::Expression;
use super::expression::{Operation, OrderTest};
use super::physical::Labels;

impl Labels<'_> {
    pub fn expression(&self, expression: &Expression) -> String {
        let of = |expression: &Expression| self.expression(expression);
        let list = |parts: &[Expression], between: &str| parts.iter().map(of).collect::<Vec<_>>().join(between);
        match expression {
            Expression::Constant(term) => term.to_string(),
            Expression::Variable(var) => self.name(*var),
            Expression::Bound(var) => format!("BOUND({})", self.name(*var)),
            Expression::Or(parts) => format!("({})", list(parts, " || ")),
            Expression::And(parts) => format!("({})", list(parts, " && ")),
            Expression::Not(operand) => format!("!{}", of(operand)),
            Expression::Equal(pair) => format!("({})", list(&pair[..], " = ")),
            Expression::SameTerm(pair) => format!("sameTerm({})", list(&pair[..], ", ")),
            Expression::Order(test, pair) => {
                let sign = match test {
                    OrderTest::Less => " < ",
                    OrderTest::LessOrEqual => " <= ",
                    OrderTest::Greater => " > ",
                    OrderTest::GreaterOrEqual => " >= ",
                };
                format!("({})", list(&pair[..], sign))
            }
            Expression::In(operand, values) => format!("({} IN ({}))", of(operand), list(values, ", ")),
            Expression::Arithmetic(operation, pair) => {
                let sign = match operation {
                    Operation::Add => " + ",
                    Operation::Subtract => " - ",
                    Operation::Multiply => " * ",
                    Operation::Divide => " / ",
                };
                format!("({})", list(&pair[..], sign))
            }
            Expression::Plus(operand) => format!("+{}", of(operand)),
            Expression::Minus(operand) => format!("-{}", of(operand)),
            Expression::If(parts) => format!("IF({})", list(&parts[..], ", ")),
            Expression::Coalesce(parts) => format!("COALESCE({})", list(parts, ", ")),
            Expression::Call(function, arguments) => format!("{function}({})", list(arguments, ", ")),
        }
    }
}
