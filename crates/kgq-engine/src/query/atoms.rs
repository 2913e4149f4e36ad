//! Takes a query apart into the conditions that its solutions must meet, and makes queries for some of them.
//!
//! This serves to explain why nothing meets all conditions, and to warn before a query runs.

use super::operands::operands;
use super::parse::Query;
use kgq_syntax::rdf::{Term, Variable};
use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// A position in a triple pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternTerm {
    Variable(Variable),
    Term(Term),
    /// A blank node, or a triple term that contains variables.
    Other,
}

/// The kind of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtomKind {
    Triple { subject: PatternTerm, predicate: PatternTerm, object: PatternTerm },
    Path { subject: PatternTerm, object: PatternTerm },
    Filter,
    Optional,
    Minus,
    Values,
    Union,
    SubSelect,
    Bind,
}

/// One condition.
#[derive(Clone, Debug)]
pub struct Atom {
    pub condition: AtomKind,
    /// The variables that it contains, sorted.
    pub variables: Vec<Variable>,
    /// The graph in which it is matched, if one is named.
    pub graph: Option<PatternTerm>,
    pub(super) piece: GroupElement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupElement {
    Pattern(GraphPattern),
    Filter(Expression),
    Optional(GraphPattern, Option<Expression>),
    Minus(GraphPattern),
    Bind(Variable, Expression),
}

/// The conditions of a query, in the order in which they apply.
#[derive(Clone, Debug)]
pub struct Atoms {
    pub atoms: Vec<Atom>,
    /// Whether HAVING drops groups.
    pub having: bool,
    pub limit: Option<usize>,
    pub offset: usize,
    /// Filters inside `GRAPH ?g` that use ?g where it has no value yet (SPARQL 1.1 §18.6 binds it to what the whole group
    /// finds), with ?g. Here they stand behind the group.
    pub too_early: Vec<(usize, Variable)>,
    /// The triples that CONSTRUCT makes.
    pub template: Vec<[PatternTerm; 3]>,
    pub(super) dataset: Option<spargebra::algebra::QueryDataset>,
}

/// Takes a query apart.
pub fn atoms(query: &Query) -> Atoms {
    let (pattern, dataset) = match &query.algebra {
        spargebra::Query::Select { pattern, dataset, .. }
        | spargebra::Query::Ask { pattern, dataset, .. }
        | spargebra::Query::Construct { pattern, dataset, .. }
        | spargebra::Query::Describe { pattern, dataset, .. } => (pattern, dataset.clone()),
    };
    let template = match &query.algebra {
        spargebra::Query::Construct { template, .. } => template.iter().map(made).collect(),
        spargebra::Query::Select { .. } | spargebra::Query::Ask { .. } | spargebra::Query::Describe { .. } => {
            Vec::new()
        }
    };
    let (atoms, too_early) = (Vec::new(), Vec::new());
    let mut out = Atoms { atoms, having: false, limit: None, offset: 0, too_early, template, dataset };
    let inner = out.unwrap_modifiers(pattern);
    out.flatten(inner, None);
    out
}

impl Atoms {
    fn unwrap_modifiers<'a>(&mut self, mut pattern: &'a GraphPattern) -> &'a GraphPattern {
        loop {
            pattern = match pattern {
                GraphPattern::Slice { inner, start, length } => {
                    (self.offset, self.limit) = (*start, *length);
                    inner
                }
                GraphPattern::Project { inner, .. }
                | GraphPattern::Distinct { inner }
                | GraphPattern::Reduced { inner }
                | GraphPattern::OrderBy { inner, .. } => inner,
                GraphPattern::Group { inner, .. } => return inner,
                GraphPattern::Filter { inner, .. } if is_grouped(inner) => {
                    self.having = true;
                    inner
                }
                GraphPattern::Extend { inner, .. } if is_grouped(inner) => inner,
                other => return other,
            }
        }
    }

    fn flatten(&mut self, pattern: &GraphPattern, graph: Option<&NamedNodePattern>) {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                for triple in patterns {
                    let condition = AtomKind::Triple {
                        subject: node(&triple.subject),
                        predicate: name(&triple.predicate),
                        object: node(&triple.object),
                    };
                    self.pattern(condition, GraphPattern::Bgp { patterns: vec![triple.clone()] }, graph);
                }
            }
            GraphPattern::Path { subject, object, .. } => {
                let condition = AtomKind::Path { subject: node(subject), object: node(object) };
                self.pattern(condition, pattern.clone(), graph);
            }
            GraphPattern::Join { left, right } => {
                self.flatten(left, graph);
                self.flatten(right, graph);
            }
            GraphPattern::Filter { expr, inner } => {
                self.flatten(inner, graph);
                let first = self.atoms.len();
                self.filters(expr);
                if let Some(NamedNodePattern::Variable(graph)) = graph
                    && !in_scope(inner).contains(graph)
                {
                    let early = (first..self.atoms.len()).filter(|at| self.atoms[*at].variables.contains(graph));
                    self.too_early.extend(early.map(|at| (at, graph.clone())));
                }
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.flatten(left, graph);
                let right = within(right, graph);
                let variables = in_scope(&right);
                self.push(AtomKind::Optional, variables, graph, GroupElement::Optional(right, expression.clone()));
            }
            GraphPattern::Minus { left, right } => {
                self.flatten(left, graph);
                let right = within(right, graph);
                let variables = in_scope(&right);
                self.push(AtomKind::Minus, variables, graph, GroupElement::Minus(right));
            }
            GraphPattern::Extend { inner, variable, expression } => {
                self.flatten(inner, graph);
                let variables = vec![variable.clone()];
                self.push(AtomKind::Bind, variables, graph, GroupElement::Bind(variable.clone(), expression.clone()));
            }
            GraphPattern::Graph { name, inner } => self.flatten(inner, Some(name)),
            GraphPattern::Values { .. } => self.pattern(AtomKind::Values, pattern.clone(), None),
            GraphPattern::Union { .. } => self.pattern(AtomKind::Union, pattern.clone(), graph),
            _ => self.pattern(AtomKind::SubSelect, pattern.clone(), graph),
        }
    }

    fn filters(&mut self, expression: &Expression) {
        if let Expression::And(a, b) = expression {
            self.filters(a);
            self.filters(b);
            return;
        }
        let mut variables = super::inspect::all_variables(expression);
        variables.sort();
        self.push(AtomKind::Filter, variables, None, GroupElement::Filter(expression.clone()));
    }

    fn pattern(&mut self, condition: AtomKind, pattern: GraphPattern, graph: Option<&NamedNodePattern>) {
        let pattern = within(&pattern, graph);
        let variables = in_scope(&pattern);
        self.push(condition, variables, graph, GroupElement::Pattern(pattern));
    }

    fn push(
        &mut self,
        condition: AtomKind,
        variables: Vec<Variable>,
        graph: Option<&NamedNodePattern>,
        piece: GroupElement,
    ) {
        self.atoms.push(Atom { condition, variables, graph: graph.map(name), piece });
    }

    /// Returns a query that asks whether these conditions can be met together.
    pub fn ask(&self, which: &[usize]) -> Query {
        let pattern = self.together(which);
        Query { algebra: spargebra::Query::Ask { dataset: self.dataset.clone(), pattern, base_iri: None } }
    }

    /// Returns a query for the solutions of these conditions together, at most `most`.
    pub fn select(&self, which: &[usize], most: usize) -> Query {
        let pattern = self.together(which);
        let variables = in_scope(&pattern);
        let inner = Box::new(GraphPattern::Project { inner: Box::new(pattern), variables });
        let pattern = GraphPattern::Slice { inner, start: 0, length: Some(most) };
        Query { algebra: spargebra::Query::Select { dataset: self.dataset.clone(), pattern, base_iri: None } }
    }

    pub(super) fn together(&self, which: &[usize]) -> GraphPattern {
        let mut all = GraphPattern::Bgp { patterns: Vec::new() };
        for atom in which.iter().filter_map(|i| self.atoms.get(*i)) {
            all = match &atom.piece {
                GroupElement::Pattern(pattern) => join(all, pattern.clone()),
                GroupElement::Filter(expr) => GraphPattern::Filter { expr: expr.clone(), inner: Box::new(all) },
                GroupElement::Optional(right, expression) => GraphPattern::LeftJoin {
                    left: Box::new(all),
                    right: Box::new(right.clone()),
                    expression: expression.clone(),
                },
                GroupElement::Minus(right) => {
                    GraphPattern::Minus { left: Box::new(all), right: Box::new(right.clone()) }
                }
                GroupElement::Bind(variable, expression) => GraphPattern::Extend {
                    inner: Box::new(all),
                    variable: variable.clone(),
                    expression: expression.clone(),
                },
            };
        }
        all
    }

    /// Whether a condition only removes solutions that others have made.
    pub fn only_restricts(&self, atom: usize) -> bool {
        matches!(self.atoms[atom].piece, GroupElement::Filter(_) | GroupElement::Minus(_))
    }
}

impl Atom {
    /// Returns the pairs of a variable and a term that this filter compares.
    pub fn comparisons(&self) -> Vec<(Variable, Term)> {
        let mut found = Vec::new();
        self.for_each_part(|part| match part {
            Expression::Equal(a, b)
            | Expression::SameTerm(a, b)
            | Expression::Less(a, b)
            | Expression::LessOrEqual(a, b)
            | Expression::Greater(a, b)
            | Expression::GreaterOrEqual(a, b) => found.extend(comparison(a, b).or_else(|| comparison(b, a))),
            Expression::In(a, list) => found.extend(list.iter().filter_map(|b| comparison(a, b))),
            _ => {}
        });
        found
    }

    /// Returns the pairs of a variable and a term that this filter compares by their order, as a condition of its own or one of
    /// several that all must hold: where such a comparison fails, the row is left out.
    pub fn orderings(&self) -> Vec<(Variable, Term)> {
        let GroupElement::Filter(condition) = &self.piece else { return Vec::new() };
        let (mut found, mut open): (Vec<(Variable, Term)>, Vec<&Expression>) = (Vec::new(), vec![condition]);
        while let Some(part) = open.pop() {
            match part {
                Expression::And(a, b) => open.extend([&**b, &**a]),
                Expression::Less(a, b)
                | Expression::LessOrEqual(a, b)
                | Expression::Greater(a, b)
                | Expression::GreaterOrEqual(a, b) => {
                    let compared = comparison(a, b).or_else(|| comparison(b, a));
                    found.extend(compared.filter(|compared| !found.contains(compared)));
                }
                _ => {}
            }
        }
        found
    }

    /// Returns the variables whose language this filter tests, as in `LANG(?v)`.
    pub fn languages_of(&self) -> Vec<Variable> {
        let mut found = Vec::new();
        self.for_each_part(|part| {
            if let Expression::FunctionCall(Function::Lang, of) = part
                && let [Expression::Variable(variable)] = of.as_slice()
                && !found.contains(variable)
            {
                found.push(variable.clone());
            }
        });
        found
    }

    /// Returns the terms that this filter or BIND contains.
    pub fn constants(&self) -> Vec<Term> {
        let mut found = Vec::new();
        self.for_each_part(|part| match part {
            Expression::NamedNode(iri) => found.push(iri.clone().into()),
            Expression::Literal(literal) => found.push(literal.clone().into()),
            _ => {}
        });
        found
    }

    /// Calls `see` with each part of the expression of a filter or BIND.
    fn for_each_part<'a>(&'a self, mut see: impl FnMut(&'a Expression)) {
        let mut open = match &self.piece {
            GroupElement::Filter(expression) | GroupElement::Bind(_, expression) => vec![expression],
            GroupElement::Pattern(_) | GroupElement::Optional(..) | GroupElement::Minus(_) => Vec::new(),
        };
        while let Some(part) = open.pop() {
            see(part);
            open.extend(operands(part).rev());
        }
    }
}

/// Returns the variable on one side and the term on the other.
fn comparison(a: &Expression, b: &Expression) -> Option<(Variable, Term)> {
    let Expression::Variable(variable) = a else { return None };
    match b {
        Expression::NamedNode(iri) => Some((variable.clone(), iri.clone().into())),
        Expression::Literal(literal) => Some((variable.clone(), literal.clone().into())),
        _ => None,
    }
}

pub(super) fn is_grouped(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Group { .. } => true,
        GraphPattern::Filter { inner, .. } | GraphPattern::Extend { inner, .. } => is_grouped(inner),
        _ => false,
    }
}

fn join(left: GraphPattern, right: GraphPattern) -> GraphPattern {
    match (left, right) {
        (GraphPattern::Bgp { mut patterns }, GraphPattern::Bgp { patterns: more }) => {
            patterns.extend(more);
            GraphPattern::Bgp { patterns }
        }
        (GraphPattern::Bgp { patterns }, right) if patterns.is_empty() => right,
        (left, right) => GraphPattern::Join { left: Box::new(left), right: Box::new(right) },
    }
}

fn within(pattern: &GraphPattern, graph: Option<&NamedNodePattern>) -> GraphPattern {
    match graph {
        Some(name) => GraphPattern::Graph { name: name.clone(), inner: Box::new(pattern.clone()) },
        None => pattern.clone(),
    }
}

/// Returns the variables that a pattern can bind, without duplicates, sorted.
pub(super) fn in_scope(pattern: &GraphPattern) -> Vec<Variable> {
    let mut variables = Vec::new();
    pattern.on_in_scope_variable(|v| variables.push(v.clone()));
    variables.sort();
    variables.dedup();
    variables
}

fn made(triple: &TriplePattern) -> [PatternTerm; 3] {
    [node(&triple.subject), name(&triple.predicate), node(&triple.object)]
}

fn node(pattern: &TermPattern) -> PatternTerm {
    match pattern {
        TermPattern::NamedNode(node) => PatternTerm::Term(node.clone().into()),
        TermPattern::Literal(literal) => PatternTerm::Term(literal.clone().into()),
        TermPattern::Variable(variable) => PatternTerm::Variable(variable.clone()),
        TermPattern::BlankNode(_) | TermPattern::Triple(_) => PatternTerm::Other,
    }
}

pub(super) fn name(pattern: &NamedNodePattern) -> PatternTerm {
    match pattern {
        NamedNodePattern::NamedNode(node) => PatternTerm::Term(node.clone().into()),
        NamedNodePattern::Variable(variable) => PatternTerm::Variable(variable.clone()),
    }
}
