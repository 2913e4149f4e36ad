//! What has to be known of blank nodes before the first is written: how often each is used, and which statements hang together with
//! triple terms.

use crate::export::sorted::{Sorted, Which};
use kgq_snapshot::{Ids, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::BlankNode;
use rustc_hash::FxHashSet;

/// Bits of a node's state: some statement has it as its object; more than one has, or a triple term names it; more than one graph names
/// it; its block was written; no list in parentheses starts at it.
const USED: u8 = 1;
const USED_AGAIN: u8 = 2;
const SHARED: u8 = 4;
const DONE: u8 = 8;
const STARTS_NO_LIST: u8 = 16;

/// The blank nodes of the statements that are written.
pub(super) struct Nodes {
    /// By id; blank nodes have the first ids.
    states: Vec<u8>,
    /// What is written at reifiers, at what these are about, and at the blank nodes that hang together with either.
    tangled: FxHashSet<TermId>,
    _held: Reservation,
}

impl Nodes {
    pub(super) fn of(sorted: &Sorted<'_>, which: Which, budget: &Budget) -> Result<Self> {
        let snapshot = sorted.snapshot();
        let count = snapshot.kind_range(TermKind::BlankNode).len();
        let held = budget.reserve(count as u64)?;
        let mut nodes = Self { states: vec![0; count], tangled: FxHashSet::default(), _held: held };
        let steps = Steps::new(budget);
        nodes.count_uses(snapshot, which, &steps)?;
        nodes.find_tangled(snapshot, which, &steps)?;
        Ok(nodes)
    }

    fn count_uses(&mut self, snapshot: &Snapshot, which: Which, steps: &Steps) -> Result<()> {
        let several = which == Which::All && snapshot.quad_count() > 0;
        for id in snapshot.kind_range(TermKind::BlankNode).map(TermId::new) {
            let (mut first, mut state, mut graph) = (None, 0, None);
            let mut note = |ids: Ids| {
                if several && *graph.get_or_insert(ids[3]) != ids[3] {
                    state |= SHARED;
                }
                state
            };
            for ids in with_object(snapshot, id).filter(|ids| is_of(which, *ids)) {
                steps.take()?;
                let state = note(ids);
                // The same triple may stand in several graphs.
                match *first.get_or_insert([ids[0], ids[1]]) == [ids[0], ids[1]] {
                    true => self.states[id.index()] |= USED,
                    false => self.states[id.index()] |= USED_AGAIN,
                }
                if state & SHARED != 0 {
                    break;
                }
            }
            if several {
                for ids in about(snapshot, id) {
                    steps.take()?;
                    if note(ids) & SHARED != 0 {
                        break;
                    }
                }
                if !snapshot.quads(QuadPermutation::Gspo).run(id).is_empty() {
                    state |= SHARED;
                }
            }
            self.states[id.index()] |= state;
        }
        let counted = if several { self.states.len() } else { 0 };
        let _held = steps.budget().reserve((counted * size_of::<Option<TermId>>()) as u64)?;
        let mut graphs = vec![None; counted];
        for triple in snapshot.kind_range(TermKind::Triple).map(TermId::new) {
            let blank = blank_parts(snapshot, triple);
            if blank.is_empty() {
                continue;
            }
            for ids in with_object(snapshot, triple).filter(|ids| is_of(which, *ids)) {
                for node in &blank {
                    steps.take()?;
                    self.states[node.index()] |= USED | USED_AGAIN;
                    if let Some(graph) = graphs.get_mut(node.index()) {
                        let first = about(snapshot, *node).chain(with_object(snapshot, *node)).next();
                        let graph = *graph.get_or_insert(first.map_or(ids[3], |ids| ids[3]));
                        if graph != ids[3] {
                            self.states[node.index()] |= SHARED;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn find_tangled(&mut self, snapshot: &Snapshot, which: Which, steps: &Steps) -> Result<()> {
        let (mut found, mut held): (Vec<TermId>, _) = (Vec::new(), Reservation::default());
        for triple in snapshot.kind_range(TermKind::Triple).map(TermId::new) {
            steps.take()?;
            found.extend(with_object(snapshot, triple).filter(|ids| is_of(which, *ids)).map(|[subject, ..]| subject));
            found.extend(snapshot.triple_components(triple).map(|[subject, ..]| subject));
            found.extend(blank_parts(snapshot, triple));
            held.resize(steps.budget(), size_of_val(found.as_slice()) as u64)?;
        }
        while let Some(id) = found.pop() {
            if !self.tangled.insert(id) {
                continue;
            }
            self._held.grow(steps.budget(), 2 * size_of::<TermId>() as u64)?;
            for [_, _, object, _] in about(snapshot, id) {
                steps.take()?;
                if snapshot.kind(object) == TermKind::BlankNode {
                    found.push(object);
                }
            }
            if snapshot.kind(id) == TermKind::BlankNode {
                for [subject, ..] in with_object(snapshot, id) {
                    steps.take()?;
                    found.push(subject);
                }
            }
            held.resize(steps.budget(), size_of_val(found.as_slice()) as u64)?;
        }
        Ok(())
    }

    pub(super) fn is_tangled(&self, id: TermId) -> bool {
        self.tangled.contains(&id)
    }

    /// Those that hang together with triple terms and are named in more than one graph.
    pub(super) fn shared(&self, sorted: &Sorted<'_>) -> FxHashSet<BlankNode> {
        let shared = self.tangled.iter().filter(|id| self.state(**id) & SHARED != 0);
        shared.map(|id| sorted.blank(*id)).collect()
    }

    /// Whether a blank node stands where it is used.
    pub(super) fn is_nested(&self, id: TermId) -> bool {
        self.state(id) & (USED | USED_AGAIN | SHARED) == USED
    }

    /// Whether a blank node needs its name.
    pub(super) fn is_named(&self, id: TermId) -> bool {
        self.state(id) & (USED | USED_AGAIN | SHARED) != 0
    }

    pub(super) fn is_done(&self, id: TermId) -> bool {
        self.state(id) & DONE != 0
    }

    pub(super) fn starts_no_list(&self, id: TermId) -> bool {
        self.state(id) & STARTS_NO_LIST != 0
    }

    /// Notes what the writing of a block told of a blank node.
    pub(super) fn note(&mut self, id: TermId, is_done: bool, starts_no_list: bool) {
        if let Some(state) = self.states.get_mut(id.index()) {
            *state |= if is_done { DONE } else { 0 } | if starts_no_list { STARTS_NO_LIST } else { 0 };
        }
    }

    fn state(&self, id: TermId) -> u8 {
        self.states.get(id.index()).copied().unwrap_or_default()
    }
}

fn is_of(which: Which, [.., graph]: Ids) -> bool {
    match which {
        Which::All | Which::Merged => true,
        Which::Graph(None) => graph.is_unbound(),
        Which::Graph(Some(own)) => graph == own,
    }
}

/// The statements of all graphs about something.
fn about(snapshot: &Snapshot, id: TermId) -> impl Iterator<Item = Ids> + '_ {
    let (triples, quads) = (snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog));
    triples.statements(triples.run(id)).chain(quads.statements(quads.run(id)))
}

/// The statements of all graphs with an object.
fn with_object(snapshot: &Snapshot, id: TermId) -> impl Iterator<Item = Ids> + '_ {
    let (triples, quads) = (snapshot.triples(Permutation::Osp), snapshot.quads(QuadPermutation::Ospg));
    triples.statements(triples.run(id)).chain(quads.statements(quads.run(id)))
}

/// The blank nodes of a triple term.
fn blank_parts(snapshot: &Snapshot, mut triple: TermId) -> Vec<TermId> {
    let mut blank = Vec::new();
    while let Some([subject, _, object]) = snapshot.triple_components(triple) {
        blank.extend([subject, object].into_iter().filter(|part| snapshot.kind(*part) == TermKind::BlankNode));
        triple = object;
    }
    blank
}
