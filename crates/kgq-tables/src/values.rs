//! Lexical forms of XML Schema as the values that Arrow has. A value that Arrow cannot hold is `None` here.

use oxsdatatypes::{Date, DateTime, DayTimeDuration, Decimal, Double, Float, Time};
use std::str::FromStr;

/// Reads the values of literals, given as texts or as ids. A literal without a value that Arrow holds gives `None`.
pub trait Values<Literal: Copy> {
    fn boolean(&self, literal: Literal) -> Option<bool>;
    fn whole<T: TryFrom<i64> + FromStr>(&self, literal: Literal) -> Option<T>;
    fn float(&self, literal: Literal) -> Option<f32>;
    fn double(&self, literal: Literal) -> Option<f64>;
    /// How many digits a decimal has before and behind its point.
    fn digits(&self, literal: Literal) -> Option<(usize, usize)>;
    /// A decimal in units of 10 to the power of -`scale`.
    fn decimal(&self, literal: Literal, scale: usize) -> Option<i128>;
    /// Days since 1970 of a date without a time zone.
    fn date(&self, literal: Literal) -> Option<i32>;
    /// Whether a date and time has a time zone, and its microseconds since 1970.
    fn date_time(&self, literal: Literal) -> Option<(bool, i64)>;
    /// Microseconds since midnight of a time without a time zone.
    fn time(&self, literal: Literal) -> Option<i64>;
}

/// Reads values from lexical forms.
pub struct Texts;

impl Values<&str> for Texts {
    fn boolean(&self, text: &str) -> Option<bool> {
        boolean(text)
    }

    fn whole<T: TryFrom<i64> + FromStr>(&self, text: &str) -> Option<T> {
        whole(text)
    }

    fn float(&self, text: &str) -> Option<f32> {
        float(text)
    }

    fn double(&self, text: &str) -> Option<f64> {
        double(text)
    }

    fn digits(&self, text: &str) -> Option<(usize, usize)> {
        digits(text)
    }

    fn decimal(&self, text: &str, scale: usize) -> Option<i128> {
        decimal(text, scale)
    }

    fn date(&self, text: &str) -> Option<i32> {
        date(text)
    }

    fn date_time(&self, text: &str) -> Option<(bool, i64)> {
        date_time(text)
    }

    fn time(&self, text: &str) -> Option<i64> {
        time(text)
    }
}

/// How many of the 10⁻¹⁸ units of oxsdatatypes make a microsecond.
const IN_A_MICROSECOND: i128 = 1_000_000_000_000;
const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// An integer. `-0` is 0 for unsigned types too, whose parsers in Rust refuse the sign.
pub fn whole<T: TryFrom<i64> + FromStr>(text: &str) -> Option<T> {
    match text.parse::<i64>() {
        Ok(value) => T::try_from(value).ok(),
        Err(_) => text.parse().ok(),
    }
}

pub fn float(text: &str) -> Option<f32> {
    text.parse::<Float>().ok().filter(|_| is_xsd(text)).map(f32::from)
}

pub fn double(text: &str) -> Option<f64> {
    text.parse::<Double>().ok().filter(|_| is_xsd(text)).map(f64::from)
}

/// Whether a number uses only letters of XML Schema: Rust's parsers accept more words for infinity.
fn is_xsd(text: &str) -> bool {
    matches!(text, "INF" | "+INF" | "-INF" | "NaN")
        || text.bytes().all(|b| !b.is_ascii_alphabetic() || b.eq_ignore_ascii_case(&b'e'))
}

/// The number of digits before and after the point, without leading and trailing zeros.
pub fn digits(text: &str) -> Option<(usize, usize)> {
    let (whole, places) = parts(text)?;
    Some((whole.trim_start_matches('0').len(), places.len()))
}

/// A decimal as a multiple of 10^−`scale`; `None` if it has more places or overflows.
pub fn decimal(text: &str, scale: usize) -> Option<i128> {
    let (whole, places) = parts(text)?;
    let missing = scale.checked_sub(places.len())?;
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(places.bytes()).chain(std::iter::repeat_n(b'0', missing)) {
        units = units.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some(if text.starts_with('-') { -units } else { units })
}

/// The number of places after the point in the decimals of oxsdatatypes.
const PLACES: usize = 18;

/// Like [`digits`], for a parsed decimal.
pub fn digits_of(value: Decimal) -> (usize, usize) {
    let units = i128::from_be_bytes(value.to_be_bytes()).unsigned_abs();
    let one = 10_u128.pow(PLACES as u32);
    let (whole, mut part) = (units / one, (units % one) as u64);
    let mut places = if part == 0 { 0 } else { PLACES };
    while part != 0 && part.is_multiple_of(10) {
        part /= 10;
        places -= 1;
    }
    (whole.checked_ilog10().map_or(0, |most| most as usize + 1), places)
}

/// A parsed decimal as a multiple of 10^−`scale`; `None` if it has more places or overflows.
pub fn scaled(value: Decimal, scale: usize) -> Option<i128> {
    let units = i128::from_be_bytes(value.to_be_bytes());
    let power = |places: usize| 10_i128.checked_pow(u32::try_from(places).ok()?);
    match scale.checked_sub(PLACES) {
        Some(more) => units.checked_mul(power(more)?),
        None => {
            let unit = power(PLACES - scale)?;
            (units % unit == 0).then_some(units / unit)
        }
    }
}

/// The digits of a decimal before its point, and those after it without trailing zeros.
fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let some = !(whole.is_empty() && places.is_empty());
    (some && all_digits(whole) && all_digits(places)).then(|| (whole, places.trim_end_matches('0')))
}

/// Days since 1970-01-01 of a date without a time zone.
pub fn date(text: &str) -> Option<i32> {
    days(text.parse().ok()?, "1970-01-01".parse().ok()?)
}

/// Days from `epoch` to a date without a time zone.
pub fn days(date: Date, epoch: Date) -> Option<i32> {
    if date.timezone_offset().is_some() {
        return None;
    }
    i32::try_from(microseconds(date.checked_sub(epoch)?)? / MICROSECONDS_A_DAY).ok()
}

/// Whether a date and time has a time zone, and its microseconds since 1970: in UTC if it has one, else in local time.
pub fn date_time(text: &str) -> Option<(bool, i64)> {
    let moment: DateTime = text.parse().ok()?;
    let zoned = moment.timezone_offset().is_some();
    let epoch = if zoned { "1970-01-01T00:00:00Z" } else { "1970-01-01T00:00:00" };
    let epoch: DateTime = epoch.parse().ok()?;
    Some((zoned, microseconds(moment.checked_sub(epoch)?)?))
}

/// Microseconds since midnight of a time without a time zone.
pub fn time(text: &str) -> Option<i64> {
    let time: Time = text.parse().ok()?;
    if time.timezone_offset().is_some() {
        return None;
    }
    let midnight: Time = "00:00:00".parse().ok()?;
    microseconds(time.checked_sub(midnight)?)
}

/// The duration in microseconds; `None` if it has a finer part or overflows.
pub fn microseconds(duration: DayTimeDuration) -> Option<i64> {
    let units = i128::from_be_bytes(duration.as_seconds().to_be_bytes());
    (units % IN_A_MICROSECOND == 0).then(|| i64::try_from(units / IN_A_MICROSECOND).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_1970_to_the_microsecond() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(date("2026-11-28"), Some(20785));
        assert_eq!(date("2026-11-28Z"), None);
        assert_eq!(date("2026-02-30"), None);
        assert_eq!(date_time("1970-01-01T08:00:00.000001+08:00"), Some((true, 1)));
        assert_eq!(date_time("1970-01-01T00:00:01"), Some((false, 1_000_000)));
        assert_eq!(date_time("1970-01-01T00:00:00.0000001Z"), None);
        assert_eq!(time("00:00:01.5"), Some(1_500_000));
    }

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(digits("-001.50"), Some((1, 1)));
        assert_eq!(digits("."), None);
        assert_eq!(digits("1e5"), None);
        assert_eq!(decimal("-1.5", 3), Some(-1500));
        assert_eq!(decimal("+.25", 2), Some(25));
        assert_eq!(decimal("0.125", 2), None);
        assert_eq!(double("INF"), Some(f64::INFINITY));
        assert_eq!(double("infinity"), None);
    }
}
