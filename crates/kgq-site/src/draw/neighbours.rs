//! Draws a thing between the things that refer to it and those it refers to.

use super::super::html::At;
use super::{drawn_width, figure, fit, linked, n};
use kgq_snapshot::{Ids, TermKind};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term};
use maud::{Markup, html};

/// The maximum number of things on each side.
const MOST: usize = 9;

const ROW: f64 = 44.0;
/// The distance of the neighbours' names from the box of the thing, and from the end of their line.
const LINE: f64 = 64.0;
const GAP: f64 = 10.0;
/// The font size of property names relative to that of things.
const PROPERTY_SIZE: f64 = 11.0 / 13.0;
/// How much wider than estimated some typefaces are.
const WIDER: f64 = 1.18;
/// The maximum number of cells of a label.
const CELLS: usize = 34;

/// Draws the neighbours: things that refer to it on the left, things it refers to on the right. Returns `None` if there are none.
pub fn neighbours(at: &At<'_, '_>, thing: &NamedNode) -> Option<Markup> {
    let model = at.model;
    let interesting = |q: &&Quad| q.predicate.as_ref() != rdf::TYPE;
    let mut right: Vec<(&NamedNode, &NamedNode)> = Vec::new();
    for quad in model.facts(thing.into()).iter().filter(interesting) {
        if let Term::NamedNode(node) = &quad.object
            && node != thing
            && !right.iter().any(|(_, other)| *other == node)
        {
            right.push((&quad.predicate, node));
        }
        // Any few will do, on either side: comparing all of a thing's many objects with each other would not pay.
        if right.len() > MOST {
            break;
        }
    }
    let mut left: Vec<(&NamedNode, &NamedNode)> = Vec::new();
    // Only what can be drawn is decoded: everything may refer to this thing.
    let is_drawn = |[subject, predicate, ..]: &&Ids| {
        Some(*predicate) != model.known.kind && model.source.snapshot.kind(*subject) == TermKind::Iri
    };
    let incoming = model.incoming(thing).iter().filter(is_drawn);
    for quad in incoming.filter_map(|statement| model.statement(*statement)) {
        if let NamedOrBlankNode::NamedNode(node) = &quad.subject
            && node != thing
            && !left.iter().any(|(_, other)| *other == node)
        {
            left.push((&quad.predicate, node));
        }
        if left.len() > MOST {
            break;
        }
    }
    if left.is_empty() && right.is_empty() {
        return None;
    }
    let more_right = right.len() > MOST;
    let more_left = left.len() > MOST;
    left.truncate(MOST);
    right.truncate(MOST);
    let rows = (left.len() + usize::from(more_left)).max(right.len() + usize::from(more_right)).max(2);
    let height = rows as f64 * ROW + 16.0;
    let middle = height / 2.0;
    let label = model.label(thing);
    let own = fit(&label, CELLS);
    // Bold text is wider than the estimate.
    let half = drawn_width(&own) * 0.55 + 14.0;
    let room = |list: &[(&NamedNode, &NamedNode)]| {
        let names = list.iter().map(|(property, node)| {
            let property = drawn_width(&fit(&model.label(property), CELLS)) * PROPERTY_SIZE;
            drawn_width(&fit(&model.label(node), CELLS)).max(property)
        });
        // "and more below" needs room, too.
        names.fold(80.0, f64::max) * WIDER
    };
    let beside = |list: &[(&NamedNode, &NamedNode)]| if list.is_empty() { 2.0 } else { room(list) + GAP + LINE };
    let centre = beside(&left) + half;
    let width = centre + half + beside(&right);
    let side = |list: &[(&NamedNode, &NamedNode)], more: bool, is_left: bool| {
        let total = list.len() + usize::from(more);
        let top = middle - (total as f64) * ROW / 2.0 + ROW / 2.0;
        let (x, anchor, start, end) = if is_left {
            (centre - half - LINE - GAP, "end", centre - half - LINE, centre - half)
        } else {
            (centre + half + LINE + GAP, "start", centre + half + LINE, centre + half)
        };
        html! {
            @for (i, (property, node)) in list.iter().enumerate() {
                @let y = top + i as f64 * ROW;
                path .edge d=(format!("M{} {}C{} {} {} {} {} {}", n(start), n(y), n((start + end) / 2.0), n(y), n((start + end) / 2.0), n(middle), n(end), n(middle))) {}
                text .property x=(n(x)) y=(n(y - 8.0)) text-anchor=(anchor) { (fit(&model.label(property), CELLS)) }
                (linked(at, node, html! { text x=(n(x)) y=(n(y + 8.0)) text-anchor=(anchor) { (fit(&model.label(node), CELLS)) } }))
            }
            @if more {
                text .property x=(n(x)) y=(n(top + list.len() as f64 * ROW)) text-anchor=(anchor) { (at.say("and more below")) }
            }
        }
    };
    let inner = html! {
        (side(&left, more_left, true))
        (side(&right, more_right, false))
        rect .centre x=(n(centre - half)) y=(n(middle - 17.0)) width=(n(half * 2.0)) height="34" rx="4" {}
        text .centre x=(n(centre)) y=(n(middle + 4.5)) text-anchor="middle" { (own) }
    };
    Some(figure("neighbours", &at.fill("What is near {}", &label), width, height, &inner))
}
