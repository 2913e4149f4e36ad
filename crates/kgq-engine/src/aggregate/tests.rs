//! Aggregates over columns of values.

use super::*;
use crate::Budget;
use kgq_snapshot::Snapshot;
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use std::sync::LazyLock;

fn term(text: &str) -> Option<Term> {
    static NAMES: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(r"xsd:(\w+)").unwrap());
    let text = NAMES.replace_all(text, "<http://www.w3.org/2001/XMLSchema#$1>");
    match &*text {
        "-" => None,
        text if text.starts_with(|c: char| c.is_ascii_digit()) => {
            let datatype = if text.contains('.') { oxrdf::vocab::xsd::DECIMAL } else { oxrdf::vocab::xsd::INTEGER };
            Some(Literal::new_typed_literal(text, datatype).into())
        }
        text => Some(text.parse().unwrap()),
    }
}

/// Aggregates values, separated by `|`, in one group; each value is one row of this weight.
fn aggregate(function: AggregateFunction, distinct: bool, values: &str, weight: u64) -> Option<String> {
    let snapshot = Snapshot::from_quads([]).unwrap();
    let context = Context::new(&snapshot, None, Budget::default());
    let ids: Vec<TermId> = values
        .split('|')
        .filter(|value| !value.is_empty())
        .map(|value| term(value).map_or(TermId::UNBOUND, |term| context.terms.id(term).unwrap()))
        .collect();
    let mut accumulator = Accumulator::new(&Aggregation { function, distinct });
    let weights = vec![weight; ids.len()];
    for at in 0..ids.len() {
        let (ids, weights) = (&ids[at..=at], &weights[at..=at]);
        accumulator.add(&[1], 2, Some(Values::Ids(ids)), &[], Some(weights), &context).unwrap();
    }
    let found = accumulator.finish(2, &context).unwrap();
    (found[1] != TermId::UNBOUND).then(|| context.terms.term(found[1]).to_string())
}

#[track_caller]
fn check(function: AggregateFunction, values: &str, expected: &str) {
    let found = aggregate(function, false, values, 1);
    assert_eq!(found, term(expected).map(|term| term.to_string()), "{values}");
}

#[test]
fn sums_have_the_widest_type_and_fail_on_what_is_no_number() {
    check(AggregateFunction::Sum, "", "0");
    check(AggregateFunction::Sum, "1|2", "3");
    check(AggregateFunction::Sum, "1|2.5", "3.5");
    check(AggregateFunction::Sum, "1|\"2\"^^xsd:float|\"0.5\"^^xsd:double", "\"3.5\"^^xsd:double");
    check(AggregateFunction::Sum, "1|\"a\"", "-");
    check(AggregateFunction::Sum, "1|-", "-");
    check(AggregateFunction::Sum, "9223372036854775807|1", "9223372036854775808");
    check(AggregateFunction::Sum, "9223372036854775807|1|\"-1\"^^xsd:integer", "9223372036854775807");
}

#[test]
fn averages_of_integers_are_decimals_and_of_nothing_zero() {
    check(AggregateFunction::Average, "", "0");
    check(AggregateFunction::Average, "1|2", "1.5");
    check(AggregateFunction::Average, "\"1\"^^xsd:double|2", "\"1.5\"^^xsd:double");
    check(AggregateFunction::Average, "1|-", "-");
}

#[test]
fn counts_pass_over_errors() {
    check(AggregateFunction::Count, "1|-|1", "2");
    check(AggregateFunction::Sample, "-|1", "1");
    assert_eq!(aggregate(AggregateFunction::Count, true, "1|-|1", 1), term("1").map(|t| t.to_string()));
}

#[test]
fn distinct_terms_of_one_value_count_apart() {
    let sum = aggregate(AggregateFunction::Sum, true, "1|1|\"01\"^^xsd:integer", 1);
    assert_eq!(sum, term("2").map(|t| t.to_string()));
}

#[test]
fn the_best_value_keeps_its_lexical_form() {
    check(AggregateFunction::Min, "2|\"01\"^^xsd:integer|1.5", "\"01\"^^xsd:integer");
    check(AggregateFunction::Max, "2|10|\"9\"^^xsd:double", "10");
    check(AggregateFunction::Max, "2|-", "-");
    check(AggregateFunction::Min, "", "-");
    check(AggregateFunction::Max, "1|\"a\"|<http://example.com/>", "\"a\"");
}

#[test]
fn concatenations_have_no_language() {
    let function = || AggregateFunction::Concatenate { separator: ",".to_owned() };
    check(function(), "", "\"\"");
    check(function(), "\"a\"@en|\"b\"@en", "\"a,b\"");
    check(function(), "\"a\"@en", "\"a\"");
    check(function(), "\"a\"@en|\"b\"", "\"a,b\"");
    check(function(), "\"a\"|1|\"01\"^^xsd:integer|<http://example.com/>", "\"a,1,01,http://example.com/\"");
    check(function(), "\"a\"|-", "-");
    check(AggregateFunction::Concatenate { separator: " ".to_owned() }, "\"a\"|\"b\"", "\"a b\"");
}

#[test]
fn a_row_of_weight_two_is_two_solutions() {
    let two = |function| aggregate(function, false, "1|2.5", 2);
    let text = |expected: &str| term(expected).map(|t| t.to_string());
    assert_eq!(two(AggregateFunction::Sum), text("\"7\"^^xsd:decimal"));
    assert_eq!(two(AggregateFunction::Average), text("1.75"));
    assert_eq!(two(AggregateFunction::Count), text("4"));
    let function = AggregateFunction::Concatenate { separator: " ".to_owned() };
    assert_eq!(aggregate(function, false, "\"a\"", 3), text("\"a a a\""));
}

#[test]
fn distinct_terms_are_counted_apart_from_those_of_other_groups() {
    let iri = |n: u32| NamedNode::new_unchecked(format!("http://example.com/{n}"));
    let snapshot = Snapshot::from_quads(
        (0..300).map(|n| kgq_syntax::rdf::Quad::new(iri(n), iri(0), iri(n), kgq_syntax::rdf::GraphName::DefaultGraph)),
    )
    .unwrap();
    let context = Context::new(&snapshot, None, Budget::default());
    let mut accumulator = Accumulator::new(&Aggregation { function: AggregateFunction::Count, distinct: true });
    let stored: Vec<TermId> = (0..300).map(TermId::new).collect();
    for _ in 0..3 {
        accumulator.add(&[0; 300], 1, Some(Values::Ids(&stored)), &[], None, &context).unwrap();
    }
    accumulator.add(&[1; 3], 2, Some(Values::Ids(&[stored[0], stored[0], stored[1]])), &[], None, &context).unwrap();
    accumulator.add(&[0; 3], 2, Some(Values::Ids(&[stored[0], stored[9], stored[1]])), &[], None, &context).unwrap();
    let counts = accumulator.finish(2, &context).unwrap();
    let shown = |id| context.terms.number(id).map(|n| n.to_string());
    assert_eq!(shown(counts[0]).as_deref(), Some("300"));
    assert_eq!(shown(counts[1]).as_deref(), Some("2"));
}

#[test]
fn distinct_terms_of_groups_with_few_and_with_many_are_counted() {
    let iri = |n: u32| NamedNode::new_unchecked(format!("http://example.com/{n:04}"));
    let statement = |n| kgq_syntax::rdf::Quad::new(iri(n), iri(0), iri(n), kgq_syntax::rdf::GraphName::DefaultGraph);
    let snapshot = Snapshot::from_quads((0..3000).map(statement)).unwrap();
    let context = Context::new(&snapshot, None, Budget::default());
    let mut accumulator = Accumulator::new(&Aggregation { function: AggregateFunction::Count, distinct: true });
    let (mut random, mut expected) = (fastrand::Rng::with_seed(31), vec![std::collections::BTreeSet::new(); 40]);
    for batch in 1..=200_u32 {
        // More groups come, each with a share of the terms of its own; some terms are none of the stored ones.
        let known = (batch as usize / 4).clamp(1, 40);
        let groups: Vec<u32> = (0..300).map(|_| random.u32(..known as u32)).collect();
        let ids: Vec<TermId> = groups.iter().map(|group| TermId::new(random.u32(..=(group + 1) * 80))).collect();
        accumulator.add(&groups, known, Some(Values::Ids(&ids)), &[], None, &context).unwrap();
        for (group, id) in groups.iter().zip(ids) {
            expected[*group as usize].insert(id);
        }
    }
    let counts = accumulator.finish(40, &context).unwrap();
    let counted: Vec<String> = counts.iter().map(|id| context.terms.number(*id).unwrap().to_string()).collect();
    assert_eq!(counted, expected.iter().map(|ids| ids.len().to_string()).collect::<Vec<_>>());
}

#[test]
fn distinct_rows_are_counted_by_all_their_variables() {
    let snapshot = Snapshot::from_quads([]).unwrap();
    let context = Context::new(&snapshot, None, Budget::default());
    let counting = Aggregation { function: AggregateFunction::CountRows, distinct: true };
    let mut accumulator = Accumulator::new(&counting);
    let [a, b, c] = [1, 2, 3].map(TermId::new);
    assert!(counting.needs_rows());
    let columns: [&[TermId]; 2] = [&[a, a, a, b], &[b, b, c, b]];
    accumulator.add(&[0, 0, 0, 1], 2, None, &columns, None, &context).unwrap();
    let counts = accumulator.finish(2, &context).unwrap();
    assert_eq!(context.terms.number(counts[0]).map(|n| n.to_string()).as_deref(), Some("2"));
    assert_eq!(context.terms.number(counts[1]).map(|n| n.to_string()).as_deref(), Some("1"));
}

#[test]
fn a_concatenation_hears_within_a_batch_that_it_is_cancelled() {
    let snapshot = Snapshot::from_quads([]).unwrap();
    let budget = Budget::default();
    let context = Context::new(&snapshot, None, budget.clone());
    let id = context.terms.id(Literal::new_simple_literal("a").into()).unwrap();
    let function = AggregateFunction::Concatenate { separator: " ".to_owned() };
    let mut accumulator = Accumulator::new(&Aggregation { function, distinct: false });
    accumulator.add(&[0; 1000], 1, Some(Values::Ids(&[id; 1000])), &[], None, &context).unwrap();
    budget.cancel();
    assert!(accumulator.add(&[0; 1000], 1, Some(Values::Ids(&[id; 1000])), &[], None, &context).is_err());
}

#[test]
fn a_concatenation_is_held_before_it_is_made() {
    let snapshot = Snapshot::from_quads([]).unwrap();
    let concatenate = |memory: u64, weight: u64| {
        let budget = Budget::new(kgq_syntax::budget::Limits { memory: Some(memory), ..Default::default() });
        let context = Context::new(&snapshot, None, budget.clone());
        let id = context.terms.id(Literal::new_simple_literal("x".repeat(1000)).into()).unwrap();
        let before = budget.held();
        let function = AggregateFunction::Concatenate { separator: " ".to_owned() };
        let mut accumulator = Accumulator::new(&Aggregation { function, distinct: false });
        let added = accumulator.add(&[0; 2], 1, Some(Values::Ids(&[id; 2])), &[], Some(&[weight, weight]), &context);
        let held = budget.held() - before;
        // The text of a group is freed when an error ends the group.
        accumulator.add(&[0], 1, Some(Values::Ids(&[TermId::UNBOUND])), &[], None, &context).unwrap();
        (added.is_ok(), held, budget.held() - before)
    };
    let (is_made, held, left) = concatenate(10 << 20, 500);
    assert!(is_made && held >= 1_000_000, "{held} bytes are held of a text of a megabyte");
    assert!(left < 1000, "{left} bytes are held of none");
    // Two hundred megabytes at once.
    let (is_made, held, _) = concatenate(10 << 20, 200_000);
    assert!(!is_made && held < 1000, "{held}");
}
