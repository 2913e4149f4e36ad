//! Keeps the intermediate results of a join small. Duplicates between operands become one row, with a multiplicity if
//! they count; operands that one variable connects to the rest are joined by themselves.

use super::join::{Join, wanted_by};
use super::{Duplicates, Planner};
use crate::operator::hash_join::JoinKind;
use crate::operator::{distinct, fold, fold_pairs, project};
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{Pattern, Var, VarSet, scope};
use kgq_syntax::error::Result;

/// With more remaining operands than this, no groups among them are sought: the search would take longer than it saves.
const MOST_GROUPED: usize = 32;

/// Folding fewer rows than this is not worth the memory.
const WORTH_FOLDING: f64 = 1000.0;

/// Folding pairs keeps a sum for each term, so it does not pay with more terms per row than this.
const TERMS_A_ROW: f64 = 16.0;

impl Planner<'_> {
    /// Returns remaining operands that only one variable connects to the rows, that bind nothing needed, and that cost
    /// less joined by themselves than looked up for each row.
    pub(super) fn side_group(
        &self,
        node: &PhysicalPlan,
        operands: &[Pattern],
        done: &[bool],
        join: &Join<'_>,
        needed: &VarSet,
    ) -> Option<(Var, Vec<usize>)> {
        if self.depth > 0 || self.goal.is_some() || node.rows < WORTH_FOLDING {
            return None;
        }
        let mut read = needed.clone();
        join.pending.iter().for_each(|condition| read.extend(&condition.variables()));
        let bound = node.var_set();
        let open: Vec<usize> = (0..operands.len()).filter(|at| !done[*at]).collect();
        if open.len() > MOST_GROUPED {
            return None;
        }
        for start in &open {
            let mut group = vec![*start];
            let mut vars = scope::possible(&operands[*start]).without(&bound);
            loop {
                let more: Vec<usize> = open
                    .iter()
                    .copied()
                    .filter(|at| !group.contains(at) && scope::possible(&operands[*at]).intersects(&vars))
                    .collect();
                if more.is_empty() {
                    break;
                }
                more.iter().for_each(|at| vars.extend(&scope::possible(&operands[*at]).without(&bound)));
                group.extend(more);
            }
            group.sort_unstable();
            let all = group.iter().fold(VarSet::default(), |set, at| set.union(&scope::possible(&operands[*at])));
            let mut keys = all.intersection(&bound);
            keys = keys.intersection(&node.certain);
            let whole = all.intersection(&bound).len() == keys.len();
            if group.len() < 2
                || !whole
                || keys.len() != 1
                || vars.intersects(&read)
                || group.iter().any(|at| operands[*at].triple().is_none())
            {
                continue;
            }
            let pattern = Pattern::Join(group.iter().map(|at| operands[*at].clone()).collect());
            if !self.estimator.prefers_rows(node, &pattern, self.goal) {
                return Some((keys.iter().next()?, group));
            }
        }
        None
    }

    /// Joins such a group on its variable. Before the join, the group is counted or made distinct by that variable.
    #[expect(clippy::too_many_arguments, reason = "the state of the join that the group is part of")]
    pub(super) fn join_side(
        &mut self,
        node: PhysicalPlan,
        key: Var,
        group: &[usize],
        operands: &[Pattern],
        needed: &VarSet,
        done: &mut [bool],
        join: &Join<'_>,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let members: Vec<Pattern> = group.iter().map(|at| operands[*at].clone()).collect();
        group.iter().for_each(|at| done[*at] = true);
        let side = self.alone(&Pattern::Join(members), &[key].into_iter().collect(), duplicates)?;
        let side = project::Plan::to(side, vec![key]);
        let (vars, certain, rows) = (side.vars.clone(), side.certain.clone(), side.rows);
        let side = match duplicates {
            Duplicates::Ignore => {
                PhysicalPlan::new(distinct::Plan { input: side }, vars).like(certain, Vec::new(), false)
            }
            Duplicates::Count => PhysicalPlan::new(fold::Plan { input: side }, vars.clone()).like(certain, vars, true),
        };
        let side = side.expecting(rows, Basis::Input);
        let mut later = wanted_by(operands, done);
        later.extend(needed);
        join.pending.iter().for_each(|condition| later.extend(&condition.variables()));
        self.hash_join(node, side, JoinKind::Inner, &[], &[], &later, duplicates)
    }

    /// Removes duplicates from the rows if that pays: variables that distinguished rows may no longer be needed, and
    /// joins follow.
    pub(super) fn fewer(
        &self,
        node: PhysicalPlan,
        operands: &[Pattern],
        done: &[bool],
        dropped: bool,
        duplicates: Duplicates,
    ) -> PhysicalPlan {
        // The rows of an inner plan are numbered anew for each batch, so its operators must not remember rows.
        if self.depth > 0 || node.rows < WORTH_FOLDING || node.vars.is_empty() || node.vars.len() > 2 {
            return node;
        }
        // No statistics tell how many rows agree in both variables; but if they are sorted by one of them, folding costs little.
        if let ([a, b], Some(first)) = (node.vars.as_slice(), node.sorted.first())
            && dropped
            && self.goal.is_none()
            && node.rows * TERMS_A_ROW >= f64::from(self.statistics.terms())
            && (first == a || first == b)
        {
            let by = usize::from(first == b);
            let (vars, sorted, rows) = (node.vars.clone(), vec![*first], node.rows);
            let (certain, weigh) = (node.certain.clone(), duplicates == Duplicates::Count);
            let fold = fold_pairs::Plan { input: node, by, weigh };
            return PhysicalPlan::new(fold, vars).like(certain, sorted, weigh).expecting(rows, Basis::Input);
        }
        let taken = operands.iter().zip(done).filter(|(_, done)| **done).map(|(operand, _)| operand);
        let mut distinct = vec![f64::INFINITY; node.vars.len()];
        for operand in taken {
            let Some(atom) = operand.triple() else { continue };
            let count = self.estimator.count(atom);
            for (slot, own) in atom.slots.iter().zip(count.distinct) {
                if let Some(at) = slot.var().and_then(|var| node.column(var)) {
                    distinct[at] = distinct[at].min(own);
                }
            }
        }
        let groups = distinct.iter().product::<f64>();
        // A set of ids takes one bit for each term, and testing it costs less than the look-up that it saves.
        let cheap = duplicates == Duplicates::Ignore && node.vars.len() == 1;
        if !cheap && groups * 1.5 > node.rows {
            return node;
        }
        let (vars, certain, sorted, rows) = (node.vars.clone(), node.certain.clone(), node.sorted.clone(), node.rows);
        match duplicates {
            Duplicates::Ignore => {
                let distinct = distinct::Plan { input: node };
                let rows = groups.min(rows);
                PhysicalPlan::new(distinct, vars).like(certain, sorted, false).expecting(rows, Basis::Distinct)
            }
            Duplicates::Count if vars.len() == 1 && self.goal.is_none() && node.rows > groups * 4.0 => {
                let fold = fold::Plan { input: node };
                PhysicalPlan::new(fold, vars.clone()).like(certain, vars, true).expecting(groups, Basis::Distinct)
            }
            Duplicates::Count => node,
        }
    }
}
