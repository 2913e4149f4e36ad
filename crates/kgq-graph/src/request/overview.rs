//! A graph at a glance: graphs, classes and properties with counts, prefixes, canned queries.

use crate::graph::Graph;
use kgq_snapshot::{QuadPermutation, TermId, TermKind};
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Contested, Quad, Term};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The canonical hash is computed only up to this many statements; it takes too long for more.
pub const HASHED: usize = 250_000;

/// Names, as CURIEs if there is a prefix, with the number of times that each occurs.
pub type Counts = BTreeMap<String, u64>;

/// What the overview of a graph contains.
pub struct Overview {
    /// The project's title, if there is a project and it has one.
    pub title: Option<String>,
    /// Where the statements come from, in words.
    pub origin: String,
    pub statements: usize,
    /// `None` for more than [`HASHED`] statements; else the SHA-256 of the canonical N-Quads (RDFC-1.0), or why there
    /// is none.
    pub hash: Option<Result<String>>,
    pub graphs: Counts,
    /// With the number of their members.
    pub classes: Counts,
    /// With the number of their statements.
    pub properties: Counts,
    pub prefixes: Vec<(String, String)>,
    pub contested: Vec<Contested>,
    /// The number of canned queries and the number of checks in the project.
    pub queries: Option<(u64, u64)>,
}

/// Counts what the graph holds.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn overview(graph: &Graph) -> Result<Overview> {
    let origin = graph.origin()?;
    let snapshot = graph.snapshot()?;
    let prefixes = graph.prefixes()?;
    let contested = graph.contested_prefixes()?.into_iter().cloned().collect();
    let hash = (snapshot.len() <= HASHED).then(|| {
        let quads: Vec<Quad> = snapshot.iter().collect();
        canonicalize(&quads, &graph.budget_of(Work::Export)).map(|canonical| canonical.hash())
    });
    let name = |id: TermId| match snapshot.term(id) {
        Term::NamedNode(node) => prefixes.display(node.as_str()),
        term => term.to_string(),
    };
    let (mut graphs, mut classes, mut properties) = (Counts::new(), Counts::new(), Counts::new());
    if snapshot.triple_count() > 0 {
        graphs.insert("default graph".to_owned(), snapshot.triple_count() as u64);
    }
    let by_graph = snapshot.quads(QuadPermutation::Gspo);
    graphs.extend(by_graph.keys().map(|(graph, rows)| (name(graph), rows.len() as u64)));
    for statistics in [snapshot.statistics(), snapshot.quad_statistics()] {
        for predicate in &statistics.predicates {
            *properties.entry(name(predicate.predicate)).or_default() += predicate.rows;
        }
    }
    if let Some(kind) = snapshot.id(rdf::TYPE.into()) {
        let of_kind = [None, Some(kind), None];
        let mut members: FxHashMap<TermId, u64> = FxHashMap::default();
        for (index, rows) in [snapshot.matching_triples(of_kind), snapshot.matching_quads(of_kind)] {
            index.blocks(2, rows).for_each(|class| *members.entry(class).or_default() += 1);
        }
        let members = members.into_iter().filter(|(class, _)| snapshot.kind(*class) == TermKind::Iri);
        classes.extend(members.map(|(class, n)| (name(class), n)));
    }
    snapshot.intact()?;
    let queries = graph.catalog_if_any()?.map(|catalog| {
        let checks = catalog.queries.iter().filter(|q| q.is_check()).count();
        ((catalog.queries.len() - checks) as u64, checks as u64)
    });
    let title = graph.project().map(|p| p.manifest.title.clone().unwrap_or_else(|| p.manifest.name.clone()));
    let prefixes = prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), namespace.to_owned())).collect();
    let statements = snapshot.len();
    Ok(Overview { title, origin, statements, hash, graphs, classes, properties, prefixes, contested, queries })
}
