//! The memory of a session between its queries: what stopped queries and their threads took is freed.
//!
//! `KGQ_HELD_MIB=512` stops them at that much memory instead of less; `KGQ_HELD_QUERIES=1000` stops that many, by different
//! limits in turn.

use super::program;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

/// A field of the system's status of a process, unless it has ended.
fn status(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The resident memory of a process, in bytes.
fn held(process: u32) -> Option<u64> {
    Some(status(process, "VmRSS")? << 10)
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_holds_no_more_after_nine_stopped_queries_than_before() {
    /// A query whose answer does not fit into a pipe: until the test reads on, the session waits and can be inspected.
    const LOOK: &str = "SELECT ?look ?b { :n :is ?look, ?b }";
    let limit = std::env::var("KGQ_HELD_MIB").ok().and_then(|mib| mib.parse::<u64>().ok()).unwrap_or(16);
    let folder = tempfile::tempdir().unwrap();
    let numbers: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    fs::write(folder.path().join("d.ttl"), format!("@prefix : <http://e/> . :n :is {} .", numbers.join(", "))).unwrap();
    // Endless on any machine, with the memory in different places: in a sort, in groups, in the set of seen rows, in a text.
    let pattern = "{ :n :is ?a, ?b, ?c, ?d, ?e, ?f, ?g, ?h, ?i, ?j }";
    let takes_all = [
        format!("SELECT * {pattern} ORDER BY ?j"),
        format!("SELECT ?a ?b ?c ?d ?e ?f ?g (COUNT(*) AS ?n) {pattern} GROUP BY ?a ?b ?c ?d ?e ?f ?g"),
        format!("SELECT DISTINCT ?a ?b ?c ?d ?e ?f ?g {pattern}"),
        format!("SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?j))) AS ?text) {pattern}"),
    ];
    let stopped: Vec<&String> = takes_all.iter().cycle().take(9).collect();
    let script: String = stopped.iter().map(|query| format!("{query}\n\n{LOOK}\n\n")).collect();
    // The last answers keep the session alive while it is inspected.
    let script = script + &format!("{LOOK}\n\n").repeat(3);
    let most = format!("--max-memory={limit}MiB");
    let mut child = program::command(folder.path())
        .args(["-d", "d.ttl", &most, "repl", "--keep-going", "--no-warnings"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{LOOK}\n\n{script}").as_bytes()).unwrap();
    let mut looks = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if line.unwrap().starts_with("?look") && looks.len() <= stopped.len() {
            looks.push(held(child.id()).unwrap());
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(5), "no query was stopped");
    let (before, after) = looks.split_first().unwrap();
    assert_eq!(after.len(), stopped.len());
    for (query, held) in stopped.iter().zip(after) {
        // Answers are kept for `.last`, and threads hold a little; nine queries that kept their memory would hold nine times the
        // limit.
        let most = before + (64 << 20) + (limit << 20) / 8;
        assert!(*held < most, "{held} bytes are held after {query}, and {before} before: {looks:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_has_no_more_threads_and_memory_after_many_queries_over_their_limits() {
    const LOOK: &str = "SELECT ?look ?b { :n :is ?look, ?b }";
    let queries = std::env::var("KGQ_HELD_QUERIES").ok().and_then(|count| count.parse().ok()).unwrap_or(24);
    let folder = tempfile::tempdir().unwrap();
    let numbers: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    fs::write(folder.path().join("d.ttl"), format!("@prefix : <http://e/> . :n :is {} .", numbers.join(", "))).unwrap();
    // The limits of a project apply to its queries, not to loading its data.
    let limits = "[limits]\ntimeout = \"100ms\"\nmax-memory = \"32MiB\"\nmax-rows = 30000\n";
    fs::write(folder.path().join("kgq.toml"), format!("name = \"held\"\ndata = [\"d.ttl\"]\n{limits}")).unwrap();
    let pattern = "{ :n :is ?a, ?b, ?c, ?d, ?e, ?f, ?g, ?h, ?i, ?j }";
    // Exceeding the limits on time, memory and rows in turn.
    let over = [
        format!("SELECT (SUM(?a * ?b * ?c * ?d * ?e + ?f * ?g * ?h * ?i * ?j) AS ?n) {pattern}"),
        format!("SELECT ?a ?b ?c ?d ?e ?f (COUNT(*) AS ?n) {pattern} GROUP BY ?a ?b ?c ?d ?e ?f"),
        "SELECT * { :n :is ?a, ?b, ?c, ?d }".to_owned(),
        format!("SELECT * {pattern} ORDER BY ?j ?a"),
    ];
    // The first few create threads that stay, and fill the allocator's caches.
    let first = 8;
    let stopped =
        |count: usize| over.iter().cycle().take(count).map(|query| format!("{query}\n\n")).collect::<String>();
    // The last ones keep the session alive while it is inspected.
    let script = format!("{}{LOOK}\n\n{}{LOOK}\n\n{}", stopped(first), stopped(queries), stopped(first));
    let mut child = program::command(folder.path())
        .args(["repl", "--keep-going", "--no-warnings"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let stderr = child.stderr.take().unwrap();
    let errors = std::thread::spawn(move || {
        BufReader::new(stderr).lines().map_while(Result::ok).filter(|line| line.contains("error:")).count()
    });
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (answers, answered) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        lines.filter(|line| line.starts_with("?look")).for_each(|_| answers.send(()).unwrap());
    });
    let process = child.id();
    let look = || Some((status(process, "Threads")?, held(process)?));
    answered.recv().unwrap();
    let (threads, bytes) = look().unwrap();
    answered.recv().unwrap();
    // Threads of the queries before may still be ending, and each query that follows has one for a while.
    let mut looks = std::iter::from_fn(|| {
        std::thread::sleep(Duration::from_millis(5));
        look()
    });
    let mut least = (u64::MAX, u64::MAX);
    let is_as_before = |(threads_after, bytes_after): (u64, u64)| {
        least = least.min((threads_after, bytes_after));
        threads_after <= threads && bytes_after < bytes + (32 << 20)
    };
    let found = looks.any(is_as_before);
    reader.join().unwrap();
    writer.join().unwrap().unwrap();
    child.wait().unwrap();
    assert!(found, "{threads} threads and {bytes} bytes at first, {least:?} at least after {queries} queries");
    assert_eq!(errors.join().unwrap(), first + queries + first, "each was over a limit");
}
