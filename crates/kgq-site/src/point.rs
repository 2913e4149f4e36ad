//! Points on the earth, as they occur in data.

/// A point on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub longitude: f64,
    pub latitude: f64,
}

impl Point {
    pub fn on_earth(self) -> Option<Self> {
        let inside = self.longitude.abs() <= 180.0 && self.latitude.abs() <= 90.0;
        inside.then_some(self)
    }
}

/// Parses a WKT point: longitude before latitude (the default reference system of GeoSPARQL).
pub fn parse_point(wkt: &str) -> Option<Point> {
    // Another reference system may swap the axes; such points are not drawn.
    let text = wkt.trim();
    let text = match text.strip_prefix('<') {
        Some(rest) => {
            let (system, rest) = rest.split_once('>')?;
            system.ends_with("/CRS84").then_some(rest.trim())?
        }
        None => text,
    };
    let upper = text.get(..5)?.to_ascii_uppercase();
    if upper != "POINT" {
        return None;
    }
    let inner = text.get(5..)?.trim().strip_prefix('(')?.strip_suffix(')')?;
    let mut numbers = inner.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(longitude)), Some(Ok(latitude))) = (numbers.next(), numbers.next()) else { return None };
    Point { longitude, latitude }.on_earth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_longitude_then_latitude_and_on_the_earth() {
        assert_eq!(parse_point("POINT(116.4 39.9)"), Some(Point { longitude: 116.4, latitude: 39.9 }));
        assert_eq!(
            parse_point("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> Point (1 2)"),
            Some(Point { longitude: 1.0, latitude: 2.0 })
        );
        for wrong in ["POINT(nan 1)", "POINT(1)", "LINESTRING(0 0, 1 1)", "POINT(1 200)", "点", ""] {
            assert_eq!(parse_point(wrong), None, "{wrong}");
        }
    }
}
