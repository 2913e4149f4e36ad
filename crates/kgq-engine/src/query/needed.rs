//! The terms that every solution of a query needs: one that the data lack is the reason why there is none.
//!
//! A term that only one of several alternatives names is no reason: the others could be met.

use super::inspect::{Position, UsedTerm, stated_variables};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Variable};
use spargebra::algebra::{Expression, GraphPattern, PropertyPathExpression};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern, TriplePattern};
use std::collections::BTreeSet;

/// Returns the absent terms that leave a query without a solution, sorted; none if it could have some without them.
/// Where all alternatives need an absent term, the terms of each are returned.
pub fn needed_terms(query: &spargebra::Query, is_absent: &dyn Fn(&UsedTerm) -> bool) -> Vec<UsedTerm> {
    let (spargebra::Query::Select { pattern, .. }
    | spargebra::Query::Ask { pattern, .. }
    | spargebra::Query::Construct { pattern, .. }
    | spargebra::Query::Describe { pattern, .. }) = query;
    let mut needs = Needs {
        is_absent,
        stated: stated_variables(query),
        required: required(pattern),
        default: Absent::new(),
        named: Absent::new(),
    };
    if let Some(dataset) = query.dataset() {
        let all = |graphs: &[NamedNode]| needs.all(graphs.iter().map(Some), Position::Graph);
        let named = dataset.named.as_deref().map(all).unwrap_or_default();
        (needs.default, needs.named) = (all(&dataset.default), named);
    }
    needs.pattern(pattern, false).into_iter().collect()
}

/// The absent terms because of which a part has no solution; empty if it may have one.
type Absent = BTreeSet<UsedTerm>;

struct Needs<'a> {
    is_absent: &'a dyn Fn(&UsedTerm) -> bool,
    /// The variables that nothing but statements of the data binds.
    stated: BTreeSet<Variable>,
    /// Those that a statement binds in every solution of the query or sub-SELECT.
    required: BTreeSet<Variable>,
    /// The graphs of FROM, if all are absent.
    default: Absent,
    /// Those of FROM NAMED, if all are absent.
    named: Absent,
}

/// Both parts have to be met.
fn both(mut one: Absent, other: Absent) -> Absent {
    one.extend(other);
    one
}

/// One of the parts has to be met.
fn either(one: Absent, other: Absent) -> Absent {
    if one.is_empty() || other.is_empty() { Absent::new() } else { both(one, other) }
}

/// The variables that a statement binds in every solution.
fn required(pattern: &GraphPattern) -> BTreeSet<Variable> {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().flat_map(variables_of_triple).collect(),
        GraphPattern::Path { path, .. } if may_be_empty(path) => BTreeSet::new(),
        GraphPattern::Path { subject, object, .. } => {
            [subject, object].into_iter().flat_map(variables_of_term).collect()
        }
        GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
            &required(left) | &required(right)
        }
        GraphPattern::Union { left, right } => &required(left) & &required(right),
        GraphPattern::Project { inner, variables } => &required(inner) & &variables.iter().cloned().collect(),
        GraphPattern::Group { inner, variables, .. } => &required(inner) & &variables.iter().cloned().collect(),
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => required(inner),
        GraphPattern::Graph { name, inner } => required(inner).into_iter().chain(variable_of_name(name)).collect(),
        GraphPattern::Values { .. } | GraphPattern::Service { .. } => BTreeSet::new(),
    }
}

fn variables_of_triple(triple: &TriplePattern) -> Vec<Variable> {
    let ends = [&triple.subject, &triple.object].into_iter().flat_map(variables_of_term);
    ends.chain(variable_of_name(&triple.predicate)).collect()
}

fn variable_of_name(name: &NamedNodePattern) -> Option<Variable> {
    match name {
        NamedNodePattern::Variable(variable) => Some(variable.clone()),
        NamedNodePattern::NamedNode(_) => None,
    }
}

/// Also those within a triple term, which is part of the statement.
fn variables_of_term(pattern: &TermPattern) -> Vec<Variable> {
    match pattern {
        TermPattern::Variable(variable) => vec![variable.clone()],
        TermPattern::Triple(triple) => variables_of_triple(triple),
        _ => Vec::new(),
    }
}

impl Needs<'_> {
    /// What is known within a sub-SELECT, where variables that it does not project are others than those outside.
    fn projecting(&self, inner: &GraphPattern, projected: &[Variable]) -> Self {
        let outside = projected.iter().filter(|variable| self.required.contains(*variable)).cloned();
        Self {
            is_absent: self.is_absent,
            stated: self.stated.clone(),
            required: outside.chain(required(inner)).collect(),
            default: self.default.clone(),
            named: self.named.clone(),
        }
    }

    /// Whether the values of a variable come from the data.
    fn is_of_data(&self, variable: &Variable) -> bool {
        self.stated.contains(variable) || self.required.contains(variable)
    }

    fn term(&self, iri: &NamedNode, position: Position) -> Absent {
        let used = UsedTerm { iri: iri.clone(), position };
        if (self.is_absent)(&used) { Absent::from([used]) } else { Absent::new() }
    }

    fn pattern(&self, pattern: &GraphPattern, in_graph: bool) -> Absent {
        let looked_at = if in_graph { &self.named } else { &self.default };
        match pattern {
            GraphPattern::Bgp { patterns } if patterns.is_empty() => Absent::new(),
            GraphPattern::Bgp { patterns } => {
                both(looked_at.clone(), patterns.iter().flat_map(|triple| self.triple(triple)).collect())
            }
            GraphPattern::Path { subject, path, object } => {
                // A path of no steps leads from any term to itself.
                if may_be_empty(path) {
                    return Absent::new();
                }
                let is_class = ends_in_type(path);
                let object = self.node(object, if is_class { Position::Class } else { Position::Node });
                both(both(looked_at.clone(), self.path(path)), both(self.node(subject, Position::Node), object))
            }
            GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
                both(self.pattern(left, in_graph), self.pattern(right, in_graph))
            }
            GraphPattern::Union { left, right } => either(self.pattern(left, in_graph), self.pattern(right, in_graph)),
            GraphPattern::Minus { left, .. } | GraphPattern::LeftJoin { left, .. } => self.pattern(left, in_graph),
            GraphPattern::Filter { expr, inner } => both(self.pattern(inner, in_graph), self.condition(expr, in_graph)),
            GraphPattern::Graph { name, inner } => both(self.name(name, Position::Graph), self.pattern(inner, true)),
            GraphPattern::Values { variables, bindings } => {
                let columns = variables.iter().enumerate().filter(|(_, variable)| self.is_of_data(variable));
                columns
                    .flat_map(|(column, _)| {
                        self.all(bindings.iter().map(|row| ground(row.get(column)?)), Position::Value)
                    })
                    .collect()
            }
            GraphPattern::Extend { inner, .. }
            | GraphPattern::OrderBy { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(inner, in_graph),
            GraphPattern::Project { inner, variables } => self.projecting(inner, variables).pattern(inner, in_graph),
            // Without keys there is a group, even of no solutions.
            GraphPattern::Group { variables, .. } if variables.is_empty() => Absent::new(),
            GraphPattern::Group { inner, .. } => self.pattern(inner, in_graph),
            GraphPattern::Service { .. } => Absent::new(),
        }
    }

    fn triple(&self, triple: &TriplePattern) -> Absent {
        let is_type = matches!(&triple.predicate, NamedNodePattern::NamedNode(p) if p.as_ref() == rdf::TYPE);
        let object = self.node(&triple.object, if is_type { Position::Class } else { Position::Node });
        let subject = self.node(&triple.subject, Position::Node);
        both(subject, both(self.name(&triple.predicate, Position::Property), object))
    }

    fn node(&self, pattern: &TermPattern, position: Position) -> Absent {
        match pattern {
            TermPattern::NamedNode(iri) => self.term(iri, position),
            // No statement need have the predicate of a triple term.
            TermPattern::Triple(triple) => {
                let ends = both(self.node(&triple.subject, position), self.node(&triple.object, Position::Node));
                both(ends, self.name(&triple.predicate, Position::Node))
            }
            TermPattern::Variable(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => Absent::new(),
        }
    }

    fn name(&self, pattern: &NamedNodePattern, position: Position) -> Absent {
        match pattern {
            NamedNodePattern::NamedNode(iri) => self.term(iri, position),
            NamedNodePattern::Variable(_) => Absent::new(),
        }
    }

    fn path(&self, path: &PropertyPathExpression) -> Absent {
        match path {
            PropertyPathExpression::NamedNode(iri) => self.term(iri, Position::Property),
            PropertyPathExpression::Reverse(inner) | PropertyPathExpression::OneOrMore(inner) => self.path(inner),
            PropertyPathExpression::Sequence(first, last) => both(self.path(first), self.path(last)),
            PropertyPathExpression::Alternative(one, other) => either(self.path(one), self.path(other)),
            PropertyPathExpression::ZeroOrMore(_)
            | PropertyPathExpression::ZeroOrOne(_)
            | PropertyPathExpression::NegatedPropertySet(_) => Absent::new(),
        }
    }

    /// The absent terms because of which a condition is never true.
    fn condition(&self, condition: &Expression, in_graph: bool) -> Absent {
        match condition {
            Expression::And(one, other) => both(self.condition(one, in_graph), self.condition(other, in_graph)),
            Expression::Or(one, other) => either(self.condition(one, in_graph), self.condition(other, in_graph)),
            Expression::Equal(one, other) | Expression::SameTerm(one, other) => {
                let compared = |value: &Expression, with: &Expression| match value {
                    Expression::Variable(variable) if self.is_of_data(variable) => {
                        self.all([constant(with)], Position::Value)
                    }
                    _ => Absent::new(),
                };
                both(compared(one, other), compared(other, one))
            }
            Expression::In(value, list) => match &**value {
                Expression::Variable(variable) if self.is_of_data(variable) => {
                    self.all(list.iter().map(constant), Position::Value)
                }
                _ => Absent::new(),
            },
            Expression::Exists(pattern) => self.pattern(pattern, in_graph),
            _ => Absent::new(),
        }
    }

    /// One of these values has to occur. `None` is a value of which nothing is known.
    fn all<'v>(&self, values: impl IntoIterator<Item = Option<&'v NamedNode>>, position: Position) -> Absent {
        let each = values.into_iter().map(|value| value.map_or_else(Absent::new, |iri| self.term(iri, position)));
        each.reduce(either).unwrap_or_default()
    }
}

fn ground(value: &Option<GroundTerm>) -> Option<&NamedNode> {
    match value {
        Some(GroundTerm::NamedNode(iri)) => Some(iri),
        Some(GroundTerm::Literal(_) | GroundTerm::Triple(_)) | None => None,
    }
}

fn constant(expression: &Expression) -> Option<&NamedNode> {
    match expression {
        Expression::NamedNode(iri) => Some(iri),
        _ => None,
    }
}

fn may_be_empty(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::ZeroOrMore(_) | PropertyPathExpression::ZeroOrOne(_) => true,
        PropertyPathExpression::OneOrMore(inner) | PropertyPathExpression::Reverse(inner) => may_be_empty(inner),
        PropertyPathExpression::Sequence(one, other) => may_be_empty(one) && may_be_empty(other),
        PropertyPathExpression::Alternative(one, other) => may_be_empty(one) || may_be_empty(other),
        PropertyPathExpression::NamedNode(_) | PropertyPathExpression::NegatedPropertySet(_) => false,
    }
}

/// Whether the last step of a path is `rdf:type` and nothing else. What stands above a class need not have members.
fn ends_in_type(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::NamedNode(iri) => iri.as_ref() == rdf::TYPE,
        PropertyPathExpression::Sequence(_, last) => ends_in_type(last),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ParseContext, parse_query};
    use super::*;
    use kgq_syntax::bounds::Bounds;
    use kgq_syntax::error::Source;
    use kgq_syntax::rdf::Prefixes;

    /// The names that a query needs, where every name that begins with `no` is absent.
    fn needed(pattern: &str) -> String {
        let from = if pattern.starts_with("FROM") { pattern.find('{').unwrap() } else { 0 };
        let (from, pattern) = pattern.split_at(from);
        let text = format!("PREFIX : <http://e/> SELECT * {from} {{ {pattern} }}");
        let prefixes = Prefixes::new();
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        let query = parse_query(Source::new("q", &text), context).unwrap();
        let local = |used: &UsedTerm| used.iri.as_str().trim_start_matches("http://e/").to_owned();
        let found = needed_terms(&query.algebra, &|used| local(used).starts_with("no"));
        found.iter().map(local).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_term_that_every_solution_needs_is_needed() {
        for (pattern, terms) in [
            ("?s :no ?o", "no"),
            ("?s :no1 :no2 . ?s :q ?o", "no1 no2"),
            ("?s :q/:no ?o", "no"),
            ("?s ^:no+ ?o", "no"),
            ("?s :no1|:no2 ?o", "no1 no2"),
            ("{ ?s :no1 ?o } UNION { ?s :q :no2 }", "no1 no2"),
            ("?s :q ?o FILTER(?o = :no)", "no"),
            ("?s :q ?o FILTER(:no = ?o && ?s != :a)", "no"),
            ("?s :q ?o FILTER(?o IN (:no1, :no2))", "no1 no2"),
            ("?s :q ?o FILTER EXISTS { ?o :no ?x }", "no"),
            ("VALUES ?p { :no1 :no2 } ?s ?p ?o", "no1 no2"),
            ("VALUES ?x { :no } { ?x :q ?o } UNION { ?s :q ?x }", "no"),
            ("?s :q ?o OPTIONAL { ?o :r ?x } FILTER(?x = :no)", "no"),
            ("VALUES ?g { :no } GRAPH ?g { ?s :q ?o }", "no"),
            ("VALUES ?x { :no } ?r :of <<( ?x :q ?o )>>", "no"),
            ("GRAPH :no { ?s :q ?o }", "no"),
            ("FROM :no1 FROM :no2 { ?s :q ?o }", "no1 no2"),
            ("FROM :g FROM NAMED :no { GRAPH ?g { ?s :q ?o } }", "no"),
            ("{ SELECT ?s { ?s :no ?o } GROUP BY ?s }", "no"),
        ] {
            assert_eq!(needed(pattern), terms, "{pattern}");
        }
    }

    #[test]
    fn a_term_of_one_alternative_is_not_needed() {
        for pattern in [
            "?s :q|:no ?o",
            "?s :no* ?o",
            ":no :q* ?o",
            "?s !:no ?o",
            "{ ?s :no ?o } UNION { ?s :q ?o }",
            "?s :q ?o FILTER(?o IN (:no, :q))",
            "?s :q ?o FILTER(ISLITERAL(?o) || ?o = :no)",
            "?s :q ?o FILTER(IF(?s = :no, true, false))",
            "?s :q ?o FILTER(?o != :no)",
            "?s :q ?o FILTER NOT EXISTS { ?o :no ?x }",
            "?s :q ?o FILTER(DATATYPE(?o) = :no)",
            "?s :q ?o OPTIONAL { ?o :no ?x }",
            "?s :q ?o MINUS { ?o :no ?x }",
            "VALUES ?p { :no :q } ?s ?p ?o",
            "VALUES ?p { :no UNDEF } ?s ?p ?o",
            "VALUES ?x { :no } ?s :q ?o",
            "VALUES ?x { :no } FILTER NOT EXISTS { ?x :q ?o }",
            "VALUES ?x { :no } MINUS { ?x :q ?o }",
            "VALUES ?x { :no } OPTIONAL { ?x :q ?o }",
            "VALUES ?x { :no } { ?x :q ?o } UNION { ?s :q ?o }",
            "VALUES ?x { :no } ?x :q* ?o",
            "BIND(:no AS ?x) OPTIONAL { ?x :q ?o } FILTER(?x = :no)",
            "?x :q ?o { SELECT ?s { VALUES ?x { :no } ?s :q ?o } }",
            "FROM :no FROM :g { ?s :q ?o }",
            "FROM :no FROM NAMED :g { GRAPH ?g { ?s :q ?o } }",
            "{ SELECT (COUNT(*) AS ?n) { ?s :no ?o } }",
        ] {
            assert_eq!(needed(pattern), "", "{pattern}");
        }
    }
}
