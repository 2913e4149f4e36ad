//! `/mcp`: the tools of `kgq mcp` over HTTP, in both versions of the protocol, for those who may ask.

use super::{DATA, numbers, small};
use crate::http::{Response, Served};
use serde_json::{Value, json};
use std::io::Write;

const TAKES: (&str, &str) = ("Accept", "application/json, text/event-stream");

fn send(served: &Served, headers: &[(&str, &str)], message: &Value) -> Response {
    let headers = [&[TAKES, ("Content-Type", "application/json")], headers].concat();
    served.request_with_body("POST", "/mcp", &headers, message.to_string().as_bytes())
}

/// Sends a request in the protocol version 2025-11-25, which is stateless here.
fn ask(served: &Served, method: &str, parameters: Value) -> Value {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
    let response = send(served, &[("MCP-Protocol-Version", "2025-11-25")], &message);
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")), "{response:?}");
    response.json()["result"].clone()
}

fn call(served: &Served, tool: &str, arguments: Value) -> Value {
    ask(served, "tools/call", json!({"name": tool, "arguments": arguments}))
}

#[test]
fn both_protocols_are_spoken_over_http() {
    let (_folder, served) = small(&[]);
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    });
    assert_eq!(ask(&served, "initialize", hello)["protocolVersion"], "2025-11-25");
    let names = |listed: &Value| {
        let tools = listed["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).iter();
        tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let tools = ["about", "schema", "find", "describe", "query", "why", "why_not"];
    assert_eq!(names(&ask(&served, "tools/list", json!({}))), tools);

    let meta = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let message = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": meta});
    let newer = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
    let listed = send(&served, &newer, &message);
    assert_eq!((listed.status, names(&listed.json()["result"])), (200, tools.map(str::to_owned).to_vec()));
    assert_eq!(listed.json()["result"]["resultType"], "complete");

    let told = call(&served, "query", json!({"query": "SELECT ?n { <http://e/ada> <http://e/name> ?n }"}));
    assert_eq!(told["structuredContent"]["rows"][0]["values"]["n"]["value"], "Ada", "{told}");
    assert_eq!(served.request("GET", "/mcp", &[TAKES]).status, 405);
}

#[test]
fn pages_of_others_and_other_names_are_refused() {
    let (_folder, served) = small(&["--cors", "https://app.example"]);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let own = format!("http://{}", served.address);
    let by = |origin: &str| send(&served, &[("Origin", origin)], &ping).status;
    assert_eq!((by(&own), by("https://app.example")), (200, 200));
    for origin in ["https://evil.example", "null", "http://localhost:1", "https://app.example.evil.example"] {
        assert_eq!(by(origin), 403, "{origin}");
    }
    let body = ping.to_string();
    let rebound = format!(
        "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nAccept: application/json, \
         text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(served.send(rebound.as_bytes()).status, 403);
    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(4 << 20)}});
    assert_eq!(send(&served, &[], &long).status, 413);
}

#[test]
fn what_guards_reading_guards_the_tools() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ttl"), DATA).unwrap();
    let tokens = "models read ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    std::fs::write(folder.path().join("tokens"), tokens).unwrap();
    let served = Served::start(folder.path(), &["-d", "a.ttl", "--tokens", "tokens"]);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(send(&served, &[], &ping).status, 401);
    assert_eq!(send(&served, &[("Authorization", "Bearer abc")], &ping).status, 200);
}

#[test]
fn a_client_of_the_tools_who_leaves_stops_the_work() {
    let (_folder, served) = numbers(1_000, &["--threads", "1"]);
    let long = "SELECT (COUNT(*) AS ?n) { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z FILTER(CONCAT(?x, ?y, ?z) = 'x') }";
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {"query": long}},
    });
    let body = message.to_string();
    let mut stream = served.connect();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, \
         text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    while !served.get("/metrics", "*/*").text().contains("\nkgq_queries_running 1\n") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(stream);
    // There is a single slot: the next call is answered only because the work stopped.
    let told = call(&served, "query", json!({"query": "ASK {}"}));
    assert_eq!(told["structuredContent"]["truth"], true, "{told}");
}

#[test]
fn a_session_uses_no_more_than_the_project_lets_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ttl"), DATA).unwrap();
    let manifest = "name = \"t\"\ndata = [\"*.ttl\"]\n[mcp]\nsession-rows = 3\n";
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    let served = Served::start(folder.path(), &["--proxy", "127.0.0.1"]);
    let query = json!({"query": "SELECT * { ?s <http://e/knows> ?o }"});
    let told = call(&served, "query", query.clone());
    assert_eq!(told["structuredContent"]["rows"].as_array().unwrap().len(), 3, "{told}");
    let refused = call(&served, "query", query.clone());
    let message = refused["structuredContent"]["error"]["message"].as_str().unwrap();
    assert!(refused["isError"] == true && message.contains("3 rows"), "{refused}");
    let other = [("X-Forwarded-For", "198.51.100.7"), ("MCP-Protocol-Version", "2025-11-25")];
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": query},
    });
    assert_eq!(send(&served, &other, &message).json()["result"]["isError"], false, "another client has its own");
}
