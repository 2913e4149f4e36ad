//! The operators of OPTIONAL, MINUS and EXISTS: an index look-up, an inner plan that runs for each batch of rows, or a
//! hash join. An EXISTS that none of these can answer gets a plan that runs for each binding.

use super::{Duplicates, Input, Planner};
use crate::operator::apply;
use crate::operator::correlated;
use crate::operator::feed::{self, FeedId};
use crate::operator::hash_join::JoinKind;
use crate::operator::probe::Keep;
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{Condition, Given, Pattern, Scalar, Var, VarSet, scope, substitute};
use kgq_syntax::error::Result;
use std::sync::Arc;

impl Planner<'_> {
    /// The leaf of an inner plan, through which the rows of `input` are fed into it.
    pub(super) fn fed(&self, feed: FeedId, vars: Vec<Var>, input: &PhysicalPlan) -> PhysicalPlan {
        let mut certain = input.certain.clone();
        for var in &vars {
            if input.column(*var).is_none() {
                certain.insert(*var);
            }
        }
        PhysicalPlan::new(feed::Plan(feed), vars)
            .like(certain, input.sorted.clone(), input.weighted)
            .expecting(input.rows, Basis::Input)
    }

    /// Makes an inner plan that runs over batches of `input`. Also returns the variable that holds, for each of its
    /// rows, the position of the input row in the batch.
    fn inner_plan(
        &mut self,
        input: &PhysicalPlan,
        pattern: &Pattern,
        conditions: &[Condition],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<((FeedId, PhysicalPlan), Var)> {
        let row = self.variables.fresh("#row");
        let feed = self.feed();
        // If nothing distinguishes the solutions of a row, the search stops at the first.
        let passes_over = (duplicates == Duplicates::Ignore && needed.is_empty()).then_some((row, feed));
        let around = std::mem::replace(&mut self.settled, passes_over);
        let vars = input.vars.iter().copied().chain([row]).collect();
        let mut needed = needed.clone();
        needed.insert(row);
        let start = self.fed(feed, vars, input);
        self.depth += 1;
        let inner =
            self.wanting(None, |b| b.join(Some(start), std::slice::from_ref(pattern), conditions, &needed, duplicates));
        self.depth -= 1;
        self.settled = around;
        Ok(((feed, inner?), row))
    }

    pub(super) fn left_join(
        &mut self,
        input: Input,
        left: &Pattern,
        right: &Pattern,
        conditions: &[Condition],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let right_vars = scope::possible(right);
        let mut read = VarSet::default();
        conditions.iter().for_each(|condition| read.extend(&condition.variables()));
        let known = scope::possible(left).union(&input.as_ref().map(PhysicalPlan::var_set).unwrap_or_default());
        let added = right_vars.without(&known);
        if matches!(right, Pattern::Empty) || duplicates == Duplicates::Ignore && !added.intersects(needed) {
            // The right side can be left out, because every left row stays, unless it binds a variable that the left
            // leaves unbound.
            if right_vars.intersection(&known).is_subset(&scope::certain(left)) || matches!(right, Pattern::Empty) {
                return self.apply(input, left, needed, duplicates);
            }
        }
        if input.is_none()
            && duplicates == Duplicates::Count
            && conditions.is_empty()
            && let Some(node) = self.counted_star([left, right], needed)
        {
            return Ok(node);
        }
        let left_needed = needed.union(&scope::mentioned(right)).union(&read);
        let left = self.apply(input, left, &left_needed, duplicates)?;
        let plain = conditions.iter().all(|c| match c {
            Condition::Scalar(scalar) => scalar.exists.is_empty(),
            Condition::Exists { .. } => false,
            Condition::NotAmong(..) | Condition::Same(..) => true,
        });
        let safe = self.may_apply(Some(&left), right);
        if safe
            && conditions.is_empty()
            && let Pattern::Triple(atom) = right
        {
            return self.probe(left, atom, Keep::All, needed, duplicates, None, &[]);
        }
        if plain && !(safe && (!self.outer.is_empty() || self.estimator.prefers_rows(&left, right, self.goal))) {
            let read = needed.union(&left.var_set()).union(&read);
            let right = self.wanting(None, |b| b.alone(right, &read, duplicates))?;
            let by_value = self.equal_pairs(conditions, &left.var_set(), &right.var_set());
            return self.hash_join(left, right, JoinKind::Left, conditions, &by_value, needed, duplicates);
        }
        let ((feed, inner), row) = self.inner_plan(&left, right, conditions, needed, duplicates)?;
        let vars: Vec<Var> = left
            .vars
            .iter()
            .chain(inner.vars.iter().filter(|var| **var != row && left.column(**var).is_none()))
            .copied()
            .filter(|var| needed.contains(*var))
            .collect();
        let (certain, weighted) = (left.certain.clone(), left.weighted || inner.weighted);
        let rows = left.rows.max(inner.rows);
        let apply = apply::Plan::new(left, (feed, inner), apply::ApplyKind::Left, row, vars.clone())?;
        Ok(PhysicalPlan::new(apply, vars).like(certain, Vec::new(), weighted).expecting(rows, Basis::Sides))
    }

    pub(super) fn minus(
        &mut self,
        input: Input,
        left: &Pattern,
        right: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let shared = scope::possible(left).intersection(&scope::possible(right));
        if shared.is_empty() {
            return self.apply(input, left, needed, duplicates);
        }
        let left_certain = scope::certain(left);
        let node = self.apply(input, left, &needed.union(&shared), duplicates)?;
        if shared.is_subset(&left_certain)
            && shared.is_subset(&scope::certain(right))
            && let Pattern::Triple(atom) = right
        {
            return self.probe(node, atom, Keep::Missing, needed, Duplicates::Ignore, None, &[]);
        }
        let right = self.wanting(None, |b| b.alone(right, &shared, Duplicates::Ignore))?;
        self.hash_join(node, right, JoinKind::Minus, &[], &[], needed, duplicates)
    }

    /// Adds a column for each EXISTS in the expression.
    pub(super) fn mark_exists(&mut self, mut input: PhysicalPlan, scalar: &Scalar) -> Result<PhysicalPlan> {
        for (var, pattern) in &scalar.exists {
            input = self.exists(input, pattern, Existence::Mark(*var), None)?;
        }
        Ok(input)
    }

    /// Keeps or marks the rows for which the pattern has a solution. If `needed` is `None`, all columns stay.
    pub(super) fn exists(
        &mut self,
        node: PhysicalPlan,
        pattern: &Pattern,
        existence: Existence,
        needed: Option<&VarSet>,
    ) -> Result<PhysicalPlan> {
        let vars = node.var_set();
        let pattern = without_modifiers(pattern, &vars);
        let shared_certain = scope::possible(pattern).intersection(&vars).is_subset(&node.certain);
        let exposed = scope::exposed(pattern).intersects(&vars);
        let mut wanted = needed.cloned().unwrap_or_else(|| vars.clone());
        if let (Pattern::Triple(atom), true, Existence::Existing | Existence::Missing) =
            (pattern, shared_certain, existence)
        {
            let keep = if matches!(existence, Existence::Existing) { Keep::Existing } else { Keep::Missing };
            return self.probe(node, atom, keep, &wanted, Duplicates::Ignore, None, &[]);
        }
        let mut out: Vec<Var> = node.vars.iter().copied().filter(|var| wanted.contains(*var)).collect();
        if let Existence::Mark(var) = existence {
            out.push(var);
            wanted.insert(var);
        }
        let mut certain = node.certain.clone();
        if let Existence::Mark(var) = existence {
            certain.insert(var);
        }
        let as_input = (certain, node.sorted.clone(), node.weighted);
        // The join can test the pattern's conditions, which may read the outer row, on pairs of rows.
        let (core, tests) = match pattern {
            Pattern::Filter { inner, conditions } if conditions.iter().all(is_plain) => {
                (inner.as_ref(), conditions.as_slice())
            }
            _ => (pattern, &[][..]),
        };
        let by_hash = !matches!(existence, Existence::Mark(_))
            && self.outer.is_empty()
            && !scope::exposed(core).intersects(&vars)
            && (tests.is_empty()
                || scope::possible(core).intersects(&vars)
                || !self.equal_pairs(tests, &vars, &scope::possible(core)).is_empty());
        if shared_certain && (!exposed || substitutable(pattern, &vars)) {
            let by_rows = !by_hash || self.estimator.prefers_rows(&node, pattern, self.goal);
            if by_rows {
                let outer = std::mem::replace(&mut self.outer, vars.clone());
                let plan = self.inner_plan(&node, pattern, &[], &VarSet::default(), Duplicates::Ignore);
                self.outer = outer;
                let (inner, row) = plan?;
                let kind = match existence {
                    Existence::Existing => apply::ApplyKind::Semi,
                    Existence::Missing => apply::ApplyKind::Anti,
                    Existence::Mark(_) => apply::ApplyKind::Mark,
                };
                let rows = node.rows;
                let apply = apply::Plan::new(node, inner, kind, row, out.clone())?;
                return Ok(kept(PhysicalPlan::new(apply, out), as_input, rows));
            }
        }
        if by_hash {
            let mut read = vars.clone();
            tests.iter().for_each(|condition| read.extend(&condition.variables()));
            let right = self.wanting(None, |b| b.alone(core, &read, Duplicates::Ignore))?;
            let kind = if matches!(existence, Existence::Existing) { JoinKind::Semi } else { JoinKind::Anti };
            let by_value = self.equal_pairs(tests, &vars, &right.var_set());
            return self.hash_join(node, right, kind, tests, &by_value, &wanted, Duplicates::Ignore);
        }
        let kind = match existence {
            Existence::Existing => correlated::ExistsKind::Semi,
            Existence::Missing => correlated::ExistsKind::Anti,
            Existence::Mark(_) => correlated::ExistsKind::Mark,
        };
        let shared: Vec<usize> = scope::mentioned(pattern).iter().filter_map(|var| node.column(var)).collect();
        let inner = Arc::new(self.for_each_binding(pattern, &node, &shared)?);
        let columns = out.iter().map(|var| node.column(*var)).collect();
        let rows = node.rows;
        let correlated = correlated::Plan { input: node, inner, kind, shared, columns };
        Ok(kept(PhysicalPlan::new(correlated, out), as_input, rows))
    }

    /// Makes the plans that decide whether the pattern has a solution for given values of the columns `shared`.
    fn for_each_binding(
        &mut self,
        pattern: &Pattern,
        input: &PhysicalPlan,
        shared: &[usize],
    ) -> Result<correlated::Inner> {
        let given = |bound: &dyn Fn(Var) -> bool| -> Vec<Given> {
            let var = |column: &usize| input.vars[*column];
            let given = |(position, column)| Given { var: var(column), position, bound: bound(var(column)) };
            shared.iter().enumerate().map(given).collect()
        };
        let all_bound = shared.iter().all(|column| input.certain.contains(input.vars[*column]));
        // Only the outermost EXISTS gets two plans: with two at each level of nesting, their number would grow exponentially.
        let both = !all_bound && self.correlated == 0;
        let mut plan = |given: Vec<Given>| {
            let pattern = substitute::substitute(pattern.clone(), &given);
            let mut planner = Planner::new(self.statistics, self.budget, self.variables);
            planner.correlated = self.correlated + 1;
            planner.bindings = if pattern.is_steady() { input.rows.max(self.bindings) } else { 1.0 };
            let plan = planner.plan_existence(&pattern);
            self.reads_clock |= planner.reads_clock;
            plan
        };
        if both {
            let bound = plan(given(&|_| true))?;
            return Ok(correlated::Inner { bound, open: Some(plan(given(&|var| input.certain.contains(var)))?) });
        }
        Ok(correlated::Inner { bound: plan(given(&|var| input.certain.contains(var)))?, open: None })
    }
}

/// A node that passes on some of its input's rows.
fn kept(node: PhysicalPlan, (certain, sorted, weighted): (VarSet, Vec<Var>, bool), rows: f64) -> PhysicalPlan {
    node.like(certain, sorted, weighted).expecting(rows, Basis::Input)
}

/// What happens to the rows for which a pattern has a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existence {
    Existing,
    Missing,
    /// All rows stay; the variable says whether there is a solution.
    Mark(Var),
}

/// Whether the condition reads nothing but the row, and can be tested any number of times.
fn is_plain(condition: &Condition) -> bool {
    match condition {
        Condition::Scalar(scalar) => scalar.exists.is_empty() && !scalar.is_volatile(),
        Condition::NotAmong(..) | Condition::Same(..) => true,
        Condition::Exists { .. } => false,
    }
}

/// Strips from the pattern what cannot change whether it has a solution for a row that binds `outer`.
fn without_modifiers<'p>(pattern: &'p Pattern, outer: &VarSet) -> &'p Pattern {
    let computes = pattern.scalar().is_some() && pattern.own_variables().iter().any(|var| outer.contains(*var));
    match pattern.children().next() {
        Some(inner) if pattern.properties().keeps_existence && !computes => without_modifiers(inner, outer),
        _ => pattern,
    }
}

/// Whether applying the pattern to rows that bind `outer` gives the same as substituting the values into it: every part
/// sees the outer bindings, and no part sees more of the pattern's own bindings than it should.
fn substitutable(pattern: &Pattern, outer: &VarSet) -> bool {
    let here = match pattern {
        Pattern::Join(operands) => operands.iter().enumerate().all(|(at, operand)| {
            let exposed = scope::exposed(operand);
            // An operand whose result depends on what the row binds must be applied to the row. An operand that shares
            // possibly unbound variables with the others is joined afterwards.
            let sees_row = exposed.intersects(outer);
            let (own, shared) = (exposed.without(outer), scope::possible(operand).without(outer));
            operands.iter().enumerate().filter(|(other, _)| *other != at).all(|(_, other)| {
                let possible = scope::possible(other);
                let certain = || shared.intersection(&possible).is_subset(&scope::certain(other));
                !own.intersects(&possible) && (!sees_row || certain())
            })
        }),
        Pattern::LeftJoin { left, right, .. } => {
            !scope::exposed(right).without(outer).intersects(&scope::possible(left))
                && scope::possible(left)
                    .intersection(&scope::possible(right))
                    .is_subset(&scope::certain(left).union(outer))
        }
        Pattern::Extend { var, .. } => !outer.contains(*var),
        pattern => pattern.properties().takes_rows,
    };
    here && pattern.children().all(|child| substitutable(child, outer))
}
