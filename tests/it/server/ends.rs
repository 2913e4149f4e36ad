//! How an answer ends: complete; with an error status if nothing was sent yet; or with a cut connection.

use super::{numbers, small};
use crate::http::{Response, escaped};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Sorts the product of all numbers with themselves, which takes long before the first row.
const SORT: &str = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z } ORDER BY ?z ?y ?x";
/// The same without an order: its rows start at once, and are many.
const MANY: &str = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z }";

#[test]
fn a_query_over_its_time_is_503_and_names_the_limit() {
    let (_folder, served) = numbers(1_000, &[]);
    let late = served.get(&format!("/sparql?timeout=300ms&query={}", escaped(SORT)), "*/*");
    assert_eq!((late.status, late.header("content-type")), (503, Some("application/problem+json")));
    assert_eq!(late.json()["limit"], "time");
    assert!(late.header("retry-after").is_none(), "a storm of retries would follow");
    assert_eq!(served.get(&format!("/sparql?timeout=soon&query={}", escaped(SORT)), "*/*").status, 400);
}

#[test]
fn a_client_can_ask_for_less_time_and_not_for_more() {
    let (_folder, served) = numbers(1_000, &["--timeout", "300ms"]);
    for asked in ["", "&timeout=60", "&timeout=none"] {
        let late = served.get(&format!("/sparql?query={}{asked}", escaped(SORT)), "*/*");
        assert_eq!((late.status, &late.json()["limit"]), (503, &"time".into()), "{asked}");
    }
}

#[test]
fn limits_on_memory_and_rows_are_503_and_name_themselves() {
    let (_folder, served) =
        numbers(1_000, &["--max-memory", "32MiB", "--threads", "2", "--max-rows", "100", "--timeout", "none"]);
    let heavy = served.query(SORT, "*/*").json();
    assert_eq!(heavy["limit"], "memory");
    assert!(heavy["detail"].as_str().unwrap().contains("24 MiB"), "a quarter is for light queries: {heavy}");
    let rows = served.query("SELECT * { ?s ?p ?o }", "text/csv");
    assert_eq!((rows.status, &rows.json()["limit"]), (503, &"rows".into()));
    assert_eq!(served.query("SELECT * { ?s ?p ?o } LIMIT 100", "text/csv").text().lines().count(), 101);
}

#[test]
fn light_queries_are_answered_whatever_heavy_ones_hold() {
    let (_folder, served) = numbers(1_000, &["--max-memory", "64MiB", "--threads", "3", "--timeout", "none"]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let heavy = served.query(SORT, "*/*");
                    assert_eq!((heavy.status, &heavy.json()["limit"]), (503, &"memory".into()));
                }
            });
        }
        // Besides light queries, the memory held is near the limit again and again.
        for n in 0..30 {
            let light = served.query(&format!("SELECT ?o {{ <http://e/{n}> ?p ?o }} ORDER BY ?o"), "text/csv");
            assert_eq!((light.status, light.text()), (200, format!("o\r\n{n}\r\n").as_str()));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let counts = served.get("/metrics", "*/*");
    assert!(counts.text().contains("\nkgq_memory_held_bytes 0\n"), "{}", counts.text());
}

#[test]
fn a_client_has_no_more_requests_at_once_than_it_may() {
    let (_folder, served) = numbers(1_000, &["--timeout", "none", "--per-client", "1", "--proxy", "127.0.0.1"]);
    let mut slow = served.connect();
    let request = format!("GET /sparql?query={} HTTP/1.1\r\nHost: {}\r\n\r\n", escaped(MANY), served.address);
    slow.write_all(request.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 1]).unwrap();
    let refused = served.query("ASK {}", "*/*");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")), "{}", refused.text());
    assert_eq!(served.get("/healthz", "*/*").status, 200);
    let ask = format!("/sparql?query={}", escaped("ASK {}"));
    let by = |client: &str| served.request("GET", &ask, &[("X-Forwarded-For", client)]).status;
    assert_eq!((by("198.51.100.7"), by("198.51.100.8, 127.0.0.1"), by("127.0.0.1")), (200, 200, 429));
    drop(slow);
    while served.query("ASK {}", "*/*").status == 429 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn queries_of_one_client_hold_no_more_memory_than_its_share() {
    let limits = ["--max-memory", "512MiB", "--per-client-memory", "16MiB", "--threads", "2", "--timeout", "none"];
    let (_folder, served) = numbers(1_000, &limits);
    let heavy = served.query(SORT, "*/*");
    assert_eq!((heavy.status, &heavy.json()["limit"]), (503, &"memory".into()), "{}", heavy.text());
    assert!(heavy.json()["detail"].as_str().unwrap().contains("16 MiB"), "{}", heavy.text());
    assert_eq!(served.query("SELECT * { ?s ?p ?o } ORDER BY ?o", "text/csv").text().lines().count(), 1_001);
}

#[test]
fn a_client_whose_queries_worked_long_enough_waits_and_others_do_not() {
    let (_folder, served) = numbers(1_000, &["--per-client-time", "100ms", "--proxy", "127.0.0.1"]);
    let long = served.get(&format!("/sparql?timeout=300ms&query={}", escaped(SORT)), "*/*");
    assert_eq!(long.status, 503, "what was begun goes on to its own limit");
    // The work is counted when its thread ends, which may be after the answer was read.
    let mut refused = served.query("ASK {}", "*/*");
    for _ in 0..1_000 {
        if refused.status == 429 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        refused = served.query("ASK {}", "*/*");
    }
    assert_eq!(refused.status, 429, "{}", refused.text());
    // 300 ms of work are compensated in three minutes, one of which may be owed.
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 60, "{:?}", refused.headers);
    assert!(refused.json()["detail"].as_str().unwrap().contains("0.1 seconds"), "{}", refused.text());
    let ask = format!("/sparql?query={}", escaped("ASK {}"));
    assert_eq!(served.request("GET", &ask, &[("X-Forwarded-For", "198.51.100.7")]).status, 200);
    assert_eq!(served.get("/healthz", "*/*").status, 200);
}

#[test]
fn an_answer_of_more_bytes_than_may_be_sent_is_503_or_cut() {
    let (_folder, served) = numbers(1_000, &["--max-bytes", "1kB"]);
    let long = served.query("SELECT * { ?s ?p ?o }", "text/csv");
    assert_eq!((long.status, &long.json()["limit"]), (503, &"bytes".into()), "{}", long.text());
    assert!(long.json()["detail"].as_str().unwrap().contains("1,000 bytes"), "{}", long.text());
    assert_eq!(served.query("SELECT * { ?s ?p ?o } LIMIT 10", "text/csv").text().lines().count(), 11);
    let (_folder, served) = numbers(1_000, &["--max-bytes", "1MB", "--timeout", "none"]);
    let cut = served.query(MANY, "text/csv");
    assert!(cut.status == 200 && !cut.whole && cut.body.len() <= 1_000_000, "{} bytes", cut.body.len());
}

#[test]
fn an_answer_that_breaks_off_is_cut_so_that_nobody_takes_a_part_for_the_whole() {
    let (_folder, served) = numbers(1_000, &["--max-rows", "100000"]);
    for accept in ["identity", "gzip", "zstd"] {
        let path = format!("/sparql?query={}", escaped(MANY));
        let cut = served.request("GET", &path, &[("Accept", "text/csv"), ("Accept-Encoding", accept)]);
        assert_eq!((cut.status, cut.whole), (200, false), "{accept}");
        assert!(cut.body.len() > 10_000);
    }
}

#[test]
fn a_long_graph_comes_as_it_is_made_and_whole() {
    let (_folder, served) = numbers(300, &["--max-rows", "80000"]);
    let construct =
        |limit: usize| format!("CONSTRUCT {{ ?a <http://e/q> ?y }} WHERE {{ ?a ?p ?x . ?b ?p ?y }} LIMIT {limit}");
    for accept in ["application/n-triples", "text/turtle"] {
        let whole = served.query(&construct(80_000), accept);
        assert_eq!((whole.status, whole.whole), (200, true), "{accept}");
        let values = whole.text().matches("\"7\"").count();
        assert!(values > 200, "{accept}: {values}");
        // If the graph were held until it is complete, this would be an error with a status.
        let cut = served.query(&construct(90_000), accept);
        assert_eq!((cut.status, cut.whole), (200, false), "{accept}");
    }
}

#[test]
fn a_client_of_http_1_0_gets_the_whole_or_an_error() {
    let (_folder, served) = numbers(1_000, &["--max-rows", "100000"]);
    let ask = |query: &str| {
        let request = format!("GET /sparql?query={} HTTP/1.0\r\nAccept: text/csv\r\n\r\n", escaped(query));
        served.send(request.as_bytes())
    };
    assert_eq!(ask(MANY).status, 503);
    let whole = ask("SELECT * { ?a ?p ?x }");
    assert_eq!((whole.status, whole.header("content-length").is_some()), (200, true));
    assert_eq!(whole.text().lines().count(), 1_001);
}

#[test]
fn a_long_answer_comes_whole_in_every_coding() {
    let (_folder, served) = numbers(300, &[]);
    let path = format!("/sparql?query={}", escaped("SELECT ?x ?y { ?a ?p ?x . ?b ?q ?y }"));
    let coded = |coding: &str| {
        let response = served.request("GET", &path, &[("Accept", "text/csv"), ("Accept-Encoding", coding)]);
        assert!(response.whole && response.status == 200);
        assert_eq!(response.header("content-encoding"), (coding != "identity").then_some(coding));
        response.body
    };
    let plain = coded("identity");
    assert_eq!(plain.iter().filter(|byte| **byte == b'\n').count(), 300 * 300 + 1);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(coded("gzip").as_slice()).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain);
    assert!(zstd::decode_all(coded("zstd").as_slice()).unwrap() == plain);
}

/// The processor time that a process has used so far, in clock ticks.
#[cfg(target_os = "linux")]
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_who_leaves_stops_the_work() {
    let (_folder, served) = numbers(1_000, &["--timeout", "none", "--threads", "1"]);
    for query in [SORT, MANY] {
        let mut stream = served.connect();
        let request = format!("GET /sparql?query={} HTTP/1.1\r\nHost: {}\r\n\r\n", escaped(query), served.address);
        stream.write_all(request.as_bytes()).unwrap();
        let before = ticks(served.process());
        while ticks(served.process()) < before + 10 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            if query == MANY {
                stream.read_exact(&mut [0; 1]).unwrap();
            }
        }
        drop(stream);
        // There is a single slot: the next request is answered only because the work stopped.
        assert_eq!(served.query("ASK {}", "text/csv").text(), "true\n");
    }
}

#[test]
fn requests_beyond_the_queue_are_told_to_come_again() {
    let (_folder, served) = numbers(1_000, &["--timeout", "none", "--threads", "1", "--queue", "0"]);
    let mut first = served.connect();
    let request = format!("GET /sparql?query={} HTTP/1.1\r\nHost: {}\r\n\r\n", escaped(SORT), served.address);
    first.write_all(request.as_bytes()).unwrap();
    let refused = loop {
        let response = served.query("ASK {}", "*/*");
        if response.status != 200 {
            break response;
        }
    };
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn a_reader_who_stands_still_keeps_no_place() {
    let (_folder, served) = numbers(1_000, &["--timeout", "none", "--threads", "1"]);
    let mut slow = served.connect();
    let request = format!("GET /sparql?query={} HTTP/1.1\r\nHost: {}\r\n\r\n", escaped(MANY), served.address);
    slow.write_all(request.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 1]).unwrap();
    for _ in 0..3 {
        assert_eq!(served.query("ASK {}", "text/csv").text(), "true\n");
    }
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let (_folder, served) = small(&[]);
    let mut stream = served.connect();
    for _ in 0..3 {
        let request =
            format!("GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\nHost: {}\r\nAccept: text/csv\r\n\r\n", served.address);
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(Response::read(&mut stream, true).text(), "true\n");
    }
}
