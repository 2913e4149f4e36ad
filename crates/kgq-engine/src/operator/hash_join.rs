//! The hash join. The right side is collected and indexed (`built`), and each row of the left probes it (`probe`). It
//! serves joins, OPTIONAL, MINUS and EXISTS whose sides cannot be joined by an index; an unbound variable is compatible
//! with everything. If the right side does not fit into memory, the sides are joined part by part (`spilled`).

mod built;
mod keys;
mod members;
#[cfg(test)]
mod members_tests;
mod probe;
mod spilled;

use super::feed::Nothing;
use super::filter::{RowCondition, Test};
use super::parallel::Share;
use super::shared::SharedId;
use super::spill::{is_of_memory, is_scarce};
use super::table::Table;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
pub use built::Built;
pub(super) use keys::value_key;
use kgq_syntax::error::Result;
use members::Members;
use spilled::Spilled;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Semi,
    Anti,
    /// Like `Anti`, but a match must share a bound variable (SPARQL 1.1 §18.5, Minus).
    Minus,
}

/// How keys are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Term,
    /// Terms with equal values have equal keys, but so may others: a condition decides.
    Value,
}

/// The columns of a variable that both sides bind.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub left: usize,
    pub right: usize,
}

/// If the only test is whether a column of the right is less, or greater, than one of the left, one row of the right
/// decides for all rows with its key: if any of them passes, it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    Least(usize),
    Greatest(usize),
}

/// Which columns a join compares and passes on.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns that are never unbound on either side.
    pub keys: Vec<(Pair, By)>,
    /// Nullable columns: both sides have them, and one side or both may leave them unbound.
    pub loose: Vec<Pair>,
    /// Columns of the right that the left lacks; they follow the left's.
    pub added: Vec<usize>,
    /// Conditions that a pair of rows must also satisfy, over the left's columns and the added ones.
    pub conditions: Vec<RowCondition>,
    /// The variables of the columns that the conditions read.
    pub vars: Vec<Var>,
    /// Set only for semi- and anti-joins.
    pub extreme: Option<Extreme>,
    /// The columns that are passed on, among the left's and the added ones.
    pub kept: Vec<usize>,
}

impl Layout {
    /// Returns the name of the join, and what the sides are joined on.
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

    /// Returns the loose columns that are in the strict index.
    fn strict(&self) -> &[Pair] {
        &self.loose[..self.loose.len().min(MOST_STRICT)]
    }
}

/// A right side with fewer rows than this is divided only if the rows themselves do not fit into memory.
const FEW: usize = 1024;
/// The most loose columns in the strict index. Each doubles the look-ups of a row, which seeks it both bound and unbound.
const MOST_STRICT: usize = 3;
#[derive(Debug)]
pub struct Plan {
    pub left: PhysicalPlan,
    pub right: PhysicalPlan,
    pub kind: JoinKind,
    pub layout: Arc<Layout>,
    /// The columns by which the result is sorted, in the same way as the left side.
    pub sorted: Vec<usize>,
    /// The name of the right side's table, if the plan is opened again and again and the right side is always the same.
    pub table: Option<SharedId>,
}

/// The cost of a row that probes or is put into the table; a look-up in an index costs 1.
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
        let text = self.layout.describe(kind, &self.left, labels);
        if self.table.is_some() { format!("{text}, with a table made once") } else { text }
    }

    fn table_mut(&mut self) -> Option<(usize, &mut Option<SharedId>)> {
        Some((1, &mut self.table))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let tests = RowCondition::tests(&self.layout.conditions, &self.layout.vars, opening.cx)?;
        let built = self.table.and_then(|id| opening.cx.shared.table(id));
        let right = match built {
            Some(_) => Node::unplanned(Nothing, self.right.vars.len()),
            None => opening.node(&self.right)?,
        };
        let join = HashJoin::new(opening.node(&self.left)?, right, self.kind, Arc::clone(&self.layout), tests);
        Ok(Box::new(HashJoin { sorted: self.sorted.clone(), table: self.table, built, ..join }))
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
    /// The name under which the table is kept for other openings of the plan.
    table: Option<SharedId>,
    built: Option<Arc<Built>>,
    /// Replaces `built` if the right side does not fit into memory.
    spilled: Option<Box<Spilled<'s>>>,
    /// How often the sides have been divided.
    level: u32,
    pace: Pace,
    batch: Batch,
    matched: Vec<bool>,
    row: usize,
    /// The next candidate for the current row; the outer `None` means that it has not been looked up yet.
    candidate: Option<Option<usize>>,
    /// A bit for each loose column of the strict index: whether it is sought unbound.
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
            table: None,
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
        let mut only_column = self.layout.only_column(self.kind);
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
            if only_column.is_some()
                && Members::is_worth(&table, cx)
                && let Some(column) = only_column.take()
                && let Some(mut members) = Members::of_table(&table, column, cx)?
            {
                drop(table);
                while let Some(batch) = self.right.next(cx)? {
                    members.add(&batch, cx)?;
                }
                self.keep(Built::of_members(members), cx);
                return Ok(());
            }
        }
        match Built::new(&self.layout, &mut table, cx) {
            Err(error) if is_of_memory(&error) && self.divides_keys() && table.rows >= FEW => {
                self.spill_right(table, None, cx)
            }
            built => {
                self.keep(built?, cx);
                Ok(())
            }
        }
    }

    fn keep(&mut self, built: Built, cx: &Context<'s>) {
        let built = Arc::new(built);
        if let Some(id) = self.table {
            cx.shared.keep_table(id, &built);
        }
        self.built = Some(built);
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
