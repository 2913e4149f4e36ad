//! The operators of a join. Operands come in the planner's order, and each condition is tested as soon as its variables
//! are bound.

use super::{Duplicates, Input, Planner};
use crate::operator::access::{Lookup, LookupKey, Wish};
use crate::operator::hash_join::JoinKind;
use crate::operator::intersect;
use crate::operator::probe::Keep;
use crate::operator::search::Rings;
use crate::plan::estimate::Cardinality;
use crate::plan::order::order;
use crate::plan::physical::PhysicalPlan;
use crate::plan::{ClosureAtom, Condition, Graph, Pattern, Slot, TripleAtom, Var, VarSet, scope};
use kgq_syntax::error::{Error, Result};
use std::ops::Range;

/// If a row has fewer matches than this, they are checked one by one, not intersected.
const FEW_MATCHES: f64 = 2.0;

/// A join under construction.
pub(super) struct Join<'p> {
    pub(super) operands: Vec<Pattern>,
    /// Conditions that have not been applied yet.
    pub(super) pending: Vec<&'p Condition>,
    /// The ranges of ids that variables are restricted to. Their conditions stay pending: not every look-up can use a range.
    pub(super) ranges: Vec<(Var, Range<u32>)>,
}

impl Planner<'_> {
    /// Joins the input's rows with all operands, under the conditions.
    pub(super) fn join(
        &mut self,
        input: Input,
        patterns: &[Pattern],
        conditions: &[Condition],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let mut operands = Vec::new();
        flatten(patterns, &mut operands);
        let mut join = Join { operands, pending: conditions.iter().collect(), ranges: Vec::new() };
        self.restrict(&mut join)?;
        self.put_constants(&input, &mut join, needed);
        if input.is_none() {
            self.start_with_few(&mut join);
        }
        let components = components(&join.operands, input.as_ref());
        if components.len() > 1 && self.outer.is_empty() {
            return self.components(input, &components, &join, needed, duplicates);
        }
        let operands = std::mem::take(&mut join.operands);
        let node = self.connected(input, &operands, &mut join, needed, duplicates)?;
        let rest: Vec<Condition> = join.pending.into_iter().cloned().collect();
        if rest.is_empty() { Ok(node) } else { self.filter(node, &rest, &operands, needed) }
    }

    /// Joins each group of connected operands by itself, and then the groups.
    fn components(
        &mut self,
        input: Input,
        components: &[Vec<usize>],
        join: &Join<'_>,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let mut pending = join.pending.clone();
        let mut wanted = needed.clone();
        pending.iter().for_each(|condition| wanted.extend(&condition.variables()));
        let mut node = None;
        let fed = input.is_some();
        let outside = input.as_ref().map(PhysicalPlan::var_set).unwrap_or_default();
        let mut rest = input;
        let mut possible: Vec<VarSet> = components
            .iter()
            .map(|component| {
                component.iter().fold(VarSet::default(), |set, at| set.union(&scope::possible(&join.operands[*at])))
            })
            .collect();
        // The first component contains the input: a condition on the input's variables cannot be tested on another
        // component alone.
        if let Some(first) = possible.first_mut() {
            first.extend(&outside);
        }
        for (at, component) in components.iter().enumerate() {
            let others = possible.iter().enumerate().filter(|(i, _)| *i != at);
            let others = others.fold(VarSet::default(), |set, (_, vars)| set.union(vars));
            let (own, left): (Vec<_>, Vec<_>) = pending
                .into_iter()
                .partition(|c| !c.variables().intersects(&others) && c.variables().intersects(&possible[at]));
            pending = left;
            let operands: Vec<Pattern> = component.iter().map(|at| join.operands[*at].clone()).collect();
            let mut part = Join { operands: Vec::new(), pending: own, ranges: join.ranges.clone() };
            // The other components share no variable with the input.
            let built = self.connected(rest.take(), &operands, &mut part, &wanted, duplicates)?;
            let unapplied: Vec<Condition> = part.pending.into_iter().cloned().collect();
            let built = if unapplied.is_empty() { built } else { self.filter(built, &unapplied, &operands, &wanted)? };
            node = Some(match node {
                None => built,
                Some(left) => self.combine((left, fed), built, &mut pending, &wanted, needed, duplicates)?,
            });
        }
        let node = match node {
            Some(node) => node,
            None => self.start(rest),
        };
        let unapplied: Vec<Condition> = pending.into_iter().cloned().collect();
        if unapplied.is_empty() { Ok(node) } else { self.filter(node, &unapplied, &join.operands, needed) }
    }

    /// Joins two groups that share no variable, by an equality of values if a condition asks for one. `fed` says
    /// whether the left starts from rows that are fed from outside.
    fn combine(
        &mut self,
        (left, fed): (PhysicalPlan, bool),
        right: PhysicalPlan,
        pending: &mut Vec<&Condition>,
        wanted: &VarSet,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let vars = left.var_set().union(&right.var_set());
        let mut ready = Vec::new();
        pending.retain(|condition| {
            let Condition::Scalar(scalar) = condition else { return true };
            if !scalar.exists.is_empty() || scalar.is_volatile() || !scalar.variables.is_subset(&vars) {
                return true;
            }
            ready.push((*condition).clone());
            false
        });
        let mut by_value = self.equal_pairs(&ready, &left.var_set(), &right.var_set());
        // The right side is kept in memory. It should be the smaller one, and must not be one that is fed again and again.
        let swap = !fed && left.rows < right.rows && duplicates == Duplicates::Count;
        let (left, right) = if swap {
            by_value.iter_mut().for_each(|pair| *pair = (pair.1, pair.0));
            (right, left)
        } else {
            (left, right)
        };
        let out = if pending.is_empty() { needed } else { wanted };
        // If only the left side is needed and duplicates do not count, the first match is enough.
        let exists = duplicates == Duplicates::Ignore && right.vars.iter().all(|var| !out.contains(*var));
        let kind = if exists { JoinKind::Semi } else { JoinKind::Inner };
        self.hash_join(left, right, kind, &ready, &by_value, out, duplicates)
    }

    /// Returns the pairs of a left and a right variable that conditions equate.
    pub(super) fn equal_pairs(&self, conditions: &[Condition], left: &VarSet, right: &VarSet) -> Vec<(Var, Var)> {
        let equality = |condition: &Condition| match condition {
            Condition::Scalar(scalar) => scalar.equality(),
            Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => None,
        };
        let fits = |(a, b): (Var, Var)| {
            let across =
                |a: Var, b: Var| left.contains(a) && !right.contains(a) && right.contains(b) && !left.contains(b);
            if across(a, b) { Some((a, b)) } else { across(b, a).then_some((b, a)) }
        };
        conditions.iter().filter_map(equality).filter_map(fits).collect()
    }

    /// Joins operands in the best order, and tests each of the join's conditions as soon as possible.
    fn connected(
        &mut self,
        input: Input,
        operands: &[Pattern],
        join: &mut Join<'_>,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let mut wanted = needed.clone();
        join.pending.iter().for_each(|condition| wanted.extend(&condition.variables()));
        let bound = input.as_ref().map(|node| node.certain.clone()).unwrap_or_default();
        let before = Cardinality::of_many(input.as_ref().map_or(1.0, |node| node.rows.max(1.0)));
        let steps = match operands.len() {
            1 => vec![0],
            _ => order(&self.estimator, operands, &join.pending, &bound, &before, &|var| wanted.contains(var)).steps,
        };
        let mut input = input;
        let mut done = vec![false; operands.len()];
        for (position, at) in steps.iter().enumerate() {
            self.budget.check()?;
            if done[*at] {
                continue;
            }
            if input.is_none()
                && let Some((centre, rays)) = self.star(operands, *at, &wanted)
            {
                let atoms: Vec<_> = rays.iter().filter_map(|at| Some((operands[*at].triple()?, false))).collect();
                let bounds = join.ranges.iter().find(|(var, _)| *var == centre).map(|(_, range)| range.clone());
                let read = wanted.contains(centre)
                    || (0..operands.len())
                        .any(|at| !rays.contains(&at) && scope::mentioned(&operands[at]).contains(centre));
                if let Some(node) = self.run_merge(centre, &atoms, bounds, read, duplicates) {
                    rays.iter().for_each(|at| done[*at] = true);
                    input = Some(self.conditions(node, operands, &done, join, needed)?);
                    continue;
                }
            }
            done[*at] = true;
            let group = self.intersectable(input.as_ref(), operands, &steps[position..], &done);
            for other in &group {
                done[*other] = true;
            }
            let mut later = wanted_by(operands, &done);
            later.extend(needed);
            join.pending.iter().for_each(|condition| later.extend(&condition.variables()));
            let before = input.as_ref().map(PhysicalPlan::var_set).unwrap_or_default();
            let next = steps[position + 1..].iter().find(|next| !done[**next]).map(|next| &operands[*next]);
            let node = if group.is_empty() {
                self.operand(input.take(), &operands[*at], join, &later, duplicates, next)?
            } else {
                let atoms: Vec<&TripleAtom> =
                    std::iter::once(*at).chain(group).filter_map(|at| operands[at].triple()).collect();
                let start = self.start(input.take());
                self.intersect(start, &atoms, join, &later, duplicates)?
            };
            let node = self.conditions(node, operands, &done, join, needed)?;
            if !done.contains(&false) {
                input = Some(node);
                break;
            }
            let dropped = !before.is_subset(&node.var_set());
            let mut node = self.fewer(node, operands, &done, dropped, duplicates);
            while let Some((key, group)) = self.side_group(&node, operands, &done, join, needed) {
                node = self.join_side(node, key, &group, operands, needed, &mut done, join, duplicates)?;
            }
            input = Some(node);
        }
        Ok(self.start(input))
    }

    fn operand(
        &mut self,
        input: Input,
        operand: &Pattern,
        join: &Join<'_>,
        needed: &VarSet,
        duplicates: Duplicates,
        next: Option<&Pattern>,
    ) -> Result<PhysicalPlan> {
        // A triple term can be taken apart only once it is bound; this then binds its unbound components.
        let takes_apart = match (operand, &input) {
            (Pattern::TripleTerm(atom), Some(input)) => input.certain.contains(atom.triple),
            _ => false,
        };
        if !takes_apart && !self.may_apply(input.as_ref(), operand) {
            return self.independent(input, operand, needed, duplicates);
        }
        match operand {
            Pattern::Triple(atom) => {
                let input = self.start(input);
                let bounds = join
                    .ranges
                    .iter()
                    .find(|(var, _)| !input.certain.contains(*var) && atom.variables().any(|v| v == *var))
                    .cloned();
                let keys: Vec<Var> = next.map(|next| scope::possible(next).iter().collect()).unwrap_or_default();
                self.probe(input, atom, Keep::Matched, needed, duplicates, bounds, &keys)
            }
            Pattern::Closure(atom) => {
                let rings = rings(atom, &join.pending);
                self.closure(input, atom, needed, duplicates, rings)
            }
            Pattern::TripleTerm(atom) => {
                let input = self.start(input);
                self.triple_term(input, atom, needed)
            }
            pattern => {
                let alone = match &input {
                    Some(node) => !self.estimator.prefers_rows(node, pattern, self.goal) && self.outer.is_empty(),
                    None => false,
                };
                if alone {
                    self.independent(input, pattern, needed, duplicates)
                } else {
                    self.apply(input, pattern, needed, duplicates)
                }
            }
        }
    }

    /// Returns the operands that restrict the same one variable as the first of `steps`, which would bind it.
    fn intersectable(
        &self,
        input: Option<&PhysicalPlan>,
        operands: &[Pattern],
        steps: &[usize],
        done: &[bool],
    ) -> Vec<usize> {
        let bound = input.map(|node| node.certain.clone()).unwrap_or_default();
        let open = |at: usize| -> Option<Var> {
            let atom = operands[at].triple()?;
            let mut vars = atom.variables().filter(|var| !bound.contains(*var));
            let var = vars.next()?;
            (vars.next().is_none() && matches!(atom.graph, Graph::Default | Graph::Merge(_) | Graph::Union))
                .then_some(var)
        };
        let Some(var) = open(steps[0]) else { return Vec::new() };
        // If some rows bind the variable already, it would have to be compared, not bound.
        if input.is_some_and(|node| node.column(var).is_some()) {
            return Vec::new();
        }
        let group: Vec<usize> = steps[1..].iter().copied().filter(|at| !done[*at] && open(*at) == Some(var)).collect();
        if group.is_empty() {
            return group;
        }
        let fewest = std::iter::once(steps[0])
            .chain(group.iter().copied())
            .filter_map(|at| Some(self.estimator.fanout(&bound, operands[at].triple()?)))
            .fold(f64::INFINITY, f64::min);
        if fewest < FEW_MATCHES { Vec::new() } else { group }
    }

    fn intersect(
        &mut self,
        input: PhysicalPlan,
        atoms: &[&TripleAtom],
        join: &Join<'_>,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let column = |var: Var| if input.certain.contains(var) { input.column(var) } else { None };
        let lookup = |atom: &&TripleAtom| {
            let constants_first = self.looks_most_up(&input, atom);
            Lookup::new(atom, &Wish { column: &column, rank: &|_| 0, constants_first, first_key: None })
        };
        let mut lookups: Vec<Lookup> = atoms.iter().map(lookup).collect();
        let estimates = atoms.iter().map(|atom| (self.estimator.probe(&input, atom, Keep::Matched), *atom));
        let fewest = estimates.min_by(|(a, _), (b, _)| a.total_cmp(b));
        let fresh = lookups.iter().find_map(|lookup| lookup.free.first());
        let (Some((rows, fewest)), Some((var, _))) = (fewest, fresh) else {
            return Err(Error::bug("a multiway join binds no variable"));
        };
        let var = *var;
        let bounds = join.ranges.iter().find(|(bounded, _)| *bounded == var).map(|(_, range)| range.clone());
        let mut certain = input.certain.clone();
        certain.insert(var);
        let mut sorted = input.sorted.clone();
        if input.vars.is_empty() {
            sorted = vec![var];
        }
        let weigh = duplicates == Duplicates::Count;
        let (kept, mut vars) = input.kept(|var| needed.contains(var));
        let listed = needed.contains(var);
        if listed {
            vars.push(var);
        }
        // A column further right was bound later, and changes more often from row to row.
        lookups.sort_by_key(|lookup| {
            let column = |key: &LookupKey| match key {
                LookupKey::Term(_) => 0,
                LookupKey::Column(column) => column + 1,
            };
            lookup.prefix.iter().map(column).max()
        });
        let weighted = input.weighted || (!listed && weigh);
        let bounds = bounds.unwrap_or(0..u32::MAX);
        let intersect = intersect::Plan { input, lookups, var, listed, weigh, kept, bounds };
        let node = PhysicalPlan::new(intersect, vars).like(certain, sorted, weighted);
        Ok(node.expecting(rows, self.estimator.basis(fewest)))
    }

    /// Applies the conditions whose variables no later operand can bind.
    fn conditions(
        &mut self,
        node: PhysicalPlan,
        operands: &[Pattern],
        done: &[bool],
        join: &mut Join<'_>,
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        if join.pending.is_empty() {
            return Ok(node);
        }
        let open = wanted_by(operands, done).without(&node.certain);
        let all_done = done.iter().all(|done| *done);
        let (ready, waiting): (Vec<_>, Vec<_>) = join.pending.iter().partition(|condition| {
            all_done
                || !condition.is_volatile()
                    && !condition.variables().intersects(&open)
                    && self.is_bound(condition, &node)
        });
        if ready.is_empty() {
            return Ok(node);
        }
        join.pending = waiting;
        let mut later = wanted_by(operands, done);
        later.extend(needed);
        join.pending.iter().for_each(|condition| later.extend(&condition.variables()));
        let ready: Vec<Condition> = ready.into_iter().cloned().collect();
        self.filter(node, &ready, operands, &later)
    }

    /// Whether the condition reads a column of the rows; a condition that reads none waits for the end.
    fn is_bound(&self, condition: &Condition, node: &PhysicalPlan) -> bool {
        condition.variables().intersects(&node.var_set())
    }
}

/// Which paths of a closure from a node to itself the conditions may let through.
fn rings(atom: &ClosureAtom, conditions: &[&Condition]) -> Rings {
    let differ = conditions.iter().filter_map(|condition| match condition {
        Condition::Scalar(scalar) => scalar.difference(),
        Condition::Exists { .. } | Condition::NotAmong(..) | Condition::Same(..) => None,
    });
    let of_ends = |(a, b)| {
        let sides = (Slot::Var(a), Slot::Var(b));
        sides == (atom.subject, atom.object) || sides == (atom.object, atom.subject)
    };
    let kinds = differ.filter(|(sides, _)| of_ends(*sides));
    kinds.fold(Rings::Any, |rings, (_, by_value)| match rings {
        Rings::Any | Rings::Unequal if by_value => Rings::Unequal,
        _ => Rings::None,
    })
}

fn flatten(patterns: &[Pattern], operands: &mut Vec<Pattern>) {
    for pattern in patterns {
        match pattern {
            Pattern::Join(inner) => flatten(inner, operands),
            Pattern::Unit => (),
            pattern => operands.push(pattern.clone()),
        }
    }
}

/// Returns the variables of the operands that are not done yet.
pub(super) fn wanted_by(operands: &[Pattern], done: &[bool]) -> VarSet {
    operands.iter().zip(done).filter(|(_, done)| !**done).fold(VarSet::default(), |mut set, (operand, _)| {
        set.extend(&scope::mentioned(operand));
        set
    })
}

/// Groups the operands by shared variables. All operands connected to the input form the first group.
fn components(operands: &[Pattern], input: Option<&PhysicalPlan>) -> Vec<Vec<usize>> {
    let vars: Vec<VarSet> = operands.iter().map(scope::possible).collect();
    let mut groups: Vec<(VarSet, Vec<usize>)> = Vec::new();
    if let Some(input) = input {
        groups.push((input.var_set(), Vec::new()));
    }
    for (at, vars) in vars.into_iter().enumerate() {
        // An operand that binds nothing fits anywhere. It goes first, because it may have no solution.
        let (mut merged, mut members) = (vars, vec![at]);
        let mut rest = Vec::new();
        for (i, (group_vars, group)) in groups.into_iter().enumerate() {
            let from_input = i == 0 && input.is_some();
            if group_vars.intersects(&merged) || from_input && merged.is_empty() {
                merged.extend(&group_vars);
                members = group.into_iter().chain(members).collect();
                if from_input {
                    // The group of the input stays in front.
                    rest.insert(0, (VarSet::default(), Vec::new()));
                }
            } else {
                rest.push((group_vars, group));
            }
        }
        match rest.first() {
            Some((front, none)) if input.is_some() && front.is_empty() && none.is_empty() => {
                rest[0] = (merged, members)
            }
            _ => rest.push((merged, members)),
        }
        groups = rest;
    }
    groups.into_iter().map(|(_, members)| members).filter(|members| !members.is_empty()).collect()
}
