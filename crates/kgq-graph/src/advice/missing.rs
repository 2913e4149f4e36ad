//! What keeps a row away that is expected: the condition that removes it, and the statement that would have let it pass.
//!
//! The conditions of the query are asked from the first on, with what is expected of the variables that they have, until one lets nothing
//! pass.

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

/// How many solutions before the condition are looked at for the nearest statement.
const MOST_TRIED: usize = 50;
/// How many statements that are near are told.
const SHOWN: usize = 3;

/// The condition that takes all expected rows away.
#[derive(Clone, Debug)]
pub struct Removal {
    /// Where it stands in the query.
    pub place: Option<Place>,
    /// As it is written, or as the algebra has it.
    pub condition: String,
    pub lack: Lack,
}

/// What it wants.
#[derive(Clone, Debug)]
pub enum Lack {
    /// A statement, which nothing states.
    Statement {
        wanted: Wanted,
        /// What is stated and comes nearest to it.
        near: Vec<Quad>,
    },
    /// That an expression is true, or gives another value: these are the values that it has.
    Values(Vec<(Variable, Option<Term>)>),
    /// That nothing states this.
    Absence(Vec<Quad>),
    /// Something else, of which there is none.
    Match,
}

/// A statement of which parts are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub subject: PatternTerm,
    pub predicate: PatternTerm,
    pub object: PatternTerm,
}

/// Values of variables.
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
    /// The conditions of which the last removes what the others let pass; `None` if all let something pass.
    fn core(&self) -> Result<Option<Vec<usize>>> {
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        if !self.solutions(&all, 1)?.is_empty() {
            return Ok(None);
        }
        // Each condition only takes solutions away.
        let (mut good, mut bad) = (0, all.len());
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if self.solutions(&all[..middle], 1)?.is_empty() { bad = middle } else { good = middle }
        }
        Ok(Some(all[..bad].to_vec()))
    }

    /// Solutions of some of the conditions that have what is expected.
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

    /// What is known where the condition is asked: solutions of those before it, with what is expected.
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
                // With what this condition itself gives, and without what is expected of it.
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

    /// The statement that is wanted, of the solution for which something comes nearest to it.
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

    /// What is stated of the same thing with the same property; else of the same two things; else of others with the same value.
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

    /// The statements that make up what must not be there, for the first of the solutions.
    fn excluded(&self, query: &engine::query::Query, known: &[Solution]) -> Result<Lack> {
        for solution in known {
            let mut query = query.clone();
            // A blank node cannot be named in a query.
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

    /// A condition that has no place in the text.
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
    /// The thing and the property of which the graph says nothing, where it says nothing of them.
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

/// What the variables of a condition have in the first solution.
fn values(atom: &Atom, known: &[Solution]) -> Vec<(Variable, Option<Term>)> {
    let first = known.first();
    atom.variables.iter().map(|v| (v.clone(), first.and_then(|solution| solution.get(v)).cloned())).collect()
}
