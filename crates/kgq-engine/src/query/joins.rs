//! Orders the joins within EXISTS for Oxigraph's evaluator, which orders those of the query itself but leaves these as
//! they are written.
//!
//! Otherwise a path such as `rdf:rest*` between two unknown nodes would be walked from every node, again for each row
//! for which EXISTS is tested, and its results compared with the rest afterwards. In a good order it is walked from the
//! nodes that the rest leads to.

use super::operands::operands_mut;
use super::parts::{Child, for_each_part};
use spargebra::algebra::{Expression, GraphPattern};
use sparopt::Optimizer;

/// Orders the joins of each EXISTS in a pattern.
pub(super) fn order_within_exists(pattern: &mut GraphPattern) {
    for_each_part(pattern, &mut |part| match part {
        Child::Pattern(inner) => order_within_exists(inner),
        Child::Expression(expression) => in_expression(expression),
    });
}

fn in_expression(expression: &mut Expression) {
    match expression {
        Expression::Exists(pattern) => order(pattern),
        other => operands_mut(other).for_each(in_expression),
    }
}

/// Only joins of triples and paths are ordered: an expression may use a variable of the row for which EXISTS is tested,
/// and the optimiser would consider it never bound.
fn order(pattern: &mut GraphPattern) {
    if is_joins(pattern) {
        *pattern = GraphPattern::from(&Optimizer::optimize_graph_pattern((&*pattern).into()));
    } else {
        for_each_part(pattern, &mut |part| match part {
            Child::Pattern(inner) => order(inner),
            Child::Expression(expression) => in_expression(expression),
        });
    }
}

fn is_joins(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => true,
        GraphPattern::Join { left, right } => is_joins(left) && is_joins(right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::{Query, SparqlParser};

    /// Returns the query as parsed, and with its joins ordered.
    fn ordered(text: &str) -> (String, String) {
        let mut query = SparqlParser::new().parse_query(&format!("PREFIX : <http://e/> {text}")).unwrap();
        let before = query.to_string();
        let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &mut query else { panic!("{query}") };
        order_within_exists(pattern);
        (before, query.to_string())
    }

    #[test]
    fn a_path_in_exists_is_walked_from_what_is_known() {
        let text = "ASK { ?p a :Relation FILTER NOT EXISTS { ?class :or/:rest*/:first ?p . :this a ?class } }";
        let (_, after) = ordered(text);
        let exists = after.split_once("EXISTS").unwrap().1;
        let (this, rest) = (exists.find("<http://e/this>").unwrap(), exists.find("<http://e/rest>").unwrap());
        assert!(this < rest && exists.contains("LATERAL"), "{after}");
    }

    #[test]
    fn what_is_around_exists_or_has_an_expression_in_it_stays() {
        for text in [
            "SELECT * WHERE { ?class :or/:rest* ?p . :this a ?class }",
            "SELECT * WHERE { ?x :p ?y FILTER(EXISTS { ?x :q ?z FILTER(?z = ?y) }) }",
        ] {
            let (before, after) = ordered(text);
            assert_eq!(before, after);
        }
    }
}
