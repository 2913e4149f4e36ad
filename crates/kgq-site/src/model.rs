//! What a site is made of, indexed once so that every page is made from what is near it: the pages' names, what things are called,
//! classes with their ancestors, places; and how one page sees that: in a language, for a folder or a server. Statements stay in the
//! snapshot.

use super::dumps::Dump;
use super::folder::Paths;
use super::links;
use super::point::Point;
use super::query::PublishedQuery;
use super::reads::{Decoded, MOST_IN_ORDER, Reads, id_of, in_order, node_of, nodes_of, sort};
use super::shapes::Layout;
use super::vocabulary::*;
use kgq_graph::audit::Audit;
use kgq_graph::catalog::Labels;
use kgq_graph::export::names::PageNames;
use kgq_graph::project::Entailment;
use kgq_snapshot::{Ids, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNodeRef, Prefixes, Quad, Term, TermRef};
use kgq_syntax::sort::{Piece, sort_by};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The data to publish.
pub struct Source<'a> {
    /// A short name, used in the names of the dumps.
    pub name: &'a str,
    pub title: &'a str,
    /// Every thing whose IRI begins with this base gets a page.
    pub base: &'a str,
    pub snapshot: &'a Snapshot,
    /// What follows by entailment and is not among the quads.
    pub inferred: Option<&'a Snapshot>,
    /// By which rules it follows.
    pub entailment: Entailment,
    pub prefixes: &'a Prefixes,
    pub labels: &'a Labels,
    /// The sources of the statements.
    pub audit: Arc<Audit<'a>>,
    pub queries: Vec<PublishedQuery<'a>>,
    /// The day of the last change to the description of a thing, by its IRI.
    pub changed: FxHashMap<String, String>,
    /// The address at which the pages will be, if not at the base.
    pub base_url: Option<&'a str>,
    /// The address of a SPARQL endpoint over the same data, if there is one.
    pub endpoint: Option<&'a str>,
    /// Files of the query page: a path below `assets/` and its bytes.
    pub assets: Vec<(String, Vec<u8>)>,
    /// Whether a server shows the site; it then answers queries, and gives any IRI a page.
    pub served: bool,
}

/// The indexed data. It depends neither on a language nor on the result of a query.
pub struct Index<'a> {
    pub source: Source<'a>,
    pub names: PageNames,
    pub layout: Layout,
    /// The things that the graph says something of, sorted as their IRIs are. All of them have pages.
    pub things: Vec<TermId>,
    /// What is named below the base and not described, sorted. It has pages too, which say so.
    pub stubs: Vec<TermId>,
    /// The named graphs.
    pub graphs: BTreeMap<String, TermId>,
    /// The members of each class by direct `rdf:type`, things with pages only, sorted.
    pub members: BTreeMap<String, Vec<TermId>>,
    /// How many statements use a property.
    pub uses: FxHashMap<String, u64>,
    /// Each class with all above it.
    pub ancestors: FxHashMap<TermId, Vec<TermId>>,
    /// Things with a place, by IRI.
    pub places: BTreeMap<String, (NamedNode, Point)>,
    /// The site's ontology, if the graph has one with a page.
    pub(super) ontology: Option<NamedNode>,
    /// Terms that are looked for again and again.
    pub(super) known: Known,
    /// The canned queries (by number) that name a thing in their text.
    pub(super) named_by: FxHashMap<String, Vec<usize>>,
    /// Those whose answer holds it, once all are answered.
    pub(super) answered_by: OnceLock<FxHashMap<String, Vec<usize>>>,
    /// Of what is named only: the triple terms within which it is.
    pub(super) within: FxHashMap<TermId, Vec<TermId>>,
    /// Page of the list of a class's members, without ending.
    pub(super) browse: FxHashMap<String, String>,
    /// The things whose page has another path than their IRI, by that path without its ending.
    pub renamed: FxHashMap<String, TermId>,
    /// The members of a class as a list in some language has them.
    pub(super) listed: Mutex<Lists>,
    pub dumps: OnceLock<Vec<Dump>>,
    /// The pages for search engines.
    pub(super) dated: OnceLock<Paths>,
    /// The languages that a reader of a server's pages can choose from; empty for a folder.
    pub languages: Vec<String>,
    /// The budget in which the index, and the lists that it keeps, are counted.
    pub(super) budget: Budget,
    pub(super) held: Reservation,
}

/// A member with where its name stands.
#[derive(Clone, Copy)]
struct Named {
    start: usize,
    length: u32,
    id: TermId,
}

/// How many lists of members are kept.
const MOST_LISTS: usize = 256;

/// Members by their class and a language.
pub(super) type Lists = FxHashMap<(String, String), Arc<Mutex<Option<Listed>>>>;

/// The members of a class in an order, once they are sorted.
pub(super) struct Listed {
    members: Arc<Vec<TermId>>,
    _held: Reservation,
}

/// The ids of terms that are looked for again and again; none of one that the snapshot does not have.
#[derive(Default)]
pub(super) struct Known {
    pub kind: Option<TermId>,
    pub reifies: Option<TermId>,
    pub has_source: Option<TermId>,
    pub start: Option<TermId>,
    pub end: Option<TermId>,
    pub deprecated: Option<TermId>,
    /// What a class is of, and what a property is.
    pub classes: Vec<TermId>,
    pub properties: Vec<TermId>,
}

/// The index as one page sees it.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub index: &'a Index<'a>,
    /// What was decoded for it.
    pub decoded: &'a Decoded,
    /// The language of titles, and of what the site itself says.
    pub language: &'a str,
    /// Whether the reader chose the language, so that links have to carry it on.
    pub chosen: bool,
    /// Why the current files cannot be read, if they cannot.
    pub broken: Option<&'a str>,
    /// Whether things can be edited on this site.
    pub editable: bool,
    /// The budget for making the page.
    pub budget: &'a Budget,
}

impl<'a> Deref for Model<'a> {
    type Target = Index<'a>;

    fn deref(&self) -> &Index<'a> {
        self.index
    }
}

impl<'a> Index<'a> {
    /// The canned queries (by number) that name a thing in their text.
    pub fn named_by(&self, iri: &str) -> &[usize] {
        self.named_by.get(iri).map_or(&[], Vec::as_slice)
    }

    /// The numbers of the canned queries whose answer contains a thing; empty until all are answered.
    pub fn answered_by(&self, iri: &str) -> &[usize] {
        self.answered_by.get().and_then(|all| all.get(iri)).map_or(&[], Vec::as_slice)
    }

    /// Answers all canned queries, so that the pages of things can list the answers that contain them. Before each query,
    /// `go_on` decides whether to continue.
    pub fn answer_all(&self, go_on: &dyn Fn() -> bool) {
        let mut all: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (number, query) in self.source.queries.iter().enumerate() {
            if !go_on() {
                return;
            }
            let mut hold = |node: &NamedNode| push_once(all.entry(node.as_str().to_owned()).or_default(), number);
            query.answer.get().each_node(&mut hold);
        }
        self.answered_by.get_or_init(|| all);
    }

    /// The id of an IRI.
    pub fn id(&self, iri: &str) -> Option<TermId> {
        id_of(self.source.snapshot, iri)
    }

    /// The IRIs with these ids.
    pub fn nodes<'s>(&'s self, ids: &'s [TermId]) -> impl Iterator<Item = NamedNode> + use<'s, 'a> {
        nodes_of(self.source.snapshot, ids)
    }

    /// Whether the graph says something of an IRI.
    pub fn describes(&self, iri: &str) -> bool {
        self.id(iri).is_some_and(|id| self.source.snapshot.has([Some(id), None, None]))
    }

    /// Whether the graph names an IRI anywhere.
    pub fn names_it(&self, iri: &str) -> bool {
        let Some(id) = self.id(iri) else { return false };
        let has = |pattern| self.source.snapshot.has(pattern);
        let known = has([Some(id), None, None]) || has([None, None, Some(id)]) || has([None, Some(id), None]);
        known || self.graphs.contains_key(iri) || self.stubs.binary_search(&id).is_ok()
    }

    /// How many statements a named graph has, and the first of them; of a large graph in the order of their ids.
    pub fn held_by(&self, graph: &str, most: usize) -> (usize, Vec<Ids>) {
        let Some(graph) = self.graphs.get(graph) else { return (0, Vec::new()) };
        let snapshot = self.source.snapshot;
        let index = snapshot.quads(QuadPermutation::Gspo);
        let rows = index.run(*graph);
        let count = rows.len();
        let first = rows.start..rows.end.min(rows.start.saturating_add(MOST_IN_ORDER.max(most)));
        let mut found: Vec<Ids> = index.statements(first).collect();
        sort(snapshot, &mut found);
        found.truncate(most);
        (count, found)
    }

    /// The types of a thing, each once, in the order of the files.
    fn types_of(&self, thing: TermId) -> Vec<TermId> {
        let Some(kind) = self.known.kind else { return Vec::new() };
        let snapshot = self.source.snapshot;
        let mut types = Vec::new();
        for [_, _, class, _] in in_order(snapshot, [Some(thing), Some(kind), None]) {
            if snapshot.kind(class) == TermKind::Iri && !types.contains(&class) {
                types.push(class);
            }
        }
        types
    }

    /// The ids of the types of a thing.
    pub(super) fn type_ids(&self, thing: &NamedNode) -> Vec<TermId> {
        self.id(thing.as_str()).map(|thing| self.types_of(thing)).unwrap_or_default()
    }

    /// Whether a thing is a member of a class or of one of its subclasses.
    pub fn is_a(&self, thing: &NamedNode, class: &str) -> bool {
        let Some(class) = self.id(class) else { return false };
        let is_below = |of: TermId| of == class || self.ancestors.get(&of).is_some_and(|all| all.contains(&class));
        self.type_ids(thing).into_iter().any(is_below)
    }

    pub fn is_class(&self, thing: &NamedNode) -> bool {
        self.is_one_of(thing, &self.known.classes)
    }

    pub fn is_property(&self, thing: &NamedNode) -> bool {
        self.is_one_of(thing, &self.known.properties)
    }

    fn is_one_of(&self, thing: &NamedNode, classes: &[TermId]) -> bool {
        let (Some(kind), false) = (self.known.kind, classes.is_empty()) else { return false };
        let Some(thing) = self.id(thing.as_str()) else { return false };
        classes.iter().any(|class| self.source.snapshot.has([Some(thing), Some(kind), Some(*class)]))
    }

    /// The things that are of one of these classes, sorted as their IRIs are.
    pub(super) fn members_of(&self, classes: &[&str]) -> Vec<TermId> {
        let mut found: Vec<TermId> =
            classes.iter().filter_map(|class| self.members.get(*class)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub fn is_deprecated(&self, thing: &NamedNode) -> bool {
        let Some(deprecated) = self.known.deprecated else { return false };
        let Some(thing) = self.id(thing.as_str()) else { return false };
        let snapshot = self.source.snapshot;
        let mut values = snapshot.find_ids([Some(thing), Some(deprecated), None]).map(|[_, _, value, _]| value);
        values.any(|value| matches!(snapshot.term(value), Term::Literal(l) if matches!(l.value(), "true" | "1")))
    }

    /// What has a page: the things that are described, then those that are named only.
    pub fn pages(&self) -> impl Iterator<Item = NamedNode> + '_ {
        self.nodes(&self.things).chain(self.nodes(&self.stubs))
    }

    /// Whether the graph has no statement about a thing.
    pub fn is_stub(&self, thing: &NamedNode) -> bool {
        !self.describes(thing.as_str())
    }

    /// The page that lists the members of a class.
    pub fn browse_page(&self, class: &str) -> Option<String> {
        self.browse_part(class, 0)
    }

    /// The page of one part of that list.
    pub fn browse_part(&self, class: &str, part: usize) -> Option<String> {
        let stem = self.browse.get(class)?;
        Some(if part == 0 { format!("{stem}.html") } else { format!("{stem}/{}.html", part + 1) })
    }

    pub fn base_url(&self) -> String {
        let base = self.source.base_url.unwrap_or(self.source.base);
        if base.ends_with('/') { base.to_owned() } else { format!("{}/", base.trim_end_matches('#')) }
    }

    /// The host and the path of the site's address; the path begins and ends with a slash.
    fn host_and_path(&self) -> (String, String) {
        let url = self.base_url();
        let after = url.split_once("://").map_or(url.as_str(), |(_, after)| after);
        match after.split_once('/') {
            Some((host, path)) => (host.to_owned(), format!("/{path}")),
            None => (after.to_owned(), "/".to_owned()),
        }
    }

    pub fn host(&self) -> String {
        self.host_and_path().0
    }

    pub fn root_path(&self) -> String {
        self.host_and_path().1
    }
}

impl<'a> Model<'a> {
    pub fn reads(&self) -> Reads<'a> {
        Reads { snapshot: self.index.source.snapshot, decoded: self.decoded }
    }

    /// What is said of a node, in the order of the files.
    pub fn facts(&self, subject: NamedOrBlankNodeRef<'_>) -> &'a [Quad] {
        self.reads().facts(subject)
    }

    pub fn facts_of_term(&self, term: &Term) -> &'a [Quad] {
        self.reads().facts_of_term(term)
    }

    pub fn blank_facts(&self, node: &BlankNode) -> &'a [Quad] {
        self.facts(node.into())
    }

    /// What is said of a blank node, as properties and values.
    pub fn said_of(&self, node: &BlankNode) -> Vec<(NamedNode, Term)> {
        self.blank_facts(node).iter().map(|quad| (quad.predicate.clone(), quad.object.clone())).collect()
    }

    /// The statements whose object a thing is.
    pub fn incoming(&self, thing: &NamedNode) -> &'a [Ids] {
        self.index.id(thing.as_str()).map_or(&[], |thing| self.reads().incoming(thing))
    }

    /// One of the snapshot's statements. `None` only where the file is damaged.
    pub fn statement(&self, statement: Ids) -> Option<&'a Quad> {
        self.reads().statement(statement)
    }

    /// The statements that have this property and one of these values, if given.
    pub fn statements_with(&self, property: &str, value: Option<TermRef<'_>>) -> Vec<&'a Quad> {
        let snapshot = self.source.snapshot;
        let value = value.map(|value| snapshot.id(value));
        let (Some(property), false) = (self.id(property), value == Some(None)) else { return Vec::new() };
        let found = in_order(snapshot, [None, Some(property), value.flatten()]);
        found.into_iter().filter_map(|statement| self.statement(statement)).collect()
    }

    /// The values of a property, in the order of the files, without decoding what else is said.
    pub fn values(&self, thing: &NamedNode, property: Option<TermId>) -> Vec<Term> {
        let Some(property) = property else { return Vec::new() };
        let Some(thing) = self.id(thing.as_str()) else { return Vec::new() };
        let snapshot = self.source.snapshot;
        let found = in_order(snapshot, [Some(thing), Some(property), None]);
        found.into_iter().map(|[_, _, value, _]| snapshot.term(value)).collect()
    }

    /// Of what is named only: statements that have it as property or within a quoted triple, the first of them.
    pub fn named_in(&self, thing: &NamedNode) -> Vec<&'a Quad> {
        let Some(id) = self.id(thing.as_str()).filter(|id| self.stubs.binary_search(id).is_ok()) else {
            return Vec::new();
        };
        let found = links::naming(self.source.snapshot, id, self.within.get(&id).map_or(&[], Vec::as_slice));
        found.into_iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn nodes_here(&self, ids: impl IntoIterator<Item = TermId>) -> Vec<&'a NamedNode> {
        let reads = self.reads();
        ids.into_iter().filter_map(|id| reads.node(id)).collect()
    }

    pub fn types(&self, thing: &NamedNode) -> Vec<&'a NamedNode> {
        self.nodes_here(self.type_ids(thing))
    }

    /// The types of a thing without those that another of its types is below.
    pub fn own_types(&self, thing: &NamedNode) -> Vec<&'a NamedNode> {
        let types = self.type_ids(thing);
        let is_above = |class: TermId| {
            let is_below = |other: &TermId| self.ancestors.get(other).is_some_and(|all| all.contains(&class));
            types.iter().any(|other| *other != class && is_below(other))
        };
        self.nodes_here(types.iter().copied().filter(|class| !is_above(*class)))
    }

    /// The types of a thing, and then what they are below.
    pub fn all_types(&self, thing: &NamedNode) -> Vec<&'a NamedNode> {
        let own = self.type_ids(thing);
        let mut classes = own.clone();
        for above in own.iter().filter_map(|class| self.ancestors.get(class)).flatten() {
            if !classes.contains(above) {
                classes.push(*above);
            }
        }
        self.nodes_here(classes)
    }

    /// The things that are of one of these classes, sorted as their IRIs are.
    pub fn members_here(&self, classes: &[&str]) -> Vec<&'a NamedNode> {
        self.nodes_here(self.members_of(classes))
    }

    /// The members of a class in the order of their names.
    ///
    /// # Errors
    /// The budget's.
    pub fn listed(&self, class: &str) -> Result<Arc<Vec<TermId>>> {
        let key = (class.to_owned(), self.language.to_owned());
        let list = self.list(&key);
        // Who comes while the list is made waits for it, within its own budget.
        let mut list = self.budget.lock(&list)?;
        if let Some(listed) = &*list {
            return Ok(Arc::clone(&listed.members));
        }
        let members = Arc::new(self.sorted_by_name(class)?);
        let bytes = (members.len() * size_of::<TermId>()) as u64;
        let held = self.index.budget.reserve(bytes).or_else(|_| {
            self.lists().retain(|known, _| *known == key);
            self.index.budget.reserve(bytes)
        });
        // A list for which there is no room is made again when it is asked for again.
        *list = held.ok().map(|held| Listed { members: Arc::clone(&members), _held: held });
        Ok(members)
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.index.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a list, which may still have to be made.
    fn list(&self, key: &(String, String)) -> Arc<Mutex<Option<Listed>>> {
        let mut lists = self.lists();
        if lists.len() >= MOST_LISTS && !lists.contains_key(key) {
            lists.clear();
        }
        Arc::clone(lists.entry(key.clone()).or_default())
    }

    fn sorted_by_name(&self, class: &str) -> Result<Vec<TermId>> {
        let members = self.members.get(class).map_or(&[][..], Vec::as_slice);
        let mut held = self.budget.reserve((members.len() * (size_of::<Named>() + size_of::<TermId>())) as u64)?;
        // The names stand one after the other: millions of them would take far more as texts of their own.
        let (mut names, mut named, mut counted) = (String::new(), Vec::with_capacity(members.len()), 0);
        for id in members {
            let Some(node) = node_of(self.source.snapshot, *id) else { continue };
            let start = names.len();
            names.push_str(&self.label(&node).to_lowercase());
            named.push(Named { start, length: (names.len() - start) as u32, id: *id });
            if names.capacity() > counted {
                held.grow(self.budget, (names.capacity() - counted) as u64)?;
                counted = names.capacity();
            }
        }
        // Ids of IRIs sort as these do.
        let name = |of: &Named| &names[of.start..of.start + of.length as usize];
        sort_by(&mut named, Piece::Small, |a, b| name(a).cmp(name(b)).then(a.id.cmp(&b.id)), self.budget)?;
        let mut listed: Vec<TermId> = named.into_iter().map(|named| named.id).collect();
        // Collected in place, it has the room of the names.
        listed.shrink_to_fit();
        Ok(listed)
    }

    pub fn ontology(&self) -> Option<&'a NamedNode> {
        self.index.ontology.as_ref()
    }

    /// The literals of the best of several properties: those in the page's language first.
    pub fn texts(&self, thing: &NamedNode, properties: &[&str]) -> Vec<&'a Literal> {
        for property in properties {
            let mut found: Vec<&Literal> = self
                .facts(thing.into())
                .iter()
                .filter(|q| q.predicate.as_str() == *property)
                .filter_map(|q| match &q.object {
                    Term::Literal(literal) => Some(literal),
                    Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
                })
                .collect();
            if !found.is_empty() {
                found.sort_by_key(|l| l.language().is_some_and(|tag| tag != self.language));
                return found;
            }
        }
        Vec::new()
    }

    /// The descriptions of a thing in a sentence or two, if there are any.
    pub fn descriptions(&self, thing: &NamedNode) -> Vec<&'a Literal> {
        self.texts(
            thing,
            &[RDFS_COMMENT, SKOS_DEFINITION, OBO_DEFINITION, DCT_DESCRIPTION, DC_DESCRIPTION, SCHEMA_DESCRIPTION],
        )
    }
}

pub(super) fn push_once(list: &mut Vec<usize>, number: usize) {
    if list.last() != Some(&number) && !list.contains(&number) {
        list.push(number);
    }
}
