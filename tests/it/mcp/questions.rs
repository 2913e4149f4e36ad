//! Questions that must be answerable through the tools alone, each with the sentence that answers it.

use super::{Client, shipped, tokens};
use serde_json::{Value, json};

/// A tool, its arguments, and a text in its result.
type Question = (&'static str, Value, &'static str);

fn ask(client: &mut Client, (tool, arguments, expected): &Question) -> Value {
    let told = client.call(tool, arguments.clone());
    assert!(told.to_string().contains(expected), "{tool} {arguments}: {told}");
    told
}

/// The arguments to run a canned query with a few rows.
fn run(name: &str) -> Value {
    json!({ "name": name, "rows": 3 })
}

#[test]
fn twenty_questions_are_answered_with_their_sentences_within_20_000_tokens() {
    let mut client = shipped();
    let ministry = json!({ "name": "tasks-of-ministry", "parameters": {"ministry": "body:miit"}, "rows": 3 });
    let questions: Vec<Question> = vec![
        ("run", run("fdi-2024"), "293.2"),
        ("run", json!({ "name": "press-conference-speakers" }), "person:jiao-yahui"),
        ("run", json!({ "name": "chain-of-command" }), "医政司"),
        ("run", run("date-of-event"), "2025-04-21"),
        ("run", run("approved-and-held"), "2015"),
        ("run", json!({ "name": "pilot-size", "rows": 2 }), "11"),
        ("run", run("games-stages"), "Distribution"),
        ("run", run("finance-summary"), "green finance"),
        ("run", run("not-dated"), "Not long ago"),
        ("run", run("regions-by-kind"), "Hefei"),
        ("run", run("officials-and-posts"), "Ling Ji"),
        ("run", run("measures-by-status"), "Tianjin"),
        ("run", run("next-steps"), "technology finance"),
        ("run", run("green-finance-services"), "ESG funds"),
        ("run", run("chinese-names"), "焦雅辉"),
        ("run", run("claims-with-figures"), "155"),
        ("run", ministry, "task"),
        ("query", json!({"query": "SELECT ?post { person:zhu-bing org:holds ?post }"}), "Director General"),
        ("query", json!({"query": "SELECT ?n { figure:fdi-2024 qudt:numericValue ?n }"}), "293.2"),
        ("query", json!({"query": "SELECT ?day { doc:work-plan dcterms:issued ?day }"}), "2025-04-11"),
    ];
    assert_eq!(questions.len(), 20);
    let mut spent = 0;
    for question in &questions {
        let told = ask(&mut client, question);
        spent += tokens(&told);
        let cited = told["rows"].as_array().unwrap().iter().any(|row| row["cites"].is_array());
        assert!(cited, "{told}");
        assert!(told["citations"][0]["place"].is_string(), "{told}");
    }
    assert!(spent <= 20_000, "{spent} tokens");
}

/// A graph unlike ours: another vocabulary, several languages, no citations.
const PLANETS: &str = r#"@prefix s: <https://sky.example/terms#> . @prefix b: <https://sky.example/body/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
s:Planet a rdfs:Class ; rdfs:label "planet"@en , "planète"@fr , "行星"@zh .
s:Moon a rdfs:Class ; rdfs:label "moon"@en , "lune"@fr , "卫星"@zh .
s:orbits rdfs:label "orbits"@en . s:discovered rdfs:label "discovered in"@en . s:discoverer rdfs:label "discoverer"@en .
b:earth a s:Planet ; schema:name "Earth"@en , "Terre"@fr , "地球"@zh ; s:orbits b:sun .
b:mars a s:Planet ; schema:name "Mars"@en , "火星"@zh ; s:orbits b:sun .
b:jupiter a s:Planet ; schema:name "Jupiter"@en , "木星"@zh ; s:orbits b:sun .
b:sun schema:name "Sun"@en .
b:luna a s:Moon ; schema:name "Moon"@en , "Lune"@fr ; s:orbits b:earth .
b:phobos a s:Moon ; schema:name "Phobos"@en ; s:orbits b:mars ; s:discovered 1877 ; s:discoverer b:hall .
b:deimos a s:Moon ; schema:name "Deimos"@en ; s:orbits b:mars ; s:discovered 1877 ; s:discoverer b:hall .
b:io a s:Moon ; schema:name "Io"@en ; s:orbits b:jupiter ; s:discovered 1610 ; s:discoverer b:galilei .
b:europa a s:Moon ; schema:name "Europa"@en ; s:orbits b:jupiter ; s:discovered 1610 ; s:discoverer b:galilei .
b:hall schema:name "Asaph Hall"@en . b:galilei schema:name "Galileo Galilei"@en , "伽利略"@zh .
"#;

#[test]
fn ten_questions_are_answered_on_a_graph_that_is_not_ours() {
    let (_folder, mut client) = super::of(PLANETS);
    let query = |text: &str| ("query", json!({ "query": text }));
    let questions: Vec<((&str, Value), &str)> = vec![
        (("about", json!({})), "s:Moon"),
        (("schema", json!({})), "s:discoverer"),
        (("schema", json!({ "class": "s:Moon" })), "s:orbits"),
        (("find", json!({ "text": "伽利略" })), "b:galilei"),
        (("find", json!({ "text": "Jupitr" })), "b:jupiter"),
        (("describe", json!({ "thing": "b:phobos" })), "1877"),
        (query("SELECT ?moon { ?moon s:orbits b:mars }"), "Deimos"),
        (query("SELECT ?who (COUNT(?m) AS ?n) { ?m s:discoverer ?who } GROUP BY ?who"), "Asaph Hall"),
        (query("SELECT ?m { ?m a s:Moon MINUS { ?m s:discovered ?year } }"), "b:luna"),
        (("why", json!({ "query": "SELECT ?m { ?m s:orbits ?p . ?p schema:name \"Mars\"@en }" })), "people.ttl:"),
    ];
    assert_eq!(questions.len(), 10);
    let mut spent = 0;
    for ((tool, arguments), expected) in questions {
        spent += tokens(&ask(&mut client, &(tool, arguments, expected)));
    }
    // A misspelt name is reported, with the right one.
    let told = client.call("query", json!({ "query": "SELECT ?m { ?m s:orbitz b:mars }" }));
    assert!(told["mended"].as_str().unwrap().contains("s:orbits b:mars"), "{told}");
    assert!(spent <= 20_000, "{spent} tokens");
}

#[test]
fn what_no_source_states_is_said_to_be_not_stated() {
    let mut client = shipped();
    for name in ["author-of-article", "enterprises-approved"] {
        let told = client.call("run", json!({ "name": name }));
        assert_eq!(told["rows"], json!([]));
        assert!(told["reasons"].to_string().contains("[not-stated]"), "{told}");
    }
}
