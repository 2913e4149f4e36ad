//! Of what is named and not described: where it is named. Of a named graph: the statements that it holds.

use super::html::At;
use super::model::Model;
use kgq_snapshot::Ids;
use kgq_syntax::rdf::{NamedNode, Quad};
use kgq_syntax::text::thousands;
use maud::{Markup, html};

/// How many statements of a graph stand on its page.
const SHOWN: usize = 200;

/// Up to how many statements a named graph is in the files beside its page.
pub const WHOLE: usize = 2000;

/// What the page of a thing that is named only says of that.
pub fn notice(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let graph = at.model.graphs.contains_key(thing.as_str());
    html! {
        @if at.model.is_stub(thing) && !graph {
            p .warning { (at.say("Named here, not described: the graph says nothing of it. Below is where it is named.")) }
        }
    }
}

/// The statements that name a thing as their property, or within a quoted triple.
pub fn mentions(at: &At<'_, '_>, thing: &NamedNode) -> Markup {
    let quads = at.model.named_in(thing);
    let uses = at.model.uses.get(thing.as_str()).copied().unwrap_or(0).max(quads.len() as u64);
    html! {
        @if !quads.is_empty() {
            section { h2 { (at.say("Statements that name it")) } (statements(at, &quads, uses as usize)) }
        }
    }
}

/// What a named graph holds.
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

/// The statements in the files beside a page besides those about the thing: those of a named graph, and of what is not described those
/// that name it.
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
