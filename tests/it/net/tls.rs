//! `kgq serve` with a certificate. `openssl` plays the certificate authority.

use crate::http::{Response, Served, escaped};
use crate::{needs, program};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

/// Creates an issuer of that name and a certificate for this machine: `NAME.pem`, `cert.pem`, `key.pem`.
fn issue(folder: &Path, name: &str) {
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    openssl(folder, &format!("req -x509 {KEY} -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"));
    openssl(folder, &format!("req {KEY} -subj /CN=localhost -keyout key.pem -out request.pem"));
    openssl(
        folder,
        &format!(
            "x509 -req -in request.pem -CA {name}.pem -CAkey {name}.key -set_serial 2 -days 2 -extfile names -out cert.pem"
        ),
    );
}

/// Whether there is an `openssl`.
fn can_issue() -> bool {
    let is_there = Command::new("openssl").arg("version").output().is_ok();
    if !is_there {
        needs::absent_tool("openssl");
    }
    is_there
}

const WITH: [&str; 4] = ["--certificate", "cert.pem", "--key", "key.pem"];

/// A folder with a certificate, and a server that uses it, with data of this many numbers.
fn secured(many: usize, arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path(), "first");
    let lines = (0..many).map(|n| format!("<http://e/{n}> <http://e/p> \"{n}\" .\n"));
    std::fs::write(folder.path().join("numbers.nt"), lines.collect::<String>()).unwrap();
    let served = Served::start(folder.path(), &[&["-d", "numbers.nt"], &WITH[..], arguments].concat());
    (folder, served)
}

/// A client that trusts the certificates of one issuer.
struct Client(Arc<ClientConfig>);

impl Client {
    fn trusting(folder: &Path, issuer: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join(format!("{issuer}.pem"))).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Self(Arc::new(config.with_no_client_auth()))
    }

    /// Sends a GET request; an error means that the server is not trusted.
    fn get(&self, served: &Served, path: &str, headers: &str) -> std::io::Result<Response> {
        let name = "127.0.0.1".try_into().unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.0), name).unwrap();
        let mut stream = StreamOwned::new(connection, served.connect());
        let host = served.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n")?;
        Ok(Response::read(&mut stream, true))
    }
}

#[test]
fn a_server_with_a_certificate_speaks_tls_and_nothing_else() {
    if !can_issue() {
        return;
    }
    let (folder, served) = secured(1_000, &["--max-rows", "100000", "--patience", "2s"]);
    let client = Client::trusting(folder.path(), "first");
    let asked = client.get(&served, "/sparql?query=ASK%20%7B%7D", "Accept: text/csv\r\n").unwrap();
    assert_eq!((asked.status, asked.whole), (200, true));
    let described = client.get(&served, "/sparql", "Accept: application/n-triples\r\n").unwrap();
    assert!(described.text().contains(&format!("<https://{}/sparql>", served.address)), "{}", described.text());
    // A response that is cut short is recognized as such.
    let many = escaped("SELECT * { ?a ?p ?x . ?b ?q ?y }");
    let cut = client.get(&served, &format!("/sparql?query={many}"), "Accept: text/csv\r\n").unwrap();
    assert!(cut.status == 200 && !cut.whole && cut.body.len() > 10_000);

    // A client that speaks no TLS, or sends nothing, is disconnected.
    for said in [&b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], b""] {
        let mut plain = served.connect();
        plain.write_all(said).unwrap();
        let mut heard = Vec::new();
        let _ = plain.read_to_end(&mut heard);
        assert!(!heard.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&heard));
    }
    assert_eq!(client.get(&served, "/healthz", "").unwrap().status, 200);
}

#[test]
fn cookies_of_a_server_with_a_certificate_are_sent_by_tls_alone() {
    if !can_issue() {
        return;
    }
    let tokens = tempfile::tempdir().unwrap();
    let file = tokens.path().join("tokens");
    std::fs::write(&file, format!("ada read {}\n", "0".repeat(64))).unwrap();
    let (folder, served) = secured(1, &["--tokens", file.to_str().unwrap()]);
    let page = Client::trusting(folder.path(), "first").get(&served, "/login", "Accept: text/html\r\n").unwrap();
    assert!(page.header("set-cookie").is_some_and(|cookie| cookie.contains("Secure")), "{:?}", page.headers);
}

#[test]
fn a_new_certificate_is_read_at_a_hangup_and_a_broken_one_leaves_the_old() {
    if !can_issue() {
        return;
    }
    let (folder, served) = secured(1, &[]);
    let [first, second] = ["first", "second"].map(|name| {
        if name == "second" {
            issue(folder.path(), name);
        }
        Client::trusting(folder.path(), name)
    });
    let is_taken = |client: &Client| client.get(&served, "/healthz", "").is_ok_and(|answer| answer.status == 200);
    assert!(is_taken(&first) && !is_taken(&second), "files alone change nothing");
    served.signal(libc::SIGHUP);
    while !is_taken(&second) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!is_taken(&first));

    let reloads = || {
        let counts = second.get(&served, "/metrics", "").unwrap();
        counts.text().lines().find_map(|line| line.strip_prefix("kgq_reloads_total ")?.parse::<u32>().ok()).unwrap()
    };
    std::fs::write(folder.path().join("cert.pem"), "-----BEGIN CERTIFICATE-----\nAA").unwrap();
    served.signal(libc::SIGHUP);
    while reloads() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(is_taken(&second));
    served.signal(libc::SIGTERM);
    let (code, said) = served.wait();
    assert_eq!(code, Some(0));
    assert!(said.contains("the certificate was read again"), "{said}");
    assert!(said.contains("the one before stays\ncert.pem:1:1: this section"), "{said}");
}

#[test]
fn who_shakes_hands_when_the_server_stops_does_not_hold_it() {
    if !can_issue() {
        return;
    }
    let (_folder, served) = secured(1, &["--patience", "1h"]);
    let _silent: TcpStream = served.connect();
    served.signal(libc::SIGTERM);
    let (code, said) = served.wait();
    assert!(code == Some(0) && !said.contains("cut off"), "{said}");
}

#[test]
fn files_that_do_not_go_together_are_refused_at_their_place() {
    if !can_issue() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path(), "first");
    std::fs::rename(folder.path().join("key.pem"), folder.path().join("old.pem")).unwrap();
    issue(folder.path(), "first");
    openssl(folder.path(), "pkey -in key.pem -aes256 -passout pass:x -out locked.pem");
    openssl(folder.path(), "x509 -in cert.pem -outform der -out cert.der");
    std::fs::write(folder.path().join("a.nt"), "<http://e/a> <http://e/p> 1 .").unwrap();
    for (code, certificate, key, told) in [
        (3, "cert.pem", "old.pem", "old.pem:1:1: this is the key of another certificate"),
        (3, "key.pem", "cert.pem", "key.pem:1:1: no certificate stands here, but `PRIVATE KEY`"),
        (3, "cert.pem", "cert.pem", "cert.pem:1:1: no key stands here, but `CERTIFICATE`"),
        (3, "cert.pem", "locked.pem", "locked.pem:1:1: this key is locked"),
        (3, "cert.der", "key.pem", "`cert.der` is no text"),
        (4, "cert.pem", "nothing.pem", "nothing.pem"),
    ] {
        let arguments = ["serve", "-d", "a.nt", "--listen", "127.0.0.1:0", "--certificate", certificate, "--key", key];
        let ran = program::run(folder.path(), &arguments.map(str::to_owned));
        assert!(ran.code == code && ran.stderr.contains(told), "{certificate} {key}: {} {}", ran.code, ran.stderr);
        assert!(!ran.text().contains("https://"), "it listened before");
    }
    let alone = ["serve", "-d", "a.nt", "--certificate", "cert.pem"].map(str::to_owned);
    assert_eq!(program::run(folder.path(), &alone).code, 2);
}
