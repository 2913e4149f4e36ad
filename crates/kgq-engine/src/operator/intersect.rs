//! The multiway join binds a new variable to the intersection of several triple patterns whose rows are sorted by it (a
//! worst-case optimal join: Ngo, Ré, Rudra 2013; Veldhuizen 2014). Cycles thus make no intermediate result larger than
//! the AGM bound.

use super::access::{Access, Lookup, LookupKey};
use super::common::{self, Bits};
use super::key_runs::KeyRuns;
use super::parallel::Share;
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::{Blocks, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::ops::Range;

/// For each input row, finds the ids that all patterns have as their last component; the other components are known.
#[derive(Debug)]
pub struct Plan {
    pub input: PhysicalPlan,
    /// Every look-up has all components but the last in its prefix; the last holds `var`. Look-ups whose keys change
    /// least from row to row come first.
    pub lookups: Vec<Lookup>,
    pub var: Var,
    /// Whether the common ids are listed; otherwise they are only counted.
    pub listed: bool,
    /// Whether the number of common ids becomes the row's multiplicity, if they are not listed.
    pub weigh: bool,
    pub kept: Vec<usize>,
    /// The range that the ids must lie in.
    pub bounds: Range<u32>,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.input]
    }

    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        vec![&mut self.input]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let key = |key: &LookupKey| match key {
            LookupKey::Term(term) => labels.term(*term),
            LookupKey::Column(column) => labels.name(self.input.vars[*column]),
        };
        let keys = |lookup: &Lookup| lookup.prefix.iter().map(key).collect::<Vec<_>>().join(" ");
        let patterns: Vec<String> = self.lookups.iter().map(keys).collect();
        let counted = if self.listed || !self.weigh { "" } else { ", counted" };
        format!("multiway join ({}) → {}{counted}", patterns.join(" ∩ "), labels.name(self.var))
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        Ok(Box::new(Intersect {
            input: opening.node(&self.input)?,
            sides: self.lookups.iter().map(|lookup| Ok(Side::of(lookup.open(opening.cx)?))).collect::<Result<_>>()?,
            listed: self.listed,
            weigh: self.weigh,
            kept: self.kept.clone(),
            bounds: self.bounds.clone(),
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            found: Found::of(self.lookups.len()),
            rest: Vec::new(),
            handed: 0,
            work: 0,
        }))
    }

    fn divides(&self) -> bool {
        self.input.operation.divides()
    }

    /// Each row makes look-ups in an index.
    fn cost_a_row(&self) -> f64 {
        1.0
    }
}

/// One of the patterns.
struct Side<'s> {
    access: Access<'s>,
    /// Finds the rows once they are asked for with many keys.
    runs: KeyRuns,
}

impl<'s> Side<'s> {
    fn of(access: Access<'s>) -> Self {
        Self { access, runs: KeyRuns::with_ids() }
    }

    /// The rows with a prefix.
    fn rows(&mut self, prefix: &[TermId], cx: &Context<'s>) -> Result<Range<usize>> {
        Ok(match (self.runs.are_known(&self.access, 1, cx)?, prefix) {
            (true, [.., key]) => self.runs.rows(*key),
            _ => self.access.source.index().range(prefix),
        })
    }
}

struct Intersect<'s> {
    input: Node<'s>,
    sides: Vec<Side<'s>>,
    listed: bool,
    weigh: bool,
    kept: Vec<usize>,
    bounds: Range<u32>,
    pace: Pace,
    batch: Batch,
    row: usize,
    found: Found,
    /// Common ids of the current row; those from `handed` on have not been passed on yet.
    rest: Vec<TermId>,
    handed: usize,
    /// Ids visited since the budget was checked.
    work: usize,
}

/// What was found for the last row. The next row reuses it as far as its first keys are the same.
#[derive(Default)]
struct Found {
    /// For each access, its key and its rows.
    keys: Vec<[TermId; 4]>,
    lists: Vec<List>,
    /// For how many accesses `keys` and `lists` are known.
    known: usize,
    /// The ids that the first accesses have in common: entry `i` is for the first `i + 2` accesses, up to all but the last.
    common: Vec<Vec<TermId>>,
    /// How often the ids common to all but the last access were used, and their bitmap once they are used often.
    uses: usize,
    set: Option<Bits>,
    is_set: bool,
    /// The memory held for the lists and the set.
    held: Reservation,
}

impl Found {
    /// Nothing yet.
    fn of(accesses: usize) -> Self {
        Self {
            keys: vec![[TermId::UNBOUND; 4]; accesses],
            lists: vec![List::default(); accesses],
            common: vec![Vec::new(); accesses.saturating_sub(2)],
            ..Self::default()
        }
    }
}

/// The ids of an access for one key. They are read only when all of them are needed.
#[derive(Clone, Default)]
struct List {
    rows: Range<usize>,
    ids: Vec<TermId>,
}

impl List {
    fn set(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.ids.clear();
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read<'l>(&'l mut self, side: &'l Side<'_>) -> &'l [TermId] {
        if let Some(ids) = side.runs.ids(self.rows.clone()) {
            return ids;
        }
        if self.ids.is_empty() {
            // A short list does not keep the room of a long one before it.
            self.ids.shrink_to(self.rows.len().max(FEW_IDS));
            side.access.source.index().read(side.access.prefix.len(), self.rows.clone(), &mut self.ids);
        }
        &self.ids
    }

    /// Whether this list is so much longer than one of that length that it is better not read whole.
    fn is_long_beside(&self, length: usize, side: &Side<'_>) -> bool {
        self.ids.is_empty() && self.len() > length * common::LEAP && side.runs.ids(self.rows.clone()).is_none()
    }

    /// Returns the ids, to be searched.
    fn blocks<'a>(&self, side: &'a Side<'_>) -> Blocks<'a> {
        side.access.source.index().blocks(side.access.prefix.len(), self.rows.clone())
    }
}

/// A list keeps room for this many ids.
const FEW_IDS: usize = 1 << 12;
/// From this use on, a list is worth a bitmap.
const USES: usize = 2;
/// A list shorter than this is not worth a bitmap.
const FEW: usize = 16;
/// A list is tested against a bitmap id by id only if it is at most this many times as long as the bitmap's.
const SPREAD: usize = 16;
/// Ids visited between two checks of the budget.
const WORK: usize = 1 << 20;

impl<'s> Intersect<'s> {
    /// Returns how many ids the current row has in common. If they are listed, they are put into `rest`.
    fn look_up(&mut self, cx: &Context<'s>) -> Result<u64> {
        let is_any = self.find_rows(cx)?;
        self.found.count(cx)?;
        if !is_any {
            return Ok(0);
        }
        let Self { sides, found, rest, listed, work, .. } = self;
        let last = sides.len() - 1;
        let own = found.lists[last].len();
        let before = found.before(last);
        found.uses += 1;
        *work += own.min(before * SPREAD) + 1;
        // Using the bitmap takes one step for each id of the other list, which must not be too long.
        if found.uses >= USES && before >= FEW && own <= before * SPREAD {
            found.set_bits(sides, cx)?;
            let Some(set) = &found.set else { return Ok(0) };
            let (side, own) = (&sides[last], &found.lists[last]);
            return Ok(match (side.runs.ids(own.rows.clone()), *listed) {
                (Some(ids), false) => ids.iter().map(|id| u64::from(set.contains(*id))).sum(),
                (None, false) => own.blocks(side).map(|id| u64::from(set.contains(id))).sum(),
                (ids, true) => {
                    match ids {
                        Some(ids) => rest.extend(ids.iter().filter(|id| set.contains(**id))),
                        None => rest.extend(own.blocks(side).filter(|id| set.contains(*id))),
                    }
                    rest.len() as u64
                }
            });
        }
        if !*listed {
            let mut count = 0;
            found.meet(last, sides, |_, is_shared| count += u64::from(is_shared));
            return Ok(count);
        }
        found.list(last, sides, rest);
        Ok(rest.len() as u64)
    }

    /// Finds the rows of each access for the current row, and what all accesses but the last have in common, unless
    /// known already. Returns false if nothing is in common.
    fn find_rows(&mut self, cx: &Context<'s>) -> Result<bool> {
        let Self { sides, found, batch, row, bounds, work, .. } = self;
        let last = sides.len() - 1;
        for at in 0..sides.len() {
            let side = &mut sides[at];
            let mut key = [TermId::UNBOUND; 4];
            for (id, part) in key.iter_mut().zip(&side.access.prefix) {
                *id = part.of(batch, *row);
            }
            if at < found.known && found.keys[at] == key {
                continue;
            }
            found.known = at;
            let depth = side.access.prefix.len();
            let mut own = side.rows(&key[..depth], cx)?;
            if at == 0 && *bounds != (0..u32::MAX) {
                let index = side.access.source.index();
                own.start = index.seek(depth, own.clone(), TermId::new(bounds.start));
                own.end = index.seek(depth, own.clone(), TermId::new(bounds.end));
            }
            if own.start >= own.end {
                return Ok(false);
            }
            found.keys[at] = key;
            found.lists[at].set(own);
            if at < last {
                (found.uses, found.is_set) = (0, false);
            }
            if 0 < at && at < last {
                let mut list = std::mem::take(&mut found.common[at - 1]);
                list.clear();
                found.list(at, sides, &mut list);
                *work += found.lists[at].len();
                let none = list.is_empty();
                found.common[at - 1] = list;
                if none {
                    return Ok(false);
                }
            }
            found.known = at + 1;
        }
        Ok(true)
    }
}

impl Found {
    /// Reserves memory for the lists, including those that are read next, and for the bitmap.
    fn count(&mut self, cx: &Context<'_>) -> Result<()> {
        let lists =
            self.lists.iter().map(|list| list.ids.capacity().max(list.len().min(self.shortest() * common::LEAP)));
        let ids = lists.sum::<usize>() + self.common.iter().map(Vec::capacity).sum::<usize>();
        let bits = if self.set.is_some() { Bits::bytes(cx.snapshot().term_count()) } else { 0 };
        let needed = bits + (ids * size_of::<TermId>()) as u64;
        if needed > self.held.bytes() {
            self.held.resize(cx.budget(), needed)?;
        }
        Ok(())
    }

    fn shortest(&self) -> usize {
        self.lists.iter().map(List::len).min().unwrap_or(0)
    }

    /// Makes a bitmap of the ids that all accesses but the last have in common.
    fn set_bits(&mut self, sides: &[Side<'_>], cx: &Context<'_>) -> Result<()> {
        let terms = cx.snapshot().term_count();
        if self.set.is_none() {
            self.held.grow(cx.budget(), Bits::bytes(terms))?;
        }
        let set = self.set.get_or_insert_default();
        if !self.is_set {
            let ids = match self.common.last() {
                Some(common) => common,
                None => self.lists[0].read(&sides[0]),
            };
            set.set(ids, terms);
            self.is_set = true;
        }
        Ok(())
    }

    /// Appends to `out` the ids that an access has in common with those before it.
    fn list(&mut self, at: usize, sides: &[Side<'_>], out: &mut Vec<TermId>) {
        // Every id is written, but kept only if shared: a branch would be mispredicted too often.
        let (start, most) = (out.len(), self.before(at).min(self.lists[at].len()));
        out.resize(start + most + 1, TermId::UNBOUND);
        let mut end = start;
        self.meet(at, sides, |id, is_shared| {
            out[end] = id;
            end += usize::from(is_shared);
        });
        out.truncate(end);
    }

    /// Returns how many ids the accesses before this one have in common.
    fn before(&self, at: usize) -> usize {
        if at == 1 { self.lists[0].len() } else { self.common[at - 2].len() }
    }

    /// Calls `see` with ids of an access or of those before it, and whether both contain the id. All shared ids are
    /// among them, in order.
    #[inline(always)]
    fn meet(&mut self, at: usize, sides: &[Side<'_>], see: impl FnMut(TermId, bool)) {
        let (before, own) = self.lists.split_at_mut(at);
        let (own, side) = (&mut own[0], &sides[at]);
        let common: &[TermId] = if at > 1 {
            &self.common[at - 2]
        } else if before[0].is_long_beside(own.len(), &sides[0]) {
            return common::each_sought(own.read(side), before[0].blocks(&sides[0]), before[0].rows.start, see);
        } else {
            before[0].read(&sides[0])
        };
        if own.is_long_beside(common.len(), side) {
            return common::each_sought(common, own.blocks(side), own.rows.start, see);
        }
        common::each(common, own.read(side), see);
    }
}

impl<'s> Operator<'s> for Intersect<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.row >= self.batch.rows() {
            let Some(batch) = self.input.next(cx)? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
        }
        let capacity = self.pace.step();
        let (mut positions, mut weights, mut column) = (Vec::new(), Vec::new(), Vec::new());
        let mut looked = 0;
        while positions.len() < capacity {
            let left = self.rest.len() - self.handed;
            if left > 0 {
                let part = left.min(capacity - positions.len());
                positions.resize(positions.len() + part, self.row as u32);
                column.extend_from_slice(&self.rest[self.handed..self.handed + part]);
                self.handed += part;
                if part == left {
                    self.rest.clear();
                    self.handed = 0;
                    self.row += 1;
                }
                continue;
            }
            if self.row >= self.batch.rows() || looked >= Batch::ROWS {
                break;
            }
            looked += 1;
            if self.work > WORK {
                self.work = 0;
                cx.budget().check()?;
            }
            let count = self.look_up(cx)?;
            if count > 0 && self.listed {
                continue;
            }
            if count > 0 {
                positions.push(self.row as u32);
                weights.push(count);
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

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        Some(Box::new(Self {
            input: self.input.part(part)?,
            sides: self.sides.iter().map(|side| Side::of(side.access.clone())).collect(),
            listed: self.listed,
            weigh: self.weigh,
            kept: self.kept.clone(),
            bounds: self.bounds.clone(),
            pace: Pace::default(),
            batch: Batch::default(),
            row: 0,
            found: Found::of(self.sides.len()),
            rest: Vec::new(),
            handed: 0,
            work: 0,
        }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.input.prepare(cx)
    }
}
