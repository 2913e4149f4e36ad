//! For things that are named but not described: where they are named. For named graphs: the statements that they hold.

use super::html::At;
use super::model::Model;
use kgq_snapshot::Ids;
use kgq_syntax::rdf::{NamedNode, Quad};
use kgq_syntax::text::thousands;
use maud::{Markup, html};

/// The maximum number of statements of a graph on its page.
const SHOWN: usize = 200;

/// A named graph with more statements than this is left out of the files beside its page. Of the statements that mention an
/// undescribed thing, at most this many are in them.
pub const WHOLE: usize = 2000;

/// The notice on the page of a thing that is named but not described.
pub fn notice(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let graph = at.model.graphs.contains_key(thing.as_str());
    html! {
        @if at.model.is_stub(thing) && !graph {
            p .warning { (at.say("Named here, not described: the graph says nothing of it. Below is where it is named.")) }
        }
    }
}

/// The statements that name a thing as their property or in a quoted triple.
pub fn mentions(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let quads = at.model.named_in(thing);
    let uses = at.model.uses.get(thing.as_str()).copied().unwrap_or(0).max(quads.len() as u64);
    html! {
        @if !quads.is_empty() {
            section { h2 { (at.say("Statements that name it")) } (statements(at, &quads, uses as usize)) }
        }
    }
}

/// The statements of a named graph.
pub fn contents(at: &At<'_, '_>, graph: &NamedNode) -> Markup {
    let (count, first) = at.model.held_by(graph.as_str(), SHOWN);
    let quads: Vec<&Quad> = first.into_iter().filter_map(|statement| at.model.statement(statement)).collect();
    html! {
        @if !quads.is_empty() {
            section #holds { h2 { (at.say("What this graph holds")) } (statements(at, &quads, count)) }
        }
    }
}

fn statements(at: &At<'_, '_>, quads: &[&Quad], all: usize) -> Markup {
    let shown = quads.len().min(SHOWN);
    html! {
        div .scroll tabindex="0" role="group" aria-label=(at.say("The statements")) {
            table {
                thead { tr { th scope="col" { (at.say("subject")) } th scope="col" { (at.say("predicate")) } th scope="col" { (at.say("object")) } } }
                tbody {
                    @for quad in quads.iter().take(shown) {
                        tr { td { (at.subject(&quad.subject)) } td { (at.property(&quad.predicate)) } td { (at.term(&quad.object)) } }
                    }
                }
            }
        }
        @if all > shown {
            p .muted { (at.say("and ")) (thousands((all - shown) as u64)) (at.say(" more, which the ")) a href=(at.href("data.html")) { (at.say("dumps")) } (at.say(" hold")) }
        }
    }
}

/// The statements in the files beside a page besides the description of the thing: those of a named graph, or those that
/// mention an undescribed thing.
pub fn beside<'a>(model: &Model<'a>, thing: &NamedNode) -> Vec<&'a Quad> {
    let decode = |statement: Ids| model.statement(statement);
    let mut quads: Vec<&Quad> = Vec::new();
    let (count, held) = model.held_by(thing.as_str(), WHOLE);
    if count <= WHOLE {
        quads.extend(held.into_iter().filter_map(decode));
    }
    if model.is_stub(thing) {
        quads.extend(model.incoming(thing).iter().take(WHOLE).copied().filter_map(decode));
        quads.extend(model.named_in(thing));
    }
    quads
}
