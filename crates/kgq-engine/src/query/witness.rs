//! Which statements made a row: the query rewritten so that its solutions tell, for each row, the triples and paths that
//! matched, and by which branch.
//!
//! Projections are undone (what they hide is renamed), groups are opened to their members, and each UNION branch and each
//! OPTIONAL gets a variable of its own that is bound where it matched.

use super::operands::operands_mut;
use super::parse::Query;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple, Variable};
use rustc_hash::{FxHashMap, FxHashSet};
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// A query whose solutions are the matches behind the rows of another.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Selects every variable of the opened pattern.
    pub query: Query,
    patterns: Vec<Pattern>,
    /// Variables that only bring the rows into order: their patterns support no value of a row.
    only_order: FxHashSet<Variable>,
    /// Whether the query aggregates, so that a row has as many matches as its group has members.
    pub grouped: bool,
    /// The variables of the original's rows that the opened pattern binds to the same values.
    pub shared: FxHashSet<Variable>,
}

/// A pattern that can have matched, if all its marks are bound.
#[derive(Clone, Debug)]
struct Pattern {
    marks: Vec<Variable>,
    kind: TripleOrPath,
}

#[derive(Clone, Debug)]
enum TripleOrPath {
    Triple(TriplePattern),
    Path(TermPattern, PropertyPathExpression, TermPattern),
}

/// Something that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Triple(Triple),
    /// A way from one node to another along a path.
    Path(Term, PathExpression, Term),
}

/// A property path (SPARQL 1.1 §18.1.7), for those who may not name spargebra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathExpression {
    Property(NamedNode),
    Reverse(Box<Self>),
    Sequence(Box<Self>, Box<Self>),
    Alternative(Box<Self>, Box<Self>),
    ZeroOrMore(Box<Self>),
    OneOrMore(Box<Self>),
    ZeroOrOne(Box<Self>),
    NotIn(Vec<NamedNode>),
}

/// Opens a query. For CONSTRUCT and DESCRIBE, the matches of its pattern.
pub fn witness(query: &Query) -> Witness {
    let (pattern, dataset, base_iri) = match &query.algebra {
        spargebra::Query::Select { pattern, dataset, base_iri }
        | spargebra::Query::Ask { pattern, dataset, base_iri }
        | spargebra::Query::Describe { pattern, dataset, base_iri }
        | spargebra::Query::Construct { pattern, dataset, base_iri, .. } => {
            (pattern.clone(), dataset.clone(), base_iri.clone())
        }
    };
    let mut open = Open::default();
    let ordering = only_ordering(&pattern);
    let opened = open.pattern(pattern, &[], true);
    let used_once = |v: &Variable| open.patterns.iter().filter(|pattern| pattern.names(v)).count() == 1;
    let only_order = ordering.into_iter().filter(used_once).collect();
    let mut shared = FxHashSet::default();
    opened.on_in_scope_variable(|v| {
        shared.insert(v.clone());
    });
    let mut variables: Vec<Variable> = shared.iter().cloned().collect();
    variables.sort();
    shared.retain(|v| !open.computed.contains(v));
    let pattern = GraphPattern::Project { inner: Box::new(opened), variables };
    Witness {
        query: Query { algebra: spargebra::Query::Select { pattern, dataset, base_iri } },
        patterns: open.patterns,
        only_order,
        grouped: open.grouped,
        shared,
    }
}

impl Pattern {
    fn names(&self, variable: &Variable) -> bool {
        let is = |term: &TermPattern| matches!(term, TermPattern::Variable(v) if v == variable);
        match &self.kind {
            TripleOrPath::Triple(triple) => triple_names(triple, variable),
            TripleOrPath::Path(subject, _, object) => is(subject) || is(object),
        }
    }
}

fn triple_names(triple: &TriplePattern, variable: &Variable) -> bool {
    let is = |term: &TermPattern| match term {
        TermPattern::Variable(v) => v == variable,
        TermPattern::Triple(inner) => triple_names(inner, variable),
        TermPattern::NamedNode(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => false,
    };
    is(&triple.subject)
        || is(&triple.object)
        || matches!(&triple.predicate, NamedNodePattern::Variable(v) if v == variable)
}

/// The variables of a query's ORDER BY that no column shows and that nothing but triple patterns and paths names.
fn only_ordering(query: &GraphPattern) -> Vec<Variable> {
    let (mut pattern, mut shown) = (query, None);
    loop {
        match pattern {
            GraphPattern::Slice { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                pattern = inner;
            }
            GraphPattern::Project { inner, variables } if shown.is_none() => {
                shown = Some(variables);
                pattern = inner;
            }
            GraphPattern::OrderBy { inner, expression } => {
                let Some(shown) = shown else { return Vec::new() };
                let mut found = Vec::new();
                for order in expression {
                    let (OrderExpression::Asc(key) | OrderExpression::Desc(key)) = order;
                    super::inspect::variables_of_expression(key, &mut |v| found.push(v.clone()));
                }
                let mut rest = (**inner).clone();
                empty_leaves(&mut rest);
                let mut elsewhere = FxHashSet::default();
                super::inspect::variables_of_pattern(&rest, &mut |v| {
                    elsewhere.insert(v.clone());
                });
                found.retain(|v| !shown.contains(v) && !elsewhere.contains(v));
                return found;
            }
            _ => return Vec::new(),
        }
    }
}

/// Takes triple patterns and paths out of a pattern: what is left are the conditions on their variables.
fn empty_leaves(pattern: &mut GraphPattern) {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.clear(),
        GraphPattern::Path { .. } => *pattern = GraphPattern::Bgp { patterns: Vec::new() },
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::LeftJoin { left, right, .. }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            empty_leaves(left);
            empty_leaves(right);
        }
        GraphPattern::Filter { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Service { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Group { inner, .. } => empty_leaves(inner),
        GraphPattern::Values { .. } => {}
    }
}

impl Witness {
    /// What matched in a solution, given the value of each variable.
    pub fn matches(&self, value: &dyn Fn(&Variable) -> Option<Term>) -> Vec<Match> {
        let mut found = Vec::new();
        for pattern in &self.patterns {
            let orders = self.only_order.iter().any(|variable| pattern.names(variable));
            if orders || !pattern.marks.iter().all(|mark| value(mark).is_some()) {
                continue;
            }
            let matched = match &pattern.kind {
                TripleOrPath::Triple(triple) => instantiate(triple, value).map(Match::Triple),
                TripleOrPath::Path(subject, path, object) => {
                    term(subject, value).zip(term(object, value)).map(|(s, o)| Match::Path(s, path_expression(path), o))
                }
            };
            found.extend(matched.filter(|m| !found.contains(m)).into_iter().collect::<Vec<_>>());
        }
        found
    }
}

fn instantiate(pattern: &TriplePattern, value: &dyn Fn(&Variable) -> Option<Term>) -> Option<Triple> {
    let subject: NamedOrBlankNode = match term(&pattern.subject, value)? {
        Term::NamedNode(node) => node.into(),
        Term::BlankNode(node) => node.into(),
        Term::Literal(_) | Term::Triple(_) => return None,
    };
    let predicate = match &pattern.predicate {
        NamedNodePattern::NamedNode(node) => node.clone(),
        NamedNodePattern::Variable(variable) => match value(variable)? {
            Term::NamedNode(node) => node,
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => return None,
        },
    };
    Some(Triple { subject, predicate, object: term(&pattern.object, value)? })
}

fn term(pattern: &TermPattern, value: &dyn Fn(&Variable) -> Option<Term>) -> Option<Term> {
    Some(match pattern {
        TermPattern::NamedNode(node) => node.clone().into(),
        TermPattern::Literal(literal) => literal.clone().into(),
        TermPattern::BlankNode(node) => node.clone().into(),
        TermPattern::Triple(triple) => instantiate(triple, value)?.into(),
        TermPattern::Variable(variable) => value(variable)?,
    })
}

fn path_expression(path: &PropertyPathExpression) -> PathExpression {
    let sub = |p: &PropertyPathExpression| Box::new(path_expression(p));
    match path {
        PropertyPathExpression::NamedNode(node) => PathExpression::Property(node.clone()),
        PropertyPathExpression::Reverse(p) => PathExpression::Reverse(sub(p)),
        PropertyPathExpression::Sequence(a, b) => PathExpression::Sequence(sub(a), sub(b)),
        PropertyPathExpression::Alternative(a, b) => PathExpression::Alternative(sub(a), sub(b)),
        PropertyPathExpression::ZeroOrMore(p) => PathExpression::ZeroOrMore(sub(p)),
        PropertyPathExpression::OneOrMore(p) => PathExpression::OneOrMore(sub(p)),
        PropertyPathExpression::ZeroOrOne(p) => PathExpression::ZeroOrOne(sub(p)),
        PropertyPathExpression::NegatedPropertySet(nodes) => PathExpression::NotIn(nodes.clone()),
    }
}

#[derive(Default)]
struct Open {
    patterns: Vec<Pattern>,
    fresh: usize,
    grouped: bool,
    /// Outputs of aggregates, and what is computed from them: the opened pattern does not bind these.
    aggregated: FxHashSet<Variable>,
    /// Values that need not come out the same a second time, such as those of RAND.
    computed: FxHashSet<Variable>,
    /// Names given to blank nodes of patterns, and to variables that a projection hides.
    blanks: FxHashMap<String, Variable>,
}

impl Open {
    fn fresh(&mut self, kind: &str) -> Variable {
        self.fresh += 1;
        // No query text can hold this name: a variable cannot start with a hyphen.
        Variable::new_unchecked(format!("-{kind}{}", self.fresh))
    }

    fn marked(&mut self, pattern: GraphPattern, marks: &[Variable], outermost: bool) -> GraphPattern {
        let mark = self.fresh("mark");
        let mut marks = marks.to_vec();
        marks.push(mark.clone());
        let inner = Box::new(self.pattern(pattern, &marks, outermost));
        GraphPattern::Extend { inner, variable: mark, expression: Literal::from(true).into() }
    }

    fn pattern(&mut self, pattern: GraphPattern, marks: &[Variable], outermost: bool) -> GraphPattern {
        match pattern {
            GraphPattern::Bgp { mut patterns } => {
                for triple in &mut patterns {
                    self.name_blanks(triple);
                    self.patterns.push(Pattern { marks: marks.to_vec(), kind: TripleOrPath::Triple(triple.clone()) });
                }
                GraphPattern::Bgp { patterns }
            }
            GraphPattern::Path { mut subject, path, mut object } => {
                self.name_blank(&mut subject);
                self.name_blank(&mut object);
                let kind = TripleOrPath::Path(subject.clone(), path.clone(), object.clone());
                self.patterns.push(Pattern { marks: marks.to_vec(), kind });
                GraphPattern::Path { subject, path, object }
            }
            GraphPattern::Join { left, right } => GraphPattern::Join {
                left: Box::new(self.pattern(*left, marks, false)),
                right: Box::new(self.pattern(*right, marks, false)),
            },
            GraphPattern::Lateral { left, right } => GraphPattern::Lateral {
                left: Box::new(self.pattern(*left, marks, false)),
                right: Box::new(self.pattern(*right, marks, false)),
            },
            GraphPattern::LeftJoin { left, right, expression } => GraphPattern::LeftJoin {
                left: Box::new(self.pattern(*left, marks, false)),
                right: Box::new(self.marked(*right, marks, false)),
                expression,
            },
            GraphPattern::Union { left, right } => GraphPattern::Union {
                left: Box::new(self.marked(*left, marks, false)),
                right: Box::new(self.marked(*right, marks, false)),
            },
            // What a MINUS removes has no statement in the row.
            GraphPattern::Minus { left, right } => {
                GraphPattern::Minus { left: Box::new(self.pattern(*left, marks, false)), right }
            }
            GraphPattern::Graph { name, inner } => {
                GraphPattern::Graph { name, inner: Box::new(self.pattern(*inner, marks, false)) }
            }
            GraphPattern::Service { name, inner, silent } => GraphPattern::Service { name, inner, silent },
            GraphPattern::Values { variables, bindings } => GraphPattern::Values { variables, bindings },
            GraphPattern::Filter { expr, inner } => {
                let mut inner = self.pattern(*inner, marks, outermost);
                let mut kept = None;
                for condition in conjuncts(expr) {
                    match condition {
                        // What EXISTS found is a ground of the row, and is joined to be seen.
                        Expression::Exists(found) => {
                            let right = Box::new(self.pattern(*found, marks, false));
                            inner = GraphPattern::Join { left: Box::new(inner), right };
                        }
                        condition if self.is_aggregated(&condition) => {}
                        condition => {
                            kept = Some(match kept {
                                None => condition,
                                Some(before) => Expression::And(Box::new(before), Box::new(condition)),
                            });
                        }
                    }
                }
                match kept {
                    Some(expr) => GraphPattern::Filter { expr, inner: Box::new(inner) },
                    None => inner,
                }
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let inner = self.pattern(*inner, marks, outermost);
                if self.is_aggregated(&expression) {
                    self.aggregated.insert(variable);
                    return inner;
                }
                if is_new_each_time(&expression) {
                    self.computed.insert(variable.clone());
                }
                GraphPattern::Extend { inner: Box::new(inner), variable, expression }
            }
            GraphPattern::OrderBy { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(*inner, marks, outermost),
            GraphPattern::Group { inner, aggregates, .. } => {
                self.grouped = true;
                self.aggregated.extend(aggregates.into_iter().map(|(variable, _)| variable));
                self.pattern(*inner, marks, false)
            }
            GraphPattern::Project { mut inner, variables } => {
                if !outermost {
                    self.hide(&mut inner, &variables);
                }
                self.pattern(*inner, marks, outermost)
            }
        }
    }

    /// Renames what a sub-query does not show, so that undoing its projection joins nothing by accident.
    fn hide(&mut self, pattern: &mut GraphPattern, shown: &[Variable]) {
        let mut hidden: Vec<Variable> = Vec::new();
        super::inspect::variables_of_pattern(pattern, &mut |v| {
            if !shown.contains(v) && !hidden.contains(v) {
                hidden.push(v.clone());
            }
        });
        for variable in hidden {
            let name = self.fresh("hidden");
            rename(pattern, &variable, &name);
        }
    }

    fn is_aggregated(&self, expression: &Expression) -> bool {
        let mut found = false;
        super::inspect::variables_of_expression(expression, &mut |v| found |= self.aggregated.contains(v));
        found
    }

    fn name_blanks(&mut self, triple: &mut TriplePattern) {
        self.name_blank(&mut triple.subject);
        self.name_blank(&mut triple.object);
    }

    fn name_blank(&mut self, term: &mut TermPattern) {
        match term {
            TermPattern::BlankNode(node) => {
                let key = node.as_str().to_owned();
                let variable = match self.blanks.get(&key) {
                    Some(variable) => variable.clone(),
                    None => {
                        let variable = self.fresh("blank");
                        self.blanks.insert(key, variable.clone());
                        variable
                    }
                };
                *term = variable.into();
            }
            TermPattern::Triple(triple) => self.name_blanks(triple),
            TermPattern::NamedNode(_) | TermPattern::Literal(_) | TermPattern::Variable(_) => {}
        }
    }
}

fn conjuncts(expression: Expression) -> Vec<Expression> {
    match expression {
        Expression::And(left, right) => {
            let mut all = conjuncts(*left);
            all.extend(conjuncts(*right));
            all
        }
        other => vec![other],
    }
}

/// Whether an expression can have another value at each evaluation (SPARQL 1.1 §17.4).
fn is_new_each_time(expression: &Expression) -> bool {
    use spargebra::algebra::Function;
    let mut new = false;
    super::inspect::functions_of_expression(expression, &mut |f| {
        new |= matches!(f, Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode | Function::Now);
    });
    new
}

/// Gives a variable another name everywhere in a pattern.
fn rename(pattern: &mut GraphPattern, from: &Variable, to: &Variable) {
    let swap = |v: &mut Variable| {
        if v == from {
            *v = to.clone();
        }
    };
    let node = |n: &mut NamedNodePattern| {
        if let NamedNodePattern::Variable(v) = n {
            swap(v);
        }
    };
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter_mut().for_each(|t| rename_triple(t, from, to)),
        GraphPattern::Path { subject, object, .. } => {
            rename_term(subject, from, to);
            rename_term(object, from, to);
        }
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            rename(left, from, to);
            rename(right, from, to);
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            rename(left, from, to);
            rename(right, from, to);
            if let Some(expression) = expression {
                rename_expression(expression, from, to);
            }
        }
        GraphPattern::Filter { expr, inner } => {
            rename_expression(expr, from, to);
            rename(inner, from, to);
        }
        GraphPattern::Graph { name, inner } | GraphPattern::Service { name, inner, .. } => {
            node(name);
            rename(inner, from, to);
        }
        GraphPattern::Extend { inner, variable, expression } => {
            swap(variable);
            rename_expression(expression, from, to);
            rename(inner, from, to);
        }
        GraphPattern::Values { variables, .. } => variables.iter_mut().for_each(swap),
        GraphPattern::OrderBy { inner, expression } => {
            for order in expression {
                match order {
                    OrderExpression::Asc(e) | OrderExpression::Desc(e) => rename_expression(e, from, to),
                }
            }
            rename(inner, from, to);
        }
        GraphPattern::Project { inner, variables } => {
            // A projection inside hides its own variables already.
            if variables.contains(from) {
                variables.iter_mut().for_each(swap);
                rename(inner, from, to);
            }
        }
        GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
            rename(inner, from, to);
        }
        GraphPattern::Group { inner, variables, aggregates } => {
            variables.iter_mut().for_each(swap);
            for (variable, aggregate) in aggregates {
                swap(variable);
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    rename_expression(expr, from, to);
                }
            }
            rename(inner, from, to);
        }
    }
}

fn rename_triple(triple: &mut TriplePattern, from: &Variable, to: &Variable) {
    rename_term(&mut triple.subject, from, to);
    rename_term(&mut triple.object, from, to);
    if let NamedNodePattern::Variable(v) = &mut triple.predicate
        && v == from
    {
        *v = to.clone();
    }
}

fn rename_term(term: &mut TermPattern, from: &Variable, to: &Variable) {
    match term {
        TermPattern::Variable(v) if v == from => *v = to.clone(),
        TermPattern::Triple(triple) => rename_triple(triple, from, to),
        TermPattern::Variable(_) | TermPattern::NamedNode(_) | TermPattern::BlankNode(_) | TermPattern::Literal(_) => {}
    }
}

fn rename_expression(expression: &mut Expression, from: &Variable, to: &Variable) {
    match expression {
        Expression::Variable(v) | Expression::Bound(v) => {
            if v == from {
                *v = to.clone();
            }
        }
        Expression::Exists(pattern) => rename(pattern, from, to),
        other => operands_mut(other).for_each(|operand| rename_expression(operand, from, to)),
    }
}
