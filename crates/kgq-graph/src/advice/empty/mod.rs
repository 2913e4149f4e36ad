//! Why a query has no solution: single terms first, then the smallest set of conditions that nothing meets.

mod literal;
mod reasons;

use super::place::Text;
use super::{Asked, Finding, terms};
use kgq_engine::query::atoms::{Atom, Atoms, Condition, atoms};
use kgq_engine::query::{Form, Query};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits};
use kgq_syntax::text::count;
use std::time::{Duration, Instant};

/// How long the search may take, and how many queries it may ask.
const TIME: Duration = Duration::from_secs(1);
const MOST_PROBES: usize = 64;
/// How many statements are looked at for a literal that is almost the same.
const MOST_ROWS: usize = 20_000;
/// Counts are exact up to here.
const MOST_COUNTED: usize = 1_000;

pub fn why(asked: &Asked<'_>, text: &Text<'_>) -> Vec<Finding> {
    let taken = atoms(asked.query);
    if let Some(finding) = sliced(asked, &taken, text) {
        return vec![finding];
    }
    if asked.snapshot.triple_count() + asked.snapshot.quad_count() == 0 {
        return vec![Finding::new("empty-dataset", "there are no data: no file has a statement").at(text, None)];
    }
    let mut found = terms::unknown(asked, text);
    let required = |atom: &&Atom| matches!(atom.condition, Condition::Triple { .. });
    for atom in taken.atoms.iter().filter(required) {
        found.extend(literal::literal(asked, atom, text));
    }
    if !found.is_empty() {
        return found;
    }
    let mut probes = Probes { asked, taken: &taken, started: Instant::now(), asked_for: 0 };
    probes.why(text)
}

/// LIMIT and OFFSET that leave nothing.
fn sliced(asked: &Asked<'_>, taken: &Atoms, text: &Text<'_>) -> Option<Finding> {
    if taken.limit == Some(0) {
        return Some(Finding::new("limit-zero", "LIMIT 0 asks for no rows").at(text, text.keyword("LIMIT")));
    }
    let all: Vec<usize> = (0..taken.atoms.len()).collect();
    if taken.offset > 0 && holds(asked, &taken.ask(&all), TIME) == Some(true) && !taken.having {
        return Some(
            Finding::new("offset-beyond", format!("OFFSET {} passes over every row", taken.offset))
                .at(text, text.keyword("OFFSET")),
        );
    }
    None
}

/// Whether an ASK holds; `None` if that could not be found out in time.
fn holds(asked: &Asked<'_>, query: &Query, time: Duration) -> Option<bool> {
    let limits = Limits { time: Some(time), ..asked.options.limits };
    let options = EvaluationOptions { limits, cancelled: std::sync::Arc::default(), ..asked.options.clone() };
    match engine::evaluate(asked.snapshot, query, &options) {
        Ok(Answer::Boolean(value)) => Some(value),
        Ok(Answer::Solutions(_) | Answer::Graph(_)) | Err(_) => None,
    }
}

struct Probes<'a> {
    asked: &'a Asked<'a>,
    taken: &'a Atoms,
    started: Instant,
    asked_for: usize,
}

impl Probes<'_> {
    /// Whether some of the conditions have a solution together; `None` if time or probes are used up.
    fn hold(&mut self, which: &[usize]) -> Option<bool> {
        let left = TIME.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero())?;
        if self.asked_for == MOST_PROBES {
            return None;
        }
        self.asked_for += 1;
        holds(self.asked, &self.taken.ask(which), left)
    }

    fn why(&mut self, text: &Text<'_>) -> Vec<Finding> {
        let all: Vec<usize> = (0..self.taken.atoms.len()).collect();
        match self.hold(&all) {
            Some(true) => return self.after_all(text),
            Some(false) => {}
            None => return Vec::new(),
        }
        let mut whole = true;
        // The shortest beginning without a solution: each condition only takes solutions away.
        let (mut good, mut bad) = (0, all.len());
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            match self.hold(&all[..middle]) {
                Some(true) => good = middle,
                Some(false) => bad = middle,
                None => {
                    whole = false;
                    break;
                }
            }
        }
        let mut core: Vec<usize> = all[..bad].to_vec();
        if !whole {
            return self.beginning(good, text);
        }
        // What can be left out without a solution appearing is not the reason.
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

    /// Whether every FILTER among these still has its variables bound, which it needs to accept anything.
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

    /// The conditions are met, and still there is no row.
    fn after_all(&self, text: &Text<'_>) -> Vec<Finding> {
        if self.taken.having {
            return vec![Finding::new("having-rejects-all", "no group passes HAVING").at(text, text.keyword("HAVING"))];
        }
        if self.asked.query.form() == Form::Construct {
            let message = "there are solutions, but none binds what the template needs";
            return vec![Finding::new("template-unbound", message).at(text, text.keyword("CONSTRUCT"))];
        }
        Vec::new()
    }

    /// Time is up: how far the query has solutions.
    fn beginning(&self, good: usize, text: &Text<'_>) -> Vec<Finding> {
        let Some(next) = self.taken.atoms.get(good) else { return Vec::new() };
        let message = match good {
            0 => "somewhere from here on nothing is found; there was no time to look closer".to_owned(),
            n => format!(
                "the first {} still have solutions; from here on it could not be found out in time",
                count(n as u64, "condition", "conditions")
            ),
        };
        vec![Finding::new("no-common-solution", message).at(text, text.atom(next))]
    }
}
