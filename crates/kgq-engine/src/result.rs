//! From rows of ids to what a query answers: rows of terms, constructed triples, descriptions.

use super::batch::Batch;
use super::operator::source::{Order, Source};
use super::operator::{Context, Node};
use super::plan::translate::Translator;
use super::plan::{Graph, Var};
use super::template::{Part, Slots, has_blank, instance, node};
use kgq_snapshot::{Decoder, Permutation, TermId, TermKind};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term, Triple, size};
use rustc_hash::FxHashSet;
use spargebra::term::TriplePattern;
use std::collections::VecDeque;

/// The rows of a plan as terms.
pub struct Rows<'s> {
    cx: Context<'s>,
    plan: Node<'s>,
    /// The current batch by column, to be emptied from the front.
    columns: Vec<std::vec::IntoIter<Option<Term>>>,
    left: usize,
    failed: bool,
}

impl<'s> Rows<'s> {
    /// The plan's rows must stand for one solution each.
    pub fn new(cx: Context<'s>, plan: Node<'s>) -> Self {
        Self { cx, plan, columns: Vec::new(), left: 0, failed: false }
    }

    fn fill(&mut self) -> Result<bool> {
        let Some(batch) = self.plan.next(&self.cx)? else { return Ok(false) };
        self.cx.budget().check()?;
        let mut decoder = self.cx.snapshot().decoder();
        self.columns =
            batch.columns().iter().map(|column| decode(column, &mut decoder, &self.cx).into_iter()).collect();
        self.left = batch.rows();
        self.cx.snapshot().intact()?;
        Ok(true)
    }
}

/// The terms of a column. In the order of their ids, each different one is decoded once.
fn decode(column: &[TermId], decoder: &mut Decoder<'_>, cx: &Context<'_>) -> Vec<Option<Term>> {
    let mut terms: Vec<Option<Term>> = vec![None; column.len()];
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

/// The template of a CONSTRUCT, over the columns of its plan.
#[derive(Clone)]
pub struct Template {
    triples: Vec<[Part; 3]>,
    vars: Vec<Var>,
    blank_nodes: usize,
}

impl Template {
    pub fn new(template: &[TriplePattern], translator: &mut Translator<'_>) -> Self {
        let mut slots = Slots::default();
        let triples = template.iter().map(|triple| slots.triple(triple)).collect();
        let vars = slots.variables().iter().map(|variable| translator.var(variable)).collect();
        Self { triples, vars, blank_nodes: slots.blank_nodes() }
    }

    /// The variables that it reads: the columns of its plan.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }
}

/// The triples of a CONSTRUCT, each once.
pub struct Constructed<'s> {
    rows: Rows<'s>,
    template: Template,
    seen: FxHashSet<Triple>,
    held: Reservation,
    ready: VecDeque<Triple>,
}

/// What a triple that was seen takes beside itself.
const SEEN_BYTES: u64 = 16;

impl<'s> Constructed<'s> {
    pub fn new(rows: Rows<'s>, template: Template) -> Self {
        Self { rows, template, seen: FxHashSet::default(), held: Reservation::default(), ready: VecDeque::new() }
    }

    fn add(&mut self, row: &[Option<Term>]) -> Result<()> {
        // The rows of a batch are many, and a template may make many triples of each.
        if self.rows.left.is_multiple_of(64) {
            self.rows.cx.budget().check()?;
        }
        let mut blanks = vec![None; self.template.blank_nodes];
        for parts in &self.template.triples {
            let Some(triple) = instance(parts, row, &mut blanks) else { continue };
            // A triple with a new blank node is new.
            if has_blank(parts) {
                self.ready.push_back(triple);
            } else if !self.seen.contains(&triple) {
                self.held.grow(self.rows.cx.budget(), size::of_triple(&triple) + SEEN_BYTES)?;
                self.seen.insert(triple.clone());
                self.ready.push_back(triple);
            }
        }
        Ok(())
    }
}

impl Iterator for Constructed<'_> {
    type Item = Result<Triple>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(triple) = self.ready.pop_front() {
                return Some(Ok(triple));
            }
            match self.rows.next()? {
                Ok(row) => {
                    if let Err(error) = self.add(&row) {
                        self.rows.failed = true;
                        return Some(Err(error));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The triples of a DESCRIBE: what the default graph says of each resource, and of the blank nodes that it leads to.
pub struct Described<'s> {
    cx: Context<'s>,
    plan: Node<'s>,
    source: Source<'s>,
    seen: FxHashSet<TermId>,
    todo: Vec<TermId>,
    /// The resource being described, and its rows that are left.
    current: (TermId, std::ops::Range<usize>),
    graph: Option<TermId>,
    failed: bool,
    held: Reservation,
}

/// What a resource that was met takes, about.
const MET_BYTES: u64 = 12;

impl<'s> Described<'s> {
    pub fn new(cx: Context<'s>, plan: Node<'s>, default: &Graph) -> Result<Self> {
        let (order, graph) = match default {
            Graph::Named(graph) => (Order::Quads(kgq_snapshot::QuadPermutation::Spog), Some(*graph)),
            Graph::Default | Graph::Merge(_) | Graph::Union | Graph::Each(_) => {
                (Order::Triples(Permutation::Spo), None)
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
                    continue;
                }
                let Some(batch) = self.plan.next(&self.cx)? else { return Ok(None) };
                self.add(&batch)?;
                continue;
            };
            let index = self.source.index();
            let (predicate, object) = (index.column(1, at..at + 1)[0], index.column(2, at..at + 1)[0]);
            if self.graph.is_some_and(|graph| index.column(3, at..at + 1)[0] != graph) {
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
