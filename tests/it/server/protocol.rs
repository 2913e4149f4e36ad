//! The SPARQL Protocol: how a query comes, and in which form the answer goes.

use super::{shipped, small};
use crate::http::escaped;

const KNOWS: &str = "SELECT ?who ?whom { ?who <http://e/knows> ?whom } ORDER BY ?who ?whom";

#[test]
fn a_query_is_taken_by_get_by_form_and_as_it_is() {
    let (_folder, served) = small(&[]);
    let by_get = served.query(KNOWS, "text/csv");
    assert_eq!((by_get.status, by_get.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert_eq!(
        by_get.text(),
        "who,whom\r\nhttp://e/ada,http://e/bob\r\nhttp://e/ada,http://e/cid\r\nhttp://e/bob,http://e/cid\r\n"
    );

    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = format!("query={}&format=csv", escaped(KNOWS));
    assert_eq!(served.request_with_body("POST", "/sparql", &[form], body.as_bytes()).text(), by_get.text());

    let direct = ("Content-Type", "application/sparql-query; charset=UTF-8");
    let headers = [direct, ("Accept", "text/csv")];
    assert_eq!(served.request_with_body("POST", "/sparql/", &headers, KNOWS.as_bytes()).text(), by_get.text());
}

#[test]
fn every_format_is_given_by_accept_and_by_name() {
    let (_folder, served) = small(&[]);
    let graph = "CONSTRUCT WHERE { ?s <http://e/name> ?o }";
    let cases = [
        (KNOWS, "json", "application/sparql-results+json"),
        (KNOWS, "xml", "application/sparql-results+xml"),
        (KNOWS, "csv", "text/csv"),
        (KNOWS, "tsv", "text/tab-separated-values"),
        (KNOWS, "ndjson", "application/x-ndjson"),
        (KNOWS, "markdown", "text/markdown"),
        (KNOWS, "table", "text/plain"),
        (graph, "turtle", "text/turtle"),
        (graph, "ntriples", "application/n-triples"),
        (graph, "jsonld", "application/ld+json"),
        (graph, "rdfxml", "application/rdf+xml"),
        (graph, "trig", "application/trig"),
        (graph, "nquads", "application/n-quads"),
    ];
    for (query, name, media_type) in cases {
        let by_type = served.query(query, media_type);
        let by_name = served.get(&format!("/sparql?format={name}&query={}", escaped(query)), "*/*");
        assert_eq!((by_type.status, by_name.status), (200, 200), "{name}: {}", by_type.text());
        let plain = by_type.header("content-type").unwrap().trim_end_matches("; charset=utf-8");
        assert_eq!(plain, media_type);
        assert_eq!(by_type.text(), by_name.text());
        assert!(by_type.text().contains("ada"), "{name}");
    }
    assert_eq!(served.query(KNOWS, "*/*").header("content-type"), Some("application/sparql-results+json"));
    assert_eq!(served.query(graph, "*/*").header("content-type"), Some("text/turtle; charset=utf-8"));
}

#[test]
fn what_is_not_acceptable_is_refused_with_the_list_of_what_is() {
    let (_folder, served) = small(&[]);
    let refused = served.query(KNOWS, "image/png");
    assert_eq!((refused.status, refused.header("content-type")), (406, Some("application/problem+json")));
    assert_eq!(refused.json()["accepted"][0], "application/sparql-results+json");
    assert_eq!(served.get(&format!("/sparql?format=turtle&query={}", escaped(KNOWS)), "*/*").status, 406);
}

#[test]
fn an_error_says_its_place_and_what_to_do() {
    let (_folder, served) = small(&[]);
    let refused = served.query("SELECT *\n{ ?s foa:name ?o }", "*/*");
    let problem = refused.json();
    assert_eq!((refused.status, refused.header("content-type")), (400, Some("application/problem+json")));
    assert_eq!((&problem["line"], &problem["column"], &problem["status"]), (&2.into(), &6.into(), &400.into()));
    assert!(problem["detail"].as_str().unwrap().contains("foa"), "{problem}");
    assert!(problem["hints"][0].as_str().unwrap().contains("foaf"), "{problem}");
}

#[test]
fn a_dataset_of_the_request_wins_over_that_of_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let data = "<http://e/a> <http://e/p> 1 .\nGRAPH <http://e/g> { <http://e/b> <http://e/p> 2 }\nGRAPH <http://e/h> { <http://e/c> <http://e/p> 3 }";
    std::fs::write(folder.path().join("a.trig"), data).unwrap();
    let served = crate::http::Served::start(folder.path(), &["-d", "a.trig"]);
    let asked = |query: &str, graphs: &str| {
        served.get(&format!("/sparql?query={}{graphs}", escaped(query)), "text/csv").text().replace("\r\n", " ")
    };
    let query = "SELECT ?s FROM <http://e/h> { ?s <http://e/p> ?o }";
    assert_eq!(asked(query, ""), "s http://e/c ");
    assert_eq!(asked(query, "&default-graph-uri=http%3A%2F%2Fe%2Fg"), "s http://e/b ");
    assert_eq!(
        asked(query, "&default-graph-uri=http%3A%2F%2Fe%2Fg&default-graph-uri=http%3A%2F%2Fe%2Fh")
            .matches("http")
            .count(),
        2
    );
    assert_eq!(asked("SELECT ?g { GRAPH ?g { ?s ?p ?o } }", "&named-graph-uri=http%3A%2F%2Fe%2Fh"), "g http://e/h ");
    assert_eq!(served.get(&format!("/sparql?query={}&default-graph-uri=no%20iri", escaped(query)), "*/*").status, 400);
}

#[test]
fn a_head_has_the_headers_alone_and_options_names_the_methods() {
    let (_folder, served) = small(&[]);
    let path = format!("/sparql?query={}", escaped(KNOWS));
    let (head, get) = (served.request("HEAD", &path, &[]), served.request("GET", &path, &[]));
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-type", "content-length", "etag", "vary"] {
        assert!(get.header(name).is_some() && head.header(name) == get.header(name), "{name}");
    }
    let options = served.request("OPTIONS", "/sparql", &[]);
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, POST, OPTIONS")));
    let other = served.request("DELETE", "/sparql", &[]);
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD, POST, OPTIONS")));
}

#[test]
fn without_a_query_the_service_describes_itself() {
    let served = shipped(&[]);
    let described = served.get("/sparql", "application/n-triples");
    let text = described.text();
    assert_eq!(described.status, 200);
    let endpoint =
        format!("<http://www.w3.org/ns/sparql-service-description#endpoint> <http://{}/sparql>", served.address);
    assert!(text.contains(&endpoint), "{text}");
    assert!(text.contains("<http://rdfs.org/ns/void#triples>"), "{text}");
    assert!(text.contains("<http://www.w3.org/ns/sparql-service-description#namedGraph>"), "{text}");
    assert!(served.get("/sparql", "*/*").text().contains("@prefix sd: "), "the vocabulary has its usual prefix");
}

#[test]
fn an_update_and_a_request_to_another_server_are_refused() {
    let (_folder, served) = small(&[]);
    let update =
        served.request_with_body("POST", "/sparql", &[("Content-Type", "application/sparql-update")], b"CLEAR ALL");
    assert_eq!(update.status, 403);
    assert_eq!(served.query("SELECT * { SERVICE <http://e/> { ?s ?p ?o } }", "*/*").status, 403);
}
