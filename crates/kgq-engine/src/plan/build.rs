//! From patterns to operators: each pattern is applied to the rows that are there already, or evaluated by itself and joined.

use super::build_exists::Existence;
use super::estimate::{self, Estimator};
use super::{Condition, Pattern, Var, VarSet, scope};
use crate::expression::compile;
use crate::operator::expand::Expand;
use crate::operator::feed::{Feed, Nothing, Settled, Unit};
use crate::operator::filter::{Filter, Test};
use crate::operator::hash_join::{By, Extreme, HashJoin, Kind, Layout, Pair};
use crate::operator::parallel::Parallel;
use crate::operator::project::Project;
use crate::operator::service::Service;
use crate::operator::symmetric_join::SymmetricJoin;
use crate::operator::union::Union;
use crate::operator::values::Values;
use crate::operator::{Context, Node, schema};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
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
    /// How many rows are wanted, where that may be far fewer than there are: nothing is read whole then that need not be.
    pub(super) goal: Option<f64>,
    /// In the plan of an EXISTS: the variable of the row's number, and which rows have a solution.
    pub(super) settled: Option<(Var, Settled)>,
}

/// Fewer rows than this are read faster than a thread is started.
const WORTH_DIVIDING: f64 = 20_000.0;

/// More operators than this might not fit the stack of a thread.
const MOST_DIVIDED: usize = 100;

/// More wanted rows than this are as good as all.
const MOST_WANTED: f64 = 10_000.0;

/// The rows that a pattern is applied to; `None` is one row that binds nothing.
pub type Input<'s> = Option<Node<'s>>;

impl<'b, 's> Builder<'b, 's> {
    pub fn new(cx: &'b Context<'s>) -> Self {
        Self { cx, estimator: Estimator::new(cx), outer: VarSet::default(), depth: 0, goal: None, settled: None }
    }

    /// Builds a part of the plan of which only so many rows are wanted; `None` for all.
    pub(super) fn wanting<T>(&mut self, rows: Option<f64>, build: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.goal, rows.filter(|rows| *rows <= MOST_WANTED));
        let built = build(self);
        self.goal = before;
        built
    }

    /// The plan that tells whether the pattern has a solution.
    pub fn plan_existence(&mut self, pattern: &Pattern) -> Result<Node<'s>> {
        self.wanting(Some(1.0), |builder| builder.apply(None, pattern, &VarSet::default(), Duplicates::Ignore))
    }

    /// The plan for a whole pattern, with exactly these columns, one row for each solution.
    pub fn plan(&mut self, pattern: &Pattern, vars: &[Var]) -> Result<Node<'s>> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, pattern, &needed, Duplicates::Count)?;
        Ok(self.side_by_side(Expand::where_weighted(Project::to(node, vars.to_vec()))))
    }

    /// The node, divided among the cores where it has much to do.
    pub(super) fn side_by_side(&self, node: Node<'s>) -> Node<'s> {
        let (mut rows, mut operators) = (0.0f64, 0);
        let mut below = vec![&node];
        while let Some(node) = below.pop() {
            let inputs = node.operator().inputs();
            // How many rows a scan has is known; what becomes of them is guessed.
            if inputs.iter().all(|input| input.operator().is_unit()) {
                rows = rows.max(node.estimate);
            }
            operators += 1;
            below.extend(inputs);
        }
        let inner = self.depth > 0 || !self.outer.is_empty();
        if inner || self.goal.is_some() || rows < WORTH_DIVIDING || operators > MOST_DIVIDED {
            return node;
        }
        let (vars, certain, weighted, rows) = (node.vars.clone(), node.certain.clone(), node.weighted, node.estimate);
        Node::new(Parallel::new(node), vars).like(certain, Vec::new(), weighted).estimated(rows)
    }

    /// The rows of the input joined with the pattern's solutions. Columns that are not needed may be missing.
    pub fn apply(
        &mut self,
        input: Input<'s>,
        pattern: &Pattern,
        needed: &VarSet,
        duplicates: Duplicates,
    ) -> Result<Node<'s>> {
        self.cx.budget().check()?;
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
            Pattern::Service(call) => match input {
                None => {
                    let vars = call.vars.iter().map(|(_, var)| *var).collect();
                    Ok(Node::new(Service::new(Arc::clone(call)), vars).estimated(estimate::SERVICE_ROWS))
                }
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
        // With a goal the first pairs are wanted soon, which a semi-join does not give.
        if kind == Kind::Inner
            && self.goal.is_none()
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
        let joins = matches!(kind, Kind::Inner | Kind::Left);
        let width = if joins { vars.len() } else { left.vars.len() };
        let kept: Vec<usize> = (0..width).filter(|column| needed.contains(vars[*column])).collect();
        let out: Vec<Var> = kept.iter().map(|column| vars[*column]).collect();
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
        let extreme = match (kind, conditions) {
            (Kind::Semi | Kind::Anti, [Condition::Scalar(scalar)]) if loose.is_empty() => {
                let names = |name: &kgq_syntax::rdf::Variable| self.cx.variables.get(name.as_str());
                scalar.less(names).and_then(|(low, high)| match (left.column(low), left.column(high)) {
                    (None, Some(_)) => Some(Extreme::Least(right.column(low)?)),
                    (Some(_), None) => Some(Extreme::Greatest(right.column(high)?)),
                    _ => None,
                })
            }
            _ => None,
        };
        let layout = Layout { keys, loose, added, tests, extreme, kept };
        let node = if self.goal.is_some() && kind == Kind::Inner && layout.loose.is_empty() {
            Node::new(SymmetricJoin::new(left, right, layout), out).like(certain, Vec::new(), weighted)
        } else {
            Node::new(HashJoin::new(left, right, kind, layout), out).like(certain, sorted, weighted)
        };
        Ok(node.estimated(estimate))
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
                    return Err(kgq_syntax::error::Error::bug("an EXISTS was left among the conditions of a join"));
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
}
