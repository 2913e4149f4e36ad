//! Rewrites calls of XPath functions that SPARQL has under another name to SPARQL's own, so that every executor can run them.

use super::known::{Meaning, XSD, known};
use crate::query::operands::operands_mut;
use crate::query::parts::{Child, for_each_part};
use kgq_syntax::rdf::{Literal, NamedNode};
use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::{GraphUpdateOperation, Query, Update};

/// Replaces functions by SPARQL's functions with the same meaning.
pub fn lower(query: &mut Query) {
    let (Query::Select { pattern: inner, .. }
    | Query::Construct { pattern: inner, .. }
    | Query::Describe { pattern: inner, .. }
    | Query::Ask { pattern: inner, .. }) = query;
    pattern(inner);
}

/// Does the same as [`lower`] in each operation of an update.
pub(crate) fn lower_update(update: &mut Update) {
    for operation in &mut update.operations {
        if let GraphUpdateOperation::DeleteInsert { pattern: inner, .. } = operation {
            pattern(inner);
        }
    }
}

fn pattern(inner: &mut GraphPattern) {
    // A query for another server stays as it was written.
    if matches!(inner, GraphPattern::Service { .. }) {
        return;
    }
    for_each_part(inner, &mut |part| match part {
        Child::Pattern(inner) => pattern(inner),
        Child::Expression(inner) => expression(inner),
    });
}

fn expression(whole: &mut Expression) {
    // A chain of `||` or `&&` nests to the left and can be thousands long, so it is followed without recursion.
    let mut rest = whole;
    while let Expression::Or(left, right) | Expression::And(left, right) = rest {
        expression(right);
        rest = left;
    }
    if let Expression::Exists(inner) = rest {
        return pattern(inner);
    }
    operands_mut(rest).for_each(expression);
    if let Expression::FunctionCall(Function::Custom(name), arguments) = rest
        && let Some(known) = known(name.as_str())
        && (known.least..=known.most).contains(&arguments.len())
        && let Some(meant) = meant(&known.meaning, arguments)
    {
        *rest = meant;
    }
}

/// Returns the call in terms of SPARQL's functions; `None` if there is none.
fn meant(meaning: &Meaning, arguments: &[Expression]) -> Option<Expression> {
    let call = |function, arguments| Expression::FunctionCall(function, arguments);
    let not = |expression| Expression::Not(Box::new(expression));
    Some(match meaning {
        Meaning::Standard(function) => call(function.clone(), arguments.to_vec()),
        Meaning::Concat => {
            let texts = arguments.iter().map(|argument| call(Function::Str, vec![argument.clone()]));
            call(Function::Concat, texts.collect())
        }
        Meaning::Not => not(arguments.first()?.clone()),
        Meaning::Boolean => not(not(arguments.first()?.clone())),
        Meaning::Constant(value) => Expression::Literal(Literal::from(*value)),
        Meaning::Number => call(Function::Custom(NamedNode::new_unchecked(format!("{XSD}double"))), arguments.to_vec()),
        Meaning::Cast | Meaning::Native(_) => return None,
    })
}
