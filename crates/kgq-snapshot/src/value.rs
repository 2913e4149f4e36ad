//! The values of terms: the families within which SPARQL compares values, and the decoded values.
//!
//! The families follow the operator table of SPARQL 1.1 §17.3. Everything else (times, durations, unknown datatypes,
//! ill-typed literals, NaN) is in [`Family::Other`] and must be decoded to be compared.

use super::units::{floor, whole};
use kgq_syntax::rdf::digits::Digits;
use kgq_syntax::rdf::literal::{integer_bounds, is_integer_within};
use oxrdf::vocab::{rdf, xsd};
use oxrdf::{BaseDirection, Literal, LiteralRef, NamedNode, NamedNodeRef};
use oxsdatatypes::{Boolean, Date, DateTime, Decimal, Double, Float, Integer};
use std::cmp::Ordering;
use std::ops::RangeInclusive;

/// The four kinds of terms, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermKind {
    BlankNode,
    Iri,
    Literal,
    /// A triple term (RDF 1.2).
    Triple,
}

/// Groups of terms whose values are compared by rank (see [`Snapshot::value_rank`](super::Snapshot::value_rank)).
///
/// Literals' ids follow the order of the families listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    BlankNode,
    Iri,
    Boolean,
    /// `xsd:integer`, the types derived from it, and `xsd:decimal`: all compare exactly.
    Number,
    /// `xsd:float` without NaN.
    Float,
    /// `xsd:double` without NaN.
    Double,
    /// `xsd:dateTime` and `xsd:dateTimeStamp` with a time zone.
    ZonedDateTime,
    /// `xsd:dateTime` without a time zone.
    LocalDateTime,
    /// `xsd:date` with a time zone.
    ZonedDate,
    /// `xsd:date` without a time zone.
    LocalDate,
    /// `xsd:string`.
    String,
    /// Language-tagged strings with the same tag and base direction; the number identifies these within one snapshot.
    Language(u32),
    /// A literal whose rank is not comparable: decode it.
    Other,
    Triple,
}

/// A term's value, as far as it can be given without its text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InlineValue {
    BlankNode,
    Iri,
    Boolean(bool),
    Integer(Integer),
    Decimal(Decimal),
    /// An integer beyond 64 bits, or a decimal beyond 128 bits or 18 fractional digits: read its lexical form.
    Wide,
    Float(Float),
    Double(Double),
    DateTime(DateTime),
    Date(Date),
    /// An `xsd:string`: its text is its lexical form.
    String,
    /// A language-tagged string, with or without a base direction.
    LanguageString,
    /// A literal of any other datatype, or one whose lexical form its datatype does not allow.
    Other,
    Triple,
}

/// The literals' families, in the order of their ids. The first [`WITH_VALUES`] have entries in the side table of values.
pub(super) const LITERAL_FAMILIES: usize = 11;
pub(super) const WITH_VALUES: usize = 8;
const NUMBER: usize = 1;
pub(super) const STRING: usize = 8;
pub(super) const LANGUAGE: usize = 9;
pub(super) const OTHER: usize = 10;

/// What a literal has besides its lexical form: a datatype, a language tag, or a tag with a base direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiteralType {
    /// `^iri`, `@tag` or `@tag--ltr`: the stored form, by which types are sorted.
    text: String,
    class: Class,
    /// Where the language tag ends in the text.
    language_end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Boolean,
    Integer,
    Decimal,
    Float,
    Double,
    DateTime,
    Date,
    String,
    Language,
    Directional(BaseDirection),
    Other,
}

impl LiteralType {
    /// Reads the stored form; `None` if it is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.get(1..)?;
        let (class, language_end) = match text.as_bytes()[0] {
            b'^' => (class_of(rest), 0),
            b'@' => match rest.rsplit_once("--") {
                Some((tag, "ltr")) => (Class::Directional(BaseDirection::Ltr), tag.len() + 1),
                Some((tag, "rtl")) => (Class::Directional(BaseDirection::Rtl), tag.len() + 1),
                _ => (Class::Language, text.len()),
            },
            _ => return None,
        };
        Some(Self { text: text.to_owned(), class, language_end })
    }

    /// Writes the stored form of a literal's type to `out`.
    pub(super) fn write(literal: LiteralRef<'_>, out: &mut String) {
        match (literal.language(), literal.direction()) {
            (Some(tag), direction) => {
                out.push('@');
                out.push_str(tag);
                match direction {
                    Some(BaseDirection::Ltr) => out.push_str("--ltr"),
                    Some(BaseDirection::Rtl) => out.push_str("--rtl"),
                    None => {}
                }
            }
            (None, _) => {
                out.push('^');
                out.push_str(literal.datatype().as_str());
            }
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    pub(super) fn literal(&self, lexical: String) -> Literal {
        match self.class {
            Class::String => Literal::new_simple_literal(lexical),
            Class::Language => {
                Literal::new_language_tagged_literal_unchecked(lexical, &self.text[1..self.language_end])
            }
            Class::Directional(direction) => Literal::new_directional_language_tagged_literal_unchecked(
                lexical,
                &self.text[1..self.language_end],
                direction,
            ),
            Class::Boolean
            | Class::Integer
            | Class::Decimal
            | Class::Float
            | Class::Double
            | Class::DateTime
            | Class::Date
            | Class::Other => Literal::new_typed_literal(lexical, NamedNode::new_unchecked(&self.text[1..])),
        }
    }

    /// The datatype's IRI.
    pub(super) fn datatype(&self) -> NamedNodeRef<'_> {
        match self.class {
            Class::Language => rdf::LANG_STRING,
            Class::Directional(_) => rdf::DIR_LANG_STRING,
            _ => NamedNodeRef::new_unchecked(&self.text[1..]),
        }
    }

    /// The language tag, in lower case.
    pub(super) fn language(&self) -> Option<&str> {
        matches!(self.class, Class::Language | Class::Directional(_)).then(|| &self.text[1..self.language_end])
    }

    pub(super) fn direction(&self) -> Option<BaseDirection> {
        match self.class {
            Class::Directional(direction) => Some(direction),
            _ => None,
        }
    }

    /// The family of a literal of this type, as an index into the literals' families, and its value in the side table.
    pub(super) fn classify(&self, lexical: &str) -> (usize, Stored) {
        let other = (OTHER, Stored::default());
        match self.class {
            Class::Boolean => match lexical.parse::<Boolean>() {
                Ok(value) => (0, Stored { payload: i128::from(bool::from(value)), zone: NO_ZONE }),
                Err(_) => other,
            },
            Class::Integer => match parse_integer(lexical, &self.text[1..]) {
                Some(value) => (NUMBER, Stored::of_decimal(value.into())),
                None if integer_bounds(&self.text[1..]).is_some_and(|bounds| is_integer_within(lexical, bounds)) => {
                    Stored::of_digits(lexical).map_or(other, |stored| (NUMBER, stored))
                }
                None => other,
            },
            Class::Decimal => match lexical.parse::<Decimal>() {
                Ok(value) => (NUMBER, Stored::of_decimal(value)),
                Err(_) => Stored::of_digits(lexical).map_or(other, |stored| (NUMBER, stored)),
            },
            Class::Float => match parse_float(lexical) {
                Some(value) if !value.is_nan() => {
                    (2, Stored { payload: i128::from(f32::from(value).to_bits()), zone: NO_ZONE })
                }
                _ => other,
            },
            Class::Double => match parse_double(lexical) {
                Some(value) if !value.is_nan() => {
                    (3, Stored { payload: i128::from(f64::from(value).to_bits()), zone: NO_ZONE })
                }
                _ => other,
            },
            Class::DateTime => match lexical.parse::<DateTime>() {
                Ok(value) if value.timezone_offset().is_some() || &self.text[1..] != xsd::DATE_TIME_STAMP.as_str() => {
                    let stored = Stored::of_timestamp(value.to_be_bytes());
                    (if stored.zone == NO_ZONE { 5 } else { 4 }, stored)
                }
                Ok(_) | Err(_) => other,
            },
            Class::Date => match lexical.parse::<Date>() {
                Ok(value) => {
                    let stored = Stored::of_timestamp(value.to_be_bytes());
                    (if stored.zone == NO_ZONE { 7 } else { 6 }, stored)
                }
                Err(_) => other,
            },
            Class::String => (STRING, Stored::default()),
            Class::Language | Class::Directional(_) => (LANGUAGE, Stored::default()),
            Class::Other => other,
        }
    }

    /// The value of a literal of this type whose side table entry is `stored`.
    pub(super) fn value(&self, stored: Stored) -> InlineValue {
        match self.class {
            Class::Boolean => InlineValue::Boolean(stored.payload != 0),
            Class::Integer => stored.integer().map_or(InlineValue::Wide, |n| InlineValue::Integer(n.into())),
            Class::Decimal => match stored.decimal() {
                Some(units) => InlineValue::Decimal(Decimal::from_be_bytes(units.to_be_bytes())),
                None => InlineValue::Wide,
            },
            Class::Float => InlineValue::Float(stored.float().into()),
            Class::Double => InlineValue::Double(stored.double().into()),
            Class::DateTime => InlineValue::DateTime(DateTime::from_be_bytes(stored.to_timestamp())),
            Class::Date => InlineValue::Date(Date::from_be_bytes(stored.to_timestamp())),
            Class::String => InlineValue::String,
            Class::Language | Class::Directional(_) => InlineValue::LanguageString,
            Class::Other => InlineValue::Other,
        }
    }

    /// The value of a literal that has no entry in the side table.
    pub(super) fn value_of_other(&self, lexical: &str) -> InlineValue {
        match self.class {
            Class::Float => parse_float(lexical).map_or(InlineValue::Other, InlineValue::Float),
            Class::Double => parse_double(lexical).map_or(InlineValue::Other, InlineValue::Double),
            Class::Boolean | Class::Integer | Class::Decimal | Class::DateTime | Class::Date | Class::Other => {
                InlineValue::Other
            }
            Class::String => InlineValue::String,
            Class::Language | Class::Directional(_) => InlineValue::LanguageString,
        }
    }
}

fn class_of(datatype: &str) -> Class {
    match NamedNodeRef::new_unchecked(datatype) {
        xsd::STRING => Class::String,
        xsd::BOOLEAN => Class::Boolean,
        xsd::DECIMAL => Class::Decimal,
        xsd::FLOAT => Class::Float,
        xsd::DOUBLE => Class::Double,
        xsd::DATE_TIME | xsd::DATE_TIME_STAMP => Class::DateTime,
        xsd::DATE => Class::Date,
        _ if integer_bounds(datatype).is_some() => Class::Integer,
        _ => Class::Other,
    }
}

/// Reads an integer of `xsd:integer` or a datatype derived from it; `None` if it is ill-typed, or beyond 64 bits.
pub fn parse_integer(lexical: &str, datatype: &str) -> Option<Integer> {
    let (least, most) = integer_bounds(datatype)?;
    let value: Integer = lexical.parse().ok()?;
    let number = i128::from(i64::from(value));
    (least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)).then_some(value)
}

/// Filters the input because Rust's parser also accepts `inf`, `nan` and `infinity`, which XML Schema does not.
fn is_float(lexical: &str) -> bool {
    matches!(lexical, "INF" | "+INF" | "-INF" | "NaN")
        || lexical.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
}

/// Reads an `xsd:double`.
pub fn parse_double(lexical: &str) -> Option<Double> {
    if is_float(lexical) { lexical.parse().ok() } else { None }
}

/// Reads an `xsd:float`.
pub fn parse_float(lexical: &str) -> Option<Float> {
    if is_float(lexical) { lexical.parse().ok() } else { None }
}

/// The payloads of the integers that fit in 64 bits.
const INTEGERS: RangeInclusive<i128> = i64::MIN as i128 * 10_i128.pow(18)..=i64::MAX as i128 * 10_i128.pow(18);

const NO_ZONE: u16 = u16::MAX;

/// Marks in place of a number's zone. `BELOW`: the number is less than the least decimal. `ABOVE`: it lies between the
/// payload and the next decimal. Numbers with the same payload and mark are compared by their lexical forms.
const BELOW: u16 = 0;
const ABOVE: u16 = 1;

/// An entry of the side table, as `oxsdatatypes` encodes it: a number as a decimal's 128 bits, the bits of a float or
/// double, or a position on the time line with its zone. For a number that is too wide, the payload is the next lesser
/// decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) payload: i128,
    pub(super) zone: u16,
}

impl Default for Stored {
    fn default() -> Self {
        Self { payload: 0, zone: NO_ZONE }
    }
}

impl Stored {
    fn of_decimal(value: Decimal) -> Self {
        Self { payload: i128::from_be_bytes(value.to_be_bytes()), zone: NO_ZONE }
    }

    /// The entry for a number of any length up to the limit for computing.
    fn of_digits(lexical: &str) -> Option<Self> {
        let digits = Digits::of_decimal(lexical).filter(|digits| digits.are_few())?;
        let (whole, fraction) = digits.parts();
        let (kept, cut) = fraction.split_at_checked(18).unwrap_or((fraction, ""));
        // The payload is the next decimal below, so a negative number with digits cut off goes one down.
        let down = i128::from(digits.is_negative() && !cut.is_empty());
        let exact = format!("{}{whole}{kept:0<18}", if digits.is_negative() { "-" } else { "" }).parse::<i128>();
        let payload = exact.ok().and_then(|exact| exact.checked_sub(down));
        Some(match (payload, digits.is_negative()) {
            (Some(payload), _) => Self { payload, zone: if cut.is_empty() { NO_ZONE } else { ABOVE } },
            (None, true) => Self { payload: i128::MIN, zone: BELOW },
            (None, false) => Self { payload: i128::MAX, zone: ABOVE },
        })
    }

    /// The family and entry of a literal with this value; `None` for NaN, and for values that are not numbers or are too
    /// wide.
    pub(super) fn of_number(number: InlineValue) -> Option<(usize, Self)> {
        let bits = |payload| Self { payload, zone: NO_ZONE };
        match number {
            InlineValue::Integer(n) => Some((NUMBER, Self::of_decimal(n.into()))),
            InlineValue::Decimal(n) => Some((NUMBER, Self::of_decimal(n))),
            InlineValue::Float(n) if !n.is_nan() => Some((2, bits(i128::from(f32::from(n).to_bits())))),
            InlineValue::Double(n) if !n.is_nan() => Some((3, bits(i128::from(f64::from(n).to_bits())))),
            _ => None,
        }
    }

    /// The integer, if it fits in 64 bits. Every integer is stored as a decimal with 18 fractional digits.
    #[inline]
    pub(super) fn integer(self) -> Option<i64> {
        (self.zone == NO_ZONE && INTEGERS.contains(&self.payload)).then(|| whole(self.payload))
    }

    /// The decimal in units of 10⁻¹⁸, if it fits exactly.
    #[inline]
    pub(super) fn decimal(self) -> Option<i128> {
        (self.zone == NO_ZONE).then_some(self.payload)
    }

    #[inline]
    pub(super) fn float(self) -> f32 {
        f32::from_bits(self.payload as u32)
    }

    #[inline]
    pub(super) fn double(self) -> f64 {
        f64::from_bits(self.payload as u64)
    }

    /// The day of a date or date-time in its own time zone; day 0 is the first of January of the year 1.
    #[inline]
    pub(super) fn day(self) -> Option<i64> {
        let minutes = if self.zone == NO_ZONE { 0 } else { self.zone as i16 };
        let seconds = i64::try_from(floor(self.payload)).ok()?.checked_add(i64::from(minutes) * 60)?;
        Some(seconds.div_euclid(86_400))
    }

    fn of_timestamp(bytes: [u8; 18]) -> Self {
        let mut payload = [0; 16];
        payload.copy_from_slice(&bytes[..16]);
        Self { payload: i128::from_be_bytes(payload), zone: u16::from_be_bytes([bytes[16], bytes[17]]) }
    }

    fn to_timestamp(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[..16].copy_from_slice(&self.payload.to_be_bytes());
        bytes[16..].copy_from_slice(&self.zone.to_be_bytes());
        bytes
    }

    /// The key by which entries of one family are sorted. Keys are equal if SPARQL's `=` holds between the values; numbers
    /// too wide for the payload can have equal keys without being equal.
    pub(super) fn sort_key(self, family: usize) -> i128 {
        match family {
            2 => float_key(f64::from(f32::from_bits(self.payload as u32))),
            3 => float_key(f64::from_bits(self.payload as u64)),
            _ => self.payload,
        }
    }
}

/// An integer that orders like the float, which must not be NaN; both zeros map to the same integer.
fn float_key(value: f64) -> i128 {
    let bits = i128::from(value.abs().to_bits());
    if value < 0.0 { -bits } else { bits }
}

/// Compares two values of the same family as SPARQL does. The lexical forms are only fetched where they decide.
pub(super) fn compare_stored<T: AsRef<[u8]>>(
    family: usize,
    (a, a_text): (Stored, impl FnOnce() -> T),
    (b, b_text): (Stored, impl FnOnce() -> T),
) -> Ordering {
    let order = a.sort_key(family).cmp(&b.sort_key(family));
    if order != Ordering::Equal || family != NUMBER || (a.zone == NO_ZONE && b.zone == NO_ZONE) {
        return order;
    }
    let side = |zone| match zone {
        BELOW => Ordering::Less,
        ABOVE => Ordering::Greater,
        _ => Ordering::Equal,
    };
    side(a.zone).cmp(&side(b.zone)).then_with(|| {
        let (a, b) = (a_text(), b_text());
        fn digits(text: &[u8]) -> Option<Digits<'_>> {
            Digits::of_decimal(std::str::from_utf8(text).ok()?)
        }
        digits(a.as_ref()).cmp(&digits(b.as_ref()))
    })
}

/// The public name of a literal's family; language-tagged strings are distinguished by their type.
pub(super) fn family_of(index: usize, literal_type: u32) -> Family {
    match index {
        0 => Family::Boolean,
        1 => Family::Number,
        2 => Family::Float,
        3 => Family::Double,
        4 => Family::ZonedDateTime,
        5 => Family::LocalDateTime,
        6 => Family::ZonedDate,
        7 => Family::LocalDate,
        STRING => Family::String,
        LANGUAGE => Family::Language(literal_type),
        _ => Family::Other,
    }
}
