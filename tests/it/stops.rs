//! A query of any shape, and reading files, hear that their time is up, and give back what they held. The clock goes on by a second at each
//! look, so that no test depends on how fast the machine is; `KGQ_STOPS=1000000` measures with as many things how long it is between two looks.

use kgq_engine::query::{ParseContext, Query, parse_query};
use kgq_engine::{Answer, Budget, EvaluationOptions, Limits, evaluate};
use kgq_snapshot::store::{Dataset, Input, ReadOptions};
use kgq_snapshot::{BuildOptions, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::{Clock, Exceeded, Work};
use kgq_syntax::error::{Error, Kind, Source};
use kgq_syntax::rdf::{Prefixes, RdfFormat};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// A second goes by at each look.
#[derive(Debug, Default)]
struct Looks {
    count: AtomicU64,
    /// When each thread looked last, and the longest that one did not.
    last: Mutex<HashMap<ThreadId, Instant>>,
    longest: Mutex<Duration>,
}

impl Clock for Looks {
    fn now(&self) -> Duration {
        let now = Instant::now();
        let before = self.last.lock().unwrap().insert(std::thread::current().id(), now);
        let mut longest = self.longest.lock().unwrap();
        *longest = before.map_or(*longest, |before| longest.max(now - before));
        Duration::from_secs(self.count.fetch_add(1, Ordering::Relaxed))
    }
}

impl Looks {
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn longest(&self) -> Duration {
        // A thread that looked once and ended is not waited for.
        *self.longest.lock().unwrap()
    }
}

/// Longer than any of these queries looks at the clock.
const NO_END: u64 = 1 << 40;

/// A budget whose time is up after so many looks.
fn budget(work: Work, looks: u64) -> (Arc<Looks>, Budget) {
    let clock = Arc::new(Looks::default());
    let limits = Limits { time: Some(Duration::from_secs(looks)), ..Limits::default() };
    let budget = Budget::of(work, limits, Arc::clone(&clock) as Arc<dyn Clock>);
    (clock, budget)
}

/// So many things: in chains of fifty, with values, names, groups; a tenth of them said in graphs too.
fn turtle(things: usize) -> String {
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
    Input::bytes("d.trig", turtle(things).into_bytes(), RdfFormat::TriG)
}

fn snapshot(things: usize) -> Snapshot {
    Snapshot::load(&[input(things)], &BuildOptions::default()).unwrap().0
}

/// Queries by what they do.
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

/// Asks for the whole answer, and gives the number of its rows.
fn answered(snapshot: &Snapshot, query: &Query, budget: &Budget) -> Result<u64, Error> {
    let options = EvaluationOptions { budget: budget.clone(), ..EvaluationOptions::default() };
    Ok(match evaluate(snapshot, query, &options)? {
        Answer::Boolean(_) => 1,
        Answer::Solutions(solutions) => solutions.rows.map(|row| row.map(|_| 1)).sum::<Result<u64, _>>()?,
        Answer::Graph(triples) => triples.0.map(|triple| triple.map(|_| 1)).sum::<Result<u64, _>>()?,
    })
}

fn things() -> usize {
    std::env::var("KGQ_STOPS").ok().and_then(|things| things.parse().ok()).unwrap_or(400)
}

/// Looks after the one that says that the time is up: a few threads each hear of it, and the planner asks at each part of the pattern.
const MOST_LATE: u64 = 200;

#[test]
fn a_query_of_any_shape_stops_at_any_look_and_gives_back_what_it_held() {
    let things = things();
    let measured = std::env::var_os("KGQ_STOPS").is_some();
    let snapshot = snapshot(things);
    let mut slow = Vec::new();
    for (name, text) in shapes(things) {
        let query = parsed(&text);
        let (clock, whole) = budget(Work::Query, NO_END);
        let started = Instant::now();
        let rows = answered(&snapshot, &query, &whole).unwrap();
        let all = clock.count();
        assert!(all > 2, "{name}: {all} looks");
        assert_eq!(whole.held(), 0, "{name} holds what it did not give back");
        if measured {
            println!(
                "{name:28} {rows:>10} rows {:>9.3?} {all:>9} looks, longest {:>9.3?}",
                started.elapsed(),
                clock.longest()
            );
            slow.extend((clock.longest() > Duration::from_millis(100)).then_some((name, clock.longest())));
        }
        for looks in [1, 2, all / 3, all / 2, all - all / 8 - 1].map(|looks| looks.max(1)) {
            // A snapshot keeps merges of its graphs: they are made anew.
            let snapshot = if name.contains("merged") { &self::snapshot(things) } else { &snapshot };
            let (clock, limited) = budget(Work::Query, looks);
            let error = answered(snapshot, &query, &limited).expect_err(name);
            assert_eq!(error.limit_passed(), Some(Exceeded::Time(Work::Query)), "{name}: {error}");
            assert!(clock.count() <= looks + MOST_LATE, "{name}: {} looks after {looks}", clock.count());
            assert_eq!(limited.held(), 0, "{name} stopped after {looks} looks");
        }
    }
    assert!(slow.is_empty(), "longer than 0.1 s between two looks: {slow:?}");
}

#[test]
fn a_query_of_any_shape_that_needs_more_memory_gives_back_what_it_held() {
    let things = things();
    let snapshot = snapshot(things);
    let mut refused = 0;
    for (name, text) in shapes(things) {
        let query = parsed(&text);
        let whole = Budget::default();
        answered(&snapshot, &query, &whole).unwrap();
        for memory in [whole.peak() / 2, whole.peak() - whole.peak() / 10] {
            let limited = Budget::new(Limits { memory: Some(memory), ..Limits::default() });
            match answered(&snapshot, &query, &limited) {
                Ok(_) => assert_eq!(whole.peak(), 0, "{name} with {memory} bytes"),
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

/// A way to make a snapshot of files.
type Way<'w> = &'w dyn Fn(&Budget) -> Result<(), Error>;

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
    let ways: [(&str, Way<'_>); 2] = [("build", &build), ("read", &read)];
    for (name, run) in ways {
        let (clock, whole) = budget(Work::Loading, NO_END);
        run(&whole).unwrap();
        let all = clock.count();
        assert!(all > 10 && whole.peak() > 100_000, "{name}: {all} looks, {} bytes", whole.peak());
        for looks in [1, 2, all / 4, all / 2, all - all / 8 - 1] {
            let (_, limited) = budget(Work::Loading, looks);
            let error = run(&limited).expect_err(name);
            assert_eq!(error.limit_passed(), Some(Exceeded::Time(Work::Loading)), "{name} after {looks}: {error}");
            assert_eq!(limited.held(), 0, "{name} stopped after {looks} looks");
        }
        let memory = Some(whole.peak() / 2);
        let limited = Budget::of(Work::Loading, Limits { memory, ..Limits::default() }, Arc::new(Looks::default()));
        assert_eq!(run(&limited).unwrap_err().limit_passed(), Some(Exceeded::Memory(Work::Loading)), "{name}");
        assert_eq!(limited.held(), 0);
        limited.cancel();
        assert_eq!(run(&limited).unwrap_err().kind(), Kind::Interrupted);
    }
}
