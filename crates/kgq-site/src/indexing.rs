//! The index of a site, made from the snapshot by ids: only what pages are called by, and lists, are decoded.

use super::links;
use super::model::{Index, Known, Source, push_once};
use super::point::{Point, parse_point};
use super::reads::{Decoded, Reads, id_of, node_of, nodes_of};
use super::shapes::Layout;
use super::vocabulary::*;
use kgq_graph::export::names::{PageNames, safe_part};
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, OnceLock};

/// Stems of the site's own pages and of files beside them.
const OWN: &[&str] =
    &["index", "404", "ontology-terms", "queries", "places", "data", "ask", "void", "catalog", "service", "search"];

impl<'a> Index<'a> {
    pub fn new(source: Source<'a>) -> Self {
        let snapshot = source.snapshot;
        let mut things = subjects(snapshot, snapshot.iris_beginning_with(source.base));
        // A server has pages for the IRIs of others too; where a graph has none of its own, these are what it is about.
        if source.served && things.is_empty() {
            things = subjects(snapshot, snapshot.kind_range(TermKind::Iri));
        }
        let (stubs, within) = links::undescribed(snapshot, source.base);
        let mut index = Self {
            source,
            names: PageNames::default(),
            layout: Layout::default(),
            things,
            stubs,
            within,
            graphs: named_graphs(snapshot),
            members: BTreeMap::new(),
            uses: uses(snapshot),
            ancestors: ancestors(snapshot),
            places: BTreeMap::new(),
            ontology: None,
            known: Known::of(snapshot),
            named_by: FxHashMap::default(),
            answered_by: OnceLock::new(),
            browse: FxHashMap::default(),
            renamed: FxHashMap::default(),
            listed: Mutex::default(),
            dumps: OnceLock::new(),
            dated: OnceLock::new(),
            languages: OnceLock::new(),
        };
        index.members = index.find_members();
        let ontology = index.members.get(OWL_ONTOLOGY).and_then(|found| found.first());
        index.ontology = ontology.and_then(|id| node_of(snapshot, *id));
        index.name_lists();
        index.name_pages();
        let decoded = Decoded::default();
        let reads = Reads { snapshot, decoded: &decoded };
        index.layout = Layout::of(&index, reads);
        index.places = index.find_places(reads);
        for (number, query) in index.source.queries.iter().enumerate() {
            for term in &query.names {
                push_once(index.named_by.entry(term.as_str().to_owned()).or_default(), number);
            }
        }
        index
    }

    fn is_thing(&self, id: TermId) -> bool {
        self.things.binary_search(&id).is_ok()
    }

    fn find_members(&self) -> BTreeMap<String, Vec<TermId>> {
        let snapshot = self.source.snapshot;
        let Some(kind) = self.known.kind else { return BTreeMap::new() };
        let mut found: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
        for [thing, _, class, _] in snapshot.find_ids([None, Some(kind), None]) {
            if snapshot.kind(class) == TermKind::Iri && self.is_thing(thing) {
                found.entry(class).or_default().push(thing);
            }
        }
        let sorted = found.into_iter().filter_map(|(class, mut members)| {
            members.sort_unstable();
            members.dedup();
            Some((node_of(snapshot, class)?.into_string(), members))
        });
        sorted.collect()
    }

    /// Names the pages of the lists of members.
    fn name_lists(&mut self) {
        let mut taken: FxHashSet<String> = FxHashSet::default();
        for class in self.members.keys() {
            let short = self.source.prefixes.shorten(class).unwrap_or_else(|| class.clone());
            let (mut slug, _) = safe_part(&short.replace([':', '/'], "-"), true);
            while !taken.insert(slug.to_lowercase()) {
                slug.push_str("-2");
            }
            self.browse.insert(class.clone(), format!("browse/{slug}"));
        }
    }

    /// Names the pages of things.
    fn name_pages(&mut self) {
        let (snapshot, base) = (self.source.snapshot, self.source.base);
        let all: Vec<TermId> = self.things.iter().chain(&self.stubs).copied().collect();
        if !base.is_empty() {
            let own: Vec<NamedNode> = nodes_of(snapshot, &all).filter(|node| node.as_str().starts_with(base)).collect();
            self.names = PageNames::assign(base, own.iter().map(NamedNode::as_str), OWN);
        }
        for id in all {
            let Some(node) = node_of(snapshot, id) else { continue };
            let stem = self.names.get(node.as_str());
            if let Some(stem) = stem.filter(|stem| node.as_str().strip_prefix(base) != Some(stem)) {
                self.renamed.insert(stem.to_owned(), id);
            }
        }
    }

    fn find_places(&self, reads: Reads<'_>) -> BTreeMap<String, (NamedNode, Point)> {
        let snapshot = self.source.snapshot;
        let properties = [GEO_HAS_GEOMETRY, WGS_LAT].into_iter().filter_map(|property| id_of(snapshot, property));
        let placed = properties.flat_map(|property| snapshot.find_ids([None, Some(property), None]));
        let placed: BTreeSet<TermId> = placed.map(|[thing, ..]| thing).filter(|id| self.is_thing(*id)).collect();
        let place = |id: TermId| {
            let (node, point) = (node_of(snapshot, id)?, point_of(reads, id)?);
            Some((node.as_str().to_owned(), (node, point)))
        };
        placed.into_iter().filter_map(place).collect()
    }
}

impl Known {
    fn of(snapshot: &Snapshot) -> Self {
        let id = |iri: &str| id_of(snapshot, iri);
        let ids = |iris: &[&str]| iris.iter().filter_map(|iri| id(iri)).collect();
        Self {
            kind: id(rdf::TYPE.as_str()),
            reifies: id(rdf::REIFIES.as_str()),
            has_source: id(OA_HAS_SOURCE),
            start: id(OA_START),
            end: id(OA_END),
            deprecated: id(OWL_DEPRECATED),
            classes: ids(&[OWL_CLASS, RDFS_CLASS]),
            properties: ids(PROPERTY_CLASSES),
        }
    }
}

/// The point of a thing: of its geometry's WKT, or by latitude and longitude.
fn point_of(reads: Reads<'_>, thing: TermId) -> Option<Point> {
    let (mut latitude, mut longitude) = (None, None);
    for quad in reads.facts_of(thing) {
        match (quad.predicate.as_str(), &quad.object) {
            (GEO_HAS_GEOMETRY, geometry) => {
                let wkt = reads.facts_of_term(geometry).iter().find(|q| q.predicate.as_str() == GEO_AS_WKT);
                if let Some(Term::Literal(wkt)) = wkt.map(|q| &q.object)
                    && let Some(point) = parse_point(wkt.value())
                {
                    return Some(point);
                }
            }
            (WGS_LAT, Term::Literal(literal)) => latitude = literal.value().parse().ok(),
            (WGS_LONG, Term::Literal(literal)) => longitude = literal.value().parse().ok(),
            _ => {}
        }
    }
    Point { latitude: latitude?, longitude: longitude? }.on_earth()
}

/// The terms of a range that are subjects, in the order of their ids.
fn subjects(snapshot: &Snapshot, ids: Range<u32>) -> Vec<TermId> {
    let mut found: Vec<TermId> = snapshot.triples(Permutation::Spo).keys_in(ids.clone()).map(|(id, _)| id).collect();
    let of_triples = found.len();
    found.extend(snapshot.quads(QuadPermutation::Spog).keys_in(ids).map(|(id, _)| id));
    if of_triples < found.len() {
        found.sort_unstable();
        found.dedup();
    }
    found
}

/// The named graphs by their IRIs.
fn named_graphs(snapshot: &Snapshot) -> BTreeMap<String, TermId> {
    let named = snapshot.named_graphs().iter();
    named.filter_map(|id| Some((node_of(snapshot, *id)?.into_string(), *id))).collect()
}

/// How many statements use each property.
fn uses(snapshot: &Snapshot) -> FxHashMap<String, u64> {
    let mut uses: FxHashMap<String, u64> = FxHashMap::default();
    let (triples, quads) = (snapshot.triples(Permutation::Pso), snapshot.quads(QuadPermutation::Psog));
    for (property, rows) in triples.keys().chain(quads.keys()) {
        if let Some(node) = node_of(snapshot, property) {
            *uses.entry(node.into_string()).or_default() += rows.len() as u64;
        }
    }
    uses
}

/// Each class with all above it, the nearest of the first branch first.
fn ancestors(snapshot: &Snapshot) -> FxHashMap<TermId, Vec<TermId>> {
    let mut above: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let property = id_of(snapshot, RDFS_SUB_CLASS_OF);
    let stated = property.map(|property| snapshot.find_in_order([None, Some(property), None])).unwrap_or_default();
    let is_iri = |id: TermId| snapshot.kind(id) == TermKind::Iri;
    for [below, _, class, _] in stated {
        if is_iri(below) && is_iri(class) {
            above.entry(below).or_default().push(class);
        }
    }
    let mut ancestors = FxHashMap::default();
    for class in above.keys() {
        let mut all: Vec<TermId> = Vec::new();
        let mut open = vec![*class];
        while let Some(next) = open.pop() {
            for parent in above.get(&next).into_iter().flatten() {
                if !all.contains(parent) {
                    all.push(*parent);
                    open.push(*parent);
                }
            }
        }
        ancestors.insert(*class, all);
    }
    ancestors
}
