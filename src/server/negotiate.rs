//! Content negotiation (RFC 9110, §12): which of our media types and codings fits the client's weighted preferences best.

use super::problem::Problem;
use axum::http::StatusCode;
use kgq_engine::query::Form;
use kgq_graph::render::{Format, lacking};
use kgq_syntax::rdf::RdfFormat;

/// The formats for an answer of this form, in our order of preference: first the standard's own, then those that other
/// programs read, then those that people read.
fn offers(form: Form) -> Vec<Format> {
    let mut offers: Vec<Format> = Format::of(form).collect();
    offers.sort_by_key(|format| match format {
        Format::Json | Format::Rdf(RdfFormat::Turtle) => 0,
        Format::Rdf(RdfFormat::NTriples) => 1,
        Format::Xml | Format::Rdf(_) => 2,
        Format::Table | Format::Html => 4,
        _ => 3,
    });
    offers
}

/// The media types for an answer of this form.
pub fn media_types(form: Form) -> impl Iterator<Item = &'static str> {
    offers(form).into_iter().flat_map(called).copied()
}

/// The media types by which a format is offered. Arrow has two, because its file and its stream are different bytes.
pub fn called(format: Format) -> &'static [&'static str] {
    let types = format.media_types();
    if format == Format::Arrow { types } else { &types[..1] }
}

/// A format, and the media type that denotes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub format: Format,
    pub media_type: String,
}

impl Chosen {
    /// The JSON format of our own answers.
    pub fn json() -> Self {
        Self::new(Format::Json, "application/json")
    }

    /// The JSON-LD format of our own answers.
    pub fn json_ld() -> Self {
        Self::new(Format::Json, "application/ld+json")
    }

    fn new(format: Format, media_type: &str) -> Self {
        // Everything that we write is UTF-8; a text type must say so.
        let media_type = match media_type.strip_prefix("text/") {
            Some(_) => format!("{media_type}; charset=utf-8"),
            None => media_type.to_owned(),
        };
        Self { format, media_type }
    }
}

/// The format for an answer of this form: the named one, else the one that the client prefers, else the first.
pub fn format(form: Form, named: Option<&str>, accept: Option<&str>) -> Result<Chosen, Problem> {
    let offers = offers(form);
    if let Some(name) = named {
        let offered = |format: Format| offers.contains(&format).then_some((format, format.media_types()[0]));
        let by_type = offers.iter().find_map(|format| {
            let named = format.media_types().iter().find(|media_type| **media_type == name)?;
            Some((*format, if called(*format).contains(named) { named } else { format.media_types()[0] }))
        });
        let by_name = || offered(Format::from_name(name)?);
        // For a graph, `json` and `xml` mean JSON-LD and RDF/XML.
        let by_kin = || match Format::from_name(name)? {
            Format::Json => offered(Format::Rdf(RdfFormat::JsonLd)),
            Format::Xml => offered(Format::Rdf(RdfFormat::RdfXml)),
            _ => None,
        };
        let (format, media_type) = by_type.or_else(by_name).or_else(by_kin).ok_or_else(|| {
            let lacking = Format::from_name(name).and_then(lacking).map(|error| error.message().to_owned());
            not_acceptable(lacking.unwrap_or_else(|| format!("an answer of this form has no format `{name}`")), &offers)
        })?;
        return Ok(Chosen::new(format, media_type));
    }
    let Some(accept) = accept else { return Ok(Chosen::new(offers[0], offers[0].media_types()[0])) };
    let ranges = ranges(accept);
    let mut best: Option<(f32, Chosen)> = None;
    for format in &offers {
        for (number, media_type) in format.media_types().iter().enumerate() {
            // The alternative name of a format counts only if the client uses that name.
            if number > 0 && !ranges.iter().any(|range| range.name.eq_ignore_ascii_case(media_type)) {
                continue;
            }
            let weight = weight(&ranges, media_type);
            if weight > best.as_ref().map_or(0.0, |(best, _)| *best) {
                best = Some((weight, Chosen::new(*format, media_type)));
            }
        }
    }
    best.map(|(_, chosen)| chosen)
        .ok_or_else(|| not_acceptable("the answer has none of the formats that the request accepts".into(), &offers))
}

fn not_acceptable(detail: String, offers: &[Format]) -> Problem {
    let types: Vec<&str> = offers.iter().flat_map(|format| called(*format)).copied().collect();
    let names: Vec<&str> = offers.iter().map(|format| format.name()).collect();
    Problem::new(StatusCode::NOT_ACCEPTABLE, detail).with("accepted", types).with("formats", names)
}

/// The media types of an answer in our own JSON, with PROV-O or without.
const JSON: [&str; 2] = ["application/ld+json", "application/json"];

/// Refuses a format, by name or by media type, if the answer exists only as our own JSON.
///
/// # Errors
/// The format is another one.
pub fn json_alone(named: Option<&str>) -> Result<(), Problem> {
    let offers = [Format::Json, Format::Rdf(RdfFormat::JsonLd)];
    let is_json =
        |name: &str| Format::from_name(name).is_some_and(|format| offers.contains(&format)) || JSON.contains(&name);
    match named.filter(|name| !is_json(name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("why a row is there or not is told as JSON, not as `{name}`");
            let problem = Problem::new(StatusCode::NOT_ACCEPTABLE, detail);
            Err(problem.with("accepted", JSON).with("formats", offers.map(Format::name)))
        }
    }
}

/// Whether a client prefers HTML, or likes it as much as the types that it lists after it.
pub fn likes_html(accept: &str) -> bool {
    let ranges = ranges(accept);
    let best = ranges.iter().map(|range| range.weight).fold(0.0, f32::max);
    let first = ranges.iter().find(|range| range.weight >= best).filter(|range| range.weight > 0.0);
    first.is_some_and(|range| {
        ["text/html", "application/xhtml+xml"].iter().any(|html| range.name.eq_ignore_ascii_case(html))
    })
}

/// A media range, or another item of a list, with its weight.
struct Range<'a> {
    name: &'a str,
    weight: f32,
}

fn ranges(header: &str) -> Vec<Range<'_>> {
    header.split(',').filter_map(range).collect()
}

fn range(item: &str) -> Option<Range<'_>> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    // An invalid weight counts as 1, like a missing one.
    let weight = weight.and_then(|weight| weight.trim().parse().ok()).map_or(1.0, |weight: f32| weight.clamp(0.0, 1.0));
    Some(Range { name, weight })
}

/// The weight of a media type: that of the most specific matching range.
fn weight(ranges: &[Range<'_>], media_type: &str) -> f32 {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let precision = |range: &Range<'_>| match range.name.split_once('/') {
        Some(("*", "*")) => Some(1),
        Some((own, "*")) if own.eq_ignore_ascii_case(kind) => Some(2),
        _ if range.name.eq_ignore_ascii_case(media_type) => Some(3),
        _ if range.name == "*" => Some(1),
        _ => None,
    };
    let fitting = ranges.iter().filter_map(|range| Some((precision(range)?, range.weight)));
    fitting.max_by_key(|(precision, _)| *precision).map_or(0.0, |(_, weight)| weight)
}

/// The content coding of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// The available coding that the client prefers.
pub fn coding(accept: Option<&str>) -> Coding {
    let Some(accept) = accept else { return Coding::Identity };
    let ranges = ranges(accept);
    let weight = |name: &str| {
        let own = ranges.iter().find(|range| range.name.eq_ignore_ascii_case(name));
        own.or_else(|| ranges.iter().find(|range| range.name == "*")).map_or(0.0, |range| range.weight)
    };
    let (zstd, gzip) = (weight("zstd"), weight("gzip"));
    match (zstd > 0.0 && zstd >= gzip, gzip > 0.0) {
        (true, _) => Coding::Zstd,
        (false, true) => Coding::Gzip,
        (false, false) => Coding::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(form: Form, accept: &str) -> String {
        format(form, None, Some(accept)).map_or_else(|_| "none".into(), |chosen| chosen.media_type)
    }

    #[test]
    fn the_format_with_the_highest_weight_is_chosen_and_ours_among_equals() {
        assert_eq!(chosen(Form::Select, "*/*"), "application/sparql-results+json");
        assert_eq!(chosen(Form::Construct, "*/*"), "text/turtle; charset=utf-8");
        assert_eq!(
            chosen(Form::Select, "text/csv;q=0.5, application/sparql-results+xml;q=0.9"),
            "application/sparql-results+xml"
        );
        assert_eq!(chosen(Form::Select, "application/json"), "application/json");
        assert_eq!(
            chosen(Form::Select, "text/*;q=0.3, text/csv;q=0, */*;q=0.1"),
            "text/tab-separated-values; charset=utf-8"
        );
        assert_eq!(chosen(Form::Select, "text/turtle, application/rdf+xml;q=0.5"), "none");
        assert_eq!(chosen(Form::Describe, "TEXT/TURTLE"), "text/turtle; charset=utf-8");
        assert_eq!(chosen(Form::Ask, "text/html, image/png;q=0"), "text/html; charset=utf-8");
        assert_eq!(chosen(Form::Ask, "application/geo+json"), "none");
        assert_eq!(chosen(Form::Select, "application/geo+json"), "application/geo+json");
        assert_eq!(chosen(Form::Construct, "application/*"), "application/n-triples");
        let stream = "application/vnd.apache.arrow.stream";
        assert_eq!(chosen(Form::Construct, stream), if cfg!(feature = "tables") { stream } else { "none" });
    }

    #[test]
    fn a_browser_likes_html_and_a_program_data() {
        for browser in
            ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html", "TEXT/HTML, text/turtle"]
        {
            assert!(likes_html(browser), "{browser}");
        }
        for program in
            ["*/*", "text/turtle, text/html;q=0.9", "text/turtle, text/html", "text/html;q=0", "", "application/json"]
        {
            assert!(!likes_html(program), "{program}");
        }
    }

    #[test]
    fn a_named_format_wins_and_json_of_a_graph_is_that_of_rdf() {
        let named = |form, name| format(form, Some(name), Some("text/html")).map(|chosen| chosen.format).ok();
        assert_eq!(named(Form::Select, "csv"), Some(Format::Csv));
        assert_eq!(named(Form::Select, "text/csv"), Some(Format::Csv));
        assert_eq!(named(Form::Construct, "json"), Some(Format::Rdf(RdfFormat::JsonLd)));
        assert_eq!(named(Form::Construct, "nt"), Some(Format::Rdf(RdfFormat::NTriples)));
        assert_eq!(named(Form::Select, "turtle"), None);
        assert_eq!(named(Form::Select, "pdf"), None);
    }

    #[test]
    fn a_coding_is_one_that_the_client_takes() {
        assert_eq!(coding(Some("gzip, deflate, br, zstd")), Coding::Zstd);
        assert_eq!(coding(Some("gzip;q=1, zstd;q=0.5")), Coding::Gzip);
        assert_eq!(coding(Some("br, zstd;q=0")), Coding::Identity);
        assert_eq!(coding(None), Coding::Identity);
    }
}
