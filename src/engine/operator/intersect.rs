//! The multiway join: a new variable is bound to what several triple patterns have in common, by leapfrogging over their
//! sorted rows (Ngo, Ré, Rudra 2013; Veldhuizen 2014). Cycles need no intermediate result that is larger than the bound.

use super::access::{Access, Key};
use super::{Context, Node, Operator, Pace, names};
use crate::engine::batch::{Batch, gather};
use crate::engine::plan::Var;
use crate::error::Result;
use crate::snapshot::{Index, TermId};
use std::ops::Range;

/// For each input row the ids that all patterns have at their last component, whose other components are known.
pub struct Intersect<'s> {
    input: Node<'s>,
    accesses: Vec<Access<'s>>,
    var: Var,
    /// Whether the common ids are listed; else they are only counted.
    listed: bool,
    weigh: bool,
    kept: Vec<usize>,
    /// The ids allowed.
    bounds: Range<u32>,
    pace: Pace,
    batch: Batch,
    row: usize,
    /// Common ids of the current row that are not yet handed on.
    rest: Vec<TermId>,
}

impl<'s> Intersect<'s> {
    /// Every access must have a prefix of all components but the last, which holds `var`.
    pub fn new(
        input: Node<'s>,
        accesses: Vec<Access<'s>>,
        var: Var,
        weigh: bool,
        bounds: Option<Range<u32>>,
        needed: &dyn Fn(Var) -> bool,
    ) -> (Self, Vec<Var>) {
        let mut vars = Vec::new();
        let mut kept = Vec::new();
        for (column, kept_var) in input.vars.iter().enumerate() {
            if needed(*kept_var) {
                kept.push(column);
                vars.push(*kept_var);
            }
        }
        let listed = needed(var);
        if listed {
            vars.push(var);
        }
        let intersect = Self {
            input,
            accesses,
            var,
            listed,
            weigh,
            kept,
            bounds: bounds.unwrap_or(0..u32::MAX),
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            rest: Vec::new(),
        };
        (intersect, vars)
    }

    pub fn weighs(&self) -> bool {
        self.input.weighted || (!self.listed && self.weigh)
    }
}

/// Calls `found` with each id common to all ranges of rows, in order, until it says false.
fn leapfrog(
    indexes: &[(Index<'_>, usize)],
    ranges: &mut [Range<usize>],
    bounds: &Range<u32>,
    cx: &Context<'_>,
    mut found: impl FnMut(TermId) -> bool,
) -> Result<()> {
    // The shortest leads, the others are sought in.
    let lead = (0..ranges.len()).min_by_key(|i| ranges[*i].len()).unwrap_or(0);
    let (index, depth) = indexes[lead];
    let mut at = index.seek(depth, ranges[lead].clone(), TermId::new(bounds.start));
    let end = ranges[lead].end;
    let mut steps = 0u32;
    'lead: while at < end {
        let window = at..end.min(at + 4096);
        let column = index.column(depth, window.clone());
        let mut i = 0;
        while i < column.len() {
            steps += 1;
            if steps.is_multiple_of(65_536) {
                cx.guard().check()?;
            }
            let id = column[i];
            if id.get() >= bounds.end {
                break 'lead;
            }
            let mut next = id;
            for other in 0..ranges.len() {
                if other == lead {
                    continue;
                }
                let (index, depth) = indexes[other];
                let rows = &mut ranges[other];
                rows.start = index.seek(depth, rows.clone(), id);
                if rows.start >= rows.end {
                    break 'lead;
                }
                let here = index.column(depth, rows.start..rows.start + 1)[0];
                if here != id {
                    next = here;
                    break;
                }
            }
            if next == id {
                if !found(id) {
                    break 'lead;
                }
                i += 1;
            } else {
                // The leader leaps too.
                let target = index.seek(depth, window.start + i..end, next);
                if target >= window.end {
                    at = target;
                    continue 'lead;
                }
                i = target - window.start;
            }
        }
        at = window.end;
    }
    Ok(())
}

impl<'s> Operator<'s> for Intersect<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.row >= self.batch.rows() && self.rest.is_empty() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
        }
        let capacity = self.pace.step();
        let indexes: Vec<_> = self.accesses.iter().map(|access| (access.source.index(), access.prefix.len())).collect();
        let mut ranges = vec![0..0; indexes.len()];
        let (mut positions, mut weights, mut column) = (Vec::new(), Vec::new(), Vec::new());
        let mut looked = 0;
        while positions.len() < capacity {
            if !self.rest.is_empty() {
                let part = self.rest.len().min(capacity - positions.len());
                positions.resize(positions.len() + part, self.row as u32);
                column.extend(self.rest.drain(..part));
                if self.rest.is_empty() {
                    self.row += 1;
                }
                continue;
            }
            if self.row >= self.batch.rows() || looked >= Batch::ROWS {
                break;
            }
            looked += 1;
            let mut empty = false;
            for ((access, (index, _)), range) in self.accesses.iter().zip(&indexes).zip(&mut ranges) {
                *range = access.range(*index, &self.batch, self.row);
                if range.start >= range.end {
                    empty = true;
                    break;
                }
            }
            if !empty && self.listed {
                let rest = &mut self.rest;
                leapfrog(&indexes, &mut ranges, &self.bounds, cx, |id| {
                    rest.push(id);
                    true
                })?;
                if !self.rest.is_empty() {
                    continue;
                }
            } else if !empty {
                let mut count = 0;
                let weigh = self.weigh;
                leapfrog(&indexes, &mut ranges, &self.bounds, cx, |_| {
                    count += 1;
                    weigh
                })?;
                if count > 0 {
                    positions.push(self.row as u32);
                    weights.push(count);
                }
            }
            self.row += 1;
        }
        let mut columns: Vec<Vec<TermId>> =
            self.kept.iter().map(|kept| gather(self.batch.column(*kept), &positions)).collect();
        if self.listed {
            columns.push(column);
        }
        let counted = !self.listed && self.weigh;
        let weights = match (self.batch.weights(), counted) {
            (None, counted) => counted.then_some(weights),
            (Some(before), false) => Some(positions.iter().map(|at| before[*at as usize]).collect()),
            (Some(before), true) => {
                Some(positions.iter().zip(weights).map(|(at, n)| before[*at as usize].saturating_mul(n)).collect())
            }
        };
        Ok(Some(Batch::new(columns, positions.len()).with_weights(weights)))
    }

    fn describe(&self, cx: &Context<'s>) -> String {
        let patterns: Vec<String> = self
            .accesses
            .iter()
            .map(|access| {
                let keys: Vec<String> = access
                    .prefix
                    .iter()
                    .map(|key| match key {
                        Key::Term(term) => cx.terms().term(*term).to_string(),
                        Key::Column(column) => cx.variables.name(self.input.vars[*column]).to_string(),
                    })
                    .collect();
                keys.join(" ")
            })
            .collect();
        let counted = if self.listed || !self.weigh { "" } else { ", counted" };
        format!("multiway join ({}) → {}{counted}", patterns.join(" ∩ "), names(&[self.var], cx))
    }

    fn inputs(&self) -> Vec<&Node<'s>> {
        vec![&self.input]
    }
}
