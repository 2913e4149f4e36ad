//! How a triple pattern is looked up when some of its variables are already bound: in which permutation, with which
//! prefix, and what remains to be checked.

use super::Context;
use super::source::{IndexOrder, Source};
use crate::batch::Batch;
use crate::plan::{Graph, Slot, TripleAtom, Var};
use kgq_snapshot::{Index, Lookups, TermId};
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
            (_, Some(LookupKey::Column(_))) => u8::from(wish.constants_first),
            (Slot::Var(var), None) if !slots[..position].contains(&slots[position]) => {
                IndexOrder::FREE + (wish.rank)(var).min(100)
            }
            (Slot::Var(_) | Slot::Term(_), None) => 200,
        });
        let graph = atom.graph.clone();
        let mut lookup = Self { graph, order, prefix: Vec::new(), checks: Vec::new(), free: Vec::new(), width };
        for (depth, component) in order.components().into_iter().enumerate() {
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
        let mut prefix = [TermId::UNBOUND; 4];
        for (value, key) in prefix.iter_mut().zip(fixed) {
            if let LookupKey::Term(term) = key {
                *value = *term;
            }
        }
        if self.base.is_none() && !index.has(&prefix[..fixed.len()]) {
            // What would have to be merged is merged for each key, until they are many.
            found.extend(keys.iter().map(|key| {
                prefix[fixed.len()] = *key;
                let rows = index.range(&prefix[..=fixed.len()]);
                (rows.start as u32, rows.end as u32)
            }));
            return;
        }
        let base = self.base.get_or_insert_with(|| index.range(&prefix[..fixed.len()])).clone();
        let (mut last, mut rows) = self.last.take().unwrap_or((TermId::new(0), base.start..base.start));
        let mut column = index.blocks(fixed.len(), base.clone());
        let mut first = true;
        for key in keys {
            if first || *key != last {
                let from = if *key < last { base.start } else { rows.end };
                // The search continues after the last key's rows; if the key is the same, it finds these rows again.
                let from = if *key == last { rows.start } else { from };
                let start = column.seek(from, *key);
                let mut end = start;
                if column.id(start) == Some(*key) {
                    // Most runs are short.
                    end += 1;
                    while end - start < 8 && column.id(end) == Some(*key) {
                        end += 1;
                    }
                    if end - start == 8 {
                        end = column.seek(end, TermId::new(key.get().saturating_add(1)));
                    }
                }
                (last, rows) = (*key, start..end);
                first = false;
            }
            found.push((rows.start as u32, rows.end as u32));
        }
        self.last = Some((last, rows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::{Permutation, Snapshot};
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
}
