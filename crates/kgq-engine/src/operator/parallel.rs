//! Runs parts of its input in parallel, one for each core, and passes on their rows part by part, so that the order
//! does not depend on which part is faster.

use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use crate::threads::{cores, side_by_side};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::collections::VecDeque;

/// One of several parts of some work.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub number: usize,
    pub of: usize,
}

impl Share {
    /// Returns the range that this part covers of `length` items.
    pub fn of_length(self, length: usize) -> std::ops::Range<usize> {
        let cut = |number: usize| (length as u128 * number as u128 / self.of as u128) as usize;
        cut(self.number)..cut(self.number + 1)
    }
}

#[derive(Debug)]
pub struct Plan {
    /// Its operation can be divided.
    pub input: PhysicalPlan,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, _: &Labels<'_>) -> String {
        "parts side by side".into()
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Parallel::new(opening.node(&self.input)?)))
    }
}

struct Parallel<'s> {
    /// The whole input, which runs itself if it cannot be divided.
    input: Node<'s>,
    parts: Vec<Running<'s>>,
    started: bool,
    /// How many rows each part makes in the next round.
    rows: usize,
    /// A round in which the parts run one after the other.
    turn: Option<Turn>,
    ready: VecDeque<Batch>,
    /// The memory held for the ready batches.
    held: Reservation,
}

struct Running<'s> {
    node: Node<'s>,
    done: bool,
}

/// The part that is running, how many rows each part makes, and how many this one still has to make.
struct Turn {
    part: usize,
    rows: usize,
    left: usize,
}

const FIRST_ROWS: usize = 1 << 14;
const MOST_ROWS: usize = 1 << 16;
impl<'s> Parallel<'s> {
    fn new(input: Node<'s>) -> Self {
        Self {
            input,
            parts: Vec::new(),
            started: false,
            rows: FIRST_ROWS,
            turn: None,
            ready: VecDeque::new(),
            held: Reservation::default(),
        }
    }

    fn start(&mut self, cx: &Context<'s>) -> Result<()> {
        self.started = true;
        let of = cores();
        if of < 2 || self.input.part(Share { number: 0, of }).is_none() {
            return Ok(());
        }
        self.input.prepare(cx)?;
        let parts: Option<Vec<Node<'s>>> = (0..of).map(|number| self.input.part(Share { number, of })).collect();
        self.parts = parts.into_iter().flatten().map(|node| Running { node, done: false }).collect();
        Ok(())
    }

    /// Lets each part make some rows: in parallel, or one after the other if their rows would take more than an eighth
    /// of the remaining memory. The order of the rows is the same either way.
    fn round(&mut self, cx: &Context<'s>) -> Result<()> {
        let rows = self.rows;
        self.rows = (self.rows * 2).min(MOST_ROWS);
        let bytes = (self.parts.len() * rows * self.input.width.max(1) * size_of::<TermId>()) as u64;
        if cx.budget().room().is_some_and(|room| bytes > room / 8) {
            self.turn = Some(Turn { part: 0, rows, left: rows });
            return Ok(());
        }
        let parts = self.parts.iter_mut().filter(|part| !part.done);
        for batches in side_by_side(parts, |part| part.make(rows, cx)) {
            for batch in batches? {
                self.held.grow(cx.budget(), batch.bytes())?;
                self.ready.push_back(batch);
            }
        }
        Ok(())
    }
}

impl Turn {
    /// Returns the next rows of the round; `None` when it is over.
    fn next<'s>(&mut self, parts: &mut [Running<'s>], cx: &Context<'s>) -> Result<Option<Batch>> {
        while let Some(part) = parts.get_mut(self.part) {
            if self.left > 0 && !part.done {
                match part.node.next(cx)? {
                    Some(batch) => {
                        self.left = self.left.saturating_sub(batch.rows());
                        return Ok(Some(batch));
                    }
                    None => part.done = true,
                }
            }
            *self = Self { part: self.part + 1, rows: self.rows, left: self.rows };
        }
        Ok(None)
    }
}

impl<'s> Running<'s> {
    /// Makes batches with this many rows in total or slightly more; fewer if the part ends.
    fn make(&mut self, rows: usize, cx: &Context<'s>) -> Result<Vec<Batch>> {
        let (mut batches, mut made) = (Vec::new(), 0);
        while made < rows && !self.done {
            match self.node.next(cx)? {
                Some(batch) => {
                    made += batch.rows();
                    batches.push(batch);
                }
                None => self.done = true,
            }
        }
        Ok(batches)
    }
}

impl<'s> Operator<'s> for Parallel<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if !self.started {
            self.start(cx)?;
        }
        if self.parts.is_empty() {
            return self.input.next(cx);
        }
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.held.shrink(batch.bytes());
                return Ok(Some(batch));
            }
            if let Some(turn) = &mut self.turn {
                if let Some(batch) = turn.next(&mut self.parts, cx)? {
                    return Ok(Some(batch));
                }
                self.turn = None;
            }
            if self.parts.iter().all(|part| part.done) {
                return Ok(None);
            }
            self.round(cx)?;
        }
    }
}
