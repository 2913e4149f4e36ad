//! The counting merge join. It merges triple patterns that share one variable and bind nothing else that is needed.
//! Each common id comes once, with the product of its counts in the patterns; no rows of a pattern are made.

use super::access::Lookup;
use super::parallel::Share;
use super::source::Source;
use super::{Context, Opening, Operator, Pace};
use crate::batch::Batch;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::{Index, TermId};
use kgq_syntax::error::Result;
use std::ops::Range;

/// One pattern. Its look-up has a prefix of constants, followed by the shared variable.
#[derive(Debug)]
pub struct Ray {
    pub lookup: Lookup,
    /// Whether ids that this pattern lacks are kept.
    pub optional: bool,
}

#[derive(Debug)]
pub struct Plan {
    /// The first is the smallest of those that are not optional.
    pub rays: Vec<Ray>,
    pub var: Var,
    /// Whether the common ids are passed on; if not, rows bind nothing and carry the number of solutions.
    pub listed: bool,
    /// Whether duplicates count.
    pub weigh: bool,
    /// The range that the ids must lie in.
    pub bounds: Option<Range<u32>>,
    /// How many rows the patterns have, if all of them may be read.
    pub read: f64,
}

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        Vec::new()
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let optional = self.rays.iter().filter(|ray| ray.optional).count();
        let mut text = format!("counting merge join of {} patterns on {}", self.rays.len(), labels.name(self.var));
        if optional > 0 {
            text.push_str(&format!(", {optional} optional"));
        }
        text
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let stream = |ray: &Ray| {
            let access = ray.lookup.open(opening.cx)?;
            let (index, depth) = (access.source.index(), access.prefix.len());
            let mut rows = access.range(&mut index.lookups(), &Batch::unit(0), 0);
            if let Some(bounds) = &self.bounds {
                rows.start = index.seek(depth, rows.clone(), TermId::new(bounds.start));
                rows.end = index.seek(depth, rows.clone(), TermId::new(bounds.end));
            }
            Ok(Stream { source: access.source.clone(), rows, depth, optional: ray.optional })
        };
        Ok(Box::new(RunMerge {
            streams: self.rays.iter().map(stream).collect::<Result<_>>()?,
            listed: self.listed,
            weigh: self.weigh,
            pace: Pace::default(),
            keys: Runs::default(),
            other: Runs::default(),
        }))
    }

    fn divides(&self) -> bool {
        true
    }

    fn rows_counted(&self) -> f64 {
        self.read
    }
}

/// The rows of one pattern, sorted by the shared variable.
#[derive(Clone)]
struct Stream<'s> {
    source: Source<'s>,
    /// Rows that agree in all columns before `depth`.
    rows: Range<usize>,
    /// The depth of the shared variable.
    depth: usize,
    optional: bool,
}

struct RunMerge<'s> {
    streams: Vec<Stream<'s>>,
    listed: bool,
    weigh: bool,
    pace: Pace,
    keys: Runs,
    other: Runs,
}

/// Ids in order, each with its count.
#[derive(Default)]
struct Runs {
    ids: Vec<TermId>,
    counts: Vec<u64>,
    /// The ids as they were read, and where each run starts in them.
    sorted: Vec<TermId>,
    starts: Vec<u32>,
}

/// A part of a stream is read whole only if it is at most this many times as long as the ids sought in it.
const SPARSE: usize = 32;

impl<'s> RunMerge<'s> {
    /// Counts the solutions if only their number is wanted and the only other pattern is optional and small. The count
    /// is the number of rows of the first pattern, plus more for each id that the other has several times.
    fn count_by_optional(&mut self) -> Option<u64> {
        let [first, optional] = self.streams.as_slice() else { return None };
        let small = optional.rows.len() < first.rows.len() / SPARSE;
        if self.listed || !self.weigh || !optional.optional || !small {
            return None;
        }
        let mut count = first.rows.len() as u64;
        self.keys.read_from(optional.source.index(), optional.depth, optional.rows.clone());
        let (index, mut at) = (first.source.index(), first.rows.start);
        for (id, more) in self.keys.ids.iter().zip(&self.keys.counts).filter(|(_, own)| **own > 1) {
            let start = index.seek(first.depth, at..first.rows.end, *id);
            at = index.seek(first.depth, start..first.rows.end, after(*id));
            count = count.saturating_add(((at - start) as u64).saturating_mul(more - 1));
        }
        Some(count)
    }

    /// Reads the runs of the first stream's next rows; returns `false` if there are none.
    fn lead(&mut self) -> bool {
        let Some(Stream { source, rows, depth, .. }) = self.streams.first_mut() else { return false };
        if rows.start >= rows.end {
            return false;
        }
        let index = source.index();
        let mut end = rows.end.min(rows.start + self.pace.step());
        // Runs are never divided.
        let last = index.id(*depth, end - 1);
        end = end.max(index.seek(*depth, end - 1..rows.end, after(last)));
        self.keys.read_from(index, *depth, rows.start..end);
        rows.start = end;
        true
    }
}

/// Returns the smallest id above this one.
fn after(id: TermId) -> TermId {
    TermId::new(id.get().saturating_add(1))
}

impl Runs {
    /// Reads the runs of some rows' ids, which are sorted.
    fn read_from(&mut self, index: Index<'_>, depth: usize, rows: Range<usize>) {
        self.sorted.clear();
        index.read(depth, rows, &mut self.sorted);
        let sorted = &self.sorted;
        self.ids.clear();
        self.counts.clear();
        if sorted.is_empty() {
            return;
        }
        // No branch depends on the data, because runs are short and of random length.
        self.starts.clear();
        self.starts.resize(sorted.len() + 1, 0);
        let mut count = 1;
        for (at, pair) in (1u32..).zip(sorted.windows(2)) {
            self.starts[count] = at;
            count += usize::from(pair[0] != pair[1]);
        }
        self.starts[count] = sorted.len() as u32;
        self.starts.truncate(count + 1);
        self.ids.extend(self.starts[..count].iter().map(|start| sorted[*start as usize]));
        self.counts.extend(self.starts.windows(2).map(|pair| u64::from(pair[1] - pair[0])));
    }

    /// Keeps the ids that the other runs contain too, or all ids if those are optional, and multiplies the counts.
    fn merge(&mut self, other: &Runs, optional: bool) {
        let (mut i, mut j, mut kept) = (0, 0, 0);
        let (own, others) = (self.ids.len(), other.ids.len());
        while i < own && j < others {
            let (a, b) = (self.ids[i], other.ids[j]);
            let factor = if a == b { other.counts[j] } else { 1 };
            if optional {
                self.counts[i] = self.counts[i].saturating_mul(factor);
            } else {
                self.ids[kept] = a;
                self.counts[kept] = self.counts[i].saturating_mul(factor);
                kept += usize::from(a == b);
            }
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        if !optional {
            self.ids.truncate(kept);
            self.counts.truncate(kept);
        }
    }

    /// Does the same as `merge` by seeking each id in the stream.
    fn seek(&mut self, stream: &Stream<'_>, rows: Range<usize>) {
        let mut column = stream.source.index().blocks(stream.depth, rows.clone());
        let (mut at, mut kept) = (rows.start, 0);
        for i in 0..self.ids.len() {
            let id = self.ids[i];
            at = column.seek(at, id);
            let end = column.seek(at, after(id));
            let count = (end - at) as u64;
            at = end;
            if count > 0 || stream.optional {
                self.ids[kept] = id;
                self.counts[kept] = self.counts[i].saturating_mul(count.max(1));
                kept += 1;
            }
        }
        self.ids.truncate(kept);
        self.counts.truncate(kept);
    }
}

impl<'s> Operator<'s> for RunMerge<'s> {
    fn next(&mut self, _: &Context<'s>) -> Result<Option<Batch>> {
        if let Some(count) = self.count_by_optional() {
            self.streams.clear();
            return Ok(Some(Batch::unit(0).with_weights(Some(vec![count]))));
        }
        if !self.lead() {
            return Ok(None);
        }
        for stream in &mut self.streams[1..] {
            let (Some(first), Some(last)) = (self.keys.ids.first(), self.keys.ids.last()) else { break };
            let (index, depth) = (stream.source.index(), stream.depth);
            let start = index.seek(depth, stream.rows.clone(), *first);
            let end = index.seek(depth, start..stream.rows.end, after(*last));
            stream.rows.start = end;
            if (end - start) / SPARSE > self.keys.ids.len() {
                self.keys.seek(stream, start..end);
            } else {
                self.other.read_from(index, depth, start..end);
                self.keys.merge(&self.other, stream.optional);
            }
        }
        if self.keys.ids.is_empty() {
            return Ok(Some(Batch::default()));
        }
        if self.listed {
            let rows = self.keys.ids.len();
            let weights = self.weigh.then(|| std::mem::take(&mut self.keys.counts));
            return Ok(Some(Batch::new(vec![std::mem::take(&mut self.keys.ids)], rows).with_weights(weights)));
        }
        let weights = self.weigh.then(|| vec![self.keys.counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n))]);
        if !self.weigh {
            // Duplicates do not count, so one row is enough.
            self.streams.clear();
        }
        Ok(Some(Batch::unit(0).with_weights(weights)))
    }

    fn part(&self, part: Share) -> Option<Box<dyn Operator<'s> + 's>> {
        let Stream { source, rows, depth, .. } = self.streams.first()?;
        let index = source.index();
        // Cuts at the start of an id's run, so that no run is divided.
        let cut = |at: usize| match at < rows.end {
            true => index.seek(*depth, rows.clone(), index.id(*depth, at)),
            false => rows.end,
        };
        let own = part.of_length(rows.len());
        let mut streams = self.streams.clone();
        streams[0].rows = cut(rows.start + own.start)..cut(rows.start + own.end);
        let (keys, other) = (Runs::default(), Runs::default());
        let (listed, weigh) = (self.listed, self.weigh);
        Some(Box::new(Self { streams, listed, weigh, pace: Pace::default(), keys, other }))
    }
}
