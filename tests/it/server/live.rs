//! The graph is replaced when its files change; the server reports its state, logs its requests, and stops cleanly.

use super::{DATA, numbers, small};
use crate::http::{Response, Served, escaped};
use std::io::{Read, Write};
use std::time::Duration;

const COUNT: &str = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }";

fn counted(served: &Served) -> String {
    served.query(COUNT, "text/csv").text().trim_start_matches("n\r\n").trim().to_owned()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_400 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("never: {what}");
}

#[test]
fn changed_files_are_read_and_broken_ones_leave_the_graph_what_it_was() {
    let (folder, served) = small(&[]);
    let file = folder.path().join("people.ttl");
    let before = served.query(COUNT, "text/csv");
    assert_eq!(counted(&served), "6");

    std::fs::write(&file, format!("{DATA}e:cid e:age 40 .")).unwrap();
    until("the new statement is there", || counted(&served) == "7");
    assert_ne!(served.query(COUNT, "text/csv").header("etag"), before.header("etag"));

    std::fs::write(&file, format!("{DATA}e:cid e:age")).unwrap();
    let current = || served.get("/readyz", "*/*").json()["current"].as_bool().unwrap();
    until("the broken file is told of", || !current());
    let state = served.get("/readyz", "*/*");
    assert_eq!((state.status, &state.json()["broken"]["line"]), (200, &4.into()), "{}", state.text());
    assert_eq!(counted(&served), "7");
    assert!(served.get("/metrics", "*/*").text().contains("\nkgq_files_broken 1\n"));

    std::fs::write(&file, DATA).unwrap();
    until("the mended file is read", || current() && counted(&served) == "6");
    assert_eq!(served.query(COUNT, "text/csv").header("etag"), before.header("etag"));
}

#[test]
fn an_answer_that_was_begun_ends_with_the_graph_that_it_began_with() {
    let (folder, served) = numbers(400, &["--timeout", "none"]);
    let mut stream = served.connect();
    let query = escaped("SELECT ?x ?y { ?a ?p ?x . ?b ?q ?y }");
    let request = format!("GET /sparql?query={query} HTTP/1.1\r\nHost: {}\r\nAccept: text/csv\r\n\r\n", served.address);
    stream.write_all(request.as_bytes()).unwrap();
    std::fs::write(folder.path().join("numbers.nt"), "<http://e/1> <http://e/p> \"1\" .\n").unwrap();
    until("the file is read again", || counted(&served) == "1");
    let response = Response::read(&mut stream, true);
    assert!(response.whole);
    assert_eq!(response.text().lines().count(), 400 * 400 + 1);
}

#[test]
fn a_page_that_listens_is_told_when_the_graph_was_replaced() {
    let (folder, served) = small(&[]);
    let mut stream = served.connect();
    stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", served.address).as_bytes()).unwrap();
    let mut said = Vec::new();
    let mut read_until = |wanted: &str| {
        while !String::from_utf8_lossy(&said).contains(wanted) {
            let mut piece = [0; 256];
            let length = stream.read(&mut piece).unwrap();
            assert!(length > 0, "the stream ended without {wanted}");
            said.extend(&piece[..length]);
        }
    };
    read_until("retry:");
    std::fs::write(folder.path().join("people.ttl"), format!("{DATA}e:cid e:age 40 .")).unwrap();
    read_until("event: graph\ndata: 1\n");
    std::fs::write(folder.path().join("people.ttl"), format!("{DATA}e:cid e:age")).unwrap();
    read_until("event: broken\ndata: people.ttl:4:12: ");
    std::fs::write(folder.path().join("people.ttl"), DATA).unwrap();
    read_until("event: mended\n");
}

#[test]
fn a_signal_makes_the_files_be_read_again_and_another_ends_the_server_when_all_is_done() {
    let (_folder, served) = numbers(400, &["--timeout", "none", "--log", "json"]);
    served.signal(libc::SIGHUP);
    until("the files are read again", || served.get("/metrics", "*/*").text().contains("\nkgq_reloads_total 1\n"));

    let mut stream = served.connect();
    let query = escaped("SELECT ?x ?y { ?a ?p ?x . ?b ?q ?y }");
    let request = format!("GET /sparql?query={query} HTTP/1.1\r\nHost: {}\r\nAccept: text/csv\r\n\r\n", served.address);
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_exact(&mut [0; 9]).unwrap();
    served.signal(libc::SIGTERM);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "what ran was not finished");
    let (code, said) = served.wait();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let (_folder, served) = numbers(1_000, &["--timeout", "none"]);
    let mut stream = served.connect();
    let query = escaped("SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z } ORDER BY ?z");
    stream
        .write_all(format!("GET /sparql?query={query} HTTP/1.1\r\nHost: {}\r\n\r\n", served.address).as_bytes())
        .unwrap();
    until("the query runs", || served.get("/metrics", "*/*").text().contains("\nkgq_queries_running 1\n"));
    served.signal(libc::SIGINT);
    until("the server stops", || std::net::TcpStream::connect(served.address).is_err());
    served.signal(libc::SIGINT);
    assert_eq!(served.wait().0, Some(0));
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "an answer came after all");
}

#[test]
fn the_log_has_a_line_for_each_request_and_no_query() {
    let ask = |arguments: &[&str]| {
        let (_folder, served) = small(arguments);
        served.query("SELECT ?secret { ?secret <http://e/knows> ?o }", "text/csv");
        served.get("/nothing?secret=1", "*/*");
        served.signal(libc::SIGTERM);
        served.wait().1
    };
    let said = ask(&["--log", "json"]);
    let lines: Vec<serde_json::Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let asked = lines.iter().find(|line| line["path"] == "/sparql").unwrap_or_else(|| panic!("{said}"));
    assert_eq!((&asked["method"], &asked["status"], &asked["rows"]), (&"GET".into(), &200.into(), &3.into()));
    assert_eq!(asked["query"].as_str().unwrap().len(), 12);
    assert!(lines.iter().any(|line| line["path"] == "/nothing" && line["status"] == 404), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert!(ask(&["--log-queries"]).contains("?secret"));
}

#[test]
fn metrics_are_told_at_an_address_of_their_own_where_that_is_asked_for() {
    let (_folder, served) = small(&["--metrics", "127.0.0.1:0"]);
    assert_eq!(served.get("/metrics", "*/*").status, 404);
}
