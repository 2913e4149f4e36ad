//! Adjacency lists in memory, for one step or alternative steps: many searches over few predicates walk them without an
//! index look-up for every node. They also give the strongly connected components, whose nodes reach the same nodes.

use super::Context;
use super::edges::{Edges, ROWS_BETWEEN_CHECKS};
use crate::plan::Path;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;

/// A graph whose nodes are numbered in the order of their ids.
pub struct Adjacency {
    nodes: Vec<TermId>,
    /// Maps ids to node numbers.
    numbers: Numbers,
    /// The start of each node's neighbours in `ends`, and one more offset for the end.
    offsets: Vec<u32>,
    ends: Vec<u32>,
    /// The strongly connected component of each node.
    component: Vec<u32>,
    /// Whether walking at least one step from the node leads back to it.
    cyclic: Vec<bool>,
    _held: Reservation,
}

/// Finds the rank of an id in a set of ids in constant time: a bit for each term, and the number of set bits before each word.
pub(super) struct Numbers {
    bits: Vec<u64>,
    before: Vec<u32>,
}

/// The nodes that a walk has met: those marked with its number. Each walk takes a new number, so nothing needs to be
/// cleared in between.
#[derive(Default)]
pub struct Marks {
    met: Vec<u32>,
    walk: u32,
}

/// Appends the predicates that each lead one step, and whether backwards. Returns `None` for a path of several steps,
/// or with steps over any predicate.
pub fn single_steps(path: &Path, back: bool, out: &mut Vec<(TermId, bool)>) -> Option<()> {
    match path {
        Path::Predicate(predicate) => out.push((*predicate, back)),
        Path::Reverse(path) => single_steps(path, !back, out)?,
        Path::Alternative(paths) => paths.iter().try_for_each(|path| single_steps(path, back, out))?,
        Path::Sequence(_) | Path::Closure(..) | Path::Not(_) => return None,
    }
    Some(())
}

impl Adjacency {
    /// Builds the lists of all edges of these steps; `None` if there are too many edges for 32-bit numbers.
    pub fn new(steps: &[(TermId, bool)], edges: &Edges<'_>, cx: &Context<'_>) -> Result<Option<Self>> {
        let all = || steps.iter().map(|(predicate, back)| edges.pairs(*predicate, *back));
        let count: usize = all().map(|(from, _)| from.len()).sum();
        if u32::try_from(count).is_err() {
            return Ok(None);
        }
        let words = (cx.snapshot().term_count() as usize).div_ceil(64);
        let mut held = cx.budget().reserve((words * 12 + count * 12) as u64)?;
        let mut numbers = Numbers::new(words * 64);
        for (read, id) in all().flat_map(|(from, to)| from.chain(to)).enumerate() {
            if read.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                cx.budget().check()?;
            }
            numbers.set(id);
        }
        numbers.count();
        let nodes: Vec<TermId> = numbers.ids().collect();
        held.grow(cx.budget(), nodes.len() as u64 * 20)?;
        // The ids are read a second time. If a mapped file has changed meanwhile, it may contain other ids; these are left out.
        let mut pairs = Vec::with_capacity(count);
        for (read, (from, to)) in all().flat_map(|(from, to)| from.zip(to)).enumerate() {
            if read.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                cx.budget().check()?;
            }
            pairs.extend(numbers.find(from).zip(numbers.find(to)));
        }
        let (offsets, ends) = lists(nodes.len(), &pairs, cx)?;
        let (component, cyclic) = components(&offsets, &ends, cx)?;
        Ok(Some(Self { nodes, numbers, offsets, ends, component, cyclic, _held: held }))
    }

    /// Returns the number of a node; `None` for a term that no edge touches.
    pub fn number(&self, id: TermId) -> Option<u32> {
        self.numbers.find(id)
    }

    /// Returns the id of a node.
    pub fn id(&self, node: u32) -> TermId {
        self.nodes[node as usize]
    }

    /// Returns the number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the strongly connected component of a node. If it has several nodes, all of them reach the same nodes by
    /// one step or more.
    pub fn component(&self, node: u32) -> u32 {
        self.component[node as usize]
    }

    pub fn is_cyclic(&self, node: u32) -> bool {
        self.cyclic[node as usize]
    }

    /// Returns the nodes reached from any of these by one step or more, in the order in which they are found.
    ///
    /// With `target`, the search stops when that node is found.
    pub fn reach(
        &self,
        starts: &[u32],
        target: Option<u32>,
        marks: &mut Marks,
        cx: &Context<'_>,
    ) -> Result<Vec<TermId>> {
        let walk = marks.next(self.nodes.len());
        let (mut todo, mut steps) = (Vec::new(), 0usize);
        let mut visit = |node: u32, todo: &mut Vec<u32>| {
            let ends = self.neighbours(node);
            for end in ends {
                let met = &mut marks.met[*end as usize];
                if *met != walk {
                    *met = walk;
                    todo.push(*end);
                }
            }
            ends.len() + 1
        };
        let mut look = |more: usize| {
            steps += more;
            if steps < ROWS_BETWEEN_CHECKS {
                return Ok(());
            }
            steps = 0;
            cx.budget().check()
        };
        for start in starts {
            look(visit(*start, &mut todo))?;
        }
        let mut at = 0;
        while let Some(node) = todo.get(at).copied() {
            if target == Some(node) {
                todo.truncate(at + 1);
                break;
            }
            look(visit(node, &mut todo))?;
            at += 1;
        }
        Ok(todo.into_iter().map(|node| self.nodes[node as usize]).collect())
    }

    /// Returns the nodes that one step leads to.
    pub fn neighbours(&self, node: u32) -> &[u32] {
        &self.ends[self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize]
    }
}

/// Returns the start of each node's neighbours, and the neighbours.
fn lists(nodes: usize, pairs: &[(u32, u32)], cx: &Context<'_>) -> Result<(Vec<u32>, Vec<u32>)> {
    let mut offsets = vec![0u32; nodes + 1];
    for part in pairs.chunks(ROWS_BETWEEN_CHECKS) {
        cx.budget().check()?;
        part.iter().for_each(|(from, _)| offsets[*from as usize + 1] += 1);
    }
    for at in 1..offsets.len() {
        offsets[at] += offsets[at - 1];
    }
    let (mut next, mut ends) = (offsets.clone(), vec![0u32; pairs.len()]);
    for part in pairs.chunks(ROWS_BETWEEN_CHECKS) {
        cx.budget().check()?;
        for (from, to) in part {
            let place = &mut next[*from as usize];
            ends[*place as usize] = *to;
            *place += 1;
        }
    }
    Ok((offsets, ends))
}

impl Numbers {
    /// No ids of so many.
    pub fn new(terms: usize) -> Self {
        let words = terms.div_ceil(64);
        Self { bits: vec![0; words], before: Vec::with_capacity(words) }
    }

    /// The bytes that it takes for so many terms.
    pub fn bytes(terms: usize) -> u64 {
        (terms.div_ceil(64) * (size_of::<u64>() + size_of::<u32>())) as u64
    }

    pub fn set(&mut self, id: TermId) {
        // An id beyond the terms comes from a damaged file, which is reported at the end of the batch.
        if let Some(word) = self.bits.get_mut(id.index() / 64) {
            *word |= 1 << (id.index() % 64);
        }
    }

    /// Counts the ids that were set, which then have their ranks.
    pub fn count(&mut self) {
        let mut count = 0;
        for word in &self.bits {
            self.before.push(count);
            count += word.count_ones();
        }
    }

    /// The ids that were set, in order.
    fn ids(&self) -> impl Iterator<Item = TermId> {
        self.bits.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(TermId::new((at * 64) as u32 + bit))
            })
        })
    }

    pub fn find(&self, id: TermId) -> Option<u32> {
        let (word, bit) = (id.index() / 64, 1u64 << (id.index() % 64));
        let bits = *self.bits.get(word)?;
        (bits & bit != 0).then(|| self.before[word] + (bits & (bit - 1)).count_ones())
    }
}

impl Marks {
    fn next(&mut self, nodes: usize) -> u32 {
        self.met.resize(nodes, 0);
        self.walk = self.walk.checked_add(1).unwrap_or_else(|| {
            self.met.fill(0);
            1
        });
        self.walk
    }
}

/// Finds the strongly connected component of each node (Tarjan's algorithm), and whether the node is on a cycle.
fn components(offsets: &[u32], ends: &[u32], cx: &Context<'_>) -> Result<(Vec<u32>, Vec<bool>)> {
    const UNSEEN: u32 = u32::MAX;
    let count = offsets.len() - 1;
    let (mut order, mut low) = (vec![UNSEEN; count], vec![0u32; count]);
    let (mut component, mut cyclic) = (vec![UNSEEN; count], vec![false; count]);
    let (mut open, mut path) = (Vec::new(), Vec::<(u32, usize)>::new());
    let (mut seen, mut found) = (0u32, 0u32);
    for root in 0..count as u32 {
        if root.is_multiple_of(ROWS_BETWEEN_CHECKS as u32) {
            cx.budget().check()?;
        }
        if order[root as usize] != UNSEEN {
            continue;
        }
        path.push((root, offsets[root as usize] as usize));
        while let Some((node, edge)) = path.last_mut() {
            let (node, at) = (*node, *node as usize);
            if order[at] == UNSEEN {
                (order[at], low[at]) = (seen, seen);
                seen += 1;
                open.push(node);
            }
            if *edge < offsets[at + 1] as usize {
                let end = ends[*edge];
                *edge += 1;
                cyclic[at] |= end == node;
                if order[end as usize] == UNSEEN {
                    path.push((end, offsets[end as usize] as usize));
                } else if component[end as usize] == UNSEEN {
                    low[at] = low[at].min(order[end as usize]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
            if low[at] == order[at] {
                let first = open.iter().rposition(|other| *other == node).unwrap_or(0);
                let several = open.len() - first > 1;
                for member in open.drain(first..) {
                    component[member as usize] = found;
                    cyclic[member as usize] |= several;
                }
                found += 1;
            }
        }
    }
    Ok((component, cyclic))
}
