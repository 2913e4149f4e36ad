//! Writing through the server: updates and graphs, in the project's own files, for clients with a token that allows it.

mod commits;
mod forms;
mod graphs;
mod made;
mod many;
mod origins;
mod refused;

use crate::http::{Response, Served};
use sha2::{Digest, Sha256};
use std::path::Path;

const MANIFEST: &str = "name = \"people\"\ntitle = \"People\"\nbase = \"http://e/\"\ndata = [\"data/*\"]\n\
                        [edit]\nfile = \"data/new.ttl\"\n[prefixes]\ne = \"http://e/\"\n";
const PEOPLE: &str = "# People, by hand.\n\n@prefix e: <http://e/> .\n\ne:ada\n    a e:Person ;\n    e:knows e:bob ; # since 1833\n    e:name \"Ada\" ;\n.\n";
const GRAPHS: &str = "@prefix e: <http://e/> .\n\n# The first.\ne:g {\n    e:ada\n        e:age 36 ;\n    .\n}\n\n# The second.\ne:h {\n    e:bob\n        e:age 40 ;\n    .\n}\n";

pub const UPDATE: (&str, &str) = ("Content-Type", "application/sparql-update");
pub const TURTLE: (&str, &str) = ("Content-Type", "text/turtle");
pub const ADA: (&str, &str) = ("Authorization", "Bearer of-ada");

fn line(name: &str, scope: &str, token: &str) -> String {
    let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name} {scope} {hash}\n")
}

/// A folder with a project, and the token file beside it.
pub fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("tokens", &(line("ada", "write", "of-ada") + &line("bob@e.example", "write", "of-bob")));
    write("readers", &(line("ada", "write", "of-ada") + &line("cid", "read", "of-cid")));
    write("p/kgq.toml", MANIFEST);
    write("p/data/people.ttl", PEOPLE);
    write("p/data/graphs.trig", GRAPHS);
    folder
}

pub fn served(folder: &Path, arguments: &[&str]) -> Served {
    Served::start(&folder.join("p"), &[&["--writable", "--tokens", "../tokens"], arguments].concat())
}

pub fn writable(arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = project();
    let served = served(folder.path(), arguments);
    (folder, served)
}

pub fn file(folder: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join("p").join(name)).unwrap()
}

pub fn update(served: &Served, text: &str, headers: &[(&str, &str)]) -> Response {
    served.request_with_body("POST", "/sparql", &[&[UPDATE, ADA], headers].concat(), text.as_bytes())
}

pub fn count(served: &Served, pattern: &str) -> String {
    let answer = served.query(&format!("SELECT (COUNT(*) AS ?n) {{ {pattern} }}"), "text/csv");
    answer.text().trim().rsplit('\n').next().unwrap_or_default().to_owned()
}

#[test]
fn an_update_changes_the_line_of_its_file_and_the_next_read_sees_it() {
    let (folder, served) = writable(&[]);
    let changed = update(
        &served,
        "DELETE DATA { <http://e/ada> <http://e/name> \"Ada\" } ; INSERT DATA { <http://e/ada> <http://e/name> \"Ada Lovelace\" }",
        &[],
    );
    let report = changed.json();
    assert_eq!((changed.status, &report["added"], &report["removed"]), (200, &1.into(), &1.into()), "{report}");
    assert_eq!(report["files"], serde_json::json!(["data/people.ttl"]));
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE.replace("\"Ada\"", "\"Ada Lovelace\""));
    assert_eq!(count(&served, "?s <http://e/name> \"Ada Lovelace\""), "1");
    // As a form, with the project's prefix.
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ADA];
    let body = b"update=DELETE+DATA+%7B+e%3Aada+e%3Aknows+e%3Abob+%7D";
    assert_eq!(served.request_with_body("POST", "/sparql", &form, body).status, 200);
    assert!(file(&folder, "data/people.ttl").contains("    # since 1833\n"), "the comment stays");
    assert_eq!(count(&served, "?s <http://e/knows> ?o"), "0");
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let (folder, served) = writable(&[]);
    let before = std::fs::metadata(folder.path().join("p/data/people.ttl")).unwrap().modified().unwrap();
    let report = update(&served, "INSERT DATA { e:ada e:name \"Ada\" }", &[]).json();
    assert_eq!((&report["added"], report["files"].as_array().unwrap().len()), (&0.into(), 0), "{report}");
    assert_eq!(std::fs::metadata(folder.path().join("p/data/people.ttl")).unwrap().modified().unwrap(), before);
}

#[test]
fn an_update_looks_into_the_graphs_that_the_request_names() {
    let (folder, served) = writable(&[]);
    let path = "/sparql?using-graph-uri=http%3A%2F%2Fe%2Fh";
    let text = "INSERT { ?s a e:Old } WHERE { ?s e:age ?age }";
    let changed = served.request_with_body("POST", path, &[UPDATE, ADA], text.as_bytes());
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!((count(&served, "?s a e:Old"), count(&served, "e:bob a e:Old")), ("1".into(), "1".into()));
    assert!(file(&folder, "data/new.ttl").contains("e:bob"));
    let twice = served.request_with_body(
        "POST",
        path,
        &[UPDATE, ADA],
        format!("{text} ; WITH e:g DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}").as_bytes(),
    );
    assert_eq!((twice.status, &twice.json()["line"]), (400, &1.into()));
}

#[test]
fn the_service_and_the_methods_say_that_it_writes() {
    let (_folder, served) = writable(&[]);
    assert!(served.get("/sparql", "text/turtle").text().contains("SPARQL11Update"));
    let methods = served.request("OPTIONS", "/graphs", &[]);
    assert_eq!(methods.header("allow"), Some("GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS"));
    let (_folder, open) = writable(&["--cors", "https://app.example"]);
    let asks = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "PUT")];
    let preflight = open.request("OPTIONS", "/graphs", &asks);
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("PUT"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("if-match"));
    let document = served.get("/openapi.json", "*/*").json();
    assert!(document["paths"]["/sparql"]["post"]["requestBody"]["content"]["application/sparql-update"].is_object());
    for method in ["put", "post", "patch", "delete"] {
        let operation = &document["paths"]["/graphs"][method];
        let message = operation["parameters"].as_array().unwrap().iter().find(|found| found["name"] == "message");
        assert_eq!(message.unwrap()["in"], "query", "{method}");
        assert!(operation["responses"]["200"].is_object() && operation["responses"]["204"].is_object(), "{method}");
    }
}
