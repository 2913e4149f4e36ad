//! The correlated EXISTS. For each distinct binding of the variables that the pattern shares with the row, it runs the
//! pattern's plan with these values put in (SPARQL 1.1 §18.6, substitute). The other operators for EXISTS are faster;
//! this one handles what they cannot.

use super::{Context, Node, Opening, Operator};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use rustc_hash::FxHashMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExistsKind {
    Semi,
    Anti,
    /// Each row with one more column, `true` or `false`: whether there are solutions.
    Mark,
}

/// The plans of the pattern. Their leaves take the values of the shared variables.
#[derive(Debug)]
pub struct Inner {
    /// For values that are all bound; if `open` is `None`, for all values.
    pub bound: PhysicalPlan,
    /// For values of which some may be unbound. `None` if none ever is, or if the plan `bound` is correct for them too.
    pub open: Option<PhysicalPlan>,
}

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub inner: Arc<Inner>,
    pub kind: ExistsKind,
    /// The columns whose values are put into the pattern.
    pub shared: Vec<usize>,
    /// The columns that are passed on; `None` is the mark.
    pub columns: Vec<Option<usize>>,
}

struct Correlated<'s> {
    input: Node<'s>,
    inner: Arc<Inner>,
    kind: ExistsKind,
    shared: Vec<usize>,
    columns: Vec<Option<usize>>,
    /// The answers for the bindings seen so far.
    known: FxHashMap<Vec<TermId>, bool>,
    /// The memory held for `known`.
    held: Reservation,
    /// The ids of `false` and `true`, for a mark.
    truth: [TermId; 2],
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        [&self.input, &self.inner.bound].into_iter().chain(&self.inner.open).collect()
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn reopened_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        let Some(Inner { bound, open }) = Arc::get_mut(&mut self.inner) else { return Vec::new() };
        [bound].into_iter().chain(open).collect()
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let shared: Vec<Var> = self.shared.iter().map(|column| self.input.vars[*column]).collect();
        let kind = match self.kind {
            ExistsKind::Semi => "exists",
            ExistsKind::Anti => "not exists",
            ExistsKind::Mark => "exists, as a value",
        };
        format!("{kind}, for each different {}", labels.names(&shared))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Correlated {
            input: opening.node(&self.input)?,
            inner: Arc::clone(&self.inner),
            kind: self.kind,
            shared: self.shared.clone(),
            columns: self.columns.clone(),
            known: FxHashMap::default(),
            held: Reservation::default(),
            truth: if self.kind == ExistsKind::Mark { opening.cx.truth()? } else { [TermId::UNBOUND; 2] },
        }))
    }

    /// The inner plan is opened for each binding.
    fn cost_a_row(&self) -> f64 {
        self.inner.bound.cost.max(1.0)
    }
}

impl<'s> Correlated<'s> {
    fn has_solution(&mut self, key: Vec<TermId>, cx: &Context<'s>) -> Result<bool> {
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let plan = match &self.inner.open {
            Some(open) if key.iter().any(|id| id.is_unbound()) => open,
            _ => &self.inner.bound,
        };
        let found = Opening::given(cx, &key).node(plan)?.next(cx)?.is_some();
        self.held.grow(cx.budget(), (key.len() * 4 + 48) as u64)?;
        self.known.insert(key, found);
        Ok(found)
    }
}

impl<'s> Operator<'s> for Correlated<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(cx)? else { return Ok(None) };
        let mut found = Vec::with_capacity(batch.rows());
        for row in 0..batch.rows() {
            let key = self.shared.iter().map(|column| batch.get(*column, row)).collect();
            found.push(self.has_solution(key, cx)?);
        }
        let last = batch.width();
        match self.kind {
            ExistsKind::Mark => batch.push(found.iter().map(|found| self.truth[usize::from(*found)]).collect()),
            ExistsKind::Semi | ExistsKind::Anti => {
                let wanted = self.kind == ExistsKind::Semi;
                let positions: Vec<u32> =
                    (0..batch.rows() as u32).filter(|row| found[*row as usize] == wanted).collect();
                batch = batch.select(&positions);
            }
        }
        let columns: Vec<usize> = self.columns.iter().map(|column| column.unwrap_or(last)).collect();
        Ok(Some(batch.project(&columns)))
    }
}
