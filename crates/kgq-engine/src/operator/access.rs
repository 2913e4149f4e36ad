//! How a triple pattern is looked up when some of its variables are already bound: in which permutation, with which
//! prefix, and what remains to be checked.

use super::Context;
use super::source::{IndexOrder, Source};
use crate::batch::Batch;
use crate::plan::{Graph, Slot, TripleAtom, Var};
use kgq_snapshot::{Blocks, Index, Lookups, Permutation, TermId};
use kgq_syntax::error::Result;
use std::ops::Range;

/// A component that is known before the look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupKey {
    Term(TermId),
    /// The id that the input's row has in this column.
    Column(usize),
}

impl LookupKey {
    #[inline]
    pub fn of(self, batch: &Batch, row: usize) -> TermId {
        match self {
            Self::Term(term) => term,
            Self::Column(column) => batch.get(column, row),
        }
    }
}

/// What a component after the prefix must equal.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    Key(LookupKey),
    /// The component at this depth: the pattern contains the variable twice.
    Depth(usize),
}

/// How to find a triple pattern's rows for one row of bindings: those with the prefix that pass the checks.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub graph: Graph,
    pub order: IndexOrder,
    pub prefix: Vec<LookupKey>,
    pub checks: Vec<(usize, Check)>,
    /// The variables that the pattern binds, with their depth.
    pub free: Vec<(Var, usize)>,
    /// The number of components of the order.
    pub width: usize,
}

/// What the planner wants from the order of a look-up.
pub struct Wish<'a> {
    /// Returns the input's column of a variable that it always binds.
    pub column: &'a dyn Fn(Var) -> Option<usize>,
    /// Returns smaller ranks for free variables that should come first.
    pub rank: &'a dyn Fn(Var) -> u8,
    /// Whether constants should come before bound variables, for keys that come sorted.
    pub constants_first: bool,
    /// Of two keys that come sorted, the one that the rows are sorted by first.
    pub first_key: Option<Var>,
}

impl Lookup {
    pub fn new(atom: &TripleAtom, wish: &Wish<'_>) -> Self {
        let (slots, width) = atom.positions();
        let slots = &slots[..width];
        let key = |slot: Slot| match slot {
            Slot::Term(term) => Some(LookupKey::Term(term)),
            Slot::Var(var) => (wish.column)(var).map(LookupKey::Column),
        };
        let of_subject = key(slots[0]).is_some();
        let order = IndexOrder::best(width, |position| match (slots[position], key(slots[position])) {
            // Mostly, a subject has fewer statements than an object.
            (_, Some(_)) if position == 2 && of_subject && !wish.constants_first => 1,
            (_, Some(LookupKey::Term(_))) => u8::from(!wish.constants_first),
            (Slot::Var(var), Some(_)) if wish.first_key.is_some_and(|first| first != var) => 2,
            (_, Some(LookupKey::Column(_))) => u8::from(wish.constants_first),
            (Slot::Var(var), None) if !slots[..position].contains(&slots[position]) => {
                IndexOrder::FREE + (wish.rank)(var).min(100)
            }
            (Slot::Var(_) | Slot::Term(_), None) => 200,
        });
        let graph = atom.graph.clone();
        let mut lookup = Self { graph, order, prefix: Vec::new(), checks: Vec::new(), free: Vec::new(), width };
        for (depth, component) in order.components().enumerate() {
            let slot = slots[component.position()];
            match (key(slot), slot) {
                (Some(key), _) if lookup.prefix.len() == depth => lookup.prefix.push(key),
                (Some(key), _) => lookup.checks.push((depth, Check::Key(key))),
                (None, Slot::Var(var)) => match lookup.free.iter().find(|(v, _)| *v == var) {
                    Some((_, first)) => lookup.checks.push((depth, Check::Depth(*first))),
                    None => lookup.free.push((var, depth)),
                },
                (None, Slot::Term(_)) => unreachable!("a term is a key"),
            }
        }
        lookup
    }

    /// Whether it reads the same range for every row of the input, because the prefix has only constants.
    pub fn is_scan(&self) -> bool {
        self.prefix.iter().all(|key| matches!(key, LookupKey::Term(_)))
    }

    /// The same look-up by predicate and then subject, if it is by subject and then predicate: keys that are many are found there as
    /// [`KeyRuns`](super::key_runs::KeyRuns), and the rows differ in their numbers only.
    pub fn by_predicate(&self) -> Option<Self> {
        match (&self.graph, self.order, self.prefix.as_slice()) {
            (
                Graph::Default,
                IndexOrder::Triples(Permutation::Spo),
                [subject @ LookupKey::Column(_), predicate @ LookupKey::Term(_)],
            ) => Some(Self {
                order: IndexOrder::Triples(Permutation::Pso),
                prefix: vec![*predicate, *subject],
                ..self.clone()
            }),
            _ => None,
        }
    }

    /// Opens the index for the look-up.
    ///
    /// # Errors
    /// More triples than a merge of graphs can have.
    pub fn open<'s>(&self, cx: &Context<'s>) -> Result<Access<'s>> {
        Ok(Access {
            source: Source::open(cx, &self.graph, self.order)?,
            prefix: self.prefix.clone(),
            checks: self.checks.clone(),
        })
    }
}

/// An open look-up.
#[derive(Clone)]
pub struct Access<'s> {
    pub source: Source<'s>,
    pub prefix: Vec<LookupKey>,
    pub checks: Vec<(usize, Check)>,
}

impl Access<'_> {
    /// The rows that a row of the batch finds.
    #[inline]
    pub fn range(&self, lookups: &mut Lookups<'_>, batch: &Batch, row: usize) -> Range<usize> {
        let mut prefix = [TermId::UNBOUND; 4];
        for (value, key) in prefix.iter_mut().zip(&self.prefix) {
            *value = key.of(batch, row);
        }
        lookups.range(&prefix[..self.prefix.len()])
    }

    /// Whether the index row passes the checks.
    pub fn passes(&self, index: Index<'_>, at: usize, batch: &Batch, row: usize) -> bool {
        let id = |depth: usize| if depth == 0 { index.key_at(at) } else { index.id(depth, at) };
        self.checks.iter().all(|(depth, check)| {
            id(*depth)
                == match check {
                    Check::Key(key) => key.of(batch, row),
                    Check::Depth(first) => id(*first),
                }
        })
    }
}

/// Finds the rows with a key after a fixed prefix. It suits keys that mostly come in ascending order, as in a merge join.
#[derive(Clone, Default)]
pub struct Cursor {
    /// The rows with the fixed prefix.
    base: Option<Range<usize>>,
    /// The last key and its rows.
    last: Option<(TermId, Range<usize>)>,
}

impl Cursor {
    /// Appends for each key the start and end of the rows that have it after the fixed prefix.
    pub fn find_all(&mut self, index: Index<'_>, fixed: &[LookupKey], keys: &[TermId], found: &mut Vec<(u32, u32)>) {
        if fixed.is_empty() {
            index.runs(keys, found);
            return;
        }
        let mut prefix = constants(fixed);
        let Some(mut runs) = self.runs(index, &prefix[..fixed.len()]) else {
            found.extend(keys.iter().map(|key| {
                prefix[fixed.len()] = *key;
                let rows = index.range(&prefix[..=fixed.len()]);
                (rows.start as u32, rows.end as u32)
            }));
            return;
        };
        for key in keys {
            runs.go_to(*key);
            found.push((runs.rows.start as u32, runs.rows.end as u32));
        }
        self.last = Some((runs.key, runs.rows));
    }

    /// The same for two keys after a fixed prefix that is not empty: pairs that mostly ascend, by the first key and then by the second.
    pub fn find_pairs(
        &mut self,
        index: Index<'_>,
        fixed: &[LookupKey],
        keys: [&[TermId]; 2],
        found: &mut Vec<(u32, u32)>,
    ) {
        let (mut prefix, depth) = (constants(fixed), fixed.len());
        let pairs = keys[0].iter().zip(keys[1]);
        let Some(mut runs) = self.runs(index, &prefix[..depth]) else {
            found.extend(pairs.map(|(first, second)| {
                [prefix[depth], prefix[depth + 1]] = [*first, *second];
                let rows = index.range(&prefix[..depth + 2]);
                (rows.start as u32, rows.end as u32)
            }));
            return;
        };
        let mut inner = index.blocks(depth + 1, runs.base.clone());
        // Where the second key was sought last, and the run in which it was.
        let (mut at, mut last, mut run) = (0, TermId::new(0), 0..0);
        for (first, second) in pairs {
            runs.go_to(*first);
            if run != runs.rows || *second < last {
                run = runs.rows.clone();
                at = run.start;
            }
            at = seek_in_run(&mut inner, index, depth + 1, at..run.end, *second);
            let mut end = at;
            while end < run.end && inner.id(end) == Some(*second) {
                end += 1;
            }
            last = *second;
            found.push((at as u32, end as u32));
        }
        self.last = Some((runs.key, runs.rows));
    }

    /// The runs of the column behind a prefix, from where the last search ended. `None` where the rows would have to be merged first: they are
    /// asked for key by key, until those are many.
    fn runs<'a>(&mut self, index: Index<'a>, prefix: &[TermId]) -> Option<Runs<'a>> {
        if self.base.is_none() && !index.has(prefix) {
            return None;
        }
        let base = self.base.get_or_insert_with(|| index.range(prefix)).clone();
        let is_new = self.last.is_none();
        let (key, rows) = self.last.take().unwrap_or((TermId::new(0), base.start..base.start));
        Some(Runs { column: index.blocks(prefix.len(), base.clone()), base, key, rows, is_new })
    }
}

/// The constants of a prefix, each in its place.
fn constants(fixed: &[LookupKey]) -> [TermId; 4] {
    let mut prefix = [TermId::UNBOUND; 4];
    for (value, key) in prefix.iter_mut().zip(fixed) {
        if let LookupKey::Term(term) = key {
            *value = *term;
        }
    }
    prefix
}

/// Runs of equal ids in a sorted column, of which one is found from the one before.
struct Runs<'a> {
    column: Blocks<'a>,
    base: Range<usize>,
    /// The key that was sought last, and its rows.
    key: TermId,
    rows: Range<usize>,
    /// Whether none was sought yet.
    is_new: bool,
}

/// A key in a run is mostly nearer than this.
const NEAR: usize = 8;

impl Runs<'_> {
    #[inline]
    fn go_to(&mut self, key: TermId) {
        if key == self.key && !self.is_new {
            return;
        }
        let from = if key < self.key { self.base.start } else { self.rows.end };
        (self.key, self.rows, self.is_new) = (key, self.column.equal(from, key), false);
    }
}

/// The first of these rows, which are sorted, whose id is at least `target`.
#[inline]
fn seek_in_run(column: &mut Blocks<'_>, index: Index<'_>, depth: usize, rows: Range<usize>, target: TermId) -> usize {
    let near = rows.end.min(rows.start + NEAR);
    for row in rows.start..near {
        if column.id(row).is_none_or(|id| id >= target) {
            return row;
        }
    }
    if near == rows.end { near } else { index.seek(depth, near..rows.end, target) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::Snapshot;
    use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Quad};

    #[test]
    fn a_cursor_finds_what_look_ups_find_even_where_keys_descend() {
        let node = |i: u32| NamedNode::new_unchecked(format!("http://e/{i:06}"));
        let quads = (0..9000u32).filter(|i| i % 3 != 1).flat_map(|i| {
            (0..if i % 1000 == 0 { 30 } else { 1 + i % 3 }).map(move |j| {
                let object = Literal::new_simple_literal(format!("{j}"));
                Quad::new(node(i), node(1_000_000 + i % 2), object, GraphName::DefaultGraph)
            })
        });
        let snapshot = Snapshot::from_quads(quads).unwrap();
        let index = snapshot.triples(Permutation::Pso);
        let predicate = snapshot.id(node(1_000_000).as_ref().into()).unwrap();
        let mut keys: Vec<TermId> = (0..snapshot.term_count()).step_by(2).map(TermId::new).collect();
        keys.extend((0..snapshot.term_count()).map(TermId::new));
        keys.extend([TermId::new(5), TermId::new(5), TermId::new(u32::MAX - 1)]);
        let mut cursor = Cursor::default();
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            cursor.find_all(index, &[LookupKey::Term(predicate)], part, &mut found);
        }
        for (key, (start, end)) in keys.iter().zip(found) {
            let expected = index.range(&[predicate, *key]);
            assert_eq!(end - start, expected.len() as u32, "{key:?}");
            assert!(expected.is_empty() || expected.start == start as usize);
        }
        let (index, mut found) = (snapshot.triples(Permutation::Osp), Vec::new());
        for part in keys.chunks(1000) {
            cursor.find_all(index, &[], part, &mut found);
        }
        for (key, (start, end)) in keys.iter().zip(found) {
            assert_eq!(index.run(*key), start as usize..end as usize, "{key:?}");
        }
    }

    #[test]
    fn a_cursor_finds_pairs_of_keys_that_ascend_repeat_or_descend() {
        let node = |i: u32| NamedNode::new_unchecked(format!("http://e/{i:06}"));
        let runs = (0..400u32).filter(|i| i % 3 != 1).map(|i| (i, [1, 2, 9, 60][(i % 4) as usize]));
        let quads = runs.flat_map(|(i, objects)| {
            (0..objects).map(move |j| Quad::new(node(i), node(9000), node(j * 5 + i % 7), GraphName::DefaultGraph))
        });
        let snapshot = Snapshot::from_quads(quads).unwrap();
        let index = snapshot.triples(Permutation::Pso);
        let predicate = snapshot.id(node(9000).as_ref().into()).unwrap();
        let ids = || (0..snapshot.term_count()).map(TermId::new);
        let mut pairs: Vec<[TermId; 2]> = ids().flat_map(|a| ids().step_by(3).map(move |b| [a, b])).collect();
        pairs.extend(ids().rev().flat_map(|a| ids().rev().step_by(5).flat_map(move |b| [[a, b], [a, b]])));
        let (mut cursor, mut found) = (Cursor::default(), Vec::new());
        for part in pairs.chunks(1000) {
            let [firsts, seconds]: [Vec<TermId>; 2] = [0, 1].map(|at| part.iter().map(|pair| pair[at]).collect());
            cursor.find_pairs(index, &[LookupKey::Term(predicate)], [&firsts, &seconds], &mut found);
        }
        let mut matches = 0;
        for ([first, second], (start, end)) in pairs.iter().zip(found) {
            let expected = index.range(&[predicate, *first, *second]);
            assert_eq!(end - start, expected.len() as u32, "{first:?} {second:?}");
            assert!(expected.is_empty() || expected.start == start as usize);
            matches += expected.len();
        }
        assert!(matches > 3000, "{matches}");
    }
}
