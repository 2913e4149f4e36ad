//! A running server, and an HTTP/1.1 client that sends exactly the given bytes and returns what came back, including how it
//! ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest wall-clock time of any answer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `kgq serve`, stopped when it is dropped.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    /// Serves with these arguments, on a free port of the loopback interface.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
        command.current_dir(folder).env_clear().env("HOME", folder);
        command.arg("serve").args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').parse();
        let address = address.unwrap_or_else(|_| panic!("the server says no address: {line:?}{}", said(&mut child)));
        Self { child, address }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends these bytes and reads one response.
    pub fn send(&self, request: &[u8]) -> Response {
        let mut stream = self.connect();
        // A server that refuses a request need not read all of it.
        let _ = stream.write_all(request);
        Response::read(&mut stream, !request.starts_with(b"HEAD "))
    }

    /// Sends a request without a body.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request_with_body(method, path, headers, b"")
    }

    pub fn request_with_body(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        self.send(&[text.as_bytes(), body].concat())
    }

    pub fn get(&self, path: &str, accept: &str) -> Response {
        self.request("GET", path, &[("Accept", accept)])
    }

    /// Sends a query by GET.
    pub fn query(&self, text: &str, accept: &str) -> Response {
        self.get(&format!("/sparql?query={}", escaped(text)), accept)
    }

    #[cfg(unix)]
    #[allow(unsafe_code, reason = "a call of the C library")]
    pub fn signal(&self, signal: i32) {
        // SAFETY: the process is our child, which has not been waited for.
        unsafe { libc::kill(self.child.id().try_into().unwrap(), signal) };
    }

    /// Waits for the end; returns the exit code and the text on standard error.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let text = said(&mut self.child);
        (self.child.wait().unwrap().code(), text)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut text).unwrap();
    }
    text
}

/// Percent-encodes a text for a URL.
pub fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body arrived completely.
    pub whole: bool,
}

impl Response {
    /// Reads a response; `has_body` is false for one to HEAD.
    pub fn read(stream: &mut impl Read, has_body: bool) -> Self {
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {first:?}"));
        let mut headers = Vec::new();
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Self { status, headers, body: Vec::new(), whole: true };
        if !has_body || status == 204 || status == 304 {
            return response;
        }
        if response.header("transfer-encoding") == Some("chunked") {
            (response.body, response.whole) = chunks(&mut reader);
        } else if let Some(length) = response.header("content-length") {
            let length: u64 = length.parse().unwrap();
            reader.take(length).read_to_end(&mut response.body).unwrap();
            response.whole = response.body.len() as u64 == length;
        } else {
            response.whole = reader.read_to_end(&mut response.body).is_ok();
        }
        response
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Reads a chunked body; returns its bytes and whether its end arrived.
fn chunks(reader: &mut impl BufRead) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        if reader.read_line(&mut size).is_err() {
            return (body, false);
        }
        let Ok(size) = u64::from_str_radix(size.trim(), 16) else { return (body, false) };
        let before = body.len() as u64;
        let read = reader.by_ref().take(size).read_to_end(&mut body);
        let mut end = String::new();
        if read.is_err() || body.len() as u64 != before + size || reader.read_line(&mut end).is_err() || end != "\r\n" {
            return (body, false);
        }
        if size == 0 {
            return (body, true);
        }
    }
}
