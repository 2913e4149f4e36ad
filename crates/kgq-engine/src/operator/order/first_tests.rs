//! ORDER BY with LIMIT returns the first rows of the whole order, whatever kind of terms is sorted.

use crate::Failures;
use crate::executor::{Run, plan};
use crate::operator::Opening;
use crate::order::Key;
use crate::oxigraph::DefaultGraph;
use crate::terms::Terms;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, Quad, Term, Triple};
use spargebra::SparqlParser;
use std::cmp::Reverse;

/// More than two batches after the first rows were cut.
const ROWS: u32 = 12_000;

fn node(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://e/{local}"))
}

fn typed(lexical: String, datatype: &str) -> Term {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    Literal::new_typed_literal(lexical, datatype).into()
}

fn tagged(text: String, tag: &str) -> Term {
    Literal::new_language_tagged_literal_unchecked(text, tag).into()
}

/// Kinds of terms whose order differs, or might differ, from that of their ids.
const KINDS: [&str; 30] = [
    "integers",
    "wide integers",
    "decimals",
    "floats",
    "doubles",
    "numbers",
    "booleans",
    "zoned dateTimes",
    "local dateTimes",
    "dateTimes",
    "zoned dates",
    "local dates",
    "times",
    "years",
    "months of years",
    "days of months",
    "days",
    "durations",
    "durations of all forms",
    "months",
    "seconds",
    "strings",
    "strings of one language",
    "strings of languages",
    "IRIs",
    "blank nodes",
    "unknown datatype",
    "ill-typed numbers",
    "triple terms",
    "all kinds",
];

fn value(kind: &str, n: u32) -> Term {
    let zone = ["Z", "+01:00", "-05:30", "+00:00"][n as usize % 4];
    let local = ["", zone][n as usize % 2];
    let (month, day, hour, minute, second) = (n % 12 + 1, n % 28 + 1, n / 3600 % 24, n / 60 % 60, n % 60);
    match kind {
        "integers" => typed((i64::from(n) - 5000).to_string(), "integer"),
        "wide integers" => typed(format!("{}{n}00000000000000000000000000", ["", "-"][n as usize % 2]), "integer"),
        "decimals" => typed((f64::from(n) / 8.0 - 100.0).to_string(), "decimal"),
        "floats" => typed(format!("{}e{}", n % 100, n % 7), "float"),
        "doubles" => match n % 800 {
            0 => typed("NaN".into(), "double"),
            1 => typed("-INF".into(), "double"),
            _ => typed(format!("{}e{}", i64::from(n) - 900, n % 7), "double"),
        },
        "numbers" => value(["integers", "decimals", "floats", "doubles", "wide integers"][n as usize % 5], n),
        "booleans" => typed(["true", "false", "0", "1"][n as usize % 4].into(), "boolean"),
        "zoned dateTimes" => typed(
            format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}", 1900 + n % 300),
            "dateTime",
        ),
        "local dateTimes" => typed(format!("2020-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"), "dateTime"),
        "dateTimes" => value(["zoned dateTimes", "local dateTimes"][n as usize % 2], n),
        "zoned dates" => typed(format!("{:04}-{month:02}-{day:02}{zone}", 1000 + n % 900), "date"),
        "local dates" => typed(format!("{:04}-{month:02}-{day:02}", 1000 + n % 900), "date"),
        "times" => typed(format!("{hour:02}:{minute:02}:{second:02}.{}{local}", n % 10), "time"),
        "years" => typed(format!("{}{:04}{local}", ["", "-"][n as usize % 2], n + 1), "gYear"),
        "months of years" => typed(format!("{:04}-{month:02}{local}", n + 1), "gYearMonth"),
        "days of months" => typed(format!("--{month:02}-{day:02}{local}"), "gMonthDay"),
        "days" => typed(format!("---{day:02}{local}"), "gDay"),
        "durations" => typed(format!("PT{n}S"), "duration"),
        "durations of all forms" => {
            let text = [format!("P{n}M"), format!("P{n}D"), format!("PT{n}.5S"), format!("-P{n}Y"), format!("PT{n}H")];
            typed(text[n as usize % 5].clone(), "duration")
        }
        "months" => typed(format!("P{n}M"), "yearMonthDuration"),
        "seconds" => typed(format!("{}PT{n}S", ["", "-"][n as usize % 2]), "dayTimeDuration"),
        "strings" => Literal::new_simple_literal(format!("{}{n}", ["", "ä", "Z", "\u{1F600}"][n as usize % 4])).into(),
        "strings of one language" => tagged(format!("{n} things"), "en"),
        "strings of languages" => match n % 5 {
            0 => value("strings", n),
            other => tagged((n / 3).to_string(), ["en", "de", "en-gb", "zh"][other as usize - 1]),
        },
        "IRIs" => node(&format!("i{n}")).into(),
        "blank nodes" => BlankNode::new_unchecked(format!("b{n}")).into(),
        "unknown datatype" => Literal::new_typed_literal(n.to_string(), node("datatype")).into(),
        "ill-typed numbers" => match n % 3 {
            0 => typed(format!("n{n}"), "integer"),
            1 => typed(if n % 50 == 1 { "NaN".into() } else { format!("M{n}") }, "double"),
            _ => typed(if n % 50 == 2 { "NaN".into() } else { format!("x{n}") }, "float"),
        },
        "triple terms" => {
            Triple { subject: node("s").into(), predicate: node("p"), object: value("numbers", n) }.into()
        }
        _ => value(KINDS[n as usize % (KINDS.len() - 1)], n),
    }
}

/// The keys that a row can be sorted by: the number of its group, its value, and the text of the value.
type Sorted = (Key, Key, Option<String>);

fn text(term: &Term) -> Option<String> {
    match term {
        Term::NamedNode(iri) => Some(iri.as_str().to_owned()),
        Term::Literal(literal) => Some(literal.value().to_owned()),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

fn things(kind: &str) -> Snapshot {
    let quad = |subject: &NamedNode, predicate: &str, object: Term| {
        Quad::new(subject.clone(), node(predicate), object, GraphName::DefaultGraph)
    };
    let quads = (0..ROWS).flat_map(|n| {
        let subject = node(&format!("s{n}"));
        // Neither ascending nor descending.
        let mixed = n.wrapping_mul(2_654_435_761) % ROWS;
        let group = Literal::from(i64::from(mixed % 3)).into();
        [quad(&subject, "value", value(kind, mixed)), quad(&subject, "group", group)]
    });
    Snapshot::from_quads(quads).unwrap()
}

/// Returns what the rows of a query, which selects ?g and ?v, can be sorted by.
fn asked(snapshot: &Snapshot, query: &str) -> Vec<Sorted> {
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let how = Run { budget: &Budget::default(), services: None, failures: &Failures::default(), temporary: None };
    let (cx, planned) = plan(snapshot, &query, DefaultGraph::Stored, how).unwrap();
    let mut operator = Opening::new(&cx).node(&planned.plan).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = operator.next(&cx).unwrap() {
        for row in 0..batch.rows() {
            let [group, value] = [0, 1].map(|column| batch.get(column, row));
            let terms: &Terms<'_> = cx.terms();
            rows.push((Key::of(group, terms), Key::of(value, terms), text(&terms.term(value))));
        }
    }
    rows
}

/// Finds the keys of the first rows by sorting all.
fn first<K: Ord + Clone>(rows: &[Sorted], most: usize, key: impl Fn(&Sorted) -> K) -> Vec<K> {
    let mut keys: Vec<K> = rows.iter().map(key).collect();
    keys.sort();
    keys.truncate(most);
    keys
}

fn check<K: Ord + Clone + std::fmt::Debug>(
    kind: &str,
    (snapshot, all): (&Snapshot, &[Sorted]),
    (order, most): (&str, usize),
    key: impl Fn(&Sorted) -> K,
) {
    let query = format!("SELECT ?g ?v {{ ?s :value ?v ; :group ?g }} ORDER BY {order} LIMIT {most}");
    let found: Vec<K> = asked(snapshot, &query).iter().map(&key).collect();
    assert!(found == first(all, most, &key), "{kind}: {query}: {:?}", &found[..12.min(found.len())]);
}

fn check_kinds(kinds: &[&str]) {
    for kind in kinds {
        let snapshot = &things(kind);
        let all = asked(snapshot, "SELECT ?g ?v { ?s :value ?v ; :group ?g } ORDER BY ?v");
        assert_eq!(all.len(), ROWS as usize, "{kind}");
        assert!(all.is_sorted_by_key(|(_, value, _)| value), "{kind}");
        let of = (snapshot, all.as_slice());
        check(kind, of, ("?v", 12), |(_, value, _)| value.clone());
        check(kind, of, ("?v", 700), |(_, value, _)| value.clone());
        check(kind, of, ("DESC(?v)", 12), |(_, value, _)| Reverse(value.clone()));
        check(kind, of, ("?g DESC(?v)", 12), |(group, value, _)| (group.clone(), Reverse(value.clone())));
        check(kind, of, ("STR(?v)", 12), |(_, _, text)| text.clone());
        check(kind, of, ("DESC(?g) DESC(STR(?v))", 12), |(group, _, text)| Reverse((group.clone(), text.clone())));
    }
}

#[test]
fn the_first_numbers_and_dates_are_those_of_the_whole_order() {
    check_kinds(&KINDS[..12]);
}

#[test]
fn the_first_times_and_durations_are_those_of_the_whole_order() {
    check_kinds(&KINDS[12..21]);
}

#[test]
fn the_first_texts_and_all_else_are_those_of_the_whole_order() {
    check_kinds(&KINDS[21..]);
}
