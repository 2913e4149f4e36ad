use super::*;
use crate::query::{ParseContext, parse_update};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::{NamedNode, Prefixes};
use oxttl::TriGParser;
use rustc_hash::FxHashSet;

const DECLARED: &str = "PREFIX : <http://e/>\n";

/// Returns the changed dataset, one statement a line, sorted, without `http://e/` and the line endings.
fn changed(data: &str, text: &str) -> Result<String> {
    let quads: Vec<Quad> = TriGParser::new().for_slice(&format!("{DECLARED}{data}")).map(|q| q.unwrap()).collect();
    let (prefixes, text) = (Prefixes::new(), format!("{DECLARED}{text}"));
    let source = Source::new("<update>", &text);
    let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
    let parsed = parse_update(source, context)?;
    let image = Snapshot::from_quads(quads.iter().cloned())?;
    let change = update(&image, source, &parsed, &EvaluationOptions::default())?;
    let kept = quads.iter().filter(|quad| !change.removed.contains(quad));
    let left: FxHashSet<&Quad> = kept.chain(&change.added).collect();
    let short =
        |quad: &Quad| quad.to_string().replace("http://e/", "").replace("http://www.w3.org/2001/XMLSchema#", "");
    let mut lines: Vec<String> = left.into_iter().map(short).collect();
    lines.sort();
    Ok(lines.join("\n"))
}

fn check(data: &str, text: &str, expected: &[&str]) {
    assert_eq!(changed(data, text).unwrap(), expected.join("\n"), "{text}");
}

#[test]
fn deletes_come_before_inserts_and_all_solutions_before_both() {
    let swap = "DELETE { ?s :p ?o } INSERT { ?o :p ?s } WHERE { ?s :p ?o }";
    check(":a :p :b . :b :p :a . :c :p :d .", swap, &["<a> <p> <b>", "<b> <p> <a>", "<d> <p> <c>"]);
}

#[test]
fn each_operation_sees_what_the_one_before_left() {
    let text = "INSERT { ?o :p :z } WHERE { :a :p ?o } ; DELETE { :a :p ?o } WHERE { ?o :p :z } ;
        INSERT DATA { :n :p 1 } ; INSERT { ?s :q ?v } WHERE { ?s :p ?v FILTER (?v = 1) }";
    let left = ["<b> <p> <z>", "<n> <p> \"1\"^^<integer>", "<n> <q> \"1\"^^<integer>"];
    check(":a :p :b .", text, &left);
}

#[test]
fn with_names_the_default_graph_and_leaves_the_named_ones() {
    let data = ":a :p 1 . :g { :a :p 2 } :h { :a :p 3 }";
    check(
        data,
        "WITH :g DELETE { ?s ?p ?o } INSERT { ?s :was ?o . GRAPH :h { ?s :q ?x } } WHERE { ?s ?p ?o . GRAPH :h { ?s :p ?x } }",
        &[
            "<a> <p> \"1\"^^<integer>",
            "<a> <p> \"3\"^^<integer> <h>",
            "<a> <q> \"3\"^^<integer> <h>",
            "<a> <was> \"2\"^^<integer> <g>",
        ],
    );
    // USING determines what WHERE sees; WITH still determines what is changed.
    check(
        data,
        "WITH :g DELETE { ?s :p ?o } INSERT { ?s :n ?v } USING :h WHERE { ?s :p ?v . BIND (2 AS ?o) }",
        &["<a> <n> \"3\"^^<integer> <g>", "<a> <p> \"1\"^^<integer>", "<a> <p> \"3\"^^<integer> <h>"],
    );
    check(
        data,
        "DELETE { GRAPH ?g { ?s ?p ?o } } USING NAMED :h WHERE { GRAPH ?g { ?s ?p ?o } }",
        &["<a> <p> \"1\"^^<integer>", "<a> <p> \"2\"^^<integer> <g>"],
    );
}

#[test]
fn blank_nodes_of_templates_are_new_for_each_solution_and_those_of_data_new_at_all() {
    check(
        "_:u0 :p 1 , 2 .",
        "INSERT { _:x :of ?o ; :is [] } WHERE { ?s :p ?o }",
        &[
            "_:u0 <p> \"1\"^^<integer>",
            "_:u0 <p> \"2\"^^<integer>",
            "_:u1 <is> _:u2",
            "_:u1 <of> \"1\"^^<integer>",
            "_:u3 <is> _:u4",
            "_:u3 <of> \"2\"^^<integer>",
        ],
    );
    let data = changed("_:b :p 1 .", "INSERT DATA { _:b :q 2 }").unwrap();
    let subjects: Vec<_> = data.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_ne!(subjects[0], subjects[1], "{data}");
}

#[test]
fn what_cannot_be_a_statement_is_left_out() {
    let text = "INSERT { ?o :p :x . :y ?o :z . :k :p ?u . :k :ok ?o . GRAPH ?o { :s :p :q } } WHERE { :a :p ?o }";
    check(":a :p 1 .", text, &["<a> <p> \"1\"^^<integer>", "<k> <ok> \"1\"^^<integer>"]);
}

#[test]
fn a_template_without_variables_needs_one_solution() {
    check(
        ":a :p 1 , 2 .",
        "DELETE { :a :p 1 } INSERT { :done :is true } WHERE { ?s ?p ?o }",
        &["<a> <p> \"2\"^^<integer>", "<done> <is> \"true\"^^<boolean>"],
    );
    check(":a :p 1 .", "INSERT { :done :is true } WHERE { :nobody ?p ?o }", &["<a> <p> \"1\"^^<integer>"]);
}

#[test]
fn graphs_are_copied_moved_and_added() {
    let data = ":a :p 1 . :g { :a :p 2 } :h { :a :p 3 }";
    let (one, two, three) = ("<a> <p> \"1\"^^<integer>", "<a> <p> \"2\"^^<integer>", "<a> <p> \"3\"^^<integer>");
    check(data, "COPY :g TO :h", &[one, &format!("{two} <g>"), &format!("{two} <h>")]);
    check(data, "MOVE :g TO DEFAULT", &[two, &format!("{three} <h>")]);
    check(data, "ADD DEFAULT TO :g", &[one, &format!("{one} <g>"), &format!("{two} <g>"), &format!("{three} <h>")]);
    check(data, "CLEAR NAMED", &[one]);
    check(data, "DROP DEFAULT", &[&format!("{two} <g>"), &format!("{three} <h>")]);
    check(data, "CLEAR ALL", &[""]);
    check(data, "COPY SILENT :none TO :g", &[one, &format!("{two} <g>"), &format!("{three} <h>")]);
}

#[test]
fn a_graph_that_is_missing_or_there_already_is_an_error_with_its_place() {
    let data = ":g { :a :p 2 }";
    for (text, column) in [
        ("COPY :none TO :g", 1),
        ("INSERT DATA { :a :p 1 } ; MOVE :none TO :g", 27),
        ("CLEAR GRAPH :none", 1),
        ("DROP GRAPH :none", 1),
        ("CREATE GRAPH :g", 1),
        ("CREATE GRAPH :new ; CREATE GRAPH :new", 21),
        ("DROP GRAPH :g ; CLEAR GRAPH :g", 17),
    ] {
        let error = changed(data, text).unwrap_err();
        assert_eq!(error.kind(), Kind::Input, "{text}: {error}");
        let place = error.place().unwrap_or_else(|| panic!("{text}: {error} has no place"));
        assert_eq!((place.line, place.column), (2, column), "{text}");
        assert!(error.hints().iter().any(|hint| hint.contains("SILENT")), "{text}: {error:?}");
    }
    for text in ["CLEAR SILENT GRAPH :none", "CREATE SILENT GRAPH :g", "CREATE GRAPH :new ; DROP GRAPH :new"] {
        check(data, text, &["<a> <p> \"2\"^^<integer> <g>"]);
    }
    // A graph that an operation empties exists until it is dropped.
    check(data, "DELETE WHERE { GRAPH :g { ?s ?p ?o } } ; CLEAR GRAPH :g ; ADD :g TO DEFAULT", &[""]);
}

#[test]
fn triple_terms_are_matched_deleted_and_made() {
    check(
        ":r :says <<( :a :p 01 )>> , <<( :a :p 1 )>> .",
        "DELETE DATA { :r :says <<( :a :p 1 )>> }",
        &["<r> <says> <<( <a> <p> \"01\"^^<integer> )>>"],
    );
    check(
        ":r :says <<( :a :p 01 )>> .",
        "DELETE { ?r ?q <<( ?s ?p ?o )>> } INSERT { ?s ?p ?o } WHERE { ?r ?q <<( ?s ?p ?o )>> }",
        &["<a> <p> \"01\"^^<integer>"],
    );
}

#[test]
fn what_is_deleted_and_inserted_again_is_no_change() {
    let quads: Vec<Quad> =
        TriGParser::new().for_slice("<http://e/a> <http://e/p> 1.50 .").map(|quad| quad.unwrap()).collect();
    let text = "DELETE { ?s ?p ?o } INSERT { ?s ?p ?o } WHERE { ?s ?p ?o }";
    let (prefixes, source) = (Prefixes::new(), Source::new("<update>", text));
    let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
    let parsed = parse_update(source, context).unwrap();
    let image = Snapshot::from_quads(quads.iter().cloned()).unwrap();
    let change = update(&image, source, &parsed, &EvaluationOptions::default()).unwrap();
    assert!(change.added.is_empty() && change.removed.is_empty(), "{change:?}");
}

#[test]
fn what_goes_and_comes_back_is_no_change() {
    let text = "INSERT DATA { :b :p 1 } ; DELETE DATA { :a :p 1 . :b :p 1 } ; ADD DEFAULT TO :g ; CLEAR NAMED ;
        COPY :h TO DEFAULT ; INSERT DATA { :a :p 1 . GRAPH :h { :c :p 2 } }";
    let (removed, added) = change_of(":a :p 1 . :h { :c :p 2 }", text);
    assert_eq!((removed, added), (vec![], vec![]));
}

#[test]
fn what_is_removed_comes_in_the_order_of_the_files() {
    let data = ":z :p 1 . :g { :z :p 2 } :a :p 1 . _:b :p 1 . :g { :a :p _:b }";
    let (removed, added) =
        change_of(data, "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } } ; CLEAR DEFAULT");
    let lines = [
        "<z> <p> \"1\"^^<integer>",
        "<z> <p> \"2\"^^<integer> <g>",
        "<a> <p> \"1\"^^<integer>",
        "_:b <p> \"1\"^^<integer>",
        "<a> <p> _:b <g>",
    ];
    assert_eq!((removed, added), (lines.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn a_new_node_never_gets_the_label_of_a_known_one() {
    let (_, added) = change_of("_:u0 :p _:u1 .", "INSERT { _:n :q ?s } WHERE { ?s :p ?o }");
    assert_eq!(added, ["_:u2 <q> _:u0"]);
}

#[test]
fn what_is_removed_counts_against_the_limit_on_memory() {
    let node = |n: u32| NamedNode::new_unchecked(format!("http://e/{n}"));
    let quads = (0..5000).map(|n| Quad::new(node(n), node(0), node(1), GraphName::DefaultGraph));
    let image = Snapshot::from_quads(quads).unwrap();
    let (prefixes, source) = (Prefixes::new(), Source::new("<update>", "CLEAR ALL"));
    let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
    let parsed = parse_update(source, context).unwrap();
    let within = |memory| {
        let limits = Limits { memory: Some(memory), ..Limits::default() };
        update(&image, source, &parsed, &EvaluationOptions { limits, ..EvaluationOptions::default() })
    };
    assert_eq!(within(100_000).unwrap_err().kind(), Kind::Limit);
    assert_eq!(within(10_000_000).unwrap().removed.len(), 5000);
}

/// What an update removes and adds, a statement a line.
fn change_of(data: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let quads: Vec<Quad> = TriGParser::new().for_slice(&format!("{DECLARED}{data}")).map(|q| q.unwrap()).collect();
    let text = format!("{DECLARED} {text}");
    let (prefixes, source) = (Prefixes::new(), Source::new("<update>", &text));
    let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
    let parsed = parse_update(source, context).unwrap();
    let image = Snapshot::from_quads_in_order(&quads, &Budget::default()).unwrap();
    let change = update(&image, source, &parsed, &EvaluationOptions::default()).unwrap();
    let short =
        |quad: &Quad| quad.to_string().replace("http://e/", "").replace("http://www.w3.org/2001/XMLSchema#", "");
    (change.removed.iter().map(short).collect(), change.added.iter().map(short).collect())
}
