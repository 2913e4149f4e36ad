//! Queries of any shape, reading files, and work on whole graphs stop when their time is up, and free what they held. The test
//! clock advances by a second each time it is read, so that no test depends on the machine's speed. `KGQ_STOPS=1000000` instead
//! stops work on that many things by the system's clock, and fails if stopping takes more than 0.1 s.

use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_engine::{Answer, Budget, EvaluationOptions, Limits, evaluate};
use kgq_graph::audit::Audit;
use kgq_graph::catalog::Labels;
use kgq_graph::check::shacl::{Shapes, Texts, ValidationData, validate};
use kgq_graph::export::turtle;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::infer::infer;
use kgq_graph::project::{CitationSettings, Entailment, InferSettings};
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_graph::request::advise::{Advised, Turned, remarks};
use kgq_snapshot::store::{Dataset, Input, ReadOptions, Unfinished};
use kgq_snapshot::{BuildOptions, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::{Clock, Exceeded, SystemClock, Work};
use kgq_syntax::error::{Error, Kind, Source};
use kgq_syntax::rdf::canonical::{canonicalize, relabel};
use kgq_syntax::rdf::{Prefixes, Quad, RdfFormat, Triple};
use rustc_hash::FxHashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A clock that advances by a second each time it is read.
#[derive(Debug, Default)]
struct Looks(AtomicU64);

impl Clock for Looks {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Looks {
    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// More clock reads than any of these queries makes.
const NO_END: u64 = 1 << 40;

/// A budget whose time is up after this many clock reads.
fn budget(work: Work, looks: u64) -> (Arc<Looks>, Budget) {
    let clock = Arc::new(Looks::default());
    let limits = Limits { time: Some(Duration::from_secs(looks)), ..Limits::default() };
    let budget = Budget::of(work, limits, Arc::clone(&clock) as Arc<dyn Clock>);
    (clock, budget)
}

/// A dataset with this many things: in chains of fifty, with values, names, groups; a tenth of them also in named graphs.
fn trig(things: usize) -> String {
    let mut text = String::from("@prefix : <http://e/> .\n");
    for i in 0..things {
        let value = i * 7 % things;
        write!(text, ":n{i} :value {value} ; :name \"the name {value} of a thing\" ; :in :group{} ", i % 50).unwrap();
        let chain = if i % 50 == 49 { String::new() } else { format!("; :next :n{} ", i + 1) };
        writeln!(text, "{chain}.").unwrap();
    }
    for i in (0..things).step_by(10) {
        writeln!(text, "GRAPH :g{} {{ :n{i} :said {i} ; :next :n{} }}", i % 40, i + 1).unwrap();
    }
    text
}

fn input(things: usize) -> Input {
    Input::bytes("d.trig", trig(things).into_bytes(), RdfFormat::TriG)
}

fn snapshot(things: usize) -> Snapshot {
    Snapshot::load(&[input(things)], &BuildOptions::default()).unwrap().0
}

/// Queries by their shape.
fn shapes(things: usize) -> Vec<(&'static str, String)> {
    let from = |word: &str| (0..40).map(|i| format!("{word} :g{i} ")).collect::<String>();
    let values: String = (0..things).map(|i| format!(":n{i} ")).collect();
    let optionals: String = (0..150).map(|i| format!("OPTIONAL {{ ?a :next ?b{i} }} ")).collect();
    let joined: String = (0..40).map(|i| format!("?a{} :next ?a{} . ", i, i + 1)).collect();
    let plain = [
        ("scan", "SELECT * { ?s ?p ?o }"),
        ("joins", "SELECT * { ?a :next ?b . ?b :value ?v . ?c :value ?v ; :name ?n }"),
        ("join by value", "SELECT * { ?a :value ?v . ?b :value ?w FILTER(?v = ?w) }"),
        ("cross product", "SELECT * { ?a :in :group1 . ?b :in :group2 . ?b :value ?w FILTER(?a != ?b) }"),
        ("closure of all", "SELECT * { ?a :next+ ?b }"),
        ("closure both ways", "SELECT (COUNT(*) AS ?n) { ?a (:next|^:next)* ?b }"),
        ("closure that finds nothing", "SELECT * { ?a :next+ ?a }"),
        ("order by names", "SELECT * { ?a :name ?n ; :value ?v } ORDER BY DESC(?n) ?v"),
        ("order by computed texts", "SELECT * { ?a :name ?n } ORDER BY CONCAT(?n, 'x')"),
        ("order at random", "SELECT * { ?a :name ?n } ORDER BY RAND()"),
        ("the first of an order", "SELECT * { ?a :name ?n ; :value ?v } ORDER BY ?v LIMIT 3"),
        ("group", "SELECT ?n (COUNT(*) AS ?c) (MAX(?v) AS ?m) { ?a :name ?n ; :value ?v } GROUP BY ?n"),
        ("group by three", "SELECT ?a ?n ?v (COUNT(*) AS ?c) { ?a :name ?n ; :value ?v } GROUP BY ?a ?n ?v"),
        ("concatenation", "SELECT (GROUP_CONCAT(?n) AS ?all) { ?a :name ?n }"),
        ("sum", "SELECT ?g (SUM(?v * 1.5) AS ?s) { ?a :in ?g ; :value ?v } GROUP BY ?g"),
        ("count of different rows", "SELECT (COUNT(DISTINCT *) AS ?c) { ?a :name ?n ; :value ?v }"),
        ("distinct", "SELECT DISTINCT ?n { ?a :name ?n }"),
        ("distinct pairs", "SELECT DISTINCT ?a ?n { ?a :name ?n }"),
        ("distinct triples", "SELECT DISTINCT ?a ?n ?v { ?a :name ?n ; :value ?v }"),
        ("regular expression", "SELECT * { ?a :name ?n FILTER(REGEX(?n, 'n.*(7|8).*t[^g]*g$')) }"),
        ("replace", "SELECT (REPLACE(?n, '[aeiou]', '_') AS ?r) { ?a :name ?n }"),
        ("computed texts", "SELECT (CONCAT(?n, ?n, STR(?a)) AS ?t) { ?a :name ?n }"),
        (
            "construct",
            "CONSTRUCT { ?a :called ?n . ?n2 :of ?a } { ?a :name ?n BIND(IRI(CONCAT(STR(?a), '/n')) AS ?n2) }",
        ),
        ("describe", "DESCRIBE ?a { ?a :in :group1 }"),
        ("union", "SELECT * { { ?a :name ?n } UNION { ?a :value ?n } UNION { ?n :next ?a } }"),
        ("optional", "SELECT * { ?a :name ?n OPTIONAL { ?a :next ?b . ?b :value ?v FILTER(?v > 3) } }"),
        ("minus", "SELECT * { ?a :name ?n MINUS { ?a :value ?v . ?b :next ?a FILTER(?v > 100) } }"),
        ("exists", "SELECT * { ?a :value ?v FILTER NOT EXISTS { ?a :next ?b . ?b :value ?w FILTER(?w > ?v) } }"),
        (
            "exists in exists",
            "SELECT * { ?a :in :group1 ; :value ?v FILTER EXISTS { ?b :value ?v FILTER NOT EXISTS { ?c :next ?b . ?c :value ?w FILTER(?w > ?v) } } }",
        ),
        ("sub-select", "SELECT * { ?a :next ?b { SELECT ?b (COUNT(*) AS ?c) { ?b ?p ?o } GROUP BY ?b } }"),
        ("each graph", "SELECT * { GRAPH ?g { ?a :said ?v . ?a :next ?b } }"),
        ("limit in each graph", "SELECT * { GRAPH ?g { { SELECT ?a { ?a :said ?v } ORDER BY ?v LIMIT 2 } } }"),
        ("ask for nothing", "ASK { ?a :name ?n FILTER(STRLEN(?n) < 3) }"),
    ];
    let mut shapes: Vec<(&str, String)> = plain.map(|(name, text)| (name, text.to_owned())).into();
    shapes.push(("values", format!("SELECT * {{ VALUES ?a {{ {values} }} ?a :name ?n }}")));
    shapes.push(("merged graphs", format!("SELECT * {} {{ ?a :next ?b . ?a :said ?v }}", from("FROM"))));
    shapes.push(("closure in merged graphs", format!("SELECT * {} {{ ?a :next* ?b }}", from("FROM"))));
    shapes.push(("named graphs", format!("SELECT * {} {{ GRAPH ?g {{ ?a :said ?v }} }}", from("FROM NAMED"))));
    shapes.push(("many optionals", format!("SELECT * {{ ?a :in :group1 {optionals} }}")));
    shapes.push(("many joins", format!("SELECT * {{ {joined} }}")));
    shapes
}

fn parsed(text: &str) -> Query {
    let prefixes: Prefixes = [("", "http://e/")].into_iter().collect();
    let bounds = Bounds { max_operators: 1_000_000, max_query_size: 1 << 30, ..Bounds::default() };
    parse_query(Source::new("q", text), ParseContext { prefixes: &prefixes, base: None, bounds }).unwrap()
}

/// Reads the whole answer; returns the number of its rows.
fn answered(snapshot: &Snapshot, query: &Query, budget: &Budget) -> Result<u64, Error> {
    let options = EvaluationOptions { budget: budget.clone(), ..EvaluationOptions::default() };
    Ok(match evaluate(snapshot, query, &options)? {
        Answer::Boolean(_) => 1,
        Answer::Solutions(solutions) => solutions.rows.map(|row| row.map(|_| 1)).sum::<Result<u64, _>>()?,
        Answer::Graph(triples) => triples.0.map(|triple| triple.map(|_| 1)).sum::<Result<u64, _>>()?,
    })
}

/// Few things, so that each shape can run to its end and be stopped at many reads.
const THINGS: usize = 400;

/// The most clock reads after the one at which the time is up: each of a few threads makes one, and the planner one for each part
/// of the pattern.
const MOST_LATE: u64 = 200;

#[test]
fn a_query_of_any_shape_stops_at_any_look_and_gives_back_what_it_held() {
    let snapshot = snapshot(THINGS);
    for (name, text) in shapes(THINGS) {
        let query = parsed(&text);
        let (clock, whole) = budget(Work::Query, NO_END);
        answered(&snapshot, &query, &whole).unwrap();
        let all = clock.count();
        assert!(all > 2, "{name}: {all} looks");
        assert_eq!(whole.held(), 0, "{name} holds what it did not give back");
        for looks in [1, 2, all / 3, all / 2, all - all / 8 - 1].map(|looks| looks.max(1)) {
            // A snapshot caches merges of its graphs, so these need a new snapshot each time.
            let snapshot = if name.contains("merged") { &self::snapshot(THINGS) } else { &snapshot };
            let (clock, limited) = budget(Work::Query, looks);
            let error = answered(snapshot, &query, &limited).expect_err(name);
            assert_eq!(error.limit_passed(), Some(Exceeded::Time(Work::Query)), "{name}: {error}");
            assert!(clock.count() <= looks + MOST_LATE, "{name}: {} looks after {looks}", clock.count());
            assert_eq!(limited.held(), 0, "{name} stopped after {looks} looks");
        }
    }
}

#[test]
fn a_query_of_any_shape_that_needs_more_memory_stops_or_goes_on_in_a_file_and_gives_back_what_it_held() {
    let snapshot = snapshot(THINGS);
    let mut refused = 0;
    for (name, text) in shapes(THINGS) {
        let query = parsed(&text);
        let whole = Budget::default();
        let rows = answered(&snapshot, &query, &whole).unwrap();
        for memory in [whole.peak() / 2, whole.peak() - whole.peak() / 10] {
            let limited = Budget::new(Limits { memory: Some(memory), ..Limits::default() });
            match answered(&snapshot, &query, &limited) {
                // The query continued in a temporary file, or needed no memory at all.
                Ok(found) => assert!(found == rows && limited.peak() <= memory, "{name} with {memory} bytes"),
                Err(error) => {
                    assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Query)), "{name}: {error}");
                    refused += 1;
                }
            }
            assert_eq!(limited.held(), 0, "{name} with {memory} bytes");
        }
    }
    assert!(refused > 40, "{refused} were refused");
}

#[test]
fn a_thousand_queries_over_their_limits_leave_nothing_held() {
    let things = 60;
    let snapshot = snapshot(things);
    let queries: Vec<Query> = shapes(things).iter().map(|(_, text)| parsed(text)).collect();
    let server = Budget::default();
    let mut stopped = 0;
    for number in 0..1000u64 {
        let query = &queries[number as usize % queries.len()];
        let limits = match number % 3 {
            0 => Limits { time: Some(Duration::ZERO), ..Limits::default() },
            1 => Limits { memory: Some(number % 7 * 64), ..Limits::default() },
            _ => Limits { rows: Some(0), ..Limits::default() },
        };
        let options = EvaluationOptions { limits, budget: server.clone(), ..EvaluationOptions::default() };
        let answer = evaluate(&snapshot, query, &options).map(|answer| match answer {
            Answer::Boolean(_) => Ok(()),
            Answer::Solutions(mut solutions) => solutions.rows.try_for_each(|row| row.map(drop)),
            Answer::Graph(mut triples) => triples.0.try_for_each(|triple| triple.map(drop)),
        });
        stopped += u64::from(matches!(answer, Err(_) | Ok(Err(_))));
        assert_eq!(server.held(), 0, "after {number}");
    }
    assert!(stopped > 500, "{stopped} were stopped");
}

/// Work that runs within a budget.
type Way<'w> = &'w dyn Fn(&Budget) -> Result<(), Error>;

/// Checks that the work stops at any clock read and when it holds too much, and then frees what it held.
fn check_stops(work: Work, name: &str, least_looks: u64, least_held: u64, run: Way<'_>) {
    let (clock, whole) = budget(work, NO_END);
    run(&whole).unwrap();
    let all = clock.count();
    assert!(all > least_looks && whole.peak() > least_held, "{name}: {all} looks, {} bytes", whole.peak());
    assert_eq!(whole.held(), 0, "{name}");
    check_ends(work, name, all, run);
    let memory = Some(whole.peak() / 2);
    let limited = Budget::of(work, Limits { memory, ..Limits::default() }, Arc::new(Looks::default()));
    assert_eq!(run(&limited).unwrap_err().limit_passed(), Some(Exceeded::Memory(work)), "{name}");
    assert_eq!(limited.held(), 0, "{name}");
}

/// Checks that the work, which makes `all` clock reads, stops at any of them, and when it is cancelled.
fn check_ends(work: Work, name: &str, all: u64, run: Way<'_>) {
    for looks in [1, 2, all / 4, all / 2, all - all / 8 - 1].map(|looks| looks.max(1)) {
        let (_, limited) = budget(work, looks);
        let error = run(&limited).expect_err(name);
        assert_eq!(error.limit_passed(), Some(Exceeded::Time(work)), "{name} after {looks}: {error}");
        assert_eq!(limited.held(), 0, "{name} stopped after {looks} looks");
    }
    let (_, limited) = budget(work, NO_END);
    limited.cancel();
    assert_eq!(run(&limited).unwrap_err().kind(), Kind::Interrupted, "{name}");
}

#[test]
fn reading_and_building_stop_at_any_look_and_give_back_what_they_held() {
    let inputs = [input(3000)];
    let build = |budget: &Budget| {
        Snapshot::load(&inputs, &BuildOptions { budget: budget.clone(), ..BuildOptions::default() }).map(drop)
    };
    let read = |budget: &Budget| {
        let dataset = Dataset::read(&inputs, ReadOptions { budget: Some(budget), ..ReadOptions::default() })?;
        Snapshot::from_quads_within(dataset.quads().iter().cloned(), budget).map(drop)
    };
    check_stops(Work::Loading, "build", 10, 100_000, &build);
    check_stops(Work::Loading, "read", 10, 100_000, &read);
}

/// Things in chains, of classes in a tree, each with a list and a blank node that differs from others only by its place.
fn connected(things: usize) -> Vec<Quad> {
    let mut text = String::from(
        "@prefix : <http://e/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
         @prefix sh: <http://www.w3.org/ns/shacl#> .
         :next rdfs:domain :Thing ; rdfs:range :Thing .
         :Shape a sh:NodeShape ; sh:targetClass :Thing ; sh:property [ sh:path ( :next :next ) ; sh:maxCount 1 ] ;
             sh:property [ sh:path [ sh:oneOrMorePath :next ] ; sh:class :Thing ; sh:maxCount 3 ] .\n",
    );
    for i in 0..things {
        let chain = if i % 10 == 9 { String::new() } else { format!(":next :n{} ; ", i + 1) };
        writeln!(text, ":n{i} a :C{} , :Thing ; {chain} :list ( {i} :n{i} ) ; :has [ :of [ :in :n{i} ] ] .", i % 50)
            .unwrap();
    }
    for class in 1..50 {
        writeln!(text, ":C{class} rdfs:subClassOf :C{} .", class / 2).unwrap();
    }
    let input = Input::bytes("d.ttl", text.into_bytes(), RdfFormat::Turtle);
    Dataset::read(&[input], ReadOptions::default()).unwrap().quads().to_vec()
}

/// The statements as a snapshot that can be searched.
fn stated(quads: &[Quad]) -> Snapshot {
    Snapshot::from_quads_in_order(quads, &Budget::default()).unwrap()
}

#[test]
fn what_is_made_of_a_whole_graph_stops_at_any_look_and_gives_back_what_it_held() {
    let quads = connected(2000);
    let stated = stated(&quads);
    let prefixes = Prefixes::default();
    let settings = InferSettings { rules: Entailment::RdfsPlus, ..InferSettings::default() };
    let ways: [(&str, Way<'_>); 4] = [
        ("canonical form", &|budget| canonicalize(&quads, budget).map(drop)),
        ("canonical names", &|budget| relabel(&quads, budget).map(drop)),
        ("sorted Turtle", &|budget| turtle::write(&quads, &prefixes, budget).map(drop)),
        ("conclusions", &|budget| infer(&stated, &settings, budget).map(drop)),
    ];
    for (name, run) in ways {
        check_stops(Work::Export, name, 10, 100_000, run);
    }
}

#[test]
fn what_is_written_of_a_whole_graph_stops_at_any_look() {
    let (mut quads, prefixes) = (connected(2000), Prefixes::default());
    quads.sort_by_cached_key(Quad::to_string);
    for format in [RdfFormat::Turtle, RdfFormat::JsonLd, RdfFormat::RdfXml] {
        let run = |budget: &Budget| {
            write_quads(&quads, format, &prefixes, GraphOptions::default(), budget, &mut std::io::sink()).map(drop)
        };
        let (clock, whole) = budget(Work::Export, NO_END);
        run(&whole).unwrap();
        check_ends(Work::Export, format.name(), clock.count(), &run);
    }
}

#[test]
fn a_site_stops_at_any_look_and_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let site = |things: usize, budget: &Budget| {
        let (quads, prefixes) = (connected(things), Prefixes::default());
        let statements = stated(&quads);
        let source = kgq_site::Source {
            name: "things",
            title: "Things",
            base: "http://e/",
            snapshot: &statements,
            inferred: None,
            entailment: Entailment::None,
            prefixes: &prefixes,
            labels: &Labels::of(&quads, &Budget::default()).unwrap(),
            audit: Audit::new(&statements, &CitationSettings::default(), &prefixes).into(),
            queries: Vec::new(),
            changed: FxHashMap::default(),
            base_url: None,
            endpoint: None,
            assets: Vec::new(),
            served: false,
        };
        let (output, unfinished) = (folder.path().join("site"), Unfinished::default());
        let writing = kgq_site::Writing {
            output: &output,
            language: "en",
            strict: false,
            unfinished: &unfinished,
            budget,
            progress: &|_, _| (),
        };
        kgq_site::write(source, &writing).map(|report| report.changes)
    };
    let old = site(20, &Budget::default()).unwrap();
    let (clock, whole) = budget(Work::Export, NO_END);
    site(20, &whole).unwrap();
    check_ends(Work::Export, "site", clock.count(), &|budget| site(21, budget).map(drop));
    assert_eq!(site(20, &Budget::default()).unwrap().unchanged, old.written);
}

/// Data and shapes in one graph.
fn validation_data(quads: &[Quad], budget: &Budget) -> Result<ValidationData, Error> {
    let snapshot = Snapshot::from_quads_in_order(quads, budget)?;
    let order = snapshot.file_order(budget)?;
    ValidationData::of_one_snapshot(&snapshot, snapshot.in_file_order(&order), budget)
}

#[test]
fn validation_stops_at_any_look_and_gives_back_what_it_held() {
    let quads = connected(2000);
    let written = |_: &Triple| None;
    check_stops(Work::Validation, "validation", 10, 100_000, &|budget| {
        let data = validation_data(&quads, budget)?;
        let shapes = Shapes::parse(&data, Texts { bounds: Bounds::default(), written: &written });
        validate(&data, &shapes, Limits::default(), &|term| term.to_string()).map(drop).map_err(|failure| failure.error)
    });
}

#[test]
fn advice_looks_at_the_clock_of_the_query_that_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.trig"), trig(400)).unwrap();
    let files = vec![folder.path().join("d.trig").display().to_string()];
    let graph = Graph::open(OpenOptions { files, ..OpenOptions::default() }).unwrap();
    // Nothing is misspelt, so the cause is found by running parts of the query.
    let text = "SELECT * { ?a <http://e/next> ?b . ?b <http://e/value> ?v ; <http://e/in> ?g . ?c <http://e/in> ?g \
                FILTER(?v > 1000000 && ?a != ?c) }";
    let source = Source::new("q", text);
    let query = graph.parse(source).unwrap();
    let options = graph.evaluation_options();
    let asked = |budget: &Budget| {
        let advised = Advised { source, query: &query, options: &options, budget };
        remarks(&graph, advised, Turned::Empty).unwrap().reasons.len()
    };
    let reasons = asked(&Budget::default());
    let (clock, stopped) = budget(Work::Query, 1);
    let (found, looks) = (asked(&stopped), clock.count());
    let (clock, cancelled) = budget(Work::Query, NO_END);
    cancelled.cancel();
    let (left, late) = (asked(&cancelled), clock.count());
    assert!(reasons > 0 && found == 0 && left == 0, "{reasons} reasons, {found} after a look, {left} when cancelled");
    assert!(0 < looks && looks < 20 && late < 20, "{looks} looks after the end, {late} when cancelled");
}

#[test]
fn a_limit_on_time_ends_work_of_any_shape_soon_after_it() {
    let things = std::env::var("KGQ_STOPS").ok().map(|things| things.parse().unwrap());
    let time = Duration::from_millis(if things.is_some() { 1000 } else { 20 });
    let mut late = Vec::new();
    let mut check = |name: &str, work: Work, run: Way<'_>| {
        let limits = Limits { time: Some(time), ..Limits::default() };
        let budget = Budget::of(work, limits, Arc::new(SystemClock::default()));
        let started = Instant::now();
        let result = run(&budget);
        let over = started.elapsed().saturating_sub(time);
        if let Err(error) = result {
            assert_eq!(error.limit_passed(), Some(Exceeded::Time(work)), "{name}: {error}");
        }
        assert_eq!(budget.held(), 0, "{name}");
        println!("{name:28} ended {over:?} after its limit");
        // The machine's speed counts only if `KGQ_STOPS` is set.
        if things.is_some() && over > Duration::from_millis(100) {
            late.push((name.to_owned(), over));
        }
    };
    let things = things.unwrap_or(THINGS);
    let snapshot = snapshot(things);
    for (name, text) in shapes(things) {
        let query = parsed(&text);
        check(name, Work::Query, &|budget| answered(&snapshot, &query, budget).map(drop));
    }
    let (quads, prefixes) = (connected(things), Prefixes::default());
    let stated = stated(&quads);
    let settings = InferSettings { rules: Entailment::RdfsPlus, ..InferSettings::default() };
    check("canonical form", Work::Export, &|budget| canonicalize(&quads, budget).map(drop));
    check("canonical names", Work::Export, &|budget| relabel(&quads, budget).map(drop));
    check("sorted Turtle", Work::Export, &|budget| turtle::write(&quads, &prefixes, budget).map(drop));
    check("conclusions", Work::Export, &|budget| infer(&stated, &settings, budget).map(drop));
    let written = |_: &Triple| None;
    check("validation", Work::Validation, &|budget| {
        let data = validation_data(&quads, budget)?;
        let shapes = Shapes::parse(&data, Texts { bounds: Bounds::default(), written: &written });
        validate(&data, &shapes, Limits::default(), &|term| term.to_string()).map(drop).map_err(|failure| failure.error)
    });
    assert!(late.is_empty(), "more than 0.1 s after their limit: {late:?}");
}
