//! Draws why a row holds, from left to right: the row, its statements with the premises of inferred ones below, their sources.

use super::super::html::{At, text};
use super::{drawn_width, figure, fit, n};
use maud::{Markup, html};

/// The maximum number of statements, and of sources, in a drawing; the list below it has all.
const MOST: usize = 40;

const ROW: f64 = 30.0;
const ROW_LABEL: usize = 24;
const LABEL: usize = 56;
const STATEMENTS: f64 = 240.0;
const INDENT: f64 = 20.0;
/// This many cells of a label are at least as wide as one step of indentation.
const CELLS_A_STEP: usize = 3;
const SOURCES: f64 = 680.0;
const WIDTH: f64 = 960.0;

/// A statement of the drawing.
pub struct Drawn {
    pub label: String,
    /// The link to the statement on the page.
    pub href: Option<String>,
    /// The number of inference steps between this statement and the statements of the row.
    pub depth: usize,
    pub is_inferred: bool,
    /// The numbers of its sources.
    pub sources: Vec<usize>,
}

impl Drawn {
    /// The number of steps by which it is indented.
    fn steps(&self) -> usize {
        self.depth.min(4)
    }

    /// The width of its label in cells. However far it is indented, the label ends before the sources.
    fn cells(&self) -> usize {
        LABEL - CELLS_A_STEP * self.steps()
    }
}

/// A source with its number.
pub struct Origin {
    pub number: usize,
    pub label: String,
    pub href: String,
}

/// Makes the drawing; `None` if there is nothing to draw, or too much.
pub fn grounds(at: &At<'_, '_>, row: &str, statements: &[Drawn], sources: &[Origin]) -> Option<Markup> {
    if statements.is_empty() || statements.len().max(sources.len()) > MOST {
        return None;
    }
    let rows = statements.len().max(sources.len()) as f64;
    let height = rows * ROW + 24.0;
    let line = |number: usize| number as f64 * ROW + 24.0;
    let middle = |many: usize, number: usize| line(number) + (rows - many as f64) * ROW / 2.0;
    let root = (16.0, middle(1, 0));
    let place = |number: usize| {
        let steps = statements.get(number).map_or(0, Drawn::steps);
        (STATEMENTS + steps as f64 * INDENT, middle(statements.len(), number))
    };
    let source = |number: usize| {
        sources.iter().position(|origin| origin.number == number).map(|at| (SOURCES, middle(sources.len(), at)))
    };
    // A premise hangs on the nearest statement above it that is fewer steps from the row.
    let above = |number: usize| {
        let depth = statements.get(number).map_or(0, |drawn| drawn.depth);
        (0..number).rev().find(|other| statements.get(*other).is_some_and(|drawn| drawn.depth < depth))
    };
    let inner = html! {
        @for (number, drawn) in statements.iter().enumerate() {
            @let to = place(number);
            @match above(number) {
                Some(parent) => (edge(place(parent), to, true)),
                None => (edge((root.0 + 19.0 + drawn_width(&fit(row, ROW_LABEL)), root.1), to, false)),
            }
            @for target in drawn.sources.iter().filter_map(|number| source(*number)) {
                (edge((to.0 + 13.0 + drawn_width(&fit(&drawn.label, drawn.cells())), to.1), target, false))
            }
        }
        (node(root, row, ROW_LABEL, None, "centre"))
        @for (number, drawn) in statements.iter().enumerate() {
            (node(place(number), &drawn.label, drawn.cells(), drawn.href.as_deref(), if drawn.is_inferred { "inferred" } else { "" }))
        }
        @for origin in sources {
            @if let Some(place) = source(origin.number) { (node(place, &origin.label, ROW_LABEL + 6, Some(&origin.href), "")) }
        }
    };
    Some(figure("grounds", at.say("What the row rests on"), WIDTH, height, &inner))
}

fn edge((x1, y1): (f64, f64), (x2, y2): (f64, f64), is_inference: bool) -> Markup {
    let middle = n((x1 + x2) / 2.0);
    let way = match is_inference {
        true => format!("M{} {}V{}H{}", n(x1), n(y1), n(y2), n(x2)),
        false => format!("M{} {}C{middle} {} {middle} {} {} {}", n(x1), n(y1), n(y1), n(y2), n(x2), n(y2)),
    };
    html! { path .edge .inference[is_inference] d=(way) {} }
}

fn node((x, y): (f64, f64), label: &str, cells: usize, href: Option<&str>, class: &str) -> Markup {
    let drawn = html! {
        circle .dot .(class) cx=(n(x)) cy=(n(y)) r="4" {}
        text .(class) x=(n(x + 9.0)) y=(n(y + 4.5)) { (fit(label, cells)) }
        title { (text(label)) }
    };
    match href {
        Some(href) => html! { a href=(href) { (drawn) } },
        None => html! { g { (drawn) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_ends_before_the_sources_however_far_it_is_moved_in() {
        for depth in 0..9 {
            let label = "x".repeat(100);
            let drawn = Drawn { label, href: None, depth, is_inferred: true, sources: vec![1] };
            let end =
                STATEMENTS + drawn.steps() as f64 * INDENT + 13.0 + drawn_width(&fit(&drawn.label, drawn.cells()));
            assert!(end < SOURCES, "{end} at depth {depth}");
        }
    }
}
