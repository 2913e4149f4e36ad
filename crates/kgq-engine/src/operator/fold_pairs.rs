//! Folds rows of two columns that are sorted by one of them: for each id of that column, each distinct id of the other with
//! the sum of their multiplicities. A factorised count does this when the node in the middle of a path is no longer needed.

use super::parallel::Share;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Plan {
    /// It has two columns.
    pub input: PhysicalPlan,
    /// The column by which the rows are sorted.
    pub by: usize,
    /// Whether duplicates count; if not, the rows carry no multiplicities.
    pub weigh: bool,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        format!("count equal {}", labels.names(&self.input.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(FoldPairs::new(opening.node(&self.input)?, self.by, self.weigh)))
    }

    fn divides(&self) -> bool {
        self.input.operation.divides()
    }
}

struct FoldPairs<'s> {
    input: Node<'s>,
    by: usize,
    weigh: bool,
    pace: Pace,
    batch: Batch,
    row: usize,
    /// The id whose rows are being added up.
    current: Option<TermId>,
    /// The multiplicity of each stored term paired with it; those of computed terms are in `others`.
    weights: Vec<u64>,
    others: BTreeMap<TermId, u64>,
    held: Reservation,
    /// The stored terms whose multiplicity is not 0.
    met: Vec<TermId>,
    /// Finished rows: the ids of the sorted column, the ids paired with them, and the multiplicities. `handed` counts
    /// those passed on already.
    ready: (Vec<TermId>, Vec<TermId>, Vec<u64>),
    handed: usize,
}

impl<'s> FoldPairs<'s> {
    fn new(input: Node<'s>, by: usize, weigh: bool) -> Self {
        Self {
            input,
            by,
            weigh,
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            current: None,
            weights: Vec::new(),
            others: BTreeMap::new(),
            held: Reservation::default(),
            met: Vec::new(),
            ready: Default::default(),
            handed: 0,
        }
    }

    /// Adds up the following rows of the batch that have the current id.
    fn add(&mut self) {
        let (keys, others) = (self.batch.column(self.by), self.batch.column(1 - self.by));
        while self.row < keys.len() && self.current == Some(keys[self.row]) {
            let (id, weight) = (others[self.row], self.batch.weight(self.row));
            match self.weights.get_mut(id.index()) {
                Some(sum) => {
                    if *sum == 0 {
                        self.met.push(id);
                    }
                    *sum = sum.saturating_add(weight);
                }
                None => {
                    let sum = self.others.entry(id).or_default();
                    *sum = sum.saturating_add(weight);
                }
            }
            self.row += 1;
        }
    }

    /// Moves the current id's sums to `ready`.
    fn finish(&mut self) {
        let Some(current) = self.current.take() else { return };
        let (keys, ids, weights) = &mut self.ready;
        for id in self.met.drain(..) {
            ids.push(id);
            weights.push(std::mem::take(&mut self.weights[id.index()]));
        }
        for (id, weight) in std::mem::take(&mut self.others) {
            ids.push(id);
            weights.push(weight);
        }
        keys.resize(ids.len(), current);
    }

    fn hand_on(&mut self) -> Batch {
        let rows = (self.ready.0.len() - self.handed).min(self.pace.step());
        let part = self.handed..self.handed + rows;
        self.handed = part.end;
        let mut columns = vec![self.ready.0[part.clone()].to_vec(), self.ready.1[part.clone()].to_vec()];
        if self.by == 1 {
            columns.swap(0, 1);
        }
        Batch::new(columns, rows).with_weights(self.weigh.then(|| self.ready.2[part].to_vec()))
    }
}

impl<'s> Operator<'s> for FoldPairs<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.weights.is_empty() {
            let terms = cx.snapshot().term_count() as usize;
            self.held.grow(cx.budget(), terms as u64 * 8)?;
            self.weights = vec![0; terms];
        }
        if self.handed == self.ready.0.len() {
            self.ready.0.clear();
            self.ready.1.clear();
            self.ready.2.clear();
            self.handed = 0;
            while self.ready.0.len() < Batch::ROWS {
                if self.row >= self.batch.rows() {
                    match self.input.next(cx)? {
                        Some(batch) => (self.batch, self.row) = (batch, 0),
                        None => {
                            self.finish();
                            break;
                        }
                    }
                }
                let key = self.batch.column(self.by)[self.row];
                if self.current != Some(key) {
                    self.finish();
                    self.current = Some(key);
                }
                self.add();
            }
        }
        Ok((self.handed < self.ready.0.len()).then(|| self.hand_on()))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        Some(Box::new(Self::new(self.input.part(part)?, self.by, self.weigh)))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
