//! In which order the operands of a join are taken: greedily from several starts, the cheapest kept.

use super::estimate::{Estimator, Rows};
use super::{Pattern, Var, VarSet, scope};

/// The operands in order, with what that costs.
#[derive(Clone, Debug)]
pub struct Order {
    pub steps: Vec<usize>,
    /// Rows touched; a look-up counts 1.
    pub cost: f64,
    pub rows: Rows,
}

/// Beyond this many operands only the most selective starts are tried.
const MOST_FOR_ALL_STARTS: usize = 12;
const STARTS_OF_MANY: usize = 3;

/// An operand as far as its order matters.
struct Operand<'p> {
    pattern: &'p Pattern,
    vars: VarSet,
    /// Variables that must be bound before.
    after: VarSet,
}

/// An order for the operands of a join, applied to rows that bind `bound`. `needed` are variables that are read later.
pub fn order(
    estimator: &Estimator<'_, '_>,
    patterns: &[Pattern],
    bound: &VarSet,
    before: &Rows,
    needed: &dyn Fn(Var) -> bool,
) -> Order {
    let operands: Vec<Operand<'_>> = patterns
        .iter()
        .map(|pattern| Operand {
            pattern,
            vars: scope::possible(pattern),
            after: match pattern {
                Pattern::TripleTerm(atom) => [atom.triple].into_iter().collect(),
                _ => VarSet::default(),
            },
        })
        .collect();
    if operands.len() == 1 {
        let (cost, rows) = step(estimator, &operands, &[], 0, bound, before, needed);
        return Order { steps: vec![0], cost, rows };
    }
    let mut starts: Vec<(f64, usize)> = (0..operands.len())
        .filter(|at| operands[*at].after.is_subset(bound))
        .map(|at| (step(estimator, &operands, &[], at, bound, before, needed).1.rows, at))
        .collect();
    starts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    if operands.len() > MOST_FOR_ALL_STARTS {
        starts.truncate(STARTS_OF_MANY);
    }
    let mut best: Option<Order> = None;
    for (_, start) in starts {
        let most = best.as_ref().map_or(f64::INFINITY, |best| best.cost);
        if let Some(order) = greedy(estimator, &operands, start, bound, before, needed, most) {
            best = Some(order);
        }
    }
    best.unwrap_or_else(|| Order { steps: (0..patterns.len()).collect(), cost: f64::INFINITY, rows: before.clone() })
}

/// The order that takes the operand with the fewest rows next; `None` if it costs `most` or more.
fn greedy(
    estimator: &Estimator<'_, '_>,
    operands: &[Operand<'_>],
    start: usize,
    bound: &VarSet,
    before: &Rows,
    needed: &dyn Fn(Var) -> bool,
    most: f64,
) -> Option<Order> {
    let mut steps = vec![start];
    let (mut cost, mut rows) = step(estimator, operands, &[], start, bound, before, needed);
    let mut bound = bound.union(&operands[start].vars);
    while steps.len() < operands.len() && cost < most {
        let mut best: Option<(bool, f64, f64, Rows, usize)> = None;
        for at in 0..operands.len() {
            if steps.contains(&at) || !operands[at].after.is_subset(&bound) {
                continue;
            }
            let apart = !operands[at].vars.intersects(&bound) && !operands[at].vars.is_empty();
            let (added, after) = step(estimator, operands, &steps, at, &bound, &rows, needed);
            let better = best.as_ref().is_none_or(|(best_apart, best_rows, best_cost, _, _)| {
                (apart, after.rows, added) < (*best_apart, *best_rows, *best_cost)
            });
            if better {
                best = Some((apart, after.rows, added, after, at));
            }
        }
        let (_, _, added, after, at) = best?;
        cost += added;
        rows = after;
        bound.extend(&operands[at].vars);
        steps.push(at);
    }
    (cost < most).then_some(Order { steps, cost, rows })
}

/// The cost of taking an operand next, and the rows then.
fn step(
    estimator: &Estimator<'_, '_>,
    operands: &[Operand<'_>],
    taken: &[usize],
    at: usize,
    bound: &VarSet,
    before: &Rows,
    needed: &dyn Fn(Var) -> bool,
) -> (f64, Rows) {
    let operand = &operands[at];
    match operand.pattern {
        Pattern::Triple(atom) => {
            let later = |var: Var| {
                needed(var)
                    || operands.iter().enumerate().any(|(i, o)| i != at && !taken.contains(&i) && o.vars.contains(var))
            };
            let after = estimator.join(before, bound, atom, &later);
            (before.rows + after.rows * 0.1, after)
        }
        pattern => {
            let (by_rows, after) = estimator.cost(pattern, bound, before);
            let (alone, _) = estimator.cost(pattern, &VarSet::default(), &Rows::one());
            (by_rows.min(alone + before.rows * 0.2), after)
        }
    }
}
