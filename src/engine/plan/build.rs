//! From patterns to operators: each pattern is applied to the rows that are there already, or evaluated by itself and joined.

use super::estimate::Estimator;
use super::{Condition, Pattern, Scalar, TripleAtom, Var, VarSet, scope};
use crate::engine::expression::compile;
use crate::engine::operator::access::{Access, Wish};
use crate::engine::operator::apply::{self, Apply};
use crate::engine::operator::closure::{self, Closure, End, Within};
use crate::engine::operator::correlated::{self, Correlated};
use crate::engine::operator::distinct::Distinct;
use crate::engine::operator::expand::Expand;
use crate::engine::operator::extend::Extend;
use crate::engine::operator::feed::{Feed, Nothing, Unit};
use crate::engine::operator::filter::{Filter, Test};
use crate::engine::operator::hash_join::{By, HashJoin, Kind, Layout, Pair};
use crate::engine::operator::order::Order;
use crate::engine::operator::probe::{Choice, Keep, Probe};
use crate::engine::operator::project::Project;
use crate::engine::operator::slice::Slice;
use crate::engine::operator::triple_term::{Part, TripleTerm};
use crate::engine::operator::union::Union;
use crate::engine::operator::values::Values;
use crate::engine::operator::{Context, Node, access::Key, schema};
use crate::engine::plan::{ClosureAtom, Graph, OrderKey, Slot, TripleTermAtom};
use crate::error::Result;
use crate::snapshot::TermId;
use std::ops::Range;
use std::sync::Arc;

/// What becomes of equal solutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// They count; a row with a weight may stand for them.
    Count,
    /// One is as good as many.
    Ignore,
}

/// Builds the operators of one query.
pub struct Builder<'b, 's> {
    pub(super) cx: &'b Context<'s>,
    pub(super) estimator: Estimator<'b, 's>,
    /// Variables bound outside an EXISTS, which its pattern sees wherever it stands (SPARQL 1.1 §18.6, substitute).
    pub(super) outer: VarSet,
    /// How many inner plans are being built around this one: each needs a variable for the number of its row.
    pub(super) depth: usize,
}

/// The rows that a pattern is applied to; `None` is one row that binds nothing.
pub type Input<'s> = Option<Node<'s>>;

impl<'b, 's> Builder<'b, 's> {
    pub fn new(cx: &'b Context<'s>) -> Self {
        Self { cx, estimator: Estimator::new(cx), outer: VarSet::default(), depth: 0 }
    }

    /// The plan for a whole pattern, with exactly these columns, one row for each solution.
    pub fn plan(&mut self, pattern: &Pattern, vars: &[Var]) -> Result<Node<'s>> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, pattern, &needed, Duplicates::Count)?;
        Ok(Expand::where_weighted(Project::to(node, vars.to_vec())))
    }

    /// The rows of the input joined with the pattern's solutions. Columns that are not needed may be missing.
    pub fn apply(
        &mut self,
        input: Input<'s>,
        pattern: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
        if !self.may_apply(input.as_ref(), pattern) {
            return self.independent(input, pattern, needed, duplicates);
        }
        match pattern {
            Pattern::Empty => {
                let vars = input.map_or_else(Vec::new, |node| node.vars);
                let certain = vars.iter().copied().collect();
                Ok(Node::new(Nothing, vars).like(certain, Vec::new(), false).estimated(0.0))
            }
            Pattern::Unit => Ok(self.start(input)),
            Pattern::Triple(_) | Pattern::Closure(_) | Pattern::TripleTerm(_) | Pattern::Join(_) => {
                self.join(input, std::slice::from_ref(pattern), &[], needed, duplicates)
            }
            Pattern::Values { vars, rows } => match input {
                None => Ok(self.values(vars, rows)),
                Some(_) => self.independent(input, pattern, needed, duplicates),
            },
            Pattern::Filter { inner, conditions } => {
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
                let inner_needed = needed.union(&super::expression::scalar_variables(scalar));
                let mut node = self.apply(input, inner, &inner_needed, duplicates)?;
                if scalar.is_volatile() {
                    node = Expand::where_weighted(node);
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
                let vars = scope::possible(inner).iter().filter(|var| self.cx.variables.is_named(*var)).collect();
                self.distinct(inner, vars)
            }
            Pattern::Group { inner, keys, aggregates } => self.group(inner, keys, aggregates, needed),
            Pattern::Order { inner, keys } => self.order(inner, keys, needed, None),
            Pattern::Slice { inner, start, length } => self.slice(inner, *start, *length, needed),
        }
    }

    /// Whether binding the input's variables before the pattern is evaluated gives the same solutions as after.
    pub(super) fn may_apply(&self, input: Option<&Node<'s>>, pattern: &Pattern) -> bool {
        let Some(input) = input else { return true };
        let vars = input.var_set();
        let exposed = scope::exposed(pattern);
        scope::possible(pattern).intersection(&vars).is_subset(&input.certain)
            && !exposed.without(&self.outer).intersects(&vars)
    }

    pub(super) fn start(&self, input: Input<'s>) -> Node<'s> {
        input.unwrap_or_else(|| Node::new(Unit::default(), Vec::new()))
    }

    /// Evaluates the pattern by itself and joins it with the input.
    pub(super) fn independent(
        &mut self,
        input: Input<'s>,
        pattern: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
        let Some(left) = input else { return self.apply(None, pattern, needed, duplicates) };
        let right = self.alone(pattern, &needed.union(&left.var_set()), duplicates)?;
        self.hash_join(left, right, Kind::Inner, &[], &[], needed, duplicates)
    }

    /// The pattern evaluated from nothing, as SPARQL does it inside out.
    pub(super) fn alone(&mut self, pattern: &Pattern, needed: &VarSet, duplicates: Duplicates) -> Result<Node<'s>> {
        let outer = std::mem::take(&mut self.outer);
        let node = self.apply(None, pattern, needed, duplicates);
        self.outer = outer;
        node
    }

    #[expect(clippy::too_many_arguments, reason = "a join has two sides, a kind, conditions and an output")]
    pub(super) fn hash_join(
        &mut self,
        left: Node<'s>,
        right: Node<'s>,
        mut kind: Kind,
        conditions: &[Condition],
        by_value: &[(Var, Var)],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
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
        if kind == Kind::Inner
            && duplicates == Duplicates::Ignore
            && loose.is_empty()
            && added.iter().all(|column| !needed.contains(right.vars[*column]))
        {
            kind = Kind::Semi;
        }
        let tests = self.tests(conditions, &vars)?;
        if !matches!(kind, Kind::Inner | Kind::Left) && tests.is_empty() {
            vars.truncate(left.vars.len());
            added.clear();
        }
        let kept: Vec<usize> = (0..vars.len()).filter(|column| needed.contains(vars[*column])).collect();
        let out: Vec<Var> = kept.iter().map(|column| vars[*column]).collect();
        let joins = matches!(kind, Kind::Inner | Kind::Left);
        let mut certain = left.certain.clone();
        if kind == Kind::Inner {
            certain.extend(&right.certain);
        }
        let certain = certain.intersection(&out.iter().copied().collect());
        let weighted = left.weighted || (right.weighted && joins);
        let sorted = if kind == Kind::Left { Vec::new() } else { left.sorted.clone() };
        let estimate = match kind {
            Kind::Inner if keys.is_empty() && loose.is_empty() => left.estimate * right.estimate,
            Kind::Inner | Kind::Left => left.estimate.max(right.estimate),
            Kind::Semi | Kind::Anti | Kind::Minus => left.estimate,
        };
        let join = HashJoin::new(left, right, kind, Layout { keys, loose, added, tests, kept });
        Ok(Node::new(join, out).like(certain, sorted, weighted).estimated(estimate))
    }

    /// Compiles conditions that need nothing but the row.
    pub(super) fn tests(&self, conditions: &[Condition], vars: &[Var]) -> Result<Vec<Test>> {
        let column = |var: Var| vars.iter().position(|v| *v == var);
        let mut tests = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Scalar(scalar) => tests.push(Test::Expression {
                    compiled: compile(&scalar.expression, &schema(vars, &self.cx.variables), &self.cx.expressions)?,
                    text: scalar.expression.to_string(),
                }),
                // A variable that nothing binds is none of the terms, and differs from nothing.
                Condition::NotAmong(var, terms) => {
                    tests.extend(column(*var).map(|column| Test::NotAmong(column, terms.clone())));
                }
                Condition::Same(a, b) => {
                    tests.extend(column(*a).zip(column(*b)).map(|(a, b)| Test::Same(a, b)));
                }
                Condition::Exists { .. } => {
                    return Err(crate::error::Error::bug("an EXISTS was left among the conditions of a join"));
                }
            }
        }
        Ok(tests)
    }

    fn values(&self, vars: &[Var], rows: &Arc<[Vec<TermId>]>) -> Node<'s> {
        let certain = scope::certain(&Pattern::Values { vars: vars.to_vec(), rows: Arc::clone(rows) });
        let count = rows.len() as f64;
        let values = Values::new(Arc::clone(rows), (0..vars.len()).collect());
        Node::new(values, vars.to_vec()).like(certain, Vec::new(), false).estimated(count)
    }

    fn union(
        &mut self,
        input: Input<'s>,
        branches: &[Pattern],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
        let feed = Feed::default();
        let mut nodes = Vec::new();
        for branch in branches {
            let start = input.as_ref().map(|input| self.fed(&feed, input.vars.clone(), input));
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
        let estimate = nodes.iter().map(|node| node.estimate).sum();
        let union = Union::new(self.start(input), feed, nodes, vars.clone());
        Ok(Node::new(union, vars).like(certain, Vec::new(), weighted).estimated(estimate))
    }

    /// The start of an inner plan over the rows of `input`.
    fn fed(&self, feed: &Feed, vars: Vec<Var>, input: &Node<'s>) -> Node<'s> {
        let mut certain = input.certain.clone();
        for var in &vars {
            if input.column(*var).is_none() {
                certain.insert(*var);
            }
        }
        Node::new(feed.clone(), vars).like(certain, input.sorted.clone(), input.weighted).estimated(input.estimate)
    }

    fn row_var(&self) -> Var {
        self.cx.row_vars[self.depth.min(self.cx.row_vars.len() - 1)]
    }

    /// An inner plan over batches of `input`, whose rows keep the number of the row that they belong to.
    fn inner_plan(
        &mut self,
        input: &Node<'s>,
        pattern: &Pattern,
        conditions: &[Condition],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<(Feed, Node<'s>, Var)> {
        let row = self.row_var();
        let feed = Feed::default();
        let vars = Apply::inner_vars(input, row);
        let mut needed = needed.clone();
        needed.insert(row);
        let start = self.fed(&feed, vars, input);
        self.depth += 1;
        let inner = self.join(Some(start), std::slice::from_ref(pattern), conditions, &needed, duplicates);
        self.depth -= 1;
        Ok((feed, inner?, row))
    }

    fn left_join(
        &mut self,
        input: Input<'s>,
        left: &Pattern,
        right: &Pattern,
        conditions: &[Condition],
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
        let right_vars = scope::possible(right);
        let mut read = VarSet::default();
        conditions.iter().for_each(|condition| read.extend(&condition.variables()));
        let known = scope::possible(left).union(&input.as_ref().map(Node::var_set).unwrap_or_default());
        let added = right_vars.without(&known);
        if matches!(right, Pattern::Empty) || duplicates == Duplicates::Ignore && !added.intersects(needed) {
            // Every row of the left stays whatever the right has, unless the right fills what the left leaves open.
            if right_vars.intersection(&known).is_subset(&scope::certain(left)) || matches!(right, Pattern::Empty) {
                return self.apply(input, left, needed, duplicates);
            }
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
        if plain && !(safe && (!self.outer.is_empty() || self.estimator.prefers_rows(&left, right))) {
            let right = self.alone(right, &needed.union(&left.var_set()).union(&read), duplicates)?;
            return self.hash_join(left, right, Kind::Left, conditions, &[], needed, duplicates);
        }
        let (feed, inner, row) = self.inner_plan(&left, right, conditions, needed, duplicates)?;
        let vars: Vec<Var> = left
            .vars
            .iter()
            .chain(inner.vars.iter().filter(|var| **var != row && left.column(**var).is_none()))
            .copied()
            .filter(|var| needed.contains(*var))
            .collect();
        let (certain, weighted) = (left.certain.clone(), left.weighted || inner.weighted);
        let estimate = left.estimate.max(inner.estimate);
        let apply = Apply::new(left, feed, inner, apply::Kind::Left, row, vars.clone())?;
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(apply, vars).like(certain, Vec::new(), weighted).estimated(estimate))
    }

    fn minus(
        &mut self,
        input: Input<'s>,
        left: &Pattern,
        right: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
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
        let right = self.alone(right, &shared, Duplicates::Ignore)?;
        self.hash_join(node, right, Kind::Minus, &[], &[], needed, duplicates)
    }

    fn extend(&mut self, input: Node<'s>, var: Var, scalar: &Scalar, needed: &VarSet) -> Result<Node<'s>> {
        let input = self.mark_exists(input, scalar)?;
        let compiled = compile(&scalar.expression, &schema(&input.vars, &self.cx.variables), &self.cx.expressions)?;
        let mut kept: Vec<usize> = (0..input.vars.len())
            .filter(|column| needed.contains(input.vars[*column]) && input.vars[*column] != var)
            .collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
        kept.push(input.vars.len());
        vars.push(var);
        let mut certain = input.certain.clone();
        if scope::binds_always(scalar, &certain) {
            certain.insert(var);
        }
        let (sorted, weighted, estimate) = (input.sorted.clone(), input.weighted, input.estimate);
        let text = format!("{} := {}", self.cx.variables.name(var), scalar.expression);
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(Extend::new(input, compiled, text, kept), vars)
            .like(certain, sorted, weighted)
            .estimated(estimate))
    }

    /// Adds a column for each EXISTS in the expression.
    fn mark_exists(&mut self, mut input: Node<'s>, scalar: &Scalar) -> Result<Node<'s>> {
        for (var, pattern) in &scalar.exists {
            input = self.exists(input, pattern, Existence::Mark(*var), None)?;
        }
        Ok(input)
    }

    /// Keeps the rows that pass the conditions.
    pub(super) fn filter(&mut self, input: Node<'s>, conditions: &[Condition], needed: &VarSet) -> Result<Node<'s>> {
        let mut node = input;
        let mut plain = Vec::new();
        let mut patterns = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Exists { pattern, negated } => patterns.push((pattern, *negated)),
                Condition::Scalar(scalar) => {
                    node = self.mark_exists(node, scalar)?;
                    if scalar.is_volatile() {
                        node = Expand::where_weighted(node);
                    }
                    plain.push(condition.clone());
                }
                Condition::NotAmong(..) | Condition::Same(..) => plain.push(condition.clone()),
            }
        }
        if !plain.is_empty() {
            let tests = self.tests(&plain, &node.vars)?;
            let mut wanted = needed.clone();
            patterns.iter().for_each(|(pattern, _)| wanted.extend(&scope::mentioned(pattern)));
            let kept: Vec<usize> = (0..node.vars.len()).filter(|column| wanted.contains(node.vars[*column])).collect();
            let vars: Vec<Var> = kept.iter().map(|column| node.vars[*column]).collect();
            let certain = node.certain.intersection(&vars.iter().copied().collect());
            let (sorted, weighted) = (node.sorted.clone(), node.weighted);
            let estimate = (0..plain.len()).fold(node.estimate, |rows, _| rows / 3.0);
            node = Node::new(Filter::new(node, tests, kept), vars).like(certain, sorted, weighted).estimated(estimate);
        }
        for (at, (pattern, negated)) in patterns.iter().enumerate() {
            let mut wanted = needed.clone();
            patterns[at + 1..].iter().for_each(|(pattern, _)| wanted.extend(&scope::mentioned(pattern)));
            let existence = if *negated { Existence::Missing } else { Existence::Existing };
            node = self.exists(node, pattern, existence, Some(&wanted))?;
        }
        Ok(node)
    }

    /// Keeps or marks the rows for which the pattern has a solution. Without `needed` all columns stay.
    fn exists(
        &mut self,
        node: Node<'s>,
        pattern: &Pattern,
        existence: Existence,
        needed: Option<&VarSet>,
    ) -> Result<Node<'s>> {
        let vars = node.var_set();
        let pattern = without_modifiers(pattern);
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
        let certain = certain.intersection(&out.iter().copied().collect());
        let (sorted, weighted, estimate) = (node.sorted.clone(), node.weighted, node.estimate);
        if shared_certain && (!exposed || substitutable(pattern, &vars)) {
            let by_rows =
                exposed || matches!(existence, Existence::Mark(_)) || self.estimator.prefers_rows(&node, pattern);
            if by_rows {
                let outer = std::mem::replace(&mut self.outer, vars.clone());
                let plan = self.inner_plan(&node, pattern, &[], &VarSet::default(), Duplicates::Ignore);
                self.outer = outer;
                let (feed, inner, row) = plan?;
                let kind = match existence {
                    Existence::Existing => apply::Kind::Semi,
                    Existence::Missing => apply::Kind::Anti,
                    Existence::Mark(_) => apply::Kind::Mark {
                        yes: self.cx.expressions.truth_id(true)?,
                        no: self.cx.expressions.truth_id(false)?,
                    },
                };
                let apply = Apply::new(node, feed, inner, kind, row, out.clone())?;
                return Ok(Node::new(apply, out).like(certain, sorted, weighted).estimated(estimate));
            }
        }
        if !exposed && !matches!(existence, Existence::Mark(_)) {
            let right = self.alone(pattern, &vars, Duplicates::Ignore)?;
            let kind = if matches!(existence, Existence::Existing) { Kind::Semi } else { Kind::Anti };
            return self.hash_join(node, right, kind, &[], &[], &wanted, Duplicates::Ignore);
        }
        let kind = match existence {
            Existence::Existing => correlated::Kind::Semi,
            Existence::Missing => correlated::Kind::Anti,
            Existence::Mark(_) => correlated::Kind::Mark {
                yes: self.cx.expressions.truth_id(true)?,
                no: self.cx.expressions.truth_id(false)?,
            },
        };
        let correlated = Correlated::new(node, pattern.clone(), kind, out.clone());
        Ok(Node::new(correlated, out).like(certain, sorted, weighted).estimated(estimate))
    }

    fn distinct(&mut self, inner: &Pattern, vars: Vec<Var>) -> Result<Node<'s>> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, inner, &needed, Duplicates::Ignore)?;
        let present: Vec<Var> = vars.into_iter().filter(|var| node.column(*var).is_some()).collect();
        let node = Project::to(node, present);
        let (vars, certain, sorted, estimate) =
            (node.vars.clone(), node.certain.clone(), node.sorted.clone(), node.estimate);
        Ok(Node::new(Distinct::new(node), vars).like(certain, sorted, false).estimated(estimate))
    }

    fn order(&mut self, inner: &Pattern, keys: &[OrderKey], needed: &VarSet, limit: Option<u64>) -> Result<Node<'s>> {
        let mut inner_needed = needed.clone();
        keys.iter().for_each(|key| inner_needed.insert(key.var));
        let node = self.apply(None, inner, &inner_needed, Duplicates::Count)?;
        let columns = keys.iter().filter_map(|key| Some((node.column(key.var)?, key.descending))).collect();
        let (vars, certain, weighted, estimate) =
            (node.vars.clone(), node.certain.clone(), node.weighted, node.estimate);
        Ok(Node::new(Order::new(node, columns, limit), vars).like(certain, Vec::new(), weighted).estimated(estimate))
    }

    fn slice(&mut self, inner: &Pattern, start: u64, length: Option<u64>, needed: &VarSet) -> Result<Node<'s>> {
        let most = length.map(|length| start.saturating_add(length));
        let mut below = inner;
        while let Pattern::Project { inner, .. } = below {
            below = inner;
        }
        let node = match below {
            Pattern::Order { inner, keys } => self.order(inner, keys, needed, most)?,
            _ => self.apply(None, inner, needed, Duplicates::Count)?,
        };
        let node = Expand::where_weighted(node);
        let (vars, certain) = (node.vars.clone(), node.certain.clone());
        let estimate = most.map_or(node.estimate, |most| node.estimate.min(most as f64));
        Ok(Node::new(Slice::new(node, start, length), vars).like(certain, Vec::new(), false).estimated(estimate))
    }

    /// Looks each row up in the pattern's index.
    #[expect(
        clippy::too_many_arguments,
        reason = "an index join has an input, a pattern and what becomes of its matches"
    )]
    pub(super) fn probe(
        &mut self,
        input: Node<'s>,
        atom: &TripleAtom,
        keep: Keep,
        needed: &VarSet,
        duplicates: Duplicates,
        bounds: Option<(Var, Range<u32>)>,
        next_keys: &[Var],
    ) -> Result<Node<'s>> {
        let column = |var: Var| if input.certain.contains(var) { input.column(var) } else { None };
        let rank = |var: Var| match &bounds {
            Some((bounded, _)) if *bounded == var => 0,
            _ if !needed.contains(var) => 50,
            _ => 1 + next_keys.iter().position(|key| *key == var).unwrap_or(20).min(20) as u8,
        };
        let keys: Vec<Var> = atom.variables().filter(|var| column(*var).is_some()).collect();
        let sorted_key = match (keys.as_slice(), input.sorted.first()) {
            ([key], Some(first)) => key == first,
            _ => false,
        };
        let access = Access::new(
            self.cx,
            atom,
            &Wish { column: &column, rank: &rank, constants_first: sorted_key || keys.is_empty() },
        )?;
        let first_free = access.free.first().map(|(var, depth)| (*var, *depth));
        let bounds = bounds.filter(|(var, _)| first_free == Some((*var, access.prefix.len()))).map(|(_, range)| range);
        let estimate = self.estimator.probe(&input, atom, keep);
        let mut certain = input.certain.clone();
        if keep == Keep::Matched {
            atom.variables().for_each(|var| certain.insert(var));
        }
        let mut sorted = input.sorted.clone();
        if input.vars.is_empty() && keep == Keep::Matched {
            // A scan comes in the order of its components.
            sorted = access.free.iter().map(|(var, _)| *var).collect();
        }
        let choice = Choice {
            keep,
            weigh: duplicates == Duplicates::Count,
            sorted_key,
            bounds,
            needed: &|var| needed.contains(var),
        };
        let (probe, vars) = Probe::new(input, access, choice);
        let weighted = probe.weighs();
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(probe, vars).like(certain, sorted, weighted).estimated(estimate))
    }

    pub(super) fn closure(&mut self, input: Input<'s>, atom: &ClosureAtom, needed: &VarSet) -> Result<Node<'s>> {
        let input = self.start(input);
        let end = |slot: Slot| match slot {
            Slot::Term(term) => End::Key(Key::Term(term)),
            Slot::Var(var) => input.column(var).map_or(End::Free, |column| End::Key(Key::Column(column))),
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
        let kept: Vec<usize> = (0..input.vars.len()).filter(|c| needed.contains(input.vars[*c])).collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
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
        let (sorted, weighted) = (input.sorted.clone(), input.weighted);
        let estimate = input.estimate * 10.0;
        let plan = closure::Plan {
            subject,
            object,
            same,
            within,
            repeat: atom.repeat,
            path: Arc::clone(&atom.path),
            kept,
            added,
            vars: vars.clone(),
        };
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(Closure::new(input, plan), vars).like(certain, sorted, weighted).estimated(estimate))
    }

    pub(super) fn triple_term(&mut self, input: Node<'s>, atom: &TripleTermAtom, needed: &VarSet) -> Result<Node<'s>> {
        let Some(column) = input.column(atom.triple) else {
            return Err(crate::error::Error::bug("a triple term is taken apart before it is bound"));
        };
        let mut kept: Vec<usize> = (0..input.vars.len()).filter(|c| needed.contains(input.vars[*c])).collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
        let mut certain = input.certain.clone();
        let mut bound = 0;
        let mut parts = [Part::Binds; 3];
        for (at, slot) in atom.slots.into_iter().enumerate() {
            parts[at] = match slot {
                Slot::Term(term) => Part::Equals(Key::Term(term)),
                Slot::Var(var) => match (input.column(var), atom.slots[..at].iter().position(|s| *s == slot)) {
                    (Some(column), _) => Part::Equals(Key::Column(column)),
                    (None, Some(earlier)) => Part::Repeats(earlier),
                    (None, None) => {
                        if needed.contains(var) {
                            kept.push(input.vars.len() + bound);
                            vars.push(var);
                            certain.insert(var);
                        }
                        bound += 1;
                        Part::Binds
                    }
                },
            };
        }
        let (sorted, weighted, estimate) = (input.sorted.clone(), input.weighted, input.estimate);
        let certain = certain.intersection(&vars.iter().copied().collect());
        let node = Node::new(TripleTerm::new(input, column, parts, kept), vars);
        Ok(node.like(certain, sorted, weighted).estimated(estimate))
    }
}

/// What is done with the rows for which a pattern has a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existence {
    Existing,
    Missing,
    /// All rows stay; the variable says it.
    Mark(Var),
}

/// The pattern without what does not change whether there is a solution.
fn without_modifiers(pattern: &Pattern) -> &Pattern {
    match pattern {
        Pattern::Distinct { inner } | Pattern::Order { inner, .. } | Pattern::Project { inner, .. } => {
            without_modifiers(inner)
        }
        Pattern::Slice { inner, start: 0, length } if *length != Some(0) => without_modifiers(inner),
        _ => pattern,
    }
}

/// Whether applying the pattern to rows that bind `outer` gives what substituting the values into it would: everything in
/// it sees the outer bindings, and nothing in it sees more of its own than it should.
fn substitutable(pattern: &Pattern, outer: &VarSet) -> bool {
    match pattern {
        Pattern::Empty
        | Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Values { .. } => true,
        Pattern::Join(operands) => operands.iter().enumerate().all(|(at, operand)| {
            let exposed = scope::exposed(operand).without(outer);
            substitutable(operand, outer)
                && operands.iter().enumerate().all(|(other, p)| other == at || !exposed.intersects(&scope::possible(p)))
        }),
        Pattern::Union(branches) => branches.iter().all(|branch| substitutable(branch, outer)),
        Pattern::Filter { inner, .. } => substitutable(inner, outer),
        Pattern::LeftJoin { left, right, .. } => {
            substitutable(left, outer)
                && substitutable(right, outer)
                && !scope::exposed(right).without(outer).intersects(&scope::possible(left))
                && scope::possible(left)
                    .intersection(&scope::possible(right))
                    .is_subset(&scope::certain(left).union(outer))
        }
        Pattern::Extend { inner, var, .. } => !outer.contains(*var) && substitutable(inner, outer),
        Pattern::Minus { .. }
        | Pattern::Group { .. }
        | Pattern::Project { .. }
        | Pattern::Distinct { .. }
        | Pattern::Order { .. }
        | Pattern::Slice { .. } => false,
    }
}
