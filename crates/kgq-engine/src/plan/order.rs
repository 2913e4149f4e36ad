//! Join ordering. From each of several first operands, a greedy search takes next the operand that leaves the fewest
//! rows; the cheapest of these orders wins. Dynamic programming over all orders finds one that costs less than half only where all
//! cost little (the tests show it), and takes longer.

use super::estimate::{Cardinality, Estimator, Filtered};
use super::statistics::Count;
use super::{Condition, Pattern, TripleAtom, Var, VarSet, scope};
use std::cell::OnceCell;

#[cfg(test)]
mod tests;

/// The operands in order, and the cost of that order.
#[derive(Clone, Debug)]
pub struct JoinOrder {
    pub steps: Vec<usize>,
    /// Estimated; a look-up in an index costs 1.
    pub cost: f64,
    pub rows: Cardinality,
}

/// With up to this many operands, each is tried as the first.
const MOST_FOR_ALL_STARTS: usize = 12;
/// With more operands, only this many are tried as the first: those that leave the fewest rows.
const STARTS_OF_SOME: usize = 3;
/// With more operands than this, only one is tried as the first.
const MANY: usize = 64;

/// What matters about an operand for the order.
struct Operand<'p> {
    pattern: &'p Pattern,
    vars: VarSet,
    /// Variables that must be bound before this operand is taken.
    after: VarSet,
    /// The matches of a triple pattern under the conditions.
    filtered: OnceCell<Filtered>,
    /// The cost of evaluating it by itself.
    alone: OnceCell<f64>,
}

/// The operands to be ordered, and what the search needs to know about them.
struct Search<'a, 'p> {
    estimator: &'a Estimator<'p>,
    operands: Vec<Operand<'a>>,
    conditions: &'a [&'a Condition],
    needed: &'a dyn Fn(Var) -> bool,
    /// For each variable, the operands that contain it.
    having: Vec<Vec<usize>>,
}

/// The operands taken so far.
#[derive(Clone)]
struct Taken {
    steps: Vec<usize>,
    bound: VarSet,
    rows: Cardinality,
    cost: f64,
    /// For each variable, how many of the remaining operands contain it.
    left: Vec<u32>,
}

/// Orders the operands of a join that is applied to rows binding `bound`, under conditions. `needed` says which variables are read later.
pub fn order(
    estimator: &Estimator<'_>,
    patterns: &[Pattern],
    conditions: &[&Condition],
    bound: &VarSet,
    before: &Cardinality,
    needed: &dyn Fn(Var) -> bool,
) -> JoinOrder {
    let search = Search::of(estimator, patterns, conditions, needed);
    let start = search.start(bound, before);
    search.run(&start)
}

impl<'a, 'p> Search<'a, 'p> {
    fn of(
        estimator: &'a Estimator<'p>,
        patterns: &'a [Pattern],
        conditions: &'a [&'a Condition],
        needed: &'a dyn Fn(Var) -> bool,
    ) -> Self {
        // Beside a small operand, it does not matter how many matches of large ones pass.
        let small = |pattern: &Pattern| match pattern {
            Pattern::Triple(atom) => !Estimator::is_worth_a_sample(estimator.count(atom).rows),
            Pattern::Values { rows, .. } => !Estimator::is_worth_a_sample(rows.len() as f64),
            _ => false,
        };
        let conditions = if patterns.iter().any(small) { &[] } else { conditions };
        let operands: Vec<Operand<'_>> = patterns
            .iter()
            .map(|pattern| Operand {
                pattern,
                vars: scope::possible(pattern),
                after: match pattern {
                    Pattern::TripleTerm(atom) => [atom.triple].into_iter().collect(),
                    _ => VarSet::default(),
                },
                filtered: OnceCell::new(),
                alone: OnceCell::new(),
            })
            .collect();
        let mut having: Vec<Vec<usize>> = Vec::new();
        for (at, operand) in operands.iter().enumerate() {
            for var in operand.vars.iter() {
                if having.len() <= var.index() {
                    having.resize(var.index() + 1, Vec::new());
                }
                having[var.index()].push(at);
            }
        }
        Self { estimator, operands, conditions, needed, having }
    }

    fn start(&self, bound: &VarSet, before: &Cardinality) -> Taken {
        Taken {
            steps: Vec::new(),
            bound: bound.clone(),
            rows: before.clone(),
            cost: 0.0,
            left: self.having.iter().map(|operands| operands.len() as u32).collect(),
        }
    }

    fn run(&self, start: &Taken) -> JoinOrder {
        let count = self.operands.len();
        let mut starts: Vec<(f64, usize)> =
            (0..count).filter(|at| self.may_follow(start, *at)).map(|at| (self.extension(start, at).1, at)).collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        match count {
            count if count > MANY => starts.truncate(1),
            count if count > MOST_FOR_ALL_STARTS => starts.truncate(STARTS_OF_SOME),
            _ => (),
        }
        let mut best: Option<JoinOrder> = None;
        for (_, first) in starts {
            let most = best.as_ref().map_or(f64::INFINITY, |best| best.cost);
            if let Some(order) = self.greedy(start, first, most) {
                best = Some(order);
            }
        }
        best.unwrap_or_else(|| JoinOrder { steps: (0..count).collect(), cost: f64::INFINITY, rows: start.rows.clone() })
    }

    /// Builds an order by taking next the operand that leaves the fewest rows. Returns `None` if it costs `most` or
    /// more, or if the query has to stop.
    fn greedy(&self, start: &Taken, first: usize, most: f64) -> Option<JoinOrder> {
        let mut taken = start.clone();
        let mut frontier: Vec<usize> =
            start.bound.iter().filter_map(|var| self.having.get(var.index())).flatten().copied().collect();
        let mut open = vec![true; self.operands.len()];
        let mut next = Some(first);
        while let Some(at) = next {
            self.take(&mut taken, at);
            if taken.cost >= most || self.estimator.is_over() {
                return None;
            }
            // Add the operands that share a variable with those taken.
            open[at] = false;
            for var in self.operands[at].vars.iter() {
                frontier.extend(self.having[var.index()].iter().copied().filter(|other| open[*other]));
            }
            frontier.sort_unstable();
            frontier.dedup();
            frontier.retain(|other| open[*other]);
            if taken.steps.len() == self.operands.len() {
                return Some(JoinOrder { steps: taken.steps, cost: taken.cost, rows: taken.rows });
            }
            // Operands without variables compete with the connected ones, because they may have no solution; a cross
            // product comes last.
            let constant = |at: &usize| self.operands[*at].vars.is_empty();
            let connected = frontier.iter().copied().chain((0..open.len()).filter(|at| open[*at]).filter(constant));
            next = self.cheapest(&taken, connected);
            next = next.or_else(|| self.cheapest(&taken, (0..open.len()).filter(|at| open[*at])));
        }
        None
    }

    /// Returns the candidate that leaves the fewest rows, and among equals the cheapest.
    fn cheapest(&self, taken: &Taken, candidates: impl Iterator<Item = usize>) -> Option<usize> {
        let extensions = candidates.filter(|at| self.may_follow(taken, *at)).map(|at| (self.extension(taken, at), at));
        let best = extensions.min_by(|((cost, rows), at), ((other_cost, other_rows), other)| {
            rows.total_cmp(other_rows).then(cost.total_cmp(other_cost)).then(at.cmp(other))
        });
        best.map(|(_, at)| at)
    }

    fn may_follow(&self, taken: &Taken, at: usize) -> bool {
        self.operands[at].after.is_subset(&taken.bound)
    }

    /// Returns the cost of taking an operand next, and the number of rows after it.
    fn extension(&self, taken: &Taken, at: usize) -> (f64, f64) {
        let operand = &self.operands[at];
        match operand.pattern {
            Pattern::Triple(atom) => {
                let later = |var: Var| (self.needed)(var) || taken.left[var.index()] > 1;
                let joined = |count: &Count| self.estimator.rows_joined(&taken.rows, &taken.bound, atom, count, &later);
                let filtered = self.filtered(operand, atom);
                let rows = joined(&filtered.passing);
                let read = filtered.read.as_ref().map_or(rows, joined);
                (taken.rows.rows + read * 0.1, rows)
            }
            _ => {
                let (cost, rows) = self.other(taken, operand);
                (cost, rows.rows)
            }
        }
    }

    fn filtered<'o>(&self, operand: &'o Operand<'_>, atom: &TripleAtom) -> &'o Filtered {
        operand.filtered.get_or_init(|| self.estimator.filtered(atom, self.conditions))
    }

    fn other(&self, taken: &Taken, operand: &Operand<'_>) -> (f64, Cardinality) {
        let (by_rows, after) = self.estimator.cost(operand.pattern, &taken.bound, &taken.rows);
        let by_itself = || self.estimator.cost(operand.pattern, &VarSet::default(), &Cardinality::one()).0;
        (by_rows.min(operand.alone.get_or_init(by_itself) + taken.rows.rows * 0.2), after)
    }

    fn take(&self, taken: &mut Taken, at: usize) {
        match self.operands[at].pattern {
            Pattern::Triple(atom) => {
                let (cost, rows) = self.extension(taken, at);
                taken.cost += cost;
                taken.rows.rows = rows;
                self.estimator.note(&mut taken.rows, atom, &self.filtered(&self.operands[at], atom).passing);
            }
            _ => {
                let (cost, rows) = self.other(taken, &self.operands[at]);
                taken.cost += cost;
                taken.rows = rows;
            }
        }
        for var in self.operands[at].vars.iter() {
            taken.left[var.index()] -= 1;
        }
        taken.bound.extend(&self.operands[at].vars);
        taken.steps.push(at);
    }
}
