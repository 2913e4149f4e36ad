use super::*;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, cast::as_struct_array};
use kgq_engine::Row;
use kgq_syntax::budget::Limits;
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, Term, Variable};

fn typed_literal(text: &str, datatype: &str) -> Option<Term> {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    Some(Literal::new_typed_literal(text, datatype).into())
}

fn iri(name: &str) -> Option<Term> {
    Some(NamedNode::new_unchecked(format!("http://e/{name}")).into())
}

fn solutions(names: &[&str], rows: Vec<Row>) -> Solutions {
    let variables = names.iter().map(|name| Variable::new_unchecked(*name)).collect();
    Solutions::new(variables, rows.into_iter().map(Ok))
}

/// Writes one column as a single batch.
fn column(terms: Vec<Option<Term>>) -> (Schema, ArrayRef) {
    let rows = terms.into_iter().map(|term| vec![term]).collect();
    let batches = Batches::of(solutions(&["x"], rows), &Gather::default(), &Budget::default()).unwrap();
    let schema = batches.schema().as_ref().clone();
    let batches: Vec<RecordBatch> = batches.collect::<Result<_>>().unwrap();
    assert_eq!(batches.len(), 1);
    (schema, Arc::clone(batches[0].column(0)))
}

fn type_of(terms: Vec<Option<Term>>) -> String {
    column(terms).0.field(0).data_type().to_string()
}

#[test]
fn a_column_of_one_datatype_has_its_type_and_unbound_is_null() {
    let (schema, numbers) = column(vec![typed_literal("7", "integer"), None, typed_literal("-007", "integer")]);
    assert_eq!(schema.field(0).metadata()["kgq.datatype"], "http://www.w3.org/2001/XMLSchema#integer");
    let numbers = numbers.as_primitive::<Int64Type>();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), [Some(7), None, Some(-7)]);
    assert_eq!(type_of(vec![typed_literal("1", "unsignedByte")]), "UInt8");
    assert_eq!(type_of(vec![typed_literal("true", "boolean")]), "Boolean");
    assert_eq!(type_of(vec![typed_literal("INF", "double")]), "Float64");
    assert_eq!(type_of(vec![typed_literal("2026-11-28", "date")]), "Date32");
    assert_eq!(type_of(vec![typed_literal("10:00:00", "time")]), "Time64(µs)");
    assert_eq!(type_of(vec![typed_literal("2026", "gYear")]), "Utf8");
    assert_eq!(type_of(vec![iri("a"), iri("b")]), "Utf8");
    assert_eq!(type_of(vec![None]), "Utf8");
}

#[test]
fn decimals_have_the_places_of_the_longest() {
    let (_, numbers) = column(vec![typed_literal("1.5", "decimal"), typed_literal("-20.125", "decimal")]);
    assert_eq!(numbers.data_type(), &DataType::Decimal128(38, 3));
    assert_eq!(numbers.as_primitive::<Decimal128Type>().values(), &[1500, -20125]);
    let long = "1".repeat(30);
    let both = vec![typed_literal(&long, "decimal"), typed_literal("0.123456789", "decimal")];
    assert_eq!(type_of(both), "Utf8", "39 digits are too many for both");
}

#[test]
fn moments_are_of_utc_where_all_have_a_time_zone() {
    let zoned = || typed_literal("1970-01-01T01:00:00+01:00", "dateTime");
    let local = || typed_literal("1970-01-01T00:00:01", "dateTime");
    let (schema, moments) = column(vec![zoned()]);
    assert_eq!(schema.field(0).data_type().to_string(), "Timestamp(µs, \"UTC\")");
    assert_eq!(moments.as_primitive::<TimestampMicrosecondType>().value(0), 0);
    assert_eq!(type_of(vec![local()]), "Timestamp(µs)");
    assert_eq!(type_of(vec![zoned(), local()]), "Utf8");
}

#[test]
fn a_text_that_its_type_cannot_hold_makes_a_column_of_texts() {
    let (schema, texts) = column(vec![typed_literal("1", "integer"), typed_literal("12345678901234567890", "integer")]);
    assert_eq!(texts.as_string::<i32>().value(1), "12345678901234567890");
    assert_eq!(schema.field(0).metadata()["kgq.datatype"], "http://www.w3.org/2001/XMLSchema#integer");
    assert_eq!(type_of(vec![typed_literal("one", "integer")]), "Utf8");
    assert_eq!(type_of(vec![typed_literal("2026-11-28Z", "date")]), "Utf8");
}

#[test]
fn a_column_of_several_kinds_says_of_each_term_what_it_is() {
    let chinese = Literal::new_language_tagged_literal_unchecked("税", "zh-hant");
    let terms = vec![iri("a"), None, Some(chinese.into()), typed_literal("5", "integer")];
    let (_, structs) = column(terms);
    let structs = as_struct_array(&structs);
    assert!(structs.is_null(1));
    let texts = |at: usize| structs.column(at).as_string::<i32>();
    assert_eq!(texts(0).iter().flatten().collect::<Vec<_>>(), ["http://e/a", "", "税", "5"]);
    assert_eq!(texts(1).iter().flatten().collect::<Vec<_>>(), ["iri", "", "literal", "literal"]);
    assert!(texts(2).is_null(0));
    assert_eq!(texts(2).value(3), "http://www.w3.org/2001/XMLSchema#integer");
    assert_eq!(texts(3).iter().collect::<Vec<_>>(), [None, None, Some("zh-Hant"), None]);
    let two = vec![iri("a"), Some(BlankNode::new_unchecked("b").into())];
    assert!(type_of(two).starts_with("Struct"));
}

#[test]
fn rows_beyond_what_is_held_come_back_from_a_temporary_file() {
    let row = |n: i64| -> Row {
        let mixed = if n % 2 == 0 { iri("a") } else { Some(Literal::from(n).into()) };
        vec![(n % 3 > 0).then(|| Literal::from(n).into()), mixed]
    };
    let gathered = |how: &Gather| -> Vec<RecordBatch> {
        let rows = (0..100_000).map(row).collect();
        let batches = Batches::of(solutions(&["n", "mixed"], rows), how, &Budget::default()).unwrap();
        batches.collect::<Result<_>>().unwrap()
    };
    let (held, spooled) = (gathered(&Gather::default()), gathered(&Gather { held: 0, ..Gather::default() }));
    assert_eq!(held, spooled);
    assert!(held.len() > 2);
    assert_eq!(held.iter().map(RecordBatch::num_rows).sum::<usize>(), 100_000);
    assert_eq!(held[0].column(0).as_primitive::<Int64Type>().value(1), 1);
    let terms = gathered(&Gather { terms: true, ..Gather::default() });
    assert_eq!(terms[1].column(1), held[1].column(1));
    assert_eq!(as_struct_array(terms[0].column(0)).column(0).as_string::<i32>().value(1), "1");
    for held in [0, 64 << 20] {
        assert_eq!(gathered(&Gather { terms: true, whole: true, held }), terms);
    }
}

#[test]
fn what_is_held_is_little_under_a_limit_on_memory_and_given_back() {
    let budget = Budget::new(Limits { memory: Some(24 << 20), ..Limits::default() });
    let rows = (0..500_000).map(|n: i64| vec![Some(Literal::from(n).into()), iri("one-that-takes-some-room")]);
    let variables = ["n", "iri"].map(Variable::new_unchecked).to_vec();
    let batches = Batches::of(Solutions::new(variables, rows.map(Ok)), &Gather::default(), &budget).unwrap();
    assert_eq!(batches.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 500_000);
    assert!(budget.peak() > 0);
    assert_eq!(budget.held(), 0);
}

#[test]
fn an_answer_without_columns_has_rows() {
    let batches = Batches::of(solutions(&[], vec![vec![], vec![]]), &Gather::default(), &Budget::default()).unwrap();
    assert_eq!(batches.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
}

#[test]
fn an_error_in_the_rows_is_the_error() {
    let rows = vec![Ok(vec![iri("a")]), Err(Error::limit("too many"))];
    let failing = Solutions::new(vec![Variable::new_unchecked("x")], rows.into_iter());
    assert!(Batches::of(failing, &Gather::default(), &Budget::default()).is_err());
}

#[test]
fn the_whole_is_there_before_the_first_batch_where_that_is_wanted() {
    let rows = |error| {
        let rows = vec![Ok(vec![iri("a")]), Err(Error::limit(error))];
        Solutions::new(vec![Variable::new_unchecked("x")], rows.into_iter())
    };
    let terms = Gather { terms: true, ..Gather::default() };
    let whole = Gather { whole: true, ..terms };
    assert!(Batches::of(rows("too many"), &whole, &Budget::default()).is_err());
    let mut batches = Batches::of(rows("too many"), &terms, &Budget::default()).unwrap();
    assert_eq!(batches.next().unwrap().unwrap_err().message(), "too many");
}

#[test]
fn rows_end_at_a_limit_on_memory_and_not_at_a_full_disk() {
    let row = |n: i64| Ok(vec![Some(Literal::from(n).into()), iri("one-that-takes-some-room")]);
    let variables = || ["n", "iri"].map(Variable::new_unchecked).to_vec();
    for terms in [false, true] {
        let budget = Budget::new(Limits { memory: Some(4 << 20), ..Limits::default() });
        let endless = Solutions::new(variables(), (0..).map(row));
        let how = Gather { terms, whole: true, ..Gather::default() };
        let error = Batches::of(endless, &how, &budget).err().unwrap();
        assert_eq!(error.kind(), Kind::Limit, "{error}");
        assert!(error.message().contains("in temporary files"), "{error}");
        assert_eq!(budget.held(), 0);
    }
}
