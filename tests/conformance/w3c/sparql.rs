//! The suites of SPARQL: what must parse, what must not, what queries answer and what updates change.

use super::compare::{Rows, same_rows};
use super::manifest::{Graph, MF, QT, Suites, Test, UT, iri, local, subject_term};
use crate::isomorphic::isomorphic;
use kgq_engine::query::{ParseContext, parse_query, parse_update};
use kgq_engine::{self as engine, Answer, EvaluationOptions, Executor, Row, Services};
use kgq_graph::render::{self, Format, GraphOptions, RenderOptions, TableOptions};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::{self, Dataset, Input, ReadOptions};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Source};
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, Prefixes, Quad, RdfFormat, Term, Variable};
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};
use std::collections::BTreeMap;
use std::sync::Arc;

const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";

/// Whether a test evaluates a query or the WHERE of an update, so that it tests the executor.
pub fn evaluates(test: &Test) -> bool {
    ["QueryEvaluationTest", "CSVResultFormatTest", "UpdateEvaluationTest"].contains(&test.kind.as_str())
}

pub fn run(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    match test.kind.as_str() {
        "PositiveSyntaxTest" | "PositiveSyntaxTest11" => parsed(suites, test, false),
        "PositiveUpdateSyntaxTest" | "PositiveUpdateSyntaxTest11" => parsed(suites, test, true),
        "NegativeSyntaxTest" | "NegativeSyntaxTest11" => refused(parsed(suites, test, false)),
        "NegativeUpdateSyntaxTest" | "NegativeUpdateSyntaxTest11" => refused(parsed(suites, test, true)),
        "QueryEvaluationTest" => query(suites, test, executor),
        "CSVResultFormatTest" => csv(suites, test, executor),
        "UpdateEvaluationTest" => update(suites, test, executor),
        kind => panic!("{}: {kind} is no kind of test that is known", test.key),
    }
}

fn refused(parsed: Result<(), String>) -> Result<(), String> {
    match parsed {
        Ok(()) => Err("parses, but must be refused".into()),
        Err(_) => Ok(()),
    }
}

fn context<'a>(prefixes: &'a Prefixes, base: &'a str) -> ParseContext<'a> {
    ParseContext { prefixes, base: Some(base), bounds: Bounds::default() }
}

fn parsed(suites: &Suites, test: &Test, update: bool) -> Result<(), String> {
    let name = iri(&test.action);
    let text = String::from_utf8(suites.text(&name)).map_err(|e| format!("is refused: {e}"))?;
    let (source, prefixes) = (Source::new(&name, &text), Prefixes::default());
    let context = context(&prefixes, &name);
    let error = if update { parse_update(source, context).err() } else { parse_query(source, context).err() };
    match error {
        None => Ok(()),
        Some(error) => {
            assert!(error.kind() == Kind::Input && error.place().is_some(), "{}: {error}", test.key);
            Err(format!("is refused: {error}"))
        }
    }
}

/// The dataset that an action, or the result of an update, describes.
pub fn dataset(
    suites: &Suites,
    graph: &Graph,
    of: &Term,
    vocabulary: &str,
    more: &[NamedNode],
) -> Result<Dataset, String> {
    let mut inputs: Vec<Input> = Vec::new();
    for data in graph.objects(of, vocabulary, "data") {
        inputs.push(suites.input(&iri(&data), &iri(&data)));
    }
    for data in graph.objects(of, vocabulary, "graphData") {
        // The graph's file, or a node that gives its name and its file separately.
        let (file, name) = match graph.object(&data, vocabulary, "graph") {
            Some(file) => match graph.object(&data, RDFS, "label") {
                Some(Term::Literal(label)) => (iri(&file), label.value().to_owned()),
                _ => panic!("{data} has no label"),
            },
            None => (iri(&data), iri(&data)),
        };
        inputs.push(suites.input(&file, &file).with_graph(Some(NamedNode::new(name).unwrap())));
    }
    for name in more {
        inputs.push(suites.input(name.as_str(), name.as_str()).with_graph(Some(name.clone())));
    }
    Dataset::read(&inputs, ReadOptions::default()).map_err(|e| format!("its data is refused: {e}"))
}

/// The parsed inputs of a query evaluation test.
struct Question {
    query: kgq_engine::query::Query,
    snapshot: Snapshot,
    options: EvaluationOptions,
}

fn question(suites: &Suites, test: &Test, executor: Executor) -> Result<Question, String> {
    let name = iri(&test.graph.object(&test.action, QT, "query").unwrap_or_else(|| test.action.clone()));
    let text = String::from_utf8(suites.text(&name)).unwrap();
    let prefixes = Prefixes::default();
    let query = parse_query(Source::new(&name, &text), context(&prefixes, &name)).map_err(|e| e.to_string())?;
    // FROM names the data if the test does not.
    let from = query.algebra.dataset().map_or(Vec::new(), |dataset| {
        let mut graphs: Vec<NamedNode> =
            dataset.default.iter().chain(dataset.named.iter().flatten()).cloned().collect();
        graphs.sort();
        graphs.dedup();
        graphs
    });
    let data = dataset(suites, &test.graph, &test.action, QT, &from)?;
    let snapshot = Snapshot::from_quads(data.quads().iter().cloned()).map_err(|e| e.to_string())?;
    let mut endpoints = BTreeMap::new();
    for service in test.graph.objects(&test.action, QT, "serviceData") {
        let data = dataset(suites, &test.graph, &service, QT, &[])?;
        endpoints.insert(iri(&test.graph.object(&service, QT, "endpoint").unwrap()), data.quads().to_vec());
    }
    // An endpoint that the test does not provide cannot be reached.
    let services: Option<Arc<dyn Services>> = Some(Arc::new(Endpoints(endpoints)));
    Ok(Question { query, snapshot, options: EvaluationOptions { executor, services, ..Default::default() } })
}

/// In-process endpoints, each with its data.
#[derive(Clone, Debug)]
struct Endpoints(BTreeMap<String, Vec<Quad>>);

impl Services for Endpoints {
    fn select(&self, endpoint: &NamedNode, query: &spargebra::Query) -> Result<(Vec<Variable>, Vec<Row>), Error> {
        let quads = self.0.get(endpoint.as_str());
        let quads = quads.ok_or_else(|| Error::input(format!("the endpoint {endpoint} does not answer")))?;
        let snapshot = Snapshot::from_quads(quads.iter().cloned())?;
        let query = kgq_engine::query::Query { algebra: query.clone() };
        let options = EvaluationOptions { services: Some(Arc::new(self.clone())), ..Default::default() };
        match engine::evaluate(&snapshot, &query, &options)? {
            Answer::Solutions(solutions) => Ok((solutions.variables, solutions.rows.collect::<Result<_, _>>()?)),
            Answer::Boolean(_) | Answer::Graph(_) => Err(Error::bug("a SELECT has solutions")),
        }
    }
}

/// The answer as the program writes it.
fn written(question: &Question, format: Format) -> Result<Vec<u8>, String> {
    let answer =
        engine::evaluate(&question.snapshot, &question.query, &question.options).map_err(|e| format!("fails: {e}"))?;
    let prefixes = Prefixes::default();
    let options = RenderOptions {
        format,
        prefixes: &prefixes,
        width: None,
        colour: false,
        graph: GraphOptions::default(),
        cells: kgq_graph::render::CellOptions::default(),
        columns: kgq_graph::render::ColumnOptions::default(),
        table: TableOptions::default(),
    };
    let mut out = Vec::new();
    render::write(answer, options, &mut out).map_err(|e| format!("fails while written: {e}"))?;
    Ok(out)
}

fn query(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    let question = question(suites, test, executor)?;
    let Some(result) = &test.result else {
        return written(&question, Format::Json).map(|_| ());
    };
    let result = iri(result);
    let ending = result.rsplit('.').next().unwrap();
    if matches!(question.query.form(), kgq_engine::query::Form::Construct | kgq_engine::query::Form::Describe) {
        let got = written(&question, Format::Rdf(RdfFormat::Turtle))?;
        let got = store::read(&Input::bytes("<answer>", got, RdfFormat::Turtle), 0, ReadOptions::default())
            .map_err(|e| format!("the answer does not read back: {e}"))?;
        let expected = suites.read(&result, &result).map_err(|e| e.to_string())?;
        return isomorphic(&got.quads, &expected.quads);
    }
    let (format, name) = match ending {
        "srx" => (QueryResultsFormat::Xml, Format::Xml),
        "tsv" => (QueryResultsFormat::Tsv, Format::Tsv),
        _ => (QueryResultsFormat::Json, Format::Json),
    };
    let got = parse(&written(&question, name)?, format)?;
    let expected = match ending {
        "srx" | "srj" | "tsv" => parse(&suites.text(&result), format).map_err(|e| format!("expected: {e}"))?,
        _ => from_graph(&suites.read(&result, &result).map_err(|e| e.to_string())?.quads),
    };
    match (got, expected) {
        (Outcome::Boolean(got), Outcome::Boolean(expected)) if got == expected => Ok(()),
        (Outcome::Boolean(got), Outcome::Boolean(_)) => Err(format!("answers {got}")),
        (Outcome::Rows(got), Outcome::Rows(expected)) => same_rows(&got, &expected, test.lax),
        _ => Err("answers in another form".into()),
    }
}

enum Outcome {
    Boolean(bool),
    Rows(Rows),
}

fn parse(text: &[u8], format: QueryResultsFormat) -> Result<Outcome, String> {
    match QueryResultsParser::from_format(format).for_slice(text).map_err(|e| e.to_string())? {
        SliceQueryResultsParserOutput::Boolean(value) => Ok(Outcome::Boolean(value)),
        SliceQueryResultsParserOutput::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let rows = solutions.map(|s| s.map(|s| s.values().to_vec())).collect::<Result<_, _>>();
            Ok(Outcome::Rows(Rows { variables, rows: rows.map_err(|e| e.to_string())?, ordered: false }))
        }
    }
}

/// A result in the vocabulary of the first test suites.
fn from_graph(quads: &[Quad]) -> Outcome {
    let graph = Graph::new(quads);
    let is_set = |q: &&Quad| local(&q.object) == "ResultSet";
    let set = subject_term(&quads.iter().find(is_set).expect("a result set").subject);
    if let Some(Term::Literal(value)) = graph.object(&set, RS, "boolean") {
        return Outcome::Boolean(value.value() == "true");
    }
    let text = |term: Term| match term {
        Term::Literal(literal) => literal.value().to_owned(),
        other => panic!("{other} is no name"),
    };
    let mut names: Vec<String> = graph.objects(&set, RS, "resultVariable").into_iter().map(text).collect();
    names.sort();
    let mut rows: Vec<(Option<i64>, Vec<Option<Term>>)> = Vec::new();
    for solution in graph.objects(&set, RS, "solution") {
        let mut row = vec![None; names.len()];
        for binding in graph.objects(&solution, RS, "binding") {
            let name = text(graph.object(&binding, RS, "variable").unwrap());
            let at = names.iter().position(|n| *n == name).unwrap();
            row[at] = graph.object(&binding, RS, "value");
        }
        rows.push((graph.object(&solution, RS, "index").map(|i| text(i).parse().unwrap()), row));
    }
    let ordered = rows.first().is_some_and(|(index, _)| index.is_some());
    rows.sort_by_key(|(index, _)| *index);
    let variables = names.into_iter().map(Variable::new_unchecked).collect();
    Outcome::Rows(Rows { variables, rows: rows.into_iter().map(|(_, row)| row).collect(), ordered })
}

/// CSV loses the kinds of terms: all but blank nodes are compared as text, with the columns in order.
fn csv(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    let got = written(&question(suites, test, executor)?, Format::Csv)?;
    let table = |bytes: &[u8]| {
        let mut reader = csv::Reader::from_reader(bytes);
        let variables = reader.headers().unwrap().iter().map(Variable::new_unchecked).collect();
        let cell = |text: &str| match text.strip_prefix("_:") {
            Some(label) => Some(BlankNode::new_unchecked(label).into()),
            None => Some(Literal::new_simple_literal(text).into()),
        };
        let rows = reader.records().map(|record| record.unwrap().iter().map(cell).collect()).collect();
        Rows { variables, rows, ordered: false }
    };
    let (got, expected) = (table(&got), table(&suites.text(&iri(test.result.as_ref().unwrap()))));
    if got.variables != expected.variables {
        return Err(format!("has the columns {:?}, not {:?}", got.variables, expected.variables));
    }
    same_rows(&got, &expected, false)
}

fn update(suites: &Suites, test: &Test, executor: Executor) -> Result<(), String> {
    let name = iri(&test.graph.object(&test.action, UT, "request").unwrap());
    let text = String::from_utf8(suites.text(&name)).unwrap();
    let before = dataset(suites, &test.graph, &test.action, UT, &[])?;
    let prefixes = Prefixes::default();
    let update = parse_update(Source::new(&name, &text), context(&prefixes, &name)).map_err(|e| e.to_string())?;
    // A session refuses LOAD before evaluation, SILENT or not; the suite tests what the standard says about a failing LOAD.
    let snapshot = Snapshot::from_quads(before.quads().iter().cloned()).map_err(|e| e.to_string())?;
    let (source, options) = (Source::new(&name, &text), EvaluationOptions { executor, ..Default::default() });
    let change = engine::update::update(&snapshot, source, &update, &options).map_err(|e| format!("fails: {e}"))?;
    let kept = before.quads().iter().filter(|quad| !change.removed.contains(quad));
    let after: Vec<Quad> = kept.chain(&change.added).cloned().collect();
    let expected = match test.graph.object(&test.action, MF, "result").or_else(|| test.result.clone()) {
        Some(result) => dataset(suites, &test.graph, &result, UT, &[])?,
        None => Dataset::default(),
    };
    isomorphic(&after, expected.quads())
}
