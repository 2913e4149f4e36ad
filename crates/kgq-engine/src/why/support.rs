//! From one solution of a pattern to the statements that support it, part by part.

use super::data::{Data, Graphs};
use super::footprint::{footprint, may_be_empty, restricted};
use super::members::{loose, shows_every_way, without_options, without_short_paths};
use super::open::{Opened, Opener, asked_for, certain, conjuncts, is_monotone};
use super::steps::statements_along;
use super::{Ground, Solution};
use crate::query::parts::{Child, for_each_part};
use crate::query::{self, Binding, BoundTo, Query};
use crate::{Answer, EvaluationOptions, Limits, evaluate};
use indexmap::IndexSet;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple, Variable};
use oxiri::Iri;
use rustc_hash::{FxBuildHasher, FxHashSet};
use spargebra::algebra::{AggregateExpression, AggregateFunction, Expression, GraphPattern, QueryDataset};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// Requests solutions for patterns of a query.
pub struct Asker<'a> {
    pub dataset: Option<&'a QueryDataset>,
    pub base: Option<&'a Iri<String>>,
    pub options: &'a EvaluationOptions,
    /// Variables whose values are computed anew each time.
    pub computed: FxHashSet<Variable>,
}

/// Collects what supports a row.
pub struct Support<'a> {
    pub asker: &'a Asker<'a>,
    pub snapshot: &'a Snapshot,
    pub opener: Opener,
    pub grounds: Vec<Ground>,
    pub statements: IndexSet<Quad, FxBuildHasher>,
    /// Whether the row depends on no absence, on no group, and on no other rows.
    pub positive: bool,
}

/// The graph in which a part of a pattern is matched: the default graph, or the one of this name.
type Within<'w> = Option<&'w Term>;

/// What is known about the solution to be found.
#[derive(Clone, Copy)]
pub enum KnownValues<'k> {
    /// It has these values, and leaves these variables unbound.
    Row(&'k Solution, &'k [Variable]),
    /// It is compatible with these values, which replace their variables: those around an EXISTS (SPARQL 1.1 §18.6).
    Around(&'k Solution),
}

impl Asker<'_> {
    /// Returns solutions of a pattern, at most `most`.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn solutions(
        &self,
        snapshot: &Snapshot,
        pattern: GraphPattern,
        known: KnownValues<'_>,
        within: Within<'_>,
        most: Option<usize>,
    ) -> Result<Vec<Solution>> {
        let mut variables: FxHashSet<Variable> = FxHashSet::default();
        pattern.on_in_scope_variable(|variable| {
            variables.insert(variable.clone());
        });
        let kept = not_to_be_replaced(&pattern);
        let certain = certain(&pattern);
        let (bound, unbound): (&Solution, &[Variable]) = match known {
            KnownValues::Row(bound, unbound) => (bound, unbound),
            KnownValues::Around(bound) => (bound, &[]),
        };
        let is_replaced = |variable: &Variable| match known {
            // If a variable can stay unbound, a term in its place would make a different pattern.
            KnownValues::Row(..) => certain.contains(variable) && !kept.contains(variable),
            KnownValues::Around(_) => !kept.contains(variable),
        };
        let (replaced, compared): (Vec<_>, Vec<_>) = bound.iter().partition(|(variable, _)| is_replaced(variable));
        let unbound = unbound.iter().map(|variable| Expression::Not(Box::new(Expression::Bound(variable.clone()))));
        let equal = compared.into_iter().map(|(variable, value)| {
            Expression::SameTerm(Box::new(variable.clone().into()), Box::new(query::expression_of(value)))
        });
        let mut pattern =
            unbound.chain(equal).fold(pattern, |inner, expr| GraphPattern::Filter { expr, inner: Box::new(inner) });
        if let Some(name) = within {
            let name = match name {
                Term::NamedNode(node) => node.clone(),
                Term::BlankNode(node) => query::prebind::blank_node_iri(node),
                Term::Literal(_) | Term::Triple(_) => return Ok(Vec::new()),
            };
            pattern = GraphPattern::Graph { name: name.into(), inner: Box::new(pattern) };
        }
        let mut variables: Vec<Variable> = variables.into_iter().collect();
        variables.sort();
        pattern = GraphPattern::Project { inner: Box::new(pattern), variables };
        if let Some(most) = most {
            pattern = GraphPattern::Slice { inner: Box::new(pattern), start: 0, length: Some(most) };
        }
        let (dataset, base_iri) = (self.dataset.cloned(), self.base.cloned());
        let mut query = Query { algebra: spargebra::Query::Select { dataset, pattern, base_iri } };
        query::bind(&mut query, &replaced.into_iter().map(binding).collect::<Vec<_>>());
        let options =
            EvaluationOptions { limits: Limits { rows: None, ..self.options.limits }, ..self.options.clone() };
        let Answer::Solutions(found) = evaluate(snapshot, &query, &options)? else {
            return Err(Error::bug("a SELECT has no solutions"));
        };
        let names = found.variables;
        let solution = |row: Result<crate::Row>| -> Result<Solution> {
            let values = names.iter().cloned().zip(row?);
            let mut solution: Solution = values.filter_map(|(name, value)| Some((name, value?))).collect();
            solution.extend(bound.iter().map(|(variable, value)| (variable.clone(), value.clone())));
            Ok(solution)
        };
        found.rows.map(solution).collect()
    }
}

fn binding((variable, term): (&Variable, &Term)) -> Binding {
    Binding { variable: variable.clone(), value: BoundTo::One(term.clone()) }
}

impl Support<'_> {
    /// Finds a solution of the pattern, and collects what supports it. Returns `false` if there is no such solution.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn pattern(&mut self, pattern: &GraphPattern, known: KnownValues<'_>, within: Within<'_>) -> Result<bool> {
        let (opened, asked) = self.opener.open(pattern);
        let Some(solution) = self.asker.solutions(self.snapshot, asked, known, within, Some(1))?.pop() else {
            return Ok(false);
        };
        self.collect(&opened, &solution, within)?;
        Ok(true)
    }

    /// Collects what supports a solution of an opened pattern.
    ///
    /// # Errors
    /// Those of evaluation.
    pub fn collect(&mut self, opened: &Opened, solution: &Solution, within: Within<'_>) -> Result<()> {
        match opened {
            Opened::Triples(patterns) => patterns.iter().try_for_each(|pattern| self.triple(pattern, solution, within)),
            Opened::Path(subject, path, object) => {
                let ends = term(subject, solution).zip(term(object, solution));
                let budget = self.asker.options.budget_of_query();
                let way = match &ends {
                    Some((from, to)) => statements_along(&self.data(within), [from, to], path, &budget)?,
                    None => None,
                };
                let (Some((from, to)), Some(mut steps)) = (ends, way) else {
                    let (subject, path, object) = (subject.clone(), path.clone(), object.clone());
                    return self.whole(&GraphPattern::Path { subject, path, object }, solution, within);
                };
                // Between two variables, a path of length zero holds because such a node exists.
                let is_variable = |end: &TermPattern| matches!(end, TermPattern::Variable(_));
                if steps.is_empty() && may_be_empty(path) && is_variable(subject) && is_variable(object) {
                    steps.extend(self.data(within).naming(&from)?);
                }
                self.statements.extend(steps.iter().cloned());
                self.grounds.push(Ground::Path { from, to, steps });
                Ok(())
            }
            Opened::Join(left, right) => {
                self.collect(left, solution, within)?;
                self.collect(right, solution, within)
            }
            Opened::Optional { left, right, mark, condition, pattern, certain } => {
                self.collect(left, solution, within)?;
                if solution.contains_key(mark) {
                    self.collect(right, solution, within)?;
                    return condition.iter().try_for_each(|condition| self.expression(condition, solution, within));
                }
                self.absent(pattern, &restricted(solution, certain), within)
            }
            Opened::Union(branches) => match branches.iter().find(|(mark, _)| solution.contains_key(mark)) {
                Some((_, branch)) => self.collect(branch, solution, within),
                None => Err(Error::bug("a solution of a UNION is of none of its branches")),
            },
            Opened::Minus { left, right, certain } => {
                self.collect(left, solution, within)?;
                self.absent(right, &restricted(solution, certain), within)
            }
            Opened::Filter { inner, expression, certain } => {
                self.collect(inner, solution, within)?;
                self.expression(expression, &restricted(solution, certain), within)
            }
            Opened::Graph(name, inner) => {
                let name: Option<Term> = match name {
                    NamedNodePattern::NamedNode(node) => Some(node.clone().into()),
                    NamedNodePattern::Variable(variable) => solution.get(variable).cloned(),
                };
                let name = name.ok_or_else(|| Error::bug("a GRAPH without a name has a solution"))?;
                let before = self.statements.len();
                self.collect(inner, solution, Some(&name))?;
                // That a graph of this name exists supports the solution too, even if only other graphs are read inside.
                let graphs = Graphs::named(&name);
                let own = |quad: &Quad| graphs.hold(&quad.graph_name);
                if !self.statements.as_slice()[before..].iter().any(own)
                    && let Some(quad) = self.data(Some(&name)).any()?
                {
                    self.statement(quad);
                }
                Ok(())
            }
            Opened::Project(inner, variables) => {
                let fixed = || variables.iter().filter(|variable| !self.asker.computed.contains(*variable));
                let bound = restricted(solution, fixed());
                let unbound: Vec<Variable> = fixed().filter(|v| !bound.contains_key(*v)).cloned().collect();
                if self.pattern(inner, KnownValues::Row(&bound, &unbound), within)? {
                    return Ok(());
                }
                self.whole(inner, &bound, within)
            }
            Opened::Group { inner, keys, aggregates } => self.group(inner, keys, aggregates, solution, within),
            Opened::Values => Ok(()),
            Opened::Whole(pattern) => self.whole(pattern, solution, within),
        }
    }

    fn data(&self, within: Within<'_>) -> Data<'_> {
        let graphs = match within {
            Some(name) => Graphs::named(name),
            None => Graphs::of_query(self.asker.dataset, self.asker.options.default_graph),
        };
        Data { snapshot: self.snapshot, graphs }
    }

    fn statement(&mut self, quad: Quad) {
        self.statements.insert(quad.clone());
        self.grounds.push(Ground::Statement(quad));
    }

    fn triple(&mut self, pattern: &TriplePattern, solution: &Solution, within: Within<'_>) -> Result<()> {
        if let Some(Triple { subject, predicate, object }) = instance(pattern, solution) {
            let found = self.data(within).matching(Some(&subject.into()), Some(&predicate), Some(&object))?;
            if let Some(quad) = found.into_iter().next() {
                self.statement(quad);
                return Ok(());
            }
        }
        self.whole(&GraphPattern::Bgp { patterns: vec![pattern.clone()] }, solution, within)
    }

    fn expression(&mut self, expression: &Expression, solution: &Solution, within: Within<'_>) -> Result<()> {
        for condition in conjuncts(expression) {
            match condition {
                Expression::Exists(pattern) => {
                    if !self.pattern(pattern, KnownValues::Around(solution), within)? {
                        self.whole(pattern, solution, within)?;
                    }
                }
                Expression::Not(inner) if matches!(inner.as_ref(), Expression::Exists(_)) => {
                    if let Expression::Exists(pattern) = inner.as_ref() {
                        self.absent(pattern, solution, within)?;
                    }
                }
                other => {
                    for pattern in asked_for(other) {
                        self.whole(pattern, solution, within)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Records that the pattern has no solution and must continue to have none. Over fewer statements a monotone
    /// pattern still has none; for any other pattern, all that it reads counts.
    fn absent(&mut self, pattern: &GraphPattern, solution: &Solution, within: Within<'_>) -> Result<()> {
        self.positive = false;
        // What an OPTIONAL adds can make a solution incompatible with these values only if they are values of its variables.
        let is_bare = loose(pattern).iter().all(|variable| !solution.contains_key(variable));
        let bare = if is_bare { without_options(pattern) } else { pattern.clone() };
        if !is_monotone(&bare) {
            self.read(&bare, solution, within)?;
        }
        self.grounds.push(Ground::Absent { pattern: text(pattern, solution) });
        Ok(())
    }

    /// Collects all that the pattern reads, so that its answers stay the same.
    pub fn whole(&mut self, pattern: &GraphPattern, solution: &Solution, within: Within<'_>) -> Result<()> {
        self.positive = false;
        let statements = self.read(pattern, solution, within)?;
        self.grounds.push(Ground::Whole { pattern: text(pattern, solution), statements });
        Ok(())
    }

    fn read(&mut self, pattern: &GraphPattern, solution: &Solution, within: Within<'_>) -> Result<usize> {
        let graphs = self.data(within).graphs;
        let (mut count, statements) = (0, &mut self.statements);
        footprint(self.snapshot, &graphs, pattern, solution, &mut |quad| {
            count += 1;
            statements.insert(quad);
        })?;
        Ok(count)
    }

    fn group(
        &mut self,
        inner: &GraphPattern,
        keys: &[Variable],
        aggregates: &[(Variable, AggregateExpression)],
        solution: &Solution,
        within: Within<'_>,
    ) -> Result<()> {
        self.positive = false;
        let bound = restricted(solution, keys);
        let unbound: Vec<Variable> = keys.iter().filter(|key| !bound.contains_key(*key)).cloned().collect();
        if is_monotone(inner)
            && let Some(deciding) = deciding_members(inner, aggregates, solution)
        {
            // Among fewer members, none is less than the least or greater than the greatest.
            for pattern in deciding {
                if !self.pattern(&pattern, KnownValues::Row(&bound, &unbound), within)? {
                    self.whole(inner, &bound, within)?;
                }
            }
            return Ok(());
        }
        // An aggregate over whole solutions would also count the variables between steps.
        let is_whole = |aggregate: &AggregateExpression| {
            matches!(aggregate, AggregateExpression::CountSolutions { distinct: true })
        };
        let walked = match aggregates.iter().any(|(_, aggregate)| is_whole(aggregate)) {
            true => inner.clone(),
            false => without_short_paths(inner, &mut self.opener),
        };
        if !shows_every_way(&walked) {
            return self.whole(inner, &bound, within);
        }
        let (opened, asked) = self.opener.open(&walked);
        // Without what an OPTIONAL found, a member of another group would move into this one.
        let sure = certain(&walked);
        let told = restricted(&bound, &sure);
        let known =
            if is_monotone(&walked) { KnownValues::Row(&bound, &unbound) } else { KnownValues::Row(&told, &[]) };
        let members = self.asker.solutions(self.snapshot, asked, known, within, None)?;
        if members.is_empty() {
            return self.absent(inner, &bound, within);
        }
        let outside = std::mem::take(&mut self.grounds);
        let mut grounds = Vec::new();
        for member in &members {
            self.collect(&opened, member, within)?;
            let own = std::mem::take(&mut self.grounds);
            if keys.iter().all(|key| member.get(key) == bound.get(key)) {
                grounds.push(own);
            }
        }
        self.grounds = outside;
        self.grounds.push(Ground::Members(grounds));
        Ok(())
    }
}

/// Returns patterns of the members that decide each aggregate, if all are MIN or MAX, or if there are none.
fn deciding_members(
    inner: &GraphPattern,
    aggregates: &[(Variable, AggregateExpression)],
    solution: &Solution,
) -> Option<Vec<GraphPattern>> {
    if aggregates.is_empty() {
        return Some(vec![inner.clone()]);
    }
    let deciding = |(variable, aggregate): &(Variable, AggregateExpression)| match aggregate {
        AggregateExpression::FunctionCall { name: AggregateFunction::Min | AggregateFunction::Max, expr, .. } => {
            let value = match solution.get(variable)? {
                Term::NamedNode(node) => node.clone().into(),
                Term::Literal(literal) => literal.clone().into(),
                Term::BlankNode(_) | Term::Triple(_) => return None,
            };
            let expr = Expression::SameTerm(Box::new(expr.clone()), Box::new(value));
            Some(GraphPattern::Filter { expr, inner: Box::new(inner.clone()) })
        }
        _ => None,
    };
    aggregates.iter().map(deciding).collect()
}

/// Returns the variables that must not be replaced by a term, because the pattern would change its meaning: those that
/// some part (an OPTIONAL, MINUS, an expression, a sub-query) reads although the part before it may leave them unbound,
/// or that it hides; computed variables, which a failure leaves unbound; and the ends of paths that can be empty, which
/// must be nodes of the graph only while they are variables.
fn not_to_be_replaced(pattern: &GraphPattern) -> FxHashSet<Variable> {
    let mut found = FxHashSet::default();
    collect_not_to_be_replaced(pattern, &mut found);
    found
}

/// Calls its argument with each variable of something.
type Walk<'w> = dyn Fn(&mut dyn FnMut(&Variable)) + 'w;

fn collect_not_to_be_replaced(pattern: &GraphPattern, found: &mut FxHashSet<Variable>) {
    let mut read_beyond = |before: &GraphPattern, read: &Walk<'_>| {
        let bound = certain(before);
        read(&mut |variable| {
            if !bound.contains(variable) {
                found.insert(variable.clone());
            }
        });
    };
    match pattern {
        GraphPattern::LeftJoin { left, right, expression } => {
            read_beyond(left, &|f| {
                query::variables_of_pattern(right, f);
                if let Some(expression) = expression {
                    query::variables_of_expression(expression, f);
                }
            });
        }
        GraphPattern::Minus { left, right } => read_beyond(left, &|f| query::variables_of_pattern(right, f)),
        GraphPattern::Filter { expr, inner } => read_beyond(inner, &|f| query::variables_of_expression(expr, f)),
        GraphPattern::Extend { inner, variable, expression } => {
            read_beyond(inner, &|f| query::variables_of_expression(expression, f));
            found.insert(variable.clone());
        }
        GraphPattern::Project { inner, variables } | GraphPattern::Group { inner, variables, .. } => {
            read_beyond(inner, &|f| variables.iter().for_each(f));
            query::variables_of_pattern(inner, &mut |variable| {
                if !variables.contains(variable) {
                    found.insert(variable.clone());
                }
            });
        }
        // UNDEF is compatible with every term, and is not a term.
        GraphPattern::Values { variables, bindings } => {
            let is_undefined = |column: usize| bindings.iter().any(|row| row.get(column).is_some_and(Option::is_none));
            found.extend(variables.iter().enumerate().filter(|(at, _)| is_undefined(*at)).map(|(_, v)| v.clone()));
        }
        GraphPattern::Path { subject, path, object } if may_be_empty(path) => {
            for end in [subject, object] {
                if let TermPattern::Variable(variable) = end {
                    found.insert(variable.clone());
                }
            }
        }
        _ => {}
    }
    for_each_inner(pattern, &mut |inner| collect_not_to_be_replaced(inner, found));
}

/// Calls `f` with the direct parts of a pattern, and with the patterns of EXISTS in its expressions.
fn for_each_inner(pattern: &GraphPattern, f: &mut dyn FnMut(&GraphPattern)) {
    for_each_part(&mut pattern.clone(), &mut |part| match part {
        Child::Pattern(inner) => f(inner),
        Child::Expression(expression) => asked_for(expression).into_iter().for_each(&mut *f),
    });
}

/// Returns the pattern with its known values, as SPARQL.
fn text(pattern: &GraphPattern, solution: &Solution) -> String {
    let algebra = spargebra::Query::Ask { dataset: None, pattern: pattern.clone(), base_iri: None };
    let mut query = Query { algebra };
    let kept = not_to_be_replaced(pattern);
    let values: Vec<Binding> = solution.iter().filter(|(variable, _)| !kept.contains(*variable)).map(binding).collect();
    query::bind(&mut query, &values);
    match query.algebra {
        spargebra::Query::Ask { pattern, .. } => pattern.to_string(),
        _ => String::new(),
    }
}

fn instance(pattern: &TriplePattern, solution: &Solution) -> Option<Triple> {
    let subject: NamedOrBlankNode = match term(&pattern.subject, solution)? {
        Term::NamedNode(node) => node.into(),
        Term::BlankNode(node) => node.into(),
        Term::Literal(_) | Term::Triple(_) => return None,
    };
    let predicate: NamedNode = match &pattern.predicate {
        NamedNodePattern::NamedNode(node) => node.clone(),
        NamedNodePattern::Variable(variable) => match solution.get(variable)? {
            Term::NamedNode(node) => node.clone(),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => return None,
        },
    };
    Some(Triple { subject, predicate, object: term(&pattern.object, solution)? })
}

fn term(pattern: &TermPattern, solution: &Solution) -> Option<Term> {
    Some(match pattern {
        TermPattern::NamedNode(node) => node.clone().into(),
        TermPattern::Literal(literal) => literal.clone().into(),
        TermPattern::Triple(triple) => instance(triple, solution)?.into(),
        TermPattern::Variable(variable) => solution.get(variable)?.clone(),
        TermPattern::BlankNode(_) => return None,
    })
}
