//! The operators that read the data: index joins, paths, and the components of triple terms.

use super::{Duplicates, Input, Planner};
use crate::operator::access::{Lookup, LookupKey, Wish};
use crate::operator::closure::{self, End, Within};
use crate::operator::probe::{self, Emit, Keep};
use crate::operator::search::Rings;
use crate::operator::triple_term::{self, ComponentTest};
use crate::plan::estimate::Cardinality;
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{ClosureAtom, Graph, Repeat, Slot, TripleAtom, TripleTermAtom, Var, VarSet};
use kgq_syntax::error::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// Fewer rows are looked up by searching.
const WORTH_A_TABLE: f64 = 1000.0;

/// A table of runs is made for at most this many rows of the pattern for each row of the input.
const ROWS_A_KEY: f64 = 4.0;

impl Planner<'_> {
    /// Looks each row up in the pattern's index.
    #[expect(
        clippy::too_many_arguments,
        reason = "an index join has an input, a pattern and what becomes of its matches"
    )]
    pub(super) fn probe(
        &mut self,
        input: PhysicalPlan,
        atom: &TripleAtom,
        keep: Keep,
        needed: &VarSet,
        duplicates: Duplicates,
        bounds: Option<(Var, Range<u32>)>,
        next_keys: &[Var],
    ) -> Result<PhysicalPlan> {
        let column = |var: Var| if input.certain.contains(var) { input.column(var) } else { None };
        let rank = |var: Var| match &bounds {
            Some((bounded, _)) if *bounded == var => 0,
            _ if !needed.contains(var) => 50,
            _ => 1 + next_keys.iter().position(|key| *key == var).unwrap_or(20).min(20) as u8,
        };
        let keys: Vec<Var> = atom.variables().filter(|var| column(*var).is_some()).collect();
        // The keys, if the rows are sorted by them.
        let sorted_keys: &[Var] = match (keys.as_slice(), input.sorted.as_slice()) {
            ([key], [first, ..]) if key == first => &input.sorted[..1],
            ([a, b], [first, second, ..]) if [a, b] == [first, second] || [b, a] == [first, second] => {
                &input.sorted[..2]
            }
            _ => &[],
        };
        let wish = Wish {
            column: &column,
            rank: &rank,
            constants_first: !sorted_keys.is_empty() || keys.is_empty() || self.looks_most_up(&input, atom),
            first_key: sorted_keys.first().copied().filter(|_| sorted_keys.len() > 1),
        };
        let lookup = Lookup::new(atom, &wish);
        let first_free = lookup.free.first().copied();
        let bounds = bounds.filter(|(var, _)| first_free == Some((*var, lookup.prefix.len()))).map(|(_, range)| range);
        let mut rows = self.estimator.probe(&input, atom, keep);
        if let (Some(range), Some((var, _))) = (&bounds, first_free) {
            rows *= self.estimator.part_within(atom, var, range);
        }
        let mut certain = input.certain.clone();
        if keep == Keep::Matched {
            atom.variables().for_each(|var| certain.insert(var));
        }
        let mut sorted = input.sorted.clone();
        if input.vars.is_empty() && keep == Keep::Matched {
            // A scan returns rows in the order of its components.
            sorted = lookup.free.iter().map(|(var, _)| *var).collect();
        }
        let settled = self.settled.and_then(|(row, feed)| Some((input.column(row)?, feed)));
        let (kept, mut vars) = input.kept(|var| needed.contains(var));
        let wanted = matches!(keep, Keep::Matched | Keep::All);
        let fresh = lookup.free.iter().filter(|(var, _)| wanted && needed.contains(*var));
        let (fresh, depths): (Vec<Var>, Vec<usize>) = fresh.copied().unzip();
        vars.extend(fresh);
        let first = lookup.prefix.len();
        let emit = match depths.as_slice() {
            [] => Emit::Folded,
            [depth] if *depth == first && first + 1 < lookup.width && lookup.checks.is_empty() => Emit::Runs,
            _ => Emit::Rows,
        };
        let merging = ends_with_keys(&lookup.prefix, sorted_keys, &input);
        let weigh = duplicates == Duplicates::Count;
        let probe = probe::Plan { input, lookup, keep, emit, weigh, kept, depths, bounds, merging, settled };
        let weighted = probe.weighs();
        let node = PhysicalPlan::new(probe, vars).like(certain, sorted, weighted);
        Ok(node.expecting(rows, self.estimator.basis(atom)))
    }

    /// Whether there are so many rows beside those of the pattern's constants that its runs by key are worth a table.
    pub(super) fn looks_most_up(&self, input: &PhysicalPlan, atom: &TripleAtom) -> bool {
        input.rows >= WORTH_A_TABLE && input.rows * ROWS_A_KEY >= self.estimator.count(atom).rows
    }

    pub(super) fn closure(
        &mut self,
        input: Input,
        atom: &ClosureAtom,
        needed: &VarSet,
        duplicates: Duplicates,
        rings: Rings,
    ) -> Result<PhysicalPlan> {
        let input = self.start(input);
        let end = |slot: Slot| match slot {
            Slot::Term(term) => End::Key(LookupKey::Term(term)),
            Slot::Var(var) => input.column(var).map_or(End::Free, |column| End::Key(LookupKey::Column(column))),
        };
        let (subject, object) = (end(atom.subject), end(atom.object));
        let same = atom.subject == atom.object && subject == End::Free;
        let (within, graph) = match &atom.graph {
            Graph::Each(graph) => match input.column(*graph) {
                Some(column) => (Within::Column(column), None),
                None => (Within::Each, Some(*graph)),
            },
            graph => (Within::One(graph.clone()), None),
        };
        let (kept, mut vars) = input.kept(|var| needed.contains(var));
        let fresh = [
            (atom.subject.var(), subject == End::Free),
            (atom.object.var(), object == End::Free && !same),
            (graph, graph.is_some()),
        ];
        let mut certain = input.certain.clone();
        let added = fresh.map(|(var, free)| match var {
            Some(var) if free && needed.contains(var) => {
                vars.push(var);
                certain.insert(var);
                true
            }
            _ => false,
        });
        let weighs = duplicates == Duplicates::Count
            && match (subject, object) {
                (End::Free, End::Key(_)) => !added[0],
                (End::Key(_), End::Free) | (End::Free, End::Free) => !added[1],
                (End::Key(_), End::Key(_)) => false,
            };
        let many = |end: End| matches!(end, End::Free | End::Key(LookupKey::Column(_)));
        let alone = duplicates == Duplicates::Ignore && kept.is_empty() && matches!(within, Within::One(_)) && !same;
        let gathered = match (subject, object, added) {
            (from, End::Free, [false, true, _]) if alone && many(from) => Some(false),
            (End::Free, from, [true, false, _]) if alone && many(from) => Some(true),
            _ => None,
        };
        let (sorted, weighted) = (input.sorted.clone(), input.weighted || weighs);
        let rows = self.estimator.closure(atom, &input.certain, &Cardinality::of_many(input.rows)).1.rows;
        let basis = match (atom.repeat, self.estimator.walks(atom)) {
            (Repeat::ZeroOrOne, _) => Basis::Distinct,
            (_, Some(reached)) => Basis::Walks(reached),
            (_, None) => Basis::Guess("a path is taken to have four steps"),
        };
        let spec = Arc::new(closure::Spec {
            subject,
            object,
            same,
            within,
            repeat: atom.repeat,
            path: Arc::clone(&atom.path),
            kept,
            added,
            weighs,
            rings,
            gathered,
            vars: vars.clone(),
        });
        Ok(PhysicalPlan::new(closure::Plan { input, spec }, vars)
            .like(certain, sorted, weighted)
            .expecting(rows, basis))
    }

    pub(super) fn triple_term(
        &mut self,
        input: PhysicalPlan,
        atom: &TripleTermAtom,
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        let Some(column) = input.column(atom.triple) else {
            return Err(Error::bug("a triple term is taken apart before it is bound"));
        };
        let (mut kept, mut vars) = input.kept(|var| needed.contains(var));
        let mut certain = input.certain.clone();
        let mut bound = 0;
        let mut parts = [ComponentTest::Binds; 3];
        for (at, slot) in atom.slots.into_iter().enumerate() {
            parts[at] = match slot {
                Slot::Term(term) => ComponentTest::Equals(LookupKey::Term(term)),
                Slot::Var(var) => match (input.column(var), atom.slots[..at].iter().position(|s| *s == slot)) {
                    (Some(column), _) if input.certain.contains(var) => {
                        ComponentTest::Equals(LookupKey::Column(column))
                    }
                    (Some(column), None) => {
                        certain.insert(var);
                        ComponentTest::Fills(column)
                    }
                    (_, Some(earlier)) => ComponentTest::Repeats(earlier),
                    (None, None) => {
                        if needed.contains(var) {
                            kept.push(input.vars.len() + bound);
                            vars.push(var);
                            certain.insert(var);
                        }
                        bound += 1;
                        ComponentTest::Binds
                    }
                },
            };
        }
        let (sorted, weighted, rows) = (input.sorted.clone(), input.weighted, input.rows);
        let node = PhysicalPlan::new(triple_term::Plan { input, column, parts, kept }, vars);
        Ok(node.like(certain, sorted, weighted).expecting(rows, Basis::Input))
    }
}

/// Whether the prefix is constants and then nothing but these columns' keys, in this order. Two keys need a constant before them.
fn ends_with_keys(prefix: &[LookupKey], keys: &[Var], input: &PhysicalPlan) -> bool {
    let Some((fixed, own)) = prefix.split_at_checked(prefix.len().saturating_sub(keys.len())) else { return false };
    let is_key = |(own, key): (&LookupKey, &Var)| input.column(*key).map(LookupKey::Column) == Some(*own);
    !keys.is_empty()
        && own.iter().zip(keys).all(is_key)
        && fixed.iter().all(|key| matches!(key, LookupKey::Term(_)))
        && (keys.len() == 1 || !fixed.is_empty())
}
