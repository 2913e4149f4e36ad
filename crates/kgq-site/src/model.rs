//! What a site is made of, indexed once so that every page is made from what is near it: facts by subject and by object, the pages'
//! names, what things are called, classes with their ancestors, places; and how one page sees that: in a language, for a folder or a server.

use super::dumps::Dump;
use super::links;
use super::point::{Point, parse_point};
use super::query::PublishedQuery;
use super::shapes::Layout;
use super::vocabulary::*;
use kgq_graph::audit::Audit;
use kgq_graph::catalog::Labels;
use kgq_graph::export::names::{PageNames, safe_part};
use kgq_graph::project::Entailment;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{
    BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, NamedOrBlankNodeRef, Prefixes, Quad, Term,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// What is published.
pub struct Source<'a> {
    /// A short name, which the dumps bear.
    pub name: &'a str,
    pub title: &'a str,
    /// Whatever has an IRI that starts so gets a page.
    pub base: &'a str,
    pub quads: &'a [Quad],
    /// What follows by entailment and is not among the quads.
    pub inferred: &'a [Quad],
    /// By which rules it follows.
    pub entailment: Entailment,
    pub prefixes: &'a Prefixes,
    pub labels: &'a Labels,
    /// What the statements say of their sources.
    pub audit: Arc<Audit<'a>>,
    pub queries: Vec<PublishedQuery<'a>>,
    /// The day of the last change to what is said of a thing, by its IRI.
    pub changed: FxHashMap<String, String>,
    /// Where the pages will stand, if not at the base.
    pub base_url: Option<&'a str>,
    /// Where a SPARQL endpoint over the same data answers, if one does.
    pub endpoint: Option<&'a str>,
    /// Files of the query page: a path below `assets/` and its bytes.
    pub assets: Vec<(String, Vec<u8>)>,
    /// Whether a server shows it, which answers queries and gives any IRI a page.
    pub served: bool,
}

/// What is published, indexed. It knows no language, and nothing that a run of a query would tell.
pub struct Index<'a> {
    pub source: Source<'a>,
    pub names: PageNames,
    pub layout: Layout,
    /// The things that the graph says something of, sorted. All of them have pages.
    pub things: Vec<&'a NamedNode>,
    /// What is named below the base and not described, sorted. It has pages too, which say so.
    pub stubs: Vec<&'a NamedNode>,
    /// The statements of each named graph.
    pub graphs: BTreeMap<&'a str, Vec<&'a Quad>>,
    /// The members of each class by direct `rdf:type`, things with pages only, sorted.
    pub members: BTreeMap<&'a str, Vec<&'a NamedNode>>,
    /// How many statements use a property.
    pub uses: FxHashMap<&'a str, u64>,
    /// Each class with all above it.
    pub ancestors: FxHashMap<&'a str, Vec<&'a str>>,
    /// Things with a place, by IRI.
    pub places: BTreeMap<&'a str, (&'a NamedNode, Point)>,
    /// The canned queries (by number) that name a thing in their text.
    named_by: FxHashMap<String, Vec<usize>>,
    /// Those whose answer holds it, once all are answered.
    answered_by: OnceLock<FxHashMap<String, Vec<usize>>>,
    /// By the IRI of the subject.
    pub(super) out: FxHashMap<&'a str, Vec<&'a Quad>>,
    /// By the label of the subject.
    of_blank: FxHashMap<&'a str, Vec<&'a Quad>>,
    incoming: FxHashMap<&'a str, Vec<&'a Quad>>,
    /// The first statement whose object a blank node is.
    owner: FxHashMap<&'a str, &'a Quad>,
    /// Of what is named only: the first statements that have it as property or within a quoted triple.
    named_in: FxHashMap<&'a str, Vec<&'a Quad>>,
    /// Page of the list of a class's members, without ending.
    browse: FxHashMap<&'a str, String>,
    /// The things whose page has another path than their IRI, by that path without its ending.
    pub renamed: FxHashMap<String, &'a NamedNode>,
    pub dumps: OnceLock<Result<Vec<Dump>>>,
    /// The languages in which things have names.
    pub languages: OnceLock<Vec<String>>,
}

/// The index as one page sees it.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub index: &'a Index<'a>,
    /// The language of titles, and of what the site itself says.
    pub language: &'a str,
    /// Whether the reader chose the language, so that links carry it on.
    pub chosen: bool,
    /// Why the files as they are now cannot be read, if they cannot.
    pub broken: Option<&'a str>,
    /// Whether things can be corrected here.
    pub editable: bool,
    /// What making it may use.
    pub budget: &'a Budget,
}

/// How many languages a reader can choose from.
const LANGUAGES: usize = 8;

impl<'a> Deref for Model<'a> {
    type Target = Index<'a>;

    fn deref(&self) -> &Index<'a> {
        self.index
    }
}

/// Stems of the site's own pages and of files beside them.
const OWN: &[&str] =
    &["index", "404", "ontology-terms", "queries", "places", "data", "ask", "void", "catalog", "service", "search"];

impl<'a> Index<'a> {
    pub fn new(source: Source<'a>) -> Self {
        let mut out: FxHashMap<&str, Vec<&Quad>> = FxHashMap::default();
        let mut of_blank: FxHashMap<&str, Vec<&Quad>> = FxHashMap::default();
        let mut incoming: FxHashMap<&str, Vec<&Quad>> = FxHashMap::default();
        let mut uses: FxHashMap<&str, u64> = FxHashMap::default();
        let mut owner: FxHashMap<&str, &Quad> = FxHashMap::default();
        let mut graphs: BTreeMap<&str, Vec<&Quad>> = BTreeMap::new();
        let mut things: Vec<&NamedNode> = Vec::new();
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        for quad in source.quads {
            match &quad.subject {
                NamedOrBlankNode::NamedNode(node) => out.entry(node.as_str()).or_default().push(quad),
                NamedOrBlankNode::BlankNode(node) => of_blank.entry(node.as_str()).or_default().push(quad),
            }
            *uses.entry(quad.predicate.as_str()).or_default() += 1;
            if let Term::NamedNode(object) = &quad.object {
                incoming.entry(object.as_str()).or_default().push(quad);
            }
            if let Term::BlankNode(object) = &quad.object {
                owner.entry(object.as_str()).or_insert(quad);
            }
            if let GraphName::NamedNode(graph) = &quad.graph_name {
                graphs.entry(graph.as_str()).or_default().push(quad);
            }
            if let NamedOrBlankNode::NamedNode(node) = &quad.subject
                && node.as_str().starts_with(source.base)
                && seen.insert(node.as_str())
            {
                things.push(node);
            }
        }
        // A server has pages for the IRIs of others too; where a graph has none of its own, these are what it is about.
        if source.served && things.is_empty() {
            things.extend(out.values().filter_map(|quads| match &quads.first()?.subject {
                NamedOrBlankNode::NamedNode(node) => Some(node),
                NamedOrBlankNode::BlankNode(_) => None,
            }));
        }
        things.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        let stubs = links::undescribed(source.quads, source.base, &seen);
        let stub_iris: FxHashSet<&str> = stubs.iter().map(|node| node.as_str()).collect();
        let mut index = Self {
            named_in: links::named_in(source.quads, &stub_iris),
            source,
            names: PageNames::default(),
            layout: Layout::default(),
            things,
            stubs,
            graphs,
            members: BTreeMap::new(),
            uses,
            ancestors: FxHashMap::default(),
            places: BTreeMap::new(),
            named_by: FxHashMap::default(),
            answered_by: OnceLock::new(),
            out,
            of_blank,
            incoming,
            owner,
            browse: FxHashMap::default(),
            renamed: FxHashMap::default(),
            dumps: OnceLock::new(),
            languages: OnceLock::new(),
        };
        index.index_classes();
        let mut taken: FxHashSet<String> = FxHashSet::default();
        for class in index.members.keys() {
            let short = index.source.prefixes.shorten(class).unwrap_or_else(|| (*class).to_owned());
            let (mut slug, _) = safe_part(&short.replace([':', '/'], "-"), true);
            while !taken.insert(slug.to_lowercase()) {
                slug.push_str("-2");
            }
            index.browse.insert(class, format!("browse/{slug}"));
        }
        let base = index.source.base;
        if !base.is_empty() {
            let named = index.things.iter().chain(&index.stubs).map(|t| t.as_str()).filter(|iri| iri.starts_with(base));
            index.names = PageNames::assign(base, named, OWN);
        }
        for thing in index.things.iter().chain(&index.stubs) {
            let stem = index.names.get(thing.as_str()).filter(|stem| thing.as_str().strip_prefix(base) != Some(stem));
            if let Some(stem) = stem {
                index.renamed.insert(stem.to_owned(), thing);
            }
        }
        index.layout = Layout::of(&index);
        index.places = index.find_places();
        for (number, query) in index.source.queries.iter().enumerate() {
            for term in &query.names {
                push_once(index.named_by.entry(term.as_str().to_owned()).or_default(), number);
            }
        }
        index
    }

    fn index_classes(&mut self) {
        for thing in &self.things {
            for class in self.types(thing) {
                self.members.entry(class.as_str()).or_default().push(thing);
            }
        }
        let mut above: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for quad in self.source.quads {
            if let (RDFS_SUB_CLASS_OF, NamedOrBlankNode::NamedNode(below), Term::NamedNode(class)) =
                (quad.predicate.as_str(), &quad.subject, &quad.object)
            {
                above.entry(below.as_str()).or_default().push(class.as_str());
            }
        }
        for class in above.keys() {
            let mut all: Vec<&str> = Vec::new();
            let mut open = vec![*class];
            while let Some(next) = open.pop() {
                for parent in above.get(next).into_iter().flatten() {
                    if !all.contains(parent) {
                        all.push(parent);
                        open.push(parent);
                    }
                }
            }
            self.ancestors.insert(class, all);
        }
    }

    fn find_places(&self) -> BTreeMap<&'a str, (&'a NamedNode, Point)> {
        let mut places = BTreeMap::new();
        for thing in &self.things {
            if let Some(point) = self.point_of(thing) {
                places.insert(thing.as_str(), (*thing, point));
            }
        }
        places
    }

    /// The point of a thing: of its geometry's WKT, or by latitude and longitude.
    fn point_of(&self, thing: &NamedNode) -> Option<Point> {
        let (mut latitude, mut longitude) = (None, None);
        for quad in self.facts(thing.into()) {
            match (quad.predicate.as_str(), &quad.object) {
                (GEO_HAS_GEOMETRY, geometry) => {
                    let wkt = self.facts_of_term(geometry).iter().find(|q| q.predicate.as_str() == GEO_AS_WKT);
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

    /// The canned queries (by number) that name a thing in their text.
    pub fn named_by(&self, iri: &str) -> &[usize] {
        self.named_by.get(iri).map_or(&[], Vec::as_slice)
    }

    /// The canned queries (by number) whose answer holds a thing: none until all are answered.
    pub fn answered_by(&self, iri: &str) -> &[usize] {
        self.answered_by.get().and_then(|all| all.get(iri)).map_or(&[], Vec::as_slice)
    }

    /// Answers all canned queries, so that the pages of things can say which answers hold them. Between two queries it asks whether to
    /// go on.
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

    /// The languages that a reader can choose from: those of the site's own words, and those in which most things have names.
    pub fn languages(&self) -> &[String] {
        self.languages.get_or_init(|| {
            let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
            for tag in self.things.iter().flat_map(|thing| self.source.labels.all(thing)).filter_map(|l| l.language()) {
                *counted.entry(tag).or_default() += 1;
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
            languages
        })
    }

    /// Whether the graph names an IRI anywhere.
    pub fn names_it(&self, iri: &str) -> bool {
        let known = self.out.contains_key(iri) || self.incoming.contains_key(iri) || self.uses.contains_key(iri);
        known || self.graphs.contains_key(iri) || self.stubs.iter().any(|node| node.as_str() == iri)
    }

    /// What is said of a node, in the order of the files.
    pub fn facts(&self, subject: NamedOrBlankNodeRef<'_>) -> &[&'a Quad] {
        let facts = match subject {
            NamedOrBlankNodeRef::NamedNode(node) => self.out.get(node.as_str()),
            NamedOrBlankNodeRef::BlankNode(node) => self.of_blank.get(node.as_str()),
        };
        facts.map_or(&[], Vec::as_slice)
    }

    pub fn facts_of_term(&self, term: &Term) -> &[&'a Quad] {
        match term {
            Term::NamedNode(node) => self.facts(node.into()),
            Term::BlankNode(node) => self.facts(node.into()),
            Term::Literal(_) | Term::Triple(_) => &[],
        }
    }

    pub fn blank_facts(&self, node: &BlankNode) -> &[&'a Quad] {
        self.facts(node.into())
    }

    /// What is said of a blank node, as properties and values.
    pub fn said_of(&self, node: &BlankNode) -> Vec<(NamedNode, Term)> {
        self.blank_facts(node).iter().map(|quad| (quad.predicate.clone(), quad.object.clone())).collect()
    }

    /// The statements whose object a thing is.
    pub fn incoming(&self, iri: &str) -> &[&'a Quad] {
        self.incoming.get(iri).map_or(&[], Vec::as_slice)
    }

    /// Of what is named only: statements that have it as property or within a quoted triple, the first of them.
    pub fn named_in(&self, iri: &str) -> &[&'a Quad] {
        self.named_in.get(iri).map_or(&[], Vec::as_slice)
    }

    /// The statement of a thing with a name that a blank node is a part of, such as a class expression that it stands in.
    pub fn statement_around(&self, node: &BlankNode) -> Option<&'a Quad> {
        const FARTHEST: usize = 200;
        let mut quad = *self.owner.get(node.as_str())?;
        for _ in 0..FARTHEST {
            match &quad.subject {
                NamedOrBlankNode::NamedNode(_) => return Some(quad),
                NamedOrBlankNode::BlankNode(node) => quad = self.owner.get(node.as_str())?,
            }
        }
        None
    }

    pub fn types(&self, thing: &NamedNode) -> Vec<&'a NamedNode> {
        let mut types = Vec::new();
        for quad in self.facts(thing.into()) {
            if let (true, Term::NamedNode(class)) = (quad.predicate.as_ref() == rdf::TYPE, &quad.object)
                && !types.contains(&class)
            {
                types.push(class);
            }
        }
        types
    }

    /// The types of a thing without those that another of its types is below.
    pub fn own_types(&self, thing: &NamedNode) -> Vec<&'a NamedNode> {
        let types = self.types(thing);
        let above = |class: &NamedNode| {
            types.iter().any(|other| {
                *other != class && self.ancestors.get(other.as_str()).is_some_and(|all| all.contains(&class.as_str()))
            })
        };
        types.iter().filter(|class| !above(class)).copied().collect()
    }

    /// Whether a thing is of a class or of one below it.
    pub fn is_a(&self, thing: &NamedNode, class: &str) -> bool {
        self.types(thing).iter().any(|t| self.is_below(t.as_str(), class))
    }

    /// Whether a class is another, or is below it.
    pub fn is_below(&self, class: &str, other: &str) -> bool {
        class == other || self.ancestors.get(class).is_some_and(|all| all.contains(&other))
    }

    pub fn is_class(&self, thing: &NamedNode) -> bool {
        self.types(thing).iter().any(|t| [OWL_CLASS, RDFS_CLASS].contains(&t.as_str()))
    }

    pub fn is_property(&self, thing: &NamedNode) -> bool {
        self.types(thing).iter().any(|t| PROPERTY_CLASSES.contains(&t.as_str()))
    }

    pub fn is_deprecated(&self, thing: &NamedNode) -> bool {
        self.facts(thing.into()).iter().any(|q| {
            q.predicate.as_str() == OWL_DEPRECATED
                && matches!(&q.object, Term::Literal(l) if matches!(l.value(), "true" | "1"))
        })
    }

    /// What has a page: the things that are described, then those that are named only.
    pub fn pages(&self) -> impl Iterator<Item = &'a NamedNode> + '_ {
        self.things.iter().chain(&self.stubs).copied()
    }

    /// Whether the graph names a thing and says nothing of it.
    pub fn is_stub(&self, thing: &NamedNode) -> bool {
        self.facts(thing.into()).is_empty()
    }

    /// The page that lists the members of a class.
    pub fn browse_page(&self, class: &str) -> Option<String> {
        self.browse_part(class, 0)
    }

    /// The page of a part of that list.
    pub fn browse_part(&self, class: &str, part: usize) -> Option<String> {
        let stem = self.browse.get(class)?;
        Some(if part == 0 { format!("{stem}.html") } else { format!("{stem}/{}.html", part + 1) })
    }

    /// The site's ontology, if the graph has one with a page.
    pub fn ontology(&self) -> Option<&'a NamedNode> {
        self.members.get(OWL_ONTOLOGY).and_then(|found| found.first().copied())
    }

    pub fn base_url(&self) -> String {
        let base = self.source.base_url.unwrap_or(self.source.base);
        if base.ends_with('/') { base.to_owned() } else { format!("{}/", base.trim_end_matches('#')) }
    }

    /// The host and the path of where the site will stand; the path begins and ends with a slash.
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

    /// What describes a thing in a sentence or two, if anything does.
    pub fn descriptions(&self, thing: &NamedNode) -> Vec<&'a Literal> {
        self.texts(
            thing,
            &[RDFS_COMMENT, SKOS_DEFINITION, OBO_DEFINITION, DCT_DESCRIPTION, DC_DESCRIPTION, SCHEMA_DESCRIPTION],
        )
    }
}

fn push_once(list: &mut Vec<usize>, number: usize) {
    if list.last() != Some(&number) && !list.contains(&number) {
        list.push(number);
    }
}
