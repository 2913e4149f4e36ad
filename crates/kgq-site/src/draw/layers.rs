//! Draws a graph from left to right: things that point at nothing come first, any other thing one column beyond its farthest target.

use super::super::html::At;
use super::{drawn_width, figure, fit, linked, n};
use kgq_syntax::rdf::NamedNode;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The maximum number of things in a drawing; more would be unreadable.
const MOST: usize = 160;

const COLUMN: f64 = 270.0;
const LABEL: usize = 28;
const ROW: f64 = 30.0;

/// Draws edges (from, property, to). Returns `None` if there are none, or too many.
pub fn layers(at: &At<'_, '_>, label: &str, edges: &[(&NamedNode, &NamedNode, &NamedNode)]) -> Option<Markup> {
    let mut nodes: BTreeMap<&str, &NamedNode> = BTreeMap::new();
    let mut up: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut down: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, _, to) in edges.iter().filter(|(from, _, to)| from != to) {
        nodes.insert(from.as_str(), from);
        nodes.insert(to.as_str(), to);
        up.entry(from.as_str()).or_default().push(to.as_str());
        down.entry(to.as_str()).or_default().push(from.as_str());
    }
    if nodes.is_empty() || nodes.len() > MOST {
        return None;
    }
    let columns = columns(&nodes, &up);
    let name = |iri: &str| nodes.get(iri).map_or(String::new(), |node| at.model.label(node));
    let mut rows: BTreeMap<&str, f64> = BTreeMap::new();
    let mut next = 0.0;
    let mut roots: Vec<&str> = nodes.keys().copied().filter(|iri| columns.get(iri) == Some(&0)).collect();
    roots.sort_by_cached_key(|iri| (name(iri), *iri));
    for root in roots {
        place(root, &columns, &down, &name, &mut rows, &mut next, 0);
    }
    // Nodes that no root leads to, such as those of a cycle.
    for iri in nodes.keys() {
        if !rows.contains_key(iri) {
            rows.insert(iri, next);
            next += 1.0;
        }
    }
    let deepest = columns.values().max().copied().unwrap_or(0);
    let position = |iri: &str| {
        let column = columns.get(iri).copied().unwrap_or(0) as f64;
        (column * COLUMN + 16.0, rows.get(iri).copied().unwrap_or(0.0) * ROW + 24.0)
    };
    let inner = html! {
        @for (from, property, to) in edges.iter().filter(|(from, _, to)| from != to) {
            @let (x1, y1) = position(to.as_str());
            // The line begins where the label ends.
            @let x1 = x1 + 13.0 + drawn_width(&fit(&name(to.as_str()), LABEL));
            @let (x2, y2) = position(from.as_str());
            path .edge d=(format!("M{} {}C{} {} {} {} {} {}", n(x1), n(y1), n((x1 + x2) / 2.0), n(y1), n((x1 + x2) / 2.0), n(y2), n(x2), n(y2))) {
                title { (fit(&format!("{} — {} — {}", name(from.as_str()), at.model.label(property), name(to.as_str())), 200)) }
            }
        }
        @for (iri, node) in &nodes {
            @let (x, y) = position(iri);
            (linked(at, node, html! {
                circle .dot cx=(n(x)) cy=(n(y)) r="4" {}
                text x=(n(x + 9.0)) y=(n(y + 4.5)) { (fit(&name(iri), LABEL)) }
            }))
        }
    };
    let width = (deepest + 1) as f64 * COLUMN + 16.0;
    Some(figure("layers", label, width, next.max(1.0) * ROW + 32.0, &inner))
}

/// Returns the column of each node: the length of the longest path to a node that points at nothing. Its cap also bounds cycles.
fn columns<'n>(
    nodes: &BTreeMap<&'n str, &NamedNode>,
    up: &BTreeMap<&'n str, Vec<&'n str>>,
) -> BTreeMap<&'n str, usize> {
    let mut columns: BTreeMap<&str, usize> = nodes.keys().map(|iri| (*iri, 0)).collect();
    for _ in 0..nodes.len().min(24) {
        let mut changed = false;
        for iri in nodes.keys() {
            let beyond = up.get(iri).into_iter().flatten().filter_map(|to| columns.get(to)).max().map_or(0, |c| c + 1);
            let beyond = beyond.min(nodes.len() - 1).min(12);
            if columns.get(iri) != Some(&beyond) {
                columns.insert(iri, beyond);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    columns
}

/// Assigns rows to a node and its descendants: leaves get consecutive rows, any other node the middle of its children.
fn place<'n>(
    iri: &'n str,
    columns: &BTreeMap<&'n str, usize>,
    down: &BTreeMap<&'n str, Vec<&'n str>>,
    name: &dyn Fn(&str) -> String,
    rows: &mut BTreeMap<&'n str, f64>,
    next: &mut f64,
    depth: usize,
) {
    if rows.contains_key(iri) || depth > 24 {
        return;
    }
    // Reserve a row before placing the children, so that a cycle ends.
    rows.insert(iri, *next);
    let own = columns.get(iri).copied().unwrap_or(0);
    let mut children: Vec<&str> = down.get(iri).into_iter().flatten().copied().collect();
    children.retain(|child| columns.get(child) == Some(&(own + 1)) && !rows.contains_key(child));
    children.sort_by_cached_key(|child| (name(child), *child));
    children.dedup();
    let first = *next;
    for child in &children {
        place(child, columns, down, name, rows, next, depth + 1);
    }
    if *next == first {
        *next += 1.0;
    } else {
        let (top, bottom) = match (children.first(), children.last()) {
            (Some(top), Some(bottom)) => {
                (rows.get(top).copied().unwrap_or(first), rows.get(bottom).copied().unwrap_or(first))
            }
            _ => (first, first),
        };
        rows.insert(iri, (top + bottom) / 2.0);
    }
}
