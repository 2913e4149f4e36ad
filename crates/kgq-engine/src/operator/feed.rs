//! Leaves of a plan that read no data: the rows that an outer operator feeds into its inner plan, again and again; one
//! empty solution; no solutions.

use super::{Context, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_syntax::error::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells apart the feeds of a query: inner plans stand in inner plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeedId(pub u32);

/// Where an operator puts the rows that its inner plan starts from.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<Option<Batch>>>);

impl Feed {
    pub fn fill(&self, batch: Batch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }
}

impl<'s> Operator<'s> for Feed {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

/// The rows from outside.
#[derive(Debug)]
pub struct Plan(pub FeedId);

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn fed_by(&self) -> Option<FeedId> {
        Some(self.0)
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "rows from outside".into()
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(opening.outside(self.0)?.feed.clone()))
    }
}

/// Marks the outer rows that need no more solutions: one solution decides an EXISTS.
#[derive(Clone, Default)]
pub struct Settled(Arc<Mutex<Vec<bool>>>);

impl Settled {
    /// Returns the marks, by the position of the row in its batch.
    pub fn rows(&self) -> MutexGuard<'_, Vec<bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One row that binds nothing, once.
#[derive(Debug)]
pub struct UnitPlan;

#[derive(Default)]
pub struct Unit {
    done: bool,
}

impl Operation for UnitPlan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "one empty solution".into()
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Unit::default()))
    }

    fn is_unit(&self) -> bool {
        true
    }
}

impl<'s> Operator<'s> for Unit {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        Ok(Some(Batch::unit(0)))
    }
}

/// No rows.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Operation for Nothing {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "no solutions".into()
    }

    fn open<'s>(&self, _: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(*self))
    }
}

impl<'s> Operator<'s> for Nothing {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        Ok(None)
    }
}
