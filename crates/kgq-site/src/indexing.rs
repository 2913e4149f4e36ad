//! The index of a site, made from the snapshot by ids: only what pages are called by, and lists, are decoded.

use super::links;
use super::model::{Index, Known, Source, push_once};
use super::point::{Point, parse_point};
use super::reads::{Decoded, Reads, id_of, node_of, nodes_of};
use super::shapes::Layout;
use super::vocabulary::*;
use kgq_graph::export::names::{PageNames, safe_part};
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, OnceLock};

/// Stems of the site's own pages and of files beside them.
const OWN: &[&str] =
    &["index", "404", "ontology-terms", "queries", "places", "data", "ask", "void", "catalog", "service", "search"];

/// The making of an index: the steps taken, and the bytes that the index holds so far.
pub(super) struct Making {
    steps: Steps,
    held: Reservation,
}

impl Making {
    /// Counts a step.
    pub fn step(&self) -> Result<()> {
        self.steps.take()
    }

    /// Counts bytes that the index will hold.
    pub fn hold(&mut self, bytes: usize) -> Result<()> {
        self.held.grow(self.steps.budget(), bytes as u64)
    }

    /// Appends to a list of the index.
    pub fn push<T>(&mut self, list: &mut Vec<T>, item: T) -> Result<()> {
        self.step()?;
        if list.len() == list.capacity() {
            // As much as the list grows.
            self.hold(list.capacity().max(4) * size_of::<T>())?;
        }
        list.push(item);
        Ok(())
    }
}

/// The maximum number of languages that a reader can choose from.
const LANGUAGES: usize = 8;

/// About what an entry of a map takes beside its texts, in bytes.
pub(super) const ENTRY: usize = 80;

impl<'a> Index<'a> {
    /// Indexes the data to publish. What the index holds stays reserved as long as there is the index.
    ///
    /// # Errors
    /// The budget's.
    pub fn new(source: Source<'a>, budget: &Budget) -> Result<Self> {
        let snapshot = source.snapshot;
        let mut making = Making { steps: Steps::new(budget), held: Reservation::default() };
        let mut things = subjects(snapshot, snapshot.iris_beginning_with(source.base), &mut making)?;
        // A server has pages for the IRIs of others too; where a graph has none of its own, these are what it is about.
        if source.served && things.is_empty() {
            things = subjects(snapshot, snapshot.kind_range(TermKind::Iri), &mut making)?;
        }
        let (stubs, within) = links::undescribed(snapshot, source.base, &mut making)?;
        let mut index = Self {
            source,
            names: PageNames::default(),
            layout: Layout::default(),
            things,
            stubs,
            within,
            graphs: named_graphs(snapshot),
            members: BTreeMap::new(),
            uses: uses(snapshot, &mut making)?,
            ancestors: ancestors(snapshot, &mut making)?,
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
            languages: Vec::new(),
            budget: budget.clone(),
            held: Reservation::default(),
        };
        index.members = index.find_members(&mut making)?;
        let ontology = index.members.get(OWL_ONTOLOGY).and_then(|found| found.first());
        index.ontology = ontology.and_then(|id| node_of(snapshot, *id));
        index.name_lists(&mut making)?;
        index.name_pages(&mut making)?;
        let decoded = Decoded::default();
        index.layout = Layout::of(&index, Reads { snapshot, decoded: &decoded });
        index.places = index.find_places(&mut making)?;
        for (number, query) in index.source.queries.iter().enumerate() {
            for term in &query.names {
                push_once(index.named_by.entry(term.as_str().to_owned()).or_default(), number);
            }
        }
        if index.source.served {
            index.languages = index.find_languages(&making)?;
        }
        index.held = making.held;
        Ok(index)
    }

    fn is_thing(&self, id: TermId) -> bool {
        self.things.binary_search(&id).is_ok()
    }

    fn find_members(&self, making: &mut Making) -> Result<BTreeMap<String, Vec<TermId>>> {
        let snapshot = self.source.snapshot;
        let Some(kind) = self.known.kind else { return Ok(BTreeMap::new()) };
        let mut found: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
        for [thing, _, class, _] in snapshot.find_ids([None, Some(kind), None]) {
            if snapshot.kind(class) == TermKind::Iri && self.is_thing(thing) {
                making.push(found.entry(class).or_default(), thing)?;
            }
        }
        let sorted = found.into_iter().filter_map(|(class, mut members)| {
            members.sort_unstable();
            members.dedup();
            Some((node_of(snapshot, class)?.into_string(), members))
        });
        Ok(sorted.collect())
    }

    /// Names the pages of the lists of members.
    fn name_lists(&mut self, making: &mut Making) -> Result<()> {
        let mut taken: FxHashSet<String> = FxHashSet::default();
        for class in self.members.keys() {
            let short = self.source.prefixes.shorten(class).unwrap_or_else(|| class.clone());
            let (mut slug, _) = safe_part(&short.replace([':', '/'], "-"), true);
            while !taken.insert(slug.to_lowercase()) {
                slug.push_str("-2");
            }
            making.hold(class.len() + slug.len() + ENTRY)?;
            self.browse.insert(class.clone(), format!("browse/{slug}"));
        }
        Ok(())
    }

    /// Names the pages of things.
    fn name_pages(&mut self, making: &mut Making) -> Result<()> {
        let (snapshot, base, budget) = (self.source.snapshot, self.source.base, &self.budget);
        let (things, stubs) = (&self.things, &self.stubs);
        let all = || things.iter().chain(stubs).copied();
        if !base.is_empty() {
            let (mut own, mut held) = (Vec::new(), Reservation::default());
            for node in all().filter_map(|id| node_of(snapshot, id)).filter(|node| node.as_str().starts_with(base)) {
                making.step()?;
                held.grow(budget, (node.as_str().len() + 2 * size_of::<NamedNode>()) as u64)?;
                own.push(node);
            }
            self.names = PageNames::assign(base, own.iter().map(NamedNode::as_str), OWN, budget)?;
        }
        for id in all() {
            making.step()?;
            let Some(node) = node_of(snapshot, id) else { continue };
            let stem = self.names.get(node.as_str());
            if let Some(stem) = stem.filter(|stem| node.as_str().strip_prefix(base) != Some(stem)) {
                making.hold(stem.len() + ENTRY)?;
                self.renamed.insert(stem.to_owned(), id);
            }
        }
        Ok(())
    }

    fn find_places(&self, making: &mut Making) -> Result<BTreeMap<String, (NamedNode, Point)>> {
        let snapshot = self.source.snapshot;
        let properties = [GEO_HAS_GEOMETRY, WGS_LAT].into_iter().filter_map(|property| id_of(snapshot, property));
        let placed = properties.flat_map(|property| snapshot.find_ids([None, Some(property), None]));
        let placed: BTreeSet<TermId> = placed.map(|[thing, ..]| thing).filter(|id| self.is_thing(*id)).collect();
        let mut places = BTreeMap::new();
        for id in placed {
            making.step()?;
            // What is read of one place is not kept for the next.
            let decoded = Decoded::default();
            let point = point_of(Reads { snapshot, decoded: &decoded }, id);
            if let (Some(node), Some(point)) = (node_of(snapshot, id), point) {
                making.hold(2 * node.as_str().len() + ENTRY)?;
                places.insert(node.as_str().to_owned(), (node, point));
            }
        }
        Ok(places)
    }

    /// The languages of the site's own texts, and those in which most things have names.
    fn find_languages(&self, making: &Making) -> Result<Vec<String>> {
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for thing in nodes_of(self.source.snapshot, &self.things) {
            making.step()?;
            for tag in self.source.labels.all(&thing).into_iter().filter_map(|label| label.language()) {
                *counted.entry(tag).or_default() += 1;
            }
        }
        let mut tags: Vec<(&str, usize)> = counted.into_iter().collect();
        tags.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
        let mut languages: Vec<String> = tags.iter().map(|(tag, _)| (*tag).to_owned()).take(LANGUAGES).collect();
        for own in ["en", "zh"] {
            if !languages.iter().any(|tag| tag.split('-').next() == Some(own)) {
                languages.push(own.to_owned());
            }
        }
        languages.sort_unstable();
        Ok(languages)
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
fn subjects(snapshot: &Snapshot, ids: Range<u32>, making: &mut Making) -> Result<Vec<TermId>> {
    let mut found: Vec<TermId> = Vec::new();
    let (triples, quads) = (snapshot.triples(Permutation::Spo), snapshot.quads(QuadPermutation::Spog));
    for (id, _) in triples.keys_in(ids.clone()).chain(quads.keys_in(ids)) {
        making.push(&mut found, id)?;
    }
    // Sorted already, unless there are quads.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The named graphs by their IRIs.
fn named_graphs(snapshot: &Snapshot) -> BTreeMap<String, TermId> {
    let named = snapshot.named_graphs().iter();
    named.filter_map(|id| Some((node_of(snapshot, *id)?.into_string(), *id))).collect()
}

/// How many statements use each property.
fn uses(snapshot: &Snapshot, making: &mut Making) -> Result<FxHashMap<String, u64>> {
    let mut uses: FxHashMap<String, u64> = FxHashMap::default();
    let (triples, quads) = (snapshot.triples(Permutation::Pso), snapshot.quads(QuadPermutation::Psog));
    for (property, rows) in triples.keys().chain(quads.keys()) {
        if let Some(node) = node_of(snapshot, property) {
            making.step()?;
            making.hold(node.as_str().len() + ENTRY)?;
            *uses.entry(node.into_string()).or_default() += rows.len() as u64;
        }
    }
    Ok(uses)
}

/// Each class with all above it, the nearest of the first branch first.
fn ancestors(snapshot: &Snapshot, making: &mut Making) -> Result<FxHashMap<TermId, Vec<TermId>>> {
    let mut above: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let property = id_of(snapshot, RDFS_SUB_CLASS_OF);
    let stated = property.map(|property| snapshot.find_in_order([None, Some(property), None])).unwrap_or_default();
    let is_iri = |id: TermId| snapshot.kind(id) == TermKind::Iri;
    for [below, _, class, _] in stated {
        if is_iri(below) && is_iri(class) {
            making.push(above.entry(below).or_default(), class)?;
        }
    }
    let mut ancestors = FxHashMap::default();
    for class in above.keys() {
        let mut all: Vec<TermId> = Vec::new();
        let mut open = vec![*class];
        while let Some(next) = open.pop() {
            for parent in above.get(&next).into_iter().flatten() {
                if !all.contains(parent) {
                    making.push(&mut all, *parent)?;
                    open.push(*parent);
                }
            }
        }
        ancestors.insert(*class, all);
    }
    Ok(ancestors)
}
