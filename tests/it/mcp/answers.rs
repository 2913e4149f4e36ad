//! The results of tools: rows with labels and citations, reasons, corrected queries, handles, budgets.

use super::{Client, shipped, small, tokens};
use serde_json::{Value, json};

#[test]
fn things_are_found_by_name_in_any_language_and_by_near_names() {
    let (_folder, mut client) = small();
    for text in ["Lovelace", "阿达", "<http://e/ada>"] {
        let told = client.call("find", json!({ "text": text }));
        assert_eq!(told["found"][0]["label"], "Ada Lovelace", "{text}: {told}");
    }
    let near = client.call("find", json!({"text": "Lovelcae"}));
    assert_eq!((&near["near"], &near["found"][0]["label"]), (&json!(true), &json!("Ada Lovelace")));
    let none = client.call("find", json!({"text": "nobody of this name"}));
    assert_eq!(none["found"], json!([]));
    assert!(none["note"].is_string());
    let members = client.call("find", json!({"text": "Bob", "kind": "e:Person"}));
    assert_eq!(members["found"][0]["classes"][0]["id"], "e:Person", "{members}");
}

#[test]
fn rows_have_values_with_labels_and_an_asked_language() {
    let (_folder, mut client) = small();
    let query = "SELECT ?who ?age { ?who e:age ?age }";
    let told = client.call("query", json!({ "query": query }));
    let values = &told["rows"][0]["values"];
    assert_eq!(values["who"], json!({"id": "e:ada", "label": "Ada Lovelace"}));
    assert_eq!(values["age"], json!({"value": "36", "type": "xsd:integer"}));
    let told = client.call("query", json!({"query": query, "lang": "zh"}));
    assert_eq!(told["rows"][0]["values"]["who"]["label"], "阿达");
    assert_eq!(client.call("query", json!({"query": "ASK { e:ada e:knows e:bob }"}))["truth"], true);
    let told = client.call("query", json!({"query": "CONSTRUCT WHERE { ?a e:age ?b }"}));
    assert_eq!(told["columns"], json!(["subject", "predicate", "object"]));
}

#[test]
fn the_next_rows_are_given_for_the_handle_and_not_to_another_query() {
    let (_folder, mut client) = small();
    let query = "SELECT ?a ?b { ?a e:knows ?b } ORDER BY ?a ?b";
    let whole = client.call("query", json!({ "query": query }));
    assert!(whole.get("more").is_none());
    let mut rows: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let told = client.call("query", json!({"query": query, "rows": 1, "after": after}));
        rows.extend(told["rows"].as_array().unwrap().clone());
        match told.get("more") {
            Some(more) => after = more["after"].clone(),
            None => break,
        }
    }
    assert_eq!(json!(rows), whole["rows"]);
    let other = client.error("query", json!({"query": "SELECT * { ?s ?p ?o }", "after": after}));
    assert!(other["message"].as_str().unwrap().contains("no handle"), "{other}");
}

#[test]
fn a_mistake_has_a_place_a_hint_and_a_text_that_works() {
    let (_folder, mut client) = small();
    let error = client.error("query", json!({"query": "SELECT *\n{ ?s foa:name ?o }"}));
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(6)), "{error}");
    let mended = error["mended"].as_str().unwrap_or_else(|| panic!("{error}")).to_owned();
    client.call("query", json!({ "query": mended }));
    let error = client.error("query", json!({"query": "SELECT * { ?s ?p"}));
    assert!(error.get("mended").is_none() && error["line"] == 1, "{error}");
    let update = client.error("query", json!({"query": "DELETE WHERE { ?s ?p ?o }"}));
    assert!(update["message"].is_string());
}

#[test]
fn an_empty_answer_says_why_and_offers_a_text_that_gives_rows() {
    let (_folder, mut client) = small();
    let told = client.call("query", json!({"query": "SELECT * { ?s e:konws ?o }"}));
    assert_eq!(told["rows"], json!([]));
    assert!(!told["reasons"].as_array().unwrap().is_empty(), "{told}");
    let mended = told["mended"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let told = client.call("query", json!({ "query": mended }));
    assert_eq!(told["rows"].as_array().unwrap().len(), 3);
}

#[test]
fn an_answer_keeps_to_its_budget_and_says_what_is_left_out() {
    let mut client = shipped();
    for (tool, arguments, limit) in [
        ("about", json!({}), 600),
        ("schema", json!({}), 2_200),
        ("describe", json!({"thing": "source:article"}), 3_600),
        ("query", json!({"query": "SELECT * { ?s ?p ?o }"}), 3_600),
    ] {
        let told = client.call(tool, arguments);
        assert!(tokens(&told) <= limit, "{tool}: {} tokens: {told}", tokens(&told));
    }
    let told = client.call("query", json!({"query": "SELECT * { ?s ?p ?o }"}));
    assert!(told["more"]["after"].is_string() && told["more"]["why"].is_string());
}

#[test]
fn files_that_change_are_read_again_and_broken_ones_leave_the_graph() {
    let (folder, mut client) = small();
    let file = folder.path().join("people.ttl");
    let count = |client: &mut Client| client.call("about", json!({}))["statements"].clone();
    let before = count(&mut client);
    std::fs::write(&file, "@prefix e: <http://e/> . e:ada e:knows e:bob .").unwrap();
    assert_eq!(count(&mut client), 1);
    assert_ne!(before, 1);
    std::fs::write(&file, "@prefix e: <http://e/> . e:ada e:knows broken").unwrap();
    let told = client.call("about", json!({}));
    assert_eq!(told["statements"], 1);
    assert!(told["stale"].is_string(), "{told}");
}

#[test]
fn why_tells_the_statements_of_a_row_with_their_places_and_sentences() {
    let (_folder, mut client) = small();
    let query = "SELECT ?b { e:ada e:knows ?a . ?a e:knows ?b }";
    let told = client.call("why", json!({ "query": query }));
    assert_eq!(told["row"]["b"]["id"], "e:cid", "{told}");
    let statements = told["statements"].as_array().unwrap();
    assert_eq!((statements.len(), &told["minimal"]), (2, &true.into()), "{told}");
    assert_eq!(statements[0]["at"], "people.ttl:2", "{told}");
    assert!(client.error("why", json!({ "query": query, "row": 2 }))["message"].as_str().unwrap().contains("no row 2"));
    assert!(client.error("why", json!({ "row": 1 }))["message"].as_str().unwrap().contains("`query`"));

    let mut client = shipped();
    let told = client.call("why", json!({ "name": "fdi-2024" }));
    let cited = told["statements"].as_array().unwrap().iter().any(|statement| statement["cites"].is_array());
    assert!(cited && told["citations"][0]["place"].as_str().unwrap().starts_with("sentence 41"), "{told}");
    let asked = json!({ "name": "tasks-of-ministry", "parameters": {"ministry": "body:miit"}, "row": 2 });
    assert!(!client.call("why", asked)["statements"].as_array().unwrap().is_empty());
}

#[test]
fn why_not_tells_what_keeps_a_row_out_and_what_is_not_stated() {
    let (_folder, mut client) = small();
    let query = "SELECT ?b { e:ada e:knows ?a . ?a e:knows ?b }";
    let told = client.call("why_not", json!({ "query": query, "expect": {"b": "e:ada"} }));
    assert_eq!(told["reason"]["kind"], "removed", "{told}");
    let near = told["statements"].as_array().unwrap();
    assert!(
        !near.is_empty() && near.iter().all(|statement| statement["at"].as_str().unwrap().starts_with("people.ttl:")),
        "{told}"
    );
    assert_eq!(client.call("why_not", json!({ "query": query, "expect": {"b": "e:cid"} }))["reason"]["row"], 1);
    for (asked, why) in [
        (json!({ "query": query, "expect": {"nobody": "e:ada"} }), "no column"),
        (json!({ "query": query }), "has rows"),
        (json!({ "query": query, "expect": ["b"] }), "an object"),
    ] {
        assert!(client.error("why_not", asked.clone())["message"].as_str().unwrap().contains(why), "{asked}");
    }

    let mut client = shipped();
    let told = client.call("why_not", json!({ "name": "enterprises-approved", "expect": {"enterprise": "Huawei"} }));
    assert!(told["not_stated"].to_string().contains("names of the 13 enterprises"), "{told}");
}

#[test]
fn no_hint_names_a_command_line() {
    let mut client = shipped();
    for (tool, arguments) in [
        ("run", json!({"name": "author-of-article"})),
        ("run", json!({"name": "nothing-like-this"})),
        ("query", json!({"query": "INSERT DATA { <http://e/a> <http://e/b> 1 }"})),
        ("query", json!({"query": "SELECT * { SERVICE <http://e/> { ?s ?p ?o } }"})),
        ("find", json!({"text": "zzzzzz"})),
        ("describe", json!({"thing": "zzzzzz"})),
    ] {
        let told = client.result(tool, arguments.clone()).to_string();
        for own in ["`kgq ", "kgq.toml", "`--"] {
            assert!(!told.contains(own), "{tool} {arguments}: {told}");
        }
    }
}
