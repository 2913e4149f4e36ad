//! The direct operands of an expression, in the order in which they are written. Every walk over expressions uses this list.
//!
//! A leaf has none; nor has EXISTS, because its pattern is not an expression.

use spargebra::algebra::Expression;

/// For any kind of expression: up to three operands of its own, then a list. `$borrow` is `as_ref` or `as_mut`.
macro_rules! split {
    ($expression:expr, $borrow:ident) => {
        match $expression {
            Expression::NamedNode(_)
            | Expression::Literal(_)
            | Expression::Variable(_)
            | Expression::Bound(_)
            | Expression::Exists(_) => ([None, None, None], Default::default()),
            Expression::Or(a, b)
            | Expression::And(a, b)
            | Expression::Equal(a, b)
            | Expression::SameTerm(a, b)
            | Expression::Greater(a, b)
            | Expression::GreaterOrEqual(a, b)
            | Expression::Less(a, b)
            | Expression::LessOrEqual(a, b)
            | Expression::Add(a, b)
            | Expression::Subtract(a, b)
            | Expression::Multiply(a, b)
            | Expression::Divide(a, b) => ([Some(a.$borrow()), Some(b.$borrow()), None], Default::default()),
            Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => {
                ([Some(a.$borrow()), None, None], Default::default())
            }
            Expression::If(a, b, c) => ([Some(a.$borrow()), Some(b.$borrow()), Some(c.$borrow())], Default::default()),
            Expression::In(a, list) => ([Some(a.$borrow()), None, None], list.$borrow()),
            Expression::Coalesce(list) | Expression::FunctionCall(_, list) => ([None, None, None], list.$borrow()),
        }
    };
}

/// Returns the direct operands.
pub(crate) fn operands(expression: &Expression) -> impl DoubleEndedIterator<Item = &Expression> {
    let (own, list): ([Option<&Expression>; 3], &[Expression]) = split!(expression, as_ref);
    own.into_iter().flatten().chain(list)
}

/// Returns the direct operands, to be changed.
pub(crate) fn operands_mut(expression: &mut Expression) -> impl DoubleEndedIterator<Item = &mut Expression> {
    let (own, list): ([Option<&mut Expression>; 3], &mut [Expression]) = split!(expression, as_mut);
    own.into_iter().flatten().chain(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::{Query, SparqlParser, algebra::GraphPattern};

    fn filter(expression: &str) -> Expression {
        let query = SparqlParser::new().parse_query(&format!("ASK {{ FILTER({expression}) }}")).unwrap();
        let Query::Ask { pattern: GraphPattern::Project { inner, .. }, .. } = query else { panic!("{query}") };
        match *inner {
            GraphPattern::Filter { expr, .. } => expr,
            pattern => panic!("{pattern}"),
        }
    }

    #[test]
    fn operands_come_in_the_order_of_writing() {
        for (text, expected) in [
            ("?a", ""),
            ("BOUND(?a)", ""),
            ("EXISTS { ?a ?b ?c }", ""),
            ("?a = ?b", "?a ?b"),
            ("!?a", "?a"),
            ("IF(?a, ?b, ?c)", "?a ?b ?c"),
            ("?a IN (?b, ?c)", "?a ?b ?c"),
            ("COALESCE(?a, ?b)", "?a ?b"),
            ("STRBEFORE(?a, ?b)", "?a ?b"),
        ] {
            let mut expression = filter(text);
            let shared: Vec<String> = operands(&expression).map(ToString::to_string).collect();
            assert_eq!(shared.join(" "), expected, "{text}");
            let changed: Vec<String> = operands_mut(&mut expression).map(|e| e.to_string()).collect();
            assert_eq!(changed, shared, "{text}");
        }
    }
}
