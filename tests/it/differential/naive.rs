//! SPARQL 1.1 §18 implemented literally, for a dozen statements: the multiset of every pattern is materialized, and joins try all
//! pairs. Operators on values are Oxigraph's; the semantics of solutions is implemented here.
//!
//! EXISTS substitutes the outer solution's values wherever the graph is matched, as the community's repair of substitution does
//! (SEP-0007). Expressions see these values too, even those over nothing but a sub-SELECT that hides them. The right side of
//! MINUS gets none: the variables that it shares with the left are those in its text.

use oxrdf::vocab::xsd;
use oxrdf::{GraphName, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple, Variable};
use spareval::QueryEvaluator;
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, Function, GraphPattern, OrderExpression,
    PropertyPathExpression, QueryDataset,
};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern, TriplePattern};
use sparopt::algebra::Expression as Operation;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub type Solution = BTreeMap<Variable, Term>;

/// The bindings that an expression sees: the solution, and the values substituted by an EXISTS.
fn seen(solution: &Solution, given: &Solution) -> Solution {
    let mut all = given.clone();
    all.extend(solution.iter().map(|(v, t)| (v.clone(), t.clone())));
    all
}

/// The error for too many solutions to compare.
#[derive(Debug)]
pub struct TooMany;

type Solutions = Result<Vec<Solution>, TooMany>;

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
const MOST: usize = 5_000;
/// The most pairs of solutions that a join may try.
const MOST_PAIRS: usize = 1_000_000;

/// The dataset of a query, and how expressions are evaluated.
pub struct Naive {
    default: Vec<Triple>,
    named: BTreeMap<String, (NamedNode, Vec<Triple>)>,
    evaluator: QueryEvaluator,
}

impl Naive {
    pub fn new(quads: &[Quad], dataset: Option<&QueryDataset>) -> Self {
        let of = |graph: &GraphName| -> Vec<Triple> {
            let triples: HashSet<Triple> =
                quads.iter().filter(|q| q.graph_name == *graph).cloned().map(Triple::from).collect();
            let mut triples: Vec<Triple> = triples.into_iter().collect();
            triples.sort_by_key(ToString::to_string);
            triples
        };
        let all: BTreeSet<String> = quads
            .iter()
            .filter_map(
                |q| if let GraphName::NamedNode(n) = &q.graph_name { Some(n.as_str().to_owned()) } else { None },
            )
            .collect();
        let (default, names) = match dataset {
            None => (of(&GraphName::DefaultGraph), all),
            Some(dataset) => {
                let merged: HashSet<Triple> =
                    dataset.default.iter().flat_map(|name| of(&GraphName::NamedNode(name.clone()))).collect();
                let named = dataset.named.iter().flatten().map(|n| n.as_str().to_owned());
                // §13.2.2: every named graph belongs to the dataset, even an empty one.
                (merged.into_iter().collect(), named.collect())
            }
        };
        let named = names.into_iter().map(|name| {
            let node = NamedNode::new_unchecked(&name);
            let triples = of(&GraphName::NamedNode(node.clone()));
            (name, (node, triples))
        });
        Self { default, named: named.collect(), evaluator: QueryEvaluator::new() }
    }

    pub fn solutions(&self, pattern: &GraphPattern) -> Solutions {
        self.pattern(pattern, &self.default, &Solution::new())
    }

    /// Evaluates a pattern (§18.6). `given` are the values substituted by an EXISTS.
    fn pattern(&self, pattern: &GraphPattern, graph: &[Triple], given: &Solution) -> Solutions {
        let eval = |pattern: &GraphPattern| self.pattern(pattern, graph, given);
        match pattern {
            GraphPattern::Bgp { patterns } => join(&self.basic(patterns, graph)?, std::slice::from_ref(given)),
            GraphPattern::Path { subject, path, object } => {
                let pairs = self.path(path, &fixed(subject, given), &fixed(object, given), graph);
                let mut solutions = Vec::new();
                for (from, to) in pairs {
                    let mut solution = Solution::new();
                    if matches_term(subject, &from, &mut solution) && matches_term(object, &to, &mut solution) {
                        solutions.push(solution);
                    }
                }
                join(&solutions, std::slice::from_ref(given))
            }
            GraphPattern::Values { variables, bindings } => {
                let row = |row: &Vec<Option<GroundTerm>>| -> Solution {
                    let cells = variables.iter().zip(row);
                    cells.filter_map(|(v, t)| Some((v.clone(), ground(t.as_ref()?)))).collect()
                };
                join(&bindings.iter().map(row).collect::<Vec<_>>(), std::slice::from_ref(given))
            }
            GraphPattern::Join { left, right } => join(&eval(left)?, &eval(right)?),
            GraphPattern::LeftJoin { left, right, expression } => {
                let (left, right) = (eval(left)?, eval(right)?);
                if left.len() * right.len() > MOST_PAIRS {
                    return Err(TooMany);
                }
                let mut out = Vec::new();
                for a in &left {
                    let before = out.len();
                    for both in join(std::slice::from_ref(a), &right)? {
                        if expression.as_ref().is_none_or(|e| self.holds(e, &seen(&both, given), graph)) {
                            out.push(both);
                        }
                    }
                    if out.len() == before {
                        out.push(a.clone());
                    }
                }
                few(out)
            }
            GraphPattern::Filter { expr, inner } => {
                let mut solutions = eval(inner)?;
                solutions.retain(|solution| self.holds(expr, &seen(solution, given), graph));
                Ok(solutions)
            }
            GraphPattern::Union { left, right } => {
                let mut out = eval(left)?;
                out.extend(eval(right)?);
                few(out)
            }
            GraphPattern::Graph { name: NamedNodePattern::NamedNode(name), inner } => {
                match self.named.get(name.as_str()) {
                    Some((_, triples)) => self.pattern(inner, triples, given),
                    None => Ok(Vec::new()),
                }
            }
            GraphPattern::Graph { name: NamedNodePattern::Variable(name), inner } => {
                let mut out = Vec::new();
                for (node, triples) in self.named.values() {
                    let bound = Solution::from([(name.clone(), node.clone().into())]);
                    out.extend(join(&self.pattern(inner, triples, given)?, &[bound])?);
                }
                few(out)
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let mut others = given.clone();
                let own = others.remove(variable);
                let mut solutions = self.pattern(inner, graph, &others)?;
                for solution in &mut solutions {
                    if let Some(value) = self.value(expression, &seen(solution, &others), graph) {
                        solution.insert(variable.clone(), value);
                    }
                }
                match own {
                    Some(own) => join(&solutions, &[Solution::from([(variable.clone(), own)])]),
                    None => Ok(solutions),
                }
            }
            GraphPattern::Minus { left, right } => {
                let right = self.pattern(right, graph, &Solution::new())?;
                let mut left = eval(left)?;
                left.retain(|a| !right.iter().any(|b| a.keys().any(|v| b.contains_key(v)) && merged(a, b).is_some()));
                Ok(left)
            }
            GraphPattern::OrderBy { inner, expression } => {
                let mut keyed: Vec<(Vec<Option<Term>>, Solution)> = eval(inner)?
                    .into_iter()
                    .map(|solution| {
                        let keys = expression.iter().map(|key| match key {
                            OrderExpression::Asc(e) | OrderExpression::Desc(e) => self.value(e, &solution, graph),
                        });
                        (keys.collect(), solution)
                    })
                    .collect();
                keyed.sort_by(|(a, _), (b, _)| {
                    let orders = expression.iter().zip(a.iter().zip(b)).map(|(key, (a, b))| match key {
                        OrderExpression::Asc(_) => total_order(a.as_ref(), b.as_ref()),
                        OrderExpression::Desc(_) => total_order(a.as_ref(), b.as_ref()).reverse(),
                    });
                    orders.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
                });
                Ok(keyed.into_iter().map(|(_, solution)| solution).collect())
            }
            GraphPattern::Project { inner, variables } => {
                let seen = given.iter().filter(|(v, _)| variables.contains(v)).map(|(v, t)| (v.clone(), t.clone()));
                let mut solutions = self.pattern(inner, graph, &seen.collect())?;
                for solution in &mut solutions {
                    solution.retain(|variable, _| variables.contains(variable));
                }
                Ok(solutions)
            }
            GraphPattern::Distinct { inner } => Ok(distinct(eval(inner)?)),
            GraphPattern::Reduced { inner } => eval(inner),
            GraphPattern::Slice { inner, start, length } => {
                let solutions = eval(inner)?.into_iter().skip(*start);
                Ok(solutions.take(length.unwrap_or(usize::MAX)).collect())
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                self.group(eval(inner)?, variables, aggregates, graph)
            }
            // The generator makes no such patterns.
            GraphPattern::Service { .. } | GraphPattern::Lateral { .. } => Ok(Vec::new()),
        }
    }

    fn basic(&self, patterns: &[TriplePattern], graph: &[Triple]) -> Solutions {
        let mut solutions = vec![Solution::new()];
        for pattern in patterns {
            let mut out = Vec::new();
            for solution in &solutions {
                for triple in graph {
                    let mut solution = solution.clone();
                    if matches_triple(pattern, triple, &mut solution) {
                        out.push(solution);
                    }
                }
            }
            solutions = few(out)?;
        }
        Ok(solutions)
    }

    /// The pairs that a path connects (§18.4): each as often as there are ways, except in closures.
    fn path(
        &self,
        path: &PropertyPathExpression,
        from: &Option<Term>,
        to: &Option<Term>,
        graph: &[Triple],
    ) -> Vec<(Term, Term)> {
        use PropertyPathExpression as P;
        let steps = |wanted: &dyn Fn(&NamedNode) -> bool| -> Vec<(Term, Term)> {
            let found = graph.iter().filter(|t| wanted(&t.predicate));
            found.map(|t| (t.subject.clone().into(), t.object.clone())).collect()
        };
        match path {
            P::NamedNode(node) => steps(&|predicate| predicate == node),
            P::NegatedPropertySet(nodes) => steps(&|predicate| !nodes.contains(predicate)),
            P::Reverse(inner) => self.path(inner, to, from, graph).into_iter().map(|(a, b)| (b, a)).collect(),
            P::Sequence(a, b) => {
                let (first, second) = (self.path(a, from, &None, graph), self.path(b, &None, to, graph));
                let after = |middle: &Term| {
                    second.iter().filter(|(m, _)| m == middle).map(|(_, to)| to.clone()).collect::<Vec<_>>()
                };
                first.iter().flat_map(|(a, m)| after(m).into_iter().map(|b| (a.clone(), b))).collect()
            }
            P::Alternative(a, b) => {
                let mut pairs = self.path(a, from, to, graph);
                pairs.extend(self.path(b, from, to, graph));
                pairs
            }
            P::ZeroOrOne(inner) => self.closure(inner, from, to, graph, true, 1),
            P::ZeroOrMore(inner) => self.closure(inner, from, to, graph, true, usize::MAX),
            P::OneOrMore(inner) => self.closure(inner, from, to, graph, false, usize::MAX),
        }
    }

    /// The pairs connected in up to `most` steps, each once; a term at either end reaches itself even if no statement contains
    /// it.
    fn closure(
        &self,
        inner: &PropertyPathExpression,
        from: &Option<Term>,
        to: &Option<Term>,
        graph: &[Triple],
        zero: bool,
        most: usize,
    ) -> Vec<(Term, Term)> {
        let mut starts: Vec<Term> = graph.iter().flat_map(|t| [t.subject.clone().into(), t.object.clone()]).collect();
        starts.extend(from.clone());
        starts.extend(to.clone());
        starts.sort_by_key(ToString::to_string);
        starts.dedup();
        let steps = self.path(inner, from, to, graph);
        let mut pairs = Vec::new();
        for start in &starts {
            let mut reached: Vec<Term> = if zero { vec![start.clone()] } else { Vec::new() };
            let mut frontier = vec![start.clone()];
            for _ in 0..most {
                let mut next = Vec::new();
                for (a, b) in &steps {
                    if frontier.contains(a) && !reached.contains(b) {
                        reached.push(b.clone());
                        next.push(b.clone());
                    }
                }
                if next.is_empty() {
                    break;
                }
                frontier = next;
            }
            pairs.extend(reached.into_iter().map(|end| (start.clone(), end)));
        }
        pairs
    }

    fn group(
        &self,
        solutions: Vec<Solution>,
        variables: &[Variable],
        aggregates: &[(Variable, AggregateExpression)],
        graph: &[Triple],
    ) -> Solutions {
        let mut groups: BTreeMap<String, (Solution, Vec<Solution>)> = BTreeMap::new();
        for solution in solutions.into_iter().map(visible) {
            let key: Solution = variables.iter().filter_map(|v| Some((v.clone(), solution.get(v)?.clone()))).collect();
            groups.entry(format!("{key:?}")).or_insert_with(|| (key, Vec::new())).1.push(solution);
        }
        if groups.is_empty() && variables.is_empty() {
            groups.insert(String::new(), Default::default());
        }
        let row = |(mut key, members): (Solution, Vec<Solution>)| {
            for (variable, aggregate) in aggregates {
                if let Some(value) = self.aggregate(aggregate, &members, graph) {
                    key.insert(variable.clone(), value);
                }
            }
            key
        };
        Ok(groups.into_values().map(row).collect())
    }

    fn aggregate(&self, aggregate: &AggregateExpression, members: &[Solution], graph: &[Triple]) -> Option<Term> {
        let count = |n: usize| Some(Literal::from(n as u64).into());
        let (name, expression, only_distinct) = match aggregate {
            AggregateExpression::CountSolutions { distinct: false } => return count(members.len()),
            AggregateExpression::CountSolutions { distinct: true } => return count(distinct(members.to_vec()).len()),
            AggregateExpression::FunctionCall { name, expr, distinct } => (name, expr, *distinct),
        };
        let mut values: Vec<Option<Term>> = members.iter().map(|m| self.value(expression, m, graph)).collect();
        if only_distinct {
            let mut seen = HashSet::new();
            values.retain(|value| seen.insert(value.clone()));
        }
        let bound: Vec<Term> = values.iter().flatten().cloned().collect();
        let failed = bound.len() < values.len();
        match name {
            // §18.5.1.2: errors are not counted.
            AggregateFunction::Count => count(bound.len()),
            AggregateFunction::Sum | AggregateFunction::Avg => {
                let add = |a: Term, b: &Term| self.call(|a, b| a + b, a, b.clone());
                let zero = Some(Term::from(Literal::from(0)));
                let sum = if failed { None } else { bound.iter().fold(zero, |sum, value| add(sum?, value)) };
                if *name == AggregateFunction::Sum || bound.is_empty() {
                    return sum;
                }
                let number = Literal::from(bound.len() as u64).into();
                self.call(|a, b| a / b, sum?, number)
            }
            AggregateFunction::Min | AggregateFunction::Max => {
                let order =
                    |a: &Term, b: &Term| super::compare::fixed_order(Some(a), Some(b)).unwrap_or(Ordering::Equal);
                // The standard does not define the effect of an error; in SUM and AVG the result is an error.
                if failed {
                    return None;
                }
                let bound = bound.into_iter();
                if *name == AggregateFunction::Min { bound.min_by(order) } else { bound.max_by(order) }
            }
            AggregateFunction::GroupConcat { separator } => {
                let texts: Option<Vec<String>> = values
                    .iter()
                    .map(|value| match value {
                        Some(Term::Literal(literal)) => Some(literal.value().to_owned()),
                        Some(Term::NamedNode(iri)) => Some(iri.as_str().to_owned()),
                        Some(Term::BlankNode(_) | Term::Triple(_)) | None => None,
                    })
                    .collect();
                Some(Literal::from(texts?.join(separator.as_deref().unwrap_or(" "))).into())
            }
            AggregateFunction::Sample => bound.first().cloned(),
            AggregateFunction::Custom(_) => None,
        }
    }

    fn call(&self, make: impl Fn(Operation, Operation) -> Operation, a: Term, b: Term) -> Option<Term> {
        let variables = ["a", "b"].map(Variable::new_unchecked);
        let expression = make(variables[0].clone().into(), variables[1].clone().into());
        self.evaluator.evaluate_expression(&expression, variables.iter().zip([a, b]))
    }

    fn holds(&self, expression: &Expression, solution: &Solution, graph: &[Triple]) -> bool {
        self.boolean(expression, solution, graph) == Some(true)
    }

    /// The effective boolean value; `None` for an error (§17.2).
    fn boolean(&self, expression: &Expression, solution: &Solution, graph: &[Triple]) -> Option<bool> {
        let of = |e: &Expression| self.boolean(e, solution, graph);
        match expression {
            Expression::And(a, b) => match (of(a), of(b)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (a, b) => Some(a? && b?),
            },
            Expression::Or(a, b) => match (of(a), of(b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (a, b) => Some(a? || b?),
            },
            Expression::Not(a) => of(a).map(|value| !value),
            Expression::Bound(variable) => Some(solution.contains_key(variable)),
            Expression::Exists(pattern) => {
                Some(self.pattern(pattern, graph, solution).is_ok_and(|solutions| !solutions.is_empty()))
            }
            Expression::SameTerm(a, b) => Some(self.value(a, solution, graph)? == self.value(b, solution, graph)?),
            _ => {
                let value = self.value(expression, solution, graph)?;
                let variable = Variable::new_unchecked("value");
                let expression = Operation::from(variable.clone());
                self.evaluator.evaluate_effective_boolean_value_expression(&expression, [(&variable, value)])
            }
        }
    }

    fn value(&self, expression: &Expression, solution: &Solution, graph: &[Triple]) -> Option<Term> {
        use Expression as E;
        let of = |e: &E| self.value(e, solution, graph);
        match expression {
            E::NamedNode(node) => Some(node.clone().into()),
            E::Literal(literal) => Some(literal.clone().into()),
            E::Variable(variable) => solution.get(variable).cloned(),
            E::And(..) | E::Or(..) | E::Not(_) | E::Bound(_) | E::Exists(_) | E::SameTerm(..) => {
                Some(Literal::from(self.boolean(expression, solution, graph)?).into())
            }
            E::If(condition, a, b) => {
                if self.boolean(condition, solution, graph)? {
                    of(a)
                } else {
                    of(b)
                }
            }
            E::Coalesce(items) => items.iter().find_map(of),
            // §17.4.1.9: true as soon as one is equal, an error if none is and one cannot be compared.
            E::In(operand, list) => {
                let operand = of(operand)?;
                let equal = |item: &E| self.call(Operation::equal, operand.clone(), of(item)?);
                let found: Vec<Option<Term>> = list.iter().map(equal).collect();
                let [yes, no] = [true, false].map(|value| Some(Term::from(Literal::from(value))));
                if found.contains(&yes) { yes } else { found.iter().all(|f| *f == no).then_some(no)? }
            }
            E::Equal(a, b) => self.call(Operation::equal, of(a)?, of(b)?),
            E::Greater(a, b) => self.call(Operation::greater, ordered(of(a)?)?, of(b)?),
            E::GreaterOrEqual(a, b) => self.call(Operation::greater_or_equal, ordered(of(a)?)?, of(b)?),
            E::Less(a, b) => self.call(Operation::less, ordered(of(a)?)?, of(b)?),
            E::LessOrEqual(a, b) => self.call(Operation::less_or_equal, ordered(of(a)?)?, of(b)?),
            E::Add(a, b) => self.call(|a, b| a + b, of(a)?, of(b)?),
            E::Subtract(a, b) => self.call(|a, b| a - b, of(a)?, of(b)?),
            E::Multiply(a, b) => self.call(|a, b| a * b, of(a)?, of(b)?),
            E::Divide(a, b) => self.call(|a, b| a / b, of(a)?, of(b)?),
            E::UnaryPlus(a) => self.call(|a, _| Operation::unary_plus(a), of(a)?, Literal::from(0).into()),
            E::UnaryMinus(a) => self.call(|a, _| -a, of(a)?, Literal::from(0).into()),
            E::FunctionCall(function, arguments) => {
                let values: Vec<Term> = arguments.iter().map(of).collect::<Option<_>>()?;
                self.function(function, values)
            }
        }
    }

    fn function(&self, function: &Function, values: Vec<Term>) -> Option<Term> {
        let variables: Vec<Variable> = (0..values.len()).map(|at| Variable::new_unchecked(format!("a{at}"))).collect();
        let arguments = variables.iter().cloned().map(Operation::Variable).collect();
        let expression = Operation::call(function.clone(), arguments);
        self.evaluator.evaluate_expression(&expression, variables.iter().zip(values))
    }
}

/// The term, if `<` is defined for it (§17.3). Oxigraph's evaluator treats any term as equal in order to itself.
fn ordered(term: Term) -> Option<Term> {
    let is_ordered = match &term {
        Term::NamedNode(_) | Term::BlankNode(_) => false,
        Term::Triple(triple) => ordered(triple.object.clone()).is_some(),
        Term::Literal(literal) if literal.datatype() == xsd::INTEGER => super::compare::number(literal).is_some(),
        Term::Literal(literal) => literal.language().is_some() || literal.datatype().as_str().starts_with(XSD),
    };
    is_ordered.then_some(term)
}

/// The order of ORDER BY where it is defined, and an arbitrary order of all other terms.
fn total_order(a: Option<&Term>, b: Option<&Term>) -> Ordering {
    let place = |term: Option<&Term>| match term {
        None => (0, 0.0, String::new()),
        Some(Term::BlankNode(node)) => (1, 0.0, node.to_string()),
        Some(Term::NamedNode(node)) => (2, 0.0, node.as_str().to_owned()),
        Some(Term::Literal(literal)) => match super::compare::number(literal) {
            Some(number) => (3, number, literal.to_string()),
            None => (4, 0.0, literal.to_string()),
        },
        Some(Term::Triple(triple)) => (5, 0.0, triple.to_string()),
    };
    let (a, b) = (place(a), place(b));
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
}

fn few(solutions: Vec<Solution>) -> Solutions {
    if solutions.len() > MOST { Err(TooMany) } else { Ok(solutions) }
}

fn merged(a: &Solution, b: &Solution) -> Option<Solution> {
    if a.iter().any(|(variable, term)| b.get(variable).is_some_and(|other| other != term)) {
        return None;
    }
    let mut both = a.clone();
    both.extend(b.iter().map(|(v, t)| (v.clone(), t.clone())));
    Some(both)
}

fn join(left: &[Solution], right: &[Solution]) -> Solutions {
    if left.len() * right.len() > MOST_PAIRS {
        return Err(TooMany);
    }
    let mut out = Vec::new();
    for a in left {
        out.extend(right.iter().filter_map(|b| merged(a, b)));
        if out.len() > MOST {
            return Err(TooMany);
        }
    }
    Ok(out)
}

fn distinct(mut solutions: Vec<Solution>) -> Vec<Solution> {
    let mut seen = HashSet::new();
    solutions.retain(|solution| seen.insert(format!("{solution:?}")));
    solutions
}

/// The variable that stands for a blank node of a pattern. No query can write its name; the patterns that a path is split into
/// share it, and it is not in solutions that are counted or projected.
fn hidden(label: &str) -> Variable {
    Variable::new_unchecked(format!(" {label}"))
}

fn visible(mut solution: Solution) -> Solution {
    solution.retain(|variable, _| !variable.as_str().starts_with(' '));
    solution
}

/// The term at a path's end, if it is known.
fn fixed(pattern: &TermPattern, given: &Solution) -> Option<Term> {
    match pattern {
        TermPattern::NamedNode(node) => Some(node.clone().into()),
        TermPattern::Literal(literal) => Some(literal.clone().into()),
        TermPattern::Variable(variable) => given.get(variable).cloned(),
        TermPattern::BlankNode(_) | TermPattern::Triple(_) => None,
    }
}

fn bind(variable: Variable, term: &Term, solution: &mut Solution) -> bool {
    solution.entry(variable).or_insert_with(|| term.clone()) == term
}

fn matches_term(pattern: &TermPattern, term: &Term, solution: &mut Solution) -> bool {
    match pattern {
        TermPattern::NamedNode(node) => *term == Term::from(node.clone()),
        TermPattern::Literal(literal) => *term == Term::from(literal.clone()),
        TermPattern::BlankNode(node) => bind(hidden(node.as_str()), term, solution),
        TermPattern::Variable(variable) => bind(variable.clone(), term, solution),
        TermPattern::Triple(pattern) => match term {
            Term::Triple(triple) => matches_triple(pattern, triple, solution),
            _ => false,
        },
    }
}

fn matches_triple(pattern: &TriplePattern, triple: &Triple, solution: &mut Solution) -> bool {
    let subject = match &triple.subject {
        NamedOrBlankNode::NamedNode(node) => Term::from(node.clone()),
        NamedOrBlankNode::BlankNode(node) => node.clone().into(),
    };
    let predicate = match &pattern.predicate {
        NamedNodePattern::NamedNode(node) => *node == triple.predicate,
        NamedNodePattern::Variable(variable) => bind(variable.clone(), &triple.predicate.clone().into(), solution),
    };
    predicate
        && matches_term(&pattern.subject, &subject, solution)
        && matches_term(&pattern.object, &triple.object, solution)
}

fn ground(term: &GroundTerm) -> Term {
    match term {
        GroundTerm::NamedNode(node) => node.clone().into(),
        GroundTerm::Literal(literal) => literal.clone().into(),
        GroundTerm::Triple(triple) => {
            Triple::new(triple.subject.clone(), triple.predicate.clone(), ground(&triple.object)).into()
        }
    }
}
