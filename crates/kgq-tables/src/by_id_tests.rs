use crate::{Batches, Gather};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::Schema;
use kgq_engine::query::{ParseContext, parse_query};
use kgq_engine::{Answer, EvaluationOptions, Limits, Row, Solutions, evaluate};
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Kind, Result, Source};
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Quad, Term};
use oxrdf::GraphName;

fn iri(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://e/{name}"))
}

/// A graph with each term as the value of a thing of its own; every other thing has a name too.
fn graph(terms: &[Term]) -> Snapshot {
    let quads = terms.iter().enumerate().flat_map(|(at, term)| {
        let thing = iri(&format!("thing/{at:05}"));
        let value = Quad::new(thing.clone(), iri("value"), term.clone(), GraphName::DefaultGraph);
        let name = Literal::new_simple_literal(format!("n{}", at % 3));
        let name = (at % 2 == 0).then(|| Quad::new(thing, iri("name"), name, GraphName::DefaultGraph));
        [Some(value), name].into_iter().flatten()
    });
    Snapshot::from_quads(quads.collect::<Vec<_>>()).unwrap()
}

fn solutions(snapshot: &Snapshot, query: &str, limits: Limits) -> Solutions {
    let prefixes = Prefixes::default();
    let context = ParseContext { prefixes: &prefixes, base: Some("http://e/"), bounds: Bounds::default() };
    let query = parse_query(Source::new("q.rq", query), context).unwrap();
    match evaluate(snapshot, &query, &EvaluationOptions { limits, ..EvaluationOptions::default() }).unwrap() {
        Answer::Solutions(solutions) => solutions,
        Answer::Boolean(_) | Answer::Graph(_) => panic!("no SELECT"),
    }
}

/// The same rows as terms, without their ids.
fn as_terms(solutions: Solutions) -> Solutions {
    let rows: Vec<Result<Row>> = solutions.rows.collect();
    Solutions::new(solutions.variables, rows.into_iter())
}

fn batches(solutions: Solutions, how: &Gather) -> (Schema, Vec<RecordBatch>) {
    let batches = Batches::of(solutions, how, &Budget::default()).unwrap();
    (batches.schema().as_ref().clone(), batches.collect::<Result<_>>().unwrap())
}

fn typed(texts: &[&str], datatype: &str) -> Vec<Term> {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    texts.iter().map(|text| Literal::new_typed_literal(*text, datatype.clone()).into()).collect()
}

const ALL: &str = "SELECT ?s ?x ?n { ?s <value> ?x OPTIONAL { ?s <name> ?n } }";

/// Compares the columns made from ids with those made from terms of the same rows, for all options of gathering.
fn alike(terms: &[Term], query: &str) -> String {
    let snapshot = graph(terms);
    let asked = || solutions(&snapshot, query, Limits::default());
    let mut data = String::new();
    for how in [Gather::default(), Gather { held: 0, ..Gather::default() }, Gather { terms: true, ..Gather::default() }]
    {
        for whole in [false, true] {
            let how = Gather { whole, ..how };
            let (by_id, by_term) = (batches(asked(), &how), batches(as_terms(asked()), &how));
            assert_eq!(by_id, by_term, "{how:?} {terms:?}");
            if !how.terms {
                data = by_id.0.field_with_name("x").unwrap().data_type().to_string();
            }
        }
    }
    data
}

#[test]
fn columns_by_ids_are_those_of_the_terms() {
    let long = "7".repeat(30);
    let cases: [(&[&str], &str, &str); 27] = [
        (&["1", "-007", "+5", "0", "9223372036854775807"], "integer", "Int64"),
        (&["1", "9223372036854775808"], "integer", "Utf8"),
        (&["1", "one"], "integer", "Utf8"),
        (&["-5", "7"], "nonNegativeInteger", "Int64"),
        (&["127", "-128"], "byte", "Int8"),
        (&["128", "1"], "byte", "Utf8"),
        (&["1", "2"], "short", "Int16"),
        (&["1", "2"], "int", "Int32"),
        (&["255", "-0"], "unsignedByte", "UInt8"),
        (&["-1"], "unsignedByte", "Utf8"),
        (&["65535", "1"], "unsignedShort", "UInt16"),
        (&["4294967295"], "unsignedInt", "UInt32"),
        (&["18446744073709551615", "1"], "unsignedLong", "UInt64"),
        (&["1.50", "-20.125", "0", "3", "-0.000000000000000001"], "decimal", "Decimal128(38, 18)"),
        (&["1.5", "0.1234567890123456789"], "decimal", "Decimal128(38, 19)"),
        (&[&long, "0.123456789"], "decimal", "Utf8"),
        (&[&long, "-.5", "12."], "decimal", "Decimal128(38, 1)"),
        (&["1.5", "INF", "-INF", "NaN", "-0", "1e3"], "double", "Float64"),
        (&["1.5", "infinity"], "double", "Utf8"),
        (&["0.1", "NaN", "-INF"], "float", "Float32"),
        (&["true", "0", "1", "false"], "boolean", "Boolean"),
        (&["2026-11-28", "1969-12-31", "-0044-03-15"], "date", "Date32"),
        (&["2026-11-28Z"], "date", "Utf8"),
        (&["2026-11-28T12:00:00.5+08:00", "1970-01-01T00:00:00Z"], "dateTime", "Timestamp(µs, \"UTC\")"),
        (&["2026-11-28T24:00:00", "1970-01-01T00:00:00"], "dateTime", "Timestamp(µs)"),
        (&["2026-11-28T12:00:00", "1970-01-01T00:00:00Z"], "dateTime", "Utf8"),
        (&["10:00:00", "23:59:59.999999"], "time", "Time64(µs)"),
    ];
    for (texts, datatype, expected) in cases {
        assert_eq!(alike(&typed(texts, datatype), ALL), expected, "{texts:?} {datatype}");
    }
    assert_eq!(alike(&typed(&["2026", "x\ny", ""], "gYear"), ALL), "Utf8");
    assert_eq!(alike(&typed(&["2026-11-28T12:00:00.0000001Z"], "dateTimeStamp"), ALL), "Utf8");
    assert_eq!(alike(&typed(&["2026-11-28T12:00:00"], "dateTimeStamp"), ALL), "Timestamp(µs)");
    assert_eq!(alike(&[], ALL), "Utf8");
}

#[test]
fn columns_of_other_terms_are_alike_too() {
    let tagged = |tag: &str| Term::from(Literal::new_language_tagged_literal_unchecked("税", tag));
    let triple = oxrdf::Triple::new(iri("a"), iri("p"), Literal::new_language_tagged_literal_unchecked("b", "zh-hant"));
    let blank = || Term::from(oxrdf::BlankNode::new_unchecked("b"));
    assert_eq!(alike(&[tagged("zh-hant")], ALL), "Utf8");
    assert_eq!(alike(&[iri("a").into(), iri("b").into()], ALL), "Utf8");
    for several in [
        vec![tagged("zh-hant"), tagged("en")],
        vec![iri("a").into(), blank(), triple.into(), Literal::from(5).into(), tagged("en")],
        [typed(&["1"], "integer"), typed(&["1"], "decimal")].concat(),
    ] {
        assert!(alike(&several, ALL).starts_with("Struct"), "{several:?}");
    }
}

#[test]
fn terms_that_a_query_makes_are_alike_too() {
    let terms: Vec<Term> = (0..50).map(|n| Literal::from(n * 7 % 50).into()).collect();
    for (made, expected) in [
        ("?v * 3", "Int64"),
        ("?v * 0.5", "Decimal128(38, 1)"),
        ("?v > 20", "Boolean"),
        (
            "IF(?v > 20, STRDT(CONCAT(\"2026-11-\", STR(10 + ?v)), <http://www.w3.org/2001/XMLSchema#date>), 1/0)",
            "Utf8",
        ),
        ("STRLANG(STR(?v), \"de\")", "Utf8"),
        ("IRI(CONCAT(\"i/\", STR(?v)))", "Utf8"),
    ] {
        let query = format!("SELECT ?x ?v {{ ?s <value> ?v BIND({made} AS ?x) }}");
        assert_eq!(alike(&terms, &query), expected, "{made}");
    }
}

#[test]
fn many_rows_and_long_texts_come_in_several_batches() {
    let numbers: Vec<Term> = (0..400).map(|n| Literal::from(n * 7919 % 400).into()).collect();
    let snapshot = graph(&numbers);
    let query = "SELECT ?a ?b { ?s <value> ?a . ?t <value> ?b }";
    let (_, by_id) = batches(solutions(&snapshot, query, Limits::default()), &Gather::default());
    assert_eq!(by_id.iter().map(RecordBatch::num_rows).sum::<usize>(), 160_000);
    assert!(by_id.len() > 2 && by_id[0].num_rows() > 1 << 15);

    let texts: Vec<Term> =
        (0..40).map(|n| Literal::new_simple_literal(format!("{n}{}", "x".repeat(1 << 20))).into()).collect();
    let snapshot = graph(&texts);
    let asked = || solutions(&snapshot, "SELECT ?x { ?s <value> ?x }", Limits::default());
    let expected: Vec<String> = as_terms(asked()).rows.map(|row| first_word(&row.unwrap())).collect();
    for held in [0, 1 << 30] {
        let (_, by_id) = batches(asked(), &Gather { held, whole: true, ..Gather::default() });
        assert!(by_id.len() > 2, "{}", by_id.len());
        let found = by_id.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten());
        assert_eq!(found.map(|text| text.trim_end_matches('x').to_owned()).collect::<Vec<_>>(), expected);
    }
}

fn first_word(row: &Row) -> String {
    match &row[0] {
        Some(Term::Literal(literal)) => literal.value().trim_end_matches('x').to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn batches_are_as_large_as_the_budget_has_room_for() {
    let numbers: Vec<Term> = (0..60_000).map(|n| Literal::from(n).into()).collect();
    let snapshot = graph(&numbers);
    let asked = || solutions(&snapshot, "SELECT ?x { ?s <value> ?x }", Limits::default());
    let (_, whole) = batches(asked(), &Gather::default());
    // All of them take 480 kB.
    let budget = Budget::new(Limits { memory: Some(400 << 10), ..Limits::default() });
    let parts = Batches::of(asked(), &Gather { held: 0, ..Gather::default() }, &budget).unwrap();
    let parts: Vec<RecordBatch> = parts.collect::<Result<_>>().unwrap();
    assert_eq!(parts.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [30_000; 2]);
    let values = |batches: &[RecordBatch]| -> Vec<i64> {
        let columns = batches.iter().map(|batch| batch.column(0).as_primitive::<arrow_array::types::Int64Type>());
        columns.flat_map(|column| column.values().to_vec()).collect()
    };
    assert_eq!(values(&parts), values(&whole));
    assert_eq!(budget.held(), 0);
}

#[test]
fn ids_end_at_the_limits_that_terms_end_at() {
    let numbers: Vec<Term> = (0..2_000).map(|n| Literal::from(n).into()).collect();
    let snapshot = graph(&numbers);
    let query = "SELECT ?a ?b ?c { ?s <value> ?a . ?t <value> ?b . ?u <value> ?c }";
    for how in [Gather::default(), Gather { terms: true, whole: true, ..Gather::default() }] {
        let budget = Budget::new(Limits { memory: Some(4 << 20), ..Limits::default() });
        let error = Batches::of(solutions(&snapshot, query, Limits::default()), &how, &budget).err().unwrap();
        assert_eq!(error.kind(), Kind::Limit, "{error}");
        assert!(error.message().contains("in temporary files"), "{error}");
        assert_eq!(budget.held(), 0);
    }
    let few = Limits { rows: Some(10), ..Limits::default() };
    let error = Batches::of(solutions(&snapshot, query, few), &Gather::default(), &Budget::default()).err().unwrap();
    assert_eq!(error.message(), "the answer has more than 10 rows");
    let ten = "SELECT ?a { ?s <value> ?a } LIMIT 10";
    let (_, all) = batches(solutions(&snapshot, ten, few), &Gather::default());
    assert_eq!(all[0].num_rows(), 10);
    assert!(!all[0].column(0).is_null(0));
}

#[test]
fn an_answer_by_ids_without_columns_has_rows() {
    let numbers: Vec<Term> = (0..3).map(|n| Literal::from(n).into()).collect();
    let (_, all) = batches(
        solutions(&graph(&numbers), "SELECT * { <thing/00001> <value> 1 }", Limits::default()),
        &Gather::default(),
    );
    assert_eq!(all.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
    assert_eq!(all[0].num_columns(), 0);
}
