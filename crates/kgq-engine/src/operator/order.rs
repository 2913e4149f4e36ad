//! ORDER BY: collects all rows and sorts them; with a limit, it keeps only the first rows (top-k). Rows that do not fit
//! into memory spill to a file as sorted runs. Sort keys that are not columns are computed here, and get no ids.

mod first;
#[cfg(test)]
mod first_tests;
mod keys;
mod radix;

use super::merge::{Keys, Merge};
use super::spill::{Run, Spill, is_of_memory, is_time_to_write};
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::Scalar;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use first::Bound;
use keys::{Collected, SortKey, SortKeys};
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub keys: Vec<KeyPlan>,
    pub limit: Option<u64>,
}

/// A key that rows are sorted by.
#[derive(Debug)]
pub struct KeyPlan {
    pub of: KeyOf,
    pub descending: bool,
}

#[derive(Debug)]
pub enum KeyOf {
    Column(usize),
    /// It is not volatile, because it is evaluated again for rows that were spilled.
    Computed(Scalar),
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let key = |key: &KeyPlan| {
            let name = match &key.of {
                KeyOf::Column(column) => labels.name(self.input.vars[*column]),
                KeyOf::Computed(scalar) => labels.expression(&scalar.expression),
            };
            if key.descending { format!("DESC({name})") } else { name }
        };
        let keys = self.keys.iter().map(key).collect::<Vec<_>>().join(" ");
        match self.limit {
            Some(limit) => format!("order by {keys}, first {limit}"),
            None => format!("order by {keys}"),
        }
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let keys: Vec<SortKey> =
            self.keys.iter().map(|key| SortKey::open(key, &self.input.vars, opening.cx)).collect::<Result<_>>()?;
        let input = opening.node(&self.input)?;
        let most = self.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (collected, bound) = (Collected::new(input.width, &keys), Bound::new(&keys, opening.cx));
        let sorting = Sorting { keys: SortKeys::new(keys), most, collected, bound, spilled: None };
        Ok(Box::new(Order { input, stage: Stage::Collecting(Box::new(sorting)), pace: Pace::default() }))
    }
}

struct Order<'s> {
    input: Node<'s>,
    stage: Stage,
    pace: Pace,
}

enum Stage {
    Collecting(Box<Sorting>),
    InMemory { collected: Collected, positions: Vec<u32>, at: usize },
    Merging { merge: Box<Merge<SortKeys>>, left: usize },
    Done,
}

struct Sorting {
    keys: SortKeys,
    /// How many rows are wanted.
    most: Option<usize>,
    collected: Collected,
    /// The row that others must precede to be among the first.
    bound: Bound,
    spilled: Option<(Spill, Vec<Run>)>,
}

/// With fewer rows than this, scarce memory does not cause a run to be written, and rows are not cut to the first.
const FEW: usize = 1024;
/// Smaller batches are not halved to fit into memory, and runs are not halved below this many rows.
const LEAST_RUN: usize = 64;

impl Sorting {
    fn add(&mut self, batch: Batch, cx: &Context<'_>) -> Result<()> {
        let batch = self.bound.admit(batch, &self.keys.keys, cx)?;
        self.collect(&batch, cx)?;
        let rows = self.collected.rows();
        if rows >= FEW && is_time_to_write(self.collected.bytes(), cx) {
            return self.write(cx);
        }
        match self.most {
            Some(most) if rows >= most.saturating_mul(2).max(FEW) => self.cut(most, cx),
            _ => Ok(()),
        }
    }

    /// Collects rows. If memory has no room for them, it writes the earlier ones as a run; if that is not enough, it
    /// halves the batch.
    fn collect(&mut self, batch: &Batch, cx: &Context<'_>) -> Result<()> {
        match self.collected.add(batch, &self.keys, cx) {
            Err(error) if is_of_memory(&error) && self.collected.rows() > 0 => {
                self.write(cx)?;
                self.collect(batch, cx)
            }
            Err(error) if is_of_memory(&error) && batch.rows() > LEAST_RUN => {
                self.collected.clear();
                let rows: Vec<u32> = (0..batch.rows() as u32).collect();
                let (first, second) = rows.split_at(rows.len() / 2);
                self.collect(&batch.select(first), cx)?;
                self.collect(&batch.select(second), cx)
            }
            added => added,
        }
    }

    /// Keeps only the first rows.
    fn cut(&mut self, most: usize, cx: &Context<'_>) -> Result<()> {
        self.collected.release();
        match self.keys.positions(&self.collected, Some(most), cx) {
            Err(error) if is_of_memory(&error) => self.write(cx),
            positions => {
                self.collected.keep(&positions?, &self.keys, cx)?;
                self.bound.set(&self.collected, &self.keys.keys);
                Ok(())
            }
        }
    }

    /// Writes the collected rows as a sorted run.
    fn write(&mut self, cx: &Context<'_>) -> Result<()> {
        self.collected.release();
        let mut collected = std::mem::replace(&mut self.collected, Collected::new(0, &[]));
        self.write_rows(&mut collected, cx)?;
        collected.clear();
        self.collected = collected;
        Ok(())
    }

    /// Writes rows as a sorted run, or as several if memory does not suffice to sort them at once.
    fn write_rows(&mut self, rows: &mut Collected, cx: &Context<'_>) -> Result<()> {
        let positions = match self.keys.positions(rows, self.most, cx) {
            Err(error) if is_of_memory(&error) && rows.rows() >= LEAST_RUN * 2 => {
                let mut second = rows.split_off(rows.rows() / 2);
                self.write_rows(rows, cx)?;
                return self.write_rows(&mut second, cx);
            }
            positions => positions?,
        };
        self.keys.measure(rows, cx);
        let (spill, runs) = match &mut self.spilled {
            Some(spilled) => spilled,
            None => self.spilled.insert((Spill::new(rows.width(), cx)?, Vec::new())),
        };
        spill.make_blocks_for(self.keys.mean_bytes());
        let mut pieces = positions.chunks(Batch::ROWS);
        runs.push(spill.write(|_| Ok(pieces.next().map(|piece| rows.select(piece))), cx)?);
        Ok(())
    }

    fn finish(mut self, cx: &Context<'_>) -> Result<Stage> {
        if self.spilled.is_none() {
            self.collected.release();
            match self.keys.positions(&self.collected, self.most, cx) {
                Err(error) if is_of_memory(&error) => {}
                positions => {
                    return Ok(Stage::InMemory { positions: positions?, collected: self.collected, at: 0 });
                }
            }
        }
        if self.collected.rows() > 0 {
            self.write(cx)?;
        }
        drop(self.collected);
        let Some((spill, runs)) = self.spilled else { return Ok(Stage::Done) };
        let merge = Box::new(Merge::new(spill, runs, self.keys, cx)?);
        Ok(Stage::Merging { merge, left: self.most.unwrap_or(usize::MAX) })
    }
}

impl<'s> Operator<'s> for Order<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if let Stage::Collecting(sorting) = &mut self.stage {
            while let Some(batch) = self.input.next(cx)? {
                sorting.add(batch, cx)?;
            }
        }
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Collecting(sorting) => sorting.finish(cx)?,
            stage => stage,
        };
        match &mut self.stage {
            Stage::Collecting(_) | Stage::Done => Ok(None),
            Stage::InMemory { collected, positions, at } => {
                let end = positions.len().min(*at + self.pace.step());
                let batch = (*at < end).then(|| collected.select(&positions[*at..end]));
                *at = end;
                Ok(batch)
            }
            Stage::Merging { merge, left } => {
                let most = self.pace.step().min(*left);
                let batch = merge.next(most, cx)?;
                *left -= batch.as_ref().map_or(0, Batch::rows);
                Ok(batch)
            }
        }
    }
}
