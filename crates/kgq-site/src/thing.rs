//! The page of a thing, and its description for search engines.

use super::address::escape;
use super::draw;
use super::facts;
use super::html::{At, Head, page, stop, text};
use super::label::shorten;
use super::mentions;
use super::model::Model;
use super::notes::Notes;
use super::routes::BESIDE;
use super::vocabulary::*;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::thousands;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

/// The maximum number of members on the page of a class.
const MEMBERS: usize = 60;

/// The maximum number of places that a map links by name; with more, pages share one map picture, made once.
const PLACES: usize = 300;

/// With more dates of related things than this, no time line is drawn.
const MOMENTS: usize = 60;

/// The page of a thing at a path.
pub fn thing_page(model: &Model<'_>, thing: &NamedNode, path: &str) -> String {
    let at = At { model, path };
    let mut notes = Notes::default();
    let label = model.label(thing);
    let summary = summary(&at, thing);
    let body_facts = facts::facts(&at, thing, &mut notes);
    let incoming = facts::incoming(&at, thing, &mut notes);
    let body = html! {
        article .thing {
            (kind(&at, thing))
            (at.heading(thing))
            @if model.is_deprecated(thing) { p .warning { (at.say("Deprecated: kept for what was written with it, and not for anything new.")) } }
            @if let Some((words, language)) = &summary { p .summary lang=[language.as_deref().map(cased)] dir="auto" { (text(words)) } }
            (names_row(&at, thing))
            (mentions::notice(&at, thing))
            (body_facts)
            (mentions::contents(&at, thing))
            (members(&at, thing))
            (usage(&at, thing))
            @if let Some(drawn) = draw::neighbours(&at, thing) { section { h2 { (at.say("Around it")) } (drawn) } }
            (timeline(&at, thing))
            (map(&at, thing))
            (incoming)
            (mentions::mentions(&at, thing))
            (queries(&at, thing))
            (notes.render(&at))
            (files_row(&at, thing))
        }
    };
    let head = Head {
        title: label,
        description: summary.map(|(words, _)| shorten(&words, 300)),
        alternates: alternates(model, thing),
        json_ld: Some(schema_org(model, thing, path)),
        query: if path == "about" { format!("iri={}", escape(thing.as_str())) } else { String::new() },
        section: if model.is_class(thing) || model.is_property(thing) { "ontology" } else { "things" },
        ..Head::default()
    };
    page(&at, head, body)
}

/// The files with the same content as the page of a thing: media type and path.
pub fn alternates(model: &Model<'_>, thing: &NamedNode) -> Vec<(&'static str, String)> {
    let beside = BESIDE
        .iter()
        .filter_map(|format| Some((format.media_type(), model.beside(thing.as_str(), format.endings()[0])?)));
    beside.collect()
}

fn kind(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let types = at.model.own_types(thing);
    let statement = at.model.reified_by(thing).is_some();
    let graph = at.model.graphs.contains_key(thing.as_str());
    html! {
        p .kind {
            @if types.is_empty() { @if statement { (at.say("Statement")) } @else if graph { (at.say("Named graph")) } @else { (at.say("Thing")) } }
            @for (i, class) in types.iter().enumerate() {
                @if i > 0 { " · " }
                (at.thing(class))
            }
            @if let Some(page) = types.first().and_then(|class| at.model.browse_page(class.as_str())) {
                " · " a href=(at.href(&page)) { (at.say("all of them")) }
            }
        }
    }
}

/// A one-line summary of a thing: its description, else its first few facts.
pub fn summary(at: &At<'_, '_>, thing: &NamedNode) -> Option<(String, Option<String>)> {
    let model = at.model;
    if let Some(description) = model.descriptions(thing).first() {
        return Some((description.value().trim().to_owned(), description.language().map(str::to_owned)));
    }
    if model.reified_by(thing).is_some() {
        return None;
    }
    let types: Vec<String> = model.own_types(thing).iter().map(|t| model.label(t)).collect();
    let mut words = Vec::new();
    for quad in model.facts(thing.into()) {
        if let Term::NamedNode(node) = &quad.object
            && quad.predicate.as_ref() != rdf::TYPE
        {
            words.push(format!("{} {}", model.label(&quad.predicate), model.label(node)));
        }
        if words.len() == 3 {
            break;
        }
    }
    if types.is_empty() && words.is_empty() {
        return None;
    }
    let mut line = types.join(", ");
    if !line.is_empty() && !words.is_empty() {
        line.push_str(": ");
    }
    line.push_str(&words.join("; "));
    line.push_str(stop(&line).trim_end());
    Some((line, None))
}

/// The IRI and the CURIE, for copying.
fn names_row(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let iri = thing.as_str();
    html! {
        dl .names {
            div { dt { "IRI" } dd { code .copy { (text(iri)) } } }
            @if let Some(short) = at.model.source.prefixes.shorten(iri) { div { dt { "CURIE" } dd { code .copy { (text(&short)) } } } }
        }
    }
}

fn files_row(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    html! {
        footer .about {
            @if at.model.editable { p { a href=(at.href(&format!("edit.html?iri={}", escape(thing.as_str())))) rel="nofollow" { (at.say("Correct this")) } } }
            @if at.model.editable && at.model.members.contains_key(thing.as_str()) {
                p { a href=(at.href(&format!("edit.html?class={}", escape(thing.as_str())))) rel="nofollow" { (at.say("Add one")) } }
            }
            p {
                (at.say("This page as data: "))
                @for (i, (words, (_, path))) in ["Turtle", "JSON-LD", "N-Triples"].iter().zip(alternates(at.model, thing)).enumerate() {
                    @if i > 0 { ", " }
                    a href=(at.href(&path)) { (words) }
                }
                @if let Some(day) = at.model.source.changed.get(thing.as_str()) { (at.say(". Last changed ")) time datetime=(day) { (day) } }
                "."
            }
        }
    }
}

/// For a class: its members, and the constraints of its shapes.
fn members(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let rules = super::shapes::shapes_of(at, thing);
    let members = at.model.members.get(thing.as_str());
    html! {
        @if !rules.is_empty() {
            section { h2 { (at.say("What is asked of each")) } ul .rules { @for rule in &rules { li { (rule) } } } }
        }
        @if let Some(members) = members {
            section {
                h2 { (thousands(members.len() as u64)) (at.say(" of them")) }
                ul .inline { @for member in at.model.nodes(members).take(MEMBERS) { li { (at.thing(&member)) } } }
                @if members.len() > MEMBERS
                    && let Some(page) = at.model.browse_page(thing.as_str()) { p { a href=(at.href(&page)) { (at.say("All of them")) } } }
            }
        }
    }
}

/// For a property: how often it is used.
fn usage(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let uses = at.model.uses.get(thing.as_str()).copied().unwrap_or(0);
    html! {
        @if at.model.is_property(thing) {
            p .muted { @if uses == 0 { (at.say("No statement uses it.")) } @else { (at.count(uses, "statement uses it", "statements use it")) "." } }
        }
    }
}

fn timeline(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let model = at.model;
    if model.is_class(thing) || model.is_property(thing) {
        return html! {};
    }
    let mut moments = Vec::new();
    let mut collect = |quad: &Quad, of: Option<&NamedNode>| {
        if let Some((date, at_year)) = draw::date_of(&quad.object) {
            let what = match of {
                None => html! { (at.property(&quad.predicate)) },
                Some(other) => html! { (at.thing(other)) " — " (model.label(&quad.predicate)) },
            };
            moments.push(draw::Moment { at: at_year, written: date.value().to_owned(), what, own: of.is_none() });
        }
    };
    let facts = model.facts(thing.into());
    facts.iter().for_each(|quad| collect(quad, None));
    let incoming = model.incoming(thing).iter().take(400).filter_map(|statement| model.statement(*statement));
    let incoming = incoming.filter_map(|q| match &q.subject {
        NamedOrBlankNode::NamedNode(node) if model.names.get(node.as_str()).is_some() => Some(node),
        NamedOrBlankNode::NamedNode(_) | NamedOrBlankNode::BlankNode(_) => None,
    });
    let outgoing = facts.iter().filter_map(|q| match &q.object {
        Term::NamedNode(node) if q.predicate.as_ref() != rdf::TYPE => Some(node),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    let mut near: Vec<&NamedNode> = incoming.chain(outgoing).filter(|node| *node != thing).collect();
    near.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    near.dedup();
    for node in near {
        model.facts(node.into()).iter().for_each(|quad| collect(quad, Some(node)));
    }
    let own = moments.iter().any(|m| m.own);
    if moments.is_empty() || moments.len() > MOMENTS || (moments.len() < 2 && !own) {
        return html! {};
    }
    html! { section { h2 { (at.say("In time")) } (draw::timeline(at, moments)) } }
}

fn map(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let model = at.model;
    if !model.places.contains_key(thing.as_str()) {
        return html! {};
    }
    if model.places.len() > PLACES {
        return html! {
            section {
                h2 { (at.say("Where it is")) }
                p { (at.say("One of ")) a href=(at.href("places.html")) { (thousands(model.places.len() as u64)) (at.say(" places on the map")) } "." }
                @if let Some((node, point)) = model.places.get(thing.as_str()) {
                    (draw::map(at, &[draw::Spot { node, label: model.label(node), point: *point, own: true }]).unwrap_or_default())
                }
            }
        };
    }
    let spots: Vec<draw::Spot<'_>> = model
        .places
        .iter()
        .map(|(iri, (node, point))| draw::Spot {
            node,
            label: model.label(node),
            point: *point,
            own: iri == thing.as_str(),
        })
        .collect();
    html! { @if let Some(drawn) = draw::map(at, &spots) { section { h2 { (at.say("Where it is")) } (drawn) } } }
}

fn queries(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let model = at.model;
    let list = |numbers: &[usize]| -> Vec<(String, String)> {
        let queries = numbers.iter().filter_map(|n| model.source.queries.get(*n));
        let asked = queries.filter(|q| !q.canned.is_check());
        asked.map(|q| (model.query_page(q), q.title(model).to_owned())).collect()
    };
    let named = list(model.named_by(thing.as_str()));
    let mut answered = list(model.answered_by(thing.as_str()));
    answered.retain(|query| !named.contains(query));
    html! {
        @if !named.is_empty() || !answered.is_empty() {
            section {
                h2 { (at.say("Questions")) }
                dl {
                    @for (words, list) in [("that name it", &named), ("whose answer holds it", &answered)] {
                        @if !list.is_empty() {
                            div .fact { dt { (at.say(words)) } dd { ul .inline { @for (page, title) in list { li { a href=(at.href(page)) { (text(title)) } } } } } }
                        }
                    }
                }
            }
        }
    }
}

/// The statements in the files beside a thing's page: those about the thing, about blank nodes below it, and about the
/// reifiers of all these.
pub fn description<'a>(model: &Model<'a>, thing: &NamedNode) -> Vec<&'a Quad> {
    let mut quads: Vec<&Quad> = Vec::new();
    let mut seen: rustc_hash::FxHashSet<NamedOrBlankNode> = rustc_hash::FxHashSet::default();
    let mut open: Vec<NamedOrBlankNode> = vec![thing.clone().into()];
    while let Some(subject) = open.pop() {
        if !seen.insert(subject.clone()) {
            continue;
        }
        for quad in model.facts(subject.as_ref()) {
            quads.push(quad);
            if let Term::BlankNode(node) = &quad.object {
                open.push(node.clone().into());
            }
            if quad.predicate.as_ref() != rdf::REIFIES {
                let statements = model.source.audit.statements(&Triple::from(quad.clone()));
                open.extend(statements.into_iter().map(|s| s.reifier));
            }
        }
    }
    quads.extend(mentions::beside(model, thing));
    quads
}

/// The facts that schema.org has terms for.
fn schema_org(model: &Model<'_>, thing: &NamedNode, path: &str) -> Value {
    let mut out = Map::new();
    out.insert("@context".into(), json!("https://schema.org"));
    let place = model.places.get(thing.as_str());
    let kinds: [(&str, bool); 7] = [
        ("DefinedTermSet", model.is_a(thing, OWL_ONTOLOGY)),
        ("DefinedTerm", model.is_class(thing) || model.is_property(thing) || model.is_a(thing, SKOS_CONCEPT)),
        ("Person", model.is_a(thing, FOAF_PERSON)),
        ("Organization", model.is_a(thing, ORG_ORGANIZATION)),
        ("Place", place.is_some()),
        ("CreativeWork", model.is_a(thing, FOAF_DOCUMENT)),
        ("Thing", true),
    ];
    let kind = kinds.iter().find(|(_, is)| *is).map_or("Thing", |(kind, _)| kind);
    out.insert("@type".into(), json!(kind));
    out.insert("@id".into(), json!(thing.as_str()));
    out.insert("url".into(), json!(model.url(path)));
    let titles = model.titles(thing);
    let names: Vec<Value> = titles
        .best
        .into_iter()
        .chain(titles.others)
        .map(|title| match title.language() {
            Some(language) => json!({"@value": title.value(), "@language": cased(language)}),
            None => json!(title.value()),
        })
        .collect();
    out.insert("name".into(), if names.is_empty() { json!(model.label(thing)) } else { Value::Array(names) });
    if let Some(description) = model.descriptions(thing).first() {
        out.insert("description".into(), json!(description.value()));
    }
    if let Some(short) = model.source.prefixes.shorten(thing.as_str()) {
        out.insert("identifier".into(), json!(short));
    }
    if let Some((_, point)) = place {
        let geo = json!({"@type": "GeoCoordinates", "latitude": point.latitude, "longitude": point.longitude});
        out.insert("geo".into(), geo);
    }
    let same: Vec<&str> = model
        .facts(thing.into())
        .iter()
        .filter(|q| [OWL_SAME_AS, SKOS_EXACT_MATCH].contains(&q.predicate.as_str()))
        .filter_map(|q| match &q.object {
            Term::NamedNode(node) => Some(node.as_str()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
        .collect();
    if !same.is_empty() {
        out.insert("sameAs".into(), json!(same));
    }
    Value::Object(out)
}
