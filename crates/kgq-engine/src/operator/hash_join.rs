//! The hash join: the right side is collected and indexed (`built`), and each row of the left probes it (`probe`). It serves joins, OPTIONAL,
//! MINUS and EXISTS whose sides cannot be joined by an index; an unbound variable is compatible with everything. Where the right side is too
//! large for memory, the sides are joined part by part (`spilled`).

mod built;
mod keys;
mod probe;
mod spilled;

use super::feed::Nothing;
use super::filter::{RowCondition, Test};
use super::parallel::Share;
use super::spill::{is_of_memory, is_scarce};
use super::table::Table;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use built::Built;
pub(super) use keys::value_key;
use kgq_syntax::error::Result;
use spilled::Spilled;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Semi,
    Anti,
    /// As `Anti`, but a match must share a bound variable (SPARQL 1.1 §18.5, Minus).
    Minus,
}

/// How keys are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Term,
    /// Terms with equal values have equal keys, and some others too: a condition decides.
    Value,
}

/// A variable that both sides bind: its columns.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub left: usize,
    pub right: usize,
}

/// Which row of the right decides for all with its key, when the only test is whether a column of it is less, or greater, than one of the
/// left: if any row passes, that one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    Least(usize),
    Greatest(usize),
}

/// Which columns a join compares and hands on.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns that are never unbound on either side.
    pub keys: Vec<(Pair, By)>,
    /// Nullable columns: those that both sides have, and one of them may leave unbound.
    pub loose: Vec<Pair>,
    /// Columns of the right that the left does not have; they follow the left's.
    pub added: Vec<usize>,
    /// What a pair of rows must also satisfy, over the left's columns and the added ones.
    pub conditions: Vec<RowCondition>,
    /// The variables that the conditions see, by column.
    pub vars: Vec<Var>,
    /// For semi- and anti-joins.
    pub extreme: Option<Extreme>,
    /// Of those columns the ones that are handed on.
    pub kept: Vec<usize>,
}

impl Layout {
    /// The name of the join, and what the sides are joined on.
    pub fn describe(&self, join: &str, left: &PhysicalPlan, labels: &Labels<'_>) -> String {
        let vars: Vec<_> = self.keys.iter().map(|(pair, _)| left.vars[pair.left]).collect();
        let mut text = format!("{join} on {}", labels.names(&vars));
        if self.keys.iter().any(|(_, by)| *by == By::Value) {
            text.push_str(" by value");
        }
        if !self.conditions.is_empty() {
            let conditions: Vec<_> = self.conditions.iter().map(|condition| condition.describe(labels)).collect();
            text.push_str(&format!(", where {}", conditions.join(" && ")));
        }
        text
    }

    /// The loose columns that are in the strict index.
    fn strict(&self) -> &[Pair] {
        &self.loose[..self.loose.len().min(MOST_STRICT)]
    }
}

/// A right side of fewer rows is divided only if these rows themselves do not fit into memory.
const FEW: usize = 1024;
/// How many loose columns the strict index has at most: each doubles the look-ups of a row, which seeks it bound and unbound.
const MOST_STRICT: usize = 3;
#[derive(Debug)]
pub struct Plan {
    pub left: PhysicalPlan,
    pub right: PhysicalPlan,
    pub kind: JoinKind,
    pub layout: Arc<Layout>,
    /// The columns of the result by which it is sorted, as the left side is.
    pub sorted: Vec<usize>,
}

/// The cost of a row that probes, or that is put into the table; a look-up in an index costs 1.
pub const HASHED_ROW: f64 = 0.2;

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.left, &self.right]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.left, &mut self.right]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let kind = match self.kind {
            JoinKind::Inner => "hash join",
            JoinKind::Left => "optional hash join",
            JoinKind::Semi => "hash semi-join",
            JoinKind::Anti => "hash anti-join",
            JoinKind::Minus => "minus",
        };
        self.layout.describe(kind, &self.left, labels)
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let tests = RowCondition::tests(&self.layout.conditions, &self.layout.vars, opening.cx)?;
        let (left, right) = (opening.node(&self.left)?, opening.node(&self.right)?);
        let join = HashJoin::new(left, right, self.kind, Arc::clone(&self.layout), tests);
        Ok(Box::new(HashJoin { sorted: self.sorted.clone(), ..join }))
    }

    fn divides(&self) -> bool {
        self.left.operation.divides()
    }

    fn cost_a_row(&self) -> f64 {
        HASHED_ROW
    }
}

struct HashJoin<'s> {
    left: Node<'s>,
    right: Node<'s>,
    kind: JoinKind,
    layout: Arc<Layout>,
    tests: Arc<[Test]>,
    sorted: Vec<usize>,
    built: Option<Arc<Built>>,
    /// In the place of `built`, where the right is too large for memory.
    spilled: Option<Box<Spilled<'s>>>,
    /// How often the sides have been divided.
    level: u32,
    pace: Pace,
    batch: Batch,
    matched: Vec<bool>,
    row: usize,
    /// The next candidate for the current row; `None` before it is looked up.
    candidate: Option<Option<usize>>,
    /// Which of the loose columns are sought unbound, as bits.
    unbound: usize,
    done: bool,
}

impl<'s> HashJoin<'s> {
    fn new(left: Node<'s>, right: Node<'s>, kind: JoinKind, layout: Arc<Layout>, tests: Arc<[Test]>) -> Self {
        Self {
            left,
            right,
            kind,
            layout,
            tests,
            sorted: Vec::new(),
            built: None,
            spilled: None,
            level: 0,
            pace: Pace::default(),
            batch: Batch::default(),
            matched: Vec::new(),
            row: 0,
            candidate: None,
            unbound: 0,
            done: true,
        }
    }

    /// Collects the right side, unless that is done.
    fn prepare_right(&mut self, cx: &Context<'s>) -> Result<()> {
        if self.built.is_some() || self.spilled.is_some() {
            return Ok(());
        }
        let mut table = Table::new(self.right.width);
        while let Some(batch) = self.right.next(cx)? {
            if self.divides_keys() && table.rows >= FEW && is_scarce(cx) {
                return self.spill_right(table, Some(batch), cx);
            }
            match table.append(&batch, cx) {
                Err(error) if is_of_memory(&error) && self.divides_keys() => {
                    return self.spill_right(table, Some(batch), cx);
                }
                appended => appended?,
            }
        }
        match Built::new(&self.layout, &mut table, cx) {
            Err(error) if is_of_memory(&error) && self.divides_keys() && table.rows >= FEW => {
                self.spill_right(table, None, cx)
            }
            built => {
                self.built = Some(Arc::new(built?));
                Ok(())
            }
        }
    }
}

impl<'s> Operator<'s> for HashJoin<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        self.prepare_right(cx)?;
        match self.built.clone() {
            Some(built) => self.next_with(&built, cx),
            None => self.next_of_parts(cx),
        }
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        if self.spilled.is_some() {
            return None;
        }
        let left = self.left.part(part)?;
        let right = Node::unplanned(Nothing, self.right.width);
        let (layout, tests) = (Arc::clone(&self.layout), Arc::clone(&self.tests));
        Some(Box::new(Self { built: self.built.clone(), ..Self::new(left, right, self.kind, layout, tests) }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.left.prepare(cx)?;
        self.prepare_right(cx)
    }
}
