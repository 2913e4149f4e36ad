//! Drawings as inline SVG, made from data alone: no script, no own style, no external resources. Equal data gives equal drawings.

mod arcs;
mod grounds;
mod layers;
mod map;
mod neighbours;
mod time;

pub use arcs::arcs;
pub use grounds::{Drawn, Origin, grounds};
pub use layers::layers;
pub use map::{Spot, map};
pub use neighbours::neighbours;
pub use time::{Moment, date_of, moment, timeline};

use super::html::{At, text, web_link};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::char_width;
use maud::{Markup, html};

/// Shortens a label to this many cells; a Chinese character takes two.
fn fit(label: &str, cells: usize) -> String {
    let label = text(label).replace('\n', " ");
    let (mut out, mut used) = (String::new(), 0);
    for c in label.chars() {
        let width = char_width(c);
        if used + width > cells {
            out.push('…');
            return out;
        }
        used += width;
        out.push(c);
    }
    out
}

/// The estimated width of a text at font size 13, in drawing units.
fn drawn_width(text: &str) -> f64 {
    text.chars().map(|c| if char_width(c) > 1 { 13.0 } else { 7.0 }).sum()
}

/// Links a drawn thing to its page, or else to its address on the web.
fn linked(at: &At<'_, '_>, node: &NamedNode, drawn: Markup) -> Markup {
    let own = at.model.page(node.as_str()).map(|page| at.href(&page));
    match own.as_deref().or_else(|| web_link(node.as_str())) {
        Some(href) => html! { a href=(href) { (drawn) } },
        None => drawn,
    }
}

/// Formats a coordinate; a tenth of a unit is precise enough.
fn n(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == rounded.trunc() { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

/// Puts a drawing into a frame that scrolls on narrow screens.
fn figure(kind: &str, label: &str, width: f64, height: f64, inner: &Markup) -> Markup {
    html! {
        figure .drawing .(kind) {
            div .scroll role="group" aria-label=(text(label)) tabindex="0" {
                svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", n(width), n(height))) width=(n(width)) height=(n(height)) {
                    (inner)
                }
            }
        }
    }
}

/// Draws bars beside their labels; the longest takes the full width. Negative values get no bar.
pub fn bars(rows: &[(Markup, f64, String)]) -> Markup {
    let most = rows.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    html! {
        div .bars {
            @for (label, value, shown) in rows {
                span .label { (label) }
                svg .bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
                    rect x="0" y="0" width=(n(if most > 0.0 { value.max(0.0) / most * 100.0 } else { 0.0 })) height="10" {}
                }
                span .value { (shown) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_by_cells_not_by_characters() {
        assert_eq!(fit("商务部外资司", 6), "商务部…");
        assert_eq!(fit("Ministry", 8), "Ministry");
    }
}
