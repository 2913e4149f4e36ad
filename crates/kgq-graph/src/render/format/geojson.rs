//! Solutions as GeoJSON features (RFC 7946): one column is the geometry, the others are properties with plain values.

use crate::render::{cells, output_error, wkt};
use kgq_engine::{Row, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Term, Variable};
use serde_json::{Map, Number, Value, json};
use std::io::Write;

/// The most rows that are searched for a geometry.
const LOOKED_AT: usize = 10_000;

const WKT: &str = "http://www.opengis.net/ont/geosparql#wktLiteral";
const GEO_JSON: &str = "http://www.opengis.net/ont/geosparql#geoJSONLiteral";

pub fn write(solutions: Solutions, out: &mut dyn Write) -> Result<u64> {
    let Solutions { variables, mut rows } = solutions;
    let (place, first) = find(&variables, &mut rows)?.unwrap_or((Place::Column(0), Vec::new()));
    let mut write = |text: &str| out.write_all(text.as_bytes()).map_err(|e| output_error(&e));
    write("{\"type\":\"FeatureCollection\",\"features\":[")?;
    let mut count = 0;
    for row in first.into_iter().map(Ok).chain(rows) {
        let row = row?;
        count += 1;
        let feature = feature(&variables, &row, place).map_err(|why| {
            Error::input(format!("row {count}: the geometry cannot be written as GeoJSON: {why}"))
                .hint("leave such rows out with FILTER, or choose another format")
        })?;
        write(if count == 1 { "\n" } else { ",\n" })?;
        write(&feature.to_string())?;
    }
    write("\n]}\n")?;
    Ok(count)
}

/// Which columns hold the geometry of a row.
#[derive(Clone, Copy)]
enum Place {
    Column(usize),
    /// Two columns: latitude and longitude.
    Pair(usize, usize),
}

/// Finds the geometry column from the first row that has a geometry; if it has several, the first. Returns the rows
/// read so far too; `None` if there is no geometry.
fn find(variables: &[Variable], rows: &mut dyn Iterator<Item = Result<Row>>) -> Result<Option<(Place, Vec<Row>)>> {
    let pair = pair(variables);
    let mut taken = Vec::new();
    for row in rows.take(LOOKED_AT) {
        let row = row?;
        let place = place(pair, &row);
        taken.push(row);
        if let Some(place) = place {
            return Ok(Some((place, taken)));
        }
    }
    if taken.is_empty() {
        return Ok(None);
    }
    let rows = if taken.len() == LOOKED_AT { "the first 10,000 rows" } else { "the answer" };
    Err(Error::usage(format!("no column of {rows} is a geometry, which GeoJSON needs"))
        .hint("select a geo:wktLiteral or geo:geoJSONLiteral (geo:asWKT), or two numbers named ?lat and ?long"))
}

/// Whether any of the rows has a geometry, so that they can be written.
pub fn has_geometry(variables: &[Variable], rows: &[Row]) -> bool {
    let pair = pair(variables);
    rows.iter().any(|row| place(pair, row).is_some())
}

/// The columns named latitude and longitude.
fn pair(variables: &[Variable]) -> Option<(usize, usize)> {
    let called = |names: &[&str]| {
        variables.iter().position(|variable| names.iter().any(|name| variable.as_str().eq_ignore_ascii_case(name)))
    };
    called(&["lat", "latitude"]).zip(called(&["long", "lon", "lng", "longitude"]))
}

/// Which columns hold the geometry of this row.
fn place(pair: Option<(usize, usize)>, row: &Row) -> Option<Place> {
    let column = row.iter().position(|term| term.as_ref().is_some_and(is_geometry));
    let is_degree = |at: usize| degree(row[at].as_ref()).is_some();
    let both = pair.filter(|(lat, long)| is_degree(*lat) && is_degree(*long));
    column.map(Place::Column).or(both.map(|(lat, long)| Place::Pair(lat, long)))
}

fn is_geometry(term: &Term) -> bool {
    matches!(term, Term::Literal(literal) if [WKT, GEO_JSON].contains(&literal.datatype().as_str()))
}

fn degree(term: Option<&Term>) -> Option<Number> {
    let Term::Literal(literal) = term? else { return None };
    let value: f64 = literal.value().parse().ok()?;
    Number::from_f64(value).filter(|_| value.abs() <= 180.0)
}

fn feature(variables: &[Variable], row: &Row, place: Place) -> Result<Value, String> {
    let (geometry, used) = match place {
        Place::Column(at) => {
            let geometry = match row.get(at).and_then(Option::as_ref) {
                Some(Term::Literal(literal)) => geometry(literal)?,
                Some(term) => return Err(format!("{term} is none")),
                None => Value::Null,
            };
            (geometry, [at, at])
        }
        Place::Pair(lat, long) => match (degree(row[lat].as_ref()), degree(row[long].as_ref())) {
            (Some(north), Some(east)) => (json!({"type": "Point", "coordinates": [east, north]}), [lat, long]),
            // Values that are not a place remain properties.
            _ => (Value::Null, [usize::MAX; 2]),
        },
    };
    let others = variables.iter().zip(row).enumerate().filter(|(at, _)| !used.contains(at));
    let properties: Map<String, Value> =
        others.filter_map(|(_, (name, term))| Some((name.as_str().to_owned(), cells::plain(term.as_ref()?)))).collect();
    Ok(json!({"type": "Feature", "geometry": geometry, "properties": properties}))
}

fn geometry(literal: &Literal) -> Result<Value, String> {
    match literal.datatype().as_str() {
        WKT => wkt::geometry(literal.value()),
        GEO_JSON => match serde_json::from_str(literal.value()) {
            Ok(Value::Object(object)) if object.get("type").is_some_and(Value::is_string) => Ok(Value::Object(object)),
            Ok(_) => Err("it is JSON, but no object with a type".into()),
            Err(error) => Err(error.to_string()),
        },
        datatype => Err(format!("a literal of <{datatype}> is none")),
    }
}
