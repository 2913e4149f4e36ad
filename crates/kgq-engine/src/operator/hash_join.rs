//! The hash join: the right side is collected and indexed, and each row of the left probes it. It serves joins, OPTIONAL, MINUS and EXISTS
//! whose sides cannot be joined by an index; an unbound variable is compatible with everything. Where the right side is too large for
//! memory, the sides are joined part by part (`spilled`).

mod spilled;

use super::feed::Nothing;
use super::filter::{Condition, Test};
use super::parallel::Part;
use super::spill::{is_of_memory, is_scarce};
use super::table::{HashIndex, Table, hash};
use super::{Context, Node, Opening, Operator, Pace};
use crate::batch::{Batch, gather};
use crate::expression::value::{Moment, Value};
use crate::order::hash_of_unranked;
use crate::plan::Var;
use crate::plan::physical::{Labels, Operation, PhysicalPlan};
use kgq_snapshot::{Family, TermId};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use spilled::Spilled;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Inner,
    Left,
    Semi,
    Anti,
    /// As `Anti`, but a match must share a bound variable (SPARQL 1.1 §18.5, Minus).
    Minus,
}

/// How keys are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Term,
    /// Terms with equal values have equal keys, and some others too: a condition decides.
    Value,
}

/// A variable that both sides bind: its columns.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub left: usize,
    pub right: usize,
}

/// Which row of the right decides for all with its key, when the only test is whether a column of it is less, or greater, than one of the
/// left: if any row passes, that one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    Least(usize),
    Greatest(usize),
}

/// Which columns a join compares and hands on.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns that are never unbound on either side.
    pub keys: Vec<(Pair, By)>,
    /// Nullable columns: those that both sides have, and one of them may leave unbound.
    pub loose: Vec<Pair>,
    /// Columns of the right that the left does not have; they follow the left's.
    pub added: Vec<usize>,
    /// What a pair of rows must also satisfy, over the left's columns and the added ones.
    pub conditions: Vec<Condition>,
    /// The variables that the conditions see, by column.
    pub vars: Vec<Var>,
    /// For semi- and anti-joins.
    pub extreme: Option<Extreme>,
    /// Of those columns the ones that are handed on.
    pub kept: Vec<usize>,
}

impl Layout {
    /// The name of the join, and what the sides are joined on.
    pub fn describe(&self, join: &str, left: &PhysicalPlan, labels: &Labels<'_>) -> String {
        let vars: Vec<_> = self.keys.iter().map(|(pair, _)| left.vars[pair.left]).collect();
        let mut text = format!("{join} on {}", labels.names(&vars));
        if self.keys.iter().any(|(_, by)| *by == By::Value) {
            text.push_str(" by value");
        }
        if !self.conditions.is_empty() {
            let conditions: Vec<_> = self.conditions.iter().map(Condition::describe).collect();
            text.push_str(&format!(", where {}", conditions.join(" && ")));
        }
        text
    }

    /// The loose columns that are in the strict index.
    fn strict(&self) -> &[Pair] {
        &self.loose[..self.loose.len().min(MOST_STRICT)]
    }
}

/// A right side of fewer rows is divided only if these rows themselves do not fit into memory.
const FEW: usize = 1024;
/// How many loose columns the strict index has at most: each doubles the look-ups of a row, which seeks it bound and unbound.
const MOST_STRICT: usize = 3;
/// Fewer rows than this are tested one by one.
const WORTH_A_STRICT_INDEX: usize = 16;

#[derive(Debug)]
pub struct Plan {
    pub left: PhysicalPlan,
    pub right: PhysicalPlan,
    pub kind: Kind,
    pub layout: Arc<Layout>,
    /// The columns of the result by which it is sorted, as the left side is.
    pub sorted: Vec<usize>,
}

/// The cost of a row that probes, or that is put into the table; a look-up in an index costs 1.
pub const HASHED_ROW: f64 = 0.2;

impl Operation for Plan {
    fn inputs(&self) -> Vec<&PhysicalPlan> {
        vec![&self.left, &self.right]
    }

    fn describe(&self, labels: &Labels<'_>) -> String {
        let kind = match self.kind {
            Kind::Inner => "hash join",
            Kind::Left => "optional hash join",
            Kind::Semi => "hash semi-join",
            Kind::Anti => "hash anti-join",
            Kind::Minus => "minus",
        };
        self.layout.describe(kind, &self.left, labels)
    }

    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>> {
        let tests = Condition::tests(&self.layout.conditions, &self.layout.vars, opening.cx)?;
        let (left, right) = (opening.node(&self.left)?, opening.node(&self.right)?);
        let join = HashJoin::new(left, right, self.kind, Arc::clone(&self.layout), tests);
        Ok(Box::new(HashJoin { sorted: self.sorted.clone(), ..join }))
    }

    fn divides(&self) -> bool {
        self.left.operation.divides()
    }

    fn cost_a_row(&self) -> f64 {
        HASHED_ROW
    }
}

struct HashJoin<'s> {
    left: Node<'s>,
    right: Node<'s>,
    kind: Kind,
    layout: Arc<Layout>,
    tests: Arc<[Test]>,
    sorted: Vec<usize>,
    built: Option<Arc<Built>>,
    /// In the place of `built`, where the right is too large for memory.
    spilled: Option<Box<Spilled<'s>>>,
    /// How often the sides have been divided.
    level: u32,
    pace: Pace,
    batch: Batch,
    matched: Vec<bool>,
    row: usize,
    /// The next candidate for the current row; `None` before it is looked up.
    candidate: Option<Option<usize>>,
    /// Which of the loose columns are sought unbound, as bits.
    unbound: usize,
    done: bool,
}

struct Built {
    table: Table,
    keys: Vec<Vec<TermId>>,
    index: HashIndex,
    /// By the keys and the first loose columns, with unbound as a value of its own: so a left row that binds these has few candidates.
    strict: Option<HashIndex>,
    /// For the keys.
    _held: Reservation,
}

impl<'s> HashJoin<'s> {
    fn new(left: Node<'s>, right: Node<'s>, kind: Kind, layout: Arc<Layout>, tests: Arc<[Test]>) -> Self {
        Self {
            left,
            right,
            kind,
            layout,
            tests,
            sorted: Vec::new(),
            built: None,
            spilled: None,
            level: 0,
            pace: Pace::default(),
            batch: Batch::default(),
            matched: Vec::new(),
            row: 0,
            candidate: None,
            unbound: 0,
            done: true,
        }
    }

    /// Collects the right side, unless that is done.
    fn prepare_right(&mut self, cx: &Context<'s>) -> Result<()> {
        if self.built.is_some() || self.spilled.is_some() {
            return Ok(());
        }
        let mut table = Table::new(self.right.width);
        while let Some(batch) = self.right.next(cx)? {
            if self.divides_keys() && table.rows >= FEW && is_scarce(cx) {
                return self.spill_right(table, Some(batch), cx);
            }
            match table.append(&batch, cx) {
                Err(error) if is_of_memory(&error) && self.divides_keys() => {
                    return self.spill_right(table, Some(batch), cx);
                }
                appended => appended?,
            }
        }
        match self.build(&mut table, cx) {
            Err(error) if is_of_memory(&error) && self.divides_keys() && table.rows >= FEW => {
                self.spill_right(table, None, cx)
            }
            built => {
                self.built = Some(Arc::new(built?));
                Ok(())
            }
        }
    }

    /// Indexes the table and takes it. If there is no memory for the index, the table stays, to be divided.
    fn build(&self, table: &mut Table, cx: &Context<'s>) -> Result<Built> {
        if let Some(extreme) = self.layout.extreme
            && let Some(rows) = self.deciding(table, extreme, cx)?
        {
            let kept = table.select(&rows);
            *table = Table::new(self.right.width);
            table.append(&kept, cx)?;
        }
        let (mut keys, mut held) = (Vec::new(), Reservation::default());
        for (pair, by) in &self.layout.keys {
            let column = &table.columns[pair.right];
            match by {
                // The table's own column is compared: a copy would cost memory.
                By::Term => keys.push(Vec::new()),
                By::Value => {
                    held.grow(cx.budget(), (column.len() * 4) as u64)?;
                    keys.push(value_keys(column, cx)?);
                }
            }
        }
        let columns: Vec<&[TermId]> = self
            .layout
            .keys
            .iter()
            .zip(&keys)
            .map(|((pair, by), key)| match by {
                By::Term => table.columns[pair.right].as_slice(),
                By::Value => key.as_slice(),
            })
            .collect();
        let index = HashIndex::build(&columns, table.rows, cx)?;
        let strict = if self.layout.loose.is_empty() || table.rows < WORTH_A_STRICT_INDEX {
            None
        } else {
            let loose = self.layout.strict().iter().map(|pair| table.columns[pair.right].as_slice());
            let columns: Vec<&[TermId]> = columns.iter().copied().chain(loose).collect();
            Some(HashIndex::build(&columns, table.rows, cx)?)
        };
        Ok(Built { table: std::mem::take(table), keys, index, strict, _held: held })
    }

    /// For each key the row with the extreme value; `None` where the values are not in one order.
    fn deciding(&self, table: &Table, extreme: Extreme, cx: &Context<'s>) -> Result<Option<Vec<u32>>> {
        let (column, least) = match extreme {
            Extreme::Least(column) => (column, true),
            Extreme::Greatest(column) => (column, false),
        };
        if self.layout.keys.iter().any(|(_, by)| *by == By::Value) {
            return Ok(None);
        }
        let _held = cx.budget().reserve((table.rows * 4) as u64)?;
        let Some(ranks) = ordered_ranks(&table.columns[column], cx)? else { return Ok(None) };
        let keys: Vec<&[TermId]> =
            self.layout.keys.iter().map(|(pair, _)| table.columns[pair.right].as_slice()).collect();
        let hash_of = |row: u32| hash(keys.iter().map(|key| key[row as usize]));
        let mut index = HashIndex::empty();
        let mut best: Vec<u32> = Vec::new();
        for row in 0..table.rows as u32 {
            if row.is_multiple_of(65_536) {
                cx.budget().check()?;
            }
            let own = hash_of(row);
            let same = |other: u32| keys.iter().all(|key| key[row as usize] == key[other as usize]);
            let rank = |row: u32| ranks[row as usize];
            match index.find(own, |entry| same(best[entry])) {
                Some(entry) if (rank(row) < rank(best[entry])) == least => best[entry] = row,
                Some(_) => (),
                None => {
                    index.push(own, cx, |entry| hash_of(best[entry]))?;
                    best.push(row);
                }
            }
        }
        Ok(Some(best))
    }

    /// Looks for pairs until there are `capacity` or the batch is done.
    fn pairs(&mut self, built: &Built, capacity: usize, cx: &Context<'s>) -> Result<(Vec<u32>, Vec<u32>)> {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        let once = matches!(self.kind, Kind::Semi | Kind::Anti | Kind::Minus);
        let first_only = once && self.tests.is_empty();
        let mut steps = 0u32;
        let mut key = Vec::with_capacity(self.layout.keys.len());
        while self.row < self.batch.rows() && lefts.len() < capacity {
            let row = self.row;
            if once && self.matched[row] {
                self.candidate = None;
                self.unbound = 0;
                self.row += 1;
                continue;
            }
            key.clear();
            for (pair, by) in &self.layout.keys {
                let id = self.batch.get(pair.left, row);
                key.push(match by {
                    By::Term => id,
                    By::Value => value_key(id, cx),
                });
            }
            let exact = key.len();
            let strict = built.strict.as_ref().filter(|_| self.binds_strict(row));
            let ways = if strict.is_some() { 1 << self.layout.strict().len() } else { 1 };
            let index = strict.unwrap_or(&built.index);
            let mut left_over = None;
            while self.unbound < ways {
                key.truncate(exact);
                if strict.is_some() {
                    key.extend(self.strict_key(row));
                }
                let mut candidate = match self.candidate.take() {
                    Some(candidate) => candidate,
                    None => index.first(hash(key.iter().copied())),
                };
                while let Some(at) = candidate {
                    if lefts.len() == capacity {
                        break;
                    }
                    steps += 1;
                    if steps.is_multiple_of(65_536) {
                        cx.budget().check()?;
                    }
                    candidate = index.after(at);
                    if built.agrees(&self.layout, &key, at) && self.compatible(built, row, at) {
                        lefts.push(row as u32);
                        rights.push(at as u32);
                        if first_only {
                            candidate = None;
                            self.unbound = ways;
                        }
                    }
                }
                if candidate.is_some() {
                    left_over = Some(candidate);
                    break;
                }
                self.unbound += 1;
            }
            if left_over.is_some() {
                self.candidate = left_over;
                break;
            }
            self.unbound = 0;
            self.candidate = None;
            self.row += 1;
        }
        Ok((lefts, rights))
    }

    /// Whether the row binds all columns of the strict index.
    fn binds_strict(&self, row: usize) -> bool {
        self.layout.strict().iter().all(|pair| self.batch.get(pair.left, row).is_bound())
    }

    /// What is sought of those columns: the row's terms, some of them unbound.
    fn strict_key(&self, row: usize) -> impl Iterator<Item = TermId> {
        self.layout.strict().iter().enumerate().map(move |(at, pair)| {
            if self.unbound >> at & 1 == 1 { TermId::UNBOUND } else { self.batch.get(pair.left, row) }
        })
    }

    #[inline]
    fn compatible(&self, built: &Built, row: usize, at: usize) -> bool {
        let mut shared = !self.layout.keys.is_empty();
        for pair in &self.layout.loose {
            let (left, right) = (self.batch.get(pair.left, row), built.table.columns[pair.right][at]);
            if left.is_unbound() || right.is_unbound() {
                continue;
            }
            if left != right {
                return false;
            }
            shared = true;
        }
        shared || self.kind != Kind::Minus
    }

    /// The pairs as rows: the left's columns, completed by the right's, and the added ones.
    fn joined(&self, built: &Built, lefts: &[u32], rights: &[u32]) -> Batch {
        let mut columns: Vec<Vec<TermId>> = self.batch.columns().iter().map(|c| gather(c, lefts)).collect();
        for pair in &self.layout.loose {
            let right = &built.table.columns[pair.right];
            for (id, at) in columns[pair.left].iter_mut().zip(rights) {
                if id.is_unbound() {
                    *id = right[*at as usize];
                }
            }
        }
        columns.extend(self.layout.added.iter().map(|column| gather(&built.table.columns[*column], rights)));
        let weights = (self.batch.weights().is_some() || built.table.weights.is_some()).then(|| {
            let product = |(left, right): (&u32, &u32)| {
                self.batch.weight(*left as usize).saturating_mul(built.table.weight(*right as usize))
            };
            lefts.iter().zip(rights).map(product).collect()
        });
        Batch::new(columns, lefts.len()).with_weights(weights)
    }

    /// The rows of the batch that the kind of join adds when all pairs of the batch are known.
    fn rest(&self) -> Batch {
        let wanted = |matched: bool| match self.kind {
            Kind::Inner => false,
            Kind::Semi => matched,
            Kind::Left | Kind::Anti | Kind::Minus => !matched,
        };
        let positions: Vec<u32> =
            (0..self.batch.rows() as u32).filter(|row| wanted(self.matched[*row as usize])).collect();
        let mut rest = self.batch.select(&positions);
        for _ in &self.layout.added {
            rest.push(vec![TermId::UNBOUND; positions.len()]);
        }
        rest.project(&self.layout.kept)
    }
}

impl Built {
    #[inline]
    fn agrees(&self, layout: &Layout, key: &[TermId], at: usize) -> bool {
        let exact = layout.keys.iter().zip(&self.keys).zip(key).all(|(((pair, by), own), id)| {
            *id == match by {
                By::Term => self.table.columns[pair.right][at],
                By::Value => own[at],
            }
        });
        // The values for the strict index follow the keys.
        let strict = &key[layout.keys.len()..];
        exact && layout.loose.iter().zip(strict).all(|(pair, id)| self.table.columns[pair.right][at] == *id)
    }
}

/// The ranks of the terms, if these are of one family whose order is that of `<`: what is less than a term is then less than all above it.
fn ordered_ranks(column: &[TermId], cx: &Context<'_>) -> Result<Option<Vec<u32>>> {
    let mut family = None;
    let mut ranks = Vec::with_capacity(column.len());
    for id in column {
        if ranks.len() % 65_536 == 0 {
            cx.budget().check()?;
        }
        if id.is_unbound() || !cx.terms().is_stored(*id) {
            return Ok(None);
        }
        let (own, rank) = cx.snapshot().value_rank(*id);
        if *family.get_or_insert(own) != own {
            return Ok(None);
        }
        ranks.push(rank);
    }
    let Some(family) = family else { return Ok(None) };
    // IRIs, blank nodes, triple terms, language-tagged strings and unknown datatypes have no `<`.
    let ordered = match family {
        Family::Number
        | Family::Float
        | Family::Double
        | Family::Boolean
        | Family::String
        | Family::ZonedDateTime
        | Family::LocalDateTime
        | Family::ZonedDate
        | Family::LocalDate => true,
        Family::BlankNode | Family::Iri | Family::Language(_) | Family::Other | Family::Triple => false,
    };
    Ok(ordered.then_some(ranks))
}

/// The keys of a column, by value.
fn value_keys(column: &[TermId], cx: &Context<'_>) -> Result<Vec<TermId>> {
    let mut keys = Vec::with_capacity(column.len());
    for part in column.chunks(4096) {
        cx.budget().check()?;
        keys.extend(part.iter().map(|id| value_key(*id, cx)));
    }
    Ok(keys)
}

/// A key that terms with equal values share.
pub(super) fn value_key(id: TermId, cx: &Context<'_>) -> TermId {
    if id.is_unbound() {
        return id;
    }
    if let Some(number) = cx.terms().number(id) {
        // Numbers of all types compare as floats when one of them is a float, which is the coarsest of the comparisons.
        let float = f32::from(crate::expression::compare::float(&number));
        return TermId::new(if float == 0.0 { 0 } else { float.to_bits() });
    }
    if !cx.terms().is_stored(id) {
        // A computed string may equal a stored one only if it is the same term, which then has the stored id.
        return match cx.terms().value(id) {
            Value::Moment(Moment::DateTime(_) | Moment::Date(_)) | Value::Boolean(_) => match cx.terms().term(id) {
                // The rank at which its value would stand: an equal value stands there, and another one may.
                Term::Literal(literal) => {
                    cx.snapshot().equal_range(literal.as_ref()).map_or(id, |(_, range)| TermId::new(range.start))
                }
                _ => id,
            },
            value => unranked_key(id, value),
        };
    }
    match cx.snapshot().value_rank(id) {
        (Family::Other, _) => unranked_key(id, cx.terms().value(id)),
        (Family::Triple, _) => id,
        (_, rank) => TermId::new(rank),
    }
}

/// The key of a value without a rank.
fn unranked_key(id: TermId, value: Value) -> TermId {
    // Without its highest bit a hash is never the unbound id.
    hash_of_unranked(value).map_or(id, |hash| TermId::new(hash >> 1))
}

impl<'s> Operator<'s> for HashJoin<'s> {
    fn next(&mut self, cx: &Context<'s>) -> Result<Option<Batch>> {
        self.prepare_right(cx)?;
        match self.built.clone() {
            Some(built) => self.next_with(&built, cx),
            None => self.next_of_parts(cx),
        }
    }

    fn part(&self, part: Part) -> Option<Box<dyn Operator<'s> + 's>> {
        if self.spilled.is_some() {
            return None;
        }
        let left = self.left.part(part)?;
        let right = Node::unplanned(Nothing, self.right.width);
        let (layout, tests) = (Arc::clone(&self.layout), Arc::clone(&self.tests));
        Some(Box::new(Self { built: self.built.clone(), ..Self::new(left, right, self.kind, layout, tests) }))
    }

    fn prepare(&mut self, cx: &Context<'s>) -> Result<()> {
        self.left.prepare(cx)?;
        self.prepare_right(cx)
    }
}

impl<'s> HashJoin<'s> {
    fn next_with(&mut self, built: &Built, cx: &Context<'s>) -> Result<Option<Batch>> {
        if self.done {
            if built.table.rows == 0 && matches!(self.kind, Kind::Inner | Kind::Semi) {
                return Ok(None);
            }
            let Some(batch) = self.left.next(cx)? else { return Ok(None) };
            self.matched = vec![false; batch.rows()];
            self.batch = batch;
            self.row = 0;
            self.candidate = None;
            self.unbound = 0;
            self.done = false;
        }
        let capacity = self.pace.step();
        let (mut lefts, mut rights) = self.pairs(built, capacity, cx)?;
        if lefts.is_empty() && self.row >= self.batch.rows() {
            self.done = true;
            return Ok(Some(self.rest()));
        }
        let mut joined = None;
        if !self.tests.is_empty() || matches!(self.kind, Kind::Inner | Kind::Left) {
            let mut batch = self.joined(built, &lefts, &rights);
            for test in &*self.tests {
                let passed = test.pass(&batch, cx)?;
                if passed.len() < batch.rows() {
                    batch = batch.select(&passed);
                    lefts = passed.iter().map(|at| lefts[*at as usize]).collect();
                    rights = passed.iter().map(|at| rights[*at as usize]).collect();
                }
            }
            joined = Some(batch);
        }
        for row in &lefts {
            self.matched[*row as usize] = true;
        }
        Ok(Some(match (self.kind, joined) {
            (Kind::Inner | Kind::Left, Some(batch)) => batch.project(&self.layout.kept),
            _ => Batch::default(),
        }))
    }
}
