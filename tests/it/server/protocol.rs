//! The SPARQL Protocol: the ways to send a query, and the formats of the answer.

use super::{shipped, small};
use crate::http::escaped;
#[cfg(feature = "tables")]
use crate::program::run;

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
fn a_page_has_its_policy_and_features_need_a_geometry() {
    let (_folder, served) = small(&[]);
    let page = served.get(&format!("/sparql?format=html&query={}", escaped(KNOWS)), "*/*");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    assert_eq!(page.header("content-security-policy"), Some(policy));
    assert!(page.text().contains("<a href=\"http://e/ada\">"), "{}", page.text());
    let place = "SELECT ?name ?lat ?long { ?s <http://e/name> ?name BIND(39.9 AS ?lat) BIND(116.4 AS ?long) }";
    let features = served.query(place, "application/geo+json");
    assert_eq!((features.status, features.header("content-type")), (200, Some("application/geo+json")));
    assert_eq!(features.json()["features"][0]["geometry"]["coordinates"], serde_json::json!([116.4, 39.9]));
    let none = served.query(KNOWS, "application/geo+json");
    assert_eq!(none.status, 400, "{}", none.text());
    assert!(none.text().contains("a geometry"), "{}", none.text());
    let offered = |query: &str| served.get(&format!("/ask?query={}", escaped(query)), "text/html").text().to_owned();
    assert!(offered(place).contains("format=geojson") && !offered(KNOWS).contains("format=geojson"));
}

#[cfg(not(feature = "tables"))]
#[test]
fn a_server_of_a_build_without_columns_says_so() {
    let (_folder, served) = small(&[]);
    let refused = served.get(&format!("/sparql?format=parquet&query={}", escaped(KNOWS)), "*/*");
    assert_eq!(refused.status, 406);
    assert!(refused.text().contains("this build of kgq does not write parquet"), "{}", refused.text());
}

#[cfg(feature = "tables")]
#[test]
fn columns_are_the_bytes_that_the_command_writes() {
    let (folder, served) = small(&[]);
    let page = served.get(&format!("/ask?query={}", escaped(KNOWS)), "text/html");
    let described = served.get("/sparql", "text/turtle");
    let document = served.get("/openapi.json", "*/*").json();
    for name in ["arrow", "parquet", "xlsx"] {
        let file = folder.path().join(format!("a.{name}"));
        let ran = run(folder.path(), &["query", "-d", "people.ttl", "-o", &format!("a.{name}"), KNOWS]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let by_name = served.get(&format!("/sparql?format={name}&query={}", escaped(KNOWS)), "*/*");
        assert_eq!(by_name.body, std::fs::read(file).unwrap(), "{name}");
        let told = format!("attachment; filename=\"answer.{name}\"");
        assert_eq!(by_name.header("content-disposition"), Some(told.as_str()));
        let media_type = by_name.header("content-type").unwrap();
        assert_eq!(served.query(KNOWS, media_type).body, by_name.body, "{name}");
        assert!(page.text().contains(&format!("format={name}")), "{name} is no download of the page");
        assert!(described.text().contains(media_type), "{name} is not in the service's description");
        let answers = &document["paths"]["/sparql"]["get"]["responses"]["200"]["content"];
        assert!(answers[media_type].is_object(), "{name} is not in /openapi.json");
    }
    let stream = served.query(KNOWS, "application/vnd.apache.arrow.stream");
    assert_eq!(stream.header("content-type"), Some("application/vnd.apache.arrow.stream"));
    assert!(stream.body.starts_with(&[0xFF; 4]), "a stream of Arrow begins with a message");
    let cited = served.get(&format!("/sparql?cite=1&format=parquet&query={}", escaped(KNOWS)), "*/*");
    assert!(cited.status == 200 && cited.body.starts_with(b"PAR1"), "{}", cited.status);
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
    let served = shipped();
    let described = served.get("/sparql", "application/n-triples");
    let text = described.text();
    assert_eq!(described.status, 200);
    let endpoint =
        format!("<http://www.w3.org/ns/sparql-service-description#endpoint> <http://{}/sparql>", served.address);
    assert!(text.contains(&endpoint), "{text}");
    assert!(text.contains("<http://rdfs.org/ns/void#triples>"), "{text}");
    assert!(text.contains("<http://www.w3.org/ns/sparql-service-description#namedGraph>"), "{text}");
    assert!(served.get("/sparql", "*/*").text().contains("@prefix sd: "), "the vocabulary has its usual prefix");
    let wrong = served.get("/sparql?named-graph-uri=graph", "*/*");
    assert!(wrong.status == 400 && wrong.text().contains("`graph` is no absolute IRI"), "{}", wrong.text());
}

#[test]
fn an_update_and_a_request_to_another_server_are_refused() {
    let (_folder, served) = small(&[]);
    let update =
        served.request_with_body("POST", "/sparql", &[("Content-Type", "application/sparql-update")], b"CLEAR ALL");
    assert_eq!(update.status, 403);
    assert_eq!(served.query("SELECT * { SERVICE <http://e/> { ?s ?p ?o } }", "*/*").status, 403);
}
