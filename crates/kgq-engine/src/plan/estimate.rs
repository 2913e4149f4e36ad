//! Estimates of cardinality and cost. The matches of a single triple pattern are counted; joins are estimated from
//! distinct counts.

use super::pattern::{Bindings, Bound};
use super::physical::{Basis, PhysicalPlan};
use super::statistics::{Count, Selectivity, Statistics};
use super::{ClosureAtom, Condition, Expression, Graph, Pattern, Scalar, Slot, TripleAtom, Var, VarSet, order, scope};
use crate::operator::probe::Keep;
use kgq_snapshot::{Star, TermId};
use kgq_syntax::budget::Budget;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::ops::Range;

mod paths;

/// Up to this cost, rows are looked up one by one without comparing alternatives.
const CHEAP: f64 = 2000.0;

/// To get the rows that are wanted, this many times as many may be needed here, because later conditions drop some.
const GOAL_MARGIN: f64 = 32.0;

/// Assumed number of solutions from the endpoint of a SERVICE clause, about which nothing is known.
pub const SERVICE_ROWS: f64 = 1000.0;

/// Of fewer matches, it does not matter how many pass a condition, or where they lead.
const WORTH_A_SAMPLE: f64 = 1000.0;

/// A condition with more parts is not tried before the query runs.
const MOST_PARTS_TRIED: usize = 64;

/// The part of rows that is assumed to pass a condition of which nothing is known.
const UNKNOWN_PART: f64 = 1.0 / 3.0;

/// With fewer rows, it does not matter which pattern they are joined with next.
const ROWS_WORTH_A_STAR: f64 = 64.0;

/// The subject and the predicate of a pattern that tells which predicates its subjects have.
fn ray(atom: &TripleAtom) -> Option<(Var, TermId)> {
    match (atom.slots, &atom.graph) {
        ([Slot::Var(subject), Slot::Term(predicate), _], Graph::Default) => Some((subject, predicate)),
        _ => None,
    }
}

/// A condition, the patterns that have its variables, and how many of their matches pass it, if that is known.
type Tried = (Expression, Vec<TripleAtom>, Option<Selectivity>);

/// The constants of a pattern, whether it is matched in a merge of graphs, and how many components it has.
type Constants = ([Option<TermId>; 4], bool, usize);

/// Whether a condition reads variables of the pattern, and nothing else.
fn reads_only(scalar: &Scalar, atom: &TripleAtom) -> bool {
    scalar.exists.is_empty() && !scalar.variables.is_empty() && scalar.variables.iter().all(|var| has(atom, var))
}

fn has(atom: &TripleAtom, var: Var) -> bool {
    atom.variables().any(|own| own == var)
}

pub struct Estimator<'p> {
    statistics: &'p dyn Statistics,
    budget: &'p Budget,
    /// Counts of patterns by their constants.
    counts: RefCell<FxHashMap<Constants, Count>>,
    stars: RefCell<Stars>,
    /// What is known of conditions on matches of patterns.
    selectivities: RefCell<Vec<Tried>>,
    /// How many nodes walks along a closure reach, and how many against it.
    walks: RefCell<Vec<(ClosureAtom, Option<[f64; 2]>)>>,
}

/// The predicates of a query, numbered, and what is known of the subjects that have several of them.
#[derive(Default)]
struct Stars {
    numbers: FxHashMap<TermId, u32>,
    /// By the number of a predicate and the set of others.
    known: FxHashMap<(u32, PredicateSet), Option<Star>>,
}

/// Predicates by their numbers: one bit each.
type PredicateSet = u64;

impl Stars {
    /// The number of a predicate; `None` if there are too many.
    fn number(&mut self, predicate: TermId) -> Option<u32> {
        let next = self.numbers.len() as u32;
        Some(*self.numbers.entry(predicate).or_insert(next)).filter(|number| *number < PredicateSet::BITS)
    }
}

/// The matches of a pattern under conditions.
pub struct Filtered {
    pub passing: Count,
    /// Those that are read for that, where they are more: ranges of ids are found at once, other conditions are tested.
    pub read: Option<Count>,
}

/// What is known about the rows that a plan has produced so far.
#[derive(Clone, Debug)]
pub struct Cardinality {
    pub rows: f64,
    /// By the index of each variable.
    known: Vec<Known>,
}

/// What is known about a variable.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The number of distinct ids; 0 if unknown.
    distinct: f64,
    /// The predicates that they were joined with, as their subjects in the default graph.
    predicates: PredicateSet,
}

impl Cardinality {
    pub fn one() -> Self {
        Self::of_many(1.0)
    }

    /// This many rows, about which nothing else is known.
    pub fn of_many(rows: f64) -> Self {
        Self { rows, known: Vec::new() }
    }

    /// Returns the number of distinct ids of the variable, if anything is known about it.
    fn known(&self, var: Var) -> Option<f64> {
        self.known.get(var.index()).map(|known| known.distinct).filter(|n| *n > 0.0)
    }

    /// Returns an upper bound on the number of distinct ids of the variable.
    pub fn of(&self, var: Var) -> f64 {
        self.known(var).unwrap_or(self.rows).min(self.rows).max(1.0)
    }

    /// Estimates the number of distinct combinations of ids of the variables, if something is known about each of them.
    pub fn combinations(&self, vars: &[Var]) -> Option<f64> {
        let known: Option<f64> = vars.iter().map(|var| self.known(*var)).product();
        known.map(|all| all.min(self.rows).max(1.0))
    }

    pub fn set(&mut self, var: Var, distinct: f64) {
        let known = &mut self.entry(var).distinct;
        *known = if *known > 0.0 { known.min(distinct) } else { distinct };
    }

    fn entry(&mut self, var: Var) -> &mut Known {
        if self.known.len() <= var.index() {
            self.known.resize(var.index() + 1, Known::default());
        }
        &mut self.known[var.index()]
    }

    /// Keeps what is known about the variables, for another number of rows.
    fn with_rows(&self, rows: f64) -> Self {
        Self { rows, known: self.known.clone() }
    }
}

impl<'p> Estimator<'p> {
    pub fn new(statistics: &'p dyn Statistics, budget: &'p Budget) -> Self {
        Self {
            statistics,
            budget,
            counts: RefCell::default(),
            stars: RefCell::default(),
            selectivities: RefCell::default(),
            walks: RefCell::default(),
        }
    }

    /// Counts the matches of the pattern with all its variables free.
    pub fn count(&self, atom: &TripleAtom) -> Count {
        let (slots, width) = atom.positions();
        let mut constants = [None; 4];
        for (constant, slot) in constants.iter_mut().zip(&slots[..width]) {
            if let Slot::Term(term) = slot {
                *constant = Some(*term);
            }
        }
        let key = (constants, matches!(atom.graph, Graph::Merge(_) | Graph::Union), width);
        if let Some(count) = self.counts.borrow().get(&key) {
            return *count;
        }
        let count = self.statistics.count(atom);
        self.counts.borrow_mut().insert(key, count);
        count
    }

    /// Counts the matches of the pattern under those of the conditions that read nothing else.
    pub fn filtered(&self, atom: &TripleAtom, conditions: &[&Condition]) -> Filtered {
        let (mut count, mut read) = (self.count(atom), None);
        let (slots, width) = atom.positions();
        for condition in conditions {
            let Condition::Scalar(scalar) = condition else { continue };
            let own = Some(scalar).filter(|scalar| reads_only(scalar, atom));
            let Some(selectivity) = own.and_then(|scalar| self.selectivity(scalar, std::slice::from_ref(atom))) else {
                continue;
            };
            let part = selectivity.part();
            if selectivity.is_sample {
                read = read.or(Some(count));
            }
            count.rows *= part;
            for (slot, distinct) in slots[..width].iter().zip(&mut count.distinct) {
                let tested = slot.var().is_some_and(|var| scalar.variables.contains(var));
                let passing = if tested { *distinct * part } else { *distinct };
                *distinct = passing.min(count.rows).max(1.0);
            }
        }
        Filtered { passing: count, read }
    }

    /// Tells how many of the matches of patterns pass a condition that reads nothing else; `None` if that is not known, or there are few.
    fn selectivity(&self, scalar: &Scalar, atoms: &[TripleAtom]) -> Option<Selectivity> {
        if atoms.iter().all(|atom| self.count(atom).rows < WORTH_A_SAMPLE) {
            return None;
        }
        if scalar.expression.has_more_parts(MOST_PARTS_TRIED) || scalar.is_volatile() || scalar.reads_clock() {
            return None;
        }
        let known =
            self.selectivities.borrow().iter().find(|(of, on, _)| *of == scalar.expression && on == atoms).map(|k| k.2);
        known.unwrap_or_else(|| {
            // A limit that the condition exceeds is met again when it is tested.
            let selectivity = self.statistics.sample(scalar, atoms).ok().flatten();
            self.selectivities.borrow_mut().push((scalar.expression.clone(), atoms.to_vec(), selectivity));
            selectivity
        })
    }

    /// Records what ids a condition on one variable allows, for those of the patterns that have it.
    pub fn note_ranges(&self, scalar: &Scalar, var: Var, ranges: &[Range<u32>], operands: &[Pattern]) {
        for atom in operands.iter().filter_map(Pattern::triple).filter(|atom| atom.variables().any(|own| own == var)) {
            let of = self.count(atom).rows;
            let within = if of < WORTH_A_SAMPLE { None } else { self.statistics.count_within(atom, var, ranges) };
            if let Some(passed) = within {
                let selectivity = Selectivity { passed, of, is_sample: false };
                self.selectivities.borrow_mut().push((
                    scalar.expression.clone(),
                    vec![atom.clone()],
                    Some(selectivity),
                ));
            }
        }
    }

    /// The part of the matches whose term for the variable is in a range of ids, where it is known and there are many.
    pub fn part_within(&self, atom: &TripleAtom, var: Var, range: &Range<u32>) -> f64 {
        let of = self.count(atom).rows;
        let within = || self.statistics.count_within(atom, var, std::slice::from_ref(range));
        if of < WORTH_A_SAMPLE { 1.0 } else { within().map_or(1.0, |within| within / of) }
    }

    /// The part of a join's rows that is expected to pass a condition, and what is known of it.
    pub fn passing(&self, condition: &Condition, operands: &[Pattern]) -> (f64, Option<Selectivity>) {
        let Condition::Scalar(scalar) = condition else { return (UNKNOWN_PART, None) };
        let selectivity = match self.smallest(operands, |atom| reads_only(scalar, atom)) {
            Some(atom) => self.selectivity(scalar, std::slice::from_ref(atom)),
            None => self.across(scalar, operands),
        };
        (selectivity.map_or(UNKNOWN_PART, Selectivity::part), selectivity)
    }

    /// The triple pattern with the fewest matches of those that fit.
    fn smallest<'o>(&self, operands: &'o [Pattern], fits: impl Fn(&TripleAtom) -> bool) -> Option<&'o TripleAtom> {
        let atoms = operands.iter().filter_map(Pattern::triple).filter(|atom| fits(atom));
        atoms.min_by(|a, b| self.count(a).rows.total_cmp(&self.count(b).rows))
    }

    /// Tells how many rows of a join pass a condition on variables of several patterns, if each of them is in one of these.
    fn across(&self, scalar: &Scalar, operands: &[Pattern]) -> Option<Selectivity> {
        let mut chosen: Vec<TripleAtom> = Vec::new();
        for var in scalar.variables.iter().filter(|_| scalar.exists.is_empty()) {
            if !chosen.iter().any(|atom| has(atom, var)) {
                chosen.push(self.smallest(operands, |atom| has(atom, var))?.clone());
            }
        }
        if chosen.len() > 1 { self.selectivity(scalar, &chosen) } else { None }
    }

    /// Whether so many rows are expected that it matters how many of them pass.
    pub fn is_worth_a_sample(rows: f64) -> bool {
        rows >= WORTH_A_SAMPLE
    }

    /// Returns the counts that an estimate of the pattern's matches is based on.
    pub fn basis(&self, atom: &TripleAtom) -> Basis {
        let Count { rows, distinct } = self.count(atom);
        Basis::Counted { rows, distinct }
    }

    /// Estimates the rows after a join with the pattern.
    ///
    /// Filtered of one row that differ only in variables that nobody needs count as one.
    pub fn join(
        &self,
        before: &Cardinality,
        bound: &VarSet,
        atom: &TripleAtom,
        needed: &dyn Fn(Var) -> bool,
    ) -> Cardinality {
        let count = self.count(atom);
        let mut after = before.with_rows(self.rows_joined(before, bound, atom, &count, needed));
        self.note(&mut after, atom, &count);
        after
    }

    /// Records how many distinct ids the pattern's variables have, of which `count` are the matches.
    pub fn note(&self, rows: &mut Cardinality, atom: &TripleAtom, count: &Count) {
        let (slots, width) = atom.positions();
        for (slot, distinct) in slots[..width].iter().zip(count.distinct) {
            if let Slot::Var(var) = *slot {
                rows.set(var, distinct);
            }
        }
        if let Some((subject, predicate)) = ray(atom)
            && let Some(number) = self.stars.borrow_mut().number(predicate)
        {
            rows.entry(subject).predicates |= 1 << number;
        }
    }

    /// Of subjects that have some predicates: the part that has this one too, and how many statements with it there are for one of the former.
    /// `None` if too little is known, or too little depends on it.
    fn part_of_star(&self, before: &Cardinality, atom: &TripleAtom) -> Option<(f64, f64)> {
        if before.rows < ROWS_WORTH_A_STAR {
            return None;
        }
        let (subject, predicate) = ray(atom)?;
        let others = before.known.get(subject.index())?.predicates;
        let mut stars = self.stars.borrow_mut();
        let number = stars.number(predicate)?;
        if others == 0 || others & 1 << number != 0 {
            return None;
        }
        let with = self.star(&mut stars, number, others)?;
        let last = others.ilog2();
        let without = self.star(&mut stars, last, others & !(1 << last))?;
        let subjects = (without.subjects as f64).max(1.0);
        Some((with.subjects as f64 / subjects, with.rows as f64 / subjects))
    }

    fn star(&self, stars: &mut Stars, number: u32, others: PredicateSet) -> Option<Star> {
        let Stars { numbers, known } = stars;
        *known.entry((number, others)).or_insert_with(|| {
            let of = |set: PredicateSet| numbers.iter().filter(move |(_, at)| set >> **at & 1 != 0).map(|(id, _)| *id);
            let others: Vec<TermId> = of(others).collect();
            of(1 << number).next().and_then(|predicate| self.statistics.star(predicate, &others))
        })
    }

    /// Estimates the number of rows after a join with the pattern, of which `count` are the matches.
    pub fn rows_joined(
        &self,
        before: &Cardinality,
        bound: &VarSet,
        atom: &TripleAtom,
        count: &Count,
        needed: &dyn Fn(Var) -> bool,
    ) -> f64 {
        let (slots, width) = atom.positions();
        let mut fanout = count.rows;
        let mut fresh = 1.0;
        let mut found = 1.0f64;
        let mut any_fresh = false;
        let star = self.part_of_star(before, atom);
        for (at, slot) in slots[..width].iter().enumerate() {
            let Slot::Var(var) = *slot else { continue };
            let own = count.distinct[at].max(1.0);
            if let Some((part, rows)) = star.filter(|_| at == 0 && bound.contains(var)) {
                // Of its statements, as many have the object as of all.
                fanout *= rows / self.statements(atom);
                found *= part;
                continue;
            }
            if slots[..at].contains(slot) {
                fanout /= own;
            } else if bound.contains(var) {
                // Assume that every id of the pattern occurs: nothing is known about the variable.
                let here = before.known(var).unwrap_or(own).min(before.rows).max(1.0);
                fanout /= own.max(here);
                found *= (own / here).min(1.0);
            } else if needed(var) {
                fresh *= own;
                any_fresh = true;
            }
        }
        // If no needed variable is new, all matches of a row make one row.
        before.rows * if any_fresh { fanout.min(fresh) } else { fanout.min(1.0).min(found) }
    }

    /// The number of statements with the pattern's predicate.
    fn statements(&self, atom: &TripleAtom) -> f64 {
        let [_, predicate, _] = atom.slots;
        let [subject, object] = Var::ANY_TWO.map(Slot::Var);
        self.count(&TripleAtom { slots: [subject, predicate, object], graph: atom.graph.clone() }).rows.max(1.0)
    }

    /// Returns the average number of matches of a row, given that it has any.
    pub fn fanout(&self, bound: &VarSet, atom: &TripleAtom) -> f64 {
        let count = self.count(atom);
        let (slots, width) = atom.positions();
        let known =
            slots[..width].iter().zip(count.distinct).filter(|(slot, _)| slot.var().is_some_and(|v| bound.contains(v)));
        known.fold(count.rows, |rows, (_, distinct)| rows / distinct.max(1.0))
    }

    /// Estimates the number of rows of an index join.
    pub fn probe(&self, input: &PhysicalPlan, atom: &TripleAtom, keep: Keep) -> f64 {
        let before = Cardinality::of_many(input.rows);
        let after = self.rows_joined(&before, &input.certain, atom, &self.count(atom), &|_| true);
        match keep {
            Keep::Matched => after,
            Keep::All => after.max(input.rows),
            Keep::Existing => after.min(input.rows),
            Keep::Missing => (input.rows - after).max(input.rows / 10.0),
        }
    }

    /// Whether it costs less to look the input's rows up in the pattern one by one than to evaluate the pattern by itself.
    ///
    /// With a goal, only the input rows needed to reach it are charged.
    pub fn prefers_rows(&self, input: &PhysicalPlan, pattern: &Pattern, goal: Option<f64>) -> bool {
        let shared = scope::possible(pattern).intersection(&input.certain);
        if shared.is_empty() {
            return false;
        }
        let (alone, _) = self.cost(pattern, &VarSet::default(), &Cardinality::one());
        let start = Cardinality::of_many(input.rows.max(1.0));
        let (mut by_rows, found) = self.cost(pattern, &shared, &start);
        if let Some(goal) = goal {
            by_rows *= (goal * GOAL_MARGIN / found.rows.max(1.0)).min(1.0);
        }
        // Single look-ups miss the processor's cache, and averages hide that frequent keys have the most matches: hence
        // the factor.
        by_rows <= CHEAP || by_rows * 3.0 <= alone + input.rows * 0.2
    }

    /// Whether the query has to stop. Estimates do not matter then: the planner asks the budget as well, and fails.
    pub fn is_over(&self) -> bool {
        self.budget.check().is_err()
    }

    /// Estimates the cost of applying the pattern to rows that bind `bound`, and the rows that result.
    pub fn cost(&self, pattern: &Pattern, bound: &VarSet, before: &Cardinality) -> (f64, Cardinality) {
        if self.is_over() {
            return (0.0, before.clone());
        }
        match pattern {
            Pattern::Empty => (0.0, before.with_rows(0.0)),
            Pattern::Triple(atom) => {
                let after = self.join(before, bound, atom, &|_| true);
                (before.rows + after.rows * 0.1, after)
            }
            Pattern::Closure(atom) => self.closure(atom, bound, before),
            Pattern::TripleTerm(_) => (before.rows * 0.1, before.clone()),
            Pattern::Service(_) => (SERVICE_ROWS, before.with_rows(before.rows * SERVICE_ROWS)),
            Pattern::Values { vars, rows, .. } => {
                let matching = if vars.iter().any(|var| bound.contains(*var)) {
                    before.rows
                } else {
                    before.rows * rows.len() as f64
                };
                (matching * 0.1, before.with_rows(matching))
            }
            Pattern::Given(_) => (before.rows * 0.1, before.clone()),
            Pattern::Join(operands) => {
                let steps = order::order(self, operands, &[], bound, before, &|_| true);
                (steps.cost, steps.rows)
            }
            pattern => self.cost_of_parts(pattern, bound, before),
        }
    }

    /// Estimates the cost of an operator that costs what its parts cost, and the rows that result.
    fn cost_of_parts(&self, pattern: &Pattern, bound: &VarSet, before: &Cardinality) -> (f64, Cardinality) {
        let properties = pattern.properties();
        let mut parts = pattern.children();
        let one_after_the_other = |parts: &mut dyn Iterator<Item = &Pattern>| {
            parts.fold((0.0, before.clone()), |(cost, rows), part| {
                let (more, rows) = self.cost(part, bound, &rows);
                (cost + more, rows)
            })
        };
        match properties.bindings {
            Bindings::OneOf => parts.fold((0.0, Cardinality::of_many(0.0)), |(cost, rows), part| {
                let (more, found) = self.cost(part, bound, before);
                (cost + more, Cardinality::of_many(rows.rows + found.rows))
            }),
            Bindings::Optional => {
                let certain = pattern.children().next().map(scope::certain).unwrap_or_default();
                let (cost, rows) = one_after_the_other(&mut parts.by_ref().take(1));
                let bound = bound.union(&certain);
                parts.fold((cost, rows), |(cost, rows), part| {
                    let (more, after) = self.cost(part, &bound, &rows);
                    (cost + more, rows.with_rows(after.rows.max(rows.rows)))
                })
            }
            Bindings::First => {
                let (cost, rows) = one_after_the_other(&mut parts.by_ref().take(1));
                let others = parts.map(|part| self.cost(part, &VarSet::default(), &Cardinality::one()).0);
                (cost + others.sum::<f64>(), rows)
            }
            Bindings::All | Bindings::Listed | Bindings::Own => {
                let (cost, mut rows) = one_after_the_other(&mut parts);
                let operands = match pattern.children().next() {
                    Some(Pattern::Join(operands)) => operands,
                    Some(inner) => std::slice::from_ref(inner),
                    None => &[],
                };
                for condition in pattern.conditions() {
                    rows.rows *= self.passing(condition, operands).0;
                }
                rows.rows = match properties.bound {
                    Bound::Nothing => rows.rows,
                    Bound::Number(number) => rows.rows.min(number as f64),
                    Bound::Distinct(vars) => vars.iter().fold(1.0, |n, var| n * rows.of(*var)).min(rows.rows),
                };
                (cost, rows)
            }
        }
    }
}
