//! Turns rows of ids into answers: rows of terms, descriptions.

use super::batch::Batch;
use super::operator::source::{IndexOrder, Source};
use super::operator::{Context, Node};
use super::plan::Graph;
use super::template::node;
use kgq_snapshot::{Decoder, Permutation, TermId, TermKind};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term, Triple};
use rustc_hash::FxHashSet;

/// The terms of rows by column, taken from the front.
pub type TermColumns = Vec<std::vec::IntoIter<Option<Term>>>;

/// The rows of a plan as terms.
pub struct Rows<'s> {
    cx: Context<'s>,
    plan: Node<'s>,
    batch: Batch,
    /// The terms of the batch.
    columns: TermColumns,
    left: usize,
    failed: bool,
}

impl<'s> Rows<'s> {
    /// Each row of the plan must stand for one solution.
    pub fn new(cx: Context<'s>, plan: Node<'s>) -> Self {
        Self { cx, plan, batch: Batch::default(), columns: Vec::new(), left: 0, failed: false }
    }

    pub fn context(&self) -> &Context<'s> {
        &self.cx
    }

    /// Returns the id in a column of the last row returned.
    pub fn id(&self, column: usize) -> TermId {
        self.batch.column(column)[self.batch.rows() - self.left - 1]
    }

    /// Whether the budget should be checked now: a check costs more than a row.
    pub fn is_time_to_look(&self) -> bool {
        self.left.is_multiple_of(64)
    }

    /// Returns no more rows after this.
    pub fn end(&mut self) {
        self.failed = true;
    }

    /// Returns the next rows as ids; `None` after the last. The caller must check whether the data read are damaged.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let batch = self.plan.next(&self.cx)?;
        self.cx.budget().check()?;
        Ok(batch)
    }

    /// Returns the terms of the next rows, and how many rows there are; `None` after the last.
    pub fn next_terms(&mut self) -> Result<Option<(TermColumns, usize)>> {
        let Some(batch) = self.next_batch()? else { return Ok(None) };
        let mut decoder = self.cx.snapshot().decoder();
        let columns = batch.columns().iter().map(|column| decode(column, &mut decoder, &self.cx).into_iter()).collect();
        self.batch = batch;
        self.cx.snapshot().intact()?;
        Ok(Some((columns, self.batch.rows())))
    }

    fn fill(&mut self) -> Result<bool> {
        let Some((columns, rows)) = self.next_terms()? else { return Ok(false) };
        (self.columns, self.left) = (columns, rows);
        Ok(true)
    }
}

/// Decodes the terms of a column, each distinct one once, in the order of their ids.
fn decode(column: &[TermId], decoder: &mut Decoder<'_>, cx: &Context<'_>) -> Vec<Option<Term>> {
    let mut terms: Vec<Option<Term>> = Vec::new();
    terms.resize_with(column.len(), || None);
    let mut order: Vec<u64> =
        column.iter().enumerate().map(|(row, id)| u64::from(id.get()) << 32 | row as u64).collect();
    if !order.is_sorted() {
        order.sort_unstable();
    }
    let mut last: Option<(TermId, usize)> = None;
    for entry in order {
        let (id, row) = (TermId::new((entry >> 32) as u32), entry as u32 as usize);
        if id.is_unbound() {
            break;
        }
        terms[row] = match last {
            Some((before, at)) if before == id => terms[at].clone(),
            _ if cx.terms().is_stored(id) => Some(decoder.term(id).unwrap_or_else(|| cx.terms().term(id))),
            _ => Some(cx.terms().term(id)),
        };
        last = Some((id, row));
    }
    terms
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<Option<Term>>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.left == 0 {
            match self.fill() {
                Ok(true) => (),
                Ok(false) => {
                    self.failed = true;
                    return None;
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        self.left -= 1;
        Some(Ok(self.columns.iter_mut().map(|column| column.next().flatten()).collect()))
    }
}

/// The triples of a DESCRIBE: the default graph's statements about each resource, and about the blank nodes that they lead to.
pub struct Described<'s> {
    cx: Context<'s>,
    plan: Node<'s>,
    source: Source<'s>,
    seen: FxHashSet<TermId>,
    todo: Vec<TermId>,
    /// The resource being described, and its remaining rows.
    current: (TermId, std::ops::Range<usize>),
    graph: Option<TermId>,
    failed: bool,
    held: Reservation,
}

/// Approximate bytes of a resource that was met.
const MET_BYTES: u64 = 12;

impl<'s> Described<'s> {
    pub fn new(cx: Context<'s>, plan: Node<'s>, default: &Graph) -> Result<Self> {
        let (order, graph) = match default {
            Graph::Named(graph) => (IndexOrder::Quads(kgq_snapshot::QuadPermutation::Spog), Some(*graph)),
            Graph::Default | Graph::Merge(_) | Graph::Union | Graph::Each(_) => {
                (IndexOrder::Triples(Permutation::Spo), None)
            }
        };
        let source = Source::open(&cx, default, order)?;
        Ok(Self {
            cx,
            plan,
            source,
            seen: FxHashSet::default(),
            todo: Vec::new(),
            current: (TermId::UNBOUND, 0..0),
            graph,
            failed: false,
            held: Reservation::default(),
        })
    }

    fn add(&mut self, batch: &Batch) -> Result<()> {
        let before = self.seen.len();
        for row in 0..batch.rows() {
            for column in batch.columns() {
                if !column[row].is_unbound() && self.seen.insert(column[row]) {
                    self.todo.push(column[row]);
                }
            }
        }
        self.todo.reverse();
        self.held.grow(self.cx.budget(), (self.seen.len() - before) as u64 * MET_BYTES)
    }

    fn step(&mut self) -> Result<Option<Triple>> {
        loop {
            let (subject, rows) = &mut self.current;
            let Some(at) = rows.next() else {
                if let Some(id) = self.todo.pop() {
                    self.cx.budget().check()?;
                    self.current = (id, self.source.index().run(id));
                    self.cx.merged.whole()?;
                    continue;
                }
                let Some(batch) = self.plan.next(&self.cx)? else { return Ok(None) };
                self.add(&batch)?;
                continue;
            };
            let index = self.source.index();
            let (predicate, object) = (index.id(1, at), index.id(2, at));
            if self.graph.is_some_and(|graph| index.id(3, at) != graph) {
                continue;
            }
            let subject = *subject;
            if self.cx.terms().kind(object) == TermKind::BlankNode && self.seen.insert(object) {
                self.held.grow(self.cx.budget(), MET_BYTES)?;
                self.todo.push(object);
            }
            self.cx.snapshot().intact()?;
            let term = |id| self.cx.terms().term(id);
            let Term::NamedNode(predicate): Term = term(predicate) else { continue };
            let predicate: NamedNode = predicate;
            let Some(subject) = node(term(subject)) else { continue };
            return Ok(Some(Triple { subject, predicate, object: term(object) }));
        }
    }
}

impl Iterator for Described<'_> {
    type Item = Result<Triple>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step().transpose();
        self.failed = !matches!(step, Some(Ok(_)));
        step
    }
}
