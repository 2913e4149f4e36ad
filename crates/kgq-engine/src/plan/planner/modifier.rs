//! The operators of BIND, DISTINCT, ORDER BY and LIMIT.

use super::group::FirstGroups;
use super::{Duplicates, Planner};
use crate::operator::order::KeyOf;
use crate::operator::{distinct, expand, extend, order, project, slice};
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{OrderKey, Pattern, Scalar, Var, VarSet};
use kgq_syntax::error::{Error, Result};

impl Planner<'_> {
    pub(super) fn extend(
        &mut self,
        input: PhysicalPlan,
        var: Var,
        scalar: &Scalar,
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        let input = self.mark_exists(input, scalar)?;
        let (mut kept, mut vars) = input.kept(|kept| needed.contains(kept) && kept != var);
        kept.push(input.vars.len());
        vars.push(var);
        let mut certain = input.certain.clone();
        if scalar.binds_always(&certain) {
            certain.insert(var);
        }
        let (sorted, weighted, rows) = (input.sorted.clone(), input.weighted, input.rows);
        let extend = extend::Plan { input, var, scalar: scalar.clone(), kept };
        Ok(PhysicalPlan::new(extend, vars).like(certain, sorted, weighted).expecting(rows, Basis::Input))
    }

    pub(super) fn distinct(&mut self, inner: &Pattern, vars: Vec<Var>) -> Result<PhysicalPlan> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, inner, &needed, Duplicates::Ignore)?;
        let present: Vec<Var> = vars.into_iter().filter(|var| node.column(*var).is_some()).collect();
        let node = self.side_by_side(project::Plan::to(node, present));
        let (vars, certain, sorted, rows) = (node.vars.clone(), node.certain.clone(), node.sorted.clone(), node.rows);
        Ok(PhysicalPlan::new(distinct::Plan { input: node }, vars)
            .like(certain, sorted, false)
            .expecting(rows, Basis::Input))
    }

    pub(super) fn order(
        &mut self,
        inner: &Pattern,
        keys: &[OrderKey],
        needed: &VarSet,
        limit: Option<u64>,
    ) -> Result<PhysicalPlan> {
        let first_groups = FirstGroups::of(inner, keys, limit);
        let (inner, computed) = computed_keys(inner, keys, needed);
        let mut inner_needed = needed.clone();
        keys.iter()
            .filter(|key| computed.iter().all(|(var, _)| *var != key.var))
            .for_each(|k| inner_needed.insert(k.var));
        computed.iter().for_each(|(_, scalar)| inner_needed.extend(&scalar.variables));
        self.first_groups = first_groups;
        let node = self.wanting(None, |b| {
            let node = b.apply(None, inner, &inner_needed, Duplicates::Count)?;
            Ok::<_, Error>(b.side_by_side(node))
        })?;
        let of = |key: &OrderKey| match computed.iter().find(|(var, _)| *var == key.var) {
            Some((_, scalar)) => Some(KeyOf::Computed(Scalar::clone(scalar))),
            None => node.column(key.var).map(KeyOf::Column),
        };
        let keys =
            keys.iter().filter_map(|key| Some(order::KeyPlan { of: of(key)?, descending: key.descending })).collect();
        let (vars, certain, weighted) = (node.vars.clone(), node.certain.clone(), node.weighted);
        let rows = node.rows;
        Ok(PhysicalPlan::new(order::Plan { input: node, keys, limit }, vars)
            .like(certain, Vec::new(), weighted)
            .expecting(rows, Basis::Input))
    }

    pub(super) fn slice(
        &mut self,
        inner: &Pattern,
        start: u64,
        length: Option<u64>,
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        let most = length.map(|length| start.saturating_add(length));
        let mut below = inner;
        while let Pattern::Project { inner, .. } = below {
            below = inner;
        }
        let node = match below {
            Pattern::Order { inner, keys } => self.order(inner, keys, needed, most)?,
            _ => {
                let wanted = most.map(|most| self.goal.map_or(most as f64, |goal| goal.min(most as f64))).or(self.goal);
                self.wanting(wanted, |b| b.apply(None, inner, needed, Duplicates::Count))?
            }
        };
        let node = expand::Plan::where_weighted(node);
        let (vars, certain) = (node.vars.clone(), node.certain.clone());
        let (rows, basis) = match most {
            Some(most) if (most as f64) < node.rows => (most as f64, Basis::Query),
            _ => (node.rows, Basis::Input),
        };
        let slice = slice::Plan { input: node, offset: start, limit: length };
        Ok(PhysicalPlan::new(slice, vars).like(certain, Vec::new(), false).expecting(rows, basis))
    }
}

/// Splits off the outermost BINDs of the sorted pattern that only ORDER BY reads. The sort evaluates them.
fn computed_keys<'p>(inner: &'p Pattern, keys: &[OrderKey], needed: &VarSet) -> (&'p Pattern, Vec<(Var, &'p Scalar)>) {
    let (mut inner, mut computed): (_, Vec<(Var, &Scalar)>) = (inner, Vec::new());
    while let Pattern::Extend { inner: below, var, scalar } = inner {
        let is_read = needed.contains(*var) || computed.iter().any(|(_, scalar)| scalar.variables.contains(*var));
        if is_read || !keys.iter().any(|key| key.var == *var) || scalar.is_volatile() || !scalar.exists.is_empty() {
            break;
        }
        computed.push((*var, scalar));
        inner = below;
    }
    (inner, computed)
}
