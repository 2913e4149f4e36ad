//! Numbers of any size, compared with computation by `BigDecimal` alone: arithmetic, comparison, order, aggregates and
//! filters on ranges of ids, for all pairs of numbers around the bounds of the narrow types.

use super::tests::{columns, evaluate, snapshot_of};
use super::*;
use crate::order::{Families, TermOrder};
use bigdecimal::{BigDecimal, Zero};
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use std::str::FromStr;

/// Numbers around the bounds of 64 and 128 bits and of 18 digits after the point, some of them written with more zeros than needed.
fn numbers() -> Vec<(String, &'static str)> {
    let whole = [
        "0",
        "1",
        "7",
        "9223372036854775807",
        "9223372036854775808",
        "9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
        "170141183460469231731",
        "170141183460469231732",
        "000123456789012345678901234567890",
        "340282366920938463463374607431768211456",
    ];
    let fractions = [
        "0.1",
        "0.000000000000000001",
        "0.0000000000000000001",
        "0.00000000000000000000000000166053906660",
        ".5",
        "170141183460469231731.687303715884105727",
        "170141183460469231731.687303715884105728",
        "9223372036854775808.50",
        "123456789012345678901234567890.000000000000000000000000000001",
        "1.0000000000000000000000",
    ];
    let mut all = Vec::new();
    for sign in ["", "-"] {
        all.extend(whole.iter().map(|text| (format!("{sign}{text}"), "integer")));
        all.extend(whole.iter().map(|text| (format!("{sign}{text}.0"), "decimal")));
        all.extend(fractions.iter().map(|text| (format!("{sign}{text}"), "decimal")));
    }
    all.push(("+00099999999999999999999".to_owned(), "nonNegativeInteger"));
    all.push(("18446744073709551615".to_owned(), "unsignedLong"));
    all.push(("-99999999999999999999".to_owned(), "negativeInteger"));
    all
}

fn term((text, datatype): &(String, &str)) -> Term {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    Literal::new_typed_literal(text.clone(), datatype).into()
}

fn exact(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).unwrap()
}

/// Returns the values of an expression over pairs of numbers, as terms.
fn column(expression: &str, pairs: &[(Term, Term)], stored: bool) -> Vec<Option<Term>> {
    let terms = pairs.iter().flat_map(|(a, b)| [a.clone(), b.clone()]);
    let snapshot = snapshot_of(if stored { terms.collect() } else { Vec::new() });
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(2);
    let ids = |terms: Vec<&Term>| terms.into_iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    let columns = vec![ids(pairs.iter().map(|(a, _)| a).collect()), ids(pairs.iter().map(|(_, b)| b).collect())];
    let batch = Batch::new(columns, pairs.len());
    let compiled = compile(&super::tests::parse(expression), &schema, &context).unwrap();
    let ids = compiled.evaluate(&batch, &context).unwrap();
    ids.into_iter().map(|id| (id != TermId::UNBOUND).then(|| context.terms.term(id))).collect()
}

fn text_of(term: &Option<Term>) -> Option<&str> {
    match term {
        Some(Term::Literal(literal)) => Some(literal.value()),
        _ => None,
    }
}

#[test]
fn all_pairs_are_computed_and_compared_exactly() {
    let numbers = numbers();
    let pairs: Vec<_> = numbers.iter().flat_map(|a| numbers.iter().map(move |b| (a, b))).collect();
    let terms: Vec<(Term, Term)> = pairs.iter().map(|(a, b)| (term(a), term(b))).collect();
    type Of = fn(&BigDecimal, &BigDecimal) -> BigDecimal;
    let arithmetic: [(&str, Of); 3] = [("?x + ?y", |a, b| a + b), ("?x - ?y", |a, b| a - b), ("?x * ?y", |a, b| a * b)];
    type Test = fn(&BigDecimal, &BigDecimal) -> bool;
    let tests: [(&str, Test); 5] = [
        ("?x = ?y", |a, b| a == b),
        ("?x < ?y", |a, b| a < b),
        ("?x >= ?y", |a, b| a >= b),
        ("?x IN (?y)", |a, b| a == b),
        ("?x != ?y", |a, b| a != b),
    ];
    for stored in [true, false] {
        for (expression, expected) in arithmetic {
            for ((a, b), found) in pairs.iter().zip(column(expression, &terms, stored)) {
                let found = exact(text_of(&found).unwrap());
                assert_eq!(found, expected(&exact(&a.0), &exact(&b.0)), "{expression} of {a:?} {b:?}");
            }
        }
        for (expression, expected) in tests {
            for ((a, b), found) in pairs.iter().zip(column(expression, &terms, stored)) {
                let expected = expected(&exact(&a.0), &exact(&b.0));
                assert_eq!(
                    text_of(&found),
                    Some(if expected { "true" } else { "false" }),
                    "{expression} of {a:?} {b:?}"
                );
            }
        }
        for ((a, b), found) in pairs.iter().zip(column("?x / ?y", &terms, stored)) {
            let (a, b) = (exact(&a.0), exact(&b.0));
            if b.is_zero() {
                assert_eq!(found, None);
                continue;
            }
            // The error is less than a unit of the last required digit.
            let rest = (&a - exact(text_of(&found).unwrap()) * &b).abs() / b.abs();
            let small = (&a / &b).abs() < exact("1e-9");
            let unit = if small { (&a / &b).abs() * exact("1e-33") } else { exact("1e-18") };
            assert!(rest <= unit, "{a} / {b} is not {found:?}");
        }
    }
}

#[test]
fn a_filter_with_a_constant_finds_the_same_ids_by_ranges_as_by_values() {
    let numbers = numbers();
    let all: Vec<Term> = numbers.iter().map(term).collect();
    let snapshot = snapshot_of(all.clone());
    let context = Context::new(&snapshot, None, Budget::default());
    let schema = columns(1);
    let ids: Vec<TermId> = all.iter().map(|term| context.terms.id(term.clone()).unwrap()).collect();
    for (text, datatype) in &numbers {
        for (operator, holds) in [
            ("<", (|o| o == std::cmp::Ordering::Less) as fn(std::cmp::Ordering) -> bool),
            ("=", |o| o == std::cmp::Ordering::Equal),
            (">=", |o| o != std::cmp::Ordering::Less),
        ] {
            let filter = format!("?x {operator} \"{text}\"^^xsd:{datatype}");
            let compiled = compile(&super::tests::parse(&filter), &schema, &context).unwrap();
            let Candidates { ranges, sure } = compiled.as_ranges(true, &context).unwrap().unwrap();
            assert!(sure);
            for ((other, _), id) in numbers.iter().zip(&ids) {
                let expected = holds(exact(other).cmp(&exact(text)));
                assert_eq!(ranges.iter().any(|range| range.contains(&id.get())), expected, "{other} in {filter}");
            }
        }
    }
}

#[test]
fn the_order_of_terms_is_that_of_the_values() {
    let numbers = numbers();
    for stored in [true, false] {
        let snapshot = snapshot_of(if stored { numbers.iter().map(term).collect() } else { Vec::new() });
        let context = Context::new(&snapshot, None, Budget::default());
        let ids: Vec<TermId> = numbers.iter().map(|n| context.terms.id(term(n)).unwrap()).collect();
        let mut order = TermOrder::new(&context.terms);
        let ranks = order.ranks(&ids, &mut Families::default()).unwrap();
        for (a, (a_text, _)) in numbers.iter().enumerate() {
            for (b, (b_text, _)) in numbers.iter().enumerate() {
                let expected = exact(a_text).cmp(&exact(b_text));
                assert_eq!(order.compare(ids[a], ids[b]).unwrap(), expected, "{a_text} {b_text}");
                assert_eq!(ranks[a].cmp(&ranks[b]), expected, "ranks of {a_text} {b_text}");
            }
        }
    }
}

#[test]
fn wide_numbers_are_numbers_in_every_function() {
    let wide = "123456789012345678901234567890";
    for (expression, x, expected) in [
        ("isNumeric(?x)", wide, "true"),
        ("?x && true", wide, "true"),
        ("-?x", wide, "-123456789012345678901234567890"),
        ("+?x", wide, wide),
        ("ABS(-?x)", wide, wide),
        ("-(-9223372036854775808)", "1", "9223372036854775808"),
        ("ABS(-9223372036854775808)", "1", "9223372036854775808"),
        ("CEIL(?x)", "123456789012345678901234567890.5", "\"123456789012345678901234567891\"^^xsd:decimal"),
        ("FLOOR(?x)", "-123456789012345678901234567890.5", "\"-123456789012345678901234567891\"^^xsd:decimal"),
        ("ROUND(?x)", "-123456789012345678901234567890.5", "\"-123456789012345678901234567890\"^^xsd:decimal"),
        ("ROUND(?x)", "0.50000000000000000000001", "\"1\"^^xsd:decimal"),
        ("xsd:integer(?x)", "-123456789012345678901234567890.5", "-123456789012345678901234567890"),
        ("xsd:integer(?x)", "\" 0123456789012345678901234567890 \"", wide),
        ("xsd:integer(?x)", "\"1e30\"^^xsd:double", "1000000000000000019884624838656"),
        ("xsd:decimal(?x)", "\"1e-30\"^^xsd:double", "0.000000000000000000000000000001"),
        ("xsd:decimal(?x)", "\"INF\"^^xsd:double", "error"),
        ("xsd:double(?x)", wide, "\"123456789012345680000000000000\"^^xsd:double"),
        ("xsd:float(?x)", wide, "\"123456790000000000000000000000\"^^xsd:float"),
        ("xsd:string(?x)", "\"0123456789012345678901234567890\"^^xsd:integer", "\"123456789012345678901234567890\""),
        ("xsd:boolean(?x)", wide, "true"),
        ("DATATYPE(?x + 0)", wide, "<http://www.w3.org/2001/XMLSchema#integer>"),
        ("?x + 1e0", wide, "\"123456789012345680000000000000\"^^xsd:double"),
        ("?x < 1e40", wide, "true"),
        ("?x = 123456789012345678901234567890.0", wide, "true"),
        ("?x = \"a\"", wide, "false"),
        ("SUBSTR(\"hello\", 2, ?x)", wide, "\"ello\""),
        // If the type does not allow the value, the literal has none.
        ("?x + 1", "\"18446744073709551616\"^^xsd:unsignedLong", "error"),
        ("?x + 1", "\"18446744073709551615\"^^xsd:unsignedLong", "18446744073709551616"),
        ("?x + 1", "\"-99999999999999999999\"^^xsd:positiveInteger", "error"),
    ] {
        let expected = super::tests::parse_term(expected);
        assert_eq!(evaluate(expression, &[x]), expected, "{expression} of {x}");
    }
}

#[test]
fn a_number_of_too_many_digits_is_no_number_but_true() {
    let long = format!("1{}", "0".repeat(kgq_syntax::rdf::digits::MOST_DIGITS));
    let long = long.as_str();
    assert_eq!(evaluate("isNumeric(?x)", &[long]), super::tests::parse_term("false"));
    assert_eq!(evaluate("?x && true", &[long]), super::tests::parse_term("true"));
    assert_eq!(evaluate("?x * ?x", &[&long[..6000]]), None);
}
