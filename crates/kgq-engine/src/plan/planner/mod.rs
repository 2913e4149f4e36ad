//! Makes a physical plan from patterns. Each pattern is applied to the rows that exist already, or evaluated by itself
//! and joined.
//!
//! Everything that statistics can decide is decided here. Operators decide only what a run reveals, such as when to spill.

mod exists;
mod fewer;
mod group;
mod join;
mod modifier;
mod restrict;
mod scan;
mod star;

use super::estimate::{self, Estimator};
use super::physical::{Basis, PhysicalPlan};
use super::statistics::Statistics;
use super::{Condition, Given, Pattern, Var, VarSet, Variables, scope, share};
use crate::operator::feed::{FeedId, Nothing, UnitPlan};
use crate::operator::hash_join::{self, By, Extreme, JoinKind, Layout, Pair};
use crate::operator::{expand, filter, given, parallel, project, service, symmetric_join, union, values};
use exists::Existence;
use group::FirstGroups;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use std::sync::Arc;

/// How equal solutions are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// They count; a row may stand for them by its multiplicity.
    Count,
    /// One is as good as many.
    Ignore,
}

impl Duplicates {
    /// How they are treated below an expression: each solution gets another value of a volatile one, so there they count.
    fn below(self, is_volatile: bool) -> Self {
        if is_volatile { Self::Count } else { self }
    }
}

/// Plans one query.
pub struct Planner<'p> {
    statistics: &'p dyn Statistics,
    budget: &'p Budget,
    variables: &'p mut Variables,
    estimator: Estimator<'p>,
    /// Variables bound outside an EXISTS, which all parts of its pattern see (SPARQL 1.1 §18.6, substitute).
    outer: VarSet,
    /// The number of inner plans around the one being made.
    depth: usize,
    /// How many rows are wanted, if that may be far fewer than there are. Nothing is then read whole unless it must be.
    goal: Option<f64>,
    /// In an inner plan that stops at a row's first solution: the variable of the row's position, and the feed that
    /// supplies the row.
    settled: Option<(Var, FeedId)>,
    feeds: u32,
    /// The number of correlated EXISTS around this part of the plan.
    correlated: usize,
    /// For how many bindings the plan is opened, as far as it may keep something from one to the next.
    bindings: f64,
    /// The wanted groups of the pattern that is planned next.
    first_groups: Option<FirstGroups>,
    reads_clock: bool,
}

/// Fewer rows than this are read faster than a thread starts.
const WORTH_DIVIDING: f64 = 20_000.0;

/// So many rows are counted in the time in which one is passed on.
const COUNTED_A_ROW: f64 = 32.0;

/// For fewer bindings, a table of all rows of a side may cost more than the rows that each of them reads.
const MANY_BINDINGS: f64 = 4.0;

/// Fewer terms than this are looked up one by one.
const WORTH_MERGING: usize = 64;

/// With more operators than this, a plan might overflow the stack of a thread.
const MOST_DIVIDED: usize = 100;

/// If more rows than this are wanted, the plan is made for all rows.
const MOST_WANTED: f64 = 10_000.0;

/// The rows that a pattern is applied to; `None` stands for one row that binds nothing.
type Input = Option<PhysicalPlan>;

impl<'p> Planner<'p> {
    pub fn new(statistics: &'p dyn Statistics, budget: &'p Budget, variables: &'p mut Variables) -> Self {
        Self {
            statistics,
            budget,
            variables,
            estimator: Estimator::new(statistics, budget),
            outer: VarSet::default(),
            depth: 0,
            goal: None,
            settled: None,
            feeds: 0,
            correlated: 0,
            bindings: 1.0,
            first_groups: None,
            reads_clock: false,
        }
    }

    /// Whether the plan depends on the value of NOW().
    pub fn reads_clock(&self) -> bool {
        self.reads_clock
    }

    /// Plans a part from which only this many rows are wanted; `None` for all.
    fn wanting<T>(&mut self, rows: Option<f64>, build: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.goal, rows.filter(|rows| *rows <= MOST_WANTED));
        let built = build(self);
        self.goal = before;
        built
    }

    /// Makes the plan that decides whether the pattern has a solution.
    pub fn plan_existence(&mut self, pattern: &Pattern) -> Result<PhysicalPlan> {
        self.wanting(Some(1.0), |builder| builder.apply(None, pattern, &VarSet::default(), Duplicates::Ignore))
    }

    /// Makes the plan for a whole pattern, with exactly these columns and one row for each solution.
    pub fn plan(&mut self, pattern: &Pattern, vars: &[Var]) -> Result<PhysicalPlan> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, pattern, &needed, Duplicates::Count)?;
        let plan = self.side_by_side(expand::Plan::where_weighted(project::Plan::to(node, vars.to_vec())));
        // What gives other values each time is not made once, and an endpoint is asked as often as the query says.
        Ok(if pattern.is_steady() { share::share(plan, |part| self.shared(part)) } else { plan })
    }

    /// A part of the plan that is made once for several places.
    fn shared(&self, part: PhysicalPlan) -> PhysicalPlan {
        if part.sorted.is_empty() { self.side_by_side(part) } else { part }
    }

    /// Divides the node into parts that run in parallel, if there is enough work.
    fn side_by_side(&self, node: PhysicalPlan) -> PhysicalPlan {
        let (mut rows, mut operators) = (0.0f64, 0);
        let mut below = vec![&node];
        while let Some(node) = below.pop() {
            let inputs = node.operation.inputs();
            // The row count of a scan is known; what later operators make of it is a guess.
            if inputs.iter().all(|input| input.operation.is_unit()) {
                rows = rows.max(node.rows).max(node.operation.rows_counted() / COUNTED_A_ROW);
            }
            operators += 1;
            below.extend(inputs);
        }
        let few = rows < WORTH_DIVIDING || operators > MOST_DIVIDED;
        if !self.is_outermost() || few || !node.operation.divides() {
            return node;
        }
        let (vars, certain, weighted, rows) = (node.vars.clone(), node.certain.clone(), node.weighted, node.rows);
        PhysicalPlan::new(parallel::Plan { input: node }, vars)
            .like(certain, Vec::new(), weighted)
            .expecting(rows, Basis::Input)
    }

    /// Whether this part of the plan is opened once, and read whole.
    fn is_outermost(&self) -> bool {
        self.depth == 0 && self.outer.is_empty() && self.goal.is_none()
    }

    /// Returns a new feed, for rows that are put into an inner plan.
    fn feed(&mut self) -> FeedId {
        self.feeds += 1;
        FeedId(self.feeds)
    }

    /// Joins the rows of the input with the pattern's solutions. Columns that are not needed may be missing.
    pub fn apply(
        &mut self,
        input: Input,
        pattern: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        self.budget.check()?;
        if !self.may_apply(input.as_ref(), pattern) {
            return self.independent(input, pattern, needed, duplicates);
        }
        match pattern {
            Pattern::Empty => {
                let vars = input.map_or_else(Vec::new, |node| node.vars);
                let certain = vars.iter().copied().collect();
                Ok(PhysicalPlan::new(Nothing, vars).like(certain, Vec::new(), false).expecting(0.0, Basis::Query))
            }
            Pattern::Unit => Ok(self.start(input)),
            Pattern::Triple(_) | Pattern::Closure(_) | Pattern::TripleTerm(_) | Pattern::Join(_) => {
                self.join(input, std::slice::from_ref(pattern), &[], needed, duplicates)
            }
            Pattern::Values { vars, rows, distinct } => match input {
                None => Ok(values(vars, rows, *distinct, scope::certain(pattern))),
                Some(_) => self.independent(input, pattern, needed, duplicates),
            },
            Pattern::Given(vars) => match input {
                None => Ok(self.given(vars)),
                Some(_) => self.independent(input, pattern, needed, duplicates),
            },
            Pattern::Service(call) => match input {
                None => {
                    let vars = call.vars.iter().map(|(_, var)| *var).collect();
                    let basis = Basis::Guess("the endpoint has not been asked");
                    Ok(PhysicalPlan::new(service::Plan(Arc::clone(call)), vars)
                        .expecting(estimate::SERVICE_ROWS, basis))
                }
                Some(_) => self.independent(input, pattern, needed, duplicates),
            },
            Pattern::Filter { inner, conditions } => {
                let duplicates = duplicates.below(conditions.iter().any(Condition::is_volatile));
                self.join(input, std::slice::from_ref(inner.as_ref()), conditions, needed, duplicates)
            }
            Pattern::Union(branches) => self.union(input, branches, needed, duplicates),
            Pattern::LeftJoin { left, right, conditions } => {
                self.left_join(input, left, right, conditions, needed, duplicates)
            }
            Pattern::Minus { left, right } => self.minus(input, left, right, needed, duplicates),
            Pattern::Extend { inner, var, scalar } => {
                if !needed.contains(*var) && !scalar.is_volatile() {
                    return self.apply(input, inner, needed, duplicates);
                }
                let inner_needed = needed.union(&scalar.mentioned());
                let duplicates = duplicates.below(scalar.is_volatile());
                let mut node = self.apply(input, inner, &inner_needed, duplicates)?;
                if scalar.is_volatile() {
                    node = expand::Plan::where_weighted(node);
                }
                self.extend(node, *var, scalar, needed)
            }
            Pattern::Project { inner, .. } => self.apply(input, inner, needed, duplicates),
            Pattern::Distinct { .. } | Pattern::Group { .. } | Pattern::Order { .. } | Pattern::Slice { .. }
                if input.is_some() =>
            {
                self.independent(input, pattern, needed, duplicates)
            }
            Pattern::Distinct { inner } => {
                let vars = scope::possible(inner).iter().filter(|var| self.variables.is_named(*var)).collect();
                self.distinct(inner, vars)
            }
            Pattern::Group { inner, keys, aggregates } => self.group(inner, keys, aggregates, needed),
            Pattern::Order { inner, keys } => self.order(inner, keys, needed, None),
            Pattern::Slice { inner, start, length } => self.slice(inner, *start, *length, needed),
        }
    }

    /// Whether applying the pattern to the input's rows gives the same solutions as evaluating it by itself and joining.
    fn may_apply(&self, input: Option<&PhysicalPlan>, pattern: &Pattern) -> bool {
        let Some(input) = input else { return true };
        // What gives another value each time is computed once for each solution of its own, not for each joined row.
        if !pattern.is_steady() {
            return false;
        }
        let vars = input.var_set();
        let exposed = scope::exposed(pattern);
        scope::possible(pattern).intersection(&vars).is_subset(&input.certain)
            && !exposed.without(&self.outer).intersects(&vars)
    }

    fn start(&self, input: Input) -> PhysicalPlan {
        input.unwrap_or_else(|| PhysicalPlan::new(UnitPlan, Vec::new()))
    }

    /// Evaluates the pattern by itself and joins it with the input.
    fn independent(
        &mut self,
        input: Input,
        pattern: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let Some(left) = input else { return self.apply(None, pattern, needed, duplicates) };
        let right = self.alone(pattern, &needed.union(&left.var_set()), duplicates)?;
        self.hash_join(left, right, JoinKind::Inner, &[], &[], needed, duplicates)
    }

    /// Evaluates the pattern by itself, from the inside out, as SPARQL defines it.
    fn alone(&mut self, pattern: &Pattern, needed: &VarSet, duplicates: Duplicates) -> Result<PhysicalPlan> {
        let outer = std::mem::take(&mut self.outer);
        let node = self.apply(None, pattern, needed, duplicates);
        self.outer = outer;
        node
    }

    #[expect(clippy::too_many_arguments, reason = "a join has two sides, a kind, conditions and an output")]
    fn hash_join(
        &mut self,
        mut left: PhysicalPlan,
        mut right: PhysicalPlan,
        mut kind: JoinKind,
        conditions: &[Condition],
        by_value: &[(Var, Var)],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        // A plan that is opened for each binding keeps the table of a side that does not depend on it.
        let mut keeps_table = false;
        if kind == JoinKind::Inner && self.bindings >= MANY_BINDINGS {
            keeps_table = share::is_the_same_each_time(&mut right);
            if !keeps_table && by_value.is_empty() && share::is_the_same_each_time(&mut left) {
                std::mem::swap(&mut left, &mut right);
                keeps_table = true;
            }
        }
        let (mut keys, mut loose, mut added) = (Vec::new(), Vec::new(), Vec::new());
        let mut vars = left.vars.clone();
        for (column, var) in right.vars.iter().enumerate() {
            match left.column(*var) {
                Some(own) if left.certain.contains(*var) && right.certain.contains(*var) => {
                    keys.push((Pair { left: own, right: column }, By::Term));
                }
                Some(own) => loose.push(Pair { left: own, right: column }),
                None => {
                    added.push(column);
                    vars.push(*var);
                }
            }
        }
        for (a, b) in by_value {
            if let (Some(left), Some(right)) = (left.column(*a), right.column(*b)) {
                keys.push((Pair { left, right }, By::Value));
            }
        }
        // With a goal the first pairs are wanted early, and a semi-join does not provide that.
        if kind == JoinKind::Inner
            && self.goal.is_none()
            && duplicates == Duplicates::Ignore
            && loose.is_empty()
            && added.iter().all(|column| !needed.contains(right.vars[*column]))
        {
            kind = JoinKind::Semi;
        }
        let tests = tests(conditions, &vars)?;
        if !matches!(kind, JoinKind::Inner | JoinKind::Left) && tests.is_empty() {
            vars.truncate(left.vars.len());
            added.clear();
        }
        let joins = matches!(kind, JoinKind::Inner | JoinKind::Left);
        let width = if joins { vars.len() } else { left.vars.len() };
        let kept: Vec<usize> = (0..width).filter(|column| needed.contains(vars[*column])).collect();
        let out: Vec<Var> = kept.iter().map(|column| vars[*column]).collect();
        let mut certain = left.certain.clone();
        if kind == JoinKind::Inner {
            certain.extend(&right.certain);
        }
        let certain = certain.intersection(&out.iter().copied().collect());
        let weighted = left.weighted || (right.weighted && joins);
        let sorted = if kind == JoinKind::Left { Vec::new() } else { left.sorted.clone() };
        let rows = match kind {
            JoinKind::Inner if keys.is_empty() && loose.is_empty() => left.rows * right.rows,
            JoinKind::Inner | JoinKind::Left => left.rows.max(right.rows),
            JoinKind::Semi | JoinKind::Anti | JoinKind::Minus => left.rows,
        };
        let extreme = match (kind, conditions) {
            (JoinKind::Semi | JoinKind::Anti, [Condition::Scalar(scalar)]) if loose.is_empty() => {
                scalar.less().and_then(|(low, high)| match (left.column(low), left.column(high)) {
                    (None, Some(_)) => Some(Extreme::Least(right.column(low)?)),
                    (Some(_), None) => Some(Extreme::Greatest(right.column(high)?)),
                    _ => None,
                })
            }
            _ => None,
        };
        let symmetric = self.goal.is_some() && kind == JoinKind::Inner && loose.is_empty() && !keeps_table;
        let layout = Arc::new(Layout { keys, loose, added, conditions: tests, vars, extreme, kept });
        let node = if symmetric {
            let join = symmetric_join::Plan { left, right, layout };
            PhysicalPlan::new(join, out).like(certain, Vec::new(), weighted)
        } else {
            let columns = sorted.iter().map_while(|var| out.iter().position(|other| other == var)).collect();
            let join = hash_join::Plan { left, right, kind, layout, sorted: columns, table: None };
            PhysicalPlan::new(join, out).like(certain, sorted, weighted)
        };
        Ok(node.expecting(rows, Basis::Sides))
    }

    fn given(&self, given: &[Given]) -> PhysicalPlan {
        let vars: Vec<Var> = given.iter().map(|given| given.var).collect();
        let certain = given.iter().filter(|given| given.bound).map(|given| given.var).collect();
        let positions = given.iter().map(|given| given.position).collect();
        PhysicalPlan::new(given::Plan { vars: vars.clone(), positions }, vars)
            .like(certain, Vec::new(), false)
            .expecting(1.0, Basis::Query)
    }

    fn union(
        &mut self,
        input: Input,
        branches: &[Pattern],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<PhysicalPlan> {
        let feed = self.feed();
        let mut nodes = Vec::new();
        for branch in branches {
            let start = input.as_ref().map(|input| self.fed(feed, input.vars.clone(), input));
            nodes.push(self.apply(start, branch, needed, duplicates)?);
        }
        let mut seen = VarSet::default();
        let mut vars = Vec::new();
        for var in nodes.iter().flat_map(|node| &node.vars) {
            if needed.contains(*var) && !seen.contains(*var) {
                seen.insert(*var);
                vars.push(*var);
            }
        }
        let certain = nodes.iter().fold(seen, |set, node| set.intersection(&node.certain));
        let weighted = nodes.iter().any(|node| node.weighted);
        let rows = nodes.iter().map(|node| node.rows).sum();
        let union = union::Plan::new(self.start(input), feed, nodes, vars.clone());
        Ok(PhysicalPlan::new(union, vars).like(certain, Vec::new(), weighted).expecting(rows, Basis::Sides))
    }

    /// Keeps the rows that pass the conditions.
    fn filter(
        &mut self,
        input: PhysicalPlan,
        conditions: &[Condition],
        operands: &[Pattern],
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        let mut node = input;
        let mut plain = Vec::new();
        let mut patterns = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Exists { pattern, negated } => patterns.push((pattern, *negated)),
                Condition::Scalar(scalar) => {
                    node = self.mark_exists(node, scalar)?;
                    if scalar.is_volatile() {
                        node = expand::Plan::where_weighted(node);
                    }
                    plain.push(condition.clone());
                }
                Condition::NotAmong(..) | Condition::Same(..) => plain.push(condition.clone()),
            }
        }
        if !plain.is_empty() {
            let conditions = tests(&plain, &node.vars)?;
            let mut wanted = needed.clone();
            patterns.iter().for_each(|(pattern, _)| wanted.extend(&scope::mentioned(pattern)));
            let (kept, vars) = node.kept(|var| wanted.contains(var));
            let (certain, sorted, weighted) = (node.certain.clone(), node.sorted.clone(), node.weighted);
            let (rows, basis) = self.passing(&node, &plain, operands);
            node = PhysicalPlan::new(filter::Plan { input: node, conditions, kept }, vars)
                .like(certain, sorted, weighted)
                .expecting(rows, basis);
        }
        for (at, (pattern, negated)) in patterns.iter().enumerate() {
            let mut wanted = needed.clone();
            patterns[at + 1..].iter().for_each(|(pattern, _)| wanted.extend(&scope::mentioned(pattern)));
            let existence = if *negated { Existence::Missing } else { Existence::Existing };
            node = self.exists(node, pattern, existence, Some(&wanted))?;
        }
        Ok(node)
    }

    /// How many of a join's rows are expected to pass the conditions, and why: because of the one that fewest pass, if that is known.
    fn passing(&self, input: &PhysicalPlan, conditions: &[Condition], operands: &[Pattern]) -> (f64, Basis) {
        // What is in the range that was read passes.
        let in_range = input.operation.in_range_of();
        let operands = if in_range.is_some() || Estimator::is_worth_a_sample(input.rows) { operands } else { &[] };
        let parts = conditions.iter().map(|condition| match self.estimator.passing(condition, operands) {
            (_, Some(selectivity))
                if !selectivity.is_sample && in_range.is_some_and(|var| condition.variables().contains(var)) =>
            {
                (1.0, Some(selectivity))
            }
            of_all => of_all,
        });
        let mut basis = Basis::Guess("a condition is taken to keep a third of its rows");
        let (mut left, mut least) = (input.rows, f64::INFINITY);
        for (part, selectivity) in parts {
            left *= part;
            if let Some(selectivity) = selectivity.filter(|_| part < least) {
                (basis, least) = (Basis::Passed(selectivity), part);
            }
        }
        (left, basis)
    }
}

/// Plans VALUES. Rows that are to be distinct have one column, which is bound in each.
fn values(vars: &[Var], rows: &[Vec<Option<TermId>>], distinct: bool, certain: VarSet) -> PhysicalPlan {
    let column = |at: usize| rows.iter().map(|row| row[at].unwrap_or(TermId::UNBOUND)).collect();
    let mut columns: Vec<Vec<TermId>> = (0..vars.len()).map(column).collect();
    let mut count = rows.len();
    // Many terms are looked up in order, each from where the last was found; the order of rows in VALUES does not matter.
    let sorted = match (vars, columns.as_mut_slice()) {
        ([var], [column]) if (distinct || rows.len() >= WORTH_MERGING) && certain.contains(*var) => {
            column.sort_unstable();
            if distinct {
                column.dedup();
                count = column.len();
            }
            vec![*var]
        }
        _ => Vec::new(),
    };
    let values = values::Plan { columns: columns.into(), rows: count };
    PhysicalPlan::new(values, vars.to_vec()).like(certain, sorted, false).expecting(count as f64, Basis::Query)
}

/// Makes the conditions that need only the row, over its columns.
fn tests(conditions: &[Condition], vars: &[Var]) -> Result<Vec<filter::RowCondition>> {
    let column = |var: Var| vars.iter().position(|v| *v == var);
    let mut tests = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Scalar(scalar) => tests.push(filter::RowCondition::Expression(scalar.clone())),
            // An unbound variable is none of the terms, and differs from nothing.
            Condition::NotAmong(var, terms) => {
                tests.extend(column(*var).map(|column| filter::RowCondition::NotAmong(column, terms.clone())));
            }
            Condition::Same(a, b) => {
                tests.extend(column(*a).zip(column(*b)).map(|(a, b)| filter::RowCondition::Same(a, b)));
            }
            Condition::Exists { .. } => {
                return Err(Error::bug("an EXISTS was left among the conditions of a join"));
            }
        }
    }
    Ok(tests)
}

#[cfg(test)]
mod tests;
