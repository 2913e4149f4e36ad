//! The protocol: versions, order of tools, listings, shutdown.

use super::{Client, shipped, small, tokens};
use serde_json::{Value, json};

fn names(client: &mut Client) -> Vec<String> {
    let tools = client.ask("tools/list", json!({}))["result"]["tools"].clone();
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn both_protocols_are_spoken() {
    let (folder, mut client) = small();
    assert_eq!(names(&mut client), ["about", "schema", "find", "describe", "query", "why", "why_not"]);
    assert_eq!(client.go(), Some(0));

    // The newer protocol has no handshake: each request states its version.
    let mut client = Client::silent(folder.path(), &["-d", "people.ttl"]);
    let meta = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let found = client.ask("server/discover", meta.clone());
    assert!(found["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{found}");
    let listed = client.ask("tools/list", meta);
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 7, "{listed}");
    assert_eq!(listed["result"]["resultType"], "complete");
}

#[test]
fn every_tool_says_what_it_takes_and_gives_and_that_it_only_reads() {
    let mut client = shipped();
    let tools = client.ask("tools/list", json!({}))["result"]["tools"].clone();
    assert!(tokens(&tools) <= 8_000, "{} tokens", tokens(&tools));
    let tools = tools.as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names[..7], ["about", "schema", "find", "describe", "query", "why", "why_not"]);
    for tool in tools {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(!tool["description"].as_str().unwrap().is_empty(), "{tool}");
    }
}

#[test]
fn what_is_wrong_with_a_call_is_told_to_the_model_and_an_unknown_tool_to_the_client() {
    let (_folder, mut client) = small();
    let error = client.error("find", json!({"txt": "Ada"}));
    assert_eq!(error["message"], "this tool has no argument `txt`");
    assert_eq!(error["hints"], json!(["did you mean `text`?"]));
    assert_eq!(client.error("find", json!({}))["message"], "`text` is missing");
    let response = client.ask("tools/call", json!({"name": "write", "arguments": {}}));
    assert_eq!(response["error"]["code"], -32602, "{response}");
}

#[test]
fn resources_are_the_ontology_the_queries_and_the_sentences() {
    let mut client = shipped();
    let resources = client.ask("resources/list", json!({}))["result"]["resources"].clone();
    let uris: Vec<String> =
        resources.as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap().to_owned()).collect();
    for uri in ["kgq://ontology", "kgq://query/fdi-2024"] {
        assert!(uris.iter().any(|own| own == uri), "{uri}");
    }
    let source = uris.iter().find(|uri| uri.starts_with("kgq://source/")).unwrap().clone();
    let mut read = |uri: &str| client.ask("resources/read", json!({ "uri": uri }));
    let text = |response: &Value| response["result"]["contents"][0]["text"].as_str().unwrap().to_owned();
    assert!(text(&read("kgq://ontology")).contains("ou:"));
    assert!(text(&read("kgq://query/fdi-2024")).contains("SELECT"));
    assert!(text(&read(&source)).starts_with("0\t"));
    for uri in ["kgq://query/../kgq.toml", "file:///etc/passwd", "kgq://source/x", "kgq://elsewhere"] {
        assert!(read(uri)["error"]["message"].as_str().unwrap().contains("there is no resource"), "{uri}");
    }
}

#[test]
fn prompts_say_how_to_ask() {
    let (_folder, mut client) = small();
    let prompts = client.ask("prompts/list", json!({}))["result"]["prompts"].clone();
    assert_eq!(prompts[0]["name"], "ask");
    let prompt = client.ask("prompts/get", json!({"name": "ask", "arguments": {"question": "Who knows Cid?"}}));
    let text = prompt["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains("Who knows Cid?"), "{text}");
    assert!(client.ask("prompts/get", json!({"name": "ask"}))["error"].is_object());
}

#[test]
fn settings_for_clients_name_the_project() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kgq"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["mcp", "--print-config", "claude-code"]);
    let printed: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let server = &printed["mcpServers"]["kgq"];
    assert!(server["command"].as_str().unwrap().contains("kgq"));
    assert_eq!(server["args"][0], "mcp");
    assert_eq!(server["args"][1], "-C");
}
