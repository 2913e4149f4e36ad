//! The index join: each row of the input looks up a triple pattern. If the input is one empty row, it is a scan.

use super::access::{Access, Cursor, Lookup, LookupKey};
use super::feed::{FeedId, Settled, Unit};
use super::first_merged::{FirstMerged, NextMerged};
use super::key_runs::KeyRuns;
use super::parallel::Share;
use super::source::read;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::{Blocks, Index, Lookups, TermId};
use kgq_syntax::error::Result;
use std::ops::Range;

/// Which rows of the input are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Each row with each of its matches.
    Matched,
    /// Rows without a match too, with the new variables unbound (OPTIONAL).
    All,
    /// Rows with a match, each once (EXISTS).
    Existing,
    /// Rows without a match (NOT EXISTS).
    Missing,
}

/// How a row's matches are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// One row for each match.
    Rows,
    /// One row for all matches that agree on the first free component.
    Runs,
    /// One row for all matches.
    Folded,
}

#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    pub lookup: Lookup,
    pub keep: Keep,
    pub emit: Emit,
    /// Whether a row's multiplicity says how many matches it stands for; if not, duplicates do not matter.
    pub weigh: bool,
    /// The input's columns that are passed on.
    pub kept: Vec<usize>,
    /// The depths of the new columns.
    pub depths: Vec<usize>,
    /// The range for the ids of the first free component.
    pub bounds: Option<Range<u32>>,
    /// Whether the keys mostly come in ascending order.
    pub merging: bool,
    /// The column with the positions of rows from outside, and the feed that supplies them: settled rows need no more matches.
    pub settled: Option<(usize, FeedId)>,
}

impl Plan {
    /// Whether each of its rows may stand for several solutions.
    pub fn weighs(&self) -> bool {
        self.input.weighted || counts(self.weigh, self.emit, self.keep)
    }

    /// The table of keys that come in no order, not made yet.
    fn key_runs(&self) -> KeyRuns {
        if self.depths.contains(&self.lookup.prefix.len()) { KeyRuns::with_ids() } else { KeyRuns::default() }
    }

    /// Whether it reads one contiguous range of the index.
    fn is_scan(&self) -> bool {
        self.keep == Keep::Matched && self.lookup.is_scan() && self.input.vars.is_empty()
    }
}

/// Whether the multiplicity of a row is the number of its matches.
fn counts(weigh: bool, emit: Emit, keep: Keep) -> bool {
    weigh && emit != Emit::Rows && matches!(keep, Keep::Matched | Keep::All)
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn in_range_of(&self) -> Option<Var> {
        self.bounds.as_ref().and(self.lookup.free.first()).map(|(var, _)| *var)
    }

    fn fed_by(&self) -> Option<FeedId> {
        self.settled.map(|(_, feed)| feed)
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let label = match self.keep {
            Keep::Matched if self.is_scan() => "scan",
            Keep::Matched => "index join",
            Keep::All => "optional index join",
            Keep::Existing => "index semi-join",
            Keep::Missing => "index anti-join",
        };
        let mut text = format!("{label} {}", self.lookup.order.letters());
        for key in &self.lookup.prefix {
            text.push(' ');
            text.push_str(&match key {
                LookupKey::Term(term) => labels.term(*term),
                LookupKey::Column(column) => labels.name(self.input.vars[*column]),
            });
        }
        let free: Vec<_> = self.lookup.free.iter().map(|(var, _)| *var).collect();
        if !free.is_empty() {
            text.push_str(&format!(" → {}", labels.names(&free)));
        }
        match self.emit {
            Emit::Folded if !free.is_empty() && counts(self.weigh, self.emit, self.keep) => text.push_str(", counted"),
            Emit::Runs => text.push_str(", by runs"),
            Emit::Folded | Emit::Rows => (),
        }
        if self.merging {
            text.push_str(", merging");
        }
        if self.bounds.is_some() {
            text.push_str(", in a range");
        }
        text
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let settled = match self.settled {
            Some((column, feed)) => Some((column, opening.outside(feed)?.settled.clone())),
            None => None,
        };
        let access = self.lookup.open(opening.cx)?;
        let by_predicate = self.lookup.by_predicate().map(|lookup| lookup.open(opening.cx)).transpose()?;
        let scans_all = self.is_scan() && self.lookup.prefix.is_empty() && self.lookup.checks.is_empty();
        let plain = self.input.operation.is_unit() && self.emit == Emit::Rows && self.bounds.is_none();
        Ok(Box::new(Probe {
            input: opening.node(&self.input)?,
            first: if scans_all && plain { FirstMerged::of(&access.source) } else { None },
            given: 0,
            runs: self.key_runs(),
            by_predicate,
            access,
            keep: self.keep,
            emit: self.emit,
            weigh: self.weigh,
            kept: self.kept.clone(),
            depths: self.depths.clone(),
            bounds: self.bounds.clone(),
            cursor: self.merging.then(Cursor::default),
            divides: self.divides() && self.input.operation.is_unit(),
            part: None,
            settled,
            pace: Pace::default(),
            batch: Batch::default(),
            found: Vec::new(),
            row: 0,
            matches: Matches::default(),
            window: Vec::new(),
        }))
    }

    fn divides(&self) -> bool {
        let scans = self.is_scan() && self.input.operation.is_unit() && self.lookup.checks.is_empty();
        scans || self.input.operation.divides()
    }

    /// Each row makes a look-up in an index.
    fn cost_a_row(&self) -> f64 {
        1.0
    }
}

struct Probe<'s> {
    input: Node<'s>,
    access: Access<'s>,
    /// Finds many keys that come in no order.
    runs: KeyRuns,
    /// The same look-up where such keys can be found, if they cannot by `access`, which it replaces once they are many.
    by_predicate: Option<Access<'s>>,
    /// Gives the first rows of a scan.
    first: Option<FirstMerged>,
    /// How many rows of the scan it has given.
    given: usize,
    keep: Keep,
    emit: Emit,
    weigh: bool,
    kept: Vec<usize>,
    depths: Vec<usize>,
    bounds: Option<Range<u32>>,
    cursor: Option<Cursor>,
    /// Whether a part divides its own scan; if not, it divides the input.
    divides: bool,
    /// The part of the scan's rows that it reads.
    part: Option<Share>,
    settled: Option<(usize, Settled)>,
    pace: Pace,
    batch: Batch,
    /// For each row of the batch, the start and end of the matching rows of the index.
    found: Vec<(u32, u32)>,
    row: usize,
    matches: Matches,
    /// A window of ids, read at once when runs are emitted.
    window: Vec<TermId>,
}

/// The matches of the current row that are still to be emitted.
#[derive(Default)]
struct Matches {
    range: Range<usize>,
    /// If there are checks: the rows that pass, emitted from the back.
    checked: Vec<usize>,
}

impl<'s> Probe<'s> {
    /// Looks up all rows of the batch.
    fn look_up(&mut self, cx: &Context<'s>) -> Result<()> {
        self.found.clear();
        if let Some(access) = self.by_predicate.take() {
            match self.runs.are_known(&access, self.batch.rows(), cx)? {
                true => self.access = access,
                false => self.by_predicate = Some(access),
            }
        }
        let source = self.access.source.clone();
        let index = source.index();
        match (&mut self.cursor, self.access.prefix.as_slice()) {
            (Some(cursor), [fixed @ .., LookupKey::Column(first), LookupKey::Column(second)]) => {
                let keys = [*first, *second].map(|column| self.batch.column(column));
                cursor.find_pairs(index, fixed, keys, &mut self.found);
            }
            (Some(cursor), [fixed @ .., LookupKey::Column(key)]) => {
                cursor.find_all(index, fixed, self.batch.column(*key), &mut self.found);
            }
            (None, [.., LookupKey::Column(key)]) if self.runs.are_known(&self.access, self.batch.rows(), cx)? => {
                let rows = |key: &TermId| {
                    let rows = self.runs.rows(*key);
                    (rows.start as u32, rows.end as u32)
                };
                self.found.extend(self.batch.column(*key).iter().map(rows));
            }
            _ => {
                self.found.reserve(self.batch.rows());
                let mut lookups = index.lookups();
                for row in 0..self.batch.rows() {
                    let rows = self.access.range(&mut lookups, &self.batch, row);
                    self.found.push((rows.start as u32, rows.end as u32));
                }
            }
        }
        if let Some(bounds) = &self.bounds {
            let depth = self.access.prefix.len();
            for (start, end) in self.found.iter_mut().filter(|(start, end)| start < end) {
                let rows = *start as usize..*end as usize;
                let first = index.seek(depth, rows.clone(), TermId::new(bounds.start));
                *start = first as u32;
                *end = index.seek(depth, first..rows.end, TermId::new(bounds.end)) as u32;
            }
        }
        if let Some((start, end)) = self.found.first_mut().filter(|_| self.given > 0) {
            *start = (*start).saturating_add(self.given as u32).min(*end);
        }
        if let (Some(part), Some((start, end))) = (self.part, self.found.first_mut()) {
            let own = part.of_length(end.saturating_sub(*start) as usize);
            (*start, *end) = (*start + own.start as u32, *start + own.end as u32);
        }
        Ok(())
    }

    /// Passes rows on that are kept as they are, or dropped, by whether they have matches.
    fn keep_whole(&mut self, capacity: usize, positions: &mut Vec<u32>) {
        let matched = match self.keep {
            Keep::Existing => true,
            Keep::Missing => false,
            Keep::Matched | Keep::All => return,
        };
        for (start, end) in self.found.iter().skip(self.row) {
            if positions.len() == capacity {
                return;
            }
            if (start < end) == matched {
                positions.push(self.row as u32);
            }
            self.row += 1;
        }
    }

    /// Returns the matches of the current row, if there are checks.
    fn checked(&self, index: Index<'_>, rows: Range<usize>, cx: &Context<'s>) -> Result<Vec<usize>> {
        let mut passed = Vec::new();
        for (count, at) in rows.rev().enumerate() {
            if count % 65_536 == 65_535 {
                cx.budget().check()?;
            }
            if self.access.passes(index, at, &self.batch, self.row) {
                passed.push(at);
            }
        }
        Ok(passed)
    }
}

/// Reads the rows of the index that are emitted.
struct MatchReader<'a> {
    index: Index<'a>,
    lookups: Lookups<'a>,
    /// A reader for each new column, if rows are mostly consecutive.
    blocks: Vec<Blocks<'a>>,
}

/// Reads the ids of some rows at a depth, including depth 0, which is not stored as a column.
#[inline]
fn read_near(index: Index<'_>, lookups: &mut Lookups<'_>, depth: usize, rows: Range<usize>, out: &mut Vec<TermId>) {
    if depth > 0 { lookups.read(depth, rows, out) } else { read(index, depth, rows, out) }
}

/// The rows of a batch under construction.
#[derive(Default)]
struct Output {
    positions: Vec<u32>,
    weights: Vec<u64>,
    columns: Vec<Vec<TermId>>,
}

impl<'s> Operator<'s> for Probe<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if let Some(first) = &mut self.first {
            match first.next(self.pace.step(), &self.depths)? {
                NextMerged::Rows(batch) => return Ok(Some(batch)),
                NextMerged::RowsFrom(given) => (self.given, self.first) = (given, None),
                NextMerged::Nothing => return Ok(None),
            }
        }
        if self.row >= self.batch.rows() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
            self.look_up(cx)?;
        }
        let source = self.access.source.clone();
        let index = source.index();
        let capacity = self.pace.step();
        let mut out = Output { columns: vec![Vec::with_capacity(capacity); self.depths.len()], ..Output::default() };
        // Consecutive rows come from blocks that are read once.
        let blocks: Vec<Blocks<'_>> = match self.cursor {
            Some(_) => self.depths.iter().map(|depth| index.blocks(*depth, 0..usize::MAX)).collect(),
            None => Vec::new(),
        };
        let mut reader = MatchReader { index, lookups: index.lookups(), blocks };
        let settled = self.settled.clone();
        let settled = settled.as_ref().map(|(column, settled)| (*column, settled.rows()));
        if settled.is_none() && self.access.checks.is_empty() {
            self.keep_whole(capacity, &mut out.positions);
            self.emit_whole(&mut reader, capacity, &mut out);
        }
        while out.positions.len() < capacity {
            if let Some((column, settled)) = &settled
                && self.row < self.batch.rows()
                && settled[self.batch.get(*column, self.row).index()]
            {
                self.matches = Matches::default();
                self.row += 1;
                continue;
            }
            if !self.matches.is_empty() {
                self.emit_matches(&mut reader, capacity, &mut out);
                if self.matches.is_empty() {
                    self.row += 1;
                }
                continue;
            }
            if self.row >= self.batch.rows() {
                break;
            }
            let (start, end) = self.found[self.row];
            let rows = start as usize..end as usize;
            let mut count = rows.len();
            if !self.access.checks.is_empty() && count > 0 {
                let checked = self.checked(index, rows.clone(), cx)?;
                count = checked.len();
                self.matches.checked = checked;
            }
            let single = match (self.keep, count) {
                (Keep::Matched | Keep::Existing, 0) => None,
                (Keep::Missing, 0) | (Keep::Existing, _) => Some(1),
                (Keep::Missing, _) => None,
                (Keep::All, 0) => {
                    out.columns.iter_mut().for_each(|column| column.push(TermId::UNBOUND));
                    Some(1)
                }
                (Keep::Matched | Keep::All, _) if self.emit == Emit::Folded => Some(count as u64),
                (Keep::Matched | Keep::All, _) => {
                    if self.access.checks.is_empty() {
                        self.matches.range = rows;
                    }
                    continue;
                }
            };
            self.matches.checked.clear();
            if let Some(weight) = single {
                out.positions.push(self.row as u32);
                out.weights.push(weight);
            }
            self.row += 1;
        }
        Ok(Some(self.finish(out)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        let (input, part) = if self.divides {
            (Node::unplanned(Unit::default(), 0), Some(part))
        } else {
            (self.input.part(part)?, None)
        };
        Some(Box::new(Self {
            input,
            part,
            access: self.access.clone(),
            runs: self.runs.unmade(),
            by_predicate: self.by_predicate.clone(),
            first: None,
            given: 0,
            keep: self.keep,
            emit: self.emit,
            weigh: self.weigh,
            kept: self.kept.clone(),
            depths: self.depths.clone(),
            bounds: self.bounds.clone(),
            cursor: self.cursor.as_ref().map(|_| Cursor::default()),
            divides: self.divides,
            settled: None,
            pace: Pace::default(),
            batch: Batch::default(),
            found: Vec::new(),
            row: 0,
            matches: Matches::default(),
            window: Vec::new(),
        }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}

impl<'s> Probe<'s> {
    /// Appends the new columns' ids of some rows of the index.
    fn read(&self, reader: &mut MatchReader<'_>, rows: Range<usize>, columns: &mut [Vec<TermId>]) {
        let MatchReader { index, lookups, blocks } = reader;
        if blocks.is_empty() {
            let held = self.runs.ids(rows.clone());
            for (column, depth) in columns.iter_mut().zip(&self.depths) {
                match held.filter(|_| *depth == self.access.prefix.len()) {
                    Some(ids) => column.extend_from_slice(ids),
                    None => read_near(*index, lookups, *depth, rows.clone(), column),
                }
            }
        }
        for (column, blocks) in columns.iter_mut().zip(blocks) {
            blocks.read(rows.clone(), column);
        }
    }

    /// Passes rows on with all their matches, as long as these fit: those that follow each other in the index are read at once.
    fn emit_whole(&mut self, reader: &mut MatchReader<'_>, capacity: usize, out: &mut Output) {
        if self.keep != Keep::Matched || self.emit != Emit::Rows || !self.matches.is_empty() {
            return;
        }
        let mut unread = 0..0;
        for (start, end) in self.found.iter().skip(self.row) {
            let (start, end) = (*start as usize, *end as usize);
            let count = end.saturating_sub(start);
            if count > capacity - out.positions.len() {
                break;
            }
            if count > 0 {
                if unread.end == start {
                    unread.end = end;
                } else {
                    self.read(reader, std::mem::replace(&mut unread, start..end), &mut out.columns);
                }
                out.positions.resize(out.positions.len() + count, self.row as u32);
            }
            self.row += 1;
        }
        self.read(reader, unread, &mut out.columns);
    }

    fn emit_matches(&mut self, reader: &mut MatchReader<'_>, capacity: usize, out: &mut Output) {
        let index = reader.index;
        let room = capacity - out.positions.len();
        let row = self.row as u32;
        if !self.matches.checked.is_empty() {
            for _ in 0..room.min(self.matches.checked.len()) {
                let Some(at) = self.matches.checked.pop() else { break };
                for (column, depth) in out.columns.iter_mut().zip(&self.depths) {
                    read_near(index, &mut reader.lookups, *depth, at..at + 1, column);
                }
                out.positions.push(row);
                out.weights.push(1);
            }
            return;
        }
        let rows = self.matches.range.clone();
        match self.emit {
            Emit::Rows | Emit::Folded => {
                let part = rows.start..rows.end.min(rows.start + room);
                self.read(reader, part.clone(), &mut out.columns);
                out.positions.resize(out.positions.len() + part.len(), row);
                self.matches.range.start = part.end;
            }
            Emit::Runs if self.depths[0] == 0 => {
                let first = index.key_at(rows.start);
                let before = out.positions.len();
                for (key, run) in index.keys_in(first.get()..u32::MAX) {
                    if run.start >= rows.end || out.positions.len() - before == room {
                        break;
                    }
                    out.columns[0].push(key);
                    out.positions.push(row);
                    out.weights.push(run.end.min(rows.end).saturating_sub(run.start.max(rows.start)) as u64);
                    self.matches.range.start = run.end.min(rows.end);
                }
            }
            Emit::Runs => {
                let depth = self.depths[0];
                // A window, so that a batch reads little more than it emits.
                let window = rows.start..rows.end.min(rows.start + room.max(256) * 4);
                let column = &mut self.window;
                column.clear();
                match reader.blocks.first_mut() {
                    Some(blocks) => blocks.read(window.clone(), column),
                    None => reader.lookups.read(depth, window.clone(), column),
                }
                let mut at = 0;
                let before = out.positions.len();
                while at < column.len() && out.positions.len() - before < room {
                    let key = column[at];
                    let mut end = at + 1;
                    while end < column.len() && column[end] == key {
                        end += 1;
                    }
                    let length = if end == column.len() && window.end < rows.end {
                        index.seek(depth, window.start + at..rows.end, TermId::new(key.get() + 1)) - window.start - at
                    } else {
                        end - at
                    };
                    out.columns[0].push(key);
                    out.positions.push(row);
                    out.weights.push(length as u64);
                    at += length;
                }
                self.matches.range.start = window.start + at;
            }
        }
        // A sound index always advances. A damaged one is reported at the end of the batch, so the loop must get there.
        if self.matches.range.start <= rows.start {
            self.matches.range.start = rows.end;
        }
    }

    fn finish(&self, out: Output) -> Batch {
        let Output { positions, weights, columns: fresh } = out;
        let mut columns: Vec<Vec<TermId>> =
            self.kept.iter().map(|column| gather(self.batch.column(*column), &positions)).collect();
        columns.extend(fresh);
        let counted = counts(self.weigh, self.emit, self.keep);
        let weights = match (self.batch.weights(), counted) {
            (None, false) => None,
            (None, true) => Some(weights),
            (Some(before), false) => Some(positions.iter().map(|at| before[*at as usize]).collect()),
            (Some(before), true) => Some(
                positions.iter().zip(weights).map(|(at, weight)| before[*at as usize].saturating_mul(weight)).collect(),
            ),
        };
        let rows = positions.len();
        Batch::new(columns, rows).with_weights(weights)
    }
}

impl Matches {
    #[inline]
    fn is_empty(&self) -> bool {
        self.range.is_empty() && self.checked.is_empty()
    }
}
