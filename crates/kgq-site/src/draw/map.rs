//! Draws places as dots, with a grid of degrees for orientation; no tiles, no outlines.

use super::super::html::At;
use super::super::point::Point;
use super::{drawn_width, figure, fit, linked, n};
use kgq_syntax::rdf::NamedNode;
use maud::{Markup, html};

/// A place to draw.
pub struct Spot<'a> {
    pub node: &'a NamedNode,
    pub label: String,
    pub point: Point,
    /// Whether the page is about this place.
    pub own: bool,
}

const WIDTH: f64 = 720.0;
const MARGIN: f64 = 40.0;

/// The maximum number of labels that a map tries to place.
const MOST_LABELS: usize = 80;

pub fn map(at: &At<'_, '_>, spots: &[Spot<'_>]) -> Option<Markup> {
    let frame = Frame::around(spots)?;
    let labels = place_labels(&frame, spots);
    let inner = html! {
        (degrees(&frame))
        @for (i, spot) in spots.iter().enumerate() {
            @let (x, y) = frame.position(spot.point);
            (linked(at, spot.node, html! {
                circle .dot .own[spot.own] cx=(n(x)) cy=(n(y)) r=(if spot.own { "7" } else { "4.5" }) { title { (fit(&spot.label, 120)) } }
                @if let Some((text, x, y, anchor)) = &labels[i] {
                    text .own[spot.own] x=(n(*x)) y=(n(*y)) text-anchor=(anchor) { (text) }
                }
            }))
        }
    };
    Some(figure("map", at.say("Map of the places"), WIDTH, frame.height, &inner))
}

/// Converts degrees to drawing units: an equirectangular projection, true to scale at the middle latitude.
struct Frame {
    west: f64,
    north: f64,
    east: f64,
    south: f64,
    scale: f64,
    shrink: f64,
    height: f64,
}

impl Frame {
    fn around(spots: &[Spot<'_>]) -> Option<Self> {
        let first = spots.first()?.point;
        let mut edges = (first.longitude, first.longitude, first.latitude, first.latitude);
        for spot in spots {
            edges.0 = edges.0.min(spot.point.longitude);
            edges.1 = edges.1.max(spot.point.longitude);
            edges.2 = edges.2.min(spot.point.latitude);
            edges.3 = edges.3.max(spot.point.latitude);
        }
        let (west, east, south, north) = edges;
        let shrink = ((south + north) / 2.0).to_radians().cos().max(0.1);
        // Show some surroundings even for a single place.
        let wide = ((east - west) * shrink).max(4.0);
        let high = (north - south).max(2.5);
        let scale = ((WIDTH - 2.0 * MARGIN) / wide).min(620.0 / high);
        let (middle_x, middle_y) = ((west + east) / 2.0, (south + north) / 2.0);
        let half_wide = (WIDTH - 2.0 * MARGIN) / scale / shrink / 2.0;
        Some(Self {
            west: middle_x - half_wide,
            east: middle_x + half_wide,
            north: middle_y + high / 2.0,
            south: middle_y - high / 2.0,
            scale,
            shrink,
            height: high * scale + 2.0 * MARGIN,
        })
    }

    fn position(&self, point: Point) -> (f64, f64) {
        let x = MARGIN + (point.longitude - self.west) * self.shrink * self.scale;
        (x, MARGIN + (self.north - point.latitude) * self.scale)
    }
}

fn degrees(frame: &Frame) -> Markup {
    let span = (frame.east - frame.west).max(frame.north - frame.south);
    let step = [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0].into_iter().find(|step| span / step <= 9.0).unwrap_or(60.0);
    let marks = |from: f64, to: f64| {
        let mut marks = Vec::new();
        let mut mark = (from / step).ceil() * step;
        while mark <= to && marks.len() < 40 {
            marks.push(mark);
            mark += step;
        }
        marks
    };
    html! {
        @for longitude in marks(frame.west, frame.east) {
            @let (x, _) = frame.position(Point { longitude, latitude: 0.0 });
            path .degree d=(format!("M{} 0V{}", n(x), n(frame.height))) {}
            text .tick x=(n(x + 3.0)) y="12" { (format!("{}°{}", longitude.abs(), if longitude < 0.0 { "W" } else { "E" })) }
        }
        @for latitude in marks(frame.south, frame.north) {
            @let (_, y) = frame.position(Point { longitude: 0.0, latitude });
            path .degree d=(format!("M0 {}H{WIDTH}", n(y))) {}
            text .tick x="3" y=(n(y - 3.0)) { (format!("{}°{}", latitude.abs(), if latitude < 0.0 { "S" } else { "N" })) }
        }
    }
}

type Label = Option<(String, f64, f64, &'static str)>;

/// Places labels so that they cover no dot and no other label, that of the page's own place first. A label without room is
/// omitted; its dot keeps the title.
fn place_labels(frame: &Frame, spots: &[Spot<'_>]) -> Vec<Label> {
    let mut labels: Vec<Label> = spots.iter().map(|_| None).collect();
    let mut boxes: Vec<[f64; 4]> = Vec::new();
    if spots.len() <= 500 {
        boxes.extend(spots.iter().map(|spot| {
            let (x, y) = frame.position(spot.point);
            [x - 5.0, y - 5.0, x + 5.0, y + 5.0]
        }));
    }
    let mut order: Vec<usize> = (0..spots.len()).collect();
    order.sort_by_key(|i| !spots[*i].own);
    for i in order.into_iter().take(MOST_LABELS) {
        let (x, y) = frame.position(spots[i].point);
        let text = fit(&spots[i].label, 24);
        let width = drawn_width(&text);
        let tries = [
            (x + 9.0, y + 4.5, "start", x + 9.0),
            (x - 9.0, y + 4.5, "end", x - 9.0 - width),
            (x, y - 10.0, "middle", x - width / 2.0),
            (x, y + 19.0, "middle", x - width / 2.0),
        ];
        for (at_x, at_y, anchor, left) in tries {
            let area = [left, at_y - 11.0, left + width, at_y + 3.0];
            let inside = area[0] > 0.0 && area[2] < WIDTH && area[1] > 0.0 && area[3] < frame.height;
            let free = boxes.iter().enumerate().all(|(j, b)| j == i || !overlap(*b, area));
            if inside && free {
                boxes.push(area);
                labels[i] = Some((text, at_x, at_y, anchor));
                break;
            }
        }
    }
    labels
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
