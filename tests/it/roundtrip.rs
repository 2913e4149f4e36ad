//! Written data read back the same: graphs in every RDF format, by two parsers where there are two; answers in the W3C's
//! formats of results. `KGQ_STATEMENTS` is how many statements of the shipped graph are written, spread over all of it.

use super::updates::number;
use kgq_engine::{Answer, Solutions};
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::render::{self, Format, GraphOptions, RdfVersion, RenderOptions, TableOptions, write_quads};
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::budget::Budget;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::language;
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Quad, RdfFormat, Term, Triple, Variable, rdf11};
use oxrdf::dataset::CanonicalizationAlgorithm;
use oxrdf::{BlankNode, Dataset, GraphName, NamedOrBlankNode};
use rio_api::model as rio;
use rio_api::parser::{QuadsParser, TriplesParser};
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};
use std::path::PathBuf;

const SAMPLE: &str = r#"
PREFIX : <http://e/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
:s :p 01 , 1 , 1.0 , 1.00 , 1e0 , 1.0E0 , "01"^^xsd:decimal , "+1"^^xsd:int , "tru"^^xsd:boolean , true , "1"^^xsd:boolean ,
  "2025-04-21"^^xsd:date , "2025-04-21+00:00"^^xsd:date , "x"@en , "x"@zh-hans-CN , "x"@ar--rtl , "x"@en--ltr , "" , "a\tb\nc\rd\"e\\f" ,
  "中文🙂e\u0301" , <http://e/中文?a=b#c> , _:b , [ :p ( 1 2 ) ] .
:r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :s :p 01 )>> .
_:n <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( _:b :q <<( :s :q "x"@ar--rtl )>> )>> .
:a :b :c {| :source :d ; :year 2025 |} .
<< :a :b :d >> :source :e .
:x :says <<( :s :p _:b )>> .
"#;

fn sample() -> Vec<Quad> {
    parse(SAMPLE.as_bytes(), RdfFormat::Turtle)
}

fn parse(bytes: &[u8], format: RdfFormat) -> Vec<Quad> {
    let input = Input::bytes("d", bytes.to_vec(), format);
    read(&input, 0, ReadOptions::default()).unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(bytes))).quads
}

/// Statements of the shipped graph.
fn shipped() -> Vec<Quad> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let session = Graph::open(OpenOptions { folder, ..OpenOptions::default() }).unwrap();
    let snapshot = session.snapshot().unwrap();
    let step = (snapshot.len() / number("KGQ_STATEMENTS", 3_000) as usize).max(1);
    snapshot.iter().step_by(step).collect()
}

fn written(quads: &[Quad], format: RdfFormat, version: RdfVersion) -> Vec<u8> {
    let mut prefixes = Prefixes::default();
    prefixes.insert_if_absent("", "http://e/");
    prefixes.insert_if_absent("xsd", "http://www.w3.org/2001/XMLSchema#");
    let mut out = Vec::new();
    write_quads(quads, format, &prefixes, GraphOptions { version }, &Budget::default(), &mut out).unwrap();
    out
}

fn written_formats() -> impl Iterator<Item = RdfFormat> {
    RdfFormat::ALL.iter().copied().filter(|f| f.is_written())
}

/// The quads in canonical form, with canonical blank node labels.
fn canonical(quads: &[Quad]) -> Vec<String> {
    let mut dataset: Dataset = quads.iter().cloned().collect();
    dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
    let mut lines: Vec<String> = dataset.iter().map(|quad| quad.to_string()).collect();
    lines.sort();
    lines
}

/// The quads as a format can hold them: in their graphs, or all merged into the default graph.
fn fitting(quads: &[Quad], format: RdfFormat) -> Vec<Quad> {
    if format.holds_named_graphs() {
        return quads.to_vec();
    }
    quads.iter().map(|q| Triple::from(q.clone()).in_graph(GraphName::DefaultGraph)).collect()
}

#[test]
fn a_graph_reads_back_from_every_format() {
    let mut sample_in_graphs = sample();
    sample_in_graphs
        .extend(sample().iter().map(|q| Triple::from(q.clone()).in_graph(NamedNode::new_unchecked("http://e/g"))));
    for (name, quads) in [("the sample", sample_in_graphs), ("the shipped graph", shipped())] {
        assert!(!quads.is_empty());
        for format in written_formats() {
            let quads = fitting(&quads, format);
            let back = parse(&written(&quads, format, RdfVersion::V12), format);
            let back = if format.holds_rdf_12() { back } else { rdf11::upgrade(back) };
            assert_eq!(canonical(&back), canonical(&quads), "{name} in {}", format.name());
        }
    }
}

fn in_rdf_11(quads: &[Quad]) -> Vec<Quad> {
    let (mapped, _) = rdf11::downgrade(quads, &Budget::default()).unwrap();
    mapped.quads.into_iter().map(rdf11::Mapped::into_owned).collect()
}

fn canonical_lines(quads: &[Quad]) -> Vec<String> {
    canonicalize(quads, &Budget::default()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_graph_in_rdf_11_reads_back_from_every_format_and_its_reifiers_come_back() {
    for (name, quads) in [("the sample", sample()), ("the shipped graph", shipped())] {
        for format in written_formats() {
            let quads = fitting(&quads, format);
            let back = parse(&written(&quads, format, RdfVersion::V11), format);
            assert!(back.iter().all(|q| !matches!(q.object, Term::Triple(_))));
            let mapped = in_rdf_11(&quads);
            assert_eq!(canonical_lines(&back), canonical_lines(&mapped), "{name} in {}", format.name());
            assert_eq!(canonical(&rdf11::upgrade(back)), canonical(&quads), "{name} in {}", format.name());
        }
    }
}

#[test]
fn another_parser_reads_turtle_and_trig_the_same() {
    for (name, quads) in [("the sample", sample()), ("the shipped graph", shipped())] {
        for format in [RdfFormat::Turtle, RdfFormat::TriG] {
            let quads = fitting(&quads, format);
            let mapped = in_rdf_11(&quads);
            let back = by_rio(&written(&quads, format, RdfVersion::V11), format);
            // The other parser returns tags in lower case, which RDF 1.1 allows.
            let lower = |quads: &[Quad]| -> Vec<String> {
                canonical_lines(quads).iter().map(|line| line.to_lowercase()).collect()
            };
            assert_eq!(lower(&back), lower(&mapped), "{name} in {}", format.name());
        }
    }
}

fn by_rio(text: &[u8], format: RdfFormat) -> Vec<Quad> {
    let mut quads = Vec::new();
    let subject = |s: rio::Subject<'_>| -> NamedOrBlankNode {
        match s {
            rio::Subject::NamedNode(n) => NamedNode::new_unchecked(n.iri).into(),
            rio::Subject::BlankNode(b) => BlankNode::new_unchecked(b.id).into(),
            rio::Subject::Triple(_) => panic!("RDF 1.1 has no triple terms"),
        }
    };
    let object = |o: rio::Term<'_>| -> Term {
        match o {
            rio::Term::NamedNode(n) => NamedNode::new_unchecked(n.iri).into(),
            rio::Term::BlankNode(b) => BlankNode::new_unchecked(b.id).into(),
            rio::Term::Triple(_) => panic!("RDF 1.1 has no triple terms"),
            rio::Term::Literal(rio::Literal::Simple { value }) => Literal::new_simple_literal(value).into(),
            rio::Term::Literal(rio::Literal::LanguageTaggedString { value, language }) => {
                Literal::new_language_tagged_literal(value, language).unwrap().into()
            }
            rio::Term::Literal(rio::Literal::Typed { value, datatype }) => {
                Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype.iri)).into()
            }
        }
    };
    let mut keep = |s: rio::Subject<'_>, p: rio::NamedNode<'_>, o: rio::Term<'_>, graph: GraphName| {
        quads.push(Quad::new(subject(s), NamedNode::new_unchecked(p.iri), object(o), graph));
    };
    if format == RdfFormat::Turtle {
        let parsed: Result<(), rio_turtle::TurtleError> =
            rio_turtle::TurtleParser::new(text, None).parse_all(&mut |t| {
                keep(t.subject, t.predicate, t.object, GraphName::DefaultGraph);
                Ok(())
            });
        parsed.unwrap();
    } else {
        let parsed: Result<(), rio_turtle::TurtleError> = rio_turtle::TriGParser::new(text, None).parse_all(&mut |q| {
            let graph = match q.graph_name {
                None => GraphName::DefaultGraph,
                Some(rio::GraphName::NamedNode(n)) => NamedNode::new_unchecked(n.iri).into(),
                Some(rio::GraphName::BlankNode(b)) => BlankNode::new_unchecked(b.id).into(),
            };
            keep(q.subject, q.predicate, q.object, graph);
            Ok(())
        });
        parsed.unwrap();
    }
    quads
}

/// Rows with every kind of term, and unbound cells.
pub fn rows_of(terms: &[Term]) -> (Vec<Variable>, Vec<Vec<Option<Term>>>) {
    let variables = ["a", "b"].map(Variable::new_unchecked).to_vec();
    let rows = terms.iter().enumerate().map(|(i, term)| match i % 3 {
        0 => vec![Some(term.clone()), None],
        1 => vec![None, Some(term.clone())],
        _ => vec![Some(term.clone()), Some(term.clone())],
    });
    (variables, rows.collect())
}

pub fn write_rows(variables: &[Variable], rows: &[Vec<Option<Term>>], format: Format, width: Option<usize>) -> Vec<u8> {
    let solutions = Solutions::new(variables.to_vec(), rows.iter().cloned().map(Ok).collect::<Vec<_>>().into_iter());
    let prefixes = Prefixes::default();
    let options = RenderOptions {
        format,
        prefixes: &prefixes,
        width,
        colour: false,
        graph: GraphOptions::default(),
        cells: kgq_graph::render::CellOptions::default(),
        columns: kgq_graph::render::ColumnOptions::default(),
        table: TableOptions::default(),
    };
    let mut out = Vec::new();
    render::write(Answer::Solutions(solutions), options, &mut out).unwrap();
    out
}

/// Checks that rows read back unchanged from all formats that tell kinds of terms, and as texts from CSV.
pub fn rows_read_back(terms: &[Term]) {
    let (variables, rows) = rows_of(terms);
    for (format, results) in [
        (Format::Xml, QueryResultsFormat::Xml),
        (Format::Json, QueryResultsFormat::Json),
        (Format::Tsv, QueryResultsFormat::Tsv),
    ] {
        let out = write_rows(&variables, &rows, format, None);
        let parsed = QueryResultsParser::from_format(results).for_slice(&out).unwrap();
        let SliceQueryResultsParserOutput::Solutions(parsed) = parsed else { panic!("a table is no truth value") };
        assert_eq!(parsed.variables(), variables);
        let back: Vec<Vec<Option<Term>>> =
            parsed.map(|row| row.unwrap_or_else(|e| panic!("{format:?}: {e}")).values().to_vec()).collect();
        for (got, expected) in back.iter().zip(&rows) {
            assert_eq!(got, expected, "{format:?}");
        }
        assert_eq!(back.len(), rows.len(), "{format:?}");
    }
    let out = write_rows(&variables, &rows, Format::Csv, None);
    let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::CRLF).from_reader(out.as_slice());
    let text = |term: &Option<Term>| match term {
        None => String::new(),
        Some(Term::NamedNode(node)) => node.as_str().to_owned(),
        Some(Term::Literal(literal)) => literal.value().to_owned(),
        Some(term @ (Term::BlankNode(_) | Term::Triple(_))) => language::written(term).to_string(),
    };
    for (record, row) in reader.records().zip(&rows) {
        let record = record.unwrap();
        assert_eq!(record.iter().map(ToOwned::to_owned).collect::<Vec<_>>(), row.iter().map(text).collect::<Vec<_>>());
    }
}

#[test]
fn answers_read_back_from_the_formats_of_results() {
    let mut terms: Vec<Term> = Vec::new();
    for quad in sample() {
        terms.extend([quad.subject.into(), quad.predicate.into(), quad.object]);
    }
    rows_read_back(&terms);
}
