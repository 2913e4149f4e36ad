//! The feature `net`: only hosts that kgq.toml names are contacted; a local server plays the other machine.

#[cfg(all(feature = "serve", unix))]
mod tls;

use crate::program;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The other machine: its address and the requests that it got.
struct Other {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Other {
    /// Starts it; `answer` maps a path to a response.
    fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                hearing.lock().unwrap().push(format!("{path} {}", String::from_utf8_lossy(&body)));
                // The client may have disconnected.
                let _ = stream.write_all(answer(&path).as_bytes());
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn response(status: &str, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn other() -> Other {
    Other::start(|path| match path {
        "/sparql" => response(
            "200 OK",
            "application/sparql-results+json",
            r#"{"head":{"vars":["s","n"]},"results":{"bindings":[
                {"s":{"type":"uri","value":"http://e/ada"},"n":{"type":"literal","value":"Ada"}},
                {"s":{"type":"bnode","value":"b0"},"n":{"type":"literal","value":"nobody"}}]}}"#,
        ),
        "/data" => response("200 OK", "text/turtle; charset=utf-8", "<http://e/far> <http://e/p> 1 ."),
        "/away" => "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "/page" => response("200 OK", "text/html", "<p>no"),
        _ => response("500 Internal Server Error", "text/plain", "no"),
    })
}

fn project(folder: &Path, hosts: &str) {
    let manifest = format!("name = \"t\"\nbase = \"http://e/\"\ndata = [\"*.ttl\"]\n[net]\nhosts = [{hosts}]\n");
    std::fs::write(folder.join("kgq.toml"), manifest).unwrap();
    let data = "<http://e/ada> <http://e/age> 36 . _:b0 <http://e/age> 1 .";
    std::fs::write(folder.join("a.ttl"), data).unwrap();
}

fn query(address: &str, silent: &str) -> String {
    format!("SELECT ?s ?n ?age {{ SERVICE {silent} <{address}> {{ ?s <http://e/name> ?n }} ?s <http://e/age> ?age }}")
}

#[test]
fn a_named_host_of_a_trusted_project_is_asked_and_no_other() {
    let (folder, other) = (tempfile::tempdir().unwrap(), other());
    let at = |path: &str| format!("http://{}{path}", other.address);
    project(folder.path(), &format!("\"{}\", \"localhost:{}\"", other.address, other.address.port()));
    let run = |arguments: &[&str]| {
        program::run(folder.path(), &arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    };

    let distrusted = run(&["query", &query(&at("/sparql"), "")]);
    assert_eq!(distrusted.code, 6, "{}", distrusted.stderr);
    assert!(distrusted.stderr.contains("not trusted") && other.heard().is_empty(), "{}", distrusted.stderr);

    let asked = run(&["query", "--trust", "--format", "csv", &query(&at("/sparql"), "")]);
    assert_eq!(
        (asked.code, &*String::from_utf8_lossy(&asked.stdout)),
        (0, "s,n,age\r\nhttp://e/ada,Ada,36\r\n"),
        "{}",
        asked.stderr
    );
    assert!(other.heard()[0].starts_with("/sparql query=SELECT"), "{:?}", other.heard());

    let before = other.heard().len();
    for (address, silent) in [
        ("http://elsewhere.example/sparql", ""),
        ("http://elsewhere.example/sparql", "SILENT"),
        ("http://127.0.0.1:1/sparql", ""),
    ] {
        let refused = run(&["query", "--trust", &query(address, silent)]);
        assert_eq!(refused.code, 6, "{address}: {}", refused.stderr);
    }
    assert_eq!(other.heard().len(), before);

    for (path, why) in [("/page", "no format of rows"), ("/broken", "500")] {
        let failed = run(&["query", "--trust", &query(&at(path), "")]);
        assert!(failed.code == 3 && failed.stderr.contains(why), "{path}: {} {}", failed.code, failed.stderr);
        let silent = run(&["query", "--trust", "--format", "csv", &query(&at(path), "SILENT")]);
        assert_eq!(silent.code, 0, "{path}: {}", silent.stderr);
    }
    let away = run(&["query", "--trust", &query(&at("/away"), "")]);
    assert!(away.code == 6 && away.stderr.contains("no redirection"), "{}", away.stderr);
}

#[test]
fn a_name_that_leads_into_this_machine_is_refused_unless_the_address_is_named() {
    let (folder, other) = (tempfile::tempdir().unwrap(), other());
    let port = other.address.port();
    project(folder.path(), &format!("\"localhost:{port}\""));
    let ask = || {
        let query = query(&format!("http://localhost:{port}/sparql"), "");
        program::run(folder.path(), &["query".into(), "--trust".into(), query])
    };
    let refused = ask();
    assert!(refused.code == 6 && refused.stderr.contains("not public"), "{}", refused.stderr);
    assert!(other.heard().is_empty());
    project(folder.path(), &format!("\"localhost:{port}\", \"127.0.0.1\""));
    assert_eq!(ask().code, 0);
}

#[test]
fn data_at_an_address_are_loaded_where_the_project_of_the_folder_names_the_host() {
    let (folder, other) = (tempfile::tempdir().unwrap(), other());
    let address = format!("http://{}/data", other.address);
    let load = |trust: &[&str]| {
        let arguments = [&["query", "-d", &address, "--format", "csv", "SELECT ?s { ?s ?p ?o }"], trust].concat();
        program::run(folder.path(), &arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(load(&[]).code, 6, "no kgq.toml names it");
    project(folder.path(), &format!("\"{}\"", other.address));
    assert_eq!(load(&[]).code, 6, "not trusted");
    assert!(other.heard().is_empty());
    let trusted = program::run(folder.path(), &["trust", "add"]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let loaded = load(&[]);
    assert_eq!(
        (loaded.code, &*String::from_utf8_lossy(&loaded.stdout)),
        (0, "s\r\nhttp://e/far\r\n"),
        "{}",
        loaded.stderr
    );
}
