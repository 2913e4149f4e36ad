//! Classes on a line, and arcs for the properties between them.

use super::super::html::At;
use super::{figure, fit, linked, n};
use kgq_syntax::rdf::NamedNode;
use maud::{Markup, html};
use std::collections::BTreeMap;

const ROW: f64 = 22.0;
const LINE: f64 = 300.0;

/// Draws links (from, property, to) as arcs between classes. The classes keep their order, and are indented by their depth.
/// Returns `None` if there is no link to draw.
pub fn arcs(
    at: &At<'_, '_>,
    classes: &[(&NamedNode, usize)],
    links: &[(&NamedNode, &NamedNode, &NamedNode)],
) -> Option<Markup> {
    let rows: BTreeMap<&str, f64> =
        classes.iter().enumerate().map(|(i, (node, _))| (node.as_str(), i as f64 * ROW + 20.0)).collect();
    let drawn: Vec<_> = links
        .iter()
        .filter_map(|(from, property, to)| {
            Some((*rows.get(from.as_str())?, *rows.get(to.as_str())?, from, property, to))
        })
        .collect();
    if drawn.is_empty() {
        return None;
    }
    let reach = drawn.iter().map(|(a, b, ..)| (a - b).abs()).fold(30.0, f64::max).min(900.0) / 2.0;
    let inner = html! {
        @for (a, b, from, property, to) in &drawn {
            @let label = format!("{} — {} — {}", at.model.label(from), at.model.label(property), at.model.label(to));
            (linked(at, property, html! {
                path .edge d=(arc(*a, *b)) { title { (fit(&label, 160)) } }
            }))
        }
        @for (node, depth) in classes {
            @let y = rows.get(node.as_str()).copied().unwrap_or(0.0);
            (linked(at, node, html! {
                circle .dot cx=(n(LINE)) cy=(n(y)) r="3.5" {}
                text x=(n(LINE - 12.0 - 10.0 * (*depth).min(6) as f64)) y=(n(y + 4.5)) text-anchor="end" { (fit(&at.model.label(node), 34)) }
            }))
        }
    };
    let height = classes.len() as f64 * ROW + 20.0;
    Some(figure("arcs", at.say("Classes and the properties between them"), LINE + reach + 30.0, height, &inner))
}

fn arc(a: f64, b: f64) -> String {
    if a == b {
        return format!("M{LINE} {}c26 -14 26 14 0 0", n(a));
    }
    let radius = (a - b).abs() / 2.0;
    // The direction follows the link, so that the arc always bulges to the right.
    let sweep = u8::from(b > a);
    format!("M{LINE} {}A{} {} 0 0 {sweep} {LINE} {}", n(a), n(radius.min(450.0)), n(radius), n(b))
}
