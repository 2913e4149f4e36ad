//! Finds variables that BIND makes and nothing uses.
//!
//! A pattern variable that occurs once requires that some value exists, which is common in queries. Only its name can
//! tell whether it is intended, and `advice` checks that. A name that begins with `_` is intended.

use super::Lint;
use crate::query::atoms::in_scope;
use crate::query::inspect::{all_variables, variables_of_pattern};
use kgq_syntax::rdf::Variable;
use rustc_hash::FxHashMap;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

pub fn unused(query: &spargebra::Query) -> Vec<Lint> {
    let (spargebra::Query::Select { pattern, .. }
    | spargebra::Query::Ask { pattern, .. }
    | spargebra::Query::Construct { pattern, .. }
    | spargebra::Query::Describe { pattern, .. }) = query;
    let mut found = Vec::new();
    scope(pattern, &mut found);
    found
}

/// The variables of one SELECT.
#[derive(Default)]
struct Scope<'a> {
    selected: Vec<Variable>,
    /// How often each variable occurs.
    occurrences: FxHashMap<Variable, usize>,
    /// The variables that BIND makes, in order.
    made: Vec<Variable>,
    inner: Vec<&'a GraphPattern>,
}

fn scope(pattern: &GraphPattern, found: &mut Vec<Lint>) {
    let mut scope = Scope::default();
    scope.modifiers(pattern);
    for variable in &scope.made {
        let once = scope.occurrences.get(variable) == Some(&1);
        let meant = variable.as_str().starts_with('_') || scope.selected.contains(variable);
        if once && !meant {
            let message = format!("?{} is made here and never used", variable.as_str());
            found.push(Lint::new("used-once", Some(variable), message, None));
        }
    }
    for pattern in &scope.inner {
        self::scope(pattern, found);
    }
}

impl<'a> Scope<'a> {
    fn occur(&mut self, variables: impl IntoIterator<Item = Variable>) {
        for variable in variables {
            *self.occurrences.entry(variable).or_default() += 1;
        }
    }

    /// Handles the modifiers around the group, up to the first pattern that is not one.
    fn modifiers(&mut self, pattern: &'a GraphPattern) {
        match pattern {
            GraphPattern::Slice { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                self.modifiers(inner)
            }
            GraphPattern::OrderBy { inner, expression } => {
                self.order(expression);
                self.modifiers(inner);
            }
            GraphPattern::Project { inner, variables } => {
                self.selected.extend(variables.iter().cloned());
                self.body(inner);
            }
            other => self.body(other),
        }
    }

    fn order(&mut self, conditions: &[OrderExpression]) {
        for OrderExpression::Asc(expression) | OrderExpression::Desc(expression) in conditions {
            self.expression(expression);
        }
    }

    fn body(&mut self, pattern: &'a GraphPattern) {
        match pattern {
            GraphPattern::Bgp { patterns } => patterns.iter().for_each(|triple| self.triple(triple)),
            GraphPattern::Path { subject, object, .. } => {
                self.term(subject);
                self.term(object);
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Union { left, right }
            | GraphPattern::Lateral { left, right } => {
                self.body(left);
                self.body(right);
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.body(left);
                self.body(right);
                if let Some(expression) = expression {
                    self.expression(expression);
                }
            }
            GraphPattern::Minus { left, right } => {
                self.body(left);
                let mut inside = Vec::new();
                variables_of_pattern(right, &mut |v| inside.push(v.clone()));
                self.occur(inside);
            }
            GraphPattern::Filter { expr, inner } => {
                self.body(inner);
                self.expression(expr);
            }
            GraphPattern::Graph { name, inner } => {
                if let NamedNodePattern::Variable(variable) = name {
                    self.occur([variable.clone()]);
                }
                self.body(inner);
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.body(inner);
                self.expression(expression);
                self.occur([variable.clone()]);
                self.made.push(variable.clone());
            }
            GraphPattern::Values { variables, .. } => self.occur(variables.iter().cloned()),
            GraphPattern::Group { inner, variables, aggregates } => {
                self.occur(variables.iter().cloned());
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                    }
                }
                self.body(inner);
            }
            GraphPattern::Project { variables, .. } => {
                self.occur(variables.iter().cloned());
                self.inner.push(pattern);
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.occur(in_scope(inner));
                self.inner.push(pattern);
            }
            GraphPattern::OrderBy { inner, expression } => {
                self.order(expression);
                self.body(inner);
            }
            GraphPattern::Service { inner, .. } => self.body(inner),
        }
    }

    fn expression(&mut self, expression: &Expression) {
        self.occur(all_variables(expression));
    }

    fn triple(&mut self, triple: &TriplePattern) {
        self.term(&triple.subject);
        if let NamedNodePattern::Variable(variable) = &triple.predicate {
            self.occur([variable.clone()]);
        }
        self.term(&triple.object);
    }

    fn term(&mut self, term: &TermPattern) {
        match term {
            TermPattern::Variable(variable) => self.occur([variable.clone()]),
            TermPattern::Triple(inner) => self.triple(inner),
            TermPattern::NamedNode(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused_in(text: &str) -> Vec<String> {
        let parser = spargebra::SparqlParser::new().with_prefix("", "http://e/").unwrap();
        let query = parser.parse_query(text).unwrap();
        unused(&query).into_iter().filter_map(|lint| Some(lint.variable?.into_string())).collect()
    }

    #[test]
    fn what_bind_makes_and_nothing_uses_is_named() {
        for (text, names) in [
            ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?z) }", vec!["z"]),
            ("SELECT * { ?x a :C { SELECT ?x { ?x :p ?y BIND(STR(?y) AS ?z) } } }", vec!["z"]),
            ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?_z) }", vec![]),
            ("SELECT * { ?x :p ?y BIND(?y + 1 AS ?z) }", vec![]),
            ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?z) FILTER(?z > 1) }", vec![]),
            ("SELECT (?a + 1 AS ?b) { ?x :p ?a }", vec![]),
            ("CONSTRUCT { ?x :p ?z } { ?x :p ?y BIND(?y + 1 AS ?z) }", vec![]),
        ] {
            assert_eq!(unused_in(text), names, "{text}");
        }
    }

    #[test]
    fn that_a_pattern_has_some_value_is_an_everyday_question() {
        for text in [
            "SELECT ?x { ?x :p ?y }",
            "SELECT ?x { ?x :p/:q+ ?y OPTIONAL { ?x :q ?w } }",
            "SELECT ?x (SUM(?v) AS ?n) { ?x :v ?v ; :p ?y } GROUP BY ?x",
        ] {
            assert_eq!(unused_in(text), [""; 0], "{text}");
        }
    }
}
