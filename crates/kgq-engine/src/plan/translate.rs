//! Translates spargebra's algebra to the logical plan: variables get numbers by scope, paths become joins and unions.

use super::pattern::{filter, join, union};
use super::statistics::Statistics;
use super::{Aggregate, Aggregation, OrderKey, Repeat, ServiceCall, Var, Variables, equality, scope};
use crate::query::operands::operands;
use crate::query::prebind::resolved;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, NamedNode, Term, Triple, Variable};
use rustc_hash::FxHashMap;
use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression, PropertyPathExpression};
use spargebra::term::{GroundTerm, GroundTriple, NamedNodePattern, TermPattern, TriplePattern};
use std::sync::Arc;

type Pattern = super::Pattern<Term>;
type Condition = super::Condition<Term>;
type Graph = super::Graph<Term>;
type Slot = super::Slot<Term>;
type Path = super::Path<Term>;
type TripleAtom = super::TripleAtom<Term>;
type ClosureAtom = super::ClosureAtom<Term>;
type TripleTermAtom = super::TripleTermAtom<Term>;

/// What translation needs to know besides the query.
#[derive(Clone, Copy)]
pub struct Around<'t> {
    /// Which named graphs the dataset has.
    pub statistics: &'t dyn Statistics,
    /// Whether the query names the graphs of its dataset, so that the data may contain others.
    pub restricted: bool,
    /// Whether SERVICE clauses can be answered.
    pub answers_services: bool,
    pub budget: &'t Budget,
}

pub struct Translator<'t> {
    around: Around<'t>,
    pub variables: Variables,
    /// The graph that triple patterns are matched in at this point of the query.
    graph: Graph,
    /// The variables in scope at this point.
    scope: FxHashMap<Variable, Var>,
    blank_nodes: FxHashMap<BlankNode, Var>,
}

impl<'t> Translator<'t> {
    /// `default` is the graph of triple patterns outside GRAPH.
    pub fn new(around: Around<'t>, default: Graph) -> Self {
        Self {
            around,
            variables: Variables::default(),
            graph: default,
            scope: FxHashMap::default(),
            blank_nodes: FxHashMap::default(),
        }
    }

    pub fn var(&mut self, variable: &Variable) -> Var {
        if let Some(var) = self.scope.get(variable) {
            return *var;
        }
        let var = self.variables.fresh(variable.as_str());
        self.scope.insert(variable.clone(), var);
        var
    }

    /// Translates the pattern of a query.
    ///
    /// # Errors
    /// Features that this executor lacks, by name; the budget's limits.
    pub fn pattern(&mut self, pattern: &GraphPattern) -> Result<Pattern> {
        self.around.budget.check()?;
        Ok(match pattern {
            GraphPattern::Bgp { patterns } => self.basic(patterns),
            GraphPattern::Path { subject, path, object } => {
                let mut atoms = Vec::new();
                let (subject, object) = (self.slot(subject, &mut atoms), self.slot(object, &mut atoms));
                let path = self.path(subject, path, object);
                join(std::iter::once(path).chain(atoms))
            }
            GraphPattern::Join { .. } => {
                let mut operands = Vec::new();
                for operand in left_spine(pattern, |p| match p {
                    GraphPattern::Join { left, right } => Some((left, right)),
                    _ => None,
                }) {
                    operands.push(self.pattern(operand)?);
                }
                join(operands)
            }
            GraphPattern::Union { .. } => {
                let mut branches = Vec::new();
                for branch in left_spine(pattern, |p| match p {
                    GraphPattern::Union { left, right } => Some((left, right)),
                    _ => None,
                }) {
                    match self.pattern(branch)? {
                        Pattern::Empty => (),
                        Pattern::Union(more) => branches.extend(more),
                        branch => branches.push(branch),
                    }
                }
                union(branches)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                let (left, right) = (self.pattern(left)?, self.pattern(right)?);
                let conditions = match expression {
                    Some(expression) => self.conditions(expression)?,
                    None => Vec::new(),
                };
                let (left, right, conditions) = equality::equated_sides(left, right, conditions, &mut self.variables);
                Pattern::LeftJoin { left: Box::new(left), right: Box::new(right), conditions }
            }
            GraphPattern::Minus { left, right } => {
                Pattern::Minus { left: Box::new(self.pattern(left)?), right: Box::new(self.pattern(right)?) }
            }
            GraphPattern::Filter { expr, inner } => {
                let inner = self.pattern(inner)?;
                let conditions = self.conditions(expr)?;
                equality::equated(inner, conditions, &mut self.variables)
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let inner = self.pattern(inner)?;
                let var = self.var(variable);
                Pattern::Extend { inner: Box::new(inner), var, scalar: self.scalar(expression)? }
            }
            GraphPattern::Values { variables, bindings } => {
                let vars = variables.iter().map(|v| self.var(v)).collect();
                let rows = bindings
                    .iter()
                    .map(|row| row.iter().map(|term| term.as_ref().map(|term| resolved(ground_term(term)))).collect())
                    .collect();
                self.in_graph(Pattern::Values { vars, rows, distinct: false })
            }
            GraphPattern::Graph { name, inner } => {
                let pattern = self.in_named_graph(name, inner)?;
                // A GRAPH inside `GRAPH ?g` uses its own graph, and ?g still ranges over all named graphs.
                self.in_graph(pattern)
            }
            GraphPattern::Group { inner, variables, aggregates } => self.group(inner, variables, aggregates)?,
            GraphPattern::Project { inner, variables } => {
                let vars: Vec<_> = variables.iter().map(|v| self.var(v)).collect();
                let inside = variables.iter().cloned().zip(vars.iter().copied()).collect();
                let outside = std::mem::replace(&mut self.scope, inside);
                let inner = self.pattern(inner);
                self.scope = outside;
                Pattern::Project { inner: Box::new(inner?), vars }
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                Pattern::Distinct { inner: Box::new(self.pattern(inner)?) }
            }
            GraphPattern::OrderBy { inner, expression } => {
                let mut inner = self.pattern(inner)?;
                let mut keys = Vec::new();
                for key in expression {
                    let (expression, descending) = match key {
                        OrderExpression::Asc(expression) => (expression, false),
                        OrderExpression::Desc(expression) => (expression, true),
                    };
                    let (bound, var) = self.bound_to_variable(inner, expression, "#order")?;
                    inner = bound;
                    keys.push(OrderKey { var, descending });
                }
                Pattern::Order { inner: Box::new(inner), keys }
            }
            GraphPattern::Slice { inner, start, length } => Pattern::Slice {
                inner: Box::new(self.pattern(inner)?),
                start: *start as u64,
                length: length.map(|length| length as u64),
            },
            GraphPattern::Service { name, inner, silent } => {
                let service = self.service(name, inner, *silent)?;
                self.in_graph(service)
            }
            GraphPattern::Lateral { .. } => {
                return Err(not_ours("LATERAL, which is no part of SPARQL 1.1"));
            }
        })
    }

    /// # Errors
    /// SERVICE clauses are not answered here, or the endpoint is a variable.
    fn service(&mut self, name: &NamedNodePattern, inner: &GraphPattern, silent: bool) -> Result<Pattern> {
        if !self.around.answers_services {
            let error = Error::policy("SERVICE is refused: kgq makes no network request");
            return Err(error.hint("load the data into the project instead"));
        }
        let NamedNodePattern::NamedNode(endpoint) = name else {
            return Err(not_ours(&format!("SERVICE {name}, whose endpoint is a variable")));
        };
        let mut variables = Vec::new();
        inner.on_in_scope_variable(|variable| {
            if !variables.contains(variable) {
                variables.push(variable.clone());
            }
        });
        let pattern = GraphPattern::Project { inner: Box::new(inner.clone()), variables: variables.clone() };
        Ok(Pattern::Service(Arc::new(ServiceCall {
            endpoint: endpoint.clone(),
            query: Query::Select { dataset: None, pattern, base_iri: None },
            vars: variables.into_iter().map(|variable| (variable.clone(), self.var(&variable))).collect(),
            silent,
        })))
    }

    fn group(
        &mut self,
        inner: &GraphPattern,
        keys: &[Variable],
        aggregates: &[(Variable, AggregateExpression)],
    ) -> Result<Pattern> {
        let mut inner = self.pattern(inner)?;
        let keys = keys.iter().map(|v| self.var(v)).collect();
        let visible = scope::possible(&inner);
        let all: Vec<_> = visible.iter().filter(|var| self.variables.is_named(*var)).collect();
        let mut translated = Vec::new();
        for (result, aggregate) in aggregates {
            let result = self.var(result);
            let aggregation = Aggregation::of(aggregate).map_err(|name| not_ours(&format!("the aggregate {name}")))?;
            let mut argument = None;
            if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                let (bound, var) = self.bound_to_variable(inner, expr, "#argument")?;
                inner = bound;
                argument = Some(var);
            }
            translated.push(Aggregate { result, aggregation, argument, all: all.clone() });
        }
        Ok(Pattern::Group { inner: Box::new(inner), keys, aggregates: translated })
    }

    /// Returns the pattern with a variable that holds the expression's value.
    fn bound_to_variable(&mut self, inner: Pattern, expression: &Expression, name: &str) -> Result<(Pattern, Var)> {
        if let Expression::Variable(variable) = expression {
            return Ok((inner, self.var(variable)));
        }
        let scalar = self.scalar(expression)?;
        let var = self.variables.fresh(name);
        Ok((Pattern::Extend { inner: Box::new(inner), var, scalar }, var))
    }

    fn basic(&mut self, triples: &[TriplePattern]) -> Pattern {
        let mut atoms = Vec::new();
        for triple in triples {
            let subject = self.slot(&triple.subject, &mut atoms);
            let predicate = match &triple.predicate {
                NamedNodePattern::NamedNode(node) => Slot::Term(constant(node)),
                NamedNodePattern::Variable(variable) => Slot::Var(self.var(variable)),
            };
            let object = self.slot(&triple.object, &mut atoms);
            atoms.push(self.triple([subject, predicate, object]));
        }
        if atoms.is_empty() {
            return self.in_graph(Pattern::Unit);
        }
        join(atoms)
    }

    fn triple(&self, slots: [Slot; 3]) -> Pattern {
        Pattern::Triple(TripleAtom { slots, graph: self.graph.clone() })
    }

    /// Inside `GRAPH ?g` every pattern binds the graph, even one that reads no graph.
    fn in_graph(&self, pattern: Pattern) -> Pattern {
        match self.graph {
            Graph::Each(graph) => join([self.graph_names(graph), pattern]),
            Graph::Default | Graph::Named(_) | Graph::Merge(_) | Graph::Union => pattern,
        }
    }

    fn graph_names(&self, graph: Var) -> Pattern {
        let names = self.around.statistics.named_graphs();
        let rows = names.into_iter().map(|name| vec![Some(name)]).collect();
        Pattern::Values { vars: vec![graph], rows, distinct: false }
    }

    /// Returns the slot of a term pattern. For a triple term, the pattern that takes it apart is added to `atoms`.
    fn slot(&mut self, term: &TermPattern, atoms: &mut Vec<Pattern>) -> Slot {
        match term {
            TermPattern::NamedNode(node) => Slot::Term(constant(node)),
            TermPattern::Literal(literal) => Slot::Term(literal.clone().into()),
            TermPattern::Variable(variable) => Slot::Var(self.var(variable)),
            TermPattern::BlankNode(node) => {
                let variables = &mut self.variables;
                Slot::Var(*self.blank_nodes.entry(node.clone()).or_insert_with(|| variables.fresh(":")))
            }
            TermPattern::Triple(triple) => {
                if let Some(triple) = ground_triple(triple) {
                    return Slot::Term(resolved(triple.into()));
                }
                let subject = self.slot(&triple.subject, atoms);
                let predicate = match &triple.predicate {
                    NamedNodePattern::NamedNode(node) => Slot::Term(constant(node)),
                    NamedNodePattern::Variable(variable) => Slot::Var(self.var(variable)),
                };
                let object = self.slot(&triple.object, atoms);
                let var = self.variables.fresh("<<>>");
                atoms.push(Pattern::TripleTerm(TripleTermAtom { triple: var, slots: [subject, predicate, object] }));
                Slot::Var(var)
            }
        }
    }

    /// Translates a property path to a pattern (SPARQL 1.1 §18.4).
    fn path(&mut self, subject: Slot, path: &PropertyPathExpression, object: Slot) -> Pattern {
        let closure = |subject, repeat, path, object, graph| {
            Pattern::Closure(ClosureAtom { subject, repeat, path: Arc::new(closure_path(path)), object, graph })
        };
        match path {
            PropertyPathExpression::NamedNode(node) => {
                let predicate = constant(node);
                self.triple([subject, Slot::Term(predicate), object])
            }
            PropertyPathExpression::Reverse(path) => self.path(object, path, subject),
            PropertyPathExpression::Sequence(first, second) => {
                let middle = self.variables.fresh("/");
                let first = self.path(subject, first, Slot::Var(middle));
                join([first, self.path(Slot::Var(middle), second, object)])
            }
            PropertyPathExpression::Alternative(first, second) => {
                let first = self.path(subject.clone(), first, object.clone());
                union(vec![first, self.path(subject, second, object)])
            }
            PropertyPathExpression::ZeroOrMore(path) => {
                closure(subject, Repeat::ZeroOrMore, path, object, self.graph.clone())
            }
            PropertyPathExpression::OneOrMore(path) => {
                closure(subject, Repeat::OneOrMore, path, object, self.graph.clone())
            }
            PropertyPathExpression::ZeroOrOne(path) => {
                closure(subject, Repeat::ZeroOrOne, path, object, self.graph.clone())
            }
            PropertyPathExpression::NegatedPropertySet(nodes) => {
                let predicate = self.variables.fresh("!");
                let terms = nodes.iter().map(constant).collect();
                let triple = self.triple([subject, Slot::Var(predicate), object]);
                filter(triple, vec![Condition::NotAmong(predicate, terms)])
            }
        }
    }

    fn in_named_graph(&mut self, name: &NamedNodePattern, inner: &GraphPattern) -> Result<Pattern> {
        match name {
            NamedNodePattern::NamedNode(node) => {
                let graph = constant(node);
                if !self.around.statistics.is_named_graph(&graph) {
                    return Ok(Pattern::Empty);
                }
                self.with_graph(Graph::Named(graph), |t| t.pattern(inner))
            }
            NamedNodePattern::Variable(variable) => {
                let graph = self.var(variable);
                if !needs_one_graph_at_a_time(inner) {
                    let pattern = self.for_each_graph(variable, graph, Graph::Each(graph), inner, Pattern::Unit)?;
                    return Ok(if self.around.restricted { join([self.graph_names(graph), pattern]) } else { pattern });
                }
                let mut branches = Vec::new();
                for name in self.around.statistics.named_graphs() {
                    self.around.budget.check()?;
                    let rows = vec![vec![Some(name.clone())]].into();
                    let bound = Pattern::Values { vars: vec![graph], rows, distinct: false };
                    branches.push(self.for_each_graph(variable, graph, Graph::Named(name), inner, bound)?);
                }
                Ok(union(branches))
            }
        }
    }

    /// Translates the pattern inside `GRAPH ?variable`. The pattern does not see the variable's value, which is joined
    /// afterwards (SPARQL 1.1 §18.6, evaluation of Graph). `name` binds the graph, unless what `from` selects does.
    fn for_each_graph(
        &mut self,
        variable: &Variable,
        graph: Var,
        from: Graph,
        inner: &GraphPattern,
        name: Pattern,
    ) -> Result<Pattern> {
        let inside = self.variables.fresh(variable.as_str());
        self.scope.insert(variable.clone(), inside);
        let pattern = self.with_graph(from, |t| t.pattern(inner));
        self.scope.insert(variable.clone(), graph);
        let pattern = join([name, pattern?]);
        Ok(if scope::possible(&pattern).contains(inside) {
            filter(pattern, vec![Condition::Same(graph, inside)])
        } else {
            pattern
        })
    }

    fn with_graph<T>(&mut self, graph: Graph, run: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.graph, graph);
        let result = run(self);
        self.graph = outer;
        result
    }
}

/// A term of the query.
fn constant(node: &NamedNode) -> Term {
    resolved(node.clone().into())
}

/// The path with nothing of it written as a join or a union.
pub fn closure_path(path: &PropertyPathExpression) -> Path {
    match path {
        PropertyPathExpression::NamedNode(node) => Path::Predicate(constant(node)),
        PropertyPathExpression::Reverse(path) => Path::Reverse(Box::new(closure_path(path))),
        PropertyPathExpression::Sequence(first, second) => {
            Path::Sequence(vec![closure_path(first), closure_path(second)])
        }
        PropertyPathExpression::Alternative(first, second) => {
            Path::Alternative(vec![closure_path(first), closure_path(second)])
        }
        PropertyPathExpression::ZeroOrMore(path) => Path::Closure(Repeat::ZeroOrMore, Box::new(closure_path(path))),
        PropertyPathExpression::OneOrMore(path) => Path::Closure(Repeat::OneOrMore, Box::new(closure_path(path))),
        PropertyPathExpression::ZeroOrOne(path) => Path::Closure(Repeat::ZeroOrOne, Box::new(closure_path(path))),
        PropertyPathExpression::NegatedPropertySet(nodes) => Path::Not(nodes.iter().map(constant).collect()),
    }
}

/// An error that names a feature which this executor lacks.
fn not_ours(what: &str) -> Error {
    Error::input(format!("{what} is not answered")).hint("`--engine oxigraph` asks Oxigraph's evaluator")
}

/// Whether the pattern's solutions in one graph depend on all of its solutions there, or hide the graph.
fn needs_one_graph_at_a_time(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Service { .. } => false,
        GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
            needs_one_graph_at_a_time(left) || needs_one_graph_at_a_time(right)
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            needs_one_graph_at_a_time(left)
                || needs_one_graph_at_a_time(right)
                || expression.as_ref().is_some_and(asks_one_graph_at_a_time)
        }
        GraphPattern::Filter { inner, expr: expression } | GraphPattern::Extend { inner, expression, .. } => {
            needs_one_graph_at_a_time(inner) || asks_one_graph_at_a_time(expression)
        }
        GraphPattern::Graph { inner, .. } => needs_one_graph_at_a_time(inner),
        GraphPattern::Minus { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::OrderBy { .. }
        | GraphPattern::Project { .. }
        | GraphPattern::Distinct { .. }
        | GraphPattern::Reduced { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Group { .. } => true,
    }
}

/// Whether this holds for the pattern of an EXISTS in the expression.
fn asks_one_graph_at_a_time(expression: &Expression) -> bool {
    let mut open = vec![expression];
    while let Some(expression) = open.pop() {
        if let Expression::Exists(pattern) = expression
            && needs_one_graph_at_a_time(pattern)
        {
            return true;
        }
        open.extend(operands(expression));
    }
    false
}

/// Returns the operands of a chain that nests to the left, in order. It loops, because such a chain can be thousands long.
pub(super) fn left_spine<'a, T>(top: &'a T, split: impl Fn(&'a T) -> Option<(&'a T, &'a T)>) -> Vec<&'a T> {
    let mut operands = Vec::new();
    let mut rest = top;
    while let Some((left, right)) = split(rest) {
        operands.push(right);
        rest = left;
    }
    operands.push(rest);
    operands.reverse();
    operands
}

fn ground_triple(triple: &TriplePattern) -> Option<Triple> {
    let NamedNodePattern::NamedNode(predicate) = &triple.predicate else { return None };
    let subject = match &triple.subject {
        TermPattern::NamedNode(node) => node.clone(),
        TermPattern::BlankNode(_) | TermPattern::Literal(_) | TermPattern::Variable(_) | TermPattern::Triple(_) => {
            return None;
        }
    };
    let object: Term = match &triple.object {
        TermPattern::NamedNode(node) => node.clone().into(),
        TermPattern::Literal(literal) => literal.clone().into(),
        TermPattern::Triple(triple) => ground_triple(triple)?.into(),
        TermPattern::BlankNode(_) | TermPattern::Variable(_) => return None,
    };
    Some(Triple::new(subject, predicate.clone(), object))
}

fn ground_term(term: &GroundTerm) -> Term {
    match term {
        GroundTerm::NamedNode(node) => node.clone().into(),
        GroundTerm::Literal(literal) => literal.clone().into(),
        GroundTerm::Triple(triple) => {
            let GroundTriple { subject, predicate, object } = triple.as_ref();
            Triple::new(subject.clone(), predicate.clone(), ground_term(object)).into()
        }
    }
}
