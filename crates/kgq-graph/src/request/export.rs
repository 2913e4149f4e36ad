//! The statements that are exported.

use crate::graph::Graph;
use kgq_engine::update::Change;
use kgq_snapshot::{FileOrder, Ids, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, Term};
use kgq_syntax::text::did_you_mean;
use rustc_hash::FxHashSet;
use std::cell::OnceCell;

/// The number of statements that are read at a time.
const BATCH: usize = 1 << 10;

/// The statements of a graph to be exported, in file order. Each walk reads them from the snapshot again.
pub struct Exported<'g> {
    snapshot: &'g Snapshot,
    /// Made by the first walk.
    order: OnceCell<FileOrder>,
    budget: Budget,
    /// The only graph that is exported, if there is one: unbound for the default graph.
    only: Option<TermId>,
    /// Of a graph that an update changes: what is left out, and what comes after the others.
    removed: FxHashSet<Ids>,
    added: &'g [Quad],
}

impl<'g> Exported<'g> {
    /// All statements.
    ///
    /// # Errors
    /// Those of loading.
    pub fn all(graph: &'g Graph, budget: &Budget) -> Result<Self> {
        let (snapshot, order, removed) = (graph.snapshot()?, OnceCell::new(), FxHashSet::default());
        Ok(Self { snapshot, order, budget: budget.clone(), only: None, removed, added: &[] })
    }

    /// All statements after an update: the remaining ones in their order, followed by the added ones.
    ///
    /// # Errors
    /// Those of loading.
    pub fn changed(graph: &'g Graph, change: &'g Change, budget: &Budget) -> Result<Self> {
        let all = Self::all(graph, budget)?;
        let removed = change.removed.iter().filter_map(|quad| all.snapshot.ids(quad.as_ref())).collect();
        Ok(Self { removed, added: &change.added, ..all })
    }

    /// The statements of one graph, moved to the default graph. `name` is an IRI, a CURIE, or `default`.
    ///
    /// # Errors
    /// Those of loading; no such graph, with similar names.
    pub fn one_graph(graph: &'g Graph, name: &str, budget: &Budget) -> Result<Self> {
        let only = Some(graph_named(graph, name)?);
        Ok(Self { only, ..Self::all(graph, budget)? })
    }

    /// Returns the snapshot that they are read from.
    pub fn snapshot(&self) -> &'g Snapshot {
        self.snapshot
    }

    /// Returns the exported graph, if it is one: unbound for the default graph.
    pub fn only(&self) -> Option<TermId> {
        self.only
    }

    /// Returns the number of statements.
    pub fn len(&self) -> usize {
        match self.only {
            None => self.snapshot.len() - self.removed.len() + self.added.len(),
            Some(graph) if graph.is_bound() => self.snapshot.quads(QuadPermutation::Gspo).run(graph).len(),
            Some(_) => self.snapshot.triple_count(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any of them is in a named graph.
    pub fn has_named_graphs(&self) -> bool {
        let removed = self.removed.iter().filter(|[.., graph]| graph.is_bound()).count();
        let is_added = || self.added.iter().any(|quad| quad.graph_name != GraphName::DefaultGraph);
        self.only.is_none() && (self.snapshot.quad_count() > removed || is_added())
    }

    /// Whether any of them may have a triple term.
    pub fn has_triple_terms(&self) -> bool {
        !self.snapshot.kind_range(TermKind::Triple).is_empty() || self.added.iter().any(|quad| quad.object.is_triple())
    }

    fn order(&self) -> Result<&FileOrder> {
        if let Some(order) = self.order.get() {
            return Ok(order);
        }
        let order = self.snapshot.file_order(&self.budget)?;
        Ok(self.order.get_or_init(|| order))
    }

    /// Iterates over the statements; none is yielded before the data that it was read from is known to be sound.
    pub fn walk(&self) -> Box<dyn Iterator<Item = Result<Quad>> + '_> {
        let order = match self.order() {
            Ok(order) => order,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let all = self.snapshot.in_file_order(order);
        let moves = self.only.is_some();
        let own = all.filter(|[.., graph]| self.only.is_none_or(|only| only == *graph));
        let left = own.filter(|ids| !self.removed.contains(ids)).filter_map(move |ids| {
            let quad = self.snapshot.statement(ids)?;
            Some(if moves { Quad { graph_name: GraphName::DefaultGraph, ..quad } } else { quad })
        });
        let mut quads = left.chain(self.added.iter().cloned());
        let mut is_over = false;
        let batches = std::iter::from_fn(move || {
            let batch: Vec<Quad> = quads.by_ref().take(BATCH).collect();
            if is_over {
                return None;
            }
            is_over = batch.len() < BATCH;
            Some(match self.snapshot.intact() {
                Ok(()) => batch.into_iter().map(Ok).collect(),
                Err(damage) => {
                    is_over = true;
                    vec![Err(damage)]
                }
            })
        });
        Box::new(batches.flatten())
    }

    /// Builds a snapshot of these statements alone.
    ///
    /// # Errors
    /// The budget's, damage to the snapshot.
    pub fn apart(&self, budget: &Budget) -> Result<Snapshot> {
        let mut damage = Ok(());
        let sound = self.walk().map_while(|quad| quad.map_err(|error| damage = Err(error)).ok());
        let apart = Snapshot::from_quads_within(sound, budget)?;
        damage.map(|()| apart)
    }

    /// Collects all of them, for callers that need them in memory.
    ///
    /// # Errors
    /// Damage to the snapshot.
    pub fn collected(&self) -> Result<Vec<Quad>> {
        self.walk().collect()
    }
}

/// The id of a graph; unbound for the default graph.
fn graph_named(graph: &Graph, name: &str) -> Result<TermId> {
    if name == "default" {
        return Ok(TermId::UNBOUND);
    }
    let iri = name.trim_start_matches('<').trim_end_matches('>');
    let node = graph.prefixes()?.expand(name).unwrap_or_else(|| NamedNode::new_unchecked(iri));
    let snapshot = graph.snapshot()?;
    let found = snapshot.id(node.as_ref().into()).filter(|id| snapshot.named_graphs().contains(id));
    if let Some(id) = found {
        return Ok(id);
    }
    let mut names: Vec<String> = snapshot
        .named_graphs()
        .iter()
        .filter_map(|id| match snapshot.term(*id) {
            Term::NamedNode(node) => Some(node.into_string()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
        .collect();
    snapshot.intact()?;
    names.sort();
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let hint = near.unwrap_or_else(|| match names.as_slice() {
        [] => "the dataset has no named graphs".into(),
        names => format!("its named graphs: {}", names.join(", ")),
    });
    Err(Error::input(format!("there is no graph `{name}`")).hint(hint))
}
