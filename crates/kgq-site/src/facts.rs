//! The facts of a thing on its page, grouped and ordered by the shapes of the ontology, each with its footnotes; and the
//! statements that refer to the thing.

use super::html::At;
use super::notes::Notes;
use super::vocabulary::*;
use kgq_snapshot::{Ids, TermId, TermKind};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::thousands;
use maud::{Markup, html};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The maximum number of referring things listed for each property.
const SHOWN: usize = 60;

/// The maximum number of values of one property on a page.
const MOST_VALUES: usize = 500;

/// The maximum number of values in other languages shown beside those in the language of the site.
pub const FEW_LANGUAGES: usize = 3;

struct Row<'q> {
    order: (f64, String),
    property: &'q NamedNode,
    quads: Vec<&'q Quad>,
}

/// Everything said about a thing, except its types.
pub fn facts(at: &At<'_, '_>, thing: &NamedNode, notes: &mut Notes) -> Markup {
    let model = at.model;
    let classes: Vec<&str> = model.all_types(thing).into_iter().map(NamedNode::as_str).collect();
    // The last group is for what no shape places.
    let mut groups: Vec<Vec<Row<'_>>> = model.layout.groups.iter().map(|_| Vec::new()).collect();
    groups.push(Vec::new());
    let mut by_property: BTreeMap<&str, Vec<&Quad>> = BTreeMap::new();
    for quad in model.facts(thing.into()).iter().filter(|q| q.predicate.as_ref() != rdf::TYPE) {
        by_property.entry(quad.predicate.as_str()).or_default().push(quad);
    }
    for (property, mut quads) in by_property {
        let Some(first) = quads.first() else { continue };
        let first_predicate = &first.predicate;
        quads.sort_by_cached_key(|q| match &q.object {
            Term::Literal(l) => (0, l.language().is_some_and(|tag| tag != model.language), sort_key(l.value())),
            Term::NamedNode(node) => (1, false, sort_key(&model.label(node))),
            Term::BlankNode(_) => (2, false, String::new()),
            Term::Triple(triple) => (3, false, triple.to_string()),
        });
        let slot = model.layout.slot(&classes, property);
        let (group, order) = slot.map_or((groups.len() - 1, default_order(property)), |s| (s.group, s.order));
        let row = Row { order: (order, model.label(first_predicate)), property: first_predicate, quads };
        groups[group].push(row);
    }
    for group in &mut groups {
        group.sort_by(|a, b| a.order.0.total_cmp(&b.order.0).then_with(|| a.order.1.cmp(&b.order.1)));
    }
    let several = groups.iter().filter(|g| !g.is_empty()).count() > 1;
    html! {
        @for (number, rows) in groups.iter().enumerate() {
            @if !rows.is_empty() {
                section .facts {
                    @if let Some(group) = model.layout.groups.get(number) {
                        h2 { (at.model.label(group)) }
                    } @else if several { h2 { (at.say("More")) } } @else { h2 { (at.say("Facts")) } }
                    dl { @for row in rows { (fact_row(at, row, notes)) } }
                }
            }
        }
    }
}

fn fact_row(at: &At<'_, '_>, row: &Row<'_>, notes: &mut Notes) -> Markup {
    let mut seen: FxHashSet<String> = FxHashSet::default();
    let distinct: Vec<&Quad> = row.quads.iter().filter(|q| seen.insert(q.object.to_string())).copied().collect();
    let (shown, folded) = by_language(at, &distinct);
    let more = shown.len().saturating_sub(MOST_VALUES);
    let mut value = |quad: &Quad| {
        html! {
            (at.term(&quad.object))
            (notes.cite(at, &Triple::from(quad.clone())))
            @if let GraphName::NamedNode(graph) = &quad.graph_name { " " span .graph { (at.say("in ")) (at.thing(graph)) } }
        }
    };
    html! {
        div .fact {
            dt { (at.property(row.property)) }
            @for quad in shown.iter().take(MOST_VALUES) { dd { (value(quad)) } }
            @if more > 0 { dd .muted { (at.say("and ")) (thousands(more as u64)) (at.say(" more, which the files beside this page hold")) } }
            @if !folded.is_empty() {
                dd {
                    details .others {
                        summary { (at.count(folded.len() as u64, "value in another language", "values in other languages")) }
                        ul { @for quad in folded.iter().take(MOST_VALUES) { li { (value(quad)) } } }
                    }
                }
            }
        }
    }
}

/// Returns the values to show first, and those in other languages if they are more than a few. The first ones are then in
/// the language of the site, else in English, else in the first language there is.
fn by_language<'q>(at: &At<'_, '_>, quads: &[&'q Quad]) -> (Vec<&'q Quad>, Vec<&'q Quad>) {
    let language = |quad: &Quad| match &quad.object {
        Term::Literal(literal) => literal.language().map(str::to_owned),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    };
    let own = at.model.language;
    let tags: Vec<String> = quads.iter().filter_map(|q| language(q)).collect();
    if tags.iter().filter(|tag| *tag != own).count() <= FEW_LANGUAGES {
        return (quads.to_vec(), Vec::new());
    }
    let wanted = [own, "en"].into_iter().find(|wanted| tags.iter().any(|tag| tag == wanted));
    let wanted = wanted.or(tags.first().map(String::as_str));
    quads.iter().partition(|q| language(q).is_none_or(|tag| Some(tag.as_str()) == wanted))
}

/// The order of properties that no shape places: names, then descriptions, then the rest by label.
fn default_order(property: &str) -> f64 {
    match property {
        RDFS_LABEL | "http://www.w3.org/2004/02/skos/core#prefLabel" => 0.0,
        "http://www.w3.org/2004/02/skos/core#altLabel" => 1.0,
        RDFS_COMMENT | SKOS_DEFINITION | DCT_DESCRIPTION => 2.0,
        _ => 3.0,
    }
}

fn sort_key(text: &str) -> String {
    // Whole numbers are ordered by value.
    match text.parse::<u64>() {
        Ok(number) => format!("{number:020}"),
        Err(_) => text.to_lowercase(),
    }
}

/// The statements that refer to a thing, by property, with counts.
pub fn incoming(at: &At<'_, '_>, thing: &NamedNode, notes: &mut Notes) -> Markup {
    let by_property = referring(at, thing);
    let body = html! {
        @for ((_, _), (predicate, statements)) in &by_property {
            @let is_type = predicate.as_ref() == rdf::TYPE;
            @let members = at.model.browse_page(thing.as_str()).filter(|_| is_type);
            div .fact {
                dt { (at.property(predicate)) " " span .count { (at.count(statements.len() as u64, "thing", "things")) } }
                dd {
                    ul .inline {
                        @for quad in first(at, statements) {
                            li {
                                (at.subject(&quad.subject))
                                @if !is_type { (notes.cite(at, &Triple::from(quad.clone()))) }
                            }
                        }
                        @if statements.len() > SHOWN {
                            li .muted {
                                (at.say("and ")) (thousands((statements.len() - SHOWN) as u64)) (at.say(" more"))
                                @if let Some(page) = &members { ": " a href=(at.href(page)) { (at.say("all of them")) } }
                            }
                        }
                    }
                }
            }
        }
    };
    html! {
        @if !by_property.is_empty() {
            section .facts .incoming { h2 { (at.say("What refers to it")) } dl { (body) } }
        }
    }
}

/// By a property's name and IRI: the property, and its statements about a thing.
type Referring<'a> = BTreeMap<(String, &'a str), (&'a NamedNode, Vec<Ids>)>;

/// The statements that refer to a thing.
fn referring<'a>(at: &At<'_, 'a>, thing: &NamedNode) -> Referring<'a> {
    let (reads, snapshot) = (at.model.reads(), at.model.source.snapshot);
    let mut by_property: FxHashMap<TermId, Vec<Ids>> = FxHashMap::default();
    let mut seen: FxHashSet<Ids> = FxHashSet::default();
    for statement in at.model.incoming(thing) {
        // What stands in a class expression or a list is named by the statement around it.
        let is_part = snapshot.kind(statement[0]) == TermKind::BlankNode;
        let around = is_part.then(|| reads.around(statement[0])).flatten();
        if around.is_some_and(|around| !seen.insert(around)) {
            continue;
        }
        let statement = around.unwrap_or(*statement);
        by_property.entry(statement[1]).or_default().push(statement);
    }
    let named = by_property.into_iter().filter_map(|(property, statements)| {
        let node = reads.node(property)?;
        Some(((at.model.label(node), node.as_str()), (node, statements)))
    });
    named.collect()
}

/// Up to how many things that refer to a thing are sorted by their names: sorting a long list so costs more than its first few are worth.
const MOST_SORTED: usize = 2000;

/// The first of these statements to be shown.
fn first<'a>(at: &At<'_, 'a>, statements: &[Ids]) -> Vec<&'a Quad> {
    let (model, snapshot) = (at.model, at.model.source.snapshot);
    let quads = |statements: &[Ids]| statements.iter().filter_map(|ids| model.statement(*ids)).collect::<Vec<_>>();
    if statements.len() <= MOST_SORTED {
        let mut quads = quads(statements);
        quads.sort_by_cached_key(|q| match &q.subject {
            NamedOrBlankNode::NamedNode(node) => (false, model.label(node).to_lowercase(), q.subject.to_string()),
            NamedOrBlankNode::BlankNode(_) => (true, String::new(), q.subject.to_string()),
        });
        quads.truncate(SHOWN);
        return quads;
    }
    let mut sorted = statements.to_vec();
    if sorted.iter().all(|[subject, ..]| snapshot.kind(*subject) == TermKind::Iri) {
        // Ids of IRIs sort as these do.
        sorted.sort_by_key(|[subject, ..]| *subject);
    } else {
        sorted.sort_by_cached_key(|[subject, ..]| {
            let mut text = Vec::new();
            snapshot.text(*subject, &mut text);
            text
        });
    }
    sorted.truncate(SHOWN);
    quads(&sorted)
}
