//! Runs an inner plan on each batch of the input, for OPTIONAL, EXISTS and NOT EXISTS whose inner pattern can use the
//! outer bindings as look-up keys.

use super::feed::{Feed, FeedId, Settled};
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyKind {
    /// Each row with its inner solutions, or alone if there are none.
    Left,
    Semi,
    Anti,
    /// Each row with one more column, `true` or `false`: whether there are inner solutions.
    Mark,
}

#[derive(Debug)]
pub struct Plan {
    input: PhysicalPlan,
    /// It starts from the input's rows; one more column holds the position of each row in its batch.
    inner: PhysicalPlan,
    feed: FeedId,
    kind: ApplyKind,
    /// The inner column that holds the position of the solution's row in the batch.
    row: usize,
    vars: Vec<Var>,
    /// For each of `vars`, its column in the inner plan and in the input.
    columns: Vec<(Option<usize>, Option<usize>)>,
}

struct Apply<'s> {
    input: Node<'s>,
    feed: Feed,
    inner: Node<'s>,
    kind: ApplyKind,
    row: usize,
    columns: Vec<(Option<usize>, Option<usize>)>,
    batch: Option<Batch>,
    /// Whether each row of the batch has a solution.
    matched: Settled,
    /// The ids of `false` and `true`, for a mark.
    truth: [TermId; 2],
}

impl Plan {
    /// The inner plan starts from the feed, whose last column is `row`. It may skip rows that are settled.
    ///
    /// # Errors
    /// A bug of the planner: the inner plan does not return `row`.
    pub fn new(
        input: PhysicalPlan,
        (feed, inner): (FeedId, PhysicalPlan),
        kind: ApplyKind,
        row: Var,
        vars: Vec<Var>,
    ) -> Result<Self> {
        let row = inner.column(row).ok_or_else(|| Error::bug("an inner plan lost the number of its rows"))?;
        let columns = vars.iter().map(|var| (inner.column(*var), input.column(*var))).collect();
        Ok(Self { input, inner, feed, kind, row, vars, columns })
    }
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input, &self.inner]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input, &mut self.inner]
    }

    fn feeds(&self) -> Option<FeedId> {
        Some(self.feed)
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let kind = match self.kind {
            ApplyKind::Left => "optional, row by row",
            ApplyKind::Semi => "exists, row by row",
            ApplyKind::Anti => "not exists, row by row",
            ApplyKind::Mark => "exists, as a value",
        };
        format!("{kind} → {}", labels.names(&self.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let (feed, matched) = (Feed::default(), Settled::default());
        let inner = opening.fed(self.feed, (&feed, &matched), |inside| inside.node(&self.inner))?;
        let (input, columns) = (opening.node(&self.input)?, self.columns.clone());
        let truth = if self.kind == ApplyKind::Mark { opening.cx.truth()? } else { [TermId::UNBOUND; 2] };
        let (kind, row) = (self.kind, self.row);
        Ok(Box::new(Apply { input, feed, inner, kind, row, columns, batch: None, matched, truth }))
    }
}

impl<'s> Apply<'s> {
    fn finish(&mut self, batch: Batch) -> Batch {
        let wanted = |matched: bool| match self.kind {
            ApplyKind::Left | ApplyKind::Anti => !matched,
            ApplyKind::Semi => matched,
            ApplyKind::Mark => true,
        };
        let matched = self.matched.rows();
        let positions: Vec<u32> = (0..batch.rows() as u32).filter(|row| wanted(matched[*row as usize])).collect();
        let mut rest = if positions.len() == batch.rows() { batch } else { batch.select(&positions) };
        match self.kind {
            ApplyKind::Mark => {
                rest.push(matched.iter().map(|matched| self.truth[usize::from(*matched)]).collect());
                let last = rest.width() - 1;
                let columns: Vec<_> = self.columns.iter().map(|(_, input)| input.unwrap_or(last)).collect();
                rest.project(&columns)
            }
            ApplyKind::Left | ApplyKind::Semi | ApplyKind::Anti => {
                let missing = rest.width();
                rest.push(vec![TermId::UNBOUND; rest.rows()]);
                let columns: Vec<_> = self.columns.iter().map(|(_, input)| input.unwrap_or(missing)).collect();
                rest.project(&columns)
            }
        }
    }
}

impl<'s> Operator<'s> for Apply<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.batch.is_none() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            *self.matched.rows() = vec![false; batch.rows()];
            let mut fed = batch.clone();
            fed.push((0..batch.rows() as u32).map(TermId::new).collect());
            self.feed.fill(fed);
            self.batch = Some(batch);
        }
        match self.inner.next(cx)? {
            Some(found) => {
                let mut matched = self.matched.rows();
                for row in found.column(self.row) {
                    matched[row.index()] = true;
                }
                drop(matched);
                if self.kind != ApplyKind::Left {
                    return Ok(Some(Batch::default()));
                }
                let mut found = found;
                let missing = found.width();
                if self.columns.iter().any(|(inner, _)| inner.is_none()) {
                    found.push(vec![TermId::UNBOUND; found.rows()]);
                }
                let columns: Vec<_> = self.columns.iter().map(|(inner, _)| inner.unwrap_or(missing)).collect();
                Ok(Some(found.project(&columns)))
            }
            None => Ok(self.batch.take().map(|batch| self.finish(batch))),
        }
    }
}
