//! The operators. Each pulls batches from its inputs and passes batches up. An operator's file defines its data, which
//! are part of a plan, and the code that runs. Operators decide only what a run reveals, such as when to spill; the
//! planner decides the rest.

pub mod access;
pub mod adjacency;
pub mod apply;
pub mod closure;
#[cfg(test)]
mod closure_tests;
pub mod collected;
pub mod common;
pub mod correlated;
pub mod distinct;
pub mod edges;
pub mod expand;
pub mod extend;
pub mod feed;
pub mod filter;
pub mod first_merged;
pub mod fold;
pub mod fold_pairs;
pub mod given;
pub mod group;
pub mod hash_join;
pub mod intersect;
pub mod key_runs;
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
pub mod step_lists;
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
    /// Answers SERVICE clauses; if `None`, they are refused.
    pub services: Option<Arc<dyn Services>>,
    /// Parts of the plan that are made once and read in several places.
    pub shared: shared::SharedParts<'s>,
    /// Where operators spill rows.
    pub temporary: spill::Temporary,
    /// Counts and times for each node of the plan, if wanted.
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

    /// Returns the ids of `false` and `true`.
    pub fn truth(&self) -> Result<[TermId; 2]> {
        Ok([self.expressions.truth_id(false)?, self.expressions.truth_id(true)?])
    }
}

/// A stage of a running query. It holds the state of the run; its plan holds the decisions.
///
/// An operator may be asked again after `None`: inside an OPTIONAL or EXISTS its input is refilled with the next rows
/// (see `feed`). It keeps what it has collected from an input that is not refilled.
pub trait Operator<'s>: Send {
    /// Returns the next rows; an empty batch is allowed. Returns `None` when there are no more.
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>>;

    /// Returns an operator that computes one part of the rows of this one. It must be called before the first `next`.
    /// Returns `None` if the rows cannot be divided.
    fn part(&self, _: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        None
    }

    /// Does once what each part would otherwise do for itself; called before the parts are made.
    fn prepare(&mut self, _: &Context<'s>) -> Result<()> {
        Ok(())
    }
}

/// A running operator.
pub struct Node<'s> {
    operator: Box<dyn Operator<'s> + 's>,
    /// The number of columns of its rows.
    pub width: usize,
    /// Shared by the parts of one operator.
    measure: Option<Arc<Measure>>,
}

impl<'s> Node<'s> {
    /// Wraps an operator that is not part of a plan.
    fn unplanned(operator: impl Operator<'s> + 's, width: usize) -> Self {
        Self { operator: Box::new(operator), width, measure: None }
    }

    /// Returns the next batch that has rows.
    pub fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(measure) = &self.measure else { return next(self.operator.as_mut(), cx) };
        let started = Instant::now();
        let batch = next(self.operator.as_mut(), cx)?;
        measure.add(batch.as_ref(), started.elapsed());
        Ok(batch)
    }

    /// Returns a node for a part of the rows; see [`Operator::part`].
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

/// What is needed to open a plan: what its operators share, and the source of rows from outside.
#[derive(Clone, Copy)]
pub struct Opening<'o, 's> {
    pub cx: &'o Context<'s>,
    outside: Option<&'o Outside<'o>>,
    /// The values that the plan is opened for.
    given: &'o [TermId],
}

/// The rows that an operator feeds into its inner plan, and which of them need no more solutions.
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

    /// Opens a plan whose leaves (see `given`) take these values.
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

/// How many rows to put into the next batch: few at first, so that the first answer comes early and a LIMIT is cheap.
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
