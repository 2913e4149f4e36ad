//! Canonical names (RDFC-1.0) of the blank nodes of a snapshot: a number for each node. The statements that tell nodes apart are held
//! as ids; as terms only those with triple terms, which the standard does not know.

use kgq_snapshot::{Ids, Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::canonical::{self, Coded, CodedQuad, DEFAULT_GRAPH, OTHER};
use kgq_syntax::rdf::rdf11::{contested_labels, downgraded, quad_bytes};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::Cell;
use std::fmt::Write as _;
use std::ops::Range;

/// The names of the blank nodes of a snapshot, or of one of its graphs.
pub(super) struct Names<'s> {
    snapshot: &'s Snapshot,
    /// The canonical number of each blank node, those that stand for triple terms last. Without it, nodes keep the names that the order
    /// of the files gave them.
    numbers: Option<Vec<u32>>,
    /// The place of each among the names, sorted as texts.
    ranks: Vec<u32>,
    /// What RDF 1.1 says in place of the statements of triple terms that are named by nodes.
    pub(super) described: Vec<Quad>,
    /// How many terms were mapped for that.
    pub(super) mapped: u64,
    reifies: Option<TermId>,
    /// What names several triples.
    names_several: FxHashSet<TermId>,
    _held: Reservation,
    _held_described: Reservation,
}

impl<'s> Names<'s> {
    /// Finds the names; `only` is the one graph whose statements count, unbound for the default graph.
    ///
    /// # Errors
    /// The budget's. Blank nodes that are too much alike, with `strict`; else they keep the names that they have.
    pub(super) fn of(snapshot: &'s Snapshot, only: Option<TermId>, strict: bool, budget: &Budget) -> Result<Self> {
        let reifies = snapshot.id(rdf::REIFIES.into());
        let names_several = reifies.map(|reifies| naming_several(snapshot, reifies)).unwrap_or_default();
        let (numbers, ranks, described) = (None, Vec::new(), Vec::new());
        let (_held, _held_described) = (Reservation::default(), Reservation::default());
        let mut names =
            Self { snapshot, numbers, ranks, described, mapped: 0, reifies, names_several, _held, _held_described };
        let nodes = snapshot.kind_range(TermKind::BlankNode).len();
        names._held.grow(budget, (nodes * size_of::<[u32; 2]>()) as u64)?;
        match names.search(only, budget) {
            Ok(numbers) => names.numbers = Some(numbers),
            Err(error) if strict || error.limit_passed().is_some() => return Err(error),
            Err(_) => {}
        }
        names.ranks = names.ranked(budget)?;
        Ok(names)
    }

    fn search(&mut self, only: Option<TermId>, budget: &Budget) -> Result<Vec<u32>> {
        let snapshot = self.snapshot;
        if OTHER <= snapshot.term_count() {
            return Err(Error::limit(format!("more than {} terms cannot be named canonically", OTHER - 1)));
        }
        let (apart, mut held) = self.telling_apart(only, budget)?;
        let others = snapshot.len().saturating_sub(apart.len());
        let steps = Steps::new(budget);
        let mut coding = Coding::new(snapshot);
        held.grow(budget, (apart.len() * size_of::<CodedQuad>()) as u64)?;
        let mut quads: Vec<CodedQuad> = Vec::with_capacity(apart.len());
        let (mut of_triples, mut of_directions) = (Vec::new(), Vec::new());
        for statement in apart {
            steps.take()?;
            let [subject, predicate, object, graph] = statement;
            if snapshot.kind(object) == TermKind::Triple {
                of_triples.push(statement);
            } else if snapshot.direction(object).is_some() {
                of_directions.push(statement);
            } else {
                let stays = graph.is_bound() && only.is_none();
                let graph = if stays { coding.id(graph) } else { DEFAULT_GRAPH };
                quads.push([coding.id(subject), coding.id(predicate), coding.id(object), graph]);
            }
        }
        // Which of the triples of one reifier is described as its own depends on the order of the files.
        snapshot.sort_by_origin(&mut of_triples);
        let (described, mapped, kept) = self.in_rdf_11(&of_triples, only.is_some(), budget)?;
        let (directed, _, _held) = self.in_rdf_11(&of_directions, only.is_some(), budget)?;
        for quad in described.iter().chain(&directed) {
            quads.push(coding.quad(quad));
        }
        (self.described, self.mapped, self._held_described) = (described, mapped, kept);
        quads.sort_unstable();
        quads.dedup();
        let write = |code: u32, out: &mut String| coding.write(code, out);
        let numbers = canonical::names(&Coded { quads: &quads, nodes: coding.nodes(), write: &write }, others, budget)?;
        let made: FxHashMap<BlankNode, BlankNode> =
            coding.made.iter().map(|(node, at)| (node.clone(), canonical::name(numbers[*at as usize]))).collect();
        self.rename_described(&numbers, &made);
        Ok(numbers)
    }

    /// The statements that tell blank nodes apart, or that RDF 1.1 tells by blank nodes.
    fn telling_apart(&self, only: Option<TermId>, budget: &Budget) -> Result<(Vec<Ids>, Reservation)> {
        let (snapshot, steps) = (self.snapshot, Steps::new(budget));
        let (mut found, mut finding): (Vec<Ids>, _) = (Vec::new(), Reservation::default());
        let mut find = |index: Index<'_>, ids: Range<u32>| -> Result<()> {
            for (_, rows) in index.keys_in(ids) {
                steps.take()?;
                finding.grow(budget, (rows.len() * size_of::<Ids>()) as u64)?;
                let all = index.statements(rows);
                found.extend(all.filter(|ids| only.is_none_or(|only| ids[3] == only) && self.tells_apart(*ids)));
            }
            Ok(())
        };
        for kind in [TermKind::BlankNode, TermKind::Triple] {
            let ids = snapshot.kind_range(kind);
            for order in [Permutation::Spo, Permutation::Osp] {
                find(snapshot.triples(order), ids.clone())?;
            }
            for order in [QuadPermutation::Spog, QuadPermutation::Ospg, QuadPermutation::Gspo] {
                find(snapshot.quads(order), ids.clone())?;
            }
        }
        found.sort_unstable();
        found.dedup();
        found.shrink_to_fit();
        Ok((found, finding))
    }

    fn tells_apart(&self, ids @ [subject, _, object, graph]: Ids) -> bool {
        self.is_blank(subject) || self.is_blank(object) || self.is_blank(graph) || self.is_described(ids)
    }

    fn is_blank(&self, id: TermId) -> bool {
        id.is_bound() && self.snapshot.kind(id) == TermKind::BlankNode
    }

    /// Whether the statement is one of a triple term that has to do with blank nodes, or gets one in RDF 1.1.
    pub(super) fn is_described(&self, [subject, predicate, object, graph]: Ids) -> bool {
        let Some(parts) = self.snapshot.triple_components(object) else { return false };
        // The reifier of one triple stands for it in RDF 1.1: no node is made up.
        let is_name = Some(predicate) == self.reifies && !self.names_several.contains(&subject);
        let is_plain = |part: &TermId| !matches!(self.snapshot.kind(*part), TermKind::BlankNode | TermKind::Triple);
        self.is_blank(subject) || self.is_blank(graph) || !(is_name && parts.iter().all(is_plain))
    }

    /// These statements in RDF 1.1, with the names that the files gave; the number of mapped terms; the memory that they take.
    fn in_rdf_11(&self, statements: &[Ids], moved: bool, budget: &Budget) -> Result<(Vec<Quad>, u64, Reservation)> {
        let (mut all, mut held) = (Vec::new(), Reservation::default());
        if statements.is_empty() {
            return Ok((all, 0, held));
        }
        let snapshot = self.snapshot;
        let label = |id: u32| match snapshot.term(TermId::new(id)) {
            Term::BlankNode(node) => Some(node),
            _ => None,
        };
        let labels = snapshot.kind_range(TermKind::BlankNode).filter_map(label);
        let as_quads = labels.map(|node| Ok(Quad::new(node, rdf::TYPE, rdf::NIL, GraphName::DefaultGraph)));
        let taken = contested_labels(as_quads)?;
        let count = Cell::new(0);
        let quads = statements.iter().filter_map(|ids| snapshot.statement(*ids));
        let moved = quads.map(|quad| match moved {
            true => Quad { graph_name: GraphName::DefaultGraph, ..quad },
            false => quad,
        });
        for quad in downgraded(moved.map(Ok), taken, &count, budget) {
            let quad = quad?;
            held.grow(budget, quad_bytes(&quad))?;
            all.push(quad);
        }
        Ok((all, count.get(), held))
    }

    /// Gives the nodes of what is described their canonical names.
    fn rename_described(&mut self, numbers: &[u32], made: &FxHashMap<BlankNode, BlankNode>) {
        let snapshot = self.snapshot;
        let name = |node: &BlankNode| match made.get(node) {
            Some(name) => name.clone(),
            None => match snapshot.id(node.as_ref().into()) {
                Some(id) => canonical::name(numbers[id.index()]),
                None => node.clone(),
            },
        };
        for quad in &mut self.described {
            *quad = kgq_syntax::rdf::blank::renamed(quad, &name);
        }
        self.described.sort_by_cached_key(Quad::to_string);
        self.described.dedup();
    }

    /// The place of each blank node of the snapshot among the sorted texts of their names.
    fn ranked(&self, budget: &Budget) -> Result<Vec<u32>> {
        let ids = self.snapshot.kind_range(TermKind::BlankNode);
        let _order = budget.reserve((ids.len() * size_of::<u32>()) as u64)?;
        let mut order: Vec<u32> = ids.collect();
        match &self.numbers {
            Some(numbers) => order.sort_unstable_by_key(|id| digits(numbers[*id as usize])),
            None => order.sort_by_cached_key(|id| self.snapshot.term(TermId::new(*id)).to_string()),
        }
        let mut ranks = vec![0; order.len()];
        (0..).zip(order).for_each(|(rank, id)| ranks[id as usize] = rank);
        Ok(ranks)
    }

    /// Compared, these order blank nodes as the texts of their names do.
    pub(super) fn rank(&self, node: TermId) -> u32 {
        self.ranks.get(node.index()).copied().unwrap_or_default()
    }

    /// The name of a blank node.
    pub(super) fn node(&self, id: TermId) -> BlankNode {
        match self.numbers.as_ref().and_then(|numbers| numbers.get(id.index())) {
            Some(number) => canonical::name(*number),
            None => match self.snapshot.term(id) {
                Term::BlankNode(node) => node,
                // A damaged snapshot: the label is none of another node's.
                _ => BlankNode::new_unchecked(format!("n{}", id.get())),
            },
        }
    }

    /// The name of a blank node that has this name in the snapshot.
    pub(super) fn renamed(&self, node: &BlankNode) -> BlankNode {
        self.snapshot.id(node.as_ref().into()).map_or_else(|| node.clone(), |id| self.node(id))
    }
}

/// Compared, these order numbers as the texts of their digits.
fn digits(number: u32) -> (u64, u32) {
    let length = number.checked_ilog10().unwrap_or(0);
    (u64::from(number) * 10_u64.pow(9 - length), length)
}

/// What names several triples.
fn naming_several(snapshot: &Snapshot, reifies: TermId) -> FxHashSet<TermId> {
    let (mut once, mut again) = (FxHashSet::default(), FxHashSet::default());
    for [reifier, ..] in snapshot.find_ids([None, Some(reifies), None]) {
        if !once.insert(reifier) {
            again.insert(reifier);
        }
    }
    again
}

/// Numbers for terms: those of the snapshot are their ids, and made ones follow.
struct Coding<'s> {
    snapshot: &'s Snapshot,
    /// Nodes that RDF 1.1 has in place of triple terms.
    made: FxHashMap<BlankNode, u32>,
    /// Terms of RDF 1.1 that the snapshot has not.
    added: FxHashMap<Term, u32>,
    texts: Vec<String>,
}

impl<'s> Coding<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        Self { snapshot, made: FxHashMap::default(), added: FxHashMap::default(), texts: Vec::new() }
    }

    /// The number of blank nodes.
    fn nodes(&self) -> u32 {
        self.of_snapshot() + self.made.len() as u32
    }

    fn of_snapshot(&self) -> u32 {
        self.snapshot.kind_range(TermKind::BlankNode).len() as u32
    }

    fn id(&self, id: TermId) -> u32 {
        if self.snapshot.kind(id) == TermKind::BlankNode { id.get() } else { OTHER | id.get() }
    }

    fn quad(&mut self, quad: &Quad) -> CodedQuad {
        let subject = match &quad.subject {
            NamedOrBlankNode::NamedNode(node) => self.term(&node.clone().into()),
            NamedOrBlankNode::BlankNode(node) => self.node(node),
        };
        let object = match &quad.object {
            Term::BlankNode(node) => self.node(node),
            term => self.term(term),
        };
        let graph = match &quad.graph_name {
            GraphName::DefaultGraph => DEFAULT_GRAPH,
            GraphName::NamedNode(node) => self.term(&node.clone().into()),
            GraphName::BlankNode(node) => self.node(node),
        };
        [subject, self.term(&quad.predicate.clone().into()), object, graph]
    }

    fn node(&mut self, node: &BlankNode) -> u32 {
        let next = self.nodes();
        match self.snapshot.id(node.as_ref().into()) {
            Some(id) => id.get(),
            None => *self.made.entry(node.clone()).or_insert(next),
        }
    }

    fn term(&mut self, term: &Term) -> u32 {
        if let Some(id) = self.snapshot.id(term.as_ref()) {
            return OTHER | id.get();
        }
        let next = self.texts.len() as u32;
        let added = *self.added.entry(term.clone()).or_insert(next);
        if added == next {
            self.texts.push(term.to_string());
        }
        OTHER | (self.snapshot.term_count() + added)
    }

    fn write(&self, code: u32, out: &mut String) {
        let id = code & !OTHER;
        match id.checked_sub(self.snapshot.term_count()) {
            Some(added) => out.push_str(self.texts.get(added as usize).map_or("", String::as_str)),
            None => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "{}", self.snapshot.term(TermId::new(id)));
            }
        }
    }
}
