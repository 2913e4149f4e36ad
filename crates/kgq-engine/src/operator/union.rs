//! UNION: every row of the input goes through each branch. At the start of a query the input is one empty row.

use super::feed::Feed;
use super::{Context, Node, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

pub struct Union<'s> {
    input: Node<'s>,
    feed: Feed,
    branches: Vec<Node<'s>>,
    /// For each branch the column of each variable.
    columns: Vec<Vec<Option<usize>>>,
    vars: Vec<Var>,
    batch: Option<Batch>,
    branch: usize,
}

impl<'s> Union<'s> {
    /// The branches start from `feed`; the union has the columns of `vars`.
    pub fn new(input: Node<'s>, feed: Feed, branches: Vec<Node<'s>>, vars: Vec<Var>) -> Self {
        let columns = branches.iter().map(|b| vars.iter().map(|var| b.column(*var)).collect()).collect();
        Self { input, feed, branches, columns, vars, batch: None, branch: 0 }
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

    fn describe(&self, cx: &Context<'s>) -> String {
        format!("union → {}", super::names(&self.vars, cx))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        std::iter::once(&self.input).chain(&self.branches).collect()
    }
}
