//! `kgq mcp`, tested as a client would use it: lines of JSON-RPC over the standard streams of the process.

mod answers;
mod hostile;
mod protocol;
mod questions;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A client and the server process.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    number: u64,
}

impl Client {
    /// Starts the program with these arguments, and initializes the connection.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut client = Self::silent(folder, arguments);
        client.greet("2025-11-25");
        client
    }

    pub fn silent(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
        command.current_dir(folder).env_clear().env("HOME", folder).arg("mcp").args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, number: 0 }
    }

    pub fn greet(&mut self, version: &str) -> Value {
        let hello = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        });
        let answer = self.ask("initialize", hello);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer["result"].clone()
    }

    pub fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Sends a request; returns the whole response.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let id = self.number;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the program ended before it answered {method}");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Calls a tool; returns its result.
    pub fn result(&mut self, tool: &str, arguments: Value) -> Value {
        let response = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(response.get("error").is_none(), "{response}");
        response["result"].clone()
    }

    /// Calls a tool that must succeed; returns its structured content.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.result(tool, arguments.clone());
        assert_eq!(result["isError"], false, "{tool} {arguments}: {result}");
        let told = result["structuredContent"].clone();
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, told, "the text is the same as the structured content");
        told
    }

    /// Calls a tool that must fail; returns the error.
    pub fn error(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.result(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["structuredContent"]["error"].clone()
    }

    /// Disconnects; returns the exit code of the program.
    pub fn go(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.input.take());
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of a small graph.
pub fn small() -> (tempfile::TempDir, Client) {
    of("@prefix e: <http://e/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:ada a e:Person ; e:knows e:bob , e:cid ; e:age 36 ; rdfs:label \"Ada Lovelace\"@en , \"阿达\"@zh .
e:bob a e:Person ; e:knows e:cid ; rdfs:label \"Bob\"@en .
e:cid a e:Person ; rdfs:label \"Cid\"@en .
")
}

pub fn of(data: &str) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.ttl"), data).unwrap();
    let client = Client::start(folder.path(), &["-d", "people.ttl"]);
    (folder, client)
}

/// A client of the project that ships with kgq.
pub fn shipped() -> Client {
    Client::start(Path::new(env!("CARGO_MANIFEST_DIR")), &[])
}

/// The approximate number of tokens of a value.
pub fn tokens(value: &Value) -> usize {
    value.to_string().chars().count().div_ceil(4)
}
