//! Which columns determine the order of an answer.

use super::parse::Query;
use kgq_syntax::rdf::Variable;
use spargebra::algebra::{Expression, GraphPattern, OrderExpression};

/// Whether the query asks for an order of the answer's rows.
pub fn is_ordered(query: &Query) -> bool {
    outermost(query).is_some()
}

/// Returns the leading conditions of the outermost ORDER BY that are columns of the answer. The first condition that is
/// not a column ends the list, because the rows do not show what it orders by.
pub fn order_columns(query: &Query) -> Vec<Variable> {
    let Some((conditions, columns)) = outermost(query) else { return Vec::new() };
    let column = |order: &OrderExpression| match order {
        OrderExpression::Asc(Expression::Variable(v)) | OrderExpression::Desc(Expression::Variable(v)) => {
            columns.is_none_or(|columns| columns.contains(v)).then(|| v.clone())
        }
        OrderExpression::Asc(_) | OrderExpression::Desc(_) => None,
    };
    conditions.iter().map_while(column).collect()
}

/// Returns the conditions of the outermost ORDER BY, and the columns of the answer.
fn outermost(query: &Query) -> Option<(&[OrderExpression], Option<&[Variable]>)> {
    let spargebra::Query::Select { pattern, .. } = &query.algebra else { return None };
    let mut pattern = pattern;
    let mut columns: Option<&[Variable]> = None;
    loop {
        match pattern {
            GraphPattern::Slice { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                pattern = inner;
            }
            GraphPattern::Project { inner, variables } if columns.is_none() => {
                columns = Some(variables);
                pattern = inner;
            }
            GraphPattern::OrderBy { expression, .. } => return Some((expression, columns)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<String> {
        let algebra = spargebra::SparqlParser::new().parse_query(text).unwrap();
        order_columns(&Query { algebra }).iter().map(|v| v.as_str().to_owned()).collect()
    }

    #[test]
    fn columns_fix_the_order_up_to_the_first_condition_that_is_none() {
        assert_eq!(columns("SELECT DISTINCT ?a ?b { ?a ?p ?b } ORDER BY ?a DESC(?b) LIMIT 3"), ["a", "b"]);
        assert_eq!(columns("SELECT ?a ?b { ?a ?p ?b } ORDER BY ?a STR(?b) ?b"), ["a"]);
        assert_eq!(columns("SELECT ?a { ?a ?p ?b } ORDER BY ?b ?a"), [""; 0]);
        let ordered = spargebra::SparqlParser::new().parse_query("SELECT ?a { ?a ?p ?b } ORDER BY ?b").unwrap();
        assert!(is_ordered(&Query { algebra: ordered }));
        assert_eq!(columns("SELECT ?a { { SELECT ?a { ?a ?p ?b } ORDER BY ?a } }"), [""; 0]);
    }
}
