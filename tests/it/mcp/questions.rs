//! Questions that are answered through the tools alone, each with the sentence that says so.

use super::{Client, shipped, tokens};
use serde_json::{Value, json};

/// A tool, its arguments, and what the answer tells.
type Question = (&'static str, Value, &'static str);

fn ask(client: &mut Client, (tool, arguments, expected): &Question) -> Value {
    let told = client.call(tool, arguments.clone());
    assert!(told.to_string().contains(expected), "{tool} {arguments}: {told}");
    told
}

#[test]
fn questions_are_answered_with_their_sentences() {
    let mut client = shipped();
    let run = |name: &str| json!({ "name": name });
    let questions: Vec<Question> = vec![
        ("run", run("fdi-2024"), "293.2"),
        ("run", run("press-conference-speakers"), "person:jiao-yahui"),
        ("run", run("chain-of-command"), "医政司"),
        ("run", run("date-of-event"), "2025-04-21"),
        ("query", json!({"query": "SELECT ?post { person:zhu-bing org:holds ?post }"}), "Director General"),
    ];
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

#[test]
fn what_no_source_states_is_said_to_be_not_stated() {
    let mut client = shipped();
    for name in ["author-of-article", "enterprises-approved"] {
        let told = client.call("run", json!({ "name": name }));
        assert_eq!(told["rows"], json!([]));
        assert!(told["reasons"].to_string().contains("[not-stated]"), "{told}");
    }
}
