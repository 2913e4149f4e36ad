//! The operators: each pulls batches from its inputs and hands batches up. An operator's file holds its data, which stand in a plan, and
//! what runs. What is decided here is only what a run can know, such as when to spill: the rest is the planner's.

pub mod access;
pub mod adjacency;
pub mod apply;
pub mod closure;
#[cfg(test)]
mod closure_tests;
pub mod common;
pub mod correlated;
pub mod distinct;
pub mod edges;
pub mod expand;
pub mod extend;
pub mod feed;
pub mod filter;
pub mod fold;
pub mod fold_pairs;
pub mod given;
pub mod group;
pub mod hash_join;
pub mod intersect;
pub mod known;
pub mod measure;
pub mod merge;
pub mod order;
pub mod parallel;
pub mod partitions;
pub mod probe;
pub mod project;
pub mod run_merge;
pub mod search;
pub mod service;
pub mod shared;
#[cfg(test)]
mod shared_tests;
pub mod slice;
pub mod sorter;
pub mod source;
pub mod spill;
#[cfg(test)]
mod spill_tests;
pub mod symmetric_join;
pub mod table;
pub mod triple_term;
pub mod union;
pub mod values;

use super::Services;
use super::batch::Batch;
use super::expression;
use super::plan::Variables;
use super::plan::physical::PhysicalPlan;
use super::terms::Terms;
use feed::{Feed, FeedId, Settled};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use measure::{Measure, Measures};
use std::sync::Arc;
use std::time::Instant;

use parallel::Share;

/// What the operators of one run share.
pub struct Context<'s> {
    pub expressions: expression::Context<'s>,
    /// The dataset's named graphs, sorted.
    pub named_graphs: Arc<[TermId]>,
    pub variables: Arc<Variables>,
    /// Graphs that were merged for this query.
    pub merged: source::MergedGraphs,
    /// What answers SERVICE clauses; without it they are refused.
    pub services: Option<Arc<dyn Services>>,
    /// Parts of the plan that are made once and read in several places.
    pub shared: shared::SharedParts<'s>,
    /// Where operators spill rows.
    pub temporary: spill::Temporary,
    /// What is counted and timed at each node of the plan, if anyone asks.
    pub measures: Option<Measures>,
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

    /// The ids of `false` and `true`.
    pub fn truth(&self) -> Result<[TermId; 2]> {
        Ok([self.expressions.truth_id(false)?, self.expressions.truth_id(true)?])
    }
}

/// A stage of a running query. It holds the state of a run; its plan holds the decisions.
///
/// After `None` an operator may be asked again: inside an OPTIONAL or EXISTS its input is refilled with the next rows
/// (see `feed`). It keeps what it has collected from an input that is not refilled.
pub trait Operator<'s>: Send {
    /// The next rows; an empty batch is allowed. `None` when there are no more.
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>>;

    /// An operator that gives one part of the rows that this one would give; to be called before the first `next`. `None` if the rows
    /// cannot be divided.
    fn part(&self, _: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        None
    }

    /// Does once what each part would otherwise do for itself; called before the parts are made.
    fn prepare(&mut self, _: &Context<'s>) -> Result<()> {
        Ok(())
    }
}

/// An operator that runs.
pub struct Node<'s> {
    operator: Box<dyn Operator<'s> + 's>,
    /// How many columns its rows have.
    pub width: usize,
    /// The parts of one operator share it.
    measure: Option<Arc<Measure>>,
}

impl<'s> Node<'s> {
    /// An operator that stands in no plan.
    fn unplanned(operator: impl Operator<'s> + 's, width: usize) -> Self {
        Self { operator: Box::new(operator), width, measure: None }
    }

    /// The next batch that has rows.
    pub fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(measure) = &self.measure else { return next(self.operator.as_mut(), cx) };
        let started = Instant::now();
        let batch = next(self.operator.as_mut(), cx)?;
        measure.add(batch.as_ref(), started.elapsed());
        Ok(batch)
    }

    /// A node that gives a part of the rows; see [`Operator::part`].
    pub fn part(&self, part: Share) -> Option<Self> {
        Some(Self { operator: self.operator.part(part)?, width: self.width, measure: self.measure.clone() })
    }

    pub fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.operator.prepare(cx)
    }
}

fn next<'s>(operator: &mut (dyn Operator<'s> + 's), cx: &Context<'s>) -> Result<Option<Batch>> {
    loop {
        cx.budget().check()?;
        let batch = operator.next(cx)?;
        cx.merged.whole()?;
        match batch {
            Some(batch) if batch.is_empty() => (),
            other => return Ok(other),
        }
    }
}

/// What a plan is opened with: what its operators share, and where rows from outside come from.
#[derive(Clone, Copy)]
pub struct Opening<'o, 's> {
    pub cx: &'o Context<'s>,
    outside: Option<&'o Outside<'o>>,
    /// The values that the plan is opened for.
    given: &'o [TermId],
}

/// The rows that an operator puts into its inner plan, and which of them need no more solutions.
struct Outside<'o> {
    id: FeedId,
    feed: Feed,
    settled: Settled,
    around: Option<&'o Outside<'o>>,
}

impl<'o, 's> Opening<'o, 's> {
    pub fn new(cx: &'o Context<'s>) -> Self {
        Self { cx, outside: None, given: &[] }
    }

    /// Opens a plan whose leaves (see `given`) ask for these values.
    pub fn given(cx: &'o Context<'s>, values: &'o [TermId]) -> Self {
        Self { given: values, ..Self::new(cx) }
    }

    pub fn node(&self, plan: &PhysicalPlan) -> Result<Node<'s>> {
        let measure = self.cx.measures.as_ref().map(|measures| measures.of(plan));
        Ok(Node { operator: plan.operation.open(self)?, width: plan.vars.len(), measure })
    }

    /// Opens plans that start from the rows put into `feed`.
    pub fn fed<T>(
        &self,
        id: FeedId,
        (feed, settled): (&Feed, &Settled),
        open: impl FnOnce(&Opening<'_, 's>) -> Result<T>,
    ) -> Result<T> {
        let outside = Outside { id, feed: feed.clone(), settled: settled.clone(), around: self.outside };
        open(&Opening { outside: Some(&outside), ..*self })
    }

    fn outside(&self, id: FeedId) -> Result<&Outside<'o>> {
        let mut outside = self.outside;
        while let Some(here) = outside {
            if here.id == id {
                return Ok(here);
            }
            outside = here.around;
        }
        Err(Error::bug("an inner plan is opened where nobody puts rows into it"))
    }
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
