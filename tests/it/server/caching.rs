//! ETags of answers: the same for the same answer, and different for any other.

use super::small;
use crate::http::escaped;

const NAMES: &str = "SELECT ?o { ?s <http://e/name> ?o }";

#[test]
fn an_answer_that_the_client_has_is_not_sent_again() {
    let (_folder, served) = small(&[]);
    let path = format!("/sparql?query={}", escaped(NAMES));
    let first = served.get(&path, "text/csv");
    let tag = first.header("etag").unwrap();
    assert_eq!(first.header("vary"), Some("Accept, Accept-Encoding, Accept-Language"));
    for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".into()] {
        let again = served.request("GET", &path, &[("Accept", "text/csv"), ("If-None-Match", &known)]);
        assert_eq!((again.status, again.header("etag"), again.body.len()), (304, Some(tag), 0), "{known}");
    }
    let other = served.request("GET", &path, &[("Accept", "text/csv"), ("If-None-Match", "\"other\"")]);
    assert_eq!((other.status, other.body), (200, first.body.clone()));
}

#[test]
fn a_tag_differs_with_all_that_the_answer_depends_on() {
    let (_folder, served) = small(&[]);
    let path = format!("/sparql?query={}", escaped(NAMES));
    let tag =
        |path: &str, headers: &[(&str, &str)]| served.request("GET", path, headers).header("etag").unwrap().to_owned();
    let mut tags = vec![
        tag(&path, &[]),
        tag(&path, &[("Accept", "text/csv")]),
        tag(&path, &[("Accept", "text/csv"), ("Accept-Encoding", "gzip")]),
        tag(&path, &[("Accept", "text/csv"), ("Accept-Encoding", "zstd")]),
        tag(&format!("{path}&default-graph-uri=http%3A%2F%2Fe%2Fg"), &[]),
        tag(&format!("{path}&named-graph-uri=http%3A%2F%2Fe%2Fg"), &[]),
        tag(&format!("/sparql?query={}", escaped("SELECT ?s { ?s <http://e/name> ?o }")), &[]),
        tag("/sparql", &[]),
    ];
    let all = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), all);
    assert_eq!(tag(&path, &[]), tag(&format!("/sparql?format=json&query={}", escaped(NAMES)), &[]));
}

#[test]
fn what_differs_each_time_has_no_tag_and_is_not_kept() {
    let (_folder, served) = small(&[]);
    for function in [
        "NOW()",
        "RAND()",
        "UUID()",
        "STRUUID()",
        "BNODE()",
        "<http://www.w3.org/2005/xpath-functions#current-dateTime>()",
    ] {
        let answer =
            served.query(&format!("SELECT ?x {{ ?s ?p ?o FILTER EXISTS {{ BIND({function} AS ?x) }} }}"), "text/csv");
        assert_eq!(
            (answer.status, answer.header("etag"), answer.header("cache-control")),
            (200, None, Some("no-store")),
            "{function}"
        );
    }
}

#[test]
fn how_long_an_answer_is_current_is_a_setting() {
    let (_folder, served) = small(&["--max-age", "60"]);
    assert_eq!(served.query(NAMES, "*/*").header("cache-control"), Some("public, max-age=60"));
}
