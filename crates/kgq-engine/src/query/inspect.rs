//! What a query refers to: the terms that it names, and anything that would need the network.

use super::operands::operands;
use super::update::{OperationForm, Update};
use indexmap::IndexSet;
use kgq_syntax as syntax;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{NamedNode, Variable};
use rustc_hash::FxBuildHasher;
use spargebra::GraphUpdateOperation;
use spargebra::algebra::{
    AggregateExpression, Expression, Function, GraphPattern, OrderExpression, PropertyPathExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use std::collections::BTreeSet;

/// How a query uses an IRI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// As a predicate, or in a property path.
    Property,
    /// As the object of `rdf:type`.
    Class,
    /// As the name of a graph.
    Graph,
    /// As a subject or another object.
    Node,
    /// In an expression or in VALUES.
    Value,
    /// As the name of a function.
    Function,
}

/// An IRI in a query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedTerm {
    pub iri: NamedNode,
    pub position: Position,
}

/// Returns the IRIs that a query names, each once per position. Queries for other servers are left out.
pub fn used_terms(query: &spargebra::Query) -> Vec<UsedTerm> {
    let mut walk = Walk { skip_services: true, ..Walk::default() };
    walk.query(query);
    walk.into_terms()
}

/// Like [`used_terms`], without the IRIs that the query wants to be absent: in NOT EXISTS, MINUS, a negated condition,
/// or an OPTIONAL whose variable must stay unbound.
pub fn wanted_terms(query: &spargebra::Query) -> Vec<UsedTerm> {
    let mut whole = Walk { skip_services: true, ..Walk::default() };
    whole.query(query);
    let mut walk = Walk { skip_services: true, skip_unwanted: true, unbound: whole.unbound, ..Walk::default() };
    walk.query(query);
    walk.into_terms()
}

/// Returns all variables of a query, including those of sub-queries and expressions, sorted.
pub fn variables(query: &spargebra::Query) -> Vec<Variable> {
    let mut walk = Walk::default();
    walk.query(query);
    walk.variables.into_iter().collect()
}

/// Returns the variables that statements of the data bind, and nothing else does.
pub(super) fn stated_variables(query: &spargebra::Query) -> BTreeSet<Variable> {
    let mut walk = Walk { skip_services: true, ..Walk::default() };
    walk.query(query);
    &walk.stated - &walk.given
}

/// Returns the variables of an expression, including those of EXISTS, sorted.
pub(super) fn all_variables(expression: &Expression) -> Vec<Variable> {
    let mut walk = Walk::default();
    walk.expression(expression);
    walk.variables.into_iter().collect()
}

/// Returns the variables of an expression outside EXISTS, sorted.
pub(super) fn variables_outside_exists(expression: &Expression) -> Vec<Variable> {
    let mut walk = Walk { skip_exists: true, ..Walk::default() };
    walk.expression(expression);
    walk.variables.into_iter().collect()
}

/// Returns the patterns of EXISTS in an expression.
pub(super) fn expressions_patterns(expression: &Expression) -> Vec<&GraphPattern> {
    let mut found = Vec::new();
    let mut open = vec![expression];
    while let Some(expression) = open.pop() {
        if let Expression::Exists(pattern) = expression {
            found.push(&**pattern);
        }
        open.extend(operands(expression).rev());
    }
    found
}

/// A call of a function by its IRI, or a predicate, which some engines treat as a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub name: NamedNode,
    /// The number of arguments; `None` for a predicate.
    pub arguments: Option<usize>,
}

/// Returns the calls and predicates of a query, except those for other servers.
pub(super) fn calls(query: &spargebra::Query) -> BTreeSet<Call> {
    let mut walk = Walk { skip_services: true, ..Walk::default() };
    walk.query(query);
    walk.into_calls()
}

/// Does the same as [`calls`] for an update.
pub(super) fn calls_of_update(update: &Update) -> BTreeSet<Call> {
    let mut walk = Walk { skip_services: true, ..Walk::default() };
    for operation in &update.operations {
        if let OperationForm::Plain(spargebra::GraphUpdateOperation::DeleteInsert { pattern, .. }) = &operation.form {
            walk.pattern(pattern);
        }
    }
    walk.into_calls()
}

/// Refuses a query that would contact another server: nothing is sent, with or without `SILENT`.
pub fn refuse_network(source: Source<'_>, query: &spargebra::Query) -> Result<()> {
    let mut walk = Walk::default();
    walk.query(query);
    match walk.services.first() {
        Some(service) => Err(refused_service(source, service)),
        None => Ok(()),
    }
}

/// Whether a query contacts another server.
pub fn needs_network(query: &spargebra::Query) -> bool {
    let mut walk = Walk::default();
    walk.query(query);
    !walk.services.is_empty()
}

/// Whether the query always has the same answer over the same data: it uses no clock, no random values and no other server.
pub fn is_repeatable(query: &spargebra::Query) -> bool {
    let mut walk = Walk::default();
    walk.query(query);
    let asks = |function: &&Function| {
        matches!(function, Function::Now | Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode)
    };
    walk.services.is_empty() && !walk.functions.iter().any(asks)
}

fn refused_service(source: Source<'_>, service: &str) -> Error {
    let error = refused(source, "SERVICE", &format!("SERVICE {service}"));
    if service.starts_with("<http://wikiba.se/ontology#label") {
        return error.hint(
            "it is Wikidata's, for labels; SPARQL 1.1 has \
             `OPTIONAL { ?x rdfs:label ?xLabel FILTER(LANGMATCHES(LANG(?xLabel), \"en\")) }`",
        );
    }
    error
}

/// Refuses an update that would read from another server or a file.
pub fn refuse_network_in_update(source: Source<'_>, update: &Update) -> Result<()> {
    for operation in &update.operations {
        match &operation.form {
            OperationForm::Plain(GraphUpdateOperation::Load { source: iri, .. }) => {
                return Err(refused(source, "LOAD", &format!("LOAD {iri}"))
                    .hint("fetch the file yourself and name it with `-d FILE`"));
            }
            OperationForm::Plain(GraphUpdateOperation::DeleteInsert { pattern, .. }) => {
                let mut walk = Walk::default();
                walk.pattern(pattern);
                if let Some(service) = walk.services.first() {
                    return Err(refused_service(source, service));
                }
            }
            OperationForm::Plain(
                GraphUpdateOperation::InsertData { .. }
                | GraphUpdateOperation::DeleteData { .. }
                | GraphUpdateOperation::Clear { .. }
                | GraphUpdateOperation::Create { .. }
                | GraphUpdateOperation::Drop { .. },
            )
            | OperationForm::Transfer(_) => {}
        }
    }
    Ok(())
}

/// Calls `f` with each variable that a pattern mentions anywhere.
pub(crate) fn variables_of_pattern(pattern: &GraphPattern, f: &mut dyn FnMut(&Variable)) {
    let mut walk = Walk::default();
    walk.pattern(pattern);
    walk.variables.iter().for_each(f);
}

/// Calls `f` with each variable that an expression mentions anywhere.
pub(crate) fn variables_of_expression(expression: &Expression, f: &mut dyn FnMut(&Variable)) {
    let mut walk = Walk::default();
    walk.expression(expression);
    walk.variables.iter().for_each(f);
}

/// Calls `f` with each function that an expression calls.
pub(crate) fn functions_of_expression(expression: &Expression, f: &mut dyn FnMut(&Function)) {
    let mut walk = Walk::default();
    walk.expression(expression);
    walk.functions.into_iter().for_each(f);
}

fn refused(source: Source<'_>, keyword: &str, what: &str) -> Error {
    let error = Error::policy(format!("{what} is refused: kgq makes no network request"));
    let mut tokens = syntax::sparql::tokenize(source.text).into_iter();
    match tokens.find(|token| token.is_keyword(source.text, keyword)) {
        Some(token) => error.at(source.place(token.span())),
        None => error,
    }
}

#[derive(Default)]
struct Walk<'q> {
    /// As they are met: a list may have 100,000 of them, and most walks are for other things.
    terms: Vec<(&'q NamedNode, Position)>,
    variables: BTreeSet<Variable>,
    /// Those of triple patterns, paths and names of graphs.
    stated: BTreeSet<Variable>,
    /// Those of VALUES, BIND, aggregates and other servers.
    given: BTreeSet<Variable>,
    services: Vec<String>,
    functions: Vec<&'q Function>,
    calls: BTreeSet<Call>,
    skip_exists: bool,
    skip_services: bool,
    skip_unwanted: bool,
    /// Whether the current part is required to be absent.
    negated: bool,
    /// Variables that the query requires to be unbound.
    unbound: BTreeSet<Variable>,
}

impl<'q> Walk<'q> {
    fn into_terms(self) -> Vec<UsedTerm> {
        let each_once: IndexSet<_, FxBuildHasher> = self.terms.into_iter().collect();
        each_once.into_iter().map(|(iri, position)| UsedTerm { iri: iri.clone(), position }).collect()
    }

    fn into_calls(mut self) -> BTreeSet<Call> {
        let properties = self.terms.into_iter().filter(|(_, position)| *position == Position::Property);
        self.calls.extend(properties.map(|(iri, _)| Call { name: iri.clone(), arguments: None }));
        self.calls
    }

    fn query(&mut self, query: &'q spargebra::Query) {
        let (pattern, dataset) = match query {
            spargebra::Query::Construct { template, pattern, dataset, .. } => {
                for triple in template {
                    self.variables_of(triple);
                }
                (pattern, dataset)
            }
            spargebra::Query::Select { pattern, dataset, .. }
            | spargebra::Query::Describe { pattern, dataset, .. }
            | spargebra::Query::Ask { pattern, dataset, .. } => (pattern, dataset),
        };
        if let Some(dataset) = dataset {
            for graph in dataset.default.iter().chain(dataset.named.iter().flatten()) {
                self.term(graph, Position::Graph);
            }
        }
        self.pattern(pattern);
    }

    /// Walks over a part that removes a solution if it matches.
    fn unwanted(&mut self, walk: impl FnOnce(&mut Self)) {
        self.negated = !self.negated;
        walk(self);
        self.negated = !self.negated;
    }

    /// Whether a pattern contains a variable that must stay unbound.
    fn must_fail(&self, pattern: &GraphPattern) -> bool {
        let mut found = false;
        if !self.unbound.is_empty() {
            variables_of_pattern(pattern, &mut |variable| found |= self.unbound.contains(variable));
        }
        found
    }

    fn term(&mut self, iri: &'q NamedNode, position: Position) {
        if self.skip_unwanted && self.negated {
            return;
        }
        self.terms.push((iri, position));
    }

    fn variable(&mut self, variable: &Variable) {
        self.variables.insert(variable.clone());
    }

    fn stated(&mut self, variable: &Variable) {
        self.variable(variable);
        self.stated.insert(variable.clone());
    }

    fn given(&mut self, variable: &Variable) {
        self.variable(variable);
        self.given.insert(variable.clone());
    }

    /// Collects the variables of a CONSTRUCT template. Its terms need not be in the data.
    fn variables_of(&mut self, triple: &'q TriplePattern) {
        for term in [&triple.subject, &triple.object] {
            match term {
                TermPattern::Variable(v) => self.variable(v),
                TermPattern::Triple(t) => self.variables_of(t),
                TermPattern::NamedNode(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => {}
            }
        }
        if let NamedNodePattern::Variable(v) = &triple.predicate {
            self.variable(v);
        }
    }

    fn pattern(&mut self, pattern: &'q GraphPattern) {
        match pattern {
            GraphPattern::Bgp { patterns } => patterns.iter().for_each(|t| self.triple(t)),
            GraphPattern::Path { subject, path, object } => {
                self.term_pattern(subject, Position::Node);
                self.path(path);
                let class = ends_in_class(path);
                self.term_pattern(object, if class { Position::Class } else { Position::Node });
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Lateral { left, right }
            | GraphPattern::Union { left, right } => {
                self.pattern(left);
                self.pattern(right);
            }
            GraphPattern::Minus { left, right } => {
                self.pattern(left);
                self.unwanted(|walk| walk.pattern(right));
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.pattern(left);
                if self.must_fail(right) {
                    self.unwanted(|walk| walk.pattern(right));
                } else {
                    self.pattern(right);
                }
                if let Some(expression) = expression {
                    self.expression(expression);
                }
            }
            GraphPattern::Filter { expr, inner } => {
                self.pattern(inner);
                self.expression(expr);
            }
            GraphPattern::Graph { name, inner } => {
                self.node_pattern(name, Position::Graph);
                self.pattern(inner);
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.given(variable);
                self.pattern(inner);
                self.expression(expression);
            }
            GraphPattern::Values { variables, bindings } => {
                variables.iter().for_each(|v| self.given(v));
                for value in bindings.iter().flatten().flatten() {
                    if let spargebra::term::GroundTerm::NamedNode(node) = value {
                        self.term(node, Position::Value);
                    }
                }
            }
            GraphPattern::OrderBy { inner, expression } => {
                self.pattern(inner);
                for order in expression {
                    match order {
                        OrderExpression::Asc(e) | OrderExpression::Desc(e) => self.expression(e),
                    }
                }
            }
            GraphPattern::Project { inner, variables } => {
                variables.iter().for_each(|v| self.variable(v));
                self.pattern(inner);
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.pattern(inner);
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                variables.iter().for_each(|v| self.variable(v));
                for (variable, aggregate) in aggregates {
                    self.given(variable);
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                    }
                }
                self.pattern(inner);
            }
            GraphPattern::Service { name, inner, .. } => {
                self.services.push(name.to_string());
                match self.skip_services {
                    true => variables_of_pattern(inner, &mut |variable| {
                        self.given.insert(variable.clone());
                    }),
                    false => self.pattern(inner),
                }
            }
        }
    }

    fn triple(&mut self, triple: &'q TriplePattern) {
        let class = matches!(&triple.predicate, NamedNodePattern::NamedNode(p) if p.as_ref() == rdf::TYPE);
        self.term_pattern(&triple.subject, Position::Node);
        self.node_pattern(&triple.predicate, Position::Property);
        self.term_pattern(&triple.object, if class { Position::Class } else { Position::Node });
    }

    fn term_pattern(&mut self, pattern: &'q TermPattern, position: Position) {
        match pattern {
            TermPattern::NamedNode(node) => self.term(node, position),
            TermPattern::Variable(variable) => self.stated(variable),
            TermPattern::Triple(triple) => self.triple(triple),
            TermPattern::BlankNode(_) | TermPattern::Literal(_) => {}
        }
    }

    fn node_pattern(&mut self, pattern: &'q NamedNodePattern, position: Position) {
        match pattern {
            NamedNodePattern::NamedNode(node) => self.term(node, position),
            NamedNodePattern::Variable(variable) => self.stated(variable),
        }
    }

    fn path(&mut self, path: &'q PropertyPathExpression) {
        match path {
            PropertyPathExpression::NamedNode(node) => self.term(node, Position::Property),
            PropertyPathExpression::Reverse(p)
            | PropertyPathExpression::ZeroOrMore(p)
            | PropertyPathExpression::OneOrMore(p)
            | PropertyPathExpression::ZeroOrOne(p) => self.path(p),
            PropertyPathExpression::Sequence(a, b) | PropertyPathExpression::Alternative(a, b) => {
                self.path(a);
                self.path(b);
            }
            PropertyPathExpression::NegatedPropertySet(nodes) => {
                self.unwanted(|walk| nodes.iter().for_each(|n| walk.term(n, Position::Property)));
            }
        }
    }

    fn expression(&mut self, expression: &'q Expression) {
        match expression {
            Expression::NamedNode(node) => self.term(node, Position::Value),
            Expression::Variable(v) | Expression::Bound(v) => self.variable(v),
            Expression::Exists(pattern) if !self.skip_exists => self.pattern(pattern),
            Expression::Not(inner) => {
                if let Expression::Bound(variable) = &**inner {
                    self.unbound.insert(variable.clone());
                }
                return self.unwanted(|walk| walk.expression(inner));
            }
            Expression::FunctionCall(function, arguments) => {
                self.functions.push(function);
                if let Function::Custom(name) = function {
                    self.calls.insert(Call { name: name.clone(), arguments: Some(arguments.len()) });
                    self.term(name, Position::Function);
                }
                // The datatype given to STRDT need not be in the data.
                if let (Function::StrDt, [lexical, Expression::NamedNode(_)]) = (function, arguments.as_slice()) {
                    return self.expression(lexical);
                }
            }
            _ => {}
        }
        for operand in operands(expression) {
            self.expression(operand);
        }
    }
}

/// Whether a path ends in `rdf:type`, or goes on from there up the tree of classes, so that its object is a class.
fn ends_in_class(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::NamedNode(node) => node.as_ref() == rdf::TYPE,
        PropertyPathExpression::Sequence(first, last) => {
            ends_in_class(last) || (ends_in_class(first) && climbs_classes(last))
        }
        PropertyPathExpression::Alternative(one, other) => ends_in_class(one) && ends_in_class(other),
        _ => false,
    }
}

/// Whether a path leads from a class to classes above it, by any number of steps.
fn climbs_classes(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::NamedNode(node) => node.as_ref() == rdfs::SUB_CLASS_OF,
        PropertyPathExpression::Sequence(first, last) => climbs_classes(first) && climbs_classes(last),
        PropertyPathExpression::ZeroOrMore(path)
        | PropertyPathExpression::OneOrMore(path)
        | PropertyPathExpression::ZeroOrOne(path) => climbs_classes(path),
        _ => false,
    }
}
