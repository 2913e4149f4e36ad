//! Which columns fix the order of an answer.

use super::parse::Query;
use kgq_syntax::rdf::Variable;
use spargebra::algebra::{Expression, GraphPattern, OrderExpression};

/// The leading conditions of the outermost ORDER BY that are columns of the answer. A condition that is not ends the list: what
/// it orders by cannot be seen in the rows.
pub fn order_columns(query: &Query) -> Vec<Variable> {
    let spargebra::Query::Select { pattern, .. } = &query.algebra else { return Vec::new() };
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
            GraphPattern::OrderBy { expression, .. } => {
                let column = |order: &OrderExpression| match order {
                    OrderExpression::Asc(Expression::Variable(v)) | OrderExpression::Desc(Expression::Variable(v)) => {
                        columns.is_none_or(|columns| columns.contains(v)).then(|| v.clone())
                    }
                    OrderExpression::Asc(_) | OrderExpression::Desc(_) => None,
                };
                return expression.iter().map_while(column).collect();
            }
            _ => return Vec::new(),
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
        assert_eq!(columns("SELECT ?a { { SELECT ?a { ?a ?p ?b } ORDER BY ?a } }"), [""; 0]);
    }
}
