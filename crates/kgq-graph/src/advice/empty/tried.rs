//! No suggestion that was not tried: each changed form of a query is asked before it is told of, and must have solutions.
//!
//! This is the one place that turns a changed query into words, so that none can be suggested without.

use super::{MOST_COUNTED, MOST_PROBES, Probes};
use crate::advice::terms::Guess;
use crate::advice::{Finding, with_more};
use kgq_engine::query::Query;
use kgq_engine::query::atoms::Atoms;
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits, Row};
use kgq_syntax::rdf::{Term, Variable};
use kgq_syntax::text::count;

impl Probes<'_> {
    /// The answer to a query within what is left of time and of questions.
    fn asked(&self, query: &Query) -> Option<Answer> {
        let left = self.asked.budget.left()?;
        if self.asked_for.get() == MOST_PROBES {
            return None;
        }
        self.asked_for.set(self.asked_for.get() + 1);
        let time = self.asked.options.limits.time.map_or(left, |most| most.min(left));
        let limits = Limits { time: Some(time), rows: None, ..self.asked.options.limits };
        let options = EvaluationOptions { limits, ..self.asked.options.clone() };
        engine::evaluate(self.asked.snapshot, query, &options).ok()
    }

    /// Whether some of the conditions have a solution together; `None` if that could not be found out.
    pub(super) fn hold(&self, which: &[usize]) -> Option<bool> {
        match self.asked(&self.taken.ask(which))? {
            Answer::Boolean(value) => Some(value),
            Answer::Solutions(_) | Answer::Graph(_) => None,
        }
    }

    /// The first solutions of some of the conditions.
    pub(super) fn rows(&self, which: &[usize], most: usize) -> Option<(Vec<Variable>, Vec<Row>)> {
        self.rows_of(self.taken, which, most)
    }

    fn rows_of(&self, atoms: &Atoms, which: &[usize], most: usize) -> Option<(Vec<Variable>, Vec<Row>)> {
        if which.iter().all(|a| atoms.only_restricts(*a)) {
            return None;
        }
        match self.asked(&atoms.select(which, most))? {
            Answer::Solutions(solutions) => {
                let rows: Result<Vec<Row>, _> = solutions.rows.collect();
                Some((solutions.variables, rows.ok()?))
            }
            Answer::Boolean(_) | Answer::Graph(_) => None,
        }
    }

    /// How many solutions conditions have, as far as they are counted.
    pub(super) fn count(&self, which: &[usize]) -> Option<usize> {
        Some(self.rows(which, MOST_COUNTED)?.1.len())
    }

    /// What a changed form gives: of the whole query, or else of the part that is the reason; nothing if that gives nothing.
    pub(super) fn gives(&self, changed: &Atoms, part: &[usize]) -> Option<String> {
        let all: Vec<usize> = (0..changed.atoms.len()).collect();
        let solutions = |which: &[usize]| {
            let n = self.rows_of(changed, which, MOST_COUNTED)?.1.len();
            (n > 0).then(|| some(n))
        };
        match solutions(&all) {
            Some(found) => Some(format!("that gives {found}")),
            None if part.len() == all.len() => None,
            None => Some(format!("that gives {} here, though none of the whole query yet", solutions(part)?)),
        }
    }

    /// A suggestion with what it gives, if it gives anything.
    pub(super) fn tried(&self, words: &str, changed: &Atoms, part: &[usize]) -> Option<String> {
        Some(format!("{words}: {}", self.gives(changed, part)?))
    }

    /// What is said of terms that the data do not have so. If several are wrong, all are put right together, since one by one the
    /// query would stay empty.
    pub(super) fn proposed(&self, guesses: Vec<Guess>, more: usize) -> Vec<Finding> {
        let together: Vec<(Term, Term)> =
            guesses.iter().filter_map(|guess| Some((guess.term.clone(), guess.meant.first()?.clone()))).collect();
        let whole = (together.len() > 1 && guesses.iter().all(|guess| guess.only.is_none()))
            .then(|| {
                let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
                self.gives(&self.taken.with_terms(&together, None), &all)
            })
            .flatten();
        let last = guesses.iter().rposition(|guess| !guess.meant.is_empty());
        let told = guesses.into_iter().enumerate().map(|(at, guess)| {
            let hint = match (&whole, guess.meant.first()) {
                (Some(gives), Some(meant)) => {
                    let meant = self.meant(meant);
                    Some(if Some(at) == last { format!("{meant} with all of these {gives}") } else { meant })
                }
                _ => guess.meant.iter().find_map(|meant| self.proposal(&guess, meant)),
            };
            guess.finding.hint_if(hint.or(guess.otherwise))
        });
        with_more(told.collect(), more)
    }

    /// What is said of a term in whose place another gives something.
    pub(super) fn proposal(&self, guess: &Guess, meant: &Term) -> Option<String> {
        let changed = self.taken.with_terms(&[(guess.term.clone(), meant.clone())], guess.only);
        // The conditions that name the term, each by itself.
        let mut parts: Vec<Vec<usize>> = (0..self.taken.atoms.len())
            .filter(|at| guess.only.is_none() && self.taken.names(*at, &guess.term))
            .map(|at| vec![at])
            .collect();
        parts.truncate(2);
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        let gives = if parts.is_empty() {
            self.gives(&changed, &all)?
        } else {
            parts.iter().find_map(|part| self.gives(&changed, part))?
        };
        Some(format!("{} {gives}", self.meant(meant)))
    }

    fn meant(&self, term: &Term) -> String {
        let shown = self.asked.shown(term);
        match term {
            Term::NamedNode(_) => format!("did you mean `{shown}`?"),
            Term::Literal(_) | Term::BlankNode(_) | Term::Triple(_) => format!("did you mean {shown}?"),
        }
    }
}

/// A number of solutions, as far as they are counted.
pub(super) fn some(n: usize) -> String {
    if n >= MOST_COUNTED {
        return format!("{MOST_COUNTED} solutions or more");
    }
    count(n as u64, "solution", "solutions")
}
