//! Parts of dates and times (SPARQL 1.1 §17.4.5; ADJUST of SEP-0002). `None` is a value without the part.

use super::value::{Moment, Number, Span, Value};
use oxsdatatypes::{DayTimeDuration, TimezoneOffset};

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Year,
    Month,
    Day,
    Hours,
    Minutes,
    /// With the fraction, a decimal.
    Seconds,
    /// The offset as a duration; none is an error.
    Timezone,
    /// The offset as it is written; none is the empty string.
    Tz,
}

pub fn part(part: Part, value: &Value) -> Option<Value> {
    let Value::Moment(moment) = value else { return None };
    let integer = |n: u8| Some(Value::integer(n.into()));
    match part {
        Part::Year => Some(Value::integer(match moment {
            Moment::DateTime(m) => m.year(),
            Moment::Date(m) => m.year(),
            Moment::YearMonth(m) => m.year(),
            Moment::Year(m) => m.year(),
            Moment::Time(_) | Moment::Month(_) | Moment::MonthDay(_) | Moment::Day(_) => return None,
        })),
        Part::Month => integer(match moment {
            Moment::DateTime(m) => m.month(),
            Moment::Date(m) => m.month(),
            Moment::YearMonth(m) => m.month(),
            Moment::MonthDay(m) => m.month(),
            Moment::Month(m) => m.month(),
            Moment::Time(_) | Moment::Year(_) | Moment::Day(_) => return None,
        }),
        Part::Day => integer(match moment {
            Moment::DateTime(m) => m.day(),
            Moment::Date(m) => m.day(),
            Moment::MonthDay(m) => m.day(),
            Moment::Day(m) => m.day(),
            Moment::Time(_) | Moment::Year(_) | Moment::YearMonth(_) | Moment::Month(_) => return None,
        }),
        Part::Hours => match moment {
            Moment::DateTime(m) => integer(m.hour()),
            Moment::Time(m) => integer(m.hour()),
            _ => None,
        },
        Part::Minutes => match moment {
            Moment::DateTime(m) => integer(m.minute()),
            Moment::Time(m) => integer(m.minute()),
            _ => None,
        },
        Part::Seconds => match moment {
            Moment::DateTime(m) => Some(Number::Decimal(m.second()).into()),
            Moment::Time(m) => Some(Number::Decimal(m.second()).into()),
            _ => None,
        },
        Part::Timezone => offset(*moment).map(|offset| Value::Span(Span::Seconds(DayTimeDuration::from(offset)))),
        Part::Tz => Some(Value::string(offset(*moment).map_or_else(String::new, |offset| offset.to_string()))),
    }
}

fn offset(moment: Moment) -> Option<TimezoneOffset> {
    match moment {
        Moment::DateTime(m) => m.timezone_offset(),
        Moment::Date(m) => m.timezone_offset(),
        Moment::Time(m) => m.timezone_offset(),
        Moment::Year(m) => m.timezone_offset(),
        Moment::YearMonth(m) => m.timezone_offset(),
        Moment::Month(m) => m.timezone_offset(),
        Moment::MonthDay(m) => m.timezone_offset(),
        Moment::Day(m) => m.timezone_offset(),
    }
}

/// The same moment seen from another time zone.
pub fn adjust(moment: &Value, offset: &Value) -> Option<Value> {
    let Value::Span(offset) = offset else { return None };
    let Value::Moment(moment) = moment else { return None };
    let zone = Some(match offset {
        Span::Seconds(offset) => TimezoneOffset::try_from(*offset).ok()?,
        Span::Any(offset) => TimezoneOffset::try_from(*offset).ok()?,
        Span::Months(_) => return None,
    });
    Some(Value::Moment(match moment {
        Moment::DateTime(m) => Moment::DateTime(m.adjust(zone)?),
        Moment::Date(m) => Moment::Date(m.adjust(zone)?),
        Moment::Time(m) => Moment::Time(m.adjust(zone)?),
        Moment::Year(m) => Moment::Year(m.adjust(zone)?),
        Moment::YearMonth(m) => Moment::YearMonth(m.adjust(zone)?),
        Moment::Month(m) => Moment::Month(m.adjust(zone)?),
        Moment::MonthDay(m) => Moment::MonthDay(m.adjust(zone)?),
        Moment::Day(m) => Moment::Day(m.adjust(zone)?),
    }))
}
