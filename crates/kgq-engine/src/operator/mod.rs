//! The operators that a plan is made of: each pulls batches from its inputs and hands batches up.

pub mod access;
pub mod apply;
pub mod automaton;
pub mod closure;
pub mod common;
pub mod correlated;
pub mod distinct;
pub mod expand;
pub mod extend;
pub mod feed;
pub mod filter;
pub mod fold;
pub mod fold_pairs;
pub mod group;
pub mod hash_join;
pub mod intersect;
pub mod order;
pub mod parallel;
pub mod probe;
pub mod project;
pub mod run_merge;
pub mod service;
pub mod slice;
pub mod source;
pub mod symmetric_join;
pub mod table;
pub mod triple_term;
pub mod union;
pub mod values;

use super::Services;
use super::batch::{Batch, Schema};
use super::expression;
use super::plan::{Var, VarSet, Variables};
use super::terms::Terms;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parallel::Part;

/// What the operators of one query share.
pub struct Context<'s> {
    pub expressions: expression::Context<'s>,
    /// The dataset's named graphs, sorted.
    pub named_graphs: Arc<[TermId]>,
    pub variables: Variables,
    /// Variables for the numbers of rows in inner plans, by their depth.
    pub row_vars: Vec<Var>,
    /// Graphs that were merged for this query.
    pub merged: source::MergedGraphs,
    /// Who answers SERVICE clauses.
    pub services: Option<Arc<dyn Services>>,
    /// Whether nodes take the time; counting rows costs nothing, a clock does.
    pub timed: bool,
}

impl<'s> Context<'s> {
    pub fn terms(&self) -> &Terms<'s> {
        &self.expressions.terms
    }

    pub fn snapshot(&self) -> &'s Snapshot {
        self.terms().snapshot()
    }

    pub fn budget(&self) -> &Budget {
        self.terms().budget()
    }
}

/// A stage of a running query.
///
/// After `None` an operator may be asked again: inside an OPTIONAL or EXISTS its input is refilled with the next rows
/// (see `feed`). What an operator has collected from an input that is not refilled it keeps.
pub trait Operator<'s>: Send {
    /// The next rows; an empty batch is allowed. `None` when the input has no more.
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>>;

    /// What it does, in a few words, for explain.
    fn describe(&self, cx: &Context<'s>) -> String;

    fn inputs(&self) -> Vec<&Node<'s>>;

    /// Whether its inputs run at the same time, so that together they take as long as the slowest.
    fn runs_inputs_together(&self) -> bool {
        false
    }

    /// An operator that gives a part of the rows that this one would give, before any was asked for; `None` if the rows cannot be
    /// divided.
    fn part(&self, _: Part) -> Option<Box<dyn Operator<'s> + 's>> {
        None
    }

    /// Does what all parts would have to do, each for itself.
    fn prepare(&mut self, _: &Context<'s>) -> Result<()> {
        Ok(())
    }

    /// Whether it gives one row that binds nothing.
    fn is_unit(&self) -> bool {
        false
    }
}

/// An operator in a plan, with what the planner knows of its output and what was counted while it ran.
pub struct Node<'s> {
    operator: Box<dyn Operator<'s> + 's>,
    /// The variable of each column.
    pub vars: Vec<Var>,
    /// The variables bound in every row.
    pub certain: VarSet,
    /// Rows come sorted by these variables' ids, the first first.
    pub sorted: Vec<Var>,
    /// Whether rows may stand for several solutions.
    pub weighted: bool,
    /// How many rows the planner expects.
    pub estimate: f64,
    pub counted: Counted,
}

/// What happened at a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub rows: u64,
    pub batches: u64,
    pub bytes: u64,
    /// With the time of its inputs.
    pub time: Duration,
}

impl<'s> Node<'s> {
    pub fn new(operator: impl Operator<'s> + 's, vars: Vec<Var>) -> Self {
        Self {
            operator: Box::new(operator),
            vars,
            certain: VarSet::default(),
            sorted: Vec::new(),
            weighted: false,
            estimate: 1.0,
            counted: Counted::default(),
        }
    }

    /// The next batch that has rows.
    pub fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let started = cx.timed.then(Instant::now);
        let batch = loop {
            cx.budget().check()?;
            match self.operator.next(cx)? {
                Some(batch) if batch.is_empty() => (),
                other => break other,
            }
        };
        if let Some(started) = started {
            self.counted.time += started.elapsed();
        }
        if let Some(batch) = &batch {
            self.counted.rows += batch.rows() as u64;
            self.counted.batches += 1;
            self.counted.bytes += batch.bytes();
        }
        Ok(batch)
    }

    pub fn column(&self, var: Var) -> Option<usize> {
        self.vars.iter().position(|v| *v == var)
    }

    pub fn var_set(&self) -> VarSet {
        self.vars.iter().copied().collect()
    }

    pub fn schema(&self, variables: &Variables) -> Schema {
        schema(&self.vars, variables)
    }

    /// A node that gives a part of the rows; see [`Operator::part`].
    pub fn part(&self, part: Part) -> Option<Self> {
        Some(Self {
            operator: self.operator.part(part)?,
            vars: self.vars.clone(),
            certain: self.certain.clone(),
            sorted: self.sorted.clone(),
            weighted: self.weighted,
            estimate: self.estimate / part.of as f64,
            counted: Counted::default(),
        })
    }

    pub fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.operator.prepare(cx)
    }

    pub fn operator(&self) -> &dyn Operator<'s> {
        self.operator.as_ref()
    }

    /// Takes over what the planner knows of an input whose rows this node hands on in their order.
    #[must_use]
    pub fn like(mut self, certain: VarSet, sorted: Vec<Var>, weighted: bool) -> Self {
        self.certain = certain;
        self.sorted = sorted;
        self.sorted.truncate(self.sorted.iter().take_while(|v| self.vars.contains(v)).count());
        self.weighted = weighted;
        self
    }

    #[must_use]
    pub fn estimated(mut self, rows: f64) -> Self {
        self.estimate = rows;
        self
    }
}

pub fn schema(vars: &[Var], variables: &Variables) -> Schema {
    Schema::new(vars.iter().map(|var| variables.name(*var).clone()).collect())
}

/// How many rows to put into the next batch: few at first, so that a first answer is early and a LIMIT cheap.
#[derive(Clone, Copy, Debug)]
pub struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(64)
    }
}

impl Pace {
    pub fn step(&mut self) -> usize {
        let rows = self.0;
        self.0 = (rows * 4).min(Batch::ROWS);
        rows
    }
}

/// The names of variables, for explain.
pub fn names(vars: &[Var], cx: &Context<'_>) -> String {
    vars.iter().map(|var| cx.variables.name(*var).to_string()).collect::<Vec<_>>().join(" ")
}
