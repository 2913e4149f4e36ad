//! Reads back what was written: with the readers of the same crates, and a sheet as raw XML.

use super::{Batches, Gather, excel, ipc, parquet, snapshot};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::statistics::Statistics;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use kgq_engine::{Row, Solutions};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Limits, Work};
use kgq_syntax::error::{Kind, Result};
use kgq_syntax::rdf::{BlankNode, GraphName, Literal, NamedNode, Quad, Term, Triple, Variable};
use std::io::{Cursor, Read, Write};

fn iri(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://e/{name}"))
}

fn typed(text: &str, datatype: &str) -> Term {
    let datatype = NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
    Literal::new_typed_literal(text, datatype).into()
}

fn tagged(text: &str, language: &str) -> Term {
    Literal::new_language_tagged_literal_unchecked(text, language).into()
}

fn rows() -> Vec<Row> {
    let row = |n: i64| {
        let mixed: Term = if n % 2 == 0 { tagged("价格", "zh-hant") } else { typed("1.50", "decimal") };
        vec![Some(Literal::from(n).into()), (n % 3 > 0).then(|| iri("a").into()), Some(mixed)]
    };
    (0..100).map(row).collect()
}

fn solutions(rows: Vec<Row>) -> Solutions {
    let width = rows.first().map_or(3, Vec::len);
    let variables = ["n", "iri", "mixed"].into_iter().take(width).map(Variable::new_unchecked).collect();
    Solutions::new(variables, rows.into_iter().map(Ok))
}

fn batches(terms: bool) -> Batches {
    Batches::of(solutions(rows()), &Gather { terms, ..Gather::default() }, &Budget::default()).unwrap()
}

fn read_parquet(bytes: &[u8]) -> (::parquet::file::metadata::ParquetMetaData, Vec<RecordBatch>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = builder.metadata().as_ref().clone();
    (metadata, builder.build().unwrap().map(|batch| batch.unwrap()).collect())
}

#[test]
fn arrow_as_file_and_as_stream_and_parquet_hold_the_batches() {
    for terms in [false, true] {
        let expected: Vec<RecordBatch> = batches(terms).collect::<Result<_>>().unwrap();
        let (mut file, mut stream, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        assert_eq!(ipc::write_file(batches(terms), &mut file).unwrap(), 100);
        assert_eq!(ipc::write_stream(batches(terms), &mut stream).unwrap(), 100);
        assert_eq!(parquet::write(batches(terms), &mut columns).unwrap(), 100);
        let file: Vec<RecordBatch> =
            FileReader::try_new(Cursor::new(file), None).unwrap().map(|b| b.unwrap()).collect();
        let stream: Vec<RecordBatch> =
            StreamReader::try_new(Cursor::new(stream), None).unwrap().map(|b| b.unwrap()).collect();
        assert_eq!(file, expected);
        assert_eq!(stream, expected);
        assert_eq!(read_parquet(&columns).1, expected);
    }
}

#[test]
fn parquet_of_an_answer_without_columns_is_refused() {
    let rows = vec![vec![]];
    let batches = Batches::of(solutions(rows), &Gather::default(), &Budget::default()).unwrap();
    assert_eq!(parquet::write(batches, &mut Vec::new()).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn a_snapshot_is_its_terms_and_its_statements_in_order() {
    let quad = |s: &NamedNode, object: Term, graph: GraphName| Quad::new(s.clone(), iri("p"), object, graph);
    let of = |n: i64| iri(&format!("s{n:06}"));
    let mut quads: Vec<Quad> =
        (0..300_000).map(|n| quad(&of(n), Literal::from(n % 7).into(), GraphName::DefaultGraph)).collect();
    let triple = Triple::new(of(0), iri("p"), tagged("x", "en"));
    quads.push(quad(&of(5), Term::Triple(Box::new(triple)), iri("g").into()));
    quads.push(quad(&of(5), BlankNode::new_unchecked("b").into(), iri("g").into()));
    let graph = Snapshot::from_quads(quads).unwrap();
    let (mut terms, mut triples) = (Vec::new(), Vec::new());
    let budget = Budget::default();
    assert_eq!(snapshot::write_terms(&graph, &budget, &mut terms).unwrap(), u64::from(graph.term_count()));
    assert_eq!(snapshot::write_triples(&graph, &budget, &mut triples).unwrap(), 300_002);

    let (_, terms) = read_parquet(&terms);
    let text = |id: usize, column: usize| -> Option<String> {
        let mut id = id;
        let batch = terms
            .iter()
            .find(|batch| {
                batch.num_rows() > id || {
                    id -= batch.num_rows();
                    false
                }
            })
            .unwrap();
        let column = batch.column(column).as_string::<i32>();
        column.is_valid(id).then(|| column.value(id).to_owned())
    };
    let id_of = |term: Term| graph.id(term.as_ref()).unwrap().index();
    assert_eq!(text(id_of(of(7).into()), 2).as_deref(), Some("http://e/s000007"));
    assert_eq!(text(id_of(of(7).into()), 1).as_deref(), Some("iri"));
    assert_eq!(text(id_of(Literal::from(3).into()), 3).as_deref(), Some("http://www.w3.org/2001/XMLSchema#integer"));
    assert_eq!(text(id_of(tagged("x", "en")), 4).as_deref(), Some("en"));
    let of_kind =
        |kind: &str| (0..graph.term_count() as usize).filter(|id| text(*id, 1).as_deref() == Some(kind)).count();
    assert_eq!((of_kind("bnode"), of_kind("triple")), (1, 1));

    let (metadata, triples) = read_parquet(&triples);
    let mut last = (i64::MIN, i64::MIN, i64::MIN);
    for batch in &triples {
        let column = |at: usize| batch.column(at).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let next = (column(0).value(row), column(1).value(row), column(2).value(row));
            assert!(last <= next);
            last = next;
        }
    }
    let named: usize = triples.iter().map(|batch| batch.num_rows() - batch.column(3).null_count()).sum();
    assert_eq!(named, 2);
    // The statistics of the row groups tell which subjects they hold.
    let bounds = |group: usize| match metadata.row_group(group).column(0).statistics() {
        Some(Statistics::Int64(bounds)) => (*bounds.min_opt().unwrap(), *bounds.max_opt().unwrap()),
        other => panic!("{other:?}"),
    };
    assert!(metadata.num_row_groups() > 2);
    assert!(bounds(0).1 <= bounds(1).0);
}

/// The text of a file in an archive.
fn unzipped(archive: &[u8], name: &str) -> String {
    let number = |at: usize, bytes: usize| (0..bytes).map(|i| usize::from(archive[at + i]) << (8 * i)).sum::<usize>();
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let mut entry = number(end + 16, 4);
    while archive[entry..].starts_with(b"PK\x01\x02") {
        let (names, extra, comment) = (number(entry + 28, 2), number(entry + 30, 2), number(entry + 32, 2));
        if &archive[entry + 46..entry + 46 + names] == name.as_bytes() {
            let local = number(entry + 42, 4);
            let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
            let mut text = String::new();
            flate2::read::DeflateDecoder::new(&archive[start..]).read_to_string(&mut text).unwrap();
            return text;
        }
        entry += 46 + names + extra + comment;
    }
    panic!("no {name}");
}

#[test]
fn a_sheet_has_links_typed_values_and_languages() {
    let terms: Vec<Term> = vec![
        iri("a").into(),
        typed("7", "integer"),
        typed("12345678901234567890", "integer"),
        typed("2026-11-28", "date"),
        typed("2026-11-28T12:00:00+06:00", "dateTime"),
        typed("true", "boolean"),
        tagged("价格", "zh-hant"),
        Literal::new_simple_literal("=1+1").into(),
        typed("1.5", "double"),
        NamedNode::new_unchecked("javascript:alert(1)").into(),
    ];
    let write = || {
        let rows = terms.iter().map(|term| vec![Some(term.clone())]).collect();
        let mut bytes = Vec::new();
        assert_eq!(excel::write(solutions(rows), &Budget::default(), &mut bytes).unwrap().rows, 10);
        bytes
    };
    let bytes = write();
    assert_eq!(bytes, write(), "the same answer gives the same bytes");
    let sheet = unzipped(&bytes, "xl/worksheets/sheet1.xml");
    let cell = |row: usize| {
        let start = sheet.find(&format!("r=\"A{row}\"")).unwrap_or_else(|| panic!("no row {row} in {sheet}"));
        sheet[start..].split("</c>").next().unwrap().to_owned()
    };
    assert!(cell(1).contains(">n<"));
    assert!(cell(2).contains("http://e/a"));
    assert_eq!(sheet.matches("<hyperlink ").count(), 1);
    assert!(cell(3).contains("<v>7</v>"));
    assert!(cell(4).contains("12345678901234567890") && cell(4).contains("inlineStr"), "{}", cell(4));
    assert!(cell(5).contains("<v>46354</v>"), "{}", cell(5));
    assert!(cell(6).contains("<v>46354.25</v>"), "{}", cell(6));
    assert!(cell(7).contains("t=\"b\"") && cell(7).contains("<v>1</v>"));
    assert!(cell(8).contains("价格") && unzipped(&bytes, "xl/styles.xml").contains("@zh-Hant"));
    assert!(cell(9).contains("inlineStr") && cell(9).contains("=1+1"));
    assert!(cell(10).contains("<v>1.5</v>"));
    assert!(cell(11).contains("javascript:alert(1)"));
}

#[test]
fn what_a_sheet_cannot_hold_is_said() {
    let long = Literal::new_simple_literal("x".repeat(32_768));
    let error =
        excel::write(solutions(vec![vec![Some(long.into())]]), &Budget::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.message(), "row 1: ?n is a text of 32768 characters, and Excel holds 32,767 in a cell");
    let rows = (0..1_048_576).map(|_| Ok(vec![None]));
    let many = Solutions::new(vec![Variable::new_unchecked("n")], rows);
    assert_eq!(excel::write(many, &Budget::default(), &mut Vec::new()).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn addresses_that_are_no_links_in_a_sheet_are_counted() {
    let long = NamedNode::new_unchecked(format!("http://e/{}", "x".repeat(2_080)));
    let links = (0..65_531).map(|n| iri(&n.to_string()).into());
    let rows = links.chain([long.into(), typed("http://e/no-address", "string")]).map(|term: Term| vec![Some(term)]);
    let mut bytes = Vec::new();
    let written = excel::write(solutions(rows.collect()), &Budget::default(), &mut bytes).unwrap();
    assert_eq!(written, excel::Written { rows: 65_533, unlinked: 2 });
    assert!(unzipped(&bytes, "xl/worksheets/sheet1.xml").contains("http://e/65530"));
}

#[test]
fn a_sheet_ends_at_a_limit_on_memory_and_not_at_a_full_disk() {
    let row = |n: i64| Ok(vec![Some(Literal::new_simple_literal(format!("{n} {}", "x".repeat(1_000))).into())]);
    let endless = Solutions::new(vec![Variable::new_unchecked("n")], (0..).map(row));
    let budget = Budget::new(Limits { memory: Some(1 << 20), ..Limits::default() });
    let error = excel::write(endless, &budget, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error}");
    assert!(error.message().contains("in temporary files"), "{error}");
    let freed = budget.child(Work::Query, Limits::default()).reserve(1 << 20);
    assert!(freed.is_ok(), "what was held is given back");
}
