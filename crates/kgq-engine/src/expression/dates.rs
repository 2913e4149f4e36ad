//! Parts of dates and times (SPARQL 1.1 §17.4.5; ADJUST of SEP-0002). `None` is a value without the part.

use super::Context;
use super::value::{Moment, Number, Span, Value};
use kgq_snapshot::TermId;
use oxsdatatypes::{DayTimeDuration, TimezoneOffset};

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateComponent {
    Year,
    Month,
    Day,
    Hours,
    Minutes,
    /// A decimal that includes the fraction.
    Seconds,
    /// The offset as a duration; an error if there is none.
    Timezone,
    /// The offset as it is written; the empty string if there is none.
    Tz,
}

pub fn part(part: DateComponent, value: &Value) -> Option<Value> {
    let Value::Moment(moment) = value else { return None };
    let integer = |n: u8| Some(Value::integer(n.into()));
    match part {
        DateComponent::Year => Some(Value::integer(match moment {
            Moment::DateTime(m) => m.year(),
            Moment::Date(m) => m.year(),
            Moment::YearMonth(m) => m.year(),
            Moment::Year(m) => m.year(),
            Moment::Time(_) | Moment::Month(_) | Moment::MonthDay(_) | Moment::Day(_) => return None,
        })),
        DateComponent::Month => integer(match moment {
            Moment::DateTime(m) => m.month(),
            Moment::Date(m) => m.month(),
            Moment::YearMonth(m) => m.month(),
            Moment::MonthDay(m) => m.month(),
            Moment::Month(m) => m.month(),
            Moment::Time(_) | Moment::Year(_) | Moment::Day(_) => return None,
        }),
        DateComponent::Day => integer(match moment {
            Moment::DateTime(m) => m.day(),
            Moment::Date(m) => m.day(),
            Moment::MonthDay(m) => m.day(),
            Moment::Day(m) => m.day(),
            Moment::Time(_) | Moment::Year(_) | Moment::YearMonth(_) | Moment::Month(_) => return None,
        }),
        DateComponent::Hours => match moment {
            Moment::DateTime(m) => integer(m.hour()),
            Moment::Time(m) => integer(m.hour()),
            _ => None,
        },
        DateComponent::Minutes => match moment {
            Moment::DateTime(m) => integer(m.minute()),
            Moment::Time(m) => integer(m.minute()),
            _ => None,
        },
        DateComponent::Seconds => match moment {
            Moment::DateTime(m) => Some(Number::Decimal(m.second()).into()),
            Moment::Time(m) => Some(Number::Decimal(m.second()).into()),
            _ => None,
        },
        DateComponent::Timezone => {
            offset(*moment).map(|offset| Value::Span(Span::Seconds(DayTimeDuration::from(offset))))
        }
        DateComponent::Tz => Some(Value::string(offset(*moment).map_or_else(String::new, |offset| offset.to_string()))),
    }
}

/// YEAR, MONTH or DAY of a column of stored dates, with or without a time; `None` if a term is not a date.
pub fn parts_of_days(part: DateComponent, ids: &[TermId], context: &Context<'_>) -> Option<Vec<i64>> {
    if !matches!(part, DateComponent::Year | DateComponent::Month | DateComponent::Day) {
        return None;
    }
    let mut days = context.terms.snapshot().days(ids)?;
    for day in &mut days {
        let [year, month, of_month] = calendar(*day);
        *day = match part {
            DateComponent::Year => year,
            DateComponent::Month => month,
            _ => of_month,
        };
    }
    Some(days)
}

/// Days in four hundred years.
const ERA: i64 = 146_097;

/// Returns the year, month and day of the month of a day, counted from 1 January of the year 1. Internally years begin
/// in March, so that the leap day is the last day of its year.
fn calendar(day: i64) -> [i64; 3] {
    // There are 306 days from 1 March of the year 0 to 1 January of the year 1.
    let from_march = day + 306;
    let (era, of_era) = (from_march.div_euclid(ERA), from_march.rem_euclid(ERA));
    // Every fourth year is a leap year, except every hundredth, but including every four hundredth.
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // Five months have 153 days, both from March on and from August on.
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [era * 400 + year + i64::from(month <= 2), month, of_month]
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

/// Returns the same moment in another time zone.
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

#[cfg(test)]
mod tests {
    use super::*;
    use oxsdatatypes::Date;

    #[test]
    fn days_have_the_year_month_and_day_of_their_dates() {
        let around = |day: i64| day - 800..day + 800;
        for day in [0, 36_524, 146_097, 730_000, -146_097, -730_119, 2_000_000, 99_000_000].into_iter().flat_map(around)
        {
            let mut bytes = [0xFF; 18];
            bytes[..16].copy_from_slice(&(i128::from(day) * 86_400 * 10_i128.pow(18)).to_be_bytes());
            let date = Date::from_be_bytes(bytes);
            assert_eq!(calendar(day), [date.year(), date.month().into(), date.day().into()], "{day}");
        }
    }
}
