//! Whole columns of numbers and dates, of one type and of several, compared with the same rows evaluated one by one.

use super::tests::{columns, parse, snapshot_of};
use super::*;
use crate::aggregate::{Accumulator, Values};
use crate::order::{Families, Key, TermOrder};
use crate::plan::Aggregation;
use crate::plan::aggregate::AggregateFunction;
use kgq_syntax::rdf::{Literal, NamedNode, Term};

/// A generator of numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

const TYPES: [&[&str]; 11] = [
    &["integer", "0", "-0", "7", "-3", "+12", "007", "9223372036854775807", "-9223372036854775808", "16777217", "99"],
    &["byte", "1", "-1", "0", "100", "127"],
    &["decimal", "0.0", "-0.00", "1.5", "-2.5", "0.000000000000000003", "123456789.987654321", "10", "0.1", "3.25"],
    &["decimal", "170141183460469231731.687303715884105727", "-170141183460469231731.6", "1.000000001", "-7"],
    &["float", "0", "-0", "1.5", "-2.5", "16777216", "3e38", "-1e-40", "0.1"],
    &["double", "0", "-0", "1.5", "-2.5", "1e308", "-1e-320", "0.1", "9007199254740993"],
    &["double", "NaN", "INF", "-INF", "0.5", "2.5"],
    &["integer", "170141183460469231731687303715884105728", "1", "x"],
    &["date", "2024-02-29", "2024-03-01Z", "1999-12-31-13:00", "-0004-02-29", "0001-01-01", "2100-02-28+14:00"],
    &["dateTime", "2024-02-29T23:59:59.5", "2023-12-31T24:00:00Z", "2000-01-01T00:30:00+01:00", "-0001-06-06T01:02:03"],
    &["gYear", "2024", "-0004Z"],
];

fn typed(datatype: &str, text: &str) -> Term {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    Literal::new_typed_literal(text, datatype).into()
}

/// `rows` terms of one type; or of any type, with terms of other kinds and unbound rows.
fn column(of: Option<&[&str]>, numbers: &mut Numbers, rows: usize) -> Vec<Option<Term>> {
    let one = |_| match of {
        Some([datatype, texts @ ..]) => Some(typed(datatype, texts[numbers.next(texts.len())])),
        _ => match numbers.next(16) {
            0 => None,
            1 => Some(Literal::new_simple_literal("12").into()),
            2 => Some(NamedNode::new_unchecked("http://example.com/12").into()),
            _ => {
                let of = TYPES[numbers.next(TYPES.len())];
                Some(typed(of[0], of[1 + numbers.next(of.len() - 1)]))
            }
        },
    };
    (0..rows).map(one).collect()
}

/// Converts terms to ids: those whose number is even are stored, or all, or none.
fn ids(terms: &[Option<Term>], context: &Context<'_>) -> Vec<TermId> {
    let id = |term: &Option<Term>| term.clone().map_or(TermId::UNBOUND, |term| context.terms.id(term).unwrap());
    terms.iter().map(id).collect()
}

fn stored(terms: &[Option<Term>], which: usize) -> Snapshot {
    let some = terms.iter().enumerate().filter(|(at, _)| at % 2 < which).filter_map(|(_, term)| term.clone());
    snapshot_of(some)
}

const EXPRESSIONS: [&str; 34] = [
    "?x + ?y",
    "?x - ?y",
    "?x * ?y",
    "?x / ?y",
    "?x * 2 + 1",
    "?x / 10",
    "?x / 3.0",
    "10 / ?x",
    "?x * 0.5",
    "?x + 1.5e0",
    "?x / 0",
    "?x / -7",
    "-?x",
    "+?x",
    "-(?x * 2)",
    "ABS(?x)",
    "CEIL(?x / 3)",
    "FLOOR(?x / 10)",
    "ROUND(?x)",
    "FLOOR(?x)",
    "xsd:double(?x)",
    "xsd:float(?x)",
    "xsd:integer(?x)",
    "xsd:decimal(?x)",
    "xsd:double(STR(?x))",
    "xsd:float(STR(?x))",
    "xsd:integer(STR(?x)) + 1",
    "xsd:decimal(STR(?x))",
    "YEAR(?x)",
    "MONTH(?x) + 1",
    "DAY(?x)",
    "STRLEN(STR(?x))",
    "STRLEN(?x)",
    "IF(?x + 1 > ?y, ?x * 2, COALESCE(?y / ?x, -1))",
];

const CONDITIONS: [&str; 12] = [
    "?x * 2 + 1 > 33.62",
    "?x / 2 = 0.75",
    "?x + 0 <= ?y",
    "?x * 1e0 = ?y * 1",
    "1 < -?x",
    "?x - ?y",
    "?x + 1 IN (8, 2.5, 1e0)",
    "MONTH(?x) = 2",
    "YEAR(?x) > YEAR(?y)",
    "!(FLOOR(?x) != ?x)",
    "?x < ?y",
    "?x = ?y",
];

/// Columns of each type, paired with one of the same type, of another type and of all types.
fn pairs() -> Vec<[Vec<Option<Term>>; 2]> {
    let mut numbers = Numbers(12);
    let mut pairs = Vec::new();
    for (at, of) in TYPES.iter().enumerate() {
        for other in [Some(*of), Some(TYPES[(at + 3) % TYPES.len()]), None] {
            pairs.push([column(Some(of), &mut numbers, 60), column(other, &mut numbers, 60)]);
        }
    }
    pairs.push([column(None, &mut numbers, 200), column(None, &mut numbers, 200)]);
    pairs
}

/// The written form of a value, so that NaN equals itself.
fn written(datum: Option<Datum>, context: &Context<'_>) -> Option<String> {
    datum.map(|datum| match datum {
        Datum::Term(id) => context.terms.term(id).to_string(),
        Datum::Value(value) => value.into_term().to_string(),
    })
}

#[test]
fn expressions_over_columns_of_numbers_are_those_of_each_row() {
    let schema = columns(2);
    for [x, y] in pairs() {
        for which in [0, 1, 2] {
            let snapshot = stored(&[x.clone(), y.clone()].concat(), which);
            let context = Context::new(&snapshot, None, Budget::default());
            let [x, y] = [&x, &y].map(|terms| ids(terms, &context));
            let rows = x.len();
            let row = |at: usize| Batch::new(vec![vec![x[at]], vec![y[at]]], 1);
            let all = Batch::new(vec![x.clone(), y.clone()], rows);
            for text in EXPRESSIONS {
                let compiled = compile(&parse(text), &schema, &context).unwrap();
                // Evaluated as part of an expression that does not remember terms.
                let inner = compile(&parse(&format!("COALESCE({text}, ?nothing)")), &schema, &context).unwrap();
                let one = |at| compiled.data(&row(at), false, &context).unwrap().remove(0);
                let each: Vec<Option<String>> = (0..rows).map(|at| written(one(at), &context)).collect();
                for compiled in [&compiled, &inner] {
                    let data = compiled.data(&all, false, &context).unwrap();
                    let data: Vec<_> = data.into_iter().map(|datum| written(datum, &context)).collect();
                    assert_eq!(data, each, "{text}");
                    let given = compiled.evaluate(&all, &context).unwrap();
                    let term = |id: &TermId| (*id != TermId::UNBOUND).then(|| context.terms.term(*id).to_string());
                    assert_eq!(given.iter().map(term).collect::<Vec<_>>(), each, "{text}");
                    // A term has one id, whoever makes it.
                    for id in given.iter().filter(|id| **id != TermId::UNBOUND) {
                        assert_eq!(context.terms.id(context.terms.term(*id)).unwrap(), *id);
                        assert_eq!(context.terms.find(context.terms.term(*id).as_ref()), Some(*id));
                    }
                }
            }
            for text in CONDITIONS {
                let compiled = compile(&parse(text), &schema, &context).unwrap();
                let each: Vec<Truth> = (0..rows).map(|at| compiled.truths(&row(at), &context).unwrap()[0]).collect();
                assert_eq!(compiled.truths(&all, &context).unwrap(), each, "{text}");
            }
        }
    }
}

#[test]
fn aggregates_of_columns_of_numbers_are_those_of_rows_added_one_by_one() {
    let functions =
        [AggregateFunction::Sum, AggregateFunction::Average, AggregateFunction::Min, AggregateFunction::Max];
    for [x, y] in pairs() {
        for which in [0, 1, 2] {
            let snapshot = stored(&x, which);
            let context = Context::new(&snapshot, None, Budget::default());
            let batches = [ids(&x, &context), ids(&y, &context), ids(&x, &context)];
            for (function, group_count) in functions.iter().flat_map(|f| [(f, 1), (f, 3)]) {
                let groups: Vec<u32> = (0..x.len() as u32).map(|row| row % group_count).collect();
                let weights: Vec<u64> = (0..x.len() as u64).map(|row| row % 4 + 1).collect();
                for weights in [None, Some(weights.as_slice())] {
                    let aggregation = Aggregation { function: function.clone(), distinct: false };
                    let [mut whole, mut each] = [(); 2].map(|()| Accumulator::new(&aggregation));
                    let groups_of = |count: u32| count as usize;
                    for batch in &batches {
                        let values = Some(Values::Ids(batch));
                        whole.add(&groups, groups_of(group_count), values, &[], weights, &context).unwrap();
                        for row in 0..batch.len() {
                            let of_row = Some(Values::Ids(&batch[row..=row]));
                            let weights = weights.map(|weights| &weights[row..=row]);
                            let groups = &groups[row..=row];
                            each.add(groups, groups_of(group_count), of_row, &[], weights, &context).unwrap();
                        }
                    }
                    let [whole, each] = [whole, each].map(|all| all.finish(groups_of(group_count), &context).unwrap());
                    assert_eq!(whole, each, "{function:?} of {group_count} groups");
                }
            }
        }
    }
}

#[test]
fn the_first_groups_in_the_order_of_an_aggregate_are_those_of_the_whole_order() {
    let (mut numbers, mut tested) = (Numbers(5), 0);
    for of in [Some(TYPES[0]), Some(TYPES[2]), Some(TYPES[5]), Some(TYPES[6]), None] {
        let terms = column(of, &mut numbers, 300);
        let snapshot = stored(&terms, 1);
        let context = Context::new(&snapshot, None, Budget::default());
        let ids = ids(&terms, &context);
        let groups: Vec<u32> = (0..300).map(|row| row / 3).collect();
        for function in
            [AggregateFunction::Average, AggregateFunction::Sum, AggregateFunction::Max, AggregateFunction::Count]
        {
            let aggregation = Aggregation { function, distinct: false };
            for (most, descending) in [(1, true), (7, false), (40, true), (99, false)] {
                let [mut some, mut all] = [(); 2].map(|()| Accumulator::new(&aggregation));
                for accumulator in [&mut some, &mut all] {
                    accumulator.add(&groups, 100, Some(Values::Ids(&ids)), &[], None, &context).unwrap();
                }
                let Some(kept) = some.first(100, most, descending, &context).unwrap() else { continue };
                tested += 1;
                some.keep(100, &kept, &context).unwrap();
                let all = all.finish(100, &context).unwrap();
                let picked: Vec<TermId> = kept.iter().map(|at| all[*at as usize]).collect();
                assert_eq!(some.finish(kept.len(), &context).unwrap(), picked);
                // No other group comes before the last of the first ones, or equals it.
                let mut order = TermOrder::new(&context.terms);
                let mut sorted: Vec<u32> = (0..100).collect();
                sorted.sort_by(|a, b| {
                    let order = order.compare(all[*a as usize], all[*b as usize]).unwrap();
                    if descending { order.reverse() } else { order }
                });
                let last = all[sorted[most - 1] as usize];
                let is_first = |at: &u32| {
                    let order = order.compare(all[*at as usize], last).unwrap();
                    if descending { order.is_ge() } else { order.is_le() }
                };
                let expected: Vec<u32> = (0..100).filter(is_first).collect();
                assert_eq!(kept, expected, "{aggregation:?} {most} {descending}");
            }
        }
    }
    assert!(tested >= 40, "{tested} of 80 orders were found");
}

#[test]
fn ranks_of_numbers_and_of_texts_are_in_the_order_of_their_keys() {
    let mut numbers = Numbers(9);
    let tagged = |text: &str, tag: &str| Some(Literal::new_language_tagged_literal_unchecked(text, tag).into());
    let texts = ["", "a", "ab", "abcdefgh", "abcdefghi", "abcdefgz", "é", "zz\u{10ffff}"];
    let mut all: Vec<Vec<Option<Term>>> =
        TYPES.iter().map(|of| Some(*of)).chain([None]).map(|of| column(of, &mut numbers, 100)).collect();
    all.push(texts.iter().flat_map(|text| ["en", "de", "en-gb"].map(|tag| tagged(text, tag))).collect());
    all.push(
        texts.iter().flat_map(|text| [tagged(text, "de"), Some(Literal::new_simple_literal(*text).into())]).collect(),
    );
    all.push([all[0].clone(), all[2].clone()].concat());
    all.push([all[4].clone(), all[5].clone()].concat());
    for mut terms in all {
        terms.extend([None, terms[1].clone()]);
        for which in [0, 1, 2] {
            let snapshot = stored(&terms, which);
            let context = Context::new(&snapshot, None, Budget::default());
            let ids = ids(&terms, &context);
            let ranks = TermOrder::new(&context.terms).ranks(&ids, &mut Families::default()).unwrap();
            let keys: Vec<Key> = ids.iter().map(|id| Key::of(*id, &context.terms)).collect();
            for a in 0..ids.len() {
                for b in 0..ids.len() {
                    let (a_term, b_term) = (&terms[a], &terms[b]);
                    assert_eq!(ranks[a].cmp(&ranks[b]), keys[a].cmp(&keys[b]), "{a_term:?} {b_term:?}");
                    let order = TermOrder::new(&context.terms).compare(ids[a], ids[b]).unwrap();
                    assert_eq!(order, keys[a].cmp(&keys[b]), "{a_term:?} {b_term:?}");
                }
            }
        }
    }
}
