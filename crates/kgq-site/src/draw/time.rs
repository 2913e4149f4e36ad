//! Shows dates on a time line, and as a list.

use super::super::html::{At, text};
use super::n;
use kgq_syntax::rdf::{Literal, Term};
use maud::{Markup, html};

/// A date and what happened then.
pub struct Moment {
    /// The time in years, with the elapsed fraction of the year.
    pub at: f64,
    /// The date as written in the data: a year, a month or a day.
    pub written: String,
    pub what: Markup,
    /// Whether the page is about this event.
    pub own: bool,
}

/// Converts a year, a month, a day or an instant to a position in time.
pub fn moment(literal: &Literal) -> Option<f64> {
    if !super::super::html::is_date(literal) {
        return None;
    }
    let value = literal.value();
    let (sign, digits) = match value.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, value),
    };
    let date = digits.split('T').next().unwrap_or(digits);
    let mut parts = date.splitn(3, '-');
    let number = |part: Option<&str>| -> Option<f64> {
        let digits: String = part?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let year = number(parts.next())?;
    let month = number(parts.next()).unwrap_or(1.0);
    let day = number(parts.next()).unwrap_or(1.0);
    (year.abs() < 1e6).then_some(sign * year + (month - 1.0) / 12.0 + (day - 1.0) / 372.0)
}

/// Returns the literal of a term and its position in time, if it is a date.
pub fn date_of(term: &Term) -> Option<(&Literal, f64)> {
    match term {
        Term::Literal(literal) => Some((literal, moment(literal)?)),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

const WIDTH: f64 = 720.0;
const EDGE: f64 = 24.0;

/// Lists the moments in order; if there are several, also draws a time line.
pub fn timeline(at: &At<'_, '_>, mut moments: Vec<Moment>) -> Markup {
    moments.sort_by(|a, b| a.at.total_cmp(&b.at).then_with(|| a.written.cmp(&b.written)));
    let first = moments.first().map_or(0.0, |m| m.at);
    let last = moments.last().map_or(0.0, |m| m.at);
    let span = last - first;
    html! {
        figure .drawing .time {
            @if span > 0.0 {
                div .scroll tabindex="0" role="group" aria-label=(at.say("In time")) { (line(&moments, first, span)) }
            }
            ol .timeline {
                @for moment in &moments {
                    li class=[moment.own.then_some("own")] { time datetime=(text(&moment.written)) { (text(&moment.written)) } span { (moment.what) } }
                }
            }
        }
    }
}

fn line(moments: &[Moment], first: f64, span: f64) -> Markup {
    let x = |at: f64| EDGE + (at - first) / span * (WIDTH - 2.0 * EDGE);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 100_000.0]
        .into_iter()
        .find(|step| span / step <= 12.0)
        .unwrap_or(1e6);
    let mut ticks = Vec::new();
    let mut tick = (first / step).ceil() * step;
    while tick <= first + span && ticks.len() < 20 {
        ticks.push(tick);
        tick += step;
    }
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} 52")) aria-hidden="true" {
            path .axis d=(format!("M{EDGE} 22H{}", WIDTH - EDGE)) {}
            @for tick in &ticks {
                path .axis d=(format!("M{} 18v8", n(x(*tick)))) {}
                @if ticks.len() > 1 { text .tick x=(n(x(*tick))) y="44" text-anchor="middle" { (format!("{tick:.0}")) } }
            }
            // Within a year or two there are too few ticks to show where the line begins and ends.
            @if ticks.len() < 2 {
                @for (moment, anchor) in [(moments.first(), "start"), (moments.last(), "end")] {
                    @if let Some(moment) = moment {
                        text .tick x=(n(x(moment.at) + if anchor == "start" { -5.0 } else { 5.0 })) y="44" text-anchor=(anchor) { (text(&moment.written)) }
                    }
                }
            }
            @for moment in moments { circle .dot .own[moment.own] cx=(n(x(moment.at))) cy="22" r="5" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::vocab::xsd;

    #[test]
    fn a_year_stands_before_its_days() {
        let year = moment(&Literal::new_typed_literal("2025", xsd::G_YEAR)).unwrap();
        let day = moment(&Literal::new_typed_literal("2025-04-11", xsd::DATE)).unwrap();
        assert!(year < day && day < 2026.0);
        assert_eq!(moment(&Literal::new_simple_literal("2025")), None);
    }
}
