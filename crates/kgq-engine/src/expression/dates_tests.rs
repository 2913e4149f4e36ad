//! Dates, times and durations: their parts, and how they compare.

use super::tests::check;

#[test]
fn parts_of_dates_are_read() {
    let row = &["\"2011-01-10T14:45:13.815-05:00\"^^xsd:dateTime", "\"2011-02-03\"^^xsd:date"];
    for (expression, expected) in [
        ("YEAR(?x)", "2011"),
        ("MONTH(?y)", "2"),
        ("DAY(?x)", "10"),
        ("HOURS(?x)", "14"),
        ("HOURS(?y)", "error"),
        ("MINUTES(?x)", "45"),
        ("SECONDS(?x)", "13.815"),
        ("TIMEZONE(?x)", "\"-PT5H\"^^xsd:dayTimeDuration"),
        ("TIMEZONE(?y)", "error"),
        ("TZ(?x)", "\"-05:00\""),
        ("TZ(?y)", "\"\""),
        ("ADJUST(?x, \"PT0S\"^^xsd:dayTimeDuration)", "\"2011-01-10T19:45:13.815Z\"^^xsd:dateTime"),
    ] {
        check(expression, row, expected);
    }
}

#[test]
fn moments_far_away_and_at_the_ends_of_days_compare() {
    for (expression, expected) in [
        ("\"2020-01-01T24:00:00Z\"^^xsd:dateTime = \"2020-01-02T00:00:00Z\"^^xsd:dateTime", "true"),
        ("\"24:00:00\"^^xsd:time = \"00:00:00\"^^xsd:time", "true"),
        ("\"12020-01-01\"^^xsd:date > \"9999-01-01\"^^xsd:date", "true"),
        ("\"-0044-03-15\"^^xsd:date < \"0001-01-01\"^^xsd:date", "true"),
        ("\"2020-01-01T00:00:00\"^^xsd:dateTime < \"2020-01-03T00:00:00Z\"^^xsd:dateTime", "true"),
        ("\"2020-01-01T00:00:00\"^^xsd:dateTime = \"2020-01-01T00:00:00Z\"^^xsd:dateTime", "error"),
        ("\"P1M\"^^xsd:duration < \"P31D\"^^xsd:duration", "error"),
        ("\"P1M\"^^xsd:duration < \"P32D\"^^xsd:duration", "true"),
        ("\"-P1D\"^^xsd:duration < \"PT0S\"^^xsd:duration", "true"),
        ("YEAR(\"-0044-03-15T00:00:00Z\"^^xsd:dateTime)", "-44"),
    ] {
        check(expression, &[], expected);
    }
}
