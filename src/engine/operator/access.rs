//! How a triple pattern is looked up when some of its variables are already bound: the order, the prefix, what is left.

use super::Context;
use super::source::{Order, Source};
use crate::engine::batch::Batch;
use crate::engine::plan::{Slot, TripleAtom, Var};
use crate::error::Result;
use crate::snapshot::{Index, TermId};
use std::ops::Range;

/// A component that is known before the look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Term(TermId),
    /// The input's column.
    Column(usize),
}

impl Key {
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
    Key(Key),
    /// The component at this depth: a variable that the pattern has twice.
    Depth(usize),
}

/// A triple pattern's rows for one row of bindings: those with the prefix that pass the checks.
#[derive(Clone)]
pub struct Access<'s> {
    pub source: Source<'s>,
    pub prefix: Vec<Key>,
    pub checks: Vec<(usize, Check)>,
    /// The variables that the pattern binds, with their depth.
    pub free: Vec<(Var, usize)>,
    /// Whether the components after the prefix hold other variables than the first `free` one.
    pub width: usize,
}

/// What the planner wishes of the order of look-up.
pub struct Wish<'a> {
    /// The input's column of a variable that it always binds.
    pub column: &'a dyn Fn(Var) -> Option<usize>,
    /// Smaller for free variables that should come first.
    pub rank: &'a dyn Fn(Var) -> u8,
    /// Put constants before bound variables: for keys that come sorted.
    pub constants_first: bool,
}

impl<'s> Access<'s> {
    pub fn new(cx: &Context<'s>, atom: &TripleAtom, wish: &Wish<'_>) -> Result<Self> {
        let (slots, width) = atom.positions();
        let slots = &slots[..width];
        let key = |slot: Slot| match slot {
            Slot::Term(term) => Some(Key::Term(term)),
            Slot::Var(var) => (wish.column)(var).map(Key::Column),
        };
        let order = Order::best(width, |position| match (slots[position], key(slots[position])) {
            (_, Some(Key::Term(_))) => u8::from(!wish.constants_first),
            (_, Some(Key::Column(_))) => u8::from(wish.constants_first),
            (Slot::Var(var), None) if !slots[..position].contains(&slots[position]) => 2 + (wish.rank)(var).min(100),
            (Slot::Var(_) | Slot::Term(_), None) => 200,
        });
        let mut access = Self {
            source: Source::open(cx, &atom.graph, order)?,
            prefix: Vec::new(),
            checks: Vec::new(),
            free: Vec::new(),
            width,
        };
        for (depth, component) in order.components().into_iter().enumerate() {
            let slot = slots[component.position()];
            match (key(slot), slot) {
                (Some(key), _) if access.prefix.len() == depth => access.prefix.push(key),
                (Some(key), _) => access.checks.push((depth, Check::Key(key))),
                (None, Slot::Var(var)) => match access.free.iter().find(|(v, _)| *v == var) {
                    Some((_, first)) => access.checks.push((depth, Check::Depth(*first))),
                    None => access.free.push((var, depth)),
                },
                (None, Slot::Term(_)) => unreachable!("a term is a key"),
            }
        }
        Ok(access)
    }

    #[inline]
    pub fn range(&self, index: Index<'_>, batch: &Batch, row: usize) -> Range<usize> {
        let mut prefix = [TermId::UNBOUND; 4];
        for (value, key) in prefix.iter_mut().zip(&self.prefix) {
            *value = key.of(batch, row);
        }
        index.range(&prefix[..self.prefix.len()])
    }

    /// Whether the row of the index passes the checks.
    pub fn passes(&self, index: Index<'_>, at: usize, batch: &Batch, row: usize) -> bool {
        let id = |depth: usize| if depth == 0 { index.key_at(at) } else { index.column(depth, at..at + 1)[0] };
        self.checks.iter().all(|(depth, check)| {
            id(*depth)
                == match check {
                    Check::Key(key) => key.of(batch, row),
                    Check::Depth(first) => id(*first),
                }
        })
    }
}

/// Finds the rows with a key after a fixed prefix, for keys that mostly come in ascending order.
#[derive(Clone, Default)]
pub struct Cursor {
    /// The rows with the fixed prefix.
    base: Option<Range<usize>>,
    /// The last key and its rows.
    last: Option<(TermId, Range<usize>)>,
}

impl Cursor {
    #[inline]
    pub fn find(&mut self, index: Index<'_>, fixed: &[Key], key: TermId) -> Range<usize> {
        let base = self
            .base
            .get_or_insert_with(|| {
                let mut prefix = [TermId::UNBOUND; 4];
                for (value, key) in prefix.iter_mut().zip(fixed) {
                    if let Key::Term(term) = key {
                        *value = *term;
                    }
                }
                index.range(&prefix[..fixed.len()])
            })
            .clone();
        let depth = fixed.len();
        let from = match &self.last {
            Some((last, rows)) if *last == key => return rows.clone(),
            Some((last, rows)) if *last < key => rows.end,
            _ => base.start,
        };
        if key.is_unbound() || from >= base.end {
            return 0..0;
        }
        let start = index.seek(depth, from..base.end, key);
        let end = if start < base.end && (depth == 0 || index.column(depth, start..start + 1)[0] == key) {
            index.seek(depth, start..base.end, TermId::new(key.get() + 1))
        } else {
            start
        };
        self.last = Some((key, start..end));
        start..end
    }
}
