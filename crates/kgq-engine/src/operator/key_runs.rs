//! The runs of rows behind constants, by the id that follows these: many keys in no order are found without a search for each.

use super::Context;
use super::access::{Access, LookupKey};
use kgq_snapshot::{Index, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use std::ops::Range;

/// Finds the runs of keys, in a table once that pays: it is made when the searches so far took longer than making it. So a
/// query that ends after a few rows does without, and a wrong estimate of the planner does no harm.
#[derive(Default)]
pub struct KeyRuns {
    state: State,
    /// Whether a table holds the ids behind the keys too.
    with_ids: bool,
}

#[derive(Default)]
enum State {
    /// No key was asked for.
    #[default]
    Unused,
    /// Keys are searched; so many more searches are worth a table.
    Searching {
        left: usize,
    },
    Made(Table),
    /// There is no prefix of constants, or its rows are merged on demand, too sparse, or too many for the limit on memory.
    Refused,
}

/// Where the run of each key starts.
struct Table {
    first: u32,
    /// The start of each key's run, and the end of the last.
    starts: Vec<u32>,
    /// The ids behind the keys, if they are held, and the row of the first.
    ids: Vec<TermId>,
    base: usize,
    _held: Reservation,
}

/// A search takes about as long as reading this many rows.
const ROWS_A_SEARCH: usize = 16;
/// A table has at most this many entries for each row.
const ENTRIES_A_ROW: usize = 8;
/// Stands where a key has no run.
const NO_RUN: u32 = u32::MAX;
/// Rows read between two checks of the budget.
const ROWS_BETWEEN_CHECKS: usize = 1 << 16;

impl KeyRuns {
    /// For look-ups that know all components but the last: a table holds the ids in that one too, if memory allows.
    pub fn with_ids() -> Self {
        Self { with_ids: true, ..Self::default() }
    }

    /// The same for other keys, not made yet.
    pub fn unmade(&self) -> Self {
        Self { state: State::Unused, with_ids: self.with_ids }
    }

    /// Whether the next keys, of which there are so many, are in the table. Otherwise they have to be searched. Only where a
    /// prefix is constants and then a key there is a table.
    ///
    /// # Errors
    /// The budget's limits, except that on memory: then there is no table.
    #[inline]
    pub fn are_known(&mut self, access: &Access<'_>, keys: usize, cx: &Context<'_>) -> Result<bool> {
        match &mut self.state {
            State::Made(_) => Ok(true),
            State::Refused => Ok(false),
            State::Searching { left } if *left > keys => {
                *left -= keys;
                Ok(false)
            }
            State::Searching { .. } | State::Unused => self.go_on(access, cx),
        }
    }

    /// Looks at the rows when the first key is asked for, and makes the table when it pays.
    #[cold]
    fn go_on(&mut self, access: &Access<'_>, cx: &Context<'_>) -> Result<bool> {
        let index = access.source.index();
        self.state = match (constants(&access.prefix), &self.state) {
            (Some((prefix, length)), State::Unused) if index.has(&prefix[..length]) => {
                State::Searching { left: index.range(&prefix[..length]).len() / ROWS_A_SEARCH }
            }
            (Some((prefix, length)), State::Searching { .. }) => {
                Table::of(index, &prefix[..length], self.with_ids, cx)?.map_or(State::Refused, State::Made)
            }
            _ => State::Refused,
        };
        Ok(matches!(self.state, State::Made(_)))
    }

    /// The rows with a key, if keys are known.
    #[inline]
    pub fn rows(&self, key: TermId) -> Range<usize> {
        match &self.state {
            State::Made(table) => table.rows(key),
            State::Unused | State::Searching { .. } | State::Refused => 0..0,
        }
    }

    /// The ids behind the key in rows of its run, if they are held.
    #[inline]
    pub fn ids(&self, rows: Range<usize>) -> Option<&[TermId]> {
        match &self.state {
            State::Made(table) => table.ids.get(rows.start.checked_sub(table.base)?..rows.end.checked_sub(table.base)?),
            State::Unused | State::Searching { .. } | State::Refused => None,
        }
    }
}

impl Table {
    /// Reads the runs behind a prefix; `None` if the table would be too large.
    fn of(index: Index<'_>, prefix: &[TermId], with_ids: bool, cx: &Context<'_>) -> Result<Option<Self>> {
        let rows = index.range(prefix);
        if rows.is_empty() {
            return Ok(None);
        }
        let depth = prefix.len();
        let [first, last] = [rows.start, rows.end - 1].map(|row| index.id(depth, row).get());
        let keys = last.saturating_sub(first) as usize + 1;
        if keys > rows.len().saturating_mul(ENTRIES_A_ROW) {
            return Ok(None);
        }
        let Some(mut held) = taken(((keys + 1) * size_of::<u32>()) as u64, cx) else { return Ok(None) };
        let mut starts = vec![NO_RUN; keys + 1];
        let mut blocks = index.blocks(depth, rows.clone());
        let (mut row, mut checked) = (rows.start, rows.start);
        // The key of the last block's last row.
        let mut last = 0;
        while row < rows.end {
            let ids = blocks.from(row);
            // A damaged file may have any order; that is reported at the end of the batch.
            let key = |id: &TermId| (id.get().wrapping_sub(first) as usize).min(keys - 1);
            let start = starts[last];
            // A run's first row is written last, so that nothing branches on where runs end.
            for (at, id) in ids.iter().enumerate().rev() {
                starts[key(id)] = (row + at) as u32;
            }
            if start != NO_RUN {
                starts[last] = start;
            }
            last = ids.last().map_or(last, key);
            row += ids.len().max(1);
            if row - checked >= ROWS_BETWEEN_CHECKS {
                checked = row;
                cx.budget().check()?;
            }
        }
        starts[keys] = rows.end as u32;
        for at in (0..keys).rev() {
            starts[at] = starts[at].min(starts[at + 1]);
        }
        let (mut ids, base) = (Vec::new(), rows.start);
        let more = if with_ids { taken((rows.len() * size_of::<TermId>()) as u64, cx) } else { None };
        if let Some(more) = more {
            held.join(more);
            ids.reserve_exact(rows.len());
            index.read(depth + 1, rows, &mut ids);
        }
        Ok(Some(Self { first, starts, ids, base, _held: held }))
    }

    #[inline]
    fn rows(&self, key: TermId) -> Range<usize> {
        let at = key.get().wrapping_sub(self.first) as usize;
        match self.starts.get(at..) {
            Some([start, end, ..]) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

/// Reserves bytes if they are at most half of what is left: other operators cannot do with less memory.
fn taken(bytes: u64, cx: &Context<'_>) -> Option<Reservation> {
    let fits = cx.budget().room().is_none_or(|room| bytes <= room / 2);
    if fits { cx.budget().reserve(bytes).ok() } else { None }
}

/// The constants before the one key of a prefix, and how many they are: at least one.
fn constants(prefix: &[LookupKey]) -> Option<([TermId; 4], usize)> {
    let (LookupKey::Column(_), fixed @ [_, ..]) = prefix.split_last()? else { return None };
    let mut constants = [TermId::UNBOUND; 4];
    for (constant, key) in constants.iter_mut().zip(fixed) {
        let LookupKey::Term(term) = key else { return None };
        *constant = *term;
    }
    Some((constants, fixed.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::source::{IndexOrder, Source};
    use crate::plan::Graph;
    use crate::tests::{agree, context, snapshot};
    use kgq_snapshot::{Permutation, Snapshot};
    use kgq_syntax::budget::{Budget, Limits};
    use kgq_syntax::rdf::NamedNode;

    /// Subjects with no, one or several statements of `:p`, and a few of `:q` among them.
    fn data() -> Snapshot {
        let of_subject = |s: usize| (0..s * 7 % 4).map(move |o| format!(":s{s:04} :p :o{o} . :s{s:04} :r :x . "));
        snapshot(&((0..900).flat_map(of_subject).collect::<String>() + ":s0001 :q :x . :s0890 :q :x ."))
    }

    fn id(snapshot: &Snapshot, name: &str) -> TermId {
        snapshot.id(NamedNode::new_unchecked(format!("http://e/{name}")).as_ref().into()).unwrap()
    }

    fn access<'s>(cx: &Context<'s>, prefix: Vec<LookupKey>) -> Access<'s> {
        let source = Source::open(cx, &Graph::Default, IndexOrder::Triples(Permutation::Pso)).unwrap();
        Access { source, prefix, checks: Vec::new() }
    }

    #[test]
    fn a_table_has_the_runs_that_an_index_finds() {
        let snapshot = data();
        let budget = Budget::new(Limits { memory: Some(1 << 20), ..Limits::default() });
        let cx = context(&snapshot, &budget);
        let predicate = id(&snapshot, "p");
        let access = access(&cx, vec![LookupKey::Term(predicate), LookupKey::Column(0)]);
        let (index, mut runs) = (access.source.index(), KeyRuns::with_ids());
        let rows = index.range(&[predicate]).len();
        assert!(!runs.are_known(&access, 1, &cx).unwrap(), "one key is searched");
        assert!(!runs.are_known(&access, rows / ROWS_A_SEARCH - 1, &cx).unwrap());
        assert!(runs.are_known(&access, 1, &cx).unwrap());
        for key in (0..snapshot.term_count() + 9).map(TermId::new).chain([TermId::UNBOUND]) {
            let (found, expected) = (runs.rows(key), index.range(&[predicate, key]));
            assert_eq!(found.len(), expected.len(), "{key:?}");
            assert!(expected.is_empty() || found == expected, "{key:?}");
            let mut ids = Vec::new();
            index.read(2, expected, &mut ids);
            assert_eq!(runs.ids(found).unwrap_or_default(), ids, "{key:?}");
        }
    }

    #[test]
    fn few_rows_far_apart_too_little_memory_and_other_prefixes_have_no_table() {
        let snapshot = data();
        let (predicate, few) = (id(&snapshot, "p"), id(&snapshot, "q"));
        let key = LookupKey::Column(0);
        for (prefix, memory) in [
            (vec![LookupKey::Term(few), key], None),
            (vec![LookupKey::Term(predicate), key], Some(5000)),
            (vec![key], None),
            (vec![key, LookupKey::Term(predicate)], None),
            (vec![LookupKey::Term(predicate), key, LookupKey::Column(1)], None),
        ] {
            let cx = context(&snapshot, &Budget::new(Limits { memory, ..Limits::default() }));
            let access = access(&cx, prefix);
            let mut runs = KeyRuns::default();
            assert!((0..10).all(|_| !runs.are_known(&access, 1000, &cx).unwrap()), "{:?}", access.prefix);
        }
    }

    #[test]
    fn joins_by_keys_in_no_order_give_what_the_other_executor_does() {
        let edges = |n: usize| (0..n % 4).map(move |m| format!(":n{n} :p :n{} . ", (n * 7919 + m * 613) % 3000));
        let names = |n: usize| format!(":n{n} :name \"{}\" . ", n % 50);
        let data: String = (0..3000).flat_map(edges).chain((0..3000).step_by(3).map(names)).collect();
        for query in [
            "SELECT ?a ?d { ?a :p ?b . ?b :p ?c . ?c :p ?d }",
            "SELECT ?a ?n { ?a :p ?b . ?b :p ?c OPTIONAL { ?c :name ?n } }",
            "SELECT ?a ?c { ?a :p ?b . ?b :p ?c FILTER NOT EXISTS { ?c :name ?n } }",
            "SELECT (COUNT(*) AS ?n) { ?a :p ?b . ?b :p ?c . ?c :name \"7\" }",
            "SELECT ?b ?c { ?a :p ?b . ?a :p ?c . ?b :p ?d . ?c :p ?d FILTER(?b < ?c) }",
        ] {
            agree(&data, query);
        }
    }
}
