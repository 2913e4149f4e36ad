//! What conditions tell about a join's variables before it is ordered: ranges of ids, a few terms to look up, or a
//! small pattern to start from.

use super::join::Join;
use super::{Input, Planner};
use crate::plan::statistics::{EVERY_ID, Restriction};
use crate::plan::{Condition, Pattern, Slot, TripleAtom, Var, VarSet, scope};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

/// A condition that allows a variable at most this many terms is turned round: the terms are looked up.
const MOST_LOOKED_UP: u32 = 64;
/// A look-up costs as much as testing this many rows of a scan.
const ROWS_A_LOOK_UP: f64 = 16.0;
/// If a pattern has fewer rows than this, its conditions are tested on them, and the dictionary is not searched for
/// terms that pass.
const WORTH_SEARCHING: f64 = 1000.0;

/// From this many rows on, a pattern is scanned in the order of the terms whose texts are tested.
const WORTH_ORDERING: f64 = 10_000.0;

impl Planner<'_> {
    /// Turns conditions on one variable into ranges of ids, or into values to start from.
    pub(super) fn restrict(&mut self, join: &mut Join<'_>) -> Result<()> {
        let mut kept = Vec::new();
        for condition in std::mem::take(&mut join.pending) {
            kept.push(condition);
            let Condition::Scalar(scalar) = condition else { continue };
            let mut vars = scalar.variables.iter();
            let (Some(var), None) = (vars.next(), vars.next()) else { continue };
            if !scalar.exists.is_empty() {
                continue;
            }
            let Some(rows) = self.fewest_rows(&join.operands, var) else { continue };
            let search = rows >= WORTH_SEARCHING;
            let restriction = self.statistics.restriction(scalar, var, search)?;
            let Some(Restriction { ranges, sure }) = restriction else { continue };
            // Only a large scan without joins is put into the order of the tested terms: a front-coded text is decoded
            // from those before it.
            if ranges == [EVERY_ID] && (join.operands.len() > 1 || rows < WORTH_ORDERING) {
                continue;
            }
            self.reads_clock |= scalar.reads_clock();
            let count =
                ranges.iter().fold(0u32, |sum, range| sum.saturating_add(range.end.saturating_sub(range.start)));
            let few = count <= MOST_LOOKED_UP || ranges.len() > 1 && f64::from(count) * ROWS_A_LOOK_UP <= rows;
            if few {
                let rows = ranges.into_iter().flatten().map(|id| vec![Some(TermId::new(id))]).collect();
                join.operands.push(Pattern::Values { vars: vec![var], rows, distinct: false });
                if sure {
                    kept.pop();
                }
                continue;
            }
            if ranges != [EVERY_ID] {
                self.estimator.note_ranges(scalar, var, &ranges, &join.operands);
            }
            if let [range] = ranges.as_slice() {
                // The condition is still tested: a look-up that is not in the variable's order cannot use the range.
                match join.ranges.iter_mut().find(|(bounded, _)| *bounded == var) {
                    Some((_, own)) => *own = own.start.max(range.start)..own.end.min(range.end).max(own.start),
                    None => join.ranges.push((var, range.clone())),
                }
            }
        }
        join.pending = kept;
        Ok(())
    }

    /// Puts a term that is the only value of a variable into the triple patterns that have the variable, where nothing else reads it: their
    /// rows then come sorted, as those of patterns with constants do.
    pub(super) fn put_constants(&self, input: &Input, join: &mut Join<'_>, needed: &VarSet) {
        if !self.outer.is_empty() || join.operands.len() < 2 {
            return;
        }
        let mut read = needed.clone();
        join.pending.iter().for_each(|condition| read.extend(&condition.variables()));
        input.iter().for_each(|input| read.extend(&input.var_set()));
        while let Some((at, values)) = lone_values(&join.operands, &read) {
            join.operands.remove(at);
            for slot in join.operands.iter_mut().filter_map(triple_mut).flat_map(|atom| &mut atom.slots) {
                if let Some((_, term)) = values.iter().find(|(var, _)| slot.var() == Some(*var)) {
                    *slot = Slot::Term(*term);
                }
            }
        }
    }

    /// Returns the row count of the smallest triple pattern that binds the variable; `None` if there is none.
    fn fewest_rows(&self, operands: &[Pattern], var: Var) -> Option<f64> {
        let binding = operands.iter().filter_map(Pattern::triple).filter(|atom| atom.variables().any(|v| v == var));
        binding.map(|atom| self.estimator.count(atom).rows).min_by(f64::total_cmp)
    }

    /// Turns a `FILTER EXISTS` of a small pattern that shares one variable with large ones into an operand. The join
    /// can then start from the few terms that have a match, instead of testing each of the many.
    pub(super) fn start_with_few(&mut self, join: &mut Join<'_>) {
        if !self.outer.is_empty() || self.goal.is_some() || self.depth > 0 {
            return;
        }
        let bound = join.operands.iter().fold(VarSet::default(), |set, p| set.union(&scope::possible(p)));
        let mut kept = Vec::new();
        for condition in std::mem::take(&mut join.pending) {
            match self.small_side(condition, &bound, &join.operands) {
                Some((atom, var)) => {
                    let inner = Pattern::Project { inner: Box::new(Pattern::Triple(atom.clone())), vars: vec![var] };
                    join.operands.push(Pattern::Distinct { inner: Box::new(inner) });
                }
                None => kept.push(condition),
            }
        }
        join.pending = kept;
    }

    /// Returns the small pattern of such a condition, and the variable that it shares.
    fn small_side<'c>(
        &self,
        condition: &'c Condition,
        bound: &VarSet,
        operands: &[Pattern],
    ) -> Option<(&'c TripleAtom, Var)> {
        let Condition::Exists { pattern: Pattern::Triple(atom), negated: false } = condition else { return None };
        let shared: VarSet = atom.variables().filter(|var| bound.contains(*var)).collect();
        let var = shared.iter().next().filter(|_| shared.len() == 1)?;
        let place = atom.slots.iter().position(|slot| *slot == Slot::Var(var))?;
        let certain = operands.iter().any(|operand| scope::certain(operand).contains(var));
        if !certain || !self.variables.is_named(var) {
            return None;
        }
        let few = self.estimator.count(atom).distinct[place];
        (few * ROWS_A_LOOK_UP < self.fewest_rows(operands, var)?).then_some((atom, var))
    }
}

/// The first VALUES of one row whose variables nothing reads but subjects, predicates and objects of triple patterns, and its values.
fn lone_values(operands: &[Pattern], read: &VarSet) -> Option<(usize, Vec<(Var, TermId)>)> {
    operands.iter().enumerate().find_map(|(at, operand)| {
        let values = only_values(operand)?;
        let mut others = read.clone();
        for (_, other) in operands.iter().enumerate().filter(|(other, _)| *other != at) {
            match other.triple() {
                Some(atom) => others.extend(&atom.graph.var().into_iter().collect()),
                None => others.extend(&scope::mentioned(other)),
            }
        }
        values.iter().all(|(var, _)| !others.contains(*var)).then_some((at, values))
    })
}

/// The values of VALUES with one row that leaves nothing unbound.
fn only_values(pattern: &Pattern) -> Option<Vec<(Var, TermId)>> {
    let Pattern::Values { vars, rows, .. } = pattern else { return None };
    let [row] = rows.as_ref() else { return None };
    vars.iter().zip(row).map(|(var, value)| Some((*var, (*value)?))).collect()
}

fn triple_mut(pattern: &mut Pattern) -> Option<&mut TripleAtom> {
    match pattern {
        Pattern::Triple(atom) => Some(atom),
        _ => None,
    }
}
