//! Who may send queries, under which host name, and what others must not learn.

use super::{shipped, small};
use crate::http::{Served, escaped};
use std::io::{Read, Write};

const ASK: &str = "/sparql?query=ASK%20%7B%7D";

#[test]
fn a_request_by_another_name_is_refused_so_that_no_page_can_rebind_one() {
    let (_folder, served) = small(&[]);
    let by = |host: &str| {
        served.send(format!("GET {ASK} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).status
    };
    let port = served.address.port();
    assert_eq!((by(&format!("127.0.0.1:{port}")), by(&format!("localhost:{port}")), by("[::1]")), (200, 200, 200));
    assert_eq!((by("evil.example"), by(&format!("evil.example:{port}"))), (403, 403));
    let absolute = format!("GET http://evil.example{ASK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(served.send(absolute.as_bytes()).status, 403);
    let nameless = format!("GET {ASK} HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_eq!(served.send(nameless.as_bytes()).status, 400);
}

#[test]
fn a_public_name_is_taken_and_used_in_descriptions() {
    let (_folder, served) = small(&["--public", "https://graph.example/"]);
    let request =
        "GET /sparql HTTP/1.1\r\nHost: graph.example\r\nAccept: application/n-triples\r\nConnection: close\r\n\r\n";
    let described = served.send(request.as_bytes());
    assert_eq!(described.status, 200);
    assert!(described.text().contains("<https://graph.example/sparql>"), "{}", described.text());
}

#[test]
fn other_origins_are_let_in_only_where_they_are_named() {
    let (_folder, closed) = small(&[]);
    let asked = closed.request("GET", ASK, &[("Origin", "https://app.example")]);
    assert!(asked.header("access-control-allow-origin").is_none());
    let (_folder, open) = small(&["--cors", "https://app.example"]);
    let allowed = |origin| {
        let response = open.request("GET", ASK, &[("Origin", origin)]);
        response.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("https://app.example").as_deref(), Some("https://app.example"));
    assert_eq!(allowed("https://evil.example"), None);
    let asks = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")];
    let preflight = open.request("OPTIONS", "/sparql", &asks);
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[test]
fn where_a_token_reads_nobody_reads_without() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ttl"), super::DATA).unwrap();
    // The hashes of `abc` and of nothing.
    let tokens = "reports read ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    std::fs::write(folder.path().join("tokens"), tokens).unwrap();
    let served = Served::start(folder.path(), &["-d", "a.ttl", "--tokens", "tokens"]);
    for path in [ASK, "/sparql", "/", "/metrics", "/events"] {
        let refused = served.request("GET", path, &[]);
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")), "{path}");
    }
    assert_eq!(served.request("GET", ASK, &[("Authorization", "Bearer abd")]).status, 401);
    let let_in = served.request("GET", ASK, &[("Authorization", "Bearer abc")]);
    assert_eq!((let_in.status, let_in.header("cache-control")), (200, Some("private, no-cache")));
    assert_eq!(served.request("GET", "/healthz", &[]).status, 200);
}

#[test]
fn what_is_too_long_is_refused() {
    let (_folder, served) = small(&[]);
    let direct = [("Content-Type", "application/sparql-query")];
    let long = format!("ASK {{}} #{}", "x".repeat(4 << 20));
    assert_eq!(served.request_with_body("POST", "/sparql", &direct, long.as_bytes()).status, 413);
    let address = format!("/sparql?query={}", escaped(&format!("ASK {{}} #{}", "x".repeat(200_000))));
    assert!([414, 431].contains(&served.request("GET", &address, &[]).status));
    let header = "x".repeat(200_000);
    assert_eq!(served.request("GET", ASK, &[("X-Long", &header)]).status, 431);
}

#[test]
fn no_answer_holds_a_path_of_the_machine_and_all_have_the_headers_that_keep_browsers_in_check() {
    let served = shipped();
    let here = env!("CARGO_MANIFEST_DIR");
    for path in [ASK, "/sparql", "/sparql?query=nonsense", "/nothing", "/readyz", "/metrics"] {
        let response = served.request("GET", path, &[]);
        assert!(!response.text().contains(here), "{path}: {}", response.text());
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
        assert!(response.header("content-security-policy").unwrap().contains("default-src 'none'"), "{path}");
        assert!(response.header("server").is_none(), "{path}");
    }
}

#[test]
fn an_address_that_other_machines_reach_is_told_with_what_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ttl"), super::DATA).unwrap();
    let served = Served::start(folder.path(), &["-d", "a.ttl", "--listen", "0.0.0.0:0"]);
    served.signal(libc::SIGTERM);
    let (code, said) = served.wait();
    assert_eq!(code, Some(0));
    assert!(said.contains("can be reached from other machines"), "{said}");
}

#[test]
fn who_sends_half_a_request_or_reads_nothing_is_cut_off() {
    let (_folder, served) = super::numbers(1_000, &["--patience", "300ms", "--timeout", "none"]);
    for half in ["", "GET /sparql", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = served.connect();
        stream.write_all(half.as_bytes()).unwrap();
        let mut rest = Vec::new();
        // The connection ends, in whatever way.
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{half:?}");
    }
    let late = served.send(
        b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\nContent-Length: 99\r\n\r\nASK",
    );
    assert_eq!(late.status, 408);

    let mut deaf = served.connect();
    let query = escaped("SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z }");
    deaf.write_all(format!("GET /sparql?query={query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    for _ in 0..2_400 {
        let counts = served.get("/metrics", "*/*").text().to_owned();
        let is_over = counts.contains("\nkgq_answers_open 0\n");
        if is_over && counts.contains("kgq_requests_total{route=\"/sparql\",status=\"200\"} 1") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("an answer that nobody reads stays open");
}
