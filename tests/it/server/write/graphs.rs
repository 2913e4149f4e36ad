//! Whole graphs are changed, by name and at their own addresses.

use super::{ADA, GRAPHS, PEOPLE, TURTLE, UPDATE, count, file, writable};

const G: &str = "/graphs?graph=http%3A%2F%2Fe%2Fg";

#[test]
fn a_graph_of_a_file_is_replaced_and_the_others_keep_their_text() {
    let (folder, served) = writable(&[]);
    let put = served.request_with_body("PUT", G, &[TURTLE, ADA], b"@prefix e: <http://e/> . e:ada e:age 37 .");
    assert_eq!((put.status, put.body.len()), (204, 0), "{}", put.text());
    assert_eq!(file(&folder, "data/graphs.trig"), GRAPHS.replace("36", "37"));
    assert_eq!(
        served.get(G, "application/n-triples").text().trim(),
        "<http://e/ada> <http://e/age> \"37\"^^<http://www.w3.org/2001/XMLSchema#integer> ."
    );
    let deleted = served.request("DELETE", G, &[ADA]);
    assert_eq!((deleted.status, served.get(G, "*/*").status), (204, 404));
    assert!(
        file(&folder, "data/graphs.trig").contains("# The second.\ne:h {"),
        "{}",
        file(&folder, "data/graphs.trig")
    );
    assert_eq!(served.request("DELETE", G, &[ADA]).status, 404);
}

#[test]
fn a_new_graph_is_made_by_name_at_its_address_and_without_a_name() {
    let (folder, served) = writable(&[]);
    let body = b"<> <http://e/says> [ <http://e/p> 1 ] .";
    let made = served.request_with_body("PUT", "/new/graph", &[TURTLE, ADA], body);
    assert_eq!((made.status, made.header("location")), (201, Some("http://e/new/graph")));
    let read = served.get("/new/graph", "application/n-triples");
    assert!(read.text().contains("<http://e/new/graph> <http://e/says> _:"), "{}", read.text());
    assert!(file(&folder, "data/graphs.trig").contains("new/graph"));
    // Sending the same graph again changes nothing, whatever its blank nodes are called.
    let before = file(&folder, "data/graphs.trig");
    let again =
        served.request_with_body("PUT", "/new/graph", &[TURTLE, ADA], b"<> <http://e/says> _:x . _:x <http://e/p> 1 .");
    assert_eq!((again.status, file(&folder, "data/graphs.trig") == before), (204, true));

    let named = served.request_with_body("POST", "/graphs", &[TURTLE, ADA], body);
    let address = named.header("location").unwrap_or_default().to_owned();
    assert!(named.status == 201 && address.starts_with("http://e/graphs/"), "{address}");
    let path = address.strip_prefix("http://e").unwrap();
    assert!(served.get(path, "text/turtle").text().contains("says"), "{path}");
    let other = served.request_with_body("POST", "/graphs", &[TURTLE, ADA], body);
    assert_ne!(other.header("location"), Some(address.as_str()));
}

#[test]
fn the_default_graph_is_added_to_and_replaced_line_by_line() {
    let (folder, served) = writable(&[]);
    let added =
        served.request_with_body("POST", "/graphs?default", &[TURTLE, ADA], b"<http://e/ada> <http://e/age> 36 .");
    assert_eq!(added.status, 204);
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE.replace("    e:knows", "    e:age 36 ;\n    e:knows"));
    let all = served.get("/graphs?default", "application/n-triples").text().to_owned();
    let without: String = all.lines().filter(|line| !line.contains("/age>")).map(|line| format!("{line}\n")).collect();
    let types = [("Content-Type", "application/n-triples"), ADA];
    assert_eq!(served.request_with_body("PUT", "/graphs?default", &types, without.as_bytes()).status, 204);
    assert_eq!(file(&folder, "data/people.ttl"), PEOPLE);
    assert_eq!(file(&folder, "data/graphs.trig"), GRAPHS);
}

#[test]
fn a_patch_sees_its_graph_alone_and_writes_to_no_other() {
    let (folder, served) = writable(&[]);
    let text = b"DELETE { ?s e:age ?age } INSERT { ?s e:age ?older } WHERE { ?s e:age ?age BIND(?age + 1 AS ?older) }";
    assert_eq!(served.request_with_body("PATCH", G, &[UPDATE, ADA], text).status, 204);
    assert_eq!(file(&folder, "data/graphs.trig"), GRAPHS.replace("36", "37"));
    let elsewhere = served.request_with_body("PATCH", G, &[UPDATE, ADA], b"INSERT DATA { GRAPH e:h { e:a e:b e:c } }");
    assert_eq!((elsewhere.status, file(&folder, "data/graphs.trig")), (422, GRAPHS.replace("36", "37")));
    let other = served.request_with_body("PATCH", G, &[TURTLE, ADA], b"");
    assert_eq!((other.status, other.header("accept-patch")), (415, Some("application/sparql-update")));
    assert_eq!(served.request_with_body("PATCH", "/no/graph", &[UPDATE, ADA], text).status, 404);
}

#[test]
fn a_form_of_several_files_is_one_change() {
    let (_folder, served) = writable(&[]);
    let body = "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.ttl\"\r\n\r\n<http://e/x> <http://e/p> _:b .\r\n--x\r\n\
                Content-Disposition: form-data; name=\"b\"; filename=\"b\"\r\nContent-Type: application/n-triples\r\n\r\n<http://e/x> <http://e/p> _:b .\r\n--x--\r\n";
    let form = [("Content-Type", "multipart/form-data; boundary=x"), ADA];
    let added = served.request_with_body("POST", G, &form, body.as_bytes());
    assert_eq!(added.status, 204, "{}", added.text());
    assert_eq!(count(&served, "GRAPH e:g { e:x e:p ?node }"), "2");
    let broken = served.request_with_body("POST", G, &form, &body.as_bytes()[..60]);
    assert_eq!(broken.status, 400, "{}", broken.text());
}

#[test]
fn conditions_are_on_the_version_and_on_what_is_there() {
    let (_folder, served) = writable(&[]);
    let text = b"<http://e/a> <http://e/p> 1 .".as_slice();
    let tag = served.get(G, "*/*").header("etag").unwrap().to_owned();
    let other = served.query("ASK { ?s ?p ?o }", "*/*").header("etag").unwrap().to_owned();
    let put = |path: &str, header: &str, value: &str| {
        served.request_with_body("PUT", path, &[TURTLE, ADA, (header, value)], text).status
    };
    assert_eq!(put("/graphs?graph=http%3A%2F%2Fe%2Fnew", "If-None-Match", "*"), 201);
    assert_eq!(put("/graphs?graph=http%3A%2F%2Fe%2Fnew", "If-None-Match", "*"), 412);
    // The graph has another version now, so both earlier ETags are outdated.
    assert_eq!((put(G, "If-Match", &tag), put(G, "If-Match", &other)), (412, 412));
    let tag = served.query("ASK { ?s ?p ?o }", "*/*").header("etag").unwrap().to_owned();
    assert_eq!(put(G, "If-Match", &tag), 204);
    assert_eq!((put("/graphs?graph=http%3A%2F%2Fe%2Fother", "If-Match", "*"), put(G, "If-Match", "*")), (412, 204));
}

#[test]
fn a_body_that_does_not_say_its_type_is_read_as_what_it_shows_or_refused() {
    let (folder, served) = writable(&[]);
    let put = |body: &str| served.request_with_body("PUT", "/graphs?graph=http%3A%2F%2Fe%2Fh", &[ADA], body.as_bytes());
    for body in [
        "@prefix e: <http://e/> . e:bob e:age 41 .",
        "<http://e/bob> <http://e/age> \"41\"^^<http://www.w3.org/2001/XMLSchema#integer> .",
        "<?xml version=\"1.0\"?><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"http://e/\"><rdf:Description rdf:about=\"http://e/bob\"><e:age rdf:datatype=\"http://www.w3.org/2001/XMLSchema#integer\">41</e:age></rdf:Description></rdf:RDF>",
        "{\"@id\": \"http://e/bob\", \"http://e/age\": 41}",
    ] {
        let answer = put(body);
        assert_eq!(answer.status, 204, "{body}: {}", answer.text());
        assert!(file(&folder, "data/graphs.trig").contains("e:age 41 ;"), "{body}");
        assert_eq!(put("@prefix e: <http://e/> . e:bob e:age 40 .").status, 204);
    }
    let before = file(&folder, "data/graphs.trig");
    for body in ["bob is 41", "<!doctype html><p>41", "SELECT * { ?s ?p ?o }"] {
        let answer = put(body);
        assert!(answer.status == 415 && answer.text().contains("does not show it"), "{body}: {}", answer.text());
    }
    assert_eq!(file(&folder, "data/graphs.trig"), before);
}
