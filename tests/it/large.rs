//! Files too large to hold in parsed form: they are queried through a cached snapshot, with the same answers.

use super::program;
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A number above the size from which a snapshot is made.
const PEOPLE: usize = 12_000;

fn write_people(path: &Path, people: usize) {
    let mut text =
        String::from("@prefix ex: <http://example.org/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n");
    for i in 0..people {
        writeln!(
            text,
            "ex:person{i} a ex:Person ; rdfs:label \"Person number {i}\"@en , \"{i} 号\"@zh ; ex:town ex:town{} ;\n  rdfs:comment \"{}\" .",
            i % 100,
            "one of very many people ".repeat(10)
        )
        .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    let ran = program::run(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    ran.text()
}

#[test]
fn large_files_are_answered_from_a_snapshot_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = folder.join("people.ttl");
    write_people(&data, PEOPLE);
    assert!(std::fs::metadata(&data).unwrap().len() > 4 << 20);
    let count = ["query", "-d", "people.ttl", "SELECT (COUNT(*) AS ?n) { ?p ex:town ex:town7 }"];
    assert_eq!(text(folder, &count), "?n\n120\n");
    assert!(text(folder, &["cache", "list"]).contains("people.ttl"));
    // Again, from the cached snapshot; the other evaluator gives the same answer.
    assert_eq!(text(folder, &count), "?n\n120\n");
    let mut other = count.to_vec();
    other.extend(["--engine", "oxigraph"]);
    assert_eq!(text(folder, &other), "?n\n120\n");

    let page = text(folder, &["describe", "-d", "people.ttl", "Person number 7"]);
    assert!(page.starts_with("Person number 7\nex:person7"), "{page}");
    assert!(page.contains("ex:town7"), "{page}");
    let info = text(folder, &["info", "-d", "people.ttl"]);
    assert!(info.contains("60,000 statements in 1 file"), "{info}");
    assert!(info.contains("12,000  ex:Person"), "{info}");
    let misspelt = program::run(folder, &["query", "-d", "people.ttl", "SELECT * { ?p ex:twon ?t }"]);
    assert!(misspelt.stderr.contains("ex:town"), "{}", misspelt.stderr);

    write_people(&data, PEOPLE + 100);
    assert_eq!(text(folder, &count), "?n\n121\n");
    assert!(text(folder, &["cache", "clear"]).contains("1 snapshot"));
}

#[test]
fn a_large_file_on_standard_input_is_answered_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("people.ttl");
    write_people(&data, PEOPLE);
    let query = "SELECT (COUNT(DISTINCT ?t) AS ?n) { ?p ex:town ?t }";
    let arguments = ["query", "-d", "-", "--input-format", "turtle", query];
    let ran = program::run_with_input(folder.path(), &arguments, std::fs::read(data).unwrap());
    assert_eq!((ran.code, ran.text().as_str()), (0, "?n\n100\n"), "{}", ran.stderr);
    assert_eq!(text(folder.path(), &["cache", "list"]), "");
}

#[test]
fn statements_described_by_parts_are_reifiers_in_a_snapshot_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut data = String::from(
        "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix ex: <http://example.org/> .\n\
         ex:r a rdf:Statement ; rdf:subject ex:s ; rdf:predicate ex:p ; rdf:object ex:o ; ex:source ex:book .\n",
    );
    for i in 0..20_000 {
        writeln!(data, "ex:s{i} ex:p \"{}\" .", "one of very many ".repeat(13)).unwrap();
    }
    std::fs::write(folder.join("d.ttl"), data).unwrap();
    assert!(std::fs::metadata(folder.join("d.ttl")).unwrap().len() > 4 << 20);
    let query = "PREFIX ex: <http://example.org/> SELECT ?source { <<ex:s ex:p ex:o>> ex:source ?source }";
    let arguments = ["query", "-d", "d.ttl", "--unreify", query];
    for _ in 0..2 {
        assert_eq!(text(folder, &arguments), "?source\n<http://example.org/book>\n");
    }
    // Read with other options, the file gives another snapshot.
    assert_eq!(text(folder, &["query", "-d", "d.ttl", query]), "?source\n");
    assert_eq!(text(folder, &["cache", "list"]).lines().filter(|line| line.contains(".kgq")).count(), 2);
    text(folder, &["build", "-d", "d.ttl", "--unreify", "--output", "d.kgq"]);
    assert_eq!(text(folder, &["query", "--snapshot", "d.kgq", query]), "?source\n<http://example.org/book>\n");
}

/// `KGQ_SORTED` is the number of rows; the limit lets in a MiB for each 100,000 of them. They take more, and wait in temporary files.
#[test]
fn more_rows_than_memory_holds_are_sorted() {
    let rows: usize = std::env::var("KGQ_SORTED").map_or(100_000, |rows| rows.parse().unwrap());
    let side = rows.isqrt();
    let folder = tempfile::tempdir().unwrap();
    let mut data = String::new();
    for i in 0..side {
        let value = i * 7919 % side;
        writeln!(data, "<e:{i}> <e:p> \"{value}\"^^<http://www.w3.org/2001/XMLSchema#integer> .").unwrap();
    }
    std::fs::write(folder.path().join("d.nt"), data).unwrap();
    let memory = format!("--max-memory={}MiB", 2 + rows / 100_000);
    let query = "SELECT ?x ?y { ?a <e:p> ?x . ?b <e:p> ?y } ORDER BY ?y DESC(?x)";
    let arguments = ["query", "-d", "d.nt", &memory, "--timeout=none", "--format=csv", query];
    let mut child = program::command(folder.path()).args(arguments).spawn().unwrap();
    let (mut sorted, mut last) = (0, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().skip(1) {
        let line = line.unwrap();
        let (x, y) = line.split_once(',').unwrap();
        let key: (usize, Reverse<usize>) = (y.parse().unwrap(), Reverse(x.parse().unwrap()));
        assert!(last.is_none_or(|last| last <= key), "{key:?} stands behind {last:?}");
        (sorted, last) = (sorted + 1, Some(key));
    }
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), sorted), (Some(0), side * side), "{told}");
}
