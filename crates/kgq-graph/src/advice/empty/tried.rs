//! Every suggestion is tried first: a changed query is suggested only if it was evaluated and has solutions.
//!
//! Only this file turns a changed query into words, so that none can be suggested untried.

use super::{MOST_COUNTED, MOST_PROBES, Probes};
use crate::advice::terms::Guess;
use crate::advice::{Diagnostic, with_more};
use kgq_engine::query::Query;
use kgq_engine::query::atoms::Atoms;
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits, Row};
use kgq_syntax::rdf::{Term, Variable};
use kgq_syntax::text::count;

impl Probes<'_> {
    /// Evaluates a query within the time and the number of queries left.
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

    /// Whether these conditions have a common solution; `None` if this could not be determined.
    pub(super) fn hold(&self, which: &[usize]) -> Option<bool> {
        match self.asked(&self.taken.ask(which))? {
            Answer::Boolean(value) => Some(value),
            Answer::Solutions(_) | Answer::Graph(_) => None,
        }
    }

    /// Returns the first solutions of these conditions.
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

    /// Returns the number of solutions of these conditions, counted up to the limit.
    pub(super) fn count(&self, which: &[usize]) -> Option<usize> {
        Some(self.rows(which, MOST_COUNTED)?.1.len())
    }

    /// Says how many solutions a changed form has: the whole query, or else the part that is the reason; `None` if
    /// neither has any.
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

    /// Returns a suggestion with the number of its solutions; `None` if there are none.
    pub(super) fn tried(&self, words: &str, changed: &Atoms, part: &[usize]) -> Option<String> {
        Some(format!("{words}: {}", self.gives(changed, part)?))
    }

    /// Returns diagnostics on terms that the data do not have in this way. If several are wrong, all are corrected
    /// together, because correcting one would leave the query empty.
    pub(super) fn proposed(&self, guesses: Vec<Guess>, more: usize) -> Vec<Diagnostic> {
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
            guess.diagnostic.hint_if(hint.or(guess.otherwise))
        });
        with_more(told.collect(), more)
    }

    /// Suggests another term in place of this one, if that gives solutions.
    pub(super) fn proposal(&self, guess: &Guess, meant: &Term) -> Option<String> {
        let changed = self.taken.with_terms(&[(guess.term.clone(), meant.clone())], guess.only);
        // The conditions that name the term, each on its own.
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

/// Words a number of solutions that was counted up to the limit.
pub(super) fn some(n: usize) -> String {
    if n >= MOST_COUNTED {
        return format!("{MOST_COUNTED} solutions or more");
    }
    count(n as u64, "solution", "solutions")
}
