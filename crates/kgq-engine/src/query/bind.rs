//! Binds parameters: a term replaces a variable everywhere it occurs, in the algebra and never in the text.
//!
//! One term replaces its variable in patterns, paths, expressions, EXISTS, OPTIONAL and sub-SELECT. Where the variable
//! must remain (projection, grouping, the two sides of MINUS), an Extend binds it. A list becomes VALUES in each group
//! that mentions the variable.

use super::operands::operands_mut;
use super::parse::Query;
use super::prebind::{blank_node_call, blank_node_iri};
use kgq_syntax::rdf::{Literal, NamedNode, Term, Triple, Variable};
use spargebra::algebra::{AggregateExpression, Expression, Function, GraphPattern, OrderExpression};
use spargebra::term::{GroundTerm, GroundTriple, NamedNodePattern, TermPattern, TriplePattern};

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub variable: Variable,
    pub value: BoundTo,
}

/// One term, or any of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundTo {
    One(Term),
    AnyOf(Vec<Term>),
}

/// Binds parameters in a query. A blank node matches nothing, unless the dataset resolves it (see `prebind.rs`).
pub fn bind(query: &mut Query, bindings: &[Binding]) {
    for binding in bindings {
        match &binding.value {
            BoundTo::One(term) => {
                let one = One { variable: &binding.variable, term };
                one.query(&mut query.algebra);
            }
            BoundTo::AnyOf(terms) => {
                let mut ground: Vec<Vec<Option<GroundTerm>>> = Vec::new();
                for term in terms {
                    let row = vec![Some(ground_term(term))];
                    if !ground.contains(&row) {
                        ground.push(row);
                    }
                }
                let many = Many { variable: &binding.variable, rows: ground };
                many.query(&mut query.algebra);
            }
        }
    }
}

/// Replaces the numbers in the outermost LIMIT and OFFSET. Returns `false` if the query has no such clause.
pub fn set_slice(query: &mut Query, limit: Option<usize>, offset: Option<usize>) -> bool {
    let pattern = pattern_mut(&mut query.algebra);
    if let GraphPattern::Slice { start, length, .. } = pattern {
        if limit.is_some() {
            *length = limit;
        }
        if let Some(offset) = offset {
            *start = offset;
        }
        return true;
    }
    false
}

pub(super) fn pattern_mut(query: &mut spargebra::Query) -> &mut GraphPattern {
    match query {
        spargebra::Query::Select { pattern, .. }
        | spargebra::Query::Construct { pattern, .. }
        | spargebra::Query::Describe { pattern, .. }
        | spargebra::Query::Ask { pattern, .. } => pattern,
    }
}

/// An IRI that no data can contain (RFC 3986 has no such scheme), for what must match nothing.
fn nothing() -> NamedNode {
    NamedNode::new_unchecked("urn:x-kgq:matches-nothing")
}

fn ground_term(term: &Term) -> GroundTerm {
    match term {
        Term::NamedNode(node) => node.clone().into(),
        Term::Literal(literal) => literal.clone().into(),
        Term::BlankNode(_) => nothing().into(),
        Term::Triple(triple) => ground_triple(triple).into(),
    }
}

fn ground_triple(triple: &Triple) -> GroundTriple {
    GroundTriple {
        subject: match &triple.subject {
            kgq_syntax::rdf::NamedOrBlankNode::NamedNode(node) => node.clone(),
            kgq_syntax::rdf::NamedOrBlankNode::BlankNode(_) => nothing(),
        },
        predicate: triple.predicate.clone(),
        object: ground_term(&triple.object),
    }
}

fn term_pattern(term: &Term) -> TermPattern {
    match term {
        Term::NamedNode(node) => node.clone().into(),
        Term::Literal(literal) => literal.clone().into(),
        // A blank node in a pattern acts as a variable, but a value must not.
        Term::BlankNode(node) => blank_node_iri(node).into(),
        Term::Triple(triple) => TermPattern::Triple(Box::new(TriplePattern {
            subject: term_pattern(&triple.subject.clone().into()),
            predicate: triple.predicate.clone().into(),
            object: term_pattern(&triple.object),
        })),
    }
}

pub(crate) fn expression(term: &Term) -> Expression {
    match term {
        Term::NamedNode(node) => node.clone().into(),
        Term::Literal(literal) => literal.clone().into(),
        Term::BlankNode(node) => blank_node_call(node),
        Term::Triple(triple) => Expression::FunctionCall(
            Function::Triple,
            vec![
                expression(&triple.subject.clone().into()),
                triple.predicate.clone().into(),
                expression(&triple.object),
            ],
        ),
    }
}

/// Replaces a variable by one term.
struct One<'a> {
    variable: &'a Variable,
    term: &'a Term,
}

impl One<'_> {
    fn query(&self, query: &mut spargebra::Query) {
        if let spargebra::Query::Construct { template, .. } = query {
            for triple in template {
                self.triple(triple);
            }
        }
        self.pattern(pattern_mut(query));
    }

    /// Rewrites a pattern; returns whether its solutions still bind the variable (then to the term).
    fn pattern(&self, pattern: &mut GraphPattern) -> bool {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                for triple in patterns {
                    self.triple(triple);
                }
                false
            }
            GraphPattern::Path { subject, object, .. } => {
                self.term_pattern(subject);
                self.term_pattern(object);
                false
            }
            GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
                self.pattern(left) | self.pattern(right)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                if let Some(expression) = expression {
                    self.expression(expression);
                }
                let bound = self.pattern(left);
                self.pattern(right);
                bound
            }
            GraphPattern::Minus { left, right } => {
                // MINUS removes only solutions that share a variable. If both sides mentioned this one, both must keep it.
                let shared = mentions(left, self.variable) && mentions(right, self.variable);
                let (in_left, in_right) = (self.pattern(left), self.pattern(right));
                if shared {
                    self.extend(left, in_left);
                    self.extend(right, in_right);
                }
                in_left || shared
            }
            GraphPattern::Union { left, right } => {
                let (in_left, in_right) = (self.pattern(left), self.pattern(right));
                if in_left != in_right {
                    self.extend(left, in_left);
                    self.extend(right, in_right);
                }
                in_left || in_right
            }
            GraphPattern::Filter { expr, inner } => {
                self.expression(expr);
                self.pattern(inner)
            }
            GraphPattern::Graph { name, inner } => {
                self.node_pattern(name);
                self.pattern(inner)
            }
            GraphPattern::Service { name, inner, .. } => {
                self.node_pattern(name);
                self.pattern(inner)
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.expression(expression);
                let bound = self.pattern(inner);
                if variable != self.variable {
                    return bound;
                }
                // BIND(… AS $p): the computed value must be the parameter's.
                let (expression, mut inner) = (expression.clone(), std::mem::take(inner));
                let test = Expression::SameTerm(Box::new(expression), Box::new(self::expression(self.term)));
                self.extend(&mut inner, bound);
                *pattern = GraphPattern::Filter { expr: test, inner };
                true
            }
            GraphPattern::Values { variables, bindings } => {
                let Some(column) = variables.iter().position(|v| v == self.variable) else { return false };
                let value = ground_term(self.term);
                bindings.retain(|row| row.get(column).is_none_or(|v| v.as_ref().is_none_or(|v| *v == value)));
                for row in bindings {
                    if let Some(cell) = row.get_mut(column) {
                        *cell = Some(value.clone());
                    }
                }
                true
            }
            GraphPattern::OrderBy { inner, expression } => {
                for order in expression {
                    match order {
                        OrderExpression::Asc(e) | OrderExpression::Desc(e) => self.expression(e),
                    }
                }
                self.pattern(inner)
            }
            GraphPattern::Project { inner, variables } => {
                let bound = self.pattern(inner);
                let projected = variables.contains(self.variable);
                if projected {
                    self.extend(inner, bound);
                }
                projected
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.pattern(inner)
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                    }
                }
                let bound = self.pattern(inner);
                let grouped = variables.contains(self.variable);
                if grouped {
                    self.extend(inner, bound);
                }
                grouped
            }
        }
    }

    /// Binds the variable to the term in the pattern's solutions, unless they bind it already.
    fn extend(&self, pattern: &mut GraphPattern, already: bool) {
        if already {
            return;
        }
        let inner = Box::new(std::mem::take(pattern));
        *pattern = GraphPattern::Extend { inner, variable: self.variable.clone(), expression: expression(self.term) };
    }

    fn triple(&self, triple: &mut TriplePattern) {
        self.term_pattern(&mut triple.subject);
        self.node_pattern(&mut triple.predicate);
        self.term_pattern(&mut triple.object);
    }

    fn term_pattern(&self, pattern: &mut TermPattern) {
        match pattern {
            TermPattern::Variable(variable) if variable == self.variable => *pattern = term_pattern(self.term),
            TermPattern::Triple(triple) => self.triple(triple),
            TermPattern::Variable(_)
            | TermPattern::NamedNode(_)
            | TermPattern::BlankNode(_)
            | TermPattern::Literal(_) => {}
        }
    }

    fn node_pattern(&self, pattern: &mut NamedNodePattern) {
        if matches!(pattern, NamedNodePattern::Variable(variable) if variable == self.variable) {
            *pattern = match self.term {
                Term::NamedNode(node) => node.clone(),
                Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => nothing(),
            }
            .into();
        }
    }

    fn expression(&self, expr: &mut Expression) {
        match expr {
            Expression::Variable(variable) if variable == self.variable => *expr = expression(self.term),
            Expression::Bound(variable) if variable == self.variable => *expr = Literal::from(true).into(),
            Expression::Exists(pattern) => {
                self.pattern(pattern);
            }
            _ => operands_mut(expr).for_each(|operand| self.expression(operand)),
        }
    }
}

/// Joins the values of a list into every group that mentions the variable.
struct Many<'a> {
    variable: &'a Variable,
    rows: Vec<Vec<Option<GroundTerm>>>,
}

impl Many<'_> {
    fn query(&self, query: &mut spargebra::Query) {
        self.pattern(pattern_mut(query));
    }

    /// Rewrites a pattern; returns whether its solutions bind the variable.
    fn pattern(&self, pattern: &mut GraphPattern) -> bool {
        match pattern {
            GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => {
                let mentioned = mentions(pattern, self.variable);
                if mentioned {
                    self.join(pattern);
                }
                mentioned
            }
            GraphPattern::Graph { name, inner } | GraphPattern::Service { name, inner, .. } => {
                let names = matches!(name, NamedNodePattern::Variable(v) if v == self.variable);
                let bound = self.pattern(inner);
                if names {
                    self.join(pattern);
                }
                bound || names
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Lateral { left, right }
            | GraphPattern::Union { left, right } => self.pattern(left) | self.pattern(right),
            GraphPattern::Minus { left, right } => {
                self.pattern(right);
                self.pattern(left)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                let in_right = self.pattern(right);
                let mut bound = self.pattern(left);
                if let Some(expression) = expression
                    && self.expression(expression)
                    && !bound
                    && !in_right
                {
                    self.join(left);
                    bound = true;
                }
                bound
            }
            GraphPattern::Filter { expr, inner } => {
                let used = self.expression(expr);
                self.supply(inner, used)
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let used = self.expression(expression);
                let target = variable == self.variable;
                let bound = self.supply(inner, used && !target);
                if target {
                    self.join(pattern);
                }
                bound || target
            }
            GraphPattern::OrderBy { inner, expression } => {
                let mut used = false;
                for order in expression {
                    match order {
                        OrderExpression::Asc(e) | OrderExpression::Desc(e) => used |= self.expression(e),
                    }
                }
                self.supply(inner, used)
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                let grouped = variables.contains(self.variable);
                let mut used = grouped;
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        used |= self.expression(expr);
                    }
                }
                self.supply(inner, used);
                grouped
            }
            GraphPattern::Project { inner, variables } => {
                let projected = variables.contains(self.variable);
                self.supply(inner, projected);
                projected
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.pattern(inner)
            }
        }
    }

    /// Rewrites a pattern, and joins the values in if they are needed and the pattern does not bind them itself.
    fn supply(&self, pattern: &mut GraphPattern, needed: bool) -> bool {
        let bound = self.pattern(pattern);
        if needed && !bound {
            self.join(pattern);
        }
        bound || needed
    }

    fn join(&self, pattern: &mut GraphPattern) {
        let values = GraphPattern::Values { variables: vec![self.variable.clone()], bindings: self.rows.clone() };
        let right = Box::new(std::mem::take(pattern));
        *pattern = GraphPattern::Join { left: Box::new(values), right };
    }

    /// Rewrites the patterns inside an expression; returns whether the expression itself uses the variable.
    fn expression(&self, expr: &mut Expression) -> bool {
        match expr {
            Expression::Variable(variable) | Expression::Bound(variable) => variable == self.variable,
            Expression::Exists(pattern) => {
                self.pattern(pattern);
                false
            }
            _ => {
                let mut used = false;
                for operand in operands_mut(expr) {
                    used |= self.expression(operand);
                }
                used
            }
        }
    }
}

/// Whether a variable occurs in the pattern where it could be bound.
fn mentions(pattern: &GraphPattern, variable: &Variable) -> bool {
    let mut found = false;
    pattern.on_in_scope_variable(|v| found |= v == variable);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{ParseContext, parse_query};
    use kgq_syntax::error::Source;
    use kgq_syntax::rdf::Prefixes;

    fn bound(text: &str, value: BoundTo) -> String {
        let prefixes = Prefixes::from_iter([("", "http://e/")]);
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Default::default() };
        let mut query = parse_query(Source::new("q", text), context).unwrap();
        bind(&mut query, &[Binding { variable: Variable::new_unchecked("p"), value }]);
        query.to_sse()
    }

    fn iri(local: &str) -> Term {
        NamedNode::new_unchecked(format!("http://e/{local}")).into()
    }

    #[test]
    fn a_term_replaces_its_variable_in_patterns_filters_exists_and_sub_selects() {
        let text = "SELECT ?s { ?s :q $p FILTER(?s != $p && EXISTS { $p :r ?z }) { SELECT ?s { ?s :t $p } } }";
        let sse = bound(text, BoundTo::One(iri("v")));
        assert!(!sse.contains("?p"), "{sse}");
        assert_eq!(sse.matches("<http://e/v>").count(), 4, "{sse}");
    }

    #[test]
    fn a_projected_parameter_stays_a_column() {
        let sse = bound("SELECT ?s $p { ?s :q $p }", BoundTo::One(iri("v")));
        assert!(sse.starts_with("(project (?s ?p) (extend ((?p <http://e/v>))"), "{sse}");
    }

    #[test]
    fn a_grouped_parameter_stays_a_key() {
        let sse = bound("SELECT $p (COUNT(?s) AS ?n) { ?s :q $p } GROUP BY $p", BoundTo::One(iri("v")));
        assert!(sse.contains("(group (?p)") && sse.contains("(extend ((?p <http://e/v>)) (bgp"), "{sse}");
    }

    #[test]
    fn a_list_becomes_values_in_each_group_that_mentions_it() {
        let text = "SELECT ?s { { ?s :q $p } UNION { ?s :r ?o } FILTER NOT EXISTS { ?s :t $p } }";
        let sse = bound(text, BoundTo::AnyOf(vec![iri("v"), iri("w"), iri("v")]));
        assert_eq!(
            sse.matches("(table (vars ?p) (row (?p <http://e/v>)) (row (?p <http://e/w>)))").count(),
            2,
            "{sse}"
        );
    }

    #[test]
    fn text_in_a_value_cannot_change_the_query() {
        let evil = "\" } ; DROP ALL # \\u0022 \n }";
        let sse = bound("SELECT ?s { ?s :q $p }", BoundTo::One(Literal::new_simple_literal(evil).into()));
        let plain = bound("SELECT ?s { ?s :q $p }", BoundTo::One(Literal::new_simple_literal("x").into()));
        assert_eq!(sse.split('"').next(), plain.split('"').next());
        assert!(sse.ends_with(")))"), "{sse}");
    }
}
