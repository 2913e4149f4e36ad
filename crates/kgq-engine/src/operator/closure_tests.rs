//! Compares closures with Oxigraph's evaluator, on graphs for which adjacency lists are made, and counts what a search touches.

use super::edges::Edges;
use super::search::{Rings, Search};
use super::step_lists::StepLists;
use crate::Failures;
use crate::executor::{Run, prepare};
use crate::oxigraph::DefaultGraph;
use crate::path::Step;
use crate::plan::{Graph, Path, Repeat};
use crate::tests::{agree, context, ours, snapshot};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::{Budget, Limits};
use kgq_syntax::rdf::NamedNode;
use spargebra::SparqlParser;
use std::fmt::Write as _;

/// Random edges `:p` and `:q` among a few nodes, in the default graph and two others.
fn random_edges(seed: u64) -> String {
    let mut state = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let mut roll = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = String::new();
    for graph in ["", ":g ", ":h "] {
        let mut edges = String::new();
        for _ in 0..roll(20) + 4 {
            let _ = write!(edges, ":n{} :{} :n{} . ", roll(9), ["p", "q"][roll(2) as usize], roll(9));
        }
        // The nodes that queries name are in every graph: Oxigraph finds no path of length zero from a named term that
        // is not a node.
        let _ = writeln!(edges, ":n{} :name \"{}\" . :lone :name \"x\" . :n1 :q :n2 .", roll(9), roll(3));
        let _ = writeln!(text, "{graph}{{ {edges} }}");
    }
    text
}

#[test]
fn closures_are_those_of_the_other_executor() {
    for seed in 0..4 {
        let data = random_edges(seed);
        for path in [
            ":p+",
            ":p*",
            ":p?",
            "(:p|^:q)+",
            "(:p/:q)+",
            "(:p/:q)*",
            "(!:q)+",
            "^:p*",
            "(:p|:q)*",
            "(:p*)+",
            "((:p?)/(:q*))+",
            "(:p|:q?)+",
        ] {
            for query in [
                format!("SELECT * {{ ?a {path} ?b }}"),
                format!("SELECT * {{ ?a {path} ?a }}"),
                format!("SELECT (COUNT(*) AS ?n) {{ ?a {path} ?b }}"),
                format!("SELECT ?a {{ ?a {path} ?b }}"),
                format!("SELECT ?b {{ ?a {path} ?b }}"),
                format!("SELECT DISTINCT ?a {{ ?a {path} ?b }}"),
                format!("SELECT DISTINCT ?b {{ ?a {path} ?b }}"),
                format!("SELECT DISTINCT ?b {{ ?x :q ?a . ?a {path} ?b }}"),
                format!("SELECT DISTINCT ?a {{ ?x :q ?b . ?a {path} ?b }}"),
                format!("SELECT ?x {{ ?x :q ?a . ?a {path} ?b }}"),
                format!("SELECT * {{ ?a :q ?b . ?a {path} ?b }}"),
                format!("SELECT * {{ ?a {path} :n1 . :n2 {path} ?b }}"),
                format!("SELECT * {{ GRAPH ?g {{ ?a {path} ?b }} }}"),
                format!("SELECT (COUNT(*) AS ?n) {{ GRAPH ?g {{ ?a :q ?x . ?x {path} ?b }} }}"),
                format!("SELECT ?n {{ ?n :name ?t FILTER EXISTS {{ ?n {path} ?b }} }}"),
                format!("SELECT * {{ ?a :name ?t OPTIONAL {{ ?a {path} ?b }} }}"),
                format!("SELECT * {{ VALUES ?a {{ :n1 :n2 :absent }} ?a {path} ?b }}"),
            ] {
                agree(&data, &query);
            }
        }
    }
}

fn id(snapshot: &Snapshot, name: &str) -> TermId {
    snapshot.id(NamedNode::new_unchecked(format!("http://e/{name}")).as_ref().into()).unwrap()
}

#[test]
fn a_path_starts_at_the_nodes_of_its_own_predicate_however_many_others_there_are() {
    let others: String = (0..500).map(|n| format!(":o{n} :other :x{n} . ")).collect();
    let snapshot = snapshot(&format!("{others} :a :p :b . :b :p :c ."));
    let (cx, path) = (context(&snapshot, &Budget::default()), Path::Predicate(id(&snapshot, "p")));
    for (repeat, alone) in [(Repeat::OneOrMore, 0), (Repeat::ZeroOrMore, 1001)] {
        let mut search = Search::new(repeat, &path, Graph::Default);
        let starts = search.starts(None, false, Rings::Any, &cx).unwrap();
        assert_eq!(starts.walking, [id(&snapshot, "a"), id(&snapshot, "b")]);
        assert_eq!(starts.alone.len(), alone);
    }
}

#[test]
fn nodes_that_reach_only_themselves_are_not_listed_where_ends_must_differ() {
    let double = "<http://www.w3.org/2001/XMLSchema#double>";
    let others = ":e :q \"x\"^^:own, \"y\"^^:own, \"x\"^^<http://www.w3.org/2001/XMLSchema#integer>";
    let data =
        &format!(":a :p :b . :b :p :a . :c :q \"NaN\"^^{double}, 1, \"x\" . :d :q <<( :c :q :d )>> . {others} .");
    for path in [":p?", ":p*", "(:p|:q)?", "(:p|^:q)*"] {
        for differ in ["?a != ?b", "?b != ?a", "!sameTerm(?a, ?b)", "?a != ?b && ?a != :b", "!(?a = ?b) || ?a = :d"] {
            agree(data, &format!("SELECT * {{ ?a {path} ?b FILTER({differ}) }}"));
            agree(data, &format!("SELECT * {{ ?a :q ?c . ?a {path} ?b FILTER({differ}) }}"));
            agree(
                data,
                &format!("SELECT * {{ ?a {path} ?b OPTIONAL {{ ?b {path} ?c FILTER({differ} || ?b != ?c) }} }}"),
            );
        }
    }
    let snapshot = snapshot(data);
    let (cx, path) = (context(&snapshot, &Budget::default()), Path::Predicate(id(&snapshot, "p")));
    let mut search = Search::new(Repeat::ZeroOrMore, &path, Graph::Default);
    let mut alone = |rings| search.starts(None, false, rings, &cx).unwrap().alone.len();
    // :c, :d, :e, six literals and a triple term; of them NaN and the triple term may differ from themselves.
    assert_eq!([Rings::Any, Rings::Unequal, Rings::None].map(&mut alone), [10, 2, 0]);
}

#[test]
fn nodes_that_reach_each_other_are_searched_once() {
    let ring: String = (0..40).map(|n| format!(":n{n} :p :n{} . ", (n + 1) % 40)).collect();
    let snapshot = snapshot(&ring);
    let (cx, path) = (context(&snapshot, &Budget::default()), Path::Predicate(id(&snapshot, "p")));
    let mut search = Search::new(Repeat::OneOrMore, &path, Graph::Default);
    search.starts(None, false, Rings::Any, &cx).unwrap();
    let [first, second] = ["n3", "n30"].map(|name| search.ends(None, id(&snapshot, name), false, false, &cx).unwrap());
    assert_eq!(first.len(), 40);
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[test]
fn a_node_that_only_leads_to_what_a_cycle_reaches_is_not_searched_by_itself() {
    // A ring from which a tail leads, and nodes before it: one leads to the ring and into its tail, one also elsewhere.
    let ring: String = (0..40).map(|n| format!(":n{n} :p :n{} . ", (n + 1) % 40)).collect();
    let around = ":n5 :p :t1 . :t1 :p :t2 . :in :p :n7, :t2 . :away :p :n8, :other . :far :p :in .";
    let data = format!("{ring} {around}");
    let snapshot = snapshot(&data);
    let (cx, path) = (context(&snapshot, &Budget::default()), Path::Predicate(id(&snapshot, "p")));
    let mut search = Search::new(Repeat::OneOrMore, &path, Graph::Default);
    search.starts(None, false, Rings::Any, &cx).unwrap();
    let mut ends = |name| search.ends(None, id(&snapshot, name), false, false, &cx).unwrap();
    let [within, before, away, far] = ["n3", "in", "away", "far"].map(&mut ends);
    assert_eq!([&within, &away, &far].map(|ends| ends.len()), [42, 43, 43]);
    assert!(std::sync::Arc::ptr_eq(&within, &before));
    for query in [
        "SELECT * { ?a :p+ ?b }",
        "SELECT * { ?a :p* ?b }",
        "SELECT (COUNT(*) AS ?n) { ?a :p+ ?b . ?b :p ?c }",
        "SELECT (COUNT(*) AS ?n) { ?c :p ?a . ?a :p+ ?b }",
        "SELECT (COUNT(*) AS ?n) { ?a ^:p+ ?b . ?b :p ?c }",
    ] {
        agree(&data, query);
    }
}

#[test]
fn steps_that_are_asked_for_much_are_listed_and_looked_up_where_there_is_no_room() {
    let data: String = (0..200).map(|n| format!(":n{n} :p :n{}, :n{} . ", n + 1, n * 7 % 200)).collect();
    let snapshot = snapshot(&data);
    for (memory, listed) in [(None, 2), (Some(2000), 0)] {
        let cx = context(&snapshot, &Budget::new(Limits { memory, ..Limits::default() }));
        let (edges, lists) = (Edges::open(&cx, &Graph::Default).unwrap(), StepLists::default());
        for back in [false, true] {
            let step = Step::Predicate { predicate: id(&snapshot, "p"), back };
            for node in (0..snapshot.term_count()).map(TermId::new) {
                let (mut found, mut looked_up) = (Vec::new(), Vec::new());
                lists.follow(&edges, &step, node, &mut found, &cx).unwrap();
                edges.follow(&step, node, &mut looked_up);
                assert_eq!(found, looked_up);
            }
        }
        assert_eq!(lists.listed(), listed);
    }
    for query in ["SELECT * { :n3 (:p/:p)+ ?b }", "SELECT * { ?a (^:p/:p)+ :n7 }", "ASK { :n1 (:p/^:p)+ :n150 }"] {
        agree(&data, query);
    }
}

#[test]
fn ends_that_nobody_reads_are_counted_not_listed() {
    let chain: String = (0..30).map(|n| format!(":n{n} :p :n{} . ", n + 1)).collect();
    let snapshot = snapshot(&chain);
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap();
    let query = query.parse_query("SELECT (COUNT(*) AS ?n) { ?a :p+ ?b }").unwrap();
    let run = Run { budget: &Budget::default(), services: None, failures: &Failures::default(), temporary: None };
    let text = prepare(&snapshot, &query, DefaultGraph::Stored, run).unwrap().analyze(run).unwrap();
    let path = text.lines().find(|line| line.contains("path (+)")).unwrap();
    assert!(path.contains("got 30 in"), "{text}");
    let rows = ours(&chain, "SELECT (COUNT(*) AS ?n) { ?a :p+ ?b }", DefaultGraph::Stored);
    assert_eq!(rows, ["\"465\"^^<http://www.w3.org/2001/XMLSchema#integer>"]);
}
