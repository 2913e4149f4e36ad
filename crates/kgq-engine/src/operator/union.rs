//! UNION: every row of the input passes through each branch. At the start of a query, the input is one empty row.

use super::feed::{Feed, FeedId, Settled};
use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

#[derive(Debug)]
pub struct Plan {
    input: PhysicalPlan,
    feed: FeedId,
    branches: Vec<PhysicalPlan>,
    /// For each branch, the column of each variable.
    columns: Vec<Vec<Option<usize>>>,
    vars: Vec<Var>,
}

struct Union<'s> {
    input: Node<'s>,
    feed: Feed,
    branches: Vec<Node<'s>>,
    columns: Vec<Vec<Option<usize>>>,
    batch: Option<Batch>,
    branch: usize,
}

impl Plan {
    /// The branches start from `feed`; the union has the columns of `vars`.
    pub fn new(input: PhysicalPlan, feed: FeedId, branches: Vec<PhysicalPlan>, vars: Vec<Var>) -> Self {
        let columns = branches.iter().map(|b| vars.iter().map(|var| b.column(*var)).collect()).collect();
        Self { input, feed, branches, columns, vars }
    }
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        std::iter::once(&self.input).chain(&self.branches).collect()
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        std::iter::once(&mut self.input).chain(&mut self.branches).collect()
    }

    fn feeds(&self) -> Option<FeedId> {
        Some(self.feed)
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        format!("union → {}", labels.names(&self.vars))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let (feed, settled) = (Feed::default(), Settled::default());
        let branches = opening.fed(self.feed, (&feed, &settled), |inside| {
            self.branches.iter().map(|branch| inside.node(branch)).collect()
        })?;
        let (input, columns) = (opening.node(&self.input)?, self.columns.clone());
        Ok(Box::new(Union { input, feed, branches, columns, batch: None, branch: 0 }))
    }
}

impl<'s> Operator<'s> for Union<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        loop {
            let Some(batch) = &self.batch else {
                let Some(batch) = self.input.next(cx)? else { return Ok(None) };
                self.feed.fill(batch.clone());
                self.batch = Some(batch);
                self.branch = 0;
                continue;
            };
            match self.branches[self.branch].next(cx)? {
                Some(mut rows) => {
                    let columns = &self.columns[self.branch];
                    if columns.contains(&None) {
                        rows.push(vec![TermId::UNBOUND; rows.rows()]);
                    }
                    let missing = rows.width().wrapping_sub(1);
                    let columns: Vec<_> = columns.iter().map(|column| column.unwrap_or(missing)).collect();
                    return Ok(Some(rows.project(&columns)));
                }
                None => {
                    self.branch += 1;
                    if self.branch < self.branches.len() {
                        self.feed.fill(batch.clone());
                    } else {
                        self.batch = None;
                    }
                }
            }
        }
    }
}
