//! The OpenAPI description is accurate: each canned query is in it, and answers at its address.

use super::shipped;
use crate::http::escaped;
use serde_json::Value;

#[test]
fn every_canned_query_is_described_with_its_parameters_and_every_reference_leads_somewhere() {
    let served = shipped();
    let described = served.get("/openapi.json", "*/*");
    let document = described.json();
    assert_eq!((described.status, &document["openapi"]), (200, &"3.1.0".into()));
    let paths = document["paths"].as_object().unwrap();
    let listed = served.get("/query", "*/*").json();
    let queries = listed["queries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|query| !query["name"].as_str().unwrap().starts_with("checks/"));
    let mut seen = 0;
    for query in queries {
        let path = query["address"].as_str().unwrap();
        let operation = &paths.get(path).unwrap_or_else(|| panic!("{path} is not described"))["get"];
        let named: Vec<&Value> =
            operation["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
        let form = &paths[path]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
        for parameter in query["parameters"].as_array().unwrap() {
            assert!(named.contains(&&parameter["name"]), "{path}");
            assert!(form["properties"][parameter["name"].as_str().unwrap()].is_object(), "{path}");
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen} queries");
    let ministry = &paths["/query/tasks-of-ministry"]["get"]["parameters"][0];
    assert_eq!(
        (&ministry["name"], &ministry["required"], &ministry["in"]),
        (&"ministry".into(), &false.into(), &"query".into())
    );
    let sent = &paths["/sparql"]["post"]["requestBody"]["content"];
    assert!(sent["application/sparql-query"].is_object(), "{sent}");
    assert_eq!(sent["application/x-www-form-urlencoded"]["schema"]["required"], serde_json::json!(["query"]));
    for limit in ["-1", "101", "many"] {
        assert_eq!(served.get(&format!("/find?text=a&limit={limit}"), "*/*").status, 400, "{limit}");
    }
    references(&document, &document);
}

#[test]
fn every_type_that_an_answer_has_is_described_and_what_an_answer_cannot_be_is_refused() {
    let served = shipped();
    let document = served.get("/openapi.json", "*/*").json();
    let query = |text: &str| format!("query={}", escaped(text));
    let (some, none) =
        (query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1"), query("SELECT ?s WHERE { ?s ?p 'no such text' }"));
    let formats = ["format=csv", "format=json", "format=bundle", "why=1"];
    let of_query = formats.map(|asked| ("/sparql", format!("{some}&{asked}")));
    let of_canned = formats.map(|asked| ("/query/timeline", asked.to_owned()));
    let nothing = [("/sparql", format!("{none}&why-not="))];
    for (path, asked) in of_query.into_iter().chain(of_canned).chain(nothing) {
        let described = &document["paths"][path]["get"]["responses"]["200"]["content"];
        let answer = served.get(&format!("{path}?{asked}"), "*/*");
        let media_type = answer.header("content-type").unwrap().split(';').next().unwrap();
        assert!(answer.status == 200 && described[media_type].is_object(), "{path} {asked}: {media_type}");
    }
    for path in ["/sparql?", &format!("/sparql?{some}&"), "/query/timeline?"] {
        for wrong in ["cite=2", "why=0"] {
            assert_eq!(served.get(&format!("{path}{wrong}"), "*/*").status, 400, "{path} {wrong}");
        }
    }
}

/// Checks that every `$ref` points to a place in the document.
fn references(at: &Value, document: &Value) {
    match at {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            fields.values().for_each(|field| references(field, document));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, document)),
        _ => {}
    }
}
