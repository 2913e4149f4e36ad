//! Variables that occur once and are not selected.
//!
//! Such a variable makes a row for each of its values, which nobody sees. Where rows are not counted (ASK, CONSTRUCT, DISTINCT,
//! EXISTS, MINUS, GROUP BY without a count), it says that there is some value, and is no mistake; nor where rows are what is
//! counted, as in `COUNT(*)`. A subject that occurs once is how one asks for all values of a property; `GRAPH ?g` and a
//! variable property say "any". A name that begins with `_` is meant so.

use super::Lint;
use crate::query::atoms::in_scope;
use crate::query::inspect::{all_variables, variables_of_pattern};
use kgq_syntax::rdf::Variable;
use spargebra::algebra::{AggregateExpression, AggregateFunction, Expression, GraphPattern, OrderExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// Where a variable occurs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The object of a pattern: a row for each value.
    Object,
    /// Made by BIND.
    Made,
    Elsewhere,
}

pub fn unused(query: &spargebra::Query) -> Vec<Lint> {
    let (pattern, counted) = match query {
        spargebra::Query::Select { pattern, .. } => (pattern, true),
        spargebra::Query::Ask { pattern, .. }
        | spargebra::Query::Construct { pattern, .. }
        | spargebra::Query::Describe { pattern, .. } => (pattern, false),
    };
    let mut found = Vec::new();
    scope(pattern, counted, &mut found);
    found
}

/// What one SELECT sees of its variables.
struct Scope<'a> {
    /// Whether it matters how many rows there are.
    counted: bool,
    selected: Vec<Variable>,
    occurrences: Vec<(Variable, Place)>,
    inner: Vec<&'a GraphPattern>,
}

fn scope(pattern: &GraphPattern, counted: bool, found: &mut Vec<Lint>) {
    let mut scope = Scope { counted, selected: Vec::new(), occurrences: Vec::new(), inner: Vec::new() };
    scope.modifiers(pattern);
    for (variable, place) in &scope.occurrences {
        let once = scope.occurrences.iter().filter(|(other, _)| other == variable).count() == 1;
        let meant = variable.as_str().starts_with('_') || scope.selected.contains(variable);
        let message = match place {
            Place::Object if scope.counted => "occurs only here, and is not selected: each of its values makes a row",
            Place::Made => "is made here and never used",
            Place::Object | Place::Elsewhere => continue,
        };
        if once && !meant {
            found.push(Lint::new(
                "used-once",
                Some(variable),
                format!("?{} {message}", variable.as_str()),
                Some(&format!("select it, or say with a name like ?_{} that any will do", variable.as_str())),
            ));
        }
    }
    for pattern in &scope.inner {
        self::scope(pattern, scope.counted, found);
    }
}

impl<'a> Scope<'a> {
    fn other(&mut self, variables: impl IntoIterator<Item = Variable>) {
        self.occurrences.extend(variables.into_iter().map(|v| (v, Place::Elsewhere)));
    }

    /// What stands around the group: up to the first that is no modifier.
    fn modifiers(&mut self, pattern: &'a GraphPattern) {
        match pattern {
            GraphPattern::Slice { inner, .. } => self.modifiers(inner),
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                self.counted = false;
                self.modifiers(inner);
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
                self.term(subject, Place::Elsewhere);
                self.term(object, Place::Object);
            }
            GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
                self.body(left);
                self.body(right);
            }
            GraphPattern::Lateral { left, right } => {
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
                self.other(inside);
            }
            GraphPattern::Filter { expr, inner } => {
                self.body(inner);
                self.expression(expr);
            }
            GraphPattern::Graph { name, inner } => {
                if let NamedNodePattern::Variable(variable) = name {
                    self.other([variable.clone()]);
                }
                self.body(inner);
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.body(inner);
                self.expression(expression);
                self.occurrences.push((variable.clone(), Place::Made));
            }
            GraphPattern::Values { variables, .. } => self.other(variables.iter().cloned()),
            GraphPattern::Group { inner, variables, aggregates } => {
                self.other(variables.iter().cloned());
                let mut counted = false;
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                        counted |= counts_rows(aggregate);
                    }
                }
                // All solutions are what COUNT(*) is asked for.
                let all = aggregates.iter().any(|(_, a)| matches!(a, AggregateExpression::CountSolutions { .. }));
                self.counted &= counted && !all;
                self.body(inner);
            }
            GraphPattern::Project { variables, .. } => {
                self.other(variables.iter().cloned());
                self.inner.push(pattern);
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.other(in_scope(inner));
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
        self.other(all_variables(expression));
    }

    fn triple(&mut self, triple: &TriplePattern) {
        self.term(&triple.subject, Place::Elsewhere);
        match &triple.predicate {
            NamedNodePattern::Variable(variable) => {
                self.other([variable.clone()]);
                self.term(&triple.object, Place::Elsewhere);
            }
            NamedNodePattern::NamedNode(_) => self.term(&triple.object, Place::Object),
        }
    }

    fn term(&mut self, term: &TermPattern, place: Place) {
        match term {
            TermPattern::Variable(variable) => self.occurrences.push((variable.clone(), place)),
            TermPattern::Triple(inner) => {
                self.term(&inner.subject, Place::Elsewhere);
                if let NamedNodePattern::Variable(variable) = &inner.predicate {
                    self.other([variable.clone()]);
                }
                self.term(&inner.object, Place::Elsewhere);
            }
            TermPattern::NamedNode(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => {}
        }
    }
}

/// Whether an aggregate comes out otherwise when a row is there twice.
fn counts_rows(aggregate: &AggregateExpression) -> bool {
    match aggregate {
        AggregateExpression::CountSolutions { distinct } => !distinct,
        AggregateExpression::FunctionCall { name, distinct, .. } => {
            !distinct && !matches!(name, AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::Sample)
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
    fn a_variable_that_occurs_once_and_is_not_selected_is_named() {
        for (text, names) in [
            ("SELECT ?x { ?x :p ?y }", vec!["y"]),
            ("SELECT ?x { ?x :p ?v OPTIONAL { ?x :q ?w } FILTER(?v > 1) }", vec!["w"]),
            ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?z) }", vec!["z"]),
            ("SELECT ?x (SUM(?v) AS ?n) { ?x :v ?v ; :p ?y } GROUP BY ?x", vec!["y"]),
            ("SELECT * { ?x a :C { SELECT ?x { ?x :p ?y } } }", vec!["y"]),
            ("SELECT ?x { ?x :p/:q+ ?y }", vec!["y"]),
        ] {
            assert_eq!(unused_in(text), names, "{text}");
        }
    }

    #[test]
    fn where_one_occurrence_is_what_was_meant_nothing_is_said() {
        for text in [
            "SELECT * { ?x :p ?y }",
            "SELECT ?y { ?x :p ?y }",
            "SELECT ?x { ?x :p ?_y }",
            "SELECT ?x { ?x :p [] }",
            "SELECT ?s { ?s ?p ?o }",
            "SELECT DISTINCT ?x { ?x :p ?y }",
            "ASK { ?x :p ?y }",
            "CONSTRUCT { ?x a :C } { ?x :p ?y }",
            "DESCRIBE ?x { ?x :p ?y }",
            "SELECT ?x { ?x a :C FILTER NOT EXISTS { ?x :p ?y } MINUS { ?x :q ?z } }",
            "SELECT (COUNT(*) AS ?n) { ?x :p ?y }",
            "SELECT ?x (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY ?x",
            "SELECT ?x (MAX(?v) AS ?n) { ?x :p ?y ; :v ?v } GROUP BY ?x",
            "SELECT ?x { ?x :p ?y } GROUP BY ?x",
            "SELECT ?x { ?x :p ?y } ORDER BY ?y",
            "SELECT ?x { GRAPH ?g { ?x a :C } }",
            "SELECT (?a + 1 AS ?b) { ?x :p ?a }",
        ] {
            assert_eq!(unused_in(text), [""; 0], "{text}");
        }
    }
}
