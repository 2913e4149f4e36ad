//! The digits of a decimal number's text, of any length: validates, compares and shortens it. The engine computes; this does
//! not.

use std::cmp::Ordering;
use std::fmt;

/// A number in the notation of XML Schema decimals and integers, without redundant zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a> {
    /// Never true for zero.
    negative: bool,
    /// The part before the point; empty if it is zero.
    whole: &'a str,
    /// The part after the point; empty if it is zero.
    fraction: &'a str,
}

/// The most digits of a number that can be computed with. Reading and multiplying longer ones would take time that grows
/// with the square of their length.
pub const MOST_DIGITS: usize = 10_000;

impl<'a> Digits<'a> {
    /// Reads the lexical form of an `xsd:decimal`; `None` if it is invalid.
    pub fn of_decimal(text: &'a str) -> Option<Self> {
        let (sign, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        Some(Self { negative: sign && !(whole.is_empty() && fraction.is_empty()), whole, fraction })
    }

    /// Reads the lexical form of an `xsd:integer`; `None` if it is invalid.
    pub fn of_integer(text: &'a str) -> Option<Self> {
        if text.contains('.') { None } else { Self::of_decimal(text) }
    }

    /// Whether the number has few enough digits to compute with.
    pub fn are_few(self) -> bool {
        self.whole.len() + self.fraction.len() <= MOST_DIGITS
    }

    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// The digits before the point without leading zeros, and those after it without trailing zeros.
    pub fn parts(self) -> (&'a str, &'a str) {
        (self.whole, self.fraction)
    }

    /// The nearest `xsd:double`; infinite if the number is larger than all of them.
    pub fn to_double(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl Ord for Digits<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = |a: &Self, b: &Self| {
            let whole = a.whole.len().cmp(&b.whole.len()).then_with(|| a.whole.cmp(b.whole));
            whole.then_with(|| a.fraction.cmp(b.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(self, other),
            (true, true) => magnitude(other, self),
        }
    }
}

impl PartialOrd for Digits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The canonical form (XML Schema 1.1 part 2, §3.3.3.2), which equal numbers share.
impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-" } else { "" })?;
        f.write_str(if self.whole.is_empty() { "0" } else { self.whole })?;
        if self.fraction.is_empty() { Ok(()) } else { write!(f, ".{}", self.fraction) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_whatever_their_length_and_zeros() {
        let groups: [&[&str]; 9] = [
            &["-123456789012345678901234567890", "-0123456789012345678901234567890.000"],
            &["-2.5", "-02.50"],
            &["-2.25"],
            &["0", "-0", "+0.0", "-.0", "0."],
            &[".00000000000000000000000000000000001"],
            &["0.1", "+.10"],
            &["9", "+009.", "9.0"],
            &["10"],
            &["123456789012345678901234567890"],
        ];
        let all: Vec<_> =
            groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |t| (at, t))).collect();
        for (a_group, a) in &all {
            for (b_group, b) in &all {
                let (a, b) = (Digits::of_decimal(a).unwrap(), Digits::of_decimal(b).unwrap());
                assert_eq!(a.cmp(&b), a_group.cmp(b_group), "{a} {b}");
                assert_eq!(a == b, a_group == b_group);
                assert_eq!(a.to_string() == b.to_string(), a_group == b_group);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "+", "-", "+.", "1e3", "1.2.3", " 1", "1 ", "--1", "+-1", "INF", "0x1", "١"] {
            assert_eq!(Digits::of_decimal(text), None, "{text:?}");
        }
        assert_eq!(Digits::of_integer("1.0"), None);
        assert_eq!(Digits::of_integer("-007").map(|n| n.to_string()).as_deref(), Some("-7"));
    }
}
