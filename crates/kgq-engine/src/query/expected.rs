//! Expected rows, and queries for them: all or some conditions of a query, together with the values that the row should have.

use super::atoms::{Atoms, GroupElement, in_scope};
use super::parse::Query;
use kgq_syntax::rdf::{Literal, NamedNode, Term, Variable};
use spargebra::algebra::{Expression, Function, GraphPattern};

/// The expected value in a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub variable: Variable,
    /// The accepted node, and the accepted text of a literal. If both are set, either matches; if neither is, the
    /// column must have no value.
    pub node: Option<NamedNode>,
    pub text: Option<String>,
}

impl Expectation {
    /// Whether a value is as expected. A text matches every literal with exactly this lexical form, whatever its
    /// language and datatype.
    pub fn accepts(&self, value: Option<&Term>) -> bool {
        match value {
            None => self.node.is_none() && self.text.is_none(),
            Some(Term::NamedNode(node)) => self.node.as_ref() == Some(node),
            Some(Term::Literal(literal)) => self.text.as_ref().is_some_and(|text| text == literal.value()),
            Some(Term::BlankNode(_) | Term::Triple(_)) => false,
        }
    }

    fn condition(&self) -> Expression {
        let variable = || Box::new(Expression::from(self.variable.clone()));
        let node = self.node.as_ref().map(|node| Expression::SameTerm(variable(), Box::new(node.clone().into())));
        let text = self.text.as_ref().map(|text| {
            let is_literal = Expression::FunctionCall(Function::IsLiteral, vec![*variable()]);
            let lexical = Expression::FunctionCall(Function::Str, vec![*variable()]);
            let text = Expression::from(Literal::new_simple_literal(text));
            Expression::And(Box::new(is_literal), Box::new(Expression::SameTerm(Box::new(lexical), Box::new(text))))
        });
        match (node, text) {
            (Some(node), Some(text)) => Expression::Or(Box::new(node), Box::new(text)),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Expression::Not(Box::new(Expression::Bound(self.variable.clone()))),
        }
    }
}

impl Atoms {
    /// Returns a query for solutions of these conditions whose variables have the expected values, at most `most`.
    pub fn select_expecting(&self, which: &[usize], expected: &[Expectation], most: usize) -> Query {
        let pattern = self.together(which);
        let variables = in_scope(&pattern);
        let own = expected.iter().filter(|expectation| variables.contains(&expectation.variable));
        let restricted = own.fold(pattern, |inner, expectation| GraphPattern::Filter {
            expr: expectation.condition(),
            inner: Box::new(inner),
        });
        let inner = Box::new(GraphPattern::Project { inner: Box::new(restricted), variables });
        let pattern = GraphPattern::Slice { inner, start: 0, length: Some(most) };
        Query { algebra: spargebra::Query::Select { dataset: self.dataset.clone(), pattern, base_iri: None } }
    }

    /// Returns a query for what MINUS or NOT EXISTS excludes.
    pub fn ask_excluded(&self, atom: usize) -> Option<Query> {
        let pattern = match &self.atoms.get(atom)?.piece {
            GroupElement::Minus(pattern) => pattern,
            GroupElement::Filter(Expression::Not(inner)) => match inner.as_ref() {
                Expression::Exists(pattern) => pattern,
                _ => return None,
            },
            GroupElement::Filter(_)
            | GroupElement::Pattern(_)
            | GroupElement::Optional(..)
            | GroupElement::Bind(..) => return None,
        };
        let (dataset, pattern) = (self.dataset.clone(), pattern.clone());
        Some(Query { algebra: spargebra::Query::Ask { dataset, pattern, base_iri: None } })
    }
}

/// Returns the query without its outermost LIMIT and OFFSET; `None` if it has none.
pub fn without_slice(query: &Query) -> Option<Query> {
    let mut whole = query.clone();
    let (spargebra::Query::Select { pattern, .. }
    | spargebra::Query::Construct { pattern, .. }
    | spargebra::Query::Describe { pattern, .. }
    | spargebra::Query::Ask { pattern, .. }) = &mut whole.algebra;
    let GraphPattern::Slice { inner, .. } = pattern else { return None };
    *pattern = *inner.clone();
    Some(whole)
}

/// Returns the query without HAVING, LIMIT and OFFSET; `None` if it has no HAVING.
pub fn without_having(query: &Query) -> Option<Query> {
    fn strip(pattern: &mut GraphPattern) -> bool {
        match pattern {
            GraphPattern::Project { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::OrderBy { inner, .. }
            | GraphPattern::Extend { inner, .. } => strip(inner),
            GraphPattern::Filter { inner, .. } if super::atoms::is_grouped(inner) => {
                *pattern = *inner.clone();
                strip(pattern);
                true
            }
            _ => false,
        }
    }
    let mut whole = without_slice(query).unwrap_or_else(|| query.clone());
    let spargebra::Query::Select { pattern, .. } = &mut whole.algebra else { return None };
    strip(pattern).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::super::atoms::atoms;
    use super::*;

    fn parsed(text: &str) -> Query {
        Query { algebra: spargebra::SparqlParser::new().parse_query(text).unwrap() }
    }

    #[test]
    fn what_is_expected_restricts_only_the_conditions_that_can_have_it() {
        let taken = atoms(&parsed("SELECT * { ?a <urn:p> ?b . ?b <urn:q> ?c }"));
        let expected = [Expectation { variable: Variable::new("c").unwrap(), node: None, text: Some("1".to_owned()) }];
        let filters = |which: &[usize]| taken.select_expecting(which, &expected, 1).to_sse().matches("filter").count();
        assert_eq!((filters(&[0]), filters(&[0, 1])), (0, 1));
    }

    #[test]
    fn having_and_slices_are_taken_off() {
        let query = parsed("SELECT ?a { ?a ?p ?b } GROUP BY ?a HAVING (COUNT(?b) > 2) LIMIT 3");
        let without = without_having(&query).unwrap().to_sse();
        assert!(!without.contains("filter") && !without.contains("slice"), "{without}");
        assert!(without_slice(&query).unwrap().to_sse().contains("filter"));
        assert!(without_having(&parsed("SELECT ?a { ?a ?p ?b FILTER(?b > 2) }")).is_none());
    }
}
