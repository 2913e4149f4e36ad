//! Lets each system call that changes files fail once, in the unchanged program: first those of an edit, then those of the start
//! that finishes one. A preloaded library injects the failures.
//!
//! `KGQ_FAULTS` is the number of calls tried, evenly spread; if it is larger than their number, all are tried.

use super::two_files;
use crate::program::{self, Ran, copy_folder};
use crate::updates::number;
use std::path::{Path, PathBuf};
use std::process::Command;

const UPDATE: [&str; 3] = ["update", "--write", "DELETE { ?s a:p 1 } INSERT { ?s a:p 2 } WHERE { ?s a:p 1 }"];
const QUERY: [&str; 2] = ["query", "SELECT ?v (COUNT(*) AS ?n) { ?s a:p ?v } GROUP BY ?v"];

/// Compiles the library as the project compiles its C code.
fn library(folder: &Path) -> PathBuf {
    let path = folder.join("faults.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/edits/faults.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).arg(source).status().unwrap();
    assert!(compiled.success());
    path
}

/// Runs the program with one failing call; returns the calls that it made.
fn faulty(folder: &Path, library: &Path, arguments: &[&str], fault: usize) -> (Ran, Vec<String>) {
    let log = library.with_extension("calls");
    let _ = std::fs::remove_file(&log);
    let mut command = program::command(folder);
    command.env("LD_PRELOAD", library).env("KGQ_FAULT", fault.to_string()).env("KGQ_CALLS", &log);
    let ran = program::finish(command.args(arguments).spawn().unwrap());
    (ran, std::fs::read_to_string(&log).unwrap_or_default().lines().map(str::to_owned).collect())
}

/// The numbers of the calls to try.
fn tried(calls: usize) -> impl Iterator<Item = usize> {
    let count = usize::try_from(number("KGQ_FAULTS", 12)).unwrap().clamp(1, calls);
    (0..count).map(move |at| 1 + at * calls / count)
}

fn state(folder: &Path) -> Vec<String> {
    ["c.ttl", "d.ttl"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).to_vec()
}

/// The state after the next start.
fn next_start(folder: &Path) -> String {
    let ran = program::run(folder, &QUERY);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!folder.join(".kgq/journal").exists());
    ran.stderr
}

#[test]
fn an_edit_is_whole_or_not_at_all_whichever_call_fails_once_and_so_is_its_finish() {
    let place = tempfile::tempdir().unwrap();
    let library = library(place.path());
    let start = place.path().join("start");
    std::fs::create_dir(&start).unwrap();
    let [old, new] = two_files(&start);
    let begun = |name: &str, from: &Path| {
        let folder = place.path().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        copy_folder(from, &folder);
        folder
    };
    let folder = begun("edit", &start);
    let (ran, calls) = faulty(&folder, &library, &UPDATE, 0);
    assert_eq!((ran.code, state(&folder) == new), (0, true), "{}", ran.stderr);
    for call in ["create", "write", "fsync", "rename", "unlink"] {
        assert!(calls.iter().any(|other| other == call), "no {call}: {calls:?}");
    }
    let mut ended = [0; 3];
    for fault in tried(calls.len()) {
        let folder = begun("edit", &start);
        let (ran, made) = faulty(&folder, &library, &UPDATE, fault);
        let told = || format!("{fault}: {} fails: code {}\n{}", calls[fault - 1], ran.code, ran.stderr);
        let is_decided = folder.join(".kgq/journal").exists();
        let said = next_start(&folder);
        let now = state(&folder);
        assert!(now == old || now == new, "half an edit: {}", told());
        assert!(made.len() >= fault, "{}", told());
        match ran.code {
            0 => {
                assert!(now == new && made[fault - 1] != "fsync", "acknowledged, and is not there to stay: {}", told())
            }
            code => assert_eq!(code, 4, "{}", told()),
        }
        if ran.code != 0 && now == new {
            assert!(
                ran.stderr.contains("the edit is decided") || ran.stderr.contains("the files are changed"),
                "{}",
                told()
            );
        }
        let finished = said.contains("finished an edit that was interrupted");
        assert!(is_decided || !finished, "{}", told());
        ended[if now == old { 0 } else { 1 + usize::from(finished) }] += 1;
    }
    println!(
        "{} calls of an edit: {} left all as it was, {} are done, {} were finished",
        calls.len(),
        ended[0],
        ended[1],
        ended[2]
    );
    assert!(ended.iter().all(|count| *count > 0), "{ended:?}");

    // An edit that is decided (its journal is written) but has changed no file yet.
    let decided = begun("decided", &start);
    let journal = 1 + calls.iter().position(|call| call == "rename").unwrap();
    let first = journal + 1 + calls[journal..].iter().position(|call| call == "rename").unwrap();
    faulty(&decided, &library, &UPDATE, first);
    assert!(decided.join(".kgq/journal").exists() && state(&decided) == old);
    let folder = begun("finish", &decided);
    let (ran, calls) = faulty(&folder, &library, &QUERY, 0);
    assert!(ran.stderr.contains("finished an edit that was interrupted: c.ttl, d.ttl"), "{}", ran.stderr);
    for fault in tried(calls.len()) {
        let folder = begun("finish", &decided);
        let (ran, _) = faulty(&folder, &library, &QUERY, fault);
        let told = || format!("{fault}: {} fails: code {}\n{}", calls[fault - 1], ran.code, ran.stderr);
        assert!(ran.code == 4 || (ran.code == 0 && state(&folder) == new && calls[fault - 1] != "fsync"), "{}", told());
        next_start(&folder);
        assert!(state(&folder) == new, "{}", told());
    }
}
