//! Many clients of every kind at once: some send half a request, some read nothing, some leave, some ask queries. Queries are
//! answered correctly or told to retry; and when all clients are gone, nothing is left of them. `KGQ_FLOOD` is the number of
//! clients, `KGQ_ROWS` the number of rows of a long answer.

use super::numbers;
use crate::http::{Served, escaped};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn asking(served: &Served, query: &str) -> TcpStream {
    let mut stream = served.connect();
    let request = format!("GET /sparql?query={} HTTP/1.1\r\nHost: {}\r\n\r\n", escaped(query), served.address);
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_flood_of_clients_of_every_kind_leaves_none_with_a_wrong_answer_and_nothing_behind() {
    let all = count("KGQ_FLOOD", 100);
    let (_folder, served) = numbers(1_000, &["--timeout", "60s", "--threads", "2", "--log", "none"]);
    let many = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z }";
    let mut held = Vec::new();
    for _ in 0..all * 3 / 10 {
        let mut half_open = served.connect();
        half_open.write_all(b"GET /sparql?query=ASK HTTP/1.1\r\nHost: loc").unwrap();
        held.push(half_open);
    }
    // At most as many as may be open at once: otherwise no slot is left for others, who would be told to retry.
    for _ in 0..(all / 10).min(40) {
        let mut slow = asking(&served, many);
        slow.read_exact(&mut [0; 1]).unwrap();
        held.push(slow);
    }
    for _ in 0..all / 10 {
        drop(asking(&served, many));
    }
    let (right, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for asker in 0..16 {
            let (served, right, refused) = (&served, &right, &refused);
            scope.spawn(move || {
                for n in (0..all / 2).skip(asker).step_by(16) {
                    let n = n % 1_000;
                    let response = served.query(&format!("SELECT ?o {{ <http://e/{n}> ?p ?o }}"), "text/csv");
                    match response.status {
                        200 => {
                            assert_eq!(response.text(), format!("o\r\n{n}\r\n"));
                            right.fetch_add(1, Ordering::Relaxed);
                        }
                        429 => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        other => panic!("{other}: {}", response.text()),
                    }
                }
            });
        }
    });
    let (right, refused) = (right.into_inner(), refused.into_inner());
    eprintln!("{all} clients: {right} answered, {refused} told to come again, {} held", held.len());
    assert!(right > 0 && right + refused == all / 2);
    drop(held);
    for _ in 0..2_400 {
        let counts = served.get("/metrics", "*/*").text().to_owned();
        if counts.contains("\nkgq_queries_running 0\n") && counts.contains("\nkgq_answers_open 0\n") {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("something still works for nobody");
}

/// The peak memory of the process, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_answer_is_streamed_in_flat_memory() {
    let side = count("KGQ_ROWS", 250_000).isqrt();
    let (_folder, served) = numbers(side, &["--timeout", "none"]);
    let stream = |most: usize| {
        let query = format!("SELECT ?x ?y {{ ?a ?p ?x . ?b ?q ?y }} LIMIT {most}");
        let mut stream = asking(&served, &query);
        let (mut piece, mut bytes) = (vec![0; 1 << 16], 0);
        let mut end = Vec::new();
        while !end.ends_with(b"\r\n0\r\n\r\n") {
            let length = stream.read(&mut piece).unwrap();
            assert!(length > 0, "the answer broke off");
            bytes += length;
            end.extend_from_slice(&piece[..length]);
            end.drain(..end.len().saturating_sub(16));
        }
        bytes
    };
    let few = stream(side * side / 10);
    let before = peak(served.process());
    let all = stream(side * side);
    let after = peak(served.process());
    eprintln!("{} rows, {all} bytes: {before} KiB, then {after} KiB", side * side);
    assert!(all > few * 9 && after < before + (32 << 10), "{before} KiB for {few} bytes, {after} KiB for {all}");
}
