//! The start of a plan that is run again and again: rows put in from outside.

use super::{Context, Node, Operator};
use crate::batch::Batch;
use kgq_syntax::error::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where an operator puts the rows that an inner plan starts from.
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

    fn describe(&self, _: &Context<'s>) -> String {
        "rows from outside".into()
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        Vec::new()
    }
}

/// Which rows from outside need no more solutions: an EXISTS is answered by one.
#[derive(Clone, Default)]
pub struct Settled(Arc<Mutex<Vec<bool>>>);

impl Settled {
    /// By the number of the row.
    pub fn rows(&self) -> MutexGuard<'_, Vec<bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One row that binds nothing, once.
#[derive(Default)]
pub struct Unit {
    done: bool,
}

impl<'s> Operator<'s> for Unit {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        Ok(Some(Batch::unit(0)))
    }

    fn describe(&self, _: &Context<'s>) -> String {
        "one empty solution".into()
    }

    fn is_unit(&self) -> bool {
        !self.done
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        Vec::new()
    }
}

/// No rows.
pub struct Nothing;

impl<'s> Operator<'s> for Nothing {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        Ok(None)
    }

    fn describe(&self, _: &Context<'s>) -> String {
        "no solutions".into()
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        Vec::new()
    }
}
