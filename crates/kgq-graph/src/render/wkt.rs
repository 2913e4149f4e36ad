//! Converts well-known text (OGC Simple Features) to GeoJSON geometries (RFC 7946): all shapes, in the order longitude,
//! latitude. Nesting is limited, so that hostile data do no harm.

use kgq_syntax::text::count;
use serde_json::{Number, Value, json};

/// The deepest nesting of collections.
const DEEPEST: usize = 16;

/// Reads a text; the error says in words what is wrong with it.
pub fn geometry(text: &str) -> Result<Value, String> {
    let (axes, text) = system(text)?;
    let mut reader = Reader { rest: text, axes };
    let geometry = reader.shape(0)?;
    match reader.rest.trim() {
        "" => Ok(geometry),
        rest => Err(format!("`{}` is behind its end", start(rest))),
    }
}

/// The order of coordinates in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Axes {
    LongitudeFirst,
    LatitudeFirst,
}

/// Returns the reference system at the beginning of a text, and the rest. Without one it is GeoSPARQL's default, which
/// is also GeoJSON's.
fn system(text: &str) -> Result<(Axes, &str), String> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('<') else { return Ok((Axes::LongitudeFirst, text)) };
    let Some((system, rest)) = rest.split_once('>') else { return Err("`<` is never closed".into()) };
    if system.ends_with("/CRS84") {
        Ok((Axes::LongitudeFirst, rest.trim()))
    } else if system.ends_with("/EPSG/0/4326") {
        Ok((Axes::LatitudeFirst, rest.trim()))
    } else {
        Err(format!("its reference system is <{system}>, and GeoJSON has WGS 84 alone"))
    }
}

struct Reader<'a> {
    rest: &'a str,
    axes: Axes,
}

impl Reader<'_> {
    fn shape(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
        let name = self.word();
        let known = [
            ("POINT", "Point"),
            ("LINESTRING", "LineString"),
            ("POLYGON", "Polygon"),
            ("MULTIPOINT", "MultiPoint"),
            ("MULTILINESTRING", "MultiLineString"),
            ("MULTIPOLYGON", "MultiPolygon"),
            ("GEOMETRYCOLLECTION", "GeometryCollection"),
        ];
        let Some((_, kind)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(format!("`{}` is no shape of GeoJSON", if name.is_empty() { start(self.rest) } else { name }));
        };
        // Z, M and ZM say what further numbers mean; GeoJSON has only the height.
        let before = self.rest;
        let mut word = self.word();
        let measured = matches!(word.as_str(), "M" | "ZM");
        if matches!(word.as_str(), "Z" | "M" | "ZM") {
            word = self.word();
        } else if word != "EMPTY" {
            self.rest = before;
            word.clear();
        }
        let empty = word == "EMPTY";
        if *kind == "GeometryCollection" {
            let shapes = if empty { Vec::new() } else { self.list(|reader| reader.shape(depth + 1))? };
            return Ok(json!({"type": kind, "geometries": shapes}));
        }
        let coordinates = match *kind {
            _ if empty => Value::Array(Vec::new()),
            "Point" => self.bracketed(|reader| reader.position(measured))?,
            "LineString" => self.positions(measured)?,
            "MultiPoint" => self.points(measured)?,
            "Polygon" | "MultiLineString" => self.lines(measured)?,
            _ => self.list(|reader| reader.lines(measured))?.into(),
        };
        Ok(json!({"type": kind, "coordinates": coordinates}))
    }

    fn lines(&mut self, measured: bool) -> Result<Value, String> {
        self.list(|reader| reader.positions(measured)).map(Value::Array)
    }

    fn positions(&mut self, measured: bool) -> Result<Value, String> {
        self.list(|reader| reader.position(measured)).map(Value::Array)
    }

    /// Positions, each of which may be in brackets.
    fn points(&mut self, measured: bool) -> Result<Value, String> {
        let point = |reader: &mut Self| match reader.rest.trim_start().starts_with('(') {
            true => reader.bracketed(|reader| reader.position(measured)),
            false => reader.position(measured),
        };
        self.list(point).map(Value::Array)
    }

    fn bracketed<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.expect('(')?;
        let value = read(self)?;
        self.expect(')')?;
        Ok(value)
    }

    fn list(&mut self, mut read: impl FnMut(&mut Self) -> Result<Value, String>) -> Result<Vec<Value>, String> {
        self.bracketed(|reader| {
            let mut values = vec![read(reader)?];
            while let Some(rest) = reader.rest.trim_start().strip_prefix(',') {
                reader.rest = rest;
                values.push(read(reader)?);
            }
            Ok(values)
        })
    }

    /// Two numbers, and a third if it is a height.
    fn position(&mut self, measured: bool) -> Result<Value, String> {
        let mut numbers = Vec::new();
        loop {
            let rest = self.rest.trim_start();
            let end = rest.find(|c: char| c.is_whitespace() || "(),".contains(c)).unwrap_or(rest.len());
            if end == 0 {
                break;
            }
            let (number, rest) = rest.split_at(end);
            let value = number.parse().ok().and_then(Number::from_f64);
            numbers.push(value.ok_or_else(|| format!("`{}` is no number", start(number)))?);
            self.rest = rest;
        }
        let most = if measured { 4 } else { 3 };
        if !(2..=most).contains(&numbers.len()) {
            return Err(format!("a position is made of {}", count(numbers.len() as u64, "number", "numbers")));
        }
        if measured {
            numbers.pop();
        }
        if self.axes == Axes::LatitudeFirst {
            numbers.swap(0, 1);
        }
        Ok(numbers.into_iter().map(Value::Number).collect())
    }

    fn word(&mut self) -> String {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word.to_ascii_uppercase()
    }

    fn expect(&mut self, bracket: char) -> Result<(), String> {
        let rest = self.rest.trim_start();
        self.rest = rest.strip_prefix(bracket).ok_or_else(|| match rest {
            "" => format!("it ends where `{bracket}` is due"),
            rest => format!("`{}` stands where `{bracket}` is due", start(rest)),
        })?;
        Ok(())
    }
}

/// The first characters, for a message.
fn start(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        geometry(text).map_or_else(|why| why, |value| value.to_string())
    }

    #[test]
    fn every_shape_is_read() {
        for (text, json) in [
            ("POINT(116.4 39.9)", r#"{"type":"Point","coordinates":[116.4,39.9]}"#),
            ("point z (1 2 3)", r#"{"type":"Point","coordinates":[1.0,2.0,3.0]}"#),
            ("POINT ZM(1 2 3 4)", r#"{"type":"Point","coordinates":[1.0,2.0,3.0]}"#),
            ("POINT M(1 2 4)", r#"{"type":"Point","coordinates":[1.0,2.0]}"#),
            ("POINT EMPTY", r#"{"type":"Point","coordinates":[]}"#),
            ("LINESTRING(0 0, 1e1 1)", r#"{"type":"LineString","coordinates":[[0.0,0.0],[10.0,1.0]]}"#),
            (
                "POLYGON((0 0,1 0,1 1,0 0))",
                r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#,
            ),
            ("MULTIPOINT((0 0),1 1)", r#"{"type":"MultiPoint","coordinates":[[0.0,0.0],[1.0,1.0]]}"#),
            (
                "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
                r#"{"type":"MultiPolygon","coordinates":[[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]]}"#,
            ),
            (
                "GEOMETRYCOLLECTION(POINT(1 2),POINT EMPTY)",
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1.0,2.0]},{"type":"Point","coordinates":[]}]}"#,
            ),
        ] {
            assert_eq!(read(text), json);
        }
    }

    #[test]
    fn reference_systems_say_which_axis_is_first() {
        assert_eq!(read("<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(39.9 116.4)"), read("POINT(116.4 39.9)"));
        assert_eq!(read("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POINT(1 2)"), read("POINT(1 2)"));
        assert!(read("<http://www.opengis.net/def/crs/EPSG/0/3857> POINT(1 2)").contains("EPSG/0/3857"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(read("POINT(1)"), "a position is made of 1 number");
        assert_eq!(read("POINT(1 2"), "it ends where `)` is due");
        assert_eq!(read("POINT(1 x)"), "`x` is no number");
        assert_eq!(read("POINT(1 NaN)"), "`NaN` is no number");
        assert_eq!(read("POINT(1 2) 3"), "`3` is behind its end");
        assert_eq!(read("CIRCLE(1 2)"), "`CIRCLE` is no shape of GeoJSON");
        assert_eq!(read("点"), "`点` is no shape of GeoJSON");
        let deep = "GEOMETRYCOLLECTION(".repeat(100_000);
        assert_eq!(read(&deep), "it nests deeper than 16 levels");
    }
}
