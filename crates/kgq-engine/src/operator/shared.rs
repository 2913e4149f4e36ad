//! What a run makes once for several places or openings of a plan: rows of a part, as far as anyone reads them, kept in memory, or in a file
//! where memory is scarce; and the table of a hash join.

use super::hash_join::Built;
use super::spill::{self, Run, Spill};
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells apart the shared parts of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SharedId(pub u32);

/// One place in which the part stands.
#[derive(Debug)]
pub struct Plan {
    pub id: SharedId,
    pub part: Arc<PhysicalPlan>,
    /// Whether it is the first in the plan, where the part is shown.
    pub is_first: bool,
    /// In how many places it stands; `None` for one place that is opened again and again.
    pub places: Option<usize>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        if self.is_first { vec![&self.part] } else { Vec::new() }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        let SharedId(id) = self.id;
        match self.places {
            None => format!("part {id}, made once for all bindings"),
            Some(places) if self.is_first => format!("part {id}, made once for {places} places"),
            Some(_) => format!("the rows of part {id}"),
        }
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let rows = opening.cx.shared.rows(self.id, || opening.node(&self.part))?;
        Ok(Box::new(PartReader { rows, next: 0, run: None }))
    }
}

/// The shared parts that a run has opened, and the tables that it keeps.
#[derive(Default)]
pub struct SharedParts<'s> {
    parts: Mutex<FxHashMap<SharedId, Arc<Mutex<PartRows<'s>>>>>,
    tables: Mutex<FxHashMap<SharedId, Arc<Built>>>,
}

impl<'s> SharedParts<'s> {
    /// The rows of a part, which is opened when it is first asked for.
    fn rows(&self, id: SharedId, open: impl FnOnce() -> Result<Node<'s>>) -> Result<Arc<Mutex<PartRows<'s>>>> {
        if let Some(rows) = lock(&self.parts).get(&id) {
            return Ok(Arc::clone(rows));
        }
        // Others may stand in it, so nothing is locked meanwhile.
        let node = open()?;
        let rows = PartRows { node, is_whole: false, held: Vec::new(), reserved: Reservation::default(), file: None };
        Ok(Arc::clone(lock(&self.parts).entry(id).or_insert_with(|| Arc::new(Mutex::new(rows)))))
    }

    /// The table of a hash join, if the run has made it.
    pub fn table(&self, id: SharedId) -> Option<Arc<Built>> {
        lock(&self.tables).get(&id).cloned()
    }

    /// Keeps the table of a hash join until the run ends.
    pub fn keep_table(&self, id: SharedId, table: &Arc<Built>) {
        lock(&self.tables).insert(id, Arc::clone(table));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rows of a part, as far as they were made.
struct PartRows<'s> {
    node: Node<'s>,
    is_whole: bool,
    held: Vec<Batch>,
    reserved: Reservation,
    /// Once memory was scarce all rows are in a file: a run for each batch.
    file: Option<(Spill, Vec<Run>)>,
}

impl<'s> PartRows<'s> {
    fn batches(&self) -> usize {
        self.file.as_ref().map_or(self.held.len(), |(_, runs)| runs.len())
    }

    /// Makes the next batch; false if there are no more.
    fn make(&mut self, cx: &Context<'s>) -> Result<bool> {
        if self.is_whole {
            return Ok(false);
        }
        let Some(batch) = self.node.next(cx)? else {
            self.is_whole = true;
            return Ok(false);
        };
        if self.file.is_none() && spill::is_full(batch.bytes(), cx) {
            let mut file = (Spill::new(self.node.width, cx)?, Vec::new());
            for batch in std::mem::take(&mut self.held) {
                put(batch, &mut file, cx)?;
            }
            self.reserved = Reservation::default();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => put(batch, file, cx)?,
            None => {
                self.reserved.grow(cx.budget(), batch.bytes())?;
                self.held.push(batch);
            }
        }
        Ok(true)
    }
}

/// Writes a batch as a run of its own.
fn put(batch: Batch, (file, runs): &mut (Spill, Vec<Run>), cx: &Context<'_>) -> Result<()> {
    let mut batch = Some(batch);
    runs.push(file.write(|_| Ok(batch.take()), cx)?);
    Ok(())
}

/// Reads the rows in one place of the plan.
struct PartReader<'s> {
    rows: Arc<Mutex<PartRows<'s>>>,
    /// The batch that is read next.
    next: usize,
    /// What is left of the one before, where that is read from a file.
    run: Option<Run>,
}

impl<'s> Operator<'s> for PartReader<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let mut rows = lock(&self.rows);
        loop {
            if let (Some(run), Some((file, _))) = (&mut self.run, &mut rows.file) {
                if let Some(batch) = file.read(run)? {
                    return Ok(Some(batch));
                }
                self.run = None;
            }
            if self.next == rows.batches() && !rows.make(cx)? {
                return Ok(None);
            }
            self.next += 1;
            match &rows.file {
                Some((_, runs)) => self.run = Some(runs[self.next - 1].clone()),
                None => return Ok(Some(rows.held[self.next - 1].clone())),
            }
        }
    }
}
