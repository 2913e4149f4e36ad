//! Explains why an answer has a row, by a witness.
//!
//! A witness W of a row over the data D is a set of statements of D such that the query gives the row over every
//! dataset between W and D, ignoring its outermost ORDER BY, LIMIT and OFFSET. No statement of W can be left out if the
//! query has no negation, no aggregate, no inner LIMIT, and no OPTIONAL whose variables are read outside it before they
//! are surely bound. This does not cover SERVICE, nor values that are computed anew each time (NOW, RAND, UUID, BNODE).
//!
//! It is found from one solution, part by part (`support`). A part that is not taken apart is supported by all that it reads
//! (`footprint`), which is always a witness, though a large one. In the end the query is run again over the witness alone.

mod data;
mod footprint;
mod members;
mod needed;
mod open;
mod steps;
mod support;

use crate::EvaluationOptions;
use crate::query::{Query, functions_of_expression};
use indexmap::IndexSet;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedOrBlankNode, Quad, Term, Triple, Variable};
use members::options_stay_apart;
use open::Opener;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use support::{Asker, KnownValues, Support};

/// Values of variables.
type Solution = FxHashMap<Variable, Term>;

/// The item to be explained.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A row of a SELECT, with a value or none for each of these variables.
    Row(&'a [Variable], &'a [Option<Term>]),
    /// That an ASK is true.
    True,
    /// A triple of a CONSTRUCT or DESCRIBE.
    Triple(&'a Triple),
}

/// Why an answer has a row, a triple, or is true.
#[derive(Clone, Debug)]
pub struct Why {
    /// Without duplicates, in the order in which they were found.
    pub statements: Vec<Quad>,
    pub grounds: Vec<Ground>,
    /// Whether no statement can be left out.
    pub is_irredundant: bool,
}

/// What supports a part of a solution.
#[derive(Clone, Debug)]
pub enum Ground {
    Statement(Quad),
    /// The steps along a property path.
    Path {
        from: Term,
        to: Term,
        steps: Vec<Quad>,
    },
    /// The members of a group, each with its grounds.
    Members(Vec<Vec<Ground>>),
    /// This pattern has no solution, and must continue to have none.
    Absent {
        pattern: String,
    },
    /// This pattern is not taken apart: all statements that it reads count. `statements` is their number.
    Whole {
        pattern: String,
        statements: usize,
    },
}

/// Finds a witness; `None` if the answer has no such row.
///
/// # Errors
/// Those of evaluation; an error if the query computes such a row anew each time.
pub fn why(snapshot: &Snapshot, query: &Query, item: Item<'_>, options: &EvaluationOptions) -> Result<Option<Why>> {
    let asked = Asked::of(query, options)?;
    let mut support = asked.support(snapshot);
    let mut found = None;
    for candidate in asked.candidates(snapshot, item)? {
        if support.pattern(&asked.pattern, candidate.known(), None)? {
            found = Some(candidate);
            break;
        }
    }
    let Some(candidate) = found else { return Ok(None) };
    asked.proved(&mut support, &candidate, item).map(Some)
}

/// Finds witnesses for the ways in which the outermost pattern gives the item, at most `most`, each set of statements
/// once. For nested parts (a sub-SELECT, an EXISTS, a path) only one way is considered.
///
/// # Errors
/// As [`why`].
pub fn witnesses(
    snapshot: &Snapshot,
    query: &Query,
    item: Item<'_>,
    options: &EvaluationOptions,
    most: usize,
) -> Result<Vec<Why>> {
    let asked = Asked::of(query, options)?;
    let mut support = asked.support(snapshot);
    let inner = match &asked.pattern {
        GraphPattern::Project { inner, .. } => inner,
        pattern => pattern,
    };
    let (opened, pattern) = support.opener.open(inner);
    let mut seen: FxHashSet<Vec<Quad>> = FxHashSet::default();
    let mut found = Vec::new();
    for candidate in asked.candidates(snapshot, item)? {
        let solutions = asked.asker.solutions(snapshot, pattern.clone(), candidate.known(), None, Some(most))?;
        for solution in solutions {
            support.collect(&opened, &solution, None)?;
            let own = asked.proved(&mut support, &candidate, item)?;
            let mut sorted = own.statements.clone();
            sorted.sort_by_cached_key(Quad::to_string);
            if seen.insert(sorted) {
                found.push(own);
            }
            if found.len() == most {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Whether the query has the row over these statements alone, ignoring its outermost ORDER BY, LIMIT and OFFSET.
///
/// # Errors
/// Those of evaluation.
pub fn holds<'q>(
    statements: impl IntoIterator<Item = &'q Quad>,
    query: &Query,
    item: Item<'_>,
    options: &EvaluationOptions,
) -> Result<bool> {
    Asked::of(query, options)?.holds(&mut statements.into_iter(), item)
}

/// A query one of whose rows is to be explained.
struct Asked<'a> {
    /// Includes the projection, but not what orders and cuts the rows.
    pattern: GraphPattern,
    query: &'a Query,
    asker: Asker<'a>,
    opener: std::cell::Cell<Opener>,
}

/// Values with which the row can come about, and statements that it needs in addition to those that match.
#[derive(Default)]
struct Candidate {
    bound: Solution,
    unbound: Vec<Variable>,
    statements: Vec<Quad>,
}

impl Candidate {
    fn known(&self) -> KnownValues<'_> {
        KnownValues::Row(&self.bound, &self.unbound)
    }
}

impl<'a> Asked<'a> {
    fn of(query: &'a Query, options: &'a EvaluationOptions) -> Result<Self> {
        let (dataset, pattern, base) = match &query.algebra {
            spargebra::Query::Select { dataset, pattern, base_iri }
            | spargebra::Query::Construct { dataset, pattern, base_iri, .. }
            | spargebra::Query::Describe { dataset, pattern, base_iri }
            | spargebra::Query::Ask { dataset, pattern, base_iri } => (dataset, pattern, base_iri),
        };
        if crate::query::needs_network(&query.algebra) {
            return Err(Error::policy("what SERVICE answers cannot be explained: it is not in this graph"));
        }
        let mut pattern = without_order(pattern);
        let mut opener = Opener::default();
        opener.name_blank_nodes(&mut pattern);
        let mut computed = FxHashSet::default();
        new_each_time(&pattern, &mut computed);
        let asker = Asker { dataset: dataset.as_ref(), base: base.as_ref(), options, computed };
        Ok(Self { pattern, query, asker, opener: std::cell::Cell::new(opener) })
    }

    fn support<'s>(&'s self, snapshot: &'s Snapshot) -> Support<'s> {
        Support {
            asker: &self.asker,
            snapshot,
            opener: self.opener.take(),
            grounds: Vec::new(),
            statements: IndexSet::default(),
            positive: true,
        }
    }

    /// Returns the ways in which the item can come about.
    fn candidates(&self, snapshot: &Snapshot, item: Item<'_>) -> Result<Vec<Candidate>> {
        match (item, &self.query.algebra) {
            (Item::Row(variables, row), spargebra::Query::Select { .. }) => {
                let mut candidate = Candidate::default();
                for (variable, value) in variables.iter().zip(row).filter(|(v, _)| !self.asker.computed.contains(*v)) {
                    match value {
                        Some(value) => drop(candidate.bound.insert(variable.clone(), value.clone())),
                        None => candidate.unbound.push(variable.clone()),
                    }
                }
                Ok(vec![candidate])
            }
            (Item::True, spargebra::Query::Ask { .. }) => Ok(vec![Candidate::default()]),
            (Item::Triple(triple), spargebra::Query::Construct { template, .. }) => {
                let unified = template.iter().filter_map(|pattern| unify(pattern, triple));
                Ok(unified.map(|bound| Candidate { bound, ..Candidate::default() }).collect())
            }
            (Item::Triple(triple), spargebra::Query::Describe { .. }) => self.describing(snapshot, triple),
            _ => Err(Error::bug("this is nothing that a query of this form answers")),
        }
    }

    /// Makes a witness of the collected statements and the candidate's own. The query is run over it; if nothing must
    /// be absent, unnecessary statements are left out. The collection is empty afterwards.
    fn proved(&self, support: &mut Support<'_>, candidate: &Candidate, item: Item<'_>) -> Result<Why> {
        support.statements.extend(candidate.statements.iter().cloned());
        support.grounds.extend(candidate.statements.iter().cloned().map(Ground::Statement));
        let holds = |statements: &mut dyn Iterator<Item = &Quad>| self.holds(statements, item);
        if !holds(&mut support.statements.iter())? {
            support.whole(&self.pattern, &Solution::default(), None)?;
        }
        let is_positive = std::mem::replace(&mut support.positive, true) && options_stay_apart(&self.pattern);
        if is_positive {
            let needed = needed::needed(self, support.statements.iter(), &candidate.bound)?;
            minimise(&mut support.statements, &needed, &holds)?;
        }
        let statements = std::mem::take(&mut support.statements);
        let mut grounds = std::mem::take(&mut support.grounds);
        keep_grounds(&mut grounds, &statements);
        Ok(Why { statements: statements.into_iter().collect(), grounds, is_irredundant: is_positive })
    }

    /// A resource is described by its statements and by those of the blank nodes that they lead to.
    fn describing(&self, snapshot: &Snapshot, triple: &Triple) -> Result<Vec<Candidate>> {
        let graphs = data::Graphs::of_query(self.asker.dataset, self.asker.options.default_graph);
        let data = data::Data { snapshot, graphs };
        let Triple { subject, predicate, object } = triple;
        let own = data.matching(Some(&subject.clone().into()), Some(predicate), Some(object))?;
        let mut variables = Vec::new();
        self.pattern.on_in_scope_variable(|variable| variables.push(variable.clone()));
        let mut candidates = Vec::new();
        let mut open: Vec<(NamedOrBlankNode, Vec<Quad>)> = vec![(subject.clone(), own.into_iter().take(1).collect())];
        let mut seen = FxHashSet::default();
        while let Some((node, way)) = open.pop() {
            for variable in &variables {
                let bound = [(variable.clone(), node.clone().into())].into_iter().collect();
                candidates.push(Candidate { bound, statements: way.clone(), ..Candidate::default() });
            }
            if matches!(node, NamedOrBlankNode::BlankNode(_)) && seen.insert(node.clone()) {
                for quad in data.matching(None, None, Some(&node.into()))? {
                    let mut longer = way.clone();
                    longer.push(quad.clone());
                    open.push((quad.subject, longer));
                }
            }
        }
        Ok(candidates)
    }

    fn holds(&self, statements: &mut dyn Iterator<Item = &Quad>, item: Item<'_>) -> Result<bool> {
        let snapshot = Snapshot::from_quads(statements.cloned())?;
        for Candidate { bound, unbound, statements } in self.candidates(&snapshot, item)? {
            // The described triple must exist too.
            if matches!(self.query.algebra, spargebra::Query::Describe { .. }) && statements.is_empty() {
                continue;
            }
            let known = KnownValues::Row(&bound, &unbound);
            if !self.asker.solutions(&snapshot, self.pattern.clone(), known, None, Some(1))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Removes each statement without which the row still exists. Those known to be needed are not tried.
fn minimise(
    statements: &mut IndexSet<Quad, FxBuildHasher>,
    needed: &FxHashSet<Quad>,
    holds: &dyn Fn(&mut dyn Iterator<Item = &Quad>) -> Result<bool>,
) -> Result<()> {
    let mut at = statements.len();
    while let Some(before) = at.checked_sub(1) {
        at = before;
        if statements.get_index(at).is_some_and(|quad| needed.contains(quad)) {
            continue;
        }
        let others = |(number, quad)| if number == at { None } else { Some(quad) };
        if holds(&mut statements.iter().enumerate().filter_map(others))? {
            statements.shift_remove_index(at);
        }
    }
    Ok(())
}

/// Removes the grounds whose statements were removed.
fn keep_grounds(grounds: &mut Vec<Ground>, statements: &IndexSet<Quad, FxBuildHasher>) {
    let mut seen = FxHashSet::default();
    grounds.retain_mut(|ground| match ground {
        Ground::Statement(quad) => statements.contains(quad) && seen.insert(quad.clone()),
        Ground::Path { steps, .. } => steps.iter().all(|step| statements.contains(step)),
        Ground::Members(members) => {
            members.iter_mut().for_each(|member| keep_grounds(member, statements));
            true
        }
        Ground::Absent { .. } | Ground::Whole { .. } => true,
    });
}

/// Returns the pattern without its outermost ORDER BY, LIMIT, OFFSET and DISTINCT: the same rows, as a set.
fn without_order(pattern: &GraphPattern) -> GraphPattern {
    match pattern {
        GraphPattern::Slice { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
            without_order(inner)
        }
        GraphPattern::Project { inner, variables } => {
            let mut inner = inner;
            while let GraphPattern::OrderBy { inner: ordered, .. } = inner.as_ref() {
                inner = ordered;
            }
            GraphPattern::Project { inner: inner.clone(), variables: variables.clone() }
        }
        other => other.clone(),
    }
}

/// Matches a triple pattern with a triple and returns the values of its variables; `None` if it cannot have made the triple.
fn unify(pattern: &TriplePattern, triple: &Triple) -> Option<Solution> {
    fn term(pattern: &TermPattern, value: &Term, found: &mut Solution) -> bool {
        match pattern {
            TermPattern::NamedNode(node) => *value == Term::from(node.clone()),
            TermPattern::Literal(literal) => *value == Term::from(literal.clone()),
            // Each solution has a new blank node.
            TermPattern::BlankNode(_) => matches!(value, Term::BlankNode(_)),
            TermPattern::Variable(variable) => {
                found.insert(variable.clone(), value.clone()).is_none_or(|before| before == *value)
            }
            TermPattern::Triple(pattern) => match value {
                Term::Triple(triple) => parts(pattern, triple, found),
                Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) => false,
            },
        }
    }
    fn parts(pattern: &TriplePattern, triple: &Triple, found: &mut Solution) -> bool {
        let predicate = match &pattern.predicate {
            NamedNodePattern::NamedNode(node) => node.clone().into(),
            NamedNodePattern::Variable(variable) => TermPattern::from(variable.clone()),
        };
        term(&pattern.subject, &triple.subject.clone().into(), found)
            && term(&predicate, &triple.predicate.clone().into(), found)
            && term(&pattern.object, &triple.object, found)
    }
    let mut found = Solution::default();
    parts(pattern, triple, &mut found).then_some(found)
}

/// Collects the variables that are computed anew each time (SPARQL 1.1 §17.4), or from such variables.
fn new_each_time(pattern: &GraphPattern, found: &mut FxHashSet<Variable>) {
    let is_new = |expression: &Expression, found: &FxHashSet<Variable>| {
        let mut new = false;
        functions_of_expression(expression, &mut |function| {
            new |= matches!(
                function,
                Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode | Function::Now
            );
        });
        crate::query::variables_of_expression(expression, &mut |variable| new |= found.contains(variable));
        new
    };
    let mut inner = pattern.clone();
    crate::query::parts::for_each_part(&mut inner, &mut |part| {
        if let crate::query::parts::Child::Pattern(inner) = part {
            new_each_time(inner, found);
        }
    });
    if let GraphPattern::Extend { variable, expression, .. } = pattern
        && is_new(expression, found)
    {
        found.insert(variable.clone());
    }
}

#[cfg(test)]
mod tests;
