//! Random updates of random formatted projects, through their files: the graph is as SPARQL 1.1 Update defines over sets of
//! statements, comments stay, files stay formatted, the diff is small, and the reverse update restores every byte.
//!
//! A failure names its seed. `KGQ_EDITS=2000` runs that many instead of the few of every test run, from `KGQ_EDITS_SEED`.

#[cfg(target_os = "linux")]
mod faults;
mod operations;

use crate::dice::Dice;
use crate::isomorphic::isomorphic;
use crate::program;
use crate::updates::{number, oxigraphs};
use kgq_edit::{Files, Settings, edit, update};
use kgq_graph::format;
use kgq_graph::graph::{Graph, OpenOptions, UpdateContext};
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Source;
use kgq_syntax::turtle::tree::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

const PREFIXES: &str =
    "PREFIX a: <http://a/>\nPREFIX b: <http://b/>\nPREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n";
const MANIFEST: &str = "name = \"r\"\ndata = [\"*.ttl\", \"*.trig\"]\n[edit]\nfile = \"rest.ttl\"\n[prefixes]\na = \"http://a/\"\n\
                        b = \"http://b/\"\nrdfs = \"http://www.w3.org/2000/01/rdf-schema#\"\n";

/// A statement without blank nodes, as written: subject, predicate, object, and named graph (empty for none).
type Statement = (String, &'static str, &'static str, &'static str);

const PREDICATES: [&str; 4] = ["rdfs:label", "a:p", "b:q", "a:r"];
/// First a literal that Oxigraph's store would write differently.
const OBJECTS: [&str; 9] =
    ["1.50", "1", "\"x\"", "\"y\"@en-GB", "b:o", "<http://c/d/e>", "true", "\"\"\"two\nlines\"\"\"", "a:k1"];

/// The thing with this number and its class, which determines its file; the last ones have none.
fn thing(number: usize) -> (String, Option<&'static str>) {
    let classes = [Some("a:C"), Some("b:D"), None];
    (format!("a:{}{number}", ["k", "m", "z"][number % 3]), classes[number % 3])
}

/// A project: its statements, and the texts of its files before formatting.
struct Project {
    statements: BTreeSet<Statement>,
    files: BTreeMap<&'static str, String>,
}

fn project(dice: &mut Dice, objects: &[&'static str]) -> Project {
    let mut statements: BTreeSet<Statement> = BTreeSet::new();
    let mut files: BTreeMap<&'static str, String> = BTreeMap::new();
    for name in ["c.ttl", "d.ttl", "rest.ttl", "g.trig"] {
        files.insert(name, format!("# About {name}.\n\n{PREFIXES}\n"));
    }
    for number in 0..12 {
        // One thing of each class is never removed, so that new ones always have a place beside it.
        if number > 2 && dice.once_in(3) {
            continue;
        }
        let (subject, class) = thing(number);
        let name = ["c.ttl", "d.ttl", "rest.ttl"][number % 3];
        let mut facts: Vec<(&'static str, &'static str)> = class.map(|class| ("a", class)).into_iter().collect();
        for _ in 0..1 + dice.below(4) {
            facts.push((dice.pick(&PREDICATES), dice.pick(objects)));
        }
        let text = files.get_mut(name).unwrap();
        if dice.once_in(4) {
            let _ = writeln!(text, "# of {subject}");
        }
        let _ = writeln!(text, "{subject}");
        for (predicate, object) in facts {
            if !statements.insert((subject.clone(), predicate, object, "")) {
                continue;
            }
            let comment = if dice.once_in(5) { format!(" # why {number} {predicate}") } else { String::new() };
            let annotation = if dice.once_in(8) {
                format!(" ~ b:st{} {{| b:from b:src |}}", statements.len())
            } else {
                String::new()
            };
            if let Some(reifier) = annotation.split(' ').nth(2) {
                let reifies = Box::leak(format!("<<( {subject} {} {object} )>>", predicate).into_boxed_str());
                statements.insert((reifier.to_owned(), "rdf:reifies", reifies, ""));
                statements.insert((reifier.to_owned(), "b:from", "b:src", ""));
            }
            let _ = writeln!(text, "    {predicate} {object}{annotation} ;{comment}");
        }
        if dice.once_in(6) {
            let _ = writeln!(text, "    b:has [ b:q {number} ; a:p ( 1 b:o [ a:r \"in\" ] ) ] ;");
        }
        text.push_str(".\n\n");
    }
    let graph = files.get_mut("g.trig").unwrap();
    graph.push_str("b:g {\n");
    for number in [0, 3] {
        let (subject, _) = thing(number);
        let object = dice.pick(objects);
        statements.insert((subject.clone(), "a:p", object, "b:g"));
        let _ = writeln!(graph, "{subject} a:p {object} .");
    }
    graph.push_str("}\n");
    Project { statements, files }
}

/// Chooses the statements that an update removes and adds.
fn change(
    dice: &mut Dice,
    objects: &[&'static str],
    statements: &BTreeSet<Statement>,
) -> (BTreeSet<Statement>, BTreeSet<Statement>) {
    let all: Vec<&Statement> = statements.iter().collect();
    let mut removed = BTreeSet::new();
    let is_kept = |statement: &Statement| (0..3).any(|number| thing(number).0 == statement.0);
    for _ in 0..dice.below(5) {
        let statement = all[dice.below(all.len())];
        if dice.once_in(3) && !is_kept(statement) {
            // All statements of a thing, and those about these statements.
            let of_subject = statements.iter().filter(|other| other.0 == statement.0).cloned();
            removed.extend(of_subject);
        } else if statement.1 != "a" && !is_kept(statement) {
            removed.insert(statement.clone());
        }
    }
    let mut added = BTreeSet::new();
    for _ in 0..dice.below(5) {
        let (subject, class) = thing(dice.below(18));
        let graph = if dice.once_in(8) { "b:g" } else { "" };
        let statement = (subject.clone(), dice.pick(&PREDICATES), dice.pick(objects), graph);
        if dice.once_in(5) && graph.is_empty() {
            let reifier = format!("b:new{}", dice.below(100));
            let reifies = Box::leak(format!("<<( {subject} {} {} )>>", statement.1, statement.2).into_boxed_str());
            added.insert((reifier.clone(), "rdf:reifies", &*reifies, ""));
            added.insert((reifier, "b:from", "b:src", ""));
        }
        added.insert(statement);
        if let Some(class) = class.filter(|_| graph.is_empty()) {
            added.insert((subject, "a", class, ""));
        }
    }
    added.retain(|statement| !statements.contains(statement) && !removed.contains(statement));
    (removed, added)
}

fn block(statements: &BTreeSet<Statement>) -> String {
    statements.iter().fold(String::new(), |mut out, (subject, predicate, object, graph)| {
        let statement = format!("{subject} {predicate} {object} .");
        let _ = if graph.is_empty() {
            writeln!(out, "{statement}")
        } else {
            writeln!(out, "GRAPH {graph} {{ {statement} }}")
        };
        out
    })
}

fn text_of(removed: &BTreeSet<Statement>, added: &BTreeSet<Statement>) -> String {
    format!(
        "{PREFIXES}PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\nDELETE DATA {{\n{}}} ;\nINSERT DATA {{\n{}}}\n",
        block(removed),
        block(added)
    )
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "ttl" || e == "trig"));
    files.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).unwrap())).collect()
}

fn graph(folder: &Path) -> Graph {
    Graph::open(OpenOptions { folder: folder.into(), ..Default::default() }).unwrap()
}

/// Runs the update on the files; returns how many lines differ, not counting prefixes, which may be added or removed once each.
fn apply(folder: &Path, text: &str, seed: u64) -> usize {
    let graph = graph(folder);
    let files = Files::read(&graph).unwrap();
    let change = update(&graph, &files, Source::new("u.ru", text)).unwrap();
    let edit =
        edit(&graph, &files, &change, &Settings::default()).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
    let mut lines = 0;
    for change in &edit.changes {
        let diff = change.diff();
        let differs = |line: &&str| line.starts_with(['+', '-']) && !line[1..].starts_with("@prefix");
        lines += diff.lines().skip(2).filter(differs).count();
        let is_prefix = |line: &&str| line.starts_with(['+', '-']) && line[1..].starts_with("@prefix");
        let prefixes: Vec<&str> = diff.lines().filter(is_prefix).collect();
        assert_eq!(prefixes.len(), prefixes.iter().collect::<BTreeSet<_>>().len(), "seed {seed}: {diff}");
        std::fs::write(&change.path, &change.after).unwrap();
    }
    lines
}

fn dialect(name: &str) -> Dialect {
    if name.ends_with(".trig") { Dialect::TriG } else { Dialect::Turtle }
}

fn comments(files: &BTreeMap<String, String>) -> Vec<String> {
    let lines = files.values().flat_map(|text| text.lines());
    let mut found: Vec<String> =
        lines.filter_map(|line| line.split_once("# ").map(|(_, comment)| comment.to_owned())).collect();
    found.sort();
    found
}

/// The statements without blank nodes, as lines of N-Quads.
fn statements(folder: &Path) -> BTreeSet<String> {
    let graph = graph(folder);
    let quads = graph.snapshot().unwrap().iter().map(|quad| quad.to_string());
    quads.filter(|line| !line.contains("_:")).collect()
}

/// The same lines, for the model.
fn model(folder: &Path, statements: &BTreeSet<Statement>) -> BTreeSet<String> {
    let text = text_of(&BTreeSet::new(), statements);
    let change = graph(folder)
        .update_of(&Snapshot::from_quads([]).unwrap(), Source::new("m.ru", &text), &UpdateContext::default())
        .unwrap();
    change.added.iter().map(ToString::to_string).collect()
}

fn one(seed: u64) -> bool {
    let mut dice = Dice::new(seed);
    let canonical = seed.is_multiple_of(2);
    let objects = if canonical { &OBJECTS[1..] } else { &OBJECTS };
    let project = project(&mut dice, objects);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("kgq.toml"), MANIFEST).unwrap();
    for (name, text) in &project.files {
        let text =
            format::turtle(Source::new(name, text), dialect(name), &Bounds::default(), &Budget::default()).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }
    let before = read(folder);
    let was = statements(folder);
    let quads = graph(folder).snapshot().unwrap().iter().collect::<Vec<_>>();
    let (removed, added) = change(&mut dice, objects, &project.statements);
    let text = text_of(&removed, &added);
    let lines = apply(folder, &text, seed);
    let after = read(folder);
    let shown = || format!("seed {seed}\n{}\n{before:#?}\n{after:#?}", text_of(&removed, &added));

    let inner: BTreeSet<String> = model(folder, &project.statements);
    let nested: BTreeSet<String> = was.difference(&inner).cloned().collect();
    let left: BTreeSet<Statement> = project.statements.difference(&removed).chain(&added).cloned().collect();
    let wanted: BTreeSet<String> = model(folder, &left).union(&nested).cloned().collect();
    assert_eq!(statements(folder), wanted, "{}", shown());
    if canonical {
        let now = graph(folder).snapshot().unwrap().iter().collect::<Vec<_>>();
        isomorphic(&now, &oxigraphs(&quads, &text)).unwrap_or_else(|why| panic!("Oxigraph: {why}\n{}", shown()));
    }
    assert_eq!(comments(&before), comments(&after), "{}", shown());
    for (name, text) in &after {
        let formatted =
            format::turtle(Source::new(name, text), dialect(name), &Bounds::default(), &Budget::default()).unwrap();
        assert_eq!(*text, formatted, "{name} is not formatted: {}", shown());
    }
    let subjects = |of: &BTreeSet<Statement>| of.iter().map(|s| (s.0.clone(), s.3)).collect::<BTreeSet<_>>();
    let (old, new) = (subjects(&project.statements), subjects(&left));
    let begun_or_ended = old.symmetric_difference(&new).count();
    // A reifier that stays gets a block, in which its statement is one more line; a string of two lines counts as two.
    let reifiers = removed
        .iter()
        .filter(|s| project.statements.iter().any(|r| r.1 == "rdf:reifies" && r.2.contains(&s.0)))
        .count();
    let long = removed.iter().chain(&added).filter(|s| s.2.contains('\n')).count();
    let is_of_reifier = |s: &&Statement| s.1 == "b:from" || s.1 == "rdf:reifies";
    let annotations = removed.iter().chain(&added).filter(is_of_reifier).count();
    // A comment on a removed line becomes a line of its own.
    let freed = before
        .values()
        .flat_map(|text| text.lines())
        .filter(|line| line.contains(" ; # ") && !after.values().any(|other| other.contains(line.trim())));
    let bound =
        removed.len() + added.len() + 4 * begun_or_ended + 8 * reifiers + 2 * long + 5 * annotations + freed.count();
    assert!(lines <= bound, "{lines} lines differ, {bound} may: {}", shown());

    // The reverse update.
    apply(folder, &text_of(&added, &removed), seed);
    let back = read(folder);
    let ended: BTreeSet<_> = old.difference(&new).cloned().collect();
    let commented = before.values().flat_map(|text| text.lines()).any(|line| {
        let on_its_line = line.contains(" ; # ") && !after.values().any(|other| other.contains(line.trim()));
        let before_its_subject = line.strip_prefix("# of ").is_some_and(|s| ended.contains(&(s.to_owned(), "")));
        on_its_line || before_its_subject
    });
    // A reifier that stays without its statement keeps a block of its own from then on.
    let has_facts = |reifier: &str| left.iter().any(|s| s.0 == reifier);
    let left_reifier = reifiers > 0 || removed.iter().any(|s| s.1 == "rdf:reifies" && has_facts(&s.0));
    if !commented && !left_reifier {
        assert_eq!(before, back, "{}", shown());
    }
    !removed.is_empty() || !added.is_empty()
}

#[test]
fn random_updates_change_the_files_as_little_as_they_must_and_can_be_undone() {
    let first = number("KGQ_EDITS_SEED", 1);
    let changed = (first..first + number("KGQ_EDITS", 60)).filter(|seed| one(*seed)).count();
    assert!(changed > 5, "{changed} changed something");
}

/// Writes a project of two files that are edited together; returns their texts before and after the edit.
#[cfg(unix)]
fn two_files(folder: &Path) -> [Vec<String>; 2] {
    std::fs::write(folder.join("kgq.toml"), MANIFEST).unwrap();
    for (name, class) in [("c.ttl", "C"), ("d.ttl", "D")] {
        let facts: String =
            (0..300).map(|n| format!("a:{class}{n:03}\n    a a:{class} ;\n    a:p 1 ;\n.\n\n")).collect();
        std::fs::write(folder.join(name), format!("@prefix a: <http://a/> .\n\n{}\n", facts.trim_end())).unwrap();
    }
    let state =
        |folder: &Path| ["c.ttl", "d.ttl"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).to_vec();
    let old = state(folder);
    let new = old.iter().map(|text| text.replace("a:p 1 ;", "a:p 2 ;")).collect();
    [old, new]
}

#[cfg(unix)]
#[test]
fn a_killed_edit_is_finished_by_the_next_start_or_never_was() {
    const UPDATE: [&str; 3] = ["update", "--write", "DELETE { ?s a:p 1 } INSERT { ?s a:p 2 } WHERE { ?s a:p 1 }"];
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [old, new] = two_files(folder);
    let started = std::time::Instant::now();
    let ran = program::run(folder, &UPDATE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let usual = started.elapsed();
    let kills: usize = std::env::var("KGQ_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut dice = Dice::new(7);
    let mut ended = [0; 2];
    for _ in 0..kills {
        for (name, text) in ["c.ttl", "d.ttl"].iter().zip(&old) {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mut child = program::command(folder).args(UPDATE).spawn().unwrap();
        std::thread::sleep(usual.mul_f64(dice.below(1200) as f64 / 1000.0));
        let _ = child.kill();
        let killed = !child.wait().unwrap().success();
        // Any start that reads the project finishes a decided edit.
        let ran = program::run(folder, &["query", "SELECT ?v (COUNT(*) AS ?n) { ?s a:p ?v } GROUP BY ?v"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let now: Vec<String> =
            ["c.ttl", "d.ttl"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).to_vec();
        assert!(now == old || now == new, "half an edit");
        assert!(killed || now == new, "an edit that was acknowledged is lost");
        assert!(!folder.join(".kgq/journal").exists());
        ended[usize::from(killed)] += 1;
    }
    assert!(ended[1] > 0, "no kill came in time: {ended:?}");
}

#[test]
fn writers_wait_for_each_other_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("kgq.toml"), MANIFEST).unwrap();
    std::fs::write(folder.join("rest.ttl"), "").unwrap();
    std::thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || {
                let text = format!("INSERT DATA {{ a:x a:p {number} }}");
                let ran = program::run(folder, &["update", "--write", &text]);
                assert_eq!(ran.code, 0, "{}", ran.stderr);
            });
        }
    });
    let text = std::fs::read_to_string(folder.join("rest.ttl")).unwrap();
    assert_eq!(
        text,
        "@prefix a: <http://a/> .\n\na:x\n    a:p 0 ;\n    a:p 1 ;\n    a:p 2 ;\n    a:p 3 ;\n    a:p 4 ;\n    a:p 5 ;\n.\n"
    );
}
