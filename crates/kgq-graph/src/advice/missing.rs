//! Why an expected row is missing: the condition that removes it, and the statement that would have let it pass.
//!
//! The conditions are tested from the first on, with the expected values of their variables, to find the one that lets
//! nothing pass.

use super::AdviceRequest;
use super::place::QueryText;
use kgq_engine::query::atoms::{Atom, AtomKind, Atoms, PatternTerm, atoms};
use kgq_engine::query::expected::Expectation;
use kgq_engine::query::{Binding, BoundTo, bind};
use kgq_engine::why::{Item, why};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits};
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Quad, Term, TermRef, Variable};
use rustc_hash::FxHashMap;

/// The most solutions before the condition for which the nearest statement is looked for.
const MOST_TRIED: usize = 50;
/// The most near statements that are shown.
const SHOWN: usize = 3;

/// The condition that removes all expected rows.
#[derive(Clone, Debug)]
pub struct Removal {
    /// Its place in the query.
    pub place: Option<Place>,
    /// The condition as written, or as in the algebra.
    pub condition: String,
    pub lack: Lack,
}

/// What the condition requires.
#[derive(Clone, Debug)]
pub enum Lack {
    /// A statement that is not in the graph.
    Statement {
        wanted: Wanted,
        /// The statements that come nearest to it.
        near: Vec<Quad>,
    },
    /// That an expression is true, or has another value; the variables have these values.
    Values(Vec<(Variable, Option<Term>)>),
    /// That these statements are absent.
    Absence(Vec<Quad>),
    /// Something else that has no match.
    Match,
}

/// A statement of which some parts are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub subject: PatternTerm,
    pub predicate: PatternTerm,
    pub object: PatternTerm,
}

/// The values of variables.
type Solution = FxHashMap<Variable, Term>;

pub fn removal(asked: &AdviceRequest<'_>, expected: &[Expectation], text: &QueryText<'_>) -> Result<Option<Removal>> {
    let taken = atoms(asked.query);
    let search = Search { asked, taken: &taken, expected };
    let Some(core) = search.core()? else { return Ok(None) };
    let (culprit, before) = core.split_last().map_or((0, &[][..]), |(last, before)| (*last, before));
    let atom = &taken.atoms[culprit];
    let span = text.atom(atom);
    let condition = match &span {
        Some(span) => text.source.text.get(span.clone()).unwrap_or_default().to_owned(),
        None => search.described(atom),
    };
    Ok(Some(Removal {
        place: span.map(|span| text.source.place(span)),
        condition: condition.split_whitespace().collect::<Vec<_>>().join(" "),
        lack: search.lack(culprit, before)?,
    }))
}

struct Search<'a> {
    asked: &'a AdviceRequest<'a>,
    taken: &'a Atoms,
    expected: &'a [Expectation],
}

impl Search<'_> {
    /// Returns conditions of which the last removes everything that the others let pass; `None` if together they let
    /// something pass.
    fn core(&self) -> Result<Option<Vec<usize>>> {
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        if !self.solutions(&all, 1)?.is_empty() {
            return Ok(None);
        }
        // Each condition can only remove solutions.
        let (mut good, mut bad) = (0, all.len());
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if self.solutions(&all[..middle], 1)?.is_empty() { bad = middle } else { good = middle }
        }
        Ok(Some(all[..bad].to_vec()))
    }

    /// Returns solutions of these conditions that have the expected values.
    fn solutions(&self, which: &[usize], most: usize) -> Result<Vec<Solution>> {
        let query = self.taken.select_expecting(which, self.expected, most);
        let options = EvaluationOptions {
            limits: Limits { rows: None, ..self.asked.options.limits },
            ..self.asked.options.clone()
        };
        let Answer::Solutions(found) = engine::evaluate(self.asked.snapshot, &query, &options)? else {
            return Err(Error::bug("a SELECT has no solutions"));
        };
        let names = found.variables;
        let solution = |row: Result<engine::Row>| -> Result<Solution> {
            Ok(names.iter().cloned().zip(row?).filter_map(|(name, value)| Some((name, value?))).collect())
        };
        found.rows.map(solution).collect()
    }

    /// Returns what is known when the condition is tested: solutions of the conditions before it, with the expected
    /// values.
    fn before(&self, before: &[usize]) -> Result<Vec<Solution>> {
        let mut found = if before.is_empty() { vec![Solution::default()] } else { self.solutions(before, MOST_TRIED)? };
        for solution in &mut found {
            for expectation in self.expected {
                let node = expectation.node.clone().map(Term::from);
                let text = || expectation.text.as_ref().map(|text| Literal::new_simple_literal(text).into());
                if let Some(term) = node.or_else(text) {
                    solution.entry(expectation.variable.clone()).or_insert(term);
                }
            }
        }
        Ok(found)
    }

    fn lack(&self, culprit: usize, before: &[usize]) -> Result<Lack> {
        let atom = &self.taken.atoms[culprit];
        let known = self.before(before)?;
        match &atom.condition {
            AtomKind::Triple { subject, predicate, object } => {
                let parts = [subject, predicate, object].map(PatternTerm::clone);
                Ok(self.statement(parts, &known))
            }
            AtomKind::Minus | AtomKind::Filter => {
                if let Some(query) = self.taken.ask_excluded(culprit) {
                    return self.excluded(&query, &known);
                }
                Ok(Lack::Values(values(atom, &known)))
            }
            AtomKind::Bind | AtomKind::Optional => {
                // Includes what this condition itself binds, without what is expected of it.
                let including: Vec<usize> = before.iter().copied().chain([culprit]).collect();
                let others: Vec<Expectation> =
                    self.expected.iter().filter(|e| !atom.variables.contains(&e.variable)).cloned().collect();
                let freed = Search { expected: &others, ..*self }.solutions(&including, 1)?;
                let own = self.expected.iter().map(|e| &e.variable).filter(|v| atom.variables.contains(*v));
                let first = freed.into_iter().next().unwrap_or_default();
                Ok(Lack::Values(own.map(|variable| (variable.clone(), first.get(variable).cloned())).collect()))
            }
            AtomKind::Values | AtomKind::Path { .. } | AtomKind::Union | AtomKind::SubSelect => Ok(Lack::Match),
        }
    }

    /// The wanted statement, for the solution to which some statement comes nearest.
    fn statement(&self, parts: [PatternTerm; 3], known: &[Solution]) -> Lack {
        let wanted = |solution: &Solution| {
            let [subject, predicate, object] = parts.clone().map(|node| match node {
                PatternTerm::Variable(variable) => match solution.get(&variable) {
                    Some(term) => PatternTerm::Term(term.clone()),
                    None => PatternTerm::Variable(variable),
                },
                node => node,
            });
            Wanted { subject, predicate, object }
        };
        let tried = known.iter().map(|solution| {
            let wanted = wanted(solution);
            let (rank, near) = self.near(&wanted);
            (rank, wanted, near)
        });
        let nearest = tried.min_by_key(|(rank, ..)| *rank);
        let (_, wanted, near) = nearest.unwrap_or_else(|| (usize::MAX, wanted(&Solution::default()), Vec::new()));
        Lack::Statement { wanted, near }
    }

    /// Statements of the same thing with the same property; else between the same two things; else of others with the
    /// same value.
    fn near(&self, wanted: &Wanted) -> (usize, Vec<Quad>) {
        let (subject, object) = (term(&wanted.subject), term(&wanted.object));
        let property = match term(&wanted.predicate) {
            Some(Term::NamedNode(node)) => Some(node),
            _ => None,
        };
        let subject = subject.filter(|term| !matches!(term, Term::Literal(_) | Term::Triple(_)));
        let ways: [[Option<&Term>; 2]; 4] = [[subject, None], [subject, object], [object, subject], [None, object]];
        for (rank, [from, to]) in ways.into_iter().enumerate() {
            let of_property = if rank == 1 { None } else { property };
            let is_about = match rank {
                0 => from.is_some() && of_property.is_some(),
                1 | 2 => from.is_some() && to.is_some() && !matches!(from, Some(Term::Literal(_) | Term::Triple(_))),
                _ => to.is_some() && of_property.is_some(),
            };
            let near = if is_about { self.find(from, of_property, to) } else { Vec::new() };
            if !near.is_empty() {
                return (rank, near);
            }
        }
        (ways.len(), Vec::new())
    }

    fn find(&self, subject: Option<&Term>, property: Option<&NamedNode>, object: Option<&Term>) -> Vec<Quad> {
        let property = property.map(|node| TermRef::from(node.as_ref()));
        self.asked.snapshot.find(subject.map(Term::as_ref), property, object.map(Term::as_ref)).take(SHOWN).collect()
    }

    /// The statements that match what must be absent, for the first of the solutions that has any.
    fn excluded(&self, query: &engine::query::Query, known: &[Solution]) -> Result<Lack> {
        for solution in known {
            let mut query = query.clone();
            // A query cannot name a blank node.
            let named = solution.iter().filter(|(_, term)| matches!(term, Term::NamedNode(_) | Term::Literal(_)));
            let values =
                named.map(|(variable, term)| Binding { variable: variable.clone(), value: BoundTo::One(term.clone()) });
            bind(&mut query, &values.collect::<Vec<_>>());
            if let Some(found) = why(self.asked.snapshot, &query, Item::True, self.asked.options)? {
                return Ok(Lack::Absence(found.statements));
            }
        }
        Ok(Lack::Match)
    }

    /// Describes a condition that has no place in the text.
    fn described(&self, atom: &Atom) -> String {
        let node = |node: &PatternTerm| match node {
            PatternTerm::Variable(variable) => variable.to_string(),
            PatternTerm::Term(term) => self.asked.shown(term),
            PatternTerm::Other => "[…]".to_owned(),
        };
        match &atom.condition {
            AtomKind::Triple { subject, predicate, object } => {
                format!("{} {} {}", node(subject), node(predicate), node(object))
            }
            AtomKind::Path { subject, object } => format!("the path from {} to {}", node(subject), node(object)),
            AtomKind::Filter => "a FILTER".to_owned(),
            AtomKind::Optional => "an OPTIONAL".to_owned(),
            AtomKind::Minus => "a MINUS".to_owned(),
            AtomKind::Values => "a VALUES".to_owned(),
            AtomKind::Union => "a UNION".to_owned(),
            AtomKind::SubSelect => "a group of its own".to_owned(),
            AtomKind::Bind => "an expression".to_owned(),
        }
    }
}

impl Wanted {
    /// Returns the thing and the property that the statement is about, if both are known.
    pub fn topic(&self) -> Option<(NamedOrBlankNode, NamedNode)> {
        let subject = match term(&self.subject)? {
            Term::NamedNode(node) => node.clone().into(),
            Term::BlankNode(node) => node.clone().into(),
            Term::Literal(_) | Term::Triple(_) => return None,
        };
        match term(&self.predicate)? {
            Term::NamedNode(node) => Some((subject, node.clone())),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        }
    }
}

fn term(node: &PatternTerm) -> Option<&Term> {
    match node {
        PatternTerm::Term(term) => Some(term),
        PatternTerm::Variable(_) | PatternTerm::Other => None,
    }
}

/// The values of a condition's variables in the first solution.
fn values(atom: &Atom, known: &[Solution]) -> Vec<(Variable, Option<Term>)> {
    let first = known.first();
    atom.variables.iter().map(|v| (v.clone(), first.and_then(|solution| solution.get(v)).cloned())).collect()
}
