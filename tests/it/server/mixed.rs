//! A server under mixed load while its files change: every answer reflects a single state of the files, none is a server error,
//! and memory does not grow. `KGQ_MIXED_SECONDS` and `KGQ_MODELS_SECONDS` set the duration.

use crate::http::{Served, escaped};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn seconds(variable: &str) -> Duration {
    Duration::from_secs(std::env::var(variable).map_or(2, |text| text.parse().unwrap()))
}

/// The number of things.
const THINGS: usize = 300;

/// Writes the files of one state: each thing has its number and that of the state.
fn write(folder: &Path, state: u64) {
    let things = (0..THINGS).map(|n| format!("<http://e/t{n}> <http://e/state> {state} ; <http://e/number> {n} .\n"));
    // The file is replaced in one step, as editors and git do.
    let beside = folder.join("things.new");
    std::fs::write(&beside, things.collect::<String>()).unwrap();
    std::fs::rename(beside, folder.join("things.ttl")).unwrap();
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\nqueries = [\"*.rq\"]\n";
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("states.rq"), "# title: States\nSELECT DISTINCT ?s { ?t <http://e/state> ?s }")
        .unwrap();
    write(folder.path(), 0);
    folder
}

/// The memory that the process holds, in KiB.
#[cfg(target_os = "linux")]
fn held(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Asks one query and checks its answer; returns whether it was answered.
fn ask(served: &Served, kind: usize, n: usize) -> bool {
    let n = n % THINGS;
    let response = match kind % 5 {
        0 => served.query(&format!("SELECT ?n {{ <http://e/t{n}> <http://e/number> ?n }}"), "text/csv"),
        1 => served.query("SELECT (COUNT(DISTINCT ?s) AS ?n) { ?t <http://e/state> ?s }", "text/csv"),
        2 => served.get("/query/states?format=csv", "*/*"),
        3 => served.get(&format!("/t{n}"), "text/html"),
        _ => served.get(&format!("/sparql?timeout=20ms&query={}", escaped(LONG)), "*/*"),
    };
    match (kind % 5, response.status) {
        (_, 429) => return false,
        (0, 200) => assert_eq!(response.text(), format!("n\r\n{n}\r\n")),
        (1, 200) => assert_eq!(response.text(), "n\r\n1\r\n", "an answer is of one state of the files"),
        (2, 200) => assert_eq!(response.text().lines().count(), 2, "{}", response.text()),
        (3, 200) => assert!(response.text().contains("</html>")),
        (4, 503) => assert_eq!(response.json()["limit"], "time"),
        (kind, status) => panic!("{kind}: {status}: {}", response.text()),
    }
    assert!(response.whole);
    true
}

const LONG: &str = "SELECT (COUNT(*) AS ?n) { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z FILTER(?x + ?y = ?z) }";

#[test]
#[cfg(target_os = "linux")]
fn a_server_under_mixed_load_with_changing_files_gives_right_answers_and_does_not_grow() {
    let folder = project();
    let served = Served::start(folder.path(), &["--log", "none", "--threads", "2"]);
    let (over, answered, refused) =
        (Instant::now() + seconds("KGQ_MIXED_SECONDS"), AtomicU64::new(0), AtomicU64::new(0));
    let mut memory = Vec::new();
    std::thread::scope(|scope| {
        for asker in 0..6 {
            let (served, answered, refused) = (&served, &answered, &refused);
            scope.spawn(move || {
                let mut n = asker * 50;
                while Instant::now() < over {
                    n += 1;
                    let count = if ask(served, n, n * 7) { answered } else { refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut state = 0;
        while Instant::now() < over {
            std::thread::sleep(Duration::from_millis(600));
            state += 1;
            write(folder.path(), state);
            memory.push(held(served.process()));
        }
    });
    let counts = served.get("/metrics", "*/*").text().to_owned();
    let reloads = counts.lines().find_map(|line| line.strip_prefix("kgq_reloads_total ")).unwrap().to_owned();
    eprintln!("{answered:?} answered, {refused:?} told to come again, replaced {reloads} times, KiB: {memory:?}");
    assert!(answered.into_inner() > 0);
    // The first third is warm-up.
    let late = &memory[memory.len() / 3..];
    if let [first, .., last] = late {
        assert!(*last < first + (64 << 10) + first / 4, "it grows: {memory:?}");
    }
}

#[test]
#[cfg(feature = "mcp")]
fn fifty_clients_of_the_tools_are_answered_rightly() {
    let folder = project();
    let served = Served::start(folder.path(), &["--log", "none", "--threads", "2", "--queue", "512"]);
    let (over, answered) = (Instant::now() + seconds("KGQ_MODELS_SECONDS"), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for client in 0..50 {
            let (served, answered) = (&served, &answered);
            scope.spawn(move || {
                let mut n = client;
                while Instant::now() < over {
                    n = (n + 1) % THINGS;
                    let query = format!("SELECT ?n {{ <http://e/t{n}> <http://e/number> ?n }}");
                    let message = json!({
                        "jsonrpc": "2.0", "id": n, "method": "tools/call",
                        "params": {"name": "query", "arguments": {"query": query}},
                    });
                    let headers =
                        [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
                    let response = served.request_with_body("POST", "/mcp", &headers, message.to_string().as_bytes());
                    if response.status == 429 {
                        continue;
                    }
                    let told: Value = response.json()["result"]["structuredContent"].clone();
                    assert_eq!(told["rows"][0]["values"]["n"]["value"], n.to_string(), "{}", response.text());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    eprintln!("{answered:?} calls answered");
    assert!(answered.into_inner() >= 50);
}
