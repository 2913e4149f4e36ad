//! Language tags in a letter case that LANG() never returns.

use super::Lint;
use crate::query::operands::operands;
use spargebra::algebra::{Expression, Function};

/// Finds comparisons of LANG() with a tag that has a capital letter.
pub(super) fn lints(expression: &Expression) -> Vec<Lint> {
    let mut found = Vec::new();
    let mut todo = vec![expression];
    while let Some(expression) = todo.pop() {
        let pairs: Vec<(&Expression, &Expression)> = match expression {
            Expression::Equal(a, b) => vec![(a, b), (b, a)],
            Expression::In(a, list) => list.iter().map(|item| (&**a, item)).collect(),
            _ => Vec::new(),
        };
        found.extend(pairs.into_iter().filter_map(|(lang, tag)| lint(lang, tag)));
        todo.extend(operands(expression).collect::<Vec<_>>().into_iter().rev());
    }
    found
}

fn lint(lang: &Expression, tag: &Expression) -> Option<Lint> {
    let (Expression::FunctionCall(Function::Lang, of), Expression::Literal(tag)) = (lang, tag) else { return None };
    let tag = tag.value();
    if !tag.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let of = of.first()?;
    let variable = match of {
        Expression::Variable(variable) => Some(variable),
        _ => None,
    };
    let lower = tag.to_ascii_lowercase();
    let hint = format!("write \"{lower}\", or LANGMATCHES(LANG({of}), \"{tag}\"), which takes any case");
    let message = format!("LANG() gives tags in lower case, and is never \"{tag}\"");
    Some(Lint::new("language-case", variable, message, Some(&hint)))
}
