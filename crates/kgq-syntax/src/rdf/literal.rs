//! The meaning of a literal's lexical form: whether it is in the lexical space of its datatype (XML Schema 1.1 part 2), and
//! how two literals compare by value (the operators `<` and `=` of SPARQL 1.1 §17.3).

use super::digits::Digits;
use oxrdf::vocab::{rdf, xsd};
use oxrdf::{Literal, NamedNodeRef};
use oxsdatatypes::{
    Boolean, Date, DateTime, DayTimeDuration, Double, Duration, Float, GDay, GMonth, GMonthDay, GYear, GYearMonth,
    Time, YearMonthDuration,
};
use std::cmp::Ordering;
use std::str::FromStr;

/// Whether the lexical form is in the lexical space of the literal's datatype. For a datatype outside XML Schema the lexical
/// space is unknown; every form is accepted.
pub fn is_well_formed(literal: &Literal) -> bool {
    let text = literal.value();
    let datatype = literal.datatype();
    if datatype == rdf::LANG_STRING || datatype == rdf::DIR_LANG_STRING {
        // The data model has no such literal without a tag: it must have been written as `"…"^^rdf:langString`.
        return literal.language().is_some();
    }
    let Some(name) = datatype.as_str().strip_prefix("http://www.w3.org/2001/XMLSchema#") else { return true };
    match name {
        "boolean" => Boolean::from_str(text).is_ok(),
        "decimal" => Digits::of_decimal(text).is_some(),
        "float" => Float::from_str(text).is_ok(),
        "double" => Double::from_str(text).is_ok(),
        "dateTime" => DateTime::from_str(text).is_ok(),
        "dateTimeStamp" => DateTime::from_str(text).is_ok_and(|d| d.timezone_offset().is_some()),
        "date" => Date::from_str(text).is_ok(),
        "time" => Time::from_str(text).is_ok(),
        "gYear" => GYear::from_str(text).is_ok(),
        "gYearMonth" => GYearMonth::from_str(text).is_ok(),
        "gMonth" => GMonth::from_str(text).is_ok(),
        "gMonthDay" => GMonthDay::from_str(text).is_ok(),
        "gDay" => GDay::from_str(text).is_ok(),
        "duration" => Duration::from_str(text).is_ok(),
        "yearMonthDuration" => YearMonthDuration::from_str(text).is_ok(),
        "dayTimeDuration" => DayTimeDuration::from_str(text).is_ok(),
        "hexBinary" => text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "language" => is_language(text),
        _ => match integer_bounds(datatype.as_str()) {
            Some(bounds) => is_integer_within(text, bounds),
            None => true,
        },
    }
}

/// The least and the greatest integer of a datatype, where they exist.
pub type Bounds = (Option<i128>, Option<i128>);

/// The bounds of `xsd:integer` or a datatype derived from it; `None` for any other datatype.
pub fn integer_bounds(datatype: &str) -> Option<Bounds> {
    Some(match datatype.strip_prefix("http://www.w3.org/2001/XMLSchema#")? {
        "integer" => (None, None),
        "nonNegativeInteger" => (Some(0), None),
        "positiveInteger" => (Some(1), None),
        "nonPositiveInteger" => (None, Some(0)),
        "negativeInteger" => (None, Some(-1)),
        "long" => (Some(i64::MIN.into()), Some(i64::MAX.into())),
        "int" => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        "short" => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        "byte" => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        "unsignedLong" => (Some(0), Some(u64::MAX.into())),
        "unsignedInt" => (Some(0), Some(u32::MAX.into())),
        "unsignedShort" => (Some(0), Some(u16::MAX.into())),
        "unsignedByte" => (Some(0), Some(u8::MAX.into())),
        _ => return None,
    })
}

/// Whether the text is an integer within the bounds.
pub fn is_integer_within(text: &str, (least, most): Bounds) -> bool {
    let Some(digits) = Digits::of_integer(text) else { return false };
    // An integer too long for 128 bits exceeds every bound.
    let beyond = if digits.is_negative() { i128::MIN } else { i128::MAX };
    let value = text.parse().unwrap_or(beyond);
    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let fits = |part: &str| (1..=8).contains(&part.len());
    parts.next().is_some_and(|first| fits(first) && first.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|part| fits(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Compares two literals by value. `None` where SPARQL has no order between them (an error there), such as for a number and
/// a string, or for a time with a time zone and one without that are less than 14 hours apart.
pub fn compare(left: &Literal, right: &Literal) -> Option<Ordering> {
    match (ComparedValue::of(left)?, ComparedValue::of(right)?) {
        (ComparedValue::Number(a), ComparedValue::Number(b)) => a.compare(&b),
        (ComparedValue::Text(a), ComparedValue::Text(b)) => Some(a.cmp(b)),
        (ComparedValue::Boolean(a), ComparedValue::Boolean(b)) => a.partial_cmp(&b),
        (ComparedValue::DateTime(a), ComparedValue::DateTime(b)) => a.partial_cmp(&b),
        (ComparedValue::Date(a), ComparedValue::Date(b)) => a.partial_cmp(&b),
        (ComparedValue::Time(a), ComparedValue::Time(b)) => a.partial_cmp(&b),
        (ComparedValue::GYear(a), ComparedValue::GYear(b)) => a.partial_cmp(&b),
        (ComparedValue::GYearMonth(a), ComparedValue::GYearMonth(b)) => a.partial_cmp(&b),
        (ComparedValue::Duration(a), ComparedValue::Duration(b)) => a.partial_cmp(&b),
        _ => None,
    }
}

/// A text that is the same for numbers of equal value, whatever their datatype and lexical form; `None` if the literal is
/// not a number.
pub fn numeric_key(literal: &Literal) -> Option<String> {
    let ComparedValue::Number(number) = ComparedValue::of(literal)? else { return None };
    Some(match number {
        Number::Exact(digits) => digits.to_string(),
        // By way of its shortest text, so that 0.1 equals the decimal 0.1.
        Number::Double(double) => {
            let text = f64::from(double).to_string();
            Digits::of_decimal(&text).map(|digits| digits.to_string()).unwrap_or(text)
        }
    })
}

enum ComparedValue<'a> {
    Number(Number<'a>),
    Text(&'a str),
    Boolean(Boolean),
    DateTime(DateTime),
    Date(Date),
    Time(Time),
    GYear(GYear),
    GYearMonth(GYearMonth),
    Duration(Duration),
}

impl<'a> ComparedValue<'a> {
    fn of(literal: &'a Literal) -> Option<Self> {
        fn parse<T: FromStr>(literal: &Literal) -> Option<T> {
            literal.value().parse().ok()
        }
        let datatype: NamedNodeRef<'_> = literal.datatype();
        if datatype == xsd::STRING {
            return Some(Self::Text(literal.value()));
        }
        let name = datatype.as_str().strip_prefix("http://www.w3.org/2001/XMLSchema#")?;
        match name {
            "boolean" => parse(literal).map(Self::Boolean),
            "decimal" => Digits::of_decimal(literal.value()).map(|d| Self::Number(Number::Exact(d))),
            "float" => parse::<Float>(literal).map(|f| Self::Number(Number::Double(f.into()))),
            "double" => parse(literal).map(|d| Self::Number(Number::Double(d))),
            "dateTime" | "dateTimeStamp" => parse(literal).map(Self::DateTime),
            "date" => parse(literal).map(Self::Date),
            "time" => parse(literal).map(Self::Time),
            "gYear" => parse(literal).map(Self::GYear),
            "gYearMonth" => parse(literal).map(Self::GYearMonth),
            "duration" => parse(literal).map(Self::Duration),
            "yearMonthDuration" => parse::<YearMonthDuration>(literal).map(|d| Self::Duration(d.into())),
            "dayTimeDuration" => parse::<DayTimeDuration>(literal).map(|d| Self::Duration(d.into())),
            _ => {
                integer_bounds(datatype.as_str())?;
                Digits::of_integer(literal.value()).map(|d| Self::Number(Number::Exact(d)))
            }
        }
    }
}

enum Number<'a> {
    Exact(Digits<'a>),
    Double(Double),
}

impl Number<'_> {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => Some(a.cmp(b)),
            (a, b) => a.double().partial_cmp(&b.double()),
        }
    }

    fn double(&self) -> Double {
        match self {
            Self::Exact(digits) => digits.to_double().into(),
            Self::Double(d) => *d,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::NamedNode;

    fn typed(text: &str, datatype: &str) -> Literal {
        Literal::new_typed_literal(
            text,
            NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}")),
        )
    }

    #[test]
    fn lexical_forms_are_checked_against_their_datatype() {
        for (text, datatype, expected) in [
            ("1", "integer", true),
            ("123456789012345678901234567890123456789012345", "integer", true),
            ("1.5", "integer", false),
            (" 1", "integer", false),
            ("300", "byte", false),
            ("-1", "nonNegativeInteger", false),
            ("1.", "decimal", true),
            (".", "decimal", false),
            ("INF", "double", true),
            ("2024-02-30", "date", false),
            ("2024-02-29", "date", true),
            ("yes", "boolean", false),
            ("zh-Hans", "language", true),
            ("abc", "hexBinary", false),
            ("anything", "anyURI", true),
        ] {
            assert_eq!(is_well_formed(&typed(text, datatype)), expected, "{text} as {datatype}");
        }
    }

    #[test]
    fn numbers_of_different_datatypes_compare_by_value() {
        assert_eq!(compare(&typed("01", "integer"), &typed("1.0", "decimal")), Some(Ordering::Equal));
        assert_eq!(compare(&typed("2", "integer"), &typed("1e1", "double")), Some(Ordering::Less));
        assert_eq!(compare(&typed("2", "integer"), &Literal::new_simple_literal("2")), None);
        let (long, longer) = ("1".repeat(60), "1".repeat(61));
        assert_eq!(compare(&typed(&long, "integer"), &typed(&longer, "decimal")), Some(Ordering::Less));
        assert_eq!(compare(&typed(&long, "integer"), &typed(&format!("{long}.0"), "decimal")), Some(Ordering::Equal));
        assert_eq!(numeric_key(&typed(&format!("00{long}"), "integer")), Some(long));
    }

    #[test]
    fn a_time_without_a_zone_is_not_comparable_with_a_near_one_that_has_one() {
        let (a, b) = (typed("2024-01-01T00:00:00", "dateTime"), typed("2024-01-01T01:00:00Z", "dateTime"));
        assert_eq!(compare(&a, &b), None);
    }
}
