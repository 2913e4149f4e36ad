//! Which origins may write: the server's own, under each of its names, and the allowed ones.

use super::{ADA, GRAPHS, PEOPLE, TURTLE, UPDATE, file, project, served, writable};
use crate::program;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn a_page_of_another_origin_writes_nowhere_and_signs_nobody_in_or_out() {
    let (folder, served) = writable(&["--cors", "https://app.example"]);
    let insert = b"INSERT DATA { e:ada e:age 36 }".as_slice();
    let one = b"<http://e/ada> <http://e/age> 36 .".as_slice();
    for origin in ["https://evil.example", "null", "https://app.example.evil", "http://app.example"] {
        for (method, path, types, body) in [
            ("POST", "/sparql", UPDATE, insert),
            ("PUT", "/graphs?default", TURTLE, one),
            ("POST", "/graphs", TURTLE, one),
            ("PATCH", "/graphs?default", UPDATE, insert),
            ("DELETE", "/graphs?default", TURTLE, b"".as_slice()),
            ("PUT", "/g", TURTLE, one),
            ("POST", "/g", TURTLE, one),
            ("PATCH", "/g", UPDATE, insert),
            ("DELETE", "/g", TURTLE, b"".as_slice()),
            ("POST", "/login", FORM, b"token=of-ada".as_slice()),
            ("POST", "/logout", FORM, b"".as_slice()),
            ("POST", "/edit", FORM, b"iri=e%3Aada".as_slice()),
        ] {
            let answer = served.request_with_body(method, path, &[types, ADA, ("Origin", origin)], body);
            assert_eq!(answer.status, 403, "{method} {path} from {origin}: {}", answer.text());
            assert!(answer.text().contains("pages of this origin may not ask here"), "{method} {path} from {origin}");
        }
    }
    assert_eq!((file(&folder, "data/people.ttl"), file(&folder, "data/graphs.trig")), (PEOPLE.into(), GRAPHS.into()));
    let let_in = [TURTLE, ADA, ("Origin", "https://app.example")];
    assert_eq!(served.request_with_body("POST", "/graphs?default", &let_in, one).status, 204);
}

#[test]
fn an_origin_is_let_in_however_it_is_written() {
    let one = b"<http://e/ada> <http://e/age> 36 .".as_slice();
    for named in ["https://App.Example/", "HTTPS://app.example:443", "*"] {
        let (_folder, served) = writable(&["--cors", named]);
        let headers = [TURTLE, ADA, ("Origin", "https://app.example")];
        let written = served.request_with_body("POST", "/graphs?default", &headers, one);
        assert_eq!(written.status, 204, "{named}: {}", written.text());
        let allowed = written.header("access-control-allow-origin");
        assert_eq!(allowed, Some(if named == "*" { "*" } else { "https://app.example" }), "{named}");
        let asked = served.request(
            "OPTIONS",
            "/graphs",
            &[("Origin", "https://app.example"), ("Access-Control-Request-Method", "PUT")],
        );
        assert!(asked.header("access-control-allow-methods").unwrap_or_default().contains("PUT"), "{named}");
    }
}

#[test]
fn pages_of_a_public_name_write_whatever_a_proxy_calls_the_server() {
    let one = b"<http://e/ada> <http://e/age> 36 .".as_slice();
    for (public, origin, status) in [
        ("https://graph.example/", "https://graph.example", 204),
        ("https://Graph.example:443/kg/", "https://graph.example", 204),
        ("graph.example", "https://graph.example", 204),
        ("graph.example", "http://graph.example", 204),
        ("https://graph.example/", "http://graph.example", 403),
        ("https://graph.example/", "https://graph.example:8443", 403),
    ] {
        let (_folder, served) = writable(&["--public", public]);
        // The request goes to the server's address.
        let answer = served.request_with_body("POST", "/graphs?default", &[TURTLE, ADA, ("Origin", origin)], one);
        assert_eq!(answer.status, status, "{public}, {origin}: {}", answer.text());
    }
    let folder = project();
    let own = served(folder.path(), &[]);
    let upper = format!("http://LOCALHOST:{}", own.address.port());
    let head = format!(
        "DELETE /g HTTP/1.1\r\nHost: localhost:{}\r\nOrigin: {upper}\r\nAuthorization: Bearer of-ada\r\nConnection: close\r\n\r\n",
        own.address.port()
    );
    assert_eq!(own.send(head.as_bytes()).status, 204);
}

#[test]
fn what_is_no_origin_or_name_is_refused_before_the_server_starts() {
    let folder = project();
    let root = folder.path().join("p");
    for (flag, value, example) in [
        ("--cors", "app.example", "`https://app.example`"),
        ("--cors", "https://app.example/page", "`https://app.example`"),
        ("--cors", "https://*.example", "`https://app.example`"),
        ("--public", "graph.example/kg", "`https://graph.example/`"),
        ("--public", "ftp://graph.example", "`https://graph.example/`"),
    ] {
        let refused = program::run(&root, &["serve", "--listen", "127.0.0.1:0", flag, value]);
        assert_eq!(refused.code, 2, "{flag} {value}");
        assert!(refused.stderr.contains(example) && refused.stderr.contains(value), "{}", refused.stderr);
    }
}
