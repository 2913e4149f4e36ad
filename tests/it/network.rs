//! Nothing that a query, an update or a file names is ever fetched: a listener receives no connection.

use super::program;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

#[test]
fn a_listener_hears_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let here = format!("http://{address}/x");
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text.replace("CANARY", &here)).unwrap();
    write("d.ttl", "<CANARY> <http://www.w3.org/2002/07/owl#imports> <CANARY> .");
    write("secret.ttl", "<e:secret> <e:p> 1 .");
    write("context.jsonld", r#"{"@context": "CANARY", "name": "x"}"#);
    write("contexts.jsonld", r#"{"@context": [{"a": "e:a"}, "CANARY"], "a": "x"}"#);
    write("import.jsonld", r#"{"@context": {"@version": 1.1, "@import": "CANARY"}, "e:a": "x"}"#);
    write("scoped.jsonld", r#"{"@context": {"a": {"@id": "e:a", "@context": "CANARY"}}, "a": {"b": "x"}}"#);
    write("dtd.rdf", "<!DOCTYPE r SYSTEM 'CANARY'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>");
    let entity = "<!DOCTYPE r [<!ENTITY a SYSTEM \"CANARY\">]><rdf:RDF \
                  xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:e='e:'>\
                  <rdf:Description e:p='&a;'/></rdf:RDF>";
    write("entity.rdf", entity);
    let file = format!("file://{}", folder.path().join("secret.ttl").display());
    let cases: &[(i32, &[&str])] = &[
        (6, &["query", "-d", "d.ttl", "SELECT * { SERVICE <CANARY> { ?s ?p ?o } }"]),
        (6, &["query", "-d", "d.ttl", "SELECT * { SERVICE SILENT <CANARY> { ?s ?p ?o } }"]),
        (6, &["query", "-d", "d.ttl", "SELECT * { ?x ?y ?z SERVICE ?x { ?s ?p ?o } }"]),
        (6, &["query", "-d", "d.ttl", "SELECT * { ?x ?y ?z SERVICE SILENT ?x { ?s ?p ?o } }"]),
        (6, &["query", "-d", "d.ttl", "ASK { FILTER EXISTS { { SELECT * { SERVICE <CANARY> {} } } } }"]),
        (6, &["update", "-d", "d.ttl", "--dry-run", "LOAD <CANARY>"]),
        (6, &["update", "-d", "d.ttl", "--dry-run", "LOAD SILENT <CANARY> INTO GRAPH <e:g>"]),
        (6, &["update", "-d", "d.ttl", "--dry-run", "INSERT { ?s ?p ?o } WHERE { SERVICE <CANARY> { ?s ?p ?o } }"]),
        (6, &["update", "-d", "d.ttl", "--dry-run", "LOAD <FILE>"]),
        (0, &["query", "-d", "d.ttl", "SELECT * FROM <CANARY> { ?s ?p ?o }"]),
        (0, &["query", "-d", "d.ttl", "SELECT * FROM NAMED <CANARY> { GRAPH ?g { ?s ?p ?o } }"]),
        (0, &["query", "-d", "d.ttl", "SELECT * FROM <FILE> { ?s ?p ?o }"]),
        (0, &["query", "-d", "d.ttl", "SELECT * { GRAPH <FILE> { ?s ?p ?o } }"]),
        (0, &["update", "-d", "d.ttl", "--dry-run", "INSERT { ?s ?p 1 } USING <FILE> WHERE { ?s ?p ?o }"]),
        (0, &["describe", "-d", "d.ttl", "<CANARY>"]),
        (0, &["export", "-d", "d.ttl", "--format", "jsonld"]),
        (6, &["load", "context.jsonld"]),
        (6, &["load", "contexts.jsonld"]),
        (6, &["load", "import.jsonld"]),
        (6, &["load", "scoped.jsonld"]),
        (0, &["load", "dtd.rdf"]),
        (3, &["load", "entity.rdf"]),
        (if cfg!(feature = "net") { 6 } else { 4 }, &["query", "-d", "CANARY.ttl", "ASK {}"]),
        (4, &["query", "-d", "FILE", "ASK {}"]),
    ];
    for (code, arguments) in cases {
        let arguments: Vec<String> =
            arguments.iter().map(|a| a.replace("CANARY", &here).replace("FILE", &file)).collect();
        let ran = program::run(folder.path(), &arguments);
        assert_eq!(ran.code, *code, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.text().contains("secret"), "{arguments:?}: {}", ran.text());
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "something was sent");
    // The listener works.
    listener.set_nonblocking(false).unwrap();
    let _stream = TcpStream::connect(address).unwrap();
    listener.accept().unwrap();
}
