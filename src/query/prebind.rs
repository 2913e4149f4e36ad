//! Queries of which some variables have their values before evaluation begins (SHACL 1.0 §5.3.1, "pre-binding"): the values
//! are put into the algebra as terms, everywhere the variable stands, never into the text.
//!
//! It does not evaluate: the bound query is an ordinary one, for any evaluator that knows how a blank node is written here.

use crate::rdf::path::Path;
use oxrdf::{BlankNode, Literal, NamedNode, Term, Variable};
use spargebra::algebra::{
    AggregateExpression, Expression, Function, GraphPattern, OrderExpression, PropertyPathExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use spargebra::{Query, SparqlParser};
use std::collections::BTreeMap;

/// A constant query has no way to name a blank node of the data: a blank node in a pattern is a variable. So one is
/// written as an IRI of this prefix in patterns, for the dataset to resolve, and as a call of `BLANK_NODE` in expressions.
const BLANK_NODE: &str = "urn:kgq:blank-node:";

/// The function, to be known to the evaluator, that gives the blank node with the identifier in its argument.
pub fn blank_node_function() -> NamedNode {
    NamedNode::new_unchecked(BLANK_NODE)
}

pub fn call_blank_node_function(arguments: &[Term]) -> Option<Term> {
    match arguments {
        [Term::Literal(id)] => BlankNode::new(id.value()).ok().map(Term::from),
        _ => None,
    }
}

/// The blank node that an IRI in a bound query stands for.
pub fn blank_node_of(iri: &NamedNode) -> Option<BlankNode> {
    iri.as_str().strip_prefix(BLANK_NODE).and_then(|id| BlankNode::new(id).ok())
}

/// A SELECT or ASK query whose pre-bound variables are not yet bound.
#[derive(Clone, Debug)]
pub struct Prebound {
    query: Query,
}

/// The variable that stands for the path of a property shape, in the place of a predicate only.
const PATH: &str = "PATH";

impl Prebound {
    /// Parses a query in which the variables of `required` will be bound, and those of `optional` may be.
    ///
    /// Fails with a message for the reader on a syntax error, on another query form than SELECT and ASK, and on what §5.2.1
    /// rules out: MINUS, VALUES, SERVICE, a new value for a pre-bound variable, a subquery that hides one.
    pub fn parse(
        text: &str,
        prefixes: &[(String, String)],
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, String> {
        let mut parser = SparqlParser::new();
        for (prefix, namespace) in prefixes {
            parser = parser.with_prefix(prefix, namespace).map_err(|e| format!("prefix `{prefix}`: {e}"))?;
        }
        let query = parser.parse_query(text).map_err(|e| e.to_string())?;
        let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &query else {
            return Err("neither a SELECT nor an ASK query".into());
        };
        Rules { required, optional }.check(pattern, true)?;
        Ok(Self { query })
    }

    pub fn is_ask(&self) -> bool {
        matches!(self.query, Query::Ask { .. })
    }

    /// The query with the given variables replaced by their values, and `$PATH` by the path.
    pub fn bind(&self, values: &BTreeMap<&str, Term>, path: Option<&Path<NamedNode>>) -> Query {
        let binding = Binding { values, path: path.map(property_path) };
        let mut query = self.query.clone();
        match &mut query {
            Query::Select { pattern, .. } => {
                let bound = binding.outermost(std::mem::take(pattern));
                *pattern = bound;
            }
            Query::Ask { pattern, .. } => {
                let bound = binding.pattern(std::mem::take(pattern));
                *pattern = bound;
            }
            Query::Construct { .. } | Query::Describe { .. } => {}
        }
        query
    }
}

fn property_path(path: &Path<NamedNode>) -> PropertyPathExpression {
    use PropertyPathExpression as P;
    let chain = |parts: &[Path<NamedNode>], join: fn(Box<P>, Box<P>) -> P| {
        let parts = parts.iter().map(property_path);
        parts.reduce(|a, b| join(Box::new(a), Box::new(b))).expect("a sequence or an alternative has members")
    };
    match path {
        Path::Predicate(p) => P::NamedNode(p.clone()),
        Path::Inverse(inner) => P::Reverse(Box::new(property_path(inner))),
        Path::Sequence(steps) => chain(steps, P::Sequence),
        Path::Alternative(branches) => chain(branches, P::Alternative),
        Path::ZeroOrMore(inner) => P::ZeroOrMore(Box::new(property_path(inner))),
        Path::OneOrMore(inner) => P::OneOrMore(Box::new(property_path(inner))),
        Path::ZeroOrOne(inner) => P::ZeroOrOne(Box::new(property_path(inner))),
    }
}

/// What a query with pre-bound variables must not do.
struct Rules<'a> {
    required: &'a [&'a str],
    optional: &'a [&'a str],
}

impl Rules<'_> {
    fn is_prebound(&self, variable: &Variable) -> bool {
        self.required.contains(&variable.as_str()) || self.optional.contains(&variable.as_str())
    }

    fn check(&self, pattern: &GraphPattern, outermost: bool) -> Result<(), String> {
        match pattern {
            GraphPattern::Minus { .. } => {
                Err("MINUS is not allowed where variables are pre-bound; use FILTER NOT EXISTS".into())
            }
            GraphPattern::Values { .. } => {
                Err("VALUES is not allowed where variables are pre-bound; use FILTER with IN".into())
            }
            GraphPattern::Service { .. } => Err("SERVICE is not allowed in a constraint".into()),
            GraphPattern::Extend { inner, variable, expression } => {
                if self.is_prebound(variable) {
                    return Err(format!(
                        "`AS ?{}` gives a new value to a variable that is pre-bound",
                        variable.as_str()
                    ));
                }
                self.expression(expression)?;
                self.check(inner, outermost)
            }
            GraphPattern::Project { inner, variables } => {
                if !outermost {
                    let hidden = self.required.iter().find(|name| !variables.iter().any(|v| v.as_str() == **name));
                    if let Some(hidden) = hidden {
                        return Err(format!("the subquery does not select ${hidden}, so its value is unknown inside"));
                    }
                }
                self.check(inner, false)
            }
            GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => Ok(()),
            GraphPattern::Join { left, right }
            | GraphPattern::Union { left, right }
            | GraphPattern::Lateral { left, right } => {
                self.check(left, false)?;
                self.check(right, false)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.check(left, false)?;
                self.check(right, false)?;
                expression.as_ref().map_or(Ok(()), |e| self.expression(e))
            }
            GraphPattern::Filter { expr, inner } => {
                self.expression(expr)?;
                self.check(inner, false)
            }
            GraphPattern::OrderBy { inner, expression } => {
                for OrderExpression::Asc(e) | OrderExpression::Desc(e) in expression {
                    self.expression(e)?;
                }
                self.check(inner, outermost)
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr)?;
                    }
                }
                self.check(inner, false)
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.check(inner, outermost)
            }
            GraphPattern::Graph { inner, .. } => self.check(inner, false),
        }
    }

    fn expression(&self, expression: &Expression) -> Result<(), String> {
        let mut result = Ok(());
        visit(expression, &mut |e| {
            if let (Ok(()), Expression::Exists(pattern)) = (&result, e) {
                result = self.check(pattern, false);
            }
        });
        result
    }
}

/// Calls back for an expression and all inside it, except inside the patterns of EXISTS.
fn visit(expression: &Expression, see: &mut impl FnMut(&Expression)) {
    see(expression);
    match expression {
        Expression::NamedNode(_)
        | Expression::Literal(_)
        | Expression::Variable(_)
        | Expression::Bound(_)
        | Expression::Exists(_) => {}
        Expression::Or(a, b)
        | Expression::And(a, b)
        | Expression::Equal(a, b)
        | Expression::SameTerm(a, b)
        | Expression::Greater(a, b)
        | Expression::GreaterOrEqual(a, b)
        | Expression::Less(a, b)
        | Expression::LessOrEqual(a, b)
        | Expression::Add(a, b)
        | Expression::Subtract(a, b)
        | Expression::Multiply(a, b)
        | Expression::Divide(a, b) => {
            visit(a, see);
            visit(b, see);
        }
        Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => visit(a, see),
        Expression::In(a, list) => {
            visit(a, see);
            list.iter().for_each(|e| visit(e, see));
        }
        Expression::If(a, b, c) => {
            visit(a, see);
            visit(b, see);
            visit(c, see);
        }
        Expression::Coalesce(list) | Expression::FunctionCall(_, list) => list.iter().for_each(|e| visit(e, see)),
    }
}

struct Binding<'a> {
    values: &'a BTreeMap<&'a str, Term>,
    path: Option<PropertyPathExpression>,
}

impl Binding<'_> {
    fn value(&self, variable: &Variable) -> Option<&Term> {
        self.values.get(variable.as_str())
    }

    /// The pattern of the query itself, whose solutions are seen: there a bound variable that is selected keeps its column.
    fn outermost(&self, pattern: GraphPattern) -> GraphPattern {
        match pattern {
            GraphPattern::Project { inner, variables } => {
                let mut inner = self.pattern(*inner);
                for variable in &variables {
                    if let Some(value) = self.value(variable) {
                        inner = GraphPattern::Extend {
                            inner: Box::new(inner),
                            variable: variable.clone(),
                            expression: constant(value),
                        };
                    }
                }
                GraphPattern::Project { inner: Box::new(inner), variables }
            }
            GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: Box::new(self.outermost(*inner)) },
            GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: Box::new(self.outermost(*inner)) },
            GraphPattern::Slice { inner, start, length } => {
                GraphPattern::Slice { inner: Box::new(self.outermost(*inner)), start, length }
            }
            other => self.pattern(other),
        }
    }

    fn boxed(&self, pattern: GraphPattern) -> Box<GraphPattern> {
        Box::new(self.pattern(pattern))
    }

    fn pattern(&self, pattern: GraphPattern) -> GraphPattern {
        match pattern {
            GraphPattern::Bgp { patterns } => self.basic(patterns),
            GraphPattern::Path { subject, path, object } => {
                GraphPattern::Path { subject: self.term(subject), path, object: self.term(object) }
            }
            GraphPattern::Join { left, right } => {
                GraphPattern::Join { left: self.boxed(*left), right: self.boxed(*right) }
            }
            GraphPattern::LeftJoin { left, right, expression } => GraphPattern::LeftJoin {
                left: self.boxed(*left),
                right: self.boxed(*right),
                expression: expression.map(|e| self.expression(e)),
            },
            GraphPattern::Filter { expr, inner } => {
                GraphPattern::Filter { expr: self.expression(expr), inner: self.boxed(*inner) }
            }
            GraphPattern::Lateral { left, right } => {
                GraphPattern::Lateral { left: self.boxed(*left), right: self.boxed(*right) }
            }
            GraphPattern::Union { left, right } => {
                GraphPattern::Union { left: self.boxed(*left), right: self.boxed(*right) }
            }
            GraphPattern::Graph { name, inner } => match self.predicate(name) {
                Some(name) => GraphPattern::Graph { name, inner: self.boxed(*inner) },
                None => nothing(),
            },
            GraphPattern::Extend { inner, variable, expression } => {
                GraphPattern::Extend { inner: self.boxed(*inner), variable, expression: self.expression(expression) }
            }
            GraphPattern::Minus { left, right } => {
                GraphPattern::Minus { left: self.boxed(*left), right: self.boxed(*right) }
            }
            values @ GraphPattern::Values { .. } => values,
            GraphPattern::OrderBy { inner, expression } => GraphPattern::OrderBy {
                inner: self.boxed(*inner),
                expression: expression
                    .into_iter()
                    .map(|e| match e {
                        OrderExpression::Asc(e) => OrderExpression::Asc(self.expression(e)),
                        OrderExpression::Desc(e) => OrderExpression::Desc(self.expression(e)),
                    })
                    .collect(),
            },
            // Every use outside is replaced too, so a subquery need not hand the value up.
            GraphPattern::Project { inner, variables } => GraphPattern::Project {
                inner: self.boxed(*inner),
                variables: variables.into_iter().filter(|v| self.value(v).is_none()).collect(),
            },
            GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: self.boxed(*inner) },
            GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: self.boxed(*inner) },
            GraphPattern::Slice { inner, start, length } => {
                GraphPattern::Slice { inner: self.boxed(*inner), start, length }
            }
            GraphPattern::Group { inner, variables, aggregates } => self.group(*inner, variables, aggregates),
            GraphPattern::Service { name, inner, silent } => {
                GraphPattern::Service { name, inner: self.boxed(*inner), silent }
            }
        }
    }

    /// Grouping by a constant is not grouping by nothing: over no solutions it gives no group. So the constant gets a name.
    fn group(
        &self,
        inner: GraphPattern,
        variables: Vec<Variable>,
        aggregates: Vec<(Variable, AggregateExpression)>,
    ) -> GraphPattern {
        let mut inner = self.pattern(inner);
        let variables = variables
            .into_iter()
            .map(|variable| match self.value(&variable) {
                None => variable,
                Some(value) => {
                    let key = Variable::new_unchecked(format!("{}_prebound", variable.as_str()));
                    inner = GraphPattern::Extend {
                        inner: Box::new(std::mem::take(&mut inner)),
                        variable: key.clone(),
                        expression: constant(value),
                    };
                    key
                }
            })
            .collect();
        let aggregates = aggregates
            .into_iter()
            .map(|(variable, aggregate)| match aggregate {
                AggregateExpression::FunctionCall { name, expr, distinct } => {
                    (variable, AggregateExpression::FunctionCall { name, expr: self.expression(expr), distinct })
                }
                AggregateExpression::CountSolutions { distinct } => {
                    (variable, AggregateExpression::CountSolutions { distinct })
                }
            })
            .collect();
        GraphPattern::Group { inner: Box::new(inner), variables, aggregates }
    }

    fn basic(&self, patterns: Vec<TriplePattern>) -> GraphPattern {
        let mut triples = Vec::with_capacity(patterns.len());
        let mut paths = Vec::new();
        for pattern in patterns {
            let (subject, object) = (self.term(pattern.subject), self.term(pattern.object));
            match (&self.path, pattern.predicate) {
                (Some(path), NamedNodePattern::Variable(v)) if v.as_str() == PATH => {
                    paths.push(GraphPattern::Path { subject, path: path.clone(), object });
                }
                (_, predicate) => match self.predicate(predicate) {
                    Some(predicate) => triples.push(TriplePattern { subject, predicate, object }),
                    None => return nothing(),
                },
            }
        }
        if triples.is_empty()
            && let Some(first) = paths.pop()
        {
            return paths.into_iter().fold(first, join);
        }
        paths.into_iter().fold(GraphPattern::Bgp { patterns: triples }, join)
    }

    /// `None` if the value can be neither predicate nor graph name, so that nothing matches.
    fn predicate(&self, predicate: NamedNodePattern) -> Option<NamedNodePattern> {
        match predicate {
            NamedNodePattern::Variable(variable) => match self.value(&variable) {
                None => Some(variable.into()),
                Some(Term::NamedNode(iri)) => Some(iri.clone().into()),
                Some(Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_)) => None,
            },
            iri @ NamedNodePattern::NamedNode(_) => Some(iri),
        }
    }

    fn term(&self, pattern: TermPattern) -> TermPattern {
        match pattern {
            TermPattern::Variable(variable) => match self.value(&variable) {
                Some(value) => term_pattern(value),
                None => variable.into(),
            },
            TermPattern::Triple(triple) => {
                let TriplePattern { subject, predicate, object } = *triple;
                let predicate = self.predicate(predicate.clone()).unwrap_or(predicate);
                TriplePattern { subject: self.term(subject), predicate, object: self.term(object) }.into()
            }
            other => other,
        }
    }

    fn expression(&self, expression: Expression) -> Expression {
        let one = |e: Box<Expression>| Box::new(self.expression(*e));
        let list = |list: Vec<Expression>| list.into_iter().map(|e| self.expression(e)).collect();
        match expression {
            Expression::Variable(variable) => match self.value(&variable) {
                Some(value) => constant(value),
                None => variable.into(),
            },
            Expression::Bound(variable) => match self.value(&variable) {
                Some(_) => Literal::from(true).into(),
                None => Expression::Bound(variable),
            },
            Expression::Exists(pattern) => Expression::Exists(self.boxed(*pattern)),
            constant @ (Expression::NamedNode(_) | Expression::Literal(_)) => constant,
            Expression::Or(a, b) => Expression::Or(one(a), one(b)),
            Expression::And(a, b) => Expression::And(one(a), one(b)),
            Expression::Equal(a, b) => Expression::Equal(one(a), one(b)),
            Expression::SameTerm(a, b) => Expression::SameTerm(one(a), one(b)),
            Expression::Greater(a, b) => Expression::Greater(one(a), one(b)),
            Expression::GreaterOrEqual(a, b) => Expression::GreaterOrEqual(one(a), one(b)),
            Expression::Less(a, b) => Expression::Less(one(a), one(b)),
            Expression::LessOrEqual(a, b) => Expression::LessOrEqual(one(a), one(b)),
            Expression::Add(a, b) => Expression::Add(one(a), one(b)),
            Expression::Subtract(a, b) => Expression::Subtract(one(a), one(b)),
            Expression::Multiply(a, b) => Expression::Multiply(one(a), one(b)),
            Expression::Divide(a, b) => Expression::Divide(one(a), one(b)),
            Expression::UnaryPlus(a) => Expression::UnaryPlus(one(a)),
            Expression::UnaryMinus(a) => Expression::UnaryMinus(one(a)),
            Expression::Not(a) => Expression::Not(one(a)),
            Expression::In(a, among) => Expression::In(one(a), list(among)),
            Expression::If(a, b, c) => Expression::If(one(a), one(b), one(c)),
            Expression::Coalesce(among) => Expression::Coalesce(list(among)),
            Expression::FunctionCall(function, arguments) => Expression::FunctionCall(function, list(arguments)),
        }
    }
}

fn nothing() -> GraphPattern {
    GraphPattern::Values { variables: Vec::new(), bindings: Vec::new() }
}

fn join(left: GraphPattern, right: GraphPattern) -> GraphPattern {
    GraphPattern::Join { left: Box::new(left), right: Box::new(right) }
}

fn blank_node_iri(node: &BlankNode) -> NamedNode {
    NamedNode::new_unchecked(format!("{BLANK_NODE}{}", node.as_str()))
}

fn term_pattern(term: &Term) -> TermPattern {
    match term {
        Term::NamedNode(iri) => iri.clone().into(),
        Term::BlankNode(node) => blank_node_iri(node).into(),
        Term::Literal(literal) => literal.clone().into(),
        Term::Triple(triple) => TriplePattern {
            subject: term_pattern(&triple.subject.clone().into()),
            predicate: triple.predicate.clone().into(),
            object: term_pattern(&triple.object),
        }
        .into(),
    }
}

fn constant(term: &Term) -> Expression {
    match term {
        Term::NamedNode(iri) => iri.clone().into(),
        Term::Literal(literal) => literal.clone().into(),
        Term::BlankNode(node) => Expression::FunctionCall(
            Function::Custom(blank_node_function()),
            vec![Literal::new_simple_literal(node.as_str()).into()],
        ),
        Term::Triple(triple) => Expression::FunctionCall(
            Function::Triple,
            vec![constant(&triple.subject.clone().into()), triple.predicate.clone().into(), constant(&triple.object)],
        ),
    }
}
