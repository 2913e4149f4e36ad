//! Why a query has no solution: first single terms, then the smallest set of conditions that nothing meets.

mod datasets;
mod described;
mod filter;
mod literal;
mod reasons;
mod template;
mod tried;

use super::place::QueryText;
use super::{AdviceRequest, Diagnostic, EMPTY_DATASET, terms};
use kgq_engine::query::Form;
use kgq_engine::query::atoms::{Atom, AtomKind, Atoms, atoms};
use kgq_syntax::text::count;
use std::cell::Cell;

/// The most queries that may be evaluated for this.
const MOST_PROBES: usize = 64;
/// The most statements that are examined for a similar literal.
const MOST_ROWS: usize = 20_000;
/// Solutions are counted exactly up to here.
const MOST_COUNTED: usize = 1_000;
/// At most this many conditions of a query are examined.
const MOST_CONDITIONS: usize = 1_000;

pub fn why(asked: &AdviceRequest<'_>, text: &QueryText<'_>) -> Vec<Diagnostic> {
    let taken = atoms(asked.query);
    let probes = Probes { asked, taken: &taken, asked_for: Cell::new(0) };
    if let Some(diagnostic) = probes.sliced(text) {
        return vec![diagnostic];
    }
    if asked.snapshot.triple_count() + asked.snapshot.quad_count() == 0 {
        return vec![Diagnostic::new(EMPTY_DATASET, "there are no data: no file has a statement").at(text, None)];
    }
    // The terms that DESCRIBE names are values of variables.
    if taken.atoms.iter().all(|atom| atom.condition == AtomKind::Bind) && asked.query.form() == Form::Describe {
        return described::described(asked, text);
    }
    // Required conditions: an unknown term that all solutions of them need is the reason. Terms inside OPTIONAL are not.
    let is_required = |atom: &Atom| matches!(atom.condition, AtomKind::Triple { .. } | AtomKind::Path { .. });
    let required: Vec<usize> = (0..taken.atoms.len()).filter(|at| is_required(&taken.atoms[*at])).collect();
    let (guesses, more) = terms::missing(asked, &taken.ask(&required), text);
    if !guesses.is_empty() {
        return probes.proposed(guesses, more);
    }
    let literals = required.iter().filter_map(|at| literal::literal(asked, &taken.atoms[*at], text));
    let literals: Vec<terms::Guess> = literals.take(super::MOST_DIAGNOSTICS).collect();
    if !literals.is_empty() {
        return probes.proposed(literals, 0);
    }
    probes.why(text)
}

/// The conditions of a query, and the queries evaluated to test them.
struct Probes<'a> {
    asked: &'a AdviceRequest<'a>,
    taken: &'a Atoms,
    asked_for: Cell<usize>,
}

impl Probes<'_> {
    /// LIMIT and OFFSET that leave no rows.
    fn sliced(&self, text: &QueryText<'_>) -> Option<Diagnostic> {
        if self.taken.limit == Some(0) {
            return Some(Diagnostic::new("limit-zero", "LIMIT 0 asks for no rows").at(text, text.keyword("LIMIT")));
        }
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        if self.taken.offset > 0 && !self.taken.having && self.hold(&all) == Some(true) {
            let message = format!("OFFSET {} passes over every row", self.taken.offset);
            return Some(Diagnostic::new("offset-beyond", message).at(text, text.keyword("OFFSET")));
        }
        None
    }

    fn why(&self, text: &QueryText<'_>) -> Vec<Diagnostic> {
        let all: Vec<usize> = (0..self.taken.atoms.len().min(MOST_CONDITIONS)).collect();
        match self.hold(&all) {
            Some(true) if all.len() == self.taken.atoms.len() => return self.after_all(text),
            Some(false) => {}
            Some(true) | None => return Vec::new(),
        }
        // Finds the shortest prefix without a solution: each condition can only remove solutions.
        let (mut good, mut bad) = (0, all.len());
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            match self.hold(&all[..middle]) {
                Some(true) => good = middle,
                Some(false) => bad = middle,
                None => return self.beginning(good, text),
            }
        }
        let mut core: Vec<usize> = all[..bad].to_vec();
        // Conditions that can be dropped without a solution appearing are not part of the reason.
        for atom in (0..bad.saturating_sub(1)).rev() {
            let without: Vec<usize> = core.iter().copied().filter(|a| *a != atom).collect();
            if !self.keeps_variables(&without) {
                continue;
            }
            match self.hold(&without) {
                Some(false) => core = without,
                Some(true) => {}
                None => break,
            }
        }
        self.explain(&core, text)
    }

    /// Whether every FILTER among these still has its variables bound: otherwise it accepts nothing.
    fn keeps_variables(&self, which: &[usize]) -> bool {
        let bound = |before: usize, v| {
            which
                .iter()
                .any(|a| *a != before && !self.taken.only_restricts(*a) && self.taken.atoms[*a].variables.contains(v))
        };
        let originally = |v| {
            (0..self.taken.atoms.len())
                .any(|a| !self.taken.only_restricts(a) && self.taken.atoms[a].variables.contains(v))
        };
        which
            .iter()
            .filter(|a| self.taken.only_restricts(**a))
            .all(|a| self.taken.atoms[*a].variables.iter().all(|v| bound(*a, v) || !originally(v)))
    }

    /// All conditions are met, and still there is no row.
    fn after_all(&self, text: &QueryText<'_>) -> Vec<Diagnostic> {
        if self.taken.having {
            return vec![
                Diagnostic::new("having-rejects-all", "no group passes HAVING").at(text, text.keyword("HAVING")),
            ];
        }
        let early = self.filter_before_graph(text).or_else(|| self.unmade(text));
        early.into_iter().collect()
    }

    /// The time is up: reports how far the query has solutions.
    fn beginning(&self, good: usize, text: &QueryText<'_>) -> Vec<Diagnostic> {
        let Some(next) = self.taken.atoms.get(good) else { return Vec::new() };
        let message = match good {
            0 => "somewhere from here on nothing is found; there was no time to look closer".to_owned(),
            n => format!(
                "the first {} still have solutions; from here on it could not be found out in time",
                count(n as u64, "condition", "conditions")
            ),
        };
        vec![Diagnostic::new("no-common-solution", message).at(text, text.atom(next))]
    }
}
