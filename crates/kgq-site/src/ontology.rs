//! The ontology on one page: the class tree, the properties with domain, range and number of uses, then each term, folded,
//! with its SHACL constraints in words. The anchors are the local names of the terms.

use super::draw;
use super::facts;
use super::html::{At, Head, page, text};
use super::model::Model;
use super::notes::Notes;
use super::thing::alternates;
use super::vocabulary::*;
use kgq_graph::catalog::local_name;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use kgq_syntax::text::thousands;
use maud::{Markup, html};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// The maximum depth of the drawn class tree.
const DEEPEST: usize = 12;

/// The ontology page at a path.
pub fn ontology_page(model: &Model<'_>, path: &str) -> String {
    let at = At { model, path };
    let own = model.ontology();
    let title = own.map_or_else(|| at.say("Ontology").to_owned(), |iri| model.label(iri));
    let terms = Terms::of(model);
    let mut notes = Notes::default();
    let drawn = drawing(&at, &terms);
    let facts = own.map(|iri| facts::facts(&at, iri, &mut notes));
    let body = html! {
        article .ontology {
            p .kind { (at.say("Ontology")) }
            @match own { Some(iri) => (at.heading(iri)), None => h1 { (title) } }
            @if let Some(iri) = own {
                @if let Some(description) = model.descriptions(iri).first() { p .summary { (at.literal(description)) } }
                dl .names { div { dt { "IRI" } dd { code .copy { (text(iri.as_str())) } } } }
            }
            nav .contents aria-label=(at.say("On this page")) {
                ul .links {
                    li { a href="#the-classes" { (at.count(terms.classes.len() as u64, "class", "classes")) (at.say(" as a tree")) } }
                    @if drawn.is_some() { li { a href="#the-links" { (at.say("how they are linked")) } } }
                    li { a href="#the-properties" { (at.count(terms.properties.len() as u64, "property", "properties")) (at.say(" in a table")) } }
                    @if !terms.classes.is_empty() { li { a href="#each-class" { (at.say("each class")) } } }
                    @if !terms.properties.is_empty() { li { a href="#each-property" { (at.say("each property")) } } }
                    @if facts.is_some() { li { a href="#about-it" { (at.say("about it")) } } }
                }
            }
            section { h2 #the-classes { (at.say("Classes")) } (tree(&at, &terms)) }
            @if let Some(drawn) = drawn { section { h2 #the-links { (at.say("How they are linked")) } (drawn) } }
            section { h2 #the-properties { (at.say("Properties")) } (overview(&at, &terms)) }
            @if !terms.classes.is_empty() {
                section { h2 #each-class { (at.say("Each class")) } @for class in &terms.classes { (class_entry(&at, &terms, class)) } }
            }
            @if !terms.properties.is_empty() {
                section { h2 #each-property { (at.say("Each property")) } @for property in &terms.properties { (property_entry(&at, property, &terms)) } }
            }
            @if let Some(facts) = facts { div #about-it { (facts) } }
            (notes.render(&at))
            @if let Some(iri) = own
                && let Some(stem) = model.names.get(iri.as_str()) {
                footer .about { p { (at.say("As data: ")) a href=(at.href(&format!("{stem}.ttl"))) { "Turtle" } ", " a href=(at.href(&format!("{stem}.jsonld"))) { "JSON-LD" } ", " a href=(at.href(&format!("{stem}.nt"))) { "N-Triples" } "." } }
            }
        }
    };
    let alternates = own.map_or(Vec::new(), |iri| alternates(model, iri));
    page(&at, Head { title, section: "ontology", alternates, ..Head::default() }, body)
}

/// The terms of the project, and foreign classes that are above them or whose members have pages.
struct Terms<'a> {
    /// The classes of the project.
    classes: Vec<&'a NamedNode>,
    properties: Vec<&'a NamedNode>,
    /// Direct subclasses, by class.
    below: BTreeMap<&'a str, Vec<&'a NamedNode>>,
    roots: Vec<&'a NamedNode>,
    anchors: BTreeMap<&'a str, String>,
}

impl<'a> Terms<'a> {
    fn of(model: &Model<'a>) -> Self {
        let mut classes: Vec<&NamedNode> = model.members_here(&[OWL_CLASS, RDFS_CLASS]);
        let mut properties: Vec<&NamedNode> = model.members_here(PROPERTY_CLASSES);
        classes.sort_by_cached_key(|c| (model.label(c).to_lowercase(), c.as_str()));
        properties.sort_by_cached_key(|p| (model.label(p).to_lowercase(), p.as_str()));
        let mut below: BTreeMap<&str, Vec<&NamedNode>> = BTreeMap::new();
        let mut roots: Vec<&NamedNode> = Vec::new();
        for class in &classes {
            let parents: Vec<&NamedNode> = model
                .facts((*class).into())
                .iter()
                .filter(|q| q.predicate.as_str() == RDFS_SUB_CLASS_OF)
                .filter_map(|q| match &q.object {
                    Term::NamedNode(parent) if parent != *class => Some(parent),
                    Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
                })
                .collect();
            if parents.is_empty() {
                roots.push(class);
            }
            for parent in parents {
                below.entry(parent.as_str()).or_default().push(class);
                let foreign = model.thing(parent.as_str()).is_none();
                if foreign && !roots.contains(&parent) {
                    roots.push(parent);
                }
            }
        }
        roots.sort_by_cached_key(|c| (model.label(c).to_lowercase(), c.as_str()));
        let mut used: FxHashSet<String> = [
            "main",
            "the-classes",
            "the-links",
            "the-properties",
            "each-class",
            "each-property",
            "about-it",
            "sources",
        ]
        .map(str::to_owned)
        .into_iter()
        .collect();
        let mut anchors = BTreeMap::new();
        for term in classes.iter().chain(&properties) {
            let mut anchor = local_name(term.as_str()).to_owned();
            if anchor.is_empty() {
                anchor.push_str("term");
            }
            // Terms of two namespaces can have the same local name.
            while !used.insert(anchor.clone()) {
                anchor.push('-');
            }
            anchors.insert(term.as_str(), anchor);
        }
        Self { classes, properties, below, roots, anchors }
    }

    fn link(&self, at: &At<'_, '_>, term: &NamedNode) -> Markup {
        let deprecated = at.model.is_deprecated(term);
        match self.anchors.get(term.as_str()) {
            Some(anchor) => {
                html! { a href=(fragment(anchor)) class=[deprecated.then_some("deprecated")] { (text(&at.model.label(term))) } }
            }
            None => at.thing(term),
        }
    }
}

/// The fragment of a link to an anchor.
fn fragment(anchor: &str) -> String {
    let mut out = String::from("#");
    for byte in anchor.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn tree(at: &At<'_, '_>, terms: &Terms<'_>) -> Markup {
    fn branch(at: &At<'_, '_>, terms: &Terms<'_>, class: &NamedNode, way: &mut Vec<String>) -> Markup {
        let members = at.model.members.get(class.as_str()).map_or(0, Vec::len);
        let empty = Vec::new();
        let below = terms.below.get(class.as_str()).unwrap_or(&empty);
        way.push(class.as_str().to_owned());
        let deeper: Vec<Markup> = if way.len() < DEEPEST {
            let fresh: Vec<&&NamedNode> = below.iter().filter(|c| !way.contains(&c.as_str().to_owned())).collect();
            fresh.into_iter().map(|class| branch(at, terms, class, way)).collect()
        } else {
            Vec::new()
        };
        way.pop();
        html! {
            li {
                (terms.link(at, class))
                @if members > 0 { " " span .count { (thousands(members as u64)) } }
                @if !deeper.is_empty() { ul { @for branch in &deeper { (branch) } } }
            }
        }
    }
    html! { ul .tree { @for root in &terms.roots { (branch(at, terms, root, &mut Vec::new())) } } }
}

fn objects<'a>(model: &Model<'a>, term: &NamedNode, property: &str) -> Vec<&'a Term> {
    model.facts(term.into()).iter().filter(|q| q.predicate.as_str() == property).map(|q| &q.object).collect()
}

fn overview(at: &At<'_, '_>, terms: &Terms<'_>) -> Markup {
    let list = |found: &[&Term]| {
        html! { @for (i, term) in found.iter().enumerate() { @if i > 0 { ", " } @match term { Term::NamedNode(node) => (terms.link(at, node)), other => (at.term(other)) } } }
    };
    html! {
        div .scroll tabindex="0" role="group" aria-label=(at.say("The properties")) {
            table {
                thead { tr { th scope="col" { (at.say("property")) } th scope="col" { (at.say("of")) } th scope="col" { (at.say("to")) } th scope="col" .number { (at.say("uses")) } } }
                tbody {
                    @for property in &terms.properties {
                        tr {
                            td { (terms.link(at, property)) }
                            td { (list(&objects(at.model, property, RDFS_DOMAIN))) }
                            td { (list(&objects(at.model, property, RDFS_RANGE))) }
                            td .number { (thousands(at.model.uses.get(property.as_str()).copied().unwrap_or(0))) }
                        }
                    }
                }
            }
        }
    }
}

/// A term, folded to its names. Its anchor is inside the folded part, because a browser unfolds that part for a link to it.
fn entry(at: &At<'_, '_>, terms: &Terms<'_>, term: &NamedNode, facts: &Markup) -> Markup {
    let anchor = terms.anchors.get(term.as_str()).map_or("", String::as_str);
    let titles = at.model.titles(term);
    html! {
        details .term {
            summary {
                h3 {
                    span lang=[titles.best.and_then(|t| t.language()).map(cased)] dir="auto" { (text(&at.model.label(term))) }
                    " " code { (text(&at.model.curie(term.as_str()))) }
                    @if at.model.is_deprecated(term) { " " span .badge { (at.say("deprecated")) } }
                }
            }
            div .body id=(anchor) {
                (at.other_names(&titles.others))
                @for description in at.model.descriptions(term) { p { (at.literal(description)) } }
                (facts)
                @if let Some(page) = at.model.page(term.as_str()) { p { a href=(at.href(&page)) { (at.say("All that is said of it")) } } }
            }
        }
    }
}

fn class_entry(at: &At<'_, '_>, terms: &Terms<'_>, class: &NamedNode) -> Markup {
    let model = at.model;
    let above = objects(model, class, RDFS_SUB_CLASS_OF);
    let members = model.members.get(class.as_str()).map_or(0, Vec::len);
    let of: Vec<&&NamedNode> = terms
        .properties
        .iter()
        .filter(|p| objects(model, p, RDFS_DOMAIN).iter().any(|t| matches!(t, Term::NamedNode(n) if n == class)))
        .collect();
    let rules = super::shapes::shapes_of(at, class);
    let facts = html! {
            dl {
                @if !above.is_empty() {
                    div .fact { dt { (at.say("a kind of")) } @for term in &above { dd { @match term { Term::NamedNode(n) => (terms.link(at, n)), other => (at.term(other)) } } } }
                }
                @if members > 0 {
                    div .fact { dt { (at.say("members")) } dd { @match model.browse_page(class.as_str()) { Some(page) => a href=(at.href(&page)) { (thousands(members as u64)) }, None => (thousands(members as u64)) } } }
                }
                @if !of.is_empty() {
                    div .fact { dt { (at.say("properties")) } dd { ul .inline { @for property in &of { li { (terms.link(at, property)) } } } } }
                }
                @if !rules.is_empty() {
                    div .fact { dt { (at.say("asked of each")) } dd { ul .rules { @for rule in &rules { li { (rule) } } } } }
                }
            }
    };
    entry(at, terms, class, &facts)
}

fn property_entry(at: &At<'_, '_>, property: &NamedNode, terms: &Terms<'_>) -> Markup {
    let model = at.model;
    let uses = model.uses.get(property.as_str()).copied().unwrap_or(0);
    let facts = html! {
            dl {
                @for (words, iri) in [("of", RDFS_DOMAIN), ("to", RDFS_RANGE), ("a kind of", RDFS_SUB_PROPERTY_OF)] {
                    @let found = objects(model, property, iri);
                    @if !found.is_empty() {
                        div .fact { dt { (at.say(words)) } @for term in &found { dd { @match term { Term::NamedNode(n) => (terms.link(at, n)), other => (at.term(other)) } } } }
                    }
                }
                div .fact { dt { (at.say("used")) } dd { (at.count(uses, "time", "times")) } }
            }
    };
    entry(at, terms, property, &facts)
}

/// Draws the classes on a line, with arcs for the properties between them.
fn drawing(at: &At<'_, '_>, terms: &Terms<'_>) -> Option<Markup> {
    let model = at.model;
    let mut classes: Vec<(&NamedNode, usize)> = Vec::new();
    fn walk<'a>(terms: &Terms<'a>, class: &'a NamedNode, depth: usize, out: &mut Vec<(&'a NamedNode, usize)>) {
        if depth > DEEPEST || out.iter().any(|(c, _)| *c == class) {
            return;
        }
        out.push((class, depth));
        for below in terms.below.get(class.as_str()).into_iter().flatten() {
            walk(terms, below, depth + 1, out);
        }
    }
    for root in &terms.roots {
        walk(terms, root, 0, &mut classes);
    }
    let mut links: Vec<(&NamedNode, &NamedNode, &NamedNode)> = Vec::new();
    for property in &terms.properties {
        for domain in objects(model, property, RDFS_DOMAIN) {
            for range in objects(model, property, RDFS_RANGE) {
                if let (Term::NamedNode(from), Term::NamedNode(to)) = (domain, range) {
                    // Foreign classes that properties lead to come at the end of the line.
                    let literal = to.as_str().starts_with(XSD) || model.is_literal_class(to);
                    for class in [from, to] {
                        if !literal && !classes.iter().any(|(c, _)| *c == class) {
                            classes.push((class, 0));
                        }
                    }
                    if !literal {
                        links.push((from, property, to));
                    }
                }
            }
        }
    }
    (classes.len() <= 150).then(|| draw::arcs(at, &classes, &links)).flatten()
}

impl Model<'_> {
    /// Whether a class is a datatype.
    fn is_literal_class(&self, class: &NamedNode) -> bool {
        let datatype = "http://www.w3.org/2000/01/rdf-schema#Datatype";
        ["http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "http://www.w3.org/2000/01/rdf-schema#Literal"]
            .contains(&class.as_str())
            || self.types(class).iter().any(|t| t.as_str() == datatype)
            || self.facts(NamedOrBlankNode::from(class.clone()).as_ref()).is_empty()
                && class.as_str().ends_with("Literal")
    }
}
